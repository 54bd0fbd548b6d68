"""What the heads of all tasks share: fresh weights, and which tensors of a batch a network takes."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

NETWORK_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def network_inputs(tensors: Mapping[str, torch.Tensor], network: Any) -> dict[str, torch.Tensor]:
    """The tensors of a batch that a network takes; the others are for its head.

    What it takes follows from its own signature and configuration, since the tokenizer may be another architecture's: a
    RoBERTa with one token type may have BERT's tokenizer, which gives two.
    """
    names = NETWORK_INPUTS if _uses_types(network) else NETWORK_INPUTS[:2]
    return {name: tensors[name] for name in names if name in tensors}


def _uses_types(network: Any) -> bool:
    takes = "token_type_ids" in inspect.signature(network.forward).parameters
    return takes and int(getattr(network.config, "type_vocab_size", 2)) > 1


def is_of_head(name: str, network: Any, inner: Collection[str] = ()) -> bool:
    """Whether a module or weight belongs to the head: it is not the encoder's, or is below one of its modules `inner`."""
    parts = name.split(".")
    return parts[0] != network.base_model_prefix or bool(set(parts) & set(inner))


def reset_head(network: Any, seed: int, inner: Collection[str] = ()) -> None:
    """Draw a fresh head: normal with the model's own deviation, biases zero, norms one.

    Args:
        inner: names of the encoder's modules that count as the head's.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in _head_modules(network, inner):
        for name, parameter in module.named_parameters(recurse=False):
            _draw(name, parameter, float(getattr(network.config, "initializer_range", 0.02)), generator)


def _head_modules(network: Any, inner: Collection[str]) -> Iterator[torch.nn.Module]:
    for name, module in network.named_modules():
        if name and is_of_head(name, network, inner):
            yield module


def _draw(name: str, parameter: torch.nn.Parameter, deviation: float, generator: torch.Generator) -> None:
    with torch.no_grad():
        if parameter.ndim > 1:
            parameter.copy_(torch.empty(parameter.shape).normal_(0.0, deviation, generator=generator))
        else:
            parameter.fill_(1.0 if name == "weight" else 0.0)


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
