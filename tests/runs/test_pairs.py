"""`xlqa evaluate --pairs`: one model on every question language × context language pair."""

from __future__ import annotations

import csv
import json
import shutil
import time
from pathlib import Path

import pytest

from xlqa.cli import main
from xlqa.errors import XlqaError
from xlqa.tasks.qa.pairs import PairReader, find_pairs

TEXTS = {
    "en": ("Ann lives in Rome.", "Rome", ("Where does Ann live?", "Which city is it?")),
    "es": ("Ana vive en Roma.", "Roma", ("¿Dónde vive Ana?", "¿Qué ciudad es?")),
    "ru": ("Анна живёт в Риме.", "Риме", ("Где живёт Анна?", "Какой это город?")),
}
"""A hand-made parallel set: paragraph, answer, and two questions with the ids q0 and q1."""


def write_set(folder: Path, languages: str = "en es ru") -> Path:
    folder.mkdir()
    for code in languages.split():
        context, answer, questions = TEXTS[code]
        answers = [{"text": answer, "answer_start": context.index(answer)}]
        asked = [{"id": f"q{n}", "question": text, "answers": answers} for n, text in enumerate(questions)]
        document = {"data": [{"title": "t", "paragraphs": [{"context": context, "qas": asked}]}]}
        (folder / f"hand.{code}.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def test_a_parallel_set_takes_the_question_from_one_file_and_all_else_from_the_other(tmp_path: Path):
    found = find_pairs(str(write_set(tmp_path / "hand")))
    assert [(p.question_lang, p.context_lang, p.scorer) for p in found.pairs] == [
        ("en", "en", "squad"), ("en", "es", "mlqa.es"), ("en", "ru", "mlqa.ru"),
        ("es", "en", "squad"), ("es", "es", "mlqa.es"), ("es", "ru", "mlqa.ru"),
        ("ru", "en", "squad"), ("ru", "es", "mlqa.es"), ("ru", "ru", "mlqa.ru"),
    ]  # fmt: skip
    mixed = next(p for p in found.pairs if (p.question_lang, p.context_lang) == ("en", "ru"))
    first, second = PairReader().questions(mixed)
    assert (first.id, first.question, first.context) == ("q0", "Where does Ann live?", "Анна живёт в Риме.")
    assert [answer.text for answer in first.answers] == ["Риме"]
    assert second.question == "Which city is it?"
    drawn = {PairReader().questions(pair, 1)[0].id for pair in found.pairs}
    assert len(drawn) == 1, "every pair draws the same question"


def test_files_that_name_both_languages_are_the_pairs(tmp_path: Path):
    folder = write_set(tmp_path / "hand", "en es")
    for code, asked in (("en", "es"), ("es", "en")):
        (folder / f"hand.{code}.json").rename(folder / f"dev-context-{code}-question-{asked}.json")
    pairs = find_pairs(str(folder)).pairs
    assert [(p.question_lang, p.context_lang) for p in pairs] == [("en", "es"), ("es", "en")]


def test_what_is_not_parallel_or_unknown_is_refused_in_one_line(tmp_path: Path):
    folder = write_set(tmp_path / "hand", "en es")
    file = folder / "hand.es.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"q1"', '"other"'), encoding="utf-8")
    found = find_pairs(str(folder))
    with pytest.raises(XlqaError, match=r"hand\.(en|es)\.json: lacks the question"):
        PairReader().questions(found.pairs[1])
    with pytest.raises(XlqaError, match="--lang fr: hand has en, es"):
        found.select(["fr"])
    with pytest.raises(XlqaError, match="neither a registered set"):
        find_pairs("squad")
    (folder / "hand.es.json").rename(folder / "notes.json")
    with pytest.raises(XlqaError, match=r"notes\.json: its language is not known"):
        find_pairs(str(folder))


def test_mlqa_has_49_pairs_and_xquad_144(shared_data: Path):
    mlqa, xquad = find_pairs(str(shared_data / "mlqa-dev")), find_pairs(str(shared_data / "xquad"))
    assert (len(mlqa.pairs), len(xquad.pairs)) == (49, 144)
    pair = mlqa.pairs[1]
    assert (pair.question_lang, pair.context_lang, pair.scorer) == ("ar", "de", "mlqa.de")
    assert len(PairReader().questions(pair, 20)) == 20


def test_an_evaluation_that_waits_for_another_process_says_so(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    from threading import Thread

    from xlqa.util.locks import waiting_lock

    root = tmp_path / "sweep"
    shutil.copytree(finished, root, symlinks=True)
    run = next(root.glob("runs/es-transfer-0-*"))
    folder = write_set(tmp_path / "hand")
    pairs = ("evaluate", str(run), "--pairs", str(folder), "--lang", "en", "--device", "cpu")
    for words in (pairs, ("run", str(run), "--device", "cpu")):
        command = Thread(target=main, args=(list(words),))
        said = ""
        with waiting_lock(run):
            command.start()
            until = time.monotonic() + 30
            while "another process" not in said and time.monotonic() < until:
                time.sleep(0.01)
                said += capsys.readouterr().err
        command.join()
        assert f"{run}: another process holds this run; waiting for it." in said


def test_a_matrix_is_scored_once_and_its_table_grows(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    root = tmp_path / "sweep"
    shutil.copytree(finished, root, symlinks=True)
    run = next(root.glob("runs/es-transfer-0-*"))
    folder = write_set(tmp_path / "hand")

    def evaluate(*words: str) -> dict:
        status = main(["evaluate", str(run), "--pairs", str(folder), "--device", "cpu", "--json", *words])
        assert status == 0
        return json.loads(capsys.readouterr().out)

    first = evaluate("--lang", "en,es")
    assert (first["computed"], len(first["rows"])) == (4, 4)
    done = evaluate()
    assert (done["computed"], len(done["rows"])) == (5, 9)
    assert evaluate()["computed"] == 0
    with Path(done["table"]).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["question_lang"], row["context_lang"], row["n"]) for row in rows[:2]] == [
        ("en", "en", "2"),
        ("en", "es", "2"),
    ]
    settings = (
        "size",
        "source_seed",
        "source_lr",
        "source_epochs",
        "source_size",
        "lr",
        "precision",
        "max_length",
        "schema",
    )
    assert [rows[0][name] for name in settings] == ["0", "0", "0.001", "1.0", "24", "", "fp32", "96", "1"]
    record = run / "pairs" / "hand" / "en-ru.json"
    answers = json.loads(record.read_text(encoding="utf-8"))["predictions"]
    assert set(answers) == {"q0", "q1"}
    assert all(answer in TEXTS["ru"][0] for answer in answers.values())
    record.write_text(record.read_text(encoding="utf-8").replace('"f1": ', '"f1": 1'), encoding="utf-8")
    assert evaluate()["computed"] == 1, "an edited record is not used"
    assert evaluate("--test-size", "1")["rows"][0]["n"] == 1
