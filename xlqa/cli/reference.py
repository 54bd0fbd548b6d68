"""Writes what derives from the commands and settings: the command reference, the keywords of `xlqa.sweep`, and the columns.

python -m xlqa.cli.reference docs/commands.md docs/columns.md xlqa/sweep_keywords.py
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from xlqa.errors import XlqaError
from xlqa.settings import SETTINGS

HEAD = """\
# Commands

Generated from the commands' help by `python -m xlqa.cli.reference docs/commands.md docs/columns.md xlqa/sweep_keywords.py`.
A test keeps it current. All commands print results to stdout, and progress and logs to stderr. `--json` prints one JSON
document for programs ([keys](json.md)). The exit status is 0 for success, 1 when runs failed or a problem was found, 2 for
bad input, and 130 after Ctrl-C. `xlqa --install-completion` adds completion of commands, flags and their values to your shell.
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
    """Every command below a group, with its full name, in the order of the help."""
    for name, command in group.commands.items():
        whole = f"{path} {name}"
        if hasattr(command, "commands"):
            yield from walk(command, whole)
        else:
            yield whole, command


def first_sentence(command: Any) -> str:
    """What a command does, as in the list of commands."""
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
    """The placeholder for an option's value."""
    if param.metavar:
        return str(param.metavar)
    kind = str(param.type.name).partition(" ")[0]
    return {"str": "TEXT", "text": "TEXT", "int": "N", "integer": "N", "float": "X", "path": "PATH"}.get(kind, "VALUE")


def _meaning(param: Any) -> str:
    default = param.default
    shown = param.show_default is not False and default not in (None, "", False, ()) and not param.required
    needed = " Required." if param.required and param.param_type_name == "option" else ""
    return f"{param.help}{needed}" + (f" [default: {default}]" if shown and "[default" not in param.help else "")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def render_keywords() -> str:
    """The keywords of `xlqa.sweep` as a module: what type checkers and editors read."""
    lines = [KEYWORDS_HEAD]
    for name, setting in SETTINGS.items():
        if name != "lang":
            text = textwrap.fill(f'"""{setting.full_help}"""', 116, break_long_words=False, break_on_hyphens=False)
            lines += [f"    {name}: {setting.python}", textwrap.indent(text, "    ")]
    return "\n".join(lines) + "\n"


KEYWORDS_HEAD = '''\
"""The keywords of `xlqa.sweep`, for editors and type checkers.

Generated from xlqa/settings.py by `python -m xlqa.cli.reference xlqa/sweep_keywords.py`; a test keeps it current.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypedDict

Words = str | Sequence[str]
PathLike = str | Path


class SweepKeywords(TypedDict, total=False):
    """The settings of a sweep beside its languages: the flags of `xlqa sweep`, with underscores."""
'''


COLUMNS_HEAD = """\
# Columns of results.csv

Generated from xlqa/columns.py by `python -m xlqa.cli.reference docs/columns.md`; a test keeps it current. `xlqa columns` prints the
same. A row is one evaluation: a run scored on a test set. A value that does not apply is empty, never 0. Percentages are from
0 to 100. Only the columns of the group Machine may differ when a sweep is repeated.

The last column is the dtype in the frame of `xlqa.load_results` and `.results`: `str` (never missing: "" where the cell is empty),
`float64` (NaN where it is empty, for counts too) or `int64`. The frame has one more column, `folder` (`str`): the folder of the row's
table. Without tables of other tasks it has no column `task`.
"""


def render_columns() -> str:
    """The data dictionary of results.csv as Markdown: a table for each group of columns."""
    from xlqa.columns import describe_columns
    from xlqa.records import TASK_METRICS

    lines, columns = [COLUMNS_HEAD], describe_columns()
    for group in dict.fromkeys(column.group for column in columns):
        lines += [f"## {group}", "", "| column | kind | meaning | tasks | dtype |", "|---|---|---|---|---|"]
        for column in columns:
            if column.group == group:
                tasks = "all" if len(column.tasks) == len(TASK_METRICS) else ", ".join(column.tasks)
                lines.append(
                    f"| `{column.name}` | {column.kind} | {_cell(column.meaning)} | {tasks} | {column.dtype} |"
                )
        lines.append("")
    return "\n".join(lines)


RENDERERS = {"commands.md": render_reference, "columns.md": render_columns, "sweep_keywords.py": render_keywords}


def main(arguments: Sequence[str]) -> int:
    """Write the files that are named, each by its own name."""
    paths = [Path(argument) for argument in arguments]
    if not paths or any(path.name not in RENDERERS for path in paths):
        raise XlqaError(
            "name the files: python -m xlqa.cli.reference docs/commands.md docs/columns.md xlqa/sweep_keywords.py."
        )
    for path in paths:
        path.write_text(RENDERERS[path.name](), encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
