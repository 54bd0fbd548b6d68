"""The layers of an encoder: which of them a training leaves as they are, and which start from fresh weights.

Frozen layers need no gradient, so a training with them is faster (Wu and Dredze 2019 freeze the lowest layers of multilingual
BERT; Zhang et al. 2021 draw the highest ones again).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from xlqa.errors import XlqaError

EMBEDDINGS = ("embeddings", "embeddings_project")
"""The modules of an encoder below its first layer, by the names of transformers."""


def encoder_layers(network: Any, setting: str) -> list[nn.Module]:
    """The layers of a network's encoder, lowest first.

    Args:
        setting: the flag that asks for them, for the message.

    Raises:
        XlqaError: the encoder has no list of layers, or one that its passes share.
    """
    count = int(getattr(network.config, "num_hidden_layers", 0))
    for module in _encoder(network).modules():
        if isinstance(module, nn.ModuleList) and len(module) == count > 0:
            return list(module)
    raise XlqaError(f"{setting}: {type(network).__name__} has no {count} layers of its own: leave the flag out.")


def _encoder(network: Any) -> nn.Module:
    encoder: nn.Module = getattr(network, network.base_model_prefix)
    return encoder


@contextmanager
def frozen(network: Any, lowest: int | None) -> Iterator[None]:
    """While this lasts the embeddings and the `lowest` layers have no gradient; None for none, 0 for the embeddings alone.

    Raises:
        XlqaError: the encoder has fewer layers, or its parts cannot be told apart.
    """
    if lowest is None:
        yield
        return
    encoder = _encoder(network)
    modules = [module for name in EMBEDDINGS if isinstance(module := getattr(encoder, name, None), nn.Module)]
    if not modules:
        raise XlqaError(f"--freeze: the embeddings of {type(network).__name__} are not known: leave the flag out.")
    modules += _lowest(encoder_layers(network, "--freeze"), lowest) if lowest else []
    parameters = [parameter for module in modules for parameter in module.parameters() if parameter.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


def _lowest(layers: list[nn.Module], count: int) -> list[nn.Module]:
    if count > len(layers):
        raise XlqaError(f"--freeze {count}: the encoder has {len(layers)} layers.")
    return layers[:count]


def reinitialize_top(network: Any, count: int, seed: int) -> None:
    """Draw the weights of the highest `count` layers again: normal with the model's own deviation, biases 0, norms 1.

    The draw is made in host memory: the same seed gives the same weights on every device.

    Raises:
        XlqaError: the encoder has fewer layers.
    """
    if not count:
        return
    layers = encoder_layers(network, "--reinit-top")
    if count > len(layers):
        raise XlqaError(f"--reinit-top {count}: the encoder has {len(layers)} layers.")
    deviation = float(getattr(network.config, "initializer_range", 0.02))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in layers[-count:]:
            for name, parameter in layer.named_parameters():
                if parameter.ndim > 1:
                    parameter.copy_(torch.empty(parameter.shape).normal_(0.0, deviation, generator=generator))
                else:
                    parameter.fill_(0.0 if name.endswith("bias") else 1.0)
