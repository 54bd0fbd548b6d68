"""From panels to answers: paired gains, worth in examples, break-even and fits, all from one resampling.

`compare(panel, column, store, options)` sets each arm that saw English against the target-only arm of the same encoder
and target stage, and nothing else against anything. What cannot be computed is NaN, with the reason in `notes`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from xlqa.curves import statistics as st
from xlqa.curves.example_scores import QuestionStore
from xlqa.curves.grouping import Curve, Panel, Point
from xlqa.curves.statistics import Floats, Interval
from xlqa.records import Arm

if TYPE_CHECKING:
    import pandas as pd

NOTHING = Interval(math.nan, math.nan, math.nan)
LEAST_SIZES_TO_FIT = 4
POINTS_MORE = 2.0
MOST_FITS = 2000
FARTHEST = 10.0
"""A prediction is given up to this many times the largest size; beyond it is "beyond what a fit can say"."""


@dataclass(frozen=True)
class Options:
    """How the statistics are computed.

    Attributes:
        draws: of the resampling; flips: of the randomisation test.
        margin: ε of the break-even, in percent; floor: a run below it has collapsed, in percent.
        seed: of the random generator, so that the same table gives the same report.
    """

    draws: int = 10_000
    flips: int = 10_000
    margin: float = 1.0
    floor: float = 10.0
    resolve: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class SizeResult:
    """One size of a comparison; scores and differences in percent.

    Attributes:
        seeds: pairs of runs; 0 where the gain cannot be taken.
        with_english, without: means of the two arms; sd_*: over seeds.
        gain: Δ(N); p: sign flips by paragraph, given these runs; p_holm: corrected over the report.
        improvement: probability that a run with English beats one without.
        iqm_with, iqm_without: interquartile means over seeds.
        collapsed_with, collapsed_without: share of runs below the floor.
        effective: D_E(N); worth: D_T(N); multiplier: D_E(N) / N; gap: share of the gap closed.
        plan: what would resolve `Options.resolve` points.
    """

    size: int
    seeds: int
    with_english: float
    without: float
    sd_with: float
    sd_without: float
    gain: Interval
    p: float
    improvement: float
    iqm_with: Interval
    iqm_without: Interval
    collapsed_with: float
    collapsed_without: float
    effective: Interval
    worth: Interval
    multiplier: Interval
    gap: Interval
    plan: st.Plan
    p_holm: float = math.nan


@dataclass(frozen=True)
class Fit:
    """A power law 100 − S = α N^β + γ through one arm's means.

    Attributes:
        held_out: score predicted for the largest size from the others, minus the measured one; NaN below 4 sizes.
        needed: examples beyond the largest size for `points` more percent.
    """

    arm: str
    alpha: float
    beta: float
    gamma: float
    largest: int
    held_out: float
    points: float
    needed: Interval


@dataclass(frozen=True)
class Comparison:
    """An arm that saw English against the target-only arm of the same encoder, on one test set, by one score.

    Attributes:
        column: the score, as a column of the table; n_min, n_max: sizes between which the target arm was measured.
        zero_shot: S_E(0); zero_shot_worth: N₀ = S_T⁻¹(S_E(0)). Both NaN for joint training.
        full_score: S_T of all target data, NaN when it was not measured.
        area_with, area_without, area_gain: areas under the curves over the sizes both have.
        source_seeds: how many source stages the runs come from; seeds: fewest pairs behind a gain.
        by_paragraph: whether per-question scores were there; without them intervals are over seeds alone.
    """

    panel: Panel
    first: Curve
    second: Curve
    column: str
    results: tuple[SizeResult, ...]
    zero_shot: Interval
    zero_shot_worth: Interval
    n_min: int
    n_max: int
    break_even: float
    full_score: float
    area_with: Interval
    area_without: Interval
    area_gain: Interval
    fits: tuple[Fit, ...]
    source_seeds: int
    seeds: int
    by_paragraph: bool
    questions: int
    paragraphs: int
    notes: tuple[str, ...]

    @property
    def scorer(self) -> str:
        return "squad" if self.column.startswith("squad_") else self.panel.scorer

    @property
    def model(self) -> str:
        return self.first.setting["model"]

    @property
    def sizes_with_gain(self) -> tuple[int, ...]:
        return tuple(result.size for result in self.results if result.seeds)


def compare_all(
    panels: Sequence[Panel], columns: Sequence[str], store: QuestionStore, options: Options = Options()
) -> tuple[Comparison, ...]:
    """All comparisons of a report, with Holm's correction over the sizes and languages of each arm and score."""
    found = [c for panel in panels for column in columns for c in compare(panel, column, store, options)]
    for kind in {(c.first.arm, c.column) for c in found}:
        places = [(i, k) for i, c in enumerate(found) if (c.first.arm, c.column) == kind for k in range(len(c.results))]
        corrected = st.holm(np.array([found[i].results[k].p for i, k in places]))
        for (i, k), p in zip(places, corrected, strict=True):
            results = list(found[i].results)
            results[k] = replace(results[k], p_holm=float(p))
            found[i] = replace(found[i], results=tuple(results))
    return tuple(found)


def pairs(panel: Panel) -> list[tuple[Curve, Curve]]:
    """Curves that may be compared: transfer or joint with target-only of the same encoder and target stage."""
    return [
        (first, second)
        for first in panel.curves
        for second in panel.curves
        if first.arm.uses_source and second.arm is Arm.TARGET_ONLY and first.family == second.family
    ]


def compare(panel: Panel, column: str, store: QuestionStore, options: Options = Options()) -> list[Comparison]:
    """The comparisons of one panel by one score.

    Args:
        column: "f1", "em", "squad_f1" or "squad_em".
    """
    return [_Worker(panel, first, second, column, options).run(store) for first, second in pairs(panel)]


class _Worker:
    """One comparison on its way: the cells, their draws, and what is read off them."""

    def __init__(self, panel: Panel, first: Curve, second: Curve, column: str, options: Options) -> None:
        self.panel, self.first, self.second, self.column, self.options = panel, first, second, column, options
        self.rng = np.random.default_rng(options.seed)
        self.sizes = tuple(sorted({*first.sizes, *second.sizes}))
        self.e = [_complete(first.point(size), column) for size in self.sizes]
        self.t = [_complete(second.point(size), column) for size in self.sizes]
        # Joint training may have fewer seeds than the arm it is set against: a difference is taken of the same seeds.
        for k, (e, t) in enumerate(zip(self.e, self.t, strict=True)):
            if e is not None and t is not None and set(e["seed"]) != set(t["seed"]):
                shared = set(e["seed"]) & set(t["seed"])
                self.e[k] = e[e["seed"].isin(shared)] if shared else None
                self.t[k] = t[t["seed"].isin(shared)] if shared else t
        zero = first.zero_shot.dropna(subset=[column])
        self.zero = zero if len(zero) else None
        self.notes: list[str] = []

    def run(self, store: QuestionStore) -> Comparison:
        sums, self.counts = self._read(store)
        self.by_paragraph = self.counts.size > 1
        self._draw(sums)
        known = np.array([point is not None for point in self.t])
        self.t_sizes = np.array(self.sizes, dtype=float)[known]
        self.t_levels = self.values("t")[:, known]
        if not known.any():
            self.notes.append(f"{self.second.label} is complete at no size: nothing can be compared.")
        results = tuple(self._result(k) for k in range(len(self.sizes)))
        measured = [result for result in results if result.seeds]
        areas = self._areas([k for k, result in enumerate(results) if result.seeds])
        return Comparison(
            self.panel, self.first, self.second, self.column, results,
            zero_shot=self._interval(self.values("zero")[:, 0]) if self.zero is not None else NOTHING,
            zero_shot_worth=self._zero_shot_worth(),
            n_min=int(self.t_sizes[0]) if known.any() else 0,
            n_max=int(self.t_sizes[-1]) if known.any() else 0,
            break_even=st.break_even([r.size for r in measured], [r.gain for r in measured], self.options.margin),
            full_score=self._full(), area_with=areas[0], area_without=areas[1], area_gain=areas[2],
            fits=self._fits(),
            source_seeds=self._source_seeds(), seeds=min((r.seeds for r in measured), default=0),
            by_paragraph=self.by_paragraph, questions=int(self.counts.sum()), paragraphs=int(self.counts.size),
            notes=tuple(self.notes),
        )  # fmt: skip

    # ---- cells and draws

    def _parts(self) -> list[tuple[str, int, pd.DataFrame]]:
        """(group, place, rows) of every cell: zero-shot first, then the two arms by size."""
        arms = (("zero", [self.zero]), ("e", self.e), ("t", self.t))
        return [(arm, k, rows) for arm, points in arms for k, rows in enumerate(points) if rows is not None]

    def _read(self, store: QuestionStore) -> tuple[list[Floats], Floats]:
        """Sums of each cell's runs, (n, P), and counts (P,); P = 1 where per-question scores are missing."""
        import pandas as pd

        parts = [rows for _, _, rows in self._parts()]
        if parts:
            found = store.sums(pd.concat(parts), self.column)
            if found is not None:
                sums, counts = found
                ends = np.cumsum([len(rows) for rows in parts])
                return [np.array(sums[end - len(rows) : end]) for end, rows in zip(ends, parts, strict=True)], counts
            self.notes.append(
                "no per-question scores beside the table: intervals are over seeds alone, and there is no p."
            )
        questions = float(parts[0]["questions"].iloc[0]) if parts else 1.0
        counts = np.array([1.0 if math.isnan(questions) else questions])
        return [rows[self.column].to_numpy(dtype=float)[:, None] * counts for rows in parts], counts

    def _draw(self, sums: list[Floats]) -> None:
        parts = self._parts()
        self.place = {(arm, k): i for i, (arm, k, _) in enumerate(parts)}
        self.sums = sums
        cells = [st.Cell(_units(arm, rows), part) for (arm, _, rows), part in zip(parts, sums, strict=True)]
        self.draws = st.draw_means(cells, self.counts, self.options.draws, self.rng) if cells else None

    def values(self, arm: str) -> Floats:
        """(1 + B, K) means of an arm at every size, the measured ones first, NaN where a size is not complete."""
        width = 1 if arm == "zero" else len(self.sizes)
        found = np.full((1 + self.options.draws, width), math.nan)
        if self.draws is not None:
            for k in range(width):
                if (arm, k) in self.place:
                    at = self.place[arm, k]
                    found[0, k] = self.draws.means[at]
                    # One run without paragraphs shows no spread at all; that is not certainty, so it has no draws.
                    if self.by_paragraph or len(self.sums[at]) > 1:
                        found[1:, k] = self.draws.values[:, at]
        return found

    @staticmethod
    def _interval(column: Floats) -> Interval:
        """Interval from (1 + B,) values, the estimate first."""
        return st.central_interval(float(column[0]), column[1:])

    # ---- what is read off them

    def _result(self, k: int) -> SizeResult:
        size, e, t = self.sizes[k], self.e[k], self.t[k]
        first, second = _scores(e, self.column), _scores(t, self.column)
        paired = e is not None and t is not None
        iqm = st.interquartile_interval([first, second], min(2000, self.options.draws), self.rng)
        effective = self._at_score(self.values("e")[:, k])
        return SizeResult(
            size=size,
            seeds=len(first) if paired else 0,
            with_english=_mean(first), without=_mean(second), sd_with=_sd(first), sd_without=_sd(second),
            gain=self._interval(self.values("e")[:, k] - self.values("t")[:, k]),
            p=self._p(k) if paired else math.nan,
            improvement=st.probability_of_improvement(first, second),
            iqm_with=iqm[0], iqm_without=iqm[1],
            collapsed_with=st.collapse_rate(first, self.options.floor),
            collapsed_without=st.collapse_rate(second, self.options.floor),
            effective=self._interval(effective), worth=self._interval(effective - size),
            multiplier=self._interval(effective / size),
            gap=self._gap(k),
            plan=self._plan(k) if paired else st.Plan(math.nan, math.nan, math.nan),
        )  # fmt: skip

    def _at_score(self, scores: Floats) -> Floats:
        if not self.t_sizes.size or np.isnan(scores[0]):
            return np.full(len(scores), math.nan)
        return st.size_at_score(self.t_sizes, self.t_levels, scores)

    def _zero_shot_worth(self) -> Interval:
        return NOTHING if self.zero is None else self._interval(self._at_score(self.values("zero")[:, 0]))

    def _gap(self, k: int) -> Interval:
        zero, full = self.values("zero")[:, 0], self._full_values()
        if (zero[1:] >= full[1:]).any():
            # Where the gap may as well be none, a share of it is noise over noise.
            return NOTHING
        return self._interval(st.gap_closed(self.values("e")[:, k], zero, full))

    def _full_values(self) -> Floats:
        full = self.second.full_size
        if full is None:
            return np.full(1 + self.options.draws, math.nan)
        return np.asarray(self.values("t")[:, self.sizes.index(full)])

    def _full(self) -> float:
        return float(self._full_values()[0])

    def _p(self, k: int) -> float:
        if not self.by_paragraph:
            return math.nan
        difference = self.sums[self.place["e", k]].mean(axis=0) - self.sums[self.place["t", k]].mean(axis=0)
        return float(st.sign_flip_p(difference[None, :], self.counts, self.options.flips, self.rng)[0])

    def _plan(self, k: int) -> st.Plan:
        assert self.draws is not None
        pick = np.zeros(len(self.place))
        pick[self.place["e", k]], pick[self.place["t", k]] = 1.0, -1.0
        seeds, paragraphs, shared = (
            float(pick @ part @ pick)
            for part in (self.draws.seed_part, self.draws.paragraph_part, self.draws.shared_part)
        )
        rows = self.e[k]
        assert rows is not None
        n = len(rows)
        # Runs on this test set show a + e, the paragraphs' part b + e / n: see `statistics.draw_means`.
        variances = (max(seeds - shared, 0.0) * n, max(paragraphs - shared, 0.0), shared * n)
        return st.plan(variances, n, int(self.counts.sum()), self.options.resolve)

    def _areas(self, places: list[int]) -> tuple[Interval, Interval, Interval]:
        if len(places) < 2:
            return NOTHING, NOTHING, NOTHING
        at = np.array(self.sizes, dtype=float)[places]
        e, t = (st.area_under_curve(at, self.values(arm)[:, places]) for arm in ("e", "t"))
        return self._interval(e), self._interval(t), self._interval(e - t)

    def _fits(self) -> tuple[Fit, ...]:
        complete = {arm: [k for k in range(len(self.sizes)) if (arm, k) in self.place] for arm in ("e", "t")}
        if any(len(places) < LEAST_SIZES_TO_FIT for places in complete.values()):
            self.notes.append(
                f"a power law needs {LEAST_SIZES_TO_FIT} complete sizes, one of them held out as a check."
            )
        return tuple(self._fit(arm, places) for arm, places in complete.items() if len(places) >= LEAST_SIZES_TO_FIT)

    def _fit(self, arm: str, places: list[int]) -> Fit:
        at = np.array(self.sizes, dtype=float)[places]
        # Fitting each draw is the slowest step here, and two digits of a prediction do not need all of them.
        levels = self.values(arm)[: 1 + MOST_FITS, places]
        weights = 1 / np.maximum(levels[1:].var(axis=0), 1e-4)
        held = st.fit_power_law(at[:-1], levels[:1, :-1], weights[:-1])
        fits = st.fit_power_law(at, levels, weights)
        needed = st.more_examples(fits, at[-1], POINTS_MORE)
        needed = np.where(needed > (FARTHEST - 1) * at[-1], np.inf, needed)
        alpha, beta, gamma = (float(value) for value in fits[0])
        return Fit(
            (self.first if arm == "e" else self.second).label, alpha, beta, gamma, int(at[-1]),
            held_out=float(st.power_law(held, at[-1])[0] - levels[0, -1]),
            points=POINTS_MORE, needed=self._interval(needed),
        )  # fmt: skip

    def _source_seeds(self) -> int:
        rows = [rows for rows in (*self.e, self.zero) if rows is not None]
        return len({seed for part in rows for seed in part["source_seed"].dropna()})


def _complete(point: Point | None, column: str) -> pd.DataFrame | None:
    """The runs of a point, or None where one is missing: no mean is taken over a missing run."""
    if point is None or point.missing or point.rows.empty or point.rows[column].isna().any():
        return None
    return point.rows


def _units(arm: str, rows: pd.DataFrame) -> tuple[tuple[str, int, int], ...]:
    """What makes runs of different cells move together: the seed; source stages apart from it."""
    kind = "source" if arm == "zero" else "seed"
    column = "source_seed" if arm == "zero" else "seed"
    seen: dict[int, int] = {}
    units = []
    for seed in rows[column]:
        copy = seen.get(int(seed), 0)
        seen[int(seed)] = copy + 1
        units.append((kind, int(seed), copy))
    return tuple(units)


def _scores(rows: pd.DataFrame | None, column: str) -> Floats:
    return np.empty(0) if rows is None else rows[column].to_numpy(dtype=float)


def _mean(scores: Floats) -> float:
    return float(scores.mean()) if scores.size else math.nan


def _sd(scores: Floats) -> float:
    return float(scores.std(ddof=1)) if scores.size > 1 else math.nan


# ------------------------------------------------------------------------------------------------ measured coverage


@lru_cache(maxsize=1)
def _coverage_table() -> tuple[tuple[str, int, int, float], ...]:
    rows = json.loads((files("xlqa.curves") / "coverage.json").read_text(encoding="utf-8"))
    return tuple((row["quantity"], row["seeds"], row["sizes"], row["covered"]) for row in rows)


def measured_coverage(quantity: str, seeds: int, sizes: int) -> float:
    """How often the 95 % interval of a quantity covered the truth in simulated studies (experiments/coverage), 0 to 1.

    Args:
        quantity: "gain", "worth" or "zero-shot worth".
        seeds, sizes: of the study; the nearest simulated ones that are not larger are taken.
    Returns:
        NaN below the smallest study simulated.
    """
    fitting = [(s, k, c) for name, s, k, c in _coverage_table() if name == quantity and s <= seeds]
    # A gain does not depend on the other sizes; a curve of a single size has no worth to speak of.
    sizes = max(sizes, min((k for _, k, _ in fitting), default=0)) if quantity == "gain" else sizes
    return max((row for row in fitting if row[1] <= sizes), default=(0, 0, math.nan))[2]
