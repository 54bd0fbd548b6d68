"""Draws what the curves mean: the gain, the worth in examples, the score against device time.

As in `curves`, functions take and return an `ax`. Break-even and N₀ are drawn where they fall, so that the answer is
read off the picture; what is beyond the sizes measured is an arrow at the edge, never a point.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xlqa.curves.comparison import Comparison, leading
from xlqa.curves.grouping import Curve, Panel, source_name
from xlqa.curves.plots.curves import (
    GREY,
    NO_BREAK,
    CurveStyle,
    Style,
    add_legend,
    all_text,
    assign_styles,
    count_rows,
    format_size,
    grid_cells,
    is_stated,
    make_grid,
    mark_no_signal,
    name_axes,
    name_scorer,
    needed_size,
    set_size_axis,
)
from xlqa.curves.plots.facets import split_comparisons, split_settings
from xlqa.curves.report import formatting as w
from xlqa.curves.statistics import isotonic
from xlqa.curves.table import FOLDER_COLUMN
from xlqa.curves.variance import Interval
from xlqa.curves.wording import Columns
from xlqa.errors import XlqaError
from xlqa.records import Arm
from xlqa.util.files import read_json

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORTH_AXIS = "target-only {units}\nof equal {}"
"""Name of the y axis of the worth, with places for the task's examples and the metric."""
WORTH_WORDS = "95 % interval; diagonal: {} is worth nothing; grey: beyond the sizes measured"
COST_WORDS = "lines: means, with times that do not fall as N grows"
Size = tuple[float, float] | None
_UNITS = {"s": 1, "min": 60, "h": 3600}


def _round_times(below_an_hour: Sequence[int], hours: Sequence[int]) -> dict[int, str]:
    """Seconds and labels of round times: some counts of seconds and of minutes, and some of hours."""
    counts = {"s": below_an_hour, "min": below_an_hour, "h": hours}
    return {count * _UNITS[unit]: f"{count} {unit}" for unit in counts for count in counts[unit]}


_TIMES = _round_times((1, 2, 5, 10, 20, 30), (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000))
_FINER_TIMES = _round_times(
    (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 45, 50),
    (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 40, 50, 70, 100, 150, 200, 300, 500, 700, 1000),
)
_LEAST_TIMES = 2
"""A scale is read off two labelled times, not one."""


# -------------------------------------------------------------------------------------------------------- the gain


def gain_figure(
    comparisons: Sequence[Comparison], columns: Columns, margin: float, style: Style, size: Size = None
) -> Figure:
    """Δ(N) with its interval: a column of the figure a panel, a row a metric.

    Args:
        margin: ε of the break-even, in points; drawn as a band around 0.
    """

    def draw(ax: Axes, own: Sequence[Comparison], curve_styles: Mapping[str, CurveStyle], fitted: Style) -> Axes:
        return draw_gain(ax, own, curve_styles, margin, fitted)

    words = f"95 % interval, thin: at all N together; filled: excludes 0; band: ±{NO_BREAK}{margin:g}"
    return _comparison_figure(comparisons, columns, style, size, "gain in {}, points", draw, words)


def draw_gain(
    ax: Axes, comparisons: Sequence[Comparison], curve_styles: Mapping[str, CurveStyle], margin: float, style: Style
) -> Axes:
    """Draw Δ(N) of one panel by one score, and the break-even where it falls."""
    set_size_axis(ax, [curve for c in comparisons for curve in (c.first, c.second)])
    ax.axhspan(-margin, margin, color="#ededed", linewidth=0, zorder=0.5)
    ax.axhline(0, color=GREY, linewidth=style.line * 0.6, zorder=1)
    for place, c in enumerate(comparisons):
        curve_style = curve_styles[c.first.label]
        shift = _beside(ax, place, len(comparisons))
        known = [(r.size * shift, r.gain) for r in c.results if not math.isnan(r.gain.value)]
        ax.plot(
            [x for x, _ in known],
            [gain.value for _, gain in known],
            color=curve_style.color,
            linestyle=curve_style.dashes,
        )
        for r in c.results:
            if not math.isnan(r.band.low):
                ax.plot([r.size * shift] * 2, [r.band.low, r.band.high], color=curve_style.color, alpha=0.45,
                        linewidth=style.line * 0.35, zorder=2.5)  # fmt: skip
        for x, gain in known:
            draw_interval(ax, x, gain, curve_style, style, filled=gain.excludes_zero)
    gains = [r.gain for c in comparisons for r in c.results if not math.isnan(r.gain.value)]
    if gains and not any(gain.value or gain.low or gain.high for gain in gains):
        return mark_no_signal(ax, "every gain is 0", style)
    marked = [c for c in comparisons if not math.isnan(c.break_even)]
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.13 * len(marked) * (high - low))
    for place, c in enumerate(marked):
        _mark_break_even(ax, c, curve_styles[c.first.label], style, (place, len(marked)))
    return ax


def _beside(ax: Axes, place: int, count: int) -> float:
    """The factor that sets the marks of several comparisons side by side."""
    left, right = ax.get_xlim()
    return math.exp(0.02 * math.log(right / left) * (place - (count - 1) / 2))


def draw_interval(ax: Axes, x: float, found: Interval, curve_style: CurveStyle, style: Style, filled: bool) -> None:
    """Draw an estimate with its interval, hollow where the interval contains 0."""
    if not math.isnan(found.low):
        ax.plot([x, x], [found.low, found.high], color=curve_style.color, linewidth=style.line * 0.8, zorder=3)
    face = curve_style.color if filled else "white"
    ax.plot([x], [found.value], marker=curve_style.marker, color=face, markeredgecolor=curve_style.color,
            markeredgewidth=style.line * 0.75, linestyle="none", zorder=4)  # fmt: skip


def _mark_break_even(ax: Axes, c: Comparison, curve_style: CurveStyle, style: Style, place: tuple[int, int]) -> None:
    """Write where break-even is, on a line of its own above the gains.

    Args:
        place: the line, and how many there are.
    """
    beyond = math.isinf(c.break_even)
    x = max(c.sizes_with_gain) if beyond else c.break_even
    if not beyond:
        # The line ends below the words, so that it strikes through none of them.
        top = 1 / (1 + 0.13 * place[1])
        ax.axvline(x, ymax=top, color=curve_style.color, linestyle=(0, (1, 2)), linewidth=style.line * 0.8, zorder=1.5)
    left, right = ax.get_xlim()
    # An arrow: break-even is beyond the sizes measured.
    text = f"break-even > {format_size(x)} →" if beyond else f"break-even {format_size(x)}"
    at_left = not beyond and math.log(x / left) < 0.5 * math.log(right / left)
    ax.annotate(
        text,
        xy=(1 if beyond else x, 1),
        xycoords=("axes fraction" if beyond else "data", "axes fraction"),
        xytext=(0 if at_left else -2, -2 - place[0] * style.font * 1.25),
        textcoords="offset points",
        ha="left" if at_left else "right",
        va="top",
        fontsize=style.font * 0.85,
        color=curve_style.color,
    )


def _comparison_figure(
    comparisons: Sequence[Comparison], columns: Columns, style: Style, size: Size, name: str,
    draw: Callable[[Axes, Sequence[Comparison], Mapping[str, CurveStyle], Style], Axes], words: str, keep_scales: bool = False,
) -> Figure:  # fmt: skip
    """A figure of one drawing per panel and score.

    Args:
        name: of the y axis, with a place for the metric; words: into the legend.
        keep_scales: whether panels of different scales keep them.
    """
    comparisons = split_comparisons(leading([c for c in comparisons if c.learned]))
    panels = list({id(c.panel): c.panel for c in comparisons}.values())
    if not panels:
        raise XlqaError(
            "no gain or worth to draw: it takes transfer (or joint) and target-only runs of one encoder on the same "
            "target data, and runs that learned something. `xlqa plot --what curve` draws what is there."
        )
    shown, rows = {c.first.label for c in comparisons}, count_rows(panels, columns)
    style = style.fitted(size, needed_size(panels, rows, style))
    every = assign_styles(panels, style.palette)
    curve_styles = {label: curve_style for label, curve_style in every.items() if label in shown}
    with style.context(all_text(panels)):
        figure, grid = make_grid(panels, rows, style, size)
        for ax, panel, column in grid_cells(grid, panels, columns):
            draw(ax, [c for c in comparisons if c.panel is panel and c.column == column], curve_styles, style)
        name_axes(grid, panels, name, columns, percent=False, scorer_at_axis=False, keep_scales=keep_scales)
        add_legend(figure, curve_styles, style, (words, name_scorer(panels, columns)))
    return figure


# ------------------------------------------------------------------------------------------------------- the worth


def worth_figure(comparisons: Sequence[Comparison], columns: Columns, style: Style, size: Size = None) -> Figure:
    """D_E(N), the examples that alone score as N with English do; its height above the diagonal is the worth.

    Panels of different sizes have axes of their own: an arrow at the edge and grey mean "beyond the sizes of this panel".
    """
    sources = {source_name(c.first.setting) for c in comparisons}
    words = WORTH_WORDS.format(sources.pop() if len(sources) == 1 else "the source data")
    return _comparison_figure(comparisons, columns, style, size, WORTH_AXIS, draw_worth, words, keep_scales=True)


def draw_worth(
    ax: Axes, comparisons: Sequence[Comparison], curve_styles: Mapping[str, CurveStyle], style: Style
) -> Axes:
    """Draw D_E(N) of one panel by one score on log axes, D_T beside each point, N₀ as a dashed level."""
    set_size_axis(ax, [curve for c in comparisons for curve in (c.first, c.second)])
    _set_examples_axis(ax, comparisons, style)
    left, right = ax.get_xlim()
    ax.plot([left, right], [left, right], color=GREY, linewidth=style.line * 0.6, zorder=1)
    for place, c in enumerate(comparisons):
        curve_style = curve_styles[c.first.label]
        shift = _beside(ax, place, len(comparisons))
        _draw_worth_line(ax, c, curve_style, shift, style, words=len(comparisons) == 1)
        _draw_zero_shot_worth(ax, c, curve_style, style)
    _label_zero_shot_worth(ax, [c for c in comparisons if not math.isnan(c.zero_shot_worth.value)], curve_styles, style)
    return ax


def _set_examples_axis(ax: Axes, comparisons: Sequence[Comparison], style: Style) -> None:
    """Log axis from below the smallest to above the largest size that the target arm was measured at; no labels that overlap."""
    from matplotlib.ticker import FixedLocator, NullLocator

    n_min, n_max = min(c.n_min for c in comparisons), max(c.n_max for c in comparisons)
    sizes = sorted({size for c in comparisons for size in c.second.sizes if n_min <= size <= n_max})
    margin = math.exp(0.14 * max(math.log(max(n_max, 1) / max(n_min, 1)), math.log(4)))
    ax.set_yscale("log")
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(FixedLocator(sizes))
    ax.set_ylim(max(n_min, 1) / margin, max(n_max, 1) * margin)
    gap = _line_height(style) * math.log(ax.get_ylim()[1] / ax.get_ylim()[0])
    labelled: list[int] = []
    for size in sorted(sizes, key=lambda size: (size not in (sizes[0], sizes[-1]), size)):
        if all(abs(math.log(size / other)) > gap for other in labelled):
            labelled.append(size)
    ax.set_yticklabels([format_size(size) if size in labelled else "" for size in sizes])
    for edge, far in ((n_min, 1e-9), (n_max, 1e12)):
        # Beyond the sizes measured nothing is known but the side.
        ax.axhspan(min(edge, far), max(edge, far), color="#f1f1f1", linewidth=0, zorder=0.5)


def _line_height(style: Style) -> float:
    """Height of a line of text as a share of the y axis."""
    return style.font / (style.panel[1] * 72 * 0.6)


def _draw_worth_line(ax: Axes, c: Comparison, curve_style: CurveStyle, shift: float, style: Style, words: bool) -> None:
    bottom, top = ax.get_ylim()
    edge = math.exp(0.035 * math.log(top / bottom))
    points = []
    for r in c.stated.results:
        if math.isnan(r.effective.value) or not is_stated(r.effective):
            continue
        value, low, high = (min(max(v, bottom * edge), top / edge) for v in _ends(r.effective))
        x = r.size * shift
        ax.plot([x, x], [low, high], color=curve_style.color, linewidth=style.line * 0.8, zorder=3)
        for place, marker in _arrows(r.effective, bottom * edge, top / edge):
            ax.plot([x], [place], marker=marker, color=curve_style.color, markersize=style.marker * 0.8, zorder=3)
        if math.isfinite(r.effective.value):
            points.append((x, value))
            if words:
                _annotate_worth(ax, x, value, r.worth.value, curve_style, style)
    ax.plot([x for x, _ in points], [y for _, y in points], color=curve_style.color, linestyle=curve_style.dashes, zorder=4,
            **curve_style.marker_kwargs(style))  # fmt: skip


def _arrows(found: Interval, bottom: float, top: float) -> list[tuple[float, str]]:
    """Places and markers that show that an interval continues beyond the sizes measured; none where it ends within."""
    below, above = -math.inf in (found.low, found.high), math.inf in (found.low, found.high)
    return [(bottom, "v")] * below + [(top, "^")] * above


def _ends(found: Interval) -> tuple[float, float, float]:
    """Value and ends; where there is no interval, the ends are the value."""
    low, high = (found.value if math.isnan(end) else end for end in (found.low, found.high))
    return found.value, low, high


def _annotate_worth(ax: Axes, x: float, y: float, worth: float, curve_style: CurveStyle, style: Style) -> None:
    sign = "+" if worth > 0 else ""
    at_edge = math.log(ax.get_xlim()[1] / x) < 0.15 * math.log(ax.get_xlim()[1] / ax.get_xlim()[0])
    ax.annotate(
        f"{sign}{w.rounded(worth)}",
        xy=(x, y),
        xytext=(style.marker * (-0.7 if at_edge else 0.7), -style.marker * 0.4),
        textcoords="offset points",
        ha="right" if at_edge else "left",
        va="top",
        fontsize=style.font * 0.8,
        color=curve_style.color,
        zorder=5,
    )


def _draw_zero_shot_worth(ax: Axes, c: Comparison, curve_style: CurveStyle, style: Style) -> None:
    n0 = c.stated.zero_shot_worth
    if math.isnan(n0.value):
        return
    bottom, top = ax.get_ylim()
    if is_stated(n0):
        _, low, high = (min(max(v, bottom), top) for v in _ends(n0))
        ax.axhspan(low, high, color=curve_style.color, alpha=0.12, linewidth=0, zorder=1)
    if is_stated(n0) and math.isfinite(n0.value):
        ax.axhline(n0.value, color=curve_style.color, linestyle=(0, (4, 2.5)), linewidth=style.line * 0.7, zorder=1.5)


def _label_zero_shot_worth(
    ax: Axes, comparisons: Sequence[Comparison], curve_styles: Mapping[str, CurveStyle], style: Style
) -> None:
    """Write N₀ with its interval below each level, one label above the other where levels are close.

    Without a level the label is in the corner under the diagonal, where a curve comes least.
    """
    bottom, top = ax.get_ylim()
    height = 1.25 * _line_height(style)
    levels = [(_height_of(c, bottom, top), c) for c in comparisons]
    upper = 2.0
    placed = []
    for level, c in sorted(levels, key=lambda item: -item[0]):
        upper = min(level, upper - height)
        placed.append((upper, c))
    lift = max(0.0, height - upper)
    for level, c in placed:
        ax.annotate(
            _zero_shot_words(c), xy=(1, level + lift), xycoords="axes fraction", xytext=(-2, -1), textcoords="offset points",
            ha="right", va="top", fontsize=style.font * 0.85, color=curve_styles[c.first.label].color, zorder=5,
            bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.6},
        )  # fmt: skip


def _height_of(c: Comparison, bottom: float, top: float) -> float:
    """Where the level of N₀ is, as a share of a log axis; 0 where it has none."""
    n0 = c.stated.zero_shot_worth
    known = math.isfinite(n0.value) and is_stated(n0)
    return min(max(math.log(max(n0.value, bottom) / bottom) / math.log(top / bottom), 0.0), 1.0) if known else 0.0


def _zero_shot_words(c: Comparison) -> str:
    return f"zero-shot: {w.examples(c.stated.zero_shot_worth, c.n_min, c.n_max)}"


# -------------------------------------------------------------------------------------------------------- the cost


def cost_figure(panels: Sequence[Panel], columns: Columns, style: Style, size: Size = None) -> Figure:
    """Score against the device time of training: a column of the figure a panel, a row a metric.

    Raises:
        XlqaError: no run has a training time.
    """
    panels = split_settings(panels)
    if not any(_has_times(panel) for panel in panels):
        raise XlqaError(
            "--what cost: no run has a training time: it takes tables with the column train_seconds, as `xlqa sweep` writes them. "
            "`xlqa plot --what curve` draws the scores."
        )
    rows = count_rows(panels, columns)
    style = style.fitted(size, needed_size(panels, rows, style))
    curve_styles = assign_styles(panels, style.palette)
    known = [source_seconds(curve) for panel in panels for curve in panel.curves if curve.arm is Arm.TRANSFER]
    counted = bool(known) and all(seconds is not None for seconds in known)
    with style.context(all_text(panels)):
        figure, grid = make_grid(panels, rows, style, size)
        for ax, panel, column in grid_cells(grid, panels, columns):
            draw_cost(ax, panel, column, curve_styles, style, with_source=counted)
        name_axes(grid, panels, "{}, %", columns, "device time of the training", scorer_at_axis=False)
        source = _format_source(counted) if known else ""
        words = (_name_devices(panels), source, COST_WORDS, name_scorer(panels, columns))
        add_legend(figure, curve_styles, style, words)
    return figure


def _has_times(panel: Panel) -> bool:
    return any(p.rows["train_seconds"].notna().any() for c in panel.curves for p in c.points)


def _name_devices(panels: Sequence[Panel]) -> str:
    """On what the times were measured; "" where no run says it."""
    found = {str(d) for panel in panels for c in panel.curves for p in c.points for d in p.rows["device"]}
    names = sorted(found - {"", "nan"})
    return f"device{'s' if len(names) > 1 else ''}: {', '.join(names)}" if names else ""


def _format_source(counted: bool) -> str:
    return "source stage counted in each transfer run" if counted else "source stage not counted"


def draw_cost(
    ax: Axes, panel: Panel, column: str, curve_styles: Mapping[str, CurveStyle], style: Style, with_source: bool = False
) -> Axes:
    """Draw a panel's scores over seconds, a point a run and a marker a size, N beside it; zero-shot as a cross.

    Args:
        with_source: add the source stage's seconds to each transfer run, and draw zero-shot at them.
    """
    if not _has_times(panel):
        ax.set_xticks([])
        return mark_no_signal(ax, "no training time", style)
    ax.set_xscale("log")
    for curve in panel.curves:
        curve_style = curve_styles[curve.label]
        extra = (source_seconds(curve) or 0.0) if with_source and curve.arm is Arm.TRANSFER else 0.0
        means = []
        for point in curve.points:
            seconds = point.rows["train_seconds"].to_numpy(dtype=float) + extra
            ax.plot(
                seconds,
                point.scores(column),
                ".",
                color=curve_style.color,
                alpha=0.6,
                markersize=style.marker * 0.8,
                mew=0,
            )
            means.append((float(seconds.mean()) if len(seconds) else math.nan, point.mean(column), point.size))
        means = _smooth_times(means)
        ax.plot([x for x, _, _ in means], [y for _, y, _ in means], color=curve_style.color, linestyle=curve_style.dashes, zorder=4,
                **curve_style.marker_kwargs(style))  # fmt: skip
        _annotate_sizes(ax, curve, means, curve_style, style)
        if extra and len(curve.zero_shot):
            level = float(curve.zero_shot[column].mean())
            ax.plot([extra], [level], marker="X", color=curve_style.color, linestyle="none", zorder=4)
            _annotate(ax, "zero-shot", (extra, level), False, curve_style, style)
    return _set_time_axis(ax)


def _smooth_times(means: Sequence[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """The means with times made monotone over N (isotonic fit of ln t): equal work measured twice does not fold the line."""
    known = [mean for mean in means if math.isfinite(mean[0]) and mean[0] > 0]
    if not known:
        return []
    times = np.exp(isotonic(np.log([[seconds for seconds, _, _ in known]]))[0])
    return [(float(time), score, size) for time, (_, score, size) in zip(times, known, strict=True)]


def _annotate_sizes(
    ax: Axes, curve: Curve, means: Sequence[tuple[float, float, int]], curve_style: CurveStyle, style: Style
) -> None:
    """N above the transfer curve and below the target-only one; sizes that take the same time share a label."""
    if curve.arm not in (Arm.TRANSFER, Arm.TARGET_ONLY):
        return
    above = curve.arm is Arm.TRANSFER
    groups: list[list[tuple[float, float, int]]] = []
    for mean in sorted(mean for mean in means if math.isfinite(mean[0]) and math.isfinite(mean[1])):
        if groups and mean[0] < 1.15 * groups[-1][0][0]:
            groups[-1].append(mean)
        else:
            groups.append([mean])
    for group in groups:
        sizes = sorted(size for _, _, size in group)
        words = format_size(sizes[0]) if len(sizes) == 1 else f"{format_size(sizes[0])}–{format_size(sizes[-1])}"
        x, y, _ = max(group, key=lambda mean: mean[1] if above else -mean[1])
        _annotate(ax, words, (x, y), above, curve_style, style)


def _annotate(
    ax: Axes, words: str, at: tuple[float, float], above: bool, curve_style: CurveStyle, style: Style
) -> None:
    ax.annotate(
        words, xy=at, xytext=(0, style.marker * (0.8 if above else -0.8)), textcoords="offset points", ha="center",
        va="bottom" if above else "top", fontsize=style.font * 0.8, color=curve_style.color,
    )  # fmt: skip


def _set_time_axis(ax: Axes) -> Axes:
    from matplotlib.ticker import FixedLocator, NullLocator

    ax.margins(x=0.08, y=0.1)
    middle, half = math.sqrt(math.prod(ax.get_xlim())), math.log(2) / 2
    low, high = ax.get_xlim()
    # Equal times would have a scale of seconds, or none.
    low, high = min(low, middle * math.exp(-half)), max(high, middle * math.exp(half))
    ax.set_xlim(low, high)
    ticks = _choose_times(low, high)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_locator(FixedLocator(list(ticks)))
    ax.set_xticklabels(list(ticks.values()))
    return ax


def _choose_times(low: float, high: float) -> dict[float, str]:
    """Seconds and labels of the ticks of a time axis: round times, finer ones where few are inside, else times near its ends."""
    for times in (_TIMES, _FINER_TIMES):
        ticks: list[int] = []
        for second in times:
            wide = not ticks or math.log(second / ticks[-1]) > 0.16 * math.log(high / low)
            if low <= second <= high and wide:
                ticks.append(second)
        if len(ticks) >= _LEAST_TIMES:
            return {second: times[second] for second in ticks}
    room = math.log(high / low) * 0.12
    return {second: _format_time(second) for second in (low * math.exp(room), high * math.exp(-room))}


def _format_time(seconds: float) -> str:
    """Seconds in the largest unit that they are one of: 1.3 min."""
    unit = next((unit for unit in reversed(_UNITS) if seconds >= _UNITS[unit]), "s")
    return f"{seconds / _UNITS[unit]:.2g} {unit}"


def source_seconds(curve: Curve) -> float | None:
    """Mean training time of a transfer curve's source stages, in seconds; None where a record of one is not there.

    It is in `source/<source_id>/train.json` beside the table.
    """
    parts = [curve.zero_shot, *(point.rows for point in curve.points)]
    stages = {(str(f), str(s)) for rows in parts for f, s in zip(rows[FOLDER_COLUMN], rows["source_id"], strict=True)}
    found = [
        _read_seconds(Path(folder) / "source" / stage / "train.json")
        for folder, stage in sorted(stages)
        if "/" not in stage
    ]
    known = [seconds for seconds in found if seconds is not None]
    return float(np.mean(known)) if known and len(known) == len(found) else None


def _read_seconds(path: Path) -> float | None:
    record = read_json(path)
    value = record.get("train_seconds") if isinstance(record, dict) else None
    return float(value) if isinstance(value, int | float) else None
