"""Records of what is finished: result.json of an evaluation, train.json of a training.

An evaluation is finished when its result.json is there, whole, and agrees with the hash that it carries and with the files
beside it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlqa.errors import XlqaError
from xlqa.records import NEVER_EMPTY, TASK_METRICS, THRESHOLD, result_columns
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.fields import Fields
from xlqa.runs.store.run_config import DataEntry, RunConfig, TestEntry, check_scorer, take_data, take_test
from xlqa.training.model_folder import hash_weights
from xlqa.util.csvfile import csv_text
from xlqa.util.files import (
    SETTLED_SECONDS,
    is_signed,
    known_sha256,
    load_json,
    read_json,
    sha256_of,
    sign,
    write_json,
    write_text,
)

if TYPE_CHECKING:
    from xlqa.runs.store.scores import ScoredSet

PREDICTIONS = "predictions.json"
QUESTIONS = "questions.csv"
EXAMPLES = "examples.csv"
"""Scores of each test example of tasks other than question answering: numerators and denominators."""
RESULT = "result.json"


@dataclass(frozen=True, slots=True)
class TestRecord:
    """What an evaluation scored: with it the scores can be computed again.

    Attributes:
        target: its name among the config's evaluation targets.
        data: the file; size: of a random part, None for all.
        valid: whether it is the part cut from the train part `data`.
        overlap_with: the train part that shared paragraphs are counted against.
    """

    target: str
    data: DataEntry
    size: int | None
    valid: bool
    overlap_with: DataEntry | None

    def to_json(self) -> dict[str, Any]:
        data = self.data.to_json() if self.valid else TestEntry(self.target, self.data, self.size).to_json()
        overlap = self.overlap_with.to_json() if self.overlap_with else None
        return {"target": self.target, "overlap_with": overlap, "data": data, "valid": self.valid}


@dataclass(frozen=True, slots=True)
class Result:
    """A finished evaluation: its row of results.csv, what it scored, and the SHA-256 of the files beside its record."""

    row: Mapping[str, Any]
    test: TestRecord
    files: Mapping[str, str]


def write_evaluation(
    folder: Path, predictions: Mapping[str, Any], scored: ScoredSet, row: Mapping[str, Any], test: TestRecord
) -> None:
    """Store one evaluation; result.json comes last, and without it the evaluation never happened.

    Args:
        folder: of the evaluation.
        predictions: example id -> prediction.
        scored: per-example scores, from which questions.csv or examples.csv is written.
        row: of results.csv, all columns.
    """
    task = task_of(row)
    columns, rows = scored.table(task)
    examples = example_file(task)
    files = {
        PREDICTIONS: write_json(folder / PREDICTIONS, dict(predictions)),
        examples: write_text(folder / examples, csv_text(columns, rows)),
    }
    complete = {column: row.get(column) for column in result_columns(task, THRESHOLD in row)}
    write_json(folder / RESULT, sign({"row": complete, "test": test.to_json(), "files": files}))


Signature = tuple[tuple[int, int, int], ...]
"""Size, time of change and inode of an evaluation's files."""

_results: dict[Path, tuple[Signature, Result]] = {}
"""The results that this process has checked: a start checks each finished run once."""


def task_of(row: Mapping[str, Any]) -> str:
    """The task of a row of results.csv: rows of question answering have no such column."""
    return row.get("task") or "qa"


def example_file(task: str) -> str:
    """The file of an evaluation with a score for each test example."""
    return QUESTIONS if task == "qa" else EXAMPLES


def load_result(folder: Path) -> Result:
    """An evaluation's record. It is checked once in a process, and again when one of its files changes.

    Raises:
        XlqaError: it is missing or broken, or does not agree with the files beside it: names file and field.
    """
    signature = _sign_files(folder)
    known = _results.get(folder)
    if known is not None and known[0] == signature:
        return known[1]
    result = _check_result(folder)
    # A file that changed only now may change again within the resolution of its time.
    newest = max((changed for _, changed, _ in signature), default=0)
    if signature and time.time_ns() - newest > SETTLED_SECONDS * 1e9:
        _results[folder] = (signature, result)
    return result


def _sign_files(folder: Path) -> Signature:
    try:
        scores = QUESTIONS if (folder / QUESTIONS).exists() else EXAMPLES
        found = [os.stat(folder / name) for name in (RESULT, PREDICTIONS, scores)]
    except OSError:
        return ()
    return tuple((status.st_size, status.st_mtime_ns, status.st_ino) for status in found)


def _check_result(folder: Path) -> Result:
    value = load_json(folder / RESULT)
    fields = Fields(value, f"{folder / RESULT}:")
    row = fields.row("row")
    files = fields.object("files")
    hashes = {name: files.sha256(name) for name in (PREDICTIONS, example_file(task_of(row)))}
    files.done()
    result = Result(row, _take_test_record(fields.object("test")), hashes)
    fields.sha256("checksum")
    fields.done()
    check_scorer(row["scorer"], fields.place("row"))
    if absent := [name for name in NEVER_EMPTY + _DEFINED[task_of(row)] if row[name] is None]:
        raise XlqaError(f"{fields.place('row')}.{absent[0]} is null.")
    if not is_signed(value):
        raise XlqaError(f"{folder / RESULT} does not agree with its checksum: it was damaged or edited.")
    for name, sha256 in hashes.items():
        if sha256_of(folder / name) != sha256:
            raise XlqaError(f"{folder / name} is missing or not the file that {RESULT} was written with.")
    return result


_DEFINED = dict.fromkeys(TASK_METRICS, ()) | {"qa": ("f1", "em")}
"""Metrics that are never undefined: entity F1 is where a test set has no entity and none was predicted."""


def _take_test_record(fields: Fields) -> TestRecord:
    valid, target, overlap = fields.truth("valid"), fields.left.get("target"), fields.maybe_object("overlap_with")
    data, size = fields.object("data"), None
    if valid:
        fields.fixed("target", "valid")
        entry = take_data(data)
    else:
        test = take_test(data)
        fields.fixed("target", test.target)
        entry, size = test.data, test.size
    fields.done()
    return TestRecord(str(target), entry, size, valid, take_data(overlap) if overlap else None)


def read_result(folder: Path) -> Result | None:
    """As `load_result`; None where there is no whole evaluation."""
    try:
        return load_result(folder)
    except XlqaError:
        return None


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """What train.json holds: columns of results.csv, and the SHA-256 of the weights and model files that were kept."""

    columns: Mapping[str, Any]
    weights_sha256: str | None = None
    model_files: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        kept = {"weights_sha256": self.weights_sha256, "model_files": dict(self.model_files)}
        return sign({**self.columns, **(kept if self.weights_sha256 else {})})


def read_training(folder: RunFolder) -> TrainingRecord | None:
    """The record of a run's (or source stage's) training; None where it is missing, broken or of another kind."""
    value = read_json(folder.outcome)
    if not is_signed(value):
        return None
    fields = Fields(value, f"{folder.outcome}:")
    try:
        weights = fields.sha256("weights_sha256") if fields.has("weights_sha256") else None
        files = fields.object("model_files") if fields.has("model_files") else None
        hashes = {name: files.sha256(name) for name in list(files.left) if FILE_NAME.fullmatch(name)} if files else {}
        fields.sha256("checksum")
        record = TrainingRecord(fields.columns(), weights, hashes)
        for part in filter(None, (files, fields)):
            part.done()
    except XlqaError:
        return None
    return record


FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}")


def is_trained(folder: RunFolder) -> bool:
    """Whether a run's (or source stage's) weights are there, whole, with the record of their training."""
    record = read_training(folder)
    if record is None or record.weights_sha256 is None or not (folder.model / "config.json").is_file():
        return False
    try:
        whole = all(known_sha256(folder.model / name) == sha256 for name, sha256 in record.model_files.items())
        return whole and hash_weights(folder.model) == record.weights_sha256
    except (XlqaError, OSError):
        return False


def source_weights(folder: RunFolder) -> str | None:
    """SHA-256 of a trained source stage's weights; None while there are none."""
    record = read_training(folder)
    return record.weights_sha256 if record is not None and is_trained(folder) else None


def refuse_without_weights(folder: RunFolder, config: RunConfig) -> None:
    """Refuse a run whose weights were not kept or are damaged; a zero-shot run has those of its source stage.

    Raises:
        XlqaError: names the commands that train it again, its source stage first where that has no weights either.
    """
    stage = Layout(folder.root).source(config.source_id) if config.source_id else None
    if is_trained(stage if stage and config.is_zero_shot else folder):
        return
    commands = [f"xlqa run {stage.path}"] if stage and not is_trained(stage) else []
    if not config.is_zero_shot:
        commands.append(f"xlqa run {folder.path}{'' if folder.is_source else ' --keep'}")
    found = (folder.root / config.weights / "config.json").is_file()
    state = "its weights are damaged" if found else "has no weights: they were not kept"
    again = " and then ".join(f"`{command}`" for command in commands)
    raise XlqaError(f"{folder.path}{':' if found else ''} {state}. {again} trains it again.")
