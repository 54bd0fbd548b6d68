"""The named-entity part of the sample: sentences of the same invented world, a word and its tag a line.

An entity starts at its first capitalised word: "río Tarvira" holds the place "Tarvira", "Lake Halden" is one as a whole.
Novels, prizes and festivals have capitals too, but are of no type that is tagged here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from xlqa.data.sample.templates import Domain, Draw, Fact, Language, Sentence, Value, fresh, render

Tagged = list[tuple[str, str]]
"""A sentence: its words, each with a tag of IOB2."""

ASIDE_SHARE = 0.05
SHORT_NAME_SHARE = 0.25

_TOWN = {"town": "LOC"}
# Per topic, in the order of a language's topics: slot -> type of entity. The last topic, animals, is named after places
# without being one, and is left out.
TYPES: tuple[Mapping[str, str], ...] = (
    {"s": "ORG", "architect": "PER", "director": "PER"} | _TOWN,
    {"s": "PER", "teacher": "PER", "birthplace": "LOC", "stage": "LOC"},
    {"s": "LOC", "source": "LOC", "explorer": "PER"} | _TOWN,
    {"s": "ORG", "founder": "PER", "president": "PER"} | _TOWN,
    {"founder": "PER"} | _TOWN,
    {"s": "LOC", "river": "LOC", "engineer": "PER"},
    {"s": "PER", "assistant": "PER", "university": "ORG"},
    {"author": "PER", "translator": "PER", "setting": "LOC"},
    {"s": "LOC", "climber": "PER"} | _TOWN,
)

_WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


def tagged(sentence: Sentence, types: Mapping[str, str], values: Mapping[str, Value]) -> Tagged:
    """Split a sentence into words and punctuation, and tag those of its slots that have a type.

    Args:
        types: slot -> type of entity.
        values: what fills the slots; its capitals count, because a sentence gives one to any first word.

    Raises:
        ValueError: an entity starts or ends within a word.
    """
    tags: dict[int, str] = {}
    ends = {word.start(): word.end() for word in _WORD.finditer(sentence.text)}
    for slot, (start, text) in sentence.spans.items():
        if slot in types:
            inside = [place for place in ends if start <= place < start + len(text)]
            if not inside or inside[0] != start or ends[inside[-1]] != start + len(text):
                raise ValueError(f"{text!r} starts or ends within a word of {sentence.text!r}.")
            inside = inside[_common_words(values[slot].text) :]
            tags |= dict.fromkeys(inside, f"I-{types[slot]}") | {inside[0]: f"B-{types[slot]}"}
    return [(sentence.text[start:end], tags.get(start, "O")) for start, end in ends.items()]


def _common_words(text: str) -> int:
    """How many words come before the first with a capital: one in "río Tarvira"."""
    return [word[0].isupper() for word in text.split()].index(True)


def _sentence(domain: Domain, types: Mapping[str, str], fact: Fact, held_out: bool, draw: Draw) -> tuple[str, Tagged]:
    """A sentence as a text, and its words with their tags."""
    used: set[str] = set()
    values: dict[str, Value] = {slot: fresh(domain.kinds[slot], held_out, draw, used) for slot in sorted(fact.slots)}
    if values["s"].short and draw.chance(SHORT_NAME_SHARE):
        values["s"] = values["s"].shortened()
    sentence = render(draw.one(fact.phrasings.of(held_out)), values)
    return sentence.text, tagged(sentence, types, values)


def tagged_sentences(language: Language, held_out: bool, count: int) -> Iterator[Tagged]:
    """`count` sentences per topic, the topics in turn, no sentence twice; some of them hold no entity."""
    draw = Draw(f"{language.code} entities {held_out}")
    seen: set[str] = set()
    for _ in range(count):
        for domain, types in zip(language.domains, TYPES, strict=False):
            if draw.chance(ASIDE_SHARE):
                aside = draw.one(language.asides.of(held_out))
                if aside not in seen:
                    seen.add(aside)
                    yield tagged(Sentence(aside), {}, {})
                    continue
            text, words = _sentence(domain, types, draw.one(domain.facts), held_out, draw)
            while text in seen:
                text, words = _sentence(domain, types, draw.one(domain.facts), held_out, draw)
            seen.add(text)
            yield words


def conll(sentences: Iterator[Tagged]) -> str:
    """Two columns, word and tag, separated by a tab; a blank line after every sentence."""
    return "".join("".join(f"{word}\t{tag}\n" for word, tag in sentence) + "\n" for sentence in sentences)
