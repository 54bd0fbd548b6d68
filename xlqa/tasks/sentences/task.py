"""Classification of sentences and sentence pairs as a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xlqa.records import TASK_FIELDS, TASK_METRICS
from xlqa.tasks.base import CountPieces, Dataset, Head, HeadOptions, Inspection, PieceCounts, Scores, Task
from xlqa.tasks.sentences.features import ClassLabels, TextWindows, label_texts, make_text_windows
from xlqa.tasks.sentences.inspection import inspect_texts, measure_texts
from xlqa.tasks.sentences.reading import (
    FIRST,
    ID,
    KINDS,
    LABEL,
    LANGUAGE,
    SECOND,
    LabelledText,
    named_rows,
    read_texts,
)
from xlqa.tasks.sentences.writing import ENDINGS, write_texts

LEAST_LENGTH = 8


class Classification(Task[LabelledText]):
    """Find the label of a sentence or of a pair of sentences."""

    outputs = ("label", "probability")
    shown = ("accuracy",)
    written = ENDINGS

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind = KINDS[name]
        self.metrics = TASK_METRICS[name]
        first, *second = [field for field in TASK_FIELDS[name] if field not in ("id", "label", "language")]
        self.usual_names = {"id": ID, first: FIRST, "label": LABEL, "language": LANGUAGE} | dict.fromkeys(
            second, SECOND
        )

    def rows(self, path: Path, columns: Mapping[str, str]) -> Iterator[Any] | None:
        """The rows of a table, of JSON or of Parquet; None for a table without a header."""
        return named_rows(path, columns.values())

    def read(self, path: Path, *, language: str = "", skip_bad: bool = False) -> Dataset[LabelledText]:
        """Read a file of labelled texts (`xlqa.tasks.sentences.reading`)."""
        return read_texts(path, self.name, language=language, skip_bad=skip_bad)

    def inspect(self, dataset: Dataset[LabelledText]) -> Inspection:
        """Examples by label, and how often texts repeat (`xlqa.tasks.sentences.inspection`)."""
        return inspect_texts(dataset.examples, self.kind)

    def measure(
        self, examples: Sequence[LabelledText], count: CountPieces, special: int, max_length: int
    ) -> PieceCounts:
        """Pieces of sentences or pairs."""
        return measure_texts(examples, self.kind, count, special, max_length)

    def write(self, dataset: Dataset[LabelledText], ending: str) -> bytes:
        """TSV, CSV or JSON lines."""
        return write_texts(dataset.examples, self.name, ending)

    def overlap(self, train: Sequence[LabelledText], test: Sequence[LabelledText]) -> frozenset[str]:
        """Ids of the test examples whose texts are in the training data."""
        known = {(example.first, example.second) for example in train}
        return frozenset(example.id for example in test if (example.first, example.second) in known)

    def complaint(self, max_length: int, stride: int) -> str | None:
        """A window must hold a few pieces; there are no windows and so no stride."""
        if max_length < LEAST_LENGTH:
            return f"--max-length {max_length} is too small for a sentence: use {LEAST_LENGTH} or more."
        return None

    def encode(self, tokenizer: Any, inputs: Sequence[Sequence[str]], max_length: int, stride: int) -> TextWindows:
        """One window an example."""
        return make_text_windows(tokenizer, inputs, max_length)

    def label(self, features: TextWindows, examples: Sequence[LabelledText], labels: Sequence[str]) -> ClassLabels:
        """Each example's label."""
        return label_texts([example.label for example in examples], labels)

    def labels_of(self, example: LabelledText) -> tuple[str]:
        """The label."""
        return (example.label,)

    def label_set(self, examples: Sequence[LabelledText]) -> tuple[str, ...]:
        """The task's labels; where the data decides, those of some examples, sorted."""
        return self.kind.labels or tuple(sorted({example.label for example in examples}))

    def outputs_of(self, predictions: Sequence[Any]) -> tuple[list[Any], ...]:
        """The most probable label of each example, and its probability."""
        return [found[0][0] for found in predictions], [found[0][1] for found in predictions]

    def score(self, examples: Sequence[LabelledText], predictions: Sequence[str], scorer: str) -> Scores:
        """Accuracy, and F1 and precision of each label, `f1:LABEL` and `precision:LABEL`.

        The mean of the labels' F1 is macro F1; labels that never occur are left out.
        """
        golds = np.array([example.label for example in examples])
        predicted = np.array(list(predictions), dtype=golds.dtype if not len(predictions) else None)
        labels = sorted({*golds.tolist(), *predicted.tolist()})
        right = golds == predicted
        numerators, denominators = [right.astype(np.float64)], [np.ones(len(golds))]
        for label in labels:
            numerators.append(2.0 * (right & (golds == label)))
            denominators.append((golds == label) * 1.0 + (predicted == label))
        for label in labels:
            numerators.append(1.0 * (right & (golds == label)))
            denominators.append(1.0 * (predicted == label))
        f1, precision = ([f"{metric}:{label}" for label in labels] for metric in ("f1", "precision"))
        columns = np.stack(numerators, axis=1), np.stack(denominators, axis=1)
        return Scores(("accuracy", *f1, *precision), *columns, means={"macro_f1": tuple(f1)})

    def head(self, options: HeadOptions) -> Head:
        """A linear layer with one output a label, on the first piece."""
        from xlqa.tasks.sentences.network import ClassificationHead

        return ClassificationHead(options)


class SentenceClassification(Classification):
    """Single sentences, such as SIB-200's."""

    unit = "sentence"
    inputs = ("text",)

    def input_of(self, example: LabelledText) -> tuple[str]:
        """The sentence."""
        return (example.first,)


class PairClassification(Classification):
    """Pairs of sentences, such as XNLI's and PAWS-X's."""

    unit = "pair"
    inputs = ("first", "second")

    def input_of(self, example: LabelledText) -> tuple[str, str]:
        """Both sentences."""
        return example.first, example.second
