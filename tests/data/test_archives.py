"""Archives are unpacked inside their folder, whole, or not at all."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from xlqa.data import archives
from xlqa.data.archives import unpack
from xlqa.errors import XlqaError

Entries = dict[str, bytes]

OUTSIDE = (
    "../evil", "data/../../evil", "a/../../../evil", "..", "/tmp/xlqa-evil", "..\\evil", "C:\\evil", "C:evil",
    "\\\\host\\evil",
)  # fmt: skip


def zipped(path: Path, entries: Entries) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in entries.items():
            bundle.writestr(name, content)
    return path


def tarred(path: Path, entries: Entries) -> Path:
    with tarfile.open(path, "w:gz") as bundle:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            bundle.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "set.archive"


@pytest.fixture(autouse=True)
def _folders(archive: Path) -> None:
    archive.parent.mkdir()


def everything(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*")}


@pytest.mark.parametrize("make", [zipped, tarred])
def test_plain_files_are_unpacked(archive: Path, make: Callable[[Path, Entries], Path]) -> None:
    entries = {"data/train.json": b"1" * 100_000, "data/deep/er/dev.json": b"2", "x.txt": b""}
    unpack(make(archive, entries), archive.parent / "set")
    for name, content in entries.items():
        assert (archive.parent / "set" / name).read_bytes() == content
    assert not [name for name in everything(archive.parent) if "unpacking" in name]


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_leaves_the_folder(
    archive: Path, make: Callable[[Path, Entries], Path], name: str, tmp_path: Path
) -> None:
    make(archive, {"good.json": b"good", name: b"evil"})
    with pytest.raises(XlqaError, match="would be written outside its folder: nothing was unpacked"):
        unpack(archive, archive.parent / "set")
    assert everything(tmp_path) == {"cache", "cache/set.archive"}
    assert not Path("/tmp/xlqa-evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_tar_are_refused(archive: Path, kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(archive, "w") as bundle:
        info = tarfile.TarInfo("inside")
        info.type = kind
        info.linkname = "/etc/passwd"
        bundle.addfile(info)
    with pytest.raises(XlqaError, match="is a link or a device"):
        unpack(archive, archive.parent / "set")
    assert everything(tmp_path) == {"cache", "cache/set.archive"}


def test_links_in_zip_are_refused(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as bundle:
        info = zipfile.ZipInfo("inside")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        bundle.writestr(info, "/etc/passwd")
    with pytest.raises(XlqaError, match="is a link or a device"):
        unpack(archive, archive.parent / "set")


def test_a_folder_entry_outside_is_refused(archive: Path) -> None:
    zipped(archive, {"../out/": b"", "good": b""})
    with pytest.raises(XlqaError, match="outside its folder"):
        unpack(archive, archive.parent / "set")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_given_twice_is_refused(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("a.json", "1")
        bundle.writestr("a.json", "2")
    with pytest.raises(XlqaError, match=r'names "a\.json" twice'):
        unpack(archive, archive.parent / "set")


@pytest.mark.parametrize("make", [zipped, tarred])
def test_bombs_are_not_unfolded(
    archive: Path, make: Callable[[Path, Entries], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make(archive, {"a": b"0" * 600_000, "b": b"0" * 600_000})
    monkeypatch.setattr(archives, "MAX_BYTES", 1_000_000)
    with pytest.raises(XlqaError, match="GiB of unpacked data"):
        unpack(archive, archive.parent / "set")
    monkeypatch.setattr(archives, "MAX_FILES", 1)
    with pytest.raises(XlqaError, match="has more than 1 files"):
        unpack(archive, archive.parent / "set")
    assert everything(tmp_path) == {"cache", "cache/set.archive"}


def test_a_zip_that_lies_about_its_size_is_found_out(archive: Path) -> None:
    zipped(archive, {"a": b"0" * 600_000})
    content = archive.read_bytes()
    # The sizes in both headers say 10 bytes instead of 600,000.
    archive.write_bytes(content.replace(struct.pack("<I", 600_000), struct.pack("<I", 10)))
    with pytest.raises(XlqaError, match="damaged"):
        unpack(archive, archive.parent / "set")


@pytest.mark.parametrize("make", [zipped, tarred])
def test_damaged_archives_leave_nothing(archive: Path, make: Callable[[Path, Entries], Path], tmp_path: Path) -> None:
    whole = make(archive, {"a.json": bytes(range(256)) * 500, "b.json": b"2" * 10_000}).read_bytes()
    for content in (whole[: len(whole) // 2], whole[:40] + b"\xff" * 200 + whole[240:], b"no archive at all", b""):
        archive.write_bytes(content)
        with pytest.raises(XlqaError, match=r"fetch it again|can't be unpacked"):
            unpack(archive, archive.parent / "set")
        assert everything(tmp_path) == {"cache", "cache/set.archive"}


def test_what_an_earlier_crash_left_is_no_hindrance(archive: Path) -> None:
    for name in ("set", ".set.unpacking"):
        (archive.parent / name).mkdir()
        (archive.parent / name / "old").write_text("old")
    unpack(zipped(archive, {"new": b"new"}), archive.parent / "set")
    assert everything(archive.parent / "set") == {"new"}


def test_a_password_is_said(archive: Path) -> None:
    zipped(archive, {"a": b"0"})
    content = bytearray(archive.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + flags] |= 1
    archive.write_bytes(bytes(content))
    with pytest.raises(XlqaError, match="is locked with a password"):
        unpack(archive, archive.parent / "set")
