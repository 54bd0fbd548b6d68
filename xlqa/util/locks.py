"""Locks and leases on folders, across processes and hosts: flock on a file inside, which is removed with the last lock.

A file rather than the folder itself, because network file systems take exclusive locks only on what is open for writing; and
not `filelock`, which leaves its file behind in every run's folder and does not tell who waits.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK_FILE = ".lock"
LEASE_FILE = ".lease"


@contextmanager
def waiting_lock(folder: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a folder against other processes; the lock ends with its owner.

    Args:
        on_wait: called once where another process holds it and this one has to wait.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    path = folder / LOCK_FILE
    handle = _take(path, on_wait)
    try:
        yield
    finally:
        # Removed while it is held: who waits for this file sees that it is gone, and takes the next one.
        with suppress(OSError):
            path.unlink()
        os.close(handle)


def _take(path: Path, on_wait: Callable[[], None]) -> int:
    """Open and lock the file that is at a path now; returns its descriptor."""
    waited = False
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not waited:
                    on_wait()
                waited = True
                fcntl.flock(handle, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        except FileNotFoundError:
            pass  # its owner removed it before this process had it
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


@contextmanager
def shared_lease(folder: Path) -> Iterator[None]:
    """Mark a folder as used, which any number of processes may do at once; `unless_leased` respects it.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / LEASE_FILE
    handle = None
    while handle is None:
        folder.mkdir(parents=True, exist_ok=True)
        # Another process may remove the folder between the two lines.
        with suppress(FileNotFoundError):
            handle = _open_locked(path, fcntl.LOCK_SH)
    try:
        yield
    finally:
        _release_lease(path, handle)


@contextmanager
def unless_leased(folder: Path) -> Iterator[bool]:
    """Whether no process uses a folder; until the block ends, none can begin to."""
    path = folder / LEASE_FILE
    try:
        handle = _open_locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # it is leased, or gone
        yield False
        return
    try:
        yield True
    finally:
        _release_lease(path, handle)


def _open_locked(path: Path, operation: int) -> int:
    """Open the file that is at a path now and lock it.

    Raises:
        BlockingIOError: another process holds it, and the operation does not wait.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(handle, operation)
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        except FileNotFoundError:
            pass  # the last user removed it before this process had it
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _release_lease(path: Path, handle: int) -> None:
    """Give a lease back; the last user removes its file."""
    try:
        # On the same handle: it turns the shared lock into an exclusive one if nobody else has it.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    except OSError:
        pass  # others use it, or it is gone with its folder
    finally:
        os.close(handle)


def is_locked(folder: Path) -> bool:
    """Whether a process holds a folder."""
    return is_held(folder / LOCK_FILE)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock of a file."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        # Shared and at once: a process that wants the folder in this moment waits no longer than this call takes.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def remove_stale_lock(folder: Path, name: str = LOCK_FILE) -> None:
    """Remove the lock file, or lease file, of a process that was killed."""
    path = folder / name
    with suppress(OSError):
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                path.unlink()
        finally:
            os.close(handle)
