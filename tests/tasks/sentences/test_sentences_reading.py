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


@pytest.mark.parametrize("language", ["ru", "rus", "ru-RU"])
def test_rows_of_other_languages_are_counted(tmp_path: Path, language: str) -> None:
    names = ("russian", "rus_Cyrl", "RU", "en", "German")
    text = "text\tlabel\tlanguage\n" + "".join(f"{name}\ta\t{name}\n" for name in names)
    found = read(tmp_path, text, "topic", language=language)
    assert [e.first for e in found.examples] == ["russian", "rus_Cyrl", "RU"]
    assert (found.other_languages, found.repairs) == (2, {})
    with pytest.raises(XlqaError, match=r'has no example in "fi", but in German, RU, en, rus_Cyrl, russian\.$'):
        read(tmp_path, text, "topic", language="fi")


def test_the_words_of_machine_translated_xnli_and_snli(tmp_path: Path) -> None:
    found = read(tmp_path, "premise\thypo\tlabel\na\tb\tcontradictory\na\tc\tneutral\n", "nli")
    assert [e.label for e in found.examples] == ["contradiction", "neutral"]
    rows = "".join(f'{{"premise": "a", "hypothesis": "b", "label": {label}}}\n' for label in ("-1", "0", "1.0", "-1.0"))
    found = read(tmp_path, rows, "nli")
    assert [e.label for e in found.examples] == ["entailment", "neutral"]
    assert found.repairs == {"pair without a consensus label (left out)": 2}


def test_rows_without_a_text_or_label_are_refused_one_by_one(tmp_path: Path) -> None:
    text = '{"text":"a","label":1.0}\n{"text":"b","label":null}\n{"text":null,"label":"x"}\n{"text":"c"}\n{"text":"d","label":0}\n'
    found = read(tmp_path, text, "sentiment", skip_bad=True)
    assert [(e.first, e.label) for e in found.examples] == [("a", "1"), ("d", "0")]
    assert found.refusals == ("line 2: no label.", "line 3: an empty sentence.", "line 4: no label.")


def test_a_key_that_is_filled_comes_before_one_that_is_not(tmp_path: Path) -> None:
    row = '{"premise": null, "text": "a", "label": 0.75, "category": "x", "id": 3.0}\n'
    (found,) = read(tmp_path, row, "topic").examples
    assert (found.id, found.first, found.label) == ("1", "a", "x")


def test_quotes_around_every_cell_are_no_text(tmp_path: Path) -> None:
    found = read(tmp_path, '"id"\t"text"\t"label"\n1\t"go ""on"""\t"pos"\n2\t"no"\t"neg"\n', "sentiment")
    assert [(e.first, e.label) for e in found.examples] == [('go "on"', "pos"), ("no", "neg")]
    found = read(tmp_path, 'text\tlabel\n"a"\tpos\n', "sentiment")
    assert [(e.first, e.label) for e in found.examples] == [('"a"', "pos")]


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_only_line_ends_end_a_line_of_csv(tmp_path: Path, mark: str) -> None:
    found = read(tmp_path, f"text,label\nfoo{mark}bar,pos\nbaz,neg\n", "sentiment")
    assert [e.first for e in found.examples] == [f"foo{mark}bar", "baz"]


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
        (
            "premise\thypothesis\tlabel\na\tb\tx\n",
            "topic",
            "line 1: pairs of sentences .premise, hypothesis.: use --task nli, or name",
        ),
        ("text\tlabel\na\tx\n", "nli", "needs the columns premise, hypothesis .*; the file has text, label: name them"),
        ("id\tlabel\n1\tx\n", "topic", "line 1: no text among id, label: name it text"),
        ('{"text": "a"}\n', "topic", "line 1: no label among text: were the labels"),
        ('{"text": \n', "topic", "line 1: is not JSON"),
        ("\n", "topic", "holds no labelled sentence"),
        ("text\tpolarity\nGood\tpositive\n", "sentiment", "line 1: no label among text, polarity: .* name it label"),
        ("review_text,rating\nGood,positive\n", "sentiment", "line 1: no text among review_text, rating: name it text"),
        ("premise\thypothesis\tgold\na\tb\tneutral\n", "nli", "line 1: no label among premise, hypothesis, gold"),
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
