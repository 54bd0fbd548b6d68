"""Executing one prepared run in this process: read its config, train through DeepPavlov's own steps, score, store.

xlqa run runs/<run_id>
"""

from __future__ import annotations

import functools
import logging
import os
import platform
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from xlqa import __version__
from xlqa.errors import XlqaError
from xlqa.records import THRESHOLD
from xlqa.runs.execute.events import Event, Scored, Waiting
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.failures import Failure, read_failure
from xlqa.runs.store.results import (
    RESULT,
    TestRecord,
    TrainingRecord,
    is_trained,
    read_result,
    read_training,
    source_weights,
    write_evaluation,
)
from xlqa.runs.store.run_config import Evaluation, RunConfig, find_config, read_config, write_config
from xlqa.tasks.base import get_task
from xlqa.training.context import SHARED, RunContext, running
from xlqa.training.model_folder import hash_weights
from xlqa.util.files import known_sha256, write_json
from xlqa.util.locks import shared_lease, waiting_lock


@dataclass(frozen=True, slots=True)
class Execution:
    """What `execute` did: evaluations written, and whether it had to train."""

    evaluations: int
    trained: bool


CHECKPOINT_MINUTES = 10.0
"""Default time between two checkpoints of a training."""


def execute(
    folder: RunFolder,
    *,
    keep: bool,
    listen: Callable[[Event], None],
    device: str = "auto",
    checkpoint_minutes: float = CHECKPOINT_MINUTES,
) -> Execution:
    """Execute what is not finished of a run or source stage.

    Args:
        folder: with its config.json.
        keep: whether to keep the weights.
        listen: receives the run's events.
        device: where to run; not part of the run's identity.
        checkpoint_minutes: time between two checkpoints of a training; 0 for none.

    Raises:
        XlqaError: the config, its data or its weights are missing, damaged or changed, or the training failed.
    """
    for name in ("DP_ROOT", "DP_DEVICE"):
        # These are for the stock command; here the folder itself and --device decide.
        os.environ.pop(name, None)
    # DeepPavlov would log a traceback before our one-line error.
    logging.getLogger("deeppavlov.core.common.params").setLevel(logging.CRITICAL)
    with waiting_lock(folder.path, lambda: listen(Waiting())):
        config = read_config(folder)
        config.refuse_links(folder)
        pending = _pending(folder, config)
        trained = is_trained(folder)
        if (folder.is_source and trained) or (not folder.is_source and not pending and not (keep and not trained)):
            return Execution(0, False)
        context = RunContext(
            listen=listen, keep_weights=keep or folder.is_source, train_log=folder.train_log,
            checkpoint=folder.checkpoint, checkpoint_minutes=checkpoint_minutes,
        )  # fmt: skip
        with _leased_source(folder, config), running(context):
            run = _Run(folder, _name_source(folder, config), device, listen)
            try:
                run.train()
                # New weights are scored on every test set: a score belongs to the weights that stand beside it.
                scored = list(config.evaluations) if run.did_train else pending
                for target in scored:
                    run.evaluate(target)
            finally:
                run.close()
        folder.failure.unlink(missing_ok=True)
        folder.checkpoint.unlink(missing_ok=True)
        return Execution(len(scored), run.did_train)


def _leased_source(folder: RunFolder, config: RunConfig) -> AbstractContextManager[None]:
    """Meanwhile no sweep with `--keep none` removes the weights that this run starts from."""
    source = Layout(folder.root).source(config.source_id).path if config.source_id else None
    return shared_lease(source) if source and source.is_dir() else nullcontext()


def _pending(folder: RunFolder, config: RunConfig) -> list[str]:
    """The evaluation targets of a config that have no result yet."""
    return [t for t, e in config.evaluations.items() if read_result(folder.evaluation(e.eval_id)) is None]


def _name_source(folder: RunFolder, config: RunConfig) -> RunConfig:
    """Put the source weights' SHA-256 into a config that was prepared before its source stage was trained."""
    if config.source_id is None or config.source_sha256:
        return config
    sha256 = source_weights(Layout(folder.root).source(config.source_id))
    if sha256 is None:
        raise XlqaError(
            f"{folder.path}: its source stage is not trained: `xlqa run {folder.root}/source/{config.source_id}` first."
        )
    config = replace(config, source_sha256=sha256)
    write_config(folder, config)
    return config


class _Run:
    """One run in progress."""

    def __init__(self, folder: RunFolder, config: RunConfig, device: str, listen: Callable[[Event], None]) -> None:
        from xlqa.components.framework import build_iterator, find_class, parse_config, read_data

        # As it was read at the start: another sweep may rewrite this folder's config meanwhile.
        self.folder, self.config, self.listen = folder, config, listen
        # Paths start at the folder's present place, not the recorded one, so that a sweep may be moved.
        parsed = parse_config(replace(config, root=str(folder.root), device=device).to_json())
        self.data = read_data(parsed)
        self.iterator = build_iterator(parsed, self.data)
        settings = dict(parsed["train"])
        self.trainer = find_class(settings.pop("class_name"))(parsed["chainer"], **settings)
        self.did_train = False
        self.outcome = TrainingRecord({})

    def train(self) -> None:
        """Train, unless complete weights with their record are here already (a zero-shot run's are its source stage's)."""
        if not self.folder.is_source and is_trained(self.folder):
            self.outcome = read_training(self.folder) or self.outcome
            return
        self.folder.outcome.unlink(missing_ok=True)
        shutil.rmtree(self.folder.model, ignore_errors=True)
        self.trainer.train(self.iterator)
        self.did_train = self.trainer.outcome is not None
        if self.did_train:
            # Scores of earlier weights are pending again, also if this process ends before it has scored all test sets.
            for evaluation in self.config.evaluations.values():
                (self.folder.evaluation(evaluation.eval_id) / RESULT).unlink(missing_ok=True)
        self.outcome = self._describe_training()
        write_json(self.folder.outcome, self.outcome.to_json())

    def _describe_training(self) -> TrainingRecord:
        done = self.trainer.outcome
        record: dict[str, Any] = {"steps": 0, **machine(), **self._threshold()}
        if done is not None:
            record |= {
                "steps": done.steps, "final_loss": done.final_loss, "learned": done.learned,
                "train_seconds": round(done.seconds, 3), "examples_per_second": round(done.examples_per_second, 3),
                "micro_batch": done.micro_tokens,
            }  # fmt: skip
        model = self.folder.model
        if not (model / "config.json").is_file():
            return TrainingRecord(record)
        files = {path.name: known_sha256(path) for path in sorted(model.iterdir())}
        return TrainingRecord(record, hash_weights(model), files)

    def evaluate(self, target: str) -> None:
        """Answer one test set, score it and store the evaluation."""
        from xlqa.runs.store.scores import ScoredSet

        self.trainer.evaluate(self.iterator, [target])
        done = self.trainer.evaluated[target]
        evaluation = self.config.evaluations[target]
        scored = ScoredSet.of(done.examples, done.scores)
        task = self.config.task
        overlap = scored.without(self._overlapping(target, evaluation), task) if evaluation.overlap_with else {}
        row = {**evaluation.row, **scored.columns(task), **overlap, **self._measured(done), **self._threshold()}
        predictions = dict(zip(scored.ids, done.predictions, strict=True))
        test = self._describe_test(target, evaluation)
        write_evaluation(self.folder.evaluation(evaluation.eval_id), predictions, scored, row, test)
        self.listen(Scored(row["test"], row["scorer"], {name: row[name] for name in get_task(task).shown}))

    def _measured(self, done: Any) -> dict[str, Any]:
        columns = ("steps", "final_loss", "learned", "train_seconds", "examples_per_second", "micro_batch")
        trained = {name: self.outcome.columns.get(name) for name in columns}
        device = _describe_device(self.trainer)
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        return trained | machine() | {
            "unreachable": done.unreachable, "missing": 0, "eval_seconds": round(done.seconds, 3), "device": device,
            "finished": finished,
        }  # fmt: skip

    def _threshold(self) -> dict[str, float]:
        """The column with the no-answer threshold, of a run that has one."""
        return {THRESHOLD: self.trainer.model.threshold} if self.config.unanswerable else {}

    def _overlapping(self, target: str, evaluation: Evaluation) -> frozenset[str]:
        """Ids of the test examples whose text is in the target's train part."""
        from xlqa.components.reader import read_part

        part = next((p for name, p, _ in self.data["tests"] if name == target), None)
        if part is None or evaluation.overlap_with is None:
            return frozenset()
        entry = evaluation.overlap_with
        train = read_part({**entry.to_json(), "path": str(entry.file(self.folder.root))}, part.task).examples
        key = ("overlap", entry.sha256, evaluation.eval_id)
        return SHARED.get(key, lambda: get_task(part.task).overlap(train, part.examples))

    def _describe_test(self, target: str, evaluation: Evaluation) -> TestRecord:
        test = self.config.find_test(target)
        data = test.data if test else self.config.train
        assert data is not None  # a config whose `valid` has no train part is refused
        return TestRecord(target, data, test.size if test else None, test is None, evaluation.overlap_with)

    def close(self) -> None:
        """Release the device's memory."""
        self.trainer.close()


def _describe_device(trainer: Any) -> str:
    from xlqa.training.devices import describe_device

    return describe_device(trainer.model.device)


@functools.cache
def machine() -> dict[str, str]:
    """Host and versions, for the table; looked up once per process."""
    from importlib.metadata import version

    from xlqa.components.framework import HAS_DEEPPAVLOV

    # Of xlqa the version that is running, which need not be the installed one.
    others = {name: version(name) for name in ("torch", "transformers")}
    deeppavlov = version("deeppavlov") if HAS_DEEPPAVLOV else "none"
    return {"host": platform.node(), "xlqa": __version__, "deeppavlov": deeppavlov, **others}


def record_failure(folder: RunFolder, error: str, tail: str = "") -> None:
    """Write a run's failure.json; it counts the attempts."""
    earlier, config = read_failure(folder), find_config(folder)
    row = config.first_row if config else {}
    if config and config.is_source:
        row = {"lang": config.language, "arm": "source", "size": config.train_size, "seed": config.seed}
    failure = Failure(
        folder.id, error, earlier.attempts + 1 if earlier else 1, row.get("lang"), row.get("arm"), row.get("size"),
        row.get("seed"), datetime.now(UTC).isoformat(timespec="seconds"), os.path.relpath(folder.log, folder.root), tail,
    )  # fmt: skip
    # A full disk must not hide the failure itself: it is still reported on the terminal.
    with suppress(XlqaError):
        write_json(folder.failure, failure.to_json())


def prepared(path: Path) -> RunFolder:
    """The folder of a prepared run.

    Raises:
        XlqaError: there is no config.json.
    """
    folder = RunFolder(path.expanduser().resolve())
    if not folder.config.is_file():
        raise XlqaError(f"{path} has no config.json: prepare runs with `xlqa sweep … --dry-run`.")
    if any(sign in str(folder.path) for sign in "{}"):
        raise XlqaError(f"{folder.path}: DeepPavlov configs do not allow braces in a path: rename the folder.")
    return folder
