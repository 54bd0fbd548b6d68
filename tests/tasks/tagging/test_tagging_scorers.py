"""Entity F1 in both modes against worked values and, where it is installed, against seqeval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlqa.tasks.base import Scores
from xlqa.tasks.tagging.reading import Sentence
from xlqa.tasks.tagging.scorers import conll_entities, strict_entities
from xlqa.tasks.tagging.task import NamedEntities, PartsOfSpeech

NER, POS = NamedEntities("ner"), PartsOfSpeech("pos")


def score(task: NamedEntities | PartsOfSpeech, golds: list[str], predictions: list[str]) -> Scores:
    sentences = [Sentence(str(i), tuple(g.split()), tuple(g.split()), str(i)) for i, g in enumerate(golds)]
    return task.score(sentences, [p.split() for p in predictions], task.name)


GOLDEN = [
    # gold, predicted, (right, predicted, gold) under conlleval, the same under strict IOB2; worked by hand
    ("B-PER I-PER O B-LOC", "B-PER I-PER O B-LOC", (2, 2, 2), (2, 2, 2)),
    ("B-PER I-PER O B-LOC", "B-PER O O B-LOC", (1, 2, 2), (1, 2, 2)),
    ("B-PER I-PER O", "I-PER I-PER O", (1, 1, 1), (0, 0, 1)),  # begins with I-: an entity to conlleval alone
    ("B-PER I-PER O", "B-PER I-LOC O", (0, 2, 1), (0, 1, 1)),  # the type changes within
    ("B-PER B-PER", "B-PER I-PER", (0, 1, 2), (0, 1, 2)),
    ("O O", "B-LOC I-LOC", (0, 1, 0), (0, 1, 0)),
    ("O O", "O O", (0, 0, 0), (0, 0, 0)),
    ("B-ORG I-ORG I-ORG", "I-ORG B-ORG I-ORG", (0, 2, 1), (0, 1, 1)),
]


@pytest.mark.parametrize(("gold", "predicted", "conll", "strict"), GOLDEN)
def test_worked_examples(gold: str, predicted: str, conll: tuple[int, ...], strict: tuple[int, ...]) -> None:
    found = score(NER, [gold], [predicted])
    right, said, there = conll
    assert found.numerators[:, :4].tolist() == [[2 * right, right, right, 2 * strict[0]]]
    assert found.denominators[:, :4].tolist() == [[said + there, said, there, strict[1] + strict[2]]]


def test_scores_are_ratios_of_sums_over_sentences() -> None:
    found = score(NER, [row[0] for row in GOLDEN], [row[1] for row in GOLDEN])
    right, said, there = np.array([row[2] for row in GOLDEN]).sum(axis=0)
    assert found.percent("f1") == pytest.approx(100 * 2 * right / (said + there))
    assert found.percent("entity_precision") == pytest.approx(100 * right / said)
    assert found.percent("entity_recall") == pytest.approx(100 * right / there)


def test_a_metric_without_any_entity_is_undefined_not_zero() -> None:
    assert score(NER, ["O O"], ["O O"]).percents(NER.metrics) == dict.fromkeys(NER.metrics)


def test_parts_of_speech_count_words() -> None:
    found = score(POS, ["DET NOUN VERB", "PRON VERB"], ["DET NOUN NOUN", "PRON VERB"])
    assert found.percent("accuracy") == 80.0
    assert found.denominators[:, 0].tolist() == [3, 2]
    assert found.metrics[2:6] == ("f1:DET", "f1:NOUN", "f1:PRON", "f1:VERB")
    assert found.percent("precision:NOUN") == 50.0
    assert found.percent("f1:NOUN") == pytest.approx(200 / 3)
    assert found.percent("f1:VERB") == pytest.approx(200 / 3)


def test_xtreme_merges_equal_neighbours_and_conjunctions() -> None:
    """ "NOUN NOUN" is one entity, and CCONJ and SCONJ are one type: one error costs what two words would."""
    assert len(conll_entities([["NOUN", "NOUN", "VERB"]])[0]) == 2
    assert score(POS, ["NOUN CCONJ NOUN"], ["NOUN SCONJ NOUN"]).percent("xtreme_f1") == 100.0


FUNCTIONS = {"f1": "f1_score", "entity_precision": "precision_score", "entity_recall": "recall_score"}
TAGS = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-X-Y", "I-X-Y"])
UPOS = st.sampled_from(
    ["NOUN", "VERB", "X", "SYM", "CCONJ", "SCONJ", "INTJ", "ADJ", "ADV", "ADP", "AUX", "PUNCT", "PROPN"]
)


def pairs(tags: st.SearchStrategy[str]) -> st.SearchStrategy[list[tuple[list[str], list[str]]]]:
    """Sentences, each of a gold and a predicted tag a word."""
    words = st.lists(st.tuples(tags, tags), min_size=1, max_size=8)
    return st.lists(words.map(lambda ws: ([a for a, _ in ws], [b for _, b in ws])), min_size=1, max_size=6)


@given(pairs(TAGS))
@settings(max_examples=300, deadline=None)
def test_both_modes_equal_seqeval(sentences: list[tuple[list[str], list[str]]]) -> None:
    seqeval = pytest.importorskip("seqeval.metrics")
    from seqeval.scheme import IOB2

    golds, predictions = [g for g, _ in sentences], [p for _, p in sentences]
    found = score(NER, [" ".join(g) for g in golds], [" ".join(p) for p in predictions])
    for metric, function in FUNCTIONS.items():
        theirs = getattr(seqeval, function)(golds, predictions, zero_division=0)
        assert (found.percent(metric) or 0.0) == pytest.approx(100 * theirs, abs=1e-9)
    strict = seqeval.f1_score(golds, predictions, mode="strict", scheme=IOB2, zero_division=0)
    assert (found.percent("strict_f1") or 0.0) == pytest.approx(100 * strict, abs=1e-9)
    types = [metric for metric in found.metrics if metric.startswith("f1:")]
    each = seqeval.f1_score(golds, predictions, average=None, zero_division=0)
    assert [found.percent(metric) for metric in types] == pytest.approx([100 * value for value in each], abs=1e-9)


@given(pairs(UPOS))
@settings(max_examples=300, deadline=None)
def test_xtreme_f1_equals_seqeval_on_bare_tags(sentences: list[tuple[list[str], list[str]]]) -> None:
    seqeval = pytest.importorskip("seqeval.metrics")
    golds, predictions = [g for g, _ in sentences], [p for _, p in sentences]
    found = score(POS, [" ".join(g) for g in golds], [" ".join(p) for p in predictions])
    theirs = seqeval.f1_score(golds, predictions, zero_division=0)
    assert (found.percent("xtreme_f1") or 0.0) == pytest.approx(100 * theirs, abs=1e-9)


@given(st.lists(st.lists(TAGS, min_size=1, max_size=8), max_size=5))
def test_strict_entities_are_never_more_than_lenient_ones(sentences: list[list[str]]) -> None:
    lenient, strict = conll_entities(sentences), strict_entities(sentences)
    assert all(len(s) <= len(c) for s, c in zip(strict, lenient, strict=True))
