"""What every command owes its user: help, examples, described options, a place in the reference, clean errors."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from xlqa import __version__
from xlqa.cli import ignore_interrupts, main
from xlqa.cli.app import app
from xlqa.cli.reference import RENDERERS, examples, walk
from xlqa.errors import XlqaError
from xlqa.records import EVERY_COLUMN

ROOT = Path(__file__).parents[2]
REFERENCE, KEYWORDS = ROOT / "docs" / "commands.md", ROOT / "xlqa" / "sweep_keywords.py"
COMMANDS = list(walk(typer.main.get_command(app), "xlqa"))
NAMES = [name for name, _ in COMMANDS]


def flags(command: Any) -> set[str]:
    return {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}


def test_the_commands_are_all_there() -> None:
    assert NAMES == [
        "xlqa sweep", "xlqa plot", "xlqa report", "xlqa compare", "xlqa ask", "xlqa status", "xlqa list", "xlqa stop", "xlqa run",
        "xlqa evaluate", "xlqa rescore",
        "xlqa collect", "xlqa pack", "xlqa export", "xlqa track", "xlqa columns", "xlqa features", "xlqa explain",
        "xlqa score", "xlqa doctor", "xlqa clean", "xlqa data list", "xlqa data fetch", "xlqa data check", "xlqa data stats", "xlqa data convert",
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=NAMES)
def test_a_command_states_what_it_does_and_shows_examples(name: str, command: Any) -> None:
    assert command.help
    assert command.help.strip().splitlines()[0].rstrip().endswith((".", ":", ",")) or len(command.help) > 80
    shown = examples(command)
    assert 2 <= len(shown) <= 3, f"{name} --help must end with two or three examples"
    for line in shown:
        words = shlex.split(line)
        assert name in line
        unknown = [w for w in words if w.startswith("--") and w.partition("=")[0] not in flags(command)]
        assert not unknown, f"an example of {name} uses {unknown}"


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=NAMES)
def test_every_option_is_described(name: str, command: Any) -> None:
    bare = [param.name for param in command.params if not param.help and param.name != "help"]
    assert not bare, f"{name} lets these stand without a word: {bare}"
    assert "--json" in flags(command), f"{name} reports, so it owes programs --json"


@pytest.mark.parametrize("name", NAMES)
def test_help_ends_with_the_examples(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    command = dict(COMMANDS)[name]
    assert main([*name.split()[1:], "--help"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    shown = examples(command)
    assert lines[-len(shown) :] == shown


def test_the_reference_is_current() -> None:
    for path in (REFERENCE, REFERENCE.with_name("columns.md"), KEYWORDS):
        assert path.read_text(encoding="utf-8") == RENDERERS[path.name](), (
            f"{path} is out of date: python -m xlqa.cli.reference docs/commands.md docs/columns.md xlqa/sweep_keywords.py"
        )


def test_every_column_of_every_task_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["columns", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [column["name"] for column in found] == list(EVERY_COLUMN)
    assert all(column["meaning"].endswith(".") and column["tasks"] for column in found)
    assert main(["columns", "f1_overlap"]) == 2
    assert "no column f1_overlap (did you mean" in capsys.readouterr().err


def test_the_citation_names_this_version() -> None:
    citation = (REFERENCE.parents[1] / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in citation


def test_the_front_page_groups_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for panel in ("Main commands", "Runs and results", "Data and scores", "This machine"):
        assert panel in out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"xlqa {__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nope"], "nope"),
        (["sweep", "--nope"], "--nope"),
        (["sweep", "--seeds"], "--seeds"),
        (["sweep", "--source-size", "many"], "--source-size"),
        (["ask"], "Missing argument"),
        (["evaluate", "run"], "--test"),
        (["status", "/nowhere/at/all"], "is not a sweep's folder"),
    ],
)
def test_bad_input_ends_with_status_2_and_one_clear_message(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (XlqaError("first\nsecond"), 2, "xlqa: first\nxlqa: second\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_ends_a_command_ends_it_cleanly(
    error: BaseException, status: int, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("xlqa.api.progress.read_status", fail)
    assert main(["status", "."]) == status
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("console", [False, True])
def test_an_interrupted_command_leaves_a_notebook_its_ctrl_c(console: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        ignore_interrupts()  # as a sweep that was stopped
        raise KeyboardInterrupt

    monkeypatch.setattr("xlqa.api.progress.read_status", fail)
    monkeypatch.setattr(sys, "argv", ["xlqa", "status", "."])
    before = signal.getsignal(signal.SIGINT)
    try:
        assert main(None if console else ["status", "."]) == 130
        assert signal.getsignal(signal.SIGINT) is (signal.SIG_IGN if console else before)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_shell_can_complete_the_commands() -> None:
    environment = os.environ | {"_XLQA_COMPLETE": "complete_bash", "COMP_WORDS": "xlqa re", "COMP_CWORD": "1"}
    script = Path(sys.executable).with_name("xlqa")
    done = subprocess.run([script], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.split() == ["report", "rescore"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_cannot_show_a_letter_stops_no_command(tmp_path: Path, encoding: str) -> None:
    data = tmp_path / "Бренна.json"
    data.write_text(
        '{"data": [{"paragraphs": [{"context": "Мара.", "qas": [{"id": "я", "question": "?", "answers": [{"text": "Иван"}]}]}]}]}'
    )
    code = "import sys; from xlqa.cli import main; sys.exit(main())"
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    for words in (
        ["data", "check", str(data)],
        ["data", "check", "--json", str(data)],
        ["score", str(data), str(data)],
    ):
        command = [sys.executable, "-c", code, *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding=encoding, check=False)
        assert done.returncode in (1, 2)
        assert "Traceback" not in done.stderr
        if "--json" in words:
            (report,) = json.loads(done.stdout)  # letters are escaped, not lost
            assert report["file"] == str(data)
        elif "check" in words:
            assert "?????.json" in done.stdout
