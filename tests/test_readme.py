"""Every command of the README works: the tests run each one with small data and a tiny encoder."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import ROOT, Newcomer, read_blocks

README = ROOT / "README.md"


@pytest.mark.slow
def test_every_command_on_the_front_page_works(
    tmp_path: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    newcomer = Newcomer(tmp_path / "home", encoder, monkeypatch)
    assert newcomer.follow(README) >= 11
    out = capsys.readouterr().out
    assert "This sweep can start." in out
    assert "what is English worth?" in out
    assert (newcomer.home / "ru" / "curve.png").is_file()
    rows = (newcomer.home / "uk" / "results.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + 2 * (1 + 2 * 2 * 2)  # two test sets; zero-shot, and two arms at two sizes with two seeds


def test_it_leads_with_the_question_and_two_commands() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.index("**How many labelled questions") < 30
    first = next(block for block in read_blocks(README) if block.kind == "console")
    assert list(first.commands()) == ["scripts/demo", "scripts/test"]


def test_every_config_is_listed() -> None:
    text = (ROOT / "docs" / "deeppavlov.md").read_text(encoding="utf-8")
    for config in (ROOT / "configs").glob("*.json"):
        assert f"| `{config.stem}` |" in text
