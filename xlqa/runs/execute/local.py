"""Executing runs on this machine: a worker process for each device."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from xlqa.runs.execute import start_worker
from xlqa.runs.execute.events import ENDINGS, Crashed, Event, Failed, RunOrder, from_json
from xlqa.runs.execute.executor import Executor, Slot

CLOSE_SECONDS = 10.0
"""How long an idle worker process may take to exit."""


class LocalExecutor(Executor):
    """Worker processes of this machine, some on each device.

    Args:
        device: `auto` (every GPU, or the CPU), `cpu`, `cuda`, or one GPU as `cuda:1`.
        workers_per_device: runs at once on each device; None where the sweep's plan decides.
    """

    def __init__(self, device: str, workers_per_device: int | None = None) -> None:
        self.device, self.workers_per_device = device, workers_per_device

    @cached_property
    def devices(self) -> list[str]:
        """The device of each worker process."""
        from xlqa.training.devices import device_count

        devices = [self.device]
        if self.device in ("auto", "cuda") and device_count() > 0:
            devices = [f"cuda:{i}" for i in range(device_count())]
        elif self.device == "auto":
            devices = ["cpu"]
        return devices * (self.workers_per_device or 1)

    def count_slots(self, runs: int) -> int:
        return min(len(self.devices), max(1, runs))

    def new_slots(self, wanted: int, existing: Sequence[Slot]) -> list[Slot]:
        free = list(self.devices)
        for slot in existing:
            if isinstance(slot, LocalSlot):
                free.remove(slot.device)
        return [LocalSlot(device) for device in free[:wanted]]


class LocalSlot(Slot):
    """One device and the worker process on it, which is replaced where it died."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.process: WorkerProcess | None = None
        self.terminated = False

    def execute(self, order: RunOrder) -> Generator[Event]:
        if self.process is None or not self.process.is_alive():
            self.process = WorkerProcess(self.device)
        if self.terminated:
            self.process.kill()
        yield from self.process.execute(order)

    def cancel(self) -> None:
        if self.process is not None:
            self.process.kill()

    def terminate(self) -> None:
        self.terminated = True
        self.cancel()

    def close(self) -> None:
        if self.process is not None:
            self.process.close()


class WorkerProcess:
    """A worker process (`xlqa.runs.execute.worker`) and the pipes to it.

    Args:
        device: `cpu`, `cuda:N` for one GPU alone, or what `--device` names.
    """

    def __init__(self, device: str) -> None:
        environment, argument = worker_environment(os.environ, device)
        # For what the worker prints before its first run and when it dies; during a run it prints to the run's log.
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the worker
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(Path(start_worker.__file__).resolve()), "--device", argument],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, encoding="utf-8",
            env=environment, start_new_session=True,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process.poll() is None

    @property
    def was_killed(self) -> bool:
        """Whether a signal ended it."""
        return (self.process.poll() or 0) < 0

    def execute(self, order: RunOrder) -> Generator[Event]:
        """Events of one run, the last of them an `Ending`.

        Raises:
            ValueError: the worker wrote something that is not an event; it has been killed.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(order.to_json() + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            yield Crashed(self.crash_cause())
            return
        for line in self.process.stdout:
            if not line.endswith("\n"):
                break  # it died while it wrote this line
            try:
                event = from_json(line)
            except ValueError:
                # It is in the middle of a run, and must not continue beside the run's next try.
                self.kill()
                raise
            if isinstance(event, Failed) and event.broken_worker:
                self.kill()
            yield event
            if isinstance(event, ENDINGS):
                return
        yield Crashed(self.crash_cause())

    def crash_cause(self) -> str:
        """Why the worker died, as far as its exit status tells."""
        code = self.process.wait()
        if code >= 0:
            self.errors.seek(0)
            last = self.errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            return f"the worker ended unexpectedly (exit status {code}): {last[0] if last else 'see the log'}."
        return f"the worker was killed by {describe_signal(-code)}."

    def close(self) -> None:
        """Let an idle worker exit, which it does when its input ends."""
        if self.process.stdin:
            with suppress(BrokenPipeError):
                self.process.stdin.close()
        try:
            self.process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        if self.is_alive():
            self.process.kill()
        self.process.wait()


def worker_environment(environment: Mapping[str, str], device: str) -> tuple[dict[str, str], str]:
    """The environment of a worker process for a device, and what its `--device` is there."""
    # Threads that sleep while they wait lose nothing alone; those that spin fall to a tenth of their speed beside others.
    made = {"OMP_WAIT_POLICY": "passive", **environment, "PYTHONSAFEPATH": "1"}
    if "PYTHONPATH" in made:
        # An empty entry, such as `$PYTHONPATH:/lib` leaves, means the current folder, which may hold a torch.py.
        made["PYTHONPATH"] = os.pathsep.join(filter(None, made["PYTHONPATH"].split(os.pathsep)))
    if not device.startswith("cuda:"):
        return made, device
    # The worker sees its own GPU only, so that nothing in it can use another's memory.
    visible = environment.get("CUDA_VISIBLE_DEVICES", "").split(",")
    index = int(device.partition(":")[2])
    made["CUDA_VISIBLE_DEVICES"] = visible[index] if index < len(visible) and visible[0] else str(index)
    return made, "cuda"


def describe_signal(number: int) -> str:
    """A signal's name, and what usually sends it to a process that nobody stopped."""
    try:
        name = signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        name = f"signal {number}"
    limited = resource.getrlimit(resource.RLIMIT_CPU)[1] != resource.RLIM_INFINITY
    causes = {
        "SIGKILL": "out of memory, or its limit of processor time: see `ulimit -t`?" if limited else "out of memory?",
        "SIGXCPU": "its limit of processor time is used up: see `ulimit -t`",
        "SIGXFSZ": "a file reached the limit of file sizes: see `ulimit -f`",
    }
    return f"{name} ({causes[name]})" if name in causes else name
