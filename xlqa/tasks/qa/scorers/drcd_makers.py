"""DRCD by its makers' own rules: SQuAD v1.1's, without eight full-width marks; F1 over a bag of characters.

From the makers' description of their script (Shao et al. 2018; issue 6 of https://github.com/DRCKnowledgeTeam/DRCD): SQuAD's
`evaluate-v1.1.py`, which also drops 《 》 ？ ， 。 、 ； ： and compares the characters of the normalised texts instead of their words.
A blank that normalising leaves between words is a character too. Figures of others are by `drcd`.
"""

from __future__ import annotations

from functools import lru_cache

from xlqa.tasks.qa.scorers import squad
from xlqa.tasks.qa.scorers.rules import CACHED_TEXTS, CharacterTable, Rules, bag_f1

MARKS = frozenset("《》？，。、；：")
"""What the makers drop beside SQuAD's ASCII punctuation."""

_NO_MARKS = CharacterTable(lambda character: None if character in MARKS else character)


@lru_cache(CACHED_TEXTS)
def normalize(text: str) -> str:
    """SQuAD's normalised text, without the marks."""
    return squad.normalize(text.translate(_NO_MARKS))


def units(text: str) -> tuple[str, ...]:
    """The characters of the normalised text, blanks included."""
    return tuple(normalize(text))


SCORER = Rules("drcd-makers", normalize, units, bag_f1)
