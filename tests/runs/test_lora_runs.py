"""Sweeps with LoRA: small files are kept, and asking, scoring again and exporting work from them."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest_runs import run_here
from test_stock import deeppavlov, row_of

import xlqa
from xlqa.cli import main
from xlqa.errors import ManyErrors, XlqaError
from xlqa.export.model import export_run
from xlqa.runs.execute.run import execute
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.plan.cost import Pending, bytes_needed, describe_lora
from xlqa.runs.plan.planner import Plan, make_plan
from xlqa.runs.plan.request import build_request
from xlqa.runs.store.results import load_result
from xlqa.runs.store.run_config import read_config
from xlqa.runs.store.table import write_results

pytestmark = pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="peft is not installed (extra lora)")

FEW = {"sizes": "8", "seeds": 1, "arms": "transfer", "lora": 2}
CONTEXT, QUESTION = "Mara vive en Brenne, cerca del río.", "¿Dónde vive Mara?"
MakePlan = Callable[..., Plan]


def sweep(out: Path, settings: dict[str, Any], **changes: Any) -> Path:
    run_here(make_plan(build_request(settings | FEW | {"out": str(out)} | changes)))
    return out


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any]) -> Path:
    """A sweep with LoRA in both stages; tests copy it before they change it."""
    return sweep(tmp_path_factory.mktemp("lora") / "out", settings)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any]) -> Path:
    """A sweep with LoRA on target examples alone."""
    return sweep(tmp_path_factory.mktemp("lora") / "out", settings, source_lora=0)


def run_of(root: Path, size: int = 8) -> RunFolder:
    return next(folder for folder in Layout(root).run_folders() if f"-{size}-" in folder.id)


def record_of(folder: RunFolder) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(str(folder.model / "adapter_model.safetensors"), framework="np") as file:
        found: dict[str, Any] = json.loads(file.metadata()["xlqa"])
    return found


def test_kept_folders_are_adapters_of_what_was_there_before(both: Path, target: Path, encoder: Path) -> None:
    (stage,) = Layout(both).source_folders()
    record = record_of(run_of(both))
    assert (record["base"], record["ranks"], record_of(stage)["ranks"]) == ("encoder", [2, 2], [2])
    assert record["name"].startswith(encoder.name)
    (whole,) = Layout(target).source_folders()
    assert (whole.model / "model.safetensors").is_file()
    record = record_of(run_of(target))
    assert (record["base"], record["name"], record["ranks"]) == ("source", whole.id, [2])
    assert {path.name for path in run_of(target).model.iterdir()} == {
        "config.json", "adapter_config.json", "adapter_model.safetensors",
    }  # fmt: skip


@pytest.mark.parametrize("sweep_of", ["both", "target"])
def test_scores_answers_and_exports_are_those_of_the_training(
    sweep_of: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    from transformers import AutoModelForQuestionAnswering

    root = tmp_path / "copy"
    shutil.copytree(request.getfixturevalue(sweep_of), root, symlinks=True)
    run = run_of(root)
    (evaluation,) = run.evaluations()
    before = (evaluation / "predictions.json").read_bytes()
    shutil.rmtree(evaluation)
    execute(run, keep=True, listen=lambda event: None, device="cpu")
    assert (evaluation / "predictions.json").read_bytes() == before

    exported = export_run(str(run.path), tmp_path / "exported", root)
    assert not list(exported.glob("adapter*"))
    assert type(AutoModelForQuestionAnswering.from_pretrained(exported)).__name__ == "BertForQuestionAnswering"
    asked = [xlqa.ask(CONTEXT, QUESTION, model=str(model), device="cpu") for model in (run.path, exported)]
    assert asked[0][0].text == asked[1][0].text
    assert asked[0][0].score == pytest.approx(asked[1][0].score, abs=1e-6)
    assert "lora rank 2, merged" in (exported / "README.md").read_text(encoding="utf-8")


def test_a_missing_or_changed_base_is_one_line(
    both: Path, target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for root, base in ((both, "encoders"), (target, "source")):
        copy = tmp_path / base
        shutil.copytree(root, copy, symlinks=True)
        run = run_of(copy)
        ask = ["ask", CONTEXT, QUESTION, "--model", str(run.path), "--device", "cpu"]
        if base == "encoders":
            (link,) = (copy / base).iterdir()
            whole = link.resolve()
            link.unlink()
            assert main(ask) == 2
            assert len(capsys.readouterr().err.splitlines()) == 1
            shutil.copytree(whole, link)
            (link / "tokenizer_config.json").write_text("{}", encoding="utf-8")
        else:
            (weights,) = copy.glob("source/*/model/model.safetensors")
            weights.write_bytes(weights.read_bytes()[:-4] + b"abcd")
        assert main(ask) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "put" in line
        assert "SHA-256" in line


def test_an_adapter_without_its_run_is_refused_with_the_way_out(
    both: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = shutil.copytree(run_of(both).model, tmp_path / "alone" / "model")
    assert main(["ask", CONTEXT, QUESTION, "--model", str(alone), "--device", "cpu"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "this is an adapter of another model: merge them (`xlqa export` does, for a run)" in line


def test_the_adapter_in_a_run_folder_is_asked_as_the_run(both: Path) -> None:
    run = run_of(both)
    asked = [xlqa.ask(CONTEXT, QUESTION, model=str(path), device="cpu")[0] for path in (run.path, run.model)]
    assert (asked[0].text, asked[0].score) == (asked[1].text, asked[1].score)


def test_rows_with_and_without_lora_have_other_names_hashes_and_ids(both: Path, plan: MakePlan, tmp_path: Path) -> None:
    row, zero = (load_result(run_of(both, size).evaluations()[0]).row for size in (8, 0))
    assert row["target"] == "sample.es.train (LoRA of rank 2)"
    assert row["source"] == zero["source"] == "sample.en.train (LoRA of rank 2)"
    assert row["target_sha256"].endswith("+LoRA of rank 2")
    plain = plan(tmp_path / "out", **FEW | {"lora": 0})
    assert row["run_id"] not in {spec.run_id for spec, _ in plain.runs}
    assert read_config(run_of(both)).hyper == plan(tmp_path / "out", **FEW).runs[-1][0].hyper
    write_results(Layout(both))
    assert main(["report", str(both)]) == 0


def test_what_lora_excludes_is_refused_before_a_start(plan: MakePlan, tmp_path: Path) -> None:
    with pytest.raises(ManyErrors) as caught:
        plan(tmp_path / "out", lora=2, freeze=1, reinit_top=1)
    assert list(caught.value.complaints) == [
        "--lora 2: freezes all of the encoder already: leave --freeze and --source-freeze out.",
        "--lora 2: re-initialised layers would keep their random weights: leave --reinit-top out.",
        "--source-lora 2: freezes all of the encoder already: leave --freeze and --source-freeze out.",
        "--source-lora 2: re-initialised layers would keep their random weights: leave --reinit-top out.",
    ]
    with pytest.raises(
        XlqaError, match=r"--lora 999: the encoder's narrowest layer has \d+ units: choose a lower rank"
    ):
        plan(tmp_path / "out", lora=999, source_lora=0)


def test_the_plan_states_trained_weights_and_needs_less_disk(plan: MakePlan, tmp_path: Path) -> None:
    made, whole = (plan(tmp_path / "out", **FEW | {"lora": rank}) for rank in (2, 0))
    (line,) = describe_lora(made)
    assert line.startswith("LoRA of rank 2 in 12 layers of tiny: ")
    assert describe_lora(whole) == []
    needed = [bytes_needed(made, Pending(made.runs, made.stages, 2)) for made in (made, whole)]
    assert needed[0] < needed[1]


def test_the_plan_states_the_size_of_what_is_kept(both: Path, target: Path, plan: MakePlan, tmp_path: Path) -> None:
    (line,) = describe_lora(plan(tmp_path / "both", **FEW))
    found = re.fullmatch(r".* kept in ([\d.e-]+) MB \(([\d.e-]+) MB after a source stage with LoRA\)", line)
    assert found
    (alone,) = describe_lora(plan(tmp_path / "target", **FEW, source_lora=0))
    for stated, folder in ((found[2], both), (found[1], target), (alone.split()[-2], target)):
        kept = (run_of(folder).model / "adapter_model.safetensors").stat().st_size
        # A safetensors file has a header of some kilobytes, too.
        assert float(stated) <= 1e-6 * kept < float(stated) + 0.02


def test_without_peft_a_sweep_with_lora_does_not_start(
    plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(XlqaError, match=r"--lora: the package peft is not installed: pip install 'xlqa\[lora\]'"):
        plan(tmp_path / "out", **FEW)


@pytest.mark.slow
def test_the_stock_command_scores_the_adapter_as_the_table_does(target: Path) -> None:
    run = run_of(target)
    row = row_of(target, run.id)
    metrics = deeppavlov("evaluate", run.config)
    assert metrics == {name: round(float(row[name]), 4) for name in ("f1", "em", "squad_f1", "squad_em")}
