"""Per-question scores as a CSV file: one row per question, with the columns of `records.QUESTION_COLUMNS`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xlqa.records import QUESTION_COLUMNS, Question
from xlqa.tasks.qa.scores import Scores
from xlqa.util.csvfile import csv_text
from xlqa.util.files import write_output


def write_question_scores(path: Path, questions: Sequence[Question], scores: Scores, squad: Scores) -> None:
    """Write one row per question: its id, its paragraph's hash, its scores and SQuAD v1.1's, in percent.

    The file appears whole or not at all. A question that SQuAD v1.1 has no score for (an unanswerable one) has empty
    cells there. An id that a spreadsheet would take for a formula gets an apostrophe before it.

    Args:
        questions: in the order of `scores`.
        squad: the same questions under `squad`, or those of them that have a gold answer.

    Raises:
        XlqaError: the file cannot be written.
    """
    beside = {id: row for row, id in enumerate(squad.ids)}
    rows = []
    for row, question in enumerate(questions):
        at = beside.get(question.id)
        under_squad = ("", "") if at is None else (_format(squad.f1[at]), _format(squad.em[at]))
        cells = (question.id, question.context_hash, _format(scores.f1[row]), _format(scores.em[row]), *under_squad)
        rows.append(dict(zip(QUESTION_COLUMNS, cells, strict=True)))
    write_output(path, csv_text(QUESTION_COLUMNS, rows).encode("utf-8", "surrogatepass"), "--per-question")


def _format(percent: float) -> str:
    return f"{percent:.10g}"
