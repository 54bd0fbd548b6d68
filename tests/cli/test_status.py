"""`xlqa status`: a sweep's folder in every state that a run can be in, and a folder that is none."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faultinjection.records import HYPER, TEST, make_row, make_run_config, make_source_config

from xlqa.cli import main
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.requests import record_request
from xlqa.runs.store.results import write_evaluation
from xlqa.runs.store.run_config import read_config, write_config
from xlqa.runs.store.scores import ScoredSet
from xlqa.runs.store.status import read_status
from xlqa.tasks.base import Scores
from xlqa.util.files import sign, write_json
from xlqa.util.locks import is_locked, waiting_lock

TESTS = ("xquad.ru", "sberquad.dev")


def row(arm: str, size: int, seed: int, test: str, **changes: Any) -> dict[str, Any]:
    values = {
        "arm": arm, "size": size, "seed": seed, "test": test, "steps": 60, "lr": 3e-5, "f1": None, "em": None,
        "run_id": f"ru-{arm}-{size}-s{seed}-0123456789", "eval_id": f"{test}-{len(test):010d}",
    }  # fmt: skip
    return make_row(**{**values, **changes})


def prepare(root: Path, arm: str, size: int, seed: int, **changes: Any) -> RunFolder:
    rows = [row(arm, size, seed, test, **changes) for test in TESTS]
    folder = Layout(root).run(rows[0]["run_id"])
    write_config(folder, make_run_config(rows))
    return folder


def finish(
    folder: RunFolder, f1: float, tests: tuple[str, ...] = TESTS, when: str = "2026-01-01T00:00:00+00:00"
) -> None:
    for record in (e.row for e in read_config(folder).evaluations.values() if e.row["test"] in tests):
        values = np.array([[f1, f1 / 2, f1, f1]]) / 100
        scored = ScoredSet(("q",), ("c",), Scores(("f1", "em", "squad_f1", "squad_em"), values, np.ones((1, 4))))
        scores_of = {"f1": f1, "em": f1 / 2, "squad_f1": f1, "squad_em": f1, "finished": when}
        write_evaluation(folder.evaluation(record["eval_id"]), {"q": "a"}, scored, {**record, **scores_of}, TEST)


def train_log(folder: RunFolder) -> None:
    folder.train_log.write_text("step,loss,lr,examples_per_second\n10,2.5,1e-5,4.00\n20,1.25,1e-5,5.50\n30,1.")


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Five runs of each state there is, and a source stage that is trained."""
    root = tmp_path / "out"
    finish(prepare(root, "transfer", 0, 0, steps=0, lr=None), 20.0)
    finish(prepare(root, "transfer", 100, 0), 50.0)
    finish(prepare(root, "transfer", 100, 1), 60.0, when="2026-01-02T00:00:00+00:00")
    finish(prepare(root, "target-only", 100, 0), 10.0, tests=TESTS[:1])  # killed between two evaluations
    failed = prepare(root, "target-only", 100, 1)
    write_json(failed.failure, {"error": "the worker was killed by SIGKILL\x1b[31m.", "attempts": 2})
    train_log(prepare(root, "target-only", 100, 2))
    (root / "runs" / ".half-written").mkdir()
    stage = make_source_config("en-400-s0-0123456789", 400, replace(HYPER, epochs=2.0))
    write_config(Layout(root).source(stage.id), stage)
    write_json(Layout(root).source(stage.id).outcome, sign({"steps": 50}))
    return root


def test_every_state_is_told_apart(sweep: Path) -> None:
    found = read_status(sweep)
    states = {(run.arm, run.size, run.seed): run.state for run in found.runs}
    assert states == {
        ("transfer", 0, 0): "done", ("transfer", 100, 0): "done", ("transfer", 100, 1): "done",
        ("target-only", 100, 0): "waiting", ("target-only", 100, 1): "failed", ("target-only", 100, 2): "begun",
    }  # fmt: skip
    assert found.counts == {"done": 3, "running": 0, "failed": 1, "begun": 1, "waiting": 1}
    assert [(stage.state, stage.steps) for stage in found.stages] == [("done", 50)]
    assert found.last_result is not None
    assert found.last_result.day == 2


def test_a_held_folder_is_a_running_one(sweep: Path) -> None:
    folder = next(sweep.glob("runs/ru-target-only-100-s2-*"))
    with waiting_lock(folder):
        (running,) = read_status(sweep).in_state("running")
        assert is_locked(folder)
    assert not is_locked(folder)
    assert running.last_step is not None
    # The last line was only half written when it was read.
    assert (running.last_step.step, running.last_step.loss, running.last_step.examples_per_second) == (20, 1.25, 5.5)
    assert running.steps == 60


def test_means_are_over_the_runs_that_are_done(sweep: Path) -> None:
    groups = {(g.arm, g.size, g.test): g for g in read_status(sweep).groups}
    assert len(groups) == 6
    both = groups["transfer", 100, "xquad.ru"]
    assert (both.done, both.runs, both.f1, both.em) == (2, 2, 55.0, 27.5)
    assert (groups["target-only", 100, "xquad.ru"].done, groups["target-only", 100, "xquad.ru"].f1) == (1, 10.0)
    nothing = groups["target-only", 100, "sberquad.dev"]
    assert (nothing.done, nothing.runs, nothing.f1) == (0, 3, None)


def test_settings_are_never_averaged(sweep: Path) -> None:
    finish(prepare(sweep, "transfer", 100, 0, lr=1e-4, run_id="ru-transfer-100-s0-9876543210"), 90.0)
    groups = [g for g in read_status(sweep).groups if (g.arm, g.size, g.test) == ("transfer", 100, "xquad.ru")]
    assert sorted((g.setting, g.f1) for g in groups) == [("lr 0.0001", 90.0), ("lr 3e-05", 55.0)]


def test_scores_of_different_scorers_and_of_different_files_are_never_averaged(tmp_path: Path) -> None:
    changes = ({}, {"scorer": "mlqa.ru"}, {"test_sha256": "7" * 64})
    for seed, change in enumerate(changes):
        finish(prepare(tmp_path, "transfer", 100, seed, **change), 10.0 * (seed + 1), tests=TESTS[:1])
    groups = [g for g in read_status(tmp_path).groups if g.test == TESTS[0]]
    assert sorted((g.scorer, g.runs, g.f1) for g in groups) == [
        ("mlqa.ru", 1, 20.0),
        ("squad", 1, 10.0),
        ("squad", 1, 30.0),
    ]


def test_a_run_that_succeeded_has_failed_no_more(sweep: Path) -> None:
    folder = RunFolder(next(sweep.glob("runs/ru-target-only-100-s1-*")))
    finish(folder, 30.0)
    done = next(run for run in read_status(sweep).runs if run.run_id == folder.id)
    assert (done.state, done.error) == ("done", "")


def test_a_damaged_result_is_not_done(sweep: Path) -> None:
    next(sweep.glob("runs/ru-transfer-100-s0-*/eval/*/predictions.json")).write_text("{}")
    assert read_status(sweep).counts["done"] == 2


def test_what_a_person_reads(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(sweep)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "6 runs: 3 done, 1 failed, 1 started elsewhere or interrupted, 1 waiting; last result" in lines[0]
    assert any(line.split() == ["ru", "transfer", "100", "xquad.ru", "2/2", "55.0", "squad"] for line in lines)
    assert any(line.split() == ["ru", "target-only", "100", "sberquad.dev", "0/3", "–", "squad"] for line in lines)
    assert any("killed by SIGKILL [31m. (2 tries)" in line for line in lines)
    assert any("step 20/60, loss 1.250, 5.5 examples/s" in line for line in lines)
    assert "same `xlqa sweep` command" in lines[-1]
    assert "\x1b" not in "".join(lines)


def test_what_a_program_reads(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(sweep), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["counts"]["done"] == 3
    assert {run["run_id"] for run in record["runs"] if run["state"] == "failed"} == {"ru-target-only-100-s1-0123456789"}
    assert record["last_result"] == "2026-01-02T00:00:00+00:00"
    assert any(group["f1"] is None for group in record["groups"])


def test_a_folder_that_is_no_sweeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(tmp_path)]) == 2
    assert "is not a sweep's folder" in capsys.readouterr().err


def test_runs_of_an_earlier_dry_run_are_set_aside(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = read_status(sweep)
    prepare(sweep, "joint", 100, 7)
    named = frozenset(run.run_id for run in before.runs)
    record_request(Layout(sweep), named, dry_run=False, unanswerable={"persianqa.test": (279, 930)})
    found = read_status(sweep)
    assert [run.run_id for run in found.runs] == [run.run_id for run in before.runs]
    assert (found.counts, found.set_aside) == (before.counts, 1)
    assert main(["status", str(sweep)]) == 0
    said = capsys.readouterr().out
    assert "1 more were prepared by an earlier request and never began." in said
    assert "persianqa.test: 279 of 930 questions have no answer; they are neither trained nor scored." in said


def test_a_foreign_config_is_said_by_name(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = next(sweep.glob("runs/ru-transfer-100-s0-*/config.json"))
    value = json.loads(config.read_bytes())
    value["chainer"]["pipe"][1]["save_path"] = "/victim\x1b[31m"
    write_json(config, value)
    assert main(["status", str(sweep)]) == 0
    said = capsys.readouterr().out
    assert f"refused  {config}: chainer.pipe[1].save_path is not" in said
    assert "\x1b" not in said


def test_pipes_and_wrong_types_end_nothing(sweep: Path) -> None:
    folder = next(sweep.glob("runs/ru-target-only-100-s2-*"))
    os.mkfifo(folder / "failure.json")
    (folder / "train.csv").unlink()
    os.mkfifo(folder / "train.csv")
    write_json(next(sweep.glob("runs/ru-target-only-100-s1-*")) / "failure.json", {"error": ["x"], "attempts": "many"})
    assert read_status(sweep).counts["done"] == 3
