"""Scores of single examples beside a results.csv: loose in each run's folder, or packed into one file for a published study.

Loose: `runs/<run_id>/eval/<eval_id>/questions.csv` (or `.csv.xz`). Packed: `questions.csv.xz` or `questions.parquet`
beside the table, the same columns after `run_id` and `eval_id`. Loose files take precedence: a rescore rewrites them.
A file has `id`, `context` (the paragraph) and a column a score in percent. Tasks other than question answering write
`examples.csv`, with `group` (a document, a sentence) and two columns a score, `NAME_numerator` and `NAME_denominator`;
`f1:LABEL` and `precision:LABEL` are of one label, which a file lacks where the label is neither gold nor predicted.
"""

from __future__ import annotations

import csv
import io
import lzma
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xlqa.curves.grouping import task_order, tasks_of
from xlqa.curves.table import FOLDER_COLUMN, load_results
from xlqa.curves.variance import Floats, influence_of
from xlqa.curves.wording import QA
from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import QUESTION_COLUMNS
from xlqa.util.files import replacing

if TYPE_CHECKING:
    import pandas as pd

PACKED_COLUMNS = ("run_id", "eval_id", *QUESTION_COLUMNS)
REQUIRED = ("id", "context")
PACKED_NAMES = ("questions.csv.xz", "questions.parquet", "examples.csv.xz", "examples.parquet")
WORD_COLUMNS = ("run_id", "eval_id", "id", "context", "group", "question_word")
NAMES = tuple(f"{name}.csv{end}" for name in ("questions", "examples") for end in ("", ".xz"))
FACTS = ("windows", "answer_words", "question_word", "overlap")
"""Optional columns of a per-example file that describe an example."""
LABEL = re.compile(r"f1:(.+)_numerator")
OF_LABELS = ("f1:", "precision:")
"""How the columns of single labels begin."""
MACRO_F1 = "macro_f1"
"""The mean of the labels' F1: the one score that is not a single ratio of sums."""
TOLERANCE = 0.01
"""How far, in percent, the mean of the per-question scores may be from the table's: rounding, and nothing more."""


PLAIN_ID = re.compile(r"[^./\x00-\x1f][^/\x00-\x1f]{0,200}")
"""An id of a table that may be a folder's name: it leads nowhere else."""


def loose_file(folder: Path, run_id: str, eval_id: str) -> Path | None:
    """The file of one evaluation in its run's folder, if there is one."""
    if not (PLAIN_ID.fullmatch(run_id) and PLAIN_ID.fullmatch(eval_id)):
        return None
    place = folder / "runs" / run_id / "eval" / eval_id
    return next((path for name in NAMES if (path := place / name).is_file()), None)


class ExampleStore:
    """Reads per-question scores of evaluations; a packed file is read once."""

    def __init__(self) -> None:
        self._packed: dict[Path, dict[tuple[str, str], pd.DataFrame]] = {}

    def read(self, folder: Path, run_id: str, eval_id: str) -> pd.DataFrame | None:
        """The per-example table of one evaluation, one row an example; None where there is no file.

        Raises:
            XlqaError: a file that lacks columns, has a cell that is not a number, or names a question twice.
        """
        loose = loose_file(folder, run_id, eval_id)
        if loose is not None:
            return _checked(_read_csv(loose, REQUIRED), loose)
        packed = next((path for name in PACKED_NAMES if (path := folder / name).is_file()), None)
        if packed is None:
            return None
        if packed not in self._packed:
            self._packed[packed] = _read_packed(packed)
        found = self._packed[packed].get((run_id, eval_id))
        return None if found is None else _checked(found, packed)

    def scores(self, rows: pd.DataFrame, column: str) -> ExampleScores | None:
        """Scores of the single examples of several evaluations of one test set.

        Args:
            rows: of the table; all of one panel. column: a score's column.
        Returns:
            None when any row has no per-example scores.
        Raises:
            XlqaError: scores that do not make up the row's, or evaluations of different examples.
        """
        ratios: list[list[Ratio]] = []
        first: pd.DataFrame | None = None
        for row in rows.itertuples(index=False):
            folder = Path(str(getattr(row, FOLDER_COLUMN)))
            found = self.read(folder, str(row.run_id), str(row.eval_id))
            if found is None:
                return None
            parts = _parts_of(found, column)
            if not parts or parts[0][0] not in found.columns:
                where = loose_file(folder, str(row.run_id), str(row.eval_id)) or folder
                raise XlqaError(f"{where}: lacks the column {column}: `xlqa rescore` writes it again.")
            found = found.dropna(subset=[name for part in parts for name in part])
            first = found if first is None else first
            aligned = _align(found, first, str(row.run_id))
            ratios.append([_ratio(aligned, part) for part in parts])
            _check_score(ratios[-1], float(getattr(row, column)), column, str(row.run_id))
        if first is None:
            return None
        names, groups = np.unique(first["context"].to_numpy(dtype=str), return_inverse=True)
        facts = {name: tuple(first[name]) for name in FACTS if name in first.columns}
        documents = any(name.startswith("document ") for name in names)
        return ExampleScores(*_stack(ratios), groups, tuple(map(str, first["id"])), facts, documents, tuple(names))

    def label_scores(self, rows: pd.DataFrame) -> dict[str, Floats]:
        """F1, precision and recall of each label in percent, (n,) over some evaluations; NaN where undefined.

        Args:
            rows: of the table; all of one panel.
        Returns:
            By "LABEL", "LABEL, precision" and "LABEL, recall", in their order: F1 alone for files without `precision:LABEL`;
            empty where an evaluation has no labels, or no per-example scores.
        """
        found: list[dict[str, float]] = []
        for row in rows.itertuples(index=False):
            frame = self.read(Path(str(getattr(row, FOLDER_COLUMN))), str(row.run_id), str(row.eval_id))
            ratios = {} if frame is None else _label_ratios(frame)
            found.append({name: _score([ratio]) for name, ratio in ratios.items()})
        if not all(found):
            return {}
        names = sorted({label for labels in found for label in labels})
        return {name: np.array([labels.get(name, math.nan) for labels in found]) for name in names}


@dataclass(frozen=True)
class ExampleScores:
    """What each example adds to each run's score: score = 100 Σ numerator / Σ denominator, or the mean of several such.

    Attributes:
        numerators, denominators: (n, Q), or (n, K, Q) for the mean of K labels' F1. A question counts its score between 0
            and 1 out of 1.
        groups: (Q,) group (paragraph, document, sentence) of each example.
        ids: of the examples; facts: columns of the file that describe them, by name.
        documents: whether the groups are documents that the test set names.
        group_names: (P,) as the file has them.
    """

    numerators: Floats
    denominators: Floats
    groups: npt.NDArray[np.intp]
    ids: tuple[str, ...]
    facts: Mapping[str, tuple[Any, ...]]
    documents: bool = False
    group_names: tuple[str, ...] = ()

    def keys(self) -> list[tuple[str, str]]:
        """(Q,) id and group of each example."""
        return [(i, self.group_names[g]) for i, g in zip(self.ids, self.groups, strict=True)]

    def take(self, places: Sequence[int]) -> ExampleScores:
        """The scores of some examples, in the order of their places."""
        names, groups = np.unique(self.groups[places], return_inverse=True)
        return ExampleScores(
            self.numerators[..., places], self.denominators[..., places], groups, tuple(self.ids[i] for i in places),
            {name: tuple(values[i] for i in places) for name, values in self.facts.items()}, self.documents,
            tuple(self.group_names[g] for g in names),
        )  # fmt: skip

    @property
    def count(self) -> int:
        return self.numerators.shape[-1]

    @property
    def group_count(self) -> int:
        return int(self.groups.max()) + 1 if self.groups.size else 0

    def influence(self, at: slice, mask: npt.NDArray[np.bool_] | None = None) -> tuple[Floats, Floats, Floats]:
        """Scores of some runs, (n,), the influence of each group, (n, P), and of each example on their mean, (Q,).

        Args:
            at: which runs; mask: (Q,) which examples, all of them by default.
        """
        above, below, groups = self.numerators[at], self.denominators[at], self.groups
        if mask is not None:
            above, below = above[..., mask], below[..., mask]
            groups = np.unique(groups[mask], return_inverse=True)[1]
        return influence_of(above, below, groups) if above.ndim == 2 else _mean_influence(above, below, groups)


def _mean_influence(above: Floats, below: Floats, groups: npt.NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
    """As `influence_of`, for scores that are means of K ratios, those without a denominator left out.

    Args:
        above, below: (n, K, Q).
    """
    runs = []
    for run_above, run_below in zip(above, below, strict=True):
        known = run_below.sum(axis=1) > 0
        scores, influence, each = influence_of(run_above[known], run_below[known], groups)
        runs.append((float(scores.mean()), influence.mean(axis=0), each))
    scores, influences, examples = (np.array(part) for part in zip(*runs, strict=True))
    return scores, influences, examples.mean(axis=0)


Ratio = tuple[Floats, Floats]


def _parts_of(frame: pd.DataFrame, column: str) -> list[tuple[str, ...]]:
    """The column of a score; the two of a ratio, `f1_numerator` and `f1_denominator` for `f1`; of macro F1 those of each label."""
    if column == MACRO_F1:
        return list(_label_parts(frame).values())
    ratio = (f"{column}_numerator", f"{column}_denominator")
    return [ratio if all(name in frame.columns for name in ratio) else (column,)]


def _label_parts(frame: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """The columns of each label's F1."""
    labels = [found[1] for name in frame.columns if (found := LABEL.fullmatch(name))]
    return {label: (f"f1:{label}_numerator", f"f1:{label}_denominator") for label in labels}


def _label_ratios(frame: pd.DataFrame) -> dict[str, Ratio]:
    """F1, precision and recall of each label: 2 TP / (predicted + gold), TP / predicted, TP / gold."""
    ratios: dict[str, Ratio] = {}
    for label, parts in _label_parts(frame).items():
        twice, both = ratios[label] = _ratio(frame, parts)
        if f"precision:{label}_denominator" in frame.columns:
            predicted = frame[f"precision:{label}_denominator"].to_numpy(dtype=float)
            ratios |= {f"{label}, precision": (twice / 2, predicted), f"{label}, recall": (twice / 2, both - predicted)}
    return ratios


def _stack(ratios: Sequence[Sequence[Ratio]]) -> Ratio:
    """Numerators and denominators of n runs, (n, Q), or (n, K, Q) for up to K ratios a run: one more has sums of 0."""
    most = max(map(len, ratios))
    nothing = (np.zeros_like(ratios[0][0][0]),) * 2
    whole = [[*run, *[nothing] * (most - len(run))] for run in ratios]
    above, below = (np.array([[ratio[i] for ratio in run] for run in whole]) for i in (0, 1))
    return (above[:, 0], below[:, 0]) if most == 1 else (above, below)


def _score(ratios: Sequence[Ratio]) -> float:
    """A score in percent from its ratios; NaN where it is undefined."""
    known = [100 * float(above.sum()) / float(below.sum()) for above, below in ratios if below.sum() > 0]
    return sum(known) / len(known) if known else math.nan


def _ratio(frame: pd.DataFrame, parts: Sequence[str]) -> tuple[Floats, Floats]:
    above = frame[parts[0]].to_numpy(dtype=float)
    if len(parts) == 2:
        return above, frame[parts[1]].to_numpy(dtype=float)
    return above / 100, np.ones(len(above))


def _read_csv(path: Path, required: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    again = "`xlqa rescore` writes it again."
    words: dict[str, type] = dict.fromkeys(WORD_COLUMNS, str)
    try:
        # An id may be "NA": only an empty cell in a column of numbers is missing.
        numbers = {name: [""] for name in pd.read_csv(path, nrows=0).columns if name not in WORD_COLUMNS}
        frame = pd.read_csv(path, dtype=words, keep_default_na=False, na_values=numbers)
    except (OSError, ValueError, lzma.LZMAError, EOFError, pd.errors.ParserError) as error:
        raise XlqaError(f"{path}: not a table of per-question scores ({error}): {again}") from None
    frame = frame.rename(columns={"group": "context"}) if "context" not in frame.columns else frame
    absent = [name for name in required if name not in frame.columns]
    if absent:
        raise XlqaError(f"{path}: lacks the column {absent[0]}: {again}")
    return frame


def _read_packed(path: Path) -> dict[tuple[str, str], pd.DataFrame]:
    import pandas as pd

    required = ("run_id", "eval_id", *REQUIRED)
    if path.suffix == ".parquet":
        try:
            frame = pd.read_parquet(path)
        except ImportError:
            raise XlqaError(f"{path}: reading Parquet needs pyarrow: pip install 'xlqa[parquet]'.") from None
        except (OSError, ValueError) as error:
            raise XlqaError(f"{path}: not a Parquet table ({error}).") from None
        absent = [name for name in required if name not in frame.columns]
        if absent:
            raise XlqaError(f"{path}: lacks the column {absent[0]}: write it with `xlqa pack`.")
    else:
        frame = _read_csv(path, required)
    groups = frame.groupby(["run_id", "eval_id"], sort=False, observed=True)
    return {(str(run), str(evaluation)): part.drop(columns=["run_id", "eval_id"]) for (run, evaluation), part in groups}


def _checked(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    for name in frame.columns:
        if name not in WORD_COLUMNS and frame[name].dtype.kind not in "fiub":
            raise XlqaError(
                f"{path}: the column {name} has a cell that is not a number: `xlqa rescore` writes it again."
            )
    twice = frame["id"][frame["id"].duplicated()]
    if len(twice):
        raise XlqaError(f"{path}: the example {twice.iloc[0]} occurs twice: `xlqa rescore` writes it again.")
    return frame


def _align(found: pd.DataFrame, first: pd.DataFrame, run_id: str) -> pd.DataFrame:
    """The rows in the order of the first evaluation's questions."""
    if len(found) == len(first) and (found["id"].to_numpy() == first["id"].to_numpy()).all():
        return found
    if set(found["id"]) != set(first["id"]):
        raise XlqaError(
            f"run {run_id}: its per-question scores are of other questions than those of the runs it is compared with; "
            "`xlqa rescore` writes them again from the predictions."
        )
    return found.set_index("id").loc[first["id"]].reset_index()


def _check_score(ratios: Sequence[Ratio], stated: float, column: str, run_id: str) -> None:
    score = _score(ratios)
    if not abs(score - stated) <= TOLERANCE:
        raise XlqaError(
            f"run {run_id}: its per-question scores average to {column} {score:.2f}, the table has {stated:.2f}: "
            "they are not of one scoring. `xlqa rescore` writes both again from the predictions."
        )


def pack_questions(results_dir: str | Path, out: str | Path) -> Path:
    """Gather the per-question scores of a sweep into one file, to be published beside its results.csv.

    Args:
        results_dir: the sweep's folder; every evaluation in its results.csv must have its questions.csv or examples.csv.
        out: a `.csv.xz` (the cells as they are, the same bytes each time) or a `.parquet` file, or a folder, which gets a
            questions.csv.xz (examples.csv.xz for tasks other than question answering).
    Returns:
        The file written.
    Raises:
        XlqaError: a file is missing, or the table holds several tasks.
    """
    folder = Path(results_dir)
    folder = folder.parent if folder.suffix == ".csv" else folder
    table = load_results(folder)
    if len(tasks := task_order(tasks_of(table))) > 1:
        raise XlqaError(f"{folder}: holds runs of the tasks {', '.join(tasks)}: pack a folder of one task.")
    name = PACKED_NAMES[0 if tasks == (QA,) else 2]
    path = Path(out) / name if Path(out).is_dir() else Path(out)
    if not path.name.endswith((".csv.xz", ".parquet")):
        raise XlqaError(f"{path}: name a file that ends in .csv.xz or .parquet.")
    keys = sorted(zip(table["run_id"], table["eval_id"], strict=True))
    absent = [key for key in keys if loose_file(folder, *key) is None]
    if absent:
        raise ManyErrors(
            f"{folder}: run {run} has no per-question scores for evaluation {evaluation}; `xlqa rescore` writes them."
            for run, evaluation in absent[:10]
        )
    with replacing(path) as draft:
        if path.suffix == ".parquet":
            _pack_parquet(folder, keys, draft)
        else:
            with lzma.open(draft, "wt", encoding="utf-8", newline="") as file:
                file.writelines(_packed_lines(folder, keys))
    return path


def _packed_lines(folder: Path, keys: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Lines of the packed table: the cells of the loose ones, untouched, after the two ids."""
    columns = _packed_columns(header for _, header, _ in _loose_tables(folder, keys))
    yield ",".join(map(_quote, ("run_id", "eval_id", *columns))) + "\n"
    for (run_id, eval_id), (path, header, rows) in zip(keys, _loose_tables(folder, keys), strict=True):
        order = _column_order(header, columns, path)
        for cells in rows:
            own = ("0" if place is None else cells[place] for place in order)
            yield ",".join(_quote(cell) for cell in (run_id, eval_id, *own)) + "\n"


def _loose_tables(
    folder: Path, keys: Sequence[tuple[str, str]]
) -> Iterator[tuple[Path, list[str], Iterator[list[str]]]]:
    """Path, header and rows of each evaluation's file."""
    for run_id, eval_id in keys:
        path = loose_file(folder, run_id, eval_id)
        assert path is not None
        text = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        reader = csv.reader(io.StringIO(text.decode("utf-8"), newline=""))
        yield path, next(reader, []), reader


def _packed_columns(headers: Iterator[Sequence[str]]) -> list[str]:
    first = next(headers)
    if set(QUESTION_COLUMNS) <= set(first):
        return [*QUESTION_COLUMNS]
    # Files differ in their labels, so all headers are read before the first row is written.
    labels = sorted({name for header in (first, *headers) for name in header if name.startswith(OF_LABELS)})
    return [*(name for name in first if not name.startswith(OF_LABELS)), *_in_pairs(labels)]


def _in_pairs(labels: Sequence[str]) -> list[str]:
    """Columns of labels in the order of the loose files: the numerator first."""
    return sorted(labels, key=lambda name: (name.rpartition("_")[0], name.endswith("denominator")))


def _column_order(header: Sequence[str], columns: Sequence[str], path: Path) -> list[int | None]:
    """Where the columns are in a file; None for a label that is neither gold nor predicted there: its sums are 0."""
    absent = [name for name in columns if name not in header and not name.startswith(OF_LABELS)]
    if absent:
        raise XlqaError(f"{path}: lacks the column {absent[0]}: `xlqa rescore` writes it again.")
    return [header.index(name) if name in header else None for name in columns]


def _quote(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(letter in cell for letter in ',"\r\n') else cell


def _pack_parquet(folder: Path, keys: Sequence[tuple[str, str]], path: Path) -> None:
    import pandas as pd

    store = ExampleStore()
    frames = []
    for run_id, eval_id in keys:
        frame = store.read(folder, run_id, eval_id)
        assert frame is not None
        columns = (
            PACKED_COLUMNS if set(QUESTION_COLUMNS) <= set(frame.columns) else ("run_id", "eval_id", *frame.columns)
        )
        frames.append(frame.assign(run_id=run_id, eval_id=eval_id)[list(columns)])
    whole = pd.concat(frames, ignore_index=True)
    labels = [name for name in whole.columns if name.startswith(OF_LABELS)]
    whole[labels] = whole[labels].fillna(0)
    for name in ("run_id", "eval_id", "id", "context"):
        whole[name] = whole[name].astype("category")
    try:
        whole.to_parquet(path, compression="zstd", index=False)
    except ImportError:
        raise XlqaError(
            f"{path}: writing Parquet needs pyarrow: pip install 'xlqa[parquet]', or name .csv.xz."
        ) from None
