"""Draws learning curves: `xlqa plot results.csv`. Functions take and return an `ax`; there is no pyplot state.

Colours are Okabe and Ito's, which colour-blind readers can tell apart; markers and line styles carry the same
difference in grey. A filled marker is an arm that saw English, a hollow one an arm that did not. The same table gives
the same bytes: no time, version or random id enters a file.
"""

from __future__ import annotations

import io
import math
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xlqa.curves.comparison import Comparison, compare, leading
from xlqa.curves.example_scores import ExampleStore
from xlqa.curves.grouping import Curve, Floats, Panel, short_name
from xlqa.curves.plots.facets import split_settings
from xlqa.curves.plots.fonts import font_families, set_right_to_left
from xlqa.curves.variance import Interval
from xlqa.curves.wording import Columns, columns_of, metric_name, scorer_name
from xlqa.errors import XlqaError
from xlqa.records import Arm
from xlqa.util.files import write_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

SUFFIXES = (".png", ".svg", ".pdf")
GREY = "#5f5f5f"
MOST_COLUMNS = 4
NO_BREAK = "\u00a0"
WORTH_MARK = "N₀"
WORTH_WORDS = "N₀: target-only N that scores as zero-shot"
LEAST_FONT = 5.0
"""Smaller text is not read on paper."""


@dataclass(frozen=True)
class Style:
    """Sizes of one use: on paper, on slides, on a web page.

    Attributes:
        font: size of the text in points.
        panel: width and height of one panel in inches.
        line: width of a line in points; `marker` is the size of a mean's marker.
        dpi: dots per inch of a PNG. palette: the colours of the arms, a name of PALETTES.
    """

    name: str
    font: float
    panel: tuple[float, float]
    line: float
    marker: float
    dpi: int
    palette: str = "okabe-ito"

    def scaled(self, factor: float) -> Style:
        """The style with text, lines and markers of another size."""
        return replace(self, font=self.font * factor, line=self.line * factor, marker=self.marker * factor)

    def fitted(self, size: tuple[float, float] | None, needed: tuple[float, float]) -> Style:
        """The style for a figure of another size than it needs: smaller text where it is smaller, of at least LEAST_FONT points."""
        if size is None:
            return self
        factor = min(1.0, size[0] / needed[0], size[1] / needed[1])
        return self.scaled(max(factor, min(1.0, LEAST_FONT / self.font)))

    def context(self, text: str = "") -> AbstractContextManager[Any]:
        """The matplotlib settings to draw and to save under; `text` is what must be legible."""
        from matplotlib import rc_context

        return rc_context(
            {
                "font.family": list(font_families(text)),
                "font.size": self.font,
                "axes.titlesize": self.font * 1.08,
                "axes.labelsize": self.font,
                "xtick.labelsize": self.font * 0.9,
                "ytick.labelsize": self.font * 0.9,
                "legend.fontsize": self.font * 0.95,
                "lines.linewidth": self.line,
                "lines.markersize": self.marker,
                "axes.linewidth": 0.4 * self.line + 0.1,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.edgecolor": GREY,
                "xtick.color": GREY,
                "ytick.color": GREY,
                "xtick.labelcolor": "black",
                "ytick.labelcolor": "black",
                "axes.grid": True,
                "axes.grid.axis": "y",
                "grid.color": "#e4e4e4",
                "grid.linewidth": 0.6,
                "axes.axisbelow": True,
                "legend.frameon": False,
                "svg.hashsalt": "xlqa",
                "svg.fonttype": "none",
                "pdf.fonttype": 42,
                "figure.dpi": self.dpi,
                "savefig.dpi": self.dpi,
                "figure.facecolor": "white",
                "savefig.facecolor": "white",
                "axes.unicode_minus": True,
            }
        )


STYLES = {
    "paper": Style("paper", font=8, panel=(2.75, 2.05), line=1.3, marker=4.5, dpi=300),
    "slides": Style("slides", font=15, panel=(5.2, 3.9), line=2.4, marker=8, dpi=150),
    "web": Style("web", font=10, panel=(3.9, 2.8), line=1.7, marker=6, dpi=144),
}


@dataclass(frozen=True)
class CurveStyle:
    """How one curve is drawn, the same in every panel."""

    color: str
    marker: str
    filled: bool
    dashes: Any = "-"
    shift: float = 0.0

    def marker_kwargs(self, style: Style) -> dict[str, Any]:
        face = self.color if self.filled else "white"
        return {"marker": self.marker, "markerfacecolor": face, "markeredgecolor": self.color,
                "markeredgewidth": style.line * 0.75}  # fmt: skip


_LOOKS = {
    Arm.TRANSFER: CurveStyle("#0072B2", "o", True),
    Arm.TARGET_ONLY: CurveStyle("#D55E00", "s", False),
    Arm.JOINT: CurveStyle("#009E73", "D", True),
    Arm.MONOLINGUAL: CurveStyle("#A0508C", "^", False),
}
PALETTES = {
    "okabe-ito": ("#0072B2", "#D55E00", "#009E73", "#A0508C"),
    "tol": ("#4477AA", "#EE6677", "#228833", "#AA3377"),
    "grey": ("#111111", "#777777", "#444444", "#999999"),
}
"""Colours of transfer, target-only, joint and monolingual: Okabe and Ito's, Paul Tol's bright ones, and for grey prints."""
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")
"""Markers of groups that are not arms, in the order of their use."""
_DASHES = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (3, 3)))


def plain(text: str) -> str:
    """A text that matplotlib draws unchanged: a dollar sign in a file's name does not begin a formula."""
    return text.replace("$", r"\$")


def assign_styles(panels: Sequence[Panel], palette: str = "okabe-ito") -> dict[str, CurveStyle]:
    """A curve_style for each curve label that occurs; settings of one arm share its colour and differ in dashes and shade."""
    labels: dict[Arm, list[str]] = {arm: [] for arm in Arm}
    for panel in panels:
        for curve in panel.curves:
            if curve.label not in labels[curve.arm]:
                labels[curve.arm].append(curve.label)
    count = sum(map(len, labels.values()))
    curve_styles: dict[str, CurveStyle] = {}
    for (arm, names), color in zip(labels.items(), PALETTES[palette], strict=True):
        for place, name in enumerate(names):
            base = replace(_LOOKS[arm], color=color)
            curve_styles[name] = replace(
                base,
                color=_lighten(base.color, 0.45 * place / max(1, len(names) - 1) if place else 0.0),
                dashes=_DASHES[place % len(_DASHES)],
                shift=_shift(len(curve_styles), count),
            )
    return curve_styles


def _shift(place: int, count: int) -> float:
    """The place of a curve's runs beside its mean, as a share of the axis: alternately left and right of the marker."""
    return 0.0 if count == 1 else (-1 if place % 2 == 0 else 1) * (0.022 + 0.012 * (place // 2))


def _lighten(color: str, share: float) -> str:
    parts = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in parts)


# --------------------------------------------------------------------------------------------- the learning curve


def draw_curve(
    ax: Axes, panel: Panel, column: str, curve_styles: dict[str, CurveStyle], style: Style = STYLES["paper"],
    comparisons: Sequence[Comparison] | None = None,
) -> Axes:  # fmt: skip
    """Draw the learning curves of one panel: mean, spread and runs over ln N; zero-shot as a dashed level with its spread.

    Args:
        column: the score to draw, in percent: "f1", "em", "accuracy", …
        comparisons: those that N₀ is taken from; by default they are computed.
    """
    ax.set_xscale("log")
    for curve in panel.curves:
        draw_arm(ax, curve, column, curve_styles[curve.label], style)
    for level, curve in _levels(panel, column):
        color = curve_styles[curve.label].color
        spread = _spread(curve.zero_shot[column].to_numpy(dtype=float))
        if not math.isnan(spread):
            ax.axhspan(level - spread, level + spread, color=color, alpha=0.07, linewidth=0, zorder=1)
        ax.axhline(level, color=color, linestyle=(0, (4, 2.5)), linewidth=style.line * 0.7, zorder=1.5)
    set_size_axis(ax, panel.curves)
    if not has_signal(panel, column):
        return mark_no_signal(ax, "every score is 0", style)
    known = compare_crossings([panel], [column]) if comparisons is None else comparisons
    if (c := find_crossing(panel, column, known)) is not None:
        # In a facet the curve has another label than in the comparison.
        first = next(curve for curve in panel.curves if curve.key == c.first.key)
        level = float(first.zero_shot[column].mean())
        _mark_zero_shot_worth(ax, level, c, curve_styles[first.label], style)
    return ax


def has_signal(panel: Panel, column: str) -> bool:
    """Whether any run of a panel scored more than 0."""
    parts = [rows for curve in panel.curves for rows in (curve.zero_shot, *(point.rows for point in curve.points))]
    return any((rows[column] > 0).any() for rows in parts)


def mark_no_signal(ax: Axes, words: str, style: Style) -> Axes:
    """Write that there is nothing to see, on an axis whose only number is 0."""
    ax.set_ylim(-0.5, 9.5)
    ax.set_yticks([0])
    ax.annotate(
        words, xy=(0.5, 0.5), xycoords="axes fraction", ha="center", va="center", color=GREY, fontsize=style.font
    )
    return ax


def _mark_zero_shot_worth(ax: Axes, level: float, c: Comparison, curve_style: CurveStyle, style: Style) -> None:
    """Drop a line from the zero-shot level to N₀, what zero-shot is worth, with the interval as a bar on the size axis.

    An end of the interval that is beyond the sizes measured is an arrow.
    """
    n0, color, bottom = c.stated.zero_shot_worth, curve_style.color, ax.get_ylim()[0] - 100

    def draw(x: Sequence[float], y: Sequence[float], **look: Any) -> None:
        ax.plot(x, y, color=color, scalex=False, scaley=False, **look)

    draw([n0.value] * 2, [bottom, level], linestyle=(0, (1, 1.6)), linewidth=style.line * 0.8)
    if not math.isnan(n0.low):
        on_axis: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": False, "zorder": 5}
        low, high = max(n0.low, c.n_min), min(n0.high, c.n_max)
        draw([low, high], [0, 0], linewidth=style.line * 1.4, solid_capstyle="butt", **on_axis)
        for beyond, x, marker in ((n0.low < c.n_min, low, "<"), (n0.high > c.n_max, high, ">")):
            if beyond:
                draw([x], [0], marker=marker, markersize=style.marker, **on_axis)
    ax.annotate(
        WORTH_MARK, xy=(n0.value, 0), xycoords=("data", "axes fraction"), xytext=(2, 2 + style.line),
        textcoords="offset points", fontsize=style.font * 0.85, color=color, zorder=5,
    )  # fmt: skip


def compare_crossings(panels: Sequence[Panel], columns: Columns) -> list[Comparison]:
    """The comparisons of those panels and scores whose target-only runs reach the zero-shot level between two sizes.

    Elsewhere N₀ is beyond the sizes measured or missing, and nothing is computed.
    """
    store = ExampleStore()
    return [
        c
        for panel in panels
        for column in columns_of(columns, panel.task)
        if _may_cross(panel, column)
        for c in compare(panel, column, store)
    ]


def _may_cross(panel: Panel, column: str) -> bool:
    targets = [curve for curve in panel.curves if curve.arm is Arm.TARGET_ONLY]
    scores = np.concatenate([np.empty(0), *(point.scores(column) for curve in targets for point in curve.points)])
    known = scores[~np.isnan(scores)]
    return known.size > 0 and any(known.min() <= level <= known.max() for level, _ in _levels(panel, column))


def find_crossing(panel: Panel, column: str, comparisons: Sequence[Comparison]) -> Comparison | None:
    """The comparison whose N₀ is marked: the only one with a zero-shot score, if its N₀ is between the sizes measured.

    With several settings the marks would overlap. An N₀ whose interval is not determined is not marked, as the report
    does not state it.

    Args:
        comparisons: of this panel, or of the whole that it is a facet of, and of others.
    """
    place = (panel.task, panel.lang, panel.measurement)
    keys = {curve.key for curve in panel.curves}
    own = [
        c
        for c in leading([c for c in comparisons if (c.panel.task, c.panel.lang, c.panel.measurement) == place])
        if c.column == column and {c.first.key, c.second.key} <= keys and not math.isnan(c.zero_shot_worth.value)
    ]
    if len(own) != 1 or not own[0].learned:
        return None
    n0 = own[0].stated.zero_shot_worth
    return own[0] if math.isfinite(n0.value) and is_stated(n0) else None


def is_stated(found: Interval) -> bool:
    """Whether a number of examples is given: its interval has an end that is known, or runs are too few for an interval."""
    return found.is_determined or math.isnan(found.low)


def draw_arm(ax: Axes, curve: Curve, column: str, curve_style: CurveStyle, style: Style) -> Axes:
    """Draw one curve: a line through the means (broken where a run is missing), ± 1 s.d. over seeds, and each run's point."""
    if not curve.points:
        return ax
    sizes = np.array(curve.sizes, dtype=float)
    means = curve.means(column)
    spread = np.array([_spread(point.scores(column)) for point in curve.points])
    low, high = means - spread, means + spread
    ax.fill_between(sizes, low, high, color=curve_style.color, alpha=0.14, linewidth=0, zorder=2)
    for point in curve.points:
        scores = point.scores(column)
        where = np.full(scores.size, point.size * math.exp(curve_style.shift * log_span(sizes)))
        ax.plot(where, scores, ".", color=curve_style.color, alpha=0.6, markersize=style.marker * 0.8, mew=0, zorder=3)
    ax.plot(
        sizes,
        means,
        color=curve_style.color,
        linestyle=curve_style.dashes,
        zorder=4,
        **curve_style.marker_kwargs(style),
    )
    return ax


def _spread(scores: Floats) -> float:
    return float(np.std(scores, ddof=1)) if scores.size > 1 else math.nan


def log_span(sizes: Sequence[float] | Floats) -> float:
    """Width of the size axis in ln N; that of a factor 4 where there is one size alone."""
    return max(math.log(max(sizes) / min(sizes)), math.log(4))


def _levels(panel: Panel, column: str) -> list[tuple[float, Curve]]:
    """Zero-shot levels from low to high, each once: curves that differ in their target stage share one."""
    seen: dict[float, Curve] = {}
    for curve in panel.curves:
        if len(curve.zero_shot):
            seen.setdefault(round(float(curve.zero_shot[column].mean()), 6), curve)
    return sorted(seen.items(), key=lambda item: item[0])


def label_levels(ax: Axes, panel: Panel, column: str, curve_styles: dict[str, CurveStyle], style: Style) -> Axes:
    """Write "zero-shot 49.3" at each dashed level, where the fewest lines run; call it when the scale is final."""
    taken: list[tuple[float, float, float, float]] = []
    for level, curve in _levels(panel, column) if has_signal(panel, column) else ():
        text = f"zero-shot {level:.1f}"
        box, place = _free_place(ax, panel, column, level, len(text), style, taken)
        taken.append(box)
        across, above = place
        ax.annotate(
            text,
            xy=(across, level),
            xycoords=("axes fraction", "data"),
            xytext=(2 - 4 * across, 1.5 if above else -2),
            textcoords="offset points",
            ha={0.0: "left", 1.0: "right"}.get(across, "center"),
            va="bottom" if above else "top",
            fontsize=style.font * 0.85,
            color=curve_styles[curve.label].color,
            zorder=5,
        )
    return ax


Box = tuple[float, float, float, float]


def _free_place(
    ax: Axes, panel: Panel, column: str, level: float, letters: int, style: Style, taken: Sequence[Box]
) -> tuple[Box, tuple[float, bool]]:
    """The box, in fractions of the axes, that covers the least; and where along the level, and whether above it."""
    low, high = ax.get_ylim()
    width = letters * style.font * 0.5 / (style.panel[0] * 72 * 0.8)
    height = style.font * 1.15 / (style.panel[1] * 72 * 0.7)
    y = (level - low) / (high - low)
    ink = np.concatenate([np.empty((0, 2)), *(_ink(ax, curve, column) for curve in panel.curves if curve.points)])
    best: tuple[int, Box, tuple[float, bool]] | None = None
    for across, above in ((a, b) for a in (1.0, 0.0, 0.75, 0.25, 0.5) for b in (True, False)):
        bottom, left = (y + 0.015 if above else y - 0.015 - height), min(max(across - width / 2, 0.0), 1 - width)
        box = (left, bottom, left + width, bottom + height)
        covered = _count_inside(box, ink) + 50 * sum(_overlaps(box, other) for other in taken)
        covered += 50 * (box[1] < 0 or box[3] > 1)
        if best is None or covered < best[0]:
            best = covered, box, (across, above)
    assert best is not None
    return best[1], best[2]


def _ink(ax: Axes, curve: Curve, column: str) -> Floats:
    """(points, 2) points along the mean line and the runs, in fractions of the axes; NaN where the line is broken."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    x = np.log(curve.sizes)
    along = np.linspace(x[0], x[-1], 80)
    runs = [(math.log(point.size), score) for point in curve.points for score in point.scores(column)]
    means = np.column_stack([x, curve.means(column)])
    line = np.column_stack([along, np.interp(along, x, means[:, 1])])
    # A covered marker costs the reader more than a crossed line, so it counts thirty times.
    drawn = np.concatenate([line, np.repeat(means, 30, axis=0), np.array(runs).reshape(-1, 2)])
    scaled: Floats = (drawn - (math.log(left), low)) / (math.log(right) - math.log(left), high - low)
    return scaled


def _count_inside(box: Box, ink: Floats) -> int:
    across = (ink[:, 0] >= box[0] - 0.03) & (ink[:, 0] <= box[2] + 0.03)
    return int((across & (ink[:, 1] >= box[1]) & (ink[:, 1] <= box[3])).sum())


def _overlaps(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def set_size_axis(ax: Axes, curves: Sequence[Curve]) -> Axes:
    """Ticks at the sizes that were measured, "full" where one is the whole of the data; none that would overlap."""
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    sizes = sorted({size for curve in curves for size in curve.sizes})
    full = {size for curve in curves if (size := curve.full_size) is not None}
    ax.set_xscale("log")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    if not sizes:
        ax.set_xticks([])
        return ax
    span = log_span(sizes)
    # Sizes that are close together stay in the middle, and the points of their runs beside them.
    margin = math.exp(0.06 * span + (span - math.log(sizes[-1] / sizes[0])) / 2)
    ax.set_xlim(sizes[0] / margin, sizes[-1] * margin)
    labelled: list[int] = []
    for size in sorted(sizes, key=lambda size: (size not in full, size not in (sizes[0], sizes[-1]), size)):
        if all(abs(math.log(size / other)) > _label_gap(size, other) * span for other in labelled):
            labelled.append(size)
    ax.xaxis.set_major_locator(FixedLocator(sizes))
    ax.set_xticklabels([(format_size(s) + ("\nfull" if s in full else "")) if s in labelled else "" for s in sizes])
    return ax


def _label_gap(size: float, other: float) -> float:
    """How far apart two labels must be, as a share of the axis."""
    return 0.06 + 0.011 * (len(format_size(size)) + len(format_size(other)))


def format_size(size: float) -> str:
    """A size as reports have it: 300, 1,000, 45,328."""
    return f"{size:,.0f}"


def curve_figure(
    panels: Sequence[Panel],
    columns: Columns = ("f1", "em"),
    style: Style = STYLES["paper"],
    size: tuple[float, float] | None = None,
    comparisons: Sequence[Comparison] | None = None,
) -> Figure:
    """The learning curves of all panels: a column of the figure a panel, a row a metric.

    Args:
        columns: scores to draw, a row each.
        size: width and height in inches; by default what the panels need.
        comparisons: of these panels and scores, those that N₀ is taken from; by default they are computed.
    """
    panels = split_settings(panels)
    known = compare_crossings(panels, columns) if comparisons is None else comparisons
    rows = count_rows(panels, columns)
    style = style.fitted(size, needed_size(panels, rows, style))
    curve_styles = assign_styles(panels, style.palette)
    with style.context(all_text(panels)):
        figure, grid = make_grid(panels, rows, style, size)
        cells = list(grid_cells(grid, panels, columns))
        for ax, panel, column in cells:
            draw_curve(ax, panel, column, curve_styles, style, known)
        name_axes(grid, panels, "{}, %", columns, scorer_at_axis=False)
        for ax, panel, column in cells:
            label_levels(ax, panel, column, curve_styles, style)
        marked = [found for _, panel, column in cells if (found := find_crossing(panel, column, known)) is not None]
        words = (_describe_spread(panels), _describe_worth(marked), name_scorer(panels, columns))
        add_legend(figure, curve_styles, style, words)
    return figure


def count_rows(panels: Sequence[Panel], columns: Columns) -> int:
    """Rows of a grid: one for each score of the panel that has most."""
    return max(len(columns_of(columns, panel.task)) for panel in panels)


def grid_cells(
    grid: Sequence[Sequence[Axes]], panels: Sequence[Panel], columns: Columns
) -> Iterator[tuple[Axes, Panel, str]]:
    """Axes, panel and score of each cell of a grid, row by row; axes of a task with fewer scores are hidden."""
    for row, axes in enumerate(grid):
        for ax, panel in zip(axes, panels, strict=True):
            shown = columns_of(columns, panel.task)
            if row < len(shown):
                yield ax, panel, shown[row]
            else:
                ax.set_visible(False)


def all_text(panels: Iterable[Panel]) -> str:
    return " ".join([panel.label + panel.lang + " ".join(c.label for c in panel.curves) for panel in panels])


def needed_size(panels: Sequence[Panel], rows: int, style: Style) -> tuple[float, float]:
    """Width and height in inches that a grid of panels needs."""
    columns, counts = _grid_shape(panels)
    blocks = sum(math.ceil(count / columns) for count in counts)
    width, height = style.panel
    return max(columns, 1.25) * width + 0.1, blocks * rows * height + style.font * 0.045


def _grid_shape(panels: Sequence[Panel]) -> tuple[int, list[int]]:
    """Columns of a grid, and the panels of each task."""
    counts = [sum(p.task == task for p in panels) for task in dict.fromkeys(p.task for p in panels)]
    return max(math.ceil(count / math.ceil(count / MOST_COLUMNS)) for count in counts), counts


def make_grid(
    panels: Sequence[Panel], rows: int, style: Style, size: tuple[float, float] | None
) -> tuple[Figure, list[list[Axes]]]:
    """A figure and its axes, `grid[row][panel]`.

    More than MOST_COLUMNS panels wrap into further blocks of rows, and so does each further task.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns, counts = _grid_shape(panels)
    blocks = sum(math.ceil(count / columns) for count in counts)
    figure = Figure(figsize=size or needed_size(panels, rows, style), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(blocks * rows, columns, squeeze=False, sharex=False, sharey=False)
    places: list[int] = []
    for count in counts:
        # Each task begins a block.
        begin = math.ceil((places[-1] + 1) / columns) * columns if places else 0
        places += range(begin, begin + count)
    grid = [[axes[(place // columns) * rows + row][place % columns] for place in places] for row in range(rows)]
    for spare in set(range(blocks * columns)) - set(places):
        for row in range(rows):
            axes[(spare // columns) * rows + row][spare % columns].set_visible(False)
    return figure, grid


def name_axes(
    grid: Sequence[Sequence[Axes]],
    panels: Sequence[Panel],
    name: str,
    columns: Columns,
    x_name: str = "",
    percent: bool = True,
    scorer_at_axis: bool = True,
    keep_scales: bool = False,
) -> None:
    """Titles above, metrics at the left, numbers of examples below, one scale a task and metric.

    A scorer is named in the title where panels have several, and so is an encoder.

    Args:
        name: of what the rows show, with places for the metric and the task's examples: "{}, %", "{units} of equal {}".
        columns: the scores behind them.
        x_name: by default the number of examples; percent: whether the rows are percentages, which do not go below 0.
        scorer_at_axis: name the scorer beside the metric too; a figure names it below (`name_scorer`).
        keep_scales: where scales differ, leave each panel its own, and label its ticks.
    """
    tasks = list(dict.fromkeys(panel.task for panel in panels))
    for row, axes in enumerate(grid):
        labelled: list[Axes] = []
        for task in tasks:
            own = [ax for ax, panel in zip(axes, panels, strict=True) if panel.task == task and ax.get_visible()]
            if keep_scales and len({(ax.get_ylim(), tuple(ax.get_yticks())) for ax in own}) > 1:
                labelled += own
            else:
                share_scale(own, lowest=0.0 if percent else -math.inf)
        for ax, panel in zip(axes, panels, strict=True):
            shown = columns_of(columns, panel.task)
            scorers = {_scorer_of(other, shown[0]) for other in panels if other.task == panel.task}
            if row == 0:
                _set_title(ax, panel, panels, _scorer_of(panel, shown[0]) if len(scorers) > 1 else "")
            if row < len(shown) and (len(panels) == 1 or _is_leftmost(ax)):
                words = name.format(metric_name(shown[row], panel.task), units=panel.wording.units)
                named = scorer_at_axis and len(scorers) == 1 and "" not in scorers
                scorer = f"(scorer: {next(iter(scorers))})" if named else ""
                ax.set_ylabel(plain(f"{words}{' ' if len(words) < 10 else chr(10)}{scorer}".rstrip()))
            elif ax not in labelled:
                ax.tick_params(labelleft=False)
            if row == len(shown) - 1 and not _has_below(ax, [a for line in grid for a in line], panels, panel):
                ax.set_xlabel(plain(x_name or panel.wording.axis))


def _set_title(ax: Axes, panel: Panel, panels: Sequence[Panel], scorer: str) -> None:
    """Task, language, test set and scorer; on a line of its own the encoder, where panels differ in it. Long titles wrap.

    Args:
        scorer: "" where all panels of the task have one.
    """
    label, _, facet = panel.label.partition("\n")
    # The label names the scorer that leads in the table, which need not be the one that is shown.
    label = label.replace(f", scorer {panel.scorer}", "")
    task = panel.wording.short if len({other.task for other in panels}) > 1 else ""
    parts = [task, panel.language_name, label, f"scorer {scorer}" if scorer else ""]
    models = _models(panel)
    several = len(models) == 1 and len({name for other in panels for name in _models(other)}) > 1
    model = next(iter(models)) if several else ""
    below = [model if model not in facet else "", facet]
    width = float(ax.figure.bbox.width) * 72 / ax.figure.dpi / _grid_shape(panels)[0]
    size = float(ax.title.get_fontsize())
    letters = max(int((width - 3 * size) / (0.55 * size)), 12)
    lines = [*_fill(parts, " · ", letters), *_fill(below, ", ", letters)]
    ax.set_title(plain("\n".join(lines)), loc="left")


def _models(panel: Panel) -> set[str]:
    """The encoders of a panel as readers know them; a monolingual curve names its own."""
    return {short_name(curve.setting["model"]) for curve in panel.curves if curve.arm is not Arm.MONOLINGUAL} - {""}


def _fill(parts: Sequence[str], between: str, letters: int) -> list[str]:
    """Lines of at most so many letters, which break between parts, within one only where it alone is too long."""
    lines: list[str] = []
    for part in filter(None, parts):
        first, *more = textwrap.wrap(part, letters) if len(part) > letters else [part]
        if lines and len(lines[-1]) + len(between) + len(first) <= letters:
            first = lines.pop() + between + first
        lines += [first, *more]
    return lines


def _has_below(ax: Axes, others: Sequence[Axes], panels: Sequence[Panel], panel: Panel) -> bool:
    """Whether another drawing of the same task is below this one, in the same column: it names the axis for both."""
    place = ax.get_subplotspec()
    if place is None:
        return False
    below = [
        other
        for other, shown in zip(others, [*panels] * (len(others) // len(panels)), strict=True)
        if shown.task == panel.task and other.get_visible()
    ]
    return any(
        spec is not None and spec.colspan.start == place.colspan.start and spec.rowspan.start > place.rowspan.start
        for spec in (other.get_subplotspec() for other in below)
    )


def name_scorer(panels: Sequence[Panel], columns: Columns) -> str:
    """The scorer of all panels, for the words below a figure; "" where titles name several, or metrics are enough."""
    scorers = {_scorer_of(panel, columns_of(columns, panel.task)[0]) for panel in panels} - {""}
    return f"scorer:{NO_BREAK}{scorers.pop()}" if len(scorers) == 1 else ""


def _scorer_of(panel: Panel, column: str) -> str:
    return scorer_name(column, panel.task, panel.scorer)


def _is_leftmost(ax: Axes) -> bool:
    place = ax.get_subplotspec()
    return place is None or bool(place.colspan.start == 0)


def share_scale(row: Sequence[Axes], lowest: float = -math.inf) -> None:
    """Give the axes of a row one range, not below `lowest`, so that panels can be compared by eye.

    Axes without a signal have no part in the range; they take it over, as the first axes of a row are labelled for all.
    """
    from matplotlib.ticker import AutoLocator

    if not row:
        return
    empty = [ax for ax in row if list(ax.get_yticks()) == [0]]
    full = [ax for ax in row if ax not in empty] or row
    low = min(ax.get_ylim()[0] for ax in full)
    high = max(ax.get_ylim()[1] for ax in full)
    # A marker at the edge of the range of one panel alone would be cut in half.
    room = 0.03 * (high - low) if all(ax.get_yscale() == "linear" for ax in full) else 0.0
    for ax in row:
        if ax in empty and ax not in full:
            ax.yaxis.set_major_locator(AutoLocator())
        ax.set_ylim(max(low - room, lowest), high + room)


def _describe_spread(panels: Sequence[Panel]) -> str:
    """What the bands are. A single run has none."""
    counts = {
        len(point.rows) for panel in panels for curve in panel.curves for point in curve.points if not point.missing
    } - {0, 1}
    if not counts:
        return ""
    least, most = min(counts), max(counts)
    return f"band: ±{NO_BREAK}1{NO_BREAK}s.d. over {least if least == most else f'{least} to {most}'} seeds"


def legend_handles(curve_styles: Mapping[str, CurveStyle], style: Style) -> list[Any]:
    """A handle for each curve label: its line and marker, as drawn."""
    from matplotlib.lines import Line2D

    return [
        Line2D(
            [],
            [],
            color=curve_style.color,
            linestyle=curve_style.dashes,
            label=plain(label),
            **curve_style.marker_kwargs(style),
        )
        for label, curve_style in curve_styles.items()
    ]


def merge_handles(axes: Iterable[Axes]) -> dict[str, Any]:
    """Label -> handle of everything labelled on some axes; a label that several axes have occurs once."""
    handles: dict[str, Any] = {}
    for ax in axes:
        handles |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    return handles


def _describe_worth(marked: Sequence[Comparison]) -> str:
    """What the marks of N₀ are; "" where there are none."""
    if not marked:
        return ""
    known = [(c, n0) for c in marked if not math.isnan((n0 := c.stated.zero_shot_worth).low)]
    beyond = any(n0.low < c.n_min or n0.high > c.n_max for c, n0 in known)
    arrow = ", arrow: beyond the sizes measured" if beyond else ""
    return f"{WORTH_WORDS} (bar: 95{NO_BREAK}% interval{arrow})" if known else WORTH_WORDS


def add_legend(figure: Figure, curve_styles: dict[str, CurveStyle], style: Style, words: Sequence[str]) -> None:
    """A legend below the axes: the words that explain the marks, then the curves."""
    handles = legend_handles(curve_styles, style)
    width = figure.get_size_inches()[0] * 72 / style.font
    columns = _legend_columns([handle.get_label() for handle in handles], width)
    explained = textwrap.fill("; ".join(word for word in words if word), max(int(width / 0.53), 20))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=columns, handlelength=2.4, columnspacing=1.4,
        title=plain(explained) or None, title_fontsize=style.font * 0.85,
    )  # fmt: skip


def _legend_columns(labels: Sequence[str], width: float) -> int:
    """The most columns whose widest labels fit side by side in `width` ems."""
    for columns in range(len(labels), 1, -1):
        rows = math.ceil(len(labels) / columns)
        longest = [max(map(len, labels[i : i + rows])) for i in range(0, len(labels), rows)]
        if sum(0.56 * letters + 5.5 for letters in longest) <= width:
            return columns
    return 1


# ------------------------------------------------------------------------------------------------------ writing


def check_suffix(path: Path) -> Path:
    """The path, when its suffix is one that a figure can be written as."""
    if path.suffix.lower() not in SUFFIXES:
        raise XlqaError(f"--out {path}: the suffix decides the format; use {', '.join(SUFFIXES)}.")
    return path


def save_figure(figure: Figure, path: Path, style: Style = STYLES["paper"]) -> Path:
    """Write a figure; the suffix decides the format. The same figure gives the same bytes."""
    check_suffix(path)
    content = io.BytesIO()
    save_to(figure, content, path.suffix.lower()[1:], style)
    write_output(path, content.getvalue())
    return path


def save_to(figure: Figure, target: Any, format: str, style: Style) -> None:
    """Write a figure to a path or an open binary file as "png", "svg" or "pdf", without dates or versions."""
    blank: dict[str, dict[str, Any]] = {
        "png": {"Software": None},
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    with style.context(_figure_text(figure)), warnings.catch_warnings(), _set_for(figure, format):
        # `missing_font` reports it once, in words; matplotlib once a letter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support .* natively")
        figure.savefig(target, format=format, dpi=style.dpi, metadata=blank[format])


@contextmanager
def _set_for(figure: Figure, format: str) -> Iterator[None]:
    """The texts as they are to be drawn; in SVG they stay text, which the reader's program sets."""
    before = [(artist, artist.get_text()) for artist in _texts(figure)] if format != "svg" else []
    for artist, text in before:
        artist.set_text(set_right_to_left(text))
    try:
        yield
    finally:
        for artist, text in before:
            artist.set_text(text)


def _texts(figure: Figure) -> list[Text]:
    from matplotlib.text import Text

    return [artist for artist in figure.findobj(Text) if isinstance(artist, Text)]


def _figure_text(figure: Figure) -> str:
    return "".join(artist.get_text() for artist in _texts(figure))
