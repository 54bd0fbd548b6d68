"""The worker process: takes runs one after another over its standard input and keeps what they share in memory.

    python -m xlqa.runs.execute.worker --device cpu

One JSON record a line comes in, {"folder", "keep", "checkpoint_minutes"}; records of progress go out, and one {"event": "done"} or
{"event": "failed"} a run. What libraries print goes to the run's log.txt. When its input ends, so does the worker: no
orphan outlives the sweep that started it.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from xlqa.errors import XlqaError
from xlqa.runs.execute.disk_errors import errno_of
from xlqa.runs.paths import RunFolder
from xlqa.util.files import guarded

TAIL_LINES = 20


def main() -> None:
    """Serve runs until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    device = parser.parse_args().device
    os.environ.setdefault("DP_SKIP_NLTK_DOWNLOAD", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    orders: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin, orders), daemon=True).start()
    while True:
        order = orders.get()
        if order.get("stop"):
            return
        _serve(order, device, channel)


def _listen(stream: TextIO, orders: queue.Queue[dict[str, Any]]) -> None:
    """Pass orders on; when the sweep is gone, leave at once, even in the middle of a training."""
    for line in stream:
        orders.put(json.loads(line))
    os._exit(0)


def _serve(order: dict[str, Any], device: str, channel: TextIO) -> None:
    folder = RunFolder(Path(order["folder"]))

    def send(event: dict[str, Any]) -> None:
        channel.write(json.dumps(event) + "\n")
        channel.flush()

    try:
        # Held against a folder that goes away with its mount: nothing is then made again in its place.
        with guarded(folder.root), folder.log.open("a", encoding="utf-8") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            send(_do(order, folder, device, send))
    except OSError as error:
        send({"event": "failed", "error": f"{type(error).__name__}: {error}", "errno": errno_of(error)})
    gc.collect()


def _do(
    order: dict[str, Any], folder: RunFolder, device: str, send: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Do a run; returns the event that it ends with."""
    try:
        from xlqa.runs.execute.run import execute

        done = execute(
            folder, keep=bool(order["keep"]), listen=send, device=device,
            checkpoint_minutes=float(order["checkpoint_minutes"]),
        )  # fmt: skip
        return {"event": "done", "evaluations": done.evaluations, "trained": done.trained}
    except XlqaError as error:
        _log(str(error))
        return {"event": "failed", "error": str(error).splitlines()[0], "errno": errno_of(error)}
    except Exception as error:  # whatever a library raises belongs to this run alone, and the next one goes on
        _log(traceback.format_exc())
        reason = str(error).splitlines()[0] if str(error) else ""
        return {"event": "failed", "error": f"{type(error).__name__}: {reason}"[:500], "errno": errno_of(error)}
    finally:
        _log("")


def _log(text: str) -> None:
    """Write to the run's log, and what libraries printed before it; a full disk must not hide what is to be said of it."""
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


if __name__ == "__main__":
    main()
