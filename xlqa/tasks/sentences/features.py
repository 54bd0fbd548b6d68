"""Sentences and sentence pairs as windows of pieces: one window an example, cut to the length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xlqa.errors import XlqaError
from xlqa.tasks.base import require_fast

IntArray = npt.NDArray[np.int32]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Padding:
    """The number of a tokenizer's padding piece, and whether its model takes token types."""

    pad: int
    uses_types: bool


@dataclass(frozen=True, slots=True)
class TextWindows:
    """X examples as X windows, T pieces together.

    Attributes:
        ids, types: (T,) piece numbers and token types, window after window.
        starts: (X + 1,) where each window begins.
        cut: how many examples were cut to the length.
        template: padding.
    """

    ids: IntArray
    types: IntArray
    starts: Index
    cut: int
    template: Padding

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Index:
        """(X,) pieces of each window."""
        return np.diff(self.starts)

    def masks(
        self, batch: Index, columns: npt.NDArray[Any], present: npt.NDArray[np.bool_]
    ) -> dict[str, npt.NDArray[Any]]:
        """The token types of a batch of B windows, (B, L), where the model takes them."""
        if not self.template.uses_types:
            return {}
        types = np.zeros(present.shape, dtype=np.int64)
        types[present] = self.types[(self.starts[batch][:, None] + columns)[present]]
        return {"token_type_ids": types}


@dataclass(frozen=True, slots=True)
class ClassLabels:
    """The label of each of X examples."""

    of_example: IntArray

    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """What identifies these labels."""
        return (self.of_example,)

    def batch(self, features: TextWindows, batch: Index, width: int) -> dict[str, Index]:
        """`label` of B examples: (B,)."""
        return {"label": self.of_example[batch].astype(np.int64)}

    def weight(self, batch: Index) -> int:
        """Each example has one label."""
        return len(batch)


def make_text_windows(tokenizer: Any, columns: Sequence[Sequence[str]], max_length: int) -> TextWindows:
    """One window for each of X sentences or pairs, the longer sentence of a pair cut first.

    Args:
        columns: one or two columns of texts, (X,) each.

    Raises:
        XlqaError: the tokenizer is not fast.
    """
    require_fast(tokenizer)
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.enable_truncation(max_length, strategy="longest_first")
    try:
        texts = list(columns[0]) if len(columns) == 1 else list(zip(*columns, strict=True))
        encodings = backend.encode_batch(texts)
    finally:
        backend.no_truncation()
    sizes = [len(encoding.ids) for encoding in encodings]
    pieces = np.array([piece for encoding in encodings for piece in encoding.ids], dtype=np.int32)
    types = np.array([kind for encoding in encodings for kind in encoding.type_ids], dtype=np.int32)
    padding = Padding(int(tokenizer.pad_token_id or 0), "token_type_ids" in tokenizer.model_input_names)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return TextWindows(pieces, types, starts, sum(bool(encoding.overflowing) for encoding in encodings), padding)


def label_texts(given: Sequence[str], labels: Sequence[str]) -> ClassLabels:
    """The labels of X examples.

    Raises:
        XlqaError: a label is not among the run's.
    """
    number = {label: i for i, label in enumerate(labels)}
    if unknown := sorted(set(given) - set(number)):
        raise XlqaError(f"the label {unknown[0]!r} is not among the labels of this run ({', '.join(labels)}).")
    return ClassLabels(np.array([number[label] for label in given], dtype=np.int32))
