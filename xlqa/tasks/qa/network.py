"""The question-answering head: two logits a piece, for the start and the end of the answer (Devlin et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xlqa.tasks.base import Head
from xlqa.tasks.qa.decoding import Span, best_spans, choose_threshold, merge_windows, null_margins, span_probabilities
from xlqa.tasks.qa.windows import Labels, Windows

Index = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]
Scored = npt.NDArray[np.float64]
Decoded = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


class SpanHead(Head):
    """Finds answers in windows; with a `null_threshold` it may find that there is none."""

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
        """Score, first and last piece of the best `top` spans of each window, (B, K) each, K <= top; score of no answer, (B, 1)."""
        scored, cls = tensors["scored"], features.template.cls_index
        inside = scored.clone()
        inside[:, cls] = False
        start, end = span_probabilities(output.start_logits, scored), span_probabilities(output.end_logits, scored)
        null = (start + end)[:, cls : cls + 1]
        return *best_spans(start, end, inside, self.options.max_answer_length, top), null

    def predict(
        self, features: Windows, inputs: Sequence[Sequence[str]], decoded: Sequence[tuple[Index, Any]], top: int
    ) -> list[list[Span]]:
        """The best `top` spans of each question, best first; fewer where a paragraph has fewer.

        The first one is empty, at -1, where the question is left unanswered.
        """
        score, first, last, null = _gather(features, decoded, top)
        found = merge_windows(features, inputs[0], score, first, last)
        threshold = self.options.null_threshold
        if threshold is not None:
            chances = np.zeros(features.questions)
            np.minimum.at(chances, features.question, null)
            for row in np.flatnonzero(null_margins(features, null, score) > threshold):
                found[row].insert(0, Span("", -1, -1, float(np.exp(chances[row]))))
        return [spans[:top] for spans in found]

    def margins(self, features: Windows, decoded: Sequence[tuple[Index, Any]]) -> Scored:
        """(Q,) what the threshold is compared with (`null_margins`)."""
        score, _, _, null = _gather(features, decoded, 1)
        return null_margins(features, null, score)

    def fit_threshold(
        self, features: Windows, decoded: Sequence[tuple[Index, Any]], answered: Scored, unanswered: Scored
    ) -> float:
        """The threshold with the best score (`choose_threshold`).

        Args:
            answered, unanswered: (Q,) score of each question with the best span, and without an answer.
        """
        return choose_threshold(self.margins(features, decoded), answered, unanswered)


def _gather(
    features: Windows, decoded: Sequence[tuple[Index, Any]], top: int
) -> tuple[FloatArray, Index, Index, FloatArray]:
    """What batches found in W windows: spans' scores, first and last pieces, (W, top) each; scores of no answer, (W,)."""
    count = len(features.question)
    score, null = np.full((count, top), -np.inf, dtype=np.float32), np.zeros(count, dtype=np.float32)
    first, last = np.zeros((count, top), dtype=np.int64), np.zeros((count, top), dtype=np.int64)
    for batch, (values, firsts, lasts, nulls) in decoded:
        found = values.shape[1]
        score[batch, :found], first[batch, :found], last[batch, :found] = values, firsts, lasts
        null[batch] = nulls[:, 0]
    return score, first, last, null
