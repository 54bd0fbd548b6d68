"""Labels and answers under tokenizers of every kind: WordPiece, Unigram with and without a prefix blank, byte-level BPE."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from xlqa.tasks.qa.decoding import merge_windows
from xlqa.tasks.qa.windows import BLANKS, WindowShape, label_windows, make_windows, trim_span

CORPUS = [
    "Mara lives in Brenne near the river", "Мара живёт в Бренне у реки", "马拉住在布伦讷河边", "El río cruza Brenne",
    "in 1846, 1,200 people", "où vit-elle ?",
] * 4  # fmt: skip
SPECIALS = ["<s>", "</s>", "<pad>", "<unk>"]


def finish(tokenizer: Tokenizer, trainer: Any) -> Any:
    """A trained tokenizer behind transformers' interface, joining two texts as XLM-RoBERTa does."""
    from transformers import PreTrainedTokenizerFast

    keep = tokenizer.post_processor
    tokenizer.train_from_iterator(CORPUS, trainer)
    number = tokenizer.token_to_id
    join = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", number("<s>")), ("</s>", number("</s>"))],
    )  # fmt: skip
    tokenizer.post_processor = processors.Sequence([keep, join]) if keep is not None else join
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>",
        pad_token="<pad>", unk_token="<unk>",
    )  # fmt: skip


def unigram(prepend: str) -> Any:
    tokenizer = Tokenizer(models.Unigram())
    # SentencePiece reads every blank as a space. Without that, unknown letters and a newline between them are one piece.
    blank = normalizers.Replace(Regex(r"[\n\t\u200b]"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), blank])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=prepend)
    return finish(
        tokenizer,
        trainers.UnigramTrainer(vocab_size=120, special_tokens=SPECIALS, unk_token="<unk>", show_progress=False),
    )


def byte_level(trim: bool, prefix: bool) -> Any:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    if trim:
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=True, add_prefix_space=prefix)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return finish(
        tokenizer,
        trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIALS, initial_alphabet=alphabet, show_progress=False),
    )


def word_piece() -> Any:
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return finish(tokenizer, trainers.WordPieceTrainer(vocab_size=160, special_tokens=SPECIALS, show_progress=False))


KINDS = {
    "WordPiece": word_piece,
    "Unigram with a prefix blank": lambda: unigram("always"),
    "Unigram without a prefix blank": lambda: unigram("never"),
    "byte-level BPE": lambda: byte_level(trim=False, prefix=False),
    "byte-level BPE with a prefix blank": lambda: byte_level(trim=False, prefix=True),
    "byte-level BPE with trimmed offsets": lambda: byte_level(trim=True, prefix=True),
}
TOKENIZERS: dict[str, Any] = {}


def tokenizer_of(kind: str) -> Any:
    if kind not in TOKENIZERS:
        TOKENIZERS[kind] = KINDS[kind]()
    return TOKENIZERS[kind]


BLANK = st.text(alphabet=" \n\u00a0\t\u200b\u3000", min_size=1, max_size=3)
WORD = st.text(alphabet="Marlivesintзжвёяр马住é1846,-", min_size=1, max_size=7)


def answers_at_labels(tokenizer: Any, context: str, start: int, stop: int, shape: WindowShape) -> list[str]:
    """What is cut out of the context at each answered window's label of a gold span."""
    windows = make_windows(tokenizer, [context], ["where"], shape)
    begin, end = trim_span(context, start, stop)
    labels = label_windows(windows, np.array([begin]), np.array([end]))
    score = np.where(labels.answered, 0.0, -np.inf).astype(np.float32)[:, None]
    spans = merge_windows(
        windows, [context], score, labels.start.astype(np.int64)[:, None], labels.end.astype(np.int64)[:, None]
    )
    return [span.text for span in spans[0]]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_gold_answer_comes_back_without_blanks(kind: str, data: st.DataObject) -> None:
    """Words between blanks, the gold answer some of them with or without the blanks around."""
    words = data.draw(st.lists(WORD, min_size=1, max_size=8))
    blanks = [data.draw(BLANK) for _ in range(len(words) + 1)]
    if kind == "WordPiece":  # BERT's normaliser deletes a zero-width space: it does not part two words
        blanks = [blank.replace("\u200b", "") or " " for blank in blanks]
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    before, gold, after = (
        "".join(blanks[i] + words[i] for i in range(first)), "".join(words[i] + blanks[i + 1] for i in range(first, last)) + words[last],
        "".join(blanks[i] + words[i] for i in range(last + 1, len(words))),
    )  # fmt: skip
    head = data.draw(st.sampled_from(["", blanks[first]]))
    tail = blanks[last + 1] if after or data.draw(st.booleans()) else ""
    context = before + blanks[first] + gold + (after or tail)
    start = len(before) + len(blanks[first])
    stop = start + len(gold)
    tail_taken = len(tail) if data.draw(st.booleans()) else 0
    found = answers_at_labels(
        tokenizer_of(kind), context, start - len(head), min(stop + tail_taken, len(context)), WindowShape(256, 10)
    )
    assert found == [gold]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_label_covers_the_answer_and_no_piece_more(kind: str, data: st.DataObject) -> None:
    context = data.draw(st.text(alphabet="Mar in Бр 住河é,\n\u00a0\u200b\u0301\U0001f600ﬁ", min_size=1, max_size=90))
    begin = data.draw(st.integers(0, len(context) - 1))
    stop = data.draw(st.integers(begin + 1, len(context)))
    start, end = trim_span(context, begin, stop)
    tokenizer = tokenizer_of(kind)
    windows = make_windows(tokenizer, [context], ["where"], WindowShape(60, 8))
    if start == end:
        return
    labels = label_windows(windows, np.array([start]), np.array([end]))
    for w in np.flatnonzero(labels.answered):
        at = windows.starts[w]
        first, last = at + labels.start[w], at + labels.end[w]
        assert windows.context_from[w] <= labels.start[w] <= labels.end[w] < windows.context_to[w]
        if first < last:
            # Without its first or its last piece the label would lose a character of the answer.
            assert windows.char_end[first] > start
            assert windows.char_start[last] < end


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_answer_begins_or_ends_with_a_blank(kind: str, data: st.DataObject) -> None:
    """Whatever span the model chooses, of whatever pieces."""
    context = data.draw(st.text(alphabet="Mar in Бр 住河é,\n\u00a0\u200b ", min_size=1, max_size=60))
    windows = make_windows(tokenizer_of(kind), [context], ["where"], WindowShape(64, 8))
    size = int(windows.context_to[0] - windows.context_from[0])
    if size == 0:
        return
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size - 1))
    low = int(windows.context_from[0])
    score = np.full((len(windows.question), 1), -np.inf, dtype=np.float32)
    score[0] = 0.0
    places = np.zeros((len(windows.question), 1), dtype=np.int64)
    (spans,) = merge_windows(windows, [context], score, places + low + first, places + low + last)
    for span in spans:
        assert span.text == context[span.start : span.end]
        assert span.text
        assert span.text == span.text.strip(BLANKS)
