"""Disk errors: whether a run failed because the sweep's disk is full, read-only or gone, which stops the sweep."""

from __future__ import annotations

import errno
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.runs.execute.events import Failed
from xlqa.util.files import refuse_if_gone, temporary_beside

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of a disk without space; the half-written files that filled it may be removed by the time anybody looks."""

PROBE_BYTES = 1 << 16

SCARCE_BYTES = 4 << 30
"""With less free space than this, about a checkpoint of a base-size encoder, it was the sweep's own disk that was full."""


def errno_of(error: BaseException) -> int | None:
    """The system's error number behind an exception, through its causes; None where there is none."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno is not None:
            return found.errno
        # safetensors, which is written in Rust, gives the number in its message only.
        if number := re.search(r"\(os error (\d+)\)", str(found)):
            return int(number[1])
        found = found.__cause__ or found.__context__
    return None


def find_disk_error(root: Path, number: int | None = None) -> str | None:
    """One line on what is wrong with a sweep's folder, and how to fix it; None where it can be written.

    Args:
        number: the error number that a run failed with, if any.
    """
    probe = temporary_beside(root / "probe")
    try:
        refuse_if_gone(probe)
        with probe.open("wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except XlqaError as error:
        return str(error)
    except OSError as error:
        fix = "free space" if error.errno in FULL else "make it writable"
        return f"{root} cannot be written ({error.strerror}): {fix}, then start again; finished runs are kept."
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    if number is not None and number in FULL and shutil.disk_usage(root).free < SCARCE_BYTES:
        return f"{root} is full ({os.strerror(number)}): free space, then start again; finished runs are kept."
    return None


def describe_failure(failure: Failed) -> str:
    """A failure's message; a full disk, which may be another than the sweep's, comes first."""
    return f"a disk is full: {failure.error}" if failure.errno in FULL else failure.error
