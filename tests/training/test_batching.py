"""Batches: every window once a pass, like lengths together, and tensors that say what is padding."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from xlqa.components.preprocessor import load_tokenizer
from xlqa.tasks.qa.windows import WindowShape, make_windows
from xlqa.training.batching import BatchLayout, collate, split_batch, token_batches, training_batches

LENGTHS = st.lists(st.integers(5, 384), min_size=1, max_size=300).map(np.array)


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(1, 17), st.integers(0, 9))
def test_every_window_comes_once_a_pass(lengths: np.ndarray, size: int, seed: int) -> None:
    batches = list(islice(training_batches(lengths, size, seed), 3 * len(lengths)))
    assert {len(batch) for batch in batches} == {size}
    flat = np.concatenate(batches)
    counts = np.bincount(flat, minlength=len(lengths))
    assert counts.max() - counts.min() <= 2
    assert counts.min() >= 1


def test_same_seed_same_batches() -> None:
    lengths = np.random.default_rng(0).integers(5, 300, 500)
    first, second = (list(islice(training_batches(lengths, 16, 3), 70)) for _ in range(2))
    other = list(islice(training_batches(lengths, 16, 4), 70))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_like_lengths_stand_together() -> None:
    lengths = np.random.default_rng(0).integers(20, 384, 4000)
    batches = list(islice(training_batches(lengths, 16, 0), 240))
    padded = sum(16 * int(lengths[b].max()) for b in batches)
    real = sum(int(lengths[b].sum()) for b in batches)
    assert 1 - real / padded < 0.05


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(32, 4096))
def test_token_batches_hold_the_budget_and_lose_nothing(lengths: np.ndarray, budget: int) -> None:
    batches = token_batches(lengths, budget)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for batch in batches:
        width = -(-int(lengths[batch].max()) // 8) * 8
        assert len(batch) == 1 or len(batch) * width <= budget


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(32, 4096))
def test_widths_are_few_and_never_beyond_the_longest_window(lengths: np.ndarray, budget: int) -> None:
    layout = BatchLayout(multiple=32, longest=int(lengths.max()))
    batches = token_batches(lengths, budget, layout)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    most = -(-int(lengths.max()) // 8) * 8
    for batch in batches:
        longest, width = int(lengths[batch].max()), layout.width(int(lengths[batch].max()))
        assert longest <= width <= most
        assert width % 32 == 0 or width == most
        assert len(batch) == 1 or len(batch) * width <= budget


def test_micro_batches_are_the_batch() -> None:
    lengths = np.array([10, 300, 50, 200, 80])
    batch = np.array([4, 1, 0, 3])
    parts = split_batch(batch, lengths, 320)
    assert sorted(np.concatenate(parts).tolist()) == [0, 1, 3, 4]
    assert len(parts) > 1


def test_collated_tensors_mark_what_is_scored(encoder: Path) -> None:
    windows = make_windows(
        load_tokenizer(encoder), ["mara vive en la town", "río"], ["who", "where"], WindowShape(64, 8)
    )
    tensors = collate(windows, np.array([0, 1]))
    assert tensors["input_ids"].shape == (2, 16)
    assert tensors["attention_mask"].sum(1).tolist() == windows.lengths.tolist()
    assert tensors["scored"].sum(1).tolist() == (1 + windows.context_to - windows.context_from).tolist()
    assert tensors["scored"][:, 0].all()
    types = tensors["token_type_ids"]
    assert types[0, : windows.context_from[0]].sum() == 0
    assert types[0, windows.context_from[0]] == 1
