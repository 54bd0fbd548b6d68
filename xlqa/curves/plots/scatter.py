"""Draws the gain against the zero-shot score over languages and tasks: a point and a code for each language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlqa.curves.aggregate import conditions
from xlqa.curves.comparison import Comparison, SizeResult, leading
from xlqa.curves.grouping import extend_labels, source_name
from xlqa.curves.plots.curves import GREY, MARKERS, PALETTES, Style, all_text, format_size, plain
from xlqa.curves.wording import leading_metric
from xlqa.errors import XlqaError
from xlqa.records import Arm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pair = tuple[Comparison, SizeResult]


def scatter_figure(
    comparisons: Sequence[Comparison], at: int, style: Style, size: tuple[float, float] | None = None
) -> Figure:
    """Zero-shot score (x) and gain at one N (y, with its 95 % interval) of every language, test set and task.

    Args:
        at: N; where no language has it, the size that most have.

    Raises:
        XlqaError: no comparison has both.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points = _points(comparisons, at)
    if not points:
        raise XlqaError(
            "--what scatter: no language has a zero-shot score and a gain: it takes transfer and target-only runs of one encoder on "
            "the same target data, and runs that learned something."
        )
    needed = (style.panel[0] * 1.5, style.panel[1] * 1.55)
    style = style.fitted(size, needed)
    with style.context(all_text([c.panel for c, _ in points])):
        figure = Figure(figsize=size or needed, layout="constrained")
        FigureCanvasAgg(figure)
        ax = figure.subplots()
        draw_scatter(ax, points, style)
        handles, labels = ax.get_legend_handles_labels()
        if len(labels) > 1:
            figure.legend(handles, labels, loc="outside lower center", ncols=1 if max(map(len, labels)) > 30 else 2)
    return figure


def _points(comparisons: Sequence[Comparison], at: int) -> list[Pair]:
    """Comparisons by their leading scores, each with its result at one size for all."""
    shown = [
        c
        for c in leading(comparisons)
        if c.first.arm is Arm.TRANSFER
        and c.learned
        and c.column.removeprefix("squad_") == leading_metric(c.panel.task)
        and not math.isnan(c.zero_shot.value)
    ]
    sizes = [size for c in shown for size in c.sizes_with_gain]
    if at not in sizes and sizes:
        at = max(sorted(set(sizes)), key=sizes.count)
    return [(c, r) for c in shown for r in c.results if r.size == at and r.seeds]


def draw_scatter(ax: Axes, points: Sequence[Pair], style: Style) -> Axes:
    """Draw the points; a colour and a marker for each task, family of settings, or both where they differ."""
    names = _groups([c for c, _ in points])
    groups = list(dict.fromkeys(names.values()))
    ax.axhline(0, color=GREY, linewidth=style.line * 0.6, zorder=1)
    for place, group in enumerate(groups):
        color = PALETTES[style.palette][place % len(PALETTES[style.palette])]
        marker = MARKERS[place % len(MARKERS)]
        own = [(c, r) for c, r in points if names[id(c)] == group]
        for c, r in own:
            if not math.isnan(r.gain.low):
                ax.plot(
                    [c.zero_shot.value] * 2,
                    [r.gain.low, r.gain.high],
                    color=color,
                    linewidth=style.line * 0.6,
                    alpha=0.6,
                    zorder=2,
                )
        x, y = [c.zero_shot.value for c, _ in own], [r.gain.value for _, r in own]
        ax.plot(
            x, y, marker=marker, linestyle="none", color=color, markersize=style.marker, label=plain(group), zorder=3
        )
    _label_points(ax, points, style)
    metrics, sources = {c.metric for c, _ in points}, {source_name(c.first.setting) for c, _ in points}
    ax.set_xlabel(plain(f"zero-shot {metrics.pop() if len(metrics) == 1 else 'score'}, %"))
    source = sources.pop() if len(sources) == 1 else "the source data"
    ax.set_ylabel(plain(f"gain from {source} at N = {format_size(points[0][1].size)},\npoints (95 % interval)"))
    ax.margins(x=0.12, y=0.08)
    return ax


def _groups(shown: Sequence[Comparison]) -> dict[int, str]:
    """By the id of a comparison, what tells its kind from others: the task, and the settings where there are several."""
    several = len({c.panel.task for c in shown}) > 1
    labels = len({c.first.label for c in shown}) > 1
    begins = [
        ", ".join(word for word in (c.panel.wording.title if several else "", c.first.label if labels else "") if word)
        for c in shown
    ]
    settings = [conditions(c) for c in shown]
    names = extend_labels(begins, settings, tuple(settings[0]))
    return {id(c): name or "transfer" for c, name in zip(shown, names, strict=True)}


def _label_points(ax: Axes, points: Sequence[Pair], style: Style) -> None:
    """The language's code at the upper right of its point; at the lower left where the next point is near."""
    spread = [c.zero_shot.value for c, _ in points], [r.gain.value for _, r in points]
    wide, high = (max(values) - min(values) or 1.0 for values in spread)
    ordered = sorted(points, key=lambda pair: (pair[0].zero_shot.value, pair[1].gain.value))
    places = [(c.zero_shot.value / wide, r.gain.value / high) for c, r in ordered]
    for (c, r), (x, y), (a, b) in zip(ordered, places, [*places[1:], (math.inf, math.inf)], strict=True):
        near = abs(x - a) < 0.07 and abs(y - b) < 0.07
        ax.annotate(
            c.panel.lang, (c.zero_shot.value, r.gain.value), xytext=(-3, -3) if near else (3, 2), textcoords="offset points",
            ha="right" if near else "left", va="top" if near else "bottom", fontsize=style.font * 0.85, zorder=4,
        )  # fmt: skip
