"""`xlqa data check`, `stats` and `convert` for tagged sentences and labelled texts: what a user sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xlqa.cli import main
from xlqa.tasks.base import get_task

Capture = pytest.CaptureFixture[str]

TRAIN = "Mara\tB-PER\nsings\tO\n\nBrenna\tB-LOC\n\nMara\tB-PER\nsings\tO\n"
TEST = "x\tO\nRiver\tI-LOC\nLena\tI-LOC\n\nMara\tB-PER\nsings\tO\n\nPax\tB-MISC\n"
PAIRS = "sentence1\tsentence2\tlabel\na b\tb a\t1\na b\tc\t0\nNS\tNS\t0\n\td\t1\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    for name, text in (("train.tsv", TRAIN), ("test.tsv", TEST)):
        (tmp_path / name).write_text(text)
    return str(tmp_path / "train.tsv"), str(tmp_path / "test.tsv")


def test_check_of_entities(files: tuple[str, str], capsys: Capture) -> None:
    assert main(["data", "check", *files]) == 0
    head, train, test, *rest = capsys.readouterr().out.splitlines()
    assert head.split() == ["FILE", "FORMAT", "SENTENCES", "WORDS", "ENTITIES", "REPAIRED", "REFUSED"]
    assert train.split()[-5:] == ["3", "5", "3", "0", "0"]
    assert test.split()[-5:] == ["3", "6", "3", "1", "0"]
    lines = [line.strip() for line in rest]
    assert "entity types: PER 2 (66.7%), LOC 1 (33.3%)" in lines
    assert "1 of 3 sentences repeat an earlier one word for word" in lines
    assert "1 × continued entity without a beginning (line 2)" in lines
    assert f"1 of 3 sentences (33.3%) are in {files[0]} word for word" in lines
    assert f"labels that {files[0]} does not have: B-MISC, I-MISC" in lines


def test_check_of_entities_for_programs(files: tuple[str, str], capsys: Capture) -> None:
    assert main(["data", "check", *files, "--json"]) == 0
    train, test = json.loads(capsys.readouterr().out)
    assert (train["task"], train["format"], train["entities"], train["repeated"]) == ("ner", "columns, IOB2", 3, 1)
    assert test["repaired_at"] == {"continued entity without a beginning": [2]}
    assert test["label_counts"] == {"LOC": 1, "PER": 1, "MISC": 1}
    assert test["found_in"] == [{"file": files[0], "any": 1, "of": 3, "other_labels": ["B-MISC", "I-MISC"]}]


def test_check_names_refusals_and_exits_one(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "bad.tsv").write_text("Mara\tB-PER\n\nx\tPER\n\ny\tLOC\n")
    assert main(["data", "check", "--task", "ner", str(tmp_path / "bad.tsv"), "--show", "1"]) == 1
    out = capsys.readouterr().out
    assert "refused: line 3: the tag 'PER' is neither O nor a prefix and a type such as B-PER." in out
    assert "refused: 1 more (--show 2 shows all)" in out


def test_check_of_pairs_counts_premises_and_untranslated_texts(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "pairs.tsv").write_text(PAIRS)
    assert main(["data", "check", str(tmp_path / "pairs.tsv")]) == 1
    out = capsys.readouterr().out
    assert "labels: 0 2 (66.7%), 1 1 (33.3%)" in out
    assert "1 × pair with an untranslated sentence (kept) (line 4)" in out
    assert "1 of 3 pairs share their first sentence with an earlier pair" in out
    assert "refused: line 5: an empty sentence." in out


def test_one_label_only_is_said(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "a.csv").write_text("text,category\nMara runs,sports\nBen runs,sports\n")
    assert main(["data", "check", str(tmp_path / "a.csv")]) == 0
    assert "every example has the label sports: nothing can be learned from this file alone" in capsys.readouterr().out


def test_files_of_two_tasks_are_not_compared(files: tuple[str, str], tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "pairs.tsv").write_text(PAIRS)
    assert main(["data", "check", files[0], str(tmp_path / "pairs.tsv")]) == 2
    assert "is of the task ner" in capsys.readouterr().err
    assert main(["data", "check", "--task", "nerr", files[0]]) == 2
    assert "--task nerr: did you mean ner? Choose from qa, ner, pos" in capsys.readouterr().err


@pytest.fixture
def tokenizer(tmp_path: Path) -> str:
    """A folder with a tokenizer of single letters."""
    from tokenizers import Tokenizer, models

    letters = {letter: i for i, letter in enumerate("abcdefghijklmnopqrstuvwxyzабвгдежзийклмнопрстуфхцчшщъыьэюя")}
    Tokenizer(models.BPE({**letters, "<unk>": len(letters)}, [], unk_token="<unk>")).save(
        str(tmp_path / "tokenizer.json")
    )
    return str(tmp_path)


def test_stats_with_pieces(tokenizer: str, capsys: Capture) -> None:
    assert main(["data", "stats", "sample.ner.ru.test", "--model", tokenizer]) == 0
    out = capsys.readouterr().out
    assert "entities" in out
    assert "sentence, pieces" in out
    assert "beyond one window of 128 pieces" in out
    assert main(["data", "stats", "sample.nli.en.test", "sample.nli.es.test", "--model", tokenizer, "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["label_counts"] == {"contradiction": 56, "neutral": 56, "entailment": 56}
    assert first["pieces"]["per_word"] >= 1
    assert second["lengths"]["pair, pieces"]["mean"] > 0
    assert main(["data", "stats", "sample.ner.en.test", "sample.ner.es.test"]) == 0
    assert capsys.readouterr().out.split()[:5] == ["DATA", "SENTENCES", "WORDS", "ENTITIES", "REPEATED"]


@pytest.mark.parametrize(
    ("name", "ending"),
    [("sample.ner.ru.test", e) for e in (".conll", ".tsv", ".txt", ".jsonl.gz")]
    + [("sample.nli.es.test", e) for e in (".tsv", ".csv.xz", ".jsonl")],
)
def test_what_is_converted_is_read_back_the_same(name: str, ending: str, tmp_path: Path, capsys: Capture) -> None:
    out, again = tmp_path / f"out{ending}", tmp_path / "again.jsonl"
    assert main(["data", "convert", name, str(out)]) == 0
    assert main(["data", "convert", str(out), str(again)]) == 0
    assert main(["data", "check", name, str(again), "--json"]) == 0
    before, after = json.loads(capsys.readouterr().out.split("\n", 2)[2])
    assert after["found_in"][0]["any"] == after["found_in"][0]["of"] == before[f"{before['counts'][0]}"]
    assert after["label_counts"] == before["label_counts"]


def test_parts_of_speech_keep_ids_and_documents_in_conllu(tmp_path: Path) -> None:
    source = tmp_path / "a.conllu"
    line = "1\tMara\t_\tPROPN" + "\t_" * 6 + "\n"
    source.write_text(f"# newdoc id = d1\n# sent_id = s1\n{line}\n# sent_id = s2\n{line}\n", encoding="utf-8")
    assert main(["data", "convert", str(source), str(tmp_path / "b.jsonl")]) == 0
    assert main(["data", "convert", str(tmp_path / "b.jsonl"), str(tmp_path / "c.conllu")]) == 0
    assert (tmp_path / "c.conllu").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("ending", [".conll", ".tsv", ".txt", ".jsonl"])
def test_entities_keep_ids_and_documents(ending: str, tmp_path: Path) -> None:
    rows = [("s17", "d1"), ("2", "d1"), ("s4", "d2"), ("s5", None), ("s6", "d1")]
    source = tmp_path / "a.jsonl"
    lines = [{"id": i, "document": d, "tokens": [i], "ner_tags": ["B-PER"]} for i, d in rows]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["data", "convert", str(source), str(tmp_path / f"b{ending}")]) == 0
    found = get_task("ner").read(tmp_path / f"b{ending}").examples
    assert found == get_task("ner").read(source).examples
    assert [(s.id, s.group) for s in found[:3]] == [("s17", "document d1"), ("2", "document d1"), ("s4", "document d2")]


def test_columns_without_ids_stay_words_and_tags(files: tuple[str, str], tmp_path: Path) -> None:
    assert main(["data", "convert", files[0], str(tmp_path / "b.conll")]) == 0
    assert (tmp_path / "b.conll").read_text() == TRAIN + "\n"


@pytest.mark.parametrize(
    ("task", "row"),
    [
        ("ner", '{"tokens": ["a\\ud800"], "ner_tags": ["B-P\\udfff"]}'),
        ("topic", '{"text": "a\\ud800", "label": "\\ud800"}'),
    ],
)
def test_half_a_utf16_pair_is_replaced_and_reported(task: str, row: str, tmp_path: Path, capsys: Capture) -> None:
    source, target = tmp_path / "\udcff.jsonl", tmp_path / "out\udcff.jsonl"
    source.write_text(row + "\n")
    assert main(["data", "check", "--task", task, str(source), "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["repairs"] == {"lone surrogate": 1}
    assert "\ufffd" in next(iter(report["label_counts"]))
    assert main(["data", "convert", "--task", task, str(source), str(target)]) == 0
    assert "a\ufffd" in target.read_text(encoding="utf-8")
    assert "1 × lone surrogate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "target", "message"),
    [
        ('{"tokens": ["a\\tb", "c"], "ner_tags": ["B-PER", "O"]}', "x.tsv", "this format cannot hold sentence 1"),
        ('{"id": "a\\nb", "tokens": ["a"], "ner_tags": ["B-PER"]}', "x.tsv", "this format cannot hold sentence a b"),
        ('{"tokens": ["a"], "ner_tags": ["B-PER"]}', "x.conllu", "CoNLL-U has no column for entity tags"),
        ('{"tokens": ["a"], "ner_tags": ["B-PER"]}', "x.csv", "names no format of ner: end the name in .conll"),
        ('{"premise": "a\\tb", "hypothesis": "c", "label": 1}', "x.tsv", "this format cannot hold pair 1"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_and_nothing_written(
    row: str, target: str, message: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "in.jsonl").write_text(row + "\n")
    assert main(["data", "convert", str(tmp_path / "in.jsonl"), str(tmp_path / target)]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / target).exists()


def test_columns_have_the_names_of_the_task(files: tuple[str, str], tmp_path: Path, capsys: Capture) -> None:
    own = tmp_path / "own.tsv"
    own.write_text("p\th\ty\nIt rains.\tIt is wet.\tentailment\n")
    named = ["--task", "nli", "--columns", "premise=p,hypothesis=h,label=y"]
    assert main(["data", "check", str(own), *named]) == 0
    assert main(["data", "convert", str(own), str(tmp_path / "usual.jsonl"), *named]) == 0
    assert json.loads((tmp_path / "usual.jsonl").read_text())["hypothesis"] == "It is wet."
    capsys.readouterr()
    assert main(["data", "check", "--task", "ner", "--columns", "question=q", files[0]]) == 2
    assert "--columns question: write FIELD=NAME; the fields of ner are id, tokens" in capsys.readouterr().err
    assert main(["data", "stats", str(own), *named[:-1], "premise=p,hypothesis=h,label=y,id=nr"]) == 2
    assert "--columns id=nr: no data set has such a column" in capsys.readouterr().err


@pytest.mark.parametrize("as_list", [False, True], ids=["feature", "list"])
def test_numbered_labels_of_parquet_are_named(as_list: bool, tmp_path: Path, capsys: Capture) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    label = {"names": ["O", "B-DATE", "I-DATE"], "_type": "ClassLabel"}
    names = [label] if as_list else {"feature": label, "_type": "List"}
    metadata = {b"huggingface": json.dumps({"info": {"features": {"ner_tags": names}}}).encode()}
    table = pyarrow.Table.from_pylist([{"tokens": ["in", "May", "1859"], "ner_tags": [0, 1, 2]}])
    path = tmp_path / "x.parquet"
    pytest.importorskip("pyarrow.parquet").write_table(table.replace_schema_metadata(metadata), path)
    assert main(["data", "check", str(path), "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["format"], report["label_counts"]) == ("Parquet, IOB2", {"DATE": 1})
    path.write_bytes(path.read_bytes()[:40])
    assert main(["data", "check", "--task", "ner", str(path)]) == 1
    assert "the Parquet file is cut short or damaged" in capsys.readouterr().out
