"""Symbolic links, devices and pipes in a sweep's folder, which may come from somebody else: refused before anything is used.

An encoder's folder may be elsewhere: it is linked, only read, and checked against its SHA-256.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.runs.paths import RunFolder

DEPTH = 3
"""Levels of folders in a run's folder: `eval/ID/` holds files."""


def refuse_links(root: Path, folders: Iterable[RunFolder], files: Iterable[Path] = ()) -> None:
    """Refuse run folders and files that are outside the sweep's folder, or hold a link out of it, a device or a pipe.

    Raises:
        XlqaError: names the first.
    """
    inside, folders = root.resolve(), list(folders)
    suspects = [folder.path for folder in folders if folder.path.is_symlink() or folder.path.parent.is_symlink()]
    suspects += [entry for folder in folders for entry in _special_entries(folder.path, DEPTH)]
    for path in (*suspects, *files):
        try:
            target = path.resolve()
            regular = not path.exists() or path.is_file() or path.is_dir()
        except (OSError, RuntimeError) as error:
            raise XlqaError(f"{path} cannot be followed ({error}): remove it.") from error
        if not target.is_relative_to(inside):
            raise XlqaError(f"{path} leads out of {root} by a symbolic link: put the file itself there.")
        if not regular:
            raise XlqaError(f"{path} is neither a file nor a folder: remove it.")


def refuse_linked_folders(root: Path) -> None:
    """Refuse a sweep's folder whose own folders are links out of it.

    Raises:
        XlqaError: names the first.
    """
    refuse_links(root, [], [root / name for name in ("data", "encoders", "runs", "source")])


def _special_entries(folder: Path, depth: int) -> Iterator[Path]:
    """What is neither a regular file nor a folder, without following links."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if depth > 1:
                yield from _special_entries(Path(entry.path), depth - 1)
        elif not entry.is_file(follow_symlinks=False):
            yield Path(entry.path)
