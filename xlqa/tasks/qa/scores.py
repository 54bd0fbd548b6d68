"""Scores of a set of answers, question by question: percentages, never without their scorer's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xlqa.errors import XlqaError
from xlqa.records import Question
from xlqa.util.text import plain

if TYPE_CHECKING:
    from xlqa.tasks.qa.scorers.rules import Scorer

_SHOWN_IDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """EM and F1 of each question under one scorer.

    Attributes:
        scorer: the scorer's name.
        ids: of the questions, in the data set's order.
        em: shape (questions,), percentages: 0 or 100.
        f1: shape (questions,), percentages, 0 to 100.
        missing: questions without a prediction, counted as 0.
        extra: predictions whose id no question has; they count nowhere.
    """

    scorer: str
    ids: tuple[str, ...]
    em: NDArray[np.float64]
    f1: NDArray[np.float64]
    missing: int
    extra: int

    @property
    def mean_em(self) -> float:
        """EM over all questions, in percent; NaN where there is no question."""
        return _mean(self.em)

    @property
    def mean_f1(self) -> float:
        """F1 over all questions, in percent; NaN where there is no question."""
        return _mean(self.f1)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def score_questions(
    questions: Sequence[Question],
    predictions: Mapping[str, str],
    scorer: Scorer,
    *,
    allow_missing: bool = False,
    own_ids: Mapping[str, str] | None = None,
) -> Scores:
    """EM and F1 of each question, the best over all its gold texts.

    Args:
        questions: the whole test set; an unanswered question stays in the denominator.
        predictions: question id to answer.
        scorer: see `xlqa.tasks.qa.scorers.get_scorer`.
        allow_missing: count a question without a prediction as 0 (also where "no answer" would be right).
        own_ids: the ids in the data file of questions that were renamed, by the ids here: predictions may use either.

    Raises:
        XlqaError: predictions are missing and that is not allowed; or a question has no gold answer and the scorer
            has no rule for that.
    """
    _refuse_unanswerable(questions, scorer)
    own = own_ids or {}
    found = [_find(predictions, question.id, own.get(question.id, question.id)) for question in questions]
    missing = [question.id for question, answer in zip(questions, found, strict=True) if answer is None]
    if missing and not allow_missing:
        raise XlqaError(_describe_missing(missing, len(questions)))
    em, f1 = np.zeros(len(questions)), np.zeros(len(questions))
    for row, (question, answer) in enumerate(zip(questions, found, strict=True)):
        if answer is None:
            continue
        golds = list(dict.fromkeys(question.gold_texts))
        em[row] = 100.0 * scorer.em(answer, golds)
        f1[row] = 100.0 * scorer.f1(answer, golds)
    ids = tuple(question.id for question in questions)
    known = {*ids, *(id.strip() for id in ids), *(own[id].strip() for id in ids if id in own)}
    return Scores(
        scorer.name, ids, em, f1, len(missing), sum(id not in known and id.strip() not in known for id in predictions)
    )


def _find(predictions: Mapping[str, str], *ids: str) -> str | None:
    """The prediction for the first of some ids that has one; blanks around an id do not count."""
    return next((predictions[key] for id in ids for key in (id, id.strip()) if key in predictions), None)


def _refuse_unanswerable(questions: Sequence[Question], scorer: Scorer) -> None:
    if scorer.scores_unanswerable:
        return
    bare = [question.id for question in questions if not question.gold_texts]
    if bare:
        raise XlqaError(
            f"{len(bare):,} of {len(questions):,} questions have no gold answer ({_some(bare)}), "
            f"and scorer {scorer.name} has no rule for that: use squad2, or leave them out."
        )


def _describe_missing(missing: Sequence[str], total: int) -> str:
    return (
        f"{len(missing):,} of {total:,} questions have no prediction ({_some(missing)}): "
        'answer them (with "" where there is no answer), or count them as 0 with --allow-missing.'
    )


def _some(ids: Sequence[str]) -> str:
    return ", ".join(plain(id, 60) for id in ids[:_SHOWN_IDS]) + (", …" if len(ids) > _SHOWN_IDS else "")
