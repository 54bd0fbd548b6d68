"""Trouble with the disk below a sweep, told from what a run does wrong: it stops the sweep with one line."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.util.files import refuse_if_gone, temporary_beside

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a system says when there is no space for more; half-written files are gone by the time anybody looks."""

PROBE_BYTES = 1 << 16

SCARCE_BYTES = 4 << 30
"""With less free, the sweep's own disk is what was full: about a checkpoint of a base-size encoder."""


def errno_of(error: BaseException) -> int | None:
    """The system's error number behind an exception, through its causes; None where there is none."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno is not None:
            return seen.errno
        # safetensors is written in Rust and says it in words alone.
        if found := re.search(r"\(os error (\d+)\)", str(seen)):
            return int(found[1])
        seen = seen.__cause__ or seen.__context__
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
        return f"{root} cannot be written ({error.strerror}): {fix}, then start again; what is finished stays."
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    if number is not None and number in FULL and shutil.disk_usage(root).free < SCARCE_BYTES:
        return f"{root} is full ({os.strerror(number)}): free space, then start again; what is finished stays."
    return None


def name_failure(outcome: Mapping[str, Any]) -> str:
    """What a run failed of; that a disk is full, which may be another than the sweep's, is said first.

    Args:
        outcome: the event that it ended with.
    """
    error = str(outcome["error"])
    return f"a disk is full: {error}" if outcome.get("errno") in FULL else error
