"""The difference of two tables as a report: what `xlqa compare` prints, and its rows for programs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from xlqa.curves.differences import Contrast, Difference, Differences
from xlqa.curves.report import formatting as w
from xlqa.curves.report.document import Report, Section, Table
from xlqa.curves.report.tables import short_hash
from xlqa.curves.variance import Interval
from xlqa.curves.wording import WORDING

DIFFERENCE_COLUMNS = (
    "task", "lang", "test", "split", "arm", "label_a", "label_b", "size", "metric", "scorer", "a", "b", "difference", "low",
    "high", "low_all", "high_all", "runs_a", "runs_b", "paired_runs", "examples_a", "examples_b", "paired_examples",
)  # fmt: skip


def difference_rows(found: Differences) -> Iterator[dict[str, Any]]:
    """One row for each size of each pair of curves; scores in percent, None where an end of an interval is not known.

    `low` and `high` are the ends of the 95 % interval, `low_all` and `high_all` of the one that holds for all rows together.
    `paired_examples` counts the examples that both sides share and are compared on; 0 where they are not paired.
    """
    for c in found.contrasts:
        for row in c.rows:
            yield {
                "task": c.panel_b.task, "lang": c.panel_b.lang, "test": c.panel_b.measurement["test"],
                "split": c.panel_b.measurement["split"], "arm": c.b.arm.value, "label_a": c.a.label, "label_b": c.b.label,
                "size": row.size, "metric": c.metric, "scorer": c.scorer, "a": row.a, "b": row.b,
                "difference": row.found.value, "low": _known(row.found.low), "high": _known(row.found.high),
                "low_all": _known(row.band.low), "high_all": _known(row.band.high), "runs_a": row.runs_a, "runs_b": row.runs_b,
                "paired_runs": c.paired_runs, "examples_a": c.tested_a, "examples_b": c.tested_b, "paired_examples": c.shared,
            }  # fmt: skip


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def difference_record(found: Differences, least: float | None) -> dict[str, Any]:
    """The comparison as one JSON document."""
    return {
        "a": found.names[0],
        "b": found.names[1],
        "differences": list(difference_rows(found)),
        "means": [
            {"test": c.panel_b.measurement["test"], "lang": c.panel_b.lang, "label": c.label, "metric": c.metric,
             "difference": c.mean.value, "low": _known(c.mean.low), "high": _known(c.mean.high)}
            for c in found.contrasts if not math.isnan(c.mean.value)
        ],
        "settings": [{"setting": name, "a": a, "b": b} for name, a, b in found.settings],
        "only_a": list(found.only_a),
        "only_b": list(found.only_b),
        "below": None if least is None else len(found.below(least)),
    }  # fmt: skip


def difference_report(found: Differences, least: float | None = None) -> Report:
    """The comparison in words and one table for each score; a difference below `least` counts as a regression."""
    sections = []
    for key in dict.fromkeys((c.panel_b.task, c.metric) for c in found.contrasts):
        own = [c for c in found.contrasts if (c.panel_b.task, c.metric) == key]
        title = f"{WORDING[key[0]].title}: {key[1]}"
        facts = dict.fromkeys(fact for c in own for fact in _facts(c))
        sections.append(Section(title=title, tables=(_table(own, key[1]),), facts=tuple(facts)))
    lines = [f"only in A: {line}" for line in found.only_a] + [f"only in B: {line}" for line in found.only_b]
    if lines:
        sections.append(Section(title="In one of them only", facts=tuple(lines)))
    if found.settings:
        rows = tuple((name, short_hash(a), short_hash(b)) for name, a, b in found.settings)
        sections.append(Section(title="Settings that differ", tables=(Table("Settings", ("setting", "A", "B"), rows),)))
    lead = f"A: {found.names[0]}. B: {found.names[1]}. {_verdict(found, least)}"
    return Report(title="B − A", lead=lead, failures=(), sections=tuple(sections), methods=_methods(found))


def _table(contrasts: Sequence[Contrast], metric: str) -> Table:
    header = ("test", "arm", "N", "A", "B", "B − A", "95 % interval", "all rows together", "runs")
    rows = []
    for c in contrasts:
        begin = (f"{c.panel_b.lang}, {c.panel_b.label}", c.label)
        rows += [(*begin, *_cells(row)) for row in c.rows]
        if not math.isnan(c.mean.value):
            rows.append((*begin, "mean", "", "", *_interval_cells(c.mean), "", ""))
    scorers = w.listed(sorted({c.scorer for c in contrasts if c.scorer}))
    caption = f"{metric}{f' (scorer: {scorers})' if scorers else ''}, and the difference in points"
    return Table(caption, header, tuple(rows), align="llrrrrrrr", name="differences")


def _cells(row: Difference) -> tuple[str, ...]:
    runs = f"{row.runs_a}" if row.runs_a == row.runs_b else f"{row.runs_a}, {row.runs_b}"
    size = w.size(row.size) if row.size else "zero-shot"
    scores = (w.percent(row.a), w.percent(row.b))
    return (size, *scores, *_interval_cells(row.found), w.interval(row.band), runs)


def _interval_cells(found: Interval) -> tuple[str, str]:
    return w.signed(found.value), w.interval(found)


def _facts(c: Contrast) -> Iterator[str]:
    """How the two sides of one test set were paired."""
    units, where = c.panel_b.wording.units, f"{c.panel_b.lang}, {c.panel_b.label}"
    tested = f"A {c.tested_a:,}, B {c.tested_b:,}"
    if not c.by_group:
        yield f"{where}: one side has no per-example scores beside its table; the intervals are over seeds alone."
    elif c.paired_examples:
        whole = c.shared == c.tested_a == c.tested_b
        yield f"{where}: paired on the {c.shared:,} {units} that both have{'' if whole else f' ({tested})'}."
    else:
        yield f"{where}: not the same {units} ({tested}), so not paired."
    if not c.paired_runs:
        yield f"{where}, {c.label}: no common seeds on the same training data; the runs are not paired."
    if any(min(row.runs_a, row.runs_b) < 2 for row in c.rows):
        yield f"{where}, {c.label}: single runs; their spread over seeds is taken from other sizes, or is not in the interval."


def _verdict(found: Differences, least: float | None) -> str:
    rows = [row for c in found.contrasts for row in c.rows]
    higher = sum(row.band.low > 0 for row in rows)
    lower = sum(row.band.high < 0 for row in rows)
    equal = sum(row.found == Interval(0.0, 0.0, 0.0) for row in rows)
    words = (
        f"Of {w.counted(len(rows), 'row')}, the simultaneous 95 % interval of B − A is above 0 in {higher} and below 0 in "
        f"{lower}; A and B are the same in {equal}."
    )
    if single := sum(len(c.rows) for c in found.contrasts if all(min(r.runs_a, r.runs_b) < 2 for r in c.rows)):
        words += f" {single} of these compare single runs: their intervals do not contain the spread over seeds."
    if least is None:
        return words
    return f"{words} Below {w.signed(least, 2)} points: {len(found.below(least))}."


def _methods(found: Differences) -> tuple[str, ...]:
    return (
        "Intervals: 95 %, over groups of test examples (paragraphs, documents) and training seeds, as in xlqa report. Seeds "
        "and examples that both sides share are paired. The spread of seeds contains that of source stages where seeds have "
        "their own; with one source stage the statement is given this stage. “All rows together”, or simultaneous: "
        "intervals that hold in every row at once with 95 % (Šidák's correction).",
    )
