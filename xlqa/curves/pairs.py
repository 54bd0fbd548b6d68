"""The matrices of `xlqa evaluate --pairs`: question language × context language, one matrix for each model and set.

Runs that differ in their seeds alone are averaged. A cell that a run lacks is missing (NaN), and so is the mean of its row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xlqa.curves.grouping import Floats, short_name, tell_apart
from xlqa.errors import XlqaError
from xlqa.records import PAIR_COLUMNS, PERCENT_COLUMNS
from xlqa.util.files import read_file
from xlqa.util.languages import language_name

MOST_TABLE_BYTES = 1 << 26
GROUP_COLUMNS = (
    "set", "test_size", "lang", "arm", "size", "model_sha256", "source_sha256", "max_length", "stride", "max_answer_length",
    "precision",
)  # fmt: skip
"""What makes two rows different matrices: everything but the seeds, the runs and their weights."""
_LABEL_COLUMNS = ("model", "source", "test_size", "max_length", "precision", "source_sha256", "model_sha256")


@dataclass(frozen=True)
class Matrix:
    """The scores of one model on one set, in percent.

    Attributes:
        values: (Q, C) mean over runs of each question and context language; NaN where a run has no score.
        questions: (Q, C) questions of each pair; NaN where it was not scored.
        runs: how many runs the means are over.
        label: what tells this matrix from the others.
    """

    set_name: str
    question_langs: tuple[str, ...]
    context_langs: tuple[str, ...]
    values: Floats
    questions: Floats
    scorers: tuple[str, ...]
    runs: int
    label: str = ""

    def mean_of_same(self) -> float:
        """Mean over the pairs of one language; NaN where one of them is missing."""
        return float(np.mean(self.values[self._same()])) if self._same().any() else float("nan")

    def mean_of_different(self) -> float:
        """Mean over the pairs of two languages (G-XLT of Lewis et al. 2020); NaN where one of them is missing."""
        return float(np.mean(self.values[~self._same()])) if (~self._same()).any() else float("nan")

    def _same(self) -> np.ndarray[Any, Any]:
        return np.array([[q == c for c in self.context_langs] for q in self.question_langs])


def load_pairs(paths: Sequence[str | Path]) -> list[dict[str, str]]:
    """The rows of some pair tables.

    Args:
        paths: tables, or folders of runs or sweeps, from which all pair tables are read.

    Raises:
        XlqaError: there is no table, or a file is not one.
    """
    files = [file for path in paths for file in _find_tables(Path(path))]
    return [row for file in dict.fromkeys(files) for row in _read(file)]


def _find_tables(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted({*path.glob("pairs*.csv"), *path.glob("pairs/*.csv"), *path.glob("runs/*/pairs/*.csv")})
    if not found:
        raise XlqaError(f"{path} has no pair table: `xlqa evaluate RUN --pairs mlqa` writes RUN/pairs/mlqa.csv.")
    return found


def _read(file: Path) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(
            io.StringIO(read_file(file, MOST_TABLE_BYTES).decode("utf-8-sig"), newline=""), strict=True
        )
        absent = [name for name in PAIR_COLUMNS if name not in (reader.fieldnames or ())]
        if absent:
            raise XlqaError(f"{file} is not a table of `xlqa evaluate --pairs`: it has no column {absent[0]}.")
        rows = [dict(row) for row in reader]
        for number, row in enumerate(rows, 2):
            _check(file, number, row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise XlqaError(f"{file} is not a table of `xlqa evaluate --pairs` ({error}): name such a table.") from error
    except OSError as error:
        raise XlqaError(
            f"{file} cannot be read ({error.strerror}): name a table of `xlqa evaluate --pairs`."
        ) from error
    if not rows:
        raise XlqaError(f"{file} has no rows: run `xlqa evaluate --pairs` again.")
    return rows


def _check(file: Path, line: int, row: Mapping[str, str]) -> None:
    for name in ("f1", "em", "squad_f1", "squad_em", "n"):
        try:
            value = float(row[name] or "nan")
        except (TypeError, ValueError):
            value = -1.0
        if value < 0 or (name in PERCENT_COLUMNS and value > 100):
            raise XlqaError(f"{file}, line {line}: {name} is {row[name]!r}: take the table as xlqa wrote it.")


def build_matrices(rows: Sequence[Mapping[str, str]], column: str = "f1") -> tuple[Matrix, ...]:
    """The matrices of some rows, in the order of their first rows.

    Args:
        column: f1, em, squad_f1 or squad_em.
    """
    groups: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in GROUP_COLUMNS), []).append(row)
    words = [_words(group[0]) for group in groups.values()]
    firsts = [group[0] for group in groups.values()]
    extra = tell_apart(firsts, _LABEL_COLUMNS) if len(firsts) > 1 else [short_name(firsts[0]["model"])]
    labels = [", ".join(part for part in pair if part) for pair in zip(words, extra, strict=True)]
    return tuple(_build(group, column, label) for group, label in zip(groups.values(), labels, strict=True))


def _words(row: Mapping[str, str]) -> str:
    """The stage of training in words."""
    if row["size"] == "0":
        return "zero-shot"
    return (
        f"{language_name(row['lang'])} {row['arm']}, N = {int(row['size']):,}"
        if row["size"].isdecimal()
        else row["arm"]
    )


def _build(rows: Sequence[Mapping[str, str]], column: str, label: str) -> Matrix:
    question_langs = tuple(sorted({row["question_lang"] for row in rows}))
    context_langs = tuple(sorted({row["context_lang"] for row in rows}))
    runs = sorted({row["run_id"] + row["weights_sha256"] for row in rows})
    shape = (len(runs), len(question_langs), len(context_langs))
    values, counts = np.full(shape, np.nan), np.full(shape, np.nan)
    for row in rows:
        place = (
            runs.index(row["run_id"] + row["weights_sha256"]), question_langs.index(row["question_lang"]),
            context_langs.index(row["context_lang"]),
        )  # fmt: skip
        values[place] = float(row[column] or "nan")
        counts[place] = float(row["n"])
    scorers = ("squad",) if column.startswith("squad_") else tuple(sorted({row["scorer"] for row in rows}))
    return Matrix(
        rows[0]["set"],
        question_langs,
        context_langs,
        values.mean(axis=0),
        counts.max(axis=0),
        scorers,
        len(runs),
        label,
    )


def change(first: Matrix, second: Matrix) -> Matrix:
    """Second minus first, over the languages that both have; NaN where a score is missing.

    Raises:
        XlqaError: they have no languages in common.
    """
    questions = tuple(code for code in first.question_langs if code in second.question_langs)
    contexts = tuple(code for code in first.context_langs if code in second.context_langs)
    if not questions or not contexts:
        raise XlqaError("--what pairs: the tables have no languages in common: draw each by itself.")

    def part(matrix: Matrix, values: Floats) -> Floats:
        rows = [matrix.question_langs.index(code) for code in questions]
        columns = [matrix.context_langs.index(code) for code in contexts]
        chosen: Floats = values[np.ix_(rows, columns)]
        return chosen

    difference = part(second, second.values) - part(first, first.values)
    counts = np.fmin(part(second, second.questions), part(first, first.questions))
    scorers = tuple(sorted({*first.scorers, *second.scorers}))
    return Matrix(second.set_name, questions, contexts, difference, counts, scorers, second.runs, second.label)
