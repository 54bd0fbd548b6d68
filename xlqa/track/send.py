"""`xlqa track DIR NAME`: sends the finished runs of a sweep to a tracker, each once.

Only the sweep's files are read, in a process of its own: a tracker that fails or hangs cannot make a run fail.
"""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from xlqa.errors import XlqaError, refuse_choice
from xlqa.records import EVERY_COLUMN, NO_ANSWER_METRICS, TASK_METRICS
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.links import refuse_links
from xlqa.runs.store.results import read_result, task_of
from xlqa.runs.store.run_config import find_config
from xlqa.util.csvfile import csv_text
from xlqa.util.files import read_json, write_json
from xlqa.util.text import first_line

PACKAGES = {"tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow"}
"""The package that each tracker needs; the extras of xlqa have the trackers' names."""

FOLDER = "tracking"
"""Where a sweep's folder keeps what was sent, and the files of a tracker without a server."""

LOSSES = ("loss", "lr", "examples_per_second")
NUMBERS = frozenset([*NO_ANSWER_METRICS, *(metric for metrics in TASK_METRICS.values() for metric in metrics)])


@dataclass(frozen=True, slots=True)
class Tracked:
    """A finished run, or a source stage, as a tracker gets it.

    Attributes:
        group: runs that differ in their seed only.
        config: settings, ids and versions.
        steps: (step, {loss, lr, examples_per_second}) pairs; empty where they were sent before, or nothing was trained.
        scores: in percent, by "TEST/METRIC"; those of `xlqa evaluate` included.
        length: training steps, at which the scores hold.
    """

    id: str
    group: str
    config: Mapping[str, Any]
    steps: Sequence[tuple[int, Mapping[str, float]]]
    scores: Mapping[str, float]
    length: int


class Tracker(Protocol):
    """What is specific to a tracker."""

    def send(self, run: Tracked, handle: str) -> str:
        """Send a run.

        Args:
            handle: what an earlier call for the same run returned, "" for none.

        Returns:
            what names the run there.
        """

    def send_table(self, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], text: str) -> None:
        """Send the table of all finished runs; `text` is it as CSV."""


MakeTracker = Callable[[Path, str, bool], Tracker]


def make_tracker(name: str, folder: Path, project: str, offline: bool) -> Tracker:
    """A tracker by its name.

    Args:
        folder: for its files.
        project: the project or experiment that runs belong to.
        offline: write files only, send nothing.

    Raises:
        XlqaError: there is no such tracker, its package is not installed, or it cannot be reached.
    """
    if name not in PACKAGES:
        raise XlqaError(f"{name}: is not a tracker: {refuse_choice(name, PACKAGES)}.")
    if importlib.util.find_spec(PACKAGES[name]) is None:
        raise XlqaError(f"{name}: is not installed: pip install 'xlqa[{name}]'.")
    from xlqa.track import trackers

    makers: dict[str, MakeTracker] = {
        "tensorboard": trackers.TensorBoard, "wandb": trackers.WeightsAndBiases, "mlflow": trackers.MLflow,
    }  # fmt: skip
    try:
        return makers[name](folder, project, offline)
    except Exception as error:  # whatever a tracker raises
        raise XlqaError(f"{name}: cannot be used ({first_line(error)}).") from error


def track(root: Path, name: str, *, project: str = "", offline: bool = False, tracker: Tracker | None = None) -> int:
    """Send what is finished in a sweep's folder and was not sent before; returns the number of runs sent.

    Args:
        tracker: one of your own, under the name `name`; project and offline are then not used.

    Raises:
        XlqaError: it is no sweep's folder, or the tracker fails: what it took is not sent again.
    """
    layout = Layout(root)
    runs = [*layout.source_folders(), *layout.run_folders()]
    if not runs:
        raise XlqaError(f"{root}: has no runs: name a sweep's folder (--out).")
    refuse_links(root, runs)
    taken = tracker or make_tracker(name, root / FOLDER / name, project or root.name, offline)
    record = root / FOLDER / f"{name}.json"
    sent: dict[str, Any] = read_json(record) or {}
    count, rows = 0, []
    for folder in runs:
        results = {path.name: result.row for path in folder.evaluations() if (result := read_result(path))}
        rows += list(results.values())
        before = sent.get(folder.id, {"handle": "", "done": None})
        run = describe(folder, list(results.values()), again=before["done"] is not None)
        if run is None or before["done"] == sorted(results):
            continue
        handle = _attempt(name, folder.id, partial(taken.send, run, before["handle"]))
        sent[folder.id] = {"handle": handle, "done": sorted(results)}
        write_json(record, sent)
        count += 1
    if count and rows:
        columns = [column for column in EVERY_COLUMN if any(row.get(column) is not None for row in rows)]
        _attempt(name, "results", partial(taken.send_table, columns, rows, csv_text(columns, rows)))
    return count


def _attempt(name: str, what: str, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:  # whatever a tracker raises
        raise XlqaError(
            f"{name}: {what} was not sent ({first_line(error)}): the sweep is not affected. Run the command again to go on."
        ) from error


def describe(folder: RunFolder, rows: Sequence[Mapping[str, Any]], again: bool) -> Tracked | None:
    """What a tracker gets of a run; None where it is not finished.

    Args:
        again: the run was sent before: its steps are left out.
    """
    outcome = read_json(folder.outcome)
    if not rows and not (folder.is_source and isinstance(outcome, dict)):
        return None
    config = find_config(folder)
    first = dict(rows[0]) if rows else {}
    known = {key: value for key, value in first.items() if value is not None and key not in NUMBERS}
    if config is not None and folder.is_source:
        known = {"arm": "source", "lang": config.language, "model": config.model, "size": config.train_size,
                 "seed": config.seed, "run_id": config.id}  # fmt: skip
    steps = read_steps(folder.train_log)
    parts = (str(known.get(key, "")) for key in ("lang", "arm", "size"))
    length = int(first.get("steps") or (steps[-1][0] if steps else 0))
    return Tracked(folder.id, "-".join(filter(None, parts)), known, [] if again else steps, _scores(rows), length)


def _scores(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    found = {}
    for row in rows:
        test = row["test"] if row["split"] == "test" else f"{row['test']}.{row['split']}"
        for metric in (*TASK_METRICS[task_of(row)], *NO_ANSWER_METRICS):
            if row.get(metric) is not None:
                found[f"{test}/{metric}"] = float(row[metric])
    return found


def read_steps(path: Path) -> list[tuple[int, dict[str, float]]]:
    """The logged steps of a training; those that can be read where the file is being written."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError:
        return []
    found = []
    for row in rows:
        try:
            found.append((int(row["step"]), {name: float(row[name]) for name in LOSSES}))
        except (KeyError, TypeError, ValueError):
            continue
    return found
