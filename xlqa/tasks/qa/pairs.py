"""Question language × context language: the pairs of a parallel set, or of a set that has a file for each pair.

MLQA has a file for each pair (Lewis et al. 2020, arXiv:1910.07475). In a parallel set, such as XQuAD, the files have the same
ids in every language: the question comes from one file, the paragraph and its answers come from another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from xlqa.data.registry import Part, find_set, parts_of_file
from xlqa.data.subsets import permute_questions
from xlqa.errors import XlqaError
from xlqa.records import DataRef, Question
from xlqa.tasks.sources import read_ref, resolve, settle_language
from xlqa.util.languages import named_language
from xlqa.util.text import plain

_PAIR_NAME = re.compile(r"context-([a-z]{2,3})-question-([a-z]{2,3})(?![a-z])")
_DATA_NAME = re.compile(r"\.(json|jsonl|csv|tsv|parquet)(\.(gz|xz|bz2|zst))?$", re.IGNORECASE)
PART_SEED = 0
"""Seed of a random part, as for other test sets."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One cell of the matrix.

    Attributes:
        questions: file of the questions; contexts: of paragraphs and answers. The same file in a set with a file for each pair.
    """

    question_lang: str
    context_lang: str
    questions: DataRef
    contexts: DataRef

    @property
    def scorer(self) -> str:
        """The scorer of the answers, which are in the language of the paragraphs."""
        return self.contexts.scorer


@dataclass(frozen=True, slots=True)
class PairSet:
    """All pairs of a set, ordered by question language, then context language."""

    name: str
    pairs: tuple[Pair, ...]

    def select(self, languages: Sequence[str]) -> PairSet:
        """Only the pairs of some languages; all pairs where none is named.

        Raises:
            XlqaError: a language that the set does not have.
        """
        known = sorted({pair.question_lang for pair in self.pairs} | {pair.context_lang for pair in self.pairs})
        if absent := [language for language in languages if language not in known]:
            raise XlqaError(f"--lang {absent[0]}: {self.name} has {', '.join(known)}.")
        chosen = set(languages or known)
        return replace(self, pairs=tuple(p for p in self.pairs if {p.question_lang, p.context_lang} <= chosen))


def find_pairs(name: str, data_dir: Path | None = None) -> PairSet:
    """The pairs of a registered set (mlqa, mlqa.dev, xquad), or of a folder of files.

    Raises:
        XlqaError: neither a registered set of several languages nor a folder of files in known languages.
    """
    set_name, _, split = name.partition(".")
    if parts := _registered(set_name, split or "test"):
        refs = [resolve(part.name, data_dir=data_dir) for part in parts]
        asked = [part.question_language for part in parts]
        return PairSet(name, tuple(_pairs_of(list(zip(refs, asked, strict=True)), name)))
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise XlqaError(
            f"--pairs {name}: is neither a registered set with several languages (mlqa, mlqa.dev, xquad) nor a folder: name "
            "one of them."
        )
    files = sorted(path for path in folder.iterdir() if path.is_file() and _DATA_NAME.search(path.name))
    if not files:
        raise XlqaError(f"--pairs {folder}: the folder has no data file (.json, .jsonl, .csv, .parquet).")
    described = [_describe(path) for path in files]
    return PairSet(plain(folder.resolve().name, 40), tuple(_pairs_of(described, str(folder))))


def _registered(set_name: str, split: str) -> list[Part]:
    try:
        parts = find_set(set_name).parts
    except XlqaError:
        return []
    chosen = [part for part in parts if part.split == split]
    return chosen if len({part.language for part in chosen}) > 1 else []


def _describe(path: Path) -> tuple[DataRef, str]:
    """A local file with its paragraphs' language, and its questions' language where it is another one."""
    known = [part for part in parts_of_file(resolve(str(path)).sha256) if part.question_language]
    named = _PAIR_NAME.search(path.name)
    asked = known[0].question_language if known else named[2] if named else ""
    ref = resolve(str(path), language=named[1] if named else "")
    if not ref.language:
        code = named_language(ref.name)
        ref = resolve(str(path), language=code) if code else settle_language(ref, read_ref(ref, to_score=True).scored)
    if not ref.language:
        raise XlqaError(f"{path}: its language is not known: name the file like NAME.ru.json.")
    return ref, asked


def _pairs_of(files: Sequence[tuple[DataRef, str]], name: str) -> Iterator[Pair]:
    """The cells: one for each file where the files name both languages, else one for each two files."""
    if all(asked for _, asked in files):
        cells = {(asked, ref.language): Pair(asked, ref.language, ref, ref) for ref, asked in files}
        _refuse_repeated(len(files), len(cells), name)
        return (cells[key] for key in sorted(cells))
    by_language = {ref.language: ref for ref, asked in files if asked in ("", ref.language)}
    _refuse_repeated(len(files), len(by_language), name)
    languages = sorted(by_language)
    return (Pair(q, c, by_language[q], by_language[c]) for q in languages for c in languages)


def _refuse_repeated(files: int, cells: int, name: str) -> None:
    if files != cells:
        raise XlqaError(
            f"--pairs {name}: {files} files for {cells} languages or pairs: keep one file for each language, or one for each "
            "pair (context-de-question-en in its name)."
        )


class PairReader:
    """Reads each file once.

    Args:
        skip_bad: leave out questions that have no gold text to score by.
    """

    def __init__(self, *, skip_bad: bool = False) -> None:
        self._read = cache(lambda path: _by_id(path, skip_bad))

    def questions(self, pair: Pair, size: int | None = None) -> tuple[Question, ...]:
        """The examples of a pair in the order of the file; at most `size`, which are the same ids in every pair that has them.

        Raises:
            XlqaError: the two files do not have the same ids.
        """
        contexts: Mapping[str, Question] = self._read(pair.contexts)
        if pair.questions != pair.contexts:
            asked: Mapping[str, Question] = self._read(pair.questions)
            if different := sorted(set(contexts) ^ set(asked)):
                lacking = pair.questions if different[0] in contexts else pair.contexts
                raise XlqaError(
                    f"{lacking.path}: lacks the question {plain(different[0], 60)}, which the other files have "
                    f"({len(different):,} ids differ from {pair.contexts.path.name}): a parallel set has the same ids in each."
                )
            contexts = {id: replace(example, question=asked[id].question) for id, example in contexts.items()}
        chosen = {q.id for q in permute_questions(tuple(contexts.values()), PART_SEED)[:size]}
        return tuple(example for id, example in contexts.items() if id in chosen)


def _by_id(ref: DataRef, skip_bad: bool) -> dict[str, Question]:
    return {question.id: question for question in read_ref(ref, skip_bad=skip_bad, to_score=True).scored}
