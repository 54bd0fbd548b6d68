"""Groups the rows of a table into panels, curves and points, so that no mean ever mixes settings.

A **panel** is one measurement (task, language and everything of TEST_COLUMNS), a **curve** one arm under one setting
(SETTING_COLUMNS) in a panel, a **point** the runs of a curve at one size, which differ in their seeds alone.
Labels name what differs between the curves at hand, and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xlqa.curves.wording import QA, WORDING, Wording, choose_metrics, leading_metric
from xlqa.errors import XlqaError, did_you_mean
from xlqa.records import SETTING_COLUMNS, TASK_METRICS, TEST_COLUMNS, Arm, seed_range
from xlqa.util.languages import LANGUAGE_NAMES, language_name

if TYPE_CHECKING:
    import pandas as pd

HYPER_COLUMNS = tuple(
    name for name in ("lr", "epochs", "batch_size", "warmup", "min_steps", "steps_per_size") if name in SETTING_COLUMNS
)
"""Hyper-parameters of the training on N target examples: arms that differ in these alone may be compared."""
SOURCE_STAGE_COLUMNS = tuple(name for name in SETTING_COLUMNS if name.startswith("source"))
TARGET_DATA_COLUMNS = tuple(
    name for name in ("target", "target_sha256", "subset_by", "valid_size") if name in SETTING_COLUMNS
)
TARGET_STAGE_COLUMNS = (*TARGET_DATA_COLUMNS, *HYPER_COLUMNS)
"""Settings of the training on N target examples; empty in a zero-shot row, whose curve is found by the other ones."""
DATA_COLUMNS = tuple(name for name in SETTING_COLUMNS if name not in (*SOURCE_STAGE_COLUMNS, *HYPER_COLUMNS))
"""Arms that agree in these train the same encoder on the same N examples: their runs are paired."""

# Read in this order when a label has to tell settings apart; a hash only where no readable column does.
LABEL_ORDER = (
    "model", "source", "source_size", "target", "lr", "epochs", "batch_size", "min_steps", "warmup", "subset_by",
    "valid_size", "max_length", "stride", "precision", "source_lr", "source_epochs", "source_batch_size",
    "source_steps", "schema", "model_sha256", "source_sha256", "target_sha256",
)  # fmt: skip
_TEST_LABEL_ORDER = ("split", "scorer", "test_size", "max_answer_length", "test_sha256")

Key = tuple[str, ...]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """The runs of one curve at one size.

    Attributes:
        size: N target examples.
        rows: one row a run, in the order of their seeds.
        missing: seeds whose score is missing although another run shows that it should be there.
    """

    size: int
    rows: pd.DataFrame
    missing: tuple[int, ...] = ()

    def scores(self, column: str) -> Floats:
        """Scores in percent, one a run, in the order of `seeds`."""
        return self.rows[column].to_numpy(dtype=float)

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(int(seed) for seed in self.rows["seed"])

    def mean(self, column: str) -> float:
        """Mean over the seeds; NaN where a seed is missing: no mean is taken over a missing run."""
        return math.nan if self.missing or self.rows.empty else float(np.mean(self.scores(column)))


@dataclass(frozen=True)
class Curve:
    """One arm under one setting in one panel.

    Attributes:
        setting: SETTING_COLUMNS as text, "" where a column does not apply.
        points: in the order of their sizes, without zero-shot.
        zero_shot: the rows at size 0 that belong to this curve, one a source seed; empty for the other arms, and
            where the score of a source stage is missing.
        label: the arm, and what tells this setting from the others.
        zero_shot_missing: source seeds whose zero-shot score is missing although runs started from them.
    """

    arm: Arm
    setting: Mapping[str, str]
    points: tuple[Point, ...]
    zero_shot: pd.DataFrame
    label: str = ""
    zero_shot_missing: tuple[int, ...] = ()

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(point.size for point in self.points)

    @property
    def key(self) -> Key:
        """What identifies the curve among those of all test sets and splits."""
        return (self.arm.value, *(self.setting[name] for name in SETTING_COLUMNS))

    @property
    def data_key(self) -> Key:
        """What arms share that may be compared: the encoder and the target examples."""
        return tuple(self.setting[name] for name in DATA_COLUMNS)

    @property
    def family(self) -> Key:
        """What arms share that are trained alike: `data_key` and the hyper-parameters."""
        return tuple(self.setting[name] for name in (*DATA_COLUMNS, *HYPER_COLUMNS))

    def updates(self, size: int) -> float:
        """Updates of a run at a size, those of its source stage included; NaN where the table lacks them."""
        point = self.point(size)
        if point is None or point.rows.empty:
            return math.nan
        steps = float(point.rows["steps"].iloc[0])
        source = float(point.rows["source_steps"].iloc[0])
        return steps + (source if self.arm is Arm.TRANSFER and not math.isnan(source) else 0.0)

    def point(self, size: int) -> Point | None:
        return next((point for point in self.points if point.size == size), None)

    def means(self, column: str) -> Floats:
        """Mean score at each of `sizes`, NaN where a run is missing."""
        return np.array([point.mean(column) for point in self.points])

    @property
    def full_size(self) -> int | None:
        """The size that is the whole of the target data, when it was measured."""
        for point in self.points:
            if (point.rows["target_questions"] == point.size).any():
                return point.size
        return None


@dataclass(frozen=True)
class Panel:
    """All curves of one task and language on one test set under one scorer."""

    lang: str
    measurement: Mapping[str, str]
    curves: tuple[Curve, ...]
    label: str = ""
    task: str = QA

    @property
    def wording(self) -> Wording:
        """The words of its task."""
        return WORDING[self.task]

    @property
    def title(self) -> str:
        """What tells it from the other panels of a report."""
        begin = "" if self.task == QA else f"{self.wording.title}: "
        return f"{begin}{self.language_name}, {self.label}"

    @property
    def scorer(self) -> str:
        return self.measurement["scorer"]

    @property
    def language_name(self) -> str:
        return language_name(self.lang)

    @property
    def missing(self) -> tuple[str, ...]:
        """One line a missing cell or row of cells: "sw on xquad.sw, target-only, N = 300: seed 2"."""
        lines = []
        task = "" if self.task == QA else f"{self.task}, "
        for curve in self.curves:
            begin = f"{task}{self.lang} on {self.measurement['test']}, {curve.label}"
            if curve.zero_shot_missing:
                lines.append(f"{begin}, zero-shot: source {_format_seeds(curve.zero_shot_missing)}")
            for point in curve.points:
                if point.missing:
                    gone = "no run" if point.rows.empty else _format_seeds(point.missing)
                    lines.append(f"{begin}, N = {point.size:,}: {gone}")
        return tuple(lines)


@dataclass
class _Draft:
    arm: Arm
    setting: dict[str, str]
    rows: list[int] = field(default_factory=list)
    zero_shot: list[int] = field(default_factory=list)


def split_panels(table: pd.DataFrame) -> tuple[Panel, ...]:
    """Panels of a table, ordered by task, language and test set.

    Args:
        table: what `load_results` returns, or a part of its rows.
    """
    texts = {name: [to_text(value) for value in table[name]] for name in {*SETTING_COLUMNS, *TEST_COLUMNS, "lang"}}
    texts["task"] = tasks_of(table)
    naming = ("task", "lang", *TEST_COLUMNS)
    places: dict[Key, list[int]] = {}
    for row in range(len(table)):
        places.setdefault(tuple(texts[name][row] for name in naming), []).append(row)
    found = []
    for task in task_order(texts["task"]):
        keys = sorted(key for key in places if key[0] == task)
        labels = tell_apart([dict(zip(naming, key, strict=True)) for key in keys], _TEST_LABEL_ORDER, ("test",))
        for key, label in zip(keys, labels, strict=True):
            own = {name: [texts[name][row] for row in places[key]] for name in SETTING_COLUMNS}
            measurement = dict(zip(TEST_COLUMNS, key[2:], strict=True))
            curves = _curves(table.iloc[places[key]], own, scores_that_count(task))
            found.append(Panel(key[1], measurement, curves, label, task))
    return tuple(found)


def tasks_of(table: pd.DataFrame) -> list[str]:
    """The task of each row."""
    return [str(task) for task in table["task"]] if "task" in table.columns else [QA] * len(table)


def task_order(tasks: Iterable[str]) -> tuple[str, ...]:
    """Tasks, each once, in the order in which xlqa lists them."""
    known = set(tasks)
    return tuple(task for task in TASK_METRICS if task in known)


def scores_that_count(task: str) -> list[str]:
    """The scores without which a run is missing. Other metrics may be undefined: precision where nothing was predicted."""
    return ["f1", "em"] if task == QA else [leading_metric(task)]


def _curves(rows: pd.DataFrame, texts: Mapping[str, Sequence[str]], scores: list[str]) -> tuple[Curve, ...]:
    drafts: dict[Key, _Draft] = {}
    zero_shot: dict[Key, _Draft] = {}
    for place, (arm, size) in enumerate(zip(rows["arm"], rows["size"], strict=True)):
        setting = {name: texts[name][place] for name in SETTING_COLUMNS}
        into = zero_shot if size == 0 else drafts
        draft = into.setdefault((arm, *setting.values()), _Draft(Arm(arm), setting))
        draft.rows.append(place)
    for draft in zero_shot.values():
        heirs = [d for d in drafts.values() if d.arm is Arm.TRANSFER and _inherits(d.setting, draft.setting)]
        for heir in heirs:
            heir.zero_shot += draft.rows
        if not heirs:
            key = (Arm.TRANSFER.value, *draft.setting.values())
            drafts[key] = _Draft(Arm.TRANSFER, draft.setting, zero_shot=draft.rows)
    ordered = sorted(drafts.values(), key=lambda d: (list(Arm).index(d.arm), _sortable(d.setting.values())))
    return _with_points(ordered, rows, scores)


def _inherits(setting: Mapping[str, str], zero_shot: Mapping[str, str]) -> bool:
    return all(setting[name] == zero_shot[name] for name in SETTING_COLUMNS if name not in TARGET_STAGE_COLUMNS)


def _with_points(drafts: Sequence[_Draft], rows: pd.DataFrame, scores: list[str]) -> tuple[Curve, ...]:
    labels = label_curves([(draft.arm, _setting_to_label(draft, drafts)) for draft in drafts])
    bare = [
        Curve(
            draft.arm,
            draft.setting,
            _points(rows.iloc[draft.rows]),
            rows.iloc[draft.zero_shot].sort_values("source_seed", kind="stable"),
            label,
        )
        for draft, label in zip(drafts, labels, strict=True)
    ]
    return tuple(_mark_missing(curve, [c for c in bare if c.family == curve.family], scores) for curve in bare)


def _setting_to_label(draft: _Draft, drafts: Sequence[_Draft]) -> dict[str, str]:
    """A zero-shot score that no curve continues has no target stage; its label is not to name that as a difference."""
    if draft.rows:
        return draft.setting
    peers = [other.setting for other in drafts if other.arm is draft.arm and other.rows]
    borrowed = {name: peers[0][name] for name in TARGET_STAGE_COLUMNS} if peers else {}
    return draft.setting | borrowed


def _points(rows: pd.DataFrame) -> tuple[Point, ...]:
    by_size = rows.sort_values([*("size", "seed"), "source_seed"], kind="stable").groupby("size", sort=True)
    return tuple(Point(int(part["size"].iloc[0]), part) for _, part in by_size)


def _mark_missing(curve: Curve, family: Sequence[Curve], scores: list[str]) -> Curve:
    """Mark the runs that are missing: those of seeds that an arm has elsewhere, up to the last that any arm has here.

    Seeds 0 to 4 at one size beside 0 to 9 at another are a design, and so are seeds 0 to 9 of one arm beside 0 to 4 of
    another throughout; 0, 1, 3, 4 are a missing run. Joint training costs more than the other arms and may have fewer
    sizes.
    """
    if not curve.points:
        return curve
    own_last = max(seed for point in curve.points for seed in point.seeds)
    own_units = {unit for point in curve.points for unit in run_units(point.rows)}
    sizes = sorted({size for other in family for size in other.sizes})
    points = []
    for size in curve.sizes if curve.arm is Arm.JOINT else sizes:
        siblings = [point for other in family if (point := other.point(size)) is not None]
        last = min(max(seed for point in siblings for seed in point.seeds), own_last)
        seeds = {seed for other in family for point in other.points for seed in point.seeds if seed <= last}
        own = curve.point(size) or Point(size, curve.points[0].rows.iloc[:0])
        present = own.rows.dropna(subset=scores)
        there = {int(seed) for seed in present["seed"]}
        missing = tuple(sorted(seeds - there))
        if is_crossed(own_units) and not own.rows.empty:
            missing = _missing_in_cross(curve, own.rows, present)
        points.append(Point(size, present, missing))
    zero_shot = curve.zero_shot.dropna(subset=scores)
    missing_stages = _missing_zero_shot(curve, zero_shot)
    # A mean over the source stages that are there would leave a stage out.
    return replace(
        curve,
        points=tuple(points),
        zero_shot=zero_shot.iloc[:0] if missing_stages else zero_shot,
        zero_shot_missing=missing_stages,
    )


def run_units(rows: pd.DataFrame) -> list[tuple[int, int]]:
    """Subset and training seed of each run: what it shares with the runs that it is paired with.

    A table without these columns filled has the seed in their place.
    """
    return [
        (int(seed if math.isnan(subset) else subset), int(seed if math.isnan(train) else train))
        for seed, subset, train in zip(rows["seed"], rows["subset_seed"], rows["train_seed"], strict=True)
    ]


def is_crossed(units: set[tuple[int, int]]) -> bool:
    """Whether a subset was trained on with several seeds, each seed on several subsets."""
    return len({s for s, _ in units}) < len(units) and len({t for _, t in units}) < len(units)


def _missing_in_cross(curve: Curve, rows: pd.DataFrame, present: pd.DataFrame) -> tuple[int, ...]:
    """Seeds of the cells of a crossed design that are missing at a size: every subset with every training seed there."""
    seeds = {
        unit: int(seed)
        for point in curve.points
        for unit, seed in zip(run_units(point.rows), point.rows["seed"], strict=True)
    }
    units, there = run_units(rows), set(run_units(present))
    cells = {(subset, train) for subset, _ in units for _, train in units}
    return tuple(sorted({seeds.get(cell, cell[1]) for cell in cells - there}))


def _missing_zero_shot(curve: Curve, zero_shot: pd.DataFrame) -> tuple[int, ...]:
    if curve.arm is not Arm.TRANSFER:
        return ()
    used = {int(seed) for point in curve.points for seed in point.rows["source_seed"].dropna()}
    return tuple(sorted(used - {int(seed) for seed in zero_shot["source_seed"].dropna()}))


def _format_seeds(seeds: Sequence[int]) -> str:
    return f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"


def to_text(value: Any) -> str:
    """One spelling per value: numbers by their value (3e-5 and 0.00003 are one setting), missing as ""."""
    if isinstance(value, float | int | np.number):
        return "" if math.isnan(value) else f"{float(value):.12g}"
    return str(value)


def _sortable(values: Iterable[str]) -> list[tuple[int, float, str]]:
    return [(0, float(v), "") if _is_number(v) else (1, 0.0, v) for v in values]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.lower() not in ("nan", "inf", "-inf", "infinity")


def label_curves(curves: Sequence[tuple[Arm, Mapping[str, str]]]) -> list[str]:
    """A label a curve: its arm, and of its settings those that differ between the curves of that arm.

    A monolingual curve always names its encoder, which is what it is about.
    """
    labels = []
    for arm, setting in curves:
        peers = [other for other_arm, other in curves if other_arm is arm]
        extra = tell_apart(peers, LABEL_ORDER)[peers.index(setting)]
        if arm is Arm.MONOLINGUAL and not any(peer["model"] != setting["model"] for peer in peers):
            extra = ", ".join(part for part in (short_name(setting["model"]), extra) if part)
        labels.append(f"{arm} ({extra})" if arm is Arm.MONOLINGUAL else ", ".join(p for p in (str(arm), extra) if p))
    return labels


def tell_apart(items: Sequence[Mapping[str, str]], columns: Sequence[str], always: Sequence[str] = ()) -> list[str]:
    """For each item the fewest of the columns, in their order, that tell the items apart; "" for one item alone.

    Args:
        always: columns that are named whether or not they differ.
    """
    chosen = list(always)
    groups = len({tuple(item[name] for name in chosen) for item in items})
    for column in columns:
        split = len({tuple(item[name] for name in (*chosen, column)) for item in items})
        if split > groups:
            chosen, groups = [*chosen, column], split
    return [", ".join(_format_setting(name, item[name]) for name in chosen) for item in items]


def extend_labels(begins: Sequence[str], items: Sequence[Mapping[str, str]], columns: Sequence[str]) -> list[str]:
    """Labels that begin as given; those with one beginning go on with what tells their items apart."""
    labels = []
    for begin, item in zip(begins, items, strict=True):
        peers = [other for own, other in zip(begins, items, strict=True) if own == begin]
        labels.append(", ".join(filter(None, (begin, tell_apart(peers, columns)[peers.index(item)]))))
    return labels


def _format_setting(name: str, value: str) -> str:
    if name.endswith("sha256"):
        return f"{name.removesuffix('_sha256')} {value[:7] or 'unknown'}{_changes(value)}"
    if name in ("model", "source", "target", "test"):
        return short_name(value)
    word, value = name.replace("_", " "), value.replace("e-0", "e-")
    return f"{word} {value}" if value else f"no {word}"


def _changes(value: str) -> str:
    """What a hash notes of changes to its data, with a blank before it."""
    return f" {value.partition('+')[2]}" if "+" in value else ""


def short_name(name: str) -> str:
    """The last part of a hub name or a path: what a reader knows an encoder by."""
    return PurePath(name).name or name


_ENGLISH_SETS = ("squad.", "squad2.", "train-v1.1", "newsqa", "triviaqa")


def source_name(setting: Mapping[str, str]) -> str:
    """What the source data is called: its language where the name tells it ("squad.train", "sample.es.train"), else its name."""
    name = short_name(setting.get("source", ""))
    words = [word for part in name.lower().split(".") for word in (part, *part.split("_")[1:])]
    found = next((LANGUAGE_NAMES[word] for word in words if word in LANGUAGE_NAMES), "")
    if not found and f"{name.lower()}.".startswith(_ENGLISH_SETS):
        found = "English"
    return found or name or "the source data"


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds from "0,1,4" or "0-4"."""
    return tuple(dict.fromkeys(seed for word in text.split(",") for seed in seed_range(word)))


def select_rows(
    table: pd.DataFrame,
    languages: Sequence[str] = (),
    tests: Sequence[str] = (),
    seeds: Sequence[int] = (),
    split: str = "test",
    tasks: Sequence[str] = (),
) -> pd.DataFrame:
    """The rows asked for; what is asked for and not there is an error that names what is.

    Args:
        languages, tests, tasks: values of `lang`, `test` and `task`; all when empty.
        seeds: of the runs; zero-shot rows stay whatever their source seed. All when empty.
        split: "test" or "valid".
    """
    table = table if "task" in table.columns else table.assign(task=QA)
    for column, wanted in (("task", tasks), ("lang", languages), ("test", tests), ("split", (split,))):
        there = sorted(set(table[column]))
        absent = [value for value in wanted if value not in there]
        if absent:
            hint = did_you_mean(absent[0], there)
            raise XlqaError(f"the table has no {column} '{absent[0]}'{hint}: it has {', '.join(there) or 'no rows'}.")
        if wanted:
            table = table[table[column].isin(wanted)]
    if seeds:
        table = table[table["seed"].isin(seeds) | (table["size"] == 0)]
    if table.empty:
        raise XlqaError("no row of the table is left by --task, --lang, --test and --seeds together: drop one of them.")
    return table.reset_index(drop=True)


def score_columns(table: pd.DataFrame, scorer: str | None) -> tuple[str, str, str]:
    """Columns of F1 and EM under a scorer, and the scorer's name ("" for each row's own).

    Args:
        scorer: "squad", which every row has, or the one that leads in these rows; None for each row's own.
    """
    leading = sorted(set(table["scorer"]))
    if scorer is None:
        return "f1", "em", ""
    if leading == [scorer]:
        return "f1", "em", scorer
    if scorer == "squad":
        return "squad_f1", "squad_em", scorer
    names = ", ".join(dict.fromkeys([*leading, "squad"]))
    if scorer in leading:
        raise XlqaError(f"--scorer {scorer}: only some rows have it; add --lang or --test (scorers here: {names}).")
    raise XlqaError(
        f"--scorer {scorer}{did_you_mean(scorer, [*leading, 'squad'])}: the table has {names}; `xlqa rescore` computes others from the predictions."
    )


def choose_columns(
    table: pd.DataFrame, metric: str, scorer: str | None, option: str = "--metric {}"
) -> dict[str, tuple[str, ...]]:
    """The scores that were asked for, by task, as columns of the table.

    Args:
        metric, option: as `xlqa.curves.wording.choose_metrics` takes them.
        scorer: as `score_columns` takes it.

    Raises:
        XlqaError: a task has no such metric or scorer.
    """
    tasks = tasks_of(table)
    found = choose_metrics(task_order(tasks), metric, option)
    for task in found:
        rows = table[[other == task for other in tasks]]
        if task == QA:
            f1, em, _ = score_columns(rows, scorer)
            found[task] = tuple({"f1": f1, "em": em}[name] for name in found[task])
        elif scorer is not None and {*rows["scorer"]} != {scorer}:
            only = ", ".join(sorted({*rows["scorer"]}))
            raise XlqaError(f"--scorer {scorer}: the task {task} is scored by {only} (--task selects one).")
    return found
