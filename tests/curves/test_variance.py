"""How sure a mean is: against Student, Miller, worked designs and simulated studies whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import stats

from xlqa.curves.variance import (
    SOURCE,
    TARGET,
    ZERO,
    Cell,
    Key,
    Study,
    influence_of,
    mixed_quantile,
    moderated,
    variance_trend,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def cell(scores: np.ndarray, units=None, influence=None, stage=(), subset=None, train=None) -> Cell:
    units = tuple(range(len(scores))) if units is None else tuple(units)
    influence = np.empty((len(scores), 0)) if influence is None else influence
    return Cell(np.asarray(scores, dtype=float), influence, units, subset or units, train or units, tuple(stage))


def gain_at(study: Study, size: int = 100):
    return study.interval({(SOURCE, size): 1.0, (TARGET, size): -1.0})


# -------------------------------------------------------------------------------------------------- one size alone


def test_seeds_alone_give_students_interval():
    """Student's sleep data (1908): mean difference 1.58, 95 % interval 0.700 to 2.460."""
    difference = np.array([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
    base = np.linspace(40, 45, 10)
    found = gain_at(Study({(SOURCE, 100): cell(base + difference), (TARGET, 100): cell(base)}))
    assert found.value == pytest.approx(1.58)
    assert (found.low, found.high) == (pytest.approx(0.7001, abs=2e-3), pytest.approx(2.4599, abs=2e-3))


def test_groups_alone_have_millers_clustered_standard_error():
    """Miller (2411.00640), eq. 4: SE² = Σ over clusters of (sum of deviations in the cluster)² / n²."""
    data = rng(4)
    groups = np.repeat(np.arange(400), data.integers(1, 9, 400))
    values = (data.normal(50, 20, 400)[groups] + data.normal(0, 10, groups.size)) / 100
    scores, influence, _ = influence_of(values[None, :], np.ones((1, groups.size)), groups)
    sums = np.bincount(groups, 100 * values - scores[0])
    clustered = math.sqrt((sums**2).sum()) / groups.size
    study = Study({(TARGET, 100): cell(scores, influence=influence)})
    found = study.interval({(TARGET, 100): 1.0})
    assert (found.high - found.low) / 2 == pytest.approx(clustered * stats.t.ppf(0.975, 399), rel=0.002)


def test_what_shows_no_spread_is_not_certain():
    zeros = np.zeros((2, 30))
    study = Study({(SOURCE, 8): cell(np.zeros(2), influence=zeros), (TARGET, 8): cell(np.zeros(2), influence=zeros)})
    assert math.isnan(gain_at(study, 8).low)
    alone = Study({(SOURCE, 8): cell([3.0]), (TARGET, 8): cell([2.0])})
    assert gain_at(alone, 8).value == 1
    assert math.isnan(gain_at(alone, 8).low)


# --------------------------------------------------------------------------------------------- never narrower


@settings(max_examples=60, deadline=None)
@given(some.integers(0, 10_000), some.integers(2, 6), some.floats(0, 4))
def test_no_interval_is_narrower_than_groups_alone(seed: int, seeds: int, spread: float):
    """However much seeds agree by chance, and whatever the source stages."""
    data = rng(seed)
    stages = int(data.integers(1, seeds + 1))
    cells = made_study(data, seeds, stages, spread)
    study = Study(cells)
    contrasts = np.array(
        [study.contrast({(SOURCE, size): 1.0, (TARGET, size): -1.0}) for size in (30, 100, 300)]
        + [study.contrast({(SOURCE, 100): 1.0}), study.contrast({(ZERO, 0): 1.0, (TARGET, 30): -1.0})]
    )
    assert (study.half_widths(contrasts) >= study.groups_alone(contrasts) * (1 - 1e-4)).all()
    over = Study(cells, "other")
    assert (over.half_widths(contrasts) >= study.half_widths(contrasts) * (1 - 1e-9)).all()


def made_study(
    data: np.random.Generator, seeds: int, stages: int, spread: float, sizes=(30, 100, 300)
) -> dict[Key, Cell]:
    """Runs with effects of seeds, stages, groups and their own noise; 40 groups of 3 examples."""
    groups = np.repeat(np.arange(40), 3)
    base = data.normal(0, 12, 40)[groups] + data.normal(0, 20, groups.size)
    stage_of = np.arange(seeds) % stages
    effect = data.normal(0, spread, stages)
    made: dict[Key, Cell] = {}

    def runs(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values = levels[:, None] + base + data.normal(0, 15, (len(levels), groups.size))
        scores, influence, _ = influence_of(values / 100, np.ones_like(values), groups)
        return scores, influence

    scores, influence = runs(20 + effect)
    made[ZERO, 0] = cell(scores, [("stage", k) for k in range(stages)], influence, stage=range(stages))
    for size in sizes:
        subset = data.normal(0, spread, seeds)
        for arm, level in ((SOURCE, 40 + effect[stage_of]), (TARGET, np.full(seeds, 30.0))):
            scores, influence = runs(level + subset + data.normal(0, spread, seeds))
            made[arm, size] = cell(scores, None, influence, stage_of if arm == SOURCE else ())
    return made


# --------------------------------------------------------------------------------------------------------- pooling


def test_seed_variance_is_pooled_over_the_sizes():
    """Two sizes with the same spread of the gain: narrower than either size alone, and wider where N is smaller."""
    base = np.array([-1.0, 0, 1])
    cells = {}
    for size in (100, 300):
        cells[SOURCE, size] = cell(50 + 3 * (base if size == 100 else base[[1, 2, 0]]))
        cells[TARGET, size] = cell(np.full(3, 40.0))
    study = Study(cells)
    widths = [(gain_at(study, size).high - gain_at(study, size).low) / 2 for size in (100, 300)]
    alone = stats.t.ppf(0.975, 2) * math.sqrt(9 / 3)
    assert stats.t.ppf(0.975, 4) * math.sqrt(9 / 3) * 0.8 < widths[1] < widths[0] < alone


def test_the_trend_follows_variances_that_fall_with_n():
    sizes = np.array([30.0, 100, 300, 1000])
    many = np.full(4, 200.0)
    falling = variance_trend(sizes, 2 * (sizes / 30) ** -0.8, many, 0.0)
    assert falling == pytest.approx(2 * (sizes / 30) ** -0.8, rel=0.05)
    level = variance_trend(sizes, np.ones(4), many, 0.0)
    assert level == pytest.approx(1.0, rel=0.05)
    # Three seeds tell little of a slope: the trend falls by less than the prior's, and is wide at both ends.
    few = variance_trend(sizes, np.ones(4), np.full(4, 2.0), 0.0)
    assert 1.2 < few[0] < 2.2
    assert 0.6 < few[-1] < 1.0


def test_sizes_that_differ_beyond_chance_keep_their_own_variance():
    equal, prior = moderated(dict.fromkeys((30, 100, 300, 1000), (1.0, 900)), 1.0, 0.0)
    assert list(equal.values()) == pytest.approx([1.0] * 4, rel=0.01)
    assert prior == math.inf
    unequal, prior = moderated({30: (1.0, 90), 100: (9.0, 90), 300: (0.5, 90), 1000: (0.5, 90)}, 2.75, 0.0)
    assert unequal[100] > 1.7
    assert unequal[1000] < 0.6
    assert prior < 9


def test_paired_seeds_cancel_in_a_difference():
    scores = rng().normal(50, 5, 6)
    study = Study({(SOURCE, 100): cell(scores + 3 + rng(1).normal(0, 0.1, 6)), (TARGET, 100): cell(scores)})
    assert gain_at(study).high - gain_at(study).low < 1


def test_runs_of_other_seeds_are_not_paired():
    scores = rng().normal(50, 5, 6)
    study = Study({(SOURCE, 100): cell(scores + 3, range(6)), (TARGET, 100): cell(scores, range(6, 12))})
    assert gain_at(study).high - gain_at(study).low > 5


# ---------------------------------------------------------------------------------------------------------- stages


def test_over_other_stages_each_seed_with_its_own_is_a_plain_t():
    data = rng(2)
    source, target = data.normal(50, 3, 5), data.normal(40, 1, 5)
    cells = {(SOURCE, 100): cell(source, stage=range(5)), (TARGET, 100): cell(target)}
    theirs = stats.ttest_1samp(source - target, 0).confidence_interval()
    found = gain_at(Study(cells, "other"))
    assert (found.low, found.high) == (pytest.approx(theirs.low, rel=0.01), pytest.approx(theirs.high, rel=0.01))


def test_stages_that_differ_count_over_other_stages_alone():
    """Three stages 10 points apart, two seeds each: given the stages a gain is sure, over others it is not."""
    seeds = np.array([0.1, -0.1, 0.05, -0.05, 0.08, -0.08])
    stage = (0, 1, 2, 0, 1, 2)
    cells = {}
    for size in (100, 300):
        cells[SOURCE, size] = cell(50 + 10.0 * (np.array(stage) - 1) + seeds * (1 + size / 300), stage=stage)
        cells[TARGET, size] = cell(40 - seeds)
    given, other = (gain_at(Study(cells, stages)) for stages in ("given", "other"))
    assert given.high - given.low < 1
    assert other.high - other.low > 40


def test_crossed_seeds_are_not_taken_for_as_many_runs():
    """Two subsets that differ, five training seeds each: the mean rests on two subsets, not on ten runs."""
    subset, train = np.repeat([0, 1], 5), np.tile(np.arange(5), 2)
    levels = 10.0 * subset + rng().normal(0, 0.3, 10)
    units = list(zip(subset, train, strict=True))
    crossed = cell(40 + levels, units, subset=tuple(subset), train=tuple(train))
    flat = cell(30 + rng(1).normal(0, 0.3, 10), units, subset=tuple(subset), train=tuple(train))
    found = gain_at(Study({(SOURCE, 100): crossed, (TARGET, 100): flat}))
    independent = cell(40 + levels), cell(flat.scores)
    naive = gain_at(Study({(SOURCE, 100): independent[0], (TARGET, 100): independent[1]}))
    assert found.high - found.low > 4 * (naive.high - naive.low)


# ------------------------------------------------------------------------------------------------------- quantiles


@pytest.mark.parametrize("freedom", [1.0, 2.0, 3.5, 8.0, 40.0])
def test_a_t_part_alone_is_students(freedom: float):
    found = mixed_quantile(np.zeros(1), np.full(1, 4.0), np.array([freedom]))
    assert found[0] == pytest.approx(2 * stats.t.ppf(0.975, freedom), rel=1e-4)


def test_a_normal_part_alone_is_normal():
    assert mixed_quantile(np.full(1, 9.0), np.zeros(1), np.ones(1))[0] == pytest.approx(3 * 1.959964, rel=1e-4)
    assert mixed_quantile(np.zeros(1), np.zeros(1), np.ones(1))[0] == 0


def test_the_sum_of_both_is_what_a_million_draws_give():
    data = rng(7)
    for variance, freedom in ((1.0, 2.0), (0.2, 4.0), (3.0, 1.0)):
        drawn = data.standard_normal(1_000_000) + math.sqrt(variance) * data.standard_t(freedom, 1_000_000)
        found = mixed_quantile(np.ones(1), np.full(1, variance), np.array([freedom]))[0]
        assert found == pytest.approx(np.quantile(np.abs(drawn), 0.95), rel=0.01)


# ----------------------------------------------------------------------------------------------------------- scale


def test_a_hundred_runs_of_five_thousand_questions():
    """The largest study in use, every question a paragraph of its own: all intervals are finite."""
    data = rng()
    cells: dict[Key, Cell] = {}
    for size in (100, 300, 1000, 3000, 10000):
        for arm in (SOURCE, TARGET):
            values = data.choice([0.0, 0.5, 1.0], size=(10, 5000))
            scores, influence, _ = influence_of(values, np.ones_like(values), np.arange(5000))
            cells[arm, size] = cell(scores, None, influence)
    study = Study(cells)
    for size in (100, 300, 1000, 3000, 10000):
        assert math.isfinite(gain_at(study, size).low)


@pytest.mark.parametrize("stages", ["given", "other"])
def test_training_seeds_with_a_stage_each_keep_their_spread(stages):
    """Subsets 0 to 4 crossed with training seeds 0 to 2, which choose the stage: centring within stages would remove the seeds."""
    data = rng(5)
    crossed = [(subset, train) for subset in range(5) for train in range(3)]
    subset, train = zip(*crossed, strict=True)
    seeds = data.normal(0, 2, (2, 3))

    def study(stage_of) -> Study:
        noise = rng(6)
        scores = [
            np.array([seeds[arm][t] for t in train]) + noise.normal(0, 1, len(crossed)) + 50 - 10 * arm
            for arm in (0, 1)
        ]
        stage = tuple(stage_of(t) for t in train)
        return Study(
            {
                (SOURCE, 100): cell(scores[0], crossed, None, stage, subset, train),
                (TARGET, 100): cell(scores[1], crossed, None, (), subset, train),
            },
            stages,
        )

    one, own = gain_at(study(lambda train: 0)), gain_at(study(lambda train: train))
    assert own.value == pytest.approx(one.value)
    assert own.high - own.low >= 0.8 * (one.high - one.low)


def test_zero_shot_varies_over_stages_also_without_scores_of_single_examples():
    cells = {(ZERO, 0): Cell(np.array([40.0, 43.0, 41.0]), np.empty((3, 0)), (0, 1, 2), stage=(0, 1, 2))}
    for arm, level in ((SOURCE, 60.0), (TARGET, 50.0)):
        stage = (0, 1, 2) if arm == SOURCE else ()
        cells[arm, 100] = cell(np.array([level, level + 1, level + 3]), stage=stage)
    found = Study(cells, "other").interval({(ZERO, 0): 1.0})
    assert found.low < 41.33 < found.high
