"""Sets arms against each other: paired gains, worth in examples, break-even, laws and planning, each with its interval.

`compare(panel, column, store, options)` compares each arm that saw the source data with the target-only arm of the same
encoder and target data. What cannot be computed is NaN, with the reason in `notes`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from xlqa.curves import statistics as st
from xlqa.curves.components import Component, variance_components
from xlqa.curves.example_scores import ExampleScores, ExampleStore
from xlqa.curves.grouping import HYPER_COLUMNS, Curve, Panel, Point, is_crossed, run_units
from xlqa.curves.variance import SOURCE, TARGET, UNKNOWN, ZERO, Cell, Floats, Interval, Key, Stages, Study
from xlqa.curves.wording import QA, Columns, Wording, columns_of, leading_metric, metric_name, scorer_name
from xlqa.curves.worth import Law, TargetCurve, ratio_interval, worth_law
from xlqa.records import Arm

if TYPE_CHECKING:
    import pandas as pd

Mask = npt.NDArray[np.bool_]
LEAST_SIZES_TO_FIT = 6
"""Three parameters need more than three points, and one more size is held out as a check."""
POINTS_MORE = 2.0
FARTHEST = 10.0
"""A prediction is given up to this many times the largest size."""
COMPUTE_TOLERANCE = 0.1


@dataclass(frozen=True)
class Options:
    """How the statistics are computed.

    Attributes:
        margin: ε of the break-even, in percent.
        floor: a run that scores below it has collapsed, in percent.
        resolve: a difference that planning is about, in percent.
    """

    margin: float = 1.0
    floor: float = 10.0
    resolve: float = 1.0


class Match(StrEnum):
    """How the settings of two arms that are compared relate."""

    SAME = "same settings"
    COMPUTE = "matched compute"
    BEST = "best against best"
    OWN = "settings of their own"


@dataclass(frozen=True)
class SizeResult:
    """One size of a comparison; scores and differences in percent.

    Attributes:
        seeds: pairs of runs; 0 where the gain cannot be taken.
        with_source, without: means of the two arms; sd_*: over seeds.
        gain: Δ(N). band: Δ(N) with an interval that holds at every size together.
        collapsed_with, collapsed_without: share of runs below the floor.
        effective: D_E(N); worth: D_T(N); multiplier: D_E(N) / N; gap: share of the gap closed.
        plan: what would resolve `Options.resolve` points.
    """

    size: int
    seeds: int
    with_source: float
    without: float
    sd_with: float
    sd_without: float
    gain: Interval
    band: Interval
    collapsed_with: float
    collapsed_without: float
    effective: Interval
    worth: Interval
    multiplier: Interval
    gap: Interval
    plan: st.Plan


@dataclass(frozen=True)
class Fit:
    """A power law 100 − S = α N^β + γ through one arm's means.

    Attributes:
        held_out: score predicted for the largest size from the others, minus the measured one.
        at_bound: whether β or γ ended at the bound of the search, so that the law predicts nothing.
        needed: examples beyond the largest size for `points` more percent.
    """

    arm: str
    alpha: float
    beta: float
    gamma: float
    largest: int
    held_out: float
    at_bound: bool
    points: float
    needed: Interval


@dataclass(frozen=True)
class Comparison:
    """An arm that saw the source data against the target-only arm of the same encoder, on one test set, by one score.

    Attributes:
        column: the score, as a column of the table; match: how the settings of the arms relate.
        stages: the estimand of all intervals: given these source stages, or over other stages.
        n_min, n_max: sizes between which the target-only arm was measured.
        zero_shot: S_E(0); zero_shot_worth: N₀ = S_T⁻¹(S_E(0)). Both NaN for joint training.
        full_score: S_T of all target data, NaN when it was not measured.
        break_even: the smallest N from which on every interval of Δ stays within ± ε; +∞ where the interval at the
            largest size is outside it, NaN where that is not determined.
        area_with, area_without, area_gain: areas under the curves over the sizes both have.
        law: of the worth, D_T = k · N^α. fits: of the arms' scores.
        source_stages: how many source stages the compared runs start from; confounded: whether each training seed has its own.
        seeds: fewest pairs behind a gain. one_run: whether the runs' spread is unknown.
        by_group: whether per-example scores were there; without them intervals are over seeds alone.
        learned: whether some run of either arm scored above the floor.
        cells: the runs behind it.
        other: the same comparison over other source stages, where there is more than one.
    """

    panel: Panel
    first: Curve
    second: Curve
    column: str
    match: tuple[Match, ...]
    stages: Stages
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
    law: Law | None
    fits: tuple[Fit, ...]
    components: tuple[Component, ...]
    source_stages: int
    confounded: bool
    seeds: int
    one_run: bool
    by_group: bool
    learned: bool
    examples: int
    groups: int
    notes: tuple[str, ...]
    cells: PairedCells = field(repr=False, compare=False)
    other: Comparison | None = None

    @property
    def scorer(self) -> str:
        """The scorer's name; "" where the metric's name is enough."""
        return scorer_name(self.column, self.panel.task, self.panel.scorer)

    @property
    def metric(self) -> str:
        """The score's name."""
        return metric_name(self.column, self.panel.task)

    @property
    def wording(self) -> Wording:
        """The words of its task."""
        return self.panel.wording

    @property
    def model(self) -> str:
        return self.first.setting["model"]

    @property
    def stated(self) -> Comparison:
        """The comparison whose estimand reports state: over other source stages, where each seed has a stage of its own."""
        return self.other if self.confounded and self.other is not None else self

    @property
    def planned(self) -> SizeResult | None:
        """The size that planning is about: where the study resolves least; None without seeds and scores of single examples."""
        known = [r for r in self.results if r.seeds and not math.isnan(r.plan.resolved)]
        return max(known, key=lambda r: r.plan.resolved, default=None)

    @property
    def crossed(self) -> tuple[int, int] | None:
        """Numbers of subsets and of training seeds, where subsets were trained on with several seeds; else None."""
        units = {unit for key, rows in self.cells.rows.items() if key[0] != ZERO for unit in run_units(rows)}
        return (len({s for s, _ in units}), len({t for _, t in units})) if is_crossed(units) else None

    @property
    def sizes_with_gain(self) -> tuple[int, ...]:
        return tuple(result.size for result in self.results if result.seeds)

    @property
    def collapsed_at(self) -> dict[str, tuple[int, ...]]:
        """Label of an arm -> sizes at which some of its runs scored below the floor; arms without such runs are left out."""
        found = {
            self.first.label: tuple(r.size for r in self.results if r.collapsed_with > 0),
            self.second.label: tuple(r.size for r in self.results if r.collapsed_without > 0),
        }
        return {label: sizes for label, sizes in found.items() if sizes}


# ------------------------------------------------------------------------------------------------ what is compared


def compare_all(
    panels: Sequence[Panel],
    columns: Columns,
    store: ExampleStore,
    options: Options = Options(),
    valid: Sequence[Panel] = (),
) -> tuple[Comparison, ...]:
    """All comparisons of a report.

    Args:
        columns: the scores to compare.
        valid: panels of the validation split, which choose the best setting of each arm.
    """
    return tuple(
        c
        for panel in panels
        for column in columns_of(columns, panel.task)
        for c in compare(panel, column, store, options, valid)
    )


def leading(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """One comparison for each arm, panel and score: that with the same settings, else the best, else the first."""
    order = [Match.SAME, Match.BEST, Match.OWN, Match.COMPUTE]
    chosen: dict[tuple[int, str, tuple[str, ...]], Comparison] = {}
    for c in sorted(comparisons, key=lambda c: min(order.index(match) for match in c.match)):
        chosen.setdefault((id(c.panel), c.column, c.first.key), c)
    return tuple(c for c in comparisons if any(c is kept for kept in chosen.values()))


def pairs(panel: Panel, valid: Sequence[Panel] = ()) -> list[tuple[Curve, Curve, tuple[Match, ...]]]:
    """Curves that may be compared: transfer or joint with target-only of the same encoder and target data.

    Settings of the training on N examples may differ. Compared are arms with the same settings; the arms that the
    validation split prefers; arms with as many updates in all; and an arm that has no partner with its settings with
    every one.
    """
    sources = [curve for curve in panel.curves if curve.arm.uses_source and curve.points]
    targets = [curve for curve in panel.curves if curve.arm is Arm.TARGET_ONLY]
    best = _best_settings(panel, valid)
    found = []
    for first in sources:
        partners = [curve for curve in targets if curve.data_key == first.data_key]
        alone = not any(_same_settings(first, second) for second in partners)
        for second in partners:
            match = _match(first, second, best, alone)
            if match:
                found.append((first, second, match))
    return found


def _match(first: Curve, second: Curve, best: Sequence[tuple[str, ...]], alone: bool) -> tuple[Match, ...]:
    found = [Match.SAME] if _same_settings(first, second) else []
    if first.key in best and second.key in best:
        found.append(Match.BEST)
    if not found and _same_compute(first, second):
        found.append(Match.COMPUTE)
    return tuple(found) or ((Match.OWN,) if alone else ())


def _same_settings(first: Curve, second: Curve) -> bool:
    return all(first.setting[name] == second.setting[name] for name in HYPER_COLUMNS)


def _same_compute(first: Curve, second: Curve) -> bool:
    """Whether the second arm takes as many updates at each size as the first with its source stage."""
    sizes = [size for size in first.sizes if second.point(size) is not None]
    return bool(sizes) and all(
        abs(second.updates(size) / first.updates(size) - 1) <= COMPUTE_TOLERANCE for size in sizes
    )


def _best_settings(panel: Panel, valid: Sequence[Panel]) -> list[tuple[str, ...]]:
    """Keys of the curves that the validation split of the same language prefers, one an arm; none without choice."""
    same = [other for other in valid if (other.task, other.lang) == (panel.task, panel.lang)]
    curves = [curve for other in same for curve in other.curves if curve.points]
    leading = leading_metric(panel.task)
    found = []
    chosen = False
    for arm in (Arm.TRANSFER, Arm.JOINT, Arm.TARGET_ONLY):
        own = [curve for curve in curves if curve.arm is arm]
        sizes = set.intersection(*(set(curve.sizes) for curve in own)) if own else set()
        if sizes:
            level = [float(np.mean([p.mean(leading) for p in curve.points if p.size in sizes])) for curve in own]
            found.append(own[int(np.nanargmax(level))].key if not np.isnan(level).all() else ())
            chosen |= len(own) > 1
    return found if chosen else []


def compare(
    panel: Panel, column: str, store: ExampleStore, options: Options = Options(), valid: Sequence[Panel] = ()
) -> list[Comparison]:
    """The comparisons of one panel by one score.

    Args:
        column: a score's column of the table, such as "f1" or "accuracy".
    """
    made = []
    for first, second, match in pairs(panel, valid):
        cells = PairedCells(first, second, column, store)
        given = _Reader(panel, cells, match, options, "given").read()
        if given.source_stages > 1:
            given = replace(given, other=_Reader(panel, cells, match, options, "other").read())
        made.append(given)
    return made


# ------------------------------------------------------------------------------------------------------------ cells


class PairedCells:
    """The runs of two arms, those of the same seeds at each size, with the scores of single examples where there are.

    Attributes:
        rows: of the table, by arm and size; an arm with a missing run at a size has none.
        scores: of single examples, by arm and size; None where a file is missing.
    """

    def __init__(self, first: Curve, second: Curve, column: str, store: ExampleStore) -> None:
        self.first, self.second, self.column = first, second, column
        self.sizes = tuple(sorted({*first.sizes, *second.sizes}))
        self.rows: dict[Key, pd.DataFrame] = {}
        zero = first.zero_shot.dropna(subset=[column])
        if len(zero):
            self.rows[ZERO, 0] = zero
        for size in self.sizes:
            for arm, rows in self._pair(size):
                self.rows[arm, size] = rows
        self.scores = self._read(store)
        self.examples = self._count("questions") if self.scores is None else self.scores.count
        self.groups = 0 if self.scores is None else self.scores.group_count

    def _pair(self, size: int) -> list[tuple[str, pd.DataFrame]]:
        """Rows of both arms; those of the seeds that both have, where both have some."""
        found = {SOURCE: _complete(self.first.point(size), self.column)}
        found[TARGET] = _complete(self.second.point(size), self.column)
        known = {arm: rows for arm, rows in found.items() if rows is not None}
        if len(known) < 2:
            return list(known.items())
        units = {arm: run_units(rows) for arm, rows in known.items()}
        shared = set(units[SOURCE]) & set(units[TARGET])
        if not shared:
            return [(TARGET, known[TARGET])]
        return [(arm, rows[[unit in shared for unit in units[arm]]]) for arm, rows in known.items()]

    def _read(self, store: ExampleStore) -> ExampleScores | None:
        import pandas as pd

        if not self.rows:
            return None
        return store.scores(pd.concat(list(self.rows.values())), self.column)

    def _count(self, name: str) -> int:
        counts = [rows[name].iloc[0] for rows in self.rows.values()]
        return int(counts[0]) if counts and not math.isnan(counts[0]) else 0

    def cells(self, mask: Mask | None = None) -> dict[Key, Cell]:
        """Cells of the study; with a mask, (Q,), those of a part of the examples."""
        made = {}
        begin = 0
        for key, rows in self.rows.items():
            at = slice(begin, begin + len(rows))
            begin += len(rows)
            made[key] = self._cell(key, rows, at, mask)
        return made

    def _cell(self, key: Key, rows: pd.DataFrame, at: slice, mask: Mask | None) -> Cell:
        scores, influence, examples = rows[self.column].to_numpy(dtype=float), np.empty((len(rows), 0)), np.empty(0)
        if self.scores is not None:
            scores, influence, examples = self.scores.influence(at, mask)
        stage = tuple(int(k) if not math.isnan(k) else -1 for k in rows["source_seed"])
        if key[0] == ZERO:
            return Cell(scores, influence, tuple(("stage", k) for k in stage), stage=stage, examples=examples)
        units = tuple(run_units(rows))
        subset, train = tuple(u[0] for u in units), tuple(u[1] for u in units)
        has_stage = key[0] == SOURCE and min(stage) >= 0
        return Cell(scores, influence, units, subset, train, stage if has_stage else (), examples)

    def sizes_of(self, arm: str) -> list[int]:
        return [size for size in self.sizes if (arm, size) in self.rows]

    def paired(self, size: int) -> bool:
        return (SOURCE, size) in self.rows and (TARGET, size) in self.rows


def _complete(point: Point | None, column: str) -> pd.DataFrame | None:
    """The runs of a point, or None where one is missing: no mean is taken over a missing run."""
    if point is None or point.missing or point.rows.empty or point.rows[column].isna().any():
        return None
    return point.rows


# ---------------------------------------------------------------------------------------------- what is read off them


class _Reader:
    """One comparison under one estimand: what is read off its cells."""

    def __init__(
        self, panel: Panel, cells: PairedCells, match: tuple[Match, ...], options: Options, stages: Stages
    ) -> None:
        self.panel, self.paired, self.match, self.options, self.stages = panel, cells, match, options, stages
        self.study = Study(cells.cells(), stages)
        self.curve = TargetCurve(self.study, cells.sizes_of(TARGET))
        self.gains = [size for size in cells.sizes if cells.paired(size)]
        self.notes: list[str] = []

    def read(self) -> Comparison:
        cells = self.paired
        targets = cells.sizes_of(TARGET)
        results = tuple(self._result(size) for size in cells.sizes)
        areas = self._areas()
        stages, confounded = self._stages()
        zero = {(ZERO, 0): 1.0}
        self._note(targets, stages)
        return Comparison(
            panel=self.panel, first=cells.first, second=cells.second, column=cells.column, match=self.match,
            stages=self.stages, results=results,
            zero_shot=self.study.interval(zero) if (ZERO, 0) in cells.rows else UNKNOWN,
            zero_shot_worth=self.curve.size_at(zero) if (ZERO, 0) in cells.rows else UNKNOWN,
            n_min=targets[0] if targets else 0, n_max=targets[-1] if targets else 0,
            break_even=break_even([r for r in results if r.seeds], self.options.margin),
            full_score=self._full(), area_with=areas[0], area_without=areas[1], area_gain=areas[2],
            law=worth_law(self.curve, cells.sizes_of(SOURCE)), fits=self._fits(),
            components=variance_components(self.study),
            source_stages=stages, confounded=confounded,
            seeds=min((r.seeds for r in results if r.seeds), default=0),
            one_run=not {SOURCE, TARGET} <= self.study.runs.known,
            by_group=self.study.by_group, learned=self._learned(), examples=cells.examples, groups=cells.groups,
            notes=tuple(self.notes), cells=cells,
        )  # fmt: skip

    def _note(self, targets: Sequence[int], stages: int) -> None:
        if not targets:
            self.notes.append(f"{self.paired.second.label} is complete at no size: nothing can be compared.")
        if self.paired.rows and self.paired.scores is None:
            self.notes.append("no per-example scores beside the table: the intervals are over seeds alone.")
        if stages > 1 and (unbalanced := self._unbalanced()):
            self.notes.append(unbalanced)
        if stages and (ZERO, 0) in self.paired.rows:
            scored = self.paired.rows[ZERO, 0]["source_seed"].nunique()
            if scored > stages:
                self.notes.append(
                    f"zero-shot is the mean of {scored} source stages, and the runs start from {stages} of them."
                )

    def _unbalanced(self) -> str:
        """A warning where a size has not the same number of runs from each source stage."""
        for size in self.gains:
            stages = self.paired.rows[SOURCE, size]["source_seed"].dropna()
            counts = [int((stages == k).sum()) for k in sorted(stages.unique())]
            if len(set(counts)) > 1:
                return (
                    f"the source stages are not balanced (at N = {size:,}, runs from each: "
                    f"{', '.join(map(str, counts))}): gains weigh a stage by its runs, zero-shot each stage once; use "
                    "a number of seeds that is a multiple of --source-seeds."
                )
        return ""

    def _result(self, size: int) -> SizeResult:
        cells = self.paired
        first, second = self._scores(SOURCE, size), self._scores(TARGET, size)
        paired = cells.paired(size)
        gain = {(SOURCE, size): 1.0, (TARGET, size): -1.0}
        effective = self.curve.size_at({(SOURCE, size): 1.0}) if (SOURCE, size) in cells.rows else UNKNOWN
        return SizeResult(
            size=size, seeds=len(set(run_units(cells.rows[SOURCE, size]))) if paired else 0,
            with_source=_mean(first), without=_mean(second), sd_with=_sd(first), sd_without=_sd(second),
            gain=self.study.interval(gain) if paired else UNKNOWN,
            band=self.study.interval(gain, 0.95 ** (1 / len(self.gains))) if paired else UNKNOWN,
            collapsed_with=self._collapsed(SOURCE, size), collapsed_without=self._collapsed(TARGET, size),
            effective=effective, worth=_shift(effective, size), multiplier=_scale(effective, size),
            gap=self._gap(size), plan=self._plan(gain, size) if paired else st.Plan(math.nan, math.nan, math.nan),
        )  # fmt: skip

    def _scores(self, arm: str, size: int) -> Floats:
        return self.study.cells[self.study.place[arm, size]].scores if (arm, size) in self.paired.rows else np.empty(0)

    def _collapsed(self, arm: str, size: int) -> float:
        """By the leading score whatever the score: an EM below the floor may well be learned."""
        if (arm, size) not in self.paired.rows:
            return math.nan
        column = leading_metric(self.panel.task)
        if self.panel.task == QA:
            column = {"em": "f1", "squad_em": "squad_f1"}.get(self.paired.column, self.paired.column)
        return st.collapse_rate(self.paired.rows[arm, size][column].to_numpy(dtype=float), self.options.floor)

    def _learned(self) -> bool:
        shares = {arm: [self._collapsed(arm, size) for size in self.paired.sizes] for arm in (SOURCE, TARGET)}
        return any(share < 1 for each in shares.values() for share in each)

    def _gap(self, size: int) -> Interval:
        full, cells = self.paired.second.full_size, self.paired.rows
        if full is None or not {(TARGET, full), (ZERO, 0), (SOURCE, size)} <= cells.keys():
            return UNKNOWN
        zero = (ZERO, 0)
        return ratio_interval(self.study, {(SOURCE, size): 1.0, zero: -1.0}, {(TARGET, full): 1.0, zero: -1.0})

    def _full(self) -> float:
        full = self.paired.second.full_size
        known = full is not None and (TARGET, full) in self.paired.rows
        return float(self.study.means[self.study.place[TARGET, full]]) if full is not None and known else math.nan

    def _plan(self, gain: dict[Key, float], size: int) -> st.Plan:
        """What the gain's variances predict for other numbers of seeds and examples."""
        units = set(run_units(self.paired.rows[SOURCE, size]))
        n = len(units)
        runs, shared, groups = self.study.parts_of(gain)
        if {SOURCE, TARGET} - self.study.runs.known or not self.study.by_group or is_crossed(units):
            return st.Plan(math.nan, math.nan, math.nan)
        # Runs on this test set show a + e, the groups b + e / n: see `variance`.
        variances = (max(runs - shared, 0.0) * n, max(groups - shared, 0.0), shared * n)
        return st.plan(variances, n, self.paired.examples, self.options.resolve)

    def _areas(self) -> tuple[Interval, Interval, Interval]:
        if len(self.gains) < 2:
            return UNKNOWN, UNKNOWN, UNKNOWN
        weights = st.area_weights(np.array(self.gains, dtype=float))
        each = {
            arm: {(arm, size): float(w) for size, w in zip(self.gains, weights, strict=True)}
            for arm in (SOURCE, TARGET)
        }
        gain = each[SOURCE] | {key: -weight for key, weight in each[TARGET].items()}
        return self.study.interval(each[SOURCE]), self.study.interval(each[TARGET]), self.study.interval(gain)

    def _fits(self) -> tuple[Fit, ...]:
        sizes = {arm: self.paired.sizes_of(arm) for arm in (SOURCE, TARGET)}
        return tuple(self._fit(arm, each) for arm, each in sizes.items() if len(each) >= LEAST_SIZES_TO_FIT)

    def _fit(self, arm: str, sizes: Sequence[int]) -> Fit:
        at = np.array(sizes, dtype=float)
        levels, spread = self.study.curve_points([(arm, size) for size in sizes])
        weights = 1 / np.maximum(spread**2, 1e-4)
        held = st.fit_power_law(at[:-1], levels[:1, :-1], weights[:-1])
        fits = st.fit_power_law(at, levels, weights)
        needed = st.more_examples(fits, at[-1], POINTS_MORE)
        needed = np.where(needed > (FARTHEST - 1) * at[-1], np.inf, needed)
        alpha, beta, gamma = (float(value) for value in fits[0])
        ends = np.quantile(needed[1:], [0.025, 0.975], method="nearest") if len(needed) > 1 else (math.nan, math.nan)
        return Fit(
            (self.paired.first if arm == SOURCE else self.paired.second).label, alpha, beta, gamma, int(at[-1]),
            held_out=float(st.power_law(held, at[-1])[0] - levels[0, -1]), at_bound=st.at_bound(fits[0]),
            points=POINTS_MORE, needed=Interval(float(needed[0]), float(ends[0]), float(ends[1])),
        )  # fmt: skip

    def _stages(self) -> tuple[int, bool]:
        """Source stages that the runs start from, and whether each training seed has one of its own."""
        rows = [rows for key, rows in self.paired.rows.items() if key[0] == SOURCE]
        pairs = {
            (train, int(stage))
            for part in rows
            for (_, train), stage in zip(run_units(part), part["source_seed"], strict=True)
            if not math.isnan(stage)
        }
        seeds, stages = {train for train, _ in pairs}, {stage for _, stage in pairs}
        return len(stages), len(stages) > 1 and len(pairs) == len(seeds) == len(stages)


def break_even(results: Sequence[SizeResult], margin: float) -> float:
    """The smallest size from which on every interval of Δ stays within ± margin.

    Each interval must be within the margin, so that testing at several sizes needs no correction.

    Returns:
        +∞ where the interval at the largest size is outside the margin; NaN where it is neither inside nor outside.
    """
    if not results or math.isnan(results[-1].gain.low):
        return math.nan
    last = results[-1].gain
    if last.low > margin or last.high < -margin:
        return math.inf
    found = math.nan
    for result in reversed(results):
        if not (result.gain.low >= -margin and result.gain.high <= margin):
            break
        found = float(result.size)
    return found


def _shift(found: Interval, size: float) -> Interval:
    return Interval(found.value - size, found.low - size, found.high - size)


def _scale(found: Interval, size: float) -> Interval:
    return Interval(found.value / size, found.low / size, found.high / size)


def _mean(scores: Floats) -> float:
    return float(scores.mean()) if scores.size else math.nan


def _sd(scores: Floats) -> float:
    return float(scores.std(ddof=1)) if scores.size > 1 else math.nan
