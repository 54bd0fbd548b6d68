"""The matrices of `xlqa evaluate --pairs`: question language × context language, one matrix for each model and set.

Runs that differ in their seeds alone are averaged. A cell that a run lacks is missing (NaN), and so is the mean of its row.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from xlqa.curves.grouping import LABEL_ORDER, Floats, extend_labels, short_name, tell_apart, to_text
from xlqa.curves.table import read_rows
from xlqa.errors import XlqaError
from xlqa.records import PAIR_COLUMNS, SETTING_COLUMNS, TEXT_COLUMNS
from xlqa.util.languages import language_name

WORD_COLUMNS = (
    *TEXT_COLUMNS, "set", "question_lang", "context_lang", "weights_sha256", "question_sha256", "context_sha256",
)  # fmt: skip
NEVER_EMPTY = ("set", "question_lang", "context_lang", "n", "scorer", "lang", "arm", "size", "seed", "model", "run_id")
GROUP_COLUMNS = ("set", "test_size", "lang", "arm", "size", *SETTING_COLUMNS, "max_answer_length")
"""What makes two rows different matrices: everything but the seeds, the runs and their weights."""
QUESTION_COLUMNS = ("question_sha256", "context_sha256", "n", "test_size", "scorer")
"""What two scores of a pair of languages have in common if they are comparable: the questions, the texts and the scorer."""


@dataclass(frozen=True)
class Matrix:
    """The scores of one model on one set, in percent.

    Attributes:
        values: (Q, C) mean over runs of each question and context language; NaN where a run has no score.
        questions: (Q, C) questions of each pair; NaN where it was not scored.
        runs: how many runs the means are over.
        label: what tells this matrix from the others.
        asked: by question and context language, what was scored: the values of QUESTION_COLUMNS as text.
    """

    set_name: str
    question_langs: tuple[str, ...]
    context_langs: tuple[str, ...]
    values: Floats
    questions: Floats
    scorers: tuple[str, ...]
    runs: int
    label: str = ""
    asked: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict, repr=False)

    def mean_of_same(self) -> float:
        """Mean over the pairs of one language; NaN where one of them is missing."""
        return float(np.mean(self.values[self._same()])) if self._same().any() else float("nan")

    def mean_of_different(self) -> float:
        """Mean over the pairs of two languages (G-XLT of Lewis et al. 2020); NaN where one of them is missing."""
        return float(np.mean(self.values[~self._same()])) if (~self._same()).any() else float("nan")

    def _same(self) -> np.ndarray[Any, Any]:
        return np.array([[q == c for c in self.context_langs] for q in self.question_langs])


def load_pairs(paths: Sequence[str | Path]) -> list[dict[str, Any]]:
    """The rows of some pair tables.

    Args:
        paths: tables, or folders of runs or sweeps, from which all pair tables are read.

    Raises:
        XlqaError: there is no table, or a file is not one.
    """
    files = [file for path in paths for file in _find_tables(Path(path))]
    return [row for file in dict.fromkeys(files) for row in _read(file)]


def _find_tables(path: Path) -> Sequence[Path]:
    if not path.is_dir():
        return [path]
    if not (found := find_pair_tables(path)):
        raise XlqaError(f"{path} has no pair table: `xlqa evaluate RUN --pairs mlqa` writes RUN/pairs/mlqa.csv.")
    return found


def find_pair_tables(folder: Path) -> Sequence[Path]:
    """The pair tables of a run, of a sweep, or of a folder that they were copied to."""
    return sorted({*folder.glob("pairs*.csv"), *folder.glob("pairs/*.csv"), *folder.glob("runs/*/pairs/*.csv")})


def _read(file: Path) -> list[dict[str, Any]]:
    return read_rows(file, PAIR_COLUMNS, WORD_COLUMNS, NEVER_EMPTY, "xlqa evaluate RUN --pairs SET")


def build_matrices(rows: Sequence[Mapping[str, Any]], column: str = "f1") -> tuple[Matrix, ...]:
    """The matrices of some rows, in the order of their first rows.

    Args:
        rows: of `load_pairs`; column: f1, em, squad_f1 or squad_em.

    Raises:
        XlqaError: runs that differ in their seeds alone were scored on different questions, or by different scorers.
    """
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        # A source stage is the same model in whichever language's run it was scored.
        key = {name: to_text(row[name]) for name in GROUP_COLUMNS} | ({"lang": ""} if row["size"] == 0 else {})
        groups.setdefault(tuple(key.values()), []).append(row)
    firsts = [{name: to_text(group[0][name]) for name in GROUP_COLUMNS} for group in groups.values()]
    labels = _labels(firsts)
    return tuple(_build(group, column, label) for group, label in zip(groups.values(), labels, strict=True))


def _labels(firsts: Sequence[Mapping[str, str]]) -> list[str]:
    """The stage of training in words, and what else tells the matrices apart; of one matrix its encoder.

    Sizes of the test, encoders and source data are named wherever they differ, needed or not: the change from one matrix to
    another is by all of them.
    """
    differ = [name for name in ("test_size", "model", "source") if len({first[name] for first in firsts}) > 1]
    shared = tell_apart(firsts, (), differ) if len(firsts) > 1 else [short_name(firsts[0]["model"])]
    begins = [
        ", ".join(part for part in (_stage(first), *more.split(", ")) if part)
        for first, more in zip(firsts, shared, strict=True)
    ]
    return extend_labels(begins, firsts, (*LABEL_ORDER, "max_answer_length"))


def _stage(row: Mapping[str, str]) -> str:
    if row["size"] == "0":
        return "zero-shot"
    return f"{language_name(row['lang'])} {row['arm']}, N = {int(float(row['size'])):,}"


def _build(rows: Sequence[Mapping[str, Any]], column: str, label: str) -> Matrix:
    question_langs = tuple(sorted({row["question_lang"] for row in rows}))
    context_langs = tuple(sorted({row["context_lang"] for row in rows}))
    runs = sorted({_model(row) for row in rows})
    shape = (len(runs), len(question_langs), len(context_langs))
    values, counts = np.full(shape, np.nan), np.full(shape, np.nan)
    cells: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for row in rows:
        pair = (row["question_lang"], row["context_lang"])
        _refuse_other_questions(cells.setdefault(pair, row), row, column)
        _refuse_other_score(cells.setdefault((*pair, _model(row)), row), row, column)
        place = (runs.index(_model(row)), question_langs.index(pair[0]), context_langs.index(pair[1]))
        values[place], counts[place] = row[column], row["n"]
    squad = {"scorer": "squad"} if column.startswith("squad_") else {}
    asked = {
        (q, c): {name: to_text(row[name]) for name in QUESTION_COLUMNS} | squad
        for row in rows
        for q, c in [(row["question_lang"], row["context_lang"])]
    }
    scorers = tuple(sorted({each["scorer"] for each in asked.values()}))
    means, most = values.mean(axis=0), np.fmax.reduce(counts, axis=0)
    return Matrix(rows[0]["set"], question_langs, context_langs, means, most, scorers, len(runs), label, asked)


def _model(row: Mapping[str, Any]) -> str:
    """What identifies the weights that were scored."""
    return str(row["weights_sha256"] or row["run_id"])


def _refuse_other_questions(first: Mapping[str, Any], row: Mapping[str, Any], column: str) -> None:
    scorer = () if column.startswith("squad_") else ("scorer",)
    different = [name for name in ("question_sha256", "context_sha256", "n", *scorer) if first[name] != row[name]]
    if different:
        raise XlqaError(
            f"{_place(row)}: runs {first['run_id']} and {row['run_id']} differ in {different[0]}, so they have no mean: draw the "
            "tables one by one."
        )


def _refuse_other_score(first: Mapping[str, Any], row: Mapping[str, Any], column: str) -> None:
    if to_text(first[column]) != to_text(row[column]):
        raise XlqaError(
            f"{_place(row)}: run {row['run_id']} is there twice, with different scores ({first[column]:g} and {row[column]:g}): "
            "keep one of the tables."
        )


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['set']}, question {row['question_lang']}, context {row['context_lang']}"


def change(first: Matrix, second: Matrix) -> Matrix:
    """Second minus first, over the languages that both have; NaN where a score is missing.

    Raises:
        XlqaError: they have no languages in common, or a pair of languages was scored on different questions, or by different
            scorers.
    """
    questions = tuple(code for code in first.question_langs if code in second.question_langs)
    contexts = tuple(code for code in first.context_langs if code in second.context_langs)
    if not questions or not contexts:
        raise XlqaError("--what pairs: the tables have no languages in common: draw each by itself.")

    for pair in itertools.product(questions, contexts):
        _refuse_incomparable(first, second, pair)

    def part(matrix: Matrix, values: Floats) -> Floats:
        rows = [matrix.question_langs.index(code) for code in questions]
        columns = [matrix.context_langs.index(code) for code in contexts]
        chosen: Floats = values[np.ix_(rows, columns)]
        return chosen

    difference = part(second, second.values) - part(first, first.values)
    counts = np.fmin(part(second, second.questions), part(first, first.questions))
    scorers = tuple(sorted({*first.scorers, *second.scorers}))
    return Matrix(
        second.set_name, questions, contexts, difference, counts, scorers, second.runs, second.label, second.asked
    )


def _refuse_incomparable(first: Matrix, second: Matrix, pair: tuple[str, str]) -> None:
    if pair not in first.asked or pair not in second.asked:
        return
    a, b = first.asked[pair], second.asked[pair]
    different = [name for name in QUESTION_COLUMNS if a[name] != b[name]]
    if not different:
        return
    shown = {
        name: [each[name][: 7 if name.endswith("sha256") else None] or "empty" for each in (a, b)] for name in different
    }
    values = [f"{name} ({' and '.join(both)})" for name, both in shown.items()]
    fix = "compare them with --scorer squad" if different == ["scorer"] else "score both on the same questions"
    raise XlqaError(
        f"--what pairs: {first.set_name}, question {pair[0]}, context {pair[1]}: {first.label} and {second.label} differ in "
        f"{', '.join(values)}, so the change cannot be taken: {fix}, or draw the tables one by one."
    )
