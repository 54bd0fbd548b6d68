"""What a worker, and the scheduler that watches it, report about a run; and how a report travels between processes.

A worker sends one JSON record a line: {"event": "step", "step": 30, "steps": 60, "loss": 1.2, "rate": 15.0}. The last event of a
run is one of `ENDINGS`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from xlqa.training.events import Stage, Step


@dataclass(frozen=True, slots=True)
class RunOrder:
    """One run to execute, as a worker receives it.

    Attributes:
        folder: of the run. keep: whether its weights stay.
        checkpoint_minutes: time between two checkpoints of a training; 0 for none.
    """

    folder: str
    keep: bool
    checkpoint_minutes: float

    def to_json(self) -> str:
        """The order as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> RunOrder:
        """The order in a line that `to_json` wrote."""
        return cls(**json.loads(line))


@dataclass(frozen=True, slots=True)
class Started:
    """A run was given to a worker."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another process holds the run's folder; this one waits for it. The time limit does not count meanwhile."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A test set was scored.

    Attributes:
        scores: metric -> mean in percent, the leading metric first; None where it is undefined.
    """

    test: str
    scorer: str
    scores: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Retry:
    """A run's worker or machine was lost; the run is tried again."""

    error: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A run finished: `evaluations` were written; `trained` is false if only evaluations were missing."""

    evaluations: int = 0
    trained: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """A run failed.

    Attributes:
        error: one line.
        errno: the system's error number behind it, None where there is none.
        broken_worker: whether the worker process cannot be used for another run.
    """

    error: str
    errno: int | None = None
    broken_worker: bool = False


@dataclass(frozen=True, slots=True)
class Crashed:
    """The worker process died during the run, which may be why."""

    error: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The worker's machine was lost, or could not execute the run: another machine can."""

    error: str


Ending: TypeAlias = Finished | Failed | Crashed | Lost
Event: TypeAlias = Started | Waiting | Stage | Step | Scored | Retry | Ending

ENDINGS = (Finished, Failed, Crashed, Lost)
_TYPES: dict[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (Started, Waiting, Stage, Step, Scored, Retry, *ENDINGS)
}


def to_json(event: Event) -> str:
    """An event as one line."""
    return json.dumps({"event": type(event).__name__.lower(), **asdict(event)})


def from_json(line: str) -> Event:
    """The event in a line that `to_json` wrote.

    Raises:
        ValueError: it holds no event.
    """
    record = json.loads(line)
    try:
        event: Event = _TYPES[record.pop("event")](**record)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{line[:80]!r} is not an event of a worker.") from error
    return event
