"""Warnings before a sweep starts: settings that are allowed but probably not meant.

xlqa sweep --lang ru --model multilingual-e5-small --dry-run
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xlqa.errors import XlqaError
from xlqa.runs.plan.planner import LoadedSet, Plan
from xlqa.runs.specs import EncoderRef, EvalSpec
from xlqa.tasks.base import Task, get_task
from xlqa.util.text import plain

SAMPLE = 1000
"""Answers of a test set that are measured, at most."""

ALLOWED = 0.02
"""Share of a test set's questions that may be lost to --max-answer-length without a warning."""


WRONG = 0.05
"""Share of a test set's answers that may come back wrong from a tokenizer without a warning."""


def find_warnings(plan: Plan) -> list[str]:
    """A line for each thing that the user should know, or change, before the sweep starts.

    Raises:
        XlqaError: a tokenizer's offsets leave out letters of answers, so that no model could learn or give them.
    """
    if plan.request.task != "qa":
        return [*plan.notes, *untested_encoders(plan), *slow_precision(plan), *label_notes(plan)]
    return [
        *plan.notes, *untested_encoders(plan), *slow_precision(plan), *data_notes(plan), *unanswerable_notes(plan),
        *tokenizer_notes(plan), *long_answers(plan),
    ]  # fmt: skip


def untested_encoders(plan: Plan) -> Iterable[str]:
    """A line for each encoder of an architecture that xlqa's tests do not train."""
    from xlqa.training.architecture import untested_architecture

    for encoder in plan.encoders():
        if kind := untested_architecture(encoder.folder):
            yield f"{encoder.name}: xlqa is not tested with the architecture {kind}: train one run before the whole sweep."


def data_notes(plan: Plan) -> list[str]:
    """What counts in scores only, what repeats, and what of the test sets is in the train parts."""
    lines: list[str] = []
    for loaded in plan.sets.values():
        lines += _set_notes(loaded)
    pairs = {
        (test.data.sha256, test.overlap_with.sha256): (test.data.name, test.overlap_with.name)
        for _, evals in plan.runs
        for test in evals
        if test.overlap_with
    }
    for (test, train), names in pairs.items():
        lines += _overlap_notes(plan.sets[test], plan.sets[train], *names)
    return lines


def unanswerable_notes(plan: Plan) -> list[str]:
    """A line for the data sets without unanswerable questions, and one for a threshold that nothing chooses."""
    if not plan.request.unanswerable:
        return []
    bare = [loaded.ref.name for loaded in plan.sets.values() if not loaded.unanswerable]
    lines = [f"--unanswerable: {', '.join(bare)}: no unanswerable questions in it."] if bare else []
    if not plan.request.valid_size:
        lines.append(
            "--unanswerable: the no-answer threshold is 0: --valid-size N chooses it on N validation questions."
        )
    return lines


def _set_notes(loaded: LoadedSet) -> Iterable[str]:
    from xlqa.tasks.qa.languages import foreign_script
    from xlqa.tasks.qa.overlap import count_repeated

    name, total = loaded.ref.name, len(loaded.questions)
    if loaded.untrainable:
        yield (
            f"{loaded.untrainable:,} of {total:,} questions of {name} have no answer with a place in the paragraph: they count in its "
            "scores anyway, as in the official scripts (`xlqa data check`)."
        )
    if repeated := count_repeated(loaded.questions):
        yield f"{repeated:,} of {total:,} questions of {name} repeat an earlier one (the same words on the same paragraph)."
    if not loaded.ref.set_name and (script := foreign_script(loaded.questions, loaded.ref.language)):
        yield (
            f"{name}: most letters of its paragraphs are {script.title()}, and it is taken for {loaded.ref.language} and scored by "
            f"{loaded.ref.scorer}. If it is in another language, name that, such as --target-test de=FILE."
        )


def _overlap_notes(test: LoadedSet, train: LoadedSet, test_name: str, train_name: str) -> Iterable[str]:
    from xlqa.tasks.qa.overlap import find_overlap

    overlap = find_overlap(train.questions, test.questions)
    if overlap.by_paragraph:
        yield (
            f"{len(overlap.by_paragraph):,} of {overlap.tested:,} questions of {test_name} have their paragraph in the train part "
            f"{train_name}, {len(overlap.asked):,} of them word for word: the table has the score without them too "
            "(f1_without_overlap)."
        )


def _test_pairs(plan: Plan) -> list[tuple[EncoderRef, EvalSpec]]:
    """Every encoder with every test set that it is scored on."""
    pairs = {
        (spec.encoder.sha256, test.data.sha256): (spec.encoder, test) for spec, evals in plan.runs for test in evals
    }
    return list(pairs.values())


def tokenizer_notes(plan: Plan) -> list[str]:
    """A line for each test set whose gold answers a tokenizer does not give back. Encoders without a tokenizer.json are left out.

    Raises:
        XlqaError: letters of many answers belong to no piece of the tokenizer.
    """
    from xlqa.tasks.qa.oracle import describe_wrong, score_labels
    from xlqa.tasks.qa.stats import load_tokenizer

    lines = []
    for encoder, test in _test_pairs(plan):
        try:
            tokenizer = load_tokenizer(str(encoder.folder)).backend
        except XlqaError:
            continue
        found = score_labels(
            tokenizer, [q for q in plan.sets[test.data.sha256].questions if q.gold_texts], max_length=plan.request.max_length,
            stride=plan.request.stride, max_answer_length=test.max_answer_length, scorer=test.data.scorer, most=SAMPLE,
        )  # fmt: skip
        if found.wrong <= WRONG * found.questions:
            continue
        line = f"{describe_wrong(found)} under the tokenizer of {encoder.name}"
        if found.holes > WRONG * found.questions:
            raise XlqaError(
                f"{test.data.name}: of {found.questions:,} questions {line}. Its offsets are wrong: no model could reach more than "
                f"EM {found.em:.1f}. Choose another encoder, or repair the pre-tokenizer in its tokenizer.json."
            )
        lines.append(
            f"{test.data.name}: of {found.questions:,} questions {line}: no model can reach more than EM {found.em:.1f}, "
            f"F1 {found.f1:.1f} ({found.scorer})."
        )
    return lines


def label_notes(plan: Plan) -> list[str]:
    """A line for each label that the source data or target subsets lack, and for subsets that have one label only."""
    task = get_task(plan.request.task)
    sets = {sha: _label_names(task, loaded.questions) for sha, loaded in plan.sets.items()}
    tested = {spec.target.sha256: _tested(sets, evals) for spec, evals in plan.runs if spec.target}
    lines = [
        f"{spec.stage.data.name} never has the label {plain(', '.join(absent), 80)} of the test sets: zero-shot cannot predict it."
        for spec, evals in plan.runs
        if spec.is_zero_shot and spec.stage
        if (absent := sorted(_tested(sets, evals) - sets[spec.stage.data.sha256]))
    ]
    single: dict[tuple[str, int], set[int]] = {}
    lacking: dict[tuple[str, int], dict[str, set[int]]] = {}
    for (target, name, size, seed), found in _subset_labels(plan, task).items():
        if len(found) == 1:
            single.setdefault((name, size), set()).add(seed)
        for label in tested[target] - found if len(found) > 1 else ():
            lacking.setdefault((name, size), {}).setdefault(label, set()).add(seed)
    lines += [
        f"{name}, N = {size:,}: the subset of seed {_listed(seeds)} has one label only, so that nothing can be learned from it: raise "
        "--sizes."
        for (name, size), seeds in sorted(single.items())
    ]
    lines += [
        f"{name}, N = {size:,}: the subsets of seed {_listed(set().union(*labels.values()))} lack some labels of the test sets, which "
        f"target-only training then cannot learn: {plain(', '.join(sorted(labels)), 80)}."
        for (name, size), labels in sorted(lacking.items())
    ]
    return list(dict.fromkeys(lines))


def _listed(seeds: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(seeds)))


def _label_names(task: Task[Any], examples: Iterable[Any]) -> frozenset[str]:
    """The labels of some examples: entity types, tags, labels."""
    labels = {label for example in examples for label in task.labels_of(example)}
    return frozenset(task.tag_of(label) or label for label in labels)


def _tested(sets: Mapping[str, frozenset[str]], evals: Iterable[EvalSpec]) -> frozenset[str]:
    return frozenset[str]().union(*(sets[test.data.sha256] for test in evals if test.split == "test"))


def _subset_labels(plan: Plan, task: Task[Any]) -> dict[tuple[str, str, int, int], frozenset[str]]:
    """The labels of each target subset, by target's SHA-256 and name, size and seed."""
    from xlqa.data.subsets import permute_questions, split_validation

    orders: dict[tuple[str, int], list[Any]] = {}
    found: dict[tuple[str, str, int, int], frozenset[str]] = {}
    for spec, _ in plan.runs:
        if spec.target is None or len(spec.common.labels) < 2:
            continue
        key = (spec.target.sha256, spec.target.name, spec.size, spec.seed)
        order = (spec.target.sha256, spec.seed)
        if order not in orders:
            examples, _ = split_validation(plan.sets[spec.target.sha256].questions, spec.valid_size, 0)
            orders[order] = permute_questions(examples, spec.seed, spec.subset_by)
        if key not in found:
            found[key] = _label_names(task, orders[order][: spec.size])
    return found


def slow_precision(plan: Plan) -> list[str]:
    """A line where --precision asks for arithmetic that the device does not have, and so emulates slowly."""
    from xlqa.training.devices import resolve_device, resolve_precision

    request = plan.request
    if request.precision not in ("bf16", "fp16") or request.launcher != "local":
        return []
    device = resolve_device(request.device)
    on_gpu, better = device.startswith("cuda"), resolve_precision("auto", device)
    if request.precision == better or (on_gpu and better == "bf16"):
        return []
    word = "bfloat16" if request.precision == "bf16" else "fast float16"
    return [
        f"--precision {request.precision}: this {'GPU' if on_gpu else 'processor'} has no {word} arithmetic, so training is "
        f"many times slower than with --precision {better}, which auto would choose."
    ]


def long_answers(plan: Plan) -> list[str]:
    """A line for each test set that has many answers longer than any prediction of an encoder may be.

    A vocabulary that splits words into letters makes a short answer long: 30 pieces, which suit the encoder's own languages,
    then limit every score. Encoders without a tokenizer.json are left out.
    """
    lines = [_long_answers(encoder, test, plan.sets[test.data.sha256]) for encoder, test in _test_pairs(plan)]
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
    from xlqa.tasks.qa.stats import load_tokenizer, shortest_answers

    try:
        tokenizer = load_tokenizer(str(folder))
    except XlqaError:
        return np.zeros(0, dtype=np.int64)
    answered = [question for question in loaded.questions if question.answers]
    chosen = answered[:: max(1, len(answered) // SAMPLE)]
    counts, _ = tokenizer.count([answer.text for question in chosen for answer in question.answers])
    return shortest_answers(chosen, counts)
