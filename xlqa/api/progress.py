"""A running or finished sweep at a glance: `xlqa.status`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlqa.api.results import frame_of
from xlqa.runs.plan.cost import describe_unanswerable
from xlqa.runs.store.status import Group, RunStatus, SweepStatus, read_status
from xlqa.sweep_keywords import PathLike
from xlqa.util import html
from xlqa.util.tables import table_lines
from xlqa.util.text import format_duration, printable

if TYPE_CHECKING:
    import pandas as pd

WORDS = {"begun": "started elsewhere or interrupted"}


@dataclass(frozen=True, slots=True, repr=False)
class Status(SweepStatus):
    """A sweep's folder at one moment; `print` shows what `xlqa status` does."""

    @property
    def table(self) -> pd.DataFrame:
        """A row for each language, arm, size, setting and test set: prepared and finished runs, mean scores."""
        return frame_of([asdict(group) for group in self.groups], [field.name for field in fields(Group)])

    def as_record(self) -> dict[str, Any]:
        """Everything as one JSON document."""
        newest = self.last_result.isoformat() if self.last_result else None
        return asdict(self) | {"folder": str(self.folder), "last_result": newest}

    def __repr__(self) -> str:
        heads, rows = self._cells()
        stages = [printable(_describe_run(stage)) for stage in self.stages]
        lines = [printable(self._headline()), "", *stages, *[""] * bool(stages)]
        lines += table_lines([head.upper() for head in heads], rows)
        lines += [""] * bool(self._unfinished()) + self._unfinished()
        return "\n".join([*lines, *self._notes()])

    def _repr_html_(self) -> str:
        stages = [_describe_run(stage) for stage in self.stages]
        notes = [line for line in (*self._unfinished(), *self._notes()) if line]
        return html.paragraph(self._headline(), *stages) + html.table(*self._cells()) + html.paragraph(*notes)

    def _headline(self) -> str:
        counts = ", ".join(f"{count} {WORDS.get(state, state)}" for state, count in self.counts.items() if count)
        newest = f"; last result {_ago(self.last_result)}" if self.last_result else ""
        return f"{self.folder}: {len(self.runs)} runs: {counts}{newest}"

    def _cells(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        metrics = "/".join(dict.fromkeys(group.metric for group in self.groups)).upper()
        heads = ("lang", "arm", "size", "test", "done", metrics or "F1", "scorer", "setting")
        return heads, [
            (g.lang, g.arm, f"{g.size:,}", g.test + (" (valid)" if g.split == "valid" else ""), f"{g.done}/{g.runs}",
             "–" if g.leading is None else f"{g.leading:.1f}", g.scorer, g.setting)
            for g in self.groups
        ]  # fmt: skip

    def _unfinished(self) -> list[str]:
        states = ("running", "begun", "failed")
        return [printable(_describe_run(run)) for state in states for run in self.runs if run.state == state]

    def _notes(self) -> list[str]:
        lines = []
        if self.set_aside:
            lines += ["", f"{self.set_aside} more were prepared by an earlier request and never began."]
        lines += [f"refused  {printable(line)}" for line in self.refused]
        lines += map(printable, describe_unanswerable(self.unanswerable))
        if self.no_answer_thresholds:
            low, high = self.no_answer_thresholds
            lines.append(f"no-answer thresholds: {low:.3g}" + (f" to {high:.3g}" if low < high else ""))
        if self.in_state("failed", "begun", "waiting") and not self.in_state("running"):
            lines += ["", "The same `xlqa sweep` command resumes the sweep. Finished runs are not repeated."]
        return lines


def status(folder: PathLike = ".") -> Status:
    """The progress of a sweep, from its files: finished runs, mean scores, running and failed runs.

    Args:
        folder: of the sweep (its `out`).

    Raises:
        XlqaError: it is not a sweep's folder.
    """
    found = read_status(Path(folder).expanduser().resolve())
    return Status(**{field.name: getattr(found, field.name) for field in fields(found)})


def _ago(moment: datetime) -> str:
    return f"{format_duration(max(0.0, (datetime.now(UTC) - moment).total_seconds()))} ago"


def _describe_run(run: RunStatus) -> str:
    name = f"{run.lang} {run.arm} {run.size:,} seed {run.seed}"
    if run.state == "failed":
        tries = f" ({run.attempts} tries)" if run.attempts > 1 else ""
        return f"failed   {name}: {run.error}{tries} [{run.run_id}]"
    step = _describe_step(run)
    return f"{run.state:8} {name}{': ' if step else ''}{step}"


def _describe_step(run: RunStatus) -> str:
    if run.state == "done":
        return "" if run.steps is None else f"{run.steps:,} steps"
    last = run.last_step
    if last is None:
        return ""
    whole = "" if run.steps is None else f"/{run.steps:,}"
    where = f"step {last.step:,}{whole}, loss {last.loss:.3f}, {last.examples_per_second:.1f} examples/s"
    return f"{where}, {format_duration(last.seconds_ago)} ago"
