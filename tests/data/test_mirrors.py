"""Mirrors: which addresses are tried for a file, and that a mirror's file is checked as any other."""

from __future__ import annotations

import hashlib
from pathlib import Path

import hostile_server as server
import pytest

from xlqa.data.download import fetch_file
from xlqa.data.mirrors import mirrored
from xlqa.errors import XlqaError

URL = "https://github.com/google-deepmind/xquad/raw/master/xquad.ru.json"
HUB_URL = "https://huggingface.co/datasets/someone/set/resolve/main/train.json"


def test_without_a_mirror_nothing_changes() -> None:
    assert mirrored([URL, HUB_URL]) == (URL, HUB_URL)


def test_a_base_address_has_all_files_by_host_and_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLQA_MIRROR", "https://mirror.example/data/")
    path = "github.com/google-deepmind/xquad/raw/master/xquad.ru.json"
    assert mirrored([URL]) == (f"https://mirror.example/data/{path}", URL)


def test_pairs_replace_the_beginning_of_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "XLQA_MIRROR", "https://github.com/=https://one.example/gh/  https://sc.link/=http://two.example/"
    )
    assert mirrored([URL]) == ("https://one.example/gh/google-deepmind/xquad/raw/master/xquad.ru.json", URL)
    assert mirrored(["https://elsewhere.example/a"]) == ("https://elsewhere.example/a",)


def test_what_is_on_the_hub_is_fetched_through_its_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example/")
    assert mirrored([HUB_URL, URL]) == ("https://hub.example/datasets/someone/set/resolve/main/train.json", URL)


@pytest.mark.parametrize(
    "value", ["mirror.example", "https://a.example https://b.example", "https://github.com/=mirror", "/data"]
)
def test_anything_else_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("XLQA_MIRROR", value)
    with pytest.raises(XlqaError, match=r"^XLQA_MIRROR: .* is not an address .* and not a pair PREFIX=ADDRESS"):
        mirrored([URL])


def test_a_mirror_is_asked_first_and_its_file_checked(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, other = b"right" * 100, b"wrong" * 100
    sha256 = hashlib.sha256(content).hexdigest()
    server.Handler.files |= {"/origin/set.json": (content, server.whole), "/mirror/set.json": (content, server.whole)}
    monkeypatch.setenv("XLQA_MIRROR", f"{address}/origin/={address}/mirror/")
    receipt = fetch_file([f"{address}/origin/set.json"], tmp_path / "one.json", sha256=sha256)
    assert receipt.url == f"{address}/mirror/set.json"
    assert server.Handler.asked["/origin/set.json"] == 0
    server.Handler.files["/mirror/set.json"] = (other, server.whole)
    receipt = fetch_file([f"{address}/origin/set.json"], tmp_path / "two.json", sha256=sha256)
    assert receipt.url == f"{address}/origin/set.json"
    assert (tmp_path / "two.json").read_bytes() == content
