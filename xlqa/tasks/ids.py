"""Unique ids for the examples of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

E = TypeVar("E", bound=Any)

REPEATED_ID = "id used twice"


def unique_ids(examples: Sequence[E], repairs: Counter[str]) -> tuple[E, ...]:
    """The examples, with `~` and a number after an id that an earlier one has: the first that no other example has."""
    taken = {example.id for example in examples}
    if len(taken) == len(examples):
        return tuple(examples)
    seen: Counter[str] = Counter()
    found: list[E] = []
    for example in examples:
        given = example.id
        seen[given] += 1
        if seen[given] > 1:
            repairs[REPEATED_ID] += 1
            while (other := f"{given}~{seen[given]}") in taken:
                seen[given] += 1
            taken.add(other)
            example = replace(example, id=other)
        found.append(example)
    return tuple(found)
