"""Sweeps with `--unanswerable`: questions without an answer are trained on and scored, and a threshold decides."""

from __future__ import annotations

import csv
import json
import re
import shutil
import string
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest_runs import run_here

from xlqa.cli import main
from xlqa.curves.grouping import split_panels
from xlqa.curves.table import load_results
from xlqa.errors import XlqaError
from xlqa.records import NO_ANSWER_COLUMNS, RESULT_COLUMNS, VOLATILE_COLUMNS, result_columns
from xlqa.runs.execute.evaluate import evaluate_run, show_row
from xlqa.runs.paths import RunFolder
from xlqa.runs.plan.checks import find_warnings
from xlqa.runs.plan.planner import Plan, make_plan
from xlqa.runs.plan.request import build_request
from xlqa.runs.store.config import render_run
from xlqa.runs.store.rescore import rescore
from xlqa.runs.store.results import read_training
from xlqa.runs.store.run_config import parse_config
from xlqa.tasks.sources import sample_files
from xlqa.util.files import file_sha256, write_json

MakePlan = Callable[..., Plan]


def squad2(part: str, path: Path) -> Path:
    """A SQuAD 2.0 file from the first articles of the sample: each paragraph is also asked a question of the next one."""
    value = json.loads(sample_files()[part].read_text(encoding="utf-8"))
    value |= {"version": "v2.0", "data": value["data"][:3]}
    for article in value["data"]:
        questions = [dict(paragraph["qas"][0]) for paragraph in article["paragraphs"]]
        for paragraph, other in zip(article["paragraphs"], questions[1:] + questions[:1], strict=True):
            mark = {"id": f"{other['id']}-no", "answers": [], "is_impossible": True}
            paragraph["qas"].insert(1, other | mark)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What makes the small sweep one with unanswerable questions."""
    folder = tmp_path_factory.mktemp("squad2")
    files = {name: str(squad2(f"sample.{part}", folder / f"{part}.json"))
             for name, part in (("source_train", "en.train"), ("target_train", "es.train"), ("target_test", "es.test"))}  # fmt: skip
    return files | {
        "unanswerable": True,
        "valid_size": 16,
        "sizes": "8",
        "seeds": 1,
        "source_size": None,
        "test_size": None,
    }


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any], changes: dict[str, Any]) -> Path:
    """The folder of a finished sweep with unanswerable questions."""
    out = tmp_path_factory.mktemp("swept") / "out"
    run_here(make_plan(build_request(settings | changes | {"out": str(out)})))
    return out


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def official(path: Path, predictions: dict[str, str]) -> dict[str, float]:
    """EM and F1 in percent as evaluate-v2.0.py defines them."""
    found: dict[str, list[tuple[float, float]]] = {"all": [], "HasAns": [], "NoAns": []}
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for qa in (qa for paragraph in article["paragraphs"] for qa in paragraph["qas"]):
            golds = [answer["text"] for answer in qa["answers"]] or [""]
            score = max(one(predictions[qa["id"]], gold) for gold in golds)
            for kind in ("all", "HasAns" if qa["answers"] else "NoAns"):
                found[kind].append(score)
    return {f"{kind}_{name}": 100 * sum(s[i] for s in scores) / len(scores)
            for kind, scores in found.items() for i, name in enumerate(("f1", "em"))}  # fmt: skip


def one(answer: str, gold: str) -> tuple[float, float]:
    bare = ("".join(sign for sign in text.lower() if sign not in string.punctuation) for text in (answer, gold))
    a, g = (re.sub(r"\b(a|an|the)\b", " ", text).split() for text in bare)
    shared = sum((Counter(a) & Counter(g)).values())
    if not a or not g:
        return float(a == g), float(a == g)
    return (2 * shared / (len(a) + len(g)) if shared else 0.0), float(a == g)


def test_the_table_has_the_scores_of_both_kinds_of_questions(swept: Path, changes: dict[str, Any]) -> None:
    rows = rows_of(swept)
    assert tuple(rows[0]) == result_columns("qa", True)
    assert [name for name in rows[0] if name not in NO_ANSWER_COLUMNS] == list(RESULT_COLUMNS)
    tests = [row for row in rows if row["split"] == "test"]
    assert [(row["arm"], row["size"]) for row in tests] == [("transfer", "0"), ("transfer", "8"), ("target-only", "8")]
    for row in tests:
        folder = swept / "runs" / row["run_id"] / "eval" / row["eval_id"]
        predictions = json.loads((folder / "predictions.json").read_text(encoding="utf-8"))
        found = official(Path(changes["target_test"]), predictions)
        # MLQA drops other articles and punctuation, in questions with an answer.
        assert row["scorer"] == "squad2.mlqa.es"
        for name in ("f1", "em"):
            assert float(row[f"squad_{name}"]) == pytest.approx(found[f"all_{name}"], abs=1e-4), name
        assert int(row["unanswerable"]) == sum(id.endswith("-no") for id in predictions) > 0
        assert int(row["questions"]) == len(predictions)
        share = int(row["unanswerable"]) / len(predictions)
        whole = share * float(row["no_answer_f1"]) + (1 - share) * float(row["has_answer_f1"])
        assert float(row["f1"]) == pytest.approx(whole, abs=1e-4)


def test_the_validation_part_chooses_the_threshold_and_no_other(swept: Path) -> None:
    rows = rows_of(swept)
    assert {row["no_answer_threshold"] for row in rows if row["size"] == "0"} == {"0.0"}
    for row in (row for row in rows if row["split"] == "valid"):
        # Leaving all questions unanswered is among the choices.
        assert float(row["f1"]) >= 100 * int(row["unanswerable"]) / int(row["questions"]) - 1e-4
        same = [other for other in rows if other["run_id"] == row["run_id"]]
        assert len({other["no_answer_threshold"] for other in same}) == 1 < len(same)
        record = json.loads((swept / "runs" / row["run_id"] / "train.json").read_text(encoding="utf-8"))
        assert record["no_answer_threshold"] == float(row["no_answer_threshold"])
    (kept,) = swept.glob("runs/*/model/config.json")
    run = kept.parent.parent.name
    stored = json.loads(kept.read_text(encoding="utf-8"))["null_threshold"]
    assert {float(row["no_answer_threshold"]) for row in rows if row["run_id"] == run} == {stored}


def test_resuming_scoring_again_and_evaluating_give_the_same(
    swept: Path, settings: dict[str, Any], changes: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(swept, out, symlinks=True)
    before = (out / "results.csv").read_bytes()
    rescore(out)
    assert (out / "results.csv").read_bytes() == before
    fixed = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/eval/*/predictions.json")}
    run_here(make_plan(build_request(settings | changes | {"out": str(out)})))
    assert (out / "results.csv").read_bytes() == before
    assert fixed == {path: path.stat().st_mtime_ns for path in fixed}
    (model,) = out.glob("runs/*/model")
    other = tmp_path / "other.json"
    other.write_bytes(Path(changes["target_test"]).read_bytes() + b"\n")
    row = evaluate_run(RunFolder(model.parent), str(other), "es", device="cpu")
    known = next(r for r in rows_of(swept) if r["run_id"] == model.parent.name and r["split"] == "test")
    again = next(r for r in rows_of(out) if r["eval_id"] == row["eval_id"])
    for name in set(known) - {"test", "test_sha256", "eval_id", "source_overlap", "train_overlap", "f1_without_overlap",
                              "em_without_overlap", *VOLATILE_COLUMNS}:  # fmt: skip
        assert again[name] == known[name], name
    assert f"without {row['no_answer_f1']:.2f}, threshold {row['no_answer_threshold']:.3g}" in show_row(row)


def test_the_stock_pipeline_gives_the_answers_of_the_table(swept: Path, changes: dict[str, Any]) -> None:
    from deeppavlov import build_model

    (model,) = swept.glob("runs/*/model")
    known = next(row for row in rows_of(swept) if row["run_id"] == model.parent.name and row["split"] == "test")
    stored = model.parent / "eval" / known["eval_id"] / "predictions.json"
    predictions = json.loads(stored.read_text(encoding="utf-8"))
    data = json.loads(Path(changes["target_test"]).read_text(encoding="utf-8"))["data"]
    asked = [(p["context"], qa["question"], qa["id"]) for a in data for p in a["paragraphs"] for qa in p["qas"]]
    contexts, questions, ids = zip(*asked, strict=True)
    answers = build_model(str(model.parent / "config.json"))(list(contexts), list(questions))[0]
    assert dict(zip(ids, answers, strict=True)) == predictions


@pytest.mark.parametrize(("threshold", "status"), [(-1000.0, 1), (1000.0, 0)])
def test_a_model_may_answer_that_there_is_no_answer(
    swept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], threshold: float, status: int
) -> None:
    (model,) = swept.glob("runs/*/model")
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"null_threshold": threshold}), encoding="utf-8")
    words = ["ask", "Mara vive en Brenna.", "¿Dónde vive?", "--model", str(folder), "--device", "cpu"]
    assert main(words) == status
    text = capsys.readouterr().out.strip()
    assert main([*words, "--json"]) == status
    (span,) = json.loads(capsys.readouterr().out)
    assert (text == "no answer") == (span["answer"] == "") == bool(status)
    assert 0 < span["score"] <= 1
    assert (span["start"], span["end"]) == (-1, -1) if status else span["start"] >= 0


def test_the_card_of_an_exported_model_states_the_rule(swept: Path, tmp_path: Path) -> None:
    (model,) = swept.glob("runs/*/model")
    stored = json.loads((model / "config.json").read_text(encoding="utf-8"))["null_threshold"]
    assert main(["export", str(model.parent), str(tmp_path / "export")]) == 0
    card = (tmp_path / "export" / "README.md").read_text(encoding="utf-8")
    assert f"exceeds the best span's by more than {stored:.4g}" in card
    assert "| no_answer_f1 | squad2.mlqa.es |" in card
    assert json.loads((tmp_path / "export" / "config.json").read_text(encoding="utf-8"))["null_threshold"] == stored


def test_rows_with_and_without_the_flag_are_never_averaged(finished: Path, swept: Path, tmp_path: Path) -> None:
    both = load_results([finished, swept])
    found = split_panels(both[both["split"] == "test"])
    assert len({panel.measurement["test_sha256"] for panel in found}) == 2
    for name in ("source_sha256", "target_sha256", "test_sha256"):
        assert {("+with unanswerable" in value) for value in both[both[name] != ""][name]} == {True, False}
    assert not set(NO_ANSWER_COLUMNS) & set(load_results(finished).columns)
    assert both["no_answer_f1"].notna().sum() == len(rows_of(swept))


def test_the_flag_is_part_of_the_ids_and_the_configs(plan: MakePlan, changes: dict[str, Any], tmp_path: Path) -> None:
    flagged = plan(tmp_path, **changes)
    plain = plan(tmp_path, **changes | {"unanswerable": False})
    assert not set(flagged.ids()) & set(plain.ids())
    config = render_run(*flagged.runs[1], tmp_path, None)
    written = config.to_json()
    assert parse_config(written, "here") == config
    assert config.unanswerable
    assert written["chainer"]["pipe"][1]["unanswerable"] is True
    assert "unanswerable" not in json.dumps(render_run(*plain.runs[1], tmp_path, None).to_json())
    del written["chainer"]["pipe"][1]["unanswerable"]
    with pytest.raises(XlqaError, match="unanswerable is not what all its data files state"):
        parse_config(written, "here")


def test_a_plan_tells_shares_and_sets_without_unanswerable_questions(
    plan: MakePlan, changes: dict[str, Any], tmp_path: Path
) -> None:
    flagged = plan(tmp_path, **changes)
    (train,) = [loaded for loaded in flagged.sets.values() if loaded.ref.name == "es.train"]
    assert train.unanswerable == 27
    assert flagged.unanswerable()["es.train"] == (27, len(train.questions))
    assert not any("unanswerable" in line for line in find_warnings(flagged))
    without = plan(tmp_path, unanswerable=True)
    notes = [line for line in find_warnings(without) if "unanswerable" in line]
    assert (
        notes[0] == "--unanswerable: sample.en.train, sample.es.train, sample.es.test: no unanswerable questions in it."
    )
    assert "threshold is 0" in notes[1]
    with pytest.raises(XlqaError, match="no answers to give to unanswerable questions"):
        plan(tmp_path, source_labels="shuffled", **changes)


def test_an_adapter_keeps_the_threshold(settings: dict[str, Any], changes: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("peft", reason="peft is not installed (extra lora)")

    adapted = settings | changes | {"lora": 2, "arms": "transfer", "out": str(tmp_path / "out")}
    run_here(make_plan(build_request(adapted)))
    (model,) = (tmp_path / "out").glob("runs/*/model")
    assert (model / "adapter_model.safetensors").is_file()
    stored = json.loads((model / "config.json").read_text(encoding="utf-8"))
    (model / "config.json").write_text(json.dumps(stored | {"null_threshold": -1000.0}), encoding="utf-8")
    record = read_training(RunFolder(model.parent))
    assert record is not None
    files = {**record.model_files, "config.json": file_sha256(model / "config.json")}
    write_json(RunFolder(model.parent).outcome, replace(record, model_files=files).to_json())
    assert main(["export", str(model.parent), str(tmp_path / "whole")]) == 0
    assert json.loads((tmp_path / "whole" / "config.json").read_text(encoding="utf-8"))["null_threshold"] == -1000.0
    for folder in (model.parent, tmp_path / "whole"):
        words = ["ask", "Mara vive en Brenna.", "¿Dónde vive?", "--model", str(folder), "--device", "cpu"]
        assert main(words) == 1
