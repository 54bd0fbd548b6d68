"""The training loop: schedule, determinism, micro-batches, and what it refuses."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from xlqa.components import model as models
from xlqa.components.preprocessor import load_tokenizer
from xlqa.records import planned_steps
from xlqa.tasks.base import HeadOptions
from xlqa.tasks.qa.network import SpanHead
from xlqa.tasks.qa.windows import Labels, Windows, WindowShape, label_windows, make_windows
from xlqa.training import loop as training
from xlqa.training.batching import PLAIN, BatchLayout, collate, find_mask_dims
from xlqa.training.context import SHARED, RunContext
from xlqa.training.events import Stage, Step
from xlqa.training.loop import Trainer, TrainingFailed, TrainingPlan, batch_loss, learning_rate, make_optimizer

HEAD = SpanHead(HeadOptions())
QUIET = RunContext(listen=lambda event: None)


@pytest.fixture(autouse=True)
def _forget_memory_limits() -> Iterator[None]:
    yield
    SHARED.micro_tokens.clear()


@pytest.fixture(scope="module")
def data(encoder: Path) -> tuple[Windows, Labels]:
    contexts = [f"mara lives in town {i} of the river " * (1 + i % 3) for i in range(24)]
    windows = make_windows(load_tokenizer(encoder), contexts, ["where mara lives"] * 24, WindowShape(64, 16))
    starts = np.array([c.index("town") for c in contexts])
    return windows, label_windows(windows, starts, starts + 6)


def fresh(encoder: Path, seed: int = 0) -> torch.nn.Module:
    network, _ = models.read_network(encoder)
    SpanHead(HeadOptions()).reset(network, seed)
    return network


def plan(**changes: object) -> TrainingPlan:
    settings = {
        "steps": 12,
        "batch_size": 4,
        "lr": 1e-3,
        "warmup": 0.25,
        "seed": 1,
        "precision": "fp32",
        "device": "cpu",
    }
    return TrainingPlan(**(settings | changes))  # type: ignore[arg-type]  # a test's shorthand


def trainer(
    network: torch.nn.Module, data: tuple[Windows, Labels], settings: TrainingPlan, origin: str = "",
    context: RunContext = QUIET,
) -> Trainer:  # fmt: skip
    return Trainer(network, HEAD, *data, settings, origin=origin, context=context)


def span_loss(
    network: torch.nn.Module, batch: dict[str, torch.Tensor], start: torch.Tensor, end: torch.Tensor
) -> float:
    return float(batch_loss(network, HEAD, batch | {"start": start, "end": end}).detach())


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_steps_follow_the_formula() -> None:
    assert planned_steps(10_000, 3, 16, 200) == 1875
    assert planned_steps(100, 3, 16, 200) == 200
    assert planned_steps(17, 2, 16, 1) == 4
    assert planned_steps(0, 3, 16, 200) == 0


def test_rate_rises_and_falls() -> None:
    rates = [learning_rate(step, plan(steps=20, warmup=0.25)) for step in range(20)]
    assert np.allclose(rates[:5], 1e-3 * np.arange(1, 6) / 5)
    assert rates[5] == 1e-3
    assert all(a > b for a, b in pairwise(rates[5:]))
    assert rates[-1] > 0


def test_same_seed_same_weights_and_loss_falls(encoder: Path, data: tuple[Windows, Labels]) -> None:
    outcomes, results = [], []
    for seed in (1, 1, 2):
        network = fresh(encoder)
        outcomes.append(trainer(network, data, plan(steps=40, seed=seed)).run())
        results.append(weights(network))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    assert outcomes[0].final_loss == outcomes[1].final_loss
    assert outcomes[0].learned
    assert not network.training


def test_micro_batches_leave_the_step_the_same(encoder: Path, data: tuple[Windows, Labels]) -> None:
    gradients, losses = [], []
    for micro in (4096, 64):
        network = fresh(encoder).eval()  # no dropout: only then is the sum the same
        training_run = trainer(network, data, plan())
        training_run.micro_tokens = micro
        losses.append(float(training_run._gradients(np.array([0, 5, 9, 14]))))
        gradients.append(torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-6)


def test_the_layout_of_a_gpu_leaves_loss_and_gradients_the_same(encoder: Path, data: tuple[Windows, Labels]) -> None:
    """Lengths in buckets of 32 and a mask that comes ready for all layers, or none where nothing is padded."""
    dims, windows = find_mask_dims(fresh(encoder), "cpu"), data[0]
    assert dims in (3, 4)
    bucketed = BatchLayout(32, int(windows.lengths.max()), dims)
    for batch in (np.array([0, 5, 9, 14]), np.array([0, 3])):
        losses, gradients, widths = [], [], []
        for layout in (PLAIN, bucketed):
            network = fresh(encoder).eval()
            training_run = trainer(network, data, plan())
            training_run.layout = layout
            widths.append(training_run._tensors(batch)["input_ids"].shape[1])
            losses.append(float(training_run._gradients(batch)))
            gradients.append(torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None]))
        assert widths[1] in (32, 40)  # 40 holds the longest window of all
        assert losses[1] == pytest.approx(losses[0], rel=1e-6)
        torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-4, atol=1e-6)


def test_full_windows_need_no_mask(encoder: Path) -> None:
    """A network that takes ready masks of four dimensions gets none where nothing is padded."""
    words = "mara lives in the town of the river " * 9
    windows = make_windows(load_tokenizer(encoder), [words], ["who"], WindowShape(32, 8))
    full = np.flatnonzero(windows.lengths == 32)[:2]
    assert "attention_mask" not in collate(windows, full, BatchLayout(32, 32, 4))
    assert collate(windows, full, BatchLayout(32, 32, 3))["attention_mask"].shape == (2, 1, 32)
    padded = np.argsort(windows.lengths)[[0, -1]]
    mask = collate(windows, padded, BatchLayout(32, 32, 4))["attention_mask"]
    assert mask.dtype == torch.bool
    assert mask.sum(dim=-1).flatten().tolist() == windows.lengths[padded].tolist()


def test_loss_ignores_padding_and_question(encoder: Path, data: tuple[Windows, Labels]) -> None:
    windows, labels = data
    network = fresh(encoder).eval()
    start, end = (torch.from_numpy(x[[3, 5]].astype(np.int64)) for x in (labels.start, labels.end))
    together = span_loss(network, collate(windows, np.array([3, 5])), start, end)
    apart = sum(
        span_loss(network, collate(windows, np.array([w])), start[i : i + 1], end[i : i + 1])
        for i, w in enumerate((3, 5))
    )
    assert together == pytest.approx(apart, rel=1e-5)


def test_biases_and_norms_are_not_decayed(encoder: Path) -> None:
    network = fresh(encoder)
    decayed, plain = make_optimizer(network, 1e-3).param_groups
    assert decayed["weight_decay"] == 0.01
    assert plain["weight_decay"] == 0.0
    flat = {id(p) for p in plain["params"]}
    for name, parameter in network.named_parameters():
        assert (id(parameter) in flat) == (name.endswith(".bias") or "LayerNorm" in name)


def test_nan_is_named(encoder: Path, data: tuple[Windows, Labels]) -> None:
    network = fresh(encoder)
    with torch.no_grad():
        network.qa_outputs.weight.fill_(float("nan"))
    with pytest.raises(TrainingFailed, match=r"the loss is not finite at step 1.*lower --lr"):
        trainer(network, data, plan()).run()


def test_memory_that_runs_out_halves_the_pass(
    encoder: Path, data: tuple[Windows, Labels], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = fresh(encoder)
    scarcely = trainer(network, data, plan(steps=2))
    real, calls = scarcely._gradients, []

    def scarce(batch: np.ndarray) -> torch.Tensor:
        calls.append(scarcely.micro_tokens)
        if scarcely.micro_tokens > 512:
            raise torch.OutOfMemoryError("out of memory")
        return real(batch)

    monkeypatch.setattr(scarcely, "_gradients", scarce)
    assert scarcely.run().micro_tokens == 512
    assert calls[:3] == [2048, 1024, 512]
    assert trainer(network, data, plan()).micro_tokens == 512  # the next training of this process starts there


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("place", ["forward", "backward", "clip", "update"])
def test_memory_that_runs_out_anywhere_in_a_step_leaves_the_weights_the_same(
    place: str, precision: str, encoder: Path, data: tuple[Windows, Labels], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of three updates fails once; the pass holds the whole batch before and after it is halved."""
    found, calls, limits = [], 0, []
    for failing in (False, True):
        network, calls = fresh(encoder), 0

        def fail_once(*_: object, failing: bool = failing) -> None:
            nonlocal calls
            calls += 1
            if failing and calls == 2:
                raise torch.OutOfMemoryError("out of memory")

        handle = None
        if place == "forward":
            handle = network.qa_outputs.register_forward_pre_hook(fail_once)
        elif place == "backward":
            handle = network.qa_outputs.weight.register_hook(fail_once)
        elif place == "update":
            handle = register_optimizer_step_pre_hook(fail_once)
        with monkeypatch.context() as patch:
            if place == "clip":
                patch.setattr(torch.nn.utils, "clip_grad_norm_", followed_by(fail_once))
            limits.append(trainer(network, data, plan(steps=3, precision=precision)).run().micro_tokens)
        if handle:
            handle.remove()
        SHARED.micro_tokens.clear()
        found.append(weights(network))
    assert limits == [2048, 1024]
    assert calls == 4
    assert torch.equal(found[0], found[1])


def followed_by(fail: Callable[[], None]) -> Callable[..., None]:
    """Clipping that is done before it fails."""
    clip = torch.nn.utils.clip_grad_norm_

    def clip_and_fail(*given: Any) -> None:
        clip(*given)
        fail()

    return clip_and_fail


def test_an_update_needs_no_memory_of_its_own(encoder: Path) -> None:
    """Moments made on the first update would leave it half applied where memory ends between two groups of weights."""
    network, other = fresh(encoder), fresh(encoder)
    ours, theirs = make_optimizer(network, 1e-3), torch.optim.AdamW(other.parameters(), lr=1e-3, fused=True)
    for model in (network, other):
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
    before = {p: {name: value.data_ptr() for name, value in state.items()} for p, state in ours.state.items()}
    ours.step()
    theirs.step()
    assert before == {p: {name: value.data_ptr() for name, value in state.items()} for p, state in ours.state.items()}
    for mine, plain in zip(ours.state.values(), theirs.state.values(), strict=True):
        assert mine.keys() == plain.keys()
        assert all(torch.equal(mine[name], plain[name]) for name in plain)


def test_log_has_a_row_per_logged_step(encoder: Path, data: tuple[Windows, Labels], tmp_path: Path) -> None:
    context = replace(QUIET, train_log=tmp_path / "train.csv")
    trainer(fresh(encoder), data, plan(), context=context).run()
    rows = list(csv.DictReader((tmp_path / "train.csv").open(encoding="utf-8")))
    assert list(rows[0]) == ["step", "loss", "lr", "examples_per_second"]
    assert [int(row["step"]) for row in rows] == list(range(1, 13))
    assert all(np.isfinite(float(row["loss"])) for row in rows)


class Stopped(Exception):
    """Stands for a process that is killed."""


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_broken_training_goes_on_to_the_same_weights(
    precision: str, encoder: Path, data: tuple[Windows, Labels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken, whole_plan = fresh(encoder), plan(steps=30, precision=precision)
    context = replace(QUIET, train_log=tmp_path / "whole.csv")
    whole = scaled_at_first(trainer(unbroken, data, whole_plan, context=context)).run()

    stages: list[dict[str, object]] = []
    context = RunContext(
        listen=stages.append, train_log=tmp_path / "broken.csv", checkpoint=tmp_path / "checkpoint.safetensors",
        checkpoint_minutes=1e-9,
    )  # fmt: skip
    broken = scaled_at_first(trainer(fresh(encoder), data, whole_plan, context=context))
    monkeypatch.setattr(broken, "_step", stop_after(17, broken._step))
    with pytest.raises(Stopped):
        broken.run()
    network = fresh(encoder)
    resumed = trainer(network, data, whole_plan, context=context).run()
    assert Stage("resuming after step 17") in stages
    assert torch.equal(weights(network), weights(unbroken))
    assert resumed.final_loss == whole.final_loss
    columns = [[row[:3] for row in csv.reader((tmp_path / f"{name}.csv").open())] for name in ("whole", "broken")]
    assert columns[0] == columns[1]


def scaled_at_first(training_run: Trainer) -> Trainer:
    """With a scale of fp16 losses that overflows in the first updates, and grows every four."""
    if training_run.scaler.is_enabled():
        training_run.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**24, growth_interval=4)
    return training_run


def test_a_gradient_that_overflows_skips_the_update_and_lowers_the_scale(
    encoder: Path, data: tuple[Windows, Labels]
) -> None:
    network = fresh(encoder)
    before = network.qa_outputs.weight.detach().clone()
    training_run = trainer(network, data, plan(steps=1, precision="fp16"))
    training_run.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**60)
    assert np.isfinite(training_run.run().final_loss)
    assert torch.equal(network.qa_outputs.weight, before)
    assert training_run.scaler.get_scale() == 2.0**59


def stop_after(steps: int, step: object) -> object:
    left = iter(range(steps))

    def limited(*given: object) -> object:
        if next(left, None) is None:
            raise Stopped
        return step(*given)  # type: ignore[operator]  # a Trainer's step

    return limited


@pytest.mark.parametrize("harm", ["cut", "flip", "other", "empty", "weights", "code"])
def test_a_broken_or_foreign_checkpoint_is_not_read(
    encoder: Path, data: tuple[Windows, Labels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    path = tmp_path / "checkpoint.safetensors"
    often = replace(QUIET, checkpoint=path, checkpoint_minutes=1e-9)
    with monkeypatch.context() as patch:
        if harm == "code":
            patch.setattr(training, "VERSIONS", ("0.0.1",))
        settings = plan(steps=6, seed=8 if harm == "other" else 1)
        trainer(fresh(encoder), data, settings, "others" if harm == "weights" else "", context=often).run()
    raw = bytearray(path.read_bytes())
    raw[-100] ^= 16
    path.write_bytes({"cut": bytes(raw[:-200]), "flip": bytes(raw), "empty": b""}.get(harm, path.read_bytes()))
    stages: list[Stage | Step] = []
    network, clean = fresh(encoder), fresh(encoder)
    trainer(network, data, plan(steps=6), context=RunContext(listen=stages.append, checkpoint=path)).run()
    trainer(clean, data, plan(steps=6)).run()
    assert not [event for event in stages if "resuming" in str(event)]
    assert torch.equal(weights(network), weights(clean))


def test_a_full_disk_costs_the_checkpoint_alone(encoder: Path, data: tuple[Windows, Labels], tmp_path: Path) -> None:
    context = replace(QUIET, checkpoint=tmp_path / "missing" / "checkpoint.safetensors", checkpoint_minutes=1e-9)
    assert trainer(fresh(encoder), data, plan(steps=4), context=context).run().steps == 4
