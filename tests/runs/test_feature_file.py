"""`xlqa features`: features.csv beside results.csv, measured on a sweep's own files."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from xlqa.cli import main
from xlqa.tasks.pieces import count_pieces, measure_overlap
from xlqa.tasks.qa.reading import read_dataset
from xlqa.tasks.qa.stats import load_cutter


def test_a_sweep_s_features_are_those_of_its_files(finished: Path, tmp_path: Path, encoder: Path, capsys):
    root = tmp_path / "sweep"
    shutil.copytree(finished, root, symlinks=True)
    assert main(["features", str(root)]) == 0
    with (root / "features.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["test"], row["test_lang"], row["source_lang"], row["source_size"]) == (
        "sample.es.test",
        "es",
        "en",
        "24",
    )
    assert (row["script"], row["same_script"], row["family"], row["same_family"]) == (
        "Latin",
        "1",
        "Indo-European",
        "1",
    )
    tokenizer = load_cutter(str(encoder)).tokenizer
    examples = read_dataset(next(root.glob("data/sample.es.test*")), language="es").questions
    target = count_pieces(tokenizer, dict.fromkeys(t for e in examples for t in (e.context, e.question)))
    assert float(row["pieces_per_word"]) == pytest.approx(target.per_word, abs=1e-6)
    assert 0 < float(row["overlap_types"]) < float(row["overlap_tokens"]) <= 1
    whole = read_dataset(next(root.glob("data/sample.en.train*")), language="en").questions
    every = measure_overlap(count_pieces(tokenizer, [t for e in whole for t in (e.context, e.question)]), target)
    assert float(row["untouched"]) > every.untouched, "the 24 questions trained on have fewer pieces than all"
    with (root / "results.csv").open(encoding="utf-8") as file:
        known = {
            (r["lang"], r["test"], r["test_sha256"], r["model_sha256"], r["source_sha256"])
            for r in csv.DictReader(file)
        }
    assert (row["lang"], row["test"], row["test_sha256"], row["model_sha256"], row["source_sha256"]) in known
    capsys.readouterr()
    next(root.glob("data/sample.en.train*")).unlink()
    assert main(["features", str(root)]) == 2
    assert "is missing or differs" in capsys.readouterr().err
