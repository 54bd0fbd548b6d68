"""Scores of one evaluation, from answers alone: used when a run ends, and again by `xlqa rescore`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xlqa.tasks.qa.scorers import score_answer

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScoredSet:
    """Per-question scores of a test set: (Q,) each, in percent."""

    ids: tuple[str, ...]
    contexts: tuple[str, ...]
    f1: FloatArray
    em: FloatArray
    squad_f1: FloatArray
    squad_em: FloatArray

    def question_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of questions.csv."""
        for i, (question, context) in enumerate(zip(self.ids, self.contexts, strict=True)):
            values = {name: round(float(getattr(self, name)[i]), 4) for name in ("f1", "em", "squad_f1", "squad_em")}
            yield {"id": question, "context": context, **values}

    def columns(self) -> dict[str, Any]:
        """The score and count columns of results.csv."""
        means = {name: round(float(np.mean(getattr(self, name))), 6) for name in ("f1", "em", "squad_f1", "squad_em")}
        return means | {"questions": len(self.ids), "paragraphs": len(set(self.contexts))}

    def without(self, overlapping: Sequence[str]) -> dict[str, Any]:
        """The columns that say how many questions share a paragraph with the train part, and the score without them."""
        shared = set(overlapping)
        rest = np.array([question not in shared for question in self.ids], dtype=bool)
        return {
            "train_overlap": int((~rest).sum()),
            "f1_without_overlap": round(float(self.f1[rest].mean()), 6) if rest.any() else None,
            "em_without_overlap": round(float(self.em[rest].mean()), 6) if rest.any() else None,
        }


def score_answers(
    ids: Sequence[str],
    contexts: Sequence[str],
    golds: Sequence[Sequence[str]],
    predictions: Mapping[str, str],
    scorer: str,
) -> ScoredSet:
    """Score each question under a scorer and under SQuAD v1.1.

    Args:
        ids, contexts (hashes), golds (texts): (Q,) each.
        predictions: id -> answer, one for every id.
        scorer: name of the scorer that leads.
    """
    pairs = [(predictions[i], tuple(gold)) for i, gold in zip(ids, golds, strict=True)]
    table = np.array([score_answer(scorer, *pair) + score_answer("squad", *pair) for pair in pairs]).reshape(-1, 4)
    return ScoredSet(tuple(ids), tuple(contexts), *(100.0 * table).T)
