"""Asking a trained model: a question on a paragraph in any pair of languages, the entities of a text, the label of a pair.

xlqa ask "context" "question"
xlqa ask --task ner "text"
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlqa.data.hub import locate_model
from xlqa.data.model_check import check_model_folder
from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.results import refuse_without_weights
from xlqa.runs.store.run_config import find_config, is_run_config, read_config
from xlqa.tasks.base import DEFAULT_TASK, HeadOptions, Task, get_task
from xlqa.tasks.qa.decoding import Span
from xlqa.training.architecture import position_limit
from xlqa.training.model_folder import is_adapter
from xlqa.util.files import load_json
from xlqa.util.text import plain

KNOWN_HEAD = re.compile(r"For(QuestionAnswering|TokenClassification|SequenceClassification)$")
ENTITY_TAG = re.compile(r"O|[BI]-.+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A model to ask: its folder, what the component that loads it takes, and how it was trained to see text."""

    folder: Path
    options: Mapping[str, Any]
    max_length: int
    stride: int
    task: str = DEFAULT_TASK


@dataclass(frozen=True, slots=True)
class Tag:
    """A word of a text and its tag: `text[start:end]` is the word."""

    start: int
    end: int
    tag: str


@dataclass(frozen=True, slots=True)
class Entity:
    """A named entity: `text[start:end]` is its name."""

    kind: str
    start: int
    end: int


def find_model(name: str | None, home: Path, task: str = DEFAULT_TASK) -> Asked:
    """The model behind a run id, run folder, model folder or hub name; without one, what the sweep in `home` kept.

    Raises:
        XlqaError: there is none, its weights were not kept, or it was trained for another task.
    """
    asked = _find_model(name, home, task)
    if asked.task != task:
        raise XlqaError(
            f"{asked.folder} was trained for the task {asked.task}: add --task {asked.task}, or name a model."
        )
    return asked


def _find_model(name: str | None, home: Path, task: str) -> Asked:
    if name is None:
        return _described(_kept_by(home, task))
    if run := find_run(name, home):
        return _described(run)
    folder = locate_model(name).resolve()
    if folder.name == "model" and (run := find_run(str(folder.parent), home)):
        asked = _described(run)
        if asked.folder.resolve() == folder:
            return asked
    return _plain(folder, task)


def find_run(name: str, home: Path) -> RunFolder | None:
    """The folder of a run or source stage, by its path or by its id in the sweep's folder `home`; None where there is none."""
    folders = (Path(name).expanduser(), Layout(home).run(name).path, Layout(home).source(name).path)
    found = next((folder for folder in folders if is_run_config(folder / "config.json")), None)
    return RunFolder(found.resolve()) if found else None


def _kept_by(home: Path, task: str) -> RunFolder:
    """Of the runs of a task whose weights were kept: the transfer run of the largest size and lowest seed, else any run, else a
    source stage; of another task where there is none."""
    layout = Layout(home)
    kept = [folder for folder in (*layout.run_folders(), *layout.source_folders()) if _has_model(folder)]
    if kept:
        return min(kept, key=lambda folder: _preference(folder, task))
    raise XlqaError(
        f"no trained model in {home}: run a sweep there (`xlqa sweep --demo` takes minutes), go to a sweep's folder, set "
        "XLQA_HOME, or name one with --model."
    )


def _has_model(folder: RunFolder) -> bool:
    return (folder.model / "config.json").is_file()


def _preference(folder: RunFolder, task: str) -> tuple[bool, bool, bool, int, int, str]:
    config = find_config(folder)
    row = config.first_row if config else {}
    other = config is None or config.task != task
    size, seed = int(row.get("size") or 0), int(row.get("seed") or 0)
    return (other, folder.is_source, row.get("arm") != "transfer", -size, seed, folder.id)


def _described(folder: RunFolder) -> Asked:
    config = read_config(folder)
    config.refuse_links(folder)
    refuse_without_weights(folder, config)
    return Asked(
        folder.root / config.weights, config.model_options(folder.root), config.max_length, config.stride, config.task
    )


def _plain(folder: Path, task: str) -> Asked:
    """A model folder of anyone's, at the usual lengths; its configuration names the labels of a task that has some."""
    if is_adapter(folder):
        check_model_folder(folder)  # which states the way out
    read = load_json(folder / "config.json")
    config = read if isinstance(read, dict) else {}
    _refuse_other_head(folder, config, task)
    options: dict[str, Any] = {"encoder": str(folder), "save_path": str(folder)}
    if task != DEFAULT_TASK:
        options |= {"task": task, "labels": _labels_in(folder, config, task)}
    length, stride = usual_window(config)
    return Asked(folder, options, length, stride, task)


def usual_window(config: Mapping[str, Any]) -> tuple[int, int]:
    """The usual window, or a shorter one where the model has fewer positions."""
    length = min(384, position_limit(config) or 384)
    return length, length // 3


def _refuse_other_head(folder: Path, config: Mapping[str, Any], task: str) -> None:
    """Refuse a model whose configuration names the head of another task, as transformers writes it.

    Raises:
        XlqaError: it does.
    """
    named = config.get("architectures")
    heads = [word for word in named if isinstance(word, str)] if isinstance(named, list) else []
    wanted = get_task(task).head(HeadOptions()).auto_class.removeprefix("AutoModel")
    if heads and (found := KNOWN_HEAD.search(heads[0])) and found[0] != wanted:
        raise XlqaError(
            f"{folder} is a {plain(heads[0], 60)}, the task {task} needs a model {wanted}: name its task with --task."
        )


def _labels_in(folder: Path, config: Mapping[str, Any], task: str) -> list[str]:
    """The labels that a model's configuration names, in the order of its outputs.

    Raises:
        XlqaError: it names none, or others than the task has.
    """
    named = config.get("id2label")
    if not isinstance(named, dict) or not named or not all(str(number) in named for number in range(len(named))):
        raise XlqaError(f"{folder / 'config.json'} names no labels (id2label): it is not a model for the task {task}.")
    labels = [str(named[str(number)]) for number in range(len(named))]
    if task == "ner" and (other := [label for label in labels if not ENTITY_TAG.fullmatch(label)]):
        raise XlqaError(
            f"{folder / 'config.json'} has the label {plain(other[0], 40)!r}, which is not an entity tag (B-PER, I-PER, O): "
            "name the task that it was trained for with --task."
        )
    return labels


def ask(
    context: str,
    question: str,
    *,
    model: str | None = None,
    top_k: int = 1,
    device: str = "auto",
    home: Path | None = None,
) -> list[Span]:
    """The best answers to a question on a paragraph, best first; `context[span.start:span.end] == span.text`.

    A model that was trained with `--unanswerable` may find that there is no answer: the first span is then empty, at -1.

    Args:
        context: a paragraph of any length; long ones are read in windows.
        model: run id, run folder, model folder or hub name; without it what the sweep in `home` kept.
        top_k: how many answers at most.
        home: a sweep's folder; by default XLQA_HOME, else the current folder.

    Raises:
        XlqaError: an empty context or question, top_k below 1, no model, or a model without a trained head.
    """
    _refuse_unusable({"context": context, "question": question})
    found = _predict(DEFAULT_TASK, (context, question), model, top_k, device, home)
    spans: list[Span] = found[0]
    return spans


def tag(
    text: str, task: str = "ner", *, model: str | None = None, device: str = "auto", home: Path | None = None
) -> list[Tag]:
    """The tag of each word of a text, under a model that was trained for `ner` or `pos`.

    Words are found by `xlqa.tasks.tagging.words`: separate those of a language written without blanks by blanks.

    Args:
        model, device, home: as `ask`.

    Raises:
        XlqaError: an empty text, no model, or a model of another task.
    """
    _refuse_unusable({"text": text})
    from xlqa.tasks.tagging.words import find_words

    words = find_words(text, "ner" if task == "ner" else "pos")
    tags = _predict(task, ([word.group() for word in words],), model, 1, device, home)[0] if words else []
    return [Tag(word.start(), word.end(), tag) for word, tag in zip(words, tags, strict=True)]


def join_entities(tags: Sequence[Tag]) -> list[Entity]:
    """The entities of a text's tags in IOB2, as conlleval reads them: one may begin with I-."""
    found: list[Entity] = []
    before = "O"
    for word in tags:
        prefix, _, kind = word.tag.partition("-")
        if prefix == "I" and before.partition("-")[2] == kind:
            found[-1] = Entity(kind, found[-1].start, word.end)
        elif prefix != "O":
            found.append(Entity(kind, word.start, word.end))
        before = word.tag
    return found


def classify(
    *texts: str, task: str, model: str | None = None, top_k: int = 1, device: str = "auto", home: Path | None = None
) -> list[tuple[str, float]]:
    """The `top_k` most probable labels of a sentence or a pair of sentences with their probabilities, best first.

    Args:
        texts: one or two, as the task has inputs.
        model, device, home: as `ask`.

    Raises:
        XlqaError: an empty text, the wrong number of texts, no model, or a model of another task.
    """
    wanted = get_task(task).inputs
    if len(texts) != len(wanted):
        raise XlqaError(f"--task {task} takes {' and '.join(wanted)}: {len(wanted)} texts, not {len(texts)}.")
    _refuse_unusable(dict(zip(wanted, texts, strict=True)))
    labels: list[tuple[str, float]] = _predict(task, texts, model, top_k, device, home)[0]
    return labels


def _refuse_unusable(texts: dict[str, str]) -> None:
    for what, text in texts.items():
        if not text.strip():
            raise XlqaError(f"the {what} is empty.")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise XlqaError(f"the {what} is not UTF-8 text: convert it first.")


def _predict(
    task: str, inputs: Sequence[Any], model: str | None, top: int, device: str, home: Path | None
) -> list[Any]:
    """What the head of a model predicts for one example."""
    if top < 1:
        raise XlqaError(f"top_k is {top}: use 1 or more.")
    known: Task[Any] = get_task(task)
    asked = find_model(model, home or Path(os.environ.get("XLQA_HOME", ".")).expanduser().resolve(), task)
    from xlqa.components.model import SpanModel, TaskModel
    from xlqa.components.preprocessor import TaskPreprocessor, WindowPreprocessor

    columns = [[given] for given in inputs]
    preprocessor, kind = (WindowPreprocessor, SpanModel) if task == DEFAULT_TASK else (TaskPreprocessor, TaskModel)
    features = preprocessor(asked.options["encoder"], asked.max_length, asked.stride, known.name)(*columns)
    network = kind(**asked.options, device=device, mode="infer")
    return network.find(features, *columns, top=top)
