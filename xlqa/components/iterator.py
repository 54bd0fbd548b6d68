"""Choosing a run's questions: the DeepPavlov component `xlqa.components.iterator:SubsetIterator`.

`train_size` is the number of labelled questions that the run may see (`port` in the notebook that xlqa grew from).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from deeppavlov.core.data.data_learning_iterator import DataLearningIterator

from xlqa.components.reader import Part
from xlqa.data.subsets import check_size, permute_questions, split_validation
from xlqa.records import Question, SubsetBy
from xlqa.training.context import SESSION

TEST_SEED = 0
"""Of the random part that --test-size and --valid-size take: one for all runs, so that they are scored on the same questions."""


@dataclass(frozen=True, slots=True)
class Gold:
    """What scoring and labelling one question needs.

    Attributes:
        texts: gold answers; spans: their characters [start, end) in the paragraph.
        scorer: name of the scorer that leads for this test set.
        context_hash: the paragraph's identity.
    """

    texts: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    scorer: str
    context_hash: str


Pair = tuple[tuple[str, str], tuple[str, Gold]]


def to_pairs(questions: tuple[Question, ...], scorer: str) -> list[Pair]:
    """DeepPavlov's pairs ((context, question), (id, gold))."""
    return [
        (
            (q.context, q.question),
            (
                q.id,
                Gold(
                    tuple(a.text for a in q.answers),
                    tuple((a.start, a.start + len(a.text)) for a in q.answers),
                    scorer,
                    q.context_hash,
                ),
            ),
        )
        for q in questions
    ]


class SubsetIterator(DataLearningIterator):  # type: ignore[misc]  # DeepPavlov ships without types
    """Draws the training subset and serves the parts.

    Args:
        data: what `QuestionReader.read` returned.
        train_size: questions from the train part; None for all, 0 for none.
        subset_seed: of the nested subsets.
        subset_by: question, or paragraph for whole paragraphs.
        valid_size: questions cut from the train part before subsets are drawn, served as `valid`.
        source_size: questions from the source part (joint training); None for all.
        source_subset_seed: of that draw.
    """

    def __init__(
        self, data: dict[str, Any], train_size: int | None = None, subset_seed: int = 0,
        subset_by: SubsetBy = "question", valid_size: int = 0,
        source_size: int | None = None, source_subset_seed: int = 0, **kwargs: Any,
    ) -> None:  # fmt: skip
        train, valid = _target_part(data["train"], train_size, subset_seed, subset_by, valid_size)
        joined = _source_part(data["source"], source_size, source_subset_seed) + train
        parts: dict[str, list[Pair]] = {"train": joined, "valid": valid}
        for target, part, size in data["tests"]:
            chosen = part.questions if size is None else _in_order(part, int(size))
            parts[target] = to_pairs(chosen, part.scorer)
        super().__init__({name: parts.get(name, []) for name in ("train", "valid", "test")}, seed=0, shuffle=False)
        self.data.update(parts)
        self.target_questions = len(train)


def _target_part(
    part: Part | None, size: int | None, seed: int, by: SubsetBy, valid_size: int
) -> tuple[list[Pair], list[Pair]]:
    if part is None:
        return [], []
    whole = part.questions
    key = ("split", part.identity, valid_size)
    train, valid = SESSION.share(key, lambda: split_validation(whole, valid_size, TEST_SEED))
    chosen = _draw(train, size, seed, by, key)
    return to_pairs(chosen, part.scorer), to_pairs(valid, part.scorer)


def _source_part(part: Part | None, size: int | None, seed: int) -> list[Pair]:
    if part is None:
        return []
    return to_pairs(_draw(part.questions, size, seed, "question", ("whole", part.identity)), part.scorer)


def _draw(
    questions: tuple[Question, ...], size: int | None, seed: int, by: SubsetBy, identity: Hashable
) -> tuple[Question, ...]:
    """As `sample_questions`; the order is drawn once a process for all sizes, whose subsets lie within each other."""
    count = len(questions) if size is None else size
    check_size(questions, count)
    return SESSION.share(("order", identity, seed, by), lambda: tuple(permute_questions(questions, seed, by)))[:count]


def _in_order(part: Part, size: int) -> tuple[Question, ...]:
    """A seeded random part of a test set, in the file's order."""
    ids = {q.id for q in _draw(part.questions, size, TEST_SEED, "question", ("whole", part.identity))}
    return tuple(q for q in part.questions if q.id in ids)
