"""A sweep at a glance, read off its files: what is done, what runs, what failed. Needs no model, no torch, no network.

xlqa status DIR
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from xlqa.errors import XlqaError
from xlqa.records import SETTING_COLUMNS, TASK_METRICS, THRESHOLD
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.failures import read_failure
from xlqa.runs.store.requests import requested_ids, requested_unanswerable
from xlqa.runs.store.results import read_result, read_training, task_of
from xlqa.runs.store.run_config import RunConfig, find_config, read_config
from xlqa.runs.store.table import ARM_ORDER
from xlqa.util.files import read_file
from xlqa.util.locks import is_locked

State = Literal["done", "running", "failed", "begun", "waiting"]
"""`running`: a process of this machine holds the run's folder. `begun`: it trained, but no process here holds it: another
machine's, or it was interrupted."""

STATES: tuple[State, ...] = ("done", "running", "failed", "begun", "waiting")
ROW_COLUMNS = (*SETTING_COLUMNS, "test_sha256", "test_size", "max_answer_length")
"""What runs of one language, arm, size and scorer may differ in; their scores are then never averaged."""


@dataclass(frozen=True, slots=True)
class LastStep:
    """The last row of a train.csv, and how many seconds ago it was written."""

    step: int
    loss: float
    examples_per_second: float
    seconds_ago: float


@dataclass(frozen=True, slots=True)
class RunStatus:
    """One run, or one source stage (arm "source").

    Attributes:
        steps: of the whole training; None if the config does not state it.
        last_step: of a run that is not done; None where it has not trained.
        error, attempts: of its last failure; "" and 0 where it never failed.
    """

    run_id: str
    lang: str
    arm: str
    size: int
    seed: int
    state: State
    steps: int | None
    last_step: LastStep | None
    error: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one language, arm, size and setting on one test set by one scorer.

    Attributes:
        setting: what tells it from other groups of the same language, arm and size; "" where nothing has to.
        runs: prepared; done: scored. f1, em: means over those done, None where none is or the task has no such metric.
        task, metric: the task and its leading metric; leading: the mean of that.
    """

    lang: str
    arm: str
    size: int
    test: str
    split: str
    scorer: str
    setting: str
    runs: int
    done: int
    f1: float | None
    em: float | None
    task: str
    metric: str
    leading: float | None


@dataclass(frozen=True, slots=True)
class SweepStatus:
    """A sweep's folder at one moment.

    Attributes:
        last_result: when the newest evaluation ended, in UTC.
        set_aside: runs that an earlier request prepared, that the latest does not name, and that never began.
        unanswerable: of the latest request's data sets that have any: questions without an answer, and all questions.
        refused: a line for each run whose config is not one that xlqa wrote.
        no_answer_thresholds: the least and the greatest one of its runs with `--unanswerable`; () without any.
    """

    folder: Path
    counts: Mapping[State, int]
    stages: tuple[RunStatus, ...]
    runs: tuple[RunStatus, ...]
    groups: tuple[Group, ...]
    last_result: datetime | None
    set_aside: int = 0
    unanswerable: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    no_answer_thresholds: tuple[float, ...] = ()

    def in_state(self, *states: State) -> list[RunStatus]:
        """Source stages and runs in one of these states."""
        return [run for run in (*self.stages, *self.runs) if run.state in states]


def read_status(root: Path) -> SweepStatus:
    """Read a sweep's folder.

    Raises:
        XlqaError: no run was ever prepared there.
    """
    layout = Layout(root)
    prepared, refused = _read_configs(layout)
    if not prepared:
        fix = next(iter(refused), "it has no runs/. Name what was --out of `xlqa sweep`.")
        raise XlqaError(f"{root} is not a sweep's folder: {fix}")
    requested = requested_ids(layout)

    def is_counted(run: RunStatus) -> bool:
        # An earlier dry run may have prepared runs that nobody asked to execute.
        return run.state != "waiting" or requested is None or run.run_id in requested

    rows = {folder.id: _rows(folder, config) for folder, config in prepared}
    runs = tuple(sorted(filter(is_counted, (_run(folder, rows[folder.id]) for folder, _ in prepared)), key=_order))
    stages = tuple(filter(is_counted, map(_stage, layout.source_folders())))
    every = [row for run in runs for row in rows[run.run_id]]
    counts: dict[State, int] = {state: sum(run.state == state for run in runs) for state in STATES}
    return SweepStatus(
        root,
        counts,
        stages,
        runs,
        tuple(_groups(every)),
        _newest(every),
        len(prepared) - len(runs),
        requested_unanswerable(layout),
        tuple(refused),
        _thresholds(every),
    )


def _read_configs(layout: Layout) -> tuple[list[tuple[RunFolder, RunConfig]], list[str]]:
    """The prepared runs with their configs, and a line for each config that is refused."""
    prepared, refused = [], []
    for folder in layout.run_folders():
        try:
            prepared.append((folder, read_config(folder)))
        except XlqaError as error:
            if folder.config.exists():
                refused.append(str(error))
    return prepared, refused


def _rows(folder: RunFolder, config: RunConfig) -> list[Mapping[str, Any]]:
    """A row an evaluation, planned or done; scores are None in those that are not done."""
    planned = {evaluation.digest: evaluation.row for evaluation in config.evaluations.values()}
    done = {
        path.name.rsplit("-", 1)[-1]: record.row
        for path in folder.evaluations()
        if (record := read_result(path)) is not None
    }
    return list((planned | done).values())


def _run(folder: RunFolder, rows: Sequence[Mapping[str, Any]]) -> RunStatus:
    state = "done" if all(row["finished"] for row in rows) else _unfinished(folder)
    some = rows[0]
    return _status(
        folder, state, some["lang"], some["arm"], int(some["size"]), int(some["seed"]), int(some["steps"] or 0)
    )


def _stage(folder: RunFolder) -> RunStatus:
    config = find_config(folder)  # None: damaged, and written again by the next start
    lang, size, seed, steps = (config.language, config.train_size, config.seed, None) if config else ("", 0, 0, None)
    if config and config.hyper:
        steps = config.hyper.steps(size)
    # Its weights may be gone (--keep none); the record of its training tells that it was done.
    state = "done" if read_training(folder) else _unfinished(folder)
    return _status(folder, state, lang, "source", size, seed, steps)


def _status(folder: RunFolder, state: State, lang: str, arm: str, size: int, seed: int, steps: int | None) -> RunStatus:
    failure = read_failure(folder) if state != "done" else None
    last = read_last_step(folder.train_log) if state in ("running", "begun") else None
    return RunStatus(
        folder.id, lang, arm, size, seed, state, steps, last, failure.error if failure else "",
        failure.attempts if failure else 0,
    )  # fmt: skip


def _unfinished(folder: RunFolder) -> State:
    if is_locked(folder.path):
        return "running"
    if folder.failure.is_file():
        return "failed"
    return "begun" if folder.train_log.is_file() else "waiting"


MOST_LOG_BYTES = 1 << 26


def read_last_step(path: Path) -> LastStep | None:
    """The last whole row of a train.csv; None where there is none yet."""
    try:
        written, text = path.stat().st_mtime, read_file(path, MOST_LOG_BYTES).decode("utf-8")
    except (XlqaError, OSError, UnicodeDecodeError):
        return None
    rows = [line.split(",") for line in text.splitlines()[-2:] if line.count(",") == 3]
    try:
        step, loss, _, rate = rows[-1]
        return LastStep(int(step), float(loss), float(rate), max(0.0, datetime.now(UTC).timestamp() - written))
    except (IndexError, ValueError):
        return None


def _thresholds(rows: Iterable[Mapping[str, Any]]) -> tuple[float, ...]:
    known = [row[THRESHOLD] for row in rows if row.get(THRESHOLD) is not None]
    return (min(known), max(known)) if known else ()


def _order(run: RunStatus) -> tuple[Any, ...]:
    return run.lang, ARM_ORDER.get(run.arm, 9), run.size, run.seed, run.run_id


def _groups(rows: Iterable[Mapping[str, Any]]) -> list[Group]:
    found: dict[tuple[Any, ...], dict[tuple[str, ...], list[Mapping[str, Any]]]] = {}
    for row in rows:
        cell = (
            row["lang"], ARM_ORDER.get(row["arm"], 9), row["arm"], int(row["size"]), row["split"], row["test"], row["scorer"],
        )  # fmt: skip
        setting = tuple("" if row.get(name) is None else str(row[name]) for name in ROW_COLUMNS)
        found.setdefault(cell, {}).setdefault(setting, []).append(row)
    return [
        _group(members, label)
        for cell in sorted(found)
        for members, label in zip(found[cell].values(), _tell_apart(list(found[cell])), strict=True)
    ]


def _tell_apart(settings: Sequence[tuple[str, ...]]) -> list[str]:
    """For each setting the values of the columns in which these settings differ."""
    differ = [i for i, values in enumerate(zip(*settings, strict=True)) if len(set(values)) > 1]
    return [", ".join(f"{ROW_COLUMNS[i]} {setting[i][:20] or 'none'}" for i in differ) for setting in settings]


def _group(rows: Sequence[Mapping[str, Any]], setting: str) -> Group:
    some = rows[0]
    done = [row for row in rows if row["finished"]]
    task = task_of(some)
    metric = TASK_METRICS[task][0]
    f1, em, leading = (_mean([row.get(name) for row in done]) for name in ("f1", "em", metric))
    return Group(
        some["lang"], some["arm"], int(some["size"]), some["test"], some["split"], some["scorer"], setting, len(rows),
        len(done), f1, em, task, metric, leading,
    )  # fmt: skip


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean; None where a value is missing."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _newest(rows: Iterable[Mapping[str, Any]]) -> datetime | None:
    times = []
    for row in rows:
        if row["finished"]:
            with suppress(ValueError):  # 31 February
                times.append(datetime.fromisoformat(row["finished"]))
    return max(times, default=None)
