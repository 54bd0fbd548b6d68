"""Each setting of a sweep: what it changes in the plan's ids and in the columns of the table, and what it must not."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import xlqa
from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import ID_COLUMNS, RESULT_COLUMNS, SEED_COLUMNS, SETTING_COLUMNS, TEST_COLUMNS
from xlqa.runs.plan.planner import Plan
from xlqa.runs.store.config import render_run, render_source
from xlqa.runs.store.rows import evaluation_row
from xlqa.runs.store.run_config import parse_config
from xlqa.settings import SETTINGS

OTHER: dict[str, Any] = {
    "lang": "fr", "sizes": "8", "arms": "transfer,joint", "seeds": "5,6", "train_seeds": "0,1", "source_seeds": 2, "model": "OTHER ENCODER",
    "target_model": "OTHER ENCODER", "source_train": "sample.en.test", "target_train": "COPY", "target_test": "COPY",
    "source_size": 16, "test_size": 8, "valid_size": 4, "subset_by": "paragraph", "epochs": 50.0, "source_epochs": 50.0,
    "min_steps": 5, "batch_size": 4, "source_batch_size": 4, "lr": 2e-4, "source_lr": 2e-4, "warmup": 0.0, "max_length": 99,
    "stride": 10, "max_answer_length": 5, "precision": "bf16", "skip_bad": True, "source_labels": "shuffled",
    "joint_sampling": "balanced", "freeze": "embeddings", "source_freeze": 1, "reinit_top": 1, "lora": 2,
    "source_lora": 2, "unanswerable": True,
}  # fmt: skip
"""A value of each setting that decides scores, other than that of the small sweep."""

ELSEWHERE = {
    "tune": "lr=1e-3,2e-3", "tune_size": 8, "tune_seeds": 1,
    "data_dir": "data", "allow_overlap": True, "device": "cpu", "workers_per_device": 2, "launcher": "ray", "ray_address": "x:1",
    "keep": "all", "checkpoint_every": 0, "timeout": 5, "gradient_checkpointing": True, "out": "other",
}  # fmt: skip
"""A value of each setting that must not change what a run learns or how it is scored."""

WITHOUT_COLUMN = {"skip_bad"}
"""Part of the ids, and visible in the table only there."""

DERIVED = {*ID_COLUMNS, "steps", "source_steps", "target_questions"}

MakePlan = Callable[..., Plan]


@pytest.fixture(scope="session")
def other_encoder(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from safetensors.numpy import load_file, save_file

    copy = tmp_path_factory.mktemp("other") / "other"
    shutil.copytree(encoder, copy)
    (weights,) = copy.glob("*.safetensors")
    save_file({name: value + 1 for name, value in load_file(weights).items()}, weights, {"format": "pt"})
    return copy


def rows_of(plan: Plan) -> list[dict[str, Any]]:
    return [evaluation_row(spec, evaluation) for spec, evals in plan.runs for evaluation in evals]


def values(rows: list[dict[str, Any]]) -> dict[str, set[str]]:
    return {column: {str(row[column]) for row in rows} for column in RESULT_COLUMNS}


def test_every_setting_is_tested() -> None:
    # The last three need data of their own: tests/runs/test_tasks.py, test_own_columns.py.
    assert {*OTHER, *ELSEWHERE, "task", "map_tags", "columns"} == set(SETTINGS), (
        "give a new setting a value in OTHER or ELSEWHERE"
    )


@pytest.mark.parametrize("name", OTHER)
def test_what_decides_scores_is_in_the_ids_and_in_the_columns_that_it_names(
    name: str, plan: MakePlan, tmp_path: Path, other_encoder: Path
) -> None:
    value = OTHER[name]
    if "lora" in name and importlib.util.find_spec("peft") is None:
        pytest.skip("peft is not installed (extra lora)")
    if value == "OTHER ENCODER":
        value = str(other_encoder)
    elif value == "COPY":
        value = str(tmp_path / "copy.json")
        shutil.copyfile(plan(tmp_path / "out").runs[0][1][0].data.path, value)
        Path(value).write_bytes(Path(value).read_bytes() + b"\n")
    beside = {"arms": "joint"} if name == "joint_sampling" else {}
    before, after = (rows_of(plan(tmp_path / "out", **beside | changes)) for changes in ({}, {name: value}))
    assert {(row["run_id"], row["eval_id"]) for row in before} != {(row["run_id"], row["eval_id"]) for row in after}
    old, new = values(before), values(after)
    changed = {column for column in RESULT_COLUMNS if old[column] != new[column]}
    if name in WITHOUT_COLUMN:
        assert changed <= DERIVED
        return
    telling = {"lang", "arm", "size", *SEED_COLUMNS, *SETTING_COLUMNS, *TEST_COLUMNS}
    assert changed & set(SETTINGS[name].columns) & telling, f"nothing in the table tells {name} apart: {changed}"


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_decides_no_score_changes_no_row(name: str, plan: MakePlan, tmp_path: Path) -> None:
    changes = {name: ELSEWHERE[name]} | ({"launcher": "ray"} if name == "ray_address" else {})
    if name == "tune":
        pytest.skip("its runs are planned before those of the sweep: tests/runs/test_tuning.py")
    out = tmp_path / changes.pop("out", "out")
    assert rows_of(plan(out, **changes)) == rows_of(plan(tmp_path / "out"))


def test_every_column_that_keeps_rows_apart_comes_from_a_setting() -> None:
    named = {column for setting in SETTINGS.values() for column in setting.columns}
    assert named <= {*RESULT_COLUMNS, "task"}
    assert {*SETTING_COLUMNS, *TEST_COLUMNS} - named - {"source_steps", "split", "schema"} == set()


def test_training_seeds_are_crossed_with_subset_seeds(plan: MakePlan, tmp_path: Path) -> None:
    plain = plan(tmp_path / "out", seeds=2, source_seeds=2)
    crossed = plan(tmp_path / "out", seeds=3, train_seeds=2, source_seeds=2)
    rows = [row for row in rows_of(crossed) if row["arm"] == "transfer" and row["size"] == 8]
    named = ("seed", "subset_seed", "train_seed", "source_seed")
    assert [tuple(row[name] for name in named) for row in rows] == [
        (0, 0, 0, 0), (20_000, 0, 1, 1), (10_001, 1, 0, 0), (1, 1, 1, 1), (10_002, 2, 0, 0), (20_002, 2, 1, 1),
    ]  # fmt: skip
    ids = {spec.run_id for spec, _ in crossed.runs}
    assert len(ids) == len(crossed.runs)
    # A run whose two seeds are equal is that of a sweep that does not cross them.
    assert {spec.run_id for spec, _ in plain.runs} <= ids
    with pytest.raises(XlqaError, match="--seeds 10000: with --train-seeds give seeds below 10,000"):
        plan(tmp_path / "out", seeds="10000,", train_seeds=2)


def test_a_crossed_run_draws_by_one_seed_and_trains_by_the_other(plan: MakePlan, tmp_path: Path) -> None:
    crossed = plan(tmp_path / "out", seeds="3,", train_seeds="1,")
    (spec, evals) = next(run for run in crossed.runs if run[0].size == 8)
    config = render_run(spec, evals, tmp_path, None).to_json()
    assert config["dataset_iterator"]["subset_seed"] == 3
    assert config["train"]["seed"] == config["chainer"]["pipe"][1]["head_seed"] == 1


def test_settings_of_an_arm_change_its_runs_alone(plan: MakePlan, tmp_path: Path) -> None:
    before = {spec.run_id: spec for spec, _ in plan(tmp_path / "out").runs}
    changed = plan(tmp_path / "out", lr="1e-3,target-only=5e-4", min_steps={"default": 3, "target-only": 9})
    for spec, evals in changed.runs:
        row = evaluation_row(spec, evals[0])
        if spec.arm == "target-only":
            assert spec.run_id not in before
            assert (row["lr"], row["min_steps"]) == (5e-4, 9)
        else:
            assert spec.run_id in before


def test_source_data_that_was_changed_is_another_source(plan: MakePlan, tmp_path: Path) -> None:
    changed = rows_of(
        plan(tmp_path / "out", arms="transfer,joint", source_labels="shuffled", joint_sampling="balanced")
    )
    plain = rows_of(plan(tmp_path / "out", arms="transfer,joint"))
    for row, old in zip(changed, plain, strict=True):
        said = "(labels shuffled; balanced)" if row["arm"] == "joint" else "(labels shuffled)"
        assert row["source"] == f"sample.en.train {said}"
        assert row["run_id"] != old["run_id"]
        # `load_results` gives one name to what has one hash.
        assert row["source_sha256"] != old["source_sha256"]
    target_only = rows_of(
        plan(tmp_path / "out", arms="target-only", source_labels="shuffled", joint_sampling="balanced")
    )
    assert target_only == rows_of(plan(tmp_path / "out", arms="target-only"))


def test_configs_of_changed_source_data_are_read_back(plan: MakePlan, tmp_path: Path) -> None:
    changed = plan(tmp_path / "out", arms="transfer,joint", source_labels="shuffled", joint_sampling="balanced")
    stage = render_source(changed.stages[0], tmp_path)
    (joint,) = [render_run(*run, tmp_path, None) for run in changed.runs if run[0].arm == "joint"][:1]
    for config in (stage, joint):
        assert parse_config(config.to_json(), "here") == config
    assert stage.to_json()["dataset_reader"]["train"]["labels"] == "shuffled"
    assert joint.to_json()["dataset_reader"]["source"]["labels"] == "shuffled"
    assert joint.to_json()["dataset_iterator"]["balanced"] is True
    forged = joint.to_json()
    forged["dataset_reader"]["tests"][0]["labels"] = "shuffled"
    with pytest.raises(XlqaError, match="labels"):
        parse_config(forged, "here")


def test_frozen_and_drawn_layers_are_named_in_the_table_and_the_configs(plan: MakePlan, tmp_path: Path) -> None:
    changed = plan(tmp_path / "out", freeze=1, source_freeze="embeddings", reinit_top=1)
    rows = {(row["arm"], row["size"]): row for row in rows_of(changed)}
    zero, transfer, alone = rows["transfer", 0], rows["transfer", 8], rows["target-only", 8]
    for row in (zero, transfer, alone):
        assert row["model"].endswith("(top 1 drawn)"), row
    assert zero["source"] == transfer["source"] == "sample.en.train (embeddings frozen)"
    assert transfer["target"] == alone["target"] == "sample.es.train (frozen up to layer 1)"
    configs = {spec.arm: render_run(spec, evals, tmp_path, None) for spec, evals in changed.runs if spec.size == 8}
    train = {arm: config.to_json()["train"] for arm, config in configs.items()}
    assert {arm: (t.get("freeze"), t.get("reinit_top")) for arm, t in train.items()} == {
        "transfer": (1, None), "target-only": (1, 1)
    }  # fmt: skip
    assert all(parse_config(config.to_json(), "here") == config for config in configs.values())
    with pytest.raises(ManyErrors) as caught:
        plan(tmp_path / "out", freeze=3, reinit_top=9)
    assert len(caught.value.complaints) == 3
    assert "--reinit-top 9: tiny has 2 layers." in caught.value.complaints
    with pytest.raises(XlqaError, match="--freeze half: give none, embeddings, or a number of layers"):
        plan(tmp_path / "out", freeze="half")


def test_a_task_without_the_control_refuses_it_before_the_start(plan: MakePlan, tmp_path: Path) -> None:
    sample = Path(xlqa.__file__).parent / "data" / "sample"
    files = {"source_train": "en.train", "target_train": "es.train", "target_test": "es.test"}
    named = {name: str(sample / f"ner.{part}.conll") for name, part in files.items()}
    assert plan(tmp_path / "out", task="ner", **named).runs
    with pytest.raises(XlqaError, match="--source-labels shuffled: the task ner has no such control"):
        plan(tmp_path / "out", task="ner", source_labels="shuffled", **named)
