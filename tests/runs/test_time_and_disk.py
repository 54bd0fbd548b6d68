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
from executors import FixedExecutor, Recorder

from xlqa.errors import XlqaError
from xlqa.runs.execute.events import Event
from xlqa.runs.execute.jobs import find_pending
from xlqa.runs.execute.local import LocalSlot
from xlqa.runs.execute.run import execute
from xlqa.runs.execute.scheduler import Job, Scheduler
from xlqa.runs.plan.cost import check_disk
from xlqa.runs.plan.planner import Plan
from xlqa.runs.store.results import source_weights
from xlqa.runs.store.setup import lay_out
from xlqa.training.events import Stage, Step
from xlqa.util.files import read_json

MakePlan = Callable[..., Plan]
Usage = namedtuple("Usage", "total used free")


class Killer(Recorder):
    """An observer that kills the worker once, after its first step from `kill_at` on."""

    def __init__(self, slot: LocalSlot, kill_at: int | None) -> None:
        super().__init__()
        self.slot, self.kill_at = slot, kill_at

    def on_event(self, job: Job, event: Event) -> None:
        super().on_event(job, event)
        if self.kill_at is not None and isinstance(event, Step) and event.step >= self.kill_at:
            self.kill_at = None
            assert self.slot.process is not None
            os.kill(self.slot.process.pid, signal.SIGKILL)


def train_source(plan: Plan, kill_at: int | None = None, **settings: Any) -> tuple[Job, Killer]:
    """Execute a plan's source stage on a worker."""
    lay_out(plan)
    folder, slot = plan.layout.source(plan.stages[0].source_id), LocalSlot("cpu")
    job, observer = Job(folder, "source", True, 1.0, lambda: None), Killer(slot, kill_at)
    Scheduler([job], FixedExecutor(slot), observer, **settings).run()
    return job, observer


@pytest.mark.slow
def test_a_killed_source_stage_resumes_from_its_checkpoint(plan: MakePlan, tmp_path: Path) -> None:
    whole, broken = (plan(tmp_path / name, min_steps=200) for name in ("whole", "broken"))
    lay_out(whole)
    unbroken = whole.layout.source(whole.stages[0].source_id)
    execute(unbroken, keep=True, listen=lambda event: None, device="cpu")
    job, observer = train_source(broken, kill_at=60, checkpoint_minutes=1e-6)
    assert job.state == "done"
    stages = [event.text for event in observer.events if isinstance(event, Stage)]
    assert any(stage.startswith("resuming after step") for stage in stages)
    folder = broken.layout.source(broken.stages[0].source_id)
    assert source_weights(folder) == source_weights(unbroken)
    assert not folder.checkpoint.exists()
    assert {"Retry", "Step"} <= set(observer.kinds())


@pytest.mark.slow
def test_a_run_past_its_time_fails_and_resumes_later(plan: MakePlan, tmp_path: Path) -> None:
    slow = plan(tmp_path / "slow", min_steps=100_000)
    began = time.monotonic()
    job, observer = train_source(slow, checkpoint_minutes=1e-6, timeout_minutes=0.3)
    assert time.monotonic() - began < 90
    assert job.state == "failed"
    assert observer.failures["source"].startswith("took longer than --timeout 0.3 minutes")
    folder = slow.layout.source(slow.stages[0].source_id)
    assert folder.checkpoint.exists()
    assert "--timeout" in read_json(folder.failure)["error"]
    stages: list[str] = []
    stopped = threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, Stage):
            stages.append(event.text)
        if any(text.startswith("resuming after step") for text in stages) and isinstance(event, Step):
            stopped.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(folder, keep=True, listen=listen, device="cpu")
    assert stopped.is_set()


def test_a_sweep_that_does_not_fit_is_refused_first(
    plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = plan(tmp_path / "small")
    check_disk(small, find_pending(small), 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**6, 10**6, 10))
    with pytest.raises(
        XlqaError, match=r"has 0.00 GB free, this sweep takes about .* --keep none or --checkpoint-every 0"
    ):
        check_disk(small, find_pending(small), 1)
    assert not (tmp_path / "small" / "runs").exists()


@pytest.mark.parametrize(
    ("setting", "value"), [("timeout", 0), ("timeout", "soon"), ("checkpoint_every", -1), ("checkpoint_every", "x")]
)
def test_minutes_are_numbers(plan: MakePlan, tmp_path: Path, setting: str, value: Any) -> None:
    with pytest.raises(XlqaError, match=f"--{setting.replace('_', '-')} {value}: give a number"):
        plan(tmp_path, **{setting: value})
