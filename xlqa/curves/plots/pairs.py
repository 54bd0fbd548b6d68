"""Draws question language × context language as annotated heatmaps with the means of rows and columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from xlqa.curves.pairs import Matrix, change
from xlqa.curves.plots.curves import GREY, Style, plain
from xlqa.curves.wording import metric_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL = 0.043
"""Width of a cell in inches for each point of the font."""

LETTER = 0.0085
"""Width of a letter of a title in inches for each point of the font: titles are larger than the figure's font."""


def pairs_figure(
    matrices: Sequence[Matrix], column: str, style: Style, size: tuple[float, float] | None = None
) -> Figure:
    """The first matrix, and of each further one of the same set the change from it; a note of what was scored below each, or
    one for all.

    Args:
        matrices: at least one; those of another set are drawn as they are.
        column: the score, for the axes' names.

    Raises:
        XlqaError: two matrices of a set have no change (`xlqa.curves.pairs.change`).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = [(matrices[0], False)]
    for matrix in matrices[1:]:
        same = matrix.set_name == matrices[0].set_name
        drawn.append((change(matrices[0], matrix), True) if same else (matrix, False))
    metric = metric_name(column)
    titles = [plain(_title(matrix, matrices[0], metric, is_change)) for matrix, is_change in drawn]
    notes = [plain(_note(matrix)) for matrix, _ in drawn]
    apart = len(set(notes)) > 1
    with style.context(" ".join(matrix.label for matrix in matrices)):
        cell = style.font * CELL
        height = max(len(matrix.question_langs) for matrix, _ in drawn) + 1.4
        widths = [
            max((len(matrix.context_langs) + 1.4) * cell, _letters(f"{title}\n{note}") * style.font * LETTER)
            + style.font * 0.09
            for (matrix, _), title, note in zip(drawn, titles, notes if apart else [""] * len(notes), strict=True)
        ]
        wanted = size or (sum(widths), height * cell + style.font * (0.12 + 0.02 * (len(drawn) > 1)))
        figure = Figure(figsize=wanted, layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(1, len(drawn), squeeze=False, width_ratios=widths)
        for ax, (matrix, is_change), title, note in zip(grid[0], drawn, titles, notes, strict=True):
            draw_pairs(ax, matrix, style, is_change=is_change)
            ax.set_title(title, loc="left")
            if apart:
                _write_below(ax, note, style)
        if not apart:
            figure.supxlabel(notes[0], fontsize=style.font * 0.85, x=0.01, ha="left", color=GREY)
    return figure


def _letters(title: str) -> int:
    """Number of letters in the longest line of `title`."""
    return max(map(len, title.splitlines()))


def _title(matrix: Matrix, first: Matrix, metric: str, is_change: bool) -> str:
    head = f"{metric}, {matrix.set_name}: {matrix.label}"
    if is_change:
        head = f"change in {metric}: {matrix.label}\nminus {first.label}"
    sign = "+" if is_change else ""
    same, different = matrix.mean_of_same(), matrix.mean_of_different()
    known = [(what, value) for what, value in (("same language", same), ("two languages", different))]
    return head + "\n" + " · ".join(f"{what} {value:{sign}.1f}" for what, value in known if not math.isnan(value))


def _write_below(ax: Axes, note: str, style: Style) -> None:
    """Write what one matrix was scored on, below the name of its axis."""
    ax.annotate(
        note, xy=(0, 0), xycoords="axes fraction", xytext=(0, -style.font * 3.6), textcoords="offset points", ha="left", va="top",
        fontsize=style.font * 0.85, color=GREY, annotation_clip=False,
    )  # fmt: skip


def _note(matrix: Matrix) -> str:
    """Of a matrix, or of the second of a change: how many questions a pair, runs, and by which scorer."""
    counts = matrix.questions[~np.isnan(matrix.questions)]
    least, most = int(counts.min()), int(counts.max())
    questions = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    scorers = "the context language's MLQA scorer" if len(matrix.scorers) > 1 else f"scorer {matrix.scorers[0]}"
    runs = f"mean of {matrix.runs} runs" if matrix.runs > 1 else "one run"
    return f"{questions} questions a pair, {runs}; {scorers}"


def draw_pairs(ax: Axes, matrix: Matrix, style: Style, is_change: bool = False) -> Axes:
    """Draw one matrix: a row a question language, a column a context language, then the means.

    A mean over a missing score is missing. White to blue is a score, orange to blue around 0 is a change.
    """
    rows, columns = matrix.values.shape
    known = matrix.values[~np.isnan(matrix.values)]
    if is_change:
        reach = max(float(np.abs(known).max()), 1.0) if known.size else 1.0
        low, high, colours = -reach, reach, _diverging()
    else:
        low, high, colours = (
            float(known.min()) if known.size else 0.0,
            float(known.max()) if known.size else 1.0,
            _blues(),
        )
    gap = 0.4
    cells: list[tuple[int, int, float, float, float]] = [
        (r, c, float(matrix.values[r, c]), r, c) for r in range(rows) for c in range(columns)
    ]
    cells += [(r, columns, float(matrix.values[r].mean()), r, columns + gap) for r in range(rows)]
    cells += [(rows, c, float(matrix.values[:, c].mean()), rows + gap, c) for c in range(columns)]
    cells.append((rows, columns, float(matrix.values.mean()), rows + gap, columns + gap))
    for row, column, value, y, x in cells:
        share = (value - low) / (high - low) if high > low else 0.5
        is_mean = row == rows or column == columns
        _draw_cell(ax, (x, y), value, colours(min(max(share, 0.0), 1.0)), style, is_change=is_change, is_mean=is_mean)
    _mark_same_language(ax, matrix, style)
    ax.set_xlim(-0.5, columns + gap + 0.5)
    ax.set_ylim(rows + gap + 0.5, -0.5)
    ax.set_aspect("equal", anchor="NW")  # under its title, which starts at the left
    ax.set_xticks([*range(columns), columns + gap], [*matrix.context_langs, "mean"])
    ax.set_yticks([*range(rows), rows + gap], [*matrix.question_langs, "mean"])
    ax.set_xlabel("context language")
    ax.set_ylabel("question language")
    ax.tick_params(length=0)
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax


def _draw_cell(
    ax: Axes, place: tuple[float, float], value: float, colour: Any, style: Style, *, is_change: bool, is_mean: bool
) -> None:
    from matplotlib.patches import Rectangle

    x, y = place
    missing = math.isnan(value)
    face = "white" if missing else colour
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=face, edgecolor="white", linewidth=0.8))
    red, green, blue = (1.0, 1.0, 1.0) if missing else colour[:3]
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
    text = "–" if missing else f"{value:+.1f}" if is_change else f"{value:.1f}"
    ax.text(
        x, y, text, ha="center", va="center", fontsize=style.font * 0.82, color="white" if dark else "black",
        fontweight="bold" if is_mean else "normal",
    )  # fmt: skip


def _mark_same_language(ax: Axes, matrix: Matrix, style: Style) -> None:
    """Frame the cells whose question and context are in one language."""
    from matplotlib.patches import Rectangle

    for row, code in enumerate(matrix.question_langs):
        if code in matrix.context_langs:
            column = matrix.context_langs.index(code)
            frame = Rectangle(
                (column - 0.46, row - 0.46), 0.92, 0.92, fill=False, edgecolor="black", linewidth=style.line * 0.6
            )
            ax.add_patch(frame)


def _blues() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("scores", ["#f7fbff", "#6baed6", "#08306b"])


def _diverging() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("changes", ["#b35806", "#fdb863", "#f7f7f7", "#6baed6", "#084594"])
