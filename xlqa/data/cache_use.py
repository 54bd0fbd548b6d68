"""What the caches of this machine take, and removing it: tokenised sets and downloaded data sets.

Encoders stay: sweeps link to them. A data folder that the user chose (XLQA_DATA, --data-dir) is theirs and stays too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xlqa.data.cache import FROM_HUB, PACKED, cache_folder, chosen_data_folder, data_folder, tokenised_folder
from xlqa.data.registry import SETS
from xlqa.util.files import folder_size
from xlqa.util.locks import is_locked


@dataclass(frozen=True, slots=True)
class Cached:
    """A part of the caches.

    Attributes:
        why_kept: why it is not removed; "" where it may be.
    """

    name: str
    path: Path
    size: int
    why_kept: str


def cached_parts() -> Iterator[Cached]:
    """What is in the caches, in the order of its kinds."""
    yield from _part("tokenised sets", tokenised_folder(), "")
    data = data_folder()
    own = "" if chosen_data_folder() is None else "its folder was chosen by XLQA_DATA"
    for name in dict.fromkeys(data_set.name for data_set in SETS):
        yield from _part(f"data set {name}", data / name, own)
    yield from _part("data sets of the hub", data / FROM_HUB, own)
    yield from _part("data sets in several files", data / PACKED, own)
    yield from _part("encoders", cache_folder() / "encoders", "sweeps link to them")


def _part(name: str, path: Path, why_kept: str) -> Iterator[Cached]:
    if path.is_symlink():
        yield Cached(name, path, 0, "it is a link")
    elif path.is_dir():
        busy = "a process is fetching it" if is_locked(path) else ""
        yield Cached(name, path, folder_size(path), why_kept or busy)
