"""Fonts for the letters of a figure, and Arabic and Hebrew set as they are read.

matplotlib before 3.11 draws letters one by one from left to right. Arabic letters then need their joined forms (the presentation forms of
Unicode), and both scripts the order from right to left. Indic scripts need more than that: SVG, which a browser sets, or matplotlib 3.11.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CJK = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans", "WenQuanYi Micro Hei", "IPAexGothic", "SimHei",
        "PingFang SC", "Hiragino Sans", "MS Gothic")  # fmt: skip
SCRIPTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("East Asian", "\u2e80-\u9fff\uac00-\ud7af", _CJK),
    ("Devanagari", "\u0900-\u097f", ("Noto Sans Devanagari", "Lohit Devanagari", "Mangal", "Nirmala UI", "Kohinoor Devanagari")),
    ("Bengali", "\u0980-\u09ff", ("Noto Sans Bengali", "Lohit Bengali", "Vrinda", "Nirmala UI")),
    ("Tamil", "\u0b80-\u0bff", ("Noto Sans Tamil", "Lohit Tamil", "Latha", "Nirmala UI")),
    ("Telugu", "\u0c00-\u0c7f", ("Noto Sans Telugu", "Lohit Telugu", "Gautami", "Nirmala UI")),
    ("Thai", "\u0e00-\u0e7f", ("Noto Sans Thai", "Loma", "Garuda", "Tahoma", "Thonburi")),
)  # fmt: skip
"""Scripts that DejaVu Sans lacks: name, letters, and fonts that have them."""
_TO_SHAPE = re.compile("[\u0900-\u0dff]")
_RIGHT_TO_LEFT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff"
_RUN = re.compile(f"[{_RIGHT_TO_LEFT}](?:[^A-Za-z\u00c0-\u058f\u0900-\u1fff\u2c00-\ud7ff]*[{_RIGHT_TO_LEFT}])?")
_DIGITS = re.compile(r"[\d.,]*\d")
_MIRRORED = str.maketrans("()[]<>", ")(][><")
SHAPES_SINCE = (3, 11)
"""The first matplotlib that shapes and orders letters itself."""


@lru_cache(maxsize=1)
def installed_fonts() -> frozenset[str]:
    """Names of the fonts that matplotlib finds."""
    from matplotlib import font_manager

    return frozenset(font.name for font in font_manager.fontManager.ttflist)


def font_families(text: str = "") -> tuple[str, ...]:
    """DejaVu Sans, which comes with matplotlib and has Cyrillic, Greek, Arabic and Hebrew; others where `text` needs them."""
    wanted = [name for _, letters, fonts in SCRIPTS if re.search(f"[{letters}]", text) for name in fonts]
    return ("DejaVu Sans", *(name for name in dict.fromkeys(wanted) if name in installed_fonts()))


def missing_font(text: str) -> str:
    """What to tell a reader of a figure with letters that no installed font can draw, or that are not joined; "" where all is well."""
    for script, letters, fonts in SCRIPTS:
        if re.search(f"[{letters}]", text) and not set(fonts) & installed_fonts():
            return (
                f"no installed font has the {script} letters of a name in this figure: install one, such as {fonts[0]}."
            )
    if _TO_SHAPE.search(text) and not _shapes():
        return "the letters of an Indic script in this figure are not joined: write .svg, or install matplotlib 3.11 or later."
    return ""


def _shapes() -> bool:
    import matplotlib

    return tuple(int(part) for part in matplotlib.__version__.split(".")[:2]) >= SHAPES_SINCE


def set_right_to_left(text: str) -> str:
    """A text as matplotlib before 3.11 has to be given it: Arabic letters joined, and runs of Arabic and Hebrew turned around.

    Digits in a run keep their order. Vowel signs stay behind their letters.
    """
    if _shapes() or not re.search(f"[{_RIGHT_TO_LEFT}]", text):
        return text
    return _RUN.sub(lambda found: _turn(_join(found[0])), text)


def _turn(run: str) -> str:
    letters = [run[m.start() : m.end()] for m in re.finditer(r"[\d.,]*\d|.[\u0591-\u05c7\u064b-\u065f]*", run)]
    return "".join(part if _DIGITS.fullmatch(part) else part.translate(_MIRRORED) for part in reversed(letters))


@lru_cache(maxsize=1)
def _forms() -> dict[tuple[str, str], str]:
    """Presentation forms by their letters and place in a word, from the Unicode character database."""
    found = {}
    for code in (*range(0xFB50, 0xFBB2), *range(0xFBD3, 0xFC00), *range(0xFE80, 0xFEFD)):
        kind, _, letters = unicodedata.decomposition(chr(code)).partition("> ")
        if kind.startswith("<"):
            found["".join(chr(int(part, 16)) for part in letters.split()), kind[1:]] = chr(code)
    return found


def _join(run: str) -> str:
    """Arabic letters in their joined forms: lam-alef as one, each letter by whether its neighbours join it."""
    forms = _forms()
    letters = re.findall("\u0644[\u0622\u0623\u0625\u0627]|.", run, re.DOTALL)
    plain = [part for part in letters if not unicodedata.combining(part[0])]
    made, place = [], -1
    for part in letters:
        if unicodedata.combining(part[0]):
            made.append(part)
            continue
        place += 1
        before = place > 0 and (plain[place - 1], "initial") in forms and (part, "final") in forms
        after = place + 1 < len(plain) and (part, "initial") in forms and (plain[place + 1], "final") in forms
        kind = {(False, False): "isolated", (True, False): "final", (False, True): "initial", (True, True): "medial"}
        made.append(forms.get((part, kind[before, after]), part))
    return "".join(made)
