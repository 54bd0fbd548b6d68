"""Data sets of the Hugging Face hub by name: `hf:OWNER/NAME/SPLIT`, fetched once and kept as a file below the data folder."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from xlqa.data.cache import FROM_HUB, NotFetched
from xlqa.data.hub_client import HubError, quiet_client, retrying
from xlqa.errors import XlqaError
from xlqa.tasks.shards import Shards, check_complete, choose_split, describe_splits, write_rows
from xlqa.util.files import replacing, write_json

PREFIX = "hf:"
CONVERTED = "refs/convert/parquet"
"""The branch on which the hub keeps the Parquet files that it made of a data set."""

_NAME = re.compile(r"hf:(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)(?:/(?P<rest>[^\s:]+))?")
_DATA_FILE = re.compile(r"\.(json|jsonl|csv|tsv|txt|conll|conllu|iob2)(\.(gz|xz|bz2))?$")


def hub_set_path(name: str, folder: Path) -> Path:
    """Where the data set of a name is kept below the data folder, present or not.

    Each name has a folder of its own: hf:o/n/ru-test and hf:o/n/ru/test differ, and so do hf:o/n/train and hf:o/n/train.jsonl.

    Raises:
        XlqaError: it is no name of a data set of the hub.
    """
    found = _parse(name)
    rest = found["rest"] or ""
    parts = rest.split("/")
    if any(part in ("", ".", "..") for part in parts if rest) or ".." in (found["owner"], found["name"]):
        raise XlqaError(
            f"{name}: is no name of a data set: write hf:OWNER/NAME, hf:OWNER/NAME/SPLIT or hf:OWNER/NAME/FILE."
        )
    base = folder / FROM_HUB / found["owner"] / found["name"]
    stem = "-".join([found["name"], *parts] if rest else [found["name"]])
    file = stem if _DATA_FILE.search(stem) else f"{stem}.jsonl"
    # Earlier versions kept the file without the folders of its name.
    return base / file if not rest or _is_kept(base / file, name) else Path(base, *parts, file)


def _is_kept(target: Path, name: str) -> bool:
    """Whether a file is here and its record names this data set."""
    if not target.is_file():
        return False
    try:
        record = json.loads(_record_of(target).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True  # a file without a record is taken for what its path names
    return not isinstance(record, dict) or record.get("name", name) == name


def _record_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.source.json")


def _parse(name: str) -> re.Match[str]:
    found = _NAME.fullmatch(name)
    if found is None:
        raise XlqaError(
            f"{name}: is no name of a data set: write hf:OWNER/NAME, hf:OWNER/NAME/SPLIT or hf:OWNER/NAME/FILE."
        )
    return found


def ensure_hub_set(name: str, folder: Path, *, download: bool = True) -> Path:
    """The file of a data set of the hub, fetched where it is not here yet. A copy that is here is never replaced.

    Raises:
        XlqaError: the name is none, it is not here and may not be fetched, or the hub does not give it.
    """
    target = hub_set_path(name, folder)
    if target.is_file():
        return target
    if not download:
        raise XlqaError(f"{name}: is not in {folder}: fetch it with `xlqa data fetch {name}`.")
    try:
        _fetch(name, target)
    except HubError as error:
        reason = str(error).rstrip(".")
        if error.failure.unreached:
            raise NotFetched(name, reason) from error
        raise XlqaError(f"{name}: {reason}.") from error
    return target


def _fetch(name: str, target: Path) -> None:
    found = _parse(name)
    repository, rest = f"{found['owner']}/{found['name']}", found["rest"] or ""
    commit, names = _list_files(repository, None)
    if rest in names:
        paths, files = [_download(repository, rest, commit)], [rest]
    else:
        files = choose_split(names, rest)
        if not any(file.endswith(".parquet") for file in names):
            commit, names = _list_files(repository, CONVERTED)
            files = choose_split(names, rest)
        if not files:
            raise XlqaError(f"{name}: {_explain(repository, names, rest)}")
        check_complete(name, files)
        paths = [_download(repository, file, commit) for file in files]
    if target.suffix == ".jsonl" and all(file.endswith(".parquet") for file in files):
        write_rows(Shards(target.stem, Path(name), tuple(paths)), target)
    else:
        with replacing(target) as temporary:
            shutil.copyfile(paths[0], temporary)
    write_json(_record_of(target), {"name": name, "commit": commit, "files": files})


def _explain(repository: str, names: list[str], rest: str) -> str:
    if any(file.endswith(".parquet") for file in names):
        return describe_splits(names, rest, f"{PREFIX}{repository}/")
    return "has no Parquet files and no file of this name: download it and name the file."


def _list_files(repository: str, revision: str | None) -> tuple[str, list[str]]:
    """The commit of a revision, and the names of its files; none where there is no such revision."""
    hub = quiet_client()

    def call() -> Any:
        return hub.HfApi().dataset_info(repository, revision=revision)

    try:
        found = retrying(call, f"datasets/{repository}")
    except HubError as error:
        if revision is not None and not error.failure.unreached:
            return "", []
        raise
    return str(found.sha or ""), [file.rfilename for file in found.siblings or []]


def _download(repository: str, file: str, commit: str) -> Path:
    hub = quiet_client()

    def call() -> str:
        return str(hub.hf_hub_download(repository, file, repo_type="dataset", revision=commit or None))

    return Path(retrying(call, f"datasets/{repository}"))
