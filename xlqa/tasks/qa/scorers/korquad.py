"""KorQuAD 1.0: no quotation marks, brackets and ASCII punctuation; F1 over characters.

From the rules of the official `evaluate-v1.0.py` of KorQuAD (Lim et al. 2019), itself derived from SQuAD's: Korean
particles stick to words, so words would be too coarse. The marks ' " 《 》 < > 〈 〉 ( ) ‘ ’ become blanks, so they
separate the text around them; other ASCII punctuation is deleted, so it joins. EM compares words, F1 characters without
white space. There are no articles.
"""

from __future__ import annotations

import string
from functools import lru_cache

from xlqa.tasks.qa.scorers.rules import CACHED_TEXTS, CharacterTable, Rules, bag_f1

_MARKS = "'\"《》<>〈〉()‘’"


def _replace(character: str) -> str | None:
    if character in _MARKS:
        return " "
    return None if character in string.punctuation else character


_TABLE = CharacterTable(_replace)


@lru_cache(CACHED_TEXTS)
def normalize(text: str) -> str:
    """Marks made blanks, lower case, ASCII punctuation deleted, white space made single blanks."""
    return " ".join(text.lower().translate(_TABLE).split())


def units(text: str) -> tuple[str, ...]:
    """The characters of the normalised text, without blanks."""
    return tuple(normalize(text).replace(" ", ""))


SCORER = Rules("korquad", normalize, units, bag_f1)
