"""Reading and validating question answering data: `xlqa data check FILE`.

What a file gets wrong in a way that can be proved is repaired, counted and reported; what can't be is refused with its
place and the fix. Nothing is dropped silently.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from xlqa.data.registry import TYDIQA_LANGUAGES
from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import Answer, Question, hash_context
from xlqa.tasks.qa import offsets
from xlqa.tasks.qa.formats import Document, RawQuestion, unfold
from xlqa.util.text import plain

MAX_SHOWN = 10
"""How many complaints about one file are shown; the total is always said."""

START_AS_TEXT = "start as text"
ANSWER_AS_NUMBER = "answer as number"
NUMERIC_ID = "numeric id"
MISSING_ID = "missing id"
DUPLICATE_ID = "duplicate id"
REPEATED_QUESTION = "repeated question"
LONE_SURROGATE = "lone surrogate"
FIRST_PLACE = "first of several places"

REPAIRS = {
    offsets.UTF16: "the start counted UTF-16 units; it now counts characters",
    offsets.UTF8: "the start counted UTF-8 bytes; it now counts characters",
    offsets.CARRIAGE_RETURN: "the start was counted before (or after) carriage returns were removed",
    offsets.BYTE_ORDER_MARK: "the start counted a byte order mark (or another first character) that is not there",
    offsets.EDGE_SPACE: "the start was off by white space at the answer's edge",
    offsets.NO_START: "no start (or -1) was given; the answer stands at one place only",
    offsets.ONLY_PLACE: "the start was wrong; the answer stands at one place only",
    offsets.SHIFTED: "the start was off as the paragraph's other answers prove, or by one or two characters",
    offsets.SPELLING: "the answer had another Unicode form or white space than its paragraph; the paragraph's is taken",
    FIRST_PLACE: "the format gives no starts and the answer stands at several places; the first is taken",
    START_AS_TEXT: "the start was written as text or with decimals",
    ANSWER_AS_NUMBER: "the answer was written as a number",
    NUMERIC_ID: "the id was a number; it is now its digits",
    MISSING_ID: "no id was given; one is made from the question and its paragraph",
    DUPLICATE_ID: "several questions had one id; each gets a suffix made from its content",
    REPEATED_QUESTION: "the same question stood there again, with the same id; all are kept, with suffixes",
    LONE_SURROGATE: "half of a UTF-16 pair stood alone; it is now U+FFFD",
}
"""Every kind of repair, in the words that explain it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A question that can't be used, where it stands, why, and how to fix it.

    Attributes:
        article, paragraph: places in a nested file, counted from 1; 0 in a flat one.
        row: place in a flat file, counted from 1 without a header; 0 in a nested one.
    """

    article: int
    title: str
    paragraph: int
    row: int
    question_id: str
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}: {self.fix}."

    @property
    def place(self) -> str:
        """Article, paragraph and question id, or row and question id, fit for a terminal."""
        title = f' "{plain(self.title, 40)}"' if self.title else ""
        place = f"row {self.row:,}" if self.row else f"article {self.article:,}{title}, paragraph {self.paragraph:,}"
        return f"{place}, question {plain(self.question_id, 60) or '(no id)'}"


@dataclass(frozen=True, slots=True)
class Reading:
    """A data set as read: what is usable, what was fixed, what was refused.

    Attributes:
        questions: those with answers, in the file's order.
        unanswerable: SQuAD 2.0's questions without an answer; they neither train nor score unless asked for.
        format: "squad-1.1", "squad-2.0", "tydiqa-goldp", "tydiqa-primary", "cmrc2018", "mrqa", "json", "jsonl", "csv",
            "tsv" or "parquet".
        compression: "gzip", "xz" or "".
        sha256: of the file's bytes as they lie on disk.
        repairs: how often each kind of `REPAIRS` was needed.
        other_languages: questions left out of a file of several languages, of which one was asked for.
        titles: titles of articles by the context hashes of their paragraphs, where the file gives them.
    """

    questions: tuple[Question, ...]
    unanswerable: tuple[Question, ...]
    format: str
    sha256: str
    repairs: dict[str, int]
    refused: tuple[Refusal, ...]
    compression: str = ""
    other_languages: int = 0
    titles: dict[str, str] = field(default_factory=dict)

    @property
    def has_duplicate_ids(self) -> bool:
        """Whether ids had to be told apart, so that a prediction file can't be matched to the questions."""
        return DUPLICATE_ID in self.repairs or REPEATED_QUESTION in self.repairs


def read_dataset(path: Path, *, skip_bad: bool = False, language: str = "") -> Reading:
    """Read and validate a data set of any known format, plain, gzip or xz.

    Args:
        skip_bad: leave out what would be refused (it is listed in `refused`) instead of raising.
        language: ISO 639-1 code; picks this language's questions out of a TyDi QA file that holds several.

    Raises:
        XlqaError: no data set of a known format, no answers at all, or nothing usable in it.
        ManyErrors: questions that would be refused; the first `MAX_SHOWN` of them, and how many there are.
    """
    with _collection_paused():
        return _read(Path(path), skip_bad, language)


def _read(path: Path, skip_bad: bool, language: str) -> Reading:
    content = _content(path)
    document = unfold(content, path)
    if not document.questions:
        raise XlqaError(f"{path}: holds no question: fetch or write it again.")
    document, other_languages = _pick_language(document, path, language)
    _refuse_stripped(document, path)
    sieve = _Sieve(document)
    for raw in document.questions:
        sieve.take(raw)
    sieve.finish()
    if sieve.refused and not skip_bad:
        raise ManyErrors(_complaints(sieve.refused, path))
    questions, unanswerable = sieve.results()
    if not questions and not unanswerable:
        raise XlqaError(f"{path}: no question is usable, all {len(sieve.refused):,} are refused: {sieve.refused[0]}")
    return Reading(
        questions,
        unanswerable,
        document.format,
        hashlib.sha256(content).hexdigest(),
        {kind: sieve.repairs[kind] for kind in REPAIRS if sieve.repairs[kind]},
        tuple(sieve.refused),
        document.compression,
        other_languages,
        sieve.titles,
    )


@contextlib.contextmanager
def _collection_paused() -> Iterator[None]:
    """Millions of small objects are made and none of them in cycles: looking for cycles would take half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise XlqaError(f"{path}: no such file: check the path, or name a set of `xlqa data list`.") from error
    except IsADirectoryError as error:
        raise XlqaError(f"{path}: is a folder: name a file in it.") from error
    except OSError as error:
        raise XlqaError(f"{path}: can't be read ({error.strerror}): check its permissions.") from error


def _complaints(refused: list[Refusal], path: Path) -> list[str]:
    lines = [f"{path}: {refusal}" for refusal in refused[:MAX_SHOWN]]
    total = f"{path}: {len(refused):,} question{'s' if len(refused) > 1 else ''} refused"
    shown = f", the first {MAX_SHOWN} are shown" if len(refused) > MAX_SHOWN else ""
    return [*lines, f"{total}{shown}; --skip-bad leaves them out, `xlqa data check --json` lists them all."]


# --- Languages and labels -----------------------------------------------------------------------------------------

_TYDIQA_ID = re.compile(rf"({'|'.join(TYDIQA_LANGUAGES.values())})--?\d")


def _pick_language(document: Document, path: Path, language: str) -> tuple[Document, int]:
    """One language of a TyDi QA file that holds several, and how many questions of others it leaves."""
    ids = [_TYDIQA_ID.match(raw.id) if isinstance(raw.id, str) else None for raw in document.questions]
    if not ids or not all(ids):
        return document, 0
    if document.format == "squad-1.1":
        document = document._replace(format="tydiqa-goldp")
    names = [match[1] for match in ids if match]
    if not language or len(set(names)) == 1:
        return document, 0
    wanted = TYDIQA_LANGUAGES.get(language, language)
    kept = [raw for raw, name in zip(document.questions, names, strict=True) if name == wanted]
    if not kept:
        raise XlqaError(f'{path}: has no question in "{language}", but in {", ".join(sorted(set(names)))}.')
    return document._replace(questions=kept), len(names) - len(kept)


def _refuse_stripped(document: Document, path: Path) -> None:
    """A set whose every answer is empty gets one message of its own."""
    asked = [raw for raw in document.questions if not raw.impossible]
    if not asked or any(_has_answer(raw.answers) for raw in asked):
        return
    if any(isinstance(raw.answers, str) and not raw.answers.startswith("no answers") for raw in asked):
        return
    raise XlqaError(
        f"{path}: has no answers: all {len(asked):,} questions have theirs empty or missing. "
        "It is a copy whose labels were stripped, and can neither train nor score: get the labelled file."
    )


def _has_answer(answers: list[tuple[Any, Any]] | str) -> bool:
    return not isinstance(answers, str) and any(text not in (None, "") for text, _ in answers)


# --- Questions ----------------------------------------------------------------------------------------------------


class _Bad(Exception):
    """Why one question is refused, and the fix."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason, self.fix = reason, fix


class _Unclear(Exception):
    """The answer stands at several places, and which is meant may be proved by the paragraph's other answers."""


class _Draft(NamedTuple):
    """A question that passed, before its id is settled; `position` is its place in the file."""

    position: int
    raw: RawQuestion
    question: Question


class _Sieve:
    """Takes raw questions one by one; keeps what passes, counts what it fixes, lists what it refuses."""

    def __init__(self, document: Document) -> None:
        self.flat = document.format in ("json", "jsonl", "csv", "tsv", "parquet")
        self.no_starts = document.format == "cmrc2018"
        self.versioned = document.format == "squad-2.0"
        self.repairs: Counter[str] = Counter()
        self.refused: list[Refusal] = []
        self._refused_at: list[tuple[int, Refusal]] = []
        self._drafts: list[_Draft] = []
        self._unclear: list[tuple[int, RawQuestion]] = []
        self._shifts: defaultdict[str, set[int]] = defaultdict(set)
        self.titles: dict[str, str] = {}
        self._hashes: dict[str, str] = {}
        self._position = 0

    def take(self, raw: RawQuestion) -> None:
        """Judge one question; one whose answer's place is unclear waits for `finish`."""
        self._position += 1
        self._judge(self._position, raw, last_word=False)

    def finish(self) -> None:
        """Judge those that waited, now that the paragraphs' shifts are known."""
        for position, raw in self._unclear:
            self._judge(position, raw, last_word=True)
        self.refused = [refusal for _, refusal in sorted(self._refused_at, key=lambda pair: pair[0])]

    def results(self) -> tuple[tuple[Question, ...], tuple[Question, ...]]:
        """Answerable and unanswerable questions in the file's order, with unique ids."""
        settled = _settle_ids(sorted(self._drafts, key=lambda draft: draft.position), self.repairs)
        answered = tuple(question for question in settled if question.answers)
        return answered, tuple(question for question in settled if not question.answers)

    def _judge(self, position: int, raw: RawQuestion, last_word: bool) -> None:
        repairs: Counter[str] = Counter()
        try:
            question = self._question(raw, repairs, last_word)
        except _Unclear:
            self._unclear.append((position, raw))
            return
        except _Bad as bad:
            shown = raw.id if isinstance(raw.id, str) else "" if raw.id is None else str(raw.id)
            refusal = Refusal(raw.article, raw.title, raw.paragraph, raw.row, shown, bad.reason, bad.fix)
            self._refused_at.append((position, refusal))
            return
        if repairs:
            self.repairs += repairs
        self._drafts.append(_Draft(position, raw, question))

    def _question(self, raw: RawQuestion, repairs: Counter[str], last_word: bool) -> Question:
        pairs = raw.answers
        if isinstance(pairs, str):
            if not raw.impossible:
                raise _Bad(pairs, "fix or remove it")
            pairs = []
        context = _text(raw.context, "the paragraph", repairs)
        asked = _text(raw.question, "the question", repairs)
        identity = _identity(raw.id, repairs)
        context_hash = self._hashes.get(context)
        if context_hash is None:
            context_hash = self._hashes[context] = hash_context(context)
            if raw.title:
                self.titles[context_hash] = raw.title
        if self._is_unanswerable(raw):
            return Question(identity, asked, context, (), context_hash)
        if not pairs:
            raise _Bad("it has no answer", "give one, or mark the question is_impossible")
        answers = tuple([self._answer(context, text, start, repairs, last_word) for text, start in pairs])
        return Question(identity, asked, context, answers, context_hash)

    def _is_unanswerable(self, raw: RawQuestion) -> bool:
        has_answer = _has_answer(raw.answers)
        if raw.impossible:
            if has_answer:
                raise _Bad("it is marked is_impossible but has an answer", "remove the mark or the answer")
            return True
        # Hugging Face writes SQuAD 2.0 without the mark: there an empty list says it.
        return raw.impossible is None and not raw.answers and (self.flat or self.versioned)

    def _answer(self, context: str, text: Any, start: Any, repairs: Counter[str], last_word: bool) -> Answer:
        if isinstance(text, int) and not isinstance(text, bool):
            text = str(text)
            repairs[ANSWER_AS_NUMBER] += 1
        if text is None or (isinstance(text, str) and not text.strip()):
            raise _Bad("an answer is empty", "give its text, or remove the question")
        if not isinstance(text, str):
            raise _Bad(f"an answer is a {type(text).__name__}, not text", "write it as text")
        text = _without_surrogates(text, repairs)
        begin = _start(start, repairs)
        # The file is right nearly always, and a set has a hundred thousand answers.
        if begin is not None and begin >= 0 and context.startswith(text, begin):
            return Answer(text, begin)
        found = offsets.locate(context, text, begin)
        if found is None:
            found = self._settle_unclear(context, text, begin, last_word)
        elif begin is not None and begin >= 0 and found.text == text:
            self._shifts[context].add(found.start - begin)
        repairs[found.repair] += 1
        return Answer(found.text, found.start)

    def _settle_unclear(self, context: str, text: str, start: int | None, last_word: bool) -> offsets.Found:
        """The place of an answer that stands at several, or the refusal that fits."""
        places = offsets.occurrences(context, text)
        if not places:
            raise _Bad(*_nowhere(context, text))
        if start is None and self.no_starts:
            return offsets.Found(text, context.index(text), FIRST_PLACE)
        shown = plain(text, 60)
        if start is None or start < 0:
            raise _Bad(f'the answer "{shown}" has no start and stands at {places:,} places', "give its answer_start")
        if not last_word:
            raise _Unclear
        shifts = self._shifts.get(context, set())
        near = [shift for shift in (-2, -1, 1, 2) if offsets.shifted(context, text, start, shift)]
        for proved in ([*shifts] if len(shifts) == 1 else [], near):
            if len(proved) == 1 and (found := offsets.shifted(context, text, start, proved[0])):
                return found
        raise _Bad(
            f'the answer "{shown}" is not at {start:,} but at {places:,} other places', "correct its answer_start"
        )


def _text(value: Any, what: str, repairs: Counter[str]) -> str:
    if not isinstance(value, str):
        missing = value is None or value != value
        reason = f"{what} is missing" if missing else f"{what} is a {type(value).__name__}, not text"
        raise _Bad(reason, "give its text, or remove the question")
    if not value or value.isspace():
        raise _Bad(f"{what} is empty", "give its text, or remove the question")
    return _without_surrogates(value, repairs)


_SURROGATE = re.compile("[\ud800-\udfff]")


def _without_surrogates(text: str, repairs: Counter[str]) -> str:
    if text.isascii() or not _SURROGATE.search(text):
        return text
    repairs[LONE_SURROGATE] += 1
    return _SURROGATE.sub("\ufffd", text)


def _start(value: Any, repairs: Counter[str]) -> int | None:
    """A start as a number of characters; None where the file gives none."""
    if value is None or (type(value) is int):
        return value
    if isinstance(value, str):
        if not value.strip():
            return None
        if number := re.fullmatch(r"\s*([+-]?\d{1,15})(\.0*)?\s*", value):
            repairs[START_AS_TEXT] += 1
            return int(number[1])
    if isinstance(value, float):
        if value != value:
            return None
        if value.is_integer():
            repairs[START_AS_TEXT] += 1
            return int(value)
    raise _Bad(f"an answer_start is {plain(repr(value), 40)}", "give a whole number of characters")


@lru_cache(maxsize=64)  # a paragraph's answers come one after another
def _casefolded(context: str) -> str:
    return context.casefold()


def _nowhere(context: str, text: str) -> tuple[str, str]:
    """Why an answer is nowhere in its paragraph, with the nearest thing to it."""
    reason = f'the answer "{plain(text, 60)}" is nowhere in its paragraph'
    folded = _casefolded(context)
    at = folded.find(text.casefold())
    if at >= 0 and len(context) == len(folded):
        return f'{reason}, only "{plain(context[at : at + len(text)], 60)}" at {at:,}', "write it as the paragraph does"
    return reason, "correct its text or the paragraph's"


# --- Ids ----------------------------------------------------------------------------------------------------------


def _identity(value: Any, repairs: Counter[str]) -> str:
    """The id as text, "" where there is none."""
    if isinstance(value, str):
        identity = _without_surrogates(value, repairs) if value.strip() else ""
    elif value is None or value != value:
        identity = ""
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise _Bad(f"its id is a {type(value).__name__}", "give a text or a number")
    else:
        identity = str(int(value)) if isinstance(value, int) or value.is_integer() else str(value)
        repairs[NUMERIC_ID] += 1
    if not identity:
        repairs[MISSING_ID] += 1
    return identity


def _settle_ids(drafts: Iterable[_Draft], repairs: Counter[str]) -> list[Question]:
    """Questions with unique ids that depend on content alone, so that they survive a file's reordering."""
    questions = [
        draft.question if draft.question.id else replace(draft.question, id=f"x-{_content_hash(draft.question, 12)}")
        for draft in drafts
    ]
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for index, question in enumerate(questions):
        groups[question.id].append(index)
    taken = set(groups)
    for identity, group in groups.items():
        if len(group) > 1:
            _tell_apart(questions, identity, group, taken, repairs)
    return questions


def _tell_apart(
    questions: list[Question], identity: str, group: list[int], taken: set[str], repairs: Counter[str]
) -> None:
    seen: Counter[str] = Counter()
    for index in group:
        content = _content_hash(questions[index], 8)
        seen[content] += 1
        again = f"-{seen[content]}" if seen[content] > 1 else ""
        unique = f"{identity}~{content}{again}"
        while unique in taken:
            unique += "~"
        taken.add(unique)
        questions[index] = replace(questions[index], id=unique)
    repairs[REPEATED_QUESTION] += len(group) - len(seen)
    repairs[DUPLICATE_ID] += len(seen) - 1


def _content_hash(question: Question, length: int) -> str:
    answers = "\n".join(f"{answer.start} {answer.text}" for answer in question.answers)
    text = f"{question.context_hash}\n{question.question}\n{answers}"
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:length]
