"""The statistics against published worked values, other people's code, and truths that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import stats
from synthetic import Law

from xlqa.curves import statistics as st


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


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


def test_area_under_a_line_over_ln_n_is_its_middle():
    sizes = np.array([10.0, 100, 1000])
    assert st.area_weights(sizes) @ np.array([40.0, 50, 60]) == pytest.approx(50)
    uneven = np.array([10.0, 30, 1000])
    assert st.area_weights(uneven) @ np.log(uneven) == pytest.approx(np.log(uneven[[0, 2]]).mean())


@settings(max_examples=40, deadline=None)
@given(some.lists(some.floats(0, 100), min_size=2, max_size=8))
def test_the_weights_of_the_isotonic_fit_make_it(levels: list[float]):
    array = np.array(levels)
    np.testing.assert_allclose(st.isotonic_weights(array) @ array, st.isotonic(array[None, :])[0], atol=1e-8)


def test_the_curve_between_its_points_is_scipys_pchip():
    from scipy.interpolate import PchipInterpolator

    sizes, levels = np.array([30.0, 100, 1000, 3000]), np.array([10.0, 25, 28, 60])
    at = np.geomspace(30, 3000, 50)
    np.testing.assert_allclose(
        st.evaluate_curve(sizes, levels, at), PchipInterpolator(np.log(sizes), levels)(np.log(at)), atol=1e-9
    )


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


def test_a_law_at_the_end_of_the_search_is_known_for_one():
    sizes = np.array([100.0, 300, 1000, 3000, 10000])
    falling = st.fit_power_law(sizes, np.array([[60.0, 55, 50, 45, 40]]), np.ones(5))[0]
    assert st.at_bound(falling)
    jump = st.fit_power_law(sizes, np.array([[10.0, 60, 60, 60, 60]]), np.ones(5))[0]
    assert st.at_bound(jump)
    assert not st.at_bound(np.array([150, -0.22, 8.0]))


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
    assert st.plan((4.0, 0.12, 0.5), 5, 1000).seeds == 642
    assert st.plan((4.0, 0.2, 0.5), 5, 1000).seeds == math.inf
    assert math.isnan(st.plan((1, 1, 1), 1, 1000).seeds)


def test_plan_has_the_power_it_claims():
    """With the seeds it asks for, a true difference of 1 is found in about 80 % of studies."""
    needed = int(st.plan((4.0, 0.0, 0.0), 5, 1000).seeds)
    data = rng(6).normal(1, 2, (4000, needed))
    assert (stats.ttest_1samp(data, 0, axis=1).pvalue < 0.05).mean() == pytest.approx(0.8, abs=0.04)
