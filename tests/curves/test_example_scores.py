"""Per-question scores: loose or packed, the same numbers; and never of another scoring than the table's."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic import Study, write_study

from xlqa.curves.example_scores import PACKED_COLUMNS, ExampleScores, ExampleStore, pack_questions
from xlqa.curves.table import load_results
from xlqa.errors import XlqaError

SMALL = Study(sizes=(30, 100), seeds=2, paragraphs=8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study", SMALL).parent


def first_file(folder: Path) -> Path:
    return sorted(folder.glob("runs/*/eval/*/questions.csv"))[0]


def read(folder: Path, column: str = "f1") -> ExampleScores:
    found = ExampleStore().scores(load_results(folder), column)
    assert found is not None
    return found


def numerators(folder: Path) -> np.ndarray:
    return read(folder).numerators


def test_single_scores_add_up_to_the_tables(folder: Path):
    found = read(folder, "squad_f1")
    assert np.bincount(found.groups).tolist() == [4] * 8
    assert (found.denominators == 1).all()
    scores, influence, examples = found.influence(slice(0, 9))
    np.testing.assert_allclose(scores, load_results(folder)["squad_f1"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(influence.sum(axis=1), 0, atol=1e-9)
    assert examples.shape == (32,)


def test_a_score_may_be_a_ratio_of_numerators(folder: Path):
    """As entity F1: 2 TP of each sentence over 2 TP + FP + FN of it."""
    data = np.random.default_rng(3)
    for path in folder.glob("runs/*/eval/*/questions.csv"):
        frame = pd.read_csv(path)
        frame["ner_numerator"], frame["ner_denominator"] = data.integers(0, 3, 32) * 2, data.integers(4, 9, 32)
        path.unlink()
        frame.rename(columns={"context": "group"}).to_csv(path.with_name("examples.csv"), index=False)
    table = load_results(folder)
    exact = []
    for run, evaluation in zip(table["run_id"], table["eval_id"], strict=True):
        frame = pd.read_csv(folder / "runs" / run / "eval" / evaluation / "examples.csv")
        exact.append(100 * frame["ner_numerator"].sum() / frame["ner_denominator"].sum())
    found = ExampleStore().scores(table.assign(ner=exact), "ner")
    scores, influence, _ = found.influence(slice(0, 9))
    np.testing.assert_allclose(scores, exact, rtol=1e-12)
    # The linearised standard error agrees with a bootstrap of whole paragraphs.
    picks = data.integers(0, 8, (4000, 8))
    above = np.array([np.bincount(found.groups, row) for row in found.numerators[:1]])[0]
    below = np.array([np.bincount(found.groups, row) for row in found.denominators[:1]])[0]
    bootstrap = 100 * above[picks].sum(axis=1) / below[picks].sum(axis=1)
    assert np.sqrt((influence[0] ** 2).sum()) == pytest.approx(bootstrap.std(), rel=0.1)


@pytest.mark.parametrize("name", ["questions.csv.xz", "questions.parquet"])
def test_packed_scores_are_the_loose_ones(folder: Path, tmp_path: Path, name: str):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    published = tmp_path / "published"
    published.mkdir()
    (published / "results.csv").write_bytes((folder / "results.csv").read_bytes())
    assert pack_questions(folder, published / name) == published / name
    np.testing.assert_array_equal(numerators(published), numerators(folder))


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
    before = numerators(folder)
    assert pack_questions(folder, folder / "again.csv.xz").read_bytes() == (folder / "questions.csv.xz").read_bytes()
    loose.with_name("questions.csv.xz").unlink()
    np.testing.assert_array_equal(numerators(folder), before)


def test_without_scores_there_are_none(folder: Path):
    first_file(folder).unlink()
    assert ExampleStore().scores(load_results(folder), "f1") is None
    with pytest.raises(XlqaError, match="has no per-question scores"):
        pack_questions(folder, folder)
    with pytest.raises(XlqaError, match=r"ends in .csv.xz or .parquet"):
        pack_questions(folder, folder / "all.zip")


def test_question_order_does_not_matter_but_the_questions_do(folder: Path):
    before = numerators(folder)
    path = first_file(folder)
    frame = pd.read_csv(path)
    frame.iloc[::-1].to_csv(path, index=False)
    np.testing.assert_allclose(numerators(folder), before)
    frame["id"] = "x" + frame["id"]
    frame.to_csv(path, index=False)
    with pytest.raises(XlqaError, match="of other questions"):
        numerators(folder)


def test_scores_of_another_scoring_are_refused(folder: Path):
    path = first_file(folder)
    frame = pd.read_csv(path)
    frame["f1"] = 0.0
    frame.to_csv(path, index=False)
    with pytest.raises(XlqaError, match=r"average to f1 0.00, the table has .*`xlqa rescore`"):
        numerators(folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,context\nq,c\n", "lacks the column f1"),
        (b"", "not a table of per-question scores"),
        (b"id,context,f1,em,squad_f1,squad_em\nq0,c,high,0,0,0\n", "has a cell that is not a number"),
        (b"id,context,f1,em,squad_f1,squad_em\nq0,c,1,0,0,0\nq0,c,1,0,0,0\n", "occurs twice"),
    ],
)
def test_broken_files_are_named(folder: Path, content: bytes, said: str):
    path = first_file(folder)
    path.write_bytes(content)
    with pytest.raises(XlqaError) as caught:
        numerators(folder)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_unanswerable_questions_have_no_squad_score_and_are_left_out_of_it(folder: Path):
    for path in folder.glob("runs/*/eval/*/questions.csv"):
        frame = pd.read_csv(path)
        frame.loc[0, ["squad_f1", "squad_em"]] = np.nan
        frame.to_csv(path, index=False)
    table = load_results(folder)
    found = ExampleStore().scores(table.assign(squad_f1=_means(folder, table)), "squad_f1")
    assert np.bincount(found.groups).tolist() == [3] + [4] * 7
    assert not np.isnan(found.numerators).any()


def _means(folder: Path, table: pd.DataFrame) -> list[float]:
    files = [
        folder / "runs" / r / "eval" / e / "questions.csv"
        for r, e in zip(table["run_id"], table["eval_id"], strict=True)
    ]
    return [pd.read_csv(path)["squad_f1"].mean() for path in files]
