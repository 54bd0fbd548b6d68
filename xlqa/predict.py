"""Asking a trained model: a paragraph in one language, a question in any.

xlqa ask "context" "question"
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from xlqa.data.hub import locate_model
from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.run_config import find_config, is_run_config, read_config
from xlqa.tasks.qa.decoding import Span


@dataclass(frozen=True, slots=True)
class Asked:
    """A model to ask: its folder and how it was trained to see text."""

    folder: Path
    max_length: int
    stride: int
    max_answer_length: int
    precision: str


def find_model(name: str | None, home: Path) -> Asked:
    """The model behind a run id, run folder, model folder or hub name; without one, what the sweep in `home` kept.

    Raises:
        XlqaError: there is none, or its weights were not kept.
    """
    if name is None:
        return _described(_kept_by(home))
    path = Path(name).expanduser()
    for folder in (path, Layout(home).run(name).path, Layout(home).source(name).path):
        if is_run_config(folder / "config.json"):
            return _described(RunFolder(folder.resolve()))
    return _plain(locate_model(name).resolve())


def _kept_by(home: Path) -> RunFolder:
    """Of the runs whose weights were kept: the transfer run of the largest size and lowest seed, else any, else the source."""
    layout = Layout(home)
    kept = [folder for folder in layout.run_folders() if (folder.model / "config.json").is_file()]
    if kept:
        return min(kept, key=_preference)
    sources = sorted(layout.sources.glob("*/model/config.json")) if layout.sources.is_dir() else []
    if sources:
        return RunFolder(sources[0].parent.parent)
    raise XlqaError(
        f"no trained model in {home}: run a sweep there (`xlqa sweep --demo` takes minutes), go to a sweep's folder, set "
        "XLQA_HOME, or name one with --model."
    )


def _preference(folder: RunFolder) -> tuple[bool, int, int, str]:
    config = find_config(folder)
    row = config.first_row if config else {}
    return (row.get("arm") != "transfer", -int(row.get("size") or 0), int(row.get("seed") or 0), folder.id)


def _described(folder: RunFolder) -> Asked:
    config = read_config(folder)
    config.refuse_links(folder)
    weights = folder.root / config.weights
    if not (weights / "config.json").is_file():
        raise XlqaError(
            f"{folder.path} has no weights: they were not kept. `xlqa run {folder.path} --keep` trains it again and keeps "
            "them; or ask another run."
        )
    return Asked(weights, config.max_length, config.stride, config.max_answer_length, config.precision)


def _plain(folder: Path) -> Asked:
    """A model folder of anyone's, at the usual lengths."""
    return Asked(folder, 384, 128, 30, "fp32")


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

    Args:
        context: a paragraph of any length; long ones are read in windows.
        model: run id, run folder, model folder or hub name; without it what the sweep in `home` kept.
        top_k: how many answers at most.
        home: a sweep's folder; by default XLQA_HOME, else the current folder.

    Raises:
        XlqaError: an empty context or question, no model, or a model without a trained head.
    """
    for text, what in ((context, "context"), (question, "question")):
        if not text.strip():
            raise XlqaError(f"the {what} is empty.")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise XlqaError(f"the {what} is not UTF-8 text: convert it first.")
    asked = find_model(model, home or Path(os.environ.get("XLQA_HOME", ".")).expanduser().resolve())
    from xlqa.components.model import SpanModel
    from xlqa.components.preprocessor import WindowPreprocessor

    windows = WindowPreprocessor(str(asked.folder), asked.max_length, asked.stride)
    reader = SpanModel(
        str(asked.folder), str(asked.folder), max_answer_length=asked.max_answer_length, precision=asked.precision,
        device=device, mode="infer",
    )  # fmt: skip
    spans: list[Span] = reader.find(windows([context], [question]), [context], top=top_k)[0]
    return spans
