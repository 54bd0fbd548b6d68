"""Writes labelled sentences and pairs: TSV, CSV and JSON lines, with the column names of the task's usual sets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from xlqa.tasks.sentences.reading import LabelledText

ENDINGS = (".tsv", ".csv", ".jsonl")

COLUMNS = {
    "nli": ("id", "premise", "hypothesis", "label"),
    "paraphrase": ("id", "sentence1", "sentence2", "label"),
    "topic": ("id", "text", "category"),
    "sentiment": ("id", "text", "sentiment"),
}
"""The columns of each task: a file that is written so shows its task."""


def write_texts(examples: Sequence[LabelledText], task: str, ending: str) -> bytes:
    """The examples in the format of an ending, with a header where it is a table."""
    names = COLUMNS[task]
    rows = [_cells(example, len(names) == 4) for example in examples]
    if ending == ".jsonl":
        lines = (json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n" for row in rows)
        return "".join(lines).encode("utf-8", "surrogatepass")
    if ending == ".tsv":
        return "".join("\t".join(row) + "\n" for row in (names, *rows)).encode("utf-8", "surrogatepass")
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([names, *rows])
    return buffer.getvalue().encode("utf-8", "surrogatepass")


def _cells(example: LabelledText, pair: bool) -> tuple[str, ...]:
    texts = (example.first, example.second) if pair else (example.first,)
    return (example.id, *texts, example.label)
