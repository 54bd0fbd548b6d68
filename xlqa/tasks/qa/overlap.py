"""Which test questions a model has already seen: the leak between training and test data.

A test question overlaps the training data if one of three things is true, each strict enough not to raise false alarms:

- **paragraph**: its paragraph is there, up to white space, case, Unicode normal form and invisible marks;
- **id**: its id is there and is a hash or another long number, as translations of one set share them (XQuAD's languages
  share theirs with SQuAD's dev part). Short or counted ids ("14719", "q1") agree by accident and prove nothing;
- **question**: its question and one of its answers are there, on a paragraph that shares half of its text. The question
  and answer alone would find pairs that do not overlap: "What does AC stand for?" is asked in SQuAD's train and dev parts.

Measured: SQuAD train on dev 0; SQuAD dev on XQuAD, any language, all 1,190; TyDi QA Swahili train on dev 96 of 499, 94
of them by paragraph.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from xlqa.records import Question


@dataclass(frozen=True, slots=True)
class Overlap:
    """Ids of the test questions found in the training data, by what gave them away; a question may be in several.

    Attributes:
        asked: test questions that are there word for word, on the same paragraph; they count under `by_paragraph` too.
        tested: how many test questions were looked up.
    """

    by_paragraph: frozenset[str]
    by_id: frozenset[str]
    by_question: frozenset[str]
    asked: frozenset[str]
    tested: int

    @property
    def ids(self) -> frozenset[str]:
        """All test questions that overlap."""
        return self.by_paragraph | self.by_id | self.by_question

    def __bool__(self) -> bool:
        return bool(self.ids)

    def __str__(self) -> str:
        if not self:
            return f"none of {self.tested:,} test questions"
        kinds = (("paragraph", self.by_paragraph), ("id", self.by_id), ("question and answer", self.by_question))
        parts = ", ".join(f"{len(ids):,} by {kind}" for kind, ids in kinds if ids)
        return f"{len(self.ids):,} of {self.tested:,} test questions ({parts})"


def find_overlap(train: Sequence[Question], test: Sequence[Question]) -> Overlap:
    """Test questions that the training questions contain, by the rules above."""
    normal = _Normaliser()
    wanted = {normal(question.question) for question in test}
    ids = {_base_id(question.id) for question in train}
    paragraphs: set[str] = set()
    twins: defaultdict[str, list[Question]] = defaultdict(list)
    asked: set[tuple[str, str]] = set()
    for question in train:
        paragraphs.add(normal.context(question))
        text = normal(question.question)
        if text in wanted:
            twins[text].append(question)
            asked.add((normal.context(question), text))
    return Overlap(
        frozenset(question.id for question in test if normal.context(question) in paragraphs),
        frozenset(question.id for question in test if _is_telling(question.id) and _base_id(question.id) in ids),
        frozenset(question.id for question in test if _has_twin(question, twins[normal(question.question)], normal)),
        frozenset(q.id for q in test if (normal.context(q), normal(q.question)) in asked),
        len(test),
    )


def count_repeated(questions: Iterable[Question]) -> int:
    """How many questions repeat an earlier one: the same words on the same paragraph, whatever their ids and answers are."""
    normal = _Normaliser()
    contexts: dict[str, int] = {}

    def identify(question: Question) -> int:
        if question.context_hash not in contexts:
            contexts[question.context_hash] = hash(normal(question.context))
        return hash((contexts[question.context_hash], normal(question.question)))

    # Hashes, not texts, and in an array, not a set: a million questions then take 8 MB here.
    seen = np.fromiter(map(identify, questions), np.int64)
    return len(seen) - len(np.unique(seen))


class _Normaliser:
    """Text up to white space, case, normal form (NFC) and invisible marks; paragraphs only once each."""

    _INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200e\u200f\u00ad"))

    def __init__(self) -> None:
        self._contexts: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        if not text.isascii():
            text = unicodedata.normalize("NFC", text.translate(self._INVISIBLE))
        return " ".join(text.casefold().split())

    def context(self, question: Question) -> str:
        """The question's paragraph, normalised."""
        found = self._contexts.get(question.context)
        if found is None:
            found = self._contexts[question.context] = self(question.context)
        return found


def _base_id(identity: str) -> str:
    """The id as its makers gave it, without the suffix that reading gives to duplicates."""
    return identity.split("~", 1)[0]


def _is_telling(identity: str) -> bool:
    """Whether two questions can hardly have this id by accident: it holds a hash or a long number."""
    run = max(re.findall(r"[0-9a-f]+", _base_id(identity).lower().replace("-", "")), key=len, default="")
    return len(run) >= 16 and len(set(run)) >= 6


def _has_twin(question: Question, candidates: Iterable[Question], normal: _Normaliser) -> bool:
    """Whether a candidate with the same question text shares an answer and half of the paragraph."""
    answers = {normal(text) for text in question.gold_texts}
    context = normal.context(question)
    return any(
        answers & {normal(text) for text in candidate.gold_texts} and _shared(context, normal.context(candidate)) >= 0.5
        for candidate in candidates
    )


def _shared(first: str, second: str) -> float:
    """Share of the shorter text's sequences of 8 characters that the longer one has too: 0 to 1, in any script."""
    ours, theirs = ({text[i : i + 8] for i in range(max(1, len(text) - 7))} for text in (first, second))
    return len(ours & theirs) / min(len(ours), len(theirs))
