"""The executor seam: who executes runs. `runs/execute/local.py` uses this machine, `runs/ray/executor.py` a Ray cluster.

The scheduler decides which run is next and what happens after a failure. An executor provides slots; a slot executes one run
at a time and reports its events.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from xlqa.runs.execute.events import Event, RunOrder


class Slot(ABC):
    """A place for one run at a time: a device of this machine, or a share of a node.

    Attributes:
        busy: whether a run is in progress; the scheduler sets it.
        usable: whether the slot can execute another run.
    """

    busy: bool = False
    usable: bool = True

    def open(self, is_wanted: Callable[[], bool]) -> bool:
        """Get what the slot needs; False where that is not available, or `is_wanted` became false meanwhile."""
        return is_wanted()

    @abstractmethod
    def execute(self, order: RunOrder) -> Generator[Event]:
        """Execute a run; gives its events, of which the last one is an `Ending`."""

    @abstractmethod
    def cancel(self) -> None:
        """End the run in progress; `execute` then ends."""

    @abstractmethod
    def close(self) -> None:
        """Let an idle slot end and give back what it holds."""

    def terminate(self) -> None:
        """End the slot at once, with the run in progress."""
        self.cancel()


class Executor(ABC):
    """Provides slots.

    Attributes:
        idle_seconds: how long a slot waits for a run before it is closed.
        longest_first: whether runs start in order of their cost instead of in the table's order.
    """

    idle_seconds: float = math.inf
    longest_first: bool = False

    @contextmanager
    def connected(self, root: Path, models: Sequence[str], note: Callable[[str], None]) -> Iterator[None]:
        """Prepare for the runs of a sweep.

        Args:
            root: the sweep's folder. models: model folders below it.
            note: prints a line for the user.

        Raises:
            XlqaError: no run can be executed.
        """
        yield

    @abstractmethod
    def count_slots(self, runs: int) -> int:
        """An estimate of how many of `runs` runs will be in progress at once."""

    @abstractmethod
    def new_slots(self, wanted: int, existing: Sequence[Slot]) -> list[Slot]:
        """Up to `wanted` further slots that can be opened now.

        Raises:
            XlqaError: there will never be one.
        """
