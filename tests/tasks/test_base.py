"""Every task is registered whole: its class, its metrics, and the components of its configs agree."""

from __future__ import annotations

import pytest

from xlqa.components import metrics
from xlqa.errors import XlqaError
from xlqa.records import RESULT_COLUMNS, TASK_METRICS, TASK_SCORERS, result_columns
from xlqa.runs.store.components import TASK_COMPONENTS
from xlqa.tasks.base import TASKS, get_task


@pytest.mark.parametrize("name", TASKS)
def test_a_task_agrees_with_its_configs_and_columns(name: str) -> None:
    task, components = get_task(name), TASK_COMPONENTS[name]
    assert task.name == name
    assert (task.inputs, task.outputs) == (components.inputs, components.outputs)
    assert task.metrics == TASK_METRICS[name] == components.metrics
    assert set(task.shown) <= set(task.metrics)
    assert all(callable(getattr(metrics, metric)) for metric in task.metrics)
    assert set(task.metrics) < set(result_columns(name))
    assert (name == "qa") == (name not in TASK_SCORERS)


def test_registries_name_the_same_tasks() -> None:
    assert set(TASKS) == set(TASK_METRICS) == set(TASK_COMPONENTS)


def test_the_columns_of_question_answering_stay() -> None:
    assert result_columns("qa") == RESULT_COLUMNS
    assert result_columns("ner")[0] == "task"
    assert "em" not in result_columns("ner")
    assert "accuracy_without_overlap" in result_columns("topic")


def test_an_unknown_task_is_named() -> None:
    with pytest.raises(XlqaError, match="--task parsing: choose from qa, ner"):
        get_task("parsing")
