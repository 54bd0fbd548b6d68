"""From flags, or an experiment file, to one frozen `SweepRequest`: all complaints about bad input at once."""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import Arm
from xlqa.runs.specs import SEED_STEP, Hyper
from xlqa.settings import FIELDS, SETTINGS, Settings, describe_unknown, flag, is_file, split_files, split_words
from xlqa.util.files import read_input


@dataclass(frozen=True, slots=True)
class SweepRequest(Settings):
    """What a sweep measures, checked as far as possible without data, models or devices."""

    @property
    def seed_pairs(self) -> list[tuple[int, int | None]]:
        """Each run's subset seed and training seed; None where one seed is both."""
        return [(seed, train_seed) for seed in self.seeds for train_seed in self.train_seeds or (None,)]

    def hyper_of(self, arm: Arm) -> Hyper:
        """The settings of an arm's training on target questions."""
        # A transfer run starts from its source stage, whose layers are trained.
        drawn = 0 if arm is Arm.TRANSFER else self.reinit_top
        steps = self.min_steps.of(arm)
        return Hyper(
            self.lr.of(arm), self.epochs.of(arm), self.batch_size, self.warmup, steps, self.freeze, drawn, self.lora
        )

    @property
    def source_hyper(self) -> Hyper:
        """The settings of the source stage."""
        steps = self.min_steps.default
        return Hyper(
            self.source_lr, self.source_epochs, self.source_batch_size, self.warmup, steps, self.source_freeze, self.reinit_top,
            self.source_lora,
        )  # fmt: skip


@dataclass
class Complaints:
    """Gathers what is wrong, so that a user reads all of it at once."""

    found: list[str] = field(default_factory=list)

    @contextmanager
    def gather(self) -> Iterator[None]:
        """Keep an XlqaError's lines instead of stopping at it."""
        try:
            yield
        except XlqaError as error:
            self.found += str(error).splitlines()

    def add(self, line: str) -> None:
        self.found.append(line)

    def stop_if_any(self) -> None:
        """Raise all that was found, each line once."""
        if self.found:
            raise ManyErrors(dict.fromkeys(self.found))


def read_experiment(path: Path) -> dict[str, Any]:
    """The settings of an experiment.toml: the sweep's flags by name, dashes or underscores.

    Raises:
        XlqaError: the file is missing or is not TOML, or names settings that do not exist, or one twice.
    """
    try:
        table = tomllib.loads(read_input(path).decode("utf-8"))
    except OSError as error:
        raise XlqaError(f"--config {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise XlqaError(f"--config {path}: not TOML ({error}).") from error
    complaints = Complaints()
    settings: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name in settings:
            complaints.add(f"--config {path}: {name!r} is given twice, as {key!r} too: keep one.")
        settings[name] = value
    for line in describe_unknown(settings):
        complaints.add(f"--config {path}: {line}")
    complaints.stop_if_any()
    return {
        name: _beside(value, path.parent) if SETTINGS[name].names_files else value for name, value in settings.items()
    }


def _beside(value: Any, folder: Path) -> Any:
    """A value whose files are looked for beside the experiment file first."""
    if isinstance(value, dict):
        return {key: _beside(item, folder) for key, item in value.items()}
    if not isinstance(value, str | list):
        return value
    words = []
    for word in split_files(value, folder):
        head, equals, name = word.rpartition("=")
        beside = folder / name
        words.append(f"{head}{equals}{beside}" if is_file(beside) or beside.is_dir() else word)
    return words[0] if isinstance(value, str) and len(words) == 1 else words


def gather_settings(flags: Mapping[str, Any], config: Path | None, demo: bool) -> dict[str, Any]:
    """The settings that a command was given: the demo's, then those of an experiment file, then flags.

    Tables of an experiment file may name languages that `--lang` leaves out of this sweep.
    """
    from xlqa.runs.plan.demo import demo_settings

    given = {name: value for name, value in flags.items() if value is not None}
    stated = read_experiment(config) if config is not None else {}
    settings = (demo_settings(str((stated | given).get("task", "qa"))) if demo else {}) | stated
    if "lang" in given:
        left_out = set(split_words(settings.get("lang"))) - set(split_words(given["lang"]))
        by_language = ("target_model", "target_train", "target_test")
        settings |= {name: _without(settings[name], left_out) for name in by_language if name in settings}
    return settings | given


def _without(value: Any, left_out: Container[str]) -> Any:
    return {k: v for k, v in value.items() if k not in left_out} if isinstance(value, dict) else value


def build_request(options: Mapping[str, Any]) -> SweepRequest:
    """A checked request from settings; those that are None or missing take their default.

    Raises:
        ManyErrors: everything that is wrong, one line each.
    """
    complaints = Complaints()
    for line in describe_unknown(options):
        complaints.add(line)
    values: dict[str, Any] = {}
    for name, setting_name in FIELDS.items():
        with complaints.gather():
            _take(name, setting_name, options.get(setting_name), values)
    complaints.stop_if_any()
    request = SweepRequest(**values)
    if request.target_model and Arm.MONOLINGUAL not in request.arms:
        request = replace(request, arms=(*request.arms, Arm.MONOLINGUAL))
    _check_together(request, complaints)
    complaints.stop_if_any()
    return request


def _take(name: str, setting_name: str, value: Any, values: dict[str, Any]) -> None:
    """Check one value, or its default, and add it to the fields checked so far."""
    setting = SETTINGS[setting_name]
    # A field that this one depends on may have been refused: then that is the complaint.
    with suppress(KeyError):
        if value is None:
            value = setting.follows(values) if setting.follows else setting.default
        values[name] = None if value is None else setting.parse(setting_name, value, values)


def _check_together(request: SweepRequest, complaints: Complaints) -> None:
    """Add what is wrong with settings that depend on each other."""
    from xlqa.tasks.base import get_task

    if shape := get_task(request.task).complaint(request.max_length, request.stride):
        complaints.add(shape)
    _check_names(request, complaints)
    _check_arms(request, complaints)
    _check_trained_weights(request, complaints)
    _check_task(request, complaints)
    _check_tuning(request, complaints)
    if request.ray_address is not None and request.launcher != "ray":
        complaints.add(f"--ray-address {request.ray_address}: this needs --launcher ray.")


def _check_names(request: SweepRequest, complaints: Complaints) -> None:
    for name in ("model", "source_train", "out"):
        value = str(getattr(request, name))
        if any(sign in value for sign in "{}"):
            complaints.add(f"{flag(name)} {value}: DeepPavlov's configs cannot contain braces: choose another name.")
        if not value.isprintable():
            complaints.add(
                f"{flag(name)} {value!a}: it is not text in UTF-8 without control characters: choose another name."
            )


def _check_arms(request: SweepRequest, complaints: Complaints) -> None:
    if Arm.MONOLINGUAL in request.arms:
        for language in request.languages:
            if language not in request.target_model:
                complaints.add(
                    f"--arms monolingual needs an encoder for {language!r}: add --target-model {language}=MODEL."
                )
    if request.train_seeds and max(request.seeds) >= SEED_STEP:
        complaints.add(f"--seeds {max(request.seeds)}: with --train-seeds give seeds below {SEED_STEP:,}.")


def _check_trained_weights(request: SweepRequest, complaints: Complaints) -> None:
    for name, rank, frozen in (
        ("lora", request.lora, request.freeze), ("source_lora", request.source_lora, request.source_freeze),
    ):  # fmt: skip
        if rank and frozen is not None:
            complaints.add(
                f"{flag(name)} {rank}: freezes all of the encoder already: leave --freeze and --source-freeze out."
            )
        if rank and request.reinit_top:
            complaints.add(
                f"{flag(name)} {rank}: re-initialised layers would keep their random weights: leave --reinit-top out."
            )


def _check_task(request: SweepRequest, complaints: Complaints) -> None:
    if request.subset_by == "label" and request.task in ("qa", "ner", "pos"):
        complaints.add(
            f"--subset-by label: is for tasks with one label an example, not {request.task}: choose question or paragraph."
        )
    if request.unanswerable and request.task != "qa":
        complaints.add(f"--unanswerable: is for --task qa: leave it out of a sweep of {request.task}.")
    if request.unanswerable and request.source_labels == "shuffled":
        complaints.add(
            "--source-labels shuffled has no answers to give to unanswerable questions: leave out --unanswerable."
        )


def _check_tuning(request: SweepRequest, complaints: Complaints) -> None:
    from xlqa.tasks.base import get_task

    unit = get_task(request.task).unit
    if request.tune and request.tune_size is None:
        complaints.add(
            f"--tune needs the number of target {unit}s to tune on: add --tune-size, such as --tune-size 300."
        )
    if request.tune and not request.valid_size:
        complaints.add("--tune chooses on the target's validation part: add --valid-size, such as --valid-size 500.")
    if request.tune_size and len(request.tune.get("epochs", ())) > 1:
        _check_tuned_epochs(request, request.tune_size, complaints)


def _check_tuned_epochs(request: SweepRequest, size: int, complaints: Complaints) -> None:
    """Complain about epochs that are tried although they give the same number of updates."""
    hypers = [request.hyper_of(arm) for arm in request.arms]
    for least in request.tune.get("min_steps", sorted({hyper.min_steps for hyper in hypers})):
        steps = [replace(hypers[0], epochs=tried, min_steps=least).steps(size) for tried in request.tune["epochs"]]
        if len(set(steps)) < len(steps):
            complaints.add(
                f"--tune epochs: several values give the same number of updates at --tune-size {size:,}, because --min-steps is "
                f"{least:,}: lower --min-steps, raise --tune-size, or tune min_steps instead."
            )
            return
