"""The embedded sample: small files for the demo and the tests. Try: python -m xlqa.data.sample.generate

English, Spanish and Russian are generated from tables of invented people, places, things (`generate`, `english`,
`spanish`, `russian`); the parts `ru` and `zh` are written by hand (`handwritten`).
The same tables give sentences with named entities (`entities`, ner.*.conll) and sentence pairs (`pairs`, nli.*.jsonl).
All of it is original to xlqa and in the public domain (CC0). It shows that the machinery works; scores on it are no estimate for real questions.
"""

from __future__ import annotations

from pathlib import Path

from xlqa.errors import XlqaError, refuse_choice

SAMPLE_NAMES = ("en.train", "en.test", "es.train", "es.test", "ru.train", "ru.test", "ru", "zh")
"""The sample's files, without suffix. Facts and phrasings of the test files are held out from the training files."""

CAPYBARA_CONTEXT_ES = (
    "El capibara es el roedor más grande del mundo: un adulto puede pesar más de sesenta kilos. Vive en grupos junto a "
    "ríos, lagunas y pantanos, nada muy bien y come sobre todo hierba y plantas acuáticas. Se encuentra en Brasil, "
    "Colombia, Venezuela, Paraguay, Uruguay y el norte de Argentina. Es un animal tranquilo y sociable, y sus crías "
    "saben correr y nadar a los pocos días de nacer."
)
CAPYBARA_ANSWER_ES = "Brasil, Colombia, Venezuela, Paraguay, Uruguay y el norte de Argentina"
"""What a person would answer: a span of the Spanish text."""


def sample_path(name: str) -> Path:
    """The path of a sample file, given as in `SAMPLE_NAMES`. Raises XlqaError for another name."""
    if name not in SAMPLE_NAMES:
        raise XlqaError(f"the embedded sample has no {name!r}: {refuse_choice(name, SAMPLE_NAMES)}.")
    return Path(__file__).with_name(f"{name}.json")
