"""Entity F1 as conlleval and seqeval compute it, and the accuracy of tags: counts of each sentence, whose sums give the score.

`conll` counts as the CoNLL-2000 script `conlleval` and seqeval 1.2.2's default mode do: an entity may begin with `I-`. `strict`
counts as seqeval's `mode="strict", scheme=IOB2` does: an entity is a `B-` and the `I-` of its type that follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.float64]
Sentences = Sequence[Sequence[str]]
Entity = tuple[str, int, int]


def conll_entities(sentences: Sentences) -> list[set[Entity]]:
    """The entities of each of S sentences: type, first and last word, counted through all sentences.

    A tag is a prefix (its first character) and a type (what follows a dash, or the first character), so that bare tags such as
    NOUN can be scored as XTREME does. The state passes from sentence to sentence, as in seqeval.
    """
    found: list[set[Entity]] = [set() for _ in sentences]
    before, before_kind, begin = "O", "", 0
    for at, (owner, tag) in enumerate(_joined(sentences)):
        prefix, kind = tag[0], tag[1:].split("-", maxsplit=1)[-1] or "_"
        differs = before_kind != kind
        if before in "ES" or (before in "BI" and prefix in "BSO") or (before not in "O." and differs):
            found[owner].add((before_kind, begin, at - 1))
        if prefix in "BS" or (prefix in "EI" and before in "ESO") or (prefix not in "O." and differs):
            begin = at
        before, before_kind = prefix, kind
    return found


def _joined(sentences: Sentences) -> Iterator[tuple[int, str]]:
    """(sentence, tag) of all words, with an O after each sentence."""
    for owner, tags in enumerate(sentences):
        yield from ((owner, tag) for tag in tags)
        yield owner, "O"


def strict_entities(sentences: Sentences) -> list[set[Entity]]:
    """The entities of each of S sentences under strict IOB2: type, first and last word of the sentence."""
    found: list[set[Entity]] = []
    for tags in sentences:
        entities, at = set(), 0
        while at < len(tags):
            begin, kind = at, tags[at][2:]
            at += 1
            if tags[begin][0] == "B":
                while at < len(tags) and tags[at] == f"I-{kind}":
                    at += 1
                entities.add((kind, begin, at - 1))
        found.append(entities)
    return found


def count_entities(golds: list[set[Entity]], predicted: list[set[Entity]]) -> Counts:
    """(S, 3) of each sentence: entities that are right, predicted, and gold."""
    pairs = zip(golds, predicted, strict=True)
    return np.array([(len(g & p), len(p), len(g)) for g, p in pairs], dtype=np.float64).reshape(-1, 3)


def count_kinds(golds: list[set[Entity]], predicted: list[set[Entity]]) -> dict[str, Counts]:
    """As `count_entities`, for each type that occurs, in order."""
    kinds = sorted({kind for entities in (*golds, *predicted) for kind, _, _ in entities})
    return {kind: count_entities(*(_of_kind(some, kind) for some in (golds, predicted))) for kind in kinds}


def _of_kind(sentences: list[set[Entity]], kind: str) -> list[set[Entity]]:
    return [{entity for entity in entities if entity[0] == kind} for entities in sentences]


def single_tags(sentences: Sentences) -> list[set[Entity]]:
    """The tag of each word of S sentences, as entities of one word."""
    return [{(tag, at, at) for at, tag in enumerate(tags)} for tags in sentences]


def count_tags(golds: Sentences, predicted: Sentences) -> Counts:
    """(S, 2) of each sentence: words whose tag is right, and words."""
    pairs = zip(golds, predicted, strict=True)
    counts = [(sum(a == b for a, b in zip(g, p, strict=True)), len(g)) for g, p in pairs]
    return np.array(counts, dtype=np.float64).reshape(-1, 2)
