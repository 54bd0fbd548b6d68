"""Overlap of word pieces, against an example that was worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from xlqa.tasks.pieces import count_pieces, entity_texts, main_script, measure_overlap, texts_of

VOCABULARY = ["[UNK]", "the", "cat", "##s", "sat", "gat", "##o", "come", "."]


@pytest.fixture(scope="module")
def tokenizer():
    tokenizers = pytest.importorskip("tokenizers")
    words = {piece: number for number, piece in enumerate(VOCABULARY)}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(words, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return made


def test_pieces_are_counted(tokenizer):
    counts = count_pieces(tokenizer, ["the cats sat.", "the cat"])
    # the cat ##s sat . / the cat
    assert dict(counts.pieces) == {"the": 2, "cat": 2, "##s": 1, "sat": 1, ".": 1}
    assert (counts.total, counts.unknown, counts.white_space_words) == (7, 0, 5)
    assert counts.per_word == 7 / 5
    assert (counts.whole_words, counts.words) == (4, 5), (
        "the, the, cat and sat without its full stop; cats is two pieces"
    )
    assert counts.characters == 3 + 4 + 4 + 3 + 3


def test_overlap_is_what_pires_et_al_define(tokenizer):
    source = count_pieces(tokenizer, ["the cats sat."])  # the cat ##s sat .
    target = count_pieces(tokenizer, ["gatos come.", "gato xyz"])  # gat ##o ##s come . gat ##o [UNK]
    found = measure_overlap(source, target)
    # Shared: ##s and the full stop. All: the cat ##s sat . gat ##o come, 8 pieces. The unknown piece is in neither set.
    assert found.types == 2 / 8
    assert found.tokens == 2 / 7
    assert found.untouched == 3 / 5
    assert target.unknown == 1
    assert measure_overlap(source, source).types == 1


def test_an_empty_target_has_no_overlap(tokenizer):
    found = measure_overlap(count_pieces(tokenizer, ["the cat"]), count_pieces(tokenizer, []))
    assert (found.types, found.tokens, found.untouched) == (None, None, None)


def test_entities_are_taken_whole_and_texts_once():
    sentence = SimpleNamespace(words=("Ann", "Lee", "met", "Bo", "Cy"), tags=("B-PER", "I-PER", "O", "B-PER", "B-PER"))
    assert entity_texts([sentence]) == ["Ann Lee", "Bo", "Cy"]
    task = SimpleNamespace(input_of=lambda example: example)
    assert texts_of(task, [("p", "q1"), ("p", "q2"), (["a", "b"], "q1")]) == ["p", "q1", "q2", "a b"]


@pytest.mark.parametrize(
    ("text", "script"),
    [("Привет, Bob!", "Cyrillic"), ("漢字かな漢", "Han"), ("hello", "Latin"), ("हिन्दी", "Devanagari"), ("12", "")],
)
def test_the_script_is_that_of_most_letters(text: str, script: str):
    assert main_script([text]) == script
