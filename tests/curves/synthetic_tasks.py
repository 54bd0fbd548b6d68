"""Made-up sweeps of the tasks other than question answering, with the counts of each sentence, as `synthetic` has for questions."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from synthetic import Law, Study, _cells, _row

from xlqa.records import TASK_METRICS, TASK_SCORERS, result_columns

Counts = dict[str, np.ndarray]
TYPES = ("LOC", "PER")
LABELS = ("contradiction", "entailment", "neutral")


def task_study(**changes) -> Study:
    """A study of sentences: as many groups as examples, sizes of 10 to 1,000."""
    settings = {"sizes": (10, 100, 1000), "seeds": 3, "paragraphs": 200, "per_paragraph": 1, "full": 1000,
                "law": Law(150.0, -0.3, 8.0, 150.0)} | changes  # fmt: skip
    return Study(**settings)


def write_task_study(folder: Path, task: str, study: Study | None = None, random_seed: int = 0) -> Path:
    """Write results.csv and the examples.csv of a made-up sweep of "ner" or a task of labels; returns the table's path."""
    study, rng = study or task_study(), np.random.default_rng(random_seed)
    rows = []
    for language in study.languages:
        gold = rng.integers(0, 3, (study.paragraphs, 2)) if task == "ner" else rng.integers(0, 3, study.paragraphs)
        ease = rng.normal(0, 0.1, study.paragraphs)
        for arm, size, seed in _cells(study):
            level = study.law.transfer(size) if arm == "transfer" else study.law.target_only(size)
            chance = np.clip(float(level) / 100 + rng.normal(0, 0.012) + ease, 0.02, 0.98)
            counts = _entities(gold, chance, rng) if task == "ner" else _labels(gold, chance, rng)
            rows.append(_evaluation(folder, task, study, (language, "panx", arm, size, seed), counts))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, result_columns(task))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _entities(gold: np.ndarray, chance: np.ndarray, rng: np.random.Generator) -> Counts:
    """Of (S, 2) entities by type: right with some chance, half of the others predicted wrongly."""
    right = rng.binomial(gold, chance[:, None])
    predicted = right + rng.binomial(gold - right, 0.5)
    counts = {"f1": (2 * right.sum(1), (predicted + gold).sum(1)), "entity_precision": (right.sum(1), predicted.sum(1)),
              "entity_recall": (right.sum(1), gold.sum(1)), "strict_f1": (2 * right.sum(1), (predicted + gold).sum(1))}  # fmt: skip
    for place, kind in enumerate(TYPES):
        counts[f"f1:{kind}"] = (2 * right[:, place], (predicted + gold)[:, place])
        counts[f"precision:{kind}"] = (right[:, place], predicted[:, place])
    return _columns(counts)


def _labels(gold: np.ndarray, chance: np.ndarray, rng: np.random.Generator) -> Counts:
    predicted = np.where(rng.random(gold.size) < chance, gold, (gold + rng.integers(1, 3, gold.size)) % 3)
    counts = {"accuracy": (predicted == gold, np.ones(gold.size))}
    for place, label in enumerate(LABELS):
        both = (predicted == place) & (gold == place)
        counts[f"f1:{label}"] = (2 * both, (predicted == place) * 1 + (gold == place))
    return _columns(counts)


def _columns(counts: dict[str, tuple[np.ndarray, np.ndarray]]) -> Counts:
    return {f"{name}_{part}": np.asarray(values[i]).astype(int) for name, values in counts.items()
            for i, part in enumerate(("numerator", "denominator"))}  # fmt: skip


def _evaluation(folder: Path, task: str, study: Study, cell: tuple, counts: Counts) -> dict[str, object]:
    language, test, arm, size, seed = cell
    ids = {"run_id": f"{task}-{language}-{arm}-{size}-s{seed}", "eval_id": f"{test}-{language}-0123456"}
    place = folder / "runs" / ids["run_id"] / "eval" / ids["eval_id"]
    place.mkdir(parents=True, exist_ok=True)
    table = np.column_stack(list(counts.values()))
    lines = [",".join((f"s{i}", f"{i:016x}", *map(str, row))) for i, row in enumerate(table.tolist())]
    (place / "examples.csv").write_text("\n".join([",".join(("id", "group", *counts)), *lines]) + "\n")
    totals = dict(zip(counts, table.sum(axis=0).tolist(), strict=True))
    scores = {
        n: 100 * totals[f"{n}_numerator"] / totals[f"{n}_denominator"]
        for n in TASK_METRICS[task]
        if f"{n}_numerator" in totals
    }
    labels = [name for name in totals if name.startswith("f1:") and name.endswith("_numerator")]
    scores["macro_f1"] = float(
        np.mean([100 * totals[n] / totals[n.replace("numerator", "denominator")] for n in labels])
    )
    row = _row(study, cell, 0.0, 0.0, ids) | scores
    row |= {"task": task, "scorer": TASK_SCORERS[task]}
    row |= {"source": f"{task}.en.train", "source_sha256": task.encode().hex()} if arm == "transfer" else {}
    return {name: row.get(name, "") for name in result_columns(task)}
