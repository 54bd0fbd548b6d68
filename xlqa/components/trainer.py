"""The DeepPavlov trainers `xlqa.components.trainer:SpanTrainer` and `:TaskTrainer`: they train with xlqa's loop and score the model.

DeepPavlov's own trainer would rebuild the model from disk before the last evaluation; this one keeps it in memory.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from logging import getLogger
from typing import Any

from xlqa.components.framework import FitTrainer, build_component
from xlqa.components.metrics import score_set
from xlqa.components.model import SpanModel, TaskModel
from xlqa.components.preprocessor import TaskPreprocessor
from xlqa.errors import XlqaError
from xlqa.records import planned_steps
from xlqa.tasks.base import Gold, Scores
from xlqa.training.context import current_context
from xlqa.training.events import Stage
from xlqa.training.loop import Trainer, TrainingOutcome, TrainingPlan

report_log = getLogger("train_report")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A test set's predictions and scores.

    Attributes:
        golds, predictions: (X,) each; scores: of X examples.
        unreachable: examples that no prediction can get right (questions without a gold answer inside any window).
    """

    golds: tuple[Gold, ...]
    predictions: tuple[Any, ...]
    scores: Scores
    unreachable: int
    seconds: float

    @property
    def examples(self) -> list[Any]:
        """(X,) the test set's examples."""
        return [gold.example for gold in self.golds]


class TaskTrainer(FitTrainer):  # type: ignore[misc]  # DeepPavlov ships without types
    """Trains a pipe of one TaskPreprocessor and one TaskModel, and evaluates it.

    Args:
        chainer_config: the config's `chainer`.
        epochs, min_steps, batch_size: decide the number of updates (`planned_steps` of the target's examples).
        more_steps: added to them: the source stage's, in joint training; all there are where N = 0.
        lr, warmup, seed, freeze, reinit_top, lora: see `TrainingPlan`.
        gradient_checkpointing: less memory for more time; not part of the run.
    """

    def __init__(
        self, chainer_config: dict[str, Any], *, epochs: float = 3, min_steps: int = 200, more_steps: int = 0,
        batch_size: int = 16, lr: float = 3e-5, warmup: float = 0.1, seed: int = 0, gradient_checkpointing: bool = False,
        freeze: int | None = None, reinit_top: int = 0, lora: int = 0,
        metrics: Iterable[Any] = (), evaluation_targets: Iterable[str] = ("test",), **kwargs: Any,
    ) -> None:  # fmt: skip
        if kwargs:
            raise XlqaError(f"the train section has unknown settings: {', '.join(sorted(kwargs))}.")
        super().__init__(chainer_config, batch_size=-1, metrics=metrics, evaluation_targets=evaluation_targets)
        self.context = current_context()
        self.epochs, self.min_steps, self.more_steps = epochs, min_steps, more_steps
        self.batch_size, self.lr, self.warmup, self.seed = batch_size, lr, warmup, seed
        self.gradient_checkpointing, self.freeze, self.reinit_top = gradient_checkpointing, freeze, reinit_top
        self.lora = lora
        self.outcome: TrainingOutcome | None = None
        self.evaluated: dict[str, Evaluated] = {}

    def train(self, iterator: Any) -> None:
        """Build the pipe, train its model and, unless the context forbids it, save it where there is none yet."""
        for component_config in self.chainer_config["pipe"]:
            component = build_component(component_config, mode="train")
            self._chainer.append(component, component_config["in"], component_config["out"])
        self._built = self._loaded = True
        preprocessor, model = self._parts()
        steps = self.more_steps + planned_steps(iterator.target_examples, self.epochs, self.batch_size, self.min_steps)
        plan = TrainingPlan(
            steps, self.batch_size, self.lr, self.warmup, self.seed, model.precision, model.device, self.freeze,
            self.reinit_top, self.lora,
        )  # fmt: skip
        if steps:
            self.outcome = self._fit(plan, preprocessor, model, iterator)
        self._calibrate(iterator)
        if steps:
            keep = self.context.keep_weights
            if keep or (keep is None and not model.save_path.exists()):
                model.save()

    def _fit(
        self, plan: TrainingPlan, preprocessor: TaskPreprocessor, model: TaskModel, iterator: Any
    ) -> TrainingOutcome:
        x, y = zip(*iterator.data["train"], strict=True)
        self.context.listen(Stage(f"reading {len(x):,} {model.task.unit}s"))
        features = preprocessor(*self._columns(x))
        model.check_pieces(features)
        labels = model.task.label(features, [gold.example for _, gold in y], model.head.options.labels)
        self.context.listen(Stage("training"))
        trainer = Trainer(
            model.network, model.head, features, labels, plan, origin=model.origin, gradient_checkpointing=self.gradient_checkpointing,
            context=self.context,
        )  # fmt: skip
        outcome = trainer.run()
        model.note_learned(trainer.learned)
        return outcome

    def _calibrate(self, iterator: Any) -> None:
        """Choose what decoding needs on the validation part, once the model is trained."""

    def _columns(self, x: Iterable[Any]) -> tuple[tuple[Any, ...], ...]:
        """One column for each of the pipe's inputs."""
        return (tuple(x),) if len(self._chainer.in_x) == 1 else tuple(zip(*x, strict=True))

    def _parts(self) -> tuple[TaskPreprocessor, TaskModel]:
        components = [component for _, _, component in self._chainer.train_pipe]
        return components[0], components[-1]

    @property
    def model(self) -> TaskModel:
        """The model of the pipe, once it is built."""
        return self._parts()[1]

    def close(self) -> None:
        """Give the device's memory back, if the pipe was ever built; after an error as well."""
        if self._loaded:
            self._chainer.destroy()

    def evaluate(self, iterator: Any, evaluation_targets: Iterable[str] | None = None) -> dict[str, Any]:
        """Predict and score each evaluation target; the results stay in `evaluated`.

        Returns:
            target -> report in DeepPavlov's form, metrics rounded to four decimals.
        """
        self._load()
        targets = self.evaluation_targets if evaluation_targets is None else evaluation_targets
        reports: dict[str, Any] = {}
        for target in targets:
            reports[target] = self._evaluate_one(target, iterator)
            # For the stock command; in a run of a sweep the listener reports.
            if self.context.keep_weights is None:
                report_log.info(json.dumps({target: reports[target]}, ensure_ascii=False))
        return reports

    def _evaluate_one(self, target: str, iterator: Any) -> dict[str, Any]:
        preprocessor, model = self._parts()
        if not iterator.data.get(target):
            raise XlqaError(f"the config evaluates {target!r}, but its data has no such {model.task.unit}s.")
        self.context.listen(Stage(f"scoring {target}"))
        began = time.perf_counter()
        x, y = iterator.get_instances(target)
        gold, prediction = self._chainer.in_y[1], model.task.outputs[0]
        names = list(dict.fromkeys([gold, prediction, *(name for m in self.metrics for name in m.inputs)]))
        columns = dict(zip(names, self._chainer.compute(x, y, targets=names), strict=True))
        golds, predictions = columns[gold], columns[prediction]
        scores = score_set(golds, predictions)
        unreachable = model.task.count_unreachable(preprocessor(*self._columns(x)), [gold.example for gold in golds])
        seconds = time.perf_counter() - began
        self.evaluated[target] = Evaluated(tuple(golds), tuple(predictions), scores, unreachable, seconds)
        metrics = {m.alias: _value(m, scores, columns) for m in self.metrics}
        return {"eval_examples_count": len(x), "metrics": metrics, "time_spent": f"{time.perf_counter() - began:.1f} s"}


def _value(metric: Any, scores: Scores, columns: dict[str, Any]) -> float | None:
    """A metric as DeepPavlov prints it: from the scores where it is one of xlqa's; None where it is undefined."""
    module, _, name = metric.name.rpartition(":")
    ours = module == score_set.__module__
    value = scores.percent(name) if ours else float(metric.fn(*[columns[column] for column in metric.inputs]))
    return None if value is None else round(value, 4)


class SpanTrainer(TaskTrainer):
    """The trainer of question answering configs."""

    def _calibrate(self, iterator: Any) -> None:
        """Choose the threshold of a model that may leave questions unanswered; it stays 0 without a validation part."""
        preprocessor, model = self._parts()
        valid = iterator.data.get("valid")
        if valid and isinstance(model, SpanModel) and model.threshold is not None:
            self.context.listen(Stage("choosing the no-answer threshold"))
            x, y = zip(*valid, strict=True)
            model.fit_threshold(preprocessor(*self._columns(x)), [gold for _, gold in y])
