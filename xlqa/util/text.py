"""Text of unknown origin made fit for a terminal."""

from __future__ import annotations

import re
import unicodedata

CONFIG_NAME = re.compile(r"(?!#)[^{}\x00-\x1f\x7f]{1,255}")
"""A name that DeepPavlov neither fills in (braces) nor evaluates (#)."""


def plain(text: str, limit: int = 0) -> str:
    """The text on one line, without control and direction characters, shortened to `limit` characters (0: whole).

    A data set's text could otherwise move the cursor, recolour the screen or turn the line around.
    """
    line = " ".join("".join(map(_harmless, text)).split())
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"


LONE_SURROGATE = "lone surrogate"
"""The name of the repair that `without_surrogates` makes."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def has_surrogates(text: str) -> bool:
    """Whether a text has half of a UTF-16 pair, which cannot be written as UTF-8."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def without_surrogates(text: str) -> str:
    """The text with U+FFFD in the place of each lone surrogate: JSON can hold them, UTF-8 and tokenizers cannot."""
    return _SURROGATE.sub("\ufffd", text) if has_surrogates(text) else text


def first_line(error: BaseException) -> str:
    """The message of a library's error, on one short line."""
    line = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return plain(line, 200).rstrip(".")


def printable(line: str) -> str:
    """A line without control and direction characters; its blanks stay."""
    return "".join(map(_harmless, line))


def _harmless(char: str) -> str:
    if "\x20" <= char < "\x7f" or char in "\u200c\u200d":  # Persian and Indic spelling need the joiners
        return char
    category = unicodedata.category(char)
    # Cc: control, Cs: surrogates, Zl and Zp: line and paragraph separators; Cf: direction overrides and other marks.
    return " " if category in ("Cc", "Cs", "Zl", "Zp") else "" if category == "Cf" else char


def counted(count: int, one: str, many: str = "") -> str:
    """A number and what it counts, in the right number: 1 question, 2 questions.

    Args:
        many: the plural, where it is not `one` with an s.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def format_duration(seconds: float) -> str:
    """A duration for people: `45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
