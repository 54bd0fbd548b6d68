"""A sweep: plan, skip what is finished, execute, write the table.

xlqa sweep --lang ru --sizes 100,1000,10000
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from xlqa.errors import XlqaError
from xlqa.runs.execute.events import Event, Failed, Finished
from xlqa.runs.execute.executor import Executor
from xlqa.runs.execute.interrupts import stoppable
from xlqa.runs.execute.jobs import find_pending, make_jobs
from xlqa.runs.execute.local import LocalExecutor
from xlqa.runs.execute.progress import Progress, make_progress, print_line
from xlqa.runs.execute.scheduler import Job, Scheduler
from xlqa.runs.plan.cost import PlannedRun, check_disk, describe_plan
from xlqa.runs.plan.planner import Plan
from xlqa.runs.store.failures import forget_failures, write_failures
from xlqa.runs.store.setup import lay_out
from xlqa.runs.store.table import check_tables, write_results
from xlqa.runs.tuning import finish_tuning, plan_tuning
from xlqa.util.files import guarded, remove_stale_files


@dataclass(frozen=True, slots=True)
class SweepOutcome:
    """How a sweep ended: rows in the table, runs done before, done now, and failed (label, error)."""

    rows: int
    done_before: int
    done_now: int
    failures: tuple[tuple[str, str], ...]


def run_sweep(plan: Plan, shard: tuple[int, int] | None = None, executor: Executor | None = None) -> SweepOutcome:
    """Execute what is not finished of a plan, and write results.csv and failures.csv; with `--tune` tune its arms first.

    Args:
        shard: (i, n) for the i-th of n disjoint parts of the runs, i from 1.
        executor: where to execute it; this machine, with a worker per device, unless given.

    Raises:
        XlqaError: the sweep's folder cannot be written, or other shards still tune. Runs that fail do not raise: they are in the outcome.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the table is written.
    """
    executor = executor or LocalExecutor(plan.request.device)
    if plan.request.tune:
        tuning = plan_tuning(plan)
        print_line(f"tuning {', '.join(plan.request.tune)} of each arm at {plan.request.tune_size:,} target questions")
        outcome = run_sweep(tuning, shard, executor)
        if outcome.failures:
            return outcome
        plan, lines = finish_tuning(plan, tuning)
        for line in lines:
            print_line(line)
    request = plan.request
    check_tables(plan.layout)
    pending = find_pending(plan, take_shard(plan, shard))
    print_line(describe_plan(plan, pending))
    check_disk(plan, pending, executor.count_slots(len(pending.runs)))
    lay_out(plan)
    jobs = make_jobs(plan, pending)
    progress = make_progress(jobs, pending.done)
    observer = _TableWriter(plan, progress)
    models = [plan.layout.encoder(encoder.name, encoder.sha256) for encoder in plan.encoders()]
    with stoppable(), guarded(request.out):
        try:
            Scheduler(jobs, executor, observer, request.checkpoint_every, request.timeout).run(models)
        except BaseException:
            # The user is told why the sweep stopped, not that a full disk does not hold the table either.
            observer.write()
            raise
        finally:
            progress.close()
        remove_stale_files(plan.layout.folders())
        forget_failures(plan.layout)
        rows = write_results(plan.layout).rows
        write_failures(plan.layout)
    failures = [*progress.failures, *((job.label, "was not finished.") for job in jobs if job.is_unfinished)]
    if request.keep == "none" and not failures and shard is None:
        _remove_weights(plan)
    done_now = sum(job.state == "done" for job in jobs if not job.folder.is_source)
    return SweepOutcome(len(rows), pending.done, done_now, tuple(failures))


def choose_executor(launcher: str, ray_address: str | None, device: str, workers_per_device: int) -> Executor:
    """The executor that `--launcher` names.

    Args:
        launcher: `local` or `ray`.
        ray_address: of the Ray cluster, HOST:PORT or `auto`; None for `auto`, and with other launchers.
        device: as `--device` gives it.
        workers_per_device: runs at once on each GPU, or on a machine without any.

    Raises:
        XlqaError: the launcher is unknown, Ray is not installed, or no cluster answers.
    """
    if launcher == "ray":
        from xlqa.runs.ray.cluster import find_cluster
        from xlqa.runs.ray.executor import RayExecutor

        return RayExecutor(find_cluster(ray_address or "auto"), device, workers_per_device)
    if launcher != "local":
        raise XlqaError(f"--launcher {launcher}: choose local or ray.")
    if ray_address is not None:
        raise XlqaError(f"--ray-address {ray_address}: this needs --launcher ray.")
    return LocalExecutor(device, workers_per_device)


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


def _remove_weights(plan: Plan) -> None:
    """With `--keep none`, no weights of this plan's runs and source stages are kept."""
    folders = [plan.layout.source(stage.source_id) for stage in plan.stages]
    folders += [plan.layout.run(spec.run_id) for spec, _ in plan.runs]
    for folder in folders:
        shutil.rmtree(folder.model, ignore_errors=True)


class _TableWriter:
    """Passes events on to the display, and rewrites the table after each run."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self.plan, self.progress = plan, progress

    def on_event(self, job: Job, event: Event) -> None:
        self.progress.on_event(job, event)
        if isinstance(event, Finished | Failed):
            self.write()

    def note(self, line: str) -> None:
        self.progress.note(line)

    def write(self) -> None:
        """Write the tables if that is possible; at the end they are written again, and then an error counts."""
        with suppress(XlqaError, OSError):
            write_results(self.plan.layout)
            write_failures(self.plan.layout)
