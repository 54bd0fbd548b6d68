"""Which task a file is for: seen from its beginning, whatever its name and packing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from xlqa.errors import XlqaError
from xlqa.tasks.base import get_task
from xlqa.tasks.detect import find_task
from xlqa.tasks.sources import sample_files

CONLLU = "# sent_id = 1\n1-2\tвон\t_\t_\t_\t_\t_\t_\t_\t_\n1\tво\t_\tADP\t_\t_\t_\t_\t_\t_\n2\tн\t_\tPRON\t_\t_\t_\t_\t_\t_\n\n"
UNER = "# sent_id = 1\n1\tMara\tB-PER\t-\tx\n2\tsings\tO\t-\tx\n\n"
SIB = "index_id\tcategory\ttext\n1\tsports\tMara runs.\n"

FILES: dict[str, tuple[str, str]] = {
    "PAN-X": ("ner", "Mara\tB-PER\nsings\tO\n\nBrenna\tB-LOC\n"),
    "WikiAnn": ("ner", "en:Mara B-PER\nen:sings O\n\n"),
    "MasakhaNER": ("ner", "Mara B-DATE\nsings O\n\n"),
    "a tag is missing": ("ner", "Mara B-PER\nsings\nhere O\n\nBrenna B-LOC\n"),
    "CoNLL-2003": ("ner", "-DOCSTART- -X- -X- O\n\nMara NNP B-NP I-PER\nsings VBZ B-VP O\n\n"),
    "CoNLL-U": ("pos", CONLLU),
    "Universal NER": ("ner", UNER),
    "MasakhaPOS": ("pos", "Mara PROPN\nanaimba VERB\n\n"),
    "hub NER": ("ner", '{"tokens": ["Mara"], "ner_tags": [1]}\n'),
    "hub POS": ("pos", '{"id": "1", "tokens": ["Mara"], "upos": ["PROPN"]}\n'),
    "tags of entities": ("ner", '{"tokens": ["Mara"], "tags": ["B-PER"]}\n'),
    "tags of words": ("pos", '{"tokens": ["Mara"], "tags": ["PROPN"]}\n'),
    "XNLI": ("nli", "premise\thypothesis\tlabel\nMara sings.\tShe sings.\tentailment\n"),
    "XNLI without a header": ("nli", "Mara sings.\tShe sings.\tneutral\n"),
    "hub XNLI": ("nli", '{"premise": "a", "hypothesis": "b", "label": 0}\n'),
    "PAWS-X": ("paraphrase", "id\tsentence1\tsentence2\tlabel\n1\ta b\tb a\t1\n"),
    "PAWS-X without a header": ("paraphrase", "a b\tb a\t0\n"),
    "SIB-200": ("topic", SIB),
    "sentiment": ("sentiment", "text,sentiment\nnice,positive\n"),
    "SQuAD": ("qa", '{"version": "1.1", "data": [{"paragraphs": []}]}'),
    "QA rows": ("qa", '{"id": "1", "question": "Who?", "context": "Mara", "answers": {"text": ["Mara"]}}\n'),
    "QA table": ("qa", "id,question,context,answers\n1,Who?,Mara,Mara\n"),
    "no table": ("qa", "Mara sings in Brenna.\n"),
    "nothing": ("qa", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_shows_its_task(name: str, tmp_path: Path) -> None:
    task, text = FILES[name]
    (tmp_path / "file.dat").write_text(text, encoding="utf-8")
    assert find_task(str(tmp_path / "file.dat")) == task
    (tmp_path / "file.gz").write_bytes(gzip.compress(text.encode()))
    assert find_task(str(tmp_path / "file.gz")) == task


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("text,label\nnice,1\n", "--task topic or --task sentiment"),
        ('{"tokens": ["a"], "tags": [0]}\n', "--task ner or --task pos"),
        ("sentence1\tsentence2\tlabel\na\tb\tsame\n", "--task nli or --task paraphrase"),
    ],
)
def test_a_file_that_fits_several_tasks_is_refused(text: str, options: str, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text(text)
    with pytest.raises(XlqaError, match=f"does not show its task: add {options}"):
        find_task(str(tmp_path / "file.txt"))


def test_the_sample_and_its_files_agree() -> None:
    for name, path in sample_files().items():
        assert find_task(name) == find_task(f"en={name}") == find_task(str(path)), name


@pytest.mark.parametrize(
    ("rows", "task"),
    [
        ([{"tokens": ["Mara"], "ner_tags": [1]}], "ner"),
        ([{"premise": "a", "hypothesis": "b", "label": 0}], "nli"),
        ([{"id": "1", "question": "a", "context": "b"}], "qa"),
        ([], "qa"),
    ],
)
def test_parquet_shows_its_task(rows: list[dict[str, Any]], task: str, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(
        pyarrow.Table.from_pylist(rows, schema=None if rows else pyarrow.schema([])), tmp_path / "x.parquet"
    )
    assert find_task(str(tmp_path / "x.parquet")) == task


def test_damaged_files_are_left_to_the_reader(tmp_path: Path) -> None:
    for name, content in {"a": b"PAR1 and no more", "b": b"\x1f\x8b\x08\x00cut", "c": json.dumps([1]).encode()}.items():
        (tmp_path / name).write_bytes(content)
        assert find_task(str(tmp_path / name)) == "qa"


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("Mara B-PER\nsings O\n\n", "it looks like named entities: add --task ner."),
        ('{"tokens": ["Mara"], "upos": ["PROPN"]}\n', "it looks like parts of speech: add --task pos."),
        ("text\tlabel\nnice\t1\n", "it looks like topics or sentiment: add --task topic or --task sentiment."),
    ],
)
def test_question_answering_names_the_task_that_a_file_looks_like(tmp_path: Path, text: str, suggestion: str) -> None:
    path = tmp_path / "train.txt"
    path.write_text(text)
    with pytest.raises(XlqaError, match="not question answering data: ") as caught:
        get_task("qa").load(path)
    assert str(caught.value).endswith(suggestion)
    assert "MRQA" not in str(caught.value)
