"""Text of unknown origin made fit for a terminal."""

from __future__ import annotations

import unicodedata


def plain(text: str, limit: int = 0) -> str:
    """The text on one line, without control and direction characters, shortened to `limit` characters (0: whole).

    A data set's text could otherwise move the cursor, recolour the screen or turn the line around.
    """
    line = " ".join("".join(char if _is_harmless(char) else " " for char in text).split())
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _is_harmless(char: str) -> bool:
    if char < "\x7f":
        return char >= " "
    # Cc: control, Cf: format (direction overrides, marks), Cs: surrogates, Zl and Zp: line and paragraph separators.
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
