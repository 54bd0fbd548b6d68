"""Across languages: what zero-shot scores, gains and N₀ go with, as in Lauscher et al. 2020 (arXiv:2005.00633).

Each language is one observation. The features of its test set are in features.csv beside results.csv (`xlqa features`). Spearman's
ρ is given with an interval, and only from LEAST_LANGUAGES languages on. The source language itself is left out.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xlqa.curves.comparison import Comparison, leading
from xlqa.curves.grouping import Floats, short_name, to_text
from xlqa.curves.table import find_table
from xlqa.curves.variance import Interval
from xlqa.curves.wording import Columns, columns_of, metric_name
from xlqa.errors import XlqaError
from xlqa.records import FEATURE_COLUMNS, FEATURE_KEY, LANGUAGE_FEATURES, PIECE_FEATURES
from xlqa.util.files import read_file

if TYPE_CHECKING:
    import pandas as pd

LEAST_LANGUAGES = 8
"""With fewer languages no correlation is computed: the interval of ρ = 0.6 over 7 languages reaches from −0.35 to 0.94."""

FEATURES = (*PIECE_FEATURES, *LANGUAGE_FEATURES)
FEATURE_NAMES = {
    "pieces_per_word": "pieces per word", "pieces_per_character": "pieces per character", "whole_words": "words in one piece",
    "unknown": "unknown pieces", "overlap_types": "overlap of pieces (types)", "overlap_tokens": "overlap of pieces (tokens)",
    "untouched": "pieces not in the source", "entity_overlap_types": "overlap of entity pieces (types)",
    "entity_overlap_tokens": "overlap of entity pieces (tokens)", "same_script": "same script", "same_family": "same family",
    "syntactic": "syntactic distance", "phonological": "phonological distance", "inventory": "inventory distance",
    "genetic": "genetic distance", "geographic": "geographic distance",
}  # fmt: skip
MOST_TABLE_BYTES = 1 << 26
Key = tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What is to be explained, by language.

    Attributes:
        what: zero-shot, gain or N₀; size: of a gain, else 0.
        values: by language code: percent, points or examples; ±∞ where N₀ is beyond the sizes measured.
    """

    what: str
    size: int
    values: Mapping[str, float]

    @property
    def name(self) -> str:
        return f"gain at N = {self.size:,}" if self.what == "gain" else self.what


@dataclass(frozen=True)
class Group:
    """Languages that were measured alike: one encoder, one source and one family of test sets.

    Attributes:
        features: by language code, then feature; a feature that is not known is left out.
        metric: name of the score.
    """

    label: str
    outcomes: tuple[Outcome, ...]
    features: Mapping[str, Mapping[str, float]]
    metric: str = "F1"

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(sorted(self.features))


@dataclass(frozen=True)
class Correlation:
    """Spearman's ρ of an outcome and a feature over n languages, with its 95 % interval."""

    outcome: Outcome
    feature: str
    languages: int
    rho: Interval


@dataclass
class _Draft:
    label: str
    metric: str
    scores: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    gains: dict[int, dict[str, list[float]]] = field(default_factory=dict)
    worth: dict[str, list[float]] = field(default_factory=dict)
    features: dict[str, Mapping[str, float]] = field(default_factory=dict)


def load_features(tables: Sequence[str | Path], *, required: bool = True) -> dict[Key, dict[str, str]]:
    """The rows of the features.csv beside each table, by FEATURE_KEY.

    Raises:
        XlqaError: a file is missing (where `required`) or is not one that `xlqa features` wrote.
    """
    found: dict[Key, dict[str, str]] = {}
    for file in dict.fromkeys(find_table(path).with_name("features.csv") for path in tables):
        if not file.is_file():
            if required:
                raise XlqaError(f"{file} is not there: `xlqa features {file.parent}` writes it.")
            continue
        text = read_file(file, MOST_TABLE_BYTES).decode("utf-8-sig", "replace")
        try:
            reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
            if absent := [name for name in FEATURE_COLUMNS if name not in (reader.fieldnames or ())]:
                raise XlqaError(f"{file}: has no column {absent[0]}: `xlqa features {file.parent}` writes it again.")
            for row in reader:
                found[tuple(row[name] for name in FEATURE_KEY)] = _check(row, file, reader.line_num)
        except csv.Error as error:
            raise XlqaError(
                f"{file}: not comma-separated values ({error}): `xlqa features` writes it again."
            ) from error
    return found


def _check(row: dict[str, str], file: Path, line: int) -> dict[str, str]:
    for name in FEATURES:
        try:
            good = math.isfinite(float(row[name] or 0))
        except (TypeError, ValueError):
            good = False
        if not good:
            raise XlqaError(
                f"{file}, line {line}: {name} is {row[name]!r}, which is not a number: write the file again."
            )
    return row


def group_languages(
    rows: pd.DataFrame,
    comparisons: Sequence[Comparison],
    features: Mapping[Key, Mapping[str, str]],
    columns: Columns = ("f1",),
    pool: bool = False,
) -> tuple[Group, ...]:
    """Outcomes and features by language, in groups of languages that were measured alike; the largest group first.

    Args:
        rows: of results.csv, for the zero-shot scores; comparisons: for gains and N₀.
        columns: the scores, in percent; the first of each task is explained.
        pool: put the test sets of all families into one group; a language's outcomes are then means over its test sets.
    """
    drafts: dict[Key, _Draft] = {}
    for row in rows[(rows["size"] == 0) & (rows["split"] == "test")].to_dict("records"):
        known = features.get(tuple(to_text(row[name]) for name in FEATURE_KEY))
        if known is None or known["test_lang"] == known["source_lang"]:
            continue
        score = float(row[columns_of(columns, known["task"])[0]])
        if not math.isnan(score):
            draft = _draft(drafts, known, to_text(row["source_size"]), pool, columns)
            # A source stage scored from several runs is one measurement.
            unit = f"{known['test_sha256']} {row['source_seed']:g}"
            draft.scores.setdefault(known["test_lang"], {})[unit] = [score]
    for c in leading([c for c in comparisons if c.column == columns_of(columns, c.panel.task)[0]]):
        known = features.get(_key_of(c))
        if known is None or known["test_lang"] == known["source_lang"]:
            continue
        draft = _draft(drafts, known, c.first.setting["source_size"], pool, columns)
        for result in c.results:
            if not math.isnan(result.gain.value):
                draft.gains.setdefault(result.size, {}).setdefault(known["test_lang"], []).append(result.gain.value)
        if not math.isnan(c.zero_shot_worth.value):
            draft.worth.setdefault(known["test_lang"], []).append(c.zero_shot_worth.value)
    groups = [_finish(draft) for draft in drafts.values()]
    return tuple(sorted(groups, key=lambda group: (-len(group.features), group.label)))


def _key_of(c: Comparison) -> Key:
    setting, measurement = c.first.setting, c.panel.measurement
    return (
        c.panel.lang,
        measurement["test"],
        measurement["test_sha256"],
        setting["model_sha256"],
        setting["source_sha256"],
    )


def _draft(
    drafts: dict[Key, _Draft], known: Mapping[str, str], source_size: str, pool: bool, columns: Columns
) -> _Draft:
    family = "all test sets" if pool else _set_family(known["test"], known["test_lang"])
    key = (known["task"], known["model_sha256"], known["source_sha256"], source_size, family)
    size = f" ({int(float(source_size)):,})" if source_size else ""
    label = f"{family}, {short_name(known['model'])}, {short_name(known['source'])}{size}"
    task = known["task"]
    draft = drafts.setdefault(key, _Draft(label, metric_name(columns_of(columns, task)[0], task)))
    draft.features.setdefault(known["test_lang"], {name: float(known[name]) for name in FEATURES if known[name] != ""})
    return draft


def _set_family(name: str, language: str) -> str:
    """The name of a test set without its language: xquad.ru and xquad.zh are of one family."""
    words = re.split(r"([._-])", name)
    kept = "".join("*" if word == language else word for word in words)
    return re.sub(r"[._-]\*$", "", kept)


def _finish(draft: _Draft) -> Group:
    outcomes = []
    scores = {code: [np.mean(runs) for runs in units.values()] for code, units in draft.scores.items()}
    if scores:
        outcomes.append(Outcome("zero-shot", 0, _means(scores)))
    outcomes += [Outcome("gain", size, _means(values)) for size, values in sorted(draft.gains.items())]
    if draft.worth:
        outcomes.append(Outcome("N₀", 0, _means(draft.worth)))
    return Group(draft.label, tuple(outcomes), draft.features, draft.metric)


def _means(values: Mapping[str, Iterable[Any]]) -> dict[str, float]:
    return {code: float(np.mean(list(found))) for code, found in sorted(values.items())}


def correlate(group: Group) -> tuple[Correlation, ...]:
    """ρ of each outcome with each feature that at least LEAST_LANGUAGES languages have and that varies; () below that."""
    found = []
    for outcome in group.outcomes:
        for feature in FEATURES:
            codes = [c for c in outcome.values if feature in group.features[c]]
            first = np.array([outcome.values[code] for code in codes])
            second = np.array([group.features[code][feature] for code in codes])
            if len(codes) >= LEAST_LANGUAGES and len(set(first)) > 1 and len(set(second)) > 1:
                found.append(Correlation(outcome, feature, len(codes), spearman(first, second)))
    return tuple(found)


def spearman(first: Floats, second: Floats) -> Interval:
    """Spearman's ρ with the 95 % interval of Bonett & Wright 2000: Fisher's z with the variance (1 + ρ² / 2) / (n − 3).

    Args:
        first, second: (n,) values, n ≥ 4, each with at least two different ones. Equal values share their mean rank.
    """
    a, b = _ranks(first), _ranks(second)
    a, b = a - a.mean(), b - b.mean()
    rho = float(a @ b / math.sqrt(float(a @ a) * float(b @ b)))
    rho = max(-1.0, min(1.0, rho))
    count = len(first)
    # At ±1 z is infinite: the interval is then that of the ranking with two neighbours swapped.
    inner = 1 - 12 / (count * (count**2 - 1))
    z = math.atanh(max(-inner, min(inner, rho)))
    half = 1.959964 * math.sqrt((1 + rho**2 / 2) / (count - 3))
    low, high = math.tanh(z - half), math.tanh(z + half)
    return Interval(rho, -1.0 if rho == -1 else low, 1.0 if rho == 1 else high)


def _ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values get the mean of theirs."""
    smaller = (values[:, None] > values[None, :]).sum(axis=1)
    equal = (values[:, None] == values[None, :]).sum(axis=1)
    ranks: Floats = smaller + (equal + 1) / 2.0
    return ranks
