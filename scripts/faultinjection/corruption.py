"""Broken files: what a crash, a full disk or a bad sector leaves of them, and whether they were made whole again."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from faultinjection.process import Broken
from xlqa.util.files import temporary_owner

DEAD = 4194303
"""A process id that Linux gives last of all: that of a process which is no more."""


def _truncate(path: Path, rng: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content))])


def _empty(path: Path, rng: random.Random) -> None:
    path.write_bytes(b"")


def _flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    # Not white space: JSON would not mind.
    place = rng.choice([i for i in rng.sample(range(len(content)), min(len(content), 64)) if content[i] > 32])
    content[place] ^= 1 << rng.randrange(7)
    path.write_bytes(content)


def _zeros(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    begin = rng.randrange(len(content))
    length = min(512, len(content) - begin)
    content[begin : begin + length] = bytes(length)
    path.write_bytes(content)


def _append(path: Path, rng: random.Random) -> None:
    with path.open("ab") as file:
        file.write(rng.randbytes(rng.randint(1, 64)))


def _nonsense(path: Path, rng: random.Random) -> None:
    path.write_bytes(
        rng.choice([b"{}", b"[]", b"null", b"0", b'"', b"[" * 100_000, b"\xff\xfe\x00", rng.randbytes(500)])
    )


def _remove(path: Path, rng: random.Random) -> None:
    path.unlink()


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "truncated": _truncate, "emptied": _empty, "one bit flipped": _flip, "zeros inside": _zeros,
    "bytes appended": _append, "nonsense": _nonsense, "removed": _remove,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Harm:
    """One file that was harmed, and its bytes before."""

    path: Path
    damage: str
    before: bytes
    after: bytes | None

    def __str__(self) -> str:
        return f"{'/'.join(self.path.parts[-3:])} {self.damage}"


def harm(path: Path, rng: random.Random, damages: Sequence[str] = tuple(DAMAGES)) -> Harm:
    """Harm a file in one of these ways."""
    before, damage = path.read_bytes(), rng.choice(damages)
    if not before:
        damage = "bytes appended"
    DAMAGES[damage](path, rng)
    after = path.read_bytes() if path.is_file() else None
    return Harm(path, damage, before, after)


def refuse_unhealed(harms: Sequence[Harm]) -> None:
    """Every harmed file must have been found out and written again.

    Raises:
        Broken: one was not.
    """
    for each in harms:
        now = each.path.read_bytes() if each.path.is_file() else None
        if now is None or (now == each.after and not _same_json(now, each.before)):
            raise Broken(f"{each}: it was not made whole again.")


def _same_json(one: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except (ValueError, RecursionError):
        return False


def leave_half_written(path: Path, rng: random.Random) -> Path:
    """What a process that was killed while it wrote a file (or a folder) of this host leaves beside it."""
    left = path.with_name(f".{path.name}.{temporary_owner(DEAD - rng.randrange(1000))}.tmp")
    if path.is_dir():
        shutil.copytree(path, left)
        for part in rng.sample(sorted(left.iterdir()), 1):
            if part.is_file():
                _truncate(part, rng)
    else:
        content = path.read_bytes()
        left.write_bytes(content[: rng.randrange(len(content) + 1)])
    return left
