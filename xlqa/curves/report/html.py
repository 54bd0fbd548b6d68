"""What the HTML report has beyond the words: its figures, as SVG, and every run's settings."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlqa.curves.breakdown import Breakdown
from xlqa.curves.comparison import Comparison, Options
from xlqa.curves.grouping import Panel, source_name, tasks_of, to_text
from xlqa.curves.plots.breakdown import breakdown_figure
from xlqa.curves.plots.curves import STYLES, curve_figure, save_to
from xlqa.curves.plots.effects import gain_figure, worth_figure
from xlqa.curves.report.contents import Table, short_hash
from xlqa.curves.report.formatting import MISSING, listed
from xlqa.curves.report.render import Picture
from xlqa.curves.wording import Columns, columns_of, metric_name
from xlqa.records import TASK_METRICS, result_columns

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_NAMING = ("arm", "size", "seed", "source_seed")


def pictures(
    panels: Sequence[Panel],
    comparisons: Sequence[Comparison],
    columns: Columns,
    options: Options,
    breakdowns: Sequence[Breakdown] = (),
) -> dict[str, tuple[Picture, ...]]:
    """For each panel, by the title of its section: the learning curve, the gain, the worth and the breakdowns of the gain.

    A figure has one panel, so that a phone shows it in a size to be read.
    """
    return {
        panel.title: tuple(
            Picture(_svg(figure), caption, f"{caption} {panel.title}.")
            for figure, caption in [
                *_figures(
                    panel, [c for c in comparisons if c.panel is panel], columns_of(columns, panel.task), options
                ),
                *_breakdown_figures(panel, breakdowns),
            ]
        )
        for panel in panels
    }


def _figures(
    panel: Panel, comparisons: Sequence[Comparison], columns: Sequence[str], options: Options
) -> list[tuple[Figure, str]]:
    style = STYLES["web"]
    scores = listed([metric_name(column, panel.task) for column in columns])
    curve = (
        f"{scores} by number of target-language {panel.wording.units}; points are runs, the dashed level is zero-shot."
    )
    if not comparisons:
        return [(curve_figure([panel], columns, style), curve)]
    source = source_name(comparisons[0].first.setting)
    gain = f"What {source} adds, with 95 % intervals, and the break-even at ± {options.margin:g}."
    worth = (
        f"Examples that alone score as N with {source} do; the height above the diagonal is what {source} is worth, grey "
        "is beyond the sizes measured."
    )
    made = [(curve_figure([panel], columns, style), curve)]
    if any(c.learned for c in comparisons):
        made += [(gain_figure(comparisons, columns, options.margin, style), gain)]
        made += [(worth_figure(comparisons, columns, style), worth)]
    return made


def _breakdown_figures(panel: Panel, breakdowns: Sequence[Breakdown]) -> list[tuple[Figure, str]]:
    """One figure a comparison: the gain by kinds of examples."""
    made = []
    own = [part for part in breakdowns if part.comparison.panel is panel]
    for c in dict.fromkeys(id(part.comparison) for part in own):
        parts = [part for part in own if id(part.comparison) == c]
        caption = f"Gain in {parts[0].comparison.metric} of {parts[0].comparison.first.label} by kinds of questions, with 95 % intervals."
        made.append((breakdown_figure(parts, STYLES["web"]), caption))
    return made


def _svg(figure: Figure) -> bytes:
    file = io.BytesIO()
    save_to(figure, file, "svg", STYLES["web"])
    return file.getvalue()


def runs_tables(rows: pd.DataFrame, panels: Sequence[Panel]) -> tuple[Table, ...]:
    """Every evaluation of each panel with all its columns; a table of its own has those that never differ."""
    tables = []
    for panel in panels:
        names = result_columns(panel.task)
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
        where = panel.title
        tables += [Table(f"All {len(own)} evaluations: {where}", header, body)]
        tables += [Table(f"Common to all of them: {where}", ("column", "value"), common)]
    return tuple(tables)
