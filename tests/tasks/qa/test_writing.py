"""What is written in any format is read back the same."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlqa.errors import XlqaError
from xlqa.records import Answer, Question, hash_context
from xlqa.tasks.qa.reading import Reading, read_dataset
from xlqa.tasks.qa.writing import write_dataset

ENDINGS = (".json", ".jsonl", ".csv", ".parquet", ".json.gz", ".jsonl.xz", ".csv.gz")
TEXT = st.text(st.sampled_from("ab,;\"'\t\n\r{}[]é龙😀\u200b\u2028\ufeff "), min_size=1, max_size=12).filter(str.strip)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    questions, titles = [], {}
    for number in range(draw(st.integers(1, 5))):
        context = draw(TEXT)
        start = draw(st.integers(0, len(context) - 1).filter(lambda start: context[start:].strip()))  # noqa: B023  drawn at once
        for asked in range(draw(st.integers(1, 2))):
            begin = start + len(context[start:]) - len(context[start:].lstrip())
            answers = () if draw(st.booleans()) and number else (Answer(context[begin:].rstrip(), begin),)
            identity = f"{number}-{asked}"
            questions.append(Question(identity, draw(TEXT), context, answers, hash_context(context)))
        titles[hash_context(context)] = draw(st.sampled_from(["", "A, b", "«c»"]))
    titles = {key: title for key, title in titles.items() if title}
    return Reading(tuple(draw(st.permutations(questions))), "squad-2.0", "", {}, (), titles=titles)


@settings(deadline=None, max_examples=60)
@given(readings(), st.sampled_from(ENDINGS))
def test_written_and_read_is_the_same(reading: Reading, ending: str) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"set{ending}"
        write_dataset(reading, path)
        first = path.read_bytes()
        found = read_dataset(path)
        write_dataset(reading, path)
        assert path.read_bytes() == first
        assert [file.name for file in Path(folder).iterdir()] == [path.name]
    assert found.everything == reading.everything
    assert found.titles == reading.titles
    assert found.repairs == {}


def plain_reading() -> Reading:
    question = Question("a", "Who?", "Anna.", (Answer("Anna", 0),), hash_context("Anna."))
    return Reading((question,), "squad-1.1", "", {}, ())


def test_squad_without_unanswerable_questions_is_version_one(tmp_path: Path) -> None:
    write_dataset(plain_reading(), tmp_path / "set.json")
    value = json.loads((tmp_path / "set.json").read_text())
    assert value["version"] == "1.1"
    assert "is_impossible" not in value["data"][0]["paragraphs"][0]["qas"][0]


def test_neighbours_stay_together_and_in_order(tmp_path: Path) -> None:
    one, two = plain_reading().questions[0], Question("b", "?", "Ben.", (Answer("Ben", 0),), hash_context("Ben."))
    order = (one, two, replace(one, id="c"), replace(two, id="d"))
    write_dataset(replace(plain_reading(), everything=order), tmp_path / "set.json")
    assert [question.id for question in read_dataset(tmp_path / "set.json").questions] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("ending", [".json", ".jsonl", ".csv"])
def test_gold_texts_without_a_place_are_kept_for_scoring(tmp_path: Path, ending: str) -> None:
    golds = [("Anna", 0), ("", -1), ("nowhere", 3), ("n", -1)]
    qas = [{"id": "a", "question": "?", "answers": [{"text": text, "answer_start": start} for text, start in golds]}]
    source = tmp_path / "source.json"
    source.write_text(json.dumps({"data": [{"paragraphs": [{"context": "Anna met Ben", "qas": qas}]}]}))
    reading = read_dataset(source)
    write_dataset(reading, tmp_path / f"set{ending}")
    (found,) = read_dataset(tmp_path / f"set{ending}").questions
    assert found.answers == (Answer("Anna", 0),)
    assert found.gold_texts == ("Anna", "", "nowhere", "n")


def test_questions_that_only_count_in_scores_are_left_out(tmp_path: Path) -> None:
    scored = Question("b", "?", "Anna.", (), hash_context("Anna."), golds=("nowhere",))
    write_dataset(replace(plain_reading(), everything=(scored, *plain_reading().questions)), tmp_path / "set.json")
    assert [question.id for question in read_dataset(tmp_path / "set.json").everything] == ["a"]


@pytest.mark.parametrize("name", ["set", "set.txt", "set.gz", "set.parquet.gz", ".json"])
def test_other_endings_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(XlqaError, match="can't tell the format"):
        write_dataset(plain_reading(), tmp_path / name)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    with pytest.raises(XlqaError, match="cannot be written"):
        write_dataset(plain_reading(), tmp_path / "file" / "set.json")
