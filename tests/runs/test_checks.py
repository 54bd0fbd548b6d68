"""What is said before a sweep starts that its settings could spoil."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import xlqa
from xlqa.cli import main
from xlqa.runs.plan.checks import long_answers, slow_precision
from xlqa.runs.plan.planner import Plan

MakePlan = Callable[..., Plan]


def test_answers_too_long_for_any_prediction_are_said_with_what_would_hold_them(plan: MakePlan, tmp_path: Path) -> None:
    assert long_answers(plan(tmp_path / "a")) == []
    (line,) = long_answers(plan(tmp_path / "a", max_answer_length=1))
    found = re.match(
        r"(\d+)% of sample\.es\.test's answers are longer than 1 pieces of .*: raise --max-answer-length \((\d+) holds",
        line,
    )
    assert found
    assert int(found[1]) > 50
    assert long_answers(plan(tmp_path / "a", max_answer_length=int(found[2]))) == []


def test_every_test_set_is_looked_at_once(plan: MakePlan, tmp_path: Path) -> None:
    lines = long_answers(plan(tmp_path, max_answer_length=1, target_test=["sample.es.test", "sample.en.test"]))
    assert len(lines) == 2


def test_the_shortest_gold_answer_counts(plan: MakePlan, tmp_path: Path) -> None:
    context = "one two three four five six seven eight nine ten"
    answers = [{"text": context, "answer_start": 0}, {"text": "one", "answer_start": 0}]
    document = {
        "data": [{"paragraphs": [{"context": context, "qas": [{"id": "1", "question": "Which?", "answers": answers}]}]}]
    }
    file = tmp_path / "test.json"
    file.write_text(json.dumps(document))
    changes: dict[str, Any] = {"target_test": [str(file)], "test_size": None}
    assert long_answers(plan(tmp_path / "a", max_answer_length=8, **changes)) == []
    answers.pop()
    file.write_text(json.dumps(document))
    (line,) = long_answers(plan(tmp_path / "b", max_answer_length=8, **changes))
    assert line.startswith("100% of test's answers")


def test_the_command_and_the_function_say_it(
    settings: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = [part for key, value in settings.items() for part in (f"--{key.replace('_', '-')}", str(value))]
    assert main(["sweep", *flags, "--out", str(tmp_path / "a"), "--max-answer-length", "1", "--dry-run"]) == 0
    assert "% of sample.es.test's answers are longer than 1 pieces" in capsys.readouterr().err

    class NotRun(Exception):
        pass

    def refuse(*_: Any) -> None:
        raise NotRun

    monkeypatch.setattr("xlqa.runs.sweep.run_sweep", refuse)
    with pytest.warns(UserWarning, match="answers are longer than 1 pieces"), pytest.raises(NotRun):
        xlqa.sweep(**{**settings, "out": tmp_path / "b", "max_answer_length": 1})


def test_bf16_is_warned_of_where_it_is_emulated(
    plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {name: plan(tmp_path / name, precision=name) for name in ("bf16", "fp16", "fp32", "auto")}
    monkeypatch.setattr("xlqa.training.devices._cpu_has_bf16", lambda: False)
    (line,) = slow_precision(made["bf16"])
    assert line.startswith("--precision bf16: this processor has no bfloat16 arithmetic")
    (line,) = slow_precision(made["fp16"])
    assert line.startswith("--precision fp16: this processor has no fast float16 arithmetic")
    assert slow_precision(made["fp32"]) == slow_precision(made["auto"]) == []
    monkeypatch.setattr("xlqa.training.devices._cpu_has_bf16", lambda: True)
    assert slow_precision(made["bf16"]) == []
