"""The folder of fetched data sets, and how a registered part gets there: `xlqa data fetch NAME`."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from xlqa.data.archives import unpack
from xlqa.data.download import (
    Progress,
    Receipt,
    fetch_file,
    read_receipt,
    receipt_path,
    write_receipt,
)
from xlqa.data.registry import TYDIQA_LANGUAGES, Part, find_set
from xlqa.errors import XlqaError
from xlqa.util.compression import decompress
from xlqa.util.files import file_sha256, replacement
from xlqa.util.locks import waiting_lock
from xlqa.util.text import counted

logger = logging.getLogger(__name__)


class NotFetched(XlqaError):
    """A registered part that cannot be downloaded; several of them make one message (`describe_unfetched`)."""

    def __init__(self, part: str, reason: str) -> None:
        self.part, self.reason = part, reason  # "address: what happened"
        super().__init__(describe_unfetched([self]))


def describe_unfetched(errors: Sequence[NotFetched]) -> str:
    """One line for parts that cannot be downloaded for one reason, and the ways out."""
    parts = list(dict.fromkeys(error.part for error in errors))
    file = "a local file" if len(parts) == 1 else "local files"
    return (
        f"{', '.join(parts)}: {errors[0].reason}. To fix this: name {file} instead; use the embedded sample (sample.en.train, "
        f"`xlqa data list`); or run `xlqa data fetch {' '.join(parts)} --data-dir DIR` where there is network and copy DIR here."
    )


PartProgress = Callable[[str], Progress]
"""Makes the progress callback of one file, given what to call it."""


def data_folder(given: Path | None = None) -> Path:
    """The folder of fetched data: `given`, else XLQA_DATA, else XLQA_CACHE/data, else the user's cache folder."""
    if given is not None:
        return Path(given).expanduser()
    chosen = chosen_data_folder()
    return cache_folder() / "data" if chosen is None else chosen


def chosen_data_folder() -> Path | None:
    """The folder of XLQA_DATA; None where the user chose none."""
    chosen = os.environ.get("XLQA_DATA")
    return Path(chosen).expanduser() if chosen else None


PACKED, FROM_HUB = "packed", "hub"
"""Subfolders of the data folder: of data sets in several files, written as one; of data sets of the hub."""


def cache_folder() -> Path:
    """XLQA_CACHE, else the folder `xlqa` where the system keeps a user's caches."""
    if os.environ.get("XLQA_CACHE"):
        return Path(os.environ["XLQA_CACHE"]).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "xlqa"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "xlqa" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xlqa"


def tokenised_folder() -> Path:
    """The folder of tokenised sets; it may be removed at any moment."""
    return cache_folder() / "tokenised"


def part_path(part: Part, folder: Path) -> Path:
    """The path of a part's questions in the data folder, present or not."""
    return folder / part.set_name / part.file


def is_cached(part: Part, folder: Path) -> bool:
    """Whether a part needs no fetching."""
    return part_path(part, folder).is_file()


CountExamples = Callable[[Path], int]
"""Counts the examples of a data file; raises XlqaError where the file is not a data set. Each task reads its own files."""


def ensure_part(
    part: Part,
    folder: Path,
    count_examples: CountExamples,
    *,
    download: bool = True,
    progress: PartProgress | None = None,
) -> tuple[Path, str]:
    """Return a part's file and its SHA-256; download the file if it is not in the cache.

    Args:
        count_examples: checks a downloaded file whose SHA-256 is unknown.

    Raises:
        XlqaError: the file is not here and cannot be downloaded (the message names the ways out), or it has changed
            since it was downloaded.
    """
    target = part_path(part, folder)
    if not target.is_file():
        if not download and not (part.pick and _whole(part, folder).is_file()):
            raise XlqaError(
                f"{part.name}: is not in {folder}: fetch it with `xlqa data fetch {part.name}`, or name a local file."
            )
        with _locked(folder, part):
            if not target.is_file():  # another process may have brought it while this one waited
                _download_part(part, folder, count_examples, progress)
    return target, _verified(part, target)


def _verified(part: Part, target: Path) -> str:
    found = file_sha256(target)
    receipt = read_receipt(target)
    derived = bool(part.member or part.pick or part.merge)
    registered = part.file_sha256 if derived else part.sha256
    expected = registered or (receipt.sha256 if receipt else None)
    if expected is not None and found != expected:
        raise XlqaError(
            f"{target}: is not the file that was fetched (SHA-256 {found[:12]}…, {expected[:12]}… expected): "
            f"remove it and run `xlqa data fetch {part.name}`."
        )
    if receipt is None:
        with contextlib.suppress(OSError, XlqaError):  # a folder shared read-only needs no receipt
            write_receipt(target, Receipt(part.urls[0] if part.urls else "", found, target.stat().st_size))
    return found


def _download_part(part: Part, folder: Path, count: CountExamples, progress: PartProgress | None) -> None:
    """Fetch a part's file and make of it what is read."""
    if not part.urls:
        raise XlqaError(f"{part.name}: {find_set(part.set_name).on_request}.")
    target = part_path(part, folder)
    try:
        if part.merge:
            _merge(part, folder, count, progress)
        elif part.pick:
            _pick(part, folder, progress)
        elif part.member:
            _extract(part, folder, progress)
        else:
            _fetch(part, target, progress)
            _check_readable(part, target, count)
    except XlqaError as error:
        raise NotFetched(part.name, str(error).rstrip(".")) from error


def _fetch(part: Part, target: Path, progress: PartProgress | None, name: str = "") -> Receipt:
    report = progress(name or part.name) if progress else None
    return fetch_file(part.urls, target, sha256=part.sha256, size=part.size, progress=report)


def _check_readable(part: Part, target: Path, count: CountExamples) -> None:
    """Where no SHA-256 is known, at least the file must be one of questions; a web page or half a file is not kept."""
    if part.sha256 is not None:
        return
    if part.file_sha256 is not None and (found_sha256 := file_sha256(target)) != part.file_sha256:
        target.unlink()
        raise XlqaError(f"the file has a different SHA-256 ({found_sha256[:12]}…, {part.file_sha256[:12]}… expected)")
    try:
        found = count(target)
    except XlqaError:
        target.unlink(missing_ok=True)
        receipt_path(target).unlink(missing_ok=True)
        raise
    if part.questions is not None and found != part.questions:
        logger.warning("%s: has %s, its makers count %s.", part.name, counted(found, "question"), f"{part.questions:,}")


def _extract(part: Part, folder: Path, progress: PartProgress | None) -> None:
    """Fetch an archive, unpack all of it beside it, and remove it."""
    stem = part.file.split("/", 1)[0]
    archive = folder / part.set_name / part.urls[0].rsplit("/", 1)[-1]
    _fetch(part, archive, progress, find_set(part.set_name).title)
    unpack(archive, folder / part.set_name / stem)
    archive.unlink()
    receipt_path(archive).unlink(missing_ok=True)
    if not part_path(part, folder).is_file():
        raise XlqaError(f'the archive of {part.urls[0]} has no "{part.member}"')


def _whole(part: Part, folder: Path) -> Path:
    return folder / part.set_name / part.urls[0].rsplit("/", 1)[-1]


def _pick(part: Part, folder: Path, progress: PartProgress | None) -> None:
    """Pick one language's articles out of TyDi QA's file of all."""
    whole = _whole(part, folder)
    if not whole.is_file():
        _fetch(part, whole, progress, f"{find_set(part.set_name).title}, {part.split}, all languages")
    prefix = TYDIQA_LANGUAGES[part.pick] + "-"
    articles = [article for article in _load(whole)["data"] if _first_id(article).startswith(prefix)]
    if not articles:
        raise XlqaError(f"{whole} has no question in {part.pick}")
    _dump({"data": articles}, part_path(part, folder))


def _first_id(article: dict[str, Any]) -> str:
    return next((str(qa["id"]) for paragraph in article["paragraphs"] for qa in paragraph["qas"]), "")


def _merge(part: Part, folder: Path, count: CountExamples, progress: PartProgress | None) -> None:
    """Fetch the pieces of a set and join them in order; the pieces go when the whole is there."""
    pieces = folder / part.set_name / f"{part.split}.pieces"
    joined: dict[str, Any] = {}
    for number, url in enumerate(part.urls, start=1):
        piece = pieces / url.rsplit("/", 1)[-1]
        if not piece.is_file():
            report = progress(f"{part.name} {number}/{len(part.urls)}") if progress else None
            fetch_file((url,), piece, progress=report)
        value = _load(piece)
        joined = {**value, "data": [*joined.get("data", []), *value["data"]]}
    target = part_path(part, folder)
    _dump(joined, target)
    _check_readable(part, target, count)
    shutil.rmtree(pieces, ignore_errors=True)


def _load(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(decompress(path.read_bytes(), path)[0])
    except ValueError as error:
        value = error
    if not isinstance(value, dict) or not isinstance(value.get("data"), list):
        path.unlink(missing_ok=True)
        raise XlqaError(f"{path.name} is not SQuAD JSON; it was removed, so that it is fetched again")
    return value


def _dump(value: dict[str, Any], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacement(target) as draft:
        draft.write_bytes(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@contextlib.contextmanager
def _locked(folder: Path, part: Part) -> Iterator[None]:
    """One process a set fetches; the others wait. The system lifts the lock of a process that dies."""
    place = folder / part.set_name
    with contextlib.ExitStack() as held:
        try:
            place.mkdir(parents=True, exist_ok=True)
            held.enter_context(waiting_lock(place, lambda: _report_waiting(place, part)))
        except OSError as error:
            raise XlqaError(f"{place}: can't be written ({error.strerror}): choose another --data-dir.") from error
        yield


def _report_waiting(place: Path, part: Part) -> None:
    logger.warning("%s: another process is fetching %s: waiting for it.", place, part.set_name)
