"""The embedded sample: reproducible bytes, right offsets, held-out facts and phrasings, and no shortcut to the answers."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from xlqa.data.sample import (
    CAPYBARA_ANSWER_ES,
    CAPYBARA_CONTEXT_ES,
    SAMPLE_NAMES,
    sample_path,
)
from xlqa.data.sample import generate as generator
from xlqa.data.sample.english import ENGLISH
from xlqa.data.sample.spanish import SPANISH
from xlqa.data.sample.templates import Domain, Fact, Language, Phrasings, Value, render, slots_of
from xlqa.errors import XlqaError

GENERATED = ("en.train", "en.test", "es.train", "es.test")


@dataclass(frozen=True)
class Item:
    id: str
    question: str
    context: str
    answer: str
    start: int


def items(name: str) -> list[Item]:
    data = json.loads(sample_path(name).read_text(encoding="utf-8"))["data"]
    return [
        Item(q["id"], q["question"], p["context"], a["text"], a["answer_start"])
        for article in data
        for p in article["paragraphs"]
        for q in p["qas"]
        for a in q["answers"]
    ]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def f1(predicted: str, gold: str) -> float:
    common = sum((Counter(words(predicted)) & Counter(words(gold))).values())
    return 200 * common / (len(words(predicted)) + len(words(gold))) if common else 0.0


def test_the_committed_files_are_what_the_generator_writes() -> None:
    files = generator.render_files()
    assert set(files) == {f"{name}.json" for name in SAMPLE_NAMES}
    for name, text in files.items():
        assert sample_path(name.removesuffix(".json")).read_bytes() == text.encode("utf-8"), (
            f"{name} differs: run python -m xlqa.data.sample.generate"
        )


def test_main_writes_the_files_beside_the_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(generator, "__file__", str(tmp_path / "generate.py"))
    generator.main()
    assert (tmp_path / "es.train.json").read_bytes() == sample_path("es.train").read_bytes()
    assert len(list(tmp_path.iterdir())) == len(SAMPLE_NAMES)


@pytest.mark.parametrize(
    ("name", "least"),
    [("en.train", 800), ("en.test", 150), ("es.train", 320), ("es.test", 200), ("ru", 36), ("zh", 36)],
)
def test_sizes_ids_and_offsets(name: str, least: int) -> None:
    found = items(name)
    assert len(found) >= least
    assert len({item.id for item in found}) == len(found)
    assert all(item.context[item.start :].startswith(item.answer) and item.answer for item in found)
    assert all(item.answer == item.answer.strip() for item in found)
    assert len({(item.context, item.question) for item in found}) == len(found)


def test_the_sample_stays_small() -> None:
    assert sum(sample_path(name).stat().st_size for name in SAMPLE_NAMES) < 900_000


@pytest.mark.parametrize("language", [ENGLISH, SPANISH], ids=lambda language: language.code)
def test_phrasings_of_the_test_part_are_held_out(language: Language) -> None:
    for phrasings in all_phrasings(language):
        assert len(phrasings.train) >= 2 or phrasings is language.asides
        assert phrasings.test
    train = {p for phrasings in all_phrasings(language) for p in phrasings.train}
    test = {p for phrasings in all_phrasings(language) for p in phrasings.test}
    assert not train & test


@pytest.mark.parametrize("language", [ENGLISH, SPANISH], ids=lambda language: language.code)
def test_every_phrasing_of_a_fact_states_the_same_slots(language: Language) -> None:
    for domain in language.domains:
        for fact in domain.facts:
            stated = {slots_of(phrasing) for phrasing in (*fact.phrasings.train, *fact.phrasings.test)}
            assert stated == {fact.slots}, fact
            assert "s" in fact.slots
            assert all(slot in domain.kinds for slot in fact.slots)
        assert {ask.slot for ask in domain.asks} == set(domain.kinds), domain.title


def all_phrasings(language: Language) -> Iterator[Phrasings]:
    yield language.asides
    for domain in language.domains:
        yield from (fact.phrasings for fact in domain.facts)
        yield from (ask.phrasings for ask in domain.asks)


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_name_or_common_noun_is_an_answer_in_both_parts(language: str) -> None:
    train, test = items(f"{language}.train"), items(f"{language}.test")
    answers = [{i.answer.lower() for i in part if not any(c.isdigit() for c in i.answer)} for part in (train, test)]
    assert not answers[0] & answers[1]
    assert not {i.context for i in train} & {i.context for i in test}
    assert not {i.question for i in train} & {i.question for i in test}


def test_english_and_spanish_speak_of_different_people_and_places() -> None:
    english, spanish = (
        {
            word
            for part in ("train", "test")
            for item in items(f"{code}.{part}")
            for word in re.findall(r"\b[A-ZÁÉÍÓÚÑ]\w+", item.answer)
        }
        for code in ("en", "es")
    )
    assert english & spanish <= {"Festival"}


@pytest.mark.parametrize("name", GENERATED)
def test_a_model_that_ignores_the_question_scores_low(name: str) -> None:
    """It gives one answer per paragraph; this is the score of the best one, chosen by looking at the gold answers."""
    by_context: dict[str, list[Item]] = {}
    for item in items(name):
        by_context.setdefault(item.context, []).append(item)
    best = [
        max(sum(f1(guess.answer, item.answer) for item in found) for guess in found) for found in by_context.values()
    ]
    assert sum(best) / len(items(name)) < 40
    assert all(len({item.answer for item in found}) >= 3 for found in by_context.values())


@pytest.mark.parametrize("name", GENERATED)
def test_the_first_two_questions_are_twins_with_different_answers(name: str) -> None:
    """Both ask the same thing of two subjects, so that an answer's type alone leaves two candidates."""
    pairs = [(a, b) for a, b in itertools.pairwise(items(name)) if a.id.endswith("-1") and b.id.endswith("-2")]
    assert len(pairs) == len({item.context for item in items(name)})
    for a, b in pairs:
        assert a.context == b.context
        assert a.answer != b.answer
        assert bool(re.search(r"\d", a.answer)) == bool(re.search(r"\d", b.answer)), (a, b)


@pytest.mark.parametrize("name", GENERATED)
def test_an_answers_position_does_not_give_it_away(name: str) -> None:
    """Answers lie evenly in the four quarters of a paragraph, within what chance allows."""
    places = [4 * item.start // len(item.context) for item in items(name)]
    shares = [places.count(quarter) / len(places) for quarter in range(4)]
    assert min(shares) > 0.15, shares
    assert max(shares) < 0.36, shares


@pytest.mark.parametrize("name", GENERATED)
def test_the_words_nearest_to_the_questions_words_are_rarely_the_answer(name: str) -> None:
    found = items(name)
    score = sum(f1(nearest_span(item), item.answer) for item in found) / len(found)
    assert score < 25, score


def nearest_span(item: Item) -> str:
    """The run of up to three words, none of them in the question, whose neighbours share most with the question."""
    text, asked = words(item.context), set(words(item.question))
    weight = [1 / text.count(word) if word in asked else 0.0 for word in text]
    best, answer = -1.0, ""
    for start in range(len(text)):
        for end in range(start + 1, min(start + 4, len(text) + 1)):
            if not any(weight[start:end]):
                score = sum(w / (1 + i) for i, w in enumerate(weight[end : end + 8]))
                score += sum(w / (1 + i) for i, w in enumerate(reversed(weight[max(0, start - 8) : start])))
                if score > best:
                    best, answer = score, " ".join(text[start:end])
    return answer


@pytest.mark.parametrize("name", ["es.train", "es.test"])
def test_spanish_agrees_and_punctuates(name: str) -> None:
    for item in items(name):
        assert re.fullmatch(r"¿[^?¿]+\?", item.question), item.question
        for text in (item.context, item.question):
            assert not re.search(r"\b(de|a) el [^«]", text), text
            assert not re.search(r"\b[yY] h?[ií]|\b[oO] h?o", text), text
            assert not re.search(r"\bel (Galería|Compañía|Feria|Pasarela|Medalla|iguana|tortuga)\b", text), text
            assert not re.search(r"\bla (Museo|Taller|Festival|Puente|Premio|loro|lagarto|río|volcán|lago)\b", text), (
                text
            )
            assert "  " not in text
            assert not re.search(r"[{}\[\]]", text), text


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_contexts_are_whole_sentences(name: str) -> None:
    for item in items(name):
        assert item.context[-1] in ".。", item.context
        assert item.context[0].isupper() or item.context[0] in "«" or name == "zh", item.context


def test_render_counts_offsets_and_agrees() -> None:
    sentence = render(
        "{s.El} [s] fue fundad{s.o} por [founder].",
        {"s": Value("Compañía Tarvira", feminine=True), "founder": Value("Elena Soto")},
    )
    assert sentence.text == "La Compañía Tarvira fue fundada por Elena Soto."
    assert sentence.spans == {"s": (3, "Compañía Tarvira"), "founder": (36, "Elena Soto")}
    assert sentence.shifted(10)["s"] == (13, "Compañía Tarvira")


def test_a_table_too_small_is_refused() -> None:
    fact = Fact(Phrasings(("[s].", "El [s]."), ("[s]!",)))
    domain = Domain("Small", {"s": lambda draw, held_out: Value("Museo Único")}, (fact, fact), ())
    with pytest.raises(ValueError, match="no value is left beside"):
        list(generator.paragraphs(SPANISH, domain, False, 1))


def test_an_answer_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="occurs 2 times"):
        generator._by_hand([("Да и да.", [("Что?", "а")])])


def test_a_wrong_offset_is_refused() -> None:
    paragraph = generator.Paragraph("abc def", (("What?", (3, "def")),))
    with pytest.raises(ValueError, match="is not at 3"):
        generator.squad_json("x", {"Title": [paragraph]})


def test_sample_path_names_the_choices() -> None:
    with pytest.raises(XlqaError, match=r"choose from en\.train, "):
        sample_path("fr")


def test_the_capybara_paragraph_holds_its_answer_once() -> None:
    assert CAPYBARA_CONTEXT_ES.count(CAPYBARA_ANSWER_ES) == 1
