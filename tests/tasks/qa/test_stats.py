"""The figures of `data stats` are those one gets by counting."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from xlqa.errors import XlqaError
from xlqa.tasks.qa import stats
from xlqa.tasks.qa.reading import Reading, read_dataset
from xlqa.tasks.qa.stats import QUANTILES, StatsTokenizer, describe, lengths, load_tokenizer


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    def qa(identity: str, question: str, *answers: tuple[str, int]) -> dict[str, object]:
        return {"id": identity, "question": question, "is_impossible": not answers,
                "answers": [{"text": text, "answer_start": start} for text, start in answers]}  # fmt: skip

    long = "word " * 40 + "end"
    value = {"version": "v2.0", "data": [{"paragraphs": [
        {"context": "Anna met Ben", "qas": [qa("1", "Who?", ("Anna", 0), ("Ben", 9)), qa("2", "Whom?", ("Ben", 9))]},
        {"context": long, "qas": [qa("3", "What is it?", ("end", 200)), qa("4", "Why?")]},
    ]}]}  # fmt: skip
    path = tmp_path / "set.json"
    path.write_text(json.dumps(value))
    return read_dataset(path)


def words(texts: Sequence[str]) -> tuple[list[int], int]:
    """A tokenizer of white-space words that does not know the word "end"."""
    return [len(text.split()) for text in texts], sum(text.split().count("end") for text in texts)


def test_counts_and_lengths(reading: Reading) -> None:
    found = describe(reading)
    assert (found.questions, found.unanswerable, found.paragraphs) == (3, 1, 2)
    assert found.answers_per_question == pytest.approx(4 / 3)
    assert found.questions_per_paragraph == 2
    assert found.paragraph.mean == (12 + 203) / 2
    assert (found.paragraph.quantiles[0], found.paragraph.quantiles[-1]) == (12, 203)
    assert found.answer.quantiles[QUANTILES.index(0.5)] == 3
    assert found.answer_position.quantiles[-1] == pytest.approx(200 / 203)
    assert found.pieces is None


def test_pieces_and_windows(reading: Reading) -> None:
    # Room for the paragraph: 20 pieces less 3 special ones less the question's 1, 1, 3 and 1.
    found = describe(reading, max_length=20, stride=4, tokenizer=StatsTokenizer("words", words, 3)).pieces
    assert found is not None
    assert found.paragraph.mean == (3 + 41) / 2
    assert found.per_word == 1
    assert found.per_character == pytest.approx(44 / (10 + 163))
    assert found.unknown == pytest.approx(1 / 44)
    assert found.beyond_window == 0.5
    # 41 pieces by 14 (16) at a time, 10 (12) new ones in each further window: 4 and 4 windows.
    assert found.windows == (1 + 1 + 4 + 4) / 4


@pytest.mark.parametrize(
    ("letter", "limit", "beyond"), [("d", 0, 1), ("A", 0, 0), ("n", 0, 3), ("n", 1, 0), ("B", 0, 1)]
)
def test_a_question_is_out_of_reach_when_all_its_answers_are_too_long(
    reading: Reading, letter: str, limit: int, beyond: int
) -> None:
    # A tokenizer that gives a piece for each such letter. The answers: "Anna" or "Ben"; "Ben"; "end".
    cut = StatsTokenizer("letters", lambda texts: ([text.count(letter) for text in texts], 0), 3)
    found = describe(reading, max_length=60, stride=4, max_answer_length=limit, tokenizer=cut).pieces
    assert found is not None
    assert found.too_long == pytest.approx(beyond / 3)
    assert found.max_answer_length == limit


def test_long_questions_are_cut_as_in_training(tmp_path: Path) -> None:
    # 40 pieces less 3 special ones, 4 shared and 16 new ones leave a question 17 of its 20.
    qa = {"id": "q", "question": " ".join("w" * 20), "answers": [{"text": "w", "answer_start": 0}]}
    path = tmp_path / "set.json"
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": " ".join("w" * 40), "qas": [qa]}]}]}))
    found = describe(read_dataset(path), max_length=40, stride=4, tokenizer=StatsTokenizer("words", words, 3)).pieces
    assert found is not None
    assert found.questions_cut == 1
    assert found.windows == 1 + 2  # room for 20 of 40 pieces, then 16 new ones at a time


def test_a_window_needs_room(reading: Reading) -> None:
    with pytest.raises(XlqaError, match="raise --max-length or lower --stride"):
        describe(reading, max_length=8, stride=4, tokenizer=StatsTokenizer("words", words, 3))


def test_nothing_has_no_length() -> None:
    assert math.isnan(lengths([]).mean)
    assert len(lengths([]).quantiles) == len(QUANTILES)


def tokenizer_folder(folder: Path) -> Path:
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.models.WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "Anna": 3, "met": 4}, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=9)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.mark.parametrize(("template", "special"), [("<s> $A </s> $B </s>", 3), ("<s> $A </s> </s> $B </s>", 4)])
def test_windows_are_counted_as_training_cuts_them(template: str, special: int, tmp_path: Path) -> None:
    tokenizers, transformers = pytest.importorskip("tokenizers"), pytest.importorskip("transformers")
    from xlqa.tasks.qa.windows import WindowShape, make_windows

    model = tokenizers.models.WordLevel({"<s>": 0, "</s>": 1, "<unk>": 2, "w": 3}, unk_token="<unk>")
    raw = tokenizers.Tokenizer(model)
    raw.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    pieces = [("<s>", 0), ("</s>", 1)]
    raw.post_processor = tokenizers.processors.TemplateProcessing("<s> $A </s>", template, pieces)
    raw.save(str(tmp_path / "tokenizer.json"))
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw, cls_token="<s>", sep_token="</s>", pad_token="</s>"
    )
    contexts, questions = [" ".join("w" * n) for n in (500, 501, 7, 333)], [" ".join("w" * n) for n in (40, 17, 3, 90)]
    qas = [
        {"id": str(i), "question": q, "answers": [{"text": "w", "answer_start": 0}]} for i, q in enumerate(questions)
    ]
    data = [{"paragraphs": [{"context": c, "qas": [qa]} for c, qa in zip(contexts, qas, strict=True)]}]
    (tmp_path / "set.json").write_text(json.dumps({"data": data}))
    found = describe(read_dataset(tmp_path / "set.json"), model=str(tmp_path), max_length=40, stride=4).pieces
    assert found is not None
    assert load_tokenizer(str(tmp_path)).special == special
    windows = make_windows(fast, contexts, questions, WindowShape(40, 4))
    assert found.windows == len(windows.question) / 4
    assert found.questions_cut == 2


def test_a_tokenizer_folder_needs_no_transformers(reading: Reading, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(tokenizer_folder(tmp_path)))
    assert tokenizer.special == 3
    assert tokenizer.count(["Anna met Ben", ""]) == ([3, 0], 1)


def test_folders_without_a_tokenizer_say_so(tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match=r"has no tokenizer\.json"):
        load_tokenizer(str(tmp_path))
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(XlqaError, match="is not a tokenizer"):
        load_tokenizer(str(tmp_path))


def test_a_model_folder_that_is_missing_is_one_line() -> None:
    with pytest.raises(XlqaError, match=r"^/no/such/model: there is no such model folder\.$"):
        load_tokenizer("/no/such/model")


def test_a_source_adds_the_overlap_of_pieces(reading: Reading, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(tokenizer_folder(tmp_path)))
    assert describe(reading, tokenizer=tokenizer).pieces.overlap is None
    found = describe(reading, tokenizer=tokenizer, source=stats.count_reading(reading, tokenizer)).pieces
    assert found is not None
    assert found.overlap is not None
    assert (found.overlap.types, found.overlap.tokens, found.overlap.untouched) == (1, 1, 0)
    assert found.whole_words is not None
    assert 0 < found.whole_words <= 1
