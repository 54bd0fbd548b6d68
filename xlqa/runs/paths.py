"""The layout of a sweep's folder: the only module that knows the paths."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path


def slug(name: str, most: int = 40) -> str:
    """A name that is safe in a file name, a config (no braces) and a spreadsheet (no leading sign)."""
    plain = re.sub(r"[^A-Za-z0-9._]+", "-", name.rsplit("/", 1)[-1]).strip("-._")
    return plain[:most].rstrip("-._") or "unnamed"


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of a sweep."""

    root: Path

    @property
    def results(self) -> Path:
        return self.root / "results.csv"

    @property
    def failures(self) -> Path:
        return self.root / "failures.csv"

    @property
    def requests(self) -> Path:
        return self.root / "requested.json"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def sources(self) -> Path:
        return self.root / "source"

    def run(self, run_id: str) -> RunFolder:
        return RunFolder(self.runs / run_id)

    def source(self, source_id: str) -> RunFolder:
        return RunFolder(self.sources / source_id)

    def run_folders(self) -> list[RunFolder]:
        """Every run's folder, sorted by name; names that begin with a dot are half-written and not runs."""
        return [RunFolder(path) for path in subfolders(self.runs)]

    def source_folders(self) -> list[RunFolder]:
        """Every source stage's folder, sorted by name."""
        return [RunFolder(path) for path in subfolders(self.sources)]

    def folders(self) -> list[Path]:
        """Every folder that xlqa writes files into."""
        runs = [*self.run_folders(), *self.source_folders()]
        beside = [self.root, self.root / "data", self.root / "encoders", self.runs, self.sources]
        return [*beside, *(path for run in runs for path in run.folders())]

    def data_file(self, name: str, sha256: str, suffix: str) -> str:
        """Where a data file is copied to, relative to the sweep's folder."""
        return f"data/{slug(name)}-{sha256[:8]}{suffix}"

    def encoder(self, name: str, sha256: str) -> str:
        """Where an encoder's folder is linked, relative to the sweep's folder."""
        return f"encoders/{slug(name)}-{sha256[:8]}"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run, or of one source stage."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def is_source(self) -> bool:
        return self.path.parent.name == "source"

    @property
    def root(self) -> Path:
        return self.path.parent.parent

    @property
    def config(self) -> Path:
        return self.path / "config.json"

    @property
    def train_log(self) -> Path:
        return self.path / "train.csv"

    @property
    def checkpoint(self) -> Path:
        """What an interrupted training resumes from; gone when its run is done."""
        return self.path / "checkpoint.safetensors"

    @property
    def outcome(self) -> Path:
        """What the training was: written when it is over; for a source stage the mark of completeness."""
        return self.path / "train.json"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def failure(self) -> Path:
        return self.path / "failure.json"

    @property
    def model(self) -> Path:
        return self.path / "model"

    def evaluation(self, eval_id: str) -> Path:
        """An evaluation's folder: the one of its hash, whatever the test set was called when it was made."""
        direct = self.path / "eval" / eval_id
        if direct.is_dir():
            return direct
        digest = eval_id.rsplit("-", 1)[1]
        known = (path for path in self.evaluations() if path.name.endswith(f"-{digest}"))
        return next(known, direct)

    def evaluations(self) -> list[Path]:
        """Every evaluation's folder, sorted by name."""
        return subfolders(self.path / "eval")

    def folders(self) -> list[Path]:
        """Every folder of the run that xlqa writes files into."""
        return [self.path, self.path / "eval", *self.evaluations()]


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted by name, without half-written ones, whose names begin with a dot."""
    try:
        # A sweep may have tens of thousands of runs: pathlib would take several times as long.
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name[0] != "." and entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in names]
