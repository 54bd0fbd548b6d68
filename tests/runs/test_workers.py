"""How many runs work on one GPU at once, decided from memory and cores alone: no GPU is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from xlqa.runs.execute.local import LocalExecutor
from xlqa.runs.plan.planner import Plan
from xlqa.runs.plan.workers import MOST_WORKERS, Capacity, describe_workers, fitting_workers, needs, workers_per_device

MakePlan = Callable[..., Plan]
GB = 10**9
T4, H100 = Capacity(16 * GB, 13 * GB, 2), Capacity(80 * GB, 128 * GB, 16)


@pytest.mark.parametrize(
    ("gpu", "host", "capacity", "workers"),
    [
        (9 * GB, 5 * GB, H100, MOST_WORKERS),
        (9 * GB, 5 * GB, T4, 1),
        (5 * GB, 4 * GB, T4, 2),
        (30 * GB, 5 * GB, H100, 2),
        (100 * GB, 5 * GB, H100, 1),
        (9 * GB, 5 * GB, replace(H100, cores=1), 1),
        (9 * GB, 5 * GB, replace(H100, host=12 * GB), 1),
    ],
)
def test_as_many_workers_as_fit(gpu: int, host: int, capacity: Capacity, workers: int) -> None:
    assert fitting_workers(gpu, host, capacity) == workers


def test_a_longer_update_needs_more_memory(plan: MakePlan, tmp_path: Path) -> None:
    small, large = (needs(plan(tmp_path, batch_size=size))[0] for size in (4, 64))
    assert large > small > GB


def test_a_cpu_has_one_worker_unless_more_are_asked_for(plan: MakePlan, tmp_path: Path) -> None:
    made = plan(tmp_path)
    assert workers_per_device(made) == 1
    assert describe_workers(made) == []
    assert LocalExecutor("cpu").devices == ["cpu"]
    asked = plan(tmp_path, workers_per_device=2)
    assert describe_workers(asked) == ["2 runs at once on each device (--workers-per-device)"]
