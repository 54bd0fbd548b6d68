"""Executors for tests: runs in this process, and workers that misbehave as told."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.runs.execute.events import Event, Failed, Finished, RunOrder
from xlqa.runs.execute.executor import Executor, Slot
from xlqa.runs.execute.scheduler import Job
from xlqa.runs.paths import RunFolder


class InProcessSlot(Slot):
    """Executes runs in this process, on the CPU: what a worker does, without its start."""

    def execute(self, order: RunOrder) -> Generator[Event]:
        from xlqa.runs.execute.run import execute

        events: list[Event] = []
        try:
            folder = RunFolder(Path(order.folder))
            done = execute(folder, keep=order.keep, listen=events.append, device="cpu")
        except XlqaError as error:
            yield Failed(str(error))
            return
        yield from events
        yield Finished(done.evaluations, done.trained)

    def cancel(self) -> None: ...
    def close(self) -> None: ...


Script = Callable[[RunFolder], Event]


class ScriptedSlot(Slot):
    """A slot whose runs end as a function of their folder says; counts what happened to it."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.cancelled = self.closed = 0

    def execute(self, order: RunOrder) -> Generator[Event]:
        yield self.script(RunFolder(Path(order.folder)))

    def cancel(self) -> None:
        self.cancelled += 1

    def close(self) -> None:
        self.closed += 1


class FixedExecutor(Executor):
    """An executor of slots that are made beforehand."""

    def __init__(self, *slots: Slot) -> None:
        self.slots = list(slots)

    def count_slots(self, runs: int) -> int:
        return len(self.slots)

    def new_slots(self, wanted: int, existing: Sequence[Slot]) -> list[Slot]:
        return [slot for slot in self.slots if slot not in existing][:wanted]


def in_process() -> FixedExecutor:
    """An executor that runs everything in this process, one run after another."""
    return FixedExecutor(InProcessSlot())


class Recorder:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.failures: dict[str, str] = {}
        self.notes: list[str] = []

    def on_event(self, job: Job, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Failed):
            self.failures[job.label] = event.error

    def note(self, line: str) -> None:
        self.notes.append(line)

    def kinds(self) -> list[str]:
        """The events' names in order."""
        return [type(event).__name__ for event in self.events]
