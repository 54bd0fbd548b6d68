"""Hostile files of every kind: the short form of `scripts/faults --security`, and what its watch must see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from faultinjection.mutate import Mutator
from faultinjection.sandbox import Answer, Sandbox, Watched, make_victim
from faultinjection.security import KINDS

MUTANTS = 30
SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_hostile_files_are_taken_or_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    # In a process of its own: the sandbox forks, and a fork of a process in which torch has threads may never wake.
    words = ["--security", "--seed", "7", "--mutants", str(MUTANTS), "--kinds", kind, "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-m", "faultinjection", *words], cwd=SCRIPTS, capture_output=True, text=True, timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(SCRIPTS), str(SCRIPTS.parent)])},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_seed_gives_the_same_mutant(tmp_path: Path) -> None:
    texts = [Mutator("0-configs-1", tmp_path).json_text({"a": [1, {"b": "c"}]}, 3) for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0] != Mutator("0-configs-2", tmp_path).json_text({"a": [1, {"b": "c"}]}, 3)


def answers(work: Path, harm: object) -> Answer:
    """What the watch makes of a command that does something it must not, in a process of its own."""
    victim = make_victim(work / "victim")
    (work / "case").mkdir()

    def make() -> object:
        sandbox = Sandbox(work, victim)
        return lambda number: sandbox.run([harm], work / "case")  # type: ignore[list-item]  # one of the functions below

    watched = Watched(make, cpu_limit=2.0, start="fork")  # type: ignore[arg-type]  # as above
    try:
        return watched.answer(0)
    finally:
        watched.close()


def test_the_watch_sees_what_it_forbids(tmp_path: Path) -> None:
    outside, victim = tmp_path / "outside", tmp_path / "victim" / "file.json"

    def write() -> None:
        outside.write_text("x", encoding="utf-8")

    def overwrite() -> None:
        os.truncate(victim, 0)

    def start() -> None:
        os.system("true")

    def loop() -> None:
        while True:
            pass

    def fail() -> None:
        raise ValueError("torn")

    def die() -> None:
        os._exit(3)

    seen = {}
    for number, harm in enumerate((write, overwrite, start, fail, die, loop)):
        work = tmp_path / str(number)
        work.mkdir()
        seen[harm.__name__] = answers(work, harm).wrong
    assert f"open {outside}" in seen["write"]
    assert "os.truncate" in seen["overwrite"]
    assert "os.system" in seen["start"]
    assert "ValueError: torn" in seen["fail"]
    assert "exit status 3" in seen["die"]
    assert "it hangs" in seen["loop"]
