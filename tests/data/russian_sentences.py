"""Every Russian phrasing of the sample, filled twice: a list to read. Try: python tests/data/russian_sentences.py

The second filling swaps the genders, so that every agreement is seen both ways; it is left out where nothing agrees.
Read what changed as a Russian reader would before you commit the new list.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from xlqa.data.sample.russian import RUSSIAN
from xlqa.data.sample.templates import Domain, Draw, Kind, Value, render

SENTENCES = Path(__file__).with_name("russian_sentences.txt")


def sentences() -> Iterator[str]:
    """The lines of the list: a title per topic, then its sentences."""
    for domain in RUSSIAN.domains:
        yield f"# {domain.title}"
        for item in (*domain.facts, *domain.asks):
            for held_out in (False, True):
                for phrasing in item.phrasings.of(held_out):
                    for feminine in (False, True) if "|" in phrasing else (False,):
                        # A sequence of its own for each line, so that a change leaves the other lines as they were read.
                        draw = Draw(f"{phrasing} {feminine}")
                        yield render(phrasing, _values(domain, held_out, feminine, draw)).text


def _values(domain: Domain, held_out: bool, feminine: bool, draw: Draw) -> dict[str, Value]:
    """A subject of the gender asked for, if there is one, and people of the other gender."""
    return {
        slot: _value(kind, held_out, feminine if slot == "s" else not feminine, draw)
        for slot, kind in domain.kinds.items()
    }


def _value(kind: Kind, held_out: bool, feminine: bool, draw: Draw) -> Value:
    for _ in range(50):
        value = kind(draw, held_out)
        if value.feminine == feminine:
            break
    return value


if __name__ == "__main__":
    SENTENCES.write_text("".join(f"{line}\n" for line in sentences()), encoding="utf-8")
