"""The span model: an encoder with a question-answering head, as the DeepPavlov component `xlqa.components.model:SpanModel`.

In a training pipeline it starts from an encoder with a fresh head, or from a source stage's model; otherwise it loads the
model that was kept. It never scores a head that nothing has trained.
"""

from __future__ import annotations

import functools
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from deeppavlov.core.models.component import Component
from safetensors import SafetensorError

from xlqa.components.preprocessor import load_tokenizer
from xlqa.data.hub import locate_model
from xlqa.errors import XlqaError
from xlqa.tasks.qa.decoding import Span, best_spans, merge_windows, span_probabilities
from xlqa.tasks.qa.windows import Windows
from xlqa.training.batching import collate, token_batches
from xlqa.training.context import SESSION
from xlqa.training.cpu_kernels import accelerate
from xlqa.training.devices import autocast, resolve_device
from xlqa.training.model_folder import hash_encoder, hash_weights, weight_files
from xlqa.util.files import filling, known_sha256

EVAL_TOKENS = {"cpu": 2048, "cuda": 65536}
"""Padded pieces of a forward pass in evaluation."""

Network = Any
State = dict[str, torch.Tensor]


def check_weights(folder: Path, sha256: str | None, what: str) -> str:
    """The SHA-256 of a folder's weights, refused where it differs from the one that a config names."""
    found = hash_weights(folder)
    if sha256 and found != sha256:
        raise XlqaError(
            f"{folder}: the {what}'s weights differ from those the config names (SHA-256 {sha256[:12]}…, here "
            f"{found[:12]}…): put them back, or remove the folder and run the sweep again."
        )
    return found


def check_encoder(folder: Path, sha256: str | None) -> None:
    """Refuse an encoder whose configuration, weights or tokenizer are not those that a config names."""
    if sha256 and hash_encoder(folder)[0] != sha256:
        raise XlqaError(
            f"{folder}: the encoder's configuration, weights or tokenizer differ from those the config names (SHA-256 "
            f"{sha256[:12]}…): put them back, or start the sweep again with this encoder."
        )


def read_network(folder: Path) -> tuple[Network, list[str]]:
    """A question-answering network in float32 from a model folder, and the names of the weights that the folder lacks.

    Raises:
        XlqaError: the folder is not a whole encoder.
    """
    from transformers import AutoModelForQuestionAnswering
    from transformers.utils import logging

    logging.set_verbosity_error()
    weights = weight_files(folder)[0]
    try:
        network, loading = AutoModelForQuestionAnswering.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False, output_loading_info=True, dtype=torch.float32,
            use_safetensors="safetensors" in weights.name, attn_implementation="sdpa",
        )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        raise XlqaError(f"{folder}: the model cannot be read ({str(error).splitlines()[0]}).") from error
    missing = sorted(loading["missing_keys"])
    if foreign := [name for name in missing if not name.startswith("qa_outputs.")]:
        raise XlqaError(
            f"{folder} lacks the encoder's weights {foreign[0]} (and {len(foreign) - 1} more): not a whole model."
        )
    return network, missing


def _read_shared(folder: Path, sha256: str) -> tuple[Network, State, list[str]]:
    """A network and a copy of its weights in host memory, read once a process."""

    def read() -> tuple[Network, State, list[str]]:
        network, missing = read_network(folder)
        state = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        return network, state, missing

    return SESSION.share(("network", sha256, known_sha256(folder / "config.json")), read)


def reset_head(network: Network, seed: int) -> None:
    """Draw a fresh question-answering head: normal with the model's own deviation, biases zero."""
    generator = torch.Generator().manual_seed(seed)
    deviation = float(getattr(network.config, "initializer_range", 0.02))
    with torch.no_grad():
        weight = torch.empty(network.qa_outputs.weight.shape).normal_(0.0, deviation, generator=generator)
        network.qa_outputs.weight.copy_(weight)
        network.qa_outputs.bias.zero_()


class SpanModel(Component):  # type: ignore[misc]  # DeepPavlov ships without types
    """Finds answers in windows.

    Args:
        encoder: model folder or hub name to start from, with a fresh head.
        encoder_sha256: of its configuration, weights and tokenizer (`hash_encoder`).
        source: folder of a source stage's model to start from instead, head included; None for none.
        source_sha256: of its weights.
        save_path: folder of the trained model.
        head_seed: of the fresh head.
        max_answer_length: longest answer, in pieces.
        precision: fp32 or bf16 (autocast; weights stay in float32).
        device: auto, cpu, cuda or cuda:N.
        mode: train starts from source or encoder; anything else loads what lies in save_path.
    """

    def __init__(
        self, encoder: str, save_path: str, encoder_sha256: str | None = None, source: str | None = None,
        source_sha256: str | None = None, head_seed: int = 0, max_answer_length: int = 30, precision: str = "fp32",
        device: str = "auto", mode: str = "infer", **kwargs: Any,
    ) -> None:  # fmt: skip
        self.save_path = Path(save_path).expanduser()
        self.encoder = locate_model(encoder)
        self.max_answer_length, self.precision = max_answer_length, precision
        self.device = resolve_device(device)
        self.origin = ""
        check_encoder(self.encoder, encoder_sha256)
        if mode == "train":
            self.save_path.parent.mkdir(parents=True, exist_ok=True)
            start = _existing(Path(source).expanduser(), "train the source stage first") if source else self.encoder
            sha256 = check_weights(start, source_sha256 if source else None, "source stage")
            self.origin = sha256
            network, state, missing = _read_shared(start, sha256)
            network.load_state_dict(state)
            if not source:
                reset_head(network, head_seed)
        else:
            start = _existing(
                self.save_path, "its weights were not kept, or it was never trained: train it, or use --keep all"
            )
            if source_sha256 and source and start == Path(source):
                check_weights(start, source_sha256, "source stage")
            network, missing = read_network(start)
        if missing and (mode != "train" or source):
            raise XlqaError(
                f"{start} has no question-answering head: an untrained head is never scored. Train it first."
            )
        self.network = network.to(self.device)
        self.network.eval()
        accelerate(self.network, self.device)

    def save(self) -> None:
        """Write weights (safetensors), configuration and tokenizer to save_path, whole or not at all."""
        tokenizer = load_tokenizer(self.encoder)

        try:
            with filling(self.save_path) as folder:
                self.network.save_pretrained(str(folder), safe_serialization=True)
                tokenizer.save_pretrained(str(folder))
        except (OSError, SafetensorError) as error:
            raise XlqaError(f"{self.save_path} cannot be written ({error}): free space, then start again.") from error

    def load(self) -> None:
        """Loaded when built."""

    def __call__(self, windows: Windows, contexts: Sequence[str]) -> tuple[list[str], list[int], list[float]]:
        """The best answer of each question: (Q,) texts, (Q,) first characters (-1 for none) and (Q,) scores."""
        spans = [found[0] if found else Span("", -1, -1, 0.0) for found in self.find(windows, contexts)]
        return [s.text for s in spans], [s.start for s in spans], [s.score for s in spans]

    @torch.inference_mode()
    def find(self, windows: Windows, contexts: Sequence[str], top: int = 1) -> list[list[Span]]:
        """The best `top` spans of each of Q questions, best first; fewer where a paragraph has fewer."""
        count = len(windows.question)
        score = np.full((count, top), -np.inf, dtype=np.float32)
        first, last = np.zeros((count, top), dtype=np.int64), np.zeros((count, top), dtype=np.int64)
        self.network.eval()
        waiting = token_batches(windows.lengths, EVAL_TOKENS[self.device.partition(":")[0]])[::-1]
        while waiting:
            batch = waiting.pop()
            try:
                values, firsts, lasts = self._decode(windows, batch, top)
            except torch.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                torch.cuda.empty_cache()
                waiting += [batch[len(batch) // 2 :], batch[: len(batch) // 2]]
                continue
            found = values.shape[1]
            score[batch, :found], first[batch, :found], last[batch, :found] = values, firsts, lasts
        return [spans[:top] for spans in merge_windows(windows, contexts, score, first, last)]

    def _decode(self, windows: Windows, batch: np.ndarray[Any, Any], top: int) -> tuple[Any, Any, Any]:
        tensors = {name: tensor.to(self.device, non_blocking=True) for name, tensor in collate(windows, batch).items()}
        scored = tensors.pop("scored")
        with autocast(self.device, self.precision):
            output = self.network(**tensors)
        inside = scored.clone()
        inside[:, windows.template.cls_index] = False
        start, end = span_probabilities(output.start_logits, scored), span_probabilities(output.end_logits, scored)
        score, first, last = best_spans(start, end, inside, self.max_answer_length, top)
        return score.cpu().numpy(), first.cpu().numpy(), last.cpu().numpy()

    def destroy(self) -> None:
        """Give the device's memory back; the weights in host memory stay for the next run of this process."""
        self.network.zero_grad(set_to_none=True)
        if self.device != "cpu":
            self.network.to("cpu")
            torch.cuda.empty_cache()


def _existing(folder: Path, fix: str) -> Path:
    if not (folder / "config.json").is_file():
        raise XlqaError(f"{folder} holds no trained model: {fix}.")
    return folder


@functools.cache
def parameter_count(folder: Path) -> int:
    """Number of weights in a model folder's safetensors, read from its header alone; 0 for other formats."""
    from safetensors import safe_open

    total = 0
    for path in weight_files(folder):
        if path.suffix == ".safetensors":
            with safe_open(str(path), framework="np") as file:
                names = list(file.keys())
                total += sum(int(np.prod(file.get_slice(name).get_shape())) for name in names)
    return total
