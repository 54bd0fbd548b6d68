"""A report's numbers for programs: `tidy_rows` gives one row a quantity, for CSV and JSON alike."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from xlqa.curves.comparison import FARTHEST, Comparison, Options
from xlqa.curves.grouping import Panel
from xlqa.curves.report.contents import Report
from xlqa.curves.report.sentences import METRICS
from xlqa.curves.statistics import MOST_SEEDS, Interval

TIDY_COLUMNS = (
    "lang", "test", "split", "scorer", "metric", "model", "arm", "versus", "size", "quantity", "value", "low", "high",
    "seeds",
)  # fmt: skip


def tidy_rows(comparisons: Sequence[Comparison]) -> Iterator[dict[str, Any]]:
    """One row a quantity: its value and interval; text such as "> 10000" where the sizes measured cut it off."""
    for c in comparisons:
        begin = {
            "lang": c.panel.lang, "test": c.panel.measurement["test"], "split": c.panel.measurement["split"],
            "scorer": c.scorer, "metric": METRICS[c.column], "model": c.model, "arm": c.first.label,
            "versus": c.second.label,
        }  # fmt: skip
        for size, quantity, value, low, high, seeds in _quantities(c):
            yield begin | {"size": size, "quantity": quantity, "value": value, "low": low, "high": high, "seeds": seeds}


Cut = float | str | None


def _quantities(c: Comparison) -> Iterator[tuple[int | None, str, Cut, Cut, Cut, int]]:
    for r in c.results:
        bounds = {"effective_data": (c.n_min, c.n_max), "worth": (c.n_min - r.size, c.n_max - r.size),
                  "multiplier": (c.n_min / r.size, c.n_max / r.size)}  # fmt: skip
        intervals = {"gain": r.gain, "effective_data": r.effective, "worth": r.worth, "multiplier": r.multiplier,
                     "gap_closed": r.gap, "iqm_with": r.iqm_with, "iqm_without": r.iqm_without}  # fmt: skip
        single = {"score_with": r.with_english, "score_without": r.without, "sd_with": r.sd_with,
                  "sd_without": r.sd_without, "p": r.p, "p_holm": r.p_holm,
                  "probability_of_improvement": r.improvement, "collapse_rate_with": r.collapsed_with,
                  "collapse_rate_without": r.collapsed_without, "seeds_needed": r.plan.seeds,
                  "questions_needed": r.plan.questions, "resolved": r.plan.resolved}  # fmt: skip
        for name, found in intervals.items():
            yield (r.size, name, *_cut(found, bounds.get(name, (math.nan, math.nan))), r.seeds)
        # More seeds than MOST_SEEDS were not tried; no number of questions makes up for the spread of few seeds.
        ends = {"seeds_needed": f"> {MOST_SEEDS}", "questions_needed": "not by questions alone"}
        for name, value in single.items():
            told = ends.get(name) if value == math.inf else _cut_one(value, math.nan, math.nan)
            yield r.size, name, told, None, None, r.seeds
    sizes = (c.n_min, c.n_max)
    yield (0, "zero_shot", *_cut(c.zero_shot, sizes), c.seeds)
    yield (0, "zero_shot_worth", *_cut(c.zero_shot_worth, sizes), c.seeds)
    largest = max(c.sizes_with_gain, default=math.nan)
    yield None, "break_even", _cut_one(c.break_even, math.nan, largest), None, None, c.seeds
    for name, area in (("area_with", c.area_with), ("area_without", c.area_without), ("area_gain", c.area_gain)):
        yield (None, name, *_cut(area, sizes), c.seeds)
    for fit in c.fits:
        for name in ("alpha", "beta", "gamma", "held_out"):
            yield None, f"power_law_{name}: {fit.arm}", getattr(fit, name), None, None, c.seeds
        bounds_more = (0.0, (FARTHEST - 1) * fit.largest)
        yield (None, f"examples_for_{fit.points:g}_more: {fit.arm}", *_cut(fit.needed, bounds_more), c.seeds)


def _cut(found: Interval, bounds: tuple[float, float]) -> tuple[Cut, Cut, Cut]:
    return _cut_one(found.value, *bounds), _cut_one(found.low, *bounds), _cut_one(found.high, *bounds)


def _cut_one(value: float, below: float, above: float) -> Cut:
    if math.isnan(value):
        return None
    if math.isinf(value):
        bound = above if value > 0 else below
        return None if math.isnan(bound) else f"{'>' if value > 0 else '<'} {bound:g}"
    return value


def as_record(
    made: Report, panels: Sequence[Panel], comparisons: Sequence[Comparison], options: Options
) -> dict[str, Any]:
    """The report as one JSON document: sentences, every quantity, what is missing and how it was computed."""
    return {
        "sentences": [
            {"section": section.title, "sentences": list(section.sentences)}
            for section in made.sections
            if section.sentences
        ],
        "quantities": list(tidy_rows(comparisons)),
        "failures": list(made.failures),
        "missing": [line for panel in panels for line in panel.missing],
        "notes": sorted({note for c in comparisons for note in c.notes}),
        "methods": list(made.methods),
        "options": asdict(options),
    }
