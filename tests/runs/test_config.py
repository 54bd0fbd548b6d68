"""Configs: complete, ours alone, pinned by a golden file, and readable by DeepPavlov's own parser."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from test_specs import COMMON, EVAL, STAGE, TEST, ZERO, run

from xlqa.errors import XlqaError
from xlqa.records import Arm
from xlqa.runs.specs import EvalSpec
from xlqa.runs.store.config import data_suffix, read_config, refuse_foreign, render_run, render_source

GOLDEN = Path(__file__).with_name("golden_config.json")


def test_golden_config() -> None:
    config = render_run(run(), [EVAL], Path("/sweep"), "a" * 64)
    assert config == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_all_paths_hang_on_root() -> None:
    for config in (render_run(run(Arm.JOINT), [EVAL], Path("/sweep"), None), render_source(STAGE, Path("/sweep"))):
        variables = config["metadata"].pop("variables")
        assert variables == {"ROOT": "/sweep", "DEVICE": "auto"}
        assert '"/' not in json.dumps(config)


def test_deeppavlov_resolves_root_and_its_override(monkeypatch: pytest.MonkeyPatch) -> None:
    from deeppavlov.core.commands.utils import parse_config

    config = render_run(run(), [EVAL], Path("/sweep"), "a" * 64)
    assert parse_config(copy.deepcopy(config))["chainer"]["pipe"][1]["save_path"] == f"/sweep/runs/{run().run_id}/model"
    monkeypatch.setenv("DP_ROOT", "/moved")
    parsed = parse_config(copy.deepcopy(config))
    assert parsed["chainer"]["pipe"][1]["source"] == f"/moved/source/{STAGE.source_id}/model"
    assert parsed["dataset_reader"]["train"]["path"].startswith("/moved/data/sberquad.train-")


def test_arms_differ_where_they_should() -> None:
    transfer, alone, joint, zero = (
        render_run(spec, [EVAL], Path("/s"), "a" * 64) for spec in (run(), run(Arm.TARGET_ONLY), run(Arm.JOINT), ZERO)
    )
    model = [config["chainer"]["pipe"][1] for config in (transfer, alone, joint, zero)]
    assert [m["source"] is None for m in model] == [False, True, True, False]
    assert joint["dataset_reader"]["source"]["sha256"] == STAGE.data.sha256
    assert joint["train"]["more_steps"] == STAGE.steps
    assert zero["dataset_reader"]["train"] is None
    assert zero["dataset_iterator"]["train_size"] == 0
    assert model[3]["save_path"] == model[3]["source"]
    assert transfer["dataset_iterator"] == alone["dataset_iterator"]


def test_several_tests_are_several_targets() -> None:
    second = EvalSpec("test_2", TEST, 50, 30)
    valid = EvalSpec("valid", TEST, None, 30, split="valid", valid_size=10)
    config = render_run(run(), [EVAL, second, valid], Path("/s"), None)
    assert config["train"]["evaluation_targets"] == ["test", "test_2", "valid"]
    assert [t["target"] for t in config["dataset_reader"]["tests"]] == ["test", "test_2"]
    rows = config["metadata"]["xlqa"]["evaluations"]
    assert rows["valid"]["row"]["split"] == "valid"
    assert rows["test_2"]["eval_id"] == second.eval_id(COMMON)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_name": "os:system"}, "not a component of xlqa"),
        ({"class_name": "torch_trainer"}, "not a component of xlqa"),
        ({"metrics": [{"name": "os.path:join"}]}, "not a component of xlqa"),
        ({"config_path": "other.json"}, "not used by xlqa"),
        ({"lr": "#model.__class__"}, "DeepPavlov would evaluate"),
    ],
)
def test_foreign_configs_are_refused(change: dict[str, object], message: str, tmp_path: Path) -> None:
    config = render_run(run(), [EVAL], Path("/s"), None)
    refuse_foreign(config, "ours")
    config["train"] |= change
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(XlqaError, match=message):
        read_config(tmp_path / "config.json")


def test_what_is_no_config_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"chainer": {}}', encoding="utf-8")
    with pytest.raises(XlqaError, match="not a config that xlqa wrote"):
        read_config(tmp_path / "config.json")


def test_suffixes_survive_copying() -> None:
    names = {"a.json": ".json", "b.v1.1.json": ".json", "c.csv.xz": ".csv.xz", "d": ".json", "e.jsonl.gz": ".jsonl.gz"}
    assert {name: data_suffix(Path(name)) for name in names} == names
