"""Matrices of question and context languages, and their figure."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from xlqa.curves.pairs import build_matrices, change, load_pairs
from xlqa.curves.plots.curves import STYLES
from xlqa.curves.plots.pairs import pairs_figure
from xlqa.errors import XlqaError
from xlqa.records import PAIR_COLUMNS
from xlqa.util.csvfile import csv_text

SCORES = {("en", "en"): 60.0, ("en", "ru"): 40.0, ("ru", "en"): 50.0, ("ru", "ru"): 30.0}


def write_pairs(path: Path, add: float = 0.0, size: int = 0, seed: int = 0, without: tuple = ()) -> Path:
    rows = [
        {"set": "hand", "question_lang": q, "context_lang": c, "f1": f1 + add, "em": f1 / 2, "squad_f1": f1, "squad_em": f1 / 2,
         "n": 12, "scorer": "squad", "lang": "ru", "arm": "transfer", "size": size, "seed": seed, "model": "m",
         "run_id": f"r{size}-{seed}"}
        for (q, c), f1 in SCORES.items() if (q, c) not in without
    ]  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(csv_text(PAIR_COLUMNS, rows), encoding="utf-8")
    return path


def test_rows_are_questions_and_columns_contexts(tmp_path: Path):
    (matrix,) = build_matrices(load_pairs([write_pairs(tmp_path / "a.csv")]))
    assert (matrix.question_langs, matrix.context_langs) == (("en", "ru"), ("en", "ru"))
    assert matrix.values.tolist() == [[60, 40], [50, 30]]
    assert (matrix.mean_of_same(), matrix.mean_of_different()) == (45, 45)
    assert matrix.label == "zero-shot, m"


def test_seeds_are_averaged_and_sizes_are_compared(tmp_path: Path):
    tables = [
        write_pairs(tmp_path / "runs/a/pairs/hand.csv"), write_pairs(tmp_path / "runs/b/pairs/hand.csv", 2, seed=1),
        write_pairs(tmp_path / "runs/c/pairs/hand.csv", 5, size=1000),
    ]  # fmt: skip
    assert len(tables) == 3
    zero_shot, trained = build_matrices(load_pairs([tmp_path]))
    assert (zero_shot.runs, trained.runs) == (2, 1)
    assert zero_shot.values[0, 0] == 61
    assert [zero_shot.label, trained.label] == ["zero-shot", "Russian transfer, N = 1,000"]
    np.testing.assert_allclose(change(zero_shot, trained).values, 4)


def test_a_missing_cell_stays_missing_in_means_and_figure(tmp_path: Path):
    (matrix,) = build_matrices(load_pairs([write_pairs(tmp_path / "a.csv", without=(("en", "ru"),))]))
    assert math.isnan(matrix.values[0, 1])
    assert math.isnan(matrix.mean_of_different())
    figure = pairs_figure([matrix], "f1", STYLES["paper"])
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown == ["60.0", "–", "50.0", "30.0", "–", "40.0", "55.0", "–", "–"]


def test_a_foreign_or_empty_table_is_refused(tmp_path: Path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(XlqaError, match="no column set"):
        load_pairs([tmp_path / "x.csv"])
    with pytest.raises(XlqaError, match="has no pair table"):
        load_pairs([tmp_path])
    table = write_pairs(tmp_path / "a.csv")
    table.write_text(table.read_text(encoding="utf-8").replace("60.0", "oops"), encoding="utf-8")
    with pytest.raises(XlqaError, match="line 2: f1 is 'oops'"):
        load_pairs([table])
