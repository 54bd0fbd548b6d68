"""`xlqa features` and `xlqa explain`: what transfer correlates with, over all languages measured."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xlqa.cli import print_json
from xlqa.cli.options import Json
from xlqa.cli.report import deliver
from xlqa.curves.report.formats import choose_format
from xlqa.errors import XlqaError
from xlqa.util.csvfile import csv_text
from xlqa.util.jsontext import json_text

if TYPE_CHECKING:
    from xlqa.curves.features import Group

FORMATS = ("text", "md", "tex", "csv", "json")


def features(
    folder: Annotated[
        Path, typer.Argument(help="Folder of a sweep, with its data/ and encoders/.", metavar="DIR")
    ] = Path("."),
    model: Annotated[str, typer.Option(help="Tokenizer: folder or hub name. Default: the sweep's encoder.")] = "",
    as_json: Json = False,
) -> None:
    """Measure what may explain transfer: word pieces, script, family and URIEL distances. Writes DIR/features.csv.

    One row for each language, test set, encoder and source: pieces per word, unknown pieces, overlap with the pieces of the
    source data, and with xlqa[typology] the distances to the source language. xlqa explain reads it.

    Examples:

      xlqa features results/ru

      xlqa features . --model bert-base-multilingual-cased
    """
    from xlqa.data.typology import has_distances
    from xlqa.runs.store.features import write_features

    path, rows = write_features(folder.expanduser().resolve(), model=model)
    if as_json:
        print_json({"features": str(path), "rows": rows})
    else:
        print(f"{path}: {len(rows)} rows")
    if not has_distances():
        print("xlqa: no URIEL distances: pip install 'xlqa[typology]' adds them.", file=sys.stderr)


def explain(
    tables: Annotated[
        list[Path],
        typer.Argument(help="results.csv or folder of a sweep, with features.csv beside it. Several are joined."),
    ],
    metric: Annotated[str, typer.Option(help="Score to explain. Default: the leading one of each task.")] = "",
    pool: Annotated[
        bool, typer.Option("--pool", help="Join all families of test sets, and average over a language's test sets.")
    ] = False,
    format: Annotated[
        str,
        typer.Option("--format", "-f", help="text, md, tex, csv or json. Default: by the suffix of --out, else text."),
    ] = "",
    out: Annotated[Path | None, typer.Option(help="File to write. Default: standard output.")] = None,
    as_json: Json = False,
) -> None:
    """Compare zero-shot scores, gains and N₀ with the features of all languages measured: Spearman's ρ with intervals.

    The number of languages comes first; below 8 languages no correlation is computed. xlqa plot --what features draws it.

    Examples:

      xlqa explain results/xquad

      xlqa explain results/xquad results/tydiqa --out languages.md
    """
    from xlqa.curves.report import features as words
    from xlqa.curves.report import render, tex
    from xlqa.curves.report.document import Report

    kind = choose_format(format, out, as_json, FORMATS)
    groups = gather(tables, metric, pool=pool)
    if kind == "json":
        shown = [
            {"group": g.label, "languages": g.languages, "features": g.features, "left_out": g.left_out} for g in groups
        ]
        text = json_text({"groups": shown, "correlations": [*words.tidy_rows(groups)]})
    elif kind == "csv":
        text = csv_text(words.TIDY_COLUMNS, words.tidy_rows(groups))
    else:
        made = Report("What does transfer correlate with?", "", (), words.feature_sections(groups), (words.METHODS,))
        text = {"text": render.as_text, "md": render.as_markdown, "tex": tex.as_tex}[kind](made)
    deliver(text, out)


def gather(tables: Sequence[Path], metric: str, *, pool: bool = False) -> tuple[Group, ...]:
    """The languages of some tables with their outcomes and features.

    Raises:
        XlqaError: no features.csv, no language that both files have, or several scores.
    """
    from xlqa.curves.comparison import Options, compare_all
    from xlqa.curves.example_scores import ExampleStore
    from xlqa.curves.features import group_languages, load_features
    from xlqa.curves.grouping import choose_columns, select_rows, split_panels
    from xlqa.curves.table import load_results

    if metric in ("both", "all"):
        raise XlqaError(f"--metric {metric}: one score is explained at a time: name it.")
    known = load_features(tables)
    rows: Any = select_rows(load_results(tables))
    columns = choose_columns(rows, metric, None)
    comparisons = compare_all(split_panels(rows), columns, ExampleStore(), Options())
    groups = group_languages(rows, comparisons, known, columns, pool=pool)
    if not groups:
        raise XlqaError(
            f"{tables[0]}: no row of features.csv fits a zero-shot score or a gain in another language than the source's: run "
            "`xlqa features` again."
        )
    return groups
