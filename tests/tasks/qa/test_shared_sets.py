"""Every real set of the shared folder is read whole, and the two bad ones get the messages they deserve."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import pytest

from xlqa.data.registry import find_part, parts_of_file
from xlqa.data.subsets import sample_questions, split_validation
from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import Question
from xlqa.tasks.qa.offsets import EDGE_SPACE, UTF16
from xlqa.tasks.qa.overlap import count_repeated, find_overlap
from xlqa.tasks.qa.reading import DUPLICATE_ID, read_dataset

pytestmark = pytest.mark.shared

SETS = {
    "squad/dev-v1.1.json": (10570, 2067),
    "squad/train-v1.1.reconstructed.json": (87599, 18891),
    "xquad/xquad.en.json": (1190, 240),
    "xquad/xquad.ru.json": (1190, 240),
    "xquad/xquad.zh.json": (1190, 240),
    "xquad/xquad.es.json": (1190, 240),
    "tydiqa/tydiqa-goldp.ru.dev.json": (812, 778),
    "tydiqa/tydiqa-goldp.sw.train.json": (2755, 1687),
    "tydiqa/tydiqa-goldp.sw.dev.json": (499, 357),
    "drcd/DRCD_dev.json": (3524, 1000),
    "drcd/DRCD_test.json": (3493, 1000),
    "jaquad/jaquad_train.json": (31748, 9713),
    "jaquad/jaquad_dev.json": (3939, 1431),
    "sberquad/sberquad-fragment-a.json": (2400, 2135),
    "sberquad/sberquad-fragment-b.json": (1007, 950),
}
"""Questions and distinct paragraphs."""

REPAIRED = {
    "sberquad-fragment-a.json": {EDGE_SPACE: 13, DUPLICATE_ID: 265},
    "sberquad-fragment-b.json": {EDGE_SPACE: 7},
    "tydiqa-goldp.ru.dev.json": {EDGE_SPACE: 2},
    "tydiqa-goldp.sw.train.json": {EDGE_SPACE: 1},
}
"""What reading repairs in them; nothing in the others."""


@pytest.mark.parametrize("name", SETS)
def test_each_set_is_read_whole(shared_data: Path, name: str) -> None:
    reading = read_dataset(shared_data / name)
    assert (len(reading.questions), len({question.context_hash for question in reading.questions})) == SETS[name]
    assert len({question.id for question in reading.questions}) == len(reading.questions)
    assert reading.repairs == REPAIRED.get(Path(name).name, {})
    assert reading.refused == reading.unanswerable == ()
    assert reading.scored == reading.everything == reading.questions
    assert not reading.scores_by_file
    for question in reading.questions:
        for answer in question.answers:
            assert question.context.startswith(answer.text, answer.start)


def test_ids_are_those_of_version_0_1(shared_data: Path) -> None:
    """Subsets are drawn by ids, so that these decide what every run trains on."""
    ids = [q.id for q in read_dataset(shared_data / "sberquad" / "sberquad-fragment-a.json").questions]
    assert hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16] == "9d95b523195da88e"


def test_the_train_and_dev_parts_of_tquad_overlap_and_repeat(shared_data: Path) -> None:
    train, dev = (read_dataset(shared_data / "tquad" / f"{part}-v0.1.json") for part in ("train", "dev"))
    overlap = find_overlap(train.questions, dev.questions)
    assert (len(overlap.by_paragraph), len(overlap.asked), overlap.tested) == (260, 194, 892)
    assert (count_repeated(train.questions), count_repeated(dev.questions)) == (646, 2)
    assert dev.repairs[EDGE_SPACE] == 360
    assert not dev.scores_by_file


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("squad.dev", "squad/dev-v1.1.json"),
        ("xquad.en", "xquad/xquad.en.json"),
        ("xquad.es", "xquad/xquad.es.json"),
        ("xquad.ru", "xquad/xquad.ru.json"),
        ("xquad.zh", "xquad/xquad.zh.json"),
        ("cmrc2018.trial", "bad-input/cmrc2018-trial.json"),
        ("drcd.dev", "drcd/DRCD_dev.json"),
        ("drcd.test", "drcd/DRCD_test.json"),
        ("tquad.train", "tquad/train-v0.1.json"),
        ("tquad.dev", "tquad/dev-v0.1.json"),
        *((f"xquad.{code}", f"xquad/xquad.{code}.json") for code in ("ar", "de", "el", "hi", "ro", "th", "tr", "vi")),
    ],
)
def test_the_registrys_sha256_are_those_of_the_files(shared_data: Path, name: str, file: str) -> None:
    content = (shared_data / file).read_bytes()
    part = find_part(name)
    assert part.sha256 == hashlib.sha256(content).hexdigest()
    assert part.size == len(content)
    assert parts_of_file(hashlib.sha256(content).hexdigest()) == (part,)


@pytest.mark.parametrize("split", ["train", "dev"])
def test_the_joined_files_of_jaquad_are_known(shared_data: Path, split: str) -> None:
    content = (shared_data / "jaquad" / f"jaquad_{split}.json").read_bytes()
    assert parts_of_file(hashlib.sha256(content).hexdigest()) == (find_part(f"jaquad.{split}"),)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("drcd.dev", "drcd/DRCD_dev.json"),
        ("drcd.test", "drcd/DRCD_test.json"),
        ("jaquad.train", "jaquad/jaquad_train.json"),
        ("jaquad.dev", "jaquad/jaquad_dev.json"),
        ("tydiqa.sw.train", "tydiqa/tydiqa-goldp.sw.train.json"),
        ("tydiqa.sw.dev", "tydiqa/tydiqa-goldp.sw.dev.json"),
        ("tydiqa.ru.dev", "tydiqa/tydiqa-goldp.ru.dev.json"),
        ("squad.train", "squad/train-v1.1.reconstructed.json"),
    ],
)
def test_the_registrys_counts_are_those_of_the_files(name: str, file: str) -> None:
    assert find_part(name).questions == SETS[file][0]


def test_the_trial_set_of_cmrc(shared_data: Path) -> None:
    path = shared_data / "bad-input" / "cmrc2018-trial.json"
    with pytest.raises(ManyErrors) as caught:
        read_dataset(path)
    first, second, total = caught.value.complaints
    assert 'article 189 "独孤剑", paragraph 1, question TRIAL_776_QUERY_4: the question is empty' in first
    assert "question TRIAL_20_QUERY_0: the question is empty" in second
    assert "2 questions refused" in total
    reading = read_dataset(path, skip_bad=True)
    assert (len(reading.questions), len(reading.refused), reading.repairs) == (1000, 2, {UTF16: 5, EDGE_SPACE: 3})
    # Scores are over all of them, as in the official script.
    assert len(read_dataset(path, to_score=True).scored) == 1002


def test_the_label_stripped_set(shared_data: Path) -> None:
    with pytest.raises(XlqaError, match="has no answers: all 812 questions have theirs empty or missing"):
        read_dataset(shared_data / "bad-input" / "label-stripped.json", skip_bad=True)


def test_predictions_are_not_taken_for_a_set(shared_data: Path) -> None:
    with pytest.raises(XlqaError, match="looks like predictions"):
        read_dataset(shared_data / "predictions" / "squad-dev-v1.1.r-net-plus.json")


@cache
def _questions(path: Path) -> tuple[Question, ...]:
    return read_dataset(path).questions


def questions(shared_data: Path, name: str) -> tuple[Question, ...]:
    return _questions(shared_data / name)


def test_leaks_between_real_sets(shared_data: Path) -> None:
    train = questions(shared_data, "squad/train-v1.1.reconstructed.json")
    dev = questions(shared_data, "squad/dev-v1.1.json")
    assert not find_overlap(train, dev)
    for language in ("en", "ru"):
        translated = questions(shared_data, f"xquad/xquad.{language}.json")
        assert len(find_overlap(dev, translated).ids) == 1190
        assert not find_overlap(train, translated)


def test_the_leak_inside_swahili_tydiqa(shared_data: Path) -> None:
    train, dev = (questions(shared_data, f"tydiqa/tydiqa-goldp.sw.{split}.json") for split in ("train", "dev"))
    overlap = find_overlap(train, dev)
    assert (len(overlap.by_paragraph), len(overlap.ids)) == (94, 96)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("drcd/DRCD_dev.json", "drcd/DRCD_test.json"),
        ("jaquad/jaquad_train.json", "jaquad/jaquad_dev.json"),
        ("sberquad/sberquad-fragment-a.json", "xquad/xquad.ru.json"),
        ("sberquad/sberquad-fragment-a.json", "tydiqa/tydiqa-goldp.ru.dev.json"),
    ],
)
def test_independent_sets_are_not_accused(shared_data: Path, train: str, test: str) -> None:
    assert not find_overlap(questions(shared_data, train), questions(shared_data, test))


def test_subsets_of_a_real_set(shared_data: Path) -> None:
    every = questions(shared_data, "tydiqa/tydiqa-goldp.sw.train.json")
    assert set(sample_questions(every, 100, 3)) < set(sample_questions(every, 1000, 3))
    train, valid = split_validation(every, 200)
    assert len(valid) == 200
    assert not {question.context_hash for question in train} & {question.context_hash for question in valid}
    assert len(every) - len(train) - len(valid) < 20
