"""Metrics for DeepPavlov configs: `xlqa.components.metrics:f1` and `:em` by the test set's own scorer, `squad_f1`, `squad_em`.

Each takes the columns (ids, golds, answers) of a whole test set and returns a percentage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xlqa.components.iterator import Gold
from xlqa.scoring import get_scorer


def _mean(golds: Sequence[Gold], answers: Sequence[str], one: Callable[[str, str, tuple[str, ...]], float]) -> float:
    scores = [one(gold.scorer, answer, gold.texts) for gold, answer in zip(golds, answers, strict=True)]
    return 100.0 * sum(scores) / len(scores)


def f1(golds: Sequence[Gold], answers: Sequence[str]) -> float:
    """Mean F1 in percent under each gold's own scorer."""
    return _mean(golds, answers, lambda scorer, answer, texts: get_scorer(scorer).f1(answer, texts))


def em(golds: Sequence[Gold], answers: Sequence[str]) -> float:
    """Share of exact matches in percent under each gold's own scorer."""
    return _mean(golds, answers, lambda scorer, answer, texts: get_scorer(scorer).em(answer, texts))


def squad_f1(golds: Sequence[Gold], answers: Sequence[str]) -> float:
    """Mean F1 in percent under SQuAD v1.1's rules."""
    return _mean(golds, answers, lambda scorer, answer, texts: get_scorer("squad").f1(answer, texts))


def squad_em(golds: Sequence[Gold], answers: Sequence[str]) -> float:
    """Share of exact matches in percent under SQuAD v1.1's rules."""
    return _mean(golds, answers, lambda scorer, answer, texts: get_scorer("squad").em(answer, texts))
