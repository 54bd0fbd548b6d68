"""Writing files whole or not at all, in an order that survives a crash; reading files of unknown origin."""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.util.locks import LEASE_FILE, LOCK_FILE, remove_stale_lock

# ------------------------------------------------------------------------------------------------- temporary names

ABANDONED_SECONDS = 24 * 3600
"""A half-written file of another host that is older belongs to no process any more."""


@functools.cache
def _process_space() -> str:
    """Names the host and the table of process ids that this process is in: two containers may share a host name."""
    space = ""
    with suppress(OSError):
        space = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8") + os.readlink("/proc/self/ns/pid")
    return f"{platform.node()}.{hashlib.sha256(space.encode()).hexdigest()[:8]}"


def temporary_beside(path: Path) -> Path:
    """A name beside a path that no other process of any host uses; a leading dot marks it as half-written."""
    return path.with_name(f".{path.name}.{temporary_owner()}.tmp")


def temporary_owner(process: int | None = None) -> str:
    """The parts of a temporary name that identify the process that writes it: host, process, thread."""
    return f"{_process_space()}.{process or os.getpid()}.{threading.get_ident()}"


def is_abandoned(path: Path) -> bool:
    """Whether the process that was writing a temporary file or folder has ended.

    Its name holds host and process; of other hosts' processes only a day's age tells.

    Raises:
        OSError: the file is gone by now.
    """
    if found := re.search(rf"\.{re.escape(_process_space())}\.(\d+)\.\d+\.tmp$", path.name):
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
    """Remove what ended processes left directly below these folders: half-written files and locks."""
    for folder in folders:
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in {LOCK_FILE, LEASE_FILE}.intersection(names):
            remove_stale_lock(folder, name)
        _remove_abandoned(folder / name for name in names if name[0] == "." and name.endswith(".tmp"))


def remove_abandoned(folder: Path) -> None:
    """Remove the half-written files and folders of ended processes directly below a folder."""
    _remove_abandoned(folder.glob(".*.tmp"))


def _remove_abandoned(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            if is_abandoned(path):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


# --------------------------------------------------------------------------------------------------------- writing

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
    status = folder.stat()
    return status.st_dev, status.st_ino


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
def replacement(path: Path, durable: bool = True) -> Iterator[Path]:
    """A temporary neighbour to be written, which then takes a file's place: fsync, rename, fsync of the folder.

    It gets the permissions of the file that it replaces; a new file gets the usual ones.

    Args:
        durable: False leaves out both fsyncs, which are slow; a power cut may then leave an empty file.

    Raises:
        OSError: it cannot be written; an earlier file stays as it was.
    """
    temporary, mode = temporary_beside(path), _mode_for(path)
    try:
        if not mode & 0o077:
            temporary.touch(mode)  # others cannot read it while it is written either
        yield temporary
        if durable:
            sync(temporary)
        temporary.chmod(mode)
        temporary.replace(path)
        if durable:
            sync_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _mode_for(path: Path) -> int:
    """Permissions of a file that takes the place of another: the other's, so that what was private stays private."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0o666 & ~_umask()  # stated because some libraries write for the owner alone


@contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[Path]:
    """As `replacement`, for the files of a sweep: in a folder that is made where it is missing, unless its mount went away.

    Raises:
        XlqaError: the folder is full, read-only or gone; an earlier file stays as it was.
    """
    refuse_if_gone(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacement(path, durable) as temporary:
            yield temporary
    except OSError as error:
        raise XlqaError(
            f"{path} cannot be written ({error.strerror or error}): free space or choose another folder, then start again."
        ) from error


def write_output(path: Path, content: bytes, flag: str = "--out") -> None:
    """Write a file that the user named, whole or not at all; a pipe or /dev/stdout is written to as it is.

    Raises:
        XlqaError: it cannot be written; an earlier file stays as it was.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacement(path.resolve()) as temporary:
            temporary.write_bytes(content)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise XlqaError(f"{flag} {path}: cannot be written ({reason}): choose another file.") from error


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """A temporary neighbour of a folder to be filled, which then takes its place, whole or not at all.

    Raises:
        OSError: it cannot be written; an earlier folder stays as it was until the new one is whole.
    """
    remove_stale_copies(folder)
    temporary = temporary_beside(folder)
    # Not its parents: they went away with their mount where they are missing now.
    temporary.mkdir()
    try:
        yield temporary
        for path in (*temporary.rglob("*"), temporary):
            if path.is_file():
                path.chmod(0o666 & ~_umask())
            sync(path)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_stale_copies(path: Path) -> None:
    """Remove what ended processes left half-written of one file or folder."""
    for left in path.parent.glob(f".{_literal(path.name)}.*.tmp"):
        with suppress(OSError):
            if is_abandoned(left):
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink(missing_ok=True)


def _literal(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


@functools.cache
def _umask() -> int:
    """Permissions that new files do not get in this process."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def sync(path: Path) -> None:
    """Flush a file or folder to the disk (fsync)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk, where the system can."""
    with suppress(OSError):
        sync(folder)


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file atomically; arguments and errors as those of `replacing`."""
    with replacing(path, durable) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str, *, durable: bool = True) -> str:
    """Write a text file atomically, in UTF-8; returns the SHA-256 of what was written, whatever is there by now."""
    content = text.encode("utf-8", "surrogatepass")
    write_bytes(path, content, durable=durable)
    return hashlib.sha256(content).hexdigest()


def write_json(path: Path, value: Any, *, durable: bool = True) -> str:
    """Write a JSON file atomically, readable by people; returns its SHA-256."""
    return write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n", durable=durable)


def folder_size(folder: Path) -> int:
    """Bytes of the files below a folder; links are not followed."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def remove_whole(path: Path) -> None:
    """Remove a file or folder, for others all of it at once.

    Raises:
        OSError: it cannot be removed.
    """
    temporary = temporary_beside(path)
    path.rename(temporary)
    shutil.rmtree(temporary) if temporary.is_dir() else temporary.unlink()


# --------------------------------------------------------------------------------------------------------- reading

MOST_INPUT_BYTES = 8 << 30
MOST_JSON_BYTES = 1 << 28
"""Limit on the size of a JSON file: 256 MiB are more than the predictions of any test set."""


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading: a device could have no end, and a FIFO never answer.

    Raises:
        OSError: it is missing, cannot be read, or is not a regular file.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        yield file


def read_input(path: Path, most: int = MOST_INPUT_BYTES) -> bytes:
    """The bytes of a file that the user named: a regular file, or a pipe such as `<(command)` and /dev/stdin.

    Raises:
        OSError: it is missing, cannot be read, has no writer, is a device, or is larger than `most` bytes.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        kind = os.fstat(file.fileno()).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or os.isatty(file.fileno())):
            raise (
                IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
                if stat.S_ISDIR(kind)
                else OSError(errno.EINVAL, "not a file or a pipe", str(path))
            )
        os.set_blocking(file.fileno(), True)  # a pipe that no process writes to has ended by now
        parts, size = [], 0
        while part := file.read(1 << 20):
            parts.append(part)
            size += len(part)
            if size > most:
                raise OSError(errno.EFBIG, f"larger than {most >> 30:,} GiB", str(path))
    return b"".join(parts)


def read_file(path: Path, most: int) -> bytes:
    """The bytes of a regular file.

    Raises:
        XlqaError: it is missing, not a regular file, or larger than `most` bytes.
    """
    try:
        with open_regular(path) as file:
            content = file.read(min(most, os.fstat(file.fileno()).st_size) + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise XlqaError(f"{path} cannot be read ({reason}).") from error
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
        return _DECODER.decode(content.decode(json.detect_encoding(content), "surrogatepass"))
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


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_CHECKSUM_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)
"""Made once: a sweep has tens of thousands of small records."""


def read_json(path: Path) -> Any | None:
    """A JSON file's value, or None where it is missing or broken."""
    try:
        return load_json(path)
    except XlqaError:
        return None


# --------------------------------------------------------------------------------------------------------- SHA-256


SMALL_BYTES = 1 << 16


def file_sha256(path: Path) -> str:
    """SHA-256 of a regular file's bytes, in hexadecimal.

    Raises:
        OSError: it is missing, cannot be read, or is not a regular file.
    """
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size <= SMALL_BYTES:
            # `file_digest` allocates 256 KiB for each file, and a sweep has tens of thousands of small ones.
            return hashlib.sha256(file.read(SMALL_BYTES + 1)).hexdigest()
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(path: Path) -> str | None:
    """As `file_sha256`; None where it cannot be read."""
    try:
        return file_sha256(path)
    except OSError:
        return None


_hashes: dict[tuple[str, int, int, int], str] = {}

SETTLED_SECONDS = 0.1
"""A file that changed later than this is not remembered: it might change once more within its time's resolution."""


def known_sha256(path: Path) -> str:
    """As `file_sha256`, remembered in this process while the file's size, time and inode stay."""
    status = path.stat()
    key = (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
    if key in _hashes:
        return _hashes[key]
    found = file_sha256(path)
    if abs(time.time() - status.st_mtime) > SETTLED_SECONDS:
        _hashes[key] = found
    return found


def sign(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the hash of its own content, under `checksum`: it tells damage, not who wrote it."""
    return {**record, "checksum": _checksum(record)}


def is_signed(record: Any) -> bool:
    """Whether a record agrees with the hash that it carries."""
    if not isinstance(record, dict) or "checksum" not in record:
        return False
    return bool(record["checksum"] == _checksum({key: value for key, value in record.items() if key != "checksum"}))


def _checksum(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(_CHECKSUM_ENCODER.encode(record).encode()).hexdigest()
