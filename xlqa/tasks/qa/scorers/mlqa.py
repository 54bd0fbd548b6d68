"""MLQA, per language: no Unicode punctuation, the language's own articles; words, or a character per Han for Chinese.

From the rules of the official `mlqa_evaluation_v1.py` (Lewis et al. 2020), quirks included, because published figures
rest on them:
- Arabic: the letters "ال" become a blank everywhere, inside a word too.
- Vietnamese "articles" are classifiers and particles (của, là, cái, chiếc, những).
- Chinese: each of U+4E00 to U+9FA5 is a unit, anything else goes by white space. Rarer Han (extensions) are not split.
- Punctuation is all of Unicode's categories P*, and the ASCII signs $ + < = > ^ ` | ~.

Known departures:
- The script knows en, es, hi, vi, de, ar and zh and refuses any other language. Here others get Unicode punctuation, no
  articles and white-space words; for languages written without blanks (Japanese, Thai) use `characters` instead.
- Which characters are punctuation follows this Python's Unicode tables, as it does in the script.
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache, partial

from xlqa.tasks.qa.scorers.rules import CACHED_TEXTS, CharacterTable, Rules, bag_f1

_ARTICLES = {
    "en": re.compile(r"\b(?:a|an|the)\b"),
    "es": re.compile(r"\b(?:un|una|unos|unas|el|la|los|las)\b"),
    "vi": re.compile(r"\b(?:của|là|cái|chiếc|những)\b"),
    "de": re.compile(r"\b(?:ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"),
    "ar": re.compile("ال"),
}
_HAN = re.compile(r"([\u4e00-\u9fa5])")


def is_punctuation(character: str) -> bool:
    """Whether a character is of a Unicode category P*, or ASCII punctuation (which holds signs and symbols too)."""
    return unicodedata.category(character).startswith("P") or character in string.punctuation


_NO_PUNCTUATION = CharacterTable(lambda character: None if is_punctuation(character) else character)


@lru_cache(CACHED_TEXTS)
def normalize(text: str, language: str) -> str:
    """Lower case, punctuation deleted, the language's articles made blanks, units joined by single blanks."""
    text = text.lower().translate(_NO_PUNCTUATION)
    articles = _ARTICLES.get(language)
    if articles is not None:
        text = articles.sub(" ", text)
    if language == "zh":
        text = _HAN.sub(r" \1 ", text)
    return " ".join(text.split())


def units(text: str, language: str) -> tuple[str, ...]:
    """The words of the normalised text; in Chinese each Han character is one."""
    return tuple(normalize(text, language).split())


def make_scorer(language: str) -> Rules:
    """The scorer `mlqa.<language>`; `language` is an ISO 639 code in lower case."""
    return Rules(f"mlqa.{language}", partial(normalize, language=language), partial(units, language=language), bag_f1)
