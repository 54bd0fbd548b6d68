"""Files of columns: one word a line with its tag, sentences apart by blank lines.

The layout is that of the whole file, not of a line: a word may be a number, and an index may precede the words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Literal, NamedTuple

from xlqa.errors import XlqaError
from xlqa.tasks.jsonrows import place_in
from xlqa.tasks.tagging.schemes import complaint
from xlqa.util.text import plain

Kind = Literal["ner", "pos"]

UPOS = frozenset(
    ("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X")
)  # fmt: skip
"""The parts of speech of Universal Dependencies."""

MOSTLY = 0.9
"""Share of the lines that decide a layout; a file in which fewer lines agree has none."""

CONLLU_COLUMNS, UNER_COLUMNS = 10, 5

_INDEX = re.compile(r"[0-9]+([-.][0-9]+)?")
_KEY_AND_VALUE = re.compile(r"# [\w.:-]+( [\w.:-]+)? = .*|# (sent_id|newdoc id) ?=.*|# (newdoc|newpar)")
"""What is a comment in columns apart by blanks, in which "# SYM" is a word and its tag."""


@dataclass(frozen=True, slots=True)
class RawSentence:
    """A sentence as a file has it: `lines` are those of its words, or its own; `broken` states what is wrong with it."""

    lines: tuple[int, ...]
    words: tuple[str, ...]
    tags: tuple[str, ...]
    id: str = ""
    document: str = ""
    broken: str = ""

    def refusal(self, found: str) -> str:
        """Where the sentence is in a file of a format, and what is wrong with it."""
        return f"{place_in(found, self.lines[0])}: {self.broken}."

    def line_of(self, word: int) -> int:
        """The line of a word."""
        return self.lines[min(word, len(self.lines) - 1)]


class _Line(NamedTuple):
    """A line of a file, counted from 1: blank, a comment, a mark of a new document, or the cells of a word."""

    number: int
    kind: Literal["blank", "comment", "document", "word"]
    text: str
    cells: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the lines of a file have what.

    Attributes:
        name: in a few words, as `xlqa data check` prints it.
        width: columns of a line.
        word, tag: their places; -1 is the last.
        indexed: whether the first column counts the words.
    """

    name: str
    width: int
    word: int = 0
    tag: int = -1
    indexed: bool = False


STRIPPED = (
    "were the labels of this file stripped? XTREME publishes its test parts so: take them from the hub's wikiann, or use the "
    "dev part."
)


def read_columns(text: str, kind: Kind, path: Path) -> tuple[str, list[RawSentence]]:
    """The layout of a file in a few words, and its sentences.

    Raises:
        XlqaError: the lines have no tags, or are not columns.
    """
    lines = _without_sources(list(_lines(text)))
    words = [line for line in lines if line.kind == "word"]
    if not words:
        return "columns", []
    layout = _find_layout(lines, words, kind, path)
    reader = _Reader(layout)
    for line in lines:
        reader.take(line)
    reader.end()
    return layout.name, reader.found


def _lines(text: str) -> Iterator[_Line]:
    lines = text.split("\n")
    has_tabs = any("\t" in line and not line.startswith("# ") for line in lines)
    for number, line in enumerate(lines, start=1):
        if not line.strip(" "):
            yield _Line(number, "blank", line)
        elif line.startswith("-DOCSTART-"):
            yield _Line(number, "document", line)
        elif "\t" not in line and (line.startswith("# ") if has_tabs else _KEY_AND_VALUE.fullmatch(line.rstrip())):
            is_document = re.match(r"# newdoc\b", line) is not None
            yield _Line(number, "document" if is_document else "comment", line)
        else:
            yield _Line(number, "word", line, _cells(line))


def _without_sources(lines: list[_Line]) -> list[_Line]:
    """GermEval's lines that name a sentence's source, `#`, address and date, as comments: its other lines have an index."""
    others = [line.cells for line in lines if line.kind == "word" and line.cells[0] != "#"]
    if not others or not all(len(cells) > 2 and _is_index(cells[0]) for cells in others):
        return lines
    return [line._replace(kind="comment") if line.cells[:1] == ["#"] else line for line in lines]


def _cells(line: str) -> list[str]:
    """The cells of a line: apart by tabs, else by blanks. The word, which is first, may be empty."""
    if "\t" in line:
        return line.split("\t")
    word, *others = line.rstrip(" ").split(" ")
    return [word, *filter(None, others)]


def _find_layout(lines: Sequence[_Line], words: Sequence[_Line], kind: Kind, path: Path) -> _Layout:
    """The layout of a file.

    Raises:
        XlqaError: a line of one column, lines of different numbers of columns, no tags, or tags that cannot be told apart.
    """
    if single := next((line for line in words if len(line.cells) == 1), None):
        raise XlqaError(
            f"{path}, line {single.number}: one column, {plain(single.text, 40)!r}, where a word and its tag belong: "
            + (STRIPPED if all(len(line.cells) == 1 for line in words) else "add the tag or remove the line.")
        )
    width, count = Counter(len(line.cells) for line in words).most_common(1)[0]
    if count < MOSTLY * len(words):
        other = next(line for line in words if len(line.cells) != width)
        raise XlqaError(
            f"{path}, line {other.number}: {len(other.cells)} columns, {plain(other.text, 40)!r}, where other lines have "
            f"{width}: expected one word and its tag a line."
        )
    if not _is_indexed(lines, width):
        return _Layout("columns", width)
    if width == 2:
        raise XlqaError(f"{path}, line {words[0].number}: an index and a word, but no tag: add a column of tags.")
    if width >= CONLLU_COLUMNS:
        if kind == "ner":
            first = next(line.number for line in words if line.cells[0].isdigit())
            raise XlqaError(f"{path}, line {first}: CoNLL-U has no entity tags: use --task pos, or another file.")
        return _Layout("CoNLL-U", width, 1, 3, indexed=True)
    name = "Universal NER columns" if width >= UNER_COLUMNS else "columns with an index"
    return _Layout(name, width, 1, _tag_column(words, width, kind, path), indexed=True)


def _is_indexed(lines: Sequence[_Line], width: int) -> bool:
    """Whether the first column counts the words: those of each sentence from 1 (or 0), or those of the whole file."""
    sentences = [[line.cells[0] for line in sentence] for sentence in _blocks(lines)]
    total = sum(map(len, sentences))
    if width >= CONLLU_COLUMNS:
        return sum(map(_is_index, chain.from_iterable(sentences))) >= MOSTLY * max(1, total)
    good, start = 0, 0 if sentences and sentences[0][:1] == ["0"] else 1
    before = start - 1
    for sentence in sentences:
        is_first = True
        for cell in sentence:
            if cell.isdecimal() and len(cell) < 10:
                good += int(cell) == before + 1 or (is_first and int(cell) == start)
                before, is_first = int(cell), False
            else:
                good += _is_index(cell)
    needed = MOSTLY if width >= UNER_COLUMNS else 1.0
    return good >= needed * max(1, total) and (width > 2 or max(map(len, sentences)) > 1)


def _is_index(cell: str) -> bool:
    return _INDEX.fullmatch(cell) is not None


def _blocks(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """The lines of words of each sentence."""
    for is_word, block in groupby((line for line in lines if line.kind != "comment"), lambda line: line.kind == "word"):
        if is_word:
            yield list(block)


def _tag_column(words: Sequence[_Line], width: int, kind: Kind, path: Path) -> int:
    """Which column after an index and a word has the tags: of several columns of entity tags the one beside the word.

    Raises:
        XlqaError: no column, or several, can be the tags.
    """
    cells = [line.cells for line in words if len(line.cells) == width and line.cells[0].isdigit()]

    def fits(tag: str) -> bool:
        return tag in UPOS if kind == "pos" else complaint(tag) is None

    fitting = [at for at in range(2, width) if sum(fits(row[at].strip()) for row in cells) >= MOSTLY * len(cells)]
    if width == 3 or 2 in fitting or (width >= UNER_COLUMNS and not fitting):
        return 2
    if len(fitting) == 1:
        return fitting[0]
    found = "several columns" if fitting else "no column"
    raise XlqaError(
        f"{path}, line {words[0].number}: an index, a word, and {found} that can be the tags: keep index, word and tag."
    )


class _Reader:
    """Takes the lines of a file one by one; `found` has the sentences that ended."""

    def __init__(self, layout: _Layout) -> None:
        self.layout = layout
        self.found: list[RawSentence] = []
        self._id = self._document = self._broken = ""
        self._words: list[tuple[int, str, str]] = []

    def take(self, line: _Line) -> None:
        """Read a line. A blank line ends a sentence, and so do the marks of a new document and a new sentence's id."""
        if line.kind == "word":
            self._take_word(line)
            return
        key, _, value = (part.strip() for part in line.text.removeprefix("#").partition("="))
        if line.kind != "comment" or key == "sent_id":
            self.end()
        if line.kind == "blank":
            self._id = ""
        if line.kind == "document":
            # A document that the file does not name is none: its sentences are as those of a file without documents.
            named = value if key == "newdoc id" else ""
            self._document = named if key.startswith("newdoc") else f"document at line {line.number}"
        elif key == "sent_id":
            self._id = value

    def _take_word(self, line: _Line) -> None:
        layout, cells = self.layout, line.cells
        if layout.indexed and _is_index(cells[0]) and not cells[0].isdigit():
            return  # a range or an empty node of CoNLL-U
        if len(cells) != layout.width:
            wrong = f"{len(cells)} columns where other lines have {layout.width}"
            self._add(line.number, cells[0], "", wrong)
        elif layout.indexed and not _is_index(cells[0]):
            self._add(line.number, cells[0], "", f"{plain(cells[0], 40)!r} where the number of a word belongs")
        else:
            word, tag = cells[layout.word], cells[layout.tag].strip()
            self._add(line.number, word, tag, f"{plain(word, 40)!r} has no tag" if tag in ("", "_") else "")

    def _add(self, number: int, word: str, tag: str, wrong: str) -> None:
        self._words.append((number, word, tag))
        self._broken = self._broken or wrong

    def end(self) -> None:
        """End the sentence that was begun."""
        if self._words:
            lines, words, tags = zip(*self._words, strict=True)
            self.found.append(RawSentence(lines, words, tags, self._id, self._document, self._broken))
            self._words, self._id, self._broken = [], "", ""
