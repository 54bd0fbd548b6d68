"""Prediction files: question id to answer, as SQuAD's script reads them, of any system."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.util.compression import decompress
from xlqa.util.files import read_input
from xlqa.util.text import plain

_EXPECTED = 'expected one JSON object of question id to answer, such as {"56be4db0": "Denver Broncos"}'


def read_predictions(path: Path) -> dict[str, str]:
    """Question id to answer; the answer "" says that there is none (SQuAD 2.0).

    Reads one JSON object, or a list of `{"id": …, "prediction_text": …}` as Hugging Face's metrics take it; plain, gzip
    or xz, told apart by content.

    Raises:
        XlqaError: no such file, damaged, of another format, an answer that is not text, an id answered twice
            in different ways.
    """
    value = _parse(path)
    pairs = _from_rows(value, path) if isinstance(value, list) else value
    if not isinstance(pairs, _Pairs):
        raise XlqaError(f"{path}: is no prediction file: {_EXPECTED}.")
    if any(id == "data" and isinstance(answer, list) for id, answer in pairs):
        raise XlqaError(f"{path}: is a data set, not a prediction file: give the predictions first, then the data set.")
    return _collect(pairs, path)


class _Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object as it stands in the file: a dict would drop ids that come twice without a word."""


def _parse(path: Path) -> Any:
    try:
        content = read_input(path)
    except FileNotFoundError as error:
        raise XlqaError(f"{path}: there is no such file: check the path of the predictions.") from error
    except OSError as error:
        raise XlqaError(f"{path}: cannot be read ({error.strerror}): name a file of predictions.") from error
    content, _ = decompress(content, path)
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_Pairs)
    except UnicodeDecodeError as error:
        raise XlqaError(f"{path}: is not UTF-8 text (byte {error.start:,}): convert it to UTF-8.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise XlqaError(f"{path}: is not JSON or cut short ({where}: {error.msg}): {_EXPECTED}.") from error
    except RecursionError as error:
        raise XlqaError(f"{path}: is nested too deeply to be predictions: {_EXPECTED}.") from error
    except ValueError as error:
        raise XlqaError(f"{path}: holds a number of too many digits: {_EXPECTED}.") from error


def _from_rows(rows: list[Any], path: Path) -> _Pairs:
    pairs = []
    for number, row in enumerate(rows, start=1):
        cells = dict(row) if isinstance(row, _Pairs) else {}
        if "id" not in cells or "prediction_text" not in cells:
            raise XlqaError(f"{path}: entry {number} has no id and prediction_text: {_EXPECTED}.")
        pairs.append((str(cells["id"]), cells["prediction_text"]))
    return _Pairs(pairs)


def _collect(pairs: Iterable[tuple[str, Any]], path: Path) -> dict[str, str]:
    answers: dict[str, str] = {}
    for id, answer in pairs:
        if not isinstance(answer, str):
            shown = f"the answer to {plain(id, 60)} is {_kind(answer)}, not text"
            raise XlqaError(f'{path}: {shown}: write a string, "" for no answer.')
        key = id.strip()  # as reading a data set does with its ids
        if answers.setdefault(key, answer) != answer:
            both = f'"{plain(answers[key], 60)}" and "{plain(answer, 60)}"'
            raise XlqaError(f"{path}: {plain(key, 60)} is answered twice, {both}: keep one of them.")
    return answers


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return "an object" if isinstance(value, _Pairs) else "a list"
