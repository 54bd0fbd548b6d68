"""What a sweep needs, checked before it starts: versions, folders, addresses, and what would be downloaded.

xlqa doctor --lang ru
"""

from __future__ import annotations

import http.client
import importlib
import os
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from xlqa.data.cache import data_folder, is_cached, part_path
from xlqa.data.hub_client import hub_address
from xlqa.data.mirrors import mirrored
from xlqa.data.registry import Part, default_tests, default_train, find_part, find_set
from xlqa.errors import XlqaError
from xlqa.runs.plan.request import SweepRequest
from xlqa.tasks.hub_sets import PREFIX, ensure_hub_set
from xlqa.tasks.shards import find_shards
from xlqa.tasks.sources import sample_files

TIMEOUT = 4.0
"""Seconds that an address has to answer."""

PACKAGES = ("xlqa", "deeppavlov", "torch", "transformers", "tokenizers", "huggingface-hub", "numpy", "pandas")
LOADED = ("torch", "transformers", "xlqa.components.model", "xlqa.components.trainer")
"""What a worker imports; an error in any of them would fail every run."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A cache: its path, the bytes of its files, and whether it can be written."""

    path: Path
    bytes: int
    writable: bool


@dataclass(frozen=True, slots=True)
class Need:
    """A data set or an encoder that a sweep would use.

    Attributes:
        here: nothing has to be downloaded.
        bytes: to download; 0 where it is here or comes with another need, None where unknown.
        url: of its first file, "" where there is none to download; others: further addresses of the same file.
        files: number of its files.
        trouble: why it is not available, "" where it is.
    """

    kind: str
    name: str
    here: bool
    bytes: int | None
    url: str = ""
    files: int = 1
    trouble: str = ""
    others: tuple[str, ...] = ()


# ---------------------------------------------------------------------------------------------------------- software


def read_versions() -> dict[str, str]:
    """Versions of Python and of what decides a result; "" where a package is not installed."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def find_unmet() -> list[str]:
    """A line for each package that xlqa requires and that is missing or of another version."""
    from importlib.metadata import PackageNotFoundError, requires, version

    from packaging.requirements import Requirement

    lines = []
    for text in requires("xlqa") or []:
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        wanted.marker = None  # the reader installs it on this Python
        try:
            have = version(wanted.name)
        except PackageNotFoundError:
            lines.append(f"{wanted.name} is not installed: pip install '{wanted}'.")
            continue
        if not wanted.specifier.contains(have, prereleases=True):
            lines.append(f"{wanted.name} is {have}, xlqa needs {wanted.specifier}: pip install '{wanted}'.")
    return lines


def find_unloadable(modules: Iterable[str] = LOADED) -> list[str]:
    """A line for the first module that cannot be imported; most of the others import it too."""
    os.environ.setdefault("DP_SKIP_NLTK_DOWNLOAD", "1")
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # a package may be broken in any way
            reason = next(iter(str(error).splitlines()), "")
            return [f"{name} cannot be imported ({type(error).__name__}: {reason}): install it again."]
    return []


# ----------------------------------------------------------------------------------------------------------- folders


def look_at_folder(path: Path) -> Folder:
    """A folder's size, links not followed; a folder that does not exist yet has 0 bytes."""
    total = 0
    for parent, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:  # removed by another process while this one counts
                continue
    return Folder(path, total, os.access(_nearest(path), os.W_OK))


def _nearest(path: Path) -> Path:
    """The folder itself, or its nearest parent that exists."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def free_bytes(path: Path) -> int:
    """Free space where a folder is, or would be."""
    return shutil.disk_usage(_nearest(path)).free


# ----------------------------------------------------------------------------------------------------------- network


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of an address: its size where it states one, and the trouble, "" where there is none."""

    bytes: int | None
    trouble: str


def ask_addresses(urls: Iterable[str], timeout: float = TIMEOUT) -> dict[str, Reply]:
    """Ask addresses for their headers, all at once; no answer for `timeout` seconds is a trouble.

    A name server's answer has no timeout, so each address has a thread that may be left behind.
    """
    replies = {url: Reply(None, f"no answer for {timeout:g} s") for url in urls}
    threads = [
        threading.Thread(target=lambda url=url: replies.__setitem__(url, _ask(url, timeout)), daemon=True)
        for url in replies
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout + 1)
    return dict(replies)


def _ask(url: str, timeout: float) -> Reply:
    try:
        request = urllib.request.Request(url, method="HEAD", headers={"Accept-Encoding": "identity"})
        with urllib.request.urlopen(request, timeout=timeout) as response:
            length = response.headers.get("Content-Length", "")
            return Reply(int(length) if length.isdecimal() else None, "")
    except urllib.error.HTTPError as error:
        # A server without HEAD answers all the same.
        return Reply(None, "" if error.code in (405, 501) else f"HTTP {error.code} {error.reason}")
    except urllib.error.URLError as error:
        return Reply(None, _reason(error.reason))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Reply(None, _reason(error))


def _reason(error: object) -> str:
    return str(getattr(error, "strerror", "") or error or type(error).__name__)


# ------------------------------------------------------------------------------------------------- what a sweep needs


def ask_hub() -> Reply:
    """The hub's answer, unless HF_HUB_OFFLINE forbids to ask."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return Reply(None, "HF_HUB_OFFLINE is set")
    return ask_addresses([hub_address()])[hub_address()]


def find_needs(request: SweepRequest, hub: Reply) -> list[Need]:
    """Every data set and encoder of a request, with what would be downloaded; addresses of data sets are asked.

    Args:
        hub: the hub's answer.
    """
    needs = list(_data_needs(request))
    replies = ask_addresses({url for need in needs for url in _urls(need)})
    needs = [_with_reply(need, [replies[url] for url in _urls(need)]) if need.url else need for need in needs]
    encoders = [request.model, *(request.target_model[k] for k in request.languages if k in request.target_model)]
    return [*needs, *(encoder_need(name, hub) for name in dict.fromkeys(encoders))]


def _urls(need: Need) -> tuple[str, ...]:
    return (need.url, *need.others) if need.url else ()


def _with_reply(need: Need, replies: list[Reply]) -> Need:
    """A need after its addresses were asked: one that answers is enough."""
    reply = next((reply for reply in replies if not reply.trouble), replies[0])
    count = reply.bytes if need.bytes is None and need.files == 1 else need.bytes
    trouble = f"{need.url}: {reply.trouble}" if reply.trouble else ""
    return replace(need, bytes=count, trouble=trouble)


def _data_needs(request: SweepRequest) -> Iterator[Need]:
    folder = data_folder(request.data_dir)
    coming: set[tuple[str, ...]] = set()
    for kind, name in dict.fromkeys(_data_names(request)):
        if isinstance(name, XlqaError):
            yield Need(kind, "", False, 0, trouble=str(name))
        else:
            yield _data_need(kind, name, folder, coming)


def _data_names(request: SweepRequest) -> Iterator[tuple[str, str | XlqaError]]:
    if any(arm.uses_source for arm in request.arms):
        yield "source", request.source_train
    for language in request.languages:
        try:
            yield "train", request.target_train.get(language) or default_train(language, request.task)
        except XlqaError as error:
            yield "train", error
        try:
            tests = request.target_test.get(language) or default_tests(language, request.task)
            yield from (("test", name) for name in tests)
        except XlqaError as error:
            yield "test", error


def _data_need(kind: str, name: str, folder: Path, coming: set[tuple[str, ...]]) -> Need:
    path = Path(name).expanduser()
    try:
        if path.is_file() or name in sample_files() or find_shards(path):
            return Need(kind, name, True, 0)
        if name.startswith(PREFIX):
            ensure_hub_set(name, folder, download=False)
            return Need(kind, name, True, 0)
        part = find_part(name)
    except XlqaError as error:
        return Need(kind, name, False, 0, trouble=str(error).removeprefix(f"{name}: "))
    if is_cached(part, folder) or _is_inside_whole(part, folder):
        return Need(kind, name, True, 0)
    if not part.urls:
        return Need(kind, name, False, None, trouble=find_set(part.set_name).on_request)
    # Several parts may come out of one archive, which is fetched once.
    size = 0 if part.urls in coming else part.size
    coming.add(part.urls)
    urls = mirrored(part.urls[:1] if part.merge else part.urls)
    return Need(kind, name, False, size, urls[0], len(part.urls) if part.merge else 1, others=urls[1:])


def _is_inside_whole(part: Part, folder: Path) -> bool:
    """Whether the file of all languages, out of which this part is picked, is here."""
    return bool(part.pick) and (part_path(part, folder).parent / part.urls[0].rsplit("/", 1)[-1]).is_file()


def encoder_need(name: str, hub: Reply) -> Need:
    """An encoder: a folder, a package's encoder and a cached model are checked; another name is looked up on the hub."""
    from xlqa.data.hub import PACKAGED, cached_model
    from xlqa.runs.plan.encoders import resolve_encoder

    path = Path(name).expanduser()
    local = path.is_dir() or path.is_absolute() or name in PACKAGED or name.startswith(".") or name.count("/") > 1
    if local or cached_model(name) is not None:
        try:
            resolve_encoder(name)
        except XlqaError as error:
            return Need("encoder", name, False, 0, trouble=str(error).removeprefix(f"--model {name}: "))
        return Need("encoder", name, True, 0)
    if hub.trouble:
        return Need("encoder", name, False, None, hub_address(), trouble=f"{hub_address()}: {hub.trouble}")
    return _hub_need(name)


def _hub_need(name: str) -> Need:
    from xlqa.data.hub import ask_access, ask_model, explain

    url = f"{hub_address()}/{name}"
    try:
        model = ask_model(name, timeout=TIMEOUT)
        if model.gated:
            ask_access(name, timeout=TIMEOUT)
    except XlqaError as error:
        return Need("encoder", name, False, None, url, trouble=explain(name, error).removeprefix(f"{name}: "))
    sizes = model.sizes.values()
    total = None if None in sizes else sum(size for size in sizes if size is not None)
    return Need("encoder", name, False, total, url)


def sum_downloads(needs: Iterable[Need]) -> tuple[int, list[str]]:
    """Bytes to download as far as they are known, and the names of what has an unknown size."""
    missing = [need for need in needs if not need.here]
    return sum(need.bytes or 0 for need in missing), [need.name for need in missing if need.bytes is None]
