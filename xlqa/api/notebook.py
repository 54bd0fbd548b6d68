"""What functions that load models in a notebook's own process share."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_widget_warnings() -> Iterator[None]:
    """Inside, tqdm does not ask for ipywidgets, which no display of xlqa needs, when a library imports it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        yield
