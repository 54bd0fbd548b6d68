"""`xlqa ask`: which arguments are texts, and what a place in a file counts."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from xlqa.cli import main
from xlqa.cli.ask import sentences_last
from xlqa.predict import usual_window
from xlqa.tasks.qa.decoding import Span

VALUED = {"--top-k", "--model", "--context-file"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-5 degrees", "How cold?"], ["--", "-5 degrees", "How cold?"]),
        (["It was -5.", "-5?", "--json"], ["--json", "--", "It was -5.", "-5?"]),
        (["- a dash", "Q?", "--top-k", "3"], ["--top-k", "3", "--", "- a dash", "Q?"]),
        (["-heat is here", "Q?"], ["--", "-heat is here", "Q?"]),
        (["--model", "-5", "ctx", "-5"], ["--model", "-5", "--", "ctx", "-5"]),
        (["ctx", "-h"], ["ctx", "-h"]),
        (["--", "-5", "Q?"], ["--", "-5", "Q?"]),
        (["-", "Q?"], ["-", "Q?"]),
        (["ctx", "Q?", "--topk"], ["ctx", "Q?", "--topk"]),
    ],
)
def test_texts_with_a_dash_are_no_options(words: list[str], expected: list[str]) -> None:
    assert sentences_last(words, VALUED) == expected


@pytest.mark.parametrize(
    ("config", "window"),
    [
        ({"model_type": "bert", "max_position_embeddings": 512}, (384, 128)),
        ({"model_type": "bert", "max_position_embeddings": 128}, (128, 42)),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 130, "pad_token_id": 1}, (128, 42)),
        ({}, (384, 128)),
    ],
)
def test_a_foreign_model_is_read_in_windows_that_it_has_positions_for(
    config: dict[str, Any], window: tuple[int, int]
) -> None:
    assert usual_window(config) == window


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What a model is asked; its answer is the word "mill"."""
    seen: list[tuple[str, str]] = []

    def answer(context: str, question: str, **_: Any) -> list[Span]:
        seen.append((context, question))
        return [Span("mill", context.index("mill"), context.index("mill") + 4, 0.5)]

    monkeypatch.setattr("xlqa.predict.ask", answer)
    return seen


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("mark", [b"", "\ufeff".encode()])
def test_a_place_counts_the_files_own_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mark: bytes
) -> None:
    file = tmp_path / "windows.txt"
    file.write_bytes(mark + b"one\r\ntwo\r\nthree: the mill\r\n")
    assert main(["ask", "--context-file", str(file), "What?", "--json"]) == 0
    (span,) = json.loads(capsys.readouterr().out)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        assert opened.read()[span["start"] : span["end"]] == "mill"


def test_texts_with_a_dash_reach_the_model(asked: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "-5 degrees at the mill", "- What?", "--top-k", "2"]) == 0
    assert asked == [("-5 degrees at the mill", "- What?")]
    assert capsys.readouterr().out == "mill\n"


def test_the_context_on_stdin_keeps_its_line_ends(
    asked: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"the\r\nmill")))
    assert main(["ask", "-", "What?"]) == 0
    assert asked == [("the\r\nmill", "What?")]


@pytest.fixture
def labelled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a classifier is given; its label moves the cursor."""
    seen: list[str] = []

    def classify(*texts: str, **_: Any) -> list[tuple[str, float]]:
        seen.extend(texts)
        return [("\x1b[31mgood", 0.5)]

    monkeypatch.setattr("xlqa.predict.classify", classify)
    return seen


def test_a_label_cannot_steer_the_terminal(
    labelled: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\ufeffgut".encode()), encoding="ascii"))
    assert main(["ask", "--task", "sentiment", "-"]) == 0
    assert labelled == ["gut"]
    assert capsys.readouterr().out == "[31mgood\t0.5\n"


@pytest.mark.parametrize(
    ("words", "stdin", "message"),
    [
        (["-"], b"\xff abc", "the text on stdin is not UTF-8 text"),
        (
            ["a", "--context-file", "a.txt"],
            b"",
            "--context-file is for --task qa: write xlqa ask --task topic - < a.txt",
        ),
    ],
)
def test_what_another_task_cannot_take(
    words: list[str], stdin: bytes, message: str, labelled: list[str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
    assert main(["ask", "--task", "topic", *words]) == 2
    assert message in capsys.readouterr().err
    assert not labelled


def test_files_that_are_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    assert main(["ask", "--context-file", str(tmp_path / "latin.txt"), "What?"]) == 2
    assert "cannot be read as UTF-8 text" in capsys.readouterr().err
