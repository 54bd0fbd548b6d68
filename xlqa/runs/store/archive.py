"""A finished sweep in small files, to be published: its table, and the predictions and records that it comes from.

xlqa pack results/ru experiments/ru
tar xf experiments/ru/runs.tar.xz && xlqa collect .     # the same results.csv, from the predictions' own records
"""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.links import refuse_links
from xlqa.runs.store.results import EXAMPLES, PREDICTIONS, QUESTIONS, RESULT, read_result, read_training, task_of
from xlqa.runs.store.run_config import read_config
from xlqa.runs.store.table import collect_results, table_columns, write_results
from xlqa.util.csvfile import csv_text
from xlqa.util.files import is_signed, read_file, read_json, sign, write_bytes, write_text

ARCHIVE = "runs.tar.xz"

RECORDS = ("config.json", "train.json", RESULT)
"""Files of a run that name its machine or its folder."""


MOST_PACKED_BYTES = 1 << 30
"""Of one file: more than any evaluation's."""


def pack(root: Path, out: Path) -> list[Path]:
    """Write results.csv and runs.tar.xz of a sweep into a folder; the same sweep gives the same bytes.

    The archive holds each finished run's config, training log and record, predictions, per-question scores and result, and
    the source stages' configs, logs and records; neither weights nor data, and no machine's name.

    Raises:
        XlqaError: there is no finished evaluation, runs are of several tasks, results.csv has rows that none accounts for, a file is linked from
            elsewhere, or the folder cannot be written or is the sweep's own.
    """
    layout = Layout(root)
    if out.resolve() == root.resolve():
        raise XlqaError(f"{out} is the sweep's own folder: name another one to pack it into.")
    found = collect_results(layout)
    if not found.rows:
        raise XlqaError(f"{root} has no finished evaluation below runs/: name a sweep's folder (--out).")
    if found.dropped:
        raise XlqaError(f"{found.dropped[0]} Run the sweep again, or remove that folder; nothing was packed.")
    if len(tasks := sorted({task_of(row) for row in found.rows})) > 1:
        raise XlqaError(f"{root} holds runs of the tasks {', '.join(tasks)}: pack a folder of one task.")
    refuse_links(root, [*layout.run_folders(), *layout.source_folders()])
    rows = write_results(layout, keep_rows=True).rows
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise XlqaError(f"{out} cannot be written ({error.strerror}): choose another folder.") from error
    write_text(out / "results.csv", csv_text(table_columns(rows), [_without_host(row) for row in rows]))
    write_bytes(out / ARCHIVE, _archive(layout))
    return [out / "results.csv", out / ARCHIVE]


def _archive(layout: Layout) -> bytes:
    """A tar of the sweep's records, compressed; names, order and times are fixed."""
    buffer = io.BytesIO()
    with (
        lzma.open(buffer, "wb", preset=9) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in _records(layout):
            content = _content(path)
            info = tarfile.TarInfo(path.relative_to(layout.root).as_posix())
            info.size, info.mode = len(content), 0o644
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _content(path: Path) -> bytes:
    """A file as it is published: without the paths of its sweep and the name of its machine."""
    record = read_json(path) if path.name in RECORDS else None
    if not isinstance(record, dict):
        return read_file(path, MOST_PACKED_BYTES)
    published = _relocated(path) if path.name == "config.json" else _anonymous(record)
    return (json.dumps(published, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "surrogatepass")


def _relocated(path: Path) -> dict[str, Any]:
    """A config whose ROOT is the folder that it is unpacked into."""
    return replace(read_config(RunFolder(path.parent)), root=".").to_json()


def _anonymous(record: dict[str, Any]) -> dict[str, Any]:
    """A signed record without its machine's name, signed again; a broken one as it is."""
    if not is_signed(record):
        return record
    open_record = {key: value for key, value in _without_host(record).items() if key != "checksum"}
    if isinstance(row := record.get("row"), dict):
        open_record["row"] = _without_host(row)
    return sign(open_record)


def _without_host(record: Mapping[str, Any]) -> dict[str, Any]:
    return {**record, "host": None} if "host" in record else dict(record)


def _records(layout: Layout) -> Iterator[Path]:
    for folder in [*layout.source_folders(), *layout.run_folders()]:
        done = [path for path in folder.evaluations() if read_result(path) is not None]
        if not done and not (folder.is_source and read_training(folder)):
            continue
        yield from (path for path in (folder.config, folder.train_log, folder.outcome) if path.is_file())
        for evaluation in done:
            files = (evaluation / name for name in (PREDICTIONS, QUESTIONS, EXAMPLES, RESULT))
            yield from (file for file in files if file.is_file())
