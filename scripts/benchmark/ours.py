"""xlqa's own path: its components, its training loop, its decoding."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.fixtures import Material
from benchmark.measure import wait
from xlqa.components.model import SpanModel
from xlqa.components.preprocessor import load_tokenizer
from xlqa.tasks.qa.reading import read_dataset
from xlqa.tasks.qa.windows import WindowShape, label_windows, make_windows
from xlqa.training.devices import resolve_precision
from xlqa.training.loop import Trainer, TrainingPlan


class Ours:
    """xlqa at its defaults."""

    def __init__(self, material: Material, scratch: Path) -> None:
        self.material = material
        self.precision = resolve_precision("auto", material.device)
        self.model = SpanModel(
            str(material.encoder),
            str(scratch / "model"),
            mode="train",
            precision=self.precision,
            device=material.device,
        )
        self.tokenizer = load_tokenizer(material.encoder)
        self.shape = WindowShape(material.max_length, material.max_length // 3)

    @property
    def network(self) -> torch.nn.Module:
        """What computes."""
        network: torch.nn.Module = self.model.network
        return network

    def prepare_training(self) -> None:
        """Read and tokenise the training questions."""
        questions = read_dataset(self.material.train_file).questions
        self.windows = make_windows(
            self.tokenizer, [q.context for q in questions], [q.question for q in questions], self.shape
        )
        start = np.array([q.answers[0].start for q in questions], dtype=np.int64)
        length = np.array([len(q.answers[0].text) for q in questions], dtype=np.int64)
        self.labels = label_windows(self.windows, start, start + length)

    def train(self, steps: int, seed: int) -> float:
        """Updates on the training questions; returns the loop's seconds."""
        plan = TrainingPlan(
            steps, self.material.batch_size, 3e-5, 0.1, seed, self.precision, self.material.device
        )  # fmt: skip
        trainer = Trainer(self.model.network, self.model.head, self.windows, self.labels, plan)
        began = time.perf_counter()
        trainer.run()
        wait(self.material.device)
        return time.perf_counter() - began

    def evaluate(self, predictions: Path) -> None:
        """From the file with questions to the file with answers."""
        questions = read_dataset(self.material.test_file).questions
        contexts = [q.context for q in questions]
        windows = make_windows(self.tokenizer, contexts, [q.question for q in questions], self.shape)
        answers: Any = self.model(windows, contexts)[0]
        found = {q.id: answer for q, answer in zip(questions, answers, strict=True)}
        predictions.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
