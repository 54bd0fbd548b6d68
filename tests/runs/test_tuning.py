"""`--tune`: a grid per arm on the validation part, recorded, and the sweep with what was chosen."""

from __future__ import annotations

import csv
from collections.abc import Callable
from math import nan
from pathlib import Path
from typing import Any

import pytest
from executors import in_process

from xlqa.errors import XlqaError
from xlqa.runs.plan.planner import Plan, make_plan
from xlqa.runs.plan.request import build_request
from xlqa.runs.specs import Hyper
from xlqa.runs.sweep import run_sweep
from xlqa.runs.tuning import Trial, choose, plan_tuning

MakePlan = Callable[..., Plan]

TUNED: dict[str, Any] = {
    "tune": "lr=1e-9,3e-3 min-steps=2,6", "tune_size": 8, "tune_seeds": 2, "valid_size": 6, "seeds": 3, "sizes": "8,16",
}  # fmt: skip


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_arm_is_tuned_at_one_size_on_the_validation_part_alone(plan: MakePlan, tmp_path: Path) -> None:
    tuning = plan_tuning(plan(tmp_path / "out", **TUNED))
    found = {
        (spec.arm.value, spec.size, spec.seed, spec.hyper.lr, spec.hyper.min_steps)
        for spec, _ in tuning.runs
        if spec.hyper
    }
    assert found == {
        (arm, 8, seed, lr, steps)
        for arm in ("transfer", "target-only") for seed in (0, 1) for lr in (1e-9, 3e-3) for steps in (2, 6)
    }  # fmt: skip
    assert len(tuning.runs) == 16
    assert {evaluation.split for _, evals in tuning.runs for evaluation in evals} == {"valid"}
    assert not tuning.kept


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any]) -> Path:
    out = tmp_path_factory.mktemp("tuned") / "out"
    run_sweep(make_plan(build_request(settings | TUNED | {"out": str(out), "sizes": "16"})), None, in_process())
    return out


def test_the_choice_is_recorded_and_used(tuned: Path) -> None:
    trials = read_csv(tuned / "tuning.csv")
    assert len(trials) == 2 * 4
    assert {row["size"] for row in trials} == {"8"}
    assert {row["seeds"] for row in trials} == {"0 1"}
    table = read_csv(tuned / "results.csv")
    for arm in ("transfer", "target-only"):
        of_arm = [row for row in trials if row["arm"] == arm]
        (chosen,) = [row for row in of_arm if row["chosen"] == "yes"]
        assert float(chosen["f1"]) == max(float(row["f1"]) for row in of_arm)
        for row in of_arm:
            runs = [
                r
                for r in table
                if (r["arm"], r["size"], r["lr"], r["min_steps"]) == (arm, "8", row["lr"], row["min_steps"])
            ]
            assert {r["split"] for r in runs} == {"valid"}, "a tuning run was scored on a test set"
            assert float(row["f1"]) == pytest.approx(sum(float(r["f1"]) for r in runs) / 2, abs=1e-4)
        main = [r for r in table if r["arm"] == arm and r["size"] == "16"]
        assert {(r["lr"], r["min_steps"]) for r in main} == {(chosen["lr"], chosen["min_steps"])}
        assert {r["split"] for r in main} == {"test", "valid"}
        assert len(main) == 2 * 3


def test_a_finished_tuning_is_not_repeated(tuned: Path, settings: dict[str, Any]) -> None:
    before = (tuned / "results.csv").read_bytes(), (tuned / "tuning.csv").read_bytes()
    outcome = run_sweep(
        make_plan(build_request(settings | TUNED | {"out": str(tuned), "sizes": "16"})), None, in_process()
    )
    assert (outcome.done_before, outcome.done_now) == (7, 0)
    assert before == ((tuned / "results.csv").read_bytes(), (tuned / "tuning.csv").read_bytes())


def test_the_best_mean_is_chosen_and_of_equal_ones_the_first() -> None:
    hypers = [Hyper(lr, 3.0, 16, 0.1, 200) for lr in (1e-5, 2e-5, 3e-5)]
    scores = {"f1": [(10.0, 40.0), (30.0, 30.0), (20.0, 40.0)], "em": [(0.0, 0.0), (0.0, 0.0), (9.0, 9.0)]}
    trials = [Trial(hyper, {name: each[k] for name, each in scores.items()}) for k, hyper in enumerate(hypers)]
    assert choose(trials).hyper.lr == 2e-5


def test_a_trial_without_a_score_is_never_chosen() -> None:
    """Entity F1 is undefined where nothing is gold and nothing predicted."""
    hypers = [Hyper(lr, 3.0, 16, 0.1, 200) for lr in (1e-5, 2e-5)]
    undefined, known = Trial(hypers[0], {"f1": (nan, 90.0)}), Trial(hypers[1], {"f1": (1.0, 2.0)})
    assert choose([undefined, known]) is known
    assert undefined.columns()["f1"] is None
    with pytest.raises(XlqaError, match="--tune: f1 is undefined on the validation part"):
        choose([undefined])


def test_another_task_is_tuned_by_its_own_metric(encoder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = {
        "task": "nli", "lang": "es", "model": str(encoder), "source_train": "sample.nli.en.train", "out": str(out),
        "target_train": "sample.nli.es.train", "target_test": "sample.nli.es.test", "test_size": 9, "arms": "target-only",
        "sizes": "12", "seeds": 1, "min_steps": 2, "epochs": 1.0, "batch_size": 8, "max_length": 48, "precision": "fp32",
        "device": "cpu", "tune": "lr=1e-9,3e-3", "tune_size": 12, "valid_size": 9,
    }  # fmt: skip
    run_sweep(make_plan(build_request(settings)), None, in_process())
    trials, table = read_csv(out / "tuning.csv"), read_csv(out / "results.csv")
    assert list(trials[0])[-4:] == ["accuracy", "accuracy_sd", "macro_f1", "chosen"]
    valid = {row["lr"]: row for row in table if row["split"] == "valid"}
    for row in trials:
        assert float(row["accuracy"]) == pytest.approx(float(valid[row["lr"]]["accuracy"]), abs=1e-4)
    best = max(trials, key=lambda row: float(row["accuracy"]))
    assert [row["chosen"] for row in trials].count("yes") == 1
    assert best["chosen"] == "yes"
    assert {row["lr"] for row in table if row["split"] == "test"} == {best["lr"]}


def test_a_table_of_an_experiment_file_is_a_grid() -> None:
    given = {"lang": "ru", "tune": {"lr": [3e-5, 1e-4], "epochs": [2]}, "tune_size": 300, "valid_size": 500}
    assert build_request(given).tune == {"lr": (3e-5, 1e-4), "epochs": (2.0,)}
    more = {"tune": "epochs=2,3 min_steps=10,20", "tune_size": 300, "valid_size": 500}
    assert build_request({"lang": "ru"} | more).tune == {"epochs": (2.0, 3.0), "min_steps": (10, 20)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tune": "lr=3e-5"}, "--tune needs the number of target questions"),
        ({"tune": "lr=3e-5", "tune_size": 9}, "add --valid-size"),
        ({"tune": "warmup=0.1"}, "--tune warmup: give values of lr, epochs, min_steps"),
        ({"tune": "lr"}, "--tune lr: give values of lr"),
        ({"tune": "lr=x"}, "--lr x: give a number"),
        ({"tune": "lr=transfer=3e-5"}, "all arms try the same values"),
        ({"tune": ["lr=3e-5", "lr=1e-4"]}, "--tune lr: is given twice"),
        (
            {"tune": "epochs=2,3", "tune_size": 300, "valid_size": 50},
            "--tune epochs: several values give the same number of updates at --tune-size 300, because --min-steps is 200",
        ),
    ],
)
def test_a_bad_grid_is_one_clear_line(changes: dict[str, object], message: str) -> None:
    with pytest.raises(XlqaError, match=message):
        build_request({"lang": "ru"} | changes)


def test_a_tuning_size_beyond_the_data_is_refused(plan: MakePlan, tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match="--tune-size asks for 10,000: lower it"):
        plan(tmp_path / "out", **TUNED | {"tune_size": 10_000})


def test_a_shard_waits_for_the_tuning_of_the_others(plan: MakePlan, tmp_path: Path) -> None:
    tuned_plan = plan(
        tmp_path / "out", **TUNED | {"arms": "target-only", "tune": "min_steps=2,3", "tune_seeds": 1, "seeds": 1}
    )
    with pytest.raises(
        XlqaError, match="1 of 2 tuning runs are not finished: the same command continues when they are"
    ):
        run_sweep(tuned_plan, (1, 2), in_process())
    assert not (tmp_path / "out" / "tuning.csv").exists()


def test_a_dry_run_estimates_the_tuning_and_the_sweep(
    settings: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from documents import as_flags

    from xlqa.cli import main

    out = tmp_path / "out"
    assert main(["sweep", *as_flags(settings | TUNED | {"out": str(out)}), "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("tuning\n")
    assert "then, for example with the settings given:" in text
    assert len(list((out / "runs").iterdir())) == 16, "the sweep's own runs have no settings yet"
