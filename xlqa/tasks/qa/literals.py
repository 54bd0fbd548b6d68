"""Values written into a table's cell: JSON, or a Python literal as pandas and NumPy print it. Nothing is evaluated.

Reading takes time linear in the cell's length, whatever it holds.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

LONGEST = 100_000
"""Characters of a Python literal; a longer cell is taken as text."""

DEEPEST = 16
"""Brackets within brackets; a deeper cell is taken as text."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+")"""
    r"""|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<word>[A-Za-z_][\w.]*)|(?P<sign>[][{}(),:=]))""",
    re.DOTALL,
)
_WORDS = {"None": None, "null": None, "True": True, "true": True, "False": False, "false": False, "nan": None}


def read_cell(value: Any, openings: str = "[{") -> Any:
    """The value of a cell that begins with one of `openings`; any other value, or a text that is no literal, as it is."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text or text[0] not in openings:
        return value
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > LONGEST:
        return value
    try:
        return _Literal(text).value()
    except ValueError:
        return value


class _Literal:
    """A text's tokens, read from left to right; `kind` and `token` are the next one, both "" at the end."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.kind, self.token = "", ""
        self._step()

    def value(self) -> Any:
        """The one value of the text."""
        found = self._value(0)
        if self.kind:
            raise ValueError("more than one value")
        return found

    def _step(self) -> tuple[str, str]:
        """Go on by one token; returns the one that was passed."""
        passed = self.kind, self.token
        if self.at >= len(self.text):
            self.kind, self.token = "", ""
            return passed
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            raise ValueError("not a literal")
        self.at, self.kind = match.end(), str(match.lastgroup)
        self.token = match[self.kind]
        return passed

    def _sees(self, sign: str) -> bool:
        if not self.kind:
            raise ValueError("cut short")
        return self.kind == "sign" and self.token == sign

    def _value(self, depth: int) -> Any:
        kind, token = self._step()
        if depth > DEEPEST:
            raise ValueError("nested too deeply")
        if kind == "text":
            return _text(token)
        if kind == "number":
            return int(token) if token.lstrip("+-").isdigit() else float(token)
        if kind == "word" and token in _WORDS:
            return _WORDS[token]
        if kind == "word" and token == "array" and self._sees("("):
            return self._array(depth)
        if kind == "sign" and token == "{":
            return self._mapping(depth)
        if kind == "sign" and token in ("[", "("):
            return self._items("]" if token == "[" else ")", depth)
        raise ValueError("not a literal")

    def _items(self, end: str, depth: int) -> list[Any]:
        """The values up to a closing bracket; NumPy prints them without commas."""
        found = []
        while not self._sees(end):
            found.append(self._value(depth + 1))
            if self._sees(","):
                self._step()
        self._step()
        return found

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self._sees("}"):
            kind, token = self._step()
            if kind != "text" or not self._sees(":"):
                raise ValueError("not a mapping of names")
            self._step()
            found[_text(token)] = self._value(depth + 1)
            if self._sees(","):
                self._step()
        self._step()
        return found

    def _array(self, depth: int) -> Any:
        """`array(VALUE, dtype=…)`, as NumPy shows itself."""
        self._step()
        found = self._value(depth + 1)
        while not self._sees(")"):
            self._step()
        self._step()
        return found


def _text(token: str) -> str:
    if "\\" not in token:
        return token[1:-1]
    try:
        return str(ast.literal_eval(token))
    except (SyntaxError, ValueError, MemoryError) as error:
        raise ValueError("not a text") from error
