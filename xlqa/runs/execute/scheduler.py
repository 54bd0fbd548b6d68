"""The order of runs: source stages before the runs that start from them, and another try for a run whose worker died.

Where runs are executed is the executor's part (`runs/execute/executor.py`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal, Protocol

from xlqa.errors import XlqaError
from xlqa.runs.execute.disk_errors import describe_failure, errno_of, find_disk_error
from xlqa.runs.execute.events import (
    ENDINGS,
    Crashed,
    Ending,
    Event,
    Failed,
    Finished,
    Lost,
    Retry,
    RunOrder,
    Started,
    Waiting,
)
from xlqa.runs.execute.executor import Executor, Slot
from xlqa.runs.execute.interrupts import StopRequest, stoppable
from xlqa.runs.execute.run import CHECKPOINT_MINUTES, record_failure
from xlqa.runs.execute.worker import tail
from xlqa.runs.paths import RunFolder
from xlqa.training.events import Step

CRASHES_ALLOWED = 1
"""How often a run's worker may die before the run counts as failed."""

LOSSES_ALLOWED = 5
"""How often a run's machine may be lost before the run counts as failed."""

LOOK_SECONDS = 0.5
"""How often an executor is asked for further slots."""

CLOSE_SECONDS = 15.0
"""How long slots may take to close once everything is done."""

STOP_SECONDS = 5.0
"""How long slots may take to end after a stop."""


@dataclass(eq=False)
class Job:
    """One source stage or run to execute.

    Attributes:
        keep: whether its weights stay.
        cost: estimated work in word pieces, from which the time left is computed; training: the share of it (0 to 1) that
            is training.
        prepare: writes the run's config; called at the last moment, when the source stage's weights are known.
        depends_on: the job that must be done before.
        crashes, losses: how often its worker died, or its machine was lost.
        progress: share of the work (0 to 1) that is done.
    """

    folder: RunFolder
    label: str
    keep: bool
    cost: float
    prepare: Callable[[], object]
    depends_on: Job | None = None
    training: float = 1.0
    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    crashes: int = 0
    losses: int = 0
    progress: float = 0.0

    @property
    def is_unfinished(self) -> bool:
        return self.state in ("waiting", "running")


class Observer(Protocol):
    """Receives what happens to the jobs, one call at a time."""

    def on_event(self, job: Job, event: Event) -> None: ...
    def note(self, line: str) -> None: ...


def _sources_then_longest(job: Job) -> tuple[bool, float]:
    """The order that ends first: source stages, which other runs wait for, then long runs before short ones."""
    return not job.folder.is_source, -job.cost


class Scheduler:
    """Gives jobs to an executor's slots; `run` returns when all of them are done or failed.

    Args:
        jobs: a job comes after the one that it depends on.
        observer: receives every event.
        checkpoint_minutes: time between two checkpoints of a training; 0 for none.
        timeout_minutes: a run that takes longer fails; None for no limit. Waiting for another process does not count.
    """

    def __init__(
        self, jobs: Sequence[Job], executor: Executor, observer: Observer,
        checkpoint_minutes: float = CHECKPOINT_MINUTES, timeout_minutes: float | None = None,
    ) -> None:  # fmt: skip
        self.jobs = sorted(jobs, key=_sources_then_longest) if executor.longest_first else list(jobs)
        self.executor, self.observer = executor, observer
        self.checkpoint_minutes, self.timeout_minutes = checkpoint_minutes, timeout_minutes
        self.changed = threading.Condition()
        self.slots: list[Slot] = []
        self.threads: list[threading.Thread] = []
        self.stopping = False
        self.disk_error: str | None = None
        self.internal_error: Exception | None = None

    def run(self, models: Sequence[str] = ()) -> None:
        """Execute all jobs; Ctrl-C and SIGTERM stop the slots and leave finished runs as they are.

        Args:
            models: model folders below the sweep's folder, for executors that have to send them.

        Raises:
            XlqaError: no run can be executed, or the sweep's disk is full, read-only or gone; the jobs that this stopped
                are waiting again.
            KeyboardInterrupt: Ctrl-C or SIGTERM.
        """
        if not self.jobs:
            return
        with stoppable() as request:
            with self.executor.connected(self.jobs[0].folder.root, models, self._note):
                try:
                    self._manage_slots(request)
                finally:
                    self._stop()
            if request.is_set():
                raise KeyboardInterrupt
        if self.internal_error is not None:
            raise self.internal_error
        if self.disk_error:
            raise XlqaError(self.disk_error)

    # ---- the calling thread

    def _manage_slots(self, request: StopRequest) -> None:
        """Open slots while more jobs are ready than slots are idle, until every job is done."""
        next_look = 0.0
        while not self.stopping and not request.is_set():
            with self.changed:
                self._fail_dependents()
                if not any(job.is_unfinished for job in self.jobs):
                    break
                wanted = len(self._ready()) - sum(not slot.busy for slot in self.slots)
                existing = list(self.slots)
            if wanted > 0 and time.monotonic() >= next_look:
                self._open_slots(self.executor.new_slots(wanted, existing))
                next_look = time.monotonic() + LOOK_SECONDS
            with self.changed:
                # Short, because a signal does not interrupt it.
                self.changed.wait(0.1)
        if not self.stopping and not request.is_set():
            # Slots that close by themselves leave nothing behind.
            self._join(CLOSE_SECONDS)

    def _open_slots(self, slots: Sequence[Slot]) -> None:
        for slot in slots:
            thread = threading.Thread(target=self._serve, args=(slot,), daemon=True)
            with self.changed:
                self.slots.append(slot)
            self.threads.append(thread)
            thread.start()

    def _stop(self) -> None:
        with self.changed:
            self.stopping = True
            slots = list(self.slots)
            self.changed.notify_all()
        for slot in slots:
            slot.terminate()
        self._join(STOP_SECONDS)

    def _join(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _note(self, line: str) -> None:
        with self.changed:
            self.observer.note(line)

    # ---- which job is next; `changed` is held

    def _ready(self) -> list[Job]:
        """The jobs that can start now."""
        return [j for j in self.jobs if j.state == "waiting" and (j.depends_on is None or j.depends_on.state == "done")]

    def _fail_dependents(self) -> None:
        """A job whose source stage failed cannot run."""
        for job in self.jobs:
            if job.state == "waiting" and job.depends_on is not None and job.depends_on.state == "failed":
                self._fail(job, Failed(f"its source stage {job.depends_on.folder.id} failed."), "")

    def _next_job(self, slot: Slot) -> Job | None:
        """A job for a slot; waits for one while others may still become ready, `idle_seconds` at most."""
        deadline = time.monotonic() + self.executor.idle_seconds
        with self.changed:
            while slot.usable and not self.stopping and time.monotonic() < deadline:
                if ready := self._ready():
                    ready[0].state, slot.busy = "running", True
                    return ready[0]
                if not any(job.is_unfinished for job in self.jobs):
                    return None
                self.changed.wait(0.5)
        return None

    # ---- a slot's thread

    def _serve(self, slot: Slot) -> None:
        try:
            if slot.open(self._is_slot_wanted):
                while (job := self._next_job(slot)) is not None:
                    self._execute(job, slot)
        except Exception as error:  # an error of ours must not leave the sweep waiting for a job that nobody executes
            with self.changed:
                self.internal_error, self.stopping = error, True
        finally:
            if not self.stopping:
                slot.close()
            with self.changed:
                self.slots.remove(slot)
                self.changed.notify_all()

    def _is_slot_wanted(self) -> bool:
        with self.changed:
            return bool(self._ready()) and not self.stopping

    def _execute(self, job: Job, slot: Slot) -> None:
        with self.changed:
            self.observer.on_event(job, Started())
        ending: Ending
        try:
            job.prepare()
            ending = self._follow(job, slot)
        except XlqaError as error:
            ending = Failed(str(error), errno_of(error))
        except (OSError, ValueError) as error:
            # No worker could be started, or it wrote something unreadable: this run fails, the others go on.
            ending = Failed(f"{type(error).__name__}: {error}", errno_of(error))
        with self.changed:
            slot.busy = False
            self._end(job, ending)
            self.changed.notify_all()

    def _follow(self, job: Job, slot: Slot) -> Ending:
        """Pass a run's events on; returns how it ended."""
        order = RunOrder(str(job.folder.path), job.keep, self.checkpoint_minutes)
        with _Deadline(slot, self.timeout_minutes) as deadline, closing(slot.execute(order)) as events:
            for event in events:
                if isinstance(event, ENDINGS):
                    ended_early = isinstance(event, Crashed | Lost)
                    return deadline.failure(job.folder) if deadline.passed and ended_early else event
                if isinstance(event, Step):
                    job.progress = job.training * event.step / max(1, event.steps)
                deadline.stop() if isinstance(event, Waiting) else deadline.start()
                with self.changed:
                    self.observer.on_event(job, event)
        raise ValueError("the worker ended without an answer.")

    # ---- what happens after a run; `changed` is held

    def _end(self, job: Job, ending: Ending) -> None:
        if isinstance(ending, Finished):
            job.state, job.progress = "done", 1.0
            self.observer.on_event(job, ending)
        elif self.stopping or self._is_disk_error(job, ending):
            job.state = "waiting"
        elif isinstance(ending, Crashed):
            job.crashes += 1
            self._try_again(job, ending) if job.crashes <= CRASHES_ALLOWED else self._fail(job, ending)
        elif isinstance(ending, Lost):
            # The run is not to blame, and keeps its second try after a crash.
            job.losses += 1
            repeated = Failed(f"{ending.error} That was the {job.losses}th time.")
            self._try_again(job, ending) if job.losses <= LOSSES_ALLOWED else self._fail(job, repeated)
        else:
            self._fail(job, Failed(describe_failure(ending), ending.errno))

    def _is_disk_error(self, job: Job, ending: Failed | Crashed | Lost) -> bool:
        """Whether the disk stopped a job; the others would fare no better, so the sweep stops."""
        number = ending.errno if isinstance(ending, Failed) else None
        self.disk_error = self.disk_error or find_disk_error(job.folder.root, number)
        self.stopping = self.stopping or self.disk_error is not None
        return self.disk_error is not None

    def _try_again(self, job: Job, ending: Crashed | Lost) -> None:
        job.state, job.progress = "waiting", 0.0
        self.observer.on_event(job, Retry(ending.error))

    def _fail(self, job: Job, ending: Failed | Crashed, log: str | None = None) -> None:
        job.state = "failed"
        record_failure(job.folder, ending.error, tail(job.folder.log) if log is None else log)
        self.observer.on_event(job, Failed(ending.error))


class _Deadline:
    """Cancels the run of a slot that takes longer than it may."""

    def __init__(self, slot: Slot, minutes: float | None) -> None:
        self.slot, self.minutes = slot, minutes
        self.timer: threading.Timer | None = None
        self.passed = False

    def __enter__(self) -> _Deadline:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the clock, unless it is running."""
        if self.minutes is not None and self.timer is None:
            self.timer = threading.Timer(60 * self.minutes, self._pass)
            self.timer.daemon = True
            self.timer.start()

    def stop(self) -> None:
        """Stop the clock and set it back."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _pass(self) -> None:
        self.passed = True
        self.slot.cancel()

    def failure(self, folder: RunFolder) -> Failed:
        """How the run in a folder failed when its time had passed."""
        resume = "; the next start resumes from its checkpoint" if folder.checkpoint.is_file() else ""
        return Failed(f"took longer than --timeout {self.minutes:g} minutes: raise it{resume}.")
