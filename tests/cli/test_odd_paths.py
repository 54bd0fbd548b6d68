"""Paths that the system refuses are one line, whatever the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlqa.cli import main

LONG = "a" * 256


@pytest.mark.parametrize(
    "words",
    [
        ["status", LONG], ["collect", LONG], ["rescore", LONG], ["pack", LONG, "out"], ["run", LONG], ["report", LONG],
        ["plot", LONG], ["ask", "context", "question", "--model", LONG], ["data", "stats", LONG], ["score", LONG, LONG],
        ["status", "loop"], ["collect", "loop/x"], ["rescore", "loop"], ["pack", "loop", "out"], ["run", "loop"],
        ["report", "loop"], ["evaluate", "loop", "--test", "loop"], ["score", "loop", "loop"],
        ["status", "~.json"], ["collect", "~nobody-of-that-name"], ["run", "~.json"],
    ],
    ids=lambda words: f"{words[0]} {words[1][:10]}",
)  # fmt: skip
def test_a_path_that_cannot_be_is_one_line(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("xlqa: ")


def test_an_out_that_is_not_utf8_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", "--lang", "es", "--out", "caf\udce9", "--dry-run"]) == 2
    assert "--out '" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
