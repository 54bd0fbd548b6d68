"""Many cases: shared out over the kinds, run side by side, counted."""

from __future__ import annotations

import shutil
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from faultinjection.case import Case
from faultinjection.fixtures import SETTINGS, Reference, environment, make_encoder, read_table, sweep_words
from faultinjection.kinds import BY_NAME, Kind
from faultinjection.mounts import can_mount
from faultinjection.process import Broken, Sweep


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended.

    Attributes:
        faults: each that was injected, in words.
        error: what was not as it must be, or "".
        folder: of a case that failed, kept.
    """

    kind: str
    number: int
    faults: tuple[str, ...]
    error: str
    seconds: float
    starts: int
    folder: str = ""


@dataclass
class Campaign:
    """Cases to do.

    Args:
        seed: of everything that chance decides.
        cases: folder below which they lie.
        jobs: cases side by side.
        say: gets a line a case.
    """

    seed: int
    cases: Path
    jobs: int
    say: Callable[[str], None]
    stopping: threading.Event = field(default_factory=threading.Event)

    def prepare(self, encoder: Path | None = None, settings: dict[str, Any] = SETTINGS) -> Reference:
        """Do the undisturbed sweep, and look whether anything can be mounted here."""
        folder = self.cases / "undisturbed"
        shutil.rmtree(folder, ignore_errors=True)
        encoder = encoder or make_encoder(folder / "encoder" / "tiny")
        folder.mkdir(parents=True, exist_ok=True)
        self.mounting = can_mount(folder)
        reference = Reference(encoder, settings, folder / "out", folder / "cache")
        words = sweep_words(encoder, reference.out, settings)
        began = time.monotonic()
        sweep = Sweep(words, environment("undisturbed", reference.cache), folder / "start-1.txt")
        sweep.wait(0)
        self.reference = replace(
            reference, seconds=time.monotonic() - began, table=read_table(reference.out / "results.csv")
        )
        return self.reference

    def run(self, plan: Sequence[tuple[Kind, int]]) -> list[Outcome]:
        """Do these cases (kind, number), some side by side; an outcome each, in their order."""
        done = 0

        def do(kind: Kind, number: int) -> Outcome | None:
            nonlocal done
            if self.stopping.is_set():
                return None
            outcome = self.do(kind, number)
            done += 1
            mark = f"FAILED: {outcome.error}" if outcome.error else "survived"
            self.say(
                f"[{done}/{len(plan)}] {kind.name} {number}: {'; '.join(outcome.faults)}: {mark} ({outcome.seconds:.0f} s)"
            )
            return outcome

        with ThreadPoolExecutor(self.jobs) as pool:
            futures = [pool.submit(do, kind, number) for kind, number in plan]
            try:
                return [outcome for future in futures if (outcome := future.result())]
            except BaseException:
                self.stopping.set()
                raise

    def do(self, kind: Kind, number: int) -> Outcome:
        """Do one case."""
        case = Case(
            f"{kind.name}-{number}", f"{self.seed}/{kind.name}/{number}", self.cases, self.reference, self.mounting
        )
        began, error = time.monotonic(), "it was broken off."
        try:
            kind.inject(case)
            case.end()
            error = ""
        except Broken as broken:
            error = str(broken)
        except Exception as unforeseen:  # one case's trouble must not end the others
            traceback.print_exc()
            error = f"{type(unforeseen).__name__}: {unforeseen}"
        finally:
            case.close(keep=bool(error))
        faults = tuple(case.faults) or ("nothing injected",)
        kept = str(case.folder) if error else ""
        return Outcome(kind.name, number, faults, error, time.monotonic() - began, len(case.starts), kept)


def share_out(faults: int, kinds: Sequence[Kind]) -> list[tuple[Kind, int]]:
    """At least so many faults as cases (kind, number), in turns, so that each kind has its share soon.

    A kind that breaks several files in one case counts each of them.
    """
    plan: list[tuple[Kind, int]] = []
    counts = {kind.name: 0 for kind in kinds}
    planned = 0
    while planned < faults:
        # Whoever is furthest behind its share.
        kind = min(kinds, key=lambda k: (counts[k.name] / k.share, -k.share))
        plan.append((kind, counts[kind.name]))
        counts[kind.name] += 1
        planned += kind.each
    return plan


def tally(outcomes: Sequence[Outcome], mounting: bool) -> list[dict[str, Any]]:
    """A row a kind: faults injected and survived; a failed case's faults all count as not survived."""
    rows = []
    for name in dict.fromkeys(outcome.kind for outcome in outcomes):
        mine = [outcome for outcome in outcomes if outcome.kind == name]
        kind = BY_NAME[name]
        note = f"{kind.about} ({kind.needs_mount})" if kind.needs_mount and not mounting else kind.about
        rows.append(
            {
                "kind": name, "injected": sum(len(o.faults) for o in mine),
                "survived": sum(len(o.faults) for o in mine if not o.error), "about": note,
                "seconds": round(sum(o.seconds for o in mine), 1), "cases": [asdict(o) for o in mine],
            }
        )  # fmt: skip
    return rows
