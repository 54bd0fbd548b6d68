"""The files that a run needs and leaves, for machines that do not see the sweep's folder.

Every file is sent with its SHA-256 and refused if it differs. How it is sent is up to the caller.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from xlqa.errors import XlqaError
from xlqa.runs.paths import RunFolder
from xlqa.runs.store.results import EXAMPLES, PREDICTIONS, QUESTIONS, RESULT, is_trained, read_result
from xlqa.runs.store.run_config import read_config
from xlqa.training.model_folder import TOKENIZER_FILES, weight_files
from xlqa.util.files import filling, known_sha256, sha256_of, write_bytes
from xlqa.util.locks import shared_lease, unless_leased

RESULT_FILES = (PREDICTIONS, QUESTIONS, EXAMPLES, RESULT)
"""The files of an evaluation, in the order in which they are written; without the last one it does not count."""

SHOW_SECONDS = 60.0
"""How long a file of a shared folder may take to become visible on another machine: network file systems cache names."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file: its path below the sweep's folder, its SHA-256, and a handle from which its content is fetched."""

    path: str
    sha256: str
    content: Any


def needed_files(folder: RunFolder) -> dict[str, Path]:
    """The files that a prepared run reads, by their path below the sweep's folder.

    These are the files that its config names, the config itself, and evaluations and weights of an earlier start.
    """
    config, root = read_config(folder), folder.root
    config.refuse_links(folder)
    found = {entry.path: entry.file(root) for entry in config.data_entries() if entry.file(root).is_file()}
    for name in filter(None, (config.encoder, config.source_weights, config.weights)):
        path = root / name
        if path.is_dir() and (path != folder.model or is_trained(folder)):
            found |= {f"{name}/{file.name}": file for file in model_files(path)}
    own = [folder.config, folder.outcome, *(path / name for path in folder.evaluations() for name in RESULT_FILES)]
    return found | {path.relative_to(root).as_posix(): path for path in own if path.is_file()}


def model_files(folder: Path) -> list[Path]:
    """The files of a model folder: all of one that xlqa wrote; configuration, weights and tokenizer of an encoder."""
    if folder.name == RunFolder(folder.parent).model.name:
        return [path for path in sorted(folder.iterdir()) if path.is_file() and path.name[0] != "."]
    names = ("config.json", *TOKENIZER_FILES)
    return [*(folder / name for name in names if (folder / name).is_file()), *weight_files(folder)]


def output_files(folder: RunFolder, weights: bool) -> list[Path]:
    """The complete files that a run leaves, in the order in which they must be written elsewhere."""
    model = model_files(folder.model) if weights and is_trained(folder) else []
    whole = [path / name for path in folder.evaluations() if read_result(path) for name in RESULT_FILES]
    return [path for path in (folder.log, folder.train_log, *model, folder.outcome, *whole) if path.is_file()]


def listing(folder: RunFolder, weights: bool) -> dict[str, str]:
    """SHA-256 of `output_files`, by path below the run's folder."""
    return {path.relative_to(folder.path).as_posix(): known_sha256(path) for path in output_files(folder, weights)}


def marks(folder: RunFolder) -> dict[str, str]:
    """SHA-256 of the files that mark something as finished, by path below the run's folder."""
    names = (RESULT, folder.outcome.name)
    return {name: sha256 for name, sha256 in listing(folder, False).items() if PurePosixPath(name).name in names}


def await_files(root: Path, files: Mapping[str, str], seconds: float = SHOW_SECONDS) -> None:
    """Wait until files of a shared folder are visible on this machine as another machine wrote them.

    Raises:
        XlqaError: one is not visible after `seconds`, so the folder is probably not shared.
    """
    deadline = time.monotonic() + seconds
    for name, sha256 in files.items():
        path = root / name
        while sha256_of(path) != sha256:
            if time.monotonic() > deadline:
                raise XlqaError(
                    f"{path} is not visible here as another machine wrote it: is the folder the same on all machines? "
                    "XLQA_RAY_SHARED=0 in the environment of `ray start` sends files instead."
                )
            # Listing a folder makes a network file system ask its server again.
            for above in path.parents[: len(PurePosixPath(name).parts)]:
                if above.is_dir():
                    os.listdir(above)
            time.sleep(0.5)


def download_outputs(folder: RunFolder, files: Mapping[str, str], read: Callable[[str], Any]) -> None:
    """Write what a run left elsewhere into its folder, in the given order: each result.json after the files it refers to.

    Args:
        files: SHA-256 by path below the run's folder (`listing`).
        read: gives a file's bytes.

    Raises:
        XlqaError: a file differs from its SHA-256, is not a file that a run leaves, or cannot be written.
    """
    model = [name for name in files if name.startswith("model/")]
    for name, sha256 in files.items():
        _refuse_foreign(name)
        if name == folder.log.name:
            _append(folder.log, _checked(read(name), sha256, name))
        elif name in model:
            if name == model[-1] and any(sha256_of(folder.path / n) != files[n] for n in model):
                _write_model(folder, {n: files[n] for n in model}, read)
        elif sha256_of(folder.path / name) != sha256:
            write_bytes(folder.path / name, _checked(read(name), sha256, name))


def _refuse_foreign(name: str) -> None:
    parts = PurePosixPath(name).parts
    known = (
        (len(parts) == 1 and parts[0] in ("log.txt", "train.csv", "train.json"))
        or (len(parts) == 2 and parts[0] == "model")
        or (len(parts) == 3 and parts[0] == "eval" and parts[2] in RESULT_FILES)
    )
    if not known or any(part.startswith(".") for part in parts):
        raise XlqaError(f"a node sent {name!r}, which is not a file of a run: install the same xlqa there.")


def _checked(content: Any, sha256: str, name: str) -> Any:
    """A file's content, refused if it differs from its SHA-256."""
    view = memoryview(content)
    if hashlib.sha256(view).hexdigest() != sha256:
        raise XlqaError(f"{name} arrived with another SHA-256 than it was sent with (a damaged transfer): start again.")
    return view


def _append(path: Path, content: Any) -> None:
    try:
        with path.open("ab") as file:
            file.write(content)
    except OSError as error:
        raise XlqaError(f"{path} cannot be written ({error.strerror}): free space, then start again.") from error


def _write_model(folder: RunFolder, files: Mapping[str, str], read: Callable[[str], Any]) -> None:
    try:
        with filling(folder.model) as temporary:
            for name, sha256 in files.items():
                (temporary / PurePosixPath(name).name).write_bytes(_checked(read(name), sha256, name))
    except OSError as error:
        raise XlqaError(
            f"{folder.model} cannot be written ({error.strerror}): free space, then start again."
        ) from error


class Mirror:
    """A node's private copy of the files of a sweep that its runs need. It is removed when its last user closes it.

    Args:
        base: the folder of all mirrors; those that no process uses are removed.
        token: names this sweep's mirror.
    """

    def __init__(self, base: Path, token: str) -> None:
        self.lease = ExitStack()
        try:
            base.mkdir(parents=True, exist_ok=True)
            remove_unused(base)
            self.root = base / token
            self.lease.enter_context(shared_lease(self.root))
        except OSError as error:
            raise XlqaError(
                f"{base} cannot be written ({error.strerror}): name another cache with XLQA_CACHE, or share the sweep's folder."
            ) from error
        self.last: RunFolder | None = None

    def lay_out(self, run: str, parts: Sequence[FilePart], fetch: Callable[[Any], Any]) -> RunFolder:
        """Write a run's files, fetching those that are not here yet; returns its folder.

        Args:
            run: the run's folder below the sweep's, `runs/…` or `source/…`.

        Raises:
            XlqaError: a file arrived damaged, or cannot be written.
        """
        folder = RunFolder(self.root / run)
        if self.last is not None and self.last != folder and not self.last.is_source:
            shutil.rmtree(self.last.path, ignore_errors=True)
        self.last = folder
        self._clear(folder)
        for part in parts:
            path = self.root / part.path
            if not path.is_file() or known_sha256(path) != part.sha256:
                write_bytes(path, _checked(fetch(part.content), part.sha256, part.path))
        return folder

    def _clear(self, folder: RunFolder) -> None:
        """Remove everything of an earlier try but the checkpoint, which names the training that it belongs to."""
        folder.path.mkdir(parents=True, exist_ok=True)
        for path in folder.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path != folder.checkpoint:
                path.unlink()

    def close(self) -> None:
        """Stop using it."""
        self.lease.close()
        remove_unused(self.root.parent)


def remove_unused(base: Path) -> None:
    """Remove the folders below `base` that no process holds, because their users ended or were killed."""
    for folder in base.iterdir():
        with unless_leased(folder) as is_free:
            if is_free:
                shutil.rmtree(folder, ignore_errors=True)
