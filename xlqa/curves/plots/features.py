"""Draws outcomes against features over languages, as small multiples: a row for each outcome, a column for each feature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from xlqa.curves.features import FEATURE_NAMES, LEAST_LANGUAGES, Correlation, Group, Outcome, correlate
from xlqa.curves.plots.curves import GREY, Style, format_size, plain, share_scale
from xlqa.errors import XlqaError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE = "#0072B2"
MOST_COLUMNS = 5
BINARY = ("same_script", "same_family")
Size = tuple[float, float] | None


def features_figure(groups: Sequence[Group], style: Style, size: Size = None, names: Sequence[str] = ()) -> Figure:
    """Every outcome of every group against every feature that varies; the ρ of each panel, from 8 languages on.

    Groups below 8 languages are drawn only where no group has more.

    Args:
        names: only these features.

    Raises:
        XlqaError: there is nothing to draw.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    groups = [group for group in groups if len(group.languages) >= LEAST_LANGUAGES] or groups
    features = [name for name in FEATURE_NAMES if (not names or name in names) and _varies(groups, name)]
    rows = [(group, outcome) for group in groups for outcome in group.outcomes if _known(outcome) > 1]
    if not features or not rows:
        raise XlqaError(
            "--what features: no outcome and feature vary over two languages or more: measure more languages."
        )
    blocks = [features[first : first + MOST_COLUMNS] for first in range(0, len(features), MOST_COLUMNS)]
    columns = len(blocks[0])
    width, height = style.panel[0] * 0.66, style.panel[1] * 0.78
    with style.context(" ".join(group.label for group in groups)):
        wanted = size or (width * columns + 0.4, (height * len(rows) + 0.3) * len(blocks))
        figure = Figure(figsize=wanted, layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(len(rows) * len(blocks), columns, squeeze=False)
        for number, block in enumerate(blocks):
            axes = grid[number * len(rows) : (number + 1) * len(rows)]
            _draw_block(axes, rows, block, style)
            for line in axes:
                for spare in line[len(block) :]:
                    spare.set_visible(False)
    return figure


def _draw_block(axes: Any, rows: Sequence[tuple[Group, Outcome]], features: Sequence[str], style: Style) -> None:
    """Draw every outcome against some features: (rows, columns) axes."""
    for line, (group, outcome) in enumerate(rows):
        known = {c.feature: c for c in correlate(group) if c.outcome is outcome}
        first = line == 0 or rows[line - 1][0] is not group
        for place, name in enumerate(features):
            ax = axes[line][place]
            # Above the first row an empty line is kept for the group's name.
            draw_feature(ax, group, outcome, name, known.get(name), style, above="\n" * first)
            if place:
                ax.tick_params(labelleft=False)
            if line == len(rows) - 1:
                ax.set_xlabel(FEATURE_NAMES[name].replace(" (", "\n("))
            else:
                ax.tick_params(labelbottom=False)
        share_scale(list(axes[line][: len(features)]))
        axes[line][0].set_ylabel(_outcome_label(outcome, group.metric))
        if first:
            _name_group(axes[line][0], group, style)


def _name_group(ax: Axes, group: Group, style: Style) -> None:
    count = len(group.languages)
    few = f" (too few for ρ: {LEAST_LANGUAGES} needed)" if count < LEAST_LANGUAGES else ""
    name = ax.annotate(
        plain(f"{count} languages: {group.label}{few}"), xy=(0, 1), xytext=(0, style.font * 1.9), xycoords="axes fraction",
        textcoords="offset points", fontweight="bold", annotation_clip=False,
    )  # fmt: skip
    name.set_in_layout(False)  # it may be wider than its panel


def _known(outcome: Outcome) -> int:
    """Languages with a value that can be drawn on an axis."""
    return sum(math.isfinite(value) for value in outcome.values.values())


def _varies(groups: Sequence[Group], name: str) -> bool:
    return any(len({known[name] for known in group.features.values() if name in known}) > 1 for group in groups)


def _outcome_label(outcome: Outcome, metric: str) -> str:
    words = {
        "N₀": "N₀, examples",
        "zero-shot": f"zero-shot {metric}, %",
        "gain": f"gain in {metric}\nat N = {format_size(outcome.size)}",
    }
    return plain("\n".join(filter(None, (words[outcome.what], outcome.setting))))


def draw_feature(
    ax: Axes, group: Group, outcome: Outcome, name: str, found: Correlation | None, style: Style, above: str = ""
) -> Axes:
    """Draw one outcome against one feature: a point and a code for each language; N₀ beyond the sizes measured at the edge.

    Args:
        above: what comes before the ρ in the title.
    """
    from matplotlib.ticker import MaxNLocator

    codes = [c for c, value in outcome.values.items() if name in group.features[c] and not math.isnan(value)]
    x = np.array([group.features[code][name] for code in codes])
    y = np.array([outcome.values[code] for code in codes])
    finite = np.isfinite(y)
    if outcome.what == "N₀" and finite.any() and (y[finite] > 0).all():
        _log_scale(ax)
    clear = found is not None and found.rho.excludes_zero
    colour = BLUE if clear else GREY
    ax.plot(x[finite], y[finite], "o", color=colour, markersize=style.marker * 0.55, mew=0, zorder=3)
    for place in np.flatnonzero(~finite):
        edge = 0.98 if y[place] > 0 else 0.02
        marker = "^" if y[place] > 0 else "v"
        ax.plot(
            [x[place]],
            [edge],
            marker,
            color=colour,
            markersize=style.marker * 0.6,
            transform=ax.get_xaxis_transform(),
            clip_on=False,
        )
    order = sorted(np.flatnonzero(finite), key=lambda place: (y[place], codes[place]))
    for number, place in enumerate(order):
        left = name in BINARY and number % 2 == 1
        ax.annotate(
            codes[place], (x[place], y[place]), xytext=(-2 if left else 2, 1.0), textcoords="offset points",
            ha="right" if left else "left", fontsize=style.font * 0.72, color="#333333",
        )  # fmt: skip
    ax.margins(x=0.16, y=0.14)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    if name in BINARY:
        ax.set_xticks([0, 1], ["no", "yes"])
        ax.set_xlim(-0.6, 1.6)
    words = above
    if found is not None:
        rho = found.rho
        words += f"ρ = {rho.value:.2f} [{rho.low:.2f}, {rho.high:.2f}]".replace("-", "−")
    ax.set_title(words, loc="left", fontsize=style.font * 0.85, color="black" if clear else GREY)
    return ax


def _log_scale(ax: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_size(value)))
    ax.yaxis.set_minor_locator(NullLocator())
