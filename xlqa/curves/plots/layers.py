"""Draws the score over the number of frozen layers, as Wu & Dredze 2019 do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from xlqa.curves.grouping import Panel
from xlqa.curves.layers import NOTHING, Series, layer_series
from xlqa.curves.plots.curves import Style, all_text, make_grid, merge_handles, name_axes
from xlqa.curves.wording import Columns, columns_of
from xlqa.errors import XlqaError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#A0508C", "#56B4E9", "#B8860B", "#5f5f5f")
MARKERS = {"source stage": "o", "target stage": "s", "both stages": "^"}
DASHES = {"source stage": "-", "target stage": (0, (5, 1.6)), "both stages": (0, (1.2, 1.2))}


def layers_figure(
    panels: Sequence[Panel], wanted_columns: Columns, style: Style, size: tuple[float, float] | None = None
) -> Figure:
    """A column for each panel with frozen runs, a row for each score; of several tasks, the first that has frozen runs.

    Raises:
        XlqaError: no runs differ in frozen layers alone.
    """
    shown = [panel for panel in panels if layer_series(panel, columns_of(wanted_columns, panel.task)[0])]
    shown = [panel for panel in shown if panel.task == shown[0].task]
    if not shown:
        raise XlqaError(
            "--what layers: no two runs differ in frozen layers alone: run the same sweep with other values of --freeze or "
            "--source-freeze, and name both tables."
        )
    columns = columns_of(wanted_columns, shown[0].task)
    known = {column: [layer_series(panel, column) for panel in shown] for column in columns}
    every = [series for found in known.values() for parts in found for series in parts]
    arms = list(dict.fromkeys((series.arm, series.size) for series in every))
    with style.context(all_text(shown)):
        labels = {series.label for series in every}
        across = max(len(shown), 2) * style.panel[0]
        legend = -(-len(labels) // _columns(across, style))
        wanted = size or (across, len(columns) * style.panel[1] + legend * style.font * 0.022)
        figure, grid = make_grid(shown, len(columns), style, wanted)
        for row, column in enumerate(columns):
            for ax, parts in zip(grid[row], known[column], strict=True):
                draw_layers(ax, parts, arms, style)
        name_axes(grid, shown, "{}, %", columns, x_name="frozen layers")
        handles = merge_handles(figure.axes)
        wide = _columns(float(figure.get_size_inches()[0]), style)
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=wide, handlelength=2.8)
    return figure


def _columns(width: float, style: Style) -> int:
    """Columns of the legend in a figure of some inches."""
    return max(1, int(width * 72 / style.font / 22))


def draw_layers(ax: Axes, parts: Sequence[Series], arms: Sequence[tuple[object, int]], style: Style) -> Axes:
    """Draw the series of one panel: the mean over runs, and each run's point; none, embeddings, 1, 2, … from the left."""
    places = sorted({layer for series in parts for layer in series.layers})
    # Far enough from the embeddings (0) for both labels.
    nothing = -max(1.0, 0.14 * places[-1])
    at = {place: nothing if place == NOTHING else float(place) for place in places}
    beside = 0.02 * (at[places[-1]] - at[places[0]])
    for series in parts:
        colour = COLOURS[arms.index((series.arm, series.size)) % len(COLOURS)]
        for layer, scores in zip(series.layers, series.scores, strict=True):
            if len(scores) > 1:
                where = np.full(len(scores), at[layer] + beside)
                ax.plot(where, scores, ".", color=colour, alpha=0.6, markersize=style.marker * 0.8, mew=0, zorder=3)
        means = [float(np.mean(scores)) for scores in series.scores]
        ax.plot(
            [at[layer] for layer in series.layers], means, color=colour, marker=MARKERS[series.stage], linestyle=DASHES[series.stage],
            markerfacecolor=colour if series.stage == "source stage" else "white", label=series.label, zorder=4,
        )  # fmt: skip
    words = {NOTHING: "none", 0: "emb."}
    ax.set_xticks([at[place] for place in places], [words.get(place, str(place)) for place in places])
    ax.margins(x=0.06, y=0.1)
    return ax
