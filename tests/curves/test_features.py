"""Correlations over languages, and the section and figure that show them."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from synthetic import Law, Study, write_study

from xlqa.cli import main
from xlqa.cli.explain import gather
from xlqa.curves.features import Group, Outcome, correlate, spearman
from xlqa.records import FEATURE_COLUMNS, RESULT_COLUMNS
from xlqa.util.csvfile import csv_text


def test_rho_and_its_interval_are_those_worked_out_by_hand():
    # Ranks of the second: 1 2 3 5 4, one swap of neighbours: rho = 1 - 6 * 2 / (5 * 24) = 0.9.
    found = spearman(np.array([1.0, 2, 3, 4, 5]), np.array([10.0, 20, 30, 50, 40]))
    assert found.value == pytest.approx(0.9)
    half = 1.959964 * math.sqrt((1 + 0.81 / 2) / 2)
    assert found.low == pytest.approx(math.tanh(math.atanh(0.9) - half))
    assert found.high == pytest.approx(math.tanh(math.atanh(0.9) + half))
    # Ranks 1.5 1.5 3 4 and 1 2 3.5 3.5, around their mean 2.5: the products add up to 4, both squares to 4.5.
    tied = spearman(np.array([1.0, 1, 2, 3]), np.array([1.0, 2, 3, 3]))
    assert tied.value == pytest.approx(4 / 4.5)
    perfect = spearman(np.arange(8.0), -np.arange(8.0))
    assert (perfect.value, perfect.low) == (-1, -1)
    assert -1 < perfect.high < 0


def test_nothing_is_computed_below_eight_languages():
    def group(count: int) -> Group:
        codes = [f"l{n}" for n in range(count)]
        outcome = Outcome("zero-shot", 0, {code: float(n) for n, code in enumerate(codes)})
        return Group(
            "g", (outcome,), {code: {"syntactic": -float(n), "same_script": 1.0} for n, code in enumerate(codes)}
        )

    assert correlate(group(7)) == ()
    (found,) = correlate(group(8))
    assert (found.feature, found.languages, found.rho.value) == ("syntactic", 8, -1)


def test_a_missing_value_does_not_enter_rho():
    codes = [f"l{n}" for n in range(10)]
    values = {code: float(n) for n, code in enumerate(codes)} | {"l3": math.nan, "l9": math.inf}
    group = Group("g", (Outcome("N₀", 0, values),), {code: {"syntactic": float(n)} for n, code in enumerate(codes)})
    (found,) = correlate(group)
    assert (found.languages, found.rho.value) == (9, 1)


Row = dict[str, str]


def write_tables(
    root: Path, change: Callable[[list[Row]], list[Row]] = lambda rows: rows, tests: tuple = ("xquad",)
) -> Path:
    """Two languages with features; `change` makes the rows of results.csv from those of a plain study."""
    study = Study(languages=("de", "ru"), tests=tests, sizes=(100, 1000), seeds=2, per_question=False, spread=0.1)
    with write_study(root, study).open(encoding="utf-8") as file:
        rows = change(list(csv.DictReader(file)))
    same = ("lang", "test", "model", "source", "source_size", "test_sha256", "model_sha256", "source_sha256")
    features = [
        dict.fromkeys(FEATURE_COLUMNS)
        | {"task": "qa", "test_lang": row["lang"], "source_lang": "en", "overlap_types": 1 / float(row["source_size"])}
        | {name: row[name] for name in same}
        for row in rows
        if row["source_size"]
    ]
    (root / "results.csv").write_text(csv_text(RESULT_COLUMNS, rows), encoding="utf-8")
    (root / "features.csv").write_text(csv_text(FEATURE_COLUMNS, features), encoding="utf-8")
    return root


def outcomes(group: Group) -> dict[str, dict[str, float]]:
    return {outcome.name: dict(outcome.values) for outcome in group.outcomes}


def test_gains_are_those_of_transfer_alone(tmp_path: Path):
    def add_joint(rows: list[Row]) -> list[Row]:
        joint = [row | {"arm": "joint", "run_id": f"j{row['run_id']}", "f1": "50"} for row in rows
                 if row["arm"] == "transfer" and row["size"] != "0"]  # fmt: skip
        return rows + joint

    (plain,) = gather([write_tables(tmp_path / "plain")], "")
    (both,) = gather([write_tables(tmp_path / "joint", add_joint)], "")
    assert outcomes(both) == outcomes(plain)


def test_languages_of_different_settings_are_not_averaged(tmp_path: Path):
    def again(**changes: str) -> Callable[[list[Row]], list[Row]]:
        """The rows, and the same with 10 points less by transfer in other settings."""

        def change(row: Row) -> Row:
            less = 10 * (row["arm"] == "transfer")
            return row | changed(row) | {"run_id": f"x{row['run_id']}", "f1": str(float(row["f1"]) - less)}

        def changed(row: Row) -> Row:
            return {name: value for name, value in changes.items() if row[name]}

        return lambda rows: rows + [change(row) for row in rows if changed(row)]

    (plain,) = gather([write_tables(tmp_path / "plain")], "")
    known = outcomes(plain)
    # Another source stage is another group.
    first, second = gather([write_tables(tmp_path / "source", again(source_lr="0.5"))], "")
    assert [group.label.rpartition(", ")[2] for group in (first, second)] == ["source lr 0.5", "source lr 3e-5"]
    assert outcomes(second)["zero-shot"] == known["zero-shot"]
    assert outcomes(first)["zero-shot"]["de"] == pytest.approx(known["zero-shot"]["de"] - 10)
    # Another training on the target is another outcome; the zero-shot score is the same.
    for name, value, words in (
        ("lr", "0.5", "lr 0.5"),
        ("epochs", "9", "epochs 9"),
        ("subset_by", "paragraph", "subset by paragraph"),
    ):
        (group,) = gather([write_tables(tmp_path / name, again(**{name: value}))], "")
        found = outcomes(group)
        assert found["zero-shot"] == known["zero-shot"]
        gain = next(values for outcome, values in found.items() if outcome.startswith(f"gain at N = 100 ({words}"))
        assert gain["de"] == pytest.approx(known["gain at N = 100"]["de"] - 10)
        assert len(found) == 7
    # Frozen layers are noted in the name and hash of the target data, which languages need not share.
    (group,) = gather([write_tables(tmp_path / "frozen", again_frozen)], "")
    assert outcomes(group)["gain at N = 100 (no changes)"] == known["gain at N = 100"]
    assert "gain at N = 100 (changes frozen up to layer 3)" in outcomes(group)


def test_features_are_those_of_the_source_data_of_that_size(tmp_path: Path):
    def smaller(rows: list[Row]) -> list[Row]:
        less = [row | {"source_size": "100", "run_id": f"x{row['run_id']}"} for row in rows if row["source_size"]]
        return rows + less

    groups = gather([write_tables(tmp_path, smaller)], "")
    found = {group.label: group.features["de"]["overlap_types"] for group in groups}
    model = "bert-base-multilingual-cased, squad.train"
    assert found == {f"xquad, {model} (100)": 0.01, f"xquad, {model} (87,599)": pytest.approx(1 / 87599)}


def again_frozen(rows: list[Row]) -> list[Row]:
    note = "frozen up to layer 3"
    return rows + [
        row | {"target_sha256": f"{row['target_sha256']}+{note}", "target": f"{row['target']} ({note})", "run_id": f"x{row['run_id']}"}
        for row in rows if row["size"] != "0"
    ]  # fmt: skip


def test_a_language_that_was_measured_in_two_ways_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def rescore(rows: list[Row]) -> list[Row]:
        rows = [row | {"scorer": f"mlqa.{row['lang']}"} for row in rows]
        return rows + [
            row | {"scorer": "squad", "eval_id": "other", "f1": str(float(row["f1"]) - 1)}
            for row in rows
            if row["lang"] == "ru"
        ]

    root = write_tables(tmp_path, rescore)
    (group,) = gather([root], "")
    assert set(outcomes(group)) == {"zero-shot", "gain at N = 100", "gain at N = 1,000", "N₀"}
    assert all(list(values) == ["de"] for values in outcomes(group).values())
    assert main(["explain", str(root)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Russian, zero-shot: measured in several ways (scorer mlqa.ru; scorer squad)" in text


def test_worths_beyond_the_sizes_have_no_mean_with_others(tmp_path: Path):
    """--pool joins the test sets of a language: N₀ of one is beyond the largest size, of the other below the smallest."""

    def move(rows: list[Row]) -> list[Row]:
        scores = {"near": "1", "far": "99"}
        return [row | {"f1": scores[row["test"].split(".")[0]]} if row["lang"] == "ru" and row["size"] == "0" else row
                for row in rows]  # fmt: skip

    root = write_tables(tmp_path, move, tests=("near", "far"))
    near_or_far = {g.label.split(",")[0]: outcomes(g)["N₀"]["ru"] for g in gather([root], "")}
    assert near_or_far == {"near": -math.inf, "far": math.inf}
    (group,) = gather([root], "", pool=True)
    assert list(outcomes(group)["N₀"]) == ["de"]
    assert outcomes(group)["zero-shot"]["ru"] == 50
    (line,) = group.left_out
    assert line.startswith("Russian, N₀: beyond the sizes measured on a part of its test sets")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine languages: the farther in syntax, the less English is worth."""
    root = tmp_path_factory.mktemp("languages")
    rows, features = [], []
    for place, code in enumerate(["ar", "de", "el", "es", "hi", "ru", "th", "tr", "vi"]):
        study = Study(
            languages=(code,),
            sizes=(100, 1000),
            seeds=2,
            per_question=False,
            spread=0.1,
            law=Law(worth=1000 - 90 * place),
        )
        with write_study(root / code, study, place).open(encoding="utf-8") as file:
            rows += list(csv.DictReader(file))
        features.append(
            dict.fromkeys(FEATURE_COLUMNS)
            | {"task": "qa", "lang": code, "test": f"xquad.{code}", "test_lang": code, "model": "m", "source": "squad.train",
               "source_lang": "en", "source_size": 87599, "syntactic": place / 10, "same_script": place % 2,
               "test_sha256": f"xquad{code}".encode().hex(), "model_sha256": "a" * 64, "source_sha256": "c" * 64}
        )  # fmt: skip
    (root / "results.csv").write_text(csv_text(RESULT_COLUMNS, rows), encoding="utf-8")
    (root / "features.csv").write_text(csv_text(FEATURE_COLUMNS, features), encoding="utf-8")
    return root


def test_explain_says_the_number_of_languages_first(sweep: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["explain", str(sweep)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "9 languages: Arabic, German" in text
    assert main(["explain", str(sweep), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["correlations"]
    gain = next(c for c in found if (c["outcome"], c["size"], c["feature"]) == ("gain", 100, "syntactic"))
    assert gain["languages"] == 9
    assert -1 <= gain["low"] <= gain["rho"] <= gain["high"] < 0
    rho = f"ρ = {gain['rho']:.2f}, 95 % interval {gain['low']:.2f} to {gain['high']:.2f}, 9 languages".replace("-", "−")
    assert f"Gain at N = 100 falls with syntactic distance ({rho})" in text
    assert {c["feature"] for c in found} == {"syntactic", "same_script"}


def test_report_and_figure_use_the_same_file(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["report", str(sweep), "--format", "md"]) == 0
    assert "Across languages: xquad" in capsys.readouterr().out
    out = tmp_path / "f.png"
    assert main(["plot", str(sweep), "--what", "features", "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_without_features_the_command_that_writes_them_is_named(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "results.csv").write_text((sweep / "results.csv").read_text(encoding="utf-8"), encoding="utf-8")
    assert main(["explain", str(tmp_path)]) == 2
    assert "`xlqa features " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [("syntactic", "far", "syntactic is 'far', which is not a number"), ("syntactic", "1.5", "syntactic is '1.5', outside 0 to 1"),
     ("pieces_per_word", "-1", "pieces_per_word is '-1', expected 0 or more"), ("pieces_per_word", "inf", "which is out of range"),
     ("task", "xx", "task is 'xx': choose from qa"), ("model_sha256", "", "the column model_sha256 is empty"),
     ("source_size", "", "the column source_size is empty"), ("syntactic", None, "9 cells under a header of")],
)  # fmt: skip
def test_a_broken_features_file_is_refused_with_its_line(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str, cell: str | None, said: str
):
    (tmp_path / "results.csv").write_text((sweep / "results.csv").read_text(encoding="utf-8"), encoding="utf-8")
    header, *rows = [line.split(",") for line in (sweep / "features.csv").read_text(encoding="utf-8").splitlines()]
    if cell is None:
        del rows[1][9:]
    else:
        rows[1][header.index(column)] = cell
    (tmp_path / "features.csv").write_text("\n".join(",".join(r) for r in (header, *rows)) + "\n", encoding="utf-8")
    assert main(["explain", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"xlqa: {tmp_path / 'features.csv'}, line 3: ")
    assert said in line


def test_a_language_in_which_nothing_was_learned_is_left_out(tmp_path: Path):
    def fail(rows: list[Row]) -> list[Row]:
        return [
            row | {"f1": "3", "squad_f1": "3"} if row["lang"] == "de" and row["size"] != "0" else row for row in rows
        ]

    (group,) = gather([write_tables(tmp_path, fail)], "")
    assert "de" in outcomes(group)["zero-shot"]
    assert all("de" not in values for name, values in outcomes(group).items() if name != "zero-shot")
    assert "German, gain at N = 100: no run learned anything." in group.left_out
