"""What a person sees while a sweep works: one live display on a terminal, plain lines elsewhere. All of it on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TextIO

from xlqa.runs.execute.scheduler import Job

PLAIN_SECONDS = 30.0
"""How often a long run says where it is where there is no terminal."""


def format_duration(seconds: float) -> str:
    """A duration as people say it: 45 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


class Unheard:
    """A stream that takes what it cannot write, being gone, full or closed: no run fails because nobody hears of it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def say(line: str) -> None:
    """Write a line to stderr, if it takes one."""
    print(line, file=Unheard(sys.stderr), flush=True)


class Progress:
    """Counts what is done and estimates what is left. `close` must be called at the end."""

    def __init__(self, jobs: Sequence[Job], already_done: int) -> None:
        self.jobs, self.already = jobs, already_done
        self.began = time.monotonic()
        self.failures: list[tuple[str, str]] = []
        self.running: dict[Job, dict[str, Any]] = {}

    @property
    def done(self) -> int:
        return self.already + sum(job.state == "done" for job in self.jobs)

    @property
    def total(self) -> int:
        return self.already + len(self.jobs)

    def seconds_left(self) -> float | None:
        """From the work that is done and how long it took; None while nothing is."""
        worked = sum(job.cost * job.progress for job in self.jobs)
        left = sum(job.cost * (1 - job.progress) for job in self.jobs if job.state in ("waiting", "running"))
        elapsed = time.monotonic() - self.began
        return elapsed / worked * left if worked > 0 and elapsed > 5 else None

    def headline(self) -> str:
        """`7 of 19 done, about 12 min left`."""
        left = self.seconds_left()
        failed = f", {len(self.failures)} failed" if self.failures else ""
        rest = f", about {format_duration(left)} left" if left is not None else ""
        return f"{self.done} of {self.total} done{failed}{rest}"

    def started(self, job: Job) -> None:
        self.running[job] = {"began": time.monotonic()}

    def event(self, job: Job, event: dict[str, Any]) -> None:
        state = self.running.setdefault(job, {})
        state.update(event)
        if event["event"] == "score":
            state["scores"] = [*state.get("scores", []), event]

    def finished(self, job: Job) -> None:
        self.running.pop(job, None)

    def failed(self, job: Job, error: str) -> None:
        self.running.pop(job, None)
        self.failures.append((job.label, error))

    def note(self, line: str) -> None:
        """Say what concerns no run in particular."""
        say(line)

    def describe(self, job: Job) -> str:
        """What a running job is at."""
        state = self.running.get(job, {})
        if state.get("event") == "step" and state["step"] < state["steps"]:
            return f"step {state['step']}/{state['steps']}, loss {state['loss']:.3f}, {state['rate']:.1f} examples/s"
        return str(state.get("stage", "starting"))

    def close(self) -> None:
        """Nothing to give back."""


class PlainProgress(Progress):
    """Lines: a run's end with its score, and a sign of life now and then."""

    def __init__(self, jobs: Sequence[Job], already_done: int) -> None:
        super().__init__(jobs, already_done)
        self.last = time.monotonic()

    def event(self, job: Job, event: dict[str, Any]) -> None:
        super().event(job, event)
        if event["event"] == "retry":
            self._say(f"{job.label}: {event['error']} It is tried once more.")
        elif time.monotonic() - self.last > PLAIN_SECONDS:
            self._say(f"{job.label}: {self.describe(job)} ({self.headline()})")

    def finished(self, job: Job) -> None:
        score = _score(self.running.get(job, {}))
        super().finished(job)
        self._say(f"{job.label}{score} ({self.headline()})")

    def failed(self, job: Job, error: str) -> None:
        super().failed(job, error)
        self._say(f"{job.label} FAILED: {error}")

    def _say(self, line: str) -> None:
        self.last = time.monotonic()
        say(line)


class LiveProgress(Progress):
    """One display that is drawn again: the sweep's bar, and a line per running job."""

    def __init__(self, jobs: Sequence[Job], already_done: int) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__(jobs, already_done)
        stream: Any = Unheard(sys.stderr)
        self.console = Console(file=stream)
        self.live = Live(get_renderable=self._render, console=self.console, refresh_per_second=4, transient=True)
        self.live.start()

    def _render(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        share = self.already + sum(job.progress if job.state != "failed" else 1.0 for job in self.jobs)
        # A bar ends no line by itself: the table's row does.
        bar = Table.grid()
        bar.add_row(ProgressBar(total=max(1, self.total), completed=share, width=60))
        lines = [
            Text(f"  {job.label}: {self.describe(job)}", overflow="ellipsis", no_wrap=True)
            for job in list(self.running)
        ]
        return Group(Text(self.headline(), style="bold"), bar, *lines)

    def event(self, job: Job, event: dict[str, Any]) -> None:
        super().event(job, event)
        if event["event"] == "retry":
            self._print(f"{job.label}: {event['error']} It is tried once more.", "yellow")

    def finished(self, job: Job) -> None:
        score = _score(self.running.get(job, {}))
        super().finished(job)
        self._print(f"{job.label}{score}", "")

    def failed(self, job: Job, error: str) -> None:
        super().failed(job, error)
        self._print(f"{job.label} FAILED: {error}", "red")

    def note(self, line: str) -> None:
        self._print(line, "")

    def _print(self, line: str, style: str) -> None:
        from rich.text import Text

        self.console.print(Text(line, style=style))

    def close(self) -> None:
        self.live.stop()


def _score(state: dict[str, Any]) -> str:
    """The scores of a finished run, each with its scorer; with several test sets each under its name."""
    scores = state.get("scores", [])
    said = [f"F1 {s['f1']:.1f}, EM {s['em']:.1f} ({s['scorer']})" for s in scores]
    if len(scores) > 1:
        said = [f"{s['test']} {text}" for s, text in zip(scores, said, strict=True)]
    return f": {'; '.join(said)}" if said else ""


def make_progress(jobs: Sequence[Job], already_done: int) -> Progress:
    """The display that suits stderr."""
    return LiveProgress(jobs, already_done) if sys.stderr.isatty() else PlainProgress(jobs, already_done)
