"""The pages in docs/ are correct: their commands work, their links resolve, and their scripts parse."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
from documents import ROOT, Newcomer, check_request, quoted_commands, read_blocks, running_text

from xlqa import __version__
from xlqa.cli.app import app
from xlqa.data.registry import default_tests, find_part, part_names
from xlqa.tasks.qa.reading import read_dataset

PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
WRITTEN = [page for page in PAGES if page.name != "commands.md"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("tutorial.md", 18), ("cluster.md", 16), ("data.md", 6), ("python.md", 1)])
def test_every_command_on_the_page_works(
    name: str, least: int, tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newcomer = Newcomer(tmp_path / "home", encoder, monkeypatch)
    assert newcomer.follow(ROOT / "docs" / name) >= least


def test_a_prepared_study_waits_whole(
    tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    from xlqa.cli import main

    newcomer = Newcomer(tmp_path / "home", encoder, monkeypatch)
    blocks = read_blocks(ROOT / "docs" / "cluster.md")
    (newcomer.home / "experiment.toml").write_text(next(b.text for b in blocks if b.kind == "toml"), encoding="utf-8")
    newcomer.do("xlqa sweep --config experiment.toml --dry-run", "cluster.md")
    capsys.readouterr()
    assert main(["status", "study", "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["counts"]
    assert (counts["done"], counts["waiting"]) == (0, 2 * (1 + 2 * 2 * 2))


def test_the_designs_are_sweeps_that_can_start() -> None:
    from xlqa.runs.plan.request import build_request

    blocks = read_blocks(ROOT / "docs" / "designs.md")
    sweeps = [line for block in blocks for line in block.commands() if line.startswith("xlqa sweep")]
    requests = [check_request(shlex.split(line)[1:])["request"] for line in sweeps]
    requests += [build_request(tomllib.loads(block.text)) for block in blocks if block.kind == "toml"]
    assert len(requests) >= 6
    # The page's first two examples state the same rates, as flags and as a table.
    assert requests[0].lr == requests[-1].lr


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_commands_named_in_running_text_exist(page: Path) -> None:
    for words in quoted_commands(page):
        command: Any = typer.main.get_command(app)
        rest = list(words)
        while rest and hasattr(command, "commands") and rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        assert not rest or not hasattr(command, "commands") or rest[0].startswith("-"), f"no such command: {words}"
        known = {flag for param in command.params for flag in param.opts} | {"--install-completion"}
        unknown = [word for word in rest if word.startswith("--") and word not in known]
        assert not unknown, f"{page.name}: `xlqa {' '.join(words)}` uses {unknown}"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_flags_named_in_running_text_exist(page: Path) -> None:
    from xlqa.cli.reference import walk

    every = {
        flag for _, command in walk(typer.main.get_command(app), "xlqa") for p in command.params for flag in p.opts
    }
    named = set(re.findall(r"`(--[a-z-]+)", running_text(page)))
    of_others = {"--array", "--jobs", "--kinds", "--seed"}  # sbatch, scripts/faults
    assert named - every - of_others == set()


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_a_test_size_is_no_larger_than_the_registered_sets(page: Path) -> None:
    sweeps = [line for block in read_blocks(page) for line in block.commands() if line.startswith("xlqa sweep ")]
    for line in sweeps:
        if "--test-size" not in line:
            continue
        request = check_request(shlex.split(line)[1:])["request"]
        assert request.test_size is not None
        for language in request.languages:
            for name in request.target_test.get(language) or default_tests(language, request.task):
                if name in part_names() and (questions := find_part(name).questions) is not None:
                    assert request.test_size <= questions, f"{page.name}: {name} has {questions} questions: {line}"


def test_the_tutorial_has_a_test_size() -> None:
    assert "--test-size" in (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", running_text(page)):
        path, _, anchor = target.partition("#")
        if target.startswith("https://"):
            continue
        assert not path or (page.parent / path).exists(), f"{page.name} links to {target}"
        if not path:
            assert f"## {anchor.replace('-', ' ')}" in page.read_text(encoding="utf-8").lower()


def test_the_smallest_file_is_read_without_repairs(tmp_path: Path) -> None:
    (block,) = [block for block in read_blocks(ROOT / "docs" / "data.md") if block.kind == "json"]
    (tmp_path / "smallest.json").write_text(block.text, encoding="utf-8")
    reading = read_dataset(tmp_path / "smallest.json")
    assert len(reading.questions) == 1
    assert dict(reading.repairs) == {}


def test_the_changelog_knows_this_version() -> None:
    assert f"\n## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_method_says_the_defaults() -> None:
    from xlqa.curves.comparison import Options
    from xlqa.settings import SETTINGS

    defaults = {name: setting.default for name, setting in SETTINGS.items()}
    for name in ("max_length", "batch_size"):
        follows = SETTINGS[name].follows
        assert follows is not None
        defaults[name] = follows({"task": "qa"})
    text = " ".join((ROOT / "docs" / "method.md").read_text(encoding="utf-8").split())
    said = {
        "max_length": "at most 384 pieces", "min_steps": "minimum of 200 steps", "lr": "learning rate 3e-5",
        "batch_size": "Batches of 16 windows", "max_answer_length": "at most 30 pieces", "warmup": "10 % linear warmup",
    }  # fmt: skip
    values = {"max_length": 384, "min_steps": 200, "lr": 3e-5, "batch_size": 16, "max_answer_length": 30, "warmup": 0.1}
    for name, words in said.items():
        assert defaults[name] == values[name], f"docs/method.md is behind: {name}"
        assert words in text, f"docs/method.md no longer states {words!r}"
    options = Options()
    assert (options.margin, options.floor, options.resolve) == (1.0, 10.0, 1.0)
    for words in ("± 1 point", "below 10 % F1 (`--floor`)", "difference of 1 point"):
        assert words in text
