"""Exports of annotation tools and tables without places are read as their tools write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from xlqa.cli.app import app
from xlqa.errors import XlqaError
from xlqa.records import Answer
from xlqa.tasks.base import get_task
from xlqa.tasks.detect import find_task
from xlqa.tasks.qa.reading import FIRST_PLACE, read_dataset

TEXT = "🐎 Mara lives in Brenn. Brenn is far."


def write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def span(start: int, end: int, text: str | None = None, kind: str = "labels") -> dict[str, Any]:
    value = {"start": start, "end": end, kind: ["Answer"]} | ({} if text is None else {"text": text})
    return {"from_name": "answer", "to_name": "text", "type": kind, "value": value}


def task(number: int, *results: list[dict[str, Any]], cancelled: bool = False, **data: str) -> dict[str, Any]:
    annotations = [{"id": n, "result": result, "was_cancelled": cancelled} for n, result in enumerate(results)]
    return {
        "id": number,
        "annotations": annotations,
        "predictions": [],
        "data": {"text": TEXT, "question": "Who?"} | data,
    }


def test_label_studio_counts_as_a_browser_does(tmp_path: Path) -> None:
    # The horse is two UTF-16 units. Two annotators gave the same answer.
    file = write(tmp_path / "export.json", [task(1, [span(3, 7, "Mara")], [span(3, 7, "Mara")]), task(2, [])])
    reading = read_dataset(file)
    assert (reading.format, find_task(str(file))) == ("label-studio", "qa")
    assert [(q.id, q.answers) for q in reading.questions] == [("1", (Answer("Mara", 2), Answer("Mara", 2)))]
    assert [question.id for question in reading.unanswerable] == ["2"]


def test_label_studio_with_columns_of_its_own_and_typed_answers(tmp_path: Path) -> None:
    typed = {"type": "textarea", "value": {"text": ["Mara"]}}
    item = {"id": 7, "annotations": [{"result": [typed]}], "data": {"q": "Who?", "doc": TEXT}}
    (question,) = read_dataset(
        write(tmp_path / "a.json", [item]), columns={"question": "q", "context": "doc"}
    ).questions
    assert question.answers == (Answer("Mara", 2),)


def test_label_studio_in_html_and_without_texts(tmp_path: Path) -> None:
    marked = span(0, 4, "Mara", "hypertextlabels")
    marked["value"] |= {"start": "/p[1]/text()[1]", "globalOffsets": {"start": 2, "end": 6}}
    plain_text = task(2, [span(0, 4)], text="Mara lives in Brenn.")
    answers = [q.answers for q in read_dataset(write(tmp_path / "a.json", [task(1, [marked]), plain_text])).questions]
    assert answers == [(Answer("Mara", 2),), (Answer("Mara", 0),)]


def test_label_studio_min(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "text": TEXT, "question": "Who?", "answer": [span(3, 7, "Mara")["value"]], "annotator": 1},
        {"id": 2, "text": TEXT, "question": "Where?", "annotator": 1},
    ]
    reading = read_dataset(write(tmp_path / "min.json", rows), skip_bad=True)
    assert [q.answers for q in reading.questions] == [(Answer("Mara", 2),)]
    assert [str(refusal) for refusal in reading.refused] == [
        "row 2, question 2: it was not annotated, or its annotation was skipped: fix or remove it."
    ]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (task(3, [span(3, 7, "Mara")], cancelled=True), "it was not annotated"),
        (task(3), "it was not annotated"),
        (task(3, [span(3, 7)]), "an answer has no text: export with the text of the spans"),
        ({"id": 3}, "the row is not of an export of label-studio"),
    ],
)
def test_what_label_studio_leaves_open_is_refused_in_its_place(tmp_path: Path, item: Any, reason: str) -> None:
    file = write(tmp_path / "export.json", [task(1, [span(3, 7, "Mara")]), item])
    with pytest.raises(XlqaError, match=rf"row 2, question .*{reason}"):
        read_dataset(file)


def test_deepset_exports_are_squad(tmp_path: Path) -> None:
    answer = {"answer_id": 1, "document_id": 5, "question_id": 2, "text": "Mara", "answer_start": 2, "answer_end": 6,
              "answer_category": "SHORT"}  # fmt: skip
    qas = [{"question": "Who?", "id": 2, "answers": [answer], "is_impossible": False},
           {"question": "Why?", "id": 3, "answers": [], "is_impossible": True}]  # fmt: skip
    reading = read_dataset(
        write(tmp_path / "a.json", {"data": [{"paragraphs": [{"qas": qas, "context": TEXT, "document_id": 5}]}]})
    )
    assert ([q.answers for q in reading.questions], len(reading.unanswerable)) == ([(Answer("Mara", 2),)], 1)


def test_haystack_labels(tmp_path: Path) -> None:
    def label(number: int, answer: Any, **more: Any) -> dict[str, Any]:
        return {"id": f"l{number}", "query": "Who?", "document": {"content": TEXT, "id": "d"}, "answer": answer, **more}

    found = {"answer": "Mara", "offsets_in_document": [{"start": 2, "end": 6}], "type": "extractive"}
    rows = [
        label(1, found, is_correct_answer=True),
        label(2, None, no_answer=True),
        label(3, found, is_correct_answer=False),
    ]
    reading = read_dataset(write(tmp_path / "labels.json", rows), skip_bad=True)
    assert (reading.format, [q.answers for q in reading.questions]) == ("haystack", [(Answer("Mara", 2),)])
    assert [question.id for question in reading.unanswerable] == ["l2"]
    assert ["marks the answer as wrong" in str(refusal) for refusal in reading.refused] == [True]


def test_a_table_without_places_and_the_flag_that_takes_the_first(tmp_path: Path) -> None:
    file, out = tmp_path / "mine.tsv", tmp_path / "mine.json"
    file.write_text(f"q\tpassage\tanswer\nWho?\t{TEXT}\tMara\nWhere?\t{TEXT}\tBrenn\n", encoding="utf-8")
    command = ["data", "convert", "--columns", "question=q", str(file), str(out)]
    message = r"has no start and is at 2 places: give its answer_start, or take the first place with .*--first-place"
    with pytest.raises(XlqaError, match=message):
        CliRunner().invoke(app, command, catch_exceptions=False)
    assert not out.exists()
    assert CliRunner().invoke(app, [*command, "--first-place"]).exit_code == 0
    assert [question.answers[0].start for question in read_dataset(out).questions] == [2, 16]
    assert read_dataset(file, columns={"question": "q"}, first_place=True).repairs[FIRST_PLACE] == 1


def choice(label: str) -> dict[str, Any]:
    return {"from_name": "sentiment", "type": "choices", "value": {"choices": [label]}}


def test_chosen_labels_of_label_studio(tmp_path: Path) -> None:
    file = write(
        tmp_path / "choices.json", [task(1, [choice("good")], [choice("good")]), task(2, [choice("bad")], text="No.")]
    )
    for item in (items := json.loads(file.read_text(encoding="utf-8"))):
        del item["data"]["question"]
    examples = get_task("sentiment").read(write(file, items)).examples
    assert [(example.id, example.first, example.label) for example in examples] == [
        ("1", TEXT, "good"),
        ("2", "No.", "bad"),
    ]
    with pytest.raises(XlqaError, match="does not show its task: add --task topic or --task sentiment"):
        find_task(str(file))
    split = task(1, [choice("good")], [choice("bad")])
    with pytest.raises(XlqaError, match="element 1: no label"):
        get_task("sentiment").read(write(file, [split]))


def test_a_second_control_with_choices_is_not_the_label(tmp_path: Path) -> None:
    level = {"from_name": "difficulty", "type": "choices", "value": {"choices": ["hard"]}}
    (example,) = get_task("sentiment").read(write(tmp_path / "a.json", [task(1, [choice("good"), level])])).examples
    assert example.label == "good"


def typed(control: str, text: str) -> dict[str, Any]:
    return {"from_name": control, "type": "textarea", "value": {"text": [text]}}


def test_a_comment_is_not_an_answer(tmp_path: Path) -> None:
    comment, evidence = typed("comment", "please check"), span(16, 21, "Brenn") | {"from_name": "evidence"}
    items = [task(1, [span(3, 7, "Mara"), comment, evidence]), task(2, [comment]), task(3, [typed("Answer", "Mara")])]
    reading = read_dataset(write(tmp_path / "a.json", [*items, task(4, [typed("why", "Mara")])]), skip_bad=True)
    assert [(q.id, q.gold_texts) for q in reading.questions] == [("1", ("Mara",)), ("3", ("Mara",))]
    assert [question.id for question in reading.unanswerable] == ["2"]
    assert [refusal.reason for refusal in reading.refused] == [
        'its text is from the control "why": name the control of the answers "answer"'
    ]


@pytest.mark.parametrize("result", [True, [True], [{"value": True}], [{"value": {"choices": True}}], "pos"])
def test_a_damaged_export_has_no_label(tmp_path: Path, result: Any) -> None:
    for key in ("annotations", "completions"):
        item = {"id": 1, "data": {"text": "a"}, key: [{"result": result}]}
        with pytest.raises(XlqaError, match="element 1: no label"):
            get_task("sentiment").read(write(tmp_path / "a.json", [item]))


def test_a_choice_that_is_not_a_list_is_not_split_into_letters(tmp_path: Path) -> None:
    item = task(1, [{"type": "choices", "value": {"choices": "x"}}])
    with pytest.raises(XlqaError, match="element 1: no label"):
        get_task("sentiment").read(write(tmp_path / "a.json", [item]))


def test_lists_of_sentences_in_json(tmp_path: Path) -> None:
    tagged = write(tmp_path / "tagged.json", [{"tokens": ["Mara", "lives"], "ner_tags": ["B-PER", "O"]}])
    assert find_task(str(tagged)) == "ner"
    assert get_task("ner").read(tagged).examples[0].words == ("Mara", "lives")
    pairs = write(tmp_path / "pairs.json", [{"premise": "A.", "hypothesis": "B.", "label": 0}])
    assert find_task(str(pairs)) == "nli"
    assert get_task("nli").read(pairs).examples[0].label == "entailment"
    with pytest.raises(XlqaError, match="export it from Label Studio as CONLL2003"):
        get_task("ner").read(write(tmp_path / "spans.json", [task(1, [span(3, 7, "Mara")])]))
    items = [{"tokens": ["Mara"], "ner_tags": ["B-PER"]}, {"tokens": ["Mara"], "ner_tags": []}]
    with pytest.raises(XlqaError, match="element 2: 1 tokens and 0 tags"):
        get_task("ner").read(write(tmp_path / "tags.json", items))
    tagged.write_text('[{"tokens": ["Mara"]', encoding="utf-8")
    with pytest.raises(
        XlqaError, match=r"tagged\.json, line 1: is not JSON or cut short \(Expecting ',' delimiter, column 21\)"
    ):
        get_task("ner").read(tagged)
