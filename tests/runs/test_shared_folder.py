"""Several sweeps, dry runs and readers in one folder: nothing is counted twice, rewritten in vain, or removed from under another."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from executors import FixedExecutor, ScriptedSlot, in_process
from test_sweep import table

from xlqa.runs.execute.background import TableWriter
from xlqa.runs.execute.events import Failed
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.plan.planner import Plan
from xlqa.runs.store import table as tables
from xlqa.runs.store.results import is_trained
from xlqa.runs.store.run_config import read_config
from xlqa.runs.store.status import read_status
from xlqa.runs.sweep import prepare, run_sweep
from xlqa.util.locks import shared_lease, unless_leased

MakePlan = Callable[..., Plan]


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A finished sweep of the test's own."""
    out = tmp_path / "copied"
    shutil.copytree(finished, out, symlinks=True)
    return out


def changed_files(folder: Path, since: int) -> list[str]:
    """The files below a folder that were written since a moment."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_ctime_ns > since
    )


# ---- dry runs


def test_dry_runs_of_other_settings_do_not_stay_in_the_status(plan: MakePlan, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(plan(out, seeds=1))
    assert read_status(out).counts["waiting"] == 5
    prepare(plan(out, seeds=1, lr=2e-3, arms="target-only"))
    found = read_status(out)
    assert found.counts["waiting"] == 2
    assert found.stages == ()
    assert sum(group.runs for group in found.groups) == 2
    asked = plan(out, sizes="8", seeds=1)
    run_sweep(asked, executor=FixedExecutor(ScriptedSlot(lambda folder: Failed("no."))))
    found = read_status(out)
    assert [run.run_id for run in found.runs] == [run.run_id for run in found.in_state("failed") if run.arm != "source"]
    assert len(found.runs) == 3
    prepare(plan(out, sizes="16", seeds=1))
    assert len(read_status(out).runs) == 5  # three that failed, and two sizes more; zero-shot is the same run


def test_runs_that_began_are_counted_whoever_asked(copied: Path, plan: MakePlan) -> None:
    """As those of an earlier version, which recorded no requests."""
    prepare(plan(copied, lr=5e-3, arms="target-only"))
    counts = read_status(copied).counts
    assert (counts["done"], counts["waiting"]) == (9, 4)


# ---- starting again


def test_a_start_with_nothing_to_do_writes_the_tables_alone(plan: MakePlan, copied: Path) -> None:
    run_sweep(plan(copied), executor=in_process())
    time.sleep(0.05)
    since = time.time_ns()
    time.sleep(0.05)
    outcome = run_sweep(plan(copied), executor=in_process())
    assert (outcome.done_before, outcome.done_now) == (9, 0)
    written = [name for name in changed_files(copied, since) if not name.startswith("source/")]
    assert written == ["failures.csv", "requested.json", "results.csv"]


def test_a_start_writes_the_configs_of_its_own_pending_runs(plan: MakePlan, copied: Path) -> None:
    lost = next(copied.glob("runs/es-target-only-8-s1-*"))
    shutil.rmtree(lost / "eval")
    kept = {path: path.stat().st_mtime_ns for path in copied.glob("runs/*/config.json") if path.parent != lost}
    outcome = run_sweep(plan(copied, seeds=3), executor=in_process())
    assert (outcome.done_before, outcome.done_now) == (8, 5)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(copied.glob("runs/*/config.json"))) == 13


def test_a_damaged_config_of_a_pending_run_is_written_again(plan: MakePlan, copied: Path) -> None:
    folder = next(copied.glob("runs/es-target-only-8-s1-*"))
    shutil.rmtree(folder / "eval")
    (folder / "config.json").write_bytes((folder / "config.json").read_bytes()[:-100])
    assert run_sweep(plan(copied), executor=in_process()).done_now == 1
    assert read_config(RunFolder(folder)).sealed


# ---- the table


def test_the_table_is_written_at_intervals_that_grow_with_it(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 runs that end within a second cost one or two tables, not 300; and the last one has them all."""
    writes: list[float] = []
    real = tables.collect_results

    def slow(layout: Layout) -> tables.Collected:
        writes.append(time.monotonic())
        time.sleep(0.2)
        return real(layout)

    monkeypatch.setattr(tables, "collect_results", slow)
    with TableWriter(Layout(copied)) as writer:
        deadline = time.monotonic() + 5.0
        while time.monotonic() < deadline:
            writer.request()
            time.sleep(0.02)
    assert 1 <= len(writes) <= 2
    assert all(later - earlier >= 3.8 for earlier, later in itertools.pairwise(writes))


def test_a_collect_beside_a_sweep_loses_no_finished_run(copied: Path, finished: Path) -> None:
    """However many write the table at once, the one written last has every run that was finished before."""
    hidden = [path / "eval" for path in sorted(copied.glob("runs/*"))[:6]]
    for path in hidden:
        path.rename(path.with_name("away"))
    stop = threading.Event()

    def collect() -> None:
        while not stop.is_set():
            tables.write_results(Layout(copied))

    others = [threading.Thread(target=collect) for _ in range(2)]
    for thread in others:
        thread.start()
    for path in hidden:
        path.with_name("away").rename(path)
        found = tables.write_results(Layout(copied))
        assert len(table(copied)) >= len(found.rows)
    stop.set()
    for thread in others:
        thread.join()
    assert table(copied) == table(finished)


# ---- weights that another sweep uses


def test_weights_in_use_survive_keep_none(copied: Path, plan: MakePlan, capsys: pytest.CaptureFixture[str]) -> None:
    mine = plan(copied, keep="none")
    stage = mine.layout.source(mine.stages[0].source_id)
    with shared_lease(stage.path):
        run_sweep(mine, executor=in_process())
        assert is_trained(stage)
    assert "is kept: another sweep in this folder uses it." in capsys.readouterr().err
    assert not list(copied.glob("runs/*/model"))
    run_sweep(mine, executor=in_process())
    assert not stage.model.exists()
    assert not [path for path in copied.rglob(".*") if path.is_file()]


def test_a_lease_is_shared_and_ends_with_its_process(tmp_path: Path) -> None:
    with shared_lease(tmp_path), shared_lease(tmp_path), unless_leased(tmp_path) as is_free:
        assert not is_free
    assert list(tmp_path.iterdir()) == []
    code = (
        "import sys, pathlib; from xlqa.util.locks import shared_lease\n"
        "with shared_lease(pathlib.Path(sys.argv[1])): print('held', flush=True); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with unless_leased(tmp_path) as is_free:
        assert not is_free
    other.kill()
    other.wait()
    with unless_leased(tmp_path) as is_free:
        assert is_free
    assert list(tmp_path.iterdir()) == []
