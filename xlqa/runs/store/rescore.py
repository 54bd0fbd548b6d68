"""Scores again from predictions, without a model.

xlqa rescore .
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlqa.data.subsets import sample_questions, split_validation
from xlqa.errors import XlqaError
from xlqa.records import Question
from xlqa.runs.paths import Layout
from xlqa.runs.store.links import refuse_links
from xlqa.runs.store.results import PREDICTIONS, Result, read_result, write_evaluation
from xlqa.runs.store.run_config import DataEntry
from xlqa.runs.store.scores import score_answers
from xlqa.runs.store.table import Collected, write_results
from xlqa.tasks.qa.reading import read_dataset
from xlqa.util.files import read_json, sha256_of

PART_SEED = 0


def rescore(root: Path) -> Collected:
    """Recompute the scores of every finished evaluation below a sweep's folder, and write results.csv.

    Raises:
        XlqaError: there is nothing to score, or a data file is missing or differs.
    """
    layout = Layout(root)
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
    from xlqa.tasks.qa.overlap import find_overlap

    row, test = dict(record.row), record.test
    questions = reader.test_questions(test.data, row, test.valid)
    predictions = read_json(folder / PREDICTIONS)
    if not isinstance(predictions, dict):
        raise XlqaError(
            f"{folder / PREDICTIONS} is not a prediction file any more: remove the folder and run the sweep again."
        )
    if missing := [q.id for q in questions if q.id not in predictions]:
        raise XlqaError(
            f"{folder / PREDICTIONS} has no answer for question {missing[0]} ({len(missing)} in all): run the sweep again."
        )
    scored = score_answers(
        [q.id for q in questions], [q.context_hash for q in questions], [[a.text for a in q.answers] for q in questions],
        predictions, row["scorer"],
    )  # fmt: skip
    overlap = {}
    if test.overlap_with:
        shared = find_overlap(reader.read(test.overlap_with), questions).by_paragraph
        overlap = scored.without(sorted(shared))
    write_evaluation(folder, predictions, scored, row | scored.columns() | overlap, test)


class _Reader:
    """Reads each data file of a sweep once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.known: dict[tuple[str, str], tuple[Question, ...]] = {}

    def read(self, entry: DataEntry) -> tuple[Question, ...]:
        """The questions of a config's data entry."""
        path = entry.file(self.root)
        key = (entry.sha256, entry.language)
        if key not in self.known:
            refuse_links(self.root, [], [path])
            if sha256_of(path) != entry.sha256:
                raise XlqaError(
                    f"{path} is missing or differs from the file that was scored: put that one there (SHA-256 {entry.sha256}), "
                    "or run the same sweep again."
                )
            reading = read_dataset(path, skip_bad=entry.skip_bad, language=entry.language)
            self.known[key] = reading.questions
        return self.known[key]

    def test_questions(self, entry: DataEntry, row: Mapping[str, Any], valid: bool) -> tuple[Question, ...]:
        """The questions that an evaluation scored, in its order."""
        questions = self.read(entry)
        if valid:
            return tuple(split_validation(questions, int(row["valid_size"]), PART_SEED)[1])
        if row["test_size"] is None:
            return questions
        chosen = {q.id for q in sample_questions(questions, int(row["test_size"]), PART_SEED, "question")}
        return tuple(q for q in questions if q.id in chosen)
