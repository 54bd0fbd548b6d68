"""The report's contents, before they take a form: sentences to paste, tables, what is missing, the methods.

`build_report(panels, comparisons, ...)` gives a `Report`; `xlqa.curves.report.render` writes it as text, Markdown, TeX, HTML.
The sentences are made in `xlqa.curves.report.sentences`, the numbers for programs in `xlqa.curves.report.export`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from xlqa.curves.comparison import FARTHEST, Comparison, Fit, Options, measured_coverage
from xlqa.curves.grouping import Curve, Panel
from xlqa.curves.report import formatting as w
from xlqa.curves.report.sentences import METRICS, given, sentences
from xlqa.curves.statistics import MOST_SEEDS
from xlqa.records import SETTING_COLUMNS, Arm

SEEDS_ENOUGH = 10
SIZES_ENOUGH = 5


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
    columns: Sequence[str],
    options: Options,
    failures: Sequence[str] = (),
) -> Report:
    """Put the results of an analysis into words.

    Args:
        columns: the scores reported, the leading one first: sentences are about it.
        failures: runs that failed, a line each.
    """
    sections = []
    for panel in panels:
        own = [c for c in comparisons if c.panel is panel]
        sections.append(_panel_section(panel, columns, own))
        sections += [_comparison_section(c, options, first=c.column == columns[0]) for c in own]
    runs = sum(len(p.rows) for panel in panels for c in panel.curves for p in c.points)
    lead = f"{w.counted(runs, 'training run')} scored on {w.counted(len(panels), 'test set')}."
    settings = tuple(_settings_table(panel) for panel in panels)
    return Report(
        "What is English worth?", lead, tuple(failures), tuple(sections), _methods(comparisons, options), settings
    )


# ---------------------------------------------------------------------------------------------------------- tables


def _panel_section(panel: Panel, columns: Sequence[str], own: Sequence[Comparison]) -> Section:
    tables = tuple(_score_table(panel, column) for column in columns)
    why = () if own else (_why_nothing(panel),)
    return Section(panel_title(panel), tables=tables, facts=why, missing=panel.missing)


def panel_title(panel: Panel) -> str:
    """Title of a panel's section."""
    return f"{panel.language_name}, {panel.label}"


def _why_nothing(panel: Panel) -> str:
    arms = {curve.arm for curve in panel.curves}
    if Arm.TARGET_ONLY not in arms:
        return (
            "No gain or worth: there are no target-only runs to compare with (xlqa sweep --arms transfer,target-only)."
        )
    if not arms & {Arm.TRANSFER, Arm.JOINT}:
        return "No gain or worth: no run saw English; xlqa sweep trains the transfer arm by default."
    return "No gain or worth: no target-only run shares encoder and settings with a run that saw English."


def _score_table(panel: Panel, column: str) -> Table:
    scorer = "squad" if column.startswith("squad_") else panel.scorer
    sizes = sorted({size for curve in panel.curves for size in curve.sizes})
    rows = []
    if any(len(curve.zero_shot) for curve in panel.curves):
        rows.append(("0", *(_score_cell(curve.zero_shot[column].to_numpy(dtype=float)) for curve in panel.curves)))
    rows += [(w.size(size), *(_point_cell(curve, size, column) for curve in panel.curves)) for size in sizes]
    header = ("N", *(curve.label for curve in panel.curves))
    caption = f"{METRICS[column]} in percent by scorer {scorer}: mean ± s.d. over seeds (number of runs)"
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


def _comparison_section(c: Comparison, options: Options, first: bool) -> Section:
    title = f"{c.panel.language_name}, {c.panel.label}: {c.first.label} against {c.second.label}, {METRICS[c.column]}"
    notes = tuple(f"{note[:1].upper()}{note[1:]}" for note in c.notes)
    said = sentences(c, options) if first else ()
    tables = (_gain_table(c, options), _worth_table(c), _robust_table(c, options))
    return Section(title, said, tables, (*_facts(c, options), *notes))


def _level(c: Comparison, quantity: str) -> str:
    """ "95 %", with its coverage in simulations where the study is small."""
    sizes = len(c.sizes_with_gain)
    if not c.by_paragraph:
        return "95 %, over seeds alone"
    if c.seeds >= SEEDS_ENOUGH and sizes >= SIZES_ENOUGH:
        return "95 %"
    covered = measured_coverage(quantity, c.seeds, sizes)
    return "95 %, never simulated" if math.isnan(covered) else f"95 %, {100 * covered:.0f} % in simulations"


def _gain_table(c: Comparison, options: Options) -> Table:
    rows = tuple(
        (
            w.size(r.size), w.signed(r.gain.value, 2), w.interval(r.gain, 2), w.p_value(r.p), w.p_value(r.p_holm),
            w.share(r.improvement), str(r.seeds) if r.seeds else w.MISSING,
        )
        for r in c.results
    )  # fmt: skip
    header = ("N", "Δ", f"interval ({_level(c, 'gain')})", "p", "p (Holm)", "P(better)", "pairs")
    given_this = f", {given(c)}" if given(c) else ""
    return Table(f"Paired gain Δ(N) in points of {METRICS[c.column]}{given_this}", header, rows)


def _worth_table(c: Comparison) -> Table:
    rows = []
    if not math.isnan(c.zero_shot.value):
        n0 = c.zero_shot_worth
        level = _level(c, "zero-shot worth").removeprefix("95 %").removeprefix(", ")
        said = w.censored_interval(n0, c.n_min, c.n_max)
        said += f" ({level})" if level and said != w.MISSING else ""
        worth = w.censored(n0.value, c.n_min, c.n_max)
        rows.append(
            ("0", worth, said, worth, said, w.MISSING, w.share(0.0) if not math.isnan(c.full_score) else w.MISSING)
        )
    for r in c.results:
        ends, shifted = (c.n_min, c.n_max), (c.n_min - r.size, c.n_max - r.size)
        times = (c.n_min / r.size, c.n_max / r.size)
        rows.append(
            (
                w.size(r.size),
                w.censored(r.effective.value, *ends), w.censored_interval(r.effective, *ends),
                w.censored(r.worth.value, *shifted), w.censored_interval(r.worth, *shifted),
                w.censored(r.multiplier.value, *times, "times"), w.share(r.gap.value),
            )
        )  # fmt: skip
    level = _level(c, "worth")
    header = ("N", "D_E", f"interval ({level})", "D_T", f"interval ({level})", "D_E / N", "gap closed")
    caption = (
        "Worth of English in target examples: D_E(N) alone score as N with English; D_T = D_E − N; at N = 0 it is N₀"
    )
    return Table(caption, header, tuple(rows))


def _robust_table(c: Comparison, options: Options) -> Table:
    rows = tuple(
        (
            w.size(r.size), w.percent(r.iqm_with.value), w.interval(r.iqm_with), w.percent(r.iqm_without.value),
            w.interval(r.iqm_without), w.share(r.collapsed_with), w.share(r.collapsed_without),
        )
        for r in c.results
    )  # fmt: skip
    first, second = c.first.arm.value, c.second.arm.value
    header = (
        "N",
        f"IQM {first}",
        "bootstrap",
        f"IQM {second}",
        "bootstrap",
        f"collapsed {first}",
        f"collapsed {second}",
    )
    caption = (
        f"Interquartile mean over seeds with stratified percentile bootstrap over these runs, and share of runs below "
        f"{options.floor:g} {METRICS[c.column]}"
    )
    return Table(caption, header, rows)


def _facts(c: Comparison, options: Options) -> tuple[str, ...]:
    facts = [_fact_break_even(c, options), _fact_area(c), _fact_full(c)]
    facts += [_fact_fit(c, fit) for fit in c.fits]
    facts.append(_fact_plan(c, options))
    return tuple(fact for fact in facts if fact)


def _fact_break_even(c: Comparison, options: Options) -> str:
    if math.isnan(c.break_even):
        return ""
    where = f"= {w.size(c.break_even)}" if math.isfinite(c.break_even) else f"> {w.size(max(c.sizes_with_gain))}"
    return f"Break-even at ± {options.margin:g} {METRICS[c.column]}: N {where}."


def _fact_area(c: Comparison) -> str:
    if math.isnan(c.area_gain.value):
        return ""
    sizes = c.sizes_with_gain
    return (
        f"Area under the curve, N = {w.size(sizes[0])} to {w.size(sizes[-1])}: {w.percent(c.area_with.value)} against "
        f"{w.percent(c.area_without.value)}, difference {w.signed(c.area_gain.value)} {w.interval(c.area_gain)}."
    )


def _fact_full(c: Comparison) -> str:
    if math.isnan(c.full_score):
        return "Share of the gap closed: needs target-only runs on all target data (--sizes …,full)."
    if all(math.isnan(result.gap.value) for result in c.results):
        return "Share of the gap closed: not given, the gap to target-only training on all data may as well be none."
    ends = f"{w.percent(c.zero_shot.value)} to {w.percent(c.full_score)}"
    return f"The gap closed runs from zero-shot to {c.second.label} on all data: {ends}."


def _fact_fit(c: Comparison, fit: Fit) -> str:
    law = f"100 − S = {fit.alpha:.3g} · N^{w.minus(f'{fit.beta:.3f}')} + {fit.gamma:.3g}"
    checked = f"predicted from the smaller sizes, N = {w.size(fit.largest)} is off by {w.signed(fit.held_out)}"
    more, above = f"{fit.points:g} more {METRICS[c.column]}", (FARTHEST - 1) * fit.largest
    if abs(fit.held_out) > fit.points:
        prediction = f"so what {more} would need is not said"
    elif fit.needed.value == math.inf:
        prediction = f"{more} are out of its reach (within {FARTHEST:g} times the largest size)"
    else:
        ends = w.censored_interval(fit.needed, 0, above)
        prediction = f"{more} need about {w.rounded(fit.needed.value)} more examples {ends}"
    return f"Power law, {fit.arm}: {law}; {checked}; {prediction}."


def _fact_plan(c: Comparison, options: Options) -> str:
    plans = [(r.size, r.plan) for r in c.results if r.seeds and not math.isnan(r.plan.resolved)]
    if not plans:
        return "Planning needs at least 2 seeds."
    size, worst = max(plans, key=lambda item: item[1].resolved)
    metric = METRICS[c.column]
    seeds = f"{worst.seeds:,.0f} seeds" if math.isfinite(worst.seeds) else f"more than {MOST_SEEDS:,} seeds"
    questions = f"{worst.questions:,.0f}" if math.isfinite(worst.questions) else "no number of"
    return (
        f"Planning (5 % level, 80 % power): at N = {w.size(size)}, where the spread is largest, this study resolves "
        f"{w.percent(worst.resolved)} {metric}. To resolve {options.resolve:g} {metric} at this spread takes {seeds} "
        f"on this test set; with {w.counted(c.seeds, 'seed')}, {questions} test questions would do."
    )


# ------------------------------------------------------------------------------------------- settings and methods


def _settings_table(panel: Panel) -> Table:
    """What every run was trained with: a row a setting, a column a curve."""
    rows = [
        (name, *(short_hash(curve.setting[name]) or w.MISSING for curve in panel.curves))
        for name in SETTING_COLUMNS
        if any(curve.setting[name] for curve in panel.curves)
    ]
    return Table(
        f"Settings: {panel.language_name}, {panel.label}", ("setting", *(c.label for c in panel.curves)), tuple(rows)
    )


def explain_p(options: Options) -> str:
    """What p means; the shares are those of experiments/coverage/null.csv."""
    return (
        f"p: sign flips by paragraph of the mean difference over seeds, {options.flips:,} flips, two-sided. It speaks of "
        "these runs on other paragraphs; the interval speaks of other seeds too. Where arms do not differ but runs do, "
        "p < 0.05 came in 14 % of simulated studies with 3 seeds and in 9 % with 10. Holm's correction is over the "
        "sizes, languages and test sets of one arm and score in this report."
    )


def short_hash(text: str) -> str:
    """A SHA-256 by its first 12 digits, which a table has room for; any other text as it is."""
    return text[:12] if len(text) == 64 and text.isalnum() else text


def _methods(comparisons: Sequence[Comparison], options: Options) -> tuple[str, ...]:
    if not comparisons:
        return ()
    small = any(c.seeds < SEEDS_ENOUGH or len(c.sizes_with_gain) < SIZES_ENOUGH for c in comparisons)
    notes = [
        f"Intervals: {options.draws:,} draws; paragraphs (by their text) by bootstrap, seeds by the t distribution "
        "of their mean with n − 1 degrees of freedom. Runs of one seed share their N examples: differences are paired.",
        explain_p(options),
        "Worth: the target-only means made monotone (isotonic fit) and interpolated over ln N; an answer outside the "
        "sizes measured is given as < or >. Area: trapezia over ln N. P(better): share of pairs of runs.",
    ]
    if small:
        notes.append(
            "“In simulations” beside 95 %: how often such an interval covered the truth in 1,000 simulated studies with so "
            "few seeds and sizes. Their spread and paragraphs are their own (experiments/coverage), not this study's, and "
            "they have one source stage."
        )
    if any(given(c) for c in comparisons):
        notes.append(
            "Every statement is given the source stages used: what another seed of the English training would change "
            "is not in the intervals (xlqa sweep --source-seeds K measures it)."
        )
    return tuple(notes)
