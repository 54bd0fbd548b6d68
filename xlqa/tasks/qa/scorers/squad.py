"""SQuAD v1.1: lower case, without ASCII punctuation and English articles; F1 over white-space words.

From the rules of the official `evaluate-v1.1.py` (Rajpurkar et al. 2016), which XQuAD, TyDiQA in XTREME and most
published cross-lingual figures use too. Its words are English: in a language written without blanks a whole answer is
one word, so F1 falls together with EM.

As in the script, an answer of which normalising leaves nothing has EM 1 where a gold answer is one too, and F1 0.

Known departure: a missing answer is an error unless it is allowed (`score_questions`); the script warns and counts 0.
"""

from __future__ import annotations

import re
import string
from functools import lru_cache

from xlqa.tasks.qa.scorers.rules import CACHED_TEXTS, CharacterTable, Rules, bag_f1

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NO_PUNCTUATION = CharacterTable(lambda character: None if character in string.punctuation else character)


@lru_cache(CACHED_TEXTS)
def normalize(text: str) -> str:
    """Lower case, ASCII punctuation deleted, articles made blanks, white space made single blanks."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def units(text: str) -> tuple[str, ...]:
    """The words of the normalised text."""
    return tuple(normalize(text).split())


SCORER = Rules("squad", normalize, units, bag_f1)
