"""Prediction files: question id to answer, as SQuAD's script reads them, of any system."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.tasks.qa.jsontext import json_reason
from xlqa.util.compression import decompress
from xlqa.util.csvfile import csv_lines
from xlqa.util.files import read_input
from xlqa.util.text import plain

_EXPECTED = (
    'expected one JSON object of question id to answer, such as {"56be4db0": "Denver Broncos"}, or rows (JSON, JSON lines, CSV) '
    "with id and prediction_text"
)
_IDS = ("id", "question_id", "qid", "qas_id", "query_id")
_ANSWERS = ("prediction_text", "prediction", "answer", "answer_text", "text")


def read_predictions(path: Path) -> dict[str, str]:
    """Question id to answer; the answer "" means that there is none (SQuAD 2.0).

    Reads one JSON object, or rows of `{"id": …, "prediction_text": …}` as Hugging Face's metrics take them: a JSON list, JSON
    lines, CSV or TSV; plain or compressed, told apart by content.

    Raises:
        XlqaError: no such file, damaged, of another format, an answer that is not text, an id answered twice
            in different ways.
    """
    value = _parse(path)
    if isinstance(value, _Pairs) and {"id", "prediction_text"} <= {name for name, _ in value}:
        value = [value]  # one line of JSON lines
    pairs = _from_rows(value, path) if isinstance(value, list) else value
    if not isinstance(pairs, _Pairs):
        raise XlqaError(f"{path}: is not a prediction file: {_EXPECTED}.")
    if any(id == "data" and isinstance(answer, list) for id, answer in pairs):
        raise XlqaError(f"{path}: is a data set, not a prediction file: give the predictions first, then the data set.")
    return _collect(pairs, path)


class _Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object as it is in the file: a dict would drop ids that come twice without a word."""


def _parse(path: Path) -> Any:
    try:
        content = read_input(path)
    except FileNotFoundError as error:
        raise XlqaError(f"{path}: there is no such file: check the path of the predictions.") from error
    except OSError as error:
        raise XlqaError(f"{path}: cannot be read ({error.strerror}): name a file of predictions.") from error
    content, _ = decompress(content, path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise XlqaError(f"{path}: is not UTF-8 text (byte {error.start:,}): convert it to UTF-8.") from error
    if text.lstrip()[:1] not in ("{", "["):
        return _table(text, path)
    try:
        return json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        lines = _lines(text)
        if lines is not None:
            return lines
        where = f"line {error.lineno}, column {error.colno}"
        raise XlqaError(f"{path}: is not JSON or cut short ({where}: {error.msg}): {_EXPECTED}.") from error
    except (RecursionError, ValueError) as error:
        raise XlqaError(f"{path}: is not a prediction file ({json_reason(error)}): {_EXPECTED}.") from error


def _lines(text: str) -> list[Any] | None:
    """The values of a file with one JSON value a line; None where a line is not JSON."""
    try:
        return [json.loads(line, object_pairs_hook=_Pairs) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return None


def _table(text: str, path: Path) -> list[Any]:
    """The rows of a CSV or TSV file with a header."""
    header = next((line for line in csv_lines(text) if line.strip()), "")
    for delimiter in (",", "\t", ";"):
        reader = csv.reader(csv_lines(text), delimiter=delimiter, strict=True)
        try:
            rows = [row for row in reader if row]
        except csv.Error:
            continue
        names = [name.strip().lower() for name in rows[0]] if rows else []
        if set(names) & set(_IDS) and set(names) & set(_ANSWERS):
            return [_Pairs(zip(names, row, strict=False)) for row in rows[1:]]
    raise XlqaError(f'{path}: begins with "{plain(header[:200], 40)}": {_EXPECTED}.')


def _from_rows(rows: list[Any], path: Path) -> _Pairs:
    pairs = []
    for number, row in enumerate(rows, start=1):
        found = _cells(row)
        if found is None:
            raise XlqaError(f"{path}: entry {number} has no id and prediction_text: {_EXPECTED}.")
        pairs.append(found)
    return _Pairs(pairs)


def _cells(row: Any) -> tuple[str, Any] | None:
    """The id and answer of a row; None where it has not both."""
    cells = {str(name).lower(): value for name, value in row} if isinstance(row, _Pairs) else {}
    identity = next((cells[name] for name in _IDS if name in cells), None)
    answer = next((name for name in _ANSWERS if name in cells), None)
    return None if identity is None or answer is None else (str(identity), cells[answer])


def _collect(pairs: Iterable[tuple[str, Any]], path: Path) -> dict[str, str]:
    answers: dict[str, str] = {}
    for id, answer in pairs:
        if not isinstance(answer, str):
            shown = f"the answer to {plain(id, 60)} is {_kind(answer)}, not text"
            hint = 'write a string, "" for no answer'
            if _is_ranking(answer):
                hint = "these are rankings of several answers (nbest_predictions.json): give predictions.json, which is beside it"
            raise XlqaError(f"{path}: {shown}: {hint}.")
        key = id.strip()
        if answers.setdefault(key, answer) != answer:
            both = f'"{plain(answers[key], 60)}" and "{plain(answer, 60)}"'
            raise XlqaError(f"{path}: {plain(key, 60)} is answered twice, {both}: keep one of them.")
    return answers


def _is_ranking(value: Any) -> bool:
    """Whether an answer is a list of answers with their scores, as run_qa's nbest_predictions.json has them."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], _Pairs) and "text" in dict(value[0])


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return "an object" if isinstance(value, _Pairs) else "a list"
