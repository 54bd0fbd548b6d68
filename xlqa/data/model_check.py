"""What a model folder of unknown origin may contain: nothing that names code to import, another folder, or more than it holds.

transformers sets every key of config.json as it is, and some of them make it fetch or import code even under
`trust_remote_code=False` (a kernel named as the attention implementation, a quantisation's package). They are refused by
name before transformers sees the folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.util.files import load_json
from xlqa.util.text import plain

MOST_CONFIG_BYTES = 1 << 22
MOST_TOKENIZER_BYTES = 1 << 27
MOST_LAYERS = 1_000
MOST_LABELS = 10_000
MOST_NUMBER = 10**8
ALWAYS_ALLOWED = 5 * 10**7
"""Numbers that a model may have whatever its weights: fewer than fill a memory."""
MOST_INSERTED = 64
"""Characters that a tokenizer may put in the place of one match: more would let short texts fill the memory."""
MOST_TOKEN = 1_000
"""Characters of one special token: the library takes minutes to add one of 100,000."""

CODE_KEYS = frozenset({
    "auto_map", "base_model_name_or_path", "code_revision", "custom_generate", "custom_pipelines", "kernel_config",
    "peft_type", "quantization_config", "trust_remote_code", "use_kernels", "_use_kernels",
})  # fmt: skip
"""Keys with which transformers fetches or imports code, or loads another model."""

SAFE_ATTENTION = (None, True, False, "eager", "sdpa")
LAYERS = re.compile(r"(num|n|encoder|decoder)_?(hidden_|encoder_|decoder_)?(layers?|groups)")
WIDTHS = ("embedding_size", "input_embedding_size", "hidden_size", "d_model", "dim")
FOREIGN_FILES = ("adapter_config.json",)


def check_model_folder(folder: Path) -> None:
    """Refuse a model folder that transformers must not see; one that is unchanged is checked once a process.

    Raises:
        XlqaError: names file and key.
    """
    if not (folder / "config.json").is_file():
        raise XlqaError(f"{folder} has no config.json: give a complete model folder.")
    if (seen := _state(folder)) not in _checked:
        _check(folder)
        _checked.add(seen)


_checked: set[tuple[Any, ...]] = set()


def _state(folder: Path) -> tuple[Any, ...]:
    """Names, sizes and times of a folder's files."""
    found = ((path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file())
    return (str(folder), *((name, status.st_size, status.st_mtime_ns, status.st_ino) for name, status in found))


def _check(folder: Path) -> None:
    path = folder / "config.json"
    config = load_json(path, MOST_CONFIG_BYTES)
    if not isinstance(config, dict):
        raise XlqaError(f"{path} is not an object: give a complete model folder.")
    _refuse_code(config, path)
    _refuse_sizes(config, path, folder)
    for name in FOREIGN_FILES:
        if (folder / name).exists():
            raise XlqaError(
                f"{folder / name}: this is an adapter of another model: merge them (`xlqa export` does, for a run) and give "
                "that folder."
            )
    check_tokenizer(folder)


def _refuse_code(config: Mapping[str, Any], path: Path) -> None:
    for key, value in _entries(config):
        if key in CODE_KEYS and value not in (None, False):
            raise XlqaError(
                f"{path} has the key {key!r}, with which other code or another model would be loaded: remove it."
            )
        if "attn_implementation" in key and (isinstance(value, dict | list) or value not in SAFE_ATTENTION):
            raise XlqaError(
                f"{path}: {key} is {plain(repr(value), 60)}: xlqa imports no kernels that a model names; remove the key."
            )


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key of nested objects with its value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from _entries(item)
    elif isinstance(value, list):
        for item in value:
            yield from _entries(item)


def _refuse_sizes(config: Mapping[str, Any], path: Path, folder: Path) -> None:
    """Refuse sizes of which the folder's weights hold no more than a part: building them could take all memory."""
    for key, value in _entries(config):
        most = MOST_LAYERS if LAYERS.fullmatch(key) else MOST_LABELS if key == "num_labels" else MOST_NUMBER
        if isinstance(value, int) and abs(value) > most:
            raise XlqaError(f"{path}: {key} is {plain(repr(value), 40)}, more than any model has.")
    held = 2 * sum(file.stat().st_size for file in folder.iterdir() if file.suffix in (".safetensors", ".bin"))
    widths = [config[name] for name in WIDTHS if isinstance(config.get(name), int)]
    if not widths or held == 0:
        return
    products = {
        "vocab_size": min(widths), "hidden_size": max(widths), "intermediate_size": max(widths), "dim": max(widths),
        "d_model": max(widths), "type_vocab_size": min(widths), "max_position_embeddings": min(widths),
        "max_relative_positions": min(widths), "position_buckets": min(widths),
    }  # fmt: skip
    for key, width in products.items():
        count = config.get(key)
        if isinstance(count, int) and count * width > max(held, ALWAYS_ALLOWED):
            raise XlqaError(f"{path}: {key} is {count:,}, but the folder's weights have fewer numbers than that needs.")


def check_tokenizer(folder: Path) -> None:
    """Refuse tokenizer files that name code or files elsewhere, or that let short texts grow without limit.

    Raises:
        XlqaError: names file and key.
    """
    path = folder / "tokenizer_config.json"
    if path.exists():
        settings = load_json(path, MOST_CONFIG_BYTES)
        if not isinstance(settings, dict):
            raise XlqaError(f"{path} is not an object: give a complete model folder.")
        _refuse_code(settings, path)
        _refuse_unprintable(settings, path)
        _refuse_long_tokens(settings, path)
        for key, value in settings.items():
            if key.endswith("_file") and isinstance(value, str) and _is_elsewhere(folder, value):
                raise XlqaError(f"{path}: {key} names a file outside this folder: remove the key.")
    path = folder / "special_tokens_map.json"
    if path.exists():
        special = load_json(path, MOST_CONFIG_BYTES)
        _refuse_unprintable(special, path)
        _refuse_long_tokens(special, path)
    path = folder / "tokenizer.json"
    if path.exists():
        tokenizer = load_json(path, MOST_TOKENIZER_BYTES)
        if not isinstance(tokenizer, dict):
            raise XlqaError(f"{path} is not an object: give a complete model folder.")
        _refuse_long_tokens(tokenizer.get("added_tokens"), path)
        for part in ("normalizer", "pre_tokenizer", "post_processor"):
            for key, value in _entries(tokenizer.get(part)):
                if (
                    key in ("content", "prepend", "append", "replacement")
                    and isinstance(value, str)
                    and len(value) > MOST_INSERTED
                ):
                    raise XlqaError(
                        f"{path}: {part} inserts {len(value):,} characters: more than {MOST_INSERTED} are refused."
                    )


def _refuse_unprintable(value: Any, path: Path) -> None:
    """Refuse keys with control characters: the library prints those that it does not know."""
    for key, _ in _entries(value):
        if not key.isprintable():
            raise XlqaError(f"{path} has the key {plain(key, 60)!r} with control characters: remove it.")


def _refuse_long_tokens(value: Any, path: Path) -> None:
    """Refuse special tokens that are too long to be added in reasonable time; templates of chats may be long."""
    for key, item in _entries(value):
        for text in item if isinstance(item, list) else [item]:
            if isinstance(text, str) and len(text) > MOST_TOKEN and key not in ("chat_template", "template"):
                raise XlqaError(
                    f"{path}: {plain(key, 60)} has {len(text):,} characters: more than {MOST_TOKEN:,} are refused."
                )


def _is_elsewhere(folder: Path, name: str) -> bool:
    """Whether a name is that of a file outside a folder; many public models name one of their maker's machine."""
    try:
        found = (folder / name).resolve()
        return found.exists() and not found.is_relative_to(folder.resolve()) and not (folder / Path(name).name).exists()
    except (OSError, ValueError, RuntimeError):
        return True
