"""Model folders: what their identity is, how they are read and written without half a file or foreign code."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path

from xlqa.data.hub import SENTENCEPIECE, TOKENIZERS
from xlqa.data.model_check import check_model_folder
from xlqa.errors import XlqaError
from xlqa.util.files import known_sha256, load_json
from xlqa.util.text import plain

ADAPTER_WEIGHTS, ADAPTER_CONFIG = "adapter_model.safetensors", "adapter_config.json"
"""What a training with LoRA keeps (`adapter_folder`); the weights' metadata name those that they belong to."""

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin", ADAPTER_WEIGHTS)
SHARDED = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
PART_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}")


def hash_files(paths: Iterable[Path]) -> tuple[str, ...]:
    """`name:sha256` of each file, sorted by name."""
    return tuple(sorted(f"{path.name}:{known_sha256(path)}" for path in paths))


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
            _check_parts(folder / name)
            suffix = ".safetensors" if "safetensors" in name else ".bin"
            return [folder / name, *sorted(p for p in folder.glob(f"*-of-*{suffix}") if p.is_file())]
    raise XlqaError(f"{folder} has no weights (model.safetensors): give a complete model folder or a hub name.")


def is_adapter(folder: Path) -> bool:
    """Whether a folder has what a training with LoRA keeps instead of a whole model."""
    return (folder / ADAPTER_CONFIG).is_file()


def _check_parts(index: Path) -> None:
    """Refuse an index of weights that names files outside its folder.

    Raises:
        XlqaError: it does, or is not an index.
    """
    value = load_json(index)
    parts = value.get("weight_map") if isinstance(value, dict) else None
    if not isinstance(parts, dict) or not all(isinstance(name, str) for name in parts.values()):
        raise XlqaError(f"{index} has no weight_map: give a complete model folder.")
    for name in sorted(set(parts.values())):
        if not PART_NAME.fullmatch(name) or not (index.parent / name).is_file():
            raise XlqaError(f"{index} names {plain(name, 80)!r}, which is not a file of this folder.")


TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "added_tokens.json",
    "vocab.json", "merges.txt", *SENTENCEPIECE,
)  # fmt: skip


def hash_tokenizer(folder: Path) -> tuple[str, ...]:
    """Names and SHA-256 of the tokenizer's files in a folder: also of a SentencePiece model under a name of its own."""
    named = {folder / name for name in TOKENIZER_FILES}
    return hash_files(path for path in named | set(folder.glob("*.model")) if path.is_file())


def check_tokenizer(folder: Path) -> None:
    """Refuse a folder whose tokenizer is only a SentencePiece model where the package that reads it is not installed.

    Raises:
        XlqaError: the package is missing.
    """
    whole = [names for names in TOKENIZERS if all((folder / name).is_file() for name in names)]
    if not whole or any(names[0] not in SENTENCEPIECE for names in whole):
        return
    if importlib.util.find_spec("sentencepiece") is None:
        raise XlqaError(
            f"{folder} has its tokenizer only as a SentencePiece model ({whole[0][0]}): pip install sentencepiece protobuf, "
            "or save a tokenizer.json there."
        )


def hash_weights(folder: Path) -> str:
    """SHA-256 that identifies a folder's weights: the file's own, or that of its parts' list."""
    files = weight_files(folder)
    if len(files) == 1:
        return known_sha256(files[0])
    return hashlib.sha256("\n".join(known_sha256(path) for path in files).encode()).hexdigest()


def hash_encoder(folder: Path) -> tuple[str, str]:
    """An encoder's identity, over configuration, weights and tokenizer, and the SHA-256 of its weights alone.

    Raises:
        XlqaError: one of the three is missing.
    """
    check_model_folder(folder)
    tokenizer = hash_tokenizer(folder)
    if not tokenizer:
        raise XlqaError(
            f"{folder} has no tokenizer (tokenizer.json, vocab.txt or spm.model): give a complete model folder."
        )
    weights = hash_weights(folder)
    parts = [known_sha256(folder / "config.json"), weights, *tokenizer]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest(), weights


def check_config_types(folder: Path) -> None:
    """Refuse a config.json whose values have other types than those of its kind of model.

    transformers takes them as they are, and a network that is built from them fails in its first pass.

    Raises:
        XlqaError: names the key.
    """
    from transformers import CONFIG_MAPPING

    path = folder / "config.json"
    config = load_json(path)
    kind = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING:
        return  # transformers names it
    usual = CONFIG_MAPPING[kind]().to_dict()
    for key, value in config.items():
        if value is None or usual.get(key) is None or key.endswith("_token_id"):
            continue
        if not isinstance(value, _KINDS.get(type(usual[key]), type(usual[key]))) or isinstance(
            value, bool
        ) != isinstance(usual[key], bool):
            raise XlqaError(f"{path}: {key} is {plain(repr(value), 60)}, expected a value such as {usual[key]!r}.")


_KINDS: dict[type, tuple[type, ...]] = {
    float: (int, float),
    int: (int, float),
    tuple: (list, tuple),
    list: (list, tuple),
}
"""Types that may replace another: JSON has one kind of numbers and one kind of lists."""
