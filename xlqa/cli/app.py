"""All commands of xlqa, gathered. Their modules are light: what is heavy is imported when a command runs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from xlqa import __version__
from xlqa.cli import data
from xlqa.cli.ask import AskCommand, ask
from xlqa.cli.clean import clean
from xlqa.cli.columns import columns
from xlqa.cli.compare import compare
from xlqa.cli.completion import add_completers
from xlqa.cli.doctor import doctor
from xlqa.cli.explain import explain, features
from xlqa.cli.export import export
from xlqa.cli.listing import list_sweeps
from xlqa.cli.plot import plot
from xlqa.cli.report import report
from xlqa.cli.runs import collect, evaluate, pack, rescore
from xlqa.cli.runs import run as run_one
from xlqa.cli.score import score
from xlqa.cli.status import status
from xlqa.cli.stop import stop
from xlqa.cli.sweep import sweep
from xlqa.cli.track import track

app = typer.Typer(
    name="xlqa",
    help="Learning curves for cross-lingual transfer: how many labelled target-language examples is English worth?",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"xlqa {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Learning curves for cross-lingual transfer."""


MAIN, RUNS, DATA, MACHINE = "Main commands", "Runs and results", "Data and scores", "This machine"

app.command(rich_help_panel=MAIN)(sweep)
app.command(rich_help_panel=MAIN)(plot)
app.command(rich_help_panel=MAIN)(report)
app.command(rich_help_panel=MAIN)(compare)
app.command(cls=AskCommand, rich_help_panel=MAIN)(ask)
app.command(rich_help_panel=RUNS)(status)
app.command("list", rich_help_panel=RUNS)(list_sweeps)
app.command(rich_help_panel=RUNS)(stop)
app.command("run", rich_help_panel=RUNS)(run_one)
app.command(rich_help_panel=RUNS)(evaluate)
app.command(rich_help_panel=RUNS)(rescore)
app.command(rich_help_panel=RUNS)(collect)
app.command(rich_help_panel=RUNS)(pack)
app.command(rich_help_panel=RUNS)(export)
app.command(rich_help_panel=RUNS)(track)
app.command(rich_help_panel=RUNS)(columns)
app.command(rich_help_panel=RUNS)(features)
app.command(rich_help_panel=RUNS)(explain)
app.command(rich_help_panel=DATA)(score)
app.add_typer(data.app, name="data", rich_help_panel=DATA)
app.command(rich_help_panel=MACHINE)(doctor)
app.command(rich_help_panel=MACHINE)(clean)


def _examples_last(commands: typer.Typer) -> None:
    """Print the examples of each command at the end of its help, below the options."""
    for command in commands.registered_commands:
        text, mark, examples = inspect.cleandoc((command.callback and command.callback.__doc__) or "").partition(
            "Examples:"
        )
        if mark:
            command.help, command.epilog = text.strip(), mark + examples


_examples_last(app)
add_completers(app)

# Typer brings a click of its own, whose errors a click that is installed beside it does not know.
ClickException: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


@functools.cache
def _command() -> Any:
    """The commands with their options. Typer would build them again for each call, which takes longer than most commands."""
    return typer.main.get_command(app)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; click's own complaints keep their form and exit status 2."""
    try:
        status = _command()(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except ClickException as error:
        error.show()
        return int(error.exit_code)
    except typer.Abort:
        return 130
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        # Typer exits with 1, which would mean that runs failed, where the reader of stdout is gone.
        return 141
    return int(status or 0)
