"""Tuning before a sweep: each arm's learning rate, epochs and steps, chosen on the target's validation part.

The combinations of a small grid are trained at one size and scored on the examples that `--valid-size` sets apart, never on
a test set. The task's leading metric chooses. They are ordinary runs of the sweep's folder, so a stopped tuning resumes.
tuning.csv records what was chosen.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any

from xlqa.errors import XlqaError
from xlqa.records import TASK_METRICS, Arm
from xlqa.runs.plan.planner import Plan, kept_runs
from xlqa.runs.specs import Hyper, RunSpec
from xlqa.runs.store.results import read_result
from xlqa.util.csvfile import csv_text
from xlqa.util.files import write_text

FACTS = ("lang", "arm", "size", "seeds", "lr", "epochs", "min_steps", "valid_questions")

Group = tuple[str, Arm]


@dataclass(frozen=True, slots=True)
class Trial:
    """A combination of settings with its scores on the validation part.

    Attributes:
        scores: metric -> one score for each seed, the leading metric first; NaN where it is undefined.
    """

    hyper: Hyper
    scores: Mapping[str, tuple[float, ...]]

    @property
    def leading(self) -> str:
        """The metric that chooses."""
        return next(iter(self.scores))

    @property
    def mean(self) -> float:
        """Of the leading metric over the seeds; NaN where one of them is undefined."""
        return fmean(self.scores[self.leading])

    def columns(self) -> dict[str, Any]:
        """Its part of a row of tuning.csv; with one seed there is no standard deviation."""
        spread = len(self.scores[self.leading]) > 1 and not math.isnan(self.mean)
        return {
            "lr": self.hyper.lr, "epochs": self.hyper.epochs, "min_steps": self.hyper.min_steps,
            **{metric: _rounded(fmean(scores)) for metric, scores in self.scores.items()},
            f"{self.leading}_sd": _rounded(stdev(self.scores[self.leading])) if spread else None,
        }  # fmt: skip


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def metrics_of(task: str) -> tuple[str, ...]:
    """The metrics of tuning.csv, the leading one first: SQuAD's own of question answering are left out."""
    return tuple(metric for metric in TASK_METRICS[task] if not metric.startswith("squad_"))


def tuning_columns(task: str) -> tuple[str, ...]:
    """Of tuning.csv: a row per language, arm and combination. Scores are means over the seeds on the validation part."""
    leading, *more = metrics_of(task)
    return (*FACTS, leading, f"{leading}_sd", *more, "chosen")


def plan_tuning(plan: Plan) -> Plan:
    """The runs that tune a plan's arms: every combination of its grid, at one size, scored on the validation part.

    Source stages' weights stay even under `--keep none`: the sweep itself starts from them.
    """
    request = plan.request
    size, seeds = request.tune_size, request.seeds[: request.tune_seeds]
    if size is None:
        raise XlqaError("--tune needs --tune-size.")
    first = {(spec.language, spec.arm, spec.seed): (spec, evals) for spec, evals in reversed(plan.runs) if spec.hyper}
    combinations = [
        dict(zip(request.tune, values, strict=True)) for values in itertools.product(*request.tune.values())
    ]
    runs = [
        (
            replace(spec, size=size, hyper=replace(spec.hyper, **combination)),
            tuple(evaluation for evaluation in evals if evaluation.split == "valid"),
        )
        for (_, _, seed), (spec, evals) in reversed(first.items())
        if seed in seeds and spec.hyper
        for combination in combinations
    ]
    if not runs:
        raise XlqaError("--tune has nothing to tune: no arm is trained on target questions. Add a size to --sizes.")
    bare = replace(request, tune={}, keep="one")
    return replace(plan, request=bare, runs=tuple(runs), kept=frozenset())


def read_trials(tuning: Plan) -> dict[Group, list[Trial]]:
    """The scores of finished tuning runs, per language and arm, in the grid's order.

    Raises:
        XlqaError: a run is not finished.
    """
    scores: dict[tuple[Group, Hyper], list[Mapping[str, Any]]] = {}
    missing = 0
    for spec, (evaluation,) in tuning.runs:
        result = read_result(tuning.layout.run(spec.run_id).evaluation(evaluation.eval_id(spec.common)))
        if result is None:
            missing += 1
        elif spec.hyper:
            scores.setdefault(((spec.language, spec.arm), spec.hyper), []).append(result.row)
    if missing:
        raise XlqaError(
            f"{missing} of {len(tuning.runs)} tuning runs are not finished: the same command continues when they are."
        )
    trials: dict[Group, list[Trial]] = {}
    for (group, hyper), rows in scores.items():
        found = {
            metric: tuple(math.nan if row[metric] is None else float(row[metric]) for row in rows)
            for metric in metrics_of(tuning.request.task)
        }
        trials.setdefault(group, []).append(Trial(hyper, found))
    return trials


def choose(trials: list[Trial]) -> Trial:
    """The trial with the best mean of the leading metric; of equal ones the first in the grid's order.

    Raises:
        XlqaError: the metric is undefined in all of them.
    """
    known = [trial for trial in trials if not math.isnan(trial.mean)]
    if not known:
        raise XlqaError(
            f"--tune: {trials[0].leading} is undefined on the validation part, which has nothing to find: raise --valid-size."
        )
    return max(known, key=lambda trial: trial.mean)


def apply_choice(plan: Plan, trials: Mapping[Group, list[Trial]]) -> Plan:
    """The sweep with each arm's chosen settings."""

    def tuned(spec: RunSpec) -> RunSpec:
        return replace(spec, hyper=choose(trials[spec.language, spec.arm]).hyper) if spec.hyper else spec

    runs = tuple((tuned(spec), evals) for spec, evals in plan.runs)
    request = replace(plan.request, tune={})
    return replace(plan, request=request, runs=runs, kept=kept_runs(request, [spec for spec, _ in runs]))


def finish_tuning(plan: Plan, tuning: Plan) -> tuple[Plan, list[str]]:
    """Write tuning.csv, and return the sweep with the chosen settings and a line for each arm.

    Raises:
        XlqaError: a tuning run is not finished.
    """
    trials = read_trials(tuning)
    seeds = sorted({spec.seed for spec, _ in tuning.runs})
    facts = {
        "size": plan.request.tune_size,
        "valid_questions": plan.request.valid_size,
        "seeds": " ".join(map(str, seeds)),
    }
    rows, lines = [], []
    for (language, arm), found in trials.items():
        best = choose(found)
        about = facts | {"lang": language, "arm": arm.value}
        rows += [about | trial.columns() | {"chosen": "yes" if trial is best else "no"} for trial in found]
        chosen = ", ".join(f"{name} {getattr(best.hyper, name):g}" for name in plan.request.tune)
        metric = "F1" if best.leading == "f1" else best.leading
        lines.append(f"tuned {language} {arm}: {chosen} ({metric} {best.mean:.1f} on the validation part)")
    columns = tuning_columns(plan.request.task)
    write_text(plan.layout.root / "tuning.csv", csv_text(columns, rows))
    return apply_choice(plan, trials), lines
