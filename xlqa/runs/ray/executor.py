"""Executing runs on a Ray cluster: slots on its nodes, one for each GPU, or one per node where there are no GPUs.

    ray start --head
    xlqa sweep --lang ru --launcher ray

The driver alone writes below the sweep's folder what the nodes that do not see that folder send back. A node that is lost costs
its runs, which are tried again elsewhere.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.runs.execute.events import Crashed, Ending, Event, Failed, Lost, RunOrder, Waiting
from xlqa.runs.execute.executor import Executor, Slot
from xlqa.runs.paths import RunFolder
from xlqa.runs.ray.cluster import Node, end_actor, is_lost, is_reachable, joined, nodes, on_node, other_versions
from xlqa.runs.ray.transfer import FilePart, await_files, download_outputs, needed_files
from xlqa.runs.ray.worker_actor import THREAD_VARIABLES, Probe, RemoteOrder, RunEnd, WorkerActor
from xlqa.training.events import Stage
from xlqa.util.files import sha256_of, temporary_beside, write_text
from xlqa.util.locks import waiting_lock

IDLE_SECONDS = 15.0
"""How long a slot waits for a run before it gives its share of the node back to others."""

HELD_SECONDS = 30.0
"""How long others may hold a node's GPU or CPUs before the user is told."""

EMPTY_SECONDS = 300.0
"""How long a sweep waits for a node when all are lost."""

CLOSE_SECONDS = 10.0
"""How long a slot may take to end by itself."""

REFUSALS_ALLOWED = 3
"""How often a node may fail to start a slot or a run before it gets no more."""


class RayExecutor(Executor):
    """Slots on the nodes of a Ray cluster.

    Args:
        address: of the cluster, as `find_cluster` returns it.
        device: auto (GPUs where the cluster has any, else CPUs), cpu or cuda.
        workers_per_device: runs at once on each GPU; on nodes without any, on each node.

    Raises:
        XlqaError: the device names one GPU of this machine.
    """

    idle_seconds = IDLE_SECONDS
    longest_first = True

    def __init__(self, address: str, device: str, workers_per_device: int = 1) -> None:
        if device.startswith("cuda:"):
            raise XlqaError(f"--device {device}: with --launcher ray use cuda or auto: Ray chooses the GPU.")
        self.address, self.device, self.workers_per_device = address, device, workers_per_device
        self.token = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._forget_session()
        self.last_usable = 0.0

    def _forget_session(self) -> None:
        """What belongs to one connection: tuning and the sweep after it have one each."""
        self.packer = Packer()
        self.refusals: dict[str, list[str]] = {}
        self.known: set[str] = set()

    @contextmanager
    def connected(self, root: Path, models: Sequence[str], note: Callable[[str], None]) -> Iterator[None]:
        self.root, self.models, self.note = root, tuple(models), note
        with joined(self.address):
            self._forget_session()
            self._inspect_nodes()
            self.last_usable = time.monotonic()
            yield

    def count_slots(self, runs: int) -> int:
        # The nodes are not known before the cluster is joined.
        return min(self.workers_per_device, max(1, runs))

    def _inspect_nodes(self) -> None:
        """The nodes' GPUs decide what `auto` means; their versions of xlqa must be the same as here."""
        found = [node for node in nodes() if is_reachable(node)]
        if self.device == "auto":
            self.device = "cuda" if any(node.gpus >= 1 for node in found) else "cpu"
        able = [node for node in found if self._slots_of(node)]
        if not able:
            wanted = "GPU" if self.device == "cuda" else "CPU"
            raise XlqaError(
                f"--launcher ray: no node of the cluster at {self.address} offers a {wanted}: add one with "
                f"`ray start --address {self.address}`."
            )
        if wrong := other_versions(able):
            raise XlqaError("--launcher ray: " + next(iter(wrong.values())))
        self.known = {node.id for node in able}

    def _slots_of(self, node: Node) -> int:
        if self.device == "cuda":
            return int(node.gpus) * self.workers_per_device
        return self.workers_per_device * (node.cpus > 0)

    def new_slots(self, wanted: int, existing: Sequence[Slot]) -> list[Slot]:
        """One slot after another on the node that has the fewest."""
        usable = self._usable_nodes()
        if usable or any(slot.busy for slot in existing):
            self.last_usable = time.monotonic()
        else:
            self._raise_if_hopeless()
        taken = Counter(slot.node.id for slot in existing if isinstance(slot, RaySlot))
        slots: list[Slot] = []
        while len(slots) < wanted:
            free = [node for node in usable if taken[node.id] < self._slots_of(node)]
            if not free:
                break
            node = min(free, key=lambda node: taken[node.id])
            taken[node.id] += 1
            slots.append(RaySlot(node, self))
        return slots

    def _usable_nodes(self) -> list[Node]:
        """The nodes that can execute runs now; the version of those that joined since is checked once."""
        able = [node for node in nodes() if self._slots_of(node) and is_reachable(node)]
        if fresh := [node for node in able if node.id not in self.known]:
            wrong = other_versions(fresh)
            for node in fresh:
                self.known.add(node.id)
                if node in wrong:
                    self.refusals[node.id] = [wrong[node]] * REFUSALS_ALLOWED
                    self.note(f"{wrong[node]} It gets no runs.")
        return [node for node in able if len(self.refusals.get(node.id, ())) < REFUSALS_ALLOWED]

    def _raise_if_hopeless(self) -> None:
        """Without a usable node, give up: at once where those that are there cannot run, otherwise after a while."""
        broken = [lines[-1] for lines in self.refusals.values() if len(lines) >= REFUSALS_ALLOWED]
        if broken or time.monotonic() - self.last_usable > EMPTY_SECONDS:
            reason = broken[0] if broken else "all of them were lost."
            raise XlqaError(f"--launcher ray: no node can execute runs: {reason} The same command resumes the sweep.")

    def count_refusal(self, node: Node, reason: str) -> None:
        """Record that a node could not do something; in the end it gets no more runs."""
        lines = self.refusals.setdefault(node.id, [])
        lines.append(reason)
        if len(lines) == REFUSALS_ALLOWED:
            self.note(f"{reason} The node gets no more runs.")

    def start_actor(self, node: Node) -> Any:
        """An actor on a node with its share of a GPU, or of the node's CPUs."""
        import ray

        share = node.cpus / self.workers_per_device
        on_gpu = {"num_gpus": _fraction(1 / self.workers_per_device), "num_cpus": 0}
        on_cpu = {"num_cpus": int(share) if share >= 1 else _fraction(share)}
        options = {
            **(on_gpu if self.device == "cuda" else on_cpu),
            "max_restarts": 0, "max_concurrency": 2, "scheduling_strategy": on_node(node),
        }  # fmt: skip
        device = "cuda:0" if self.device == "cuda" else "cpu"
        return ray.remote(WorkerActor).options(**options).remote(device, environment(self.device), self.token)

    @contextmanager
    def probe(self) -> Iterator[Probe]:
        """A file in the sweep's folder by which a node can tell that it sees this very folder."""
        text = uuid.uuid4().hex
        path = temporary_beside(self.root / f"probe-{text}")
        write_text(path, text)
        try:
            yield Probe(str(self.root), path.name, text, self.models)
        finally:
            path.unlink(missing_ok=True)


class RaySlot(Slot):
    """A share of a node: an actor there, which owns a worker process."""

    def __init__(self, node: Node, executor: RayExecutor) -> None:
        self.node, self.executor = node, executor
        self.actor: Any = None
        self.shared = True
        self.run = ""

    def open(self, is_wanted: Callable[[], bool]) -> bool:
        """Start the actor; False where the node was lost, or no run is left before its share of the node is free."""
        import ray
        from ray.exceptions import RayError

        self.actor = self.executor.start_actor(self.node)
        try:
            if not self._await_actor(is_wanted):
                self.terminate()
                return False
            with self.executor.probe() as probe:
                self.shared = bool(ray.get(self.actor.sees.remote(probe)))
            return True
        except RayError as error:
            self.terminate()
            if is_wanted() and not is_lost(self.node):
                self.executor.count_refusal(self.node, f"node {self.node.name}: {last_line(error)}")
            return False

    def _await_actor(self, is_wanted: Callable[[], bool]) -> bool:
        import ray

        started, began, told = self.actor.__ray_ready__.remote(), time.monotonic(), False
        while not ray.wait([started], timeout=0.5)[0]:
            if time.monotonic() - began > HELD_SECONDS and not told:
                told = True
                self.executor.note(
                    f"node {self.node.name}: waiting until others release what they hold of it (see `ray status`)."
                )
            if not is_wanted() or not is_reachable(self.node):
                return False
        ray.get(started)
        return True

    def execute(self, order: RunOrder) -> Generator[Event]:
        from ray.exceptions import RayActorError, RayError

        folder = RunFolder(Path(order.folder))
        self.run = folder.path.relative_to(folder.root).as_posix()
        remote = RemoteOrder(str(folder.root), self.run, order.keep, order.checkpoint_minutes)
        try:
            yield Waiting()
            with held_by_driver(folder, alone=not self.shared):
                if self.shared:
                    yield Stage("starting")
                    remote = remote.with_expected(_files_to_await(folder))
                else:
                    yield Stage("sending files")
                    remote = remote.with_parts(self.executor.packer.pack(folder))
                yield from self._follow(remote, folder)
        except RayActorError:
            yield self._describe_death()
        except RayError as error:
            self.cancel()  # it may be in the middle of the run
            yield Failed(f"node {self.node.name}: {last_line(error)}")

    def _follow(self, order: RemoteOrder, folder: RunFolder) -> Generator[Event]:
        import ray

        for ref in self.actor.execute.options(num_returns="streaming").remote(order):
            event = ray.get(ref)
            if isinstance(event, RunEnd):
                self._fetch(order, folder, event.files)
                yield self._take_refusal(event.ending)
                return
            yield event

    def _fetch(self, order: RemoteOrder, folder: RunFolder, files: Mapping[str, str]) -> None:
        """Wait for, or download, what a run left on the node."""
        import ray

        if order.parts is None:
            await_files(folder.path, files)
        else:
            download_outputs(folder, files, lambda name: ray.get(self.actor.read.remote(name)))

    def _take_refusal(self, ending: Ending) -> Ending:
        """A node that could not execute a run: another slot has to, and the node is asked less often."""
        if not isinstance(ending, Lost):
            return ending
        self.usable = False
        reason = f"node {self.node.name}: {ending.error}"
        self.executor.count_refusal(self.node, reason)
        return Lost(reason)

    def _describe_death(self) -> Crashed | Lost:
        self.usable = False
        self.terminate()
        name = self.node.name
        if is_lost(self.node):
            return Lost(f"its node {name} was lost.")
        return Crashed(f"its slot on node {name} was killed.")

    def cancel(self) -> None:
        import ray

        ray.wait([self.actor.kill_worker.remote(self.run)], timeout=CLOSE_SECONDS)

    def terminate(self) -> None:
        if self.actor is not None:
            end_actor(self.actor)

    def close(self) -> None:
        """Give the share of the node back."""
        import ray
        from ray.exceptions import RayError

        if self.actor is None:
            return
        with suppress(RayError):  # it may have ended before
            ray.wait([self.actor.close.remote()], timeout=CLOSE_SECONDS)
        self.terminate()


class Packer:
    """Files as objects in Ray's store; each is put there once, however many runs need it."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.lock = threading.Lock()

    def pack(self, folder: RunFolder) -> list[FilePart]:
        """All files that a prepared run needs."""
        from xlqa.util.files import known_sha256

        return [self._put(name, path, known_sha256(path)) for name, path in sorted(needed_files(folder).items())]

    def _put(self, name: str, path: Path, sha256: str) -> FilePart:
        import numpy as np
        import ray

        with self.lock:
            if sha256 not in self.objects:
                # An array, which nodes read from the store without a copy.
                self.objects[sha256] = ray.put(np.fromfile(path, dtype=np.uint8))
            return FilePart(name, sha256, self.objects[sha256])


@contextmanager
def held_by_driver(folder: RunFolder, alone: bool) -> Iterator[None]:
    """Hold a run against other sweeps of this host; those of other hosts are not excluded.

    A worker's own lock, on the run's folder, does not reach from node to node. So drivers hold another one, on `eval`.

    Args:
        alone: no worker will lock the run's folder, because it works on a copy elsewhere; so it is held as well.
    """
    inner = folder.path / "eval"
    inner.mkdir(exist_ok=True)
    with waiting_lock(inner), waiting_lock(folder.path) if alone else nullcontext():
        yield


def _files_to_await(folder: RunFolder) -> dict[str, str]:
    """SHA-256 of the files that must be visible on a node before a run can start there."""
    models = [
        path for path in needed_files(folder).values() if path.name == "config.json" and path.parent.name == "model"
    ]
    names = [path.relative_to(folder.root).as_posix() for path in (folder.config, *models)]
    return {name: sha256 for name in names if (sha256 := sha256_of(folder.root / name))}


def last_line(error: Exception) -> str:
    """Ray's message about an error, without the traces before it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


def _fraction(share: float) -> float:
    """A share in ten-thousandths, as Ray counts, rounded down so that all of them fit."""
    return int(share * 10_000) / 10_000


def environment(device: str) -> dict[str, str]:
    """Variables of the nodes' worker processes: as many threads as here, so that a CPU computes the same digits."""
    given = {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ}
    if device == "cpu":
        from xlqa.training.devices import thread_count

        given.setdefault("OMP_NUM_THREADS", str(thread_count()))
    return given
