"""Russian in Latin letters: answers stay where they were, and the script writes what xlqa reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from documents import ROOT
from hypothesis import given
from hypothesis import strategies as st

from xlqa.errors import XlqaError
from xlqa.records import Answer, Question, hash_context
from xlqa.tasks.qa.reading import read_dataset

SCRIPT = ROOT / "experiments" / "english-encoder" / "russian-latin" / "transliterate.py"
LETTERS = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВЩЬЮЯ"


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(SCRIPT.parent))
    import transliterate

    return transliterate


def question(context: str, start: int, end: int) -> Question:
    return Question("1", "Где ёж?", context, (Answer(context[start:end], start),), hash_context(context))


@given(text=st.text(LETTERS + "abЇі 1,\u0301😀", min_size=2, max_size=40), data=st.data())
def test_answers_stay_at_their_places(script, text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    if not script.latin(text[start:end]).strip():
        with pytest.raises(XlqaError, match="question 1: nothing is left"):
            script.question_in_latin(question(text, start, end))
        return
    found = script.question_in_latin(question(text, start, end))
    (answer,) = found.answers
    assert found.context[answer.start : answer.start + len(answer.text)] == answer.text
    assert found.question == "Gde ezh?"
    assert found.context[: answer.start] == script.latin(text[:start])
    assert not set(found.context) & set(LETTERS)


def test_all_letters_are_known(script) -> None:
    assert len(script.LETTERS) == 33
    assert script.latin("Съешь же ещё этих мягких французских булок, да выпей чаю") == (
        "Sieesh zhe eshche etikh miagkikh frantsuzskikh bulok, da vypei chaiu"
    )


def test_the_script_writes_a_data_set(tmp_path: Path) -> None:
    source = tmp_path / "a.json"
    source.write_text(
        '{"data": [{"title": "Ёж", "paragraphs": [{"context": "Ёж живёт в лесу.", "qas": '
        '[{"id": "7", "question": "Где?", "answers": [{"text": "в лесу", "answer_start": 9}]}]}]}]}',
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(source), str(tmp_path)], capture_output=True, text=True, check=True
    )
    written = tmp_path / "a.latin.json"
    assert done.stdout.strip() == str(written)
    reading = read_dataset(written)
    (found,) = reading.questions
    assert (found.id, found.context, found.answers) == ("7", "Ezh zhivet v lesu.", (Answer("v lesu", 11),))
    assert list(reading.titles.values()) == ["Ezh"]


def test_a_file_that_can_not_be_read_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "no.json"), str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "no.json" in done.stderr
