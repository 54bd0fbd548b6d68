"""Reads results.csv, the table of a sweep: `load_results("results.csv")`. Nothing here needs more than the table.

A cell that is empty is missing (NaN for a number, "" for a word), never 0. A table of another program, or one that was cut
or edited, is refused with line, column and fix of each fault.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlqa.errors import ManyErrors, XlqaError, refuse_choice
from xlqa.records import (
    COUNT_COLUMNS,
    EVERY_COLUMN,
    LANGUAGE_FEATURES,
    MACHINE_COLUMNS,
    NEVER_EMPTY,
    NO_ANSWER_COLUMNS,
    PERCENT_COLUMNS,
    PIECE_FEATURES,
    RESULT_COLUMNS,
    SEED_COLUMNS,
    SETTING_COLUMNS,
    TASK_METRICS,
    TEST_COLUMNS,
    TEXT_COLUMNS,
    WHOLE_COLUMNS,
    Arm,
    result_columns,
)
from xlqa.util.csvfile import csv_lines
from xlqa.util.files import read_file
from xlqa.util.text import plain

if TYPE_CHECKING:
    import pandas as pd

FOLDER_COLUMN = "folder"
"""Added by `load_results`: the folder of the table a row came from, where its per-question scores are."""

OPTIONAL_COLUMNS = (*COUNT_COLUMNS[1:], *MACHINE_COLUMNS, "final_loss", "learned", "target_questions", "steps")
"""What a table may lack: nothing that tells which rows may be averaged depends on it."""
REQUIRED_COLUMNS = tuple(name for name in RESULT_COLUMNS if name not in OPTIONAL_COLUMNS)
"""What a table of question answering needs."""
COMMON_COLUMNS = tuple(name for name in REQUIRED_COLUMNS if all(name in result_columns(task) for task in TASK_METRICS))
"""What the table of any task needs."""
SHARE_COLUMNS = (*PIECE_FEATURES[2:], *LANGUAGE_FEATURES)
"""Shares, distances, and 0 or 1."""
MOST_TABLE_BYTES = 1 << 30
MOST_NUMBER = 1e15
MOST_COMPLAINTS = 10


def load_results(paths: str | Path | Sequence[str | Path]) -> pd.DataFrame:
    """Read one or several results.csv into one validated table.

    Args:
        paths: a results.csv, a folder that holds one, or several of either.
    Returns:
        A frame with RESULT_COLUMNS and FOLDER_COLUMN, NO_ANSWER_COLUMNS where a table has them, and where there are other tasks
        `task` and their metrics: numbers as
        float64 (NaN where empty), words as str ("" where empty), `size` as int64. A row that is in two tables with the same
        scores is kept once.
    Raises:
        ManyErrors, XlqaError: a file that is missing, foreign or broken, with line and column.
    """
    import pandas as pd

    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    if not listed:
        raise XlqaError("no table given: name a results.csv, the one that `xlqa sweep` writes.")
    frames = [_load_one(find_table(path)) for path in listed]
    table = pd.concat(frames, ignore_index=True)
    _unify_names(table)
    kept = _drop_repeated(table)
    return kept.drop(columns="task") if set(kept["task"]) == {"qa"} else kept


def no_results() -> pd.DataFrame:
    """A table of question answering without rows, with the dtypes of `load_results`."""
    import pandas as pd

    names = {name: str if name in TEXT_COLUMNS else "float64" for name in RESULT_COLUMNS} | {
        "size": "int64",
        FOLDER_COLUMN: str,
    }
    return pd.DataFrame({name: pd.Series([], dtype=kind) for name, kind in names.items()})


def find_table(path: str | Path) -> Path:
    """The results.csv that a path means: the file itself, or the one in the folder."""
    found = Path(path).expanduser()
    if found.is_dir():
        found = found / "results.csv"
    if not found.is_file():
        raise XlqaError(f"{found}: there is no such file. `xlqa sweep --out DIR` writes DIR/results.csv; name that.")
    return found


def list_failures(paths: str | Path | Sequence[str | Path]) -> tuple[str, ...]:
    """A line a run that failed, from the failures.csv beside each table; none where there is no such file."""
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    lines = []
    for path in dict.fromkeys(find_table(path).with_name("failures.csv") for path in listed):
        if not path.is_file():
            continue
        text = read_file(path, MOST_TABLE_BYTES).decode("utf-8-sig", "replace")
        try:
            for row in csv.DictReader(io.StringIO(text, newline="")):
                words = [row.get("lang"), row.get("arm"), f"N = {row.get('size')}", f"seed {row.get('seed')}"]
                error = plain(str(row.get("error") or "no reason recorded"), 200)
                lines.append(f"failed: {', '.join(plain(word, 40) for word in words if word)}: {error}")
        except csv.Error as error:
            raise XlqaError(f"{path}: not comma-separated values ({error}): `xlqa collect` writes it again.") from None
    return tuple(lines)


def _load_one(path: Path) -> pd.DataFrame:
    import pandas as pd

    header, lines, rows = _read_cells(path, COMMON_COLUMNS)
    tasks = _tasks(header, rows)
    _check_header(path, header, tasks)
    complaints = _check_tasks(path, tasks, lines)
    columns: dict[str, object] = {"task": tasks}
    known = {
        *RESULT_COLUMNS,
        *({*NO_ANSWER_COLUMNS} & {*header}),
        *(name for task in {*tasks} & {*TASK_METRICS} for name in result_columns(task)),
    } - {"task"}
    for name in (name for name in EVERY_COLUMN if name in known):
        cells = [row[header.index(name)].strip() for row in rows] if name in header else [""] * len(rows)
        columns[name] = cells if name in TEXT_COLUMNS else _numbers(path, name, cells, lines, complaints)
        if name in NEVER_EMPTY:
            complaints += _empty_cells(path, name, cells, lines)
    _check_arms(path, columns, lines, complaints)
    if complaints:
        raise ManyErrors(_shorten(complaints, path))
    frame = pd.DataFrame(columns)
    frame["size"] = frame["size"].astype("int64")
    frame[FOLDER_COLUMN] = str(path.parent)
    return frame


def read_rows(
    path: Path, columns: Sequence[str], words: Collection[str], filled: Collection[str], command: str
) -> list[dict[str, Any]]:
    """The rows of a table that is not results.csv: numbers as float (NaN where empty), words as str.

    Args:
        columns: all that the table must have; words: those that hold no numbers; filled: those that are never empty.
        command: what writes the table.
    Raises:
        ManyErrors, XlqaError: the file is missing, foreign or broken, with line and column.
    """
    header, lines, rows = _read_cells(path, columns, command)
    for name in columns:
        if header.count(name) != 1:
            many = "occurs twice in the header" if name in header else "is missing"
            raise XlqaError(f"{path}: the column {name} {many}: take the table as `{command}` wrote it.")
    complaints: list[str] = []
    table: dict[str, Sequence[object]] = {}
    for name in columns:
        cells = [row[header.index(name)].strip() for row in rows]
        table[name] = cells if name in words else _numbers(path, name, cells, lines, complaints)
        if name in filled:
            # `nan` is a number that is missing, too.
            given = ["" if cell.lower() == "nan" and name not in words else cell for cell in cells]
            complaints += _empty_cells(path, name, given, lines)
    if "arm" in table:
        _check_arms(path, table, lines, complaints)
    if "task" in table:
        complaints += _check_tasks(path, [str(task) for task in table["task"]], lines)
    if complaints:
        raise ManyErrors(_shorten(complaints, path))
    return [dict(zip(columns, values, strict=True)) for values in zip(*(table[name] for name in columns), strict=True)]


def _empty_cells(path: Path, name: str, cells: Sequence[str], lines: Sequence[int]) -> list[str]:
    return [f"{path}, line {n}: the column {name} is empty." for n, c in zip(lines, cells, strict=True) if not c]


def _read_cells(
    path: Path, required: Collection[str], command: str = "xlqa sweep"
) -> tuple[list[str], list[int], list[list[str]]]:
    """Header, line number of each row, rows; every row as long as the header.

    Args:
        required: columns by which the table is known: rows of other lengths are then a fault of the table.
        command: what writes the table.
    """
    try:
        text = read_file(path, MOST_TABLE_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise XlqaError(f"{path}: not a table in UTF-8 (byte {error.start}): name what `{command}` wrote.") from None
    reader = csv.reader(csv_lines(text), strict=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:
                lines.append(reader.line_num)
                rows.append(row)
    except csv.Error as error:
        raise XlqaError(f"{path}, line {reader.line_num}: not comma-separated values ({error}).") from None
    if not rows:
        raise XlqaError(f"{path}: the file is empty. Run `{command}` again: it writes the table from its results.")
    if len(rows) == 1:
        raise XlqaError(
            f"{path}: a header without rows: no evaluation is finished yet. Let `{command}` finish one first."
        )
    header = [name.strip() for name in rows[0]]
    uneven = [
        f"{path}, line {line}: {len(row)} cells under a header of {len(header)}: the table was cut or edited; "
        f"run `{command}` again to write it."
        for line, row in zip(lines, rows, strict=True)
        if len(row) != len(header)
    ]
    if uneven and set(required) <= set(header):
        raise ManyErrors(_shorten(uneven, path))
    return header, lines[1:], rows[1:]


def _tasks(header: list[str], rows: list[list[str]]) -> list[str]:
    """The task of each row. A table of question answering has no column for it."""
    if "task" not in header:
        return ["qa"] * len(rows)
    at, blank = header.index("task"), "qa" if "em" in header else ""
    return [(row[at].strip() if at < len(row) else "") or blank for row in rows]


def _check_tasks(path: Path, tasks: list[str], lines: list[int]) -> list[str]:
    return [
        f"{path}, line {line}: task is '{plain(task, 40)}': {refuse_choice(task, TASK_METRICS)}."
        for line, task in zip(lines, tasks, strict=True)
        if task not in TASK_METRICS
    ]


def _required(tasks: list[str]) -> list[str]:
    """The columns that rows of these tasks need."""
    known = [task for task in dict.fromkeys(tasks) if task in TASK_METRICS]
    names = dict.fromkeys(name for task in known for name in result_columns(task))
    return [name for name in names if name not in OPTIONAL_COLUMNS and not name.endswith("_without_overlap")]


def _check_header(path: Path, header: list[str], tasks: list[str]) -> None:
    twice = sorted({name for name in header if header.count(name) > 1 and name in EVERY_COLUMN})
    if twice:
        raise XlqaError(f"{path}: the column {twice[0]} occurs twice in the header: keep one.")
    required = _required(tasks) or [*COMMON_COLUMNS]
    absent = [name for name in required if name not in header]
    if len(absent) > len(required) // 2:
        begin = plain(", ".join(header[:6]), 80)
        raise XlqaError(
            f"{path}: not a results.csv of xlqa: its header begins with '{begin}'. `xlqa sweep` writes one."
        )
    if absent:
        raise XlqaError(
            f"{path}: the header lacks {', '.join(absent)}. Without them rows of different settings could be averaged: "
            "take the table as `xlqa sweep` wrote it."
        )


def _numbers(path: Path, name: str, cells: list[str], lines: list[int], complaints: list[str]) -> list[float]:
    values = []
    for line, cell in zip(lines, cells, strict=True):
        value, wrong = _number(name, cell)
        if wrong:
            complaints.append(f"{path}, line {line}: {name} is '{plain(cell, 40)}', {wrong}.")
        values.append(value)
    return values


def _number(name: str, cell: str) -> tuple[float, str]:
    """The value of a cell (NaN when empty) and what is wrong with it."""
    if cell == "" or cell.lower() == "nan":
        return math.nan, "" if cell == "" or name not in NEVER_EMPTY else "expected a number"
    try:
        value = float(cell)
    except ValueError:
        return math.nan, "which is not a number"
    if math.isinf(value) or abs(value) > MOST_NUMBER:
        return math.nan, "which is out of range"
    if name in ("questions", "paragraphs", "n") and value < 1:
        return math.nan, "expected 1 or more"
    if name in PERCENT_COLUMNS and not 0 <= value <= 100:
        return math.nan, "outside 0 to 100 percent"
    if name in SHARE_COLUMNS and not 0 <= value <= 1:
        return math.nan, "outside 0 to 1"
    if name in PIECE_FEATURES and value < 0:
        return math.nan, "expected 0 or more"
    if name in WHOLE_COLUMNS and (value != int(value) or value < 0):
        return math.nan, "expected a whole number of 0 or more"
    return value, ""


def _check_arms(path: Path, columns: Mapping[str, Any], lines: list[int], complaints: list[str]) -> None:
    arms, sizes = columns["arm"], columns["size"]
    known = [arm.value for arm in Arm]
    for line, arm, size in zip(lines, arms, sizes, strict=True):
        if arm and arm not in known:
            complaints.append(f"{path}, line {line}: arm is '{plain(arm, 40)}': {refuse_choice(arm, known)}.")
        elif size == 0 and arm not in (Arm.TRANSFER.value, ""):
            complaints.append(f"{path}, line {line}: size 0 under {arm}: only transfer has a zero-shot score.")


def _shorten(complaints: list[str], path: Path) -> list[str]:
    if len(complaints) <= MOST_COMPLAINTS:
        return complaints
    return [*complaints[:MOST_COMPLAINTS], f"{path}: and {len(complaints) - MOST_COMPLAINTS} more complaints."]


def _unify_names(table: pd.DataFrame) -> None:
    """Give one name, the first, to what has one hash: a data file or model folder that was renamed is the same still."""
    for name in ("model", "source", "target"):
        hashes = table[f"{name}_sha256"]
        known = hashes != ""
        table.loc[known, name] = table[known].groupby(hashes[known], sort=False)[name].transform("first")


def _drop_repeated(table: pd.DataFrame) -> pd.DataFrame:
    """Keep one of the rows that are one evaluation; refuse two that claim to be the same and differ in score."""
    scores = [name for name in PERCENT_COLUMNS if name in table.columns and not name.endswith("_without_overlap")]
    kept = table.drop_duplicates(["run_id", "eval_id", *scores]).reset_index(drop=True)
    twice = kept[kept.duplicated(["run_id", "eval_id"])]
    if len(twice):
        row = twice.iloc[0]
        raise XlqaError(
            f"run {row['run_id']} occurs twice for evaluation {row['eval_id']}, with different scores "
            f"(the second in {row[FOLDER_COLUMN]}): give the tables to separate commands, or keep one of the rows."
        )
    same = [*dict.fromkeys(("task", "lang", "arm", "size", *SEED_COLUMNS, *SETTING_COLUMNS, *TEST_COLUMNS))]
    twice = kept[kept.duplicated(same)]
    if len(twice):
        row = twice.iloc[0]
        raise XlqaError(
            f"two runs are the same in all columns of settings and seeds ({row['lang']}, {row['arm']}, size {row['size']}, "
            f"seed {row['seed']:g}; one of them is {row['run_id']}): keep one, or the mean counts it twice."
        )
    return kept
