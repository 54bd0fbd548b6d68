"""Counts and lengths of labelled sentences and pairs: what `xlqa data check` and `xlqa data stats` print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from xlqa.tasks.base import CountPieces, Inspection, PieceCounts
from xlqa.tasks.sentences.reading import LabelledText, TextKind


def inspect_texts(examples: Sequence[LabelledText], kind: TextKind) -> Inspection:
    """Examples by label, and how often texts repeat."""
    labels = Counter(example.label for example in examples)
    notes = []
    if len(labels) == 1 and len(examples) > 1:
        notes.append(f"every example has the label {next(iter(labels))}: nothing can be learned from this file alone")
    repeated = len(examples) - len({(example.first, example.second) for example in examples})
    if not kind.pairs:
        lengths = {"sentence, characters": [len(example.first) for example in examples]}
        counts = {"sentences": len(examples), "labels": len(labels)}
        return Inspection(counts, "label", dict(labels.most_common()), repeated, lengths, tuple(notes))
    firsts = len({example.first for example in examples})
    if firsts < len(examples):
        again = len(examples) - firsts
        notes.append(f"{again:,} of {len(examples):,} pairs share their first sentence with an earlier pair")
    lengths = {
        "first sentence, characters": [len(example.first) for example in examples],
        "second sentence, characters": [len(example.second) for example in examples],
    }
    counts = {"pairs": len(examples), "first sentences": firsts, "labels": len(labels)}
    return Inspection(counts, "label", dict(labels.most_common()), repeated, lengths, tuple(notes))


def measure_texts(
    examples: Sequence[LabelledText], kind: TextKind, count: CountPieces, special: int, max_length: int
) -> PieceCounts:
    """Pieces of texts; an example that does not fit one window is truncated."""
    firsts, unknown = count([example.first for example in examples])
    seconds, more = count([example.second for example in examples]) if kind.pairs else ([0] * len(examples), 0)
    totals = [first + second for first, second in zip(firsts, seconds, strict=True)]
    words = sum(len(example.first.split()) + len(example.second.split()) for example in examples)
    name = "pair, pieces" if kind.pairs else "sentence, pieces"
    return PieceCounts(
        {name: totals},
        sum(totals) / max(1, words),
        (unknown + more) / max(1, sum(totals)),
        sum(total + special > max_length for total in totals) / max(1, len(totals)),
    )
