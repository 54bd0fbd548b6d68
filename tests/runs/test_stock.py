"""The stock DeepPavlov command runs our configs, with no xlqa command involved, and prints the table's numbers."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def deeppavlov(mode: str, config: Path, **environment: str) -> dict[str, float]:
    """Metrics that `python -m deeppavlov MODE CONFIG` prints for the test set."""
    done = subprocess.run(
        [sys.executable, "-m", "deeppavlov", mode, str(config)], capture_output=True, text=True, check=False,
        env=os.environ | {"DP_SKIP_NLTK_DOWNLOAD": "1"} | environment, cwd=config.parent,
    )  # fmt: skip
    lines = [line for line in (done.stdout + done.stderr).splitlines() if '{"test"' in line]
    assert lines, done.stderr[-2000:]
    metrics: dict[str, float] = json.loads(lines[-1][lines[-1].index("{") :])["test"]["metrics"]
    return metrics


def row_of(out: Path, run_id: str) -> dict[str, str]:
    rows = csv.DictReader((out / "results.csv").open(encoding="utf-8", newline=""))
    return next(row for row in rows if row["run_id"] == run_id)


@pytest.mark.slow
def test_stock_train_and_evaluate_print_the_table(finished: Path) -> None:
    folder = next(finished.glob("runs/es-transfer-16-s0-*"))
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    row = row_of(finished, folder.name)
    for mode in ("train", "evaluate"):
        metrics = deeppavlov(mode, folder / "config.json")
        assert metrics == {name: round(float(row[name]), 4) for name in ("f1", "em", "squad_f1", "squad_em")}
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


@pytest.mark.slow
def test_stock_run_follows_a_moved_folder(finished: Path, tmp_path: Path) -> None:
    folder = next(finished.glob("runs/es-transfer-0-s0-*"))
    moved = tmp_path / "moved"
    moved.symlink_to(finished)
    metrics = deeppavlov("evaluate", folder / "config.json", DP_ROOT=str(moved))
    assert metrics["f1"] == round(float(row_of(finished, folder.name)["f1"]), 4)


@pytest.mark.slow
def test_variables_that_would_change_a_run_are_refused(finished: Path) -> None:
    folder = next(finished.glob("runs/es-transfer-0-s0-*"))
    done = subprocess.run(
        [sys.executable, "-m", "deeppavlov", "evaluate", str(folder / "config.json")], capture_output=True, text=True,
        check=False, env=os.environ | {"DP_LR": "1", "DP_SKIP_NLTK_DOWNLOAD": "1"},
    )  # fmt: skip
    assert done.returncode != 0
    assert "DP_LR is set and could change this run" in done.stderr


def test_kept_model_is_loaded_and_asked_by_build_model(finished: Path) -> None:
    from deeppavlov import build_model

    from xlqa.predict import ask

    folder = next(finished.glob("runs/es-transfer-16-s0-*"))
    model = build_model(str(folder / "config.json"))
    context, question = "Mara vive en la ciudad de Brenna, junto al río.", "Where does Mara live?"
    (answer,), (start,), (score,) = model([context], [question])
    assert context[start : start + len(answer)] == answer
    span = ask(context, question, model=folder.name, home=finished)[0]
    assert (span.text, span.start, pytest.approx(span.score)) == (answer, start, score)
