"""Where a report comes from: the study's name and dates, the versions that trained it, and the commands that make it again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from xlqa.curves.report.document import Table
from xlqa.curves.report.formatting import listed

if TYPE_CHECKING:
    import pandas as pd

_VERSIONS = ("xlqa", "deeppavlov", "torch", "transformers", "precision", "device")
_MOST_NAMES = 3


@dataclass(frozen=True)
class Origin:
    """What a study is called, and what made it.

    Attributes:
        title: the report's title, where one was given; name: of the study, else that of its folder.
        dates: when its runs ended; versions: what they ran under.
        commands: what writes the report and its figures again.
    """

    title: str = ""
    name: str = ""
    dates: str = ""
    versions: Table | None = None
    commands: tuple[str, ...] = ()


NO_ORIGIN = Origin()


def find_origin(
    rows: pd.DataFrame, tables: Sequence[Path], title: str, words: Sequence[str], selection: Sequence[str]
) -> Origin:
    """The origin of a report on some tables.

    Args:
        title: the report's title; "" for one made of the folders' names.
        words: the flags of the command that writes the report; selection: those of them that choose rows and the score.
    """
    folders = [path.resolve() if path.is_dir() else path.resolve().parent for path in tables]
    names = list(dict.fromkeys(folder.name for folder in folders if folder.name))
    shown = names if len(names) <= _MOST_NAMES else [*names[: _MOST_NAMES - 1], f"{len(names) - _MOST_NAMES + 1} more"]
    return Origin(title, title or listed(shown), _dates(rows), _versions(rows), _commands(tables, words, selection))


def _dates(rows: pd.DataFrame) -> str:
    """The first and last day on which a run ended; "" where the table lacks them."""
    days = sorted({str(cell)[:10] for cell in rows["finished"] if str(cell)[:4].isdigit()})
    return "" if not days else days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"


def _versions(rows: pd.DataFrame) -> Table:
    """What the runs were made with, and the xlqa that wrote the report."""
    found = [(name, ", ".join(sorted({str(cell) for cell in rows[name]} - {""}))) for name in _VERSIONS]
    with suppress(PackageNotFoundError):
        found.append(("this report", f"xlqa {version('xlqa')}"))
    return Table("Versions", ("what", "version"), tuple((n, v) for n, v in found if v), align="ll", name="versions")


def _commands(tables: Sequence[Path], words: Sequence[str], selection: Sequence[str]) -> tuple[str, ...]:
    """What to type in the folder that the report was written from; paths below it do not name where it is."""
    paths = [_from_here(path) for path in tables]
    given = " ".join(shlex.quote(str(path)) for path in paths)
    folders = dict.fromkeys(path if path.is_dir() else path.parent for path in paths)
    sweeps = [folder / "experiment.toml" for folder in folders if (folder / "experiment.toml").is_file()]
    made = [f"xlqa sweep --config {shlex.quote(str(path))}" for path in sweeps]
    for command, flags in (
        ("report", words), ("report", (*selection, "--table", "gain", "--format", "tex")),
        ("plot", (*selection, "--what", "curve", "--out", "curve.pdf")),
    ):  # fmt: skip
        made.append(f"xlqa {command} {given} {shlex.join(flags)}".rstrip())
    return tuple(made) if given else ()


def _from_here(path: Path) -> Path:
    """The path as it was given; relative where it is absolute and below the current folder."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path
