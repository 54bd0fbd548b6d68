"""`xlqa status DIR`: a running or finished sweep at a glance."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlqa.cli import print_json
from xlqa.cli.options import Json, SweepFolder
from xlqa.util.text import printable

if TYPE_CHECKING:
    from xlqa.runs.store.status import RunStatus, SweepStatus

WORDS = {"begun": "started elsewhere or interrupted"}


def status(
    folder: SweepFolder = Path("."),
    as_json: Json = False,
) -> int:
    """Show the progress of a sweep: finished runs, mean scores, running and failed runs.

    Reads only the sweep's files. Means are over the finished runs.

    Examples:

      xlqa status

      xlqa status /shared/sweeps/ru --json
    """
    from xlqa.runs.store.status import read_status

    found = read_status(folder)
    if as_json:
        print_json(_record(found))
    else:
        print("\n".join(_lines(found)))
    return 0


def _record(found: SweepStatus) -> dict[str, Any]:
    from dataclasses import asdict

    record = asdict(found)
    newest = found.last_result.isoformat() if found.last_result else None
    return record | {"folder": str(found.folder), "last_result": newest}


def _lines(found: SweepStatus) -> list[str]:
    from xlqa.cli.tables import table_lines
    from xlqa.runs.plan.cost import describe_unanswerable

    lines = [printable(_headline(found)), ""]
    lines += [printable(_say_run(stage)) for stage in found.stages] + [""] * bool(found.stages)
    metrics = "/".join(dict.fromkeys(group.metric for group in found.groups)).upper()
    heads = ("LANG", "ARM", "SIZE", "TEST", "DONE", metrics or "F1", "SCORER", "SETTING")
    rows = [
        (g.lang, g.arm, f"{g.size:,}", g.test + (" (valid)" if g.split == "valid" else ""), f"{g.done}/{g.runs}",
         "–" if g.leading is None else f"{g.leading:.1f}", g.scorer, g.setting)
        for g in found.groups
    ]  # fmt: skip
    lines += table_lines(heads, rows)
    unfinished = [run for state in ("running", "begun", "failed") for run in found.runs if run.state == state]
    lines += [""] * bool(unfinished) + [printable(_say_run(run)) for run in unfinished]
    if found.set_aside:
        lines += ["", f"{found.set_aside} more were prepared by an earlier request and never began."]
    lines += [f"refused  {printable(line)}" for line in found.refused]
    lines += map(printable, describe_unanswerable(found.unanswerable))
    if found.in_state("failed", "begun", "waiting") and not found.in_state("running"):
        lines += ["", "The same `xlqa sweep` command goes on from here; finished runs are not repeated."]
    return lines


def _headline(found: SweepStatus) -> str:
    counts = ", ".join(f"{count} {WORDS.get(state, state)}" for state, count in found.counts.items() if count)
    newest = f"; last result {_ago(found.last_result)}" if found.last_result else ""
    return f"{found.folder}: {len(found.runs)} runs: {counts}{newest}"


def _ago(moment: datetime) -> str:
    from xlqa.util.text import format_duration

    return f"{format_duration(max(0.0, (datetime.now(UTC) - moment).total_seconds()))} ago"


def _say_run(run: RunStatus) -> str:
    name = f"{run.lang} {run.arm} {run.size:,} seed {run.seed}"
    if run.state == "failed":
        tries = f" ({run.attempts} tries)" if run.attempts > 1 else ""
        return f"failed   {name}: {run.error}{tries} [{run.run_id}]"
    step = _say_step(run)
    return f"{run.state:8} {name}{': ' if step else ''}{step}"


def _say_step(run: RunStatus) -> str:
    from xlqa.util.text import format_duration

    if run.state == "done":
        return "" if run.steps is None else f"{run.steps:,} steps"
    last = run.last_step
    if last is None:
        return ""
    whole = "" if run.steps is None else f"/{run.steps:,}"
    where = f"step {last.step:,}{whole}, loss {last.loss:.3f}, {last.examples_per_second:.1f} examples/s"
    return f"{where}, {format_duration(last.seconds_ago)} ago"
