"""The per-question file: its columns, its cells, and that it appears whole or not at all."""

from __future__ import annotations

import csv
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xlqa.errors import XlqaError
from xlqa.records import QUESTION_COLUMNS, Answer, Question
from xlqa.tasks.qa.score_table import write_question_scores
from xlqa.tasks.qa.scorers import get_scorer, score_questions
from xlqa.util.csvfile import guard_cell

QUESTIONS = [
    Question("=HYPERLINK(1)", "?", "in Denver", (Answer("Denver", 3),), "hash1"),
    Question('b, "c"', "?", "x", (), "hash2"),
]
PREDICTIONS = {"=HYPERLINK(1)": "in Denver", 'b, "c"': ""}


def write(path: Path) -> None:
    scores = score_questions(QUESTIONS, PREDICTIONS, get_scorer("squad2"))
    squad = score_questions(QUESTIONS[:1], PREDICTIONS, get_scorer("squad"))
    write_question_scores(path, QUESTIONS, scores, squad)


def test_rows_and_cells(tmp_path: Path) -> None:
    write(tmp_path / "questions.csv")
    with open(tmp_path / "questions.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        list(QUESTION_COLUMNS),
        ["'=HYPERLINK(1)", "hash1", "66.66666667", "0", "66.66666667", "0"],
        ['b, "c"', "hash2", "100", "100", "", ""],  # SQuAD v1.1 has no score for it: empty, not 0
    ]


def test_the_same_scores_give_the_same_bytes_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "questions.csv"
    write(path)
    before = path.read_bytes()
    write(path)
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["questions.csv"]


def test_what_cannot_be_written_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "questions.csv", tmp_path):
        with pytest.raises(XlqaError, match="cannot be written"):
            write(path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_formulas_are_guarded(text: str) -> None:
    assert guard_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "56be4db0", "a=1", "東京"])
def test_other_text_is_left_alone(text: str) -> None:
    assert guard_cell(text) == text


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(pipe.read_text, encoding="utf-8")
        write(pipe)
        assert reading.result(timeout=10).startswith("id,context,f1,em")
    assert pipe.is_fifo()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "questions.csv")
    write(tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "questions.csv").read_text(encoding="utf-8").startswith("id,context")
