"""What a training with LoRA keeps: a folder with the low-rank changes and the head, for an encoder that stays where it is.

`adapter_model.safetensors` and `adapter_config.json` are as peft writes them, so peft reads them too. The changes of several
stages are side by side in one adapter, whose rank is the sum of theirs; the safetensors' metadata has the parts, and names the
weights that the adapter belongs to by name and SHA-256.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from xlqa.errors import XlqaError
from xlqa.tasks.heads import is_of_head
from xlqa.training.lora import LoraWeights, lora_targets, merge
from xlqa.training.model_folder import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from xlqa.util.files import load_json, write_json

Tensors: TypeAlias = dict[str, torch.Tensor]

PREFIX = "base_model.model."
"""What peft puts before the names of a network's modules."""
FIRST, SECOND = ".lora_A.weight", ".lora_B.weight"
RECORD = "xlqa"
MOST_STAGES = 2
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}")
SHA256 = re.compile(r"[0-9a-f]{64}")
MODULE = re.compile(r"[A-Za-z0-9_]{1,100}(\.[A-Za-z0-9_]{1,100}){0,20}")


@dataclass(frozen=True, slots=True)
class Adapter:
    """What a network has beyond the weights that its folder refers to.

    Attributes:
        base: whose weights these are: the encoder's, or those of a source stage whose weights were all trained.
        name: of the base's folder; sha256: of the encoder, or of the source stage's weights.
        stages: what each training learned, in their order.
        head: the head's weights by name.
    """

    base: Literal["encoder", "source"]
    name: str
    sha256: str
    stages: tuple[LoraWeights, ...] = ()
    head: Mapping[str, torch.Tensor] = field(default_factory=dict)

    @property
    def ranks(self) -> list[int]:
        """The rank of each stage."""
        return [len(next(iter(stage.values()))[0]) for stage in self.stages]

    def apply(self, network: Any, inner: Collection[str], where: Path) -> None:
        """Add the changes to a network with the base's weights, and give it the head.

        Raises:
            XlqaError: the adapter is of another architecture or task.
        """
        targets = lora_targets(network, inner)
        shapes = {name: tuple(module.weight.shape) for name, module in targets.items()}
        found = {name: (len(second), first.shape[1]) for name, (first, second) in self.stages[0].items()}
        head = {name: weight for name, weight in network.named_parameters() if is_of_head(name, network, inner)}
        if found != shapes or {k: v.shape for k, v in head.items()} != {k: v.shape for k, v in self.head.items()}:
            raise XlqaError(f"{where}: the adapter is of another architecture or task than {self.name}.")
        for stage in self.stages:
            merge(network, stage)
        with torch.no_grad():
            for name, weight in self.head.items():
                head[name].copy_(weight)


def write_adapter(folder: Path, adapter: Adapter) -> None:
    """Write an adapter into a folder that is there."""
    tensors: Tensors = {PREFIX + name: weight.detach().to("cpu").contiguous() for name, weight in adapter.head.items()}
    for name in adapter.stages[0]:
        pairs = [stage[name] for stage in adapter.stages]
        tensors[PREFIX + name + FIRST] = torch.cat([first for first, _ in pairs]).contiguous()
        tensors[PREFIX + name + SECOND] = torch.cat([second for _, second in pairs], dim=1).contiguous()
    record = {"base": adapter.base, "name": adapter.name, "sha256": adapter.sha256, "ranks": adapter.ranks}
    save_file(tensors, str(folder / ADAPTER_WEIGHTS), metadata={"format": "pt", RECORD: json.dumps(record)})
    write_json(folder / ADAPTER_CONFIG, _peft_config(adapter), durable=False)


def _peft_config(adapter: Adapter) -> dict[str, Any]:
    """The adapter_config.json of an adapter; B holds the scale already, so alpha is the rank."""
    rank = sum(adapter.ranks)
    return {
        "base_model_name_or_path": adapter.name, "bias": "none", "fan_in_fan_out": False, "inference_mode": True,
        "lora_alpha": rank, "lora_dropout": 0.0, "peft_type": "LORA", "r": rank, "target_modules": sorted(adapter.stages[0]),
        "modules_to_save": sorted({name.rpartition(".")[0] for name in adapter.head}), "task_type": None,
    }  # fmt: skip


def read_adapter(folder: Path) -> Adapter:
    """The adapter in a folder. Nothing in it names code or a file; whatever is not as xlqa writes it is refused.

    Raises:
        XlqaError: a file is missing, broken, or has anything else in it.
    """
    path = folder / ADAPTER_WEIGHTS
    try:
        with safe_open(str(path), framework="pt") as file:
            record = json.loads((file.metadata() or {})[RECORD])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is not a mapping
    except (OSError, SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise XlqaError(f"{path} is not an adapter that xlqa wrote, or it is damaged: train it again.") from error
    adapter = _take_adapter(record, tensors, path)
    if load_json(folder / ADAPTER_CONFIG) != _peft_config(adapter):
        raise XlqaError(f"{folder / ADAPTER_CONFIG} does not agree with {ADAPTER_WEIGHTS}: it was damaged or edited.")
    return adapter


def _take_adapter(record: Any, tensors: Tensors, path: Path) -> Adapter:
    """An adapter from its metadata and tensors, if both are as `write_adapter` leaves them."""
    ranks = record.get("ranks") if isinstance(record, dict) else None
    if (
        not isinstance(record, dict)
        or set(record) != {"base", "name", "sha256", "ranks"}
        or record["base"] not in ("encoder", "source")
        or not all(isinstance(record[key], str) for key in ("base", "name", "sha256"))
        or not NAME.fullmatch(record["name"])
        or not SHA256.fullmatch(record["sha256"])
        or not isinstance(ranks, list)
        or not 1 <= len(ranks) <= MOST_STAGES
        or not all(type(rank) is int and rank > 0 for rank in ranks)
    ):
        raise XlqaError(f"{path}: its metadata is not as xlqa writes it: train it again.")
    head: Tensors = {}
    pairs: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        module, kind = _split(name)
        if not MODULE.fullmatch(module) or not name.startswith(PREFIX) or tensor.dtype != torch.float32:
            raise XlqaError(f"{path} has a tensor that no adapter has: train it again.")
        if kind:
            pairs.setdefault(module, {})[kind] = tensor
        else:
            head[module] = tensor
    if not pairs or not all(_fits(pair, sum(ranks)) for pair in pairs.values()):
        raise XlqaError(f"{path}: its tensors do not have the rank {sum(ranks)}: train it again.")
    split = {
        name: zip(torch.split(pair[FIRST], ranks), torch.split(pair[SECOND], ranks, dim=1), strict=True)
        for name, pair in pairs.items()
    }
    parts = {name: list(stages) for name, stages in split.items()}
    stages = tuple({name: parts[name][i] for name in parts} for i in range(len(ranks)))
    return Adapter(record["base"], record["name"], record["sha256"], stages, head)


def _split(name: str) -> tuple[str, str]:
    """The module of a change and which of its factors a tensor is; of a head's weight its own name and ""."""
    bare = name.removeprefix(PREFIX)
    kind = next((kind for kind in (FIRST, SECOND) if bare.endswith(kind)), "")
    return bare.removesuffix(kind), kind


def _fits(pair: Mapping[str, torch.Tensor], rank: int) -> bool:
    """Whether both factors are there, with one rank."""
    if set(pair) != {FIRST, SECOND} or any(tensor.ndim != 2 for tensor in pair.values()):
        return False
    return bool(pair[FIRST].shape[0] == rank == pair[SECOND].shape[1])
