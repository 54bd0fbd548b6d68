"""The records that the sample's tables consist of, and how a phrasing becomes a sentence with answer offsets.

A phrasing marks what can be asked with square brackets and what only helps the grammar with braces:
`"{s.El} [s] fue diseñad{s.o} por [architect]."` needs a subject `s` and a person `architect`. Where a language has
cases, a mark names one: `"[s] построен{s||а} по проекту [architect.gen]."`; `{s||а}` is nothing for a masculine subject
and "а" for a feminine one. A case with a capital (`[s.Nom]`) starts a sentence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

_MARK = re.compile(
    r"\[(?P<slot>\w+)(?:\.(?P<case>\w+))?\]"
    r"|\{(?P<value>\w+)(?:\.(?P<form>\w+)|\|(?P<masculine>[^{}|]*)\|(?P<feminine>[^{}|]*))?\}"
)

# Spanish agreement, masculine and feminine: articles, contractions and endings.
_FORMS = {
    "el": ("el", "la"),
    "El": ("El", "La"),
    "del": ("del", "de la"),
    "al": ("al", "a la"),
    "o": ("o", "a"),
    "a": ("", "a"),
    "e": ("e", "a"),
    "án": ("án", "ana"),
    "ín": ("ín", "ina"),
    "lo": ("lo", "la"),
    "primer": ("primer", "primera"),
}


@dataclass(frozen=True)
class Value:
    """What fills a slot: a name, a date, a number, a common noun.

    Attributes:
        text: the words of a sentence, without article, in the nominative; the answer, unless the sentence asks for
            another case.
        feminine: grammatical gender, where the language has one.
        short: how a second mention may read (a person's last name), or "".
        unique: the words that no other value of the paragraph may share; the whole text when "".
        forms: the text in other cases, and other words that agree with it, by name.
        short_forms: the same for the second mention.
    """

    text: str
    feminine: bool = False
    short: str = ""
    unique: str = ""
    forms: Mapping[str, str] = field(default_factory=dict)
    short_forms: Mapping[str, str] = field(default_factory=dict)

    def form(self, name: str) -> str:
        """The case, article or ending called `name` that agrees with this value. Raises KeyError for another name."""
        if name.lower() not in self.forms:
            return _FORMS[name][self.feminine]
        text = self.forms[name.lower()]
        return text[0].upper() + text[1:] if name[0].isupper() else text

    def states(self, text: str) -> bool:
        """Whether a span of a sentence is this value in full, in any case, and not its short form."""
        lowered = text.lower()
        return lowered == self.text.lower() or lowered in {form.lower() for form in self.forms.values()}

    def shortened(self) -> Value:
        """The second mention."""
        return Value(self.short, self.feminine, forms=self.short_forms)

    def words(self) -> frozenset[str]:
        """The words that tell this value from others."""
        return frozenset((self.unique or self.text).lower().split())


class Draw:
    """Random choices built on `random()` alone, the one sequence that Python promises to keep between versions."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed).random

    def below(self, bound: int) -> int:
        """A whole number from 0 to bound - 1."""
        return int(self._random() * bound)

    def one(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """`count` different items, in random order."""
        rest = list(items)
        return [rest.pop(self.below(len(rest))) for _ in range(count)]

    def chance(self, share: float) -> bool:
        """True in this share of the calls."""
        return self._random() < share


Kind = Callable[[Draw, bool], Value]
"""Draws a value; the flag is true if it is for the test part, whose values are held out from training."""


def fresh(kind: Kind, held_out: bool, draw: Draw, used: set[str], taken: Set[str] = frozenset()) -> Value:
    """A value that shares no telling word with those used, and is not taken; its words become used.

    Raises:
        ValueError: the tables hold too few values.
    """
    for _ in range(1000):
        value = kind(draw, held_out)
        if value.text not in taken and not value.words() & used:
            used |= value.words()
            return value
    raise ValueError(f"no value is left beside {sorted(used)}: add to the table.")


@dataclass(frozen=True)
class Phrasings:
    """Ways of saying one thing: those of the training part, and those held out for the test part."""

    train: tuple[str, ...]
    test: tuple[str, ...]

    def of(self, held_out: bool) -> tuple[str, ...]:
        """The phrasings of one part."""
        return self.test if held_out else self.train


@dataclass(frozen=True)
class Fact:
    """One sentence about a subject, in several phrasings that all state the same slots."""

    phrasings: Phrasings

    @property
    def slots(self) -> frozenset[str]:
        """The slots that the sentence states, the subject `s` among them."""
        return slots_of(self.phrasings.train[0])


@dataclass(frozen=True)
class Ask:
    """A question for the value of `slot`, in several phrasings.

    A question for the subject itself (`slot` is "s") names another slot's value, `given`.
    """

    slot: str
    phrasings: Phrasings
    given: str = "s"


@dataclass(frozen=True)
class Domain:
    """A topic: what its subjects are, which facts are told about them and what is asked."""

    title: str
    kinds: Mapping[str, Kind]
    facts: tuple[Fact, ...]
    asks: tuple[Ask, ...]


@dataclass(frozen=True)
class Language:
    """The tables of one language: its topics and the sentences that state no fact."""

    code: str
    domains: tuple[Domain, ...]
    asides: Phrasings


@dataclass(frozen=True)
class Sentence:
    """A rendered phrasing and where each slot's value is in it: slot -> (start, text)."""

    text: str
    spans: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    def shifted(self, offset: int) -> Mapping[str, tuple[int, str]]:
        """The spans, counted from `offset` characters before the sentence."""
        return {slot: (start + offset, text) for slot, (start, text) in self.spans.items()}


def slots_of(phrasing: str) -> frozenset[str]:
    """The slots that a phrasing marks as answers."""
    return frozenset(mark["slot"] for mark in _MARK.finditer(phrasing) if mark["slot"])


def render(phrasing: str, values: Mapping[str, Value]) -> Sentence:
    """Fill a phrasing; the offsets of its answers are counted while the text grows, so they cannot be wrong."""
    text, spans, end = "", {}, 0
    for mark in _MARK.finditer(phrasing):
        text += phrasing[end : mark.start()]
        end = mark.end()
        filled = _filled(mark, values[mark["slot"] or mark["value"]])
        if mark["slot"]:
            spans[mark["slot"]] = (len(text), filled)
        text += filled
    return Sentence(text + phrasing[end:], spans)


def _filled(mark: re.Match[str], value: Value) -> str:
    """What a mark becomes for a value."""
    if mark["masculine"] is not None:
        return mark["feminine"] if value.feminine else mark["masculine"]
    name = mark["case"] or mark["form"]
    return value.form(name) if name else value.text


def said(train: Sequence[str], test: Sequence[str]) -> Fact:
    """A fact from its phrasings."""
    return Fact(Phrasings(tuple(train), tuple(test)))


def ask(slot: str, train: Sequence[str], test: Sequence[str], given: str = "s") -> Ask:
    """A question from its phrasings."""
    return Ask(slot, Phrasings(tuple(train), tuple(test)), given)


def listed(train: Sequence[str], test: Sequence[str], feminine: Sequence[str] = (), unique: int | None = None) -> Kind:
    """A kind that picks from a list per part.

    Args:
        train, test: the texts of either part.
        feminine: those of them that are feminine.
        unique: the position of the one word that tells a text from the others, None for all words.
    """

    def draw_value(draw: Draw, held_out: bool) -> Value:
        text = draw.one(test if held_out else train)
        return Value(text, text in feminine, unique="" if unique is None else text.split()[unique])

    return draw_value


def several(train: Sequence[str], test: Sequence[str]) -> Kind:
    """A kind of lists of three to six of the items: "Peru, Chile and Cuba"."""

    def draw_value(draw: Draw, held_out: bool) -> Value:
        items = draw.some(test if held_out else train, 3 + draw.below(2 if held_out else 4))
        return Value(", ".join(items[:-1]) + " and " + items[-1], unique=" ".join(i.split()[-1] for i in items))

    return draw_value


def numbers(first: int, last: int, step: int, unit: str = "") -> Kind:
    """A kind that counts or measures: "240 metres". Two of one paragraph differ in the number."""

    def draw_value(draw: Draw, held_out: bool) -> Value:
        number = str(first + step * draw.below((last - first) // step + 1))
        return Value(f"{number} {unit}".strip(), unique=number)

    return draw_value


def dates(months: Sequence[str], pattern: str, first: int, last: int) -> Kind:
    """A kind of full dates; `pattern` holds {day}, {month} and {year}."""

    def draw_value(draw: Draw, held_out: bool) -> Value:
        day, month, year = 1 + draw.below(28), draw.one(months), first + draw.below(last - first + 1)
        return Value(pattern.format(day=day, month=month, year=year), unique=f"{day} {month} {year}")

    return draw_value


def people(
    women: tuple[Sequence[str], Sequence[str]],
    men: tuple[Sequence[str], Sequence[str]],
    families: tuple[Sequence[str], Sequence[str]],
) -> Kind:
    """A kind of persons; each argument is a pair of lists, for training and for test."""

    def draw_value(draw: Draw, held_out: bool) -> Value:
        woman, family = draw.chance(0.5), draw.one(families[held_out])
        return Value(f"{draw.one((women if woman else men)[held_out])} {family}", woman, short=family)

    return draw_value


def joined(firsts: Sequence[str], seconds: Sequence[str]) -> tuple[str, ...]:
    """Every first part with every second part: "Elm" and "haven" to "Elmhaven"."""
    return tuple(first + second for first in firsts for second in seconds)


def named(
    patterns: Sequence[tuple[str, bool]],
    stems: tuple[Sequence[str], Sequence[str]],
) -> Kind:
    """A kind of invented names: a pattern with {} and whether it is feminine, and stems for training and for test."""

    def draw_value(draw: Draw, held_out: bool) -> Value:
        (pattern, feminine), stem = draw.one(patterns), draw.one(stems[held_out])
        return Value(pattern.format(stem), feminine, unique=stem)

    return draw_value
