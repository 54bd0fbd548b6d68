"""Make a train and a test part from files of SberQuAD questions: `prepare.py OUT FILE …` writes OUT/train.json and OUT/test.json.

Repeated questions (same paragraph, same question) are counted once and get ids from their text, because the fragments'
own ids repeat. The test part is whole paragraphs, drawn by the SHA-256 of their text until it has 400 questions.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

TEST_QUESTIONS = 400

Paragraphs = dict[str, dict[str, list[dict[str, Any]]]]


def digest(*texts: str) -> str:
    """SHA-256 of texts, hexadecimal."""
    return hashlib.sha256("\x00".join(texts).encode()).hexdigest()


def read_paragraphs(files: list[Path]) -> Paragraphs:
    """Paragraph text to its questions, each question to its answers; the first of equal questions stays."""
    found: Paragraphs = {}
    for file in files:
        for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                questions = found.setdefault(paragraph["context"], {})
                for question in paragraph["qas"]:
                    questions.setdefault(question["question"], question["answers"])
    return found


def write(path: Path, paragraphs: Paragraphs) -> None:
    """Write paragraphs as one SQuAD file."""
    listed = [
        {
            "context": context,
            "qas": [
                {"id": digest(context, question)[:16], "question": question, "answers": answers}
                for question, answers in questions.items()
            ],
        }
        for context, questions in paragraphs.items()
    ]
    document = {"version": "1.1", "data": [{"title": "SberQuAD fragments", "paragraphs": listed}]}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def main(out: Path, files: list[Path]) -> None:
    """Split the files' questions and say how many there are."""
    paragraphs = read_paragraphs(files)
    test: Paragraphs = {}
    for context in sorted(paragraphs, key=digest):
        if sum(map(len, test.values())) >= TEST_QUESTIONS:
            break
        test[context] = paragraphs[context]
    train = {context: questions for context, questions in paragraphs.items() if context not in test}
    out.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", train), ("test", test)):
        write(out / f"{name}.json", part)
        print(f"{name}: {sum(map(len, part.values()))} questions, {len(part)} paragraphs")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
