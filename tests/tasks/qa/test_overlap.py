"""Leaks are found by paragraph, id and question, and the innocent are not accused."""

from __future__ import annotations

import pytest

from xlqa.records import Answer, Question, hash_context
from xlqa.tasks.qa.overlap import count_repeated, find_overlap

LONG = "Anna met Ben in Rome in 1999, where both of them worked for the same paper and wrote about the sea. "


def make(identity: str, question: str = "Who?", context: str = LONG, answer: str = "Ben") -> Question:
    answers = (Answer(answer, context.find(answer)),)
    return Question(identity, question, context, answers, hash_context(context))


def test_the_same_paragraph_in_another_dress() -> None:
    test = [make("t", "Where?", "\ufeff ANNA  met\nBen in Cafe\u0301  ")]
    overlap = find_overlap([make("s", "Who?", "anna met Ben in Caf\u00e9")], test)
    assert overlap.by_paragraph == {"t"}
    assert overlap.by_id == overlap.by_question == frozenset()
    assert overlap
    assert str(overlap) == "1 of 1 test questions (1 by paragraph)"


@pytest.mark.parametrize(
    ("identity", "telling"),
    [
        ("56beb4343aeaaa14008c925b", True),
        ("swahili--8211684794284159625-4", True),
        ("550e8400-e29b-41d4-a716-446655440000", True),
        ("a4968ca8a18de16aa3859be760e43dbd3af3fce9", True),
        ("14719", False),
        ("q1", False),
        ("1147-5-1", False),
        ("de-000-00-000", False),
        ("0000000000000000012", False),
        ("TRIAL_800_QUERY_0", False),
    ],
)
def test_only_telling_ids_count(identity: str, telling: bool) -> None:
    overlap = find_overlap([make(identity, "Who?", "One.", "One")], [make(identity, "¿Quién?", "Uno.", "Uno")])
    assert overlap.by_id == (frozenset([identity]) if telling else frozenset())
    assert bool(overlap) == telling


def test_suffixes_of_duplicates_do_not_hide_an_id() -> None:
    overlap = find_overlap([make("56beb4343aeaaa14008c925b~1a2b3c4d", context="One.", answer="One")],
                           [make("56beb4343aeaaa14008c925b", context="Uno.", answer="Uno")])  # fmt: skip
    assert overlap.by_id == {"56beb4343aeaaa14008c925b"}


def test_a_question_on_a_trimmed_paragraph() -> None:
    train = [make("s", "Whom did Anna meet?", LONG + "More was said there. " * 3)]
    assert find_overlap(train, [make("t", "whom did  Anna meet?", LONG)]).by_question == {"t"}
    # Another answer, another paragraph, another question: each alone clears it.
    assert not find_overlap(train, [make("t", "Whom did Anna meet?", LONG, "Anna")])
    assert not find_overlap(train, [make("t", "Whom did Anna see?", LONG)])
    other = "In Paris, however, nobody knew Ben, and so he stayed at home and read what others had written. "
    assert not find_overlap(train, [make("t", "Whom did Anna meet?", other)])


def test_nothing_in_common() -> None:
    overlap = find_overlap([], [make("t")])
    assert not overlap
    assert str(overlap) == "none of 1 test questions"
    assert find_overlap([make("s")], []).tested == 0


def test_large_sets_that_share_words_but_no_question_do_not_overlap() -> None:
    words = [f"word{number}" for number in range(19)]
    context = [" ".join(words[(p * i) % 19] for i in range(1, 130)) + f" {p}" for p in range(400)]
    train = [make(f"s{i}", f"Which {i}?", context[i % 350], "alpha") for i in range(1_500)]
    test = [make(f"t{i}", f"Which {2_000 + i}?", context[350 + i % 50], "alpha") for i in range(200)]
    assert not find_overlap(train, test)
    assert find_overlap([*train, test[0]], test).ids == {"t0", "t50", "t100", "t150"}  # those of its paragraph


def test_questions_asked_word_for_word_are_counted_apart() -> None:
    train = [make("s", "Who?"), make("t", "Whom?", "Another paragraph.", "Another")]
    overlap = find_overlap(train, [make("a", " who? "), make("b", "Whom?"), make("c", "Why?")])
    assert overlap.asked == {"a"}
    assert overlap.by_paragraph == {"a", "b", "c"}


def test_repeats_are_counted_whatever_their_ids_and_answers() -> None:
    once, again = make("a", "Who?"), make("b", "who? ")
    assert count_repeated([once, again, once, make("c", "Whom?")]) == 2
    assert count_repeated([]) == 0
