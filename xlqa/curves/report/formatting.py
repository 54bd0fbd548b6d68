"""Numbers as words: signs, intervals, sizes, and "more than" where a measurement ends before the answer does."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xlqa.curves.variance import Interval

MISSING = "–"
UNDETERMINED = "not determined"


def percent(value: float, digits: int = 1) -> str:
    """A score: 51.3; a dash where it is missing."""
    # Adding 0 after rounding turns −0.0 into 0.0.
    return MISSING if math.isnan(value) else minus(f"{round(value, digits) + 0.0:.{digits}f}")


def signed(value: float, digits: int = 1) -> str:
    """A difference with its sign: +12.3, −0.4; 0.0 has none."""
    if math.isnan(value):
        return MISSING
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else minus(text)


def minus(text: str) -> str:
    """The typographic minus."""
    return text.replace("-", "−")


def size(value: float) -> str:
    """A number of examples that was counted: 45,328."""
    return MISSING if math.isnan(value) else minus(f"{value:,.0f}")


def rounded(value: float) -> str:
    """A number of examples that was estimated, in two digits: 440, 13,000; below 10 as a whole number."""
    if math.isnan(value) or math.isinf(value):
        return MISSING
    if abs(value) < 10:
        return minus(f"{value:.0f}").replace("−0", "0")
    digits = 1 - math.floor(math.log10(abs(value)))
    return minus(f"{round(value, digits):,.0f}")


def censored(value: float, below: float, above: float, unit: str = "examples") -> str:
    """An estimate that the sizes measured may cut off: "440", "> 10,000", "< 100".

    Args:
        below, above: what −inf and +inf mean. They were counted, so they are not rounded.
        unit: "examples" (two digits) or "times" (one decimal).
    """
    if value == math.inf:
        return f"> {size(above) if unit == 'examples' else _times(above)}"
    if value == -math.inf:
        return f"< {size(below) if unit == 'examples' else _times(below)}"
    return rounded(value) if unit == "examples" else _times(value)


def _times(value: float) -> str:
    return MISSING if math.isnan(value) else minus(f"{value:.2g}" if abs(value) < 100 else f"{value:,.0f}")


def interval(found: Interval, digits: int = 1) -> str:
    """The ends of an interval: "[−1.1, 1.4]"."""
    if math.isnan(found.low):
        return MISSING
    return f"[{percent(found.low, digits)}, {percent(found.high, digits)}]"


def interval_words(found: Interval, digits: int = 1) -> str:
    """The ends of an interval in a sentence: "−1.1 to 1.4"."""
    return f"{percent(found.low, digits)} to {percent(found.high, digits)}"


def censored_interval(found: Interval, below: float, above: float, unit: str = "examples", joint: str = ", ") -> str:
    """The ends of an interval of examples: "[350, > 10,000]"; "not determined" where neither end is known."""
    if math.isnan(found.low):
        return MISSING
    if not found.is_determined:
        return UNDETERMINED
    if math.isinf(found.low) and found.low == found.high:
        return censored(found.low, below, above, unit)
    ends = joint.join(censored(end, below, above, unit) for end in (found.low, found.high))
    return f"[{ends}]" if joint == ", " else ends


def examples(found: Interval, below: float, above: float) -> str:
    """A number of examples with its interval: "440 [350, > 1,000]"; one of them where both are the same or neither end is known."""
    if math.isnan(found.value):
        return MISSING
    value, ends = censored(found.value, below, above), censored_interval(found, below, above)
    return value if ends in (MISSING, value) else ends if ends == UNDETERMINED else f"{value} {ends}"


def share(value: float) -> str:
    """A share as a percentage: 97 %."""
    return MISSING if math.isnan(value) else minus(f"{100 * value:.0f} %")


def share_interval(found: Interval) -> str:
    """An interval of a share: "[35, 60] %"; "not determined" where the share exists and its interval does not."""
    if math.isnan(found.value):
        return MISSING
    if not found.is_determined:
        return UNDETERMINED
    return f"[{minus(f'{100 * found.low:.0f}')}, {minus(f'{100 * found.high:.0f}')}] %"


def listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def counted(number: int, word: str) -> str:
    """ "1 seed", "5 seeds"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
