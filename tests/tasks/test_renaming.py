"""`--columns question=q,context=passage`: files with names of their own are read as files with the usual ones."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from xlqa.errors import XlqaError
from xlqa.records import TASK_FIELDS
from xlqa.tasks.base import get_task
from xlqa.tasks.qa.reading import read_dataset
from xlqa.tasks.renaming import ColumnNames
from xlqa.tasks.sources import resolve

QA = {"id": "key", "question": "Frage", "context": "Absatz text", "answers": "Antwort", "answer_start": "ab"}
QA_ROWS = [
    {"key": "a", "Frage": "Who?", "Absatz text": "Anna met Bo.", "Antwort": "Anna", "ab": 0, "context": "not this"},
    {"key": "b", "Frage": "Whom?", "Absatz text": "Anna met Bo, and Bo\nmet Cy.", "Antwort": "Bo", "ab": 17, "context": ""},
]  # fmt: skip


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        import pyarrow

        parquet.write_table(pyarrow.Table.from_pylist([dict(row) for row in rows]), path)
    elif path.suffix in (".csv", ".tsv"):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="," if path.suffix == ".csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
    else:
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        path.write_text("\n".join(lines) if path.suffix == ".jsonl" else f"[{','.join(lines)}]", encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_questions_are_those_that_the_names_give(ending: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"fragen.{ending}", QA_ROWS)
    ref = resolve(str(path), columns=ColumnNames("qa", QA), language="de")
    assert ref.path != path
    assert (ref.name, ref.language, ref.scorer) == ("fragen", "de", "mlqa.de")
    usual, own = read_dataset(ref.path), read_dataset(path, columns=QA)
    assert usual.questions == own.questions
    assert [(q.id, q.answers[0].start) for q in usual.questions] == [("a", 0), ("b", 17)]
    assert usual.repairs == own.repairs
    assert resolve(str(path), columns=ColumnNames("qa", QA)).sha256 == ref.sha256


@pytest.mark.parametrize(
    ("task", "names", "rows", "ending"),
    [
        ("nli", {"premise": "p", "hypothesis": "h", "label": "y"}, [("A.", "B.", "neutral"), ("C.", "D.", "entailment")], "tsv"),
        ("paraphrase", {"sentence1": "a", "sentence2": "b", "label": "same"}, [("A.", "B.", "1"), ("C.", "D.", "0")], "csv"),
        ("topic", {"text": "body", "label": "section"}, [("A b.", "sports"), ("C d.", "travel")], "jsonl"),
        ("sentiment", {"text": "body", "label": "stars"}, [("Good.", "good"), ("Bad.", "bad")], "csv"),
        ("ner", {"tokens": "w", "tags": "y"}, [(["Ada", "ran"], ["B-PER", "O"]), (["Go", "Bo"], ["O", "B-PER"])], "jsonl"),
        ("pos", {"tokens": "w", "tags": "y"}, [(["Ada", "ran"], ["PROPN", "VERB"])], "parquet"),
    ],
)  # fmt: skip
def test_every_task_takes_them(task: str, names: dict[str, str], rows: Any, ending: str, tmp_path: Path) -> None:
    own = [dict(zip(names.values(), row, strict=True)) for row in rows]
    usual = [dict(zip(names, row, strict=True)) for row in rows]
    ref = resolve(str(write(tmp_path / f"own.{ending}", own)), columns=ColumnNames(task, names))
    expected = get_task(task).read(write(tmp_path / f"usual.{ending}", usual))
    assert get_task(task).read(ref.path).examples == expected.examples
    assert len(expected.examples) == len(rows)


def test_every_field_that_is_offered_is_known_to_its_task() -> None:
    for task, fields in TASK_FIELDS.items():
        usual = get_task(task).usual_names
        assert set(usual) == set(fields)
        # A renamed column must be found under its field's name.
        assert all(field in usual[field] or field == "tags" for field in fields)


def test_files_that_have_the_usual_names_stay_as_they_are(tmp_path: Path) -> None:
    usual = write(tmp_path / "usual.jsonl", [{"id": "a", "question": "Who?", "context": "Anna.", "answer": "Anna"}])
    nested = tmp_path / "nested.json"
    qas = [{"id": "a", "question": "Who?", "answers": [{"text": "Anna", "answer_start": 0}]}]
    nested.write_text(json.dumps({"data": [{"paragraphs": [{"context": "Anna.", "qas": qas}]}]}))
    names = ColumnNames("qa", QA)
    for name in (str(usual), str(nested), "sample.es.test"):
        assert resolve(name, columns=names) == resolve(name)
    with pytest.raises(XlqaError, match=r"--columns id=key,question=Frage.*no data set has such a column"):
        names.refuse_unseen()


def test_a_row_that_is_no_question_is_refused_in_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", [QA_ROWS[0], QA_ROWS[1] | {"Antwort": "Zoe"}])
    ref = resolve(str(path), columns=ColumnNames("qa", QA))
    with pytest.raises(XlqaError, match=r'rows\.jsonl: row 2, question b: the answer "Zoe" is nowhere'):
        read_dataset(ref.path)


def test_a_name_that_the_file_lacks_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "fragen.csv", QA_ROWS)
    with pytest.raises(
        XlqaError, match=r'fragen\.csv: --columns question=Fragen: there is no such column; the file has "key"'
    ):
        resolve(str(path), columns=ColumnNames("qa", {"question": "Fragen"}))
    names = ColumnNames("qa", QA | {"title": "Titel"})
    resolve(str(path), columns=names)
    with pytest.raises(
        XlqaError, match=r'--columns title=Titel: no data set has such a column .the columns are "key", "Frage"'
    ):
        names.refuse_unseen()
