"""`xlqa export`: a run's model as a folder that transformers loads, and its upload to the hub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from xlqa.cli import print_json
from xlqa.cli.options import Json


def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Run id (with XLQA_HOME) or run folder.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to create.")],
    push: Annotated[
        str, typer.Option("--push", metavar="NAME", help="Upload it to the Hugging Face hub, too (HF_TOKEN).")
    ] = "",
    public: Annotated[
        bool, typer.Option("--public", help="Make the model that --push creates public. Default: private.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Write a run's model as a folder that transformers loads, with a model card (README.md).

    The card states training data with licences, scores with scorer and interval, settings, and the lines of Python that use the
    model. The weights must have been kept (`--keep` of the sweep).

    Examples:

      xlqa export ru/runs/ru-transfer-45328-s0-* ru-model

      xlqa export ru/runs/ru-transfer-45328-s0-* ru-model --push me/ru-transfer
    """
    from xlqa.export.model import export_run, push_folder, refuse_without_token

    if push:
        refuse_without_token(push)
    home = Path(os.environ.get("XLQA_HOME", ".")).expanduser().resolve()
    made = export_run(run, folder, home, push)
    address = push_folder(made, push, public=public) if push else ""
    if as_json:
        print_json({"folder": str(made), "address": address or None})
    else:
        print(f"{made}: load it with transformers, as its README.md shows.")
        if address:
            print(address)
    return 0
