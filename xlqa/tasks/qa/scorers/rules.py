"""What all scorers share: their interface, the overlap of two answers, and tables that delete characters.

A scorer is two pure functions of text (`normalize` for EM, `units` for F1) and a way to compare units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Protocol

CACHED_TEXTS = 1 << 17
"""How many normalised texts a scorer keeps: the golds of a test set are met again by every run that is scored on it."""


class Scorer(Protocol):
    """Rules that turn an answer and its gold answers into EM and F1; frozen, cheap to make, picklable."""

    @property
    def name(self) -> str:
        """Identifies the rules: `get_scorer(name)` gives the same ones anywhere."""

    @property
    def scores_unanswerable(self) -> bool:
        """Whether a question without gold answers has a score (SQuAD 2.0)."""

    def em(self, prediction: str, golds: Sequence[str]) -> float:
        """Exact match, 0.0 or 1.0: the best over the gold answers."""

    def f1(self, prediction: str, golds: Sequence[str]) -> float:
        """Harmonic mean of precision and recall over units, 0.0 to 1.0: the best over the gold answers."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A scorer made of three pure functions, all named at module level so that it can be pickled.

    Attributes:
        name: the scorer's full name.
        normalize: text to the string that EM compares.
        units: text to the words or characters that F1 counts.
        overlap: two sequences of units to F1, 0.0 to 1.0.
    """

    name: str  # identifies the rules, so it alone is compared
    normalize: Callable[[str], str] = field(compare=False)
    units: Callable[[str], tuple[str, ...]] = field(compare=False)
    overlap: Callable[[Sequence[str], Sequence[str]], float] = field(compare=False)

    @property
    def scores_unanswerable(self) -> bool:
        return False

    def em(self, prediction: str, golds: Sequence[str]) -> float:
        wanted = self.normalize(prediction)
        return float(any(wanted == self.normalize(gold) for gold in golds))

    def f1(self, prediction: str, golds: Sequence[str]) -> float:
        units = self.units(prediction)
        return max((self.overlap(units, self.units(gold)) for gold in golds), default=0.0)


def bag_f1(prediction: Sequence[str], gold: Sequence[str]) -> float:
    """F1 of two bags of units: order does not count, repetition does.

    Returns:
        2PR / (P + R), 0.0 where no unit is shared (two empty bags included).
    """
    if not prediction or not gold:
        return 0.0
    if prediction == gold:
        return 1.0
    common = set(prediction).intersection(gold)
    return _f1(sum(min(prediction.count(u), gold.count(u)) for u in common), len(prediction), len(gold))


def substring_f1(prediction: Sequence[str], gold: Sequence[str]) -> float:
    """F1 of the longest run of units that both hold without a gap (longest common substring).

    Returns:
        2PR / (P + R), 0.0 where no unit is shared (two empty sequences included).
    """
    match = SequenceMatcher(None, prediction, gold, autojunk=False).find_longest_match()
    return _f1(match.size, len(prediction), len(gold))


def _f1(shared: int, predicted: int, wanted: int) -> float:
    if shared == 0:
        return 0.0
    precision, recall = shared / predicted, shared / wanted
    return 2 * precision * recall / (precision + recall)


class CharacterTable(dict[int, str | None]):
    """A table for `str.translate` that asks a rule about each character once, when it is first met.

    Building it for all of Unicode at import would take longer than scoring a test set.
    """

    def __init__(self, replace: Callable[[str], str | None]) -> None:
        """Args: replace: a character to its replacement; None deletes it."""
        super().__init__()
        self._replace = replace

    def __missing__(self, code: int) -> str | None:
        self[code] = found = self._replace(chr(code))
        return found
