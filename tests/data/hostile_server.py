"""A web server on this machine that misbehaves as it is told."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

Behave = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each path with its content, in its manner; `Range` is honoured unless the manner says otherwise."""

    files: ClassVar[dict[str, tuple[bytes, Behave]]] = {}
    asked: ClassVar[Counter[str]] = Counter()
    ranges: ClassVar[list[str]] = []
    etag: ClassVar[str] = '"v1"'
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self.asked[self.path] += 1
        if "Range" in self.headers:
            self.ranges.append(self.headers["Range"])
        if self.path not in self.files:
            self.send_error(404)
            return
        content, behave = self.files[self.path]
        with contextlib.suppress(ConnectionError):
            behave(self, content)

    def give(self, content: bytes, length: int | None = None, keep: int | None = None) -> None:
        """Give the content from where the range begins, saying `length`, and breaking off after `keep` bytes."""
        start = 0
        asked = self.headers.get("Range", "")
        if asked and self.headers.get("If-Range", self.etag) == self.etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        rest = content[start:]
        self.send_header("Content-Length", str(len(rest) if length is None else length))
        if self.etag:
            self.send_header("ETag", self.etag)
        self.end_headers()
        self.wfile.write(rest if keep is None else rest[:keep])

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def whole(handler: Handler, content: bytes) -> None:
    handler.give(content)


def truncating(handler: Handler, content: bytes) -> None:
    """Break off after a third, each time."""
    handler.give(content, keep=max(1, len(content) // 3))


def stalling_once(handler: Handler, content: bytes) -> None:
    """Say nothing more after half, the first time."""
    if handler.asked[handler.path] == 1:
        handler.give(content, keep=len(content) // 2)
        handler.wfile.flush()
        time.sleep(1.5)
    else:
        handler.give(content)


def saying_too_much(handler: Handler, content: bytes) -> None:
    handler.give(content, length=len(content) + 100)


def saying_too_little(handler: Handler, content: bytes) -> None:
    handler.give(content, length=len(content) - 7)


def failing_twice(handler: Handler, content: bytes) -> None:
    if handler.asked[handler.path] <= 2:
        handler.send_error(503)
    else:
        handler.give(content)


def without_range(handler: Handler, content: bytes) -> None:
    """Break off the first time; give the whole file whatever is asked for."""
    del handler.headers["Range"]
    handler.give(content, keep=len(content) // 2 if handler.asked[handler.path] == 1 else None)


def wrong_range(handler: Handler, content: bytes) -> None:
    """Break off the first time; then answer with another part than asked for."""
    if handler.asked[handler.path] == 1:
        handler.give(content, keep=len(content) // 2)
        return
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes 0-{len(content) - 1}/{len(content)}")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def redirecting(handler: Handler, content: bytes) -> None:
    handler.send_response(302)
    handler.send_header("Location", content.decode())
    handler.end_headers()


def chunked_and_cut(handler: Handler, content: bytes) -> None:
    """A chunked answer that ends in the middle of a chunk."""
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(f"{len(content):x}\r\n".encode() + content[: len(content) // 2])
    handler.close_connection = True


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Run the server; gives its address."""
    Handler.files.clear()
    Handler.asked.clear()
    Handler.ranges.clear()
    Handler.etag = '"v1"'
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def unused_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
