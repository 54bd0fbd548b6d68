"""Correlations over languages, and the section and figure that show them."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from synthetic import Law, Study, write_study

from xlqa.cli import main
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
               "source_lang": "en", "syntactic": place / 10, "same_script": place % 2,
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
    table = (sweep / "features.csv").read_text(encoding="utf-8")
    (tmp_path / "features.csv").write_text(table.replace(",0.1,", ",far,"), encoding="utf-8")
    assert main(["explain", str(tmp_path)]) == 2
    assert "line 3: syntactic is 'far'" in capsys.readouterr().err
