"""A finished sweep in small files, to be published: its table, and the predictions and records that it comes from.

xlqa pack results/ru experiments/ru
tar xf experiments/ru/runs.tar.xz && xlqa collect .     # the same results.csv, from the predictions' own records
"""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path

from xlqa.errors import XlqaError
from xlqa.runs.config import relocated
from xlqa.runs.files import read_json, write_bytes
from xlqa.runs.layout import Layout, RunFolder
from xlqa.runs.store import PREDICTIONS, QUESTIONS, RESULT, read_result, write_results

ARCHIVE = "runs.tar.xz"


def pack(root: Path, out: Path) -> list[Path]:
    """Write results.csv and runs.tar.xz of a sweep into a folder; the same sweep gives the same bytes.

    The archive holds each finished run's config, training log and record, predictions, per-question scores and result, and
    the source stages' configs, logs and records; neither weights nor data.

    Errors:
        XlqaError: there is no finished evaluation, or a folder cannot be written.
    """
    layout = Layout(root)
    rows = write_results(layout)
    if not rows:
        raise XlqaError(f"{root} has no finished evaluation below runs/: name a sweep's folder (--out).")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise XlqaError(f"{out} cannot be written ({error.strerror}): choose another folder.") from error
    if out.resolve() != root.resolve():
        write_bytes(out / "results.csv", layout.results.read_bytes())
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
    """A file as it is published: a config says nothing of where its sweep lay."""
    config = read_json(path) if path.name == "config.json" else None
    if not isinstance(config, dict):
        return path.read_bytes()
    return (json.dumps(relocated(config, "."), ensure_ascii=False, indent=2) + "\n").encode("utf-8", "surrogatepass")


def _records(layout: Layout) -> Iterator[Path]:
    sources = sorted(path for path in layout.sources.glob("[!.]*") if path.is_dir()) if layout.sources.is_dir() else []
    for folder in [*map(RunFolder, sources), *layout.run_folders()]:
        done = [path for path in folder.evaluations() if read_result(path) is not None]
        if not done and not (folder.is_source and read_json(folder.outcome)):
            continue
        yield from (path for path in (folder.config, folder.train_log, folder.outcome) if path.is_file())
        for evaluation in done:
            yield from (evaluation / name for name in (PREDICTIONS, QUESTIONS, RESULT))
