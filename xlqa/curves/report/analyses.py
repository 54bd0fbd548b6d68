"""The sections of a report on pairs of languages and on frozen layers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from xlqa.curves.grouping import Panel
from xlqa.curves.layers import NOTHING, Series, layer_series
from xlqa.curves.pairs import Matrix
from xlqa.curves.report.document import Section, Table
from xlqa.curves.report.formatting import MISSING, percent
from xlqa.curves.wording import Columns, columns_of, metric_name
from xlqa.util.languages import language_name


def pair_sections(matrices: Sequence[Matrix], column: str) -> tuple[Section, ...]:
    """A section for each set of `xlqa evaluate --pairs`: the means of each model, and its matrix.

    Args:
        column: the score of the matrices.
    """
    sets = dict.fromkeys(matrix.set_name for matrix in matrices)
    return tuple(_pair_section(name, [m for m in matrices if m.set_name == name], column) for name in sets)


def _pair_section(name: str, matrices: Sequence[Matrix], column: str) -> Section:
    metric = metric_name(column)
    sentences = tuple(sentence for matrix in matrices if (sentence := _means(matrix, metric)))
    tables = tuple(_matrix_table(matrix, metric) for matrix in matrices)
    return Section(f"Question and context language: {name}", tables=tables, lead=" ".join(sentences))


def _means(matrix: Matrix, metric: str) -> str:
    """The means over pairs of one language (XLT) and of two (G-XLT), as Lewis et al. 2020 call them."""
    known = [
        f"{percent(value)} with {what}"
        for what, value in (
            ("question and context in one language", matrix.mean_of_same()), ("the two in different languages", matrix.mean_of_different())
        )
        if not math.isnan(value)
    ]  # fmt: skip
    runs = f", mean of {matrix.runs} runs" if matrix.runs > 1 else ""
    return f"{matrix.label}{runs}: {metric} {', '.join(known)}." if known else ""


def _matrix_table(matrix: Matrix, metric: str) -> Table:
    rows = [
        (language_name(code), *(percent(value) for value in values), percent(float(values.mean())))
        for code, values in zip(matrix.question_langs, matrix.values, strict=True)
    ]
    rows.append(
        ("mean", *(percent(value) for value in matrix.values.mean(axis=0)), percent(float(matrix.values.mean())))
    )
    caption = f"{metric} of {matrix.label}: a row for each question language, a column for each context language"
    return Table(caption, ("question", *matrix.context_langs, "mean"), tuple(rows), name="pairs")


def layer_sections(panels: Sequence[Panel], columns: Columns) -> tuple[Section, ...]:
    """A section for each panel with runs that differ in frozen layers alone."""
    found = []
    for panel in panels:
        column = columns_of(columns, panel.task)[0]
        if series := layer_series(panel, column):
            metric = metric_name(column, panel.task)
            sentences = tuple(_highest(one, metric) for one in series)
            table = _layer_table(series, metric, panel.title)
            found.append(Section(f"Frozen layers: {panel.title}", tables=(table,), lead=" ".join(sentences)))
    return tuple(found)


def _highest(series: Series, metric: str) -> str:
    """The highest mean of the series, and what it is compared with: nothing frozen, or the fewest layers that were."""
    scores = dict(zip(series.layers, series.scores, strict=True))
    first, best = series.layers[0], max(scores, key=lambda layer: float(np.mean(scores[layer])))
    begin = f"{series.label}: {metric} {_cell(scores[first])} with {_words(first)}"
    if best == first:
        return f"{begin}, the highest mean."
    return f"{begin}; the highest mean is {_cell(scores[best])} with {_words(best)}."


def _cell(scores: Sequence[float]) -> str:
    """The mean of runs with their standard deviation and number."""
    spread = f" ± {percent(float(np.std(scores, ddof=1)))}" if len(scores) > 1 else ""
    return f"{percent(float(np.mean(scores)))}{spread} ({len(scores)})"


def _words(layer: int) -> str:
    known = {NOTHING: "nothing frozen", 0: "the embeddings frozen"}
    return known.get(layer, f"the embeddings and {layer} layer{'s' * (layer != 1)} frozen")


def _layer_table(series: Sequence[Series], metric: str, group: str) -> Table:
    layers = sorted({layer for one in series for layer in one.layers})
    rows = []
    for one in series:
        scores = dict(zip(one.layers, one.scores, strict=True))
        rows.append((one.label, *(_cell(scores[layer]) if layer in scores else MISSING for layer in layers)))
    header = ("", *({NOTHING: "none", 0: "embeddings"}.get(layer, str(layer)) for layer in layers))
    caption = f"{metric} by number of frozen layers: mean ± s.d. (number of runs); differences are not tested"
    return Table(caption, header, tuple(rows), name="layers", group=group)
