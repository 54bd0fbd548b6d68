"""JaQuAD: F1 over characters, unchanged; EM where no character is missing or left over.

From the rules of the notebook that its makers published (`JaQuAD.ipynb`, So et al. 2022): white space is dropped,
nothing else is normalised. EM there is "F1 is 1", so the same characters in another order would match too.
"""

from __future__ import annotations

from collections.abc import Sequence

from xlqa.tasks.qa.scorers.rules import Rules, bag_f1


def normalize(text: str) -> str:
    """The characters of the text without white space, sorted: equal exactly where F1 is 1."""
    return "".join(sorted(units(text)))


def units(text: str) -> tuple[str, ...]:
    """The characters of the text without white space."""
    return tuple("".join(text.split()))


def overlap(prediction: Sequence[str], gold: Sequence[str]) -> float:
    """F1 of two bags of characters; two empty ones are equal."""
    return bag_f1(prediction, gold) if prediction or gold else 1.0


SCORER = Rules("jaquad", normalize, units, overlap)
