"""Doing a plan in this process, for the tests of the runs."""

from __future__ import annotations

from xlqa.runs.execute.run import execute
from xlqa.runs.plan.planner import Plan
from xlqa.runs.store.setup import lay_out, write_run_config
from xlqa.runs.store.table import write_results


def run_here(plan: Plan) -> None:
    """Do a plan in this process, without workers."""
    lay_out(plan)
    for stage in plan.stages:
        execute(plan.layout.source(stage.source_id), keep=True, listen=lambda event: None, device="cpu")
    for spec, evals in plan.runs:
        folder = write_run_config(plan, spec, evals)
        execute(folder, keep=spec.run_id in plan.kept, listen=lambda event: None, device="cpu")
    write_results(plan.layout)
