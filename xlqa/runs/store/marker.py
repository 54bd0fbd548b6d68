"""Which sweeps run in a folder, and how another terminal asks them to stop.

A running sweep holds a lock on a file of its own, `.sweep.HOST.….PID.….tmp`. `xlqa stop` writes into that file; the
sweep sees that it is no longer empty and ends as on Ctrl-C. No process is killed, and no process id is trusted: a file
whose lock nobody holds belongs to no sweep.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.util.files import temporary_beside, temporary_owner
from xlqa.util.locks import is_held

NAME = re.compile(r"\.sweep\.(?P<host>.+)\.(?P<space>[0-9a-f]{8})\.(?P<pid>\d+)\.\d+\.tmp")
REQUEST = b"stop\n"
TOUCH_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class RunningSweep:
    """A sweep's file in a folder.

    Attributes:
        host, pid: where it runs. here: whether this process sees the same processes: then its lock tells that it runs.
    """

    path: Path
    host: str
    pid: int
    here: bool


@contextmanager
def marked(root: Path) -> Iterator[Callable[[], bool]]:
    """Mark a folder as that of a running sweep; gives a function that tells whether a stop was requested.

    Raises:
        XlqaError: the folder cannot be written.
    """
    path = temporary_beside(root / "sweep")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        raise XlqaError(f"{root} cannot be written ({error.strerror}): make it writable.") from error
    try:
        yield _Asked(handle)
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(handle)


class _Asked:
    """Tells whether a stop was requested, and keeps the file's time recent: other hosts remove what is a day old.

    Args:
        handle: of the sweep's file.
    """

    def __init__(self, handle: int) -> None:
        self._handle, self._touched = handle, time.monotonic()

    def __call__(self) -> bool:
        try:
            if time.monotonic() - self._touched > TOUCH_SECONDS:
                self._touched = time.monotonic()
                os.utime(self._handle)
            return os.fstat(self._handle).st_size > 0
        except OSError:  # its disk is gone, which the runs notice themselves
            return False


def running_sweeps(root: Path) -> list[RunningSweep]:
    """The sweeps that run in a folder; those of other hosts as far as their files tell."""
    found = []
    for path in sorted(root.glob(".sweep.*.tmp")):
        facts = NAME.fullmatch(path.name)
        if facts and not path.is_symlink():
            here = path.name.startswith(f".sweep.{temporary_owner().rsplit('.', 2)[0]}.")
            if not here or is_held(path):
                found.append(RunningSweep(path, facts["host"], int(facts["pid"]), here))
    return found


def request_stop(sweep: RunningSweep) -> None:
    """Ask a sweep of this machine to stop.

    Raises:
        XlqaError: its file belongs to another user.
    """
    try:
        handle = os.open(sweep.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return  # it ended just now
    except OSError as error:
        raise XlqaError(
            f"{sweep.path} cannot be written ({error.strerror}): stop the sweep as the user who started it."
        ) from error
    try:
        os.write(handle, REQUEST)
    finally:
        os.close(handle)
