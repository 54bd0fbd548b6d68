"""Scoring a kept model on another test set, for example on English to see what it forgot.

xlqa evaluate runs/<run_id> --test squad.dev
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.records import NO_ANSWER_METRICS, TASK_METRICS, TASK_SCORERS, THRESHOLD, DataRef
from xlqa.runs.execute.progress import listener_of
from xlqa.runs.execute.run import execute
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.plan.cost import describe_unanswerable
from xlqa.runs.specs import Common, EvalSpec
from xlqa.runs.store.config import data_entry, place_data
from xlqa.runs.store.results import read_result, refuse_without_weights, task_of
from xlqa.runs.store.rows import test_hash
from xlqa.runs.store.run_config import Evaluation, TestEntry, read_config, write_config
from xlqa.runs.store.setup import copy_whole, preparing
from xlqa.runs.store.table import check_tables, write_results
from xlqa.settings import column_names
from xlqa.tasks.base import get_task
from xlqa.tasks.qa.scorers import with_unanswerable
from xlqa.tasks.renaming import ColumnNames
from xlqa.tasks.sources import resolve, settle_language


def evaluate_run(
    folder: RunFolder,
    test: str,
    language: str,
    *,
    test_size: int | None = None,
    device: str = "auto",
    data_dir: Path | None = None,
    columns: Mapping[str, str] | Sequence[str] | str = (),
) -> dict[str, Any]:
    """Score a run's kept weights on a test set; adds the evaluation to the run and its row to the table.

    Args:
        folder: of a run whose weights were kept; a zero-shot run uses those of its source stage.
        test: registered name or file; language: of a local file whose bytes do not give it.
        columns: as the setting of a sweep.

    Returns:
        the row of results.csv.

    Raises:
        XlqaError: there are no weights, or the test set cannot be read.
    """
    config = read_config(folder)
    config.refuse_links(folder)
    if folder.is_source:
        raise XlqaError(f"{folder.path} is a source stage: evaluate its zero-shot run (size 0) below runs/ instead.")
    refuse_without_weights(folder, config)
    check_tables(Layout(folder.root))
    task = get_task(config.task)
    names = ColumnNames(task.name, column_names(columns, task.name))
    ref = resolve(test, language=language, data_dir=data_dir, columns=names)
    names.refuse_unseen()
    options: dict[str, Any] = {"language": ref.language, "skip_bad": config.skip_bad, "map_tags": config.map_tags,
                               "unanswerable": config.unanswerable}  # fmt: skip
    dataset = task.load(ref.path, to_score=True, **options)
    examples = dataset.examples
    if task.name == "qa":
        ref = settle_language(ref, examples)
    if dataset.unanswerable and not config.unanswerable:
        counts = {ref.name: (dataset.unanswerable, dataset.unanswerable + len(examples))}
        print(*describe_unanswerable(counts), sep="\n", file=sys.stderr)
    ref = replace(ref, scorer=TASK_SCORERS.get(task.name, ref.scorer))
    ref = replace(ref, scorer=with_unanswerable(ref.scorer)) if config.unanswerable else ref
    if test_size is not None and test_size > len(examples):
        raise XlqaError(f"{ref.name} has {len(examples):,} {task.unit}s, {test_size:,} requested: lower --test-size.")
    if foreign := sorted(set(task.label_set(examples)) - set(config.labels)) if config.labels else []:
        raise XlqaError(f"{ref.name} has the label {foreign[0]}, which this run does not know: take another set.")
    eval_id = _add_test(folder, ref, test_size, dataset.by_file)
    if read_result(folder.evaluation(eval_id)) is None:
        copy_whole(ref.path, folder.root / place_data(ref), ref.sha256)
        execute(folder, keep=True, listen=listener_of(folder.path), device=device)
    record = read_result(folder.evaluation(eval_id))
    if record is None:
        raise XlqaError(f"{folder.evaluation(eval_id)} was not written: see {folder.log}.")
    write_results(Layout(folder.root))
    return dict(record.row)


def _add_test(folder: RunFolder, ref: DataRef, test_size: int | None, by_file: bool) -> str:
    """Add a test set to a run's config, unless it is there; returns the evaluation's id."""
    with preparing(Layout(folder.root)):
        config = read_config(folder)
        row = dict(config.first_row)
        common = Common(
            config.max_length,
            config.stride,
            config.precision,
            config.skip_bad,
            config.task,
            config.labels,
            config.map_tags,
            config.unanswerable,
        )
        home = str(row["lang"])
        spec = EvalSpec("test", ref, test_size, config.max_answer_length, home=home, by_file=by_file)
        eval_id = spec.eval_id(common)
        sha256 = test_hash(ref.sha256, config.unanswerable)
        evaluation = Evaluation(eval_id, None, _row(row, replace(ref, sha256=sha256), test_size, eval_id))
        if evaluation.digest not in config.digests:
            test = TestEntry("test", data_entry(ref, common), test_size)
            write_config(folder, config.add_evaluation(evaluation, test))
    return eval_id


def _row(some: dict[str, Any], ref: DataRef, test_size: int | None, eval_id: str) -> dict[str, Any]:
    """The row of another evaluation of the same run."""
    unknown = [name for name in some if name.endswith("_overlap")]
    return some | dict.fromkeys(unknown) | {
        "test": ref.name, "split": "test", "test_sha256": ref.sha256, "test_size": test_size, "scorer": ref.scorer,
        "eval_id": eval_id,
    }  # fmt: skip


def show_row(row: dict[str, Any]) -> str:
    """One line on an evaluation."""
    if (task := task_of(row)) != "qa":
        known = (f"{name} {row[name]:.2f}" for name in TASK_METRICS[task] if row[name] is not None)
        return f"{row['run_id']} on {row['test']}: {', '.join(known)} ({row['questions']:,} {get_task(task).unit}s)"
    if THRESHOLD in row:
        parts = {name: "–" if row[name] is None else f"{row[name]:.2f}" for name in NO_ANSWER_METRICS}
        return (
            f"{row['run_id']} on {row['test']}: F1 {row['f1']:.2f}, EM {row['em']:.2f} ({row['scorer']}; F1 with an answer "
            f"{parts['has_answer_f1']}, without {parts['no_answer_f1']}, threshold {row[THRESHOLD]:.3g}; "
            f"{row['questions']:,} questions, {row['unanswerable']:,} unanswerable)"
        )
    return (
        f"{row['run_id']} on {row['test']}: F1 {row['f1']:.2f}, EM {row['em']:.2f} ({row['scorer']}; "
        f"SQuAD F1 {row['squad_f1']:.2f}, EM {row['squad_em']:.2f}; {row['questions']:,} questions)"
    )
