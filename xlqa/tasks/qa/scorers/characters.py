"""Characters: for languages written without blanks that have no official script, such as Japanese and Thai.

Ours: lower case, composed (NFC), without punctuation (Unicode P* and ASCII, as in MLQA), white space and invisible
format characters (Cf, such as the zero-width space between Thai words). EM compares what is left, F1 counts it as a
bag. A character is a code point: a Thai vowel sign or tone mark is one by itself. For Chinese use `mlqa.zh`, which is
official and keeps Latin words whole.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from xlqa.tasks.qa.scorers.mlqa import is_punctuation
from xlqa.tasks.qa.scorers.rules import CACHED_TEXTS, CharacterTable, Rules, bag_f1


def _is_dropped(character: str) -> bool:
    return is_punctuation(character) or character.isspace() or unicodedata.category(character) == "Cf"


_TABLE = CharacterTable(lambda character: None if _is_dropped(character) else character)


@lru_cache(CACHED_TEXTS)
def normalize(text: str) -> str:
    """Lower case, composed, punctuation, white space and format characters deleted."""
    return unicodedata.normalize("NFC", text.lower()).translate(_TABLE)


def units(text: str) -> tuple[str, ...]:
    """The characters (code points) of the normalised text."""
    return tuple(normalize(text))


SCORER = Rules("characters", normalize, units, bag_f1)
