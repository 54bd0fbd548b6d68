"""`xlqa compare A B`: two sweeps, encoders or settings, paired where they share seeds and test examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlqa.cli.options import Json, Languages, ScorerName, Tasks, Tests
from xlqa.cli.report import Metric, Out, Split, deliver
from xlqa.curves.report.formats import choose_format
from xlqa.errors import EXIT_RUNS_FAILED
from xlqa.settings import split_words
from xlqa.util.csvfile import csv_text
from xlqa.util.jsontext import json_text

if TYPE_CHECKING:
    from xlqa.curves.differences import Differences

FORMATS = ("text", "md", "tex", "csv", "json")

Both = Annotated[
    list[Path],
    typer.Argument(
        help="Tables (results.csv) or folders of two sweeps, A and B; or one table with --a and --b.", metavar="A [B]"
    ),
]
SideA = Annotated[
    list[str] | None,
    typer.Option("--a", help="Rows of A, as COLUMN=VALUE: --a lr=3e-5. Repeat the flag or use a comma list."),
]
SideB = Annotated[list[str] | None, typer.Option("--b", help="Rows of B, in the same form.")]
Format = Annotated[
    str, typer.Option("--format", "-f", help="text, md, tex, csv or json. Default: by the suffix of --out, else text.")
]
FigureFile = Annotated[Path | None, typer.Option("--figure", help="Also draw B − A over N: .png, .svg or .pdf.")]
FailBelow = Annotated[
    float | None,
    typer.Option(
        "--fail-below", help="Exit with status 1 if a difference is certainly below this many points: its interval for all "
        "rows together ends below it. 0: any certain loss.",
    ),
]  # fmt: skip


def compare(
    tables: Both, a: SideA = None, b: SideB = None, metric: Metric = "", scorer: ScorerName = "", task: Tasks = None,
    lang: Languages = None, test: Tests = None, split: Split = "test", fail_below: FailBelow = None,
    figure: FigureFile = None, format: Format = "", out: Out = None, as_json: Json = False,
) -> int:  # fmt: skip
    """Compare two sweeps, encoders or settings: the difference B − A of each arm and size, with a 95 % interval.

    Runs of the same seed on the same training data and scores of the same test examples are paired. The intervals are
    over paragraphs and seeds. What only one of the two has is listed.

    Examples:

      xlqa compare old/results.csv new/results.csv --fail-below -1

      xlqa compare results.csv --a model=bert-base-multilingual-cased --b model=xlm-roberta-base --figure encoders.png
    """
    kind = choose_format(format, out, as_json, FORMATS)
    from xlqa.curves.differences import compare_tables, parse_conditions
    from xlqa.curves.table import load_results

    found = compare_tables(
        [load_results(table) for table in tables[:3]], [str(table) for table in tables],
        (parse_conditions(a or (), "--a"), parse_conditions(b or (), "--b")), metric=metric, scorer=scorer or None,
        languages=split_words(lang), tests=split_words(test), split=split, tasks=split_words(task),
    )  # fmt: skip
    if figure is not None:
        _draw(found, figure)
    deliver(_write(kind, found, fail_below), out)
    return EXIT_RUNS_FAILED if fail_below is not None and found.below(fail_below) else 0


def _draw(found: Differences, path: Path) -> None:
    from xlqa.curves.plots.curves import STYLES, save_figure
    from xlqa.curves.plots.differences import difference_figure

    save_figure(difference_figure(found, STYLES["paper"]), path)


def _write(kind: str, found: Differences, least: float | None) -> str:
    from xlqa.curves.report import differences as d
    from xlqa.curves.report import render, tex

    if kind == "csv":
        return csv_text(d.DIFFERENCE_COLUMNS, d.difference_rows(found))
    if kind == "json":
        return json_text(d.difference_record(found, least))
    made = d.difference_report(found, least)
    return {"text": render.as_text, "md": render.as_markdown, "tex": tex.as_tex}[kind](made)
