"""--gradient-checkpointing changes memory: neither a run's identity nor its answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from xlqa.records import Arm
from xlqa.runs.execute.run import execute
from xlqa.runs.plan.planner import Plan
from xlqa.runs.store.setup import lay_out


def test_same_run_same_answers(finished: Path, plan: Callable[..., Plan], tmp_path: Path) -> None:
    asked, usual = plan(tmp_path, gradient_checkpointing=True), plan(tmp_path)
    assert [spec.run_id for spec, _ in asked.runs] == [spec.run_id for spec, _ in usual.runs]
    assert asked.stages[0].source_id == usual.stages[0].source_id
    lay_out(asked)
    folder = next(asked.layout.run(spec.run_id) for spec, _ in asked.runs if spec.arm is Arm.TARGET_ONLY)
    assert json.loads(folder.config.read_text(encoding="utf-8"))["train"]["gradient_checkpointing"] is True
    assert "gradient_checkpointing" not in (finished / "runs" / folder.id / "config.json").read_text(encoding="utf-8")
    execute(folder, keep=False, listen=lambda event: None, device="cpu")
    found = [sorted((root / "runs" / folder.id).glob("eval/*/predictions.json"))[0] for root in (tmp_path, finished)]
    assert found[0].read_bytes() == found[1].read_bytes()
