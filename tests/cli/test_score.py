"""`xlqa score`: the leading scorer, the other scores, and the messages for files that do not match."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from xlqa.cli.score import score
from xlqa.data import registry
from xlqa.errors import XlqaError
from xlqa.records import QUESTION_COLUMNS, Question
from xlqa.tasks.qa.languages import guess_language
from xlqa.tasks.qa.reading import read_dataset

app = typer.Typer()
app.command()(score)

RUSSIAN = {"context": "Победил «Спартак» в Москве.", "qas": {"r1": "Спартак", "r2": "в Москве"}}
CHINESE = {"context": "北京天安门广场在中国的首都。", "qas": {"z1": "天安门", "z2": "首都"}}
JAPANESE = {"context": "東京都、新宿区にあります。", "qas": {"j1": "新宿区"}}
THAI = {"context": "กรุงเทพมหานครเป็นเมืองหลวง", "qas": {"t1": "กรุงเทพ"}}


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def scores(*words: object) -> dict[str, Any]:
    return json.loads(call(*words, "--json").stdout)


def write(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def squad_file(path: Path, *paragraphs: dict[str, Any], none: tuple[str, ...] = ()) -> Path:
    """A SQuAD file: each paragraph's questions by id with their answer; `none` are unanswerable ones of the first."""
    entries = []
    for paragraph in paragraphs:
        context = paragraph["context"]
        qas = [
            {"id": id, "question": f"{id}?", "answers": [{"text": text, "answer_start": context.index(text)}]}
            for id, text in paragraph["qas"].items()
        ]
        entries.append({"context": context, "qas": qas})
    for id in none:
        entries[0]["qas"].append({"id": id, "question": f"{id}?", "answers": [], "is_impossible": True})
    return write(path, {"version": "v2.0" if none else "1.1", "data": [{"title": "t", "paragraphs": entries}]})


def answers(path: Path, **pairs: str) -> Path:
    return write(path / "predictions.json", pairs)


def test_a_local_file_gets_the_scorer_of_its_language_and_squad_beside(tmp_path: Path) -> None:
    data, found = squad_file(tmp_path / "x.json", RUSSIAN), answers(tmp_path, r1="«Спартак»", r2="Москве")
    got = scores(found, data, "--lang", "ru")
    assert (got["scorer"], got["em"], got["questions"]) == ("mlqa.ru", 50, 2)
    assert got["f1"] == pytest.approx((100 + 200 / 3) / 2)
    assert (got["squad_em"], got["squad_f1"]) == (0, pytest.approx(100 / 3))
    assert (got["missing"], got["extra"], got["lang"]) == (0, 0, "ru")
    assert scores(found, data, "--lang", "ru", "--scorer", "squad")["scorer"] == "squad"


def test_without_a_language_a_file_in_words_is_scored_by_squad(tmp_path: Path) -> None:
    data, found = squad_file(tmp_path / "x.json", RUSSIAN), answers(tmp_path, r1="Спартак", r2="в Москве")
    result = call(found, data)
    assert result.stdout.splitlines() == [
        "x: 2 questions",
        "scorer        EM        F1",
        "squad   100.0000  100.0000",
    ]
    assert result.stderr == ""
    assert scores(found, data)["lang"] is None


@pytest.mark.parametrize(
    ("paragraph", "language", "scorer"),
    [(CHINESE, "zh", "mlqa.zh"), (JAPANESE, "ja", "characters"), (THAI, "th", "characters")],
)
def test_languages_without_blanks_are_told_by_their_script_and_it_is_said(
    tmp_path: Path, paragraph: dict[str, Any], language: str, scorer: str
) -> None:
    data = squad_file(tmp_path / "x.json", paragraph)
    result = call(answers(tmp_path, **paragraph["qas"]), data)
    assert scorer in result.stdout
    assert f"the ids or the script of the paragraphs show the language {language}." in result.stderr


def test_a_score_over_characters_stands_beside_where_words_say_nothing(tmp_path: Path) -> None:
    data, found = squad_file(tmp_path / "x.json", CHINESE), answers(tmp_path, z1="天安门广场", z2="首都")
    got = scores(found, data, "--lang", "zh", "--scorer", "squad")
    assert got["scores"].keys() == {"squad", "mlqa.zh"}
    assert got["scores"]["squad"]["f1"] == 50
    assert got["scores"]["mlqa.zh"]["f1"] == pytest.approx(87.5)
    assert scores(found, data, "--lang", "zh", "--scorer", "cmrc")["scores"].keys() == {"cmrc", "squad", "mlqa.zh"}


def test_mlqa_needs_a_language_that_somebody_knows(tmp_path: Path) -> None:
    data, found = squad_file(tmp_path / "x.json", RUSSIAN), answers(tmp_path, r1="Спартак", r2="")
    with pytest.raises(XlqaError, match="add --lang"):
        call(found, data, "--scorer", "mlqa")
    assert scores(found, data, "--scorer", "mlqa", "--lang", "ru")["scorer"] == "mlqa.ru"
    assert scores(found, data, "--scorer", "mlqa.ru")["scorer"] == "mlqa.ru"
    with pytest.raises(XlqaError, match="contradict"):
        call(found, data, "--scorer", "mlqa.de", "--lang", "ru")


def test_missing_and_extra_predictions(tmp_path: Path) -> None:
    data, found = squad_file(tmp_path / "x.json", RUSSIAN), answers(tmp_path, r1="Спартак", other="x")
    with pytest.raises(XlqaError, match=r"1 of 2 questions have no prediction \(r2\)"):
        call(found, data)
    result = call(found, data, "--allow-missing")
    assert "1 question has no prediction; each counts as 0" in result.stderr
    assert "1 prediction belongs to no question" in result.stderr
    got = scores(found, data, "--allow-missing")
    assert (got["em"], got["missing"], got["extra"], got["questions"]) == (50, 1, 1, 2)


def test_unanswerable_questions_count_under_squad2_only(tmp_path: Path) -> None:
    data = squad_file(tmp_path / "x.json", RUSSIAN, none=("n1", "n2"))
    found = answers(tmp_path, r1="Спартак", r2="", n1="", n2="Москве")
    got = scores(found, data, "--scorer", "squad2")
    assert (got["scorer"], got["em"], got["questions"], got["unanswerable"]) == ("squad2", 50, 4, 2)
    assert got["squad_em"] == 50  # over the two that have an answer
    result = call(found, data)
    assert "2 unanswerable questions left out; --scorer squad2" in result.stderr
    got = scores(found, data)
    assert (got["scorer"], got["em"], got["questions"], got["extra"]) == ("squad", 50, 2, 0)


def test_ids_that_stand_for_two_questions_are_refused(tmp_path: Path) -> None:
    twice = {"context": "Анна и Иван", "qas": {"r1": "Анна"}}
    data = squad_file(tmp_path / "x.json", RUSSIAN, twice)
    for flags in ([], ["--allow-missing"]):
        with pytest.raises(XlqaError, match="Several questions of the data set share one id"):
            call(answers(tmp_path, r1="Спартак", r2=""), data, *flags)
    told_apart = {question.id: question.answers[0].text for question in read_dataset(data).questions}
    assert scores(answers(tmp_path, **told_apart), data)["em"] == 100


def test_a_row_a_question(tmp_path: Path) -> None:
    data = squad_file(tmp_path / "x.json", RUSSIAN, none=("n1",))
    out = tmp_path / "questions.csv"
    call(answers(tmp_path, r1="«Спартак»", r2="Москве", n1=""), data, "--scorer", "squad2", "--per-question", out)
    with open(out, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == QUESTION_COLUMNS
    assert [row["id"] for row in rows] == ["r1", "r2", "n1"]
    assert rows[0]["context"] == read_dataset(data).questions[0].context_hash
    assert [row["f1"] for row in rows] == ["0", "66.66666667", "100"]
    assert [row["squad_em"] for row in rows] == ["0", "0", ""]


def test_files_that_do_not_fit_are_refused_in_one_line(tmp_path: Path) -> None:
    data, found = squad_file(tmp_path / "x.json", RUSSIAN), answers(tmp_path, r1="Спартак", r2="")
    with pytest.raises(XlqaError, match="is a data set, not a prediction file"):
        call(data, found)
    with pytest.raises(XlqaError, match="there is no such file"):
        call(tmp_path / "none.json", data)
    with pytest.raises(XlqaError, match="did you mean squad"):
        call(found, "squad.dve")
    with pytest.raises(XlqaError, match="choose from squad"):
        call(found, data, "--scorer", "bleu")
    with pytest.raises(XlqaError, match="not a language code"):
        call(found, data, "--lang", "russian")


def with_answers(path: Path, *golds: list[Any]) -> Path:
    """A file of questions q1, q2, … on one paragraph, with these gold answers each."""
    context = "Denver won in Santa Clara. P is in P."
    qas = [
        {"id": f"q{i}", "question": "?", "answers": [{"text": text, "answer_start": -1} for text in texts]}
        for i, texts in enumerate(golds, 1)
    ]
    return write(path, {"version": "1.1", "data": [{"paragraphs": [{"context": context, "qas": qas}]}]})


def test_every_gold_text_counts_wherever_it_is(tmp_path: Path) -> None:
    # Empty, at two places, nowhere: training can use none of these, and the official script asks for no place.
    data = with_answers(tmp_path / "x.json", ["Santa Clara", ""], ["Denver", "P"], ["Paris", "Lyon"], [""])
    found = answers(tmp_path, q1="Santa Clara", q2="P", q3="Paris", q4="")
    got = scores(found, data)
    assert (got["questions"], got["refused"], got["untrainable"], got["em"]) == (4, 0, 2, 100)
    assert got["f1"] == 75  # SQuAD's script gives an empty answer EM 1 and F1 0 where the gold answer is empty
    assert "2 questions have no answer with a position in the paragraph; scored anyway." in call(found, data).stderr


def test_questions_without_a_gold_text_can_be_left_out_and_are_counted(tmp_path: Path) -> None:
    data = with_answers(tmp_path / "x.json", ["Denver"], [])
    found = answers(tmp_path, q1="Denver", q2="")
    with pytest.raises(XlqaError, match="it has no answer"):
        call(found, data)
    got = scores(found, data, "--skip-bad")
    assert (got["questions"], got["refused"], got["em"]) == (1, 1, 100)


def test_one_prediction_answers_a_question_that_is_there_twice(tmp_path: Path) -> None:
    data = squad_file(tmp_path / "x.json", CHINESE, CHINESE)
    result = call(answers(tmp_path, z1="天安门", z2="北京"), data)
    assert "4 questions share their id with another; one prediction answers all of an id" in result.stderr
    got = scores(answers(tmp_path, z1="天安门", z2="北京"), data)
    assert (got["questions"], got["em"], got["extra"]) == (4, 50, 0)


def test_a_copy_of_a_registered_file_is_that_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = squad_file(tmp_path / "mine.json", RUSSIAN)
    part = dataclasses.replace(registry.find_part("korquad.dev"), sha256=hashlib.sha256(data.read_bytes()).hexdigest())
    monkeypatch.setattr(registry, "_parts_by_sha256", lambda: {part.sha256: (part,)})
    got = scores(answers(tmp_path, r1="Спартак", r2=""), data)
    assert (got["scorer"], got["lang"], got["dataset"]) == ("korquad", "ko", "mine")
    with pytest.raises(XlqaError, match=r"is korquad\.dev, in ko, not ru: drop the language"):
        call(answers(tmp_path, r1="Спартак", r2=""), data, "--lang", "ru")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.jsonl", '{"id": "r1", "prediction_text": "Спартак"}\n{"id": "r2", "prediction_text": ""}\n'),
        ("p.csv", "id,prediction_text\nr1,Спартак\nr2,\n"),
        ("p.tsv", "ID\tprediction_text\nr1\tСпартак\nr2\t\n"),
        ("p.json", '[{"id": "r1", "prediction_text": "Спартак"}, {"id": "r2", "prediction_text": ""}]'),
    ],
)
def test_predictions_may_come_in_rows(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    got = scores(tmp_path / name, squad_file(tmp_path / "x.json", RUSSIAN))
    assert (got["em"], got["missing"], got["extra"]) == (50, 0, 0)


def test_one_line_of_json_lines_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"id": "j1", "prediction_text": "新宿区"}\n', encoding="utf-8")
    assert scores(tmp_path / "p.jsonl", squad_file(tmp_path / "x.json", JAPANESE))["em"] == 100


def test_a_ranking_of_answers_names_the_file_beside_it(tmp_path: Path) -> None:
    nbest = write(tmp_path / "nbest.json", {"j1": [{"text": "新宿区", "probability": 0.9}]})
    with pytest.raises(
        XlqaError, match=r"the answer to j1 is a list, not text: these are rankings .*predictions\.json"
    ):
        call(nbest, squad_file(tmp_path / "x.json", JAPANESE))


@pytest.mark.parametrize(
    ("context", "language"),
    [
        ("The quick brown fox 天", ""),
        ("Победил «Спартак»", ""),
        ("서울은 대한민국의 수도이다", ""),
        ("北京天安门 is in Beijing", ""),
        ("北京天安门广场在中国 (Beijing)", "zh"),
        ("東京タワーは港区にある", "ja"),
        ("ភ្នំពេញជារាជធានី", "km"),
        ("123 — 456", ""),
    ],
)
def test_guessing_the_language_from_the_script(context: str, language: str) -> None:
    assert guess_language([Question("q", "?", context, (), "h")]) == language


@pytest.mark.shared
def test_the_official_figures_from_the_command(shared_data: Path) -> None:
    folder, data = shared_data / "predictions", shared_data / "squad" / "dev-v1.1.json"
    got = scores(folder / "squad-dev-v1.1.r-net-plus.json", data, "--scorer", "squad")
    assert (round(got["em"], 4), round(got["f1"], 4), got["questions"]) == (82.4693, 88.4779, 10570)
    regression = folder / "squad-dev-v1.1.logistic-regression.json"
    with pytest.raises(XlqaError, match=r"13 of 10,570 questions have no prediction"):
        call(regression, data)
    got = scores(regression, data, "--allow-missing")
    assert (round(got["em"], 4), round(got["f1"], 4)) == (40.1419, 50.9815)
    assert (got["missing"], got["extra"], got["lang"]) == (13, 28, "en")  # its bytes are those of squad.dev
