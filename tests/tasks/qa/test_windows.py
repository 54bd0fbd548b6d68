"""Windows hold against transformers' own truncation, and their offsets against the text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xlqa.components.preprocessor import load_tokenizer
from xlqa.errors import XlqaError
from xlqa.tasks.qa.windows import Windows, WindowShape, count_unreachable, label_windows, make_windows

TEXT = st.text(alphabet="abc ñéü.,! жя人口河\u200d\u0301\U0001f600\u00a0\n", min_size=1, max_size=120)


@pytest.fixture(scope="module")
def tokenizer(encoder: Path) -> Any:
    return load_tokenizer(encoder)


def pieces(windows: Windows, index: int) -> list[int]:
    return windows.ids[windows.starts[index] : windows.starts[index + 1]].tolist()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXT, st.text(alphabet="abc ж人?", min_size=1, max_size=12)), min_size=1, max_size=4))
def test_windows_are_those_of_transformers(tokenizer: Any, pairs: list[tuple[str, str]]) -> None:
    contexts, questions = [c for c, _ in pairs], [q for _, q in pairs]
    ours = make_windows(tokenizer, contexts, questions, WindowShape(48, 8))
    theirs = tokenizer(
        questions, contexts, truncation="only_second", max_length=48, stride=8, return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )  # fmt: skip
    assert [pieces(ours, i) for i in range(len(ours.question))] == theirs["input_ids"]
    assert ours.question.tolist() == theirs["overflow_to_sample_mapping"]
    for i, offsets in enumerate(theirs["offset_mapping"]):
        low, high = ours.context_from[i], ours.context_to[i]
        at = ours.starts[i]
        found = list(zip(ours.char_start[at + low : at + high], ours.char_end[at + low : at + high], strict=True))
        assert [tuple(map(int, pair)) for pair in found] == offsets[low:high]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT, st.data())
def test_labels_point_at_the_answer(tokenizer: Any, context: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(context) - 1))
    stop = data.draw(st.integers(begin + 1, len(context)))
    windows = make_windows(tokenizer, [context], ["where"], WindowShape(40, 10))
    labels = label_windows(windows, np.array([begin]), np.array([stop]))
    for w in np.flatnonzero(labels.answered):
        at = windows.starts[w]
        assert windows.context_from[w] <= labels.start[w] <= labels.end[w] < windows.context_to[w]
        covered = context[windows.char_start[at + labels.start[w]] : windows.char_end[at + labels.end[w]]]
        # A piece may be wider than the answer's border; what it leaves out are characters without a piece of their own.
        inner = context[begin:stop]
        assert (
            covered in inner
            or inner in covered
            or covered.strip() == inner.strip()
            or set(inner) & set("\u200d\u0301 \n\u00a0")
        )
    for w in np.flatnonzero(~labels.answered):
        assert labels.start[w] == labels.end[w] == windows.template.cls_index


def test_answer_on_piece_borders_is_covered_exactly(tokenizer: Any) -> None:
    context = "mara vive en la town del río " * 12
    begin = context.index("río", 200)
    windows = make_windows(tokenizer, [context], ["dónde vive mara"], WindowShape(48, 12))
    labels = label_windows(windows, np.array([begin]), np.array([begin + 3]))
    assert len(windows.question) == 3
    assert labels.answered.any()
    for w in np.flatnonzero(labels.answered):
        at = windows.starts[w]
        span = slice(windows.char_start[at + labels.start[w]], windows.char_end[at + labels.end[w]])
        assert (span.start, context[span]) == (begin, "río")


def test_long_question_is_cut_and_context_survives(tokenizer: Any) -> None:
    windows = make_windows(tokenizer, ["mara vive en la town"], ["who " * 200], WindowShape(96, 20))
    assert windows.lengths.max() <= 96
    assert windows.context_to[0] - windows.context_from[0] == 5


def test_empty_paragraph_has_one_window_without_pieces(tokenizer: Any) -> None:
    windows = make_windows(tokenizer, ["", "mara"], ["who", "who"], WindowShape(64, 8))
    assert windows.questions == 2
    assert (windows.context_to - windows.context_from).tolist() == [0, 1]


def test_unreachable_counts_answers_that_no_window_holds(tokenizer: Any) -> None:
    context = "a b c d e f g h " * 20
    windows = make_windows(tokenizer, [context, context], ["who", "who"], WindowShape(48, 8))
    whole, short = (0, len(context)), (0, 3)
    assert count_unreachable(windows, [[whole], [whole, short]]) == 1
    assert count_unreachable(windows, [[short], [short]]) == 0


@pytest.mark.parametrize(("length", "stride"), [(16, 4), (64, 60), (384, -1)])
def test_shapes_without_room_are_refused(length: int, stride: int) -> None:
    complaint = WindowShape(length, stride).complaint()
    assert complaint
    assert "use" in complaint


def test_usual_shapes_are_fine() -> None:
    assert WindowShape(384, 128).complaint() is None
    assert WindowShape(384, 128).max_question == 237


def test_folder_without_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match="no tokenizer"):
        load_tokenizer(tmp_path)
