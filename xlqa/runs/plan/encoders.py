"""Finding an encoder: a model folder, a hub name, or the name of an encoder that an installed package brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xlqa.data.hub import MINILM, PACKAGED, locate_model
from xlqa.data.model_check import check_model_folder
from xlqa.errors import XlqaError
from xlqa.runs.specs import EncoderRef
from xlqa.tasks.base import DEFAULT_TASK, HeadOptions, Task, get_task
from xlqa.training.architecture import check_architecture
from xlqa.training.model_folder import check_tokenizer, hash_encoder

__all__ = ["MINILM", "PACKAGED", "resolve_encoder"]


def resolve_encoder(name: str, task: Task[Any] | None = None, max_length: int | None = None) -> EncoderRef:
    """The encoder behind a name, downloaded from the hub where it is neither a folder nor cached.

    Args:
        task: that it is trained on, question answering unless given; max_length: of a window, None where there are none.

    Raises:
        XlqaError: there is no such folder or model, the hub cannot be reached, the folder is incomplete, or its architecture
            cannot be trained on this task in such windows.
    """
    is_folder = name not in PACKAGED and Path(name).expanduser().is_dir()
    try:
        folder = locate_model(name).resolve()
    except XlqaError as error:
        raise XlqaError(f"--model {error}") from error
    return _describe(folder.name if is_folder else name, folder, task or get_task(DEFAULT_TASK), max_length)


def _describe(name: str, folder: Path, task: Task[Any], max_length: int | None) -> EncoderRef:
    try:
        check_tokenizer(folder)
        check_model_folder(folder)
        check_architecture(folder, max_length=max_length, make_head=lambda: task.head(HeadOptions(("a", "b"))))
        return EncoderRef(name, folder, *hash_encoder(folder))
    except XlqaError as error:
        raise XlqaError(f"--model {name}: {error}") from error
