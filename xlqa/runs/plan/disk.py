"""How much disk a sweep will take: estimated before it starts, so that it does not end on a full one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout
from xlqa.runs.plan.planner import Plan
from xlqa.runs.specs import EvalSpec, RunSpec, SourceStage
from xlqa.runs.store.results import is_trained
from xlqa.runs.store.setup import data_refs
from xlqa.training.model_folder import weight_files

RUN_BYTES = 400_000
"""Predictions and per-question scores of a run, roughly, per 1,000 test questions; each run's own small files as much again."""

CHECKPOINT_COPIES = 6
"""A checkpoint holds weights and two moments of each, and is written beside the one before it."""


def disk_needed(
    plan: Plan, runs: Sequence[tuple[RunSpec, tuple[EvalSpec, ...]]], stages: Sequence[SourceStage], workers: int = 1
) -> int:
    """Bytes that these runs and source stages will add to the sweep's folder at most, checkpoints of workers at once included."""
    weights = max((sum(path.stat().st_size for path in weight_files(e.folder)) for e in plan.encoders()), default=0)
    models = len(stages) + sum(spec.run_id in plan.kept for spec, _ in runs)
    checkpoints = workers * CHECKPOINT_COPIES if plan.request.checkpoint_every and (runs or stages) else 0
    scored = sum(e.size or len(plan.sets[e.data.sha256].questions) for _, evals in runs for e in evals)
    copies = sum(
        ref.path.stat().st_size for ref in data_refs(plan) if not _is_placed(plan.layout, ref.name, ref.sha256)
    )
    return weights * (models + checkpoints) + RUN_BYTES * (scored // 1000 + len(runs)) + copies


def _is_placed(layout: Layout, name: str, sha256: str) -> bool:
    return any(layout.root.glob(layout.data_file(name, sha256, "*")))


def pending_stages(plan: Plan, runs: Sequence[tuple[RunSpec, tuple[EvalSpec, ...]]]) -> list[SourceStage]:
    """The source stages that runs start from and that are not trained."""
    needed = {spec.stage.source_id for spec, _ in runs if spec.stage and not spec.more_steps}
    return [s for s in plan.stages if s.source_id in needed and not is_trained(plan.layout.source(s.source_id))]


def check_disk(plan: Plan, runs: Sequence[tuple[RunSpec, tuple[EvalSpec, ...]]], workers: int) -> None:
    """Refuse to start what will not fit.

    Raises:
        XlqaError: the sweep's disk has less free than these runs are estimated to take.
    """
    needed = disk_needed(plan, runs, pending_stages(plan, runs), workers)
    free = shutil.disk_usage(_existing(plan.request.out)).free
    if free < needed:
        raise XlqaError(
            f"{plan.request.out} has {free / 1e9:.2f} GB free, this sweep takes about {needed / 1e9:.2f} GB: free space, "
            "choose another --out, or save some with --keep none or --checkpoint-every 0."
        )


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.is_dir())
