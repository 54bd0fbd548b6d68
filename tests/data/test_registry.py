"""The registry is complete, consistent, and says what it does not know."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from xlqa.data.registry import (
    LANGUAGES,
    SETS,
    Part,
    default_tests,
    default_train,
    find_part,
    find_set,
    known_languages,
    part_names,
    part_scorer,
    parts_of_file,
)
from xlqa.errors import XlqaError
from xlqa.records import TASK_METRICS, TASK_SCORERS, TASK_SOURCES
from xlqa.tasks.qa.scorers import get_scorer

PARTS = [part for data_set in SETS for part in data_set.parts]


def test_the_sets_of_the_issue_are_there() -> None:
    assert [data_set.name for data_set in SETS if data_set.task == "qa"] == [
        "squad", "sberquad", "drcd", "xquad", "mlqa", "tydiqa", "cmrc2018", "korquad", "jaquad", "germanquad", "fquad",
        "squad_it", "squad_es", "arcd", "iapp_wiki_qa", "pquad", "tquad", "piaf", "sqac", "viquad", "scandiqa", "norquad",
        "kazqad", "heq", "parashoot", "poquad", "faquad", "persianqa", "multi_wiki_qa",
    ]  # fmt: skip
    assert len(find_set("xquad").parts) == 12
    assert len([part for part in find_set("mlqa").parts if part.split == "test"]) == 49
    assert len(find_set("mlqa").parts) == 98


def test_names_are_unique_and_find_their_part() -> None:
    assert len(set(part_names())) == len(PARTS)
    for part in PARTS:
        assert find_part(part.name) is part
        assert find_set(part.name) is find_set(part.set_name)
        assert part.name.split(".")[0] == part.set_name


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_each_part_is_consistent(part: Part) -> None:
    assert part.language in LANGUAGES
    assert part.question_language in ("", *LANGUAGES)
    assert part.split in ("train", "dev", "test", "trial")
    assert part.questions is None or part.questions > 0
    assert all(sha256 is None or re.fullmatch(r"[0-9a-f]{64}", sha256) for sha256 in (part.sha256, part.file_sha256))
    assert all(urlsplit(url).scheme == "https" for url in part.urls)
    assert part.urls or find_set(part.set_name).on_request
    assert ".." not in part.file
    assert not part.file.startswith("/")
    task = find_set(part.set_name).task
    assert get_scorer(part_scorer(part)) if task == "qa" else part_scorer(part) == TASK_SCORERS[task]


def test_files_in_the_cache_do_not_collide() -> None:
    assert len({(part.set_name, part.file) for part in PARTS}) == len(PARTS)


def test_each_set_says_where_its_facts_come_from() -> None:
    for data_set in SETS:
        assert data_set.licence
        assert data_set.citation
        assert data_set.facts
        assert data_set.homepage.startswith("https://")
        parts = [part for part in data_set.parts if part.urls]
        unknown = [part.name for part in parts if part.sha256 is None and part.file_sha256 is None]
        assert not unknown or "SHA-256" in data_set.unverified
        assert data_set.parts or data_set.on_request


def test_a_moving_address_is_said_to_be_one() -> None:
    for data_set in SETS:
        moving = any("/refs%2F" in url or "/resolve/main/" in url for part in data_set.parts for url in part.urls)
        assert not moving or "moves" in data_set.unverified


def test_a_file_is_known_by_its_bytes() -> None:
    dev = find_part("korquad.dev")
    assert dev.sha256 is not None
    assert parts_of_file(dev.sha256) == (dev,)
    assert parts_of_file("0" * 64) == ()
    # An archive is no part; a file of all languages is one part for each.
    assert parts_of_file(find_part("mlqa.de.ar").sha256 or "") == ()
    assert {part.language for part in parts_of_file(find_part("tydiqa.sw.dev").sha256 or "")} >= {"sw", "ru"}


def test_what_was_checked_by_hand() -> None:
    dev = find_part("squad.dev")
    assert dev.sha256 == "95aa6a52d5d6a735563366753ca50492a658031da74f301ac5238b03966972c9"
    assert dev.size == 4854279
    assert find_part("mlqa.zh.es").member == "MLQA_V1/test/test-context-zh-question-es.json"
    assert find_part("mlqa.zh.es").question_language == "es"
    assert part_scorer(find_part("mlqa.zh.es")) == "mlqa.zh"
    # English pairs hold all questions of the other language; the other pairs are the same both ways.
    assert find_part("mlqa.en.de").questions == find_part("mlqa.de.en").questions == 4517
    assert find_part("mlqa.hi.es").questions == find_part("mlqa.es.hi").questions == 1723
    totals = {"train": 49881, "dev": 5077}
    for split, total in totals.items():
        assert sum(part.questions or 0 for part in find_set("tydiqa").parts if part.split == split) == total


WITHOUT_TRAIN = ("el", "hi", "ro")


def test_every_language_of_the_registry_has_defaults() -> None:
    for task in TASK_METRICS:
        registered = {language for data_set in SETS if data_set.task == task for language in data_set.languages}
        assert registered == set(known_languages(task)), task
    assert {language for data_set in SETS for language in data_set.languages} == set(LANGUAGES)


@pytest.mark.parametrize("task", TASK_METRICS)
def test_defaults_exist_and_fit_their_language(task: str) -> None:
    splits = (
        ("dev",) if task in ("nli", "paraphrase") else ("train",)
    )  # translated by people; train is machine translation
    for language in known_languages(task):
        tests = [find_part(name) for name in default_tests(language, task)]
        assert tests
        assert {part.language for part in tests} == {language}
        assert {part.split for part in tests} <= {"dev", "test"}
        parts = list(tests)
        if task != "qa" or language not in WITHOUT_TRAIN:
            train = find_part(default_train(language, task))
            assert (train.language, train.split in splits) == (language, True)
            parts.append(train)
            assert train not in tests
        assert {find_set(part.name).task for part in parts} == {task}


def test_each_task_but_sentiment_has_an_english_source() -> None:
    assert set(TASK_METRICS) - set(TASK_SOURCES) == {"sentiment"}
    for task, name in TASK_SOURCES.items():
        part = find_part(name)
        assert (part.language, part.split, find_set(name).task) == ("en", "train", task)
    with pytest.raises(XlqaError, match="--task sentiment has no registered sets: give --target-train and"):
        default_train("ru", "sentiment")
    with pytest.raises(XlqaError, match=r'"uk" is not a language with registered sets for --task ner \(there are'):
        default_tests("uk", "ner")


def test_files_of_the_makers_are_known_by_their_bytes() -> None:
    """Checked against copies of the makers' files."""
    known = {
        "ud_ru_pud.test": "a37e076d24f0c3cfd5d48a11bbfec36026da5dc46180b7a12dc991dc372de1ea",
        "sib200.ru.train": "2c5d092fcd73df8b9bf62d93d5acb9e41482fd827b99a9b24273861054ec033e",
        "masakhapos.sw.dev": "c1aac714528b48d66c28da20bd420b034e32f614501c56a04a59527e4f20da55",
    }
    for name, sha256 in known.items():
        assert [part.name for part in parts_of_file(sha256)] == [name]
    assert find_part("sib200.ru.test").questions == 204


@pytest.mark.parametrize("language", WITHOUT_TRAIN)
def test_a_language_without_a_public_train_part_says_so(language: str) -> None:
    with pytest.raises(
        XlqaError,
        match=r"no registered set with a public train part .*: give --target-train FILE, or --sizes 0 for zero-shot alone\.",
    ):
        default_train(language)


def test_sets_know_whether_they_have_a_train_part() -> None:
    assert not find_set("xquad").has_train
    assert not find_set("mlqa").has_train
    assert find_set("squad").has_train


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("squad", '"squad" is a set of several parts: name one of squad.train, squad.dev.'),
        ("squad.trian", "did you mean squad.train"),
        ("xquad.rus", "did you mean xquad.ru"),
        ("XQuAD.ru", "did you mean xquad.ru"),
        ("qqqqqq", '"qqqqqq" is neither a file here nor a registered set: give a file, or see `xlqa data list`.'),
        ("mlqa", "and 90 more"),
    ],
)
def test_unknown_names_are_helped(name: str, message: str) -> None:
    with pytest.raises(XlqaError) as caught:
        find_part(name)
    assert message in str(caught.value)


def test_unknown_languages_and_sets_are_helped() -> None:
    with pytest.raises(XlqaError, match=r'did you mean "ru"'):
        default_train("Russian")
    with pytest.raises(XlqaError, match="give --target-train and --target-test files"):
        default_tests("xx")
    with pytest.raises(XlqaError, match="did you mean xquad"):
        find_set("xqad")
