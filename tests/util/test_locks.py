"""Locks hold across processes, end with their owner, and leave no file."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

from xlqa.util.files import remove_stale_files
from xlqa.util.locks import is_locked, waiting_lock


def count_up(folder: Path, times: int) -> None:
    """Read and write a number again and again, under the lock."""
    for _ in range(times):
        with waiting_lock(folder):
            number = int((folder / "number").read_text(encoding="utf-8"))
            (folder / "number").write_text(str(number + 1), encoding="utf-8")


def hold(folder: Path) -> None:
    with waiting_lock(folder):
        (folder / "held").touch()
        time.sleep(60)


def test_no_two_processes_hold_a_folder(tmp_path: Path) -> None:
    (tmp_path / "number").write_text("0", encoding="utf-8")
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=count_up, args=(tmp_path, 100)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert (tmp_path / "number").read_text(encoding="utf-8") == "400"
    assert [path.name for path in tmp_path.iterdir()] == ["number"]


def test_a_killed_owner_holds_nothing(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=hold, args=(tmp_path,))
    process.start()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    assert is_locked(tmp_path)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    assert not is_locked(tmp_path)
    remove_stale_files([tmp_path])
    assert [path.name for path in tmp_path.iterdir()] == ["held"]
    with waiting_lock(tmp_path, lambda: (_ for _ in ()).throw(AssertionError("nobody holds it"))):
        assert is_locked(tmp_path)


def test_asking_changes_nothing(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    assert not is_locked(tmp_path / "missing")
    assert list(tmp_path.iterdir()) == []
