"""The gain broken down by kinds of test examples: answer length, question word, windows, words shared with the paragraph.

`facts_of(questions, language)` describes the examples; `break_down(comparison, cells, facts)` computes the gain in each kind,
with the same intervals as the whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xlqa.curves.comparison import Comparison, PairedCells
from xlqa.curves.variance import SOURCE, TARGET, Interval, Study
from xlqa.records import Question

LEAST_EXAMPLES = 20
"""A kind of fewer examples is not reported."""

QUESTION_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "en": {"who": ("who", "whom", "whose"), "what": ("what",), "which": ("which",), "when": ("when",),
           "where": ("where",), "how many": ("how many", "how much"), "how": ("how",), "why": ("why",)},
    "ru": {"who": ("кто", "кого", "кому", "кем", "чей", "чья"), "what": ("что", "чего", "чему", "чем"),
           "which": ("какой", "какая", "какое", "какие", "каком", "какую", "каких", "какого", "каким", "который"),
           "when": ("когда",), "where": ("где", "куда", "откуда"), "how many": ("сколько",), "how": ("как",),
           "why": ("почему", "зачем")},
    "sw": {"who": ("nani",), "what": ("nini",), "which": ("gani", "ipi", "lipi", "upi", "yupi", "kipi"),
           "when": ("lini",), "where": ("wapi",), "how many": ("ngapi", "wangapi", "mangapi", "kiasi gani"),
           "how": ("vipi", "je namna"), "why": ("kwa nini", "mbona")},
    "es": {"who": ("quién", "quiénes"), "what": ("qué",), "which": ("cuál", "cuáles"), "when": ("cuándo",),
           "where": ("dónde",), "how many": ("cuánto", "cuánta", "cuántos", "cuántas"), "how": ("cómo",),
           "why": ("por qué",)},
    "de": {"who": ("wer", "wen", "wem", "wessen"), "what": ("was",), "which": ("welche", "welcher", "welches", "welchen",
           "welchem"), "when": ("wann",), "where": ("wo", "wohin", "woher"), "how many": ("wie viel", "wie viele"),
           "how": ("wie",), "why": ("warum", "wieso", "weshalb")},
    "fr": {"who": ("qui",), "what": ("que", "quoi", "qu"), "which": ("quel", "quelle", "quels", "quelles", "lequel"),
           "when": ("quand",), "where": ("où",), "how many": ("combien",), "how": ("comment",), "why": ("pourquoi",)},
    "zh": {"who": ("谁", "誰"), "what": ("什么", "什麼", "何"), "which": ("哪个", "哪個", "哪", "哪一"),
           "when": ("何时", "何時", "什么时候", "什麼時候"), "where": ("哪里", "哪裡", "何处", "何處"),
           "how many": ("多少", "几", "幾"), "how": ("如何", "怎么", "怎麼"), "why": ("为什么", "為什麼", "为何", "為何")},
}  # fmt: skip
_NO_SPACES = ("zh", "ja", "th")


@dataclass(frozen=True)
class Kind:
    """One kind of examples: how many there are, and the gain in them by size."""

    name: str
    examples: int
    gains: Mapping[int, Interval]


@dataclass(frozen=True)
class Breakdown:
    """A comparison's gain by one property of the examples."""

    comparison: Comparison
    factor: str
    kinds: tuple[Kind, ...]


def facts_of(questions: Iterable[Question], language: str) -> dict[str, dict[str, Any]]:
    """What is known of each question, by its id: words of its shortest answer, question word, share of words in the paragraph.

    An unanswerable question has an answer of 0 words.

    Args:
        language: of the questions, as a code; a language without a list of question words has no question words here.
    """
    found = {}
    for question in questions:
        facts: dict[str, Any] = {"overlap": _overlap(question, language)}
        if question.answers:
            facts["answer_words"] = min(_length(answer.text, language) for answer in question.answers)
        elif not question.gold_texts:
            facts["answer_words"] = 0
        if word := question_word(question.question, language):
            facts["question_word"] = word
        found[question.id] = facts
    return found


def question_word(question: str, language: str) -> str:
    """The English name of a question's word ("how many"), "other" where none is found, "" for a language without a list.

    The word that comes first counts; of those at one place, the longest.
    """
    listed = QUESTION_WORDS.get(language)
    if listed is None:
        return ""
    text = " ".join(re.findall(r"\w+", question.lower()))
    best: tuple[int, int, str] | None = None
    for name, words in listed.items():
        for word in words:
            place = text.find(word) if language in _NO_SPACES else f" {text} ".find(f" {word} ")
            if place >= 0 and (best is None or (place, -len(word)) < best[:2]):
                best = (place, -len(word), name)
    return best[2] if best else "other"


def _length(text: str, language: str) -> int:
    return len("".join(text.split())) if language in _NO_SPACES else len(text.split())


def _overlap(question: Question, language: str) -> float:
    """Share of the question's words (characters, where there are no spaces) that occur in its paragraph."""
    asked, there = (_words(text, language) for text in (question.question, question.context))
    return len(asked & there) / len(asked) if asked else math.nan


def _words(text: str, language: str) -> set[str]:
    found = re.findall(r"\w+", text.lower())
    return {letter for word in found for letter in word} if language in _NO_SPACES else set(found)


# ------------------------------------------------------------------------------------------------------- the gain


_FACTORS = {
    "answer_words": "answer length",
    "question_word": "question word",
    "windows": "windows",
    "overlap": "question words in the paragraph",
}


def break_down(comparison: Comparison, facts: Mapping[str, Mapping[str, Any]]) -> tuple[Breakdown, ...]:
    """The gain by each property that is known of the examples.

    Args:
        facts: of the examples by id, as `facts_of` gives them; those in the per-example files are used as well.
    """
    cells, language = comparison.cells, comparison.panel.lang
    if cells.scores is None or not comparison.sizes_with_gain:
        return ()
    made = []
    for name, factor in _FACTORS.items():
        own = cells.scores.facts.get(name, (None,) * len(cells.scores.ids))
        values = [facts.get(id, {}).get(name, value) for id, value in zip(cells.scores.ids, own, strict=True)]
        kinds = np.array([_kind(name, value, language) for value in values])
        shown = [kind for kind in _ordered(name, set(kinds) - {""}) if (kinds == kind).sum() >= LEAST_EXAMPLES]
        if len(shown) > 1:
            made.append(Breakdown(comparison, factor, tuple(_gains(comparison, cells, kind, kinds) for kind in shown)))
    return tuple(made)


def _gains(comparison: Comparison, cells: PairedCells, kind: str, kinds: np.ndarray[Any, Any]) -> Kind:
    mask = kinds == kind
    study = Study(cells.cells(mask), comparison.stages)
    gains = {
        size: study.interval({(SOURCE, size): 1.0, (TARGET, size): -1.0}) for size in cells.sizes if cells.paired(size)
    }
    return Kind(kind, int(mask.sum()), gains)


_LENGTHS = ((1, "1"), (3, "2 to 3"), (6, "4 to 6"), (math.inf, "7 or more"))
_LETTERS = ((2, "1 to 2"), (4, "3 to 4"), (8, "5 to 8"), (math.inf, "9 or more"))
_SHARES = ((1 / 3, "below a third"), (2 / 3, "a third to two thirds"), (math.inf, "more than two thirds"))


def _kind(name: str, value: Any, language: str) -> str:
    """The kind that a value belongs to, as it is named in a table; "" where it is not known."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return ""
    if name == "question_word":
        return str(value)
    if name == "windows":
        return f"{int(value)}" if value < 3 else "3 or more"
    if name == "overlap":
        return next(words for end, words in _SHARES if value <= end)
    if value == 0:
        return "no answer"
    unit = "characters" if language in _NO_SPACES else "words"
    bins = _LETTERS if language in _NO_SPACES else _LENGTHS
    words = next(words for end, words in bins if value <= end)
    return f"{words} {unit[:-1] if words == '1' else unit}"


def _ordered(name: str, kinds: set[str]) -> Sequence[str]:
    """Kinds in the order of their values; question words in that of the English list, the rest last."""
    if name == "question_word":
        order = [*QUESTION_WORDS["en"], "other"]
        return sorted(kinds, key=lambda kind: order.index(kind) if kind in order else len(order))
    order = [words for _, words in (*_LENGTHS, *_LETTERS, *_SHARES)] + ["2", "3 or more"]
    return sorted(kinds, key=lambda kind: next((i for i, words in enumerate(order) if kind.startswith(words)), -1))
