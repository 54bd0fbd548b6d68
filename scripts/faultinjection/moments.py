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
        patterns: of files; it begins when one more than before matches one of them.
        most: how many more there can be; longest: seconds that the phase lasts, about.
    """

    name: str
    patterns: tuple[str, ...]
    most: int
    longest: float


DRIVER = (
    Phase("start", (), 0, 1.8),
    Phase("lay-out", ("data/*", "data/.*"), 3, 0.02),
    Phase("configs", ("runs/*/config.json", "runs/*/.config.json*"), 5, 0.01),
)
WORKER = (
    Phase("first worker", ("results.csv", "source/*/log.txt"), 1, 2.0),
    Phase("source stage", ("source/*/train.csv",), 1, 0.4),
    Phase("checkpoint", ("*/*/checkpoint.safetensors",), 1, 0.1),
    Phase("source weights", ("source/*/.model*", "source/*/model"), 1, 0.02),
    Phase("training", ("runs/*/train.csv",), 4, 0.3),
    Phase("trained", ("runs/*/train.json",), 5, 0.03),
    Phase("kept weights", ("runs/*/.model*", "runs/*/model"), 1, 0.02),
    Phase("half-written", ("runs/*/.*.tmp", "runs/*/eval/*/.*.tmp", "source/*/.*.tmp"), 1, 0.0),
    Phase("storing", ("runs/*/eval/*/predictions.json",), 9, 0.008),
    Phase("stored", ("runs/*/eval/*/result.json",), 8, 0.1),
    Phase("table", (".results.csv*", ".failures.csv*"), 1, 0.0),
)
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


def draw_moment(rng: random.Random, duration: float, phases: Sequence[Phase] = (*DRIVER, *WORKER)) -> Moment:
    """A moment of a sweep that lasts about `duration` seconds."""
    place = rng.randrange(len(phases) + ANY_TIME)
    if place >= len(phases):
        first = 0.0 if phases[0] is DRIVER[0] else 0.35
        return Moment(Phase("any time", (), 0, duration), 0, rng.uniform(first * duration, 0.95 * duration))
    phase = phases[place]
    return Moment(phase, rng.randint(1, phase.most) if phase.most else 0, rng.uniform(0, phase.longest))


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
