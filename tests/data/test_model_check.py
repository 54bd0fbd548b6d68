"""Model folders from somebody else: what names code, other files or more memory than it has weights for is refused by name."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from xlqa.cli import main
from xlqa.components.model import read_network
from xlqa.components.preprocessor import load_tokenizer
from xlqa.errors import XlqaError
from xlqa.training.model_folder import hash_encoder


@pytest.fixture
def model(encoder: Path, tmp_path: Path) -> Path:
    """A model folder of the test's own."""
    folder = tmp_path / "model"
    shutil.copytree(encoder, folder)
    return folder


def change(path: Path, **values: Any) -> None:
    """Set keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_bytes()) | values), encoding="utf-8")


HOSTILE = {
    "auto_map": {"AutoConfig": "owner/repository--code.Config"},
    "_attn_implementation_internal": "owner/kernel",
    "_attn_implementation": "owner/kernel",
    "attn_implementation": {"": "owner/kernel"},
    "kernel_config": {"name": "x"},
    "quantization_config": {"quant_method": "x"},
    "text_config": {"auto_map": {}, "x": [{"auto_map": {"a": "b"}}]},
    "num_hidden_layers": 10**6,
    "n_layer": 10**6,
    "vocab_size": 10**7,
    "intermediate_size": 10**7,
    "max_position_embeddings": 10**7,
    "num_labels": 10**7,
    "hidden_size": 10**9,
}


@pytest.mark.parametrize("key", HOSTILE)
def test_keys_are_refused_by_name(key: str, model: Path) -> None:
    change(model / "config.json", **{key: HOSTILE[key]})
    for use in (hash_encoder, read_network, load_tokenizer):
        with pytest.raises(XlqaError) as refused:
            use(model)
        assert str(model / "config.json") in str(refused.value)
        assert (key if key != "text_config" else "auto_map") in str(refused.value)
        assert len(str(refused.value).splitlines()) == 1


def test_what_public_models_have_is_taken(model: Path) -> None:
    change(model / "config.json", _attn_implementation_autoset=True, _name_or_path="bert")
    change(model / "tokenizer_config.json", special_tokens_map_file="/makers/machine/map.json", name_or_path="bert")
    assert len(hash_encoder(model)[0]) == 64
    assert read_network(model)[1]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("layer_norm_eps", "1e-12"),
        ("hidden_act", {}),
        ("hidden_size", [32]),
        ("hidden_dropout_prob", True),
        ("id2label", 7),
    ],
)
def test_values_of_another_type_are_refused_by_name(key: str, value: Any, model: Path) -> None:
    change(model / "config.json", **{key: value})
    with pytest.raises(XlqaError, match=rf"config\.json: {key} is .*, expected a value such as"):
        read_network(model)


@pytest.mark.parametrize(
    "content", ["[1, 2]", "[" * 100_000, "1" * 100_000, "{", '{"hidden_size": [32]}', '{"model_type": 7}']
)
def test_a_broken_config_is_one_line(content: str, model: Path) -> None:
    (model / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(XlqaError) as refused:
        read_network(model)
    assert str(model) in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_pipe_or_device_is_refused_at_once(model: Path) -> None:
    (model / "config.json").unlink()
    os.mkfifo(model / "config.json")
    with pytest.raises(XlqaError, match=r"has no config\.json"):
        hash_encoder(model)
    (model / "config.json").unlink()
    (model / "config.json").symlink_to("/dev/zero")
    with pytest.raises(XlqaError, match=r"has no config\.json"):
        hash_encoder(model)


@pytest.mark.parametrize("name", ["../../victim.safetensors", "/dev/zero", "missing.safetensors", 7, "a\x1b[31m"])
def test_an_index_names_files_of_its_folder(name: Any, model: Path) -> None:
    (model / "model.safetensors").rename(model / "model-1-of-1.safetensors")
    index = {"weight_map": {"a": "model-1-of-1.safetensors", "b": name}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(XlqaError, match=r"index\.json (names|has no weight_map)") as refused:
        hash_encoder(model)
    assert "\x1b" not in str(refused.value)


def test_an_adapter_is_not_followed(model: Path) -> None:
    (model / "adapter_config.json").write_text('{"base_model_name_or_path": "/elsewhere"}', encoding="utf-8")
    with pytest.raises(XlqaError, match=r"adapter_config\.json: this is an adapter"):
        read_network(model)


def test_a_tokenizer_names_no_file_elsewhere(model: Path, tmp_path: Path) -> None:
    (tmp_path / "victim.txt").write_text("secret", encoding="utf-8")
    change(model / "tokenizer_config.json", vocab_file=str(tmp_path / "victim.txt"))
    with pytest.raises(XlqaError, match="vocab_file names a file outside this folder"):
        load_tokenizer(model)


def test_a_tokenizer_that_grows_text_is_refused(model: Path) -> None:
    grow = {"type": "Replace", "pattern": {"String": "a"}, "content": "b" * 100_000}
    change(model / "tokenizer.json", normalizer={"type": "Sequence", "normalizers": [grow]})
    with pytest.raises(XlqaError, match="normalizer inserts 100,000 characters"):
        load_tokenizer(model)


@pytest.mark.parametrize("name", ["tokenizer_config.json", "special_tokens_map.json"])
@pytest.mark.parametrize("value", ["x" * 100_000, ["x" * 100_000], {"content": "x" * 100_000}])
def test_a_token_that_is_too_long_is_refused(name: str, value: object, model: Path) -> None:
    change(model / name, additional_special_tokens=value)
    with pytest.raises(XlqaError, match=f"{name}: .* has 100,000 characters: more than 1,000 are refused"):
        load_tokenizer(model)


def test_a_token_that_is_too_long_is_refused_in_the_tokenizer_itself(model: Path) -> None:
    change(model / "tokenizer.json", added_tokens=[{"id": 0, "content": "x" * 100_000, "special": True}])
    with pytest.raises(XlqaError, match=r"tokenizer\.json: content has 100,000 characters"):
        load_tokenizer(model)


@pytest.mark.parametrize("content", ["[]", "{", "{}", '{"model": {"type": "BPE", "vocab": 3}}', '{"model": []}'])
def test_a_broken_tokenizer_is_one_line(content: str, model: Path) -> None:
    (model / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(XlqaError) as refused:
        load_tokenizer(model)
    assert len(str(refused.value).splitlines()) == 1


def test_asking_such_a_model_is_one_line(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(model / "config.json", **{"_attn_implementation_internal": "owner/kernel\x1b[31m"})
    assert main(["ask", "a b c", "a", "--model", str(model)]) == 2
    said = capsys.readouterr().err
    assert "_attn_implementation_internal is 'owner/kernel" in said
    assert "\x1b" not in said
    assert "Traceback" not in said
