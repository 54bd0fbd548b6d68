"""Encoders are fetched without code, weights as safetensors where there are any; failures are one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from xlqa.data.hub import cached_model, fetch_model, locate_model
from xlqa.errors import XlqaError

hub = pytest.importorskip("huggingface_hub")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """A hub whose model has the files that the test puts into `files`."""
    state: dict[str, Any] = {"files": ["config.json", "model.safetensors", "pytorch_model.bin", "modeling_x.py"]}

    class Api:
        def list_repo_files(self, name: str) -> list[str]:
            state["name"] = name
            if isinstance(state["files"], Exception):
                raise state["files"]
            return list(state["files"])

    def download(name: str, allow_patterns: tuple[str, ...] = (), local_files_only: bool = False) -> str:
        if local_files_only and not state.get("cached"):
            raise OSError("not in the cache")
        state["patterns"] = allow_patterns
        return str(tmp_path)

    monkeypatch.setattr(hub, "HfApi", Api)
    monkeypatch.setattr(hub, "snapshot_download", download)
    return state


def test_safetensors_are_preferred_and_code_never_fetched(asked: dict[str, Any], tmp_path: Path) -> None:
    assert fetch_model("some/model") == tmp_path
    assert asked["name"] == "some/model"
    assert "model*.safetensors" in asked["patterns"]
    assert not any(pattern.endswith((".bin", ".py", "*")) for pattern in asked["patterns"])


def test_old_weights_only_where_there_are_no_others(asked: dict[str, Any]) -> None:
    asked["files"] = ["config.json", "pytorch_model.bin", "onnx/model.safetensors"]
    fetch_model("some/model")
    assert "pytorch_model*.bin" in asked["patterns"]
    assert "model*.safetensors" not in asked["patterns"]


@pytest.mark.parametrize(
    "error", [ConnectionError("no route\nto host"), ValueError("bad name"), RuntimeError(""), OSError("offline")]
)
def test_an_unreachable_hub_is_one_line(asked: dict[str, Any], error: Exception) -> None:
    asked["files"] = error
    with pytest.raises(XlqaError) as caught:
        fetch_model("some/model")
    message = str(caught.value)
    assert message.startswith("some/model: not in the cache, and can't be fetched from the hub (")
    assert "give a local model folder" in message
    assert "\n" not in message


def test_a_cached_model_is_taken_without_network_if_it_is_complete(asked: dict[str, Any], tmp_path: Path) -> None:
    asked["cached"], asked["files"] = True, ConnectionError("no network")
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    assert cached_model("some/model") is None
    with pytest.raises(XlqaError):
        fetch_model("some/model")
    (tmp_path / "model.safetensors").write_text("")
    assert fetch_model("some/model") == cached_model("some/model") == tmp_path


def test_a_configs_model_is_a_folder_or_a_hub_name(asked: dict[str, Any], tmp_path: Path) -> None:
    assert locate_model(str(tmp_path)) == tmp_path
    assert locate_model("some/model") == tmp_path
    for name in (str(tmp_path / "none"), "./none", "one/two/three"):
        with pytest.raises(XlqaError, match="there is no such model folder"):
            locate_model(name)


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match=r"has no config\.json"):
        fetch_model(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    assert fetch_model(str(tmp_path)) == tmp_path
