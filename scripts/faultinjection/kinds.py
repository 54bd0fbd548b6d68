"""The kinds of faults: each function puts a case into a state and injects; `Case.end` starts again and judges."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from faultinjection.case import Case, State, finished_results
from faultinjection.corruption import harm, leave_half_written, refuse_unhealed
from faultinjection.mounts import turn
from faultinjection.process import Broken, Sweep, wait_gone
from faultinjection.timing import CHECKPOINT, DRIVER, WORKER, Phase, draw_moment, wait_for
from xlqa.runs.paths import Layout

TRIES = 4
"""How often a moment is drawn again where the sweep was over before it came."""

TWICE = 2
"""A sweep is broken off, goes on, and is broken off once more: two faults of one case."""

STATES: tuple[State, ...] = ("fresh", "fresh", "partial")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        inject: does it; every fault is noted in the case's `faults`.
        each: faults of one case; share: of all cases, relative.
        needs_mount: what is done instead where nothing can be mounted, or "".
    """

    name: str
    about: str
    inject: Callable[[Case], None]
    each: int = 1
    share: int = 1
    needs_mount: str = ""


def strike(
    case: Case, act: Callable[[Sweep], bool], phases: Sequence[Phase] = (*DRIVER, *WORKER), states: Sequence[State] = STATES
) -> Sweep:  # fmt: skip
    """Start a sweep and let `act` happen to it at a drawn moment; `act` says whether it could.

    A case that was struck before goes on from what was left.
    """
    for attempt in range(TRIES):
        state: str = case.rng.choice(states)
        if attempt == 0 and case.starts and case.starts[-1].process.poll() != 0:
            state = "as it was left"
        else:
            case.begin(state)
        if case.rng.random() < 0.25:
            case.extra["workers_per_device"] = 2
        moment = draw_moment(case.rng, case.reference.seconds, phases, state != "fresh")
        sweep = case.start()
        if wait_for(sweep, case.out, moment) and act(sweep):
            case.faults.append(f"{state}, {moment}")
            return sweep
        sweep.wait()
    raise Broken(f"in {TRIES} tries the sweep was over before the fault could strike.")


# ---- processes


def kill_worker(case: Case) -> None:
    """kill -9 of a worker, and of another some time later: of the same run now and then, which then counts as failed."""
    sweep = strike(case, lambda sweep: _kill_one_worker(sweep, case.rng), WORKER)
    later = case.rng.uniform(0, 0.5 * case.reference.seconds)
    time.sleep(later)
    again = _kill_one_worker(sweep, case.rng)
    if again:
        case.faults.append(f"{later:.3f} s later")
    sweep.wait(*((0, 1) if again else (0,)))
    sweep.refuse_traceback()


def _kill_one_worker(sweep: Sweep, rng: random.Random) -> bool:
    while sweep.running:
        if workers := sweep.workers():
            with suppress(ProcessLookupError):
                os.kill(rng.choice(workers), signal.SIGKILL)
                return True
        time.sleep(0.01)
    return False


def kill_driver(case: Case) -> None:
    """kill -9 of the driver; the next start comes at once, or when its workers are gone."""

    def act(sweep: Sweep) -> bool:
        sweep.process.kill()
        return sweep.process.wait() == -signal.SIGKILL

    for _ in range(TWICE):
        strike(case, act)
        time.sleep(case.rng.choice([0.0, 0.5]))


def kill_all(case: Case) -> None:
    """kill -9 of the driver and its workers together: out of memory, a job's end, a machine's."""

    def act(sweep: Sweep) -> bool:
        victims = [sweep.process.pid, *sweep.workers()]
        case.rng.shuffle(victims)
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return sweep.process.wait() == -signal.SIGKILL

    for _ in range(TWICE):
        strike(case, act)


def freeze_worker(case: Case) -> None:
    """A worker hangs: --timeout ends it, its run counts as failed, and the next start does it."""

    def act(sweep: Sweep) -> bool:
        while sweep.running:
            if workers := sweep.workers():
                os.kill(case.rng.choice(workers), signal.SIGSTOP)
                return sweep.wait() != 0
            time.sleep(0.01)
        return False

    case.extra = {"timeout": 2 * case.reference.seconds / 60}
    sweep = strike(case, act, WORKER)
    sweep.wait(1)
    sweep.refuse_traceback()
    if "took longer than --timeout" not in sweep.said():
        raise Broken(f"nobody says what took too long: {sweep.last_words()}")
    case.extra = {}


def terminate(case: Case) -> None:
    """SIGTERM of the driver, which is what batch systems send."""

    def act(sweep: Sweep) -> bool:
        sweep.process.send_signal(signal.SIGTERM)
        return sweep.wait() != 0

    for _ in range(TWICE):
        sweep = strike(case, act)
        sweep.wait(130, 143, -signal.SIGTERM)
        sweep.refuse_traceback()


def interrupt(case: Case) -> None:
    """Ctrl-C, once or up to three times fast, to the whole process group."""

    def act(sweep: Sweep) -> bool:
        while sweep.running and not sweep.said():
            time.sleep(0.01)  # before its first words it is Python itself that starts
        for _ in range(case.rng.randint(1, 3)):
            with suppress(ProcessLookupError):
                os.killpg(sweep.process.pid, signal.SIGINT)
            time.sleep(case.rng.choice([0.0, 0.02, 0.3]))
        return sweep.wait() != 0

    for _ in range(TWICE):
        sweep = strike(case, act)
        sweep.wait(130)
        sweep.refuse_traceback()


# ---- disks


def full_disk(case: Case) -> None:
    """Somebody else fills the disk, before the start or in the middle; then there is space again."""
    if not case.mounting:
        sweep = _limit_files(case)
    elif case.rng.random() < 0.2:
        case.begin("partial")
        case.place.small()
        left = case.rng.randint(0, 64)
        case.place.fill(left)
        sweep = case.start()
        case.faults.append(f"partial, {left} KiB left before the start")
    else:
        sweep = _fill_at_a_moment(case)
    sweep.wait(1, 2)
    _refuse_unclear(sweep, "No space left on device", "File too large", "GB free")
    if case.mounting:
        case.place.grow()


def _fill_at_a_moment(case: Case) -> Sweep:
    def act(sweep: Sweep) -> bool:
        case.place.fill(left, files)
        return sweep.wait() != 0

    for attempt in range(TRIES):
        left, files = int(case.rng.choice([0, 40, 400]) * case.rng.random() / (attempt + 1)), case.rng.random() < 0.25
        state = case.rng.choice(STATES)
        case.begin(state)
        case.place.small()
        moment = draw_moment(case.rng, case.reference.seconds, WORKER, state != "fresh")
        sweep = case.start()
        if wait_for(sweep, case.out, moment) and act(sweep):
            case.faults.append(f"{state}, {moment}, {left} {'files' if files else 'KiB'} left")
            return sweep
        sweep.wait()
        case.place.settle()
    raise Broken(f"in {TRIES} tries the disk was never full in time.")


def _limit_files(case: Case) -> Sweep:
    """What is nearest to a full disk for who may not mount: no file may grow beyond a size."""
    for attempt in range(TRIES):
        state = case.rng.choice(STATES)
        case.begin(state)
        most = max(1, int(200 * case.rng.random() / (attempt + 1)))
        sweep = case.start(file_blocks=most)
        if sweep.wait(0, 1, 2) != 0:
            case.faults.append(f"{state}, files of at most {most} KiB")
            return sweep
    raise Broken(f"in {TRIES} tries no file was too large.")


def read_only(case: Case) -> None:
    """The folder turns read-only, before the start or in the middle."""

    def act(sweep: Sweep) -> bool:
        return _protect(case, lambda: not sweep.running) and sweep.wait() != 0

    if case.rng.random() < 0.3:
        case.begin("partial")
        if case.mounting:
            case.place.bind()
        _protect(case, lambda: False)
        sweep = case.start()
        case.faults.append("partial, before the start")
    else:
        sweep = _strike_placed(case, act, lambda: _unprotect(case), mounted=case.mounting)
    sweep.wait(1, 2)
    _refuse_unclear(sweep, "Read-only file system", "Permission denied")
    _unprotect(case)


def _protect(case: Case, until: Callable[[], bool]) -> bool:
    if case.mounting:
        return turn(case.out, read_only=True, until=until)
    for folder in [case.out, *(path for path in case.out.rglob("*") if path.is_dir())]:
        folder.chmod(0o555)
    return True


def _unprotect(case: Case) -> None:
    if case.mounting:
        turn(case.out, read_only=False)
        return
    for folder in [case.out, *(path for path in case.out.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)


def vanish(case: Case) -> None:
    """The mount with the folder goes away in the middle (or the folder is renamed), and comes back later."""
    away = case.out.with_name("away")
    renamed = not case.mounting or case.rng.random() < 0.4

    def act(sweep: Sweep) -> bool:
        if renamed:
            case.out.rename(away)
        else:
            case.place.unmount()
        return sweep.wait() != 0

    def back() -> None:
        if renamed and away.exists():
            if case.out.exists():
                raise Broken(f"made again while it was away: {sorted(path.name for path in case.out.iterdir())}")
            away.rename(case.out)
        case.place.remount()

    sweep = _strike_placed(case, act, back, mounted=not renamed)
    sweep.wait(1, 2)
    _refuse_unclear(sweep, "is gone")
    back()


def _strike_placed(
    case: Case, act: Callable[[Sweep], bool], undo: Callable[[], object], *, mounted: bool
) -> Sweep:  # fmt: skip
    """`strike` in the middle of the work on a folder that may be a mount; `undo` where it came too late."""
    for _ in range(TRIES):
        state = case.rng.choice(STATES)
        case.begin(state)
        if mounted:
            case.place.bind()
        moment = draw_moment(case.rng, case.reference.seconds, WORKER, state != "fresh")
        sweep = case.start()
        if wait_for(sweep, case.out, moment) and act(sweep):
            case.faults.append(f"{state}, {moment}{'' if mounted else ', renamed'}")
            return sweep
        sweep.wait()
        undo()
        case.place.settle()
        shutil.rmtree(case.out.with_name("disk"), ignore_errors=True)
    raise Broken(f"in {TRIES} tries the sweep was over before the fault could strike.")


def _refuse_unclear(sweep: Sweep, *words: str) -> None:
    """What was said must name the cause in few lines."""
    sweep.refuse_traceback()
    complaints = [line for line in sweep.said().splitlines() if line.startswith("xlqa: ")]
    if not any(word in line for line in complaints for word in words):
        raise Broken(f"no line says {words[0]!r}: {sweep.last_words()}")
    if len(complaints) > 2:
        raise Broken(f"{len(complaints)} lines of complaint instead of one clear one: {complaints[:3]}")


# ---- files


def harm_results(case: Case) -> None:
    """Results, predictions and scores of a finished sweep are broken."""
    case.begin("finished")
    names = ("result.json", "predictions.json", "questions.csv")
    folders = [path for run in case.layout.run_folders() for path in run.evaluations()]
    # One file a folder: every damage has to be found out on its own account.
    chosen = case.rng.sample(folders, min(RESULTS_EACH, len(folders)))
    _harm_and_end(case, [folder / case.rng.choice(names) for folder in chosen])


def harm_training(case: Case) -> None:
    """The source stage's and the kept model's weights, or the records of their training, are broken."""
    case.begin("finished")
    stage = next(folder for folder in case.layout.sources.iterdir())
    kept = next(run.path for run in case.layout.run_folders() if run.model.is_dir())
    # Somebody needs the source stage's weights again.
    transfer = next(run for run in case.layout.run_folders() if "-transfer-8-" in run.id)
    shutil.rmtree(transfer.path / "eval")
    files = [
        "train.json",
        "model/model.safetensors",
        "model/model.safetensors",
        "model/config.json",
        "model/tokenizer.json",
    ]
    _harm_and_end(case, [folder / case.rng.choice(files) for folder in (stage, kept)])


def harm_files(case: Case) -> None:
    """Configs, tables and copies of the data are broken, in a finished sweep or a partial one."""
    case.begin(case.rng.choice(["finished", "partial"]))
    files = [*case.out.glob("runs/*/config.json"), *case.out.glob("source/*/config.json"), *case.out.glob("data/*")]
    files = [
        *case.rng.sample(sorted(files), min(FILES_EACH - 2, len(files))),
        case.layout.results,
        case.layout.failures,
    ]
    _harm_and_end(case, files)


def _harm_and_end(case: Case, files: Sequence[Path]) -> None:
    harms = [harm(path, case.rng) for path in files]
    case.faults += [str(each) for each in harms]
    case.ask("status", str(case.out))
    case.start().wait(0)
    case.starts[-1].refuse_traceback()
    refuse_unhealed(harms)


def harm_checkpoints(case: Case) -> None:
    """A training is broken off after a checkpoint, which is then broken too; now and then it stays whole."""
    case.extra = {"checkpoint_every": 1e-4}

    def act(sweep: Sweep) -> bool:
        sweep.kill()
        wait_gone(case.name, case.folder)
        return any(case.out.glob(CHECKPOINTS))

    strike(case, act, [CHECKPOINT], ["fresh"])
    for path in case.out.glob(CHECKPOINTS):
        if case.rng.random() < 0.8:
            case.faults[-1] += f": {harm(path, case.rng)}"


CHECKPOINTS = "*/*/checkpoint.safetensors"


def harm_caches(case: Case) -> None:
    """Tokenised sets on disk are broken, and half-written ones lie beside them."""
    case.begin("fresh")
    shutil.rmtree(case.cache, ignore_errors=True)
    shutil.copytree(case.reference.cache, case.cache)
    sets = sorted(path for path in case.cache.rglob("*") if path.is_file())
    if not sets:
        raise Broken("the undisturbed sweep left no tokenised set.")
    leave_half_written(case.rng.choice(sets), case.rng)
    _harm_and_end(case, sets)


def leave_leftovers(case: Case) -> None:
    """Temporary files and folders of processes that have ended are left in the folder."""
    case.begin(case.rng.choice(["finished", "partial"]))
    files = [
        path for path in case.out.rglob("*") if path.is_file() and path.suffix != ".txt" and path.parent.name != "model"
    ]
    files += [*case.out.glob("*/*/model"), *case.out.glob("encoders/*")]
    for path in case.rng.sample(sorted(files), LEFTOVERS_EACH):
        left = leave_half_written(path, case.rng)
        case.faults.append(str(left.relative_to(case.out)))


# ---- two at once


def two_at_once(case: Case) -> None:
    """Two sweeps in one folder: both succeed, and no run is executed twice."""
    _two(case, kill=False)


def two_one_killed(case: Case) -> None:
    """Two sweeps on one folder, one of them killed: the other ends well."""
    _two(case, kill=True)


def _two(case: Case, kill: bool) -> None:
    state = case.rng.choice(STATES)
    case.begin(state)
    pending = _unfinished_runs(case)
    before = {path.read_bytes() for path in case.out.glob("*/*/train.json")}
    case.extra = {"workers_per_device": 2} if case.rng.random() < 0.25 else {}
    first = case.start()
    delay = case.rng.choice([0.0, case.rng.uniform(0, 4)])
    time.sleep(delay)
    finished = case.finished
    second = case.start()
    note = f"{state}, {delay:.2f} s apart"
    if kill:
        victim, other = case.rng.sample([first, second], 2)
        moment = draw_moment(case.rng, case.reference.seconds, WORKER, begun=True)
        if wait_for(victim, case.out, moment):
            victim.process.kill()
            note += f", one killed at {moment}"
        victim.wait()
        other.wait(0)
    else:
        _refuse_repeated((first, second), pending, before, _watch_trainings(case, (first, second)))
    case.faults.append(note)
    for sweep in (first, second):
        sweep.refuse_traceback()
    case.finished = finished
    if kill:
        case.start().wait(0)


def _unfinished_runs(case: Case) -> int:
    """Runs of which the folder lacks an evaluation."""
    wanted = Counter(path.parents[2].name for path in finished_results(Layout(case.reference.out)))
    have = Counter(path.parents[2].name for path in finished_results(case.layout))
    return sum(have[name] < count for name, count in wanted.items())


def _watch_trainings(case: Case, sweeps: Sequence[Sweep]) -> dict[Path, set[bytes]]:
    """The records of trainings that appear while sweeps run, and both must end well."""
    seen: dict[Path, set[bytes]] = {}
    while any(sweep.running for sweep in sweeps):
        for path in case.out.glob("*/*/train.json"):
            with suppress(OSError):
                seen.setdefault(path, set()).add(path.read_bytes())
        time.sleep(0.02)
    for sweep in sweeps:
        sweep.wait(0)
    return seen


def _refuse_repeated(sweeps: Sequence[Sweep], pending: int, before: set[bytes], seen: dict[Path, set[bytes]]) -> None:
    lines = [line for sweep in sweeps for line in sweep.said().splitlines()]
    scored = Counter(line.partition(":")[0] for line in lines if re.search(r"\bF1 [\d.]+, EM", line))
    twice = [label for label, times in scored.items() if times > 1]
    twice += [path.parent.name for path, records in seen.items() if len(records - before) > 1]
    if twice:
        raise Broken(f"done twice: {', '.join(twice)}")
    if len(scored) != pending:
        raise Broken(f"{len(scored)} runs were done, {pending} were to do.")


RESULTS_EACH, FILES_EACH, LEFTOVERS_EACH = 6, 6, 6

KINDS = (
    Kind("kill-worker", "kill -9 of a worker", kill_worker, TWICE, share=3),
    Kind("kill-driver", "kill -9 of the driver", kill_driver, TWICE, share=3),
    Kind("kill-all", "kill -9 of driver and workers together", kill_all, TWICE, share=2),
    Kind("frozen", "a worker hangs", freeze_worker),
    Kind("sigterm", "SIGTERM of the driver", terminate, TWICE, share=2),
    Kind("ctrl-c", "Ctrl-C, up to three times", interrupt, TWICE, share=2),
    Kind(
        "full-disk", "no space left", full_disk, share=3, needs_mount="a limit of file sizes instead of a small tmpfs"
    ),
    Kind("read-only", "the folder turns read-only", read_only, share=2, needs_mount="chmod instead of a mount"),
    Kind("vanished", "the folder's mount goes away", vanish, share=2, needs_mount="renamed instead of unmounted"),
    Kind("results", "broken results, predictions, scores", harm_results, RESULTS_EACH),
    Kind("weights", "broken weights and their records", harm_training, 2, share=2),
    Kind("files", "broken configs, tables, data", harm_files, FILES_EACH),
    Kind("checkpoints", "broken off, and broken checkpoints", harm_checkpoints, share=2),
    Kind("caches", "broken tokenised sets", harm_caches, share=2),
    Kind("leftovers", "half-written files of the dead", leave_leftovers, LEFTOVERS_EACH),
    Kind("two", "two sweeps at once", two_at_once, share=2),
    Kind("two-killed", "two at once, one killed", two_one_killed, share=2),
)
BY_NAME = {kind.name: kind for kind in KINDS}
