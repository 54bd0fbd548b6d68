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

from xlqa.records import RESULT_COLUMNS, VOLATILE_COLUMNS
from xlqa.runs.execute import execute
from xlqa.runs.files import read_json
from xlqa.runs.layout import Layout
from xlqa.runs.plan import Plan
from xlqa.runs.prepare import write_run_config
from xlqa.runs.rescore import rescore
from xlqa.runs.store import read_result, write_results

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
        result = path.with_name("result.json")
        record = json.loads(result.read_bytes())
        assert read_result(path.parent) is None
        path.write_bytes((finished / path.relative_to(out)).read_bytes())
        assert read_result(path.parent) == record
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


def test_joint_monolingual_and_validation(plan: MakePlan, tmp_path: Path, encoder: Path) -> None:
    wide = plan(
        tmp_path / "wide", arms="joint", target_model=str(encoder), sizes="8", seeds=1, valid_size=10, keep="none"
    )
    run_here(wide)
    rows = table(tmp_path / "wide")
    assert [(r["arm"], r["split"], r["questions"]) for r in rows] == [
        ("joint", "valid", "10"), ("joint", "test", "20"), ("monolingual", "valid", "10"), ("monolingual", "test", "20"),
    ] or {(r["arm"], r["split"]) for r in rows} == {(a, s) for a in ("joint", "monolingual") for s in ("valid", "test")}  # fmt: skip
    joint = next(r for r in rows if r["arm"] == "joint")
    assert (joint["steps"], joint["source_size"], joint["source_id"]) == ("6", "24", "")
    assert not list((tmp_path / "wide").glob("runs/*/model"))


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
