"""`xlqa plot results.csv`: the learning curve of a sweep as a figure. Needs the table, and neither model nor GPU."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from xlqa.cli.options import Json, Languages, ScorerName, Seeds, Tables, Tasks, Tests
from xlqa.errors import XlqaError, check_choice
from xlqa.settings import split_words
from xlqa.util.text import printable

WHAT = ("curve", "gain", "worth", "cost", "summary", "scatter", "zero-shot", "pairs", "features", "layers")
STYLE_NAMES = ("paper", "slides", "web")
AT = 100
PALETTE_NAMES = ("okabe-ito", "tol", "grey")
MOST_PANELS = 12
MOST_PANELS_IN_TWO_ROWS = 4
"""More languages than this are drawn by their leading score alone, unless --metric asks for more."""


What = Annotated[
    str,
    typer.Option(
        "--what", help="Figure: curve, gain, worth (in examples), cost (score over device time), summary (worth of all tasks), "
        "scatter (zero-shot score and gain of all languages and tasks), zero-shot (of all languages), pairs (of languages), features (of "
        "languages) or layers (frozen).",
    ),
]  # fmt: skip
Metric = Annotated[
    str,
    typer.Option(
        "--metric", help="Score to draw: a metric of the task (f1, em, accuracy, macro_f1, …), both (f1 and em) or all. Default: "
        "both for the curve of question answering, else the task's first metric.",
    ),
]  # fmt: skip
At = Annotated[
    int,
    typer.Option(
        "--at",
        min=0,
        help="For summary: the N whose worth is drawn beside that of zero-shot (0: zero-shot only). For scatter: the N "
        "of the gain.",
    ),
]
StyleName = Annotated[str, typer.Option("--style", help="Sizes of text, lines and panels: paper, slides or web.")]
Palette = Annotated[
    str, typer.Option("--palette", help="Colours: okabe-ito or tol (told apart by colour-blind readers), or grey.")
]
FontScale = Annotated[
    float, typer.Option("--font-scale", min=0.3, max=4.0, help="Text this many times as large as the style's.")
]
Size = Annotated[
    str, typer.Option("--size", help="Width and height in inches, such as 7x4. Default: as the panels need.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="File to write: .png, .svg or .pdf. Default: the figure's name and .png."),
]
Split = Annotated[str, typer.Option("--split", help="Evaluations to draw: test or valid.")]


def plot(
    tables: Tables, what: What = "curve", metric: Metric = "", at: At = AT, scorer: ScorerName = "",
    style: StyleName = "paper", size: Size = "", palette: Palette = "okabe-ito", font_scale: FontScale = 1.0,
    out: Out = None, task: Tasks = None, lang: Languages = None, test: Tests = None, split: Split = "test",
    seeds: Seeds = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Draw learning curves, gains or worth from one or several result tables.

    curve: one panel per language and test set, one line per arm and setting, the spread over seeds, a point per run, and
    zero-shot as a dashed line. gain: transfer minus target-only with intervals and break-even. worth: the number of
    examples that English is worth. summary: the worth for all tasks and languages in one chart, one row each. scatter: a point
    for each language and task. zero-shot: a row for each language, best first.

    Several encoders or settings get a panel each. Missing runs are listed on stderr, and no mean is
    drawn over them.

    pairs: question language x context language, from the tables of xlqa evaluate --pairs or folders that have them; with
    several models, the change from the first. features: zero-shot score, gain and N₀ over features of languages (xlqa
    features). layers: the score over the number of frozen layers.

    Examples:

      xlqa plot results.csv

      xlqa plot results.csv --what worth --lang ru --style slides --out worth.svg

      xlqa plot ner pos nli --what summary --out tasks.pdf
    """
    choices = (("what", what, WHAT), ("style", style, STYLE_NAMES), ("palette", palette, PALETTE_NAMES))
    for name, value, allowed in choices:
        check_choice(value, allowed, f"--{name} {value}")
    filters = {"--task": task, "--lang": lang, "--test": test, "--split": split != "test", "--seeds": seeds}
    _refuse(what, {"--at": at != AT}, ("summary", "scatter"))
    _refuse(what, filters, [name for name in WHAT if name not in ("pairs", "features")])
    _refuse(what, {"--scorer": scorer}, [name for name in WHAT if name != "features"])
    from xlqa.curves import grouping
    from xlqa.curves.plots import curves, fonts
    from xlqa.curves.table import list_failures, load_results

    chosen_style = dataclasses.replace(curves.STYLES[style], palette=palette)
    chosen_style = dataclasses.replace(chosen_style, font=chosen_style.font * font_scale)
    canvas = Canvas(curves.check_suffix(out or Path(f"{what}.png")), chosen_style, parse_size(size))
    if what == "pairs":
        return _plot_pairs(tables, metric, scorer, canvas, as_json)
    if what == "features":
        return _plot_features(tables, metric, canvas, as_json)
    chosen = grouping.parse_seeds(seeds) if seeds else ()
    whole = load_results(tables)
    rows = grouping.select_rows(whole, split_words(lang), split_words(test), chosen, split, split_words(task))
    panels = grouping.split_panels(rows)
    valid = grouping.split_panels(whole[whole["split"] == "valid"]) if split == "test" else []
    both = what == "curve" and len(panels) <= MOST_PANELS_IN_TWO_ROWS
    columns = grouping.choose_columns(rows, metric or ("default" if both else ""), scorer or None)
    curves.save_figure(_draw(what, panels, columns, canvas, at, valid), canvas.path, canvas.style)
    _report(canvas.path, what, panels, list_failures(tables), as_json)
    for note in (_format_many(what, len(panels)), fonts.missing_font(curves.all_text(panels))):
        if note:
            print(printable(note), file=sys.stderr)


def _format_many(what: str, panels: int) -> str:
    if what in ("summary", "scatter", "zero-shot") or panels <= MOST_PANELS:
        return ""
    return f"{panels} test sets in one figure: choose some with --lang and --test, or draw --what summary or scatter."


def _refuse(what: str, flags: Mapping[str, object], figures: Sequence[str]) -> None:
    """Refuse flags that only some figures take."""
    given = [flag for flag, value in flags.items() if value]
    if given and what not in figures:
        raise XlqaError(f"--what {what}: does not take {', '.join(given)}: drop {'it' if len(given) == 1 else 'them'}.")


class Canvas(NamedTuple):
    """Where and how a figure is drawn: its file, its style, and its size in inches (None: as the panels need)."""

    path: Path
    style: Any
    size: tuple[float, float] | None


def _plot_pairs(tables: list[Path], metric: str, scorer: str, canvas: Canvas, as_json: bool) -> None:
    """Question language × context language, from the tables of `xlqa evaluate --pairs`."""
    from xlqa.curves.pairs import build_matrices, load_pairs
    from xlqa.curves.plots import curves, pairs

    if metric not in ("", "f1", "em") or scorer not in ("", "squad"):
        raise XlqaError("--what pairs: give --metric f1 or em, and --scorer squad or none.")
    column = ("squad_" if scorer else "") + (metric or "f1")
    matrices = build_matrices(load_pairs(tables), column)
    curves.save_figure(pairs.pairs_figure(matrices, column, canvas.style, canvas.size), canvas.path, canvas.style)
    _print_path(canvas.path, "pairs", [matrix.label for matrix in matrices], as_json)


def _plot_features(tables: list[Path], metric: str, canvas: Canvas, as_json: bool) -> None:
    """Outcomes against features over languages, from results.csv and features.csv."""
    from xlqa.cli.explain import gather
    from xlqa.curves.plots import curves, features

    groups = gather(tables, metric)
    curves.save_figure(features.features_figure(groups, canvas.style, canvas.size), canvas.path, canvas.style)
    _print_path(canvas.path, "features", [group.label for group in groups], as_json)


def _print_path(path: Path, what: str, panels: list[str], as_json: bool) -> None:
    from xlqa.cli import print_json

    if as_json:
        print_json({"out": str(path), "what": what, "panels": panels})
    else:
        print(path)


def _draw(what: str, panels: Any, columns: Any, canvas: Canvas, at: int, valid: Any) -> Any:
    """The figure; the panels of the validation split choose the settings that are compared, as in a report."""
    from xlqa.curves.comparison import Options, compare_all
    from xlqa.curves.example_scores import ExampleStore
    from xlqa.curves.plots import curves, effects, layers, scatter, summary, zero_shot

    style, size = canvas.style, canvas.size
    if what == "curve":
        return curves.curve_figure(panels, columns, style, size)
    if what == "layers":
        return layers.layers_figure(panels, columns, style, size)
    if what == "zero-shot":
        return zero_shot.zero_shot_figure(panels, columns, style, size)
    if what == "cost":
        return effects.cost_figure(panels, columns, style, size)
    options = Options()
    comparisons = compare_all(panels, columns, ExampleStore(), options, valid)
    if what == "gain":
        return effects.gain_figure(comparisons, columns, options.margin, style, size)
    if what == "scatter":
        return scatter.scatter_figure(comparisons, at, style, size)
    if what == "summary":
        return summary.summary_figure(comparisons, at, style, size)
    return effects.worth_figure(comparisons, columns, style, size)


def _report(path: Path, what: str, panels: Any, failures: tuple[str, ...], as_json: bool) -> None:
    from xlqa.cli import print_json

    missing = [line for panel in panels for line in panel.missing]
    if as_json:
        shown = [
            {"task": p.task, "lang": p.lang, **p.measurement, "curves": [c.label for c in p.curves]} for p in panels
        ]
        print_json({"out": str(path), "what": what, "panels": shown, "missing": missing, "failures": failures})
    else:
        print(path)
    for line in (*failures, *(f"missing: {cell}" for cell in missing)):
        print(printable(line), file=sys.stderr)


def parse_size(text: str) -> tuple[float, float] | None:
    """Width and height in inches from "7x4"; None for ""."""
    if not text:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*[x×X*]\s*(\d+(?:\.\d+)?)\s*", text)
    if not found or not all(1 <= float(part) <= 60 for part in found.groups()):
        raise XlqaError(f"--size {text}: give width and height in inches, from 1 to 60, as 7x4.")
    return float(found[1]), float(found[2])
