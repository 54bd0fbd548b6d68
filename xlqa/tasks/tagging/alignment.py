"""Words and word pieces: sentences as windows of pieces in which every word has one piece that carries its label.

Each word is tokenised by itself, after a blank. Its label is on the first piece that holds a character: tokenizers of the
SentencePiece kind often begin with a piece that is a bare word boundary, in Chinese for two words of three. A word without any
piece becomes the unknown piece. A sentence that does not fit becomes windows of whole words with shared context, and each word is
labelled in the one window where it has most context, so that every word is predicted once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from xlqa.errors import XlqaError
from xlqa.tasks.base import require_fast

IntArray = npt.NDArray[np.int32]
Index = npt.NDArray[np.int64]

BOUNDARY_MARKS = str.maketrans("", "", "▁Ġ")
"""Characters that stand for a word boundary in pieces of the SentencePiece kind and of byte-level BPE."""

IGNORED = -100
"""The label of pieces that carry none, as torch's cross-entropy knows it."""


@dataclass(frozen=True, slots=True)
class SentenceTemplate:
    """What a tokenizer puts around one text, and its piece for padding."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    uses_types: bool
    pad: int
    unknown: int


@dataclass(frozen=True, slots=True)
class TaggedWindows:
    """The windows of S sentences, W in all, T pieces together, over N words.

    Attributes:
        ids: (T,) piece numbers, window after window.
        starts: (W + 1,) where each window begins in the piece arrays.
        word: (T,) which of the N words a piece carries the label of, -1 for none; every word occurs once.
        borders: (S + 1,) where each sentence's words begin among the N.
        template: how the pieces were joined.
    """

    ids: IntArray
    starts: Index
    word: IntArray
    borders: Index
    template: SentenceTemplate

    def __len__(self) -> int:
        return len(self.borders) - 1

    @property
    def lengths(self) -> Index:
        """(W,) pieces of each window."""
        return np.diff(self.starts)

    def masks(
        self, batch: Index, columns: npt.NDArray[Any], present: npt.NDArray[np.bool_]
    ) -> dict[str, npt.NDArray[Any]]:
        """Beside the pieces of a batch of B windows: `word`, (B, L), as in the attribute; types, all 0."""
        return {"token_type_ids": np.zeros(present.shape, dtype=np.int64)} if self.template.uses_types else {}

    def words_of(self, batch: Index, width: int) -> Index:
        """Which word each piece of B windows carries the label of: (B, width), -1 for none, on padding too."""
        columns = np.arange(width)[None, :]
        present = columns < self.lengths[batch][:, None]
        word = np.full(present.shape, -1, dtype=np.int64)
        word[present] = self.word[(self.starts[batch][:, None] + columns)[present]]
        return word


@dataclass(frozen=True, slots=True)
class TagLabels:
    """The label of each of N words, and how many labelled pieces each of W windows has."""

    of_word: IntArray
    counts: Index

    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """What identifies these labels."""
        return (self.of_word,)

    def batch(self, features: TaggedWindows, batch: Index, width: int) -> dict[str, Index]:
        """`label` of the pieces of B windows: (B, width), IGNORED where a piece carries none."""
        word = features.words_of(batch, width)
        return {"label": np.where(word < 0, IGNORED, self.of_word[word]).astype(np.int64)}

    def weight(self, batch: Index) -> int:
        """The labelled words of a batch."""
        return max(1, int(self.counts[batch].sum()))


def read_template(tokenizer: Any) -> SentenceTemplate:
    """The tokenizer's template for one text, read off an encoded one.

    Raises:
        XlqaError: the tokenizer is not fast, or does not mark its special pieces.
    """
    require_fast(tokenizer)
    encoded = tokenizer("a", add_special_tokens=True)
    ids, owners = encoded["input_ids"], encoded.sequence_ids(0)
    text = [i for i, owner in enumerate(owners) if owner == 0]
    if not text:
        raise XlqaError("the model's tokenizer makes no piece of the letter a: choose another encoder.")
    unknown = tokenizer.unk_token_id
    return SentenceTemplate(
        tuple(ids[: text[0]]), tuple(ids[text[-1] + 1 :]), "token_type_ids" in tokenizer.model_input_names,
        int(tokenizer.pad_token_id or 0), int(ids[text[0]] if unknown is None else unknown),
    )  # fmt: skip


def split_words(tokenizer: Any, words: Sequence[str], unknown: int) -> tuple[list[list[int]], list[int]]:
    """The pieces of each distinct word, and which of them carries its label.

    Args:
        words: without repetition; unknown: the piece of a word that has none.
    """
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    # A blank before the word: byte-level BPE has other pieces for the beginning of a text than for that of a word.
    encodings = backend.encode_batch([f" {word}" for word in words], add_special_tokens=False)
    pieces = [encoding.ids or [unknown] for encoding in encodings]
    firsts = []
    for encoding in encodings:
        holds = (i for i, token in enumerate(encoding.tokens) if token.translate(BOUNDARY_MARKS))
        firsts.append(next(holds, 0))
    return pieces, firsts


def make_tagged_windows(
    tokenizer: Any, sentences: Sequence[Sequence[str]], max_length: int, stride: int
) -> TaggedWindows:
    """Cut S sentences of words into windows.

    Args:
        max_length: pieces of a window at most; a word with more is cut.
        stride: pieces of context that neighbouring windows of a long sentence share, about.
    """
    template = read_template(tokenizer)
    numbers: dict[str, int] = {}
    of_word = [[numbers.setdefault(word, len(numbers)) for word in words] for words in sentences]
    pieces, firsts = split_words(tokenizer, list(numbers), template.unknown)
    room = max_length - len(template.before) - len(template.after)
    pieces = [some[:room] for some in pieces]
    firsts = [min(first, room - 1) for first in firsts]
    ids: list[int] = []
    word: list[int] = []
    starts, borders = [0], [0]
    for numbered in of_word:
        sizes = [len(pieces[number]) for number in numbered]
        for begin, end, own_from, own_to in cut(sizes, room, stride):
            ids += template.before
            word += [-1] * len(template.before)
            for at in range(begin, end):
                number = numbered[at]
                ids += pieces[number]
                word += [-1] * sizes[at]
                if own_from <= at < own_to:
                    word[firsts[number] - sizes[at]] = borders[-1] + at
            ids += template.after
            word += [-1] * len(template.after)
            starts.append(len(ids))
        borders.append(borders[-1] + len(numbered))
    return TaggedWindows(
        np.array(ids, dtype=np.int32), np.array(starts, dtype=np.int64), np.array(word, dtype=np.int32),
        np.array(borders, dtype=np.int64), template,
    )  # fmt: skip


def cut(sizes: Sequence[int], room: int, stride: int) -> Iterator[tuple[int, int, int, int]]:
    """Windows over a sentence of words: (begin, end) of each, and the words [own_from, own_to) that it labels.

    Args:
        sizes: pieces of each word, each at most `room`.
        room: pieces of a window; stride: pieces that neighbours share, about, whole words.
    """
    if not sizes:
        return
    spans = list(_spans(sizes, room, stride))
    # Where two windows overlap, the first half of the shared words belongs to the earlier one.
    middles = [begin + (end - begin + 1) // 2 for (_, end), (begin, _) in pairwise(spans)]
    for (begin, end), own_from, own_to in zip(spans, [0, *middles], [*middles, len(sizes)], strict=True):
        yield begin, end, own_from, own_to


def _spans(sizes: Sequence[int], room: int, stride: int) -> Iterator[tuple[int, int]]:
    begin = end = 0
    while end < len(sizes):
        used = sum(sizes[begin:end])
        while end < len(sizes) and used + sizes[end] <= room:
            used += sizes[end]
            end += 1
        yield begin, end
        shared, after = 0, end
        # The next window begins with words that this one ends with, so long as its next new word still fits.
        while after > begin + 1 and end < len(sizes) and shared + sizes[after - 1] <= min(stride, room - sizes[end]):
            after -= 1
            shared += sizes[after]
        begin = after


def label_words(windows: TaggedWindows, tags: Sequence[Sequence[str]], labels: Sequence[str]) -> TagLabels:
    """The labels of S sentences of tags.

    Raises:
        XlqaError: a tag is not among the labels.
    """
    number = {label: i for i, label in enumerate(labels)}
    flat = [tag for sentence in tags for tag in sentence]
    if unknown := sorted(set(flat) - set(number)):
        raise XlqaError(f"the tag {unknown[0]!r} is not among the labels of this run ({', '.join(labels)}).")
    counts = np.add.reduceat((windows.word >= 0).astype(np.int64), windows.starts[:-1])
    return TagLabels(np.array([number[tag] for tag in flat], dtype=np.int32), counts)
