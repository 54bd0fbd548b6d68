"""A small sweep end to end: `xlqa sweep` beside the same trainings one by one through the stock DeepPavlov command."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.fixtures import Material, write_questions
from benchmark.stock import stock_config
from xlqa.errors import XlqaError
from xlqa.tasks.qa.reading import read_dataset

ARMS = ("transfer", "target-only")


@dataclass(frozen=True, slots=True)
class Grid:
    """What is trained: every arm on every size with every seed, `steps` updates each; and how many runs the stock path does.

    The stock path's other runs are taken to last as long as the mean of those it did.
    """

    sizes: tuple[int, ...]
    seeds: int
    steps: int
    stock_runs: int

    @property
    def runs(self) -> int:
        """Trainings beside the source stage."""
        return len(ARMS) * len(self.sizes) * self.seeds


def time_sweep(material: Material, grid: Grid, scratch: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Seconds of both ways. The source stage trains on as many questions as the largest size, and is part of both."""
    questions = list(read_dataset(material.train_file).questions)
    half = max(grid.sizes)
    if len(questions) < 2 * half:
        raise XlqaError(
            f"the sweep needs {2 * half:,} training questions: --train {2 * half}, or smaller --sweep-sizes."
        )
    files = {"source": scratch / "source.json", "target": scratch / "target.json"}
    write_questions(questions[:half], files["source"])
    write_questions(questions[half : 2 * half], files["target"])
    ours = {}
    for state in ("cold", "warm"):
        ours[state] = _our_sweep(material, grid, files, scratch, state)
        say(f"sweep, xlqa, {state}: {ours[state]['seconds']:.1f} s")
    stock = _stock_sweep(material, grid, questions, scratch, say)
    return {
        "runs": grid.runs, "steps": grid.steps, "sizes": grid.sizes, "seeds": grid.seeds, "ours": ours, "stock": stock,
        "ratio": {state: stock["seconds"] / found["seconds"] for state, found in ours.items()},
    }  # fmt: skip


def _our_sweep(material: Material, grid: Grid, files: dict[str, Path], scratch: Path, state: str) -> dict[str, Any]:
    """One `xlqa sweep` in a fresh folder; the second one finds the first one's caches."""
    out = scratch / state
    environment = os.environ | {"XLQA_CACHE": str(scratch / "cache")}
    command = [
        str(Path(sys.executable).with_name("xlqa")), "sweep", "--lang", "es", "--model", str(material.encoder),
        "--source-train", str(files["source"]), "--target-train", str(files["target"]),
        "--target-test", str(material.test_file), "--sizes", ",".join(map(str, grid.sizes)), "--arms", ",".join(ARMS),
        "--seeds", str(grid.seeds), "--min-steps", str(grid.steps), "--epochs", "0.001", "--source-epochs", "0.001",
        "--batch-size", str(material.batch_size), "--max-length", str(material.max_length), "--device", material.device,
        "--keep", "none", "--allow-overlap", "--out", str(out),
    ]  # fmt: skip
    seconds = _run(command, environment)
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    trained = [row for row in rows if row["size"] != "0"]
    if len(trained) != grid.runs:
        raise XlqaError(f"xlqa's sweep has {len(trained)} runs instead of {grid.runs}: see {out}.")
    busy = sum(float(row["eval_seconds"]) for row in rows) + sum(float(row["train_seconds"]) for row in trained)
    for outcome in out.glob("source/*/train.json"):
        busy += json.loads(outcome.read_text(encoding="utf-8"))["train_seconds"]
    return {"seconds": seconds, "training_and_evaluation": busy, "evaluations": len(rows)}


def _stock_sweep(
    material: Material, grid: Grid, questions: Sequence[Any], scratch: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """A process a run, as `python -m deeppavlov train` goes: read, train, evaluate, save."""
    half = max(grid.sizes)
    source = _stock_run(material, grid, questions[:half], scratch / "stock-source")
    say(f"sweep, stock DeepPavlov, source stage: {source:.1f} s")
    planned = [size for _ in range(grid.seeds) for size in grid.sizes for _ in ARMS][: grid.stock_runs]
    runs = []
    for number, size in enumerate(planned):
        runs.append(_stock_run(material, grid, questions[half : half + size], scratch / f"stock-{number}"))
        say(f"sweep, stock DeepPavlov, run {number + 1} of {len(planned)}: {runs[-1]:.1f} s")
    return {"seconds": source + grid.runs * sum(runs) / len(runs), "source": source, "runs_measured": runs}


def _stock_run(material: Material, grid: Grid, questions: Sequence[Any], folder: Path) -> float:
    texts = folder / "texts"
    texts.mkdir(parents=True)
    write_questions(questions, texts / "train-v1.1.json")
    os.link(material.test_file, texts / "dev-v1.1.json")
    config = stock_config(material, folder)
    config["dataset_reader"]["data_path"] = str(texts)
    config["chainer"]["pipe"][3] |= {"load_path": str(folder / "model")}
    # One evaluation, right after the last update, and none again after that.
    config["train"] |= {
        "epochs": -1, "max_batches": grid.steps, "val_every_n_batches": grid.steps, "evaluation_targets": [],
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return _run([sys.executable, "-m", "deeppavlov", "train", str(folder / "config.json")], dict(os.environ))


def _run(command: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise XlqaError(f"{' '.join(command[:4])} failed: {(done.stderr or done.stdout).strip()[-600:]}")
    return time.perf_counter() - began
