"""What the faults happen to: a tiny random encoder, a sweep of seconds, and the folder that it gives undisturbed."""

from __future__ import annotations

import csv
import os
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xlqa.records import VOLATILE_COLUMNS

SETTINGS: dict[str, Any] = {
    "lang": "es", "sizes": "8,16", "seeds": 1, "source_seeds": 1, "source_train": "sample.en.train", "target_train": "sample.es.train",
    "target_test": "sample.es.test", "source_size": 512, "test_size": 16, "valid_size": 8, "min_steps": 16, "epochs": 1.0,
    "source_epochs": 0.25, "batch_size": 8, "lr": 1e-3, "max_length": 96, "precision": "fp32", "device": "cpu",
}  # fmt: skip
"""One source stage, five runs, nine evaluations; about eight seconds, most of them imports."""

MARK = "XLQA_FAULT_CASE"
"""Set in the environment of every process of a case, so that none of them can outlive it unseen."""

WORDS = [
    "the", "of", "in", "who", "where", "what", "when", "river", "town", "people", "mara", "lives", "founded",
    "la", "el", "de", "en", "quién", "dónde", "qué", "cuándo", "vive", "río",
]  # fmt: skip


def make_encoder(folder: Path) -> Path:
    """A tiny random BERT with a WordPiece tokenizer over characters and a few words."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast
    from transformers.utils import logging

    logging.set_verbosity_error()
    folder.mkdir(parents=True)
    letters = [*string.printable.strip(), *"áéíóúñü¿¡", *(chr(c) for c in range(0x430, 0x450)), *"人口河"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), *WORDS]
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


def sweep_words(encoder: Path, out: Path, settings: dict[str, Any]) -> list[str]:
    """The words of `xlqa sweep …`."""
    words = ["sweep", "--out", str(out), "--model", str(encoder)]
    for name, value in settings.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def environment(case: str, cache: Path) -> dict[str, str]:
    """A case's environment: its own cache, its mark, one thread a process (two cases share the machine)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XLQA_", "DP_"))}
    return kept | {
        MARK: case, "XLQA_CACHE": str(cache), "DP_SKIP_NLTK_DOWNLOAD": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "passive", "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip


def read_table(path: Path, volatile: Sequence[str] = VOLATILE_COLUMNS) -> list[dict[str, str]]:
    """A results.csv without what may differ between two sweeps of one request."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{k: v for k, v in row.items() if k not in volatile} for row in csv.DictReader(file)]


@dataclass(frozen=True)
class Reference:
    """The undisturbed sweep.

    Attributes:
        encoder: its model folder; settings: its flags.
        out: its folder; cache: the XLQA_CACHE that it filled.
        seconds: from its start to its end.
    """

    encoder: Path
    settings: dict[str, Any]
    out: Path
    cache: Path
    seconds: float = 10.0
    table: list[dict[str, str]] = field(default_factory=list)
