"""Runs xlqa commands on hostile files within one process, and tells what they did that they must not.

An audit hook sees every file that Python opens for writing, moves or removes, every process that it starts and every
connection; a folder outside, the victim, is compared before and after.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

CPU_LIMIT = 10.0
"""Seconds of processor time after which a command hangs; a machine that others use makes no difference to it."""
SLEEP_LIMIT = 30.0
"""Seconds that a command may sleep, as on a pipe, before it hangs; one that waits for a busy processor does not sleep."""
MEMORY_LIMIT = 12 << 30

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = frozenset({
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.truncate", "os.chmod", "os.chown",
    "shutil.rmtree", "shutil.move",
})  # fmt: skip
STARTS = frozenset({
    "subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.spawn", "pty.spawn", "socket.connect",
    "socket.getaddrinfo",
})  # fmt: skip

Command = Sequence[str] | Callable[[], Any]
"""Words after `xlqa`, or a function that raises XlqaError where it refuses."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one case: the exit status of each command, and what was wrong, "" where nothing was."""

    statuses: tuple[int, ...]
    wrong: str


class Sandbox:
    """Watches this process; there is one of it.

    Args:
        work: everything may be written below this folder, but not below `victim`.
    """

    def __init__(self, work: Path, victim: Path) -> None:
        self.work, self.victim = os.fspath(work.resolve()), victim
        self.active, self.seen = False, list[str]()
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event in STARTS:
            self.seen.append(f"{event} {str(arguments)[:200]}")
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING:
            self._check(event, arguments[:1])
        elif event in CHANGES:
            self._check(event, arguments)

    def _check(self, event: str, arguments: tuple[Any, ...]) -> None:
        for path in arguments:
            if isinstance(path, str | bytes) and path not in (b"/dev/null", "/dev/null"):
                place = os.path.abspath(os.fsdecode(path))
                if not place.startswith(self.work + os.sep) or place.startswith(os.fspath(self.victim) + os.sep):
                    self.seen.append(f"{event} {place}")

    def run(self, commands: Sequence[Command], folder: Path) -> Answer:
        """Run the commands of one case in a folder."""
        before, self.seen = snapshot(self.victim), []
        os.chdir(folder)
        statuses: list[int] = []
        for command in commands:
            status, wrong = self._run_one(command)
            statuses.append(status)
            if wrong:
                return Answer(tuple(statuses), f"{_words(command)}: {wrong}")
        if snapshot(self.victim) != before:
            return Answer(tuple(statuses), f"the folder outside has changed: {snapshot(self.victim)}")
        return Answer(tuple(statuses), "")

    def _run_one(self, command: Command) -> tuple[int, str]:
        from xlqa.cli import main

        out, err = io.StringIO(), io.StringIO()
        modules = set(sys.modules)
        self.active = True
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = _call(command, err) if callable(command) else main([*command])
        except SystemExit as error:
            status = int(error.code or 0)
        except BaseException:
            return -1, traceback.format_exc()[-3000:]
        finally:
            self.active = False
        return status, self._judge(status, out.getvalue(), err.getvalue(), modules)

    def _judge(self, status: int, out: str, err: str, modules: set[str]) -> str:
        if status not in (0, 1, 2):
            return f"exit status {status}: {err[-500:]}"
        if self.seen:
            return f"it did {self.seen[0]}"
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if file.startswith(self.work):
                return f"it imported {file}"
        if "Traceback (most recent call last)" in out + err:
            return f"a traceback: {err[-1500:]}"
        if status == 2 and not any(line.startswith("xlqa: ") for line in err.splitlines()):
            return f"no line on the error: {err[-500:]!r}"
        if any(
            not line.isprintable()
            for line in (out + err).replace("\t", " ").split("\n")
            if "\x1b" in line or "\x9b" in line
        ):
            return f"control characters on the terminal: {(out + err)[-500:]!r}"
        return ""


def _call(function: Callable[[], Any], err: io.StringIO) -> int:
    from xlqa.errors import XlqaError

    try:
        function()
    except XlqaError as error:
        err.write("".join(f"xlqa: {line}\n" for line in str(error).splitlines()))
        return 2
    return 0


def _words(command: Command) -> str:
    return getattr(command, "__name__", "a function") if callable(command) else " ".join(command)


def snapshot(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Names, sizes, times and modes below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        found[str(path)] = (status.st_size, status.st_mtime_ns, status.st_mode)
    return found


def make_victim(folder: Path) -> Path:
    """A folder that nothing may touch, with a model's and a run's files in it."""
    for name in ("file.json", "model/config.json", "model/model.safetensors", "data/mine.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}\n", encoding="utf-8")
    return folder


# ------------------------------------------------------------------------------------------------------------- watching


class Watched:
    """A process that answers cases one after another, replaced where it hangs or dies.

    Args:
        make: in the process, gives the function from a case's number to its answer.
        cpu_limit: seconds of processor time of a case, after which it hangs.
        start: how the process starts; `fork` takes any function for `make`, but must not follow the import of torch.
    """

    def __init__(
        self, make: Callable[[], Callable[[int], Answer]], cpu_limit: float = CPU_LIMIT, start: str = "spawn"
    ) -> None:
        self.make, self.cpu_limit, self.context = make, cpu_limit, multiprocessing.get_context(start)
        self.process: Any = None
        self.channel: Any = None

    def answer(self, number: int, may_wait: bool = False) -> Answer:
        """A case's answer; one that hangs, or takes its process with it, is wrong.

        Args:
            may_wait: it waits for a process of its own.
        """
        if self.process is None or not self.process.is_alive():
            self._start()
        self.channel.send(number)
        (_, before), began = _state(self.process.pid), time.monotonic()
        awake, last = began, before
        while not self.channel.poll(0.2):
            if not self.process.is_alive():
                return Answer((), f"it took its process with it (exit status {self.process.exitcode})")
            state, cpu = _state(self.process.pid)
            if state == "R" or cpu != last or may_wait:
                awake, last = time.monotonic(), cpu
            if cpu - before > self.cpu_limit or time.monotonic() - awake > SLEEP_LIMIT:
                self.close()
                return Answer(
                    (), f"it hangs: {cpu - before:.0f} s of processor time, {time.monotonic() - began:.0f} s in all"
                )
        try:
            answer: Answer = self.channel.recv()
        except EOFError:
            self.process.join()
            return Answer((), f"it took its process with it (exit status {self.process.exitcode})")
        return answer

    def _start(self) -> None:
        self.channel, theirs = self.context.Pipe()
        self.process = self.context.Process(target=_serve, args=(self.make, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.channel.recv()  # it has loaded what it needs

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None


def _serve(make: Callable[[], Callable[[int], Answer]], channel: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    sys.dont_write_bytecode = True
    serve = make()
    channel.send(True)
    while True:
        try:
            number = channel.recv()
        except EOFError:
            return
        channel.send(serve(number))


def _state(pid: int) -> tuple[str, float]:
    """Whether a process runs ("R") or sleeps ("S"), and its seconds of processor time."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except OSError:
        return "", 0.0
    return fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def case_folder(work: Path, name: str) -> Iterator[Path]:
    """An empty folder for one case, removed afterwards."""
    folder = work / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        os.chdir(work)
        shutil.rmtree(folder, ignore_errors=True)
