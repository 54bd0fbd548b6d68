"""The words of a plain text that `xlqa ask --task ner` and `--task pos` tag."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from xlqa.tasks.tagging.columns import Kind

_JOINERS = "\u00ad\u200c\u200d\u2060"
"""Characters of format inside a word: soft hyphen, zero-width non-joiner and joiner (Persian, Indic scripts), word joiner."""

_SEPARATORS = "\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
"""Characters of format that are no word: the zero-width space, which separates words, and marks of direction."""

_SINGLE = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af"
)
"""Han characters and Kana, each of which is a word in the Chinese and Japanese parts of PAN-X."""


def find_words(text: str, kind: Kind) -> list[re.Match[str]]:
    """The words of a text in order: runs of letters, digits and their marks, and other characters one by one.

    For entities each Han character and each Kana is a word, as in PAN-X. For parts of speech they are not apart, because
    Universal Dependencies has words of several characters. A run of Thai, Lao, Khmer or Burmese letters is one word.
    """
    return list(_pattern(kind).finditer(text))


@cache
def _pattern(kind: Kind) -> re.Pattern[str]:
    single = _SINGLE if kind == "ner" else ""
    attached = f"[{_marks()}{_JOINERS}]*"
    alternatives = [f"(?:[^\\W{single}]{attached})+", f"[^\\w\\s{_SEPARATORS}]{attached}"]
    return re.compile("|".join([*([f"[{single}]{attached}"] if single else []), *alternatives]))


def _marks() -> str:
    """All combining marks (Unicode M*), which Python's `\\w` lacks, as the inside of a character class."""
    blocks = (range(0x300, 0x20000), range(0xE0100, 0xE01F0))
    return "".join(chr(code) for block in blocks for code in block if unicodedata.category(chr(code))[0] == "M")
