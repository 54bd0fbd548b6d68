"""`xlqa features`: features.csv beside results.csv, measured on a sweep's own files."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from faultinjection.records import TEST, make_row, make_run_config, make_scored

from xlqa.cli import main
from xlqa.data.subsets import permute_questions
from xlqa.records import TagMap, result_columns
from xlqa.runs.paths import Layout
from xlqa.runs.store.results import write_evaluation
from xlqa.runs.store.run_config import DataEntry, write_config
from xlqa.tasks.base import get_task
from xlqa.tasks.pieces import count_pieces, entity_texts, measure_overlap
from xlqa.tasks.qa.reading import read_dataset
from xlqa.tasks.qa.stats import load_tokenizer
from xlqa.tasks.sources import sample_files
from xlqa.util.files import file_sha256


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
    tokenizer = load_tokenizer(str(encoder)).backend
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


def finish_ner(root: Path, source_size: int, map_tags: TagMap) -> None:
    """A finished joint run of named-entity recognition on the embedded sample, made up."""
    entries = []
    for name in ("en.train", "es.test"):
        found = sample_files()[f"sample.ner.{name}"]
        path = root / "data" / found.name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found, path)
        entries.append(
            DataEntry(
                f"sample.ner.{name}", f"data/{path.name}", file_sha256(path), name[:2], "conll", map_tags=map_tags
            )
        )
    source, test = entries
    made = make_row(
        lang="es", arm="joint", run_id=f"es-joint-8-s{source_size}-0123456789", scorer="conll", source=source.name,
        source_sha256=source.sha256, source_size=source_size, model_sha256="e" * 64, test=test.name, test_sha256=test.sha256,
    )  # fmt: skip
    row = {name: made.get(name) for name in result_columns("ner")} | {"task": "ner"}
    folder = Layout(root).run(made["run_id"])
    config = make_run_config([row])
    write_config(
        folder,
        replace(config, task="ner", labels=("O", "B-LOC"), source=source, source_size=source_size, train=source,
                tests=(replace(config.tests[0], data=test),)),
    )  # fmt: skip
    write_evaluation(
        folder.evaluation(made["eval_id"]), {"q0": ["O"]}, make_scored([50.0]), row, replace(TEST, data=test)
    )


def test_features_are_of_the_examples_and_tags_that_were_trained_on(tmp_path: Path, encoder: Path):
    """Sources of two sizes are two rows; a tag that is mapped to O is no entity."""
    mapping = (("ORG", "O"),)
    for size in (5, 40):
        finish_ner(tmp_path, size, mapping)
    assert main(["features", str(tmp_path), "--model", str(encoder)]) == 0
    with (tmp_path / "features.csv").open(encoding="utf-8") as file:
        rows = {int(row["source_size"]): row for row in csv.DictReader(file)}
    assert set(rows) == {5, 40}
    assert float(rows[5]["untouched"]) > float(rows[40]["untouched"])
    assert float(rows[40]["entity_overlap_types"]) == pytest.approx(overlap(encoder, mapping), abs=1e-6)
    assert overlap(encoder, mapping) != pytest.approx(overlap(encoder, ()), abs=1e-6)


def overlap(encoder: Path, map_tags: TagMap) -> float:
    """What the entities of the Spanish sample have in common with those of 40 English sentences."""
    counts = []
    for name, size in (("en.train", 40), ("es.test", None)):
        examples = get_task("ner").load(sample_files()[f"sample.ner.{name}"], map_tags=map_tags).examples
        chosen = examples if size is None else permute_questions(examples, 0)[:size]
        counts.append(count_pieces(load_tokenizer(str(encoder)).backend, entity_texts(chosen)))
    found = measure_overlap(*counts).types
    assert found is not None
    return found
