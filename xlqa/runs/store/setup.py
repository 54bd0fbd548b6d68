"""Laying a plan out on disk: data copied, encoders linked, a config per source stage and run."""

from __future__ import annotations

import itertools
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.records import DataRef
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.plan.planner import Plan
from xlqa.runs.specs import EncoderRef, EvalSpec, RunSpec, SourceStage
from xlqa.runs.store.config import is_sealed, place_data, render_run, render_source, write_config
from xlqa.runs.store.results import source_weights
from xlqa.util.files import read_json, remove_stale_files, replacing, sha256_of, waiting_lock
from xlqa.util.temporary import temporary_beside


def lay_out(plan: Plan) -> None:
    """Write everything that the runs need below the sweep's folder; what is there and whole stays.

    Raises:
        XlqaError: the folder is full or read-only.
    """
    root = plan.request.out
    try:
        remove_stale_files(plan.layout.folders())
        for ref in data_refs(plan):
            copy_whole(ref.path, root / place_data(ref), ref.sha256)
        for encoder in plan.encoders():
            _link(encoder, root / plan.layout.encoder(encoder.name, encoder.sha256))
        for stage in plan.stages:
            write_source_config(plan, stage)
        for spec, evals in plan.runs:
            write_run_config(plan, spec, evals)
    except OSError as error:
        raise XlqaError(f"{root} cannot be written ({error.strerror}): free space or choose another --out.") from error


def data_refs(plan: Plan) -> list[DataRef]:
    """Every data file under every name that a config calls it by: two names may hold the same bytes."""
    refs = [stage.data for stage in plan.stages]
    for spec, evals in plan.runs:
        refs += [spec.stage.data] if spec.stage else []
        refs += [spec.target] if spec.target else []
        refs += [ref for e in evals for ref in (e.data, e.overlap_with) if ref]
    return list({place_data(ref): ref for ref in refs}.values())


def write_source_config(plan: Plan, stage: SourceStage) -> RunFolder:
    """Write a source stage's config."""
    folder = plan.layout.source(stage.source_id)
    write_config(folder.config, _frugal(plan, render_source(stage, plan.request.out)))
    return folder


def write_run_config(plan: Plan, spec: RunSpec, evals: tuple[EvalSpec, ...]) -> RunFolder:
    """Write a run's config, with its source weights' SHA-256 as soon as there are any.

    Evaluations that an earlier request or `xlqa evaluate` named stay in it.
    """
    folder = plan.layout.run(spec.run_id)
    sha256 = source_weights(plan.layout.source(spec.stage.source_id)) if spec.stage else None
    fresh = _frugal(plan, render_run(spec, evals, plan.request.out, sha256 if spec.more_steps == 0 else None))
    with preparing(plan.layout):
        write_config(folder.config, keep_evaluations(fresh, read_json(folder.config)))
    return folder


def _frugal(plan: Plan, config: dict[str, Any]) -> dict[str, Any]:
    """A config with what saves memory on request; it is no part of a run's identity."""
    if plan.request.gradient_checkpointing:
        config["train"]["gradient_checkpointing"] = True
    return config


def preparing(layout: Layout) -> AbstractContextManager[None]:
    """Held for the moment in which a config is read and written again, so that two sweeps lose nothing of each other."""
    layout.runs.mkdir(parents=True, exist_ok=True)
    return waiting_lock(layout.runs)


def keep_evaluations(fresh: dict[str, Any], old: Any) -> dict[str, Any]:
    """A config with the evaluations of the one that lies there, under free names, and its source weights' SHA-256.

    A damaged or edited config gives nothing: what it names might never have been asked for.
    """
    if not is_sealed(old):
        return fresh
    model, before = fresh["chainer"]["pipe"][1], old["chainer"]["pipe"][1]
    model["source_sha256"] = model["source_sha256"] or before.get("source_sha256")
    known = {e["eval_id"].rsplit("-", 1)[1] for e in fresh["metadata"]["xlqa"]["evaluations"].values()}
    for target, evaluation in old["metadata"]["xlqa"]["evaluations"].items():
        if evaluation["eval_id"].rsplit("-", 1)[1] not in known:
            entry = next((test for test in old["dataset_reader"]["tests"] if test["target"] == target), None)
            if entry is not None:
                add_evaluation(fresh, evaluation, entry)
    return fresh


def add_evaluation(config: dict[str, Any], evaluation: dict[str, Any], entry: dict[str, Any]) -> str:
    """Add one test set to a config under the next free target name; returns that name."""
    evaluations = config["metadata"]["xlqa"]["evaluations"]
    target = next(name for i in itertools.count(2) if (name := f"test_{i}") not in evaluations)
    evaluations[target] = evaluation
    config["dataset_reader"]["tests"].append(entry | {"target": target})
    config["train"]["evaluation_targets"].append(target)
    return target


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
