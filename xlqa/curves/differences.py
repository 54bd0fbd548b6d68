"""Sets two tables, or two selections of one, against each other: the difference B − A of each arm and size.

Runs are paired where both sides trained on the same data with the same seeds, test examples where both sides were scored
on the same ones. Everything else counts as independent. The intervals are those of `xlqa.curves.variance`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from xlqa.curves.example_scores import ExampleScores, ExampleStore
from xlqa.curves.grouping import (
    Curve,
    Panel,
    choose_columns,
    run_units,
    select_rows,
    short_name,
    split_panels,
    to_text,
)
from xlqa.curves.variance import (
    SOURCE,
    TARGET,
    UNKNOWN,
    Cell,
    Interval,
    Key,
    Part,
    RunVariance,
    Study,
    run_variance,
)
from xlqa.curves.wording import QA, Columns, columns_of, metric_name, scorer_name
from xlqa.errors import XlqaError, did_you_mean, refuse_choice
from xlqa.records import SETTING_COLUMNS, TEST_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

PANEL_COLUMNS = ("task", "lang", "test", "split")
SELECTABLE = ("task", "lang", "arm", *TEST_COLUMNS, *SETTING_COLUMNS)
"""The columns by which the two sides of one table may be told apart."""
SHARED_AT_LEAST = 0.5
"""Test examples are paired where both sides have this share of the smaller set; fewer tell little about the sets."""
SAME_SUBSETS = ("target", "target_sha256", "subset_by", "valid_size")
SAME_STAGES = ("source", "source_sha256", "source_size")

T = TypeVar("T")
Conditions = Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """One size of two curves, in percent, on the examples that are compared.

    Attributes:
        size: N; 0 for zero-shot.
        a, b: mean scores; runs_a, runs_b: the runs behind them.
        found: B − A with its 95 % interval; band: with an interval that holds for all rows of the comparison together.
    """

    size: int
    a: float
    b: float
    runs_a: int
    runs_b: int
    found: Interval
    band: Interval


@dataclass(frozen=True)
class Contrast:
    """One arm under one setting of each side, on one test set by one score.

    Attributes:
        column: the score, as a column of B's rows.
        rows: a row for each size that both sides have.
        mean: of the differences over the sizes above 0, where there are two or more.
        paired_runs: whether both sides trained on the same examples with the same seeds.
        paired_examples: whether both were scored on the same examples; shared: how many these are, else 0.
        tested_a, tested_b: the examples that each side was scored on.
        by_group: whether scores of single examples were there; without them intervals are over seeds alone.
    """

    panel_a: Panel
    panel_b: Panel
    a: Curve
    b: Curve
    column: str
    rows: tuple[Difference, ...]
    mean: Interval
    paired_runs: bool
    paired_examples: bool
    shared: int
    tested_a: int
    tested_b: int
    by_group: bool

    @property
    def metric(self) -> str:
        return metric_name(self.column, self.panel_b.task)

    @property
    def scorer(self) -> str:
        return scorer_name(self.column, self.panel_b.task, self.panel_b.scorer)

    @property
    def label(self) -> str:
        """The arm, and what tells the setting from others of its side; "transfer → target-only" for two arms."""
        if self.a.arm is not self.b.arm:
            return f"{self.a.arm} → {self.b.arm}"
        return self.b.label if self.a.label == self.b.label else str(self.b.arm)


@dataclass(frozen=True)
class Differences:
    """All differences of two sides.

    Attributes:
        names: of A and B.
        contrasts: in the order of languages, test sets and arms.
        only_a, only_b: a line for each test set, arm or size that one side alone has.
        settings: column, A's values and B's values of each setting in which compared curves differ.
    """

    names: tuple[str, str]
    contrasts: tuple[Contrast, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    settings: tuple[tuple[str, str, str], ...]

    def below(self, least: float) -> list[tuple[Contrast, Difference]]:
        """The rows that are certainly below `least` points: the upper end of their band, or the value without one."""
        return [
            (c, row)
            for c in self.contrasts
            for row in c.rows
            if (row.found.value if math.isnan(row.band.high) else row.band.high) < least
        ]


# ------------------------------------------------------------------------------------------------------- the sides


def parse_conditions(words: Iterable[str], option: str) -> dict[str, str]:
    """Columns and values from words such as "lr=3e-5" or "model=mbert,lr=3e-5".

    Raises:
        XlqaError: a word without =, or a column that does not tell rows apart.
    """
    found = {}
    for word in (part for words_given in words for part in words_given.split(",") if part):
        column, equals, value = (part.strip() for part in word.partition("="))
        if not equals or not value:
            raise XlqaError(f"{option} {word}: give COLUMN=VALUE, such as {option} lr=3e-5.")
        if column not in SELECTABLE:
            raise XlqaError(f"{option} {word}: {refuse_choice(column, SELECTABLE)}.")
        found[column] = value
    return found


def select_side(table: pd.DataFrame, conditions: Conditions, option: str) -> pd.DataFrame:
    """The rows of a table that meet all conditions; a setting that does not apply to a row meets any.

    Raises:
        XlqaError: no row is left; the message names the values that the table has.
    """
    for column, value in conditions.items():
        texts = [to_text(cell) for cell in table[column]]
        wanted = _spellings(value)
        if not any(_spellings(text) & wanted for text in texts):
            there = sorted({short_name(text) for text in texts if text})
            hint = did_you_mean(value, there)
            raise XlqaError(f"{option} {column}={value}{hint}: the table has {', '.join(there) or 'no value'} there.")
        table = table[[not text or bool(_spellings(text) & wanted) for text in texts]]
    if table.empty:
        raise XlqaError(f"{option}: no row of the table meets all of these conditions: drop one of them.")
    return table


def _spellings(text: str) -> set[str]:
    """What a value may be called: as the table has it, by the last part of a path, or as another spelling of a number."""
    try:
        return {to_text(float(text))}
    except ValueError:
        return {text, short_name(text)}


def compare_tables(
    tables: Sequence[pd.DataFrame],
    names: Sequence[str],
    conditions: tuple[Conditions, Conditions] = ({}, {}),
    *,
    metric: str = "",
    scorer: str | None = None,
    option: str = "--{}",
    **selection: Any,
) -> Differences:
    """B − A of two tables, or of two selections of one.

    Args:
        tables: one or two of `load_results`; names: what to call them.
        conditions: that the rows of A and of B meet.
        metric, scorer: as `choose_columns` takes them; option: how messages name a flag.
        selection: of the rows of both, as `select_rows` takes it.

    Raises:
        XlqaError: one table without conditions, a value that a table does not have, or nothing in common.
    """
    if not 1 <= len(tables) <= 2:
        raise XlqaError("xlqa compare: give two tables, or one.")
    if len(tables) == 1 and (not all(conditions) or conditions[0] == conditions[1]):
        raise XlqaError(
            f"{names[0]}: one table needs two selections of its rows, such as {option.format('a')} lr=3e-5 and "
            f"{option.format('b')} lr=5e-5; or give a second table."
        )
    whole = [select_rows(table, **selection) for table in tables]
    sides = [
        select_side(whole[min(i, len(whole) - 1)], conditions[i], option.format("ab"[i])) for i in (0, 1)
    ]  # fmt: skip
    if len(tables) == 1:
        sides = list(drop_common(sides[0], sides[1]))
    columns = [choose_columns(side, metric, scorer) for side in sides]
    fixed = {name for each in conditions for name in each}
    called = [_name_side(names[min(i, len(names) - 1)], conditions[i], len(tables)) for i in (0, 1)]
    return find_differences(
        (sides[0], sides[1]), (columns[0], columns[1]), ExampleStore(), (called[0], called[1]), fixed
    )


def _name_side(table: str, conditions: Conditions, tables: int) -> str:
    words = ", ".join(f"{name} {value}" for name, value in conditions.items())
    return table if not words else words if tables == 1 else f"{table} ({words})"


def drop_common(a: pd.DataFrame, b: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two selections of one table without the rows that are in both, such as a zero-shot score that both start from."""
    common = a.index.intersection(b.index)
    return a.drop(common).reset_index(drop=True), b.drop(common).reset_index(drop=True)


# ------------------------------------------------------------------------------------------------- what is compared


def find_differences(
    sides: tuple[pd.DataFrame, pd.DataFrame],
    columns: tuple[Columns, Columns],
    store: ExampleStore,
    names: tuple[str, str] = ("A", "B"),
    fixed: Iterable[str] = (),
) -> Differences:
    """B − A for everything that both sides have.

    Args:
        sides: rows of A and B. columns: the scores to compare, in one order.
        fixed: columns in which the sides were chosen to differ.

    Raises:
        XlqaError: the sides have nothing in common, or the scores of single examples do not belong to a row.
    """
    chosen = set(fixed)
    panels, only_a, only_b = _match(
        split_panels(sides[0]), split_panels(sides[1]), _panel_facts, [c for c in PANEL_COLUMNS if c not in chosen],
        [c for c in TEST_COLUMNS if c not in chosen],
    )  # fmt: skip
    lines_a, lines_b = [_name_panel(p) for p in only_a], [_name_panel(p) for p in only_b]
    drafts: list[_Draft] = []
    for panel_a, panel_b in panels:
        curves, rest_a, rest_b = _match(
            panel_a.curves, panel_b.curves, _curve_facts, ["arm"] if "arm" not in chosen else [],
            [c for c in SETTING_COLUMNS if c not in chosen],
        )  # fmt: skip
        lines_a += [f"{_name_panel(panel_a)}, {curve.label}" for curve in rest_a]
        lines_b += [f"{_name_panel(panel_b)}, {curve.label}" for curve in rest_b]
        scores = _shared_scores(panel_a, panel_b, *columns)
        for curve_a, curve_b in curves:
            own = [_Draft(panel_a, panel_b, curve_a, curve_b, one, other, store) for one, other in scores]
            lines_a += _only(own[0].rows_a, own[0].rows_b, panel_a, curve_a)
            lines_b += _only(own[0].rows_b, own[0].rows_a, panel_b, curve_b)
            for draft in own:
                draft.drop_repeated(drafts)
            drafts += [draft for draft in own if draft.sizes]
    if not drafts:
        raise XlqaError(_nothing_in_common(lines_a, lines_b))
    level = 0.95 ** (1 / sum(len(draft.sizes) for draft in drafts))
    settings = _differing_settings((draft.a, draft.b) for draft in drafts)
    return Differences(
        names, tuple(draft.read(level) for draft in drafts), tuple(dict.fromkeys(lines_a)), tuple(dict.fromkeys(lines_b)), settings
    )  # fmt: skip


def _match(
    ones: Sequence[T], others: Sequence[T], facts: Callable[[T], Conditions], always: Sequence[str], varying: Sequence[str]
) -> tuple[list[tuple[T, T]], list[T], list[T]]:  # fmt: skip
    """Items of two sides that belong together, and those of either side that have no partner.

    Items belong together if they agree in the columns `always`, and in those of `varying` that differ within a side.
    """
    pairs: list[tuple[T, T]] = []
    left: tuple[list[T], list[T]] = ([], [])
    groups: dict[tuple[str, ...], tuple[list[T], list[T]]] = {}
    for side, items in enumerate((ones, others)):
        for item in items:
            groups.setdefault(tuple(facts(item)[c] for c in always), ([], []))[side].append(item)
    for sides in groups.values():
        telling = [c for c in varying if any(len({facts(item)[c] for item in items}) > 1 for items in sides)]
        known = [{tuple(facts(item)[c] for c in telling): item for item in items} for items in sides]
        pairs += [(item, known[1][key]) for key, item in known[0].items() if key in known[1]]
        for side in (0, 1):
            left[side].extend(item for key, item in known[side].items() if key not in known[1 - side])
    return pairs, *left


def _panel_facts(panel: Panel) -> Conditions:
    return {"task": panel.task, "lang": panel.lang, **panel.measurement}


def _curve_facts(curve: Curve) -> Conditions:
    return {"arm": curve.arm.value, **curve.setting}


def _name_panel(panel: Panel) -> str:
    begin = "" if panel.task == QA else f"{panel.task}, "
    return f"{begin}{panel.lang} on {panel.label}"


def _shared_scores(a: Panel, b: Panel, columns_a: Columns, columns_b: Columns) -> list[tuple[str, str]]:
    """The columns of each score on both sides; SQuAD's own where the scorers of question answering differ."""
    found = zip(columns_of(columns_a, a.task), columns_of(columns_b, b.task), strict=True)
    if a.task == QA and a.scorer != b.scorer:
        return [
            (f"squad_{one.removeprefix('squad_')}", f"squad_{other.removeprefix('squad_')}") for one, other in found
        ]
    return list(found)


def _differing_settings(curves: Iterable[tuple[Curve, Curve]]) -> tuple[tuple[str, str, str], ...]:
    """The settings in which curves that are compared differ, with the values of each side."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for a, b in curves:
        for name in SETTING_COLUMNS:
            if a.setting[name] != b.setting[name]:
                sides = found.setdefault(name, ({}, {}))
                sides[0][short_name(a.setting[name])[:40]] = sides[1][short_name(b.setting[name])[:40]] = None
    # A name already has what its hash would repeat.
    shown = {name: sides for name, sides in found.items() if name.removesuffix("_sha256") not in {*found} - {name}}
    return tuple((name, " or ".join(ones) or "–", " or ".join(others) or "–") for name, (ones, others) in shown.items())


def _nothing_in_common(only_a: Sequence[str], only_b: Sequence[str]) -> str:
    ones, others = ("; ".join(lines[:3]) + ("; …" if len(lines) > 3 else "") for lines in (only_a, only_b))
    return (
        f"A and B have no language, test set, arm and size in common (A: {ones or 'nothing'}. B: {others or 'nothing'}): "
        "give tables of the same test sets, or choose with --a and --b."
    )


# -------------------------------------------------------------------------------------------------------- one pair


class _Draft:
    """Two curves by one score, before the intervals are computed."""

    def __init__(
        self, panel_a: Panel, panel_b: Panel, a: Curve, b: Curve, column_a: str, column_b: str, store: ExampleStore
    ) -> None:
        self.panel_a, self.panel_b, self.a, self.b = panel_a, panel_b, a, b
        self.column_a, self.column_b, self.store = column_a, column_b, store
        self.rows_a, self.rows_b = _rows_by_size(a, column_a), _rows_by_size(b, column_b)
        self.sizes = tuple(sorted(self.rows_a.keys() & self.rows_b.keys()))

    def drop_repeated(self, others: Iterable[_Draft]) -> None:
        """Leave out a zero-shot score that several curves start from, where another pair of them has it already."""
        if any(self._same_zero_shot(other) for other in others):
            self.sizes = tuple(size for size in self.sizes if size)

    def _same_zero_shot(self, other: _Draft) -> bool:
        return (
            0 in self.sizes
            and 0 in other.sizes
            and self.column_b == other.column_b
            and all(
                mine[0][name].tolist() == its[0][name].tolist()
                for mine, its in ((self.rows_a, other.rows_a), (self.rows_b, other.rows_b))
                for name in ("run_id", "eval_id")
            )
        )

    def read(self, level: float) -> Contrast:
        """The differences with their intervals; `level` is that of the bands."""
        pairs = {size: self._paired_rows(size) for size in self.sizes}
        a, b, examples = self._examples(pairs)
        rows: list[Difference] = []
        mean = UNKNOWN
        for sizes in ([0], [size for size in self.sizes if size]):
            own = [size for size in sizes if size in pairs]
            if own:
                study = Study(dict(self._cells(own, pairs, a, b)))
                if not any(pairs[size].paired for size in own):
                    study.runs = _independent_runs(study)
                rows += [_difference(study, size, level) for size in own]
                if len(own) > 1:
                    weights = {
                        (arm, size): sign / len(own) for size in own for arm, sign in ((SOURCE, 1.0), (TARGET, -1.0))
                    }
                    mean = _interval(study, weights, 0.95, own)
        return Contrast(
            self.panel_a, self.panel_b, self.a, self.b, self.column_b, tuple(rows), mean,
            paired_runs=all(pair.paired for pair in pairs.values()), paired_examples=examples.paired,
            shared=examples.shared, tested_a=examples.tested_a, tested_b=examples.tested_b, by_group=a is not None,
        )  # fmt: skip

    def _paired_rows(self, size: int) -> _Runs:
        """The runs of both sides at a size, and whether they are paired; then those of seeds that both have."""
        rows_a, rows_b = self.rows_a[size], self.rows_b[size]
        same = SAME_SUBSETS if size else SAME_STAGES
        shared = set(run_units(rows_a)) & set(run_units(rows_b))
        if not shared or not _agree(self.a, self.b, same):
            return _Runs((rows_a, rows_b), False)
        kept = [rows[[unit in shared for unit in run_units(rows)]] for rows in (rows_a, rows_b)]
        return _Runs((kept[0], kept[1]), True)

    def _examples(self, pairs: Mapping[int, _Runs]) -> tuple[ExampleScores | None, ExampleScores | None, _Examples]:
        """Scores of single examples of both sides, None where one side lacks them, and how they relate."""
        import pandas as pd

        tables = [pd.concat([pair.sides[side] for pair in pairs.values()]) for side in (0, 1)]
        counts = [int(table["questions"].iloc[0]) if table["questions"].notna().all() else 0 for table in tables]
        a = self.store.scores(tables[0], self.column_a)
        b = self.store.scores(tables[1], self.column_b) if a is not None else None
        if a is None or b is None:
            return None, None, _Examples(False, 0, *counts)
        known = (a.count, b.count)
        same_file = self.panel_a.measurement["test_sha256"] == self.panel_b.measurement["test_sha256"]
        # Elsewhere an id is often a line's number, which has no meaning across files.
        if self.panel_a.task == QA or same_file:
            at_a, at_b = _shared_places(a, b)
            if len(at_a) >= max(SHARED_AT_LEAST * min(known), 1):
                a, b = a.take(at_a), b.take(at_b)
                return a, replace(b, groups=a.groups), _Examples(True, len(at_a), *known)
        return a, b, _Examples(False, 0, *known)

    def _cells(
        self,
        sizes: Sequence[int],
        pairs: Mapping[int, _Runs],
        a: ExampleScores | None,
        b: ExampleScores | None,
    ) -> Iterator[tuple[Key, Cell]]:
        together = a is not None and b is not None and a.groups is b.groups
        groups = (0 if a is None else a.group_count, 0 if b is None else b.group_count)
        begin = [0, 0]
        for size in pairs:
            for side, (arm, column, scores) in enumerate(((TARGET, self.column_a, a), (SOURCE, self.column_b, b))):
                rows = pairs[size].sides[side]
                at = slice(begin[side], begin[side] + len(rows))
                begin[side] += len(rows)
                if size in sizes:
                    cell = _cell(rows, column, scores, at, "" if pairs[size].paired else arm)
                    yield (arm, size), cell if together else _apart(cell, side, groups)


@dataclass(frozen=True)
class _Runs:
    """The runs of A and B at one size; paired runs are those of the seeds that both have."""

    sides: tuple[pd.DataFrame, pd.DataFrame]
    paired: bool


@dataclass(frozen=True)
class _Examples:
    paired: bool
    shared: int
    tested_a: int
    tested_b: int


def _rows_by_size(curve: Curve, column: str) -> dict[int, pd.DataFrame]:
    """The runs of a curve by size, zero-shot at 0; a run without this score is left out."""
    rows = {0: curve.zero_shot} | {point.size: point.rows for point in curve.points}
    known = {size: part.dropna(subset=[column]) for size, part in rows.items()}
    return {size: part for size, part in known.items() if len(part)}


def _only(own: Mapping[int, pd.DataFrame], other: Mapping[int, pd.DataFrame], panel: Panel, curve: Curve) -> list[str]:
    """A line on the sizes that one side alone has."""
    sizes = sorted(own.keys() - other.keys())
    names = ["zero-shot"] if 0 in sizes else []
    names += [f"N = {', '.join(f'{size:,}' for size in sizes if size)}"] if any(sizes) else []
    return [f"{_name_panel(panel)}, {curve.label}: {', '.join(names)}"] if sizes else []


def _agree(a: Curve, b: Curve, names: Sequence[str]) -> bool:
    """Whether two sides have the same data by these columns; a name counts only where a hash is missing."""
    # What was frozen, or how labels were changed, follows the hash after a plus.
    data = [{name: curve.setting[name].partition("+")[0] for name in names} for curve in (a, b)]
    hashed = {name for name in names if all(side.get(f"{name}_sha256") for side in data)}
    return all(data[0][name] == data[1][name] for name in names if name not in hashed)


def _shared_places(a: ExampleScores, b: ExampleScores) -> tuple[list[int], list[int]]:
    """Where the examples are that both sides have, in the order of A's: the same id on the same paragraph."""
    places = {key: i for i, key in enumerate(b.keys())}
    found = [(i, places[key]) for i, key in enumerate(a.keys()) if key in places]
    return [i for i, _ in found], [j for _, j in found]


def _cell(rows: pd.DataFrame, column: str, scores: ExampleScores | None, at: slice, side: str) -> Cell:
    """The runs of one side at one size; `side` sets its runs apart from those of the other side."""
    units: list[tuple[object, ...]] = [(*unit, side) if side else unit for unit in run_units(rows)]
    if scores is None:
        return Cell(rows[column].to_numpy(dtype=float), np.empty((len(rows), 0)), tuple(units))
    values, influence, _ = scores.influence(at)
    return Cell(values, influence, tuple(units))


def _apart(cell: Cell, side: int, groups: tuple[int, int]) -> Cell:
    """A cell whose groups of examples are not those of the other side: zeros in the place of these.

    The factor P / (P − 1) of a variance from groups is that of the side's own groups.
    """
    if not all(count > 1 for count in groups):
        return replace(cell, influence=np.empty((len(cell.scores), 0)))
    own, both = groups[side], sum(groups)
    padded = np.zeros((len(cell.scores), both))
    begin = 0 if side == 0 else groups[0]
    padded[:, begin : begin + own] = cell.influence * math.sqrt(own / (own - 1) * (both - 1) / both)
    return replace(cell, influence=padded)


def _independent_runs(study: Study) -> RunVariance:
    """The variance from runs where those of A and B have nothing in common: each side's own, with its own freedom."""
    sides = []
    for arm in (TARGET, SOURCE):
        at = [k for k, key in enumerate(study.keys) if key[0] == arm]
        found = run_variance({study.keys[k]: study.cells[k] for k in at}, "given")
        spread = np.zeros((len(at), len(study.keys)))
        spread[range(len(at)), at] = 1.0
        parts = tuple(Part(spread.T @ part.covariance @ spread, part.freedom) for part in found.parts)
        sides.append((parts, [spread.T @ floor @ spread for floor in found.floors], found.known))
    (parts_a, floors_a, known_a), (parts_b, floors_b, known_b) = sides
    floors = tuple(one + other for one in floors_a for other in floors_b)
    return RunVariance((*parts_a, *parts_b), floors, known_a | known_b)


def _difference(study: Study, size: int, level: float) -> Difference:
    a, b = (study.cells[study.place[arm, size]] for arm in (TARGET, SOURCE))
    weights = {(SOURCE, size): 1.0, (TARGET, size): -1.0}
    found, band = (_interval(study, weights, each, [size]) for each in (0.95, level))
    return Difference(size, a.mean, b.mean, len(a.scores), len(b.scores), found, band)


def _interval(study: Study, weights: Mapping[Key, float], level: float, sizes: Sequence[int]) -> Interval:
    """A difference with its interval; a point where no run and no paragraph differs from another in it."""
    if study.by_group and all(_is_constant(study, size) for size in sizes):
        value = float(study.contrast(weights) @ study.means)
        value = value if abs(value) > 1e-9 else 0.0
        return Interval(value, value, value)
    return study.interval(weights, level)


def _is_constant(study: Study, size: int) -> bool:
    """Whether every run and paragraph has the same difference, as two runs of one program have: 0."""
    a, b = (study.cells[study.place[arm, size]] for arm in (TARGET, SOURCE))
    same = a.units == b.units and np.allclose(a.influence, b.influence)
    return same and np.ptp(b.scores - a.scores) < 1e-9
