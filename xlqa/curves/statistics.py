"""Learning curves as functions: monotone fits, their inverse, areas, power laws and planning. Pure functions on arrays.

Scores are percentages (0 to 100). Shapes: B curves, K sizes. Intervals of means are in `variance`, answers in examples
in `worth`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from xlqa.curves.variance import Floats


def collapse_rate(scores: Floats, floor: float) -> float:
    """Share of runs, (n,), whose score is below `floor` percent (Mosbach et al. 2021); NaN without runs."""
    return float((scores < floor).mean()) if len(scores) else math.nan


# ---------------------------------------------------------------------------------------------- worth in examples


def isotonic(levels: Floats) -> Floats:
    """Least-squares non-decreasing fit along the last axis, (B, K): maximum over starts, minimum over ends of means."""
    size = levels.shape[-1]
    sums = np.concatenate([np.zeros((*levels.shape[:-1], 1)), np.cumsum(levels, axis=-1)], axis=-1)
    fitted = np.full(levels.shape, -np.inf)
    for start in range(size):
        ends = np.arange(start, size)
        means = (sums[..., ends + 1] - sums[..., start : start + 1]) / (ends - start + 1)
        lowest = np.minimum.accumulate(means[..., ::-1], axis=-1)[..., ::-1]
        fitted[..., start:] = np.maximum(fitted[..., start:], lowest)
    return fitted


def isotonic_weights(levels: Floats) -> Floats:
    """(K, K) matrix whose product with levels, (K,), is their isotonic fit: the mean over each block of violators."""
    fitted = isotonic(levels[None, :])[0]
    block = np.concatenate([[0], np.cumsum(np.abs(np.diff(fitted)) > 1e-12)])
    same = (block[:, None] == block[None, :]).astype(float)
    return np.asarray(same / same.sum(axis=1, keepdims=True))


def evaluate_curve(sizes: Floats, levels: Floats, at: Floats) -> Floats:
    """(M,) the monotone cubic over ln N through increasing levels, (K,), at sizes between the smallest and largest."""
    x, points = np.log(sizes), np.log(at)
    slopes = monotone_slopes(x, levels[None, :])[0]
    right = np.clip(np.searchsorted(x, points), 1, len(x) - 1)
    width = x[right] - x[right - 1]
    t = np.clip((points - x[right - 1]) / width, 0.0, 1.0)
    low, high = levels[right - 1], levels[right]
    d0, d1 = slopes[right - 1] * width, slopes[right] * width
    a, b = 2 * (low - high) + d0 + d1, 3 * (high - low) - 2 * d0 - d1
    return np.asarray(((a * t + b) * t + d0) * t + low)


def size_at_score(sizes: Floats, levels: Floats, scores: Floats) -> Floats:
    """S⁻¹: the size at which a learning curve reaches a score.

    The curve is the isotonic fit of `levels`, interpolated over ln N by monotone cubics (Fritsch & Carlson 1980).

    Args:
        sizes: (K,) increasing; levels: (B, K) percent; scores: (B,) percent.
    Returns:
        (B,) sizes: the smallest where the curve is flat, −inf below what the smallest size reached, +inf above what
        the largest did, NaN where a level or score is missing.
    """
    curve = isotonic(levels)
    above = curve >= scores[:, None]
    if len(sizes) == 1:
        found = np.full(len(scores), float(sizes[0]))
    else:
        right = np.clip(above.argmax(axis=1), 1, len(sizes) - 1)
        found = np.where(scores == curve[:, 0], sizes[0], np.exp(_solve(np.log(sizes), curve, right, scores)))
    found = np.where(scores < curve[:, 0], -np.inf, np.where(above[:, -1], found, np.inf))
    return np.where(np.isnan(levels).any(axis=1) | np.isnan(scores), np.nan, found)


def _solve(x: Floats, y: Floats, right: npt.NDArray[np.intp], target: Floats) -> Floats:
    """(B,) where the monotone cubic through (x, y[b]) between knots right[b] − 1 and right[b] takes the target."""
    rows = np.arange(len(y))
    slopes = monotone_slopes(x, y)
    width = x[right] - x[right - 1]
    low, high = y[rows, right - 1], y[rows, right]
    d0, d1 = slopes[rows, right - 1] * width, slopes[rows, right] * width
    a, b = 2 * (low - high) + d0 + d1, 3 * (high - low) - 2 * d0 - d1
    begin, end = np.zeros(len(y)), np.ones(len(y))
    t = np.full(len(y), 0.5)
    for step in range(16):
        off = ((a * t + b) * t + d0) * t + low - target
        begin, end = np.where(off < 0, t, begin), np.where(off < 0, end, t)
        middle = (begin + end) / 2
        # Halving brings the root near, Newton's steps then home; one that leaves the bracket is halved instead.
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = t - off / ((3 * a * t + 2 * b) * t + d0)
        inside = (step >= 5) & (newton > begin - 1e-9) & (newton < end + 1e-9)
        t = np.where(inside, np.clip(newton, begin, end), middle)
    return np.asarray(x[right - 1] + np.where(target == high, 1.0, t) * width)


def monotone_slopes(x: Floats, y: Floats) -> Floats:
    """Slopes at the knots that keep a cubic monotone (Fritsch & Carlson 1980; as scipy's PchipInterpolator): (B, K)."""
    h = np.diff(x)
    delta = np.diff(y, axis=1) / h
    if len(x) == 2:
        return np.repeat(delta, 2, axis=1)
    slopes = np.zeros_like(y)
    w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    agree = delta[:, :-1] * delta[:, 1:] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes[:, 1:-1] = np.where(agree, (w1 + w2) / (w1 / delta[:, :-1] + w2 / delta[:, 1:]), 0.0)
    slopes[:, 0] = _end_slope(h[0], h[1], delta[:, 0], delta[:, 1])
    slopes[:, -1] = _end_slope(h[-1], h[-2], delta[:, -1], delta[:, -2])
    return slopes


def _end_slope(h0: float, h1: float, d0: Floats, d1: Floats) -> Floats:
    slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    slope = np.where(np.sign(slope) != np.sign(d0), 0.0, slope)
    return np.asarray(np.where((np.sign(d0) != np.sign(d1)) & (np.abs(slope) > 3 * np.abs(d0)), 3 * d0, slope))


def area_weights(sizes: Floats) -> Floats:
    """(K,) weights of the means in ∫ S d ln N / (ln N_max − ln N_min) by trapezia; they sum to 1."""
    x = np.log(sizes)
    width = np.diff(x)
    weights = (np.concatenate([[0.0], width]) + np.concatenate([width, [0.0]])) / 2
    return np.asarray(weights / (x[-1] - x[0]))


# ------------------------------------------------------------------------------------------------------ power law


_EXPONENTS = (0.01, 3.0)


def fit_power_law(sizes: Floats, levels: Floats, weights: Floats) -> Floats:
    """Weighted least squares of 100 − S = α N^β + γ with α ≥ 0, β < 0, γ ≥ 0 (Hestness et al. 2017).

    For a given β the rest is linear; β is searched on a grid from −3 to −0.01 and then between its neighbours.

    Args:
        sizes: (K,) at least 3; levels: (B, K) percent; weights: (K,) inverse variances.
    Returns:
        (B, 3) α, β, γ.
    """
    error = 100.0 - levels
    grid = np.geomspace(*_EXPONENTS, 120)
    best = np.array([_profile(sizes, error, weights, grid[i : i + 1])[0] for i in range(len(grid))])
    place = best.argmin(axis=0)
    low, high = grid[np.maximum(place - 1, 0)], grid[np.minimum(place + 1, len(grid) - 1)]
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(30):
        left, right = high - golden * (high - low), low + golden * (high - low)
        better = _profile(sizes, error, weights, left)[0] < _profile(sizes, error, weights, right)[0]
        low, high = np.where(better, low, left), np.where(better, right, high)
    exponent = (low + high) / 2
    _, alpha, gamma = _profile(sizes, error, weights, exponent)
    return np.column_stack([alpha, -exponent, gamma])


def at_bound(fit: Floats) -> bool:
    """Whether a fitted curve, (3,), has an exponent at the end of the search, no slope, or no room below 100 %."""
    alpha, beta, _ = (float(value) for value in fit)
    first, last = _EXPONENTS
    return alpha <= 0 or -beta <= first * 1.05 or -beta >= last / 1.05


def _profile(sizes: Floats, error: Floats, weights: Floats, exponent: Floats) -> tuple[Floats, Floats, Floats]:
    """Residual, α and γ, (B,) each, of the best fit with the exponents, (B,) or one for all, given."""
    x = (sizes[None, :] / sizes[0]) ** -exponent[:, None]
    w = weights / weights.sum()
    mx, my = (x * w).sum(axis=1), (error * w).sum(axis=1)
    dx, dy = x - mx[:, None], error - my[:, None]
    alpha = np.maximum((w * dx * dy).sum(axis=1) / (w * dx * dx).sum(axis=1), 0.0)
    gamma = my - alpha * mx
    through_zero = (w * x * error).sum(axis=1) / (w * x * x).sum(axis=1)
    alpha, gamma = np.where(gamma < 0, through_zero, alpha), np.maximum(gamma, 0.0)
    residual = (w * (error - alpha[:, None] * x - gamma[:, None]) ** 2).sum(axis=1)
    return residual, alpha * sizes[0] ** exponent, gamma


def power_law(fit: Floats, sizes: Floats | float) -> Floats:
    """Scores in percent of fitted curves, (B, 3), at sizes that broadcast to (B,)."""
    return np.asarray(100.0 - fit[:, 0] * np.asarray(sizes, dtype=float) ** fit[:, 1] - fit[:, 2])


def more_examples(fit: Floats, size: float, points: float) -> Floats:
    """How many examples beyond `size` raise fitted curves, (B, 3), by `points` percent; +inf when γ forbids it."""
    left = fit[:, 0] * size ** fit[:, 1] - points
    reachable = (left > 0) & (fit[:, 0] > 0)
    with np.errstate(over="ignore"):
        needed = (np.where(reachable, left, 1.0) / np.where(reachable, fit[:, 0], 1.0)) ** (1 / fit[:, 1])
    return np.where(reachable, needed - size, np.inf)


# -------------------------------------------------------------------------------------------------------- planning


@dataclass(frozen=True)
class Plan:
    """What would resolve a difference: at 5 %, two-sided, with a power of 80 %.

    Attributes:
        seeds: needed with the present test set; infinite where no number of seeds is enough.
        questions: needed with the present seeds; infinite where no number of examples is enough.
        resolved: the difference that the present study resolves, in percent.
    """

    seeds: float
    questions: float
    resolved: float


def plan(variances: tuple[float, float, float], seeds: int, questions: int, points: float = 1.0) -> Plan:
    """Seeds and test examples that would resolve a mean difference of `points` percent at this spread.

    The standard error is √(a/n + e/(n f) + b/f) for n seeds and f times the present examples; a difference is
    resolved when it is (t₀.₉₇₅ + t₀.₈) standard errors, t with n − 1 degrees of freedom (Miller, arXiv 2411.00640).

    Args:
        variances: a of seeds (for one seed), b of groups, e of single runs on single groups (for one seed),
            the last two for the present examples; percent squared.
    """
    a, b, e = variances
    if seeds < 2 or math.isnan(a + b + e):
        return Plan(math.nan, math.nan, math.nan)
    factor = _power_factor(seeds)
    room = points**2 / factor**2 - a / seeds
    share = (e / seeds + b) / room if room > 0 else math.inf
    wanted = math.ceil(questions * share) if math.isfinite(share) else math.inf
    return Plan(_seeds_needed(a + e, b, points), wanted, factor * math.sqrt((a + e) / seeds + b))


def _seeds_needed(single: float, groups: float, points: float) -> float:
    """Fewest seeds that resolve `points`; infinite where the groups' variance alone is too large."""

    def enough(seeds: int) -> bool:
        return _power_factor(seeds) ** 2 * (single / seeds + groups) <= points**2

    high = 2
    while not enough(high):
        high *= 2
        if high > 10**9:
            return math.inf
    low = max(high // 2, 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return float(high)


@lru_cache(maxsize=4096)
def _power_factor(seeds: int) -> float:
    """t₀.₉₇₅ + t₀.₈ with n − 1 degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(seeds - 1, 0.975) + stdtrit(seeds - 1, 0.8))
