"""What the sides work on: an encoder, and questions whose paragraphs fit one window."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xlqa.data.sample import sample_path
from xlqa.errors import XlqaError
from xlqa.records import Question
from xlqa.tasks.qa.reading import read_dataset

ROOT = Path(__file__).resolve().parents[2]
SQUAD = ROOT.parent / "shared" / "data" / "squad" / "dev-v1.1.json.xz"
MBERT = ROOT.parent / "shared" / "data" / "mbert-tokenizer"
SPECIAL_PIECES = 3
MAX_QUESTION_PIECES = 64
"""The longest question that xlqa, DeepPavlov and run_qa all leave whole at the default window."""


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that every side is given.

    Attributes:
        encoder: a model folder with tokenizer.
        texts: a folder with train-v1.1.json and dev-v1.1.json, as DeepPavlov's reader names them.
        train, test: numbers of questions in them.
        batch_size: questions an update; max_length: pieces a window.
        device: cpu or cuda; threads: of a process on a CPU.
    """

    encoder: Path
    texts: Path
    train: int
    test: int
    batch_size: int
    max_length: int
    device: str
    threads: int

    @property
    def train_file(self) -> Path:
        """The training questions."""
        return self.texts / "train-v1.1.json"

    @property
    def test_file(self) -> Path:
        """The questions to answer."""
        return self.texts / "dev-v1.1.json"


def find_encoder(name: str, scratch: Path) -> Path:
    """The folder of an encoder: a path, a hub name, `minilm`, or `mbert` for mBERT's shape with random weights.

    Raises:
        XlqaError: it is not there.
    """
    if name == "mbert":
        return _random_mbert(scratch / "mbert")
    from xlqa.runs.plan.encoders import resolve_encoder

    return Path(resolve_encoder(name).folder)


def _random_mbert(folder: Path) -> Path:
    from transformers import BertConfig, BertForQuestionAnswering

    if not MBERT.is_dir():
        raise XlqaError(f"--encoder mbert: its tokenizer is not at {MBERT}: give a model folder instead.")
    folder.mkdir(parents=True)
    for file in MBERT.iterdir():
        if file.suffix == ".xz":
            _unpack(file, folder / file.stem)
        else:
            shutil.copyfile(file, folder / file.name)
    config = BertConfig.from_json_file(str(folder / "bert_config.json"))
    BertForQuestionAnswering(config).save_pretrained(str(folder), safe_serialization=True)
    return folder


def _unpack(packed: Path, to: Path) -> None:
    import lzma

    with lzma.open(packed) as source, to.open("wb") as target:
        shutil.copyfileobj(source, target)


def find_text(path: Path | None, scratch: Path) -> Path:
    """The file with questions: the one given, else SQuAD's dev set beside the checkout, else the embedded sample."""
    if path is not None:
        return path
    if not SQUAD.is_file():
        return sample_path("en.train")
    _unpack(SQUAD, scratch / SQUAD.stem)
    return scratch / SQUAD.stem


def choose_questions(file: Path, encoder: Path, count: int, max_length: int, seed: int) -> list[Question]:
    """A seeded choice of questions that fit one window, of the lengths that the file has.

    Raises:
        XlqaError: the file has too few.
    """
    from xlqa.components.preprocessor import load_tokenizer

    tokenizer = load_tokenizer(encoder)
    questions = list(read_dataset(file, skip_bad=True).questions)
    random.Random(seed).shuffle(questions)
    chosen: list[Question] = []
    for question in questions:
        asked = len(tokenizer.tokenize(question.question))
        pieces = asked + len(tokenizer.tokenize(question.context)) + SPECIAL_PIECES
        if pieces <= max_length and asked <= MAX_QUESTION_PIECES and question.answers:
            chosen.append(question)
            if len(chosen) == count:
                return chosen
    raise XlqaError(
        f"{file.name} has {len(chosen):,} questions that fit one window, {count:,} wanted: lower --train and --test."
    )


def write_questions(questions: Sequence[Question], path: Path) -> None:
    """Write questions in SQuAD v1.1's form, a paragraph each."""
    paragraphs = [
        {
            "context": q.context,
            "qas": [
                {
                    "id": q.id,
                    "question": q.question,
                    "answers": [{"text": a.text, "answer_start": a.start} for a in q.answers],
                }
            ],
        }
        for q in questions
    ]
    document = {"version": "1.1", "data": [{"title": "bench", "paragraphs": paragraphs}]}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
