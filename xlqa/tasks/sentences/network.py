"""The classification head: one logit a label, from the first piece, as transformers' sequence classification has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xlqa.tasks.base import Head
from xlqa.tasks.heads import entropy, label_config, label_mismatch
from xlqa.tasks.sentences.features import ClassLabels, TextWindows

Index = npt.NDArray[np.int64]


class ClassificationHead(Head):
    """Finds the label of each text.

    A pooler counts as part of the head, also where an encoder has one of its own: pre-training used it for another task.
    """

    auto_class = "AutoModelForSequenceClassification"
    inner = ("pooler",)
    what = "classification head"

    def config(self) -> dict[str, Any]:
        """The labels and their numbers."""
        return {**label_config(self.options.labels), "problem_type": "single_label_classification"}

    def mismatch(self, network: Any) -> str | None:
        """The labels differ."""
        return label_mismatch(network, self.options.labels)

    def loss(self, output: Any, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Sum of the cross-entropies of a batch.

        Args:
            tensors: `label` (B,).
        """
        return torch.nn.functional.cross_entropy(output.logits.float(), tensors["label"], reduction="sum")

    def guess_loss(self, features: TextWindows, labels: ClassLabels) -> float:
        """Mean loss of guessing every label by the labels' frequencies."""
        return entropy(labels.of_example)

    def decode(
        self, output: Any, tensors: Mapping[str, torch.Tensor], features: TextWindows, top: int
    ) -> tuple[torch.Tensor]:
        """(B, C) probabilities of the labels."""
        return (torch.softmax(output.logits.float(), dim=-1),)

    def predict(
        self, features: TextWindows, inputs: Sequence[Sequence[Any]], decoded: Sequence[tuple[Index, Any]], top: int
    ) -> list[list[tuple[str, float]]]:
        """The `top` most probable labels of each example with their probabilities, best first."""
        labels = self.options.labels
        table = np.zeros((len(features), len(labels)), dtype=np.float32)
        for batch, (probabilities,) in decoded:
            table[batch] = probabilities
        order = np.argsort(-table, axis=1, kind="stable")[:, :top]
        return [[(labels[i], float(row[i])) for i in best] for row, best in zip(table, order, strict=True)]
