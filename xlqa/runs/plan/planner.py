"""From a request to a plan: data found and read, encoders found, every source stage, run and evaluation spelled out.

xlqa sweep --lang ru --dry-run
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xlqa.components.environment import refuse_overrides
from xlqa.errors import XlqaError
from xlqa.records import Arm, DataRef, Question
from xlqa.runs.paths import Layout
from xlqa.runs.plan.encoders import resolve_encoder
from xlqa.runs.plan.request import Complaints, SweepRequest
from xlqa.runs.specs import Common, EncoderRef, EvalSpec, RunSpec, SourceStage
from xlqa.settings import FULL


@dataclass(frozen=True)
class LoadedSet:
    """A data set that was read: where it lies, its questions, and what reading repaired."""

    ref: DataRef
    questions: tuple[Question, ...]
    repairs: Mapping[str, int]
    refused: int

    @cached_property
    def mean_characters(self) -> float:
        """Mean length of a question with its paragraph."""
        return sum(len(q.context) + len(q.question) for q in self.questions) / max(1, len(self.questions))


@dataclass(frozen=True, slots=True)
class LanguageData:
    """What a language's runs train and are scored on."""

    train: LoadedSet
    train_questions: int
    tests: tuple[EvalSpec, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a sweep will do.

    Attributes:
        runs: each with its evaluations, in the order of the table.
        stages: the source stages that transfer runs start from.
        kept: ids of the runs whose weights stay.
        sets: every data set by its SHA-256.
    """

    request: SweepRequest
    stages: tuple[SourceStage, ...]
    runs: tuple[tuple[RunSpec, tuple[EvalSpec, ...]], ...]
    kept: frozenset[str]
    sets: Mapping[str, LoadedSet]

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

    def encoders(self) -> list[EncoderRef]:
        """The distinct encoders of all runs and stages."""
        refs = [run.encoder for run, _ in self.runs] + [stage.encoder for stage in self.stages]
        return list({ref.sha256: ref for ref in refs}.values())


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
    source = finder.load(request.source_train, "en", "--source-train") if _needs_source(request) else None
    languages = {language: finder.language(language, source) for language in request.languages}
    target_encoders = {k: finder.encoder(v, "--target-model") for k, v in request.target_model.items()}
    source_size = finder.size_within(source, request.source_size)
    complaints.stop_if_any()
    if encoder is None or precision is None:
        raise XlqaError("nothing to run.")
    common = Common(request.max_length, request.stride, precision, request.skip_bad)
    stages = _stages(request, encoder, source, source_size, common)
    runs = [
        (spec, tuple(e for e in data.tests if spec.target or e.split == "test"))
        for language, data in languages.items()
        if data is not None
        for spec in _language_runs(request, language, data, encoder, target_encoders.get(language), stages, common)
    ]
    if not runs:
        raise XlqaError(
            "nothing to run: --sizes 0 is zero-shot, which only the transfer arm has. Add an arm or a size."
        )
    started = {spec.stage.source_id for spec, _ in runs if spec.stage and spec.arm is Arm.TRANSFER}
    used = tuple(stage for stage in stages if stage.source_id in started)
    return Plan(request, used, tuple(runs), kept_runs(request, [spec for spec, _ in runs]), finder.sets)


def _needs_source(request: SweepRequest) -> bool:
    return any(arm.uses_source for arm in request.arms)


class _Finder:
    """Finds data, encoders and devices, and gathers what is wrong with them."""

    def __init__(self, request: SweepRequest, complaints: Complaints) -> None:
        self.request, self.complaints = request, complaints
        self.sets: dict[str, LoadedSet] = {}
        self.loaded: dict[tuple[str, str], LoadedSet | None] = {}

    def precision(self) -> str | None:
        from xlqa.training.devices import resolve_device, resolve_precision

        with self.complaints.gather():
            return resolve_precision(self.request.precision, resolve_device(self.request.device))
        return None

    def encoder(self, name: str, named_by: str = "--model") -> EncoderRef | None:
        with self.complaints.gather():
            try:
                return resolve_encoder(name)
            except XlqaError as error:
                raise XlqaError(str(error).replace("--model", named_by, 1)) from error
        return None

    def load(self, name: str, language: str, named_by: str) -> LoadedSet | None:
        """A data set by name or file, read once."""
        key = (name, language)
        if key not in self.loaded:
            self.loaded[key] = None
            with self.complaints.gather():
                self.loaded[key] = self._read(name, language, named_by)
        return self.loaded[key]

    def _read(self, name: str, language: str, named_by: str) -> LoadedSet:
        from xlqa.tasks.qa.reading import read_dataset
        from xlqa.tasks.sources import resolve

        ref = resolve(name, language=language, data_dir=self.request.data_dir)
        if any(sign in ref.name for sign in "{}") or ref.name.startswith("#"):
            raise XlqaError(
                f"{named_by} {name}: DeepPavlov's configs cannot hold this file's name: rename it without braces and #."
            )
        reading = read_dataset(ref.path, skip_bad=self.request.skip_bad, language=language)
        if not reading.questions:
            raise XlqaError(f"{named_by} {name}: {ref.path} holds no question that has an answer.")
        loaded = LoadedSet(ref, reading.questions, dict(reading.repairs), len(reading.refused))
        self.sets[ref.sha256] = loaded
        return loaded

    def size_within(self, loaded: LoadedSet | None, size: int | None) -> int:
        """The number of source questions to use."""
        if loaded is None:
            return 0
        have = len(loaded.questions)
        if size is not None and size > have:
            self.complaints.add(
                f"{loaded.ref.name} has {have:,} training questions, {size:,} requested: lower --source-size."
            )
        return have if size is None else size

    def language(self, language: str, source: LoadedSet | None) -> LanguageData | None:
        """A language's train and test sets, checked against the request and the source."""
        from xlqa.data.registry import default_tests, default_train

        train_name, test_names = self.request.target_train.get(language), self.request.target_test.get(language)
        with self.complaints.gather():
            if train_name is None:
                train_name = default_train(language)
            if test_names is None:
                test_names = tuple(default_tests(language))
        if train_name is None or test_names is None:
            return None
        train = self.load(train_name, language, "--target-train")
        tests = [self.load(name, language, "--target-test") for name in test_names]
        if train is None or None in tests:
            return None
        self._check_test_size(language, [test for test in tests if test is not None])
        questions = self._train_questions(train)
        specs = [self._evaluation(i, test, train, source) for i, test in enumerate(tests) if test is not None]
        if self.request.valid_size:
            specs.append(self._validation(train))
        return LanguageData(train, questions, tuple(specs))

    def _check_test_size(self, language: str, tests: Sequence[LoadedSet]) -> None:
        for test in tests:
            size = self.request.test_size
            if size is not None and size > len(test.questions):
                self.complaints.add(
                    f"{test.ref.name} has {len(test.questions):,} test questions, {size:,} requested: lower --test-size."
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
        for flag, size in (("--sizes", largest), ("--tune-size", self.request.tune_size or 0)):
            if size > questions:
                self.complaints.add(
                    f"{train.ref.name} has {questions:,} training questions{beside}, {size:,} requested: lower {flag}."
                )
        return questions

    def _evaluation(self, index: int, test: LoadedSet, train: LoadedSet, source: LoadedSet | None) -> EvalSpec:
        target = "test" if index == 0 else f"test_{index + 1}"
        if test.ref.sha256 == train.ref.sha256:
            self.complaints.add(f"{test.ref.name} is both the train and the test set: give another --target-test.")
        leaked = self._leak(test, source) if source else None
        return EvalSpec(
            target,
            test.ref,
            self.request.test_size,
            self.request.max_answer_length,
            overlap_with=train.ref,
            source_overlap=leaked,
        )

    def _leak(self, test: LoadedSet, source: LoadedSet) -> int:
        """How many test questions the source data contains; complains unless --allow-overlap."""
        from xlqa.tasks.qa.overlap import find_overlap

        overlap = find_overlap(source.questions, test.questions)
        if overlap.ids and not self.request.allow_overlap:
            example = min(overlap.ids)
            self.complaints.add(
                f"the source data {source.ref.name} contains {len(overlap.ids):,} of {len(test.questions):,} questions of the test set "
                f"{test.ref.name} (for example {example}), so scores would be inflated: choose another set, or mark the rows with "
                "--allow-overlap."
            )
        return len(overlap.ids)

    def _validation(self, train: LoadedSet) -> EvalSpec:
        return EvalSpec(
            "valid", train.ref, None, self.request.max_answer_length, split="valid", valid_size=self.request.valid_size
        )


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
            target=None if zero else data.train.ref, target_questions=None if zero else data.train_questions,
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
                "sha256": loaded.ref.sha256, "repairs": dict(loaded.repairs), "refused": loaded.refused,
            }
            for loaded in plan.sets.values()
        ],
    }  # fmt: skip
