"""Checkpoints: everything that a training needs to resume as if it had never stopped, in one file, written atomically.

On a CPU a training that resumes from its checkpoint ends with the same weights as one without interruption.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from xlqa.util.files import replacement

log = getLogger(__name__)

VERSION = 1
RECORD, DIGEST = "record", "sha256"
Tensors = dict[str, torch.Tensor]


@dataclass
class Checkpoints:
    """The checkpoint of one training.

    Attributes:
        path: the file, or None for no checkpoints.
        minutes: wall time between two of them; 0 for none.
        training: identifies the training; a checkpoint of another one is not read.
    """

    path: Path | None
    minutes: float
    training: str
    last: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        """Whether it is time for the next one."""
        return self.path is not None and self.minutes > 0 and time.monotonic() - self.last >= 60 * self.minutes

    def write(self, tensors: Tensors, record: Mapping[str, Any]) -> None:
        """Replace the checkpoint; where the disk refuses, the earlier one stays and the training continues."""
        assert self.path is not None
        text = json.dumps({**record, "training": self.training, "version": VERSION}, sort_keys=True)
        try:
            with replacement(self.path) as temporary:
                save_file(tensors, str(temporary), metadata={RECORD: text, DIGEST: _digest(tensors, text)})
        except (OSError, SafetensorError) as error:
            log.warning("no checkpoint was written (%s): the training continues without.", error)
        self.last = time.monotonic()

    def read(self) -> tuple[Tensors, dict[str, Any]] | None:
        """Tensors and record of the checkpoint; None where there is none, or it is broken or another training's."""
        if self.path is None or not self.path.is_file():
            return None
        try:
            with safe_open(str(self.path), framework="pt") as file:
                metadata = file.metadata() or {}
                names = list(file.keys())
                tensors = {name: file.get_tensor(name) for name in names}
            text = metadata[RECORD]
            record = json.loads(text)
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            log.warning("%s is broken (%s): the training starts from its beginning.", self.path, error)
            return None
        if metadata.get(DIGEST) != _digest(tensors, text):
            log.warning("%s does not agree with its checksum: the training starts from its beginning.", self.path)
            return None
        if record.get("version") != VERSION or record.get("training") != self.training:
            log.warning("%s is of another training: this one starts from its beginning.", self.path)
            return None
        return tensors, record


def _digest(tensors: Tensors, text: str) -> str:
    """SHA-256 over a record and tensors in the order of their names."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def training_state(network: Any, optimizer: torch.optim.Optimizer, device: str) -> Tensors:
    """Copies in host memory of the weights that are trained, the optimizer's state and the random generators."""
    tensors = {f"weight.{name}": p.detach() for name, p in network.named_parameters() if p.requires_grad}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    tensors |= get_random_state(device)
    return {name: tensor.to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}


def restore_state(tensors: Tensors, network: Any, optimizer: torch.optim.Optimizer, device: str) -> None:
    """Put what `training_state` gave back in place."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(tensors[f"weight.{name}"])
    state: dict[int, Tensors] = {}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "optimizer":
            index, _, part = rest.partition(".")
            state.setdefault(int(index), {})[part] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    set_random_state(tensors, device)


def get_random_state(device: str) -> Tensors:
    """The states of the generators that a training on a device draws from."""
    states = {"random.cpu": torch.get_rng_state()}
    return states | ({"random.cuda": torch.cuda.get_rng_state(device)} if device.startswith("cuda") else {})


def set_random_state(tensors: Tensors, device: str) -> None:
    """Put what `get_random_state` gave back in place."""
    torch.set_rng_state(tensors["random.cpu"])
    if device.startswith("cuda"):
        torch.cuda.set_rng_state(tensors["random.cuda"], device)
