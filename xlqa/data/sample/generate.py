"""Writes the embedded sample: the same bytes at every call. Try: python -m xlqa.data.sample.generate

A paragraph tells two kinds of fact about two subjects of one topic, in shuffled order, so that each answer has a rival
of its own type next to it. Offsets are counted while the text is put together.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xlqa.data.sample.english import BIRDS, ENGLISH
from xlqa.data.sample.entities import conll, tagged_sentences
from xlqa.data.sample.handwritten import CHINESE, RUSSIAN_PASSAGES, Passage
from xlqa.data.sample.pairs import json_lines, pairs
from xlqa.data.sample.russian import RUSSIAN
from xlqa.data.sample.spanish import SPANISH
from xlqa.data.sample.templates import Ask, Domain, Draw, Fact, Language, Value, fresh, render

Span = tuple[int, str]
"""Where an answer starts in its paragraph, and its text."""

QUESTIONS_PER_PARAGRAPH = 4
ASIDE_SHARE = 0.4
SHORT_NAME_SHARE = 0.3

# file name -> language, whether it is the held-out part, paragraphs per topic
PARTS: Mapping[str, tuple[Language, bool, int]] = {
    "en.train.json": (ENGLISH, False, 23),
    "en.test.json": (ENGLISH, True, 4),
    "es.train.json": (SPANISH, False, 9),
    "es.test.json": (SPANISH, True, 5),
    "ru.train.json": (RUSSIAN, False, 9),
    "ru.test.json": (RUSSIAN, True, 5),
}

MORE_TOPICS: Mapping[str, tuple[Domain, ...]] = {"en.train.json": (BIRDS,), "en.test.json": (BIRDS,)}
"""Topics of questions alone, which the files of entities and pairs don't have."""

# The same for entities (sentences per topic, nine topics) and for pairs (premises per topic, seven topics, three pairs each).
ENTITY_PARTS: Mapping[str, tuple[Language, bool, int]] = {
    "ner.en.train.conll": (ENGLISH, False, 70),
    "ner.en.test.conll": (ENGLISH, True, 22),
    "ner.es.train.conll": (SPANISH, False, 40),
    "ner.es.test.conll": (SPANISH, True, 22),
    "ner.ru.train.conll": (RUSSIAN, False, 40),
    "ner.ru.test.conll": (RUSSIAN, True, 22),
}
PAIR_PARTS: Mapping[str, tuple[Language, bool, int]] = {
    "nli.en.train.jsonl": (ENGLISH, False, 30),
    "nli.en.test.jsonl": (ENGLISH, True, 8),
    "nli.es.train.jsonl": (SPANISH, False, 14),
    "nli.es.test.jsonl": (SPANISH, True, 8),
    "nli.ru.train.jsonl": (RUSSIAN, False, 14),
    "nli.ru.test.jsonl": (RUSSIAN, True, 8),
}


@dataclass(frozen=True)
class Paragraph:
    """A text and its questions, each with the span of its answer."""

    context: str
    questions: tuple[tuple[str, Span], ...]


@dataclass(frozen=True)
class _Told:
    """What a paragraph tells: per subject its values, and per subject and fact the spans of the sentence."""

    context: str
    values: tuple[dict[str, Value], ...]
    spans: dict[tuple[int, Fact], dict[str, Span]]


def _tell(language: Language, domain: Domain, held_out: bool, draw: Draw, taken: set[str]) -> _Told:
    """Choose two subjects and two facts, and write the sentences in random order."""
    facts = draw.some(domain.facts, 2)
    slots = sorted({slot for fact in facts for slot in fact.slots} - {"s"})
    used: set[str] = set()
    subjects = [fresh(domain.kinds["s"], held_out, draw, used, taken) for _ in range(2)]
    taken |= {subject.text for subject in subjects}
    values = tuple(
        {"s": s} | {slot: fresh(domain.kinds[slot], held_out, draw, used) for slot in slots} for s in subjects
    )
    order = draw.some([(i, fact) for i in range(2) for fact in facts], 4)
    aside = 1 + draw.below(len(order)) if draw.chance(ASIDE_SHARE) else None
    return _write(language, held_out, draw, values, order, aside)


def _write(
    language: Language,
    held_out: bool,
    draw: Draw,
    values: tuple[dict[str, Value], ...],
    order: Sequence[tuple[int, Fact]],
    aside: int | None,
) -> _Told:
    """Put the sentences together; a person named before may come back by the last name alone."""
    phrasings = {fact: draw.some(fact.phrasings.of(held_out), len(values)) for _, fact in order}
    context, spans, named = "", {}, set()
    for position, (subject, fact) in enumerate(order):
        shown = dict(values[subject])
        if subject in named and shown["s"].short and draw.chance(SHORT_NAME_SHARE):
            shown["s"] = shown["s"].shortened()
        named.add(subject)
        sentence = render(phrasings[fact][subject], shown)
        spans[subject, fact] = dict(sentence.shifted(len(context)))
        context += sentence.text + " "
        if position + 1 == aside:
            context += draw.one(language.asides.of(held_out)) + " "
    return _Told(context.rstrip(), values, spans)


def _answer(told: _Told, subject: int, question: Ask) -> Span | None:
    """The answer's span where the paragraph states it in full, else None."""
    for (other, _), spans in told.spans.items():
        stated = question.slot in spans and (question.slot != "s" or question.given in spans)
        if other == subject and stated:
            full = told.values[subject][question.slot].states(spans[question.slot][1])
            return spans[question.slot] if full else None
    return None


def _questions(domain: Domain, told: _Told, held_out: bool, draw: Draw) -> Iterator[tuple[str, Span]]:
    """The same question for both subjects, then others, each for one subject."""
    asked = [(subject, q) for q in domain.asks for subject in range(2) if _answer(told, subject, q)]
    both = [q for q in domain.asks if (0, q) in asked and (1, q) in asked]
    twin = draw.one(both)
    twins = [(0, twin), (1, twin)]
    rest = [pair for pair in asked if pair not in twins]
    for subject, question in draw.some(twins, 2) + draw.some(rest, QUESTIONS_PER_PARAGRAPH - 2):
        span = _answer(told, subject, question)
        assert span is not None
        yield render(draw.one(question.phrasings.of(held_out)), told.values[subject]).text, span


def paragraphs(language: Language, domain: Domain, held_out: bool, count: int) -> Iterator[Paragraph]:
    """`count` paragraphs on one topic, from a random sequence of their own."""
    draw = Draw(f"{language.code} {domain.title} {held_out}")
    taken: set[str] = set()
    for _ in range(count):
        told = _tell(language, domain, held_out, draw, taken)
        yield Paragraph(told.context, tuple(_questions(domain, told, held_out, draw)))


def _by_hand(passages: Sequence[Passage]) -> list[Paragraph]:
    """Passages written by hand, with the offsets of their answers looked up; each answer occurs once."""
    found = []
    for context, questions in passages:
        for _, answer in questions:
            if context.count(answer) != 1:
                raise ValueError(f"{answer!r} occurs {context.count(answer)} times in {context!r}: it must occur once.")
        found.append(Paragraph(context, tuple((q, (context.index(a), a)) for q, a in questions)))
    return found


def squad_json(prefix: str, articles: Mapping[str, Sequence[Paragraph]]) -> str:
    """SQuAD v1.1 JSON, a line per paragraph and per question. Raises ValueError where an offset is wrong."""
    number, parts = 0, []
    for title, texts in articles.items():
        blocks = []
        for paragraph in texts:
            number += 1
            lines = [
                _question_line(f"{prefix}-{number:03d}-{i}", paragraph, *q)
                for i, q in enumerate(paragraph.questions, 1)
            ]
            head = f'  {{"context": {_dump(paragraph.context)}, "qas": ['
            blocks.append("\n".join([head, ",\n".join(lines), "  ]}"]))
        parts.append("\n".join([f' {{"title": {_dump(title)}, "paragraphs": [', ",\n".join(blocks), " ]}"]))
    return '{"version": "1.1", "data": [\n' + ",\n".join(parts) + "\n]}\n"


def _question_line(identifier: str, paragraph: Paragraph, question: str, span: Span) -> str:
    start, text = span
    if paragraph.context[start : start + len(text)] != text:
        raise ValueError(f"{identifier}: {text!r} is not at {start} in {paragraph.context!r}.")
    return "   " + _dump({"id": identifier, "question": question, "answers": [{"text": text, "answer_start": start}]})


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def render_files() -> dict[str, str]:
    """Every file of the sample, name -> text."""
    files = {}
    for name, (language, held_out, count) in PARTS.items():
        domains = (*language.domains, *MORE_TOPICS.get(name, ()))
        articles = {d.title: list(paragraphs(language, d, held_out, count)) for d in domains}
        files[name] = squad_json(name.removesuffix(".json").replace(".", "-"), articles)
    for code, title, passages in (("ru", "Рассказы", RUSSIAN_PASSAGES), ("zh", "短文", CHINESE)):
        files[f"{code}.json"] = squad_json(code, {title: _by_hand(passages)})
    files |= {name: conll(tagged_sentences(*part)) for name, part in ENTITY_PARTS.items()}
    files |= {name: json_lines(pairs(*part)) for name, part in PAIR_PARTS.items()}
    return files


def main() -> None:
    """Rewrite the files beside this module."""
    for name, text in render_files().items():
        Path(__file__).with_name(name).write_bytes(text.encode("utf-8"))
        print(f"{name}: {len(text.encode('utf-8')):,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
