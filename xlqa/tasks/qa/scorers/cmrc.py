"""CMRC 2018: a fixed list of marks dropped; F1 over the longest common substring of characters.

From the rules of the official `cmrc2018_evaluate.py` (Cui et al. 2019; v5 and v6 agree in them). Units are the
characters U+4E00 to U+9FA5, each by itself, and between them the words that NLTK's `word_tokenize` finds. F1 counts
the longest run of units shared without a gap, so an answer with a hole in it loses more than in a bag of characters.
Marks that are not on the list count: ASCII commas, full stops, quotation marks and brackets, the opening ‘, and the
Chinese ellipsis (the list has it doubled, and so it never matches a character).

Known departures:
- Text between Han characters is tokenised as one sentence. The script first splits it into sentences by a model that
  has to be downloaded; this only shows where such a stretch has a full stop in its middle.
- A missing answer is an error unless it is allowed (`score_questions`); the script counts 0.
"""

from __future__ import annotations

import importlib
import re
from functools import cache, lru_cache
from typing import Any

from xlqa.errors import XlqaError
from xlqa.tasks.qa.scorers.rules import CACHED_TEXTS, CharacterTable, Rules, substring_f1

MARKS = frozenset("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
"""What the script drops."""

_HAN = re.compile(r"([\u4e00-\u9fa5])")
_NO_MARKS = CharacterTable(lambda character: None if character in MARKS else character)
# Letters and digits, decimal and thousands separators between digits: NLTK parts these at white space only ...
_PLAIN = re.compile(r"(?:\s|[^\W_]|(?<=\d)[.,](?=\d))*")
# ... save for these, of which it makes two words.
_CONTRACTIONS = frozenset(("cannot", "gimme", "gonna", "gotta", "lemme", "wanna"))


@lru_cache(CACHED_TEXTS)
def normalize(text: str) -> str:
    """Lower case, without white space at the edges and without the marks."""
    return text.lower().strip().translate(_NO_MARKS)


@lru_cache(CACHED_TEXTS)
def units(text: str) -> tuple[str, ...]:
    """Han characters one by one, and the words between them."""
    found: list[str] = []
    for index, part in enumerate(_HAN.split(normalize(text))):
        if index % 2:  # what the pattern's group caught
            found.append(part)
        elif part:
            found.extend(_words(part))
    return tuple(found)


def _words(text: str) -> list[str]:
    words = text.split()
    if _PLAIN.fullmatch(text) and _CONTRACTIONS.isdisjoint(words):
        return words
    return list(_tokenizer().tokenize(text))


@cache
def _tokenizer() -> Any:
    """NLTK's word tokenizer, loaded when the first text needs it: it takes a second, and most texts don't."""
    try:
        return importlib.import_module("nltk.tokenize.destructive").NLTKWordTokenizer()
    except ImportError as error:
        raise XlqaError("The scorers cmrc and drcd need NLTK for Latin text: pip install nltk.") from error


SCORER = Rules("cmrc", normalize, units, substring_f1)
