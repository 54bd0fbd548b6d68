"""Scores again from predictions, without a model.

xlqa rescore .
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlqa.data.subsets import sample_questions, split_validation
from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout
from xlqa.runs.store.links import refuse_links
from xlqa.runs.store.results import PREDICTIONS, Result, read_result, task_of, write_evaluation
from xlqa.runs.store.run_config import DataEntry
from xlqa.runs.store.scores import ScoredSet
from xlqa.runs.store.table import Collected, collect_results, write_results
from xlqa.tasks.base import get_task
from xlqa.util.files import read_json, sha256_of

PART_SEED = 0


def rescore(root: Path) -> Collected:
    """Recompute the scores of every finished evaluation below a sweep's folder, and write results.csv.

    Raises:
        XlqaError: there is nothing to score, or a data file is missing or differs.
    """
    layout = Layout(root)
    if dropped := collect_results(layout).dropped:
        raise XlqaError(f"{dropped[0]} Run the sweep again, or remove that folder; nothing was scored.")
    records = []
    for run in layout.run_folders():
        if done := [(path, record) for path in run.evaluations() if (record := read_result(path)) is not None]:
            refuse_links(root, [run])
            records += done
    if not records:
        raise XlqaError(f"{root} has no finished evaluation below runs/: name a sweep's folder (--out).")
    reader = _Reader(root)
    for folder, record in records:
        _rescore_one(folder, record, reader)
    return write_results(layout, keep_rows=True)


def _rescore_one(folder: Path, record: Result, reader: _Reader) -> None:
    row, test = dict(record.row), record.test
    task = get_task(task_of(row))
    predictions = read_json(folder / PREDICTIONS)
    if not isinstance(predictions, dict):
        raise XlqaError(f"{folder / PREDICTIONS} is not a prediction file: remove the folder and run the sweep again.")
    examples = reader.test_examples(test.data, row, test.valid)
    if any(e.id not in predictions for e in examples):
        # Version 0.1 left questions out of which one gold text could not be used.
        earlier = reader.test_examples(test.data, row, test.valid, only_whole=True)
        examples = earlier if all(e.id in predictions for e in earlier) else examples
    if missing := [e.id for e in examples if e.id not in predictions]:
        raise XlqaError(
            f"{folder / PREDICTIONS} has no prediction for {task.unit} {missing[0]} ({len(missing)} in all): "
            "run the sweep again."
        )
    scores = task.score(examples, [predictions[e.id] for e in examples], row["scorer"])
    scored = ScoredSet.of(examples, scores)
    overlap = {}
    if test.overlap_with:
        shared = task.overlap(reader.read(test.overlap_with, task.name), examples)
        overlap = scored.without(shared, task.name)
    write_evaluation(folder, predictions, scored, row | scored.columns(task.name) | overlap, test)


class _Reader:
    """Reads each data file of a sweep once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.known: dict[tuple[str, ...], tuple[Any, ...]] = {}

    def read(self, entry: DataEntry, task: str, to_score: bool = False) -> tuple[Any, ...]:
        """The examples of a config's data entry: those for training, or those that a test set is scored on."""
        path = entry.file(self.root)
        key = (task, entry.sha256, entry.language, str(to_score), str(entry.map_tags), str(entry.unanswerable))
        if key not in self.known:
            refuse_links(self.root, [], [path])
            if sha256_of(path) != entry.sha256:
                raise XlqaError(
                    f"{path} is missing or differs from the file that was scored: put that one there (SHA-256 {entry.sha256}), "
                    "or run the same sweep again."
                )
            dataset = get_task(task).load(
                path, language=entry.language, skip_bad=entry.skip_bad, to_score=to_score, map_tags=entry.map_tags,
                unanswerable=entry.unanswerable,
            )  # fmt: skip
            self.known[key] = dataset.examples
        return self.known[key]

    def test_examples(
        self, entry: DataEntry, row: Mapping[str, Any], valid: bool, only_whole: bool = False
    ) -> tuple[Any, ...]:
        """The examples that an evaluation scored, in its order; `only_whole`: those that training can use entirely."""
        examples = self.read(entry, task_of(row), to_score=not valid)
        if only_whole:
            examples = tuple(e for e in examples if getattr(e, "is_whole", True))
        if valid:
            return tuple(split_validation(examples, int(row["valid_size"]), PART_SEED)[1])
        if row["test_size"] is None:
            return examples
        chosen = {e.id for e in sample_questions(examples, int(row["test_size"]), PART_SEED, "question")}
        return tuple(e for e in examples if e.id in chosen)
