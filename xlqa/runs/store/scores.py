"""The scores of one evaluation as the store keeps them: used when a run ends, and again by `xlqa rescore`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xlqa.records import NO_ANSWER_METRICS, QUESTION_COLUMNS, TASK_METRICS, Example, result_columns
from xlqa.tasks.base import Scores

Rows = Iterator[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ScoredSet:
    """The scores of X test examples.

    Attributes:
        ids, groups: (X,) each.
    """

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    scores: Scores

    @classmethod
    def of(cls, examples: Sequence[Example], scores: Scores) -> ScoredSet:
        """The scores of some examples."""
        return cls(tuple(e.id for e in examples), tuple(e.group for e in examples), scores)

    def table(self, task: str) -> tuple[tuple[str, ...], Rows]:
        """Columns and rows of the file with a row for each example.

        questions.csv has the scores of each question in percent; the examples.csv of other tasks has each metric's numerator
        and denominator, whose sums give the score.
        """
        if task == "qa":
            return QUESTION_COLUMNS, self._percents()
        named = tuple(f"{name}_{part}" for name in self.scores.metrics for part in ("numerator", "denominator"))
        return ("id", "group", *named), self._ratios(named)

    def _percents(self) -> Rows:
        metrics = self.scores.metrics[: len(TASK_METRICS["qa"])]
        percents = 100.0 * self.scores.numerators[:, : len(metrics)]
        for id, group, values in zip(self.ids, self.groups, percents, strict=True):
            rounded = {name: round(float(v), 4) for name, v in zip(metrics, values, strict=True)}
            yield {"id": id, "context": group, **rounded}

    def _ratios(self, named: Sequence[str]) -> Rows:
        pairs = np.stack([self.scores.numerators, self.scores.denominators], axis=2).reshape(len(self.ids), -1)
        for id, group, values in zip(self.ids, self.groups, pairs.tolist(), strict=True):
            yield {"id": id, "group": group, **{n: int(v) for n, v in zip(named, values, strict=True)}}

    def columns(self, task: str) -> dict[str, Any]:
        """The score and count columns of results.csv."""
        counts = {"questions": len(self.ids), "paragraphs": len(set(self.groups))}
        further = [name for name in NO_ANSWER_METRICS if name in self.scores.metrics]
        if further:
            counts["unanswerable"] = int(self.scores.denominators[:, -1].sum())
        return self.scores.percents((*TASK_METRICS[task], *further)) | counts

    def without(self, overlapping: Collection[str], task: str) -> dict[str, Any]:
        """The columns with the number of examples that share their text with the train part, and the scores without them."""
        rest = np.array([id not in overlapping for id in self.ids], dtype=bool)
        known = result_columns(task)
        metrics = [name for name in TASK_METRICS[task] if f"{name}_without_overlap" in known]
        scores = self.scores.take(rest).percents(metrics)
        return {
            "train_overlap": int((~rest).sum()),
            **{f"{name}_without_overlap": value for name, value in scores.items()},
        }
