"""The sentence-pair part of the sample: a premise, and a hypothesis that it entails, contradicts or leaves open.

A premise tells fact f of the subjects A and B, and fact g of B, in random order. The hypotheses are about A:

- entailment: f, in other words;
- contradiction: f with at least one value of B's instead of A's;
- neutral: g, with B's values; the premise does not state g of A.

So every word of a hypothesis may come from the premise whatever the label, and hypotheses alone do not give it away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xlqa.data.sample.templates import Domain, Draw, Fact, Language, Value, fresh, render

LABELS = ("entailment", "neutral", "contradiction")

# Per topic, in the order of a language's topics: the slots that have one true value only, so that another value in the
# same sentence contradicts. A fact without such a slot makes no pair, because a scientist may have several prizes. Nor
# does a fact whose phrasings do not all follow from each other: "X described it" and "X discovered it".
SINGLE: tuple[frozenset[str], ...] = (
    frozenset({"architect", "opened", "town", "works"}),
    frozenset({"birthplace", "born", "debut", "stage"}),
    frozenset(),
    frozenset({"founder", "founded", "president", "employees"}),
    frozenset({"town", "month", "duration", "founder", "year"}),
    frozenset({"length", "material", "river", "traffic"}),
    frozenset(),
    frozenset({"author", "published", "pages", "setting"}),
    frozenset({"altitude", "ascent"}),
    frozenset(),
)

# Parts of phrasings that state more than their slots: a hypothesis that holds one would not follow from the premise.
STATES_MORE: Mapping[str, tuple[str, ...]] = {
    "en": (
        *("centre of", "pride of", "musician", "opera house", "elected", "dancer", "poet", "dances", "typical"),
        *("streets of", "dominates", "a cone", "A family"),
    ),
    "es": (*("centro de", "ópera", "teatro", "artista", "eligió", "bailar", "poeta", "típico", "capital", "domina"),),
    "ru": ("в центре", "Гордость", "Артист", "театре", "поэт", "угощение", "возвышается", "ушло много"),
}

Values = dict[str, Value]


@dataclass(frozen=True)
class Pair:
    """A premise, a hypothesis, and the relation between them: one of `LABELS`."""

    premise: str
    hypothesis: str
    label: str


def _values(domain: Domain, held_out: bool, draw: Draw) -> tuple[Values, Values]:
    """Two subjects of a topic that share no value."""
    used: set[str] = set()
    a: Values = {}
    b: Values = {}
    for slot, kind in domain.kinds.items():
        for values in (a, b):
            values[slot] = fresh(kind, held_out, draw, used)
    return a, b


def _swapped(fact: Fact, a: Values, b: Values, single: frozenset[str], draw: Draw) -> Values:
    """A's values, with one or more of those that have one true value taken from B."""
    slots = sorted(fact.slots & single)
    return a | {slot: b[slot] for slot in draw.some(slots, 1 + draw.below(len(slots)))}


def hypotheses(language: Language, fact: Fact, held_out: bool) -> list[str]:
    """The phrasings of a fact that state its slots and nothing else."""
    return [p for p in fact.phrasings.of(held_out) if not any(part in p for part in STATES_MORE[language.code])]


def _triple(language: Language, domain: Domain, single: frozenset[str], held_out: bool, draw: Draw) -> Iterator[Pair]:
    """One premise with a hypothesis for every label."""
    f, g = draw.some([fact for fact in domain.facts if fact.slots & single], 2)
    a, b = _values(domain, held_out, draw)
    kept = draw.one(hypotheses(language, f, held_out))
    told = draw.one([phrasing for phrasing in f.phrasings.of(held_out) if phrasing != kept])
    sentences = [
        render(told, a).text,
        render(draw.one(f.phrasings.of(held_out)), b).text,
        render(draw.one(g.phrasings.of(held_out)), b).text,
    ]
    premise = " ".join(draw.some(sentences, len(sentences)))
    neutral = draw.one(hypotheses(language, g, held_out))
    found = (
        Pair(premise, render(kept, a).text, "entailment"),
        Pair(premise, render(neutral, b | {"s": a["s"]}).text, "neutral"),
        Pair(premise, render(kept, _swapped(f, a, b, single, draw)).text, "contradiction"),
    )
    yield from draw.some(found, len(found))


def pairs(language: Language, held_out: bool, count: int) -> Iterator[Pair]:
    """`count` premises per topic, the topics in turn, each with a hypothesis for every label."""
    draw = Draw(f"{language.code} pairs {held_out}")
    for _ in range(count):
        for domain, single in zip(language.domains, SINGLE, strict=True):
            if single:
                yield from _triple(language, domain, single, held_out, draw)


def json_lines(found: Iterator[Pair]) -> str:
    """A JSON object a line: premise, hypothesis, label."""
    return "".join(f"{json.dumps(vars(pair), ensure_ascii=False)}\n" for pair in found)
