"""A report's numbers for programs: `tidy_rows` gives one row a quantity, for CSV and JSON alike."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from xlqa.curves.aggregate import LanguageMean, group_comparisons
from xlqa.curves.breakdown import Breakdown
from xlqa.curves.comparison import FARTHEST, Comparison, Options
from xlqa.curves.grouping import Panel
from xlqa.curves.report.contents import comparison_title, leading_results
from xlqa.curves.report.document import Report
from xlqa.curves.report.formatting import UNDETERMINED
from xlqa.curves.report.summary import verdict
from xlqa.curves.variance import Interval
from xlqa.curves.wording import Columns

TIDY_COLUMNS = (
    "lang", "test", "split", "scorer", "metric", "model", "arm", "versus", "match", "stages", "size", "kind", "quantity",
    "value", "low", "high", "censored", "seeds", "task",
)  # fmt: skip

Bounds = tuple[float, float]
NO_BOUNDS = (math.nan, math.nan)


def tidy_rows(comparisons: Sequence[Comparison], breakdowns: Sequence[Breakdown] = ()) -> Iterator[dict[str, Any]]:
    """One row a quantity: its value and interval as numbers.

    `censored` lists what is beyond the sizes measured, as "value>" or "low<"; the number beside it is the bound.
    "not determined" means that neither end of an interval is known. `stages` is the estimand: given these source stages, or
    over other ones. `kind` names a kind of examples, as "answer length: 1 word".
    """
    for whole in comparisons:
        for c in (whole, whole.other) if whole.other else (whole,):
            for size, quantity, found, bounds, seeds in _quantities(c):
                yield _row(c, size, "", quantity, found, bounds, seeds)
    for part in breakdowns:
        for kind in part.kinds:
            for size, gain in kind.gains.items():
                name = f"{part.factor}: {kind.name}"
                yield _row(part.comparison, size, name, "gain", gain, NO_BOUNDS, part.comparison.seeds)


def _row(
    c: Comparison, size: int | None, kind: str, quantity: str, found: Interval, bounds: Bounds, seeds: int
) -> dict[str, Any]:
    marks: list[str] = []
    ends = {name: _number(name, getattr(found, name), bounds, marks) for name in ("value", "low", "high")}
    if found.low == -math.inf and found.high == math.inf:
        ends |= {"low": None, "high": None}
        marks = [*(mark for mark in marks if mark.startswith("value")), UNDETERMINED]
    return {
        "lang": c.panel.lang, "test": c.panel.measurement["test"], "split": c.panel.measurement["split"],
        "scorer": c.scorer, "metric": c.metric, "model": c.model, "arm": c.first.label,
        "versus": c.second.label, "match": ", ".join(c.match), "stages": c.stages, "size": size, "kind": kind,
        "quantity": quantity, **ends, "censored": ", ".join(marks), "seeds": seeds, "task": c.panel.task,
    }  # fmt: skip


def _number(name: str, value: float, bounds: Bounds, marks: list[str]) -> float | None:
    """A finite number, or the bound that it is beyond; None where it is not known."""
    if math.isnan(value):
        return None
    if not math.isinf(value):
        return value
    marks.append(f"{name}{'>' if value > 0 else '<'}")
    bound = bounds[1] if value > 0 else bounds[0]
    return None if math.isnan(bound) else bound


def _quantities(c: Comparison) -> Iterator[tuple[int | None, str, Interval, Bounds, int]]:
    for r in c.results:
        examples = {"effective_data": (r.effective, (c.n_min, c.n_max)),
                    "worth": (r.worth, (c.n_min - r.size, c.n_max - r.size)),
                    "multiplier": (r.multiplier, (c.n_min / r.size, c.n_max / r.size))}  # fmt: skip
        scores = {"gain": r.gain, "gain_at_all_sizes": r.band, "gap_closed": r.gap}
        single = {"score_with": r.with_source, "score_without": r.without, "sd_with": r.sd_with,
                  "sd_without": r.sd_without, "collapse_rate_with": r.collapsed_with,
                  "collapse_rate_without": r.collapsed_without, "seeds_needed": r.plan.seeds,
                  "questions_needed": r.plan.questions, "resolved": r.plan.resolved}  # fmt: skip
        for name, found in scores.items():
            yield r.size, name, found, NO_BOUNDS, r.seeds
        for name, (found, bounds) in examples.items():
            yield r.size, name, found, bounds, r.seeds
        for name, value in single.items():
            yield r.size, name, _alone(value), NO_BOUNDS, r.seeds
    sizes = (float(c.n_min), float(c.n_max))
    yield 0, "zero_shot", c.zero_shot, NO_BOUNDS, c.seeds
    yield 0, "zero_shot_worth", c.zero_shot_worth, sizes, c.seeds
    largest = float(max(c.sizes_with_gain, default=math.nan))
    yield None, "break_even", _alone(c.break_even), (math.nan, largest), c.seeds
    for name, area in (("area_with", c.area_with), ("area_without", c.area_without), ("area_gain", c.area_gain)):
        yield None, name, area, NO_BOUNDS, c.seeds
    if c.law is not None:
        yield None, "worth_law_exponent", c.law.exponent, NO_BOUNDS, c.seeds
        yield None, "worth_law_factor", c.law.factor, NO_BOUNDS, c.seeds
    for part in c.components:
        for arm in ("zero_shot", "with_source", "without", "gain"):
            yield None, f"sd_{arm} from {part.name}", _alone(getattr(part, arm)), NO_BOUNDS, c.seeds
    for fit in c.fits:
        for name in ("alpha", "beta", "gamma", "held_out"):
            yield None, f"power_law_{name}: {fit.arm}", _alone(getattr(fit, name)), NO_BOUNDS, c.seeds
        more = f"examples_for_{fit.points:g}_more: {fit.arm}"
        yield None, more, fit.needed, (0.0, (FARTHEST - 1) * fit.largest), c.seeds


def _alone(value: float) -> Interval:
    return Interval(value, math.nan, math.nan)


def as_record(
    made: Report,
    panels: Sequence[Panel],
    comparisons: Sequence[Comparison],
    options: Options,
    columns: Columns,
    breakdowns: Sequence[Breakdown] = (),
) -> dict[str, Any]:
    """The report as one JSON document: sentences, every quantity, what is missing and how it was computed."""
    return {
        "title": made.title,
        "verdicts": [
            {"section": comparison_title(c), "verdict": verdict(c)} for c in leading_results(comparisons, columns)
        ],
        "languages": [
            {"group": group.label, "metric": group.comparisons[0].metric, **_mean_record(found)}
            for group in group_comparisons(comparisons, columns)
            for found in group.means
        ],
        "sentences": [
            {"section": section.title, "sentences": list(section.sentences or (section.lead, *section.facts))}
            for section in made.sections
            if section.sentences or section.lead
        ],
        "quantities": list(tidy_rows(comparisons, breakdowns)),
        "failures": list(made.failures),
        "missing": [line for panel in panels for line in panel.missing],
        "notes": sorted({note for c in comparisons for note in c.notes}),
        "methods": list(made.methods),
        "options": asdict(options),
    }


def _mean_record(found: LanguageMean) -> dict[str, Any]:
    """A mean over languages; size 0 is the zero-shot score, others are gains."""
    ends = {"mean": found.mean.value, "low": found.mean.low, "high": found.mean.high}
    return {
        "size": found.size,
        "languages": found.languages,
        **ends,
        "sd": found.spread,
        "above": found.above,
        "below": found.below,
    }
