"""Scores of classification, and texts as pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from xlqa.components.preprocessor import load_tokenizer
from xlqa.errors import XlqaError
from xlqa.tasks.base import get_task
from xlqa.tasks.sentences.features import label_texts, make_text_windows
from xlqa.tasks.sentences.reading import LabelledText
from xlqa.training.batching import collate


def examples(labels: list[str]) -> list[LabelledText]:
    return [LabelledText(str(i), f"text {i}", "", label, str(i)) for i, label in enumerate(labels)]


LABELS = st.sampled_from(["sports", "travel", "health"])


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_accuracy_and_macro_f1_equal_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    golds, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    found = get_task("topic").score(examples(golds), predicted, "accuracy")
    assert found.percent("accuracy") == pytest.approx(100 * accuracy_score(golds, predicted))
    assert found.percent("macro_f1") == pytest.approx(100 * f1_score(golds, predicted, average="macro"))
    for label in sorted(set(golds)):
        theirs = f1_score(golds, predicted, labels=[label], average=None, zero_division=0)[0]
        assert found.percent(f"f1:{label}") == pytest.approx(100 * theirs)


def test_a_part_of_the_examples_is_scored_alone() -> None:
    found = get_task("topic").score(examples(["a", "b", "b"]), ["a", "a", "b"], "accuracy")
    assert found.take(np.array([True, False, True])).percents(("accuracy", "macro_f1")) == {
        "accuracy": 100.0,
        "macro_f1": 100.0,
    }


def test_pairs_become_the_tokenizers_own_template(encoder: Path) -> None:
    tokenizer = load_tokenizer(encoder)
    windows = make_text_windows(tokenizer, [["mara lives", "a"], ["in the river", "b"]], 32)
    theirs = tokenizer(["mara lives", "a"], ["in the river", "b"])
    for i in range(2):
        part = slice(windows.starts[i], windows.starts[i + 1])
        assert windows.ids[part].tolist() == theirs["input_ids"][i]
        assert windows.types[part].tolist() == theirs["token_type_ids"][i]
    batch = collate(windows, np.array([1, 0]))
    assert batch["token_type_ids"].sum() == sum(map(sum, theirs["token_type_ids"]))
    assert windows.cut == 0


def test_long_texts_are_cut_and_counted(encoder: Path) -> None:
    tokenizer = load_tokenizer(encoder)
    windows = make_text_windows(tokenizer, [["mara " * 50, "mara"]], 12)
    assert windows.lengths.tolist() == [12, 3]
    assert windows.cut == 1
    assert len(tokenizer.backend_tokenizer.encode("mara " * 50).ids) > 12, "the tokenizer cuts nothing afterwards"


def test_a_label_outside_the_run_is_named() -> None:
    with pytest.raises(XlqaError, match=r"the label 'travel' is not among the labels of this run \(sports\)"):
        label_texts(["travel"], ["sports"])
