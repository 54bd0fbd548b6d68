"""Tagging as a task: one tag a word, entity tags (`ner`) or parts of speech (`pos`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from xlqa.records import TASK_METRICS, TagMap
from xlqa.tasks.base import CountPieces, Dataset, Head, HeadOptions, Inspection, PieceCounts, Scores, Task
from xlqa.tasks.tagging.alignment import TaggedWindows, TagLabels, label_words, make_tagged_windows
from xlqa.tasks.tagging.columns import Kind
from xlqa.tasks.tagging.inspection import inspect_sentences, measure_sentences
from xlqa.tasks.tagging.reading import TAG_KEYS, WORD_KEYS, Sentence, named_rows, read_sentences
from xlqa.tasks.tagging.schemes import OUTSIDE
from xlqa.tasks.tagging.scorers import (
    Counts,
    conll_entities,
    count_entities,
    count_kinds,
    count_tags,
    single_tags,
    strict_entities,
)
from xlqa.tasks.tagging.words import find_words
from xlqa.tasks.tagging.writing import ENDINGS, write_sentences

LEAST_LENGTH = 16


class Tagging(Task[Sentence]):
    """Find the tag of each word of a sentence. A task's name is the kind of its tags."""

    unit = "sentence"
    # Titles and fragments are the same in many files by accident: 0.4 % of PAN-X's Spanish dev part is in its English train part.
    tolerated_leak = 0.01
    inputs = ("words",)
    outputs = ("tags",)
    written = ENDINGS

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind = cast(Kind, name)
        self.usual_names = {
            "id": ("id",), "tokens": WORD_KEYS, "tags": TAG_KEYS[self.kind], "document": ("document",),
        }  # fmt: skip

    def rows(self, path: Path, columns: Mapping[str, str]) -> Iterator[Any] | None:
        """The rows of JSON or Parquet; None for columns of words and tags."""
        return named_rows(path)

    def read(self, path: Path, *, language: str = "", skip_bad: bool = False) -> Dataset[Sentence]:
        """Read a file of tagged sentences (`xlqa.tasks.tagging.reading`)."""
        return read_sentences(path, self.kind, skip_bad=skip_bad)

    def map_tags(self, examples: Sequence[Sentence], map_tags: TagMap) -> tuple[Sentence, ...]:
        """The sentences with some parts of speech or entity types read as others; O for a type drops its entities."""
        known = dict(map_tags)
        return tuple(replace(s, tags=tuple(self.map_tag(tag, known) for tag in s.tags)) for s in examples)

    def map_tag(self, tag: str, known: Mapping[str, str]) -> str:
        """One tag under a mapping of names."""
        return known.get(tag, tag)

    def tag_names(self, examples: Sequence[Sentence]) -> frozenset[str]:
        """Parts of speech, or entity types."""
        return frozenset(self.tag_of(tag) for sentence in examples for tag in sentence.tags)

    def tag_of(self, label: str) -> str:
        """The tag itself."""
        return label

    def inspect(self, dataset: Dataset[Sentence]) -> Inspection:
        """Sentences, words, entities by type or words by tag (`xlqa.tasks.tagging.inspection`)."""
        return inspect_sentences(dataset.examples, self.kind)

    def measure(self, examples: Sequence[Sentence], count: CountPieces, special: int, max_length: int) -> PieceCounts:
        """Pieces of words tokenised one by one."""
        return measure_sentences(examples, count, special, max_length)

    def write(self, dataset: Dataset[Sentence], ending: str) -> bytes:
        """Columns, CoNLL-U or JSON lines."""
        return write_sentences(dataset.examples, self.kind, ending)

    def overlap(self, train: Sequence[Sentence], test: Sequence[Sentence]) -> frozenset[str]:
        """Ids of the test sentences that are in the training data word for word."""
        known = {sentence.words for sentence in train}
        return frozenset(sentence.id for sentence in test if sentence.words in known)

    def input_of(self, example: Sentence) -> tuple[list[str]]:
        """The words."""
        return (list(example.words),)

    def complaint(self, max_length: int, stride: int) -> str | None:
        """A window must hold a few words."""
        if max_length < LEAST_LENGTH:
            return f"--max-length {max_length} is too small for a sentence: use {LEAST_LENGTH} or more."
        if not 0 <= stride <= max_length // 2:
            return f"--stride {stride} does not fit windows of {max_length} pieces: use 0 to {max_length // 2}."
        return None

    def encode(self, tokenizer: Any, inputs: Sequence[Sequence[Any]], max_length: int, stride: int) -> TaggedWindows:
        """Windows of (S,) sentences: lists of words, or plain texts, which are split into words."""
        sentences = [
            [word.group() for word in find_words(words, self.kind)] if isinstance(words, str) else words
            for words in inputs[0]
        ]
        return make_tagged_windows(tokenizer, sentences, max_length, stride)

    def label(self, features: TaggedWindows, examples: Sequence[Sentence], labels: Sequence[str]) -> TagLabels:
        """Each word's tag."""
        return label_words(features, [sentence.tags for sentence in examples], labels)

    def labels_of(self, example: Sentence) -> tuple[str, ...]:
        """The words' tags."""
        return example.tags

    def label_set(self, examples: Sequence[Sentence]) -> tuple[str, ...]:
        """All tags of some sentences, sorted."""
        return tuple(sorted({tag for sentence in examples for tag in sentence.tags}))

    def outputs_of(self, predictions: Sequence[Any]) -> tuple[list[Any], ...]:
        """(S,) lists of tags."""
        return (list(predictions),)

    def head(self, options: HeadOptions) -> Head:
        """A linear layer with one output a tag."""
        from xlqa.tasks.tagging.network import TaggingHead

        return TaggingHead(options)


class NamedEntities(Tagging):
    """Named entities, with tags in IOB2."""

    metrics = TASK_METRICS["ner"]
    no_tag = OUTSIDE
    shown = ("f1",)

    def map_tag(self, tag: str, known: Mapping[str, str]) -> str:
        """A tag with another type, or O."""
        other = known.get(self.tag_of(tag), "")
        return tag if not other else OUTSIDE if other == OUTSIDE else tag[:2] + other

    def tag_of(self, label: str) -> str:
        """The entity type; O for O."""
        return label[2:] or label

    def label_set(self, examples: Sequence[Sentence]) -> tuple[str, ...]:
        """O, and B- and I- of every type, sorted: a type that the data never continues can still be continued."""
        kinds = {tag[2:] for sentence in examples for tag in sentence.tags if tag != OUTSIDE}
        return tuple(sorted({OUTSIDE, *(f"{prefix}-{kind}" for prefix in "BI" for kind in kinds)}))

    def score(self, examples: Sequence[Sentence], predictions: Sequence[Sequence[str]], scorer: str) -> Scores:
        """Entity F1, precision and recall as conlleval counts, and F1 under strict IOB2 (`xlqa.tasks.tagging.scorers`).

        F1 and precision of each entity type follow, `f1:TYPE` and `precision:TYPE`.
        """
        golds = [sentence.tags for sentence in examples]
        entities = conll_entities(golds), conll_entities(predictions)
        right, predicted, gold = count_entities(*entities).T
        strict, strict_predicted, strict_gold = count_entities(strict_entities(golds), strict_entities(predictions)).T
        numerators = np.stack([2 * right, right, right, 2 * strict], axis=1)
        denominators = np.stack([predicted + gold, predicted, gold, strict_predicted + strict_gold], axis=1)
        return _with_kinds(Scores(self.metrics, numerators, denominators), count_kinds(*entities))


def _with_kinds(scores: Scores, counts: Mapping[str, Counts]) -> Scores:
    """The scores, followed by F1 and precision of each entity type or tag from its (S, 3) counts."""
    right, predicted = ([count[:, i : i + 1] for count in counts.values()] for i in (0, 1))
    both = [count[:, 1:].sum(axis=1, keepdims=True) for count in counts.values()]
    numerators = [scores.numerators, *(2 * count for count in right), *right]
    denominators = [scores.denominators, *both, *predicted]
    names = (*scores.metrics, *(f"{metric}:{kind}" for metric in ("f1", "precision") for kind in counts))
    return Scores(names, np.concatenate(numerators, axis=1), np.concatenate(denominators, axis=1))


class PartsOfSpeech(Tagging):
    """Parts of speech, such as Universal Dependencies' UPOS."""

    metrics = TASK_METRICS["pos"]
    no_tag = "X"
    shown = ("accuracy",)

    def score(self, examples: Sequence[Sentence], predictions: Sequence[Sequence[str]], scorer: str) -> Scores:
        """Accuracy over words, and what XTREME reports: seqeval's F1 on the bare tags, in which equal neighbours merge.

        F1 and precision of each tag follow, `f1:TAG` and `precision:TAG`.
        """
        golds = [sentence.tags for sentence in examples]
        right, words = count_tags(golds, predictions).T
        both, predicted, gold = count_entities(conll_entities(golds), conll_entities(predictions)).T
        numerators = np.stack([right, 2 * both], axis=1)
        scores = Scores(self.metrics, numerators, np.stack([words, predicted + gold], axis=1))
        return _with_kinds(scores, count_kinds(single_tags(golds), single_tags(predictions)))
