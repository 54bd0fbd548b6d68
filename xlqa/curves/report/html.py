"""What the HTML report has beyond the words: its figures, as SVG, and every run's settings."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlqa.curves.breakdown import Breakdown
from xlqa.curves.comparison import Comparison, Options, leading
from xlqa.curves.grouping import Panel, source_name, tasks_of, to_text
from xlqa.curves.plots.breakdown import breakdown_figure
from xlqa.curves.plots.curves import STYLES, curve_figure, save_to
from xlqa.curves.plots.effects import gain_figure, worth_figure
from xlqa.curves.plots.scatter import scatter_figure
from xlqa.curves.report.contents import comparison_title
from xlqa.curves.report.document import Table
from xlqa.curves.report.formatting import MISSING, interval, listed, percent, signed
from xlqa.curves.report.page import Picture
from xlqa.curves.report.tables import short_hash
from xlqa.curves.wording import Columns, columns_of, metric_name
from xlqa.errors import XlqaError
from xlqa.records import NO_ANSWER_COLUMNS, TASK_METRICS, result_columns

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LEAST_FOR_SCATTER = 3
"""Two points are no pattern."""
SCATTER_SIZE = 100
_NAMING = ("arm", "size", "seed", "source_seed")


def pictures(
    panels: Sequence[Panel],
    comparisons: Sequence[Comparison],
    columns: Columns,
    options: Options,
    breakdowns: Sequence[Breakdown] = (),
) -> dict[str, tuple[Picture, ...]]:
    """By the title of a section: below the summary the learning curves; at each panel's first result its gain, worth and breakdowns.

    A figure has one panel, so that a phone shows it in a size to be read.
    """
    above = [_curve_picture(panel, columns) for panel in panels]
    if len({c.panel.lang for c in comparisons if c.learned}) >= LEAST_FOR_SCATTER:
        above += _scatter_pictures([c for c in comparisons if c.column == columns_of(columns, c.panel.task)[0]])
    found: dict[str, tuple[Picture, ...]] = {"Summary": tuple(above)}
    for panel in panels:
        own = [c for c in comparisons if c.panel is panel]
        if own:
            figures = [*_figures(own, columns_of(columns, panel.task), options), *_breakdown_figures(panel, breakdowns)]
            found[comparison_title(own[0])] = tuple(
                Picture(_svg(figure), caption, f"{caption} {panel.title}. {words}".rstrip())
                for figure, caption, words in figures
            )
    return found


def _curve_picture(panel: Panel, columns: Columns) -> Picture:
    shown = columns_of(columns, panel.task)
    scores = listed([metric_name(column, panel.task) for column in shown])
    caption = (
        f"{scores} by number of target-language {panel.wording.units}; points are runs, the dashed level is zero-shot."
    )
    words = f"Learning curves: {panel.title}. {caption} {describe_curves(panel, shown[0])}".rstrip()
    return Picture(_svg(curve_figure([panel], columns, STYLES["web"])), f"{panel.title}. {caption}", words)


def _scatter_pictures(comparisons: Sequence[Comparison]) -> list[Picture]:
    """Gain against zero-shot over languages, where there is a zero-shot score."""
    try:
        figure = scatter_figure(comparisons, SCATTER_SIZE, STYLES["web"])
    except XlqaError:
        return []
    caption = "Gain against the zero-shot score: a point for each language, with 95 % intervals."
    known = [c for c in leading(comparisons) if not math.isnan(c.zero_shot.value)]
    words = "; ".join(f"{c.panel.language_name} zero-shot {percent(c.zero_shot.value)}" for c in known)
    return [Picture(_svg(figure), caption, f"{caption} {words}. The gains are in the table.")]


def describe_curves(panel: Panel, column: str) -> str:
    """The ends of each curve in a sentence, for those who do not see the figure."""
    parts = []
    for curve in panel.curves:
        if len(curve.zero_shot):
            parts.append(f"{curve.label} at N = 0: {percent(float(curve.zero_shot[column].mean()))}")
        whole = [point for point in curve.points if not point.missing and len(point.rows)]
        ends = whole[:1] + whole[1:][-1:]
        parts += [f"{curve.label} at N = {point.size:,}: {percent(point.mean(column))}" for point in ends]
    return f"{metric_name(column, panel.task)} of {'; '.join(parts)}." if parts else ""


def _figures(
    comparisons: Sequence[Comparison], columns: Sequence[str], options: Options
) -> list[tuple[Figure, str, str]]:
    """Gain and worth of one panel, where something was learned: the figure, its caption, and its numbers in words."""
    if not any(c.learned for c in comparisons):
        return []
    style, source = STYLES["web"], source_name(comparisons[0].first.setting)
    gain = f"What {source} adds, with 95 % intervals, and the break-even at ± {options.margin:g}."
    worth = (
        f"Examples that alone score as N with {source} do; the height above the diagonal is what {source} is worth, grey "
        "is beyond the sizes measured."
    )
    return [
        (gain_figure(comparisons, columns, options.margin, style), gain, _describe_gains(comparisons)),
        (worth_figure(comparisons, columns, style), worth, ""),
    ]


def _describe_gains(comparisons: Sequence[Comparison]) -> str:
    known = [(c, r) for c in leading(comparisons) for r in c.results if r.seeds]
    parts = [
        f"{c.first.label}, {c.metric} at N = {r.size:,}: {signed(r.gain.value)} {interval(r.gain)}" for c, r in known
    ]
    return f"{'; '.join(parts)}." if parts else ""


def _breakdown_figures(panel: Panel, breakdowns: Sequence[Breakdown]) -> list[tuple[Figure, str, str]]:
    """One figure a comparison: the gain by kinds of examples."""
    made = []
    own = [part for part in breakdowns if part.comparison.panel is panel]
    for c in dict.fromkeys(id(part.comparison) for part in own):
        parts = [part for part in own if id(part.comparison) == c]
        caption = f"Gain in {parts[0].comparison.metric} of {parts[0].comparison.first.label} by kinds of questions, with 95 % intervals."
        made.append((breakdown_figure(parts, STYLES["web"]), caption, ""))
    return made


def _svg(figure: Figure) -> bytes:
    file = io.BytesIO()
    save_to(figure, file, "svg", STYLES["web"])
    return file.getvalue()


def runs_tables(rows: pd.DataFrame, panels: Sequence[Panel]) -> tuple[Table, ...]:
    """Every evaluation of each panel with all its columns; a table of its own has those that never differ."""
    tables = []
    for panel in panels:
        names = [
            name for name in result_columns(panel.task, True) if name in rows.columns or name not in NO_ANSWER_COLUMNS
        ]
        naming = (*_NAMING, *TASK_METRICS[panel.task])
        own = rows[[task == panel.task for task in tasks_of(rows)]]
        own = own[own["lang"] == panel.lang]
        for name, value in panel.measurement.items():
            own = own[[to_text(cell) == value for cell in own[name]]]
        texts = {name: [to_text(cell) or MISSING for cell in own[name]] for name in names}
        varying = [name for name in names if name not in naming and len(set(texts[name])) > 1]
        header = (*naming, *varying)
        body = tuple(tuple(short_hash(texts[name][i]) for name in header) for i in range(len(own)))
        common = tuple(
            (name, texts[name][0]) for name in names if name not in header and texts[name] and texts[name][0] != MISSING
        )
        tables += [Table(f"All {len(own)} evaluations", header, body, name="runs", group=panel.title)]
        tables += [Table("Common to all of them", ("column", "value"), common, name="common", group=panel.title)]
    return tuple(tables)
