"""transformers' Trainer with the usual question-answering steps around it (those of its run_qa example, written again).

At its defaults every window is padded to the full length and computed in float32. At its best padding is dynamic, batches
hold windows of like length, and bfloat16 (float16 where a GPU lacks it) and the fused optimizer are on.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    default_data_collator,
)
from transformers.trainer_pt_utils import get_length_grouped_indices

from benchmark.fixtures import Material
from benchmark.measure import wait
from xlqa.training.devices import resolve_precision

BEST_ANSWERS = 20
MAX_ANSWER_LENGTH = 30
CHUNK = 1000
"""Examples tokenised at a time, as `datasets.map` does by default."""

Row = dict[str, Any]


class Rows(torch.utils.data.Dataset[Row]):
    """A list of examples as a data set."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Row:
        return self.rows[index]


class LoopClock(TrainerCallback):  # type: ignore[misc]  # transformers is read without types here
    """Times the training loop alone, without what the Trainer sets up before."""

    def __init__(self, device: str) -> None:
        self.device = device

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Start."""
        self.began = time.perf_counter()

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Stop, once the last update is done on the device too."""
        wait(self.device)
        self.seconds = time.perf_counter() - self.began


class GroupingTrainer(Trainer):  # type: ignore[misc]  # transformers is read without types here
    """Batches of like length over the whole set: the Trainer's own grouping sorts stretches of 50 batches at most, and
    not at all a set of fewer than eight."""

    def get_train_dataloader(self) -> Any:
        """Batches sorted by length, longest first, ties in random order."""
        size = self.args.per_device_train_batch_size
        order = get_length_grouped_indices(
            [len(row["input_ids"]) for row in self.train_dataset.rows], size, len(self.train_dataset) // size
        )
        loader = torch.utils.data.DataLoader(
            self.train_dataset, batch_size=size, sampler=order, collate_fn=self.data_collator, drop_last=True,
            pin_memory=self.args.dataloader_pin_memory,
        )  # fmt: skip
        return self.accelerator.prepare(loader)


class HuggingFace:
    """The Trainer at its defaults."""

    best, compiled = False, False

    def __init__(self, material: Material, scratch: Path) -> None:
        self.material = material
        self.tokenizer = AutoTokenizer.from_pretrained(str(material.encoder), use_fast=True, local_files_only=True)
        model = AutoModelForQuestionAnswering.from_pretrained(str(material.encoder), local_files_only=True)
        if self.compiled:
            # The encoder, not the whole model: the counter of pieces hooks into the latter.
            model.base_model.compile()
        self.clock = LoopClock(material.device)
        self.trainer = (GroupingTrainer if self.best else Trainer)(
            model=model, args=_arguments(material, scratch, self.best), processing_class=self.tokenizer,
            data_collator=DataCollatorWithPadding(self.tokenizer, pad_to_multiple_of=8) if self.best else default_data_collator,
            callbacks=[self.clock],
        )  # fmt: skip

    @property
    def network(self) -> torch.nn.Module:
        """What computes."""
        network: torch.nn.Module = self.trainer.model
        return network

    def prepare_training(self) -> None:
        """Read, tokenise and label the training questions."""
        rows = []
        for examples, encoded in self._encode(_read(self.material.train_file)):
            for index in range(len(encoded["input_ids"])):
                example = examples[encoded["overflow_to_sample_mapping"][index]]
                rows.append(self._row(encoded, index) | self._label(encoded, index, example))
        self.trainer.train_dataset = Rows(rows)

    def _encode(self, examples: list[Row]) -> Any:
        """(examples, their encoded windows), a thousand at a time."""
        for at in range(0, len(examples), CHUNK):
            chunk = examples[at : at + CHUNK]
            yield chunk, self.tokenizer(
                [e["question"].lstrip() for e in chunk], [e["context"] for e in chunk], truncation="only_second",
                max_length=self.material.max_length, stride=self.material.max_length // 3, return_overflowing_tokens=True,
                return_offsets_mapping=True, padding=False if self.best else "max_length",
            )  # fmt: skip

    def _row(self, encoded: Any, index: int) -> Row:
        return {name: encoded[name][index] for name in self.tokenizer.model_input_names if name in encoded}

    def _label(self, encoded: Any, index: int, example: Row) -> Row:
        """Where the first answer stands in a window; [CLS] where it is not whole in it."""
        cls = encoded["input_ids"][index].index(self.tokenizer.cls_token_id)
        owners, offsets = encoded.sequence_ids(index), encoded["offset_mapping"][index]
        answer = example["answers"][0]
        begin, stop = answer["answer_start"], answer["answer_start"] + len(answer["text"])
        first = owners.index(1)
        last = len(owners) - 1 - owners[::-1].index(1)
        if not (offsets[first][0] <= begin and offsets[last][1] >= stop):
            return {"start_positions": cls, "end_positions": cls}
        while first <= last and offsets[first][0] <= begin:
            first += 1
        while offsets[last][1] >= stop:
            last -= 1
        return {"start_positions": first - 1, "end_positions": last + 1}

    def train(self, steps: int, seed: int) -> float:
        """Updates on the training questions; returns the loop's seconds."""
        self.trainer.args.max_steps, self.trainer.args.seed = steps, seed
        self.trainer.optimizer = self.trainer.lr_scheduler = None
        self.trainer.train()
        return self.clock.seconds

    def evaluate(self, predictions: Path) -> None:
        """From the file with questions to the file with answers."""
        examples = _read(self.material.test_file)
        rows, windows = [], []
        for chunk, encoded in self._encode(examples):
            for index in range(len(encoded["input_ids"])):
                owners = encoded.sequence_ids(index)
                offsets = [
                    o if owner == 1 else None for o, owner in zip(encoded["offset_mapping"][index], owners, strict=True)
                ]
                rows.append(self._row(encoded, index))
                windows.append((chunk[encoded["overflow_to_sample_mapping"][index]]["id"], offsets))
        order = sorted(range(len(rows)), key=lambda i: -len(rows[i]["input_ids"])) if self.best else range(len(rows))
        logits = self.trainer.predict(Rows([rows[i] for i in order])).predictions
        by_question = defaultdict(list)
        for row, i in enumerate(order):
            by_question[windows[i][0]].append((logits[0][row], logits[1][row], windows[i][1]))
        found = {e["id"]: _best_answer(e["context"], by_question[e["id"]]) for e in examples}
        predictions.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


class HuggingFaceBest(HuggingFace):
    """The Trainer at its best settings."""

    best = True


class HuggingFaceCompiled(HuggingFaceBest):
    """The Trainer at its best settings, with the encoder compiled by torch.compile."""

    compiled = True


def _arguments(material: Material, scratch: Path, best: bool) -> TrainingArguments:
    settings: dict[str, Any] = {
        "output_dir": str(scratch / "trainer"),
        "per_device_train_batch_size": material.batch_size,
        "per_device_eval_batch_size": material.batch_size,
        "learning_rate": 3e-5,
        "save_strategy": "no",
        "logging_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": material.device == "cpu",
    }
    if best:
        settings |= {
            "bf16": resolve_precision("auto", material.device) == "bf16",
            "fp16": resolve_precision("auto", material.device) == "fp16",
            "optim": "adamw_torch_fused",
        }
    return TrainingArguments(**settings)


def _read(file: Path) -> list[Row]:
    document = json.loads(file.read_text(encoding="utf-8"))
    return [
        {"id": qa["id"], "question": qa["question"], "context": paragraph["context"], "answers": qa["answers"]}
        for article in document["data"]
        for paragraph in article["paragraphs"]
        for qa in paragraph["qas"]
    ]


def _best_answer(context: str, windows: list[tuple[Any, Any, list[tuple[int, int] | None]]]) -> str:
    """The best of the twenty best starts and ends of each window, as run_qa looks for it."""
    best, text = -np.inf, ""
    for start_logits, end_logits, offsets in windows:
        ends = np.argsort(end_logits)[-1 : -BEST_ANSWERS - 1 : -1].tolist()
        for start in np.argsort(start_logits)[-1 : -BEST_ANSWERS - 1 : -1].tolist():
            for end in ends:
                if max(start, end) >= len(offsets) or not start <= end < start + MAX_ANSWER_LENGTH:
                    continue
                first, last = offsets[start], offsets[end]
                if first is None or last is None:
                    continue
                if start_logits[start] + end_logits[end] > best:
                    best = start_logits[start] + end_logits[end]
                    text = context[first[0] : last[1]]
    return text
