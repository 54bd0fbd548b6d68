"""The statistics against published worked values, other people's code, and truths that are known."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import stats
from synthetic import Law

from xlqa.curves import statistics as st


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# ------------------------------------------------------------------------------------------------------ resampling


def test_paragraph_sums_add_up_the_questions_of_each_paragraph():
    sums, counts = st.paragraph_sums(np.array([[100.0, 0, 50], [0, 0, 100]]), np.array([1, 0, 1]))
    assert sums.tolist() == [[0, 150], [0, 100]]
    assert counts.tolist() == [1, 2]


def test_paragraph_bootstrap_agrees_with_scipys():
    data = rng(1)
    counts = data.integers(1, 8, 150).astype(float)
    sums = counts * data.normal(60, 15, 150)
    ours = st.resample_paragraphs(sums[None, :], counts, 9999, rng(2))[:, 0]
    theirs = stats.bootstrap(
        (sums, counts), lambda s, c, axis: s.sum(axis) / c.sum(axis), paired=True, vectorized=True, n_resamples=9999,
        method="percentile", random_state=3,
    )  # fmt: skip
    interval = st.central_interval(float(sums.sum() / counts.sum()), ours)
    assert interval.low == pytest.approx(theirs.confidence_interval.low, abs=0.15)
    assert interval.high == pytest.approx(theirs.confidence_interval.high, abs=0.15)
    assert ours.std(ddof=1) == pytest.approx(theirs.standard_error, rel=0.03)


def test_paragraph_bootstrap_has_millers_clustered_standard_error():
    """Miller (2411.00640), eq. 4: SE² = Σ over clusters of (sum of deviations in the cluster)² / n²."""
    data = rng(4)
    counts = data.integers(1, 9, 400).astype(float)
    sums = counts * data.normal(50, 20, 400)
    mean = sums.sum() / counts.sum()
    clustered = math.sqrt(((sums - mean * counts) ** 2).sum()) / counts.sum()
    assert st.resample_paragraphs(sums[None, :], counts, 8000, rng())[:, 0].std() == pytest.approx(clustered, rel=0.04)


def test_chunks_do_not_change_the_weights_sum():
    weights = st._weights(7, 50, rng())
    assert (weights.sum(axis=1) == 7).all()


def test_seeds_alone_give_students_interval():
    """Student's sleep data (1908): mean difference 1.58, 95 % interval 0.700 to 2.460."""
    difference = np.array([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
    cell = st.Cell(tuple(range(10)), difference[:, None])
    drawn = st.draw_means([cell], np.array([1.0]), 200_000, rng())
    interval = st.central_interval(float(drawn.means[0]), drawn.values[:, 0])
    assert drawn.means[0] == pytest.approx(1.58)
    assert interval.low == pytest.approx(0.7001, abs=0.03)
    assert interval.high == pytest.approx(2.4599, abs=0.03)


def test_paired_seeds_cancel_in_a_difference():
    scores = rng().normal(50, 5, 6)[:, None]
    cells = [st.Cell(tuple(range(6)), scores + 3), st.Cell(tuple(range(6)), scores)]
    drawn = st.draw_means(cells, np.array([1.0]), 500, rng())
    np.testing.assert_allclose(drawn.values[:, 0] - drawn.values[:, 1], 3, atol=1e-9)


def test_one_run_says_nothing_of_seeds():
    drawn = st.draw_means([st.Cell((0,), np.array([[40.0]]))], np.array([1.0]), 100, rng())
    assert (drawn.values == 40).all()


def test_noise_of_single_runs_on_paragraphs_is_counted_once():
    data = rng(5)
    runs, paragraphs, each = 10, 400, 5.0
    counts = np.full(paragraphs, each)
    found = []
    for _ in range(30):
        noise = data.normal(0, 100, (runs, paragraphs))
        drawn = st.draw_means([st.Cell(tuple(range(runs)), noise)], counts, 400, data)
        found.append(drawn.values[:, 0].var())
    true = 100**2 / each**2 / (runs * paragraphs)
    heavier_tail = (runs - 1) / (runs - 3)
    assert np.mean(found) == pytest.approx(true * heavier_tail, rel=0.15)


def test_a_missing_draw_makes_the_interval_missing_and_infinite_ones_stay():
    assert math.isnan(st.central_interval(1.0, np.array([1.0, math.nan])).low)
    found = st.central_interval(5.0, np.array([-math.inf] * 10 + [5.0] * 80 + [math.inf] * 10))
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert not found.excludes_zero


# ---------------------------------------------------------------------------------------------------- significance


def test_sign_flips_on_darwins_maize():
    """Fisher (1935): 863 of the 2^15 sign patterns of Darwin's 15 differences are as high; two-sided p = 0.0527."""
    darwin = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48.0])
    p = st.sign_flip_p(darwin[None, :], np.ones(15), 200_000, rng())
    assert p[0] == pytest.approx(2 * 863 / 2**15, abs=0.002)


def test_sign_flips_agree_with_scipy():
    difference = rng(2).normal(0.3, 1, 12)
    theirs = stats.permutation_test(
        (difference,), lambda d, axis: np.abs(d.mean(axis)), permutation_type="samples", n_resamples=np.inf,
        alternative="greater", vectorized=True,
    )  # fmt: skip
    ours = st.sign_flip_p(difference[None, :], np.ones(12), 100_000, rng())
    assert ours[0] == pytest.approx(theirs.pvalue, abs=0.006)


def test_no_difference_at_all_has_p_one_and_none_is_zero():
    assert st.sign_flip_p(np.zeros((1, 30)), np.ones(30), 99, rng())[0] == 1
    assert st.sign_flip_p(np.full((1, 60), 5.0), np.ones(60), 99, rng())[0] == 0.01


def test_p_is_uniform_where_there_is_no_difference():
    data = rng(11)
    p = []
    for _ in range(600):
        counts = data.integers(1, 8, 60).astype(float)
        p.append(st.sign_flip_p((data.normal(0, 20, 60) * counts)[None, :], counts, 399, data)[0])
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.025)


def test_holm_on_a_worked_example():
    """p = 0.01, 0.04, 0.03, 0.005 becomes 0.03, 0.06, 0.06, 0.02 (the example of Wikipedia's Holm–Bonferroni page)."""
    np.testing.assert_allclose(st.holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


@settings(max_examples=40, deadline=None)
@given(some.lists(some.floats(0, 1), min_size=1, max_size=12))
def test_holm_agrees_with_statsmodels(p: list[float]):
    theirs = pytest.importorskip("statsmodels.stats.multitest")
    np.testing.assert_allclose(st.holm(np.array(p)), theirs.multipletests(p, method="holm")[1])


def test_holm_leaves_out_what_is_missing():
    adjusted = st.holm(np.array([0.02, math.nan, 0.01]))
    np.testing.assert_allclose(adjusted, [0.02, math.nan, 0.02])
    assert np.isnan(st.holm(np.array([math.nan]))).all()


def test_probability_of_improvement_is_the_tortoises_u():
    """Tortoise and hare finish T H H H H H T T T T T H: U = 11 of 36 for the tortoises."""
    order = "THHHHHTTTTTH"
    tortoises, hares = (np.array([-i for i, who in enumerate(order) if who == kind], dtype=float) for kind in "TH")
    assert st.probability_of_improvement(tortoises, hares) == pytest.approx(11 / 36)
    assert st.probability_of_improvement(hares, hares) == 0.5
    assert math.isnan(st.probability_of_improvement(hares, np.empty(0)))


def test_interquartile_mean_on_a_worked_example():
    """5, 8, 4, 38, 8, 6, 9, 7, 7, 3, 1, 6 has the interquartile mean 6.5 (Wikipedia's example)."""
    scores = np.array([5, 8, 4, 38, 8, 6, 9, 7, 7, 3, 1, 6.0])
    assert st.interquartile_mean(scores) == 6.5
    (found,) = st.interquartile_interval([scores], 2000, rng())
    assert found.low < 6.5 < found.high
    one, none = st.interquartile_interval([scores[:1], scores[:0]], 50, rng())
    assert (one.value, math.isnan(one.low), math.isnan(none.value)) == (5, True, True)


def test_collapse_rate():
    assert st.collapse_rate(np.array([3.0, 50, 10, 9.9]), 10) == 0.5
    assert math.isnan(st.collapse_rate(np.empty(0), 10))


# ---------------------------------------------------------------------------------------------- worth in examples


@settings(max_examples=60, deadline=None)
@given(some.lists(some.floats(0, 100), min_size=1, max_size=9))
def test_isotonic_agrees_with_scikit_learn(levels: list[float]):
    sklearn = pytest.importorskip("sklearn.isotonic")
    theirs = sklearn.IsotonicRegression().fit_transform(np.arange(len(levels)), levels)
    np.testing.assert_allclose(st.isotonic(np.array([levels, levels]))[1], theirs, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(some.lists(some.floats(0.1, 5), min_size=3, max_size=7), some.floats(0.01, 0.99))
def test_size_at_score_inverts_scipys_pchip(steps: list[float], where: float):
    from scipy.interpolate import PchipInterpolator

    x, y = np.cumsum(steps), np.cumsum(steps[::-1])
    at = x[0] + where * (x[-1] - x[0])
    score = PchipInterpolator(x, y)(at)
    found = st.size_at_score(np.exp(x), y[None, :], np.array([score]))
    assert np.log(found[0]) == pytest.approx(at, abs=1e-6)


def test_beyond_the_sizes_measured_the_answer_is_a_side():
    sizes, levels = np.array([100.0, 1000, 10000]), np.array([[40.0, 50, 60]] * 5)
    found = st.size_at_score(sizes, levels, np.array([39.9, 40.0, 50.0, 60.0, 60.1]))
    np.testing.assert_allclose(found, [-math.inf, 100, 1000, 10000, math.inf], rtol=1e-9)


def test_a_plateau_is_reached_at_its_first_size_and_a_dip_is_smoothed():
    sizes = np.array([100.0, 1000, 10000])
    assert st.size_at_score(sizes, np.array([[40.0, 50, 50]]), np.array([50.0]))[0] == pytest.approx(1000)
    assert st.size_at_score(sizes, np.array([[40.0, 52, 48]]), np.array([50.0]))[0] == pytest.approx(1000)
    assert st.size_at_score(sizes[:1], np.array([[40.0]]), np.array([40.0]))[0] == 100
    assert math.isnan(st.size_at_score(sizes, np.array([[40.0, math.nan, 60]]), np.array([50.0]))[0])


@pytest.mark.parametrize("sizes", [(100, 1000, 10000), (100, 316, 1000, 3162, 10000)])
def test_worth_recovers_the_truth_within_five_percent(sizes: tuple[int, ...]):
    law = Law()
    at = np.array(sizes, dtype=float)
    levels = law.target_only(at)[None, :]
    for size in (0, 100, 300, 1000, 3000):
        found = st.size_at_score(at, levels, law.transfer(size)[None])[0]
        assert found == pytest.approx(size + law.worth, rel=0.05)


def test_break_even_is_where_every_later_interval_stays_inside():
    def interval(low: float, high: float) -> st.Interval:
        return st.Interval((low + high) / 2, low, high)

    wide, narrow = interval(-0.5, 3), interval(-0.6, 0.9)
    assert st.break_even([10, 100, 1000], [wide, narrow, narrow], 1) == 100
    assert st.break_even([10, 100, 1000], [narrow, wide, narrow], 1) == 1000
    assert st.break_even([10, 100, 1000], [narrow, narrow, wide], 1) == math.inf
    assert math.isnan(st.break_even([10], [st.Interval(1, math.nan, math.nan)], 1))
    assert math.isnan(st.break_even([], [], 1))


def test_gap_closed_and_where_there_is_none():
    closed = st.gap_closed(np.array([60.0, 60]), np.array([50.0, 70]), np.array([70.0, 70]))
    assert closed[0] == 0.5
    assert math.isnan(closed[1])


def test_area_under_a_line_over_ln_n_is_its_middle():
    sizes = np.array([10.0, 100, 1000])
    assert st.area_under_curve(sizes, np.array([[40.0, 50, 60]]))[0] == pytest.approx(50)
    assert math.isnan(st.area_under_curve(sizes[:1], np.array([[40.0]]))[0])


# ------------------------------------------------------------------------------------------------------- power law


@pytest.mark.parametrize(("alpha", "beta", "gamma"), [(150, -0.22, 8), (90, -0.5, 20), (300, -0.35, 0)])
def test_power_law_is_recovered(alpha: float, beta: float, gamma: float):
    sizes = np.array([100.0, 300, 1000, 3000, 10000])
    levels = (100 - alpha * sizes**beta - gamma)[None, :]
    found = st.fit_power_law(sizes, levels, np.ones(5))[0]
    np.testing.assert_allclose(found, [alpha, beta, gamma], rtol=0.05, atol=0.05)
    assert st.power_law(found[None, :], 30000)[0] == pytest.approx(100 - alpha * 30000**beta - gamma, abs=0.1)


def test_power_law_agrees_with_scipys_curve_fit():
    from scipy.optimize import curve_fit

    sizes = np.array([100.0, 300, 1000, 3000, 10000, 30000])
    error = 150 * sizes**-0.3 + 12 + rng(3).normal(0, 0.2, 6)
    weights = np.array([1, 2, 3, 4, 5, 6.0])
    theirs, _ = curve_fit(
        lambda n, a, b, c: a * n**b + c, sizes, error, p0=(100, -0.4, 5), sigma=weights**-0.5, maxfev=20000
    )
    np.testing.assert_allclose(st.fit_power_law(sizes, 100 - error[None, :], weights)[0], theirs, rtol=0.01)


def test_parameters_stay_where_they_mean_something():
    sizes = np.array([100.0, 300, 1000, 3000])
    for levels in ([60.0, 50, 40, 30], [50.0, 50, 50, 50], [10.0, 40, 70, 99]):
        alpha, beta, gamma = st.fit_power_law(sizes, np.array([levels]), np.ones(4))[0]
        assert alpha >= 0
        assert beta < 0
        assert gamma >= 0


def test_more_examples_and_what_gamma_forbids():
    fit = np.array([[150, -0.22, 8.0]])
    more = st.more_examples(fit, 1000, 2)[0]
    assert st.power_law(fit, 1000 + more)[0] == pytest.approx(st.power_law(fit, 1000)[0] + 2)
    assert st.more_examples(np.array([[10, -0.5, 30.0]]), 10000, 2)[0] == math.inf
    assert st.more_examples(np.array([[0, -0.5, 30.0]]), 10000, 2)[0] == math.inf


# --------------------------------------------------------------------------------------------------------- planning


def test_a_plan_resolves_what_it_promises():
    found = st.plan((4.0, 0.02, 0.5), seeds=5, questions=1000)
    enough = int(found.seeds)
    assert st.plan((4.0, 0.02, 0.5), enough, 1000).resolved <= 1 < st.plan((4.0, 0.02, 0.5), enough - 1, 1000).resolved
    assert found.questions == math.inf
    quiet = st.plan((0.01, 0.5, 1.0), seeds=5, questions=1000)
    grown = quiet.questions / 1000
    assert st.plan((0.01, 0.5 / grown, 1.0 / grown), 5, int(quiet.questions)).resolved <= 1
    assert quiet.seeds == math.inf
    assert math.isnan(st.plan((1, 1, 1), 1, 1000).seeds)


def test_plan_has_the_power_it_claims():
    """With the seeds it asks for, a true difference of 1 is found in about 80 % of studies."""
    needed = int(st.plan((4.0, 0.0, 0.0), 5, 1000).seeds)
    data = rng(6).normal(1, 2, (4000, needed))
    assert (stats.ttest_1samp(data, 0, axis=1).pvalue < 0.05).mean() == pytest.approx(0.8, abs=0.04)


# ------------------------------------------------------------------------------------------------------------ speed


def test_ten_thousand_draws_over_a_hundred_runs_of_five_thousand_questions():
    """Under 20 s on two cores, every question a paragraph of its own, which is the slowest case."""
    data = rng()
    cells = [
        st.Cell(tuple(range(10)), data.choice([0.0, 50, 100], size=(10, 5000))) for _ in range(10)
    ]  # fmt: skip
    begin = time.process_time()
    drawn = st.draw_means(cells, np.ones(5000), 10_000, data)
    st.sign_flip_p(np.array([cell.sums.mean(axis=0) for cell in cells]), np.ones(5000), 10_000, data)
    assert drawn.values.shape == (10_000, 10)
    assert time.process_time() - begin < 40
