"""The tagging head: a label for each labelled piece, as the linear layer of transformers' token classification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xlqa.tasks.base import Head
from xlqa.tasks.heads import entropy, label_config, label_mismatch
from xlqa.tasks.tagging.alignment import IGNORED, TaggedWindows, TagLabels

Index = npt.NDArray[np.int64]


class TaggingHead(Head):
    """Finds the tag of each word."""

    auto_class = "AutoModelForTokenClassification"
    what = "tagging head"

    def config(self) -> dict[str, Any]:
        """The labels and their numbers."""
        return label_config(self.options.labels)

    def mismatch(self, network: Any) -> str | None:
        """The labels differ."""
        return label_mismatch(network, self.options.labels)

    def loss(self, output: Any, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Sum of the cross-entropies of the labelled pieces.

        Args:
            tensors: `label` (B, L).
        """
        logits = output.logits.float().flatten(0, 1)
        return torch.nn.functional.cross_entropy(
            logits, tensors["label"].flatten(), ignore_index=IGNORED, reduction="sum"
        )

    def guess_loss(self, features: TaggedWindows, labels: TagLabels) -> float:
        """Mean loss of guessing every word's tag by the tags' frequencies."""
        return entropy(labels.of_word)

    def decode(
        self, output: Any, tensors: Mapping[str, torch.Tensor], features: TaggedWindows, top: int
    ) -> tuple[torch.Tensor]:
        """(B, L) number of the most probable tag of each piece."""
        return (output.logits.float().argmax(dim=-1),)

    def predict(
        self, features: TaggedWindows, inputs: Sequence[Sequence[Any]], decoded: Sequence[tuple[Index, Any]], top: int
    ) -> list[list[str]]:
        """The tags of each sentence."""
        tags = np.full(int(features.borders[-1]), -1, dtype=np.int64)
        for batch, (best,) in decoded:
            word = features.words_of(batch, best.shape[1])
            tags[word[word >= 0]] = best[word >= 0]
        names = [self.options.labels[number] for number in tags]
        return [names[low:high] for low, high in zip(features.borders[:-1], features.borders[1:], strict=True)]
