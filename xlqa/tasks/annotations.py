"""Questions and chosen labels in the exports of annotation tools: Label Studio (JSON and JSON-MIN), Haystack's labels.

deepset's annotation tool exports SQuAD JSON, which needs nothing of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from xlqa.util.text import plain

LABEL_STUDIO, LABEL_STUDIO_MIN, HAYSTACK = "label-studio", "label-studio-min", "haystack"

NOT_ANNOTATED = "it was not annotated, or its annotation was skipped"
WRONG_ANSWER = "its label marks the answer as wrong"

_SPAN_KEYS = ("labels", "hypertextlabels")
_LABELS = ("label", "category", "topic", "sentiment", "class")
"""Parts of the names of controls whose choice is the label of a text."""

_COMMENTS = ("comment", "note", "remark", "feedback")
"""Parts of the names of controls whose text is about the task, not an answer."""


class Labelled(NamedTuple):
    """One question of an export; `answers` are (text, start) pairs, or a string that states what is wrong."""

    id: Any
    question: Any
    context: Any
    answers: list[tuple[Any, Any]] | str
    impossible: bool | None = None


def tool_of(item: Mapping[str, Any]) -> str:
    """The tool that exported an element; "" for no export that is known."""
    if isinstance(item.get("data"), dict) and isinstance(item.get("annotations", item.get("completions")), list):
        return LABEL_STUDIO
    document = item.get("document")
    if "query" in item and "answer" in item and isinstance(document, dict) and "content" in document:
        return HAYSTACK
    return LABEL_STUDIO_MIN if isinstance(item.get("text"), str) and any(map(_is_spans, item.values())) else ""


def read_item(item: Mapping[str, Any], tool: str, found: Mapping[str, str]) -> Labelled:
    """The question of an exported element.

    Args:
        found: names of the fields `question` and `context` among the element's own, or among those of its `data`.
    """
    if tool == HAYSTACK:
        return _haystack(item)
    data: Mapping[str, Any] = item["data"] if tool == LABEL_STUDIO else item
    question, context = data.get(found.get("question", "")), data.get(found.get("context", "text"))
    if tool == LABEL_STUDIO:
        return Labelled(item.get("id"), question, context, _label_studio(item, context))
    controls = {name.lower(): value for name, value in item.items() if _is_spans(value)}
    named = {name: value for name, value in controls.items() if "answer" in name}
    spans = [span for value in (named or controls).values() for span in value]
    return Labelled(item.get("id"), question, context, _pairs(spans, context) if spans else NOT_ANNOTATED)


def fields_of(item: Mapping[str, Any], tool: str) -> Mapping[str, Any]:
    """Where an exported element has the question and its paragraph."""
    data = item.get("data")
    return data if tool == LABEL_STUDIO and isinstance(data, dict) else item


def _is_spans(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(span, dict) and "start" in span and any(key in span for key in _SPAN_KEYS) for span in value)
    )


def _label_studio(item: Mapping[str, Any], context: Any) -> list[tuple[Any, Any]] | str:
    """The answers of all annotators of a task; an annotation without a result states that there is no answer."""
    annotations = _annotations(item)
    if not annotations:
        return NOT_ANNOTATED
    kinds = (*_SPAN_KEYS, "textarea")
    results = [result for one in annotations for result in _results(one) if result.get("type") in kinds]
    found = _answering(results)
    return found if isinstance(found, str) else _pairs([result["value"] for result in found], context)


def _annotations(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The annotations of a task that were not skipped."""
    annotations = item.get("annotations", item.get("completions"))
    listed = annotations if isinstance(annotations, list) else []
    return [one for one in listed if isinstance(one, dict) and not one.get("was_cancelled")]


def _results(annotation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The results of an annotation that have a value."""
    results = annotation.get("result")
    listed = results if isinstance(results, list) else []
    return [result for result in listed if isinstance(result, dict) and isinstance(result.get("value"), dict)]


def _control(result: Mapping[str, Any]) -> str:
    """The name of the control that made a result."""
    name = result.get("from_name")
    return name.lower() if isinstance(name, str) else ""


def _answering(results: list[dict[str, Any]]) -> list[dict[str, Any]] | str:
    """The results that are answers: of controls named so, else the marked spans, else typed text that is not a comment."""
    if named := [result for result in results if "answer" in _control(result)]:
        return named
    if marked := [result for result in results if result["type"] in _SPAN_KEYS]:
        return marked
    typed = [result for result in results if not any(word in _control(result) for word in _COMMENTS)]
    if other := next((name for name in map(_control, typed) if name), ""):
        return f'its text is from the control "{plain(other, 40)}": name the control of the answers "answer"'
    return typed


def _pairs(values: list[dict[str, Any]], context: Any) -> list[tuple[Any, Any]] | str:
    """(text, start) of marked spans and typed answers."""
    pairs: list[tuple[Any, Any]] = []
    for value in values:
        place = value.get("globalOffsets", value)  # in HTML, start and end count within an element
        start, end = (place.get("start"), place.get("end")) if isinstance(place, dict) else (None, None)
        text = value.get("text")
        if isinstance(text, list):  # typed, not marked
            pairs += [(one, None) for one in text]
        elif text is not None:
            pairs.append((text, start))
        elif (
            isinstance(context, str)
            and type(start) is int
            and type(end) is int
            and max(context, default="") <= "\uffff"
        ):
            pairs.append((context[start:end], start))
        else:
            return "an answer has no text: export with the text of the spans (saveTextResult)"
    return pairs


def with_choice(item: dict[str, Any]) -> dict[str, Any]:
    """A task of Label Studio as a row with its text and its `label`; any other object as it is.

    The label is "" where no annotator chose one, or several chose different ones. Of several controls with choices the one
    counts that is named so (`_LABELS`).
    """
    if tool_of(item) != LABEL_STUDIO:
        return item
    chosen: dict[str, set[str]] = {}
    for result in (result for one in _annotations(item) for result in _results(one)):
        choices = result["value"].get("choices")
        if isinstance(choices, list):
            chosen.setdefault(_control(result), set()).update(map(str, choices))
    labelling = [labels for name, labels in chosen.items() if len(chosen) == 1 or any(word in name for word in _LABELS)]
    label = labelling[0].pop() if len(labelling) == 1 and len(labelling[0]) == 1 else ""
    return {"id": item.get("id", ""), **item["data"], "label": label}


def _haystack(item: Mapping[str, Any]) -> Labelled:
    answer, context = item["answer"], item["document"].get("content")
    if item.get("is_correct_answer") is False:
        return Labelled(item.get("id"), item["query"], context, WRONG_ANSWER)
    text = answer.get("answer") if isinstance(answer, dict) else None
    if item.get("no_answer") or text in (None, ""):
        return Labelled(item.get("id"), item["query"], context, [], True)
    offsets = answer.get("offsets_in_document")
    first = offsets[0] if isinstance(offsets, list) and offsets else None
    start = first.get("start") if isinstance(first, dict) else None
    return Labelled(item.get("id"), item["query"], context, [(text, start)])


def read_items(items: Iterator[Any], tool: str, find: Any) -> Iterator[Labelled | None]:
    """The questions of all elements; None for an element that is none."""
    for item in items:
        if not isinstance(item, dict) or (tool != LABEL_STUDIO_MIN and tool_of(item) != tool):
            yield None
            continue
        yield read_item(item, tool, find(fields_of(item, tool)))
