"""`xlqa columns`: the data dictionary of results.csv."""

from __future__ import annotations

from typing import Annotated

import typer

from xlqa.cli import print_json
from xlqa.cli.options import Json
from xlqa.columns import describe_columns
from xlqa.util.tables import table_lines


def columns(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]…", help="Columns to describe. Default: all.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Describe the columns of results.csv.

    Examples:

      xlqa columns

      xlqa columns unreachable train_overlap
    """
    found = describe_columns(tuple(names or ()))
    if as_json:
        print_json([column._asdict() for column in found])
    else:
        rows = [(column.name, column.kind, column.meaning) for column in found]
        print("\n".join(table_lines(("COLUMN", "KIND", "MEANING"), rows)))
    return 0
