"""What the heads of all tasks share: fresh weights, and which tensors of a batch a network takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

NETWORK_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def network_inputs(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of a batch that a network takes; the others are for its head."""
    return {name: tensors[name] for name in NETWORK_INPUTS if name in tensors}


def draw_linear(layer: Any, config: Any, generator: torch.Generator) -> None:
    """Draw a linear layer's weights: normal with the model's own deviation, biases zero."""
    deviation = float(getattr(config, "initializer_range", 0.02))
    with torch.no_grad():
        weight = torch.empty(layer.weight.shape).normal_(0.0, deviation, generator=generator)
        layer.weight.copy_(weight)
        layer.bias.zero_()


def label_config(labels: Sequence[str]) -> dict[str, Any]:
    """The fields of a network's configuration that name the labels of a classification."""
    numbered = dict(enumerate(labels))
    return {"num_labels": len(labels), "id2label": numbered, "label2id": {label: i for i, label in numbered.items()}}


def label_mismatch(network: Any, labels: Sequence[str]) -> str | None:
    """How a network's labels differ from those of a run, in a few words, or None."""
    known = [network.config.id2label[i] for i in range(network.config.num_labels)]
    return None if known == list(labels) else f"its labels are {', '.join(known)}, this run's {', '.join(labels)}"


def entropy(labels: npt.NDArray[np.int32]) -> float:
    """Entropy of some labels' frequencies, in nats: the loss of a guess that knows the frequencies alone."""
    share = np.unique(labels, return_counts=True)[1] / max(1, len(labels))
    return float(-(share * np.log(share)).sum())
