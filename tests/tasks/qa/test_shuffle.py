"""Shuffled source labels: the same texts and spans, without which question asks for which span."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from xlqa.records import Answer, Question, hash_context
from xlqa.tasks.qa.reading import read_dataset
from xlqa.tasks.qa.shuffle import shuffle_answers

SAMPLE = Path(__file__).parents[3] / "xlqa" / "data" / "sample" / "en.train.json"
CONTEXT = "Mara lives in Brenna and Tom lives in Orlo by the sea."


def question(id: str, text: str, context: str = CONTEXT) -> Question:
    return Question(id, f"question {id}", context, (Answer(text, context.index(text)),), hash_context(context))


def test_each_question_gets_the_answer_of_another_one() -> None:
    before = [question("a", "Brenna"), question("b", "Orlo"), question("c", "Mara")]
    after = shuffle_answers(before)
    assert [q.id for q in after] == ["a", "b", "c"]
    assert [q.question for q in after] == [q.question for q in before]
    assert sorted(q.answers[0].text for q in after) == ["Brenna", "Mara", "Orlo"]
    assert all(old.answers != new.answers for old, new in zip(before, after, strict=True))


def test_a_question_alone_in_its_paragraph_gets_another_span_of_as_many_words() -> None:
    (alone,) = shuffle_answers([question("a", "lives in Orlo")])
    (answer,) = alone.answers
    assert len(answer.text.split()) == 3
    assert "Orlo" not in answer.text
    (whole,) = shuffle_answers([question("a", "Brenna", "Brenna")])
    assert whole.answers == (Answer("Brenna", 0),)


def test_the_sample_keeps_its_paragraphs_spans_and_order() -> None:
    before = read_dataset(SAMPLE).questions
    after = shuffle_answers(before)
    assert [(q.id, q.context, q.question) for q in after] == [(q.id, q.context, q.question) for q in before]
    for q in after:
        for answer in q.answers:
            assert q.context[answer.start : answer.start + len(answer.text)] == answer.text
    moved = sum(old.answers != new.answers for old, new in zip(before, after, strict=True))
    assert moved > 0.9 * len(before)
    assert shuffle_answers(before) == after
    assert shuffle_answers(before, seed=1) != after


@given(st.permutations(range(6)))
def test_the_order_of_the_file_does_not_matter(order: list[int]) -> None:
    questions = [question(str(i), word) for i, word in enumerate(("Mara", "lives", "Brenna", "Tom", "Orlo", "sea"))]
    expected = {q.id: q.answers for q in shuffle_answers(questions)}
    assert {q.id: q.answers for q in shuffle_answers([questions[i] for i in order])} == expected
    assert Counter(q.answers for q in questions) == Counter(expected.values())
