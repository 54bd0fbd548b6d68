"""Writes the command reference from the commands themselves, so that it says what they say.

python -m xlqa.cli.reference docs/commands.md
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from xlqa.errors import XlqaError

HEAD = """\
# Commands

Written from the commands' own help by `python -m xlqa.cli.reference docs/commands.md`; a test keeps it current. What all of
them share: results go to stdout, progress and logs to stderr; `--json` prints one JSON document for programs; the exit status
is 0 when all went well, 1 when runs failed or something was found wrong, 2 when the input is bad, 130 after Ctrl-C.
`xlqa --install-completion` teaches your shell the commands and flags.
"""


def render_reference() -> str:
    """The reference as Markdown: a list of all commands, then a section each."""
    from xlqa.cli.app import app

    commands = list(walk(typer.main.get_command(app), "xlqa"))
    lines = [HEAD]
    lines += [f"- [`{name}`](#{name.replace(' ', '-')}): {first_sentence(command)}" for name, command in commands]
    for name, command in commands:
        lines += ["", *_section(name, command)]
    return "\n".join(lines) + "\n"


def walk(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command below a group that does something, with its whole name, in the order of the help."""
    for name, command in group.commands.items():
        whole = f"{path} {name}"
        if hasattr(command, "commands"):
            yield from walk(command, whole)
        else:
            yield whole, command


def first_sentence(command: Any) -> str:
    """What a command does, as the list of commands says it."""
    return " ".join(command.help.split("\n\n")[0].split())


def examples(command: Any) -> list[str]:
    """The commands that a command's help ends with."""
    _, _, text = (command.epilog or "").partition("Examples:")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _section(name: str, command: Any) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    for paragraph in inspect.cleandoc(command.help).split("\n\n"):
        yield " ".join(paragraph.split())
        yield ""
    yield "```console"
    yield from (f"$ {line}" for line in examples(command))
    yield "```"
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    for title, params in (("argument", arguments), ("option", options)):
        if params:
            yield from ("", f"| {title} | |", "|---|---|")
            yield from (f"| {_name(p)} | {_cell(_meaning(p))} |" for p in params)


def _name(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"`{param.metavar or param.name.upper()}`"
    value = "" if param.is_flag else f" {value_name(param)}"
    return f"`{', '.join(param.opts)}{value}`"


def value_name(param: Any) -> str:
    """What stands for an option's value: a word for its type."""
    kind = str(param.type.name).partition(" ")[0]
    return {"str": "TEXT", "text": "TEXT", "int": "N", "integer": "N", "float": "X", "path": "PATH"}.get(kind, "VALUE")


def _meaning(param: Any) -> str:
    default = param.default
    shown = param.show_default is not False and default not in (None, "", False, ()) and not param.required
    needed = " Required." if param.required and param.param_type_name == "option" else ""
    return f"{param.help}{needed}" + (f" [default: {default}]" if shown and "[default" not in param.help else "")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def main(arguments: Sequence[str]) -> int:
    """Write the reference into the file that is named."""
    if len(arguments) != 1:
        raise XlqaError("name one file: python -m xlqa.cli.reference docs/commands.md.")
    Path(arguments[0]).write_text(render_reference(), encoding="utf-8")
    print(arguments[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
