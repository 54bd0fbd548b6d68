"""Batches of windows of like length: which windows are in one, and how they become padded tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xlqa.tasks.base import Features
from xlqa.training.context import SHARED

POOL = 64
"""Batches that are drawn together: windows are sorted by length within a pool, so that batches stay random over the data."""

MULTIPLE = 8
"""Lengths are padded to a multiple of this, which suits matrix units."""

GPU_MULTIPLE = 32
"""On a GPU fewer different shapes matter more than padding: each one is set up again."""

BROADCAST_MASKS = frozenset(("bert", "roberta", "xlm-roberta", "camembert", "electra", "albert", "distilbert"))
"""Architectures in which each layer attends to all pieces, so that a mask may come ready for all layers."""

IndexArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BatchLayout:
    """How the tensors of a batch are laid out for a device. Losses and predictions do not depend on it.

    Attributes:
        multiple: lengths are padded to a multiple of this.
        longest: pieces of the longest of all windows, which no batch is padded beyond; 0 where that is not known.
        mask_dims: 2 for a mask (B, L); 3 for (B, 1, L); 4 for a boolean (B, 1, 1, L), left out where nothing is padded.
        pin: whether tensors are in page-locked memory, from which a GPU copies without waiting.
    """

    multiple: int = MULTIPLE
    longest: int = 0
    mask_dims: int = 2
    pin: bool = False

    def width(self, length: int) -> int:
        """Pieces that a batch with a longest window of `length` is padded to."""
        width = _round_up(length, self.multiple)
        return min(width, _round_up(max(self.longest, length), MULTIPLE)) if self.longest else width


PLAIN = BatchLayout()


def layout_for(network: Any, device: str, lengths: IndexArray) -> BatchLayout:
    """The layout of batches for a network on its device.

    Args:
        lengths: (W,) pieces of all windows.
    """
    if not device.startswith("cuda"):
        return PLAIN
    dims = SHARED.get(("mask", type(network)), lambda: find_mask_dims(network, device))
    return BatchLayout(GPU_MULTIPLE, int(lengths.max(initial=0)), dims, pin=True)


@torch.inference_mode()
def find_mask_dims(network: Any, device: str) -> int:
    """The dimensions of the attention mask that a network takes without asking the device what is in it.

    transformers tests whether a mask (B, L) has zeros, and so waits for the device in every pass. How to avoid that depends
    on its version: 5.x takes a ready mask (B, 1, 1, L) and none at all, 4.57 a mask (B, 1, L). Two windows are computed to
    find what this one takes.
    """
    if getattr(network.config, "model_type", "") not in BROADCAST_MASKS:
        return 2
    rows = len(network.get_input_embeddings().weight)
    training, ids = network.training, torch.arange(16, device=device).view(2, 8) % rows
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    network.eval()
    try:
        plain, wanted = (network(input_ids=ids, attention_mask=m)[0] for m in (torch.ones_like(mask), mask))
        for dims in (4, 3):
            try:
                found = network(input_ids=ids, attention_mask=_mask(mask, dims))[0]
            except (ValueError, IndexError, RuntimeError):
                continue
            if float((found - wanted).abs().max()) < 0.01 * float((plain - wanted).abs().max()):
                return dims
    finally:
        network.train(training)
    return 2


def _mask(present: torch.Tensor, dims: int) -> torch.Tensor:
    if dims == 4:
        return present[:, None, None, :].bool()
    return present[:, None, :] if dims == 3 else present


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


def token_batches(lengths: IndexArray, most_tokens: int, layout: BatchLayout = PLAIN) -> list[IndexArray]:
    """All windows in batches of at most `most_tokens` padded pieces, longest first; a longer window is a batch of its own."""
    order = np.argsort(-lengths, kind="stable").astype(np.int64)
    batches, at = [], 0
    while at < len(order):
        width = layout.width(int(lengths[order[at]]))
        size = max(1, most_tokens // width)
        batches.append(order[at : at + size])
        at += size
    return batches


def split_batch(
    batch: IndexArray, lengths: IndexArray, most_tokens: int, layout: BatchLayout = PLAIN
) -> list[IndexArray]:
    """A batch in micro-batches of at most `most_tokens` padded pieces each."""
    return [batch[part] for part in token_batches(lengths[batch], most_tokens, layout)]


def _round_up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def collate(features: Features, batch: IndexArray, layout: BatchLayout = PLAIN) -> dict[str, torch.Tensor]:
    """Padded tensors of a batch of B windows, L pieces wide.

    Returns:
        input_ids, (B, L) int64; attention_mask, as the layout has it; and what the features' own `masks` give, (B, L) each.
    """
    starts, lengths = features.starts[batch], features.lengths[batch]
    columns = np.arange(layout.width(int(lengths.max())))[None, :]
    present = columns < lengths[:, None]
    ids = np.full(present.shape, features.template.pad, dtype=np.int64)
    ids[present] = features.ids[(starts[:, None] + columns)[present]]
    arrays = {"input_ids": ids, "attention_mask": present.astype(np.int64)}
    tensors = to_tensors(arrays | features.masks(batch, columns, present))
    if layout.mask_dims == 4 and present.all():
        del tensors["attention_mask"]
    else:
        tensors["attention_mask"] = _mask(tensors["attention_mask"], layout.mask_dims)
    return tensors


def to_device(tensors: Mapping[str, torch.Tensor], device: str, layout: BatchLayout) -> dict[str, torch.Tensor]:
    """The tensors on a device; a GPU copies them while the host continues."""
    pinned = {name: tensor.pin_memory() for name, tensor in tensors.items()} if layout.pin else tensors
    return {name: tensor.to(device, non_blocking=True) for name, tensor in pinned.items()}


def to_tensors(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, torch.Tensor]:
    """Arrays as tensors that share their memory."""
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
