"""Sentences to paste into a paper, made from the figures and hedged as the figures deserve."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xlqa.curves.comparison import Comparison, Match, Options, SizeResult
from xlqa.curves.grouping import short_name, source_name
from xlqa.curves.report import formatting as w
from xlqa.curves.variance import Interval
from xlqa.curves.wording import QA, leading_metric, metric_name, points
from xlqa.records import Arm


def sentences(c: Comparison, options: Options) -> tuple[str, ...]:
    """What to paste: collapsed runs first, then the gain, the worth in examples, and where the source data stops paying."""
    if not c.learned:
        return (_format_nothing_learned(c, options),)
    made = (
        format_collapse(c, options),
        _format_gain(c),
        _format_band(c),
        _format_worth(c),
        _format_break_even(c, options),
    )
    return tuple(sentence for sentence in made if sentence)


def given(c: Comparison) -> str:
    """The estimand in words: the source stages on which everything is conditional; "" where there is no source stage."""
    if c.first.arm is not Arm.TRANSFER or c.source_stages == 0:
        return ""
    if c.stages == "other" or c.confounded:
        return "the intervals include the variation between source stages"
    these = "this source stage" if c.source_stages == 1 else f"these {c.source_stages} source stages"
    return f"the intervals hold for {these} alone"


def _format_nothing_learned(c: Comparison, options: Options) -> str:
    return (
        f"On {_test_words(c)}, no run of {c.first.label} or {c.second.label} scored {format_floor(c, options)} or more: nothing was "
        "learned, and nothing about gain or worth is concluded."
    )


def format_collapse(c: Comparison, options: Options) -> str:
    if not c.collapsed_at:
        return ""
    where = "; ".join(
        f"{label} at N = {w.listed([w.size(size) for size in sizes])}" for label, sizes in c.collapsed_at.items()
    )
    never = [curve.label for curve in (c.first, c.second) if _all_below(c, curve.label)]
    every = f"; {never[0]} never scored more" if never else ""
    return (
        f"Some runs scored below {format_floor(c, options)} (collapsed): {where}{every}. In simulations with such runs, the "
        "interval of the gain contained the truth about as often as it should, that of worth less often."
    )


def _all_below(c: Comparison, label: str) -> bool:
    shares = [r.collapsed_with if label == c.first.label else r.collapsed_without for r in c.results]
    return all(share == 1 for share in shares if not math.isnan(share))


def _format_gain(c: Comparison) -> str:
    known = [result for result in c.results if result.seeds]
    if not known:
        return ""
    ends = [known[0], known[-1]] if len(known) > 1 else known
    changes = w.listed(
        [f"by {w.signed(r.gain.value)} points at N = {w.size(r.size)} ({_bracket(r.gain)})" for r in ends]
    )
    how = "before" if c.first.arm is Arm.TRANSFER else "together with"
    language = c.panel.language_name
    conditions = [_format_seeds(c), given(c), _format_other(c), _format_match(c), _undecided(ends)]
    return (
        f"On {_test_words(c)}, training {short_name(c.model)} on {_source_words(c)} {how} N {language} {c.wording.units} "
        f"changed {c.metric} {changes}, against training on the {language} {c.wording.units} alone "
        f"({'; '.join(part for part in conditions if part)})."
    )


def _source_words(c: Comparison) -> str:
    data, name = short_name(c.first.setting["source"]), source_name(c.first.setting)
    if not data or data == name:
        return data
    begin, bracket, rest = data.partition(" (")
    return f"{begin} ({name}, {rest}" if bracket else f"{data} ({name})"


def _format_seeds(c: Comparison) -> str:
    alone = "" if c.by_group else ", the intervals over these alone"
    if c.one_run:
        return "one seed in an arm, whose spread no interval here contains" if c.seeds < 2 else f"{c.seeds} seeds"
    if c.crossed:
        return f"means over {c.crossed[0]} subsets × {c.crossed[1]} training seeds{alone}"
    return f"means over {c.seeds} seeds{alone}" if c.seeds > 1 else f"one seed at some size{alone}"


def _format_other(c: Comparison) -> str:
    """The same over other source stages, where that is another statement."""
    if c.other is None or c.confounded:
        return ""
    known = [result for result in c.other.results if result.seeds]
    ends = [known[0], known[-1]] if len(known) > 1 else known
    words = w.listed([w.interval_words(r.gain) for r in ends if not math.isnan(r.gain.low)])
    return f"with the variation between source stages {words}" if words else ""


def _format_match(c: Comparison) -> str:
    if Match.SAME in c.match:
        return "the settings that validation prefers for both" if Match.BEST in c.match else ""
    if Match.BEST in c.match:
        return "each arm with the settings that validation prefers"
    return "as many updates in all" if Match.COMPUTE in c.match else "each arm with settings of its own"


def _test_words(c: Comparison) -> str:
    measured = c.panel.measurement
    parts = [f"{c.examples:,} {c.wording.units}{_group_words(c)}"]
    parts += [] if measured["split"] == "test" else [f"{measured['split']} split"]
    parts += [f"scorer {c.scorer}"] if c.scorer else []
    return f"{short_name(measured['test'])} ({', '.join(parts)})"


def _group_words(c: Comparison) -> str:
    """How many groups a test set has, where it has fewer than examples."""
    if not c.by_group or (c.panel.task != QA and c.groups == c.examples):
        return ""
    if c.panel.task in ("ner", "pos") and c.cells.scores is not None:
        return f" in {c.groups:,} documents" if c.cells.scores.documents else f", {c.groups:,} of them different"
    if c.wording.unit == "sentence":
        return f", {c.groups:,} of them different"
    return f" in {c.groups:,} paragraphs" if c.panel.task == QA else f" with {c.groups:,} {c.wording.groups}"


def format_floor(c: Comparison, options: Options) -> str:
    """The floor with its score, which is the task's leading one."""
    name = metric_name(leading_metric(c.panel.task), c.panel.task)
    return f"{options.floor:g} {name}" if c.panel.task == QA else f"{options.floor:g} % {name}"


def _bracket(interval: Interval) -> str:
    return "no interval" if math.isnan(interval.low) else f"95 % interval {w.interval_words(interval)}"


def _undecided(ends: Sequence[SizeResult]) -> str:
    open_ends = [r for r in ends if not math.isnan(r.gain.low) and not r.gain.excludes_zero]
    if not open_ends:
        return ""
    where = w.listed([f"N = {w.size(r.size)}" for r in open_ends])
    return f"the interval includes 0 at {where}, where no difference is shown"


def _format_band(c: Comparison) -> str:
    known = [result for result in c.results if result.seeds and not math.isnan(result.band.low)]
    if len(known) < 2:
        return ""
    above, below = (
        [r for r in known if r.band.low > 0],
        [r for r in known if r.band.high < 0],
    )
    if len(above) == len(known):
        return "Over all sizes together the gain is above 0 at every N measured (simultaneous 95 % band)."
    parts = [f"above 0 at {_sizes(above)}"] * bool(above) + [f"below 0 at {_sizes(below)}"] * bool(below)
    return f"Over all sizes together the gain is {w.listed(parts)} (simultaneous 95 % band)." if parts else ""


def _sizes(results: Sequence[SizeResult]) -> str:
    return w.listed([f"N = {w.size(r.size)}" for r in results])


def _format_worth(c: Comparison) -> str:
    # At the largest size a worth beyond it is only "more than 0".
    known = [
        r for r in c.stated.results if r.worth.is_determined and not math.isnan(r.worth.value) and r.size < c.n_max
    ]
    at_size = next((r for r in known if math.isfinite(r.worth.value)), known[0] if known else None)
    parts = [_format_zero_shot(c), "" if at_size is None else _format_worth_at(c, at_size)]
    text = "; ".join(part for part in parts if part)
    return text[:1].upper() + text[1:] + "." if text else ""


def _format_zero_shot(c: Comparison) -> str:
    if math.isnan(c.zero_shot.value):
        return ""
    language, n0, unit = c.panel.language_name, c.stated.zero_shot_worth, c.wording.unit
    begin = f"without any {language} {unit} it scored {w.percent(c.zero_shot.value)} {c.metric}"
    if math.isnan(n0.value):
        return begin
    if not n0.is_determined:
        return f"{begin}; how many {language} {unit}s alone score as much is not determined between {w.size(c.n_min)} and {w.size(c.n_max)}"
    if n0.low == math.inf:
        return f"{begin}, more than {language} {unit}s alone reached with {w.size(c.n_max)}, the most measured"
    if n0.high == -math.inf:
        return f"{begin}, fewer than {w.size(c.n_min)} {language} {unit}s alone reach, the fewest measured"
    return f"{begin}, which {language} {unit}s alone reach with {_examples(n0, c.n_min, c.n_max)}"


def _format_worth_at(c: Comparison, r: SizeResult) -> str:
    """The worth at one size: bounded, or open to one side."""
    below, above = c.n_min - r.size, c.n_max - r.size
    source = source_name(c.first.setting)
    begin = f"at N = {w.size(r.size)} {source} was worth"
    if r.worth.low == math.inf:
        return f"{begin} more than {w.size(above)} further examples"
    if r.worth.high == -math.inf:
        return f"{begin} less than {w.size(below)} examples, that is, it cost some"
    words = _examples(r.worth, below, above)
    cost = (
        " further examples"
        if r.worth.low >= 0
        else " examples" + (", that is, it cost some" if r.worth.high < 0 else "")
    )
    return f"{begin} {words}{cost}"


def _examples(found: Interval, below: float, above: float) -> str:
    ends = w.censored_interval(found, below, above, joint=" to ")
    value = f"about {w.rounded(found.value)}" if math.isfinite(found.value) else w.censored(found.value, below, above)
    value = value.replace("> ", "more than ").replace("< ", "fewer than ")
    return value + ("" if ends == w.MISSING else f" (95 % interval {ends})")


def _format_break_even(c: Comparison, options: Options) -> str:
    known = [result for result in c.results if result.seeds and not math.isnan(result.gain.low)]
    if not known:
        return ""
    margin, last = f"±{points(options.margin, c.column, c.panel.task)}", known[-1]
    if math.isfinite(c.break_even):
        return (
            f"From N = {w.size(c.break_even)} on, the interval of the gain stayed within {margin} at every size "
            f"measured: a larger effect of {source_name(c.first.setting)} is not compatible with these runs there."
        )
    where = (
        f"at the largest size measured, N = {w.size(last.size)} (interval of the gain {w.interval_words(last.gain)})"
    )
    source = source_name(c.first.setting)
    if c.break_even == math.inf and last.gain.low > 0:
        return f"{source[:1].upper()}{source[1:]} still gained more than {margin[1:]} {where}; break-even is beyond the sizes measured."
    if c.break_even == math.inf:
        return f"Training on {source} first lowered the score by more than {margin[1:]} {where}."
    if last.gain.excludes_zero:
        side = "still raised" if last.gain.low > 0 else "lowered"
        return f"{source[:1].upper()}{source[1:]} {side} the score {where}; whether by more than {margin[1:]} is not determined."
    return f"Whether {source} still helps is not determined {where}{_what_would(c, options)}."


def _what_would(c: Comparison, options: Options) -> str:
    """The advice of the report's line on planning, in a sentence."""
    if c.planned is None:
        return ""
    goal = points(options.resolve, c.column, c.panel.task)
    where = f"; at N = {w.size(c.planned.size)}, where the variance is largest,"
    if not math.isfinite(c.planned.plan.seeds):
        return f"{where} more seeds alone cannot detect a difference of {goal} on this test set"
    return f"{where} about {w.rounded(c.planned.plan.seeds)} seeds can detect a difference of {goal}"
