"""Which runs and source stages of a folder were asked for, so that `xlqa status` does not count what old dry runs prepared.

`requested.json` lists those of all sweeps that were started in the folder, and those of the latest dry run, with the data
sets of the latest request that have questions without an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout
from xlqa.util.files import load_json, write_json
from xlqa.util.locks import waiting_lock

STARTED, PREPARED, UNANSWERABLE = "started", "prepared", "unanswerable"


def record_request(
    layout: Layout, ids: Iterable[str], *, dry_run: bool, unanswerable: Mapping[str, tuple[int, int]] | None = None
) -> None:
    """Record the runs and source stages of a sweep that starts, or of a dry run, which replaces the dry run before it.

    Args:
        unanswerable: by the data set's name: questions without an answer, and all questions.

    Raises:
        XlqaError: the folder cannot be written.
    """
    layout.root.mkdir(parents=True, exist_ok=True)
    with waiting_lock(layout.root):
        before, asked = _read(layout).get(STARTED, []), sorted(ids)
        started, prepared = (before, asked) if dry_run else (sorted({*before, *asked}), [])
        counts = {name: list(pair) for name, pair in (unanswerable or {}).items()}
        write_json(layout.requests, {STARTED: started, PREPARED: prepared, UNANSWERABLE: counts})


def requested_ids(layout: Layout) -> frozenset[str] | None:
    """Ids of the runs and source stages that were asked for; None where that was never recorded, as by version 0.1."""
    record = _read(layout)
    return frozenset(record[STARTED]) | frozenset(record[PREPARED]) if record else None


def requested_unanswerable(layout: Layout) -> dict[str, tuple[int, int]]:
    """Of the latest request's data sets that have any: questions without an answer, and all questions."""
    counts = _read(layout).get(UNANSWERABLE, {})
    pairs = counts.items() if isinstance(counts, dict) else ()
    return {
        name: (pair[0], pair[1])
        for name, pair in pairs
        if isinstance(pair, list) and len(pair) == 2 and all(type(count) is int and count >= 0 for count in pair)
    }


def _read(layout: Layout) -> dict[str, Any]:
    try:
        value = load_json(layout.requests)
    except XlqaError:
        return {}
    whole = isinstance(value, dict) and all(
        isinstance(value.get(name), list) and all(isinstance(item, str) for item in value[name])
        for name in (STARTED, PREPARED)
    )
    return value if whole else {}
