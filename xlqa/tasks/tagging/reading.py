"""Reads sentences of tagged words: columns (CoNLL, PAN-X, WikiAnn, MasakhaNER), CoNLL-U, Universal NER, JSON lines, Parquet.

Columns: one word a line, its tag last, a blank line between sentences. Files are told apart by their content.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import hash_context
from xlqa.tasks.annotations import tool_of
from xlqa.tasks.base import Dataset
from xlqa.tasks.jsonrows import is_json, json_objects, place_in
from xlqa.tasks.parquet import is_parquet, read_parquet
from xlqa.tasks.tagging.schemes import OUTSIDE, Scheme, complaint, find_scheme, to_iob2
from xlqa.util.compression import read_text
from xlqa.util.text import LONE_SURROGATE, has_surrogates, plain, without_surrogates

Kind = Literal["ner", "pos"]

TAG_KEYS = {"ner": ("ner_tags", "tags", "labels"), "pos": ("upos", "pos_tags", "tags", "labels")}
"""Names under which JSON lines hold the tags of a task."""

INTEGER_TAGS = (OUTSIDE, "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
"""What the numbers 0 to 6 mean in WikiAnn, CoNLL-2003 and MasakhaNER on the Hugging Face hub; beyond them the sets differ."""

UNBEGUN = "continued entity without a beginning"
"""The repair of a tag that continues an entity which never began."""

MOST_REFUSALS = 10
_INDEX = re.compile(r"[0-9]+([-.][0-9]+)?")
_PREFIX = re.compile(r"[a-z][a-z-]{1,11}:")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of tagged words.

    Attributes:
        id: unique within its file: `# sent_id`, a JSON "id", or the sentence's number from 1.
        words, tags: as many of each; entity tags in IOB2.
        group: the document where the file names them, else a hash of the words: equal sentences are one group.
    """

    id: str
    words: tuple[str, ...]
    tags: tuple[str, ...]
    group: str


@dataclass(frozen=True, slots=True)
class _Raw:
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


def read_sentences(path: Path, kind: Kind, *, skip_bad: bool = False) -> Dataset[Sentence]:
    """Read the tagged sentences of a file.

    Args:
        kind: ner for entity tags, which are converted to IOB2; pos for parts of speech, which are taken as they are.
        skip_bad: leave out sentences that cannot be used.

    Raises:
        XlqaError: the file cannot be read, holds no tags, or has sentences that cannot be used (and not `skip_bad`).
    """
    repairs: Counter[str] = Counter()
    content, found, rows = _read_rows(path, kind)
    rows = _strip_prefix([_without_surrogates(row, repairs) for row in rows], repairs)
    if kind == "ner":
        rows = [row if row.broken else replace(row, broken=_wrong_tag(row)) for row in rows]
    bad = [row for row in rows if row.broken]
    if bad and not skip_bad:
        lines = [f"{path}, {row.refusal(found)}" for row in bad]
        more = [f"{path}: {len(bad) - MOST_REFUSALS:,} more."] if len(bad) > MOST_REFUSALS else []
        hint = [f"{path}: repair {len(bad):,} of {len(rows):,} sentences, or leave them out with --skip-bad."]
        raise ManyErrors([*lines[:MOST_REFUSALS], *more, *hint])
    good = [row for row in rows if not row.broken]
    if bad and all(tag == OUTSIDE for row in good for tag in row.tags):
        raise XlqaError(
            f"{path}, {bad[0].refusal(found)} Nothing else in the file can be used (sentences refused: {len(bad):,})."
        )
    if not good:
        raise XlqaError(f"{path}: holds no tagged sentence: expected one word and its tag a line, or JSON lines.")
    places: dict[str, tuple[int, ...]] = {}
    if kind == "ner":
        scheme = find_scheme(row.tags for row in good)
        found += f", {scheme}"
        good, places = _in_iob2(good, scheme, path, repairs)
    sentences = _unique_ids([_sentence(row, number) for number, row in enumerate(good, start=1)], repairs)
    return Dataset(
        sentences, hashlib.sha256(content).hexdigest(), dict(repairs), len(bad), format=found,
        refusals=tuple(row.refusal(found) for row in bad), repaired_at=places,
    )  # fmt: skip


def _read_rows(path: Path, kind: Kind) -> tuple[bytes, str, list[_Raw]]:
    """The bytes of a file, its format in a few words, and its sentences."""
    if is_parquet(path):
        content, table = read_parquet(path)
        return (
            content,
            "Parquet",
            [_object_row(number, row, kind, path, "Parquet") for number, row in enumerate(table, start=1)],
        )
    content, text = read_text(path, "tagged sentences")
    if is_json(text):
        rows = json_objects(text, path, "tokens and tags")
        name = "JSON" if text.lstrip()[0] == "[" else "JSON lines"
        return content, name, [_object_row(number, row, kind, path, name) for number, row in rows]
    return content, _column_format(text), list(_columns(text, kind, path))


def _column_format(text: str) -> str:
    """Which columns a file has, by its first line that is not a comment."""
    for line in text.split("\n"):
        cells = line.split("\t")
        if len(cells) >= 5 and _INDEX.fullmatch(cells[0]):
            return "CoNLL-U" if len(cells) >= 10 else "Universal NER columns"
        if line.strip() and not line.startswith(("#", "-DOCSTART-")):
            break
    return "columns"


def _columns(text: str, kind: Kind, path: Path) -> Iterator[_Raw]:
    """The sentences of a file of columns."""
    words: list[str] = []
    tags: list[str] = []
    lines: list[int] = []
    sent_id, document, broken = "", "", ""
    mark = "# " if "\t" in text else "# sent_id ="  # in columns apart by blanks "# SYM" is a word and its tag
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if not line.strip(" "):
            if words:
                yield _Raw(tuple(lines), tuple(words), tuple(tags), sent_id, document, broken)
            words, tags, lines, sent_id, broken = [], [], [], "", ""
        elif line.startswith(mark) and not words and "\t" not in line:
            key, _, value = line[2:].partition("=")
            sent_id = value.strip() if key.strip() == "sent_id" else sent_id
            document = value.strip() if key.strip() == "newdoc id" else document
        elif line.startswith("-DOCSTART-"):
            document = f"document at line {number}"
        elif (cell := _cell(line, kind, path, number)) is not None:
            lines.append(number)
            words.append(cell[0])
            tags.append(cell[1])
            if not cell[1].strip() or cell[1] == "_":
                broken = broken or f"{plain(cell[0], 40)!r} has no tag"


def _cell(line: str, kind: Kind, path: Path, number: int) -> tuple[str, str] | None:
    """The word and the tag of a line; None for a line that is no word (a range or an empty node of CoNLL-U)."""
    cells = line.split("\t") if "\t" in line else line.rstrip(" ").split(" ")
    if len(cells) >= 5 and _INDEX.fullmatch(cells[0]):
        if not cells[0].isdigit():
            return None
        if len(cells) < 10:
            return cells[1], cells[2]  # Universal NER: index, word, tag, two more
        if kind == "ner":
            raise XlqaError(f"{path}, line {number}: CoNLL-U has no entity tags: use --task pos, or another file.")
        return cells[1], cells[3]
    if len(cells) < 2:
        raise XlqaError(
            f"{path}, line {number}: one column, {plain(line, 40)!r}, where a word and its tag belong: were the labels of "
            "this file stripped? XTREME publishes its test parts so: take them from the hub's wikiann, or use the dev part."
        )
    return cells[0], cells[-1].strip()


def _object_row(number: int, row: dict[str, Any], kind: Kind, path: Path, found: str) -> _Raw:
    """A sentence from an object with tokens and tags."""
    words = next((row[key] for key in ("tokens", "words") if key in row), None)
    tags = next((row[key] for key in TAG_KEYS[kind] if key in row), None)
    if not isinstance(words, list) or not isinstance(tags, list):
        keys = ", ".join(TAG_KEYS[kind])
        if tool_of(row):
            raise XlqaError(f"{path}: marks characters, not words: export it from Label Studio as CONLL2003.")
        raise XlqaError(f"{path}, {place_in(found, number)}: has no list under tokens (or words) and {keys}.")
    return _json_row(number, row, words, tags, kind)


def _json_row(number: int, row: dict[str, Any], words: list[Any], tags: list[Any], kind: Kind) -> _Raw:
    wrong = ""
    if len(words) != len(tags):
        wrong = f"{len(words)} tokens and {len(tags)} tags"
    elif not words:
        wrong = "a sentence without words"
    elif not all(isinstance(word, str) for word in words):
        wrong = "a token that is not text"
    elif all(isinstance(tag, int) and not isinstance(tag, bool) for tag in tags):
        if kind == "ner" and all(0 <= tag < len(INTEGER_TAGS) for tag in tags):
            tags = [INTEGER_TAGS[tag] for tag in tags]
        else:
            wrong = "tags are numbers whose names this file does not hold: write them as text, such as B-PER or NOUN"
    elif not all(isinstance(tag, str) and tag.strip() for tag in tags):
        wrong = "a tag that is not text"
    texts = tuple(map(str, words)), tuple(map(str, tags))
    return _Raw((number,), *texts, str(row.get("id", "")), str(row.get("document", "")), wrong)


def _without_surrogates(row: _Raw, repairs: Counter[str]) -> _Raw:
    if not has_surrogates("".join((*row.words, *row.tags, row.id, row.document))):
        return row
    repairs[LONE_SURROGATE] += 1
    words, tags = (tuple(map(without_surrogates, texts)) for texts in (row.words, row.tags))
    identity, document = without_surrogates(row.id), without_surrogates(row.document)
    return replace(row, words=words, tags=tags, id=identity, document=document)


def _strip_prefix(rows: list[_Raw], repairs: Counter[str]) -> list[_Raw]:
    """Without the language that WikiAnn's own files put before every word ("ru:Москва")."""
    first = next((_PREFIX.match(word) for row in rows for word in row.words), None)
    if first is None or not all(word.startswith(first.group()) for row in rows for word in row.words):
        return rows
    repairs[f"prefix {first.group()} before every word"] += len(rows)
    size = len(first.group())
    return [replace(row, words=tuple(word[size:] for word in row.words)) for row in rows]


def _wrong_tag(row: _Raw) -> str:
    return next((wrong for tag in row.tags if (wrong := complaint(tag))), "")


def _in_iob2(
    rows: Sequence[_Raw], scheme: Scheme, path: Path, repairs: Counter[str]
) -> tuple[list[_Raw], dict[str, tuple[int, ...]]]:
    """The sentences in IOB2, and the lines that were repaired."""
    if all(tag == OUTSIDE for row in rows for tag in row.tags):
        raise XlqaError(
            f"{path}: no word is part of an entity: were the labels of this file stripped? Take another file."
        )
    if scheme != "IOB2":
        repairs[f"sentence converted from {scheme}"] += len(rows)
    found: list[_Raw] = []
    lines: list[int] = []
    for row in rows:
        tags, repaired = to_iob2(row.tags, scheme)
        lines += map(row.line_of, repaired)
        found.append(replace(row, tags=tags))
    if lines:
        repairs[UNBEGUN] += len(lines)
    return found, {UNBEGUN: tuple(lines)} if lines else {}


def _sentence(row: _Raw, number: int) -> Sentence:
    group = f"document {row.document}" if row.document else hash_context(" ".join(row.words))
    return Sentence(row.id or str(number), row.words, row.tags, group)


def _unique_ids(sentences: list[Sentence], repairs: Counter[str]) -> tuple[Sentence, ...]:
    """With a number after an id that an earlier sentence has."""
    seen: Counter[str] = Counter()
    found = []
    for sentence in sentences:
        seen[sentence.id] += 1
        if seen[sentence.id] > 1:
            repairs["id used twice"] += 1
            sentence = replace(sentence, id=f"{sentence.id}~{seen[sentence.id]}")
        found.append(sentence)
    return tuple(found)
