"""Files of labelled texts: XNLI, PAWS-X, SIB-200 and their kin; what cannot be used is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlqa.errors import XlqaError
from xlqa.tasks.base import Dataset, get_task
from xlqa.tasks.sentences.reading import LabelledText, read_texts


def read(tmp_path: Path, text: str, task: str, **options: object) -> Dataset[LabelledText]:
    path = tmp_path / "file.tsv"
    path.write_text(text, encoding="utf-8")
    return read_texts(path, task, **options)  # type: ignore[arg-type]  # a test's shorthand


def test_xnli_without_a_header(tmp_path: Path) -> None:
    found = read(tmp_path, "Он здесь.\tОн дома.\tneutral\nОн здесь.\tЕго нет.\tcontradiction\n", "nli")
    assert [(e.id, e.first, e.second, e.label) for e in found.examples] == [
        ("1", "Он здесь.", "Он дома.", "neutral"), ("2", "Он здесь.", "Его нет.", "contradiction"),
    ]  # fmt: skip
    assert found.examples[0].group == found.examples[1].group, "pairs with one premise are one group"


XNLI = """\
language\tgold_label\tsentence1_parse\tsentence1\tsentence2\tpromptID\tpairID
ru\tentailment\t( a )\tПервое\tВторое\t1\t7
en\tneutral\t( a )\tFirst\tSecond\t1\t8
en\t-\t( a )\tFirst\tThird\t1\t9
"""


def test_xnli_as_published_keeps_the_language_asked_for(tmp_path: Path) -> None:
    found = read(tmp_path, XNLI, "nli", language="en")
    assert [(e.id, e.first, e.label) for e in found.examples] == [("8", "First", "neutral")]
    assert found.repairs == {"pair without a consensus label (left out)": 1}


def test_pawsx_with_untranslated_sentences(tmp_path: Path) -> None:
    found = read(tmp_path, "id\tsentence1\tsentence2\tlabel\n10\tEins\tZwei\t1\n12\tNS\tDrei\t0\n", "paraphrase")
    assert [(e.id, e.label) for e in found.examples] == [("10", "1"), ("12", "0")]
    assert found.repairs == {"pair with an untranslated sentence (kept)": 1}


def test_sib200_and_its_quotes(tmp_path: Path) -> None:
    text = 'index_id\tcategory\ttext\n1\tsports\t"Они ""Олл Блэкс"" сыграли."\n2\ttravel\t"Да" и "нет"\n'
    found = read(tmp_path, text, "topic")
    assert [e.first for e in found.examples] == ['Они "Олл Блэкс" сыграли.', '"Да" и "нет"']
    assert get_task("topic").label_set(found.examples) == ("sports", "travel")


def test_csv_with_its_own_line_breaks(tmp_path: Path) -> None:
    found = read(tmp_path, 'text,label\n"Good, isn\'t it?\nYes.",positive\n', "sentiment")
    assert found.examples[0].first == "Good, isn't it?\nYes."


def test_a_repeated_id_never_takes_the_id_of_another_example(tmp_path: Path) -> None:
    found = read(tmp_path, "text\tlabel\tid\n1\tx\ta\n2\tx\ta\n3\ty\ta~2\n", "topic")
    assert [e.id for e in found.examples] == ["a", "a~3", "a~2"]
    assert found.repairs == {"id used twice": 1}


def test_json_lines_with_numbers_for_labels(tmp_path: Path) -> None:
    found = read(tmp_path, '{"premise": "a", "hypothesis": "b", "label": 2}\n', "nli")
    assert found.examples[0].label == "contradiction"


def test_windows_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("\ufefftext\tlabel\r\nx\tpos\r\n".encode())
    assert read_texts(tmp_path / "a", "sentiment").examples[0].label == "pos"


@pytest.mark.parametrize(
    ("text", "task", "message"),
    [
        ("a\tb\n", "nli", "line 1: 2 columns, expected 3: were the labels of this file stripped"),
        ("a\tb\tmaybe\n", "nli", "line 1: the label 'maybe' is none of contradiction, entailment, neutral"),
        ("a\t\tneutral\n", "nli", "line 1: an empty sentence"),
        ("a\tb\t2\n", "paraphrase", "line 1: the label '2' is none of 0, 1"),
        ("id\tlabel\n1\tx\n", "topic", "line 1: no text among id, label: name it premise"),
        ('{"text": "a"}\n', "topic", "line 1: no label among text: were the labels"),
        ('{"text": \n', "topic", "line 1: is not JSON"),
        ("\n", "topic", "holds no labelled sentence"),
        ("text\tlabel\na\tx\textra\n", "topic", "line 2: 3 columns, expected 2"),
    ],
)
def test_unusable_files_are_refused_with_their_line(tmp_path: Path, text: str, task: str, message: str) -> None:
    with pytest.raises(XlqaError, match=message):
        read(tmp_path, text, task)


def test_bad_examples_are_left_out_on_request(tmp_path: Path) -> None:
    found = read(tmp_path, "a\tb\tneutral\na\t\tneutral\n", "nli", skip_bad=True)
    assert (len(found.examples), found.refused) == (1, 1)


def test_where_nothing_is_left_the_first_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("premise\thypothesis\tlabel\na\tb\t\n", encoding="utf-8")
    with pytest.raises(XlqaError, match=r"a\.tsv, line 2: no label\. Nothing else in the file can be used"):
        read_texts(path, "nli", skip_bad=True)


def test_semicolons_between_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text;category\na;science\n", encoding="utf-8")
    with pytest.raises(
        XlqaError, match=r"a\.csv, line 1: semicolons between the columns: save the table with tabs or commas"
    ):
        read_texts(path, "topic")
