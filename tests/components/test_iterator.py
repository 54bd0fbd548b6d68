"""The iterator: which examples a run trains on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from xlqa.components.iterator import SubsetIterator
from xlqa.components.reader import TaskReader

SAMPLE = Path(__file__).parents[2] / "xlqa" / "data" / "sample"


def read(**labels: str) -> dict[str, Any]:
    source = {"name": "en", "path": str(SAMPLE / "en.train.json"), "language": "en"} | labels
    target = {"name": "es", "path": str(SAMPLE / "es.train.json"), "language": "es"}
    return TaskReader().read(target, source)


def ids(pairs: list[Any]) -> Counter[str]:
    return Counter(id for _, (id, _) in pairs)


def test_balanced_joint_training_sees_as_many_examples_of_each_side() -> None:
    plain = SubsetIterator(read(), train_size=7, source_size=30)
    balanced = SubsetIterator(read(), train_size=7, source_size=30, balanced=True)
    assert len(plain.data["train"]) == 37
    assert len(balanced.data["train"]) == 60
    # Both see the same questions; the seven of the target come four or five times.
    assert set(ids(plain.data["train"])) == set(ids(balanced.data["train"]))
    assert sorted(ids(balanced.data["train"]).values()) == [1] * 30 + [4] * 5 + [5] * 2
    assert plain.target_examples == balanced.target_examples == 7


def test_balancing_repeats_the_source_where_that_is_smaller() -> None:
    balanced = SubsetIterator(read(), train_size=20, source_size=8, balanced=True)
    assert sorted(ids(balanced.data["train"]).values()) == [1] * 20 + [2] * 4 + [3] * 4


def test_shuffled_labels_change_the_source_alone() -> None:
    plain, shuffled = (SubsetIterator(data, train_size=5, source_size=40) for data in (read(), read(labels="shuffled")))
    before, after = ({id: (x, gold.example.answers) for x, (id, gold) in it.data["train"]} for it in (plain, shuffled))
    assert before.keys() == after.keys()
    assert all(before[id][0] == after[id][0] for id in before)
    changed = {id for id in before if before[id][1] != after[id][1]}
    target = set(ids(SubsetIterator(read(), train_size=5, source_size=0).data["train"]))
    assert len(changed) > 30
    assert not changed & target
