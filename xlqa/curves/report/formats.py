"""The formats of reports and the suffixes of their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xlqa.errors import XlqaError, refuse_choice

FORMATS = ("text", "md", "tex", "csv", "json", "html")
_SUFFIXES = {".txt": "text", ".md": "md", ".tex": "tex", ".csv": "csv", ".json": "json", ".html": "html"}


def choose_format(format: str, out: Path | None, as_json: bool, formats: Sequence[str] = FORMATS) -> str:
    """The format that the flags name, or the suffix of the output file.

    Raises:
        XlqaError: there is no such format.
    """
    kind = "json" if as_json else format or (_SUFFIXES.get(out.suffix.lower(), "") if out else "text")
    if kind not in formats:
        where = f"--format {format}" if format else f"--out {out}: its suffix names no format"
        raise XlqaError(f"{where}: {refuse_choice(kind, formats)}.")
    return kind
