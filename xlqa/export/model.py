"""`xlqa export RUN DIR`: the weights of a run as a folder that transformers loads in one line, and its upload to the hub."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlqa.data.hub_client import HubError, has_token, hub_address, quiet_client, retrying
from xlqa.errors import XlqaError
from xlqa.export.card import describe_run, write_card
from xlqa.predict import find_run
from xlqa.runs.paths import RunFolder
from xlqa.runs.store.results import refuse_without_weights
from xlqa.runs.store.run_config import RunConfig, read_config
from xlqa.training.model_folder import TOKENIZER_FILES, is_adapter, weight_files
from xlqa.util.files import filling, load_json, open_regular, write_json

CARD = "README.md"

_WITH_PATHS = ("config.json", "tokenizer_config.json")
_PATH_KEYS = ("_name_or_path", "name_or_path", "tokenizer_file", "vocab_file")
"""Keys of a model's JSON files that may hold a path of the machine that trained it."""


def export_run(run: str, target: Path, home: Path, name: str = "") -> Path:
    """Write the weights, configuration, tokenizer and model card of a run into a new folder, whole or not at all.

    What LoRA changed is merged into the encoder's weights: the folder is a whole model.

    Args:
        run: run id or run folder, also of a source stage.
        target: the folder to be made.
        home: the sweep's folder, where `run` is an id.
        name: how the card calls the model; by default as the folder.

    Returns:
        the folder.

    Raises:
        XlqaError: there is no such run, its weights were not kept, a file of it is a link, or the folder exists or cannot
            be written.
    """
    target = Path(os.path.abspath(target.expanduser()))
    if target.exists() or target.is_symlink():
        raise XlqaError(f"{target}: exists: name a new folder.")
    folder, config = find_weights(run, home)
    weights = folder.root / config.weights
    facts = describe_run(folder, config, name or target.name)
    from safetensors import SafetensorError

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filling(target) as temporary:
            if is_adapter(weights):
                _write_merged(config, folder.root, temporary)
            else:
                for file in model_files(weights):
                    _copy(file, temporary / file.name)
            (temporary / CARD).write_text(write_card(facts), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise XlqaError(f"{target}: cannot be written ({reason}): choose another folder.") from error
    return target


def find_weights(run: str, home: Path) -> tuple[RunFolder, RunConfig]:
    """A run's folder and config, after a check that its weights are there.

    Raises:
        XlqaError: there is no such run, or its weights were not kept or are damaged.
    """
    folder = find_run(run, home)
    if folder is None:
        raise XlqaError(
            f"{run}: is not a run: give a run's folder, or set XLQA_HOME and give its id (`xlqa status` lists them)."
        )
    config = read_config(folder)
    config.refuse_links(folder)
    refuse_without_weights(folder, config)
    return folder, config


def model_files(weights: Path) -> list[Path]:
    """The files of a model folder that transformers needs: configuration, tokenizer, weights.

    Raises:
        XlqaError: it has no weights, or one of them is a link.
    """
    named = [weights / "config.json", *(weights / name for name in TOKENIZER_FILES), *sorted(weights.glob("*.model"))]
    files = dict.fromkeys([path for path in named if path.is_file()] + weight_files(weights))
    for path in files:
        if path.is_symlink():
            raise XlqaError(f"{path} is a symbolic link: put the file itself there.")
    return list(files)


def _copy(source: Path, target: Path) -> None:
    """Copy one file; from a JSON object the paths of the machine that trained are left out."""
    if source.name in _WITH_PATHS and _without_paths(source, target):
        return
    with open_regular(source) as file, target.open("wb") as copy:
        shutil.copyfileobj(file, copy, 1 << 22)


def _without_paths(source: Path, target: Path) -> bool:
    """Write a JSON object without the paths in it; false where a file is none."""
    value = load_json(source)
    if isinstance(value, Mapping):
        write_json(target, {key: item for key, item in value.items() if key not in _PATH_KEYS}, durable=False)
    return isinstance(value, Mapping)


def _write_merged(config: RunConfig, root: Path, target: Path) -> None:
    """Write the whole model of a run that kept an adapter."""
    from xlqa.components.model import TaskModel

    TaskModel(**config.model_options(root), device="cpu").save_whole(target)
    for name in _WITH_PATHS:
        if (target / name).is_file():
            _without_paths(target / name, target / name)


def refuse_without_token(name: str) -> None:
    """Refuse an upload that cannot work, before anything is written.

    Raises:
        XlqaError: the name is none of the hub's, or there is no token.
    """
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise XlqaError(f"--push {name}: is not a model name: write NAME or OWNER/NAME.") from error
    if not has_token():
        raise XlqaError(f"--push {name}: set HF_TOKEN to a token of the hub that may write.")


def push_folder(folder: Path, name: str, *, public: bool = False) -> str:
    """Upload an exported folder to the hub and return its address. A model that is new there is private unless `public`.

    Raises:
        XlqaError: the hub does not take it; the folder stays.
    """
    hub = quiet_client()

    def call() -> Any:
        api = hub.HfApi()
        made = api.create_repo(name, private=not public, exist_ok=True)
        api.upload_folder(folder_path=str(folder), repo_id=made.repo_id, commit_message="Add a model trained with xlqa")
        return made.repo_id

    try:
        return f"{hub_address()}/{retrying(call, name)}"
    except HubError as error:
        raise XlqaError(
            f"--push {name}: {str(error).rstrip('.')}. {folder} is complete: upload it with `hf upload {name} {folder}`."
        ) from error
