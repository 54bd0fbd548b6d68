"""An encoder with a task's head, as the DeepPavlov components `xlqa.components.model:SpanModel` and `:TaskModel`.

In a training pipeline a model starts from an encoder with a fresh head, or from a source stage's model; otherwise it loads the
model that was kept. It never scores a head that nothing has trained.
"""

from __future__ import annotations

import copy
import functools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from safetensors import SafetensorError

from xlqa.components.framework import Component
from xlqa.components.preprocessor import load_tokenizer
from xlqa.data.hub import locate_model
from xlqa.data.model_check import check_model_folder
from xlqa.errors import XlqaError
from xlqa.tasks.base import DEFAULT_TASK, Features, Gold, Head, HeadOptions, get_task
from xlqa.tasks.heads import is_of_head, network_inputs
from xlqa.training.adapter_folder import Adapter, read_adapter, write_adapter
from xlqa.training.architecture import attention_of, check_architecture, network_class
from xlqa.training.batching import BatchLayout, collate, layout_for, to_device, token_batches
from xlqa.training.context import SHARED
from xlqa.training.cpu_kernels import accelerate
from xlqa.training.devices import Readback, autocast, free_beyond_half, prepare_device, resolve_device
from xlqa.training.lora import LoraWeights
from xlqa.training.model_folder import check_config_types, hash_encoder, hash_weights, is_adapter, weight_files
from xlqa.util.files import filling, known_sha256, load_json
from xlqa.util.text import first_line

if TYPE_CHECKING:
    from xlqa.tasks.qa.network import SpanHead

NULL_THRESHOLD = "null_threshold"
"""The key of a model folder's config.json that makes the model leave questions unanswered."""

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


def read_network(folder: Path, head: Head | None = None) -> tuple[Network, list[str]]:
    """A network in float32 from a model folder, and the names of the weights that the folder lacks.

    Args:
        head: of the task; without one, of question answering.

    Raises:
        XlqaError: the folder is not a complete encoder.
    """
    import transformers
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    check_model_folder(folder)
    head = head or get_task(DEFAULT_TASK).head(HeadOptions())
    weights = weight_files(folder)[0]
    try:
        check_architecture(folder)
        check_config_types(folder)
        config = transformers.AutoConfig.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False, **head.config()
        )
        if hasattr(config, "reference_compile"):
            config.reference_compile = False  # ModernBERT would compile itself for each shape where there is a GPU
        kind = network_class(config, head)
        network, loading = kind.from_pretrained(
            str(folder), config=config, local_files_only=True, output_loading_info=True, dtype=torch.float32,
            use_safetensors="safetensors" in weights.name, attn_implementation=attention_of(kind),
        )  # fmt: skip
    except XlqaError as error:
        raise error if str(error).startswith(str(folder)) else XlqaError(f"{folder}: {error}") from error
    except Exception as error:  # the files are somebody's, and transformers raises whatever their values lead to
        raise XlqaError(f"{folder}: the model cannot be read ({first_line(error)}).") from error
    missing = sorted(loading["missing_keys"])
    if foreign := [name for name in missing if not is_of_head(name, network, head.inner)]:
        raise XlqaError(
            f"{folder} lacks the encoder's weights {foreign[0]} (and {len(foreign) - 1} more): not a complete model."
        )
    _refuse_broken(network, folder)
    return network, missing


def _refuse_broken(network: Network, folder: Path) -> None:
    """Compute two pieces: transformers builds networks from values that fail only when they are used.

    Raises:
        XlqaError: the computation fails.
    """
    training = network.training
    try:
        with torch.inference_mode():
            network.eval()(input_ids=torch.zeros((1, 2), dtype=torch.long))
    except Exception as error:  # as above
        raise XlqaError(
            f"{folder}: the model cannot be computed ({first_line(error)}): its config.json has a wrong value."
        ) from error
    finally:
        network.train(training)


class StartWeights:
    """A network, and the weights that each run of this process starts it from.

    Both stay on a GPU between two runs where that leaves half of its memory free; otherwise they wait in host memory.

    Attributes:
        missing: names of the weights that their folder lacks.
        adapter: what they are beyond other weights, where their folder has no more than that.
    """

    def __init__(self, network: Network, missing: list[str], adapter: Adapter | None = None) -> None:
        # What was read from safetensors is mapped from the file: unless it is written to, it takes no memory of this
        # process, and all workers share it. So runs train a copy of it.
        self.state: State = {name: tensor.detach() for name, tensor in network.state_dict().items()}
        self.network, self.missing, self.adapter, self.in_use = copy.deepcopy(network), missing, adapter, False

    def take(self) -> Network:
        """The network with these weights, for a run."""
        self.in_use = True
        self.network.load_state_dict(self.state)
        return self.network

    def give_back(self, device: str) -> None:
        """Keep network and weights on the device of a run that has ended, or move them to host memory."""
        self.in_use = False
        if device != "cpu" and free_beyond_half(device) >= (0 if self._on_device() else self._bytes()):
            self.state = {name: tensor.to(device) for name, tensor in self.state.items()}
        else:
            self.spill()
            self.network.to("cpu")

    def spill(self) -> bool:
        """Move the weights to host memory, and the network unless a run uses it; returns whether they were elsewhere."""
        if not self._on_device():
            return False
        self.state = {name: tensor.to("cpu") for name, tensor in self.state.items()}
        if not self.in_use:
            self.network.to("cpu")
        return True

    def _on_device(self) -> bool:
        return any(tensor.device.type != "cpu" for tensor in self.state.values())

    def _bytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.state.values())


def _read_shared(folder: Path, sha256: str, head: Head, read: Callable[[], StartWeights]) -> StartWeights:
    """The weights in a folder, read once a process."""
    return SHARED.get(
        ("network", sha256, known_sha256(folder / "config.json"), head.auto_class, head.options.labels), read
    )


def _plain_name(folder: Path) -> str:
    """A folder's name without signs that an adapter's file does not take."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).lstrip(".")[:200] or "unnamed"


class TaskModel(Component):  # type: ignore[misc]  # DeepPavlov ships without types
    """Predicts what its task asks for.

    Args:
        encoder: model folder or hub name to start from, with a fresh head.
        encoder_sha256: of its configuration, weights and tokenizer (`hash_encoder`).
        source: folder of a source stage's model to start from instead, head included; None for none.
        source_sha256: of its weights.
        save_path: folder of the trained model.
        head_seed: of the fresh head.
        task: name of the task.
        labels, max_answer_length: see `HeadOptions`.
        precision: fp32, bf16 or fp16 (autocast; weights stay in float32).
        device: auto, cpu, cuda or cuda:N.
        mode: train starts from source or encoder; anything else loads the model in save_path.
    """

    def __init__(
        self, encoder: str, save_path: str, encoder_sha256: str | None = None, source: str | None = None,
        source_sha256: str | None = None, head_seed: int = 0, task: str = DEFAULT_TASK, labels: Sequence[str] = (),
        max_answer_length: int = 30, precision: str = "fp32", device: str = "auto", mode: str = "infer", **kwargs: Any,
    ) -> None:  # fmt: skip
        self.save_path = Path(save_path).expanduser()
        self.encoder = locate_model(encoder)
        self.task = get_task(task)
        self.head = self.task.head(HeadOptions(tuple(labels), max_answer_length))
        self.precision, self.device = precision, resolve_device(device)
        prepare_device(self.device)
        self.origin = ""
        self.source = Path(source).expanduser() if source else None
        self.named = _plain_name(Path(encoder))
        self.adapter: Adapter | None = None
        self.started_from: StartWeights | None = None
        check_encoder(self.encoder, encoder_sha256)
        if mode == "train":
            network, start, missing = self._start(source_sha256)
            if not source:
                self.head.reset(network, head_seed)
        else:
            start = _existing(
                self.save_path, "its weights were not kept, or it was never trained: train it, or use --keep all"
            )
            if source_sha256 and source and start == Path(source):
                check_weights(start, source_sha256, "source stage")
            network, missing, self.adapter = self._read(start)
        if missing and (mode != "train" or source):
            raise XlqaError(f"{start} has no {self.head.what}: an untrained head is never scored. Train it first.")
        if complaint := self.head.mismatch(network):
            raise XlqaError(f"{start}: {complaint}: it was trained on other data.")
        self.network = network.to(self.device)
        self.network.eval()
        accelerate(self.network, self.device)

    def _read(self, folder: Path) -> tuple[Network, list[str], Adapter | None]:
        """As `read_network`, also of a folder that has an adapter alone, and the adapter."""
        if not is_adapter(folder):
            return (*read_network(folder, self.head), None)
        adapter = read_adapter(folder)
        network, _ = read_network(self._find_base(folder, adapter), self.head)
        adapter.apply(network, self.head.inner, folder)
        # The network has its base's configuration; what decoding needs was kept with the adapter.
        known = load_json(folder / "config.json")
        if isinstance(known, dict) and NULL_THRESHOLD in known:
            network.config.null_threshold = known[NULL_THRESHOLD]
        return network, [], adapter

    def _find_base(self, folder: Path, adapter: Adapter) -> Path:
        """The folder of the weights that an adapter belongs to.

        Raises:
            XlqaError: it is missing, or its weights have changed.
        """
        base = self.encoder if adapter.base == "encoder" else self.source
        what = "encoder" if adapter.base == "encoder" else "source stage"
        if base is None or not (base / "config.json").is_file():
            raise XlqaError(f"{folder} is an adapter, and its {what} {adapter.name} is missing: put it back.")
        found = hash_encoder(base)[0] if adapter.base == "encoder" else hash_weights(base)
        if found != adapter.sha256:
            raise XlqaError(
                f"{folder} is an adapter of the {what} {adapter.name} with SHA-256 {adapter.sha256[:12]}…, but {base} has "
                f"{found[:12]}…: put the right one back."
            )
        return base

    def _start(self, source_sha256: str | None) -> tuple[Network, Path, list[str]]:
        """The network that a training starts from, its folder, and the weights that the folder lacks."""
        self.save_path.parent.mkdir(parents=True, exist_ok=True)
        start = _existing(self.source, "train the source stage first") if self.source else self.encoder
        self.origin = check_weights(start, source_sha256 if self.source else None, "source stage")
        self.started_from = _read_shared(start, self.origin, self.head, lambda: StartWeights(*self._read(start)))
        self.adapter = self.started_from.adapter
        return self.started_from.take(), start, self.started_from.missing

    def note_learned(self, learned: LoraWeights) -> None:
        """Take note of a training that is over: what it added to the weights with LoRA, nothing where it changed them all."""
        if not learned:
            self.adapter = None
            return
        start = self.adapter or (
            Adapter("source", _plain_name(self.source.parent), self.origin)
            if self.source
            else Adapter("encoder", self.named, hash_encoder(self.encoder)[0])
        )
        self.adapter = replace(start, stages=(*start.stages, learned))

    def save(self) -> None:
        """Write what was trained to save_path, whole or not at all: a whole model, or with LoRA an adapter and the head.

        Weights are safetensors. An adapter's folder has the network's configuration too; its tokenizer is the encoder's.
        """
        try:
            with filling(self.save_path) as folder:
                if self.adapter is None:
                    self.save_whole(folder)
                else:
                    head = {
                        name: weight
                        for name, weight in self.network.named_parameters()
                        if is_of_head(name, self.network, self.head.inner)
                    }
                    self.network.config.save_pretrained(str(folder))
                    write_adapter(folder, replace(self.adapter, head=head))
        except (OSError, SafetensorError) as error:
            raise XlqaError(f"{self.save_path} cannot be written ({error}): free space, then start again.") from error

    def save_whole(self, folder: Path) -> None:
        """Write weights (safetensors), configuration and tokenizer into a folder: transformers loads it."""
        self.network.save_pretrained(str(folder), safe_serialization=True)
        load_tokenizer(self.encoder).save_pretrained(str(folder))

    def load(self) -> None:
        """Loaded when built."""

    def __call__(self, features: Features, *inputs: Sequence[Any]) -> Any:
        """One column for each of the task's outputs, (X,) each; the column itself where there is one."""
        columns = self.task.outputs_of(self.find(features, *inputs))
        return columns[0] if len(columns) == 1 else columns

    def find(self, features: Features, *inputs: Sequence[Any], top: int = 1) -> list[Any]:
        """The prediction of each of X examples, as the head makes it.

        Args:
            inputs: texts that the head needs beside the features (question answering: the paragraphs), (X,) each.
            top: predictions an example, best first, where the task can give several.

        Raises:
            XlqaError: the tokenizer is another model's, or one window does not fit into memory.
        """
        return self.head.predict(features, inputs, self._decode(features, top), top)

    @torch.inference_mode()
    def _decode(self, features: Features, top: int) -> list[tuple[Any, tuple[Any, ...]]]:
        """What the head decodes of each batch: pairs of window numbers and arrays."""
        self.check_pieces(features)
        self.network.eval()
        layout = layout_for(self.network, self.device, features.lengths)
        decoded: list[tuple[Any, tuple[Any, ...]]] = []
        waiting = token_batches(features.lengths, EVAL_TOKENS[self.device.partition(":")[0]], layout)[::-1]
        computing: tuple[Any, Readback] | None = None
        while waiting:
            batch = waiting.pop()
            started = self._start_decoding(features, batch, top, layout)
            if computing:
                # Only now, so that the device has the next batch while the host waits for this one.
                decoded.append((computing[0], computing[1].arrays()))
            computing = (batch, started) if started else None
            if not started:
                waiting += [batch] if SHARED.spill() else self._halves(batch, features)
                torch.cuda.empty_cache()
        if computing:
            decoded.append((computing[0], computing[1].arrays()))
        return decoded

    def check_pieces(self, features: Features) -> None:
        """Refuse features with pieces that the network does not have.

        Raises:
            XlqaError: the tokenizer is another model's.
        """
        rows = len(self.network.get_input_embeddings().weight)
        highest = max(int(features.ids.max(initial=0)), features.template.pad)
        if highest >= rows:
            raise XlqaError(
                f"{self.encoder}: its tokenizer gives piece {highest:,}, its network has {rows:,}: they are not of "
                "the same model."
            )

    def _start_decoding(
        self, features: Features, batch: np.ndarray[Any, Any], top: int, layout: BatchLayout
    ) -> Readback | None:
        """Let the device compute a batch; None where its memory ran out."""
        try:
            tensors = to_device(collate(features, batch, layout), self.device, layout)
            with autocast(self.device, self.precision):
                output = self.network(**network_inputs(tensors, self.network))
            return Readback(self.head.decode(output, tensors, features, top))
        except torch.OutOfMemoryError:
            return None

    def _halves(self, batch: np.ndarray[Any, Any], features: Features) -> list[np.ndarray[Any, Any]]:
        if len(batch) == 1:
            raise XlqaError(
                f"one window of {int(features.lengths[batch[0]])} pieces does not fit into {self.device}'s memory: lower "
                "--max-length."
            )
        return [batch[len(batch) // 2 :], batch[: len(batch) // 2]]

    def destroy(self) -> None:
        """Give the device's memory back, but for the weights that the next run of this process may start from."""
        self.network.zero_grad(set_to_none=True)
        if self.started_from:
            self.started_from.give_back(self.device)
        elif self.device != "cpu":
            self.network.to("cpu")
        if self.device != "cpu":
            torch.cuda.empty_cache()


class SpanModel(TaskModel):
    """Finds answers in windows: the model of configs that name no task.

    Called with the features and (Q,) paragraphs, it gives the best answer of each question: (Q,) texts, first characters (-1
    for none) and scores. `find` gives lists of `Span`.

    Args:
        unanswerable: whether the model that is trained may leave questions unanswered; it is kept with its threshold, which
            decides when it is loaded.
    """

    def __init__(self, encoder: str, save_path: str, unanswerable: bool = False, **kwargs: Any) -> None:
        super().__init__(encoder, save_path, **kwargs)
        if kwargs.get("mode") == "train":
            self.set_threshold(0.0 if unanswerable else None)
        else:
            self.set_threshold(read_threshold(self.network, self.save_path))

    def set_threshold(self, threshold: float | None) -> None:
        """Leave questions unanswered from now on where the score of no answer exceeds the best span's by more; None: none."""
        self.head.options = replace(self.head.options, null_threshold=threshold)
        if threshold is not None:
            self.network.config.null_threshold = threshold
        elif hasattr(self.network.config, NULL_THRESHOLD):
            del self.network.config.null_threshold

    @property
    def threshold(self) -> float | None:
        """The threshold in use."""
        return self.head.options.null_threshold

    def fit_threshold(self, features: Any, golds: Sequence[Gold]) -> None:
        """Take the threshold with the best F1 on some questions, of the golds' own scorer (`SpanHead.fit_threshold`).

        Args:
            features: of the questions, without padding; golds: (Q,).
        """
        examples, scorer = [gold.example for gold in golds], golds[0].scorer
        decoded = self._decode(features, 1)
        self.set_threshold(None)
        spans = self.head.predict(features, [[example.context for example in examples]], decoded, 1)
        texts = self.task.outputs_of(spans)[0]
        answered, unanswered = (
            self.task.score(examples, answers, scorer).numerators[:, 0] for answers in (texts, [""] * len(texts))
        )
        head = cast("SpanHead", self.head)
        self.set_threshold(head.fit_threshold(features, decoded, answered, unanswered))


def read_threshold(network: Network, folder: Path) -> float | None:
    """The threshold that a model was kept with; None where it answers every question.

    Raises:
        XlqaError: it is not a finite number.
    """
    found = getattr(network.config, NULL_THRESHOLD, None)
    if found is None:
        return None
    if type(found) not in (int, float) or not math.isfinite(found):
        raise XlqaError(f"{folder / 'config.json'}: {NULL_THRESHOLD} is {found!r:.60}, expected a number.")
    return float(found)


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
