"""A stop request from another terminal ends a sweep as Ctrl-C does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from executors import FixedExecutor, ScriptedSlot

from xlqa.runs.execute.events import Event, Finished
from xlqa.runs.paths import RunFolder
from xlqa.runs.plan.planner import Plan
from xlqa.runs.store import marker
from xlqa.runs.store.marker import request_stop, running_sweeps
from xlqa.runs.sweep import run_sweep


def test_a_request_ends_the_sweep_and_leaves_no_file(plan: Callable[..., Plan], tmp_path: Path):
    executed: list[RunFolder] = []

    def run(folder: RunFolder) -> Event:
        executed.append(folder)
        for sweep in running_sweeps(tmp_path / "out"):
            request_stop(sweep)
        return Finished(0, True)

    made = plan(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        run_sweep(made, executor=FixedExecutor(ScriptedSlot(run)))
    assert 0 < len(executed) < len(made.runs)
    assert not list((tmp_path / "out").glob(".sweep*"))


def test_the_file_of_a_long_sweep_stays_recent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Other hosts remove temporary files that are older than a day."""
    monkeypatch.setattr(marker, "TOUCH_SECONDS", -1.0)
    with marker.marked(tmp_path) as stop_requested:
        (path,) = tmp_path.glob(".sweep*")
        os.utime(path, (0, 0))
        assert not stop_requested()
        assert time.time() - path.stat().st_mtime < 60
