"""From a planned run to its config: `render_run(spec, evals, root, source_sha256)`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xlqa.records import DataRef, SourceLabels
from xlqa.runs.paths import Layout
from xlqa.runs.specs import Common, EncoderRef, EvalSpec, RunSpec, SourceStage
from xlqa.runs.store.rows import evaluation_row
from xlqa.runs.store.run_config import DataEntry, Evaluation, RunConfig, TestEntry

KNOWN_SUFFIXES = frozenset(
    {".json", ".jsonl", ".csv", ".tsv", ".parquet", ".gz", ".xz", ".txt", ".conll", ".conllu", ".iob2"}
)


def data_suffix(path: Path) -> str:
    """The suffixes that decide how a data file is read: `.json`, `.csv.xz`, …"""
    return "".join(s for s in path.suffixes[-2:] if s.lower() in KNOWN_SUFFIXES) or ".json"


def place_data(ref: DataRef) -> str:
    """The path of a data file, relative to the sweep's folder."""
    return Layout(Path()).data_file(ref.name, ref.sha256, data_suffix(ref.path))


def data_entry(ref: DataRef, common: Common, labels: SourceLabels = "gold") -> DataEntry:
    """A data set as configs name it."""
    return DataEntry(
        ref.name,
        place_data(ref),
        ref.sha256,
        ref.language,
        ref.scorer,
        common.skip_bad,
        labels,
        common.map_tags,
        common.unanswerable,
    )


def place_encoder(encoder: EncoderRef) -> str:
    """The path of an encoder's folder, relative to the sweep's folder."""
    return Layout(Path()).encoder(encoder.name, encoder.sha256)


def render_source(stage: SourceStage, root: Path) -> RunConfig:
    """The config of a source stage. It has no test set: its zero-shot run scores it."""
    common = stage.common
    return RunConfig(
        kind="source", id=stage.source_id, root=str(root), language=stage.data.language, model=stage.encoder.name,
        train=data_entry(stage.data, common, stage.labels),
        # The part drawn for a smaller size is the same for every seed: seeds differ in head, batches and dropout.
        train_size=stage.size, subset_seed=0,
        encoder=place_encoder(stage.encoder), encoder_sha256=stage.encoder.sha256, max_length=common.max_length,
        stride=common.stride, max_answer_length=30, precision=common.precision, seed=stage.seed, hyper=stage.hyper,
        task=common.task, labels=common.labels,
    )  # fmt: skip


def render_run(spec: RunSpec, evals: Sequence[EvalSpec], root: Path, source_sha256: str | None) -> RunConfig:
    """The config of a run, scored on each of `evals`.

    Args:
        source_sha256: of the source stage's weights; None while that stage is not trained.
    """
    common = spec.common
    starts_from = spec.stage if spec.more_steps == 0 else None
    joint = spec.stage if spec.more_steps else None
    return RunConfig(
        kind="run", id=spec.run_id, root=str(root),
        train=data_entry(spec.target, common) if spec.target else None,
        source=data_entry(joint.data, joint.common, joint.labels) if joint else None, balanced=spec.is_balanced,
        tests=tuple(TestEntry(e.target, data_entry(e.data, common), e.size) for e in evals if e.split == "test"),
        train_size=spec.size, subset_seed=spec.seed, subset_by=spec.subset_by, valid_size=spec.valid_size,
        source_size=joint.size if joint else None,
        encoder=place_encoder(spec.encoder), encoder_sha256=spec.encoder.sha256, max_length=common.max_length,
        stride=common.stride, max_answer_length=evals[0].max_answer_length if evals else 30, precision=common.precision,
        source_id=starts_from.source_id if starts_from else None, source_sha256=source_sha256,
        seed=spec.training_seed, hyper=spec.hyper, more_steps=spec.more_steps,
        evaluations={e.target: _evaluation(spec, e) for e in evals}, task=common.task, labels=common.labels,
    )  # fmt: skip


def _evaluation(spec: RunSpec, evaluation: EvalSpec) -> Evaluation:
    overlap = evaluation.overlap_with
    return Evaluation(
        evaluation.eval_id(spec.common),
        data_entry(overlap, spec.common) if overlap else None,
        evaluation_row(spec, evaluation),
    )
