"""Reads Parquet files as the Hugging Face hub has them: rows, with numbered labels as text where the file names them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.util.files import read_input
from xlqa.util.text import first_line

MAGIC = b"PAR1"
_MOST_NESTED = 8
"""Lists in lists of a feature that are looked into."""


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet does; False for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def read_parquet(path: Path) -> tuple[bytes, list[dict[str, Any]]]:
    """The bytes of a file and its rows.

    A column of numbers for which the file has names (the `ClassLabel` of Hugging Face datasets) holds these names.

    Raises:
        XlqaError: the file cannot be read or is damaged, or pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise XlqaError(f"{path}: Parquet needs pyarrow: pip install 'xlqa[parquet]'.") from error
    content = read_input(path)
    try:
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(content))
        rows = table.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise XlqaError(
            f"{path}: the Parquet file is cut short or damaged ({first_line(error)}): fetch it again."
        ) from error
    names = label_names((table.schema.metadata or {}).get(b"huggingface", b""))
    return content, [{key: named(value, names.get(key, ())) for key, value in row.items()} for row in rows]


def first_row(path: Path) -> dict[str, Any] | None:
    """The first row of a file, without reading the others; None where there is none or it cannot be read."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return None
    try:
        batch = next(pyarrow.parquet.ParquetFile(path).iter_batches(batch_size=1), None)
    except (pyarrow.ArrowException, OSError):
        return None
    rows: list[dict[str, Any]] = batch.to_pylist() if batch is not None else []
    return rows[0] if rows else None


def label_names(metadata: bytes) -> dict[str, tuple[str, ...]]:
    """Column -> names of its numbers, from what the library `datasets` writes into a file's metadata."""
    try:
        return feature_names(json.loads(metadata)["info"]["features"])
    except (ValueError, KeyError, TypeError):
        return {}


def feature_names(features: Any) -> dict[str, tuple[str, ...]]:
    """Column -> names of its numbers, from the features of a data set; those of lists included."""
    if not isinstance(features, dict):
        return {}
    elements = {key: _element(feature) for key, feature in features.items()}
    return {
        key: tuple(map(str, feature["names"]))
        for key, feature in elements.items()
        if isinstance(feature, dict) and isinstance(feature.get("names"), list)
    }


def _element(feature: Any) -> Any:
    """The feature of a list's elements, which `datasets` writes as `{"feature": …}` or as a list of one; others as they are."""
    for _ in range(_MOST_NESTED):
        if isinstance(feature, list) and len(feature) == 1:
            feature = feature[0]
        elif isinstance(feature, dict) and "feature" in feature:
            feature = feature["feature"]
        else:
            break
    return feature


def named(value: Any, names: tuple[str, ...]) -> Any:
    """A value, or those of a list, with numbers replaced by their names."""
    if isinstance(value, list):
        return [named(item, names) for item in value]
    return names[value] if type(value) is int and 0 <= value < len(names) else value
