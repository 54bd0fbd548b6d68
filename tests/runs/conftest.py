"""A small sweep that every test of the runs can start from: tiny encoder, the embedded sample, seconds of work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest_runs import run_here

from xlqa.runs.plan.planner import Plan, make_plan
from xlqa.runs.plan.request import build_request

SETTINGS: dict[str, Any] = {
    "lang": "es", "sizes": "8,16", "seeds": 2, "source_seeds": 1, "source_train": "sample.en.train", "target_train": "sample.es.train",
    "target_test": "sample.es.test", "source_size": 24, "test_size": 20, "min_steps": 3, "epochs": 1.0, "source_epochs": 1.0,
    "batch_size": 8, "lr": 1e-3, "max_length": 96, "precision": "fp32", "device": "cpu",
}  # fmt: skip


@pytest.fixture(scope="session")
def settings(encoder: Path) -> dict[str, Any]:
    return SETTINGS | {"model": str(encoder)}


@pytest.fixture
def plan(settings: dict[str, Any]) -> Callable[..., Plan]:
    """Makes a plan below a folder, with changed settings."""

    def make(out: Path, **changes: Any) -> Plan:
        return make_plan(build_request(settings | {"out": str(out)} | changes))

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any]) -> Path:
    """The folder of a finished sweep; tests copy it before they change it."""
    out = tmp_path_factory.mktemp("finished") / "out"
    run_here(make_plan(build_request(settings | {"out": str(out)})))
    return out
