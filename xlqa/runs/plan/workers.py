"""How many runs work on one GPU at once. A small run leaves most of a GPU idle, because the host starts its kernels too slowly."""

from __future__ import annotations

from dataclasses import dataclass

from xlqa.runs.plan.planner import Plan
from xlqa.runs.specs import EncoderRef
from xlqa.util.files import read_json

MOST_WORKERS = 3
"""Counted on an emulated GPU, an update of mBERT keeps the host busy for two to three times as long as an H100."""

SHARE = 0.8
"""Share of a memory that is planned with."""

PROCESS_BYTES = 1e9
"""Of a GPU: what a process has there before its first run."""

HOST_BYTES = 3e9
"""Of the host: a process with torch, its libraries and its data."""

COPIES = 6
"""The weights, those that the next run starts from, their gradients, two moments, and a copy in low precision."""

LORA_COPIES = 3
"""With LoRA: the weights, those that the next run starts from, and a copy in low precision."""

ACTIVATION_BYTES = {"fp32": 120, "bf16": 60, "fp16": 60}
"""For each piece, layer and hidden unit: 34 in 16 bits (Korthikanti et al. 2022), and what autocast keeps in float32."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What this machine has for workers: the least memory of its GPUs and the host's, in bytes; cores for each GPU."""

    gpu: int
    host: int
    cores: int


def workers_per_device(plan: Plan) -> int:
    """The number of `--workers-per-device`, else as many as fit on each GPU, else one."""
    asked = plan.request.workers_per_device
    if asked is not None:
        return asked
    capacity = find_capacity(plan.request.device) if plan.request.launcher == "local" else None
    return fitting_workers(*needs(plan), capacity) if capacity else 1


def describe_workers(plan: Plan) -> list[str]:
    """A line on the workers of each device, where there are several."""
    count = workers_per_device(plan)
    if count == 1:
        return []
    chosen = "" if plan.request.workers_per_device else ", as its memory and the processor's cores allow"
    return [f"{count} runs at once on each device{chosen} (--workers-per-device)"]


def find_capacity(device: str) -> Capacity | None:
    """The memory and cores of this machine for workers; None if the device is not a GPU."""
    from xlqa.training.devices import device_count, resolve_device
    from xlqa.training.hardware import look_at_machine

    if device == "cpu" or device_count() == 0 or not resolve_device(device).startswith("cuda"):
        return None
    machine = look_at_machine(device, "fp32")
    gpus = [gpu for gpu in machine.gpus if device in ("auto", "cuda", gpu.device)]
    return Capacity(min(gpu.memory for gpu in gpus), machine.memory or 0, machine.cores // len(gpus))


def needs(plan: Plan) -> tuple[float, float]:
    """Bytes that a worker needs of its GPU and of the host for the largest encoder and update of a plan, estimated."""
    batch = max(
        [spec.hyper.batch_size for spec, _ in plan.runs if spec.hyper] + [s.hyper.batch_size for s in plan.stages],
        default=1,
    )
    precision = plan.runs[0][0].common.precision if plan.runs else "fp32"
    pieces = batch * plan.request.max_length
    hypers = [stage.hyper for stage in plan.stages] + [spec.hyper for spec, _ in plan.runs if spec.hyper]
    copies = LORA_COPIES if hypers and all(hyper.lora for hyper in hypers) else COPIES
    parts = [(_weight_bytes(encoder), _units(encoder)) for encoder in plan.encoders()]
    gpu = max(
        PROCESS_BYTES + copies * weights + pieces * units * ACTIVATION_BYTES[precision] for weights, units in parts
    )
    return gpu, HOST_BYTES + 3 * max(weights for weights, _ in parts)


def fitting_workers(gpu: float, host: float, capacity: Capacity) -> int:
    """Workers that fit on each GPU, at least one.

    Args:
        gpu, host: bytes that one worker needs.
    """
    return max(1, min(MOST_WORKERS, capacity.cores, int(SHARE * capacity.gpu / gpu), int(SHARE * capacity.host / host)))


def _weight_bytes(encoder: EncoderRef) -> int:
    from xlqa.training.model_folder import weight_files

    return sum(path.stat().st_size for path in weight_files(encoder.folder))


def _units(encoder: EncoderRef) -> int:
    """Layers times hidden units; mBERT's where its configuration names them otherwise."""
    config = read_json(encoder.folder / "config.json") or {}
    layers = config.get("num_hidden_layers", config.get("n_layers", 12))
    return int(layers) * int(config.get("hidden_size", config.get("dim", 768)))
