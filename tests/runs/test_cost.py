"""The work from which a sweep's time is estimated: pieces as training really cuts them, and parts that add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from xlqa.components.preprocessor import load_tokenizer
from xlqa.records import Arm
from xlqa.runs.execute.jobs import find_pending, make_jobs
from xlqa.runs.execute.progress import Progress
from xlqa.runs.plan.cost import TRAINING, Cost, count_pieces, count_questions, describe_plan
from xlqa.runs.plan.planner import Plan
from xlqa.tasks.qa.windows import WindowShape, make_windows

MakePlan = Callable[..., Plan]


@pytest.mark.parametrize(("max_length", "stride"), [(384, 128), (96, 32), (64, 16)])
def test_windows_are_counted_as_training_cuts_them(
    plan: MakePlan, tmp_path: Path, max_length: int, stride: int
) -> None:
    made = plan(tmp_path)
    encoder = made.encoders()[0]
    for loaded in made.sets.values():
        few = replace(loaded, questions=loaded.questions[:50])
        found = count_pieces(encoder, few, max_length, stride)
        contexts, asked = ([getattr(q, name) for q in few.questions] for name in ("context", "question"))
        windows = make_windows(load_tokenizer(encoder.folder), contexts, asked, WindowShape(max_length, stride))
        assert found.per_window == pytest.approx(float(windows.lengths.mean()))
        assert found.per_question == pytest.approx(float(windows.lengths.sum() / len(contexts)))


def test_an_encoder_without_a_tokenizer_file_is_guessed(plan: MakePlan, tmp_path: Path) -> None:
    made = plan(tmp_path / "out")
    (tmp_path / "bare").mkdir()
    loaded = next(iter(made.sets.values()))
    found = count_pieces(replace(made.encoders()[0], folder=tmp_path / "bare"), loaded, 384, 128)
    assert 0 < found.per_question == pytest.approx(loaded.mean_characters / 4)


def test_the_parts_of_a_plan(plan: MakePlan, tmp_path: Path) -> None:
    made = plan(tmp_path, arms="transfer,target-only,joint", sizes="0,8,16")
    cost = Cost(made)
    specs = {(spec.arm, spec.size): (spec, evals) for spec, evals in made.runs if spec.seed == 0}
    zero, evals = specs[Arm.TRANSFER, 0]
    assert cost.of_training(zero) == 0
    (test,) = evals
    counts = cost.pieces(zero.encoder, test.data.sha256)
    assert cost.of_evaluations(zero, evals) == pytest.approx(20 * counts.per_question)
    alone, joint = (cost.of_training(specs[arm, 8][0]) for arm in (Arm.TARGET_ONLY, Arm.JOINT))
    spec = specs[Arm.TARGET_ONLY, 8][0]
    assert spec.target is not None
    assert alone == pytest.approx(TRAINING * 3 * 8 * cost.pieces(spec.encoder, spec.target.sha256).per_window)
    assert joint == pytest.approx(alone + cost.of_stage(made.stages[0]))


def test_of_a_validation_part_its_own_questions_count(plan: MakePlan, tmp_path: Path) -> None:
    made = plan(tmp_path, arms="target-only", sizes="8", valid_size=4)
    _, evals = made.runs[0]
    assert [(e.split, count_questions(made, [e])) for e in evals] == [("test", 20), ("valid", 4)]


def test_the_first_line_counts_source_stages_as_the_progress_does(plan: MakePlan, tmp_path: Path) -> None:
    made = plan(tmp_path, arms="transfer", sizes="8", seeds=2)
    pending = find_pending(made)
    assert describe_plan(made, pending).startswith("3 runs, 3 to do and 1 source stage, ")
    assert Progress(make_jobs(made, pending), pending.done).headline() == "0 of 4 done"


def test_time_left_counts_scoring_too(plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = plan(tmp_path, arms="target-only", sizes="8", seeds=2)
    pending = find_pending(made)
    jobs = make_jobs(made, pending)
    assert (len(jobs), pending.done) == (2, 0)
    first, second = jobs
    assert 0 < first.training < 1
    assert first.cost == second.cost

    clock = 0.0
    monkeypatch.setattr("xlqa.runs.execute.progress.time.monotonic", lambda: clock)
    shown = Progress(jobs, 0)
    first.state, first.progress = "running", first.training  # its training is over, its scoring is not
    clock = 60.0
    assert shown.seconds_left() == pytest.approx(60 / first.training * (2 - first.training))
