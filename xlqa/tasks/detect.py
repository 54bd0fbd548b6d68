"""Which task a data set is for: by its registered name, or by the beginning of its file."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import lzma
import re
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO, Any

from xlqa.data.cache import data_folder
from xlqa.data.registry import find_set, part_names
from xlqa.errors import XlqaError
from xlqa.tasks.annotations import with_choice
from xlqa.tasks.base import DEFAULT_TASK, TASKS
from xlqa.tasks.hub_sets import PREFIX, hub_set_path
from xlqa.tasks.parquet import first_row, is_parquet
from xlqa.tasks.sentences import reading as texts
from xlqa.tasks.shards import find_shards, read_rows
from xlqa.tasks.sources import sample_files
from xlqa.tasks.tagging.columns import UPOS
from xlqa.tasks.tagging.reading import TAG_KEYS

HEAD_BYTES = 1 << 16

TAG_LINES = 200
"""Lines that decide whether a file of columns has entity tags or parts of speech."""

LOOKS = {
    "ner": "named entities", "pos": "parts of speech", "nli": "natural language inference", "paraphrase": "paraphrases",
    "topic": "topics", "sentiment": "sentiment",
}  # fmt: skip
"""What a task's data is called in messages."""

MOSTLY = 0.5
"""Share of the lines of a file of columns that must have a tag; the reader names the lines without one."""

_ENTITY_TAG = re.compile(r"O|[BIESLU]-\S+")
_OPENERS: tuple[tuple[bytes, Any], ...] = (
    (b"\x1f\x8b", gzip.open), (b"\xfd7zXZ\x00", lzma.open), (b"BZh", bz2.open),
)  # fmt: skip

Names = Collection[str]


def find_task(name: str, data_dir: Path | None = None) -> str:
    """The task of a data set; question answering where nothing shows another.

    Args:
        name: a file or folder, a registered part, a part of the embedded sample, or a data set of the hub that is here;
            `ru=FILE` states a language.
        data_dir: as of `xlqa.tasks.sources.resolve`.

    Raises:
        XlqaError: the file fits several tasks.
    """
    path = hub_set_path(name, data_folder(data_dir)) if name.startswith(PREFIX) else Path(name).expanduser()
    if path.is_file():
        fitting = _fitting(path)
    elif shards := None if name in part_names() else find_shards(path):
        fitting = _of_row(next(read_rows(shards), None))
    else:
        stated, equals, rest = name.partition("=")
        return find_task(rest, data_dir) if equals and re.fullmatch("[a-z]{2,3}", stated) else _named_task(name)
    if len(fitting) > 1:
        options = " or ".join(f"--task {task}" for task in fitting)
        raise XlqaError(f"{path}: does not show its task: add {options}.")
    return fitting[0] if fitting else DEFAULT_TASK


def suggest_task(path: Path) -> str:
    """For a file that is not question answering data: what it looks like, and its --task; "" where nothing shows it."""
    fitting = _fitting(path)
    if not fitting:
        return ""
    looks = " or ".join(LOOKS[task] for task in fitting)
    return f"it looks like {looks}: add {' or '.join(f'--task {task}' for task in fitting)}"


def _named_task(name: str) -> str:
    if name in part_names():
        return find_set(name).task
    second = name.split(".")[1] if name in sample_files() else ""
    return second if second in TASKS else DEFAULT_TASK


def _fitting(path: Path) -> Sequence[str]:
    """The tasks that a file fits, by its beginning; none for question answering and what cannot be read."""
    if is_parquet(path):
        return _of_row(first_row(path))
    text = _head(path)
    if text.lstrip()[:1] == "{":
        line = text.lstrip().partition("\n")[0]
        return _of_names({key.lower() for key in re.findall(r'"(\w+)"\s*:', line)}, line)
    return _of_list(text.lstrip()) if text.lstrip()[:1] == "[" else _of_table(text)


def _of_list(text: str) -> Sequence[str]:
    """By the first element of a JSON list; none where it is longer than the beginning that was read."""
    try:
        first, _ = json.JSONDecoder().raw_decode(text, len(text) - len(text[1:].lstrip()))
    except (ValueError, RecursionError):
        return ()
    return _of_row(with_choice(first)) if isinstance(first, dict) else ()


def _of_row(row: dict[str, Any] | None) -> Sequence[str]:
    return _of_names({str(key).lower() for key in row}, json.dumps(row, ensure_ascii=False, default=str)) if row else ()


def _head(path: Path) -> str:
    """The beginning of a file as text; "" where it cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(HEAD_BYTES)
        opener = next((opener for magic, opener in _OPENERS if start.startswith(magic)), None)
        if opener is not None:
            packed: IO[bytes] = opener(path)
            with packed:
                start = packed.read(HEAD_BYTES)
    except (OSError, EOFError, lzma.LZMAError, zlib.error):
        return ""
    return start.decode("utf-8", "ignore").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _of_names(names: Names, row: str) -> Sequence[str]:
    """By the names of columns or keys, and by a row where names fit several tasks."""
    if {"question", "context", "paragraphs"} & set(names):
        return ()
    if {"tokens", "words"} & set(names):
        return _of_tag_names(names, row)
    if not set(texts.FIRST) & set(names):
        return ()
    if "hypothesis" in names:
        return ("nli",)
    if set(texts.SECOND) & set(names):
        return _of_pair_label(row)
    if {"category", "topic"} & set(names):
        return ("topic",)
    if "sentiment" in names:
        return ("sentiment",)
    return ("topic", "sentiment") if set(texts.LABEL) & set(names) else ()


def _of_tag_names(names: Names, row: str) -> Sequence[str]:
    if "ner_tags" in names or re.search(r'"[BIESLU]-\w', row):
        return ("ner",)
    if {"upos", "pos_tags"} & set(names) or {f'"{tag}"' for tag in UPOS} & set(re.findall(r'"\w+"', row)):
        return ("pos",)
    return tuple(task for task, keys in TAG_KEYS.items() if set(keys) & set(names))


def _of_pair_label(row: str) -> Sequence[str]:
    """A pair's task by the label at the end of a row."""
    cells = re.findall(r"\w+", row)
    last = set(cells[-1:]) | set(cells[-2:-1])
    if last & set(texts.KINDS["nli"].labels):
        return ("nli",)
    return ("paraphrase",) if last & set(texts.KINDS["paraphrase"].labels) else ("nli", "paraphrase")


def _of_table(text: str) -> Sequence[str]:
    lines = text.split("\n")[:-1] if len(text) >= HEAD_BYTES else text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    header = {cell.strip().lower() for cell in (first.split("\t") if "\t" in first else next(csv.reader([first]), []))}
    if header & set(texts.LABEL) and header & set(texts.FIRST):
        row = next((line for line in lines[1:] if line.strip()), "")
        return _of_names(header, row)
    if tagged := _of_columns(lines):
        return tagged
    cells = first.split("\t")
    return _of_pair_label(cells[2]) if len(cells) == 3 and len(cells[2].split()) == 1 else ()


def _of_columns(lines: Sequence[str]) -> Sequence[str]:
    """The kind of tags of a file of columns, whose sentences are apart by blank lines."""
    words = [
        line.split("\t") if "\t" in line else line.rstrip(" ").split(" ")
        for line in lines
        if line.strip() and not line.startswith(("# ", "-DOCSTART-"))
    ][:TAG_LINES]
    numbered = [cells for cells in words if cells[0] != "#"]  # GermEval names its sources in lines that begin so
    words = numbered if all(cells[0].isdecimal() for cells in numbered) else words
    tagged = [cells for cells in words if len(cells) > 1]
    if not tagged or len(tagged) < MOSTLY * len(words) or not any(not line.strip() for line in lines):
        return ()
    if all(len(cells) >= 10 and re.fullmatch(r"[0-9]+([-.][0-9]+)?", cells[0]) for cells in words):
        return ("pos",)
    if all(len(cells) == 5 and cells[0][:1].isdigit() for cells in words):
        return ("ner",)
    tags = {cells[-1].strip() for cells in tagged}
    if all(_ENTITY_TAG.fullmatch(tag) for tag in tags):
        return ("ner",)
    return ("pos",) if tags <= UPOS else ()
