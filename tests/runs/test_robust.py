"""What must not go wrong on shared machines: races, moved names, broken weights, odd settings. Each case was seen once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest_runs import run_here
from test_sweep import table

from xlqa.cli import main
from xlqa.data.sample import sample_path
from xlqa.errors import XlqaError
from xlqa.runs.execute.events import Crashed, Event, Failed, RunOrder, to_json
from xlqa.runs.execute.jobs import find_pending, make_jobs
from xlqa.runs.execute.local import WorkerProcess, worker_environment
from xlqa.runs.execute.run import _Run, execute
from xlqa.runs.execute.worker import is_cuda_error
from xlqa.runs.paths import Layout
from xlqa.runs.plan.planner import Plan
from xlqa.runs.plan.request import build_request, read_experiment
from xlqa.runs.store.failures import collect_failures
from xlqa.runs.store.rescore import rescore
from xlqa.runs.store.results import is_trained, read_result
from xlqa.runs.store.setup import lay_out, write_run_config
from xlqa.runs.store.table import refuse_equal_rows
from xlqa.runs.sweep import prepare, run_sweep
from xlqa.util.files import read_json, write_json
from xlqa.util.locks import waiting_lock

MakePlan = Callable[..., Plan]


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A finished sweep of the test's own."""
    out = tmp_path / "copied"
    shutil.copytree(finished, out, symlinks=True)
    return out


def test_a_config_that_is_rewritten_during_a_run_changes_nothing(plan: MakePlan, tmp_path: Path) -> None:
    shutil.copyfile(sample_path("es.test"), tmp_path / "mine.json")
    mine = plan(tmp_path / "out", arms="target-only", sizes="8", seeds=1, target_test=str(tmp_path / "mine.json"))
    lay_out(mine)
    (spec, evals), folder = mine.runs[0], None
    folder = write_run_config(mine, spec, evals)

    def rewrite(event: Event) -> None:
        other = json.loads(folder.config.read_bytes())
        other["dataset_reader"]["tests"][0] |= {"name": "other", "path": "{ROOT}/data/none.json", "sha256": "0" * 64}
        write_json(folder.config, other)

    execute(folder, keep=False, listen=rewrite, device="cpu")
    record = read_result(folder.evaluation(evals[0].eval_id(spec.common)))
    assert record is not None
    assert record.test.data.name == "mine"
    assert rescore(tmp_path / "out").rows[0]["questions"] == 20


def test_evaluations_stay_in_a_config(copied: Path, plan: MakePlan) -> None:
    kept = next(copied.glob("runs/es-transfer-16-s0-*"))
    assert main(["evaluate", str(kept), "--test", "sample.en.test", "--test-size", "5"]) == 0
    lay_out(plan(copied))
    config = read_json(kept / "config.json")
    names = {test["name"] for test in config["dataset_reader"]["tests"]}
    assert names == {"sample.es.test", "sample.en.test"}
    assert config["train"]["evaluation_targets"] == list(config["metadata"]["xlqa"]["evaluations"])
    pending = find_pending(plan(copied))
    assert (pending.runs, pending.stages, pending.done) == ((), (), 9)


def test_weights_asked_for_later_are_made(copied: Path, plan: MakePlan) -> None:
    everything = plan(copied, keep="all")
    assert len(find_pending(everything).runs) == 7  # eight trained runs, one of them kept before
    alone = next(copied.glob("runs/es-target-only-8-s1-*"))
    before = table(copied)
    (evaluation,) = Layout(copied).run(alone.name).evaluations()
    scored = (evaluation / "result.json").stat().st_mtime_ns
    assert main(["run", str(alone), "--keep", "--device", "cpu"]) == 0
    assert is_trained(Layout(copied).run(alone.name))
    assert (evaluation / "result.json").stat().st_mtime_ns > scored, "the scores are those of the weights beside them"
    assert main(["collect", str(copied)]) == 0
    assert table(copied) == before


def test_missing_weights_are_refused_with_the_commands_that_train_them(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = next(copied.glob("source/*"))
    zero = next(copied.glob("runs/es-transfer-0-s0-*"))
    transfer = next(folder for folder in copied.glob("runs/es-transfer-8-s0-*"))
    shutil.rmtree(transfer / "model", ignore_errors=True)

    def refusal(run: Path) -> str:
        assert main(["ask", "Mara vive.", "¿Quién?", "--model", str(run), "--device", "cpu"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    again = f"`xlqa run {transfer} --keep` trains it again."
    assert refusal(transfer) == f"xlqa: {transfer} has no weights: they were not kept. {again}"
    (weights,) = stage.glob("model/model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-4] + b"abcd")
    assert refusal(zero) == f"xlqa: {zero}: its weights are damaged. `xlqa run {stage}` trains it again."
    shutil.rmtree(stage / "model")
    assert refusal(zero) == f"xlqa: {zero} has no weights: they were not kept. `xlqa run {stage}` trains it again."
    assert refusal(transfer).endswith(f"they were not kept. `xlqa run {stage}` and then {again}")


def test_broken_source_weights_are_trained_again(copied: Path, plan: MakePlan) -> None:
    weights = next(copied.glob("source/*/model/model.safetensors"))
    weights.write_bytes(weights.read_bytes()[:100])
    more = plan(copied, seeds=3)
    jobs = make_jobs(more, find_pending(more))
    assert [job.folder.is_source for job in jobs] == [True, False, False, False, False]


def test_variables_of_the_stock_command_do_not_redirect(
    plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("DP_ROOT", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("DP_DEVICE", "cuda:9")
    run_here(plan(tmp_path / "out", arms="target-only", sizes="8", seeds=1))
    assert len(table(tmp_path / "out")) == 1
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_encoder_that_changed_is_refused(
    plan: MakePlan, tmp_path: Path, encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "encoder"
    shutil.copytree(encoder, mine)
    prepared = plan(tmp_path / "out", arms="target-only", sizes="8", seeds=1, model=str(mine))
    lay_out(prepared)
    config = read_json(mine / "config.json")
    write_json(mine / "config.json", config | {"hidden_dropout_prob": 0.5})
    assert main(["run", str(prepared.layout.run(prepared.runs[0][0].run_id).path)]) == 2
    assert "configuration, weights or tokenizer differ" in capsys.readouterr().err


def test_a_renamed_test_file_is_the_same_evaluation(copied: Path, plan: MakePlan, tmp_path: Path) -> None:
    shutil.copyfile(sample_path("es.test"), tmp_path / "renamed.json")
    renamed = plan(copied, target_test=str(tmp_path / "renamed.json"))
    assert find_pending(renamed).runs == ()


def test_a_failure_of_before_counts_no_more(copied: Path) -> None:
    done = next(copied.glob("runs/es-target-only-8-s0-*"))
    write_json(done / "failure.json", {"run_id": done.name, "error": "old"})
    assert collect_failures(Layout(copied)) == []


def test_who_waits_for_a_folder_says_so(tmp_path: Path) -> None:
    import threading

    said, held, release = [], threading.Event(), threading.Event()

    def hold() -> None:
        with waiting_lock(tmp_path):
            held.set()
            release.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)

    def wait() -> None:
        said.append("waiting")
        release.set()

    with waiting_lock(tmp_path, wait):
        assert said == ["waiting"]
    thread.join()


def test_experiment_files_take_tables_and_names_with_commas(tmp_path: Path) -> None:
    for name in ("a, b.json", "zh.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    path = tmp_path / "experiment.toml"
    path.write_text('lang = "ru,zh"\n[target_train]\nru = "a, b.json"\nzh = "zh.json"\n', encoding="utf-8")
    request = build_request(read_experiment(path))
    assert request.target_train == {"ru": str(tmp_path / "a, b.json"), "zh": str(tmp_path / "zh.json")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_length": "abc"}, "--max-length abc: give a whole number"),
        ({"sizes": "10k"}, "--sizes 10k: give a whole number or full."),
        ({"lang": "rus"}, "--lang rus: did you mean ru?"),
        ({"lang": "ru,rus"}, "--lang rus: did you mean ru?"),
        ({"min_steps": float("inf")}, "--min-steps inf: give a whole number"),
        ({"seeds": "18446744073709551616,"}, "--seeds"),
        ({"allow_overlap": "false"}, "--allow-overlap false: give true or false"),
    ],
)
def test_odd_settings_are_one_clear_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(XlqaError, match=message):
        build_request({"lang": "ru"} | changes)


def test_nothing_to_run_is_said(plan: MakePlan, tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match="nothing to run"):
        plan(tmp_path / "out", arms="target-only", sizes="0")


def test_text_that_is_no_unicode_is_refused(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XLQA_HOME", str(finished))
    assert main(["ask", "caf\udce9", "who"]) == 2
    assert "not UTF-8" in capsys.readouterr().err


def test_a_worker_that_cannot_start_says_why(plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xlqa.runs.sweep import run_sweep

    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "queue.py").write_text("raise SystemExit('no library here')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    outcome = run_sweep(plan(tmp_path / "out", arms="target-only", sizes="8", seeds=1))
    assert outcome.rows == 0
    assert [error for _, error in outcome.failures] == [
        "the worker ended unexpectedly (exit status 1): no library here."
    ]


def start_worker(tmp_path: Path) -> list[Event]:
    """What a worker reports of a run whose folder does not exist."""
    worker = WorkerProcess("cpu")
    try:
        return list(worker.execute(RunOrder(str(tmp_path / "runs" / "none"), False, 0.0)))
    finally:
        worker.close()


def test_a_worker_imports_nothing_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("queue.py", "xlqa.py"):
        (tmp_path / name).write_text("raise SystemExit('from the current folder')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", "") + os.pathsep)
    (ending,) = start_worker(tmp_path)
    assert isinstance(ending, Failed)
    assert ending.error.startswith("FileNotFoundError")


def test_a_worker_runs_the_same_xlqa_and_sees_the_users_python_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another xlqa on PYTHONPATH is not used, whatever else is there is."""
    (tmp_path / "xlqa").mkdir()
    (tmp_path / "xlqa" / "__init__.py").write_text("raise SystemExit('another xlqa')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (ending,) = start_worker(tmp_path)
    assert isinstance(ending, Failed)
    (tmp_path / "queue.py").write_text("raise SystemExit('from PYTHONPATH')", encoding="utf-8")
    (ending,) = start_worker(tmp_path)
    assert ending == Crashed("the worker ended unexpectedly (exit status 1): from PYTHONPATH.")


@pytest.mark.parametrize(
    ("device", "variables", "visible"),
    [("cpu", {}, None), ("cuda:1", {}, "1"), ("cuda:1", {"CUDA_VISIBLE_DEVICES": "4,7"}, "7"), ("cuda", {}, None)],
)
def test_a_worker_sees_its_own_gpu_only(device: str, variables: dict[str, str], visible: str | None) -> None:
    environment, argument = worker_environment(variables, device)
    assert environment.get("CUDA_VISIBLE_DEVICES") == visible
    assert argument == device.partition(":")[0]


@pytest.mark.parametrize(
    ("message", "broken"),
    [
        ("CUDA error: device-side assert triggered", True),
        ("CUDA error: an illegal memory access was encountered", True),
        ("CUDA out of memory. Tried to allocate 2.00 GiB", False),
        ("the loss is not a number", False),
    ],
)
def test_a_worker_ends_after_an_error_that_leaves_its_gpu_unusable(message: str, broken: bool) -> None:
    wrapped = ValueError("training failed")
    wrapped.__cause__ = RuntimeError(message)
    assert is_cuda_error(RuntimeError(message)) is broken
    assert is_cuda_error(wrapped) is broken


def test_a_broken_worker_process_is_replaced(tmp_path: Path) -> None:
    """As it is after a device-side assert: the run fails, the next one gets a new process."""
    worker = WorkerProcess("cpu")
    worker.kill()
    reply = to_json(Failed("AcceleratorError: CUDA error", broken_worker=True))
    worker.process = subprocess.Popen(
        [sys.executable, "-c", f"input(); print({reply!r}, flush=True); input()"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    (ending,) = worker.execute(RunOrder(str(tmp_path), False, 0.0))
    assert isinstance(ending, Failed)
    assert not worker.is_alive()


def test_scores_of_earlier_weights_are_pending_when_a_new_training_is_interrupted(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = next(copied.glob("runs/es-transfer-16-s0-*"))
    assert main(["evaluate", str(kept), "--test", "sample.en.test", "--test-size", "5"]) == 0
    folder = Layout(copied).run(kept.name)
    assert all(read_result(path) for path in folder.evaluations())
    (folder.model / "model.safetensors").unlink()
    evaluate, scored = _Run.evaluate, []

    def interrupted(run: _Run, target: str) -> None:
        if scored:
            raise KeyboardInterrupt
        scored.append(target)
        evaluate(run, target)

    monkeypatch.setattr(_Run, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        execute(folder, keep=True, listen=lambda event: None, device="cpu")
    assert [read_result(path) is not None for path in folder.evaluations()].count(True) == 1
    monkeypatch.undo()
    execute(folder, keep=True, listen=lambda event: None, device="cpu")
    assert all(read_result(path) for path in folder.evaluations())


def test_runs_whose_rows_could_not_be_told_apart_are_refused_before_a_start(copied: Path, plan: MakePlan) -> None:
    refuse_equal_rows(plan(copied))
    more = plan(copied, seeds=3, sizes="8,16,24")
    refuse_equal_rows(more)
    other = plan(copied, min_steps=2)  # another source stage of as many steps: its zero-shot row has no column for this
    for start in (lambda: run_sweep(other), lambda: prepare(other)):
        with pytest.raises(
            XlqaError, match=r"has the run es-transfer-0-s0-\w+, and rows of es-transfer-0-s0-\w+ would have"
        ):
            start()


def test_a_dry_run_does_not_lift_the_guard_of_a_table(finished: Path, plan: MakePlan, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    shutil.copyfile(finished / "results.csv", tmp_path / "out" / "results.csv")
    made = plan(tmp_path / "out")
    for start in (lambda: prepare(made), lambda: run_sweep(made)):
        with pytest.raises(XlqaError, match=r"results\.csv would lose \d+ of its rows"):
            start()
    assert (tmp_path / "out" / "results.csv").read_bytes() == (finished / "results.csv").read_bytes()


def test_one_encoder_under_two_names_is_linked_under_both(plan: MakePlan, encoder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(encoder, tmp_path / "renamed"))
    made = plan(tmp_path / "out", arms="target-only,monolingual", target_model=str(other))
    assert {ref.name for ref in made.encoders()} == {encoder.name, other.name}
    lay_out(made)
    for spec, _ in made.runs:
        assert (tmp_path / "out" / made.layout.encoder(spec.encoder.name, spec.encoder.sha256)).is_dir()
