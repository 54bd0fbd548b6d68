"""The Task interface: what differs between question answering, tagging and the classification of sentences.

A task is one folder below `xlqa/tasks`. Two classes implement it: a `Task` reads data, turns texts into pieces and scores
predictions; its `Head` is the part of the network on top of the encoder, and needs torch. Everything else (arms, subsets,
seeds, training, the store, statistics, the report) is shared.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from xlqa.errors import XlqaError, refuse_choice
from xlqa.records import Example, TagMap

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

    Floats = npt.NDArray[np.float64]
    Index = npt.NDArray[np.int64]
    Array = np.ndarray[Any, Any]

E = TypeVar("E", bound=Example)

DEFAULT_TASK = "qa"
"""The task of configs that name none. Its name is no part of an identity."""


@dataclass(frozen=True, slots=True)
class Dataset(Generic[E]):
    """The examples of one file.

    Attributes:
        examples: in the file's order.
        sha256: of the file's bytes.
        repairs: what reading repaired: kind -> count.
        refused: number of examples that were left out (`skip_bad`).
        unanswerable: number of questions without an answer; they are among `examples` only where `load` was asked for them.
        untrainable: number of `examples` that only count in scores (`Task.read_test`).
        by_file: whether scores use gold texts or examples of the file that training can't use.
        format: how the file was read, in a few words.
        refusals: why examples were left out, a line of text each, with their line in the file.
        repaired_at: kind of repair -> lines of the file, for repairs that have a place.
        other_languages: examples left out of a file of several languages, of which one was asked for.
    """

    examples: tuple[E, ...]
    sha256: str
    repairs: Mapping[str, int] = field(default_factory=dict)
    refused: int = 0
    unanswerable: int = 0
    untrainable: int = 0
    by_file: bool = False
    format: str = ""
    refusals: tuple[str, ...] = ()
    repaired_at: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    other_languages: int = 0


@dataclass(frozen=True, slots=True)
class Inspection:
    """What `xlqa data check` and `xlqa data stats` print of a data set.

    Attributes:
        counts: the columns of a table, such as sentences, words, entities.
        label_kind: what `labels` counts: "entity type", "tag", "label".
        labels: label -> count, most frequent first.
        repeated: examples that repeat an earlier one word for word.
        lengths: what is measured -> one length for each example or part of it.
        notes: further lines of text.
    """

    counts: Mapping[str, int]
    label_kind: str
    labels: Mapping[str, int]
    repeated: int
    lengths: Mapping[str, Sequence[int]]
    notes: tuple[str, ...] = ()


class CountPieces(Protocol):
    """A tokenizer as `Task.measure` needs it."""

    def __call__(self, texts: Sequence[str], /) -> tuple[list[int], int]:
        """The word pieces of each text without special ones, and how many of all pieces are unknown."""


@dataclass(frozen=True, slots=True)
class PieceCounts:
    """What a tokenizer makes of a data set.

    Attributes:
        lengths: what is measured -> one length in pieces for each example.
        per_word: pieces of a word on average.
        unknown: share (0 to 1) of the pieces that the vocabulary does not have.
        beyond: share (0 to 1) of the examples that do not fit one window.
        notes: further lines of text.
    """

    lengths: Mapping[str, Sequence[int]]
    per_word: float
    unknown: float
    beyond: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of X examples under M metrics, as ratios: metric m is 100 * numerators[:, m].sum() / denominators[:, m].sum().

    Attributes:
        metrics: M names, the leading one first.
        numerators: (X, M), for example the F1 of an answer, 1 for a correct label, 2 * TP of a sentence's entities.
        denominators: (X, M), for example 1, the words of a sentence, 2 * TP + FP + FN.
        means: further metrics, each the mean of some of the others that are defined (macro F1 over labels).
    """

    metrics: tuple[str, ...]
    numerators: Floats
    denominators: Floats
    means: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def percent(self, metric: str) -> float | None:
        """A metric in percent over all examples; None where its denominator is 0: the metric is then undefined."""
        if metric in self.means:
            parts = [value for part in self.means[metric] if (value := self.percent(part)) is not None]
            return sum(parts) / len(parts) if parts else None
        column = self.metrics.index(metric)
        total = float(self.denominators[:, column].sum())
        return 100.0 * float(self.numerators[:, column].sum()) / total if total else None

    def percents(self, metrics: Sequence[str]) -> dict[str, float | None]:
        """Some metrics in percent, rounded to six decimals as in results.csv."""
        values = {metric: self.percent(metric) for metric in metrics}
        return {metric: None if value is None else round(value, 6) for metric, value in values.items()}

    def take(self, rows: npt.NDArray[np.bool_]) -> Scores:
        """The scores of the examples where (X,) `rows` is true."""
        return replace(self, numerators=self.numerators[rows], denominators=self.denominators[rows])


@dataclass(frozen=True, slots=True)
class Gold:
    """What scoring and labelling one example needs: DeepPavlov's y, beside the example's id.

    Attributes:
        scorer: name of the scorer that leads for its test set.
        task: name of its task.
    """

    example: Any
    scorer: str
    task: str = DEFAULT_TASK


@dataclass(frozen=True, slots=True)
class HeadOptions:
    """The settings of a network's head and of decoding; each task uses its own.

    Attributes:
        labels: all labels of a classification, in the order of the head's outputs.
        max_answer_length: longest answer of question answering, in pieces.
        null_threshold: a question is left unanswered where the score of no answer exceeds that of the best span by more, in nats;
            None: every question gets a span.
    """

    labels: tuple[str, ...] = ()
    max_answer_length: int = 30
    null_threshold: float | None = None


def require_fast(tokenizer: Any) -> None:
    """Refuse a tokenizer without a fast implementation, whose pieces have no places in the text.

    Raises:
        XlqaError: it has none.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise XlqaError("the model's tokenizer is not fast: its folder needs a tokenizer.json or vocab.txt.")


class Template(Protocol):
    """What batching needs to know of a tokenizer: the number of its padding piece."""

    @property
    def pad(self) -> int: ...


class Features(Protocol):
    """Texts as W windows of pieces, in flat arrays: the input of a network. A frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def ids(self) -> npt.NDArray[np.int32]:
        """(T,) piece numbers, window after window."""

    @property
    def starts(self) -> Index:
        """(W + 1,) where each window begins in `ids`."""

    @property
    def lengths(self) -> Index:
        """(W,) pieces of each window."""

    @property
    def template(self) -> Template: ...

    def masks(self, batch: Index, columns: Array, present: Array) -> dict[str, Array]:
        """Further inputs of a batch of B windows, (B, L) each, such as token_type_ids.

        Args:
            batch: (B,) window numbers; columns: (1, L) positions; present: (B, L) bool, false on padding.
        """


class Labels(Protocol):
    """The gold labels of some features."""

    def arrays(self) -> tuple[Array, ...]:
        """All label arrays: they identify a training for its checkpoint."""

    def batch(self, features: Any, batch: Index, width: int) -> dict[str, Array]:
        """What the loss of a batch of B windows, L = width pieces wide, needs beside the network's output."""

    def weight(self, batch: Index) -> int:
        """How many labels a batch has: the loss of an update is the mean over them."""


class Head(ABC):
    """The part of a network that a task adds to an encoder. Its module imports torch."""

    auto_class: ClassVar[str]
    """The class of transformers that reads and writes the network."""

    inner: ClassVar[tuple[str, ...]] = ()
    """Names of the encoder's modules that count as the head's, beside all that is outside the encoder: their weights are
    initialised at random and may be absent from an encoder's folder."""

    what: ClassVar[str]
    """The head's name in messages."""

    def __init__(self, options: HeadOptions) -> None:
        self.options = options

    def config(self) -> dict[str, Any]:
        """Fields of the network's configuration that the head decides."""
        return {}

    def mismatch(self, network: Any) -> str | None:
        """Why a network's head does not fit the options, in a few words, or None."""
        return None

    def reset(self, network: Any, seed: int) -> None:
        """Draw fresh weights for the head."""
        from xlqa.tasks.heads import reset_head

        reset_head(network, seed, self.inner)

    @abstractmethod
    def loss(self, output: Any, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Sum of the losses of a batch's labels, in float32.

        Args:
            output: of the network; tensors: of the batch, labels included.
        """

    @abstractmethod
    def guess_loss(self, features: Any, labels: Any) -> float:
        """Mean loss of the best guess that does not look at the text: a training that stays near it learned nothing."""

    @abstractmethod
    def decode(
        self, output: Any, tensors: Mapping[str, torch.Tensor], features: Any, top: int
    ) -> tuple[torch.Tensor, ...]:
        """What prediction needs of a batch's output, still on its device: tensors of first dimension B.

        Their shapes must not depend on what the tensors hold, which would make the host wait for the device.

        Args:
            features: that the batch was taken from; top: predictions an example, where a task can give several.
        """

    @abstractmethod
    def predict(
        self,
        features: Any,
        inputs: Sequence[Sequence[Any]],
        decoded: Sequence[tuple[Index, tuple[Array, ...]]],
        top: int,
    ) -> list[Any]:
        """The prediction of each example from all batches' decoded outputs.

        Args:
            inputs: one column for each of the task's inputs, (X,) each.
            decoded: pairs of (B,) window numbers and what `decode` returned for them, in host memory.
        """


class Task(ABC, Generic[E]):
    """Data, labels and scores of one task."""

    name: str
    unit: ClassVar[str]
    """What an example is called in messages and on axes: "question", "sentence"."""

    inputs: ClassVar[tuple[str, ...]]
    """Names of what a trained model is called with, in configs and in DeepPavlov's `build_model`."""

    outputs: ClassVar[tuple[str, ...]]
    """Names of what it returns; the first one is the prediction that is scored and stored."""

    metrics: tuple[str, ...]
    """Columns of results.csv, the leading one first (`records.TASK_METRICS`)."""

    shown: ClassVar[tuple[str, ...]]
    """The metrics in a line of progress."""

    @abstractmethod
    def read(self, path: Path, *, language: str = "", skip_bad: bool = False) -> Dataset[E]:
        """Read a data file.

        Raises:
            XlqaError: it cannot be read, or has an example that cannot be used and `skip_bad` is not set.
        """

    def read_test(self, path: Path, *, language: str = "", skip_bad: bool = False) -> Dataset[E]:
        """Read a data file to score on: also examples that could not be trained on, where an official script scores them.

        Raises:
            XlqaError: as `read`.
        """
        return self.read(path, language=language, skip_bad=skip_bad)

    def load(
        self, path: Path, *, language: str = "", skip_bad: bool = False, to_score: bool = False, map_tags: TagMap = (),
        unanswerable: bool = False,
    ) -> Dataset[E]:  # fmt: skip
        """Read a data file as a sweep uses it: to train on or `to_score`, with some tags read as others.

        Args:
            unanswerable: whether questions without an answer are among the examples.

        Raises:
            XlqaError: as `read`; or the task has no questions.
        """
        if unanswerable:
            raise XlqaError(f"--unanswerable is for --task qa, not {self.name}.")
        read = self.read_test if to_score else self.read
        dataset = read(path, language=language, skip_bad=skip_bad)
        return replace(dataset, examples=self.map_tags(dataset.examples, map_tags)) if map_tags else dataset

    usual_names: Mapping[str, tuple[str, ...]]
    """By field (`records.TASK_FIELDS`) the names, in lower case, under which files have it."""

    def rows(self, path: Path, columns: Mapping[str, str]) -> Iterator[Any] | None:
        """The rows of a file with columns or keys, by the file's own names; None for a file without names.

        Args:
            columns: the file's own names by field, where they are not the usual ones.

        Raises:
            XlqaError: the file cannot be read.
        """
        return None

    def map_tags(self, examples: Sequence[E], map_tags: TagMap) -> tuple[E, ...]:
        """The examples with some tags read as others (`--map-tags`).

        Raises:
            XlqaError: the task has no tags.
        """
        raise XlqaError(f"--map-tags is for --task ner and pos, not {self.name}.")

    def tag_names(self, examples: Sequence[E]) -> frozenset[str]:
        """The names of the examples' tags that `map_tags` can take."""
        return frozenset()

    no_tag: ClassVar[str] = ""
    """The tag of words that have none of their own."""

    def tag_of(self, label: str) -> str:
        """The name by which `map_tags` takes a label; "" for a task without tags."""
        return ""

    @abstractmethod
    def overlap(self, train: Sequence[E], test: Sequence[E]) -> frozenset[str]:
        """Ids of the test examples whose text is in the training data."""

    tolerated_leak: ClassVar[float] = 0.0
    """Share of a test set that the source data may contain without stopping a sweep; the table counts it in any case."""

    def leak(self, source: Sequence[E], test: Sequence[E]) -> frozenset[str]:
        """Ids of the test examples that the source data gives away: a model that trained on it has seen them."""
        return self.overlap(source, test)

    @abstractmethod
    def input_of(self, example: E) -> tuple[Any, ...]:
        """One value for each of `inputs`."""

    @abstractmethod
    def complaint(self, max_length: int, stride: int) -> str | None:
        """What is wrong with these lengths, in one line, or None."""

    @abstractmethod
    def encode(self, tokenizer: Any, inputs: Sequence[Sequence[Any]], max_length: int, stride: int) -> Any:
        """Features of X examples, a pure function of its arguments.

        Args:
            inputs: one column for each of `self.inputs`, (X,) each.
            max_length: pieces of a window at most; stride: pieces that neighbouring windows share.
        """

    @abstractmethod
    def label(self, features: Any, examples: Sequence[E], labels: Sequence[str]) -> Any:
        """`Labels` of the features of X examples; `labels` are all labels that the model knows."""

    @abstractmethod
    def outputs_of(self, predictions: Sequence[Any]) -> tuple[list[Any], ...]:
        """(X,) predictions of a head as one column for each of `outputs`."""

    @abstractmethod
    def score(self, examples: Sequence[E], predictions: Sequence[Any], scorer: str) -> Scores:
        """Score (X,) predictions, as the first of `outputs` has them.

        Args:
            scorer: name of the rules that lead for this test set.
        """

    @abstractmethod
    def head(self, options: HeadOptions) -> Head:
        """The task's head. Imports torch."""

    written: ClassVar[tuple[str, ...]] = ()
    """Endings of the files that `write` makes; the data commands of question answering have their own code."""

    def inspect(self, dataset: Dataset[E]) -> Inspection:
        """Count and describe the examples of a data set."""
        raise NotImplementedError

    def measure(self, examples: Sequence[E], count: CountPieces, special: int, max_length: int) -> PieceCounts:
        """What a tokenizer makes of some examples.

        Args:
            special: special pieces of a window; max_length: pieces of a window at most.
        """
        raise NotImplementedError

    def write(self, dataset: Dataset[E], ending: str) -> bytes:
        """The examples in the format of an ending of `written`; reading it gives the same texts and labels.

        Raises:
            XlqaError: the format cannot hold an example.
        """
        raise NotImplementedError

    def shuffle_labels(self, examples: Sequence[E]) -> tuple[E, ...]:
        """The examples with labels that carry no information on the task: what `--source-labels shuffled` trains on.

        Raises:
            XlqaError: the task has no such control.
        """
        raise XlqaError(f"--source-labels shuffled: the task {self.name} has no such control.")

    def count_unreachable(self, features: Any, examples: Sequence[E]) -> int:
        """Examples that no prediction can get right, because of the lengths that `features` were made with."""
        return 0

    def labels_of(self, example: E) -> tuple[str, ...]:
        """The gold labels of an example; () for a task without a fixed set of labels."""
        return ()

    def label_set(self, examples: Sequence[E]) -> tuple[str, ...]:
        """All labels of some training examples, sorted; () for a task without a fixed set of labels."""
        return ()


TASKS: dict[str, tuple[str, str]] = {
    "qa": ("xlqa.tasks.qa.task", "QuestionAnswering"),
    "ner": ("xlqa.tasks.tagging.task", "NamedEntities"),
    "pos": ("xlqa.tasks.tagging.task", "PartsOfSpeech"),
    "nli": ("xlqa.tasks.sentences.task", "PairClassification"),
    "paraphrase": ("xlqa.tasks.sentences.task", "PairClassification"),
    "topic": ("xlqa.tasks.sentences.task", "SentenceClassification"),
    "sentiment": ("xlqa.tasks.sentences.task", "SentenceClassification"),
}
"""Module and class of each task by name: imported on first use."""

_known: dict[str, Task[Any]] = {}


def get_task(name: str) -> Task[Any]:
    """The task of a name.

    Raises:
        XlqaError: there is no such task.
    """
    if name not in TASKS:
        raise XlqaError(f"--task {name}: {refuse_choice(name, TASKS)}.")
    if name not in _known:
        module, kind = TASKS[name]
        _known[name] = getattr(import_module(module), kind)(name)
    return _known[name]
