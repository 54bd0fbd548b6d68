"""Panels, curves and points: nothing is averaged over a missing run or over rows that differ in more than seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic import Study, write_study

from xlqa.curves.grouping import (
    DATA_COLUMNS,
    HYPER_COLUMNS,
    SOURCE_STAGE_COLUMNS,
    TARGET_STAGE_COLUMNS,
    parse_seeds,
    score_columns,
    select_rows,
    short_name,
    source_name,
    split_panels,
    tell_apart,
    to_text,
)
from xlqa.curves.table import load_results
from xlqa.errors import XlqaError
from xlqa.records import SETTING_COLUMNS, Arm

ALL_ARMS = ("transfer", "target-only", "joint", "monolingual")


def study(folder: Path, **changes: object) -> pd.DataFrame:
    return load_results(write_study(folder, Study(**{"per_question": False, "seeds": 3, **changes})))


def curves(table: pd.DataFrame) -> dict:
    (panel,) = split_panels(table)
    return {curve.label: curve for curve in panel.curves}


def test_the_stages_share_out_all_settings():
    assert sorted((*DATA_COLUMNS, *HYPER_COLUMNS, *SOURCE_STAGE_COLUMNS)) == sorted(SETTING_COLUMNS)
    assert {"lr", "epochs", "batch_size"} < set(TARGET_STAGE_COLUMNS) < {*DATA_COLUMNS, *HYPER_COLUMNS}


def test_a_curve_an_arm_and_a_point_a_size(tmp_path: Path):
    table = study(tmp_path, arms=ALL_ARMS)
    found = curves(table)
    assert list(found) == ["transfer", "target-only", "joint", "monolingual (rubert-base-cased)"]
    rows = table[(table["arm"] == "joint") & (table["size"] == 300)]
    assert found["joint"].point(300).mean("f1") == pytest.approx(rows["f1"].mean())
    assert found["joint"].sizes == (100, 300, 1000, 3000, 10000)
    assert found["transfer"].full_size == 10000


def test_a_panel_a_language_and_test_set(tmp_path: Path):
    panels = split_panels(study(tmp_path, languages=("ru", "zh"), tests=("xquad", "own")))
    assert [(panel.language_name, panel.label) for panel in panels] == [
        ("Russian", "own.ru"), ("Russian", "xquad.ru"), ("Chinese", "own.zh"), ("Chinese", "xquad.zh"),
    ]  # fmt: skip


def test_zero_shot_belongs_to_every_transfer_curve_of_its_source_stage(tmp_path: Path):
    first = study(tmp_path / "a", source_seeds=2)
    second = study(tmp_path / "b", lr=1e-4, source_seeds=2)
    found = curves(pd.concat([first, second[second["size"] > 0]], ignore_index=True))
    assert list(found) == [
        "transfer, lr 3e-5",
        "transfer, lr 0.0001",
        "target-only, lr 3e-5",
        "target-only, lr 0.0001",
    ]
    assert len(found["transfer, lr 3e-5"].zero_shot) == len(found["transfer, lr 0.0001"].zero_shot) == 2
    assert found["target-only, lr 0.0001"].zero_shot.empty


def test_zero_shot_of_another_source_stage_is_not_taken(tmp_path: Path):
    table = study(tmp_path)
    table.loc[table["size"] == 0, "source_lr"] = 1e-5
    found = curves(table)
    assert found["transfer, source lr 3e-5"].zero_shot.empty
    assert found["transfer, source lr 1e-5"].sizes == ()
    assert len(found["transfer, source lr 1e-5"].zero_shot) == 1


@pytest.mark.parametrize("column", [c for c in SETTING_COLUMNS if c not in SOURCE_STAGE_COLUMNS])
def test_no_setting_is_averaged_over(tmp_path: Path, column: str):
    table = study(tmp_path, arms=("target-only",), sizes=(100,))
    table.loc[0, column] = "other" if table[column].dtype == object else 77
    assert sorted(len(curve.points[0].rows) for curve in curves(table).values()) == [1, 2]


def test_equal_settings_in_two_spellings_are_one(tmp_path: Path):
    assert to_text(3e-5) == to_text(0.00003)
    assert to_text(384) == to_text(384.0) == "384"
    assert to_text(float("nan")) == ""


def test_a_missing_run_is_named_and_not_averaged_over(tmp_path: Path):
    table = study(tmp_path)
    gone = (table["arm"] == "transfer") & (table["size"] == 300) & (table["seed"] == 1)
    table.loc[(table["arm"] == "target-only") & (table["size"] == 1000) & (table["seed"] == 2), "f1"] = np.nan
    table = table[~gone & ~((table["arm"] == "transfer") & (table["size"] == 10000))].reset_index(drop=True)
    (panel,) = split_panels(table)
    assert panel.missing == (
        "ru on xquad.ru, transfer, N = 300: seed 1",
        "ru on xquad.ru, transfer, N = 10,000: no run",
        "ru on xquad.ru, target-only, N = 1,000: seed 2",
    )
    means = dict(zip(panel.curves[0].sizes, panel.curves[0].means("f1"), strict=True))
    assert np.isnan(means[300])
    assert np.isnan(means[10000])
    assert means[100] > 0


def test_fewer_seeds_at_a_size_are_a_design_not_missing_runs(tmp_path: Path):
    table = study(tmp_path, seeds=5)
    (panel,) = split_panels(table[(table["size"] <= 1000) | (table["seed"] < 3)].reset_index(drop=True))
    assert panel.missing == ()


def test_extra_seeds_in_one_arm_are_a_design(tmp_path: Path):
    table = study(tmp_path, seeds=6)
    extra = (table["arm"] == "target-only") & (table["size"] == 100)
    (panel,) = split_panels(table[(table["seed"] < 3) | extra].reset_index(drop=True))
    assert panel.missing == ()
    assert [len(curve.point(100).seeds) for curve in panel.curves] == [3, 6]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("squad.train", "English"), ("train-v1.1.json", "English"), ("sample.es.train", "Spanish"),
        ("squad_es.train", "Spanish"), ("/data/mine", "mine"), ("", "the source data"),
    ],
)  # fmt: skip
def test_the_source_is_called_by_its_language_where_its_name_tells_it(source: str, name: str):
    assert source_name({"source": source}) == name


def test_a_missing_cell_of_a_crossed_design_is_named(tmp_path: Path):
    table = crossed(study(tmp_path, seeds=4))
    (panel,) = split_panels(table)
    assert panel.missing == ()
    gone = (table["arm"] == "transfer") & (table["size"] == 100) & (table["seed"] == 3)
    (panel,) = split_panels(table[~gone].reset_index(drop=True))
    assert panel.missing == ("ru on xquad.ru, transfer, N = 100: seed 3",)


def crossed(table: pd.DataFrame) -> pd.DataFrame:
    """Four seeds as two subsets times two training seeds."""
    trained = table["size"] > 0
    table.loc[trained, "subset_seed"] = table["seed"] // 2
    table.loc[trained, "train_seed"] = table["seed"] % 2
    return table


def test_joint_training_may_have_fewer_sizes_and_seeds(tmp_path: Path):
    table = study(tmp_path, arms=("transfer", "target-only", "joint"))
    joint = table["arm"] == "joint"
    few = table[~joint | (table["size"].isin([100, 1000]) & (table["seed"] == 0))].reset_index(drop=True)
    (panel,) = split_panels(few)
    assert panel.missing == ()
    (curve,) = [curve for curve in panel.curves if curve.arm == "joint"]
    assert curve.sizes == (100, 1000)
    assert not np.isnan(curve.means("f1")).any()
    rest = few[~((few["arm"] == "joint") & (few["size"] == 100))]
    more = table[joint & (table["seed"] == 1) & (table["size"] == 100)]
    (panel,) = split_panels(pd.concat([rest, more]).reset_index(drop=True))
    assert panel.missing == (
        "ru on xquad.ru, joint, N = 100: seed 0",
        "ru on xquad.ru, joint, N = 1,000: seed 1",
    )


def test_a_zero_shot_score_that_is_missing_is_named_and_no_mean_is_taken_of_the_rest(tmp_path: Path):
    table = study(tmp_path, source_seeds=2)
    table.loc[0, ["f1", "em"]] = np.nan
    (panel,) = split_panels(table)
    assert panel.curves[0].zero_shot.empty
    assert panel.missing == ("ru on xquad.ru, transfer, zero-shot: source seed 0",)


def test_labels_name_the_fewest_columns_that_differ():
    items = [{"model": "a/x", "lr": "1", "model_sha256": "12345678"}, {"model": "a/y", "lr": "1", "model_sha256": "9"}]
    assert tell_apart(items, ("model", "lr", "model_sha256")) == ["x", "y"]
    assert tell_apart(items[:1], ("model", "lr")) == [""]
    assert tell_apart(items, ("model_sha256",)) == ["model 1234567", "model 9"]
    assert short_name("ai-forever/ruBert-base") == "ruBert-base"


def test_selecting_names_what_is_there(tmp_path: Path):
    table = study(tmp_path, languages=("ru", "zh"))
    assert set(select_rows(table, languages=("ru",), seeds=(0, 1))["seed"]) == {0, 1}
    with pytest.raises(XlqaError, match="no lang 'de': it has ru, zh"):
        select_rows(table, languages=("de",))
    with pytest.raises(XlqaError, match="no split 'valid': it has test"):
        select_rows(table, split="valid")
    with pytest.raises(XlqaError, match="no row of the table is left"):
        select_rows(table[table["arm"] == Arm.TARGET_ONLY.value], seeds=(7,))


def test_scorers(tmp_path: Path):
    table = study(tmp_path)
    assert score_columns(table, None) == ("f1", "em", "")
    assert score_columns(table, "squad") == ("f1", "em", "squad")
    table["scorer"] = "mlqa"
    assert score_columns(table, "squad") == ("squad_f1", "squad_em", "squad")
    with pytest.raises(XlqaError, match="the table has mlqa, squad"):
        score_columns(table, "cmrc")
    table.loc[0, "scorer"] = "cmrc"
    with pytest.raises(XlqaError, match="only some rows have it"):
        score_columns(table, "mlqa")


@pytest.mark.parametrize(("text", "seeds"), [("0-3", (0, 1, 2, 3)), ("4,0,4", (4, 0)), ("0-1,5", (0, 1, 5))])
def test_seeds_are_written_as_lists_or_ranges(text: str, seeds: tuple[int, ...]):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["x", "1-", "-1", "0;1", "1-x", "3-1", "0-99999", "1--2"])
def test_seeds_in_another_form_are_refused(text: str):
    with pytest.raises(XlqaError, match="write seeds as"):
        parse_seeds(text)
