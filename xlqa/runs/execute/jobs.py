"""What a plan still needs: its unfinished runs, the source stages that they start from, and a job for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from xlqa.runs.execute.scheduler import Job
from xlqa.runs.plan.cost import Cost, Pending, PlannedRun
from xlqa.runs.plan.planner import Plan
from xlqa.runs.specs import EvalSpec, RunSpec, SourceStage
from xlqa.runs.store.results import is_trained, read_result
from xlqa.runs.store.setup import write_run_config, write_source_config


def take_shard(plan: Plan, shard: tuple[int, int] | None) -> Sequence[PlannedRun]:
    """The runs of shard (i, n), i from 1: shards are disjoint and together all runs; costly runs are spread evenly."""
    if shard is None:
        return plan.runs
    index, count = shard
    # Sorted by what the user named, not by id: an id holds the precision, which `auto` resolves host by host.
    by_cost = sorted(
        plan.runs, key=lambda run: (-run[0].steps, run[0].language, run[0].arm, run[0].size, run[0].paired_seed)
    )
    mine = {spec.run_id for spec, _ in by_cost[index - 1 :: count]}
    return [(spec, evals) for spec, evals in plan.runs if spec.run_id in mine]


def find_pending(plan: Plan, runs: Sequence[PlannedRun] | None = None) -> Pending:
    """The unfinished runs of a plan (or of `runs`). Reads the results of each run once."""
    chosen = plan.runs if runs is None else runs
    pending = tuple((spec, evals) for spec, evals in chosen if _is_pending(plan, spec, evals))
    return Pending(pending, find_untrained(plan, pending), len(chosen))


def find_untrained(plan: Plan, runs: Sequence[PlannedRun]) -> tuple[SourceStage, ...]:
    """The source stages that runs start from and whose weights are not there."""
    needed = {spec.stage.source_id for spec, _ in runs if spec.stage and not spec.more_steps}
    return tuple(s for s in plan.stages if s.source_id in needed and not is_trained(plan.layout.source(s.source_id)))


def _is_pending(plan: Plan, spec: RunSpec, evals: Sequence[EvalSpec]) -> bool:
    """Whether a run lacks an evaluation, or weights that are to be kept."""
    folder = plan.layout.run(spec.run_id)
    if any(read_result(folder.evaluation(e.eval_id(spec.common))) is None for e in evals):
        return True
    return spec.run_id in plan.kept and not is_trained(folder)


def make_jobs(plan: Plan, pending: Pending) -> list[Job]:
    """Jobs for what is pending, source stages first."""
    cost = Cost(plan)
    stages: dict[str, Job] = {}
    for stage in pending.stages:
        write: Callable[[], object] = partial(write_source_config, plan, stage)
        folder = plan.layout.source(stage.source_id)
        stages[stage.source_id] = Job(folder, stage_label(stage), True, cost.of_stage(stage), write)
    jobs = list(stages.values())
    for spec, evals in pending.runs:
        depends_on = stages.get(spec.stage.source_id) if spec.stage and not spec.more_steps else None
        training, scoring = cost.of_training(spec), cost.of_evaluations(spec, evals)
        jobs.append(
            Job(
                plan.layout.run(spec.run_id), run_label(spec), spec.run_id in plan.kept, training + scoring,
                partial(write_run_config, plan, spec, evals), depends_on, training / max(training + scoring, 1.0),
            )
        )  # fmt: skip
    return jobs


def stage_label(stage: SourceStage) -> str:
    """A source stage's name on the screen."""
    return f"source {stage.data.name} {stage.size:,} seed {stage.seed}"


def run_label(spec: RunSpec) -> str:
    """A run's name on the screen."""
    return f"{spec.language} {spec.arm} {spec.size:,} seed {spec.paired_seed}"
