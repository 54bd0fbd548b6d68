"""`xlqa report results.csv`: what the source data is worth in target examples, with intervals."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xlqa.cli import print_json
from xlqa.cli.options import Json, Languages, ScorerName, Seeds, Tables, Tasks, Tests
from xlqa.errors import XlqaError, refuse_choice
from xlqa.settings import split_words
from xlqa.util.csvfile import csv_text
from xlqa.util.files import write_output
from xlqa.util.text import printable

if TYPE_CHECKING:
    import pandas as pd

    from xlqa.curves.breakdown import Breakdown
    from xlqa.curves.comparison import Comparison, Options
    from xlqa.curves.example_scores import ExampleStore
    from xlqa.curves.grouping import Panel
    from xlqa.curves.report.contents import Section
    from xlqa.curves.wording import Columns

FORMATS = ("text", "md", "tex", "csv", "json", "html")
_SUFFIXES = {".txt": "text", ".md": "md", ".tex": "tex", ".csv": "csv", ".json": "json", ".html": "html"}


Format = Annotated[
    str,
    typer.Option(
        "--format", "-f", help="text, md, tex, csv, json or html. Default: by the suffix of --out, else text."
    ),
]
Out = Annotated[Path | None, typer.Option("--out", help="File to write. Default: standard output.")]
Metric = Annotated[
    str,
    typer.Option(
        "--metric", help="Score to report: a metric of the task (f1, em, accuracy, macro_f1, …), both (f1 and em) or all. "
        "Default: the task's first metric.",
    ),
]  # fmt: skip
Split = Annotated[str, typer.Option("--split", help="Evaluations to report: test or valid.")]
Margin = Annotated[
    float, typer.Option("--margin", help="Break-even margin: a gain within ± this many points counts as none.")
]
Floor = Annotated[float, typer.Option("--floor", help="Score in percent below which a run counts as collapsed.")]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        "--data", help="File of a test set of question answering. Breaks the gain down by answer length, question word and "
        "overlap. Repeatable.",
    ),
]  # fmt: skip


def report(
    tables: Tables, format: Format = "", out: Out = None, metric: Metric = "", scorer: ScorerName = "",
    task: Tasks = None, lang: Languages = None, test: Tests = None, split: Split = "test", seeds: Seeds = "",
    margin: Margin = 1.0, floor: Floor = 10.0, data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Report gains with intervals, and how many target-language examples the source data is worth.

    Prints sentences for a paper, then tables: paired gains with intervals over test examples and seeds, worth in
    examples, break-even, variance components, fits and planning. Reads the scores of single
    examples from the table's folder. Tables of several tasks are reported side by side and never averaged.

    Examples:

      xlqa report results.csv

      xlqa report results.csv --metric both --data dev.json --out report.html

      xlqa report ner-ru pos-ru nli-ru --out tasks.md
    """
    kind = choose_format(format, out, as_json)
    _check(margin, floor)
    from xlqa.curves import grouping
    from xlqa.curves.comparison import Options, compare_all
    from xlqa.curves.example_scores import ExampleStore
    from xlqa.curves.table import list_failures, load_results

    wanted = grouping.parse_seeds(seeds) if seeds else ()
    whole = load_results(tables)
    rows = grouping.select_rows(whole, split_words(lang), split_words(test), wanted, split, split_words(task))
    columns = grouping.choose_columns(rows, metric, scorer or None)
    panels = grouping.split_panels(rows)
    options = Options(margin=margin, floor=floor)
    valid = grouping.split_panels(whole[whole["split"] == "valid"]) if split == "test" else ()
    store = ExampleStore()
    comparisons = compare_all(panels, columns, store, options, valid)
    parts = _break_down(comparisons, data or [])
    written = _write(
        kind, Analysis(rows, panels, comparisons, columns, options, list_failures(tables), parts, store, tables)
    )
    deliver(written, out)


def _break_down(comparisons: Sequence[Comparison], data: Sequence[Path]) -> tuple[Breakdown, ...]:
    """The gain by kinds of examples, as far as the files and the per-question scores tell them apart."""
    from xlqa.curves.breakdown import break_down, facts_of
    from xlqa.tasks.qa.reading import read_dataset

    found: list[Breakdown] = []
    known: dict[str, dict[str, dict[str, Any]]] = {}
    for c in comparisons:
        if c.panel.task != "qa":
            continue
        if c.panel.lang not in known:
            readings = [read_dataset(path, skip_bad=True, language=c.panel.lang) for path in data]
            questions = [q for reading in readings for q in (*reading.questions, *reading.unanswerable)]
            known[c.panel.lang] = facts_of(questions, c.panel.lang)
        found += break_down(c, known[c.panel.lang])
    if data and not found:
        raise XlqaError(
            f"--data {data[0]}: no question of it is in the per-question scores beside the table: give the file of a test set of "
            "question answering."
        )
    return tuple(found)


def choose_format(format: str, out: Path | None, as_json: bool, formats: Sequence[str] = FORMATS) -> str:
    """The format that the flags name, or the suffix of the output file.

    Raises:
        XlqaError: there is no such format.
    """
    kind = "json" if as_json else format or (_SUFFIXES.get(out.suffix.lower(), "") if out else "text")
    if kind not in formats:
        where = f"--format {format}" if format else f"--out {out}: its suffix names no format"
        raise XlqaError(f"{where}: {refuse_choice(kind, formats)}.")
    return kind


def _check(margin: float, floor: float) -> None:
    if not 0 < margin <= 100:
        raise XlqaError(f"--margin {margin:g}: give points above 0.")
    if not 0 <= floor <= 100:
        raise XlqaError(f"--floor {floor:g}: give a percentage.")


@dataclass(frozen=True)
class Analysis:
    """What a report is written from."""

    rows: pd.DataFrame
    panels: Sequence[Panel]
    comparisons: Sequence[Comparison]
    columns: Columns
    options: Options
    failures: Sequence[str]
    breakdowns: Sequence[Breakdown]
    store: ExampleStore
    tables: Sequence[Path] = ()


def _write(kind: str, a: Analysis) -> str:
    from xlqa.curves.report import export, render
    from xlqa.curves.report.contents import build_report

    if kind == "csv":
        return csv_text(export.TIDY_COLUMNS, export.tidy_rows(a.comparisons, a.breakdowns))
    made = build_report(a.panels, a.comparisons, a.columns, a.options, a.failures, a.breakdowns, a.store)
    across, methods = _across_languages(a)
    more = (*_layers(a), *_pairs(a), *across)
    made = replace(made, sections=(*made.sections, *more), methods=(*made.methods, *methods))
    if kind == "json":
        return json_text(export.as_record(made, a.panels, a.comparisons, a.options, a.breakdowns))
    if kind == "html":
        from xlqa.curves.report.html import pictures, runs_tables

        figures = pictures(a.panels, a.comparisons, a.columns, a.options, a.breakdowns)
        return render.as_html(made, figures, runs_tables(a.rows, a.panels))
    return {"text": render.as_text, "md": render.as_markdown, "tex": render.as_tex}[kind](made)


def _across_languages(a: Analysis) -> tuple[tuple[Section, ...], tuple[str, ...]]:
    """What the leading score goes with over languages, where `xlqa features` measured them, and the method."""
    from xlqa.curves.features import group_languages, load_features
    from xlqa.curves.report.features import METHODS, feature_sections

    known = load_features(a.tables, required=False)
    sections = feature_sections(group_languages(a.rows, a.comparisons, known, a.columns)) if known else ()
    return sections, (METHODS,) if sections else ()


def _layers(a: Analysis) -> tuple[Section, ...]:
    """The score by frozen layers, where runs differ in these alone."""
    from xlqa.curves.report.analyses import layer_sections

    return layer_sections(a.panels, a.columns)


def _pairs(a: Analysis) -> tuple[Section, ...]:
    """Question language × context language, where `xlqa evaluate --pairs` wrote tables beside those of the report."""
    from xlqa.curves.pairs import build_matrices, find_pair_tables, load_pairs
    from xlqa.curves.report.analyses import pair_sections
    from xlqa.curves.report.contents import Section
    from xlqa.curves.table import find_table
    from xlqa.curves.wording import QA, columns_of

    folders = dict.fromkeys(find_table(table).parent for table in a.tables)
    files = [file for folder in folders for file in find_pair_tables(folder)]
    if not files or QA not in set(a.rows["task"]):
        return ()
    rows, column = load_pairs(files), columns_of(a.columns, QA)[0]
    try:
        return pair_sections(build_matrices(rows, column), column)
    except XlqaError as error:
        return (Section("Question and context language", missing=(str(error),)),)


def json_text(record: dict[str, Any]) -> str:
    """What `print_json` writes."""
    from contextlib import redirect_stdout

    text = io.StringIO()
    with redirect_stdout(text):
        print_json(record)
    return text.getvalue()


def deliver(written: str, out: Path | None) -> None:
    """Write a report to a file and print its name; without a file print the report."""
    if out is None:
        # Names in a table from somebody else could otherwise recolour the screen; a pipe gets the same text.
        sys.stdout.write("\n".join(map(printable, written.split("\n"))))
        return
    write_output(out, written.encode("utf-8", "surrogatepass"))
    print(out)
