"""Records of runs as xlqa writes them, made up: for tests, and to be mutated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xlqa.records import RESULT_COLUMNS
from xlqa.runs.specs import Hyper
from xlqa.runs.store.results import TestRecord
from xlqa.runs.store.run_config import DataEntry, Evaluation, RunConfig, TestEntry
from xlqa.runs.store.scores import ScoredSet
from xlqa.tasks.base import Scores

DATA = DataEntry("mine", "data/mine-aaaaaaaa.json", "a" * 64, "ru", "squad")
TEST = TestRecord("test", DATA, None, False, None)
HYPER = Hyper(lr=3e-5, epochs=3.0, batch_size=16, warmup=0.1, min_steps=20)


def make_row(**values: Any) -> dict[str, Any]:
    """A row of results.csv with what every finished evaluation has; the rest is empty."""
    row: dict[str, Any] = dict.fromkeys(RESULT_COLUMNS)
    return row | {
        "lang": "ru", "arm": "target-only", "size": 8, "seed": 0, "model": "tiny", "test": "mine", "split": "test",
        "scorer": "squad", "steps": 20,
        "max_length": 64, "stride": 16, "max_answer_length": 30, "precision": "fp32", "f1": 50.0, "em": 50.0, "squad_f1": 50.0, "squad_em": 50.0,
        "run_id": "ru-target-only-8-s0-0123456789", "eval_id": "mine-0123456789",
    } | values  # fmt: skip


def make_run_config(rows: Sequence[Mapping[str, Any]]) -> RunConfig:
    """The config of a run that is scored on each row's test set."""
    targets = ["test", *(f"test_{i + 2}" for i in range(len(rows) - 1))]
    return RunConfig(
        kind="run", id=rows[0]["run_id"], root=".", train=DATA, train_size=rows[0]["size"], encoder="encoders/tiny-eeeeeeee",
        encoder_sha256="e" * 64, max_length=64, stride=16, max_answer_length=30, precision="fp32", seed=rows[0]["seed"],
        hyper=HYPER, tests=tuple(TestEntry(target, DATA, None) for target in targets),
        evaluations={target: Evaluation(row["eval_id"], None, row) for target, row in zip(targets, rows, strict=True)},
    )  # fmt: skip


def make_source_config(source_id: str, size: int, hyper: Hyper) -> RunConfig:
    """The config of a source stage."""
    return RunConfig(
        kind="source", id=source_id, root=".", language="en", model="tiny", train=DATA, train_size=size,
        encoder="encoders/tiny-eeeeeeee", encoder_sha256="e" * 64, max_length=64, stride=16, max_answer_length=30,
        precision="fp32", seed=0, hyper=hyper,
    )  # fmt: skip


def make_scored(percent: Sequence[float]) -> ScoredSet:
    """Questions with these scores, the same under every metric."""
    ids = tuple(f"q{i}" for i in range(len(percent)))
    values = np.repeat(np.array(percent)[:, None] / 100.0, 4, axis=1)
    return ScoredSet(ids, ("c",) * len(ids), Scores(("f1", "em", "squad_f1", "squad_em"), values, np.ones_like(values)))
