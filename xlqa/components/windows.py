"""Questions and paragraphs as windows of word pieces: tokenised once, with offsets into the original text.

A window is `[CLS] question [SEP] part of the paragraph [SEP]` in the tokenizer's own template. Neighbouring windows of a
long paragraph share `stride` pieces. All windows of a data set lie in flat arrays, so that a data set of 90,000 questions
is a dozen arrays, not a million objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xlqa.errors import XlqaError

MIN_CONTEXT_STEP = 16
"""A window must move on by at least this many pieces: a question so long that it could not is cut."""

IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class WindowShape:
    """How paragraphs are cut: pieces a window, and pieces that neighbouring windows share."""

    max_length: int
    stride: int

    def complaint(self) -> str | None:
        """What is wrong with this shape, in one line, or None."""
        if self.max_length < 32:
            return f"--max-length {self.max_length} leaves no room for a question and a paragraph: use 32 or more."
        room = self.max_length - 3 - self.stride - MIN_CONTEXT_STEP
        if self.stride < 0 or room < 8:
            most = self.max_length - 3 - MIN_CONTEXT_STEP - 8
            return f"--stride {self.stride} does not fit windows of {self.max_length} pieces: use 0 to {most}."
        return None

    @property
    def max_question(self) -> int:
        """The most pieces that a question may take in a window (237 of 384 with a stride of 128)."""
        return self.max_length - 3 - self.stride - MIN_CONTEXT_STEP


@dataclass(frozen=True, slots=True)
class Template:
    """How a tokenizer joins two texts: special pieces before, between and after, and the second text's type id."""

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]
    context_type: int
    uses_types: bool
    pad: int
    cls_index: int

    @property
    def specials(self) -> int:
        """Number of special pieces in a window."""
        return len(self.before) + len(self.between) + len(self.after)


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a list of questions, W in all, T pieces together.

    Attributes:
        ids: (T,) piece numbers, window after window.
        starts: (W + 1,) where each window begins in the piece arrays.
        question: (W,) index of the question that a window belongs to, ascending.
        context_from, context_to: (W,) the window's own positions of the paragraph's part: [from, to).
        char_start, char_end: (T,) offsets of each piece in the original paragraph, in Python characters; 0 for other pieces.
        questions: number of questions; one without any window is possible only for an empty paragraph.
        template: how the pieces were joined.
    """

    ids: IntArray
    starts: npt.NDArray[np.int64]
    question: IntArray
    context_from: IntArray
    context_to: IntArray
    char_start: IntArray
    char_end: IntArray
    questions: int
    template: Template

    def __len__(self) -> int:
        return self.questions

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """(W,) pieces of each window."""
        return np.diff(self.starts)


@dataclass(frozen=True, slots=True)
class Labels:
    """Where the answer begins and ends in each window.

    Attributes:
        start, end: (W,) positions in the window, both inclusive; the [CLS] position where the window lacks the answer.
        answered: (W,) whether the window holds the whole answer.
    """

    start: IntArray
    end: IntArray
    answered: npt.NDArray[np.bool_]


def read_template(tokenizer: Any) -> Template:
    """The tokenizer's template for two texts, read off an encoded pair.

    Errors:
        XlqaError: the tokenizer is not a fast one, or does not mark its special pieces.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise XlqaError("the model's tokenizer is not a fast one: its folder needs a tokenizer.json or vocab.txt.")
    encoded = tokenizer("a", "b", add_special_tokens=True)
    ids, owners = encoded["input_ids"], encoded.sequence_ids(0)
    first = [i for i, owner in enumerate(owners) if owner == 0]
    second = [i for i, owner in enumerate(owners) if owner == 1]
    if not first or not second:
        raise XlqaError(
            "the model's tokenizer cannot join a question and a paragraph: choose an encoder of BERT's kind."
        )
    types = encoded.get("token_type_ids")
    before = tuple(ids[: first[0]])
    cls = tokenizer.cls_token_id
    return Template(
        before=before,
        between=tuple(ids[first[-1] + 1 : second[0]]),
        after=tuple(ids[second[-1] + 1 :]),
        context_type=int(types[second[0]]) if types is not None else 0,
        uses_types=types is not None and "token_type_ids" in tokenizer.model_input_names,
        pad=int(tokenizer.pad_token_id or 0),
        cls_index=before.index(cls) if cls in before else 0,
    )


@dataclass(frozen=True, slots=True)
class _Pieces:
    """One text's pieces: (n,) numbers and (n,) offsets."""

    ids: IntArray
    start: IntArray
    end: IntArray


def _tokenize_each(tokenizer: Any, texts: Sequence[str]) -> dict[str, _Pieces]:
    """Tokenise each distinct text once, on all cores, without special pieces."""
    distinct = list(dict.fromkeys(texts))
    pieces: dict[str, _Pieces] = {}
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    for at in range(0, len(distinct), 1000):
        chunk = distinct[at : at + 1000]
        for text, encoding in zip(chunk, backend.encode_batch(chunk, add_special_tokens=False), strict=True):
            offsets = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
            pieces[text] = _Pieces(np.array(encoding.ids, dtype=np.int32), offsets[:, 0], offsets[:, 1])
    return pieces


def _window_ranges(pieces: int, room: int, stride: int) -> Iterator[tuple[int, int]]:
    """The parts [from, to) of a paragraph: each `room` pieces long, neighbours sharing `stride`."""
    start = 0
    while True:
        stop = min(start + room, pieces)
        yield start, stop
        if stop == pieces:
            return
        start += room - stride


def make_windows(tokenizer: Any, contexts: Sequence[str], questions: Sequence[str], shape: WindowShape) -> Windows:
    """Cut each (question, paragraph) pair into windows.

    Args:
        tokenizer: a fast tokenizer of transformers.
        contexts, questions: (Q,) texts each.
        shape: window length and stride.

    Every distinct paragraph is tokenised once. Windows begin and end where those of transformers' own truncation
    (`only_second`, `stride`, `return_overflowing_tokens`) do; a test holds them against it.
    """
    template = read_template(tokenizer)
    context_pieces = _tokenize_each(tokenizer, contexts)
    question_pieces = _tokenize_each(tokenizer, questions)
    builder = _Builder(template)
    for index, (context, question) in enumerate(zip(contexts, questions, strict=True)):
        asked = question_pieces[question].ids[: shape.max_question]
        text = context_pieces[context]
        room = shape.max_length - template.specials - len(asked)
        for start, stop in _window_ranges(len(text.ids), room, shape.stride):
            builder.add(index, asked, text, start, stop)
    return builder.build(len(contexts))


class _Builder:
    """Collects windows as slices and joins them into flat arrays once."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.before = np.array(template.before, dtype=np.int32)
        self.between = np.array(template.between, dtype=np.int32)
        self.after = np.array(template.after, dtype=np.int32)
        self.ids: list[IntArray] = []
        self.char_start: list[IntArray] = []
        self.char_end: list[IntArray] = []
        self.rows: list[tuple[int, int, int, int]] = []
        self.zeros = np.zeros(4096, dtype=np.int32)

    def add(self, index: int, asked: IntArray, text: _Pieces, start: int, stop: int) -> None:
        head = len(self.before) + len(asked) + len(self.between)
        self.ids += [self.before, asked, self.between, text.ids[start:stop], self.after]
        blank, tail = self.zeros[:head], self.zeros[: len(self.after)]
        self.char_start += [blank, text.start[start:stop], tail]
        self.char_end += [blank, text.end[start:stop], tail]
        self.rows.append((index, head, head + stop - start, head + stop - start + len(self.after)))

    def build(self, questions: int) -> Windows:
        rows = np.array(self.rows, dtype=np.int64).reshape(-1, 4)
        empty = [np.zeros(0, dtype=np.int32)]
        return Windows(
            ids=np.concatenate(self.ids or empty),
            starts=np.concatenate([[0], np.cumsum(rows[:, 3])]).astype(np.int64),
            question=rows[:, 0].astype(np.int32),
            context_from=rows[:, 1].astype(np.int32),
            context_to=rows[:, 2].astype(np.int32),
            char_start=np.concatenate(self.char_start or empty),
            char_end=np.concatenate(self.char_end or empty),
            questions=questions,
            template=self.template,
        )


def label_windows(windows: Windows, answer_start: npt.NDArray[np.int64], answer_end: npt.NDArray[np.int64]) -> Labels:
    """Where each question's answer lies in its windows.

    Args:
        windows: W windows of Q questions.
        answer_start, answer_end: (Q,) the answer's characters [start, end) in the paragraph; start = -1 for none.

    A window is answered when its pieces cover the answer's first and last character; otherwise its label is [CLS].
    """
    count = len(windows.question)
    start = np.full(count, windows.template.cls_index, dtype=np.int32)
    end = start.copy()
    answered = np.zeros(count, dtype=bool)
    owner = windows.question
    first_of = np.append(True, owner[1:] != owner[:-1]) if count else answered
    last_of = np.append(owner[1:] != owner[:-1], True) if count else answered
    for w in range(count):
        begin, stop = answer_start[windows.question[w]], answer_end[windows.question[w]]
        low, high = windows.starts[w] + windows.context_from[w], windows.starts[w] + windows.context_to[w]
        if begin < 0 or high == low:
            continue
        first = np.searchsorted(windows.char_end[low:high], begin, side="right")
        last = np.searchsorted(windows.char_start[low:high], stop, side="left") - 1
        # At a paragraph's own edges an answer may begin or end with characters that no piece covers.
        from_here = first_of[w] or windows.char_start[low] <= begin
        to_here = last_of[w] or stop <= windows.char_end[high - 1]
        if from_here and to_here and first <= last < high - low:
            start[w], end[w] = windows.context_from[w] + first, windows.context_from[w] + last
            answered[w] = True
    return Labels(start, end, answered)


def count_unreachable(windows: Windows, golds: Sequence[Sequence[tuple[int, int]]]) -> int:
    """How many questions have no gold answer that lies whole in one of their windows.

    Args:
        windows: of Q questions.
        golds: (Q,) lists of answers as characters [start, end).
    """
    reachable = np.zeros(windows.questions, dtype=bool)
    most = max((len(spans) for spans in golds), default=0)
    for rank in range(most):
        spans = np.array([s[rank] if rank < len(s) else (-1, -1) for s in golds], dtype=np.int64).reshape(-1, 2)
        labels = label_windows(windows, spans[:, 0], spans[:, 1])
        reachable[windows.question[labels.answered]] = True
    return int((~reachable).sum())
