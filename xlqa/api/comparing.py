"""Two sweeps against each other: `xlqa.compare`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xlqa.api.results import HasResults, Tables, as_frame, as_words, frame_of
from xlqa.errors import check_choice
from xlqa.sweep_keywords import Words
from xlqa.util import html

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from xlqa.curves.differences import Differences
    from xlqa.curves.report.document import Report as Document


@dataclass(frozen=True, slots=True, repr=False)
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

    @property
    def _report(self) -> Document:
        from xlqa.curves.report.differences import difference_report

        return difference_report(self.differences)

    def __str__(self) -> str:
        from xlqa.curves.report.render import as_text

        return as_text(self._report)

    def __repr__(self) -> str:
        from xlqa.curves.report.render import tables_as_text

        return f"{self._report.lead}\n\n{tables_as_text(self._report.tables)}".rstrip()

    def _repr_html_(self) -> str:
        made = self._report
        facts = [fact for section in made.sections for fact in section.facts]
        tables = "".join(html.table(table.header, table.rows, table.title) for table in made.tables)
        return html.paragraph(made.lead) + tables + html.paragraph(*facts)


def compare(
    a: Tables,
    b: Tables | None = None,
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
        a, b: sweeps that ended, frames of `load_results`, or what that takes; without `b`, the two sides are parts of `a`.
        where_a, where_b: conditions on the rows of each side, such as {"lr": 3e-5}.
        metric, scorer: as `plot` takes them. lang, test, split, task: which rows to compare.

    Raises:
        XlqaError: the two have nothing in common, or a condition fits no row.
    """
    from xlqa.curves.differences import compare_tables, parse_conditions
    from xlqa.curves.report.differences import DIFFERENCE_COLUMNS, difference_rows

    given = [a] if b is None else [a, b]
    frames = [as_frame(each) for each in given]
    names = [_name(each, letter) for letter, each in zip("AB", given, strict=False)]
    conditions = [
        parse_conditions([f"{column}={value}" for column, value in (where or {}).items()], option)
        for where, option in ((where_a, "where_a"), (where_b, "where_b"))
    ]
    found = compare_tables(
        frames, names, (conditions[0], conditions[1]), metric=metric, scorer=scorer, option="where_{}",
        languages=as_words(lang), tests=as_words(test), split=split, tasks=as_words(task),
    )  # fmt: skip
    table = frame_of(list(difference_rows(found)), DIFFERENCE_COLUMNS)
    return Compared(table, found.only_a, found.only_b, found)


def _name(results: Tables, letter: str) -> str:
    """What a side is called: its table's path, the sweep's folder, or for a frame its letter."""
    if isinstance(results, str | Path):
        return str(results)
    return str(getattr(results, "folder", letter)) if isinstance(results, HasResults) else letter
