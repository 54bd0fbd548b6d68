"""The words of a plain text, as `xlqa ask` tags them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlqa.tasks.tagging.columns import Kind
from xlqa.tasks.tagging.words import find_words


def words(text: str, kind: Kind = "ner") -> list[str]:
    return [word.group() for word in find_words(text, kind)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("मुंबई भारत में है।", ["मुंबई", "भारत", "में", "है", "।"]),
        ("กรุงเทพ เป็น", ["กรุงเทพ", "เป็น"]),
        (
            unicodedata.normalize("NFD", "São é"),
            [unicodedata.normalize("NFD", "São"), unicodedata.normalize("NFD", "é")],
        ),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("a\u200bb\u200e", ["a", "b"]),
        ("Mara's 3.5 x_y", ["Mara", "'", "s", "3", ".", "5", "x_y"]),
        ("北京2022はか\u3099い。", ["北", "京", "2022", "は", "か\u3099", "い", "。"]),
        ("서울은 크다", ["서울은", "크다"]),
    ],
)
def test_a_mark_stays_with_its_letter(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_only_entities_have_each_han_character_as_a_word() -> None:
    """PAN-X has single characters, Universal Dependencies words, which a user separates by blanks."""
    assert words("北京 很大", "pos") == ["北京", "很大"]
    assert words("北京 很大", "ner") == ["北", "京", "很", "大"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cf"]), max_size=30), st.sampled_from(("ner", "pos")))
def test_nothing_visible_is_lost(text: str, kind: Kind) -> None:
    assert "".join(words(text, kind)) == "".join(text.split())
