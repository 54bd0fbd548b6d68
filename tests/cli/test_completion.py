"""What the shell offers after a tab, and which name a mistyped one is answered with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from xlqa.cli import main
from xlqa.cli.app import app
from xlqa.data.sample import sample_path
from xlqa.errors import did_you_mean, nearest

CAPYBARA = sample_path("ru").read_text(encoding="utf-8")
COMMAND = typer.main.get_command(app)


def offered(line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the fish shell would offer for the last word of a line."""
    monkeypatch.setenv("_XLQA_COMPLETE", "complete_fish")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
    with pytest.raises(SystemExit):
        COMMAND.main(args=[], prog_name="xlqa")
    return [word.partition("\t")[0] for word in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("xlqa sweep --lang sw", ["sw"]), ("xlqa sweep --lang ru,sw", ["ru,sw"]), ("xlqa sweep --task ne", ["ner"]),
        ("xlqa sweep --arms transfer,j", ["transfer,joint"]), ("xlqa sweep --target-test ru=xquad.r", ["ru=xquad.ro", "ru=xquad.ru"]),
        ("xlqa sweep --keep a", ["all"]), ("xlqa plot . --what wo", ["worth"]), ("xlqa report . --metric macro", ["macro_f1"]),
        ("xlqa report . --format h", ["html"]), ("xlqa data fetch sberq", ["sberquad", "sberquad.train", "sberquad.dev"]),
        ("xlqa columns f1_", ["f1_without_overlap"]), ("xlqa lis", ["list"]),
    ],
)  # fmt: skip
def test_values_are_completed(line: str, expected: list[str], capsys, monkeypatch):
    assert offered(line, capsys, monkeypatch) == expected


def test_runs_and_sweeps_of_the_folder_are_completed(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study" / "runs" / "ru-transfer-100-s0-0123456789").mkdir(parents=True)
    (tmp_path / "own-data").mkdir()
    run = "study/runs/ru-transfer-100-s0-0123456789"
    assert offered("xlqa evaluate stu", capsys, monkeypatch) == [run]
    assert offered("xlqa status s", capsys, monkeypatch) == ["study"]
    assert offered("xlqa sweep --source-train own", capsys, monkeypatch) == ["own-data/"], "files where no set fits"


def test_completing_imports_nothing_heavy():
    code = (
        "import os, sys\nos.environ |= {'_XLQA_COMPLETE': 'complete_bash', 'COMP_WORDS': 'xlqa sweep --target-test x', 'COMP_CWORD': '3'}\n"
        "sys.argv = ['xlqa']\nfrom xlqa.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    print('heavy:', *{'numpy', 'pandas', 'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "xquad.ru" in done.stdout
    assert done.stdout.splitlines()[-1].strip() == "heavy:"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("plot . --what gian", "did you mean gain?"), ("report . --format txt", "did you mean text"),
        ("sweep --lang ru --task topc", "did you mean topic?"), ("sweep --lang ru --arms transfr", "did you mean transfer?"),
        ("sweep --lang ru --keep non", "did you mean none or one?"), ("data fetch sqad", "did you mean sqac.dev or squad.dev?"),
        ("sweep --lang ru --precision bf17", "did you mean bf16"), ("score b.json a.json --scorer sqaud", "did you mean squad"),
    ],
)  # fmt: skip
def test_a_mistyped_name_is_answered_with_the_nearest(words: str, hint: str, tmp_path: Path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("a.json", CAPYBARA), ("b.json", "{}")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert main(words.split()) == 2
    assert hint in capsys.readouterr().err


def test_the_nearest_names_ignore_case_and_keep_their_spelling():
    assert nearest("sberquad.trian", ["SberQuAD.train", "squad.dev"]) == ["SberQuAD.train"]
    assert did_you_mean("zzz", ["squad"]) == ""
