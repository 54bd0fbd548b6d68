"""`xlqa stop DIR`: ends a sweep that runs in another terminal, as Ctrl-C there would."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from xlqa.cli import print_json
from xlqa.cli.options import Json, SweepFolder
from xlqa.errors import EXIT_RUNS_FAILED, XlqaError

LOOK_SECONDS = 0.2


def stop(
    folder: SweepFolder = Path("."),
    wait: Annotated[float, typer.Option(help="Seconds to wait for the end of the sweep.", min=0.0)] = 60.0,
    as_json: Json = False,
) -> int:
    """Stop a sweep that runs in another terminal on this machine, as Ctrl-C does there.

    Finished runs stay, and the sweep writes its table. The same `xlqa sweep` command resumes it.

    Examples:

      xlqa stop

      xlqa stop /shared/sweeps/ru
    """
    from xlqa.runs.store.marker import request_stop, running_sweeps
    from xlqa.util.locks import is_held

    found = running_sweeps(folder)
    here = [sweep for sweep in found if sweep.here]
    if not here:
        hosts = sorted({sweep.host for sweep in found})
        if hosts:
            raise XlqaError(f"{folder}: a sweep runs on {', '.join(hosts)}: run `xlqa stop` on that machine.")
        raise XlqaError(f"{folder}: no sweep of this machine runs in this folder. `xlqa status` shows its runs.")
    for sweep in here:
        request_stop(sweep)
    deadline = time.monotonic() + wait
    while (left := [sweep for sweep in here if is_held(sweep.path)]) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    ended = [sweep.pid for sweep in here if sweep not in left]
    if as_json:
        print_json({"folder": str(folder), "stopped": ended, "running": [sweep.pid for sweep in left]})
    else:
        for pid in ended:
            print(f"stopped process {pid}; finished runs stay")
        for sweep in left:
            print(f"process {sweep.pid} was asked to stop and has not ended yet")
    return EXIT_RUNS_FAILED if left else 0
