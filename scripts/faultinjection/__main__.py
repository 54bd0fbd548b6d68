"""The command: `scripts/faults`."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer

from faultinjection import security
from faultinjection.campaign import Campaign, Outcome, share_out, tally
from faultinjection.kinds import BY_NAME, KINDS, Kind
from xlqa.errors import XlqaError

HELP = f"""Interrupt and damage sweeps, repeat the command, and compare the tables with that of an undisturbed sweep.

    Each case starts with the folder of a tiny sweep: empty, partly finished or finished. The script injects a fault and
    repeats the command. Then results.csv must equal the table of an undisturbed sweep, except for the columns of time, host
    and device. No row may be lost or duplicated, no finished run may be repeated, and no process, lock or temporary file may
    remain. If a case fails, the exit status is 1, the folder is kept, and the script prints the command that repeats the case.

    Kinds: {"; ".join(f"{kind.name} ({kind.about})" for kind in KINDS)}.

    With --security, a seeded mutator makes hostile files from valid ones, and xlqa's commands read them. Each command must
    end with exit status 0, 1 or 2 and one line, without a traceback, within 10 s of processor time. No code of a file may
    run, and no file outside the folder may change. Kinds: {"; ".join(f"{k.name} ({k.about})" for k in security.KINDS)}.

    Examples:

    scripts/faults

    scripts/faults --kinds full-disk,ctrl-c --faults 20 --seed 1

    scripts/faults --kinds kill-driver --only 3 --work broken

    scripts/faults --security --seed 1

    scripts/faults --security --kinds models --only 17
    """


def faults(
    count: Annotated[int, typer.Option("--faults", min=1, help="Faults at least, over all kinds.")] = 100,
    seed: Annotated[int, typer.Option(help="Of everything that chance decides.")] = 0,
    kinds: Annotated[str, typer.Option(help="Kinds of faults: a comma list. Default: all.")] = ",".join(BY_NAME),
    only: Annotated[
        int | None, typer.Option(min=0, help="Only the case of this number, of each kind named.", show_default=False)
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Cases side by side.")] = min(8, os.cpu_count() or 1),
    work: Annotated[
        Path | None, typer.Option(help="Folder for the cases. Default: a temporary one.", show_default=False)
    ] = None,
    hostile: Annotated[
        bool, typer.Option("--security", help="Mutate configs, models, archives, tables and data instead (see above).")
    ] = False,
    mutants: Annotated[int, typer.Option(min=1, help="Of each kind, with --security.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the JSON to this file too.", show_default=False)] = None,
) -> None:
    """Replaced by HELP."""
    if hostile:
        names = [kind.name for kind in security.KINDS] if kinds == ",".join(BY_NAME) else kinds.split(",")
        raise typer.Exit(
            _security(seed, names, range(only, only + 1) if only is not None else range(mutants), jobs, as_json, out)
        )
    chosen = _choose(kinds)
    plan = [(kind, only) for kind in chosen] if only is not None else share_out(count, chosen)
    folder = Path(tempfile.mkdtemp(prefix="faults-")) if work is None else work.resolve()
    campaign = Campaign(seed, folder, jobs, _say)
    began = time.monotonic()
    _say("the undisturbed sweep …")
    reference = campaign.prepare()
    _say(f"{len(reference.table)} rows in {reference.seconds:.0f} s; {len(plan)} cases, {jobs} side by side")
    try:
        outcomes = campaign.run(plan)
    finally:
        shutil.rmtree(folder / "undisturbed")
        if not any(folder.iterdir()):
            folder.rmdir()
    rows = tally(outcomes, campaign.mounting)
    document = _describe(rows, seed, time.monotonic() - began)
    if out:
        out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document, indent=1) if as_json else _render(document))
    _report(outcomes, seed)
    raise typer.Exit(int(any(outcome.error for outcome in outcomes)))


faults.__doc__ = HELP


def _security(seed: int, names: list[str], numbers: range, jobs: int, as_json: bool, out: Path | None) -> int:
    """Mutate each kind, several kinds side by side; returns the exit status."""
    if unknown := [name for name in names if name not in security.BY_NAME]:
        raise XlqaError(f"--kinds {unknown[0]}: choose from {', '.join(security.BY_NAME)}.")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as work, ThreadPoolExecutor(jobs) as pool:
        found = pool.map(lambda name: _fuzz_kind(security.BY_NAME[name], seed, numbers, Path(work)), names)
        rows = list(found)
    document = {
        "command": shlex.join(["scripts/faults", *sys.argv[1:]]), "seed": seed, "cores": os.cpu_count(),
        "python": platform.python_version(), "minutes": round((time.monotonic() - began) / 60, 1), "kinds": rows,
    }  # fmt: skip
    if out:
        out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    lines = [
        f"{row['kind']:<9} mutants {row['mutants']:>5}  commands {row['commands']:>5}  taken {row['taken']:>5}  refused "
        f"{row['refused']:>5}  wrong {row['wrong']:>3}  {row['about']}"
        for row in rows
    ]
    print(
        json.dumps(document, indent=1)
        if as_json
        else "\n".join([*lines, f"{document['minutes']} min, {os.cpu_count()} cores"])
    )
    return int(any(row["wrong"] for row in rows))


def _fuzz_kind(kind: security.Kind, seed: int, numbers: range, work: Path) -> dict[str, Any]:
    """The counts of one kind; what is wrong is printed at once."""
    taken = refused = wrong = commands = 0
    for number, answer in security.fuzz(kind, seed, numbers, work):
        commands += len(answer.statuses)
        refused += sum(status == 2 for status in answer.statuses)
        taken += sum(status in (0, 1) for status in answer.statuses)
        if answer.wrong:
            wrong += 1
            again = f"scripts/faults --security --seed {seed} --kinds {kind.name} --only {number}"
            _say(f"{kind.name} {number}: {answer.wrong}\n  again: {again}")
    return {
        "kind": kind.name, "about": kind.about, "mutants": len(numbers), "commands": commands, "taken": taken,
        "refused": refused, "wrong": wrong,
    }  # fmt: skip


def _choose(given: str) -> list[Kind]:
    names = [name.strip() for name in given.split(",")]
    if unknown := [name for name in names if name not in BY_NAME]:
        raise XlqaError(f"--kinds {unknown[0]}: choose from {', '.join(BY_NAME)}.")
    return [BY_NAME[name] for name in dict.fromkeys(names)]


def _describe(rows: list[dict[str, Any]], seed: int, seconds: float) -> dict[str, Any]:
    return {
        "command": shlex.join(["scripts/faults", *sys.argv[1:]]),
        "seed": seed,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "minutes": round(seconds / 60, 1),
        "injected": sum(row["injected"] for row in rows),
        "survived": sum(row["survived"] for row in rows),
        "kinds": rows,
    }


def _render(document: dict[str, Any]) -> str:
    lines = [
        f"{row['kind']:<12} injected {row['injected']:>3}  survived {row['survived']:>3}  {row['about']}"
        for row in document["kinds"]
    ]
    total = f"{'total':<12} injected {document['injected']:>3}  survived {document['survived']:>3}"
    return "\n".join([*lines, f"{total}  {document['minutes']} min, {document['cores']} cores"])


def _report(outcomes: list[Outcome], seed: int) -> None:
    for outcome in outcomes:
        if outcome.error:
            again = f"scripts/faults --seed {seed} --kinds {outcome.kind} --only {outcome.number}"
            _say(
                f"{outcome.kind} {outcome.number} failed: {outcome.error}\n  folder: {outcome.folder}\n  again:  {again}"
            )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(faults)
    try:
        app(prog_name="scripts/faults")
    except XlqaError as error:
        print(f"faults: {error}", file=sys.stderr)
        sys.exit(2)
