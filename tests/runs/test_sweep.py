"""A whole sweep through real DeepPavlov, in this process and in worker processes, killed and started again."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest_runs import run_here

from xlqa.errors import XlqaError
from xlqa.records import RESULT_COLUMNS, VOLATILE_COLUMNS
from xlqa.runs.execute.run import execute
from xlqa.runs.paths import Layout
from xlqa.runs.plan.planner import Plan
from xlqa.runs.store.rescore import rescore
from xlqa.runs.store.results import read_result
from xlqa.runs.store.setup import lay_out, write_run_config
from xlqa.runs.store.table import write_results
from xlqa.tasks.sources import sample_files
from xlqa.util.files import read_json

MakePlan = Callable[..., Plan]


def table(out: Path) -> list[dict[str, str]]:
    """results.csv without what may differ between two sweeps of one request."""
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return [{k: v for k, v in row.items() if k not in VOLATILE_COLUMNS} for row in csv.DictReader(file)]


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "import sys; from xlqa.cli import main; sys.exit(main())", *words]


def sweep_words(settings: dict[str, Any], out: Path) -> list[str]:
    words = ["sweep", "--out", str(out)]
    for name, value in settings.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def test_table_holds_every_run_and_setting(finished: Path) -> None:
    rows = list(csv.DictReader((finished / "results.csv").open(encoding="utf-8", newline="")))
    assert list(rows[0]) == list(RESULT_COLUMNS)
    assert [(r["arm"], r["size"], r["seed"]) for r in rows] == [
        ("transfer", "0", "0"), *((a, s, d) for a in ("transfer", "target-only") for s in ("8", "16") for d in ("0", "1")),
    ]  # fmt: skip
    assert {r["questions"] for r in rows} == {"20"}
    zero = rows[0]
    assert (zero["steps"], zero["target"], zero["lr"], zero["subset_seed"]) == ("0", "", "", "")
    alone = rows[-1]
    assert (alone["source"], alone["source_seed"], alone["source_id"]) == ("", "", "")
    assert (alone["subset_seed"], alone["train_seed"], alone["steps"]) == ("1", "1", "3")
    for row in rows:
        assert 0 <= float(row["em"]) <= float(row["f1"]) <= 100
        assert row["scorer"]
        assert row["precision"] == "fp32"


def test_per_question_scores_average_to_the_table(finished: Path) -> None:
    for row in csv.DictReader((finished / "results.csv").open(encoding="utf-8", newline="")):
        path = finished / "runs" / row["run_id"] / "eval" / row["eval_id"] / "questions.csv"
        questions = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
        for name in ("f1", "em", "squad_f1", "squad_em"):
            mean = sum(float(q[name]) for q in questions) / len(questions)
            assert mean == pytest.approx(float(row[name]), abs=1e-3)
        assert len({q["context"] for q in questions}) == int(row["paragraphs"])


def test_only_the_promised_weights_stay(finished: Path) -> None:
    kept = [p.parent.parent.name for p in (finished / "runs").glob("*/model/config.json")]
    assert [name.rsplit("-", 1)[0] for name in kept] == ["es-transfer-16-s0"]
    assert len(list((finished / "source").glob("*/model/model.safetensors"))) == 1


def test_same_request_elsewhere_gives_the_same_bytes(finished: Path, plan: MakePlan, tmp_path: Path) -> None:
    again = plan(tmp_path / "again", sizes="8", seeds=1)
    run_here(again)
    assert all(row in table(finished) for row in table(tmp_path / "again"))
    for path in (tmp_path / "again" / "runs").glob("*/eval/*/predictions.json"):
        assert path.read_bytes() == (finished / path.relative_to(tmp_path / "again")).read_bytes()


def test_done_work_is_not_repeated(finished: Path, plan: MakePlan) -> None:
    again = plan(finished)
    before = {p: p.stat().st_mtime_ns for p in finished.glob("runs/*/eval/*/result.json")}
    for spec, evals in again.runs:
        done = execute(write_run_config(again, spec, evals), keep=False, listen=lambda event: None, device="cpu")
        assert (done.evaluations, done.trained) == (0, False)
    assert before == {p: p.stat().st_mtime_ns for p in finished.glob("runs/*/eval/*/result.json")}


def test_rescoring_changes_nothing(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    shutil.copytree(finished, out, symlinks=True)
    before = (out / "results.csv").read_bytes()
    for path in out.glob("runs/*/eval/*/questions.csv"):
        path.write_text("id\n", encoding="utf-8")
        assert read_result(path.parent) is None
        path.write_bytes((finished / path.relative_to(out)).read_bytes())
        assert read_result(path.parent) is not None
    rescore(out)
    assert (out / "results.csv").read_bytes() == before


@pytest.mark.parametrize("harm", ["truncate", "edit", "remove"])
def test_broken_results_are_done_again(finished: Path, plan: MakePlan, tmp_path: Path, harm: str) -> None:
    out = tmp_path / "harmed"
    shutil.copytree(finished, out, symlinks=True)
    wanted = table(finished)
    folder = next(p for p in sorted(out.glob("runs/es-target-only-8-s0-*/eval/*")))
    result = folder / "result.json"
    if harm == "truncate":
        result.write_bytes(result.read_bytes()[:-40])
    elif harm == "edit":
        record = json.loads(result.read_bytes())
        record["row"]["f1"] = 100.0
        result.write_text(json.dumps(record), encoding="utf-8")
    else:
        (folder / "predictions.json").unlink()
    write_results(Layout(out))
    assert len(table(out)) == len(wanted) - 1
    again = plan(out)
    for spec, evals in again.runs:
        execute(write_run_config(again, spec, evals), keep=False, listen=lambda event: None, device="cpu")
    write_results(Layout(out))
    assert table(out) == wanted


def test_all_arms_with_a_validation_part(plan: MakePlan, tmp_path: Path, encoder: Path) -> None:
    wide = plan(
        tmp_path / "wide", arms="transfer,joint", target_model=str(encoder), sizes="8", seeds=1, valid_size=10,
        subset_by="paragraph", keep="none",
    )  # fmt: skip
    run_here(wide)
    rows = table(tmp_path / "wide")
    assert {(r["arm"], r["size"], r["split"], r["questions"]) for r in rows} == {
        ("transfer", "0", "test", "20"),
        *(
            (arm, "8", *part)
            for arm in ("transfer", "joint", "monolingual")
            for part in (("valid", "10"), ("test", "20"))
        ),
    }
    assert len(rows) == 7
    joint = next(r for r in rows if r["arm"] == "joint")
    assert (joint["steps"], joint["source_size"], joint["source_id"]) == ("6", "24", "")
    assert not list((tmp_path / "wide").glob("runs/*/model"))


def test_zero_shot_alone_needs_no_train_part(plan: MakePlan, tmp_path: Path) -> None:
    """Greek and Hindi have no public train part; what is scored later with one keeps its ids."""
    test = {"el": "sample.es.test", "hi": "sample.ru.test"}
    copies = {}
    for language, name in test.items():
        copies[language] = str(tmp_path / f"{language}.json")
        document = json.loads(sample_files()[name].read_text(encoding="utf-8"))
        Path(copies[language]).write_text(json.dumps(document | {"version": language}), encoding="utf-8")
    alone = plan(tmp_path / "out", lang="el,hi", sizes="0", target_train=None, target_test=copies)
    run_here(alone)
    rows = table(tmp_path / "out")
    assert [(r["lang"], r["arm"], r["size"], r["target"], r["train_overlap"]) for r in rows] == [
        ("el", "transfer", "0", "", ""), ("hi", "transfer", "0", "", ""),
    ]  # fmt: skip
    assert len({row["source_id"] for row in rows}) == 1
    greek = {"el": copies["el"]}
    with pytest.raises(XlqaError, match="has no registered set with a public train part"):
        plan(tmp_path / "out", lang="el", sizes="8", target_train=None, target_test=greek)
    more = plan(tmp_path / "out", lang="el", sizes="8", target_test=greek)
    zero, evals = next(pair for pair in more.runs if pair[0].is_zero_shot)
    known, before = alone.runs[0]
    assert (zero.run_id, [e.eval_id(zero.common) for e in evals]) == (
        known.run_id, [e.eval_id(known.common) for e in before],
    )  # fmt: skip


@pytest.mark.slow
def test_killed_sweep_ends_with_the_same_table(finished: Path, settings: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "killed"
    words = sweep_words(settings, out)
    process = subprocess.Popen(command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(out.glob("runs/*/eval/*/result.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = _children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert workers
    _wait_gone(workers)
    # The second start meets a worker's death in the middle of its work.
    process = subprocess.Popen(command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not _children(process.pid) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(2.0)
    for pid in _children(process.pid):
        os.kill(pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert table(out) == table(finished)
    assert (out / "failures.csv").read_text(encoding="utf-8").count("\n") == 1


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in path.read_text(encoding="utf-8").split()]
    return found


def _wait_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return
        time.sleep(0.1)
    pytest.fail("a worker outlived its sweep")


@pytest.mark.slow
def test_one_failing_run_stops_no_other(settings: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "failing"
    words = sweep_words(
        settings | {"sizes": "8", "seeds": 1, "lr": 1.0, "source_lr": 1e-3, "arms": "transfer", "min_steps": 2}, out
    )
    subprocess.run(command(*words, "--dry-run"), check=True, capture_output=True)
    broken = next(out.glob("runs/es-transfer-8-*"))
    (broken / "train.csv").mkdir()  # the run cannot write its log, and fails
    done = subprocess.run(command(*words), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "es transfer 8 seed 0 failed" in done.stderr
    assert len(table(out)) == 1
    failures = list(csv.DictReader((out / "failures.csv").open(encoding="utf-8", newline="")))
    assert [f["run_id"] for f in failures] == [broken.name]
    assert read_json(broken / "failure.json")["attempts"] == 1
    (broken / "train.csv").rmdir()
    done = subprocess.run(command(*words), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(table(out)) == 2
    assert not (broken / "failure.json").exists()


def test_prepared_runs_go_one_by_one_and_wait_for_their_source(plan: MakePlan, tmp_path: Path) -> None:
    from xlqa.cli import main

    prepared = plan(tmp_path / "out", sizes="8", seeds=1, arms="transfer")
    lay_out(prepared)
    folder = next((tmp_path / "out").glob("runs/es-transfer-8-*"))
    assert read_json(folder / "config.json")["chainer"]["pipe"][1]["source_sha256"] is None
    assert main(["run", str(folder)]) == 2
    assert "source stage is not trained" in read_json(folder / "failure.json")["error"]
    assert main(["run", str(prepared.layout.source(prepared.stages[0].source_id).path)]) == 0
    assert main(["run", str(folder)]) == 0
    assert len(read_json(folder / "config.json")["chainer"]["pipe"][1]["source_sha256"]) == 64
    assert not (folder / "failure.json").exists()
    assert main(["collect", str(tmp_path / "out")]) == 0
    assert len(table(tmp_path / "out")) == 1


def test_changed_data_or_weights_are_refused(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from xlqa.cli import main

    out = tmp_path / "copy"
    shutil.copytree(finished, out, symlinks=True)
    folder = next(out.glob("runs/es-target-only-8-s0-*"))
    shutil.rmtree(folder / "eval")
    data = next(out.glob("data/sample.es.train-*"))
    whole = data.read_bytes()
    data.write_bytes(whole + b" ")
    assert main(["run", str(folder)]) == 2
    assert "differs from the file the config names" in capsys.readouterr().err
    data.write_bytes(whole)
    assert main(["run", str(folder)]) == 0
    transfer = next(out.glob("runs/es-transfer-8-s0-*"))
    shutil.rmtree(transfer / "eval")
    weights = next(out.glob("source/*/model/model.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    assert main(["run", str(transfer)]) == 2
    assert "weights differ from those the config names" in capsys.readouterr().err


def test_kept_model_is_scored_on_another_set(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from xlqa.cli import main

    out = tmp_path / "copy"
    shutil.copytree(finished, out, symlinks=True)
    kept = next(p for p in out.glob("runs/es-transfer-16-s0-*"))
    assert main(["evaluate", str(kept), "--test", "sample.en.test", "--test-size", "15", "--json"]) == 0
    printed = capsys.readouterr()
    row = json.loads(printed.out)
    assert "eval_examples_count" not in printed.err  # a line of DeepPavlov's
    assert (row["test"], row["questions"], row["scorer"], row["run_id"]) == ("sample.en.test", 15, "squad", kept.name)
    assert len(table(out)) == len(table(finished)) + 1
    unkept = next(out.glob("runs/es-transfer-8-s0-*"))
    assert main(["evaluate", str(unkept), "--test", "sample.en.test"]) == 2
    assert "no weights" in capsys.readouterr().err


def test_asking_needs_weights(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from xlqa.cli import main

    monkeypatch.setenv("XLQA_HOME", str(finished))
    context = "El carpincho vive en Brasil."
    assert main(["ask", context, "Where does it live?", "--json", "--top-k", "3", "--device", "cpu"]) == 0
    spans = json.loads(capsys.readouterr().out)
    assert len(spans) == 3
    assert all(context[s["start"] : s["end"]] == s["answer"] for s in spans)
    assert [s["score"] for s in spans] == sorted((s["score"] for s in spans), reverse=True)
    zero = next(finished.glob("runs/es-transfer-0-*"))
    assert main(["ask", context, "Where?", "--model", zero.name, "--device", "cpu"]) == 0
    unkept = next(finished.glob("runs/es-target-only-8-s0-*"))
    for words, message in (
        ([context, "Where?", "--model", unkept.name], "no weights"),
        ([context, "Where?", "--model", str(next(finished.glob("encoders/*")))], "untrained head"),
        ([context, " "], "question is empty"),
        ([context], "give a context and a question"),
    ):
        assert main(["ask", *words]) == 2
        assert message in capsys.readouterr().err
    monkeypatch.setenv("XLQA_HOME", str(tmp_path))
    assert main(["ask", context, "Where?"]) == 2
    assert "xlqa sweep --demo" in capsys.readouterr().err


def test_all_that_is_wrong_is_said_before_any_training(
    settings: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from xlqa.cli import main

    empty = tmp_path / "no-tokenizer"
    empty.mkdir()
    (empty / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    prose = tmp_path / "prose.json"
    prose.write_text("Once upon a time.", encoding="utf-8")
    changes = {
        "model": str(empty), "sizes": "8,100000", "target_test": str(prose), "device": "cuda:7", "source_size": 10**6,
    }  # fmt: skip
    assert main(sweep_words(settings | changes | {"target_train": "sample.es.train"}, tmp_path / "out")) == 2
    errors = capsys.readouterr().err
    for word in ("no tokenizer", "prose.json", "--device cuda:7", "lower --source-size"):
        assert word in errors
    assert not (tmp_path / "out").exists()
    assert main(sweep_words(settings | {"sizes": "100000"}, tmp_path / "out")) == 2
    assert "--sizes asks for 100,000: lower it or use full." in capsys.readouterr().err
    assert main(sweep_words(settings | {"source_train": "sample.es.test", "source_size": 20}, tmp_path / "out")) == 2
    assert "--allow-overlap" in capsys.readouterr().err
    assert (
        main(
            [
                "sweep",
                "--lang",
                "qq",
                "--model",
                settings["model"],
                "--source-train",
                "sample.en.train",
                "--out",
                str(tmp_path / "out"),
            ]
        )
        == 2
    )
    assert "qq" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_sweep_keeps_its_exit_status_where_nobody_reads_its_output(
    finished: Path, settings: dict[str, Any], tmp_path: Path, words: list[str]
) -> None:
    out = tmp_path / "copy"
    shutil.copytree(finished, out, symlinks=True)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command(*sweep_words(settings, out), *words), stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.returncode == 0, done.stderr
    assert "9 runs, 0 to do" in done.stderr
    assert "Error" not in done.stderr


def test_shards_are_disjoint_and_together_all(plan: MakePlan, tmp_path: Path) -> None:
    from xlqa.runs.execute.jobs import take_shard

    whole = plan(tmp_path / "out", sizes="4,8,16", seeds=3)
    parts = [[spec.run_id for spec, _ in take_shard(whole, (i, 4))] for i in (1, 2, 3, 4)]
    together = [run for part in parts for run in part]
    assert sorted(together) == sorted(spec.run_id for spec, _ in whole.runs)
    assert len(set(together)) == len(together)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_one_file_under_two_names_is_scored_once(plan: MakePlan, tmp_path: Path) -> None:
    from xlqa.data.sample import sample_path
    from xlqa.runs.plan.checks import find_warnings

    for name in ("first", "second"):
        shutil.copyfile(sample_path("es.test"), tmp_path / f"{name}.json")
    names = [str(tmp_path / f"{name}.json") for name in ("first", "second")]
    made = plan(tmp_path / "out", target_test=names, sizes="8", seeds=1)
    assert find_warnings(made)[0] == "the test sets first and second are the same file: scored once, as first."
    assert {len(evals) for _, evals in made.runs} == {1}
    lay_out(made)
    for config in (tmp_path / "out").glob("runs/*/config.json"):
        reader = read_json(config)["dataset_reader"]
        assert [entry["name"] for entry in reader["tests"]] == ["first"]
        for entry in [*reader["tests"], *([reader["train"]] if reader["train"] else [])]:
            assert Path(entry["path"].replace("{ROOT}", str(tmp_path / "out"))).is_file()
