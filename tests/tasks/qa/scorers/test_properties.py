"""What must hold for every scorer and any text."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize.destructive import NLTKWordTokenizer

from xlqa.tasks.qa.scorers import Scorer, cmrc, get_scorer, squad
from xlqa.tasks.qa.scorers.rules import Rules, bag_f1, substring_f1

NAMES = (
    "squad", "squad2", "mlqa.en", "mlqa.ar", "mlqa.de", "mlqa.es", "mlqa.hi", "mlqa.vi", "mlqa.zh", "mlqa.ru",
    "cmrc", "drcd", "korquad", "jaquad", "characters",
)  # fmt: skip
SCRIPTS = "aA the der la của ال 天安門门 서울 か\u3099が กรุง नई।«»“”，。《》(),.'\"-_$€1 \u200b\u0301𝔘🙂\n"
texts = st.one_of(st.text(alphabet=SCRIPTS, max_size=20), st.text(max_size=20))
words = st.lists(st.sampled_from("abc"), max_size=7)


few = settings(max_examples=30)  # for each of the scorers
each_scorer = pytest.mark.parametrize("scorer", [get_scorer(name) for name in NAMES], ids=NAMES)


def units_of(scorer: Scorer, text: str) -> Sequence[str]:
    return scorer.units(text) if isinstance(scorer, Rules) else squad.units(text)


@each_scorer
@few
@given(text=texts)
def test_an_answer_equals_itself(scorer: Scorer, text: str) -> None:
    if text.strip():
        assert scorer.em(text, [text]) == 1
    if units_of(scorer, text):
        assert scorer.f1(text, [text]) == 1


@each_scorer
@few
@given(prediction=texts, gold=texts)
def test_bounds_and_symmetry(scorer: Scorer, prediction: str, gold: str) -> None:
    em, f1 = scorer.em(prediction, [gold]), scorer.f1(prediction, [gold])
    assert em in (0.0, 1.0)
    assert isinstance(em, float)
    assert 0.0 <= f1 <= 1.0
    if prediction.strip() and gold.strip():
        assert scorer.em(gold, [prediction]) == em
        assert scorer.f1(gold, [prediction]) == pytest.approx(f1, abs=1e-12)


@each_scorer
@few
@given(prediction=texts, gold=texts)
def test_an_exact_match_has_f1_1(scorer: Scorer, prediction: str, gold: str) -> None:
    if scorer.em(prediction, [gold]) and units_of(scorer, prediction):
        assert scorer.f1(prediction, [gold]) == 1


@each_scorer
@few
@given(prediction=texts, golds=st.lists(texts.filter(str.strip), min_size=1, max_size=3), more=texts)
def test_another_gold_answer_never_lowers(scorer: Scorer, prediction: str, golds: list[str], more: str) -> None:
    if scorer.name == "squad2" and not all(units_of(scorer, gold) for gold in golds):
        return  # golds of which nothing is left stand for "no answer" there, until another one comes
    assert scorer.em(prediction, [*golds, more]) >= scorer.em(prediction, golds)
    assert scorer.f1(prediction, [*golds, more]) >= scorer.f1(prediction, golds)


@each_scorer
@few
@given(text=st.text(alphabet=" \t\n\u3000\xa0", max_size=3), gold=texts)
def test_an_empty_answer_scores_0(scorer: Scorer, text: str, gold: str) -> None:
    if units_of(scorer, gold):
        assert scorer.em(text, [gold]) == 0
        assert scorer.f1(text, [gold]) == 0


@each_scorer
@few
@given(prediction=texts, gold=texts)
def test_pickled_scorers_score_the_same(scorer: Scorer, prediction: str, gold: str) -> None:
    copy = pickle.loads(pickle.dumps(scorer))
    assert copy.name == scorer.name
    assert copy.f1(prediction, [gold]) == scorer.f1(prediction, [gold])
    assert copy.em(prediction, [gold]) == scorer.em(prediction, [gold])


@given(left=words, right=words)
def test_bag_f1_counts_shared_units(left: list[str], right: list[str]) -> None:
    rest, shared = list(right), 0
    for unit in left:
        if unit in rest:
            rest.remove(unit)
            shared += 1
    expected = 2 * shared / (len(left) + len(right)) if shared else 0
    assert bag_f1(left, right) == pytest.approx(expected)


@given(left=words, right=words)
def test_substring_f1_finds_the_longest_run(left: list[str], right: list[str]) -> None:
    runs = {tuple(left[i:j]) for i in range(len(left)) for j in range(i + 1, len(left) + 1)}
    shared = max(
        (len(run) for run in runs if any(tuple(right[i : i + len(run)]) == run for i in range(len(right)))), default=0
    )
    expected = 2 * shared / (len(left) + len(right)) if shared else 0
    assert substring_f1(left, right) == pytest.approx(expected)


@given(st.text(alphabet="abcé天がقय09.,%()'\"…! \n\u3000²", max_size=12) | st.sampled_from(["cannot", "i wanna go"]))
def test_the_quick_way_to_words_agrees_with_nltk(text: str) -> None:
    assert cmrc._words(text) == NLTKWordTokenizer().tokenize(text)
