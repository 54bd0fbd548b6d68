"""Small multiples: a facet for each encoder or setting of a panel, so that no drawing has more than a line for each arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xlqa.curves.comparison import Comparison
from xlqa.curves.grouping import SOURCE_STAGE_COLUMNS, Curve, Key, Panel, label_curves
from xlqa.records import Arm


def split_settings(panels: Sequence[Panel]) -> tuple[Panel, ...]:
    """The panels, each split where one of its arms has several encoders or settings of the training on N examples.

    A facet's label names its setting on a second line; its curves are then named by their arms alone, so that all facets share
    one legend. An arm with a single setting is drawn in every facet with the same encoder and data, a monolingual one in all.
    """
    return tuple(facet for panel in panels for facet in _split(panel))


def split_comparisons(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The comparisons, each moved to its facet."""
    facets = {id(c.panel): _split(c.panel) for c in comparisons}
    return tuple(_move(c, facets[id(c.panel)]) for c in comparisons)


def _split(panel: Panel) -> tuple[Panel, ...]:
    families: dict[Arm, dict[Key, Curve]] = {}
    for curve in panel.curves:
        if curve.points and curve.arm is not Arm.MONOLINGUAL:
            families.setdefault(curve.arm, {}).setdefault(curve.family, curve)
    varied = [found for found in families.values() if len(found) > 1]
    keys = list(dict.fromkeys(key for found in varied for key in found))
    if not keys:
        return (panel,)
    alone = {arm for arm, found in families.items() if len(found) == 1}
    some = {key: curve for found in varied for key, curve in found.items()}
    blank = dict.fromkeys(SOURCE_STAGE_COLUMNS, "")
    names = label_curves([(Arm.TARGET_ONLY, {**some[key].setting, **blank}) for key in keys])
    return tuple(
        _facet(panel, [curve for curve in panel.curves if _belongs(curve, some[key], alone)], name)
        for key, name in zip(keys, names, strict=True)
    )


def _belongs(curve: Curve, first: Curve, alone: set[Arm]) -> bool:
    """Whether a curve is drawn in the facet of another: the same setting, or the only one of its arm."""
    if curve.arm is Arm.MONOLINGUAL or curve.family == first.family:
        return True
    if not curve.points:  # zero-shot alone has no target stage
        return curve.setting["model_sha256"] == first.setting["model_sha256"]
    return curve.arm in alone and curve.data_key == first.data_key


def _facet(panel: Panel, curves: Sequence[Curve], name: str) -> Panel:
    arms = [curve.arm for curve in curves]
    named = tuple(
        replace(curve, label=curve.arm.value)
        if arms.count(curve.arm) == 1 and curve.arm is not Arm.MONOLINGUAL
        else curve
        for curve in curves
    )
    return replace(panel, curves=named, label=f"{panel.label}\n{name.partition(', ')[2]}")


def _move(c: Comparison, facets: Sequence[Panel]) -> Comparison:
    if facets[0] is c.panel:
        return c
    for facet in facets:
        by_key = {curve.key: curve for curve in facet.curves}
        if c.first.key in by_key and c.second.key in by_key:
            return replace(c, panel=facet, first=by_key[c.first.key], second=by_key[c.second.key])
    # Settings of their own: the facet of the arm that saw the source data.
    facet = next(facet for facet in facets if any(curve.key == c.first.key for curve in facet.curves))
    return replace(c, panel=facet, first=next(curve for curve in facet.curves if curve.key == c.first.key))
