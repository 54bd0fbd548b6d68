"""What all tests share: the shared data folder, unpacked once, and a clean environment."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Before torch loads: beside another program, threads that spin while they wait fall to a tenth of their speed.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real data sets, unpacked; skips where the folder is not there."""
    unpack = SHARED / "unpack"
    if not unpack.is_file():
        pytest.skip(f"the shared data folder is not beside this checkout ({SHARED})")
    # One unpacked copy serves all worker processes of a parallel test run.
    folder = tmp_path_factory.getbasetemp().parent / "shared-data"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([sys.executable, str(unpack), str(folder)], check=True)
    return folder


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the caches of the person who runs it."""
    for name in [n for n in os.environ if n.startswith(("XLQA_", "DP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XLQA_CACHE", str(tmp_path / "xlqa-cache"))
    monkeypatch.setenv("DP_SKIP_NLTK_DOWNLOAD", "1")


WORDS = [
    "the", "of", "in", "who", "where", "what", "when", "river", "town", "people", "mara", "lives", "founded",
    "la", "el", "de", "en", "quién", "dónde", "qué", "cuándo", "vive", "río",
]  # fmt: skip


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random BERT with a real WordPiece tokenizer over single characters and a few words, saved as a folder."""
    import string

    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast
    from transformers.utils import logging

    logging.set_verbosity_error()
    folder = tmp_path_factory.mktemp("encoder") / "tiny"
    folder.mkdir()
    letters = [*string.printable.strip(), *"áéíóúñü¿¡", *(chr(c) for c in range(0x430, 0x450)), "人", "口", "河"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{x}" for x in letters), *WORDS]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(pieces)) + "\n", encoding="utf-8")
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=True, strip_accents=False)
    tokenizer.save_pretrained(str(folder))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=512, initializer_range=0.2,
    )  # fmt: skip
    BertModel(config).save_pretrained(str(folder), safe_serialization=True)
    return folder
