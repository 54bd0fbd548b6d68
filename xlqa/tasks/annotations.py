"""Questions and chosen labels in the exports of annotation tools: Label Studio (JSON and JSON-MIN), Haystack's labels.

deepset's annotation tool exports SQuAD JSON, which needs nothing of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

LABEL_STUDIO, LABEL_STUDIO_MIN, HAYSTACK = "label-studio", "label-studio-min", "haystack"

NOT_ANNOTATED = "it was not annotated, or its annotation was skipped"
WRONG_ANSWER = "its label marks the answer as wrong"

_SPAN_KEYS = ("labels", "hypertextlabels")


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
    spans = [span for value in item.values() if _is_spans(value) for span in value]
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
    annotations = item.get("annotations", item.get("completions"))
    kept = [one for one in annotations or () if isinstance(one, dict) and not one.get("was_cancelled")]
    if not kept:
        return NOT_ANNOTATED
    values: list[dict[str, Any]] = []
    for annotation in kept:
        results = annotation.get("result")
        for result in results if isinstance(results, list) else ():
            value = result.get("value") if isinstance(result, dict) else None
            if isinstance(value, dict) and result.get("type") in (*_SPAN_KEYS, "textarea"):
                values.append(value)
    return _pairs(values, context)


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

    The label is "" where no annotator chose one, or several chose different ones.
    """
    if tool_of(item) != LABEL_STUDIO:
        return item
    chosen: set[str] = set()
    for annotation in item.get("annotations", item.get("completions")) or ():
        skipped = not isinstance(annotation, dict) or annotation.get("was_cancelled")
        for result in () if skipped else annotation.get("result") or ():
            value = result.get("value") if isinstance(result, dict) else None
            chosen.update(map(str, value.get("choices") or ()) if isinstance(value, dict) else ())
    return {"id": item.get("id", ""), **item["data"], "label": chosen.pop() if len(chosen) == 1 else ""}


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
