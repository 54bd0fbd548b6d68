"""Strict reading of records of unknown origin: every key is known, every value has its type and range."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, get_args

from xlqa.errors import XlqaError
from xlqa.records import (
    EVERY_COLUMN,
    PERCENT_COLUMNS,
    TASK_METRICS,
    TEXT_COLUMNS,
    THRESHOLD,
    WHOLE_COLUMNS,
    Arm,
    SubsetBy,
    result_columns,
)
from xlqa.util.text import CONFIG_NAME, plain

MOST_WHOLE = 2**63
MOST_NUMBER = 1e15

SHA256 = re.compile(r"[0-9a-f]{64}")
CELL = re.compile(r"(?!#)[^{}\x00-\x1f\x7f]{1,8192}")
"""A name in a row, which may be followed by all that was changed of the data, such as mapped tags."""
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}-[0-9a-f]{10}")
"""Ids of runs, source stages and evaluations: readable words and ten digits of a hash, which is one folder's name."""


TIME = re.compile(
    r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\+00:00"
)
CHOICES = {"arm": tuple(arm.value for arm in Arm), "split": ("test", "valid"), "subset_by": get_args(SubsetBy)}
"""Columns of results.csv with few values."""


class Fields:
    """The fields of one JSON object; each is taken once, and `done` refuses those that nobody took.

    Args:
        where: the file and a colon, or a place in it, for messages.
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise XlqaError(f"{where} is {kind_of(value)}, not an object.")
        self.left: dict[str, Any] = dict(value)
        self.where = where

    def place(self, name: str) -> str:
        """A field as messages name it."""
        return f"{self.where}{' ' if self.where.endswith(':') else '.'}{name}"

    def take(self, name: str) -> Any:
        """A field's value.

        Raises:
            XlqaError: there is no such field.
        """
        if name not in self.left:
            raise XlqaError(f"{self.where} lacks {name!r}.")
        return self.left.pop(name)

    def has(self, name: str) -> bool:
        """Whether there is such a field that was not taken."""
        return name in self.left

    def done(self) -> None:
        """Refuse what was not taken."""
        if self.left:
            raise XlqaError(f"{self.where} has the unknown key {plain(next(iter(self.left)), 60)!r}.")

    def _wrong(self, name: str, value: Any, expected: str) -> XlqaError:
        return XlqaError(f"{self.place(name)} is {kind_of(value)}, expected {expected}.")

    def fixed(self, name: str, value: Any) -> None:
        """A field that has one value only."""
        if (found := self.take(name)) != value or type(found) is not type(value):
            raise self._wrong(name, found, plain(repr(value), 100))

    def text(
        self, name: str, pattern: re.Pattern[str] = CONFIG_NAME, expected: str = "a name without braces or leading #"
    ) -> str:
        """A text that a pattern fits as a whole."""
        value = self.take(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self._wrong(name, value, expected)
        return value

    def maybe_text(
        self, name: str, pattern: re.Pattern[str] = CONFIG_NAME, expected: str = "a name or null"
    ) -> str | None:
        """As `text`, or null."""
        return None if self._is_null(name) else self.text(name, pattern, expected)

    def sha256(self, name: str) -> str:
        """A SHA-256 in hexadecimal."""
        return self.text(name, SHA256, "a SHA-256")

    def maybe_sha256(self, name: str) -> str | None:
        """A SHA-256, or null."""
        return None if self._is_null(name) else self.sha256(name)

    def id(self, name: str) -> str:
        """The id of a run, a source stage or an evaluation."""
        return self.text(name, RUN_ID, "an id as xlqa writes it")

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """One of several words."""
        value = self.take(name)
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(name, value, f"one of {', '.join(choices)}")
        return value

    def whole(self, name: str, least: int = 0, most: int = MOST_WHOLE) -> int:
        """A whole number."""
        value = self.take(name)
        if type(value) is not int or not least <= value <= most:
            raise self._wrong(name, value, f"a whole number of {least} or more")
        return value

    def maybe_whole(self, name: str, least: int = 0, most: int = MOST_WHOLE) -> int | None:
        """A whole number, or null."""
        return None if self._is_null(name) else self.whole(name, least, most)

    def number(self, name: str, least: float, most: float) -> float:
        """A finite number."""
        value = self.take(name)
        if type(value) not in (int, float) or not least <= value <= most:
            raise self._wrong(name, value, f"a number from {least:g} to {most:g}")
        return float(value)

    def truth(self, name: str) -> bool:
        """True or false."""
        value = self.take(name)
        if type(value) is not bool:
            raise self._wrong(name, value, "true or false")
        return value

    def object(self, name: str) -> Fields:
        """A nested object."""
        return Fields(self.take(name), self.place(name))

    def maybe_object(self, name: str) -> Fields | None:
        """A nested object, or null."""
        return None if self._is_null(name) else self.object(name)

    def items(self, name: str, most: int = 10_000) -> list[Any]:
        """A list's items."""
        value = self.take(name)
        if not isinstance(value, list) or len(value) > most:
            raise self._wrong(name, value, f"a list of {most:,} items at most")
        return value

    def objects(self, name: str) -> list[Fields]:
        """A list of objects."""
        return [Fields(item, f"{self.place(name)}[{i}]") for i, item in enumerate(self.items(name))]

    def _is_null(self, name: str) -> bool:
        if name in self.left and self.left[name] is None:
            del self.left[name]
            return True
        return False

    def columns(self) -> dict[str, Any]:
        """Those of the fields left that are columns of results.csv."""
        return self._cells(EVERY_COLUMN)

    def _cells(self, columns: Iterable[str]) -> dict[str, Any]:
        row = {column: self.left.pop(column) for column in columns if column in self.left}
        for column, value in row.items():
            if value is not None and not CHECKS[column][0](value):
                raise self._wrong(column, value, CHECKS[column][1])
        return row

    def row(self, name: str) -> dict[str, Any]:
        """A row of results.csv: its columns, numbers finite and within their range; columns that an older version lacks are None."""
        fields = self.object(name)
        task = fields.choice("task", tuple(TASK_METRICS)) if fields.has("task") else "qa"
        columns = result_columns(task, fields.has(THRESHOLD))
        row = dict.fromkeys(columns) | fields._cells(columns)
        fields.done()
        return row if task == "qa" else row | {"task": task}


def _is_text(value: Any) -> bool:
    return type(value) is str and CELL.fullmatch(value) is not None


def _is_percent(value: Any) -> bool:
    return type(value) in (int, float) and 0.0 <= value <= 100.0


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MOST_WHOLE


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and -MOST_NUMBER <= value <= MOST_NUMBER


def _check_of(column: str) -> tuple[Callable[[Any], bool], str]:
    """How a cell of a column is checked, and what is expected of it."""
    if column == "learned":
        return lambda value: type(value) is bool, "true or false"
    if column in CHOICES:
        return lambda value: value in CHOICES[column], f"one of {', '.join(CHOICES[column])}"
    if column == "finished":
        return lambda value: type(value) is str and TIME.fullmatch(value) is not None, "a time in UTC"
    if column in TEXT_COLUMNS:
        return _is_text, "a name without braces or leading #"
    if column in PERCENT_COLUMNS:
        return _is_percent, "a number from 0 to 100"
    if column in WHOLE_COLUMNS:
        return _is_count, "a whole number of 0 or more"
    return _is_number, f"a number from {-MOST_NUMBER:g} to {MOST_NUMBER:g}"


CHECKS = {column: _check_of(column) for column in EVERY_COLUMN}
"""One table look-up for each cell: a sweep of 10,000 runs has 650,000 cells."""


def kind_of(value: Any) -> str:
    """A value as a message shows it: short, on one line, without control characters."""
    if isinstance(value, dict):
        return f"an object of {len(value):,} keys"
    if isinstance(value, list):
        return f"a list of {len(value):,} items"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and not math.isfinite(value):
        return "not a finite number"
    if isinstance(value, int) and abs(value) > MOST_WHOLE:
        return "a number of too many digits"
    return plain(repr(value), 80)
