"""Signatures that functions show."""

from __future__ import annotations

from inspect import Signature
from typing import Any


def show_signature(function: Any, signature: Signature) -> None:
    """Let `inspect.signature`, and so `help` and typer, see another signature of a function than its own."""
    function.__signature__ = signature
