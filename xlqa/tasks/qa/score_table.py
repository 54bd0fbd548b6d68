"""Per-question scores as a CSV file: one row per question, with the columns of `records.QUESTION_COLUMNS`."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.records import QUESTION_COLUMNS, Question
from xlqa.tasks.qa.scores import Scores

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


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
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(QUESTION_COLUMNS)
    for row, question in enumerate(questions):
        cells = [guard_cell(question.id), question.context_hash, _format(scores.f1[row]), _format(scores.em[row])]
        at = beside.get(question.id)
        cells += ["", ""] if at is None else [_format(squad.f1[at]), _format(squad.em[at])]
        writer.writerow(cells)
    _write_whole(path, text.getvalue())


def guard_cell(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet would otherwise run it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _format(percent: float) -> str:
    return f"{percent:.10g}"


def _write_whole(path: Path, text: str) -> None:
    if path.exists() and not path.is_file():
        target = draft = path  # a pipe or /dev/stdout is written to: to put a file in its place would break it
    else:
        target = path.resolve()
        draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        if draft != target:
            os.replace(draft, target)
    except OSError as error:
        if draft != target:
            draft.unlink(missing_ok=True)
        raise XlqaError(f"{path}: cannot be written ({error.strerror}): choose another file.") from error
