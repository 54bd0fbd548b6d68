"""What a hub name becomes: a whole, checked folder, or one line; with a hub of our own on 127.0.0.1."""

from __future__ import annotations

import logging
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import fake_hub
from fake_hub import Fault, Hub, Repository, sha256

from xlqa.cli import main
from xlqa.data import hub_client
from xlqa.data.hub import FILES, cached_model, fetch_model, locate_model, locate_tokenizer
from xlqa.errors import XlqaError
from xlqa.training.model_folder import TOKENIZER_FILES, check_tokenizer, hash_tokenizer

pytest.importorskip("huggingface_hub")

NAME = "someone/encoder"
WEIGHTS = random.Random(1).randbytes(300_000)


def model(**files: bytes) -> dict[str, bytes]:
    """A small model's files; `__` is a point in a keyword."""
    usual = {"config.json": b'{"model_type": "bert"}', "vocab.txt": b"[PAD]\n[UNK]\n", "model.safetensors": WEIGHTS}
    return usual | {name.replace("__", "."): content for name, content in files.items()}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hub"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[Hub]:
    with fake_hub.serving() as found:
        found.repositories[NAME] = Repository(model())
        fake_hub.connect(monkeypatch, found, cache)
        yield found


def refusal(name: str = NAME, use: Callable[[str], Path] = fetch_model) -> str:
    """The one line with which a name is refused."""
    with pytest.raises(XlqaError) as caught:
        use(name)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{name}: ")
    assert message.endswith((".", "hub)."))
    return message.removeprefix(f"{name}: ")


def damage(path: Path) -> None:
    """Flip a byte of a cached file, where it is, as a failing disk does."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.resolve().write_bytes(content)


# --- what is fetched ----------------------------------------------------------------------------------------------


def test_what_an_encoder_needs_is_fetched_and_nothing_else(hub: Hub) -> None:
    files = model(
        pytorch_model__bin=b"old",
        tf_model__h5=b"other",
        modeling_x__py=b"code",
        tokenizer__json=b"{}",
        model__fp16__safetensors=b"half",
    )
    hub.repositories[NAME].files = files | {"onnx/model.safetensors": b"onnx"}
    folder = fetch_model(NAME)
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "vocab.txt",
        "tokenizer.json",
        "model.safetensors",
    }
    assert all((folder / path.name).read_bytes() == files[path.name] for path in folder.iterdir())


def test_a_tokenizer_is_fetched_without_its_models_weights(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    hub.repositories[NAME].files = model(tokenizer__json=b"{}", tf_model__h5=b"other")
    folder = locate_tokenizer(NAME)
    assert {path.name for path in folder.iterdir()} == {"config.json", "vocab.txt", "tokenizer.json"}
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert locate_tokenizer(NAME) == folder
    assert cached_model(NAME) is None
    damage(folder / "tokenizer.json")
    assert refusal(use=locate_tokenizer).startswith("tokenizer.json is damaged (git SHA-1 ")
    assert refusal("no/such", use=locate_tokenizer).startswith("is not in the cache")


def test_a_second_start_asks_nobody(hub: Hub) -> None:
    folder = fetch_model(NAME)
    hub.asked.clear()
    assert locate_model(NAME) == fetch_model(NAME) == cached_model(NAME) == folder
    assert not hub.asked


def test_a_models_old_name_leads_to_it(hub: Hub) -> None:
    hub.renamed["encoder"] = NAME
    assert (fetch_model("encoder") / "model.safetensors").read_bytes() == WEIGHTS


def test_old_weights_only_where_there_are_no_others(hub: Hub) -> None:
    files = model(pytorch_model__bin=b"old")
    del files["model.safetensors"]
    hub.repositories[NAME].files = files
    assert (fetch_model(NAME) / "pytorch_model.bin").read_bytes() == b"old"


def test_weights_in_parts_count_only_when_all_are_there(hub: Hub) -> None:
    parts = {f"model-0000{part}-of-00002.safetensors": b"part %d" % part for part in (1, 2)}
    files = model() | parts | {"model.safetensors.index.json": b"{}"}
    del files["model.safetensors"]
    hub.repositories[NAME].files = files
    folder = fetch_model(NAME)
    assert cached_model(NAME) == folder
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert cached_model(NAME) is None
    assert fetch_model(NAME) == folder
    assert (folder / "model-00002-of-00002.safetensors").read_bytes() == b"part 2"


@pytest.mark.parametrize("name", ["spm.model", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model"])
def test_a_sentencepiece_model_alone_is_a_tokenizer(hub: Hub, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = model() | {name: b"pieces"}
    del files["vocab.txt"]
    hub.repositories[NAME].files = files
    folder = fetch_model(NAME)
    assert cached_model(NAME) == folder
    assert hash_tokenizer(folder) == (f"{name}:{sha256(b'pieces')}",)
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(
        XlqaError, match=rf"only as a SentencePiece model \({name}\): pip install sentencepiece protobuf"
    ):
        check_tokenizer(folder)
    (folder / "tokenizer.json").write_text("{}")
    check_tokenizer(folder)


def test_every_file_of_a_tokenizers_hash_is_fetched() -> None:
    assert set(TOKENIZER_FILES) <= set(FILES)


# --- bytes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt"])
def test_a_file_that_arrives_damaged_is_fetched_again(hub: Hub, name: str, caplog: pytest.LogCaptureFixture) -> None:
    whole = hub.repositories[NAME].files[name]
    hub.faults[name] = Fault(content=bytes([whole[0] ^ 1]) + whole[1:])
    assert (fetch_model(NAME) / name).read_bytes() == whole
    assert f"{NAME}: {name} is damaged" in caplog.text


def test_a_hub_that_gives_zeros_is_refused_and_nothing_of_it_kept(hub: Hub) -> None:
    hub.faults["model.safetensors"] = Fault(times=99, content=bytes(len(WEIGHTS)))
    message = refusal()
    assert message.startswith("model.safetensors is damaged (SHA-256 ")
    assert f"expected {sha256(WEIGHTS)[:12]}…) 3 times" in message
    assert cached_model(NAME) is None
    hub.faults.clear()
    assert (fetch_model(NAME) / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_damaged_cache_is_named_and_restored_on_request(
    hub: Hub, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = fetch_model(NAME)
    damage(folder / name)
    message = refusal(use=locate_model)
    assert message.startswith(f"{name} is damaged (")
    assert f"run `xlqa data fetch --model {NAME}`, which removes and fetches it again" in message
    assert fetch_model(NAME) == folder
    assert "it is removed and fetched again" in caplog.text
    assert (folder / name).read_bytes() == hub.repositories[NAME].files[name]
    assert locate_model(NAME) == folder


def test_nothing_is_removed_while_the_hub_does_not_answer(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fetch_model(NAME)
    damage(folder / "model.safetensors")
    hub.faults["list"] = Fault(times=99, status=503)
    assert "the hub answers HTTP 503" in refusal()
    assert (folder / "model.safetensors").is_file()


def test_a_copy_without_links_is_used_and_said_to_be_unchecked(
    hub: Hub, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = fetch_model(NAME)
    copy = cache.with_name("copy")
    shutil.copytree(folder, copy, symlinks=False)
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    assert locate_model(NAME) == folder
    assert "has no checksum of config.json, vocab.txt, model.safetensors: not checked" in caplog.text


# --- connections --------------------------------------------------------------------------------------------------


def test_a_cut_connection_is_taken_up_again(hub: Hub) -> None:
    hub.faults["model.safetensors"] = Fault(times=2, cut=100_000)
    assert (fetch_model(NAME) / "model.safetensors").read_bytes() == WEIGHTS
    assert hub.ranges[-1] > "bytes="


def test_a_download_that_moves_on_may_break_as_often_as_it_likes(hub: Hub) -> None:
    hub.faults["model.safetensors"] = Fault(times=7, cut=30_000)
    assert (fetch_model(NAME) / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("what", ["list", "HEAD config.json", "model.safetensors"])
def test_a_busy_hub_is_asked_again_when_it_says(
    hub: Hub, status: int, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(hub_client.time, "sleep", waits.append)
    hub.faults[what] = Fault(times=2, status=status, headers={"Retry-After": "7"})
    fetch_model(NAME)
    # In a download some versions of the client retry by themselves: after 1 and 2 seconds, or a second later than asked.
    assert waits == [7.0, 7.0] or (what != "list" and waits in ([1, 2], [8.0], [8.0, 8.0]))


def test_a_hub_that_stays_busy_is_one_line(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    hub.faults["list"] = Fault(times=99, status=503, headers={"Retry-After": "0"})
    assert refusal() == "the hub answers HTTP 503 (6 tries): try again later."
    assert "trying again in 0 s" in caplog.text
    hub.faults["list"] = Fault(times=99, status=429, headers={"RateLimit": '"api";r=0;t=3600'})
    assert refusal() == (
        "the hub answers HTTP 429 and asks to wait 3,600 s: try again later, or set HF_TOKEN: users have higher limits."
    )


def test_without_network_the_fixes_are_named(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    message = refusal()
    assert message.startswith(
        "the hub (http://127.0.0.1:1) does not answer (Connection refused) (2 tries). To fix this: "
    )
    assert f"`xlqa data fetch --model {NAME}` where there is network" in message
    assert "use --model multilingual-e5-small (no hub); " in message
    assert "did you mean" not in message
    with pytest.raises(XlqaError, match=r"\(did you mean multilingual-e5-small\?\)\. To fix this: "):
        locate_model("multilingual-e5")


def test_offline_nothing_is_asked(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert refusal().startswith("is not in the cache, and HF_HUB_OFFLINE forbids downloading. To fix this: ")
    assert not hub.asked


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_bad_certificate_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    subprocess.run(
        ["openssl", *words.split(), "-keyout", str(certificate), "-out", str(tmp_path / "public.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    certificate.write_text(certificate.read_text() + (tmp_path / "public.pem").read_text())
    with fake_hub.serving(certificate) as hub:
        fake_hub.connect(monkeypatch, hub, tmp_path / "hub")
        message = refusal()
    assert message.startswith(f"the certificate of {hub.address.removeprefix('https://')} is not valid (self")
    assert "set REQUESTS_CA_BUNDLE and SSL_CERT_FILE" in message


# --- names and rights ---------------------------------------------------------------------------------------------


def test_a_mistyped_name_is_answered_with_the_nearest_known_ones(hub: Hub) -> None:
    assert refusal("bert-base-multilingual-casd") == (
        "the hub has no public model of this name (HTTP 401) (did you mean bert-base-multilingual-cased or "
        "bert-base-multilingual-uncased?): correct the name, or set HF_TOKEN to a token that may read the model."
    )
    fetch_model(NAME)
    assert f"did you mean {NAME}?" in refusal("someone/encodr")
    assert refusal("no good name").startswith("is neither a folder nor a name of the hub (NAME or OWNER/NAME)")


def test_a_private_model_needs_a_token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.repositories["someone/secret"] = Repository(model(), private=True)
    assert "set HF_TOKEN to a token that may read the model" in refusal("someone/secret")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert refusal("someone/secret") == "the hub does not accept your token: set HF_TOKEN to a valid one, or remove it."
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert (fetch_model("someone/secret") / "model.safetensors").read_bytes() == WEIGHTS
    assert not hub.leaked
    assert "the hub has no model of this name that your token may read (HTTP 404)" in refusal("someone/secrets")


def test_a_gated_model_says_where_its_terms_are(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.repositories[NAME].gated = True
    terms = f"accept its terms at {hub.address}/{NAME}, then set HF_TOKEN to a token of that account."
    assert refusal() == f"is a gated model: {terms}"
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert refusal() == f"is a gated model, to which your token has no access yet: {terms}"
    hub.terms_accepted = True
    assert cached_model(NAME) is None
    assert (fetch_model(NAME) / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (
            "model.safetensors",
            "has no weights that xlqa can read (model.safetensors or pytorch_model.bin; it has tf_model.h5)",
        ),
        ("config.json", "has no config.json"),
        ("vocab.txt", "has no tokenizer (tokenizer.json, vocab.txt or a SentencePiece model)"),
    ],
)
def test_an_incomplete_model_is_refused_before_anything_is_fetched(hub: Hub, missing: str, message: str) -> None:
    files = model(tf_model__h5=b"other")
    del files[missing]
    hub.repositories[NAME].files = files
    assert refusal() == f"{message}: choose another model."
    assert set(hub.asked) == {"list"}


# --- the disk -----------------------------------------------------------------------------------------------------


def test_a_full_disk_is_one_line(hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "none", str(cache)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        assert refusal() == f"the disk of {cache} is full: free space, or set HF_HOME to a folder on another disk."
    finally:
        subprocess.run(["umount", "-l", str(cache)], check=True)


def test_a_cache_that_cannot_be_written_is_one_line(hub: Hub, cache: Path) -> None:
    cache.write_text("a file")
    message = refusal()
    assert message.startswith(f"{cache} cannot be written (")
    assert message.endswith("set HF_HOME to another folder.")


# --- as a user sees it --------------------------------------------------------------------------------------------


def test_fetch_prints_the_weights_sha256(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "fetch", "--model", NAME]) == 0
    heads, row = capsys.readouterr().out.splitlines()
    assert heads.split() == ["NAME", "SHA-256", "PATH"]
    assert row.split() == [NAME, sha256(WEIGHTS)[:12], str(cached_model(NAME))]


def test_a_refused_model_is_exit_status_2(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    del hub.repositories[NAME].files["model.safetensors"]
    assert main(["data", "fetch", "--model", NAME]) == 2
    assert f"xlqa: {NAME}: has no weights that xlqa can read" in capsys.readouterr().err


def run_xlqa(hub: Hub, cache: Path, *words: str, offline: bool = False) -> subprocess.CompletedProcess[str]:
    """`xlqa …` in a process of its own, with the fake as the hub."""
    environment = os.environ | {
        "HF_ENDPOINT": hub.address, "HF_HOME": str(cache), "HF_HUB_OFFLINE": str(int(offline)),
        "NO_PROXY": "127.0.0.1,localhost",
    }  # fmt: skip
    program = [sys.executable, "-c", "import sys; from xlqa.cli import main; sys.exit(main())"]
    done = subprocess.run([*program, *words], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_a_fresh_process_reads_hf_endpoint(hub: Hub, cache: Path) -> None:
    hub.faults["list"] = Fault(status=503, headers={"Retry-After": "0"})
    hub.faults["model.safetensors"] = Fault(cut=1_000)
    done = run_xlqa(hub, cache, "data", "fetch", "--model", NAME)
    assert sha256(WEIGHTS)[:12] in done.stdout
    assert f"{NAME}: the hub answers HTTP 503: trying again in 0 s." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_sweep_refuses_damaged_weights(hub: Hub, encoder: Path, tmp_path: Path) -> None:
    """The encoder of a sweep is the same by its hub name as by its folder, and refused once its bytes are others."""
    from xlqa.runs.plan.encoders import resolve_encoder

    hub.repositories[NAME].files = {path.name: path.read_bytes() for path in encoder.iterdir()}
    assert resolve_encoder(NAME).sha256 == resolve_encoder(str(encoder)).sha256
    damage(fetch_model(NAME) / "model.safetensors")
    with pytest.raises(XlqaError, match=rf"^--model {NAME}: model\.safetensors is damaged"):
        resolve_encoder(NAME)


# --- folders ------------------------------------------------------------------------------------------------------


def test_a_configs_model_is_a_folder_or_a_hub_name(hub: Hub, tmp_path: Path) -> None:
    assert locate_model(str(tmp_path)) == tmp_path
    assert (locate_model(NAME) / "config.json").is_file()
    for name in (str(tmp_path / "none"), "./none", "one/two/three"):
        with pytest.raises(XlqaError, match="there is no such model folder"):
            locate_model(name)


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match=r"has no config\.json"):
        fetch_model(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    assert fetch_model(str(tmp_path)) == tmp_path


@pytest.fixture(autouse=True)
def _warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="xlqa")


@pytest.mark.slow
def test_a_sweep_by_a_models_name(hub: Hub, encoder: Path, cache: Path, tmp_path: Path) -> None:
    """A sweep fetches its encoder over a bad connection, and a second one needs no hub."""
    hub.repositories[NAME].files = {path.name: path.read_bytes() for path in encoder.iterdir()}
    hub.faults["list"] = Fault(times=2, status=429, headers={"Retry-After": "0"})
    hub.faults["model.safetensors"] = Fault(times=1, cut=1_000)
    words = (
        "sweep --lang ru --source-train sample.en.train --target-train sample.ru.train --target-test sample.ru.test "
        "--sizes 8 --seeds 1 --arms target-only --epochs 1 --min-steps 1 --max-length 96 --stride 32 --device cpu "
        f"--model {NAME} --out"
    ).split()
    run_xlqa(hub, cache, *words, str(tmp_path / "first"))
    hub.asked.clear()
    run_xlqa(hub, cache, *words, str(tmp_path / "second"), offline=True)
    assert not hub.asked
    first, second = ([path.name for path in (tmp_path / out / "runs").iterdir()] for out in ("first", "second"))
    assert first == second != []
    assert (tmp_path / "second" / "results.csv").is_file()
