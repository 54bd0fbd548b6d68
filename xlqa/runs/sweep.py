"""A sweep: plan, skip what is finished, execute, write the table.

xlqa sweep --lang ru --sizes 100,1000,10000
"""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace

from xlqa.errors import XlqaError
from xlqa.runs.execute.events import Event, Failed, Finished
from xlqa.runs.execute.executor import Executor
from xlqa.runs.execute.interrupts import stoppable
from xlqa.runs.execute.jobs import find_pending, find_untrained, make_jobs
from xlqa.runs.execute.local import LocalExecutor
from xlqa.runs.execute.progress import Progress, make_progress, print_line
from xlqa.runs.execute.scheduler import Job, Scheduler
from xlqa.runs.execute.table_writer import TableWriter
from xlqa.runs.plan.cost import Pending, PlannedRun, check_disk, describe_plan, describe_unanswerable
from xlqa.runs.plan.planner import Plan
from xlqa.runs.store.failures import forget_failures, write_failures
from xlqa.runs.store.requests import record_request
from xlqa.runs.store.setup import describe_kept, lay_out, place_inputs, write_configs
from xlqa.runs.store.table import check_tables, write_results
from xlqa.runs.tuning import finish_tuning, plan_tuning
from xlqa.util.files import guarded, remove_stale_files
from xlqa.util.locks import is_locked, shared_lease, unless_leased

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
    check_tables(plan.layout)
    runs = take_shard(plan, shard)
    if len(runs) > MANY_RUNS:
        print_line(f"checking {len(runs):,} runs …")
    pending = find_pending(plan, runs)
    for line in (
        describe_plan(plan, pending),
        *describe_unanswerable(plan.unanswerable()),
        *describe_kept(plan, pending.runs),
    ):
        print_line(line)
    check_disk(plan, pending, executor.count_slots(len(pending.runs)))
    place_inputs(plan)
    record_request(plan.layout, plan.ids(), dry_run=False, unanswerable=plan.unanswerable())
    with _leased_stages(plan):
        # Another sweep may have removed weights (--keep none) before they were leased.
        outcome = _execute(plan, replace(pending, stages=find_untrained(plan, pending.runs)), executor)
    if plan.request.keep == "none" and not outcome.failures and shard is None:
        _remove_weights(plan)
    return outcome


def _execute(plan: Plan, pending: Pending, executor: Executor) -> SweepOutcome:
    request, layout = plan.request, plan.layout
    jobs = make_jobs(plan, pending)
    progress, table = make_progress(jobs, pending.done), TableWriter(layout)
    scheduler = Scheduler(jobs, executor, _Observer(progress, table), request.checkpoint_every, request.timeout)
    with stoppable(), guarded(request.out), closing(progress):
        with table, _tidying(plan, pending):
            scheduler.run([layout.encoder(encoder.name, encoder.sha256) for encoder in plan.encoders()])
        remove_stale_files(path for job in jobs for path in job.folder.folders())
        forget_failures(layout)
        rows = write_results(layout).rows
        write_failures(layout)
    failures = [*progress.failures, *((job.label, "was not finished.") for job in jobs if job.is_unfinished)]
    done_now = sum(job.state == "done" for job in jobs if not job.folder.is_source)
    return SweepOutcome(len(rows), pending.done, done_now, tuple(failures))


def prepare(plan: Plan) -> None:
    """Write the configs of all runs of a plan and execute none: what `--dry-run` does after its estimate.

    Raises:
        XlqaError: the sweep's folder cannot be written.
    """
    for line in (*describe_unanswerable(plan.unanswerable()), *describe_kept(plan, plan.runs)):
        print_line(line)
    record_request(plan.layout, plan.ids(), dry_run=True, unanswerable=plan.unanswerable())
    lay_out(plan)


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


@contextmanager
def _leased_stages(plan: Plan) -> Iterator[None]:
    """Meanwhile no other sweep removes the weights of the source stages that this plan's runs start from."""
    with ExitStack() as leases:
        try:
            for stage in plan.stages:
                leases.enter_context(shared_lease(plan.layout.source(stage.source_id).path))
        except OSError as error:
            raise XlqaError(f"{plan.layout.sources} cannot be written ({error.strerror}): make it writable.") from error
        yield


def _remove_weights(plan: Plan) -> None:
    """With `--keep none`, keep no weights of this plan's runs and source stages, except what another sweep uses now."""
    for stage in plan.stages:
        folder = plan.layout.source(stage.source_id)
        with unless_leased(folder.path) as is_free:
            if is_free:
                shutil.rmtree(folder.model, ignore_errors=True)
            else:
                print_line(f"{folder.model} is kept: another sweep in this folder uses it.")
    for spec, _ in plan.runs:
        run = plan.layout.run(spec.run_id)
        if not is_locked(run.path):
            shutil.rmtree(run.model, ignore_errors=True)


@contextmanager
def _tidying(plan: Plan, pending: Pending) -> Iterator[None]:
    """Meanwhile remove what ended processes left half-written, and write the configs of the runs that wait.

    Runs do not wait for that: each start writes its own config. `xlqa status` counts the runs that have one.
    """
    ended, interrupted = threading.Event(), threading.Event()

    def tidy() -> None:
        with suppress(XlqaError, OSError):
            remove_stale_files(itertools.takewhile(lambda _: not interrupted.is_set(), plan.layout.folders()))
            write_configs(plan, plan.stages, pending.runs, lambda: not ended.is_set())

    thread = threading.Thread(target=tidy, daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        interrupted.set()
        raise
    finally:
        ended.set()
        thread.join()


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
