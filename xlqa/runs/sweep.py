"""The whole of a sweep: plan, what is done already, launch, table.

xlqa sweep --lang ru --sizes 100,1000,10000
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from xlqa.errors import XlqaError
from xlqa.runs.execute.progress import make_progress
from xlqa.runs.execute.scheduler import Job, Launch, stoppable
from xlqa.runs.plan.disk import check_disk, pending_stages
from xlqa.runs.plan.planner import Plan
from xlqa.runs.plan.work import Work
from xlqa.runs.specs import EvalSpec, RunSpec, SourceStage
from xlqa.runs.store.results import forget_failures, is_trained, read_result, write_failures, write_results
from xlqa.runs.store.setup import lay_out, write_run_config, write_source_config
from xlqa.util.files import guarded, remove_stale_files


@dataclass(frozen=True, slots=True)
class SweepOutcome:
    """How a sweep ended: rows in the table, runs done before, done now, and failed (label, error)."""

    rows: int
    done_before: int
    done_now: int
    failures: tuple[tuple[str, str], ...]


def pending_evaluations(plan: Plan, spec: RunSpec, evals: Sequence[EvalSpec]) -> list[EvalSpec]:
    """The evaluations of a run that are not finished yet."""
    folder = plan.layout.run(spec.run_id)
    return [e for e in evals if read_result(folder.evaluation(e.eval_id(spec.common))) is None]


def is_pending(plan: Plan, spec: RunSpec, evals: Sequence[EvalSpec]) -> bool:
    """Whether a run has something to do: an evaluation, or weights that were asked for and are not there."""
    lacks_weights = spec.run_id in plan.kept and not is_trained(plan.layout.run(spec.run_id))
    return lacks_weights or bool(pending_evaluations(plan, spec, evals))


def take_shard(plan: Plan, shard: tuple[int, int] | None) -> list[tuple[RunSpec, tuple[EvalSpec, ...]]]:
    """The runs of shard (i, n), i from 1: disjoint over i, together all; costly runs are spread evenly."""
    if shard is None:
        return list(plan.runs)
    index, count = shard
    # By what the user named, not by ids: those hold the precision, which `auto` resolves host by host.
    by_cost = sorted(plan.runs, key=lambda run: (-run[0].steps, run[0].language, run[0].arm, run[0].size, run[0].seed))
    mine = {spec.run_id for spec, _ in by_cost[index - 1 :: count]}
    return [(spec, evals) for spec, evals in plan.runs if spec.run_id in mine]


def stage_label(stage: SourceStage) -> str:
    """A source stage's name on the screen."""
    return f"source {stage.data.name} {stage.size:,} seed {stage.seed}"


def run_label(spec: RunSpec) -> str:
    """A run's name on the screen."""
    return f"{spec.language} {spec.arm} {spec.size:,} seed {spec.seed}"


def make_jobs(plan: Plan, runs: Sequence[tuple[RunSpec, tuple[EvalSpec, ...]]]) -> tuple[list[Job], int]:
    """Jobs for what is not done, source stages first, and the number of runs that are done."""
    pending = [(spec, evals) for spec, evals in runs if is_pending(plan, spec, evals)]
    work = Work(plan)
    stages: dict[str, Job] = {}
    for stage in pending_stages(plan, pending):
        folder, cost = plan.layout.source(stage.source_id), work.of_stage(stage)
        stages[stage.source_id] = Job(folder, stage_label(stage), True, cost, _prepare_source(plan, stage))
    jobs = list(stages.values())
    for spec, evals in pending:
        needs = stages.get(spec.stage.source_id) if spec.stage and not spec.more_steps else None
        training, scoring = work.of_training(spec), work.of_evaluations(spec, evals)
        jobs.append(
            Job(
                plan.layout.run(spec.run_id), run_label(spec), spec.run_id in plan.kept, training + scoring,
                _prepare_run(plan, spec, evals), needs, training=training / max(training + scoring, 1.0),
            )
        )  # fmt: skip
    return jobs, len(runs) - len(pending)


def _prepare_source(plan: Plan, stage: SourceStage) -> Any:
    return lambda: write_source_config(plan, stage)


def _prepare_run(plan: Plan, spec: RunSpec, evals: tuple[EvalSpec, ...]) -> Any:
    return lambda: write_run_config(plan, spec, evals)


def choose_slots(device: str, jobs: int, workers_per_device: int) -> list[str]:
    """A device for each worker process: every GPU for `auto`, otherwise the one that was named."""
    from xlqa.training.devices import device_count

    devices = [device]
    if device in ("auto", "cuda") and device_count() > 0:
        devices = [f"cuda:{i}" for i in range(device_count())]
    elif device == "auto":
        devices = ["cpu"]
    return (devices * workers_per_device)[: max(1, jobs)]


def choose_launcher(launcher: str, ray_address: str | None) -> str | None:
    """The address of the Ray cluster that is to do the runs, once it answers; None for this machine.

    Raises:
        XlqaError: the launcher is unknown, Ray is not installed, or there is no such cluster.
    """
    if launcher == "ray":
        from xlqa.runs.ray.cluster import find_cluster

        return find_cluster(ray_address or "auto")
    if launcher != "local":
        raise XlqaError(f"--launcher {launcher}: choose local or ray.")
    if ray_address is not None:
        raise XlqaError(f"--ray-address {ray_address}: this needs --launcher ray.")
    return None


def _launch(plan: Plan, jobs: list[Job], observer: Any, workers_per_device: int, cluster: str | None) -> None:
    request = plan.request
    if cluster is None:
        slots = choose_slots(request.device, len(jobs), workers_per_device)
        Launch(jobs, slots, observer, request.checkpoint_every, request.timeout).run()
        return
    from xlqa.runs.ray.scheduler import RayLaunch

    models = [plan.layout.encoder(encoder.name, encoder.sha256) for encoder in plan.encoders()]
    RayLaunch(
        jobs, observer, request.out, models, cluster, request.device, workers_per_device, request.checkpoint_every,
        request.timeout,
    ).run()  # fmt: skip


def run_sweep(
    plan: Plan, shard: tuple[int, int] | None = None, workers_per_device: int = 1, cluster: str | None = None
) -> SweepOutcome:
    """Do all of a plan that is not done, and write results.csv and failures.csv.

    Args:
        workers_per_device: runs at once on a GPU, or on a machine without any.
        cluster: of Ray, as `choose_launcher` gives it; None for this machine.

    Raises:
        XlqaError: the sweep's folder cannot be written. Runs that fail do not raise: they are in the outcome.
    """
    runs = take_shard(plan, shard)
    pending = [run for run in runs if is_pending(plan, *run)]
    check_disk(plan, pending, len(choose_slots(plan.request.device, len(pending), workers_per_device)))
    lay_out(plan)
    jobs, done_before = make_jobs(plan, runs)
    progress = make_progress(jobs, done_before)
    observer = _TableKeeper(plan, progress)
    with stoppable(), guarded(plan.request.out):
        try:
            if jobs:
                _launch(plan, jobs, observer, workers_per_device, cluster)
        except BaseException:
            # What stopped the launch is what is to be said, not that a full disk takes no table either.
            observer.write()
            raise
        finally:
            progress.close()
        remove_stale_files(plan.layout.folders())
        forget_failures(plan.layout)
        rows = write_results(plan.layout)
        write_failures(plan.layout)
    failures = [*progress.failures, *((job.label, "was not finished.") for job in jobs if job.state in UNFINISHED)]
    if plan.request.keep == "none" and not failures and shard is None:
        _remove_weights(plan)
    done_now = sum(job.state == "done" for job in jobs if not job.folder.is_source)
    return SweepOutcome(len(rows), done_before, done_now, tuple(failures))


UNFINISHED = ("waiting", "running")


def _remove_weights(plan: Plan) -> None:
    """What `--keep none` asks for: no weights of this plan's runs and source stages stay."""
    folders = [plan.layout.source(stage.source_id) for stage in plan.stages]
    folders += [plan.layout.run(spec.run_id) for spec, _ in plan.runs]
    for folder in folders:
        shutil.rmtree(folder.model, ignore_errors=True)


class _TableKeeper:
    """Passes news on to the display and rewrites the table after each run, so that it can be looked at any time."""

    def __init__(self, plan: Plan, display: Any) -> None:
        self.plan, self.display = plan, display

    def note(self, line: str) -> None:
        self.display.note(line)

    def started(self, job: Job) -> None:
        self.display.started(job)

    def event(self, job: Job, event: dict[str, Any]) -> None:
        self.display.event(job, event)

    def finished(self, job: Job) -> None:
        self.display.finished(job)
        self.write()

    def failed(self, job: Job, error: str) -> None:
        self.display.failed(job, error)
        self.write()

    def write(self) -> None:
        """Write the tables, if they can be: they are written once more at the end, and then it is an error."""
        with suppress(XlqaError, OSError):
            write_results(self.plan.layout)
            write_failures(self.plan.layout)
