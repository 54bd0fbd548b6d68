"""The sample's entities and sentence pairs: well-formed, held out, and without a shortcut to the labels."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import xlqa.data.sample
from xlqa.data.sample.english import ENGLISH
from xlqa.data.sample.entities import tagged
from xlqa.data.sample.pairs import LABELS, SINGLE, hypotheses
from xlqa.data.sample.russian import RUSSIAN
from xlqa.data.sample.spanish import SPANISH
from xlqa.data.sample.templates import Language, Sentence, Value

FOLDER = Path(xlqa.data.sample.__file__).parent
CODES = ("en", "es", "ru")
PARTS = [f"{code}.{part}" for code in CODES for part in ("train", "test")]

Tagged = list[tuple[str, str]]


def read_conll(name: str) -> list[Tagged]:
    text = (FOLDER / f"ner.{name}.conll").read_text(encoding="utf-8")
    assert text.endswith("\n\n")
    return [[tuple(line.split("\t")) for line in block.split("\n")] for block in text[:-2].split("\n\n")]  # type: ignore[misc]


def read_pairs(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (FOLDER / f"nli.{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def entities(sentence: Tagged) -> list[tuple[str, str]]:
    """Type and text of each entity."""
    found: list[tuple[str, str]] = []
    for word, tag in sentence:
        if tag.startswith("B-"):
            found.append((tag[2:], word))
        elif tag.startswith("I-"):
            found[-1] = (found[-1][0], f"{found[-1][1]} {word}")
    return found


@pytest.mark.parametrize("name", PARTS)
def test_the_tags_are_valid_iob2(name: str) -> None:
    sentences = read_conll(name)
    assert len(sentences) == {"en.train": 630, "es.train": 360, "ru.train": 360}.get(name, 198)
    for sentence in sentences:
        previous = "O"
        for word, tag in sentence:
            assert re.fullmatch(r"\S+", word)
            assert re.fullmatch(r"O|[BI]-(PER|LOC|ORG)", tag)
            assert tag[0] != "I" or previous[2:] == tag[2:], sentence
            previous = tag
    counts = Counter(kind for sentence in sentences for kind, _ in entities(sentence))
    assert all(counts[kind] >= 30 for kind in ("PER", "LOC", "ORG")), counts
    assert any(not entities(sentence) for sentence in sentences)


@pytest.mark.parametrize("name", PARTS)
def test_every_entity_starts_with_a_capital_and_some_capitals_are_none(name: str) -> None:
    outside = 0
    for sentence in read_conll(name):
        assert all(text[0].isupper() for _, text in entities(sentence)), sentence
        outside += sum(word[0].isupper() and tag == "O" for word, tag in sentence[1:])
    assert outside > 20


@pytest.mark.parametrize("code", CODES)
def test_no_entity_and_no_sentence_is_in_both_parts(code: str) -> None:
    train, test = ([*read_conll(f"{code}.{part}")] for part in ("train", "test"))
    for part in (train, test):
        texts = [" ".join(word for word, _ in sentence) for sentence in part]
        assert len(set(texts)) == len(texts)
    assert not {str(sentence) for sentence in train} & {str(sentence) for sentence in test}
    first, second = ({text for sentence in part for _, text in entities(sentence)} for part in (train, test))
    assert not first & second


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("en.train", "a native of", "PER LOC"),
        ("es.train", "primer concierto", "PER LOC"),
        ("ru.train", "основан", "ORG PER"),
    ],
)
def test_a_kind_of_sentence_has_the_entities_it_should(name: str, text: str, found: str) -> None:
    sentences = [s for s in read_conll(name) if text in " ".join(word for word, _ in s)]
    assert len(sentences) > 3
    for sentence in sentences:
        assert {kind for kind, _ in entities(sentence)} == set(found.split()), sentence


def test_an_entity_starts_at_its_first_capital() -> None:
    sentence = Sentence(
        "En 1876, Ana Soto navegó el río Tarvira.", {"explorer": (9, "Ana Soto"), "s": (28, "río Tarvira")}
    )
    found = tagged(
        sentence, {"explorer": "PER", "s": "LOC"}, {"explorer": Value("Ana Soto"), "s": Value("río Tarvira")}
    )
    assert found == [
        *[("En", "O"), ("1876", "O"), (",", "O"), ("Ana", "B-PER"), ("Soto", "I-PER"), ("navegó", "O")],
        *[("el", "O"), ("río", "O"), ("Tarvira", "B-LOC"), (".", "O")],
    ]


def test_an_entity_that_ends_within_a_word_is_refused() -> None:
    with pytest.raises(ValueError, match="starts or ends within a word"):
        tagged(Sentence("Lake Haldens", {"s": (0, "Lake Halden")}), {"s": "LOC"}, {"s": Value("Lake Halden")})


def test_the_capital_of_a_sentence_is_not_that_of_an_entity() -> None:
    sentence = Sentence("Река Велирина мелка.", {"s": (0, "Река Велирина")})
    found = tagged(sentence, {"s": "LOC"}, {"s": Value("река Велирина")})
    assert found == [("Река", "O"), ("Велирина", "B-LOC"), ("мелка", "O"), (".", "O")]


@pytest.mark.parametrize("name", PARTS)
def test_each_premise_has_a_hypothesis_for_every_label(name: str) -> None:
    rows = read_pairs(name)
    assert len(rows) == {"en.train": 630, "es.train": 294, "ru.train": 294}.get(name, 168)
    by_premise: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        assert list(row) == ["premise", "hypothesis", "label"]
        assert row["hypothesis"] not in row["premise"]
        assert not re.search(r"[{}\[\]|]|  ", row["premise"] + row["hypothesis"])
        by_premise[row["premise"]].append(row["label"])
    assert all(sorted(labels) == sorted(LABELS) for labels in by_premise.values())
    assert len({row["hypothesis"] for row in rows}) == len(rows)


@pytest.mark.parametrize("code", CODES)
def test_no_sentence_of_a_pair_is_in_both_parts(code: str) -> None:
    train, test = (
        {text for row in read_pairs(f"{code}.{part}") for text in (row["premise"], row["hypothesis"])}
        for part in ("train", "test")
    )
    assert not train & test


def outline(hypothesis: str) -> str:
    """A hypothesis without its names and numbers: what a model sees that knows no premise."""
    return re.sub(r"\w*[A-ZÁÉÍÓÚÑА-ЯЁ\d]\w*", "_", hypothesis)


@pytest.mark.parametrize("name", PARTS)
def test_hypotheses_alone_do_not_give_the_label_away(name: str) -> None:
    """Each kind of hypothesis is guessed from the others of the file; chance is one in three."""
    rows = read_pairs(name)
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        seen[outline(row["hypothesis"])][row["label"]] += 1
    right = 0
    for row in rows:
        others = seen[outline(row["hypothesis"])] - Counter([row["label"]])
        right += bool(others) and max(sorted(others), key=others.__getitem__) == row["label"]
    assert right / len(rows) < 0.42


@pytest.mark.parametrize("name", PARTS)
def test_the_number_of_shared_words_does_not_give_the_label_away(name: str) -> None:
    """The best single threshold on the share of a hypothesis's words that its premise holds, for each label."""
    shares = []
    for row in read_pairs(name):
        premise, hypothesis = (set(re.findall(r"\w+", row[key].lower())) for key in ("premise", "hypothesis"))
        shares.append((len(hypothesis & premise) / len(hypothesis), row["label"]))
    for label in LABELS:
        for threshold, _ in shares:
            above = [found == label for share, found in shares if share >= threshold]
            if len(above) >= len(shares) / 6:
                assert sum(above) / len(above) < 0.55, (label, threshold)


FOUNDED = {
    "en": [
        r"In (?P<year>\d+), (?P<who>[A-Z]\w+ [A-Z]\w+) founded the (?P<s>\w+ \w+)\.",
        r"The (?P<s>\w+ \w+) was founded by (?P<who>[A-Z]\w+ [A-Z]\w+) in (?P<year>\d+)\.",
        r"(?P<who>[A-Z]\w+ [A-Z]\w+) established the (?P<s>\w+ \w+) in (?P<year>\d+)\.",
    ],
    "es": [
        r"En (?P<year>\d+), (?P<who>\w+ \w+) fundó (?:el|la) (?P<s>\w+ \w+)\.",
        r"(?:El|La) (?P<s>\w+ \w+) fue fundad[oa] por (?P<who>\w+ \w+) en (?P<year>\d+)\.",
        r"(?P<who>\w+ \w+) estableció (?:el|la) (?P<s>\w+ \w+) en (?P<year>\d+)\.",
    ],
}


@pytest.mark.parametrize("code", FOUNDED)
def test_the_labels_are_right_where_a_pattern_can_tell(code: str) -> None:
    """Who founded what and when, read from premise and hypothesis by patterns of the test's own."""

    def facts(text: str) -> dict[str, tuple[str, str]]:
        return {m["s"]: (m["who"], m["year"]) for pattern in FOUNDED[code] for m in re.finditer(pattern, text)}

    seen: Counter[str] = Counter()
    for row in read_pairs(f"{code}.train"):
        told, claimed = facts(row["premise"]), facts(row["hypothesis"])
        for subject, claim in claimed.items():
            expected = "neutral" if subject not in told else LABELS[0] if told[subject] == claim else "contradiction"
            assert row["label"] == expected, row
            seen[expected] += 1
    assert all(seen[label] >= 3 for label in LABELS), seen


@pytest.mark.parametrize("language", [ENGLISH, SPANISH, RUSSIAN], ids=CODES)
def test_every_fact_of_the_pairs_has_a_plain_phrasing_in_each_part(language: Language) -> None:
    for domain, single in zip(language.domains, SINGLE, strict=True):
        facts = [fact for fact in domain.facts if fact.slots & single]
        assert len(facts) != 1, domain.title
        assert single <= frozenset().union(*(fact.slots for fact in domain.facts))
        for fact in facts:
            for held_out in (False, True):
                assert hypotheses(language, fact, held_out)


def test_a_phrasing_that_states_more_is_no_hypothesis() -> None:
    museums = ENGLISH.domains[0].facts[1]
    assert not any("centre of" in phrasing for phrasing in hypotheses(ENGLISH, museums, False))
    assert any("centre of" in phrasing for phrasing in museums.phrasings.train)
