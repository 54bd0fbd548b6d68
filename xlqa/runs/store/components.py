"""Which DeepPavlov components a task's configs name. The import paths are in every config.json and never change.

Question answering has components of its own, from before there were other tasks. All other tasks share one family, whose
components take the task's name: `{"class_name": "xlqa.components.model:TaskModel", "task": "ner", "labels": [...]}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xlqa.records import TASK_METRICS

COMPONENTS = "xlqa.components"


@dataclass(frozen=True, slots=True)
class TaskComponents:
    """The components of a task, and the names of what passes between them.

    Attributes:
        inputs, golds: what the iterator serves; features: of the preprocessor; outputs: of the model.
        metrics: functions of xlqa.components.metrics, each of `metric_inputs`.
    """

    task: str
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

    def task_entry(self) -> dict[str, Any]:
        """The task as reader, preprocessor and model name it: not at all for question answering."""
        return {} if self.task == "qa" else {"task": self.task}

    def metric_entries(self) -> list[dict[str, Any]]:
        """The metrics as a `train` section names them."""
        return [
            {"name": f"{COMPONENTS}.metrics:{name}", "alias": name, "inputs": [*self.metric_inputs]}
            for name in self.metrics
        ]


QA = TaskComponents(
    task="qa",
    reader=f"{COMPONENTS}.reader:QuestionReader",
    iterator=f"{COMPONENTS}.iterator:SubsetIterator",
    preprocessor=f"{COMPONENTS}.preprocessor:WindowPreprocessor",
    model=f"{COMPONENTS}.model:SpanModel",
    trainer=f"{COMPONENTS}.trainer:SpanTrainer",
    metrics=TASK_METRICS["qa"],
    inputs=("context", "question"),
    golds=("id", "gold"),
    features=("windows",),
    model_inputs=("windows", "context"),
    outputs=("answer", "start", "score"),
    metric_inputs=("gold", "answer"),
)


def _family(task: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> TaskComponents:
    """The components of a task other than question answering."""
    return TaskComponents(
        task=task,
        reader=f"{COMPONENTS}.reader:TaskReader",
        iterator=f"{COMPONENTS}.iterator:SubsetIterator",
        preprocessor=f"{COMPONENTS}.preprocessor:TaskPreprocessor",
        model=f"{COMPONENTS}.model:TaskModel",
        trainer=f"{COMPONENTS}.trainer:TaskTrainer",
        metrics=TASK_METRICS[task],
        inputs=inputs,
        golds=("id", "gold"),
        features=("features",),
        model_inputs=("features",),
        outputs=outputs,
        metric_inputs=("gold", outputs[0]),
    )


_TAGS, _LABEL = ("tags",), ("label", "probability")

TASK_COMPONENTS = {
    "qa": QA,
    "ner": _family("ner", ("words",), _TAGS),
    "pos": _family("pos", ("words",), _TAGS),
    "nli": _family("nli", ("first", "second"), _LABEL),
    "paraphrase": _family("paraphrase", ("first", "second"), _LABEL),
    "topic": _family("topic", ("text",), _LABEL),
    "sentiment": _family("sentiment", ("text",), _LABEL),
}
"""The components of each task, by the task's name."""
