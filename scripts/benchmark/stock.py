"""The stock DeepPavlov pipeline, from a config like its own squad_bert.json: reader, iterator, pipe and trainer."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch

from benchmark.fixtures import Material
from benchmark.measure import wait


def stock_config(material: Material, scratch: Path) -> dict[str, Any]:
    """DeepPavlov's squad_bert.json with our paths, batch size and window, and no validation while it trains."""
    tokenizer = json.loads((material.encoder / "tokenizer_config.json").read_text(encoding="utf-8"))
    lower = bool(tokenizer.get("do_lower_case", True))
    model = {
        "class_name": "torch_transformers_squad",
        "pretrained_bert": str(material.encoder),
        "save_path": str(scratch / "model"),
        "optimizer": "AdamW",
        "optimizer_parameters": {"lr": 2e-5, "weight_decay": 0.01, "betas": [0.9, 0.999], "eps": 1e-6},
        "device": material.device,
        "learning_rate_drop_patience": 2,
        "learning_rate_drop_div": 2.0,
        "batch_size": material.batch_size,
        "in": ["bert_features"],
        "in_y": ["ans_start", "ans_end"],
        "out": ["ans_start_predicted", "ans_end_predicted", "logits", "scores", "inds"],
    }
    return {
        "dataset_reader": {"class_name": "squad_dataset_reader", "data_path": str(material.texts)},
        "dataset_iterator": {"class_name": "squad_iterator", "seed": 1337, "shuffle": True},
        "chainer": {
            "in": ["context_raw", "question_raw"],
            "in_y": ["ans_raw", "ans_raw_start"],
            "pipe": [*_before(material, lower), model, AFTER],
            "out": ["ans_predicted", "ans_start_predicted", "scores"],
        },
        "train": {
            "class_name": "torch_trainer",
            "evaluation_targets": ["valid"],
            "validate_first": False,
            "validation_patience": 10,
            "batch_size": material.batch_size,
            "epochs": 1,
            "metrics": [{"name": "squad_v1_f1", "inputs": ["ans", "ans_predicted"]}],
        },
        "metadata": {},
    }


def _before(material: Material, lower: bool) -> list[dict[str, Any]]:
    return [
        {
            "class_name": "torch_squad_transformers_preprocessor",
            "vocab_file": str(material.encoder),
            "do_lower_case": lower,
            "max_seq_length": material.max_length,
            "in": ["question_raw", "context_raw"],
            "out": ["bert_features", "subtokens", "split_context"],
        },
        {
            "class_name": "squad_bert_mapping",
            "do_lower_case": lower,
            "in": ["split_context", "bert_features", "subtokens"],
            "out": ["subtok2chars", "char2subtoks"],
        },
        {
            "class_name": "squad_bert_ans_preprocessor",
            "do_lower_case": lower,
            "in": ["ans_raw", "ans_raw_start", "char2subtoks"],
            "out": ["ans", "ans_start", "ans_end"],
        },
    ]


AFTER = {
    "class_name": "squad_bert_ans_postprocessor",
    "in": ["ans_start_predicted", "ans_end_predicted", "split_context", "subtok2chars", "subtokens", "inds"],
    "out": ["ans_predicted", "ans_start_predicted", "ans_end_predicted"],
}


class Stock:
    """DeepPavlov's own path, which tokenises every batch again and pads to the window."""

    def __init__(self, material: Material, scratch: Path) -> None:
        from deeppavlov.core.commands.train import get_iterator_from_config, read_data_by_config
        from deeppavlov.core.commands.utils import parse_config
        from deeppavlov.core.common.registry import get_model

        self.material = material
        self.config = parse_config(stock_config(material, scratch))
        self.read: Any = lambda: get_iterator_from_config(self.config, read_data_by_config(self.config))
        self.iterator = self.read()
        settings = dict(self.config["train"])
        self.trainer = get_model(settings.pop("class_name"))(self.config["chainer"], **settings)
        self.trainer.fit_chainer(self.iterator)
        self.chainer = self.trainer._chainer
        self.chainer.get_main_component().model.eval()

    @property
    def network(self) -> torch.nn.Module:
        """What computes."""
        network: torch.nn.Module = self.chainer.get_main_component().model
        return network

    def prepare_training(self) -> None:
        """Nothing: the pipe tokenises while it trains."""

    def train(self, steps: int, seed: int) -> float:
        """Updates on the training questions; returns the loop's seconds."""
        self.trainer.epoch = self.trainer.train_batches_seen = 0
        self.trainer.max_batches = steps
        began = time.perf_counter()
        self.trainer.train_on_batches(self.iterator)
        wait(self.material.device)
        return time.perf_counter() - began

    def evaluate(self, predictions: Path) -> None:
        """From the file with questions to the file with answers."""
        iterator = self.read()
        answers: list[str] = []
        for inputs, _ in iterator.gen_batches(self.material.batch_size, data_type="valid", shuffle=False):
            answers += self.chainer(*zip(*inputs, strict=True))[0]
        # The stock reader drops the questions' ids.
        found = {str(index): answer for index, answer in enumerate(answers)}
        predictions.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
