"""Rendering complete DeepPavlov configs: what `python -m deeppavlov train` and xlqa's own worker run.

All paths hang on the variable ROOT, absolute, overridable by DP_ROOT; data files and weights are named with their SHA-256.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.records import RESULT_COLUMNS, SCHEMA_VERSION, DataRef
from xlqa.runs.paths import Layout
from xlqa.runs.specs import EvalSpec, Hyper, RunSpec, SourceStage
from xlqa.runs.store.rows import evaluation_row
from xlqa.util.files import read_json, sign, write_json

COMPONENTS = "xlqa.components"
METRICS = ("f1", "em", "squad_f1", "squad_em")


def data_suffix(path: Path) -> str:
    """The suffixes that say how a data file is read: `.json`, `.csv.xz`, …"""
    return "".join(s for s in path.suffixes[-2:] if s.lower() in KNOWN_SUFFIXES) or ".json"


KNOWN_SUFFIXES = frozenset({".json", ".jsonl", ".csv", ".tsv", ".parquet", ".gz", ".xz"})


def place_data(ref: DataRef) -> str:
    """Where a data file lies below ROOT."""
    return Layout(Path()).data_file(ref.name, ref.sha256, data_suffix(ref.path))


def data_entry(ref: DataRef, skip_bad: bool) -> dict[str, Any]:
    """A data set as configs name it: below ROOT, with its SHA-256."""
    entry = {
        "name": ref.name, "path": "{ROOT}/" + place_data(ref), "sha256": ref.sha256, "language": ref.language,
        "scorer": ref.scorer,
    }  # fmt: skip
    return entry | ({"skip_bad": True} if skip_bad else {})


def _metadata(root: Path, facts: dict[str, Any]) -> dict[str, Any]:
    return {"variables": {"ROOT": str(root), "DEVICE": "auto"}, "xlqa": {"schema": SCHEMA_VERSION, **facts}}


def chainer_section(
    encoder: str,
    encoder_sha256: str | None,
    max_length: int,
    stride: int,
    max_answer_length: int,
    precision: str,
    save_path: str,
    *,
    source: str | None,
    source_sha256: str | None,
    head_seed: int,
) -> dict[str, Any]:
    """The `chainer` of a config: texts to windows to answers; asked with context and question alone."""
    return {
        "in": ["context", "question"],
        "in_y": ["id", "gold"],
        "pipe": [
            {
                "class_name": f"{COMPONENTS}.preprocessor:WindowPreprocessor",
                "in": ["context", "question"],
                "out": ["windows"],
                "tokenizer": encoder,
                "max_length": max_length,
                "stride": stride,
            },
            {
                "class_name": f"{COMPONENTS}.model:SpanModel",
                "in": ["windows", "context"],
                "out": ["answer", "start", "score"],
                "encoder": encoder,
                "encoder_sha256": encoder_sha256,
                "source": source,
                "source_sha256": source_sha256,
                "save_path": save_path,
                "head_seed": head_seed,
                "max_answer_length": max_answer_length,
                "precision": precision,
                "device": "{DEVICE}",
            },
        ],
        "out": ["answer", "start", "score"],
    }


def _chainer(
    spec: RunSpec | SourceStage, save_path: str, source: str | None, source_sha256: str | None, longest: int
) -> dict[str, Any]:
    encoder = "{ROOT}/" + Layout(Path()).encoder(spec.encoder.name, spec.encoder.sha256)
    common = spec.common
    return chainer_section(
        encoder, spec.encoder.sha256, common.max_length, common.stride, longest, common.precision, save_path,
        source=source, source_sha256=source_sha256, head_seed=spec.seed,
    )  # fmt: skip


def train_section(hyper: Hyper | None, seed: int, more_steps: int, targets: Sequence[str]) -> dict[str, Any]:
    """The `train` section of a config; without settings (zero-shot) no step is taken."""
    settings: dict[str, Any] = {"class_name": f"{COMPONENTS}.trainer:SpanTrainer"}
    if hyper is not None:
        settings |= {
            "epochs": hyper.epochs, "min_steps": hyper.min_steps, "batch_size": hyper.batch_size, "lr": hyper.lr,
            "warmup": hyper.warmup,
        }  # fmt: skip
    metrics = [{"name": f"{COMPONENTS}.metrics:{m}", "alias": m, "inputs": ["gold", "answer"]} for m in METRICS]
    return settings | {"more_steps": more_steps, "seed": seed, "metrics": metrics, "evaluation_targets": list(targets)}


def render_source(stage: SourceStage, root: Path) -> dict[str, Any]:
    """The config of a source stage. It is scored on nothing: `xlqa evaluate` does that on request."""
    return {
        "metadata": _metadata(
            root, {"source_id": stage.source_id, "lang": stage.data.language, "model": stage.encoder.name}
        ),
        "dataset_reader": {
            "class_name": f"{COMPONENTS}.reader:QuestionReader",
            "train": data_entry(stage.data, stage.common.skip_bad),
        },
        # The part drawn for a smaller size is the same for every seed: seeds differ in head, batches and dropout.
        "dataset_iterator": {
            "class_name": f"{COMPONENTS}.iterator:SubsetIterator",
            "train_size": stage.size,
            "subset_seed": 0,
        },
        "chainer": _chainer(stage, f"{{ROOT}}/source/{stage.source_id}/model", None, None, 30),
        "train": train_section(stage.hyper, stage.seed, 0, []),
    }


def render_run(spec: RunSpec, evals: Sequence[EvalSpec], root: Path, source_sha256: str | None) -> dict[str, Any]:
    """The config of a run, scored on each of `evals`.

    Args:
        source_sha256: of the source stage's weights; None while that stage is not trained.
    """
    transfer = spec.stage is not None and spec.more_steps == 0
    source = f"{{ROOT}}/source/{spec.stage.source_id}/model" if transfer and spec.stage else None
    save_path = source if spec.is_zero_shot and source else f"{{ROOT}}/runs/{spec.run_id}/model"
    tests = [
        data_entry(e.data, spec.common.skip_bad) | {"target": e.target, "size": e.size}
        for e in evals
        if e.split == "test"
    ]
    joint = spec.stage if spec.more_steps else None
    evaluations = {
        e.target: {
            "eval_id": e.eval_id(spec.common),
            "overlap_with": data_entry(e.overlap_with, spec.common.skip_bad) if e.overlap_with else None,
            "row": evaluation_row(spec, e),
        }
        for e in evals
    }
    longest = evals[0].max_answer_length if evals else 30
    return {
        "metadata": _metadata(root, {"run_id": spec.run_id, "evaluations": evaluations}),
        "dataset_reader": {
            "class_name": f"{COMPONENTS}.reader:QuestionReader",
            "train": data_entry(spec.target, spec.common.skip_bad) if spec.target else None,
            "source": data_entry(joint.data, joint.common.skip_bad) if joint else None,
            "tests": tests,
        },
        "dataset_iterator": {
            "class_name": f"{COMPONENTS}.iterator:SubsetIterator",
            "train_size": spec.size,
            "subset_seed": spec.seed,
            "subset_by": spec.subset_by,
            "valid_size": spec.valid_size,
            "source_size": joint.size if joint else None,
        },
        "chainer": _chainer(spec, save_path, source, source_sha256, longest),
        "train": train_section(spec.hyper, spec.seed, spec.more_steps, [e.target for e in evals]),
    }


def refuse_foreign(config: Any, where: str) -> None:
    """Refuse a config that names code outside xlqa, or values that DeepPavlov would evaluate.

    Raises:
        XlqaError: says which value.
    """
    if isinstance(config, Mapping):
        for key, value in config.items():
            foreign = key in ("class_name", "name") and isinstance(value, str) and ":" in value
            if (foreign or key == "class_name") and not str(value).startswith(f"{COMPONENTS}."):
                raise XlqaError(f"{where}: {key} {value!r} is not a component of xlqa: xlqa does not run foreign code.")
            if key in ("ref", "config_path", "imports"):
                raise XlqaError(f"{where}: {key!r} is not used by xlqa's configs: xlqa does not run foreign code.")
            refuse_foreign(value, where)
    elif isinstance(config, list):
        for value in config:
            refuse_foreign(value, where)
    elif isinstance(config, str) and config.startswith("#"):
        raise XlqaError(f"{where}: the value {config!r} begins with '#', which DeepPavlov would evaluate: remove it.")


def write_config(path: Path, config: dict[str, Any]) -> None:
    """Write a config with the checksum of its content, in its metadata."""
    write_json(path, _sealed(config))


def relocated(config: dict[str, Any], root: str) -> dict[str, Any]:
    """A config of a sweep's folder elsewhere, sealed."""
    metadata = config["metadata"]
    return _sealed({**config, "metadata": {**metadata, "variables": {**metadata["variables"], "ROOT": root}}})


def is_sealed(config: Any) -> bool:
    """Whether a config is as xlqa wrote it: neither damaged nor edited."""
    try:
        return bool(config == _sealed(config))
    except (KeyError, TypeError, AttributeError):
        return False


def _sealed(config: dict[str, Any]) -> dict[str, Any]:
    facts = {name: value for name, value in config["metadata"]["xlqa"].items() if name != "checksum"}
    bare = config | {"metadata": config["metadata"] | {"xlqa": facts}}
    return bare | {"metadata": bare["metadata"] | {"xlqa": facts | {"checksum": sign(bare)["checksum"]}}}


def read_config(path: Path) -> dict[str, Any]:
    """A run's config, refused where it names foreign code.

    Raises:
        XlqaError: it is missing, broken or foreign.
    """
    config = read_json(path)
    if not isinstance(config, dict) or not _is_ours(config):
        raise XlqaError(f"{path} is missing or not a config that xlqa wrote: prepare it with `xlqa sweep … --dry-run`.")
    refuse_foreign(config, str(path))
    return config


def named_evaluations(config: Any) -> dict[str, Any]:
    """The evaluations that a run's config names, by target; none where it is damaged."""
    try:
        evaluations: dict[str, Any] = config["metadata"]["xlqa"]["evaluations"]
        whole = all("-" in e["eval_id"] and e["row"].keys() >= set(RESULT_COLUMNS) for e in evaluations.values())
    except (KeyError, TypeError, AttributeError):
        return {}
    return evaluations if whole else {}


def _is_ours(config: dict[str, Any]) -> bool:
    try:
        return isinstance(config["metadata"]["xlqa"], dict) and "chainer" in config
    except (KeyError, TypeError):
        return False
