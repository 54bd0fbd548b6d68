"""Figures of one language on one test set, on axes of your own: `xlqa.plot`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from xlqa.api.results import Tables, as_frame, as_words, chosen_seeds
from xlqa.errors import XlqaError, check_choice
from xlqa.sweep_keywords import Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from xlqa.curves.grouping import Panel
    from xlqa.curves.plots.curves import CurveStyle, Style


def plot(
    results: Tables,
    *,
    what: Literal["curve", "gain", "worth"] = "curve",
    metric: str = "",
    scorer: str | None = None,
    lang: Words = (),
    test: Words = (),
    split: str = "test",
    seeds: str | int | Sequence[int] = (),
    task: Words = (),
    style: Literal["web", "paper", "slides"] = "web",
    palette: Literal["okabe-ito", "tol", "grey"] = "okabe-ito",
    font_scale: float = 1.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw one language on one test set; figures of several panels are what `xlqa plot` draws.

    Args:
        results: a sweep that ended, a frame of `load_results`, or what that takes.
        what: "curve", "gain" (transfer minus target-only, with intervals) or "worth" (in examples).
        scorer: "squad", or None for the test set's own.
        metric: one of the task's metrics ("f1", "em", "accuracy", …); by default its leading one.
        lang, test, split, seeds, task: which rows to draw.
        palette: colours of the arms; font_scale: text this many times as large as the style's.
        ax: where to draw; a new pyplot figure when None.

    Raises:
        XlqaError: nothing to draw, or several panels: the message names them.
    """
    from xlqa.curves import grouping
    from xlqa.curves.plots import curves

    check_choice(what, ("curve", "gain", "worth"), f"what={what!r}")
    check_choice(style, tuple(curves.STYLES), f"style={style!r}")
    check_choice(palette, tuple(curves.PALETTES), f"palette={palette!r}")
    whole = as_frame(results)
    rows = grouping.select_rows(whole, as_words(lang), as_words(test), chosen_seeds(seeds), split, as_words(task))
    valid = grouping.split_panels(whole[whole["split"] == "valid"]) if split == "test" else []
    panel = _only_panel(grouping.split_panels(rows))
    drawing_style = replace(curves.STYLES[style], palette=palette, font=curves.STYLES[style].font * font_scale)
    column = grouping.choose_columns(rows, metric, scorer, "metric='{}'")[panel.task][0]
    with drawing_style.context(curves.all_text([panel])):
        if ax is None:
            from matplotlib import pyplot

            ax = pyplot.subplots(figsize=drawing_style.panel, layout="constrained")[1]
        if what == "curve":
            return _draw_curve(ax, panel, column, drawing_style)
        return _draw_comparison(ax, panel, column, drawing_style, valid, worth=what == "worth")


def _only_panel(panels: Sequence[Panel]) -> Panel:
    if len(panels) > 1:
        names = "; ".join(
            f"{'' if panel.task == 'qa' else f'{panel.task}, '}{panel.lang} on {panel.label}" for panel in panels
        )
        raise XlqaError(f"there are {len(panels)} panels to draw ({names}): choose one with task=, lang= and test=.")
    return panels[0]


def _draw_curve(ax: Axes, panel: Panel, column: str, style: Style) -> Axes:
    from xlqa.curves.plots import curves

    curve_styles = curves.assign_styles([panel], style.palette)
    curves.draw_curve(ax, panel, column, curve_styles, style)
    curves.name_axes([[ax]], [panel], "{}, %", [column])
    curves.label_levels(ax, panel, column, curve_styles, style)
    return _with_legend(ax, curve_styles, style)


def _draw_comparison(ax: Axes, panel: Panel, column: str, style: Style, valid: Sequence[Panel], worth: bool) -> Axes:
    from xlqa.curves.comparison import Options, compare, leading
    from xlqa.curves.example_scores import ExampleStore
    from xlqa.curves.plots import curves, effects
    from xlqa.curves.wording import leading_metric, metric_name

    options = Options()
    comparisons = compare(panel, column, ExampleStore(), options, valid)
    found = leading([c for c in comparisons if c.learned or not worth])
    if comparisons and not found:
        leading_name = metric_name(leading_metric(panel.task), panel.task)
        raise XlqaError(
            f"no worth to draw: no run scored above {options.floor:g} {leading_name}, so nothing was learned."
        )
    if not found:
        raise XlqaError("no gain or worth to draw: it takes transfer (or joint) and target-only runs of one encoder.")
    shown = {c.first.label for c in found}
    curve_styles = {
        label: curve_style
        for label, curve_style in curves.assign_styles([panel], style.palette).items()
        if label in shown
    }
    if worth:
        effects.draw_worth(ax, found, curve_styles, style)
    else:
        effects.draw_gain(ax, found, curve_styles, options.margin, style)
    name = effects.WORTH_AXIS if worth else "gain in {}, points"
    curves.name_axes([[ax]], [panel], name, [column], percent=False)
    return _with_legend(ax, curve_styles, style)


def _with_legend(ax: Axes, curve_styles: Mapping[str, CurveStyle], style: Style) -> Axes:
    from xlqa.curves.plots.curves import legend_handles

    ax.legend(handles=legend_handles(curve_styles, style))
    return ax
