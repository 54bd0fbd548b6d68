"""From logits to answers: the best span over all windows of a question.

A span's score is p(start) * p(end), each a softmax over a window's [CLS] and paragraph pieces, in float32: a window that
looks unanswered puts its mass on [CLS] and so bows to another. Windows that find the same text add their scores. This is
what transformers' question-answering pipeline computes; run_qa compares raw sums of logits instead, which a window's
constant can shift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from xlqa.tasks.qa.windows import Windows

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Span:
    """An answer: `context[start:end] == text`, and its score between 0 and 1."""

    text: str
    start: int
    end: int
    score: float


def span_probabilities(logits: torch.Tensor, scored: torch.Tensor) -> torch.Tensor:
    """(B, L) log-probabilities of positions in float32; minus infinity where `scored` is false."""
    return torch.log_softmax(logits.float().masked_fill(~scored, float("-inf")), dim=-1)


def best_spans(
    start: torch.Tensor, end: torch.Tensor, inside: torch.Tensor, most_pieces: int, top: int = 1
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The best spans of each window.

    Args:
        start, end: (B, L) log-probabilities.
        inside: (B, L) bool, true on the paragraph's pieces: where a span may begin and end.
        most_pieces: longest span, in pieces.
        top: spans a window.

    Returns:
        score, first, last: (B, top); a score of minus infinity means that there is no such span.

    With top = 1 the work is L * most_pieces, without a table of all pairs.
    """
    nothing = float("-inf")
    start, end = start.masked_fill(~inside, nothing), end.masked_fill(~inside, nothing)
    width = start.shape[1]
    reach = min(most_pieces, width)
    ends = torch.nn.functional.pad(end, (0, reach - 1), value=nothing).unfold(1, reach, 1)
    if top == 1:
        best_end, offset = ends.max(dim=2)
        score, first = (start + best_end).max(dim=1, keepdim=True)
        return score, first, first + offset.gather(1, first)
    pairs = (start.unsqueeze(2) + ends).flatten(1)
    score, flat = pairs.topk(min(top, pairs.shape[1]), dim=1)
    first = flat // reach
    return score, first, first + flat % reach


def merge_windows(
    windows: Windows,
    contexts: Sequence[str],
    score: FloatArray,
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
) -> list[list[Span]]:
    """The spans of each question, best first, from those of its windows.

    Args:
        windows: W windows of Q questions.
        contexts: (Q,) paragraphs, from which answers are cut by offsets.
        score: (W, K) log-probabilities; first, last: (W, K) positions in the window, inclusive.

    Returns:
        (Q,) lists of spans; an empty list where a question has no window with a piece of its paragraph.
    """
    found: list[dict[str, Span]] = [{} for _ in range(windows.questions)]
    for w, k in np.argwhere(np.isfinite(score)):
        begin = int(windows.char_start[windows.starts[w] + first[w, k]])
        stop = int(windows.char_end[windows.starts[w] + last[w, k]])
        owner = int(windows.question[w])
        text = contexts[owner][begin:stop]
        value = float(np.exp(score[w, k]))
        same = found[owner].get(text.lower())
        kept = (
            Span(text, begin, stop, value)
            if same is None
            else Span(same.text, same.start, same.end, same.score + value)
        )
        found[owner][text.lower()] = kept
    return [sorted(spans.values(), key=lambda span: -span.score) for spans in found]
