"""The command line: `xlqa --help`. One module a command; nothing heavy is imported before a command needs it."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from xlqa.errors import EXIT_BAD_INPUT, XlqaError
from xlqa.util.jsontext import json_text
from xlqa.util.text import printable


def print_json(value: Any) -> None:
    """Write one JSON document to stdout.

    NaN and infinities, which JSON does not have, become null. What is not Unicode in a file's name becomes U+FFFD.
    """
    escaped = not _is_unicode(getattr(sys.stdout, "encoding", None) or "utf-8")
    sys.stdout.write(json_text(value, escaped=escaped))


@contextmanager
def optional_output() -> Iterator[None]:
    """Inside, what goes to stdout is dropped if its reader is gone (`| head`): the exit status tells how the work ended."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # The text that is still buffered would fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(line: str) -> None:
    """Write one line to stderr; what a file's text would do to the terminal is left out."""
    print(f"xlqa: {printable(line)}", file=sys.stderr)


def describe_system_error(error: OSError | RuntimeError) -> str | None:
    """A line on what the system refuses, such as a path that is too long; None for an error that is xlqa's own fault."""
    if isinstance(error, OSError):
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return f"{where}{error.strerror or error}: check the path, its permissions and free space."
    known = "Symlink loop" in str(error) or "home directory" in str(error)
    return f"{error}: check this path." if known else None


def ignore_interrupts() -> None:
    """Until `main` returns, Ctrl-C changes nothing: the command ends anyway, and a second one would tear its end in two."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one xlqa command; returns its exit status.

    Args:
        arguments: words after `xlqa`; the process's own when omitted.
    """
    # Before torch loads: threads that sleep while they wait do not fight with other programs over the processor.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    _show_what_can_be_shown()
    before = signal.getsignal(signal.SIGINT)
    try:
        return _run(arguments)
    finally:
        # The console's process ends now; a notebook's or a test's goes on and must hear Ctrl-C again.
        ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        if ignored and arguments is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def _show_what_can_be_shown() -> None:
    """Print a replacement for what the output cannot hold, instead of ending the command.

    That is a letter on a terminal in ASCII or Latin-1, and a file's name that is not UTF-8.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _is_unicode(encoding: str) -> bool:
    return encoding.lower().replace("-", "").replace("_", "").startswith(("utf8", "utf16", "utf32"))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        return int(importlib.import_module("xlqa.cli.app").run(arguments))
    except XlqaError as error:
        for line in str(error).splitlines():
            print_error(line)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        ignore_interrupts()
        print("xlqa: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 141
    except (OSError, RuntimeError) as error:
        message = describe_system_error(error)
        if message is None:
            raise
        print_error(message)
        return EXIT_BAD_INPUT
