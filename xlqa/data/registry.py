"""The registered data sets by name, language and file: `xlqa data list`. Their records are in `xlqa.data.catalogue` and `task_catalogue`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from xlqa.data.catalogue import DEFAULTS, LANGUAGES, TYDIQA_LANGUAGES, DataSet, Part
from xlqa.data.catalogue import SETS as QA_SETS
from xlqa.data.task_catalogue import TASK_DEFAULTS, TASK_SETS
from xlqa.errors import XlqaError, did_you_mean

__all__ = [
    "LANGUAGES", "SETS", "TYDIQA_LANGUAGES", "DataSet", "Part", "default_role", "default_tests", "default_train", "find_part",
    "find_set", "known_languages", "part_names", "part_scorer", "parts_of_file", "unknown_part",
]  # fmt: skip

SETS: tuple[DataSet, ...] = (*QA_SETS, *TASK_SETS)
"""The registered sets of all tasks."""

_DEFAULTS = {"qa": DEFAULTS, **TASK_DEFAULTS}


@cache
def _parts() -> dict[str, Part]:
    return {part.name: part for data_set in SETS for part in data_set.parts}


@cache
def _sets() -> dict[str, DataSet]:
    return {data_set.name: data_set for data_set in SETS}


@cache
def _parts_by_sha256() -> dict[str, tuple[Part, ...]]:
    found: dict[str, tuple[Part, ...]] = {}
    for part in _parts().values():
        for sha256 in (None if part.member else part.sha256, part.file_sha256):
            if sha256 is not None:
                found[sha256] = (*found.get(sha256, ()), part)
    return found


def parts_of_file(sha256: str) -> tuple[Part, ...]:
    """The registered parts whose file has these bytes: one, or several of a file of several languages, or none."""
    return _parts_by_sha256().get(sha256, ())


def part_names() -> tuple[str, ...]:
    """Every registered part's name, in the registry's order."""
    return tuple(_parts())


def find_set(name: str) -> DataSet:
    """The set of that name, or the set that a part of that name belongs to.

    Raises:
        XlqaError: unknown; near matches are named.
    """
    found = _sets().get(name) or _sets().get(name.split(".")[0] if name in _parts() else "")
    if found is None:
        raise XlqaError(f'"{name}" is not a registered set{_did_you_mean(name, _sets())}: see `xlqa data list`.')
    return found


def find_part(name: str) -> Part:
    """The part of that name.

    Raises:
        XlqaError: unknown; near matches are named, or the parts of the set of that name.
    """
    part = _parts().get(name)
    if part is None:
        raise XlqaError(unknown_part(name))
    return part


def unknown_part(name: str, others: Iterable[str] = ()) -> str:
    """The message for a name that is not a registered part; `others` are other names that are known."""
    if name in _sets():
        names = [part.name for part in _sets()[name].parts]
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        return f'"{name}" is a set of several parts: name one of {shown}.'
    hint = _did_you_mean(name, [*_parts(), *others])
    return f'"{name}" is neither a file here nor a registered set{hint}: give a file, or see `xlqa data list`.'


def part_scorer(part: Part) -> str:
    """Name of the makers' scorer for a part."""
    scorer = find_set(part.set_name).scorer
    return f"mlqa.{part.language}" if scorer == "mlqa" else scorer


def default_role(name: str) -> str:
    """What a sweep does with a part where no data set is named: "train", "test" or ""."""
    train, tests = _DEFAULTS[find_set(name).task].get(find_part(name).language, ("", ()))
    return "train" if name == train else "test" if name in tests else ""


def known_languages(task: str = "qa") -> tuple[str, ...]:
    """Codes of the languages that have registered sets for a task."""
    return tuple(sorted(_DEFAULTS[task]))


def default_train(language: str, task: str = "qa") -> str:
    """Name of the part that a sweep trains on where none is named.

    Raises:
        XlqaError: unknown language, or no public train part: the message names the next step.
    """
    train = _defaults(language, task)[0]
    if not train:
        raise XlqaError(
            f"{LANGUAGES[language]} ({language}) has no registered set with a public train part "
            f"(to test on: {', '.join(default_tests(language, task))}): give --target-train FILE, or "
            "--sizes 0 for zero-shot alone."
        )
    return train


def default_tests(language: str, task: str = "qa") -> tuple[str, ...]:
    """Names of the parts that a sweep tests on where none is named.

    Raises:
        XlqaError: unknown language.
    """
    return _defaults(language, task)[1]


def _defaults(language: str, task: str) -> tuple[str, tuple[str, ...]]:
    known = _DEFAULTS[task]
    if not known:
        raise XlqaError(f"--task {task} has no registered sets: give --target-train and --target-test files.")
    found = known.get(language)
    if found is None:
        hint = _did_you_mean(language, known, LANGUAGES)
        kind = "" if task == "qa" else f" for --task {task}"
        raise XlqaError(
            f'"{language}" is not a language with registered sets{kind}{hint} (there are {", ".join(known)}): '
            "give --target-train and --target-test files."
        )
    return found


def _did_you_mean(name: str, names: Iterable[str], spoken: dict[str, str] | None = None) -> str:
    by_name = {full.lower(): code for code, full in (spoken or {}).items()}
    if name.lower() in by_name:
        return f' (did you mean "{by_name[name.lower()]}"?)'
    return did_you_mean(name, names)
