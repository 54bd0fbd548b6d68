"""The tables of a report: scores, gains, worth, variance components, breakdowns and settings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xlqa.curves.breakdown import Breakdown
from xlqa.curves.comparison import Comparison
from xlqa.curves.components import Component
from xlqa.curves.example_scores import ExampleStore
from xlqa.curves.grouping import Curve, Panel, source_name
from xlqa.curves.report import formatting as w
from xlqa.curves.report.document import Table
from xlqa.curves.report.sentences import given
from xlqa.curves.variance import Interval
from xlqa.curves.wording import QA, metric_name, scorer_name
from xlqa.records import SETTING_COLUMNS


def score_table(panel: Panel, column: str) -> Table:
    scorer = scorer_name(column, panel.task, panel.scorer)
    sizes = sorted({size for curve in panel.curves for size in curve.sizes})
    rows = []
    if any(len(curve.zero_shot) for curve in panel.curves):
        rows.append(("0", *(_score_cell(curve.zero_shot[column].to_numpy(dtype=float)) for curve in panel.curves)))
    rows += [(w.size(size), *(_point_cell(curve, size, column) for curve in panel.curves)) for size in sizes]
    header = ("N", *(curve.label for curve in panel.curves))
    name = metric_name(column, panel.task)
    name = name if panel.task == QA else name[:1].upper() + name[1:]
    caption = f"{name} in percent: mean ± s.d. over seeds (number of runs)"
    note = f"scorer {scorer}" if scorer else ""
    return Table(caption, header, tuple(rows), name="scores", note=note, group=panel.title)


def _point_cell(curve: Curve, size: int, column: str) -> str:
    point = curve.point(size)
    if point is None or point.rows.empty:
        return w.MISSING
    if point.missing:
        return f"{w.MISSING} ({len(point.rows)} of {len(point.rows) + len(point.missing)})"
    return _score_cell(point.scores(column))


def _score_cell(scores: Any) -> str:
    if not len(scores):
        return w.MISSING
    spread = f" ± {w.percent(float(scores.std(ddof=1)))}" if len(scores) > 1 else ""
    return f"{w.percent(float(scores.mean()))}{spread} ({len(scores)})"


def label_table(panel: Panel, store: ExampleStore) -> Table:
    """F1, precision and recall of each entity type, tag or label: at zero-shot and at the smallest and largest N; no rows where it is not known."""
    columns: list[tuple[str, dict[str, Any]]] = []
    for curve in panel.curves:
        if len(curve.zero_shot):
            columns.append((f"{curve.label}, N = 0", store.label_scores(curve.zero_shot)))
        whole = [point for point in curve.points if not point.missing]
        columns += [
            (f"{curve.label}, N = {w.size(point.size)}", store.label_scores(point.rows))
            for point in whole[:1] + whole[1:][-1:]
        ]
    labels = sorted({label for _, scores in columns for label in scores})
    rows = tuple((label, *(_label_cell(scores.get(label)) for _, scores in columns)) for label in labels)
    metrics = "F1, precision and recall" if any(label.endswith(", precision") for label in labels) else "F1"
    caption = f"{metrics} of each {panel.wording.parts} in percent: mean ± s.d. over seeds (number of runs)"
    header = (panel.wording.parts, *(name for name, _ in columns))
    return Table(caption, header, rows, name="labels", group=panel.title)


def _label_cell(scores: Any) -> str:
    return w.MISSING if scores is None else _score_cell(scores[~np.isnan(scores)])


def condition(c: Comparison) -> str:
    """The estimand and what else every interval of a table is conditional on."""
    parts = [
        given(c),
        "" if c.by_group else "over seeds alone",
        "one seed an arm: seeds not counted" if c.one_run else "",
    ]
    return "; ".join(part for part in parts if part)


def name_comparison(c: Comparison) -> str:
    """A comparison as a heading of rows."""
    return f"{c.panel.title}: {c.first.label}"


def gain_table(c: Comparison) -> Table:
    other = c.other if c.other is not None and not c.confounded else None
    beyond = {r.size: r.gain for r in other.results} if other else {}
    rows = tuple(
        (
            w.size(r.size), w.signed(r.gain.value, 2), w.interval(r.gain, 2), w.interval(r.band, 2),
            *([w.interval(beyond[r.size], 2)] if other else []),
            str(r.seeds) if r.seeds else w.MISSING, w.share(r.collapsed_with), w.share(r.collapsed_without),
        )
        for r in c.results
    )  # fmt: skip
    header: tuple[str, ...] = ("N", "Δ", "95 % interval", "all N together")
    header += ("over other stages",) if other else ()
    header += ("pairs", f"collapsed {c.first.arm.value}", f"collapsed {c.second.arm.value}")
    caption = f"Paired gain Δ(N) in points of {c.metric}"
    return Table(caption, header, rows, name="gain", note=condition(c), group=name_comparison(c))


def worth_table(c: Comparison) -> Table:
    rows = []
    if not math.isnan(c.zero_shot.value):
        n0 = c.stated.zero_shot_worth
        ends = w.censored_interval(n0, c.n_min, c.n_max)
        value = w.censored(n0.value, c.n_min, c.n_max)
        none = w.MISSING if math.isnan(c.full_score) else w.share(0.0)
        rows.append(("0", value, ends, value, ends, w.MISSING, none, w.MISSING))
    for r in c.stated.results:
        ends_effective, shifted = (c.n_min, c.n_max), (c.n_min - r.size, c.n_max - r.size)
        times = (c.n_min / r.size, c.n_max / r.size)
        rows.append(
            (
                w.size(r.size),
                w.censored(r.effective.value, *ends_effective), w.censored_interval(r.effective, *ends_effective),
                w.censored(r.worth.value, *shifted), w.censored_interval(r.worth, *shifted),
                w.censored(r.multiplier.value, *times, "times"), w.share(r.gap.value), w.share_interval(r.gap),
            )
        )  # fmt: skip
    header = ("N", "D_E", "95 % interval", "D_T", "95 % interval", "D_E / N", "gap closed", "95 % interval")
    source = source_name(c.first.setting)
    caption = (
        f"Worth of {source} in target examples: D_E(N) alone score as N with {source}; D_T = D_E − N; at N = 0 it is N₀"
    )
    return Table(caption, header, tuple(rows), name="worth", note=condition(c), group=name_comparison(c))


def other_table(c: Comparison) -> Table:
    """The worth over other source stages: a wider statement than that given the stages at hand."""
    assert c.other is not None
    n0 = c.other.zero_shot_worth
    rows: list[tuple[str, ...]] = [
        ("0", w.interval(c.other.zero_shot), w.censored_interval(n0, c.n_min, c.n_max), w.MISSING)
    ]
    for r in c.other.results:
        shifted = (c.n_min - r.size, c.n_max - r.size)
        rows.append(
            (w.size(r.size), w.interval(r.gain), w.censored_interval(r.worth, *shifted), w.share_interval(r.gap))
        )
    header = ("N", "zero-shot or Δ", "N₀ or D_T", "gap closed")
    caption = "95 % intervals that include the variation between source stages"
    return Table(caption, header, tuple(rows), name="stages", group=name_comparison(c))


_COMPONENTS = {
    "source stage": "source stage",
    "seed": "subset and training seed",
    "subset seed": "subset of N examples",
    "training seed": "training seed",
    "groups": "{groups}, beyond {units}",
    "examples": "{units} of the test set",
    "single runs": "single runs on single {groups}",
}


def components_table(c: Comparison) -> Table:
    def row(part: Component) -> tuple[str, ...]:
        name = "subset and training seed, source stage" if part.name == "seed" and c.confounded else part.name
        values = (part.zero_shot, part.with_source, part.without, part.gain)
        words = _COMPONENTS.get(name, name).format(groups=group_word(c), units=c.wording.units)
        return (words, *(w.percent(value, 2) for value in values))

    # Where each example is a group of its own, groups have no spread beyond that of examples.
    shown = [part for part in c.components if part.name != "groups" or c.groups != c.examples or c.panel.task == QA]
    header = ("s.d. from", "zero-shot", c.first.arm.value, c.second.arm.value, "Δ")
    caption = f"Variance components of one run's {c.metric}, in points, over all sizes"
    return Table(caption, header, tuple(row(part) for part in shown), name="components", group=name_comparison(c))


def breakdown_table(c: Comparison, part: Breakdown) -> Table:
    sizes = [result.size for result in c.results if result.seeds]
    rows = tuple(
        (kind.name, f"{kind.examples:,}", *(_breakdown_cell(kind.gains.get(size)) for size in sizes))
        for kind in part.kinds
    )
    header = (part.factor, c.wording.units, *(f"Δ at N = {w.size(size)}" for size in sizes))
    caption = f"Gain in points of {c.metric} by {part.factor}, with 95 % intervals"
    return Table(caption, header, rows, name="breakdown", note=condition(c), group=name_comparison(c))


def _breakdown_cell(found: Interval | None) -> str:
    return w.MISSING if found is None else f"{w.signed(found.value)} {w.interval(found)}"


def settings_tables(panels: Sequence[Panel]) -> tuple[Table, ...]:
    """What every run was trained with: a row a setting, a column a curve. What all panels share is listed once."""
    tables = [_settings_table(panel) for panel in panels]
    if len({table.header for table in tables}) > 1 or len(tables) < 2:
        return tuple(tables)
    shared = [row for row in tables[0].rows if all(row in table.rows for table in tables)]
    own = [replace(table, rows=tuple(row for row in table.rows if row not in shared)) for table in tables]
    common = replace(tables[0], rows=tuple(shared), group="all test sets")
    return tuple(table for table in (common, *own) if table.rows)


def _settings_table(panel: Panel) -> Table:
    rows = [
        (name, *(short_hash(curve.setting[name]) or w.MISSING for curve in panel.curves))
        for name in SETTING_COLUMNS
        if any(curve.setting[name] for curve in panel.curves)
    ]
    header = ("setting", *(c.label for c in panel.curves))
    return Table("Settings of the training", header, tuple(rows), name="settings", group=panel.title)


def short_hash(text: str) -> str:
    """A SHA-256 by its first 12 digits, which fit into a table; any other text as it is."""
    return text[:12] if len(text) == 64 and text.isalnum() else text


def group_word(c: Comparison) -> str:
    """What intervals resample whole: paragraphs, documents, …"""
    if c.panel.task in ("ner", "pos") and c.cells.scores is not None:
        return "documents" if c.cells.scores.documents else "sentences"
    return c.wording.groups
