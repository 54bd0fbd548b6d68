"""A small model hub on 127.0.0.1 that speaks the hub's protocol, with faults: drives what xlqa does with an encoder's name.

As on the hub, small files come from the hub itself under their git SHA-1, large ones by a redirect to another address
under their SHA-256. A fault is put on a file's download or on the model's list of files and is used up by requests.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

LARGE = (".safetensors", ".bin", ".model", ".h5")
COMMIT = "c0ffee" + "0" * 34


def git_sha1(content: bytes) -> str:
    """Git's name of a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Repository:
    """A model's files, and who may have them."""

    files: dict[str, bytes]
    private: bool = False
    gated: bool = False
    commit: str = COMMIT

    def etag(self, name: str) -> str:
        content = self.files[name]
        return sha256(content) if name.endswith(LARGE) else git_sha1(content)


@dataclass
class Fault:
    """What goes wrong `times` times: a status, a connection cut after some bytes, or other bytes than the right ones."""

    times: int = 1
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    content: bytes | None = None


class Hub:
    """The state of the fake: its models and data sets (another branch's as NAME@BRANCH), faults by "list" or file name, and what was asked.

    Attributes:
        token: the one that opens private models; terms_accepted: whether it opens gated ones, too.
        renamed: old names of models and what they are called now.
        leaked: whether a token was sent to the address of the large files.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.faults: dict[str, Fault] = {}
        self.renamed: dict[str, str] = {}
        self.token = "hf_right"
        self.terms_accepted = False
        self.asked: Counter[str] = Counter()
        self.ranges: list[str] = []
        self.leaked = False
        self.address = ""
        self.storage = ""

    def fault(self, what: str) -> Fault | None:
        """The fault of a request, which is used up by it."""
        found = self.faults.get(what)
        if found is None or found.times == 0:
            return None
        found.times -= 1
        return found


class Handler(BaseHTTPRequestHandler):
    """Answers for the hub and for its storage of large files."""

    hub: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        with contextlib.suppress(ConnectionError):
            self._answer()

    def do_POST(self) -> None:
        """A repository is made, or a commit of small files."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer: dict[str, object] = {}
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self._send(403, b"", {"X-Error-Message": "You have no write access"})
            return
        if self.path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization'] or 'me'}/{asked['name']}"
            self.hub.repositories[name] = Repository({}, private=asked["private"])
            answer = {"url": f"{self.hub.address}/{name}"}
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            answer = {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]}
        elif found := re.fullmatch(r"/api/models/(.+)/commit/main", self.path):
            for value in (line["value"] for line in map(json.loads, body.splitlines()) if line["key"] == "file"):
                self.hub.repositories[found[1]].files[value["path"]] = base64.b64decode(value["content"])
            answer = {"commitUrl": f"{self.hub.address}/{found[1]}/commit/{COMMIT}", "commitOid": COMMIT}
        self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _answer(self) -> None:
        path = self.path.split("?")[0]
        if path == "/":
            self._send(200, b"hub")
        elif found := re.fullmatch(r"/storage/([0-9a-f]{64})", path):
            self._stored(found[1])
        elif found := re.fullmatch(r"/api/(?:models|datasets)/(.+?)(?:/revision/([^/]+))?", path):
            branch = f"{found[1]}@{unquote(found[2] or '')}"
            self._list(branch if branch in self.hub.repositories else found[1])
        elif found := re.fullmatch(r"/(.+?)/resolve/([^/]+)/(.+)", path):
            name = found[1].removeprefix("datasets/")
            branches = (branch for branch in self.hub.repositories if branch.startswith(f"{name}@"))
            same = (branch for branch in branches if self.hub.repositories[branch].commit == found[2])
            self._file(next(same, name), found[3])
        else:
            self._send(404, b"")

    def _repository(self, name: str) -> Repository | None:
        """The model of a request that may see it; otherwise the answer is given here."""
        if name in self.hub.renamed:
            self._send(307, b"", {"Location": self.path.replace(name, self.hub.renamed[name], 1)})
            return None
        repository = self.hub.repositories.get(name)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token != self.hub.token:
            self._send(401, b"", {"X-Error-Message": "Invalid credentials in Authorization header"})
        elif repository is None or (repository.private and not token):
            # The hub tells a stranger nothing about which private names there are.
            headers = {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}
            self._send(404 if token else 401, b'{"error":"Invalid username or password."}', headers)
        else:
            return repository
        return None

    def _list(self, name: str) -> None:
        self.hub.asked["list"] += 1
        repository = self._repository(name)
        if repository is None or self._failed("list"):
            return
        siblings = []
        for file, content in repository.files.items():
            entry: dict[str, object] = {"rfilename": file, "size": len(content), "blobId": git_sha1(content)}
            if file.endswith(LARGE):
                entry["lfs"] = {"sha256": sha256(content), "size": len(content), "pointerSize": 130}
            siblings.append(entry)
        record = {
            "id": name,
            "sha": repository.commit,
            "gated": "auto" if repository.gated else False,
            "siblings": siblings,
        }
        self._send(200, json.dumps(record).encode(), {"Content-Type": "application/json"})

    def _file(self, name: str, file: str) -> None:
        self.hub.asked[f"{self.command} {file}"] += 1
        repository = self._repository(name)
        if repository is None:
            return
        if repository.gated and not (self.headers.get("Authorization") and self.hub.terms_accepted):
            status = 403 if self.headers.get("Authorization") else 401
            self._send(status, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to model is restricted"})
            return
        if file not in repository.files:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": repository.commit})
            return
        if self.command == "HEAD" and self._failed(f"HEAD {file}"):
            return
        content, etag = repository.files[file], repository.etag(file)
        headers = {"X-Repo-Commit": repository.commit, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        if file.endswith(LARGE):
            linked = {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(content))}
            self._send(302, b"", headers | linked | {"Location": f"{self.hub.storage}/storage/{etag}"})
        else:
            self._content(file, content, headers)

    def _stored(self, digest: str) -> None:
        self.hub.leaked = self.hub.leaked or bool(self.headers.get("Authorization"))
        for repository in self.hub.repositories.values():
            for file, content in repository.files.items():
                if sha256(content) == digest:
                    self.hub.asked[f"storage {file}"] += 1
                    self._content(file, content, {"ETag": f'"{digest}"', "Accept-Ranges": "bytes"})
                    return
        self._send(404, b"")

    def _content(self, file: str, content: bytes, headers: dict[str, str]) -> None:
        """A file's bytes, as the request's range and the file's fault have it."""
        if self.command == "GET" and self._failed(file):
            return
        fault = self.hub.fault(file) if self.command == "GET" else None
        if fault is not None and fault.content is not None:
            content = fault.content
        start = 0
        if asked := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            self.hub.ranges.append(asked[0])
            start = int(asked[1])
            headers = headers | {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        keep = fault.cut if fault is not None else None
        self._send(206 if asked else 200, content[start:], headers, keep)

    def _failed(self, what: str) -> bool:
        """Whether a fault with a status was answered."""
        fault = self.hub.faults.get(what)
        if fault is None or not fault.status or not fault.times:
            return False
        fault.times -= 1
        self._send(fault.status, b"", dict(fault.headers))
        return True

    def _send(
        self, status: int, body: bytes, headers: Mapping[str, str] | None = None, keep: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:keep])

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextlib.contextmanager
def serving(certificate: Path | None = None) -> Iterator[Hub]:
    """Run a hub and its storage, over https with a certificate (key and certificate in one file)."""
    hub = Hub()
    handler = type("HubHandler", (Handler,), {"hub": hub})
    with contextlib.ExitStack() as stack:
        addresses = []
        # The client tells the hub from a storage by the name of the host.
        for host in ("127.0.0.1", "localhost"):
            server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
            server.daemon_threads = True
            scheme = "http"
            if certificate is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate)
                server.socket = context.wrap_socket(server.socket, server_side=True)
                server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up
                scheme = "https"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            for step in (thread.join, server.server_close, server.shutdown):
                stack.callback(step)
            addresses.append(f"{scheme}://{host}:{server.server_address[1]}")
        hub.address, hub.storage = addresses
        yield hub


def connect(patch: pytest.MonkeyPatch, hub: Hub, cache: Path) -> None:
    """Let the hub's client of this process ask the fake, with an empty cache and without a token."""
    from huggingface_hub import constants, file_download
    from huggingface_hub.utils import disable_progress_bars

    template = hub.address + "/{repo_id}/resolve/{revision}/{filename}"
    for module in (constants, file_download):  # which of them is read depends on the client's version
        patch.setattr(module, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
    patch.setattr(constants, "ENDPOINT", hub.address)
    patch.setattr(constants, "HF_HUB_CACHE", str(cache))
    patch.setattr(constants, "HF_TOKEN_PATH", str(cache / "token"))
    patch.setattr(constants, "HF_HUB_OFFLINE", False)
    # What is written at a time; so small files resume as large ones do.
    patch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 16_384, raising=False)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy",
                 "ALL_PROXY"):  # fmt: skip
        patch.delenv(name, raising=False)
    patch.setattr("xlqa.data.hub_client.FIRST_WAIT", 0.01)
    disable_progress_bars()
