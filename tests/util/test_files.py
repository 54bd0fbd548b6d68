"""Files are written whole or not at all, with the permissions that the user's umask gives; devices are never read."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from xlqa.errors import XlqaError
from xlqa.util.files import file_sha256, filling, load_json, read_input, replacement, write_output

UMASK = 0o666 & ~0o022


@pytest.fixture(autouse=True)
def _usual_umask() -> None:
    os.umask(0o022)


def test_an_earlier_report_outlives_a_file_size_limit(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text("earlier", encoding="utf-8")
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from pathlib import Path\nfrom xlqa.errors import XlqaError\nfrom xlqa.util.files import write_output\n"
        "try:\n    write_output(Path(sys.argv[1]), bytes(100_000))\nexcept XlqaError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(report)], capture_output=True, text=True, check=True)
    assert f"--out {report}: cannot be written (File too large): choose another file." in done.stdout
    assert report.read_text(encoding="utf-8") == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_files_have_the_permissions_of_the_umask(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))  # as some libraries do

    with replacement(tmp_path / "weights") as draft:
        write(draft)
    with filling(tmp_path / "model") as folder:
        write(folder / "model.safetensors")
    for path in (tmp_path / "weights", tmp_path / "model" / "model.safetensors"):
        assert path.stat().st_mode & 0o777 == UMASK


def test_an_overwritten_file_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"old")
    (tmp_path / "a.json").chmod(0o600)
    with replacement(tmp_path / "a.json") as draft:
        draft.write_bytes(b"new")
        assert draft.stat().st_mode & 0o777 == 0o600
    write_output(tmp_path / "a.json", b"newer")
    assert (tmp_path / "a.json").read_bytes() == b"newer"
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_output(pipe, b"report")
    reader.join(10)
    assert read == [b"report"]
    assert pipe.is_fifo()


def test_a_link_is_written_through_to_the_users_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    write_output(tmp_path / "link", b"report")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"report"


def test_devices_are_never_read(tmp_path: Path) -> None:
    (tmp_path / "zero").symlink_to("/dev/zero")
    for read in (file_sha256, read_input):
        with pytest.raises(OSError, match="not a"):
            read(tmp_path / "zero")
    with pytest.raises(XlqaError, match="not a regular file"):
        load_json(tmp_path / "zero")


def test_a_pipe_without_a_writer_has_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_input(tmp_path / "pipe") == b""
    with pytest.raises(XlqaError, match="not a regular file"):
        load_json(tmp_path / "pipe")


def test_a_pipe_with_a_slow_writer_is_read_to_its_end() -> None:
    words = ["sh", "-c", "sleep 0.3; printf abc; sleep 0.3; printf def"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert read_input(Path(f"/dev/fd/{writer.stdout.fileno()}")) == b"abcdef"


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large.json").write_bytes(b" " * (2 << 20))
    with pytest.raises(XlqaError, match="is larger than 1 MiB"):
        load_json(tmp_path / "large.json", 1 << 20)
    with pytest.raises(OSError, match="larger than"):
        read_input(tmp_path / "large.json", 1 << 20)


@pytest.mark.parametrize("limited", [True, False])
def test_a_killed_worker_names_the_limit_that_may_have_ended_it(limited: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    import signal

    from xlqa.runs.execute.local import describe_signal

    hard = 100 if limited else resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda which: (hard, hard))
    said = describe_signal(signal.SIGKILL)
    assert ("ulimit -t" in said) == limited
    assert "out of memory" in said
    assert "ulimit -t" in describe_signal(signal.SIGXCPU)
    assert describe_signal(signal.SIGTERM) == "SIGTERM"
    assert describe_signal(int(signal.SIGRTMIN) + 6) == f"signal {int(signal.SIGRTMIN) + 6}"
