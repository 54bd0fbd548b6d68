"""Faster arithmetic for BERT's kind of encoder on a CPU: dropout from random words, attention as plain matrix products.

`accelerate(network, device)` changes how a network computes, never what it is: names and values of its weights, its
configuration and what `save_pretrained` writes stay as they were. On other devices, and for layers that it does not
know, nothing changes.

On two cores torch spends a quarter of a training step drawing Bernoulli variables one by one, and with dropout its
attention falls back to float32 products. Here 16 bits of a seeded generator decide each element, compared and scaled as
integers, and attention stays in the precision of its inputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

LEVELS = 1 << 16
"""Steps in which a dropout probability can be set: one random word of 16 bits decides one element."""

ATTENTION_CLASSES = frozenset(
    name
    for family in ("Bert", "Roberta", "XLMRoberta", "Camembert", "Electra")
    for name in (f"{family}SdpaSelfAttention", f"{family}SelfAttention")
)
"""Self-attention classes of transformers (4.x and 5.x) whose arithmetic `_FastSelfAttention` knows."""

UNUSUAL = ("head_mask", "encoder_hidden_states", "past_key_values", "past_key_value", "output_attentions")
"""What a caller may ask beyond plain self-attention."""


def accelerate(network: nn.Module, device: str) -> None:
    """Let a network's dropout and self-attention compute faster on a CPU, in place; may be called again.

    Args:
        network: of transformers, loaded with `attn_implementation="sdpa"`.
        device: as torch names it; on all but `cpu` nothing changes.

    In evaluation float32 outputs stay bitwise the same; under bfloat16 autocast attention scores are rounded to
    bfloat16 before their softmax, as in transformers' eager attention; torch's fused kernel keeps them in float32.
    """
    if device != "cpu":
        return
    for module in network.modules():
        if type(module) is nn.Dropout and not module.inplace:
            module.__class__ = WordDropout
        elif _is_known_attention(module):
            module.__class__ = _fast_class(type(module))


def _is_known_attention(module: nn.Module) -> bool:
    """Whether a module is a plain bidirectional self-attention, computed by torch's fused kernel so far."""
    if type(module).__name__ not in ATTENTION_CLASSES or isinstance(module, _FastSelfAttention):
        return False
    config = getattr(module, "config", None)
    fused = "Sdpa" in type(module).__name__ or getattr(config, "_attn_implementation", None) == "sdpa"
    absolute = getattr(module, "position_embedding_type", None) in (None, "absolute")
    return fused and absolute and not getattr(module, "is_decoder", False)


_fast_classes: dict[str, type[nn.Module]] = {}


def _fast_class(known: type[nn.Module]) -> type[nn.Module]:
    name = f"{known.__module__}.{known.__name__}"
    if name not in _fast_classes:
        _fast_classes[name] = type(known.__name__, (_FastSelfAttention, known), {"__module__": known.__module__})
    return _fast_classes[name]


def keep_mask(shape: torch.Size | tuple[int, ...], p: float, dtype: torch.dtype) -> torch.Tensor:
    """A dropout mask: 0 with probability p, else 1 / (1 - p), with p rounded to a multiple of 1 / LEVELS.

    Args:
        shape: of the mask; p: below 1; dtype: float32 or bfloat16 (whose rounding moves the scale by 0.2 % at most).

    Every element is decided by its own 16 bits of an SFC64 stream, which is seeded by one draw from torch's generator:
    the same `torch.manual_seed` gives the same masks on any number of threads.
    """
    cut = round(p * LEVELS)
    count = int(np.prod(shape))
    seed = int(torch.randint(2**62, ()))
    words = torch.from_numpy(np.random.SFC64(seed).random_raw(-(-count // 4)).view(np.int16))[:count].view(shape)
    kept = torch.ge(words, cut - LEVELS // 2, out=words)
    scale = torch.tensor(LEVELS / (LEVELS - cut), dtype=dtype)
    if dtype == torch.bfloat16:
        # 0 or 1 times the bits of the scale are the bits of 0.0 or of the scale.
        return kept.mul_(int(scale.view(torch.int16))).view(torch.bfloat16)
    return kept.to(dtype).mul_(scale)


class WordDropout(nn.Dropout):
    """`nn.Dropout` whose masks come from `keep_mask`; on other devices and in evaluation it is `nn.Dropout` itself."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """The input with elements dropped, in training."""
        if not self.training or not 0 < self.p < 1 or input.device.type != "cpu":
            return super().forward(input)
        return input * keep_mask(input.shape, self.p, input.dtype)


class _FastSelfAttention(nn.Module):
    """Put before a self-attention class of transformers: one product for query, key and value, then `_Attention`."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    dropout: nn.Dropout
    num_attention_heads: int

    def forward(
        self, hidden_states: torch.Tensor, attention_mask: torch.Tensor | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        """(output, None), as the class it stands before; unusual requests go to that class."""
        wanted = (*args, *(kwargs.get(name) for name in UNUSUAL))
        unusual = any(value is not None and value is not False for value in wanted)
        low = hidden_states.device.type == "cpu" and torch.is_autocast_enabled("cpu")
        p = float(self.dropout.p) if self.training else 0.0
        if unusual or hidden_states.device.type != "cpu" or p >= 1 or not (p or low):
            return super().forward(hidden_states, attention_mask, *args, **kwargs)
        parts = (self.query, self.key, self.value)
        weight, bias = torch.cat([part.weight for part in parts]), torch.cat([part.bias for part in parts])
        projected = nn.functional.linear(hidden_states, weight, bias)
        return attend(projected, _additive(attention_mask, projected.dtype), self.num_attention_heads, p), None


def _additive(mask: torch.Tensor | None, dtype: torch.dtype) -> torch.Tensor | None:
    """An attention mask as a term of the scores; a boolean one is true where attention is allowed."""
    if mask is None:
        return None
    if mask.dtype == torch.bool:
        return torch.zeros(mask.shape, dtype=dtype).masked_fill_(~mask, torch.finfo(dtype).min)
    return mask.to(dtype)


def attend(projected: torch.Tensor, mask: torch.Tensor | None, heads: int, p: float) -> torch.Tensor:
    """Softmax attention with dropout on its weights.

    Args:
        projected: (B, L, 3 * heads * depth) queries, keys and values side by side.
        mask: added to the scores, (B or 1, 1, L or 1, L), or None.
        heads: number of heads; p: share of the weights that is dropped, below 1.

    Returns:
        (B, L, heads * depth).
    """
    apply: Any = _Attention.apply
    output: torch.Tensor = apply(projected, mask, heads, p)
    return output


class _Attention(torch.autograd.Function):
    """The arithmetic of `attend`; keeps attention weights and dropout mask for the way back, not their product."""

    @staticmethod
    def forward(ctx: Any, projected: torch.Tensor, mask: torch.Tensor | None, heads: int, p: float) -> torch.Tensor:
        batch, length, width = projected.shape
        depth = width // 3 // heads
        split = projected.view(batch, length, 3, heads, depth).permute(2, 0, 3, 1, 4).contiguous()
        query, key, value = split.view(3, batch * heads, length, depth).unbind(0)
        scores = torch.bmm(query.mul_(depth**-0.5), key.transpose(1, 2))
        if mask is not None:
            scores.view(batch, heads, length, length).add_(mask)
        weights = torch.softmax(scores, dim=-1)
        kept = keep_mask(weights.shape, p, weights.dtype) if p else None
        output = torch.bmm(weights * kept if kept is not None else weights, value)
        ctx.save_for_backward(query, key, value, weights, kept)
        ctx.sizes = (batch, length, heads, depth)
        return output.view(batch, heads, length, depth).transpose(1, 2).reshape(batch, length, heads * depth)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        query, key, value, weights, kept = ctx.saved_tensors
        batch, length, heads, depth = ctx.sizes
        grad = grad.view(batch, length, heads, depth).transpose(1, 2).reshape(batch * heads, length, depth)
        found = torch.empty((3, batch * heads, length, depth), dtype=grad.dtype)
        torch.bmm((weights * kept if kept is not None else weights).transpose(1, 2), grad, out=found[2])
        weighted = torch.bmm(grad, value.transpose(1, 2))
        if kept is not None:
            weighted.mul_(kept)
        scores = torch._softmax_backward_data(weighted, weights, -1, weights.dtype)
        torch.bmm(scores, key, out=found[0]).mul_(depth**-0.5)
        torch.bmm(scores.transpose(1, 2), query, out=found[1])
        joined = found.view(3, batch, heads, length, depth).permute(1, 3, 0, 2, 4)
        return joined.reshape(batch, length, 3 * heads * depth), None, None, None
