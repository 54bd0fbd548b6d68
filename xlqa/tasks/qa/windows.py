"""Questions and paragraphs as windows of word pieces: tokenised once, with offsets into the original text.

A window is `[CLS] question [SEP] part of the paragraph [SEP]` in the tokenizer's own template. Neighbouring windows of a
long paragraph share `stride` pieces. All windows of a data set are in flat arrays, so that a data set of 90,000 questions
is a dozen arrays, not a million objects.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xlqa.errors import XlqaError
from xlqa.records import LEAST_QUESTION, MIN_CONTEXT_STEP
from xlqa.tasks.base import require_fast

IntArray = npt.NDArray[np.int32]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WindowShape:
    """How paragraphs are cut: pieces a window, and pieces that neighbouring windows share."""

    max_length: int
    stride: int

    def complaint(self) -> str | None:
        """What is wrong with this shape, in one line, or None."""
        if self.max_length < 32:
            return f"--max-length {self.max_length} is too small for a question and a paragraph: use 32 or more."
        room = self.max_length - 3 - self.stride - MIN_CONTEXT_STEP
        if self.stride < 0 or room < LEAST_QUESTION:
            most = self.max_length - 3 - MIN_CONTEXT_STEP - LEAST_QUESTION
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
        char_start, char_end: (T,) offsets of each piece in the original paragraph, in Python characters, without the blanks
            that a piece begins or ends with; 0 for other pieces.
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

    def masks(
        self, batch: Index, columns: npt.NDArray[Any], present: npt.NDArray[np.bool_]
    ) -> dict[str, npt.NDArray[Any]]:
        """Beside the pieces of a batch of B windows: `scored`, (B, L) bool, true on [CLS] and the paragraph's pieces; types.

        Args:
            batch: (B,) window numbers; columns: (1, L) positions; present: (B, L) bool, false on padding.
        """
        low, high = self.context_from[batch][:, None], self.context_to[batch][:, None]
        scored = (columns >= low) & (columns < high)
        scored[:, self.template.cls_index] = True
        if not self.template.uses_types:
            return {"scored": scored}
        types = ((columns >= low) & present).astype(np.int64) * self.template.context_type
        return {"scored": scored, "token_type_ids": types}


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

    def arrays(self) -> tuple[IntArray, ...]:
        """What identifies these labels."""
        return self.start, self.end

    def batch(self, features: Windows, batch: Index, width: int) -> dict[str, Index]:
        """The labels of B windows: `start` and `end`, (B,) each."""
        return {"start": self.start[batch].astype(np.int64), "end": self.end[batch].astype(np.int64)}

    def weight(self, batch: Index) -> int:
        """Each window has one label."""
        return len(batch)


def read_template(tokenizer: Any) -> Template:
    """The tokenizer's template for two texts, read off an encoded pair.

    Raises:
        XlqaError: the tokenizer is not fast, or does not mark its special pieces.
    """
    require_fast(tokenizer)
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
    """The pieces of distinct texts, text after text: numbers, offsets (none where nobody asks for them), borders."""

    ids: IntArray
    start: IntArray
    end: IntArray
    borders: npt.NDArray[np.int64]


BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u200e\u200f\ufeff"
"""Characters that no answer begins or ends with: white space, zero-width space, direction marks and byte order mark."""

CHUNK = 1000
"""Texts that are tokenised at a time, on all cores; their intermediate Python objects are gone before the next."""


def _tokenize_each(tokenizer: Any, texts: Sequence[str], offsets: bool) -> tuple[_Pieces, npt.NDArray[np.int64]]:
    """Tokenise each distinct text once, without special pieces; also (n,) which of the distinct texts each text is."""
    numbers: dict[str, int] = {}
    which = np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), dtype=np.int64, count=len(texts))
    distinct = list(numbers)
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    encode = backend.encode_batch if offsets else backend.encode_batch_fast
    ids, pairs, counts = [np.zeros(0, np.int32)], [np.zeros((0, 2), np.int32)], [np.zeros(1, np.int64)]
    for at in range(0, len(distinct), CHUNK):
        encodings = encode(distinct[at : at + CHUNK], add_special_tokens=False)
        counts.append(np.fromiter(map(len, encodings), dtype=np.int64, count=len(encodings)))
        total = int(counts[-1].sum())
        ids.append(np.fromiter(_chain(e.ids for e in encodings), dtype=np.int32, count=total))
        if offsets:
            ends = _chain(_chain(e.offsets for e in encodings))
            found = np.fromiter(ends, dtype=np.int32, count=2 * total).reshape(-1, 2)
            pairs.append(_trim_pieces(distinct[at : at + CHUNK], found, counts[-1]))
    bounds = np.concatenate(pairs)
    return _Pieces(np.concatenate(ids), bounds[:, 0], bounds[:, 1], np.cumsum(np.concatenate(counts))), which


_chain = itertools.chain.from_iterable


def _trim_pieces(texts: Sequence[str], pieces: IntArray, counts: Index) -> IntArray:
    """(n, 2) offsets of pieces without the blanks at their ends; a piece of blanks alone becomes empty, at its end.

    Args:
        texts: whose pieces these are; pieces: (n, 2) offsets, text after text; counts: of each text's pieces.

    SentencePiece and byte-level tokenizers count the blank before a word as part of its first piece.
    """
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    characters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    inked = ~np.isin(characters, np.array([ord(blank) for blank in BLANKS], dtype=np.uint32))
    shift = np.repeat(np.cumsum(lengths) - lengths, counts)
    places = np.arange(len(characters) + 1)
    following = np.minimum.accumulate(np.where(np.append(inked, True), places, len(characters))[::-1])[::-1]
    preceding = np.maximum.accumulate(np.where(np.append(True, inked), places, 0))
    start, end = pieces[:, 0] + shift, pieces[:, 1] + shift
    new_start = np.minimum(following[start], end)
    new_end = np.maximum(preceding[end], new_start)
    trimmed: npt.NDArray[np.int32] = np.stack([new_start - shift, new_end - shift], axis=1).astype(np.int32)
    return trimmed


def trim_span(text: str, start: int, end: int) -> tuple[int, int]:
    """A span of characters [start, end) without the blanks at its ends; empty, at `end`, where it holds nothing else."""
    start += len(text[start:end]) - len(text[start:end].lstrip(BLANKS))
    return start, start + len(text[start:end].rstrip(BLANKS))


def make_windows(tokenizer: Any, contexts: Sequence[str], questions: Sequence[str], shape: WindowShape) -> Windows:
    """Cut each (question, paragraph) pair into windows.

    Args:
        tokenizer: a fast tokenizer of transformers.
        contexts, questions: (Q,) texts each.
        shape: window length and stride.

    Every distinct paragraph is tokenised once. Windows begin and end where those of transformers' own truncation
    (`only_second`, `stride`, `return_overflowing_tokens`) do; a test holds them against it.
    """
    if len(contexts) != len(questions):
        raise ValueError(f"{len(contexts)} paragraphs for {len(questions)} questions")
    template = read_template(tokenizer)
    text, text_of = _tokenize_each(tokenizer, contexts, offsets=True)
    asked, asked_of = _tokenize_each(tokenizer, questions, offsets=False)
    asked_length = np.minimum(np.diff(asked.borders)[asked_of], shape.max_question)
    text_length = np.diff(text.borders)[text_of]
    room = shape.max_length - template.specials - asked_length
    step = room - shape.stride
    # A paragraph that does not fit moves on by `step` until the window reaches its end.
    count = 1 + np.maximum(0, -(-(text_length - room) // step))
    owner = np.repeat(np.arange(len(contexts)), count)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    begin = rank * step[owner]
    size = np.minimum(room[owner], text_length[owner] - begin)
    return _join(
        template, text, asked, owner, text.borders[text_of][owner] + begin, size, asked.borders[asked_of][owner],
        asked_length[owner], len(contexts),
    )  # fmt: skip


def _join(
    template: Template, text: _Pieces, asked: _Pieces, owner: Index, text_from: Index, text_size: Index,
    asked_from: Index, asked_size: Index, questions: int,
) -> Windows:  # fmt: skip
    """W windows from where each one's paragraph and question are in the pieces: (W,) begins and lengths."""
    specials = np.array([*template.before, *template.between, *template.after], dtype=np.int32)
    blank = np.zeros(len(specials) + len(asked.ids), dtype=np.int32)
    pools = (
        np.concatenate([specials, asked.ids, text.ids]),
        np.concatenate([blank, text.start]),
        np.concatenate([blank, text.end]),
    )
    before, between, after = (len(part) for part in (template.before, template.between, template.after))
    # A window is five parts, each a slice of the pool: (W, 5) begins and lengths.
    begins, sizes = np.zeros((len(owner), 5), dtype=np.int64), np.zeros((len(owner), 5), dtype=np.int64)
    begins[:, 1], sizes[:, 1] = len(specials) + asked_from, asked_size
    begins[:, 3], sizes[:, 3] = len(blank) + text_from, text_size
    begins[:, 2], begins[:, 4] = before, before + between
    sizes[:, 0], sizes[:, 2], sizes[:, 4] = before, between, after
    head = before + asked_size + between
    starts = np.concatenate([[0], np.cumsum(sizes.sum(axis=1))]).astype(np.int64)
    ids, char_start, char_end = (_gather(pool, begins, sizes, starts) for pool in pools)
    return Windows(
        ids=ids, starts=starts, question=owner.astype(np.int32), context_from=head.astype(np.int32),
        context_to=(head + text_size).astype(np.int32), char_start=char_start, char_end=char_end, questions=questions,
        template=template,
    )  # fmt: skip


def _gather(pool: IntArray, begins: Index, sizes: Index, starts: Index) -> IntArray:
    """Slices of a pool one after another, some windows at a time, so that the index array stays small."""
    found = np.empty(int(starts[-1]), dtype=np.int32)
    for low in range(0, len(begins), CHUNK):
        high = min(low + CHUNK, len(begins))
        begin, size = begins[low:high].ravel(), sizes[low:high].ravel()
        total = int(starts[high] - starts[low])
        shift = np.repeat(begin - (np.cumsum(size) - size), size)
        found[starts[low] : starts[high]] = pool[np.arange(total) + shift]
    return found


def label_windows(windows: Windows, answer_start: npt.NDArray[np.int64], answer_end: npt.NDArray[np.int64]) -> Labels:
    """Where each question's answer is in its windows.

    Args:
        windows: W windows of Q questions.
        answer_start, answer_end: (Q,) the answer's characters [start, end) in the paragraph, without blanks at its ends
            (`trim_span`); start = -1 for none.

    A window is answered when its pieces cover the answer's first and last character; otherwise its label is [CLS].
    """
    owner = windows.question
    edge = np.flatnonzero(np.diff(owner, prepend=-1, append=windows.questions))
    first_of, last_of = np.zeros(len(owner), dtype=bool), np.zeros(len(owner), dtype=bool)
    first_of[edge[:-1]], last_of[edge[1:] - 1] = True, True
    begin, stop = answer_start[owner], answer_end[owner]
    low, high = windows.starts[:-1] + windows.context_from, windows.starts[:-1] + windows.context_to
    first = _bisect(windows.char_end, low, high, begin)
    last = _bisect(windows.char_start, low, high, stop - 1) - 1
    # At a paragraph's own edges an answer may begin or end with characters that no piece covers.
    some = high > low
    from_here, to_here = first_of.copy(), last_of.copy()
    from_here[some] |= windows.char_start[low[some]] <= begin[some]
    to_here[some] |= stop[some] <= windows.char_end[high[some] - 1]
    answered = (begin >= 0) & some & from_here & to_here & (first <= last) & (last < high)
    at, cls = windows.starts[:-1], windows.template.cls_index
    start, end = (np.where(answered, place - at, cls).astype(np.int32) for place in (first, last))
    return Labels(start, end, answered)


def _bisect(values: IntArray, low: Index, high: Index, wanted: Index) -> Index:
    """(W,) for each slice [low, high) of values, which ascends, its first place with a value above the wanted one."""
    low, high = low.copy(), high.copy()
    while (searching := low < high).any():
        middle = (low + high) // 2
        above = values[np.minimum(middle, len(values) - 1)] > wanted
        high = np.where(searching & above, middle, high)
        low = np.where(searching & ~above, middle + 1, low)
    return low


def count_unreachable(windows: Windows, golds: Sequence[Sequence[tuple[int, int]]]) -> int:
    """How many questions have no gold answer that is whole in one of their windows.

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
