"""What runs on the nodes of a Ray cluster: an actor a slot, which owns one worker process and hands it runs.

The worker process is the one that `xlqa sweep` uses on one machine, so that a run there and here is the same: it keeps
what runs share in memory, writes what libraries print to the run's log, and ends when its actor does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlqa.data.cache import cache_folder
from xlqa.errors import XlqaError
from xlqa.runs.execute.disk_errors import FULL
from xlqa.runs.execute.scheduler import LocalWorker
from xlqa.runs.paths import RunFolder
from xlqa.runs.ray.transfer import FilePart, Mirror, await_files, listing, marks
from xlqa.util.files import temporary_beside

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Ray sets the first to a task's CPUs; how many threads compute decides the last digits on a CPU, so the driver says."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How a node is asked whether it sees the sweep's folder.

    Attributes:
        root: the folder; name, text: a file that was just written there, and what it holds.
        models: model folders below it, which may be links to somewhere else.
    """

    root: str
    name: str
    text: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunOrder:
    """One run to do.

    Attributes:
        root: the sweep's folder on the driver; run: the run's folder below it.
        shows: where the node sees that folder, SHA-256 of files that must show there first.
        parcels: where it does not, the files to lay out; None where it does.
    """

    root: str
    run: str
    keep: bool
    checkpoint_minutes: float
    shows: Mapping[str, str]
    parcels: Sequence[FilePart] | None


class WorkerActor:
    """A worker process on a node, as a Ray actor.

    Args:
        device: `cpu`, or `cuda:0` for the GPU that Ray gave this actor.
        environment: variables for the worker process; of THREAD_VARIABLES those that are missing are unset.
        token: names this sweep in the node's cache.
    """

    def __init__(self, device: str, environment: Mapping[str, str], token: str) -> None:
        for name in THREAD_VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(environment)
        self.device, self.token = device, token
        self.worker: LocalWorker | None = None
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

    def work(self, order: RunOrder) -> Iterator[dict[str, Any]]:
        """Events of one run. The last is one of four, and its `files` are what the driver must see or fetch.

        `done` and `failed` say how the run ended, `died` that it took its worker process with it, and `refused` that this
        node, which has no space left or not what a worker needs, could not do it: another node can.
        """
        try:
            folder = self._prepare(order)
            if self.worker is None or not self.worker.alive():
                self.worker = LocalWorker(self.device)
        except (XlqaError, OSError) as error:
            yield {"event": "refused", "error": str(error).splitlines()[0], "files": {}}
            return
        self.current, spoke = order.run, False
        for event in self.worker.work(folder, order.keep, order.checkpoint_minutes):
            if event["event"] not in ("done", "failed"):
                spoke = True
                yield event
                continue
            if order.parcels is not None and event.pop("errno", None) in FULL:
                event["event"] = "refused"
            yield event | {"files": self._files(folder, order)}
            return
        cause = self.worker.crash_cause()
        # Without a word and by itself: it could not even load its libraries, and no run would get further.
        ending = "died" if spoke or self.worker.process.returncode < 0 else "refused"
        yield {"event": ending, "error": cause, "files": self._files(folder, order)}

    def _prepare(self, order: RunOrder) -> RunFolder:
        if order.parcels is None:
            await_files(Path(order.root), order.shows)
            self.folder = RunFolder(Path(order.root) / order.run)
        else:
            import ray

            if self.mirror is None:
                self.mirror = Mirror(cache_folder() / "ray", self.token)
            self.folder = self.mirror.lay_out(order.run, order.parcels, ray.get)
        return self.folder

    def _files(self, folder: RunFolder, order: RunOrder) -> dict[str, str]:
        return marks(folder) if order.parcels is None else listing(folder, order.keep or folder.is_source)

    def read(self, name: str) -> Any:
        """The bytes of a file of the last run."""
        import numpy as np

        assert self.folder is not None
        return np.fromfile(self.folder.path / name, dtype=np.uint8)

    def kill_worker(self, run: str) -> None:
        """End a run, if it is this that is being done: `work` then says that its worker died."""
        if self.worker is not None and run == self.current:
            self.worker.kill()

    def close(self) -> None:
        """Let the worker process end, and leave nothing in the node's cache."""
        if self.worker is not None:
            self.worker.close()
        if self.mirror is not None:
            self.mirror.close()
