"""What this machine offers: processor, memory, GPUs. Try: xlqa doctor"""

from __future__ import annotations

import os
from dataclasses import dataclass

from xlqa.training.devices import device_count, processor_name, resolve_device, resolve_precision


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that torch can use: its name, as --device calls it, its model, and its memory in bytes."""

    device: str
    model: str
    memory: int


@dataclass(frozen=True, slots=True)
class Machine:
    """What `auto` has to choose from.

    Attributes:
        cores: that this process may use; threads: that torch computes with; memory: bytes, None where unknown.
        device, precision: what `auto` (or what was asked for) resolves to.
    """

    processor: str
    cores: int
    threads: int
    memory: int | None
    gpus: tuple[Gpu, ...]
    device: str
    precision: str


def look_at_machine(device: str = "auto", precision: str = "auto") -> Machine:
    """Describe this machine, and what these settings resolve to on it.

    Raises:
        XlqaError: the device is not there.
    """
    import torch

    chosen = resolve_device(device)
    gpus = tuple(
        Gpu(f"cuda:{i}", str(torch.cuda.get_device_name(i)), int(torch.cuda.get_device_properties(i).total_memory))
        for i in range(device_count())
    )
    return Machine(
        processor_name(), _cores(), torch.get_num_threads(), _memory(), gpus, chosen,
        resolve_precision(precision, chosen),
    )  # fmt: skip


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
