"""Unpacking zip and tar archives of unknown origin inside one folder, or not at all."""

from __future__ import annotations

import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from xlqa.errors import XlqaError
from xlqa.util.files import filling
from xlqa.util.text import first_line, plain

MAX_BYTES = 4 * 1024**3
MAX_FILES = 20_000
MOST_DEPTH = 50
MOST_NAME_BYTES = 255


ARCHIVE_ERRORS = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError,
    OverflowError, struct.error,
)  # fmt: skip
"""What the standard library raises for damaged archives; a damaged gzip or bz2 stream is an OSError without a path.

NotImplementedError is zipfile's answer to a compression that it does not have."""


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive into a folder that takes its name only when all of it is there.

    Raises:
        XlqaError: an entry that would leave the folder (`..`, an absolute path, a link), that is no plain file, too
            many or too large files, or a damaged archive. Nothing is left then.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with filling(folder) as draft:
        try:
            _write_entries(archive, draft)
        except (*ARCHIVE_ERRORS, OSError) as error:
            if isinstance(error, OSError) and error.filename is not None:
                raise
            raise XlqaError(
                f"{archive}: the archive is damaged or can't be unpacked ({first_line(error)}): fetch it again."
            ) from error


def _write_entries(archive: Path, folder: Path) -> None:
    written = 0
    for count, (name, stream) in enumerate(_entries(archive), start=1):
        if count > MAX_FILES:
            raise XlqaError(
                f"{archive}: has more than {MAX_FILES:,} files, so it is not a data set. Nothing was unpacked."
            )
        target = folder / _safe_name(name, archive)
        shown = plain(name, 80)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # "x": an archive that names a file twice could smuggle a second version past a check of the first.
            file = target.open("xb")
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            raise XlqaError(
                f'{archive}: names "{shown}" twice, or as file and folder: nothing was unpacked.'
            ) from error
        except OSError as error:
            raise XlqaError(
                f'{archive}: "{shown}" cannot be written ({error.strerror}): nothing was unpacked.'
            ) from error
        with file:
            while chunk := stream.read(1 << 20):
                written += len(chunk)
                if written > MAX_BYTES:
                    raise XlqaError(
                        f"{archive}: has more than {MAX_BYTES >> 30} GiB of unpacked data: nothing was unpacked."
                    )
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())


def _entries(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Names and contents of an archive's plain files, each refused if it is anything else."""
    if zipfile.is_zipfile(archive):
        yield from _zip_entries(archive)
    elif tarfile.is_tarfile(archive):
        yield from _tar_entries(archive)
    else:
        raise XlqaError(f"{archive}: is neither a zip nor a tar archive: fetch it again.")


def _zip_entries(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as bundle:
        for info in bundle.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise XlqaError(f'{archive}: "{plain(info.filename, 80)}" is a link or a device: nothing was unpacked.')
            if info.is_dir():
                _check_folder(info.filename, archive)
                continue
            if info.flag_bits & 1:
                raise XlqaError(f"{archive}: is locked with a password: unpack it by hand and name the file.")
            with bundle.open(info) as stream:
                yield info.filename, stream


def _tar_entries(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(archive) as bundle:
        for info in bundle:
            if info.isdir():
                _check_folder(info.name, archive)
                continue
            stream = bundle.extractfile(info) if info.isreg() else None
            if stream is None:
                raise XlqaError(f'{archive}: "{plain(info.name, 80)}" is a link or a device: nothing was unpacked.')
            with stream:
                yield info.name, stream


def _check_folder(name: str, archive: Path) -> None:
    """Refuse a folder's entry that leads out; the archive's own folder, `./`, is none of its folders."""
    if PurePosixPath(name).parts:
        _safe_name(name, archive)


def _safe_name(name: str, archive: Path) -> PurePosixPath:
    """The entry's path below the folder; refused where it would lead out of it on any system."""
    path = PurePosixPath(name.replace("\\", "/"))
    parts = path.parts
    if path.is_absolute() or ".." in parts or not parts or "\x00" in name or ":" in parts[0]:
        raise XlqaError(f'{archive}: "{plain(name, 80)}" would be written outside its folder: nothing was unpacked.')
    if len(parts) > MOST_DEPTH or any(len(os.fsencode(part)) > MOST_NAME_BYTES for part in parts):
        raise XlqaError(
            f'{archive}: "{plain(name, 80)}" has a name of more than {MOST_NAME_BYTES} bytes, or more than {MOST_DEPTH} '
            "nested folders: nothing was unpacked."
        )
    return path
