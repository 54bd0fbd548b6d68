"""Tiny random encoders of every architecture, each with its own kind of tokenizer, as folders like those of the hub."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = [
    "Mara lives in Brenne near the river and works there", "Where does Mara live and who is she ?",
    "Мара живёт в Бренне у реки", "Где живёт Мара ?", "马拉住在布伦讷河边", "El río cruza Brenne", "¿Dónde vive Mara?",
    "in 1846, 1,200 people lived there", "où vit-elle ?",
] * 4  # fmt: skip
"""What the tokenizers are trained on."""

POSITIONS = 130
"""Positions of models that count them (two of them belong to padding in models of RoBERTa's kind)."""


@dataclass(frozen=True)
class Kind:
    """An architecture.

    Attributes:
        config: name of transformers' configuration class; model: of its class without a head.
        make: its tokenizer, and the special tokens by role.
        tokenizer_class: as tokenizer_config.json names it.
        settings: of the configuration, beside SIZES; tokenizer: further entries of tokenizer_config.json.
    """

    config: str
    model: str
    make: Callable[[], tuple[Tokenizer, dict[str, str]]]
    tokenizer_class: str
    settings: dict[str, Any] = field(default_factory=dict)
    tokenizer: dict[str, Any] = field(default_factory=dict)


BERT_TOKENS = {
    "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
}  # fmt: skip
ROBERTA_TOKENS = {
    "bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "cls_token": "<s>",
    "sep_token": "</s>", "mask_token": "<mask>",
}  # fmt: skip
XLNET_TOKENS = {
    "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "cls_token": "<cls>", "sep_token": "<sep>",
    "pad_token": "<pad>", "mask_token": "<mask>",
}  # fmt: skip
GEMMA_TOKENS = {
    "pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>", "unk_token": "<unk>", "cls_token": "<bos>",
    "sep_token": "<eos>", "mask_token": "<mask>",
}  # fmt: skip
ALBERT_TOKENS = {
    "pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
}  # fmt: skip


def _train(tokenizer: Tokenizer, trainer: Any, single: str, pair: str) -> Tokenizer:
    """Train a tokenizer and set how it joins texts; a template's special tokens are those between its dollar signs."""
    tokenizer.train_from_iterator(CORPUS, trainer)
    names = {word.split(":")[0] for word in (single + " " + pair).split() if not word.startswith("$")}
    special = [(name, tokenizer.token_to_id(name)) for name in sorted(names)]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=special)
    return tokenizer


def _tokens(roles: dict[str, str]) -> list[AddedToken]:
    return [AddedToken(name, special=True, normalized=False) for name in dict.fromkeys(roles.values())]


def word_piece(roles: dict[str, str], single: str, pair: str) -> tuple[Tokenizer, dict[str, str]]:
    """BERT's kind: words of a basic tokenizer, then the longest pieces of the vocabulary."""
    tokenizer = Tokenizer(models.WordPiece(unk_token=roles["unk_token"]))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=160, special_tokens=_tokens(roles), show_progress=False)
    return _train(tokenizer, trainer, single, pair), roles


def unigram(roles: dict[str, str], single: str, pair: str, split: bool = False) -> tuple[Tokenizer, dict[str, str]]:
    """SentencePiece's kind: pieces that begin with a mark where a blank was."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    mark = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), mark]) if split else mark
    )  # fmt: skip
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=160, special_tokens=_tokens(roles), unk_token=roles["unk_token"], show_progress=False
    )
    return _train(tokenizer, trainer, single, pair), roles


def byte_level(roles: dict[str, str], single: str, pair: str) -> tuple[Tokenizer, dict[str, str]]:
    """GPT-2's kind: byte pairs over the bytes of UTF-8."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=_tokens(roles), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    return _train(tokenizer, trainer, single, pair), roles


def marked_bpe(roles: dict[str, str], single: str, pair: str) -> tuple[Tokenizer, dict[str, str]]:
    """Gemma's kind: byte pairs over characters, with a mark for each blank."""
    tokenizer = Tokenizer(models.BPE(unk_token=roles["unk_token"], fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.decoder = decoders.Replace("▁", " ")
    trainer = trainers.BpeTrainer(vocab_size=260, special_tokens=_tokens(roles), show_progress=False)
    return _train(tokenizer, trainer, single, pair), roles


def _bert() -> tuple[Tokenizer, dict[str, str]]:
    return word_piece(BERT_TOKENS, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")


def _roberta_pair(make: Callable[..., tuple[Tokenizer, dict[str, str]]], **kind: Any) -> Any:
    return lambda: make(ROBERTA_TOKENS, "<s> $A </s>", "<s> $A </s> </s> $B </s>", **kind)


def _albert() -> tuple[Tokenizer, dict[str, str]]:
    return unigram(ALBERT_TOKENS, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")


def _deberta() -> tuple[Tokenizer, dict[str, str]]:
    return unigram(BERT_TOKENS, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")


CASED = {"do_lower_case": False}
DEBERTA = {
    "relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c", "c2p"], "max_relative_positions": -1,
    "type_vocab_size": 0, "position_buckets": 16, "norm_rel_ebd": "layer_norm", "share_att_key": True,
}  # fmt: skip
MODERN = {
    "global_attn_every_n_layers": 2, "local_attention": 16, "attn_implementation": None, "reference_compile": False,
    "classifier_pooling": "mean",
}  # fmt: skip

KINDS = {
    "BERT": Kind("BertConfig", "BertModel", _bert, "BertTokenizerFast", tokenizer=CASED),
    "RoBERTa": Kind("RobertaConfig", "RobertaModel", _roberta_pair(byte_level), "RobertaTokenizerFast", {"type_vocab_size": 1}),
    "XLM-R": Kind(
        "XLMRobertaConfig", "XLMRobertaModel", _roberta_pair(unigram, split=True), "XLMRobertaTokenizerFast",
        {"type_vocab_size": 1},
    ),
    "CamemBERT": Kind(
        "CamembertConfig", "CamembertModel", _roberta_pair(unigram, split=True), "CamembertTokenizerFast",
        {"type_vocab_size": 1},
    ),
    "RoBERTa with BERT's tokenizer": Kind(
        "RobertaConfig", "RobertaModel", _bert, "BertTokenizerFast", {"type_vocab_size": 1}, CASED
    ),
    "DistilBERT": Kind(
        "DistilBertConfig", "DistilBertModel", _bert, "DistilBertTokenizerFast",
        {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2}, CASED,
    ),
    "DistilBERT with BERT's tokenizer": Kind(
        "DistilBertConfig", "DistilBertModel", _bert, "BertTokenizerFast",
        {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2}, CASED,
    ),
    "ELECTRA": Kind("ElectraConfig", "ElectraModel", _bert, "ElectraTokenizerFast", {"embedding_size": 16}, CASED),
    "ALBERT": Kind("AlbertConfig", "AlbertModel", _albert, "AlbertTokenizerFast", {"embedding_size": 16}),
    "RemBERT": Kind(
        "RemBertConfig", "RemBertModel", _albert, "RemBertTokenizerFast",
        {"input_embedding_size": 16, "output_embedding_size": 24},
    ),
    "DeBERTa-v2": Kind(
        "DebertaV2Config", "DebertaV2Model", _deberta, "DebertaV2TokenizerFast", DEBERTA | {"conv_kernel_size": 3, "conv_act": "gelu"}
    ),
    "DeBERTa-v3, mDeBERTa": Kind("DebertaV2Config", "DebertaV2Model", _deberta, "DebertaV2TokenizerFast", DEBERTA),
    "ModernBERT": Kind(
        "ModernBertConfig", "ModernBertModel",
        lambda: byte_level(BERT_TOKENS, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]"), "PreTrainedTokenizerFast",
        MODERN, {"model_input_names": ["input_ids", "attention_mask"]},
    ),
    "mmBERT": Kind(
        "ModernBertConfig", "ModernBertModel",
        lambda: marked_bpe(GEMMA_TOKENS, "<bos> $A <eos>", "<bos> $A <eos> $B <eos>"), "PreTrainedTokenizerFast",
        MODERN, {"model_input_names": ["input_ids", "attention_mask"]},
    ),
    "MPNet": Kind(
        "MPNetConfig", "MPNetModel",
        lambda: word_piece(
            ROBERTA_TOKENS | {"unk_token": "[UNK]"}, "<s> $A </s>", "<s> $A </s> </s> $B:1 </s>:1"
        ),
        "MPNetTokenizerFast", tokenizer=CASED,
    ),
    "XLNet": Kind(
        "XLNetConfig", "XLNetModel",
        lambda: unigram(XLNET_TOKENS, "$A <sep> <cls>:2", "$A <sep> $B:1 <sep>:1 <cls>:2"), "XLNetTokenizerFast",
        {"d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 64}, {"padding_side": "left", "pad_token_type_id": 3},
    ),
    "GPT-2": Kind(
        "GPT2Config", "GPT2Model", _roberta_pair(byte_level), "GPT2TokenizerFast",
        {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": POSITIONS},
    ),
    "LLaMA": Kind("LlamaConfig", "LlamaModel", _roberta_pair(unigram), "PreTrainedTokenizerFast"),
    "BART": Kind(
        "BartConfig", "BartModel", _roberta_pair(byte_level), "BartTokenizerFast",
        {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
         "decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64},
    ),
}  # fmt: skip

NOT_ENCODERS = ("XLNet", "GPT-2", "LLaMA", "BART")

SIZES = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "max_position_embeddings": POSITIONS, "initializer_range": 0.2,
}  # fmt: skip


def make(kind: str, folder: Path) -> Path:
    """A folder with a random encoder of a kind: configuration, weights, tokenizer."""
    import torch
    import transformers

    transformers.utils.logging.set_verbosity_error()
    described = KINDS[kind]
    tokenizer, roles = described.make()
    write_tokenizer(folder, tokenizer, roles, described)
    number = {role: tokenizer.token_to_id(token) for role, token in roles.items()}
    ids = {f"{role}_id": number.get(role) for role in ("pad_token", "bos_token", "eos_token", "cls_token", "sep_token")}
    settings = SIZES | {"vocab_size": tokenizer.get_vocab_size()} | {k: v for k, v in ids.items() if v is not None}
    if described.config == "XLNetConfig":
        del settings["max_position_embeddings"]
    if "d_model" in described.settings or "n_embd" in described.settings or "dim" in described.settings:
        renamed = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
        settings = {name: value for name, value in settings.items() if name not in renamed}
    torch.manual_seed(0)
    config = getattr(transformers, described.config)(**(settings | described.settings))
    getattr(transformers, described.model)(config).save_pretrained(str(folder))
    return folder


def write_tokenizer(folder: Path, tokenizer: Tokenizer, roles: dict[str, str], kind: Kind) -> None:
    """tokenizer.json and tokenizer_config.json, as the hub has them."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": kind.tokenizer_class, **roles, **kind.tokenizer}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
