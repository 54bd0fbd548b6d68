"""From logits to answers: the best span over all windows of a question.

A span's score is p(start) * p(end), each a softmax over a window's [CLS] and paragraph pieces, in float32: a window that
looks unanswered puts its mass on [CLS] and so loses to another window. The answer is the text whose scores, summed over the windows
that find it best, are highest; it is placed where the window with its highest score found it. run_qa compares raw sums
of logits instead, which a window's constant can shift.

Where a model may leave a question unanswered, the score of no answer is p(start) * p(end) at [CLS], the least over the question's
windows. The answer is none where the logarithm of that score exceeds the best span's by more than a threshold: the rule of the
published recipes for SQuAD 2.0 (Devlin et al. 2019), which on one window is the same difference of logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from xlqa.tasks.qa.windows import Windows, trim_span

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Span:
    """An answer: `context[start:end] == text`, without blanks at its ends, and its score between 0 and 1."""

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


def null_margins(windows: Windows, null: FloatArray, score: FloatArray) -> npt.NDArray[np.float64]:
    """(Q,) how far the score of no answer exceeds the best span's, in nats; infinity where a question has no span.

    Args:
        windows: W windows of Q questions.
        null: (W,) log-probabilities of [CLS] as start and as end, together.
        score: (W, K) log-probabilities of spans, minus infinity for none.
    """
    least, best = np.zeros(windows.questions), np.full(windows.questions, -np.inf)
    np.minimum.at(least, windows.question, null)
    np.maximum.at(best, windows.question, score.max(axis=1))
    margins: npt.NDArray[np.float64] = least - best
    return margins


def choose_threshold(
    margins: npt.NDArray[np.float64], answered: npt.NDArray[np.float64], unanswered: npt.NDArray[np.float64]
) -> float:
    """The threshold on `margins` with the greatest sum of scores; of equally good ones the nearest to 0.

    Args:
        margins: (Q,) as `null_margins`; a question whose margin is greater than the threshold is left unanswered.
        answered, unanswered: (Q,) its score with its best span, and without an answer.

    Between two margins the threshold is their mean; below all of them it is 1 less than the least, above all of them 1 more than
    the greatest. 0 is among the candidates. A validation part chooses, never a test set: the official script's `best_f1` is
    the same choice made on the set that it scores, an upper bound (Rajpurkar et al. 2018).
    """
    known = np.unique(margins[np.isfinite(margins)])
    if not len(known):
        return 0.0
    between = (known[:-1] + known[1:]) / 2
    candidates = np.concatenate([[0.0, known[0] - 1, known[-1] + 1], between])
    candidates = candidates[np.argsort(np.abs(candidates), kind="stable")]
    order = np.argsort(margins, kind="stable")
    gains = np.concatenate([[0.0], np.cumsum((answered - unanswered)[order])])
    totals = gains[np.searchsorted(margins[order], candidates, side="right")]
    # Sums of many scores differ in their last digits where they are equal.
    return float(candidates[np.flatnonzero(totals >= totals.max() - 1e-9)[0]])


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
        (Q,) lists of spans, the answer first; an empty list where no window has a span with a character that is not a blank.
        A span's score is that of its best window. The answer does not depend on K: each window votes with its best span
        alone, and texts without a vote follow by score.
    """
    found: list[dict[str, _Candidate]] = [{} for _ in range(windows.questions)]
    for w, k in np.argwhere(np.isfinite(score)):
        owner = int(windows.question[w])
        begin, stop = trim_span(
            contexts[owner],
            int(windows.char_start[windows.starts[w] + first[w, k]]),
            int(windows.char_end[windows.starts[w] + last[w, k]]),
        )
        if begin == stop:
            continue
        text = contexts[owner][begin:stop]
        value = float(np.exp(score[w, k]))
        candidate = found[owner].setdefault(text.lower(), _Candidate(Span(text, begin, stop, value)))
        candidate.votes += value if k == 0 else 0.0
        if value > candidate.span.score:
            candidate.span = Span(text, begin, stop, value)
    return [[candidate.span for candidate in sorted(c.values(), key=_rank)] for c in found]


@dataclass(slots=True)
class _Candidate:
    """A text that windows found: where its best window found it, and the sum of the scores of windows that find it best."""

    span: Span
    votes: float = 0.0


def _rank(candidate: _Candidate) -> tuple[float, float]:
    return -candidate.votes, -candidate.span.score
