"""Reading results.csv: what is missing stays missing, and what is broken is said with its line."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from synthetic import Study, write_study

from xlqa.curves.table import REQUIRED_COLUMNS, load_results
from xlqa.errors import XlqaError
from xlqa.records import RESULT_COLUMNS
from xlqa.util.csvfile import guard_cell

SMALL = Study(sizes=(30, 100), seeds=2, per_question=False)


def edit(path: Path, change) -> Path:
    """Rewrite the table after `change(rows)`, rows being lists with the header first."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    change(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def put(row: int, column: str, value: str):
    return lambda rows: rows[row].__setitem__(rows[0].index(column), value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study", SMALL)


def test_required_columns_are_columns_of_the_contract():
    assert set(REQUIRED_COLUMNS) <= set(RESULT_COLUMNS)


def test_reads_numbers_words_and_what_is_missing(path: Path):
    table = load_results(path)
    assert len(table) == 1 + 2 * 2 * 2
    zero_shot = table[table["size"] == 0].iloc[0]
    assert np.isnan(zero_shot["lr"])
    assert zero_shot["target"] == ""
    assert table["f1"].dtype == float
    assert (table["folder"] == str(path.parent)).all()


def test_a_folder_means_its_table(path: Path):
    assert len(load_results(path.parent)) == len(load_results(path))


def test_an_empty_score_is_missing_not_zero(path: Path):
    table = load_results(edit(path, put(3, "f1", "")))
    assert np.isnan(table["f1"].iloc[2])


def test_the_same_row_in_two_tables_counts_once(path: Path):
    assert len(load_results([path, path.parent])) == len(load_results(path))


def test_the_same_run_with_two_scores_is_refused(path: Path, tmp_path: Path):
    other = write_study(tmp_path / "other", SMALL)
    edit(other, put(2, "f1", "1.5"))
    with pytest.raises(XlqaError, match=r"occurs twice .* different scores"):
        load_results([path, other])


def test_two_runs_alike_in_all_but_their_name_are_refused(path: Path):
    with pytest.raises(XlqaError, match="the mean counts it twice"):
        load_results(edit(path, lambda rows: rows.append([*rows[-1][:-1], "another-run"])))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("f1", "12,3", "line 4: f1 is '12,3', which is not a number"),
        ("f1", "120", "outside 0 to 100"),
        ("em", "inf", "out of range"),
        ("size", "nan", "expected a number"),
        ("size", "1e30", "out of range"),
        ("questions", "0", "expected 1 or more"),
        ("arm", "\x1b[31mred", "arm is '[31mred'"),
        ("size", "10.5", "whole number"),
        ("size", "", "the column size is empty"),
        ("seed", "-1", "whole number of 0 or more"),
        ("arm", "zero", "arm is 'zero': choose from transfer, target-only, joint, monolingual"),
        ("run_id", "", "the column run_id is empty"),
    ],
)
def test_a_broken_cell_is_named_with_its_line(path: Path, column: str, value: str, said: str):
    with pytest.raises(XlqaError) as caught:
        load_results(edit(path, put(3, column, value)))
    assert said in str(caught.value)


def test_all_complaints_come_at_once_but_not_hundreds(tmp_path: Path):
    path = write_study(tmp_path, Study(per_question=False))
    edit(path, lambda rows: [put(n, "f1", "x")(rows) for n in range(1, len(rows))])
    with pytest.raises(XlqaError) as caught:
        load_results(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 11
    assert lines[-1].endswith("more complaints.")


def test_target_only_has_no_size_zero(path: Path):
    with pytest.raises(XlqaError, match="only transfer has a zero-shot score"):
        load_results(edit(path, lambda rows: put(-1, "size", "0")(rows)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"a,b\n1,2\n", "not a results.csv of xlqa: its header begins with 'a, b'"),
        (b"\xff\xfe\x00", "not a table in UTF-8"),
        (b'{"version": 1}\n{}\n', "not a results.csv"),
        (",".join(RESULT_COLUMNS).encode(), "no evaluation is finished yet"),
        (b'a,"b\n1,2', "not comma-separated values"),
    ],
)
def test_foreign_files_are_refused(tmp_path: Path, content: bytes, said: str):
    path = tmp_path / "results.csv"
    path.write_bytes(content)
    with pytest.raises(XlqaError) as caught:
        load_results(path)
    assert said in str(caught.value)


def test_a_missing_file_says_what_writes_one(tmp_path: Path):
    with pytest.raises(XlqaError, match="xlqa sweep --out DIR"):
        load_results(tmp_path / "results.csv")


def test_a_missing_column_and_a_cut_row_are_refused(path: Path):
    whole = path.read_bytes()
    edit(path, lambda rows: [row.__delitem__(rows[0].index("lr")) for row in reversed(rows)])
    with pytest.raises(XlqaError, match=r"the header lacks lr"):
        load_results(path)
    path.write_bytes(whole[:-60])
    with pytest.raises(XlqaError, match="the table was cut or edited"):
        load_results(path)


def test_cells_that_a_spreadsheet_would_run_are_escaped():
    assert guard_cell("=HYPERLINK()") == "'=HYPERLINK()"
    assert guard_cell("squad.train") == "squad.train"


def test_a_file_that_was_renamed_stays_the_same_setting(path: Path):
    before = load_results(path)
    table = load_results(edit(path, put(-1, "target", "renamed")))
    assert set(table["target"]) == set(before["target"])
    table = load_results(
        edit(path, lambda rows: (put(-1, "target", "other")(rows), put(-1, "target_sha256", "f" * 64)(rows)))
    )
    assert "other" in set(table["target"])
