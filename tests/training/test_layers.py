"""Frozen layers stay bit for bit; layers drawn again are the highest ones, the same on every machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from test_loop import HEAD, QUIET, data, fresh, plan

from xlqa.errors import XlqaError
from xlqa.tasks.qa.windows import Labels, Windows
from xlqa.training.layers import frozen, reinitialize_top
from xlqa.training.loop import Trainer

__all__ = ["data"]


def train(
    encoder: Path, data: tuple[Windows, Labels], **changes: object
) -> tuple[dict[str, torch.Tensor], torch.nn.Module]:
    """The first weights, and the network after a training."""
    network = fresh(encoder)
    before = {name: tensor.detach().clone() for name, tensor in network.named_parameters()}
    Trainer(network, HEAD, *data, plan(**changes), context=QUIET).run()
    return before, network


def changed(before: dict[str, torch.Tensor], network: torch.nn.Module) -> set[str]:
    return {name for name, tensor in network.named_parameters() if not torch.equal(before[name], tensor)}


@pytest.mark.parametrize("lowest", [None, 0, 1, 2])
def test_frozen_weights_are_the_same_bits_after_training(
    lowest: int | None, encoder: Path, data: tuple[Windows, Labels]
) -> None:
    before, network = train(encoder, data, freeze=lowest)
    moved = changed(before, network)
    still = [".embeddings."] * (lowest is not None) + [f".layer.{i}." for i in range(lowest or 0)]
    assert not [name for name in moved if any(part in f".{name}" for part in still)]
    moving = [".embeddings."] * (lowest is None) + [f".layer.{i}." for i in range(lowest or 0, 2)] + ["qa_outputs"]
    for part in moving:
        assert any(part in f".{name}" for name in moved), f"{part} did not train"
    assert all(parameter.requires_grad for parameter in network.parameters()), "the next run of this process shares it"


def test_nothing_below_the_lowest_trained_layer_gets_a_gradient(encoder: Path, data: tuple[Windows, Labels]) -> None:
    network = fresh(encoder)
    with frozen(network, 1):
        loss = network(torch.ones(1, 8, dtype=torch.long)).start_logits.sum()
        loss.backward()
    without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert any("embeddings" in name for name in without)
    assert any("layer.0." in name for name in without)
    assert not any("layer.1." in name for name in without)


def test_the_highest_layers_are_drawn_again_by_the_seed(encoder: Path) -> None:
    first, second, other = fresh(encoder), fresh(encoder), fresh(encoder)
    before = {name: tensor.detach().clone() for name, tensor in first.named_parameters()}
    for network, seed in ((first, 3), (second, 3), (other, 4)):
        reinitialize_top(network, 1, seed)
    drawn = changed(before, first)
    assert drawn
    assert all(".layer.1." in name for name in drawn)
    assert not changed(dict(first.named_parameters()), second)
    assert changed(dict(first.named_parameters()), other)
    query = dict(first.named_parameters())["bert.encoder.layer.1.attention.self.query.weight"]
    assert float(query.std()) == pytest.approx(first.config.initializer_range, rel=0.2)  # type: ignore[union-attr]


def test_more_layers_than_there_are_is_one_clear_line(encoder: Path) -> None:
    network = fresh(encoder)
    with pytest.raises(XlqaError, match="--freeze 3: the encoder has 2 layers"), frozen(network, 3):
        pass
    with pytest.raises(XlqaError, match="--reinit-top 3: the encoder has 2 layers"):
        reinitialize_top(network, 3, 0)
