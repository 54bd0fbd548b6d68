"""Ctrl-C and SIGTERM as a request to stop, so that nothing is left half done."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class StopRequest:
    """Whether the user, or a batch system, asked to stop.

    Not a `threading.Event`: a signal may arrive while this very thread holds such an event's lock, and setting it would then
    wait for ever.
    """

    def __init__(self) -> None:
        self._asked = False

    def set(self) -> None:
        self._asked = True

    def is_set(self) -> bool:
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Wait so many seconds at most; returns whether a stop was requested."""
        if not self._asked:
            time.sleep(seconds)
        return self._asked


_current: StopRequest | None = None


@contextmanager
def stoppable() -> Iterator[StopRequest]:
    """Turn Ctrl-C and SIGTERM, however many, into a stop request for the length of the block.

    Inside another such block it changes nothing, nor outside the main thread, which receives no signals.
    """
    global _current
    if threading.current_thread() is not threading.main_thread():
        yield StopRequest()
        return
    if _current is not None:
        yield _current
        return
    _current = request = StopRequest()
    before = {number: signal.signal(number, lambda *_: request.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        _current = None
        for number, handler in before.items():
            signal.signal(number, handler)
