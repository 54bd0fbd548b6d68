"""Draws the difference of two tables over N: `xlqa compare A B --figure FILE`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from xlqa.curves.differences import Contrast, Differences
from xlqa.curves.plots.curves import (
    GREY,
    CurveStyle,
    Style,
    add_legend,
    all_text,
    assign_styles,
    log_span,
    make_grid,
    name_axes,
    name_scorer,
    needed_size,
    set_size_axis,
)
from xlqa.curves.plots.effects import draw_interval
from xlqa.curves.wording import leading_metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def difference_figure(found: Differences, style: Style, size: tuple[float, float] | None = None) -> Figure:
    """B − A with its interval over N, by the first score of each task: a panel for each test set, a colour for each arm."""
    shown = _first_scores(found.contrasts)
    panels = list({id(c.panel_b): c.panel_b for c in shown}.values())
    columns = {panel.task: (next(c.column for c in shown if c.panel_b.task == panel.task),) for panel in panels}
    used = {c.b.label for c in shown}
    styles = {label: look for label, look in assign_styles(panels, style.palette).items() if label in used}
    style = style.fitted(size, needed_size(panels, 1, style))
    with style.context(all_text(panels) + "".join(found.names)):
        figure, grid = make_grid(panels, 1, style, size)
        for ax, panel in zip(grid[0], panels, strict=True):
            draw_differences(ax, [c for c in shown if c.panel_b is panel], styles, style)
        name_axes(grid, panels, "B − A in {}, points", columns, percent=False, scorer_at_axis=False)
        names = (f"A: {found.names[0]}", f"B: {found.names[1]}")
        words = (*names, "95 % interval", "filled: excludes 0", name_scorer(panels, columns))
        names_of = {c.b.label: c.label if c.a.arm is not c.b.arm else c.b.label for c in shown}
        add_legend(figure, {names_of[label]: look for label, look in styles.items()}, style, words)
    return figure


def _first_scores(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """Of each task the contrasts by one score: its leading metric, or the first that is there."""
    found = []
    for task in dict.fromkeys(c.panel_b.task for c in contrasts):
        columns = list(dict.fromkeys(c.column for c in contrasts if c.panel_b.task == task))
        leading = [column for column in columns if column.removeprefix("squad_") == leading_metric(task)] or columns[:1]
        found += [c for c in contrasts if c.panel_b.task == task and c.column in leading]
    return found


def draw_differences(ax: Axes, contrasts: Sequence[Contrast], styles: dict[str, CurveStyle], style: Style) -> Axes:
    """Draw the differences on one test set; zero-shot, which has no place on a logarithmic axis, is left of the sizes."""
    sizes = [row.size for c in contrasts for row in c.rows if row.size]
    set_size_axis(ax, [replace(c.b, points=tuple(p for p in c.b.points if p.size in sizes)) for c in contrasts])
    zero = (min(sizes) if sizes else 1) / math.exp(0.16 * log_span(sizes or [1]))
    ax.axhline(0, color=GREY, linewidth=style.line * 0.6, zorder=1)
    for place, c in enumerate(contrasts):
        look = styles[c.b.label]
        shift = math.exp(0.03 * (place - (len(contrasts) - 1) / 2))
        points = [(row.size * shift, row) for row in c.rows if row.size]
        ax.plot([x for x, _ in points], [row.found.value for _, row in points], color=look.color, linestyle=look.dashes)
        for x, row in [*points, *((zero * shift, row) for row in c.rows if not row.size)]:
            draw_interval(ax, x, row.found, look, style, filled=row.found.excludes_zero)
    if any(not row.size for c in contrasts for row in c.rows):
        ticks, labels = list(ax.get_xticks()), [text.get_text() for text in ax.get_xticklabels()]
        ax.set_xlim(zero / math.exp(0.08 * log_span(sizes or [1])), None)
        ax.set_xticks([zero, *ticks], ["0", *labels])
    return ax
