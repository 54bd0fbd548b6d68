"""Scores by the number of frozen layers (Wu & Dredze 2019, arXiv:1904.09077): which runs differ in what was frozen alone.

The lowest layers of an encoder may keep their pre-trained weights in the source stage, on the target, or in both. A table notes
it in the name and hash of the data that a stage was trained on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlqa.curves.grouping import Panel, to_text
from xlqa.records import SETTING_COLUMNS, Arm

if TYPE_CHECKING:
    import pandas as pd

NOTHING = -1
"""In the place of a number of layers: not even the embeddings are frozen."""
_LAYER = re.compile(r"frozen up to layer (\d+)")
_EMBEDDINGS = "embeddings frozen"
_FROZEN = rf"{_LAYER.pattern}|{_EMBEDDINGS}"


@dataclass(frozen=True)
class Series:
    """The scores of one arm at one size over frozen layers.

    Attributes:
        stage: what was frozen: the source stage, the target stage, or both.
        layers: number of frozen layers, 0 for the embeddings alone, NOTHING for none; ascending.
        scores: runs' scores in percent at each of them.
    """

    arm: Arm
    size: int
    stage: str
    layers: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]

    @property
    def label(self) -> str:
        words = "zero-shot" if self.size == 0 else f"{self.arm}, N = {self.size:,}"
        return f"{words}, {self.stage} frozen"


def frozen_layers(sha256: str) -> int:
    """How many layers were frozen when the data of this hash were trained on; 0: the embeddings alone; NOTHING: none."""
    if found := _LAYER.search(sha256):
        return int(found[1])
    return 0 if _EMBEDDINGS in sha256 else NOTHING


def layer_series(panel: Panel, column: str) -> tuple[Series, ...]:
    """Runs that differ in frozen layers alone, as series of two points or more. Runs with nothing frozen belong to each."""
    found: dict[tuple[str, ...], dict[tuple[int, int], list[float]]] = {}
    for row in _rows(panel):
        score = float(row[column])
        if score == score:
            place = frozen_layers(str(row["source_sha256"])), frozen_layers(str(row["target_sha256"]))
            found.setdefault(_key(row), {}).setdefault(place, []).append(score)
    return tuple(series for key, scores in sorted(found.items()) for series in _series(key, scores))


def _rows(panel: Panel) -> Sequence[Mapping[str, Any]]:
    frames: list[pd.DataFrame] = [point.rows for curve in panel.curves for point in curve.points]
    frames += [curve.zero_shot for curve in panel.curves]
    rows: list[Mapping[Any, Any]] = [row for frame in frames for row in frame.to_dict("records")]
    # A zero-shot row belongs to each curve that starts from it.
    return list({(row["run_id"], row["eval_id"]): row for row in rows}.values())


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything that makes two runs different settings, without what was frozen."""
    setting = [_bare(name, to_text(row[name])) for name in SETTING_COLUMNS]
    return (str(row["arm"]), f"{int(row['size']):012d}", *setting)


def _bare(name: str, text: str) -> str:
    if name in ("source", "target"):
        return re.sub(rf"({_FROZEN}); |(; )?({_FROZEN})", "", text).replace(" ()", "")
    return re.sub(rf"\+({_FROZEN})", "", text) if name in ("source_sha256", "target_sha256") else text


def _series(key: tuple[str, ...], scores: Mapping[tuple[int, int], list[float]]) -> list[Series]:
    arm, size = Arm(key[0]), int(key[1])
    by_stage: dict[str, list[tuple[int, tuple[float, ...]]]] = {}
    for (source, target), values in sorted(scores.items()):
        stages = {"source stage": target == NOTHING, "target stage": source == NOTHING, "both stages": source == target}
        for stage in (name for name, belongs in stages.items() if belongs):
            by_stage.setdefault(stage, []).append((max(source, target), tuple(values)))
    return [
        Series(arm, size, stage, tuple(layer for layer, _ in points), tuple(values for _, values in points))
        for stage, points in by_stage.items()
        if len(points) > 1
    ]
