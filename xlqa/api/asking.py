"""Asking a trained model: `xlqa.ask`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from xlqa.api.notebook import without_widget_warnings
from xlqa.errors import XlqaError
from xlqa.sweep_keywords import PathLike
from xlqa.util import html
from xlqa.util.text import plain

if TYPE_CHECKING:
    from xlqa.predict import Entity, Tag
    from xlqa.tasks.qa.decoding import Span
else:
    Entity = Tag = Span = Any


NO_ANSWER = "no answer"
"""What is shown for a question that a model leaves unanswered."""


class Answers(list[Span]):
    """Answers to a question, best first; each has text, start, end and score (0 to 1).

    Attributes:
        context, question: what was asked.
    """

    def __init__(self, found: list[Span], context: str, question: str) -> None:
        super().__init__(found)
        self.context, self.question = context, question

    def as_rows(self) -> list[dict[str, Any]]:
        """A record for each answer."""
        return [{"answer": s.text, "score": round(s.score, 6), "start": s.start, "end": s.end} for s in self]

    def __repr__(self) -> str:
        return "\n".join(f"{plain(_text(span))}  ({span.score:.2f})" for span in self) or NO_ANSWER

    def _repr_html_(self) -> str:
        best = [(span.start, span.end, f"{span.score:.2f}") for span in self[:1] if span.text]
        others = [f"{_text(span)} ({span.score:.2f})" for span in self[1:]]
        found = "" if best else f" ({NO_ANSWER})"
        return html.paragraph(self.question + found) + html.marked(self.context, best) + html.paragraph(*others)


def _text(span: Span) -> str:
    return span.text or NO_ANSWER


class Tagged(list[Entity | Tag]):
    """The entities of a text (kind, start, end), or the tags of its words (tag, start, end)."""

    def __init__(self, found: list[Any], text: str) -> None:
        super().__init__(found)
        self.text = text

    def as_rows(self) -> list[dict[str, Any]]:
        """A record for each entity or word."""
        return [{"tag": _tag(s), "text": self.text[s.start : s.end], "start": s.start, "end": s.end} for s in self]

    def __repr__(self) -> str:
        return "\n".join(f"{plain(row['tag'])}  {plain(row['text'])}" for row in self.as_rows()) or "none"

    def _repr_html_(self) -> str:
        return html.marked(self.text, [(span.start, span.end, _tag(span)) for span in self])


class Labels(list[tuple[str, float]]):
    """The labels of a sentence or a pair of sentences with their probabilities, best first."""

    def as_rows(self) -> list[dict[str, Any]]:
        """A record for each label."""
        return [{"label": label, "probability": round(probability, 6)} for label, probability in self]

    def __repr__(self) -> str:
        return "\n".join(f"{plain(label)}  ({probability:.2f})" for label, probability in self)

    def _repr_html_(self) -> str:
        return html.table(("label", "probability"), [(label, f"{probability:.2f}") for label, probability in self])


def _tag(span: Any) -> str:
    return str(getattr(span, "kind", None) or span.tag)


@overload
def ask(
    context: str, question: str, *, task: Literal["qa"] = "qa", model: PathLike | None = None, top_k: int = 1, device: str = "auto",
    home: PathLike | None = None,
) -> Answers: ...  # fmt: skip
@overload
def ask(
    context: str, *, task: Literal["ner", "pos"], model: PathLike | None = None, device: str = "auto", home: PathLike | None = None
) -> Tagged: ...  # fmt: skip
@overload
def ask(
    context: str, question: str | None = None, *, task: Literal["nli", "paraphrase", "topic", "sentiment"],
    model: PathLike | None = None, top_k: int = 1, device: str = "auto", home: PathLike | None = None,
) -> Labels: ...  # fmt: skip
def ask(
    context: str,
    question: str | None = None,
    *,
    task: str = "qa",
    model: PathLike | None = None,
    top_k: int = 1,
    device: str = "auto",
    home: PathLike | None = None,
) -> Answers | Tagged | Labels:
    """The best answers to a question on a paragraph, best first; `context[span.start:span.end] == span.text`.

    Args:
        context: a paragraph of any length, in any language; the question may be in another one. Of other tasks the text, or the
            first sentence of a pair, whose second is `question`.
        task: of the model: qa, ner, pos, nli, paraphrase, topic or sentiment.
        model: run id, run folder, model folder or hub name; without it what the sweep in `home` kept.
        home: a sweep's folder; by default XLQA_HOME, else the current folder.

    Raises:
        XlqaError: an empty text, no model, a model without a trained head, or one of another task.
    """
    options: dict[str, Any] = {
        "model": None if model is None else str(model), "device": device,
        "home": None if home is None else Path(home).expanduser().resolve(),
    }  # fmt: skip
    with without_widget_warnings():
        return _ask(context, question, task, top_k, options)


def _ask(
    context: str, question: str | None, task: str, top_k: int, options: dict[str, Any]
) -> Answers | Tagged | Labels:
    from xlqa import predict

    texts = [context] if question is None else [context, question]
    if task == "qa":
        if question is None:
            raise XlqaError('give a context and a question: xlqa.ask("context", "question").')
        return Answers(predict.ask(context, question, top_k=top_k, **options), context, question)
    if task not in ("ner", "pos"):
        return Labels(predict.classify(*texts, task=task, top_k=top_k, **options))
    if question is not None:
        raise XlqaError(f"--task {task} takes one text, not two.")
    tags = predict.tag(context, task, **options)
    return Tagged(predict.join_entities(tags) if task == "ner" else list(tags), context)
