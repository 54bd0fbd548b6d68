"""Scoring a kept model on another test set: English, say, to see what is forgotten.

xlqa evaluate runs/<run_id> --test squad.dev
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xlqa.components.session import SESSION
from xlqa.data.reading import read_dataset
from xlqa.data.sources import resolve
from xlqa.errors import XlqaError
from xlqa.records import RESULT_COLUMNS, DataRef
from xlqa.runs.config import data_suffix, read_config
from xlqa.runs.execute import execute
from xlqa.runs.files import write_json
from xlqa.runs.layout import Layout, RunFolder
from xlqa.runs.prepare import copy_whole
from xlqa.runs.specs import Common, EvalSpec
from xlqa.runs.store import is_trained, read_result, write_results


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

    Errors:
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
    added, eval_id = _with_test(config, ref, test_size)
    if read_result(folder.evaluation(eval_id)) is None:
        suffix = data_suffix(ref.path)
        copy_whole(ref.path, folder.root / Layout(Path()).data_file(ref.name, ref.sha256, suffix), ref.sha256)
        write_json(folder.config, added)
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
            f"{folder.path} has no weights: they were not kept. Run the sweep again with --keep all, or choose another run."
        )


def _with_test(config: dict[str, Any], ref: DataRef, test_size: int | None) -> tuple[dict[str, Any], str]:
    """A config with one more evaluation target, and that evaluation's id."""
    facts = config["metadata"]["xlqa"]
    some = next(iter(facts["evaluations"].values()))["row"]
    reader, windows = config["dataset_reader"], config["chainer"]["pipe"][0]
    skip_bad = bool((reader["tests"] or [{}])[0].get("skip_bad"))
    common = Common(windows["max_length"], windows["stride"], str(some["precision"]), skip_bad)
    longest = config["chainer"]["pipe"][1]["max_answer_length"]
    taken = set(facts["evaluations"])
    target = next(name for i in range(1, 10_000) if (name := f"test_{i + 1}") not in taken)
    spec = EvalSpec(target, ref, test_size, longest)
    eval_id = spec.eval_id(common)
    known = [name for name, e in facts["evaluations"].items() if e["eval_id"] == eval_id]
    if known:
        return config, eval_id
    row = some | {
        "test": ref.name, "split": "test", "test_sha256": ref.sha256, "test_size": test_size, "scorer": ref.scorer,
        "eval_id": eval_id, "source_overlap": None, "train_overlap": None, "f1_without_overlap": None,
        "em_without_overlap": None,
    }  # fmt: skip
    facts["evaluations"][target] = {"eval_id": eval_id, "overlap_with": None, "row": row}
    path = "{ROOT}/" + Layout(Path()).data_file(ref.name, ref.sha256, data_suffix(ref.path))
    entry = {"name": ref.name, "path": path, "sha256": ref.sha256, "language": ref.language, "scorer": ref.scorer}
    reader["tests"].append(entry | {"target": target, "size": test_size} | ({"skip_bad": True} if skip_bad else {}))
    config["train"]["evaluation_targets"].append(target)
    return config, eval_id


def show_row(row: dict[str, Any]) -> str:
    """One line on an evaluation."""
    return (
        f"{row['run_id']} on {row['test']}: F1 {row['f1']:.2f}, EM {row['em']:.2f} ({row['scorer']}; "
        f"SQuAD F1 {row['squad_f1']:.2f}, EM {row['squad_em']:.2f}; {row['questions']:,} questions)"
    )
