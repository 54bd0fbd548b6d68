"""From texts to windows of pieces: the DeepPavlov components `xlqa.components.preprocessor:WindowPreprocessor` and `:TaskPreprocessor`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from xlqa.components.framework import Component
from xlqa.data.hub import has_tokenizer, locate_model
from xlqa.data.model_check import check_model_folder
from xlqa.errors import XlqaError
from xlqa.tasks.base import DEFAULT_TASK, get_task
from xlqa.tasks.qa.windows import Windows, WindowShape
from xlqa.training.context import SHARED
from xlqa.training.feature_cache import name_set, share_windows
from xlqa.training.model_folder import check_tokenizer, hash_files, hash_tokenizer
from xlqa.util.text import first_line


def load_tokenizer(folder: str | Path) -> Any:
    """The fast tokenizer of a model folder, without network.

    Raises:
        XlqaError: the folder has no tokenizer that can be read.
    """
    path = Path(folder)
    check_tokenizer(path)
    names = {file.name for file in path.iterdir()} if path.is_dir() else set()
    if not has_tokenizer(names) and not any(name.endswith(".model") for name in names):
        raise XlqaError(f"{path} has no tokenizer (tokenizer.json or vocab.txt): give a complete model folder.")
    check_model_folder(path)
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    try:
        return AutoTokenizer.from_pretrained(str(path), use_fast=True, local_files_only=True, trust_remote_code=False)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the files are somebody's; tokenizers panics with an exception of its own kind
        raise XlqaError(
            f"{path}: the tokenizer cannot be read ({first_line(error)}): give a complete model folder."
        ) from error


def hash_texts(*columns: Sequence[str]) -> str:
    """SHA-256 over columns of texts, order and borders included."""
    digest = hashlib.sha256()
    for column in columns:
        for text in column:
            raw = text.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(8, "little"))
            digest.update(raw)
    return digest.hexdigest()


def tokenizer_identity(folder: Path) -> tuple[str, ...]:
    """Names and SHA-256 of all files that can decide how a folder's tokenizer cuts texts; config.json may name its class."""
    return tuple(sorted((*hash_tokenizer(folder), *hash_files(folder.glob("config.json")))))


class TaskPreprocessor(Component):  # type: ignore[misc]  # DeepPavlov ships without types
    """Turns texts into features; the same texts are tokenised once a process.

    Args:
        tokenizer: a folder with a fast tokenizer, or a hub name.
        task: name of the task.
        max_length: pieces a window at most.
        stride: pieces that neighbouring windows share.
    """

    def __init__(
        self, tokenizer: str, max_length: int = 384, stride: int = 128, task: str = DEFAULT_TASK, **kwargs: Any
    ) -> None:
        self.task = get_task(task)
        self.max_length, self.stride = max_length, stride
        if complaint := self.task.complaint(max_length, stride):
            raise XlqaError(complaint)
        self.folder = locate_model(tokenizer)
        self.identity = tokenizer_identity(self.folder)
        self.tokenizer = SHARED.get(("tokenizer", *self.identity), lambda: load_tokenizer(self.folder))

    def __call__(self, *inputs: Sequence[Any]) -> Any:
        """Features of X examples: one column for each of the task's inputs, (X,) each."""
        texts = self._hash(inputs)
        key = ("features", self.task.name, self.identity, self.max_length, self.stride, texts)
        return SHARED.get(key, lambda: self._encode(inputs, texts))

    def _hash(self, inputs: Sequence[Sequence[Any]]) -> str:
        return hash_texts([json.dumps(column, ensure_ascii=False) for column in map(list, inputs)])

    def _encode(self, inputs: Sequence[Sequence[Any]], texts: str) -> Any:
        return self.task.encode(self.tokenizer, inputs, self.max_length, self.stride)


class WindowPreprocessor(TaskPreprocessor):
    """Turns paragraphs and questions into `Windows`; large sets are tokenised once a machine (`feature_cache`)."""

    def _hash(self, inputs: Sequence[Sequence[Any]]) -> str:
        return hash_texts(*inputs)

    def _encode(self, inputs: Sequence[Sequence[Any]], texts: str) -> Windows:
        name = name_set(self.identity, WindowShape(self.max_length, self.stride), texts)
        return share_windows(name, len(inputs[0]), partial(super()._encode, inputs, texts))
