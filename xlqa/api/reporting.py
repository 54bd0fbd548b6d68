"""Reports on one or several sweeps: `xlqa.report`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlqa.api.results import Tables, as_frame, as_words, chosen_seeds, frame_of, table_paths
from xlqa.curves.report.formats import choose_format
from xlqa.errors import XlqaError
from xlqa.sweep_keywords import PathLike, Words
from xlqa.util import html
from xlqa.util.csvfile import csv_text
from xlqa.util.files import write_output
from xlqa.util.jsontext import json_text

if TYPE_CHECKING:
    import pandas as pd

    from xlqa.curves.breakdown import Breakdown
    from xlqa.curves.comparison import Comparison, Options
    from xlqa.curves.example_scores import ExampleStore
    from xlqa.curves.grouping import Panel
    from xlqa.curves.report.document import Report as Document
    from xlqa.curves.report.document import Section
    from xlqa.curves.report.origin import Origin
    from xlqa.curves.wording import Columns


@dataclass(frozen=True, repr=False)
class Report:
    """What was measured and what follows from it; `print` shows all of it as text.

    Attributes:
        rows: the evaluations that it is about, as `load_results` returns them.
        comparisons: the arms against each other; failures: a line for each run that failed.
    """

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

    @cached_property
    def document(self) -> Document:
        """Its tables, sections and sentences."""
        return _build(self)

    @property
    def quantities(self) -> pd.DataFrame:
        """A row for each number, as in the CSV format."""
        from xlqa.curves.report import export

        return frame_of(list(export.tidy_rows(self.comparisons, self.breakdowns)), export.TIDY_COLUMNS)

    def render(self, format: str = "text", table: str = "") -> str:
        """The report as text, md, tex, csv, json or html.

        Args:
            table: only this table, of all results, as `xlqa report --table` names it.

        Raises:
            XlqaError: there is no such format or table.
        """
        kind = choose_format(format, None, False)
        if table and kind in ("csv", "json"):
            raise XlqaError(
                f"--table {table}: its forms are text, md, tex and html; {kind} has every quantity at once."
            )
        return _write_table(kind, self, table) if table else _write(kind, self)

    def save(self, out: PathLike, format: str = "", table: str = "") -> Path:
        """Write the report to a file, in the format of its suffix unless another is given.

        Raises:
            XlqaError: as `render`; or the file cannot be written.
        """
        path = Path(out).expanduser()
        text = self.render(choose_format(format, path, False), table)
        write_output(path, text.encode("utf-8", "surrogatepass"))
        return path

    def __str__(self) -> str:
        return self.render()

    def __repr__(self) -> str:
        from xlqa.curves.report.render import tables_as_text

        return f"{self.document.title}\n\n{tables_as_text(self.document.tables[:1])}".rstrip()

    def _repr_html_(self) -> str:
        made = self.document
        tables = "".join(html.table(table.header, table.rows, table.title) for table in made.tables[:1])
        sentences = [" ".join(section.sentences) for section in made.sections if section.sentences]
        return html.paragraph(made.title, made.lead, *self.failures) + tables + html.paragraph(*sentences)


def report(
    tables: Tables,
    *,
    format: str = "",
    out: PathLike | None = None,
    title: str = "",
    table: str = "",
    metric: str = "",
    scorer: str | None = None,
    task: Words = (),
    lang: Words = (),
    test: Words = (),
    split: str = "test",
    seeds: str | int | Sequence[int] = (),
    margin: float = 1.0,
    floor: float = 10.0,
    data: PathLike | Sequence[PathLike] = (),
) -> Report:
    """Gains with intervals, and how many target-language examples the source data is worth, as `xlqa report` computes them.

    Args:
        tables: a sweep that ended, a frame of `load_results`, or what that takes.
        out: file to write; format: text, md, tex, csv, json or html, by default the suffix of `out`; table: only this table in it.
        title: by default made of the table's folder.
        metric, scorer: score to report; task, lang, test, split, seeds: which rows.
        margin: a gain within this many points counts as none; floor: score below which a run counts as collapsed.
        data: files of test sets of question answering, to break the gain down by kinds of examples.

    Raises:
        XlqaError: no such rows, score, format or table; or a file cannot be read or written.
    """
    path = None if out is None else Path(out).expanduser()
    kind = choose_format(format, path, False)
    margin, floor = float(margin), float(floor)
    _check(margin, floor)
    from xlqa.curves import grouping
    from xlqa.curves.comparison import Options, compare_all
    from xlqa.curves.example_scores import ExampleStore
    from xlqa.curves.report.origin import find_origin
    from xlqa.curves.table import list_failures

    whole, paths, words = as_frame(tables), table_paths(tables), (as_words(lang), as_words(test), as_words(task))
    wanted = chosen_seeds(seeds)
    rows = grouping.select_rows(whole, words[0], words[1], wanted, split, words[2])
    columns = grouping.choose_columns(rows, metric, scorer or None)
    panels = grouping.split_panels(rows)
    options = Options(margin=margin, floor=floor)
    valid = grouping.split_panels(whole[whole["split"] == "valid"]) if split == "test" else ()
    store = ExampleStore()
    comparisons = compare_all(panels, columns, store, options, valid)
    files = [Path(file).expanduser() for file in ([data] if isinstance(data, str | Path) else data)]
    parts = _break_down(comparisons, files)
    selection = _flags(metric=metric, scorer=scorer, task=words[2], lang=words[0], test=words[1], split=split,
                       seeds=",".join(map(str, wanted)))  # fmt: skip
    flags = _report_flags(selection, files, format=format, title=title, margin=margin, floor=floor)
    origin = find_origin(rows, paths, title, flags, selection)
    made = Report(rows, panels, comparisons, columns, options, list_failures(paths), parts, store, paths, origin)
    if path is not None:
        made.save(path, kind, table)
    return made


def _break_down(comparisons: Sequence[Comparison], data: Sequence[PathLike]) -> tuple[Breakdown, ...]:
    """The gain by kinds of examples, as far as the files and the per-question scores tell them apart."""
    from xlqa.curves.breakdown import break_down, facts_of
    from xlqa.tasks.qa.reading import read_dataset

    found: list[Breakdown] = []
    known: dict[str, dict[str, dict[str, Any]]] = {}
    for c in comparisons:
        if c.panel.task != "qa":
            continue
        if c.panel.lang not in known:
            readings = [read_dataset(Path(path), skip_bad=True, language=c.panel.lang) for path in data]
            questions = [q for reading in readings for q in (*reading.questions, *reading.unanswerable)]
            known[c.panel.lang] = facts_of(questions, c.panel.lang)
        found += break_down(c, known[c.panel.lang])
    if data and not found:
        raise XlqaError(
            f"--data {data[0]}: no question of it is in the per-question scores beside the table: give the file of a test set of "
            "question answering."
        )
    return tuple(found)


def _check(margin: float, floor: float) -> None:
    if not 0 < margin <= 100:
        raise XlqaError(f"--margin {margin:g}: give points above 0.")
    if not 0 <= floor <= 100:
        raise XlqaError(f"--floor {floor:g}: give a percentage.")


def _report_flags(
    selection: Sequence[str], files: Sequence[Path], *, format: str, title: str, margin: float, floor: float
) -> tuple[str, ...]:
    """The flags of the command that writes a report, in the order of its help."""
    data = [word for file in files for word in ("--data", str(file))]
    return (*_flags(format=format, title=title), *selection, *_flags(margin=margin, floor=floor), *data)


def _flags(**options: Any) -> tuple[str, ...]:
    """The flags of this command that differ from their defaults."""
    defaults = {"split": "test", "margin": 1.0, "floor": 10.0}
    words: list[str] = []
    for name, value in options.items():
        if value and value != defaults.get(name):
            words += [
                f"--{name}",
                ",".join(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else value,
            ]
    return tuple(words)


def _build(a: Report) -> Document:
    from xlqa.curves.report.contents import build_report

    made = build_report(a.panels, a.comparisons, a.columns, a.options, a.failures, a.breakdowns, a.store, a.origin)
    across, methods = _across_languages(a)
    more = (*_layers(a), *_pairs(a), *across)
    return replace(made, sections=(*made.sections, *more), methods=(*made.methods, *methods))


def _write(kind: str, a: Report) -> str:
    from xlqa.curves.report import export, page, render, tex

    if kind == "csv":
        return csv_text(export.TIDY_COLUMNS, export.tidy_rows(a.comparisons, a.breakdowns))
    made = a.document
    if kind == "json":
        return json_text(export.as_record(made, a.panels, a.comparisons, a.options, a.columns, a.breakdowns))
    if kind == "html":
        from xlqa.curves.report.html import pictures, runs_tables

        figures = pictures(a.panels, a.comparisons, a.columns, a.options, a.breakdowns)
        return page.as_html(made, figures, runs_tables(a.rows, a.panels))
    return {"text": render.as_text, "md": render.as_markdown, "tex": tex.as_tex}[kind](made)


def _write_table(kind: str, a: Report, name: str) -> str:
    """One table of all results.

    Raises:
        XlqaError: the report has none of this name.
    """
    from xlqa.curves.report import page, render, tex
    from xlqa.curves.report.document import join_tables

    made = a.document
    found = join_tables([table for table in made.tables if table.name == name])
    if not found:
        known = ", ".join(dict.fromkeys(table.name for table in made.tables if table.name))
        raise XlqaError(f"--table {name}: this report has {known}.")
    if kind == "tex":
        return tex.tables_as_tex(found, made.name)
    if kind == "html":
        return page.table_page(found, made.title)
    return {"text": render.tables_as_text, "md": render.tables_as_markdown}[kind](found)


def _across_languages(a: Report) -> tuple[tuple[Section, ...], tuple[str, ...]]:
    """What the leading score correlates with over languages, where `xlqa features` measured them, and the method."""
    from xlqa.curves.features import group_languages, load_features
    from xlqa.curves.report.features import METHODS, feature_sections

    known = load_features(a.tables, required=False)
    sections = feature_sections(group_languages(a.rows, a.comparisons, known, a.columns)) if known else ()
    return sections, (METHODS,) if sections else ()


def _layers(a: Report) -> tuple[Section, ...]:
    """The score by frozen layers, where runs differ in these alone."""
    from xlqa.curves.report.analyses import layer_sections

    return layer_sections(a.panels, a.columns)


def _pairs(a: Report) -> tuple[Section, ...]:
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
