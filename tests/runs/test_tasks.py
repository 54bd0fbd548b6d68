"""Sweeps of the other tasks, whole: planned, trained, scored, scored again, packed, evaluated on another set."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from conftest_runs import run_here
from test_stock import deeppavlov
from test_sweep import command, sweep_words

from xlqa.data.registry import find_part
from xlqa.errors import XlqaError
from xlqa.export.card import describe_run, usage, words_usage
from xlqa.export.model import export_run
from xlqa.predict import Entity, Tag, ask, classify, find_model, join_entities, tag
from xlqa.records import TASK_METRICS, VOLATILE_COLUMNS, Arm, result_columns
from xlqa.runs.execute.evaluate import evaluate_run, show_row
from xlqa.runs.execute.run import execute
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.plan.checks import find_warnings
from xlqa.runs.plan.demo import DEMO_TASKS, describe_demo
from xlqa.runs.plan.planner import Plan, make_plan
from xlqa.runs.plan.request import build_request, gather_settings
from xlqa.runs.store.archive import pack
from xlqa.runs.store.rescore import rescore
from xlqa.runs.store.results import read_result
from xlqa.runs.store.rows import evaluation_row
from xlqa.runs.store.run_config import read_config
from xlqa.runs.store.setup import write_run_config
from xlqa.runs.store.status import read_status
from xlqa.tasks.base import get_task
from xlqa.tasks.sources import sample_files
from xlqa.tasks.tagging.reading import INTEGER_TAGS
from xlqa.util.files import write_json

SMALL: dict[str, Any] = {
    "lang": "es", "sizes": "8", "seeds": 1, "source_size": 24, "test_size": 20, "min_steps": 3, "epochs": 1.0,
    "source_epochs": 1.0, "batch_size": 8, "lr": 1e-3, "max_length": 48, "precision": "fp32", "device": "cpu", "keep": "all",
    "arms": "transfer,target-only,joint", "valid_size": 5,
}  # fmt: skip
TASKS = ("ner", "nli")


def planned(out: Path, encoder: Path, task: str, **changes: Any) -> Plan:
    files = {
        "source_train": f"sample.{task}.en.train", "target_train": f"sample.{task}.es.train",
        "target_test": f"sample.{task}.es.test",
    }  # fmt: skip
    return make_plan(build_request(SMALL | files | {"task": task, "model": str(encoder), "out": str(out)} | changes))


@pytest.fixture(scope="module", params=TASKS)
def swept(request: pytest.FixtureRequest, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    plan = planned(tmp_path_factory.mktemp(request.param) / "out", encoder, request.param)
    run_here(plan)
    return plan


def test_an_exported_model_predicts_in_transformers_what_xlqa_predicts(
    swept: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = swept.request.task
    folder = next(swept.layout.run(spec.run_id) for spec, _ in swept.runs if spec.arm is Arm.TRANSFER and spec.size)
    exported = export_run(str(folder.path), tmp_path / "model", tmp_path)
    facts = describe_run(folder, read_config(folder), "model")
    monkeypatch.chdir(tmp_path)
    lines = usage(facts)
    assert lines in (exported / "README.md").read_text(encoding="utf-8")
    load, _, call = lines.rpartition("\n")
    scope: dict[str, Any] = {}
    exec(load, scope)
    found = eval(call, scope)
    if task == "ner":
        text = facts.inputs[0]
        tags = tag(text, task, model=str(folder.path), device="cpu")
        exec(words_usage(facts), scope)
        assert scope["tagged"] == [(text[word.start : word.end], word.tag) for word in tags]
        entities = join_entities(tags)
        assert [(e["entity_group"], e["start"], e["end"]) for e in found if e["entity_group"] != "O"] == [
            (e.kind, e.start, e.end) for e in entities
        ]
    else:
        label, probability = classify(*facts.inputs, task=task, model=str(folder.path), device="cpu")[0]
        (best,) = found if isinstance(found, list) else [found]
        assert (best["label"], best["score"]) == (label, pytest.approx(probability, abs=1e-4))


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((path / "results.csv").open(encoding="utf-8")))


def test_the_table_has_the_tasks_own_columns(swept: Plan) -> None:
    task = swept.request.task
    rows = table(swept.request.out)
    assert tuple(rows[0]) == result_columns(task)
    assert {row["task"] for row in rows} == {task}
    assert {(row["arm"], row["size"]) for row in rows} == {
        ("transfer", "0"), ("transfer", "8"), ("target-only", "8"), ("joint", "8"),
    }  # fmt: skip
    assert all(row[TASK_METRICS[task][-1]] != "" for row in rows if task == "nli")


def test_the_sums_of_the_examples_give_the_table(swept: Plan) -> None:
    for run in swept.layout.run_folders():
        for evaluation in run.evaluations():
            record = read_result(evaluation)
            assert record is not None
            examples = list(csv.DictReader((evaluation / "examples.csv").open(encoding="utf-8")))
            assert len(examples) == record.row["questions"]
            metric = TASK_METRICS[swept.request.task][0]
            above, below = (
                sum(int(row[f"{metric}_{part}"]) for row in examples) for part in ("numerator", "denominator")
            )
            expected = None if below == 0 else round(100 * above / below, 6)
            assert record.row[metric] == expected
            predictions = json.loads((evaluation / "predictions.json").read_bytes())
            assert list(predictions) == [row["id"] for row in examples]


def test_nothing_is_repeated_and_scores_are_recomputed(swept: Plan, encoder: Path) -> None:
    before = (swept.request.out / "results.csv").read_bytes()
    again = planned(swept.request.out, encoder, swept.request.task)
    for spec, evals in again.runs:
        done = execute(write_run_config(again, spec, evals), keep=True, listen=lambda event: None, device="cpu")
        assert (done.evaluations, done.trained) == (0, False)
    rescore(swept.request.out)
    assert (swept.request.out / "results.csv").read_bytes() == before


def test_configs_name_task_and_labels(swept: Plan) -> None:
    task = swept.request.task
    for folder in [*swept.layout.run_folders(), *swept.layout.source_folders()]:
        config = read_config(folder)
        assert (config.task, config.labels) == (task, swept.runs[0][0].common.labels)
        written = json.loads(folder.config.read_bytes())
        reader, (windows, model) = written["dataset_reader"], written["chainer"]["pipe"]
        assert {part["task"] for part in (reader, windows, model)} == {task}
        assert "max_answer_length" not in model
        assert config.to_json() == written


def test_labels_are_part_of_the_identity(swept: Plan, encoder: Path, tmp_path: Path) -> None:
    """A tag that only the train file has is one more output of the head: other weights, and so another run."""
    if swept.request.task != "ner":
        pytest.skip("pairs have a fixed set of labels")
    train = next(loaded.ref.path for loaded in swept.sets.values() if loaded.ref.name == "sample.ner.es.train")
    more = tmp_path / "more.conll"
    more.write_text(train.read_text(encoding="utf-8") + "\nx\tB-MISC\n", encoding="utf-8")
    other = planned(tmp_path / "out", encoder, "ner", target_train=str(more))
    assert set(other.runs[0][0].common.labels) - set(swept.runs[0][0].common.labels) == {"B-MISC", "I-MISC"}
    assert not {stage.source_id for stage in other.stages} & {stage.source_id for stage in swept.stages}


def test_a_test_set_with_other_labels_is_refused_before_anything_runs(encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "test.conll").write_text("x\tB-MISC\n", encoding="utf-8")
    with pytest.raises(XlqaError, match=r"test has the label B-MISC, which .* or take") as found:
        planned(tmp_path / "out", encoder, "ner", target_test=str(tmp_path / "test.conll"), test_size=1)
    assert "map it, such as --map-tags MISC=O, or take another set" in str(found.value)


def test_tags_are_mapped_in_every_data_set(encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "test.conll").write_text("Mara\tB-PER\nsings\tO\n\nx\tB-MISC\n\nPax\tB-ORG\n", encoding="utf-8")
    changes: dict[str, Any] = {
        "target_test": str(tmp_path / "test.conll"), "test_size": None, "arms": "target-only", "valid_size": 0,
    }  # fmt: skip
    plain = planned(tmp_path / "out", encoder, "ner", **changes | {"target_test": "sample.ner.es.test"})
    assert "map_tags" not in plain.runs[0][0].common.payload()
    plan = planned(tmp_path / "out", encoder, "ner", **changes, map_tags="MISC=O,ORG=LOC")
    assert plan.runs[0][0].common.labels == ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")
    assert not {spec.run_id for spec, _ in plan.runs} & {spec.run_id for spec, _ in plain.runs}
    run_here(plan)
    folder = plan.layout.run(plan.runs[0][0].run_id)
    assert read_config(folder).map_tags == (("MISC", "O"), ("ORG", "LOC"))
    assert table(tmp_path / "out")[0]["target"] == "sample.ner.es.train (MISC=O; ORG=LOC)"
    examples = csv.DictReader((next(iter(folder.evaluations())) / "examples.csv").open(encoding="utf-8"))
    assert [int(row["entity_recall_denominator"]) for row in examples] == [1, 0, 1]
    before = (tmp_path / "out" / "results.csv").read_bytes()
    rescore(tmp_path / "out")
    assert (tmp_path / "out" / "results.csv").read_bytes() == before
    assert evaluate_run(folder, str(tmp_path / "test.conll"), "es", device="cpu")["questions"] == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("MSIC=O", r"--map-tags MSIC: no data set has this tag \(they have LOC, ORG, PER\)"),
        ("ORG", r"--map-tags ORG: write TAG=OTHER, such as --map-tags MISC=O"),
        ("ORG=O,ORG=LOC", r"--map-tags ORG: is given twice, as O and LOC"),
    ],
)
def test_a_wrong_mapping_is_refused(given: str, message: str, encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match=message):
        planned(tmp_path / "out", encoder, "ner", map_tags=given)


def test_pairs_have_no_tags_to_map(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match="--map-tags: is for --task ner and pos: leave it out of a sweep of nli"):
        planned(tmp_path / "out", encoder, "nli", map_tags={"neutral": "O"})


def test_a_subset_of_one_label_is_said_before_training(encoder: Path, tmp_path: Path) -> None:
    plan = planned(tmp_path / "out", encoder, "nli", sizes="1,2,40", seeds="0,1", valid_size=0)
    first, second = find_warnings(plan)
    assert first == (
        "sample.nli.es.train, N = 1: the subset of seed 0, 1 has one label only, so that nothing can be learned from it: raise --sizes."
    )
    assert second.startswith("sample.nli.es.train, N = 2: the subsets of seed 0, 1 lack some labels of the test sets")
    by_label = planned(tmp_path / "out", encoder, "nli", sizes="3", seeds="0,1", valid_size=0, subset_by="label")
    assert find_warnings(by_label) == []


def test_a_type_that_the_source_never_has_is_said_before_training(encoder: Path, tmp_path: Path) -> None:
    plan = planned(
        tmp_path / "out", encoder, "ner", source_train=one_type(tmp_path), sizes="100", source_size=1, valid_size=0
    )
    assert find_warnings(plan) == ["people never has the label LOC, ORG of the test sets: zero-shot cannot predict it."]


def one_type(folder: Path) -> str:
    path = folder / "people.conll"
    path.write_text("Mara\tB-PER\nsings\tO\n", encoding="utf-8")
    return str(path)


def test_stratified_subsets_are_runs_of_their_own_and_recorded(encoder: Path, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"sizes": "6", "arms": "target-only", "valid_size": 0}
    plain = planned(tmp_path / "out", encoder, "nli", **changes)
    plan = planned(tmp_path / "out", encoder, "nli", **changes, subset_by="label")
    assert plan.runs[0][0].run_id != plain.runs[0][0].run_id
    run_here(plan)
    (row,) = table(tmp_path / "out")
    assert (row["subset_by"], row["size"]) == ("label", "6")
    with pytest.raises(XlqaError, match="--subset-by label: is for tasks with one label an example, not ner"):
        planned(tmp_path / "out", encoder, "ner", **changes, subset_by="label")


def test_a_task_without_registered_sets_names_what_is_missing(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(XlqaError) as found:
        make_plan(build_request({"lang": "es", "task": "sentiment", "model": str(encoder), "out": str(tmp_path)}))
    first, second = str(found.value).splitlines()
    assert first == "--source-train is missing: name the file of labelled sentences to start from."
    assert second == "--task sentiment has no registered sets: give --target-train and --target-test files."


REGISTERED = {"wikiann.en.train": "en.train", "wikiann.es.train": "es.train", "wikiann.es.test": "es.test"}


def test_registered_sets_are_found_by_task_and_language(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    (tmp_path / "wikiann").mkdir()
    for name, sample in REGISTERED.items():
        sentences = get_task("ner").read(sample_files()[f"sample.ner.{sample}"]).examples
        rows = [{"tokens": s.words, "ner_tags": [INTEGER_TAGS.index(tag) for tag in s.tags]} for s in sentences]
        parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "wikiann" / find_part(name).file)
    monkeypatch.setenv("XLQA_DATA", str(tmp_path))
    named = SMALL | {"task": "ner", "model": str(encoder), "out": str(tmp_path / "out")}
    plan = make_plan(build_request(named))
    assert {loaded.ref.name for loaded in plan.sets.values()} == set(REGISTERED)
    assert plan.runs[0][0].common.labels == ("B-LOC", "B-ORG", "B-PER", "I-LOC", "I-ORG", "I-PER", "O")


def test_sets_that_cannot_be_fetched_are_named_in_one_line(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xlqa.data.download.FIRST_WAIT", 0.01)
    monkeypatch.setenv("XLQA_DATA", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    named = SMALL | {"task": "ner", "lang": "es,sw", "model": str(encoder), "out": str(tmp_path / "out")}
    with pytest.raises(XlqaError) as found:
        make_plan(build_request(named))
    names = ("wikiann.en.train", "wikiann.es.train", "wikiann.es.test", "wikiann.sw.train", "wikiann.sw.test")
    (line,) = str(found.value).splitlines()
    assert line.startswith(f"{', '.join(names)}: http://127.0.0.1:1/datasets/unimelb-nlp/wikiann/resolve/main/en/")
    assert f"`xlqa data fetch {' '.join(names)} --data-dir DIR` where there is network" in line


@pytest.mark.parametrize("task", DEMO_TASKS)
def test_each_task_of_the_sample_has_a_demo(task: str, encoder: Path, tmp_path: Path) -> None:
    flags = {
        "task": task,
        "lang": "ru",
        "model": str(encoder),
        "out": str(tmp_path),
        "precision": "fp32",
        "device": "cpu",
    }
    plan = make_plan(build_request(gather_settings(flags, None, demo=True)))
    assert {spec.language for spec, _ in plan.runs} == {"ru"}
    assert {loaded.ref.language for loaded in plan.sets.values()} == {"en", "ru"}
    assert "26 runs" in describe_demo(task)
    assert len(make_plan(build_request(gather_settings(flags | {"lang": "ru,es"}, None, demo=True))).runs) == 26


def test_a_task_without_a_sample_has_no_demo() -> None:
    with pytest.raises(XlqaError, match="--demo: the embedded sample has nothing for --task pos: choose qa, ner, nli"):
        gather_settings({"task": "pos"}, None, demo=True)


def test_a_kept_model_is_scored_on_another_set(swept: Plan) -> None:
    task = swept.request.task
    folder = RunFolder(swept.layout.run(swept.runs[-1][0].run_id).path)
    row = evaluate_run(folder, f"sample.{task}.en.test", "en", test_size=10, device="cpu")
    assert (row["test"], row["questions"]) == (f"sample.{task}.en.test", 10)
    assert TASK_METRICS[task][0] in show_row(row) or row[TASK_METRICS[task][0]] is None


def test_status_and_pack_know_the_task(swept: Plan, tmp_path: Path) -> None:
    found = read_status(swept.request.out)
    assert found.counts["done"] == len(swept.runs)
    assert {group.metric for group in found.groups} == {TASK_METRICS[swept.request.task][0]}
    pack(swept.request.out, tmp_path / "packed")
    assert tuple(table(tmp_path / "packed")[0]) == result_columns(swept.request.task)


def test_collect_pack_and_report_are_commands_for_every_task(
    swept: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from xlqa.cli import main

    out, packed, task = swept.request.out, tmp_path / "packed", swept.request.task
    before = (out / "results.csv").read_bytes()
    assert main(["collect", str(out)]) == 0
    assert (out / "results.csv").read_bytes() == before
    assert main(["pack", str(out), str(packed)]) == 0
    assert {path.name for path in packed.iterdir()} == {"results.csv", "runs.tar.xz", "examples.csv.xz"}
    capsys.readouterr()
    shown = []
    for folder in (out, packed):
        assert main(["report", str(folder), "--title", "Published"]) == 0
        shown.append(capsys.readouterr().out.replace(str(folder), "DIR"))
    assert shown[0] == shown[1]
    assert {"ner": "Entity precision in percent", "nli": "precision and recall of each label in percent"}[
        task
    ] in shown[0]
    assert main(["plot", str(packed), "--out", str(tmp_path / "curve.svg")]) == 0


@pytest.mark.slow
def test_a_killed_sweep_ends_with_the_same_table(swept: Plan, encoder: Path, tmp_path: Path) -> None:
    """The driver is killed after its first evaluation; its worker ends too, and the same command resumes."""
    if swept.request.task != "ner":
        pytest.skip("one task is enough: the runner is the same")
    files = {f"{part}_train": f"sample.ner.{lang}.train" for part, lang in (("source", "en"), ("target", "es"))}
    settings = SMALL | files | {"target_test": "sample.ner.es.test", "task": "ner", "model": str(encoder)}
    words = command(*sweep_words(settings, tmp_path / "out"))
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(tmp_path.glob("out/runs/*/eval/*/result.json")) and process.poll() is None:
        time.sleep(0.05)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    fixed = [name for name in result_columns("ner") if name not in VOLATILE_COLUMNS]
    found, wanted = ([{n: row[n] for n in fixed} for row in table(p)] for p in (tmp_path / "out", swept.request.out))
    # Another test may have scored the finished sweep on more test sets.
    ours = {row["eval_id"] + row["run_id"] for row in found}
    assert found == [row for row in wanted if row["eval_id"] + row["run_id"] in ours]
    assert {row["run_id"] for row in found} == {row["run_id"] for row in wanted}


def test_the_model_is_called_by_deeppavlov(swept: Plan) -> None:
    from deeppavlov import build_model

    folder = swept.layout.run(swept.runs[-1][0].run_id)
    model = build_model(str(folder.config))
    if swept.request.task == "ner":
        (tags, more) = model([["Mara", "vive", "en", "Brenna"], "Mara vive en Brenna."])
        assert (len(tags), len(more)) == (4, 5)
        assert {*tags, *more} <= set(swept.runs[0][0].common.labels)
    else:
        labels, probabilities = model(["Mara vive en Brenna."], ["Mara vive."])
        assert labels[0] in ("contradiction", "entailment", "neutral")
        assert 1 / 3 < probabilities[0] <= 1


def test_a_trained_model_is_asked(
    swept: Plan, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from xlqa.cli import main

    monkeypatch.setenv("XLQA_HOME", str(swept.request.out))
    task, text = swept.request.task, "Mara vive en Brenna."
    if task == "ner":
        tags = tag(text, device="cpu", home=swept.request.out)
        assert [text[t.start : t.end] for t in tags] == ["Mara", "vive", "en", "Brenna", "."]
        assert main(["ask", "--task", "ner", text, "--json", "--device", "cpu"]) in (0, 1)
        assert all(text[e["start"] : e["end"]] == e["text"] for e in json.loads(capsys.readouterr().out))
    else:
        labels = classify(text, "Mara vive.", task="nli", top_k=3, device="cpu", home=swept.request.out)
        assert sum(probability for _, probability in labels) == pytest.approx(1.0, abs=1e-5)
        assert main(["ask", "--task", "nli", text, "Mara vive.", "--device", "cpu"]) == 0
        assert capsys.readouterr().out.split("\t")[0] == labels[0][0]
        assert main(["ask", "--task", "nli", text, "--device", "cpu"]) == 2
        assert "2 texts, not 1" in capsys.readouterr().err
    assert main(["ask", text, "Who lives?", "--device", "cpu"]) == 2
    assert f"was trained for the task {task}: add --task {task}" in capsys.readouterr().err


def test_in_a_folder_of_several_tasks_the_model_of_the_task_is_asked(
    swept: Plan, finished: Path, tmp_path: Path
) -> None:
    both = shutil.copytree(finished, tmp_path / "both", symlinks=True)
    for run in Layout(swept.request.out).run_folders():
        shutil.copytree(run.path, both / "runs" / run.path.name, symlinks=True)
    assert find_model(None, both, swept.request.task).task == swept.request.task
    assert find_model(None, both).task == "qa"


def test_a_plain_model_folder_is_asked(swept: Plan, tmp_path: Path) -> None:
    """It need not be below a sweep: its configuration names the labels."""
    task = swept.request.task
    run = next(folder for folder in Layout(swept.request.out).run_folders() if (folder.model / "config.json").is_file())
    copied = tmp_path / "downloaded"
    shutil.copytree(run.model, copied)
    other = "nli" if task == "ner" else "ner"
    folders = (str(copied), str(run.model))
    if task == "ner":
        found = [tag("Mara Voss vive en Brenna.", model=folder, device="cpu") for folder in (str(run.path), *folders)]
        assert found[0] == found[1] == found[2]
        with pytest.raises(XlqaError, match="is a BertForTokenClassification, the task qa needs a model"):
            ask("Mara vive.", "¿Quién?", model=str(copied), device="cpu")
    else:
        probable = [
            classify("Mara vive.", "Mara vive.", task=task, top_k=3, model=folder, device="cpu")
            for folder in (str(run.path), *folders)
        ]
        assert probable[0] == probable[1] == probable[2]
    with pytest.raises(XlqaError, match="name its task with --task"):
        find_model(str(copied), tmp_path, other)
    config = json.loads((copied / "config.json").read_text(encoding="utf-8"))
    write_json(copied / "config.json", config | {"id2label": {"0": "NOUN", "1": "VERB"}, "architectures": None})
    with pytest.raises(XlqaError, match=r"NOUN.*not an entity tag"):
        find_model(str(copied), tmp_path, "ner")
    write_json(copied / "config.json", config | {"id2label": {"first": "O"}, "architectures": None})
    with pytest.raises(XlqaError, match="names no labels"):
        find_model(str(copied), tmp_path, "ner")


def test_tags_are_joined_as_conlleval_reads_them() -> None:
    words = [Tag(i, i + 1, t) for i, t in enumerate(["I-PER", "I-PER", "I-LOC", "O", "B-LOC", "B-LOC", "I-LOC"])]
    assert join_entities(words) == [
        Entity("PER", 0, 2), Entity("LOC", 2, 3), Entity("LOC", 4, 5), Entity("LOC", 5, 7),
    ]  # fmt: skip


@pytest.mark.slow
def test_the_stock_commands_print_the_tables_scores(swept: Plan) -> None:
    spec = next(spec for spec, _ in swept.runs if spec.arm is Arm.TRANSFER and spec.size)
    row = next(r for r in table(swept.request.out) if r["run_id"] == spec.run_id and r["split"] == "test")
    expected = {name: round(float(row[name]), 4) if row[name] else None for name in TASK_METRICS[row["task"]]}
    for mode in ("train", "evaluate"):
        assert deeppavlov(mode, swept.layout.run(spec.run_id).config) == expected


def test_a_result_is_checked_once_in_a_process(swept: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    from xlqa.runs.store import results

    (path, *_) = next(folder for folder in Layout(swept.request.out).run_folders()).evaluations()
    for file in path.iterdir():
        os.utime(file, (0, 0))
    first = results.load_result(path)
    monkeypatch.setattr(results, "_check_result", lambda folder: pytest.fail("read again"))
    assert results.load_result(path) is first


def test_a_label_that_no_config_can_hold_is_refused_before_a_start(encoder: Path, tmp_path: Path) -> None:
    rows = [("a text", "#sport"), ("another", "travel")] * 8
    for part in ("train", "test"):
        text = "".join(f"{part} {number} {words}\t{label}\n" for number, (words, label) in enumerate(rows))
        (tmp_path / f"{part}.tsv").write_text("text\tlabel\n" + text, encoding="utf-8")
    files = {"source_train": str(tmp_path / "train.tsv"), "target_train": str(tmp_path / "train.tsv"),
             "target_test": str(tmp_path / "test.tsv"), "allow_overlap": True, "source_size": 8, "test_size": 8}  # fmt: skip
    with pytest.raises(XlqaError, match="the label '#sport' begins with #, contains a brace"):
        planned(tmp_path / "out", encoder, "topic", **files)


def test_many_mapped_tags_are_read_back_from_a_config(encoder: Path, tmp_path: Path) -> None:
    tags = [f"AVERYLONGENTITYTYPE{number}" for number in range(20)]
    for part in ("train", "test"):
        lines = [f"{part}{number} B-{tag}\nlives O\n" for number, tag in enumerate([*tags, "PER"])]
        (tmp_path / f"{part}.conll").write_text("\n".join(lines), encoding="utf-8")
    files = {"source_train": "sample.ner.en.train", "target_train": str(tmp_path / "train.conll"),
             "target_test": str(tmp_path / "test.conll"), "valid_size": 0}  # fmt: skip
    mapped = dict.fromkeys(tags, "PER")
    made = planned(tmp_path / "out", encoder, "ner", map_tags=mapped, arms="transfer", **files)
    spec, evals = made.runs[-1]
    assert len(evaluation_row(spec, evals[0])["source"]) > 255
    assert read_config(write_run_config(made, spec, evals)).sealed
