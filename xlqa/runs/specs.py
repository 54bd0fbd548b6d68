"""What a sweep consists of: encoders, source stages, runs and evaluations, and their identities.

A `run_id` hashes everything that can change the weights and nothing that cannot (paths, names, devices, micro-batches); an
evaluation's id adds what decides its answers. Golden tests pin both.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from xlqa.records import SCHEMA_VERSION, Arm, DataRef, JointSampling, SourceLabels, SubsetBy, TagMap, planned_steps
from xlqa.runs.paths import slug
from xlqa.tasks.qa.scorers import default_scorer

DECODING_VERSION = 1
"""Version of how answers are chosen from logits."""

HASH_DIGITS = 10

SEED_STEP = 10_000
"""Distance of the paired seeds of two training seeds: subset seeds that are crossed are below it."""


LATER_DEFAULTS = (("freeze", None), ("reinit_top", 0), ("map_tags", ()), ("lora", 0), ("unanswerable", False))
"""Defaults of settings that the first version lacked: runs with them keep their ids."""

IDS_REMEMBERED = 1 << 17
"""Ids are computed once: a plan of many runs asks for each of them often."""


def digest(payload: dict[str, Any]) -> str:
    """Hexadecimal digits that identify a payload of plain values."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


@dataclass(frozen=True, slots=True)
class EncoderRef:
    """A pretrained encoder.

    Attributes:
        name: as the user writes it; folder: on this machine. Neither is part of an identity.
        sha256: over configuration, weights and tokenizer: its identity. weights_sha256: of the weights alone.
    """

    name: str
    folder: Path
    sha256: str
    weights_sha256: str


@dataclass(frozen=True, slots=True)
class Hyper:
    """The settings of one training.

    Attributes:
        freeze: lowest layers that stay as they were, with the embeddings (0: these alone); None for nothing.
        reinit_top: highest layers that start from fresh weights.
        lora: rank of the changes of the encoder's layers; 0: its weights are trained themselves.
    """

    lr: float
    epochs: float
    batch_size: int
    warmup: float
    min_steps: int
    freeze: int | None = None
    reinit_top: int = 0
    lora: int = 0

    def steps(self, questions: int) -> int:
        """Updates on N questions."""
        return planned_steps(questions, self.epochs, self.batch_size, self.min_steps)


@dataclass(frozen=True, slots=True)
class Common:
    """What all runs that are compared share, because windows and arithmetic must be the same on both sides.

    Attributes:
        labels: all labels of a classification, from source and target train part; () for question answering.
        map_tags: tags that are read as others.
        unanswerable: whether questions without an answer are trained on and scored.
    """

    max_length: int
    stride: int
    precision: str
    skip_bad: bool = False
    task: str = "qa"
    labels: tuple[str, ...] = ()
    map_tags: TagMap = ()
    unanswerable: bool = False

    def payload(self) -> dict[str, Any]:
        """What enters an identity: question answering is what runs were before there were tasks."""
        values = _values(self)
        if self.task == "qa":
            del values["task"], values["labels"]
        return values


def _values(settings: Hyper | Common) -> dict[str, Any]:
    """The fields of flat settings that enter an id; `dataclasses.asdict` takes ten times as long."""
    values = ((field.name, getattr(settings, field.name)) for field in fields(settings))
    return {name: value for name, value in values if (name, value) not in LATER_DEFAULTS}


@dataclass(frozen=True, slots=True)
class SourceStage:
    """One training on source questions, shared by all transfer runs that start from it.

    Attributes:
        size: questions; questions_in_file: how many there are (size is the whole when equal).
        seed: of the head, batches and dropout. The part drawn for a smaller size is the same for all seeds.
        labels: "shuffled" for the control.
    """

    encoder: EncoderRef
    data: DataRef
    size: int
    questions_in_file: int
    seed: int
    hyper: Hyper
    common: Common
    labels: SourceLabels = "gold"

    @property
    def steps(self) -> int:
        return self.hyper.steps(self.size)

    @property
    def source_id(self) -> str:
        return _source_id(self)

    def _make_id(self) -> str:
        payload = {
            "schema": SCHEMA_VERSION, "kind": "source", "encoder": self.encoder.sha256, "data": self.data.sha256,
            "size": self.size, "seed": self.seed, "hyper": _values(self.hyper), "common": self.common.payload(),
        }  # fmt: skip
        payload |= {"labels": self.labels} if self.labels != "gold" else {}
        return f"{self.data.language}-{self.size}-s{self.seed}-{digest(payload)}"


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run: an arm, a language, a size, a seed.

    Attributes:
        seed: of the subset, and of the training where `train_seed` is None.
        train_seed: of the head, batches and dropout, where training seeds are crossed with subset seeds.
        stage: the source stage it starts from (transfer) or whose data joins in (joint); None for other arms.
        target: the target's train part; None for zero-shot.
        target_questions: questions of that part beside the validation part; None for zero-shot.
        hyper: of the training on target questions; None for zero-shot, which takes no step.
    """

    language: str
    arm: Arm
    size: int
    seed: int
    encoder: EncoderRef
    common: Common
    stage: SourceStage | None
    target: DataRef | None
    target_questions: int | None
    hyper: Hyper | None
    subset_by: SubsetBy = "question"
    valid_size: int = 0
    train_seed: int | None = None
    joint_sampling: JointSampling = "proportional"

    @property
    def is_balanced(self) -> bool:
        """Whether it is a joint training that takes half of its windows from source and target each."""
        return self.arm is Arm.JOINT and self.joint_sampling == "balanced"

    @property
    def training_seed(self) -> int:
        """The seed of the head, batches and dropout."""
        return self.seed if self.train_seed is None else self.train_seed

    @property
    def paired_seed(self) -> int:
        """One number for both seeds, by which the runs of two arms are paired: (train seed + 1) * 10,000 + seed if they differ."""
        return self.seed if self.training_seed == self.seed else (self.training_seed + 1) * SEED_STEP + self.seed

    @property
    def is_zero_shot(self) -> bool:
        return self.arm is Arm.TRANSFER and self.size == 0

    @property
    def more_steps(self) -> int:
        """The source stage's share of a joint training's steps."""
        return self.stage.steps if self.stage and self.arm is Arm.JOINT else 0

    @property
    def steps(self) -> int:
        return self.more_steps + (self.hyper.steps(self.size) if self.hyper else 0)

    @property
    def run_id(self) -> str:
        return _run_id(self)

    def _make_id(self) -> str:
        payload: dict[str, Any] = {
            "schema": SCHEMA_VERSION, "kind": self.arm.value, "encoder": self.encoder.sha256, "size": self.size,
            "common": self.common.payload(),
        }  # fmt: skip
        if self.stage:
            payload["source"] = self._source_payload()
        if self.target and self.hyper:
            payload |= {
                "target": self.target.sha256, "hyper": _values(self.hyper), "subset_seed": self.seed,
                "train_seed": self.training_seed, "subset_by": self.subset_by, "valid_size": self.valid_size,
            }  # fmt: skip
        return f"{self.language}-{self.arm}-{self.size}-s{self.paired_seed}-{digest(payload)}"

    def _source_payload(self) -> Any:
        """A transfer run depends on its source stage's weights; a joint run on that stage's data and steps."""
        assert self.stage is not None
        if self.arm is Arm.TRANSFER:
            return self.stage.source_id.rsplit("-", 1)[1]
        payload: dict[str, Any] = {"data": self.stage.data.sha256, "size": self.stage.size, "steps": self.more_steps}
        payload |= {"labels": self.stage.labels} if self.stage.labels != "gold" else {}
        return payload | ({"sampling": "balanced"} if self.is_balanced else {})


@lru_cache(IDS_REMEMBERED)
def _source_id(stage: SourceStage) -> str:
    return stage._make_id()


@lru_cache(IDS_REMEMBERED)
def _run_id(spec: RunSpec) -> str:
    return spec._make_id()


@dataclass(frozen=True, slots=True)
class EvalSpec:
    """One test set that a run's model is scored on.

    Attributes:
        target: its name among the config's evaluation targets: test, test_2, …, valid.
        size: questions of a seeded random part; None for all.
        overlap_with: the target's train part, against which shared paragraphs are counted; None for none.
        source_overlap: test questions that the source data contains (only ever above 0 under --allow-overlap).
        home: the run's language, whose scorer a local file gets unless it is in another one; "" where no other can be.
        by_file: whether the file has gold texts or questions that training can't use, and that scoring does.
    """

    target: str
    data: DataRef
    size: int | None
    max_answer_length: int
    split: Literal["test", "valid"] = "test"
    overlap_with: DataRef | None = None
    source_overlap: int | None = None
    valid_size: int = 0
    home: str = ""
    by_file: bool = False

    def eval_id(self, common: Common) -> str:
        """Readable name and hash of what decides answers and scores beside the weights.

        A scorer counts where it is neither the registered set's nor that of the run's language, which version 0.1 took for
        every file; so do gold texts that version 0.1 left out.
        """
        payload: dict[str, Any] = {
            "schema": SCHEMA_VERSION, "decoding": DECODING_VERSION, "test": self.data.sha256, "size": self.size,
            "split": self.split, "valid_size": self.valid_size, "max_answer_length": self.max_answer_length,
            "max_length": common.max_length, "stride": common.stride, "skip_bad": common.skip_bad,
        }  # fmt: skip
        if common.task != "qa":
            payload |= {"task": common.task, "labels": common.labels}
            payload |= {"map_tags": common.map_tags} if common.map_tags else {}
            del payload["max_answer_length"]
        elif self.home and not self.data.set_name and self.data.scorer != default_scorer(self.home):
            payload["scorer"] = self.data.scorer
        if self.by_file:
            payload["golds"] = "file"
        payload |= {"unanswerable": True} if common.unanswerable else {}
        return f"{slug(self.data.name)}-{digest(payload)}"
