"""The process of one side: it builds the side, reports that it is ready, and executes the tasks that it receives."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any, Protocol

from benchmark.fixtures import Material
from xlqa.errors import XlqaError

SIDES = {
    "ours": ("benchmark.ours", "Ours", "xlqa"),
    "deeppavlov": ("benchmark.stock", "Stock", "stock DeepPavlov"),
    "trainer": ("benchmark.hf", "HuggingFace", "Trainer, defaults"),
    "trainer-best": ("benchmark.hf", "HuggingFaceBest", "Trainer, at its best"),
    "trainer-compiled": ("benchmark.hf", "HuggingFaceCompiled", "Trainer, best + torch.compile"),
}
"""Name of a side: its module, its class, and what the table calls it."""

PROFILE_ROWS = 12


class Side(Protocol):
    """What a side can do."""

    @property
    def network(self) -> Any:
        """What computes."""

    def prepare_training(self) -> None:
        """What is done once before the first update."""

    def train(self, steps: int, seed: int) -> float:
        """That many updates; returns the loop's seconds."""

    def evaluate(self, predictions: Path) -> None:
        """From the file with questions to the file with answers."""


class Worker:
    """A side's process, seen from outside.

    Args:
        context: how processes are started.
        name: of the side; material: what it works on.
    """

    def __init__(self, context: SpawnContext, name: str, material: Material) -> None:
        self.name, self.failed = name, False
        self.log = tempfile.NamedTemporaryFile(prefix=f"bench-{name}-", suffix=".log", delete=False)  # noqa: SIM115  # closed in stop
        self.end, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(
            target=serve, args=(theirs, name, material, self.log.name), daemon=True
        )
        self.process.start()
        theirs.close()

    def receive(self) -> Any:
        """The next answer.

        Raises:
            XlqaError: the side failed; names its last words.
        """
        try:
            kind, value = self.end.recv()
        except EOFError:
            kind, value = "failed", "the process died"
        if kind == "failed":
            self.failed = True
            raise XlqaError(f"{SIDES[self.name][2]} failed: {value} (see {self.log.name}).")
        return value

    def ask(self, task: str, **settings: Any) -> Any:
        """Have a task done and return what came of it."""
        self.end.send((task, settings))
        return self.receive()

    def stop(self) -> None:
        """End the process; the log of one that failed stays."""
        if self.process.is_alive() and not self.failed:
            self.end.send(("stop", {}))
        self.process.join()
        self.log.close()
        if not self.failed:
            Path(self.log.name).unlink()


def serve(end: Connection, name: str, material: Material, log: str) -> None:
    """The process's main function; what its libraries print goes to a log."""
    handle = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            tasks = _build(name, material, Path(scratch))
            end.send(("ready", None))
            while (order := end.recv())[0] != "stop":
                end.send(("done", tasks[order[0]](**order[1])))
    except Exception as error:
        # The other side of the pipe raises it again; the whole trace is in the log.
        traceback.print_exc()
        end.send(("failed", f"{type(error).__name__}: {error}"))
    sys.stdout.flush()


def _build(name: str, material: Material, scratch: Path) -> dict[str, Callable[..., Any]]:
    import importlib

    import torch

    from benchmark.measure import Sample, measure

    if material.device == "cpu":
        torch.set_num_threads(material.threads)
    module, kind, _ = SIDES[name]
    side: Side = getattr(importlib.import_module(module), kind)(material, scratch)

    answers = scratch / "answers.json"

    def train(steps: int, seed: int) -> Sample:
        examples = steps * material.batch_size
        return measure(side.network, material.device, examples, True, lambda: side.train(steps, seed))

    def evaluate() -> Sample:
        return measure(side.network, material.device, material.test, False, lambda: side.evaluate(answers))

    return {
        "prepare": side.prepare_training,
        "train": train,
        "evaluate": evaluate,
        "profile train": lambda steps, seed: _profile(lambda: side.train(steps, seed), material.device),
        "profile evaluate": lambda: _profile(lambda: side.evaluate(answers), material.device),
    }


def _profile(work: Callable[[], Any], device: str) -> list[tuple[str, float]]:
    """The operations that took most of the time themselves, with their share of all."""
    from torch.profiler import ProfilerActivity, profile

    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device == "cuda" else [])
    with profile(activities=activities) as found:
        work()
    attribute = "self_device_time_total" if device == "cuda" else "self_cpu_time_total"
    times = {event.key: float(getattr(event, attribute)) for event in found.key_averages()}
    total = sum(times.values())
    ranked = sorted(times.items(), key=lambda item: -item[1])[:PROFILE_ROWS]
    return [(key, value / total) for key, value in ranked]
