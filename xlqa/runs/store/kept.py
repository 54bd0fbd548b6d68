"""The sweeps below a folder, and what they keep: weights and checkpoints, with their sizes.

xlqa list DIR; xlqa clean DIR
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.links import refuse_links
from xlqa.runs.store.marker import running_sweeps
from xlqa.runs.store.run_config import find_config
from xlqa.runs.store.status import RunStatus, read_status
from xlqa.util.files import folder_size, read_file, remove_whole
from xlqa.util.locks import is_locked, unless_leased

DEPTH = 6
"""Levels of folders below which no sweep is looked for."""
MOST_TABLE_BYTES = 1 << 30

Kind = Literal["weights", "checkpoints"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a run keeps: a model folder or a checkpoint, and its size in bytes."""

    kind: Kind
    folder: RunFolder
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class ListedSweep:
    """A sweep at a glance.

    Attributes:
        done: finished runs; runs: planned ones, None where only the table is there.
        running: sweeps that run in the folder now.
        kept: weights and checkpoints of runs and source stages.
        states: of the runs and source stages; empty where only the table is there.
    """

    folder: Path
    tasks: tuple[str, ...]
    languages: tuple[str, ...]
    arms: tuple[str, ...]
    sizes: tuple[int, ...]
    done: int
    runs: int | None
    running: int
    kept: tuple[Kept, ...]
    states: tuple[RunStatus, ...]

    def size(self, kind: Kind, run_id: str = "") -> int:
        """Bytes of what is kept, by all runs or by one."""
        return sum(kept.size for kept in self.kept if kept.kind == kind and run_id in ("", kept.folder.id))


def find_sweeps(root: Path) -> Iterator[Layout]:
    """The sweeps in a folder and below it, sorted by path; links are not followed."""
    yield from _search(root, DEPTH)


def _search(folder: Path, depth: int) -> Iterator[Layout]:
    try:
        with os.scandir(folder) as entries:
            below = sorted(e.name for e in entries if e.name[0] != "." and e.is_dir(follow_symlinks=False))
    except OSError:
        return
    if is_sweep(folder):
        yield Layout(folder)
        below = [name for name in below if name not in ("runs", "source", "data", "encoders")]
    if depth:
        for name in below:
            yield from _search(folder / name, depth - 1)


def is_sweep(folder: Path) -> bool:
    """Whether a folder is that of a sweep, or of a published table."""
    layout = Layout(folder)
    return layout.results.is_file() or any(run.config.is_file() for run in layout.run_folders())


def list_sweep(layout: Layout) -> ListedSweep:
    """What a sweep consists of, from its runs, or from its table where there are none.

    Raises:
        XlqaError: it has neither.
    """
    if not any(run.config.is_file() for run in layout.run_folders()):
        return _list_table(layout)
    found = read_status(layout.root)
    runs = found.runs
    return ListedSweep(
        layout.root,
        tuple(dict.fromkeys(group.task for group in found.groups)),
        tuple(sorted({run.lang for run in runs})),
        tuple(dict.fromkeys(run.arm for run in runs)),
        tuple(sorted({run.size for run in runs})),
        found.counts["done"],
        len(runs),
        len(running_sweeps(layout.root)),
        tuple(kept_by(layout)),
        (*found.stages, *runs),
    )


def _list_table(layout: Layout) -> ListedSweep:
    text = read_file(layout.results, MOST_TABLE_BYTES).decode("utf-8-sig", "replace")
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        sizes = tuple(sorted({int(row["size"]) for row in rows}))
        names = [tuple(dict.fromkeys(row[column] for row in rows)) for column in ("lang", "arm", "run_id")]
    except (csv.Error, KeyError, ValueError, TypeError):
        raise XlqaError(f"{layout.results} is not a results.csv of xlqa.") from None
    tasks = tuple(dict.fromkeys(row.get("task") or "qa" for row in rows))
    return ListedSweep(layout.root, tasks, names[0], names[1], sizes, len(names[2]), None, 0, (), ())


def kept_by(layout: Layout) -> Iterator[Kept]:
    """Weights and checkpoints of a sweep's runs and source stages; links are left out."""
    for folder in (*layout.source_folders(), *layout.run_folders()):
        if not folder.path.is_symlink():
            if folder.model.is_dir() and not folder.model.is_symlink():
                yield Kept("weights", folder, folder.model, folder_size(folder.model))
            if folder.checkpoint.is_file() and not folder.checkpoint.is_symlink():
                yield Kept("checkpoints", folder, folder.checkpoint, folder.checkpoint.stat().st_size)


# --------------------------------------------------------------------------------------------------------- freeing


def in_use(kept: Kept, running: Sequence[object]) -> str:
    """Why something may not be removed now; "" where it may.

    Args:
        running: the sweeps that run in its folder.
    """
    if running:
        return "a sweep runs in this folder"
    if is_locked(kept.folder.path):
        return "its run is being executed"
    if find_config(kept.folder) is None:
        return "its folder has no config that xlqa wrote"
    return ""


def free(layout: Layout, kept: Kept) -> str:
    """Remove weights or a checkpoint; returns why they stay, "" where they are gone.

    Raises:
        XlqaError: the run's folder holds a link out of the sweep's folder.
    """
    refuse_links(layout.root, [kept.folder])
    with unless_leased(kept.folder.path) as is_free:
        why = in_use(kept, running_sweeps(layout.root)) or ("" if is_free else "a sweep starts from it")
        if not why:
            try:
                remove_whole(kept.path)
            except OSError as error:
                why = str(error.strerror or error)
        return why
