"""The display of a sweep's progress: live on a terminal and in a notebook, plain lines on stderr elsewhere."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from xlqa.runs.execute.events import Event, Failed, Finished, Retry, Scored, Started, Waiting
from xlqa.runs.execute.scheduler import Job
from xlqa.training.context import print_event
from xlqa.training.events import Stage, Step
from xlqa.util import html
from xlqa.util.text import format_duration, printable

PLAIN_SECONDS = 30.0
"""How often a long run's progress is printed where there is no terminal, at first."""

PLAIN_SHARE = 0.025
"""Share of the time so far that passes between two such lines: a night's log stays short."""

MOST_ENDS = 200
"""Runs of a sweep up to which each has a line of its own when it ends."""

NOTEBOOK_SECONDS, NOTEBOOK_ENDS = 0.5, 5
"""How often a notebook's display changes, and how many runs that ended it shows."""


class LossyStream:
    """A stream that drops what it cannot write: a sweep continues when its terminal is gone."""

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


def print_line(line: str) -> None:
    """Print a line on stderr, if it can be written."""
    print(printable(line), file=LossyStream(sys.stderr), flush=True)


@dataclass
class RunProgress:
    """What a running job has reported so far."""

    latest: Event = field(default_factory=Started)
    scores: list[Scored] = field(default_factory=list)

    def describe(self) -> str:
        """What the job is doing."""
        match self.latest:
            case Step(step, steps, loss, rate) if step < steps:
                return f"step {step}/{steps}, loss {loss:.3f}, {rate:.1f} examples/s"
            case Stage(text):
                return text
            case Step():
                return "training"
            case Waiting():
                return "waiting for another process"
        return "scoring" if self.scores else "starting"

    def describe_scores(self) -> str:
        """`: F1 41.3, EM 30.0 (squad)`; each score with the name of its test set where there are several."""
        texts = [
            f"{', '.join(f'{name.upper()} {_percent(value)}' for name, value in s.scores.items())} ({s.scorer})"
            for s in self.scores
        ]
        if len(texts) > 1:
            texts = [f"{s.test} {text}" for s, text in zip(self.scores, texts, strict=True)]
        return f": {'; '.join(texts)}" if texts else ""


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def listener_of(folder: Path) -> Callable[[Event], None]:
    """What a command for one run prints of its events: a step now and then, and that another process holds its folder."""

    def listen(event: Event) -> None:
        if isinstance(event, Waiting):
            print(f"{folder}: another process holds this run; waiting for it.", file=sys.stderr, flush=True)
        else:
            print_event(event)

    return listen


class Progress:
    """Counts the runs that are done and estimates the time left. `close` must be called at the end."""

    def __init__(self, jobs: Sequence[Job], already_done: int) -> None:
        self.jobs, self.already = jobs, already_done
        self.began = time.monotonic()
        self.failures: list[tuple[str, str]] = []
        self.running: dict[Job, RunProgress] = {}

    @property
    def done(self) -> int:
        return self.already + sum(job.state == "done" for job in self.jobs)

    @property
    def total(self) -> int:
        return self.already + len(self.jobs)

    def share(self) -> float:
        """The work that is done or failed, in runs."""
        return self.already + sum(job.progress if job.state != "failed" else 1.0 for job in self.jobs)

    def seconds_left(self) -> float | None:
        """Extrapolated from the work that is done and the time it took; None as long as nothing is done."""
        worked = sum(job.cost * job.progress for job in self.jobs)
        left = sum(job.cost * (1 - job.progress) for job in self.jobs if job.is_unfinished)
        elapsed = time.monotonic() - self.began
        return elapsed / worked * left if worked > 0 and elapsed > 5 else None

    def headline(self) -> str:
        """`7 of 19 done, about 12 min left`."""
        left = self.seconds_left()
        failed = f", {len(self.failures)} failed" if self.failures else ""
        rest = f", about {format_duration(left)} left" if left else ""
        return f"{self.done} of {self.total} done{failed}{rest}"

    def on_event(self, job: Job, event: Event) -> None:
        """Record an event, and print what it calls for."""
        run = self.running.setdefault(job, RunProgress())
        match event:
            case Started():
                self.running[job] = RunProgress()
            case Finished():
                self.running.pop(job)
                self.show_end(job, f"{job.label}{run.describe_scores()}", failed=False)
            case Failed(error):
                self.running.pop(job)
                self.failures.append((job.label, error))
                self.show_end(job, f"{job.label} FAILED: {error}", failed=True)
            case Retry(error):
                self.running.pop(job)
                self.show_retry(f"{job.label}: {error} The run is retried.")
            case _:
                run.latest = event
                if isinstance(event, Scored):
                    run.scores.append(event)
                self.show_step(job, run)

    def note(self, line: str) -> None:
        """Print a line that is not about one run."""
        print_line(line)

    def show_step(self, job: Job, run: RunProgress) -> None:
        """A running job reported where it is."""

    def show_retry(self, line: str) -> None:
        """A job is tried again."""

    def show_end(self, job: Job, line: str, *, failed: bool) -> None:
        """A job ended."""

    def close(self) -> None:
        """Remove what is shown."""


class PlainProgress(Progress):
    """A line for each run that ends, and one now and then meanwhile; of very many runs only the latter, failures and retries."""

    def __init__(self, jobs: Sequence[Job], already_done: int) -> None:
        super().__init__(jobs, already_done)
        self.last = time.monotonic()
        self.unprinted = 0

    def show_step(self, job: Job, run: RunProgress) -> None:
        if self._is_time():
            self._print(f"{job.label}: {run.describe()} ({self.headline()})")

    def show_retry(self, line: str) -> None:
        self._print(line)

    def show_end(self, job: Job, line: str, *, failed: bool) -> None:
        if failed or len(self.jobs) <= MOST_ENDS or self._is_time():
            self._print(line if failed else f"{line} ({self.headline()})")
        else:
            self.unprinted += 1

    def close(self) -> None:
        if self.unprinted:
            self._print(self.headline())

    def _is_time(self) -> bool:
        now = time.monotonic()
        return now - self.last > max(PLAIN_SECONDS, PLAIN_SHARE * (now - self.began))

    def _print(self, line: str) -> None:
        self.unprinted = 0
        self.last = time.monotonic()
        print_line(line)


class LiveProgress(Progress):
    """One display that is redrawn: a bar for the sweep, and a line for each running job."""

    def __init__(self, jobs: Sequence[Job], already_done: int) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__(jobs, already_done)
        stream: Any = LossyStream(sys.stderr)
        self.console = Console(file=stream)
        self.live = Live(get_renderable=self._render, console=self.console, refresh_per_second=4, transient=True)
        self.live.start()

    def _render(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        # A bar does not end its line; the row of a table does.
        bar = Table.grid()
        bar.add_row(ProgressBar(total=max(1, self.total), completed=self.share(), width=60))
        lines = [
            Text(f"  {job.label}: {run.describe()}", overflow="ellipsis", no_wrap=True)
            for job, run in list(self.running.items())
        ]
        return Group(Text(self.headline(), style="bold"), bar, *lines)

    def show_retry(self, line: str) -> None:
        self._print(line, "yellow")

    def show_end(self, job: Job, line: str, *, failed: bool) -> None:
        self._print(line, "red" if failed else "")

    def note(self, line: str) -> None:
        self._print(line, "")

    def _print(self, line: str, style: str) -> None:
        from rich.text import Text

        self.console.print(Text(line, style=style))

    def close(self) -> None:
        self.live.stop()


class NotebookProgress(Progress):
    """One output of a notebook's cell that is replaced: a bar, the running jobs, the last ends, and all failures."""

    def __init__(self, jobs: Sequence[Job], already_done: int) -> None:
        from IPython.display import display

        super().__init__(jobs, already_done)
        self.ends: deque[str] = deque(maxlen=NOTEBOOK_ENDS)
        self.lines: list[str] = []
        self.shown = time.monotonic()
        self.handle: Any = display(self, display_id=True)

    def _repr_html_(self) -> str:
        bar = f'<progress style="width:100%;max-width:40em" max="{max(1, self.total)}" value="{self.share():.3f}"></progress>'
        running = [f"{job.label}: {run.describe()}" for job, run in list(self.running.items())]
        return f"{html.paragraph(self.headline())}{bar}{html.paragraph(*running, *self.ends, *self.lines)}"

    def __repr__(self) -> str:
        return "\n".join([self.headline(), *self.ends, *self.lines])

    def note(self, line: str) -> None:
        self.lines.append(line)
        self._replace()

    def show_step(self, job: Job, run: RunProgress) -> None:
        if time.monotonic() - self.shown > NOTEBOOK_SECONDS:
            self._replace()

    def show_retry(self, line: str) -> None:
        self.note(line)

    def show_end(self, job: Job, line: str, *, failed: bool) -> None:
        (self.lines if failed else self.ends).append(line)
        self.show_step(job, RunProgress())

    def close(self) -> None:
        self.running.clear()
        self._replace()

    def _replace(self) -> None:
        self.shown = time.monotonic()
        with suppress(OSError, ValueError, RuntimeError):  # the page may be gone; the sweep continues
            self.handle.update(self)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook (Jupyter, Colab, an editor's), whose output is a page."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def make_progress(jobs: Sequence[Job], already_done: int) -> Progress:
    """The display that suits where the output goes."""
    kind = NotebookProgress if in_notebook() else LiveProgress if sys.stderr.isatty() else PlainProgress
    return kind(jobs, already_done)
