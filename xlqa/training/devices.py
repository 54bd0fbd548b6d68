"""Devices and precisions: the small seam through which the rest of xlqa asks about hardware. torch is imported on use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from xlqa.errors import XlqaError, refuse_choice

if TYPE_CHECKING:
    import numpy as np
    import torch

PRECISIONS = ("auto", "fp32", "bf16", "fp16")

ELSEWHERE = {"mps": "Apple's GPUs", "xpu": "Intel's GPUs", "hpu": "Gaudi", "npu": "Ascend", "xla": "TPUs"}
"""Devices of torch that nobody has tried xlqa on. `auto` is the CPU on their machines."""

TENSOR_CORES = (7, 0)
"""The compute capability from which a GPU multiplies float16 matrices faster than float32 ones (V100, T4)."""


def resolve_device(name: str) -> str:
    """The device behind a name: `auto` is the first GPU where there is one, else the CPU.

    Raises:
        XlqaError: the device is unknown, or not there.
    """
    if name == "cpu":
        return name  # without torch, whose import takes a second
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = name.partition(":")
    if kind in ELSEWHERE:
        raise XlqaError(
            f"--device {name}: xlqa does not compute on {ELSEWHERE[kind]}: use --device cpu, or a machine with CUDA."
        )
    if kind != "cuda" or (index and not index.isdigit()):
        raise XlqaError(f"--device {name}: choose auto, cpu, cuda or cuda:N.")
    if not torch.cuda.is_available():
        raise XlqaError(f"--device {name}: this machine has no GPU that torch can use: --device cpu works everywhere.")
    if index and int(index) >= torch.cuda.device_count():
        raise XlqaError(f"--device {name}: this machine has {torch.cuda.device_count()} GPU(s), counted from cuda:0.")
    return name


def resolve_precision(name: str, device: str) -> str:
    """The precision behind a name.

    `auto` is bf16 where the device computes in it natively, fp16 on older GPUs with tensor cores, else fp32. fp32 is float32
    throughout: every GPU with TF32 has bf16, and rows of different arithmetic must not share a precision.
    """
    if name not in PRECISIONS:
        raise XlqaError(f"--precision {name}: {refuse_choice(name, PRECISIONS)}.")
    if name != "auto":
        return name
    import torch

    if device == "cpu":
        return "bf16" if _cpu_has_bf16() else "fp32"
    if torch.cuda.is_bf16_supported(including_emulation=False):
        return "bf16"
    return "fp16" if torch.cuda.get_device_capability(device) >= TENSOR_CORES else "fp32"


def prepare_device(device: str) -> None:
    """Set how this process computes on a GPU; on other devices nothing changes.

    cuDNN's attention makes a plan for every new shape, so torch's other fused kernels compute it. float32 products are not
    rounded to TF32, also where an environment variable of the container asks for that.
    """
    if device.startswith("cuda"):
        import torch

        torch.backends.cuda.enable_cudnn_sdp(False)
        torch.set_float32_matmul_precision("highest")


def _cpu_has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 matrices itself (x86 with AVX512-BF16); torch has no such check for Arm."""
    import torch

    check = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(check and check())


def device_count() -> int:
    """Number of GPUs that torch can use."""
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def thread_count() -> int:
    """Threads that torch computes with on this machine's CPU."""
    import torch

    return torch.get_num_threads()


def describe_device(device: str) -> str:
    """The device's model, for the table: a GPU's name, or the processor's and its thread count."""
    import torch

    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    return f"{processor_name()} ({torch.get_num_threads()} threads)"


def processor_name() -> str:
    """The processor's model."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    import platform

    return platform.processor() or platform.machine()


def autocast(device: str, precision: str) -> torch.autocast:
    """The context in which a model computes: bfloat16 or float16 under these precisions, otherwise nothing changes."""
    import torch

    kind = "cuda" if device.startswith("cuda") else "cpu"
    return torch.autocast(kind, dtype=product_dtype(precision, torch.bfloat16), enabled=precision != "fp32")


def product_dtype(precision: str, otherwise: torch.dtype) -> torch.dtype:
    """The data type of matrix products under a precision; `otherwise` under fp32."""
    import torch

    return {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision, otherwise)


def free_beyond_half(device: str) -> int:
    """Bytes of a GPU that are free, or that torch could free, beyond half of its memory; negative where less than half is."""
    import torch

    free, total = torch.cuda.mem_get_info(device)
    idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free + idle - total // 2)


class Readback:
    """Tensors on their way to host memory; a GPU copies them while the host prepares the next batch."""

    def __init__(self, tensors: Sequence[torch.Tensor]) -> None:
        import torch

        self.host = [tensor.to("cpu", non_blocking=True) for tensor in tensors]
        device = tensors[0].device
        self.copied = torch.cuda.current_stream(device).record_event() if device.type == "cuda" else None

    def arrays(self) -> tuple[np.ndarray[Any, Any], ...]:
        """The values, once they are all here: the only place where evaluation waits for the device."""
        if self.copied is not None:
            self.copied.synchronize()
        return tuple(tensor.numpy() for tensor in self.host)


def matrix_rate(device: str, precision: str) -> float:
    """Floating-point operations a second of a square matrix product, measured for a third of a second."""
    import time

    import torch

    kind = product_dtype(precision, torch.float32)
    size = 4096 if device.startswith("cuda") else 1024
    a = torch.randn(size, size, device=device).to(kind)
    a @ a
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < 0.3:
        a @ a
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        count += 1
    return 2.0 * size**3 * count / (time.perf_counter() - began)
