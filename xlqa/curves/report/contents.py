"""The report's contents, before they take a form: the summary, the curves, the results, and how all of it was made.

`build_report(panels, comparisons, ...)` gives a `Report`; `xlqa.curves.report.render` writes it as text or Markdown, `tex` and `html`
as TeX and HTML. The numbers for programs are in `xlqa.curves.report.export`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from xlqa.curves.aggregate import group_comparisons
from xlqa.curves.breakdown import Breakdown
from xlqa.curves.comparison import Comparison, Match, Options, leading
from xlqa.curves.example_scores import ExampleStore
from xlqa.curves.grouping import Panel, source_name
from xlqa.curves.report import formatting as w
from xlqa.curves.report import tables as t
from xlqa.curves.report.document import Report, Section, Table
from xlqa.curves.report.facts import facts, methods
from xlqa.curves.report.origin import NO_ORIGIN, Origin
from xlqa.curves.report.sentences import format_collapse, sentences
from xlqa.curves.report.summary import summary_section
from xlqa.curves.wording import QA, Columns, columns_of
from xlqa.records import Arm


def build_report(
    panels: Sequence[Panel],
    comparisons: Sequence[Comparison],
    columns: Columns,
    options: Options,
    failures: Sequence[str] = (),
    breakdowns: Sequence[Breakdown] = (),
    store: ExampleStore | None = None,
    origin: Origin = NO_ORIGIN,
) -> Report:
    """Put the results of an analysis into words: the summary, the curves, then each result.

    Args:
        columns: the scores reported, the leading one first: sentences and the summary are about it.
        failures: runs that failed, a line each.
        breakdowns: of the gain by kinds of examples.
        store: of per-example scores, which have the F1 of single labels.
        origin: what the study is called, and what made it.
    """
    means = group_comparisons(comparisons, columns)
    sections = [summary_section(panels, leading_results(comparisons, columns), means, columns, options)]
    for panel in panels:
        own = [c for c in comparisons if c.panel is panel]
        sections.append(_panel_section(panel, columns_of(columns, panel.task), own, store))
    for c in comparisons:
        parts = [b for b in breakdowns if b.comparison is c]
        sections.append(comparison_section(c, options, parts, first=c.column == columns_of(columns, c.panel.task)[0]))
    return Report(
        title=_title(comparisons, origin),
        lead=_lead(panels, origin),
        failures=tuple(failures),
        sections=tuple(sections),
        methods=methods(comparisons, options, means),
        settings=(*t.settings_tables(panels), *([origin.versions] if origin.versions else [])),
        commands=origin.commands,
        name=origin.name,
    )


def leading_results(comparisons: Sequence[Comparison], columns: Columns) -> tuple[Comparison, ...]:
    """The results that the summary lists: by the leading score, one for each arm and panel."""
    return leading([c for c in comparisons if c.column == columns_of(columns, c.panel.task)[0]])


def _title(comparisons: Sequence[Comparison], origin: Origin) -> str:
    if origin.title:
        return origin.title
    sources = sorted({source_name(c.first.setting) for c in comparisons})
    question = f"hat is {sources[0] if len(sources) == 1 else 'the source data'} worth?"
    return f"{origin.name}: w{question}" if origin.name else f"W{question}"


def _lead(panels: Sequence[Panel], origin: Origin) -> str:
    """Runs are counted once, on however many test sets they were scored; source stages where no other run was trained."""
    trained = {
        (str(row.folder), str(row.run_id))
        for panel in panels
        for curve in panel.curves
        for point in curve.points
        for row in point.rows.itertuples(index=False)
    }
    stages = {
        (str(row.folder), str(row.source_sha256), str(row.model), str(row.source_seed))
        for panel in panels
        for curve in panel.curves
        for row in curve.zero_shot.itertuples(index=False)
    }
    tests = {(panel.measurement["test"], panel.measurement["test_sha256"]) for panel in panels}
    dates = f", {origin.dates}" if origin.dates else ""
    what = w.counted(len(trained), "training run") if trained or not stages else w.counted(len(stages), "source stage")
    return f"{what} scored on {w.counted(len(tests), 'test set')}{dates}."


def _panel_section(
    panel: Panel, columns: Sequence[str], own: Sequence[Comparison], store: ExampleStore | None
) -> Section:
    tables = [t.score_table(panel, column) for column in columns]
    if panel.task == "ner":
        tables += [t.score_table(panel, name) for name in ("entity_precision", "entity_recall") if name not in columns]
    tables += [t.label_table(panel, store)] if store is not None and panel.task != QA else []
    why = () if own else (_why_nothing(panel),)
    return Section(panel.title, tables=tuple(t for t in tables if t.rows), facts=why, missing=panel.missing)


def _why_nothing(panel: Panel) -> str:
    arms = {curve.arm for curve in panel.curves}
    if Arm.TARGET_ONLY not in arms:
        return (
            "No gain or worth: there are no target-only runs to compare with (xlqa sweep --arms transfer,target-only)."
        )
    if not arms & {Arm.TRANSFER, Arm.JOINT}:
        return "No gain or worth: no run saw the source data; xlqa sweep trains the transfer arm by default."
    return "No gain or worth: no target-only run shares encoder and target data with a run that saw the source data."


def comparison_title(c: Comparison) -> str:
    """What tells a comparison from the others of a report."""
    title = f"{c.panel.title}: {c.first.label} against {c.second.label}, {c.metric}"
    return title if Match.SAME in c.match else f"{title} ({c.match[0]})"


def comparison_section(c: Comparison, options: Options, breakdowns: Sequence[Breakdown], first: bool) -> Section:
    """One result: its tables and facts, then the sentences for a paper (those of the leading score alone)."""
    notes = tuple(f"{note[:1].upper()}{note[1:]}" for note in c.notes)
    made = sentences(c, options) if first else ()
    if not c.learned:
        return Section(comparison_title(c), tables=(t.gain_table(c),), facts=notes, lead=" ".join(made))
    tables: list[Table] = [t.gain_table(c), t.worth_table(c)]
    tables += [t.other_table(c)] if c.other is not None and not math.isnan(c.zero_shot.value) else []
    tables += [t.components_table(c)] if c.components else []
    tables += [t.breakdown_table(c, part) for part in breakdowns]
    lead = format_collapse(c, options) if first else ""
    return Section(comparison_title(c), made, tuple(tables), (*facts(c, options), *notes), lead=lead)
