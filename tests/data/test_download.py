"""Whatever a server does, a file in the cache is whole and the right one, or is not there."""

from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path

import hostile_server as server
import pytest
from hostile_server import Handler

from xlqa.data import download
from xlqa.data.download import fetch_file, read_receipt
from xlqa.errors import XlqaError

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "set" / "file.json"


def offer(address: str, behave: server.Behave, content: bytes = CONTENT, path: str = "/file.json") -> str:
    Handler.files[path] = (content, behave)
    return address + path


def left(target: Path) -> set[str]:
    return {file.name for file in target.parent.iterdir()} if target.parent.exists() else set()


def test_a_good_server(address: str, target: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    url = offer(address, server.whole)
    receipt = fetch_file([url], target, sha256=SHA256, progress=lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert (receipt.sha256, receipt.size, receipt.url) == (SHA256, len(CONTENT), url)
    assert read_receipt(target) == receipt
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert left(target) == {"file.json", "file.json.source.json"}


@pytest.mark.parametrize("sha256", [SHA256, None])
@pytest.mark.parametrize(
    "behave",
    [server.stalling_once, server.failing_twice, server.without_range, server.wrong_range, server.truncating],
)
def test_passing_faults_are_survived(address: str, target: Path, behave: server.Behave, sha256: str | None) -> None:
    fetch_file([offer(address, behave)], target, sha256=sha256, size=len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert left(target) == {"file.json", "file.json.source.json"}


def test_a_truncating_server_is_asked_only_for_the_rest(address: str, target: Path) -> None:
    fetch_file([offer(address, server.truncating)], target, sha256=SHA256)
    assert Handler.ranges[0] == f"bytes={len(CONTENT) // 3}-"
    starts = [int(asked[6:-1]) for asked in Handler.ranges]
    assert starts == sorted(set(starts))


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (server.saying_too_much, "broke off after 1,024,000 of 1,024,100 bytes"),
        (server.chunked_and_cut, "bytes"),
    ],
)
def test_lies_about_the_length(address: str, target: Path, behave: server.Behave, reason: str) -> None:
    Handler.etag = ""
    with pytest.raises(XlqaError, match=reason):
        fetch_file([offer(address, behave)], target)
    assert not target.exists()


def test_a_length_too_long_is_forgiven_where_the_file_is_known(address: str, target: Path) -> None:
    fetch_file([offer(address, server.saying_too_much)], target, sha256=SHA256)
    assert target.read_bytes() == CONTENT


def test_a_length_too_short_is_found_out(address: str, target: Path) -> None:
    with pytest.raises(XlqaError, match="the file has a different SHA-256"):
        fetch_file([offer(address, server.saying_too_little)], target, sha256=SHA256)
    assert left(target) == set()


def test_wrong_bytes_are_never_kept(address: str, target: Path) -> None:
    url = offer(address, server.whole, CONTENT[::-1])
    with pytest.raises(XlqaError) as caught:
        fetch_file([url], target, sha256=SHA256)
    assert f"{url}: the file has a different SHA-256 (" in str(caught.value)
    assert f"{SHA256[:12]}… expected" in str(caught.value)
    assert left(target) == set()


def test_a_missing_file_is_asked_for_once(address: str, target: Path) -> None:
    with pytest.raises(XlqaError, match="HTTP 404 Not Found"):
        fetch_file([f"{address}/none.json"], target)
    assert Handler.asked["/none.json"] == 1


def test_the_next_address_is_tried(address: str, target: Path) -> None:
    urls = [
        f"{address}/none.json",
        offer(address, server.whole, b"other", "/wrong.json"),
        f"http://127.0.0.1:{server.unused_port()}/x.json",
        offer(address, server.whole),
    ]
    assert fetch_file(urls, target, sha256=SHA256).url == urls[-1]
    assert target.read_bytes() == CONTENT
    with pytest.raises(XlqaError) as caught:
        fetch_file(urls[:3], target.with_name("b.json"), sha256=SHA256)
    assert str(caught.value).count("; ") == 2
    assert "Connection refused (tried 2 times)" in str(caught.value)


def test_a_broken_off_download_goes_on_at_the_next_start(
    address: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = offer(address, server.truncating)
    monkeypatch.setattr(download, "RETRIES", 0)
    with pytest.raises(XlqaError, match="broke off"):
        fetch_file([url], target, sha256=SHA256)
    assert "file.json.part" in left(target)
    offer(address, server.whole)
    fetch_file([url], target, sha256=SHA256)
    assert Handler.ranges == [f"bytes={len(CONTENT) // 3}-"]
    assert target.read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_starts_anew(address: str, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = offer(address, server.truncating)
    monkeypatch.setattr(download, "RETRIES", 0)
    with pytest.raises(XlqaError):
        fetch_file([url], target)
    Handler.etag = '"v2"'
    offer(address, server.whole, b"z" * 500_000)
    fetch_file([url], target)
    assert target.read_bytes() == b"z" * 500_000


def test_a_damaged_rest_is_fetched_again(address: str, target: Path) -> None:
    target.parent.mkdir()
    part = target.with_name("file.json.part")
    part.write_bytes(b"rubbish" * 1000)
    fetch_file([offer(address, server.whole)], target, sha256=SHA256)
    assert target.read_bytes() == CONTENT


def test_a_whole_part_needs_only_its_name(address: str, target: Path) -> None:
    target.parent.mkdir()
    target.with_name("file.json.part").write_bytes(CONTENT)
    fetch_file([offer(address, server.whole)], target, sha256=SHA256)
    assert target.read_bytes() == CONTENT
    assert Handler.asked["/file.json"] == 1


def test_redirects_are_followed_but_not_out_of_the_web(address: str, target: Path) -> None:
    offer(address, server.whole, path="/real.json")
    url = offer(address, server.redirecting, f"{address}/real.json".encode())
    assert fetch_file([url], target, sha256=SHA256).size == len(CONTENT)
    evil = offer(address, server.redirecting, b"file:///etc/passwd", "/evil.json")
    with pytest.raises(XlqaError):
        fetch_file([evil], target.with_name("evil.json"))
    with pytest.raises(XlqaError, match="is not an http or https address"):
        fetch_file(["file:///etc/passwd"], target.with_name("evil.json"))


def test_endless_answers_end(address: str, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 1000)
    with pytest.raises(XlqaError, match="has 1,024,000 bytes: too large for a data set"):
        fetch_file([offer(address, server.whole)], target)


def test_the_first_file_is_trusted_and_recorded(address: str, target: Path) -> None:
    fetch_file([offer(address, server.whole)], target)
    record = json.loads(target.with_name("file.json.source.json").read_text())
    assert record == {"url": f"{address}/file.json", "sha256": SHA256, "bytes": len(CONTENT)}


def test_a_full_disk_is_one_line(address: str, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "_copy", full)
    with pytest.raises(XlqaError, match="the disk is full: free some space, or choose another --data-dir"):
        fetch_file([offer(address, server.whole)], target)


def test_a_folder_that_is_a_file_is_one_line(address: str, tmp_path: Path) -> None:
    (tmp_path / "set").write_text("")
    with pytest.raises(XlqaError, match="can't be written"):
        fetch_file([offer(address, server.whole)], tmp_path / "set" / "file.json")


def test_retry_after_is_heard(address: str, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(download.time, "sleep", waits.append)

    def busy_once(handler: Handler, content: bytes) -> None:
        if handler.asked[handler.path] == 1:
            handler.send_response(429)
            handler.send_header("Retry-After", "7")
            handler.end_headers()
        else:
            handler.give(content)

    fetch_file([offer(address, busy_once)], target, sha256=SHA256)
    assert waits == [7.0]


def test_waits_double_and_are_bounded(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(download.time, "sleep", waits.append)

    def broken(*_: object) -> None:
        raise download._Broken("no luck")

    monkeypatch.setattr(download, "_continue", broken)
    monkeypatch.setattr(download, "RETRIES", 7)
    with pytest.raises(XlqaError, match=r"no luck \(tried 8 times\)"):
        fetch_file(["http://127.0.0.1/x"], target)
    assert waits == [1, 2, 4, 8, 16, 30, 30]
