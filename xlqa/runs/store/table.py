"""results.csv: written from the records of finished evaluations, so that the same runs give the same bytes.

The table may be somebody's only copy of scores. It is replaced only by one that accounts for all its rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlqa.errors import XlqaError
from xlqa.records import SEED_COLUMNS, SETTING_COLUMNS, TEST_COLUMNS, THRESHOLD, Arm, result_columns
from xlqa.runs.paths import Layout
from xlqa.runs.store.results import RESULT, load_result, task_of
from xlqa.runs.store.rows import evaluation_row
from xlqa.util.csvfile import csv_text
from xlqa.util.files import read_file, write_text
from xlqa.util.locks import waiting_lock

if TYPE_CHECKING:
    from xlqa.runs.plan.planner import Plan

ARM_ORDER = {arm.value: index for index, arm in enumerate(Arm)}

MOST_TABLE_BYTES = 1 << 30

Key = tuple[str, str]
"""Run and evaluation of a row."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What the records below runs/ give.

    Attributes:
        rows: of all finished evaluations, sorted by what they measure.
        dropped: a line for each evaluation whose record is there but broken, or disagrees with the files beside it.
    """

    rows: tuple[Mapping[str, Any], ...]
    dropped: tuple[str, ...]

    @property
    def keys(self) -> set[Key]:
        return {(row["run_id"], row["eval_id"]) for row in self.rows}


def collect_results(layout: Layout) -> Collected:
    """Read every evaluation's record below runs/."""
    rows: list[Mapping[str, Any]] = []
    dropped: list[str] = []
    for folder in (path for run in layout.run_folders() for path in run.evaluations()):
        try:
            rows.append(load_result(folder).row)
        except XlqaError as error:
            if (folder / RESULT).exists():
                dropped.append(str(error))
    return Collected(tuple(sorted(rows, key=_order)), tuple(dropped))


def table_columns(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The columns of a table: those of its rows' task; of several tasks, all of theirs."""
    kinds = dict.fromkeys((task_of(row), THRESHOLD in row) for row in rows) or {("qa", False): None}
    # Rows with further columns first, so that these are at their place in the table.
    ordered = sorted(kinds, key=lambda kind: not kind[1])
    return tuple(dict.fromkeys(column for kind in ordered for column in result_columns(*kind)))


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        row["lang"], row["model"], ARM_ORDER.get(row["arm"], 9), row["size"], row["seed"], row["test"], row["run_id"],
        row["eval_id"],
    )  # fmt: skip


def write_results(layout: Layout, *, keep_rows: bool = False) -> Collected:
    """Write results.csv from the records below runs/.

    The records are read while the folder is locked, so that of two processes the later table has all of the earlier's rows.

    Args:
        keep_rows: refuse to replace a table that has a row which the new one lacks.

    Raises:
        XlqaError: the table cannot be written, or would lose rows.
    """
    with waiting_lock(layout.root):
        found = collect_results(layout)
        if keep_rows and (lost := [key for key in table_keys(layout) if key not in found.keys]):
            raise XlqaError(_describe_loss(layout, lost, found.dropped))
        write_text(layout.results, csv_text(table_columns(found.rows), found.rows))
    return found


def check_tables(layout: Layout) -> None:
    """Refuse a folder whose results.csv or failures.csv has rows of runs that are not below runs/ (or source/).

    Raises:
        XlqaError: names the table and the first such row.
    """
    known = {folder.id for folder in (*layout.run_folders(), *layout.source_folders())}
    if lost := [key for key in table_keys(layout) if key[0] not in known]:
        raise XlqaError(_describe_loss(layout, lost, ()))
    for run_id in _column(layout.failures, "run_id"):
        if run_id not in known:
            raise XlqaError(
                f"{layout.failures} names the run {run_id[:80]!r}, which is not below this folder: move the file away, or "
                "choose another --out."
            )


def refuse_equal_rows(plan: Plan) -> None:
    """Refuse a plan with a run whose rows would equal those of another run of the folder in all settings of the table.

    The runs differ in what has no column: warm-up and minimum steps of the source stage, `--skip-bad`, the labels. No command
    could tell their rows apart.

    Raises:
        XlqaError: names both runs.
    """
    ours = {spec.run_id for spec, _ in plan.runs}
    foreign = {run_id for run_id, _ in table_keys(plan.layout)} - ours
    if not foreign:
        return
    planned = {
        _setting_of(evaluation_row(spec, evaluation)): spec.run_id for spec, evals in plan.runs for evaluation in evals
    }
    for row in collect_results(plan.layout).rows:
        if row["run_id"] in foreign and (own := planned.get(_setting_of(row))):
            raise XlqaError(
                f"{plan.layout.root} has the run {row['run_id']}, and rows of {own} would have the same settings in the table. The runs "
                "differ in the warm-up or minimum steps of the source stage, in --skip-bad or in their labels: choose another --out."
            )


def _setting_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values by which a table tells rows apart."""
    return tuple(row.get(name) for name in ("lang", "arm", "size", *SEED_COLUMNS, *SETTING_COLUMNS, *TEST_COLUMNS))


def table_keys(layout: Layout) -> list[Key]:
    """Run and evaluation of each row of results.csv; none where there is no table.

    Raises:
        XlqaError: the file is not a table that xlqa wrote.
    """
    return list(zip(_column(layout.results, "run_id"), _column(layout.results, "eval_id"), strict=True))


def _column(path: Any, name: str) -> list[str]:
    if not path.exists():
        return []
    try:
        reader = csv.DictReader(
            io.StringIO(read_file(path, MOST_TABLE_BYTES).decode("utf-8-sig"), newline=""), strict=True
        )
        if name not in (reader.fieldnames or ()):
            raise ValueError(f"no column {name}")
        return [row[name] or "" for row in reader]
    except (ValueError, csv.Error) as error:
        raise XlqaError(
            f"{path} is not a table that xlqa wrote ({error}): move it away, or choose another folder."
        ) from error


def _describe_loss(layout: Layout, lost: list[Key], reasons: Iterable[str]) -> str:
    why = next(iter(reasons), "its run is not below runs/.")
    return (
        f"{layout.results} would lose {len(lost):,} of its rows (the first: evaluation {lost[0][1][:80]} of run "
        f"{lost[0][0][:80]}): {why} Restore the runs, or move the table away; nothing was written."
    )
