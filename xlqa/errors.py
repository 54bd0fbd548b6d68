"""Errors of the user's making: each names the cause and the fix, and ends a command with exit status 2."""

from __future__ import annotations

from collections.abc import Iterable

EXIT_BAD_INPUT = 2
EXIT_RUNS_FAILED = 1


class XlqaError(Exception):
    """Something the user can fix. The message is one clear line: what, where, and how to fix it."""


class ManyErrors(XlqaError):
    """Several complaints reported together, so that a user fixes them in one go.

    Args:
        complaints: one line each; at least one.
    """

    def __init__(self, complaints: Iterable[str]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("\n".join(self.complaints))
