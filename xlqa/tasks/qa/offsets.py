"""The place of an answer in its paragraph, when the file's own start is wrong for a reason that has a name.

Every rule proves its guess by the text: a start is moved only to a place that holds the answer's characters, and only
where the cause predicts that place or no other place is possible. What cannot be proved is left to be refused. An answer
whose letters at the stated start differ in case, Unicode form or white space keeps its start and takes the paragraph's
spelling. Starts count Python characters (code points).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

UTF16 = "UTF-16 offset"
UTF8 = "UTF-8 offset"
NORMAL_FORM = "normal form offset"
CARRIAGE_RETURN = "carriage return"
BYTE_ORDER_MARK = "byte order mark"
EDGE_SPACE = "edge white space"
NO_START = "start not given"
ONLY_PLACE = "start elsewhere"
SHIFTED = "start shifted"
SPELLING = "other spelling"
LETTER_CASE = "letter case"


class Found(NamedTuple):
    """An answer's text and start, and the name of the repair that put it there ("" where the file was right)."""

    text: str
    start: int
    repair: str


def locate(context: str, text: str, start: int | None) -> Found | None:
    """Find a non-empty answer in its paragraph; None where no place can be proved to be meant.

    Args:
        start: the file's start; None or negative where it gives none, and then only a single occurrence will do.
    """
    known = start is not None and start >= 0
    if start is not None and start >= 0:
        if context.startswith(text, start):
            return Found(text, start, "")
        counted = _counted_otherwise(context, start)
        explained = (
            _at_edges(context, text, start, counted)
            or _respelled_at(context, text, start)
            or _explain(context, text, start, counted)
        )
        if explained is not None:
            return explained
    if occurs_once(context, text):
        return Found(text, context.index(text), ONLY_PLACE if known else NO_START)
    return _respelled_once(context, text)


def occurs_once(context: str, text: str) -> bool:
    """Whether the answer is at exactly one place, overlapping places counted."""
    first = context.find(text)
    return first >= 0 and context.find(text, first + 1) < 0


def occurrences(context: str, text: str) -> int:
    """At how many places the answer is, overlapping places counted."""
    return sum(1 for _ in re.finditer(f"(?={re.escape(text)})", context))


def shifted(context: str, text: str, start: int, shift: int) -> Found | None:
    """The answer at a distance from its start that another answer of the same paragraph has proved."""
    index = start + shift
    if index >= 0 and context.startswith(text, index):
        return Found(text, index, SHIFTED)
    return None


Counted = list[tuple[str, int]]
"""The characters that a start may mean, with the habit of counting behind each."""


def _explain(context: str, text: str, start: int, counted: Counted) -> Found | None:
    """A place that a known habit of counting predicts."""
    for repair, index in counted:
        if context.startswith(text, index):
            return Found(text, index, repair)
    past = _past_white_space(context, text, start)
    if past is not None:
        return past
    for repair, places in (
        (CARRIAGE_RETURN, _around_returns),
        (BYTE_ORDER_MARK, _around_marks),
        (SHIFTED, _one_before),
    ):
        for index in places(context, start):
            # A place to the left proves nothing where the answer is also one to the right.
            if index >= 0 and context.startswith(text, index) and not context.startswith(text, max(index, start) + 1):
                return Found(text, index, repair)
    for repair, index in reversed(counted):  # an answer in another normal form was counted in that form
        found = _respelled_at(context, text, index)
        if found is not None:
            return found._replace(repair=repair)
    return None


# --- Starts counted in other units ----------------------------------------------------------------------------------


def _counted_otherwise(context: str, start: int) -> Counted:
    """The characters that a start means if it counts UTF-16 units, UTF-8 bytes, or another normal form's characters."""
    if context.isascii():
        return []
    found = []
    for repair, encoding, unit in ((UTF16, "utf-16-le", 2), (UTF8, "utf-8", 1)):
        index = _index_of_unit(context, start * unit, encoding)
        if index is not None:
            found.append((repair, index))
    forms: tuple[Literal["NFD", "NFC"], ...] = ("NFD", "NFC")
    for form in forms:
        index = _index_in_form(context, start, form)
        if index is not None and index != start:
            found.append((NORMAL_FORM, index))
    return found


def _index_of_unit(context: str, offset: int, encoding: str) -> int | None:
    """The index of the character that begins at a byte of the encoded text; None where none begins there."""
    head = context[:offset].encode(encoding, "surrogatepass")[:offset]
    try:
        return len(head.decode(encoding, "surrogatepass"))
    except UnicodeDecodeError:
        return None


def _index_in_form(context: str, offset: int, form: Literal["NFD", "NFC"]) -> int | None:
    """The index of the character that begins at an offset of the text in a normal form; None where none begins there."""
    total = 0
    for match in _CLUSTER.finditer(context):
        if total >= offset:
            return match.start() if total == offset else None
        if match[0].isspace():
            if offset < total + len(match[0]):
                return match.start() + offset - total
            total += len(match[0])
        else:
            total += len(unicodedata.normalize(form, match[0]))
    return None


def _index_in_units(context: str, offset: int, width: Callable[[str], int]) -> Iterator[int]:
    """The character indices whose distance from the text's beginning is `offset` in other units of counting."""
    total = 0
    for index, char in enumerate(context):
        if total == offset:
            yield index
        elif total > offset:
            return
        total += width(char)


def _around_returns(context: str, start: int) -> Iterator[int]:
    """Starts counted while each line end was CR LF; and counted without the CR that the text still has."""
    if "\n" in context:
        # A byte order mark went together with the CRs where a tool cleaned both.
        for offset in (start, start - 1):
            places = _index_in_units(context, offset, lambda char: 2 if char == "\n" else 1)
            yield from (index for index in places if index != offset)
    if "\r" in context:
        yield from _index_in_units(context, start, lambda char: 0 if char == "\r" else 1)


def _around_marks(context: str, start: int) -> Iterator[int]:
    """Starts counted without the byte order mark that the text still has."""
    if "\ufeff" in context:
        yield from _index_in_units(context, start, lambda char: 0 if char == "\ufeff" else 1)


def _one_before(_: str, start: int) -> Iterator[int]:
    """Starts counted from 1, or before a first character was removed."""
    yield start - 1


# --- White space at the edges ---------------------------------------------------------------------------------------


def _at_edges(context: str, text: str, start: int, counted: Counted) -> Found | None:
    """The answer without the white space at its edges, at its start or after its leading white space."""
    core = text.strip()
    lead = len(text) - len(text.lstrip())
    if not core or len(core) == len(text):
        return None
    places = [index for index in (start, start + lead) if context.startswith(core, index)]
    # With its white space the answer is where another habit of counting predicts it: two explanations of one place are
    # no matter, but of two places the whole text proves more.
    if not places or any(context.startswith(text, index) and index + lead not in places for _, index in counted):
        return None
    return Found(core, places[0], EDGE_SPACE)


def _past_white_space(context: str, text: str, start: int) -> Found | None:
    """The answer after the white space that is at its start."""
    core, past = text.strip(), start
    while past < len(context) and context[past].isspace():
        past += 1
    return Found(core, past, EDGE_SPACE) if core and context.startswith(core, past) else None


# --- Other spellings ------------------------------------------------------------------------------------------------


def _respelled_at(context: str, text: str, start: int) -> Found | None:
    """The same letters at a place, in other letter case, another normal form or with other white space."""
    core = text.strip()
    piece = context[start : start + len(core)]
    if not core or not piece or unicodedata.combining(piece[0]):
        return None
    wanted, end = caseless(core), start
    folded = ""
    for match in _CLUSTER.finditer(context, start):
        if len(folded) >= len(wanted):
            break
        folded += " " if match[0].isspace() else caseless(match[0])
        end = match.end()
        if not wanted.startswith(folded):
            return None
    if folded != wanted:
        return None
    spelled = context[start:end].rstrip()
    return Found(spelled, start, SPELLING if _flat(spelled) == _flat(core) else LETTER_CASE)


def _respelled_once(context: str, text: str) -> Found | None:
    """The same characters in another normal form or with other white space, where they are at a single place.

    The answer's text becomes the paragraph's own spelling, so that `context[start:]` begins with it.
    """
    places = respelled_places(context, text)
    if len(places) != 1:
        return None
    begin, end = places[0]
    return Found(context[begin:end].rstrip(), begin, SPELLING)


def respelled_places(context: str, text: str) -> list[tuple[int, int]]:
    """All places [start, end) that hold the answer in another normal form or with other white space."""
    core = text.strip()
    if not core or _flat(core) not in _flat(context):
        return []
    folded, origins = _fold(context)
    wanted = _fold(core)[0]
    places = []
    at = folded.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        if origins[at] >= 0 and origins[end] >= 0:
            places.append((origins[at], origins[end]))
        at = folded.find(wanted, at + 1)
    return places


def caseless(text: str) -> str:
    """The text decomposed and case-folded, white space made single blanks: equal for spellings of one text.

    Unicode's canonical caseless match (The Unicode Standard, D145).
    """
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    return " ".join(folded.split())


@lru_cache(maxsize=64)  # a paragraph's answers come one after another
def _flat(text: str) -> str:
    """What `_fold` gives, without the way back, and much faster."""
    return " ".join(unicodedata.normalize("NFD", text).split())


def _fold(text: str) -> tuple[str, list[int]]:
    """The text decomposed (NFD), each run of white space one blank; and for each index where it began, or -1.

    Returns:
        the folded text, and len(folded) + 1 indices into `text`; -1 inside what must not be cut.
    """
    pieces: list[str] = []
    origins: list[int] = []
    for match in _CLUSTER.finditer(text):
        piece = " " if match[0].isspace() else unicodedata.normalize("NFD", match[0])
        pieces.append(piece)
        origins.append(match.start())
        origins.extend([-1] * (len(piece) - 1))
    origins.append(len(text))
    return "".join(pieces), origins


def _combining_class() -> str:
    """A character class of all marks that NFD may reorder behind their base."""
    marks = [code for code in range(0x300, 0x1F000) if unicodedata.combining(chr(code))]
    ranges: list[list[int]] = []
    for code in marks:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges) + "]"


_JAMO = "[\u1100-\u115f][\u1160-\u11a7]+[\u11a8-\u11ff]*"
"""A Hangul syllable written as letters, which NFC makes one character of."""

_CLUSTER = re.compile(rf"\s+|(?:{_JAMO}|\S){_combining_class()}*")
