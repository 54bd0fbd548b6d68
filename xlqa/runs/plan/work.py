"""How much work a sweep's trainings and evaluations are, counted in word pieces before anything runs.

The time that is left and the estimate of `xlqa sweep --dry-run` stand on it. A window of an encoder that reads a language letter by
letter is full where an English one is half empty, and a question takes three of them: counting questions is not enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xlqa.errors import XlqaError
from xlqa.runs.plan.planner import LoadedSet, Plan
from xlqa.runs.specs import EncoderRef, EvalSpec, RunSpec, SourceStage

SAMPLE = 200
"""Questions of a data set that are measured, at most."""

TRAINING = 3.0
"""A training's work on a piece in units of an evaluation's: forward, and twice that backward."""

CHARACTERS_A_PIECE = 4.0
"""Where no tokenizer can be read: about that of an encoder in its own language."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Mean pieces of a data set's windows, and of all windows of one of its questions."""

    per_window: float
    per_question: float


class Work:
    """Pieces that the parts of a plan go through, those of trainings counted TRAINING times."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.known: dict[tuple[str, str], Extent] = {}

    def of_stage(self, stage: SourceStage) -> float:
        """Of a source stage's training."""
        extent = self.extent(stage.encoder, stage.data.sha256)
        return TRAINING * stage.steps * stage.hyper.batch_size * extent.per_window

    def of_training(self, spec: RunSpec) -> float:
        """Of a run's own training: none for zero-shot; source and target windows for joint training."""
        if spec.target is None or spec.hyper is None:
            return 0.0
        target = self.extent(spec.encoder, spec.target.sha256).per_window
        pieces = (spec.steps - spec.more_steps) * target
        if spec.stage and spec.more_steps:
            pieces += spec.more_steps * self.extent(spec.encoder, spec.stage.data.sha256).per_window
        return TRAINING * spec.hyper.batch_size * pieces

    def of_evaluations(self, spec: RunSpec, evals: Sequence[EvalSpec]) -> float:
        """Of answering the questions of a run's test sets."""
        return sum(
            (test.size or len(self.plan.sets[test.data.sha256].questions))
            * self.extent(spec.encoder, test.data.sha256).per_question
            for test in evals
        )

    def extent(self, encoder: EncoderRef, sha256: str) -> Extent:
        """How an encoder cuts a data set of the plan, measured on a few questions."""
        key = (encoder.sha256, sha256)
        if key not in self.known:
            request = self.plan.request
            self.known[key] = measure(encoder, self.plan.sets[sha256], request.max_length, request.stride)
        return self.known[key]


def measure(encoder: EncoderRef, loaded: LoadedSet, max_length: int, stride: int) -> Extent:
    """Cut a sample of a data set's questions into windows as a training does, by their lengths alone."""
    from xlqa.tasks.qa.stats import count_windows, load_cutter

    chosen = loaded.questions[:: max(1, len(loaded.questions) // SAMPLE)]
    if not chosen:
        return Extent(0.0, 0.0)
    try:
        cutter = load_cutter(str(encoder.folder))
    except XlqaError:
        per_question = loaded.mean_characters / CHARACTERS_A_PIECE
        return Extent(min(per_question, float(max_length)), per_question)
    contexts, _ = cutter.count([question.context for question in chosen])
    asked, _ = cutter.count([question.question for question in chosen])
    kept, windows = count_windows(contexts, asked, cutter.special, max_length, stride)
    pieces = np.array(contexts) + windows * (kept + cutter.special) + (windows - 1) * stride
    return Extent(float(pieces.sum() / windows.sum()), float(pieces.mean()))
