"""The report's contents, before they take a form: sentences to paste, tables, what is missing, the methods.

`build_report(panels, comparisons, ...)` gives a `Report`; `xlqa.curves.report.render` writes it as text, Markdown, TeX, HTML.
The sentences are made in `xlqa.curves.report.sentences`, the numbers for programs in `xlqa.curves.report.export`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xlqa.curves.breakdown import Breakdown
from xlqa.curves.comparison import FARTHEST, Comparison, Fit, Match, Options, leading
from xlqa.curves.components import Component
from xlqa.curves.example_scores import ExampleStore
from xlqa.curves.grouping import Curve, Panel, source_name, task_order
from xlqa.curves.report import formatting as w
from xlqa.curves.report.sentences import given, sentences
from xlqa.curves.variance import Interval
from xlqa.curves.wording import QA, WORDING, Columns, columns_of, metric_name, points, scorer_name
from xlqa.records import SETTING_COLUMNS, Arm

FEW_SEEDS = 3
"""With fewer seeds the intervals rest on very few degrees of freedom (experiments/coverage)."""


@dataclass(frozen=True)
class Table:
    """A table of words: the first column names the row, the others are numbers."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """One comparison, or one panel without any.

    Attributes:
        sentences: to paste into a paper; empty where nothing can be said.
        facts: single results, a line each; missing: cells that are not there, and what was left out for it.
    """

    title: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    facts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """All sections, what failed before them, and the note on methods below them."""

    title: str
    lead: str
    failures: tuple[str, ...]
    sections: tuple[Section, ...]
    methods: tuple[str, ...]
    settings: tuple[Table, ...] = field(default=())


def build_report(
    panels: Sequence[Panel],
    comparisons: Sequence[Comparison],
    columns: Columns,
    options: Options,
    failures: Sequence[str] = (),
    breakdowns: Sequence[Breakdown] = (),
    store: ExampleStore | None = None,
) -> Report:
    """Put the results of an analysis into words.

    Args:
        columns: the scores reported, the leading one first: sentences are about it.
        failures: runs that failed, a line each.
        breakdowns: of the gain by kinds of examples.
        store: of per-example scores, which have the F1 of single labels.
    """
    several = len({panel.task for panel in panels}) > 1
    sections = [_summary_section(panels, comparisons, columns)] if several and comparisons else []
    for panel in panels:
        own = [c for c in comparisons if c.panel is panel]
        shown = columns_of(columns, panel.task)
        sections.append(_panel_section(panel, shown, own, store))
        for c in own:
            parts = [b for b in breakdowns if b.comparison is c]
            sections.append(_comparison_section(c, options, parts, first=c.column == shown[0]))
    settings = tuple(_settings_table(panel) for panel in panels)
    sources = sorted({source_name(c.first.setting) for c in comparisons})
    title = f"What is {sources[0] if len(sources) == 1 else 'the source data'} worth?"
    return Report(title, _lead(panels), tuple(failures), tuple(sections), _methods(comparisons, options), settings)


def _lead(panels: Sequence[Panel]) -> str:
    """Runs are counted once, on however many test sets they were scored."""
    trained = {
        (str(row.folder), str(row.run_id))
        for panel in panels
        for curve in panel.curves
        for point in curve.points
        for row in point.rows.itertuples(index=False)
    }
    tests = {(panel.measurement["test"], panel.measurement["test_sha256"]) for panel in panels}
    return f"{w.counted(len(trained), 'training run')} scored on {w.counted(len(tests), 'test set')}."


# ---------------------------------------------------------------------------------------------------------- tables


def _summary_section(panels: Sequence[Panel], comparisons: Sequence[Comparison], columns: Columns) -> Section:
    """The tasks side by side, by their leading scores."""
    shown = leading([c for c in comparisons if c.column == columns_of(columns, c.panel.task)[0]])
    rows = []
    for c in shown:
        known = [result for result in c.results if result.seeds]
        ends = [
            f"{w.signed(r.gain.value)} {w.interval(r.gain)} at {w.size(r.size)}" for r in known[:1] + known[1:][-1:]
        ]
        n0, none = c.zero_shot_worth, not c.learned or math.isnan(c.zero_shot.value)
        rows.append(
            (
                f"{c.panel.title}, {c.first.label}", c.metric, w.percent(c.zero_shot.value),
                w.MISSING if none else w.censored(n0.value, c.n_min, c.n_max),
                w.MISSING if none else w.censored_interval(n0, c.n_min, c.n_max),
                ends[0] if ends else w.MISSING, ends[1] if len(ends) > 1 else w.MISSING,
            )
        )  # fmt: skip
    header = ("", "score", "zero-shot", "N₀", "95 % interval", "Δ at the smallest N", "Δ at the largest N")
    units = w.listed([f"{WORDING[t].units} ({WORDING[t].title.lower()})" for t in task_order(p.task for p in panels)])
    caption = f"Worth of zero-shot in labelled target examples, N₀, and gains Δ in points. Examples are {units}"
    return Section("All tasks", tables=(Table(caption, header, tuple(rows)),))


def _panel_section(
    panel: Panel, columns: Sequence[str], own: Sequence[Comparison], store: ExampleStore | None
) -> Section:
    tables = [_score_table(panel, column) for column in columns]
    if panel.task == "ner":
        tables += [_score_table(panel, name) for name in ("entity_precision", "entity_recall") if name not in columns]
    tables += [_label_table(panel, store)] if store is not None and panel.task != QA else []
    why = () if own else (_why_nothing(panel),)
    return Section(panel.title, tables=tuple(t for t in tables if t.rows), facts=why, missing=panel.missing)


def _label_table(panel: Panel, store: ExampleStore) -> Table:
    """F1 of each entity type, tag or label: at zero-shot and at the smallest and largest N; no rows where it is not known."""
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
    caption = f"F1 of each {panel.wording.parts} in percent: mean ± s.d. over seeds (number of runs)"
    return Table(caption, (panel.wording.parts, *(name for name, _ in columns)), rows)


def _label_cell(scores: Any) -> str:
    return w.MISSING if scores is None else _score_cell(scores[~np.isnan(scores)])


def _why_nothing(panel: Panel) -> str:
    arms = {curve.arm for curve in panel.curves}
    if Arm.TARGET_ONLY not in arms:
        return (
            "No gain or worth: there are no target-only runs to compare with (xlqa sweep --arms transfer,target-only)."
        )
    if not arms & {Arm.TRANSFER, Arm.JOINT}:
        return "No gain or worth: no run saw the source data; xlqa sweep trains the transfer arm by default."
    return "No gain or worth: no target-only run shares encoder and target data with a run that saw the source data."


def _score_table(panel: Panel, column: str) -> Table:
    scorer = scorer_name(column, panel.task, panel.scorer)
    sizes = sorted({size for curve in panel.curves for size in curve.sizes})
    rows = []
    if any(len(curve.zero_shot) for curve in panel.curves):
        rows.append(("0", *(_score_cell(curve.zero_shot[column].to_numpy(dtype=float)) for curve in panel.curves)))
    rows += [(w.size(size), *(_point_cell(curve, size, column) for curve in panel.curves)) for size in sizes]
    header = ("N", *(curve.label for curve in panel.curves))
    name = metric_name(column, panel.task)
    name = name if panel.task == QA else name[:1].upper() + name[1:]
    caption = f"{name} in percent{f' by scorer {scorer}' if scorer else ''}: mean ± s.d. over seeds (number of runs)"
    return Table(caption, header, tuple(rows))


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


def _comparison_section(c: Comparison, options: Options, breakdowns: Sequence[Breakdown], first: bool) -> Section:
    title = f"{c.panel.title}: {c.first.label} against {c.second.label}, {c.metric}"
    if Match.SAME not in c.match:
        title += f" ({c.match[0]})"
    notes = tuple(f"{note[:1].upper()}{note[1:]}" for note in c.notes)
    made = sentences(c, options) if first else ()
    if not c.learned:
        return Section(title, made, (_gain_table(c),), notes)
    tables = [_gain_table(c), _worth_table(c)]
    tables += [_other_table(c)] if c.other is not None and not math.isnan(c.zero_shot.value) else []
    tables += [_components_table(c)] if c.components else []
    tables += [_breakdown_table(c, part) for part in breakdowns]
    return Section(title, made, tuple(tables), (*_facts(c, options), *notes))


def _condition(c: Comparison) -> str:
    """The estimand and what else every interval of a table is conditional on."""
    parts = [
        given(c),
        "" if c.by_group else "over seeds alone",
        "one seed an arm: seeds not counted" if c.one_run else "",
    ]
    words = ", ".join(part for part in parts if part)
    return f", {words}" if words else ""


def _gain_table(c: Comparison) -> Table:
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
    return Table(f"Paired gain Δ(N) in points of {c.metric}{_condition(c)}", header, rows)


def _worth_table(c: Comparison) -> Table:
    rows = []
    if not math.isnan(c.zero_shot.value):
        n0 = c.zero_shot_worth
        ends = w.censored_interval(n0, c.n_min, c.n_max)
        value = w.censored(n0.value, c.n_min, c.n_max)
        none = w.MISSING if math.isnan(c.full_score) else w.share(0.0)
        rows.append(("0", value, ends, value, ends, w.MISSING, none, w.MISSING))
    for r in c.results:
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
        f"Worth of {source} in target examples{_condition(c)}: D_E(N) alone score as N with {source}; D_T = D_E − N; "
        "at N = 0 it is N₀"
    )
    return Table(caption, header, tuple(rows))


def _other_table(c: Comparison) -> Table:
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
    return Table("95 % intervals over other source stages", header, tuple(rows))


_COMPONENTS = {
    "source stage": "source stage",
    "seed": "subset and training seed",
    "subset seed": "subset of N examples",
    "training seed": "training seed",
    "groups": "{groups}, beyond {units}",
    "examples": "{units} of the test set",
    "single runs": "single runs on single {groups}",
}


def _components_table(c: Comparison) -> Table:
    def row(part: Component) -> tuple[str, ...]:
        name = "subset and training seed, source stage" if part.name == "seed" and c.confounded else part.name
        values = (part.zero_shot, part.with_source, part.without, part.gain)
        words = _COMPONENTS.get(name, name).format(groups=_group_word(c), units=c.wording.units)
        return (words, *(w.percent(value, 2) for value in values))

    # Where each example is a group of its own, groups have no spread beyond that of examples.
    shown = [part for part in c.components if part.name != "groups" or c.groups != c.examples or c.panel.task == QA]
    header = ("s.d. from", "zero-shot", c.first.arm.value, c.second.arm.value, "Δ")
    caption = f"Variance components of one run's {c.metric}, in points, over all sizes"
    return Table(caption, header, tuple(row(part) for part in shown))


def _breakdown_table(c: Comparison, part: Breakdown) -> Table:
    sizes = [result.size for result in c.results if result.seeds]
    rows = tuple(
        (kind.name, f"{kind.examples:,}", *(_breakdown_cell(kind.gains.get(size)) for size in sizes))
        for kind in part.kinds
    )
    header = (part.factor, c.wording.units, *(f"Δ at N = {w.size(size)}" for size in sizes))
    caption = f"Gain in points of {c.metric} by {part.factor}, with 95 % intervals{_condition(c)}"
    return Table(caption, header, rows)


def _breakdown_cell(found: Interval | None) -> str:
    return w.MISSING if found is None else f"{w.signed(found.value)} {w.interval(found)}"


def _facts(c: Comparison, options: Options) -> tuple[str, ...]:
    facts = [_fact_break_even(c, options), _fact_area(c), _fact_full(c), _fact_law(c)]
    facts += [_fact_fit(c, fit) for fit in c.fits]
    facts.append(_fact_plan(c, options))
    return tuple(fact for fact in facts if fact)


def _fact_break_even(c: Comparison, options: Options) -> str:
    known = [r for r in c.results if r.seeds]
    if not known or math.isnan(known[-1].gain.low):
        return ""
    where = w.UNDETERMINED
    if math.isfinite(c.break_even):
        where = f"N = {w.size(c.break_even)}"
    elif c.break_even == math.inf:
        where = f"N > {w.size(max(c.sizes_with_gain))}"
    return f"Break-even at ± {points(options.margin, c.column, c.panel.task)}: {where}."


def _fact_area(c: Comparison) -> str:
    if math.isnan(c.area_gain.value):
        return ""
    sizes = c.sizes_with_gain
    return (
        f"Area under the curve, N = {w.size(sizes[0])} to {w.size(sizes[-1])}: {w.percent(c.area_with.value)} against "
        f"{w.percent(c.area_without.value)}, difference {w.signed(c.area_gain.value)} {w.interval(c.area_gain)}."
    )


def _fact_full(c: Comparison) -> str:
    if c.first.arm is not Arm.TRANSFER:
        return ""
    if math.isnan(c.full_score):
        return "Share of the gap closed: needs target-only runs on all target data (--sizes …,full)."
    ends = f"{w.percent(c.zero_shot.value)} to {w.percent(c.full_score)}"
    if all(math.isnan(result.gap.low) for result in c.results):
        return f"Share of the gap closed: not determined, the gap ({ends}) may be none."
    return f"The gap closed runs from zero-shot to {c.second.label} on all data: {ends}."


def _fact_law(c: Comparison) -> str:
    if c.law is None:
        return ""
    sizes = w.listed([w.size(size) for size in c.law.sizes])
    factor, exponent = c.law.factor, c.law.exponent
    return (
        f"Law of the worth, D_T = k · N^α through N = {sizes}: α = {w.percent(exponent.value, 2)} "
        f"{w.interval(exponent, 2)}, k = {w.rounded(factor.value)} [{w.rounded(factor.low)}, {w.rounded(factor.high)}]."
    )


def _fact_fit(c: Comparison, fit: Fit) -> str:
    law = f"100 − S = {fit.alpha:.3g} · N^{w.minus(f'{fit.beta:.3f}')} + {fit.gamma:.3g}"
    checked = f"predicted from the smaller sizes, N = {w.size(fit.largest)} is off by {w.signed(fit.held_out)}"
    more, above = points(fit.points, c.column, c.panel.task, "more"), (FARTHEST - 1) * fit.largest
    if fit.at_bound:
        prediction = "its exponent is at the end of the search, so that it predicts nothing"
    elif abs(fit.held_out) > fit.points:
        prediction = f"so what {more} would need is not predicted"
    elif not fit.needed.is_determined or fit.needed.high == math.inf:
        prediction = f"what {more} would need is not determined within {FARTHEST:g} times the largest size"
    else:
        ends = w.censored_interval(fit.needed, 0, above)
        prediction = f"{more} need about {w.rounded(fit.needed.value)} more examples {ends}"
    return f"Power law, {fit.arm}: {law}; {checked}; {prediction}."


def _fact_plan(c: Comparison, options: Options) -> str:
    plans = [(r.size, r.plan) for r in c.results if r.seeds and not math.isnan(r.plan.resolved)]
    if not plans:
        return "Planning needs at least 2 seeds and per-question scores."
    size, worst = max(plans, key=lambda item: item[1].resolved)
    resolved = c.metric if c.panel.task == QA else f"points of {c.metric}"
    goal = points(options.resolve, c.column, c.panel.task)
    seeds = f"{w.rounded(worst.seeds)} seeds resolve {goal} on this test set"
    if not math.isfinite(worst.seeds):
        seeds = f"no number of seeds resolves {goal} on this test set"
    questions = f"{w.rounded(worst.questions)} test {c.wording.units} do"
    if not math.isfinite(worst.questions):
        questions = f"no number of test {c.wording.units} does"
    return (
        f"Planning (5 % level, 80 % power): at N = {w.size(size)}, where the spread is largest, this study resolves "
        f"{w.percent(worst.resolved)} {resolved}. At this spread {seeds}; with {w.counted(c.seeds, 'seed')}, {questions}."
    )


# ------------------------------------------------------------------------------------------- settings and methods


def _settings_table(panel: Panel) -> Table:
    """What every run was trained with: a row a setting, a column a curve."""
    rows = [
        (name, *(short_hash(curve.setting[name]) or w.MISSING for curve in panel.curves))
        for name in SETTING_COLUMNS
        if any(curve.setting[name] for curve in panel.curves)
    ]
    return Table(f"Settings: {panel.title}", ("setting", *(c.label for c in panel.curves)), tuple(rows))


def short_hash(text: str) -> str:
    """A SHA-256 by its first 12 digits, which fit into a table; any other text as it is."""
    return text[:12] if len(text) == 64 and text.isalnum() else text


def _group_word(c: Comparison) -> str:
    """What intervals resample whole: paragraphs, documents, …"""
    if c.panel.task in ("ner", "pos") and c.cells.scores is not None:
        return "documents" if c.cells.scores.documents else "sentences"
    return c.wording.groups


def _methods(comparisons: Sequence[Comparison], options: Options) -> tuple[str, ...]:
    if not comparisons:
        return ()
    tasks = task_order(c.panel.task for c in comparisons)
    groups = "paragraphs" if tasks == (QA,) else w.listed(sorted({_group_word(c) for c in comparisons}))
    floor = f"{options.floor:g} F1" if tasks == (QA,) else f"{options.floor:g} % of the leading score"
    notes = [
        f"Intervals: 95 %, of a normal part (test examples by their {groups}) and a t part (runs), computed exactly, with "
        "nothing drawn at random. The variance of runs is pooled over the sizes of a curve and never less than what single "
        f"runs on single {groups} show, so that no interval is narrower than {groups} alone would give. Runs of one seed "
        "share their N examples: differences are paired.",
        "“All N together”: intervals that hold at every size at once with 95 % (Šidák's correction).",
        "Worth: the target-only means made monotone (isotonic fit) and interpolated over ln N; an effective size is in the "
        "interval where the interval of the score difference contains 0. An answer outside the sizes measured is given as "
        "< or >; where neither end is known it is not determined. Area: trapezia over ln N.",
        f"Collapsed: share of runs below {floor}. Break-even: the smallest N from which on every interval of Δ "
        f"stays within ± {options.margin:g}.",
    ]
    if any(c.panel.task != QA for c in comparisons):
        notes.append(
            "A score is 100 times a sum of numerators over a sum of denominators (macro F1: the mean of "
            "the labels' F1). Its intervals vary both sums together, by linearising the ratio. Tasks are never averaged."
        )
    if any(0 < c.seeds < FEW_SEEDS for c in comparisons):
        notes.append("With fewer than 3 seeds the spread of runs is hardly known; simulations: experiments/coverage.")
    if any(c.first.arm is Arm.TRANSFER and c.source_stages == 1 for c in comparisons):
        notes.append(
            "Every statement is given the source stage used: what another seed of the source training would change is not in "
            "the intervals. In simulated studies like the Swahili and XQuAD ones, intervals from one stage and 3 seeds or more contained "
            "the truth over other stages 58 to 81 % of the time. xlqa sweep --source-seeds K measures it, best with a stage for each seed."
        )
    if any(c.confounded for c in comparisons):
        notes.append(
            "Each seed has a source stage of its own: the intervals contain both spreads and speak of other source stages; "
            "those of zero-shot and what depends on it are given these stages unless named otherwise."
        )
    return tuple(notes)
