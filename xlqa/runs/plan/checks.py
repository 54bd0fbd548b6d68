"""Warnings before a sweep starts: settings that are allowed but probably not meant.

xlqa sweep --lang ru --model multilingual-e5-small --dry-run
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xlqa.errors import XlqaError
from xlqa.runs.plan.planner import LoadedSet, Plan
from xlqa.runs.specs import EncoderRef, EvalSpec
from xlqa.tasks.base import get_task

SAMPLE = 1000
"""Answers of a test set that are measured, at most."""

ALLOWED = 0.02
"""Share of a test set's questions that may be lost to --max-answer-length without a word."""


def find_warnings(plan: Plan) -> list[str]:
    """A line for each thing that the user should know, or change, before the sweep starts."""
    return [*plan.notes, *slow_precision(plan), *long_answers(plan), *subsets_of_one_label(plan)]


def subsets_of_one_label(plan: Plan) -> list[str]:
    """A line for each size whose target subsets have one label only, for some seed: nothing can be learned from them."""
    from xlqa.data.subsets import permute_questions, split_validation

    task = get_task(plan.request.task)
    orders: dict[tuple[str, int], list[Any]] = {}
    found: dict[tuple[str, int], set[int]] = {}
    for spec, _ in plan.runs:
        if spec.target is None or len(spec.common.labels) < 2:
            continue
        key = (spec.target.sha256, spec.seed)
        if key not in orders:
            examples, _ = split_validation(plan.sets[spec.target.sha256].questions, spec.valid_size, 0)
            orders[key] = permute_questions(examples, spec.seed, spec.subset_by)
        if len({label for example in orders[key][: spec.size] for label in task.labels_of(example)}) == 1:
            found.setdefault((spec.target.name, spec.size), set()).add(spec.seed)
    return [
        f"{name}, N = {size:,}: the subset of seed {', '.join(map(str, sorted(seeds)))} has one label only, so that nothing can "
        "be learned from it: raise --sizes."
        for (name, size), seeds in sorted(found.items())
    ]


def slow_precision(plan: Plan) -> list[str]:
    """A line where --precision asks for arithmetic that the device does not have, and so emulates slowly."""
    from xlqa.training.devices import resolve_device, resolve_precision

    request = plan.request
    if request.precision != "bf16" or request.launcher != "local":
        return []
    device = resolve_device(request.device)
    if resolve_precision("auto", device) == "bf16":
        return []
    return [
        f"--precision bf16: this {'GPU' if device.startswith('cuda') else 'processor'} has no bfloat16 arithmetic, so training is "
        "many times slower than with --precision fp32, which auto would choose."
    ]


def long_answers(plan: Plan) -> list[str]:
    """A line for each test set that has many answers longer than any prediction of an encoder may be.

    A vocabulary that falls apart into letters makes a short answer long: 30 pieces, which suit the encoder's own languages,
    then put a lid on every score. Encoders without a tokenizer.json are left out.
    """
    if plan.request.task != "qa":
        return []
    pairs = {
        (spec.encoder.sha256, test.data.sha256): (spec.encoder, test) for spec, evals in plan.runs for test in evals
    }
    lines = [_long_answers(encoder, test, plan.sets[test.data.sha256]) for encoder, test in pairs.values()]
    return [line for line in lines if line]


def _long_answers(encoder: EncoderRef, test: EvalSpec, loaded: LoadedSet) -> str:
    shortest = _shortest(encoder.folder, loaded)
    share = float((shortest > test.max_answer_length).mean()) if shortest.size else 0.0
    if share <= ALLOWED:
        return ""
    wanted = 10 * -(-int(np.quantile(shortest, 0.99)) // 10)
    return (
        f"{share:.0%} of {test.data.name}'s answers are longer than {test.max_answer_length:,} pieces of {encoder.name}, and no "
        f"prediction is: raise --max-answer-length ({wanted:,} holds all but 1 %)."
    )


def _shortest(folder: Path, loaded: LoadedSet) -> npt.NDArray[np.int64]:
    """Pieces of each question's shortest answer; nothing where the encoder's tokenizer can't be read."""
    from xlqa.tasks.qa.stats import load_cutter, shortest_answers

    try:
        cutter = load_cutter(str(folder))
    except XlqaError:
        return np.zeros(0, dtype=np.int64)
    answered = [question for question in loaded.questions if question.answers]
    chosen = answered[:: max(1, len(answered) // SAMPLE)]
    counts, _ = cutter.count([answer.text for question in chosen for answer in question.answers])
    return shortest_answers(chosen, counts)
