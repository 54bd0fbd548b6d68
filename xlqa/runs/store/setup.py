"""Preparing a sweep's folder: data copied, encoders linked, a config for each source stage and run."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.plan.planner import Plan
from xlqa.runs.specs import EncoderRef, EvalSpec, RunSpec, SourceStage
from xlqa.runs.store.config import place_data, render_run, render_source
from xlqa.runs.store.links import refuse_linked_folders
from xlqa.runs.store.results import source_weights
from xlqa.runs.store.run_config import RunConfig, find_config, write_config
from xlqa.util.files import remove_stale_files, replacing, sha256_of, temporary_beside
from xlqa.util.locks import waiting_lock


def lay_out(plan: Plan) -> None:
    """Write everything that the plan's runs need below the sweep's folder; files that are there and whole are kept.

    Raises:
        XlqaError: the folder is full or read-only.
    """
    place_inputs(plan)
    remove_stale_files(plan.layout.folders())
    write_configs(plan, plan.stages, plan.runs)


def place_inputs(plan: Plan) -> None:
    """Copy the data files and link the encoders.

    Raises:
        XlqaError: the folder is full or read-only.
    """
    root = plan.request.out
    refuse_linked_folders(root)
    try:
        for ref in plan.data_refs():
            copy_whole(ref.path, root / place_data(ref), ref.sha256)
        for encoder in plan.encoders():
            _link(encoder, root / plan.layout.encoder(encoder.name, encoder.sha256))
    except OSError as error:
        raise XlqaError(f"{root} cannot be written ({error.strerror}): free space or choose another --out.") from error


def describe_kept(plan: Plan, runs: Iterable[tuple[RunSpec, tuple[EvalSpec, ...]]]) -> list[str]:
    """A line on test sets that the configs of these runs name and the plan does not; none where there are none.

    They stay (`keep_evaluations`): `xlqa evaluate` or an earlier request named them, or whoever made the folder.
    """
    kept: Counter[str] = Counter()
    for spec, evals in runs:
        old = find_config(plan.layout.run(spec.run_id))
        asked_for = {evaluation.eval_id(spec.common).rsplit("-", 1)[1] for evaluation in evals}
        kept.update(str(e.row["test"]) for e in (old.evaluations.values() if old else ()) if e.digest not in asked_for)
    if not kept:
        return []
    named = ", ".join(f"{name} ({count:,} runs)" for name, count in sorted(kept.items()))
    return [f"the folder's runs also name test sets of earlier requests, which are scored too: {named}."]


def write_configs(
    plan: Plan,
    stages: Iterable[SourceStage],
    runs: Iterable[tuple[RunSpec, tuple[EvalSpec, ...]]],
    is_wanted: Callable[[], bool] = lambda: True,
) -> None:
    """Write the configs of source stages and runs ahead of their start, for `xlqa status` and `xlqa run`.

    They are not synced to the disk one by one: a start checks its config and writes it again where it is damaged.

    Args:
        is_wanted: asked before each config; they are written only as long as it is true.

    Raises:
        XlqaError: the folder is full or read-only.
    """
    weights: dict[str, str | None] = {}
    for stage in stages:
        if is_wanted():
            write_source_config(plan, stage, durable=False)
    for spec, evals in runs:
        if not is_wanted():
            return
        starts_from = spec.stage.source_id if spec.stage and not spec.more_steps else None
        if starts_from and starts_from not in weights:
            weights[starts_from] = source_weights(plan.layout.source(starts_from))
        _write_run_config(plan, spec, evals, weights[starts_from] if starts_from else None, durable=False)


def write_source_config(plan: Plan, stage: SourceStage, *, durable: bool = True) -> RunFolder:
    """Write a source stage's config."""
    folder = plan.layout.source(stage.source_id)
    write_config(folder, _save_memory(plan, render_source(stage, plan.request.out)), durable=durable)
    return folder


def write_run_config(plan: Plan, spec: RunSpec, evals: tuple[EvalSpec, ...]) -> RunFolder:
    """Write a run's config, with its source weights' SHA-256 as soon as there are any.

    Evaluations that an earlier request or `xlqa evaluate` named stay in it.
    """
    starts_from = spec.stage if spec.more_steps == 0 else None
    sha256 = source_weights(plan.layout.source(starts_from.source_id)) if starts_from else None
    return _write_run_config(plan, spec, evals, sha256, durable=True)


def _write_run_config(
    plan: Plan, spec: RunSpec, evals: tuple[EvalSpec, ...], source_sha256: str | None, *, durable: bool
) -> RunFolder:
    folder = plan.layout.run(spec.run_id)
    fresh = _save_memory(plan, render_run(spec, evals, plan.request.out, source_sha256))
    with preparing(plan.layout):
        before = find_config(folder)
        config = keep_evaluations(fresh, before)
        if before is None or not before.sealed or before != config:
            write_config(folder, config, durable=durable)
    return folder


def _save_memory(plan: Plan, config: RunConfig) -> RunConfig:
    """A config with what saves memory on request; it is not part of a run's identity."""
    return replace(config, gradient_checkpointing=plan.request.gradient_checkpointing)


def preparing(layout: Layout) -> AbstractContextManager[None]:
    """Held while a config is read and written again, so that two sweeps lose none of each other's evaluations."""
    layout.runs.mkdir(parents=True, exist_ok=True)
    return waiting_lock(layout.runs)


def keep_evaluations(fresh: RunConfig, old: RunConfig | None) -> RunConfig:
    """A config with the evaluations of the earlier one, under free names, and its source weights' SHA-256.

    A damaged or edited config adds nothing: what it names might never have been asked for.
    """
    if old is None or not old.sealed:
        return fresh
    config = replace(fresh, source_sha256=fresh.source_sha256 or old.source_sha256)
    for target, evaluation in old.evaluations.items():
        test = old.find_test(target)
        if test is not None and evaluation.digest not in config.digests:
            config = config.add_evaluation(evaluation, test)
    return config


def copy_whole(source: Path, copy: Path, sha256: str) -> None:
    """Copy a data file, whole or not at all, unless the same bytes are there."""
    if sha256_of(copy) == sha256:
        return
    with replacing(copy) as temporary:
        shutil.copyfile(source, temporary)


def _link(encoder: EncoderRef, link: Path) -> None:
    """Link an encoder's folder, or copy it where the file system has no links."""
    if link.is_symlink() and link.resolve() == encoder.folder.resolve():
        return
    if link.is_dir() and not link.is_symlink():
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(link)
    try:
        temporary.symlink_to(encoder.folder, target_is_directory=True)
    except OSError:
        shutil.copytree(encoder.folder, temporary)
    temporary.replace(link)
