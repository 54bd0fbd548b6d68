"""Running a plan on a Ray cluster: as many slots a node as it has GPUs, or one where there are none; each does runs in turn.

    ray start --head
    xlqa sweep --lang ru --launcher ray

The driver hands out the runs, longest first, and alone writes below the sweep's folder what nodes that do not see it give
back. A node that is lost costs its runs, which are tried again elsewhere; what died alone counts as on one machine.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.runs.execute.run import WAITING
from xlqa.runs.execute.scheduler import Job, Launch, Observer, Stop, Worker, stoppable
from xlqa.runs.execute.worker import tail
from xlqa.runs.paths import RunFolder
from xlqa.runs.ray.cluster import Node, forget, is_lost, is_there, joined, nodes, other_versions, pinned
from xlqa.runs.ray.transfer import FilePart, await_files, download_outputs, needed_files
from xlqa.runs.ray.worker_actor import THREAD_VARIABLES, Probe, RunOrder, WorkerActor
from xlqa.util.files import sha256_of, temporary_beside, waiting_lock, write_text

LOSSES_ALLOWED = 5
"""How often a run may lose its node before it counts as failed."""

IDLE_SECONDS = 15.0
"""How long a slot waits for a run before it gives its share of the node back to others."""

HELD_SECONDS = 30.0
"""How long a node's GPU or CPUs may be in others' hands before that is said."""

EMPTY_SECONDS = 300.0
"""How long a sweep waits for a node when all are lost."""

CLOSE_SECONDS = 10.0
"""How long a slot may take to end by itself."""

REFUSALS_ALLOWED = 3
"""How often a node may fail to start a slot or a run before it is left alone."""

LAST_EVENTS = ("done", "failed", "died", "refused")


class Packer:
    """Files as objects in Ray's store, each put there once however many runs need it."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.lock = threading.Lock()

    def pack(self, folder: RunFolder) -> list[FilePart]:
        """All that a prepared run needs."""
        from xlqa.training.model_folder import hash_file

        return [self._put(name, path, hash_file(path)) for name, path in sorted(needed_files(folder).items())]

    def _put(self, name: str, path: Path, sha256: str) -> FilePart:
        import numpy as np
        import ray

        with self.lock:
            if sha256 not in self.objects:
                # An array, which nodes read out of the store without a copy.
                self.objects[sha256] = ray.put(np.fromfile(path, dtype=np.uint8))
            return FilePart(name, sha256, self.objects[sha256])


class _RemoteWorker:
    """A slot on a node, with the face of a worker process of this machine."""

    def __init__(self, node: Node, actor: Any, shared: bool, packer: Packer) -> None:
        self.node, self.actor, self.shared, self.packer = node, actor, shared, packer
        self.run = self.cause = self.refusal = ""
        self.lost = self.gone = False

    def alive(self) -> bool:
        return not self.gone

    def work(self, folder: RunFolder, keep: bool, checkpoint_minutes: float) -> Iterator[dict[str, Any]]:
        """Events of one run; ends early when its worker died, or the node was lost."""
        from ray.exceptions import RayActorError, RayError

        self.run = folder.path.relative_to(folder.root).as_posix()
        order = RunOrder(str(folder.root), self.run, keep, checkpoint_minutes, {}, None)
        try:
            yield {"event": "stage", "stage": WAITING}
            with _held(folder, alone=not self.shared):
                if self.shared:
                    yield {"event": "stage", "stage": "starting"}
                    order = replace(order, shows=_shows(folder))
                else:
                    yield {"event": "stage", "stage": "sending files"}
                    order = replace(order, parcels=self.packer.pack(folder))
                yield from self._follow(order, folder)
        except RayActorError:
            self._on_crash()
        except RayError as error:
            self.kill()  # it may be in the middle of the run
            raise XlqaError(f"node {self.node.name}: {last_line(error)}") from error

    def _follow(self, order: RunOrder, folder: RunFolder) -> Iterator[dict[str, Any]]:
        import ray

        for ref in self.actor.work.options(num_returns="streaming").remote(order):
            event = ray.get(ref)
            if event["event"] in LAST_EVENTS:
                self._take(order, folder, event["files"])
            if event["event"] == "died":
                self.cause = event["error"]
            elif event["event"] == "refused":
                self.cause = self.refusal = f"node {self.node.name}: {event['error']}"
            else:
                yield event

    def _take(self, order: RunOrder, folder: RunFolder, files: Mapping[str, str]) -> None:
        """See or fetch what a run left on the node."""
        import ray

        if order.parcels is None:
            await_files(folder.path, files)
        else:
            download_outputs(folder, files, lambda name: ray.get(self.actor.read.remote(name)))

    def _on_crash(self) -> None:
        self.gone = True
        forget(self.actor)
        self.lost = is_lost(self.node)
        name = self.node.name
        self.cause = f"its node {name} was lost." if self.lost else f"its slot on node {name} was killed."

    def crash_cause(self) -> str:
        """Why the last run ended early."""
        return self.cause

    def kill(self) -> None:
        """End the run that is being done."""
        import ray

        ray.wait([self.actor.kill_worker.remote(self.run)], timeout=CLOSE_SECONDS)

    def close(self) -> None:
        """Give the share of the node back."""
        import ray

        if not self.gone:
            ray.wait([self.actor.close.remote()], timeout=CLOSE_SECONDS)
            forget(self.actor)


@contextmanager
def _held(folder: RunFolder, alone: bool) -> Iterator[None]:
    """Hold a run against other sweeps of this host; those of other hosts are not kept out.

    A worker's own lock, on the run's folder, does not reach from node to node: so drivers have one besides, on `eval`.

    Args:
        alone: no worker will lock the run's folder, which is somewhere else, so that it is held as well.
    """
    inner = folder.path / "eval"
    inner.mkdir(exist_ok=True)
    with waiting_lock(inner), waiting_lock(folder.path) if alone else nullcontext():
        yield


def _shows(folder: RunFolder) -> dict[str, str]:
    """What must show on a node before a run can start there."""
    names = [path.relative_to(folder.root).as_posix() for path in (folder.config, *_small_source_files(folder))]
    return {name: sha256 for name in names if (sha256 := sha256_of(folder.root / name))}


def _small_source_files(folder: RunFolder) -> list[Path]:
    return [
        path for path in needed_files(folder).values() if path.name == "config.json" and path.parent.name == "model"
    ]


@dataclass(eq=False)
class _Seat:
    """A slot's thread on the driver."""

    node: Node
    busy: bool = False
    said: bool = False
    opened: float = field(default_factory=time.monotonic)


class RayLaunch(Launch):
    """Runs jobs on the nodes of a Ray cluster; `run` returns when all are done or failed.

    Args:
        jobs: a job's `needs` stand before it.
        observer: told of everything, one call at a time.
        root: the sweep's folder; models: model folders below it.
        address: of the cluster, as `find_cluster` gives it.
        device: auto (GPUs where the cluster has any, else CPUs), cpu or cuda.
        per_device: runs at once a GPU; on nodes without any, a node.
        checkpoint_minutes, timeout_minutes: as for `Launch`.
    """

    def __init__(
        self, jobs: Sequence[Job], observer: Observer, root: Path, models: Sequence[str], address: str, device: str,
        per_device: int, checkpoint_minutes: float, timeout_minutes: float | None,
    ) -> None:  # fmt: skip
        # Source stages before all others: most runs wait for them.
        ordered = sorted(jobs, key=lambda job: (not job.folder.is_source, -job.cost))
        super().__init__(ordered, (), observer, checkpoint_minutes, timeout_minutes)
        if device.startswith("cuda:"):
            raise XlqaError(f"--device {device}: on a Ray cluster give cuda or auto: Ray says which GPU a run gets.")
        self.root, self.models, self.address, self.device = root, tuple(models), address, device
        self.per_device, self.token = per_device, f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self.packer = Packer()
        self.seats: list[_Seat] = []
        self.threads: list[threading.Thread] = []
        self.actors: dict[_Seat, Any] = {}
        self.losses: Counter[Job] = Counter()
        self.refusals: dict[str, list[str]] = {}
        self.known: set[str] = set()

    def run(self) -> None:
        """Do all jobs; Ctrl-C and SIGTERM stop what runs on the nodes and leave finished runs as they are.

        Raises:
            XlqaError: no node can do runs, or the sweep's disk is full, read-only or gone.
            KeyboardInterrupt: Ctrl-C or SIGTERM.
        """
        with stoppable() as asked:
            with joined(self.address):
                try:
                    self._greet()
                    self._manage(asked)
                finally:
                    self._stop()
                    self._join(5.0)
            if asked.is_set():
                raise KeyboardInterrupt
        if self.disk_error:
            raise XlqaError(self.disk_error)

    def _join(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    # ---- nodes

    def _greet(self) -> None:
        """Look at the nodes that there are: their GPUs decide what `auto` means, their versions must be ours."""
        found = [node for node in nodes() if is_there(node)]
        if self.device == "auto":
            self.device = "cuda" if any(node.gpus >= 1 for node in found) else "cpu"
        able = [node for node in found if self._seats_of(node)]
        if not able:
            wanted = "GPU" if self.device == "cuda" else "CPU"
            raise XlqaError(
                f"--launcher ray: no node of the cluster at {self.address} has a {wanted} to give: join one with "
                f"`ray start --address {self.address}`."
            )
        if wrong := other_versions(able):
            raise XlqaError("--launcher ray: " + next(iter(wrong.values())))
        self.known = {node.id for node in able}

    def _seats_of(self, node: Node) -> int:
        return int(node.gpus) * self.per_device if self.device == "cuda" else self.per_device * (node.cpus > 0)

    def _usable(self) -> list[Node]:
        """The nodes that can do runs now; those that joined since are asked for their version once."""
        able = [node for node in nodes() if self._seats_of(node) and is_there(node)]
        if fresh := [node for node in able if node.id not in self.known]:
            wrong = other_versions(fresh)
            for node in fresh:
                self.known.add(node.id)
                if node in wrong:
                    self.refusals[node.id] = [wrong[node]] * REFUSALS_ALLOWED
                    self._note(f"{wrong[node]} It does no runs.")
        return [node for node in able if len(self.refusals.get(node.id, ())) < REFUSALS_ALLOWED]

    # ---- the driver's own thread

    def _manage(self, asked: Stop) -> None:
        """Open slots while there is more to do than slots wait for."""
        seen = time.monotonic()
        while self._unfinished() and not self.stopping and not asked.is_set():
            if self.internal_error is not None:
                raise self.internal_error
            if self._missing() > 0:
                usable = self._usable()
                if usable or any(seat.busy for seat in self.seats):
                    seen = time.monotonic()
                else:
                    self._refuse_to_wait(time.monotonic() - seen)
                self._open_seats(usable)
            with self.changed:
                self._fail_orphans()
                self.changed.wait(0.5)
        if not self.stopping and not asked.is_set():
            # All is done: slots that end by themselves leave nothing in their node's cache.
            self._join(CLOSE_SECONDS)

    def _refuse_to_wait(self, seconds: float) -> None:
        """Without a node to do runs, end: at once where those that are there cannot, otherwise after a while."""
        broken = [lines[-1] for lines in self.refusals.values() if len(lines) >= REFUSALS_ALLOWED]
        if broken or seconds > EMPTY_SECONDS:
            reason = broken[0] if broken else "all of them were lost."
            raise XlqaError(f"--launcher ray: no node can do runs: {reason} The same command goes on from here.")

    def _missing(self) -> int:
        """How many runs could start now for which no slot waits."""
        with self.changed:
            return len(self._ready()) - sum(not seat.busy for seat in self.seats)

    def _open_seats(self, usable: Sequence[Node]) -> None:
        """One seat after another on the node that has the fewest."""
        with self.changed:
            taken = Counter(seat.node.id for seat in self.seats)
            for _ in range(self._missing()):
                free = [node for node in usable if taken[node.id] < self._seats_of(node)]
                if not free:
                    return
                node = min(free, key=lambda node: taken[node.id])
                taken[node.id] += 1
                seat = _Seat(node)
                self.seats.append(seat)
                thread = threading.Thread(target=self._sit, args=(seat,), daemon=True)
                self.threads.append(thread)
                thread.start()

    def _note(self, line: str) -> None:
        with self.changed:
            self.observer.note(line)

    # ---- a slot's thread

    def _sit(self, seat: _Seat) -> None:
        """Open a slot, do runs in it until there are none for it, and close it."""
        worker: _RemoteWorker | None = None
        try:
            worker = self._open(seat)
            while worker is not None and not worker.gone and (job := self._next(IDLE_SECONDS)) is not None:
                seat.busy = True
                self._do(job, worker, self.device)
                seat.busy = False
                if worker.refusal:
                    self._refused(seat.node, worker.refusal)
                    break
        except Exception as error:  # a fault of ours must not leave the sweep waiting for what nobody does
            self.internal_error = error
        finally:
            if worker is not None and not self.stopping:
                worker.close()
            with self.changed:
                self.seats.remove(seat)
                self.actors.pop(seat, None)
                self.changed.notify_all()

    def _open(self, seat: _Seat) -> _RemoteWorker | None:
        """A slot on a node; None where the node was lost, or nothing is left to do before its share of the node is free."""
        import ray
        from ray.exceptions import RayError

        actor = self.actors[seat] = self._start_actor(seat.node)
        try:
            started = actor.__ray_ready__.remote()
            while not ray.wait([started], timeout=0.5)[0]:
                if not self._still_wanted(seat):
                    forget(actor)
                    return None
            ray.get(started)
            with self._probe() as probe:
                shared = bool(ray.get(actor.sees.remote(probe)))
            return _RemoteWorker(seat.node, actor, shared, self.packer)
        except RayError as error:
            forget(actor)
            if not self.stopping and not is_lost(seat.node):
                self._refused(seat.node, f"node {seat.node.name}: {last_line(error)}")
            return None

    def _refused(self, node: Node, reason: str) -> None:
        """Count what a node could not do; in the end it is left alone."""
        lines = self.refusals.setdefault(node.id, [])
        lines.append(reason)
        if len(lines) == REFUSALS_ALLOWED:
            self._note(f"{reason} The node does no more runs.")

    def _start_actor(self, node: Node) -> Any:
        """A slot with its share of a GPU, or of the node's CPUs."""
        import ray

        share = node.cpus / self.per_device
        on_gpu = {"num_gpus": _fraction(1 / self.per_device), "num_cpus": 0}
        on_cpu = {"num_cpus": int(share) if share >= 1 else _fraction(share)}
        options = {
            **(on_gpu if self.device == "cuda" else on_cpu),
            "max_restarts": 0, "max_concurrency": 2, "scheduling_strategy": pinned(node),
        }  # fmt: skip
        device = "cuda:0" if self.device == "cuda" else "cpu"
        return ray.remote(WorkerActor).options(**options).remote(device, environment(self.device), self.token)

    def _still_wanted(self, seat: _Seat) -> bool:
        if time.monotonic() - seat.opened > HELD_SECONDS and not seat.said:
            seat.said = True
            self._note(f"node {seat.node.name}: waiting until others give back what they hold of it (`ray status`).")
        with self.changed:
            wanted = bool(self._ready()) and not self.stopping
        return wanted and is_there(seat.node)

    @contextmanager
    def _probe(self) -> Iterator[Probe]:
        """A file in the sweep's folder by which a node can tell that it sees this very folder."""
        text = uuid.uuid4().hex
        path = temporary_beside(self.root / f"probe-{text}")
        write_text(path, text)
        try:
            yield Probe(str(self.root), path.name, text, self.models)
        finally:
            path.unlink(missing_ok=True)

    def _on_crash(self, job: Job, worker: Worker) -> None:
        assert isinstance(worker, _RemoteWorker)
        if not worker.lost and not worker.refusal:
            super()._on_crash(job, worker)
            return
        # The run is not to blame: it keeps its own second try.
        self.losses[job] += 1
        job.progress = 0.0
        if self.losses[job] <= LOSSES_ALLOWED:
            job.state = "waiting"
            self.observer.event(job, {"event": "retry", "error": worker.cause})
        else:
            self._fail(job, f"{worker.cause} That was the {self.losses[job]}th time.", tail(job.folder.log))

    def _stop(self) -> None:
        with self.changed:
            self.stopping = True
            self.changed.notify_all()
            actors = list(self.actors.values())
        for actor in actors:
            forget(actor)


def last_line(error: Exception) -> str:
    """What Ray says of an error, without the traces before it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


def _fraction(share: float) -> float:
    """A share as Ray counts it, in ten-thousandths, rounded down so that all of them fit."""
    return int(share * 10_000) / 10_000


def environment(device: str) -> dict[str, str]:
    """Variables of the nodes' worker processes: as many threads as this machine would take, for the same digits on a CPU."""
    given = {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ}
    if device == "cpu":
        from xlqa.training.devices import thread_count

        given.setdefault("OMP_NUM_THREADS", str(thread_count()))
    return given
