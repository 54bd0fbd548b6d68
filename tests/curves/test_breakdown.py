"""The gain by kinds of questions: what is known of a question, and gains that add up to the whole."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic import Study, write_study

from xlqa.curves.breakdown import break_down, facts_of, question_word
from xlqa.curves.comparison import compare_all
from xlqa.curves.example_scores import ExampleStore
from xlqa.curves.grouping import split_panels
from xlqa.curves.plots.breakdown import breakdown_figure
from xlqa.curves.plots.curves import STYLES
from xlqa.curves.table import load_results
from xlqa.records import Answer, Question


@pytest.mark.parametrize(
    ("question", "language", "word"),
    [
        ("In what year did who arrive?", "en", "what"), ("How many ducks?", "en", "how many"), ("How?", "en", "how"),
        ("Сколько лет и где?", "ru", "how many"), ("В каком году?", "ru", "which"), ("Mji upi ni mkubwa?", "sw", "which"),
        ("长城在哪里？", "zh", "where"), ("¿Por qué vino?", "es", "why"), ("Name a river.", "en", "other"),
        ("Anything", "xx", ""),
    ],
)  # fmt: skip
def test_the_first_question_word_counts(question: str, language: str, word: str):
    assert question_word(question, language) == word


def test_what_is_known_of_a_question():
    question = Question(
        "q", "Where does Mara live?", "Mara does not live here.", (Answer("not live here", 10), Answer("here", 19)), "c"
    )
    facts = facts_of([question], "en")["q"]
    assert facts == {"overlap": 0.75, "answer_words": 1, "question_word": "where"}
    assert facts_of([replace(question, answers=())], "en")["q"]["answer_words"] == 0
    chinese = Question("z", "谁？", "那是谁", (Answer("那是谁", 0),), "c")
    assert facts_of([chinese], "zh")["z"] == {"overlap": 1.0, "answer_words": 3, "question_word": "who"}


@pytest.fixture
def comparison(tmp_path: Path):
    table = load_results(write_study(tmp_path, Study(seeds=3, sizes=(100, 1000, 10000))))
    (found,) = compare_all(split_panels(table), ("f1",), ExampleStore())
    return found


def test_gains_of_the_kinds_make_up_the_whole(comparison):
    facts = {f"q{n}": {"answer_words": 1 if n % 3 else 5, "question_word": "who"} for n in range(240)}
    (found,) = break_down(comparison, facts)
    assert found.factor == "answer length"
    assert [(kind.name, kind.examples) for kind in found.kinds] == [("1 word", 160), ("4 to 6 words", 80)]
    for result in comparison.results:
        parts = [kind.gains[result.size] for kind in found.kinds]
        assert (160 * parts[0].value + 80 * parts[1].value) / 240 == pytest.approx(result.gain.value)
        assert all(part.low < part.value < part.high for part in parts)
    figure = breakdown_figure([found], STYLES["web"])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["1 word (160)", "4 to 6 words (80)"]


def test_kinds_with_few_questions_are_left_out(comparison):
    facts = {f"q{n}": {"overlap": 0.1 if n < 10 else math.nan if n < 20 else 0.5} for n in range(240)}
    assert break_down(comparison, facts) == ()
    assert break_down(comparison, {}) == ()
