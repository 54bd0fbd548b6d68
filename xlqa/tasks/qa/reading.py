"""Reading and validating question answering data: `xlqa data check FILE`.

What a file gets wrong in a way that can be proved is repaired, counted and reported. What can't be repaired is refused for
training, with its place and the fix; it still counts in a score as long as it has a gold text, as in the official scripts.
Nothing is dropped silently.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from xlqa.data.registry import TYDIQA_LANGUAGES
from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import Answer, Question, hash_context
from xlqa.tasks.qa import offsets
from xlqa.tasks.qa.formats import NO_ANSWERS, Document, RawQuestion, shown_names, unfold
from xlqa.tasks.qa.languages import TYDIQA_ID
from xlqa.util.files import read_input
from xlqa.util.text import LONE_SURROGATE, counted, has_surrogates, plain, without_surrogates

MAX_SHOWN = 10
"""How many complaints about one file are shown; the total is always given."""

START_AS_TEXT = "start as text"
ANSWER_AS_NUMBER = "answer as number"
UNUSED_ANSWER = "answer without a place"
NUMERIC_ID = "numeric id"
MISSING_ID = "missing id"
DUPLICATE_ID = "duplicate id"
REPEATED_QUESTION = "repeated question"
FIRST_PLACE = "first of several places"

REPAIRS = {
    offsets.UTF16: "the start counted UTF-16 units; it now counts characters",
    offsets.UTF8: "the start counted UTF-8 bytes; it now counts characters",
    offsets.NORMAL_FORM: "the start was counted in another Unicode normal form (NFC, NFD) of the paragraph",
    offsets.CARRIAGE_RETURN: "the start was counted before (or after) carriage returns were removed",
    offsets.BYTE_ORDER_MARK: "the start was counted without the byte order mark that the paragraph has",
    offsets.EDGE_SPACE: "the answer or its start had white space at the answer's edge; the answer is trimmed",
    offsets.NO_START: "no start (or -1) was given; the answer is at one place only",
    offsets.ONLY_PLACE: "the start was wrong; the answer is at one place only",
    offsets.SHIFTED: "the start was off as the paragraph's other answers prove, or by one or two characters",
    offsets.SPELLING: "the answer had another Unicode form or white space than its paragraph; the paragraph's is taken",
    offsets.LETTER_CASE: "the answer had other letter case than its paragraph at that place; the paragraph's is taken",
    FIRST_PLACE: "no start was given and the answer is at several places; the first is taken",
    UNUSED_ANSWER: "one of several answers is empty or not in the paragraph; it counts in scores, not in training",
    START_AS_TEXT: "the start was written as text or with decimals",
    ANSWER_AS_NUMBER: "the answer was written as a number",
    NUMERIC_ID: "the id was a number; it is now its digits",
    MISSING_ID: "no id was given; one is made from the question and its paragraph",
    DUPLICATE_ID: "several questions had one id; each gets a suffix made from its content",
    REPEATED_QUESTION: "the same question was there again, with the same id; all are kept, with suffixes",
    LONE_SURROGATE: "half of a UTF-16 pair was there alone; it is now U+FFFD",
}
"""Every kind of repair, in the words that explain it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A question that can't be used for training, its place, the reason, and how to fix it.

    Attributes:
        article, paragraph: places in a nested file, counted from 1; 0 in a flat one.
        row: place in a flat file, counted from 1 without a header; 0 in a nested one.
        is_scored: whether the question still counts in a score, by its gold texts.
    """

    article: int
    title: str
    paragraph: int
    row: int
    question_id: str
    reason: str
    fix: str
    is_scored: bool = False

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
    """A data set as read: what is usable, what was repaired, what was refused.

    Attributes:
        everything: all questions that were not refused altogether, in the file's order.
        format: "squad-1.1", "squad-2.0", "tydiqa-goldp", "tydiqa-primary", "cmrc2018", "mrqa", "label-studio", "haystack",
            "json", "jsonl", "csv", "tsv" or "parquet".
        sha256: of the file's bytes on disk.
        repairs: how often each kind of `REPAIRS` was needed.
        refused: questions that can't be used for training; those with `is_scored` count in scores.
        compression: "gzip", "xz", "bzip2" or "".
        other_languages: questions left out of a file of several languages, of which one was asked for.
        titles: titles of articles by the context hashes of their paragraphs, where the file gives them.
        renamed: the file's own ids of questions that share theirs with others, by the ids they have here.
        questions: those that training can use: the place of an answer is known.
        scored: those with a gold text, whatever else is wrong with them: what a test set is scored on.
        unanswerable: SQuAD 2.0's questions without an answer; they neither train nor score unless asked for.
    """

    everything: tuple[Question, ...]
    format: str
    sha256: str
    repairs: dict[str, int]
    refused: tuple[Refusal, ...]
    compression: str = ""
    other_languages: int = 0
    titles: dict[str, str] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    questions: tuple[Question, ...] = field(init=False)
    scored: tuple[Question, ...] = field(init=False)
    unanswerable: tuple[Question, ...] = field(init=False)

    def __post_init__(self) -> None:
        kinds: dict[str, list[Question]] = {"questions": [], "scored": [], "unanswerable": []}
        for question in self.everything:
            if question.answers:
                kinds["questions"].append(question)
            kinds["scored" if question.answers or question.golds else "unanswerable"].append(question)
        for name, found in kinds.items():
            object.__setattr__(self, name, tuple(found))

    @property
    def has_duplicate_ids(self) -> bool:
        """Whether several different questions have one id, so that a prediction file can't be matched to them."""
        return DUPLICATE_ID in self.repairs

    @property
    def scores_by_file(self) -> bool:
        """Whether scoring uses gold texts or questions that training does not."""
        return not all(question.is_whole for question in self.scored)


def read_dataset(
    path: Path,
    *,
    skip_bad: bool = False,
    language: str = "",
    to_score: bool = False,
    columns: Mapping[str, str] | None = None,
    first_place: bool = False,
) -> Reading:
    """Read and validate a data set of any known format, plain or compressed.

    Args:
        skip_bad: leave out what would be refused (it is listed in `refused`) instead of raising.
        language: ISO 639-1 code; picks this language's questions out of a TyDi QA file that has several.
        to_score: the set is to be scored on, so a question is in order as long as it has a gold text.
        columns: names of a table's or row's own columns by field, as `unfold` takes them.
        first_place: an answer without a start that is at several places is taken at the first, instead of refused.

    Raises:
        XlqaError: no data set of a known format, no answers at all, or nothing usable in it.
        ManyErrors: questions that would be refused; the first `MAX_SHOWN` of them, and how many there are.
    """
    with _collection_paused():
        return _read(Path(path), skip_bad, language, to_score, columns, first_place)


def _read(
    path: Path, skip_bad: bool, language: str, to_score: bool, columns: Mapping[str, str] | None, first_place: bool
) -> Reading:
    content = _content(path)
    sha256 = hashlib.sha256(content).hexdigest()
    document = unfold(content, path, columns)
    del content  # a million questions are hundreds of megabytes
    other_languages = _pick_language(document, path, language)
    sieve = _Sieve(document, first_place)
    for raw in document.questions:
        sieve.take(raw)
    sieve.finish(path)
    refused = [refusal for refusal in sieve.refused if not (to_score and refusal.is_scored)]
    if refused and not skip_bad:
        raise ManyErrors(_complaints(refused, path))
    everything, renamed = sieve.results()
    reading = Reading(
        everything,
        document.format,
        sha256,
        {kind: sieve.repairs[kind] for kind in REPAIRS if sieve.repairs[kind]},
        tuple(sieve.refused),
        document.compression,
        other_languages,
        sieve.titles,
        renamed,
    )
    if not (reading.scored if to_score else reading.questions) and not reading.unanswerable:
        raise XlqaError(f"{path}: no question is usable, all {len(sieve.refused):,} are refused: {sieve.refused[0]}")
    return reading


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
        return read_input(path)
    except FileNotFoundError as error:
        raise XlqaError(f"{path}: no such file: check the path, or name a set of `xlqa data list`.") from error
    except IsADirectoryError as error:
        raise XlqaError(f"{path}: is a folder: name a file in it.") from error
    except OSError as error:
        raise XlqaError(f"{path}: can't be read ({error.strerror}): check its permissions.") from error


def _complaints(refused: list[Refusal], path: Path) -> list[str]:
    lines = [f"{path}: {refusal}" for refusal in refused[:MAX_SHOWN]]
    total = f"{path}: {counted(len(refused), 'question')} refused"
    command = f"xlqa data check --json {shlex.quote(str(path))}"
    shown = f", the first {MAX_SHOWN} are shown" if len(refused) > MAX_SHOWN else ""
    return [*lines, f"{total}{shown}; --skip-bad leaves them out, `{command}` lists them all."]


# --- Languages ------------------------------------------------------------------------------------------------------


def _tydiqa_language(raw: RawQuestion) -> str:
    """The language that a TyDi QA id names; "" for any other id."""
    match = TYDIQA_ID.match(raw.id) if isinstance(raw.id, str) else None
    return match[1] if match else ""


def _pick_language(document: Document, path: Path, language: str) -> int:
    """Keep one language of a TyDi QA file that has several; returns how many questions of others it leaves out."""
    first = next(document.questions, None)
    if first is None:
        raise XlqaError(f"{path}: has no question: fetch or write it again.")
    document.questions = chain([first], document.questions)
    if not _tydiqa_language(first):
        return 0
    every = list(document.questions)  # the largest such file has 50,000 questions
    document.questions = iter(every)
    names = [_tydiqa_language(raw) for raw in every]
    if not all(names):
        return 0
    if document.format == "squad-1.1":
        document.format = "tydiqa-goldp"
    if not language or len(set(names)) == 1:
        return 0
    wanted = TYDIQA_LANGUAGES.get(language, language)
    kept = [raw for raw, name in zip(every, names, strict=True) if name == wanted]
    if not kept:
        raise XlqaError(f'{path}: has no question in "{language}", but in {", ".join(sorted(set(names)))}.')
    document.questions = iter(kept)
    return len(every) - len(kept)


# --- Questions ------------------------------------------------------------------------------------------------------


class _Bad(Exception):
    """Why one question, or one of its answers, is refused, and the fix."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason, self.fix = reason, fix


class _Unclear(Exception):
    """What a question is may be settled by the rest of the file: its paragraph's other answers, or the file's version."""


def _has_answer(answers: list[tuple[Any, Any]] | str) -> bool:
    return not isinstance(answers, str) and any(text not in (None, "") for text, _ in answers)


class _Sieve:
    """Takes raw questions one by one; keeps what passes, counts what it repairs, lists what it refuses."""

    def __init__(self, document: Document, first_place: bool = False) -> None:
        self.document = document
        self.flat = document.format in ("json", "jsonl", "csv", "tsv", "parquet", "label-studio", "haystack")
        self.no_starts = first_place or document.format == "cmrc2018"
        self.repairs: Counter[str] = Counter()
        self.refused: list[Refusal] = []
        self.titles: dict[str, str] = {}
        self._refused_at: list[tuple[int, Refusal]] = []
        self._kept: list[Question | None] = []
        self._as_given: dict[int, tuple[Answer, ...]] = {}
        self._unclear: list[tuple[int, RawQuestion]] = []
        self._shifts: defaultdict[str, set[int]] = defaultdict(set)
        self._contexts: dict[str, tuple[str, str]] = {}
        self._asked, self._answered, self._misshapen = 0, False, False
        self._columnless = 0

    def take(self, raw: RawQuestion) -> None:
        """Judge one question; one whose answer's place is unclear waits for `finish`."""
        if not raw.impossible:
            self._asked += 1
            self._answered = self._answered or _has_answer(raw.answers)
            self._misshapen |= isinstance(raw.answers, str) and not raw.answers.startswith("no answers")
            self._columnless += raw.answers == NO_ANSWERS
        self._kept.append(None)
        self._judge(len(self._kept) - 1, raw, last_word=False)

    def finish(self, path: Path) -> None:
        """Judge those that waited, now that the whole file is known.

        Raises:
            XlqaError: no question has an answer: such a set gets one message of its own.
        """
        if self._asked and not self._answered and not self._misshapen:
            columns = self.document.columns
            if self._columnless == self._asked and "" in columns.values():
                shown = shown_names(columns)
                raise XlqaError(
                    f"{path}: no column holds answers; the file has {shown}: name it with --columns answers=NAME."
                )
            raise XlqaError(
                f"{path}: has no answers: all {self._asked:,} questions have theirs empty or missing. "
                "It is a copy whose labels were stripped, and can neither train nor score: get the labelled file."
            )
        for position, raw in self._unclear:
            self._judge(position, raw, last_word=True)
        self.refused = [refusal for _, refusal in sorted(self._refused_at, key=lambda pair: pair[0])]

    def results(self) -> tuple[tuple[Question, ...], dict[str, str]]:
        """All questions that passed, in the file's order and with unique ids; and the own ids of those renamed."""
        places = [place for place, question in enumerate(self._kept) if question is not None]
        questions = [question for question in self._kept if question is not None]
        given = {new: self._as_given[place] for new, place in enumerate(places) if place in self._as_given}
        return settle_ids(questions, given, self.repairs)

    def _judge(self, position: int, raw: RawQuestion, last_word: bool) -> None:
        draft = _Draft(raw)
        try:
            self._read_question(draft, last_word)
        except _Unclear:
            self._unclear.append((position, raw))
            return
        except _Bad as bad:
            draft.refuse(bad)
        else:
            self.repairs += draft.repairs
            self._kept[position] = draft.question()
            if draft.answers != draft.as_given:
                self._as_given[position] = tuple(draft.as_given)
        if draft.bad is not None:
            shown = raw.id if isinstance(raw.id, str) else "" if raw.id is None else str(raw.id)
            place = (raw.article, raw.title, raw.paragraph, raw.row, shown)
            is_scored = self._kept[position] is not None
            self._refused_at.append((position, Refusal(*place, draft.bad.reason, draft.bad.fix, is_scored)))

    def _read_question(self, draft: _Draft, last_word: bool) -> None:
        """Fill a draft. What only training needs is noted in it.

        Raises:
            _Bad: the question can't even be scored.
        """
        raw = draft.raw
        pairs: list[tuple[Any, Any]] = []
        if not isinstance(raw.answers, str):
            pairs = raw.answers
        elif not raw.impossible:
            raise _Bad(raw.answers, "fix or remove it")
        draft.identity = _identity(raw.id, draft.repairs)
        draft.asked = draft.text(raw.question, "the question")
        self._set_context(draft, draft.text(raw.context, "the paragraph"))
        if self._is_unanswerable(raw, last_word):
            if draft.bad is not None:
                raise draft.bad
            return
        if raw.impossible:
            draft.refuse(_Bad("it is marked is_impossible but has an answer", "remove the mark or the answer"))
        if not pairs:
            raise _Bad("it has no answer", "give one, or mark the question is_impossible")
        for text, start in pairs:
            self._add_answer(draft, text, start, last_word)
        if not draft.golds:
            raise draft.unused or _Bad("it has no answer", "give one")
        if not draft.answers:
            draft.refuse(draft.unused)
        elif draft.unused:
            draft.repairs[UNUSED_ANSWER] += 1

    def _set_context(self, draft: _Draft, context: str) -> None:
        known = self._contexts.get(context)
        if known is None:
            known = self._contexts[context] = context, hash_context(context)
            if draft.raw.title:
                self.titles[known[1]] = _without_surrogates(draft.raw.title, draft.repairs)
        draft.context, draft.context_hash = known  # one text in memory for all of a paragraph's questions

    def _is_unanswerable(self, raw: RawQuestion, last_word: bool) -> bool:
        if raw.impossible:
            return not _has_answer(raw.answers)
        if raw.impossible is not None or raw.answers:
            return False
        # Hugging Face writes SQuAD 2.0 without the mark: there an empty list means it.
        if not self.flat and not last_word and self.document.format == "squad-1.1":
            raise _Unclear
        return self.flat or self.document.format == "squad-2.0"

    def _add_answer(self, draft: _Draft, text: Any, start: Any, last_word: bool) -> None:
        """Add an answer's gold text to a draft, and its place where training can use it."""
        try:
            wanted = draft.gold(text)
            begin = _start(start, draft.repairs)
            if not wanted.strip():
                raise _Bad("an answer is empty", "give its text, or remove the question")
            # The file is right nearly always, and a set has a hundred thousand answers.
            if begin is not None and begin >= 0 and draft.context.startswith(wanted, begin):
                draft.place(wanted, begin)
                return
            found = offsets.locate(draft.context, wanted, begin)
            if found is None:
                found = self._settle_unclear(draft.context, wanted, begin, last_word)
            elif begin is not None and begin >= 0 and found.text == wanted:
                self._shifts[draft.context].add(found.start - begin)
            draft.repairs[found.repair] += 1
            draft.place(found.text, found.start)
        except _Bad as bad:
            draft.unused = draft.unused or bad

    def _settle_unclear(self, context: str, text: str, start: int | None, last_word: bool) -> offsets.Found:
        """The place of an answer that is at several, or the refusal that fits."""
        places = offsets.occurrences(context, text)
        if not places:
            raise _Bad(*_nowhere(context, text))
        if start is None and self.no_starts:
            return offsets.Found(text, context.index(text), FIRST_PLACE)
        shown = _shown(text)
        if start is None or start < 0:
            raise _Bad(
                f'the answer "{shown}" has no start and is at {places:,} places',
                "give its answer_start, or take the first place with `xlqa data convert --first-place`",
            )
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


class _Draft:
    """A question while it is read.

    Attributes:
        answers: those with a place; as_given: the same before white space at their edges was removed.
        golds: the texts of all answers.
        unused: why the first answer without a place has none; bad: why the question can't be used for training.
    """

    __slots__ = (
        "answers", "as_given", "asked", "bad", "context", "context_hash", "golds", "identity", "raw", "repairs", "unused",
    )  # fmt: skip

    def __init__(self, raw: RawQuestion) -> None:
        self.raw = raw
        self.identity = self.asked = self.context = self.context_hash = ""
        self.answers: list[Answer] = []
        self.as_given: list[Answer] = []
        self.golds: list[str] = []
        self.repairs: Counter[str] = Counter()
        self.unused: _Bad | None = None
        self.bad: _Bad | None = None

    def refuse(self, bad: _Bad | None) -> None:
        """Note why the question can't be used for training; the first reason stays."""
        self.bad = self.bad or bad

    def text(self, value: Any, what: str) -> str:
        """A text that training needs; "" and a reason to refuse where there is none."""
        reason = ""
        if not isinstance(value, str):
            missing = value is None or value != value
            reason = f"{what} is missing" if missing else f"{what} is a {type(value).__name__}, not text"
        elif not value or value.isspace():
            reason = f"{what} is empty"
        if reason:
            self.refuse(_Bad(reason, "give its text, or remove the question"))
            return ""
        return _without_surrogates(value, self.repairs)

    def gold(self, text: Any) -> str:
        """An answer's text, which counts in scores even where it is empty."""
        if isinstance(text, float) and text.is_integer():
            text = int(text)
        if isinstance(text, int) and not isinstance(text, bool):
            text = str(text)
            self.repairs[ANSWER_AS_NUMBER] += 1
        if text is None or text != text:
            raise _Bad("an answer is empty", "give its text, or remove the question")
        if isinstance(text, float):
            text = str(text)
            self.repairs[ANSWER_AS_NUMBER] += 1
        if not isinstance(text, str):
            raise _Bad(f"an answer is a {type(text).__name__}, not text", "write it as text")
        gold = _without_surrogates(text, self.repairs)
        self.golds.append(gold)
        return gold

    def place(self, text: str, start: int) -> None:
        """Add an answer at its place, without the white space at its edges."""
        answer = Answer(text, start)
        self.as_given.append(answer)
        core = text.strip()
        if len(core) < len(text):
            answer = Answer(core, start + len(text) - len(text.lstrip()))
            self.repairs[offsets.EDGE_SPACE] += 1
        self.answers.append(answer)

    def question(self) -> Question:
        """The question as it was read; without answers if training can't use it."""
        answers = tuple(self.answers) if self.bad is None else ()
        golds = tuple(self.golds)
        same = golds == tuple([answer.text for answer in answers])
        return Question(self.identity, self.asked, self.context, answers, self.context_hash, None if same else golds)


def _without_surrogates(text: str, repairs: Counter[str]) -> str:
    if has_surrogates(text):
        repairs[LONE_SURROGATE] += 1
    return without_surrogates(text)


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
    raise _Bad(f"an answer_start is {plain(repr(value)[:100], 40)}", "give a whole number of characters")


def _shown(text: str) -> str:
    return plain(text[:200], 60)


def _nowhere(context: str, text: str) -> tuple[str, str]:
    """Why an answer is nowhere in its paragraph, with the nearest thing to it."""
    reason = f'the answer "{_shown(text)}" is nowhere in its paragraph'
    respelled = offsets.respelled_places(context, text)
    if respelled:
        begin, end = respelled[0]
        return (
            f'{reason} as it is written, but "{_shown(context[begin:end])}" is at {len(respelled):,} places (Unicode form, blanks)',
            "correct its answer_start",
        )
    folded = context.lower()
    at = folded.find(text.lower())
    if at >= 0 and len(context) == len(folded):
        return f'{reason}, only "{_shown(context[at : at + len(text)])}" at {at:,}', "write it as the paragraph does"
    return reason, "correct its text or the paragraph's"


# --- Ids ------------------------------------------------------------------------------------------------------------


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


def settle_ids(
    questions: list[Question], as_given: Mapping[int, tuple[Answer, ...]], repairs: Counter[str]
) -> tuple[tuple[Question, ...], dict[str, str]]:
    """Questions with unique ids that depend on content alone, so that they survive a file's reordering.

    Args:
        as_given: answers as the file has them, by place in `questions`, where they were trimmed: ids hang on these.

    Returns:
        the questions, and the own ids of those that were renamed because others share theirs, by their new ones.
    """
    for place, question in enumerate(questions):
        if not question.id:
            questions[place] = replace(question, id=f"x-{_content_hash(question, as_given.get(place), 12)}")
    if len(np.unique(np.fromiter((hash(question.id) for question in questions), np.int64))) == len(questions):
        return tuple(questions), {}  # nearly every file: no set of a million ids beside the questions
    taken: set[str] = set()
    shared: set[str] = set()
    for question in questions:
        (shared if question.id in taken else taken).add(question.id)
    renamed: dict[str, str] = {}
    if shared:
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for place, question in enumerate(questions):
            if question.id in shared:
                groups[question.id].append(place)
        for identity, group in groups.items():
            _tell_apart(questions, as_given, group, taken, repairs)
            renamed.update((questions[place].id, identity) for place in group)
    return tuple(questions), renamed


def _tell_apart(
    questions: list[Question],
    as_given: Mapping[int, tuple[Answer, ...]],
    group: list[int],
    taken: set[str],
    repairs: Counter[str],
) -> None:
    seen: Counter[str] = Counter()
    for place in group:
        content = _content_hash(questions[place], as_given.get(place), 8)
        seen[content] += 1
        again = f"-{seen[content]}" if seen[content] > 1 else ""
        unique = f"{questions[place].id}~{content}{again}"
        while unique in taken:
            unique += "~"
        taken.add(unique)
        questions[place] = replace(questions[place], id=unique)
    repairs[REPEATED_QUESTION] += len(group) - len(seen)
    repairs[DUPLICATE_ID] += len(seen) - 1


def _content_hash(question: Question, as_given: tuple[Answer, ...] | None, length: int) -> str:
    answers = "\n".join(f"{answer.start} {answer.text}" for answer in as_given or question.answers)
    text = f"{question.context_hash}\n{question.question}\n{answers}"
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:length]
