"""The language of a data set's paragraphs, as far as the file itself shows it: by its name, its ids, or its letters."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

from xlqa.data.registry import TYDIQA_LANGUAGES
from xlqa.records import Question

_MLQA_NAME = re.compile(r"context-([a-z]{2})-question-[a-z]{2}(?![a-z])")
_TYDIQA = {name: code for code, name in TYDIQA_LANGUAGES.items()}
TYDIQA_ID = re.compile(rf"({'|'.join(_TYDIQA)})--?\d")
"""An id of TyDi QA, which begins with the name of its language."""

SCRIPTS = {
    "ARABIC": ("ar", "fa", "ur", "ps", "sd", "ug", "ckb"),
    "ARMENIAN": ("hy",),
    "BENGALI": ("bn", "as"),
    "CJK": ("zh", "yue", "wuu", "ja"),
    "CYRILLIC": ("ru", "uk", "be", "bg", "mk", "kk", "ky", "mn", "tg", "tt", "ba", "cv", "os", "ce", "sr"),
    "DEVANAGARI": ("hi", "mr", "ne", "sa"),
    "ETHIOPIC": ("am", "ti"),
    "GEORGIAN": ("ka",),
    "GREEK": ("el",),
    "GUJARATI": ("gu",),
    "GURMUKHI": ("pa",),
    "HANGUL": ("ko",),
    "HEBREW": ("he", "yi"),
    "HIRAGANA": ("ja",),
    "KANNADA": ("kn",),
    "KATAKANA": ("ja",),
    "KHMER": ("km",),
    "LAO": ("lo",),
    "LATIN": (
        "af", "az", "ca", "cs", "cy", "da", "de", "en", "es", "et", "eu", "fi", "fr", "ga", "gl", "ha", "hr", "hu", "id", "ig",
        "is", "it", "lt", "lv", "ms", "mt", "nb", "nl", "nn", "no", "pl", "pt", "ro", "rw", "sk", "sl", "so", "sq", "sr", "sv",
        "sw", "tl", "tr", "uz", "vi", "xh", "yo", "zu",
    ),
    "MALAYALAM": ("ml",),
    "MYANMAR": ("my",),
    "SINHALA": ("si",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "THAI": ("th",),
    "TIBETAN": ("bo", "dz"),
}  # fmt: skip
"""Scripts, by the first word of their letters' Unicode names, and languages that are written in them."""

_WITHOUT_BLANKS = {"THAI": "th", "LAO": "lo", "KHMER": "km", "MYANMAR": "my", "TIBETAN": "bo"}
"""Scripts without blanks between words that tell the language, or at least how its answers are to be scored."""


def language_of_name(name: str) -> str:
    """The paragraphs' language that a file name of MLQA's makers gives (`…-context-de-question-ar.json`); else ""."""
    match = _MLQA_NAME.search(name)
    return match[1] if match else ""


def language_of_ids(questions: Iterable[Question]) -> str:
    """The language that all ids name, as TyDi QA's do; "" where they name none, or several."""
    names = set()
    for question in questions:
        match = TYDIQA_ID.match(question.id)
        if match is None:
            return ""
        names.add(match[1])
    return _TYDIQA[names.pop()] if len(names) == 1 else ""


def guess_language(questions: Iterable[Question], paragraphs: int = 200) -> str:
    """Language of the paragraphs, if it is one of those that are written without blanks: their scripts tell.

    Under word-based rules such answers would score next to nothing, so that it is better to guess than to go on.

    Returns:
        "" where most letters are of another script.
    """
    found = count_scripts(questions, paragraphs)
    letters = sum(found.values())
    kana = found["HIRAGANA"] + found["KATAKANA"]
    han = found["CJK"] + kana
    if han > letters / 2:
        return "ja" if kana > han / 10 else "zh"
    return next((code for script, code in _WITHOUT_BLANKS.items() if found[script] > letters / 2), "")


def foreign_script(questions: Iterable[Question], language: str, paragraphs: int = 200) -> str:
    """The script of most letters of the paragraphs, where it is none that the language is known to be written in."""
    wanted = [script for script, languages in SCRIPTS.items() if language in languages]
    found = count_scripts(questions, paragraphs)
    if not wanted or not found:
        return ""
    script, count = found.most_common(1)[0]
    return script if script in SCRIPTS and script not in wanted and count > sum(found.values()) / 2 else ""


def count_scripts(questions: Iterable[Question], paragraphs: int = 200) -> Counter[str]:
    """How many letters of the first paragraphs belong to each script, by the first word of their Unicode names."""
    texts = islice(dict.fromkeys(question.context for question in questions), paragraphs)
    characters = Counter("".join(texts))
    scripts: Counter[str] = Counter()
    for character, count in characters.items():
        if character.isalpha():
            scripts[_script(character)] += count
    return scripts


@lru_cache(1 << 14)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ")[0].split("-")[0]
