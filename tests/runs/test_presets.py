"""The five systems of the notebook live on, in step with the code that renders them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xlqa.runs.execute.run import execute
from xlqa.runs.paths import RunFolder
from xlqa.runs.store.presets import PRESETS, main, render_preset, write_presets

CONFIGS = Path(__file__).parents[2] / "configs"


def test_committed_configs_are_what_is_rendered(tmp_path: Path) -> None:
    for path in write_presets(tmp_path):
        assert (CONFIGS / path.name).read_bytes() == path.read_bytes()
    assert sorted(p.stem for p in CONFIGS.glob("*.json")) == sorted(preset.name for preset in PRESETS)
    assert {"trans_en_mbert", "trans_ru_mbert", "squad_zh_bert_mult", "squad_zh_bert_zh", "squad_ru_rubert"} == {
        preset.name for preset in PRESETS if preset.task == "qa"
    }
    assert [preset.task for preset in PRESETS if preset.task != "qa"] == ["ner", "nli"]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_deeppavlov_reads_them(preset: object) -> None:
    from deeppavlov.core.commands.utils import parse_config

    config = render_preset(preset)  # type: ignore[arg-type]  # parametrised
    parsed = parse_config(config)
    assert parsed["chainer"]["pipe"][1]["save_path"] == f"~/xlqa/models/{config['metadata']['xlqa']['system']}"
    assert parsed["dataset_iterator"]["train_size"] is None


def test_one_trains_with_its_port_turned_down(encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deeppavlov import train_model

    config = json.loads((CONFIGS / "trans_ru_mbert.json").read_text(encoding="utf-8"))
    config["metadata"]["variables"]["ROOT"] = str(tmp_path)
    sample = {"name": "sample.ru", "path": "{ROOT}/data/ru.json", "sha256": None, "language": "ru", "scorer": "mlqa.ru"}
    config["dataset_reader"]["train"] = sample
    config["dataset_reader"]["tests"] = [sample | {"target": "test", "size": 10}]
    config["dataset_iterator"]["train_size"] = 12
    for part in config["chainer"]["pipe"]:
        part |= {"tokenizer": str(encoder)} if "tokenizer" in part else {"encoder": str(encoder)}
    config["train"] |= {"min_steps": 2, "epochs": 1, "evaluation_targets": ["test"]}
    model = train_model(config)
    context = "Река Лена впадает в море."
    (answer,), (start,), _ = model([context], ["Куда впадает Лена?"])
    assert context[start : start + len(answer)] == answer
    assert (tmp_path / "models" / "trans_ru_mbert" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("name", "given"), [("ner_wikiann_mbert", [["Mara", "sings"]]), ("nli_xnli_mbert", ["Mara sings."])]
)
def test_those_of_other_tasks_train(
    name: str, given: list[Any], encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deeppavlov import train_model

    config = json.loads((CONFIGS / f"{name}.json").read_text(encoding="utf-8"))
    config["metadata"]["variables"]["ROOT"] = str(tmp_path)
    task = name.split("_")[0]
    reader = config["dataset_reader"]
    for part, sample in (
        (reader["train"], "en.train"),
        (reader["tests"][0], "ru.test"),
        (reader["tests"][1], "en.test"),
    ):
        part |= {"name": f"sample.{task}.{sample}", "sha256": None, "path": "{ROOT}/no-such-file"}
    for test in reader["tests"]:
        test["size"] = 8
    config["dataset_iterator"]["train_size"] = 12
    for part in config["chainer"]["pipe"]:
        part |= {"tokenizer": str(encoder)} if "tokenizer" in part else {"encoder": str(encoder)}
    config["train"] |= {"min_steps": 2, "epochs": 1}
    labels = {label for part in config["chainer"]["pipe"] for label in part.get("labels", ())}
    found = train_model(config)(*[given] * len(config["chainer"]["in"]))
    predicted = found[0] if task == "ner" else found[0][:1]
    assert {label for some in predicted for label in (some if isinstance(some, list) else [some])} <= labels
    assert (tmp_path / "models" / name / "model.safetensors").is_file()


def test_command_needs_a_folder() -> None:
    with pytest.raises(Exception, match="name one folder"):
        main([])


def test_a_preset_is_no_run_of_a_sweep(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "runs" / "x")
    folder.path.mkdir(parents=True)
    folder.config.write_text((CONFIGS / "trans_ru_mbert.json").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(Exception, match="not a config of a run"):
        execute(folder, keep=False, listen=lambda event: None)
