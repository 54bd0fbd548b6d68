"""Configs: complete, ours alone, pinned by a golden file, and readable by DeepPavlov's own parser."""

from __future__ import annotations

import copy
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_specs import COMMON, EVAL, STAGE, TARGET, TEST, ZERO, run

from xlqa.errors import XlqaError
from xlqa.records import Arm
from xlqa.runs.paths import RunFolder
from xlqa.runs.specs import EvalSpec
from xlqa.runs.store.config import data_suffix, render_run, render_source
from xlqa.runs.store.run_config import RunConfig, is_sealed, parse_config, read_config, seal, write_config
from xlqa.util.files import write_json

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
GOLDEN = Path(__file__).with_name("golden_config.json")


def test_golden_config() -> None:
    config = render_run(run(), [EVAL], Path("/sweep"), "a" * 64).to_json()
    assert is_sealed(config)
    del config["metadata"]["xlqa"]["checksum"]
    assert json.dumps(config, indent=2, ensure_ascii=False) + "\n" == GOLDEN.read_text(encoding="utf-8")


def test_all_paths_hang_on_root() -> None:
    for rendered in (render_run(run(Arm.JOINT), [EVAL], Path("/sweep"), None), render_source(STAGE, Path("/sweep"))):
        config = rendered.to_json()
        variables = config["metadata"].pop("variables")
        assert variables == {"ROOT": "/sweep", "DEVICE": "auto"}
        assert '"/' not in json.dumps(config)


def test_deeppavlov_resolves_root_and_its_override(monkeypatch: pytest.MonkeyPatch) -> None:
    from deeppavlov.core.commands.utils import parse_config as parse

    config = render_run(run(), [EVAL], Path("/sweep"), "a" * 64).to_json()
    assert parse(copy.deepcopy(config))["chainer"]["pipe"][1]["save_path"] == f"/sweep/runs/{run().run_id}/model"
    monkeypatch.setenv("DP_ROOT", "/moved")
    parsed = parse(copy.deepcopy(config))
    assert parsed["chainer"]["pipe"][1]["source"] == f"/moved/source/{STAGE.source_id}/model"
    assert parsed["dataset_reader"]["train"]["path"].startswith("/moved/data/sberquad.train-")


def test_arms_differ_where_they_should() -> None:
    transfer, alone, joint, zero = (
        render_run(spec, [EVAL], Path("/s"), "a" * 64).to_json()
        for spec in (run(), run(Arm.TARGET_ONLY), run(Arm.JOINT), ZERO)
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
    config = render_run(run(), [EVAL, second, valid], Path("/s"), None).to_json()
    assert config["train"]["evaluation_targets"] == ["test", "test_2", "valid"]
    assert [t["target"] for t in config["dataset_reader"]["tests"]] == ["test", "test_2"]
    rows = config["metadata"]["xlqa"]["evaluations"]
    assert rows["valid"]["row"]["split"] == "valid"
    assert rows["test_2"]["eval_id"] == second.eval_id(COMMON)


RENDERED = {
    "transfer": render_run(run(), [EVAL], Path("/s"), "a" * 64),
    "target-only": render_run(run(Arm.TARGET_ONLY), [EVAL, replace(EVAL, target="test_2", size=5)], Path("/s"), None),
    "joint": render_run(run(Arm.JOINT), [replace(EVAL, overlap_with=TARGET)], Path("/s"), None),
    "zero-shot": render_run(ZERO, [EVAL], Path("/s"), None),
    "valid": render_run(
        run(valid_size=10), [EVAL, EvalSpec("valid", TARGET, None, 30, split="valid", valid_size=10)], Path("/s"), None
    ),
    "less memory": replace(render_run(run(), [EVAL], Path("/s"), None), gradient_checkpointing=True),
    "source stage": render_source(STAGE, Path("/s")),
}


@pytest.mark.parametrize("config", RENDERED.values(), ids=RENDERED)
def test_what_is_written_is_read_back(config: RunConfig, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / ("source" if config.is_source else "runs") / config.id)
    write_config(folder, config)
    again = read_config(folder)
    assert again == config
    assert again.sealed
    assert json.dumps(again.to_json()) == json.dumps(config.to_json())


def test_published_configs_of_version_0_1_are_read() -> None:
    """Every config in the archives beside the published studies gives back its own bytes."""
    count = 0
    for archive in sorted(EXPERIMENTS.glob("**/runs.tar.xz")):
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.name.endswith("config.json"):
                    file = tar.extractfile(member)
                    assert file is not None
                    content = file.read()
                    config = parse_config(json.loads(content), f"{member.name}:")
                    assert config.sealed
                    assert config.id == Path(member.name).parent.name
                    assert json.dumps(config.to_json(), ensure_ascii=False, indent=2) + "\n" == content.decode("utf-8")
                    count += 1
    assert count >= 70


def put(config: dict[str, Any], place: str, value: Any) -> None:
    """Set a value by its place, such as `chainer.pipe.1.save_path`."""
    *parts, last = place.split(".")
    for part in parts:
        config = config[int(part) if isinstance(config, list) else part]
    config[last] = value


HOSTILE = {
    "metadata.variables.E": "",
    "metadata.variables.ROOT": "{E}",
    "metadata.xlqa.run_id": "../victim",
    "metadata.xlqa.schema": 2,
    "metadata.xlqa.evaluations.test.eval_id": "x-/../../../victim",
    "metadata.xlqa.evaluations.test.row.f1": 101.0,
    "metadata.xlqa.evaluations.test.row.lang": "{DEVICE}",
    "metadata.xlqa.evaluations.test.row.size": -1,
    "metadata.xlqa.evaluations.test.row.formula": "=1",
    "metadata.xlqa.evaluations.x/y": {},
    "metadata.imports": ["os"],
    "dataset_reader.class_name": "os:system",
    "dataset_reader.train.path": "{ROOT}/data/../../victim.json",
    "dataset_reader.tests.0.path": "/etc/passwd",
    "dataset_reader.tests.0.scorer": "nobody",
    "dataset_reader.tests.0.target": "train",
    "dataset_iterator.class_name": "torch_iterator",
    "dataset_iterator.train_size": True,
    "dataset_iterator.subset_by": ["question"],
    "chainer.in": "context",
    "chainer.pipe": [],
    "chainer.pipe.0.id": "pre",
    "chainer.pipe.0.tokenizer": "{E}#pre.folder or __import__('os').system('true')",
    "chainer.pipe.1.encoder": "owner/model",
    "chainer.pipe.1.encoder_sha256": None,
    "chainer.pipe.1.source": "{ROOT}/source/../../victim/model",
    "chainer.pipe.1.save_path": "/victim",
    "chainer.pipe.1.device": "#",
    "chainer.pipe.1.ref": "x",
    "chainer.pipe.1.config_path": "other.json",
    "train.metrics": ["pty:spawn"],
    "train.lr": "#model.__class__",
    "train.seed": 10**30,
    "train.evaluation_targets": ["test", "train"],
    "train.class_name": "xlqa.components.trainer:json.loads",
    "model_id": "x",
}


@pytest.mark.parametrize("place", HOSTILE)
def test_foreign_values_are_refused_by_name(place: str, tmp_path: Path) -> None:
    config = RENDERED["transfer"].to_json()
    put(config, place, HOSTILE[place])
    folder = RunFolder(tmp_path / "runs" / run().run_id)
    write_json(folder.config, seal(config))
    with pytest.raises(XlqaError) as refused:
        read_config(folder)
    assert place.rsplit(".", 1)[-1] in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["transfer", "source stage"])
def test_every_key_is_needed(name: str) -> None:
    def places(value: Any, path: str = "") -> Iterator[str]:
        for key, item in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            yield f"{path}{key}"
            yield from places(item, f"{path}{key}.")

    whole = RENDERED[name].to_json()
    optional = ("metadata.xlqa.checksum", "metadata.xlqa.evaluations.test.row.", "train.lr")
    for place in places(whole):
        config = copy.deepcopy(whole)
        *parts, last = place.split(".")
        inner: Any = config
        for part in parts:
            inner = inner[int(part) if isinstance(inner, list) else part]
        if isinstance(inner, dict) and not place.startswith(optional):
            del inner[last]
            with pytest.raises(XlqaError):
                parse_config(config, "config:")


def test_a_config_of_another_folder_is_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "runs" / "ru-transfer-100-s1-643220c28e")
    write_config(folder, RENDERED["transfer"])
    with pytest.raises(XlqaError, match="is the config of runs/ru-transfer-100-s0-643220c28e"):
        read_config(folder)


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    config, victim = RENDERED["transfer"], tmp_path / "victim"
    victim.mkdir()
    folder = RunFolder(tmp_path / "sweep" / "runs" / config.id)
    write_config(folder, config)
    (folder.root / "data").mkdir()
    config.refuse_links(folder)
    for link in (
        folder.model,
        folder.log,
        folder.path / "eval",
        folder.root / "source" / str(config.source_id) / "model",
    ):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(victim)
        with pytest.raises(XlqaError, match=f"{link.name} leads out of"):
            config.refuse_links(folder)
        link.unlink()


@pytest.mark.parametrize("content", ['{"chainer": {}}', "[1", "[" * 100_000, "1" * 100_000, "[NaN]", "\ud800", "null"])
def test_what_is_no_config_is_refused(content: str, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "runs" / run().run_id)
    folder.path.mkdir(parents=True)
    folder.config.write_text(content, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(XlqaError, match="xlqa reads only configs that it wrote"):
        read_config(folder)


def test_a_pipe_instead_of_a_config_is_refused_at_once(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "runs" / run().run_id)
    folder.path.mkdir(parents=True)
    os.mkfifo(folder.config)
    with pytest.raises(XlqaError, match=r"config\.json cannot be read .not a regular file"):
        read_config(folder)


def test_suffixes_survive_copying() -> None:
    names = {"a.json": ".json", "b.v1.1.json": ".json", "c.csv.xz": ".csv.xz", "d": ".json", "e.jsonl.gz": ".jsonl.gz"}
    assert {name: data_suffix(Path(name)) for name in names} == names
