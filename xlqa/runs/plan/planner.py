"""From a request to a plan: data found and read, encoders found, every source stage, run and evaluation spelled out.

xlqa sweep --lang ru --dry-run
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from xlqa.components.environment import refuse_overrides
from xlqa.data.cache import NotFetched, describe_unfetched
from xlqa.errors import XlqaError
from xlqa.records import TASK_SCORERS, Arm, DataRef
from xlqa.runs.paths import Layout
from xlqa.runs.plan.encoders import resolve_encoder
from xlqa.runs.plan.request import Complaints, SweepRequest
from xlqa.runs.specs import Common, EncoderRef, EvalSpec, RunSpec, SourceStage
from xlqa.settings import FULL, flag
from xlqa.tasks.base import Task, get_task
from xlqa.tasks.qa.scorers import with_unanswerable
from xlqa.tasks.renaming import ColumnNames
from xlqa.util.files import read_json
from xlqa.util.text import CONFIG_NAME, plain


@dataclass(frozen=True)
class LoadedSet:
    """A data set that was read.

    Attributes:
        questions: its examples, whatever the task: of a train part those for training, of a test set those that are scored.
        repairs: how often reading had to repair something, by kind.
        refused: examples left out by --skip-bad.
        unanswerable: questions of the file without an answer; they are among `questions` only with --unanswerable.
        untrainable, by_file: as in `Dataset`.
    """

    ref: DataRef
    questions: tuple[Any, ...]
    repairs: Mapping[str, int]
    refused: int
    task: str = "qa"
    unanswerable: int = 0
    untrainable: int = 0
    by_file: bool = False

    @cached_property
    def mean_characters(self) -> float:
        """Mean length of an example's texts: of a question with its paragraph."""
        task = get_task(self.task)
        lengths = (sum(map(len, map(as_text, task.input_of(example)))) for example in self.questions)
        return sum(lengths) / max(1, len(self.questions))


def as_text(given: str | Sequence[str]) -> str:
    """An input of a task as a text: a list of words with blanks between them."""
    return given if isinstance(given, str) else " ".join(given)


@dataclass(frozen=True, slots=True)
class LanguageData:
    """What a language's runs train and are scored on; `common` has the labels of its source and train part.

    Attributes:
        train: None where zero-shot is all that is asked for, and no train part was named.
    """

    train: LoadedSet | None
    train_questions: int
    tests: tuple[EvalSpec, ...]
    common: Common


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a sweep will do.

    Attributes:
        runs: each with its evaluations, in the order of the table.
        stages: the source stages that transfer runs start from.
        kept: ids of the runs whose weights stay.
        sets: every data set by its SHA-256.
        notes: what was changed in the request, a line each.
    """

    request: SweepRequest
    stages: tuple[SourceStage, ...]
    runs: tuple[tuple[RunSpec, tuple[EvalSpec, ...]], ...]
    kept: frozenset[str]
    sets: Mapping[str, LoadedSet]
    notes: tuple[str, ...] = ()

    @property
    def layout(self) -> Layout:
        return Layout(self.request.out)

    def ids(self) -> list[str]:
        """Ids of the source stages and runs."""
        return [*(stage.source_id for stage in self.stages), *(spec.run_id for spec, _ in self.runs)]

    def data_refs(self) -> list[DataRef]:
        """Every data file under every name that a config calls it by: two names may hold the same bytes."""
        refs = [stage.data for stage in self.stages]
        for spec, evals in self.runs:
            refs += [ref for ref in (spec.stage and spec.stage.data, spec.target) if ref]
            refs += [ref for e in evals for ref in (e.data, e.overlap_with) if ref]
        return list({(ref.name, ref.sha256): ref for ref in refs}.values())

    def unanswerable(self) -> dict[str, tuple[int, int]]:
        """Of each data set that has any: questions without an answer, and all questions."""
        left_out = not self.request.unanswerable
        return {
            loaded.ref.name: (loaded.unanswerable, loaded.unanswerable * left_out + len(loaded.questions))
            for loaded in self.sets.values()
            if loaded.unanswerable
        }

    def encoders(self) -> list[EncoderRef]:
        """The distinct encoders of all runs and stages."""
        refs = [run.encoder for run, _ in self.runs] + [stage.encoder for stage in self.stages]
        return list({(ref.name, ref.sha256): ref for ref in refs}.values())


def make_plan(request: SweepRequest) -> Plan:
    """Find and read what a request names, check it all, and spell out the runs.

    Raises:
        ManyErrors: everything that is wrong, at once.
    """
    complaints = Complaints()
    with complaints.gather():
        refuse_overrides()
    finder = _Finder(request, complaints)
    precision = finder.precision()
    encoder = finder.encoder(request.model)
    source = finder.source() if _needs_source(request) else None
    languages = {language: finder.language(language, source) for language in request.languages}
    target_encoders = {k: finder.encoder(v, "--target-model") for k, v in request.target_model.items()}
    source_size = finder.size_within(source, request.source_size)
    if request.source_labels == "shuffled":
        with complaints.gather():
            finder.task.shuffle_labels(())
    complaints.found += _encoder_complaints(request, encoder if source else None, (encoder, *target_encoders.values()))
    complaints.found += [*finder.describe_unfetched(), *finder.describe_unmapped()]
    finder.check_columns()
    complaints.stop_if_any()
    if encoder is None or precision is None:
        raise XlqaError("nothing to run.")
    # Languages whose labels are the same share their source stages; of question answering, all do.
    stages: dict[Common, list[SourceStage]] = {}
    runs: list[tuple[RunSpec, tuple[EvalSpec, ...]]] = []
    for language, data in languages.items():
        if data is None:
            continue
        common = replace(data.common, precision=precision)
        if common not in stages:
            stages[common] = _stages(request, encoder, source, source_size, common)
        target_encoder = target_encoders.get(language)
        specs = _language_runs(request, language, data, encoder, target_encoder, stages[common], common)
        runs += [(spec, tuple(e for e in data.tests if spec.target or e.split == "test")) for spec in specs]
    if not runs:
        raise XlqaError(
            "nothing to run: --sizes 0 is zero-shot, which only the transfer arm has. Add an arm or a size."
        )
    started = {spec.stage.source_id for spec, _ in runs if spec.stage and spec.arm is Arm.TRANSFER}
    used = tuple(stage for some in stages.values() for stage in some if stage.source_id in started)
    kept = kept_runs(request, [spec for spec, _ in runs])
    return Plan(request, used, tuple(runs), kept, finder.sets, tuple(finder.notes))


def _encoder_complaints(
    request: SweepRequest, of_source: EncoderRef | None, of_targets: Iterable[EncoderRef | None]
) -> list[str]:
    """What the encoders of the source stage and of the runs cannot do: a line each."""
    encoders = dict.fromkeys(encoder for encoder in of_targets if encoder)
    found = [line for encoder in encoders for line in _layer_complaints(request, encoder)]
    ranks = [(encoder, request.lora) for encoder in encoders]
    ranks += [(of_source, request.source_lora)] if of_source else []
    return found + _lora_complaints(request, dict.fromkeys(pair for pair in ranks if pair[1]))


def _layer_complaints(request: SweepRequest, encoder: EncoderRef) -> list[str]:
    """A line for each setting that asks for more layers than an encoder has, by its config.json."""
    known = read_json(encoder.folder / "config.json")
    layers = known.get("num_hidden_layers") if isinstance(known, dict) else None
    asked = {name: getattr(request, name) or 0 for name in ("freeze", "source_freeze", "reinit_top")}
    return [
        f"{flag(name)} {count}: {encoder.name} has {layers} layers."
        for name, count in asked.items()
        if isinstance(layers, int) and count > layers
    ]


def _lora_complaints(request: SweepRequest, ranks: Collection[tuple[EncoderRef, int]]) -> list[str]:
    """A line where peft is missing, and one for each encoder whose layers cannot be adapted with its rank."""
    from xlqa.training.lora import require_peft, share_trained

    complaints = Complaints()
    if ranks:
        with complaints.gather():
            require_peft()
    for encoder, rank in ranks if not complaints.found else ():
        with complaints.gather():
            share_trained(encoder.folder, request.task, ("a", "b"), rank)
    return complaints.found


def _file_name(ref: DataRef) -> str:
    """What messages call a data set: a user's file by its name with its ending."""
    return ref.path.name if not ref.set_name and ref.path.name.startswith(ref.name) else ref.name


def _needs_source(request: SweepRequest) -> bool:
    return any(arm.uses_source for arm in request.arms)


class _Finder:
    """Finds data, encoders and devices, and gathers what is wrong with them."""

    def __init__(self, request: SweepRequest, complaints: Complaints) -> None:
        self.request, self.complaints = request, complaints
        self.task: Task[Any] = get_task(request.task)
        self.sets: dict[str, LoadedSet] = {}
        self.notes: list[str] = []
        self.unfetched: list[NotFetched] = []
        self.tags: set[str] = set()
        self.columns = ColumnNames(request.task, request.columns)
        self.loaded: dict[tuple[str, str, str], LoadedSet | None] = {}

    def precision(self) -> str | None:
        from xlqa.training.devices import resolve_device, resolve_precision

        with self.complaints.gather():
            return resolve_precision(self.request.precision, resolve_device(self.request.device))
        return None

    def encoder(self, name: str, named_by: str = "--model") -> EncoderRef | None:
        with self.complaints.gather():
            try:
                return resolve_encoder(name, self.task, self.request.max_length)
            except XlqaError as error:
                raise XlqaError(str(error).replace("--model", named_by, 1)) from error
        return None

    def load(self, name: str, language: str, named_by: str) -> LoadedSet | None:
        """A data set by name or file, read once; `language` is that of a file that does not show its own."""
        key = (name, language, named_by)
        if key not in self.loaded:
            self.loaded[key] = None
            with self.complaints.gather():
                try:
                    self.loaded[key] = self._read(name, language, named_by)
                except NotFetched as error:
                    self.unfetched.append(error)
        return self.loaded[key]

    def _read(self, name: str, language: str, named_by: str) -> LoadedSet:
        from xlqa.tasks.sources import resolve, settle_language

        ref = resolve(name, data_dir=self.request.data_dir, columns=self.columns)
        if any(sign in ref.name for sign in "{}") or ref.name.startswith("#"):
            raise XlqaError(
                f"{named_by} {name}: DeepPavlov's configs cannot hold this file's name: rename it without braces and #."
            )
        options: dict[str, Any] = {
            "skip_bad": self.request.skip_bad, "language": ref.language or language, "unanswerable": self.request.unanswerable,
        }  # fmt: skip
        dataset = self.task.load(ref.path, to_score=named_by == "--target-test", **options)
        if self.request.map_tags:
            self.tags |= self.task.tag_names(dataset.examples)
            dataset = replace(dataset, examples=self.task.map_tags(dataset.examples, self.request.map_tags))
        if not dataset.examples:
            raise XlqaError(f"{named_by} {name}: {ref.path} has no question with an answer.")
        if self.task.name == "qa":
            ref = settle_language(ref, dataset.examples, language)
        ref = replace(ref, language=ref.language or language, scorer=TASK_SCORERS.get(self.task.name, ref.scorer))
        ref = replace(ref, scorer=with_unanswerable(ref.scorer)) if self.request.unanswerable else ref
        loaded = LoadedSet(
            ref, dataset.examples, dataset.repairs, dataset.refused, self.task.name, dataset.unanswerable,
            dataset.untrainable, dataset.by_file,
        )  # fmt: skip
        self.sets[ref.sha256] = loaded
        return loaded

    def describe_unfetched(self) -> list[str]:
        """A line for each reason why registered sets cannot be downloaded."""
        by_reason: dict[str, list[NotFetched]] = {}
        for error in self.unfetched:
            by_reason.setdefault(error.reason.rpartition(": ")[2], []).append(error)
        return [describe_unfetched(errors) for errors in by_reason.values()]

    def describe_unmapped(self) -> list[str]:
        """A line for each tag of --map-tags that no data set has, where all were read."""
        if None in self.loaded.values():
            return []
        known = ", ".join(sorted(self.tags - {"O"}))
        absent = [tag for tag, _ in self.request.map_tags if tag not in self.tags]
        return [
            f"--map-tags {tag}: no data set has this tag (they have {known}): correct it or leave it out."
            for tag in absent
        ]

    def check_columns(self) -> None:
        """Complain about a name of --columns that no data set has, where all were read."""
        if None not in self.loaded.values():
            with self.complaints.gather():
                self.columns.refuse_unseen()

    def source(self) -> LoadedSet | None:
        """The source data."""
        if not self.request.source_train:
            self.complaints.add(
                f"--source-train is missing: name the file of labelled {self.task.unit}s to start from."
            )
            return None
        return self.load(self.request.source_train, "en", "--source-train")

    def size_within(self, loaded: LoadedSet | None, size: int | None) -> int:
        """The number of source questions to use."""
        if loaded is None:
            return 0
        have = len(loaded.questions)
        if size is not None and size > have:
            self.complaints.add(
                f"{loaded.ref.name} has {have:,} training {self.task.unit}s, {size:,} requested: lower --source-size."
            )
        return have if size is None else size

    def language(self, language: str, source: LoadedSet | None) -> LanguageData | None:
        """A language's train and test sets, checked against the request and the source."""
        train_name, test_names = self._names(language)
        train = self.load(train_name, language, "--target-train") if train_name else None
        found = [self.load(name, language, "--target-test") for name in test_names or ()]
        tests = [test for test in found if test is not None]
        if not tests or len(tests) < len(found) or (train is None and self._trains_on_target(language)):
            return None
        self._check_test_size(language, tests)
        questions = self._train_questions(train) if train else 0
        specs = [self._evaluation(i, test, train, source, language) for i, test in enumerate(tests)]
        if train and self.request.valid_size:
            specs.append(self._validation(train))
        labels = self._labels(train, tests, source)
        request = self.request
        common = Common(
            request.max_length, request.stride, "", request.skip_bad, request.task, labels, request.map_tags,
            request.unanswerable,
        )  # fmt: skip
        return LanguageData(train, questions, self._without_repeats(specs, common), common)

    def _without_repeats(self, specs: Sequence[EvalSpec], common: Common) -> tuple[EvalSpec, ...]:
        """Evaluations without those of test sets that are the same as an earlier one under another name."""
        kept: dict[str, EvalSpec] = {}
        for spec in specs:
            first = kept.setdefault(spec.eval_id(common).rsplit("-", 1)[1], spec)
            if first is not spec:
                self.notes.append(
                    f"the test sets {first.data.name} and {spec.data.name} are the same file: scored once, as {first.data.name}."
                )
        return tuple(kept.values())

    def _trains_on_target(self, language: str) -> bool:
        """Whether a language needs a train part: zero-shot alone does without, unless one is named."""
        request = self.request
        return bool(request.sizes or request.valid_size or request.tune_size or language in request.target_train)

    def _names(self, language: str) -> tuple[str | None, tuple[str, ...] | None]:
        """Names of a language's train part, where it needs one, and of its test sets."""
        from xlqa.data.registry import default_tests, default_train

        train, tests = self.request.target_train.get(language), self.request.target_test.get(language)
        with self.complaints.gather():
            if train is None and self._trains_on_target(language):
                train = default_train(language, self.task.name)
        with self.complaints.gather():
            tests = tuple(default_tests(language, self.task.name)) if tests is None else tests
        return train, tests

    def _labels(self, train: LoadedSet | None, tests: Sequence[LoadedSet], source: LoadedSet | None) -> tuple[str, ...]:
        """The labels of source and train part; complains about a test set that has others."""
        known = [loaded for loaded in (source, train) if loaded]
        labels = self.task.label_set([example for loaded in known for example in loaded.questions])
        if odd := [label for label in labels if not CONFIG_NAME.fullmatch(label)]:
            self.complaints.add(
                f"{' and '.join(loaded.ref.name for loaded in known)}: the label {plain(repr(odd[0]), 60)} begins with #, contains a "
                "brace or a control character, or is longer than 255 characters: rename it."
            )
        for test in tests if labels else ():
            if foreign := sorted(set(self.task.label_set(test.questions)) - set(labels)):
                names = " and ".join(loaded.ref.name for loaded in known)
                tag = self.task.tag_of(foreign[0])
                way_out = f"map it, such as --map-tags {tag}={self.task.no_tag}" if tag else "change it in the file"
                self.complaints.add(
                    f"{test.ref.name} has the label {foreign[0]}, which {names} never has, so that no prediction can be right: "
                    f"{way_out}, or take another set."
                )
        return labels

    def _check_test_size(self, language: str, tests: Sequence[LoadedSet]) -> None:
        for test in tests:
            size = self.request.test_size
            if size is not None and size > len(test.questions):
                self.complaints.add(
                    f"{test.ref.name} has {len(test.questions):,} test {self.task.unit}s, {size:,} requested: lower --test-size."
                )

    def _train_questions(self, train: LoadedSet) -> int:
        """Questions that sizes may draw on; complains about sizes beyond them."""
        from xlqa.data.subsets import split_validation

        questions = len(train.questions)
        if valid := self.request.valid_size:
            with self.complaints.gather():
                questions = len(split_validation(train.questions, valid, 0)[0])
        beside = f" beside {self.request.valid_size:,} for validation" if self.request.valid_size else ""
        largest = max((size for size in self.request.sizes if isinstance(size, int)), default=0)
        for named_by, size in (("--sizes", largest), ("--tune-size", self.request.tune_size or 0)):
            if size > questions:
                end = "lower it or use full" if named_by == "--sizes" else "lower it"
                has = f"{_file_name(train.ref)} has {questions:,} training {self.task.unit}s{beside}"
                self.complaints.add(f"{has}, {named_by} asks for {size:,}: {end}.")
        return questions

    def _evaluation(
        self, index: int, test: LoadedSet, train: LoadedSet | None, source: LoadedSet | None, language: str
    ) -> EvalSpec:
        target = "test" if index == 0 else f"test_{index + 1}"
        if train and test.ref.sha256 == train.ref.sha256:
            self.complaints.add(f"{test.ref.name} is both the train and the test set: give another --target-test.")
        leaked = self._leak(test, source) if source else None
        return EvalSpec(
            target,
            test.ref,
            self.request.test_size,
            self.request.max_answer_length,
            overlap_with=train.ref if train else None,
            source_overlap=leaked,
            home=language,
            by_file=test.by_file,
        )

    def _leak(self, test: LoadedSet, source: LoadedSet) -> int:
        """How many test examples the source data contains; complains unless --allow-overlap."""
        leaked = self.task.leak(source.questions, test.questions)
        if len(leaked) > self.task.tolerated_leak * len(test.questions) and not self.request.allow_overlap:
            example = min(leaked)
            self.complaints.add(
                f"the source data {source.ref.name} contains {len(leaked):,} of {len(test.questions):,} {self.task.unit}s of the test set "
                f"{test.ref.name} (for example {example}), so scores would be inflated: choose another set, or mark the rows with "
                "--allow-overlap."
            )
        return len(leaked)

    def _validation(self, train: LoadedSet) -> EvalSpec:
        return EvalSpec(
            "valid", train.ref, None, self.request.max_answer_length, split="valid", valid_size=self.request.valid_size,
            by_file=train.by_file,
        )  # fmt: skip


def _stages(
    request: SweepRequest, encoder: EncoderRef, source: LoadedSet | None, size: int, common: Common
) -> list[SourceStage]:
    if source is None:
        return []
    return [
        SourceStage(
            encoder, source.ref, size, len(source.questions), seed, request.source_hyper, common, request.source_labels
        )
        for seed in range(request.source_seeds)
    ]


def _language_runs(
    request: SweepRequest, language: str, data: LanguageData, encoder: EncoderRef, target_encoder: EncoderRef | None,
    stages: Sequence[SourceStage], common: Common,
) -> Iterable[RunSpec]:  # fmt: skip
    def spec(arm: Arm, size: int, seed: int, train_seed: int | None = None) -> RunSpec:
        zero = size == 0
        stage = None
        if arm is Arm.TRANSFER:
            stage = stages[(seed if train_seed is None else train_seed) % len(stages)]
        elif arm is Arm.JOINT:
            stage = stages[0]
        return RunSpec(
            language=language, arm=arm, size=size, seed=seed, common=common, stage=stage,
            encoder=target_encoder if arm is Arm.MONOLINGUAL and target_encoder else encoder,
            target=data.train.ref if data.train and not zero else None, target_questions=None if zero else data.train_questions,
            hyper=None if zero else request.hyper_of(arm), subset_by=request.subset_by,
            valid_size=0 if zero else request.valid_size, train_seed=train_seed,
            joint_sampling=request.joint_sampling,
        )  # fmt: skip

    sizes = sorted({data.train_questions if size == FULL else int(size) for size in request.sizes})
    for arm in request.arms:
        if arm is Arm.TRANSFER:
            used = sorted({seed % len(stages) for seed in request.train_seeds or request.seeds})
            yield from (spec(arm, 0, stage) for stage in used)
        yield from (spec(arm, size, *seeds) for size in sizes for seeds in request.seed_pairs)


def kept_runs(request: SweepRequest, specs: Sequence[RunSpec]) -> frozenset[str]:
    """Runs whose weights stay: all, none, or per language the lowest-seed transfer run of the largest size."""
    trained = [spec for spec in specs if spec.steps]
    if request.keep == "all":
        return frozenset(spec.run_id for spec in trained)
    if request.keep == "none":
        return frozenset()
    best: dict[str, RunSpec] = {}
    for spec in trained:
        if spec.arm is Arm.TRANSFER:
            known = best.get(spec.language)
            if known is None or (-spec.size, spec.paired_seed) < (-known.size, known.paired_seed):
                best[spec.language] = spec
    return frozenset(spec.run_id for spec in best.values())


def plan_summary(plan: Plan) -> dict[str, Any]:
    """The plan in plain values, for --json."""
    return {
        "out": str(plan.request.out),
        "source_stages": [{"id": stage.source_id, "questions": stage.size, "steps": stage.steps} for stage in plan.stages],
        "runs": [
            {
                "run_id": spec.run_id, "lang": spec.language, "arm": spec.arm.value, "size": spec.size, "seed": spec.paired_seed,
                "steps": spec.steps, "tests": [e.data.name for e in evals], "kept": spec.run_id in plan.kept,
            }
            for spec, evals in plan.runs
        ],
        "data": [
            {
                "name": loaded.ref.name, "language": loaded.ref.language, "questions": len(loaded.questions),
                "sha256": loaded.ref.sha256, "repairs": dict(loaded.repairs), "refused": loaded.refused, "unanswerable": loaded.unanswerable,
                "scorer": loaded.ref.scorer, "untrainable": loaded.untrainable,
            }
            for loaded in plan.sets.values()
        ],
    }  # fmt: skip
