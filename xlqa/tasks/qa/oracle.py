"""The best EM and F1 that any model can reach with a tokenizer: the gold answers, mapped to tokens and back.

A model answers in whole pieces of one window. Where pieces end inside words, or a tokenizer's offsets are wrong, even the
right labels give another text than the gold answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xlqa.records import Question
from xlqa.tasks.qa.windows import Labels, Windows, WindowShape, label_windows, make_windows
from xlqa.util.text import plain

MOST_QUESTIONS = 10_000
"""Most questions that are mapped to tokens and back; of a larger set, evenly spaced ones."""

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Oracle:
    """What the gold labels give back.

    Attributes:
        scorer: name of the scorer of `em` and `f1`.
        questions: how many were cut; all figures are over these.
        em, f1: percentages, the best over all gold answers and windows; an unreachable question counts 0.
        unreachable: questions without a gold answer that is whole in a window and short enough.
        wrong: reachable questions whose cut text is no gold answer (EM 0).
        holes: those of them where letters of the answer belong to no piece at all: the tokenizer's offsets are wrong.
        examples: (cut text, gold answer) of some wrong ones, those with holes first.
    """

    scorer: str
    questions: int
    em: float
    f1: float
    unreachable: int
    wrong: int
    holes: int
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Cut:
    """A text that a window's labels give for a gold answer, and whether letters of that answer are in no piece."""

    text: str
    gold: str
    has_hole: bool


def score_labels(
    tokenizer: Any,
    questions: Sequence[Question],
    *,
    max_length: int,
    stride: int,
    max_answer_length: int,
    scorer: str,
    most: int = MOST_QUESTIONS,
) -> Oracle:
    """Label questions as training does, and cut the answers back out as decoding does.

    Args:
        tokenizer: of the package tokenizers.
        questions: of a test set; those whose answers have no place in the paragraph are unreachable.
        most: questions to look at, at most.

    Raises:
        XlqaError: the tokenizer cannot join two texts, or the scorer is unknown.
    """
    from xlqa.tasks.qa.scorers import score_answer

    chosen = questions[:: max(1, -(-len(questions) // most))]
    shape = WindowShape(max_length, stride)
    contexts = [question.context for question in chosen]
    windows = make_windows(_Adapter(tokenizer), contexts, [question.question for question in chosen], shape)
    cuts = _cut_all(windows, chosen, max_answer_length)
    em, f1 = np.zeros(len(chosen)), np.zeros(len(chosen))
    wrong: list[_Cut] = []
    for row, (question, found) in enumerate(zip(chosen, cuts, strict=True)):
        scored = [(score_answer(scorer, cut.text, question.gold_texts), cut) for cut in found]
        if not scored:
            continue
        f1[row], em[row] = (max(score[i] for score, _ in scored) for i in (0, 1))
        if em[row] == 0:
            wrong.append(max(scored, key=lambda pair: (pair[1].has_hole, pair[0]))[1])
    wrong.sort(key=lambda cut: not cut.has_hole)
    return Oracle(
        scorer,
        len(chosen),
        100.0 * float(em.mean()) if chosen else float("nan"),
        100.0 * float(f1.mean()) if chosen else float("nan"),
        sum(not found for found in cuts),
        len(wrong),
        sum(cut.has_hole for cut in wrong),
        tuple((cut.text, cut.gold) for cut in wrong[:_SHOWN]),
    )


def describe_wrong(oracle: Oracle) -> str:
    """How many answers come back wrong, with an example."""
    text, gold = (plain(part[:200], 40) for part in oracle.examples[0])
    reason = "" if not oracle.holes else f"; in {oracle.holes:,} of them letters belong to no piece of the tokenizer"
    return f'{oracle.wrong:,} gold answers come back as another text (such as "{text}" for "{gold}"){reason}'


def _cut_all(windows: Windows, questions: Sequence[Question], max_answer_length: int) -> list[set[_Cut]]:
    """The texts that the labels of each question's gold answers give."""
    found: list[set[_Cut]] = [set() for _ in questions]
    for rank in range(max((len(question.answers) for question in questions), default=0)):
        spans = np.full((len(questions), 2), -1, dtype=np.int64)
        for row, question in enumerate(questions):
            if rank < len(question.answers):
                answer = question.answers[rank]
                spans[row] = answer.start, answer.start + len(answer.text)
        labels = label_windows(windows, spans[:, 0], spans[:, 1])
        for window in np.flatnonzero(labels.answered):
            row = int(windows.question[window])
            if labels.end[window] - labels.start[window] < max_answer_length:
                begin, stop = int(spans[row, 0]), int(spans[row, 1])
                found[row].add(_cut(windows, labels, int(window), questions[row].context, begin, stop))
    return found


def _cut(windows: Windows, labels: Labels, window: int, context: str, begin: int, stop: int) -> _Cut:
    at = windows.starts[window]
    pieces = slice(int(at + labels.start[window]), int(at + labels.end[window]) + 1)
    starts, ends = windows.char_start[pieces], windows.char_end[pieces]
    gaps = [context[begin : max(begin, starts[0])], context[min(stop, ends[-1]) : stop]]
    gaps += [context[low:high] for low, high in zip(ends[:-1], starts[1:], strict=True) if low < high]
    has_hole = any(character.isalnum() for gap in gaps for character in gap)
    return _Cut(context[int(starts[0]) : int(ends[-1])].strip(), context[begin:stop], has_hole)


class _Adapter:
    """A tokenizer of the package tokenizers with what `make_windows` asks of one of transformers."""

    is_fast = True
    cls_token_id = None
    pad_token_id = 0
    model_input_names = ("input_ids", "token_type_ids", "attention_mask")

    def __init__(self, tokenizer: Any) -> None:
        self.backend_tokenizer = tokenizer

    def __call__(self, first: str, second: str, **_: Any) -> _Pair:
        return _Pair(self.backend_tokenizer.encode(first, second))


class _Pair(dict[str, Any]):
    """An encoded pair of texts."""

    def __init__(self, encoding: Any) -> None:
        super().__init__(input_ids=encoding.ids, token_type_ids=encoding.type_ids)
        self._owners = encoding.sequence_ids

    def sequence_ids(self, _: int) -> list[int | None]:
        """Which of the two texts each piece belongs to."""
        return list(self._owners)
