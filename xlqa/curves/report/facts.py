"""Single results of a comparison, a line each, and the note on methods."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xlqa.curves.aggregate import Languages
from xlqa.curves.comparison import FARTHEST, Comparison, Fit, Options
from xlqa.curves.grouping import task_order
from xlqa.curves.report import formatting as w
from xlqa.curves.report.tables import group_word
from xlqa.curves.wording import QA, points
from xlqa.records import Arm

FEW_SEEDS = 3
"""With fewer seeds the intervals rest on very few degrees of freedom (experiments/coverage)."""


def facts(c: Comparison, options: Options) -> tuple[str, ...]:
    """Break-even, area, the gap, laws and planning, as far as they are known."""
    found = [_fact_break_even(c, options), _fact_area(c), _fact_full(c), _fact_law(c)]
    found += [_fact_fit(c, fit) for fit in c.fits]
    found.append(_fact_plan(c, options))
    return tuple(fact for fact in found if fact)


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
    if math.isnan(c.zero_shot.value):
        return "Share of the gap closed: needs the zero-shot score (--sizes 0,…)."
    ends = f"{w.percent(c.zero_shot.value)} to {w.percent(c.full_score)}"
    if all(math.isnan(result.gap.low) for result in c.stated.results):
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
    if c.crossed:
        return "Planning: not computed for crossed subset and training seeds."
    if c.planned is None:
        return "Planning needs at least 2 seeds and per-question scores."
    plan, units, goal = c.planned.plan, c.wording.units, points(options.resolve, c.column, c.panel.task)
    begin = (
        f"Planning (5 % level, 80 % power): at N = {w.size(c.planned.size)}, where the variance is largest, this study detects "
        f"a difference of {w.percent(plan.resolved)} points of {c.metric}. With this variance,"
    )
    by_seeds, by_units = math.isfinite(plan.seeds), math.isfinite(plan.questions)
    if not by_seeds and not by_units:
        return (
            f"{begin} more seeds alone cannot detect a difference of {goal} on this test set, and neither can more test {units} "
            f"with {w.counted(c.seeds, 'seed')}."
        )
    first = f"{w.rounded(plan.seeds)} seeds can" if by_seeds else "more seeds alone cannot"
    second = f"{w.rounded(plan.questions)} test {units} can" if by_units else f"more test {units} cannot"
    return (
        f"{begin} {first} detect a difference of {goal} on this test set; with {w.counted(c.seeds, 'seed')}, {second}."
    )


def methods(comparisons: Sequence[Comparison], options: Options, means: Sequence[Languages] = ()) -> tuple[str, ...]:
    """How the numbers of a report were computed."""
    if not comparisons:
        return ()
    tasks = task_order(c.panel.task for c in comparisons)
    groups = "paragraphs" if tasks == (QA,) else w.listed(sorted({group_word(c) for c in comparisons}))
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
    notes.append(
        "Verdict, from the intervals at all N together: helps (hurts) everywhere measured, at first (at the smallest sizes only) or in "
        f"part; makes no difference: every interval within ± {options.margin:g}; no difference shown: every interval includes 0 and one is wider. "
        "Verdicts are not corrected for the number of rows."
    )
    if means:
        notes.append(
            "Means over languages: each language is one observation, with Student's 95 % interval over them (mean ± t · s / √K, K "
            "languages). It holds for other languages as far as these are a random choice, given the source stages, which they share. "
            "The source language is left out."
        )
    if any(c.panel.task != QA for c in comparisons):
        notes.append(
            "A score is 100 times a sum of numerators over a sum of denominators (macro F1: the mean of "
            "the labels' F1). Its intervals vary both sums together, by linearising the ratio. Tasks are never averaged."
        )
    if any(0 < c.seeds < FEW_SEEDS for c in comparisons):
        notes.append(
            "With fewer than 3 seeds, the estimate of the variance over seeds is very uncertain (simulations: experiments/coverage)."
        )
    if any(c.first.arm is Arm.TRANSFER and c.source_stages == 1 for c in comparisons):
        notes.append(
            "Every statement is given the source stage used: what another seed of the source training would change is not in "
            "the intervals. In simulated studies like the Swahili and XQuAD ones, intervals from one stage and 3 seeds or more contained "
            "the truth over other stages 58 to 81 % of the time. xlqa sweep --source-seeds K measures it, best with a stage for each seed."
        )
    if any(c.confounded for c in comparisons):
        notes.append("Each seed has a source stage of its own: the intervals, that of N₀ too, contain both spreads.")
    return tuple(notes)
