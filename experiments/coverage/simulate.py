"""Do the intervals of `xlqa report` cover the truth? `python experiments/coverage/simulate.py`, minutes on one core.

Draws studies from a known law of learning curves, with effects of seeds, paragraphs, questions and single runs, sends
each through the functions that the report uses, and counts how often the 95 % intervals hold the truth, and how often p is
below 0.05 where there is no difference. Writes coverage.csv and null.csv beside this file, and the table that the
report prints beside intervals from fewer than 10 seeds.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xlqa.curves import statistics as st

HERE = Path(__file__).resolve().parent
NULL_COLUMNS = ("runs_differ", "seeds", "studies", "below_005", "below_050")
COLUMNS = ("quantity", "seeds", "sizes", "studies", "covered", "bias", "half_width")
SIZES = {2: (100, 10000), 3: (100, 1000, 10000), 5: (100, 316, 1000, 3162, 10000)}
SEEDS = (1, 2, 3, 5, 10)


@dataclass(frozen=True)
class World:
    """The law and the effects that studies are drawn from; standard deviations in points of F1.

    The error of the target arm is 100 − S = alpha N^beta + gamma, and English is worth `worth` examples at every N.

    Attributes:
        subset: of the choice of N examples at N = 100, shared by both arms; falls as N^-0.3, as `training` does.
        training: of the training seed at N = 100, each run its own.
        paragraph, paragraph_by_arm, paragraph_by_cell: of a paragraph's level, alone and with arm and size.
        question, question_by_arm, question_by_run: of a question's.
    """

    alpha: float = 150.0
    beta: float = -0.22
    gamma: float = 8.0
    worth: float = 400.0
    subset: float = 1.5
    training: float = 2.0
    paragraphs: int = 240
    questions_each: float = 5.0
    paragraph: float = 12.0
    paragraph_by_arm: float = 5.0
    paragraph_by_cell: float = 2.0
    question: float = 30.0
    question_by_arm: float = 12.0
    question_by_run: float = 22.0

    def target_only(self, size: float) -> float:
        return 100 - self.alpha * max(size, 1.0) ** self.beta - self.gamma

    def transfer(self, size: float) -> float:
        return self.target_only(size + self.worth)


def draw_study(
    world: World, sizes: tuple[int, ...], seeds: int, rng: np.random.Generator
) -> tuple[list[st.Cell], np.ndarray]:
    """Cells of one study (zero-shot, then transfer and target-only by size) and the questions of each paragraph."""
    counts = 1.0 + rng.poisson(world.questions_each - 1, world.paragraphs)

    def noise(paragraph: float, question: float) -> np.ndarray:
        return rng.standard_normal(counts.size) * np.sqrt((paragraph * counts) ** 2 + question**2 * counts)

    common = noise(world.paragraph, world.question)
    by_arm = {arm: common + noise(world.paragraph_by_arm, world.question_by_arm) for arm in "et"}
    cells = [_cell(world, world.transfer(0), by_arm["e"], [("source", 0)], np.zeros(1), counts, rng)]
    subset = {size: rng.standard_normal(seeds) * world.subset * (size / 100) ** -0.3 for size in sizes}
    for arm, law in (("e", world.transfer), ("t", world.target_only)):
        for size in sizes:
            own = rng.standard_normal(seeds) * world.training * (size / 100) ** -0.3
            base = by_arm[arm] + noise(world.paragraph_by_cell, 0)
            cells.append(_cell(world, law(size), base, list(range(seeds)), subset[size] + own, counts, rng))
    return cells, counts


def _cell(world, level, base, units, run_effects, counts, rng) -> st.Cell:
    runs = rng.standard_normal((len(units), counts.size)) * world.question_by_run * np.sqrt(counts)
    return st.Cell(tuple(units), (level + run_effects)[:, None] * counts + base + runs)


def estimate(
    cells: list[st.Cell], counts: np.ndarray, sizes: tuple[int, ...], draws: int, rng: np.random.Generator
) -> Iterator[tuple[str, int, st.Interval]]:
    """Quantity, size and interval of everything that a study says, by the functions of the report."""
    drawn = st.draw_means(cells, counts, draws, rng)
    values = np.vstack([drawn.means, drawn.values])
    zero, e, t = values[:, 0], values[:, 1 : 1 + len(sizes)], values[:, 1 + len(sizes) :]
    at = np.array(sizes, dtype=float)
    for k, size in enumerate(sizes):
        gain = e[:, k] - t[:, k]
        yield "gain", size, st.central_interval(gain[0], gain[1:])
        worth = st.size_at_score(at, t, e[:, k]) - size
        yield "worth", size, st.central_interval(worth[0], worth[1:])
    n0 = st.size_at_score(at, t, zero)
    yield "zero-shot worth", 0, st.central_interval(n0[0], n0[1:])


def measure(world: World, sizes: tuple[int, ...], seeds: int, studies: int, draws: int) -> list[dict[str, object]]:
    """Coverage of each quantity over many studies, one row a quantity; gain and worth over all their sizes."""
    rng = np.random.default_rng([seeds, len(sizes)])
    found: dict[str, list[tuple[bool, float, float]]] = {}
    for _ in range(studies):
        cells, counts = draw_study(world, sizes, seeds, rng)
        for quantity, size, interval in estimate(cells, counts, sizes, draws, rng):
            truth = true_value(world, quantity, size, max(sizes))
            covered = interval.low <= truth <= interval.high
            width = math.inf if math.isinf(interval.high) else (interval.high - interval.low) / 2
            error = 0.0 if interval.value == truth else interval.value - truth
            found.setdefault(quantity, []).append((covered, error, width))
    rows: list[dict[str, object]] = []
    for quantity, each in found.items():
        covered_all, errors, widths = np.array(each).T
        row = {"quantity": quantity, "seeds": seeds, "sizes": len(sizes), "studies": studies}
        # Medians, because an estimate beyond the largest size is infinite.
        middle = {"bias": round(float(np.median(errors)), 3), "half_width": round(float(np.median(widths)), 3)}
        rows.append(row | {"covered": round(float(covered_all.mean()), 4)} | middle)
    return rows


def true_value(world: World, quantity: str, size: int, largest: int) -> float:
    """The truth; a worth that lies beyond the largest size is infinite, as an honest interval says "more than"."""
    if quantity == "gain":
        return world.transfer(size) - world.target_only(size)
    return world.worth if size + world.worth <= largest else math.inf


def measure_null(world: World, runs_differ: bool, seeds: int, studies: int, flips: int) -> dict[str, object]:
    """How often the sign-flip p is small where both arms follow one law.

    Args:
        runs_differ: whether runs have effects of their own, which p, given the runs, does not ask about; without them
            the null hypothesis of the test is true and p must be uniform.
    """
    same = replace(world, worth=0.0) if runs_differ else replace(world, worth=0.0, subset=0.0, training=0.0)
    rng = np.random.default_rng([seeds, int(runs_differ)])
    p = []
    for _ in range(studies):
        cells, counts = draw_study(same, (1000,), seeds, rng)
        difference = cells[1].sums.mean(axis=0) - cells[2].sums.mean(axis=0)
        p.append(float(st.sign_flip_p(difference[None, :], counts, flips, rng)[0]))
    below = {
        f"below_{level:.2f}".replace(".", ""): round(float(np.mean(np.array(p) <= level)), 4) for level in (0.05, 0.5)
    }
    return {"runs_differ": runs_differ, "seeds": seeds, "studies": studies} | below


def write_csv(path: Path, columns: tuple[str, ...], rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_tables(rows: list[dict[str, object]], folder: Path, table: Path) -> None:
    """The result for readers (csv), and the coverages alone for the report (json)."""
    write_csv(folder / "coverage.csv", COLUMNS, rows)
    kept = [{name: row[name] for name in ("quantity", "seeds", "sizes", "covered")} for row in rows]
    table.write_text("[\n" + ",\n".join(json.dumps(row) for row in kept) + "\n]\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--table", type=Path, default=HERE.parents[1] / "xlqa" / "curves" / "coverage.json")
    given = parser.parse_args()
    rows: list[dict[str, object]] = []
    begin = time.monotonic()
    for sizes in SIZES.values():
        for seeds in SEEDS:
            rows += measure(World(), sizes, seeds, given.studies, given.draws)
            said = ", ".join(f"{row['quantity']} {row['covered']:.1%}" for row in rows[-3:])
            print(f"{seeds} seeds, {len(sizes)} sizes: {said} ({time.monotonic() - begin:.0f} s)", file=sys.stderr)
    write_tables(rows, given.out, given.table)
    nulls = [measure_null(World(), differ, n, given.studies, given.draws) for differ in (False, True) for n in (3, 10)]
    write_csv(given.out / "null.csv", NULL_COLUMNS, nulls)


if __name__ == "__main__":
    main()
