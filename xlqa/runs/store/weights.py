"""Weights that several sweeps of one folder share: leased while runs start from them, removed with `--keep none`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.runs.plan.planner import Plan
from xlqa.util.locks import is_locked, shared_lease, unless_leased


@contextmanager
def leased_stages(plan: Plan) -> Iterator[None]:
    """Meanwhile no other sweep removes the weights of the source stages that this plan's runs start from.

    Raises:
        XlqaError: the sweep's folder cannot be written.
    """
    with ExitStack() as leases:
        try:
            for stage in plan.stages:
                leases.enter_context(shared_lease(plan.layout.source(stage.source_id).path))
        except OSError as error:
            raise XlqaError(f"{plan.layout.sources} cannot be written ({error.strerror}): make it writable.") from error
        yield


def remove_weights(plan: Plan) -> list[Path]:
    """Remove the weights of a plan's runs and source stages; returns those of stages that another sweep uses, which are kept."""
    kept = []
    for stage in plan.stages:
        folder = plan.layout.source(stage.source_id)
        with unless_leased(folder.path) as is_free:
            if is_free:
                shutil.rmtree(folder.model, ignore_errors=True)
            elif folder.model.is_dir():
                kept.append(folder.model)
    for spec, _ in plan.runs:
        run = plan.layout.run(spec.run_id)
        if not is_locked(run.path):
            shutil.rmtree(run.model, ignore_errors=True)
    return kept
