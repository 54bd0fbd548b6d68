"""The language of a file, as its name, ids and letters show it."""

from __future__ import annotations

import pytest

from xlqa.records import Question
from xlqa.tasks.qa.languages import foreign_script, guess_language, language_of_ids, language_of_name


def asked(context: str, identity: str = "q") -> Question:
    return Question(identity, "?", context, (), "h")


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("test-context-de-question-ar.json", "de"),
        ("dev-context-zh-question-es.json.xz", "zh"),
        ("context-deu-question-ar.json", ""),
        ("german.json", ""),
    ],
)
def test_names_of_mlqa(name: str, language: str) -> None:
    assert language_of_name(name) == language


def test_ids_of_tydiqa() -> None:
    assert language_of_ids([asked("x", "swahili--12-0"), asked("x", "swahili-34-1")]) == "sw"
    assert language_of_ids([asked("x", "swahili--12-0"), asked("x", "russian-34-1")]) == ""
    assert language_of_ids([asked("x", "swahili--12-0"), asked("x", "q1")]) == ""
    assert language_of_ids([]) == ""


@pytest.mark.parametrize(
    ("context", "language", "script"),
    [
        ("Die Stadt liegt an der Elbe.", "ar", "LATIN"),
        ("القاهرة عاصمة مصر", "ar", ""),
        ("القاهرة عاصمة مصر", "fa", ""),
        ("Москва", "en", "CYRILLIC"),
        ("Die Stadt", "sw", ""),
        ("江城大學在一九二零年成立", "es", "CJK"),
        ("東京タワーは港区にある", "ja", ""),
        ("123 — 456", "ru", ""),
        ("Die Stadt", "tlh", ""),  # nothing is known of that language
    ],
)
def test_letters_of_another_script(context: str, language: str, script: str) -> None:
    assert foreign_script([asked(context)], language) == script


def test_the_guess_needs_most_letters() -> None:
    assert guess_language([asked("天"), asked("The quick brown fox")]) == ""
    assert guess_language([asked("天安门广场"), asked("fox")]) == "zh"
