"""One case: a folder in some state, a fault, the same command again, and what must be true in the end."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from faultinjection.fixtures import Reference, environment, read_table, sweep_words
from faultinjection.mounts import Place
from faultinjection.process import Broken, Sweep, alive, wait_gone
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.store.results import is_trained, read_result
from xlqa.util.locks import is_locked

State = Literal["fresh", "partial", "finished"]


class Case:
    """One or several faults in one sweep's folder.

    Args:
        name: of the case, and of its folder below `cases`.
        seed: decides everything that chance decides.
        mounting: whether this process may mount.
    """

    def __init__(self, name: str, seed: str, cases: Path, reference: Reference, mounting: bool) -> None:
        self.name, self.reference, self.mounting = name, reference, mounting
        self.rng = random.Random(seed)
        self.folder = cases / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.place = Place(self.folder / "out")
        self.starts: list[Sweep] = []
        self.extra: dict[str, Any] = {}
        self.faults: list[str] = []
        self.finished: dict[Path, bytes] = {}

    @property
    def out(self) -> Path:
        return self.place.out

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def layout(self) -> Layout:
        return Layout(self.out)

    # ---- states

    def begin(self, state: State) -> None:
        """Put the folder into a state: nothing, some runs missing, or all there."""
        shutil.rmtree(self.out, ignore_errors=True)
        shutil.rmtree(self.cache, ignore_errors=True)
        if self.reference.cache.is_dir() and (state != "fresh" or self.rng.random() < 0.5):
            shutil.copytree(self.reference.cache, self.cache)
        if state == "fresh":
            return
        shutil.copytree(self.reference.out, self.out, symlinks=True)
        if state == "partial":
            self._remove_some()

    def _remove_some(self) -> None:
        runs = self.layout.run_folders()
        if self.rng.random() < 0.3:
            for stage in self.layout.sources.iterdir():
                shutil.rmtree(stage)
            runs = [run for run in runs if "transfer" in run.id]  # what a sweep does first, it did not come to
        for run in self.rng.sample(runs, self.rng.randint(1, len(runs) - 1)):
            if self.rng.random() < 0.5:
                shutil.rmtree(run.path)
            else:
                self.rng.choice(run.evaluations()).joinpath("result.json").unlink()

    # ---- starts

    def start(self, *, file_blocks: int | None = None) -> Sweep:
        """Start the sweep, as a person would."""
        words = sweep_words(self.reference.encoder, self.out, self.reference.settings | self.extra)
        output = self.folder / f"start-{len(self.starts) + 1}.txt"
        self.finished = finished_results(self.layout)
        sweep = Sweep(words, environment(self.name, self.cache), output, file_blocks)
        self.starts.append(sweep)
        return sweep

    def ask(self, *words: str) -> None:
        """Another command of xlqa, which must answer or complain in a line, whatever state the folder is in."""
        sweep = Sweep(list(words), environment(self.name, self.cache), self.folder / f"{words[0]}.txt")
        sweep.wait(0, 1, 2)
        sweep.refuse_traceback()

    def end(self) -> None:
        """Start again unless the last start ended well, and judge.

        Raises:
            Broken: says what is not as it must be.
        """
        if not self.starts or self.starts[-1].process.poll() != 0:
            self.start().wait(0)
            self.starts[-1].refuse_traceback()
        self.judge()

    # ---- what must be true

    def judge(self) -> None:
        """Hold the folder against the undisturbed one."""
        self._compare_tables()
        self._compare_runs()
        for path, content in self.finished.items():
            if not path.is_file() or path.read_bytes() != content:
                raise Broken(f"{path.relative_to(self.out)} was finished and did not stay.")
        if orphans := wait_gone(self.name, self.folder):
            raise Broken(f"processes left: {orphans}")
        if locked := [run.id for run in self._folders() if is_locked(run.path)]:
            raise Broken(f"still locked: {', '.join(locked)}")
        left = [path for path in self.out.rglob("*") if path.name[0] == "." or path.name == "failure.json"]
        left += [path for path in self.cache.rglob("*") if path.suffix in (".tmp", ".part")]
        if left:
            raise Broken(f"left over: {', '.join(str(path.relative_to(self.folder)) for path in left[:3])}")

    def _folders(self) -> list[RunFolder]:
        return [*self.layout.run_folders(), *(RunFolder(path) for path in sorted(self.layout.sources.iterdir()))]

    def _compare_tables(self) -> None:
        wanted, found = self.reference.table, read_table(self.layout.results)
        if len(found) != len(wanted):
            raise Broken(f"results.csv has {len(found)} rows, not {len(wanted)}.")
        for number, (mine, other) in enumerate(zip(found, wanted, strict=True), start=1):
            if differ := [name for name in other if mine.get(name) != other[name]]:
                name = differ[0]
                raise Broken(f"results.csv, row {number}: {name} is {mine.get(name)!r}, not {other[name]!r}.")
        failures = self.layout.failures.read_text(encoding="utf-8").splitlines()[1:]
        if failures:
            raise Broken(f"failures.csv still lists {failures[0]}")

    def _compare_runs(self) -> None:
        """Folders, predictions and weights are those of the undisturbed sweep, whole."""
        undisturbed = Layout(self.reference.out)
        names = {run.id for run in undisturbed.run_folders()}
        if others := {run.id for run in self.layout.run_folders()} ^ names:
            raise Broken(f"runs differ: {', '.join(sorted(others))}")
        for path in self.reference.out.glob("runs/*/eval/*/predictions.json"):
            mine = self.out / path.relative_to(self.reference.out)
            if read_result(mine.parent) is None or mine.read_bytes() != path.read_bytes():
                raise Broken(f"{mine.relative_to(self.out)} differs.")
        for path in [*undisturbed.sources.iterdir(), *(run.path for run in undisturbed.run_folders())]:
            mine = RunFolder(self.out / path.relative_to(self.reference.out))
            if RunFolder(path).model.is_dir() and not is_trained(mine):
                raise Broken(f"{mine.model.relative_to(self.out)} is not whole.")

    # ---- the end

    def close(self, *, keep: bool) -> None:
        """Leave no process and no mount; the folder goes unless it is kept."""
        for sweep in self.starts:
            if sweep.running:
                sweep.kill()
        for pid in alive(self.name, self.folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            self.place.settle()
        except OSError as error:
            print(f"{self.folder}: {error}", file=sys.stderr)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def finished_results(layout: Layout) -> dict[Path, bytes]:
    """The result files that count as finished, with their bytes."""
    folders = [path for run in layout.run_folders() for path in run.evaluations()]
    return {path / "result.json": (path / "result.json").read_bytes() for path in folders if read_result(path)}
