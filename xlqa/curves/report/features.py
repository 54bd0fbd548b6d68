"""The section of a report on all languages: what zero-shot scores, gains and N₀ correlate with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from xlqa.curves.features import FEATURE_NAMES, LEAST_LANGUAGES, Correlation, Group, correlate
from xlqa.curves.report.document import Section, Table
from xlqa.util.languages import language_name

TIDY_COLUMNS = ("group", "outcome", "size", "setting", "feature", "languages", "rho", "low", "high")
METHODS = (
    "Each language is one observation; the source language is left out. ρ is Spearman's, with the 95 % interval of Bonett & "
    "Wright (2000). The intervals are not corrected for the number of features: of 20 features without any effect, about one "
    "excludes 0. A correlation over languages is not a cause: related languages share script, family and pieces."
)


def feature_sections(groups: Sequence[Group]) -> tuple[Section, ...]:
    """A section for each group of languages; the number of languages comes first."""
    return tuple(_section(group) for group in groups)


def _section(group: Group) -> Section:
    found = correlate(group)
    names = ", ".join(language_name(code) for code in group.languages)
    count = len(group.languages)
    lead = f"{count} language{'s' * (count != 1)}: {names}."
    if count < LEAST_LANGUAGES:
        lead += f" That is too few: no correlation is computed below {LEAST_LANGUAGES}."
    elif not found:
        lead += f" No outcome and feature are known for {LEAST_LANGUAGES} or more of them."
    facts = [_fact(outcome.name, [c for c in found if c.outcome is outcome]) for outcome in group.outcomes]
    tables = (_values_table(group), *([_rho_table(found)] if found else []))
    return Section(
        f"Across languages: {group.label}",
        tables=tables,
        facts=tuple(fact for fact in facts if fact),
        missing=group.left_out,
        lead=lead,
    )


def _fact(outcome: str, found: Sequence[Correlation]) -> str:
    """The features whose interval excludes 0, the strongest first."""
    if not found:
        return ""
    clear = sorted((c for c in found if c.rho.excludes_zero), key=lambda c: -abs(c.rho.value))
    tried = f"{len(found)} feature{'s were' if len(found) != 1 else ' was'} tried"
    if not clear:
        return f"{_capital(outcome)}: {tried}; the interval of ρ includes 0 for {'all' if len(found) > 1 else 'it'}."
    parts = [
        f"{'rises' if c.rho.value > 0 else 'falls'} with {FEATURE_NAMES[c.feature]} (ρ = {_rho(c)}, {c.languages} languages)"
        for c in clear
    ]
    return f"{_capital(outcome)} {', '.join(parts)}; {tried}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _rho(c: Correlation) -> str:
    return f"{_number(c.rho.value)}, 95 % interval {_number(c.rho.low)} to {_number(c.rho.high)}"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _rho_table(found: Sequence[Correlation]) -> Table:
    rows = tuple(
        (f"{c.outcome.name}, {FEATURE_NAMES[c.feature]}", str(c.languages), _number(c.rho.value),
         f"{_number(c.rho.low)} to {_number(c.rho.high)}")
        for c in found
    )  # fmt: skip
    header = ("outcome and feature", "languages", "ρ", "95 % interval")
    return Table("Spearman's ρ over languages", header, rows, name="correlations")


def _values_table(group: Group) -> Table:
    """Outcomes and known features of each language."""
    features = [name for name in FEATURE_NAMES if any(name in known for known in group.features.values())]
    header = ("language", *(o.name for o in group.outcomes), *(FEATURE_NAMES[name] for name in features))
    rows = []
    for code in group.languages:
        known = group.features[code]
        outcomes = [_value(o.values.get(code), 0 if o.what == "N₀" else 1) for o in group.outcomes]
        rows.append((language_name(code), *outcomes, *(_value(known.get(name), 2) for name in features)))
    return Table("Outcomes and features", header, tuple(rows), name="features")


def _value(value: float | None, digits: int) -> str:
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "beyond the sizes" if value > 0 else "below the sizes"
    return f"{value:,.{digits}f}".replace("-", "−")


def tidy_rows(groups: Sequence[Group]) -> Iterator[dict[str, Any]]:
    """A row for each correlation, for programs."""
    for group in groups:
        for c in correlate(group):
            yield {
                "group": group.label, "outcome": c.outcome.what, "size": c.outcome.size,
                "setting": c.outcome.setting, "feature": c.feature,
                "languages": c.languages, "rho": c.rho.value, "low": c.rho.low, "high": c.rho.high,
            }  # fmt: skip
