"""`xlqa track`: a sweep's runs in an experiment tracker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xlqa.cli import print_json
from xlqa.cli.options import Json


def track(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a sweep (its --out).")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="tensorboard, wandb or mlflow.")],
    project: Annotated[
        str, typer.Option("--project", help="Project or experiment.  [default: the folder's name]", show_default=False)
    ] = "",
    offline: Annotated[
        bool, typer.Option("--offline", help="Write files below DIR/tracking only; send nothing.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Send the finished runs of a sweep to an experiment tracker: losses, scores, settings and the table.

    Reads only the sweep's files, so a tracker cannot make a run fail. While a sweep is running, run the command again to send what
    has finished since. Each run is sent once.

    Examples:

      xlqa track ru tensorboard

      xlqa track ru wandb --project transfer --offline
    """
    from xlqa.track.send import track as send

    count = send(folder.expanduser().resolve(), name, project=project, offline=offline)
    if as_json:
        print_json({"sent": count})
    else:
        print(f"{name}: {count:,} run{'' if count == 1 else 's'} sent" if count else f"{name}: nothing new")
    return 0
