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
from pathlib import Path
from typing import Annotated, Any

import typer

from faultinjection.campaign import Campaign, Outcome, share_out, tally
from faultinjection.kinds import BY_NAME, KINDS, Kind
from xlqa.errors import XlqaError

HELP = f"""Break sweeps in every way, start them again, and hold their tables against an undisturbed one's.

    Every case begins from a tiny sweep's folder: fresh, partly or wholly done. It is harmed, the same command is given
    again, and then results.csv must be that of an undisturbed sweep up to time, host and device columns: no row lost, none
    twice, nothing finished done again, no process, lock or half-written file left. Exit status 1 where a case failed; its
    folder stays, and the command that repeats it is printed.

    Kinds: {"; ".join(f"{kind.name} ({kind.about})" for kind in KINDS)}.

    Examples:

    scripts/faults

    scripts/faults --kinds full-disk,ctrl-c --faults 20 --seed 1

    scripts/faults --kinds kill-driver --only 3 --work broken
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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the JSON to this file too.", show_default=False)] = None,
) -> None:
    """Replaced by HELP."""
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
