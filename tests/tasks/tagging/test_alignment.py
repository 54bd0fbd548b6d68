"""Words and pieces: every word of every sentence carries its label once, on a piece of its own, in a window that fits."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from xlqa.components.preprocessor import load_tokenizer
from xlqa.errors import XlqaError
from xlqa.tasks.tagging.alignment import cut, label_words, make_tagged_windows
from xlqa.training.batching import collate

WORDS = ["mara", "lives", "in", "Бренна", "北", "京", "x" * 30, "", "\u3000", "🙂", "río", "e\u0301", "a-b", "\u200b"]
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def unigram() -> Any:
    """A tokenizer of XLM-R's kind, whose boundary mark is a piece of its own before Chinese."""
    pieces = [(s, 0.0) for s in SPECIAL] + [("▁", -2.0), ("▁mara", -3.0), ("▁lives", -3.0), ("in", -3.0)]
    pieces += [(c, -5.0) for c in "abcdefghijklmnopqrstuvwxyzБрена北京-"]
    backend = Tokenizer(models.Unigram(pieces, unk_id=3))
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, cls_token="<s>", pad_token="<pad>", sep_token="</s>", unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip


def byte_level() -> Any:
    """A tokenizer of RoBERTa's kind."""
    pieces = {s: i for i, s in enumerate(SPECIAL + sorted(pre_tokenizers.ByteLevel.alphabet()))}
    pieces["ma"], pieces["Ġm"] = len(pieces), len(pieces) + 1
    backend = Tokenizer(models.BPE(pieces, [("m", "a"), ("Ġ", "m")]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, cls_token="<s>", pad_token="<pad>", sep_token="</s>")


@pytest.fixture(scope="module", params=["wordpiece", "unigram", "byte-level"])
def tokenizer(request: pytest.FixtureRequest, encoder: Path) -> Any:
    made = {"unigram": unigram, "byte-level": byte_level}
    return made[request.param]() if request.param in made else load_tokenizer(encoder)


SENTENCES = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=20), min_size=1, max_size=4)


@given(sentences=SENTENCES, length=st.integers(16, 40), share=st.floats(0, 0.5))
@settings(max_examples=100, deadline=None)
def test_every_word_is_labelled_once_in_a_window_that_fits(
    tokenizer: Any, sentences: list[list[str]], length: int, share: float
) -> None:
    windows = make_tagged_windows(tokenizer, sentences, length, int(share * length))
    labelled = windows.word[windows.word >= 0]
    assert sorted(labelled.tolist()) == list(range(sum(map(len, sentences))))
    assert windows.lengths.max() <= length
    assert len(windows) == len(sentences)
    assert np.diff(windows.borders).tolist() == [len(words) for words in sentences]
    special = set(windows.template.before + windows.template.after) - {windows.template.unknown}
    assert not special & set(windows.ids[windows.word >= 0].tolist())


@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(9, 30), st.integers(0, 15))
def test_windows_of_a_long_sentence_cover_it_in_order(sizes: list[int], room: int, stride: int) -> None:
    found = list(cut(sizes, room, stride))
    assert [word for _, _, low, high in found for word in range(low, high)] == list(range(len(sizes)))
    for begin, end, low, high in found:
        assert begin <= low < high <= end
        assert sum(sizes[begin:end]) <= room
    if len(found) > 1:
        shared = [before[1] - after[0] for before, after in pairwise(found)]
        assert min(shared) >= 0


def test_a_long_sentence_keeps_context_on_both_sides() -> None:
    found = list(cut([1] * 30, 16, 8))
    assert found == [(0, 16, 0, 12), (8, 24, 12, 20), (16, 30, 20, 30)]


def test_the_label_is_on_the_first_piece_that_holds_a_character() -> None:
    tokenizer = unigram()
    windows = make_tagged_windows(tokenizer, [["北", "mara", "\u200b"]], 32, 8)
    tokens = tokenizer.convert_ids_to_tokens(windows.ids.tolist())
    assert tokens[:4] == ["<s>", "▁", "北", "▁mara"]
    assert windows.word.tolist()[:4] == [-1, -1, 0, 1]


def test_a_word_without_a_piece_is_the_unknown_piece(encoder: Path) -> None:
    tokenizer = load_tokenizer(encoder)
    windows = make_tagged_windows(tokenizer, [["mara", "", "lives"]], 32, 8)
    assert windows.ids[windows.word == 1].tolist() == [tokenizer.unk_token_id]


def test_labels_of_a_batch_stand_where_the_words_do(tokenizer: Any) -> None:
    sentences = [["mara", "lives"], ["in", "Бренна", "北"]]
    windows = make_tagged_windows(tokenizer, sentences, 32, 8)
    labels = label_words(windows, [["A", "B"], ["B", "A", "A"]], ["A", "B"])
    batch = np.array([1, 0])
    tensors = collate(windows, batch)
    found = labels.batch(windows, batch, tensors["input_ids"].shape[1])["label"]
    assert [row[row >= 0].tolist() for row in found] == [[1, 0, 0], [0, 1]]
    assert ((found >= 0) == (windows.words_of(batch, found.shape[1]) >= 0)).all()
    assert (labels.weight(batch), labels.weight(batch[:1])) == (5, 3)


def test_a_tag_outside_the_labels_is_named(encoder: Path) -> None:
    windows = make_tagged_windows(load_tokenizer(encoder), [["mara"]], 32, 8)
    with pytest.raises(XlqaError, match=r"the tag 'B-MISC' is not among the labels of this run \(O\)"):
        label_words(windows, [["B-MISC"]], ["O"])
