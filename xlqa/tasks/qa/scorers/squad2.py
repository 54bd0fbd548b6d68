"""SQuAD v2.0: the rules of v1.1, and questions whose right answer is that there is none.

From the rules of the official `evaluate-v2.0.py` (Rajpurkar et al. 2018). The answer "" means that there is none; it
scores 1 on an unanswerable question and 0 on any other. Gold answers of which normalising leaves nothing don't count.

Known departures:
- A missing answer is an error, or counts 0 where it is allowed; the script leaves it out of the denominator.
- No threshold on no-answer probabilities is searched: the answers are scored as given.

`squad2.<scorer>`, such as `squad2.mlqa.ru`, is not of the script: it scores questions with an answer by the rules of another scorer,
for languages that SQuAD's do not suit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xlqa.tasks.qa.scorers import squad
from xlqa.tasks.qa.scorers.rules import Rules


@dataclass(frozen=True, slots=True)
class Squad2:
    """The scorer of SQuAD v2.0; `rules` are those of questions with an answer."""

    name: str = "squad2"
    rules: Rules = field(default=squad.SCORER, compare=False)

    @property
    def scores_unanswerable(self) -> bool:
        return True

    def em(self, prediction: str, golds: Sequence[str]) -> float:
        """1.0 where a gold answer is equal after normalising, or where there is none and the answer is empty."""
        found = self.rules.normalize(prediction)
        kept = [text for text in map(self.rules.normalize, golds) if text]
        return float(found in kept if kept else found == "")

    def f1(self, prediction: str, golds: Sequence[str]) -> float:
        """F1 over units; against "no answer" it is 1.0 if the answer is empty too, else 0.0."""
        found = self.rules.units(prediction)
        kept = [words for words in map(self.rules.units, golds) if words]
        if not kept:
            return float(not found)
        return max(self.rules.overlap(found, words) for words in kept)


SCORER = Squad2()
