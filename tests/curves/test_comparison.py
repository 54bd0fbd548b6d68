"""Comparisons: like with like only, missing stays missing, and the numbers are the ones that the table holds."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic import Law, Study, write_study

from xlqa.curves.comparison import Comparison, Options, compare_all, measured_coverage, pairs
from xlqa.curves.example_scores import QuestionStore
from xlqa.curves.grouping import split_panels
from xlqa.curves.statistics import holm
from xlqa.curves.table import load_results

QUICK = Options(draws=400, flips=400)


def load(folder: Path, **changes: object) -> pd.DataFrame:
    return load_results(write_study(folder, Study(**{"seeds": 3, "sizes": (100, 1000, 10000), **changes})))


def analyse(table: pd.DataFrame, columns=("f1",), options: Options = QUICK) -> tuple[Comparison, ...]:
    return compare_all(split_panels(table), columns, QuestionStore(), options)


def test_gain_is_the_mean_of_paired_differences(tmp_path: Path):
    table = load(tmp_path)
    (found,) = analyse(table)
    at = table[table["size"] == 1000].pivot(index="seed", columns="arm", values="f1")
    result = found.results[1]
    assert result.gain.value == pytest.approx((at["transfer"] - at["target-only"]).mean())
    assert result.with_english == pytest.approx(at["transfer"].mean())
    assert result.gain.low < result.gain.value < result.gain.high
    assert result.seeds == 3
    assert result.effective.value == pytest.approx(result.worth.value + 1000)
    assert result.multiplier.value == pytest.approx(result.effective.value / 1000)


def test_worth_of_a_study_without_noise_is_the_laws(tmp_path: Path):
    (found,) = analyse(load(tmp_path, spread=0.0, paragraphs=1500, sizes=(100, 300, 1000, 3000, 10000)))
    assert found.zero_shot_worth.value == pytest.approx(Law().worth, rel=0.1)
    assert found.results[0].worth.value == pytest.approx(Law().worth, rel=0.15)
    assert found.results[0].worth.low < Law().worth < found.results[0].worth.high
    assert found.zero_shot.low < float(Law().transfer(0)) < found.zero_shot.high


def test_only_arms_of_one_encoder_and_setting_are_compared(tmp_path: Path):
    table = load(tmp_path, arms=("transfer", "target-only", "joint", "monolingual"))
    (panel,) = split_panels(table)
    assert [(a.label, b.label) for a, b in pairs(panel)] == [("transfer", "target-only"), ("joint", "target-only")]
    table.loc[table["arm"] == "target-only", "lr"] = 5e-5
    (panel,) = split_panels(table)
    assert pairs(panel) == []


def test_joint_has_no_zero_shot(tmp_path: Path):
    (found,) = analyse(load(tmp_path, arms=("joint", "target-only")))
    assert math.isnan(found.zero_shot.value)
    assert math.isnan(found.zero_shot_worth.value)
    assert found.source_seeds == 0


def test_a_missing_run_leaves_its_size_out_and_nothing_else(tmp_path: Path):
    table = load(tmp_path)
    table = table[~((table["arm"] == "target-only") & (table["size"] == 1000) & (table["seed"] == 1))]
    (found,) = analyse(table.reset_index(drop=True))
    small, incomplete, large = found.results
    assert incomplete.seeds == 0
    assert math.isnan(incomplete.gain.value)
    assert math.isnan(incomplete.p)
    assert math.isnan(incomplete.without)
    assert incomplete.with_english > 0
    assert small.seeds == large.seeds == 3
    assert found.sizes_with_gain == (100, 10000)


def test_joint_training_with_fewer_seeds_is_set_against_the_same_seeds(tmp_path: Path):
    table = load(tmp_path, arms=("joint", "target-only"))
    few = (table["arm"] == "joint") & ((table["seed"] != 0) | (table["size"] == 1000))
    (found,) = analyse(table[~few].reset_index(drop=True))
    assert found.sizes_with_gain == (100, 10000)
    for result in found.results:
        if result.seeds:
            cells = table[(table["size"] == result.size) & (table["seed"] == 0)].set_index("arm")["f1"]
            assert result.seeds == 1
            assert result.gain.value == pytest.approx(cells["joint"] - cells["target-only"], abs=1e-6)
            assert math.isnan(result.sd_without)
        else:
            assert result.without == pytest.approx(
                table[(table["size"] == 1000) & (table["arm"] == "target-only")]["f1"].mean(), abs=1e-6
            )


def test_without_question_scores_intervals_are_students(tmp_path: Path):
    from scipy import stats

    table = load(tmp_path, per_question=False, seeds=5)
    (found,) = analyse(table, options=Options(draws=40_000, flips=200))
    at = table[table["size"] == 100].pivot(index="seed", columns="arm", values="f1")
    theirs = stats.ttest_1samp(at["transfer"] - at["target-only"], 0).confidence_interval()
    assert found.results[0].gain.low == pytest.approx(theirs.low, abs=0.15)
    assert found.results[0].gain.high == pytest.approx(theirs.high, abs=0.15)
    assert math.isnan(found.results[0].p)
    assert not found.by_paragraph
    assert "no per-question scores" in found.notes[0]


def test_one_run_without_question_scores_has_no_interval(tmp_path: Path):
    (found,) = analyse(load(tmp_path, per_question=False, seeds=1))
    assert found.results[0].gain.value > 0
    assert math.isnan(found.results[0].gain.low)
    assert math.isnan(found.zero_shot.low)
    assert math.isnan(found.break_even)


def test_question_scores_widen_what_seeds_alone_leave_out(tmp_path: Path):
    table = load(tmp_path, seeds=2, spread=0.0, paragraphs=20)
    (found,) = analyse(table)
    assert found.by_paragraph
    assert found.paragraphs == 20
    assert found.zero_shot.high - found.zero_shot.low > 1


def test_gap_closed_needs_a_run_on_everything(tmp_path: Path):
    (found,) = analyse(load(tmp_path / "a"))
    assert found.results[-1].gap.value == pytest.approx(
        (found.results[-1].with_english - found.zero_shot.value) / (found.full_score - found.zero_shot.value)
    )
    (found,) = analyse(load(tmp_path / "b", full=20000))
    assert math.isnan(found.full_score)
    assert math.isnan(found.results[-1].gap.value)


def test_no_share_of_a_gap_that_may_be_none(tmp_path: Path):
    (found,) = analyse(load(tmp_path, sizes=(100, 300), full=300, paragraphs=20))
    assert found.full_score > 0
    assert all(math.isnan(result.gap.value) for result in found.results)


def test_holm_is_over_sizes_and_languages(tmp_path: Path):
    found = analyse(load(tmp_path, languages=("ru", "sw")), columns=("f1", "em"))
    for column in ("f1", "em"):
        own = [r for c in found if c.column == column for r in c.results]
        np.testing.assert_allclose([r.p_holm for r in own], holm(np.array([r.p for r in own])))


def test_fits_hold_the_largest_size_out(tmp_path: Path):
    (found,) = analyse(load(tmp_path / "a", sizes=(100, 300, 1000, 3000, 10000), paragraphs=400, spread=0.2))
    target = found.fits[1]
    assert target.largest == 10000
    assert abs(target.held_out) < 2
    assert target.beta < 0
    assert target.needed.value > 0
    (found,) = analyse(load(tmp_path / "b"))
    assert found.fits == ()
    assert "needs 4 complete sizes" in found.notes[-1]


def test_the_same_table_gives_the_same_numbers(tmp_path: Path):
    table = load(tmp_path)
    assert [c.results for c in analyse(table)] == [c.results for c in analyse(table)]


def test_several_source_seeds_and_runs_of_one_seed(tmp_path: Path):
    table = load(tmp_path, seeds=4, source_seeds=2)
    (found,) = analyse(table)
    assert found.source_seeds == 2
    assert found.zero_shot.low < found.zero_shot.value < found.zero_shot.high


def test_measured_coverage_takes_the_nearest_smaller_study():
    assert measured_coverage("gain", 3, 3) == measured_coverage("gain", 4, 4)
    assert measured_coverage("gain", 5, 1) == measured_coverage("gain", 5, 2)
    assert 0.5 < measured_coverage("gain", 1, 5) < 0.9
    assert math.isnan(measured_coverage("worth", 5, 1))
    assert math.isnan(measured_coverage("gain", 0, 5))


def test_a_whole_study_is_analysed_in_seconds(tmp_path: Path):
    table = load(tmp_path, sizes=(100, 300, 1000, 3000, 10000), seeds=10, paragraphs=500, per_paragraph=2)
    begin = time.process_time()
    analyse(table, options=Options())
    assert time.process_time() - begin < 40
