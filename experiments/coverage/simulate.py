"""Do the intervals of `xlqa report` contain the truth? `python experiments/coverage/simulate.py` runs for minutes on one core.

Draws studies whose truth is known, sends each through the functions that the report uses, and counts how often the 95 %
intervals contain the truth, how wide they are, and how often they are open to one side or not determined at all. Writes
coverage.csv beside this file.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from xlqa.curves.variance import SOURCE, TARGET, ZERO, Cell, Interval, Key, Study, influence_of
from xlqa.curves.worth import TargetCurve, ratio_interval

HERE = Path(__file__).resolve().parent
COLUMNS = (
    "world", "seeds", "stages", "estimand", "quantity", "studies", "covered", "half_width", "one_sided", "not_determined",
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """A law of learning curves with its effects, on a latent scale in points; a score is the latent one clipped to 0–100.

    The latent level of target-only training is start + slope · ln(N / first size); with the source data `gain` points more.
    Standard deviations of effects on the latent level of a run or a question:

    Attributes:
        zero: latent level of zero-shot.
        subset, training: of the choice of N examples (shared by both arms) and of a run's own seed, at the first size; both
            fall with N to the power of -`falling`. carried: correlation of either between two sizes.
        stage: of a source stage at N = 0; falls as (1 + N / first size)^-0.35 (one stage moves all its runs together).
        paragraph, question: of their level; the same by arm and by run.
        collapse: share of runs of the first size that learn nothing (latent level -200).
    """

    name: str
    sizes: tuple[int, ...] = (30, 100, 300, 1000)
    start: float = 0.0
    slope: float = 10.0
    gain: float = 18.0
    zero: float = 9.0
    subset: float = 10.0
    training: float = 3.0
    falling: float = 0.4
    carried: float = 0.4
    stage: float = 6.0
    paragraphs: int = 350
    questions_each: float = 1.4
    paragraph: float = 14.0
    paragraph_by_arm: float = 5.0
    question: float = 34.0
    question_by_arm: float = 14.0
    question_by_run: float = 22.0
    collapse: float = 0.0

    def latent(self, arm: str, size: int) -> float:
        if arm == ZERO:
            return self.zero
        return self.start + self.slope * math.log(size / self.sizes[0]) + (self.gain if arm == SOURCE else 0.0)

    def falls(self, size: int) -> float:
        return float((size / self.sizes[0]) ** -self.falling)

    def stage_spread(self, size: int) -> float:
        return float(self.stage * (1 + size / self.sizes[0]) ** -0.35)

    def sizes_of(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(Q,) what each example counts; a question counts 1."""
        return np.ones(count)

    def ratios(self, latent: np.ndarray, sizes: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(n, Q) numerators and denominators of runs from their latent levels, (n, Q)."""
        numerators = np.clip(latent, 0, 100) / 100
        return numerators, np.ones_like(numerators)

    def expected(self, level: float, of_examples: float, of_runs: float) -> float:
        """Expected score of a run from its latent level and the variances of examples and of runs."""
        return _clipped(level, math.sqrt(of_examples + of_runs))


@dataclass(frozen=True)
class EntityWorld(World):
    """A law for entity F1: a ratio of sums over sentences, 2 TP / (predicted + gold).

    A sentence has `least` gold entities and a Poisson number more. Each is found with probability Φ((latent − 50) / 40), where
    the latent level is that of the sentence, with `harder` points less for each entity more than the mean. An entity that is
    not found is predicted wrongly (its type or its ends) with probability `wrong`; beside that a sentence has a Poisson number
    of predictions that are no entity, of mean `spurious` · (1 − probability).
    """

    least: int = 1
    more: float = 0.4
    harder: float = 4.0
    wrong: float = 0.5
    spurious: float = 0.3

    def sizes_of(self, count: int, rng: np.random.Generator) -> np.ndarray:
        return self.least + rng.poisson(self.more, count)

    def _found(self, latent: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        return np.asarray((latent - self.harder * (sizes - self.least - self.more) - 50) / SCALE)

    def ratios(self, latent: np.ndarray, sizes: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        chance = ndtr(self._found(latent, sizes))
        right = rng.binomial(sizes, chance)
        wrong = rng.binomial(sizes - right, self.wrong) + rng.poisson(self.spurious * (1 - chance))
        return 2.0 * right, (right + wrong + sizes).astype(float)

    def expected(self, level: float, of_examples: float, of_runs: float) -> float:
        """The mean over runs of 2 E[TP] / (E[predicted] + E[gold]), by quadrature over the level of a run."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(31)
        levels = level + math.sqrt(of_runs) * nodes
        more = np.arange(40)
        share = np.exp(more * math.log(self.more) - self.more - np.array([math.lgamma(k + 1) for k in more]))
        sizes = self.least + more
        # A normal level of sentences makes Φ of a mean divided by the root of 1 + its variance.
        wide = math.sqrt(1 + of_examples / SCALE**2)
        chance = ndtr(self._found(levels[:, None], sizes[None, :]) / wide)
        right = chance * sizes @ share
        gold = float(sizes @ share)
        predicted = right + self.wrong * (gold - right) + self.spurious * ((1 - chance) @ share)
        return float(weights / weights.sum() @ (200 * right / (predicted + gold)))


SCALE = 40.0
"""Points of latent level in a standard normal unit of the probability that an entity is found."""
SWAHILI = World("swahili")
PANX = EntityWorld(
    "entities",
    sizes=(50, 200, 1000, 5000),
    start=28.0,
    slope=9.0,
    gain=28.0,
    zero=48.0,
    subset=8.0,
    training=3.0,
    stage=5.0,
    paragraphs=1000,
    questions_each=1.0,
    paragraph=0.0,
    paragraph_by_arm=0.0,
    question=40.0,
    question_by_arm=14.0,
    question_by_run=14.0,
)
WORLDS = {
    world.name: world
    for world in (
        SWAHILI,
        World(
            "xquad", sizes=(100, 316, 1000, 3162, 10000), start=42.0, slope=6.0, gain=8.0, zero=50.0, subset=4.0,
            training=3.0, paragraphs=240, questions_each=5.0,
        ),
        replace(SWAHILI, name="quiet", subset=1.0, training=0.5, stage=1.0),
        replace(SWAHILI, name="level", subset=3.0, training=5.0, falling=0.0, stage=3.0),
        replace(SWAHILI, name="collapsing", collapse=0.3),
        PANX,
        replace(PANX, name="entities-few", paragraphs=150),
        EntityWorld(
            "documents", sizes=(50, 200, 1000, 5000), start=35.0, slope=8.0, gain=25.0, zero=52.0, subset=8.0, training=3.0,
            stage=5.0, paragraphs=60, questions_each=12.0, paragraph=14.0, paragraph_by_arm=6.0, least=0, more=1.3,
        ),
    )
}  # fmt: skip
DESIGNS = ((2, 1), (3, 1), (5, 1), (10, 1), (4, 2), (3, 3), (6, 3), (5, 5))
"""Seeds and source stages; seed s starts from stage s mod K. All of them in the first world, in the others some."""
FEWER_DESIGNS = {"collapsing": ((3, 1), (10, 1), (5, 5))}
SOME_DESIGNS = ((3, 1), (5, 1), (3, 3), (6, 3), (5, 5))
QUANTITIES = ("N0", "gain", "worth", "gap")


@dataclass(frozen=True)
class Truth:
    """What a study measures: mean scores in percent by arm and size, given its stages or over all."""

    scores: dict[Key, float]

    def value(self, world: World, quantity: str) -> float:
        sizes = world.sizes
        if quantity == "N0":
            return self._size(world, self.scores[ZERO, 0])
        name, _, at = quantity.partition("@")
        source = self.scores[SOURCE, int(at)]
        if name == "gain":
            return source - self.scores[TARGET, int(at)]
        if name == "worth":
            return self._size(world, source) - int(at)
        full, zero = self.scores[TARGET, sizes[-1]], self.scores[ZERO, 0]
        return (source - zero) / (full - zero)

    def _size(self, world: World, score: float) -> float:
        """S_T⁻¹ of a score by bisection on the law itself; infinite beyond the sizes measured."""
        first, last = world.sizes[0], world.sizes[-1]
        if score > self.scores[TARGET, last]:
            return math.inf
        if score < self.scores[TARGET, first]:
            return -math.inf
        sizes, levels = _law(world)
        return float(np.exp(np.interp(score, levels, np.log(sizes))))


@lru_cache
def _law(world: World) -> tuple[np.ndarray, np.ndarray]:
    """The true target-only curve on a fine grid."""
    sizes = np.geomspace(world.sizes[0], world.sizes[-1], 400)
    return sizes, np.array([expected_score(world, TARGET, size, 0.0, False) for size in sizes])


def expected_score(world: World, arm: str, size: float, stage: float, over_stages: bool) -> float:
    """Expected score of a run, over everything that varies: of questions the mean of a normal variable clipped to 0–100."""
    falls = 0.0 if arm == ZERO else world.falls(size)  # type: ignore[arg-type]
    of_examples = (
        world.paragraph**2 + world.paragraph_by_arm**2 + world.question**2 + world.question_by_arm**2
        + world.question_by_run**2
    )  # fmt: skip
    of_runs = (world.subset**2 + world.training**2) * falls**2
    if arm != TARGET and over_stages:
        of_runs += world.stage_spread(int(size)) ** 2
    level = world.latent(arm, size) + stage  # type: ignore[arg-type]
    found = world.expected(level, of_examples, of_runs)
    if arm != ZERO and size == world.sizes[0] and world.collapse:
        found = (1 - world.collapse) * found + world.collapse * world.expected(level - 200, of_examples, of_runs)
    return found


def _clipped(mean: float, spread: float) -> float:
    a, b = (0 - mean) / spread, (100 - mean) / spread
    inside = ndtr(b) - ndtr(a)
    density = [math.exp(-x * x / 2) / math.sqrt(2 * math.pi) for x in (a, b)]
    return float(100 * (1 - ndtr(b)) + mean * inside + spread * (density[0] - density[1]))


def draw_study(
    world: World, seeds: int, stages: int, rng: np.random.Generator
) -> tuple[dict[Key, Cell], dict[str, Truth]]:
    """Cells of one study, and the truth given its stages and over all."""
    counts = 1 + rng.poisson(world.questions_each - 1, world.paragraphs)
    groups = np.repeat(np.arange(world.paragraphs), counts)

    def noise(paragraph: float, question: float) -> np.ndarray:
        return (rng.standard_normal(world.paragraphs) * paragraph)[groups] + rng.standard_normal(groups.size) * question

    sizes = world.sizes_of(groups.size, rng)
    common = noise(world.paragraph, world.question)
    by_arm = {arm: common + noise(world.paragraph_by_arm, world.question_by_arm) for arm in (SOURCE, TARGET)}
    by_arm[ZERO] = by_arm[SOURCE]
    stage = rng.standard_normal(stages)
    stage_of = np.arange(seeds) % stages
    subset = _carried(world, (seeds,), rng)
    training = {arm: _carried(world, (seeds,), rng) for arm in (SOURCE, TARGET)}
    cells: dict[Key, Cell] = {}
    keys = [(ZERO, 0), *((arm, size) for size in world.sizes for arm in (SOURCE, TARGET))]
    for k, (arm, size) in enumerate(keys):
        place = (k - 1) // 2
        if arm == ZERO:
            level = world.zero + stage * world.stage_spread(0)
        else:
            level = np.full(seeds, world.latent(arm, size))
            level += (world.subset * subset[place] + world.training * training[arm][place]) * world.falls(size)
            level += stage[stage_of] * world.stage_spread(size) if arm == SOURCE else 0.0
            if place == 0 and world.collapse:
                level -= 200 * (rng.random(seeds) < world.collapse)
        cells[arm, size] = _cell(world, level, by_arm[arm], groups, sizes, arm, stage_of, rng)
    return cells, {"given": _truth(world, stage, stage_of), "other": _truth(world, None, stage_of)}


def _carried(world: World, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """(sizes, seeds) standard normal effects that correlate between sizes."""
    shared, own = rng.standard_normal(shape), rng.standard_normal((len(world.sizes), *shape))
    return math.sqrt(world.carried) * shared + math.sqrt(1 - world.carried) * own


def _cell(world, level, base, groups, sizes, arm, stage_of, rng) -> Cell:  # type: ignore[no-untyped-def]
    latent = level[:, None] + base + rng.standard_normal((len(level), groups.size)) * world.question_by_run
    scores, influence, _ = influence_of(*world.ratios(latent, sizes, rng), groups)
    if arm == ZERO:
        stages = tuple(range(len(level)))
        return Cell(scores, influence, tuple(("stage", k) for k in stages), stage=stages)
    seeds = tuple(range(len(level)))
    stage = tuple(int(k) for k in stage_of) if arm == SOURCE else ()
    return Cell(scores, influence, seeds, subset=seeds, train=seeds, stage=stage)


def _truth(world: World, stage: np.ndarray | None, stage_of: np.ndarray) -> Truth:
    scores: dict[Key, float] = {}
    for arm, size in [(ZERO, 0), *((arm, size) for size in world.sizes for arm in (SOURCE, TARGET))]:
        if arm == TARGET or stage is None:
            scores[arm, size] = expected_score(world, arm, size, 0.0, True)
            continue
        weights = np.bincount(stage_of, minlength=len(stage)) / len(stage_of) if arm == SOURCE else 1 / len(stage)
        means = [expected_score(world, arm, size, s * world.stage_spread(size), False) for s in stage]
        scores[arm, size] = float(np.sum(np.array(means) * weights))
    return Truth(scores)


def estimate(study: Study, world: World, wanted: Sequence[str] = QUANTITIES) -> Iterator[tuple[str, Interval]]:
    """What a report gives with an interval, by the functions of the report."""
    curve, last = TargetCurve(study, world.sizes), world.sizes[-1]
    if "N0" in wanted:
        yield "N0", curve.size_at({(ZERO, 0): 1.0})
    for size in world.sizes:
        if "gain" in wanted:
            yield f"gain@{size}", study.interval({(SOURCE, size): 1.0, (TARGET, size): -1.0})
        if "worth" in wanted:
            found = curve.size_at({(SOURCE, size): 1.0})
            yield f"worth@{size}", Interval(found.value - size, found.low - size, found.high - size)
        gap = {(TARGET, last): 1.0, (ZERO, 0): -1.0}
        if "gap" in wanted and size in world.sizes[:2]:
            yield f"gap@{size}", ratio_interval(study, {(SOURCE, size): 1.0, (ZERO, 0): -1.0}, gap)


def measure(
    world: World, seeds: int, stages: int, studies: int, wanted: Sequence[str] = QUANTITIES
) -> list[dict[str, object]]:
    """Coverage, width and share of open intervals, one row a quantity and estimand; over all sizes together."""
    rng = np.random.default_rng([seeds, stages, *world.name.encode()])
    found: dict[tuple[str, str], list[tuple[bool, float, bool, bool]]] = {}
    for _ in range(studies):
        cells, truths = draw_study(world, seeds, stages, rng)
        for estimand in ("given", "other"):
            # With one stage nothing is known of others: the interval given it is judged by the wider truth.
            if estimand == "given" or stages > 1:
                made = list(estimate(Study(cells, estimand), world, wanted))
            for quantity, interval in made:
                truth = truths[estimand].value(world, quantity)
                found.setdefault((estimand, quantity.partition("@")[0]), []).append(_judge(interval, truth))
    rows: list[dict[str, object]] = []
    for (estimand, quantity), each in found.items():
        covered, widths, one_sided, unknown = (np.array(column) for column in zip(*each, strict=True))
        row: dict[str, object] = {"world": world.name, "seeds": seeds, "stages": stages, "estimand": estimand}
        row |= {"quantity": quantity, "studies": studies, "covered": round(float(covered.mean()), 4)}
        # A median, because an interval beyond the largest size is infinitely wide.
        row |= {"half_width": round(float(np.median(widths)), 3), "one_sided": round(float(one_sided.mean()), 3)}
        rows.append(row | {"not_determined": round(float(unknown.mean()), 3)})
    return rows


def _judge(interval: Interval, truth: float) -> tuple[bool, float, bool, bool]:
    """Whether the interval contains the truth, its half width, whether it is open to one side, or not determined.

    What is not determined excludes nothing, so it contains every truth.
    """
    if not interval.is_determined:
        return True, math.inf, False, True
    one_sided = math.isinf(interval.low) or math.isinf(interval.high)
    width = math.inf if one_sided else (interval.high - interval.low) / 2
    return interval.low <= truth <= interval.high, width, one_sided, False


def write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--worlds", default=",".join(WORLDS), help="a comma list")
    parser.add_argument("--designs", default="", help="seeds x stages, as 3x1,6x3; each world's own without it")
    parser.add_argument("--quantities", default=",".join(QUANTITIES), help="a comma list")
    given = parser.parse_args()
    chosen = [tuple(int(count) for count in design.split("x")) for design in given.designs.split(",") if design]
    rows: list[dict[str, object]] = []
    begin = time.monotonic()
    for name in given.worlds.split(","):
        designs = DESIGNS if name == SWAHILI.name else FEWER_DESIGNS.get(name, SOME_DESIGNS)
        for seeds, stages in chosen or designs:
            rows += measure(WORLDS[name], seeds, stages, given.studies, given.quantities.split(","))
            write_csv(given.out / "coverage.csv", rows)
            own = [r for r in rows if (r["world"], r["seeds"], r["stages"]) == (name, seeds, stages)]
            shown = ", ".join(f"{r['quantity']} ({r['estimand']}) {r['covered']:.1%}" for r in own)
            print(
                f"{name}, {seeds} seeds, {stages} stages: {shown} ({time.monotonic() - begin:.0f} s)",
                file=sys.stderr,
            )


if __name__ == "__main__":
    main()
