"""Comma-separated values: written so that a spreadsheet runs none as a formula, and the lines of those that are read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV with a header; None becomes an empty cell, and texts are guarded (`guard_cell`)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return buffer.getvalue()


def csv_lines(text: str) -> Iterator[str]:
    """The lines of a table with their ends, for `csv.reader`: `str.splitlines` also splits at U+2028 and U+0085."""
    return (match[0] for match in _LINE.finditer(text))


def guard_cell(text: str) -> str:
    """A text with an apostrophe before it if a spreadsheet would otherwise run it as a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    return guard_cell(value) if isinstance(value, str) else str(value)
