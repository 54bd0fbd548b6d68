"""Model folders: what their identity is, how they are read and written without half a file or foreign code."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
SHARDED = ("model.safetensors.index.json", "pytorch_model.bin.index.json")

_hashes: dict[tuple[str, int, int, int], str] = {}


def hash_file(path: Path) -> str:
    """SHA-256 of a file; remembered in this process while its size, time and inode stay the same."""
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino)
    if key not in _hashes:
        with path.open("rb") as file:
            _hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _hashes[key]


def hash_files(paths: Iterable[Path]) -> tuple[str, ...]:
    """`name:sha256` of each file, sorted by name."""
    return tuple(sorted(f"{path.name}:{hash_file(path)}" for path in paths))


def weight_files(folder: Path) -> list[Path]:
    """The files that hold a model folder's weights: safetensors where there are any.

    Raises:
        XlqaError: there are none.
    """
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return [folder / name]
    for name in SHARDED:
        if (folder / name).is_file():
            suffix = ".safetensors" if "safetensors" in name else ".bin"
            return [folder / name, *sorted(p for p in folder.glob(f"*-of-*{suffix}"))]
    raise XlqaError(f"{folder} has no weights (model.safetensors): give a complete model folder or a hub name.")


TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "added_tokens.json",
    "sentencepiece.bpe.model", "spiece.model", "vocab.json", "merges.txt",
)  # fmt: skip


def hash_tokenizer(folder: Path) -> tuple[str, ...]:
    """Names and SHA-256 of the tokenizer's files in a folder."""
    return hash_files([folder / name for name in TOKENIZER_FILES if (folder / name).is_file()])


def hash_weights(folder: Path) -> str:
    """SHA-256 that identifies a folder's weights: the file's own, or that of its parts' list."""
    files = weight_files(folder)
    if len(files) == 1:
        return hash_file(files[0])
    return hashlib.sha256("\n".join(hash_file(path) for path in files).encode()).hexdigest()


def hash_encoder(folder: Path) -> tuple[str, str]:
    """An encoder's identity, over configuration, weights and tokenizer, and the SHA-256 of its weights alone.

    Raises:
        XlqaError: one of the three is missing.
    """
    if not (folder / "config.json").is_file():
        raise XlqaError(f"{folder} has no config.json: give a complete model folder.")
    tokenizer = hash_tokenizer(folder)
    if not tokenizer:
        raise XlqaError(f"{folder} has no tokenizer (tokenizer.json or vocab.txt): give a complete model folder.")
    weights = hash_weights(folder)
    parts = [hash_file(folder / "config.json"), weights, *tokenizer]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest(), weights


def write_folder(folder: Path, write: Any) -> None:
    """Write a folder whole or not at all: `write(temporary)` fills a neighbour that is then put in its place."""
    # What this host left half-written when it was killed; the run's lock keeps others of it away.
    for leftover in folder.parent.glob(f".{folder.name}.{platform.node()}.*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary = folder.with_name(f".{folder.name}.{platform.node()}.{os.getpid()}.tmp")
    # Not its parents: they went away with their mount where they are missing now.
    temporary.mkdir()
    try:
        write(temporary)
        for path in temporary.iterdir():
            _sync(path)
        _sync(temporary)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
        _sync(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
