"""Draws zero-shot scores over languages: a block for each task and family of test sets, a row for each language, best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xlqa.curves.aggregate import set_family
from xlqa.curves.grouping import TARGET_STAGE_COLUMNS, Floats, Panel, short_name, source_name, tell_apart
from xlqa.curves.plots.curves import MARKERS, PALETTES, Style, all_text, merge_handles, plain
from xlqa.curves.wording import QA, Columns, columns_of, metric_name
from xlqa.errors import XlqaError
from xlqa.records import SETTING_COLUMNS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SOURCE_COLUMNS = tuple(name for name in SETTING_COLUMNS if name not in TARGET_STAGE_COLUMNS)
Key = tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """The zero-shot scores of one language under one encoder and source setting.

    Attributes:
        source: the values of what the source stage depends on, as text.
        values: percent, one for each source stage.
    """

    panel: Panel
    source: Mapping[str, str]
    values: Floats

    @property
    def mean(self) -> float:
        """Mean over source stages, in percent."""
        return float(np.mean(self.values))

    @property
    def block(self) -> Key:
        """Task and family of test sets: languages with the same one share a block."""
        return self.panel.task, set_family(self.panel.measurement["test"], self.panel.lang)


def zero_shot_figure(
    panels: Sequence[Panel], wanted_columns: Columns, style: Style, size: tuple[float, float] | None = None
) -> Figure:
    """Zero-shot scores of all languages, by the leading score of each task: the mean and each source stage.

    Raises:
        XlqaError: no panel has a zero-shot score.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scores = find_scores(panels, wanted_columns)
    if not scores:
        raise XlqaError("--what zero-shot: no zero-shot score: it takes rows of the arm transfer with size 0.")
    blocks: dict[Key, list[Score]] = {}
    for score in scores:
        blocks.setdefault(score.block, []).append(score)
    labels = {block: label_sources(own) for block, own in blocks.items()}
    named = list(dict.fromkeys(label for known in labels.values() for label in known.values() if label))
    rows = [len(_languages(own)) for own in blocks.values()]
    line = style.font / 72
    needed = (style.panel[0] * 1.7, line * (1.75 * sum(rows) + 6.0 * len(blocks) + 1.6 * len(named)))
    style = style.fitted(size, needed)
    with style.context(all_text(panels)):
        figure = Figure(figsize=size or needed, layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(len(blocks), 1, squeeze=False, height_ratios=[count + 0.4 for count in rows])
        for ax, (block, own) in zip(grid[:, 0], blocks.items(), strict=True):
            draw_zero_shot(ax, own, labels[block], named, style)
            ax.set_xlabel(plain(_axis_name(own, wanted_columns, labels[block])))
        if handles := merge_handles(grid[:, 0]):
            figure.legend(handles.values(), handles.keys(), loc="outside lower left", ncols=1)
    return figure


def find_scores(panels: Sequence[Panel], wanted_columns: Columns) -> list[Score]:
    """Each panel's zero-shot scores; curves that start from the same source stages count once."""
    found: dict[Key, Score] = {}
    for panel in panels:
        column = columns_of(wanted_columns, panel.task)[0]
        for curve in panel.curves:
            source = {name: curve.setting[name] for name in _SOURCE_COLUMNS}
            values = _values(curve.zero_shot, column)
            if values.size:
                key = (panel.task, panel.lang, *panel.measurement.values(), *source.values())
                found.setdefault(key, Score(panel, source, values))
    return list(found.values())


def _values(rows: pd.DataFrame, column: str) -> Floats:
    values: Floats = rows[column].to_numpy(dtype=float)
    kept: Floats = values[~np.isnan(values)]
    return kept


def label_sources(own: Sequence[Score]) -> dict[Key, str]:
    """What tells the encoders and source settings of a block apart, by their values; "" where there is one."""
    sources = list({tuple(score.source.values()): score.source for score in own}.values())
    labels = tell_apart(sources, _SOURCE_COLUMNS, ("model",)) if len(sources) > 1 else [""]
    return {tuple(source.values()): label for source, label in zip(sources, labels, strict=True)}


def _axis_name(own: Sequence[Score], wanted_columns: Columns, labels: Mapping[Key, str]) -> str:
    """The metric, and the encoder and the source data where all rows have the same."""
    task = own[0].panel.task
    name = f"zero-shot {metric_name(columns_of(wanted_columns, task)[0], task)}, %"
    source = own[0].source
    if len(labels) > 1:
        return name
    size = f" {float(source['source_size']):,.0f}" if source["source_size"] else ""
    return f"{name}\n{short_name(source['model'])}; {source_name(source)}:{size} {own[0].panel.wording.units}"


def _languages(own: Sequence[Score]) -> list[str]:
    """Names of the rows, best first: by the mean over encoders and source settings."""
    names: dict[str, list[float]] = {}
    for score in own:
        names.setdefault(_row_name(score, own), []).append(score.mean)
    return sorted(names, key=lambda name: -float(np.mean(names[name])))


def _row_name(score: Score, own: Sequence[Score]) -> str:
    """The language, and the test set where the block has several of it."""
    tests = {other.panel.label for other in own if other.panel.lang == score.panel.lang}
    return score.panel.language_name if len(tests) == 1 else f"{score.panel.language_name}, {score.panel.label}"


def draw_zero_shot(
    ax: Axes, own: Sequence[Score], labels: Mapping[Key, str], named: Sequence[str], style: Style
) -> Axes:
    """Draw one block: a large mark for the mean, a line for each source stage; the number beside it where each row has one.

    Args:
        labels: of the block's sources, by their values; named: those of all blocks, which decide colours and marks.
    """
    names = _languages(own)
    sharing: dict[str, list[Key]] = {}
    for score in own:
        sharing.setdefault(_row_name(score, own), []).append(tuple(score.source.values()))
    colors = PALETTES[style.palette]
    for score in own:
        key = tuple(score.source.values())
        place = named.index(labels[key]) if labels[key] else len(named)
        color, marker = colors[place % len(colors)], MARKERS[place % len(MARKERS)]
        row = _row_name(score, own)
        y = names.index(row) + 0.5 * ((sharing[row].index(key) + 0.5) / len(sharing[row]) - 0.5)
        if score.values.size > 1:
            stages = np.full(score.values.size, y)
            ax.plot(score.values, stages, "|", color=color, markersize=style.marker * 1.4, zorder=3)
        ax.plot(
            [score.mean], [y], marker, color=color, markersize=style.marker, label=plain(labels[key]) or None, zorder=4
        )
        if len(labels) == 1:
            ax.annotate(
                f"{score.mean:.1f}", (1, y), xycoords=("axes fraction", "data"), xytext=(style.font * 3, 0),
                textcoords="offset points", ha="right", va="center", fontsize=style.font * 0.85, annotation_clip=False,
            )  # fmt: skip
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_yticks(range(len(names)), [plain(name) for name in names])
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.05)
    ax.set_xlim(left=0)
    title = own[0].block[1]
    ax.set_title(plain(title if own[0].panel.task == QA else f"{own[0].panel.wording.title}, {title}"), loc="left")
    return ax
