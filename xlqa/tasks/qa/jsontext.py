"""Large JSON texts, element by element: only one article or row is in memory at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.util.text import plain

_BLANK = re.compile(r"[ \t\n\r]*")
_FILLED = re.compile(r"\S")
_DECODER = json.JSONDecoder()

RELEASED = 1 << 25
"""Characters after which the part of a text that was read is dropped, so that it is not in memory beside all questions."""

LOOK_BACK = 200
"""Characters before an error within which its cause is looked for."""

LISTS = ("data", "rows")
"""Keys of a document's head whose list is handed out element by element: SQuAD's, and the data set server's."""


class JsonText:
    """A JSON document that is read from left to right.

    Attributes:
        head: the document's values by key as far as it was read; an empty mapping for a list.
        listed: the key of `LISTS` whose list was handed out, "" for none.
    """

    def __init__(self, text: str, path: Path, released: int = RELEASED) -> None:
        self.text, self.path, self.released = text, path, released
        self.head: dict[str, Any] = {}
        self.listed = ""
        self._dropped_lines, self._dropped_columns = 0, 0

    def is_list(self) -> bool:
        """Whether the document is a list rather than an object."""
        return self.text.startswith("[", self._skip(0))

    def elements(self) -> Iterator[Any]:
        """The elements of the document, or of the list under a key of `LISTS`; fills `head`.

        Raises:
            XlqaError: the text is cut short or not JSON.
        """
        at = self._skip(0)
        if self.text.startswith("[", at):
            at = yield from self._list(at)
        else:
            at = yield from self._object(at)
        if self._skip(at) < len(self.text):
            raise self._error("more than one document", self._skip(at))

    def _object(self, at: int) -> Generator[Any, None, int]:
        """The elements of the object's list; returns the place after the object."""
        at = self._skip(at + 1)
        if self.text.startswith("}", at):
            return at + 1
        while True:
            if not self.text.startswith('"', at):
                raise self._error("a name in quotation marks is missing", at)
            key, at = self._value(at)
            at = self._skip(at)
            if not self.text.startswith(":", at):
                raise self._error("a colon is missing", at)
            at = self._skip(at + 1)
            self._refuse_second_list(key, at)
            if key in LISTS and not self.listed and self.text.startswith("[", at):
                self.listed = key
                at = yield from self._list(at)
            else:
                self.head[key], at = self._value(at)
            at, ended = self._after(at, "}")
            if ended:
                return at

    def _refuse_second_list(self, key: str, at: int) -> None:
        """Refuse a key that comes twice with a list: one of the lists would be lost."""
        before = self.head.get(key)
        if (
            isinstance(before, list)
            and any(isinstance(item, dict) for item in before)
            and self.text.startswith("[", at)
        ):
            raise XlqaError(f'{self.path}: has two lists "{plain(key, 30)}": write each into a file of its own.')

    def _list(self, at: int) -> Generator[Any, None, int]:
        """The elements of a list; returns the place after it."""
        at = self._skip(at + 1)
        if self.text.startswith("]", at):
            return at + 1
        while True:
            value, at = self._value(at)
            yield value
            at, ended = self._after(at, "]")
            if ended:
                return at
            if at > self.released:
                at = self._release(at)

    def _release(self, at: int) -> int:
        """Drop the text before a place, but for the end that errors look back on; returns the place in the rest."""
        start = max(0, at - LOOK_BACK)
        lines = self.text.count("\n", 0, start)
        self._dropped_columns = start - self.text.rfind("\n", 0, start) - 1 + (0 if lines else self._dropped_columns)
        self._dropped_lines += lines
        self.text = self.text[start:]
        return at - start

    def _after(self, at: int, end: str) -> tuple[int, bool]:
        """The place after a comma or the closing bracket, and whether it was the bracket."""
        at = self._skip(at)
        sign = self.text[at : at + 1]
        if sign not in (",", end) or not sign:
            raise self._error("a comma is missing", at)
        return (at + 1, True) if sign == end else (self._skip(at + 1), False)

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            return _DECODER.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            raise self._error(error.msg, error.pos) from error
        except (RecursionError, ValueError) as error:
            raise XlqaError(f"{self.path}: is not a data set ({json_reason(error)}).") from error

    def _skip(self, at: int) -> int:
        match = _BLANK.match(self.text, at)
        return match.end() if match else at

    def _error(self, reason: str, at: int) -> XlqaError:
        """What is wrong with the text: a document cut short breaks at its end, or inside a text without its end."""
        lines = self.text.count("\n", 0, at)
        column = at - self.text.rfind("\n", 0, at) + (0 if lines else self._dropped_columns)
        where = f"line {self._dropped_lines + lines + 1:,}, column {column:,}"
        if self._is_trailing_comma(at):
            return XlqaError(f"{self.path}: is not JSON: a comma is before a closing bracket ({where}): remove it.")
        rest = _FILLED.search(self.text, at + 8)
        cut = rest is None or reason.startswith("Unterminated string")
        return XlqaError(
            f"{self.path}: {'is cut short' if cut else 'is not JSON'} ({reason}, {where}): fetch or write it again."
        )

    def _is_trailing_comma(self, at: int) -> bool:
        if self.text.startswith(",", at):  # newer versions of Python point at the comma
            at = self._skip(at + 1)
        if self.text[at : at + 1] not in ("]", "}"):
            return False
        return self.text[max(0, at - LOOK_BACK) : at].rstrip().endswith(",")


def json_lines(text: str, path: Path, released: int = RELEASED) -> Iterator[Any] | None:
    """The values of a text with one JSON value a line; None where its first line is not JSON, or is all of it."""
    filled = _FILLED.search(text)
    start = text.rfind("\n", 0, filled.start()) + 1 if filled else 0
    end = text.find("\n", start)
    if end < 0 or _FILLED.search(text, end) is None:
        return None
    try:
        json.loads(text[start:end])
    except (ValueError, RecursionError):
        return None
    return _lines(text, path, released)


def _lines(text: str, path: Path, released: int) -> Iterator[Any]:
    at, number = 0, 0
    while at < len(text):
        end = text.find("\n", at)
        line = text[at : len(text) if end < 0 else end]
        at, number = (len(text) if end < 0 else end + 1), number + 1
        if at > released:
            text, at = text[at:], 0
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise XlqaError(
                f"{path}: line {number:,} is cut short or not JSON ({json_reason(error)}): fetch or write it again."
            ) from error
        yield value


def json_reason(error: Exception) -> str:
    """What is wrong with a JSON text, without the names of Python's internals."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, column {error.colno:,}"
    return "nested too deeply" if isinstance(error, RecursionError) else "a number of more than 4,300 digits"
