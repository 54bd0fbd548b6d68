"""One `xlqa sweep` as a process: started, watched, signalled, and what of it is still alive."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from faultinjection.fixtures import MARK

PROGRAM = "import sys; from xlqa.cli import main; sys.exit(main())"
WORKER = b"xlqa/runs/execute/start_worker.py"
LONGEST = 600.0
"""Seconds after which a sweep that takes ten counts as stuck."""


class Broken(AssertionError):
    """Something that must be true is not."""


class Sweep:
    """A running sweep.

    Args:
        words: after `xlqa`.
        environment: its own, whole.
        output: gets what it prints.
        file_blocks: most KiB a file may have (`ulimit -f`), or None.
    """

    def __init__(
        self, words: list[str], environment: dict[str, str], output: Path, file_blocks: int | None = None
    ) -> None:
        self.output = output
        command = [sys.executable, "-c", PROGRAM, *words]
        if file_blocks is not None:
            command = ["bash", "-c", f'ulimit -f {file_blocks}; exec "$@"', "bash", *command]
        self.began = time.monotonic()
        with output.open("wb") as file:
            # A group of its own, so that Ctrl-C reaches what a terminal's Ctrl-C would, and not us.
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, process_group=0
            )

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def said(self) -> str:
        """All that it printed."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def last_words(self) -> str:
        return " | ".join(self.said().strip().splitlines()[-3:])

    def workers(self) -> list[int]:
        """Its worker processes."""
        return [pid for pid in children(self.process.pid) if WORKER in command_line(pid)]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def wait(self, *statuses: int) -> int:
        """Its exit status, which must be one of these (any, where none is named).

        Raises:
            Broken: it ended otherwise, or not at all.
        """
        try:
            status = self.process.wait(LONGEST)
        except subprocess.TimeoutExpired as error:
            for pid in self.workers():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.kill()
            raise Broken(f"it did not end within {LONGEST:.0f} s: {self.last_words()}") from error
        if statuses and status not in statuses:
            raise Broken(f"exit status {status}, not {' or '.join(map(str, statuses))}: {self.last_words()}")
        return status

    def refuse_traceback(self) -> None:
        """A person must see lines, not a stack."""
        said = self.said()
        if found := re.search(r"^(Traceback|Exception ignored|Exception in thread).*", said, re.MULTILINE):
            raise Broken(f"{found[0]} in {self.output}: {self.last_words()}")


def children(pid: int) -> list[int]:
    """Processes that a process started."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(word) for word in path.read_text(encoding="utf-8").split()]
    return found


def command_line(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def environment_and_command(process: Path, seconds: float = 1.0) -> bytes:
    """What `/proc` has of a process: its environment, a zero byte, its command line.

    Both files are empty while `exec` replaces the program, so a process that has just started would look as if it
    carried no mark. They are read again until there is an environment, or twice the same command without one.

    Args:
        process: its folder in `/proc`.
        seconds: how long two empty files are read again.

    Raises:
        OSError: the process has ended, or belongs to another user.
    """
    until, before = time.monotonic() + seconds, b""
    while True:
        environment, command = (process / "environ").read_bytes(), (process / "cmdline").read_bytes()
        # Kernel threads and zombies have no program: their link is missing, which raises OSError here.
        if environment or (command and command == before) or not os.readlink(process / "exe"):
            return environment + b"\0" + command
        if time.monotonic() > until:
            return b""
        before = command
        time.sleep(0.001)


def alive(case: str, folder: Path) -> list[int]:
    """Processes of a case: they carry its mark, or name its folder. Zombies that nobody waits for are dead."""
    mark, place = f"{MARK}={case}\0".encode(), str(folder).encode() + b"/"
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            about = environment_and_command(entry)
            about += os.fsencode(os.readlink(entry / "cwd")) + b"/"
            if mark in about or (place in about and WORKER in about):
                found.append(int(entry.name))
    return found


def wait_gone(case: str, folder: Path, seconds: float = 10.0) -> list[int]:
    """Waits for a case's processes to end; those that do not."""
    until = time.monotonic() + seconds
    while (found := alive(case, folder)) and time.monotonic() < until:
        time.sleep(0.05)
    return found
