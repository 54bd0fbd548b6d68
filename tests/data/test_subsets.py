"""Subsets are nested, exact, and independent of the order of the file."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlqa.data.subsets import permute_questions, sample_questions, split_validation
from xlqa.errors import XlqaError
from xlqa.records import Answer, Question, hash_context
from xlqa.tasks.sentences.reading import LabelledText


def make(*sizes: int) -> list[Question]:
    """Paragraphs with so many questions each."""
    questions = []
    for paragraph, size in enumerate(sizes):
        context = f"Paragraph {paragraph}."
        for number in range(size):
            identity, asked, answers = f"p{paragraph}-q{number}", f"Question {number}?", (Answer("Paragraph", 0),)
            questions.append(Question(identity, asked, context, answers, hash_context(context)))
    return questions


def labelled(*sizes: int) -> list[LabelledText]:
    """So many texts of each label."""
    return [
        LabelledText(f"{at}-{n}", f"text {n}", "", f"l{at}", "") for at, size in enumerate(sizes) for n in range(size)
    ]


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=5).map(lambda sizes: labelled(*sizes)),
    st.integers(),
    st.randoms(),
)
def test_stratified_subsets_have_the_labels_in_the_shares_of_the_whole(
    texts: list[LabelledText], seed: int, order: random.Random
) -> None:
    found, whole = permute_questions(texts, seed, "label"), Counter(text.label for text in texts)
    assert sorted(text.id for text in found) == sorted(text.id for text in texts)
    shuffled = texts.copy()
    order.shuffle(shuffled)
    assert permute_questions(shuffled, seed, "label") == found
    for size in range(len(texts) + 1):
        counts = Counter(text.label for text in found[:size])
        assert all(abs(counts[k] - size * n / len(texts)) <= (1 + len(whole)) / 2 for k, n in whole.items())


def test_equal_labels_come_in_turn_and_each_seed_draws_its_own() -> None:
    texts = labelled(20, 20, 20)
    drawn = [permute_questions(texts, seed, "label") for seed in (0, 1)]
    for found in drawn:
        assert all(set(Counter(text.label for text in found[:size]).values()) == {size // 3} for size in (3, 6, 30, 60))
    assert drawn[0][:6] != drawn[1][:6]


def test_pairs_with_one_premise_stay_together() -> None:
    pairs = [LabelledText(f"{p}-{k}", f"premise {p}", f"{k}", f"l{k}", f"g{p}") for p in range(8) for k in range(3)]
    found = permute_questions(pairs, 0, "paragraph")
    assert all(len({pair.first for pair in found[:size]}) == size // 3 for size in range(3, 25, 3))
    train, valid = split_validation(pairs, 7)
    assert not {pair.first for pair in train} & {pair.first for pair in valid}
    assert (len(train), len(valid)) == (15, 7)


def test_questions_cannot_be_stratified() -> None:
    with pytest.raises(XlqaError, match="has no label to stratify by: choose --subset-by question or paragraph"):
        permute_questions(make(2, 3), 0, "label")


SETS = st.lists(st.integers(1, 6), min_size=1, max_size=25).map(lambda sizes: make(*sizes))
BY = st.sampled_from(["question", "paragraph"])


@settings(deadline=None)
@given(SETS, st.integers(), BY, st.data())
def test_subsets_are_nested_and_exact(
    questions: list[Question], seed: int, by: Literal["question", "paragraph"], data: st.DataObject
) -> None:
    large = data.draw(st.integers(0, len(questions)))
    small = data.draw(st.integers(0, large))
    bigger = sample_questions(questions, large, seed, by)
    assert len(bigger) == len(set(bigger)) == large
    assert bigger[:small] == sample_questions(questions, small, seed, by)
    assert set(bigger) <= set(questions)


@settings(deadline=None)
@given(SETS, st.integers(), BY, st.randoms())
def test_the_files_order_says_nothing(
    questions: list[Question], seed: int, by: Literal["question", "paragraph"], order: random.Random
) -> None:
    shuffled = questions.copy()
    order.shuffle(shuffled)
    assert permute_questions(shuffled, seed, by) == permute_questions(questions, seed, by)


@settings(deadline=None)
@given(SETS, st.integers(), st.data())
def test_by_paragraph_only_the_last_one_is_cut(questions: list[Question], seed: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(0, len(questions)))
    chosen = Counter(question.context_hash for question in sample_questions(questions, size, seed, "paragraph"))
    whole = Counter(question.context_hash for question in questions)
    assert sum(chosen[context] != whole[context] for context in chosen) <= 1


def test_the_permutation_is_the_documented_hash() -> None:
    questions = make(3, 3)
    expected = sorted(questions, key=lambda question: hashlib.sha256(f"7\n{question.id}".encode()).hexdigest())
    assert permute_questions(questions, 7) == expected
    assert [question.id for question in sample_questions(questions, 3, 7)] == ["p1-q0", "p1-q2", "p0-q1"]


def test_seeds_differ_and_cover_evenly() -> None:
    questions = make(*[2] * 50)
    counts = Counter(question.id for seed in range(400) for question in sample_questions(questions, 10, seed))
    # 400 draws of 10 from 100: 40 each, standard deviation 6.
    assert len(counts) == 100
    assert min(counts.values()) > 15
    assert max(counts.values()) < 65


def test_too_many_are_refused_in_words() -> None:
    with pytest.raises(XlqaError) as caught:
        sample_questions(make(5, 5), 50_000, 0, name="drcd.train")
    assert str(caught.value) == "drcd.train has 10 training questions, --sizes asks for 50,000: lower it or use full."
    with pytest.raises(XlqaError, match="sizes are 0 or more"):
        sample_questions(make(1), -1, 0)
    with pytest.raises(XlqaError, match="choose question, paragraph or label"):
        sample_questions(make(1), 1, 0, "article")  # type: ignore[arg-type]  # what a caller without types may do


@settings(deadline=None)
@given(SETS, st.integers(0, 100), st.data())
def test_validation_shares_no_paragraph_with_training(
    questions: list[Question], seed: int, data: st.DataObject
) -> None:
    size = data.draw(st.integers(0, len(questions)))
    try:
        train, valid = split_validation(questions, size, seed)
    except XlqaError:
        # Only where all paragraphs would have been needed.
        assert size > len(questions) - max(Counter(question.context_hash for question in questions).values())
        return
    assert len(valid) == size
    assert not {question.context_hash for question in train} & {question.context_hash for question in valid}
    assert train
    assert [question for question in questions if question in set(train)] == list(train)
    left_out = len(questions) - len(train) - len(valid)
    assert 0 <= left_out < max(Counter(question.context_hash for question in questions).values())


def test_validation_is_refused_where_nothing_would_remain() -> None:
    with pytest.raises(XlqaError, match="10 training questions, 10 of them requested for validation"):
        split_validation(make(5, 5), 10)
    with pytest.raises(XlqaError, match="too few paragraphs"):
        split_validation(make(5, 5), 6)
    assert split_validation(make(5), 0) == (tuple(make(5)), ())
