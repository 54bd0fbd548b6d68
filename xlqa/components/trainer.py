"""The DeepPavlov trainer `xlqa.components.trainer:SpanTrainer`: trains with xlqa's loop and scores the model it trained.

DeepPavlov's own trainer would rebuild the model from disk before the last evaluation; this one keeps it in memory.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from logging import getLogger
from typing import Any

import numpy as np
from deeppavlov.core.common.params import from_params
from deeppavlov.core.trainers.fit_trainer import FitTrainer

from xlqa.components.iterator import Gold
from xlqa.components.model import SpanModel
from xlqa.components.preprocessor import WindowPreprocessor
from xlqa.errors import XlqaError
from xlqa.records import planned_steps
from xlqa.tasks.qa.windows import count_unreachable, label_windows, trim_span
from xlqa.training.context import SESSION
from xlqa.training.events import Stage
from xlqa.training.loop import Trainer, TrainingOutcome, TrainingPlan

report_log = getLogger("train_report")

COLUMNS = ("id", "gold", "answer", "start", "score")


@dataclass(frozen=True, slots=True)
class Answers:
    """A test set's answers: (Q,) each; `unreachable` questions have no gold answer inside any window."""

    ids: tuple[str, ...]
    golds: tuple[Gold, ...]
    texts: tuple[str, ...]
    starts: tuple[int, ...]
    scores: tuple[float, ...]
    unreachable: int
    seconds: float


class SpanTrainer(FitTrainer):  # type: ignore[misc]  # DeepPavlov ships without types
    """Trains a pipe of one WindowPreprocessor and one SpanModel, and evaluates it.

    Args:
        chainer_config: the config's `chainer`.
        epochs, min_steps, batch_size: decide the number of updates (`planned_steps` of the target's questions).
        more_steps: added to them: the source stage's, in joint training; all there are where N = 0.
        lr, warmup, seed: see `TrainingPlan`.
        gradient_checkpointing: less memory for more time; not part of the run.
    """

    def __init__(
        self, chainer_config: dict[str, Any], *, epochs: float = 3, min_steps: int = 200, more_steps: int = 0,
        batch_size: int = 16, lr: float = 3e-5, warmup: float = 0.1, seed: int = 0, gradient_checkpointing: bool = False,
        metrics: Iterable[Any] = (), evaluation_targets: Iterable[str] = ("test",), **kwargs: Any,
    ) -> None:  # fmt: skip
        if kwargs:
            raise XlqaError(f"the train section has unknown settings: {', '.join(sorted(kwargs))}.")
        super().__init__(chainer_config, batch_size=-1, metrics=metrics, evaluation_targets=evaluation_targets)
        self.epochs, self.min_steps, self.more_steps = epochs, min_steps, more_steps
        self.windows_a_step, self.lr, self.warmup, self.seed = batch_size, lr, warmup, seed
        self.recompute = gradient_checkpointing
        self.outcome: TrainingOutcome | None = None
        self.answers: dict[str, Answers] = {}

    def train(self, iterator: Any) -> None:
        """Build the pipe, train its model and, unless the session says otherwise, save it where nothing lies yet."""
        for component_config in self.chainer_config["pipe"]:
            component = from_params(component_config, mode="train")
            self._chainer.append(component, component_config["in"], component_config["out"])
        self._built = self._loaded = True
        preprocessor, model = self._parts()
        steps = self.more_steps + planned_steps(
            iterator.target_questions, self.epochs, self.windows_a_step, self.min_steps
        )
        plan = TrainingPlan(steps, self.windows_a_step, self.lr, self.warmup, self.seed, model.precision, model.device)
        if steps:
            self.outcome = self._fit(plan, preprocessor, model, iterator)
            if SESSION.keep_weights or (SESSION.keep_weights is None and not model.save_path.exists()):
                model.save()

    def _fit(self, plan: TrainingPlan, preprocessor: Any, model: SpanModel, iterator: Any) -> TrainingOutcome:
        inputs, golds = zip(*iterator.data["train"], strict=True)
        contexts, questions = zip(*inputs, strict=True)
        SESSION.listen(Stage(f"reading {len(questions):,} questions"))
        windows = preprocessor(contexts, questions)
        spans = [trim_span(context, *gold.spans[0]) for context, (_, gold) in zip(contexts, golds, strict=True)]
        first = np.array(spans, dtype=np.int64)
        labels = label_windows(windows, first[:, 0], first[:, 1])
        SESSION.listen(Stage("training"))
        return Trainer(model.network, windows, labels, plan, model.origin, self.recompute).run()

    def _parts(self) -> tuple[WindowPreprocessor, SpanModel]:
        components = [component for _, _, component in self._chainer.train_pipe]
        return components[0], components[-1]

    @property
    def model(self) -> SpanModel:
        """The model of the pipe, once it is built."""
        return self._parts()[1]

    def close(self) -> None:
        """Give the device's memory back, if the pipe was ever built; after an error as well."""
        if self._loaded:
            self._chainer.destroy()

    def evaluate(self, iterator: Any, evaluation_targets: Iterable[str] | None = None) -> dict[str, Any]:
        """Answer and score each evaluation target whole; the answers stay in `answers`.

        Returns:
            target -> report in DeepPavlov's form, metrics rounded to four decimals.
        """
        self._load()
        targets = self.evaluation_targets if evaluation_targets is None else evaluation_targets
        reports: dict[str, Any] = {}
        for target in targets:
            reports[target] = self._evaluate_one(target, iterator)
            report_log.info(json.dumps({target: reports[target]}, ensure_ascii=False))
        return reports

    def _evaluate_one(self, target: str, iterator: Any) -> dict[str, Any]:
        if not iterator.data.get(target):
            raise XlqaError(f"the config evaluates {target!r}, but its data has no such questions.")
        SESSION.listen(Stage(f"scoring {target}"))
        began = time.perf_counter()
        x, y = iterator.get_instances(target)
        columns = dict(zip(COLUMNS, self._chainer.compute(x, y, targets=list(COLUMNS)), strict=True))
        contexts, questions = zip(*x, strict=True)
        windows = self._parts()[0](contexts, questions)
        golds = [
            [trim_span(context, *span) for span in gold.spans]
            for context, gold in zip(contexts, columns["gold"], strict=True)
        ]
        self.answers[target] = Answers(
            tuple(columns["id"]), tuple(columns["gold"]), tuple(columns["answer"]), tuple(columns["start"]),
            tuple(columns["score"]), count_unreachable(windows, golds),
            time.perf_counter() - began,
        )  # fmt: skip
        metrics = {m.alias: round(float(m.fn(*[columns[name] for name in m.inputs])), 4) for m in self.metrics}
        return {"eval_examples_count": len(x), "metrics": metrics, "time_spent": f"{time.perf_counter() - began:.1f} s"}
