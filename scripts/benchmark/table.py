"""From samples to a table: medians over rounds, and how many times faster xlqa is than each side, round by round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmark.worker import SIDES
from xlqa.util.tables import table_lines

HEAD = ("side", "examples/s", "pieces/s", "padding", "utilisation", "peak MB", "xlqa's gain", "in CPU time")
SPEEDS = {"ratio": "examples_per_second", "cpu_ratio": "examples_per_cpu_second"}
Samples = Mapping[str, Sequence[Mapping[str, Any]]]


def summarise(samples: Samples) -> list[dict[str, Any]]:
    """One row a side.

    Args:
        samples: side -> its sample of each round, as `Sample.to_json` gives them; all sides have the same rounds.

    Returns:
        medians over rounds; `ratio` has the median, least and greatest of the rounds' ratios of xlqa's examples a second
        to the side's, `cpu_ratio` those by CPU time; both are None where xlqa did not take part.
    """
    rows = []
    for side, rounds in samples.items():
        figures = ("examples_per_second", "pieces_per_second", "padding", "utilisation")
        row: dict[str, Any] = {"side": side} | {name: median(r[name] for r in rounds) for name in figures}
        row["peak_bytes"] = max((r["peak_bytes"] for r in rounds if r["peak_bytes"] is not None), default=None)
        for name, speed in SPEEDS.items():
            ratios = [
                mine[speed] / theirs[speed] for mine, theirs in zip(samples.get("ours", ()), rounds, strict=False)
            ]
            row[name] = (median(ratios), min(ratios), max(ratios)) if ratios else None
        rows.append(row)
    return rows


def render(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """A table for people."""
    return "\n".join([title, *table_lines(HEAD, [_cells(row) for row in rows])])


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    peak = "" if row["peak_bytes"] is None else f"{row['peak_bytes'] / 1e6:,.0f}"
    return (
        SIDES[row["side"]][2], f"{row['examples_per_second']:.2f}", f"{row['pieces_per_second']:,.0f}", f"{row['padding']:.1%}",
        f"{row['utilisation']:.1%}", peak, _spread(row, "ratio"), _spread(row, "cpu_ratio"),
    )  # fmt: skip


def _spread(row: Mapping[str, Any], name: str) -> str:
    if row[name] is None or row["side"] == "ours":
        return ""
    middle, low, high = row[name]
    return f"{middle:.2f}x ({low:.2f}-{high:.2f})"


def render_profile(shares: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """Where each side's time goes."""
    blocks = []
    for side, rows in shares.items():
        blocks.append(SIDES[side][2])
        blocks += [f"  {share:6.1%}  {key}" for key, share in rows]
    return "\n".join(blocks)


def render_sweep(result: Mapping[str, Any]) -> str:
    """The sweep's seconds and ratios."""
    stock = result["stock"]
    lines = [f"sweep of {result['runs']} runs, {result['steps']} updates each, and a source stage"]
    for state, ours in result["ours"].items():
        idle = (ours["seconds"] - ours["training_and_evaluation"]) / result["runs"]
        lines.append(
            f"xlqa, {state}: {ours['seconds']:.1f} s ({idle:.2f} s a run beyond training and evaluation); "
            f"{result['ratio'][state]:.1f}x faster than stock DeepPavlov"
        )
    lines.append(
        f"stock DeepPavlov: {stock['seconds']:.0f} s, estimated from {len(stock['runs_measured'])} of its runs"
    )
    return "\n".join(lines)
