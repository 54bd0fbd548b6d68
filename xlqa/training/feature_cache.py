"""Tokenised sets on disk: made once, then memory-mapped by every run and process that needs the same one.

A set is one file below the cache folder (`XLQA_CACHE`): a line of JSON that describes it, then the arrays of `Windows`.
Its name is a hash of all that decides its content. The whole folder may be removed: on a
disk of one machine at any moment, on a network file system while no run is using it.

A file is written beside its place and renamed, and its checksum is verified whenever it is opened: whatever a crash, a full
disk or another version left behind is made again. Nothing here can make a run fail.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import mmap
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from xlqa.data.cache import tokenised_folder
from xlqa.tasks.qa.windows import Template, Windows, WindowShape
from xlqa.util.files import is_abandoned, temporary_beside

logger = logging.getLogger(__name__)

FORMAT = 2
"""Of these files and of how texts become windows: a change of either counts it up."""

LEAST_QUESTIONS = 200
"""Smaller sets are tokenised again, in less than 20 ms."""

MOST_BYTES = 2 << 30
"""What all sets together may take (ten times SQuAD's training set), sets of the last week twice that; those used longest ago go first."""

SPARE_BYTES = 1 << 30
"""What a set must leave free on its disk."""

KEPT_SECONDS = 7 * 24 * 3600.0
"""A set that was used since may still be mapped somewhere: it goes only when all together take twice what they may."""

ALIGNMENT = 64
LONGEST_HEAD = 1 << 16
SUFFIX = ".windows"

ARRAYS: dict[str, np.dtype[Any]] = {
    "ids": np.dtype("<i4"), "starts": np.dtype("<i8"), "question": np.dtype("<i4"), "context_from": np.dtype("<i4"),
    "context_to": np.dtype("<i4"), "char_start": np.dtype("<i4"), "char_end": np.dtype("<i4"),
}  # fmt: skip
"""The arrays of `Windows` in their order in a file."""

Head = dict[str, Any]


def name_set(tokenizer: Sequence[str], shape: WindowShape, texts: str) -> str:
    """The name of a set: what its windows are made of.

    Args:
        tokenizer: names and hashes of the files that decide how it cuts texts.
        texts: hash of the paragraphs and questions.
    """
    parts = [FORMAT, *_libraries(), list(tokenizer), shape.max_length, shape.stride, texts]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@functools.cache
def _libraries() -> tuple[str, str]:
    return version("tokenizers"), version("transformers")


def share_windows(name: str, questions: int, make: Callable[[], Windows]) -> Windows:
    """The windows of a name: read from disk, else computed and, if there are many, written there for other processes.

    Args:
        name: of `name_set`.
        questions: how many there are: a few are not worth a file.
        make: makes the windows.
    """
    if questions < LEAST_QUESTIONS:
        return make()
    path = tokenised_folder() / (name + SUFFIX)
    found = read_windows(path, name)
    if found is not None:
        return found
    made = make()
    try:
        write_windows(path, name, made)
        prune(path.parent, keep=path)
    except OSError as error:
        _say_once(f"{path.parent}: tokenised sets cannot be kept here ({error.strerror or error}).")
        return made
    # From here on memory is shared with whoever else reads the file.
    return read_windows(path, name) or made


@functools.cache
def _say_once(line: str) -> None:
    logger.warning("%s Each process tokenises again; nothing else changes.", line)


def write_windows(path: Path, name: str, windows: Windows) -> None:
    """Write a set, whole or not at all.

    Raises:
        OSError: the folder cannot be written, or its disk would be nearly full.
    """
    pieces = list(_pieces(windows))
    path.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(path.parent).free < sum(map(len, pieces)) + SPARE_BYTES:
        raise OSError("its disk is nearly full")
    temporary = temporary_beside(path)
    try:
        with temporary.open("wb") as file:
            file.write(_head(name, windows, pieces))
            file.writelines(pieces)
        # Without fsync, which can take longer than tokenising: the checksum tells what a crash did not finish.
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _pieces(windows: Windows) -> Iterator[memoryview | bytes]:
    """The bytes of a file behind its head."""
    for name, kind in ARRAYS.items():
        array = np.ascontiguousarray(getattr(windows, name), dtype=kind)
        yield array.data.cast("B") if len(array) else b""
        yield bytes(-array.nbytes % ALIGNMENT)


def _head(name: str, windows: Windows, pieces: Sequence[memoryview | bytes]) -> bytes:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    head: Head = {
        "format": FORMAT, "name": name, "questions": windows.questions, "template": asdict(windows.template),
        "sizes": {key: len(getattr(windows, key)) for key in ARRAYS}, "sha256": digest.hexdigest(),
    }  # fmt: skip
    line = json.dumps(head | {"checksum": _checksum(head)}).encode()
    return line + b" " * (-(len(line) + 1) % ALIGNMENT) + b"\n"


def _checksum(head: Head) -> str:
    return hashlib.sha256(json.dumps(head, sort_keys=True).encode()).hexdigest()


def read_windows(path: Path, name: str) -> Windows | None:
    """A set, its arrays mapped from the file and read-only; None where it is missing, damaged or another's."""
    try:
        with path.open("rb") as file:
            line = file.readline(LONGEST_HEAD)
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):  # an empty file cannot be mapped
        return None
    head = _read_head(line, name)
    if head is None or hashlib.sha256(mapped[len(line) :]).hexdigest() != head["sha256"]:
        return None
    with suppress(OSError):
        os.utime(path)  # so that it is not the next to be dropped
    arrays, at = {}, len(line)
    for key, kind in ARRAYS.items():
        arrays[key] = np.frombuffer(mapped, dtype=kind, count=head["sizes"][key], offset=at)
        at += -(-arrays[key].nbytes // ALIGNMENT) * ALIGNMENT
    return Windows(**arrays, questions=head["questions"], template=_template(head["template"]))


def _read_head(line: bytes, name: str) -> Head | None:
    """The head of a file; None unless it is whole, of this format, and that of the wanted set."""
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(head, dict) or head.pop("checksum", None) != _checksum(head):
        return None
    return head if (head.get("format"), head.get("name")) == (FORMAT, name) else None


def _template(fields: dict[str, Any]) -> Template:
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    return Template(**plain)


def prune(folder: Path, *, keep: Path, most_bytes: int | None = None) -> None:
    """Drop the sets that were used longest ago until the rest fits; and what was left half-written.

    Args:
        keep: this one stays.
        most_bytes: of all sets; None for the usual limit.

    A process that has mapped a dropped file can still read it on a disk of its own machine, where the system keeps it until
    then. On a network file system another machine's drop would pull it away from under that process: so what was used within
    the last week stays, unless all together take more than twice the limit.
    """
    most = MOST_BYTES if most_bytes is None else most_bytes
    used, old = 0, time.time() - KEPT_SECONDS
    for path, stat in sorted(_files(folder, f"*{SUFFIX}"), key=lambda item: (item[0] != keep, -item[1].st_mtime_ns)):
        used += stat.st_size
        if path != keep and used > (most if stat.st_mtime < old else 2 * most):
            _drop(path)
    for path, _ in _files(folder, f".*{SUFFIX}.*.tmp"):
        with suppress(OSError):
            if is_abandoned(path):
                _drop(path)


def _files(folder: Path, pattern: str) -> list[tuple[Path, os.stat_result]]:
    found = []
    for path in folder.glob(pattern):
        with suppress(OSError):  # another process may have dropped it just now
            found.append((path, path.stat()))
    return found


def _drop(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
