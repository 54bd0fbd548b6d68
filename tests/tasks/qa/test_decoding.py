"""Decoding holds against a search over all pairs."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xlqa.tasks.qa.decoding import best_spans, merge_windows, span_probabilities
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
