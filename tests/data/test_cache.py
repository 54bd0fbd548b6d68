"""Registered parts get into the cache whole, are made of what was fetched, and are noticed when they change."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import logging
import multiprocessing
import os
import zipfile
from pathlib import Path
from typing import Any

import hostile_server as server
import pytest
from hostile_server import Handler

from xlqa.data import cache
from xlqa.data.cache import data_folder, is_cached, part_path
from xlqa.data.registry import Part, find_part
from xlqa.errors import XlqaError
from xlqa.tasks.qa.reading import read_dataset
from xlqa.tasks.sources import ensure_local


def squad(*ids: str) -> dict[str, Any]:
    return {
        "version": "1.1",
        "data": [
            {"title": identity, "paragraphs": [{"context": f"Anna met {identity}.", "qas": [
                {"id": identity, "question": "Who?", "answers": [{"text": "Anna", "answer_start": 0}]}]}]}
            for identity in ids
        ],
    }  # fmt: skip


def offer(address: str, path: str, content: bytes | dict[str, Any], behave: server.Behave = server.whole) -> str:
    Handler.files[path] = (json.dumps(content).encode() if isinstance(content, dict) else content, behave)
    return address + path


def part(name: str, url: str, **changes: Any) -> Part:
    """A registered part, served by the test's server."""
    return dataclasses.replace(find_part(name), urls=(url,), sha256=None, size=None, **changes)


def ids(path: Path) -> list[str]:
    return [question.id for question in read_dataset(path).questions]


def test_a_plain_part_is_fetched_once(address: str, tmp_path: Path) -> None:
    wanted = part("squad.dev", offer(address, "/dev.json", squad("a")), questions=1)
    path, sha256 = ensure_local(wanted, tmp_path)
    assert path == tmp_path / "squad" / "dev-v1.1.json" == part_path(wanted, tmp_path)
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert ensure_local(wanted, tmp_path, download=False) == (path, sha256)
    assert Handler.asked["/dev.json"] == 1
    assert is_cached(wanted, tmp_path)


def test_a_known_sha256_is_held_to(address: str, tmp_path: Path) -> None:
    url = offer(address, "/dev.json", squad("a"))
    wanted = dataclasses.replace(find_part("squad.dev"), urls=(url,))
    with pytest.raises(XlqaError) as caught:
        ensure_local(wanted, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"squad.dev: {url}: the file has a different SHA-256")
    assert "name a local file instead" in message
    assert "embedded sample" in message
    assert "xlqa data fetch squad.dev --data-dir DIR" in message
    assert not is_cached(wanted, tmp_path)


def test_a_file_put_there_by_hand_is_held_to_the_registry(tmp_path: Path) -> None:
    wanted = find_part("squad.dev")
    path = part_path(wanted, tmp_path)
    path.parent.mkdir()
    path.write_text(json.dumps(squad("a")))
    with pytest.raises(XlqaError, match="is not the file that was fetched"):
        ensure_local(wanted, tmp_path, download=False)


def test_a_changed_file_is_noticed(address: str, tmp_path: Path) -> None:
    wanted = part("drcd.dev", offer(address, "/drcd.json", squad("a")), questions=None)
    path, _ = ensure_local(wanted, tmp_path)
    path.write_text(json.dumps(squad("b")))
    with pytest.raises(XlqaError, match=r"remove it and run `xlqa data fetch drcd\.dev`"):
        ensure_local(wanted, tmp_path)


def test_a_web_page_in_place_of_data_is_not_kept(address: str, tmp_path: Path) -> None:
    wanted = part("drcd.dev", offer(address, "/drcd.json", b"<!DOCTYPE html><html>Sorry</html>"))
    with pytest.raises(XlqaError, match="is a web page, not data"):
        ensure_local(wanted, tmp_path)
    assert not is_cached(wanted, tmp_path)
    offer(address, "/drcd.json", json.dumps(squad("a")).encode()[:-9])
    with pytest.raises(XlqaError, match="is cut short"):
        ensure_local(wanted, tmp_path)
    offer(address, "/drcd.json", squad("a"))
    assert ids(ensure_local(wanted, tmp_path)[0]) == ["a"]


def test_joined_pieces_are_held_to_their_sha256(address: str, tmp_path: Path) -> None:
    urls = tuple(offer(address, f"/jaquad_dev_{i:04d}.json", squad(f"q{i}")) for i in range(4))
    wanted = dataclasses.replace(find_part("jaquad.dev"), urls=urls)
    with pytest.raises(XlqaError, match=r"the file has a different SHA-256 \(.*, c90bd54c6d3a… expected\)"):
        ensure_local(wanted, tmp_path)
    assert not is_cached(wanted, tmp_path)


def test_another_count_than_the_makers_is_said(address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ensure_local(part("drcd.dev", offer(address, "/drcd.json", squad("a")), questions=3524), tmp_path)
    assert "drcd.dev: has 1 question, its makers count 3,524." in caplog.text


def mlqa_zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for name in names:
            bundle.writestr(name, json.dumps(squad(name)))
    return buffer.getvalue()


def test_an_archive_serves_all_its_parts(address: str, tmp_path: Path) -> None:
    parts = [find_part("mlqa.zh.es"), find_part("mlqa.zh.es.dev")]
    url = offer(address, "/MLQA_V1.zip", mlqa_zip(*(wanted.member for wanted in parts)))
    for wanted in parts:
        path, _ = ensure_local(part(wanted.name, url), tmp_path)
        assert path == tmp_path / "mlqa" / "MLQA_V1" / wanted.member
        assert ids(path) == [wanted.member]
    assert Handler.asked["/MLQA_V1.zip"] == 1
    assert not (tmp_path / "mlqa" / "MLQA_V1.zip").exists()


def test_an_archive_without_the_part_says_so(address: str, tmp_path: Path) -> None:
    url = offer(address, "/MLQA_V1.zip", mlqa_zip("MLQA_V1/test/other.json"))
    with pytest.raises(XlqaError, match=r'has no "MLQA_V1/test/test-context-zh-question-es\.json"'):
        ensure_local(part("mlqa.zh.es", url), tmp_path)


def test_an_evil_archive_is_refused(address: str, tmp_path: Path) -> None:
    url = offer(address, "/MLQA_V1.zip", mlqa_zip("../../evil.json"))
    with pytest.raises(XlqaError, match="would be written outside its folder"):
        ensure_local(part("mlqa.zh.es", url), tmp_path / "cache")
    assert not list(tmp_path.rglob("evil.json"))


def test_a_language_is_picked_out_of_tydiqa(address: str, tmp_path: Path) -> None:
    url = offer(address, "/tydiqa-goldp-v1.1-dev.json", squad("swahili--1-0", "russian--2-0", "swahili--3-0"))
    path, _ = ensure_local(part("tydiqa.sw.dev", url), tmp_path)
    assert ids(path) == ["swahili--1-0", "swahili--3-0"]
    # The file of all languages stays, so that the next one needs no network.
    path, _ = ensure_local(part("tydiqa.ru.dev", url), tmp_path, download=False)
    assert ids(path) == ["russian--2-0"]
    assert Handler.asked["/tydiqa-goldp-v1.1-dev.json"] == 1
    with pytest.raises(XlqaError, match="has no question in fi"):
        ensure_local(part("tydiqa.fi.dev", url), tmp_path)


def test_pieces_are_joined_in_order(address: str, tmp_path: Path) -> None:
    urls = tuple(offer(address, f"/jaquad_dev_{i:04d}.json", squad(f"q{i}")) for i in range(4))
    wanted = dataclasses.replace(find_part("jaquad.dev"), urls=urls, questions=4, file_sha256=None)
    path, _ = ensure_local(wanted, tmp_path)
    assert ids(path) == ["q0", "q1", "q2", "q3"]
    assert not (tmp_path / "jaquad" / "dev.pieces").exists()


def test_pieces_that_are_here_are_not_fetched_again(address: str, tmp_path: Path) -> None:
    urls = [offer(address, f"/jaquad_dev_{i:04d}.json", squad(f"q{i}")) for i in range(2)]
    wanted = dataclasses.replace(
        find_part("jaquad.dev"), urls=(*urls, f"{address}/none.json"), questions=3, file_sha256=None
    )
    with pytest.raises(XlqaError, match="HTTP 404"):
        ensure_local(wanted, tmp_path)
    offer(address, "/none.json", squad("q2"))
    assert ids(ensure_local(wanted, tmp_path)[0]) == ["q0", "q1", "q2"]
    assert Handler.asked["/jaquad_dev_0000.json"] == 1


def test_what_is_not_here_and_may_not_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match=r"xquad\.ru: is not in .*: fetch it with `xlqa data fetch xquad\.ru`"):
        ensure_local(find_part("xquad.ru"), tmp_path, download=False)


def test_a_set_on_request_says_where_to_ask(tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match=r"fquad\.train: .*fill in the form at https://fquad\.illuin\.tech"):
        ensure_local(find_part("fquad.train"), tmp_path)


def test_progress_has_a_name(address: str, tmp_path: Path) -> None:
    names: list[str] = []

    def report(name: str) -> Any:
        names.append(name)
        return lambda done, total: None

    ensure_local(part("squad.dev", offer(address, "/dev.json", squad("a")), questions=1), tmp_path, progress=report)
    assert names == ["squad.dev"]


def test_a_folder_that_can_only_be_read_is_enough(address: str, tmp_path: Path) -> None:
    wanted = part("drcd.dev", offer(address, "/drcd.json", squad("a")), questions=1)
    path, sha256 = ensure_local(wanted, tmp_path)
    cache.receipt_path(path).unlink()
    path.parent.chmod(0o555)
    try:
        assert ensure_local(wanted, tmp_path, download=False) == (path, sha256)
    finally:
        path.parent.chmod(0o755)


def _obtain_in_process(wanted: Part, folder: Path, queue: multiprocessing.Queue[str]) -> None:
    queue.put(ensure_local(wanted, folder)[1])


def test_two_processes_fetch_once(address: str, tmp_path: Path) -> None:
    def slow(handler: Handler, content: bytes) -> None:
        server.time.sleep(0.3)
        handler.give(content)

    wanted = part("drcd.dev", offer(address, "/drcd.json", squad("a"), slow), questions=1)
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue()
    processes = [context.Process(target=_obtain_in_process, args=(wanted, tmp_path, queue)) for _ in range(2)]
    for process in processes:
        process.start()
    found = {queue.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0
    assert len(found) == 1
    assert Handler.asked["/drcd.json"] == 1


def test_the_folder_of_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given, data, home = tmp_path / "given", tmp_path / "data", tmp_path / "home"
    monkeypatch.setenv("XLQA_DATA", str(data))
    assert data_folder(given) == given
    assert data_folder() == data
    monkeypatch.delenv("XLQA_DATA")
    assert data_folder() == Path(os.environ["XLQA_CACHE"]) / "data"
    monkeypatch.delenv("XLQA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    monkeypatch.setattr("sys.platform", "linux")
    assert data_folder() == home / "xlqa" / "data"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(home))
    assert data_folder() == home / ".cache" / "xlqa" / "data"
    monkeypatch.setattr("sys.platform", "darwin")
    assert data_folder() == home / "Library" / "Caches" / "xlqa" / "data"
