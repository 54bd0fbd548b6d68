"""Gains, intervals, worth in examples and fits: pure functions on arrays, the random generator passed in.

Scores are percentages (0 to 100). Shapes: B draws, K cells (an arm at a size), n runs of a cell, P paragraphs, Q
questions. Paragraphs are resampled as a bootstrap, because the questions of one paragraph are not independent (Miller,
arXiv 2411.00640). Seeds are too few for that: a percentile bootstrap of the mean of 5 covers 82 % instead of 95 %. So
what seeds do is drawn from the multivariate t distribution of their mean, with n − 1 degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
MOST_SEEDS = 1000
_CHUNK = 2_000_000
"""Most weights that are held at once while paragraphs are resampled."""


@dataclass(frozen=True)
class Cell:
    """The runs of one arm at one size.

    Attributes:
        units: (n,) what a run shares with those of other cells, usually its seed: deviations of one unit are drawn
            together, so that paired differences stay paired.
        sums: (n, P) sum of a run's scores over the questions of each paragraph. With P = 1, the sum over all
            questions, nothing is known of the paragraphs and only seeds vary.
    """

    units: tuple[Hashable, ...]
    sums: Floats


@dataclass(frozen=True)
class Draws:
    """Means of K cells and B draws of what they could as well have been.

    Attributes:
        means: (K,) percent.
        values: (B, K) percent.
        seed_part, paragraph_part, shared_part: (K, K) covariances of the means: from runs, from paragraphs, and what
            both of them contain, the noise of single runs on single paragraphs (it is counted once).
    """

    means: Floats
    values: Floats
    seed_part: Floats
    paragraph_part: Floats
    shared_part: Floats


@dataclass(frozen=True)
class Interval:
    """An estimate and its central interval; infinite ends mean "beyond what was measured"."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


# ------------------------------------------------------------------------------------------------------ resampling


def paragraph_sums(scores: Floats, paragraphs: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Sums of scores per paragraph, and how many questions each has.

    Args:
        scores: (n, Q) percent.
        paragraphs: (Q,) paragraph of each question, 0 to P − 1.
    Returns:
        (n, P) sums and (P,) counts.
    """
    counts = np.bincount(paragraphs).astype(float)
    sums = np.array([np.bincount(paragraphs, weights=row, minlength=counts.size) for row in scores])
    return sums.reshape(len(scores), counts.size), counts


def resample_paragraphs(sums: Floats, counts: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Mean scores over questions when whole paragraphs are drawn with replacement.

    Args:
        sums: (K, P) sums of scores per paragraph; counts: (P,) questions per paragraph.
    Returns:
        (draws, K) percent. A draw's mean is its sum over its own number of questions (a ratio estimator).
    """
    both = np.column_stack([sums.T, counts])
    step = max(1, _CHUNK // counts.size)
    totals = [_weights(counts.size, min(step, draws - begin), rng) @ both for begin in range(0, draws, step)]
    total = np.concatenate(totals)
    return np.asarray(total[:, :-1] / total[:, -1:])


def _weights(units: int, draws: int, rng: np.random.Generator) -> Floats:
    """(draws, units) how often each unit is drawn when `units` of them are drawn with replacement."""
    picks = rng.integers(0, units, size=(draws, units), dtype=np.int64)
    picks += np.arange(draws)[:, None] * units
    return np.bincount(picks.ravel(), minlength=draws * units).reshape(draws, units).astype(float)


def draw_means(cells: Sequence[Cell], counts: Floats, draws: int, rng: np.random.Generator) -> Draws:
    """Draw the means of K cells over their runs, as other paragraphs and other seeds would have made them.

    Three things move a mean over n runs and P paragraphs: runs (variance a/n), paragraphs (b/P) and the noise of single
    runs on single paragraphs (e/nP). The spread of the runs shows a + e/P, resampling paragraphs b + e/n, so what both
    contain is taken out of the paragraphs' part (the seeds' part, with its few degrees of freedom, is left whole).

    Args:
        cells: K of them; a cell with a single run says nothing of seeds, and its draws are given that run.
        counts: (P,) questions per paragraph.
    """
    questions = counts.sum()
    scores = [cell.sums.sum(axis=1) / questions for cell in cells]
    means = np.array([row.mean() for row in scores])
    mean_sums = np.array([cell.sums.mean(axis=0) for cell in cells])
    by_paragraph = resample_paragraphs(mean_sums, counts, draws, rng) - means
    by_paragraph -= by_paragraph.mean(axis=0)
    paragraph_part = np.atleast_2d(np.cov(by_paragraph, rowvar=False))
    shared = _shared_covariance(cells, counts)
    by_paragraph = by_paragraph @ _shrinking(paragraph_part, shared)
    by_seed, seed_part = _seed_deviations(cells, scores, draws, rng)
    return Draws(means, means + by_paragraph + by_seed, seed_part, paragraph_part, shared)


def _seed_deviations(
    cells: Sequence[Cell], scores: Sequence[Floats], draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """(draws, K) deviations of the means, multivariate t over each set of units; and their (K, K) covariance S/n."""
    units = list(dict.fromkeys(unit for cell in cells for unit in cell.units))
    normal = rng.standard_normal((draws, len(units)))
    stretch: dict[tuple[Hashable, ...], Floats] = {}
    deviations = np.zeros((draws, len(cells)))
    centred = np.zeros((len(units), len(cells)))
    for k, (cell, row) in enumerate(zip(cells, scores, strict=True)):
        n = len(cell.units)
        if n < 2:
            continue
        if cell.units not in stretch:
            stretch[cell.units] = np.sqrt((n - 1) / rng.chisquare(n - 1, draws))
        at = [units.index(unit) for unit in cell.units]
        centred[at, k] = (row - row.mean()) / math.sqrt(n * (n - 1))
        deviations[:, k] = (normal[:, at] @ centred[at, k]) * stretch[cell.units]
    return deviations, centred.T @ centred


def _shared_covariance(cells: Sequence[Cell], counts: Floats) -> Floats:
    """(K, K) the part of the means' covariance that comes from single runs on single paragraphs, e/nP.

    It is what is left of a run's paragraph sums without the run's and the paragraph's own level.
    """
    units = list(dict.fromkeys(unit for cell in cells for unit in cell.units))
    questions = counts.sum()
    left = np.zeros((len(cells), len(units), counts.size))
    for k, cell in enumerate(cells):
        n = len(cell.units)
        if n < 2 or counts.size < 2:
            continue
        off = cell.sums - cell.sums.mean(axis=0)
        off = off - np.outer(off.sum(axis=1) / questions, counts)
        left[k, [units.index(unit) for unit in cell.units]] = off / math.sqrt(n * (n - 1))
    flat = left.reshape(len(cells), -1) / questions
    return np.asarray(flat @ flat.T)


def _shrinking(whole: Floats, part: Floats) -> Floats:
    """(K, K) matrix A such that draws with covariance `whole`, times A, have the covariance whole − part."""
    values, vectors = np.linalg.eigh(whole)
    safe = values > values.max() * 1e-10 if values.max() > 0 else np.zeros(values.size, dtype=bool)
    inverse_root = vectors * np.where(safe, 1 / np.sqrt(np.where(safe, values, 1)), 0) @ vectors.T
    rest_values, rest_vectors = np.linalg.eigh(whole - part)
    root = rest_vectors * np.sqrt(np.clip(rest_values, 0, None)) @ rest_vectors.T
    return np.asarray(inverse_root @ root)


def central_interval(value: float, draws: Floats, level: float = 0.95) -> Interval:
    """The value with the central `level` of its draws, (B,); infinite draws count as beyond every finite one.

    NaN draws (the quantity does not exist there) make the whole interval NaN: leaving them out would narrow it.
    """
    if math.isnan(value) or np.isnan(draws).any():
        return Interval(value, math.nan, math.nan)
    ordered = np.sort(draws)
    tail = (1 - level) / 2
    low = ordered[math.floor(tail * (len(ordered) - 1))]
    high = ordered[math.ceil((1 - tail) * (len(ordered) - 1))]
    return Interval(value, float(low), float(high))


# ---------------------------------------------------------------------------------------------------- significance


def sign_flip_p(differences: Floats, counts: Floats, flips: int, rng: np.random.Generator) -> Floats:
    """Two-sided p of a mean difference by sign-flip randomisation, the paragraph being what is flipped.

    p = (1 + #{|Δ*| ≥ |Δ|}) / (R + 1) (Riezler & Maxwell 2005). It asks about the paragraphs, given these runs.

    Args:
        differences: (K, P) sum of the differences over each paragraph's questions, mean over seeds.
        counts: (P,) questions per paragraph.
    Returns:
        (K,) p-values. With P paragraphs none is below 2^(1 − P), whatever R is.
    """
    observed = np.abs(differences.sum(axis=1))
    beyond = np.zeros(len(differences))
    step = max(1, _CHUNK // counts.size)
    for begin in range(0, flips, step):
        signs = rng.integers(0, 2, size=(min(step, flips - begin), counts.size), dtype=np.int8) * 2.0 - 1.0
        # The tolerance makes a tie a tie: sums of the same numbers in another order differ in the last digits.
        beyond += (np.abs(signs @ differences.T) >= observed * (1 - 1e-9) - 1e-9).sum(axis=0)
    return np.asarray((1 + beyond) / (flips + 1))


def holm(p: Floats) -> Floats:
    """Holm's (1979) step-down correction; NaN stays NaN and does not count.

    Args:
        p: (m,) p-values of one family.
    Returns:
        (m,) adjusted p-values.
    """
    adjusted = np.full(len(p), math.nan)
    there = np.flatnonzero(~np.isnan(p))
    order = there[np.argsort(p[there], kind="stable")]
    raised = p[order] * (len(order) - np.arange(len(order)))
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1) if len(order) else raised
    return adjusted


def probability_of_improvement(first: Floats, second: Floats) -> float:
    """Share of pairs in which a run of `first`, (n,), beats one of `second`, (m,), ties half (Agarwal et al. 2021)."""
    if not len(first) or not len(second):
        return math.nan
    apart = np.sign(np.subtract.outer(first, second))
    return float((apart + 1).mean() / 2)


def interquartile_mean(scores: Floats) -> Floats:
    """Mean without the lowest and highest quarter along the last axis; a quarter is ⌊n / 4⌋, as in rliable."""
    from scipy.stats import trim_mean

    return np.asarray(trim_mean(scores, 0.25, axis=-1))


def interquartile_interval(scores: Sequence[Floats], draws: int, rng: np.random.Generator) -> list[Interval]:
    """Interquartile mean of each cell's runs, with a stratified percentile bootstrap: runs are drawn within their cell.

    Args:
        scores: K arrays (n,). One run alone has no interval (NaN).
    """
    found = []
    for row in scores:
        value = float(interquartile_mean(row)) if len(row) else math.nan
        if len(row) < 2:
            found.append(Interval(value, math.nan, math.nan))
            continue
        drawn = interquartile_mean(row[rng.integers(0, len(row), size=(draws, len(row)))])
        found.append(central_interval(value, drawn))
    return found


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


def break_even(sizes: Sequence[int], intervals: Sequence[Interval], margin: float) -> float:
    """The smallest size from which on every interval of Δ stays within ± margin; +inf when the largest still leaves it.

    NaN when no interval is known at the largest size.
    """
    if not intervals or math.isnan(intervals[-1].low):
        return math.nan
    found = math.inf
    for size, interval in zip(reversed(sizes), reversed(intervals), strict=True):
        if not (interval.low >= -margin and interval.high <= margin):
            break
        found = float(size)
    return found


def gap_closed(scores: Floats, zero_shot: Floats, full: Floats) -> Floats:
    """Share of the way from zero-shot to the target arm on all its data: (S_E(N) − S_E(0)) / (S_full − S_E(0)), (B,).

    NaN where there is no gap to close (full is not above zero-shot).
    """
    gap = full - zero_shot
    return np.asarray(np.where(gap > 0, (scores - zero_shot) / np.where(gap > 0, gap, 1.0), np.nan))


def area_under_curve(sizes: Floats, levels: Floats) -> Floats:
    """∫ S d ln N / (ln N_max − ln N_min) by trapezia, (B, K) to (B,): a mean score over the sizes; NaN for one size."""
    if len(sizes) < 2:
        return np.full(len(levels), math.nan)
    x = np.log(sizes)
    return np.asarray(np.trapz(levels, x, axis=1) / (x[-1] - x[0]))


# ------------------------------------------------------------------------------------------------------ power law


def fit_power_law(sizes: Floats, levels: Floats, weights: Floats) -> Floats:
    """Weighted least squares of 100 − S = α N^β + γ with α ≥ 0, β < 0, γ ≥ 0 (Hestness et al. 2017).

    For a given β the rest is linear; β is searched on a grid from −3 to −0.01 and then between its neighbours.

    Args:
        sizes: (K,) at least 3; levels: (B, K) percent; weights: (K,) inverse variances.
    Returns:
        (B, 3) α, β, γ.
    """
    error = 100.0 - levels
    grid = np.geomspace(0.01, 3.0, 120)
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
        seeds: needed with the present test set; inf when MOST_SEEDS are not enough.
        questions: needed with the present seeds; inf when no number of questions is enough.
        resolved: the difference that the present study resolves, in percent.
    """

    seeds: float
    questions: float
    resolved: float


def plan(variances: tuple[float, float, float], seeds: int, questions: int, points: float = 1.0) -> Plan:
    """Seeds and test questions that would resolve a mean difference of `points` percent at this spread.

    The standard error is √(a/n + e/(n f) + b/f) for n seeds and f times the present questions; a difference is
    resolved when it is (t₀.₉₇₅ + t₀.₈) standard errors, t with n − 1 degrees of freedom (Miller, arXiv 2411.00640).

    Args:
        variances: a of seeds (for one seed), b of paragraphs, e of single runs on single paragraphs (for one seed),
            the last two for the present questions; percent squared.
    """
    a, b, e = variances
    if seeds < 2 or math.isnan(a + b + e):
        return Plan(math.nan, math.nan, math.nan)
    fixed = points**2
    numbers = np.arange(2, MOST_SEEDS + 1)
    fine = _factors() ** 2 * ((a + e) / numbers + b) <= fixed
    enough = float(numbers[fine.argmax()]) if fine.any() else math.inf
    factor = float(_factors()[min(seeds, MOST_SEEDS) - 2])
    room = fixed / factor**2 - a / seeds
    share = (e / seeds + b) / room if room > 0 else math.inf
    wanted = math.ceil(questions * share) if math.isfinite(share) else math.inf
    return Plan(enough, wanted, factor * math.sqrt((a + e) / seeds + b))


@lru_cache(maxsize=1)
def _factors() -> Floats:
    """t₀.₉₇₅ + t₀.₈ for 2, 3, … MOST_SEEDS seeds."""
    from scipy.stats import t

    freedom = np.arange(1, MOST_SEEDS)
    return np.asarray(t.ppf(0.975, freedom) + t.ppf(0.8, freedom))
