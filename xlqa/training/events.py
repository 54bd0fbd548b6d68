"""What a training reports while it runs: the stage it has reached, and its steps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """A run began another part of its work; `text` names it for people."""

    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """A training finished `step` of `steps` updates.

    Attributes:
        loss: mean loss since the last report.
        rate: windows a second since the last report.
    """

    step: int
    steps: int
    loss: float
    rate: float
