"""Options that several commands share, described once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer

from xlqa.settings import SETTINGS, Setting, flag
from xlqa.util.signatures import show_signature

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Device = Annotated[str, typer.Option("--device", help="Device: auto, cpu, cuda or cuda:1.")]

SweepFolder = Annotated[
    Path,
    typer.Argument(help="Folder of a sweep (its --out).", metavar="DIR", callback=lambda p: p.expanduser().resolve()),
]

# The rows of result tables that `xlqa plot` and `xlqa report` take.
Tables = Annotated[
    list[Path], typer.Argument(help="Table of a sweep (results.csv) or its folder. Several are compared.")
]
ScorerName = Annotated[str, typer.Option("--scorer", help="Scorer: squad or the table's first scorer (default).")]
Tasks = Annotated[
    list[str] | None, typer.Option("--task", help="Only these tasks. Repeat the flag or use a comma list.")
]
Languages = Annotated[
    list[str] | None, typer.Option("--lang", help="Only these languages. Repeat the flag or use a comma list.")
]
Tests = Annotated[
    list[str] | None, typer.Option("--test", help="Only these test sets. Repeat the flag or use a comma list.")
]
Seeds = Annotated[str, typer.Option("--seeds", help="Only these seeds, such as 0-4 or 0,1,3.")]


def with_settings(
    names: Iterable[str] = SETTINGS, panel: str | None = None
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command a flag for each setting named; its keyword arguments receive them, None where not given.

    Args:
        panel: the heading for all of them; by default each setting's own.
    """

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        own = inspect.signature(command, eval_str=True).parameters.values()
        flags = [Parameter(n, Parameter.KEYWORD_ONLY, default=None, annotation=_flag(n, panel)) for n in names]
        kept = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in own if p.kind is not Parameter.VAR_KEYWORD]
        show_signature(command, inspect.Signature([*flags, *kept]))
        return command

    return decorate


def _flag(name: str, panel: str | None) -> Any:
    """A flag whose value stays text: the settings' own checks complain about all values at once."""
    setting: Setting = SETTINGS[name]
    kind: Any = list[str] if setting.repeatable else str if setting.metavar else bool
    option = typer.Option(
        flag(name), help=setting.full_help, rich_help_panel=panel or setting.panel, metavar=setting.metavar or None,
        show_default=False,
    )  # fmt: skip
    return Annotated[kind | None, option]
