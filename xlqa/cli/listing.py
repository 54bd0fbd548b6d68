"""`xlqa list DIR`: the sweeps below a folder, and what they keep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xlqa.cli import print_error, print_json
from xlqa.cli.options import Json
from xlqa.errors import XlqaError
from xlqa.util.tables import format_bytes, table_lines
from xlqa.util.text import printable

if TYPE_CHECKING:
    from xlqa.runs.store.kept import ListedSweep

MOST_SIZES = 6


def list_sweeps(
    folder: Annotated[Path, typer.Argument(help="Folder to search.", metavar="DIR")] = Path("."),
    runs: Annotated[bool, typer.Option("--runs", help="List the runs of each sweep.")] = False,
    as_json: Json = False,
) -> int:
    """List the sweeps below a folder: task, languages, arms, sizes, progress, and the size of what is kept.

    Examples:

      xlqa list

      xlqa list /shared/sweeps --runs
    """
    from xlqa.runs.store.kept import find_sweeps, list_sweep

    root = folder.expanduser().resolve()
    if not root.is_dir():
        raise XlqaError(f"{folder}: there is no such folder.")
    found, refused = [], []
    for layout in find_sweeps(root):
        try:
            found.append(list_sweep(layout))
        except XlqaError as error:
            refused.append(str(error).splitlines()[0])
    if as_json:
        print_json([_record(sweep, runs) for sweep in found])
    elif not found:
        print(f"{folder}: no sweep below it")
    else:
        print("\n".join(_lines(found, root, runs)))
    for line in refused:
        print_error(f"left out: {line}")
    return 0


def _record(sweep: ListedSweep, runs: bool) -> dict[str, Any]:
    record = {
        "folder": str(sweep.folder), "tasks": sweep.tasks, "languages": sweep.languages, "arms": sweep.arms,
        "sizes": sweep.sizes, "done": sweep.done, "runs": sweep.runs, "running_sweeps": sweep.running,
        "weights_bytes": sweep.size("weights"), "checkpoints_bytes": sweep.size("checkpoints"),
    }  # fmt: skip
    if not runs:
        return record
    return record | {
        "run_list": [
            {"run_id": run.run_id, "lang": run.lang, "arm": run.arm, "size": run.size, "seed": run.seed, "state": run.state,
             "weights_bytes": sweep.size("weights", run.run_id), "checkpoints_bytes": sweep.size("checkpoints", run.run_id)}
            for run in sweep.states
        ]
    }  # fmt: skip


def _lines(found: Sequence[ListedSweep], root: Path, runs: bool) -> list[str]:
    heads = ("SWEEP", "TASK", "LANGUAGES", "ARMS", "SIZES", "DONE", "WEIGHTS", "CHECKPOINTS", "STATE")
    lines = list(table_lines(heads, [_row(sweep, root) for sweep in found]))
    if runs:
        run_heads = ("RUN", "STATE", "WEIGHTS", "CHECKPOINTS")
        for sweep in found:
            rows = [
                (run.run_id, run.state, *(_size(sweep.size(kind, run.run_id)) for kind in ("weights", "checkpoints")))
                for run in sweep.states
            ]
            lines += ["", printable(str(sweep.folder)), *table_lines(run_heads, rows)]
    return lines


def _row(sweep: ListedSweep, root: Path) -> tuple[str, ...]:
    name = str(sweep.folder.relative_to(root)) if sweep.folder != root else "."
    done = f"{sweep.done}/{sweep.runs}" if sweep.runs is not None else f"{sweep.done} in its table"
    state = "running" if sweep.running else ""
    return (
        name, " ".join(sweep.tasks), " ".join(sweep.languages), " ".join(sweep.arms), _sizes(sweep.sizes), done,
        _size(sweep.size("weights")), _size(sweep.size("checkpoints")), state,
    )  # fmt: skip


def _sizes(sizes: Sequence[int]) -> str:
    words = [f"{size:,}" for size in sizes]
    return " ".join(words) if len(words) <= MOST_SIZES else f"{words[0]} … {words[-1]} ({len(words)})"


def _size(count: int) -> str:
    return format_bytes(count) if count else "–"
