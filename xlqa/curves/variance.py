"""How sure a mean is: the variance of any contrast of cell means, from runs and from groups of examples, and its interval.

A cell is the runs of one arm at one size. Three things move its mean over n runs and P groups of examples (a group is a
paragraph, a document or a single example): the runs (variance a / n), the groups (b / P), and the noise of single runs
on single groups (e / nP). The spread of the runs shows a + e / P, the spread of the groups b + e / n. So the two
observed variances contain e / nP twice, and it is counted once.

Runs are few. Their variance is therefore pooled over the sizes of a curve, and is never taken to be less than the noise
of single runs on single groups, so that no interval is narrower than one from the groups alone. The interval is the
exact one of a normal part (groups) plus a t part (runs); nothing is drawn at random, so a report has no Monte Carlo error.

Scores are percentages. Shapes: K cells, n runs of a cell, P groups, Q examples, M contrasts.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Key = tuple[str, int]
"""An arm and a size. The arms are ZERO (zero-shot, size 0), SOURCE (saw the source data) and TARGET (did not)."""
ZERO, SOURCE, TARGET = "zero", "source", "target"
Stages = Literal["given", "other"]
"""The estimand: given the source stages at hand, or over other source stages."""
_NODES = 64
SLOPE, SLOPE_SPREAD = -0.4, 0.4
"""Prior of s in the variance of runs, N^s: that of a mean of N examples falls as N^-1, that of the training seed may stay."""
LEAST_VARIANCE = 0.02
"""Variances of sizes, relative to their mean, are not taken to be less in the trend's slope."""


@dataclass(frozen=True)
class Interval:
    """An estimate and its central interval.

    Infinite ends are beyond what was measured; NaN ends are not known.
    """

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0

    @property
    def is_determined(self) -> bool:
        """Whether at least one end is known: from −∞ to +∞ nothing is."""
        known = not (math.isnan(self.low) or math.isnan(self.high))
        return known and not (self.low == -math.inf and self.high == math.inf)


UNKNOWN = Interval(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Cell:
    """The runs of one arm at one size, each scored on the same examples.

    Attributes:
        scores: (n,) percent.
        influence: (n, P) what each group adds to a run's score, in percent, centred: a row sums to 0. (n, 0) where
            nothing is known of single examples.
        units: (n,) what a run shares with a run of another arm or size: its subset and training seeds.
        subset, train: (n,) the two seeds apart. stage: (n,) its source stage; empty where it has none.
        examples: (Q,) what each example adds to the mean score of the runs, in percent.
    """

    scores: Floats
    influence: Floats
    units: tuple[Hashable, ...]
    subset: tuple[Hashable, ...] = ()
    train: tuple[Hashable, ...] = ()
    stage: tuple[int, ...] = ()
    examples: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def mean(self) -> float:
        return float(self.scores.mean())


def influence_of(
    numerators: Floats, denominators: Floats, groups: npt.NDArray[np.intp]
) -> tuple[Floats, Floats, Floats]:
    """Scores of runs, and what each group of examples adds to them, by linearising the ratio of sums.

    A score is 100 Σ num / Σ den. Group g adds 100 (num_g − S / 100 · den_g) / Σ den.

    Args:
        numerators, denominators: (n, Q). groups: (Q,) group of each example, 0 to P − 1.
    Returns:
        (n,) scores, (n, P) influences of the groups, and (Q,) of each example on the mean score; all in percent.
    """
    total = denominators.sum(axis=1)
    scores = 100 * numerators.sum(axis=1) / total
    each = 100 * (numerators - scores[:, None] / 100 * denominators) / total[:, None]
    count = int(groups.max()) + 1 if groups.size else 0
    summed = np.array([np.bincount(groups, weights=row, minlength=count) for row in each])
    return scores, summed.reshape(len(scores), count), each.mean(axis=0)


# ------------------------------------------------------------------------------------------------ parts of a variance


@dataclass(frozen=True)
class Part:
    """A (K, K) piece of the covariance of the cell means and its degrees of freedom; a piece may be subtracted."""

    covariance: Floats
    freedom: float


@dataclass(frozen=True)
class RunVariance:
    """What runs add to the variance of the cell means.

    Attributes:
        parts: their sum is the covariance of the means.
        floors: covariances, (K, K), that the variance of no contrast is less than.
        known: the arms of which some size has two runs or more.
    """

    parts: tuple[Part, ...]
    floors: tuple[Floats, ...]
    known: frozenset[str]

    def of(self, contrasts: Floats) -> tuple[Floats, Floats]:
        """(M,) variances of contrasts, (M, K), and their degrees of freedom (Satterthwaite)."""
        if not self.parts:
            return np.zeros(len(contrasts)), np.full(len(contrasts), np.inf)
        if len(self.parts) == 1 and self.floors[0] is self.parts[0].covariance:
            return np.maximum(_quadratic(contrasts, self.floors[0]), 0.0), np.full(
                len(contrasts), self.parts[0].freedom
            )
        each = np.array([_quadratic(contrasts, part.covariance) for part in self.parts])
        freedom = np.array([part.freedom for part in self.parts])[:, None]
        floor = np.max([_quadratic(contrasts, matrix) for matrix in self.floors], axis=0)
        total = np.maximum(each.sum(axis=0), floor)
        uncertainty = (each**2 / freedom).sum(axis=0)
        least = freedom.min()
        combined = np.where(uncertainty > 0, total**2 / np.where(uncertainty > 0, uncertainty, 1.0), np.inf)
        return total, np.maximum(combined, min(least, 1.0))


class Study:
    """All cells that one comparison needs, and the variance of any contrast of their means.

    Args:
        cells: by arm and size.
        stages: the estimand.
    """

    def __init__(self, cells: Mapping[Key, Cell], stages: Stages = "given") -> None:
        self.keys = tuple(cells)
        self.cells = tuple(cells.values())
        self.place = {key: k for k, key in enumerate(self.keys)}
        self.stages = stages
        self.means = np.array([cell.mean for cell in self.cells])
        self.groups = max((cell.influence.shape[1] for cell in self.cells), default=0)
        self.by_group = self.groups > 1
        self.group_part, self.shared_part = self._group_parts()
        self.example_part = self._example_part()
        self.runs = run_variance(cells, stages)
        # A statement over other stages is never more certain than one given the stages at hand.
        self.given = Study(cells, "given") if stages == "other" else None

    def contrast(self, weights: Mapping[Key, float]) -> Floats:
        """(K,) a contrast from the weights of its cells."""
        found = np.zeros(len(self.keys))
        for key, weight in weights.items():
            found[self.place[key]] += weight
        return found

    def _group_parts(self) -> tuple[Floats, Floats]:
        """(K, K) covariances of the means from groups, and what runs contain of them."""
        size = len(self.cells)
        if not self.by_group:
            return np.zeros((size, size)), np.zeros((size, size))
        correction = self.groups / (self.groups - 1)
        mean = np.array([cell.influence.mean(axis=0) for cell in self.cells])
        return correction * mean @ mean.T, correction * self._noise()

    def _example_part(self) -> Floats:
        """(K, K) what the covariance from groups would be if examples were independent."""
        counts = {cell.examples.size for cell in self.cells}
        if not self.by_group or len(counts) != 1 or min(counts) < 2:
            return np.zeros((len(self.cells), len(self.cells)))
        each = np.array([cell.examples for cell in self.cells])
        return np.asarray(each @ each.T * each.shape[1] / (each.shape[1] - 1))

    def _noise(self) -> Floats:
        """(K, K) e / nP: what is left of the influences without the run's and the group's own level."""
        rows: dict[Hashable, dict[int, Floats]] = {}
        for k, (key, cell) in enumerate(zip(self.keys, self.cells, strict=True)):
            n = len(cell.scores)
            if n < 2 or (key[0] == ZERO and self.stages == "given"):
                continue
            left = (cell.influence - cell.influence.mean(axis=0)) / math.sqrt(n * (n - 1))
            for unit, row in zip(_numbered(cell.units), left, strict=True):
                rows.setdefault(unit, {})[k] = row
        noise = np.zeros((len(self.cells), len(self.cells)))
        for own in rows.values():
            at = list(own)
            stacked = np.array(list(own.values()))
            noise[np.ix_(at, at)] += stacked @ stacked.T
        return noise

    def half_widths(self, contrasts: Floats, level: float = 0.95) -> Floats:
        """(M,) half widths of the central intervals of contrasts, (M, K); NaN where nothing shows any spread."""
        groups = _quadratic(contrasts, self.group_part)
        shared = np.maximum(_quadratic(contrasts, self.shared_part), 0.0)
        runs, freedom = self.runs.of(contrasts)
        normal = np.maximum(groups - shared, 0.0) * _few_groups(self.groups, level) ** 2
        student = np.maximum(runs, shared)
        width = mixed_quantile(normal, student, freedom, level)
        seen = normal + student > 0 if self.by_group else runs > 0
        width = np.where(seen, width, np.nan)
        return width if self.given is None else np.fmax(width, self.given.half_widths(contrasts, level))

    def groups_alone(self, contrasts: Floats, level: float = 0.95) -> Floats:
        """(M,) half widths that the groups of examples alone would give, for these runs."""
        from scipy.special import ndtri

        groups = _quadratic(contrasts, self.group_part)
        return np.asarray(np.sqrt(groups) * ndtri(0.5 + level / 2) * _few_groups(self.groups, level))

    def parts_of(self, weights: Mapping[Key, float]) -> tuple[float, float, float]:
        """Variances of a contrast: from runs, what runs and groups both contain, and from groups."""
        contrast = self.contrast(weights)[None, :]
        shared = max(float(_quadratic(contrast, self.shared_part)[0]), 0.0)
        return float(self.runs.of(contrast)[0][0]), shared, float(_quadratic(contrast, self.group_part)[0])

    def curve_points(self, keys: Sequence[Key], points: int = 512) -> tuple[Floats, Floats]:
        """(1 + points, S) the means of some cells and points of a normal cloud around them; (S,) its spread.

        The points are a Sobol' sequence, the same each time.
        """
        from scipy.special import ndtri
        from scipy.stats import qmc

        at = [self.place[key] for key in keys]
        runs = np.sum([part.covariance for part in self.runs.parts], axis=0) if self.runs.parts else 0.0
        both = (self.group_part - self.shared_part + np.maximum(runs, 0.0))[np.ix_(at, at)]
        values, vectors = np.linalg.eigh(both)
        root = vectors * np.sqrt(np.clip(values, 0, None))
        uniform = qmc.Sobol(len(at), scramble=False).random(2 * points)[points:]
        cloud = ndtri(np.clip(uniform, 1e-6, 1 - 1e-6)) @ root.T
        return self.means[at] + np.vstack([np.zeros(len(at)), cloud]), np.sqrt(np.diag(root @ root.T))

    def interval(self, weights: Mapping[Key, float], level: float = 0.95) -> Interval:
        """A linear contrast with its interval."""
        contrast = self.contrast(weights)
        value, half = float(contrast @ self.means), float(self.half_widths(contrast[None, :], level)[0])
        return Interval(value, value - half, value + half)


def _quadratic(contrasts: Floats, matrix: Floats) -> Floats:
    return np.asarray(((contrasts @ matrix) * contrasts).sum(axis=1))


@lru_cache(maxsize=64)
def _few_groups(groups: int, level: float) -> float:
    """How much wider a t interval with P − 1 degrees of freedom is than a normal one."""
    from scipy.special import ndtri, stdtrit

    return float(stdtrit(groups - 1, 0.5 + level / 2) / ndtri(0.5 + level / 2)) if groups > 1 else 1.0


# -------------------------------------------------------------------------------------------------- variance of runs


class _Effects:
    """Mean residual of each level of one factor in each cell, in percent.

    Attributes:
        levels: by cell, by level.
        lost: degrees of freedom that the residuals of a cell have lost.
    """

    def __init__(self) -> None:
        self.levels: dict[Key, dict[Hashable, float]] = {}
        self.lost: dict[Key, int] = {}

    def add(self, key: Key, residuals: Floats, factor: Sequence[Hashable], lost: int = 1) -> None:
        found: dict[Hashable, list[float]] = {}
        for level, residual in zip(factor, residuals, strict=True):
            found.setdefault(level, []).append(float(residual))
        self.levels[key] = {level: sum(values) / len(values) for level, values in found.items()}
        self.lost[key] = lost

    def freedom(self, key: Key) -> int:
        return max(len(self.levels[key]) - self.lost[key], 0)

    def moment(self, one: Key, other: Key) -> tuple[float, int]:
        """Estimated covariance of a level's effects on two cells, and its degrees of freedom."""
        shared = [level for level in self.levels[one] if level in self.levels[other]]
        freedom = max(len(shared) - max(self.lost[one], self.lost[other]), 0)
        if not freedom:
            return 0.0, 0
        return sum(self.levels[one][u] * self.levels[other][u] for u in shared) / freedom, freedom

    def difference(self, one: Key, other: Key) -> tuple[float, int]:
        """Estimated variance of a level's effect on the difference of two cells, and its degrees of freedom."""
        shared = [level for level in self.levels[one] if level in self.levels[other]]
        freedom = max(len(shared) - max(self.lost[one], self.lost[other]), 0)
        if not freedom:
            return 0.0, 0
        return sum((self.levels[one][u] - self.levels[other][u]) ** 2 for u in shared) / freedom, freedom

    def overlap(self, one: Key, other: Key) -> float:
        """What the covariance of one level's effects is multiplied by for the covariance of two means."""
        common = sum(level in self.levels[other] for level in self.levels[one])
        return common / (len(self.levels[one]) * len(self.levels[other]))

    def pooled(self, pairs: Sequence[tuple[Key, Key]]) -> tuple[float, int]:
        """Mean of the moments of several pairs of cells, weighted by their degrees of freedom."""
        return _weighted(self.moment(one, other) for one, other in pairs)


def run_variance(cells: Mapping[Key, Cell], stages: Stages) -> RunVariance:
    """The variance of the cell means from runs, pooled over the sizes of each arm.

    Given the source stages, runs differ in their subset and training seeds, and residuals are taken within stages; where
    each seed has a stage of its own, the two cannot be told apart and the seeds' spread contains the stages'. Crossed
    seeds add up as in a two-way analysis of variance (multiway clusters, Cameron, Gelbach & Miller 2011):
    V(A) + V(B) − V(A and B). Over other stages the variance between stages comes on top.
    """
    parts, known = _seed_parts(cells)
    given = RunVariance(tuple(parts), tuple(part.covariance for part in parts[:2]), known)
    return given if stages == "given" else _over_stages(cells, given)


def _seed_parts(cells: Mapping[Key, Cell]) -> tuple[list[Part], frozenset[str]]:
    """Parts of the seeds: one where subset and training seed go together; else one each, less what both contain."""
    keys = tuple(cells)
    factors = _seed_factors(cells)
    effects = [_residuals(cells, factor) for factor in factors]
    alone = [_residuals(cells, factor, within=False) for factor in factors]
    known = frozenset(key[0] for each in (effects[0], alone[0]) for key in each.levels if each.freedom(key))
    parts = [_pool(keys, each, own) for each, own in zip(effects, alone, strict=True)]
    if len(parts) > 1:
        both = _pool(keys, _residuals(cells, "units"))
        parts.append(Part(-both.covariance, both.freedom))
    return parts, known


def _over_stages(cells: Mapping[Key, Cell], given: RunVariance) -> RunVariance:
    """The variance over other source stages: that given the stages, and what stages differ by beyond it."""
    keys = tuple(cells)
    pairs = _units_and_stages(cells)
    stage = _stage_effects(cells)
    if len({k for _, k in pairs}) < 2 and (ZERO, 0) not in stage.levels:
        return given
    sources = [key for key in keys if key[0] == SOURCE and stage.freedom(key)]
    parts = given.parts
    if sources and len(pairs) > len({k for _, k in pairs}):
        between, across = _between_stages(cells, given, stage, sources)
        added = np.zeros((len(keys), len(keys)))
        for one in sources:
            for other in sources:
                level = between * (1.0 if one == other else across)
                added[keys.index(one), keys.index(other)] = level * _stage_overlap(cells[one], cells[other])
        total = np.sum([part.covariance for part in given.parts], axis=0) + added
        freedom = sum(stage.freedom(key) for key in sources) / (1 + (len(sources) - 1) * across**2)
        parts = (Part(np.asarray(total), freedom),)
    return RunVariance((*parts, *_zero_part(cells, parts, stage, sources)), given.floors, given.known)


def _between_stages(
    cells: Mapping[Key, Cell], given: RunVariance, stage: _Effects, sources: Sequence[Key]
) -> tuple[float, float]:
    """σ² of a stage's effect on one arm, and its correlation between sizes."""
    keys = tuple(cells)
    spread, _ = stage.pooled([(key, key) for key in sources])
    noise = []
    for key in sources:
        count = len(stage.levels[key])
        contrast = np.zeros(len(keys))
        contrast[keys.index(key)] = 1.0
        if _nested(cells) and (TARGET, key[1]) in cells:
            contrast[keys.index((TARGET, key[1]))] = -1.0
        within = float(given.of(contrast[None, :])[0][0]) if _nested(cells) else _interaction(cells[key])
        noise.append(within * count)
    crossing = [(one, other) for i, one in enumerate(sources) for other in sources[i + 1 :]]
    moment, seen = stage.pooled(crossing)
    across = _shrunk_correlation(moment, spread, stage.freedom(sources[0])) if seen else 0.0
    return max(spread - float(np.mean(noise)), 0.0), across


def _interaction(cell: Cell) -> float:
    """Variance of the mean from runs alone where units and stages are crossed: their interaction, over the runs."""
    units = sorted(set(cell.units), key=repr)
    stages = sorted(set(cell.stage))
    table = np.full((len(units), len(stages)), math.nan)
    for unit, k, score in zip(cell.units, cell.stage, cell.scores, strict=True):
        table[units.index(unit), stages.index(k)] = score
    left = table - np.nanmean(table, axis=1, keepdims=True) - np.nanmean(table, axis=0) + np.nanmean(table)
    freedom = max((len(units) - 1) * (len(stages) - 1), 1)
    return float(np.nansum(left**2) / freedom / len(cell.scores))


def _zero_part(
    cells: Mapping[Key, Cell], parts: tuple[Part, ...], stage: _Effects, sources: Sequence[Key]
) -> list[Part]:
    """Zero-shot's variance over stages with its covariance with the arm that starts from the same stages."""
    keys = tuple(cells)
    zero = (ZERO, 0)
    if zero not in stage.levels or not stage.freedom(zero):
        return []
    k = keys.index(zero)
    own = stage.moment(zero, zero)[0]
    covariance = np.zeros((len(keys), len(keys)))
    covariance[k, k] = own * stage.overlap(zero, zero)
    together, _ = stage.pooled([(zero, key) for key in sources])
    present = np.sum([part.covariance for part in parts], axis=0)
    for key in sources:
        at = keys.index(key)
        limit = math.sqrt(covariance[k, k] * max(float(present[at, at]), 0.0))
        shared = max(together, 0.0) * _stage_overlap(cells[zero], cells[key])
        covariance[k, at] = covariance[at, k] = min(shared, limit)
    return [Part(covariance, float(stage.freedom(zero)))]


def _stage_overlap(one: Cell, other: Cell) -> float:
    """Σ over stages of the shares of runs that two cells have from each."""
    shares = [{k: cell.stage.count(k) / len(cell.stage) for k in set(cell.stage)} for cell in (one, other)]
    return sum(share * shares[1].get(k, 0.0) for k, share in shares[0].items())


def _seed_factors(cells: Mapping[Key, Cell]) -> tuple[str, ...]:
    """("units",), or ("subset", "train") where the two seeds are crossed: a subset trained on with several seeds."""
    trained = [cell for key, cell in cells.items() if key[0] != ZERO and cell.subset]
    subsets = {(u, s) for cell in trained for u, s in zip(cell.units, cell.subset, strict=True)}
    trains = {(u, t) for cell in trained for u, t in zip(cell.units, cell.train, strict=True)}
    units = {u for u, _ in subsets}
    crossed = len({s for _, s in subsets}) < len(units) and len({t for _, t in trains}) < len(units)
    return ("subset", "train") if crossed and trained else ("units",)


def _residuals(cells: Mapping[Key, Cell], factor: str, within: bool = True) -> _Effects:
    """Residuals of all cells but zero-shot; within the source stages where each has several units."""
    stage_of = _stage_of_units(cells, factor) if within else {}
    found = _Effects()
    for key, cell in cells.items():
        if key[0] != ZERO:
            levels = getattr(cell, factor)
            blocks = [stage_of.get(unit, -1) for unit in cell.units]
            found.add(key, _centred(cell.scores, blocks), levels, _lost(blocks, levels))
    return found


def _lost(blocks: Sequence[int], levels: Sequence[Hashable]) -> int:
    """Degrees of freedom lost by centring within blocks: one a block where the blocks divide the levels, else one."""
    divided = len(set(zip(levels, blocks, strict=True))) == len(set(levels))
    return len(set(blocks)) if divided else 1


def _centred(scores: Floats, blocks: Sequence[int]) -> Floats:
    place = np.unique(np.array(blocks), return_inverse=True)[1]
    return np.asarray(scores - (np.bincount(place, weights=scores) / np.bincount(place))[place])


def _stage_of_units(cells: Mapping[Key, Cell], factor: str) -> dict[Hashable, int]:
    """The source stage of each unit; empty where the residuals of a factor are not to be taken within stages.

    That is where there is one stage, where a unit has several, and where the stages divide the factor's levels and leave fewer
    than two degrees of freedom: the spread of seeds then contains that of stages, and the interval given the stages is a little
    wide. Of crossed seeds the stages divide the training seeds, which choose them, and not the subsets.
    """
    stage_of = dict(_units_and_stages(cells))
    stages = set(stage_of.values())
    levels = {
        (level, stage_of[unit])
        for key, cell in cells.items()
        if key[0] == SOURCE
        for unit, level in zip(cell.units, getattr(cell, factor), strict=True)
        if unit in stage_of
    }
    count = len({level for level, _ in levels})
    divided = len(levels) == count
    if not _nested(cells) or len(stages) < 2 or (divided and count - len(stages) < 2):
        return {}
    return stage_of


def _units_and_stages(cells: Mapping[Key, Cell]) -> set[tuple[Hashable, int]]:
    return {
        (unit, stage)
        for key, cell in cells.items()
        if key[0] == SOURCE and cell.stage
        for unit, stage in zip(cell.units, cell.stage, strict=True)
        if stage >= 0
    }


def _nested(cells: Mapping[Key, Cell]) -> bool:
    """Whether each unit starts from one source stage alone."""
    pairs = _units_and_stages(cells)
    return len(pairs) == len({u for u, _ in pairs})


def _stage_effects(cells: Mapping[Key, Cell]) -> _Effects:
    """Residuals by source stage: of zero-shot scores, and of the arm that saw the source data.

    Where each seed has one stage, the residual is that of the gain, so that what both arms share does not count.
    """
    found = _Effects()
    nested = _nested(cells)
    for key, cell in cells.items():
        if key[0] == TARGET or not cell.stage:
            continue
        partner = cells.get((TARGET, key[1])) if nested and key[0] == SOURCE else None
        scores = cell.scores
        if partner is not None:
            beside = dict(zip(partner.units, partner.scores, strict=True))
            scores = scores - np.array([float(beside.get(unit, partner.mean)) for unit in cell.units])
        found.add(key, scores - scores.mean(), cell.stage)
    return found


def _pool(keys: Sequence[Key], effects: _Effects, alone: _Effects | None = None) -> Part:
    """The covariance of the means of both arms, with variances pooled over sizes and one correlation between sizes.

    What is pooled are the variance of the gain, that of the target arm and their covariance: means over the sizes,
    weighted by degrees of freedom. Where the sizes differ by more than chance, each is drawn towards its own variance
    (`moderated`). Where sizes correlate, their variances tell less than as many independent ones: the degrees of freedom
    are divided by 1 + (S − 1) ρ² for S sizes.

    Args:
        alone: the effects from which the target arm's own variance is taken, where those of the pairs have lost degrees
            of freedom to the source stages.
    """
    own = [key for key in keys if key[0] != ZERO and key in effects.levels]
    by_arm = {arm: [key for key in own if key[0] == arm] for arm in (SOURCE, TARGET)}
    across = _size_correlation(effects, by_arm)
    freedom = _pooled_freedom(effects, own, across)
    matrix, of_sizes = _gain_and_level(effects, alone or effects, by_arm)
    scale_gain, prior_gain = moderated(of_sizes[0], float(matrix[0, 0]), across)
    scale_target, prior_target = moderated(of_sizes[1], float(matrix[1, 1]), across)
    rows = np.zeros((len(own), 2))
    for i, (arm, size) in enumerate(own):
        # A mean of the arm that saw the source data is the gain plus the target arm's mean.
        rows[i] = scale_gain.get(size, 1.0) * (arm == SOURCE), scale_target.get(size, 1.0)
    covariance = np.zeros((len(keys), len(keys)))
    for i, one in enumerate(own):
        for j, other in enumerate(own):
            level = float(rows[i] @ matrix @ rows[j]) * (1.0 if one[1] == other[1] else across)
            covariance[keys.index(one), keys.index(other)] = level * effects.overlap(one, other)
    single = freedom / max(len({key[1] for key in own}), 1)
    return Part(covariance, min(freedom, single + min(prior_gain, prior_target)))


_Moments = dict[int, tuple[float, int]]


def _gain_and_level(
    effects: _Effects, alone: _Effects, by_arm: Mapping[str, Sequence[Key]]
) -> tuple[Floats, tuple[_Moments, _Moments]]:
    """(2, 2) pooled covariance of a level's effects on the gain and on the target arm, and both variances by size."""
    common = [size for _, size in by_arm[SOURCE] if (TARGET, size) in effects.levels]
    levels = {size: alone.moment((TARGET, size), (TARGET, size)) for _, size in by_arm[TARGET]}
    gains = {size: effects.difference((SOURCE, size), (TARGET, size)) for size in common}
    target, seen_target = _weighted(levels.values())
    gain, seen = _weighted(gains.values())
    if not common or not seen:
        # Without pairs that show seeds: each arm by itself, or, with one run an arm and size, as if both moved together.
        source, seen_source = effects.pooled([(key, key) for key in by_arm[SOURCE]])
        gain = source + target if seen_source and seen_target else 0.0
        target = target if seen_target else source
        together = -target if seen_source and seen_target else 0.0
        return np.array([[gain, together], [together, target]]), (gains, levels)
    both = effects.pooled([((SOURCE, size), (TARGET, size)) for size in common])[0]
    within = effects.pooled([((TARGET, size), (TARGET, size)) for size in common])[0]
    limit = math.sqrt(gain * target)
    together = min(max(both - within, -limit), limit)
    return np.array([[gain, together], [together, target]]), (gains, levels)


def _weighted(moments: Iterable[tuple[float, int]]) -> tuple[float, int]:
    """Mean of moments, weighted by their degrees of freedom, and the sum of these."""
    listed = list(moments)
    freedom = sum(weight for _, weight in listed)
    return (sum(value * weight for value, weight in listed) / freedom if freedom else 0.0), freedom


def moderated(
    variances: Mapping[int, tuple[float, int]], pooled: float, across: float
) -> tuple[dict[int, float], float]:
    """Standard deviations of sizes relative to the pooled one, and the degrees of freedom that pooling is worth.

    Runs on few examples differ more than runs on many: variances follow a trend N^s (`variance_trend`). Each variance is
    then the mean of its own and the trend's, weighted by its own degrees of freedom and those of a prior, as in the
    moderated statistics of Smyth (2004). The prior's are found by moments, from how far the variances spread around the
    trend beyond chance; those that spread no more are all on the trend.

    Args:
        variances: by size, with degrees of freedom; across: the correlation of the effects at two sizes.
    """
    known = {size: (value, freedom) for size, (value, freedom) in variances.items() if freedom > 0}
    if len(known) < 2 or pooled <= 0:
        return {}, math.inf
    value = np.array([v for v, _ in known.values()]) / pooled
    freedom = np.array([f for _, f in known.values()], dtype=float)
    trend = variance_trend(np.array(list(known), dtype=float), value, freedom, across)
    chance = float(np.mean(2 / freedom))
    around = value / trend
    beyond = (float(around.var(ddof=1)) / (1 - across**2 / 2) - chance) / (1 + chance) if len(known) > 2 else 0.0
    if beyond <= 0:
        return {size: math.sqrt(ratio) for size, ratio in zip(known, trend, strict=True)}, math.inf
    prior = max(2 / beyond, 1.0)
    ratios = (prior * trend + freedom * value) / (prior + freedom)
    return {size: math.sqrt(ratio) for size, ratio in zip(known, ratios, strict=True)}, prior


def variance_trend(sizes: Floats, values: Floats, freedom: Floats, across: float) -> Floats:
    """(S,) variances of runs on a trend N^s through their weighted mean.

    s is the slope of the log variances over ln N, each corrected for the mean of the logarithm of χ²/ν and weighted by its
    variance (digamma and trigamma). Few seeds tell little of it. It is therefore drawn towards `SLOPE`, with the weight
    of a normal prior of standard deviation `SLOPE_SPREAD`.
    """
    from scipy.special import digamma, polygamma

    weights = 1 / (polygamma(1, freedom / 2) * max(1 - across**2, 0.1))
    logs = np.log(np.maximum(values, LEAST_VARIANCE)) - digamma(freedom / 2) + np.log(freedom / 2)
    x = np.log(sizes)
    x = x - np.average(x, weights=weights)
    known, prior = float(weights @ x**2), 1 / SLOPE_SPREAD**2
    slope = (float(weights @ (x * logs)) + prior * SLOPE) / (known + prior)
    shape = np.exp(slope * x)
    # The mean over the slopes that are as likely: at both ends of the curve it is larger than the trend itself.
    unsure = np.exp(x**2 / (known + prior) / 2)
    return np.asarray(shape * unsure * np.average(values / shape, weights=freedom))


def _size_correlation(effects: _Effects, by_arm: Mapping[str, Sequence[Key]]) -> float:
    """ρ: how the effects of a level at two sizes correlate, from 0 to 1, one number for all sizes and both arms.

    With few levels the estimate is mostly noise. It is therefore a mean of the estimate, weighted by the degrees of
    freedom of one size, and of a half, weighted by 2.
    """
    within, across, freedom = 0.0, 0.0, 0
    for keys in by_arm.values():
        moment, seen = effects.pooled([(one, other) for i, one in enumerate(keys) for other in keys[i + 1 :]])
        if seen:
            within += effects.pooled([(key, key) for key in keys])[0]
            across += moment
            freedom = max(freedom, *(effects.freedom(key) for key in keys))
    return _shrunk_correlation(across, within, freedom)


def _shrunk_correlation(across: float, within: float, freedom: int) -> float:
    if within <= 0 or not freedom:
        return 0.5
    return (freedom * min(max(across / within, 0.0), 1.0) + 1.0) / (freedom + 2)


def _pooled_freedom(effects: _Effects, own: Sequence[Key], across: float) -> float:
    sizes: dict[int, list[int]] = {}
    for key in own:
        if effects.freedom(key):
            sizes.setdefault(key[1], []).append(effects.freedom(key))
    if not sizes:
        return math.inf
    total = sum(min(each) for each in sizes.values())
    return total / (1 + (len(sizes) - 1) * across**2)


def _numbered(units: Sequence[Hashable]) -> list[tuple[Hashable, int]]:
    """Units with the number of their repetition, so that each run has a name of its own."""
    seen: dict[Hashable, int] = {}
    found = []
    for unit in units:
        found.append((unit, seen.get(unit, 0)))
        seen[unit] = seen.get(unit, 0) + 1
    return found


# ------------------------------------------------------------------------------------------------------- quantiles


def mixed_quantile(normal: Floats, student: Floats, freedom: Floats, level: float = 0.95) -> Floats:
    """Half width of the central interval of √normal · Z + √student · T, T with `freedom` degrees of freedom.

    T is a normal variable over √(χ² / ν), so the distribution is a mean of normal ones over χ², taken by quadrature and
    interpolated from a table over the share of T and 1 / ν (relative error below 1e-4). Nothing is drawn at random.

    Args:
        normal, student, freedom: (M,) variances and degrees of freedom; ν is at least 1, may be infinite and need not be
            whole.
    Returns:
        (M,) half widths; 0 where both variances are.
    """
    total = normal + student
    share = np.where(total > 0, student / np.where(total > 0, total, 1.0), 0.0)
    width = np.exp(_quantile_table(level).ev(np.sqrt(share), 1 / np.maximum(freedom, 1.0)))
    return np.asarray(width * np.sqrt(total))


@lru_cache(maxsize=16)
def _quantile_table(level: float) -> Any:
    """A spline of the logarithm of the standard half width over √share and 1 / ν."""
    from scipy.interpolate import RectBivariateSpline
    from scipy.special import gammaincinv

    nodes, weights = _quadrature()
    roots, inverse = np.linspace(0, 1, 61), np.linspace(0, 1, 49)
    table = np.empty((roots.size, inverse.size))
    for k, value in enumerate(inverse):
        chi = 2 * gammaincinv(0.5 / value, nodes) * value if value else np.ones_like(nodes)
        scale = 1 / np.sqrt(1 - roots[:, None] ** 2 + roots[:, None] ** 2 / chi)
        table[:, k] = np.log(_solve_quantile(scale, weights, 0.5 + level / 2))
    return RectBivariateSpline(roots, inverse, table)


def _solve_quantile(scale: Floats, weights: Floats, tail: float) -> Floats:
    """(M,) where the mean over the nodes of Φ(x · scale), (M, nodes), is `tail`."""
    from scipy.special import ndtr, ndtri

    width = np.full(len(scale), ndtri(tail))
    for _ in range(60):
        # The function is concave right of 0 and the start is below the root, so that Newton's steps never overshoot.
        at = width[:, None] * scale
        slope = (np.exp(-(at**2) / 2) / math.sqrt(2 * math.pi) * scale) @ weights
        step = (tail - ndtr(at) @ weights) / slope
        width = width + step
        if (np.abs(step) < 1e-9 * width).all():
            break
    return width


@lru_cache(maxsize=1)
def _quadrature() -> tuple[Floats, Floats]:
    """Nodes in (0, 1) and weights; nodes crowd at 0, where a small χ² makes the tail."""
    from scipy.special import roots_legendre

    at, weights = roots_legendre(_NODES)
    at, weights = (at + 1) / 2, weights / 2
    return at**3, weights * 3 * at**2
