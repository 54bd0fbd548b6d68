"""xlqa in Python, for notebooks: `xlqa.sweep`, `xlqa.load_results`, `xlqa.plot`, `xlqa.compare`, `xlqa.ask`.

    import xlqa
    done = xlqa.sweep("ru", sizes=[100, 1000], seeds=3, out="ru")
    ax = xlqa.plot(done.results, metric="em")
    xlqa.ask("Мара живёт в Бренне.", "Where does Mara live?", home="ru")[0].text

The command line does the same and more; here are pandas frames, matplotlib axes and plain records.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from xlqa.errors import XlqaError, check_choice
from xlqa.settings import SETTINGS
from xlqa.sweep_keywords import PathLike, SweepKeywords, Words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xlqa.curves.differences import Differences
    from xlqa.curves.grouping import Panel
    from xlqa.curves.plots.curves import CurveStyle, Style
    from xlqa.runs.execute.executor import Executor
    from xlqa.tasks.qa.decoding import Span


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that failed: its name as the display has it, and why."""

    run: str
    error: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep that ended.

    Attributes:
        folder: the sweep's folder.
        results: one row an evaluation, as `load_results` returns it; only its header where no run succeeded.
        done_before, done_now: runs; failures: runs that can be tried again by the same call.
    """

    folder: Path
    results: pd.DataFrame
    done_before: int
    done_now: int
    failures: tuple[Failure, ...]


def sweep(lang: Words, *, executor: Executor | None = None, **settings: Unpack[SweepKeywords]) -> Sweep:
    """Train and score every run of a grid, as `xlqa sweep` does. Finished runs are not repeated.

    Runs are executed in worker processes. Progress goes to stderr; what could spoil the scores is a warning.
    An interrupted sweep keeps its finished runs.

    Args:
        lang: target languages (ISO 639-1): one, several, or a comma list.
        executor: an `xlqa.runs.execute.executor.Executor` of your own, in place of `launcher`.
        settings: the flags of `xlqa sweep`, with underscores; a mapping gives a value per language.

    Raises:
        XlqaError: bad input, everything that is wrong at once. Runs that fail do not raise: see `Sweep.failures`.
    """
    from xlqa.runs.plan.checks import find_warnings
    from xlqa.runs.plan.planner import make_plan
    from xlqa.runs.plan.request import build_request
    from xlqa.runs.sweep import choose_executor, run_sweep

    request = build_request({"lang": lang, **settings})
    if executor is None:
        executor = choose_executor(request.launcher, request.ray_address, request.device, request.workers_per_device)
    plan = make_plan(request)
    for line in find_warnings(plan):
        warnings.warn(line, stacklevel=2)
    outcome = run_sweep(plan, None, executor)
    results = load_results(plan.layout.results) if outcome.rows else _no_results()
    failures = tuple(Failure(run, error) for run, error in outcome.failures)
    return Sweep(request.out, results, outcome.done_before, outcome.done_now, failures)


def _document_settings() -> None:
    """Let `help(xlqa.sweep)` and notebooks show every setting with its default."""
    shown = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=setting.default, annotation=setting.python)
        for name, setting in SETTINGS.items()
        if name != "lang"
    ]
    lang = Parameter("lang", Parameter.POSITIONAL_OR_KEYWORD, annotation="Words")
    executor = Parameter("executor", Parameter.KEYWORD_ONLY, default=None, annotation="Executor | None")
    sweep.__signature__ = Signature([lang, executor, *shown], return_annotation="Sweep")  # type: ignore[attr-defined]  # help() reads it through inspect; mypy knows it of no function
    lines = [f"    {name}: {setting.full_help}" for name, setting in SETTINGS.items() if name != "lang"]
    sweep.__doc__ = f"{sweep.__doc__}\n    The settings:\n\n" + "\n".join(f"    {line}" for line in lines)


_document_settings()


def _no_results() -> pd.DataFrame:
    import pandas as pd

    from xlqa.curves.table import FOLDER_COLUMN
    from xlqa.records import RESULT_COLUMNS

    return pd.DataFrame(columns=[*RESULT_COLUMNS, FOLDER_COLUMN])


def load_results(paths: PathLike | Sequence[PathLike]) -> pd.DataFrame:
    """One or several results.csv (or their folders) as one checked frame.

    Numbers are float64, NaN where a cell is empty; words are str, "" where empty; `size` is int64; `folder` is the
    folder of a row's table.

    Raises:
        XlqaError: a file that is missing, foreign or broken, with line and column.
    """
    from xlqa.curves.table import load_results as load

    return load(paths)


def plot(
    results: pd.DataFrame | PathLike | Sequence[PathLike],
    *,
    what: Literal["curve", "gain", "worth"] = "curve",
    metric: str = "",
    scorer: str | None = None,
    lang: Words = (),
    test: Words = (),
    split: str = "test",
    seeds: Sequence[int] = (),
    task: Words = (),
    style: Literal["web", "paper", "slides"] = "web",
    palette: Literal["okabe-ito", "tol", "grey"] = "okabe-ito",
    font_scale: float = 1.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw one language on one test set; figures of several panels are what `xlqa plot` draws.

    Args:
        results: a frame of `load_results`, or what that takes.
        what: "curve", "gain" (transfer minus target-only, with intervals) or "worth" (in examples).
        scorer: "squad", or None for the test set's own.
        metric: one of the task's metrics ("f1", "em", "accuracy", …); by default its leading one.
        lang, test, split, seeds, task: which rows to draw.
        palette: colours of the arms; font_scale: text this many times as large as the style's.
        ax: where to draw; a new pyplot figure when None.

    Raises:
        XlqaError: nothing to draw, or several panels: the message names them.
    """
    import pandas as pd

    from xlqa.curves import grouping
    from xlqa.curves.plots import curves

    check_choice(what, DRAWINGS, f"what={what!r}")
    check_choice(style, tuple(curves.STYLES), f"style={style!r}")
    check_choice(palette, tuple(curves.PALETTES), f"palette={palette!r}")
    frame = results if isinstance(results, pd.DataFrame) else load_results(results)
    rows = grouping.select_rows(frame, _as_words(lang), _as_words(test), tuple(seeds), split, _as_words(task))
    panel = _only_panel(grouping.split_panels(rows))
    drawing_style = replace(curves.STYLES[style], palette=palette, font=curves.STYLES[style].font * font_scale)
    column = grouping.choose_columns(rows, metric, scorer, "metric='{}'")[panel.task][0]
    with drawing_style.context(curves.all_text([panel])):
        if ax is None:
            from matplotlib import pyplot

            ax = pyplot.subplots(figsize=drawing_style.panel, layout="constrained")[1]
        return DRAWINGS[what](ax, panel, column, drawing_style)


@dataclass(frozen=True, slots=True)
class Compared:
    """The difference of two tables.

    Attributes:
        table: one row for each size of each arm and test set: `a`, `b`, `difference`, `low` and `high`, in percent.
        only_a, only_b: what one of the two alone has, a line each.
        differences: everything as records.
    """

    table: pd.DataFrame
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    differences: Differences

    def plot(self, style: Literal["web", "paper", "slides"] = "web") -> Figure:
        """B − A over N, as `xlqa compare --figure` draws it."""
        from xlqa.curves.plots.curves import STYLES
        from xlqa.curves.plots.differences import difference_figure

        check_choice(style, tuple(STYLES), f"style={style!r}")
        return difference_figure(self.differences, STYLES[style])

    def _repr_html_(self) -> str:
        return str(self.table.to_html(index=False))


def compare(
    a: pd.DataFrame | PathLike,
    b: pd.DataFrame | PathLike | None = None,
    *,
    where_a: Mapping[str, object] | None = None,
    where_b: Mapping[str, object] | None = None,
    metric: str = "",
    scorer: str | None = None,
    lang: Words = (),
    test: Words = (),
    split: str = "test",
    task: Words = (),
) -> Compared:
    """B − A of two sweeps, encoders or settings, paired where they share seeds and test examples.

    Args:
        a, b: frames of `load_results`, or what that takes; without `b`, the two sides are parts of `a`.
        where_a, where_b: conditions on the rows of each side, such as {"lr": 3e-5}.
        metric, scorer: as `plot` takes them. lang, test, split, task: which rows to compare.

    Raises:
        XlqaError: the two have nothing in common, or a condition fits no row.
    """
    import pandas as pd

    from xlqa.curves.differences import compare_tables, parse_conditions
    from xlqa.curves.report.differences import DIFFERENCE_COLUMNS, difference_rows

    given = [a] if b is None else [a, b]
    frames = [each if isinstance(each, pd.DataFrame) else load_results(each) for each in given]
    names = [name if isinstance(each, pd.DataFrame) else str(each) for name, each in zip("AB", given, strict=False)]
    conditions = [
        parse_conditions([f"{column}={value}" for column, value in (where or {}).items()], option)
        for where, option in ((where_a, "where_a"), (where_b, "where_b"))
    ]
    found = compare_tables(
        frames, names, (conditions[0], conditions[1]), metric=metric, scorer=scorer, option="where_{}",
        languages=_as_words(lang), tests=_as_words(test), split=split, tasks=_as_words(task),
    )  # fmt: skip
    table = pd.DataFrame(list(difference_rows(found)), columns=list(DIFFERENCE_COLUMNS))
    return Compared(table, found.only_a, found.only_b, found)


def _as_words(value: Words) -> tuple[str, ...]:
    return tuple(value.split(",")) if isinstance(value, str) else tuple(value)


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


def _draw_comparison(ax: Axes, panel: Panel, column: str, style: Style, worth: bool) -> Axes:
    from xlqa.curves.comparison import Options, compare, leading
    from xlqa.curves.example_scores import ExampleStore
    from xlqa.curves.plots import curves, effects
    from xlqa.curves.wording import leading_metric, metric_name

    options = Options()
    comparisons = compare(panel, column, ExampleStore(), options)
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
    name = "examples alone of equal {}" if worth else "gain in {}, points"
    curves.name_axes([[ax]], [panel], name, [column], percent=False)
    return _with_legend(ax, curve_styles, style)


def _with_legend(ax: Axes, curve_styles: Mapping[str, CurveStyle], style: Style) -> Axes:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            color=curve_style.color,
            linestyle=curve_style.dashes,
            label=label,
            **curve_style.marker_kwargs(style),
        )
        for label, curve_style in curve_styles.items()
    ]
    ax.legend(handles=handles)
    return ax


DRAWINGS: dict[str, Callable[[Axes, Panel, str, Style], Axes]] = {
    "curve": _draw_curve,
    "gain": partial(_draw_comparison, worth=False),
    "worth": partial(_draw_comparison, worth=True),
}


def ask(
    context: str,
    question: str,
    *,
    model: PathLike | None = None,
    top_k: int = 1,
    device: str = "auto",
    home: PathLike | None = None,
) -> list[Span]:
    """The best answers to a question on a paragraph, best first; `context[span.start:span.end] == span.text`.

    Args:
        context: a paragraph of any length, in any language; the question may be in another one.
        model: run id, run folder, model folder or hub name; without it what the sweep in `home` kept.
        home: a sweep's folder; by default XLQA_HOME, else the current folder.

    Raises:
        XlqaError: an empty text, no model, or a model without a trained head.
    """
    from xlqa.predict import ask as ask_model

    folder = None if home is None else Path(home).expanduser().resolve()
    name = None if model is None else str(model)
    return ask_model(context, question, model=name, top_k=top_k, device=device, home=folder)
