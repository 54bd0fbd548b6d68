"""Options that several commands share, described once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from inspect import Parameter
from typing import Annotated, Any

import typer

from xlqa.settings import SETTINGS, Setting, flag

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


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
        command.__signature__ = inspect.Signature([*flags, *kept])  # type: ignore[attr-defined]  # what inspect looks for
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
