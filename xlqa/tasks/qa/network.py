"""The question-answering head: two logits a piece, for the start and the end of the answer (Devlin et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xlqa.tasks.base import Head
from xlqa.tasks.qa.decoding import Span, best_spans, merge_windows, span_probabilities
from xlqa.tasks.qa.windows import Labels, Windows

Index = npt.NDArray[np.int64]
Decoded = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class SpanHead(Head):
    """Finds answers in windows."""

    auto_class = "AutoModelForQuestionAnswering"
    what = "question-answering head"

    def loss(self, output: Any, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Sum over a batch of (cross-entropy of start + of end) / 2, over [CLS] and paragraph pieces only.

        Args:
            tensors: `scored` (B, L), `start` and `end` (B,).
        """
        scored = tensors["scored"]
        total = torch.zeros((), device=scored.device)
        for logits, gold in ((output.start_logits, tensors["start"]), (output.end_logits, tensors["end"])):
            masked = logits.float().masked_fill(~scored, float("-inf"))
            total = total + torch.nn.functional.cross_entropy(masked, gold, reduction="sum")
        return total / 2

    def guess_loss(self, features: Windows, labels: Labels) -> float:
        """Mean loss of guessing every scored piece alike."""
        return float(np.log(1 + features.context_to - features.context_from).mean())

    def decode(self, output: Any, tensors: Mapping[str, torch.Tensor], features: Windows, top: int) -> Decoded:
        """Score, first and last piece of the best `top` spans of each window: (B, K) each, K <= top."""
        scored = tensors["scored"]
        inside = scored.clone()
        inside[:, features.template.cls_index] = False
        start, end = span_probabilities(output.start_logits, scored), span_probabilities(output.end_logits, scored)
        return best_spans(start, end, inside, self.options.max_answer_length, top)

    def predict(
        self, features: Windows, inputs: Sequence[Sequence[str]], decoded: Sequence[tuple[Index, Any]], top: int
    ) -> list[list[Span]]:
        """The best `top` spans of each question, best first; fewer where a paragraph has fewer."""
        count = len(features.question)
        score = np.full((count, top), -np.inf, dtype=np.float32)
        first, last = np.zeros((count, top), dtype=np.int64), np.zeros((count, top), dtype=np.int64)
        for batch, (values, firsts, lasts) in decoded:
            found = values.shape[1]
            score[batch, :found], first[batch, :found], last[batch, :found] = values, firsts, lasts
        return [spans[:top] for spans in merge_windows(features, inputs[0], score, first, last)]
