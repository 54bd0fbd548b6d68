"""What is done, and the table of it: everything is derived from the result files below runs/.

An evaluation is finished when its result.json is there, whole, agrees with the hash it carries and with the files beside
it. results.csv is written from these by one function: the same runs give the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlqa.errors import XlqaError
from xlqa.records import QUESTION_COLUMNS, RESULT_COLUMNS, Arm
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.config import named_evaluations
from xlqa.training.model_folder import hash_file, hash_weights
from xlqa.util.files import csv_text, is_signed, read_json, sha256_of, sign, write_json, write_text

if TYPE_CHECKING:
    from xlqa.runs.store.scores import ScoredSet

PREDICTIONS = "predictions.json"
QUESTIONS = "questions.csv"
RESULT = "result.json"

FAILURE_COLUMNS = ("lang", "arm", "size", "seed", "attempts", "error", "when", "run_id", "log")


def write_evaluation(
    folder: Path, predictions: Mapping[str, str], scored: ScoredSet, row: Mapping[str, Any], test: Mapping[str, Any]
) -> None:
    """Store one evaluation; result.json comes last, and without it the evaluation never happened.

    Args:
        folder: of the evaluation.
        predictions: question id -> answer; None keeps the file that is there.
        scored: per-question scores, from which questions.csv is written.
        row: of results.csv, all columns.
        test: the test set's file, part and scorer, with which the scores can be recomputed.
    """
    files = {
        PREDICTIONS: write_json(folder / PREDICTIONS, dict(predictions)),
        QUESTIONS: write_text(folder / QUESTIONS, csv_text(QUESTION_COLUMNS, scored.question_rows())),
    }
    complete = {column: row.get(column) for column in RESULT_COLUMNS}
    write_json(folder / RESULT, sign({"row": complete, "test": dict(test), "files": files}))


def read_result(folder: Path) -> dict[str, Any] | None:
    """An evaluation's record, or None where it is missing, broken, or does not agree with the files beside it."""
    record = read_json(folder / RESULT)
    if not is_signed(record):
        return None
    assert isinstance(record, dict)
    intact = all(_known_sha256(folder / name) == sha256 for name, sha256 in record["files"].items())
    return record if intact else None


_hashes: dict[tuple[str, int, int, int], str] = {}
SETTLED_SECONDS = 0.1


def _known_sha256(path: Path) -> str | None:
    """SHA-256 of a file, remembered in this process while its size, time and inode stay: a table is written after each run.

    A file that changed only just now is not remembered: it might change once more within its time's resolution.
    """
    try:
        stat = path.stat()
    except OSError:
        return None
    key = (str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino)
    if key in _hashes:
        return _hashes[key]
    found = sha256_of(path)
    if found is not None and abs(time.time() - stat.st_mtime) > SETTLED_SECONDS:
        _hashes[key] = found
    return found


def is_trained(folder: RunFolder) -> bool:
    """Whether a run's (or source stage's) weights are there, whole, with the record of their training."""
    record = read_json(folder.outcome)
    if not isinstance(record, dict) or not is_signed(record) or not (folder.model / "config.json").is_file():
        return False
    try:
        files = record.get("model_files", {}).items()
        whole = all(hash_file(folder.model / name) == sha256 for name, sha256 in files)
        return whole and bool(hash_weights(folder.model) == record.get("weights_sha256"))
    except (XlqaError, OSError):
        return False


def source_weights(folder: RunFolder) -> str | None:
    """SHA-256 of a trained source stage's weights; None while there are none."""
    record = read_json(folder.outcome)
    if not is_signed(record) or not is_trained(folder):
        return None
    assert isinstance(record, dict)
    return str(record["weights_sha256"])


def collect_rows(layout: Layout) -> list[dict[str, Any]]:
    """The rows of all finished evaluations, sorted by what they measure."""
    records = [read_result(path) for run in layout.run_folders() for path in run.evaluations()]
    return sorted((record["row"] for record in records if record), key=_order)


ARM_ORDER = {arm.value: index for index, arm in enumerate(Arm)}


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        row["lang"], row["model"], ARM_ORDER.get(row["arm"], 9), row["size"], row["seed"], row["test"], row["run_id"],
        row["eval_id"],
    )  # fmt: skip


def write_results(layout: Layout) -> list[dict[str, Any]]:
    """Write results.csv from the result files; returns its rows."""
    rows = collect_rows(layout)
    write_text(layout.results, csv_text(RESULT_COLUMNS, rows))
    return rows


def collect_failures(layout: Layout) -> list[dict[str, Any]]:
    """The records of runs that failed and have not succeeded since, source stages included."""
    folders = [*layout.run_folders(), *layout.source_folders()]
    records = [read_json(folder.failure) for folder in folders if folder.failure.is_file() and not _is_done(folder)]
    return [record for record in records if isinstance(record, dict) and {"run_id", "error"} <= record.keys()]


def forget_failures(layout: Layout) -> None:
    """Remove failure.json and checkpoint of what has succeeded since: a process may have died between its result and that."""
    for folder in [*layout.run_folders(), *layout.source_folders()]:
        left = [path for path in (folder.failure, folder.checkpoint) if path.is_file()]
        if left and _is_done(folder):
            for path in left:
                with suppress(OSError):
                    path.unlink()


def _is_done(folder: RunFolder) -> bool:
    """Whether a folder's config has nothing left to do: a failure from before then counts no more."""
    if folder.is_source:
        return is_trained(folder)
    evaluations = named_evaluations(read_json(folder.config))
    return bool(evaluations) and all(read_result(folder.evaluation(e["eval_id"])) for e in evaluations.values())


def write_failures(layout: Layout) -> list[dict[str, Any]]:
    """Write failures.csv; returns its rows. Without failures it holds its header alone."""
    rows = collect_failures(layout)
    write_text(layout.failures, csv_text(FAILURE_COLUMNS, rows))
    return rows
