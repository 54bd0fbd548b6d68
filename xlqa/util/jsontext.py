"""JSON documents for programs."""

from __future__ import annotations

import json
from typing import Any

from xlqa.util.text import without_surrogates


def json_text(value: Any, *, escaped: bool = False) -> str:
    """One JSON document, with a line end.

    NaN and infinities, which JSON does not have, become null. What is not Unicode in a file's name becomes U+FFFD.

    Args:
        escaped: write letters beyond ASCII as escapes.
    """
    return json.dumps(_writable(value), ensure_ascii=escaped, indent=2) + "\n"


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {_writable(key): _writable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(item) for item in value]
    return value
