"""Scoring any system's answers, without a model: `xlqa.score`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlqa.api.results import frame_of
from xlqa.errors import XlqaError
from xlqa.sweep_keywords import PathLike
from xlqa.util import html
from xlqa.util.text import counted, plain, printable

if TYPE_CHECKING:
    import pandas as pd

    from xlqa.records import DataRef, Question
    from xlqa.tasks.qa.reading import Reading
    from xlqa.tasks.qa.scorers import Scorer, Scores


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Score:
    """The scores of a system's answers.

    Attributes:
        ref: the data set that they were scored on.
        questions: those scored, in the order of `lead`.
        all_scores: the leading scorer's first, then SQuAD v1.1's and, where the language needs it, one over characters.
        language: of the answers, "" where unknown; `guessed` where only ids or the script show it.
        extra: predictions for which the data set has no question at all.
        unanswerable: questions without an answer in the data set, whether they were scored or left out.
        refused: questions of the data set left out by --skip-bad.
        untrainable: questions that are scored although training refuses them.
        sharing: questions whose id others have too, and which one prediction answers together.
    """

    ref: DataRef
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

    @property
    def em(self) -> float:
        """Exact match in percent, by the leading scorer."""
        return self.lead.mean_em

    @property
    def f1(self) -> float:
        """F1 in percent, by the leading scorer."""
        return self.lead.mean_f1

    @property
    def table(self) -> pd.DataFrame:
        """EM and F1 in percent, a row for each scorer."""
        return frame_of([{"scorer": s.scorer, "em": s.mean_em, "f1": s.mean_f1} for s in self.all_scores])

    @property
    def per_question(self) -> pd.DataFrame:
        """EM and F1 of each question by the leading scorer."""
        columns = zip(self.lead.ids, self.lead.em, self.lead.f1, strict=True)
        return frame_of([{"id": id, "em": float(em), "f1": float(f1)} for id, em, f1 in columns])

    def as_record(self) -> dict[str, Any]:
        """Everything as one JSON document."""
        return {
            "em": self.lead.mean_em,
            "f1": self.lead.mean_f1,
            "questions": len(self.questions),
            "scorer": self.lead.scorer,
            "squad_em": self.squad.mean_em,
            "squad_f1": self.squad.mean_f1,
            "missing": self.lead.missing,
            "extra": self.extra,
            "unanswerable": self.unanswerable,
            "refused": self.refused,
            "untrainable": self.untrainable,
            "lang": self.language or None,
            "dataset": self.ref.name,
            "sha256": self.ref.sha256,
            "scores": {scores.scorer: {"em": scores.mean_em, "f1": scores.mean_f1} for scores in self.all_scores},
        }

    def __repr__(self) -> str:
        width = max(len("scorer"), *(len(scores.scorer) for scores in self.all_scores))
        lines = [printable(self._title()), f"{'scorer':{width}}  {'EM':>8}  {'F1':>8}"]
        lines += [f"{s.scorer:{width}}  {s.mean_em:8.4f}  {s.mean_f1:8.4f}" for s in self.all_scores]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [(s.scorer, f"{s.mean_em:.4f}", f"{s.mean_f1:.4f}") for s in self.all_scores]
        return html.paragraph(self._title()) + html.table(("scorer", "EM", "F1"), rows) + html.paragraph(*self.notes)

    def _title(self) -> str:
        return f"{self.ref.name}: {counted(len(self.questions), 'question')}"

    @property
    def notes(self) -> list[str]:
        """What a reader of the scores should know, a line each."""
        notes = []
        if self.guessed:
            notes.append(f"no --lang given; the ids or the script of the paragraphs show the language {self.language}.")
        if self.lead.missing:
            notes.append(
                f"{counted(self.lead.missing, 'question has', 'questions have')} no prediction; each counts as 0."
            )
        if self.extra:
            extra = counted(self.extra, "prediction belongs", "predictions belong")
            notes.append(f"{extra} to no question of the data set: not counted.")
        if self.refused:
            refused = counted(self.refused, "question of the data set has", "questions of the data set have")
            notes.append(f"{refused} no gold text: left out (--skip-bad).")
        if self.untrainable:
            untrainable = counted(self.untrainable, "question has", "questions have")
            notes.append(f"{untrainable} no answer with a position in the paragraph; scored anyway.")
        if self.sharing:
            sharing = counted(self.sharing, "question shares its", "questions share their")
            notes.append(f"{sharing} id with another; one prediction answers all of an id.")
        if self.unanswerable and self.lead.scorer != "squad2":
            notes.append(
                f"{counted(self.unanswerable, 'unanswerable question')} left out; --scorer squad2 counts them."
            )
        return notes


@dataclass(frozen=True, slots=True)
class ChosenRules:
    """The leading scorer, the others that are shown too, and the language they were chosen for."""

    lead: Scorer
    beside: tuple[Scorer, ...]
    language: str
    guessed: bool


def score(
    predictions: PathLike | Mapping[str, str],
    dataset: PathLike,
    *,
    scorer: str = "",
    lang: str = "",
    per_question: PathLike | None = None,
    allow_missing: bool = False,
    skip_bad: bool = False,
) -> Score:
    """Score any system's answers to questions: EM and F1 in percent, each with its scorer's name.

    Args:
        predictions: answers by question id: a mapping, or a file of JSON, JSON lines or CSV.
        dataset: file with gold answers, or a registered set such as xquad.ru.
        scorer: squad, squad2, mlqa, cmrc, drcd, drcd-makers, korquad, jaquad or characters; by default the data set's.
        lang: language of the paragraphs in a local file.
        per_question: CSV file to write: a row for each question.
        allow_missing: score a question without a prediction as 0; skip_bad: leave out questions without a gold text.

    Raises:
        XlqaError: a file cannot be read or written, predictions are missing, or the scorer does not exist.
    """
    from xlqa.tasks.qa.predictions import read_predictions
    from xlqa.tasks.qa.score_table import write_question_scores
    from xlqa.tasks.sources import read_ref

    if isinstance(predictions, Mapping):
        if wrong := [
            id for id, answer in predictions.items() if not isinstance(id, str) or not isinstance(answer, str)
        ]:
            raise XlqaError(f"the prediction of {plain(str(wrong[0]), 60)} is not a text by an id that is a text.")
        answers = dict(predictions)
    else:
        answers = read_predictions(Path(predictions).expanduser())
    ref = _find(str(dataset), lang)
    reading = read_ref(ref, skip_bad=skip_bad, to_score=True)
    found = score_answers(ref, reading, answers, choose_rules(ref, reading, scorer, lang), allow_missing=allow_missing)
    if per_question is not None:
        write_question_scores(Path(per_question).expanduser(), found.questions, found.lead, found.squad)
    return found


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
    ref: DataRef,
    reading: Reading,
    answers: Mapping[str, str],
    rules: ChosenRules,
    *,
    allow_missing: bool = False,
) -> Score:
    """Score answers under all chosen rules; unanswerable questions count only where the rules cover them.

    Of a registered set one prediction answers all questions that share an id, as in the official scripts.

    Raises:
        XlqaError: predictions are missing, or can't be told apart because the data set's ids are not unique.
    """
    from xlqa.tasks.qa.scorers import score_questions

    _refuse_ambiguous(reading, answers, bool(ref.set_name))
    everything = reading.everything

    def under(scorer: Scorer) -> Scores:
        chosen = everything if scorer.scores_unanswerable else reading.scored
        return score_questions(chosen, answers, scorer, allow_missing=allow_missing, own_ids=reading.renamed)

    lead = under(rules.lead)
    if not len(lead.ids):
        raise XlqaError("The data set has unanswerable questions only: score them with --scorer squad2.")
    known = {key.strip() for question in everything for key in (question.id, reading.renamed.get(question.id, ""))}
    return Score(
        ref,
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
