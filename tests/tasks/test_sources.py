"""A name becomes a data set: a file that exists, the sample, or a registered part."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from xlqa.data.cache import part_path
from xlqa.data.registry import find_part
from xlqa.errors import XlqaError
from xlqa.tasks import sources
from xlqa.tasks.sources import read_ref, resolve, sample_files, settle_language

SET = {"data": [{"paragraphs": [{"context": "Anna.", "qas": [
    {"id": "a", "question": "Who?", "answers": [{"text": "Anna", "answer_start": 0}]}]}]}]}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "My set (v1.1).json.gz"
    path.write_text(json.dumps(SET))
    return path


def test_a_local_file(file: Path) -> None:
    ref = resolve(str(file), language="ru")
    assert (ref.name, ref.language, ref.scorer, ref.set_name) == ("My-set-v1.1", "ru", "mlqa.ru", "")
    assert ref.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert ref.path == file.resolve()
    assert len(read_ref(ref).questions) == 1
    assert resolve(str(file), language="en").scorer == "squad"
    assert resolve(str(file)).scorer == "squad"


def test_a_language_before_the_file_states_it(file: Path) -> None:
    ref = resolve(f"de={file}")
    assert (ref.name, ref.language, ref.scorer) == ("My-set-v1.1", "de", "mlqa.de")
    assert resolve("en=sample.en.test").language == "en"
    with pytest.raises(XlqaError, match=r"de=sample\.en\.test: sample\.en\.test is in en, not de: name it alone"):
        resolve("de=sample.en.test")
    with pytest.raises(XlqaError, match="no such file"):
        resolve("de=none.json")


def registered(monkeypatch: pytest.MonkeyPatch, file: Path, *names: str) -> None:
    """Let a file have the bytes of registered parts."""
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    parts = tuple(find_part(name) for name in names)
    monkeypatch.setattr("xlqa.data.registry._parts_by_sha256", lambda: {sha256: parts})


def test_a_file_with_the_bytes_of_a_registered_part_is_that_part(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, file, "korquad.dev")
    ref = resolve(str(file))
    assert (ref.name, ref.language, ref.scorer, ref.set_name) == ("My-set-v1.1", "ko", "korquad", "korquad")
    assert resolve(str(file), language="ko").scorer == "korquad"
    with pytest.raises(XlqaError, match=r"is korquad\.dev, in ko, not de: drop the language"):
        resolve(str(file), language="de")


def test_a_file_of_several_languages_needs_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, file, "tydiqa.sw.dev", "tydiqa.ru.dev")
    ref = resolve(str(file))
    assert (ref.language, ref.scorer, ref.set_name) == ("", "squad", "tydiqa")
    assert settle_language(ref, read_ref(ref).scored, "ru").language == "ru"
    assert resolve(str(file), language="sw").language == "sw"


def test_a_copy_of_a_sample_is_that_sample(tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    copy.write_bytes(sample_files()["sample.es.test"].read_bytes())
    assert (resolve(str(copy)).language, resolve(str(copy)).set_name) == ("es", "sample")


def test_a_file_shows_its_language_once_it_is_read(tmp_path: Path) -> None:
    def settled(identity: str, context: str, fallback: str = "", name: str = "x.json") -> tuple[str, str]:
        qa = {"id": identity, "question": "?", "answers": [{"text": context[:2], "answer_start": 0}]}
        path = tmp_path / name
        path.write_text(json.dumps({"data": [{"paragraphs": [{"context": context, "qas": [qa]}]}]}))
        ref = settle_language(resolve(str(path)), read_ref(resolve(str(path))).scored, fallback)
        return ref.language, ref.scorer

    assert settled("a", "Anna.") == ("", "squad")
    assert settled("a", "Anna.", "es") == ("es", "mlqa.es")
    assert settled("swahili--1-0", "Anna.", "es") == ("sw", "mlqa.sw")
    assert settled("a", "江城大學在一九二零年成立") == ("zh", "mlqa.zh")
    assert settled("a", "江城大學在一九二零年成立", "yue") == ("yue", "characters")
    assert settled("a", "Anna.", "ar", "test-context-de-question-ar.json") == ("de", "mlqa.de")


def test_a_file_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "squad.dev").write_text(json.dumps(SET))
    monkeypatch.chdir(tmp_path)
    assert resolve("squad.dev", language="en").set_name == ""


def test_a_file_that_changes_is_noticed(file: Path) -> None:
    ref = resolve(str(file), language="ru")
    file.write_text(json.dumps(SET) + " ")
    with pytest.raises(XlqaError, match="has changed"):
        read_ref(ref)


def test_a_registered_part_knows_its_language_and_scorer(tmp_path: Path) -> None:
    part = find_part("drcd.train")
    path = part_path(part, tmp_path)
    path.parent.mkdir()
    path.write_text(json.dumps(SET))
    ref = resolve("drcd.train", data_dir=tmp_path, language="ru", download=False)
    assert (ref.name, ref.language, ref.scorer, ref.set_name) == ("drcd.train", "zh", "drcd", "drcd")
    assert ref.path == path


def test_the_sample_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "SAMPLE_FOLDER", tmp_path)
    (tmp_path / "es.train.json").write_text(json.dumps(SET))
    (tmp_path / "ru.json").write_text(json.dumps(SET))
    assert set(sample_files()) == {"sample.es.train", "sample.ru"}
    ref = resolve("sample.es.train")
    assert (ref.language, ref.scorer, ref.set_name) == ("es", "mlqa.es", "sample")
    assert resolve("sample.ru").language == "ru"
    with pytest.raises(XlqaError, match=r"did you mean sample\.es\.train"):
        resolve("sample.es.trian")


@pytest.mark.parametrize("language", ["en", "es", "ru"])
def test_each_language_of_the_sample_has_a_train_and_a_test_part(language: str) -> None:
    for part in ("train", "test"):
        ref = resolve(f"sample.{language}.{part}")
        assert (ref.language, ref.set_name) == (language, "sample")
        assert len(read_ref(ref).questions) >= 150


def test_the_samples_that_are_there_can_be_read() -> None:
    for name in sample_files():
        if name.split(".")[1] in ("ner", "nli"):  # of other tasks
            continue
        reading = read_ref(resolve(name))
        assert reading.questions
        assert not reading.refused
        assert reading.repairs == {}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.json", "none.json: no such file: check the path, or name a set of `xlqa data list`."),
        ("some/none", "some/none: no such file"),
        ("sqad.dev", "did you mean squad.dev"),
        ("squad", "name one of squad.train, squad.dev"),
    ],
)
def test_what_is_nothing_is_helped(name: str, message: str) -> None:
    with pytest.raises(XlqaError) as caught:
        resolve(name)
    assert message in str(caught.value)


def test_a_folder_is_no_set(tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match="is a folder"):
        resolve(str(tmp_path))
