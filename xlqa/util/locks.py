"""Locks on folders, across processes and hosts: flock on a file `.lock` inside, which goes with the lock.

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


def is_locked(folder: Path) -> bool:
    """Whether a process holds a folder."""
    try:
        handle = os.open(folder / LOCK_FILE, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
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


def remove_stale_lock(folder: Path) -> None:
    """Remove the lock file of a process that was killed."""
    path = folder / LOCK_FILE
    with suppress(OSError):
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                path.unlink()
        finally:
            os.close(handle)
