"""Each format is recognised by its content, not its name; what is none of them is named for what it is."""

from __future__ import annotations

import bz2
import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest

from xlqa.errors import XlqaError
from xlqa.tasks.qa.reading import ANSWER_AS_NUMBER, FIRST_PLACE, read_dataset
from xlqa.util import compression

CONTEXT = 'L\'été, «Zoë»\nmet 𫚭 in Rome; "yes", Rome.'
ROWS: list[dict[str, Any]] = [
    {"id": "a", "title": "T", "context": CONTEXT, "question": "Who, then?",
     "answers": {"text": ["Zoë", "«Zoë»"], "answer_start": [8, 7]}},
    {"id": "b", "title": "T", "context": CONTEXT, "question": "Where \"exactly\"?",
     "answers": {"text": ["Rome; \"yes\", Rome"], "answer_start": [22]}},
]  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "named.wrongly"


def check(path: Path, name: str) -> None:
    reading = read_dataset(path)
    assert reading.format == name
    found = [
        {"id": q.id, "title": "T", "context": q.context, "question": q.question,
         "answers": {"text": [a.text for a in q.answers], "answer_start": [a.start for a in q.answers]}}
        for q in reading.questions
    ]  # fmt: skip
    assert found == ROWS
    assert reading.repairs == {}


def write_json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_rows_in_json_of_every_shape(path: Path) -> None:
    check(write_json(path, ROWS), "json")
    check(write_json(path, {"data": ROWS}), "json")
    check(write_json(path, {"rows": [{"row_idx": i, "row": row} for i, row in enumerate(ROWS)]}), "json")
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    check(write_json(path, columns), "json")
    check(write_json(path, {name: dict(enumerate(column)) for name, column in columns.items()}), "json")


def test_json_lines(path: Path) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in ROWS]
    path.write_text("\n".join(lines), encoding="utf-8")
    check(path, "jsonl")
    path.write_bytes(("\ufeff" + "\r\n\r\n".join(lines) + "\r\n").encode())
    check(path, "jsonl")
    path.write_text(lines[0], encoding="utf-8")
    assert read_dataset(path).format == "jsonl"
    assert len(read_dataset(path).questions) == 1


def test_flattened_and_single_answers(path: Path) -> None:
    base = {"id": "a", "context": "Anna met Ben.", "question": "Who?"}
    for fields in (
        {"answers.text": ["Ben"], "answers.answer_start": [9]},
        {"answers": [{"text": "Ben", "answer_start": 9}]},
        {"answers": ["Ben"], "answer_start": [9]},
        {"answers": {"text": "Ben", "answer_start": 9}},
        {"answer": {"text": "Ben", "answer_start": 9}},
        {"answer_text": "Ben", "answer_start": 9},
        {"answer": "Ben", "answer_start": [9]},
    ):
        (question,) = read_dataset(write_json(path, [base | fields])).questions
        assert [(answer.text, answer.start) for answer in question.answers] == [("Ben", 9)]


def test_texts_and_starts_of_different_number_are_refused(path: Path) -> None:
    row = {"id": "a", "context": "Anna", "question": "Who?", "answers": {"text": ["Anna"], "answer_start": [0, 1]}}
    with pytest.raises(XlqaError, match=r"row 1, question a: there are 1 answer texts and 2 starts"):
        read_dataset(write_json(path, [row]))


def frame() -> Any:
    """Rows as Hugging Face's `to_csv` and `to_json` hold them: pandas made from Arrow."""
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.Table.from_pylist(ROWS).to_pandas()


def test_csv_as_hugging_face_writes_it(path: Path) -> None:
    frame().to_csv(path, index=False)
    assert "array([" in path.read_text(encoding="utf-8")
    check(path, "csv")
    frame().to_csv(path, index=False, sep="\t")
    check(path, "tsv")
    frame().to_csv(path, index=True, sep=";", encoding="utf-8-sig")
    check(path, "csv")


def test_csv_of_many_answers_keeps_them_all(path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    text = " ".join(f"word{i}" for i in range(40))
    answers = {
        "text": [f"word{i}" for i in range(10, 40)],
        "answer_start": [text.index(f"word{i}") for i in range(10, 40)],
    }
    row = {"id": "a", "context": text, "question": "?", "answers": answers}
    pyarrow.Table.from_pylist([row]).to_pandas().to_csv(path, index=False)
    (question,) = read_dataset(path).questions
    assert [answer.text for answer in question.answers] == answers["text"]


GOOD = {"id": "ok", "context": "Anna met Ben.", "question": "Who?", "answers": {"text": ["Ben"], "answer_start": [9]}}
BAD: dict[str, Any] = {
    "null context": GOOD | {"id": "0", "context": None},
    "context in a list": GOOD | {"id": "0", "context": ["Anna met Ben."]},
    "no object": 7,
    "question as number": GOOD | {"id": "0", "question": 5},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("first", [True, False])
def test_a_bad_row_is_refused_in_its_place_wherever_it_is(path: Path, bad: Any, first: bool) -> None:
    rows = [bad, GOOD] if first else [GOOD, bad]
    texts = [json.dumps(rows), json.dumps({"data": rows})]
    if isinstance(rows[0], dict):  # otherwise the first line does not begin as JSON lines do
        texts.append("\n".join(map(json.dumps, rows)))
    for text in texts:
        path.write_text(text)
        reading = read_dataset(path, skip_bad=True)
        assert [question.id for question in reading.questions] == ["ok"]
        assert [refusal.row for refusal in reading.refused] == [1 if first else 2]


def test_a_bad_article_is_refused_in_its_place(path: Path) -> None:
    paragraph = {"context": "Anna met Ben.", "qas": [GOOD | {"answers": [{"text": "Ben", "answer_start": 9}]}]}
    write_json(path, {"version": "1.1", "data": [{"title": "empty", "paragraphs": None}, {"paragraphs": [paragraph]}]})
    reading = read_dataset(path, skip_bad=True)
    assert [question.id for question in reading.questions] == ["ok"]
    assert 'article 1, paragraph 0, question (no id): the article has no list "paragraphs"' in str(reading.refused[0])


def test_a_value_that_is_wrong_is_named_where_the_keys_are_right(path: Path) -> None:
    with pytest.raises(XlqaError, match="all 1 are refused: row 1, question 0: the paragraph is a list, not text"):
        read_dataset(write_json(path, [BAD["context in a list"]]), skip_bad=True)


@pytest.mark.parametrize(
    "value",
    [
        {"train": [{"paragraphs": [{"context": "Anna met Ben.", "qas": [GOOD | {"answers": [{"text": "Ben", "answer_start": 9}]}]}]}]},
        {"ok": {"context": GOOD["context"], "question": "Who?", "answers": GOOD["answers"]}},
        {"validation": [GOOD], "version": "1.0", "empty": []},
        {"data": {"dev": [GOOD]}},
        [{"Id": "ok", "Context": "Anna met Ben.", "Question": "Who?", "Answer": "Ben", "Answer Start": 9}],
        [{"id": "ok", "context": "Anna met Ben.", "question": "Who?", "answers": ["Ben"], "answer_starts": [9]}],
        [{"id": "ok", "context": "Anna met Ben.", "question": "Who?", "answers": "Ben", "answer_start": 9}],
        [{"id": "ok", "context": "Anna met Ben.", "question": "Who?", "answers": [{"answer": "Ben", "answer_start": 9}]}],
    ],
)  # fmt: skip
def test_other_shapes_and_names(path: Path, value: Any) -> None:
    (question,) = read_dataset(write_json(path, value)).questions
    assert (question.id, question.context, question.question) == ("ok", "Anna met Ben.", "Who?")
    assert [(answer.text, answer.start) for answer in question.answers] == [("Ben", 9)]


def test_two_lists_of_questions_are_not_chosen_from(path: Path) -> None:
    with pytest.raises(XlqaError, match=r"has several lists of questions \(train, dev\)"):
        read_dataset(write_json(path, {"train": [GOOD], "dev": [GOOD]}))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"data": [%s], "validation": [%s]}', "data, validation"),
        ('{"validation": [%s], "data": [%s]}', "data, validation"),
        ('{"data": [%s], "rows": [{"row": %s}]}', "data, rows"),
        ('{"data": [%s], "data": [%s]}', "data, data"),
    ],
)
def test_a_list_beside_the_usual_one_is_not_ignored(path: Path, text: str, names: str) -> None:
    path.write_text(text % (json.dumps(GOOD), json.dumps(GOOD)), encoding="utf-8")
    with pytest.raises(
        XlqaError, match=rf"has several lists of questions \({names}\): write each into a file of its own"
    ):
        read_dataset(path)


def test_a_list_that_comes_twice_is_refused(path: Path) -> None:
    path.write_text(f'{{"train": [{json.dumps(GOOD)}], "train": [{json.dumps(GOOD)}]}}', encoding="utf-8")
    with pytest.raises(XlqaError, match='has two lists "train": write each into a file of its own'):
        read_dataset(path)


@pytest.mark.parametrize(
    "text", ['{"rows": [], "train": [%s]}', '{"data": [], "data": [%s]}', '{"data": [%s], "dev": []}']
)
def test_an_empty_list_is_none_of_several(path: Path, text: str) -> None:
    path.write_text(text % json.dumps(GOOD), encoding="utf-8")
    assert len(read_dataset(path).questions) == 1


def test_columns_of_other_names(path: Path) -> None:
    path.write_text(
        'q_review_id,question,review,human_ans_spans,human_ans_indices\nok,Who?,Anna met Ben.,Ben,"(9, 12)"\n'
    )
    with pytest.raises(XlqaError) as caught:
        read_dataset(path)
    assert 'has the keys "q_review_id", "question", "review", "human_ans_spans", "human_ans_indices"' in str(
        caught.value
    )
    assert "name them: `--columns question=NAME,context=NAME," in str(caught.value)
    columns = {
        "context": "review",
        "id": "q_review_id",
        "answers": "human_ans_spans",
        "answer_start": "human_ans_indices",
    }
    (question,) = read_dataset(path, columns=columns).questions
    assert (question.id, question.context, question.answers[0].start) == ("ok", "Anna met Ben.", 9)
    with pytest.raises(XlqaError, match="--columns context=none: there is no such column; the file has"):
        read_dataset(path, columns={"context": "none"})
    lingual = {"id": "ok", "question_lang": "Nani?", "question_translated": "Who?", "context": "Anna met Ben.",
               "answer_pivot": {"text": ["Ben"], "answer_start": [9]}}  # fmt: skip
    columns = {"question": "question_lang", "answers": "answer_pivot"}
    (question,) = read_dataset(write_json(path, [lingual]), columns=columns).questions
    assert (question.question, question.answers[0].start) == ("Nani?", 9)


@pytest.mark.parametrize(
    "text",
    [
        "Id;Context;Question;Answer;Answer_Start\nok;Anna met Ben.;Who?;Ben;9\n",
        "sep=;\nid;context;question;answer;answer_start\nok;Anna met Ben.;Who?;Ben;9\n",
        "id\tcontext\tquestion\tanswers\tanswer_start\nok\tAnna met Ben.\tWho?\tBen\t9\n",
        "id,context,question,answers,answer_start\r\nok,Anna met Ben.,Who?,Ben,9.0\r\n",
        "id,context,question,answers,answer_starts\rok,Anna met Ben.,Who?,['Ben'],[9]\r",
        "id,context,question,answers\nok,Anna met Ben.,Who?,\"{'text': ['Ben' 'Anna'], 'answer_start': [9 0]}\"\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_of_every_kind_need_no_repair(path: Path, text: str, encoding: str) -> None:
    path.write_bytes(text.encode(encoding))
    reading = read_dataset(path)
    assert (reading.questions[0].id, reading.questions[0].answers[0].start) == ("ok", 9)
    assert reading.repairs == {}


def test_native_cmrc_with_numbers_as_answers(path: Path) -> None:
    article = {
        "context_id": "1", "context_text": "他生于2010年，有39764人。", "title": "甲",
        "qas": [
            {"query_id": "q1", "query_text": "哪年？", "answers": ["2010", 2010, 2010.0]},
            {"query_id": "q2", "query_text": "多少人？", "answers": [39764.0]},
        ],
    }  # fmt: skip
    reading = read_dataset(write_json(path, [article]))
    assert [question.gold_texts for question in reading.questions] == [("2010", "2010", "2010"), ("39764",)]
    assert reading.repairs[ANSWER_AS_NUMBER] == 3


@pytest.mark.parametrize(
    "cell",
    [
        '[-"a"]',
        "[{[1]}]",
        "[" * 100_000,
        "['a'",
        "{'text': [1]",
        "[" + "'a' " * 20_000,
        '["' + "\\\\x" * 50_000,
        "(1, 2)" * 9,
    ],
)
def test_a_cell_that_is_no_literal_is_text(path: Path, cell: str) -> None:
    quoted = cell.replace('"', '""')
    path.write_text(f'id,context,question,answers\nok,Anna,Who?,Anna\nbad,Anna,Who?,"{quoted}"\n')
    start = time.process_time()
    reading = read_dataset(path, skip_bad=True)
    assert time.process_time() - start < 5
    assert [question.id for question in reading.questions] == ["ok"]
    assert "nowhere in its paragraph" in reading.refused[0].reason


def test_six_megabytes_of_answers_take_seconds(path: Path) -> None:
    cell = "['" + "a" * 60_000 + "']"
    row = f'q,Anna,Who?,"{cell}"\n'
    path.write_text("id,context,question,answers\nok,Anna,Who?,Anna\n" + row * 100)
    start = time.process_time()
    assert len(read_dataset(path, skip_bad=True).refused) == 100
    assert time.process_time() - start < 10


def test_csv_cells_are_read_never_run(path: Path) -> None:
    row = "a,Anna,Who?,\"{'text': [__import__('os').getcwd()], 'answer_start': [0]}\"\n"
    path.write_text("id,context,question,answers\n" + row, encoding="utf-8")
    with pytest.raises(XlqaError, match="nowhere in its paragraph"):
        read_dataset(path)


def test_json_lines_as_pandas_writes_them(path: Path) -> None:
    frame().to_json(path, orient="records", lines=True)
    check(path, "jsonl")


def test_parquet(path: Path) -> None:
    frame().to_parquet(path)
    check(path, "parquet")
    whole = path.read_bytes()
    path.write_bytes(gzip.compress(whole, mtime=0))
    check(path, "parquet")
    path.write_bytes(whole[:-20])
    with pytest.raises(XlqaError, match="Parquet file is cut short or damaged"):
        read_dataset(path)
    frame()[["id", "title"]].to_parquet(path)
    with pytest.raises(XlqaError, match='has the keys "id", "title": not question answering data'):
        read_dataset(path)


def test_native_cmrc_has_no_starts(path: Path) -> None:
    article = {
        "context_id": "TRIAL_1", "context_text": "跑跑卡丁车与泡泡堂与跑跑", "title": "泡泡战士",
        "qas": [
            {"query_text": "什么？", "query_id": "TRIAL_1_QUERY_0", "answers": ["泡泡堂", "卡丁车"]},
            {"query_text": "谁？", "query_id": "TRIAL_1_QUERY_1", "answers": ["跑跑"]},
        ],
    }  # fmt: skip
    reading = read_dataset(write_json(path, [article]))
    assert reading.format == "cmrc2018"
    assert [[(a.text, a.start) for a in q.answers] for q in reading.questions] == [
        [("泡泡堂", 6), ("卡丁车", 2)], [("跑跑", 0)],
    ]  # fmt: skip
    assert reading.repairs[FIRST_PLACE] == 1
    assert list(reading.titles.values()) == ["泡泡战士"]


def tydiqa_document() -> dict[str, Any]:
    first, second = "Ääni kulkee. ", "Moskova on pääkaupunki 🏙 täällä."
    text = first + second
    start = len((first + "Moskova on ").encode())
    end = start + len("pääkaupunki 🏙".encode())
    return {
        "document_plaintext": text, "document_title": "Moskova", "language": "finnish", "example_id": -12,
        "question_text": "Mikä?", "document_url": "",
        "passage_answer_candidates": [
            {"plaintext_start_byte": 0, "plaintext_end_byte": len(first.encode())},
            {"plaintext_start_byte": len(first.encode()), "plaintext_end_byte": len(text.encode())},
        ],
        "annotations": [
            {"minimal_answer": {"plaintext_start_byte": start, "plaintext_end_byte": end},
             "passage_answer": {"candidate_index": 1}, "yes_no_answer": "NONE"},
            {"minimal_answer": {"plaintext_start_byte": -1, "plaintext_end_byte": -1},
             "passage_answer": {"candidate_index": 1}, "yes_no_answer": "NONE"},
        ],
    }  # fmt: skip


def test_tydiqa_primary_task_gives_gold_passages(path: Path) -> None:
    without = tydiqa_document() | {"example_id": 13}
    without["annotations"] = without["annotations"][1:]
    broken = tydiqa_document() | {"passage_answer_candidates": []}
    path.write_text("\n".join(json.dumps(item) for item in (tydiqa_document(), without, broken)), encoding="utf-8")
    reading = read_dataset(path, skip_bad=True)
    assert reading.format == "tydiqa-primary"
    (question,) = reading.questions
    assert question.context == "Moskova on pääkaupunki 🏙 täällä."
    assert [(answer.text, answer.start) for answer in question.answers] == [("pääkaupunki 🏙", 11)]
    assert [q.id for q in reading.unanswerable] == ["finnish-13"]
    assert "row 3" in str(reading.refused[0])


def test_mrqa(path: Path) -> None:
    item = {
        "id": "p", "context": "Anna met Ben, Ben.",
        "qas": [{"qid": "1", "question": "Who?", "answers": ["Ben"],
                 "detected_answers": [{"text": "Ben", "char_spans": [[9, 11], [14, 16]]}]}],
    }  # fmt: skip
    header = {"header": {"dataset": "X", "split": "dev"}}
    path.write_text(f"{json.dumps(header)}\n{json.dumps(item)}\n", encoding="utf-8")
    reading = read_dataset(path)
    assert reading.format == "mrqa"
    assert [(a.text, a.start) for a in reading.questions[0].answers] == [("Ben", 9), ("Ben", 14)]


def test_bare_paragraphs_and_articles_line_by_line(path: Path) -> None:
    paragraph = {
        "context": "Anna met Ben.",
        "qas": [{"id": 1, "question": "Who?", "answers": [{"text": "Ben", "answer_start": 9}]}],
    }
    assert len(read_dataset(write_json(path, [paragraph, paragraph])).questions) == 2
    path.write_text(
        "\n".join(json.dumps({"title": "t", "paragraphs": [paragraph]}) for _ in range(3)), encoding="utf-8"
    )
    assert len(read_dataset(path).questions) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b'{"data": [{"paragraphs": [{"context": "An', "is cut short"),
        (b'{"data": [{"paragraphs": [{"context": "Anna"', "is cut short"),
        (b'{\n "data": [\n  {"paragraphs": []},\n', "is cut short"),
        (b'{"data": oops, "more": "and more and more and more"}', "is not JSON"),
        (b'{"data": [{"paragraphs": []},], "version": "1.1"}', "a comma is before a closing bracket (line 1, column 30): remove it"),
        (b'{"version": "1.1",}', "a comma is before a closing bracket (line 1, column 19): remove it"),
        (b'{"data": [1] "version": "1.1", "and": "so on"}', "a comma is missing, line 1, column 14"),
        (gzip.compress(b"x" * 257 + b"ustar" + b"y" * 300, mtime=0), "is a tar archive inside gzip"),
        ('{"a": "Кто?"}'.encode("utf-16-le"), "UTF-16 without a byte order mark: save it as UTF-8"),
        (b"\xff\xfe\x00", "is not UTF-16 text"),
        (b"\x28\xb5\x2f\xfd\x00\x00", "is compressed with zstd: unpack it"),
        (b'{"id": 1}\n{"id": 2', "line 2 is cut short or not JSON"),
        (b'{"q1": "Anna", "q2": "Ben"}', "looks like predictions"),
        (b'{"model_type": "bert", "size": 5}', 'has the keys "model_type", "size": not question answering'),
        (b"{}", "is an empty object"),
        (b"[]", "has no question"),
        (b'{"data": []}', "has no question"),
        (b'{"data": [{"paragraphs": []}]}', "has no question"),
        (b"[1, 2]", "has a int where an article or a question belongs"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "is a Git LFS pointer"),
        (b"<!DOCTYPE html><html><head>", "is a web page, not data"),
        (b"PK\x03\x04 and so on", "is a zip archive: unpack it"),
        ("Кто?".encode("cp1251"), "is not UTF-8 text (byte 0): convert it"),
        (b"name,age\nAnna,7\n", 'has the keys "name", "age": not question answering data'),
        (b"some prose about nothing", "question answering data of a known format"),
        (b"id,context,question,answers\n1,Anna\n", "row 1 does not have the header's 4 fields"),
        (b'id,context,question,answers\n1,"Anna\n', "is the file cut short?"),
        (b"\x89PNG\r\n\x1a\n\x00", "is not UTF-8 text"),
        (b"\x00\x01\x02", "is not text, or UTF-16 without a byte order mark"),
        (b"1" * 5000, "question answering data"),
        (b"[" + b"1" * 5000 + b"]", "is not a data set (a number of more than 4,300 digits)"),
        (b"[" * 100_000, "is not a data set (nested too deeply)"),
        (b"x" * 257 + b"ustar" + b"y" * 300, "is a tar archive"),
    ],
)  # fmt: skip
def test_other_files_are_named_for_what_they_are(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(XlqaError) as caught:
        read_dataset(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_bzip2_is_read_too(path: Path) -> None:
    path.write_bytes(bz2.compress(json.dumps(ROWS).encode()))
    reading = read_dataset(path)
    assert (reading.compression, len(reading.questions)) == ("bzip2", 2)


def test_a_bomb_is_not_unfolded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "MAX_BYTES", 1 << 20)
    path.write_bytes(gzip.compress(b"[" + b" " * (1 << 25) + b"]", mtime=0))
    with pytest.raises(XlqaError, match="unpacks to more than"):
        read_dataset(path)


def test_a_named_column_that_is_absent_is_refused_even_where_a_usual_one_is_there(path: Path) -> None:
    path.write_text("q,passage,span,at\nWho?,Paul is here.,Paul,0\n")
    columns = {"question": "q", "context": "pasage", "answers": "span", "answer_start": "at"}
    absent = 'context=pasage: there is no such column; the file has "q", "passage", "span", "at"'
    with pytest.raises(XlqaError, match=absent):
        read_dataset(path, columns=columns)
    assert len(read_dataset(path, columns=columns | {"context": "passage"}).questions) == 1


def test_answers_in_a_column_of_another_name_are_not_called_stripped(path: Path) -> None:
    path.write_text("q,passage,span,at\nWho?,Paul is here.,Paul,0\n")
    with pytest.raises(XlqaError) as caught:
        read_dataset(path, columns={"question": "q", "context": "passage"})
    wanted = 'no column holds answers; the file has "q", "passage", "span", "at": name it with --columns answers=NAME.'
    assert str(caught.value) == f"{path}: {wanted}"
