"""From what the user named, a file or a registered set, to a `DataRef` that says all that is needed to use it."""

from __future__ import annotations

import re
from pathlib import Path

from xlqa.data.cache import PartProgress, data_folder, ensure_part
from xlqa.data.registry import Part, find_part, part_names, part_scorer, unknown_part
from xlqa.errors import XlqaError
from xlqa.records import DataRef
from xlqa.tasks.qa.formats import unfold
from xlqa.tasks.qa.reading import Reading, read_dataset
from xlqa.util.files import file_sha256

SAMPLE_FOLDER = Path(__file__).parents[1] / "data" / "sample"


def resolve(
    name_or_path: str,
    *,
    language: str = "",
    data_dir: Path | None = None,
    download: bool = True,
    progress: PartProgress | None = None,
) -> DataRef:
    """Find a data set: a file that exists, else a part of the embedded sample, else a registered part.

    Args:
        language: ISO 639-1 code of a local file; a registered part knows its own.
        data_dir: where fetched sets lie (`data_folder`).
        download: fetch what is not here.

    Raises:
        XlqaError: neither a file nor a known name (near matches are named), or it can't be had.
    """
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return _local(path, language)
    samples = sample_files()
    if name_or_path in samples:
        return _sample(name_or_path, samples[name_or_path])
    if name_or_path in part_names():
        part = find_part(name_or_path)
        found, sha256 = ensure_local(part, data_folder(data_dir), download=download, progress=progress)
        return DataRef(part.name, found, sha256, part.language, part_scorer(part), part.set_name)
    if path.is_dir():
        raise XlqaError(f"{path}: is a folder: name a file in it.")
    if path.suffix.lower() in _SUFFIXES or len(path.parts) > 1:
        raise XlqaError(f"{path}: no such file: check the path, or name a set of `xlqa data list`.")
    raise XlqaError(unknown_part(name_or_path, samples))


_SUFFIXES = (
    ".json", ".jsonl", ".csv", ".tsv", ".parquet", ".gz", ".xz", ".txt", ".conll", ".conllu", ".iob2",
)  # fmt: skip


def ensure_local(
    part: Part, folder: Path, *, download: bool = True, progress: PartProgress | None = None
) -> tuple[Path, str]:
    """`xlqa.data.cache.ensure_part` for question answering data."""
    return ensure_part(part, folder, _count_questions, download=download, progress=progress)


def _count_questions(path: Path) -> int:
    return sum(1 for _ in unfold(path.read_bytes(), path).questions)


def read_ref(ref: DataRef, *, skip_bad: bool = False) -> Reading:
    """Read the data set that a `DataRef` names.

    Raises:
        XlqaError: as `read_dataset`; or the file is not the one the record was made of.
    """
    reading = read_dataset(ref.path, skip_bad=skip_bad, language=ref.language)
    if reading.sha256 != ref.sha256:
        raise XlqaError(
            f"{ref.path}: has changed (SHA-256 {reading.sha256[:12]}…, {ref.sha256[:12]}… expected): "
            "put the file back, or name it again."
        )
    return reading


def sample_files() -> dict[str, Path]:
    """The embedded sample's parts by name: "sample.es.train" is es.train.json, "sample.ner.es.train" ner.es.train.conll."""
    patterns = ("*.json", "ner.*.conll", "nli.*.jsonl")
    files = sorted(file for pattern in patterns for file in SAMPLE_FOLDER.glob(pattern))
    return {f"sample.{file.name.removesuffix(file.suffix)}": file for file in files}


def _sample(name: str, path: Path) -> DataRef:
    language = next(part for part in name.split(".")[1:] if len(part) == 2)
    return DataRef(name, path, file_sha256(path), language, _default_scorer(language), "sample")


def _local(path: Path, language: str) -> DataRef:
    try:
        sha256 = file_sha256(path)
    except OSError as error:
        raise XlqaError(f"{path}: can't be read ({error.strerror}): check its permissions.") from error
    return DataRef(_short_name(path), path.resolve(), sha256, language, _default_scorer(language), "")


def _short_name(path: Path) -> str:
    """A file's name without the endings of its format, fit for a folder's name and a table."""
    name = path.name
    while Path(name).suffix.lower() in _SUFFIXES:
        name = Path(name).stem
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.") or "data"


def _default_scorer(language: str) -> str:
    from xlqa.tasks.qa.scorers import default_scorer

    # Without a language only the rules that stand beside every score anyway can be meant.
    return default_scorer(language) if language else "squad"
