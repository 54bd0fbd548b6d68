"""Passes of a training as CUDA graphs, one for each shape: the host starts a graph instead of about a thousand kernels.

Experimental, and off unless XLQA_CUDA_GRAPHS=1 is set: capture is not tested on a GPU. Where it fails, the plain pass is computed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from logging import getLogger
from typing import Any

import torch

VARIABLE = "XLQA_CUDA_GRAPHS"

PLAIN_PASSES = 2
"""Passes of a shape before it is captured: libraries set themselves up in the first one, and rare shapes do not pay."""

Tensors = Mapping[str, torch.Tensor]
Compute = Callable[[Tensors, Any], torch.Tensor]
Capture = Callable[[Compute, Tensors, torch.Tensor], tuple[Callable[[], object], torch.Tensor]]

log = getLogger(__name__)


class GraphedPass:
    """Computes what `compute` does: adds a batch's gradients to those of the weights, and returns its loss.

    Gradients must stay where they are between two passes: set them to zero, not to None, or call `forget`. As a context it
    moves all work to one stream, on which graphs can be captured.

    Args:
        compute: takes a batch's tensors and the number that its loss is divided by, an integer or a tensor.
        device: as torch names it.
        capture: records a pass on tensors that keep their place; returns what computes it again, and its loss.
    """

    def __init__(self, compute: Compute, device: str, capture: Capture | None = None) -> None:
        self.compute, self.capture, self.works = compute, capture or self._capture, True
        self.stream: torch.cuda.Stream | None = None
        if device.startswith("cuda"):
            self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.context = ExitStack()
        self.forget()

    def __enter__(self) -> GraphedPass:
        if self.stream is not None:
            self.stream.wait_stream(torch.cuda.current_stream(self.stream.device))
            self.context.enter_context(torch.cuda.stream(self.stream))
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()
        if self.stream is not None:
            torch.cuda.current_stream(self.stream.device).wait_stream(self.stream)
        self.forget()

    def forget(self) -> None:
        """Drop all graphs: the gradients, or what else they compute with, moved."""
        self.graphs: dict[Any, tuple[Tensors, torch.Tensor, Callable[[], object], torch.Tensor]] = {}
        self.seen: Counter[Any] = Counter()
        self.pool: Any = None

    def __call__(self, tensors: Tensors, weight: int) -> torch.Tensor:
        """The loss of a batch; its gradients are added to those that are there."""
        shape = tuple((name, tuple(tensor.shape)) for name, tensor in sorted(tensors.items()))
        self.seen[shape] += 1
        if shape not in self.graphs and (not self._is_due(shape) or not self._add(shape, tensors)):
            return self.compute(tensors, weight)
        inputs, divisor, replay, loss = self.graphs[shape]
        for name, tensor in tensors.items():
            inputs[name].copy_(tensor)
        divisor.fill_(weight)
        replay()
        return loss.clone()

    def _is_due(self, shape: Any) -> bool:
        return self.works and self.seen[shape] > PLAIN_PASSES

    def _add(self, shape: Any, tensors: Tensors) -> bool:
        """Capture a pass; returns whether that worked. Nothing is computed meanwhile."""
        inputs = {name: tensor.clone() for name, tensor in tensors.items()}
        divisor = torch.ones((), device=inputs["input_ids"].device)
        try:
            self.graphs[shape] = (inputs, divisor, *self.capture(self.compute, inputs, divisor))
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            log.warning("no CUDA graph could be captured (%s): the training continues without.", error)
            self.works = False
        return self.works

    def _capture(
        self, compute: Compute, inputs: Tensors, divisor: torch.Tensor
    ) -> tuple[Callable[[], object], torch.Tensor]:
        graph = torch.cuda.CUDAGraph()
        # All graphs share their memory: they run one after another, and none needs what another one left.
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
            loss = compute(inputs, divisor)
        self.pool = graph.pool()
        return graph.replay, loss


def make_graphs(compute: Compute, device: str) -> GraphedPass | None:
    """Graphs for a training on a GPU where the environment asks for them."""
    wanted = device.startswith("cuda") and os.environ.get(VARIABLE) == "1"
    return GraphedPass(compute, device) if wanted else None
