"""Errors of the user's making: each names the cause and the fix, and ends a command with exit status 2."""

from __future__ import annotations

from collections.abc import Iterable

EXIT_BAD_INPUT = 2
EXIT_RUNS_FAILED = 1


def nearest(name: str, known: Iterable[str], most: int = 3, cutoff: float = 0.6) -> list[str]:
    """The known names that a mistyped one may mean, the nearest first; case does not matter."""
    from difflib import get_close_matches

    spelled = {other.lower(): other for other in known}
    return [spelled[match] for match in get_close_matches(name.lower(), list(spelled), n=most, cutoff=cutoff)]


def did_you_mean(name: str, known: Iterable[str], most: int = 3, cutoff: float = 0.6) -> str:
    """The nearest names as a part of a message: " (did you mean squad.train or squad.dev?)"; "" where none is near."""
    near = nearest(name, known, most, cutoff)
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def check_choice(value: str, choices: Iterable[str], where: str) -> None:
    """Refuse a word that is not one of the choices.

    Args:
        where: what the message begins with, such as "--what pie".

    Raises:
        XlqaError: the message names the nearest choice, and all of them.
    """
    known = list(choices)
    if value not in known:
        raise XlqaError(f"{where}: {refuse_choice(value, known)}.")


def refuse_choice(value: str, choices: Iterable[str]) -> str:
    """The end of a message about a word that is not one of the choices: "did you mean curve? Choose from curve, gain"."""
    known = list(choices)
    near = " or ".join(nearest(value, known, most=2))
    begin = f"did you mean {near}? Choose" if near else "choose"
    return f"{begin} from {', '.join(known)}"


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
