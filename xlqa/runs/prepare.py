"""Laying a plan out on disk: data copied, encoders linked, a config per source stage and run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.records import DataRef
from xlqa.runs.config import place_data, render_run, render_source
from xlqa.runs.files import sha256_of, write_json
from xlqa.runs.layout import RunFolder
from xlqa.runs.plan import Plan
from xlqa.runs.specs import EncoderRef, EvalSpec, RunSpec, SourceStage
from xlqa.runs.store import source_weights


def lay_out(plan: Plan) -> None:
    """Write everything that the runs need below the sweep's folder; what is there and whole stays.

    Errors:
        XlqaError: the folder is full or read-only.
    """
    root = plan.request.out
    try:
        for ref in data_refs(plan):
            copy_whole(ref.path, root / place_data(ref), ref.sha256)
        for encoder in plan.encoders():
            _link(encoder, root / plan.layout.encoder(encoder.name, encoder.sha256))
    except OSError as error:
        raise XlqaError(f"{root} cannot be written ({error.strerror}): free space or choose another --out.") from error
    for stage in plan.stages:
        write_source_config(plan, stage)
    for spec, evals in plan.runs:
        write_run_config(plan, spec, evals)


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
    write_json(folder.config, render_source(stage, plan.request.out))
    return folder


def write_run_config(plan: Plan, spec: RunSpec, evals: tuple[EvalSpec, ...]) -> RunFolder:
    """Write a run's config, with its source weights' SHA-256 as soon as there are any."""
    folder = plan.layout.run(spec.run_id)
    sha256 = source_weights(plan.layout.source(spec.stage.source_id)) if spec.stage else None
    write_json(folder.config, render_run(spec, evals, plan.request.out, sha256 if spec.more_steps == 0 else None))
    return folder


def copy_whole(source: Path, copy: Path, sha256: str) -> None:
    """Copy a data file, whole or not at all, unless the same bytes are there."""
    if sha256_of(copy) == sha256:
        return
    copy.parent.mkdir(parents=True, exist_ok=True)
    temporary = copy.with_name(f".{copy.name}.{os.getpid()}.tmp")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(copy)
    finally:
        temporary.unlink(missing_ok=True)


def _link(encoder: EncoderRef, link: Path) -> None:
    """Link an encoder's folder, or copy it where the file system has no links."""
    if link.is_symlink() and link.resolve() == encoder.folder.resolve():
        return
    if link.is_dir() and not link.is_symlink():
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    temporary = link.with_name(f".{link.name}.{os.getpid()}.tmp")
    try:
        temporary.symlink_to(encoder.folder, target_is_directory=True)
    except OSError:
        shutil.copytree(encoder.folder, temporary)
    temporary.replace(link)
