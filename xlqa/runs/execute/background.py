"""What a sweep does beside its runs, in threads: writing the table at intervals, removing stale files, preparing configs."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout
from xlqa.runs.plan.cost import Pending
from xlqa.runs.plan.planner import Plan
from xlqa.runs.store.failures import write_failures
from xlqa.runs.store.setup import write_configs
from xlqa.runs.store.table import write_results
from xlqa.util.files import remove_stale_files

LEAST_SECONDS = 2.0
"""Time between two tables at least."""

SHARE = 0.05
"""Share of the time that may be spent on writing tables: a table of 10,000 runs takes seconds."""


class TableWriter:
    """Writes the tables in its own thread, some time after `request`, and again when an exception leaves the block.

    A table that cannot be written is no error here: at its end a sweep writes the tables itself.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.requested, self.stopped = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> TableWriter:
        self.thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.stopped.set()
        self.requested.set()
        self.thread.join()
        if kind is not None:
            # The user is told why the sweep stopped, not that a full disk does not hold the table either.
            self._write()

    def request(self) -> None:
        """Ask for a table that includes all runs that are finished by now."""
        self.requested.set()

    def _run(self) -> None:
        while self.requested.wait() and not self.stopped.is_set():
            self.requested.clear()
            began = time.monotonic()
            self._write()
            self.stopped.wait(max(LEAST_SECONDS, (time.monotonic() - began) * (1 / SHARE - 1)))

    def _write(self) -> None:
        with suppress(XlqaError, OSError):
            write_results(self.layout)
            write_failures(self.layout)


@contextmanager
def tidying(plan: Plan, pending: Pending) -> Iterator[None]:
    """Meanwhile remove what ended processes left half-written, and write the configs of the runs that wait.

    Runs do not wait for that: each start writes its own config. `xlqa status` counts the runs that have one.
    """
    ended, interrupted = threading.Event(), threading.Event()

    def tidy() -> None:
        with suppress(XlqaError, OSError):
            remove_stale_files(itertools.takewhile(lambda _: not interrupted.is_set(), plan.layout.folders()))
            write_configs(plan, plan.stages, pending.runs, lambda: not ended.is_set())

    thread = threading.Thread(target=tidy, daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        interrupted.set()
        raise
    finally:
        ended.set()
        thread.join()
