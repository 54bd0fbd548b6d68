"""The table that opens a report: a row for each result, with a verdict in three words; and the means over languages."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xlqa.curves.aggregate import LanguageMean, Languages, conditions
from xlqa.curves.comparison import Comparison, Match, Options, SizeResult
from xlqa.curves.grouping import Panel, extend_labels, task_order
from xlqa.curves.report import formatting as w
from xlqa.curves.report.document import Section, Table
from xlqa.curves.report.sentences import format_floor
from xlqa.curves.report.tables import condition
from xlqa.curves.wording import QA, WORDING, Columns, columns_of, metric_name

NOTHING_LEARNED = "nothing was learned"
_PLACES = ("smallest", "middle", "largest")

Row = tuple[str, ...]


def summary_section(
    panels: Sequence[Panel], shown: Sequence[Comparison], means: Sequence[Languages], columns: Columns, options: Options
) -> Section:
    """What was found, on one screen.

    Args:
        shown: the comparisons to list, one for each arm and panel, by the leading score.
        means: comparisons that may be averaged over languages.
    """
    bare = [panel for panel in panels if not any(c.panel is panel for c in shown)]
    table = summary_table(panels, shown, bare, columns, options)
    collapsed = [
        f"{c.panel.title}: {label} at N = {w.listed([w.size(size) for size in sizes])}"
        for c in shown
        if c.learned
        for label, sizes in c.collapsed_at.items()
    ]
    facts = (
        [f"Some runs have collapsed (scored below {format_floor(shown[0], options)}): {'; '.join(collapsed)}."]
        if collapsed
        else []
    )
    return Section("Summary", tables=(table, *(languages_table(group) for group in means)), facts=tuple(facts))


def summary_table(
    panels: Sequence[Panel], shown: Sequence[Comparison], bare: Sequence[Panel], columns: Columns, options: Options
) -> Table:
    """A row for each comparison; a panel without any has its zero-shot score alone."""
    tasks = task_order(panel.task for panel in panels)
    ends = {id(c): _ends(c) for c in shown}
    places = [place for place in _PLACES if any(place in found for found in ends.values())]
    common = {place: _common_size([found[place] for found in ends.values() if place in found]) for place in places}
    several = len({(panel.task, columns_of(columns, panel.task)[0]) for panel in panels}) > 1
    arms = _arm_names(shown)
    alone = [(panel, label, score) for panel in bare for label, score in _bare_zero_shots(panel, columns)]
    with_arm = len({*arms.values()}) > 1 or len(alone) > len(bare)
    rows: list[Row] = []
    for panel in panels:
        named = (panel.language_name, panel.label, *([_score_name(panel, columns)] if several else []))
        for c in (c for c in shown if c.panel is panel):
            gains = [_gain_cell(ends[id(c)].get(place), common[place]) for place in places]
            arm = (arms[id(c)],) if with_arm else ()
            rows.append((*named, *arm, w.percent(c.zero_shot.value), *gains, worth_cell(c), verdict(c)))
        for label, score in ((label, score) for other, label, score in alone if other is panel):
            empty = [w.MISSING] * (len(places) + 1)
            arm = (label,) if with_arm else ()
            rows.append((*named, *arm, score, *empty, "nothing to compare"))
    heads = [f"Δ at N = {w.size(common[p])}" if common[p] else f"Δ at the {p} N" for p in places]
    words = ("language", "test", *(["score"] if several else []), *(["arm"] if with_arm else []))
    align = "l" * len(words) + "r" * (len(places) + 2) + "l"
    header = (*words, "zero-shot", *heads, "N₀", "verdict")
    notes = {condition(c) for c in shown}
    note = notes.pop() if len(notes) == 1 else "the conditions are with each result" if notes else ""
    return Table(_caption(panels, tasks, columns), header, tuple(rows), align, name="summary", note=note)


def _caption(panels: Sequence[Panel], tasks: Sequence[str], columns: Columns) -> str:
    metrics = list(dict.fromkeys(metric_name(columns_of(columns, task)[0], task) for task in tasks))
    begin = (
        f"Zero-shot {w.listed(metrics)} in percent, paired gain Δ in points and N₀ in examples, with 95 % intervals"
        if len(metrics) == 1
        else "Zero-shot score in percent, paired gain Δ in points and N₀ in examples, with 95 % intervals"
    )
    begin += "; the verdict uses intervals that hold at all N together"
    if tuple(tasks) == (QA,):
        return begin
    units = w.listed([f"{WORDING[task].units} ({WORDING[task].title.lower()})" for task in tasks])
    return f"{begin}. Examples are {units}"


def _score_name(panel: Panel, columns: Columns) -> str:
    name = metric_name(columns_of(columns, panel.task)[0], panel.task)
    return name if name.startswith(panel.wording.short) else f"{panel.wording.short}, {name}"


def _ends(c: Comparison) -> dict[str, SizeResult]:
    """The results at the smallest, middle and largest N that has a gain."""
    known = [r for r in c.results if r.seeds] if c.learned else []
    places = {1: ("smallest",), 2: ("smallest", "largest")}.get(len(known), _PLACES)
    at = {"smallest": 0, "middle": len(known) // 2, "largest": -1}
    return {place: known[at[place]] for place in places} if known else {}


def _common_size(results: Sequence[SizeResult]) -> int:
    """The size of at least half of the rows, which the column is named by; 0 where there is none."""
    sizes = [result.size for result in results]
    most = max(sizes, key=lambda size: (sizes.count(size), -size))
    return most if 2 * sizes.count(most) >= len(sizes) else 0


def _gain_cell(result: SizeResult | None, common: int) -> str:
    if result is None:
        return w.MISSING
    ends = f" {w.interval(result.gain)}" if not math.isnan(result.gain.low) else ""
    return f"{w.signed(result.gain.value)}{ends}{f' (N = {w.size(result.size)})' if result.size != common else ''}"


def worth_cell(c: Comparison) -> str:
    """N₀ with its interval; a dash where there is none."""
    return w.examples(c.stated.zero_shot_worth, c.n_min, c.n_max) if c.learned else w.MISSING


def _arm_names(shown: Sequence[Comparison]) -> dict[int, str]:
    """By the id of a comparison: its arm, what tells its settings from those of other languages, and an unlike partner."""
    found: dict[int, str] = {}
    for task in task_order(c.panel.task for c in shown):
        own = [c for c in shown if c.panel.task == task]
        settings = [conditions(c) for c in own]
        for c, name in zip(own, extend_labels([c.first.label for c in own], settings, tuple(settings[0])), strict=True):
            partner = "" if Match.SAME in c.match else f" against {c.second.label} ({c.match[0]})"
            found[id(c)] = f"{name}{partner}"
    return found


def _bare_zero_shots(panel: Panel, columns: Columns) -> list[tuple[str, str]]:
    """Label and zero-shot score of each curve of a panel without comparisons; a curve that shares another's scores is left out."""
    column = columns_of(columns, panel.task)[0]
    found = {
        tuple(curve.zero_shot["run_id"]): (curve.label, w.percent(float(curve.zero_shot[column].mean())))
        for curve in reversed(panel.curves)
        if len(curve.zero_shot)
    }
    return list(reversed(found.values())) or [(w.MISSING, w.MISSING)]


def verdict(c: Comparison) -> str:
    """The verdict on the gain in three words, from the intervals at all sizes together."""
    if not c.learned:
        return NOTHING_LEARNED
    bands = [r.band for r in c.results if r.seeds and not math.isnan(r.band.low)]
    if not bands:
        return "no interval known" if any(r.seeds for r in c.results) else "no gain measured"
    above, below = [band.low > 0 for band in bands], [band.high < 0 for band in bands]
    if any(above) and any(below):
        return "depends on N"
    for found, word in ((above, "helps"), (below, "hurts")):
        if all(found):
            return f"{word} everywhere measured"
        if any(found):
            return f"{word} at first" if found[: sum(found)] == [True] * sum(found) else f"{word} in part"
    return "makes no difference" if c.break_even == min(c.sizes_with_gain) else "no difference shown"


def languages_table(group: Languages) -> Table:
    """The mean over languages of the zero-shot score and of the gain at each size."""
    metric = group.comparisons[0].metric
    caption = f"Means over languages ({group.label}): zero-shot {metric} in percent at N = 0, gain Δ(N) in points"
    header = ("N", "languages", "mean", "95 % interval", "s.d. over languages", "Δ above 0 in", "Δ below 0 in")
    return Table(caption, header, tuple(map(_mean_row, group.means)), name="languages")


def _mean_row(found: LanguageMean) -> Row:
    mean = w.signed(found.mean.value) if found.size else w.percent(found.mean.value)
    signs = (str(found.above), str(found.below)) if found.size else (w.MISSING, w.MISSING)
    return w.size(found.size), str(found.languages), mean, w.interval(found.mean), w.percent(found.spread), *signs
