"""Answers in examples: recovered where the truth is known, bounded or a side or nothing, and never lost to one bad draw."""

from __future__ import annotations

import math

import numpy as np
import pytest
from synthetic import Law

from xlqa.curves.variance import SOURCE, TARGET, ZERO, Cell, Key, Study
from xlqa.curves.worth import TargetCurve, ratio_interval, worth_law

SIZES = (100, 300, 1000, 3000, 10000)


def study(spread: float = 0.3, seeds: int = 5, sizes: tuple[int, ...] = SIZES, worth: float = 400.0) -> Study:
    """Runs around a law, with a spread of seeds and no groups."""
    law, data = Law(worth=worth), np.random.default_rng(1)
    units = tuple(range(seeds))
    cells: dict[Key, Cell] = {(ZERO, 0): Cell(np.array([float(law.transfer(0))]), np.empty((1, 0)), (("stage", 0),))}
    for size in sizes:
        for arm, level in ((SOURCE, law.transfer(size)), (TARGET, law.target_only(size))):
            scores = float(level) + data.normal(0, spread, seeds)
            cells[arm, size] = Cell(scores, np.empty((seeds, 0)), units, units, units)
    return Study(cells)


def test_worth_and_its_interval_hold_the_truth():
    curve = TargetCurve(study(), SIZES)
    for size in (100, 300, 1000):
        found = curve.size_at({(SOURCE, size): 1.0})
        assert found.low < size + 400 < found.high
        assert found.value == pytest.approx(size + 400, rel=0.15)


def test_an_interval_is_the_set_where_the_difference_includes_0():
    made = study()
    curve = TargetCurve(made, SIZES)
    found = curve.size_at({(SOURCE, 300): 1.0})
    for end, inside in ((found.low * 0.97, False), (found.low * 1.03, True), (found.high * 1.03, False)):
        place = int(np.argmin(np.abs(np.log(curve.grid) - math.log(end))))
        contrast = made.contrast({(SOURCE, 300): 1.0}) - curve.contrasts[place]
        difference = float(made.means @ made.contrast({(SOURCE, 300): 1.0})) - curve.curve[place]
        assert (abs(difference) <= made.half_widths(contrast[None, :])[0]) is np.bool_(inside)


def test_beyond_the_sizes_measured_an_answer_is_a_side():
    curve = TargetCurve(study(worth=1e6), SIZES)
    found = curve.size_at({(SOURCE, 100): 1.0})
    assert (found.value, found.low, found.high) == (math.inf, math.inf, math.inf)
    assert found.is_determined
    low = TargetCurve(study(sizes=(1000, 3000, 10000)), (1000, 3000, 10000)).size_at({(ZERO, 0): 1.0})
    assert (low.value, low.low, low.high) == (-math.inf, -math.inf, -math.inf)


def test_what_nothing_is_known_of_is_not_determined():
    found = TargetCurve(study(spread=40.0, seeds=2), SIZES).size_at({(SOURCE, 300): 1.0})
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert not found.is_determined


def test_flat_scores_give_no_answer():
    zero = np.zeros(3)
    cells = {(arm, size): Cell(zero, np.empty((3, 0)), (0, 1, 2)) for arm in (SOURCE, TARGET) for size in (8, 16)}
    found = TargetCurve(Study(cells), (8, 16)).size_at({(SOURCE, 8): 1.0})
    assert math.isnan(found.value)
    assert not found.is_determined


def test_fieller_on_a_worked_ratio():
    """Two independent means, 10 ± 1 and 20 ± 1 (standard errors): Fieller's ends solve (10 − 20 g)² = t² (1 + g²)."""
    data = np.array([-1.0, 1, 0]) * math.sqrt(3)
    cells = {
        (SOURCE, 1): Cell(10 + data, np.empty((3, 0)), ("a", "b", "c")),
        (TARGET, 1): Cell(20 + data, np.empty((3, 0)), ("d", "e", "f")),
    }
    made = Study(cells)
    found = ratio_interval(made, {(SOURCE, 1): 1.0}, {(TARGET, 1): 1.0})
    assert found.value == pytest.approx(0.5)
    for end in (found.low, found.high):
        contrast = made.contrast({(SOURCE, 1): 1.0, (TARGET, 1): -end})
        assert abs(10 - 20 * end) == pytest.approx(made.half_widths(contrast[None, :])[0], rel=1e-2)


def test_a_share_of_a_gap_that_may_be_none_has_no_interval():
    made = study(spread=60.0, seeds=2)
    found = ratio_interval(made, {(SOURCE, 100): 1.0, (ZERO, 0): -1.0}, {(TARGET, 10000): 1.0, (ZERO, 0): -1.0})
    assert math.isnan(found.low)


def test_the_law_of_a_constant_worth_has_no_slope():
    law = worth_law(TargetCurve(study(spread=0.05), SIZES), SIZES)
    assert law is not None
    assert law.exponent.low < 0 < law.exponent.high
    assert law.factor.low < 400 < law.factor.high
    assert worth_law(TargetCurve(study(spread=40.0), SIZES), SIZES) is None
