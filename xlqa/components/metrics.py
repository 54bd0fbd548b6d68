"""Metrics for DeepPavlov configs: `xlqa.components.metrics:f1` and `:em` by the test set's own scorer, `squad_f1`, `squad_em`.

Each takes the columns (ids, golds, answers) of a whole test set and returns a percentage.
"""

from __future__ import annotations

from collections.abc import Sequence

from xlqa.components.iterator import Gold
from xlqa.tasks.qa.scorers import score_answer

F1, EM = 0, 1


def _mean(golds: Sequence[Gold], answers: Sequence[str], which: int, scorer: str | None = None) -> float:
    pairs = zip(golds, answers, strict=True)
    scores = [score_answer(scorer or gold.scorer, answer, gold.texts)[which] for gold, answer in pairs]
    return 100.0 * sum(scores) / len(scores)


def f1(golds: Sequence[Gold], answers: Sequence[str]) -> float:
    """Mean F1 in percent under each gold's own scorer."""
    return _mean(golds, answers, F1)


def em(golds: Sequence[Gold], answers: Sequence[str]) -> float:
    """Share of exact matches in percent under each gold's own scorer."""
    return _mean(golds, answers, EM)


def squad_f1(golds: Sequence[Gold], answers: Sequence[str]) -> float:
    """Mean F1 in percent under SQuAD v1.1's rules."""
    return _mean(golds, answers, F1, "squad")


def squad_em(golds: Sequence[Gold], answers: Sequence[str]) -> float:
    """Share of exact matches in percent under SQuAD v1.1's rules."""
    return _mean(golds, answers, EM, "squad")
