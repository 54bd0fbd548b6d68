"""Faults: the short form of `scripts/faults` on a smaller sweep, and each defect that it has found, fast and alone."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from executors import FixedExecutor, Recorder, ScriptedSlot
from faultinjection.campaign import Campaign, share_out  # found through conftest.py
from faultinjection.case import Case, State
from faultinjection.corruption import DAMAGES, DEAD, harm
from faultinjection.fixtures import SETTINGS, Reference
from faultinjection.kinds import BY_NAME, KINDS
from faultinjection.process import Broken
from faultinjection.records import TEST, make_row

from xlqa.cli import main
from xlqa.errors import XlqaError
from xlqa.runs.execute.disk_errors import errno_of, find_disk_error
from xlqa.runs.execute.events import (
    Crashed,
    Event,
    Failed,
    Finished,
    Lost,
    Retry,
    RunOrder,
    Scored,
    Started,
    Waiting,
    from_json,
    to_json,
)
from xlqa.runs.execute.interrupts import stoppable
from xlqa.runs.execute.jobs import find_pending, make_jobs
from xlqa.runs.execute.local import WorkerProcess
from xlqa.runs.execute.scheduler import Job, Scheduler
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.plan.planner import Plan
from xlqa.runs.store.failures import forget_failures
from xlqa.runs.store.results import is_trained, read_result, write_evaluation
from xlqa.runs.store.scores import ScoredSet
from xlqa.runs.store.setup import lay_out
from xlqa.runs.store.table import write_results
from xlqa.tasks.base import Scores
from xlqa.training.events import Stage, Step
from xlqa.util import files
from xlqa.util.files import (
    filling,
    guarded,
    read_json,
    remove_stale_files,
    temporary_beside,
    temporary_owner,
    write_json,
    write_text,
)
from xlqa.util.locks import waiting_lock

MakePlan = Callable[..., Plan]
SMALL = SETTINGS | {"sizes": "8", "source_size": 24, "test_size": 8, "valid_size": 4, "min_steps": 4}


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A finished sweep of the test's own."""
    out = tmp_path / "copied"
    shutil.copytree(finished, out, symlinks=True)
    return out


# ---- the short form


class Chain(Case):
    """One fault upon another in one folder, without an undisturbed start between them."""

    def begin(self, state: State) -> None:
        if not self.out.exists():
            super().begin("fresh")
            return
        if all(run.evaluations() for run in self.layout.run_folders()):
            # Something must be left to do.
            shutil.rmtree(next(run.path for run in self.layout.run_folders() if "-transfer-8-" in run.id) / "eval")


@pytest.fixture(scope="module")
def campaign(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    made = Campaign(0, tmp_path_factory.mktemp("faults"), 1, print)
    made.prepare(encoder, SMALL)
    return made


@pytest.mark.slow
def test_faults_upon_faults_end_with_the_undisturbed_table(campaign: Campaign) -> None:
    case = Chain("chain", "0", campaign.cases, campaign.reference, campaign.mounting)
    kinds = ("kill-driver", "leftovers", "full-disk", "vanished", "kill-worker", "two-killed")
    try:
        for kind in kinds:
            BY_NAME[kind].inject(case)
            case.place.settle()
        case.end()
        assert len(case.faults) >= len(kinds)
    finally:
        case.close(keep=False)


# ---- what judges


def test_cases_are_shared_out_over_all_kinds() -> None:
    plan = share_out(100, KINDS)
    faults = Counter({kind.name: 0 for kind in KINDS})
    for kind, _ in plan:
        faults[kind.name] += kind.each
    assert min(faults.values()) >= 2
    assert 100 <= sum(faults.values()) < 106
    assert len(set(plan)) == len(plan)
    assert {kind.each for kind in KINDS[:2]} == {2}
    assert share_out(10, KINDS[:2]) == [(KINDS[i % 2], i // 2) for i in range(5)]


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_is_one(tmp_path: Path, damage: str) -> None:
    import random

    whole = json.dumps({"row": {"f1": 12.5}, "name": "x" * 40}).encode()
    for seed in range(20):
        path = tmp_path / "file.json"
        path.write_bytes(whole)
        harm(path, random.Random(seed), [damage])
        assert not path.exists() or path.read_bytes() != whole


def judge(out: Path, undisturbed: Path, tmp_path: Path) -> None:
    from faultinjection.fixtures import read_table

    reference = Reference(Path(), {}, undisturbed, tmp_path / "none", table=read_table(undisturbed / "results.csv"))
    case = Case("judged", "0", tmp_path / "cases", reference, mounting=False)
    out.rename(case.out)
    case.judge()


def _drop_a_row(out: Path) -> None:
    shutil.rmtree(next(out.glob("runs/*/eval/*")))
    write_results(Layout(out))


def _repeat_a_row(out: Path) -> None:
    lines = (out / "results.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (out / "results.csv").write_text("".join([*lines, lines[-1]]), encoding="utf-8")


def _change_a_score(out: Path) -> None:
    text = (out / "results.csv").read_text(encoding="utf-8")
    (out / "results.csv").write_text(text.replace(",fp32,", ",bf16,", 1), encoding="utf-8")


def _leave_a_failure(out: Path) -> None:
    write_json(next(out.glob("runs/*")) / "failure.json", {})


def _leave_half_a_file(out: Path) -> None:
    (next(out.glob("runs/*")) / ".config.json.host.1.tmp").touch()


def _break_weights(out: Path) -> None:
    next(out.glob("source/*/model/model.safetensors")).write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (_drop_a_row, "has 8 rows, not 9"),
        (_repeat_a_row, "has 10 rows, not 9"),
        (_change_a_score, "precision is 'bf16'"),
        (_leave_a_failure, "left over"),
        (_leave_half_a_file, "left over"),
        (_break_weights, "not whole"),
    ],
)
def test_the_judge_sees_what_is_wrong(
    copied: Path, finished: Path, tmp_path: Path, spoil: Callable[[Path], None], complaint: str
) -> None:
    write_text(copied / "failures.csv", "lang\n")
    spoil(copied)
    with pytest.raises(Broken, match=complaint):
        judge(copied, finished, tmp_path)


def test_the_judge_sees_locks_and_processes(copied: Path, finished: Path, tmp_path: Path) -> None:
    import subprocess

    from faultinjection.fixtures import MARK
    from faultinjection.process import wait_gone

    write_text(copied / "failures.csv", "lang\n")
    child = subprocess.Popen(["sleep", "60"], env={**os.environ, MARK: "judged"})
    try:
        assert wait_gone("judged", tmp_path, 0.1) == [child.pid]
    finally:
        child.kill()
        child.wait()
    with waiting_lock(next((copied / "runs").iterdir())), pytest.raises(Broken, match="still locked"):
        judge(copied, finished, tmp_path)


def test_the_judge_sees_a_process_that_has_just_started(tmp_path: Path) -> None:
    import subprocess

    from faultinjection.fixtures import MARK
    from faultinjection.process import environment_and_command

    mark = f"{MARK}=just-started".encode()
    for _ in range(20):  # without the wait nearly every one is missed: /proc shows nothing during exec
        child = subprocess.Popen(["sleep", "60"], env={**os.environ, MARK: "just-started"})
        try:
            about = environment_and_command(Path(f"/proc/{child.pid}"))
        finally:
            child.kill()
            child.wait()
        assert mark in about
    with pytest.raises(FileNotFoundError):
        environment_and_command(Path(f"/proc/{child.pid}"))


# ---- what it has found


def test_what_the_dead_left_half_written_is_removed(tmp_path: Path) -> None:
    dead = [tmp_path / f".{name}.{temporary_owner(DEAD)}.tmp" for name in ("config.json", "model")]
    living = [temporary_beside(tmp_path / "config.json"), tmp_path / ".config.json.elsewhere.1.tmp"]
    dead[1].mkdir()
    for path in (dead[0], dead[1] / "model.safetensors", *living):
        path.touch()
    old = tmp_path / ".train.json.elsewhere.1.tmp"
    old.touch()
    os.utime(old, (0, 0))
    remove_stale_files([tmp_path, tmp_path / "missing"])
    assert sorted(tmp_path.iterdir()) == sorted(living)


def test_a_start_removes_leftovers_everywhere(copied: Path, plan: MakePlan) -> None:
    places = [".", "data", "encoders", "runs", "source", "runs/*", "source/*", "runs/*/eval", "runs/*/eval/*"]
    left = [next(copied.glob(place)) / f".x.{temporary_owner(DEAD)}.tmp" for place in places[1:]]
    left.append(copied / f".results.csv.{temporary_owner(DEAD)}.tmp")
    for path in left:
        path.touch()
    lay_out(plan(copied))
    assert [path for path in left if path.exists()] == []


def test_nothing_is_made_anew_where_a_folder_was(tmp_path: Path) -> None:
    root = tmp_path / "out"
    root.mkdir()
    with guarded(root):
        write_text(root / "runs" / "one" / "config.json", "{}")
        root.rename(tmp_path / "away")
        with pytest.raises(XlqaError, match="is gone"):
            write_text(root / "results.csv", "")
        assert not root.exists()
        root.mkdir()  # the empty folder that a mount leaves
        with pytest.raises(XlqaError, match="is gone"):
            write_text(root / "runs" / "one" / "config.json", "{}")
        with pytest.raises(FileNotFoundError), filling(root / "runs" / "one" / "model"):
            pass
        assert list(root.iterdir()) == []
        assert "is gone" in str(find_disk_error(root))
    write_text(root / "results.csv", "")


def leave(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """Let the sweep's disk have so many bytes free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=10**12, used=0, free=free))


def test_trouble_with_the_disk_is_told_from_other_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(monkeypatch, 10**12)
    assert find_disk_error(tmp_path, errno.ENOSPC) is None
    leave(monkeypatch, 10**6)
    assert find_disk_error(tmp_path) is None
    assert find_disk_error(tmp_path, errno.ENOENT) is None
    assert "is full (No space left on device)" in str(find_disk_error(tmp_path, errno.ENOSPC))
    (tmp_path / "file").touch()
    assert "cannot be written (Not a directory)" in str(find_disk_error(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    with pytest.raises(XlqaError) as caught:
        write_text(tmp_path / "file" / "below", "")
    assert errno_of(caught.value) == errno.EEXIST
    assert errno_of(RuntimeError("I/O error: No space left on device (os error 28)")) == errno.ENOSPC
    assert errno_of(ValueError("no")) is None


def full(folder: RunFolder) -> Failed:
    """A run on a full disk."""
    return Failed("OSError: no", errno.ENOSPC)


def two_jobs(root: Path) -> list[Job]:
    folders = [RunFolder(root / "runs" / name) for name in "ab"]
    for folder in folders:
        folder.path.mkdir(parents=True)
    return [Job(folder, folder.id, False, 1.0, lambda: None) for folder in folders]


def test_another_full_disk_costs_its_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(monkeypatch, 10**12)
    jobs, observer = two_jobs(tmp_path), Recorder()
    slot = ScriptedSlot(lambda folder: full(folder) if folder.id == "a" else Finished())
    Scheduler(jobs, FixedExecutor(slot), observer).run()
    assert [job.state for job in jobs] == ["failed", "done"]
    assert observer.failures == {"a": "a disk is full: OSError: no"}


def test_a_worker_that_reports_nonsense_is_replaced(tmp_path: Path) -> None:
    """The run fails, and the worker, which may still be working on it, gets no other run."""
    order = RunOrder(str(tmp_path), False, 0.0)
    worker = WorkerProcess("cpu")
    worker.process.kill()
    worker.process.wait()
    worker.process = subprocess.Popen(
        [sys.executable, "-c", "print('{', flush=True); input(); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    with pytest.raises(ValueError, match="Expecting property name"):
        list(worker.execute(order))
    assert not worker.is_alive()


def test_a_run_fails_whose_worker_reports_nonsense(tmp_path: Path) -> None:
    def report(folder: RunFolder) -> Finished:
        if folder.id == "a":
            raise ValueError("'{' is not an event of a worker.")
        return Finished()

    jobs, observer = two_jobs(tmp_path), Recorder()
    Scheduler(jobs, FixedExecutor(ScriptedSlot(report)), observer).run()
    assert [job.state for job in jobs] == ["failed", "done"]
    assert observer.failures == {"a": "ValueError: '{' is not an event of a worker."}


def test_an_internal_error_ends_the_sweep_with_it(tmp_path: Path) -> None:
    class Broken(Recorder):
        def on_event(self, job: Job, event: Event) -> None:
            raise RuntimeError("broken")

    slots = [ScriptedSlot(full), ScriptedSlot(full)]
    with pytest.raises(RuntimeError, match="broken"):
        Scheduler(two_jobs(tmp_path), FixedExecutor(*slots), Broken()).run()


def test_a_crash_is_tried_once_more_and_a_lost_machine_five_times(tmp_path: Path) -> None:
    endings: dict[str, list[Event]] = {
        "a": [Crashed("killed.")] * 2,
        "b": [Lost("node x was lost.")] * 5 + [Crashed("killed."), Finished()],
    }
    jobs, observer = two_jobs(tmp_path), Recorder()
    slot = ScriptedSlot(lambda folder: endings[folder.id].pop(0))
    Scheduler(jobs, FixedExecutor(slot), observer).run()
    assert [job.state for job in jobs] == ["failed", "done"]
    assert observer.failures == {"a": "killed."}
    assert observer.kinds().count("Retry") == 7
    assert read_json(jobs[0].folder.failure)["error"] == "killed."


def test_runs_of_a_source_stage_that_failed_fail_with_it(tmp_path: Path) -> None:
    stage, run = two_jobs(tmp_path)
    run.depends_on = stage
    observer = Recorder()
    Scheduler([stage, run], FixedExecutor(ScriptedSlot(lambda folder: Failed("no data."))), observer).run()
    assert observer.failures == {"a": "no data.", "b": "its source stage a failed."}


def test_a_slot_takes_no_more_runs_once_it_is_not_usable(tmp_path: Path) -> None:
    class Leaving(ScriptedSlot):
        def execute(self, order: RunOrder) -> Generator[Event]:
            self.usable = False
            yield from super().execute(order)

    slots = [Leaving(lambda folder: Finished()) for _ in range(2)]
    jobs = two_jobs(tmp_path)
    Scheduler(jobs, FixedExecutor(*slots), Recorder()).run()
    assert [job.state for job in jobs] == ["done", "done"]
    assert [slot.closed for slot in slots] == [1, 1]


def test_events_survive_the_way_to_another_process() -> None:
    events: list[Event] = [
        Started(), Waiting(), Stage("training"), Step(1, 2, 0.5, 3.25), Scored("xquad.es", "squad", {"f1": 1.0, "em": 0.5}),
        Retry("x"), Finished(2, True), Failed("é\n", 28, True), Crashed("y"), Lost("z"),
    ]  # fmt: skip
    assert [from_json(to_json(event)) for event in events] == events
    for line in (
        "",
        "{",
        "[]",
        "7",
        '{"event": "none"}',
        '{"event": "step"}',
        '{"event": "stage", "text": "x", "y": 1}',
    ):
        with pytest.raises(ValueError, match=r"."):
            from_json(line)


def scored_one() -> ScoredSet:
    metrics = ("f1", "em", "squad_f1", "squad_em")
    return ScoredSet(("q",), ("c",), Scores(metrics, np.full((1, 4), 0.5), np.ones((1, 4))))


def test_an_evaluation_that_another_wrote_over_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_evaluation(tmp_path / "whole", {"q": "a"}, scored_one(), make_row(), TEST)
    assert read_result(tmp_path / "whole") is not None
    real = files.write_bytes

    def write_over(path: Path, content: bytes, **settings: bool) -> None:
        real(path, content, **settings)
        if path.name == "predictions.json":
            path.write_bytes(b'{"q": "of another"}')

    monkeypatch.setattr(files, "write_bytes", write_over)
    write_evaluation(tmp_path / "torn", {"q": "a"}, scored_one(), make_row(), TEST)
    assert read_result(tmp_path / "torn") is None


def test_a_full_disk_stops_a_sweep_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(monkeypatch, 10**6)
    jobs, observer = two_jobs(tmp_path), Recorder()
    with pytest.raises(XlqaError, match="is full"):
        Scheduler(jobs, FixedExecutor(ScriptedSlot(full)), observer).run()
    assert observer.failures == {}
    assert [job.state for job in jobs] == ["waiting", "waiting"]
    assert not list(tmp_path.glob("runs/*/failure.json"))


def test_however_often_it_is_stopped_it_stops_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stoppable() as asked, stoppable() as inner:
        assert inner is asked
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
        assert asked.is_set()
    assert signal.getsignal(signal.SIGINT) is before
    with stoppable() as again:
        assert not again.is_set()
    heard: list[bool] = []
    thread = threading.Thread(target=lambda: heard.append(_can_stop()))
    thread.start()
    thread.join()
    assert heard == [False]


STORM = """
import os, signal, subprocess, sys
from xlqa.runs.execute.scheduler import stoppable
sender = "import os, signal, time\\nfor _ in range(5000): os.kill(os.getppid(), signal.SIGINT); time.sleep(0.00003)"
with stoppable() as asked:
    child = subprocess.Popen([sys.executable, "-c", sender])
    while child.poll() is None:
        asked.is_set()
        asked._asked = asked._flag = False
print("whole")
"""


def test_a_signal_never_waits_for_the_thread_that_it_interrupts() -> None:
    import subprocess

    done = subprocess.run([sys.executable, "-c", STORM], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "whole\n"


def _can_stop() -> bool:
    with stoppable() as asked:
        return asked.is_set()


def test_a_damaged_config_gives_no_evaluations(copied: Path, plan: MakePlan) -> None:
    path = next(copied.glob("runs/es-target-only-8-s0-*")) / "config.json"
    lay_out(plan(copied))
    whole = path.read_text(encoding="utf-8")
    eval_id = next(iter(read_json(path)["metadata"]["xlqa"]["evaluations"].values()))["eval_id"]
    other = eval_id[:-1] + ("0" if eval_id[-1] != "0" else "1")
    for damaged in (whole.replace(eval_id, other), whole.replace('"chainer"', '"chained"'), "[]", "[" * 100_000):
        path.write_text(damaged, encoding="utf-8")
        lay_out(plan(copied))
        assert path.read_text(encoding="utf-8") == whole


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_model_is_whole_or_not_there(copied: Path, name: str) -> None:
    stage = RunFolder(next((copied / "source").iterdir()))
    assert is_trained(stage)
    path = stage.model / name
    path.write_bytes(path.read_bytes()[:-1])
    assert not is_trained(stage)
    path.unlink()
    assert not is_trained(stage)


@pytest.mark.parametrize("nonsense", ["", "{}", "[]", "0", '"text"', "[" * 100_000, '{"metadata": []}', "\ud800"])
def test_nonsense_is_nowhere_believed(
    copied: Path, plan: MakePlan, nonsense: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = next(copied.glob("runs/es-transfer-16-s0-*"))
    stage = next((copied / "source").iterdir())
    names = ("config.json", "train.json", "failure.json")
    results = list(kept.glob("eval/*/result.json"))
    for path in (*(folder / name for folder in (kept, stage) for name in names), *results):
        path.write_bytes(nonsense.encode("utf-8", "surrogatepass"))
    assert main(["status", str(copied)]) == 0
    assert main(["collect", str(copied)]) == 2  # the table would lose a row
    assert [job.label for job in make_jobs(plan(copied), find_pending(plan(copied)))] == [
        "source sample.en.train 24 seed 0", "es transfer 16 seed 0",
    ]  # fmt: skip
    capsys.readouterr()


def test_a_failure_of_what_is_done_is_forgotten(copied: Path) -> None:
    done, open_one = (next(copied.glob(f"runs/es-target-only-8-s{seed}-*")) for seed in (0, 1))
    shutil.rmtree(open_one / "eval")
    for run in (done, open_one, next((copied / "source").iterdir())):
        write_json(run / "failure.json", {"run_id": run.name})
    forget_failures(Layout(copied))
    assert list(copied.glob("*/*/failure.json")) == [open_one / "failure.json"]


def test_a_table_hashes_each_file_once(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Path] = []
    real = files.file_sha256
    monkeypatch.setattr(files, "file_sha256", lambda path: hashed.append(path) or real(path))
    for path in copied.glob("runs/*/eval/*/*"):
        os.utime(path, (1e9, 1e9))
    assert len(write_results(Layout(copied)).rows) == 9
    assert len(hashed) == 18
    write_results(Layout(copied))
    assert len(hashed) == 18
    path = next(copied.glob("runs/*/eval/*/predictions.json"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b" ")
    assert read_result(path.parent) is None
    path.write_bytes(whole)
    assert read_result(path.parent) is not None
