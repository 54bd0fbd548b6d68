"""Reading gzip, xz and bzip2 files of unknown origin."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.util.files import read_input

MAX_BYTES = 8 * 1024**3
"""Limit on the decompressed size: larger than every known data set, too small to fill a disk."""


def decompress(content: bytes, path: Path) -> tuple[bytes, str]:
    """Decompress the content of a gzip, xz or bzip2 file.

    Returns:
        The plain content and the name of the compression, "" where there was none.

    Raises:
        XlqaError: it is an archive of several files, damaged, or larger than MAX_BYTES.
    """
    if content[:2] == b"\x1f\x8b":
        return _inflate(gzip.GzipFile(fileobj=io.BytesIO(content)), path, "gzip"), "gzip"
    if content[:6] == b"\xfd7zXZ\x00":
        return _inflate(lzma.LZMAFile(io.BytesIO(content)), path, "xz"), "xz"
    if content[:3] == b"BZh" and content[4:10] == b"1AY&SY":
        return _inflate(bz2.BZ2File(io.BytesIO(content)), path, "bzip2"), "bzip2"
    if content[:4] == b"PK\x03\x04":
        raise XlqaError(f"{path}: is a zip archive: unpack it and name the file inside.")
    if content[:4] == b"\x28\xb5\x2f\xfd":
        raise XlqaError(f"{path}: is compressed with zstd: unpack it and name the file inside.")
    if _is_tar(content):
        raise XlqaError(f"{path}: is a tar archive: unpack it and name the file inside.")
    return content, ""


def _is_tar(content: bytes) -> bool:
    return content[257:262] == b"ustar"


def _inflate(stream: gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File, path: Path, packing: str) -> bytes:
    chunks, size = [], 0
    try:
        while chunk := stream.read(1 << 24):
            size += len(chunk)
            if size > MAX_BYTES:
                raise XlqaError(
                    f"{path}: unpacks to more than {MAX_BYTES >> 30} GiB: this is not a data set; is it the right file?"
                )
            chunks.append(chunk)
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        raise XlqaError(f"{path}: the compressed file is cut short or damaged ({error}): fetch it again.") from error
    if chunks and _is_tar(chunks[0]):
        raise XlqaError(f"{path}: is a tar archive inside {packing}: unpack it and name the file inside.")
    return b"".join(chunks)


def read_text(path: Path, expected: str) -> tuple[bytes, str]:
    """The bytes of a file that the user named, and its text in UTF-8, decompressed and with plain line ends.

    Args:
        expected: what the file should hold, for messages.

    Raises:
        XlqaError: it cannot be read or decompressed, or is not UTF-8 text.
    """
    try:
        content = read_input(path)
    except OSError as error:
        raise XlqaError(f"{path}: cannot be read ({error.strerror}): name a file of {expected}.") from error
    try:
        text = decompress(content, path)[0].decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise XlqaError(f"{path}: is not UTF-8 text (byte {error.start:,}): convert it to UTF-8.") from error
    return content, text if "\n" in text else text.replace("\r", "\n")  # the line ends of old Macs
