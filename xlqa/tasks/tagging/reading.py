"""Reads sentences of tagged words: columns (CoNLL, PAN-X, WikiAnn, MasakhaNER), CoNLL-U, Universal NER, JSON lines, Parquet.

Columns: one word a line, its tag last, a blank line between sentences. Files are told apart by their content.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import hash_context
from xlqa.tasks.annotations import tool_of
from xlqa.tasks.base import Dataset
from xlqa.tasks.ids import unique_ids
from xlqa.tasks.jsonrows import is_json, json_objects, place_in
from xlqa.tasks.parquet import is_parquet, read_parquet
from xlqa.tasks.tagging.columns import Kind, RawSentence, read_columns
from xlqa.tasks.tagging.schemes import OUTSIDE, Scheme, complaint, find_scheme, to_iob2
from xlqa.util.compression import read_text
from xlqa.util.text import LONE_SURROGATE, has_surrogates, without_surrogates

WORD_KEYS = ("tokens", "words")
TAG_KEYS = {"ner": ("ner_tags", "tags", "labels"), "pos": ("upos", "pos_tags", "tags", "labels")}
"""Names under which JSON lines hold the tags of a task."""

INTEGER_TAGS = (OUTSIDE, "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
"""What the numbers 0 to 6 mean in WikiAnn, CoNLL-2003 and MasakhaNER on the Hugging Face hub; beyond them the sets differ."""

UNBEGUN = "continued entity without a beginning"
"""The repair of a tag that continues an entity which never began."""

MOST_REFUSALS = 10
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
    sentences = unique_ids([_sentence(row, number) for number, row in enumerate(good, start=1)], repairs)
    return Dataset(
        sentences, hashlib.sha256(content).hexdigest(), dict(repairs), len(bad), format=found,
        refusals=tuple(row.refusal(found) for row in bad), repaired_at=places,
    )  # fmt: skip


def _read_rows(path: Path, kind: Kind) -> tuple[bytes, str, list[RawSentence]]:
    """The bytes of a file, its format in a few words, and its sentences."""
    if is_parquet(path):
        content, table = read_parquet(path)
        return content, "Parquet", _object_rows(enumerate(table, start=1), kind, path, "Parquet")
    content, text = read_text(path, "tagged sentences")
    if is_json(text):
        rows = json_objects(text, path, "tokens and tags")
        name = "JSON" if text.lstrip()[0] == "[" else "JSON lines"
        return content, name, _object_rows(rows, kind, path, name)
    return content, *read_columns(text, kind, path)


def named_rows(path: Path) -> Iterator[Any] | None:
    """The rows of a Parquet or JSON file by their own names; None for columns, which have no names."""
    if is_parquet(path):
        return iter(read_parquet(path)[1])
    _, text = read_text(path, "tagged sentences")
    return (row for _, row in json_objects(text, path, "tokens and tags")) if is_json(text) else None


def _object_rows(rows: Iterable[tuple[int, dict[str, Any]]], kind: Kind, path: Path, name: str) -> list[RawSentence]:
    """Sentences from objects with tokens and tags; `name` is the file's format."""
    found = [(number, row, *_words_and_tags(row, kind, f"{path}, {place_in(name, number)}")) for number, row in rows]
    # A number beyond the known ones shows another set of tags, in which the lower numbers have other names, too.
    known = kind == "ner" and all(
        tag < len(INTEGER_TAGS) for *_, tags in found for tag in tags if isinstance(tag, int) and tag is not True
    )
    return [_json_row(*row, INTEGER_TAGS if known else ()) for row in found]


def _words_and_tags(row: dict[str, Any], kind: Kind, place: str) -> tuple[list[Any], list[Any]]:
    words = next((row[key] for key in WORD_KEYS if key in row), None)
    tags = next((row[key] for key in TAG_KEYS[kind] if key in row), None)
    if not isinstance(words, list) or not isinstance(tags, list):
        keys = ", ".join(TAG_KEYS[kind])
        if tool_of(row):
            raise XlqaError(f"{place}: marks characters, not words: export it from Label Studio as CONLL2003.")
        raise XlqaError(f"{place}: has no list under tokens (or words) and {keys}: name others with --columns.")
    return words, tags


def _json_row(number: int, row: dict[str, Any], words: list[Any], tags: list[Any], names: Sequence[str]) -> RawSentence:
    """A sentence from its words and tags; `names` are those of tags that are numbers."""
    wrong = ""
    if len(words) != len(tags):
        wrong = f"{len(words)} tokens and {len(tags)} tags"
    elif not words:
        wrong = "a sentence without words"
    elif not all(isinstance(word, str) for word in words):
        wrong = "a token that is not text"
    elif all(isinstance(tag, int) and not isinstance(tag, bool) for tag in tags):
        if all(0 <= tag < len(names) for tag in tags):
            tags = [names[tag] for tag in tags]
        else:
            wrong = "tags are numbers whose names this file does not hold: write them as text, such as B-PER or NOUN"
    elif not all(isinstance(tag, str) and tag.strip() for tag in tags):
        wrong = "a tag that is not text"
    texts = tuple(map(str, words)), tuple(map(str, tags))
    return RawSentence((number,), *texts, _text(row.get("id")), _text(row.get("document")), wrong)


def _text(value: Any) -> str:
    """A value as text; "" for null, and for the not-a-number that pandas writes for it."""
    return "" if value is None or value != value else str(value)


def _without_surrogates(row: RawSentence, repairs: Counter[str]) -> RawSentence:
    if not has_surrogates("".join((*row.words, *row.tags, row.id, row.document))):
        return row
    repairs[LONE_SURROGATE] += 1
    words, tags = (tuple(map(without_surrogates, texts)) for texts in (row.words, row.tags))
    identity, document = without_surrogates(row.id), without_surrogates(row.document)
    return replace(row, words=words, tags=tags, id=identity, document=document)


def _strip_prefix(rows: list[RawSentence], repairs: Counter[str]) -> list[RawSentence]:
    """Without the language that WikiAnn's own files put before every word ("ru:Москва")."""
    first = next((_PREFIX.match(word) for row in rows for word in row.words), None)
    if first is None or not all(word.startswith(first.group()) for row in rows for word in row.words):
        return rows
    repairs[f"prefix {first.group()} before every word"] += len(rows)
    size = len(first.group())
    return [replace(row, words=tuple(word[size:] for word in row.words)) for row in rows]


def _wrong_tag(row: RawSentence) -> str:
    return next((wrong for tag in row.tags if (wrong := complaint(tag))), "")


def _in_iob2(
    rows: Sequence[RawSentence], scheme: Scheme, path: Path, repairs: Counter[str]
) -> tuple[list[RawSentence], dict[str, tuple[int, ...]]]:
    """The sentences in IOB2, and the lines that were repaired."""
    if all(tag == OUTSIDE for row in rows for tag in row.tags):
        raise XlqaError(
            f"{path}: no word is part of an entity: were the labels of this file stripped? Take another file."
        )
    if scheme != "IOB2":
        repairs[f"sentence converted from {scheme}"] += len(rows)
    found: list[RawSentence] = []
    lines: list[int] = []
    for row in rows:
        tags, repaired = to_iob2(row.tags, scheme)
        lines += map(row.line_of, repaired)
        found.append(replace(row, tags=tags))
    if lines:
        repairs[UNBEGUN] += len(lines)
    return found, {UNBEGUN: tuple(lines)} if lines else {}


def _sentence(row: RawSentence, number: int) -> Sentence:
    group = f"document {row.document}" if row.document else hash_context(" ".join(row.words))
    return Sentence(row.id or str(number), row.words, row.tags, group)
