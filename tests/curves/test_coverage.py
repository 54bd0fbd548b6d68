"""The coverage simulation: its script runs, its committed result is what the report prints, and it has the sizes it says."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "coverage"


@pytest.fixture(scope="module")
def simulate():
    sys.path.insert(0, str(FOLDER))
    import simulate

    return simulate


def rows() -> list[dict[str, str]]:
    with (FOLDER / "coverage.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_report_prints_what_was_measured():
    shipped = json.loads((files("xlqa.curves") / "coverage.json").read_text(encoding="utf-8"))
    measured = [{**{n: int(row[n]) for n in ("seeds", "sizes")}, "quantity": row["quantity"], "covered": float(row["covered"])}
                for row in rows()]  # fmt: skip
    assert sorted(shipped, key=str) == sorted([{n: row[n] for n in shipped[0]} for row in measured], key=str)


def test_at_ten_seeds_and_five_sizes_the_truth_is_covered():
    full = [row for row in rows() if (row["seeds"], row["sizes"]) == ("10", "5")]
    assert {row["quantity"] for row in full} == {"gain", "worth", "zero-shot worth"}
    for row in full:
        assert row["studies"] == "1000"
        assert 0.93 <= float(row["covered"]) <= 0.97


def test_p_is_uniform_given_the_runs_and_the_report_says_what_else_it_is():
    from xlqa.curves.comparison import Options
    from xlqa.curves.report.contents import explain_p

    with (FOLDER / "null.csv").open(newline="", encoding="utf-8") as file:
        found = {(row["runs_differ"], row["seeds"]): row for row in csv.DictReader(file)}
    for seeds in ("3", "10"):
        assert float(found["False", seeds]["below_005"]) == pytest.approx(0.05, abs=0.015)
        assert float(found["False", seeds]["below_050"]) == pytest.approx(0.5, abs=0.04)
        assert f"{float(found['True', seeds]['below_005']):.0%}".replace("%", " %") in explain_p(Options())


def test_the_worlds_truth_is_what_it_says(simulate):
    world = simulate.World()
    assert simulate.true_value(world, "worth", 100, 10000) == world.worth
    assert simulate.true_value(world, "worth", 10000, 10000) == math.inf
    assert simulate.true_value(world, "gain", 100, 10000) == pytest.approx(
        float(world.target_only(500) - world.target_only(100))
    )


def test_studies_average_to_the_truth(simulate):
    world, rng = simulate.World(), np.random.default_rng(0)
    means = []
    for _ in range(60):
        cells, counts = simulate.draw_study(world, (100, 1000), 3, rng)
        means.append([cell.sums.sum() / len(cell.units) / counts.sum() for cell in cells])
    truth = [
        world.transfer(0),
        world.transfer(100),
        world.transfer(1000),
        world.target_only(100),
        world.target_only(1000),
    ]
    np.testing.assert_allclose(np.mean(means, axis=0), truth, atol=0.8)


def test_the_script_runs(tmp_path: Path):
    table = tmp_path / "table.json"
    subprocess.run(
        [sys.executable, str(FOLDER / "simulate.py"), "--studies", "2", "--draws", "50", "--out", str(tmp_path),
         "--table", str(table)],
        check=True, capture_output=True,
    )  # fmt: skip
    assert len(json.loads(table.read_text())) == len(rows())
