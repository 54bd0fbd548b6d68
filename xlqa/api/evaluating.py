"""Scoring a kept model on another test set: `xlqa.evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from xlqa.api.notebook import without_widget_warnings
from xlqa.api.results import as_words, frame_of
from xlqa.errors import XlqaError
from xlqa.records import TASK_METRICS
from xlqa.sweep_keywords import PathLike, Words
from xlqa.util import html
from xlqa.util.tables import table_lines
from xlqa.util.text import printable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation:
    """A run on a test set. `row` is that of results.csv, by column (`xlqa columns`)."""

    row: Mapping[str, Any]

    @property
    def scores(self) -> dict[str, float | None]:
        """The metrics of the task, in percent; the leading one first."""
        return {metric: self.row[metric] for metric in TASK_METRICS[self.row.get("task") or "qa"]}

    def __repr__(self) -> str:
        from xlqa.runs.execute.evaluate import show_row

        return printable(show_row(dict(self.row)))

    def _repr_html_(self) -> str:
        known = [(name, f"{value:.2f}") for name, value in self.scores.items() if value is not None]
        title = f"{self.row['run_id']} on {self.row['test']}: {self.row['questions']:,} examples, {self.row['scorer']}"
        return html.paragraph(title) + html.table(("score", "%"), known)


@dataclass(frozen=True, slots=True, repr=False)
class PairEvaluation:
    """A run on all language pairs of a set.

    Attributes:
        path: the table that was written; computed: pairs that had to be scored now.
        rows: a record for each pair: question_lang, context_lang, f1, em, n, scorer and the settings of the run.
    """

    path: Path
    computed: int
    rows: tuple[Mapping[str, Any], ...]

    @property
    def table(self) -> pd.DataFrame:
        """F1 in percent: a row for each question language, a column for each context language."""
        return frame_of(self.rows).pivot(index="question_lang", columns="context_lang", values="f1")

    def as_record(self) -> dict[str, Any]:
        """Everything as one JSON document."""
        return {"table": str(self.path), "computed": self.computed, "rows": [dict(row) for row in self.rows]}

    def __repr__(self) -> str:
        return "\n".join([*table_lines(*self._cells()), *self._notes()])

    def _repr_html_(self) -> str:
        return html.table(*self._cells()) + html.paragraph(*self._notes())

    def _cells(self) -> tuple[tuple[str, ...], list[list[str]]]:
        contexts = sorted({row["context_lang"] for row in self.rows})
        cells = {(row["question_lang"], row["context_lang"]): f"{row['f1']:.1f}" for row in self.rows}
        lines = [[q, *(cells.get((q, c), "–") for c in contexts)] for q in sorted({q for q, _ in cells})]
        return ("F1, question \\ context", *contexts), lines

    def _notes(self) -> list[str]:
        from xlqa.runs.execute.pairs import describe_means

        return [f"Mean F1: {describe_means(self.rows)}", str(self.path)]


@overload
def evaluate(
    run: PathLike, test: PathLike, *, lang: str = "", test_size: int | None = None, columns: Mapping[str, str] | str = "",
    device: str = "auto", data_dir: PathLike | None = None, home: PathLike = ".",
) -> Evaluation: ...  # fmt: skip
@overload
def evaluate(
    run: PathLike, *, pairs: PathLike, lang: Words = "", test_size: int | None = None, device: str = "auto",
    data_dir: PathLike | None = None, home: PathLike = ".",
) -> PairEvaluation: ...  # fmt: skip
def evaluate(
    run: PathLike,
    test: PathLike = "",
    *,
    pairs: PathLike = "",
    lang: Words = "",
    test_size: int | None = None,
    columns: Mapping[str, str] | Sequence[str] | str = "",
    device: str = "auto",
    data_dir: PathLike | None = None,
    home: PathLike = ".",
) -> Evaluation | PairEvaluation:
    """Score a kept model on another test set and add the row to results.csv, or on all language pairs of a set.

    Args:
        run: whose weights were kept: its folder, or its id in the sweep `home`.
        test: registered name or file; pairs: a set of language pairs instead.
        lang: language of a local file; with `pairs` only these languages.
        test_size: questions to score, drawn at random with a fixed seed.
        columns: names of the file's columns, where they are not the usual ones: {"question": "q"} or "question=q".
        data_dir: folder of downloaded data sets.

    Raises:
        XlqaError: neither `test` nor `pairs` or both, no weights, or a set that cannot be read.
    """
    return evaluate_any(run, test, pairs, lang, test_size, columns, device, data_dir, home)


def evaluate_any(
    run: PathLike, test: PathLike, pairs: PathLike, lang: Words, test_size: int | None, columns: Mapping[str, str] | Sequence[str] | str,
    device: str, data_dir: PathLike | None, home: PathLike,
) -> Evaluation | PairEvaluation:  # fmt: skip
    """As `evaluate`, of a test set or of pairs."""
    if bool(test) == bool(pairs):
        raise XlqaError("xlqa evaluate: give a test set (--test) or a set of language pairs (--pairs).")
    if pairs and columns:
        raise XlqaError("--columns goes with --test: a set of language pairs has the usual names.")
    from xlqa.runs.execute.evaluate import evaluate_run
    from xlqa.runs.execute.run import prepared

    path = Path(run).expanduser()
    folder = prepared(path if path.is_dir() else Path(home).expanduser() / "runs" / path)
    data = None if data_dir is None else Path(data_dir).expanduser()
    languages = as_words(lang) if lang else ()
    # DeepPavlov reports on stdout, which belongs to the result.
    with redirect_stdout(sys.stderr), without_widget_warnings():
        if pairs:
            return _evaluate_pairs(folder, str(pairs), languages, test_size, device, data)
        if len(languages) > 1:
            raise XlqaError(f"--lang {','.join(languages)}: a test set has one language.")
        language = languages[0] if languages else ""
        row = evaluate_run(
            folder, str(test), language, test_size=test_size, device=device, data_dir=data, columns=columns
        )
    return Evaluation(row)


def _evaluate_pairs(
    folder: Any, pairs: str, languages: Sequence[str], test_size: int | None, device: str, data: Path | None
) -> PairEvaluation:
    from xlqa.runs.execute.pairs import evaluate_pairs
    from xlqa.tasks.qa.pairs import find_pairs

    done = evaluate_pairs(folder, find_pairs(pairs, data), languages=languages, test_size=test_size, device=device)
    return PairEvaluation(done.table, done.computed, done.rows)
