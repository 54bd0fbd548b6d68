"""Tokenised sets on disk are the fresh ones bit for bit, and whatever is wrong with a file costs only time."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xlqa.components.preprocessor import WindowPreprocessor, load_tokenizer, tokenizer_identity
from xlqa.data.cache import tokenised_folder
from xlqa.tasks.qa.windows import Windows, WindowShape, make_windows
from xlqa.training import feature_cache as tokenised
from xlqa.training.context import SHARED
from xlqa.training.feature_cache import ARRAYS, name_set, prune, read_windows, share_windows, write_windows

NAME = "0" * 64
TEXT = st.text(alphabet="abc ñéü.,! жя人口河\u200d\u0301\U0001f600\n", max_size=90)


@pytest.fixture(scope="module")
def windows(encoder: Path) -> Windows:
    contexts = [f"mara lives in town {i} of the river " * 3 for i in range(40)]
    return make_windows(load_tokenizer(encoder), contexts, ["where mara lives"] * 40, WindowShape(48, 8))


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenised, "LEAST_QUESTIONS", 0)
    tokenised._say_once.cache_clear()


def same(a: Windows, b: Windows) -> bool:
    arrays = all(
        getattr(a, key).dtype == getattr(b, key).dtype and getattr(a, key).tobytes() == getattr(b, key).tobytes()
        for key in ARRAYS
    )
    return arrays and (a.questions, a.template) == (b.questions, b.template)


def stored(windows: Windows, folder: Path) -> Path:
    path = folder / f"{NAME}.windows"
    write_windows(path, NAME, windows)
    return path


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(TEXT, TEXT), max_size=5), length=st.integers(32, 64))
def test_from_disk_as_fresh(encoder: Path, tmp_path: Path, pairs: list[tuple[str, str]], length: int) -> None:
    fresh = make_windows(
        load_tokenizer_once(encoder), [c for c, _ in pairs], [q for _, q in pairs], WindowShape(length, 4)
    )
    found = read_windows(stored(fresh, tmp_path), NAME)
    assert found is not None
    assert same(fresh, found)
    assert not any(getattr(found, key).flags.writeable for key in ARRAYS)


def load_tokenizer_once(encoder: Path) -> Any:
    return SHARED.get(("tokenizer", "test_tokenised"), lambda: load_tokenizer(encoder))


def test_second_process_does_not_tokenise(windows: Windows) -> None:
    first = share_windows(NAME, 40, lambda: windows)
    assert same(share_windows(NAME, 40, never), windows)
    assert same(first, windows)
    assert not first.ids.flags.owndata  # mapped at once, so that processes share its memory
    assert [path.name for path in tokenised_folder().iterdir()] == [f"{NAME}.windows"]


def never() -> Windows:
    raise AssertionError("tokenised again")


def test_small_sets_are_not_worth_a_file(windows: Windows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenised, "LEAST_QUESTIONS", 41)
    assert share_windows(NAME, 40, lambda: windows) is windows
    assert not tokenised_folder().exists()


def flip(byte: int) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[byte] ^= 1
        path.write_bytes(content)

    return damage


def cut(share: float) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, int(path.stat().st_size * share))


def foreign_format(path: Path) -> None:
    """A whole and rightly signed file of another version."""
    line, _, rest = path.read_bytes().partition(b"\n")
    head = json.loads(line)
    del head["checksum"]
    head["format"] += 1
    head["checksum"] = tokenised._checksum(head)
    path.write_bytes(json.dumps(head).encode().ljust(len(line)) + b"\n" + rest)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "empty": cut(0), "half": cut(0.5), "last byte lost": lambda path: os.truncate(path, path.stat().st_size - 1),
    "head cut": cut(0.01), "bit in the head": flip(30), "bit in the arrays": flip(-2000), "bit in the padding": flip(-1),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0" * 64),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "not JSON": lambda path: path.write_bytes(b"\x93NUMPY" + bytes(100)),
    "JSON of another kind": lambda path: path.write_bytes(b"[1, 2]\n" + bytes(100)),
    "another version": foreign_format,
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_files_are_never_read_and_made_anew(damage: Callable[[Path], None], windows: Windows) -> None:
    share_windows(NAME, 40, lambda: windows)
    path = tokenised_folder() / f"{NAME}.windows"
    whole = path.read_bytes()
    damage(path)
    assert path.read_bytes() != whole
    assert read_windows(path, NAME) is None
    assert same(share_windows(NAME, 40, lambda: windows), windows)
    assert path.read_bytes() == whole


def test_a_file_under_another_name_is_not_read(windows: Windows, tmp_path: Path) -> None:
    path = stored(windows, tmp_path)
    assert read_windows(path, NAME) is not None
    assert read_windows(path, "1" * 64) is None


def test_all_that_decides_the_pieces_is_in_the_name(encoder: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(encoder, changed)
    identities = [tokenizer_identity(encoder)]
    (changed / "vocab.txt").write_text((encoder / "vocab.txt").read_text(encoding="utf-8") + "más\n", encoding="utf-8")
    identities.append(tokenizer_identity(changed))
    (changed / "config.json").write_text("{}", encoding="utf-8")
    identities.append(tokenizer_identity(changed))
    (changed / "odd.model").write_bytes(b"pieces")
    identities.append(tokenizer_identity(changed))
    shapes = [WindowShape(48, 8), WindowShape(48, 9), WindowShape(49, 8)]
    names = {name_set(identity, shape, texts) for identity in identities for shape in shapes for texts in ("a", "b")}
    assert len(names) == 4 * 3 * 2


def test_the_component_reads_what_another_process_left(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["mara lives in the town", "the river"], ["where", "what"]
    SHARED.clear()
    first = WindowPreprocessor(str(encoder), 48, 8)(*texts)
    SHARED.clear()
    monkeypatch.setattr("xlqa.tasks.qa.task.make_windows", never)
    assert same(WindowPreprocessor(str(encoder), 48, 8)(*texts), first)


def test_processes_that_write_at_once_do_no_harm(windows: Windows, tmp_path: Path) -> None:
    path = stored(windows, tmp_path)
    whole = path.read_bytes()
    others = [subprocess.Popen([sys.executable, "-c", WRITE_OFTEN, str(path), NAME]) for _ in range(2)]
    reads = 0
    while any(process.poll() is None for process in others):
        found = read_windows(path, NAME)
        assert found is not None
        assert same(found, windows)
        reads += 1
    assert [process.returncode for process in others] == [0, 0]
    assert reads
    assert path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]


WRITE_OFTEN = """
import sys
from pathlib import Path
from xlqa.training.feature_cache import read_windows, write_windows
path, name = Path(sys.argv[1]), sys.argv[2]
windows = read_windows(path, name)
for _ in range(100):
    write_windows(path, name, windows)
"""


def refuse(*args: object, **kwargs: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("obstacle", ["file", "rename", "nearly full"])
def test_a_folder_that_cannot_be_written_costs_one_line(
    obstacle: str, windows: Windows, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if obstacle == "file":
        tokenised_folder().parent.mkdir(parents=True)
        tokenised_folder().write_text("in the way", encoding="utf-8")
    elif obstacle == "rename":
        monkeypatch.setattr(Path, "replace", refuse)
    else:
        monkeypatch.setattr(tokenised, "SPARE_BYTES", 1 << 62)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert share_windows(NAME, 40, lambda: windows) is windows
    assert len(caplog.records) == 1
    assert str(tokenised_folder()) in caplog.text
    if tokenised_folder().is_dir():
        assert list(tokenised_folder().iterdir()) == []


def test_what_was_used_longest_ago_goes_first(windows: Windows, tmp_path: Path) -> None:
    paths = [tmp_path / f"{digit * 64}.windows" for digit in "0123"]
    for age, path in enumerate(paths):
        write_windows(path, path.stem, windows)
        os.utime(path, (1e9 - age, 1e9 - age))
    assert read_windows(paths[3], paths[3].stem) is not None  # now the newest
    mapped = read_windows(paths[2], paths[2].stem)
    os.utime(paths[2], (1, 1))
    prune(tmp_path, keep=paths[0], most_bytes=int(2.5 * paths[0].stat().st_size))
    assert sorted(tmp_path.iterdir()) == [paths[0], paths[3]]
    assert mapped is not None
    assert same(mapped, windows)  # whoever reads a dropped set goes on


def test_what_may_still_be_mapped_elsewhere_stays_longer(windows: Windows, tmp_path: Path) -> None:
    paths = [tmp_path / f"{digit * 64}.windows" for digit in "0123"]
    now = time.time()
    for age, path in enumerate(paths):
        write_windows(path, path.stem, windows)
        os.utime(path, (now - 3600 * age, now - 3600 * age))
    size = paths[0].stat().st_size
    prune(tmp_path, keep=paths[0], most_bytes=2 * size)
    assert sorted(tmp_path.iterdir()) == paths
    prune(tmp_path, keep=paths[0], most_bytes=int(1.5 * size))
    assert sorted(tmp_path.iterdir()) == paths[:3]
    os.utime(paths[2], (now - 8 * 24 * 3600, now - 8 * 24 * 3600))
    prune(tmp_path, keep=paths[0], most_bytes=2 * size)
    assert sorted(tmp_path.iterdir()) == paths[:2]


def test_half_written_files_of_the_dead_go_after_a_day(windows: Windows, tmp_path: Path) -> None:
    path = stored(windows, tmp_path)
    old, young = (tmp_path / f".{NAME}.windows.host.{pid}.1.tmp" for pid in (1, 2))
    for temporary in (old, young):
        temporary.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    prune(tmp_path, keep=path)
    assert sorted(tmp_path.iterdir()) == sorted([path, young])


def test_labels_and_batches_work_on_mapped_windows(windows: Windows, tmp_path: Path) -> None:
    from xlqa.training.batching import collate

    mapped = read_windows(stored(windows, tmp_path), NAME)
    assert mapped is not None
    ours, theirs = (collate(w, np.array([1, 5])) for w in (mapped, windows))
    assert all(bool((ours[key] == theirs[key]).all()) for key in theirs)
