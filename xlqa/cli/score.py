"""`xlqa score predictions.json squad.dev`: EM and F1 of any system's answers, without a model."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xlqa.cli import print_json
from xlqa.cli.options import Json
from xlqa.errors import XlqaError
from xlqa.util.text import printable

if TYPE_CHECKING:
    from xlqa.records import DataRef, Question
    from xlqa.tasks.qa.reading import Reading
    from xlqa.tasks.qa.scorers import Scorer, Scores

_SCRIPTS = {
    "zh": "\u3400-\u9fff", "th": "\u0e01-\u0e5b", "lo": "\u0e81-\u0edf", "km": "\u1780-\u17dd", "my": "\u1000-\u109f",
    "bo": "\u0f00-\u0fda",
}  # fmt: skip
_KANA = re.compile("[\u3041-\u30ff]")


def score(
    predictions: Annotated[Path, typer.Argument(help="JSON of question id to answer; plain, gzip or xz.")],
    dataset: Annotated[str, typer.Argument(help="File with gold answers, or a registered set such as xquad.ru.")],
    scorer: Annotated[
        str,
        typer.Option(help="squad, squad2, mlqa, cmrc, drcd, korquad, jaquad or characters; default: the data set's."),
    ] = "",
    lang: Annotated[str, typer.Option(help="Language of the answers in a local file, as ISO 639 code.")] = "",
    as_json: Json = False,
    per_question: Annotated[
        Path | None, typer.Option(help="CSV file to write: a row a question with its EM and F1.")
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Count a question without a prediction as 0, not as an error.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out questions of DATASET that would be refused.")
    ] = False,
) -> None:
    """Score any system's answers: EM and F1 in percent, each with its scorer's name.

    PREDICTIONS is one JSON object of question id to answer, as SQuAD's script reads it. DATASET is a file, or a name of
    `xlqa data list`. A registered set is scored by its makers' rules, a file by those of its language (--lang); SQuAD
    v1.1 always stands beside.

    Examples:

      xlqa score predictions.json squad.dev

      xlqa score predictions.json test.json --lang zh --scorer cmrc --json
    """
    from xlqa.tasks.qa.predictions import read_predictions
    from xlqa.tasks.qa.score_table import write_question_scores
    from xlqa.tasks.sources import read_ref

    answers = read_predictions(predictions)
    ref = _find(dataset, lang)
    reading = read_ref(ref, skip_bad=skip_bad)
    rules = choose_rules(ref, reading, scorer, lang)
    report = score_answers(reading, answers, rules, allow_missing=allow_missing)
    if per_question is not None:
        write_question_scores(per_question, report.questions, report.lead, report.squad)
    _print(report, ref, as_json)


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """One prediction file's scores.

    Attributes:
        questions: those scored, in the order of `lead`.
        all_scores: the leading scorer's first, then SQuAD v1.1's and, where the language needs it, one over characters.
        language: of the answers, "" where unknown; `guessed` where only their script says so.
        extra: predictions for which the data set has no question at all.
        unanswerable: questions without an answer in the data set, whether they were scored or left out.
        refused: questions of the data set left out by --skip-bad.
    """

    questions: tuple[Question, ...]
    all_scores: tuple[Scores, ...]
    language: str
    guessed: bool
    extra: int
    unanswerable: int
    refused: int

    @property
    def lead(self) -> Scores:
        return self.all_scores[0]

    @property
    def squad(self) -> Scores:
        return next(scores for scores in self.all_scores if scores.scorer == "squad")


@dataclass(frozen=True, slots=True)
class ChosenRules:
    """The scorer that leads, the others that stand beside it, and the language they were chosen for."""

    lead: Scorer
    beside: tuple[Scorer, ...]
    language: str
    guessed: bool


def choose_rules(ref: DataRef, reading: Reading, scorer: str, lang: str) -> ChosenRules:
    """What to score with: the scorer asked for, else the registered set's, else that of the file's language.

    Raises:
        XlqaError: unknown scorer; `mlqa` and no language to be had; --lang and --scorer contradict each other.
    """
    from xlqa.tasks.qa.scorers import WITHOUT_BLANKS, base_language, default_scorer, get_scorer

    language, name = base_language(ref.language), ref.scorer
    guessed = False
    if not language:
        language, name = _registered_copy(ref.sha256) or ("", name)
    if not language:
        language = guess_language(reading.questions)
        guessed = bool(language)
        name = default_scorer(language) if guessed else name
    lead = get_scorer(scorer or name, language)
    if lang and lead.name.startswith("mlqa.") and lead.name != f"mlqa.{language}":
        raise XlqaError(f"--scorer {scorer} and --lang {lang} contradict each other: drop one of them.")
    names = ["squad"]
    if language == "zh" or language in WITHOUT_BLANKS:
        names.append(default_scorer(language))
    return ChosenRules(lead, tuple(get_scorer(n) for n in names if n != lead.name), language, guessed)


def score_answers(
    reading: Reading, answers: Mapping[str, str], rules: ChosenRules, *, allow_missing: bool = False
) -> Report:
    """Score answers under all chosen rules; unanswerable questions count only where the rules have a word on them.

    Raises:
        XlqaError: predictions are missing, or can't be told apart because the data set's ids are not unique.
    """
    from xlqa.tasks.qa.scorers import score_questions

    everything = (*reading.questions, *reading.unanswerable)
    extra = len(answers.keys() - {question.id for question in everything})
    _refuse_ambiguous(reading, everything, answers)

    def under(scorer: Scorer) -> Scores:
        chosen = everything if scorer.scores_unanswerable else reading.questions
        return score_questions(chosen, answers, scorer, allow_missing=allow_missing)

    lead = under(rules.lead)
    if not len(lead.ids):
        raise XlqaError("The data set has unanswerable questions only: score them with --scorer squad2.")
    return Report(
        everything if rules.lead.scores_unanswerable else reading.questions,
        (lead, *map(under, rules.beside)),
        rules.language,
        rules.guessed,
        extra,
        len(reading.unanswerable),
        len(reading.refused),
    )


def guess_language(questions: Iterable[Question], paragraphs: int = 200) -> str:
    """Language of the paragraphs, if it is one of those that are written without blanks: their scripts tell.

    Under word-based rules such answers would score next to nothing, so that it is better to guess than to go on.

    Returns:
        "" where most letters are of another script.
    """
    sample = "".join(islice(dict.fromkeys(question.context for question in questions), paragraphs))
    letters = sum(map(str.isalpha, sample))
    kana = len(_KANA.findall(sample))
    for language, script in _SCRIPTS.items():
        found = len(re.findall(f"[{script}]", sample))
        if language == "zh":
            found, language = found + kana, "ja" if kana > found / 10 else "zh"
        if found > letters / 2:
            return language
    return ""


def _find(dataset: str, lang: str) -> DataRef:
    from xlqa.tasks.qa.scorers import base_language
    from xlqa.tasks.sources import resolve

    language = base_language(lang)
    ref = resolve(dataset, language=language)
    if language and base_language(ref.language) != language:
        raise XlqaError(f"{ref.name} is in {ref.language}, not {lang}: drop --lang, or name another data set.")
    return ref


def _registered_copy(sha256: str) -> tuple[str, str] | None:
    """Language and scorer of the registered part whose file is the same, byte for byte."""
    from xlqa.data.registry import find_part, part_names, part_scorer

    for name in part_names():
        part = find_part(name)
        if part.sha256 == sha256 and not part.member:
            return part.language, part_scorer(part)
    return None


def _refuse_ambiguous(reading: Reading, questions: Iterable[Question], answers: Mapping[str, str]) -> None:
    """Ids that came twice were given suffixes; predictions that don't know these can't be matched to questions."""
    if reading.has_duplicate_ids and any(question.id not in answers for question in questions):
        raise XlqaError(
            "The data set has ids that stand for several questions, so predictions can't be matched to them: "
            "give each question its own id (`xlqa data convert` does) and answer that file."
        )


def _print(report: Report, ref: DataRef, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(report, ref))
    else:
        width = max(len("scorer"), *(len(scores.scorer) for scores in report.all_scores))
        print(printable(f"{ref.name}: {len(report.questions):,} questions"))
        print(f"{'scorer':{width}}  {'EM':>8}  {'F1':>8}")
        for scores in report.all_scores:
            print(f"{scores.scorer:{width}}  {scores.mean_em:8.4f}  {scores.mean_f1:8.4f}")
    for note in _notes(report):
        print(printable(f"note: {note}"), file=sys.stderr)


def _as_json(report: Report, ref: DataRef) -> dict[str, Any]:
    return {
        "em": report.lead.mean_em,
        "f1": report.lead.mean_f1,
        "questions": len(report.questions),
        "scorer": report.lead.scorer,
        "squad_em": report.squad.mean_em,
        "squad_f1": report.squad.mean_f1,
        "missing": report.lead.missing,
        "extra": report.extra,
        "unanswerable": report.unanswerable,
        "refused": report.refused,
        "lang": report.language or None,
        "dataset": ref.name,
        "sha256": ref.sha256,
        "scores": {scores.scorer: {"em": scores.mean_em, "f1": scores.mean_f1} for scores in report.all_scores},
    }


def _notes(report: Report) -> list[str]:
    notes = []
    if report.guessed:
        notes.append(f"no --lang given; by their script the paragraphs are taken for {report.language}.")
    if report.lead.missing:
        notes.append(f"{report.lead.missing:,} questions have no prediction; each counts as 0.")
    if report.extra:
        notes.append(f"{report.extra:,} predictions belong to no question of the data set; they count nowhere.")
    if report.refused:
        notes.append(f"{report.refused:,} questions of the data set are unusable and left out (--skip-bad).")
    if report.unanswerable and report.lead.scorer != "squad2":
        notes.append(f"{report.unanswerable:,} unanswerable questions are left out; --scorer squad2 counts them.")
    return notes
