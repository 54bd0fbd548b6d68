"""When a fault strikes: at any time, or just after something was seen in the sweep's folder, so that every phase is hit."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faultinjection.process import Sweep

LOOK = 0.003
"""Seconds between two looks at the folder."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of a sweep.

    Attributes:
        patterns: of files; it begins when so many more than before match one of them.
        most: how many more there can be; longest: seconds that the phase lasts, about.
        again: whether a sweep that goes on comes through it too.
    """

    name: str
    patterns: tuple[str, ...]
    most: int
    longest: float
    again: bool = False


DRIVER = (
    Phase("start", (), 0, 1.8, True),
    Phase("lay-out", ("data/*", "data/.*"), 3, 0.02),
    Phase("configs", ("runs/*/config.json", "runs/*/.config.json*"), 5, 0.01),
)
WORKER = (
    Phase("first worker", ("source/*/log.txt",), 1, 2.0),
    Phase("source stage", ("source/*/train.csv",), 1, 0.4),
    Phase("source weights", ("source/*/.model*", "source/*/model"), 1, 0.02),
    Phase("training", ("runs/*/train.csv",), 4, 0.3),
    Phase("trained", ("runs/*/train.json",), 5, 0.03),
    Phase("kept weights", ("runs/*/.model*", "runs/*/model"), 1, 0.02),
    Phase("half-written", ("runs/*/eval/*/.*.tmp", "runs/*/eval/*/questions.csv"), 4, 0.0),
    Phase("storing", ("runs/*/eval/*/predictions.json",), 9, 0.008, True),
    Phase("stored", ("runs/*/eval/*/result.json",), 8, 0.2, True),
    Phase("table", ("runs/*/eval/*/result.json",), 8, 0.02, True),
)
CHECKPOINT = Phase("checkpoint", ("*/*/checkpoint.safetensors",), 1, 0.1)

ANY_TIME = 4
"""How many of the phases' chances go to a moment drawn from the whole duration."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A drawn moment: `more` further matches of a phase's patterns, and then `delay` seconds."""

    phase: Phase
    more: int
    delay: float

    def __str__(self) -> str:
        which = f" {self.more}" if self.phase.most > 1 else ""
        return f"{self.phase.name}{which} + {self.delay:.3f} s"


def draw_moment(
    rng: random.Random, duration: float, phases: Sequence[Phase] = (*DRIVER, *WORKER), begun: bool = False
) -> Moment:
    """A moment of a sweep that lasts about `duration` seconds; of one that goes on, where some work is `begun`."""
    early = phases[0] is DRIVER[0]
    possible = [phase for phase in phases if phase.again or not begun]
    place = rng.randrange(len(possible) + ANY_TIME) if len(phases) > 1 else 0
    if place >= len(possible):
        first, last = 0.0 if early else 0.35, 0.5 if begun else 0.85
        return Moment(Phase("any time", (), 0, duration), 0, rng.uniform(first * duration, last * duration))
    phase = possible[place]
    most = min(phase.most, 1) if begun else phase.most
    return Moment(phase, rng.randint(1, most) if most else 0, rng.uniform(0, phase.longest))


def count(folder: Path, patterns: Sequence[str]) -> int:
    """Paths that match."""
    return sum(1 for pattern in patterns for _ in folder.glob(pattern))


def wait_for(sweep: Sweep, folder: Path, moment: Moment) -> bool:
    """Waits until the moment has come; whether the sweep still runs then."""
    if moment.phase.patterns:
        before = count(folder, moment.phase.patterns)
        while sweep.running and count(folder, moment.phase.patterns) < before + moment.more:
            time.sleep(LOOK)
    until = time.monotonic() + moment.delay
    while sweep.running and time.monotonic() < until:
        time.sleep(min(LOOK, max(0.0, until - time.monotonic())))
    return sweep.running
