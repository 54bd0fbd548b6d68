"""The config of a run: a type, read and written here alone. `read_config` is the only function that reads one from disk.

As JSON it is a complete DeepPavlov config, which `python -m deeppavlov train` runs. DeepPavlov imports what a config names
and evaluates some of its values, and a sweep's folder may come from anybody. So a config is taken only if every key is
known, every component is the one that xlqa writes, and every path is below the sweep's folder. All paths hang on the
variable ROOT, which DP_ROOT overrides for the stock command; data files and weights are named with their SHA-256.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from xlqa.errors import XlqaError
from xlqa.records import SCHEMA_VERSION, TASK_SCORERS, SourceLabels, SubsetBy, TagMap
from xlqa.runs.paths import RunFolder
from xlqa.runs.specs import Hyper
from xlqa.runs.store.components import TASK_COMPONENTS, TaskComponents
from xlqa.runs.store.fields import RUN_ID, Fields
from xlqa.runs.store.links import refuse_links
from xlqa.training.model_folder import is_adapter
from xlqa.util.files import load_json, sign, write_json
from xlqa.util.text import CONFIG_NAME, plain

Kind = Literal["run", "source"]

TARGET = re.compile(r"test(_[1-9][0-9]{0,5})?|valid")
LANGUAGE = re.compile(r"[A-Za-z0-9-]{0,20}")
ROOT_VALUE = re.compile(r"(?!#)[^{}\x00]{1,4096}")
DEVICE = re.compile(r"auto|cpu|mps|cuda(:[0-9]{1,3})?")
DATA_PATH = re.compile(r"\{ROOT\}/(data/[A-Za-z0-9_-][A-Za-z0-9._-]{0,200})")
ENCODER_PATH = re.compile(r"\{ROOT\}/(encoders/[A-Za-z0-9_-][A-Za-z0-9._-]{0,200})")
SOURCE_PATH = re.compile(rf"\{{ROOT\}}/source/({RUN_ID.pattern})/model")

PLANNED_COLUMNS = (
    "lang", "arm", "size", "seed", "model", "steps", "test", "split", "scorer", "max_length", "stride", "max_answer_length",
    "precision", "run_id", "eval_id",
)  # fmt: skip
"""Columns of results.csv that the plan of every evaluation fills in."""

PRECISIONS = ("fp32", "bf16", "fp16")
MOST_PIECES = 10**6
MOST_EPOCHS = 10_000.0


@dataclass(frozen=True, slots=True)
class DataEntry:
    """A data file of a sweep: `path` is relative to the sweep's folder. Only source data may have shuffled labels.

    `unanswerable`: whether its questions without an answer are trained on and scored.
    """

    name: str
    path: str
    sha256: str
    language: str
    scorer: str
    skip_bad: bool = False
    labels: SourceLabels = "gold"
    map_tags: TagMap = ()
    unanswerable: bool = False

    def to_json(self) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "name": self.name, "path": "{ROOT}/" + self.path, "sha256": self.sha256, "language": self.language,
            "scorer": self.scorer,
        }  # fmt: skip
        entry |= {"skip_bad": True} if self.skip_bad else {}
        entry |= {"map_tags": dict(self.map_tags)} if self.map_tags else {}
        entry |= {"unanswerable": True} if self.unanswerable else {}
        return entry | ({"labels": self.labels} if self.labels != "gold" else {})

    def file(self, root: Path) -> Path:
        """The file below a sweep's folder."""
        return root / self.path


@dataclass(frozen=True, slots=True)
class TestEntry:
    """A test set under its target name (test, test_2, …); `size` is that of a random part, None for all."""

    target: str
    data: DataEntry
    size: int | None

    def to_json(self) -> dict[str, Any]:
        return self.data.to_json() | {"target": self.target, "size": self.size}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A planned evaluation: its id, the train part that shared paragraphs are counted against, and its row's settings."""

    eval_id: str
    overlap_with: DataEntry | None
    row: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The hash in its id, which identifies it whatever its test set is called."""
        return self.eval_id.rsplit("-", 1)[1]

    def to_json(self) -> dict[str, Any]:
        overlap = self.overlap_with.to_json() if self.overlap_with else None
        return {"eval_id": self.eval_id, "overlap_with": overlap, "row": dict(self.row)}


@dataclass(frozen=True)
class RunConfig:
    """The config of a run or of a source stage.

    Attributes:
        id: of the run or source stage, and its folder's name.
        root: the sweep's folder as the JSON names it.
        language, model: of a source stage; a run has them in its evaluations' rows.
        train: the target's train part (a source stage: its data); None for zero-shot.
        source: the source data of a joint training.
        train_size: questions of `train`; source_size: of `source`.
        encoder: path below the sweep's folder; encoder_sha256: over configuration, weights and tokenizer.
        source_id: the source stage that it starts from; source_sha256: of that stage's weights, None until it is trained.
        balanced: whether joint training takes half of its windows from source and target each.
        hyper: None for zero-shot; more_steps: the source's share in joint training.
        evaluations: by target name.
        labels: of the head's outputs, in their order; () for question answering.
        sealed: whether the JSON carried the checksum of its content.
    """

    kind: Kind
    id: str
    root: str
    train: DataEntry | None
    train_size: int
    encoder: str
    encoder_sha256: str
    max_length: int
    stride: int
    max_answer_length: int
    precision: str
    seed: int
    hyper: Hyper | None
    language: str = ""
    model: str = ""
    source: DataEntry | None = None
    source_size: int | None = None
    balanced: bool = False
    source_id: str | None = None
    source_sha256: str | None = None
    tests: tuple[TestEntry, ...] = ()
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict)
    subset_seed: int = 0
    subset_by: SubsetBy = "question"
    valid_size: int = 0
    more_steps: int = 0
    gradient_checkpointing: bool = False
    device: str = "auto"
    task: str = "qa"
    labels: tuple[str, ...] = ()
    sealed: bool = field(default=True, compare=False)

    @property
    def is_source(self) -> bool:
        return self.kind == "source"

    @property
    def is_zero_shot(self) -> bool:
        """Whether it scores its source stage's weights as they are."""
        return self.source_id is not None and self.train_size == 0

    @property
    def source_weights(self) -> str | None:
        """The model folder that it starts from, below the sweep's folder; None where it starts from the encoder."""
        return f"source/{self.source_id}/model" if self.source_id else None

    @property
    def weights(self) -> str:
        """The folder of its weights, below the sweep's folder: a zero-shot run's are its source stage's."""
        if self.is_zero_shot and self.source_weights:
            return self.source_weights
        return f"{'source' if self.is_source else 'runs'}/{self.id}/model"

    def model_options(self, root: Path) -> dict[str, Any]:
        """What the model component takes to load this run's weights, beside device and mode.

        A whole model's folder is enough; an adapter needs the weights that it belongs to.

        Args:
            root: the sweep's folder.
        """
        weights = root / self.weights
        options = {
            "encoder": str(weights), "save_path": str(weights), "task": self.task, "labels": self.labels,
            "precision": self.precision, "max_answer_length": self.max_answer_length,
        }  # fmt: skip
        if not is_adapter(weights):
            return options
        source = str(root / self.source_weights) if self.source_weights else None
        return options | {"encoder": str(root / self.encoder), "encoder_sha256": self.encoder_sha256, "source": source}

    @property
    def first_row(self) -> Mapping[str, Any]:
        """The settings of its first evaluation's row; empty for a source stage."""
        return next((evaluation.row for evaluation in self.evaluations.values()), {})

    @property
    def skip_bad(self) -> bool:
        """Whether questions that cannot be used are left out of its data."""
        return any(entry.skip_bad for entry in self.data_entries())

    @property
    def map_tags(self) -> TagMap:
        """Tags of its data that are read as others."""
        return next((entry.map_tags for entry in self.data_entries()), ())

    @property
    def unanswerable(self) -> bool:
        """Whether questions without an answer are trained on and scored."""
        return any(entry.unanswerable for entry in self.data_entries())

    @property
    def digests(self) -> frozenset[str]:
        """The hashes of its evaluations' ids."""
        return frozenset(evaluation.digest for evaluation in self.evaluations.values())

    def find_test(self, target: str) -> TestEntry | None:
        """The test set of a target; None for `valid`, which is cut from the train part."""
        return next((test for test in self.tests if test.target == target), None)

    def data_entries(self) -> list[DataEntry]:
        """Every data file that it names."""
        overlaps = [evaluation.overlap_with for evaluation in self.evaluations.values()]
        entries = [self.train, self.source, *(test.data for test in self.tests), *overlaps]
        return [entry for entry in entries if entry]

    def add_evaluation(self, evaluation: Evaluation, test: TestEntry) -> RunConfig:
        """With one more test set, under the next free target name."""
        numbered = (f"test_{number}" for number in range(2, len(self.evaluations) + 3))
        target = next(name for name in numbered if name not in self.evaluations)
        return replace(
            self,
            tests=(*self.tests, replace(test, target=target)),
            evaluations={**self.evaluations, target: evaluation},
        )

    @cached_property
    def _components(self) -> TaskComponents:
        return TASK_COMPONENTS[self.task]

    def to_json(self) -> dict[str, Any]:
        """The DeepPavlov config, with the checksum of its content in its metadata."""
        return seal(
            {
                "metadata": self._metadata(),
                "dataset_reader": self._reader(),
                "dataset_iterator": self._iterator(),
                "chainer": chainer_section(
                    self._components, "{ROOT}/" + self.encoder, self.encoder_sha256, max_length=self.max_length,
                    stride=self.stride, max_answer_length=self.max_answer_length, precision=self.precision,
                    save_path="{ROOT}/" + self.weights,
                    source="{ROOT}/" + self.source_weights if self.source_weights else None,
                    source_sha256=self.source_sha256, head_seed=self.seed, labels=self.labels, unanswerable=self.unanswerable,
                ),
                "train": self._train(),
            }
        )  # fmt: skip

    def _metadata(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"schema": SCHEMA_VERSION} | ({"task": self.task} if self.task != "qa" else {})
        if self.is_source:
            facts |= {"source_id": self.id, "lang": self.language, "model": self.model}
        else:
            evaluations = {target: evaluation.to_json() for target, evaluation in self.evaluations.items()}
            facts |= {"run_id": self.id, "evaluations": evaluations}
        return {"variables": {"ROOT": self.root, "DEVICE": self.device}, "xlqa": facts}

    def _reader(self) -> dict[str, Any]:
        train = self.train.to_json() if self.train else None
        head = {"class_name": self._components.reader, **self._components.task_entry()}
        if self.is_source:
            return {**head, "train": train}
        source = self.source.to_json() if self.source else None
        tests = [test.to_json() for test in self.tests]
        return {**head, "train": train, "source": source, "tests": tests}

    def _iterator(self) -> dict[str, Any]:
        section = {
            "class_name": self._components.iterator, "train_size": self.train_size, "subset_seed": self.subset_seed,
        }  # fmt: skip
        if self.is_source:
            return section
        section |= {"subset_by": self.subset_by, "valid_size": self.valid_size, "source_size": self.source_size}
        return section | ({"balanced": True} if self.balanced else {})

    def _train(self) -> dict[str, Any]:
        section = train_section(self._components, self.hyper, self.seed, self.more_steps, list(self.evaluations))
        return section | ({"gradient_checkpointing": True} if self.gradient_checkpointing else {})

    def refuse_links(self, folder: RunFolder) -> None:
        """Refuse a run whose files, data or weights are outside the sweep's folder because of a symbolic link.

        An encoder may be elsewhere: it is linked, only read, and compared with its SHA-256.

        Raises:
            XlqaError: names the link.
        """
        used = [folder, *([RunFolder(folder.root / "source" / self.source_id)] if self.source_id else [])]
        refuse_links(folder.root, used, [folder.root / entry.path for entry in self.data_entries()])


def chainer_section(
    components: TaskComponents, encoder: str, encoder_sha256: str | None, *, max_length: int, stride: int,
    max_answer_length: int, precision: str, save_path: str, source: str | None, source_sha256: str | None, head_seed: int,
    labels: Sequence[str] = (), unanswerable: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The `chainer` of a config: texts to windows to predictions; called with the task's inputs alone."""
    decoding: dict[str, Any] = {"max_answer_length": max_answer_length}
    if components.task != "qa":
        decoding = {"labels": list(labels)}
    elif unanswerable:
        decoding["unanswerable"] = True
    return {
        "in": [*components.inputs],
        "in_y": [*components.golds],
        "pipe": [
            {
                "class_name": components.preprocessor,
                **components.task_entry(),
                "in": [*components.inputs],
                "out": [*components.features],
                "tokenizer": encoder,
                "max_length": max_length,
                "stride": stride,
            },
            {
                "class_name": components.model,
                **components.task_entry(),
                "in": [*components.model_inputs],
                "out": [*components.outputs],
                "encoder": encoder,
                "encoder_sha256": encoder_sha256,
                "source": source,
                "source_sha256": source_sha256,
                "save_path": save_path,
                "head_seed": head_seed,
                **decoding,
                "precision": precision,
                "device": "{DEVICE}",
            },
        ],
        "out": [*components.outputs],
    }


def train_section(
    components: TaskComponents, hyper: Hyper | None, seed: int, more_steps: int, targets: Sequence[str]
) -> dict[str, Any]:
    """The `train` section of a config; without settings (zero-shot) no step is taken."""
    settings: dict[str, Any] = {"class_name": components.trainer}
    if hyper is not None:
        settings |= {
            "epochs": hyper.epochs, "min_steps": hyper.min_steps, "batch_size": hyper.batch_size, "lr": hyper.lr,
            "warmup": hyper.warmup,
        }  # fmt: skip
        settings |= {"freeze": hyper.freeze} if hyper.freeze is not None else {}
        settings |= {"reinit_top": hyper.reinit_top} if hyper.reinit_top else {}
        settings |= {"lora": hyper.lora} if hyper.lora else {}
    return settings | {
        "more_steps": more_steps, "seed": seed, "metrics": components.metric_entries(), "evaluation_targets": list(targets),
    }  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- reading


def parse_config(value: Any, where: str) -> RunConfig:
    """A config from its JSON value.

    Args:
        where: its file and a colon, for messages.

    Raises:
        XlqaError: a key that is not known or missing, a component that is not xlqa's, or a value of another type or range.
    """
    config = Fields(value, where)
    metadata = config.object("metadata")
    facts = _refuse_preset(metadata.object("xlqa"), where)
    kind: Kind = "source" if facts.has("source_id") else "run"
    task = facts.choice("task", tuple(TASK_COMPONENTS)) if facts.has("task") else "qa"
    known = TASK_COMPONENTS[task]
    known_fields = _take_metadata(metadata, facts, kind) | _take_reader(config.object("dataset_reader"), kind, known)
    known_fields |= _take_iterator(config.object("dataset_iterator"), kind, known)
    chainer, train = config.object("chainer"), config.object("train")
    known_fields |= _take_chainer(chainer, known)
    save_path, head_seed = known_fields.pop("save_path"), known_fields.pop("head_seed")
    unanswerable = known_fields.pop("leaves_unanswered", False)
    known_fields |= _take_train(train, known, [*known_fields["evaluations"]])
    config.done()
    if head_seed != known_fields["seed"]:
        raise XlqaError(f"{train.place('seed')} is not head_seed, {head_seed}.")
    found = RunConfig(kind=kind, task=task, sealed=is_sealed(value), **known_fields)
    if {entry.unanswerable for entry in found.data_entries()} != {unanswerable}:
        raise XlqaError(f"{chainer.where}.pipe[1].unanswerable is not what all its data files state.")
    _check_together(found, save_path, chainer.where)
    return found


def _refuse_preset(facts: Fields, where: str) -> Fields:
    if facts.has("system"):
        raise XlqaError(f"{where} not a config of a run: `python -m deeppavlov train` runs it.")
    return facts


def _take_metadata(metadata: Fields, facts: Fields, kind: Kind) -> dict[str, Any]:
    variables = metadata.object("variables")
    found: dict[str, Any] = {
        "root": variables.text("ROOT", ROOT_VALUE, "a folder without braces"),
        "device": variables.text("DEVICE", DEVICE, "a device"),
    }
    facts.fixed("schema", SCHEMA_VERSION)
    if facts.has("checksum"):
        facts.sha256("checksum")
    if kind == "source":
        found |= {"id": facts.id("source_id"), "language": facts.text("lang", LANGUAGE, "a language"),
                  "model": facts.text("model"), "evaluations": {}}  # fmt: skip
    else:
        found["id"] = facts.id("run_id")
        found["evaluations"] = _take_evaluations(facts.object("evaluations"), found["id"])
    for fields in (variables, facts, metadata):
        fields.done()
    return found


def _take_evaluations(fields: Fields, run_id: str) -> dict[str, Evaluation]:
    found = {}
    for target in list(fields.left):
        if not TARGET.fullmatch(target):
            raise XlqaError(f"{fields.where} has the unknown key {plain(target, 60)!r}.")
        entry = fields.object(target)
        eval_id, overlap = entry.id("eval_id"), entry.maybe_object("overlap_with")
        row = entry.row("row")
        entry.done()
        if absent := [name for name in PLANNED_COLUMNS if name in row and row[name] is None]:
            raise XlqaError(f"{entry.where}.row.{absent[0]} is null.")
        check_scorer(row["scorer"], f"{entry.where}.row")
        for name, id in (("run_id", run_id), ("eval_id", eval_id)):
            if row[name] != id:
                raise XlqaError(f"{entry.where}.row.{name} is not {id}, the id of its run and evaluation.")
        found[target] = Evaluation(eval_id, take_data(overlap) if overlap else None, row)
    if not found:
        raise XlqaError(f"{fields.where} is empty: a run has a test set at least.")
    return found


def take_data(fields: Fields, *, done: bool = True) -> DataEntry:
    """A data entry from its JSON object; `done=False` leaves further keys to the caller."""
    path = fields.text("path", DATA_PATH, "{ROOT}/data/ and a file's name").removeprefix("{ROOT}/")
    scorer = fields.text("scorer")
    check_scorer(scorer, fields.where)
    entry = DataEntry(
        fields.text("name"), path, fields.sha256("sha256"), fields.text("language", LANGUAGE, "a language"), scorer,
        fields.has("skip_bad") and fields.truth("skip_bad"), map_tags=_take_map(fields) if fields.has("map_tags") else (),
        unanswerable=fields.has("unanswerable") and fields.truth("unanswerable"),
    )  # fmt: skip
    if done:
        fields.done()
    return entry


def _take_map(fields: Fields) -> TagMap:
    """The tags that are read as others."""
    pairs = fields.object("map_tags")
    found = tuple(sorted((tag, pairs.text(tag)) for tag in list(pairs.left)))
    if bad := [tag for tag, _ in found if not CONFIG_NAME.fullmatch(tag)]:
        raise XlqaError(f"{pairs.where} has {plain(repr(bad[0]), 60)}, expected names without braces or leading #.")
    return found


def _take_source(fields: Fields) -> DataEntry:
    """A source data entry from its JSON object."""
    data = take_data(fields, done=False)
    labels: Any = fields.choice("labels", ("gold", "shuffled")) if fields.has("labels") else "gold"
    fields.done()
    return replace(data, labels=labels)


def check_scorer(name: Any, where: str) -> None:
    """Refuse a scorer that xlqa does not have.

    Raises:
        XlqaError: names the field.
    """
    if name in TASK_SCORERS.values():
        return
    from xlqa.tasks.qa.scorers import get_scorer

    try:
        get_scorer(str(name))
    except XlqaError as error:
        raise XlqaError(f"{where}.scorer: {plain(str(error), 200)}") from None


def take_test(fields: Fields) -> TestEntry:
    """A test entry from its JSON object."""
    data = take_data(fields, done=False)
    test = TestEntry(fields.text("target", TARGET, "test, test_2, …"), data, fields.maybe_whole("size", 1))
    fields.done()
    return test


def _take_reader(reader: Fields, kind: Kind, known: TaskComponents) -> dict[str, Any]:
    reader.fixed("class_name", known.reader)
    _take_task(reader, known)
    train = reader.maybe_object("train")
    take_train = _take_source if kind == "source" else take_data
    found: dict[str, Any] = {"train": take_train(train) if train else None}
    if kind == "run":
        source = reader.maybe_object("source")
        found["source"] = _take_source(source) if source else None
        found["tests"] = tuple(take_test(entry) for entry in reader.objects("tests"))
    reader.done()
    return found


def _take_iterator(iterator: Fields, kind: Kind, known: TaskComponents) -> dict[str, Any]:
    iterator.fixed("class_name", known.iterator)
    found: dict[str, Any] = {"train_size": iterator.whole("train_size"), "subset_seed": iterator.whole("subset_seed")}
    if kind == "run":
        found |= {
            "subset_by": iterator.choice("subset_by", get_args(SubsetBy)),
            "valid_size": iterator.whole("valid_size"), "source_size": iterator.maybe_whole("source_size"),
            "balanced": iterator.has("balanced") and iterator.truth("balanced"),
        }  # fmt: skip
    iterator.done()
    return found


def _take_chainer(chainer: Fields, known: TaskComponents) -> dict[str, Any]:
    chainer.fixed("in", [*known.inputs])
    chainer.fixed("in_y", [*known.golds])
    chainer.fixed("out", [*known.outputs])
    pipe = chainer.objects("pipe")
    chainer.done()
    if len(pipe) != 2:
        raise XlqaError(f"{chainer.where}.pipe has {len(pipe):,} components, expected 2.")
    windows, model = pipe
    windows.fixed("class_name", known.preprocessor)
    _take_task(windows, known)
    windows.fixed("in", [*known.inputs])
    windows.fixed("out", [*known.features])
    encoder = windows.text("tokenizer", ENCODER_PATH, "{ROOT}/encoders/ and a folder's name")
    found = {
        "max_length": windows.whole("max_length", 32, MOST_PIECES),
        "stride": windows.whole("stride", 0, MOST_PIECES),
    }
    windows.done()
    model.fixed("encoder", encoder)
    return found | {"encoder": encoder.removeprefix("{ROOT}/")} | _take_model(model, known)


def _take_model(model: Fields, known: TaskComponents) -> dict[str, Any]:
    model.fixed("class_name", known.model)
    _take_task(model, known)
    model.fixed("in", [*known.model_inputs])
    model.fixed("out", [*known.outputs])
    model.fixed("device", "{DEVICE}")
    source = model.maybe_text("source", SOURCE_PATH, "{ROOT}/source/, an id, and /model")
    found = {
        "encoder_sha256": model.sha256("encoder_sha256"), "source_sha256": model.maybe_sha256("source_sha256"),
        "source_id": source.split("/")[2] if source else None, "head_seed": model.whole("head_seed"),
        "precision": model.choice("precision", PRECISIONS), "save_path": model.take("save_path"),
    }  # fmt: skip
    if known.task == "qa":
        found["max_answer_length"] = model.whole("max_answer_length", 1, MOST_PIECES)
        found["leaves_unanswered"] = model.has("unanswerable") and model.truth("unanswerable")
    else:
        found |= {"max_answer_length": 30, "labels": _take_labels(model)}
    model.done()
    return found


def _take_task(fields: Fields, known: TaskComponents) -> None:
    for name, value in known.task_entry().items():
        fields.fixed(name, value)


def _take_labels(model: Fields) -> tuple[str, ...]:
    labels = model.items("labels")
    if not labels or len(set(map(str, labels))) != len(labels):
        raise XlqaError(f"{model.place('labels')} is empty or names a label twice.")
    for label in labels:
        if not isinstance(label, str) or not CONFIG_NAME.fullmatch(label):
            raise XlqaError(
                f"{model.place('labels')} has {plain(repr(label), 60)}, expected names without braces or leading #."
            )
    return tuple(labels)


def _take_train(train: Fields, known: TaskComponents, targets: list[str]) -> dict[str, Any]:
    train.fixed("class_name", known.trainer)
    train.fixed("metrics", known.metric_entries())
    train.fixed("evaluation_targets", targets)
    hyper = None
    if train.has("lr"):
        hyper = Hyper(
            lr=train.number("lr", 1e-9, 1.0), epochs=train.number("epochs", 0.0, MOST_EPOCHS),
            batch_size=train.whole("batch_size", 1), warmup=train.number("warmup", 0.0, 1.0),
            min_steps=train.whole("min_steps", 1),
            freeze=train.whole("freeze") if train.has("freeze") else None,
            reinit_top=train.whole("reinit_top") if train.has("reinit_top") else 0,
            lora=train.whole("lora", 1) if train.has("lora") else 0,
        )  # fmt: skip
    found = {
        "hyper": hyper, "more_steps": train.whole("more_steps"), "seed": train.whole("seed"),
        "gradient_checkpointing": train.has("gradient_checkpointing") and train.truth("gradient_checkpointing"),
    }  # fmt: skip
    train.done()
    return found


def _check_together(config: RunConfig, save_path: Any, chainer: str) -> None:
    """Refuse parts that do not go together."""
    if save_path != "{ROOT}/" + config.weights:
        raise XlqaError(
            f"{chainer}.pipe[1].save_path is not {{ROOT}}/{config.weights}, where this run's weights belong."
        )
    targets = [test.target for test in config.tests]
    given = {*targets, "valid"} if config.train else set(targets)
    if len(targets) != len(set(targets)) or set(config.evaluations) - given or set(targets) - set(config.evaluations):
        raise XlqaError(f"{chainer.removesuffix('chainer')}its test sets and its evaluations are not the same.")


def read_config(folder: RunFolder) -> RunConfig:
    """The config of a run's folder: the one door for `run`, `evaluate`, `status` and all others.

    Raises:
        XlqaError: it is missing, broken, not xlqa's, or another run's.
    """
    if not folder.config.exists():
        raise XlqaError(f"{folder.config} is missing: prepare it with `xlqa sweep … --dry-run`.")
    try:
        config = parse_config(load_json(folder.config), f"{folder.config}:")
    except XlqaError as error:
        raise XlqaError(
            f"{error} xlqa reads only configs that it wrote: prepare it with `xlqa sweep … --dry-run`."
        ) from None
    if config.id != folder.id or config.is_source != folder.is_source:
        raise XlqaError(f"{folder.config} is the config of {config.weights.removesuffix('/model')}: name that folder.")
    return config


def find_config(folder: RunFolder) -> RunConfig | None:
    """As `read_config`; None where there is none that could be read."""
    try:
        return read_config(folder)
    except XlqaError:
        return None


def is_run_config(path: Path) -> bool:
    """Whether a config.json is a DeepPavlov config rather than a model's."""
    try:
        value = load_json(path)
    except XlqaError:
        return False
    return isinstance(value, dict) and "chainer" in value


def write_config(folder: RunFolder, config: RunConfig, *, durable: bool = True) -> None:
    """Write a run's config, unless its folder holds links to somewhere else: it is the first thing that a start writes there.

    Args:
        durable: see `xlqa.util.files.replacement`.
    """
    refuse_links(folder.root, [folder])
    write_json(folder.config, config.to_json(), durable=durable)


def seal(config: dict[str, Any]) -> dict[str, Any]:
    """A config with the checksum of its content in its metadata. It tells damage and edits, not who wrote it."""
    facts = {name: value for name, value in config["metadata"]["xlqa"].items() if name != "checksum"}
    bare = config | {"metadata": config["metadata"] | {"xlqa": facts}}
    return bare | {"metadata": bare["metadata"] | {"xlqa": facts | {"checksum": sign(bare)["checksum"]}}}


def is_sealed(config: Any) -> bool:
    """Whether a config carries the checksum of its content."""
    try:
        return bool(config == seal(config))
    except (KeyError, TypeError, AttributeError):
        return False
