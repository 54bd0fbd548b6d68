"""A data set in figures: counts, lengths, and what a tokenizer makes of it. `xlqa data stats FILE`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xlqa.data.model_check import check_tokenizer
from xlqa.errors import XlqaError
from xlqa.records import LEAST_QUESTION, MIN_CONTEXT_STEP, Question
from xlqa.tasks.qa.reading import Reading
from xlqa.util.text import first_line

if TYPE_CHECKING:
    from xlqa.tasks.pieces import Overlap, PieceCounts
    from xlqa.tasks.qa.oracle import Oracle

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""Which quantiles of a length are given; the first and last are its smallest and largest value."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """A length's mean and its `QUANTILES`, in the unit that the table names."""

    mean: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Pieces:
    """How a tokenizer cuts a data set.

    Attributes:
        paragraph, question, answer: lengths in pieces, without special ones; answers alone, outside their paragraph.
        per_word: pieces of a paragraph's white-space word, over all distinct paragraphs.
        per_character: pieces of a paragraph's character, white space not counted; comparable where words are not
            written apart.
        unknown: share (0 to 1) of the paragraphs' pieces that the vocabulary does not have.
        beyond_window: share (0 to 1) of the questions that do not fit one window together with their paragraph.
        windows: windows of a question on average.
        questions_cut: questions too long for a window to hold them whole and still move on.
        max_answer_length: the most pieces of an answer that `xlqa sweep` would give.
        too_long: share (0 to 1) of the answerable questions all of whose answers are longer than that.
        oracle: the best scores that any model can reach; None where windows are too small for it, or nothing is answerable.
        whole_words: share (0 to 1) of the words of all texts that are one piece; overlap: with the source's pieces. None
            without source data.
    """

    model: str
    max_length: int
    stride: int
    paragraph: Lengths
    question: Lengths
    answer: Lengths
    per_word: float
    per_character: float
    unknown: float
    beyond_window: float
    windows: float
    questions_cut: int
    max_answer_length: int
    too_long: float
    oracle: Oracle | None = None
    whole_words: float | None = None
    overlap: Overlap | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """A data set in figures. Lengths are in characters; paragraphs count once each, by their text up to white space."""

    questions: int
    unanswerable: int
    paragraphs: int
    answers_per_question: float
    questions_per_paragraph: float
    paragraph: Lengths
    question: Lengths
    answer: Lengths
    answer_position: Lengths
    pieces: Pieces | None


def describe(
    reading: Reading,
    *,
    model: str = "",
    max_length: int = 384,
    stride: int = 128,
    max_answer_length: int = 30,
    tokenizer: StatsTokenizer | None = None,
    scorer: str = "squad",
    source: PieceCounts | None = None,
) -> Stats:
    """Count and measure a data set.

    Args:
        model: hub name or folder of the tokenizer; "" leaves `pieces` out.
        max_length, stride: the window's length and what neighbouring windows share, in pieces.
        max_answer_length: the most pieces of an answer.
        tokenizer: one in the place of `model`'s.
        scorer: of the oracle's scores.
        source: pieces of the source data, by the same tokenizer (`count_reading`).

    Raises:
        XlqaError: no tokenizer there, or a window too small for the stride.
    """
    questions = reading.scored
    contexts = {question.context_hash: question.context for question in reading.everything if question.context}
    paragraphs = sorted(contexts.values())
    answers = [answer for question in questions for answer in question.answers]
    starts = [answer.start / len(question.context) for question in questions for answer in question.answers]
    tokenizer = tokenizer or (load_tokenizer(model) if model else None)
    asked = [question.question for question in reading.everything]
    pieces = None
    if tokenizer:
        pieces = _pieces(questions, reading.unanswerable, tokenizer, (max_length, stride), max_answer_length)
        pieces = replace(pieces, oracle=_oracle(reading, tokenizer, (max_length, stride), max_answer_length, scorer))
        pieces = _against_source(pieces, reading, tokenizer, source) if source else pieces
    return Stats(
        len(questions),
        len(reading.unanswerable),
        len(paragraphs),
        sum(len(question.gold_texts) for question in questions) / max(1, len(questions)),
        len(asked) / max(1, len(paragraphs)),
        lengths(map(len, paragraphs)),
        lengths(map(len, asked)),
        lengths(len(answer.text) for answer in answers),
        lengths(starts),
        pieces,
    )


def count_reading(reading: Reading, tokenizer: StatsTokenizer) -> PieceCounts:
    """The pieces of a data set's distinct paragraphs and questions."""
    from xlqa.tasks.pieces import count_pieces

    texts = (text for question in reading.everything for text in (question.context, question.question))
    return count_pieces(tokenizer.backend, dict.fromkeys(texts))


def _against_source(pieces: Pieces, reading: Reading, tokenizer: StatsTokenizer, source: PieceCounts) -> Pieces:
    from xlqa.tasks.pieces import measure_overlap

    own = count_reading(reading, tokenizer)
    whole = own.whole_words / own.words if own.words else None
    return replace(pieces, whole_words=whole, overlap=measure_overlap(source, own))


def _oracle(
    reading: Reading, tokenizer: StatsTokenizer, window: tuple[int, int], max_answer_length: int, scorer: str
) -> Oracle | None:
    from xlqa.tasks.qa.oracle import score_labels
    from xlqa.tasks.qa.windows import WindowShape

    max_length, stride = window
    if tokenizer.backend is None or not reading.questions or WindowShape(max_length, stride).complaint():
        return None
    return score_labels(
        tokenizer.backend, reading.scored, max_length=max_length, stride=stride, max_answer_length=max_answer_length,
        scorer=scorer,
    )  # fmt: skip


def lengths(values: Iterable[float]) -> Lengths:
    """Mean and quantiles; NaN where there is nothing to measure."""
    array = np.fromiter(values, dtype=np.float64)
    if array.size == 0:
        return Lengths(float("nan"), (float("nan"),) * len(QUANTILES))
    return Lengths(float(array.mean()), tuple(float(value) for value in np.quantile(array, QUANTILES)))


@dataclass(frozen=True, slots=True)
class StatsTokenizer:
    """A tokenizer, with what statistics need of it.

    Attributes:
        count: lengths in pieces of texts, without special ones, and how many of all those pieces are unknown.
        special: special pieces around a question and a window of its paragraph.
        backend: of the package tokenizers; None where only lengths are known.
    """

    name: str
    count: Callable[[Sequence[str]], tuple[list[int], int]]
    special: int
    backend: Any = None


def load_tokenizer(model: str) -> StatsTokenizer:
    """The fast tokenizer of a model folder or hub name; a folder with tokenizer.json needs no transformers.

    Raises:
        XlqaError: there is no tokenizer, or it cannot be downloaded.
    """
    from xlqa.data.hub import locate_tokenizer

    folder = locate_tokenizer(model)
    if (folder / "tokenizer.json").is_file():
        return _with_counts(model, read_tokenizer_file(folder / "tokenizer.json"))
    if Path(model).expanduser().is_dir():
        raise XlqaError(f"{model}: has no tokenizer.json: save a fast tokenizer there (tokenizer.save_pretrained).")
    return _with_counts(model, _converted(model, folder))


def read_tokenizer_file(file: Path) -> Any:
    """The tokenizer of a tokenizer.json.

    Raises:
        XlqaError: the file is damaged.
    """
    from tokenizers import Tokenizer

    check_tokenizer(file.parent)
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception for a damaged file
        raise XlqaError(f"{file} is not a tokenizer ({first_line(error)}): save the tokenizer there again.") from error


def _converted(model: str, folder: Path) -> Any:
    """The fast tokenizer that transformers makes of a model's other tokenizer files."""
    from transformers import AutoTokenizer

    check_tokenizer(folder)
    try:
        loaded = AutoTokenizer.from_pretrained(
            str(folder), use_fast=True, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # the files are somebody's
        reason = first_line(error)
        raise XlqaError(f"{model}: the tokenizer could not be loaded ({reason}): give a local model folder.") from error
    if not loaded.is_fast:
        raise XlqaError(f"{model}: has no fast tokenizer: give a model with a tokenizer.json.")
    return loaded.backend_tokenizer


def _with_counts(model: str, tokenizer: Any) -> StatsTokenizer:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    unknown_id = next((tokenizer.token_to_id(token) for token in ("[UNK]", "<unk>") if _has(tokenizer, token)), None)

    def count(texts: Sequence[str]) -> tuple[list[int], int]:
        found, unknown = [], 0
        for first in range(0, len(texts), 1024):
            for encoding in tokenizer.encode_batch(list(texts[first : first + 1024]), add_special_tokens=False):
                found.append(len(encoding.ids))
                unknown += encoding.ids.count(unknown_id) if unknown_id is not None else 0
        return found, unknown

    return StatsTokenizer(model, count, int(tokenizer.num_special_tokens_to_add(True)), tokenizer)


def _has(tokenizer: Any, token: str) -> bool:
    return tokenizer.token_to_id(token) is not None


def shortest_answers(questions: Sequence[Question], lengths: Sequence[int]) -> npt.NDArray[np.int64]:
    """(Q,) length of each question's shortest answer, from the lengths of all their answers in order; all have one."""
    if not questions:
        return np.zeros(0, dtype=np.int64)
    firsts = np.cumsum([0, *(len(question.answers) for question in questions)])[:-1]
    shortest: npt.NDArray[np.int64] = np.minimum.reduceat(np.array(lengths, dtype=np.int64), firsts)
    return shortest


def count_windows(
    contexts: Sequence[int], questions: Sequence[int], special: int, max_length: int, stride: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Into how many windows questions are cut, by their lengths in pieces alone.

    As in training (`WindowShape.max_question`) a longer question is cut, so that its window can still move on. Three
    special pieces are counted there whatever the tokenizer adds: the step is then one piece smaller with XLM-R's four.

    Args:
        contexts, questions: (Q,) pieces of paragraph and question, without special ones; special: those of a window.
    Returns:
        (Q,) pieces kept of each question, and (Q,) windows.
    Raises:
        XlqaError: a window too small for the stride.
    """
    most = max_length - 3 - stride - MIN_CONTEXT_STEP
    asked = np.array(questions, dtype=np.int64)
    kept = np.minimum(asked, most) if most >= LEAST_QUESTION else asked
    room = max_length - special - kept
    if stride < 0 or (room <= stride).any():
        raise XlqaError(
            f"A window of {max_length:,} pieces is too small for the longest question and a stride of {stride:,}: "
            "raise --max-length or lower --stride."
        )
    beyond = np.maximum(0, np.array(contexts, dtype=np.int64) - room)
    return kept, 1 + -(-beyond // (room - stride))


def _pieces(
    questions: Sequence[Question],
    unanswerable: Sequence[Question],
    tokenizer: StatsTokenizer,
    window: tuple[int, int],
    max_answer_length: int,
) -> Pieces:
    max_length, stride = window
    every = (*questions, *unanswerable)
    contexts = sorted({question.context for question in every})
    counts, unknown = tokenizer.count(contexts)
    by_context = dict(zip(contexts, counts, strict=True))
    asked, _ = tokenizer.count([question.question for question in every])
    answers, _ = tokenizer.count([answer.text for question in questions for answer in question.answers])
    shortest = shortest_answers([question for question in questions if question.answers], answers)
    kept, windows = count_windows(
        [by_context[question.context] for question in every], asked, tokenizer.special, max_length, stride
    )
    words = sum(len(context.split()) for context in contexts)
    characters = sum(len("".join(context.split())) for context in contexts)
    total = sum(counts)
    return Pieces(
        tokenizer.name,
        max_length,
        stride,
        lengths(counts),
        lengths(asked),
        lengths(answers),
        total / max(1, words),
        total / max(1, characters),
        unknown / max(1, total),
        float((windows > 1).mean()),
        float(windows.mean()),
        int((kept < asked).sum()),
        max_answer_length,
        float((shortest > max_answer_length).mean()) if len(shortest) else 0.0,
    )
