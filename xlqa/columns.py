"""The data dictionary of results.csv: what each column holds, and in which unit."""

from __future__ import annotations

from typing import NamedTuple

from xlqa.errors import XlqaError, did_you_mean
from xlqa.records import (
    COUNT_COLUMNS,
    EVERY_COLUMN,
    ID_COLUMNS,
    IDENTITY_COLUMNS,
    MACHINE_COLUMNS,
    TASK_METRICS,
    TEXT_COLUMNS,
    THRESHOLD,
    TRAINING_COLUMNS,
    result_columns,
)


class Column(NamedTuple):
    """A column: `kind` is text, number, percent, count, seconds or time (ISO 8601); `dtype` is that of `xlqa.load_results`."""

    name: str
    kind: str
    meaning: str
    group: str
    tasks: tuple[str, ...]
    dtype: str


_TEXTS = {
    "task": "text|Task: ner, pos, nli, paraphrase, topic or sentiment. Tables of question answering do not have the column.",
    "lang": "text|Target language, ISO 639-1.",
    "arm": "text|How the run was trained: transfer, target-only, joint or monolingual.",
    "size": "count|N, the number of labelled target examples. 0 is zero-shot.",
    "seed": "count|Seed of the run. Runs of two arms with one seed and size use the same target examples.",
    "source_seed": "count|Seed of the source stage that a transfer run starts from.",
    "subset_seed": "count|Seed that draws the target examples.",
    "train_seed": "count|Seed of the head, the batches and dropout.",
    "model": "text|Encoder, as named by --model.",
    "source": "text|Source training set, with changes such as frozen layers in parentheses.",
    "target": "text|Target training set, with changes such as frozen layers in parentheses.",
    "test": "text|Test set.",
    "split": "text|test, or valid for examples held out from the target's train part.",
    "f1": "percent|F1 by `scorer`: of answers (question answering) or of entities (ner).",
    "em": "percent|Exact match by `scorer`.",
    "scorer": "text|Rules of the score, such as squad, mlqa.ru or conll. squad2 and squad2.mlqa.ru also score unanswerable questions.",
    "squad_f1": "percent|F1 by the rules of SQuAD v1.1. With --unanswerable an unanswerable question counts 100 if it is left unanswered, else 0.",
    "squad_em": "percent|Exact match by the rules of SQuAD v1.1, as `squad_f1`.",
    "has_answer_f1": "percent|F1 over the questions with an answer. Only with --unanswerable.",
    "has_answer_em": "percent|Exact match over the questions with an answer. Only with --unanswerable.",
    "no_answer_f1": "percent|Share of the unanswerable questions that were left unanswered. Only with --unanswerable.",
    "unanswerable": "count|Unanswerable questions among `questions`. Only with --unanswerable.",
    "no_answer_threshold": "number|By how much the score of no answer must exceed the best span's, in nats. Only with --unanswerable.",
    "entity_precision": "percent|Precision of entities, as conlleval computes it.",
    "entity_recall": "percent|Recall of entities, as conlleval computes it.",
    "strict_f1": "percent|Entity F1 of seqeval's strict mode (IOB2).",
    "accuracy": "percent|Share of words (pos) or examples with the right label.",
    "xtreme_f1": "percent|The figure that XTREME calls POS F1: entity F1 of the bare tags.",
    "macro_f1": "percent|Mean F1 over the labels.",
    "questions": "count|Test examples that were scored: questions, sentences or pairs.",
    "paragraphs": "count|Different paragraphs (or groups) among them, the unit of the intervals.",
    "unreachable": "count|Test questions with no gold answer that is whole inside a window. They count as any other question.",
    "missing": "count|Test examples without a prediction. 0 for every run of xlqa.",
    "source_overlap": "count|Test examples whose text is in the source training set.",
    "train_overlap": "count|Test examples whose text is in the target training set.",
    "f1_without_overlap": "percent|f1 without the examples of `train_overlap`.",
    "em_without_overlap": "percent|em without the examples of `train_overlap`.",
    "accuracy_without_overlap": "percent|accuracy without the examples of `train_overlap`.",
    "steps": "count|Updates of the training on target examples.",
    "lr": "number|Peak learning rate.",
    "epochs": "number|Requested epochs. `min_steps` may ask for more.",
    "batch_size": "count|Windows per update.",
    "warmup": "number|Share of the steps in which the learning rate rises.",
    "min_steps": "count|Requested minimum of steps.",
    "subset_by": "text|How subsets are drawn: question, paragraph or label.",
    "valid_size": "count|Examples held out from the target's train part.",
    "target_questions": "count|Examples of the target training set that N was drawn from.",
    "source_size": "count|Source examples used.",
    "source_steps": "count|Updates of the source stage.",
    "source_lr": "number|Peak learning rate of the source stage.",
    "source_epochs": "number|Epochs of the source stage.",
    "source_batch_size": "count|Windows per update of the source stage.",
    "max_length": "count|Word pieces per window.",
    "stride": "count|Word pieces that neighbouring windows share.",
    "max_answer_length": "count|Maximum length of a predicted answer in word pieces.",
    "test_size": "count|Requested number of test examples. Empty for all.",
    "final_loss": "number|Mean training loss of the last steps.",
    "learned": "text|false if `final_loss` is not clearly below the loss of a guess: the run collapsed.",
    "train_seconds": "seconds|Wall-clock time of the training.",
    "eval_seconds": "seconds|Wall-clock time of the evaluation.",
    "examples_per_second": "number|Windows per second in training.",
    "micro_batch": "count|Padded word pieces of one forward and backward pass at most. Smaller if memory was short.",
    "device": "text|Processor or GPU of the run.",
    "host": "text|Machine of the run.",
    "finished": "time|End of the run, UTC.",
    "xlqa": "text|Version of xlqa.",
    "deeppavlov": "text|Version of DeepPavlov; `none` where xlqa ran the config itself.",
    "torch": "text|Version of PyTorch.",
    "transformers": "text|Version of transformers.",
    "precision": "text|Floating-point format: fp32, bf16 or fp16.",
    "schema": "count|Version of reading, windows and training. Rows of different versions are never averaged.",
    "model_sha256": "text|SHA-256 of the encoder's weights, tokenizer and configuration.",
    "source_sha256": "text|SHA-256 of the source training set's file, with changes.",
    "target_sha256": "text|SHA-256 of the target training set's file, with changes.",
    "test_sha256": "text|SHA-256 of the test set's file, with changes.",
    "source_id": "text|Id of the source stage.",
    "eval_id": "text|Id of the evaluation.",
    "run_id": "text|Id of the run, which contains everything that can change its weights.",
}  # fmt: skip

_GROUPS = {
    "Run": ("task", *IDENTITY_COLUMNS),
    "Counts": (*COUNT_COLUMNS, "unanswerable"),
    "Training": (*TRAINING_COLUMNS, THRESHOLD),
    "Machine": MACHINE_COLUMNS,
    "Identity": ID_COLUMNS,
}


def _group(name: str) -> str:
    if name == "scorer" or _TEXTS[name].startswith("percent"):
        return "Scores"
    return next(group for group, names in _GROUPS.items() if name in names)


def describe_columns(names: tuple[str, ...] = ()) -> list[Column]:
    """The columns with these names, by default all columns of all tasks, in the order of the table.

    Raises:
        XlqaError: there is no such column; the message names the nearest.
    """
    unknown = [name for name in names if name not in _TEXTS]
    if unknown:
        hint = did_you_mean(unknown[0], _TEXTS, most=2)
        raise XlqaError(f"results.csv has no column {unknown[0]}{hint}: `xlqa columns` lists them.")
    found = []
    for name in names or EVERY_COLUMN:
        kind, _, meaning = _TEXTS[name].partition("|")
        tasks = tuple(task for task in TASK_METRICS if name in result_columns(task, True))
        dtype = "str" if name in TEXT_COLUMNS else "int64" if name == "size" else "float64"
        found.append(Column(name, kind, meaning, _group(name), tasks, dtype))
    return found
