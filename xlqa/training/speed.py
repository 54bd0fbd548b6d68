"""How fast a device trains and scores an encoder, measured on a few steps of a part of it.

An encoder is a stack of equal layers. Networks of one and of three of them, with random weights, take a fraction of the whole
network's time and memory; the time of the whole stack follows from their difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from xlqa.training.devices import autocast, prepare_device
from xlqa.training.loop import make_optimizer

FEW, MORE = 1, 3
"""Layers of the two networks that are measured."""

PIECES = {"cpu": 1024, "cuda": 16_384}
"""Pieces of a measured pass: enough to keep the device busy."""

REPEAT_SECONDS = 0.2
"""A measurement is repeated for so long; its fastest pass counts, because other programs only slow it down."""

SLOW_SECONDS = 1.0
"""A first pass that takes longer is not repeated: what it needs to warm up is a small part of it."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds for each piece in training (forward and backward) and in scoring (forward), and for each update of the weights."""

    train: float
    score: float
    update: float


def measure_speed(folder: Path, device: str, precision: str, length: int) -> Speed | None:
    """Measure an encoder on a device, with windows of so many pieces; None where its network cannot be built in part.

    Args:
        folder: of the encoder; its config.json is enough.
        device: as torch names it.
    """
    from transformers import AutoConfig

    try:
        prepare_device(device)
        config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False)
        layers = int(config.num_hidden_layers)
        few, more = (_measure_layers(config, count, device, precision, length) for count in (FEW, MORE))
    except (AssertionError, AttributeError, ImportError, KeyError, OSError, RuntimeError, TypeError, ValueError):
        # Its layers are not alike or go by another name, or the device has no memory left.
        return None
    return Speed(*(_extrapolate(*pair, layers) for pair in zip(few, more, strict=True)))


def _extrapolate(few: float, more: float, layers: int) -> float:
    return max(few + (more - few) * (layers - FEW) / (MORE - FEW), min(few, more))


def _measure_layers(config: Any, layers: int, device: str, precision: str, length: int) -> tuple[float, float, float]:
    from transformers import AutoModel

    kind = device.partition(":")[0]
    config.num_hidden_layers = layers
    if kind == "cpu":
        # Training on a CPU updates the rows of the embedding table that a batch uses; a small table costs as much.
        config.vocab_size = min(int(config.vocab_size), 1000)
        config.pad_token_id = 0  # the encoder's own may be beyond the small table
    network = AutoModel.from_config(config).to(device).train()
    windows = max(1, PIECES[kind] // length)
    ids = torch.randint(10, int(config.vocab_size), (windows, length), device=device)
    optimizer = make_optimizer(network, 1e-5)

    def forward() -> torch.Tensor:
        with autocast(device, precision):
            hidden: torch.Tensor = network(input_ids=ids).last_hidden_state
        return hidden.float().square().mean()

    def score() -> None:
        with torch.inference_mode():
            forward()

    train = _fastest(lambda: forward().backward(), kind)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return train / ids.numel(), _fastest(score, kind) / ids.numel(), _fastest(optimizer.step, kind)


def _fastest(work: Callable[[], object], kind: str) -> float:
    """Seconds of the fastest of some passes, after one to warm up."""

    def run() -> float:
        began = time.perf_counter()
        work()
        if kind == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    first = run()
    if first > SLOW_SECONDS:
        return first
    until, seconds = time.perf_counter() + REPEAT_SECONDS, [run()]
    while time.perf_counter() < until:
        seconds.append(run())
    return min(seconds)
