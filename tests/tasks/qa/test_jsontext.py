"""Reading JSON texts element by element, with and without the part that was read still in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlqa.errors import XlqaError
from xlqa.tasks.qa.jsontext import JsonText, json_lines

FILE = Path("a.json")
VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def take(elements: Iterator[Any]) -> tuple[list[Any], str]:
    """All elements until the text ends or breaks, and the error."""
    found: list[Any] = []
    try:
        found.extend(elements)
    except XlqaError as error:
        return found, str(error)
    return found, ""


@given(st.lists(VALUES, min_size=1), st.sampled_from((None, 1)), st.integers(0, 12))
def test_what_is_dropped_changes_no_element_and_no_error(values: list[Any], indent: int | None, cut: int) -> None:
    for document in (values, {"version": "1", "data": values, "more": 1}):
        text = json.dumps(document, indent=indent)
        text = text[: len(text) - cut] if cut else text.replace("]", ",]")
        whole, short = JsonText(text, FILE), JsonText(text, FILE, released=0)
        assert take(whole.elements()) == take(short.elements())
        assert whole.head == short.head


@given(st.lists(VALUES, min_size=2), st.integers(0, 12))
def test_what_is_dropped_changes_no_line(values: list[Any], cut: int) -> None:
    text = "".join(json.dumps(value) + "\n" for value in values)
    text = text[: len(text) - cut]
    if (lines := json_lines(text, FILE)) is not None:
        short = json_lines(text, FILE, released=0)
        assert short is not None
        assert take(lines) == take(short)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[1, 2, 3, 4, ?]", "line 1, column 14"),
        ("[1,\n 2,\n 3, ?]", "line 3, column 5"),
        (f"[{'1, ' * 200}?]", "line 1, column 602"),
        ("[1, 2,\n 3, ]", "a comma is before a closing bracket"),
    ],
)
def test_an_error_names_its_place_in_the_whole_text(text: str, place: str) -> None:
    with pytest.raises(XlqaError, match=place):
        list(JsonText(text, FILE, released=2).elements())
