"""Per-question scores: loose or packed, the same numbers; and never of another scoring than the table's."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic import Study, write_study

from xlqa.curves.example_scores import PACKED_COLUMNS, QuestionStore, pack_questions
from xlqa.curves.table import load_results
from xlqa.errors import XlqaError

SMALL = Study(sizes=(30, 100), seeds=2, paragraphs=8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study", SMALL).parent


def first_file(folder: Path) -> Path:
    return sorted(folder.glob("runs/*/eval/*/questions.csv"))[0]


def sums(folder: Path, column: str = "f1") -> np.ndarray:
    table = load_results(folder)
    found = QuestionStore().sums(table, column)
    assert found is not None
    return np.array(found[0])


def test_sums_add_up_to_the_tables_scores(folder: Path):
    table = load_results(folder)
    found, counts = QuestionStore().sums(table, "squad_f1")
    assert counts.tolist() == [4] * 8
    np.testing.assert_allclose([row.sum() / counts.sum() for row in found], table["squad_f1"])


@pytest.mark.parametrize("name", ["questions.csv.xz", "questions.parquet"])
def test_packed_scores_are_the_loose_ones(folder: Path, tmp_path: Path, name: str):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    published = tmp_path / "published"
    published.mkdir()
    (published / "results.csv").write_bytes((folder / "results.csv").read_bytes())
    assert pack_questions(folder, published / name) == published / name
    np.testing.assert_array_equal(sums(published), sums(folder))


def test_packing_twice_gives_the_same_bytes_and_keeps_the_cells(folder: Path, tmp_path: Path):
    one, two = (pack_questions(folder / "results.csv", tmp_path / f"{n}.csv.xz").read_bytes() for n in "ab")
    assert one == two
    lines = lzma.decompress(one).decode().splitlines()
    assert lines[0] == ",".join(PACKED_COLUMNS)
    assert lines[1].endswith(first_file(folder).read_text().splitlines()[1])
    assert len(lines) == 1 + 9 * 32


def test_a_folder_gets_the_name_that_is_looked_for(folder: Path):
    assert pack_questions(folder, folder) == folder / "questions.csv.xz"


def test_a_loose_file_may_be_compressed_and_wins_over_the_packed_one(folder: Path):
    pack_questions(folder, folder)
    loose = first_file(folder)
    loose.with_name("questions.csv.xz").write_bytes(lzma.compress(loose.read_bytes()))
    loose.unlink()
    before = sums(folder)
    assert pack_questions(folder, folder / "again.csv.xz").read_bytes() == (folder / "questions.csv.xz").read_bytes()
    loose.with_name("questions.csv.xz").unlink()
    np.testing.assert_array_equal(sums(folder), before)


def test_without_scores_there_are_none(folder: Path):
    first_file(folder).unlink()
    assert QuestionStore().sums(load_results(folder), "f1") is None
    with pytest.raises(XlqaError, match="has no per-question scores"):
        pack_questions(folder, folder)
    with pytest.raises(XlqaError, match=r"ends in .csv.xz or .parquet"):
        pack_questions(folder, folder / "all.zip")


def test_question_order_does_not_matter_but_the_questions_do(folder: Path):
    before = sums(folder)
    path = first_file(folder)
    frame = pd.read_csv(path)
    frame.iloc[::-1].to_csv(path, index=False)
    np.testing.assert_allclose(sums(folder), before)
    frame["id"] = "x" + frame["id"]
    frame.to_csv(path, index=False)
    with pytest.raises(XlqaError, match="of other questions"):
        sums(folder)


def test_scores_of_another_scoring_are_refused(folder: Path):
    path = first_file(folder)
    frame = pd.read_csv(path)
    frame["f1"] = 0.0
    frame.to_csv(path, index=False)
    with pytest.raises(XlqaError, match=r"average to f1 0.00, the table says .*`xlqa rescore`"):
        sums(folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,context\nq,c\n", "lacks the column f1"),
        (b"", "not a table of per-question scores"),
        (b"id,context,f1,em,squad_f1,squad_em\nq0,c,high,0,0,0\n", "holds what is no number"),
        (b"id,context,f1,em,squad_f1,squad_em\nq0,c,1,0,0,0\nq0,c,1,0,0,0\n", "stands twice"),
    ],
)
def test_broken_files_are_named(folder: Path, content: bytes, said: str):
    path = first_file(folder)
    path.write_bytes(content)
    with pytest.raises(XlqaError) as caught:
        sums(folder)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_unanswerable_questions_have_no_squad_score_and_are_left_out_of_it(folder: Path):
    for path in folder.glob("runs/*/eval/*/questions.csv"):
        frame = pd.read_csv(path)
        frame.loc[0, ["squad_f1", "squad_em"]] = np.nan
        frame.to_csv(path, index=False)
    table = load_results(folder)
    found, counts = QuestionStore().sums(table.assign(squad_f1=_means(folder, table)), "squad_f1")
    assert counts.tolist() == [3] + [4] * 7
    assert not np.isnan(found).any()


def _means(folder: Path, table: pd.DataFrame) -> list[float]:
    files = [
        folder / "runs" / r / "eval" / e / "questions.csv"
        for r, e in zip(table["run_id"], table["eval_id"], strict=True)
    ]
    return [pd.read_csv(path)["squad_f1"].mean() for path in files]
