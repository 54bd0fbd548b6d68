"""What a wheel contains, read off pyproject.toml: no network, nothing is built."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "xlqa"
NEEDED = (
    "py.typed",
    "data/task_files.tsv",
    "data/sample/en.train.json",
    "data/sample/ner.es.test.conll",
    "data/sample/nli.es.test.jsonl",
)


def packaged_data() -> set[Path]:
    """The files that the globs of pyproject.toml put into a wheel beside the modules."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    return {path for pattern in settings["package-data"]["xlqa"] for path in PACKAGE.glob(pattern) if path.is_file()}


@pytest.mark.parametrize("name", NEEDED)
def test_a_wheel_has_the_data_that_commands_need(name: str) -> None:
    assert PACKAGE / name in packaged_data()


def test_every_file_below_the_package_reaches_a_wheel() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("the files under version control are known only in a git checkout")
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "xlqa"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    data = {ROOT / name for name in tracked if name and not name.endswith(".py")}
    assert data
    assert data <= packaged_data()


def test_every_folder_with_modules_is_a_package() -> None:
    """Setuptools finds packages by their __init__.py; a folder without one would be left out of the wheel."""
    lacking = {path.parent for path in PACKAGE.rglob("*.py") if not (path.parent / "__init__.py").is_file()}
    assert not lacking


def test_extras_are_pinned() -> None:
    """What an extra brings has a version in constraints.txt, so that an installation can be repeated."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    pins = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    wanted = {
        requirement.split(";")[0].split("=")[0].split(">")[0].strip().lower()
        for names in extras.values()
        for requirement in names
    }
    assert wanted - pins == {"mlflow-skinny"}, "pyproject.toml states why this one has no pin"
