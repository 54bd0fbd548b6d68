"""From flags, or an experiment file, to one frozen `SweepRequest`: bad input ends here, all complaints at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import Arm, seed_range
from xlqa.runs.specs import Hyper, SubsetBy

FULL = "full"
Size = int | Literal["full"]

DEFAULTS: dict[str, Any] = {
    "sizes": "100,1000,10000", "arms": "transfer,target-only", "seeds": "5", "source_seeds": 1,
    "model": "bert-base-multilingual-cased", "source_train": "squad.train", "subset_by": "question", "valid_size": 0,
    "epochs": 3.0, "source_epochs": 2.0, "min_steps": 200, "batch_size": 16, "lr": 3e-5, "warmup": 0.1,
    "max_length": 384, "max_answer_length": 30, "precision": "auto", "device": "auto", "keep": "one", "out": ".",
    "checkpoint_every": 10.0,
}  # fmt: skip
"""What a sweep does unless told otherwise. Settings missing here have no default or follow another setting."""

SETTINGS = (
    "lang", "sizes", "arms", "seeds", "source_seeds", "model", "target_model", "source_train", "target_train",
    "target_test", "source_size", "test_size", "valid_size", "subset_by", "epochs", "source_epochs", "min_steps",
    "batch_size", "source_batch_size", "lr", "source_lr", "warmup", "max_length", "stride", "max_answer_length",
    "precision", "device", "keep", "out", "allow_overlap", "skip_bad", "data_dir",
    "checkpoint_every", "timeout", "gradient_checkpointing",
)  # fmt: skip
"""The settings of an experiment file: the flags' names with underscores."""


MOST_MINUTES = 1e6


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What a sweep is to find out, checked as far as it can be without looking at data, models or devices.

    `target_train`, `target_test` and `target_model` map a language to names or files; a language that is missing gets its
    registered sets. `sizes` are ascending and without 0: zero-shot is always there. `checkpoint_every` (0 for none) and
    `timeout` (of a run; None for no limit) are minutes.
    """

    languages: tuple[str, ...]
    sizes: tuple[Size, ...]
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    source_seeds: int
    model: str
    target_model: Mapping[str, str]
    source_train: str
    target_train: Mapping[str, str]
    target_test: Mapping[str, tuple[str, ...]]
    source_size: int | None
    test_size: int | None
    valid_size: int
    subset_by: SubsetBy
    hyper: Hyper
    source_hyper: Hyper
    max_length: int
    stride: int
    max_answer_length: int
    precision: str
    device: str
    keep: Literal["one", "all", "none"]
    out: Path
    allow_overlap: bool = False
    skip_bad: bool = False
    data_dir: Path | None = None
    checkpoint_every: float = 10.0
    timeout: float | None = None
    gradient_checkpointing: bool = False


@dataclass
class Complaints:
    """Gathers what is wrong, so that a user hears all of it at once."""

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
        XlqaError: the file is missing, no TOML, or names an unknown setting.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise XlqaError(f"--config {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise XlqaError(f"--config {path}: not TOML ({error}).") from error
    settings = {key.replace("-", "_"): value for key, value in table.items()}
    if unknown := sorted(set(settings) - set(SETTINGS)):
        raise XlqaError(
            f"--config {path}: unknown setting {unknown[0]!r}: the names are the flags of `xlqa sweep --help`."
        )
    return _beside(settings, path.parent)


def _beside(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Files that an experiment file names are looked for beside it first."""

    def find(value: Any) -> Any:
        if isinstance(value, str) and value:
            head, equals, name = value.rpartition("=")
            return f"{head}{equals}{folder / name}" if (folder / name).exists() else value
        if isinstance(value, dict):
            return {key: find(item) for key, item in value.items()}
        return [find(item) for item in value] if isinstance(value, list) else value

    named = ("source_train", "target_train", "target_test", "model", "target_model")
    return {key: find(value) if key in named else value for key, value in settings.items()}


def build_request(options: Mapping[str, Any]) -> SweepRequest:
    """A checked request from settings; those that are None or missing take their default.

    Raises:
        ManyErrors: everything that is wrong, one line each.
    """
    settings = {**DEFAULTS, **{key: value for key, value in options.items() if value is not None}}
    complaints = Complaints()
    if unknown := sorted(set(settings) - set(SETTINGS)):
        complaints.add(f"unknown setting {unknown[0]!r}: the names are the flags of `xlqa sweep --help`.")
    values = _parse_all(settings, complaints)
    complaints.stop_if_any()
    request = SweepRequest(**values)
    _check_together(request, complaints)
    complaints.stop_if_any()
    return request


def _parse_all(settings: Mapping[str, Any], complaints: Complaints) -> dict[str, Any]:
    values: dict[str, Any] = {}

    def take(name: str, parse: Callable[[], Any]) -> None:
        with complaints.gather():
            values[name] = parse()

    take("languages", lambda: _languages(settings.get("lang")))
    languages = values.get("languages", ())
    take("sizes", lambda: _sizes(settings["sizes"]))
    take("arms", lambda: _arms(settings["arms"], bool(settings.get("target_model"))))
    take("seeds", lambda: _seeds(settings["seeds"]))
    take("target_train", lambda: {k: v[-1] for k, v in _per_language(settings, "target_train", languages).items()})
    take("target_model", lambda: {k: v[-1] for k, v in _per_language(settings, "target_model", languages).items()})
    take("target_test", lambda: _per_language(settings, "target_test", languages))
    for name, least in (("source_seeds", 1), ("max_length", 32), ("max_answer_length", 1), ("valid_size", 0)):
        take(name, lambda name=name, least=least: _whole(name, settings[name], least))  # type: ignore[misc]  # bound now
    for name in ("source_size", "test_size"):
        take(name, lambda name=name: _maybe_whole(name, settings.get(name)))  # type: ignore[misc]  # bound now
    take("stride", lambda: _stride(settings))
    take("hyper", lambda: _hyper(settings, "epochs", "batch_size", "lr"))
    take("source_hyper", lambda: _hyper(settings, "source_epochs", "source_batch_size", "source_lr"))
    for name, choices in (
        ("subset_by", ("question", "paragraph")), ("keep", ("one", "all", "none")), ("precision", ("auto", "fp32", "bf16")),
    ):  # fmt: skip
        take(name, lambda name=name, choices=choices: _choice(name, settings[name], choices))  # type: ignore[misc]  # bound now
    values |= {name: str(settings[name]) for name in ("model", "source_train", "device")}
    for name in ("allow_overlap", "skip_bad", "gradient_checkpointing"):
        take(name, lambda name=name: _truth(name, settings.get(name)))  # type: ignore[misc]  # bound now
    take("checkpoint_every", lambda: _number("checkpoint_every", settings["checkpoint_every"], 0.0, MOST_MINUTES))
    limit = settings.get("timeout")
    take("timeout", lambda: None if limit is None else _number("timeout", limit, 1e-3, MOST_MINUTES))
    data_dir = settings.get("data_dir")
    values |= {
        "out": Path(str(settings["out"])).expanduser().resolve(),
        "data_dir": Path(str(data_dir)).expanduser() if data_dir else None,
    }
    return values


def flag(name: str) -> str:
    """A setting's name as a flag."""
    return "--" + name.replace("_", "-")


def _words(value: Any) -> list[str]:
    """The words of a comma list, a list, or a list of comma lists."""
    if value is None:
        return []
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return [word.strip() for item in items for word in str(item).split(",") if word.strip()]


def _file_words(value: Any) -> list[str]:
    """As `_words`, but a file whose name holds a comma stays whole."""
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    words: list[str] = []
    for item in items:
        name = str(item).rpartition("=")[2]
        words += [str(item)] if "," in name and Path(name).expanduser().is_file() else _words(item)
    return words


def _languages(value: Any) -> tuple[str, ...]:
    words = list(dict.fromkeys(word.lower() for word in _words(value)))
    if not words:
        raise XlqaError("--lang is missing: name the target languages, such as --lang ru or --lang ru,zh.")
    if bad := [word for word in words if not (2 <= len(word) <= 3 and word.isalpha())]:
        raise XlqaError(f"--lang {bad[0]}: give ISO 639-1 codes, such as ru, zh, es, sw.")
    return tuple(words)


def _sizes(value: Any) -> tuple[Size, ...]:
    words = _words(value)
    if not words:
        raise XlqaError("--sizes is empty: give numbers of target questions, such as --sizes 100,1000,full.")
    sizes: set[int] = set()
    for word in words:
        if word != FULL:
            sizes.add(_whole("sizes", word.replace("_", ""), 0))
    ascending: list[Size] = sorted(sizes - {0})
    return (*ascending, "full") if FULL in words else tuple(ascending)


def _arms(value: Any, has_target_model: bool) -> tuple[Arm, ...]:
    arms = []
    for word in _words(value):
        try:
            arms.append(Arm(word))
        except ValueError:
            raise XlqaError(f"--arms {word}: choose from {', '.join(arm.value for arm in Arm)}.") from None
    if has_target_model and Arm.MONOLINGUAL not in arms:
        arms.append(Arm.MONOLINGUAL)
    if Arm.MONOLINGUAL in arms and not has_target_model:
        raise XlqaError(
            "--arms monolingual needs --target-model, such as --target-model ru=DeepPavlov/rubert-base-cased."
        )
    if not arms:
        raise XlqaError("--arms is empty: the usual ones are --arms transfer,target-only.")
    return tuple(arm for arm in Arm if arm in arms)


def _seeds(value: Any) -> tuple[int, ...]:
    """`5` is a count (0 to 4); `3,7`, `3,` and `3-5,9` are lists."""
    if isinstance(value, int) or (isinstance(value, str) and value.strip().isdigit()):
        return tuple(range(_whole("seeds", value, 1)))
    named = (seed_range(word) if "-" in word[1:] else (_whole("seeds", word, 0),) for word in _words(value))
    seeds = tuple(dict.fromkeys(seed for seeds in named for seed in seeds))
    if not seeds:
        raise XlqaError("--seeds is empty: give a count (--seeds 5) or a list (--seeds 0,1,7 or 3-5).")
    return seeds


def _per_language(settings: Mapping[str, Any], name: str, languages: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """`ru=FILE` per language, or one value where there is one language; repeatable."""
    given: dict[str, list[str]] = {}
    value = settings.get(name)
    if isinstance(value, Mapping):
        # A table of an experiment file: [target_train] ru = "…".
        value = [f"{language}={item}" for language, items in value.items() for item in _file_words(items)]
    for word in _file_words(value):
        language, equals, rest = word.partition("=")
        if equals and language in languages:
            given.setdefault(language, []).append(rest)
        elif len(languages) == 1:
            given.setdefault(languages[0], []).append(word)
        elif languages:
            raise XlqaError(
                f"{flag(name)} {word}: with several languages say which, such as {flag(name)} {languages[0]}={word}."
            )
    return {language: tuple(items) for language, items in given.items()}


def _whole(name: str, value: Any, least: int) -> int:
    try:
        number = int(value)
        if number != float(value):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise XlqaError(f"{flag(name)} {value}: give a whole number.") from None
    if not least <= number < 2**31:
        raise XlqaError(f"{flag(name)} {value}: give a number from {least} up to 2,147,483,647.")
    return number


def _truth(name: str, value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise XlqaError(f"{flag(name)} {value}: give true or false.")


def _maybe_whole(name: str, value: Any) -> int | None:
    return None if value is None else _whole(name, value, 1)


def _number(name: str, value: Any, low: float, high: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise XlqaError(f"{flag(name)} {value}: give a number.") from None
    if not low <= number <= high:
        raise XlqaError(f"{flag(name)} {value}: give a number between {low:g} and {high:g}.")
    return number


def _choice(name: str, value: Any, choices: Sequence[str]) -> str:
    if value not in choices:
        raise XlqaError(f"{flag(name)} {value}: choose {', '.join(choices)}.")
    return str(value)


def _stride(settings: Mapping[str, Any]) -> int:
    """A third of the window unless said: 128 of 384 pieces."""
    if settings.get("stride") is None:
        return _whole("max_length", settings["max_length"], 32) // 3
    return _whole("stride", settings["stride"], 0)


def _hyper(settings: Mapping[str, Any], epochs: str, batch_size: str, lr: str) -> Hyper:
    """The settings of one training; a source setting that is not given follows the target's."""

    def of(name: str) -> Any:
        value = settings.get(name)
        return settings[name.removeprefix("source_")] if value is None else value

    return Hyper(
        lr=_number(lr, of(lr), 1e-9, 1.0),
        epochs=_number(epochs, of(epochs), 0.0, 10_000.0),
        batch_size=_whole(batch_size, of(batch_size), 1),
        warmup=_number("warmup", settings["warmup"], 0.0, 1.0),
        min_steps=_whole("min_steps", settings["min_steps"], 1),
    )


def _check_together(request: SweepRequest, complaints: Complaints) -> None:
    shape = _shape_complaint(request)
    if shape:
        complaints.add(shape)
    for name, value in (("--model", request.model), ("--source-train", request.source_train)):
        if any(sign in value for sign in "{}"):
            complaints.add(f"{name} {value}: DeepPavlov's configs cannot hold braces: rename it.")
    if any(sign in str(request.out) for sign in "{}"):
        complaints.add(f"--out {request.out}: DeepPavlov's configs cannot hold braces: choose another folder.")
    if Arm.MONOLINGUAL in request.arms:
        for language in request.languages:
            if language not in request.target_model:
                complaints.add(f"--target-model: none for {language!r}: add --target-model {language}=MODEL.")


def _shape_complaint(request: SweepRequest) -> str | None:
    """As `WindowShape.complaint` says it; the import is light."""
    from xlqa.tasks.qa.windows import WindowShape

    return WindowShape(request.max_length, request.stride).complaint()
