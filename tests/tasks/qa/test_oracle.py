"""Gold answers mapped to tokens and back: what any model can reach, and what a tokenizer with wrong offsets does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from xlqa.records import Answer, Question, hash_context
from xlqa.tasks.qa.oracle import Oracle, describe_wrong, score_labels

tokenizers = pytest.importorskip("tokenizers")

CONTEXT = "The mill in Mossbank burned in 1925, and Anna Lund rebuilt it."


def ask(*answers: str, golds: tuple[str, ...] | None = None, context: str = CONTEXT) -> Question:
    found = tuple(Answer(text, context.index(text)) for text in answers)
    return Question("q", "Where was it?", context, found, hash_context(context), golds)


def words() -> Any:
    """A tokenizer of words and punctuation marks."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return tokenizer


def letters_lost() -> Any:
    """Byte-level pieces behind a split at blanks, whose word-initial pieces begin one character late."""
    byte_level = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=True)
    letters = sorted(byte_level.alphabet())
    merges = [("Ġ", letter) for letter in letters if letter.isalnum() and letter != "Ġ"]
    pieces = [*letters, *("".join(merge) for merge in merges)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([tokenizers.pre_tokenizers.Whitespace(), byte_level])
    tokenizer.post_processor = tokenizers.processors.ByteLevel(trim_offsets=True)
    return tokenizer


def oracle(tokenizer: Any, *questions: Question, max_answer_length: int = 30, **changes: Any) -> Oracle:
    shape = {"max_length": 128, "stride": 32, "scorer": "squad"} | changes
    return score_labels(tokenizer, questions, max_answer_length=max_answer_length, **shape)


def test_whole_words_come_back(tmp_path: Any) -> None:
    found = oracle(words(), ask("Mossbank"), ask("1925"), ask("Anna Lund"))
    assert (found.em, found.f1, found.wrong, found.unreachable, found.questions) == (100, 100, 0, 0, 3)


def test_half_a_word_does_not() -> None:
    found = oracle(words(), ask("Moss"), ask("1925"))
    assert (found.em, found.f1, found.wrong, found.holes) == (50, 50, 1, 0)
    assert found.examples == (("Mossbank", "Moss"),)
    assert describe_wrong(found) == '1 gold answers come back as another text (such as "Mossbank" for "Moss")'


def test_letters_that_belong_to_no_piece_are_counted() -> None:
    found = oracle(letters_lost(), ask("Mossbank"), ask("1925"), ask("Anna Lund"))
    assert (found.em, found.wrong, found.holes) == (0, 3, 3)
    assert ("ossbank", "Mossbank") in found.examples
    assert "in 3 of them letters belong to no piece of the tokenizer" in describe_wrong(found)


def test_the_best_gold_answer_counts_and_all_texts_score() -> None:
    assert oracle(words(), ask("Moss", "Mossbank")).em == 100
    assert oracle(words(), ask("Moss", golds=("Moss", "Mossbank"))).em == 100


def test_what_is_too_long_or_has_no_place_is_unreachable() -> None:
    long = ask("burned in 1925")
    assert oracle(words(), long, max_answer_length=3).em == 100
    found = oracle(words(), long, replace(long, answers=(), golds=("elsewhere",)), max_answer_length=2)
    assert (found.em, found.unreachable, found.wrong) == (0, 2, 0)


def test_an_answer_in_a_later_window_comes_back() -> None:
    context = "word " * 300 + "Mossbank"
    assert oracle(words(), ask("Mossbank", context=context)).em == 100


def test_of_many_questions_some_are_looked_at() -> None:
    assert oracle(words(), *[ask("1925")] * 25, most=10).questions == 9
