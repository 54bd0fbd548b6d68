"""Scorers: the rules that turn answers into EM and F1. Try `xlqa score PREDICTIONS DATASET`.

One module a scorer; each states which official script it follows and where it departs from it. A name alone identifies
the rules: `squad`, `squad2`, `squad2.<scorer>`, `mlqa.<language>`, `cmrc`, `drcd`, `drcd-makers`, `korquad`, `jaquad`, `characters`.
"""

from __future__ import annotations

from functools import lru_cache

from xlqa.errors import XlqaError, refuse_choice
from xlqa.tasks.qa.scorers import characters, cmrc, drcd, drcd_makers, jaquad, korquad, mlqa, squad, squad2
from xlqa.tasks.qa.scorers.languages import WITHOUT_BLANKS
from xlqa.tasks.qa.scorers.rules import CACHED_TEXTS, Rules, Scorer
from xlqa.tasks.qa.scores import Scores, score_questions
from xlqa.util.languages import base_language

__all__ = [
    "SCORER_NAMES", "WITHOUT_BLANKS", "Scorer", "Scores", "base_language", "default_scorer", "get_scorer",
    "score_answer", "score_questions", "with_unanswerable",
]  # fmt: skip

_FIXED: dict[str, Scorer] = {
    module.SCORER.name: module.SCORER
    for module in (squad, squad2, cmrc, drcd, drcd_makers, korquad, jaquad, characters)
}

SCORER_NAMES = ("squad", "squad2", "mlqa", "cmrc", "drcd", "drcd-makers", "korquad", "jaquad", "characters")
"""What may be asked for; `mlqa` needs a language, as `mlqa.<language>` or apart. `squad2` also goes before another one."""


@lru_cache
def get_scorer(name: str, language: str = "") -> Scorer:
    """The scorer of that name.

    Args:
        name: one of `SCORER_NAMES`, `mlqa.<language>` or `squad2.<scorer>`; case does not matter.
        language: ISO 639 code of the answers (a region or script after it is dropped); only plain `mlqa` needs it.

    Raises:
        XlqaError: unknown name, or `mlqa` without a language.
    """
    family, _, suffix = name.strip().lower().partition(".")
    if family == "mlqa":
        code = base_language(suffix or language)
        if not code:
            raise XlqaError("Scorer mlqa has its rules per language: add --lang, or name it whole, such as mlqa.de.")
        return mlqa.make_scorer(code)
    if family == "squad2" and suffix:
        rules = get_scorer(suffix, language)
        if isinstance(rules, Rules):
            return _FIXED["squad2"] if rules.name == "squad" else squad2.Squad2(f"squad2.{rules.name}", rules)
    if family == "characters":
        base_language(suffix)  # the rules are the same for all, but a word that is no language is a mistake
    elif suffix or family not in _FIXED:
        raise XlqaError(f"There is no scorer {name!r}: {refuse_choice(name, SCORER_NAMES)} (mlqa with --lang).")
    return _FIXED[family]


@lru_cache(CACHED_TEXTS)
def score_answer(scorer: str, answer: str, golds: tuple[str, ...]) -> tuple[float, float]:
    """F1 and EM of one answer under a scorer's name, 0.0 to 1.0.

    A run asks twice, as DeepPavlov's metrics and for its table, and a sweep meets most of its answers again.
    """
    rules = get_scorer(scorer)
    return rules.f1(answer, golds), rules.em(answer, golds)


def with_unanswerable(name: str) -> str:
    """The scorer that adds SQuAD v2.0's rule for questions without an answer: squad2 for squad, squad2.mlqa.ru for mlqa.ru."""
    return name if get_scorer(name).scores_unanswerable else get_scorer(f"squad2.{name}").name


def default_scorer(language: str) -> str:
    """Name of the scorer for a local file in that language.

    English gets `squad`. Chinese gets `mlqa.zh`, the official script that counts Han characters as a bag (to compare
    with figures published for CMRC 2018 and DRCD ask for `cmrc` and `drcd`). Other languages written without blanks
    get `characters`, and all others `mlqa.<language>`.

    Raises:
        XlqaError: not a language code.
    """
    code = base_language(language)
    if code == "en":
        return "squad"
    return "characters" if code in WITHOUT_BLANKS else get_scorer("mlqa", code).name
