"""`xlqa score predictions.json squad.dev`: EM and F1 of any system's answers, without a model."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xlqa.cli import print_json
from xlqa.cli.options import Json
from xlqa.errors import XlqaError
from xlqa.util.text import counted, plain, printable

if TYPE_CHECKING:
    from xlqa.records import DataRef, Question
    from xlqa.tasks.qa.reading import Reading
    from xlqa.tasks.qa.scorers import Scorer, Scores


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """One prediction file's scores.

    Attributes:
        questions: those scored, in the order of `lead`.
        all_scores: the leading scorer's first, then SQuAD v1.1's and, where the language needs it, one over characters.
        language: of the answers, "" where unknown; `guessed` where only ids or the script show it.
        extra: predictions for which the data set has no question at all.
        unanswerable: questions without an answer in the data set, whether they were scored or left out.
        refused: questions of the data set left out by --skip-bad.
        untrainable: questions that are scored although training refuses them.
        sharing: questions whose id others have too, and which one prediction answers together.
    """

    questions: tuple[Question, ...]
    all_scores: tuple[Scores, ...]
    language: str
    guessed: bool
    extra: int
    unanswerable: int
    refused: int
    untrainable: int
    sharing: int

    @property
    def lead(self) -> Scores:
        return self.all_scores[0]

    @property
    def squad(self) -> Scores:
        return next(scores for scores in self.all_scores if scores.scorer == "squad")


@dataclass(frozen=True, slots=True)
class ChosenRules:
    """The leading scorer, the others that are shown too, and the language they were chosen for."""

    lead: Scorer
    beside: tuple[Scorer, ...]
    language: str
    guessed: bool


Predictions = Annotated[
    Path, typer.Argument(help="Answers by question id: JSON, JSON lines or CSV, plain or compressed.")
]
Dataset = Annotated[str, typer.Argument(help="File with gold answers, or a registered set such as xquad.ru.")]
ScorerName = Annotated[
    str,
    typer.Option(
        "--scorer", help="squad, squad2, mlqa, cmrc, drcd, drcd-makers, korquad, jaquad or characters. Default: the data set's."
    ),
]  # fmt: skip
Language = Annotated[
    str, typer.Option("--lang", help="ISO 639 code of the language of the paragraphs in a local file.")
]
PerQuestion = Annotated[
    Path | None, typer.Option("--per-question", help="CSV file to write: one row per question with its EM and F1.")
]
AllowMissing = Annotated[
    bool,
    typer.Option("--allow-missing", help="Score a question without a prediction as 0 instead of refusing the file."),
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out questions of DATASET that have no gold text to score by.")
]


def score(
    predictions: Predictions, dataset: Dataset, scorer: ScorerName = "", lang: Language = "", as_json: Json = False,
    per_question: PerQuestion = None, allow_missing: AllowMissing = False, skip_bad: SkipBad = False,
) -> None:  # fmt: skip
    """Score any system's answers: EM and F1 in percent, each with its scorer's name.

    PREDICTIONS is one JSON object from question id to answer, as for SQuAD's script, or rows with id and prediction_text.
    DATASET is a file or a name of xlqa data list. A registered set, or a copy of its file, is scored as in published
    figures; any other file by the rules of its language (--lang). The SQuAD v1.1 score is always printed too. All gold
    texts count, as in the official scripts.

    Examples:

      xlqa score predictions.json squad.dev

      xlqa score predictions.json test.json --lang zh --scorer cmrc --json
    """
    from xlqa.tasks.qa.predictions import read_predictions
    from xlqa.tasks.qa.score_table import write_question_scores
    from xlqa.tasks.sources import read_ref

    answers = read_predictions(predictions)
    ref = _find(dataset, lang)
    reading = read_ref(ref, skip_bad=skip_bad, to_score=True)
    rules = choose_rules(ref, reading, scorer, lang)
    known = bool(ref.set_name)
    report = score_answers(reading, answers, rules, allow_missing=allow_missing, is_registered=known)
    if per_question is not None:
        write_question_scores(per_question, report.questions, report.lead, report.squad)
    _print(report, ref, as_json)


def choose_rules(ref: DataRef, reading: Reading, scorer: str, lang: str) -> ChosenRules:
    """What to score with: the scorer asked for, else the registered set's, else that of the file's language.

    Raises:
        XlqaError: unknown scorer; `mlqa` and no language to be had; --lang and --scorer contradict each other.
    """
    from xlqa.tasks.qa.scorers import WITHOUT_BLANKS, base_language, default_scorer, get_scorer
    from xlqa.tasks.sources import settle_language

    settled = settle_language(ref, reading.everything)
    language, guessed = base_language(settled.language), settled.language != ref.language
    lead = get_scorer(scorer or settled.scorer, language)
    if lang and lead.name.startswith("mlqa.") and lead.name != f"mlqa.{language}":
        raise XlqaError(f"--scorer {scorer} and --lang {lang} contradict each other: drop one of them.")
    names = ["squad"]
    if language == "zh" or language in WITHOUT_BLANKS:
        names.append(default_scorer(language))
    return ChosenRules(lead, tuple(get_scorer(n) for n in names if n != lead.name), language, guessed)


def score_answers(
    reading: Reading,
    answers: Mapping[str, str],
    rules: ChosenRules,
    *,
    allow_missing: bool = False,
    is_registered: bool = False,
) -> Report:
    """Score answers under all chosen rules; unanswerable questions count only where the rules cover them.

    Args:
        is_registered: the set is a registered one: where several questions share an id, one prediction answers them all, as
            in the official scripts.

    Raises:
        XlqaError: predictions are missing, or can't be told apart because the data set's ids are not unique.
    """
    from xlqa.tasks.qa.scorers import score_questions

    _refuse_ambiguous(reading, answers, is_registered)
    everything = reading.everything

    def under(scorer: Scorer) -> Scores:
        chosen = everything if scorer.scores_unanswerable else reading.scored
        return score_questions(chosen, answers, scorer, allow_missing=allow_missing, own_ids=reading.renamed)

    lead = under(rules.lead)
    if not len(lead.ids):
        raise XlqaError("The data set has unanswerable questions only: score them with --scorer squad2.")
    known = {key.strip() for question in everything for key in (question.id, reading.renamed.get(question.id, ""))}
    return Report(
        everything if rules.lead.scores_unanswerable else reading.scored,
        (lead, *map(under, rules.beside)),
        rules.language,
        rules.guessed,
        sum(id.strip() not in known for id in answers),
        len(reading.unanswerable),
        sum(not refusal.is_scored for refusal in reading.refused),
        sum(refusal.is_scored for refusal in reading.refused),
        sum(id not in answers for id in reading.renamed),
    )


def _find(dataset: str, lang: str) -> DataRef:
    from xlqa.tasks.qa.scorers import base_language
    from xlqa.tasks.sources import resolve

    language = base_language(lang)
    ref = resolve(dataset, language=language)
    if language and base_language(ref.language) != language:
        raise XlqaError(f"{ref.name} is in {ref.language}, not {lang}: drop --lang, or name another data set.")
    return ref


def _refuse_ambiguous(reading: Reading, answers: Mapping[str, str], is_registered: bool) -> None:
    """Different questions with one id were given suffixes; predictions without these can't be matched to a user's own set."""
    if is_registered or not reading.has_duplicate_ids:
        return
    contents: dict[str, set[tuple[str, str]]] = {}
    for question in reading.everything:
        if question.id in reading.renamed and question.id not in answers:
            contents.setdefault(reading.renamed[question.id], set()).add((question.context_hash, question.question))
    shared = [id for id, found in contents.items() if len(found) > 1]
    if shared:
        raise XlqaError(
            f"Several questions of the data set share one id (such as {plain(shared[0], 60)}), so predictions can't be "
            "matched to them: give each question its own id (`xlqa data convert` does) and answer that file."
        )


def _print(report: Report, ref: DataRef, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(report, ref))
    else:
        width = max(len("scorer"), *(len(scores.scorer) for scores in report.all_scores))
        print(printable(f"{ref.name}: {counted(len(report.questions), 'question')}"))
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
        "untrainable": report.untrainable,
        "lang": report.language or None,
        "dataset": ref.name,
        "sha256": ref.sha256,
        "scores": {scores.scorer: {"em": scores.mean_em, "f1": scores.mean_f1} for scores in report.all_scores},
    }


def _notes(report: Report) -> list[str]:
    notes = []
    if report.guessed:
        notes.append(f"no --lang given; the ids or the script of the paragraphs show the language {report.language}.")
    if report.lead.missing:
        notes.append(
            f"{counted(report.lead.missing, 'question has', 'questions have')} no prediction; each counts as 0."
        )
    if report.extra:
        extra = counted(report.extra, "prediction belongs", "predictions belong")
        notes.append(f"{extra} to no question of the data set: not counted.")
    if report.refused:
        refused = counted(report.refused, "question of the data set has", "questions of the data set have")
        notes.append(f"{refused} no gold text: left out (--skip-bad).")
    if report.untrainable:
        untrainable = counted(report.untrainable, "question has", "questions have")
        notes.append(f"{untrainable} no answer with a place in the paragraph: scored all the same.")
    if report.sharing:
        sharing = counted(report.sharing, "question shares its", "questions share their")
        notes.append(f"{sharing} id with another; one prediction answers all of an id.")
    if report.unanswerable and report.lead.scorer != "squad2":
        notes.append(f"{counted(report.unanswerable, 'unanswerable question')} left out; --scorer squad2 counts them.")
    return notes
