"""Nested subsets and validation parts of a data set, independent of the order of its file.

A subset of size N is the first N questions of one permutation, drawn by hashing, not by a random generator: so it
depends on the seed and on the questions' ids alone, and the subset of 100 is part of that of 1,000.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from xlqa.errors import XlqaError
from xlqa.records import Example, SubsetBy

E = TypeVar("E", bound=Example)


def sample_questions(
    questions: Sequence[E], size: int, seed: int, by: SubsetBy = "question", name: str = "The data set"
) -> tuple[E, ...]:
    """The first `size` questions of the permutation that `seed` draws.

    Args:
        by: "question" orders questions by the hash of seed and id; "paragraph" orders whole paragraphs by the hash of
            seed and context hash, their questions by id, and cuts the last paragraph so that exactly `size` come; "label" orders
            examples so that every subset has the labels in the shares of the whole.
        name: what the message calls the data set.

    Raises:
        XlqaError: fewer questions than `size`, or a size below 0.
    """
    check_size(questions, size, name)
    return tuple(permute_questions(questions, seed, by)[:size])


def check_size(questions: Sequence[Example], size: int, name: str = "The data set") -> None:
    """Refuse a subset that cannot be drawn.

    Raises:
        XlqaError: fewer questions than `size`, or a size below 0.
    """
    if size < 0:
        raise XlqaError(f"A subset of {size:,} questions was requested: sizes are 0 or more.")
    if size > len(questions):
        raise XlqaError(
            f"{name} has {len(questions):,} training questions, --sizes asks for {size:,}: lower it or use full."
        )


def permute_questions(questions: Sequence[E], seed: int, by: SubsetBy = "question") -> list[E]:
    """All questions in the order in which subsets take them."""
    if by == "question":
        return sorted(questions, key=lambda question: (_draw(seed, question.id), question.id))
    if by == "paragraph":
        return sorted(
            questions,
            key=lambda question: (_draw(seed, question.group), question.group, question.id),
        )
    if by == "label":
        return _stratify(questions, seed)
    raise XlqaError(f'"{by}" is not a way to draw subsets: choose question, paragraph or label.')


def _stratify(questions: Sequence[E], seed: int) -> list[E]:
    """Each label's examples at equal distances: the k-th of n at (k + ½) / n, ties in the order of their draws.

    Raises:
        XlqaError: examples without one label each.
    """
    place: dict[str, float] = {}
    by_label: dict[str, list[E]] = {}
    for question in permute_questions(questions, seed):
        label = getattr(question, "label", None)
        if not isinstance(label, str):
            raise XlqaError(
                f"example {question.id} has no label to stratify by: choose --subset-by question or paragraph."
            )
        by_label.setdefault(label, []).append(question)
    for own in by_label.values():
        place |= {question.id: (k + 0.5) / len(own) for k, question in enumerate(own)}
    return sorted(questions, key=lambda question: (place[question.id], _draw(seed, question.id), question.id))


def split_validation(
    questions: Sequence[E], size: int, seed: int = 0, name: str = "The data set"
) -> tuple[tuple[E, ...], tuple[E, ...]]:
    """Cut a validation part off the training questions, whole paragraphs at a time.

    The validation part has exactly `size` questions. Its last paragraph may hold more: that surplus belongs to neither
    part, because in the training part it would share its paragraph with validation questions. So up to one paragraph's
    questions less one are left out: `len(questions) - len(train) - size` of them.

    Returns:
        (train, valid), each in the order of `questions`.

    Raises:
        XlqaError: no training question would remain.
    """
    if size < 0:
        raise XlqaError(f"A validation part of {size:,} questions was requested: --valid-size is 0 or more.")
    if size == 0:
        return tuple(questions), ()
    if size >= len(questions):
        raise XlqaError(
            f"{name} has {len(questions):,} training questions, {size:,} of them requested for validation: "
            "lower --valid-size."
        )
    # A word of its own keeps this permutation independent of the subsets' with the same seed.
    ordered = sorted(
        questions,
        key=lambda question: (_draw(f"valid {seed}", question.group), question.group, question.id),
    )
    valid = {question.id for question in ordered[:size]}
    held = {question.group for question in ordered[:size]}
    train = tuple(question for question in questions if question.group not in held)
    if not train:
        raise XlqaError(
            f"{name} has too few paragraphs ({len(held):,}) to cut {size:,} questions off for validation: "
            "lower --valid-size."
        )
    return train, tuple(question for question in questions if question.id in valid)


def _draw(seed: int | str, key: str) -> str:
    return hashlib.sha256(f"{seed}\n{key}".encode("utf-8", "surrogatepass")).hexdigest()
