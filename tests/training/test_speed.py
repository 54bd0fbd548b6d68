"""The speed that a dry run's time estimate is computed from."""

from __future__ import annotations

import json
from pathlib import Path

from transformers import BertConfig, ModernBertConfig

from xlqa.training.speed import measure_speed


def test_a_speed_is_measured_from_the_config_alone(tmp_path: Path) -> None:
    BertConfig(
        vocab_size=500, hidden_size=64, num_hidden_layers=6, num_attention_heads=2, intermediate_size=128
    ).save_pretrained(tmp_path)
    speed = measure_speed(tmp_path, "cpu", "fp32", 64)
    assert speed is not None
    assert speed.score > 0
    assert speed.train > 0
    assert speed.update > 0


def test_more_layers_take_longer(tmp_path: Path) -> None:
    found = []
    for layers in (3, 300):
        config = BertConfig(
            vocab_size=500, hidden_size=64, num_hidden_layers=layers, num_attention_heads=2, intermediate_size=128
        )
        config.save_pretrained(tmp_path / str(layers))
        speed = measure_speed(tmp_path / str(layers), "cpu", "fp32", 64)
        assert speed is not None
        found.append(speed.train)
    assert found[1] > 5 * found[0]


def test_what_cannot_be_built_in_part_has_no_speed(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "unheard-of"}), encoding="utf-8")
    assert measure_speed(tmp_path, "cpu", "fp32", 64) is None
    assert measure_speed(tmp_path / "missing", "cpu", "fp32", 64) is None


def test_a_padding_piece_beyond_the_small_table_of_a_measurement(tmp_path: Path) -> None:
    ModernBertConfig(hidden_size=64, num_hidden_layers=6, num_attention_heads=2, intermediate_size=64).save_pretrained(
        tmp_path
    )
    assert measure_speed(tmp_path, "cpu", "fp32", 64) is not None
