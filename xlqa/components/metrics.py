"""Metrics for DeepPavlov configs, `xlqa.components.metrics:f1` and so on: each is a column of the task's results.csv.

Each takes the columns (golds, predictions) of a whole test set and returns a percentage. For question answering `f1` and
`em` follow the test set's own scorer, `squad_f1` and `squad_em` SQuAD v1.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xlqa.tasks.base import Gold, Scores, get_task


def score_set(golds: Sequence[Gold], predictions: Sequence[Any]) -> Scores:
    """The scores of a test set under its own scorer and task."""
    scorer, task = golds[0].scorer, get_task(golds[0].task)
    return task.score([gold.example for gold in golds], predictions, scorer)


def _percent(golds: Sequence[Gold], predictions: Sequence[Any], metric: str) -> float:
    value = score_set(golds, predictions).percent(metric)
    return float("nan") if value is None else value


def f1(golds: Sequence[Gold], predictions: Sequence[Any]) -> float:
    """F1 in percent under the test set's own scorer: of answers, or of entities."""
    return _percent(golds, predictions, "f1")


def em(golds: Sequence[Gold], predictions: Sequence[Any]) -> float:
    """Share of exact matches in percent under the test set's own scorer."""
    return _percent(golds, predictions, "em")


def squad_f1(golds: Sequence[Gold], predictions: Sequence[Any]) -> float:
    """Mean F1 in percent under SQuAD v1.1's rules."""
    return _percent(golds, predictions, "squad_f1")


def squad_em(golds: Sequence[Gold], predictions: Sequence[Any]) -> float:
    """Share of exact matches in percent under SQuAD v1.1's rules."""
    return _percent(golds, predictions, "squad_em")


def entity_precision(golds: Sequence[Gold], predictions: Sequence[Any]) -> float:
    """Share of the predicted entities that are right, in percent."""
    return _percent(golds, predictions, "entity_precision")


def entity_recall(golds: Sequence[Gold], predictions: Sequence[Any]) -> float:
    """Share of the gold entities that were found, in percent."""
    return _percent(golds, predictions, "entity_recall")


def strict_f1(golds: Sequence[Gold], predictions: Sequence[Any]) -> float:
    """Entity F1 in percent under strict IOB2."""
    return _percent(golds, predictions, "strict_f1")


def accuracy(golds: Sequence[Gold], predictions: Sequence[Any]) -> float:
    """Share of words, or of texts, with the right label, in percent."""
    return _percent(golds, predictions, "accuracy")


def xtreme_f1(golds: Sequence[Gold], predictions: Sequence[Any]) -> float:
    """What XTREME reports for parts of speech: seqeval's F1 on the bare tags, in percent."""
    return _percent(golds, predictions, "xtreme_f1")


def macro_f1(golds: Sequence[Gold], predictions: Sequence[Any]) -> float:
    """Mean of the labels' F1, in percent."""
    return _percent(golds, predictions, "macro_f1")
