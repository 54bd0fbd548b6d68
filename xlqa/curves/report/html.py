"""What the HTML report has beyond the words: its figures, as SVG, and every run's settings."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlqa.curves.breakdown import Breakdown
from xlqa.curves.comparison import Comparison, Options
from xlqa.curves.grouping import Panel, source_name, to_text
from xlqa.curves.plots.breakdown import breakdown_figure
from xlqa.curves.plots.curves import METRIC_NAMES, STYLES, curve_figure, save_to
from xlqa.curves.plots.effects import gain_figure, worth_figure
from xlqa.curves.report.contents import Table, panel_title, short_hash
from xlqa.curves.report.formatting import MISSING, listed
from xlqa.curves.report.render import Picture
from xlqa.records import RESULT_COLUMNS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_NAMING = ("arm", "size", "seed", "source_seed", "f1", "em", "squad_f1", "squad_em")


def pictures(
    panels: Sequence[Panel],
    comparisons: Sequence[Comparison],
    columns: Sequence[str],
    options: Options,
    breakdowns: Sequence[Breakdown] = (),
) -> dict[str, tuple[Picture, ...]]:
    """For each panel, by the title of its section: the learning curve, the gain, the worth and the breakdowns of the gain.

    A figure has one panel, so that a phone shows it in a size to be read.
    """
    return {
        panel_title(panel): tuple(
            Picture(_svg(figure), caption, f"{caption} {panel.language_name}, {panel.label}.")
            for figure, caption in [
                *_figures(panel, [c for c in comparisons if c.panel is panel], columns, options),
                *_breakdown_figures(panel, breakdowns),
            ]
        )
        for panel in panels
    }


def _figures(
    panel: Panel, comparisons: Sequence[Comparison], columns: Sequence[str], options: Options
) -> list[tuple[Figure, str]]:
    style = STYLES["web"]
    scores = listed([METRIC_NAMES[column] for column in columns])
    curve = f"{scores} by number of target-language questions; points are runs, the dashed level is zero-shot."
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
        metric = METRIC_NAMES.get(parts[0].comparison.column, parts[0].comparison.column)
        caption = f"Gain in {metric} of {parts[0].comparison.first.label} by kinds of questions, with 95 % intervals."
        made.append((breakdown_figure(parts, STYLES["web"]), caption))
    return made


def _svg(figure: Figure) -> bytes:
    file = io.BytesIO()
    save_to(figure, file, "svg", STYLES["web"])
    return file.getvalue()


def runs_tables(rows: pd.DataFrame, panels: Sequence[Panel]) -> tuple[Table, ...]:
    """Every evaluation of each panel with all its columns; those that are the same throughout stand in the last row."""
    tables = []
    for panel in panels:
        own = rows[rows["lang"] == panel.lang]
        for name, value in panel.measurement.items():
            own = own[[to_text(cell) == value for cell in own[name]]]
        texts = {name: [to_text(cell) or MISSING for cell in own[name]] for name in RESULT_COLUMNS}
        varying = [name for name in RESULT_COLUMNS if name not in _NAMING and len(set(texts[name])) > 1]
        header = (*_NAMING, *varying)
        body = tuple(tuple(short_hash(texts[name][i]) for name in header) for i in range(len(own)))
        common = tuple(
            (name, texts[name][0])
            for name in RESULT_COLUMNS
            if name not in header and texts[name] and texts[name][0] != MISSING
        )
        where = f"{panel.language_name}, {panel.label}"
        tables += [Table(f"All {len(own)} evaluations: {where}", header, body)]
        tables += [Table(f"Common to all of them: {where}", ("column", "value"), common)]
    return tuple(tables)
