"""Entity tags in the schemes that files use (IOB1, IOB2, BIOES), converted to IOB2, which xlqa trains and scores.

IOB2: every entity begins with `B-TYPE` and continues with `I-TYPE`. IOB1: an entity begins with `I-TYPE`, and with `B-TYPE` only
directly after another entity of its type. BIOES marks the last word `E-` and an entity of one word `S-` (BILOU: `L-`, `U-`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

Scheme = Literal["IOB1", "IOB2", "BIOES"]
Tags = tuple[str, ...]

OUTSIDE = "O"
PREFIXES = "BIESLU"
_ENDINGS = {"L": "E", "U": "S"}


def complaint(tag: str) -> str | None:
    """What is wrong with an entity tag, in a few words, or None."""
    prefix, dash, kind = tag.partition("-")
    if tag == OUTSIDE or (dash and kind and prefix in PREFIXES and len(prefix) == 1):
        return None
    return f"the tag {tag!r} is neither O nor a prefix and a type such as B-PER"


def find_scheme(sentences: Iterable[Sequence[str]]) -> Scheme:
    """The scheme of a file's tags.

    With E-, S-, L- or U- it is BIOES. Otherwise it is IOB1 if some entity begins with I- and none begins with B- but those
    directly after another of their type; else IOB2.
    """
    begins_inside = begins_plain = False
    for tags in sentences:
        before = OUTSIDE
        for tag in tags:
            prefix, same = tag[0], tag[1:] == before[1:] and before != OUTSIDE
            if prefix in "ESLU" and tag != OUTSIDE:
                return "BIOES"
            begins_inside |= prefix == "I" and not same
            begins_plain |= prefix == "B" and not same
            before = tag
    return "IOB1" if begins_inside and not begins_plain else "IOB2"


def to_iob2(tags: Sequence[str], scheme: Scheme) -> tuple[Tags, tuple[int, ...]]:
    """A sentence's tags in IOB2, and the positions of those that were repaired.

    A tag that continues an entity that never began starts one, as in conlleval and seqeval's default mode.
    """
    found: list[str] = []
    repaired: list[int] = []
    kind = ""  # type of the open entity
    for at, tag in enumerate(tags):
        if tag == OUTSIDE:
            found.append(OUTSIDE)
            kind = ""
            continue
        prefix, this = _ENDINGS.get(tag[0], tag[0]), tag[2:]
        begins = prefix in "BS" or this != kind
        if begins and prefix in "IE" and scheme != "IOB1":
            repaired.append(at)
        found.append(f"{'B' if begins else 'I'}-{this}")
        kind = "" if prefix in "ES" else this
    return tuple(found), tuple(repaired)
