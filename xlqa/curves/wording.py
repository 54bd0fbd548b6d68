"""The words of each task: what its examples, groups and metrics are called in figures and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xlqa.errors import XlqaError, refuse_choice
from xlqa.records import TASK_METRICS

QA = "qa"

Columns = Sequence[str] | Mapping[str, Sequence[str]]
"""Scores to show: of every panel, or by task."""

METRIC_NAMES: Mapping[str, Mapping[str, str]] = {
    "qa": {"f1": "F1", "em": "EM", "squad_f1": "F1", "squad_em": "EM"},
    "ner": {"f1": "entity F1", "entity_precision": "entity precision", "entity_recall": "entity recall",
            "strict_f1": "entity F1 under strict IOB2"},
    "pos": {"accuracy": "accuracy", "xtreme_f1": "F1 as XTREME computes it"},
}  # fmt: skip
_LABEL_METRICS = {"accuracy": "accuracy", "macro_f1": "macro F1"}


@dataclass(frozen=True)
class Wording:
    """The words of one task.

    Attributes:
        title: the task, as a heading; short: the same above a small drawing. unit: an example.
        group: what intervals resample whole; in tagging documents, where the test set names them.
        parts: what the F1 of single labels are listed by.
    """

    title: str
    short: str
    unit: str = "sentence"
    group: str = "sentence"
    parts: str = "label"

    @property
    def units(self) -> str:
        """Several examples."""
        return f"{self.unit}s"

    @property
    def groups(self) -> str:
        """Several groups."""
        return f"{self.group}s"

    @property
    def axis(self) -> str:
        """Name of the axis of N."""
        # The figures of the published studies on question answering keep their words.
        return (
            "target-language training questions, N" if self.unit == "question" else f"labelled target {self.units}, N"
        )


WORDING: Mapping[str, Wording] = {
    "qa": Wording("Question answering", "QA", "question", "paragraph"),
    "ner": Wording("Named entities", "NER", parts="entity type"),
    "pos": Wording("Parts of speech", "POS", parts="tag"),
    "nli": Wording("Natural language inference", "NLI", "sentence pair", "premise"),
    "paraphrase": Wording("Paraphrases", "paraphrases", "sentence pair", "first sentence"),
    "topic": Wording("Topics", "topics"),
    "sentiment": Wording("Sentiment", "sentiment"),
}


def metric_name(column: str, task: str = QA) -> str:
    """A score as readers know it: "F1", "entity F1", "accuracy"."""
    return METRIC_NAMES.get(task, _LABEL_METRICS).get(column, column.replace("_", " "))


def points(amount: float, column: str, task: str, more: str = "") -> str:
    """A difference of scores: "1 point of F1"; with more="more", "2 more points of accuracy"."""
    begin = f"{amount:g} {more}".rstrip()
    return f"{begin} point{'' if amount == 1 else 's'} of {metric_name(column, task)}"


def scorer_name(column: str, task: str, scorer: str) -> str:
    """The scorer of a score; "" where the metric's name is enough."""
    if task == QA:
        return "squad" if column.startswith("squad_") else scorer
    return scorer if task == "ner" and column != "strict_f1" else ""


def columns_of(columns: Columns, task: str) -> Sequence[str]:
    """The scores to show of a task."""
    return columns[task] if isinstance(columns, Mapping) else columns


def leading_metric(task: str) -> str:
    """The score that decides whether a run is there, learned, or is the best."""
    return TASK_METRICS[task][0]


def choose_metrics(tasks: Sequence[str], metric: str, option: str = "--metric {}") -> dict[str, tuple[str, ...]]:
    """The scores that were asked for, by task.

    Args:
        metric: one of the tasks' metrics; "all"; "both" (F1 and EM); "" for each task's leading one; "default" for what a
            learning curve shows: F1 and EM of question answering alone, else the leading ones.
        option: how messages name the choice.

    Raises:
        XlqaError: a task has no such metric.
    """
    found: dict[str, tuple[str, ...]] = {}
    for task in tasks:
        known = ("f1", "em") if task == QA else TASK_METRICS[task]
        some = {"": known[:1], "all": known, "default": known if tuple(tasks) == (QA,) else known[:1]}
        some |= {"both": known} if task == QA else {}
        some |= {name: (name,) for name in known}
        if metric not in some:
            choices = [*known, *("both" for _ in range(task == QA)), "all"]
            where = "" if len(tasks) == 1 else f" for the task {task} (--task selects one)"
            raise XlqaError(f"{option.format(metric)}: {refuse_choice(metric, choices)}{where}.")
        found[task] = some[metric]
    return found
