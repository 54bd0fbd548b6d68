"""Per-question scores beside a results.csv: loose in each run's folder, or packed into one file for a published study.

Loose: `runs/<run_id>/eval/<eval_id>/questions.csv` (or `.csv.xz`). Packed: `questions.csv.xz` or `questions.parquet`
beside the table, the same columns after `run_id` and `eval_id`. Loose files win: they are what a rescore rewrites.
"""

from __future__ import annotations

import csv
import io
import lzma
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xlqa.curves.statistics import Floats, paragraph_sums
from xlqa.curves.table import FOLDER_COLUMN, load_results
from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import QUESTION_COLUMNS
from xlqa.util.files import replacing

if TYPE_CHECKING:
    import pandas as pd

PACKED_COLUMNS = ("run_id", "eval_id", *QUESTION_COLUMNS)
PACKED_NAMES = ("questions.csv.xz", "questions.parquet")
SCORES = tuple(name for name in QUESTION_COLUMNS if name not in ("id", "context"))
TOLERANCE = 0.01
"""How far, in percent, the mean of the per-question scores may be from the table's: rounding, and nothing more."""


PLAIN_ID = re.compile(r"[^./\x00-\x1f][^/\x00-\x1f]{0,200}")
"""An id of a table that may be a folder's name: it leads nowhere else."""


def loose_file(folder: Path, run_id: str, eval_id: str) -> Path | None:
    """The file of one evaluation in its run's folder, if there is one."""
    if not (PLAIN_ID.fullmatch(run_id) and PLAIN_ID.fullmatch(eval_id)):
        return None
    place = folder / "runs" / run_id / "eval" / eval_id
    return next((path for name in ("questions.csv", "questions.csv.xz") if (path := place / name).is_file()), None)


class QuestionStore:
    """Reads per-question scores of evaluations; a packed file is read once."""

    def __init__(self) -> None:
        self._packed: dict[Path, dict[tuple[str, str], pd.DataFrame]] = {}

    def read(self, folder: Path, run_id: str, eval_id: str) -> pd.DataFrame | None:
        """QUESTION_COLUMNS of one evaluation, one row a question; None where there is no file.

        Raises:
            XlqaError: a file that lacks columns, holds what is no number, or names a question twice.
        """
        loose = loose_file(folder, run_id, eval_id)
        if loose is not None:
            return _checked(_read_csv(loose, QUESTION_COLUMNS), loose)
        packed = next((path for name in PACKED_NAMES if (path := folder / name).is_file()), None)
        if packed is None:
            return None
        if packed not in self._packed:
            self._packed[packed] = _read_packed(packed)
        found = self._packed[packed].get((run_id, eval_id))
        return None if found is None else _checked(found, packed)

    def sums(self, rows: pd.DataFrame, column: str) -> tuple[list[Floats], Floats] | None:
        """Paragraph sums of several evaluations of one test set, and the paragraphs' numbers of questions.

        Args:
            rows: of the table; all of one panel. column: one of SCORES.
        Returns:
            (P,) sums for each row and (P,) counts; None when any row has no per-question scores.
        Raises:
            XlqaError: scores that do not average to the row's, or evaluations of different questions.
        """
        scores: list[Floats] = []
        first: pd.DataFrame | None = None
        for row in rows.itertuples(index=False):
            folder = Path(str(getattr(row, FOLDER_COLUMN)))
            found = self.read(folder, str(row.run_id), str(row.eval_id))
            if found is None:
                return None
            found = found.dropna(subset=[column])
            first = found if first is None else first
            aligned = _align(found, first, str(row.run_id))[column].to_numpy(dtype=float)
            _check_mean(aligned, float(getattr(row, column)), column, str(row.run_id))
            scores.append(aligned)
        if first is None:
            return None
        _, paragraphs = np.unique(first["context"].to_numpy(dtype=str), return_inverse=True)
        sums, counts = paragraph_sums(np.array(scores), paragraphs)
        return list(sums), counts


def _read_csv(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    words = {name: str for name in columns if name not in SCORES}
    try:
        frame = pd.read_csv(path, dtype=words, keep_default_na=False, na_values={name: [""] for name in SCORES})
    except (OSError, ValueError, lzma.LZMAError, EOFError, pd.errors.ParserError) as error:
        raise XlqaError(
            f"{path}: not a table of per-question scores ({error}): `xlqa rescore` writes it anew."
        ) from None
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        raise XlqaError(f"{path}: lacks the column {absent[0]}: `xlqa rescore` writes it anew.")
    return frame[list(columns)]


def _read_packed(path: Path) -> dict[tuple[str, str], pd.DataFrame]:
    import pandas as pd

    if path.suffix == ".parquet":
        try:
            frame = pd.read_parquet(path)
        except ImportError:
            raise XlqaError(f"{path}: reading Parquet needs pyarrow: pip install 'xlqa[parquet]'.") from None
        except (OSError, ValueError) as error:
            raise XlqaError(f"{path}: not a Parquet table ({error}).") from None
        absent = [name for name in PACKED_COLUMNS if name not in frame.columns]
        if absent:
            raise XlqaError(f"{path}: lacks the column {absent[0]}: write it with `pack_questions`.")
    else:
        frame = _read_csv(path, PACKED_COLUMNS)
    groups = frame.groupby(["run_id", "eval_id"], sort=False, observed=True)
    return {(str(run), str(evaluation)): part[list(QUESTION_COLUMNS)] for (run, evaluation), part in groups}


def _checked(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    for name in SCORES:
        if frame[name].dtype.kind not in "fiu":
            raise XlqaError(f"{path}: the column {name} holds what is no number: `xlqa rescore` writes it anew.")
    twice = frame["id"][frame["id"].duplicated()]
    if len(twice):
        raise XlqaError(f"{path}: the question {twice.iloc[0]} stands twice: `xlqa rescore` writes it anew.")
    return frame


def _align(found: pd.DataFrame, first: pd.DataFrame, run_id: str) -> pd.DataFrame:
    """The rows in the order of the first evaluation's questions."""
    if len(found) == len(first) and (found["id"].to_numpy() == first["id"].to_numpy()).all():
        return found
    if set(found["id"]) != set(first["id"]):
        raise XlqaError(
            f"run {run_id}: its per-question scores are of other questions than those of the runs it is compared with; "
            "`xlqa rescore` writes them anew from the predictions."
        )
    return found.set_index("id").loc[first["id"]].reset_index()


def _check_mean(scores: Floats, told: float, column: str, run_id: str) -> None:
    mean = float(scores.mean()) if scores.size else float("nan")
    if not abs(mean - told) <= TOLERANCE:
        raise XlqaError(
            f"run {run_id}: its per-question scores average to {column} {mean:.2f}, the table says {told:.2f}: "
            "they are not of one scoring. `xlqa rescore` writes both anew from the predictions."
        )


def pack_questions(results_dir: str | Path, out: str | Path) -> Path:
    """Gather the per-question scores of a sweep into one file, to be published beside its results.csv.

    Args:
        results_dir: the sweep's folder; every evaluation in its results.csv must have its questions.csv.
        out: a `.csv.xz` (the cells as they stand, the same bytes each time) or a `.parquet` file, or a folder, which
            gets a questions.csv.xz.
    Returns:
        The file written.
    """
    folder = Path(results_dir)
    folder = folder.parent if folder.suffix == ".csv" else folder
    table = load_results(folder)
    path = Path(out) / PACKED_NAMES[0] if Path(out).is_dir() else Path(out)
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
    yield ",".join(PACKED_COLUMNS) + "\n"
    for run_id, eval_id in keys:
        path = loose_file(folder, run_id, eval_id)
        assert path is not None
        text = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        reader = csv.reader(io.StringIO(text.decode("utf-8"), newline=""))
        order = _column_order(next(reader, []), path)
        for cells in reader:
            yield ",".join(_quote(cell) for cell in (run_id, eval_id, *(cells[i] for i in order))) + "\n"


def _column_order(header: Sequence[str], path: Path) -> list[int]:
    absent = [name for name in QUESTION_COLUMNS if name not in header]
    if absent:
        raise XlqaError(f"{path}: lacks the column {absent[0]}: `xlqa rescore` writes it anew.")
    return [header.index(name) for name in QUESTION_COLUMNS]


def _quote(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(letter in cell for letter in ',"\r\n') else cell


def _pack_parquet(folder: Path, keys: Sequence[tuple[str, str]], path: Path) -> None:
    import pandas as pd

    store = QuestionStore()
    frames = []
    for run_id, eval_id in keys:
        frame = store.read(folder, run_id, eval_id)
        assert frame is not None
        frames.append(frame.assign(run_id=run_id, eval_id=eval_id)[list(PACKED_COLUMNS)])
    whole = pd.concat(frames, ignore_index=True)
    for name in ("run_id", "eval_id", "id", "context"):
        whole[name] = whole[name].astype("category")
    try:
        whole.to_parquet(path, compression="zstd", index=False)
    except ImportError:
        raise XlqaError(
            f"{path}: writing Parquet needs pyarrow: pip install 'xlqa[parquet]', or name .csv.xz."
        ) from None
