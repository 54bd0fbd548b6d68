"""`xlqa data`: what a user sees of list, fetch, check, stats and convert."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

import hostile_server as server
from hostile_server import Handler

from xlqa.cli import main
from xlqa.data import download, registry
from xlqa.settings import SETTINGS
from xlqa.tasks import sources
from xlqa.tasks.qa.reading import read_dataset


def squad(*items: tuple[str, str, Any], context: str = "Anna met Ben in Rome.") -> dict[str, Any]:
    """A set of one paragraph from (id, answer, start)."""
    qas = [
        {"id": identity, "question": "Who?", "answers": [{"text": text, "answer_start": start}]}
        for identity, text, start in items
    ]
    return {"version": "1.1", "data": [{"title": "Rome", "paragraphs": [{"context": context, "qas": qas}]}]}


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.json"
    path.write_text(json.dumps(squad(("a", "Anna", 0), ("b", "Rome", "16"))))
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(squad(("a", "Anna", 0), ("b\x1b[2J", "Paris", 3), ("c", "Lyon", 3))))
    return path


@pytest.fixture
def stripped(tmp_path: Path) -> Path:
    path = tmp_path / "stripped.json"
    path.write_text(json.dumps(squad(("a", "", 0), ("b", "", 0))))
    return path


Capture = pytest.CaptureFixture[str]


def test_check_of_a_good_file(good: Path, capsys: Capture) -> None:
    assert main(["data", "check", str(good)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"good\.json +squad-1\.1 +2 +0 +1 +1 +0", out)
    assert "repaired 1 × start as text: the start was written as text" in out


def test_check_of_bad_files_names_them_and_exits_one(good: Path, bad: Path, stripped: Path, capsys: Capture) -> None:
    none = good.with_name("none.json")
    assert main(["data", "check", str(good), str(bad), str(stripped), str(none)]) == 1
    out = capsys.readouterr().out
    assert re.search(r"bad\.json +squad-1\.1 +1 +0 +1 +0 +2", out)
    assert 'refused: article 1 "Rome", paragraph 1, question c: the answer "Lyon" is nowhere in its paragraph' in out
    assert "has no answers: all 2 questions" in out
    assert "no such file" in out
    assert "\x1b" not in out


def test_check_shows_as_many_as_asked(bad: Path, capsys: Capture) -> None:
    assert main(["data", "check", "--show", "1", str(bad)]) == 1
    out = capsys.readouterr().out
    assert "Paris" in out
    assert "Lyon" not in out
    assert "1 more (--show 2 shows all)" in out


def test_check_for_programs(good: Path, bad: Path, stripped: Path, capsys: Capture) -> None:
    assert main(["data", "check", "--json", str(good), str(bad), str(stripped)]) == 1
    first, second, third = json.loads(capsys.readouterr().out)
    assert (first["questions"], first["repairs"], first["refused"]) == (2, {"start as text": 1}, 0)
    assert [refusal["question_id"] for refusal in second["refusals"]] == ["b\x1b[2J", "c"]
    assert second["refusals"][1]["fix"]
    assert "labels were stripped" in third["error"]


def test_stats(good: Path, capsys: Capture) -> None:
    assert main(["data", "stats", str(good)]) == 0
    out = capsys.readouterr().out
    assert "questions     2 answerable, 0 unanswerable" in out
    assert re.search(r"paragraph, characters +21\.0 +21", out)
    assert main(["data", "stats", "--json", str(good)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["paragraph"]["mean"] == 21
    assert found["pieces"] is None


def test_stats_with_pieces(good: Path, tmp_path: Path, capsys: Capture) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "Anna": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert main(["data", "stats", str(good), "--model", str(tmp_path), "--max-length", "8", "--stride", "2"]) == 0
    out = capsys.readouterr().out
    assert "1.00 a word" in out
    assert "80.00% unknown" in out
    assert "beyond one window of 8: 0.00% of the questions; 1.00 windows" in out
    assert (
        "answers longer than 30 pieces, which no prediction reaches (--max-answer-length): 0.00% of the questions"
        in out
    )


def test_the_stride_of_stats_is_that_of_a_sweep(good: Path, tmp_path: Path, capsys: Capture) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    follows = SETTINGS["stride"].follows
    assert follows is not None
    for flags, length in (((), 384), (("--max-length", "100"), 100)):
        assert main(["data", "stats", "--json", str(good), "--model", str(tmp_path), *flags]) == 0
        assert json.loads(capsys.readouterr().out)["pieces"]["stride"] == follows({"max_length": length}) == length // 3


def test_stats_of_several_files_stand_side_by_side(good: Path, tmp_path: Path, capsys: Capture) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "Anna": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    other = tmp_path / "other.json"
    other.write_bytes(good.read_bytes())
    cut = ("--model", str(tmp_path), "--max-length", "8", "--stride", "2")
    assert main(["data", "stats", str(good), str(other), *cut]) == 0
    heads, first, second, *_ = capsys.readouterr().out.splitlines()
    assert heads.split()[-7:] == ["A", "WORD", "UNKNOWN", "BEYOND", "WINDOWS", "TOO", "LONG"]
    assert first.split()[0] == good.name
    assert second.split()[0] == "other.json"
    assert first.split()[1:] == second.split()[1:]
    assert first.split()[-5:] == ["1.00", "80.00%", "0.0%", "1.00", "0.0%"]
    assert main(["data", "stats", str(good), str(other)]) == 0
    out = capsys.readouterr().out
    assert "WINDOWS" not in out
    assert " 21.0 " in out
    assert main(["data", "stats", "--json", str(good), str(other), *cut]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [document["file"] for document in found] == [str(good), str(other)]
    assert found[0]["pieces"]["per_word"] == 1


def test_stats_of_files_of_one_name_keep_their_folders(good: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "b").mkdir()
    other = tmp_path / "b" / good.name
    other.write_bytes(good.read_bytes())
    assert main(["data", "stats", str(good), str(other)]) == 0
    out = capsys.readouterr().out
    assert str(good) in out
    assert str(other) in out


def test_stats_count_what_only_scores_and_leave_out_what_does_not(bad: Path, capsys: Capture) -> None:
    assert main(["data", "stats", str(bad)]) == 0
    captured = capsys.readouterr()
    assert "questions     3 answerable" in captured.out
    assert "2 questions only for scores, not for training (`xlqa data check`)" in captured.err
    value = squad(("a", "Anna", 0))
    value["data"][0]["paragraphs"][0]["qas"].append({"id": "none", "question": "?", "answers": []})
    bad.write_text(json.dumps(value))
    assert main(["data", "stats", str(bad)]) == 2
    assert "1 question refused" in capsys.readouterr().err
    assert main(["data", "stats", "--skip-bad", str(bad)]) == 0
    assert "1 question left out (--skip-bad)" in capsys.readouterr().err


def test_check_and_stats_count_paragraphs_alike(tmp_path: Path, capsys: Capture) -> None:
    value = squad(("a", "Anna", 0))
    value["data"].append(squad(("b", "Anna", 0), context="Anna  met\tBen in Rome.")["data"][0])
    (tmp_path / "a.json").write_text(json.dumps(value))
    assert main(["data", "check", "--json", str(tmp_path / "a.json")]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert main(["data", "stats", "--json", str(tmp_path / "a.json")]) == 0
    assert report["paragraphs"] == json.loads(capsys.readouterr().out)["paragraphs"] == 1


def test_check_of_two_files_says_what_one_has_of_the_other(good: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "dev.json").write_text(json.dumps(squad(("x", "Anna", 0), ("y", "Ben", 9))))
    assert main(["data", "check", str(good), str(tmp_path / "dev.json")]) == 0
    out = capsys.readouterr().out
    assert f"2 of 2 questions are in {good} (2 by their paragraph, 2 word for word)" in out
    assert "1 of 2 questions repeat an earlier one (the same words on the same paragraph)" in out
    assert main(["data", "check", "--json", str(good), str(tmp_path / "dev.json")]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["found_in"] == []
    assert second["found_in"] == [{"file": str(good), "paragraph": 2, "question": 2, "any": 2, "of": 2}]


def test_a_question_on_a_cut_paragraph_is_said_to_be_in_the_other_file(tmp_path: Path, capsys: Capture) -> None:
    for name, context in (("whole", "Anna met Ben in Rome. They left."), ("cut", "Anna met Ben in Rome.")):
        (tmp_path / f"{name}.json").write_text(json.dumps(squad(("x", "Anna", 0), context=context)))
    assert main(["data", "check", str(tmp_path / "whole.json"), str(tmp_path / "cut.json")]) == 0
    found = "(0 by their paragraph, 0 word for word, 1 by id, or by question and answer on a similar paragraph)"
    assert found in capsys.readouterr().out


def test_check_says_what_is_unanswerable_and_what_only_scores(bad: Path, capsys: Capture) -> None:
    value = squad(("a", "Anna", 0), ("b", "Paris", 3))
    value["data"][0]["paragraphs"][0]["qas"].append({"id": "n", "question": "?", "answers": [], "is_impossible": True})
    bad.write_text(json.dumps(value))
    assert main(["data", "check", str(bad)]) == 1
    out = capsys.readouterr().out
    assert "1 unanswerable question: sweeps use them with --unanswerable, `xlqa score` with --scorer squad2" in out
    assert "1 of the refused questions have gold texts: they count in scores, not in training" in out


def test_columns_can_be_named(tmp_path: Path, capsys: Capture) -> None:
    table = tmp_path / "table.csv"
    table.write_text("nr,passage_text,q,a,at\n1,Anna met Ben.,Who?,Ben,9\n")
    assert main(["data", "check", str(table)]) == 1
    assert 'has the keys "nr", "passage_text", "q", "a", "at"' in capsys.readouterr().out
    named = ["--columns", "context=passage_text,question=q,answers=a,answer_start=at", "--columns", "id=nr"]
    assert main(["data", "check", str(table), *named]) == 0
    assert main(["data", "convert", str(table), str(tmp_path / "out.json"), *named]) == 0
    (question,) = read_dataset(tmp_path / "out.json").questions
    assert (question.id, question.answers[0].start) == ("1", 9)
    capsys.readouterr()
    for wrong in ("nonsense=a", "context", "context="):
        assert main(["data", "check", str(table), "--columns", wrong]) == 2
        assert f"--columns {wrong.partition('=')[0]}: write FIELD=NAME" in capsys.readouterr().err


def test_stats_show_the_best_that_a_tokenizer_allows(good: Path, tmp_path: Path, capsys: Capture) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    good.write_text(json.dumps(squad(("a", "Anna", 0), ("b", "Rome", 16), ("c", "met B", 5))))
    assert main(["data", "stats", str(good), "--model", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "(gold answers mapped to tokens and back): EM 66.67, F1 83.33 (squad, 3 questions; 0 unreachable)" in out
    assert '1 gold answers come back as another text (such as "met Ben" for "met B")' in out
    assert main(["data", "stats", str(good), str(good), "--model", str(tmp_path)]) == 0
    heads, first, *_ = capsys.readouterr().out.splitlines()
    assert heads.split()[-4:] == ["BEST", "EM", "BEST", "F1"]
    assert first.split()[-2:] == ["66.67", "83.33"]


def test_convert(good: Path, tmp_path: Path, capsys: Capture) -> None:
    target = tmp_path / "out.csv.gz"
    assert main(["data", "convert", str(good), str(target)]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{target}: 2 questions\n"
    assert "repaired 1 × start as text" in captured.err
    assert read_dataset(target).questions == read_dataset(good).questions
    assert main(["data", "convert", str(good), str(target)]) == 2
    assert "exists: choose another name, or overwrite it with --force" in capsys.readouterr().err
    assert main(["data", "convert", "--force", "--json", str(good), str(target)]) == 0
    assert json.loads(capsys.readouterr().out)["questions"] == 2


def test_list(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLQA_DATA", str(tmp_path))
    (tmp_path / "xquad").mkdir()
    (tmp_path / "xquad" / "xquad.ru.json").write_text("{}")
    assert main(["data", "list", "--lang", "ru,hi"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^ru +sberquad +train 45,328, dev 5,036 +yes +train, test +none stated .* no$", out, re.M)
    assert re.search(r"^ru +xquad +test 1,190 +none +test +CC BY-SA 4\.0 +yes$", out, re.M)
    assert re.search(r"^hi +mlqa +test 4,918, dev 507 and 12 with questions in other languages +none", out, re.M)
    assert f"Fetched sets are in {tmp_path}" in out
    assert main(["data", "list", "--lang", "xx"]) == 2


def test_list_of_one_set_and_for_programs(capsys: Capture) -> None:
    assert main(["data", "list", "xquad"]) == 0
    out = capsys.readouterr().out
    assert "train part  none is public" in out
    assert "unverified  nothing" in out
    assert re.search(r"^xquad\.ru +test +ru +ru +1,190 +208d5b1aa154 +no +https://github\.com/", out, re.M)
    assert main(["data", "list", "--json", "--lang", "sw"]) == 0
    (tydiqa,) = json.loads(capsys.readouterr().out)  # no other set has Swahili
    assert tydiqa["name"] == "tydiqa"
    assert [part["name"] for part in tydiqa["parts"]] == ["tydiqa.sw.train", "tydiqa.sw.dev"]
    assert [(part["scorer"], part["sweep"]) for part in tydiqa["parts"]] == [("squad", "train"), ("squad", "test")]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two small registered sets on a local server, the second of them missing there."""
    monkeypatch.setattr(download, "FIRST_WAIT", 0.01)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with server.serving() as address:
        Handler.files["/a.json"] = (json.dumps(squad(("a", "Anna", 0))).encode(), server.whole)
        parts = tuple(
            registry.Part(f"fake.{split}", "fake", split, "sw", 1, (f"{address}/{file}",), file)
            for split, file in (("train", "a.json"), ("dev", "none.json"))
        )
        fake = dataclasses.replace(registry.find_set("squad"), name="fake", parts=parts)
        monkeypatch.setattr(registry, "SETS", (*registry.SETS, fake))
        registry._parts.cache_clear()
        registry._sets.cache_clear()
        yield address
    registry._parts.cache_clear()
    registry._sets.cache_clear()


@pytest.mark.usefixtures("served")
def test_fetch(tmp_path: Path, capsys: Capture) -> None:
    folder = ["--data-dir", str(tmp_path)]
    assert main(["data", "fetch", "fake.train", *folder]) == 0
    captured = capsys.readouterr()
    path = tmp_path / "fake" / "a.json"
    assert re.search(rf"fake\.train +[0-9a-f]{{12}} +{re.escape(str(path))}", captured.out)
    assert "fetching fake.train" in captured.err
    assert main(["data", "check", "fake.train", *folder]) == 0
    # One part that fails stops no other, and the exit status says so.
    assert main(["data", "fetch", "fake", "--json", *folder]) == 2
    captured = capsys.readouterr()
    found = json.loads(captured.out[captured.out.index("{") :])
    assert [row["name"] for row in found["fetched"]] == ["fake.train"]
    assert "fake.dev: " in captured.err
    assert "HTTP 404" in captured.err


def test_a_set_that_xlqa_does_not_fetch_says_where_it_is(tmp_path: Path, capsys: Capture) -> None:
    assert main(["data", "fetch", "multi_wiki_qa", "--data-dir", str(tmp_path)]) == 2
    assert (
        "multi_wiki_qa: one part a language, at https://huggingface.co/datasets/alexandrainst"
        in capsys.readouterr().err
    )
    assert main(["data", "list"]) == 0
    assert "Not fetched by xlqa, see `xlqa data list SET`: multi_wiki_qa" in capsys.readouterr().out


def test_fetch_says_everything_that_is_wrong_at_once(tmp_path: Path, capsys: Capture) -> None:
    assert main(["data", "fetch", "squad.trian", "xqad.ru", "--lang", "qq", "--data-dir", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert "did you mean squad.train" in err
    assert "did you mean xquad.ru" in err
    assert '"qq" is not a language with registered sets' in err
    assert main(["data", "fetch"]) == 2
    assert "Nothing to fetch" in capsys.readouterr().err


def test_fetch_for_a_language_wants_what_a_sweep_wants(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    wanted: list[str] = []

    def ensure_local(part: registry.Part, folder: Path, **_: Any) -> tuple[Path, str]:
        wanted.append(part.name)
        return folder / part.file, "0" * 64

    monkeypatch.setattr("xlqa.tasks.sources.ensure_local", ensure_local)
    assert main(["data", "fetch", "--lang", "ru", "--lang", "hi"]) == 0
    assert wanted == ["squad.train", "sberquad.train", "sberquad.dev", "xquad.ru", "xquad.hi", "mlqa.hi.hi"]
    assert "Hindi (hi) has no registered set with a public train part" in capsys.readouterr().err


def test_fetch_of_a_model_folder(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert main(["data", "fetch", "--model", str(tmp_path)]) == 2
    assert "has no weights (model.safetensors)" in capsys.readouterr().err
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    assert main(["data", "fetch", "--model", str(tmp_path)]) == 0
    assert str(tmp_path) in capsys.readouterr().out


def test_the_sample_is_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture) -> None:
    monkeypatch.setattr(sources, "SAMPLE_FOLDER", tmp_path)
    (tmp_path / "es.train.json").write_text(json.dumps(squad(("a", "Anna", 0))))
    assert main(["data", "list"]) == 0
    assert "Embedded, always here: sample.es.train" in capsys.readouterr().out
    assert main(["data", "check", "sample.es.train"]) == 0


@pytest.mark.parametrize("command", ["list", "fetch", "check", "stats", "convert"])
def test_help_ends_with_examples(command: str, capsys: Capture) -> None:
    assert main(["data", command, "--help"]) == 0
    out = capsys.readouterr().out
    tail = out[out.index("Examples") :]
    assert tail.count(f"xlqa data {command}") >= 2
