"""`xlqa sweep`: from English data and N target questions to results.csv."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from xlqa.cli import ignore_interrupts, optional_output, print_error, print_json
from xlqa.cli.options import Json, with_settings
from xlqa.errors import EXIT_RUNS_FAILED, XlqaError
from xlqa.settings import MACHINE


def _option(help_text: str, *names: str) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel=MACHINE, show_default=False)


@with_settings()
def sweep(
    config: Annotated[Path | None, _option("experiment.toml with any of these settings; flags override it.")] = None,
    demo: Annotated[
        bool, _option("The built-in sample, English to Russian and Spanish, with multilingual-e5-small.", "--demo")
    ] = False,
    shard: Annotated[str | None, _option("i/n: only the i-th of n disjoint parts of the runs (job arrays).")] = None,
    dry_run: Annotated[
        bool, _option("Write the configs, print runs, steps, time and disk, and stop.", "--dry-run")
    ] = False,
    as_json: Json = False,
    **settings: Any,
) -> int:
    """Train and score every run of a grid. Finished runs are not repeated.

    Trains the encoder on the source data (English SQuAD by default), then on N target examples for each size and seed
    (transfer), and on the same N examples alone (target-only). Writes results.csv, one row per run and test set, to --out.

    Examples:

      xlqa sweep --lang ru --sizes 100,1000,10000

      xlqa sweep --lang sw --target-train train.json --target-test dev.json --sizes 30,100,full --seeds 10 --dry-run
    """
    from xlqa.runs.plan.request import build_request, gather_settings

    request = build_request(gather_settings(settings, config, demo))
    part = parse_shard(shard)
    from xlqa.runs.sweep import choose_executor

    executor = None
    if not dry_run:
        executor = choose_executor(request.launcher, request.ray_address, request.device, request.workers_per_device)
    if demo and not (request.out / "results.csv").exists():
        from xlqa.runs.plan.demo import describe_demo

        print(describe_demo(request.task), file=sys.stderr, flush=True)
    from xlqa.runs.plan.checks import find_warnings
    from xlqa.runs.plan.planner import make_plan

    print("reading data and model …", file=sys.stderr, flush=True)
    plan = make_plan(request)
    for line in find_warnings(plan):
        print_error(line)
    return _dry_run(plan, as_json) if dry_run else _run(plan, part, executor, as_json)


def parse_shard(text: str | None) -> tuple[int, int] | None:
    """`2/8` as (2, 8).

    Raises:
        XlqaError: not i/n with 1 <= i <= n.
    """
    if text is None:
        return None
    first, slash, second = text.partition("/")
    if not slash or not first.isdigit() or not second.isdigit() or not 1 <= int(first) <= int(second):
        raise XlqaError(f"--shard {text}: give i/n with i from 1 to n, such as --shard 2/8.")
    return int(first), int(second)


def _dry_run(plan: Any, as_json: bool) -> int:
    from xlqa.runs.execute.jobs import find_pending
    from xlqa.runs.plan.cost import describe_estimate, estimate
    from xlqa.runs.plan.planner import plan_summary
    from xlqa.runs.sweep import prepare
    from xlqa.runs.tuning import finish_tuning, plan_tuning

    parts = {"": plan}
    if plan.request.tune:
        tuning = plan_tuning(plan)
        if find_pending(tuning).runs:
            parts = {"tuning": tuning, "then, for example with the settings given:": plan}
        else:
            parts = {"": finish_tuning(plan, tuning)[0]}
    figures = [estimate(part, find_pending(part)) for part in parts.values()]
    if not as_json:
        for (title, part), f in zip(parts.items(), figures, strict=True):
            print(*([title] if title else []), describe_estimate(part, f), sep="\n", flush=True)
    # Before the settings are chosen, nobody knows the sweep's own configs.
    prepare(next(iter(parts.values())))
    if as_json:
        summaries = [plan_summary(part) | {"estimate": f} for part, f in zip(parts.values(), figures, strict=True)]
        print_json(summaries[-1] | ({"tuning": summaries[0]} if len(parts) > 1 else {}))
    return 0


def _run(plan: Any, shard: tuple[int, int] | None, executor: Any, as_json: bool) -> int:
    from xlqa.runs.sweep import run_sweep

    try:
        outcome = run_sweep(plan, shard, executor)
    except KeyboardInterrupt:
        ignore_interrupts()
        print("xlqa: stopped. Finished runs are kept. The same command resumes the sweep.", file=sys.stderr)
        return 130
    record = {
        "results": str(plan.layout.results), "rows": outcome.rows, "done_before": outcome.done_before,
        "done_now": outcome.done_now, "failures": [{"run": run, "error": error} for run, error in outcome.failures],
    }  # fmt: skip
    with optional_output():
        print_json(record) if as_json else print(f"{plan.layout.results}: {outcome.rows} rows")
    for run, error in outcome.failures:
        print_error(f"{run} failed: {error}")
    if outcome.failures:
        print(
            f"xlqa: {len(outcome.failures)} failed, see {plan.layout.failures}; the same command retries them.",
            file=sys.stderr,
        )
    return EXIT_RUNS_FAILED if outcome.failures else 0
