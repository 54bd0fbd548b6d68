"""Means over languages, each with its interval. The languages are the unit: K languages give K observations.

An interval is Student's t over the K values of the languages: mean ± t(K − 1) · s / √K. The values of the languages differ by
their true values and by their own errors, and s contains both, so that no error of a single language is needed (with equal
weights, the interval of Knapp & Hartung 2003, doi:10.1002/sim.1482, is this one). What all languages share, as a source stage, is in no
such spread: the interval is given it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xlqa.curves.comparison import Comparison, leading
from xlqa.curves.grouping import HYPER_COLUMNS, extend_labels, source_name
from xlqa.curves.variance import Floats, Interval
from xlqa.curves.wording import Columns, columns_of
from xlqa.records import SETTING_COLUMNS, TEST_COLUMNS

LEAST_LANGUAGES = 2
"""One language has no spread."""

_ALIKE = tuple(name for name in SETTING_COLUMNS if name not in ("target", "target_sha256"))
_TESTED_ALIKE = tuple(name for name in TEST_COLUMNS if name not in ("test", "test_sha256", "scorer"))

LOWEST_GAIN = -100.0
"""In points: from all right to all wrong."""


@dataclass(frozen=True)
class LanguageMean:
    """The mean of a score or gain over languages.

    Attributes:
        size: N; 0 for the zero-shot score.
        languages: K, the languages that have a value at this size. mean: in percent or points.
        spread: standard deviation over the languages.
        above, below: how many languages have an interval of their own above and below 0; 0 for a score.
    """

    size: int
    languages: int
    mean: Interval
    spread: float
    above: int = 0
    below: int = 0


@dataclass(frozen=True)
class Languages:
    """Comparisons of one kind, one for each language: the same arms and settings, and one test set a language.

    Attributes:
        label: what they have in common, as "xquad, transfer".
    """

    label: str
    comparisons: tuple[Comparison, ...]

    @property
    def means(self) -> tuple[LanguageMean, ...]:
        """Zero-shot first, then the gain at each size that at least LEAST_LANGUAGES languages have."""
        zero_shot = [c.zero_shot.value for c in self.comparisons if not math.isnan(c.zero_shot.value)]
        found = [_summarize(0, zero_shot, ())] if len(zero_shot) >= LEAST_LANGUAGES else []
        for size in sorted({size for c in self.comparisons for size in c.sizes_with_gain}):
            gains = [r.gain for c in self.comparisons for r in c.results if r.size == size and r.seeds]
            if len(gains) >= LEAST_LANGUAGES:
                found.append(_summarize(size, [gain.value for gain in gains], gains))
        return tuple(found)


def _summarize(size: int, values: Sequence[float], own: Sequence[Interval]) -> LanguageMean:
    found = np.array(values, dtype=float)
    above, below = sum(gain.low > 0 for gain in own), sum(gain.high < 0 for gain in own)
    mean = mean_over_languages(found, LOWEST_GAIN if size else 0.0)
    return LanguageMean(size, len(found), mean, float(found.std(ddof=1)), above, below)


def mean_over_languages(values: Floats, least: float = LOWEST_GAIN, most: float = 100.0) -> Interval:
    """The mean of the languages' values, (K,), with Student's 95 % interval; ends are NaN for one language.

    Args:
        least, most: values that are possible. With two or three languages the interval would often reach beyond them.
    """
    from scipy.special import stdtrit

    mean, count = float(values.mean()), len(values)
    if count < LEAST_LANGUAGES:
        return Interval(mean, math.nan, math.nan)
    half = float(stdtrit(count - 1, 0.975)) * float(values.std(ddof=1)) / math.sqrt(count)
    return Interval(mean, max(mean - half, least), min(mean + half, most))


def group_comparisons(comparisons: Sequence[Comparison], columns: Columns) -> tuple[Languages, ...]:
    """Comparisons of at least two languages that may be averaged, by their leading scores; the source language is left out.

    One task, one arm, one setting and one family of test sets (xquad.ru and xquad.zh); where each language has a single
    test set, these form one group.
    """
    drafts: dict[tuple[str, ...], list[Comparison]] = {}
    for c in leading([c for c in comparisons if c.learned and c.column == columns_of(columns, c.panel.task)[0]]):
        if c.panel.language_name != source_name(c.first.setting):
            drafts.setdefault((c.panel.task, c.first.label, *conditions(c).values()), []).append(c)
    found = []
    for own in drafts.values():
        for family, part in _split_by_set(own).items():
            if len({c.panel.lang for c in part}) == len(part) >= LEAST_LANGUAGES:
                found.append(Languages(", ".join(word for word in (family, own[0].first.label) if word), tuple(part)))
    settings = [conditions(group.comparisons[0]) for group in found]
    names = [f"{group.comparisons[0].panel.task}: {group.label}" for group in found]
    apart = extend_labels(names, settings, tuple(settings[0]) if settings else ())
    return tuple(
        replace(group, label=name.removeprefix(f"{group.comparisons[0].panel.task}: "))
        for group, name in zip(found, apart, strict=True)
    )


def conditions(c: Comparison) -> dict[str, str]:
    """What languages have in common that are averaged: encoder, source data, the settings of both arms and of the test."""
    # Frozen layers and mapped tags have no column: they are noted after the hash of the target data.
    changes = c.first.setting["target_sha256"].partition("+")[2]
    return {
        **{name: c.first.setting[name] for name in _ALIKE}, "changes": changes,
        **{f"target-only {name}": c.second.setting[name] for name in HYPER_COLUMNS},
        **{name: c.panel.measurement[name] for name in _TESTED_ALIKE},
    }  # fmt: skip


def _split_by_set(own: Sequence[Comparison]) -> dict[str, list[Comparison]]:
    families: dict[str, list[Comparison]] = {}
    for c in own:
        families.setdefault(set_family(c.panel.measurement["test"], c.panel.lang), []).append(c)
    alone = len({c.panel.lang for c in own}) == len(own)
    return {"": list(own)} if alone and len(families) > 1 else families


def set_family(name: str, language: str) -> str:
    """The name of a test set without its language: xquad.ru and xquad.zh are of one family."""
    words = re.split(r"([._-])", name)
    kept = "".join("*" if word == language else word for word in words)
    return re.sub(r"[._-]\*$", "", kept)
