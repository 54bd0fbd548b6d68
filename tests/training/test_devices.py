"""Devices: how a process that computes on a GPU is set up, and which names are refused. No GPU is needed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from xlqa.errors import XlqaError
from xlqa.training.devices import autocast, prepare_device, resolve_device


@pytest.fixture
def _tf32_and_cudnn_on() -> Iterator[None]:
    before = torch.get_float32_matmul_precision(), torch.backends.cuda.cudnn_sdp_enabled()
    torch.set_float32_matmul_precision("high")
    torch.backends.cuda.enable_cudnn_sdp(True)
    yield
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cuda.enable_cudnn_sdp(before[1])


@pytest.mark.usefixtures("_tf32_and_cudnn_on")
def test_a_gpu_plans_no_attention_and_does_not_round_float32() -> None:
    prepare_device("cpu")
    assert torch.backends.cuda.cudnn_sdp_enabled()
    assert torch.backends.cuda.matmul.allow_tf32
    prepare_device("cuda:1")
    assert not torch.backends.cuda.cudnn_sdp_enabled()
    assert not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_products_have_the_precision_of_their_name(precision: str, dtype: torch.dtype) -> None:
    with autocast("cpu", precision):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


@pytest.mark.parametrize(
    ("name", "whose"), [("mps", "Apple's GPUs"), ("mps:0", "Apple's GPUs"), ("xpu", "Intel's GPUs")]
)
def test_gpus_without_cuda_are_refused_by_name(name: str, whose: str) -> None:
    with pytest.raises(XlqaError, match=f"^--device {name}: xlqa does not compute on {whose}: use --device cpu"):
        resolve_device(name)
