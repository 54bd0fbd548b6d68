"""LoRA: only low-rank changes and the head are trained, they are kept in small files, and the network stays an ordinary one."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_encoders
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from test_encoder_kinds import ANSWERS, CONTEXTS, LENGTH, QUESTIONS
from test_loop import HEAD, QUIET, Stopped, data, fresh, plan, stop_after

from xlqa.components.model import SpanModel, TaskModel
from xlqa.components.preprocessor import TaskPreprocessor, WindowPreprocessor
from xlqa.errors import XlqaError
from xlqa.tasks.base import get_task
from xlqa.tasks.heads import is_of_head
from xlqa.tasks.qa.reading import Answer, Question
from xlqa.tasks.qa.windows import Labels, Windows
from xlqa.tasks.sentences.reading import LabelledText
from xlqa.training.adapter_folder import read_adapter
from xlqa.training.context import RunContext
from xlqa.training.cpu_kernels import accelerate
from xlqa.training.devices import autocast
from xlqa.training.layers import encoder_layers
from xlqa.training.loop import Trainer, TrainingPlan
from xlqa.training.lora import ADAPTER, adapted, lora_targets, share_trained

__all__ = ["data"]

pytestmark = pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="peft is not installed (extra lora)")

KINDS = (
    "BERT", "XLM-R", "CamemBERT", "DistilBERT", "ELECTRA", "ALBERT", "RemBERT", "DeBERTa-v2", "DeBERTa-v3, mDeBERTa", "ModernBERT",
    "MPNet",
)  # fmt: skip
FILES = {"config.json", "adapter_config.json", "adapter_model.safetensors"}


def trained_model(encoder: Path, folder: Path, rank: int = 2) -> tuple[SpanModel, Windows, Trainer]:
    """A model that a training of three updates with LoRA has just been over, its windows and the training."""
    model = SpanModel(str(encoder), str(folder), device="cpu", mode="train", head_seed=3)
    windows = WindowPreprocessor(str(encoder), LENGTH, 16)(CONTEXTS, QUESTIONS)
    golds = [
        Question(str(i), question, context, (Answer(answer, context.index(answer)),), str(i))
        for i, (context, question, answer) in enumerate(zip(CONTEXTS, QUESTIONS, ANSWERS, strict=True))
    ]
    settings = TrainingPlan(3, 4, 1e-2, 0.1, 0, "fp32", "cpu", lora=rank)
    labels = get_task("qa").label(windows, golds, ())
    trainer = Trainer(model.network, model.head, windows, labels, settings, context=RunContext())
    trainer.run()
    model.note_learned(trainer.learned)
    return model, windows, trainer


@pytest.mark.parametrize("kind", KINDS)
def test_each_architecture_learns_low_rank_changes_and_keeps_them_in_an_adapter(kind: str, tmp_path: Path) -> None:
    encoder = tiny_encoders.make(kind, tmp_path / "encoder")
    before = {name: weight.clone() for name, weight in SpanModel(
        str(encoder), str(tmp_path / "model"), device="cpu", mode="train", head_seed=3
    ).network.named_parameters()}  # fmt: skip
    model, windows, trainer = trained_model(encoder, tmp_path / "model")
    network, learned = model.network, trainer.learned
    assert learned.keys() == lora_targets(network).keys()
    assert not [name for name, _ in network.named_modules() if "lora" in name]
    for name, weight in network.named_parameters():
        assert weight.requires_grad, "the next run of this process shares it"
        if (layer := name.removesuffix(".weight")) in learned:
            first, second = learned[layer]
            assert len(first) == 2
            assert torch.equal(weight, before[name] + second @ first)
            assert not torch.equal(weight, before[name])
        elif not is_of_head(name, network):
            assert torch.equal(weight, before[name]), name
    assert any(not torch.equal(w, before[n]) for n, w in network.named_parameters() if is_of_head(n, network))

    answers = model(windows, CONTEXTS)
    model.save()
    assert {path.name for path in (tmp_path / "model").iterdir()} == FILES
    kept = SpanModel(str(encoder), str(tmp_path / "model"), device="cpu")
    assert all(torch.equal(kept.network.state_dict()[n], w) for n, w in network.state_dict().items())
    assert kept(windows, CONTEXTS) == answers


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_merged_weights_predict_what_the_adapter_does(precision: str, encoder: Path) -> None:
    network = fresh(encoder).eval()
    accelerate(network, "cpu")
    ids = torch.randint(5, 40, (2, 16), generator=torch.Generator().manual_seed(0))

    def logits() -> torch.Tensor:
        with torch.no_grad(), autocast("cpu", precision):
            return network(ids).start_logits.float()

    start = logits()
    with adapted(network, 4, seed=1):
        network.eval()
        torch.testing.assert_close(logits(), start)  # B is zero
        for name in lora_targets(network):
            if hasattr(layer := network.get_submodule(name.removesuffix(".base_layer")), "lora_B"):
                torch.nn.init.normal_(layer.lora_B[ADAPTER].weight, std=0.3)  # type: ignore[union-attr,index,arg-type]
        unmerged = logits()
    merged = logits()
    tolerance = 1e-4 if precision == "fp32" else 0.1
    assert (unmerged - start).abs().max() > 5 * tolerance
    assert (merged - unmerged).abs().max() < tolerance * max(1.0, float(unmerged.abs().max()))


def test_a_broken_training_goes_on_to_the_same_weights_from_a_small_checkpoint(
    encoder: Path, data: tuple[Windows, Labels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, settings = tmp_path / "checkpoint.safetensors", plan(steps=12, lora=2)
    often = replace(QUIET, checkpoint=path, checkpoint_minutes=1e-9)
    whole, again = fresh(encoder), fresh(encoder)
    Trainer(whole, HEAD, *data, settings, context=QUIET).run()
    broken = Trainer(fresh(encoder), HEAD, *data, settings, context=often)
    monkeypatch.setattr(broken, "_step", stop_after(7, broken._step))
    with pytest.raises(Stopped):
        broken.run()
    assert not [name for name, _ in broken.network.named_modules() if "lora" in name]
    with safe_open(str(path), framework="pt") as file:
        saved = [name for name in file.keys() if name.startswith("weight.")]  # noqa: SIM118  # it is not a mapping
    assert all(".lora_" in name or "qa_outputs" in name for name in saved)
    resumed = Trainer(again, HEAD, *data, settings, context=often)
    resumed.run()
    assert all(torch.equal(again.state_dict()[n], w) for n, w in whole.state_dict().items())
    assert len(resumed.losses) == 12


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_training_with_lora_learns_in_every_precision(
    precision: str, encoder: Path, data: tuple[Windows, Labels]
) -> None:
    network = fresh(encoder)
    accelerate(network, "cpu")
    settings = plan(steps=60, lr=2e-2, lora=4, precision=precision)
    assert Trainer(network, HEAD, *data, settings, context=QUIET).run().learned


def test_gradient_checkpointing_ends_in_the_same_weights(encoder: Path, data: tuple[Windows, Labels]) -> None:
    networks = [fresh(encoder), fresh(encoder)]
    for network, gradient_checkpointing in zip(networks, (False, True), strict=True):
        Trainer(
            network, HEAD, *data, plan(steps=3, lora=2), gradient_checkpointing=gradient_checkpointing, context=QUIET
        ).run()
    assert all(torch.equal(networks[1].state_dict()[n], w) for n, w in networks[0].state_dict().items())


def test_peft_itself_reads_the_folder(encoder: Path, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForQuestionAnswering

    model, *_ = trained_model(encoder, tmp_path / "model")
    model.save()
    theirs = PeftModel.from_pretrained(AutoModelForQuestionAnswering.from_pretrained(encoder), tmp_path / "model")
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(ids).start_logits, model.network.eval()(ids).start_logits)


def test_a_head_that_has_the_pooler_is_trained_and_kept_whole(encoder: Path, tmp_path: Path) -> None:
    premises, hypotheses, labels = (CONTEXTS[:3], QUESTIONS[:3], ("contradiction", "entailment", "neutral"))
    settings: dict[str, Any] = {"task": "nli", "labels": labels, "device": "cpu"}
    model = TaskModel(str(encoder), str(tmp_path / "model"), mode="train", head_seed=3, **settings)
    features = TaskPreprocessor(str(encoder), LENGTH, 16, task="nli")(premises, hypotheses)
    golds = [LabelledText(str(i), premises[i], hypotheses[i], labels[i], str(i)) for i in range(3)]
    pooler = model.network.bert.pooler.dense.weight.detach().clone()
    trainer = Trainer(
        model.network, model.head, features, get_task("nli").label(features, golds, labels),
        TrainingPlan(3, 3, 1e-2, 0.1, 0, "fp32", "cpu", lora=2), context=RunContext(),
    )  # fmt: skip
    trainer.run()
    model.note_learned(trainer.learned)
    model.save()
    assert not torch.equal(model.network.bert.pooler.dense.weight, pooler)
    kept = TaskModel(str(encoder), str(tmp_path / "model"), **settings)
    assert all(torch.equal(kept.network.state_dict()[n], w) for n, w in model.network.state_dict().items())
    with pytest.raises(XlqaError, match="of another architecture or task"):
        TaskModel(str(encoder), str(tmp_path / "model"), task="nli", labels=labels[:2], device="cpu")


def test_the_plan_counts_what_is_trained(encoder: Path) -> None:
    network = fresh(encoder)
    layers = len(encoder_layers(network, ""))
    share = share_trained(encoder, "qa", (), 2)
    assert share.layers == 6 * layers
    with adapted(network, 2, 0):
        assert share.trained == sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert share.total == sum(p.numel() for p in network.parameters())
    with pytest.raises(XlqaError, match=r"--lora 4096: the encoder's narrowest layer has \d+ units"):
        share_trained(encoder, "qa", (), 4096)


def edit_record(folder: Path, **changes: Any) -> None:
    path = folder / "adapter_model.safetensors"
    with safe_open(str(path), framework="pt") as file:
        record = json.loads(file.metadata()["xlqa"]) | changes
    save_file(load_file(path), path, {"format": "pt", "xlqa": json.dumps(record)})


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        ("rank", "do not have the rank 3"), ("base", "its metadata is not as xlqa writes it"), ("sha256", "put the right one back"),
        ("source", "its source stage tiny is missing"), ("peft", "adapter_config.json does not agree"),
        ("cut", "is not an adapter that xlqa wrote, or it is damaged"), ("pickle", "is not an adapter that xlqa wrote"),
        ("tensor", "has a tensor that no adapter has"), ("head", "of another architecture or task"),
    ],
)  # fmt: skip
def test_a_damaged_or_forged_adapter_is_one_clear_line(harm: str, message: str, encoder: Path, tmp_path: Path) -> None:
    model, *_ = trained_model(encoder, folder := tmp_path / "model")
    model.save()
    path, config = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    changes = {
        "rank": {"ranks": [3]},
        "base": {"base": "hub"},
        "sha256": {"sha256": "0" * 64},
        "source": {"base": "source"},
    }
    if harm in changes:
        edit_record(folder, **changes[harm])
    elif harm == "peft":
        config.write_text(json.dumps(json.loads(config.read_bytes()) | {"auto_mapping": {"parent_library": "os"}}))
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:-5])
    elif harm == "pickle":
        torch.save({}, path)
    else:
        tensors = load_file(path)
        if harm == "tensor":
            tensors["elsewhere"] = torch.zeros(1)
        else:
            tensors = {name: tensor for name, tensor in tensors.items() if "qa_outputs.bias" not in name}
        with safe_open(str(path), framework="pt") as file:
            save_file(tensors, path, file.metadata())
    with pytest.raises(XlqaError, match=message) as refused:
        SpanModel(str(encoder), str(folder), device="cpu")
    assert "\n" not in str(refused.value)


def test_an_adapter_says_what_it_belongs_to(encoder: Path, tmp_path: Path) -> None:
    from xlqa.training.model_folder import hash_encoder

    model, *_ = trained_model(encoder, tmp_path / "model", rank=3)
    model.save()
    adapter = read_adapter(tmp_path / "model")
    assert (adapter.base, adapter.name, adapter.ranks) == ("encoder", encoder.name, [3])
    assert adapter.sha256 == hash_encoder(encoder)[0]
