"""The coverage simulation: its script runs, its truth is true, and its committed result is as good as the docs claim."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from xlqa.curves.variance import SOURCE, TARGET, ZERO

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "coverage"


@pytest.fixture(scope="module")
def simulate():
    sys.path.insert(0, str(FOLDER))
    import simulate

    return simulate


def rows(name: str = "coverage.csv") -> list[dict[str, str]]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_gain_of_entity_f1_is_covered_for_its_estimand():
    """A ratio of sums over sentences: given the stages for all designs, over other stages where there were several."""
    gains = [row for row in rows("entities.csv") if row["quantity"] == "gain"]
    assert {row["world"] for row in gains} == {"entities", "entities-few", "documents"}
    for row in gains:
        if row["estimand"] == "given" or int(row["stages"]) > 2:
            assert float(row["covered"]) >= 0.92, row


def test_the_truth_of_entity_f1_is_the_mean_of_studies(simulate):
    world, rng = simulate.WORLDS["documents"], np.random.default_rng(0)
    found, truth = [], []
    keys = [(ZERO, 0), (SOURCE, 50), (SOURCE, 5000), (TARGET, 50), (TARGET, 5000)]
    for _ in range(40):
        cells, truths = simulate.draw_study(world, 3, 2, rng)
        found.append([cells[key].mean for key in keys])
        truth.append([truths["given"].scores[key] for key in keys])
    np.testing.assert_allclose(np.mean(found, axis=0), np.mean(truth, axis=0), atol=1.0)


def test_the_gain_is_covered_for_its_estimand_from_three_seeds_on():
    """Within what the number of studies can tell; over other stages only where stages were several."""
    for row in rows():
        judged = row["estimand"] == "given" or int(row["stages"]) > 2
        if row["quantity"] == "gain" and int(row["seeds"]) >= 3 and judged and row["world"] != "collapsing":
            assert float(row["covered"]) >= 0.92, row


def test_one_source_stage_says_little_of_others():
    found = [
        r for r in rows() if (r["quantity"], r["estimand"], r["stages"], r["seeds"]) == ("gain", "other", "1", "10")
    ]
    assert min(float(row["covered"]) for row in found) < 0.9


def test_every_row_has_its_width_and_its_open_intervals():
    for row in rows():
        assert 0 <= float(row["one_sided"]) + float(row["not_determined"]) <= 1
        assert float(row["half_width"]) > 0


def test_studies_average_to_the_truth(simulate):
    world, rng = simulate.WORLDS["xquad"], np.random.default_rng(0)
    found, truth = [], []
    for _ in range(60):
        cells, truths = simulate.draw_study(world, 3, 2, rng)
        keys = [(ZERO, 0), (SOURCE, 100), (SOURCE, 10000), (TARGET, 100), (TARGET, 10000)]
        found.append([cells[key].mean for key in keys])
        truth.append([truths["given"].scores[key] for key in keys])
    np.testing.assert_allclose(np.mean(found, axis=0), np.mean(truth, axis=0), atol=1.0)


def test_over_stages_the_truth_is_the_mean_of_those_given_them(simulate):
    world, rng = simulate.SWAHILI, np.random.default_rng(1)
    drawn = [simulate.draw_study(world, 3, 3, rng)[1] for _ in range(150)]
    for key in ((ZERO, 0), (SOURCE, 30), (SOURCE, 1000)):
        over = drawn[0]["other"].scores[key]
        assert np.mean([truths["given"].scores[key] for truths in drawn]) == pytest.approx(over, abs=0.6)


def test_the_script_runs(tmp_path: Path):
    subprocess.run(
        [sys.executable, str(FOLDER / "simulate.py"), "--studies", "2", "--worlds", "quiet", "--out", str(tmp_path)],
        check=True, capture_output=True,
    )  # fmt: skip
    with (tmp_path / "coverage.csv").open(newline="", encoding="utf-8") as file:
        made = list(csv.DictReader(file))
    assert len(made) == sum(row["world"] == "quiet" for row in rows())
