"""LoRA (Hu et al. 2021, arXiv:2106.09685): of an encoder only low-rank changes of its linear layers are trained.

A training puts peft's layers into the network and takes them out at its end, when their product is added to the weights. So
whatever scores, saves or trains the network afterwards finds an ordinary one, and only a training needs peft.
"""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from xlqa.errors import XlqaError
from xlqa.tasks.base import HeadOptions, get_task

if TYPE_CHECKING:
    import torch

SCALING = 2
"""A change of rank r is SCALING · B · A: peft's alpha is SCALING · r."""

ADAPTER = "default"
"""peft's name of the only adapter of a network."""

LoraWeights: TypeAlias = "Mapping[str, tuple[torch.Tensor, torch.Tensor]]"
"""Layer -> A (rank, in) and B (out, rank) in host memory; B is multiplied by SCALING already."""


@dataclass(frozen=True, slots=True)
class TrainedShare:
    """What a training with LoRA changes of a network: adapted layers, weights of the changes, of the head, and all weights."""

    layers: int
    adapter: int
    head: int
    total: int

    @property
    def trained(self) -> int:
        return self.adapter + self.head


def require_peft() -> None:
    """Refuse a training with LoRA where peft is not installed.

    Raises:
        XlqaError: names the extra.
    """
    if importlib.util.find_spec("peft") is None:
        raise XlqaError("--lora: the package peft is not installed: pip install 'xlqa[lora]'.")


def lora_targets(network: Any, inner: Collection[str] = ()) -> dict[str, Any]:
    """The linear layers of an encoder's numbered layers by name: attention and feed-forward, in every architecture.

    Args:
        inner: names of the encoder's modules that count as the head's, which is trained whole.

    Raises:
        XlqaError: there are none.
    """
    from torch import nn

    from xlqa.tasks.heads import is_of_head

    found = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear)
        and not is_of_head(name, network, inner)
        and any(part.isdigit() for part in name.split("."))
    }
    if not found:
        raise XlqaError(f"--lora: {type(network).__name__} has no linear layers that could be adapted: leave it out.")
    return found


@functools.lru_cache(64)
def share_trained(folder: Path, task: str, labels: tuple[str, ...], rank: int) -> TrainedShare:
    """What a training with LoRA would change of an encoder, by its config.json alone.

    Raises:
        XlqaError: its layers cannot be adapted with this rank.
    """
    from xlqa.tasks.heads import is_of_head
    from xlqa.training.architecture import build_empty

    head = get_task(task).head(HeadOptions(labels))
    network = build_empty(folder, head)
    targets = lora_targets(network, head.inner)
    narrowest = min(min(layer.weight.shape) for layer in targets.values())
    if rank >= narrowest:
        raise XlqaError(f"--lora {rank}: the encoder's narrowest layer has {narrowest} units: choose a lower rank.")
    sizes = {name: parameter.numel() for name, parameter in network.named_parameters()}
    adapter = sum(rank * sum(layer.weight.shape) for layer in targets.values())
    of_head = sum(size for name, size in sizes.items() if is_of_head(name, network, head.inner))
    return TrainedShare(len(targets), adapter, of_head, sum(sizes.values()))


@contextmanager
def adapted(network: Any, rank: int, seed: int, inner: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """While this lasts only low-rank changes of the encoder's layers and the head are trained; with rank 0 nothing changes.

    Afterwards the changes are in the weights, and the network has its own layers again; after an error without the changes.

    Args:
        seed: of A, which is drawn in host memory: the same seed gives the same weights on every device. B starts at zero.

    Yields:
        What is learned, as `LoraWeights`; filled at the end.

    Raises:
        XlqaError: peft is not installed, or the layers cannot be adapted.
    """
    learned: dict[str, Any] = {}
    if not rank:
        yield learned
        return
    require_peft()
    targets = lora_targets(network, inner)
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    try:
        layers = _inject(network, list(targets), rank, inner)
        _draw(layers, seed)
        yield learned
        learned |= {name: _weights(layer) for name, layer in layers.items()}
    finally:
        for name, module in targets.items():
            parent, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent), child, module)
        network.__dict__.pop("peft_config", None)
        for parameter in trainable:
            parameter.requires_grad_(True)
    merge(network, learned)


def _inject(network: Any, targets: list[str], rank: int, inner: Collection[str]) -> dict[str, Any]:
    """Put peft's layers in the place of the linear ones, and freeze all but them and the head."""
    from peft import LoraConfig, inject_adapter_in_model
    from peft.tuners.lora import LoraLayer

    from xlqa.tasks.heads import is_of_head

    config = LoraConfig(r=rank, lora_alpha=SCALING * rank, target_modules=targets, lora_dropout=0.0, bias="none")
    inject_adapter_in_model(config, network, ADAPTER)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(".lora_" in name or is_of_head(name, network, inner))
    layers = {name: network.get_submodule(name) for name in targets}
    if foreign := [name for name, layer in layers.items() if not isinstance(layer, LoraLayer)]:
        raise XlqaError(
            f"--lora: the installed peft does not adapt the layer {foreign[0]}: install the pinned version."
        )
    for layer in layers.values():
        # Autocast chooses the precision; peft would first make a float32 copy of each input.
        layer.cast_input_dtype_enabled = False
    return layers


def _draw(layers: Mapping[str, Any], seed: int) -> None:
    """A uniform as in a fresh linear layer, B zero: the network computes what it did before."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in layers.values():
            lora_a, lora_b = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
            bound = 1 / math.sqrt(lora_a.shape[1])
            lora_a.copy_(torch.empty(lora_a.shape).uniform_(-bound, bound, generator=generator))
            lora_b.zero_()


def _weights(layer: Any) -> tuple[torch.Tensor, torch.Tensor]:
    lora_a, lora_b = (part[ADAPTER].weight.detach().cpu() for part in (layer.lora_A, layer.lora_B))
    return lora_a.clone(), lora_b * SCALING


def merge(network: Any, learned: LoraWeights) -> None:
    """Add what a training learned to the weights of a network, with the same bits on every device."""
    import torch

    with torch.no_grad():
        for name, (lora_a, lora_b) in learned.items():
            weight = network.get_submodule(name).weight
            weight.add_((lora_b @ lora_a).to(weight.device))
