"""Writes tagged sentences: columns (word, tab, tag), CoNLL-U and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from xlqa.errors import XlqaError
from xlqa.tasks.tagging.columns import Kind
from xlqa.tasks.tagging.reading import TAG_KEYS, Sentence

ENDINGS = (".conll", ".tsv", ".txt", ".conllu", ".jsonl")

_DOCUMENT = "document "


def write_sentences(sentences: Sequence[Sentence], kind: Kind, ending: str) -> bytes:
    """The sentences in the format of an ending.

    Raises:
        XlqaError: CoNLL-U, which has no column for entity tags.
    """
    lines: Iterator[str]
    if ending == ".jsonl":
        lines = (json.dumps(_object(sentence, kind), ensure_ascii=False) + "\n" for sentence in sentences)
    elif ending == ".conllu":
        if kind == "ner":
            raise XlqaError("CoNLL-U has no column for entity tags: end the name in .conll or .jsonl.")
        lines = _rows(sentences, columns=10)
    else:
        lines = _rows(sentences, columns=2)
    return "".join(lines).encode("utf-8", "surrogatepass")


def _object(sentence: Sentence, kind: Kind) -> dict[str, object]:
    row: dict[str, object] = {"id": sentence.id}
    if sentence.group.startswith(_DOCUMENT):
        row["document"] = sentence.group.removeprefix(_DOCUMENT)
    return row | {"tokens": sentence.words, TAG_KEYS[kind][0]: sentence.tags}


def _rows(sentences: Sequence[Sentence], columns: int) -> Iterator[str]:
    """Lines of columns: word and tag, or the 10 of CoNLL-U, of which the index, the word and the part of speech are filled.

    Documents are marked where they begin. Two columns name a sentence only where its id is not its number.
    """
    before = ""
    for place, sentence in enumerate(sentences, start=1):
        document = sentence.group.removeprefix(_DOCUMENT) if sentence.group.startswith(_DOCUMENT) else ""
        if document != before:
            yield f"# newdoc id = {document}\n" if document else "# newdoc\n"
        before = document
        if columns > 2 or sentence.id != str(place):
            yield f"# sent_id = {sentence.id}\n"
        for number, (word, tag) in enumerate(zip(sentence.words, sentence.tags, strict=True), start=1):
            yield f"{number}\t{word}\t_\t{tag}" + "\t_" * 6 + "\n" if columns > 2 else f"{word}\t{tag}\n"
        yield "\n"
