"""The five systems that xlqa started from, as complete DeepPavlov configs.

    python -m xlqa.runs.store.presets configs          # writes them again
    python -m deeppavlov train configs/trans_en_mbert.json

Hyper-parameters are the lab's (learning rate 2e-5, batches of 8 or 10, windows of 384) where they make sense; `notes` in a
config's metadata states where a config differs from them, and why.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlqa.data.registry import find_part, part_scorer
from xlqa.errors import XlqaError
from xlqa.records import SCHEMA_VERSION
from xlqa.runs.specs import Hyper
from xlqa.runs.store.components import TASK_COMPONENTS
from xlqa.runs.store.config import data_suffix
from xlqa.runs.store.run_config import chainer_section, train_section
from xlqa.util.files import write_json

MBERT, RUBERT, CHINESE_BERT = "bert-base-multilingual-cased", "DeepPavlov/rubert-base-cased", "bert-base-chinese"

NOTES = (
    "Trained for 3 epochs (2 on English) with warmup and linear decay to the last step; the lab halved the rate on a plateau "
    "and stopped early on the split that it reported.",
    "train_size (the notebook's `port`) draws a seeded random subset; the lab took the first questions of the file.",
    "Scored against the raw answers, every question in the denominator; batches hold windows, and long paragraphs have several.",
)


TASK_NOTES = ("Hyper-parameters are the defaults of `xlqa sweep` for this task.",)


@dataclass(frozen=True, slots=True)
class Preset:
    """One system.

    Attributes:
        labels: of the head's outputs, in their order; () for question answering.
        max_length, stride: of the windows, in word pieces.
    """

    name: str
    encoder: str
    train: str
    tests: tuple[str, ...]
    batch_size: int
    epochs: float
    note: str
    task: str = "qa"
    labels: tuple[str, ...] = ()
    lr: float = 2e-5
    max_length: int = 384
    stride: int = 128

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the config should know."""
        return (self.note, *(NOTES if self.task == "qa" else TASK_NOTES))


PRESETS = (
    Preset(
        "trans_en_mbert", MBERT, "squad.train", ("sberquad.dev", "xquad.ru", "squad.dev"), 8, 2.0,
        "The English stage: scored on Russian it is zero-shot transfer. Another config starts from it by `source`.",
    ),
    Preset(
        "trans_ru_mbert", MBERT, "sberquad.train", ("sberquad.dev", "xquad.ru"), 8, 3.0,
        "Target-only as in the lab; set `source` to {ROOT}/models/trans_en_mbert for the step from English to Russian that "
        "the lab never coded.",
    ),
    Preset("squad_zh_bert_mult", MBERT, "drcd.train", ("drcd.test",), 10, 3.0, "The lab scored DRCD dev; here it is DRCD test."),
    Preset("squad_zh_bert_zh", CHINESE_BERT, "drcd.train", ("drcd.test",), 10, 3.0, "The lab scored DRCD dev; here it is DRCD test."),
    Preset("squad_ru_rubert", RUBERT, "sberquad.train", ("sberquad.dev", "xquad.ru"), 10, 3.0, "Monolingual Russian."),
    Preset(
        "ner_wikiann_mbert", MBERT, "wikiann.en.train", ("wikiann.ru.test", "wikiann.en.test"), 32, 3.0,
        "Named entities of English WikiAnn: scored on Russian it is zero-shot transfer. Parquet needs pyarrow: pip install 'xlqa[parquet]'.",
        "ner", ("B-LOC", "B-ORG", "B-PER", "I-LOC", "I-ORG", "I-PER", "O"), 3e-5, 128, 42,
    ),
    Preset(
        "nli_xnli_mbert", MBERT, "xnli.en.train", ("xnli.ru.test", "xnli.en.test"), 32, 2.0,
        "MultiNLI in English: scored on Russian XNLI it is zero-shot transfer. Parquet needs pyarrow: pip install 'xlqa[parquet]'.",
        "nli", ("contradiction", "entailment", "neutral"), 3e-5, 128, 42,
    ),
)  # fmt: skip


def render_preset(preset: Preset) -> dict[str, Any]:
    """A preset's config, by the same code that renders a sweep's runs."""
    components = TASK_COMPONENTS[preset.task]
    hyper = Hyper(lr=preset.lr, epochs=preset.epochs, batch_size=preset.batch_size, warmup=0.1, min_steps=200)
    targets = ["test" if i == 0 else f"test_{i + 1}" for i in range(len(preset.tests))]
    notes = [note.replace("{", "{{").replace("}", "}}") for note in preset.notes]
    facts: dict[str, Any] = {"schema": SCHEMA_VERSION} | ({"task": preset.task} if preset.task != "qa" else {})
    return {
        "metadata": {
            "variables": {"ROOT": "~/xlqa", "DEVICE": "auto"},
            "xlqa": facts | {"system": preset.name, "notes": notes},
        },
        "dataset_reader": {
            "class_name": components.reader,
            **components.task_entry(),
            "train": _registered(preset.train),
            "source": None,
            "tests": [
                _registered(test) | {"target": t, "size": None} for t, test in zip(targets, preset.tests, strict=True)
            ],
        },
        "dataset_iterator": {
            "class_name": components.iterator,
            "train_size": None,
            "subset_seed": 0,
            "subset_by": "question",
            "valid_size": 0,
        },
        "chainer": chainer_section(
            components,
            preset.encoder,
            None,
            max_length=preset.max_length,
            stride=preset.stride,
            max_answer_length=30,
            precision="fp32",
            save_path=f"{{ROOT}}/models/{preset.name}",
            source=None,
            source_sha256=None,
            head_seed=0,
            labels=preset.labels,
        ),
        "train": train_section(components, hyper, 0, 0, targets),
    }


def _registered(name: str) -> dict[str, Any]:
    part = find_part(name)
    return {
        "name": name, "path": f"{{ROOT}}/data/{name}{data_suffix(Path(part.file))}",
        "sha256": None if part.member else part.sha256, "language": part.language, "scorer": part_scorer(part),
    }  # fmt: skip


def write_presets(folder: Path) -> list[Path]:
    """Write the configs; returns their paths."""
    paths = []
    for preset in PRESETS:
        path = folder / f"{preset.name}.json"
        write_json(path, render_preset(preset))
        paths.append(path)
    return paths


def main(arguments: Sequence[str]) -> int:
    """Write the configs into the folder that is named."""
    if len(arguments) != 1:
        raise XlqaError("name one folder: python -m xlqa.runs.store.presets configs.")
    for path in write_presets(Path(arguments[0])):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
