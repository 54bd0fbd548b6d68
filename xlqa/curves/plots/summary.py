"""Draws what the source data is worth for all tasks and languages: one chart, a block for each task, a row for each language.

A mark is an estimate with its 95 % interval on a logarithmic axis of labelled target examples. An end that is beyond the sizes
measured, or at or below 0, is an open arrow at the edge, never a point; the numbers are beside the row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xlqa.curves.comparison import Comparison, leading
from xlqa.curves.grouping import source_name, task_order
from xlqa.curves.plots.curves import GREY, Style, all_text, plain
from xlqa.curves.report import formatting as w
from xlqa.curves.variance import UNKNOWN, Interval
from xlqa.curves.wording import WORDING, leading_metric
from xlqa.errors import XlqaError
from xlqa.records import Arm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TRACK = "#ececec"
_ZERO = ("#0072B2", "o", True)
_AT = ("#D55E00", "D", False)
_TICKS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
_MOST_TICKS = 8


@dataclass(frozen=True)
class _Mark:
    """An estimate of a row: how many examples, between which ends it was measured, and how it is drawn."""

    found: Interval
    lowest: float
    highest: float
    look: tuple[str, str, bool]

    @property
    def words(self) -> str:
        """Value and interval; one of them where both would be the same."""
        return w.examples(self.found, self.lowest, self.highest)


def summary_figure(
    comparisons: Sequence[Comparison], at: int, style: Style, size: tuple[float, float] | None = None
) -> Figure:
    """How many labelled target examples the source data is worth, for each task and language.

    Args:
        at: the N of the second mark of a row, its worth D_T(N); 0 for N₀ alone.

    Raises:
        XlqaError: no comparison has a source stage.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [c for c in leading(comparisons) if c.first.arm is Arm.TRANSFER and _is_leading(c)]
    if not shown:
        if any(c.first.arm is Arm.TRANSFER for c in comparisons):
            raise XlqaError("--what summary draws the first metric of each task: leave --metric out.")
        raise XlqaError(
            "no worth to draw: it takes transfer and target-only runs of one encoder on the same target data."
        )
    tasks = task_order(c.panel.task for c in shown)
    blocks = [[c for c in shown if c.panel.task == task] for task in tasks]
    with_second = at > 0 and any(r.size == at for c in shown for r in c.results)
    names = [_row_names(own, len({c.model for c in shown}) > 1) for own in blocks]
    tall = with_second or any("\n" in name for own in names for name in own)
    row = style.font / 72 * (2.9 if tall else 2.0)
    height = row * sum(len(own) + 1.1 for own in blocks) + style.font / 72 * (8.5 + 1.1 * len(blocks))
    needed = (_width(names, style), height)
    style = style.fitted(size, needed)
    with style.context(all_text([c.panel for c in shown])):
        figure = Figure(figsize=size or needed, layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(len(blocks), 1, squeeze=False, sharex=True, height_ratios=[len(b) + 0.2 for b in blocks])
        axes = list(grid[:, 0])
        _set_axis(axes, shown, at if with_second else 0)
        for ax, own, own_names in zip(axes, blocks, names, strict=True):
            _draw_block(ax, own, own_names, at if with_second else 0, style)
            ax.tick_params(axis="x", length=2 if ax is axes[-1] else 0)
            ax.spines["bottom"].set_visible(ax is axes[-1])
        _head_columns(axes[0], at if with_second else 0, style)
        sources = {source_name(c.first.setting) for c in shown}
        source = next(iter(sources)) if len(sources) == 1 else "the source data"
        axes[-1].set_xlabel(plain(f"labelled target-language examples that {source} is worth\n({_conditions(shown)})"))
        _add_legend(figure, source, at if with_second else 0, style)
    return figure


def _is_leading(c: Comparison) -> bool:
    return c.column.removeprefix("squad_") == leading_metric(c.panel.task)


def _set_axis(axes: Sequence[Axes], shown: Sequence[Comparison], at: int) -> None:
    """One log axis from the smallest to the largest number of examples, the ends of intervals included."""
    from matplotlib.ticker import FixedLocator, NullLocator

    found = [r.worth for c in shown for r in c.stated.results if at and r.size == at]
    ends = [end for worth in found if worth.is_determined for end in (worth.low, worth.value) if 1 <= end < math.inf]
    low = max(1.0, min([*ends, *(float(c.n_min) for c in shown)]))
    high = float(max(c.n_max for c in shown))
    margin = math.exp(0.05 * max(math.log(high / low), math.log(4)))
    for ax in axes:
        ax.set_xscale("log")
        ax.set_xlim(low / margin, high * margin)
        ax.grid(axis="y", visible=False)
        ax.grid(axis="x", visible=True)
    ticks: list[float] = [tick for tick in _TICKS if low / margin <= tick <= high * margin] or [low, high]
    if len(ticks) > _MOST_TICKS:
        ticks = [tick for tick in ticks if math.log10(tick).is_integer()]
    axes[-1].xaxis.set_minor_locator(NullLocator())
    axes[-1].xaxis.set_major_locator(FixedLocator(ticks))
    axes[-1].set_xticklabels([f"{tick:,.0f}" for tick in ticks])


def _width(names: Sequence[Sequence[str]], style: Style) -> float:
    """Inches: names of rows beyond 16 characters make the figure wider, not the axes narrower."""
    longest = max(len(line) for own in names for name in own for line in name.split("\n"))
    return style.panel[0] * 2.45 + max(0, longest - 16) * style.font * 0.55 / 72


def _draw_block(ax: Axes, own: Sequence[Comparison], names: Sequence[str], at: int, style: Style) -> None:
    """The rows of one task."""
    wording, first = WORDING[own[0].panel.task], own[0]
    ax.set_ylim(len(own) - 0.5, -0.5)
    ax.set_yticks(range(len(own)), [plain(name) for name in names])
    ax.tick_params(axis="y", length=0, pad=style.font * 0.8)
    ax.spines["left"].set_visible(False)
    ax.set_title(plain(wording.title), loc="left", fontsize=style.font, fontweight="bold", pad=style.font * 1.7)
    ax.annotate(
        plain(f"{first.metric}; {_source_words(own)}{wording.units}"), xy=(0, 1), xycoords="axes fraction",
        xytext=(0, style.font * 0.5), textcoords="offset points", ha="left", va="bottom", fontsize=style.font * 0.85,
    )  # fmt: skip
    for y, c in enumerate(own):
        _draw_row(ax, y, c, at, style)


def _source_words(own: Sequence[Comparison]) -> str:
    """How many examples the source stage trained on, where all rows agree: "English: 1,500 "."""
    found = {(c.first.setting.get("source_size", ""), source_name(c.first.setting)) for c in own}
    (size, source), *others = found
    if others or not size:
        return ""
    return f"{source}: {float(size):,.0f} "


def _conditions(shown: Sequence[Comparison]) -> str:
    """The encoder, where all rows have one, and the number of seeds behind them."""
    models, seeds = {c.model for c in shown}, sorted({c.seeds for c in shown})
    counts = w.counted(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    return f"{next(iter(models))}; {counts}" if len(models) == 1 else counts


def _row_names(own: Sequence[Comparison], models: bool) -> list[str]:
    """Languages, and on a second line what else tells the rows of a task apart: test set, setting, and encoder where several are."""
    languages = [c.panel.language_name for c in own]
    tests = [f"{c.panel.language_name}, {c.panel.label}" for c in own]
    names = []
    for c, language, test in zip(own, languages, tests, strict=True):
        extra = c.first.label.partition(", ")[2] if tests.count(test) > 1 else ""
        parts = [
            c.panel.label if languages.count(language) > 1 else "",
            extra,
            c.model if models and c.model not in extra else "",
        ]
        second = ", ".join(part for part in parts if part)
        names.append(f"{language}\n{second}" if second else language)
    return names


def _draw_row(ax: Axes, y: int, c: Comparison, at: int, style: Style) -> None:
    ax.plot([c.n_min, c.n_max], [y, y], color=_TRACK, linewidth=style.font * (1.9 if at else 1.2), zorder=1,
            solid_capstyle="butt")  # fmt: skip
    zero_shot = w.MISSING if math.isnan(c.zero_shot.value) else w.percent(c.zero_shot.value)
    _write(ax, y, 0, zero_shot, style)
    if not c.learned:
        _write(ax, y, 1, "no run learned", style)
        return
    marks = [_Mark(c.stated.zero_shot_worth, c.n_min, c.n_max, _ZERO)]
    if at:
        worth = next((r.worth for r in c.stated.results if r.size == at), UNKNOWN)
        marks.append(_Mark(worth, c.n_min - at, c.n_max - at, _AT))
    for place, mark in enumerate(marks):
        shift = 0.21 * (2 * place - 1) if at else 0.0
        _draw_mark(ax, y + shift, mark, (c.n_min, c.n_max), style)
        _write(ax, y, 1 + place, mark.words, style)


def _draw_mark(ax: Axes, y: float, mark: _Mark, track: tuple[int, int], style: Style) -> None:
    found, (color, marker, filled) = mark.found, mark.look
    if math.isnan(found.value):
        return
    if not math.isnan(found.low) and not found.is_determined:
        ax.text(math.sqrt(track[0] * track[1]), y, w.UNDETERMINED, color=color, ha="center", va="center",
                fontsize=style.font * 0.75, fontstyle="italic")  # fmt: skip
        return
    left = max(mark.lowest, ax.get_xlim()[0])
    if mark.highest < left:  # at the largest size nothing is left to measure; the words beside the row state the bound
        return
    low, high = (found.value if math.isnan(end) else end for end in (found.low, found.high))
    begin, end = min(max(low, left), mark.highest), min(max(high, left), mark.highest)
    ax.plot([begin, end], [y, y], color=color, linewidth=style.line, zorder=3, solid_capstyle="butt")
    for open_end, x, arrow in ((low < left, begin, "<"), (high == math.inf, end, ">")):
        if open_end:
            ax.plot([x], [y], marker=arrow, color="white", markeredgecolor=color, markeredgewidth=style.line * 0.8,
                    markersize=style.marker * 1.2, zorder=3.5, clip_on=False)  # fmt: skip
    if left <= found.value <= mark.highest:
        ax.plot([found.value], [y], marker=marker, color=color if filled else "white", markeredgecolor=color,
                markeredgewidth=style.line * 0.8, markersize=style.marker * (1.0 if filled else 0.85), zorder=4)  # fmt: skip


def _columns(style: Style) -> tuple[float, ...]:
    """Where the columns of numbers end, in points right of the axes."""
    return (style.font * 3.2, style.font * 13.7, style.font * 24.2)


def _write(ax: Axes, y: float, column: int, text: str, style: Style) -> None:
    colors = ("black", _ZERO[0], _AT[0])
    ax.annotate(
        text, xy=(1, y), xycoords=("axes fraction", "data"), xytext=(_columns(style)[column], 0), textcoords="offset points",
        ha="right", va="center", fontsize=style.font * 0.85, color=colors[column], annotation_clip=False,
    )  # fmt: skip


def _head_columns(ax: Axes, at: int, style: Style) -> None:
    heads = ["zero-\nshot", "worth of zero-shot\n(N = 0)", f"worth with\nN = {at:,}"]
    for place, (x, text) in enumerate(zip(_columns(style), heads, strict=True)):
        if place < 2 or at:
            ax.annotate(
                text, xy=(1, 1), xycoords="axes fraction", xytext=(x, style.font * 0.5), textcoords="offset points",
                ha="right", va="bottom", fontsize=style.font * 0.85, annotation_clip=False,
            )  # fmt: skip


def _add_legend(figure: Figure, source: str, at: int, style: Style) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    names = [(_ZERO, "$N_0$: target examples that alone score as zero-shot does")]
    names += [(_AT, f"$D_T$({at:,}): further target examples that {plain(source)} equals at N = {at:,}")] if at else []
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=color, marker=marker, markerfacecolor=color if filled else "white", markeredgecolor=color,
               markeredgewidth=style.line * 0.8, linewidth=style.line, label=name)
        for (color, marker, filled), name in names
    ]  # fmt: skip
    handles.append(Line2D([], [], color=GREY, marker=">", markerfacecolor="white", markeredgewidth=style.line * 0.8, linewidth=style.line,
                          label="95 % interval; open arrow: not measured there, or ≤ 0"))  # fmt: skip
    handles.append(Patch(facecolor=_TRACK, label="target-only sizes measured"))
    columns = 2 if figure.get_size_inches()[0] * 72 / style.font > 60 else 1
    figure.legend(
        handles=handles, loc="outside lower left", ncols=columns, handlelength=2.2, fontsize=style.font * 0.85
    )
