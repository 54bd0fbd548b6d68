"""Variance components: what a score's spread is made of, as standard deviations in points of the score."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from xlqa.curves.variance import SOURCE, TARGET, ZERO, Cell, Key, Study

_Variance = Callable[[Mapping[Key, float]], float]


@dataclass(frozen=True)
class Component:
    """One source of spread, as the standard deviation that it gives to a run's score, in points; NaN where not known.

    Attributes:
        name: "source stage", "seed", "subset seed", "training seed", "groups", "examples" or "single runs".
        zero_shot, with_source, without, gain: for a zero-shot score, either arm, and their difference, over all sizes.
    """

    name: str
    zero_shot: float
    with_source: float
    without: float
    gain: float


def variance_components(study: Study) -> tuple[Component, ...]:
    """The components of a study, pooled over its sizes.

    The groups' and examples' components are those of the mean over this test set: another test set of the same size
    would move the score by them. The groups' component is what is beyond independent examples.
    """
    made = [*_seed_components(study), _stage_component(study)]
    if study.by_group:
        made += [_group_component(study), _example_component(study), _run_component(study)]
    return tuple(c for c in made if not all(math.isnan(x) for x in (c.zero_shot, c.with_source, c.without, c.gain)))


def _averages(study: Study, variance: _Variance) -> tuple[float, float, float]:
    """Standard deviations of either arm and of the gain: the mean variance over the sizes, as a root."""
    sizes = {arm: [size for own, size in study.keys if own == arm] for arm in (SOURCE, TARGET)}
    both = [size for size in sizes[SOURCE] if size in sizes[TARGET]]
    contrasts = (
        [{(SOURCE, size): 1.0} for size in sizes[SOURCE]],
        [{(TARGET, size): 1.0} for size in sizes[TARGET]],
        [{(SOURCE, size): 1.0, (TARGET, size): -1.0} for size in both],
    )
    first, second, gain = (_root_mean([variance(weights) for weights in each]) for each in contrasts)
    return first, second, gain


def _root_mean(variances: Sequence[float]) -> float:
    known = [value for value in variances if not math.isnan(value)]
    return math.sqrt(max(sum(known) / len(known), 0.0)) if known else math.nan


def _runs_of(study: Study, weights: Mapping[Key, float]) -> int:
    return min(len(study.cells[study.place[key]].scores) for key in weights)


def _seed_components(study: Study) -> list[Component]:
    """Seeds, without the noise of single runs; subset and training seed apart where they were crossed."""
    if not study.runs.known:
        return []
    if len(study.runs.parts) >= 3 and study.stages == "given":
        return [
            Component(name, math.nan, *_averages(study, partial(_crossed_variance, study, which)))
            for which, name in enumerate(("subset seed", "training seed"))
        ]
    return [Component("seed", math.nan, *_averages(study, partial(_seed_variance, study)))]


def _seed_variance(study: Study, weights: Mapping[Key, float]) -> float:
    if not {arm for arm, _ in weights} <= study.runs.known:
        return math.nan
    runs, shared, _ = study.parts_of(weights)
    return max(runs - shared, 0.0) * _runs_of(study, weights)


def _crossed_variance(study: Study, which: int, weights: Mapping[Key, float]) -> float:
    """σ² of one of two crossed factors by a two-way analysis of variance without replication."""
    cell = study.cells[study.place[next(iter(weights))]]
    counts = np.array([len(set(cell.subset)), len(set(cell.train))], dtype=float)
    contrast = study.contrast(weights)
    parts = [float(contrast @ part.covariance @ contrast) for part in study.runs.parts[:3]]
    a, b = counts
    both = a * b
    # Expected mean squares: of either factor's level means, and of all runs.
    system = np.array([[1, 0, 1 / b], [0, 1, 1 / a], [b * (a - 1) / (both - 1), a * (b - 1) / (both - 1), 1.0]])
    solved = np.linalg.solve(system, [parts[0] * a, parts[1] * b, -parts[2] * both])
    return float(max(solved[which], 0.0))


def _stage_component(study: Study) -> Component:
    """The spread of source stages in zero-shot scores and, where stages hold several seeds, in the other arm."""
    zero = study.cells[study.place[ZERO, 0]] if (ZERO, 0) in study.place else None
    found = math.nan
    if zero is not None and len(zero.scores) > 1:
        noise = 0.0
        if study.by_group:
            left = zero.influence - zero.influence.mean(axis=0)
            noise = float((left**2).sum()) / (len(zero.scores) - 1) * study.groups / (study.groups - 1)
        found = math.sqrt(max(float(zero.scores.var(ddof=1)) - noise, 0.0))
    between = [_between_stages(cell) for key, cell in zip(study.keys, study.cells, strict=True) if key[0] == SOURCE]
    return Component("source stage", found, _root_mean(between), math.nan, math.nan)


def _between_stages(cell: Cell) -> float:
    stages = sorted(set(cell.stage))
    each = [cell.scores[[s == stage for s in cell.stage]] for stage in stages]
    within = sum(len(scores) - 1 for scores in each)
    if len(stages) < 2 or within < 1:
        return math.nan
    noise = sum(float(((scores - scores.mean()) ** 2).sum()) for scores in each) / within
    means = np.array([scores.mean() for scores in each])
    # The harmonic mean of the stages' numbers of runs: exact where they are equal.
    runs = len(each) / sum(1 / len(scores) for scores in each)
    return max(float(means.var(ddof=1)) - noise / runs, 0.0)


def _zero_spread(study: Study, variance: _Variance) -> float:
    return math.sqrt(max(variance({(ZERO, 0): 1.0}), 0.0)) if (ZERO, 0) in study.place else math.nan


def _group_component(study: Study) -> Component:
    def variance(weights: Mapping[Key, float]) -> float:
        contrast = study.contrast(weights)
        return float(contrast @ (study.group_part - study.example_part) @ contrast)

    return Component("groups", _zero_spread(study, variance), *_averages(study, variance))


def _example_component(study: Study) -> Component:
    def variance(weights: Mapping[Key, float]) -> float:
        contrast = study.contrast(weights)
        return max(float(contrast @ (study.example_part - study.shared_part) @ contrast), 0.0)

    return Component("examples", _zero_spread(study, variance), *_averages(study, variance))


def _run_component(study: Study) -> Component:
    def variance(weights: Mapping[Key, float]) -> float:
        if _runs_of(study, weights) < 2:
            return math.nan
        return study.parts_of(weights)[1] * _runs_of(study, weights)

    return Component("single runs", math.nan, *_averages(study, variance))
