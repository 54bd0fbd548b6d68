"""Reads labelled sentences and sentence pairs: TSV, CSV, JSON lines and Parquet, of XNLI, PAWS-X, SIB-200 and the like.

Columns are found by their names where a file has a header. Without one they are those of XTREME's files: for pairs the two
sentences and the label, for single sentences the sentence and the label.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import hash_context
from xlqa.tasks.annotations import with_choice
from xlqa.tasks.base import Dataset
from xlqa.tasks.ids import unique_ids
from xlqa.tasks.jsonrows import is_json, json_objects, place_in
from xlqa.tasks.parquet import is_parquet, read_parquet
from xlqa.util.compression import read_text
from xlqa.util.text import LONE_SURROGATE, has_surrogates, plain, without_surrogates

FIRST = ("premise", "sentence1", "text1", "text", "sentence", "review", "content")
SECOND = ("hypothesis", "sentence2", "text2")
LABEL = ("gold_label", "label", "category", "topic", "sentiment", "class")
ID = ("pairid", "id", "index_id", "guid", "idx")
LANGUAGE = ("language", "lang")

NO_CONSENSUS = "-"
"""The label of an NLI pair whose annotators did not agree: such pairs are left out, as everywhere (Bowman et al. 2015)."""

UNTRANSLATED = "NS"
"""The text of a sentence that PAWS-X's translators could not translate; the pair stays, as in XTREME's scores."""

WITHOUT_CONSENSUS, WITH_UNTRANSLATED = (
    "pair without a consensus label (left out)",
    "pair with an untranslated sentence (kept)",
)

MOST_REFUSALS = 10


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A sentence or a pair of sentences with its label.

    Attributes:
        id: unique within its file: the file's own, or the number of the example from 1.
        first: the sentence, or the premise; second: the hypothesis or other sentence of a pair, "" for single sentences.
        group: a hash of `first`: pairs with one premise are one group, and so are equal sentences.
    """

    id: str
    first: str
    second: str
    label: str
    group: str


@dataclass(frozen=True, slots=True)
class TextKind:
    """What a task's files hold.

    Attributes:
        pairs: whether an example is two sentences.
        labels: the task's labels, or () where the data decides.
        numbers: what a label that is a number means on the Hugging Face hub, or () where it is its own name.
    """

    pairs: bool
    labels: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


KINDS = {
    "nli": TextKind(
        True, ("contradiction", "entailment", "neutral"), numbers=("entailment", "neutral", "contradiction")
    ),
    "paraphrase": TextKind(True, ("0", "1")),
    "topic": TextKind(False),
    "sentiment": TextKind(False),
}


def read_texts(path: Path, task: str, *, language: str = "", skip_bad: bool = False) -> Dataset[LabelledText]:
    """Read the labelled texts of a file.

    Args:
        task: a key of KINDS.
        language: where the file has a language column, only its rows are read.
        skip_bad: leave out examples that cannot be used.

    Raises:
        XlqaError: the file cannot be read, or has examples that cannot be used (and not `skip_bad`).
    """
    kind, repairs = KINDS[task], Counter[str]()
    content, found, rows = _read_rows(path, kind)
    examples: list[LabelledText] = []
    refused: list[str] = []
    places: dict[str, list[int]] = {}
    for number, row in rows:
        if any(map(has_surrogates, row.values())):
            places.setdefault(LONE_SURROGATE, []).append(number)
            row = {name: without_surrogates(cell) for name, cell in row.items()}
        if language and row.get("language", language) != language:
            continue
        if row["label"] == NO_CONSENSUS:
            places.setdefault(WITHOUT_CONSENSUS, []).append(number)
            continue
        example = _example(row, kind, len(examples) + 1)
        if kind.pairs and UNTRANSLATED in (example.first, example.second):
            places.setdefault(WITH_UNTRANSLATED, []).append(number)
        if complaint := _complaint(example, kind):
            refused.append(f"{place_in(found, number)}: {complaint}.")
        else:
            examples.append(example)
    if refused and not skip_bad:
        more = [f"{path}: {len(refused) - MOST_REFUSALS:,} more."] if len(refused) > MOST_REFUSALS else []
        hint = f"{path}: repair {len(refused):,} of {len(refused) + len(examples):,} examples, or leave them out with --skip-bad."
        raise ManyErrors([*(f"{path}, {line}" for line in refused[:MOST_REFUSALS]), *more, hint])
    if refused and not examples:
        raise XlqaError(
            f"{path}, {refused[0]} Nothing else in the file can be used (examples refused: {len(refused):,})."
        )
    if not examples:
        raise XlqaError(
            f"{path}: holds no labelled {'pair of sentences' if kind.pairs else 'sentence'} that can be used."
        )
    for name, lines in places.items():
        repairs[name] += len(lines)
    unique = unique_ids(examples, repairs)
    return Dataset(
        unique, hashlib.sha256(content).hexdigest(), dict(repairs), len(refused), format=found, refusals=tuple(refused),
        repaired_at={name: tuple(lines) for name, lines in places.items()},
    )  # fmt: skip


Rows = Iterator[tuple[int, dict[str, str]]]
"""Line number and `first`, `second`, `label`, and where there are any `id` and `language`, of each example."""


def _read_rows(path: Path, kind: TextKind) -> tuple[bytes, str, Rows]:
    """The bytes of a file, its format in a few words, and its rows."""
    if is_parquet(path):
        content, rows = read_parquet(path)
        return (
            content,
            "Parquet",
            (_named_cells(row, kind, path, at, "Parquet") for at, row in enumerate(rows, start=1)),
        )
    content, text = read_text(path, "labelled sentences")
    if is_json(text):
        objects = json_objects(text, path, "a text and a label")
        name = "JSON" if text.lstrip()[0] == "[" else "JSON lines"
        return content, name, (_named_cells(with_choice(row), kind, path, number, name) for number, row in objects)
    return content, "TSV" if "\t" in text.partition("\n")[0] else "CSV", _table_rows(text, kind, path)


def _named_cells(
    row: dict[str, Any], kind: TextKind, path: Path, number: int, found: str
) -> tuple[int, dict[str, str]]:
    """The columns of a row that matter, by their meaning."""
    cells = {key.lower(): value for key, value in row.items() if isinstance(value, str | int)}
    columns = _find_columns(list(cells), kind, path, place_in(found, number))
    return number, {name: str(cells[key]) for name, key in columns.items()}


def _table_rows(text: str, kind: TextKind, path: Path) -> Rows:
    lines = _cells(text, path)
    _, first = next(lines, (0, []))
    if len(first) == 1 and ";" in first[0]:
        raise XlqaError(f"{path}, line 1: semicolons between the columns: save the table with tabs or commas.")
    header = [cell.strip().lower() for cell in first]
    if set(header) & set(LABEL):
        places = {name: header.index(key) for name, key in _find_columns(header, kind, path, "line 1").items()}
        width = len(header)
    else:
        width = 3 if kind.pairs else 2
        names = ("first", "second", "label") if kind.pairs else ("first", "label")
        places = {name: at for at, name in enumerate(names)}
        lines = _cells(text, path)
    for number, cells in lines:
        if len(cells) != width:
            found = f"{len(cells)} column{'s' if len(cells) != 1 else ''}, expected {width}"
            end = ": were the labels of this file stripped?" if len(cells) == width - 1 else "."
            raise XlqaError(f"{path}, line {number}: {found}{end}")
        yield number, {name: cells[at] for name, at in places.items()}


def _cells(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each line that is not empty: separated by tabs where the first line has any, else by commas."""
    if "\t" in text.partition("\n")[0]:
        for number, line in enumerate(text.split("\n"), start=1):
            if line:
                yield number, [_unquoted(cell) for cell in line.split("\t")]
        return
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise XlqaError(f"{path}, line {reader.line_num}: not separated by tabs or commas ({error}).") from error


def _unquoted(cell: str) -> str:
    """A cell without the quotes that a spreadsheet put around it; a quotation within a line of text stays as it is."""
    inner = cell[1:-1]
    quoted = len(cell) >= 2 and cell[0] == cell[-1] == '"' and inner.replace('""', "").count('"') == 0
    return inner.replace('""', '"') if quoted and '""' in inner else cell


def _find_columns(header: list[str], kind: TextKind, path: Path, place: str) -> dict[str, str]:
    """The names of the columns that matter, by their meaning.

    Raises:
        XlqaError: a text or the label is missing.
    """
    wanted = {"first": FIRST, "label": LABEL, "id": ID, "language": LANGUAGE} | (
        {"second": SECOND} if kind.pairs else {}
    )
    found = {name: key for name, keys in wanted.items() if (key := next((k for k in keys if k in header), None))}
    for name in ("first", "second") if kind.pairs else ("first",):
        if name not in found:
            raise XlqaError(
                f"{path}, {place}: no text among {plain(', '.join(header), 80)}: name it {wanted[name][0]}."
            )
    if "label" not in found:
        names = plain(", ".join(header), 80)
        raise XlqaError(f"{path}, {place}: no label among {names}: were the labels of this file stripped?")
    return found


def _example(row: Mapping[str, str], kind: TextKind, number: int) -> LabelledText:
    first, second, label = row["first"].strip(), row.get("second", "").strip(), row["label"].strip()
    if kind.numbers and label.isdecimal() and int(label) < len(kind.numbers):
        label = kind.numbers[int(label)]
    return LabelledText(row.get("id") or str(number), first, second, label, hash_context(first))


def _complaint(example: LabelledText, kind: TextKind) -> str:
    if not example.first or (kind.pairs and not example.second):
        return "an empty sentence"
    if not example.label:
        return "no label"
    if kind.labels and example.label not in kind.labels:
        return f"the label {plain(example.label, 40)!r} is none of {', '.join(kind.labels)}"
    return ""
