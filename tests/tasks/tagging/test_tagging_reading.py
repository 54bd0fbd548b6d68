"""Files of tagged sentences: formats told apart, schemes converted, broken files refused with their line."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlqa.errors import XlqaError
from xlqa.records import hash_context
from xlqa.tasks.base import Dataset
from xlqa.tasks.tagging.columns import Kind
from xlqa.tasks.tagging.reading import Sentence, read_sentences
from xlqa.tasks.tagging.schemes import find_scheme, to_iob2
from xlqa.tasks.tagging.scorers import conll_entities, strict_entities


def read(tmp_path: Path, text: str, kind: Kind = "ner", *, skip_bad: bool = False) -> Dataset[Sentence]:
    path = tmp_path / "file.txt"
    path.write_text(text, encoding="utf-8", newline="")
    return read_sentences(path, kind, skip_bad=skip_bad)


def rows(found: Dataset[Sentence]) -> list[tuple[str, str]]:
    return [(" ".join(s.words), " ".join(s.tags)) for s in found.examples]


def test_panx_columns(tmp_path: Path) -> None:
    found = read(tmp_path, "Мара\tB-PER\nживёт\tO\nв\tO\nБренне\tB-LOC\n\nДа\tO\n")
    assert rows(found) == [("Мара живёт в Бренне", "B-PER O O B-LOC"), ("Да", "O")]
    assert [s.id for s in found.examples] == ["1", "2"]
    assert found.repairs == {}


def test_wikiann_prefix_goes(tmp_path: Path) -> None:
    found = read(tmp_path, "ru:Мара\tB-PER\nru::\tO\n\nru:Бренна\tB-LOC\n")
    assert rows(found) == [("Мара :", "B-PER O"), ("Бренна", "B-LOC")]
    assert found.repairs == {"prefix ru: before every word": 2}


def test_a_word_with_a_colon_is_no_prefix(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "http://a\tO\nMara\tB-PER\n"))[0][0] == "http://a Mara"


def test_a_blank_character_is_a_word(tmp_path: Path) -> None:
    """PAN-X has empty words and ideographic blanks in Chinese; they count, as in the makers' own scores."""
    found = read(tmp_path, "李\tB-PER\n\tO\n\u3000\tO\n")
    assert found.examples[0].words == ("李", "", "\u3000")


def test_conll_2003_is_converted_from_iob1(tmp_path: Path) -> None:
    text = "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\nBonn NNP I-NP I-LOC\nKiel NNP I-NP B-LOC\n"
    found = read(tmp_path, text)
    assert rows(found) == [("EU rejects Bonn Kiel", "B-ORG O B-LOC B-LOC")]
    assert found.examples[0].group == "document document at line 1"


def test_bioes_is_converted(tmp_path: Path) -> None:
    found = read(tmp_path, "a B-PER\nb E-PER\nc S-LOC\nd O\ne S-LOC\n")
    assert rows(found)[0][1] == "B-PER I-PER B-LOC O B-LOC"


def test_broken_sequences_are_repaired_and_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "a O\nb I-PER\nc B-LOC\nd I-PER\n\ne B-LOC\n")
    assert rows(found)[0][1] == "O B-PER B-LOC B-PER"
    assert found.repairs == {"continued entity without a beginning": 2}


CONLLU = """\
# newdoc id = n1
# sent_id = n1-1
# text = Vámonos al mar
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\t_\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
2.1\tnada\tnada\tX\t_\t_\t_\t_\t_\t_
3\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\t_
"""


def test_conllu_skips_ranges_and_empty_nodes(tmp_path: Path) -> None:
    found = read(tmp_path, CONLLU, "pos")
    assert rows(found) == [("Vamos nos mar", "VERB PRON NOUN")]
    assert (found.examples[0].id, found.examples[0].group) == ("n1-1", "document n1")
    with pytest.raises(XlqaError, match=r"line 5: CoNLL-U has no entity tags: use --task pos"):
        read(tmp_path, CONLLU, "ner")


def test_universal_ner_columns(tmp_path: Path) -> None:
    found = read(tmp_path, "# sent_id = a\n# text = x\n1\t同樣\tO\t-\t-\n2\t李\tB-PER\t-\t-\n")
    assert rows(found) == [("同樣 李", "O B-PER")]
    assert found.examples[0].id == "a"


def test_columns_apart_by_blanks_may_hold_a_number_sign(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "# SYM\n1 NUM\n\nPia SCONJ\n", "pos")) == [("# 1", "SYM NUM"), ("Pia", "SCONJ")]


def test_json_lines(tmp_path: Path) -> None:
    text = '{"id": "x", "tokens": ["Mara", "lives"], "ner_tags": ["B-PER", "O"]}\n{"tokens": ["a"], "ner_tags": [5]}\n'
    found = read(tmp_path, text)
    assert rows(found) == [("Mara lives", "B-PER O"), ("a", "B-LOC")]
    assert [s.id for s in found.examples] == ["x", "2"]


def test_compressed_and_repeated_ids(tmp_path: Path) -> None:
    path = tmp_path / "file.xz"
    path.write_bytes(lzma.compress(b"# sent_id = a\nx\tB-PER\n\n# sent_id = a\ny\tO\n"))
    found = read_sentences(path, "ner")
    assert [s.id for s in found.examples] == ["a", "a~2"]
    assert found.repairs == {"id used twice": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1\tAnna\tB-PER\n2\tlebt\tO\n\n1\tBonn\tB-LOC\n", [("Anna lebt", "B-PER O"), ("Bonn", "B-LOC")]),
        ("0 Anna B-PER\n1 lebt O\n\n0 Bonn B-LOC\n", [("Anna lebt", "B-PER O"), ("Bonn", "B-LOC")]),
        ("1\tAnna\tB-PER\n2\tlebt\tO\n\n3\tBonn\tB-LOC\n", [("Anna lebt", "B-PER O"), ("Bonn", "B-LOC")]),
        # GermEval 2014: index, word, outer and inner tag, after a line with the source.
        ("#\thttp://a\t[2009]\n1\tBonner\tB-LOCderiv\tO\n2\tUni\tO\tB-ORG\n", [("Bonner Uni", "B-LOCderiv O")]),
        ("# http://a [2009]\n1\tBonner\tB-ORG\tB-LOC\n2\tUni\tI-ORG\tO\n", [("Bonner Uni", "B-ORG I-ORG")]),
        ("1 Anna NNP B-PER\n2 lives VBZ O\n", [("Anna lives", "B-PER O")]),
        # CoNLL-2003 German: word, lemma, part of speech, chunk, entity.
        ("Die die ART I-NC O\n3.5 3.5 CARD I-NC O\n1990-91 1990-91 CARD I-NC O\nBonn Bonn NE I-NC I-LOC\n",
         [("Die 3.5 1990-91 Bonn", "O O O B-LOC")]),
        ("2 2 CARD I-NC O\nMai Mai NN I-NC O\n\n1 1 CARD I-NC O\nBonn Bonn NE I-NC I-LOC\n",
         [("2 Mai", "O O"), ("1 Bonn", "O B-LOC")]),
        ("Anna   B-PER\n1      O\n", [("Anna 1", "B-PER O")]),
        ("Anna B-PER\rlebt O\r\rBonn B-LOC\r", [("Anna lebt", "B-PER O"), ("Bonn", "B-LOC")]),
    ],
)  # fmt: skip
def test_the_layout_is_that_of_the_whole_file(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    assert rows(read(tmp_path, text)) == expected


def test_an_index_before_parts_of_speech(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "1\tAnna\tNNP\tPROPN\n2\tlebt\tVBZ\tVERB\n", "pos")) == [("Anna lebt", "PROPN VERB")]


def test_comments_of_columns_apart_by_blanks(tmp_path: Path) -> None:
    text = "# newdoc id = 7\n# text = Anna lebt\nAnna PROPN\nlebt VERB\n\n# newpar\n# sent_id = b\n# SYM\n"
    found = read(tmp_path, text, "pos")
    assert rows(found) == [("Anna lebt", "PROPN VERB"), ("#", "SYM")]
    assert [(s.id, s.group) for s in found.examples] == [("1", "document 7"), ("b", "document 7")]


def test_marks_of_documents_end_a_sentence_and_a_document(tmp_path: Path) -> None:
    text = "# newdoc id = a\nA\tB-X\n# newdoc\nB\tO\n-DOCSTART- -X- O\nC\tO\n\nD\tO\n# sent_id = e\nE\tO\n"
    found = read(tmp_path, text).examples
    alone = hash_context("B")  # of a document without a name
    assert [(s.id, s.words[0], s.group) for s in found] == [
        ("1", "A", "document a"), ("2", "B", alone), ("3", "C", "document document at line 5"),
        ("4", "D", "document document at line 5"), ("e", "E", "document document at line 5"),
    ]  # fmt: skip


def test_a_repeated_id_never_takes_the_id_of_another_sentence(tmp_path: Path) -> None:
    text = "".join(f"# sent_id = {name}\nx\tB-X\n\n" for name in ("a", "a", "a~2", "a", "a~2"))
    assert [s.id for s in read(tmp_path, text).examples] == ["a", "a~3", "a~2", "a~4", "a~2~2"]


def test_null_is_no_id_and_no_document(tmp_path: Path) -> None:
    row = '{"id": null, "document": null, "tokens": ["%s"], "ner_tags": ["B-X"]}\n'
    found = read(tmp_path, row % "a" + row % "b")
    assert [s.id for s in found.examples] == ["1", "2"]
    assert len({s.group for s in found.examples}) == 2
    assert found.repairs == {}


def test_numbers_of_another_set_of_tags_are_not_named(tmp_path: Path) -> None:
    text = '{"tokens": ["Acme"], "ner_tags": [1]}\n{"tokens": ["y"], "ner_tags": [9]}\n'
    with pytest.raises(XlqaError, match=r"line 1: tags are numbers whose names this file does not hold"):
        read(tmp_path, text)
    with pytest.raises(XlqaError, match=r"sentences refused: 2"):
        read(tmp_path, text, skip_bad=True)


def test_equal_sentences_are_one_group(tmp_path: Path) -> None:
    groups = [s.group for s in read(tmp_path, "a B-PER\n\na O\n\nb O\n").examples]
    assert groups[0] == groups[1] != groups[2]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("Mara\nlives\n", "ner", "line 1: one column, 'Mara'.*labels of this file stripped"),
        ("Mara B-PER\nlives\n", "ner", "line 2: one column, 'lives', .*belong: add the tag or remove the line.$"),
        ("Mara\tO\nlives\tO\n", "ner", "no word is part of an entity"),
        ("Mara\tPER\n", "ner", "line 1: the tag 'PER' is neither O nor a prefix and a type"),
        ("a\tB-PER\n\nb\t_\n", "ner", "line 3: 'b' has no tag"),
        ("1\tVamos\tir\t_\t_\t_\t0\troot\t_\t_\n", "pos", "line 1: 'Vamos' has no tag"),
        ('{"tokens": ["a"], "ner_tags": []}', "ner", "line 1: 1 tokens and 0 tags"),
        ('{"tokens": ["a"], "ner_tags": [7]}', "ner", "line 1: tags are numbers whose names this file does not hold"),
        ('{"tokens": ["a"], "upos": [1]}', "pos", "line 1: tags are numbers"),
        ('{"text": "a"}', "ner", "line 1: has no list under tokens"),
        ('{"tokens": ["a"', "ner", "line 1: is not JSON or cut short"),
        ("\n\n", "ner", "holds no tagged sentence"),
        ("This is plain text.\nIt has lines.\n", "pos", "line 2: 3 columns, 'It has lines.', where other lines have 4"),
        ("1\tAnna\n2\tlebt\n", "pos", "line 1: an index and a word, but no tag"),
        (
            "1 EU NNP B-NP B-ORG\n2 x VBZ O O\n",
            "ner",
            "line 1: an index, a word, and several columns that can be the tags",
        ),
        ("1 Anna anna NNP\n2 lebt leben VBZ\n", "pos", "line 1: an index, a word, and no column that can be the tags"),
    ],
)
def test_unusable_files_are_refused_with_their_line(tmp_path: Path, text: str, kind: Kind, message: str) -> None:
    with pytest.raises(XlqaError, match=message):
        read(tmp_path, text, kind)


def test_bad_sentences_are_left_out_on_request(tmp_path: Path) -> None:
    found = read(tmp_path, "a\tB-PER\n\nb\tPER\n\nc\tO\n", skip_bad=True)
    assert ([s.words[0] for s in found.examples], found.refused) == (["a", "c"], 1)


def test_a_line_of_other_columns_refuses_its_sentence(tmp_path: Path) -> None:
    found = read(tmp_path, "a B-PER\n" * 9 + "\n1 000 O\n\nb O\n", skip_bad=True)
    assert found.refusals == ("line 11: 3 columns where other lines have 2.",)
    assert len(found.examples) == 2


def test_a_binary_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(XlqaError, match="is not UTF-8 text"):
        read_sentences(tmp_path / "a", "ner")
    with pytest.raises(XlqaError, match="cannot be read"):
        read_sentences(tmp_path / "missing", "ner")


IOB2_TAGS = st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"]), min_size=1, max_size=9)


@given(IOB2_TAGS)
def test_repairing_leaves_what_conlleval_sees(tags: list[str]) -> None:
    repaired, _ = to_iob2(tags, "IOB2")
    assert conll_entities([repaired]) == conll_entities([tags])
    assert strict_entities([repaired]) == [{(kind, a, b) for kind, a, b in conll_entities([tags])[0]}]


@given(st.lists(IOB2_TAGS, min_size=1, max_size=4))
def test_schemes_are_converted_back_without_loss(sentences: list[list[str]]) -> None:
    wanted = [to_iob2(tags, "IOB2")[0] for tags in sentences]
    for scheme, convert in (("IOB1", in_iob1), ("BIOES", in_bioes)):
        there = [convert(tags) for tags in wanted]
        found = find_scheme(there)
        # A file in which nothing tells the schemes apart reads the same in both.
        assert [to_iob2(tags, found)[0] for tags in there] == wanted, scheme


def in_iob1(tags: tuple[str, ...]) -> list[str]:
    before = ["O", *tags[:-1]]
    return ["I" + t[1:] if t[0] == "B" and b[1:] != t[1:] else t for b, t in zip(before, tags, strict=True)]


def in_bioes(tags: tuple[str, ...]) -> list[str]:
    found = []
    for tag, after in zip(tags, [*tags[1:], "O"], strict=True):
        last = after != f"I{tag[1:]}"
        found.append(tag if not last or tag == "O" else ("S" if tag[0] == "B" else "E") + tag[1:])
    return found


@pytest.mark.parametrize("content", ["Mara\tQ-PER\nlives\tO\n", "Mara\tB-\n\nlives\tO\n"])
def test_where_nothing_is_left_the_first_wrong_line_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(XlqaError, match=r"a\.conll, line 1: .* Nothing else in the file can be used"):
        read_sentences(path, "ner", skip_bad=True)
