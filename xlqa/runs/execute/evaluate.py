"""Scoring a kept model on another test set: English, say, to see what is forgotten.

xlqa evaluate runs/<run_id> --test squad.dev
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.records import RESULT_COLUMNS, DataRef
from xlqa.runs.execute.run import execute
from xlqa.runs.paths import Layout, RunFolder
from xlqa.runs.specs import Common, EvalSpec
from xlqa.runs.store.config import data_entry, data_suffix, read_config, write_config
from xlqa.runs.store.results import is_trained, read_result, write_results
from xlqa.runs.store.setup import add_evaluation, copy_whole, preparing
from xlqa.tasks.qa.reading import read_dataset
from xlqa.tasks.sources import resolve
from xlqa.training.context import SESSION


def evaluate_run(
    folder: RunFolder,
    test: str,
    language: str,
    *,
    test_size: int | None = None,
    device: str = "auto",
    data_dir: Path | None = None,
) -> dict[str, Any]:
    """Score a run's kept weights on a test set; the evaluation joins the run's others and the table.

    Args:
        folder: a run's; its weights must be there (a zero-shot run's are its source stage's).
        test: registered name or file; language: of a local file.

    Returns:
        the row of results.csv.

    Raises:
        XlqaError: no weights, or a test set that cannot be read.
    """
    config = read_config(folder.config)
    if folder.is_source:
        raise XlqaError(f"{folder.path} is a source stage: evaluate its zero-shot run (size 0) below runs/ instead.")
    _refuse_without_weights(folder, config)
    ref = resolve(test, language=language, data_dir=data_dir)
    questions = read_dataset(ref.path, language=language).questions
    if test_size is not None and test_size > len(questions):
        raise XlqaError(f"{ref.name} has {len(questions):,} questions, {test_size:,} requested: lower --test-size.")
    eval_id = _add_test(folder, ref, test_size)
    if read_result(folder.evaluation(eval_id)) is None:
        suffix = data_suffix(ref.path)
        copy_whole(ref.path, folder.root / Layout(Path()).data_file(ref.name, ref.sha256, suffix), ref.sha256)
        execute(folder, keep=True, listen=SESSION.listen, device=device)
    record = read_result(folder.evaluation(eval_id))
    if record is None:
        raise XlqaError(f"{folder.evaluation(eval_id)} was not written: see {folder.log}.")
    write_results(Layout(folder.root))
    return {column: record["row"][column] for column in RESULT_COLUMNS}


def _refuse_without_weights(folder: RunFolder, config: dict[str, Any]) -> None:
    zero_shot = config["dataset_iterator"]["train_size"] == 0
    source = config["chainer"]["pipe"][1]["source"]
    there = (
        (Path(str(source).replace("{ROOT}", str(folder.root))) / "config.json").is_file()
        if zero_shot
        else is_trained(folder)
    )
    if not there:
        raise XlqaError(
            f"{folder.path} has no weights: they were not kept. `xlqa run {folder.path} --keep` trains it again."
        )


def _add_test(folder: RunFolder, ref: DataRef, test_size: int | None) -> str:
    """Add a test set to a run's config, unless it is there; returns the evaluation's id."""
    with preparing(Layout(folder.root)):
        config = read_config(folder.config)
        evaluations, windows = config["metadata"]["xlqa"]["evaluations"], config["chainer"]["pipe"][0]
        some = next(iter(evaluations.values()))["row"]
        tests = config["dataset_reader"]["tests"]
        skip_bad = bool(tests and tests[0].get("skip_bad"))
        common = Common(windows["max_length"], windows["stride"], str(some["precision"]), skip_bad)
        spec = EvalSpec("test", ref, test_size, config["chainer"]["pipe"][1]["max_answer_length"])
        eval_id = spec.eval_id(common)
        digest = eval_id.rsplit("-", 1)[1]
        if not any(e["eval_id"].endswith(f"-{digest}") for e in evaluations.values()):
            entry = data_entry(ref, skip_bad) | {"size": test_size}
            add_evaluation(
                config, {"eval_id": eval_id, "overlap_with": None, "row": _row(some, ref, test_size, eval_id)}, entry
            )
            write_config(folder.config, config)
    return eval_id


def _row(some: dict[str, Any], ref: DataRef, test_size: int | None, eval_id: str) -> dict[str, Any]:
    """The row of another evaluation of the same run."""
    return some | {
        "test": ref.name, "split": "test", "test_sha256": ref.sha256, "test_size": test_size, "scorer": ref.scorer,
        "eval_id": eval_id, "source_overlap": None, "train_overlap": None, "f1_without_overlap": None,
        "em_without_overlap": None,
    }  # fmt: skip


def show_row(row: dict[str, Any]) -> str:
    """One line on an evaluation."""
    return (
        f"{row['run_id']} on {row['test']}: F1 {row['f1']:.2f}, EM {row['em']:.2f} ({row['scorer']}; "
        f"SQuAD F1 {row['squad_f1']:.2f}, EM {row['squad_em']:.2f}; {row['questions']:,} questions)"
    )
