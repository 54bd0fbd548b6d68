"""Without DeepPavlov, as under Python 3.12, a config means what it means with it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from executors import in_process

from xlqa.components import thin
from xlqa.records import VOLATILE_COLUMNS
from xlqa.runs.plan.planner import make_plan
from xlqa.runs.plan.request import build_request
from xlqa.runs.sweep import run_sweep

SETTINGS = {
    "lang": "es", "sizes": [8], "seeds": 1, "source_train": "sample.en.train", "target_train": "sample.es.train",
    "target_test": "sample.es.test", "source_size": 24, "test_size": 12, "valid_size": 8, "min_steps": 3, "epochs": 1.0,
    "source_epochs": 1.0, "batch_size": 8, "lr": 1e-3, "max_length": 96, "precision": "fp32", "device": "cpu",
    "keep": "none",
}  # fmt: skip

WITHOUT = """
import json, sys
sys.modules["deeppavlov"] = None  # an import of it fails as where it is not installed
from executors import in_process
from xlqa.components.framework import HAS_DEEPPAVLOV
from xlqa.runs.plan.planner import make_plan
from xlqa.runs.plan.request import build_request
from xlqa.runs.sweep import run_sweep
assert not HAS_DEEPPAVLOV
assert not run_sweep(make_plan(build_request(json.loads(sys.argv[1]))), executor=in_process()).failures
"""


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def stable(found: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name not in VOLATILE_COLUMNS} for row in found]


def test_a_sweep_without_deeppavlov_has_the_same_scores(encoder: Path, tmp_path: Path) -> None:
    pytest.importorskip("deeppavlov")
    settings = SETTINGS | {"model": str(encoder)}
    with_it = make_plan(build_request(settings | {"out": str(tmp_path / "with")}))
    assert not run_sweep(with_it, executor=in_process()).failures
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    subprocess.run(
        [sys.executable, "-c", WITHOUT, json.dumps(settings | {"out": str(tmp_path / "without")})],
        check=True, env=os.environ | {"PYTHONPATH": path, "TOKENIZERS_PARALLELISM": "false"},
    )  # fmt: skip
    found, expected = rows(tmp_path / "without"), rows(tmp_path / "with")
    assert stable(found) == stable(expected)
    assert {row["deeppavlov"] for row in found} == {"none"}
    assert {row["deeppavlov"] for row in expected} == {"1.7.0"}


def test_a_config_is_read_as_deeppavlov_reads_it() -> None:
    utils = pytest.importorskip("deeppavlov.core.commands.utils")
    config = json.loads((Path(__file__).parents[1] / "runs" / "golden_config.json").read_bytes())
    theirs = utils.parse_config(json.loads(json.dumps(config)))
    ours = thin.parse_config(config)
    for part in ("dataset_reader", "dataset_iterator", "chainer", "train"):
        assert ours[part] == theirs[part]
