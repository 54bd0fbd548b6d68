"""Scores of whole sets: the denominator, what is missing, names of scorers, and figures known from elsewhere."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import numpy as np
import pytest

from xlqa.errors import XlqaError
from xlqa.records import Answer, Question
from xlqa.tasks.qa.predictions import read_predictions
from xlqa.tasks.qa.reading import read_dataset
from xlqa.tasks.qa.scorers import SCORER_NAMES, Scorer, base_language, default_scorer, get_scorer, score_questions


def make_question(id: str, *golds: str) -> Question:
    return Question(id, "?", " ".join(golds) or "x", tuple(Answer(gold, 0) for gold in golds), f"hash-{id}")


QUESTIONS = [make_question("a", "Denver Broncos"), make_question("b", "Santa Clara", "Clara"), make_question("c", "7")]


def test_scores_are_percentages_per_question() -> None:
    scores = score_questions(QUESTIONS, {"a": "the Broncos", "b": "Clara", "c": ""}, get_scorer("squad"))
    assert scores.scorer == "squad"
    assert scores.ids == ("a", "b", "c")
    assert scores.em.tolist() == [0, 100, 0]
    np.testing.assert_allclose(scores.f1, [200 / 3, 100, 0])
    assert scores.mean_em == pytest.approx(100 / 3)
    assert scores.mean_f1 == pytest.approx(500 / 9)  # the empty answer stays in the denominator
    assert (scores.missing, scores.extra) == (0, 0)


def test_a_missing_prediction_is_an_error_that_says_how_many_and_which() -> None:
    with pytest.raises(XlqaError, match=r"2 of 3 questions have no prediction \(a, c\).*--allow-missing"):
        score_questions(QUESTIONS, {"b": "Clara"}, get_scorer("squad"))


def test_a_missing_prediction_counts_0_where_allowed() -> None:
    scores = score_questions(QUESTIONS, {"b": "Clara", "z": "1"}, get_scorer("squad"), allow_missing=True)
    assert scores.em.tolist() == [0, 100, 0]
    assert (scores.missing, scores.extra) == (2, 1)


def test_many_missing_predictions_are_shortened() -> None:
    questions = [make_question(f"q{number}", "x") for number in range(1500)]
    with pytest.raises(XlqaError, match=r"1,500 of 1,500 questions have no prediction \(q0, q1, q2, …\)"):
        score_questions(questions, {}, get_scorer("squad"))


def test_a_missing_answer_is_not_the_answer_that_there_is_none() -> None:
    questions = [make_question("a"), make_question("b")]
    scores = score_questions(questions, {"a": ""}, get_scorer("squad2"), allow_missing=True)
    assert scores.em.tolist() == [100, 0]


def test_unanswerable_questions_need_a_scorer_that_has_a_rule_for_them() -> None:
    with pytest.raises(XlqaError, match=r"1 of 1 questions have no gold answer \(a\).*squad2"):
        score_questions([make_question("a")], {"a": ""}, get_scorer("squad"))


def test_no_question_has_no_mean() -> None:
    scores = score_questions([], {"a": ""}, get_scorer("squad"))
    assert math.isnan(scores.mean_em)
    assert math.isnan(scores.mean_f1)


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("en", "squad"),
        ("en-GB", "squad"),
        ("zh", "mlqa.zh"),
        ("zh-Hant", "mlqa.zh"),
        ("ZH_tw", "mlqa.zh"),
        ("eng", "squad"),
        ("zho", "mlqa.zh"),
        ("jpn", "characters"),
        ("arb", "mlqa.ar"),
        ("arb_Arab", "mlqa.ar"),
        ("fra", "mlqa.fr"),
        ("dut", "mlqa.nl"),
        ("swh_Latn", "mlqa.sw"),
        ("ceb", "mlqa.ceb"),
        ("ja", "characters"),
        ("th", "characters"),
        ("yue", "characters"),
        ("ru", "mlqa.ru"),
        ("de", "mlqa.de"),
        ("ko", "mlqa.ko"),
        ("sw", "mlqa.sw"),
    ],
)
def test_default_scorers_of_local_files(language: str, name: str) -> None:
    assert default_scorer(language) == name
    assert get_scorer(name).name == name


def test_arabic_has_its_rules_under_each_code() -> None:
    for code in ("ar", "ara", "arb"):
        assert get_scorer(default_scorer(code)).em("الكتاب", ("كتاب",)) == 1


@pytest.mark.parametrize("name", SCORER_NAMES)
def test_every_name_gives_a_scorer_whose_own_name_gives_it_again(name: str) -> None:
    scorer: Scorer = get_scorer(name, "de")
    again = get_scorer(scorer.name)
    assert again.name == scorer.name
    assert again == pickle.loads(pickle.dumps(scorer)) == scorer


def test_a_scorer_over_characters_takes_a_language_and_no_other_word() -> None:
    assert get_scorer("characters.th") == get_scorer("characters")
    with pytest.raises(XlqaError, match='"nonsense" is not a language code'):
        get_scorer("characters.nonsense")


def test_a_name_may_be_written_in_any_case() -> None:
    assert get_scorer("MLQA.zh-Hans").name == "mlqa.zh"
    assert get_scorer(" SQuAD ").name == "squad"


@pytest.mark.parametrize("name", ["", "rouge", "squad.en", "cmrc.zh"])
def test_unknown_scorers_are_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(XlqaError, match=r"hoose from squad, squad2, mlqa, cmrc"):
        get_scorer(name)


def test_mlqa_without_a_language_names_the_mend() -> None:
    with pytest.raises(XlqaError, match="--lang"):
        get_scorer("mlqa")


@pytest.mark.parametrize("code", ["russian", "r", "r1", "../ru", "aa ab", "xx", "jp", "cn"])
def test_what_is_no_language_code_is_refused(code: str) -> None:
    with pytest.raises(XlqaError, match="not a language code"):
        base_language(code)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("system", "em", "f1", "missing", "extra"),
    [("r-net-plus", 82.4693, 88.4779, 0, 0), ("logistic-regression", 40.1419, 50.9815, 13, 28)],
)
def test_the_official_figures_of_squad(
    shared_data: Path, system: str, em: float, f1: float, missing: int, extra: int
) -> None:
    questions = read_dataset(shared_data / "squad" / "dev-v1.1.json").questions
    predictions = read_predictions(shared_data / "predictions" / f"squad-dev-v1.1.{system}.json")
    scores = score_questions(questions, predictions, get_scorer("squad"), allow_missing=True)
    assert len(scores.ids) == 10570
    assert (round(scores.mean_em, 4), round(scores.mean_f1, 4)) == (em, f1)
    assert (scores.missing, scores.extra) == (missing, extra)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "f1"), [("squad", 0.5), ("mlqa.zh", 91.0), ("drcd", 91.0)])
def test_chinese_answers_stretched_by_one_character(shared_data: Path, name: str, f1: float) -> None:
    questions = read_dataset(shared_data / "drcd" / "DRCD_dev.json").questions
    predictions = {}
    for question in questions:
        gold = question.answers[0]
        predictions[question.id] = question.context[gold.start : gold.start + len(gold.text) + 1]
    assert round(score_questions(questions, predictions, get_scorer(name)).mean_f1, 1) == f1


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("xquad/xquad.en.json", ("squad", "mlqa.en")),
        ("xquad/xquad.es.json", ("squad", "mlqa.es")),
        ("xquad/xquad.ru.json", ("squad", "mlqa.ru")),
        ("xquad/xquad.zh.json", ("squad", "mlqa.zh", "cmrc")),
        ("drcd/DRCD_dev.json", ("drcd", "cmrc", "mlqa.zh")),
        ("jaquad/jaquad_dev.json", ("jaquad", "characters")),
        ("tydiqa/tydiqa-goldp.sw.dev.json", ("squad", "mlqa.sw")),
    ],
)
def test_gold_answers_of_real_sets_score_100(shared_data: Path, path: str, names: tuple[str, ...]) -> None:
    questions = read_dataset(shared_data / path).questions
    predictions = {question.id: question.answers[-1].text for question in questions}
    for name in names:
        scores = score_questions(questions, predictions, get_scorer(name))
        assert scores.mean_em == 100
        assert scores.mean_f1 == 100
