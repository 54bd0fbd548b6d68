"""Reads labelled sentences and sentence pairs: TSV, CSV, JSON lines and Parquet, of XNLI, PAWS-X, SIB-200 and the like.

Columns are found by their names where a file has a header. Without one they are those of XTREME's files: for pairs the two
sentences and the label, for single sentences the sentence and the label.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
from xlqa.util.csvfile import csv_lines
from xlqa.util.languages import is_language
from xlqa.util.text import LONE_SURROGATE, has_surrogates, plain, without_surrogates

FIRST = ("premise", "sentence1", "text1", "text", "sentence", "review", "content")
PAIRED, SINGLE = FIRST[:3], FIRST[3:]
"""Names of the first sentence of a pair, and of a sentence alone."""

SECOND = ("hypothesis", "hypo", "sentence2", "text2")
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
_NUMBER = re.compile(r"(-?[0-9]+(\.[0-9]+)?)?")


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
        spellings: other words for the labels.
        without_consensus: labels of pairs that are left out.
    """

    pairs: bool
    labels: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    spellings: Mapping[str, str] = field(default_factory=dict)
    without_consensus: tuple[str, ...] = (NO_CONSENSUS,)


KINDS = {
    "nli": TextKind(
        True,
        ("contradiction", "entailment", "neutral"),
        numbers=("entailment", "neutral", "contradiction"),
        spellings={"contradictory": "contradiction"},  # XNLI's machine-translated train part
        without_consensus=(NO_CONSENSUS, "-1"),  # SNLI on the hub
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
    sieve = _Sieve(kind, language, found)
    for number, row in rows:
        sieve.take(number, row)
    examples, refused, others = sieve.examples, sieve.refused, sieve.others
    if refused and not skip_bad:
        more = [f"{path}: {len(refused) - MOST_REFUSALS:,} more."] if len(refused) > MOST_REFUSALS else []
        hint = f"{path}: repair {len(refused):,} of {len(refused) + len(examples):,} examples, or leave them out with --skip-bad."
        raise ManyErrors([*(f"{path}, {line}" for line in refused[:MOST_REFUSALS]), *more, hint])
    if refused and not examples:
        raise XlqaError(
            f"{path}, {refused[0]} Nothing else in the file can be used (examples refused: {len(refused):,})."
        )
    if not examples and others:
        names = ", ".join(plain(name, 20) or '""' for name in sorted(others)[:MOST_REFUSALS])
        raise XlqaError(f'{path}: has no example in "{language}", but in {names}.')
    if not examples:
        raise XlqaError(
            f"{path}: holds no labelled {'pair of sentences' if kind.pairs else 'sentence'} that can be used."
        )
    for name, lines in sieve.places.items():
        repairs[name] += len(lines)
    unique = unique_ids(examples, repairs)
    return Dataset(
        unique, hashlib.sha256(content).hexdigest(), dict(repairs), len(refused), format=found, refusals=tuple(refused),
        repaired_at={name: tuple(lines) for name, lines in sieve.places.items()}, other_languages=others.total(),
    )  # fmt: skip


class _Sieve:
    """Takes the rows of a file one by one.

    Attributes:
        found: the file's format in a few words.
        examples, refused: what can be used, and why other rows cannot.
        others: rows in other languages, by what the file calls these.
        places: kind of repair -> lines.
    """

    def __init__(self, kind: TextKind, language: str, found: str) -> None:
        self.kind, self.language, self.found = kind, language, found
        self.examples: list[LabelledText] = []
        self.refused: list[str] = []
        self.others: Counter[str] = Counter()
        self.places: dict[str, list[int]] = {}
        self._wanted: dict[str, bool] = {}

    def take(self, number: int, row: Mapping[str, str]) -> None:
        """Read a row, which is at a line of the file."""
        named = row.get("language")
        if self.language and named is not None and not self._is_wanted(named):
            self.others[named] += 1
            return
        if any(map(has_surrogates, row.values())):
            self._note(LONE_SURROGATE, number)
            row = {name: without_surrogates(cell) for name, cell in row.items()}
        example = _example(row, self.kind, len(self.examples) + 1)
        if example.label in self.kind.without_consensus:
            self._note(WITHOUT_CONSENSUS, number)
            return
        if self.kind.pairs and UNTRANSLATED in (example.first, example.second):
            self._note(WITH_UNTRANSLATED, number)
        if complaint := _complaint(example, self.kind):
            self.refused.append(f"{place_in(self.found, number)}: {complaint}.")
        else:
            self.examples.append(example)

    def _is_wanted(self, named: str) -> bool:
        if named not in self._wanted:
            self._wanted[named] = named == self.language or is_language(named, self.language)
        return self._wanted[named]

    def _note(self, repair: str, number: int) -> None:
        self.places.setdefault(repair, []).append(number)


Rows = Iterator[tuple[int, dict[str, str]]]
"""Line number and `first`, `second`, `label`, and where there are any `id` and `language`, of each example."""


def _read_rows(path: Path, kind: TextKind) -> tuple[bytes, str, Rows]:
    """The bytes of a file, its format in a few words, and its rows."""
    if is_parquet(path):
        content, rows = read_parquet(path)
        return content, "Parquet", _object_rows(enumerate(rows, start=1), kind, path, "Parquet")
    content, text = read_text(path, "labelled sentences")
    if is_json(text):
        objects = json_objects(text, path, "a text and a label")
        name = "JSON" if text.lstrip()[0] == "[" else "JSON lines"
        return content, name, _object_rows(((number, with_choice(row)) for number, row in objects), kind, path, name)
    return content, "TSV" if "\t" in text.partition("\n")[0] else "CSV", _table_rows(text, kind, path)


def named_rows(path: Path, names: Iterable[str]) -> Iterator[Any] | None:
    """The rows of a file by its own names; None for a table whose first row is neither `names` nor a usual header."""
    if is_parquet(path):
        return iter(read_parquet(path)[1])
    _, text = read_text(path, "labelled sentences")
    if is_json(text):
        return (with_choice(row) for _, row in json_objects(text, path, "a text and a label"))
    lines = _cells(text, path)
    header = [cell.strip() for cell in next(lines, (0, []))[1]]
    if not set(names) & set(header) and not _is_header([cell.lower() for cell in header]):
        return None
    return (dict(zip(header, _whole(cells, len(header), path, number), strict=True)) for number, cells in lines)


def _object_rows(objects: Iterable[tuple[int, dict[str, Any]]], kind: TextKind, path: Path, form: str) -> Rows:
    """The columns of each object that matter, by their meaning; "" for a text or label that is null or absent.

    Raises:
        XlqaError: no object of the file has a text or a label.
    """
    rows = [(number, _by_rank(row)) for number, row in objects]
    if rows:
        names = dict.fromkeys(name for _, ranks in rows for cells in ranks for name in cells)
        _find_columns(list(names), kind, path, place_in(form, rows[0][0]))
    wanted = _names_by_meaning(kind)
    for number, (values, *others) in rows:
        found = {}
        for meaning, keys in wanted.items():
            cells = next((cells for cells in (values, *others) if set(keys) & cells.keys()), values)
            name = next((key for key in keys if key in cells), "")
            if meaning in ("first", "second", "label") or name in values:
                found[meaning] = cells.get(name, "")
        yield number, found


def _by_rank(row: dict[str, Any]) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """The cells of an object as text: texts and whole numbers, other numbers, and nulls. The first decide."""
    values: dict[str, str] = {}
    decimals: dict[str, str] = {}
    nulls: dict[str, str] = {}
    for key, value in row.items():
        if isinstance(value, str | int):
            values[key.lower()] = str(value)
        elif value is None or value != value:
            nulls[key.lower()] = ""
        elif isinstance(value, float):
            decimals[key.lower()] = str(int(value)) if value.is_integer() else str(value)
    return values, decimals, nulls


def _table_rows(text: str, kind: TextKind, path: Path) -> Rows:
    lines = _cells(text, path)
    _, first = next(lines, (0, []))
    if len(first) == 1 and ";" in first[0]:
        raise XlqaError(f"{path}, line 1: semicolons between the columns: save the table with tabs or commas.")
    header = [cell.strip().lower() for cell in first]
    if _is_header(header):
        places = {name: header.index(key) for name, key in _find_columns(header, kind, path, "line 1").items()}
        width = len(header)
    else:
        width = 3 if kind.pairs else 2
        names = ("first", "second", "label") if kind.pairs else ("first", "label")
        places = {name: at for at, name in enumerate(names)}
        lines = _cells(text, path)
    for number, cells in lines:
        cells = _whole(cells, width, path, number)
        yield number, {name: cells[at] for name, at in places.items()}


def _whole(cells: list[str], width: int, path: Path, number: int) -> list[str]:
    """The cells of a line.

    Raises:
        XlqaError: there are more or fewer than the table has columns.
    """
    if len(cells) != width:
        found = f"{len(cells)} column{'s' if len(cells) != 1 else ''}, expected {width}"
        end = ": were the labels of this file stripped?" if len(cells) == width - 1 else "."
        raise XlqaError(f"{path}, line {number}: {found}{end}")
    return cells


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a first row names columns: one is named as a text or a label, alone or as in review_text."""
    known = {*FIRST, *SECOND, *LABEL}
    return any(cell in known or ("_" in cell and not known.isdisjoint(cell.split("_"))) for cell in cells)


def _cells(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each line that is not empty: separated by tabs where the first line has any, else by commas."""
    if "\t" in text.partition("\n")[0]:
        rows = [(number, line.split("\t")) for number, line in enumerate(text.split("\n"), start=1) if line]
        is_quoted = all(_is_quoted(cell) or _NUMBER.fullmatch(cell) for _, cells in rows for cell in cells)
        for number, cells in rows:
            yield number, [_unquoted(cell, every=is_quoted) for cell in cells]
        return
    reader = csv.reader(csv_lines(text), strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise XlqaError(f"{path}, line {reader.line_num}: not separated by tabs or commas ({error}).") from error


def _is_quoted(cell: str) -> bool:
    """Whether quotes are around a cell, in which others are doubled."""
    return len(cell) >= 2 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', "")


def _unquoted(cell: str, every: bool) -> str:
    """A cell without the quotes that a spreadsheet put around it; a quotation within a line of text stays as it is.

    Args:
        every: whether all cells of the table have quotes, so that they are none of the text.
    """
    inner = cell[1:-1]
    return inner.replace('""', '"') if _is_quoted(cell) and (every or '""' in inner) else cell


def _names_by_meaning(kind: TextKind) -> dict[str, tuple[str, ...]]:
    """Names of the columns that matter."""
    names = {"first": FIRST, "label": LABEL, "id": ID, "language": LANGUAGE}
    return names | ({"second": SECOND} if kind.pairs else {})


def _find_columns(header: list[str], kind: TextKind, path: Path, place: str) -> dict[str, str]:
    """The names of the columns that matter, by their meaning.

    Raises:
        XlqaError: a text or the label is missing.
    """
    wanted = _names_by_meaning(kind)
    found = {name: key for name, keys in wanted.items() if (key := next((k for k in keys if k in header), None))}
    names = plain(", ".join(header), 80)
    if kind.pairs and "first" in found and "second" not in found and found["first"] in SINGLE:
        wants = "needs the columns premise, hypothesis (or sentence1, sentence2) and label"
        raise XlqaError(f"{path}, {place}: a sentence pair {wants}; the file has {names}: name them with --columns.")
    second = next((name for name in SECOND if name in header), "")
    if not kind.pairs and second and found.get("first") in PAIRED:
        fitting = "--task nli" if second in ("hypothesis", "hypo") else "--task nli or --task paraphrase"
        raise XlqaError(
            f"{path}, {place}: pairs of sentences ({found['first']}, {second}): use {fitting}, or name the column to read "
            "with --columns text=NAME."
        )
    for name in ("first", "second") if kind.pairs else ("first",):
        if name not in found:
            raise XlqaError(
                f"{path}, {place}: no text among {names}: name it "
                f"{wanted[name][0] if kind.pairs else 'text'}, or name it with --columns."
            )
    if "label" not in found:
        end = "were the labels of this file stripped? If one of them is the label, name it label, or with --columns."
        raise XlqaError(f"{path}, {place}: no label among {names}: {end}")
    return found


def _example(row: Mapping[str, str], kind: TextKind, number: int) -> LabelledText:
    first, second, label = row["first"].strip(), row.get("second", "").strip(), row["label"].strip()
    if kind.labels and re.fullmatch(r"-?[0-9]\.0", label):  # a column of numbers with gaps, as pandas writes it
        label = label[:-2]
    if kind.numbers and label.isdecimal() and int(label) < len(kind.numbers):
        label = kind.numbers[int(label)]
    label = kind.spellings.get(label, label)
    return LabelledText(row.get("id") or str(number), first, second, label, hash_context(first))


def _complaint(example: LabelledText, kind: TextKind) -> str:
    if not example.first or (kind.pairs and not example.second):
        return "an empty sentence"
    if not example.label:
        return "no label"
    if kind.labels and example.label not in kind.labels:
        return f"the label {plain(example.label, 40)!r} is none of {', '.join(kind.labels)}"
    return ""
