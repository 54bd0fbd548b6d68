"""`xlqa clean DIR`: what caches, checkpoints and kept weights take, and freeing it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlqa.cli import print_error, print_json
from xlqa.cli.options import Json
from xlqa.errors import EXIT_RUNS_FAILED, XlqaError
from xlqa.util.tables import format_bytes, table_lines

if TYPE_CHECKING:
    from xlqa.runs.paths import Layout
    from xlqa.runs.store.kept import Kept


@dataclass(frozen=True)
class _Item:
    """Something that takes space: part of a cache, or what a sweep keeps."""

    kind: str
    name: str
    path: Path
    size: int
    why_kept: str
    sweep: Layout | None = None
    kept: Kept | None = None


def clean(
    folder: Annotated[Path, typer.Argument(help="Folder whose sweeps are cleaned.", metavar="DIR")] = Path("."),
    caches: Annotated[bool, typer.Option("--caches", help="Free tokenised sets and downloaded data sets.")] = False,
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints", help="Free checkpoints: trainings start from their beginning again.")
    ] = False,
    weights: Annotated[
        bool,
        typer.Option(
            "--weights", help="Free kept weights. A source stage is trained again if unfinished runs need it."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Free without asking.")] = False,
    as_json: Json = False,
) -> int:
    """Show what caches, checkpoints and kept weights take, and free it on request.

    Results and predictions always stay. What a running sweep uses is not removed, nor anything that xlqa did not write.

    Examples:

      xlqa clean

      xlqa clean results/ru --checkpoints --weights
    """
    root = folder.expanduser().resolve()
    if not root.is_dir():
        raise XlqaError(f"{folder}: there is no such folder.")
    items = _items(root)
    asked = {"caches": caches, "checkpoints": checkpoints, "weights": weights}
    chosen = [item for item in items if asked[item.kind] and not item.why_kept]
    if any(asked.values()) and chosen and not yes:
        _confirm(chosen, items, as_json)
    left = failed = _free(chosen)
    freed = [item for item in chosen if item.path not in left]
    if as_json:
        print_json(
            {
                "items": [
                    {"kind": item.kind, "name": item.name, "path": str(item.path), "bytes": item.size,
                     "kept_because": left.get(item.path, item.why_kept), "freed": item in freed}
                    for item in items
                ],
                "freed_bytes": sum(item.size for item in freed),
            }
        )  # fmt: skip
    elif not any(asked.values()):
        print("\n".join(_lines(items)))
    else:
        print(f"freed {format_bytes(sum(item.size for item in freed))}")
        left = failed | {item.path: item.why_kept for item in items if asked[item.kind] and item.why_kept}
    for path, why in left.items():
        print_error(f"{path} is kept: {why}.")
    return EXIT_RUNS_FAILED if failed else 0


def _items(root: Path) -> list[_Item]:
    """What takes space, the caches first."""
    from xlqa.data.cache_use import cached_parts
    from xlqa.runs.store.kept import find_sweeps, in_use, kept_by
    from xlqa.runs.store.marker import running_sweeps

    items = [_Item("caches", part.name, part.path, part.size, part.why_kept) for part in cached_parts()]
    for layout in find_sweeps(root):
        running = running_sweeps(layout.root)
        for kept in kept_by(layout):
            name = f"{layout.root.name}: {kept.folder.id}"
            items.append(_Item(kept.kind, name, kept.path, kept.size, in_use(kept, running), layout, kept))
    return items


def _lines(items: Sequence[_Item]) -> list[str]:
    rows = [(item.kind, item.name, format_bytes(item.size), item.why_kept) for item in items]
    lines = list(table_lines(("KIND", "WHAT", "SIZE", "STAYS BECAUSE"), rows))
    for kind in ("caches", "checkpoints", "weights"):
        free = sum(item.size for item in items if item.kind == kind and not item.why_kept)
        lines.append(f"--{kind} frees {format_bytes(free)}")
    return lines


def _confirm(chosen: Sequence[_Item], items: Sequence[_Item], as_json: bool) -> None:
    """Ask; where nobody can answer, refuse.

    Raises:
        XlqaError: there is no terminal, or the answer is no.
    """
    size = format_bytes(sum(item.size for item in chosen))
    if as_json or not sys.stdin.isatty():
        raise XlqaError(f"xlqa clean: this frees {size}: add --yes.")
    print("\n".join(_lines([item for item in items if item in chosen])[: len(chosen) + 1]))
    if not typer.confirm(f"Free {size}?"):
        raise XlqaError("nothing was freed.")


def _free(chosen: Sequence[_Item]) -> dict[Path, str]:
    """Remove what was chosen; returns what could not be removed, with the reason."""
    from xlqa.runs.store.kept import free

    reasons = {
        item.path: free(item.sweep, item.kept) if item.sweep and item.kept else _remove(item.path) for item in chosen
    }
    return {path: why for path, why in reasons.items() if why}


def _remove(path: Path) -> str:
    from xlqa.util.files import remove_whole

    try:
        remove_whole(path)
    except OSError as error:
        return str(error.strerror or error)
    return ""
