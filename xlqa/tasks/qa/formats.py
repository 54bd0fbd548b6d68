"""The formats in which question answering data comes, told apart by content; each gives the same raw questions.

Only the shape is judged here: texts, ids and answers go on as the file has them, to be checked in `reading`. A file's kind
is that of the first element that shows one, so an element with a fault is refused in its place, wherever it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from xlqa.errors import XlqaError
from xlqa.tasks.annotations import HAYSTACK, LABEL_STUDIO, LABEL_STUDIO_MIN, read_items, tool_of
from xlqa.tasks.qa.jsontext import JsonText, json_lines
from xlqa.tasks.qa.literals import read_cell
from xlqa.util.compression import decompress
from xlqa.util.csvfile import csv_lines
from xlqa.util.text import plain

KNOWN_FORMATS = (
    "SQuAD JSON (1.1 or 2.0), JSON lines, CSV (comma, semicolon or tab) or Parquet as Hugging Face writes them, "
    "CMRC 2018, MLQA, TyDi QA, MRQA, exports of Label Studio and Haystack; text in UTF-8 or UTF-16"
)


class RawQuestion(NamedTuple):
    """One question as the file has it.

    Attributes:
        article, paragraph: places in a nested file, counted from 1; 0 in a flat one.
        row: place in a flat file, counted from 1 without a header; 0 in a nested one.
        answers: (text, start) pairs as the file has them, start None where it gives none; a string states what is wrong.
        impossible: SQuAD 2.0's `is_impossible` in the file; None where it has none.
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


@dataclass
class Document:
    """A file's questions and what kind of file it is.

    Attributes:
        format: as `Reading.format`; final once all questions were taken, because a SQuAD file names its version at its end.
        questions: to be taken once.
        rows: the same with the file's own names, to be taken instead; None for a nested file, whose keys have fixed names.
        columns: a flat file's columns or keys, and the field that each is read as, "" for none; complete once all questions
            were taken.
    """

    format: str
    compression: str
    questions: Iterator[RawQuestion]
    rows: Iterator[Any] | None = None
    columns: dict[str, str] = field(default_factory=dict)


def unfold(content: bytes, path: Path, columns: Mapping[str, str] | None = None) -> Document:
    """Recognise a file by its content and unfold it.

    Args:
        columns: names of a table's or row's own columns by field (`NAMES`), where they are not the usual ones.

    Raises:
        XlqaError: cut short, not text, no question answering data, or another format. What is wrong further on in the file is
            raised while questions are taken.
    """
    content, compression = decompress(content, path)
    names = Columns(columns or {}, path)
    if content[:4] == b"PAR1":
        document = _flat("parquet", _parquet_rows(content, names), names)
        document.compression = compression
        return document
    text = _decode(content, path)
    if text.lstrip()[:1] in ("{", "["):
        document = _from_json(text, names)
    else:
        _refuse_familiar(text, path)
        document = _from_table(text, names)
    document.compression = compression
    return document


def _decode(content: bytes, path: Path) -> str:
    encoding = "UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "UTF-8"
    try:
        text = content.decode("utf-8-sig" if encoding == "UTF-8" else encoding)
    except UnicodeDecodeError as error:
        raise XlqaError(
            f"{path}: is not {encoding} text (byte {error.start:,}): convert it, as with `iconv -f ENCODING -t utf-8`."
        ) from error
    if not text or text.isspace():
        raise XlqaError(f"{path}: is empty: fetch or write it again.")
    if text.startswith("\x00", 1) or text.startswith("\x00"):
        raise XlqaError(f"{path}: is not text, or UTF-16 without a byte order mark: save it as UTF-8.")
    return text


def _refuse_familiar(text: str, path: Path) -> None:
    """Name what people take for a data set by accident."""
    head = text[:4096].lstrip()[:200].lower()
    if head.startswith("version https://git-lfs"):
        raise XlqaError(f"{path}: is a Git LFS pointer, not the data: run `git lfs pull` in its repository.")
    if head.startswith(("<!doctype", "<html", "<?xml")):
        raise XlqaError(f"{path}: is a web page, not data: fetch the file itself (its raw address).")
    if "\x00" in text[:4096]:
        raise XlqaError(f"{path}: is not a text file; known formats: {KNOWN_FORMATS}.")


# --- Columns --------------------------------------------------------------------------------------------------------

NAMES = {
    "id": ("id", "question_id", "qid", "qas_id", "_id", "query_id"),
    "question": ("question", "question_text", "query", "query_text"),
    "context": ("context", "passage", "paragraph", "document", "context_text"),
    "answers": ("answers.text", "answers", "answer_text", "answer", "text"),
    "answer_start": ("answers.answer_start", "answer_start", "answer_starts", "start"),
    "title": ("title",),
    "is_impossible": ("is_impossible",),
}
"""Usual names of a question's fields, the preferred one first; neither case nor blanks count."""

Names = dict[str, str]
"""A file's own names by field."""


class Columns:
    """Which of a row's or table's columns has which field."""

    def __init__(self, given: Mapping[str, str], path: Path) -> None:
        """Args: given: a file's own names by field; other fields have their usual names."""
        self.given, self.path = dict(given), path
        self._known: dict[tuple[str, ...], Names] = {}

    def find(self, keys: Iterable[str]) -> Names:
        """The names of the fields that are there."""
        row = tuple(keys)
        if row not in self._known:
            canonical: dict[str, str] = {}
            for key in row:
                canonical.setdefault(_canonical(key), key)
            usual = {
                field: next(canonical[name] for name in names if name in canonical)
                for field, names in NAMES.items()
                if any(name in canonical for name in names)
            }
            found = usual | {field: name for field, name in self.given.items() if name in row}
            if len(row) > 1000:  # questions by id, not columns
                return found
            self._known[row] = found
        return self._known[row]

    def suffice(self, keys: Iterable[str]) -> bool:
        """Whether the columns of a question and its paragraph are there."""
        return {"question", "context"} <= self.find(keys).keys()

    def missing(self, keys: Iterable[str]) -> XlqaError | None:
        """The complaint about a given name that no column has; None where all are there."""
        row = list(keys)
        absent = [f"{field}={name}" for field, name in self.given.items() if name not in row]
        if not absent:
            return None
        shown = shown_names(row) or "none"
        return XlqaError(f"{self.path}: --columns {absent[0]}: there is no such column; the file has {shown}.")

    def unknown(self, keys: Iterable[str]) -> XlqaError:
        """The complaint about columns that are not those of a question."""
        row = list(keys)
        shown = shown_names(row)
        if missing := self.missing(row):
            return missing
        has = f"has the keys {shown or 'of no column'}"
        if suggested := _suggest_task(self.path):
            return XlqaError(f"{self.path}: {has}: not question answering data: {suggested}.")
        return XlqaError(
            f"{self.path}: {has}: not question answering data of a known format ({KNOWN_FORMATS}). "
            "If these are columns, name them: `--columns question=NAME,context=NAME,answers=NAME,answer_start=NAME`."
        )


def _suggest_task(path: Path) -> str:
    from xlqa.tasks.detect import suggest_task  # which imports this module

    return suggest_task(path)


def shown_names(keys: Iterable[str]) -> str:
    """Names of columns for a message, at most eight."""
    row = list(keys)
    return ", ".join(f'"{plain(str(key), 30)}"' for key in row[:8]) + (", …" if len(row) > 8 else "")


def _canonical(name: Any) -> str:
    return re.sub(r"[\s-]+", "_", str(name).strip().strip("\ufeff").lower())


# --- JSON -----------------------------------------------------------------------------------------------------------


def _from_json(text: str, names: Columns) -> Document:
    lines = json_lines(text, names.path)
    if lines is not None:
        return _from_items(lines, names, "jsonl")
    source = JsonText(text, names.path)
    elements = source.elements()
    if source.is_list():
        return _from_items(elements, names, "json")
    first = next(elements, _NOTHING)
    if first is not _NOTHING:
        every = _only_list(chain([first], elements), source, names)
        return _from_items(every, names, "json", lambda: str(source.head.get("version", "")))
    if source.listed and not _question_lists(source.head, names):
        raise XlqaError(f"{names.path}: has no question: its list is empty.")
    return _from_mapping(source.head, names)


_NOTHING = object()


def _only_list(elements: Iterator[Any], source: JsonText, names: Columns) -> Iterator[Any]:
    """The elements of a document's list; an error after them where the document has another list of questions."""
    yield from elements
    if others := _question_lists(source.head, names):
        raise _several_lists([source.listed, *others], names)


def _question_lists(value: Mapping[str, Any], names: Columns) -> list[str]:
    """The keys of an object's lists of articles or rows."""
    lists = ((key, item) for key, item in value.items() if isinstance(item, list))
    return [key for key, items in lists if any(_kind(_row_of(item), names) for item in items)]


def _row_of(item: Any) -> Any:
    """An element without the wrapper that the data set server puts around a row."""
    return item["row"] if isinstance(item, dict) and isinstance(item.get("row"), dict) else item


def _several_lists(keys: Sequence[str], names: Columns) -> XlqaError:
    shown = ", ".join(plain(key, 30) for key in keys)
    return XlqaError(f"{names.path}: has several lists of questions ({shown}): write each into a file of its own.")


def _from_mapping(value: dict[str, Any], names: Columns) -> Document:
    """An object without a list of articles or rows: one question, columns, questions by id, or a list under another name."""
    if _kind(value, names):  # a file of one JSON line
        return _from_items(iter([value]), names, "jsonl")
    found = names.find(value)
    if isinstance(value.get(found.get("context", "")), list | dict):
        return _flat("json", _columns_to_rows(value, names.path), names)
    if value and all(isinstance(item, str) for item in value.values()):
        raise XlqaError(
            f"{names.path}: looks like predictions (id to answer), not a data set: score it with "
            "`xlqa score PREDICTIONS DATASET`."
        )
    lists = _question_lists(value, names)
    if len(lists) > 1:
        raise _several_lists(lists, names)
    if lists:
        return _from_items(iter(value[lists[0]]), names, "json", lambda: str(value.get("version", "")))
    records = [item for item in value.values() if isinstance(item, dict)]
    if records and len(records) == len(value) and any(_kind(item, names) == "rows" for item in records):
        return _from_items(({"id": key, **item} for key, item in value.items()), names, "json")
    if len(records) == 1 and isinstance(value.get("data"), dict):
        return _from_mapping(value["data"], names)
    raise names.unknown(value) if value else XlqaError(f"{names.path}: is an empty object: fetch or write it again.")


def _columns_to_rows(value: dict[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """Rows from columns: lists, or mappings by row number as pandas writes them."""
    columns = {key: list(column.values()) if isinstance(column, dict) else column for key, column in value.items()}
    columns = {key: column for key, column in columns.items() if isinstance(column, list)}
    if len({len(column) for column in columns.values()}) != 1:
        raise XlqaError(f"{path}: its columns differ in length: write it again.")
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _kind(item: Any, names: Columns, by_keys: bool = False) -> str:
    """What an element is: "header", "tydiqa-primary", "cmrc2018", "articles", "paragraphs", "mrqa", "rows", a tool's, or "".

    Args:
        by_keys: judge by the keys alone, whatever their values are.
    """
    if not isinstance(item, dict):
        return ""
    if len(item) == 1 and "header" in item:
        return "header"
    for key, kind, wanted in (
        ("document_plaintext", "tydiqa-primary", str), ("paragraphs", "articles", list), ("qas", "paragraphs", list),
    ):  # fmt: skip
        if key in item and (by_keys or isinstance(item[key], wanted)):
            if kind != "paragraphs":
                return kind
            qas = item[key] if isinstance(item[key], list) else []
            if any(isinstance(qa, dict) and "detected_answers" in qa for qa in qas):
                return "mrqa"
            if "context_text" in item:
                return "cmrc2018"
            if by_keys or isinstance(item.get("context"), str):
                return kind
    if tool := tool_of(item):
        return tool
    found = names.find(item)
    if names.suffice(item) and (by_keys or isinstance(item[found["context"]], str)):
        return "rows"
    return ""


def _from_items(items: Iterator[Any], names: Columns, name: str, version: Callable[[], str] = lambda: "") -> Document:
    """A list of articles, paragraphs or questions, whose kind is that of the first element that shows one.

    Args:
        name: the format's name where the elements are rows.
        version: the version in the document, once all elements were taken.
    """
    items = map(_row_of, items)
    seen: list[Any] = []
    kind = ""
    for item in items:
        seen.append(item)
        kind = _kind(item, names)
        if kind:
            break
    if not seen:
        raise XlqaError(f"{names.path}: has no question: its list is empty.")
    # Where no element is whole, the keys still show what they were meant to be.
    kind = kind or next(filter(None, (_kind(item, names, by_keys=True) for item in seen)), "")
    if not kind:
        raise _unknown(seen[0], names)
    if kind == "header":
        return Document("mrqa", "", _mrqa(items))
    every: Iterator[Any] = chain(seen, items)
    if kind == "rows":
        return _flat(name, every, names)
    if kind == "mrqa":
        return Document(kind, "", _mrqa(every))
    if kind == "tydiqa-primary":
        return Document(kind, "", _tydiqa_primary(every))
    if kind in TOOLS:
        return Document(TOOLS[kind], "", _exported(every, kind, names))
    if kind != "articles":
        every = ({"paragraphs": [item], **_head(item)} for item in every)
    if kind == "cmrc2018":
        return Document(kind, "", _nested(every))
    document = Document("squad-1.1", "", iter(()))
    document.questions = _squad(every, document, version)
    return document


def _head(item: Any) -> dict[str, Any]:
    return {"title": item.get("title", "")} if isinstance(item, dict) else {}


def _squad(articles: Iterable[Any], document: Document, version: Callable[[], str]) -> Iterator[RawQuestion]:
    """SQuAD's questions; the document's format becomes 2.0 with the first mark, or by the version that it names."""
    for question in _nested(articles):
        if question.impossible is not None:
            document.format = "squad-2.0"
        yield question
    if version().lstrip("v").startswith("2"):
        document.format = "squad-2.0"


def _unknown(value: Any, names: Columns) -> XlqaError:
    if isinstance(value, dict):
        return (
            names.unknown(value) if value else XlqaError(f"{names.path}: has an empty object where a question belongs.")
        )
    seen = f"has a {type(value).__name__} where an article or a question belongs"
    return XlqaError(f"{names.path}: {seen}: not question answering data of a known format ({KNOWN_FORMATS}).")


def _nested(articles: Iterable[Any]) -> Iterator[RawQuestion]:
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
                    answer_pairs(qa["answers"]) if "answers" in qa else _single_answer(qa),
                    _flag(qa.get("is_impossible")),
                )  # fmt: skip


def _first(item: dict[str, Any], field: str) -> Any:
    for name in NAMES[field]:
        if name in item:
            return item[name]
    return None


def _single_answer(qa: dict[str, Any]) -> list[tuple[Any, Any]] | str:
    """The answer of a question of an article that has no list of answers."""
    value = qa.get("answer", qa.get("answer_text"))
    if value is None or isinstance(value, dict | list):
        return answer_pairs(value)
    return [(value, _one_start(value, _first(qa, "answer_start")))]


def _misshapen(article: int, paragraph: int, row: int, reason: str) -> RawQuestion:
    """What is at a question's place and is none: it is refused in its place, not the file with it."""
    return RawQuestion(article, "", paragraph, row, None, None, None, reason, None)


def _mrqa(items: Iterable[Any]) -> Iterator[RawQuestion]:
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


TOOLS = {LABEL_STUDIO: LABEL_STUDIO, LABEL_STUDIO_MIN: LABEL_STUDIO, HAYSTACK: HAYSTACK}
"""The format's name by the kind of an annotation tool's export."""


def _exported(items: Iterator[Any], kind: str, names: Columns) -> Iterator[RawQuestion]:
    """The questions of an annotation tool's export."""
    for number, found in enumerate(read_items(items, kind, names.find), start=1):
        if found is None:
            yield _misshapen(0, 0, number, f"the row is not of an export of {TOOLS[kind]}")
        else:
            yield RawQuestion(0, "", 0, number, *found)


def _tydiqa_primary(items: Iterable[Any]) -> Iterator[RawQuestion]:
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
    document: bytes = item["document_plaintext"].encode("utf-8", "surrogatepass")

    def text(first: int, last: int) -> str:
        return document[first:last].decode("utf-8", "surrogatepass")

    answers = _tydiqa_answers(item)
    span = item["passage_answer_candidates"][answers[0][0]] if answers else None
    begin, end = (span["plaintext_start_byte"], span["plaintext_end_byte"]) if span else (0, len(document))
    pairs: list[tuple[Any, Any]] = [
        (text(first, last), len(text(begin, first))) for _, first, last in answers if begin <= first <= last <= end
    ]
    example = item.get("example_id")
    identity = None if example is None else f"{str(item.get('language', '')).lower()}-{example}"
    title, context = str(item.get("document_title", "")), text(begin, end)
    return RawQuestion(0, title, 0, number, identity, item["question_text"], context, pairs, not pairs)


def _tydiqa_answers(item: dict[str, Any]) -> list[tuple[int, int, int]]:
    """(passage, first byte, last byte) of each annotation with a minimal answer; all of the first one's passage."""
    found = []
    for annotation in item["annotations"]:
        minimal, passage = annotation["minimal_answer"], annotation["passage_answer"]["candidate_index"]
        if minimal["plaintext_start_byte"] >= 0 and passage >= 0:
            found.append((passage, minimal["plaintext_start_byte"], minimal["plaintext_end_byte"]))
    return [answer for answer in found if answer[0] == found[0][0]]


# --- Rows -----------------------------------------------------------------------------------------------------------


def _flat(format: str, rows: Iterable[Any], names: Columns) -> Document:
    """A file of rows. Its rows and its questions share one iterator."""
    every = iter(rows)
    document = Document(format, "", iter(()), every)
    document.questions = _from_rows(every, names, document.columns)
    return document


def _from_rows(rows: Iterable[Any], names: Columns, seen: dict[str, str]) -> Iterator[RawQuestion]:
    """Questions from rows; the rows' names and their fields, "" for none, are added to `seen`.

    Raises:
        XlqaError: no row has one of the names that were given.
    """
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            yield _misshapen(0, 0, number, f"the row is a {type(row).__name__}, not a question")
            continue
        found = names.find(row)
        if not row.keys() <= seen.keys():
            seen |= dict.fromkeys(row, "") | {name: field for field, name in found.items()}
        cells = {field: row[name] for field, name in found.items()}
        title = cells.get("title")
        start = read_cell(cells.get("answer_start"), "[(")
        yield RawQuestion(
            0,
            title if isinstance(title, str) else "",
            0,
            number,
            cells.get("id"),
            cells.get("question"),
            cells.get("context"),
            _row_answers(cells, _canonical(found.get("answers", "")), start) if "answers" in cells else NO_ANSWERS,
            _flag(cells.get("is_impossible")),
        )
    if missing := names.missing(seen):
        raise missing


NO_ANSWERS = "no answers: no field named answers"


def _number(value: Any) -> Any:
    """A cell's whole number, which a table can only write as text; anything else as it is."""
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,15}(\.0*)?\s*", value):
        return int(float(value))
    return value


def _row_answers(cells: dict[str, Any], name: str, start: Any) -> list[tuple[Any, Any]] | str:
    """Answers of a row: one field, two flattened ones, or a single text and start.

    Args:
        name: what the column of the answers is usually called: a single answer's text may begin with a bracket.
    """
    value = cells["answers"]
    if name not in ("answer_text", "answer", "text"):
        value = read_cell(value)
    if isinstance(value, dict) and start is not None and "answer_start" not in value and "start" not in value:
        value = {**value, "answer_start": start}
    elif isinstance(value, list) and value and start is not None and not any(isinstance(one, dict) for one in value):
        value = {"text": value, "answer_start": start}
    if value is None or isinstance(value, dict | list):
        return answer_pairs(value)
    return [(value, _one_start(value, start))]


def _one_start(text: Any, start: Any) -> Any:
    """The start of a single answer, from a number, a list of one, or the pair of its start and end."""
    start = read_cell(start, "[(")
    if isinstance(start, list) and len(start) == 1:
        return start[0]
    if isinstance(start, list) and len(start) == 2 and isinstance(text, str) and all(type(one) is int for one in start):
        return start[0] if start[1] - start[0] == len(text) else start
    return start


_TEXTS, _STARTS = ("text", "answer_text", "answer"), ("answer_start", "answer_starts", "start")


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
            name = next((name for name in _TEXTS if name in answer), None)
            if name is None:
                return f"an answer has no text, but {_keys(answer)}"
            pairs.append((answer[name], next((answer[start] for start in _STARTS if start in answer), None)))
        elif isinstance(answer, str | int | float) and not isinstance(answer, bool):
            pairs.append((answer, None))
        else:
            return f"an answer is a {type(answer).__name__}, neither a text nor an object"
    return pairs


def _keys(value: dict[str, Any]) -> str:
    return "the keys " + ", ".join(f'"{plain(str(key), 30)}"' for key in list(value)[:6]) if value else "is empty"


def _pairs_of_columns(value: dict[str, Any]) -> list[tuple[Any, Any]] | str:
    name = next((name for name in _TEXTS if name in value), None)
    if name is None:
        return f"answers have no text, but {_keys(value)}"
    texts, starts = value[name], next((value[start] for start in _STARTS if start in value), None)
    texts, starts = read_cell(texts), read_cell(starts, "[(")
    if texts is None:
        return []
    if not isinstance(texts, list | tuple):
        return [(texts, _one_start(texts, starts))]
    if starts is None:
        return [(text, None) for text in texts]
    if not isinstance(starts, list | tuple) and len(texts) == 1:
        starts = [starts]
    if not isinstance(starts, list | tuple) or len(starts) != len(texts):
        found = len(starts) if isinstance(starts, list | tuple) else "no"
        return f"there are {len(texts)} answer texts and {found} starts"
    return list(zip(texts, starts, strict=True))


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool) or value is None:
        return value
    text = str(value).strip().lower()
    if text in ("true", "1", "1.0", "yes"):
        return True
    return False if text in ("false", "0", "0.0", "no") else None


# --- Tables ---------------------------------------------------------------------------------------------------------


def _from_table(text: str, names: Columns) -> Document:
    """CSV or TSV with a header that names a question and a context."""
    lines = csv_lines(text)
    header = next(line for line in lines if line.strip())
    delimiters = [",", "\t", ";", "|"]
    if excel := re.fullmatch(r"sep=(.)\s*", header, re.IGNORECASE):  # what Excel writes to itself
        delimiters, header = [excel[1]], next(lines, "")
    fields = {delimiter: _fields(header, delimiter) for delimiter in delimiters}
    fitting = [delimiter for delimiter in delimiters if names.suffice(fields[delimiter])]
    if not fitting:
        delimiter = max(delimiters, key=header.count)
        if len(fields[delimiter]) < 2:
            seen = f'begins with "{plain(text[:200].strip(), 40)}"'
            if suggested := _suggest_task(names.path):
                raise XlqaError(f"{names.path}: {seen}: not question answering data: {suggested}.")
            raise XlqaError(f"{names.path}: {seen}: not question answering data of a known format ({KNOWN_FORMATS}).")
        raise names.unknown(fields[delimiter])
    delimiter = fitting[0]
    rows = (_with_numbers(row, names) for row in _table_rows(chain([header], lines), delimiter, names.path))
    return _flat("tsv" if delimiter == "\t" else "csv", rows, names)


def _with_numbers(row: dict[str, Any], names: Columns) -> dict[str, Any]:
    """A row of a table, where every cell is text, with its starts as numbers."""
    name = names.find(row).get("answer_start", "")
    start = read_cell(row.get(name), "[(")
    if start is None:
        return row
    return row | {name: [_number(one) for one in start] if isinstance(start, list) else _number(start)}


def _fields(header: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _table_rows(lines: Iterable[str], delimiter: str, path: Path) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(1 << 30)
    reader = csv.DictReader(lines, delimiter=delimiter, strict=True)
    try:
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        for number, row in enumerate(reader, start=1):
            if None in row or None in row.values():
                fields = len(reader.fieldnames)
                raise XlqaError(
                    f"{path}: row {number:,} does not have the header's {fields} fields: is the file cut short?"
                )
            yield {name: (None if value == "" else value) for name, value in row.items()}
    except csv.Error as error:
        raise XlqaError(f"{path}: near line {reader.line_num:,}: {error}: is the file cut short?") from error


def _parquet_rows(content: bytes, names: Columns) -> Iterator[dict[str, Any]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise XlqaError(f"{names.path}: Parquet needs pyarrow: pip install 'xlqa[parquet]'.") from error
    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content))
        columns = file.schema_arrow.names
        if not names.suffice(columns):
            raise names.unknown(columns)
        for batch in file.iter_batches(batch_size=4096):
            yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        message = str(error).splitlines()[0]
        raise XlqaError(
            f"{names.path}: the Parquet file is cut short or damaged ({message}): fetch it again."
        ) from error
