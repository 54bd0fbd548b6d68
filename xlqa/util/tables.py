"""Plain tables for a terminal: columns as wide as their widest cell, numbers to the right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xlqa.util.text import printable

NO_NUMBER = ("", "–", "?", "nan")
"""Cells of a column of numbers that hold none."""


def table_lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, fit for a terminal; a column that is empty throughout is left out, and no rows give no lines."""
    columns = [(head, *map(printable, cells)) for head, *cells in zip(heads, *rows, strict=True) if any(cells)]
    widths = [max(map(len, column)) for column in columns]
    right = [all(cell in NO_NUMBER or cell[:1].isdigit() for cell in column[1:]) for column in columns]
    for line in zip(*columns, strict=True):
        cells = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True)]
        yield "  ".join(cells).rstrip()


def format_bytes(count: int | None) -> str:
    """A file's size in a readable unit: 714 MB, 1.2 GB, 3 kB; "unknown" if it is not known."""
    if count is None:
        return "unknown"
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            value = count / size
            return f"{value:.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return f"{count} bytes"
