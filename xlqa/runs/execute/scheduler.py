"""Running a plan on this machine: a worker process per device, source stages before the runs that start from them.

A worker that dies (kill -9, out of memory, a fault in a driver) costs its run: it is replaced, and the run is tried once
more before it counts as failed.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from xlqa.errors import XlqaError
from xlqa.runs.execute.disk_errors import errno_of, find_disk_error, name_failure
from xlqa.runs.execute.run import CHECKPOINT_MINUTES, WAITING, record_failure
from xlqa.runs.execute.worker import tail
from xlqa.runs.paths import RunFolder

CRASHES_ALLOWED = 1
"""How often a run may take its worker with it before it counts as failed."""


@dataclass(eq=False)
class Job:
    """One source stage or run to do.

    Attributes:
        prepare: writes the run's config, at the last moment, when the source stage's weights are known.
        depends_on: the job that must be done before.
        cost: rough work in pieces, for the time that is left; training: share of it (0 to 1) that is training.
    """

    folder: RunFolder
    label: str
    keep: bool
    cost: float
    prepare: Callable[[], object]
    depends_on: Job | None = None
    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    crashes: int = 0
    progress: float = 0.0
    training: float = 1.0


class Observer(Protocol):
    """Who is told how a launch goes."""

    def note(self, line: str) -> None: ...
    def started(self, job: Job) -> None: ...
    def event(self, job: Job, event: dict[str, Any]) -> None: ...
    def finished(self, job: Job) -> None: ...
    def failed(self, job: Job, error: str) -> None: ...


class Worker(Protocol):
    """Who does runs, one after another: a process of this machine, or of another."""

    def alive(self) -> bool: ...
    def work(self, folder: RunFolder, keep: bool, checkpoint_minutes: float) -> Iterator[dict[str, Any]]: ...
    def crash_cause(self) -> str: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...


@dataclass
class Launch:
    """Runs jobs on worker processes, one per slot; `run` returns when all are done or failed.

    Args:
        jobs: a job's `needs` stand before it.
        slots: a device per worker process.
        observer: told of everything, one call at a time.
        checkpoint_minutes: time between two checkpoints of a training; 0 for none.
        timeout_minutes: a run that takes longer fails; None for no limit. Waiting for another process does not count.
    """

    jobs: Sequence[Job]
    slots: Sequence[str]
    observer: Observer
    checkpoint_minutes: float = CHECKPOINT_MINUTES
    timeout_minutes: float | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)
    stopping: bool = False
    disk_error: str | None = None
    internal_error: Exception | None = None
    workers: list[Worker] = field(default_factory=list)

    def run(self) -> None:
        """Do all jobs; Ctrl-C and SIGTERM stop the workers and leave finished runs as they are.

        Raises:
            XlqaError: the sweep's disk is full, read-only or gone; jobs that it stopped are waiting again.
            KeyboardInterrupt: Ctrl-C or SIGTERM.
        """
        threads = [threading.Thread(target=self._serve, args=(device,), daemon=True) for device in self.slots]
        with stoppable() as asked:
            try:
                for thread in threads:
                    thread.start()
                while not asked.wait(0.1) and not self.stopping and any(thread.is_alive() for thread in threads):
                    pass
            finally:
                self._stop()
                for thread in threads:
                    thread.join(5.0)
            if asked.is_set():
                raise KeyboardInterrupt
        if self.internal_error is not None:
            raise self.internal_error
        if self.disk_error:
            raise XlqaError(self.disk_error)

    def _stop(self) -> None:
        with self.changed:
            self.stopping = True
            self.changed.notify_all()
        for worker in list(self.workers):
            worker.kill()

    def _next(self, patience: float = math.inf) -> Job | None:
        """The next job that can start; waits, `patience` seconds at most, while others might make one ready."""
        deadline = time.monotonic() + patience
        with self.changed:
            while not self.stopping and time.monotonic() < deadline:
                self._fail_orphans()
                if ready := self._ready():
                    ready[0].state = "running"
                    return ready[0]
                if not self._unfinished():
                    return None
                self.changed.wait(0.5)
        return None

    def _ready(self) -> list[Job]:
        """The jobs that can start now."""
        return [j for j in self.jobs if j.state == "waiting" and (j.depends_on is None or j.depends_on.state == "done")]

    def _unfinished(self) -> bool:
        return any(job.state in ("waiting", "running") for job in self.jobs)

    def _fail_orphans(self) -> None:
        """A job whose source stage failed cannot run."""
        for job in self.jobs:
            if job.state == "waiting" and job.depends_on is not None and job.depends_on.state == "failed":
                self._fail(job, f"its source stage {job.depends_on.folder.id} failed.", "")

    def _serve(self, device: str) -> None:
        worker: Worker | None = None
        try:
            while (job := self._next()) is not None:
                worker = self._do(job, worker, device)
        except Exception as error:  # a fault of ours must not leave the sweep waiting for what nobody does
            with self.changed:
                self.internal_error, self.stopping = error, True
                self.changed.notify_all()
        finally:
            if worker is not None:
                worker.close()

    def _do(self, job: Job, worker: Worker | None, device: str) -> Worker | None:
        """Do one job on a worker, a new one where there is none alive; returns the worker."""
        with self.changed:
            self.observer.started(job)
        outcome: dict[str, Any] | None
        try:
            job.prepare()
            if worker is None or not worker.alive():
                worker = self._start_worker(device)
            outcome = self._follow_whole(job, worker)
        except XlqaError as error:
            outcome = {"event": "failed", "error": str(error), "errno": errno_of(error)}
        except (OSError, ValueError) as error:
            # No worker could be started, or it said something unreadable: this run fails, the others go on.
            outcome = {"event": "failed", "error": f"{type(error).__name__}: {error}", "errno": errno_of(error)}
        with self.changed:
            if outcome is not None and outcome["event"] == "done":
                job.state, job.progress = "done", 1.0
                self.observer.finished(job)
            elif self.stopping or self._is_disk_error(job, outcome):
                job.state = "waiting"
            elif outcome is None and worker is not None:
                self._on_crash(job, worker)
            else:
                self._fail(job, name_failure(outcome) if outcome else "no worker", tail(job.folder.log))
            self.changed.notify_all()
        return worker

    def _start_worker(self, device: str) -> Worker:
        worker = LocalWorker(device)
        self.workers.append(worker)
        if self.stopping:
            worker.kill()
        return worker

    def _is_disk_error(self, job: Job, outcome: dict[str, Any] | None) -> bool:
        """Whether it was the disk that stopped a job: no other would fare better, so none is tried."""
        self.disk_error = self.disk_error or find_disk_error(job.folder.root, (outcome or {}).get("errno"))
        self.stopping = self.stopping or self.disk_error is not None
        return self.disk_error is not None

    def _follow_whole(self, job: Job, worker: Worker) -> dict[str, Any] | None:
        """Follow a run to its end; a worker that is left in the middle of it is killed, so that it gets no other beside it."""
        try:
            return self._follow(job, worker)
        except (OSError, ValueError):
            worker.kill()
            raise

    def _follow(self, job: Job, worker: Worker) -> dict[str, Any] | None:
        """Hand a job to a worker and pass its events on; None when the worker died."""
        with _Deadline(worker, self.timeout_minutes) as deadline:
            for event in worker.work(job.folder, job.keep, self.checkpoint_minutes):
                if event["event"] in ("done", "failed"):
                    return event
                if event["event"] == "step":
                    job.progress = job.training * event["step"] / max(1, event["steps"])
                deadline.start() if event.get("stage") != WAITING else deadline.stop()
                with self.changed:
                    self.observer.event(job, event)
        return deadline.failure(job.folder)

    def _on_crash(self, job: Job, worker: Worker) -> None:
        job.crashes += 1
        job.progress = 0.0
        cause = worker.crash_cause()
        if job.crashes <= CRASHES_ALLOWED:
            job.state = "waiting"
            self.observer.event(job, {"event": "retry", "error": cause})
        else:
            self._fail(job, cause, tail(job.folder.log))

    def _fail(self, job: Job, error: str, log: str) -> None:
        job.state = "failed"
        record_failure(job.folder, error, log)
        self.observer.failed(job, error)


class LocalWorker:
    """A worker process of this machine and the pipe to it.

    Args:
        device: `cpu`, `cuda:N` for one GPU alone, or what `--device` says.
    """

    def __init__(self, device: str) -> None:
        # Threads that sleep while they wait lose nothing alone, and beside another program do not fall to a tenth of their speed.
        environment = {"OMP_WAIT_POLICY": "passive", **os.environ}
        argument = device
        if device.startswith("cuda:"):
            # The worker sees only its own GPU, so that nothing in it can reach for another's memory.
            visible = environment.get("CUDA_VISIBLE_DEVICES", "").split(",")
            index = int(device.partition(":")[2])
            environment["CUDA_VISIBLE_DEVICES"] = visible[index] if index < len(visible) and visible[0] else str(index)
            argument = "cuda"
        # What it says before its first run and as it dies; during a run it writes to the run's log.
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the worker
        self.process = subprocess.Popen(
            [sys.executable, "-m", "xlqa.runs.execute.worker", "--device", argument],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, encoding="utf-8",
            env=environment, start_new_session=True,
        )  # fmt: skip

    def alive(self) -> bool:
        return self.process.poll() is None

    def work(self, folder: RunFolder, keep: bool, checkpoint_minutes: float) -> Iterator[dict[str, Any]]:
        """Events of one run; ends early when the worker dies."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            order = {"folder": str(folder.path), "keep": keep, "checkpoint_minutes": checkpoint_minutes}
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return
        for line in self.process.stdout:
            if not line.endswith("\n"):
                return  # it died in the middle of a word
            event = json.loads(line)
            yield event
            if event["event"] in ("done", "failed"):
                return

    def crash_cause(self) -> str:
        """Why a worker died, as far as its exit status tells."""
        code = self.process.wait()
        if code >= 0:
            self.errors.seek(0)
            last = self.errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            return f"the worker ended unexpectedly (exit status {code}): {last[0] if last else 'see the log'}."
        name = signal.Signals(-code).name
        hint = " (out of memory?)" if name == "SIGKILL" else ""
        return f"the worker was killed by {name}{hint}."

    def close(self) -> None:
        """Let an idle worker end; it leaves when its input does."""
        if self.process.stdin:
            with suppress(BrokenPipeError):
                self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        if self.alive():
            self.process.kill()
        self.process.wait()


class _Deadline:
    """Kills the worker of a run that takes longer than it may."""

    def __init__(self, worker: Worker, minutes: float | None) -> None:
        self.worker, self.minutes = worker, minutes
        self.timer: threading.Timer | None = None
        self.passed = False

    def __enter__(self) -> _Deadline:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to count, unless it counts already."""
        if self.minutes is not None and self.timer is None:
            self.timer = threading.Timer(60 * self.minutes, self._pass)
            self.timer.daemon = True
            self.timer.start()

    def stop(self) -> None:
        """Count no longer."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _pass(self) -> None:
        self.passed = True
        self.worker.kill()

    def failure(self, folder: RunFolder) -> dict[str, Any] | None:
        """What the run in a folder failed of, if it was its time."""
        if not self.passed:
            return None
        self.worker.crash_cause()  # waits until it is gone
        goes_on = "; the next start goes on from its checkpoint" if folder.checkpoint.is_file() else ""
        error = f"took longer than --timeout {self.minutes:g} minutes: raise it{goes_on}."
        return {"event": "failed", "error": error}


class Stop:
    """Whether somebody asked to stop.

    No `threading.Event`: a signal may come while this very thread holds such an event's lock, and then setting it waits for ever.
    """

    def __init__(self) -> None:
        self._asked = False

    def set(self) -> None:
        self._asked = True

    def is_set(self) -> bool:
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Whether it was asked by the end of so many seconds at most."""
        if not self._asked:
            time.sleep(seconds)
        return self._asked


_asked: Stop | None = None


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Meanwhile Ctrl-C and SIGTERM (a batch system's), however often, only ask to stop: nothing is torn in two.

    Within another one, and outside the main thread, which gets no signals, it changes nothing.
    """
    global _asked
    if threading.current_thread() is not threading.main_thread():
        yield Stop()
        return
    if _asked is not None:
        yield _asked
        return
    _asked = asked = Stop()
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        _asked = None
        for number, handler in before.items():
            signal.signal(number, handler)
