"""Each scorer against cases worked out by hand from the rules of its official script."""

from __future__ import annotations

import pytest

from xlqa.errors import XlqaError
from xlqa.tasks.qa.scorers import get_scorer, with_unanswerable

# (scorer, prediction, gold, EM, F1). F1 = 2 · shared / (units of the prediction + units of the gold).
SQUAD = [
    ("squad", "The Denver Broncos!", "denver broncos", 1, 1),
    ("squad", "in Santa Clara, California", "Santa Clara", 0, 4 / 6),
    ("squad", "An apple a day", "apple per day", 0, 4 / 5),
    ("squad", "no no no", "no no yes", 0, 4 / 6),  # a repeated word counts as often as both have it
    ("squad", "twenty-one", "twenty one", 0, 0),  # punctuation is deleted, not made a blank
    ("squad", "U.S.A.", "usa", 1, 1),
    ("squad", "the_end", "theend", 1, 1),
    ("squad", "theatre", "atre", 0, 0),  # articles are whole words
    ("squad", "“Levi’s”", "Levi's", 0, 0),  # only ASCII punctuation goes
    ("squad", "«Спартак»", "Спартак", 0, 0),
    ("squad", "天安门广场", "天安门", 0, 0),  # one word each
    ("squad", "the", "A", 1, 0),  # nothing left of either: the script says EM 1, F1 0
    ("squad", "", "the", 1, 0),  # so is an empty answer
    ("squad", "", "", 1, 0),  # and an empty gold answer
    ("squad", " \n", "x", 0, 0),
]
MLQA = [
    ("mlqa.en", "the “Broncos”", "Broncos", 1, 1),
    ("mlqa.en", "$5", "5", 1, 1),  # ASCII signs go too,
    ("mlqa.en", "€5", "5", 0, 0),  # other currency signs (Sc) stay
    ("mlqa.es", "¿La Ciudad de México?", "ciudad México", 0, 4 / 5),
    ("mlqa.es", "Unos árboles", "los árboles", 1, 1),
    ("mlqa.de", "der Stadt Köln", "Köln", 0, 2 / 3),
    ("mlqa.de", "„Eine Frau“", "die Frau", 1, 1),
    ("mlqa.vi", "của Việt Nam", "Việt Nam", 1, 1),
    ("mlqa.vi", "những con mèo", "con mèo đen", 0, 4 / 5),
    ("mlqa.vi", "cái bàn", "chiếc bàn", 1, 1),
    ("mlqa.ar", "القاهرة", "قاهرة", 1, 1),
    ("mlqa.ar", "في القاهرة؟", "القاهرة", 0, 2 / 3),
    ("mlqa.ar", "خالد", "خ د", 1, 1),  # "ال" inside a word becomes a blank as well
    ("mlqa.hi", "नई दिल्ली।", "नई दिल्ली", 1, 1),  # the danda is punctuation, vowel signs are not
    ("mlqa.hi", "भारत की राजधानी", "राजधानी", 0, 2 / 4),
    ("mlqa.zh", "天安门广场", "天安门", 0, 6 / 8),
    ("mlqa.zh", "《红楼梦》", "红楼梦", 1, 1),
    ("mlqa.zh", "天 安门", "天安门", 1, 1),
    ("mlqa.zh", "iPhone手机", "手机", 0, 4 / 5),  # a Latin word is one unit
    ("mlqa.zh", "iPhone手机", "IPHONE 手机", 1, 1),
    ("mlqa.zh", "㐀㐁", "㐀", 0, 0),  # Han outside U+4E00–9FA5 is not split
    ("mlqa.zh", "the 天", "天", 0, 2 / 3),  # no articles in Chinese
    ("mlqa.ru", "«Спартак» — чемпион", "Спартак", 0, 2 / 3),
    ("mlqa.ru", "а также", "также", 0, 2 / 3),  # no articles in Russian
    ("mlqa.sw", "mwaka wa 1963.", "1963", 0, 2 / 4),
]
CMRC = [
    ("cmrc", "北京市，海淀区", "北京市海淀区", 1, 1),
    ("cmrc", "（一九四九年）", "一九四九年", 1, 1),
    ("cmrc", "北京海淀", "北京市海淀", 0, 4 / 9),  # the longest shared run is 2; a bag would give 8/9
    ("cmrc", "海淀北京", "北京海淀", 0, 4 / 8),
    ("cmrc", "1,000米", "1,000公尺", 0, 2 / 5),  # a number is one unit
    ("cmrc", "(北京)", "北京", 0, 4 / 6),  # ASCII brackets are not on the list, and are units
    ("cmrc", "北京…", "北京", 0, 4 / 5),  # nor does "……" on the list match an ellipsis
    ("cmrc", "Apple公司", "apple公司", 1, 1),
    ("cmrc", "a, b", "a b", 0, 2 / 5),  # the ASCII comma is a unit
    ("cmrc", "cannot", "can not", 0, 1),  # NLTK makes two words of it, so F1 is 1 where EM is 0
    ("cmrc", "-5~6", "56", 1, 1),
    ("cmrc", " 北京 ", "北京", 1, 1),
    ("cmrc", "。", "，", 1, 0),  # nothing left of either
    ("cmrc", "", "。", 1, 0),
    ("cmrc", "", "", 1, 0),
    ("drcd", "臺北市", "臺北", 0, 4 / 5),
    ("drcd", "「臺北」", "臺北", 1, 1),
    ("drcd", "臺灣省的臺北", "臺灣的臺北", 0, 6 / 11),
    ("drcd", "臺灣的大學", "臺灣大學", 0, 4 / 9),
    ("drcd-makers", "臺灣的大學", "臺灣大學", 0, 8 / 9),  # a bag of characters
    ("drcd-makers", "《臺北帝國》大學", "臺北帝國大學", 1, 1),
    ("drcd-makers", "「臺北」", "臺北", 0, 4 / 6),  # 「」 are not among the eight marks
    ("drcd-makers", "The, End", "an end", 1, 1),  # SQuAD's articles and ASCII marks go too
    ("drcd-makers", "a b c", "b c", 1, 1),
    ("drcd-makers", "x y", "xy", 0, 4 / 5),  # a blank is a character
    ("drcd-makers", "", "。", 1, 0),
]
KORQUAD = [
    ("korquad", "《춘향전》", "춘향전", 1, 1),
    ("korquad", "서울특별시", "서울시", 0, 6 / 8),
    ("korquad", "1,000원", "1000원", 1, 1),  # ASCII punctuation joins,
    ("korquad", "김구(백범)", "김구 백범", 1, 1),  # brackets and quotes part
    ("korquad", "김구백범", "김구 백범", 0, 1),  # EM sees the blank, F1 does not
    ("korquad", "“서울”", "서울", 0, 4 / 6),  # “ ” are not on the list
    ("korquad", "‘서울’", "서울", 1, 1),
    ("korquad", "the KBS", "KBS", 0, 6 / 9),  # no articles
]
CHARACTERS = [
    ("characters", "東京都、新宿区", "東京都新宿区", 1, 1),
    ("characters", "東京都", "東京", 0, 4 / 5),
    ("characters", "か\u3099く", "がく", 1, 1),
    ("characters", "NHK 放送", "nhk放送", 1, 1),
    ("characters", "กรุงเทพมหานคร", "กรุงเทพ", 0, 14 / 20),
    ("characters", "กรุง\u200bเทพ", "กรุงเทพ", 1, 1),
    ("characters", "の", "は", 0, 0),
    ("jaquad", "東京都、", "東京都", 0, 6 / 7),
    ("jaquad", "東京 都", "東京都", 1, 1),
    ("jaquad", "都東京", "東京都", 1, 1),  # its makers' EM is "F1 is 1"
    ("jaquad", "nhk", "NHK", 0, 0),
]


@pytest.mark.parametrize(("name", "prediction", "gold", "em", "f1"), [*SQUAD, *MLQA, *CMRC, *KORQUAD, *CHARACTERS])
def test_golden(name: str, prediction: str, gold: str, em: float, f1: float) -> None:
    scorer = get_scorer(name)
    assert scorer.em(prediction, [gold]) == em
    assert scorer.f1(prediction, [gold]) == pytest.approx(f1, abs=1e-12)


@pytest.mark.parametrize(
    ("prediction", "golds", "em", "f1"),
    [
        ("", [], 1, 1),
        ("the", [], 1, 1),  # an article alone is no answer
        ("Paris", [], 0, 0),
        ("", ["Paris"], 0, 0),
        ("the Paris", ["Rome", "Paris"], 1, 1),
        ("Paris France", ["Rome", "Paris"], 0, 2 / 3),
        ("", ["a", "Paris"], 0, 0),  # a gold answer of which nothing is left does not count,
        ("", ["a"], 1, 1),  # unless there is no other
    ],
)
def test_squad2(prediction: str, golds: list[str], em: float, f1: float) -> None:
    scorer = get_scorer("squad2")
    assert scorer.em(prediction, golds) == em
    assert scorer.f1(prediction, golds) == pytest.approx(f1, abs=1e-12)


@pytest.mark.parametrize(
    ("prediction", "golds", "em", "f1"),
    [
        ("", [], 1, 1),
        ("el", [], 1, 1),  # a Spanish article alone is no answer either
        ("Rome", [], 0, 0),
        ("", ["Roma"], 0, 0),
        ("la Roma antigua", ["Roma"], 0, 2 / 3),
    ],
)
def test_squad2_with_the_rules_of_a_language(prediction: str, golds: list[str], em: float, f1: float) -> None:
    scorer = get_scorer("squad2.mlqa.es")
    assert (scorer.name, scorer.scores_unanswerable) == ("squad2.mlqa.es", True)
    assert scorer.em(prediction, golds) == em
    assert scorer.f1(prediction, golds) == pytest.approx(f1, abs=1e-12)


def test_every_scorer_can_have_the_rule_for_unanswerable_questions() -> None:
    names = ["squad", "squad2", "mlqa.ru", "cmrc", "characters"]
    assert [with_unanswerable(name) for name in names] == ["squad2", "squad2", *(f"squad2.{n}" for n in names[2:])]
    assert get_scorer("squad2.squad") == get_scorer("squad2")
    with pytest.raises(XlqaError, match="no scorer"):
        get_scorer("squad2.squad2")


def test_the_best_gold_answer_counts() -> None:
    squad = get_scorer("squad")
    golds = ["Santa Clara", "Levi's Stadium", "in Levi's Stadium in Santa Clara"]
    assert squad.em("Levis Stadium", golds) == 1
    assert squad.f1("Stadium in Santa Clara", golds) == pytest.approx(8 / 10)  # in, santa, clara, stadium of 4 and 6
