"""Tables of results as pandas frames: `xlqa.load_results`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from xlqa.settings import split_words
from xlqa.sweep_keywords import PathLike, Words

if TYPE_CHECKING:
    import pandas as pd


@runtime_checkable
class HasResults(Protocol):
    """A sweep that ended: `xlqa.sweep` returns one."""

    @property
    def results(self) -> pd.DataFrame: ...


if TYPE_CHECKING:
    Tables = pd.DataFrame | HasResults | PathLike | Sequence[PathLike]
else:
    Tables = Any
"""A sweep that ended, a frame of `load_results`, or what that takes."""


def load_results(paths: PathLike | Sequence[PathLike]) -> pd.DataFrame:
    """One or several results.csv (or their folders) as one checked frame.

    Numbers are float64, NaN where a cell is empty; words are str, "" where empty; `size` is int64; `folder` is the
    folder of a row's table. `xlqa columns` and docs/columns.md describe each column.

    Raises:
        XlqaError: a file that is missing, foreign or broken, with line and column.
    """
    from xlqa.curves.table import load_results as load

    return load(paths)


def as_frame(results: Tables) -> pd.DataFrame:
    """The frame of a sweep, a frame, or tables by name."""
    import pandas as pd

    if isinstance(results, pd.DataFrame):
        return results
    return results.results if isinstance(results, HasResults) else load_results(results)


def table_paths(results: Tables) -> list[Path]:
    """The tables that rows came from: their files or folders."""
    import pandas as pd

    from xlqa.curves.table import FOLDER_COLUMN

    if isinstance(results, pd.DataFrame | HasResults):
        return [Path(folder) for folder in dict.fromkeys(as_frame(results)[FOLDER_COLUMN])]
    return [Path(results)] if isinstance(results, str | Path) else [Path(path) for path in results]


def as_words(value: Words) -> tuple[str, ...]:
    """The words of a comma list, or of a list."""
    return tuple(split_words(value))


def chosen_seeds(seeds: str | int | Sequence[int]) -> tuple[int, ...]:
    """Seeds from "0-4,7", one seed, or a list; () for all."""
    from xlqa.curves.grouping import parse_seeds

    if isinstance(seeds, str):
        return parse_seeds(seeds) if seeds else ()
    return (int(seeds),) if isinstance(seeds, int | Integral) else tuple(int(seed) for seed in seeds)


def frame_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> pd.DataFrame:
    """A frame of records."""
    import pandas as pd

    return pd.DataFrame([dict(row) for row in rows], columns=list(columns) or None)
