"""Decoding holds against a search over all pairs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xlqa.tasks.base import HeadOptions
from xlqa.tasks.qa.decoding import best_spans, choose_threshold, merge_windows, null_margins, span_probabilities
from xlqa.tasks.qa.network import SpanHead
from xlqa.tasks.qa.windows import Template, Windows


def all_pairs(start: torch.Tensor, end: torch.Tensor, inside: torch.Tensor, most: int) -> list[tuple[float, int, int]]:
    found = [
        (float(start[s] + end[e]), s, e)
        for s in range(len(start))
        for e in range(s, min(s + most, len(end)))
        if inside[s] and inside[e]
    ]
    return sorted(found, key=lambda item: -item[0])


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 10_000), st.integers(1, 6))
def test_best_spans_are_the_best(width: int, most: int, seed: int, top: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    start, end = torch.randn(3, width, generator=generator), torch.randn(3, width, generator=generator)
    low, high = sorted(torch.randint(0, width + 1, (2,), generator=generator).tolist())
    inside = torch.zeros(3, width, dtype=torch.bool)
    inside[:, low:high] = True
    score, first, last = best_spans(start, end, inside, most, top)
    for row in range(3):
        wanted = all_pairs(start[row], end[row], inside[row], most)[:top]
        got = [
            (float(v), int(f), int(la))
            for v, f, la in zip(score[row], first[row], last[row], strict=True)
            if torch.isfinite(v)
        ]
        assert [(f, la) for _, f, la in got] == [(s, e) for _, s, e in wanted[: len(got)]]
        assert len(got) == min(len(wanted), top if top > 1 else 1, score.shape[1])


def test_one_and_many_agree() -> None:
    generator = torch.Generator().manual_seed(1)
    start, end = torch.randn(5, 60, generator=generator), torch.randn(5, 60, generator=generator)
    inside = torch.ones(5, 60, dtype=torch.bool)
    one, many = best_spans(start, end, inside, 7), best_spans(start, end, inside, 7, 5)
    for a, b in zip(one, many, strict=True):
        assert torch.equal(a[:, 0], b[:, 0])


def test_padding_changes_nothing() -> None:
    logits, scored = torch.randn(2, 20), torch.ones(2, 20, dtype=torch.bool)
    wide = torch.nn.functional.pad(logits, (0, 12), value=99.0)
    mask = torch.nn.functional.pad(scored, (0, 12), value=False)
    torch.testing.assert_close(span_probabilities(wide, mask)[:, :20], span_probabilities(logits, scored))


def _windows(spans: list[list[tuple[int, int]]], owners: list[int], questions: int) -> Windows:
    flat = [pair for window in spans for pair in window]
    lengths = [len(window) for window in spans]
    return Windows(
        ids=np.zeros(len(flat), dtype=np.int32),
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        question=np.array(owners, dtype=np.int32),
        context_from=np.zeros(len(spans), dtype=np.int32),
        context_to=np.array(lengths, dtype=np.int32),
        char_start=np.array([a for a, _ in flat], dtype=np.int32),
        char_end=np.array([b for _, b in flat], dtype=np.int32),
        questions=questions,
        template=Template((), (), (), 1, True, 0, 0),
    )


def test_windows_that_agree_add_up_and_answers_are_cut_from_the_text() -> None:
    context = "Mara  vive en Río"
    windows = _windows([[(0, 4), (6, 10)], [(6, 10), (14, 17)], [(14, 17)]], [0, 0, 0], 2)
    score = np.log(np.array([[0.3, 0.1], [0.35, 0.25], [0.4, np.nan]], dtype=np.float32))
    first, last = np.array([[1, 0], [0, 1], [0, 0]]), np.array([[1, 0], [0, 1], [0, 0]])
    spans, nothing = merge_windows(windows, [context, "x"], score, first, last)
    # Two windows vote for "vive", one for "Río" with a higher score than either; "Mara" is no window's best.
    assert [s.text for s in spans] == ["vive", "Río", "Mara"]
    assert [round(s.score, 6) for s in spans] == [0.35, 0.4, 0.1]
    assert context[spans[1].start : spans[1].end] == "Río"
    assert nothing == []


def test_an_answer_is_placed_where_its_best_window_found_it() -> None:
    context = "The list says 1887. Opened in 1887."
    windows = _windows([[(14, 18)], [(30, 34)]], [0, 0], 1)
    score, at = np.log(np.array([[0.1], [0.9]], dtype=np.float32)), np.zeros((2, 1), dtype=np.int64)
    (spans,) = merge_windows(windows, [context], score, at, at)
    assert [(s.text, s.start) for s in spans] == [("1887", 30)]
    assert abs(spans[0].score - 0.9) < 1e-6


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 5))
def test_scores_are_probabilities_and_the_answer_does_not_depend_on_top(seed: int, count: int, most: int) -> None:
    generator = np.random.default_rng(seed)
    context = "a b a c b a d"
    windows = _windows([[(2 * i, 2 * i + 1) for i in range(7)]] * count, [0] * count, 1)
    pieces = np.array([generator.permutation(7)[:most] for _ in range(count)])
    score = -np.sort(generator.exponential(size=(count, most)).astype(np.float32), axis=1)
    (many,) = merge_windows(windows, [context], score, pieces, pieces)
    (one,) = merge_windows(windows, [context], score[:, :1], pieces[:, :1], pieces[:, :1])
    assert many[0].text == one[0].text
    assert all(0 <= span.score <= 1 and context[span.start : span.end] == span.text for span in many)


def test_answers_have_no_blanks_at_their_ends() -> None:
    context = "Mara vive\u00a0en"
    windows = _windows([[(0, 4), (4, 9), (9, 10), (9, 12)]], [0], 1)
    score, first, last = np.log([[0.5, 0.3, 0.2]]), np.array([[1, 2, 3]]), np.array([[2, 2, 3]])
    (spans,) = merge_windows(windows, [context], score.astype(np.float32), first, last)
    assert [(s.text, s.start, s.end) for s in spans] == [("vive", 5, 9), ("en", 10, 12)]


def test_no_answer_competes_with_the_best_span_of_any_window() -> None:
    """Two windows of question 0, one each of the questions 1 and 2; the scores of no answer are the least over windows."""
    windows = _windows([[(0, 1)]] * 4, [0, 0, 1, 2], 3)
    null = np.log(np.array([0.9, 0.1, 0.6, 0.9], dtype=np.float32))
    spans = np.log(np.array([[0.05, 0.01], [0.8, 0.1], [0.2, 0.1], [1, 1]], dtype=np.float32))
    spans[3] = -np.inf
    margins = null_margins(windows, null, spans)
    np.testing.assert_allclose(margins[:2], [np.log(0.1 / 0.8), np.log(0.6 / 0.2)], rtol=1e-6)
    assert margins[2] == np.inf  # without a span there is no answer


def test_the_head_leaves_a_question_unanswered_above_the_threshold() -> None:
    """[CLS] and three pieces: start and end logits 2, 1, 0, 0 and 1, 0, 3, 0 make the best span "b c", 1 above no answer."""
    context = "b c d"
    windows = _windows([[(0, 0), (0, 1), (2, 3), (4, 5)]], [0], 1)
    output = SimpleNamespace(
        start_logits=torch.tensor([[2.0, 1.0, 0.0, 0.0]]), end_logits=torch.tensor([[1.0, 0.0, 3.0, 0.0]])
    )
    tensors = {"scored": torch.ones(1, 4, dtype=torch.bool)}
    for threshold, text in ((None, "b c"), (-0.9, "b c"), (-1.1, "")):
        head = SpanHead(HeadOptions(null_threshold=threshold))
        decoded = [(np.array([0]), tuple(t.numpy() for t in head.decode(output, tensors, windows, 2)))]
        ((first, *others),) = head.predict(windows, [[context]], decoded, 2)
        alone = [(np.array([0]), tuple(t.numpy() for t in head.decode(output, tensors, windows, 1)))]
        assert head.margins(windows, alone)[0] == pytest.approx(-1.0, abs=1e-6)
        assert (first.text, first.start) == (text, 0 if text else -1)
        if not text:
            assert others[0].text == "b c"
            chances = [np.exp(logits[0]) / np.exp(logits).sum() for logits in ([2.0, 1, 0, 0], [1.0, 0, 3, 0])]
            assert first.score == pytest.approx(float(np.prod(chances)), rel=1e-5)


@pytest.mark.parametrize(
    ("margins", "answered", "unanswered", "threshold"),
    [
        # The questions with an answer have the margins -3 and 1, those without 2 and 4: any threshold from 1 to 2 is right.
        ([1, -3, 4, 2], [1, 1, 0, 0], [0, 0, 1, 1], 1.5),
        # Nearest to 0 of all that are as good: 0 itself.
        ([-3, -1, 2], [1, 1, 0], [0, 0, 1], 0.0),
        # No span is ever right: below all margins; always right: above all of them.
        ([-5, -2], [0, 0], [1, 1], -6.0),
        ([1, 2], [1, 0.5], [0, 0], 3.0),
        # F1 0.4 of the middle question is worth less than leaving two unanswered.
        ([1, 2, 3], [1, 0.4, 0], [0, 1, 1], 1.5),
        # Without a span nothing is to choose.
        ([np.inf], [0], [1], 0.0),
    ],
)
def test_the_threshold_with_the_best_sum_of_scores_is_chosen(
    margins: list[float], answered: list[float], unanswered: list[float], threshold: float
) -> None:
    assert choose_threshold(*(np.array(v, dtype=np.float64) for v in (margins, answered, unanswered))) == threshold


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.floats(0, 1)), min_size=1, max_size=12))
def test_no_threshold_is_better_than_the_chosen_one(questions: list[tuple[int, bool, float]]) -> None:
    margins = np.array([margin for margin, _, _ in questions], dtype=np.float64)
    answered = np.array([f1 if has else 0.0 for _, has, f1 in questions])
    unanswered = np.array([float(not has) for _, has, _ in questions])

    def total(threshold: float) -> float:
        return float(np.where(margins > threshold, unanswered, answered).sum())

    best = max(total(threshold) for threshold in np.arange(-4.5, 4.5, 0.5))
    assert abs(total(choose_threshold(margins, answered, unanswered)) - best) < 1e-6
