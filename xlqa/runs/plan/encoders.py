"""Finding an encoder: a model folder, a hub name, or the name of an encoder that an installed package brings."""

from __future__ import annotations

from pathlib import Path

from xlqa.data.hub import MINILM, PACKAGED, locate_model
from xlqa.errors import XlqaError
from xlqa.runs.specs import EncoderRef
from xlqa.training.model_folder import check_tokenizer, hash_encoder

__all__ = ["MINILM", "PACKAGED", "resolve_encoder"]


def resolve_encoder(name: str) -> EncoderRef:
    """The encoder behind a name, downloaded from the hub where it is neither a folder nor cached.

    Raises:
        XlqaError: there is no such folder or model, the hub cannot be reached, or the folder is incomplete.
    """
    is_folder = name not in PACKAGED and Path(name).expanduser().is_dir()
    try:
        folder = locate_model(name).resolve()
    except XlqaError as error:
        raise XlqaError(f"--model {error}") from error
    return _describe(folder.name if is_folder else name, folder)


def _describe(name: str, folder: Path) -> EncoderRef:
    try:
        check_tokenizer(folder)
        return EncoderRef(name, folder, *hash_encoder(folder))
    except XlqaError as error:
        raise XlqaError(f"--model {name}: {error}") from error
