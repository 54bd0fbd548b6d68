"""What a process that runs configs shares between runs, and who listens while they run.

The stock command `python -m deeppavlov train` uses the defaults; xlqa's worker sets its own listener and keeps what runs
share. Everything cached here is a pure function of its key, so that a run alone scores the same as one among many.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from xlqa.training.events import Step

T = TypeVar("T")


def print_event(event: Any) -> None:
    """Print a step now and then: the listener of the stock command."""
    if isinstance(event, Step) and event.step % max(1, event.steps // 10) == 0:
        print(f"step {event.step}/{event.steps} loss {event.loss:.4f}", file=sys.stderr, flush=True)


@dataclass
class Session:
    """The state of this process between and during runs.

    Attributes:
        listen: called with events of `xlqa.training.events` and, during a run, `xlqa.runs.execute.events`.
        keep_weights: whether a trained model is written to its save_path; None: only where nothing is there yet.
        train_log: file that gets one row per logged step, or None.
        checkpoint: file that a long training can go on from, or None; checkpoint_minutes: time between two, 0 for none.
        micro_tokens: pieces per forward pass in training; halved when memory runs out.
        most_items: how many shared values are kept; most_networks: how many of them networks with a copy of their weights.
    """

    listen: Callable[[Any], None] = print_event
    keep_weights: bool | None = None
    train_log: Path | None = None
    checkpoint: Path | None = None
    checkpoint_minutes: float = 0.0
    micro_tokens: int | None = None
    most_items: int = 24
    most_networks: int = 3
    _shared: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)

    @contextmanager
    def during(self, **settings: Any) -> Iterator[None]:
        """These settings (see the attributes) for one run; afterwards those of before."""
        before = {name: getattr(self, name) for name in settings}
        try:
            for name, value in settings.items():
                setattr(self, name, value)
            yield
        finally:
            for name, value in before.items():
                setattr(self, name, value)

    def share(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value for a key, made on first use and kept for later runs of this process."""
        if key not in self._shared:
            self._shared[key] = make()
            self._forget()
        self._shared.move_to_end(key)
        value: T = self._shared[key]
        return value

    def _forget(self) -> None:
        """Drop what was used longest ago: of networks, which are large, all but `most_networks`; of all, `most_items`."""
        networks = [key for key in self._shared if isinstance(key, tuple) and key[0] == "network"]
        for key in networks[: -self.most_networks]:
            del self._shared[key]
        while len(self._shared) > self.most_items:
            self._shared.popitem(last=False)


SESSION = Session()
"""This process's session. One process runs one config at a time."""
