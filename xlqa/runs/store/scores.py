"""The scores of one evaluation as the store keeps them: used when a run ends, and again by `xlqa rescore`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xlqa.records import Example
from xlqa.tasks.base import Scores

WITHOUT_OVERLAP = ("f1", "em")
"""Metrics that results.csv also has without the test examples that share their text with the train part."""


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

    def question_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of questions.csv: scores in percent."""
        percents = 100.0 * self.scores.numerators / self.scores.denominators
        for id, group, values in zip(self.ids, self.groups, percents, strict=True):
            rounded = {name: round(float(v), 4) for name, v in zip(self.scores.metrics, values, strict=True)}
            yield {"id": id, "context": group, **rounded}

    def columns(self) -> dict[str, Any]:
        """The score and count columns of results.csv."""
        return self.scores.percents() | {"questions": len(self.ids), "paragraphs": len(set(self.groups))}

    def without(self, overlapping: Collection[str]) -> dict[str, Any]:
        """The columns that say how many examples share their text with the train part, and the scores without them."""
        rest = np.array([id not in overlapping for id in self.ids], dtype=bool)
        scores = self.scores.take(rest).percents()
        return {
            "train_overlap": int((~rest).sum()),
            **{f"{name}_without_overlap": scores[name] for name in WITHOUT_OVERLAP if name in scores},
        }
