"""`xlqa export`: a run's model loads in transformers, answers alike, and states where it comes from."""

from __future__ import annotations

import json
import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

import fake_hub

import xlqa
from xlqa.cli import main
from xlqa.errors import XlqaError
from xlqa.export.card import UNKNOWN_LICENCE, describe_run, hub_name, interval, licence_of, usage
from xlqa.export.model import export_run
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.results import load_result
from xlqa.runs.store.run_config import read_config


def kept_run(root: Path) -> RunFolder:
    return next(folder for folder in Layout(root).run_folders() if folder.model.is_dir())


@pytest.fixture(scope="module")
def exported(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "es-model"
    assert main(["export", str(kept_run(finished).path), str(folder)]) == 0
    return folder


def test_the_lines_in_the_card_give_the_answer_of_ask(
    finished: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForQuestionAnswering

    run = kept_run(finished)
    facts = describe_run(run, read_config(run), exported.name)
    assert f"```python\n{usage(facts)}\n```" in (exported / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(exported.parent)
    for inputs in (
        ("Galería Lambal abre.", "¿Qué abre?"),
        ("Mara vive en Brenne, cerca del río.", "¿Dónde vive Mara?"),
    ):
        scope: dict[str, Any] = {}
        exec(usage(replace(facts, inputs=inputs)), scope)
        (best,) = xlqa.ask(*inputs, model=str(run.path), device="cpu")
        assert scope["answer"] == best.text
    assert type(AutoModelForQuestionAnswering.from_pretrained(exported)).__name__ == "BertForQuestionAnswering"


def test_the_card_states_data_licences_scores_and_intervals(finished: Path, exported: Path) -> None:
    from huggingface_hub import ModelCard

    run = kept_run(finished)
    row = load_result(run.evaluations()[0]).row
    card = ModelCard.load(exported / "README.md")
    known = card.data.to_dict()
    assert (known["language"], known["pipeline_tag"], "base_model" in known) == (["es"], "question-answering", False)
    (result,) = known["model-index"][0]["results"]
    measured = {metric["name"]: (metric["type"], metric["value"]) for metric in result["metrics"]}
    assert measured["f1 (mlqa.es)"] == ("f1", round(row["f1"], 2))
    assert measured["squad_em (squad)"] == ("exact_match", round(row["squad_em"], 2))
    assert "| source | sample.en.train | 24 | Apache-2.0" in card.text
    assert f"| target | sample.es.train | {row['size']} | Apache-2.0" in card.text
    line = next(line for line in card.text.splitlines() if "| f1 | mlqa.es |" in line)
    assert f"| {row['f1']:.1f} | " in line
    assert " to " in line


def test_an_exported_folder_holds_no_path_of_this_machine(finished: Path, exported: Path) -> None:
    names = {path.name for path in exported.iterdir()}
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json"} <= names
    assert all("/" not in path.read_text(encoding="utf-8") for path in exported.glob("*config.json"))
    assert str(finished) not in (exported / "README.md").read_text(encoding="utf-8")


def test_what_cannot_be_exported_is_one_line_and_leaves_nothing(
    finished: Path, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(finished, tmp_path / "copy")
    run = kept_run(copy)
    without = next(
        folder for folder in Layout(copy).run_folders() if not folder.model.is_dir() and "target-only" in folder.id
    )
    for words, message in (
        ([str(run.path), str(exported)], "exists: name a new folder"),
        (["none", str(tmp_path / "out")], "none: is not a run"),
        ([str(without.path), str(tmp_path / "out")], "has no weights: they were not kept"),
        ([str(run.path), str(tmp_path / "out"), "--push", "me/x"], "--push me/x: set HF_TOKEN"),
        ([str(run.path), str(tmp_path / "out"), "--push", "a b/c"], "--push a b/c: is not a model name"),
    ):
        assert main(["export", *words]) == 2
        shown = capsys.readouterr().err
        assert message in shown
        assert len(shown.splitlines()) == 1
    (run.model / "vocab.txt").unlink(missing_ok=True)
    (run.model / "vocab.txt").symlink_to(Path(__file__))
    with pytest.raises(XlqaError, match="symbolic link"):
        export_run(str(run.path), tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_model_is_pushed(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(kept_run(finished).path), str(tmp_path / "out"), "--push", "me/es", "--json"]
    with fake_hub.serving() as hub:
        fake_hub.connect(monkeypatch, hub, tmp_path / "hub")
        monkeypatch.setenv("HF_TOKEN", "hf_wrong")
        assert main(words) == 2
        assert "upload it with `hf upload me/es" in capsys.readouterr().err
        shutil.rmtree(tmp_path / "out")
        monkeypatch.setenv("HF_TOKEN", hub.token)
        assert main(words) == 0
        assert json.loads(capsys.readouterr().out)["address"] == f"{hub.address}/me/es"
        there = hub.repositories["me/es"]
    assert there.private
    assert there.files["model.safetensors"] == (tmp_path / "out" / "model.safetensors").read_bytes()
    assert b"from_pretrained('me/es')" in there.files["README.md"]


def test_the_interval_of_a_mean_is_students() -> None:
    values = np.array([0.0, 1.0, 1.0, 0.5])
    half = interval(values, np.ones(4), ["a", "b", "c", "d"])
    assert half == pytest.approx(100 * values.std(ddof=1) / math.sqrt(4) * 3.182446, rel=1e-6)
    assert interval(np.repeat(values, 3), np.ones(12), [g for g in "abcd" for _ in range(3)]) == pytest.approx(half)
    assert interval(values, np.ones(4), ["a"] * 4) is None


def test_licences_and_names_are_those_that_are_known() -> None:
    assert licence_of("squad.train", "") == "CC BY-SA 4.0"
    assert licence_of("mine", "0" * 64) == UNKNOWN_LICENCE
    assert hub_name("multilingual-e5-small") == "intfloat/multilingual-e5-small"
    assert (hub_name("xlm-roberta-base"), hub_name("my-encoder")) == ("xlm-roberta-base", "")
