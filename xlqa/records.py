"""The frozen records that all parts of xlqa share, and the columns of its table.

What enters an identity (`run_id`, `eval_id`) is decided in `xlqa.runs.specs`, and golden tests pin it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

from xlqa.errors import XlqaError

MIN_CONTEXT_STEP = 16
"""New pieces of a paragraph in each further window, at least: longer questions are cut."""

LEAST_QUESTION = 8
"""Pieces of a question that fit into any window."""

SCHEMA_VERSION = 1
"""Version of everything that decides a run's weights beside its settings: reading, windows, batching, training."""


SubsetBy = Literal["question", "paragraph", "label"]
"""How subsets of the target's train part are drawn: single examples, whole groups, or examples stratified by label."""

SourceLabels = Literal["gold", "shuffled"]
"""The labels of the source data: its own, or a control without information on the task."""

JointSampling = Literal["proportional", "balanced"]
"""How joint training mixes source and target: as many of each as there are, or half of each."""


TagMap = tuple[tuple[str, str], ...]
"""Tags that are read as other ones: pairs of an entity type and a type or O, or of two parts of speech; sorted."""


class Arm(StrEnum):
    """The four ways of training that a sweep compares."""

    TRANSFER = "transfer"
    TARGET_ONLY = "target-only"
    JOINT = "joint"
    MONOLINGUAL = "monolingual"

    @property
    def uses_source(self) -> bool:
        """Whether source (English) examples take part in the training."""
        return self in (Arm.TRANSFER, Arm.JOINT)


class Example(Protocol):
    """What sweeps need to know of an example of any task: a question, a sentence, a pair of sentences."""

    @property
    def id(self) -> str:
        """Unique within its data set."""

    @property
    def group(self) -> str:
        """The unit that subsets, validation parts and intervals may draw whole: paragraph, premise, or the example."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A gold answer: `context[start : start + len(text)] == text`, in Python characters (code points)."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Question:
    """One question on one paragraph.

    Attributes:
        id: unique within its data set.
        question: the question's text.
        context: the paragraph's text, as in the file after the repairs that reading reports.
        answers: the gold answers whose place in the paragraph is known: what training uses. Empty for an unanswerable
            question of SQuAD 2.0, and for one that can be scored but not trained on.
        context_hash: `hash_context(context)`, the identity of the paragraph: two entries with one text are one paragraph.
        golds: all gold texts as the file has them, empty ones included: what scoring uses, as the official scripts do.
            None where they are the texts of `answers`.
    """

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...]
    context_hash: str
    golds: tuple[str, ...] | None = None

    @property
    def gold_texts(self) -> tuple[str, ...]:
        """All gold texts, as an official script reads them; empty only for an unanswerable question."""
        return tuple([answer.text for answer in self.answers]) if self.golds is None else self.golds

    @property
    def group(self) -> str:
        """Its paragraph."""
        return self.context_hash

    @property
    def is_whole(self) -> bool:
        """Whether training can use every gold text, up to white space at its edges."""
        return self.golds is None or [gold.strip() for gold in self.golds] == [answer.text for answer in self.answers]


MOST_SEEDS = 10_000
"""Maximum number of seeds in one range: more is a typing error."""


def seed_range(word: str, flag: str = "--seeds") -> range:
    """The seeds that a word of a list of seeds names: "7", or "3-5" with both ends.

    Raises:
        XlqaError: it is neither, or a range that ends before it starts or is longer than MOST_SEEDS.
    """
    first, dash, last = word.strip().partition("-")
    if first.isdecimal() and (last.isdecimal() or not dash):
        seeds = range(int(first), int(last or first) + 1)
        if 0 < len(seeds) <= MOST_SEEDS:
            return seeds
    raise XlqaError(f"{flag} {word}: write seeds as 0,1,4 or as 0-4.")


def planned_steps(questions: int, epochs: float, batch_size: int, min_steps: int) -> int:
    """Updates of a training on N questions: max(min_steps, epochs * ceil(N / batch_size)), whole; 0 for N = 0."""
    if questions == 0:
        return 0
    return max(min_steps, round(epochs * -(-questions // batch_size)))


def hash_context(context: str) -> str:
    """16 hexadecimal digits of the SHA-256 of a paragraph's text, with runs of white space replaced by single blanks."""
    return hashlib.sha256(" ".join(context.split()).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class DataRef:
    """A data set: enough to find, read and score its questions on any machine.

    Attributes:
        name: short and readable ("squad.train", "xquad.ru", a local file's stem); never part of an identity.
        path: the file on this machine; never part of an identity.
        sha256: of the file's bytes; this is its identity.
        language: ISO 639-1 code of the paragraphs.
        scorer: name of the scorer whose EM and F1 lead (`xlqa.tasks.qa.scorers.get_scorer`).
        set_name: the registered set it belongs to ("xquad"), or "" for a local file.
    """

    name: str
    path: Path
    sha256: str
    language: str
    scorer: str
    set_name: str = ""


IDENTITY_COLUMNS = (
    "lang", "arm", "size", "seed", "source_seed", "subset_seed", "train_seed", "model", "source", "target", "test", "split",
)  # fmt: skip
SCORE_COLUMNS = ("f1", "em", "scorer", "squad_f1", "squad_em")
COUNT_COLUMNS = (
    "questions", "paragraphs", "unreachable", "missing",
    "source_overlap", "train_overlap", "f1_without_overlap", "em_without_overlap",
)  # fmt: skip
TRAINING_COLUMNS = (
    "steps", "lr", "epochs", "batch_size", "warmup", "min_steps", "subset_by", "valid_size", "target_questions",
    "source_size", "source_steps", "source_lr", "source_epochs", "source_batch_size",
    "max_length", "stride", "max_answer_length", "test_size", "final_loss", "learned",
)  # fmt: skip
MACHINE_COLUMNS = (
    "train_seconds", "eval_seconds", "examples_per_second", "micro_batch", "device", "host", "finished",
    "xlqa", "deeppavlov", "torch", "transformers",
)  # fmt: skip
ID_COLUMNS = (
    "precision", "schema", "model_sha256", "source_sha256", "target_sha256", "test_sha256", "source_id", "eval_id", "run_id",
)  # fmt: skip

RESULT_COLUMNS = (
    *IDENTITY_COLUMNS, *SCORE_COLUMNS, *COUNT_COLUMNS, *TRAINING_COLUMNS, *MACHINE_COLUMNS, *ID_COLUMNS,
)  # fmt: skip
"""The columns of results.csv, in order. A value that does not apply (a target-only run's source) is empty, never 0."""

TASK_METRICS: dict[str, tuple[str, ...]] = {
    "qa": ("f1", "em", "squad_f1", "squad_em"),
    "ner": ("f1", "entity_precision", "entity_recall", "strict_f1"),
    "pos": ("accuracy", "xtreme_f1"),
    "nli": ("accuracy", "macro_f1"),
    "paraphrase": ("accuracy", "macro_f1"),
    "topic": ("accuracy", "macro_f1"),
    "sentiment": ("accuracy", "macro_f1"),
}
"""The metrics of each task, the leading one first: its columns of results.csv, in percent."""

TASK_FIELDS: dict[str, tuple[str, ...]] = {
    "qa": ("id", "question", "context", "answers", "answer_start", "title", "is_impossible"),
    "ner": ("id", "tokens", "tags", "document"),
    "pos": ("id", "tokens", "tags", "document"),
    "nli": ("id", "premise", "hypothesis", "label", "language"),
    "paraphrase": ("id", "sentence1", "sentence2", "label", "language"),
    "topic": ("id", "text", "label", "language"),
    "sentiment": ("id", "text", "label", "language"),
}
"""The fields of an example in a file with columns or keys, by the names that `--columns` takes."""

TASK_SOURCES = {
    "qa": "squad.train", "ner": "wikiann.en.train", "pos": "ud_en_ewt.train", "nli": "xnli.en.train",
    "paraphrase": "pawsx.en.train", "topic": "sib200.en.train",
}  # fmt: skip
"""The registered source set of each task that has one."""

TASK_SCORERS: dict[str, str] = {"ner": "conll"} | {
    name: "accuracy" for name in TASK_METRICS if name not in ("qa", "ner")
}
"""The scorer of each task but question answering, where the test set decides."""


NO_ANSWER_METRICS = ("has_answer_f1", "has_answer_em", "no_answer_f1")
"""Further metrics with `--unanswerable`: over the questions with an answer, and over those without."""

THRESHOLD = "no_answer_threshold"
"""The column that only rows of runs with `--unanswerable` have."""

NO_ANSWER_COLUMNS = (*NO_ANSWER_METRICS, "unanswerable", THRESHOLD)
"""The further columns of such rows."""

NO_ANSWER_NOTE = "with unanswerable"
"""What marks the data of such a run in its row: their names, and after a + their hashes."""


def result_columns(task: str, unanswerable: bool = False) -> tuple[str, ...]:
    """The columns of a task's results.csv, in order.

    Question answering has RESULT_COLUMNS, and with `--unanswerable` NO_ANSWER_COLUMNS after the scores. Other tasks have their
    name in a first column, `task`, and have their own metrics; of these the leading one also without the test examples whose
    text is in the train part.
    """
    if task == "qa":
        more = NO_ANSWER_COLUMNS if unanswerable else ()
        return (*IDENTITY_COLUMNS, *SCORE_COLUMNS, *more, *RESULT_COLUMNS[len(IDENTITY_COLUMNS + SCORE_COLUMNS) :])
    metrics = TASK_METRICS[task]
    own = {"f1": (*metrics, "scorer"), "f1_without_overlap": (f"{metrics[0]}_without_overlap",)}
    dropped = {*SCORE_COLUMNS, "em_without_overlap", "max_answer_length"}
    columns: list[str] = ["task"]
    for column in RESULT_COLUMNS:
        columns += own.get(column, () if column in dropped else (column,))
    return tuple(columns)


EVERY_COLUMN = tuple(dict.fromkeys(column for task in TASK_METRICS for column in result_columns(task, True)))
"""The columns of all tasks."""

TEXT_COLUMNS = (
    "task", "lang", "arm", "model", "source", "target", "test", "split", "scorer", "subset_by", "learned",
    "device", "host", "finished", "xlqa", "deeppavlov", "torch", "transformers",
    "precision", "model_sha256", "source_sha256", "target_sha256", "test_sha256", "source_id", "eval_id", "run_id",
)  # fmt: skip
"""Columns of words; all others hold numbers."""

WHOLE_COLUMNS = (
    "size",
    "seed",
    "source_seed",
    "subset_seed",
    "train_seed",
    "questions",
    "paragraphs",
    "unanswerable",
    "target_questions",
    "n",
)
PERCENT_COLUMNS = tuple(
    column
    for column in EVERY_COLUMN
    if column.removesuffix("_without_overlap")
    in {*NO_ANSWER_METRICS, *(metric for metrics in TASK_METRICS.values() for metric in metrics)}
)

VOLATILE_COLUMNS = MACHINE_COLUMNS
"""Time, host, device and version columns: the only ones in which two tables of the same request may differ."""

SEED_COLUMNS = ("seed", "source_seed", "subset_seed", "train_seed")

SETTING_COLUMNS = (
    "model", "source", "source_size", "source_steps", "source_lr", "source_epochs", "source_batch_size", "source_sha256",
    "target", "target_sha256", "lr", "epochs", "batch_size", "warmup", "min_steps", "subset_by", "valid_size",
    "max_length", "stride", "precision", "model_sha256", "schema",
)  # fmt: skip
"""What makes two runs different settings of one arm. Rows that differ in any of these are never averaged."""

TEST_COLUMNS = ("test", "split", "test_sha256", "test_size", "scorer", "max_answer_length")
"""What makes two evaluations different measurements. Rows that differ in any of these are never averaged."""

NEVER_EMPTY = ("lang", "arm", "size", "seed", "model", "test", "split", "scorer", "run_id", "eval_id")
"""What the row of every finished evaluation has."""

QUESTION_COLUMNS = ("id", "context", "f1", "em", "squad_f1", "squad_em")
"""The columns of questions.csv, one row per test question; scores are percentages (0 to 100), `context` a context hash."""

PAIR_COLUMNS = (
    "set", "question_lang", "context_lang", "f1", "em", "scorer", "squad_f1", "squad_em", "n", "paragraphs", "lang", "arm",
    "size", *SEED_COLUMNS, *SETTING_COLUMNS, "test_size", "max_answer_length", "eval_seconds", "device", "finished", "xlqa",
    "weights_sha256", "question_sha256", "context_sha256", "run_id",
)  # fmt: skip
"""The columns of the table of `xlqa evaluate --pairs`, one row per pair; scores in percent, `n` counts questions."""

FEATURE_KEY = ("lang", "test", "test_sha256", "model_sha256", "source_size", "source_sha256")
"""The columns of results.csv by which a row of features.csv belongs to its rows."""

PIECE_FEATURES = (
    "pieces_per_word", "pieces_per_character", "whole_words", "unknown", "overlap_types", "overlap_tokens", "untouched",
    "entity_overlap_types", "entity_overlap_tokens",
)  # fmt: skip
"""What a tokenizer makes of a test set, and what its pieces have in common with the source data's; shares from 0 to 1."""
LANGUAGE_FEATURES = (
    "same_script", "same_family", "syntactic", "phonological", "inventory", "genetic", "geographic",
)  # fmt: skip
"""The test language against the source language: 1 or 0, and URIEL's distances from 0 to 1."""

FEATURE_COLUMNS = (
    "task", "lang", "test", "test_lang", "model", "source", "source_lang", "source_size", *PIECE_FEATURES, "script", "family",
    *LANGUAGE_FEATURES, "test_sha256", "model_sha256", "source_sha256",
)  # fmt: skip
"""The columns of features.csv (`xlqa features`), one row per language, test set, encoder and source."""
