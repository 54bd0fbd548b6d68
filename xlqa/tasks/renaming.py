"""Data files whose columns or keys have names of their own: `--columns question=q,context=passage`.

Such a file is written once with the usual names, as one file of JSON lines below the data folder. A sweep then reads, copies and
checks it as any file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.tasks.base import get_task
from xlqa.util.files import file_sha256, replacing
from xlqa.util.text import plain

FOLDER = "columns"
"""What the folder of a renamed file begins with."""

MOST_NAMED = 8


@dataclass
class ColumnNames:
    """Names of columns that a user gave, for one or several files.

    Attributes:
        task: whose fields (`records.TASK_FIELDS`) they are of; names: a file's own names by field.
        seen: all names of columns in the files so far.
    """

    task: str
    names: Mapping[str, str]
    seen: dict[str, None] = field(default_factory=dict)

    def apply(self, path: Path, folder: Path) -> Path:
        """The file with the usual names, below `folder`; the file itself where it has none of `names`.

        The written file's path holds a hash of the file's bytes and of the names that it has.

        Raises:
            XlqaError: the file cannot be read, or the folder cannot be written.
        """
        task = get_task(self.task)
        rows = task.rows(path, self.names) if self.names else None
        if rows is None:
            return path
        own = dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row)
        self.seen |= own
        given = {name: to for to, name in self.names.items() if name in own}
        if not given:
            return path
        made_of = json.dumps([self.task, file_sha256(path), sorted(given.items())])
        name = re.sub(r"[^A-Za-z0-9_.+-]+", "-", path.name).strip("-.") or "data"
        digest = hashlib.sha256(made_of.encode()).hexdigest()[:16]
        target = folder / f"{FOLDER}-{digest}" / f"{name.removesuffix('.jsonl')}.jsonl"
        if not target.is_file():
            usual = {name: to for to, names in task.usual_names.items() for name in names}
            # A usual name that another column takes over is no more that field's.
            kept = {key: key for key in own if usual.get(_canonical(key)) not in given.values()} | given
            _write(task.rows(path, self.names) or (), kept, target)
        return target

    def refuse_unseen(self) -> None:
        """Refuse a name that no file has.

        Raises:
            XlqaError: there is one; the message lists the names that the files have.
        """
        absent = [f"{to}={name}" for to, name in self.names.items() if name not in self.seen]
        if absent:
            shown = ", ".join(f'"{plain(str(name), 30)}"' for name in list(self.seen)[:MOST_NAMED])
            more = ", …" if len(self.seen) > MOST_NAMED else ""
            have = f"the columns are {shown}{more}" if shown else "none has columns of its own"
            raise XlqaError(
                f"--columns {','.join(absent)}: no data set has such a column ({have}): correct or drop it."
            )


def _write(rows: Any, kept: Mapping[Any, str], target: Path) -> None:
    with replacing(target) as temporary, temporary.open("w", encoding="utf-8", errors="surrogatepass") as file:
        for row in rows:
            value = {kept[key]: cell for key, cell in row.items() if key in kept} if isinstance(row, dict) else row
            file.write(json.dumps(value, ensure_ascii=False, default=lambda _: None) + "\n")


def _canonical(name: Any) -> str:
    return re.sub(r"[\s-]+", "_", str(name).strip().strip("\ufeff").lower())
