"""What a tokenizer makes of a text, and what the word pieces of two texts have in common.

Pires et al. 2019 (arXiv:1906.01502) define the overlap of two sets of pieces as |E_train ∩ E_test| / |E_train ∪ E_test|, over the
pieces of named entities; over all pieces it is defined for any text. Wu & Dredze 2019 (arXiv:1904.09077) measure the share of
the target's pieces that the source has, over types and over tokens. The unknown piece and special pieces never count as shared.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xlqa.tasks.qa.scorers import languages

BATCH = 1024
WITHOUT_BLANKS = languages.WITHOUT_BLANKS | {"zh"}
"""Languages written without blanks between words: figures per word have no meaning there."""


@dataclass(frozen=True, slots=True)
class PieceCounts:
    """The pieces of some texts.

    Attributes:
        pieces: how often each piece occurs, without unknown ones; unknown: how often the unknown piece occurs.
        words: white-space words with a letter or digit; whole_words: those that are one piece, without the punctuation around
            them; white_space_words: all white-space words.
        characters: without white space.
    """

    pieces: Mapping[str, int]
    unknown: int
    words: int
    whole_words: int
    white_space_words: int
    characters: int

    @property
    def total(self) -> int:
        return sum(self.pieces.values()) + self.unknown

    @property
    def per_word(self) -> float | None:
        """Pieces of a white-space word; None without words."""
        return self.total / self.white_space_words if self.white_space_words else None


@dataclass(frozen=True, slots=True)
class Overlap:
    """What the pieces of a target have in common with those of a source; shares from 0 to 1, None where there are none.

    Attributes:
        types: |S ∩ T| / |S ∪ T| over distinct pieces (Pires et al. 2019).
        tokens: share of the target's pieces, each as often as it occurs, that the source has too.
        untouched: share of the target's distinct pieces that the source lacks: training on it leaves them as they were.
    """

    types: float | None
    tokens: float | None
    untouched: float | None


def count_pieces(tokenizer: Any, texts: Iterable[str]) -> PieceCounts:
    """Count the pieces of texts.

    Args:
        tokenizer: of the package tokenizers, without truncation and padding.
    """
    listed = list(texts)
    unknown = next((token for token in ("[UNK]", "<unk>") if tokenizer.token_to_id(token) is not None), "")
    pieces: Counter[str] = Counter()
    for batch in _batches(listed):
        for encoding in tokenizer.encode_batch(batch, add_special_tokens=False):
            pieces.update(encoding.tokens)
    words = Counter(word for text in listed for word in text.split())
    cores = [(core, count) for word, count in words.items() if (core := _without_punctuation(word))]
    whole = 0
    for batch in _batches(cores):
        encodings = tokenizer.encode_batch([core for core, _ in batch], add_special_tokens=False)
        whole += sum(
            count
            for (_, count), encoding in zip(batch, encodings, strict=True)
            if len(encoding.tokens) == 1 and encoding.tokens[0] != unknown
        )
    unknown_pieces = pieces.pop(unknown, 0)
    characters = sum(len(word) * count for word, count in words.items())
    return PieceCounts(pieces, unknown_pieces, sum(count for _, count in cores), whole, sum(words.values()), characters)


def _batches(items: Sequence[Any]) -> Iterable[list[Any]]:
    return (list(items[first : first + BATCH]) for first in range(0, len(items), BATCH))


def _without_punctuation(word: str) -> str:
    """A word without punctuation and symbols at its ends; "" for a word of these alone."""
    first, last = 0, len(word)
    while first < last and unicodedata.category(word[first])[0] in "PS":
        first += 1
    while last > first and unicodedata.category(word[last - 1])[0] in "PS":
        last -= 1
    return word[first:last]


def measure_overlap(source: PieceCounts, target: PieceCounts) -> Overlap:
    """The overlap of a target's pieces with a source's."""
    known, own = set(source.pieces), set(target.pieces)
    tokens = sum(target.pieces.values())
    if not own:
        return Overlap(None, None, None)
    shared = known & own
    covered = sum(target.pieces[piece] for piece in shared)
    return Overlap(len(shared) / len(known | own), covered / tokens, len(own - known) / len(own))


def texts_of(task: Any, examples: Sequence[Any]) -> list[str]:
    """The distinct texts that a model reads of some examples, in their order; the words of a sentence joined by blanks."""
    inputs = (value for example in examples for value in task.input_of(example))
    return list(dict.fromkeys(value if isinstance(value, str) else " ".join(value) for value in inputs))


def entity_texts(sentences: Sequence[Any]) -> list[str]:
    """The named entities of sentences that are tagged in IOB2, each as often as it occurs."""
    found: list[list[str]] = []
    for sentence in sentences:
        inside = False
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            if tag.startswith("B-"):
                found.append([word])
            elif tag.startswith("I-") and inside:
                found[-1].append(word)
            inside = tag[:2] in ("B-", "I-")
    return [" ".join(words) for words in found]


_SCRIPT_NAMES = {"CJK": "Han", "HIRAGANA": "Kana", "KATAKANA": "Kana"}


def main_script(texts: Iterable[str], most: int = 2000) -> str:
    """The script of most letters, by the first word of their Unicode names: Latin, Cyrillic, Han; "" without letters."""
    characters: Counter[str] = Counter()
    for text, _ in zip(texts, range(most), strict=False):
        characters.update(text)
    scripts: Counter[str] = Counter()
    for character, count in characters.items():
        if character.isalpha():
            name = unicodedata.name(character, "").split(" ")[0].split("-")[0]
            scripts[_SCRIPT_NAMES.get(name, name.title())] += count
    return scripts.most_common(1)[0][0] if scripts else ""
