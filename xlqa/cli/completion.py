"""What the shell completes: languages, data sets, tasks, arms, metrics, formats, and the runs of the current folder.

A completer takes what is typed so far. It imports nothing heavy, since the shell waits for it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from xlqa.cli.compare import FORMATS as COMPARE_FORMATS
from xlqa.cli.plot import STYLE_NAMES, WHAT
from xlqa.curves.report.formats import FORMATS
from xlqa.settings import SETTINGS, flag
from xlqa.util.signatures import show_signature

Words = Iterable[str | tuple[str, str]]
"""Values, or values with their meaning."""


def add_completers(app: typer.Typer) -> None:
    """Give every option and argument with a known name its completer."""
    for command in app.registered_commands:
        if command.callback is not None:
            signature = inspect.signature(command.callback, eval_str=True)
            # Annotations that are texts would be evaluated again, without the completers.
            show_signature(command.callback, signature)
            for name, parameter in signature.parameters.items():
                for info in getattr(parameter.annotation, "__metadata__", ()):
                    _add_completer(info, name, command.callback.__name__)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            add_completers(group.typer_instance)


def _add_completer(info: Any, parameter: str, command: str) -> None:
    flags = [word for word in getattr(info, "param_decls", None) or () if word.startswith("--")]
    name = flags[0] if flags else f"--{parameter.replace('_', '-')}"
    if isinstance(info, typer.models.ArgumentInfo):
        name = f"{command} {parameter}"
    words = COMPLETERS.get(f"{command} {name}") or COMPLETERS.get(name)
    if words is not None:
        info.autocompletion = _completer(words)


def _completer(words: Callable[[], Words]) -> Callable[[str], list[str | tuple[str, str]]]:
    """A function of the form that Typer takes."""

    def complete(incomplete: str) -> list[str | tuple[str, str]]:
        return _fitting(words, incomplete)

    return complete


def _fitting(words: Callable[[], Words], incomplete: str) -> list[str | tuple[str, str]]:
    """The words that fit what is typed, of a comma list its last part; files where none fits."""
    begin, comma, last = incomplete.rpartition(",")
    language, equals, value = last.rpartition("=")
    prefix = begin + comma + language + equals
    found = [word if isinstance(word, tuple) else (word, "") for word in words()]
    fitting = [(prefix + word, meaning) for word, meaning in found if word.startswith(value)]
    return [pair if pair[1] else pair[0] for pair in fitting] or [prefix + path for path in _paths(value)]


def _paths(begin: str) -> Iterator[str]:
    """Files and folders that begin so, folders with a slash."""
    place, slash, name = begin.rpartition("/")
    folder = Path(place + slash or ".").expanduser()
    try:
        for path in sorted(folder.iterdir()):
            if path.name.startswith(name) and (name or not path.name.startswith(".")):
                yield f"{place}{slash}{path.name}{'/' if path.is_dir() else ''}"
    except OSError:
        return


def languages() -> Words:
    from xlqa.data.registry import LANGUAGES

    return sorted(LANGUAGES.items())


def data_sets() -> Words:
    from xlqa.data.registry import part_names
    from xlqa.data.sample import SAMPLE_NAMES

    return [*part_names(), *(f"sample.{name}" for name in SAMPLE_NAMES)]


def sets_and_parts() -> Words:
    from xlqa.data.registry import SETS, part_names

    return [*((data_set.name, data_set.title) for data_set in SETS), *part_names()]


def tasks() -> Words:
    from xlqa.records import TASK_METRICS

    return list(TASK_METRICS)


def arms() -> Words:
    from xlqa.records import Arm

    return [arm.value for arm in Arm]


def metrics() -> Words:
    from xlqa.records import TASK_METRICS

    return [*dict.fromkeys(metric for known in TASK_METRICS.values() for metric in known), "both", "all"]


def scorers() -> Words:
    from xlqa.tasks.qa.scorers import SCORER_NAMES

    return SCORER_NAMES


def columns() -> Words:
    from xlqa.records import EVERY_COLUMN

    return EVERY_COLUMN


def models() -> Words:
    from xlqa.data.hub import KNOWN, PACKAGED

    return [*PACKAGED, *KNOWN]


def trackers() -> Words:
    from xlqa.track.send import PACKAGES

    return list(PACKAGES)


def runs() -> Words:
    """The runs of the sweep in this folder, and of those directly below it."""
    from xlqa.runs.paths import Layout, subfolders

    here = Path()
    layouts = [Layout(here), *map(Layout, subfolders(here))]
    return [str(run.path) for layout in layouts for run in (*layout.run_folders(), *layout.source_folders())]


def sweeps() -> Words:
    """The sweeps directly below this folder."""
    from xlqa.runs.paths import subfolders

    return [path.name for path in subfolders(Path()) if (path / "runs").is_dir() or (path / "results.csv").is_file()]


def _constant(*words: str) -> Callable[[], Words]:
    return lambda: words


def _choices() -> Iterator[tuple[str, Callable[[], Words]]]:
    """The settings that take one of a few words."""
    for name, setting in SETTINGS.items():
        if setting.python.startswith("Literal"):
            yield flag(name), _constant(*re.findall(r'"(.*?)"', setting.python))


COMPLETERS: dict[str, Callable[[], Words]] = {
    **dict(_choices()), "--lang": languages, "--task": tasks, "--arms": arms, "--metric": metrics, "--test": data_sets, "--model": models,
    "--source-train": data_sets, "--target-train": data_sets, "--target-test": data_sets, "--target-model": models,
    "--source": data_sets, "--device": _constant("auto", "cpu", "cuda"), "--split": _constant("test", "valid"),
    "--sizes": _constant("100", "1000", "10000", "full"), "--style": _constant(*STYLE_NAMES), "--what": _constant(*WHAT),
    "--pairs": _constant("mlqa", "mlqa.dev", "xquad"), "--scorer": _constant("squad"), "score --scorer": scorers,
    "--format": _constant(*COMPARE_FORMATS), "report --format": _constant(*FORMATS),
    "run folder": runs, "export run": runs, "track folder": sweeps, "track name": trackers,
    "evaluate folder": runs, "status folder": sweeps, "stop folder": sweeps, "rescore folder": sweeps,
    "collect folder": sweeps, "pack folder": sweeps, "plot tables": sweeps, "report tables": sweeps, "compare tables": sweeps,
    "explain tables": sweeps, "list_sweeps folder": sweeps, "clean folder": sweeps, "columns names": columns,
    "fetch names": sets_and_parts, "list_sets name": sets_and_parts, "score dataset": data_sets,
}  # fmt: skip
"""By flag; a command's function before it, or its argument, where they differ."""
