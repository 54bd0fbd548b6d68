"""The training loop: from a network and labelled windows to a trained network, for every task.

Batches of like length, the loss of the task's head, AdamW without decay on biases and norms, linear warmup and decay (Devlin
et al. 2019; Mosbach et al. 2021), gradients clipped at 1.0. The network of the last step is the model.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
import transformers

from xlqa import __version__
from xlqa.errors import XlqaError
from xlqa.records import SCHEMA_VERSION
from xlqa.tasks.base import Features, Head, Labels
from xlqa.tasks.heads import network_inputs
from xlqa.training.batching import (
    PLAIN,
    IndexArray,
    collate,
    layout_for,
    split_batch,
    to_device,
    to_tensors,
    training_batches,
)
from xlqa.training.checkpoint import Checkpoints, get_random_state, restore_state, set_random_state, training_state
from xlqa.training.context import SHARED, RunContext
from xlqa.training.cpu_kernels import touched_embeddings
from xlqa.training.devices import autocast
from xlqa.training.events import Stage, Step
from xlqa.training.graphs import GraphedPass, make_graphs
from xlqa.training.layers import frozen, reinitialize_top
from xlqa.training.lora import LoraWeights, adapted

WEIGHT_DECAY = 0.01
CLIP = 1.0
BETAS = (0.9, 0.999)
EPSILON = 1e-8
MICRO_TOKENS = {"cpu": 2048, "cuda": 65536}
"""Padded pieces of one forward and backward pass. Larger batches are gathered from several passes."""

LEAST_MICRO_TOKENS = 64

VERSIONS = (__version__, SCHEMA_VERSION, torch.__version__, transformers.__version__)
"""A training does not resume from a checkpoint of other versions."""

LOG_COLUMNS = ("step", "loss", "lr", "examples_per_second")

LEARNED = 0.9
"""A run whose last losses stay above this share of a guess's loss (`Head.guess_loss`) learned nothing."""


class TrainingFailed(XlqaError):
    """A training that cannot continue: its loss is not a number, or one window does not fit into memory."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How long and how fast to train.

    Attributes:
        steps: number of updates; batch_size: windows an update.
        lr: peak learning rate; warmup: share of the steps in which it rises.
        seed: of batches and dropout.
        precision: fp32, bf16 or fp16; device: as torch names it.
        freeze: lowest layers that stay, with the embeddings (0: these alone; None: nothing stays).
        reinit_top: highest layers that start from fresh weights.
        lora: rank of the changes of the encoder's layers; 0: its weights are trained themselves.
    """

    steps: int
    batch_size: int
    lr: float
    warmup: float
    seed: int
    precision: str
    device: str
    freeze: int | None = None
    reinit_top: int = 0
    lora: int = 0


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """What a training was: updates, mean loss of its last tenth, wall seconds, windows a second, pieces a pass.

    `learned` is false where that loss is not below `LEARNED` times the loss of a guess: the run collapsed.
    """

    steps: int
    final_loss: float
    learned: bool
    seconds: float
    examples_per_second: float
    micro_tokens: int


def learning_rate(step: int, plan: TrainingPlan) -> float:
    """The rate of update `step` (counted from 0): rises linearly through the warmup, then falls linearly towards 0."""
    rising = max(1, round(plan.warmup * plan.steps)) if plan.warmup > 0 else 0
    if step < rising:
        return plan.lr * (step + 1) / rising
    return plan.lr * (plan.steps - step) / max(1, plan.steps - rising)


def shrinkage(plan: TrainingPlan) -> float:
    """What the decay of a whole training multiplies a weight by that never has a gradient."""
    return math.prod(1 - learning_rate(step, plan) * WEIGHT_DECAY for step in range(plan.steps))


def seed_everything(seed: int) -> None:
    """Seed torch, numpy and python: dropout and whatever a library draws."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def make_optimizer(network: Any, lr: float) -> torch.optim.AdamW:
    """Fused AdamW; biases and norms (all one-dimensional weights) are not decayed.

    Its moments exist from the start, so that an update takes no memory: it is applied as a whole or not at all.
    """
    named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for _, p in named if p.ndim >= 2], "weight_decay": WEIGHT_DECAY},
        {"params": [p for _, p in named if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=lr, betas=BETAS, eps=EPSILON, fused=True)
    for _, p in named:
        optimizer.state[p] = {
            "step": torch.zeros((), dtype=torch.float32, device=p.device),
            "exp_avg": torch.zeros_like(p, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(p, memory_format=torch.preserve_format),
        }
    return optimizer


def batch_loss(network: Any, head: Head, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Sum of a batch's losses, in float32.

    Args:
        tensors: of `collate`, and the labels.
    """
    return head.loss(network(**network_inputs(tensors, network)), tensors)


@contextmanager
def with_gradient_checkpointing(network: Any, wanted: bool) -> Iterator[None]:
    """While this lasts each layer keeps only its input, and is computed again on the way back (gradient checkpointing).

    That takes a third more time, and memory for one layer's activations instead of all. Dropout draws the same masks.

    Raises:
        TrainingFailed: the network's kind cannot do it.
    """
    if not wanted:
        yield
        return
    if not getattr(network, "supports_gradient_checkpointing", False):
        raise TrainingFailed(
            f"{type(network).__name__} does not support gradient checkpointing: leave --gradient-checkpointing out."
        )
    network.gradient_checkpointing_enable({"use_reentrant": False})
    try:
        yield
    finally:
        network.gradient_checkpointing_disable()


class Trainer:
    """Runs a `TrainingPlan` on a network; holds what a step needs.

    Args:
        network: moved to the plan's device already; trained in place.
        head: of the network, with the loss.
        features, labels: of the training examples.
        origin: identifies the weights that the network starts from, for its checkpoint.
        gradient_checkpointing: whether activations are computed again on the way back instead of being kept.
        context: listener, log and checkpoint.

    Attributes:
        learned: what a training with LoRA added to the network, once it is over.
    """

    def __init__(
        self, network: Any, head: Head, features: Features, labels: Labels, plan: TrainingPlan, *, origin: str = "",
        gradient_checkpointing: bool = False, context: RunContext | None = None,
    ) -> None:  # fmt: skip
        self.context = context or RunContext()
        self.origin, self.gradient_checkpointing = origin, gradient_checkpointing
        self.network, self.head, self.features, self.labels, self.plan = network, head, features, labels, plan
        self.kind = plan.device.partition(":")[0]
        self.scaler = self._new_scaler()
        self.micro_tokens = SHARED.micro_tokens.get(plan.device, MICRO_TOKENS[self.kind])
        self.lengths, self.layout = features.lengths, PLAIN
        self.graphs: GraphedPass | None = None if gradient_checkpointing else make_graphs(self._pass, plan.device)
        self.learned: LoraWeights = {}
        self.losses: list[float] = []
        self.waiting: list[torch.Tensor] = []
        self.began = time.perf_counter()

    def run(self) -> TrainingOutcome:
        """Train to the last step, from the context's checkpoint where there is one of this training.

        Raises:
            TrainingFailed: the loss is not a number, or one window does not fit into memory.
        """
        seed_everything(self.plan.seed)
        self.network.train()
        self.began = time.perf_counter()
        checkpoints = Checkpoints(self.context.checkpoint, self.context.checkpoint_minutes, self._fingerprint())
        reinitialize_top(self.network, self.plan.reinit_top, self.plan.seed)
        # Frozen embeddings do not decay either.
        decay = shrinkage(self.plan) if self.plan.freeze is None and not self.plan.lora else 1.0
        with (
            frozen(self.network, self.plan.freeze),
            adapted(self.network, self.plan.lora, self.plan.seed, self.head.inner) as self.learned,
            touched_embeddings(self.network, self.features, decay) as self.features,
        ):
            self.optimizer = make_optimizer(self.network, self.plan.lr)
            self.layout = layout_for(self.network, self.plan.device, self.lengths)
            self._resume(checkpoints)
            with (
                self.graphs or nullcontext(),
                with_gradient_checkpointing(self.network, self.gradient_checkpointing),
                _log_file(self.context.train_log, len(self.losses)) as file,
            ):
                log = _Log(file, self.plan, len(self.losses), self.context.listen)
                self._steps(log, checkpoints)
        self.network.eval()
        seconds = time.perf_counter() - self.began
        done = self.plan.steps
        final = float(np.mean(self.losses[-max(1, done // 10) :]))
        return TrainingOutcome(
            steps=done,
            final_loss=round(final, 6),
            learned=final < LEARNED * self.head.guess_loss(self.features, self.labels),
            seconds=seconds,
            examples_per_second=done * self.plan.batch_size / seconds,
            micro_tokens=self.micro_tokens,
        )

    def _new_scaler(self) -> torch.amp.GradScaler:
        """Keeps float16 gradients within their range; in other precisions it does nothing."""
        return torch.amp.GradScaler(self.kind, enabled=self.plan.precision == "fp16")

    def _fingerprint(self) -> str:
        """Names this training for its checkpoint: plan, features, labels, first weights, versions."""
        digest = hashlib.sha256(json.dumps([asdict(self.plan), self.origin, *VERSIONS], sort_keys=True).encode())
        arrays: list[np.ndarray[Any, Any]] = [self.features.ids, self.lengths, *self.labels.arrays()]
        for array in arrays:
            digest.update(array.tobytes())
        for name, parameter in self.network.named_parameters():
            digest.update(f"{name} {tuple(parameter.shape)}".encode())
        return digest.hexdigest()

    def _resume(self, checkpoints: Checkpoints) -> None:
        if (found := checkpoints.read()) is None:
            return
        tensors, record = found
        restore_state(tensors, self.network, self.optimizer, self.plan.device)
        self.losses, self.micro_tokens = list(record["losses"]), int(record["micro_tokens"])
        self.scaler.load_state_dict(record.get("loss_scale", {}))
        self.began -= float(record["seconds"])
        self.context.listen(Stage(f"resuming after step {len(self.losses):,}"))

    def _save(self, checkpoints: Checkpoints) -> None:
        self._collect()
        record = {
            "losses": self.losses, "micro_tokens": self.micro_tokens, "seconds": time.perf_counter() - self.began,
            "loss_scale": self.scaler.state_dict(),
        }  # fmt: skip
        checkpoints.write(training_state(self.network, self.optimizer, self.plan.device), record)

    def _steps(self, log: _Log, checkpoints: Checkpoints) -> None:
        """All updates that are left; `losses` gets each one's mean loss."""
        done = len(self.losses)
        batches = itertools.islice(
            training_batches(self.lengths, self.plan.batch_size, self.plan.seed), done, self.plan.steps
        )
        for step, batch in enumerate(batches, start=done):
            self.waiting.append(self._step(batch, learning_rate(step, self.plan)))
            if log.due(step):
                self._collect()
                log.write(step + 1, float(np.mean(self.losses[log.last_step :])), learning_rate(step, self.plan))
            if checkpoints.due():
                self._save(checkpoints)

    def _collect(self) -> None:
        """Fetch the losses that wait on the device: the only place where this loop itself waits for it."""
        fresh: list[float] = torch.stack(self.waiting).float().cpu().tolist() if self.waiting else []
        self.waiting.clear()
        self.losses += fresh
        _refuse_nan(fresh, len(self.losses))

    def _step(self, batch: IndexArray, lr: float) -> torch.Tensor:
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        random_state = get_random_state(self.plan.device)
        while (loss := self._update(batch)) is None:
            self._shrink(batch)
            set_random_state(random_state, self.plan.device)  # dropout draws the same masks again
        self.scaler.update()
        self._clear_gradients()
        return loss

    def _update(self, batch: IndexArray) -> torch.Tensor | None:
        """Change the weights by one update and return its loss; None where memory ran out, with the weights as they were.

        It returns instead of handling the error itself, because the error's traceback keeps the activations alive.
        """
        try:
            loss = self._gradients(batch)
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
            self.scaler.step(self.optimizer)
        except torch.OutOfMemoryError:
            return None
        return loss

    def _gradients(self, batch: IndexArray) -> torch.Tensor:
        """Gradients of a batch's mean loss, gathered over micro-batches; returns that loss, still on the device."""
        self._clear_gradients()
        total = torch.zeros((), device=self.plan.device)
        compute = self.graphs or self._pass
        for part in split_batch(batch, self.lengths, self.micro_tokens, self.layout):
            total += compute(self._tensors(part), self.labels.weight(batch))
        return total

    def _pass(self, tensors: Mapping[str, torch.Tensor], weight: int | torch.Tensor) -> torch.Tensor:
        """Add a micro-batch's gradients to those of the weights, and return its share of the loss."""
        with autocast(self.plan.device, self.plan.precision):
            loss = batch_loss(self.network, self.head, tensors) / weight
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return loss.detach()

    def _clear_gradients(self) -> None:
        """Forget the gradients; for graphs, which write into the same ones again, set them to zero."""
        if self.graphs:
            self.optimizer.zero_grad(set_to_none=False)
        else:
            self.network.zero_grad(set_to_none=True)

    def _tensors(self, batch: IndexArray) -> dict[str, torch.Tensor]:
        """Inputs and labels of a batch, on the device."""
        tensors = collate(self.features, batch, self.layout)
        tensors |= to_tensors(self.labels.batch(self.features, batch, tensors["input_ids"].shape[1]))
        return to_device(tensors, self.plan.device, self.layout)

    def _shrink(self, batch: IndexArray) -> None:
        """Free what earlier runs left on the device after memory ran out; where that is nothing, halve the pieces of a pass."""
        self.network.zero_grad(set_to_none=True)
        if self.graphs:
            self.graphs.forget()
        # It may have been asked for this update's gradients already, and takes them once.
        state, self.scaler = self.scaler.state_dict(), self._new_scaler()
        self.scaler.load_state_dict(state)
        if SHARED.spill():
            torch.cuda.empty_cache()
            return
        widest = int(self.lengths[batch].max())
        self.micro_tokens //= 2
        if self.micro_tokens < max(LEAST_MICRO_TOKENS, widest // 2):
            raise TrainingFailed(
                f"one window of {widest} pieces does not fit into {self.plan.device}'s memory: lower --max-length, or add "
                "--gradient-checkpointing."
            )
        SHARED.micro_tokens[self.plan.device] = self.micro_tokens  # for the next run of this process
        torch.cuda.empty_cache()


def _refuse_nan(losses: list[float], step: int) -> None:
    if not np.isfinite(losses).all():
        raise TrainingFailed(f"the loss is not finite at step {step}: lower --lr, or use --precision fp32.")


class _Log:
    """Writes train.csv and tells the listener, some fifty times a training."""

    def __init__(
        self, file: TextIO | None, plan: TrainingPlan, done: int, listen: Callable[[Stage | Step], None]
    ) -> None:
        self.plan, self.file, self.listen = plan, file, listen
        self.every = max(1, min(50, plan.steps // 40))
        self.last = time.perf_counter()
        self.last_step = done - done % self.every
        self.writer = csv.writer(file, lineterminator="\n") if file else None

    def due(self, step: int) -> bool:
        return (step + 1) % self.every == 0 or step + 1 == self.plan.steps

    def write(self, step: int, loss: float, lr: float) -> None:
        now = time.perf_counter()
        rate = (step - self.last_step) * self.plan.batch_size / max(now - self.last, 1e-9)
        self.last, self.last_step = now, step
        if self.writer and self.file:
            self.writer.writerow([step, f"{loss:.6f}", f"{lr:.3e}", f"{rate:.2f}"])
            self.file.flush()
        self.listen(Step(step, self.plan.steps, loss, rate))


@contextmanager
def _log_file(path: Path | None, done: int) -> Iterator[TextIO | None]:
    """The log, with its header and the rows of the first `done` steps, which are not repeated."""
    if path is None:
        yield None
        return
    kept = _rows_until(path, done) if done else []
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([LOG_COLUMNS, *kept])
        yield file


def _rows_until(path: Path, done: int) -> list[list[str]]:
    """The whole rows of a log up to a step; a log that is missing or broken gives none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    rows = list(csv.reader(io.StringIO(text)))[1:]
    return [row for row in rows if len(row) == len(LOG_COLUMNS) and row[0].isdigit() and int(row[0]) <= done]
