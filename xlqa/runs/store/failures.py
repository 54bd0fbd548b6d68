"""Failed runs: a failure.json in each one's folder, and failures.csv, the table of those that have not succeeded since."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.fields import Fields
from xlqa.runs.store.results import is_trained, read_result
from xlqa.runs.store.run_config import find_config
from xlqa.util.csvfile import csv_text
from xlqa.util.files import load_json, write_text

FAILURE_COLUMNS = ("lang", "arm", "size", "seed", "attempts", "error", "when", "run_id", "log")

ANY_TEXT = re.compile(r".{0,20000}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Failure:
    """How a run failed.

    Attributes:
        attempts: how often it has failed by now.
        error: in one line; tail: the last lines of its log.
        when: in UTC, ISO 8601.
    """

    run_id: str
    error: str
    attempts: int = 1
    lang: str | None = None
    arm: str | None = None
    size: int | None = None
    seed: int | None = None
    when: str | None = None
    log: str | None = None
    tail: str | None = None

    def to_json(self) -> dict[str, Any]:
        first = {name: getattr(self, name) for name in FAILURE_COLUMNS}
        return first | {"tail": self.tail}


def read_failure(folder: RunFolder) -> Failure | None:
    """A run's last failure; None where there is none, or its record is broken."""
    try:
        fields = Fields(load_json(folder.failure), f"{folder.failure}:")
        values: dict[str, Any] = {
            name: fields.maybe_text(name, ANY_TEXT, "text")
            for name in ("lang", "arm", "when", "log", "tail")
            if fields.has(name)
        }
        values |= {name: fields.maybe_whole(name) for name in ("size", "seed") if fields.has(name)}
        values["attempts"] = fields.whole("attempts") if fields.has("attempts") else 1
        return Failure(folder.id, fields.text("error", ANY_TEXT, "text"), **values)
    except XlqaError:
        return None


def collect_failures(layout: Layout) -> list[Failure]:
    """The runs that failed and have not succeeded since, source stages included."""
    folders = [*layout.run_folders(), *layout.source_folders()]
    found = [read_failure(folder) for folder in folders if folder.failure.is_file() and not _is_done(folder)]
    return [failure for failure in found if failure]


def forget_failures(layout: Layout) -> None:
    """Remove failure.json and checkpoint of what has succeeded since: a process may have died before it did so."""
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
    config = find_config(folder)
    evaluations = config.evaluations.values() if config else ()
    return bool(evaluations) and all(read_result(folder.evaluation(e.eval_id)) for e in evaluations)


def write_failures(layout: Layout) -> list[Failure]:
    """Write failures.csv; returns the failures. Without any it holds its header alone."""
    found = collect_failures(layout)
    write_text(layout.failures, csv_text(FAILURE_COLUMNS, [asdict(failure) for failure in found]))
    return found
