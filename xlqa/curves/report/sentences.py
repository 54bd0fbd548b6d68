"""Sentences to paste into a paper, made from the figures and hedged as the figures deserve."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xlqa.curves.comparison import Comparison, Options, SizeResult
from xlqa.curves.grouping import short_name
from xlqa.curves.report import formatting as w
from xlqa.curves.statistics import Interval
from xlqa.records import Arm

METRICS = {"f1": "F1", "em": "EM", "squad_f1": "F1", "squad_em": "EM"}


def sentences(c: Comparison, options: Options) -> tuple[str, ...]:
    """Up to three sentences: the gain, the worth in examples, and where English stops paying."""
    made = (_format_gain(c), _format_worth(c), _format_break_even(c, options))
    return tuple(sentence for sentence in made if sentence)


def given(c: Comparison) -> str:
    """The condition on which everything holds: the source stages measured; "" where each seed has its own."""
    if c.first.arm is not Arm.TRANSFER or c.source_seeds == 0:
        return ""
    if c.source_seeds == 1:
        return "given this source stage"
    return f"given these {c.source_seeds} source stages" if c.source_seeds < c.seeds else ""


def _format_gain(c: Comparison) -> str:
    known = [result for result in c.results if result.seeds]
    if not known:
        return ""
    ends = [known[0], known[-1]] if len(known) > 1 else known
    said = w.listed([f"by {w.signed(r.gain.value)} points at N = {w.size(r.size)} ({_bracket(r.gain)})" for r in ends])
    how = "before" if c.first.arm is Arm.TRANSFER else "together with"
    source = short_name(c.first.setting["source"]) or "English"
    language = c.panel.language_name
    conditions = [_format_seeds(c), given(c), _undecided(ends)]
    return (
        f"On {_test_words(c)}, training {short_name(c.model)} on {source} {how} N {language} questions changed "
        f"{METRICS[c.column]} {said}, against training on the {language} questions alone "
        f"({'; '.join(part for part in conditions if part)})."
    )


def _format_seeds(c: Comparison) -> str:
    if c.seeds > 1:
        return f"means over {c.seeds} seeds" + ("" if c.by_paragraph else ", the intervals over these alone")
    return "one seed, whose spread no interval here contains"


def _test_words(c: Comparison) -> str:
    measured = c.panel.measurement
    parts = [f"{c.questions:,} questions" + (f" in {c.paragraphs:,} paragraphs" if c.by_paragraph else "")]
    parts += [] if measured["split"] == "test" else [f"{measured['split']} split"]
    return f"{short_name(measured['test'])} ({', '.join([*parts, f'scorer {c.scorer}'])})"


def _bracket(interval: Interval) -> str:
    return "no interval" if math.isnan(interval.low) else f"95 % interval {w.interval_words(interval)}"


def _undecided(ends: Sequence[SizeResult]) -> str:
    open_ends = [r for r in ends if not math.isnan(r.gain.low) and not r.gain.excludes_zero]
    if not open_ends:
        return ""
    where = w.listed([f"N = {w.size(r.size)}" for r in open_ends])
    return f"the interval includes 0 at {where}, where no difference is shown"


def _format_worth(c: Comparison) -> str:
    known = [r for r in c.results if math.isfinite(r.worth.value) or r.worth.value == math.inf]
    at_size = next((r for r in known if math.isfinite(r.worth.value)), known[0] if known else None)
    parts = [_format_zero_shot(c), "" if at_size is None else _format_worth_at(c, at_size)]
    text = "; ".join(part for part in parts if part)
    return text[:1].upper() + text[1:] + "." if text else ""


def _format_zero_shot(c: Comparison) -> str:
    if math.isnan(c.zero_shot.value):
        return ""
    language, n0 = c.panel.language_name, c.zero_shot_worth
    begin = f"without any {language} question it scored {w.percent(c.zero_shot.value)} {METRICS[c.column]}"
    if math.isnan(n0.value):
        return begin
    if n0.value == math.inf:
        return f"{begin}, more than {language} questions alone reached with {w.size(c.n_max)}, the most measured"
    if n0.value == -math.inf:
        return f"{begin}, less than {w.size(c.n_min)} {language} questions alone reach, the fewest measured"
    return f"{begin}, which {language} questions alone reach with about {_examples(n0, c.n_min, c.n_max)}"


def _format_worth_at(c: Comparison, r: SizeResult) -> str:
    if r.worth.value == math.inf:
        return f"at N = {w.size(r.size)} English was worth more than {w.rounded(c.n_max - r.size)} further examples"
    worth = _examples(r.worth, c.n_min - r.size, c.n_max - r.size)
    begin = f"at N = {w.size(r.size)} English was worth about {worth}"
    return f"{begin} further examples" if r.worth.value >= 0 else f"{begin} examples, that is, it cost some"


def _examples(found: Interval, below: float, above: float) -> str:
    ends = w.censored_interval(found, below, above, joint=" to ")
    return w.rounded(found.value) + ("" if ends == w.MISSING else f" (95 % interval {ends})")


def _format_break_even(c: Comparison, options: Options) -> str:
    known = [result for result in c.results if result.seeds and not math.isnan(result.gain.low)]
    if not known:
        return ""
    margin, last = f"±{options.margin:g} {METRICS[c.column]}", known[-1]
    if math.isfinite(c.break_even):
        return (
            f"From N = {w.size(c.break_even)} on, the interval of the gain stayed within {margin} at every size "
            "measured: a larger effect of English is not compatible with these runs there."
        )
    there = (
        f"at the largest size measured, N = {w.size(last.size)} (interval of the gain {w.interval_words(last.gain)})"
    )
    if last.gain.low > 0:
        return f"English still paid {there}; where it stops paying lies beyond."
    if last.gain.high < 0:
        return f"Training on English first lowered the score {there}."
    return f"Whether English still pays is not settled {there}{_what_would(last, options)}."


def _what_would(last: SizeResult, options: Options) -> str:
    if not math.isfinite(last.plan.seeds):
        return ""
    return f"; about {w.rounded(last.plan.seeds)} seeds would resolve {options.resolve:g} point"
