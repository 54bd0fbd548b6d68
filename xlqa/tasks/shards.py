"""Data sets in several files: folders that `datasets.save_to_disk` wrote, and Parquet files of one split.

Such a data set is written once as one file of JSON lines below the data folder. A sweep then reads, copies and checks it as any file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.tasks.parquet import feature_names, label_names, named
from xlqa.util.files import file_sha256, load_json, replacing
from xlqa.util.text import first_line, plain

ROWS_AT_ONCE = 1000
MOST_NAMED = 12
"""How many splits an error message lists."""

_SHARD = re.compile(r"(?:(?P<split>.+?)[-_.])?(?:\d{3,}-of-(?P<count>\d{3,})|0\d{2,})(?:[-_.].*)?")
_HIDDEN = {None, "data", "part"}
"""What folders and names of shards may be called without naming a split."""


@dataclass(frozen=True, slots=True)
class Shards:
    """The files of one data set.

    Attributes:
        name: of the data set: its folder and its split.
        shown: what the user named, for messages.
        labels: names of numbered labels by column, where a file beside the data states them.
    """

    name: str
    shown: Path
    files: tuple[Path, ...]
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def find_shards(path: Path) -> Shards | None:
    """The files behind FOLDER or FOLDER/SPLIT; None where this is no data set of several files.

    Raises:
        XlqaError: the folder has several splits and the path names none, or files of it are missing.
    """
    if path.is_dir():
        if (path / "dataset_dict.json").is_file():
            return _saved_split(path)
        return _saved(path) if (path / "state.json").is_file() else _parquet_folder(path, "")
    above = path.parent
    if (above / "dataset_dict.json").is_file():
        splits = sorted(state.parent.name for state in above.glob("*/state.json"))
        raise XlqaError(f"{above}: {_choice(splits, f'{above}/', path.name)}")
    named_split = len(path.parts) > 1 and not path.suffix and above.is_dir() and above != above.parent
    return _parquet_folder(above, path.name) if named_split else None


def _saved_split(folder: Path) -> Shards:
    """The one split of a saved `DatasetDict`."""
    splits = sorted(state.parent.name for state in folder.glob("*/state.json"))
    if len(splits) != 1:
        raise XlqaError(f"{folder}: {_choice(splits, f'{folder}/')}")
    return _saved(folder / splits[0])


def _saved(folder: Path) -> Shards:
    """A saved `Dataset`: its Arrow files in the order that state.json gives."""
    state = load_json(folder / "state.json")
    listed = state.get("_data_files") if isinstance(state, dict) else None
    names = [entry.get("filename") for entry in listed or () if isinstance(entry, dict)]
    if not names or not all(isinstance(name, str) and name == Path(name).name for name in names):
        raise XlqaError(f"{folder}: its state.json names no data files: save the data set again with `save_to_disk`.")
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise XlqaError(
            f"{folder}: is a selection that an old version saved: call `flatten_indices()` and save it again."
        )
    files = tuple(folder / str(name) for name in names)
    for file in files:
        if not file.is_file():
            raise XlqaError(f"{folder}: {file.name} is missing, which its state.json names: copy the whole folder.")
    info = load_json(folder / "dataset_info.json") if (folder / "dataset_info.json").is_file() else {}
    labels = feature_names(info.get("features")) if isinstance(info, dict) else {}
    whole = folder.resolve()
    above = whole.parent.name if (folder.parent / "dataset_dict.json").is_file() else ""
    return Shards("-".join(filter(None, (above, whole.name))), folder, files, labels)


def _parquet_folder(folder: Path, split: str) -> Shards | None:
    """The Parquet files of a split of a folder; None where there are none."""
    patterns = ("*.parquet", "data/*.parquet") if split else ("*.parquet", "*/*.parquet", "*/*/*.parquet")
    found = [path for pattern in patterns for path in folder.glob(pattern)]
    names = [path.relative_to(folder).as_posix() for path in found]
    if not names:
        return None
    files = choose_split(names, split)
    if not files:
        raise XlqaError(f"{folder}: {describe_splits(names, split, f'{folder}/')}")
    check_complete(str(folder), files)
    name = "-".join(filter(None, (folder.resolve().name, split.replace("/", "-"))))
    return Shards(name, folder / split if split else folder, tuple(folder / file for file in files))


def describe_splits(names: Iterable[str], split: str, before: str) -> str:
    """The end of an error message about a name that fits no split, or several."""
    return _choice(sorted(group_splits(names)), before, split)


def _choice(splits: Sequence[str], before: str, split: str = "") -> str:
    if not splits:
        return "has no split: save the data set again with `save_to_disk`."
    shown = ", ".join(plain(f"{before}{found}", 400) for found in splits[:MOST_NAMED])
    what = f'has no split "{plain(split, 40)}"' if split else "has several splits"
    return f"{what}: name one of {shown}{', …' if len(splits) > MOST_NAMED else ''}."


def group_splits(names: Iterable[str]) -> dict[str, list[str]]:
    """Parquet files by split: `data/train-00000-of-00002.parquet` is of `train`, `ru/test/0000.parquet` of `ru/test`."""
    splits: dict[str, list[str]] = {}
    for name in sorted(names):
        if name.endswith(".parquet"):
            *folders, file = name.removesuffix(".parquet").split("/")
            shard = _SHARD.fullmatch(file)
            parts = [str(p) for p in (*folders, shard["split"] if shard else file) if p not in _HIDDEN]
            splits.setdefault("/".join(parts), []).append(name)
    return splits


def choose_split(names: Iterable[str], split: str) -> list[str]:
    """The Parquet files of a split, or of the only one that ends so; none where there is no such split, or several."""
    splits = group_splits(names)
    if split in splits and (split or len(splits) == 1):
        return splits[split]
    ending = [found for found in splits if not split or found.endswith(f"/{split}")]
    return splits[ending[0]] if len(ending) == 1 else []


def check_complete(shown: str, files: Sequence[str]) -> None:
    """Refuse a split of which files are missing, where their names tell their number.

    Raises:
        XlqaError: some are missing.
    """
    shards = [shard for file in files if (shard := _SHARD.fullmatch(file.rpartition("/")[2].removesuffix(".parquet")))]
    counts = {int(shard["count"]) for shard in shards if shard["count"]}
    if counts and (len(counts) > 1 or len(files) != max(counts)):
        raise XlqaError(f"{shown}: has {len(files)} of {max(counts)} files of this split: fetch or copy all of them.")


def read_rows(shards: Shards) -> Iterator[dict[str, Any]]:
    """The rows of all files in order; numbered labels as text where the files name them.

    Raises:
        XlqaError: a file is damaged or of another kind, or pyarrow is not installed.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise XlqaError(
            f"{shards.shown}: Arrow and Parquet files need pyarrow: pip install 'xlqa[parquet]'."
        ) from error
    for file in shards.files:
        try:
            for batch in _batches(file):
                names = {**shards.labels, **label_names((batch.schema.metadata or {}).get(b"huggingface", b""))}
                for row in batch.to_pylist():
                    yield {key: named(value, names.get(key, ())) for key, value in row.items()}
        except (pyarrow.ArrowException, OSError) as error:
            raise XlqaError(
                f"{file}: is damaged or cut short ({first_line(error)}): fetch or copy it again."
            ) from error


def _batches(file: Path) -> Iterator[Any]:
    import pyarrow
    import pyarrow.parquet

    if file.suffix == ".parquet":
        yield from pyarrow.parquet.ParquetFile(file).iter_batches(batch_size=ROWS_AT_ONCE)
        return
    with pyarrow.memory_map(str(file)) as source:  # `datasets` writes streams; other programs write files
        is_file = source.read(6) == b"ARROW1"
        source.seek(0)
        if is_file:
            reader = pyarrow.ipc.open_file(source)
            yield from (reader.get_batch(number) for number in range(reader.num_record_batches))
        else:
            yield from pyarrow.ipc.open_stream(source)


def pack(shards: Shards, folder: Path) -> Path:
    """The data set as one file of JSON lines below `folder`, written where it is not there yet.

    The file's name holds a hash of what it was made of. Values that JSON cannot hold, such as images, become null.

    Raises:
        XlqaError: a file cannot be read, or the folder cannot be written.
    """
    digest = hashlib.sha256(json.dumps({k: list(v) for k, v in sorted(shards.labels.items())}).encode())
    for file in shards.files:
        digest.update(file_sha256(file).encode())
    target = (
        folder
        / digest.hexdigest()[:16]
        / f"{re.sub(r'[^A-Za-z0-9_.+-]+', '-', shards.name).strip('-.') or 'data'}.jsonl"
    )
    if not target.is_file():
        write_rows(shards, target)
    return target


def write_rows(shards: Shards, target: Path) -> None:
    """Write the rows of a data set as JSON lines, whole or not at all.

    Raises:
        XlqaError: there are none, a file cannot be read, or the target cannot be written.
    """
    rows = read_rows(shards)
    first = next(rows, None)
    if first is None:
        raise XlqaError(f"{shards.shown}: has no rows: fetch or save it again.")
    with replacing(target) as temporary, temporary.open("w", encoding="utf-8", errors="surrogatepass") as file:
        for row in chain([first], rows):
            file.write(json.dumps(row, ensure_ascii=False, default=lambda _: None) + "\n")
