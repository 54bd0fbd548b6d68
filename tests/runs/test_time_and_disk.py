"""Checkpoints of a sweep's trainings, `--timeout`, and the disk that is checked before anything starts."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xlqa.errors import XlqaError
from xlqa.runs.execute.run import execute
from xlqa.runs.execute.scheduler import Job, Launch
from xlqa.runs.plan.disk import check_disk
from xlqa.runs.plan.planner import Plan
from xlqa.runs.store.results import source_weights
from xlqa.runs.store.setup import lay_out
from xlqa.util.files import read_json

MakePlan = Callable[..., Plan]
Usage = namedtuple("Usage", "total used free")


class Notes:
    """A observer that keeps what it is told and kills the worker once, after its first step that matches."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.kill_at = kill_at
        self.launch: Launch | None = None

    def started(self, job: Job) -> None:
        pass

    def event(self, job: Job, event: dict[str, Any]) -> None:
        self.events.append(event)
        if self.kill_at is not None and event["event"] == "step" and event["step"] >= self.kill_at and self.launch:
            self.kill_at = None
            os.kill(self.launch.workers[-1].process.pid, signal.SIGKILL)

    def finished(self, job: Job) -> None:
        pass

    def failed(self, job: Job, error: str) -> None:
        self.errors.append(error)


def launch_source(plan: Plan, notes: Notes, **settings: Any) -> Launch:
    lay_out(plan)
    folder = plan.layout.source(plan.stages[0].source_id)
    launch = Launch([Job(folder, "source", True, 1.0, lambda: None)], ["cpu"], notes, **settings)
    notes.launch = launch
    launch.run()
    return launch


@pytest.mark.slow
def test_a_killed_source_stage_goes_on_from_its_checkpoint(plan: MakePlan, tmp_path: Path) -> None:
    whole, broken = (plan(tmp_path / name, min_steps=200) for name in ("whole", "broken"))
    lay_out(whole)
    unbroken = whole.layout.source(whole.stages[0].source_id)
    execute(unbroken, keep=True, listen=lambda event: None, device="cpu")
    notes = Notes(kill_at=60)
    launch = launch_source(broken, notes, checkpoint_minutes=1e-6)
    assert [job.state for job in launch.jobs] == ["done"]
    stages = [str(event.get("stage")) for event in notes.events]
    assert any(stage.startswith("going on after step") for stage in stages)
    folder = broken.layout.source(broken.stages[0].source_id)
    assert source_weights(folder) == source_weights(unbroken)
    assert not folder.checkpoint.exists()
    assert {event["event"] for event in notes.events} >= {"retry", "step"}


@pytest.mark.slow
def test_a_run_past_its_time_fails_and_goes_on_later(plan: MakePlan, tmp_path: Path) -> None:
    slow = plan(tmp_path / "slow", min_steps=100_000)
    notes = Notes()
    began = time.monotonic()
    launch = launch_source(slow, notes, checkpoint_minutes=1e-6, timeout_minutes=0.3)
    assert time.monotonic() - began < 90
    assert [job.state for job in launch.jobs] == ["failed"]
    assert notes.errors[0].startswith("took longer than --timeout 0.3 minutes")
    folder = slow.layout.source(slow.stages[0].source_id)
    assert folder.checkpoint.exists()
    assert "--timeout" in read_json(folder.failure)["error"]
    events: list[str] = []
    stopped = threading.Event()

    def listen(event: dict[str, Any]) -> None:
        events.append(str(event.get("stage")))
        if any(text.startswith("going on after step") for text in events) and event["event"] == "step":
            stopped.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(folder, keep=True, listen=listen, device="cpu")
    assert stopped.is_set()


def test_a_sweep_that_does_not_fit_is_refused_first(
    plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = plan(tmp_path / "small")
    check_disk(small, small.runs, 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**6, 10**6, 10))
    with pytest.raises(
        XlqaError, match=r"has 0.00 GB free, this sweep takes about .* --keep none or --checkpoint-every 0"
    ):
        check_disk(small, small.runs, 1)
    assert not (tmp_path / "small" / "runs").exists()


@pytest.mark.parametrize(
    ("setting", "value"), [("timeout", 0), ("timeout", "soon"), ("checkpoint_every", -1), ("checkpoint_every", "x")]
)
def test_minutes_are_numbers(plan: MakePlan, tmp_path: Path, setting: str, value: Any) -> None:
    with pytest.raises(XlqaError, match=f"--{setting.replace('_', '-')} {value}: give a number"):
        plan(tmp_path, **{setting: value})
