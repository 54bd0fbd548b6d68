"""Writing and reading the small files of a sweep: whole or not at all, in an order that survives a crash."""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import json
import os
import platform
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError

ABANDONED_SECONDS = 24 * 3600
"""A half-written file of another host that is older belongs to no process any more."""

MOST_JSON_BYTES = 1 << 28
"""Limit on the size of a JSON file: 256 MiB are more than the predictions of any test set."""


def temporary_beside(path: Path) -> Path:
    """A name beside a path that no other process of any host uses; a leading dot marks it as half-written."""
    return path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.tmp")


def is_abandoned(path: Path) -> bool:
    """Whether the process that was writing a temporary file or folder has ended.

    Its name holds host and process (and thread); of other hosts' processes only a day's age tells.

    Raises:
        OSError: the file is gone by now.
    """
    if found := re.search(rf"\.{re.escape(platform.node())}\.(\d+)(\.\d+)?\.tmp$", path.name):
        return not _is_alive(int(found[1]))
    return time.time() - path.lstat().st_mtime > ABANDONED_SECONDS


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def remove_stale_files(folders: Iterable[Path]) -> None:
    """Remove what processes that are no more left half-written directly below these folders (`temporary_beside`)."""
    for folder in folders:
        for path in folder.glob(".*.tmp"):
            with suppress(OSError):
                if is_abandoned(path):
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


_guarded: dict[Path, tuple[int, int]] = {}


@contextmanager
def guarded(root: Path) -> Iterator[None]:
    """Meanwhile nothing is written below a folder that is no longer the same one: its mount went away, or it was moved.

    Raises:
        XlqaError: from whatever writes there then. Without this a folder would be made again where the mount was.
    """
    before = _guarded.get(root)
    _guarded[root] = _identity(root)
    try:
        yield
    finally:
        _guarded.pop(root)
        if before is not None:
            _guarded[root] = before


def _identity(folder: Path) -> tuple[int, int]:
    stat = folder.stat()
    return stat.st_dev, stat.st_ino


def refuse_if_gone(path: Path) -> None:
    """Refuse a path below a guarded folder that is gone.

    Raises:
        XlqaError: it is.
    """
    for root in (path, *path.parents):
        if root in _guarded:
            try:
                same = _identity(root) == _guarded[root]
            except OSError:
                same = False
            if not same:
                raise XlqaError(
                    f"{root} is gone (unmounted, moved or removed): bring it back, then start again; what is finished stays."
                )


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary neighbour to be written, which then takes a file's place at once: fsync, rename, fsync of the folder.

    Raises:
        XlqaError: the folder is full, read-only or gone; an earlier file stays as it was.
    """
    refuse_if_gone(path)
    temporary = temporary_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise XlqaError(
            f"{path} cannot be written ({error.strerror or error}): free space or choose another folder, then start again."
        ) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically; errors as those of `replacing`."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _sync(path: Path) -> None:
    """Bring a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> str:
    """Write a text file atomically, in UTF-8; returns the SHA-256 of what was written, whatever lies there by now."""
    content = text.encode("utf-8", "surrogatepass")
    write_bytes(path, content)
    return hashlib.sha256(content).hexdigest()


def write_json(path: Path, value: Any) -> str:
    """Write a JSON file atomically, readable by people; returns its SHA-256."""
    return write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_file(path: Path, most: int) -> bytes:
    """The bytes of a regular file: no device or FIFO, which could have no end or never answer.

    Raises:
        XlqaError: it is missing, not a regular file, or larger than `most` bytes.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise XlqaError(f"{path} is not a regular file.")
            content = file.read(min(most, status.st_size) + 1)
    except OSError as error:
        raise XlqaError(f"{path} cannot be read ({error.strerror or error}).") from error
    if len(content) > most:
        raise XlqaError(f"{path} is larger than {most >> 20:,} MiB.")
    return content


def load_json(path: Path, most: int = MOST_JSON_BYTES) -> Any:
    """A JSON file's value.

    Raises:
        XlqaError: it cannot be read (`read_file`), is not JSON, or holds NaN or a number of too many digits.
    """
    content = read_file(path, most)
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise XlqaError(f"{path} is not JSON (line {error.lineno}: {error.msg}).") from error
    except UnicodeDecodeError as error:
        raise XlqaError(f"{path} is not JSON (byte {error.start:,} is not UTF-8).") from error
    except RecursionError as error:
        raise XlqaError(f"{path} is nested too deeply.") from error
    except ValueError as error:
        raise XlqaError(f"{path} holds a number that is not finite or has too many digits.") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def read_json(path: Path) -> Any | None:
    """A JSON file's value, or None where it is missing or broken."""
    try:
        return load_json(path)
    except XlqaError:
        return None


def sha256_of(path: Path) -> str | None:
    """SHA-256 of a file, or None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def sign(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the hash of its own content, under `checksum`."""
    return {**record, "checksum": _checksum(record)}


def is_signed(record: Any) -> bool:
    """Whether a record agrees with the hash that it carries."""
    if not isinstance(record, dict) or "checksum" not in record:
        return False
    return bool(record["checksum"] == _checksum({key: value for key, value in record.items() if key != "checksum"}))


def _checksum(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV with a header; None becomes an empty cell; a text that a spreadsheet would run is quoted."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    text = str(value)
    return "'" + text if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@contextmanager
def waiting_lock(folder: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a folder against other processes of this host; the lock goes with its owner and leaves no file.

    Args:
        on_wait: called once where another process holds it and this one has to wait.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
