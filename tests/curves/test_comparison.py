"""Comparisons: like with like only, missing stays missing, and the numbers are the ones that the table holds."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from synthetic import Law, Study, write_study

from xlqa.curves.comparison import Comparison, Match, Options, SizeResult, break_even, compare_all, leading, pairs
from xlqa.curves.example_scores import ExampleStore
from xlqa.curves.grouping import split_panels
from xlqa.curves.report.facts import facts
from xlqa.curves.report.sentences import sentences
from xlqa.curves.table import load_results
from xlqa.curves.variance import Interval

QUICK = Options()


def load(folder: Path, **changes: object) -> pd.DataFrame:
    return load_results(write_study(folder, Study(**{"seeds": 3, "sizes": (100, 1000, 10000), **changes})))


def analyse(table: pd.DataFrame, columns=("f1",), options: Options = QUICK) -> tuple[Comparison, ...]:
    return compare_all(split_panels(table), columns, ExampleStore(), options)


def test_gain_is_the_mean_of_paired_differences(tmp_path: Path):
    table = load(tmp_path)
    (found,) = analyse(table)
    at = table[table["size"] == 1000].pivot(index="seed", columns="arm", values="f1")
    result = found.results[1]
    assert result.gain.value == pytest.approx((at["transfer"] - at["target-only"]).mean())
    assert result.with_source == pytest.approx(at["transfer"].mean())
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
    assert [(a.label, b.label) for a, b, _ in pairs(panel)] == [("transfer", "target-only"), ("joint", "target-only")]
    table.loc[table["arm"] == "target-only", "max_length"] = 128
    (panel,) = split_panels(table)
    assert pairs(panel) == []


def test_arms_with_hyper_parameters_of_their_own_get_a_gain_and_say_so(tmp_path: Path):
    table = load(tmp_path)
    table.loc[table["arm"] == "target-only", "lr"] = 5e-5
    (found,) = analyse(table)
    assert found.match == (Match.OWN,)
    assert found.results[0].seeds == 3
    assert not math.isnan(found.results[0].gain.low)


def test_as_many_updates_in_all_is_matched_compute(tmp_path: Path):
    table = load(tmp_path / "a")
    long = load(tmp_path / "b", arms=("target-only",), lr=1e-4)
    long["min_steps"], long["steps"] = 11150, 11150 + 0 * long["steps"]
    long.loc[long["size"] == 10000, "steps"] = 10950 + 1875
    (panel,) = split_panels(pd.concat([table, long], ignore_index=True))
    assert [match for _, _, match in pairs(panel)] == [(Match.SAME,), (Match.COMPUTE,)]
    found = analyse(pd.concat([table, long], ignore_index=True))
    assert [c.match for c in leading(found)] == [(Match.SAME,)]


def test_validation_chooses_the_settings_that_are_set_against_each_other(tmp_path: Path):
    tables = [load(tmp_path / f"{lr}", lr=lr) for lr in (3e-5, 1e-4)]
    tables[1] = tables[1][tables[1]["size"] > 0]
    table = pd.concat(tables, ignore_index=True)
    valid = table.assign(split="valid")
    best = (valid["arm"] == "transfer") & (valid["lr"] == 1e-4) | (valid["arm"] == "target-only") & (
        valid["lr"] == 3e-5
    )
    valid.loc[best, "f1"] += 5
    found = compare_all(split_panels(table), ("f1",), ExampleStore(), QUICK, split_panels(valid))
    chosen = [(c.first.setting["lr"], c.second.setting["lr"]) for c in found if Match.BEST in c.match]
    assert chosen == [("0.0001", "3e-05")]
    assert sum(Match.SAME in c.match for c in found) == 2
    without = compare_all(split_panels(table), ("f1",), ExampleStore(), QUICK)
    assert not any(Match.BEST in c.match for c in without)


def test_extra_seeds_in_one_arm_change_no_gain(tmp_path: Path):
    table = load(tmp_path, seeds=6)
    (before,) = analyse(table[table["seed"] < 3].reset_index(drop=True))
    extra = (table["arm"] == "target-only") & (table["size"] == 100)
    (after,) = analyse(table[(table["seed"] < 3) | extra].reset_index(drop=True))
    assert [r.seeds for r in after.results] == [3, 3, 3]
    assert [r.gain.value for r in after.results] == [r.gain.value for r in before.results]


def test_more_source_stages_report_no_less(tmp_path: Path):
    """With 1, 2 and 3 stages, gap closed and N₀ are there, given the stages."""
    for stages in (1, 2, 3):
        (found,) = analyse(load(tmp_path / str(stages), source_seeds=stages, seeds=6, stage_spread=3.0))
        assert found.zero_shot_worth.is_determined
        assert all(math.isfinite(r.gap.low) and math.isfinite(r.gap.high) for r in found.results)
        assert found.source_stages == stages
        assert (found.other is None) == (stages == 1)
    assert found.other.zero_shot.high > found.zero_shot.high
    for given, over in zip(found.results, found.other.results, strict=True):
        assert over.gain.high - over.gain.low >= given.gain.high - given.gain.low


def test_stages_with_unequal_numbers_of_runs_are_warned_of(tmp_path: Path):
    (found,) = analyse(load(tmp_path / "a", source_seeds=2, seeds=3))
    assert "not balanced (at N = 100, runs from each: 2, 1)" in " ".join(found.notes)
    (found,) = analyse(load(tmp_path / "b", source_seeds=2, seeds=4))
    assert "balanced" not in " ".join(found.notes)


def test_crossed_seeds_are_understood_from_their_columns(tmp_path: Path):
    table = load(tmp_path, seeds=6)
    trained = table["size"] > 0
    table.loc[trained, "subset_seed"], table.loc[trained, "train_seed"] = table["seed"] // 3, table["seed"] % 3
    (found,) = analyse(table)
    assert {part.name for part in found.components} >= {"subset seed", "training seed"}
    assert found.results[0].seeds == 6
    assert found.results[0].gain.low < found.results[0].gain.value < found.results[0].gain.high


def test_scores_without_any_spread_are_not_certainty(tmp_path: Path):
    """Every run at 0: no worth, no break-even, no interval of width 0."""
    table = load(tmp_path, per_question=False).assign(f1=0.0, em=0.0, squad_f1=0.0, squad_em=0.0)
    (found,) = analyse(table)
    assert not found.learned
    assert math.isnan(found.zero_shot_worth.value)
    assert math.isnan(found.break_even)
    assert all(math.isnan(r.gain.low) and math.isnan(r.worth.value) for r in found.results)


def test_a_band_over_all_sizes_is_wider_than_each_interval(tmp_path: Path):
    (found,) = analyse(load(tmp_path))
    for r in found.results:
        assert r.band.low < r.gain.low < r.gain.high < r.band.high


def test_break_even_is_inside_outside_or_not_determined():
    def results(*ends: tuple[float, float]) -> list[SizeResult]:
        nothing = dict.fromkeys(SizeResult.__dataclass_fields__)
        return [
            SizeResult(**nothing | {"size": size, "seeds": 3, "gain": Interval((a + b) / 2, a, b)})
            for size, (a, b) in zip((10, 100, 1000), ends, strict=True)
        ]

    wide, narrow, above = (-0.5, 3.0), (-0.6, 0.9), (1.1, 3.0)
    assert break_even(results(wide, narrow, narrow), 1) == 100
    assert break_even(results(narrow, wide, narrow), 1) == 1000
    assert math.isnan(break_even(results(narrow, narrow, wide), 1))
    assert break_even(results(narrow, narrow, above), 1) == math.inf
    assert break_even(results(narrow, narrow, (-5.0, -1.2)), 1) == math.inf
    assert math.isnan(break_even(results(narrow, narrow, (math.nan, math.nan)), 1))
    assert math.isnan(break_even([], 1))


def test_joint_has_no_zero_shot(tmp_path: Path):
    (found,) = analyse(load(tmp_path, arms=("joint", "target-only")))
    assert math.isnan(found.zero_shot.value)
    assert math.isnan(found.zero_shot_worth.value)
    assert found.source_stages == 0


def test_a_missing_run_leaves_its_size_out_and_nothing_else(tmp_path: Path):
    table = load(tmp_path)
    table = table[~((table["arm"] == "target-only") & (table["size"] == 1000) & (table["seed"] == 1))]
    (found,) = analyse(table.reset_index(drop=True))
    small, incomplete, large = found.results
    assert incomplete.seeds == 0
    assert math.isnan(incomplete.gain.value)
    assert math.isnan(incomplete.without)
    assert incomplete.with_source > 0
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
    (found,) = analyse(table[table["size"] == 100].reset_index(drop=True))
    at = table[table["size"] == 100].pivot(index="seed", columns="arm", values="f1")
    theirs = stats.ttest_1samp(at["transfer"] - at["target-only"], 0).confidence_interval()
    assert found.results[0].gain.low == pytest.approx(theirs.low, rel=1e-3)
    assert found.results[0].gain.high == pytest.approx(theirs.high, rel=1e-3)
    assert not found.by_group
    assert "no per-example scores" in found.notes[0]


def test_one_run_without_question_scores_has_no_interval(tmp_path: Path):
    (found,) = analyse(load(tmp_path, per_question=False, seeds=1))
    assert found.results[0].gain.value > 0
    assert math.isnan(found.results[0].gain.low)
    assert math.isnan(found.zero_shot.low)
    assert math.isnan(found.break_even)


def test_question_scores_widen_what_seeds_alone_leave_out(tmp_path: Path):
    table = load(tmp_path, seeds=2, spread=0.0, paragraphs=20)
    (found,) = analyse(table)
    assert found.by_group
    assert found.groups == 20
    assert found.zero_shot.high - found.zero_shot.low > 1


def test_gap_closed_needs_a_run_on_everything(tmp_path: Path):
    (found,) = analyse(load(tmp_path / "a"))
    assert found.results[-1].gap.value == pytest.approx(
        (found.results[-1].with_source - found.zero_shot.value) / (found.full_score - found.zero_shot.value)
    )
    (found,) = analyse(load(tmp_path / "b", full=20000))
    assert math.isnan(found.full_score)
    assert math.isnan(found.results[-1].gap.value)


def test_a_gap_that_may_be_none_has_a_share_but_no_interval(tmp_path: Path):
    (found,) = analyse(load(tmp_path, sizes=(100, 300), full=300, paragraphs=20))
    assert found.full_score > 0
    assert all(math.isnan(result.gap.low) for result in found.results)


def test_fits_need_six_sizes_and_hold_the_largest_out(tmp_path: Path):
    sizes = (30, 100, 300, 1000, 3000, 10000)
    (found,) = analyse(load(tmp_path / "a", sizes=sizes, paragraphs=400, spread=0.2))
    target = found.fits[1]
    assert target.largest == 10000
    assert abs(target.held_out) < 2
    assert target.beta < 0
    assert target.needed.low < target.needed.value < target.needed.high
    (found,) = analyse(load(tmp_path / "b", sizes=sizes[:5]))
    assert found.fits == ()


def test_the_worths_law_is_the_truths(tmp_path: Path):
    """English worth 400 examples at every N: α = 0, k = 400."""
    (found,) = analyse(load(tmp_path, sizes=(30, 100, 300, 1000, 3000), paragraphs=1500, spread=0.1, seeds=5))
    assert found.law is not None
    assert found.law.exponent.low < 0 < found.law.exponent.high
    assert found.law.factor.low < 400 < found.law.factor.high


def test_the_same_table_gives_the_same_numbers(tmp_path: Path):
    table = load(tmp_path)
    assert [c.results for c in analyse(table)] == [c.results for c in analyse(table)]


def test_several_source_seeds_and_runs_of_one_seed(tmp_path: Path):
    table = load(tmp_path, seeds=4, source_seeds=2)
    (found,) = analyse(table)
    assert found.source_stages == 2
    assert found.zero_shot.low < found.zero_shot.value < found.zero_shot.high


def test_every_size_of_a_large_study_has_a_gain(tmp_path: Path):
    """100 runs of 1,000 questions each."""
    table = load(tmp_path, sizes=(100, 300, 1000, 3000, 10000), seeds=10, paragraphs=500, per_paragraph=2)
    (found,) = analyse(table)
    assert found.sizes_with_gain == (100, 300, 1000, 3000, 10000)
    assert all(math.isfinite(result.gain.low) for result in found.results)


def test_stages_are_counted_over_the_runs_that_are_compared(tmp_path: Path):
    """A sweep that was interrupted has the zero-shot scores of all stages, and runs from the first ones alone."""
    table = load(tmp_path, source_seeds=3)
    (whole,) = analyse(table)
    assert (whole.source_stages, whole.confounded) == (3, True)
    table.loc[(table["arm"] == "transfer") & (table["size"] > 0), "source_seed"] = 0
    (found,) = analyse(table)
    assert (found.source_stages, found.confounded, found.other) == (1, False, None)
    assert "zero-shot is the mean of 3 source stages, and the runs start from 1 of them." in found.notes
    assert "the intervals hold for this source stage alone" in " ".join(sentences(found, QUICK))


def test_crossed_seeds_that_choose_their_stage_contain_its_spread(tmp_path: Path):
    table = load(tmp_path, seeds=9, source_seeds=3, sizes=(100, 1000))
    trained = table["size"] > 0
    table.loc[trained, "train_seed"] = table["seed"] % 3
    table.loc[trained, "subset_seed"] = table["seed"] // 3
    (found,) = analyse(table)
    assert (found.crossed, found.source_stages, found.confounded) == ((3, 3), 3, True)
    assert "means over 3 subsets × 3 training seeds" in " ".join(sentences(found, QUICK))
    assert found.planned is None
    assert "Planning: not computed for crossed subset and training seeds." in facts(found, QUICK)
