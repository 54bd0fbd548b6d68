"""A test set is what its bytes and its own language are; every question with a gold text is scored; what is special is printed."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xlqa.cli import main
from xlqa.data import registry
from xlqa.errors import XlqaError
from xlqa.runs.plan.checks import data_notes, find_warnings, tokenizer_notes
from xlqa.runs.plan.planner import Plan

MakePlan = Callable[..., Plan]
CONTEXT = "The mill in Ostby burned in 1911. Anna Lund rebuilt it in Mossbank."


def write_set(path: Path, *golds: list[str], context: str = CONTEXT, **more: Any) -> str:
    """A data set of questions q1, q2, … with these gold texts each; returns its path."""
    qas = [
        {
            "id": f"q{number}", "question": f"Which is {number}?",
            "answers": [{"text": text, "answer_start": context.find(text)} for text in texts],
        } | more
        for number, texts in enumerate(golds, 1)
    ]  # fmt: skip
    path.write_text(json.dumps({"version": "1.1", "data": [{"paragraphs": [{"context": context, "qas": qas}]}]}))
    return str(path)


def scorers(plan: Plan) -> dict[str, tuple[str, str]]:
    """Language and scorer of each test set of a plan."""
    return {e.data.name: (e.data.language, e.data.scorer) for _, evals in plan.runs for e in evals}


def test_a_files_own_language_decides_its_scorer(plan: MakePlan, tmp_path: Path) -> None:
    german = write_set(tmp_path / "dev-context-de-question-es.json", ["Ostby"])
    plain, stated = (
        write_set(tmp_path / f"{name}.json", ["Ostby"], context=f"{CONTEXT} {name}") for name in ("a", "b")
    )
    chinese = write_set(tmp_path / "zh.json", ["一九二零年"], context="江城大學在一九二零年成立。")
    tests = [german, plain, f"fr={stated}", f"zh={chinese}", "sample.en.test"]
    found = scorers(plan(tmp_path / "out", target_test=tests, test_size=None))
    assert found == {
        "dev-context-de-question-es": ("de", "mlqa.de"), "a": ("es", "mlqa.es"), "b": ("fr", "mlqa.fr"),
        "zh": ("zh", "mlqa.zh"), "sample.en.test": ("en", "squad"),
    }  # fmt: skip


def test_a_file_with_registered_bytes_is_that_set(
    plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_set(tmp_path / "copy.json", ["Ostby"])
    sha256 = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    monkeypatch.setattr(registry, "_parts_by_sha256", lambda: {sha256: (registry.find_part("korquad.dev"),)})
    found = plan(tmp_path / "out", target_test=[file], test_size=None)
    assert scorers(found) == {"copy": ("ko", "korquad")}
    (spec, evals), *_ = found.runs
    # As for the set's own name, in this version and the one before.
    assert evals[0].eval_id(spec.common).startswith("copy-")
    with pytest.raises(XlqaError, match=r"is korquad\.dev, in ko, not de"):
        plan(tmp_path / "out", target_test=[f"de={file}"], test_size=None)


def test_letters_of_another_script_are_pointed_out(plan: MakePlan, tmp_path: Path) -> None:
    file = write_set(tmp_path / "ru.json", ["Мара"], context="Мара живёт в Бренне.")
    (line,) = data_notes(plan(tmp_path / "out", target_test=[file], test_size=None))
    assert line.startswith(
        "ru: most letters of its paragraphs are Cyrillic, and it is taken for es and scored by mlqa.es."
    )
    assert "--target-test de=FILE" in line
    assert data_notes(plan(tmp_path / "out", target_test=[f"ru={file}"], test_size=None)) == []


def test_bad_gold_texts_stop_no_test_set_and_leave_no_question_out(plan: MakePlan, tmp_path: Path) -> None:
    file = write_set(tmp_path / "bad.json", ["Ostby", ""], ["nowhere"], [""], ["1911"])
    found = plan(tmp_path / "out", target_test=[file], test_size=None)
    (loaded,) = [some for some in found.sets.values() if some.ref.name == "bad"]
    assert [question.gold_texts for question in loaded.questions] == [("Ostby", ""), ("nowhere",), ("",), ("1911",)]
    (line,) = data_notes(found)
    assert line.startswith(
        "2 of 4 questions of bad have no answer with a place in the paragraph: they count in its scores"
    )
    with pytest.raises(XlqaError, match="2 questions refused"):
        plan(tmp_path / "out", target_train=file, sizes="1")


def test_what_train_and_test_share_and_what_repeats_is_printed(plan: MakePlan, tmp_path: Path) -> None:
    train = write_set(tmp_path / "train.json", *[["Ostby"]] * 16, ["1911"])
    value = json.loads(Path(train).read_text())
    qas = value["data"][0]["paragraphs"][0]["qas"]
    qas[1]["question"] = qas[0]["question"]
    Path(train).write_text(json.dumps(value))
    test = write_set(tmp_path / "test.json", ["Ostby"], ["Anna Lund"])
    Path(test).write_text(Path(test).read_text().replace("Which is 2?", "Who?"))
    lines = data_notes(plan(tmp_path / "out", target_train=train, target_test=[test], test_size=None))
    assert lines == [
        "1 of 17 questions of train repeat an earlier one (the same words on the same paragraph).",
        "2 of 2 questions of test have their paragraph in the train part train, 1 of them word for word: the table has the "
        "score without them too (f1_without_overlap).",
    ]


def test_a_tokenizer_that_loses_letters_is_refused(
    settings: dict[str, Any], plan: MakePlan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    encoder = tmp_path / "encoder"
    shutil.copytree(settings["model"], encoder)
    assert tokenizer_notes(plan(tmp_path / "out")) == []
    byte_level = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=True)
    merges = [("Ġ", letter) for letter in sorted(byte_level.alphabet()) if letter.isalnum() and letter != "Ġ"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(byte_level.alphabet()), *map("".join, merges)]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE({piece: i for i, piece in enumerate(pieces)}, merges))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([tokenizers.pre_tokenizers.Whitespace(), byte_level])
    tokenizer.post_processor = tokenizers.processors.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2), trim_offsets=True)
    tokenizer.save(str(encoder / "tokenizer.json"))
    with pytest.raises(
        XlqaError, match=r"letters belong to no piece .* Its offsets are wrong: no model could reach more"
    ) as caught:
        find_warnings(plan(tmp_path / "out", model=str(encoder)))
    assert "\n" not in str(caught.value)


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "results.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_kept_model_is_scored_by_each_files_own_rules(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "copy"
    shutil.copytree(finished, out, symlinks=True)
    kept = str(next(p for p in out.glob("runs/es-transfer-16-s0-*")))
    chinese = write_set(tmp_path / "zh.json", ["一九二零年"], context="江城大學在一九二零年成立。")
    before = len(rows(out))

    def evaluate(*words: str) -> dict[str, Any]:
        assert main(["evaluate", kept, "--test", *words, "--device", "cpu", "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    guessed, stated = evaluate(chinese), evaluate(chinese, "--lang", "zh")
    assert guessed["scorer"] == stated["scorer"] == "mlqa.zh"
    assert guessed["eval_id"] == stated["eval_id"]
    spanish = evaluate(chinese, "--lang", "es")
    assert (spanish["scorer"], spanish["eval_id"] == stated["eval_id"]) == ("mlqa.es", False)
    assert len(rows(out)) == before + 2
    bad = write_set(tmp_path / "bad.json", ["Ostby", ""], ["nowhere"], [""])
    assert evaluate(bad)["questions"] == 3
    assert main(["rescore", str(out)]) == 0
    assert len(rows(out)) == before + 3
