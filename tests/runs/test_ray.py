"""A Ray cluster of three nodes on this machine: one is lost mid-sweep, one does not see the sweep's folder; the table stays."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from test_sweep import command, sweep_words, table

from xlqa import __version__
from xlqa.cli import main
from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.ray.transfer import FilePart, Mirror, await_files, download_outputs, listing, needed_files
from xlqa.runs.store.results import is_trained, read_result
from xlqa.util.files import read_json

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray, the extra xlqa[ray], is missing")
TOKEN = "XLQA_TEST_CLUSTER"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("", 0))
        return int(found.getsockname()[1])


def _can_hide() -> bool:
    """Whether this user may give a process another view of the file system."""
    try:
        return (
            subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode
            == 0
        )
    except OSError:
        return False


@dataclass
class Cluster:
    """Nodes as `ray start` makes them, told apart by a variable in the environment of all their processes.

    Attributes:
        shared: the folder of the sweeps.
        caches: where a node's cache lies, below it a folder a node.
    """

    shared: Path
    caches: Path
    temporary: Path
    port: int = field(default_factory=_free_port)
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    nodes: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, name: str, *, hide: bool = False, **variables: str) -> None:
        """Start a node of one CPU; the first is the head."""
        words = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--node-name", name]
        words += ["--num-cpus", "1", "--disable-usage-stats", "--object-store-memory", str(10**8)]
        head = ["--head", "--port", str(self.port), "--include-dashboard=false", "--temp-dir", str(self.temporary)]
        words += ["--address", self.address] if self.nodes.keys() - {name} else head
        if hide:
            # A real file system without the sweep's folder, where that is allowed; elsewhere the node is told so.
            if _can_hide():
                cover = 'mount -t tmpfs none "$0" && exec "$@"'
                words = ["unshare", "-rm", "sh", "-c", cover, str(self.shared), *words]
            else:
                variables["XLQA_RAY_SHARED"] = "0"
        environment = (
            os.environ
            | {TOKEN: f"{self.token}-{name}", "RAY_worker_niceness": "0", "XLQA_CACHE": str(self.caches / name)}
            | variables
        )
        log = self.temporary / f"{name}.txt"
        for _ in range(2):  # on a busy machine Ray gives up before the node is there
            with log.open("wb") as out:
                node = subprocess.Popen(
                    words, stdout=out, stderr=out, env=environment, start_new_session=True, cwd=self.temporary
                )
            self.nodes.setdefault(name, []).append(node)
            _wait(lambda: b"Ray runtime started" in log.read_bytes() or node.poll() is not None, 120, f"node {name}")  # noqa: B023  # waited for here
            if node.poll() is None:
                return
            self.lose(name)
        pytest.fail(f"node {name}: {log.read_text()}")

    def processes(self, name: str = "", words: str = "") -> list[int]:
        """Processes of a node, or of all, with a word in their command line."""
        # Some of Ray's write their title over their environment, but they stay in their node's session.
        sessions = {str(node.pid) for key, nodes in self.nodes.items() if name in ("", key) for node in nodes}
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
                marked = f"{TOKEN}={self.token}-{name}".encode() in (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                if state != "Z" and (marked or session in sessions) and words.encode() in command:
                    found.append(int(folder.name))
        return found

    def workers(self, name: str = "") -> list[int]:
        return self.processes(name, "start_worker.py")

    def lose(self, name: str = "") -> None:
        """Kill all that runs on a node, as when its machine goes: the raylet, which would tell of the others, first."""
        for pid in [*self.processes(name, "raylet/raylet"), *self.processes(name)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        self.lose()
        for node in (node for nodes in self.nodes.values() for node in nodes):
            node.wait(20)
        _wait(lambda: not self.processes(), 20, "processes of Ray are left")
        shutil.rmtree(self.temporary, ignore_errors=True)


def _wait(condition: Callable[[], bool], seconds: float, message: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(message)
        time.sleep(0.1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes: two that see the sweeps' folder, and one that does not."""
    # Sockets need a short path.
    temporary = Path(tempfile.mkdtemp(prefix="xlqa-"))
    cluster = Cluster(tmp_path_factory.mktemp("shared"), tmp_path_factory.mktemp("caches"), temporary)
    try:
        cluster.start("head")
        cluster.start("near")
        cluster.start("far", hide=True)
        yield cluster
    finally:
        cluster.stop()


@dataclass
class Driver:
    """A sweep that runs in a process of its own, its words kept in a file."""

    process: subprocess.Popen[bytes]
    words: Path

    def said(self) -> str:
        return self.words.read_text(encoding="utf-8")

    def end(self, status: int = 0) -> dict[str, Any]:
        """Wait for the end; returns what it wrote to stdout, which is JSON and nothing else."""
        out, _ = self.process.communicate(timeout=400)
        assert self.process.returncode == status, self.said()
        return dict(json.loads(out)) if out else {}


def _sweep(cluster: Cluster, settings: dict[str, Any], out: Path, *more: str) -> Driver:
    words, hostile = out.with_suffix(".txt"), out.with_suffix(".cwd")
    # Neither the nodes nor the workers may import what lies in the driver's current folder.
    hostile.mkdir(exist_ok=True)
    for module in ("torch", "queue", "xlqa"):
        (hostile / f"{module}.py").write_text("raise SystemExit('from the current folder')", encoding="utf-8")
    safe = [sys.executable, "-P", *command()[1:]]
    with words.open("wb") as errors:
        process = subprocess.Popen(
            [*safe, *sweep_words(settings, out), "--launcher", "ray", "--json", *more], stdout=subprocess.PIPE,
            stderr=errors, env=os.environ | {"RAY_ADDRESS": cluster.address}, cwd=hostile,
        )  # fmt: skip
    return Driver(process, words)


def _answers(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.glob("runs/*/eval/*/predictions.json")}


@needs_ray
@pytest.mark.slow
def test_lost_node_killed_worker_and_far_node_leave_the_table_as_it_is(
    cluster: Cluster, settings: dict[str, Any], finished: Path
) -> None:
    out = cluster.shared / "lost"
    driver = _sweep(cluster, settings, out, "--ray-address", cluster.address)
    for node in ("near", "head"):
        _wait(lambda node=node: bool(cluster.workers(node)), 120, f"{node} got nothing to do")
    time.sleep(1.0)
    cluster.lose("near")
    for pid in cluster.workers("head"):
        os.kill(pid, signal.SIGKILL)
    answer = driver.end()
    assert "its node near was lost. The run is retried." in driver.said()
    assert "the worker was killed by SIGKILL (out of memory?). The run is retried." in driver.said()
    assert (answer["rows"], answer["done_now"], answer["failures"]) == (9, 9, [])
    assert table(out) == table(finished)
    assert _answers(out) == _answers(finished)
    # The far node was sent files, gave back results, and kept nothing.
    assert [*(cluster.caches / "far" / "ray").iterdir()] == []
    assert is_trained(next(RunFolder(path.parent) for path in out.glob("source/*/model")))
    assert {path.parent.name for path in out.glob("runs/*/model")} == {
        p.parent.name for p in finished.glob("runs/*/model")
    }
    assert {path.parent for path in out.glob("runs/*/log.txt")} == {
        path.parent for path in out.glob("runs/*/config.json")
    }
    assert not [path for path in out.rglob(".*") if path.is_file()]
    assert (out / "failures.csv").read_text(encoding="utf-8").count("\n") == 1
    assert cluster.workers() == []


@needs_ray
@pytest.mark.slow
def test_stopped_and_killed_drivers_cost_nothing_that_was_done(
    cluster: Cluster, settings: dict[str, Any], finished: Path
) -> None:
    out, some = cluster.shared / "killed", settings | {"sizes": "8"}
    driver = _sweep(cluster, some, out)
    _wait(lambda: bool(cluster.workers()), 120, "no worker began")
    driver.process.send_signal(signal.SIGTERM)
    assert driver.end(130) == {}
    assert "The same command resumes the sweep." in driver.said()
    _wait(lambda: not cluster.workers(), 20, "a worker outlived its driver that was stopped")
    driver = _sweep(cluster, some, out)
    _wait(lambda: _results(out) > 0, 240, "nothing was done")
    driver.process.kill()
    driver.process.wait()
    _wait(lambda: not cluster.workers(), 30, "a worker outlived its driver that was killed")
    done = _results(out)
    answer = _sweep(cluster, some, out).end()
    assert (answer["done_before"], answer["done_now"]) == (done, 5 - done)
    assert table(out) == [row for row in table(finished) if row["size"] in ("0", "8")]


def _results(out: Path) -> int:
    return sum(read_result(path.parent) is not None for path in out.glob("runs/*/eval/*/result.json"))


@needs_ray
@pytest.mark.slow
def test_another_version_of_xlqa_is_refused(cluster: Cluster, settings: dict[str, Any]) -> None:
    code = "import sys, xlqa; xlqa.__version__ = '9.9'; from xlqa.cli import main; sys.exit(main())"
    words = [*sweep_words(settings, cluster.shared / "odd"), "--launcher", "ray", "--ray-address", cluster.address]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert done.returncode == 2
    line = f"xlqa: --launcher ray: node far has xlqa {__version__}, this machine xlqa 9.9: install the same on both."
    assert done.stderr.splitlines()[-1] == line


@needs_ray
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--launcher", "ray", "--ray-address", "127.0.0.1:1"], "no Ray cluster answers at"),
        (["--launcher", "ray", "--ray-address", "nonsense"], "--ray-address nonsense: use HOST:PORT"),
        (["--launcher", "ray", "--ray-address", "ray://here:10001"], "start the sweep on a machine of the cluster"),
        (["--launcher", "slurm"], "--launcher slurm: choose from local, ray"),
        (["--ray-address", "auto"], "--ray-address auto: this needs --launcher ray"),
    ],
)
def test_no_cluster_is_one_line_at_once(
    words: list[str], message: str, settings: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    assert main([*sweep_words(settings, tmp_path / "out"), *words]) == 2
    assert message in capsys.readouterr().err
    assert time.monotonic() - began < 10
    assert not (tmp_path / "out").exists()


def test_without_ray_the_extra_is_named(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([*sweep_words(settings, tmp_path / "out"), "--launcher", "ray"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install 'xlqa[ray]'" in line


# ---- locks, without a cluster


@pytest.mark.parametrize("alone", [True, False])
def test_two_sweeps_of_a_machine_never_execute_one_run_at_once(alone: bool, tmp_path: Path) -> None:
    import threading

    from xlqa.runs.ray.executor import held_by_driver
    from xlqa.util.locks import is_locked

    folder = RunFolder(tmp_path / "runs" / "one")
    folder.path.mkdir(parents=True)
    entered = threading.Event()

    def enter() -> None:
        with held_by_driver(folder, alone):
            entered.set()

    second = threading.Thread(target=enter, daemon=True)
    with held_by_driver(folder, alone):
        second.start()
        assert not entered.wait(0.3)
        # A worker on this machine takes the run's folder itself: it must get it where the folder is shared.
        assert is_locked(folder.path) is alone
    assert entered.wait(10)


# ---- files that are sent, without Ray


def _parts(folder: RunFolder) -> list[FilePart]:
    from xlqa.util.files import known_sha256

    return [FilePart(name, known_sha256(path), path) for name, path in needed_files(folder).items()]


def test_a_run_goes_there_and_comes_back_whole(finished: Path, tmp_path: Path) -> None:
    run = next(Layout(finished).run(path.parent.name) for path in finished.glob("runs/es-transfer-16-*/model"))
    mirror = Mirror(tmp_path / "cache", "one")
    there = mirror.lay_out(f"runs/{run.id}", _parts(run), lambda path: path.read_bytes())
    for test in run.evaluations():
        assert read_result(there.path / "eval" / test.name) == read_result(test)
    assert is_trained(there)
    config = read_json(run.config)
    (data,) = config["dataset_reader"]["tests"]
    assert (there.root / data["path"].removeprefix("{ROOT}/")).is_file()
    (tmp_path / "home" / "runs" / run.id).mkdir(parents=True)
    home = RunFolder(tmp_path / "home" / "runs" / run.id)
    download_outputs(home, listing(there, weights=True), lambda name: (there.path / name).read_bytes())
    assert is_trained(home)
    assert [read_result(path) for path in home.evaluations()] == [read_result(path) for path in run.evaluations()]
    assert list(listing(there, weights=True))[-1].endswith("/result.json")
    mirror.close()
    assert [*(tmp_path / "cache").iterdir()] == []


def test_a_mirror_stays_while_one_holds_it_and_unused_ones_go(tmp_path: Path) -> None:
    (tmp_path / "left-over").mkdir()
    first, done = Mirror(tmp_path, "mine"), Mirror(tmp_path, "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    first.close()
    assert done.root.is_dir()
    done.close()
    assert [*tmp_path.iterdir()] == []


def test_what_arrives_broken_or_foreign_is_refused(finished: Path, tmp_path: Path) -> None:
    run = next(Layout(finished).run(path.name) for path in finished.glob("runs/es-target-only-8-s0-*"))
    mirror = Mirror(tmp_path / "cache", "one")
    with pytest.raises(XlqaError, match="another SHA-256"):
        mirror.lay_out(f"runs/{run.id}", _parts(run), lambda path: path.read_bytes()[:-1])
    home = RunFolder(tmp_path / "runs" / "x")
    home.path.mkdir(parents=True)
    sent = listing(run, weights=False)
    with pytest.raises(XlqaError, match="another SHA-256"):
        download_outputs(home, sent, lambda name: (run.path / name).read_bytes() + b" ")
    assert home.evaluations() == []
    for name in (
        "../config.json",
        "/etc/passwd",
        "eval/../result.json",
        "model/.hidden",
        "config.json",
        "eval/x/y/result.json",
    ):
        with pytest.raises(XlqaError, match="not a file of a run"):
            download_outputs(home, {name: "0" * 64}, lambda name: b"")


def test_a_file_that_shows_late_is_waited_for(tmp_path: Path) -> None:
    import hashlib
    import threading

    content, sha256 = b"{}", hashlib.sha256(b"{}").hexdigest()
    threading.Timer(0.3, lambda: (tmp_path / "late.json").write_bytes(content)).start()
    await_files(tmp_path, {"late.json": sha256}, 10.0)
    with pytest.raises(XlqaError, match="is the folder the same on all machines"):
        await_files(tmp_path, {"never.json": sha256}, 0.6)
