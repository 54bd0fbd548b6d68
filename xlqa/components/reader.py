"""Reading a config's data files: the DeepPavlov components `xlqa.components.reader:QuestionReader` and `:TaskReader`.

Every file is named with its SHA-256 and refused when it differs.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from xlqa.components.environment import refuse_overrides
from xlqa.components.framework import DatasetReader
from xlqa.data.registry import part_names
from xlqa.errors import XlqaError
from xlqa.tasks.base import DEFAULT_TASK, get_task
from xlqa.tasks.sources import resolve, sample_files
from xlqa.training.context import SHARED
from xlqa.util.files import known_sha256


@dataclass(frozen=True, slots=True)
class Part:
    """The examples of one file of a config, with what scoring them needs; `identity` names them in this process."""

    name: str
    task: str
    scorer: str
    examples: tuple[Any, ...]
    identity: Hashable


def read_part(description: Mapping[str, Any], task: str = DEFAULT_TASK, to_score: bool = False) -> Part:
    """The examples of `{"name", "path", "sha256", "scorer", "skip_bad", "labels", "map_tags", "unanswerable"}`, read once a
    process.

    Args:
        to_score: those that a test set is scored on, instead of those that can be trained on.

    Raises:
        XlqaError: the file is missing, differs from its SHA-256, or cannot be read.
    """
    path = _find_file(description)
    found, wanted = known_sha256(path), description.get("sha256")
    if wanted and found != wanted:
        raise XlqaError(f"{path} differs from the file the config names (SHA-256 {wanted[:12]}…, here {found[:12]}…).")
    skip, language = bool(description.get("skip_bad", False)), str(description.get("language", ""))
    key: tuple[Hashable, ...] = ("reading", task, found, skip, language, to_score)
    tags = tuple(sorted(dict(description.get("map_tags", {})).items()))
    key = (*key, tags) if tags else key
    unanswerable = bool(description.get("unanswerable", False))
    key = (*key, "unanswerable") if unanswerable else key
    load = partial(
        get_task(task).load, path, language=language, skip_bad=skip, to_score=to_score, map_tags=tags,
        unanswerable=unanswerable,
    )  # fmt: skip
    examples = SHARED.get(key, load).examples
    if description.get("labels") == "shuffled":
        whole, key = examples, (*key, "shuffled")
        examples = SHARED.get(key, lambda: get_task(task).shuffle_labels(whole))
    return Part(str(description["name"]), task, str(description.get("scorer", "squad")), examples, key)


def _find_file(description: Mapping[str, Any]) -> Path:
    """The file of a config: below ROOT, or else the registered set of its name, downloaded where it is not cached."""
    path = Path(description["path"]).expanduser()
    if path.is_file():
        return path
    name = str(description["name"])
    if name in part_names() or name in sample_files():
        return resolve(name).path
    raise XlqaError(f"{path} is not there: it is the data file {name!r} of this config (see ROOT).")


class TaskReader(DatasetReader):  # type: ignore[misc]  # DeepPavlov ships without types
    """Reads the files of a config into parts."""

    def read(
        self, train: Mapping[str, Any] | None = None, source: Mapping[str, Any] | None = None,
        tests: Sequence[Mapping[str, Any]] = (), task: str = DEFAULT_TASK, **kwargs: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """The parts `train` and `source` (or None) and `tests`, for the iterator.

        Raises:
            XlqaError: a file is missing, differs from its SHA-256, or cannot be read.
        """
        refuse_overrides()
        return {
            "train": read_part(train, task) if train else None,
            "source": read_part(source, task) if source else None,
            "tests": [
                (str(test.get("target", "test")), read_part(test, task, True), test.get("size")) for test in tests
            ],
        }


class QuestionReader(TaskReader):
    """Reads question answering data: the reader of configs that name no task."""
