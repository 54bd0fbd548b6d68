"""A made-up sweep whose truth is known: results.csv and per-question scores drawn from a law of learning curves.

The error of the target-only arm is 100 − S = α N^β + γ, and English is worth `worth` examples: S_E(N) = S_T(N + worth).
Runs, paragraphs and questions have effects of their own on top of it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlqa.records import QUESTION_COLUMNS, RESULT_COLUMNS

MODEL = "bert-base-multilingual-cased"


@dataclass(frozen=True)
class Law:
    """100 − S(N) = alpha · N^beta + gamma, in percent."""

    alpha: float = 150.0
    beta: float = -0.22
    gamma: float = 8.0
    worth: float = 400.0

    def target_only(self, size: float | np.ndarray) -> np.ndarray:
        return 100 - (self.alpha * np.asarray(size, dtype=float) ** self.beta + self.gamma)

    def transfer(self, size: float | np.ndarray) -> np.ndarray:
        return self.target_only(np.asarray(size, dtype=float) + self.worth)


@dataclass(frozen=True)
class Study:
    """What a made-up sweep looks like."""

    languages: Sequence[str] = ("ru",)
    tests: Sequence[str] = ("xquad",)
    arms: Sequence[str] = ("transfer", "target-only")
    sizes: Sequence[int] = (100, 300, 1000, 3000, 10000)
    seeds: int = 5
    source_seeds: int = 1
    paragraphs: int = 60
    per_paragraph: int = 4
    full: int = 10000
    law: Law = Law()
    per_question: bool = True
    lr: float = 3e-5
    stage_spread: float = 0.0
    spread: float = 1.2


def write_study(folder: Path, study: Study = Study(), random_seed: int = 0) -> Path:
    """Write results.csv and the per-question scores of a made-up sweep; returns the table's path."""
    rng = np.random.default_rng(random_seed)
    rows = []
    for language in study.languages:
        for test in study.tests:
            difficulty = _difficulty(study, rng)
            for arm, size, seed in _cells(study):
                rows.append(_evaluate(folder, study, (language, test, arm, size, seed), difficulty, rng))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, RESULT_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _cells(study: Study) -> list[tuple[str, int, int]]:
    cells = [("transfer", 0, k) for k in range(study.source_seeds)] if "transfer" in study.arms else []
    return cells + [(arm, size, seed) for arm in study.arms for size in study.sizes for seed in range(study.seeds)]


def _difficulty(study: Study, rng: np.random.Generator) -> np.ndarray:
    """(questions,) how much easier a question is than the mean, part of it shared by its paragraph."""
    paragraph = np.repeat(rng.normal(0, 12, study.paragraphs), study.per_paragraph)
    return paragraph + rng.normal(0, 25, paragraph.size)


def _evaluate(folder, study, cell, difficulty, rng):
    language, test, arm, size, seed = cell
    law = study.law
    level = law.transfer(size) if arm in ("transfer", "joint") else law.target_only(size)
    level = float(level) + {"joint": -1.0, "monolingual": 2.0}.get(arm, 0.0)
    if arm == "transfer":
        # A stage moves all its runs: the same shift for each of them.
        level += study.stage_spread * ((seed % study.source_seeds) - (study.source_seeds - 1) / 2)
    latent = level + rng.normal(0, study.spread) + difficulty + rng.normal(0, 20, difficulty.size)
    f1 = np.clip(np.round(latent / 10) * 10, 0, 100)
    em = np.where(latent > 62, 100.0, 0.0) * (f1 > 50)
    ids = {"run_id": f"{language}-{arm}-{size}-s{seed}-lr{study.lr:g}", "eval_id": f"{test}-{language}-0123456"}
    if study.per_question:
        _write_questions(folder / "runs" / ids["run_id"] / "eval" / ids["eval_id"], study, f1, em)
    return _row(study, cell, float(f1.mean()), float(em.mean()), ids)


def _write_questions(folder: Path, study: Study, f1: np.ndarray, em: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "questions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(QUESTION_COLUMNS)
        for place, (f, e) in enumerate(zip(f1, em, strict=True)):
            writer.writerow([f"q{place}", f"{place // study.per_paragraph:016x}", f, e, f - f / 50, e])


def _row(study: Study, cell: tuple, f1: float, em: float, ids: dict[str, str]) -> dict[str, object]:
    language, test, arm, size, seed = cell
    zero_shot = size == 0
    row: dict[str, object] = dict.fromkeys(RESULT_COLUMNS, "")
    row |= {
        "lang": language, "arm": arm, "size": size, "seed": seed, "test": f"{test}.{language}", "split": "test",
        "model": "DeepPavlov/rubert-base-cased" if arm == "monolingual" else MODEL, "f1": f1, "em": em,
        "scorer": "squad", "squad_f1": f1 - f1 / 50, "squad_em": em,
        "questions": study.paragraphs * study.per_paragraph, "paragraphs": study.paragraphs, "unreachable": 0,
        "missing": 0, "max_length": 384, "stride": 128, "max_answer_length": 30, "precision": "bf16", "schema": 1,
        "model_sha256": f"{'b' if arm == 'monolingual' else 'a'}" * 64, "test_sha256": (test + language).encode().hex(),
        "eval_seconds": 12.5, "device": "cuda", "host": "node1", "xlqa": "0.1.0",
    } | ids  # fmt: skip
    if arm in ("transfer", "joint"):
        row |= {"source": "squad.train", "source_size": 87599, "source_steps": 10950, "source_sha256": "c" * 64}
    if arm == "transfer":
        row |= {
            "source_lr": 3e-5,
            "source_epochs": 2,
            "source_batch_size": 16,
            "source_seed": seed % study.source_seeds,
        }
    if not zero_shot:
        steps = max(200, 3 * -(-size // 16))
        row |= {
            "target": f"train.{language}", "target_sha256": f"{language}".encode().hex(), "subset_seed": seed,
            "train_seed": seed, "lr": study.lr, "epochs": 3, "batch_size": 16, "warmup": 0.1, "min_steps": 200,
            "subset_by": "question", "steps": steps, "target_questions": study.full,
            "train_seconds": round(steps * 0.11 + 3, 2), "learned": "True", "final_loss": 0.5,
        }  # fmt: skip
    return row
