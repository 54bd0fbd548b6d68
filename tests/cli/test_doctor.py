"""`xlqa doctor`: what it finds on a sound machine and on a broken one, with a hub of our own on 127.0.0.1."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

import fake_hub

from xlqa import doctor as checkup
from xlqa.cli import main
from xlqa.cli.doctor import examine
from xlqa.data.registry import find_part
from xlqa.doctor import Need, Reply

NAME = "someone/encoder"
FILES = {
    "config.json": 600, "tokenizer.json": 2_000, "model.safetensors": 700_000, "pytorch_model.bin": 700_500,
    "onnx/model.safetensors": 900_000, "flax_model.msgpack": 650_000,
}  # fmt: skip


class Addresses(BaseHTTPRequestHandler):
    """Addresses that misbehave."""

    def do_HEAD(self) -> None:
        status = {"/missing": 404, "/no-head": 405, "/silent": 200}.get(self.path, 200)
        if self.path == "/silent":
            time.sleep(2)
        self.send_response(status)
        self.send_header("Content-Length", "1234")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def addresses() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Addresses)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[fake_hub.Hub]:
    """A hub that has one model."""
    with fake_hub.serving() as found:
        content = {"config.json": b'{"model_type": "bert"}', "tokenizer.json": b"{}"}
        files = {name: content.get(name, b"").ljust(size) for name, size in FILES.items()}
        found.repositories[NAME] = fake_hub.Repository(files)
        fake_hub.connect(monkeypatch, found, tmp_path / "hub")
        yield found


@pytest.fixture
def hub(fake: fake_hub.Hub) -> str:
    return fake.address


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, hub: str) -> dict[str, Reply]:
    """Addresses of data sets answer what a test puts here; others are not found, as in a place without network."""
    replies: dict[str, Reply] = {hub: Reply(None, "")}
    absent = Reply(None, "Name or service not known")
    monkeypatch.setattr(checkup, "ask_addresses", lambda urls: {url: replies.get(url, absent) for url in urls})
    return replies


def reach(replies: dict[str, Reply], *parts: str) -> None:
    replies |= {find_part(part).urls[0]: Reply(5_000, "") for part in parts}


RU = ("squad.train", "sberquad.train", "sberquad.dev", "xquad.ru")


def test_a_sound_machine_passes(hub: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for word in (
        "xlqa 0.",
        "deeppavlov 1.7.0",
        "torch ",
        "cores",
        "computes   on ",
        f"{hub} answers",
        "No problem found.",
    ):
        assert word in out
    assert main(["doctor", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["problems"] == []
    assert record["machine"]["precision"] in ("fp32", "bf16")
    assert "needs" not in record


def test_addresses_are_asked_all_at_once(addresses: str) -> None:
    paths = ("/fine", "/missing", "/no-head", "/silent")
    began = time.monotonic()
    replies = checkup.ask_addresses(
        [addresses + path for path in paths] + ["http://127.0.0.1:1/closed", "nonsense"], timeout=1
    )
    assert time.monotonic() - began < 4
    found = {url.removeprefix(addresses): reply for url, reply in replies.items()}
    assert found["/fine"] == Reply(1234, "")
    assert found["/missing"].trouble == "HTTP 404 Not Found"
    assert found["/no-head"].trouble == ""
    assert "timed out" in found["/silent"].trouble or "no answer" in found["/silent"].trouble
    assert "refused" in found["http://127.0.0.1:1/closed"].trouble
    assert found["nonsense"].trouble


def test_what_a_sweep_would_download(network: dict[str, Reply], capsys: pytest.CaptureFixture[str]) -> None:
    reach(network, *RU)
    assert main(["doctor", "--lang", "ru", "--model", "someone/encoder", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [(need["kind"], need["name"], need["here"]) for need in record["needs"]] == [
        ("source", "squad.train", False), ("train", "sberquad.train", False), ("test", "sberquad.dev", False),
        ("test", "xquad.ru", False), ("encoder", "someone/encoder", False),
    ]  # fmt: skip
    # The registry's size where it has one, the server's where it has none; of the encoder what is fetched, and no more.
    known = [find_part(name).size or 5_000 for name in RU]
    assert record["download_bytes"] == sum(known) + 600 + 2_000 + 700_000
    assert main(["doctor", "--lang", "ru", "--model", "someone/encoder"]) == 0
    out = capsys.readouterr().out
    assert "This sweep can start." in out
    assert f"to download, {703} kB" in out


def test_sizes_that_nobody_knows_are_unknown_and_not_nothing(network: dict[str, Reply]) -> None:
    reach(network, "squad.train", "jaquad.train", "jaquad.dev")
    found = examine({"lang": "ja", "model": "someone/encoder"})
    pieces = next(need for need in found.needs or [] if need.name == "jaquad.train")
    # One of its 30 files has told its size; that is not the size of all.
    assert (pieces.files, pieces.bytes) == (30, None)
    assert found.record()["unknown_size"] == ["jaquad.train", "jaquad.dev"]
    assert "jaquad.train, jaquad.dev of unknown size" in "\n".join(found.lines())


def test_one_archive_is_counted_once(network: dict[str, Reply]) -> None:
    reach(network, "squad.train", "iapp_wiki_qa.train", "xquad.th")
    found = examine({"lang": "th", "model": "someone/encoder"})
    sizes = {need.name: need.bytes for need in found.needs or []}
    assert sizes["iapp_wiki_qa.train"] == find_part("iapp_wiki_qa.train").size
    assert sizes["iapp_wiki_qa.test"] == 0
    assert ["test", "iapp_wiki_qa.test", "to", "download,", "with", "another"] in [
        line.split() for line in found.lines()
    ]


def test_what_is_here_is_not_downloaded(
    network: dict[str, Reply], encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.json"
    mine.write_text('{"data": []}')
    words = ["--source-train", "sample.en.train", "--target-train", str(mine), "--target-test", "sample.es.test"]
    assert main(["doctor", "--lang", "es", "--model", str(encoder), *words]) == 0
    assert "nothing to download" in capsys.readouterr().out


def test_without_network_the_ways_out_are_named(
    network: dict[str, Reply], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert main(["doctor", "--lang", "ru"]) == 1
    out = capsys.readouterr().out
    assert "bert-base-multilingual-cased: http://127.0.0.1" in out
    assert "HF_HUB_OFFLINE is set" in out
    assert "sberquad.train: https://sc.link/PNWl: Name or service not known." in out
    for way in (
        "--target-train",
        "xlqa data fetch squad.train sberquad.train",
        "--model FOLDER",
        "xlqa sweep --demo",
        "--model multilingual-e5-small (no hub)",
    ):
        assert way in out
    # Without a sweep in mind a hub that is silent breaks nothing.
    assert main(["doctor"]) == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lang": "ru", "model": "someone/encodr"}, "the hub has no public model of this name (HTTP 401)"),
        ({"lang": "fr", "model": "someone/encoder"}, "its makers give it out on request"),
        ({"lang": "qq", "model": "someone/encoder"}, '"qq" is not a language with registered sets'),
        ({"lang": "ru", "target_train": "sberquad.trian", "model": "minilm"}, "did you mean sberquad.train"),
        ({"lang": "ru", "model": "./nowhere"}, "there is no such model folder"),
        ({"lang": "ru", "device": "cuda:99", "model": "someone/encoder"}, "--device cuda:99"),
    ],
)
def test_what_a_sweep_would_stumble_over(network: dict[str, Reply], settings: dict[str, Any], message: str) -> None:
    reach(network, *RU)
    found = examine(settings)
    assert any(message in line for line in found.problems), found.problems


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda hub: hub.repositories[NAME].files.pop("model.safetensors"), ""),
        (lambda hub: hub.repositories[NAME].files.clear(), "has no weights that xlqa can read"),
        (lambda hub: setattr(hub.repositories[NAME], "gated", True), "is a gated model: accept its terms at"),
        (lambda hub: hub.faults.update(list=fake_hub.Fault(times=9, status=503)), "the hub answers HTTP 503"),
    ],
)
def test_what_a_hub_says_of_an_encoder(fake: fake_hub.Hub, change: Callable[[fake_hub.Hub], Any], message: str) -> None:
    change(fake)
    need = checkup.encoder_need(NAME, Reply(None, ""))
    assert (
        message in need.trouble if message else need == Need("encoder", NAME, False, 703_100, f"{fake.address}/{NAME}")
    )


def test_a_cached_encoder_is_checked(fake: fake_hub.Hub) -> None:
    from xlqa.data.hub import fetch_model

    folder = fetch_model(NAME)
    assert checkup.encoder_need(NAME, Reply(None, "no network")).here
    (folder / "model.safetensors").resolve().write_bytes(b"x" * 700_000)
    assert "model.safetensors is damaged (SHA-256 " in checkup.encoder_need(NAME, Reply(None, "no network")).trouble


def test_one_address_of_several_is_enough(network: dict[str, Reply], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLQA_MIRROR", "https://mirror.example/data")
    reach(network, *RU)
    found = {need.name: need for need in examine({"lang": "ru", "model": NAME}).needs or []}
    assert (
        found["squad.train"].url
        == "https://mirror.example/data/rajpurkar.github.io/SQuAD-explorer/dataset/train-v1.1.json"
    )
    assert not found["squad.train"].trouble


def test_a_broken_installation_is_named(monkeypatch: pytest.MonkeyPatch, hub: str) -> None:
    import importlib.metadata

    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.6.0" if name == "deeppavlov" else real(name))
    assert checkup.find_unmet() == ["deeppavlov is 1.6.0, xlqa needs ==1.7.0: pip install 'deeppavlov==1.7.0'."]
    (line,) = checkup.find_unloadable(["json", "there_is_no_such_module"])
    assert line.startswith("there_is_no_such_module cannot be imported (ModuleNotFoundError")
    found = examine({})
    assert found.machine is None
    assert "unknown: see the problems below" in "\n".join(found.lines())


def test_variables_that_change_runs_and_full_disks_are_named(
    network: dict[str, Reply], monkeypatch: pytest.MonkeyPatch
) -> None:
    reach(network, *RU)
    monkeypatch.setenv("DP_LR", "1")
    monkeypatch.setattr(checkup, "free_bytes", lambda path: 1_000)
    problems = examine({"lang": "ru", "model": "someone/encoder"}).problems
    assert any("DP_LR is set" in line for line in problems)
    assert any("free space" in line for line in problems)


def test_an_experiment_file_is_read_and_flags_win(network: dict[str, Reply], tmp_path: Path) -> None:
    reach(network, *RU)
    (tmp_path / "experiment.toml").write_text('lang = "ru"\nmodel = "someone/else"\n')
    assert main(["doctor", "--config", str(tmp_path / "experiment.toml")]) == 1
    assert main(["doctor", "--config", str(tmp_path / "experiment.toml"), "--model", "someone/encoder"]) == 0
    assert main(["doctor", "--model", "someone/encoder"]) == 2  # a sweep of no language


def test_folders_are_measured_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x" * 1000)
    (tmp_path / "a" / "link").symlink_to(tmp_path / "a" / "file")
    found = checkup.look_at_folder(tmp_path / "a")
    assert 1000 <= found.bytes < 1500
    assert found.writable
    assert checkup.look_at_folder(tmp_path / "nothing" / "here").bytes == 0


def test_needs_are_summed() -> None:
    needs = [Need("train", "a", False, 5), Need("test", "b", False, None), Need("test", "c", True, 0)]
    assert checkup.sum_downloads(needs) == (5, ["b"])
