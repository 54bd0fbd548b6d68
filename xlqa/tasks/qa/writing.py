"""Writing a data set in another format: `xlqa data convert IN OUT`. What is written is read back the same."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
from itertools import groupby
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.records import Answer, Question
from xlqa.tasks.qa.offsets import caseless
from xlqa.tasks.qa.reading import Reading
from xlqa.util.files import write_output

OUTPUTS = (".json", ".jsonl", ".csv", ".parquet")


def write_dataset(reading: Reading, target: Path) -> None:
    """Write questions, answerable and not, in the file's order and the format that the file's ending names.

    `.json` is SQuAD (2.0 where there are unanswerable questions), `.jsonl`, `.csv` and `.parquet` are flat as Hugging
    Face writes them, answers in a CSV cell as JSON; `.gz` or `.xz` after the first three compresses. Answers that have no
    place in their paragraph keep their text, with the start -1. The same data gives the same bytes.

    Raises:
        XlqaError: another ending, or a folder that can't be written.
    """
    suffixes = [suffix.lower() for suffix in target.suffixes]
    packing = suffixes.pop() if suffixes and suffixes[-1] in (".gz", ".xz") else ""
    ending = suffixes[-1] if suffixes else ""
    if ending not in OUTPUTS or (ending == ".parquet" and packing):
        raise XlqaError(
            f"{target}: can't tell the format: end the name in {', '.join(OUTPUTS)} (or .json.gz, .json.xz)."
        )
    content = _ENCODERS[ending](reading)
    if packing == ".gz":
        content = gzip.compress(content, mtime=0)
    elif packing == ".xz":
        content = lzma.compress(content)
    write_output(target, content, "convert:")


def _usable(reading: Reading) -> list[Question]:
    """What is written, in the file's order: all but questions that training refuses."""
    return [question for question in reading.everything if question.answers or not question.golds]


def _squad(reading: Reading) -> bytes:
    version = "v2.0" if reading.unanswerable else "1.1"
    # Neighbours of one paragraph stay together and in order.
    paragraphs = [list(group) for _, group in groupby(_usable(reading), key=lambda question: question.context)]
    articles = [
        {"title": title, "paragraphs": [_paragraph(paragraph, version) for paragraph in group]}
        for title, group in groupby(paragraphs, key=lambda group: reading.titles.get(group[0].context_hash, ""))
    ]
    return _json({"version": version, "data": articles})


def _paragraph(questions: list[Question], version: str) -> dict[str, Any]:
    qas = []
    for question in questions:
        answers = [{"text": answer.text, "answer_start": answer.start} for answer in _answers(question)]
        qa: dict[str, Any] = {"id": question.id, "question": question.question, "answers": answers}
        if version == "v2.0":
            qa["is_impossible"] = not answers
        qas.append(qa)
    return {"context": questions[0].context, "qas": qas}


def _answers(question: Question) -> list[Answer]:
    """The answers with a place, then those without one (start -1), which count in scores only."""
    rest = list(question.golds or ())
    for answer in question.answers:
        same = [gold for gold in rest if caseless(gold) == caseless(answer.text)]
        if same:
            rest.remove(same[0])
    return [*question.answers, *(Answer(text, -1) for text in rest)]


def _rows(reading: Reading) -> list[dict[str, Any]]:
    return [
        {
            "id": question.id,
            "title": reading.titles.get(question.context_hash, ""),
            "context": question.context,
            "question": question.question,
            "answers": {
                "text": [answer.text for answer in _answers(question)],
                "answer_start": [answer.start for answer in _answers(question)],
            },
        }
        for question in _usable(reading)
    ]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def _jsonl(reading: Reading) -> bytes:
    return b"".join(_json(row) + b"\n" for row in _rows(reading))


def _csv(reading: Reading) -> bytes:
    buffer = io.StringIO(newline="")
    # Everything is quoted: a lone CR inside a text would otherwise end its row.
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["id", "title", "context", "question", "answers"])
    for row in _rows(reading):
        answers = json.dumps(row["answers"], ensure_ascii=False)
        writer.writerow([row["id"], row["title"], row["context"], row["question"], answers])
    return buffer.getvalue().encode("utf-8")


def _parquet(reading: Reading) -> bytes:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise XlqaError("Parquet needs pyarrow: pip install 'xlqa[parquet]'.") from error
    text = pyarrow.string()
    answers = pyarrow.struct([("text", pyarrow.list_(text)), ("answer_start", pyarrow.list_(pyarrow.int32()))])
    fields = [("id", text), ("title", text), ("context", text), ("question", text), ("answers", answers)]
    table = pyarrow.Table.from_pylist(_rows(reading), schema=pyarrow.schema(fields))
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


_ENCODERS = {".json": _squad, ".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}
