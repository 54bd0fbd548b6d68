"""Texts for people: counts in the right number, and nothing that an output cannot encode."""

from __future__ import annotations

import pytest

from xlqa.util.text import counted, without_surrogates


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (0, ("question",), "0 questions"),
        (1, ("question",), "1 question"),
        (1234, ("question has", "questions have"), "1,234 questions have"),
        (1, ("question has", "questions have"), "1 question has"),
    ],
)
def test_counts_agree_with_what_they_count(count: int, words: tuple[str, ...], text: str) -> None:
    assert counted(count, *words) == text


def test_only_lone_surrogates_are_replaced() -> None:
    assert without_surrogates("a\ud800 \U0001f40e é") == "a\ufffd \U0001f40e é"
