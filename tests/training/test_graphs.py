"""CUDA graphs of a training: what they are fed and where they end. Capturing itself needs a GPU; here a stand-in computes again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from xlqa.components.model import read_network
from xlqa.components.preprocessor import load_tokenizer
from xlqa.tasks.base import HeadOptions
from xlqa.tasks.qa.network import SpanHead
from xlqa.tasks.qa.windows import WindowShape, label_windows, make_windows
from xlqa.training.context import RunContext
from xlqa.training.graphs import PLAIN_PASSES, GraphedPass, make_graphs
from xlqa.training.loop import Trainer, TrainingPlan

QUIET = RunContext(listen=lambda event: None)


@pytest.fixture
def make_trainer(encoder: Path) -> Callable[[], Trainer]:
    def make() -> Trainer:
        contexts = [f"mara lives in town {i} of the river " * (1 + i % 3) for i in range(24)]
        windows = make_windows(load_tokenizer(encoder), contexts, ["where mara lives"] * 24, WindowShape(64, 16))
        starts = np.array([c.index("town") for c in contexts])
        head = SpanHead(HeadOptions())
        network = read_network(encoder)[0]
        head.reset(network, 0)
        plan = TrainingPlan(12, 4, 1e-3, 0.25, 1, "fp32", "cpu")
        return Trainer(network, head, windows, label_windows(windows, starts, starts + 6), plan, context=QUIET)

    return make


def weights(training_run: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in training_run.network.parameters()])


def test_a_training_with_graphs_ends_with_the_same_weights(make_trainer: Callable[[], Trainer]) -> None:
    """Each shape is captured once, on tensors of its own that later batches are copied to."""
    captured, replayed = [], []

    def stand_in(compute: Any, inputs: Any, divisor: torch.Tensor) -> tuple[Callable[[], object], torch.Tensor]:
        loss = torch.zeros(())
        captured.append(tuple(inputs["input_ids"].shape))

        def replay() -> None:
            replayed.append(captured[-1])
            loss.copy_(compute(inputs, divisor))

        return replay, loss

    plain, graphed = make_trainer(), make_trainer()
    expected = plain.run()
    graphed.graphs = GraphedPass(graphed._pass, "cpu", stand_in)
    found = graphed.run()
    assert found.final_loss == expected.final_loss
    assert torch.equal(weights(plain), weights(graphed))
    assert captured
    assert len(set(captured)) == len(captured)
    assert len(replayed) > len(captured)


def test_a_capture_that_fails_leaves_the_training_as_it_was(
    make_trainer: Callable[[], Trainer], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("operation not permitted when stream is capturing")

    plain, graphed = make_trainer(), make_trainer()
    plain.run()
    graphed.graphs = GraphedPass(graphed._pass, "cpu", fail)
    graphed.run()
    assert torch.equal(weights(plain), weights(graphed))
    assert [record.message for record in caplog.records] == [
        "no CUDA graph could be captured (operation not permitted when stream is capturing): the training continues "
        "without."
    ]


def test_memory_that_runs_out_in_a_capture_starts_the_update_again(make_trainer: Callable[[], Trainer]) -> None:
    tries = []

    def scarce(*_: Any) -> Any:
        tries.append(None)
        raise torch.OutOfMemoryError("out of memory")

    plain, graphed = make_trainer(), make_trainer()
    plain.run()
    graphed.graphs = GraphedPass(graphed._pass, "cpu", scarce)
    outcome = graphed.run()
    assert len(tries) == 1  # shapes are counted from 0 again, and the training is short
    assert outcome.micro_tokens == plain.micro_tokens // 2
    assert torch.equal(weights(plain), weights(graphed))


def test_graphs_are_made_on_a_gpu_and_on_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLQA_CUDA_GRAPHS", "1")
    assert make_graphs(lambda tensors, weight: weight, "cpu") is None
    monkeypatch.delenv("XLQA_CUDA_GRAPHS")
    assert make_graphs(lambda tensors, weight: weight, "cuda") is None
    assert PLAIN_PASSES > 0
