"""Across languages: what zero-shot scores, gains and N₀ correlate with, as in Lauscher et al. 2020 (arXiv:2005.00633).

Each language is one observation. The features of its test set are in features.csv beside results.csv (`xlqa features`). Spearman's
ρ is given with an interval, and only from LEAST_LANGUAGES languages on. The source language itself is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xlqa.curves.aggregate import set_family
from xlqa.curves.comparison import Comparison, leading
from xlqa.curves.grouping import (
    HYPER_COLUMNS,
    TARGET_STAGE_COLUMNS,
    Floats,
    extend_labels,
    short_name,
    tasks_of,
    tell_apart,
    to_text,
)
from xlqa.curves.table import find_table, read_rows
from xlqa.curves.variance import Interval
from xlqa.curves.wording import Columns, columns_of, metric_name
from xlqa.errors import XlqaError
from xlqa.records import (
    FEATURE_COLUMNS,
    FEATURE_KEY,
    LANGUAGE_FEATURES,
    PIECE_FEATURES,
    SETTING_COLUMNS,
    TEST_COLUMNS,
    TEXT_COLUMNS,
    Arm,
)
from xlqa.util.languages import language_name

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
WORD_COLUMNS = (*TEXT_COLUMNS, "test_lang", "source_lang", "script", "family")
NEVER_EMPTY = ("task", *FEATURE_KEY)
Key = tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What is to be explained, by language.

    Attributes:
        what: zero-shot, gain or N₀; size: of a gain, else 0.
        values: by language code: percent, points or examples; ±∞ where N₀ is beyond the sizes measured.
        setting: of the training on N examples, where the group has several.
    """

    what: str
    size: int
    values: Mapping[str, float]
    setting: str = ""

    @property
    def name(self) -> str:
        begin = f"gain at N = {self.size:,}" if self.what == "gain" else self.what
        return f"{begin} ({self.setting})" if self.setting else begin


@dataclass(frozen=True)
class Group:
    """Languages that were measured alike: one encoder, one source stage and one family of test sets.

    Attributes:
        features: by language code, then feature; a feature that is not known is left out.
        metric: name of the score.
        left_out: outcomes of languages that were measured in several ways, a line each.
    """

    label: str
    outcomes: tuple[Outcome, ...]
    features: Mapping[str, Mapping[str, float]]
    metric: str = "F1"
    left_out: tuple[str, ...] = ()

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


def load_features(tables: Sequence[str | Path], *, required: bool = True) -> dict[Key, dict[str, Any]]:
    """The rows of the features.csv beside each table, by FEATURE_KEY; numbers as float, NaN where empty.

    Raises:
        XlqaError: a file is missing (where `required`) or is not one that `xlqa features` wrote.
    """
    found: dict[Key, dict[str, Any]] = {}
    for file in dict.fromkeys(find_table(path).with_name("features.csv") for path in tables):
        if required and not file.is_file():
            raise XlqaError(f"{file} is not there: `xlqa features {file.parent}` writes it.")
        if file.is_file():
            rows = read_rows(file, FEATURE_COLUMNS, WORD_COLUMNS, NEVER_EMPTY, f"xlqa features {file.parent}")
            found |= {tuple(to_text(row[name]) for name in FEATURE_KEY): row for row in rows}
    return found


def group_languages(
    rows: pd.DataFrame,
    comparisons: Sequence[Comparison],
    features: Mapping[Key, Mapping[str, Any]],
    columns: Columns = ("f1",),
    pool: bool = False,
) -> tuple[Group, ...]:
    """Outcomes and features by language, in groups of languages that were measured alike; the largest group first.

    Languages are measured alike if everything in SETTING_COLUMNS and TEST_COLUMNS is the same, except what names the language: the
    target data, the test set, and the scorer, which may be that of the language. A language that was measured in two ways within a
    group is left out of that outcome.

    Args:
        rows: of results.csv, for the zero-shot scores; comparisons: for gains and N₀, of transfer alone.
        columns: the scores, in percent; the first of each task is explained.
        pool: put the test sets of all families into one group; a language's outcomes and features are then means over its test sets.
    """
    known = _Known(features, pool)
    groups: dict[Key, list[_Observation]] = {}
    for observation in (*_zero_shots(rows, known, columns), *_effects(comparisons, known, columns)):
        groups.setdefault(observation.group, []).append(observation)
    labels = _group_labels([dict(zip(_GROUP_KEY, key, strict=True)) for key in groups])
    made = [_finish(label, found, columns) for label, found in zip(labels, groups.values(), strict=True)]
    return tuple(sorted(made, key=lambda group: (-len(group.features), group.label)))


_GROUP_KEY = (
    "family", "task", *(name for name in SETTING_COLUMNS if name not in TARGET_STAGE_COLUMNS),
    *(name for name in TEST_COLUMNS if name not in ("test", "test_sha256", "scorer")),
)  # fmt: skip
"""What the languages of a group have in common."""
_TRAINING_KEY = ("changes", *(name for name in TARGET_STAGE_COLUMNS if name not in ("target", "target_sha256")))
"""What gains have in common besides: what was changed of the target data or frozen, and the settings of both arms."""
_VARIANT = ("scorer", "target", "target_sha256", "test_sha256")
"""What may differ between languages, and not within one."""


@dataclass(frozen=True)
class _Observation:
    """One outcome of one language on one test set.

    Attributes:
        group: by _GROUP_KEY; training: by _TRAINING_KEY, and the settings of the target-only arm; {} for zero-shot.
        variant: by _VARIANT. place: what a language may have several of: test sets where families are joined.
        unit: of which one value counts: a source stage may be scored from several runs.
        reason: why the language is left out; "" where it counts.
    """

    group: Key
    what: str
    size: int
    training: Mapping[str, str]
    features: Mapping[str, Any]
    variant: Mapping[str, str]
    place: str
    unit: str
    value: float
    reason: str = ""

    @property
    def language(self) -> str:
        return str(self.features["test_lang"])

    @property
    def outcome(self) -> tuple[Any, ...]:
        return (("zero-shot", "gain", "N₀").index(self.what), self.size, *self.training.values())


class _Known:
    """The languages that have features, and what is observed of them."""

    def __init__(self, features: Mapping[Key, Mapping[str, Any]], pool: bool) -> None:
        self._features, self._pool = features, pool

    def observe(
        self, setting: dict[str, str], what: str, value: float, size: int = 0, unit: str = "",
        training: Mapping[str, str] | None = None, reason: str = "",
    ) -> Iterator[_Observation]:  # fmt: skip
        """One observation; none of the source language, of a language without features, and of a missing value.

        Args:
            setting: SETTING_COLUMNS, TEST_COLUMNS, `lang` and `task` as text.
        """
        found = self._features.get(tuple(setting[name] for name in FEATURE_KEY))
        if found is None or found["test_lang"] in ("", found["source_lang"]) or math.isnan(value):
            return
        family = "all test sets" if self._pool else set_family(setting["test"], found["test_lang"])
        group = tuple((setting | {"family": family})[name] for name in _GROUP_KEY)
        place = setting["test_sha256"] if self._pool else ""
        variant = {name: setting[name] for name in _VARIANT}
        yield _Observation(group, what, size, training or {}, found, variant, place, unit, value, reason)

    def is_own(self, setting: Mapping[str, str]) -> bool:
        """Whether the target data is in the language of the test set."""
        found = self._features.get(tuple(setting[name] for name in FEATURE_KEY))
        return found is not None and found["test_lang"].split("-")[0] == setting["lang"].split("-")[0]


def _zero_shots(rows: pd.DataFrame, known: _Known, columns: Columns) -> Iterator[_Observation]:
    for task, row in zip(tasks_of(rows), rows.to_dict("records"), strict=True):
        if row["size"] == 0 and row["split"] == "test":
            setting = {name: to_text(row[name]) for name in ("lang", *SETTING_COLUMNS, *TEST_COLUMNS)} | {"task": task}
            score = float(row[columns_of(columns, task)[0]])
            yield from known.observe(setting, "zero-shot", score, unit=to_text(row["source_seed"]))


def _effects(comparisons: Sequence[Comparison], known: _Known, columns: Columns) -> Iterator[_Observation]:
    """Gains and N₀ of transfer against target-only."""
    for c in leading([c for c in comparisons if c.column == columns_of(columns, c.panel.task)[0]]):
        setting = {**c.first.setting, **c.panel.measurement, "lang": c.panel.lang, "task": c.panel.task}
        if c.first.arm is not Arm.TRANSFER or not known.is_own(setting):
            continue
        # Frozen layers and mapped tags have no column: they are noted after the hash of the target data.
        changes = setting["target_sha256"].partition("+")[2]
        training = {name: (setting | {"changes": changes})[name] for name in _TRAINING_KEY}
        training |= {f"target-only {name}": c.second.setting[name] for name in HYPER_COLUMNS}
        reason = "" if c.learned else "no run learned anything."
        for result in c.results:
            yield from known.observe(setting, "gain", result.gain.value, result.size, training=training, reason=reason)
        yield from known.observe(setting, "N₀", c.zero_shot_worth.value, training=training, reason=reason)


def _group_labels(keys: Sequence[Mapping[str, str]]) -> list[str]:
    """Family of test sets, encoder and source data, and what else tells the groups apart."""
    begins = []
    for key in keys:
        size = f" ({int(float(key['source_size'])):,})" if key["source_size"] else ""
        begins.append(f"{key['family']}, {short_name(key['model'])}, {short_name(key['source'])}{size}")
    return extend_labels(begins, keys, _GROUP_KEY)


def _finish(label: str, found: Sequence[_Observation], columns: Columns) -> Group:
    by_outcome: dict[tuple[Any, ...], list[_Observation]] = {}
    for observation in found:
        by_outcome.setdefault(observation.outcome, []).append(observation)
    trainings = [own[0].training for own in by_outcome.values() if own[0].training]
    words = _training_labels(trainings)
    outcomes, left_out = [], []
    for _, own in sorted(by_outcome.items()):
        setting = words[trainings.index(own[0].training)] if own[0].training else ""
        values: dict[str, float] = {}
        outcome = Outcome(own[0].what, own[0].size, values, setting)
        for code in sorted({observation.language for observation in own}):
            value, reason = _combine([observation for observation in own if observation.language == code])
            if reason:
                left_out.append(f"{language_name(code)}, {outcome.name}: {reason}")
            else:
                values[code] = value
        if values:
            outcomes.append(outcome)
    task = dict(zip(_GROUP_KEY, found[0].group, strict=True))["task"]
    metric = metric_name(columns_of(columns, task)[0], task)
    return Group(label, tuple(outcomes), _mean_features(found), metric, tuple(left_out))


def _training_labels(trainings: Sequence[Mapping[str, str]]) -> list[str]:
    """What tells the settings of gains apart; "" where all are the same."""
    return tell_apart(trainings, tuple(trainings[0])) if trainings else []


def _combine(own: Sequence[_Observation]) -> tuple[float, str]:
    """The outcome of one language, the mean over its test sets; or why there is none."""
    if reason := next((observation.reason for observation in own if observation.reason), ""):
        return math.nan, reason
    places: dict[str, dict[str, float]] = {}
    for observation in own:
        places.setdefault(observation.place, {})[observation.unit] = observation.value
    for place in places:
        variants = [observation.variant for observation in own if observation.place == place]
        ways = dict.fromkeys(tell_apart(variants, _VARIANT))
        if len(ways) > 1:
            return math.nan, f"measured in several ways ({'; '.join(ways)}): give the tables to separate commands."
    values = [float(np.mean([*units.values()])) for units in places.values()]
    if len(set(values)) > 1 and not np.isfinite(values).all():
        return math.nan, "beyond the sizes measured on a part of its test sets: there is no mean."
    return float(np.mean(values)), ""


def _mean_features(found: Sequence[_Observation]) -> dict[str, dict[str, float]]:
    """By language, then feature: the mean over the language's test sets."""
    known = {(observation.language, id(observation.features)): observation.features for observation in found}
    by_language: dict[str, dict[str, list[float]]] = {}
    for (code, _), row in known.items():
        values = by_language.setdefault(code, {})
        for name in FEATURES:
            if not math.isnan(row[name]):
                values.setdefault(name, []).append(row[name])
    return {
        code: {name: float(np.mean(numbers)) for name, numbers in values.items()}
        for code, values in by_language.items()
    }


def correlate(group: Group) -> tuple[Correlation, ...]:
    """ρ of each outcome with each feature that at least LEAST_LANGUAGES languages have and that varies; () below that."""
    found = []
    for outcome in group.outcomes:
        for feature in FEATURES:
            codes = [c for c, v in outcome.values.items() if feature in group.features[c] and not math.isnan(v)]
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
