"""Fetching a file so that what ends up in the cache is whole, is the right one, and stays so.

A download goes to `NAME.part`, continues where it stopped, is checked against its length and SHA-256, and only then gets
its name, atomically. What has no registered SHA-256 is trusted the first time and recorded beside the file.
"""

from __future__ import annotations

import contextlib
import email.utils
import errno
import http.client
import json
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from xlqa import __version__
from xlqa.data.mirrors import mirrored
from xlqa.errors import XlqaError
from xlqa.util.files import file_sha256, replacement, sync, sync_folder

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are here and the bytes expected in all (None if the server does not state it)."""

TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as stalled."""

RETRIES = 5
"""How often a broken connection is taken up again, the waits doubling from `FIRST_WAIT`."""

UNREACHED_RETRIES = 1
"""How often a server that can't be reached at all is tried again: on a machine without network nobody should wait."""

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
MAX_BYTES = 4 * 1024**3
CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of a file in the cache: written beside it when it was fetched."""

    url: str
    sha256: str
    size: int


class _Broken(Exception):
    """The connection failed in a way that another try may fix."""

    def __init__(self, reason: str, wait: float = 0.0, retries: int | None = None) -> None:
        super().__init__(reason)
        self.wait = wait
        self.retries = RETRIES if retries is None else retries


class _Refused(Exception):
    """The server refuses the file, so a retry does not help."""


def fetch_file(
    urls: Sequence[str],
    target: Path,
    *,
    sha256: str | None = None,
    size: int | None = None,
    progress: Progress | None = None,
) -> Receipt:
    """Fetch one file from the first of several addresses that gives it.

    Args:
        sha256: the file's, where it is known; a file that differs is never kept.
        size: its bytes, where known; limits the download if the server states no length.

    Raises:
        XlqaError: no address gave the file; the message holds each one's reason.
    """
    reasons = []
    with _complaining(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        for url in mirrored(urls):
            try:
                receipt = _fetch_from(url, target, sha256, size, progress)
            except (_Refused, _Broken) as error:
                reasons.append(f"{url}: {error}")
                continue
            write_receipt(target, receipt)
            return receipt
    raise XlqaError("; ".join(reasons) or "no address is known")


def _fetch_from(url: str, target: Path, sha256: str | None, size: int | None, progress: Progress | None) -> Receipt:
    part = target.with_name(target.name + ".part")
    resumed = part.exists() and part.stat().st_size > 0
    _download(url, part, sha256, size, progress)
    found = file_sha256(part)
    if sha256 is not None and found != sha256 and resumed:
        # The partial file may be of another version: download it again.
        _forget(part)
        _download(url, part, sha256, size, progress)
        found = file_sha256(part)
    if sha256 is not None and found != sha256:
        _forget(part)
        raise _Refused(f"the file has a different SHA-256 ({found[:12]}…, {sha256[:12]}… expected)")
    receipt = Receipt(url, found, part.stat().st_size)
    settle(part, target)
    _forget(part)
    return receipt


def _download(url: str, part: Path, sha256: str | None, size: int | None, progress: Progress | None) -> None:
    """Bring `part` to its full length, taking up broken connections again."""
    wait = FIRST_WAIT
    for attempt in range(RETRIES + 1):
        before = part.stat().st_size if part.exists() else 0
        try:
            _continue(url, part, sha256, size, progress)
            return
        except _Broken as error:
            gained = part.exists() and part.stat().st_size > before
            if attempt >= error.retries:
                raise _Broken(f"{error} (tried {attempt + 1} times)") from error
            wait = FIRST_WAIT if gained else wait
            time.sleep(min(max(wait, error.wait), LONGEST_WAIT))
            wait *= 2


def _continue(url: str, part: Path, sha256: str | None, size: int | None, progress: Progress | None) -> None:
    """One connection: append what is missing of `part`, or start it again where the server gives the whole file."""
    have = part.stat().st_size if part.exists() else 0
    validator = _read_validator(part) if have else ""
    headers = {"User-Agent": f"xlqa/{__version__}", "Accept-Encoding": "identity"}
    # Without either, two versions of a file could be glued together unnoticed: then it starts again.
    if have and (validator or sha256):
        headers["Range"] = f"bytes={have}-"
        if validator:
            headers["If-Range"] = validator
    with _opened(url, headers, part, have) as response:
        if response is None:
            return
        if url.startswith("https://") and not response.url.startswith("https://"):
            raise _Refused(f"leads to an insecure address ({response.url})")
        start, total = _span(response, have, part)
        total = total if total is not None else size
        if total is not None and total > MAX_BYTES:
            raise _Refused(f"has {total:,} bytes: too large for a data set")
        _write_validator(part, response)
        with part.open("r+b" if start else "wb") as file:
            file.truncate(start)
            file.seek(start)
            received = _copy(response, file, start, total, progress)
        if total is not None and received != total:
            if received > total:
                _forget(part)
            raise _Broken(f"broke off after {received:,} of {total:,} bytes")


@contextlib.contextmanager
def _opened(url: str, headers: dict[str, str], part: Path, have: int) -> Iterator[http.client.HTTPResponse | None]:
    """The response; None if the server reports that the file is already complete."""
    if not url.startswith(("https://", "http://")):
        raise _Refused("is not an http or https address")
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            yield response
    except urllib.error.HTTPError as error:
        if error.code == 416 and "Range" in headers:
            total = re.fullmatch(r"bytes \*/(\d+)", error.headers.get("Content-Range", ""))
            if total and int(total[1]) == have:
                yield None
                return
            _forget(part)
            raise _Broken("cannot resume the download") from error
        if error.code in (408, 425, 429) or error.code >= 500:
            wait = retry_after(error.headers.get("Retry-After", "")) or 0.0
            raise _Broken(f"HTTP {error.code} {error.reason}", wait) from error
        raise _Refused(f"HTTP {error.code} {error.reason}") from error
    except ssl.SSLError as error:
        raise _Broken(f"no secure connection ({error.reason})") from error
    except (TimeoutError, http.client.HTTPException, ConnectionError) as error:
        raise _Broken(_reason(error)) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise _Refused(f"its certificate is not valid ({error.reason.verify_message})") from error
        raise _Broken(_reason(error.reason), retries=UNREACHED_RETRIES) from error


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer for {TIMEOUT:.0f} s"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def retry_after(value: str) -> float | None:
    """Seconds that a `Retry-After` header asks to wait, as a number or as a date; None where it cannot be read."""
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time()) if value else None
    except ValueError:
        return None


def _span(response: http.client.HTTPResponse, have: int, part: Path) -> tuple[int, int | None]:
    """The offset of the response's bytes, and the length of the whole file (None if not stated)."""
    length = response.headers.get("Content-Length", "")
    if response.status == 206:
        span = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", response.headers.get("Content-Range", ""))
        if not span or int(span[1]) != have:
            _forget(part)  # the next try asks for all of it
            raise _Broken("answered with another range than asked for")
        return have, None if span[3] == "*" else int(span[3])
    return 0, int(length) if length.isdecimal() else None


def _copy(
    response: http.client.HTTPResponse, file: IO[bytes], start: int, total: int | None, progress: Progress | None
) -> int:
    """Copy the answer to the file; returns the file's length."""
    position = start
    while True:
        try:
            chunk = response.read(CHUNK)
        except (TimeoutError, http.client.HTTPException, ConnectionError, ssl.SSLError) as error:
            file.flush()
            raise _Broken(f"{_reason(error)}, after {position:,} bytes") from error
        if not chunk:
            break
        file.write(chunk)
        position += len(chunk)
        if position > MAX_BYTES:
            raise _Refused(f"sent more than {MAX_BYTES:,} bytes: too large for a data set")
        if progress is not None:
            progress(position, total)
    file.flush()
    os.fsync(file.fileno())
    return position


# --- What is known of a file --------------------------------------------------------------------------------------


def _validator_path(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _write_validator(part: Path, response: http.client.HTTPResponse) -> None:
    """Store what identifies a version of the file, so that a later attempt does not join parts of two versions."""
    etag = response.headers.get("ETag", "")
    strong = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")
    _validator_path(part).write_text(strong, encoding="utf-8")


def _read_validator(part: Path) -> str:
    try:
        return _validator_path(part).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _validator_path(part).unlink(missing_ok=True)


def receipt_path(target: Path) -> Path:
    """The path of a cached file's receipt: beside it."""
    return target.with_name(target.name + ".source.json")


def write_receipt(target: Path, receipt: Receipt) -> None:
    """Record where a file came from and its SHA-256."""
    text = json.dumps({"url": receipt.url, "sha256": receipt.sha256, "bytes": receipt.size}, indent=2)
    with replacement(receipt_path(target)) as draft:
        draft.write_text(text + "\n", encoding="utf-8")


def read_receipt(target: Path) -> Receipt | None:
    """The receipt of a cached file; None where there is none or it is damaged."""
    try:
        value: dict[str, Any] = json.loads(receipt_path(target).read_text(encoding="utf-8"))
        return Receipt(str(value["url"]), str(value["sha256"]), int(value["bytes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def settle(source: Path, target: Path) -> None:
    """Give a finished file its name: on the disk first, then the name, then the folder's entry."""
    sync(source)
    os.replace(source, target)
    sync_folder(target.parent)


@contextlib.contextmanager
def _complaining(target: Path) -> Iterator[None]:
    """Turn a disk error into one clear line."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise XlqaError(
                f"{target.parent}: the disk is full: free some space, or choose another --data-dir."
            ) from error
        raise XlqaError(f"{target.parent}: can't be written ({error.strerror}): choose another --data-dir.") from error
