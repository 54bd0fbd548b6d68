"""`xlqa compare`: the difference of two tables, paired where seeds and test examples are the same."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from synthetic import Law, Study, write_study

import xlqa
from xlqa.cli import main
from xlqa.curves.comparison import compare as compare_arms
from xlqa.curves.differences import compare_tables, parse_conditions
from xlqa.curves.example_scores import ExampleStore
from xlqa.curves.grouping import split_panels
from xlqa.curves.plots.curves import STYLES
from xlqa.curves.plots.differences import difference_figure
from xlqa.curves.report.differences import difference_report
from xlqa.curves.table import load_results

SMALL = Study(sizes=(30, 100, 300), seeds=3, paragraphs=20)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write_study(tmp_path / "old", SMALL).parent


def rewrite(folder: Path, change) -> None:
    table = pd.read_csv(folder / "results.csv", dtype=str, keep_default_na=False)
    change(table).to_csv(folder / "results.csv", index=False)


def copy_of(folder: Path, name: str) -> Path:
    return Path(shutil.copytree(folder, folder.with_name(name)))


def lower_scores(folder: Path, points: float) -> None:
    """Make every run of a folder worse by so many points, in its table and in its questions."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(f1=[repr(float(f1) - points) for f1 in table["f1"]])

    rewrite(folder, change)
    for path in folder.glob("runs/*/eval/*/questions.csv"):
        frame = pd.read_csv(path, dtype={"id": str})
        frame.assign(f1=frame["f1"] - points).to_csv(path, index=False)


def test_a_copy_differs_by_nothing_and_is_no_regression(old: Path, capsys: pytest.CaptureFixture[str]):
    again = copy_of(old, "again")
    assert main(["compare", str(old), str(again), "--fail-below", "0", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert {(row["difference"], row["low"], row["high"]) for row in record["differences"]} == {(0.0, 0.0, 0.0)}
    assert len(record["differences"]) == 7
    assert record["only_a"] == record["only_b"] == record["settings"] == []


def test_a_version_that_scores_less_fails(old: Path, capsys: pytest.CaptureFixture[str]):
    new = copy_of(old, "new")
    lower_scores(new, 2.0)
    assert main(["compare", str(old), str(new), "--fail-below", "-1"]) == 1
    assert "the simultaneous 95 % interval of B − A is above 0 in 0 and below 0 in 7" in " ".join(
        capsys.readouterr().out.split()
    )
    assert main(["compare", str(old), str(new), "--fail-below", "-2.5"]) == 0
    assert main(["compare", str(new), str(old), "--fail-below", "0"]) == 0


def test_two_arms_of_one_table_differ_by_the_gain_that_the_report_has(old: Path):
    table = load_results(old)
    found = compare_tables([table], ["old"], ({"arm": "target-only"}, {"arm": "transfer"}))
    (gains,) = compare_arms(split_panels(table)[0], "f1", ExampleStore())
    (contrast,) = found.contrasts
    assert {row[1] for row in difference_report(found).sections[0].tables[0].rows} == {"target-only → transfer"}
    legend = difference_figure(found, STYLES["paper"]).legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["target-only → transfer"]
    assert contrast.paired_runs
    assert contrast.paired_examples
    assert [row.size for row in contrast.rows] == [30, 100, 300]
    for row, expected in zip(contrast.rows, gains.results, strict=True):
        assert row.found.value == pytest.approx(expected.gain.value)
        assert (row.found.low, row.found.high) == pytest.approx((expected.gain.low, expected.gain.high))


def test_a_setting_is_chosen_from_one_table(old: Path, tmp_path: Path):
    write_study(tmp_path / "both", replace(SMALL, lr=1e-4), random_seed=1)
    both = [load_results(old), load_results(tmp_path / "both")]
    table = pd.concat(both, ignore_index=True)
    shared = table[(table["size"] > 0) | (table["folder"] == str(old))].reset_index(drop=True)
    found = xlqa.compare(shared, where_a={"lr": 3e-5}, where_b={"lr": 0.0001})
    assert set(found.table["size"]) == {30, 100, 300}, "the zero-shot score that both share is no difference"
    assert found.differences.settings == (("lr", "3e-05", "0.0001"),)


def test_other_questions_and_other_data_are_not_paired(old: Path, tmp_path: Path):
    other = write_study(tmp_path / "other", replace(SMALL, law=Law(worth=3000)), random_seed=5).parent
    rewrite(other, lambda table: table.assign(target_sha256=["f" * 64 if n != "0" else "" for n in table["size"]]))
    for path in other.glob("runs/*/eval/*/questions.csv"):
        frame = pd.read_csv(path, dtype={"id": str})
        frame.assign(id="x" + frame["id"], context="x" + frame["context"].astype(str)).to_csv(path, index=False)
    paired = xlqa.compare(old, old).differences.contrasts[0]
    apart = xlqa.compare(old, other).differences.contrasts[0]
    assert (paired.paired_runs, paired.shared) == (True, 80)
    assert (apart.paired_runs, apart.paired_examples, apart.shared) == (False, False, 0)
    assert all(row.found.low < row.found.value < row.found.high for row in apart.rows if row.size)
    # Independent sides: the variance of a difference is at least that of either side's questions alone.
    assert all(row.found.high - row.found.low > 2 for row in apart.rows if row.size)


def test_shared_questions_are_compared_and_the_rest_is_left_out(old: Path):
    part = copy_of(old, "part")
    kept = {}
    for path in part.glob("runs/*/eval/*/questions.csv"):
        frame = pd.read_csv(path, dtype={"id": str}).iloc[:60].sample(frac=1, random_state=1)
        frame.to_csv(path, index=False)
        kept[path.parts[-4]] = frame[["f1", "em", "squad_f1", "squad_em"]].mean()
    rewrite(
        part,
        lambda table: table.assign(
            questions="60", test_size="60", **{n: [repr(kept[run][n]) for run in table["run_id"]] for n in kept[path.parts[-4]].index}
        ),
    )  # fmt: skip
    found = xlqa.compare(old, part)
    assert set(found.table["paired_examples"]) == {60}
    assert found.table["difference"].abs().max() < 1e-9, "the same runs on the same questions"


def test_what_one_side_alone_has_is_listed(old: Path, capsys: pytest.CaptureFixture[str]):
    new = copy_of(old, "new")
    rewrite(new, lambda table: table[(table["size"] != "300") & (table["arm"] == "transfer")])
    assert main(["compare", str(old), str(new)]) == 0
    shown = capsys.readouterr().out
    assert "only in A: ru on xquad.ru, target-only" in shown
    assert "only in A: ru on xquad.ru, transfer: N = 300" in shown


@pytest.mark.parametrize("kind", ["md", "tex", "csv"])
def test_every_format_names_the_sizes_and_a_figure_is_drawn(old: Path, tmp_path: Path, kind: str):
    figure = tmp_path / "difference.svg"
    out = tmp_path / f"difference.{kind}"
    assert main(["compare", str(old), str(copy_of(old, "new")), "--out", str(out), "--figure", str(figure)]) == 0
    assert "300" in out.read_text(encoding="utf-8")
    assert figure.read_bytes().startswith(b"<?xml")


def test_the_figure_has_the_common_sizes_alone(old: Path):
    few = copy_of(old, "few")
    rewrite(few, lambda table: table[table["size"] != "30"])
    (ax,) = difference_figure(xlqa.compare(few, old).differences, STYLES["paper"]).axes
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "100", "300"]
    assert list(ax.get_xticks()) == sorted(ax.get_xticks())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--a", "lr=3e-5"], "the table has 3e-05 there"),
        (["--a", "lr=1", "--b", "lr=2"], "--a lr=1: the table has 3e-05 there"),
        (["--a", "modle=x"], "did you mean model? Choose from task"),
        (["--a", "lr"], "give COLUMN=VALUE"),
        ([], "one table needs two selections"),
    ],
)
def test_a_wrong_selection_is_refused_in_one_line(old: Path, words: list[str], message: str, capsys):
    if message.startswith("the table has"):
        words = ["--b", "lr=4e-5", *words]
    assert main(["compare", str(old), *words]) == 2
    assert message in capsys.readouterr().err


def test_nothing_in_common_says_what_there_is(old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    other = write_study(tmp_path / "other", replace(SMALL, languages=("uk",))).parent
    assert main(["compare", str(old), str(other)]) == 2
    assert "A: ru on xquad.ru. B: uk on xquad.uk" in capsys.readouterr().err


def test_conditions_take_lists():
    assert parse_conditions(["lr=1,model=m", "arm=transfer"], "--a") == {"lr": "1", "model": "m", "arm": "transfer"}


def test_single_runs_are_counted_in_the_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    a = write_study(tmp_path / "a", Study(seeds=1, sizes=(100, 1000))).parent
    b = copy_of(a, "b")
    lower_scores(b, 2.0)
    assert main(["compare", str(a), str(b)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "5 of these compare single runs: their intervals do not contain the spread over seeds." in shown
