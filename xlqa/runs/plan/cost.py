"""What a sweep costs, estimated before it starts: work in word pieces, time and disk space.

Work is counted in pieces, because questions do not measure it: an encoder that reads a language letter by letter fills a window
that an English one leaves half empty, and needs several windows for one question.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from xlqa.errors import XlqaError
from xlqa.records import Arm
from xlqa.runs.plan.planner import LoadedSet, Plan, as_text
from xlqa.runs.plan.workers import describe_workers
from xlqa.runs.specs import EncoderRef, EvalSpec, Hyper, RunSpec, SourceStage
from xlqa.tasks.base import get_task
from xlqa.util.text import counted, format_duration

if TYPE_CHECKING:
    from xlqa.training.lora import TrainedShare

SAMPLE = 200
"""Questions of a data set that are measured, at most."""

TRAINING = 3.0
"""Work of training on a piece in units of evaluating it: forward, and twice that backward."""

LORA_TRAINING = 2.0
"""The same with LoRA: the encoder's own weights have no gradient, so the way back is as much work as the way forward."""

CHARACTERS_PER_PIECE = 4.0
"""Assumed where no tokenizer can be read: about that of an encoder in its own language."""

WEIGHT_BYTES = 4
"""Bytes of a float32 weight."""

RUN_BYTES = 400_000
"""Predictions and per-question scores of a run, roughly, per 1,000 test questions; and again for its other small files."""

CHECKPOINT_COPIES = 6
"""A checkpoint holds weights and two moments of each, and is written beside the one before it."""

UTILISATION = 0.35
"""Share of a matrix product's rate that a training reaches; measured runs on CPUs and GPUs are between 0.2 and 0.5."""

OVERHEAD_SECONDS = 2.0
"""Time of a run beside training and scoring."""

PlannedRun: TypeAlias = tuple[RunSpec, tuple[EvalSpec, ...]]


@dataclass(frozen=True, slots=True)
class Pending:
    """What is to be executed of a plan: runs, the untrained source stages that they start from; `total`: runs asked for."""

    runs: tuple[PlannedRun, ...]
    stages: tuple[SourceStage, ...]
    total: int

    @property
    def done(self) -> int:
        return self.total - len(self.runs)


@dataclass(frozen=True, slots=True)
class PieceCounts:
    """Mean pieces of a data set's windows, and of all windows of one of its questions."""

    per_window: float
    per_question: float


class Cost:
    """Work of a plan's parts in pieces; pieces of a training count TRAINING times."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.known: dict[tuple[str, str], PieceCounts] = {}

    def of_stage(self, stage: SourceStage) -> float:
        """A source stage's training."""
        counts = self.pieces(stage.encoder, stage.data.sha256)
        return _training(stage.hyper) * stage.steps * stage.hyper.batch_size * counts.per_window

    def of_training(self, spec: RunSpec) -> float:
        """A run's own training: none for zero-shot; source and target windows for joint training."""
        if spec.target is None or spec.hyper is None:
            return 0.0
        target = self.pieces(spec.encoder, spec.target.sha256).per_window
        pieces = (spec.steps - spec.more_steps) * target
        if spec.stage and spec.more_steps:
            pieces += spec.more_steps * self.pieces(spec.encoder, spec.stage.data.sha256).per_window
        return _training(spec.hyper) * spec.hyper.batch_size * pieces

    def of_evaluations(self, spec: RunSpec, evals: Sequence[EvalSpec]) -> float:
        """Answering the questions of a run's test sets."""
        return sum(
            count_questions(self.plan, [test]) * self.pieces(spec.encoder, test.data.sha256).per_question
            for test in evals
        )

    def of_pending(self, pending: Pending) -> float:
        """Everything that is to be executed."""
        runs = sum(self.of_training(spec) + self.of_evaluations(spec, evals) for spec, evals in pending.runs)
        return runs + sum(self.of_stage(stage) for stage in pending.stages)

    def pieces(self, encoder: EncoderRef, sha256: str) -> PieceCounts:
        """How an encoder cuts a data set of the plan, measured on a few questions."""
        key = (encoder.sha256, sha256)
        if key not in self.known:
            request = self.plan.request
            self.known[key] = count_pieces(encoder, self.plan.sets[sha256], request.max_length, request.stride)
        return self.known[key]


def _training(hyper: Hyper) -> float:
    """Work of training on a piece, in units of evaluating it."""
    return LORA_TRAINING if hyper.lora else TRAINING


def count_pieces(encoder: EncoderRef, loaded: LoadedSet, max_length: int, stride: int) -> PieceCounts:
    """Cut a sample of a data set's questions into windows as training does, by their lengths alone."""
    from xlqa.tasks.qa.stats import count_windows, load_tokenizer

    chosen = loaded.questions[:: max(1, len(loaded.questions) // SAMPLE)]
    if not chosen:
        return PieceCounts(0.0, 0.0)
    try:
        tokenizer = load_tokenizer(str(encoder.folder))
    except XlqaError:
        per_question = loaded.mean_characters / CHARACTERS_PER_PIECE
        return PieceCounts(min(per_question, float(max_length)), per_question)
    if loaded.task != "qa":
        counts, _ = tokenizer.count(
            [as_text(given) for example in chosen for given in get_task(loaded.task).input_of(example)]
        )
        mean = float(np.sum(counts)) / len(chosen) + tokenizer.special
        return PieceCounts(min(mean, float(max_length)), mean)
    contexts, _ = tokenizer.count([question.context for question in chosen])
    asked, _ = tokenizer.count([question.question for question in chosen])
    kept, windows = count_windows(contexts, asked, tokenizer.special, max_length, stride)
    pieces = np.array(contexts) + windows * (kept + tokenizer.special) + (windows - 1) * stride
    return PieceCounts(float(pieces.sum() / windows.sum()), float(pieces.mean()))


def count_questions(plan: Plan, evals: Sequence[EvalSpec]) -> int:
    """Test questions that evaluations answer."""
    return sum(e.size or e.valid_size or len(plan.sets[e.data.sha256].questions) for e in evals)


# ---- disk


def bytes_needed(plan: Plan, pending: Pending, slots: int = 1) -> int:
    """Bytes that pending runs and source stages add to the sweep's folder at most, with `slots` checkpoints at once."""
    specs = [spec for spec, _ in pending.runs if spec.hyper]
    trainings: list[SourceStage | RunSpec] = [*pending.stages, *specs]
    sizes = [_trained_bytes(training) for training in trainings]
    checkpoints = slots * CHECKPOINT_COPIES * max(sizes, default=0)
    left_out = {spec.run_id for spec in specs} - set(plan.kept)
    models = sum(_kept_bytes(t) for t in trainings if not (isinstance(t, RunSpec) and t.run_id in left_out))
    models += checkpoints if plan.request.checkpoint_every else 0
    scored = sum(count_questions(plan, evals) for _, evals in pending.runs)
    return models + RUN_BYTES * (scored // 1000 + len(pending.runs)) + _copies(plan)


def _share_trained(training: SourceStage | RunSpec) -> TrainedShare | None:
    """What a training with LoRA changes; None of one without."""
    from xlqa.training.lora import share_trained

    if training.hyper is None or not training.hyper.lora:
        return None
    return share_trained(training.encoder.folder, training.common.task, training.common.labels, training.hyper.lora)


def _trained_bytes(training: SourceStage | RunSpec) -> int:
    """Size of the weights that a training changes."""
    from xlqa.training.model_folder import weight_files

    if share := _share_trained(training):
        return WEIGHT_BYTES * share.trained
    return sum(path.stat().st_size for path in weight_files(training.encoder.folder))


def _kept_bytes(training: SourceStage | RunSpec) -> int:
    """Size of the model that a training keeps: an adapter also has what its source stage's adapter changed."""
    size = _trained_bytes(training)
    if isinstance(training, RunSpec) and training.hyper and training.hyper.lora:
        before = training.stage if training.arm is Arm.TRANSFER else None
        share = _share_trained(before) if before else None
        size += WEIGHT_BYTES * share.adapter if share else 0
    return size


def describe_lora(plan: Plan) -> list[str]:
    """A line for each encoder and rank that are trained with LoRA: how many weights that changes."""
    sizes: dict[str, list[int]] = {}
    trainings: list[SourceStage | RunSpec] = [*plan.stages, *(spec for spec, _ in plan.runs)]
    for training in trainings:
        if (share := _share_trained(training)) and training.hyper:
            line = (
                f"LoRA of rank {training.hyper.lora} in {share.layers} layers of {training.encoder.name}: {share.trained:,} of "
                f"{share.total:,} weights are trained ({100 * share.trained / share.total:.2g} %)"
            )
            sizes.setdefault(line, []).append(_kept_bytes(training))
    lines = []
    for line, kept in sizes.items():
        after = f" ({1e-6 * max(kept):.3g} MB after a source stage with LoRA)" if max(kept) > min(kept) else ""
        lines.append(f"{line}, kept in {1e-6 * min(kept):.3g} MB{after}")
    return lines


def _copies(plan: Plan) -> int:
    """Bytes of the data files that are not copied into the sweep's folder yet."""
    missing = [
        ref
        for ref in plan.data_refs()
        if not any(plan.layout.root.glob(plan.layout.data_file(ref.name, ref.sha256, "*")))
    ]
    return sum(ref.path.stat().st_size for ref in missing)


def check_disk(plan: Plan, pending: Pending, slots: int) -> None:
    """Refuse to start what will not fit.

    Raises:
        XlqaError: the sweep's disk has less free space than these runs are estimated to need.
    """
    needed = bytes_needed(plan, pending, slots)
    free = free_bytes(plan)
    if free < needed:
        raise XlqaError(
            f"{plan.request.out} has {free / 1e9:.2f} GB free, this sweep takes about {needed / 1e9:.2f} GB: free space, "
            "choose another --out, or save some with --keep none or --checkpoint-every 0."
        )


def free_bytes(plan: Plan) -> int:
    """Free bytes on the disk of the sweep's folder, which need not exist yet."""
    out = plan.request.out
    return shutil.disk_usage(next(folder for folder in (out, *out.parents) if folder.is_dir())).free


# ---- the estimate of --dry-run


def estimate(plan: Plan, pending: Pending) -> dict[str, Any]:
    """Runs, steps, seconds and bytes of what is pending.

    `operations` counts floating-point operations of the matrix products with weights: two for each weight and piece, three
    times that in training. `measured` is true if `seconds` come from real steps of this encoder on this machine; otherwise
    they follow from the operations and the speed of a matrix product.
    """
    cost = Cost(plan)
    operations = 2.0 * _multiplied_weights(plan) * cost.of_pending(pending)
    measured = _measured_seconds(cost, pending) if pending.runs or pending.stages else 0.0
    seconds = operations / (UTILISATION * _matrix_rate(plan)) if measured is None else measured
    return {
        "runs": len(plan.runs), "runs_done": pending.done, "source_stages": len(pending.stages),
        "steps": sum(stage.steps for stage in pending.stages) + sum(spec.steps for spec, _ in pending.runs),
        "test_questions": sum(count_questions(plan, evals) for _, evals in pending.runs),
        "seconds": round(seconds + OVERHEAD_SECONDS * len(pending.runs) / _devices_used(plan, len(pending.runs))),
        "measured": measured is not None, "operations": operations, "disk_bytes": bytes_needed(plan, pending),
        "disk_free_bytes": free_bytes(plan),
    }  # fmt: skip


def _measured_seconds(cost: Cost, pending: Pending) -> float | None:
    """Time of what is pending from a few steps on this machine: source stages first, then the runs; None if not measurable."""
    from xlqa.training.devices import resolve_device
    from xlqa.training.speed import measure_speed

    plan = cost.plan
    spec = (pending.runs or plan.runs)[0][0]
    data = spec.target or (spec.stage.data if spec.stage else plan.data_refs()[0])
    length = max(8, round(cost.pieces(spec.encoder, data.sha256).per_window))
    speed = measure_speed(
        spec.encoder.folder,
        resolve_device(plan.request.device),
        spec.common.precision,
        min(length, plan.request.max_length),
    )
    if speed is None:
        return None
    stages = sum(
        cost.of_stage(s) / TRAINING * speed.train + s.steps * _updated(s.hyper) * speed.update for s in pending.stages
    )
    runs = sum(
        cost.of_training(spec) / TRAINING * speed.train + spec.steps * _updated(spec.hyper) * speed.update
        + cost.of_evaluations(spec, evals) * speed.score
        for spec, evals in pending.runs
    )  # fmt: skip
    return stages / _devices_used(plan, len(pending.stages)) + runs / _devices_used(plan, len(pending.runs))


def _updated(hyper: Hyper | None) -> bool:
    """Whether updates take time: those of LoRA change about a hundredth of the weights."""
    return hyper is None or not hyper.lora


def _devices_used(plan: Plan, runs: int) -> int:
    """Devices that work at once. Several workers on one device share it, so they do not count."""
    from xlqa.training.devices import device_count

    devices = device_count() if plan.request.device in ("auto", "cuda") else 1
    return max(1, min(devices, runs))


def _multiplied_weights(plan: Plan) -> float:
    """Weights that each piece is multiplied with: all of the largest encoder but its embedding table."""
    from xlqa.components.model import parameter_count
    from xlqa.util.files import read_json

    weights = max(parameter_count(encoder.folder) for encoder in plan.encoders())
    config = read_json(plan.encoders()[0].folder / "config.json") or {}
    table = int(config.get("vocab_size", 0)) * int(config.get("embedding_size", config.get("hidden_size", 0)))
    return float(max(weights - table, weights // 10, 1))


def _matrix_rate(plan: Plan) -> float:
    """Floating-point operations a second of a matrix product on this request's device, in its precision."""
    from xlqa.training.devices import matrix_rate, resolve_device

    precision = plan.runs[0][0].common.precision if plan.runs else "fp32"
    return matrix_rate(resolve_device(plan.request.device), precision)


def describe_unanswerable(unanswerable: Mapping[str, tuple[int, int]], used: bool = False) -> list[str]:
    """A line for each data set that has questions without an answer.

    Args:
        unanswerable: by the data set's name: questions without an answer, and all questions.
        used: whether they are trained on and scored (`--unanswerable`).
    """
    return [
        f"{name}: {without:,} of {total:,} questions have no answer"
        + (f" ({without / max(1, total):.0%})." if used else "; they are neither trained nor scored.")
        for name, (without, total) in unanswerable.items()
    ]


def describe_plan(plan: Plan, pending: Pending) -> str:
    """One line on what is about to happen."""
    repaired = sum(sum(loaded.repairs.values()) for loaded in plan.sets.values())
    refused = sum(loaded.refused for loaded in plan.sets.values())
    notes = f"; {repaired:,} repairs in the data (see `xlqa data check`)" if repaired else ""
    notes += f"; {refused:,} {_units(plan)} left out (--skip-bad)" if refused else ""
    precision = plan.runs[0][0].common.precision if plan.runs else ""
    stages = f" and {counted(len(pending.stages), 'source stage')}" if pending.stages else ""
    return f"{pending.total} runs, {len(pending.runs)} to do{stages}, {precision}{notes}"


def _units(plan: Plan) -> str:
    return f"{get_task(plan.request.task).unit}s"


def describe_estimate(plan: Plan, figures: dict[str, Any]) -> str:
    """The estimate in words: a line for each source stage and group of runs, then the sums."""
    units = _units(plan)
    lines = [
        f"source  {stage.data.name:<24} {stage.size:>8,} {units} {stage.steps:>8,} steps  seed {stage.seed}"
        for stage in plan.stages
    ]
    groups: dict[tuple[str, str, int, int], int] = {}
    for spec, _ in plan.runs:
        key = (spec.language, spec.arm.value, spec.size, spec.steps)
        groups[key] = groups.get(key, 0) + 1
    lines += [
        f"{language:<7} {arm:<24} {size:>8,} {units} {steps:>8,} steps  {count} run{'s' if count > 1 else ''}"
        for (language, arm, size, steps), count in groups.items()
    ]
    basis = "from a few steps on it" if figures["measured"] else "a rough estimate"
    lines += [
        f"{figures['runs']} runs ({figures['runs_done']} done), {figures['steps']:,} steps to do, "
        f"{figures['test_questions']:,} test {units} to score",
        f"about {format_duration(figures['seconds'])} on this machine ({basis}), "
        f"{figures['disk_bytes'] / 1e9:.2f} GB of disk space ({figures['disk_free_bytes'] / 1e9:.0f} GB free)",
        f"{figures['operations']:.1e} floating-point operations",
        *describe_lora(plan),
        *describe_workers(plan),
        f"The configs are in {plan.layout.runs}. `xlqa run {plan.layout.runs}/…` executes one run; the same command without "
        "--dry-run executes them all.",
    ]
    return "\n".join(lines)
