"""The context of a run: who listens to it and what it leaves on disk; and what the runs of one process share.

DeepPavlov builds components from a config alone, which cannot name a listener. So the executor sets the context around a
run with `running(...)`, each component takes it once, when it is built, and passes it on as an argument. The stock command
`python -m deeppavlov train` sets none and gets the defaults.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from xlqa.training.events import Step

T = TypeVar("T")


def print_event(event: Any) -> None:
    """Print a step now and then: the listener of the stock command."""
    if isinstance(event, Step) and event.step % max(1, event.steps // 10) == 0:
        print(f"step {event.step}/{event.steps} loss {event.loss:.4f}", file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run is to do besides computing. Nothing here can change its weights or scores.

    Attributes:
        listen: called with events of `xlqa.training.events` and, during a run, `xlqa.runs.execute.events`.
        keep_weights: whether a trained model is written to its save_path; None: only where nothing is there yet.
        train_log: file that gets one row per logged step, or None.
        checkpoint: file that a long training can resume from, or None; checkpoint_minutes: time between two, 0 for none.
    """

    listen: Callable[[Any], None] = print_event
    keep_weights: bool | None = None
    train_log: Path | None = None
    checkpoint: Path | None = None
    checkpoint_minutes: float = 0.0


_CURRENT: ContextVar[RunContext] = ContextVar("xlqa_run_context")


def current_context() -> RunContext:
    """The context of the run that is being built, or the defaults."""
    return _CURRENT.get(RunContext())


@contextmanager
def running(context: RunContext) -> Iterator[None]:
    """Build and execute a run in this context."""
    token = _CURRENT.set(context)
    try:
        yield
    finally:
        _CURRENT.reset(token)


@dataclass
class Shared:
    """Values that the runs of a process share. Each is a pure function of its key: a run alone scores the same as among many.

    Attributes:
        most_items: how many values are kept; most_networks: how many of them networks with a copy of their weights.
        micro_tokens: device -> pieces that fit into its memory in one pass of a training, once less than usual did.
    """

    most_items: int = 24
    most_networks: int = 3
    micro_tokens: dict[str, int] = field(default_factory=dict)
    _values: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value for a key, made on first use and kept for later runs of this process."""
        if key not in self._values:
            self._values[key] = make()
            self._forget()
        self._values.move_to_end(key)
        value: T = self._values[key]
        return value

    def spill(self) -> bool:
        """Move what values keep on a GPU to host memory; returns whether that freed any of the GPU's."""
        freed = [value.spill() for value in self._values.values() if hasattr(value, "spill")]
        return any(freed)

    def clear(self) -> None:
        """Forget all values."""
        self._values.clear()

    def _forget(self) -> None:
        """Drop the values used longest ago: of networks, which are large, all but `most_networks`; of all, `most_items`."""
        networks = [key for key in self._values if isinstance(key, tuple) and key[0] == "network"]
        for key in networks[: -self.most_networks]:
            del self._values[key]
        while len(self._values) > self.most_items:
            self._values.popitem(last=False)


SHARED = Shared()
"""This process's shared values: a cache, which no result depends on."""
