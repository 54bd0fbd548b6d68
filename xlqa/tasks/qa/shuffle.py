"""A control for what transfers: source questions with answers that belong to other questions of the same paragraph.

A model trained on them still sees the language, the paragraphs and which spans are answers, but not which question asks for
which span. Compare `--source-labels shuffled` with the true labels.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

from xlqa.records import Answer, Question


def shuffle_answers(questions: Sequence[Question], seed: int = 0) -> tuple[Question, ...]:
    """The same questions in the same order, each with the answers of another question of its paragraph.

    The order within a paragraph is drawn by hashes of seed and id, and each question gets the answers of the next one: a
    question keeps its own only if both have the same. A question that is alone in its paragraph gets a span of as many words
    as its answer, elsewhere in the paragraph if it fits there.
    """
    by_context: dict[str, list[Question]] = {}
    for question in questions:
        by_context.setdefault(question.context, []).append(question)
    answers: dict[int, tuple[Answer, ...]] = {}
    for group in by_context.values():
        ordered = sorted(group, key=lambda question: (_draw(seed, question.id), question.id))
        for question, other in zip(ordered, ordered[1:] + ordered[:1], strict=True):
            answers[id(question)] = other.answers if len(group) > 1 else _elsewhere(question, seed)
    return tuple(replace(question, answers=answers[id(question)]) for question in questions)


def _elsewhere(question: Question, seed: int) -> tuple[Answer, ...]:
    """One span of the paragraph with as many words as the first answer, apart from every answer if there is one."""
    if not question.answers:
        return ()
    words = [match.span() for match in re.finditer(r"\S+", question.context)]
    count = max(1, len(question.answers[0].text.split()))
    spans = [(words[i][0], words[i + count - 1][1]) for i in range(len(words) - count + 1)]
    gold = [(answer.start, answer.start + len(answer.text)) for answer in question.answers]
    apart = [span for span in spans if all(span[1] <= first or last <= span[0] for first, last in gold)]
    if not (candidates := apart or spans):
        return question.answers
    start, end = candidates[_draw(seed, question.id) % len(candidates)]
    return (Answer(question.context[start:end], start),)


def _draw(seed: int, question_id: str) -> int:
    text = f"labels\0{seed}\0{question_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
