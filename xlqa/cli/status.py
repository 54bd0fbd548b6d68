"""`xlqa status DIR`: a running or finished sweep at a glance."""

from __future__ import annotations

from pathlib import Path

from xlqa.cli import print_json
from xlqa.cli.options import Json, SweepFolder


def status(
    folder: SweepFolder = Path("."),
    as_json: Json = False,
) -> int:
    """Show the progress of a sweep: finished runs, mean scores, running and failed runs.

    Reads only the sweep's files. Means are over the finished runs.

    Examples:

      xlqa status

      xlqa status /shared/sweeps/ru --json
    """
    from xlqa.api.progress import status as read

    found = read(folder)
    print_json(found.as_record()) if as_json else print(found)
    return 0
