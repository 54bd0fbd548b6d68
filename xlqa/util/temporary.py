"""Half-written files: how they are named, and when nobody is writing them any more."""

from __future__ import annotations

import os
import platform
import re
import time
from pathlib import Path

ABANDONED_SECONDS = 24 * 3600
"""A half-written file of another host that is older belongs to nobody any more."""


def temporary_beside(path: Path) -> Path:
    """A name beside a path that no other process of any host uses; a leading dot marks it as half-written."""
    return path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.tmp")


def is_abandoned(path: Path) -> bool:
    """Whether the process that was writing a temporary file or folder is no more.

    Its name says host and process (and thread); of other hosts' processes only a day's age tells.

    Raises:
        OSError: the file is gone by now.
    """
    if found := re.search(rf"\.{re.escape(platform.node())}\.(\d+)(\.\d+)?\.tmp$", path.name):
        return not _is_alive(int(found[1]))
    return time.time() - path.lstat().st_mtime > ABANDONED_SECONDS


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
