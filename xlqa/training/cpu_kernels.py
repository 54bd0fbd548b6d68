"""Faster arithmetic for BERT's kind of encoder on a CPU: dropout from random words, attention as plain matrix products.

`accelerate(network, device)` changes how a network computes and nothing else: names and values of its weights, its
configuration and what `save_pretrained` writes stay as they were. On other devices, and for layers that it does not
know, nothing changes.

On two cores torch spends a quarter of a training step drawing Bernoulli variables one by one, and with dropout its
attention falls back to float32 products. Here 16 bits of a seeded generator decide each element, compared and scaled as
integers, and attention stays in the precision of its inputs.
"""

from __future__ import annotations

import ctypes
import functools
import math
import sys
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from xlqa.tasks.base import Features

F = TypeVar("F", bound=Features)

LEVELS = 1 << 16
"""Steps in which a dropout probability can be set: one random word of 16 bits decides one element."""

CHUNK = 1 << 20
"""Attention scores computed at a time: few enough to stay in a processor's cache, many enough to outweigh the calls."""

LEAST_WIDTH = 16
"""Narrower layers (the two outputs of the answering head) are left alone."""

ATTENTION_CLASSES = frozenset(
    name
    for family in ("Bert", "Roberta", "XLMRoberta", "Camembert", "Electra")
    for name in (f"{family}SdpaSelfAttention", f"{family}SelfAttention")
)
"""Self-attention classes of transformers (4.x and 5.x) whose arithmetic `_FastSelfAttention` knows."""

INTERMEDIATE_CLASSES = frozenset(
    f"{family}Intermediate" for family in ("Bert", "Roberta", "XLMRoberta", "Camembert", "Electra")
)
"""Their classes of the wide layer: a linear layer, then an activation."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names of two settings in glibc's malloc.h."""

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
    keep_freed_memory()
    for module in network.modules():
        if type(module) is nn.Dropout and not module.inplace:
            module.__class__ = WordDropout
        elif type(module) is nn.Linear and min(module.weight.shape) >= LEAST_WIDTH and module.bias is not None:
            module.__class__ = FusedLinear
        elif _is_known_attention(module):
            module.__class__ = _fast_class(_FastSelfAttention, type(module))
        elif _is_known_intermediate(module):
            module.__class__ = _fast_class(_FastIntermediate, type(module))


@contextmanager
def touched_embeddings(network: Any, features: F, shrinkage: float) -> Iterator[F]:
    """In this context the network embeds only the pieces that occur in some windows; afterwards it has all of them again.

    A training touches a few thousand of a multilingual model's 120,000 word embeddings. The others have no gradient, so
    that AdamW does nothing to them but decay; clearing, gathering, measuring and updating their gradients is idle work.

    Args:
        network: of transformers, with one table of input embeddings that nothing else shares.
        features: all that the network will see meanwhile; a dataclass.
        shrinkage: what the decay of the whole training multiplies an untouched row by, product of (1 - lr * decay).

    Yields:
        The features with pieces numbered as the small table is. An optimizer must be made after that.
    """
    table = network.get_input_embeddings()
    whole = table.weight
    # Numbers up to the padding's stay: models of RoBERTa's kind count positions by comparing with it.
    kept = np.union1d(features.ids, np.arange(features.template.pad + 1))
    rows = torch.from_numpy(kept.astype(np.int64)).to(whole.device)
    table.weight = nn.Parameter(whole.detach()[rows], requires_grad=whole.requires_grad)
    table.num_embeddings = len(kept)
    fewer: Any = {"ids": np.searchsorted(kept, features.ids).astype(features.ids.dtype)}
    try:
        yield replace(features, **fewer)
    finally:
        with torch.no_grad():
            whole.mul_(shrinkage).index_copy_(0, rows, table.weight)
        table.weight, table.num_embeddings = whole, len(whole)


@functools.cache
def keep_freed_memory() -> None:
    """Let glibc's malloc keep large freed blocks for this process; elsewhere nothing happens.

    A training step frees and takes the same hundreds of megabytes again and again. By default they go back to the system
    each time, and every page is cleared again when it is taken: some percent of a step.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 1 << 30)
        mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)


def _is_known_attention(module: nn.Module) -> bool:
    """Whether a module is a plain bidirectional self-attention, computed by torch's fused kernel so far."""
    if type(module).__name__ not in ATTENTION_CLASSES or isinstance(module, _FastSelfAttention):
        return False
    config = getattr(module, "config", None)
    fused = "Sdpa" in type(module).__name__ or getattr(config, "_attn_implementation", None) == "sdpa"
    absolute = getattr(module, "position_embedding_type", None) in (None, "absolute")
    return fused and absolute and not getattr(module, "is_decoder", False)


def _is_known_intermediate(module: nn.Module) -> bool:
    """Whether a module is a linear layer followed by GELU in its exact form."""
    if type(module).__name__ not in INTERMEDIATE_CLASSES or isinstance(module, _FastIntermediate):
        return False
    activation = getattr(module, "intermediate_act_fn", None)
    return getattr(activation, "act", activation) is nn.functional.gelu


_fast_classes: dict[str, type[nn.Module]] = {}


def _fast_class(fast: type[nn.Module], known: type[nn.Module]) -> type[nn.Module]:
    name = f"{known.__module__}.{known.__name__}"
    if name not in _fast_classes:
        _fast_classes[name] = type(known.__name__, (fast, known), {"__module__": known.__module__})
    return _fast_classes[name]


def keep_flags(shape: Sequence[int], p: float) -> tuple[torch.Tensor, float]:
    """What dropout keeps: int16 ones, and zeros with probability p; and the factor 1 / (1 - p) for the kept.

    p is rounded to a multiple of 1 / LEVELS. Every element is decided by its own 16 bits of an SFC64 stream, which is
    seeded by one draw from torch's generator: the same `torch.manual_seed` gives the same flags on any number of threads.
    """
    cut = round(p * LEVELS)
    count = math.prod(shape)
    seed = int(torch.randint(2**62, ()))
    words = torch.from_numpy(np.random.SFC64(seed).random_raw(-(-count // 4)).view(np.int16))[:count].view(shape)
    return torch.ge(words, cut - LEVELS // 2, out=words), LEVELS / (LEVELS - cut)


def keep_mask(shape: Sequence[int], p: float, dtype: torch.dtype) -> torch.Tensor:
    """A dropout mask: 0 with probability p, else 1 / (1 - p), which bfloat16 rounds by 0.2 % at most, as torch's own does."""
    flags, factor = keep_flags(shape, p)
    scale = torch.tensor(factor, dtype=dtype)
    if dtype == torch.bfloat16:
        # 0 or 1 times the bits of the scale are the bits of 0.0 or of the scale.
        return flags.mul_(int(scale.view(torch.int16))).view(torch.bfloat16)
    return flags.to(dtype).mul_(scale)


def _drop(values: torch.Tensor, flags: torch.Tensor) -> torch.Tensor:
    """The values where flags are 1, and 0.0 elsewhere."""
    if values.dtype == torch.bfloat16:
        return (values.view(torch.int16) * flags).view(torch.bfloat16)
    return values * flags.to(values.dtype)


class WordDropout(nn.Dropout):
    """`nn.Dropout` whose masks come from `keep_mask`; on other devices and in evaluation it is `nn.Dropout` itself."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """The input with elements dropped, in training."""
        if not self.training or not 0 < self.p < 1 or input.device.type != "cpu":
            return super().forward(input)
        return input * keep_mask(input.shape, self.p, input.dtype)


class FusedLinear(nn.Linear):
    """`nn.Linear` that adds its bias inside the matrix product under bfloat16 autocast on a CPU; the outcome is the same."""

    def train(self, mode: bool = True) -> FusedLinear:
        """Forget the bfloat16 weights kept for evaluation: fused optimizers change weights without counting it."""
        self.__dict__.pop("_low", None)
        super().train(mode)
        return self

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(..., in) to (..., out)."""
        return project(input, (self,)) if _computes_low(input) else super().forward(input)


def _computes_low(input: torch.Tensor) -> bool:
    """Whether torch would compute a product of this tensor in bfloat16 on a CPU."""
    on = input.device.type == "cpu" and torch.is_autocast_enabled("cpu")
    return on and torch.get_autocast_dtype("cpu") == torch.bfloat16


def project(input: torch.Tensor, parts: Sequence[nn.Linear]) -> torch.Tensor:
    """The outputs of linear layers side by side, (..., in) to (..., sum of out), as one product."""
    if _computes_low(input) and _fused_product() is not None:
        if not torch.is_grad_enabled():
            return _product(input, parts)
        apply: Any = _Project.apply
        output: torch.Tensor = apply(input, *(part.weight for part in parts), *(part.bias for part in parts))
        return output
    weight, bias = torch.cat([part.weight for part in parts]), torch.cat([part.bias for part in parts])
    return nn.functional.linear(input, weight, bias)


@functools.cache
def _fused_product() -> Any:
    """oneDNN's product with bias, which torch.compile uses too: (input, weight, bias, "none", [], ""); None without it.

    `torch.nn.functional.linear` first fills its output with the bias and then adds the product to that.
    """
    product = getattr(getattr(torch.ops, "mkldnn", None), "_linear_pointwise", None)
    try:
        wanted = torch.ones(2, 2, dtype=torch.bfloat16)
        found = product(wanted, wanted, wanted[0], "none", [], "") if product else None
    except (RuntimeError, NotImplementedError, TypeError):
        # Built without oneDNN, a processor without bfloat16, or another signature in another torch: plain layers do the same.
        return None
    return product if found is not None and torch.equal(found, wanted * 3) else None


def _product(input: torch.Tensor, parts: Sequence[nn.Linear], activation: str = "none") -> torch.Tensor:
    """What `project` gives where no gradient is wanted, with an activation of oneDNN's on it."""
    weight, bias = _low_weights(parts)
    flat = input.reshape(-1, input.shape[-1]).to(torch.bfloat16)
    found: torch.Tensor = _fused_product()(flat, weight, bias, activation, [], "none")
    return found.view(*input.shape[:-1], -1)


def _low_weights(parts: Sequence[nn.Linear]) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights and biases of layers side by side in bfloat16; kept with the first layer until one of them changes.

    Evaluation asks for them in every batch, and converting them took a tenth of its products' time.
    """
    sources = [p for part in parts for p in (part.weight, part.bias)]
    state = [(id(p), p.data_ptr(), p._version) for p in sources]
    known: Any = parts[0].__dict__.get("_low")
    if known is None or known[0] != state:
        # The sources are kept too, so that no other tensor can come to their ids meanwhile.
        known = (state, sources, _join_low(sources[::2]), _join_low(sources[1::2]))
        parts[0].__dict__["_low"] = known
    return known[2], known[3]


class _Project(torch.autograd.Function):
    """The arithmetic of `project` in bfloat16; gradients of the weights come back in their own precision."""

    @staticmethod
    def forward(ctx: Any, input: torch.Tensor, *weights_and_biases: torch.Tensor) -> torch.Tensor:
        half = len(weights_and_biases) // 2
        weight, bias = (_join_low(parts) for parts in (weights_and_biases[:half], weights_and_biases[half:]))
        low = input.reshape(-1, input.shape[-1]).to(torch.bfloat16)
        ctx.save_for_backward(low, weight)
        ctx.kind, ctx.sizes = (
            (input.dtype, weights_and_biases[0].dtype),
            [len(part) for part in weights_and_biases[half:]],
        )
        product: torch.Tensor = _fused_product()(low, weight, bias, "none", [], "")
        return product.view(*input.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        low, weight = ctx.saved_tensors
        input_kind, weight_kind = ctx.kind
        flat = grad.reshape(-1, grad.shape[-1])
        back = (flat @ weight).view(*grad.shape[:-1], -1).to(input_kind) if ctx.needs_input_grad[0] else None
        if not any(ctx.needs_input_grad[1:]):  # frozen, but not what is below
            return back, *[None] * (2 * len(ctx.sizes))
        weights = torch.split((flat.t() @ low).to(weight_kind), ctx.sizes)
        biases = torch.split(flat.sum(dim=0).to(weight_kind), ctx.sizes)
        return back, *weights, *biases


def _join_low(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    low = [part.to(torch.bfloat16) for part in parts]
    return low[0] if len(low) == 1 else torch.cat(low)


class _FastIntermediate(nn.Module):
    """Put before the wide layer's class of transformers: where no gradient is wanted GELU is computed within the product."""

    dense: nn.Linear

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """(..., hidden) to (..., intermediate); GELU sees its input before that is rounded to bfloat16."""
        if torch.is_grad_enabled() or not _computes_low(hidden_states) or _fused_product() is None:
            output: torch.Tensor = super().forward(hidden_states)
            return output
        return _product(hidden_states, (self.dense,), "gelu")


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
        """(output, None), as the class it replaces; unusual requests go to that class."""
        wanted = (*args, *(kwargs.get(name) for name in UNUSUAL))
        unusual = any(value is not None and value is not False for value in wanted)
        low = _computes_low(hidden_states)
        p = float(self.dropout.p) if self.training else 0.0
        if unusual or hidden_states.device.type != "cpu" or p >= 1 or not (p or low):
            return super().forward(hidden_states, attention_mask, *args, **kwargs)
        parts = (self.query, self.key, self.value)
        if all(isinstance(part, nn.Linear) for part in parts):
            projected = project(hidden_states, parts)
        else:  # LoRA's layers, which compute more than their weights
            projected = torch.cat([part(hidden_states) for part in parts], dim=-1)
        return attend(projected, attention_mask, self.num_attention_heads, p), None


def _additive(mask: torch.Tensor | None, dtype: torch.dtype) -> tuple[torch.Tensor | None, int]:
    """An attention mask as a term of the scores of the keys from the first masked one on, and that key's number.

    Windows of like length lack but their last keys. A boolean mask is true where attention is allowed.
    """
    if mask is None:
        return None, 0
    rows, plain = (mask.view(torch.uint8), 1) if mask.dtype == torch.bool else (mask, 0)
    rows = rows.flatten(0, -2)
    masked = ((rows.amin(dim=0) != plain) | (rows.amax(dim=0) != plain)).nonzero()
    if len(masked) == 0:
        return None, 0
    first = int(masked[0])
    tail = mask[..., first:]
    if mask.dtype == torch.bool:
        tail = torch.zeros(tail.shape, dtype=dtype).masked_fill_(~tail, torch.finfo(dtype).min)
    return tail.to(dtype), first


_last_mask: tuple[Any, torch.dtype, tuple[torch.Tensor | None, int]] | None = None


def _remembered(mask: torch.Tensor | None, dtype: torch.dtype) -> tuple[torch.Tensor | None, int]:
    """As `_additive`; every layer of a network asks with the same mask."""
    global _last_mask
    if mask is None or not torch.is_inference(mask):
        # Elsewhere a mask may be changed in place between two layers.
        return _additive(mask, dtype)
    if _last_mask is None or _last_mask[0]() is not mask or _last_mask[1] != dtype:
        _last_mask = (weakref.ref(mask), dtype, _additive(mask, dtype))
    return _last_mask[2]


def attend(projected: torch.Tensor, mask: torch.Tensor | None, heads: int, p: float) -> torch.Tensor:
    """Softmax attention with dropout on its weights.

    Args:
        projected: (B, L, 3 * heads * depth) queries, keys and values side by side.
        mask: boolean, true where attention is allowed, or added to the scores: (B, 1, L or 1, L), or None.
        heads: number of heads; p: share of the weights that is dropped, below 1.

    Returns:
        (B, L, heads * depth).
    """
    tail, first = _remembered(mask, projected.dtype)
    apply: Any = _Attention.apply
    output: torch.Tensor = apply(projected, tail, first, heads, p)
    return output


def _chunks(batch: int, heads: int, length: int) -> Iterator[tuple[slice, slice]]:
    """The windows of a batch, a few at a time, and the rows of (window, head) that are theirs."""
    step = max(1, CHUNK // (heads * length * length))
    for low in range(0, batch, step):
        yield slice(low, low + step), slice(low * heads, (low + step) * heads)


class _Attention(torch.autograd.Function):
    """The arithmetic of `attend`, a few windows at a time; keeps weights and dropout flags for the way back."""

    @staticmethod
    def forward(ctx: Any, projected: torch.Tensor, tail: torch.Tensor | None, first: int, heads: int, p: float) -> Any:
        batch, length, width = projected.shape
        depth = width // 3 // heads
        split = projected.view(batch, length, 3, heads, depth).permute(2, 0, 3, 1, 4).contiguous()
        query, key, value = split.view(3, batch * heads, length, depth).unbind(0)
        query.mul_(depth**-0.5)
        square = (batch * heads, length, length)
        weights = torch.empty(square, dtype=query.dtype) if ctx.needs_input_grad[0] else None
        flags, factor = keep_flags(square, p) if p else (None, 1.0)
        output = torch.empty_like(query)
        for windows, rows in _chunks(batch, heads, length):
            scores = torch.bmm(query[rows], key[rows].transpose(1, 2))
            if tail is not None:
                scores.view(-1, heads, length, length)[..., first:].add_(tail[windows])
            found = torch.softmax(scores, dim=-1, out=None if weights is None else weights[rows])
            torch.bmm(found if flags is None else _drop(found, flags[rows]), value[rows], out=output[rows])
        ctx.save_for_backward(query, key, value, weights, flags)
        ctx.sizes, ctx.factor = (batch, length, heads, depth), factor
        if p:
            output.mul_(factor)
        return output.view(batch, heads, length, depth).transpose(1, 2).reshape(batch, length, heads * depth)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None, None, None]:
        query, key, value, weights, flags = ctx.saved_tensors
        batch, length, heads, depth = ctx.sizes
        grad = grad.view(batch, length, heads, depth).transpose(1, 2).reshape(batch * heads, length, depth)
        if flags is not None:
            grad = grad * ctx.factor
        found = torch.empty((3, batch * heads, length, depth), dtype=grad.dtype)
        for _, rows in _chunks(batch, heads, length):
            kept, change = weights[rows], torch.bmm(grad[rows], value[rows].transpose(1, 2))
            if flags is not None:
                kept, change = _drop(kept, flags[rows]), _drop(change, flags[rows])
            torch.bmm(kept.transpose(1, 2), grad[rows], out=found[2, rows])
            scores = torch._softmax_backward_data(change, weights[rows], -1, change.dtype)
            torch.bmm(scores, key[rows], out=found[0, rows])
            torch.bmm(scores.transpose(1, 2), query[rows], out=found[1, rows])
        found[0].mul_(depth**-0.5)
        joined = found.view(3, batch, heads, length, depth).permute(1, 3, 0, 2, 4)
        return joined.reshape(batch, length, 3 * heads * depth), None, None, None, None
