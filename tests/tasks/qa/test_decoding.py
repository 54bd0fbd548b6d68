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
    windows = _windows([[(0, 4), (6, 10)], [(6, 10), (14, 17)]], [0, 0], 2)
    score = np.log(np.array([[0.4, 0.3], [0.35, 0.25]], dtype=np.float32))
    first, last = np.array([[0, 1], [1, 0]]), np.array([[0, 1], [1, 0]])
    spans, nothing = merge_windows(windows, [context, "x"], score, first, last)
    assert [s.text for s in spans] == ["vive", "Mara", "Río"]
    assert abs(spans[0].score - 0.55) < 1e-6
    assert context[spans[2].start : spans[2].end] == "Río"
    assert nothing == []
