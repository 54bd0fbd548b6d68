"""The shapes in which question answering data comes, told apart by content, each unfolded into the same raw questions.

Nothing is judged here but the shape: texts, ids and answers go on as the file has them, to be checked in `reading`.
"""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from xlqa.errors import XlqaError
from xlqa.util.compression import decompress
from xlqa.util.text import plain

KNOWN_FORMATS = (
    "SQuAD JSON (1.1 or 2.0), JSON lines, CSV or Parquet as Hugging Face writes them, CMRC 2018, MLQA, TyDi QA, MRQA"
)


class RawQuestion(NamedTuple):
    """One question as it stands in the file.

    Attributes:
        article, paragraph: places in a nested file, counted from 1; 0 in a flat one.
        row: place in a flat file, counted from 1 without a header; 0 in a nested one.
        answers: (text, start) pairs as the file has them, start None where it gives none; a string says what is wrong.
        impossible: what the file says of SQuAD 2.0's `is_impossible`; None where it says nothing.
    """

    article: int
    title: str
    paragraph: int
    row: int
    id: Any
    question: Any
    context: Any
    answers: list[tuple[Any, Any]] | str
    impossible: bool | None


class Document(NamedTuple):
    """A file's questions and what kind of file it was."""

    format: str
    compression: str
    questions: list[RawQuestion]


def unfold(content: bytes, path: Path) -> Document:
    """Recognise a file by its content and unfold it.

    Raises:
        XlqaError: cut short, not text, no question answering data, or another format.
    """
    content, compression = decompress(content, path)
    if content[:4] == b"PAR1":
        return Document("parquet", compression, _from_rows(_parquet_rows(content, path), path))
    text = _decode(content, path)
    head = text.lstrip()[:1]
    if head and head in "{[":
        name, questions = _from_json(text, path)
        return Document(name, compression, questions)
    _refuse_familiar(text, path)
    name, rows = _table_rows(text, path)
    return Document(name, compression, _from_rows(rows, path))


def _decode(content: bytes, path: Path) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise XlqaError(
            f"{path}: is not UTF-8 text (byte {error.start:,}): convert it, as with `iconv -f ENCODING -t utf-8`."
        ) from error
    if not text.strip():
        raise XlqaError(f"{path}: is empty: fetch or write it again.")
    return text


def _refuse_familiar(text: str, path: Path) -> None:
    """Name what people hold for a data set by accident."""
    head = text.lstrip()[:200].lower()
    if head.startswith("version https://git-lfs"):
        raise XlqaError(f"{path}: is a Git LFS pointer, not the data: run `git lfs pull` where it comes from.")
    if head.startswith(("<!doctype", "<html", "<?xml")):
        raise XlqaError(f"{path}: is a web page, not data: fetch the file itself (its raw address).")
    if "\x00" in text[:4096]:
        raise XlqaError(f"{path}: is no text file; known formats: {KNOWN_FORMATS}.")


# --- JSON ---------------------------------------------------------------------------------------------------------


def _from_json(text: str, path: Path) -> tuple[str, list[RawQuestion]]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        rows = _json_lines(text, path, error)
        return _from_objects(rows, path, "jsonl")
    except (RecursionError, ValueError) as error:  # nested without end, or a number of thousands of digits
        raise XlqaError(f"{path}: is no data set ({error}); known formats: {KNOWN_FORMATS}.") from error
    if isinstance(value, dict) and not _is_record(value):
        return _from_mapping(value, path)
    if isinstance(value, dict):  # a file of one JSON line
        return _from_objects([value], path, "jsonl")
    return _from_objects(value, path, "json")


def _json_lines(text: str, path: Path, whole: json.JSONDecodeError) -> list[Any]:
    """The objects of a JSON-lines file; or the complaint that fits a single damaged document."""
    first, *rest = text.lstrip().split("\n", 1)
    try:
        json.loads(first)
    except ValueError:
        rest = []
    if not rest:
        # A document cut short breaks at its end, or inside a text whose closing quote is gone.
        cut = whole.pos >= len(text.rstrip()) - 8 or whole.msg.startswith("Unterminated string")
        where = f"{whole.msg}, line {whole.lineno:,}, column {whole.colno:,}"
        raise XlqaError(f"{path}: {'is cut short' if cut else 'is not JSON'} ({where}): fetch or write it again.")
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise XlqaError(
                f"{path}: line {number:,} is cut short or not JSON ({error}): fetch or write it again."
            ) from error
    return rows


def _from_mapping(value: dict[str, Any], path: Path) -> tuple[str, list[RawQuestion]]:
    """A document with a head: SQuAD's `data`, a rows answer of the data set server, or columns."""
    data = value.get("data", value.get("rows"))
    if isinstance(data, list):
        version = str(value.get("version", ""))
        if not data:
            raise XlqaError(f"{path}: holds no question: its list is empty.")
        return _from_objects(data, path, "json", version)
    if "context" in value and isinstance(value["context"], list):
        return "json", _from_rows(_columns_to_rows(value, path), path)
    if "context" in value and isinstance(value["context"], dict):
        columns = {key: list(column.values()) for key, column in value.items() if isinstance(column, dict)}
        return "json", _from_rows(_columns_to_rows(columns, path), path)
    if value and all(isinstance(item, str) for item in value.values()):
        raise XlqaError(
            f"{path}: looks like predictions (id to answer), not a data set: score it with "
            "`xlqa score PREDICTIONS DATASET`."
        )
    raise _unknown(value, path)


def _columns_to_rows(columns: dict[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    lengths = {len(column) for column in columns.values() if isinstance(column, list)}
    if len(lengths) != 1:
        raise XlqaError(f"{path}: its columns differ in length: write it again.")
    names = [name for name, column in columns.items() if isinstance(column, list)]
    for values in zip(*(columns[name] for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


def _is_record(value: Any) -> bool:
    """Whether an object is a question, a paragraph or an article rather than a document's head."""
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("paragraphs"), list) or isinstance(value.get("row"), dict) or "header" in value:
        return True
    if "context_text" in value or "document_plaintext" in value:
        return True
    context = value.get("context")
    return isinstance(context, str) and ("qas" in value or any(name in value for name in _NAMES["question"]))


def _from_objects(items: list[Any], path: Path, name: str, version: str = "") -> tuple[str, list[RawQuestion]]:
    """Lists of articles, paragraphs or questions."""
    if not isinstance(items, list) or not items:
        raise XlqaError(f"{path}: holds no question: its list is empty.")
    items = [item["row"] if isinstance(item, dict) and isinstance(item.get("row"), dict) else item for item in items]
    first = items[0]
    if isinstance(first, dict) and "header" in first and len(first) == 1:
        return "mrqa", list(_mrqa(items[1:]))
    if not _is_record(first):
        raise _unknown(first, path)
    if "document_plaintext" in first:
        return "tydiqa-primary", list(_tydiqa_primary(items))
    if "context_text" in first:
        return "cmrc2018", list(_nested([{"paragraphs": [item], **_head(item)} for item in items]))
    if "paragraphs" in first:
        questions = list(_nested(items))
        return _squad_version(questions, version), questions
    if isinstance(first.get("qas"), list):
        if any(isinstance(qa, dict) and "detected_answers" in qa for qa in first["qas"]):
            return "mrqa", list(_mrqa(items))
        questions = list(_nested([{"paragraphs": [item], **_head(item)} for item in items]))
        return _squad_version(questions, version), questions
    return name, _from_rows(items, path)


def _head(item: Any) -> dict[str, Any]:
    return {"title": item.get("title", "")} if isinstance(item, dict) else {}


def _squad_version(questions: list[RawQuestion], version: str) -> str:
    if any(question.impossible is not None for question in questions) or version.lstrip("v").startswith("2"):
        return "squad-2.0"
    return "squad-1.1"


def _unknown(value: Any, path: Path) -> XlqaError:
    if isinstance(value, dict):
        keys = ", ".join(f'"{plain(key, 30)}"' for key in list(value)[:6])
        seen = f"has the keys {keys}" if value else "is an empty object"
    else:
        seen = f"holds a {type(value).__name__} where an article or a question belongs"
    return XlqaError(f"{path}: {seen}: not question answering data of a known format ({KNOWN_FORMATS}).")


def _nested(articles: list[Any]) -> Iterator[RawQuestion]:
    """Articles of paragraphs of questions: SQuAD, and CMRC 2018 by its own names."""
    for number, article in enumerate(articles, start=1):
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        if not isinstance(paragraphs, list):
            yield _misshapen(number, 0, 0, 'the article has no list "paragraphs"')
            continue
        title = article.get("title")
        title = title if isinstance(title, str) else ""
        for place, paragraph in enumerate(paragraphs, start=1):
            qas = paragraph.get("qas") if isinstance(paragraph, dict) else None
            if not isinstance(qas, list):
                yield _misshapen(number, place, 0, 'the paragraph has no list "qas"')
                continue
            context = paragraph["context"] if "context" in paragraph else _first(paragraph, "context")
            for qa in qas:
                if not isinstance(qa, dict):
                    yield _misshapen(number, place, 0, f"the question is a {type(qa).__name__}, not an object")
                    continue
                yield RawQuestion(
                    number, title, place, 0,
                    qa["id"] if "id" in qa else _first(qa, "id"),
                    qa["question"] if "question" in qa else _first(qa, "question"),
                    context,
                    answer_pairs(qa["answers"] if "answers" in qa else qa.get("answer")),
                    _flag(qa.get("is_impossible")),
                )  # fmt: skip


def _misshapen(article: int, paragraph: int, row: int, reason: str) -> RawQuestion:
    """What stands where a question belongs and is none: it is refused in its place, not the file with it."""
    return RawQuestion(article, "", paragraph, row, None, None, None, reason, None)


def _mrqa(items: list[Any]) -> Iterator[RawQuestion]:
    """MRQA's lines: a context, its questions, and answers as inclusive character spans."""
    for number, item in enumerate(items, start=1):
        qas = item.get("qas") if isinstance(item, dict) else None
        for qa in qas if isinstance(qas, list) else [None]:
            if not isinstance(qa, dict):
                yield _misshapen(0, 0, number, 'the row has no list "qas" of objects')
                continue
            pairs = _mrqa_answers(qa.get("detected_answers"))
            yield RawQuestion(
                0, "", 0, number, _first(qa, "id"), _first(qa, "question"), item.get("context"), pairs, None
            )


def _mrqa_answers(answers: Any) -> list[tuple[Any, Any]] | str:
    try:
        return [(answer["text"], span[0]) for answer in answers or [] for span in answer["char_spans"]]
    except (KeyError, IndexError, TypeError):
        return "its detected_answers lack text or char_spans"


def _tydiqa_primary(items: list[Any]) -> Iterator[RawQuestion]:
    """TyDi QA's primary task as gold passages: each question that has a minimal answer, with the passage that holds it.

    Offsets there count bytes of the document's UTF-8. Where annotators chose several passages it is the first one's,
    with the answers inside it. Questions without a minimal answer are unanswerable, and have the document as paragraph.
    """
    for number, item in enumerate(items, start=1):
        try:
            yield _gold_passage(item, number)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            yield _misshapen(0, 0, number, f"the row is not of TyDi QA's primary task ({error!r})")


def _gold_passage(item: dict[str, Any], number: int) -> RawQuestion:
    document = item["document_plaintext"].encode("utf-8", "surrogatepass")
    answers = _tydiqa_answers(item)
    span = item["passage_answer_candidates"][answers[0][0]] if answers else None
    begin, end = (span["plaintext_start_byte"], span["plaintext_end_byte"]) if span else (0, len(document))
    pairs: list[tuple[Any, Any]] = [
        (document[first:last].decode(), len(document[begin:first].decode()))
        for _, first, last in answers
        if begin <= first <= last <= end
    ]
    example = item.get("example_id")
    identity = None if example is None else f"{str(item.get('language', '')).lower()}-{example}"
    title, context = str(item.get("document_title", "")), document[begin:end].decode()
    return RawQuestion(0, title, 0, number, identity, item["question_text"], context, pairs, not pairs)


def _tydiqa_answers(item: dict[str, Any]) -> list[tuple[int, int, int]]:
    """(passage, first byte, last byte) of each annotation with a minimal answer; all of the first one's passage."""
    found = []
    for annotation in item["annotations"]:
        minimal, passage = annotation["minimal_answer"], annotation["passage_answer"]["candidate_index"]
        if minimal["plaintext_start_byte"] >= 0 and passage >= 0:
            found.append((passage, minimal["plaintext_start_byte"], minimal["plaintext_end_byte"]))
    return [answer for answer in found if answer[0] == found[0][0]]


# --- Rows ---------------------------------------------------------------------------------------------------------

_NAMES = {
    "id": ("id", "question_id", "qid", "qas_id", "_id", "query_id"),
    "question": ("question", "question_text", "query", "query_text"),
    "context": ("context", "passage", "paragraph", "document", "context_text"),
}


def _from_rows(rows: Iterable[Any], path: Path) -> list[RawQuestion]:
    questions = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            questions.append(_misshapen(0, 0, number, f"the row is a {type(row).__name__}, not a question"))
            continue
        title = row.get("title")
        questions.append(
            RawQuestion(
                0,
                title if isinstance(title, str) else "",
                0,
                number,
                _first(row, "id"),
                _first(row, "question"),
                _first(row, "context"),
                _row_answers(row),
                _flag(row.get("is_impossible")),
            )
        )
    if not questions:
        raise XlqaError(f"{path}: holds no question.")
    return questions


def _first(row: dict[str, Any], field: str) -> Any:
    for name in _NAMES[field]:
        if name in row:
            return row[name]
    return None


def _row_answers(row: dict[str, Any]) -> list[tuple[Any, Any]] | str:
    """Answers of a row: one field, two flattened ones, or a single text and start."""
    if "answers.text" in row:
        return answer_pairs(
            {"text": _literal(row["answers.text"]), "answer_start": _literal(row.get("answers.answer_start"))}
        )
    if "answers" in row:
        value = _literal(row["answers"])
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value) and "answer_start" in row:
            return answer_pairs({"text": value, "answer_start": _literal(row["answer_start"])})
        return answer_pairs(value)
    for name in ("answer_text", "answer", "text"):
        if name in row:
            value = _literal(row[name]) if isinstance(row[name], dict | list) else row[name]
            if isinstance(value, dict | list):
                return answer_pairs(value)
            start = _literal(row.get("answer_start", row.get("start")))
            return [(value, start[0] if isinstance(start, list) and len(start) == 1 else start)]
    return "no answers: no field named answers"


def answer_pairs(value: Any) -> list[tuple[Any, Any]] | str:
    """(text, start) pairs of any shape that answers come in; a string where the shape itself is wrong."""
    if value is None:
        return []
    if isinstance(value, str):
        return [(value, None)]
    if isinstance(value, dict):
        return _pairs_of_columns(value)
    if not isinstance(value, list | tuple):
        return f"answers are a {type(value).__name__}, not a list"
    pairs: list[tuple[Any, Any]] = []
    for answer in value:
        if isinstance(answer, dict):
            text = answer.get("text", answer.get("answer_text"))
            pairs.append((text, answer.get("answer_start", answer.get("start"))))
        elif isinstance(answer, str):
            pairs.append((answer, None))
        else:
            return f"an answer is a {type(answer).__name__}, neither a text nor an object"
    return pairs


def _pairs_of_columns(value: dict[str, Any]) -> list[tuple[Any, Any]] | str:
    texts, starts = value.get("text"), value.get("answer_start", value.get("start"))
    if texts is None:
        return "answers hold no text"
    if isinstance(texts, str):
        return [(texts, starts[0] if isinstance(starts, list) and len(starts) == 1 else starts)]
    if not isinstance(texts, list | tuple):
        return f"answers' text is a {type(texts).__name__}"
    if starts is None:
        return [(text, None) for text in texts]
    if not isinstance(starts, list | tuple) or len(starts) != len(texts):
        return f"{len(texts)} answer texts stand beside {len(starts) if isinstance(starts, list) else 'no'} starts"
    return list(zip(texts, starts, strict=True))


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool) or value is None:
        return value
    text = str(value).strip().lower()
    if text in ("true", "1", "1.0", "yes"):
        return True
    return False if text in ("false", "0", "0.0", "no") else None


# --- Tables -------------------------------------------------------------------------------------------------------


def _table_rows(text: str, path: Path) -> tuple[str, Iterator[dict[str, Any]]]:
    """CSV or TSV with a header that names a question and a context."""
    header = text.lstrip().splitlines()[0]
    delimiter = max(",\t;", key=header.count)
    named = {name.strip().strip('"') for name in header.split(delimiter)}
    if not named & set(_NAMES["question"]) or not named & set(_NAMES["context"]):
        seen = f'begins with "{plain(text[:40])}…"'
        raise XlqaError(f"{path}: {seen}: not question answering data of a known format ({KNOWN_FORMATS}).")
    return ("tsv" if delimiter == "\t" else "csv"), _csv_rows(text, delimiter, path)


def _csv_rows(text: str, delimiter: str, path: Path) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(1 << 30)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    try:
        for number, row in enumerate(reader, start=1):
            if None in row or None in row.values():
                fields = len(reader.fieldnames)
                raise XlqaError(f"{path}: row {number:,} has not the header's {fields} fields: is the file cut short?")
            yield {name: (None if value == "" else value) for name, value in row.items()}
    except csv.Error as error:
        raise XlqaError(f"{path}: near line {reader.line_num:,}: {error}: is the file cut short?") from error


def _parquet_rows(content: bytes, path: Path) -> list[dict[str, Any]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise XlqaError(f"{path}: Parquet needs pyarrow: pip install 'xlqa[parquet]'.") from error
    try:
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(content))
    except (pyarrow.ArrowException, OSError) as error:
        message = str(error).splitlines()[0]
        raise XlqaError(f"{path}: the Parquet file is cut short or damaged ({message}): fetch it again.") from error
    names = set(table.column_names)
    if not names & set(_NAMES["question"]) or not names & set(_NAMES["context"]):
        shown = ", ".join(plain(name, 30) for name in table.column_names[:6])
        raise XlqaError(f"{path}: has the columns {shown}: not question answering data of a known format.")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _literal(value: Any) -> Any:
    """A table cell's value: JSON, or a Python literal in which numpy arrays may stand, as pandas prints them."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text.startswith(("{", "[")):
        return value
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        pass
    try:
        return _evaluate(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return value


def _evaluate(node: ast.expr) -> Any:
    """Dicts, lists, constants, signs, and array(...) as its first argument; anything else is refused."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_evaluate(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        keys = [_evaluate(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_evaluate, node.values), strict=True))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "array" and node.args:
        return _evaluate(node.args[0])
    raise ValueError("not a literal")
