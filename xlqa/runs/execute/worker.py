"""The worker process: executes runs one after another and keeps in memory what they share.

`start_worker.py` starts it. On its standard input it reads a `RunOrder` a line; on its standard output it writes an `Event` a
line. What libraries print goes to the run's log.txt. The worker ends when its input ends, so that none outlives its sweep.
"""

from __future__ import annotations

import argparse
import gc
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from xlqa.errors import XlqaError
from xlqa.runs.execute.disk_errors import errno_of
from xlqa.runs.execute.events import Event, Failed, Finished, RunOrder, to_json
from xlqa.runs.paths import RunFolder
from xlqa.util.files import guarded

TAIL_LINES = 20

CUDA_ERROR = "CUDA error"
"""In the message of an error after which every further CUDA call of the process fails too, such as a device-side assert."""


def main() -> None:
    """Execute runs until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    device = parser.parse_args().device
    os.environ.setdefault("DP_SKIP_NLTK_DOWNLOAD", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    orders: queue.Queue[RunOrder] = queue.Queue()
    threading.Thread(target=_receive, args=(sys.stdin, orders), daemon=True).start()
    while _serve(orders.get(), device, channel):
        gc.collect()
    # Not a normal exit: a broken CUDA context may hang while Python cleans up.
    os._exit(1)


def _receive(stream: TextIO, orders: queue.Queue[RunOrder]) -> None:
    """Queue the orders; when the sweep is gone, exit at once, even in the middle of a training."""
    for line in stream:
        orders.put(RunOrder.from_json(line))
    os._exit(0)


def _serve(order: RunOrder, device: str, channel: TextIO) -> bool:
    """Execute one run; returns whether this process can execute another."""
    folder = RunFolder(Path(order.folder))

    def send(event: Event) -> None:
        channel.write(to_json(event) + "\n")
        channel.flush()

    try:
        # If the folder's mount goes away meanwhile, nothing is created in its place.
        with guarded(folder.root), folder.log.open("a", encoding="utf-8") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            ending = _execute(order, folder, device, send)
            send(ending)
    except OSError as error:
        ending = Failed(f"{type(error).__name__}: {error}", errno_of(error))
        send(ending)
    return isinstance(ending, Finished) or not ending.broken_worker


def _execute(order: RunOrder, folder: RunFolder, device: str, send: Callable[[Event], None]) -> Finished | Failed:
    try:
        from xlqa.runs.execute.run import execute

        done = execute(folder, keep=order.keep, listen=send, device=device, checkpoint_minutes=order.checkpoint_minutes)
        return Finished(done.evaluations, done.trained)
    except XlqaError as error:
        _log(str(error))
        return Failed(str(error).splitlines()[0], errno_of(error), is_cuda_error(error))
    except Exception as error:  # whatever a library raises fails this run alone; the next one is not affected
        _log(traceback.format_exc())
        reason = str(error).splitlines()[0] if str(error) else ""
        return Failed(f"{type(error).__name__}: {reason}"[:500], errno_of(error), is_cuda_error(error))
    finally:
        _log("")


def is_cuda_error(error: BaseException) -> bool:
    """Whether an error, or one of its causes, leaves the process without a usable CUDA context."""
    found: BaseException | None = error
    while found is not None:
        if CUDA_ERROR in str(found):
            return True
        found = found.__cause__ or found.__context__
    return False


def _log(text: str) -> None:
    """Write text to the run's log after what libraries printed; a full disk must not hide the error itself."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            if stream is sys.stderr and text:
                print(text, file=stream)
            stream.flush()


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log."""
    try:
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
