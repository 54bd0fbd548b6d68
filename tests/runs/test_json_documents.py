"""docs/json.md and what the commands print with --json: the same keys, for every command."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from xlqa.cli import main
from xlqa.cli.app import app
from xlqa.cli.reference import walk
from xlqa.data.sample import sample_path
from xlqa.runs.store.marker import marked

DOCUMENT = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")


def documented() -> dict[str, dict[str, bool]]:
    """By command: each key, and whether the document always has it."""
    found: dict[str, dict[str, bool]] = {}
    for section in re.split(r"^## ", DOCUMENT, flags=re.MULTILINE)[1:]:
        keys = found.setdefault(section.splitlines()[0], {})
        for names, meaning in re.findall(r"^\| (`.*?`) \| (.*) \|$", section, flags=re.MULTILINE):
            keys |= dict.fromkeys(re.findall("`(.*?)`", names), not meaning.startswith("optional"))
    return found


KEYS = documented()


def printed(value: Any, known: dict[str, bool], place: str = "") -> Iterator[str]:
    """The keys of a document, as deep as they are documented; `*` stands for names that are not documented."""
    if isinstance(value, list) and (not place or any(key.startswith(f"{place}[]") for key in known)):
        for item in value:
            yield from printed(item, known, f"{place}[]")
        if not value:
            yield f"{place}[]"
        return
    if isinstance(value, dict) and (not place or any(key.startswith(f"{place}.") for key in known)):
        for name, item in value.items():
            key = f"{place}.{name}" if place else name
            deeper = key in known or any(other.startswith((f"{key}.", f"{key}[]")) for other in known)
            yield from printed(item, known, key if deeper else f"{place}.*" if place else "*")
        return
    yield place


@contextlib.contextmanager
def a_running_sweep(root: Path) -> Iterator[None]:
    """A thread that holds a sweep's folder until it is asked to stop."""
    holds = threading.Event()

    def run() -> None:
        with marked(root) as requested:
            holds.set()
            while not requested():
                threading.Event().wait(0.01)

    thread = threading.Thread(target=run)
    thread.start()
    holds.wait()
    yield
    thread.join()


def test_every_command_is_documented() -> None:
    names = {name for name, _ in walk(typer.main.get_command(app), "xlqa")}
    assert names == {section.partition(" --")[0] for section in KEYS}


COMMANDS = {
    "xlqa plot": "plot . --out curve.png", "xlqa report": "report .", "xlqa compare": "compare . other", "xlqa status": "status",
    "xlqa list": "list", "xlqa run": "run RUN", "xlqa evaluate": "evaluate KEPT --test sample.es.test", "xlqa rescore": "rescore",
    "xlqa ask": "ask QUESTION CONTEXT --model KEPT", "xlqa collect": "collect", "xlqa pack": "pack . packed",
    "xlqa columns": "columns", "xlqa clean": "clean", "xlqa stop": "stop", "xlqa data list": "data list",
    "xlqa data check": "data check SAMPLE", "xlqa data stats": "data stats SAMPLE", "xlqa data convert": "data convert SAMPLE c.json",
    "xlqa export": "export KEPT exported", "xlqa features": "features", "xlqa score": "score answers.json SAMPLE --allow-missing",
    "xlqa sweep": "sweep SETTINGS",
    "xlqa sweep --dry-run": "sweep SETTINGS --dry-run --seeds 3",
}  # fmt: skip
"""What is run in the folder of a finished sweep. `data fetch`, `doctor`, `explain`, `track` and `--pairs` need a network, an extra or
more languages."""


@pytest.fixture
def here(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Path(shutil.copytree(finished, tmp_path / "sweep", symlinks=True))
    shutil.copytree(finished, root / "other", symlinks=True)
    (root / "answers.json").write_text("{}")
    monkeypatch.chdir(root)
    monkeypatch.setenv("XLQA_CACHE", str(tmp_path / "cache"))
    return root


@pytest.mark.parametrize("name", COMMANDS)
def test_a_document_has_the_keys_that_are_documented(
    name: str, here: Path, settings: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    kept = next(path.parent for path in sorted(here.glob("runs/*/model")))
    words = {
        "RUN": str(kept), "KEPT": str(kept), "SAMPLE": str(sample_path("es.test")), "QUESTION": "Where do capybaras live?",
        "CONTEXT": "Los capibaras viven en Brasil.",
    }  # fmt: skip
    command = [words.get(word, word) for word in COMMANDS[name].split() if word != "SETTINGS"]
    if "SETTINGS" in COMMANDS[name]:
        flags = [word for key, value in settings.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        command[1:1] = [*flags, "--out", str(here)]
    with a_running_sweep(here) if name == "xlqa stop" else contextlib.nullcontext():
        status = main([*command, "--json"])
    shown = capsys.readouterr()
    assert status in (0, 1), shown.err
    found = set(printed(json.loads(shown.out), KEYS[name]))
    empty = tuple(key for key in found if key.endswith("[]"))
    assert found - {*KEYS[name], *empty} == set(), "not documented"
    always = {key for key, there in KEYS[name].items() if there and not (empty and key.startswith(empty))}
    assert always - found == set(), "documented, and not there"
