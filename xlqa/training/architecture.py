"""Which architectures xlqa can train, how long their windows may be, and what their networks take.

A sweep asks before it starts. For the architectures in `ENCODERS`, which the tests train, config.json is enough. For others
transformers is asked, and the network is built without memory for its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.tasks.base import Head
from xlqa.util.files import load_json
from xlqa.util.text import first_line, plain


@dataclass(frozen=True, slots=True)
class Positions:
    """How an architecture numbers the pieces of a window.

    Attributes:
        limited: whether it has a vector (or a trained angle) for each of `max_position_embeddings` positions.
        after_padding: whether positions begin behind the number of the padding piece, as in RoBERTa.
    """

    limited: bool = True
    after_padding: bool = False


ENCODERS: dict[str, Positions] = {
    "bert": Positions(),
    "roberta": Positions(after_padding=True),
    "xlm-roberta": Positions(after_padding=True),
    "camembert": Positions(after_padding=True),
    "distilbert": Positions(),
    "electra": Positions(),
    "albert": Positions(),
    "rembert": Positions(),
    "deberta-v2": Positions(limited=False),
    "modernbert": Positions(),
    "mpnet": Positions(after_padding=True),
}
"""The architectures that the tests train, score and export (tests/training/test_encoder_kinds.py)."""

REFUSED = {
    "xlnet": "XLNet puts its [CLS] at the end and its padding in front",
    "fnet": "FNet mixes padding into its texts",
    "reformer": "Reformer reads texts of fixed lengths only",
}
"""Architectures that have the heads but cannot be trained as the others are, with the reason."""

INSTEAD = "choose an encoder, such as bert-base-multilingual-cased or xlm-roberta-base"


def check_architecture(
    folder: Path, *, max_length: int | None = None, make_head: Callable[[], Head] | None = None
) -> None:
    """Refuse an encoder whose architecture cannot be trained, or whose positions a window would exceed.

    Args:
        folder: of the encoder; its config.json is enough.
        max_length: pieces of a window; None where no windows are made.
        make_head: makes the head that is put on an architecture that is not in `ENCODERS`; None where it is not built.

    Raises:
        XlqaError: names architecture and reason.
    """
    config = load_json(folder / "config.json")
    kind = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(kind, str):
        raise XlqaError(f"{folder / 'config.json'} has no model_type: give a complete model folder.")
    if kind in REFUSED:
        raise XlqaError(f"{REFUSED[kind]}, which xlqa cannot train: {INSTEAD}.")
    if config.get("is_encoder_decoder") is True:
        raise XlqaError(f"the model is an encoder with a decoder ({plain(kind, 40)}): {INSTEAD}.")
    if config.get("is_decoder") is True:
        raise XlqaError(f"the model is a decoder (config.json: is_decoder): {INSTEAD}.")
    if kind not in ENCODERS:
        _check_other(folder, kind, make_head)
    limit = position_limit(config)
    if limit is not None and max_length is not None and max_length > limit:
        raise XlqaError(f"--max-length {max_length}: the model has {limit} positions: use {limit} or less.")


def position_limit(config: Mapping[str, Any]) -> int | None:
    """The most pieces of a window, by a config.json; None where nothing limits them or the architecture is not known."""
    known = ENCODERS.get(str(config.get("model_type")))
    count = config.get("max_position_embeddings")
    limited = known is not None and (known.limited or config.get("position_biased_input") is True)
    if not limited or not isinstance(count, int) or known is None:
        return None
    padding = config.get("pad_token_id", 1)
    return count - (padding if isinstance(padding, int) else 1) - 1 if known.after_padding else count


def untested_architecture(folder: Path) -> str | None:
    """The architecture of an encoder that xlqa's tests do not train; None for the others."""
    kind = load_json(folder / "config.json").get("model_type")
    return None if kind in ENCODERS else str(kind)


def _check_other(folder: Path, kind: str, make_head: Callable[[], Head] | None) -> None:
    """Ask transformers about an architecture, and build its network without memory.

    Raises:
        XlqaError: it is a decoder, has no such head, is not known, or cannot be built.
    """
    from transformers import CONFIG_MAPPING, __version__
    from transformers.models.auto import modeling_auto

    if kind not in CONFIG_MAPPING:
        raise XlqaError(
            f"the installed transformers {__version__} does not know the architecture {plain(kind, 40)!r}: {INSTEAD}."
        )
    causal = modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    masked = modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if kind in causal and kind not in masked:
        raise XlqaError(f"the model is a decoder ({kind}), which reads from left to right: {INSTEAD}.")
    if make_head is None:
        return
    try:
        build_empty(folder, make_head())
    except XlqaError:
        raise
    except Exception as error:  # transformers raises whatever a configuration's values lead to
        raise XlqaError(f"its network cannot be built ({first_line(error)}): {INSTEAD}.") from error


def build_empty(folder: Path, head: Head) -> Any:
    """The network of an encoder's config.json with a head, without memory for its weights."""
    import torch
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True, **head.config())
    with torch.device("meta"):
        return network_class(config, head)(config)


def network_class(config: Any, head: Head) -> Any:
    """The class of transformers for a configuration and a head.

    Raises:
        XlqaError: the architecture has no such head.
    """
    import transformers

    known = getattr(transformers, head.auto_class)._model_mapping
    if type(config) not in known:
        raise XlqaError(f"transformers has no {head.what} for the architecture {config.model_type}: {INSTEAD}.")
    found = known[type(config)]
    return found[0] if isinstance(found, tuple) else found


def attention_of(network: Any) -> str:
    """The attention kernel for a network's class: torch's fused one where transformers has it, otherwise plain products."""
    return "sdpa" if getattr(network, "_supports_sdpa", False) else "eager"
