"""Every repair is counted, every refusal has its place and fix, and nothing is lost in silence."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xlqa.errors import ManyErrors, XlqaError
from xlqa.tasks.qa import reading as room
from xlqa.tasks.qa.offsets import EDGE_SPACE, LETTER_CASE, NO_START, ONLY_PLACE, SHIFTED, UTF16
from xlqa.tasks.qa.reading import REPAIRS, Reading, read_dataset

Write = Callable[..., Path]


def qa(text: str, start: Any = 0, identity: Any = "q1", question: Any = "Who?", **more: Any) -> dict[str, Any]:
    return {"id": identity, "question": question, "answers": [{"text": text, "answer_start": start}], **more}


def squad(*qas: dict[str, Any], context: Any = "Anna met Ben in Rome.", title: str = "Rome") -> dict[str, Any]:
    return {"version": "1.1", "data": [{"title": title, "paragraphs": [{"context": context, "qas": list(qas)}]}]}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(value: Any, name: str = "set.json") -> Path:
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), encoding="utf-8")
        return path

    return _write


def complaints(path: Path, **options: Any) -> str:
    with pytest.raises(XlqaError) as caught:
        read_dataset(path, **options)
    return str(caught.value)


def test_a_plain_set(write: Write) -> None:
    path = write(squad(qa("Anna"), qa("Rome", 16, "q2", "Where?")))
    reading = read_dataset(path)
    assert [question.id for question in reading.questions] == ["q1", "q2"]
    assert reading.questions[1].answers[0].start == 16
    assert (reading.format, reading.compression, reading.repairs, reading.refused) == ("squad-1.1", "", {}, ())
    assert reading.titles == {reading.questions[0].context_hash: "Rome"}
    assert not reading.has_duplicate_ids


@pytest.mark.parametrize(("pack", "name"), [(gzip.compress, "gzip"), (lzma.compress, "xz")])
def test_compressed_files_are_read_whatever_their_name(write: Write, pack: Callable[[bytes], bytes], name: str) -> None:
    path = write(squad(qa("Anna")))
    packed = path.with_name("packed.json")
    packed.write_bytes(pack(path.read_bytes()))
    reading = read_dataset(packed)
    assert reading.questions == read_dataset(path).questions
    assert reading.compression == name
    assert reading.sha256 != read_dataset(path).sha256
    packed.write_bytes(pack(path.read_bytes())[:-9])
    assert "cut short or damaged" in complaints(packed)


@pytest.mark.parametrize(
    ("context", "text", "start", "kind", "expected"),
    [
        ("线𫚭，俗名龙尖，龙尖为", "龙尖", 6, UTF16, 5),
        ("one two two", "two", 5, SHIFTED, 4),
        ("one two", " two ", 3, EDGE_SPACE, 4),
        ("the one, The One", "The One", 0, LETTER_CASE, 0),
        ("one  two two", "two", 3, EDGE_SPACE, 5),
        ("one two", "two", -1, NO_START, 4),
        ("one two", "two", None, NO_START, 4),
        ("one two three four", "four", 1, ONLY_PLACE, 14),
        ("one two", "two", "4", room.START_AS_TEXT, 4),
        ("one two", "two", 4.0, room.START_AS_TEXT, 4),
        ("one 308", 308, 4, room.ANSWER_AS_NUMBER, 4),
        ("one 308", 308.0, 4, room.ANSWER_AS_NUMBER, 4),
    ],
)
def test_repairs_are_made_and_counted(
    write: Write, context: str, text: Any, start: Any, kind: str, expected: int
) -> None:
    reading = read_dataset(write(squad(qa(text, start), context=context)))
    answer = reading.questions[0].answers[0]
    assert answer.start == expected
    assert context[answer.start :].startswith(answer.text)
    assert reading.repairs == {kind: 1}
    assert kind in REPAIRS


def test_other_answers_of_a_paragraph_prove_its_shift(write: Write) -> None:
    # Five characters were cut off the paragraph's head: Ben stands once and proves it, Rome twice and is proved by it.
    path = write(squad(qa("Rome", 21), qa("Ben", 14, "q2"), context="Anna met Ben in Rome, in Rome."))
    reading = read_dataset(path)
    assert [question.answers[0].start for question in reading.questions] == [16, 9]
    assert reading.repairs == {ONLY_PLACE: 1, SHIFTED: 1}
    alone = write(squad(qa("Rome", 20), context="Anna met Ben in Rome, in Rome."))
    assert 'the answer "Rome" is not at 20 but at 2 other places: correct its answer_start' in complaints(alone)


def test_ids_become_text_and_unique_by_content_alone(write: Write) -> None:
    qas = [qa("Anna", identity=7), qa("Ben", 9, identity=7), qa("Rome", 16, identity=None), qa("met", 5, identity=7.0)]
    first = read_dataset(write(squad(*qas)))
    turned = read_dataset(write(squad(*reversed(qas)), "turned.json"))
    by_text = {question.answers[0].text: question.id for question in first.questions}
    assert by_text == {question.answers[0].text: question.id for question in turned.questions}
    assert len(set(by_text.values())) == 4
    assert by_text["Anna"].startswith("7~")
    assert by_text["Rome"].startswith("x-")
    assert first.repairs == {room.NUMERIC_ID: 3, room.MISSING_ID: 1, room.DUPLICATE_ID: 2}
    assert first.has_duplicate_ids


def test_a_question_that_stands_there_twice_is_kept_twice(write: Write) -> None:
    reading = read_dataset(write(squad(qa("Anna"), qa("Anna"), qa("Ben", 9))))
    assert len({question.id for question in reading.questions}) == 3
    assert reading.repairs == {room.DUPLICATE_ID: 1, room.REPEATED_QUESTION: 1}


def test_missing_ids_of_one_question_asked_twice_stay_apart(write: Write) -> None:
    reading = read_dataset(write(squad(qa("Anna", identity=""), qa("Anna", identity=" "))))
    assert len({question.id for question in reading.questions}) == 2
    assert reading.repairs[room.MISSING_ID] == 2


def test_half_a_utf16_pair_is_replaced(write: Write) -> None:
    path = write('{"data": [{"title": "\\udfff", "paragraphs": [{"context": "a\\ud83d Rome", "qas": [{"id": "q", "question": "W?", '
                 '"answers": [{"text": "Rome", "answer_start": 3}]}]}]}]}')  # fmt: skip
    reading = read_dataset(path)
    assert reading.questions[0].context == "a\ufffd Rome"
    assert reading.repairs == {room.LONE_SURROGATE: 2}
    assert set(reading.titles.values()) == {"\ufffd"}
    reading.questions[0].context.encode("utf-8")


@pytest.mark.parametrize(
    ("question", "context", "reason"),
    [
        (qa("Paris"), "Rome.", 'the answer "Paris" is nowhere in its paragraph: correct its text'),
        (qa("ROME"), "In Rome.", 'is nowhere in its paragraph, only "Rome" at 3: write it as the paragraph does'),
        (qa(""), "Rome.", "an answer is empty"),
        (qa("  "), "Rome.", "an answer is empty"),
        (qa("Rome", -1), "Rome, Rome", "has no start and is at 2 places: give its answer_start"),
        (qa("Rome", "4a"), "Rome.", "an answer_start is '4a': give a whole number"),
        (qa("Rome", 1.5), "Rome.", "an answer_start is 1.5"),
        (qa("Rome", True), "Rome.", "an answer_start is True"),
        (qa("Rome", "9" * 400), "Rome.", "an answer_start is '999"),
        (qa("Rome", float("inf")), "Rome.", "an answer_start is inf"),
        (qa("Rome", 10**30), "Rome, Rome", 'the answer "Rome" is not at 1,000,000'),
        (qa("Rome", question=" "), "Rome.", "the question is empty"),
        (qa("Rome", question=None), "Rome.", "the question is missing"),
        (qa("Rome", question=5), "Rome.", "the question is a int, not text"),
        (qa("Rome"), "", "the paragraph is empty"),
        (qa("Rome"), None, "the paragraph is missing"),
        (qa("Rome", identity=["a"]), "Rome.", "its id is a list"),
        ({"id": "q1", "question": "?", "answers": []}, "Rome.", "it has no answer"),
        ({"id": "q1", "question": "?", "answers": [[7]]}, "Rome.", "an answer is a list, neither a text nor an object"),
        (
            qa("Rome", text_of=1) | {"answers": [{"span": "Rome"}]},
            "Rome.",
            'an answer has no text, but the keys "span"',
        ),
        (qa("Rome", is_impossible=True), "Rome.", "marked is_impossible but has an answer"),
        ({"id": "q1", "question": "?", "answers": [], "is_impossible": False}, "Rome.", "it has no answer"),
    ],
)
def test_refusals_name_place_reason_and_mend(write: Write, question: dict[str, Any], context: Any, reason: str) -> None:
    value = squad(qa("Anna", identity="good"))
    value["data"].append({"title": "Second", "paragraphs": [{"context": context, "qas": [question]}]})
    path = write(value)
    message = complaints(path)
    assert f'{path}: article 2 "Second", paragraph 1, question ' in message
    assert reason in message
    assert "1 question refused; --skip-bad leaves them out" in message
    reading = read_dataset(path, skip_bad=True)
    assert [question.id for question in reading.questions] == ["good"]
    (refusal,) = reading.refused
    assert (refusal.article, refusal.paragraph, refusal.title) == (2, 1, "Second")


def test_what_is_misshapen_is_refused_in_its_place(write: Write) -> None:
    value = squad(qa("Anna"))
    value["data"] += [
        {"title": "x"},
        {"title": "y", "paragraphs": [{"context": "c"}, 5, {"context": "c", "qas": ["?"]}]},
    ]
    path = write(value)
    message = complaints(path)
    assert 'article 2, paragraph 0, question (no id): the article has no list "paragraphs"' in message
    assert 'article 3, paragraph 2, question (no id): the paragraph has no list "qas"' in message
    assert "the question is a str, not an object" in message
    assert len(read_dataset(path, skip_bad=True).refused) == 4


def test_complaints_are_bounded_and_counted(write: Write) -> None:
    path = write(squad(*(qa("nowhere", identity=f"q{i}") for i in range(1234)), qa("Anna", identity="good")))
    with pytest.raises(ManyErrors) as caught:
        read_dataset(path)
    assert len(caught.value.complaints) == room.MAX_SHOWN + 1
    assert "1,234 questions refused, the first 10 are shown" in caught.value.complaints[-1]
    assert f"`xlqa data check --json {path}` lists them all." in caught.value.complaints[-1]


def test_nothing_usable_is_an_error_even_without_the_bad(write: Write) -> None:
    assert "no question is usable, all 1 are refused" in complaints(write(squad(qa("Paris"))), skip_bad=True)


@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_label_stripped_set_gets_its_own_message(write: Write, skip_bad: bool) -> None:
    flat = [{"id": "1", "context": "c", "question": "q", "answers": {"text": [], "answer_start": []}}]
    bare = [{"id": "1", "context": "c", "question": "q"}]
    nested = squad(qa("", 0), {"id": "q2", "question": "?", "answers": []})
    for value in (nested, flat, bare):
        message = complaints(write(value), skip_bad=skip_bad)
        assert "has no answers: all" in message
        assert "labels were stripped" in message


def test_unanswerable_questions_are_kept_apart_in_every_format(write: Write) -> None:
    impossible = {"id": "no", "question": "Why?", "answers": [], "is_impossible": True,
                  "plausible_answers": [{"text": "Anna", "answer_start": 0}]}  # fmt: skip
    nested = read_dataset(write(squad(qa("Anna", is_impossible=False), impossible)))
    flat = read_dataset(write([
        {"id": "q1", "context": "Anna.", "question": "Who?", "answers": {"text": ["Anna"], "answer_start": [0]}},
        {"id": "no", "context": "Anna.", "question": "Why?", "answers": {"text": [], "answer_start": []}},
    ]))  # fmt: skip
    for reading in (nested, flat):
        assert [question.id for question in reading.questions] == ["q1"]
        assert [question.id for question in reading.unanswerable] == ["no"]
        assert reading.unanswerable[0].answers == ()
        assert reading.refused == ()
    assert nested.format == "squad-2.0"


def many(identity: str, *answers: tuple[Any, Any], **more: Any) -> dict[str, Any]:
    """A question with several gold answers."""
    golds = [{"text": text, "answer_start": start} for text, start in answers]
    return {"id": identity, "question": "Who?", "answers": golds, **more}


def test_one_gold_answer_with_a_place_is_enough_to_train(write: Write) -> None:
    path = write(
        squad(
            many("empty", ("Anna", 0), ("", -1)),
            many("two", ("n", -1), ("Ben", 9)),
            many("nowhere", ("Paris", 0), ("Rome", 16)),
            many("odd", ("Anna", "x"), ("Anna", 0)),
        )
    )
    reading = read_dataset(path)
    assert [[answer.text for answer in question.answers] for question in reading.questions] == [
        ["Anna"], ["Ben"], ["Rome"], ["Anna"],
    ]  # fmt: skip
    assert [question.gold_texts for question in reading.questions] == [
        ("Anna", ""), ("n", "Ben"), ("Paris", "Rome"), ("Anna", "Anna"),
    ]  # fmt: skip
    assert reading.repairs == {room.UNUSED_ANSWER: 4}
    assert reading.refused == ()
    assert reading.scores_by_file


def test_scores_need_no_place_and_training_does(write: Write) -> None:
    path = write(
        squad(
            qa("Anna"),
            many("q2", ("Paris", 0), ("", 0)),
            qa("Ben", 9, "q3", question=""),
            many("q4", ("Rome", 16), is_impossible=True),
        )
    )
    assert "3 questions refused" in complaints(path)
    reading = read_dataset(path, to_score=True)
    assert [question.id for question in reading.scored] == ["q1", "q2", "q3", "q4"]
    assert [question.id for question in reading.questions] == ["q1"]
    assert [question.gold_texts for question in reading.scored] == [("Anna",), ("Paris", ""), ("Ben",), ("Rome",)]
    assert [(refusal.question_id, refusal.is_scored) for refusal in reading.refused] == [
        ("q2", True), ("q3", True), ("q4", True),
    ]  # fmt: skip
    assert reading.unanswerable == ()


@pytest.mark.parametrize("answers", [[], "text", [{"text": None}], [{"text": ["a"]}], [[1]]])
def test_without_a_gold_text_nothing_can_be_scored(write: Write, answers: Any) -> None:
    path = write(squad(qa("Anna"), {"id": "q2", "question": "?", "answers": answers}))
    if answers == "text":
        assert len(read_dataset(path, to_score=True).scored) == 2
        return
    assert "1 question refused" in complaints(path, to_score=True)
    reading = read_dataset(path, to_score=True, skip_bad=True)
    assert len(reading.scored) == 1
    assert [refusal.is_scored for refusal in reading.refused] == [False]


def test_a_paragraph_that_is_missing_leaves_the_question_in_the_denominator(write: Write) -> None:
    value = squad(qa("Anna"))
    value["data"].append({"paragraphs": [{"context": None, "qas": [qa("Ben", 0, "q2")]}]})
    reading = read_dataset(write(value), to_score=True)
    assert [(question.id, question.context, question.gold_texts) for question in reading.scored][1] == (
        "q2",
        "",
        ("Ben",),
    )


def test_answers_are_trimmed_with_their_places(write: Write) -> None:
    context = "Anna  met\u00a0Ben\nin Rome."
    path = write(squad(many("q", ("Anna  ", 0), ("\u00a0Ben\n", 9), (" met", 5)), context=context))
    reading = read_dataset(path)
    (question,) = reading.questions
    assert [(answer.text, answer.start) for answer in question.answers] == [("Anna", 0), ("Ben", 10), ("met", 6)]
    assert reading.repairs == {EDGE_SPACE: 3}
    assert question.gold_texts == ("Anna  ", "\u00a0Ben\n", " met")
    assert not reading.scores_by_file  # white space at the edges changes no score


def test_trimming_changes_no_id(write: Write) -> None:
    # Subsets are drawn by ids: those of version 0.1 hang on the answers as the file has them.
    reading = read_dataset(write(squad(qa("Anna ", 0), qa("Ben", 9))))
    assert [question.id for question in reading.questions] == ["q1~9fde61ab", "q1~20f096ae"]
    assert reading.renamed == {"q1~9fde61ab": "q1", "q1~20f096ae": "q1"}


def test_the_version_may_be_named_at_the_end(write: Write) -> None:
    bare = {"id": "no", "question": "Why?", "answers": []}
    value = squad(bare, qa("Anna"))
    plain_first = {"data": value["data"], "version": "v2.0"}
    reading = read_dataset(write(plain_first))
    assert (reading.format, [question.id for question in reading.unanswerable]) == ("squad-2.0", ["no"])
    assert [question.id for question in reading.everything] == ["no", "q1"]
    marked = squad(bare, qa("Anna"), qa("Ben", 9, "q2", is_impossible=False))
    assert len(read_dataset(write(marked)).unanswerable) == 1
    assert "it has no answer" in complaints(write(value))


def test_ids_that_are_odd_numbers(write: Write) -> None:
    reading = read_dataset(write(squad(qa("Anna", identity=float("inf")), qa("Ben", 9, 1.5), qa("Rome", 16, -3))))
    assert [question.id for question in reading.questions] == ["inf", "1.5", "-3"]


def test_a_marked_row_without_answers_is_unanswerable(write: Write) -> None:
    rows = [{"id": "a", "context": "Anna.", "question": "Who?", "answers": ["Anna"], "is_impossible": "False"},
            {"id": "b", "context": "Anna.", "question": "Why?", "is_impossible": "True"}]  # fmt: skip
    reading = read_dataset(write(rows))
    assert [question.id for question in reading.unanswerable] == ["b"]


def test_an_empty_text_with_the_mark_is_unanswerable(write: Write) -> None:
    reading = read_dataset(write(squad(qa("Anna"), qa("", -1, "no", is_impossible=True))))
    assert [question.id for question in reading.unanswerable] == ["no"]


def tydiqa(*ids: str) -> dict[str, Any]:
    return {"data": [squad(qa("Anna", identity=identity))["data"][0] for identity in ids]}


def test_one_language_is_picked_out_of_tydiqa(write: Write) -> None:
    path = write(tydiqa("swahili--12-0", "russian-34-1", "swahili--56-2"))
    every, swahili = read_dataset(path), read_dataset(path, language="sw")
    assert (len(every.questions), every.other_languages, every.format) == (3, 0, "tydiqa-goldp")
    assert [question.id for question in swahili.questions] == ["swahili--12-0", "swahili--56-2"]
    assert swahili.other_languages == 1
    assert 'has no question in "fi", but in russian, swahili' in complaints(path, language="fi")
    # A file of one language is taken at the user's word.
    assert len(read_dataset(write(tydiqa("swahili--1-1")), language="xx").questions) == 1


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    assert "no such file" in complaints(tmp_path / "none.json")
    assert "is a folder: name a file in it" in complaints(tmp_path)


def test_terminal_codes_of_a_set_do_not_reach_the_message(write: Write) -> None:
    path = write(squad(qa("\x1b[2Jnowhere\u202e", identity="\x1b]0;evil\x07"), title="\x1b[31mred"))
    message = complaints(path)
    assert "\x1b" not in message
    assert "\u202e" not in message
    assert "\x07" not in message


CHARS = st.sampled_from("ab é e\u0301 Ж ש ع 龙 𫚭 😀 \u200b\u200f\ufeff\n\r\u00a0")


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, str, int]:
    context = draw(st.text(CHARS, min_size=1, max_size=60))
    start = draw(st.integers(0, len(context) - 1))
    text = context[start : draw(st.integers(start + 1, len(context)))]
    return context, text, start


@settings(max_examples=200, deadline=None)
@given(st.lists(asked(), min_size=1, max_size=5), st.booleans())
def test_every_accepted_answer_stands_in_its_paragraph(
    tmp_path_factory: pytest.TempPathFactory, items: list[tuple[str, str, int]], utf16: bool
) -> None:
    qas = []
    for number, (context, text, start) in enumerate(items):
        units = len(context[:start].encode("utf-16-le")) // 2 if utf16 else start
        qas.append({"context": context, "qas": [qa(text, units, f"q{number}")]})
    path = tmp_path_factory.mktemp("set") / "set.json"
    path.write_text(json.dumps({"data": [{"paragraphs": qas}]}), encoding="utf-8")
    usable = [item for item in items if item[0].strip() and item[1].strip()]
    try:
        found = read_dataset(path, skip_bad=True)
    except XlqaError:
        assert not usable
        return
    assert len(found.questions) + len(found.refused) == len(items)
    assert len(found.scored) == len(items)
    assert len(found.questions) >= (0 if utf16 else len(usable))
    for question in found.questions:
        for answer in question.answers:
            assert question.context[answer.start : answer.start + len(answer.text)] == answer.text
            assert answer.text == answer.text.strip() != ""


KEYS = (
    "data", "paragraphs", "qas", "context", "question", "answers", "text", "answer_start", "id", "is_impossible", "row",
    "rows", "header", "detected_answers", "char_spans", "document_plaintext", "annotations", "context_text",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner, max_size=5,
        ),
        max_leaves=25,
    )
)  # fmt: skip
def test_no_json_makes_it_stumble(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.mktemp("any") / "any.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    for skip_bad in (False, True):
        try:
            assert isinstance(read_dataset(path, skip_bad=skip_bad), Reading)
        except XlqaError as error:
            assert str(error).startswith(str(path))  # noqa: PT017  (either outcome is right)


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(b"\r\x01")
def test_no_bytes_make_it_stumble(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "any"
    path.write_bytes(content)
    with pytest.raises(XlqaError):
        read_dataset(path)
