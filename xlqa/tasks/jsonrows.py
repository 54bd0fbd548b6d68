"""Objects of JSON lines, or of a file that is one JSON list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError


def is_json(text: str) -> bool:
    """Whether a text looks like JSON lines or a JSON list."""
    return text.lstrip()[:1] in ("{", "[")


def json_objects(text: str, path: Path, expected: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object with its line, or its place in a list, counted from 1.

    Args:
        expected: what an object should hold, for messages.

    Raises:
        XlqaError: it is not JSON, or something in it is not an object.
    """
    for number, value in _values(text, path):
        if not isinstance(value, dict):
            raise XlqaError(f"{path}, line {number}: is not a JSON object with {expected}.")
        yield number, value


def _values(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    if text.lstrip()[:1] == "[":
        try:
            yield from enumerate(json.loads(text), start=1)
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", 1)
            raise XlqaError(f"{path}, line {line}: is not JSON or cut short ({type(error).__name__}).") from error
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise XlqaError(f"{path}, line {number}: is not JSON or cut short ({type(error).__name__}).") from error
