"""Choosing a run's examples: the DeepPavlov component `xlqa.components.iterator:SubsetIterator`, for every task.

`train_size` is the number of labelled examples that the run may see (`port` in the notebook that xlqa grew from).
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from typing import Any

from xlqa.components.framework import DataLearningIterator
from xlqa.components.reader import Part
from xlqa.data.subsets import check_size, permute_questions, split_validation
from xlqa.records import SubsetBy
from xlqa.tasks.base import Gold, get_task
from xlqa.training.context import SHARED

TEST_SEED = 0
"""Of the random part that --test-size and --valid-size take: one for all runs, so that they are scored on the same examples."""

Examples = tuple[Any, ...]
Pair = tuple[Any, tuple[str, Gold]]


def to_pairs(examples: Examples, part: Part) -> list[Pair]:
    """DeepPavlov's pairs (x, (id, gold)); x is a tuple of the task's inputs, or the input itself where there is one."""
    task = get_task(part.task)
    bare = len(task.inputs) == 1
    inputs = (task.input_of(example) for example in examples)
    golds = (Gold(example, part.scorer, part.task) for example in examples)
    return [(x[0] if bare else x, (gold.example.id, gold)) for x, gold in zip(inputs, golds, strict=True)]


class SubsetIterator(DataLearningIterator):  # type: ignore[misc]  # DeepPavlov ships without types
    """Draws the training subset and serves the parts.

    Args:
        data: what `TaskReader.read` returned.
        train_size: examples from the train part; None for all, 0 for none.
        subset_seed: of the nested subsets.
        subset_by: question for single examples, paragraph for whole groups, or label for examples stratified by label.
        valid_size: examples cut from the train part before subsets are drawn, served as `valid`.
        source_size: examples from the source part (joint training); None for all.
        source_subset_seed: of that draw.
        balanced: repeat the smaller of source and train part, so that joint training takes half of its windows from each.
    """

    def __init__(
        self, data: dict[str, Any], train_size: int | None = None, subset_seed: int = 0,
        subset_by: SubsetBy = "question", valid_size: int = 0,
        source_size: int | None = None, source_subset_seed: int = 0, balanced: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        train, valid = _target_part(data["train"], train_size, subset_seed, subset_by, valid_size)
        source = _source_part(data["source"], source_size, source_subset_seed)
        parts: dict[str, list[Pair]] = {
            "train": _balance(source, train) if balanced else source + train,
            "valid": valid,
        }
        for target, part, size in data["tests"]:
            chosen = part.examples if size is None else _in_order(part, int(size))
            parts[target] = to_pairs(chosen, part)
        super().__init__({name: parts.get(name, []) for name in ("train", "valid", "test")}, seed=0, shuffle=False)
        self.data.update(parts)
        self.target_examples = len(train)


def _target_part(
    part: Part | None, size: int | None, seed: int, by: SubsetBy, valid_size: int
) -> tuple[list[Pair], list[Pair]]:
    if part is None:
        return [], []
    whole = part.examples
    key = ("split", part.identity, valid_size)
    train, valid = SHARED.get(key, lambda: split_validation(whole, valid_size, TEST_SEED))
    chosen = _draw(train, size, seed, by, key)
    return to_pairs(chosen, part), to_pairs(valid, part)


def _balance(source: list[Pair], train: list[Pair]) -> list[Pair]:
    """Both parts with as many examples of each: those of the smaller one come several times."""
    count = max(len(source), len(train)) if source and train else 0
    return [*itertools.islice(itertools.cycle(source), count), *itertools.islice(itertools.cycle(train), count)]


def _source_part(part: Part | None, size: int | None, seed: int) -> list[Pair]:
    if part is None:
        return []
    return to_pairs(_draw(part.examples, size, seed, "question", ("whole", part.identity)), part)


def _draw(examples: Examples, size: int | None, seed: int, by: SubsetBy, identity: Hashable) -> Examples:
    """As `sample_questions`; the order is drawn once a process for all sizes, whose subsets are nested."""
    count = len(examples) if size is None else size
    check_size(examples, count)
    return SHARED.get(("order", identity, seed, by), lambda: tuple(permute_questions(examples, seed, by)))[:count]


def _in_order(part: Part, size: int) -> Examples:
    """A seeded random part of a test set, in the file's order."""
    ids = {e.id for e in _draw(part.examples, size, TEST_SEED, "question", ("whole", part.identity))}
    return tuple(e for e in part.examples if e.id in ids)
