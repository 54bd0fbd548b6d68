"""From what the user named, a file or a registered set, to a `DataRef` that states all that is needed to use it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from xlqa.data.cache import PACKED, PartProgress, data_folder, ensure_part
from xlqa.data.registry import Part, find_part, find_set, part_names, part_scorer, parts_of_file, unknown_part
from xlqa.errors import XlqaError
from xlqa.records import DataRef, Question
from xlqa.tasks.base import DEFAULT_TASK, get_task
from xlqa.tasks.hub_sets import PREFIX, ensure_hub_set
from xlqa.tasks.qa.formats import unfold
from xlqa.tasks.qa.languages import guess_language, language_of_ids, language_of_name
from xlqa.tasks.qa.reading import Reading, read_dataset
from xlqa.tasks.renaming import ColumnNames
from xlqa.tasks.shards import find_shards, pack
from xlqa.util.files import file_sha256

SAMPLE_FOLDER = Path(__file__).parents[1] / "data" / "sample"


def resolve(
    name_or_path: str,
    *,
    language: str = "",
    data_dir: Path | None = None,
    download: bool = True,
    progress: PartProgress | None = None,
    columns: ColumnNames | None = None,
) -> DataRef:
    """Find a data set: a file or folder that exists, else a part of the embedded sample, a registered part, or one of the hub.

    A file whose bytes are those of a registered part is that part, whatever its name. `de=FILE` states a file's language.
    A folder (`xlqa.tasks.shards`) and a data set of the hub (`hf:OWNER/NAME/SPLIT`) become one file below the data folder.

    Args:
        language: ISO 639-1 code of a local file's paragraphs; "" where nobody stated it: then the record's language is ""
            too, unless the bytes or the name give it (`settle_language`). A registered part knows its own.
        data_dir: folder of fetched sets (`data_folder`).
        download: fetch what is not here.
        columns: names of the columns of a file, folder or set of the hub; it is then read from a copy with the usual names below the
            data folder. Registered parts and the sample have their own.

    Raises:
        XlqaError: neither a file nor a known name (near matches are named), or it can't be had.
    """
    path = Path(name_or_path).expanduser()
    own = partial(_own, language=language, columns=columns, packed=data_folder(data_dir) / PACKED)
    if path.is_file():
        return own(path)
    if name_or_path.startswith(PREFIX):
        return own(ensure_hub_set(name_or_path, data_folder(data_dir), download=download))
    stated, equals, rest = name_or_path.partition("=")
    if equals and re.fullmatch("[a-z]{2,3}", stated):
        options: dict[str, Any] = {"download": download, "progress": progress, "columns": columns}
        return _stated(rest, stated, data_dir=data_dir, **options)
    samples = sample_files()
    if name_or_path in samples:
        return _sample(name_or_path, samples[name_or_path])
    if name_or_path in part_names():
        part = find_part(name_or_path)
        found, sha256 = ensure_local(part, data_folder(data_dir), download=download, progress=progress)
        return DataRef(part.name, found, sha256, part.language, part_scorer(part), part.set_name)
    if shards := find_shards(path):
        return own(pack(shards, data_folder(data_dir) / PACKED))
    if path.is_dir():
        raise XlqaError(f"{path}: is a folder without Parquet files or a saved data set: name a file in it.")
    if path.suffix.lower() in _SUFFIXES or len(path.parts) > 1:
        raise XlqaError(f"{path}: no such file: check the path, or name a set of `xlqa data list`.")
    raise XlqaError(unknown_part(name_or_path, samples))


_SUFFIXES = (
    ".json", ".jsonl", ".csv", ".tsv", ".parquet", ".gz", ".xz", ".bz2", ".txt", ".conll", ".conllu", ".iob2",
)  # fmt: skip


def _stated(name: str, language: str, **options: Any) -> DataRef:
    """A data set whose language is given before its name."""
    from xlqa.tasks.qa.scorers import base_language

    ref = resolve(name, language=base_language(language), **options)
    if base_language(ref.language) != base_language(language):
        raise XlqaError(f"{language}={name}: {ref.name} is in {ref.language}, not {language}: name it alone.")
    return ref


def ensure_local(
    part: Part, folder: Path, *, download: bool = True, progress: PartProgress | None = None
) -> tuple[Path, str]:
    """`xlqa.data.cache.ensure_part` for data of any task."""
    count = partial(_count_examples, find_set(part.name).task)
    return ensure_part(part, folder, count, download=download, progress=progress)


def _count_examples(task: str, path: Path) -> int:
    if task == DEFAULT_TASK:
        return sum(1 for _ in unfold(path.read_bytes(), path).questions)
    return len(get_task(task).read(path, skip_bad=True).examples)


def read_ref(
    ref: DataRef,
    *,
    skip_bad: bool = False,
    to_score: bool = False,
    columns: Mapping[str, str] | None = None,
    first_place: bool = False,
) -> Reading:
    """Read the data set that a `DataRef` names; the options are those of `read_dataset`.

    Raises:
        XlqaError: as `read_dataset`; or the file is not the one the record was made of.
    """
    reading = read_dataset(
        ref.path, skip_bad=skip_bad, language=ref.language, to_score=to_score, columns=columns, first_place=first_place
    )
    if reading.sha256 != ref.sha256:
        raise XlqaError(
            f"{ref.path}: has changed (SHA-256 {reading.sha256[:12]}…, {ref.sha256[:12]}… expected): "
            "put the file back, or name it again."
        )
    return reading


def settle_language(ref: DataRef, questions: Sequence[Question], fallback: str = "") -> DataRef:
    """The record with its paragraphs' language and scorer, where these were not known before the file was read.

    Args:
        fallback: language of a file that shows none itself: a sweep's own. Without it the script may still tell.
    """
    if ref.language:
        return ref
    if ref.set_name:  # one file of several languages
        return replace(ref, language=fallback)
    language = language_of_ids(questions) or fallback or guess_language(questions)
    return replace(ref, language=language, scorer=_default_scorer(language)) if language else ref


def sample_files() -> dict[str, Path]:
    """The embedded sample's parts by name: "sample.es.train" is es.train.json, "sample.ner.es.train" ner.es.train.conll."""
    patterns = ("*.json", "ner.*.conll", "nli.*.jsonl")
    files = sorted(file for pattern in patterns for file in SAMPLE_FOLDER.glob(pattern))
    return {f"sample.{file.name.removesuffix(file.suffix)}": file for file in files}


def _sample(name: str, path: Path) -> DataRef:
    language = _sample_language(name)
    return DataRef(name, path, file_sha256(path), language, _default_scorer(language), "sample")


def _sample_language(name: str) -> str:
    return next(part for part in name.split(".")[1:] if len(part) == 2)


@cache
def _sample_languages(folder: Path) -> dict[str, str]:
    """Languages of the embedded sample's files by their SHA-256."""
    return {file_sha256(path): _sample_language(name) for name, path in sample_files().items()}


def _own(path: Path, *, language: str, columns: ColumnNames | None, packed: Path) -> DataRef:
    """A user's file, with the usual names of its columns."""
    ref = _local(path, language)
    renamed = path if columns is None or ref.set_name else columns.apply(path, packed)
    return ref if renamed == path else replace(ref, path=renamed.resolve(), sha256=file_sha256(renamed))


def _local(path: Path, stated: str) -> DataRef:
    try:
        sha256 = file_sha256(path)
    except OSError as error:
        raise XlqaError(f"{path}: can't be read ({error.strerror}): check its permissions.") from error
    from xlqa.tasks.qa.scorers import base_language

    name, whole = _short_name(path), path.resolve()
    parts = parts_of_file(sha256)
    sample = _sample_languages(SAMPLE_FOLDER).get(sha256)
    languages = [part.language for part in parts] + ([sample] if sample else [])
    if stated and languages and base_language(stated) not in languages:
        known = parts[0].name if len(parts) == 1 else parts[0].set_name if parts else "the embedded sample"
        raise XlqaError(f"{path}: is {known}, in {', '.join(languages)}, not {stated}: drop the language.")
    if sample:
        return DataRef(name, whole, sha256, sample, _default_scorer(sample), "sample")
    if parts:
        # A file of several languages (TyDi QA) is one set under one scorer; the user states which language to read.
        language = stated or (parts[0].language if len(parts) == 1 else "")
        return DataRef(name, whole, sha256, language, part_scorer(parts[0]), parts[0].set_name)
    language = stated or language_of_name(path.name)
    return DataRef(name, whole, sha256, language, _default_scorer(language), "")


def _short_name(path: Path) -> str:
    """A file's name without the endings of its format, fit for a folder's name and a table."""
    name = path.name
    while Path(name).suffix.lower() in _SUFFIXES:
        name = Path(name).stem
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.") or "data"


def _default_scorer(language: str) -> str:
    from xlqa.tasks.qa.scorers import default_scorer

    # Without a language only the rules that are beside every score anyway can be meant.
    return default_scorer(language) if language else "squad"
