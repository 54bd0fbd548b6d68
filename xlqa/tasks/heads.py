"""What the heads of all tasks share: fresh weights, and which tensors of a batch a network takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
