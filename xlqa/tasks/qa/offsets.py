"""Where an answer stands in its paragraph, when the file's own start is wrong for a reason that can be named.

Every rule here proves its guess by the text: a start is moved only to a place where the answer's characters stand, and
only where the cause predicts that place or no other place is possible. What cannot be proved is left to be refused.
Starts are counted in Python characters (code points).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

UTF16 = "UTF-16 offset"
UTF8 = "UTF-8 offset"
CARRIAGE_RETURN = "carriage return"
BYTE_ORDER_MARK = "byte order mark"
EDGE_SPACE = "edge white space"
NO_START = "start not given"
ONLY_PLACE = "start elsewhere"
SHIFTED = "start shifted"
SPELLING = "other spelling"


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
    if start is not None and start >= 0:
        if context.startswith(text, start):
            return Found(text, start, "")
        explained = _explain(context, text, start)
        if explained is not None:
            return explained
    if occurs_once(context, text):
        known = start is not None and start >= 0
        return Found(text, context.index(text), ONLY_PLACE if known else NO_START)
    return _respelled(context, text, start)


def occurs_once(context: str, text: str) -> bool:
    """Whether the answer stands at exactly one place, overlapping places counted."""
    first = context.find(text)
    return first >= 0 and context.find(text, first + 1) < 0


def occurrences(context: str, text: str) -> int:
    """At how many places the answer stands, overlapping places counted."""
    return sum(1 for _ in re.finditer(f"(?={re.escape(text)})", context))


def _explain(context: str, text: str, start: int) -> Found | None:
    """A place that a known habit of counting predicts."""
    for repair, encoding, unit in ((UTF16, "utf-16-le", 2), (UTF8, "utf-8", 1)):
        index = _index_of_unit(context, start * unit, encoding)
        if index is not None and context.startswith(text, index):
            return Found(text, index, repair)
    edges = _past_edges(context, text, start)
    if edges is not None:
        return edges
    for repair, places in ((CARRIAGE_RETURN, _around_returns), (BYTE_ORDER_MARK, _around_marks)):
        for index in places(context, start):
            # A place to the left proves nothing where the answer stands one to the right as well.
            if index >= 0 and context.startswith(text, index) and not context.startswith(text, max(index, start) + 1):
                return Found(text, index, repair)
    return None


def _index_of_unit(context: str, offset: int, encoding: str) -> int | None:
    """The index of the character that begins at a byte of the encoded text; None where none begins there."""
    if context.isascii():
        return None
    head = context[:offset].encode(encoding, "surrogatepass")[:offset]
    try:
        return len(head.decode(encoding, "surrogatepass"))
    except UnicodeDecodeError:
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
            yield from _index_in_units(context, offset, lambda char: 2 if char == "\n" else 1)
    if "\r" in context:
        yield from _index_in_units(context, start, lambda char: 0 if char == "\r" else 1)


def _around_marks(context: str, start: int) -> Iterator[int]:
    """Starts counted with a leading mark that is gone; and counted without the mark that the text still has."""
    if "\ufeff" in context:
        yield from _index_in_units(context, start, lambda char: 0 if char == "\ufeff" else 1)
    else:
        yield start - 1


def _past_edges(context: str, text: str, start: int) -> Found | None:
    """The answer without its edge white space, at its start, after it, or past the white space that stands there."""
    core = text.strip()
    if not core:
        return None
    lead = len(text) - len(text.lstrip())
    past = start
    while past < len(context) and context[past].isspace():
        past += 1
    for index in (start, start + lead, past):
        if context.startswith(core, index):
            return Found(core, index, EDGE_SPACE)
    return None


def shifted(context: str, text: str, start: int, shift: int) -> Found | None:
    """The answer at a distance from its start that another answer of the same paragraph has proved."""
    index = start + shift
    if index >= 0 and context.startswith(text, index):
        return Found(text, index, SHIFTED)
    return None


def _respelled(context: str, text: str, start: int | None) -> Found | None:
    """The same characters in another normal form or with other white space, at the start or at a single place.

    The answer's text becomes the paragraph's own spelling, so that `context[start:]` begins with it.
    """
    core = text.strip()
    if not core:
        return None
    if _flat(core) not in _flat(context):
        return None
    folded, origins = _fold(context)
    wanted = _fold(core)[0]
    places = []
    at = folded.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        if origins[at] >= 0 and origins[end] >= 0:
            places.append((origins[at], origins[end]))
        at = folded.find(wanted, at + 1)
    chosen = [place for place in places if place[0] == start] or (places if len(places) == 1 else [])
    if not chosen:
        return None
    begin, end = chosen[0]
    return Found(context[begin:end].rstrip(), begin, SPELLING)


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


_CLUSTER = re.compile(rf"\s+|\S{_combining_class()}*")
