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
from xlqa.records import Question
from xlqa.tasks.qa.reading import Reading
from xlqa.util.files import write_output

OUTPUTS = (".json", ".jsonl", ".csv", ".parquet")


def write_dataset(reading: Reading, target: Path) -> None:
    """Write questions, answerable and not, in the format that the file's ending names.

    `.json` is SQuAD (2.0 where there are unanswerable questions), `.jsonl`, `.csv` and `.parquet` are flat as Hugging
    Face writes them, answers in a CSV cell as JSON; `.gz` or `.xz` after the first three compresses. The same data
    gives the same bytes.

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


def _squad(reading: Reading) -> bytes:
    version = "v2.0" if reading.unanswerable else "1.1"
    # Neighbours of one paragraph stay together and in order; unanswerable questions join their paragraph's first place.
    paragraphs = [list(group) for _, group in groupby(reading.questions, key=lambda question: question.context)]
    places: dict[str, list[Question]] = {}
    for paragraph in paragraphs:
        places.setdefault(paragraph[0].context, paragraph)
    for question in reading.unanswerable:
        if question.context not in places:
            paragraphs.append(places.setdefault(question.context, []))
        places[question.context].append(question)
    articles = [
        {"title": title, "paragraphs": [_paragraph(paragraph, version) for paragraph in group]}
        for title, group in groupby(paragraphs, key=lambda group: reading.titles.get(group[0].context_hash, ""))
    ]
    return _json({"version": version, "data": articles})


def _paragraph(questions: list[Question], version: str) -> dict[str, Any]:
    qas = []
    for question in questions:
        answers = [{"text": answer.text, "answer_start": answer.start} for answer in question.answers]
        qa: dict[str, Any] = {"id": question.id, "question": question.question, "answers": answers}
        if version == "v2.0":
            qa["is_impossible"] = not answers
        qas.append(qa)
    return {"context": questions[0].context, "qas": qas}


def _rows(reading: Reading) -> list[dict[str, Any]]:
    return [
        {
            "id": question.id,
            "title": reading.titles.get(question.context_hash, ""),
            "context": question.context,
            "question": question.question,
            "answers": {
                "text": [answer.text for answer in question.answers],
                "answer_start": [answer.start for answer in question.answers],
            },
        }
        for question in (*reading.questions, *reading.unanswerable)
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
