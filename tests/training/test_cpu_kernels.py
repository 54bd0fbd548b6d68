"""The faster kernels compute what torch's own do: the same expectations, gradients and answers."""

from __future__ import annotations

import copy
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForQuestionAnswering

from xlqa.tasks.base import HeadOptions
from xlqa.tasks.qa.decoding import best_spans, span_probabilities
from xlqa.tasks.qa.network import SpanHead
from xlqa.tasks.qa.windows import Template, Windows
from xlqa.training import cpu_kernels as kernels
from xlqa.training.batching import collate
from xlqa.training.cpu_kernels import (
    FusedLinear,
    WordDropout,
    accelerate,
    attend,
    keep_mask,
    project,
    touched_embeddings,
)
from xlqa.training.loop import WEIGHT_DECAY, batch_loss, make_optimizer

B, L, HEADS, WIDTH = 3, 24, 4, 32
BFLOAT = torch.bfloat16


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and wait for each other on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small_network(p: float = 0.1) -> BertForQuestionAnswering:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=97, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=HEADS, intermediate_size=64,
        max_position_embeddings=64, hidden_dropout_prob=p, attention_probs_dropout_prob=p, initializer_range=0.2,
    )  # fmt: skip
    config._attn_implementation = "sdpa"
    return BertForQuestionAnswering(config).eval()


def small_batch(padded: bool = True) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    mask = torch.ones(B, L, dtype=torch.long)
    if padded:
        mask[1, 15:] = 0
        mask[2, 9:] = 0
    ids = torch.randint(5, 97, (B, L), generator=generator) * mask
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids), "scored": mask.bool()}


def logits(network: Any, batch: dict[str, torch.Tensor], low: bool) -> torch.Tensor:
    with torch.autocast("cpu", dtype=BFLOAT, enabled=low):
        output = network(**{name: value for name, value in batch.items() if name != "scored"})
    return torch.stack([output.start_logits, output.end_logits]).float()[:, batch["scored"]]


@pytest.fixture
def pair() -> tuple[Any, Any]:
    """A network and its accelerated copy."""
    plain = small_network()
    fast = copy.deepcopy(plain)
    accelerate(fast, "cpu")
    return plain, fast


@pytest.mark.parametrize("dtype", [torch.float32, BFLOAT])
@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
def test_masks_drop_the_right_share_and_keep_the_expectation(dtype: torch.dtype, p: float) -> None:
    torch.manual_seed(0)
    count = 1_000_003
    mask = keep_mask((count,), p, dtype).double()
    dropped = float((mask == 0).double().mean())
    assert abs(dropped - p) < 1 / 2**17 + 5 * (p * (1 - p) / count) ** 0.5
    values = mask.unique()
    assert len(values) == 2
    scale = float(values[1])
    assert scale == pytest.approx(1 / (1 - round(p * 2**16) / 2**16), rel=2**-8 if dtype == BFLOAT else 1e-6)
    assert float(mask.mean()) == pytest.approx(1.0, abs=2**-8 + 5 * (p / (1 - p) / count) ** 0.5)


def test_masks_are_reproducible_and_never_the_same_twice() -> None:
    torch.manual_seed(3)
    first, second = keep_mask((64, 64), 0.5, BFLOAT), keep_mask((64, 64), 0.5, BFLOAT)
    torch.manual_seed(3)
    assert torch.equal(keep_mask((64, 64), 0.5, BFLOAT), first)
    assert not torch.equal(first, second)


def test_neighbours_in_a_mask_are_independent() -> None:
    torch.manual_seed(0)
    dropped = (keep_mask((1000, 1000), 0.1, torch.float32) == 0).double().flatten()
    centred = dropped - dropped.mean()
    for lag in (1, 2, 3, 4, 8, 1000):
        correlation = float((centred[:-lag] * centred[lag:]).mean() / centred.square().mean())
        assert abs(correlation) < 5 / 1000


def test_dropout_in_evaluation_and_at_the_ends_is_torchs_own() -> None:
    x = torch.randn(8, 8)
    assert torch.equal(WordDropout(0.5).eval()(x), x)
    assert torch.equal(WordDropout(0.0)(x), x)
    assert torch.equal(WordDropout(1.0)(x), torch.zeros_like(x))


def test_dropouts_gradient_is_its_mask() -> None:
    x = torch.randn(40, 50, requires_grad=True)
    dropout = WordDropout(0.3)
    torch.manual_seed(5)
    dropout(x).sum().backward()
    torch.manual_seed(5)
    assert torch.equal(x.grad, keep_mask(x.shape, 0.3, torch.float32))


@pytest.mark.parametrize("fused", [True, False])
def test_products_with_their_bias_equal_torchs_own(fused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not fused:
        monkeypatch.setattr("xlqa.training.cpu_kernels._fused_product", lambda: None)
    torch.manual_seed(6)
    layers = [nn.Linear(WIDTH, width) for width in (16, 48)]
    x, grad = torch.randn(B, L, WIDTH), torch.randn(B, L, 64)
    found = []
    for own in (True, False):
        inputs = x.clone().requires_grad_()
        with torch.autocast("cpu", dtype=BFLOAT):
            output = torch.cat([layer(inputs) for layer in layers], dim=-1) if own else project(inputs, layers)
        output.backward(grad.to(BFLOAT))
        gradients = [inputs.grad, *(p.grad.clone() for layer in layers for p in layer.parameters())]
        assert all(g is not None and g.dtype == torch.float32 for g in gradients)
        found.append((output, gradients))
        for layer in layers:
            layer.zero_grad()
    assert torch.equal(found[0][0], found[1][0])
    for wanted, got in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(got, wanted, rtol=2**-7, atol=2**-7 * float(wanted.abs().max()))


def test_a_fused_layer_is_its_plain_self_in_float32() -> None:
    layer = nn.Linear(WIDTH, WIDTH)
    x = torch.randn(B, WIDTH)
    before = layer(x)
    accelerate(layer, "cpu")
    assert type(layer) is FusedLinear
    assert torch.equal(layer(x), before)


def attend_plainly(projected: torch.Tensor, mask: torch.Tensor | None, kept: torch.Tensor | None) -> torch.Tensor:
    """Attention written out, with an explicit dropout mask."""
    query, key, value = projected.view(B, L, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    weights = torch.softmax(scores if mask is None else scores + mask, dim=-1)
    if kept is not None:
        weights = weights * kept.view(weights.shape)
    return (weights @ value).transpose(1, 2).reshape(B, L, -1)


@pytest.mark.parametrize("p", [0.0, 0.3])
@pytest.mark.parametrize("masked", [False, True])
def test_attention_and_its_gradient_equal_the_formula_with_the_same_mask(p: float, masked: bool) -> None:
    torch.manual_seed(2)
    projected = torch.randn(B, L, 3 * WIDTH, dtype=torch.float32)
    mask = torch.zeros(B, 1, L, L) if masked else None
    if mask is not None:
        mask[1, :, :, 15:] = torch.finfo(torch.float32).min
    grad = torch.randn(B, L, WIDTH)
    ours, wanted = projected.clone().requires_grad_(), projected.clone().requires_grad_()
    torch.manual_seed(7)
    output = attend(ours, mask, HEADS, p)
    output.backward(grad)
    torch.manual_seed(7)
    expected = attend_plainly(wanted, mask, keep_mask((B * HEADS, L, L), p, torch.float32) if p else None)
    expected.backward(grad)
    torch.testing.assert_close(output, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(ours.grad, wanted.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("boolean", [False, True])
def test_long_batches_in_chunks_and_any_mask(boolean: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(4)
    projected = torch.randn(B, L, 3 * WIDTH)
    allowed = torch.rand(B, 1, L, L) < 0.7
    allowed[..., :2] = True
    additive = torch.zeros(B, 1, L, L).masked_fill(~allowed, float("-inf"))
    monkeypatch.setattr("xlqa.training.cpu_kernels.CHUNK", 2 * HEADS * L * L)
    found = attend(projected, allowed if boolean else additive, HEADS, 0.0)
    torch.testing.assert_close(found, attend_plainly(projected, additive, None), rtol=1e-5, atol=1e-6)


def test_float32_evaluation_is_bitwise_the_same(pair: tuple[Any, Any]) -> None:
    plain, fast = pair
    with torch.inference_mode():
        assert torch.equal(logits(plain, small_batch(), low=False), logits(fast, small_batch(), low=False))


@pytest.mark.parametrize("padded", [False, True])
def test_bfloat16_evaluation_is_as_near_to_float32_as_torchs_own(pair: tuple[Any, Any], padded: bool) -> None:
    batch = small_batch(padded)
    with torch.inference_mode():
        exact = logits(pair[0], batch, low=False)
        own, ours = ((logits(network, batch, low=True) - exact).abs() for network in pair)
    assert float(ours.mean()) < 1.5 * float(own.mean())
    assert float(ours.max()) < 0.05 * float(exact.abs().max())


def test_decoded_answers_are_those_of_torchs_own_kernels() -> None:
    plain = small_network()
    fast = copy.deepcopy(plain)
    accelerate(fast, "cpu")
    ids = torch.randint(5, 97, (200, L), generator=torch.Generator().manual_seed(8))
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    inside = torch.ones(200, L, dtype=torch.bool)
    inside[:, 0] = False
    found = []
    for network in (plain, fast):
        with torch.inference_mode(), torch.autocast("cpu", dtype=BFLOAT):
            output = network(**batch)
            start, end = (
                span_probabilities(x, torch.ones_like(inside)) for x in (output.start_logits, output.end_logits)
            )
            found.append(best_spans(start, end, inside, 5))
    same = (found[0][1] == found[1][1]) & (found[0][2] == found[1][2])
    margin = (found[0][0] - found[1][0]).abs()
    # Where rounding lets another span win, its score is as good.
    assert float(same.double().mean()) > 0.95
    assert float(margin.max()) < 0.1


def span_loss(network: Any, batch: dict[str, torch.Tensor], start: list[int], end: list[int]) -> torch.Tensor:
    labels = {"start": torch.tensor(start), "end": torch.tensor(end)}
    return batch_loss(network, SpanHead(HeadOptions()), batch | labels)


def loss_and_gradients(network: Any, low: bool) -> tuple[float, torch.Tensor]:
    network.zero_grad()
    with torch.autocast("cpu", dtype=BFLOAT, enabled=low):
        loss = span_loss(network, small_batch(), [1, 2, 3], [4, 5, 6])
    loss.backward()
    return float(loss.detach()), torch.cat([p.grad.flatten() for p in network.parameters()])


def test_without_dropout_loss_and_gradients_are_the_same() -> None:
    plain = small_network(p=0.0).train()
    fast = copy.deepcopy(plain)
    accelerate(fast, "cpu")
    exact, wanted = loss_and_gradients(plain, low=False)
    loss, found = loss_and_gradients(fast, low=False)
    assert loss == pytest.approx(exact, rel=1e-6)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)
    (own, own_gradient), (ours, our_gradient) = (loss_and_gradients(network, low=True) for network in (plain, fast))
    assert own == pytest.approx(exact, rel=1e-2)
    assert ours == pytest.approx(exact, rel=1e-2)
    assert float((our_gradient - wanted).norm()) < 1.5 * float((own_gradient - wanted).norm())
    assert float((our_gradient - wanted).norm()) < 0.03 * float(wanted.norm())


def test_dropout_leaves_the_loss_the_same_on_average(pair: tuple[Any, Any]) -> None:
    found = []
    for network in pair:
        torch.manual_seed(0)
        network.train()
        with torch.no_grad():
            losses = [float(span_loss(network, small_batch(), [1, 2, 3], [4, 5, 6])) for _ in range(200)]
        found.append((np.mean(losses), np.std(losses) / 200**0.5))
    (own, own_error), (ours, our_error) = found
    assert own_error > 0
    assert abs(own - ours) < 4 * (own_error**2 + our_error**2) ** 0.5


def test_what_is_saved_is_the_same(pair: tuple[Any, Any], tmp_path: Path) -> None:
    plain, fast = pair
    accelerate(fast, "cpu")
    assert list(plain.state_dict()) == list(fast.state_dict())
    for network, name in ((plain, "plain"), (fast, "fast")):
        network.save_pretrained(tmp_path / name, safe_serialization=True)
    for file in sorted((tmp_path / "plain").iterdir()):
        assert file.read_bytes() == (tmp_path / "fast" / file.name).read_bytes(), file.name
    again = BertForQuestionAnswering.from_pretrained(tmp_path / "fast")
    assert not any(isinstance(module, WordDropout) for module in again.modules())


def test_acceleration_can_be_repeated_and_is_seeded(pair: tuple[Any, Any]) -> None:
    _, fast = pair
    classes = [type(module) for module in fast.modules()]
    accelerate(fast, "cpu")
    assert [type(module) for module in fast.modules()] == classes
    fast.train()
    torch.manual_seed(1)
    first = logits(fast, small_batch(), low=True)
    torch.manual_seed(1)
    assert torch.equal(logits(fast, small_batch(), low=True), first)


def test_other_devices_and_layers_are_left_alone() -> None:
    network = small_network()
    accelerate(network, "cuda")
    assert not any(isinstance(module, WordDropout) for module in network.modules())
    layers = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5, inplace=True), nn.MultiheadAttention(4, 2, dropout=0.5))
    classes = [type(module) for module in layers.modules()]
    accelerate(layers, "cpu")
    assert [type(module) for module in layers.modules()] == classes


def test_eager_attention_still_gives_its_weights() -> None:
    network = small_network()
    network.set_attn_implementation("eager")
    batch = small_batch()
    del batch["scored"]
    plain = BertForQuestionAnswering(network.config).eval()
    accelerate(plain, "cpu")
    with torch.autocast("cpu", dtype=BFLOAT):
        assert len(plain(**batch, output_attentions=True).attentions) == 2


def some_windows(pad: int = 0) -> Windows:
    """Two windows over eleven of the 97 pieces."""
    ids = np.array([90, 5, 7, 9, 91, 90, 60, 7, 61, 62, 91], dtype=np.int32)
    zeros = np.zeros_like(ids)
    return Windows(
        ids=ids, starts=np.array([0, 5, 11]), question=np.array([0, 1], dtype=np.int32),
        context_from=np.array([2, 2], dtype=np.int32), context_to=np.array([4, 5], dtype=np.int32),
        char_start=zeros, char_end=zeros, questions=2,
        template=Template((90,), (), (91,), context_type=1, uses_types=True, pad=pad, cls_index=0),
    )  # fmt: skip


def train_steps(network: Any, windows: Windows, steps: int, lr: float) -> None:
    """A few updates as the training loop does them."""
    optimizer = make_optimizer(network, lr)
    batch = collate(windows, np.array([0, 1]))
    for _ in range(steps):
        span_loss(network, batch, [2, 3], [3, 4]).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()


@pytest.mark.parametrize("pad", [0, 1])
def test_training_only_touched_embeddings_ends_in_the_same_weights(pad: int) -> None:
    steps, lr = 5, 0.01
    whole = small_network(p=0.0).train()
    small = copy.deepcopy(whole)
    before = small.get_input_embeddings().weight
    train_steps(whole, some_windows(pad), steps, lr)
    with touched_embeddings(small, some_windows(pad), (1 - lr * WEIGHT_DECAY) ** steps) as windows:
        assert small.get_input_embeddings().weight.shape == (9 + pad, WIDTH)
        assert windows.template.pad == pad
        train_steps(small, windows, steps, lr)
    assert small.get_input_embeddings().weight is before
    assert small.get_input_embeddings().num_embeddings == 97
    for (name, wanted), found in zip(whole.named_parameters(), small.parameters(), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}")


def test_embeddings_are_whole_again_after_a_failure() -> None:
    network = small_network()
    before = network.get_input_embeddings().weight.clone()
    with pytest.raises(ZeroDivisionError), touched_embeddings(network, some_windows(), 1.0):
        raise ZeroDivisionError
    assert torch.equal(network.get_input_embeddings().weight, before)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's malloc is told to keep memory")
def test_freed_memory_is_taken_again_without_new_pages() -> None:
    code = """
import resource, torch
from xlqa.training.cpu_kernels import accelerate
accelerate(torch.nn.Linear(1, 1), "cpu")
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(8):
    before = faults()
    blocks = [torch.ones(megabytes * 250_000) for megabytes in (48, 120, 36, 68, 100, 44)]
    del blocks
    print(faults() - before)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, *later = map(int, ran.stdout.split())
    assert sum(later) < first  # without, each of the seven takes as many new pages as the first


def test_kept_low_weights_follow_every_change() -> None:
    layers = [kernels.FusedLinear(32, 48) for _ in range(3)]
    values = torch.randn(5, 32)

    def both() -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            with torch.inference_mode():
                kept = kernels.project(values, layers)
            return kept, kernels.project(values, layers).detach()

    assert torch.equal(*both())
    with torch.no_grad():
        layers[1].weight.mul_(2.0)
    assert torch.equal(*both())
    layers[2].load_state_dict({name: tensor * 3 for name, tensor in layers[2].state_dict().items()})
    assert torch.equal(*both())
    layers[0].weight = torch.nn.Parameter(torch.randn(48, 32))
    assert torch.equal(*both())
    layers[0].bias.data = torch.randn(48)
    assert torch.equal(*both())
    optimizer = torch.optim.AdamW([p for layer in layers for p in layer.parameters()], lr=0.5, fused=True)
    before = both()[0]
    for layer in layers:
        layer.train()
    kernels.project(values, layers).sum().backward()
    optimizer.step()
    for layer in layers:
        layer.eval()
    assert torch.equal(*both())
    assert not torch.equal(before, both()[0])
    assert not [name for layer in layers for name in layer.state_dict() if "low" in name]


def test_the_wide_layer_computes_gelu_in_its_product() -> None:
    config = BertConfig(hidden_size=32, num_attention_heads=2, intermediate_size=64, num_hidden_layers=1, vocab_size=40)
    plain = BertForQuestionAnswering(config).eval()
    fast = copy.deepcopy(plain)
    kernels.accelerate(fast, "cpu")
    layers = [network.bert.encoder.layer[0].intermediate for network in (plain, fast)]
    assert isinstance(layers[1], kernels._FastIntermediate)
    values = torch.randn(7, 32) * 3
    with torch.inference_mode():
        assert torch.equal(layers[0](values), layers[1](values))
        with torch.autocast("cpu", torch.bfloat16):
            low = layers[1](values)
        exact = layers[0](values)
    assert low.dtype == torch.bfloat16
    assert torch.allclose(low.float(), exact, rtol=0.02, atol=0.02)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layers[0](values), layers[1](values))


def test_a_mask_is_read_anew_for_every_batch() -> None:
    projected = torch.randn(2, 6, 3 * 8, dtype=torch.bfloat16)
    with torch.inference_mode():
        for length in (6, 4, 3):
            mask = (torch.arange(6) < length).expand(2, 1, 1, 6).clone()
            both = [kernels.attend(projected, mask, 2, 0.0) for _ in range(2)]
            alone = kernels.attend(projected[:, :length].contiguous(), None, 2, 0.0)
            assert torch.equal(*both)
            assert torch.allclose(both[0][:, :length].float(), alone.float(), atol=0.02)
