"""What a sweep will cost, said before it starts: runs, questions, steps, time and disk."""

from __future__ import annotations

import shutil
from typing import Any

from xlqa.runs.execute.progress import format_duration
from xlqa.runs.plan.disk import disk_needed
from xlqa.runs.plan.planner import Plan
from xlqa.runs.plan.work import Work
from xlqa.runs.store.results import is_trained
from xlqa.runs.sweep import is_pending

UTILISATION = 0.35
"""Share of a bare matrix product's rate that a training reaches; measured runs on CPUs and GPUs lie between 0.2 and 0.5."""

OVERHEAD_SECONDS = 2.0
SUSTAINED = 1e14
"""Operations a second in which the arithmetic of a sweep is expressed for machines other than this one."""


def estimate(plan: Plan) -> dict[str, Any]:
    """Runs, steps, seconds and bytes of what is not done yet.

    `operations` counts floating-point operations of the matrix products with weights, two a weight and piece, three times
    that in training; `seconds` is a rough guess from them and a matrix product's speed here.
    """
    pending = [(spec, evals) for spec, evals in plan.runs if is_pending(plan, spec, evals)]
    stages = [stage for stage in plan.stages if not is_trained(plan.layout.source(stage.source_id))]
    work = Work(plan)
    tokens = sum(work.of_stage(stage) for stage in stages)
    tokens += sum(work.of_training(spec) + work.of_evaluations(spec, evals) for spec, evals in pending)
    weights = _largest_encoder(plan)
    operations = 2.0 * _inner_weights(plan, weights) * tokens
    seconds = operations / (UTILISATION * _matrix_rate(plan)) + OVERHEAD_SECONDS * len(pending)
    scored = sum(e.size or len(plan.sets[e.data.sha256].questions) for _, evals in pending for e in evals)
    return {
        "runs": len(plan.runs), "runs_done": len(plan.runs) - len(pending), "source_stages": len(stages),
        "steps": sum(stage.steps for stage in stages) + sum(spec.steps for spec, _ in pending),
        "test_questions": scored, "seconds": round(seconds), "operations": operations, "disk_bytes": disk_needed(plan, pending, stages),
        "disk_free_bytes": shutil.disk_usage(plan.request.out).free,
    }  # fmt: skip


def _largest_encoder(plan: Plan) -> int:
    from xlqa.components.model import parameter_count

    return max(parameter_count(encoder.folder) for encoder in plan.encoders())


def _inner_weights(plan: Plan, weights: int) -> float:
    """Weights that take part in a piece's arithmetic: all but the embedding table."""
    from xlqa.util.files import read_json

    config = read_json(plan.encoders()[0].folder / "config.json") or {}
    table = int(config.get("vocab_size", 0)) * int(config.get("embedding_size", config.get("hidden_size", 0)))
    return float(max(weights - table, weights // 10, 1))


def _matrix_rate(plan: Plan) -> float:
    """Floating-point operations a second of a matrix product on this request's device, in its precision."""
    from xlqa.training.devices import matrix_rate, resolve_device

    precision = plan.runs[0][0].common.precision if plan.runs else "fp32"
    return matrix_rate(resolve_device(plan.request.device), precision)


def say_plan(plan: Plan) -> str:
    """One line on what is about to happen."""
    pending = sum(1 for spec, evals in plan.runs if is_pending(plan, spec, evals))
    repaired = sum(sum(loaded.repairs.values()) for loaded in plan.sets.values())
    refused = sum(loaded.refused for loaded in plan.sets.values())
    notes = f"; {repaired:,} repairs in the data (`xlqa data check`)" if repaired else ""
    notes += f"; {refused:,} questions left out (--skip-bad)" if refused else ""
    precision = plan.runs[0][0].common.precision if plan.runs else ""
    return f"{len(plan.runs)} runs, {pending} to do, {precision}{notes}"


def describe_estimate(plan: Plan, figures: dict[str, Any]) -> str:
    """The estimate in words, a line per source stage and per group of runs."""
    lines = [
        f"source  {stage.data.name:<24} {stage.size:>8,} questions {stage.steps:>8,} steps  seed {stage.seed}"
        for stage in plan.stages
    ]
    groups: dict[tuple[str, str, int, int], int] = {}
    for spec, _ in plan.runs:
        key = (spec.language, spec.arm.value, spec.size, spec.steps)
        groups[key] = groups.get(key, 0) + 1
    lines += [
        f"{language:<7} {arm:<24} {size:>8,} questions {steps:>8,} steps  {count} run{'s' if count > 1 else ''}"
        for (language, arm, size, steps), count in groups.items()
    ]
    gigabytes = figures["disk_bytes"] / 1e9
    lines += [
        f"{figures['runs']} runs ({figures['runs_done']} done), {figures['steps']:,} steps to do, "
        f"{figures['test_questions']:,} test questions to answer",
        f"about {format_duration(figures['seconds'])} on this machine (a rough guess), {gigabytes:.2f} GB of disk "
        f"({figures['disk_free_bytes'] / 1e9:.0f} GB free)",
        f"{figures['operations']:.1e} floating-point operations: {format_duration(figures['operations'] / SUSTAINED)} on a device that "
        f"sustains {SUSTAINED / 1e12:.0f} TFLOP/s",
        f"configs are in {plan.layout.runs}: `xlqa run {plan.layout.runs}/…` does one, the same command without --dry-run all",
    ]
    return "\n".join(lines)
