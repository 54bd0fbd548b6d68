"""Worth in examples, and shares of a gap: answers read off a learning curve, with intervals by inverting a contrast.

An effective size M belongs to the 95 % interval when the interval of S_E − S_T(M) contains 0 (a confidence set by
inversion, as Fieller's theorem for a ratio). Such a set is bounded, or open to one side, or everything; no draw of a
generator can decide which.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlqa.curves.statistics import evaluate_curve, isotonic, isotonic_weights, size_at_score
from xlqa.curves.variance import SOURCE, TARGET, UNKNOWN, Floats, Interval, Key, Study

LEAST_FOR_LAW = 3
_GRID = 121


class TargetCurve:
    """The learning curve of the target-only arm: S_T between the sizes measured, and its inverse.

    The means are made monotone and interpolated over ln N by monotone cubics; errors follow to first order.

    Args:
        sizes: increasing, all of them cells of the study.
    """

    def __init__(self, study: Study, sizes: Sequence[int]) -> None:
        self.study = study
        self.sizes = np.array(sizes, dtype=float)
        self.at = [study.place[TARGET, size] for size in sizes]
        self.levels = isotonic(study.means[self.at][None, :])[0] if sizes else np.zeros(0)
        averaging = isotonic_weights(study.means[self.at]) if sizes else np.zeros((0, 0))
        self.grid = self._grid()
        self.curve = evaluate_curve(self.sizes, self.levels, self.grid) if len(sizes) > 1 else self.levels
        self.contrasts = np.zeros((len(self.grid), len(study.keys)))
        self.contrasts[:, self.at] = self._sensitivity() @ averaging

    def _grid(self) -> Floats:
        if len(self.sizes) < 2:
            return self.sizes
        inner = np.geomspace(self.sizes[0], self.sizes[-1], _GRID)
        return np.asarray(np.unique(np.concatenate([inner[1:-1], self.sizes])))

    def _sensitivity(self) -> Floats:
        """(grid, sizes) how far the curve moves with each level."""
        if len(self.sizes) < 2:
            return np.eye(len(self.sizes))
        # Half of the smallest step between levels, so that the curve stays monotone; flat curves move by little.
        step = max(float(np.diff(self.levels).min()) / 4, 1e-6)
        moved = [
            evaluate_curve(self.sizes, self.levels + step * row, self.grid)
            - evaluate_curve(self.sizes, self.levels - step * row, self.grid)
            for row in np.eye(len(self.sizes))
        ]
        return np.array(moved).T / (2 * step)

    def size_at(self, weights: Mapping[Key, float]) -> Interval:
        """S_T⁻¹ of a score, given as a contrast of cell means: how many target examples alone score as much.

        Args:
            weights: of the cells.

        Returns:
            −∞ means less than the smallest size, +∞ for more than the largest.
        """
        if not self.sizes.size:
            return UNKNOWN
        score = self.study.contrast(weights)
        value = float(score @ self.study.means)
        found = float(size_at_score(self.sizes, self.levels[None, :], np.array([value]))[0])
        half = self.study.half_widths(score[None, :] - self.contrasts)
        if np.isnan(half).any():
            # Scores without any spread, as of runs that all failed, are no certainty: they give no answer at all.
            flat = self.study.by_group or float(np.ptp(self.levels)) < 1e-9
            return UNKNOWN if flat else Interval(found, math.nan, math.nan)
        above, below = value - self.curve > half, self.curve - value > half
        if above.all() or below.all():
            end = math.inf if above.all() else -math.inf
            return Interval(found, end, end)
        low = self._crossing(value - self.curve - half, int(np.argmin(above))) if above[0] else -math.inf
        high = self._crossing(self.curve - value - half, self._after(below)) if below[-1] else math.inf
        return Interval(found, low, high)

    @staticmethod
    def _after(below: npt.NDArray[np.bool_]) -> int:
        """The first place from which on everything is below."""
        return len(below) - int(np.argmin(below[::-1]))

    def log_worth_contrast(self, size: int, effective: float) -> Floats:
        """(K,) first-order effect of the cell means on ln(D_E(N) − N), at the effective size D_E(N)."""
        near = np.exp(np.log(effective) + np.array([-0.01, 0.01]))
        near = np.clip(near, self.sizes[0], self.sizes[-1])
        low, high = evaluate_curve(self.sizes, self.levels, near)
        slope = max((high - low) / math.log(near[1] / near[0]), 1e-9)
        place = int(np.argmin(np.abs(np.log(self.grid) - math.log(effective))))
        score = self.study.contrast({(SOURCE, size): 1.0})
        return np.asarray((score - self.contrasts[place]) * effective / (effective - size) / slope)

    def _crossing(self, margin: Floats, after: int) -> float:
        """Where a margin takes the value 0 between the places before and at `after`, linear over ln N."""
        x, y = np.log(self.grid[after - 1 : after + 1]), margin[after - 1 : after + 1]
        return float(np.exp(x[0] + (x[1] - x[0]) * y[0] / (y[0] - y[1])))


@dataclass(frozen=True)
class Law:
    """D_T = k · N^α: how the worth grows with N (Hernandez et al. 2021), through the sizes where it is bounded.

    Attributes:
        factor: k in examples; exponent: α; sizes: that it was fitted to.
    """

    factor: Interval
    exponent: Interval
    sizes: tuple[int, ...]


def worth_law(curve: TargetCurve, sizes: Sequence[int]) -> Law | None:
    """The law through the worth at some sizes, by least squares in logarithms, its interval by the delta method.

    Sizes count where the worth is positive and its interval bounded and above 0.

    Returns:
        None with fewer than LEAST_FOR_LAW of them.
    """
    found = [(size, curve.size_at({(SOURCE, size): 1.0})) for size in sizes]
    used = [(size, m) for size, m in found if math.isfinite(m.value) and m.low > size and math.isfinite(m.high)]
    if len(used) < LEAST_FOR_LAW:
        return None
    x = np.log([size for size, _ in used])
    y = np.log([m.value - size for size, m in used])
    influence = np.array([curve.log_worth_contrast(size, m.value) for size, m in used])
    slopes = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    # ln k is the mean of ln D_T minus α times the mean of ln N.
    level = 1 / len(x) - x.mean() * slopes
    exponent = _combined(curve.study, float(slopes @ y), slopes @ influence)
    factor = _combined(curve.study, float(level @ y), level @ influence)
    ends = (math.exp(end) for end in (factor.value, factor.low, factor.high))
    return Law(Interval(*ends), exponent, tuple(size for size, _ in used))


def _combined(study: Study, value: float, contrast: Floats) -> Interval:
    half = float(study.half_widths(contrast[None, :])[0])
    return Interval(value, value - half, value + half)


def ratio_interval(study: Study, above: Mapping[Key, float], below: Mapping[Key, float]) -> Interval:
    """A ratio of two contrasts with its interval (Fieller's theorem); NaN ends where the denominator may be 0.

    Used for the share of a gap that is closed: where the gap may as well be none, a share of it is not determined.
    """
    top, bottom = study.contrast(above), study.contrast(below)
    a, b = float(top @ study.means), float(bottom @ study.means)
    wide = float(study.half_widths(bottom[None, :])[0])
    if b <= 0:
        return UNKNOWN
    value = a / b
    if not b > wide:
        return Interval(value, math.nan, math.nan)

    def margin(ratios: Floats) -> Floats:
        contrasts = top[None, :] - ratios[:, None] * bottom[None, :]
        return np.asarray(np.abs(a - ratios * b) - study.half_widths(contrasts))

    return Interval(value, _root(margin, value, -1.0), _root(margin, value, 1.0))


def _root(margin: Callable[[Floats], Floats], inside: float, direction: float) -> float:
    """Where a margin that is negative at `inside` becomes 0 in a direction; infinite where it does nowhere near."""
    steps = np.concatenate([[0.0], np.geomspace(1e-3, 1e4, 29)])
    for _ in range(3):
        outside = margin(inside + direction * steps) >= 0
        if not outside.any():
            return direction * math.inf
        first = int(np.argmax(outside))
        steps = np.linspace(steps[max(first - 1, 0)], steps[first], 80)
    return inside + direction * float(steps[-1])
