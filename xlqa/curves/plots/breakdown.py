"""Draws the gain by kinds of test examples, a drawing a property: what `xlqa.curves.breakdown` computes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlqa.curves.breakdown import Breakdown
from xlqa.curves.plots.curves import GREY, Style, format_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHADES = ("#9ecae1", "#4292c6", "#08519c", "#08306b", "#000000")


def breakdown_figure(parts: Sequence[Breakdown], style: Style) -> Figure:
    """The gain of one comparison in each kind of examples, with 95 % intervals; darker is a larger N.

    Args:
        parts: breakdowns of one comparison, at least one.
    """
    from matplotlib.figure import Figure

    text = "".join(kind.name for part in parts for kind in part.kinds)
    with style.context(text):
        rows = sum(len(part.kinds) + 1.5 for part in parts)
        figure = Figure(figsize=(style.panel[0] * 1.5, max(rows * style.font * 0.045, 2.0)), layout="constrained")
        heights = [len(part.kinds) + 1 for part in parts]
        grid = figure.subplots(len(parts), 1, squeeze=False, sharex=True, height_ratios=heights)
        for ax, part in zip(grid[:, 0], parts, strict=True):
            draw_breakdown(ax, part, style)
        grid[-1, 0].set_xlabel(f"gain in {parts[0].comparison.metric}, points (95 % interval)")
        handles = grid[0, 0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=min(len(handles[1]), 5))
    return figure


def draw_breakdown(ax: Axes, part: Breakdown, style: Style) -> Axes:
    """Draw one breakdown: a row a kind, a point a size."""
    sizes = sorted({size for kind in part.kinds for size in kind.gains})
    shown = sizes if len(sizes) <= len(_SHADES) else [sizes[0], sizes[len(sizes) // 2], sizes[-1]]
    ax.axvline(0, color=GREY, linewidth=style.line * 0.6, zorder=1)
    for place, size in enumerate(shown):
        shift = 0.6 * ((place + 0.5) / len(shown) - 0.5)
        color = _SHADES[place + len(_SHADES) - len(shown)] if len(shown) < len(_SHADES) else _SHADES[place]
        known = [(y, kind.gains[size]) for y, kind in enumerate(part.kinds) if size in kind.gains]
        for y, gain in known:
            if not math.isnan(gain.low):
                ax.plot([gain.low, gain.high], [y + shift] * 2, color=color, linewidth=style.line * 0.8, zorder=2)
        ax.plot(
            [gain.value for _, gain in known], [y + shift for y, _ in known], "o", color=color,
            markersize=style.marker * 0.7, label=f"N = {format_size(size)}", zorder=3,
        )  # fmt: skip
    ax.set_yticks(range(len(part.kinds)), [f"{kind.name} ({kind.examples:,})" for kind in part.kinds])
    ax.set_ylim(len(part.kinds) - 0.5, -0.5)
    ax.set_title(part.factor, loc="left", fontsize=style.font)
    return ax
