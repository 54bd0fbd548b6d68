"""Russian declension for the sample: every word names its class, and a class lists its six endings.

A word is a stem and a class, never a guess by its last letter: "Игор" of "m-ь-anim" and "медал" of "f-ь" both end in -ь.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xlqa.data.sample.templates import Draw, Kind, Value

CASES = ("nom", "gen", "dat", "acc", "ins", "prep")

# class -> the endings of the six cases
ENDINGS: Mapping[str, tuple[str, str, str, str, str, str]] = {
    "m": ("", "а", "у", "", "ом", "е"),  # мост
    "m-й": ("й", "я", "ю", "й", "ем", "е"),  # музей
    "m-ь": ("ь", "я", "ю", "ь", "ем", "е"),  # фестиваль
    "m-ь-stressed": ("ь", "я", "ю", "ь", "ём", "е"),  # январь
    "m-anim": ("", "а", "у", "а", "ом", "е"),  # Олег
    "m-й-anim": ("й", "я", "ю", "я", "ем", "е"),  # Матвей, попугай
    "m-ий-anim": ("й", "я", "ю", "я", "ем", "и"),  # Юрий: stem "Юри"
    "m-ь-anim": ("ь", "я", "ю", "я", "ем", "е"),  # Игорь
    "m-а-anim": ("а", "ы", "е", "у", "ой", "е"),  # Никита
    "f": ("а", "ы", "е", "у", "ой", "е"),  # Анна, лампа
    "f-и": ("а", "и", "е", "у", "ой", "е"),  # Ольга, река
    "f-ш": ("а", "и", "е", "у", "ей", "е"),  # каша
    "f-ц": ("а", "ы", "е", "у", "ей", "е"),  # курица
    "f-я": ("я", "и", "е", "ю", "ей", "е"),  # Зоя, галерея
    "f-ия": ("я", "и", "и", "ю", "ей", "и"),  # Лидия, премия: stem "Лиди"
    "f-ь": ("ь", "и", "и", "ь", "ью", "и"),  # медаль
    "n": ("о", "а", "у", "о", "ом", "е"),  # озеро
    "n-ье": ("е", "я", "ю", "е", "ем", "е"),  # Лисоречье: stem "Лисоречь"
    "pl": ("ы", "ов", "ам", "ы", "ами", "ах"),  # грибы
    "pl-и": ("и", "ов", "ам", "и", "ами", "ах"),  # орехи
    "pl-f": ("ы", "", "ам", "ы", "ами", "ах"),  # лампы
    "surname-m": ("", "а", "у", "а", "ым", "е"),  # Ветлугин
    "surname-f": ("а", "ой", "ой", "у", "ой", "ой"),  # Ветлугина
    "adj-m": ("ый", "ого", "ому", "ый", "ым", "ом"),  # томатный
    "adj-m-ой": ("ой", "ого", "ому", "ой", "ым", "ом"),  # грибной
    "adj-f": ("ая", "ой", "ой", "ую", "ой", "ой"),  # томатная, Велиринская
    "adj-n": ("ое", "ого", "ому", "ое", "ым", "ом"),  # забытое
    "adj-m-ск": ("ий", "ого", "ому", "ий", "им", "ом"),  # Велиринский
    "adj-m-ск-anim": ("ий", "ого", "ому", "ого", "им", "ом"),  # велиринский (попугай)
    "adj-n-ск": ("ое", "ого", "ому", "ое", "им", "ом"),  # Велиринское
}

Forms = Mapping[str, str]
"""A word or a phrase in the six cases, by the names of `CASES`."""


def declined(stem: str, kind: str) -> Forms:
    """A stem in the six cases of its class."""
    return {case: stem + ending for case, ending in zip(CASES, ENDINGS[kind], strict=True)}


def phrase(*parts: Forms | str) -> Forms:
    """Words side by side, each in the same case; a plain string stays as it is."""
    return {case: " ".join(part if isinstance(part, str) else part[case] for part in parts) for case in CASES}


@dataclass(frozen=True)
class Noun:
    """A noun or a noun phrase.

    Attributes:
        forms: its six cases.
        gender: "m", "f", "n" or "pl".
        animate: whether the accusative is that of a living being.
        unique: the words that tell it from others, in lower case.
    """

    forms: Forms
    gender: str
    animate: bool = False
    unique: str = ""

    def value(self) -> Value:
        """What a slot is filled with."""
        text = self.forms["nom"]
        return Value(text, self.gender == "f", unique=self.unique or text.lower(), forms=self.forms)


def noun(stem: str, kind: str) -> Noun:
    """A noun from its stem and class; the class tells gender and animacy."""
    return Noun(declined(stem, kind), kind.split("-")[0], kind.endswith("anim"))


def nouns(stems: Mapping[str, str]) -> tuple[Noun, ...]:
    """Nouns from class -> stems, separated by spaces."""
    return tuple(noun(stem, kind) for kind, row in stems.items() for stem in row.split())


def irregular(gender: str, row: str) -> Noun:
    """A noun whose six cases are written out, separated by commas."""
    return Noun(dict(zip(CASES, row.split(", "), strict=True)), gender)


# gender and animacy of the noun -> class of its adjective: of a plain one, and of one in -ск
_PLAIN = {("m", False): "adj-m", ("f", False): "adj-f", ("n", False): "adj-n"}
_SK = {("m", False): "adj-m-ск", ("m", True): "adj-m-ск-anim", ("f", False): "adj-f", ("n", False): "adj-n-ск"}


def described(stem: str, head: Noun, kind: str = "") -> Noun:
    """A noun with an adjective that agrees: "томатн" and "суп" to "томатный суп".

    Args:
        stem: of the adjective.
        kind: the class of the adjective where it is not the plain one.
    """
    adjective = declined(stem, kind or _PLAIN[head.gender, head.animate])
    return Noun(phrase(adjective, head.forms), head.gender, head.animate)


def chosen(train: Sequence[Noun], test: Sequence[Noun]) -> Kind:
    """A kind that picks a noun from a list per part."""

    def draw_value(draw: Draw, held_out: bool) -> Value:
        return draw.one(test if held_out else train).value()

    return draw_value


def named_by_adjective(heads: Sequence[Noun], stems: tuple[Sequence[str], Sequence[str]], capital: bool = True) -> Kind:
    """A kind of things called by an adjective of an invented name: "Велиринский музей"."""

    def draw_value(draw: Draw, held_out: bool) -> Value:
        head, stem = draw.one(heads), draw.one(stems[held_out])
        adjective = declined(f"{stem if capital else stem.lower()}ск", _SK[head.gender, head.animate])
        return Noun(phrase(adjective, head.forms), head.gender, unique=stem.lower()).value()

    return draw_value


def named_after(head: Noun, names: tuple[Sequence[Noun], Sequence[Noun]]) -> Kind:
    """A kind of things whose name follows the noun and declines with it: "река Велирина"."""

    def draw_value(draw: Draw, held_out: bool) -> Value:
        name = draw.one(names[held_out])
        return Noun(phrase(head.forms, name.forms), head.gender, unique=name.forms["nom"].lower()).value()

    return draw_value


@dataclass(frozen=True)
class Family:
    """A family name, which declines differently for men and women."""

    man: Forms
    woman: Forms


def families(ov: str, sky: str) -> tuple[Family, ...]:
    """Family names like Ветлугин and like Подгорский, given as stems ("Ветлугин", "Подгорск"), separated by spaces."""
    return (
        *(Family(declined(stem, "surname-m"), declined(stem, "surname-f")) for stem in ov.split()),
        *(Family(declined(stem, "adj-m-ск-anim"), declined(stem, "adj-f")) for stem in sky.split()),
    )


def persons(
    women: tuple[Sequence[Noun], Sequence[Noun]],
    men: tuple[Sequence[Noun], Sequence[Noun]],
    surnames: tuple[Sequence[Family], Sequence[Family]],
) -> Kind:
    """A kind of persons; each argument is a pair of lists, for training and for test."""

    def draw_value(draw: Draw, held_out: bool) -> Value:
        woman, family = draw.chance(0.5), draw.one(surnames[held_out])
        first = draw.one((women if woman else men)[held_out]).forms
        last = family.woman if woman else family.man
        full = phrase(first, last)
        # A man and a woman of one family share no form of its name, so the masculine one stands for both.
        unique = f"{first['nom']} {family.man['nom']}".lower()
        return Value(full["nom"], woman, short=last["nom"], unique=unique, forms=full, short_forms=last)

    return draw_value


@dataclass(frozen=True)
class Unit:
    """A noun that can be counted: its singular, and the genitive and prepositional of its plural."""

    one: Forms
    many: str
    many_prep: str = ""

    def after(self, number: int, case: str) -> str:
        """The form that follows a number in figures: 1 год, 2 года, 5 лет; до 1 года, до 2 лет.

        Args:
            case: the case of the whole, "nom", "acc", "gen" or "prep". For inanimate nouns.
        """
        last, teen = number % 10, 11 <= number % 100 <= 14
        if last == 1 and not teen:
            return self.one[case]
        if case == "prep":
            return self.many_prep
        if case in ("nom", "acc") and 2 <= last <= 4 and not teen:
            return self.one["gen"]
        return self.many


def counted(first: int, last: int, step: int, unit: Unit) -> Kind:
    """A kind of numbers whose noun is not part of the answer: `[works] {works.count_gen}`."""

    def draw_value(draw: Draw, held_out: bool) -> Value:
        number = first + step * draw.below((last - first) // step + 1)
        forms = {f"count_{case}": unit.after(number, case) for case in ("nom", "acc", "gen", "prep")}
        return Value(str(number), unique=str(number), forms=forms)

    return draw_value


def measured(first: int, last: int, step: int, unit: Unit) -> Kind:
    """A kind of measures, number and noun: "312 километров"; in the nominative, accusative and genitive."""

    def draw_value(draw: Draw, held_out: bool) -> Value:
        number = first + step * draw.below((last - first) // step + 1)
        forms = {case: f"{number} {unit.after(number, case)}" for case in ("nom", "acc", "gen")}
        return Value(forms["nom"], unique=str(number), forms=forms)

    return draw_value


def spans_of_time(unit: Unit, numerals: str) -> tuple[Noun, ...]:
    """Spans of time in words, each given as "три/трёх", nominative and genitive: "три недели", "трёх недель"."""
    found = []
    for row in numerals.split():
        nominative, genitive = row.split("/")
        few = nominative in ("два", "две", "три", "четыре")
        plain, oblique = f"{nominative} {unit.one['gen'] if few else unit.many}", f"{genitive} {unit.many}"
        found.append(Noun({"nom": plain, "acc": plain, "gen": oblique}, "pl", unique=nominative))
    return tuple(found)
