"""A sweep: plan, skip what is finished, execute, write the table.

xlqa sweep --lang ru --sizes 100,1000,10000
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from xlqa.errors import XlqaError
from xlqa.runs.execute.background import TableWriter, tidying
from xlqa.runs.execute.events import Event, Failed, Finished
from xlqa.runs.execute.executor import Executor
from xlqa.runs.execute.interrupts import stoppable
from xlqa.runs.execute.jobs import find_pending, find_untrained, make_jobs, take_shard
from xlqa.runs.execute.local import LocalExecutor
from xlqa.runs.execute.progress import Progress, make_progress, print_line
from xlqa.runs.execute.scheduler import Job, Scheduler
from xlqa.runs.plan.cost import Pending, check_disk, describe_lora, describe_plan, describe_unanswerable
from xlqa.runs.plan.planner import Plan
from xlqa.runs.plan.workers import describe_workers, workers_per_device
from xlqa.runs.store.failures import forget_failures, write_failures
from xlqa.runs.store.marker import marked
from xlqa.runs.store.requests import record_request
from xlqa.runs.store.setup import describe_kept, lay_out, place_inputs
from xlqa.runs.store.table import check_tables, refuse_equal_rows, write_results
from xlqa.runs.store.weights import leased_stages, remove_weights
from xlqa.runs.tuning import finish_tuning, plan_tuning
from xlqa.tasks.base import get_task
from xlqa.util.files import guarded, remove_stale_files

MANY_RUNS = 2000
"""Checking more runs than this takes seconds, so it is announced."""


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
        KeyboardInterrupt: Ctrl-C, SIGTERM or `xlqa stop`; the table is written.
    """
    executor = executor or LocalExecutor(plan.request.device)
    if plan.request.tune:
        tuning = plan_tuning(plan)
        examples = f"{plan.request.tune_size:,} target {get_task(plan.request.task).unit}s"
        print_line(f"tuning {', '.join(plan.request.tune)} of each arm at {examples}")
        outcome = run_sweep(tuning, shard, executor)
        if outcome.failures:
            return outcome
        plan, lines = finish_tuning(plan, tuning)
        for line in lines:
            print_line(line)
    check_tables(plan.layout)
    refuse_equal_rows(plan)
    runs = take_shard(plan, shard)
    if len(runs) > MANY_RUNS:
        print_line(f"checking {len(runs):,} runs …")
    pending = find_pending(plan, runs)
    if isinstance(executor, LocalExecutor) and executor.workers_per_device is None:
        executor.workers_per_device = workers_per_device(plan)
    for line in (
        describe_plan(plan, pending),
        *describe_lora(plan),
        *describe_workers(plan),
        *describe_unanswerable(plan.unanswerable(), plan.request.unanswerable),
        *describe_kept(plan, pending.runs),
    ):
        print_line(line)
    check_disk(plan, pending, executor.count_slots(len(pending.runs)))
    place_inputs(plan)
    record_request(plan.layout, plan.ids(), dry_run=False, unanswerable=left_out(plan))
    with marked(plan.layout.root) as stop_requested, leased_stages(plan):
        # Another sweep may have removed weights (--keep none) before they were leased.
        pending = replace(pending, stages=find_untrained(plan, pending.runs))
        outcome = _execute(plan, pending, executor, stop_requested)
    if plan.request.keep == "none" and not outcome.failures and shard is None:
        for folder in remove_weights(plan):
            print_line(f"{folder} is kept: another sweep in this folder uses it.")
    return outcome


def _execute(plan: Plan, pending: Pending, executor: Executor, stop_requested: Callable[[], bool]) -> SweepOutcome:
    request, layout = plan.request, plan.layout
    jobs = make_jobs(plan, pending)
    progress, table = make_progress(jobs, pending.done), TableWriter(layout)
    scheduler = Scheduler(jobs, executor, _Observer(progress, table), request.checkpoint_every, request.timeout)
    with stoppable(stop_requested), guarded(request.out), closing(progress):
        with table, tidying(plan, pending):
            scheduler.run([layout.encoder(encoder.name, encoder.sha256) for encoder in plan.encoders()])
        remove_stale_files(path for job in jobs for path in job.folder.folders())
        forget_failures(layout)
        written = write_results(layout)
        write_failures(layout)
    for line in written.dropped:
        print_line(f"left out of the table: {line}")
    failures = [*progress.failures, *((job.label, "was not finished.") for job in jobs if job.is_unfinished)]
    done_now = sum(job.state == "done" for job in jobs if not job.folder.is_source)
    return SweepOutcome(len(written.rows), pending.done, done_now, tuple(failures))


def prepare(plan: Plan) -> None:
    """Write the configs of all runs of a plan and execute none: what `--dry-run` does after its estimate.

    Raises:
        XlqaError: the sweep's folder cannot be written, or has a table whose runs are not there.
    """
    check_tables(plan.layout)
    refuse_equal_rows(plan)
    unanswerable = describe_unanswerable(plan.unanswerable(), plan.request.unanswerable)
    for line in (*unanswerable, *describe_kept(plan, plan.runs)):
        print_line(line)
    record_request(plan.layout, plan.ids(), dry_run=True, unanswerable=left_out(plan))
    lay_out(plan)


def left_out(plan: Plan) -> dict[str, tuple[int, int]]:
    """The data sets with questions that a plan leaves out because they have no answer, as `Plan.unanswerable`."""
    return {} if plan.request.unanswerable else plan.unanswerable()


def choose_executor(launcher: str, ray_address: str | None, device: str, workers_per_device: int | None) -> Executor:
    """The executor that `--launcher` names.

    Args:
        launcher: `local` or `ray`.
        ray_address: of the Ray cluster, HOST:PORT or `auto`; None for `auto`, and with other launchers.
        device: as `--device` gives it.
        workers_per_device: runs at once on each GPU, or on a machine without any; None for one, or as many as fit on a GPU of
            this machine.

    Raises:
        XlqaError: the launcher is unknown, Ray is not installed, or no cluster answers.
    """
    if launcher == "ray":
        from xlqa.runs.ray.cluster import find_cluster
        from xlqa.runs.ray.executor import RayExecutor

        return RayExecutor(find_cluster(ray_address or "auto"), device, workers_per_device or 1)
    if launcher != "local":
        raise XlqaError(f"--launcher {launcher}: choose local or ray.")
    if ray_address is not None:
        raise XlqaError(f"--ray-address {ray_address}: this needs --launcher ray.")
    return LocalExecutor(device, workers_per_device)


class _Observer:
    """Passes events on to the display, and the ends of runs to the table."""

    def __init__(self, progress: Progress, table: TableWriter) -> None:
        self.progress, self.table = progress, table

    def on_event(self, job: Job, event: Event) -> None:
        self.progress.on_event(job, event)
        if isinstance(event, Finished | Failed):
            self.table.request()

    def note(self, line: str) -> None:
        self.progress.note(line)
