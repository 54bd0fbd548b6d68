"""Rows of results.csv: what the plan knows of one beforehand, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xlqa.records import NO_ANSWER_NOTE, SCHEMA_VERSION, Arm, result_columns
from xlqa.runs.specs import EvalSpec, Hyper, RunSpec


def evaluation_row(spec: RunSpec, evaluation: EvalSpec) -> dict[str, Any]:
    """A row with every setting filled in; scores, times and the machine are None until they are measured."""
    task = spec.common.task
    columns = result_columns(task, spec.common.unanswerable)
    row: dict[str, Any] = dict.fromkeys(columns) | ({} if task == "qa" else {"task": task})
    row |= {
        "lang": spec.language, "arm": spec.arm.value, "size": spec.size, "seed": spec.paired_seed,
        "model": spec.encoder.name, "model_sha256": spec.encoder.sha256, "precision": spec.common.precision,
        "max_length": spec.common.max_length, "stride": spec.common.stride, "steps": spec.steps,
        "test": evaluation.data.name, "split": evaluation.split, "test_sha256": test_hash(evaluation.data.sha256, spec.common.unanswerable),
        "test_size": evaluation.size, "scorer": evaluation.data.scorer, "source_overlap": evaluation.source_overlap,
        "max_answer_length": evaluation.max_answer_length, "eval_id": evaluation.eval_id(spec.common),
        "run_id": spec.run_id, "schema": SCHEMA_VERSION,
    }  # fmt: skip
    from_source = spec.arm is Arm.TRANSFER and spec.stage is not None
    trained = spec.stage.hyper if spec.stage and from_source else spec.hyper
    if trained and trained.reinit_top:
        row |= _changed("model", spec.encoder.name, spec.encoder.sha256, [f"top {trained.reinit_top} drawn"])
    row |= _source_columns(spec) | _target_columns(spec)
    return {name: value for name, value in row.items() if name in columns}


def test_hash(sha256: str, unanswerable: bool) -> str:
    """A test set's hash as rows have it: with and without its unanswerable questions it is another set."""
    return f"{sha256}+{NO_ANSWER_NOTE}" if unanswerable else sha256


def _changed(column: str, name: str, sha256: str, changes: Sequence[str]) -> dict[str, str]:
    """Name and hash of an encoder or data set that a setting without a column of its own changes.

    The name tells readers, the hash keeps rows apart: tables give one name to what has one hash.
    """
    noted = f"{name} ({'; '.join(changes)})" if changes else name
    return {column: noted, f"{column}_sha256": "+".join([sha256, *changes])}


def _trained_in_part(hyper: Hyper) -> list[str]:
    lora = [f"LoRA of rank {hyper.lora}"] if hyper.lora else []
    if hyper.freeze is None:
        return lora
    return [f"frozen up to layer {hyper.freeze}" if hyper.freeze else "embeddings frozen", *lora]


def _read_otherwise(spec: RunSpec) -> list[str]:
    """How all data of a run was read otherwise than usual."""
    return [f"{tag}={other}" for tag, other in spec.common.map_tags] + [NO_ANSWER_NOTE] * spec.common.unanswerable


def _source_columns(spec: RunSpec) -> dict[str, Any]:
    stage = spec.stage
    if stage is None:
        return {}
    changes = ["labels shuffled"] * (stage.labels == "shuffled") + ["balanced"] * spec.is_balanced
    changes += _trained_in_part(stage.hyper) if spec.arm is Arm.TRANSFER else []
    changes += _read_otherwise(spec)
    columns: dict[str, Any] = {"source_size": stage.size, "source_steps": stage.steps}
    columns |= _changed("source", stage.data.name, stage.data.sha256, changes)
    if spec.arm is Arm.JOINT:
        # One training sees both data sets: there is no stage with a seed or settings of its own.
        return columns
    return columns | {
        "source_seed": stage.seed, "source_lr": stage.hyper.lr, "source_epochs": stage.hyper.epochs,
        "source_batch_size": stage.hyper.batch_size, "source_id": stage.source_id,
    }  # fmt: skip


def _target_columns(spec: RunSpec) -> dict[str, Any]:
    if spec.target is None or spec.hyper is None:
        return {}
    return _changed("target", spec.target.name, spec.target.sha256, [*_trained_in_part(spec.hyper), *_read_otherwise(spec)]) | {
        "target_questions": spec.target_questions,
        "subset_seed": spec.seed, "train_seed": spec.training_seed, "subset_by": spec.subset_by, "valid_size": spec.valid_size,
        "lr": spec.hyper.lr, "epochs": spec.hyper.epochs, "batch_size": spec.hyper.batch_size,
        "warmup": spec.hyper.warmup, "min_steps": spec.hyper.min_steps,
    }  # fmt: skip
