"""Objects of JSON lines, or of a file that is one JSON list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.tasks.qa.jsontext import json_reason


def is_json(text: str) -> bool:
    """Whether a text looks like JSON lines or a JSON list."""
    return text.lstrip()[:1] in ("{", "[")


def place_in(found: str, number: int) -> str:
    """Where an example is, for messages: the element of a JSON list, the row of a Parquet file, or the line.

    Args:
        found: the file's format in a few words; number: counted from 1.
    """
    kind = found.partition(",")[0]
    return f"{'element' if kind == 'JSON' else 'row' if kind == 'Parquet' else 'line'} {number:,}"


def json_objects(text: str, path: Path, expected: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object with its line, or its place in a list, counted from 1.

    Args:
        expected: what an object should hold, for messages.

    Raises:
        XlqaError: it is not JSON, or something in it is not an object.
    """
    for number, value in _values(text, path):
        if not isinstance(value, dict):
            found = "JSON" if text.lstrip()[:1] == "[" else "JSON lines"
            raise XlqaError(f"{path}, {place_in(found, number)}: is not a JSON object with {expected}.")
        yield number, value


def _values(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    if text.lstrip()[:1] == "[":
        try:
            yield from enumerate(json.loads(text), start=1)
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", 1)
            raise XlqaError(f"{path}, line {line}: is not JSON or cut short ({json_reason(error)}).") from error
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise XlqaError(f"{path}, line {number}: is not JSON or cut short ({json_reason(error)}).") from error
