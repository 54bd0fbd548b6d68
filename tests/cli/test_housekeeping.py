"""`xlqa list`, `stop` and `clean`: what sweeps keep, how another terminal ends one, and what may be removed."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from test_status import finish, prepare

from xlqa.cli import main
from xlqa.runs.paths import Layout
from xlqa.runs.store.marker import marked, running_sweeps
from xlqa.util.files import temporary_owner
from xlqa.util.locks import shared_lease, waiting_lock


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XLQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("XLQA_DATA", raising=False)
    for name, size in (("tokenised/a.windows", 300), ("data/xquad/xquad.ru.json", 50), ("encoders/e5/model", 7)):
        (tmp_path / "cache" / name).parent.mkdir(parents=True)
        (tmp_path / "cache" / name).write_bytes(b"x" * size)
    return tmp_path / "cache"


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """One finished run with weights, and one with a checkpoint."""
    root = tmp_path / "studies" / "ru"
    done, begun = prepare(root, "transfer", 100, 0), prepare(root, "target-only", 100, 0)
    finish(done, 60.0)
    done.model.mkdir()
    (done.model / "model.safetensors").write_bytes(b"w" * 2000)
    begun.checkpoint.write_bytes(b"c" * 1000)
    return root


def call(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_list_finds_sweeps_and_published_tables(sweep: Path, capsys: pytest.CaptureFixture[str]):
    published = sweep.with_name("published")
    published.mkdir()
    (published / "results.csv").write_text("run_id,lang,arm,size\na,sw,transfer,0\na,sw,transfer,0\nb,sw,joint,30\n")
    (sweep / "runs" / "stranger").mkdir()
    table, own = call(capsys, "list", sweep.parent)
    assert (own["folder"], own["tasks"], own["arms"]) == (str(sweep), ["qa"], ["transfer", "target-only"])
    assert (own["done"], own["runs"], own["weights_bytes"], own["checkpoints_bytes"]) == (1, 2, 2000, 1000)
    assert (table["done"], table["runs"], table["languages"], table["sizes"]) == (2, None, ["sw"], [0, 30])
    assert main(["list", str(sweep), "--runs"]) == 0
    shown = capsys.readouterr().out
    assert "1/2" in shown
    assert "ru-transfer-100-s0-0123456789     done" in shown


def test_a_link_is_not_followed(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "elsewhere").symlink_to(sweep.parent)
    assert [found["folder"] for found in call(capsys, "list", tmp_path)] == [str(sweep)]


def test_stop_reaches_a_sweep_of_another_terminal(sweep: Path, capsys: pytest.CaptureFixture[str]):
    holds, ended = threading.Event(), threading.Event()

    def run() -> None:
        with marked(sweep) as requested:
            holds.set()
            while not requested():
                ended.wait(0.01)

    thread = threading.Thread(target=run)
    thread.start()
    holds.wait()
    assert call(capsys, "stop", sweep) == {"folder": str(sweep), "stopped": [os.getpid()], "running": []}
    thread.join()
    assert not list(sweep.glob(".sweep*"))
    assert main(["stop", str(sweep)]) == 2
    assert "no sweep of this machine runs" in capsys.readouterr().err


def test_stop_that_is_not_heard_says_so(sweep: Path, capsys: pytest.CaptureFixture[str]):
    with marked(sweep) as requested:
        assert not requested()
        assert main(["stop", str(sweep), "--wait", "0"]) == 1
        assert requested()
    assert "has not ended yet" in capsys.readouterr().out


def test_a_sweep_of_another_machine_is_named_and_a_dead_one_is_not(sweep: Path, capsys: pytest.CaptureFixture[str]):
    (sweep / f".sweep.{temporary_owner()}.tmp").touch()
    assert running_sweeps(sweep) == [], "nobody holds the lock of this file"
    (sweep / ".sweep.node-7.example.0123abcd.77.1.tmp").touch()
    assert main(["stop", str(sweep)]) == 2
    assert "runs on node-7.example" in capsys.readouterr().err


def test_clean_shows_and_removes_nothing_unasked(sweep: Path, cache: Path, capsys: pytest.CaptureFixture[str]):
    items = {item["name"]: item for item in call(capsys, "clean", sweep)["items"]}
    assert items["tokenised sets"]["bytes"] == 300
    assert items["data set xquad"]["bytes"] == 50
    assert items["encoders"]["kept_because"] == "sweeps link to them"
    assert [item["bytes"] for item in items.values() if item["kind"] == "weights"] == [2000]
    assert main(["clean", str(sweep)]) == 0
    shown = capsys.readouterr().out
    assert "--caches frees 350 bytes" in shown
    assert "--weights frees 2.0 kB" in shown
    assert main(["clean", str(sweep), "--weights"]) == 2
    assert "add --yes" in capsys.readouterr().err
    assert (cache / "tokenised" / "a.windows").exists()


def test_clean_lists_data_sets_of_the_hub_and_of_several_files(cache: Path, capsys: pytest.CaptureFixture[str]):
    for name, size in (("hub/owner/name/name.jsonl", 7), ("packed/ner.jsonl", 9)):
        path = cache / "data" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * size)
    items = {item["name"]: item for item in call(capsys, "clean", cache)["items"]}
    assert items["data sets of the hub"]["bytes"] == 7
    assert items["data sets in several files"]["bytes"] == 9
    assert call(capsys, "clean", cache, "--caches", "--yes")["freed_bytes"] == 366


def test_clean_keeps_a_data_folder_of_the_users_own(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("XLQA_DATA", str(cache / "data"))
    items = {item["name"]: item for item in call(capsys, "clean", cache, "--caches", "--yes")["items"]}
    assert items["data set xquad"]["kept_because"] == "its folder was chosen by XLQA_DATA"
    assert list((cache / "data" / "xquad").iterdir())


def test_clean_frees_what_is_asked_for_and_keeps_results(sweep: Path, cache: Path, capsys: pytest.CaptureFixture[str]):
    results = sorted(sweep.glob("runs/*/eval/*/result.json"))
    assert call(capsys, "clean", sweep, "--caches", "--checkpoints", "--weights", "--yes")["freed_bytes"] == 3350
    assert not list(sweep.glob("runs/*/model")) + list(sweep.glob("runs/*/checkpoint*")) + list(sweep.rglob(".*tmp"))
    assert sorted(sweep.glob("runs/*/eval/*/result.json")) == results != []
    assert [path.name for path in sorted(cache.iterdir())] == ["data", "encoders"]
    assert not list((cache / "data").iterdir())


@pytest.mark.parametrize("used", ["sweep", "run", "lease", "other host"])
def test_clean_keeps_what_is_used(sweep: Path, used: str, capsys: pytest.CaptureFixture[str]):
    folder = next(path.parent for path in sweep.glob("runs/*/model"))
    if used == "other host":
        (sweep / ".sweep.node-7.0123abcd.77.1.tmp").touch()
        main(["clean", str(sweep), "--weights", "--yes"])
    else:
        with {"sweep": marked(sweep), "run": waiting_lock(folder), "lease": shared_lease(folder)}[used]:
            main(["clean", str(sweep), "--weights", "--yes"])
    assert (folder / "model" / "model.safetensors").stat().st_size == 2000


def test_clean_refuses_links_and_foreign_folders(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine")
    folder = next(path.parent for path in sweep.glob("runs/*/model"))
    (folder / "model" / "linked").symlink_to(mine)
    assert main(["clean", str(sweep), "--weights", "--yes"]) == 2
    assert "leads out of" in capsys.readouterr().err
    (folder / "model" / "linked").unlink()
    for name in ("model", "eval"):
        (Layout(sweep).runs / "stranger" / name).mkdir(parents=True)
    (Layout(sweep).runs / "stranger" / "model" / "own.bin").write_bytes(b"mine")
    (tmp_path / "cache" / "data" / "squad").symlink_to(mine)
    assert main(["clean", str(sweep), "--weights", "--caches", "--yes"]) == 0
    assert (mine / "thesis.txt").exists()
    assert (Layout(sweep).runs / "stranger" / "model" / "own.bin").exists()


def test_a_data_folder_of_ones_own_stays(sweep: Path, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("XLQA_DATA", str(tmp_path / "own"))
    (tmp_path / "own" / "xquad").mkdir(parents=True)
    (tmp_path / "own" / "xquad" / "xquad.ru.json").write_text("{}")
    assert main(["clean", str(sweep), "--caches", "--yes"]) == 0
    assert (tmp_path / "own" / "xquad" / "xquad.ru.json").exists()
