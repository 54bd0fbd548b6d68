"""Batches of windows of like length: which windows are in one, and how they become padded tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xlqa.tasks.base import Features

POOL = 64
"""Batches that are drawn together: windows are sorted by length within a pool, so that batches stay random over the data."""

MULTIPLE = 8
"""Lengths are padded to a multiple of this, which suits matrix units."""

IndexArray = npt.NDArray[np.int64]


def training_batches(lengths: IndexArray, batch_size: int, seed: int) -> Iterator[IndexArray]:
    """An endless stream of batches: (batch_size,) window numbers of like length, every window once per pass.

    Args:
        lengths: (W,) pieces of each window.
        batch_size: windows a batch; with fewer windows than that, a batch takes some twice.
        seed: of the order. The same seed gives the same batches on every machine.

    A pass that does not fill its last batch fills it with the next pass's first windows, so that all batches are equal
    in size and no window is seen twice before all were seen once.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    pool_size = POOL * batch_size
    waiting = np.zeros(0, dtype=np.int64)
    while True:
        order = generator.permutation(len(lengths)).astype(np.int64)
        waiting = np.concatenate([waiting, order])
        full = len(waiting) // batch_size * batch_size
        for start in range(0, full, pool_size):
            pool = waiting[start : min(start + pool_size, full)]
            pool = pool[np.argsort(lengths[pool], kind="stable")]
            batches = pool.reshape(-1, batch_size)
            for index in generator.permutation(len(batches)):
                yield batches[index]
        waiting = waiting[full:]


def token_batches(lengths: IndexArray, most_tokens: int) -> list[IndexArray]:
    """All windows in batches of at most `most_tokens` padded pieces, longest first; a longer window is a batch of its own."""
    order = np.argsort(-lengths, kind="stable").astype(np.int64)
    batches, at = [], 0
    while at < len(order):
        width = _round_up(int(lengths[order[at]]))
        size = max(1, most_tokens // width)
        batches.append(order[at : at + size])
        at += size
    return batches


def split_batch(batch: IndexArray, lengths: IndexArray, most_tokens: int) -> list[IndexArray]:
    """A batch in micro-batches of at most `most_tokens` padded pieces each."""
    return [batch[part] for part in token_batches(lengths[batch], most_tokens)]


def _round_up(length: int) -> int:
    return -(-length // MULTIPLE) * MULTIPLE


def collate(features: Features, batch: IndexArray, *, pin: bool = False) -> dict[str, torch.Tensor]:
    """Padded tensors of a batch of B windows, L pieces wide.

    Returns:
        input_ids, attention_mask: (B, L) int64; and what the features' own `masks` give, (B, L) each.
    """
    starts, lengths = features.starts[batch], features.lengths[batch]
    columns = np.arange(_round_up(int(lengths.max())))[None, :]
    present = columns < lengths[:, None]
    ids = np.full(present.shape, features.template.pad, dtype=np.int64)
    ids[present] = features.ids[(starts[:, None] + columns)[present]]
    arrays = {"input_ids": ids, "attention_mask": present.astype(np.int64)}
    return to_tensors(arrays | features.masks(batch, columns, present), pin=pin)


def to_tensors(arrays: Mapping[str, npt.NDArray[Any]], *, pin: bool = False) -> dict[str, torch.Tensor]:
    """Arrays as tensors, in pinned memory where they are copied to a GPU."""
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return {name: tensor.pin_memory() for name, tensor in tensors.items()} if pin else tensors
