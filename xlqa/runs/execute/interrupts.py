"""Ctrl-C, SIGTERM and `xlqa stop` as a request to stop, so that nothing is left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class StopRequest:
    """Whether the user, or a batch system, asked to stop.

    Not a `threading.Event`: a signal may arrive while this very thread holds such an event's lock, and setting it would then
    wait for ever.

    Args:
        elsewhere: whether a stop was requested in another way than by a signal.
    """

    def __init__(self, elsewhere: Callable[[], bool] = lambda: False) -> None:
        self._asked = False
        self._elsewhere = elsewhere

    def set(self) -> None:
        self._asked = True

    def is_set(self) -> bool:
        return self._asked or self._elsewhere()


class _Current(threading.local):
    """The request of the block that a thread is in."""

    request: StopRequest | None = None


_current = _Current()


@contextmanager
def stoppable(elsewhere: Callable[[], bool] = lambda: False) -> Iterator[StopRequest]:
    """Turn Ctrl-C and SIGTERM, however many, into a stop request for the length of the block.

    Inside another such block it changes nothing. Outside the main thread, which alone receives signals, only `elsewhere`
    counts.

    Args:
        elsewhere: as `StopRequest` takes it.
    """
    if _current.request is not None:
        yield _current.request
        return
    _current.request = request = StopRequest(elsewhere)
    caught = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, lambda *_: request.set()) for number in caught}
    try:
        yield request
    finally:
        _current.request = None
        for number, handler in before.items():
            signal.signal(number, handler)
