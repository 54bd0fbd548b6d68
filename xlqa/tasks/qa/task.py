"""Extractive question answering as a task: a paragraph, a question, and the answer as a span of the paragraph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xlqa.records import NO_ANSWER_METRICS, TASK_METRICS, Question, TagMap
from xlqa.tasks.base import Dataset, Head, HeadOptions, Scores, Task
from xlqa.tasks.qa.formats import NAMES, unfold
from xlqa.tasks.qa.windows import (
    Labels,
    Windows,
    WindowShape,
    count_unreachable,
    label_windows,
    make_windows,
    trim_span,
)
from xlqa.util.files import read_input

if TYPE_CHECKING:
    from xlqa.tasks.qa.reading import Reading


class QuestionAnswering(Task[Question]):
    """Find the answer to a question in a paragraph."""

    unit = "question"
    inputs = ("context", "question")
    outputs = ("answer", "start", "score")
    metrics = TASK_METRICS["qa"]
    shown = ("f1", "em")
    usual_names = NAMES

    def __init__(self, name: str = "qa") -> None:
        self.name = name

    def read(self, path: Path, *, language: str = "", skip_bad: bool = False) -> Dataset[Question]:
        """Read a data set of any known format (`xlqa.tasks.qa.reading`)."""
        from xlqa.tasks.qa.reading import read_dataset

        reading = read_dataset(path, skip_bad=skip_bad, language=language)
        return _as_dataset(reading, reading.questions)

    def read_test(self, path: Path, *, language: str = "", skip_bad: bool = False) -> Dataset[Question]:
        """Read a data set with all questions that have a gold text, as the official scripts score them."""
        from xlqa.tasks.qa.reading import read_dataset

        reading = read_dataset(path, skip_bad=skip_bad, language=language, to_score=True)
        return _as_dataset(reading, reading.scored, to_score=True)

    def rows(self, path: Path, columns: Mapping[str, str]) -> Iterator[Any] | None:
        """The rows of a table, of JSON or of Parquet; None for the nested formats."""
        return unfold(read_input(path), path, columns).rows

    def load(
        self, path: Path, *, language: str = "", skip_bad: bool = False, to_score: bool = False, map_tags: TagMap = (),
        unanswerable: bool = False,
    ) -> Dataset[Question]:  # fmt: skip
        """As `Task.load`; unanswerable questions are at their places in the file's order.

        Raises:
            XlqaError: as `read`.
        """
        if not unanswerable:
            return super().load(path, language=language, skip_bad=skip_bad, to_score=to_score, map_tags=map_tags)
        from xlqa.tasks.qa.reading import read_dataset

        reading = read_dataset(path, skip_bad=skip_bad, language=language, to_score=to_score)
        kept = tuple(q for q in reading.everything if to_score or q.answers or not q.golds)
        return _as_dataset(reading, kept, to_score=to_score)

    def overlap(self, train: Sequence[Question], test: Sequence[Question]) -> frozenset[str]:
        """Ids of the test questions whose paragraph is in the training data."""
        from xlqa.tasks.qa.overlap import find_overlap

        return find_overlap(train, test).by_paragraph

    def leak(self, source: Sequence[Question], test: Sequence[Question]) -> frozenset[str]:
        """Those whose paragraph, id, or question and answer are in the source data."""
        from xlqa.tasks.qa.overlap import find_overlap

        return find_overlap(source, test).ids

    def input_of(self, example: Question) -> tuple[str, str]:
        """The paragraph and the question."""
        return example.context, example.question

    def complaint(self, max_length: int, stride: int) -> str | None:
        """As `WindowShape.complaint`."""
        return WindowShape(max_length, stride).complaint()

    def encode(self, tokenizer: Any, inputs: Sequence[Sequence[str]], max_length: int, stride: int) -> Windows:
        """Windows of (Q,) paragraphs and (Q,) questions."""
        contexts, questions = inputs
        return make_windows(tokenizer, contexts, questions, WindowShape(max_length, stride))

    def label(self, features: Windows, examples: Sequence[Question], labels: Sequence[str] = ()) -> Labels:
        """Where each question's first gold answer is in its windows; the [CLS] position where it has none."""
        first = np.array([_spans(question)[0] if question.answers else (-1, -1) for question in examples], np.int64)
        return label_windows(features, first[:, 0], first[:, 1])

    def shuffle_labels(self, examples: Sequence[Question]) -> tuple[Question, ...]:
        """Each question with the answers of another question of its paragraph (`xlqa.tasks.qa.shuffle`)."""
        from xlqa.tasks.qa.shuffle import shuffle_answers

        return shuffle_answers(examples)

    def count_unreachable(self, features: Windows, examples: Sequence[Question]) -> int:
        """Questions without a gold answer that is whole in one window; "no answer" is always within reach."""
        unanswerable = sum(not question.gold_texts for question in examples)
        return count_unreachable(features, [_spans(question) for question in examples]) - unanswerable

    def outputs_of(self, predictions: Sequence[Any]) -> tuple[list[Any], ...]:
        """The best answer of each question: texts, first characters (-1 for none) and scores."""
        from xlqa.tasks.qa.decoding import Span

        best = [found[0] if found else Span("", -1, -1, 0.0) for found in predictions]
        return [s.text for s in best], [s.start for s in best], [s.score for s in best]

    def score(self, examples: Sequence[Question], predictions: Sequence[str], scorer: str) -> Scores:
        """F1 and EM of each answer, from 0 to 1, under a scorer and under SQuAD v1.1; every denominator is 1.

        Where the scorer has a rule for unanswerable questions, SQuAD's is that of v2.0, and there are NO_ANSWER_METRICS too, each
        over its own kind of questions.
        """
        from xlqa.tasks.qa.scorers import get_scorer, score_answer

        pairs = [(answer, q.gold_texts) for q, answer in zip(examples, predictions, strict=True)]
        has_rule = get_scorer(scorer).scores_unanswerable
        both = [
            (score_answer(scorer, *pair), score_answer("squad" if pair[1] or not has_rule else "squad2", *pair))
            for pair in pairs
        ]
        numerators = np.array(both, dtype=np.float64).reshape(-1, len(self.metrics))
        scores = Scores(self.metrics, numerators, np.ones_like(numerators))
        return _split_scores(scores, np.array([bool(golds) for _, golds in pairs], dtype=bool)) if has_rule else scores

    def head(self, options: HeadOptions) -> Head:
        """A linear layer with two outputs: where the answer starts and ends."""
        from xlqa.tasks.qa.network import SpanHead

        return SpanHead(options)


def _as_dataset(reading: Reading, questions: tuple[Question, ...], to_score: bool = False) -> Dataset[Question]:
    """Some questions of a file, with what was found in it; of a test set those that cannot be trained on are scored."""
    untrainable = sum(refusal.is_scored for refusal in reading.refused) if to_score else 0
    return Dataset(
        questions, reading.sha256, dict(reading.repairs), len(reading.refused) - untrainable, len(reading.unanswerable),
        untrainable, reading.scores_by_file,
    )  # fmt: skip


def _split_scores(scores: Scores, answerable: npt.NDArray[np.bool_]) -> Scores:
    """Scores with those of (X,) answerable and of unanswerable questions as further metrics."""
    kinds = np.stack([answerable, answerable, ~answerable], axis=1).astype(np.float64)
    own = scores.numerators[:, [0, 1, 0]] * kinds
    return Scores(
        (*scores.metrics, *NO_ANSWER_METRICS),
        np.hstack([scores.numerators, own]),
        np.hstack([scores.denominators, kinds]),
    )


def _spans(question: Question) -> tuple[tuple[int, int], ...]:
    """The characters [start, end) of each gold answer, without blanks at its ends."""
    return tuple(
        trim_span(question.context, answer.start, answer.start + len(answer.text)) for answer in question.answers
    )
