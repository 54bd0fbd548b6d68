"""Each switch that makes training or evaluation faster, or smaller, leaves a step's loss and the answers the same.

Stated per test: what may differ, and by how much. The kernels have tests of their own, in test_kernels.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from xlqa.components import model as models
from xlqa.components.model import SpanModel
from xlqa.components.preprocessor import load_tokenizer
from xlqa.tasks.base import HeadOptions
from xlqa.tasks.qa.network import SpanHead
from xlqa.tasks.qa.windows import Labels, Windows, WindowShape, label_windows, make_windows
from xlqa.training import loop as training
from xlqa.training.batching import collate, training_batches
from xlqa.training.context import RunContext
from xlqa.training.cpu_kernels import accelerate
from xlqa.training.loop import Trainer, TrainingFailed, TrainingPlan, batch_loss, with_gradient_checkpointing

QUESTIONS = 64
HEAD = SpanHead(HeadOptions())
QUIET = RunContext(listen=lambda event: None)
WORDS = ("mara", "river", "people", "founded", "lives", "vive")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def contexts() -> list[str]:
    """Paragraphs of 4 to 60 words, each with one number, which is the answer."""
    generator = np.random.default_rng(0)
    found = []
    for index in range(QUESTIONS):
        words = generator.choice(WORDS, size=int(generator.integers(4, 60))).tolist()
        words.insert(int(generator.integers(len(words))), f"{10 + index}")
        found.append(" ".join(words))
    return found


@pytest.fixture(scope="module")
def windows(encoder: Path, contexts: list[str]) -> Windows:
    return make_windows(load_tokenizer(encoder), contexts, ["what town"] * QUESTIONS, WindowShape(64, 16))


@pytest.fixture(scope="module")
def labels(windows: Windows, contexts: list[str]) -> Labels:
    starts = np.array([c.index(f"{10 + i}") for i, c in enumerate(contexts)])
    return label_windows(windows, starts, starts + 2)


def fresh(encoder: Path) -> Any:
    network, _ = models.read_network(encoder)
    HEAD.reset(network, 0)
    return network


def plan(**changes: Any) -> TrainingPlan:
    settings = {
        "steps": 12, "batch_size": 8, "lr": 3e-3, "warmup": 0.1, "seed": 1, "precision": "fp32", "device": "cpu",
    }  # fmt: skip
    return TrainingPlan(**(settings | changes))


@pytest.fixture(scope="module")
def trained(encoder: Path, windows: Windows, labels: Labels, tmp_path_factory: pytest.TempPathFactory) -> SpanModel:
    """A model that has learned to answer, so that its answers say something."""
    model = SpanModel(str(encoder), str(tmp_path_factory.mktemp("switches") / "model"), device="cpu", mode="train")
    trainer(model.network, windows, labels, plan(steps=150)).run()
    return model


def trainer(
    network: Any, windows: Windows, labels: Labels, settings: TrainingPlan, gradient_checkpointing: bool = False
) -> Trainer:
    return Trainer(
        network, HEAD, windows, labels, settings, gradient_checkpointing=gradient_checkpointing, context=QUIET
    )


def span_loss(network: Any, batch: dict[str, torch.Tensor], start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    return batch_loss(network, HEAD, batch | {"start": start, "end": end})


def gradients(network: Any) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


def golds(contexts: list[str]) -> list[str]:
    return [f"{10 + i}" for i in range(len(contexts))]


def test_the_trained_model_answers(trained: SpanModel, windows: Windows, contexts: list[str]) -> None:
    """What the tests below compare is no chance: most answers are right."""
    answers, starts, _ = trained(windows, contexts)
    assert np.mean([a == g for a, g in zip(answers, golds(contexts), strict=True)]) > 0.8
    assert all(contexts[i][start:].startswith(answers[i]) for i, start in enumerate(starts))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_buckets_leave_the_loss_the_same(precision: str, trained: SpanModel, windows: Windows, labels: Labels) -> None:
    """A pass in batches of like length, and one in any order with its wider padding: the sum of losses to 1e-5 (bf16: 1 %)."""
    like = training_batches(windows.lengths, 8, 0)
    count = len(windows.question) // 8
    in_buckets = [next(like) for _ in range(count)]
    generator = np.random.default_rng(1)
    at_random = generator.permutation(np.concatenate(in_buckets)).reshape(count, 8)
    assert padded(windows, in_buckets) < padded(windows, at_random)
    sums = [total_loss(trained.network, windows, labels, batches, precision) for batches in (in_buckets, at_random)]
    assert sums[0] == pytest.approx(sums[1], rel=1e-5 if precision == "fp32" else 1e-2)


def padded(windows: Windows, batches: Any) -> int:
    return sum(collate(windows, batch)["input_ids"].numel() for batch in batches)


@torch.no_grad()
def total_loss(network: Any, windows: Windows, labels: Labels, batches: Any, precision: str) -> float:
    network.eval()
    total = 0.0
    for batch in batches:
        start, end = (torch.from_numpy(x[batch].astype(np.int64)) for x in (labels.start, labels.end))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            total += float(span_loss(network, collate(windows, batch), start, end))
    return total


def test_the_token_budget_leaves_answers_the_same(
    trained: SpanModel, windows: Windows, contexts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One window a pass, a few, or all at once: the same answers, scores to 1e-4."""
    found = []
    for tokens in (1, 500, 1 << 20):
        monkeypatch.setattr(models, "EVAL_TOKENS", {"cpu": tokens})
        found.append(trained(windows, contexts))
    for answers, starts, scores in found[1:]:
        assert (answers, starts) == found[0][:2]
        assert scores == pytest.approx(found[0][2], rel=1e-4)


def test_bf16_leaves_the_loss_near_and_answers_mostly_the_same(
    trained: SpanModel, windows: Windows, labels: Labels, contexts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loss within 2 % (of a trained model: within 0.02), at least 95 % of the answers the same."""
    everything = [np.arange(len(windows.question))]
    losses, answers = [], []
    for precision in ("fp32", "bf16"):
        monkeypatch.setattr(trained, "precision", precision)
        losses.append(total_loss(trained.network, windows, labels, everything, precision) / len(windows.question))
        answers.append(trained(windows, contexts)[0])
    assert losses[1] == pytest.approx(losses[0], rel=0.02, abs=0.02)
    assert np.mean([a == b for a, b in zip(*answers, strict=True)]) >= 0.95


@pytest.mark.parametrize("low", ["bf16", "fp16"])
def test_low_precision_ends_near_float32(low: str, encoder: Path, windows: Windows, labels: Labels) -> None:
    """The mean loss of forty updates within 3 %: the same batches, the same dropout."""
    means = []
    for precision in ("fp32", low):
        heard = trainer(fresh(encoder), windows, labels, plan(steps=40, precision=precision))
        losses: list[float] = []
        step = heard._step

        def record(batch: Any, lr: float, step: Any = step, losses: list[float] = losses) -> torch.Tensor:
            loss: torch.Tensor = step(batch, lr)
            losses.append(float(loss))
            return loss

        heard._step = record  # type: ignore[method-assign]  # a test's ear
        heard.run()
        means.append(float(np.mean(losses)))
    assert means[1] == pytest.approx(means[0], rel=0.03)


@pytest.mark.parametrize("micro", [64, 200])
def test_micro_batches_leave_loss_and_gradients_the_same(
    micro: int, encoder: Path, windows: Windows, labels: Labels
) -> None:
    """In float32, without dropout: loss and gradients to 1e-5 of the largest."""
    losses, found = [], []
    for tokens in (1 << 20, micro):
        network = fresh(encoder).eval()
        small = trainer(network, windows, labels, plan())
        small.micro_tokens = tokens
        losses.append(float(small._gradients(np.arange(16))))
        found.append(gradients(network))
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=1e-5 * float(found[0].abs().max()))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("fast", [True, False])
def test_gradient_checkpointing_leaves_loss_and_gradients_the_same(
    fast: bool, precision: str, encoder: Path, windows: Windows, labels: Labels
) -> None:
    """With dropout, under xlqa's kernels and torch's own: the same masks are drawn again, and all is equal to the bit."""
    losses, found = [], []
    for wanted in (False, True):
        network = fresh(encoder).train()
        if fast:
            accelerate(network, "cpu")
        assert network.config.hidden_dropout_prob > 0
        assert network.config.attention_probs_dropout_prob > 0
        once = trainer(network, windows, labels, plan(precision=precision))
        torch.manual_seed(5)
        with with_gradient_checkpointing(network, wanted):
            losses.append(float(once._gradients(np.arange(16))))
        found.append(gradients(network))
    assert losses[0] == losses[1]
    assert torch.equal(found[0], found[1])


def test_gradient_checkpointing_keeps_fewer_activations(encoder: Path, windows: Windows, labels: Labels) -> None:
    """What the pass to the back needs is held in less than half the memory."""
    kept = []
    for wanted in (False, True):
        network = fresh(encoder).train()
        sizes: dict[int, int] = {}

        def note(tensor: torch.Tensor, sizes: dict[int, int] = sizes) -> torch.Tensor:
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        start, end = (torch.from_numpy(x[:16].astype(np.int64)) for x in (labels.start, labels.end))
        with with_gradient_checkpointing(network, wanted), torch.autograd.graph.saved_tensors_hooks(note, lambda t: t):
            loss = span_loss(network, collate(windows, np.arange(16)), start, end)
        weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
        kept.append(sum(size for pointer, size in sizes.items() if pointer not in weights))
        loss.backward()
    assert kept[1] < kept[0] / 2


def test_a_training_with_gradient_checkpointing_ends_in_the_same_weights(
    encoder: Path, windows: Windows, labels: Labels
) -> None:
    """A whole training to the bit; afterwards the network is as before."""
    found = []
    for gradient_checkpointing in (False, True):
        network = fresh(encoder)
        accelerate(network, "cpu")
        trainer(network, windows, labels, plan(), gradient_checkpointing=gradient_checkpointing).run()
        assert not network.is_gradient_checkpointing
        found.append(torch.cat([p.detach().flatten() for p in network.parameters()]))
    assert torch.equal(found[0], found[1])


def test_a_network_that_cannot_recompute_is_refused(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = fresh(encoder)
    monkeypatch.setattr(type(network), "supports_gradient_checkpointing", False)
    with (
        pytest.raises(
            TrainingFailed, match="does not support gradient checkpointing: leave --gradient-checkpointing out"
        ),
        with_gradient_checkpointing(network, True),
    ):
        pass


def test_embedding_only_what_occurs_ends_in_the_same_weights(
    encoder: Path, windows: Windows, labels: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole training with the small table of embeddings and with the whole one: weights to 1e-6."""
    found = []
    for whole in (False, True):
        network = fresh(encoder)
        accelerate(network, "cpu")
        if whole:
            monkeypatch.setattr(training, "touched_embeddings", lambda network, windows, factor: nullcontext(windows))
        trainer(network, windows, labels, plan(lr=1e-3)).run()
        found.append(torch.cat([p.detach().flatten() for p in network.parameters()]))
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-6)
