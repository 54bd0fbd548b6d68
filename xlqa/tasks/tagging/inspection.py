"""Counts and lengths of tagged sentences: what `xlqa data check` and `xlqa data stats` print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from xlqa.tasks.base import CountPieces, Inspection, PieceCounts
from xlqa.tasks.tagging.columns import Kind
from xlqa.tasks.tagging.reading import Sentence
from xlqa.tasks.tagging.scorers import strict_entities


def inspect_sentences(sentences: Sequence[Sentence], kind: Kind) -> Inspection:
    """Sentences, words, and entities by type or words by tag."""
    counts = {"sentences": len(sentences), "words": sum(len(sentence.words) for sentence in sentences)}
    lengths: dict[str, Sequence[int]] = {
        "sentence, words": [len(sentence.words) for sentence in sentences],
        "sentence, characters": [sum(map(len, sentence.words)) + len(sentence.words) - 1 for sentence in sentences],
    }
    repeated = len(sentences) - len({sentence.words for sentence in sentences})
    if kind == "pos":
        tags = Counter(chain.from_iterable(sentence.tags for sentence in sentences))
        return Inspection(counts, "tag", dict(tags.most_common()), repeated, lengths)
    found = strict_entities([sentence.tags for sentence in sentences])
    entities = list(chain.from_iterable(found))
    empty = sum(not some for some in found)
    notes = (f"{empty:,} of {len(sentences):,} sentences have no entity",) if empty else ()
    lengths["entity, words"] = [last - first + 1 for _, first, last in entities]
    types = Counter(kind for kind, _, _ in entities)
    return Inspection(
        counts | {"entities": len(entities)}, "entity type", dict(types.most_common()), repeated, lengths, notes
    )


def measure_sentences(sentences: Sequence[Sentence], count: CountPieces, special: int, max_length: int) -> PieceCounts:
    """Pieces of sentences whose words are tokenised one by one, as in training."""
    sizes, unknown = count([word for sentence in sentences for word in sentence.words])
    pieces = iter(sizes)
    # A word without any piece becomes the unknown piece.
    totals = [sum(max(1, next(pieces)) for _ in sentence.words) for sentence in sentences]
    empty = sizes.count(0)
    notes = (f"{empty:,} words have no piece: each becomes the unknown piece",) if empty else ()
    return PieceCounts(
        {"sentence, pieces": totals},
        sum(totals) / max(1, len(sizes)),
        (unknown + empty) / max(1, sum(totals)),
        sum(total + special > max_length for total in totals) / max(1, len(totals)),
        notes,
    )
