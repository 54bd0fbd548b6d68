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
    from xlqa.curves.report.document import Report, Section
    from xlqa.curves.report.origin import Origin
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
Title = Annotated[str, typer.Option("--title", help="The report's title. Default: made of the table's folder.")]
OneTable = Annotated[
    str,
    typer.Option(
        "--table", help="Only this table, of all results: summary, languages, scores, labels, gain, worth, stages, components, "
        "breakdown, layers, pairs, features, correlations, settings or versions.",
    ),
]  # fmt: skip


def report(
    tables: Tables, format: Format = "", out: Out = None, title: Title = "", table: OneTable = "", metric: Metric = "", scorer: ScorerName = "",
    task: Tasks = None, lang: Languages = None, test: Tests = None, split: Split = "test", seeds: Seeds = "",
    margin: Margin = 1.0, floor: Floor = 10.0, data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Report gains with intervals, and how many target-language examples the source data is worth.

    The first table has a row for each language: zero-shot, gain at three sizes, N₀ and a verdict; of several languages there is a
    mean with its interval. Then come the curves and each result: paired gains with intervals over test examples and seeds,
    worth in examples, break-even, variance components, fits, planning, and sentences for a paper; at the end methods, settings,
    versions and commands. Reads the scores of single examples from the table's folder. Tables of several tasks are reported
    side by side and never averaged.

    Examples:

      xlqa report results.csv --metric both --data dev.json --out report.html

      xlqa report results.csv --table gain --out gain.tex

      xlqa report ner-ru pos-ru nli-ru --out tasks.md
    """
    kind = choose_format(format, out, as_json)
    _check(margin, floor)
    if table and kind in ("csv", "json"):
        raise XlqaError(f"--table {table}: its forms are text, md, tex and html; {kind} has every quantity at once.")
    from xlqa.curves import grouping
    from xlqa.curves.comparison import Options, compare_all
    from xlqa.curves.example_scores import ExampleStore
    from xlqa.curves.report.origin import find_origin
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
    flags = _flags(format=format, metric=metric, scorer=scorer, task=task, lang=lang, test=test, split=split, seeds=seeds,
                   margin=margin, floor=floor)  # fmt: skip
    origin = find_origin(rows, tables, title, flags)
    analysis = Analysis(
        rows, panels, comparisons, columns, options, list_failures(tables), parts, store, tables, origin
    )
    written = _write_table(kind, analysis, table) if table else _write(kind, analysis)
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
    tables: Sequence[Path]
    origin: Origin


def _flags(**options: Any) -> tuple[str, ...]:
    """The flags of this command that differ from their defaults."""
    defaults = {"split": "test", "margin": 1.0, "floor": 10.0}
    words: list[str] = []
    for name, value in options.items():
        if value and value != defaults.get(name):
            words += [
                f"--{name}",
                ",".join(value) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else value,
            ]
    return tuple(words)


def _build(a: Analysis) -> Report:
    from xlqa.curves.report.contents import build_report

    made = build_report(a.panels, a.comparisons, a.columns, a.options, a.failures, a.breakdowns, a.store, a.origin)
    across, methods = _across_languages(a)
    more = (*_layers(a), *_pairs(a), *across)
    return replace(made, sections=(*made.sections, *more), methods=(*made.methods, *methods))


def _write(kind: str, a: Analysis) -> str:
    from xlqa.curves.report import export, page, render, tex

    if kind == "csv":
        return csv_text(export.TIDY_COLUMNS, export.tidy_rows(a.comparisons, a.breakdowns))
    made = _build(a)
    if kind == "json":
        return json_text(export.as_record(made, a.panels, a.comparisons, a.options, a.columns, a.breakdowns))
    if kind == "html":
        from xlqa.curves.report.html import pictures, runs_tables

        figures = pictures(a.panels, a.comparisons, a.columns, a.options, a.breakdowns)
        return page.as_html(made, figures, runs_tables(a.rows, a.panels))
    return {"text": render.as_text, "md": render.as_markdown, "tex": tex.as_tex}[kind](made)


def _write_table(kind: str, a: Analysis, name: str) -> str:
    """One table of all results.

    Raises:
        XlqaError: the report has none of this name.
    """
    from xlqa.curves.report import page, render, tex
    from xlqa.curves.report.document import join_tables

    made = _build(a)
    found = join_tables([table for table in made.tables if table.name == name])
    if not found:
        known = ", ".join(dict.fromkeys(table.name for table in made.tables if table.name))
        raise XlqaError(f"--table {name}: this report has {known}.")
    if kind == "tex":
        return tex.tables_as_tex(found, made.name)
    if kind == "html":
        return page.table_page(found, made.title)
    return {"text": render.tables_as_text, "md": render.tables_as_markdown}[kind](found)


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
    from xlqa.curves.report.document import Section
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
