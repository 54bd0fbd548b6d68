"""What runs on the nodes of a Ray cluster: an actor for each slot, which owns a worker process and gives it runs.

The worker process is the one of a sweep on one machine (`runs/execute/local.py`), so that a run is the same here and there: it
keeps in memory what runs share, writes what libraries print to the run's log, and ends when its actor does.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from xlqa.data.cache import cache_folder
from xlqa.errors import XlqaError
from xlqa.runs.execute.disk_errors import FULL
from xlqa.runs.execute.events import Crashed, Ending, Event, Failed, Finished, Lost, RunOrder
from xlqa.runs.execute.local import WorkerProcess
from xlqa.runs.paths import RunFolder
from xlqa.runs.ray.transfer import FilePart, Mirror, await_files, listing, marks
from xlqa.util.files import temporary_beside

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Ray sets the first to a task's CPUs. The number of threads decides the last digits on a CPU, so the driver sets it."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How a node is asked whether it sees the sweep's folder.

    Attributes:
        root: the folder; name, text: a file that was just written there, and its content.
        models: model folders below it, which may be links to somewhere else.
    """

    root: str
    name: str
    text: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteOrder:
    """One run to execute on a node.

    Attributes:
        root: the sweep's folder on the driver; run: the run's folder below it.
        expected: where the node sees that folder, SHA-256 of files that must be visible there first.
        parts: where it does not, the files to write; None where it does.
    """

    root: str
    run: str
    keep: bool
    checkpoint_minutes: float
    expected: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[FilePart] | None = None

    def with_expected(self, expected: Mapping[str, str]) -> RemoteOrder:
        return replace(self, expected=expected)

    def with_parts(self, parts: Sequence[FilePart]) -> RemoteOrder:
        return replace(self, parts=parts)


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended on a node, and SHA-256 of the files that the driver must now see or fetch, by path."""

    ending: Ending
    files: Mapping[str, str]


class WorkerActor:
    """A worker process on a node, as a Ray actor.

    Args:
        device: `cpu`, or `cuda:0` for the GPU that Ray gave this actor.
        environment: variables of the worker process; those of THREAD_VARIABLES that are missing are unset.
        token: names this sweep in the node's cache.
    """

    def __init__(self, device: str, environment: Mapping[str, str], token: str) -> None:
        for name in THREAD_VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(environment)
        self.device, self.token = device, token
        self.worker: WorkerProcess | None = None
        self.mirror: Mirror | None = None
        self.folder: RunFolder | None = None
        self.current = ""

    def sees(self, probe: Probe) -> bool:
        """Whether this node sees and may write the sweep's folder, and all models that it links to."""
        if os.environ.get("XLQA_RAY_SHARED") == "0":
            return False
        root = Path(probe.root)
        try:
            if (root / probe.name).read_text(encoding="utf-8") != probe.text:
                return False
            written = temporary_beside(root / "runs" / "probe")
            written.touch()
            written.unlink()
        except OSError:
            return False
        return all((root / model / "config.json").is_file() for model in probe.models)

    def execute(self, order: RemoteOrder) -> Generator[Event | RunEnd]:
        """Events of one run, and how it ended.

        It ended as `Lost` where this node has no space left, or lacks what a worker needs: another node can execute it.
        """
        try:
            folder = self._prepare(order)
            if self.worker is None or not self.worker.is_alive():
                self.worker = WorkerProcess(self.device)
        except (XlqaError, OSError) as error:
            yield RunEnd(Lost(str(error).splitlines()[0]), {})
            return
        self.current, has_reported = order.run, False
        for event in self.worker.execute(RunOrder(str(folder.path), order.keep, order.checkpoint_minutes)):
            if isinstance(event, Finished | Failed | Crashed | Lost):
                ending = self._judge(event, has_reported, order)
                yield RunEnd(ending, self._files(folder, order))
                return
            has_reported = True
            yield event

    def _judge(self, ending: Ending, has_reported: bool, order: RemoteOrder) -> Ending:
        if isinstance(ending, Failed) and order.parts is not None and ending.errno in FULL:
            return Lost(ending.error)
        # Without an event and by itself: the worker could not even load its libraries, so no run would get further.
        if isinstance(ending, Crashed) and not has_reported and self.worker and not self.worker.was_killed:
            return Lost(ending.error)
        return ending

    def _prepare(self, order: RemoteOrder) -> RunFolder:
        if order.parts is None:
            await_files(Path(order.root), order.expected)
            self.folder = RunFolder(Path(order.root) / order.run)
        else:
            import ray

            if self.mirror is None:
                self.mirror = Mirror(cache_folder() / "ray", self.token)
            self.folder = self.mirror.lay_out(order.run, order.parts, ray.get)
        return self.folder

    def _files(self, folder: RunFolder, order: RemoteOrder) -> dict[str, str]:
        return marks(folder) if order.parts is None else listing(folder, order.keep or folder.is_source)

    def read(self, name: str) -> Any:
        """The bytes of a file of the last run."""
        import numpy as np

        assert self.folder is not None
        return np.fromfile(self.folder.path / name, dtype=np.uint8)

    def kill_worker(self, run: str) -> None:
        """Kill the worker if it is executing this run: `execute` then ends with `Crashed`."""
        if self.worker is not None and run == self.current:
            self.worker.kill()

    def close(self) -> None:
        """Let the worker process exit, and leave nothing in the node's cache."""
        if self.worker is not None:
            self.worker.close()
        if self.mirror is not None:
            self.mirror.close()
