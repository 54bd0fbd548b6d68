"""Which DeepPavlov components a task's configs name. The import paths stand in every config.json and never change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

COMPONENTS = "xlqa.components"


@dataclass(frozen=True, slots=True)
class TaskComponents:
    """The components of a task, and the names of what passes between them.

    Attributes:
        inputs, golds: what the iterator serves; features: of the preprocessor; outputs: of the model.
        metrics: functions of xlqa.components.metrics, each of `metric_inputs`.
    """

    reader: str
    iterator: str
    preprocessor: str
    model: str
    trainer: str
    metrics: tuple[str, ...]
    inputs: tuple[str, ...]
    golds: tuple[str, ...]
    features: tuple[str, ...]
    model_inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    metric_inputs: tuple[str, ...]

    def metric_entries(self) -> list[dict[str, Any]]:
        """The metrics as a `train` section names them."""
        return [
            {"name": f"{COMPONENTS}.metrics:{name}", "alias": name, "inputs": [*self.metric_inputs]}
            for name in self.metrics
        ]


QA = TaskComponents(
    reader=f"{COMPONENTS}.reader:QuestionReader",
    iterator=f"{COMPONENTS}.iterator:SubsetIterator",
    preprocessor=f"{COMPONENTS}.preprocessor:WindowPreprocessor",
    model=f"{COMPONENTS}.model:SpanModel",
    trainer=f"{COMPONENTS}.trainer:SpanTrainer",
    metrics=("f1", "em", "squad_f1", "squad_em"),
    inputs=("context", "question"),
    golds=("id", "gold"),
    features=("windows",),
    model_inputs=("windows", "context"),
    outputs=("answer", "start", "score"),
    metric_inputs=("gold", "answer"),
)

TASK_COMPONENTS = {"qa": QA}
"""The components of each task, by the task's name."""
