"""results.csv from the records in runs/: dropped rows are reported, and a table with other rows is not replaced."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from faultinjection.records import TEST, make_row, make_run_config, make_scored

from xlqa.cli import main
from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.results import read_result, write_evaluation
from xlqa.runs.store.run_config import write_config
from xlqa.runs.store.table import check_tables, write_results
from xlqa.util.files import sign, write_json


def finish(root: Path, seed: int) -> RunFolder:
    """A finished run of one question."""
    row = make_row(seed=seed, run_id=f"ru-target-only-8-s{seed}-0123456789")
    folder = Layout(root).run(row["run_id"])
    write_config(folder, make_run_config([row]))
    write_evaluation(folder.evaluation(row["eval_id"]), {"q0": "a"}, make_scored([50.0]), row, TEST)
    return folder


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Two finished runs and their table."""
    root = tmp_path / "sweep"
    for seed in (0, 1):
        finish(root, seed)
    write_results(Layout(root))
    return root


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command says that ends with exit status 2 and one line."""
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize("command", ["collect", "pack", "rescore"])
def test_a_table_without_its_runs_stays(command: str, sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = (sweep / "results.csv").read_bytes()
    (sweep / "runs").rename(sweep.parent / "elsewhere")
    if command == "collect":
        (sweep / "runs").mkdir()
    said = refused([command, str(sweep), *([str(sweep.parent / "out")] if command == "pack" else [])], capsys)
    assert "results.csv would lose 2 of its rows" in said or "no finished evaluation" in said
    assert (sweep / "results.csv").read_bytes() == table
    assert not (sweep.parent / "out" / "results.csv").exists()


def test_rows_that_disagree_with_their_hash_are_named(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = (sweep / "results.csv").read_bytes()
    changed = next(sweep.glob("runs/*-s0-*/eval/*/questions.csv"))
    changed.write_bytes(changed.read_bytes().replace(b"\n", b"\r\n"))  # as git does on some systems
    said = refused(["collect", str(sweep)], capsys)
    assert "would lose 1 of its rows" in said
    assert f"{changed} is missing or not the file that result.json was written with." in said
    assert (sweep / "results.csv").read_bytes() == table
    (sweep / "results.csv").unlink()
    assert main(["collect", str(sweep), "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["rows"] == 1
    assert err == f"xlqa: left out: {changed} is missing or not the file that result.json was written with.\n"


def test_a_foreign_table_stops_a_sweep_before_it_starts(sweep: Path) -> None:
    layout = Layout(sweep)
    check_tables(layout)
    finish(sweep, 2).path.rename(sweep.parent / "run")
    check_tables(layout)
    write_text = "f1,whatever\n1,2\n"
    for content in (write_text, "run_id,eval_id\nru-target-only-8-s9-0123456789,mine-0123456789\n", '"', "\0", "\xff"):
        layout.results.write_text(content, encoding="latin-1")
        with pytest.raises(XlqaError, match=r"results\.csv (is not a table that xlqa wrote|would lose 1 of its rows)"):
            check_tables(layout)
    layout.results.unlink()
    layout.failures.write_text("run_id\nmine\n", encoding="utf-8")
    with pytest.raises(XlqaError, match="names the run 'mine', which is not below this folder"):
        check_tables(layout)


def test_a_run_that_is_repeated_may_leave_the_table_meanwhile(sweep: Path) -> None:
    next(sweep.glob("runs/*-s0-*/eval/*/result.json")).unlink()
    check_tables(Layout(sweep))
    assert len(write_results(Layout(sweep)).rows) == 1


def test_the_later_of_two_tables_has_all_rows(sweep: Path) -> None:
    """`collect` while the last runs of a sweep end: whichever writes last has read all that the other wrote."""
    layout = Layout(sweep)

    def end_runs() -> None:
        for seed in range(2, 12):
            finish(sweep, seed)
            write_results(layout)

    ending = threading.Thread(target=end_runs)
    ending.start()
    while ending.is_alive():
        write_results(layout)
    ending.join()
    assert len(layout.results.read_text(encoding="utf-8").splitlines()) == 13
    assert not list(sweep.rglob("*.lock"))


WRONG = {
    "a list": [],
    "no files": {"row": make_row(), "test": TEST.to_json()},
    "row of another type": {"row": [1], "test": TEST.to_json(), "files": {}},
    "files of another type": {"row": make_row(), "test": TEST.to_json(), "files": 7},
    "files elsewhere": {"row": make_row(), "test": TEST.to_json(), "files": {"../../../victim": "a" * 64}},
    "size": {"row": make_row(size="8"), "test": TEST.to_json(), "files": {}},
    "score": {"row": make_row(f1=1e308), "test": TEST.to_json(), "files": {}},
    "no score": {"row": make_row(f1=None), "test": TEST.to_json(), "files": {}},
    "an unknown column": {"row": make_row(other=1), "test": TEST.to_json(), "files": {}},
    "data elsewhere": {"row": make_row(), "test": TEST.to_json() | {"data": {"path": "/etc/passwd"}}, "files": {}},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_record_of_another_shape_is_named(wrong: str, sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = next(sweep.glob("runs/*-s1-*/eval/*/result.json"))
    value: Any = WRONG[wrong]
    write_json(path, sign(value) if isinstance(value, dict) else value)
    assert read_result(path.parent) is None
    assert str(path) in refused(["collect", str(sweep)], capsys)
    assert main(["status", str(sweep)]) == 0


@pytest.mark.parametrize("name", ["predictions.json", "questions.csv", "result.json"])
def test_devices_and_pipes_are_not_read(name: str, sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = next(sweep.glob("runs/*-s1-*/eval/*")) / name
    path.unlink()
    path.symlink_to("/dev/zero")
    assert str(path) in refused(["collect", str(sweep)], capsys)
    path.unlink()
    os.mkfifo(path)
    assert str(path) in refused(["collect", str(sweep)], capsys)
    assert main(["status", str(sweep)]) == 0
    capsys.readouterr()
    assert str(path) in refused(["rescore", str(sweep)], capsys)


def test_nothing_linked_from_elsewhere_is_packed(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = sweep.parent / "secret"
    secret.write_text("step,loss\n", encoding="utf-8")
    log = next(sweep.glob("runs/*-s1-*")) / "train.csv"
    log.symlink_to(secret)
    said = refused(["pack", str(sweep), str(sweep.parent / "out")], capsys)
    assert f"{log} leads out of {sweep} by a symbolic link" in said
    assert not (sweep.parent / "out").exists()


def test_rescoring_writes_through_no_link(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluation = next(sweep.glob("runs/*-s1-*/eval/*"))
    victim = sweep.parent / "victim"
    evaluation.rename(victim)
    evaluation.symlink_to(victim)
    before = {path: path.read_bytes() for path in victim.iterdir()}
    assert f"{evaluation} leads out of" in refused(["rescore", str(sweep)], capsys)
    assert {path: path.read_bytes() for path in victim.iterdir()} == before
