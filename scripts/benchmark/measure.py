"""Measuring: what passed through a network, what memory it took, and what the machine could do."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

TRAINING_PASSES = 3
"""A backward pass costs two forward passes."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One side's turn in one round.

    Attributes:
        seconds: wall time; cpu_seconds: of all threads, which a busy machine disturbs less.
        examples: questions trained on or answered.
        pieces: word pieces without padding; padded: with it.
        flops: of the model on the pieces without padding, forward (and backward in training).
        matrix_rate: multiplications and additions a second in a plain matrix product, just before.
        peak_bytes: most memory held meanwhile: the device's on a GPU, the process's on a CPU; None where unknown.
    """

    seconds: float
    cpu_seconds: float
    examples: int
    pieces: int
    padded: int
    flops: float
    matrix_rate: float
    peak_bytes: int | None

    def to_json(self) -> dict[str, Any]:
        """All fields, and the figures that the table shows."""
        return asdict(self) | {
            "examples_per_second": self.examples / self.seconds,
            "examples_per_cpu_second": self.examples / self.cpu_seconds,
            "pieces_per_second": self.pieces / self.seconds,
            "padding": 1 - self.pieces / self.padded,
            "utilisation": self.flops / self.seconds / self.matrix_rate,
        }


class Passed:
    """Counts what passes through a network while it is attached."""

    def __init__(self, network: torch.nn.Module) -> None:
        self.network = network
        self.masks: list[torch.Tensor | torch.Size] = []

    def __enter__(self) -> Passed:
        self.handle = self.network.register_forward_pre_hook(self._note, with_kwargs=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.handle.remove()

    def _note(self, _: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        # Kept as it is and summed up afterwards, so that nothing waits for the device.
        mask = kwargs.get("attention_mask")
        self.masks.append(kwargs["input_ids"].shape if mask is None else mask.detach())

    def count(self) -> tuple[int, int, float]:
        """Pieces, pieces with padding, and multiplications and additions of a forward pass on the pieces."""
        pieces = padded = 0
        flops = 0.0
        linear, width = _size(self.network)
        for mask in self.masks:
            # Without a mask nothing is padded; a mask for all layers is (B, 1, L) or (B, 1, 1, L).
            rows, width_padded = (mask[0], mask[-1]) if isinstance(mask, torch.Size) else (len(mask), mask.shape[-1])
            padded += rows * width_padded
            lengths = [width_padded] * rows if isinstance(mask, torch.Size) else mask.flatten(1).sum(dim=1).tolist()
            for length in lengths:
                pieces += length
                flops += 2 * linear * length + 4 * width * length * length
        return pieces, padded, flops


def wait(device: str) -> None:
    """Until the device has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def _size(network: torch.nn.Module) -> tuple[int, int]:
    """Weights of all linear layers, and the width of attention summed over layers."""
    linear = sum(math.prod(m.weight.shape) for m in network.modules() if isinstance(m, torch.nn.Linear))
    config: Any = network.config
    return linear, int(config.hidden_size * config.num_hidden_layers)


def measure(
    network: torch.nn.Module, device: str, examples: int, training: bool, work: Callable[[], float | None]
) -> Sample:
    """Let a side work and measure it; the work may return its own count of seconds."""
    rate = matrix_rate(device)
    with Passed(network) as passed, _peak(device) as peak:
        began, busy = time.perf_counter(), time.process_time()
        own = work()
        wait(device)
        seconds, busy = time.perf_counter() - began if own is None else own, time.process_time() - busy
    pieces, padded, flops = passed.count()
    return Sample(seconds, busy, examples, pieces, padded, flops * (TRAINING_PASSES if training else 1), rate, peak())


@contextmanager
def _peak(device: str) -> Iterator[Callable[[], int | None]]:
    """Peak memory from here on."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        yield torch.cuda.max_memory_allocated
        return
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        yield _high_water
    except OSError:
        # No such file but on Linux: the most since the process began stands in.
        unit = 1 if sys.platform == "darwin" else 1024
        yield lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _high_water() -> int | None:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def matrix_rate(device: str) -> float:
    """Operations a second of a square matrix product in the precision that `auto` is on the device, best of five."""
    from xlqa.training.devices import product_dtype, resolve_precision

    size = 8192 if device == "cuda" else 1536
    dtype = product_dtype(resolve_precision("auto", device), torch.float32)
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best = math.inf
    for _ in range(5):
        began = time.perf_counter()
        left @ right
        wait(device)
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best
