"""`xlqa data check`, `stats` and `convert` for the tasks that implement them in `xlqa.tasks.base.Task`: all but question answering."""

from __future__ import annotations

import dataclasses
import gzip
import lzma
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from xlqa.cli import print_json
from xlqa.errors import XlqaError
from xlqa.util.tables import table_lines
from xlqa.util.text import counted, plain, printable

if TYPE_CHECKING:
    from xlqa.tasks.base import Dataset, Inspection, PieceCounts, Task
    from xlqa.tasks.renaming import ColumnNames

WINDOW = 128
"""Pieces of a window where none are given, as in a sweep of these tasks."""

LINES_SHOWN = 8
"""Lines of repairs that are named; the JSON has all."""

PACKERS = {".gz": lambda content: gzip.compress(content, mtime=0), ".xz": lzma.compress}


def task_of(files: Sequence[str], given: str, data_dir: Path | None = None) -> str:
    """The task of some files: the one that was given, or the one that all of them show.

    Raises:
        XlqaError: there is no such task, a file does not show its own, or two show different ones.
    """
    from xlqa.tasks.base import get_task
    from xlqa.tasks.detect import find_task

    if given:
        return get_task(given).name
    found = {name: find_task(name, data_dir) for name in files}
    first = next(iter(found))
    for name, task in found.items():
        if task != found[first]:
            raise XlqaError(f"{first} is of the task {found[first]}, {name} of {task}: name the task with --task.")
    return found[first]


def read_set(
    task: Task[Any], name: str, language: str, data_dir: Path | None, columns: ColumnNames, skip_bad: bool
) -> Dataset[Any]:
    """A data set by name or file; `columns` as `resolve` takes them.

    Raises:
        XlqaError: it is not here, or cannot be read.
    """
    from xlqa.tasks.sources import resolve

    ref = resolve(name, language=language, data_dir=data_dir, download=False, columns=columns)
    path = Path(name).expanduser()
    as_named = path.is_file() and path.resolve() == ref.path  # messages name the file as the user does
    return task.read(path if as_named else ref.path, language=language, skip_bad=skip_bad)


# --- check --------------------------------------------------------------------------------------------------------


def check(
    task: Task[Any], files: Sequence[str], language: str, columns: ColumnNames, show: int, data_dir: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Print what each file holds, what was repaired or refused, and what it has of the files before it."""
    reports: list[dict[str, Any]] = []
    seen: list[tuple[str, Dataset[Any]]] = []
    for name in files:
        report: dict[str, Any] = {"file": name, "task": task.name, "error": None, "refused": 0, "found_in": []}
        reports.append(report)
        try:
            dataset = read_set(task, name, language, data_dir, columns, True)
        except XlqaError as error:
            report["error"] = str(error)
            continue
        report |= _check_record(task, dataset)
        report["found_in"] = [_overlap(task, other, earlier, dataset) for other, earlier in seen]
        seen.append((name, dataset))
    if not any(report["error"] for report in reports):
        columns.refuse_unseen()
    if as_json:
        print_json(reports)
    else:
        _print_reports(task, reports, show)
    if any(report["refused"] or report["error"] for report in reports):
        raise typer.Exit(1)


def _check_record(task: Task[Any], dataset: Dataset[Any]) -> dict[str, Any]:
    found = task.inspect(dataset)
    return {
        "format": dataset.format, "sha256": dataset.sha256, **{key.replace(" ", "_"): n for key, n in found.counts.items()},
        "label_counts": dict(found.labels), "label_kind": found.label_kind, "repeated": found.repeated,
        "notes": list(found.notes), "repairs": dict(dataset.repairs), "repaired_at": dict(dataset.repaired_at),
        "refused": dataset.refused, "complaints": list(dataset.refusals), "counts": list(found.counts),
        "other_languages": dataset.other_languages,
    }  # fmt: skip


def _overlap(task: Task[Any], name: str, earlier: Dataset[Any], dataset: Dataset[Any]) -> dict[str, Any]:
    """How much of a data set is in an earlier one, and which labels that one lacks."""
    shared = task.overlap(earlier.examples, dataset.examples)
    foreign = set(task.label_set(dataset.examples)) - set(task.label_set(earlier.examples))
    return {"file": name, "any": len(shared), "of": len(dataset.examples), "other_labels": sorted(foreign)}


def _print_reports(task: Task[Any], reports: Sequence[dict[str, Any]], show: int) -> None:
    counts: list[str] = next((report["counts"] for report in reports if not report["error"]), [])
    rows = []
    for report in reports:
        name = plain(report["file"])
        if report["error"]:
            rows.append((name, "unusable", *[""] * len(counts), "", ""))
            continue
        numbers = (f"{report[key.replace(' ', '_')]:,}" for key in counts)
        rows.append(
            (name, report["format"], *numbers, f"{sum(report['repairs'].values()):,}", f"{report['refused']:,}")
        )
    for line in table_lines(("FILE", "FORMAT", *map(str.upper, counts), "REPAIRED", "REFUSED"), rows):
        print(line)
    for report in reports:
        if lines := _report_lines(task, report, show):
            print(f"\n{plain(report['file'])}")
            print("\n".join(f"  {plain(line)}" for line in lines))


def _report_lines(task: Task[Any], report: dict[str, Any], show: int) -> list[str]:
    if report["error"]:
        lines = str(report["error"]).splitlines()
        return [line.removeprefix(f"{report['file']}: ").removeprefix(f"{report['file']}, ") for line in lines]
    unit, total = f"{task.unit}s", report[report["counts"][0]]
    lines = [_labels_line(report["label_kind"], report["label_counts"])]
    for kind, count in report["repairs"].items():
        lines.append(f"{count:,} × {kind}{_places(report['repaired_at'].get(kind, ()))}")
    lines += report["notes"]
    if report["repeated"]:
        lines.append(f"{report['repeated']:,} of {total:,} {unit} repeat an earlier one word for word")
    for found in report["found_in"]:
        if found["any"]:
            share = found["any"] / max(1, found["of"])
            lines.append(
                f"{found['any']:,} of {found['of']:,} {unit} ({share:.1%}) are in {found['file']} word for word"
            )
        if found["other_labels"]:
            lines.append(f"labels that {found['file']} does not have: {', '.join(found['other_labels'])}")
    if report["other_languages"]:
        lines.append(f"left out {report['other_languages']:,} {unit} in other languages")
    lines += [f"refused: {complaint}" for complaint in report["complaints"][:show]]
    rest = report["refused"] - show
    return lines + ([f"refused: {rest:,} more (--show {report['refused']} shows all)"] if rest > 0 else [])


def _labels_line(kind: str, labels: dict[str, int]) -> str:
    total = max(1, sum(labels.values()))
    shown = ", ".join(f"{label} {count:,} ({count / total:.1%})" for label, count in labels.items())
    return f"{kind}s: {shown}" if shown else f"no {kind}"


def _places(lines: Sequence[int]) -> str:
    """Where a repair was made."""
    if not lines:
        return ""
    rest = len(lines) - LINES_SHOWN
    named = ", ".join(f"{line:,}" for line in lines[:LINES_SHOWN]) + (f" and {rest:,} more" if rest > 0 else "")
    return f" (line{'s' if len(lines) > 1 else ''} {named})"


# --- stats --------------------------------------------------------------------------------------------------------


def stats(
    task: Task[Any], files: Sequence[str], model: str, max_length: int | None, language: str, columns: ColumnNames,
    skip_bad: bool, data_dir: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Print counts, labels and lengths of each file, several side by side."""
    from xlqa.tasks.qa.stats import load_tokenizer

    tokenizer, window = load_tokenizer(model) if model else None, max_length or WINDOW
    found: list[tuple[Dataset[Any], Inspection, PieceCounts | None]] = []
    for name in files:
        dataset = read_set(task, name, language, data_dir, columns, skip_bad)
        if dataset.refused:
            print(f"xlqa: {counted(dataset.refused, task.unit)} left out (--skip-bad)", file=sys.stderr)
        pieces = None
        if tokenizer is not None:
            special = tokenizer.backend.num_special_tokens_to_add(len(task.inputs) > 1)
            pieces = task.measure(dataset.examples, tokenizer.count, special, window)
        found.append((dataset, task.inspect(dataset), pieces))
    columns.refuse_unseen()
    if as_json:
        documents = [_stats_record(task, name, *one) for name, one in zip(files, found, strict=True)]
        print_json(documents if len(files) > 1 else documents[0])
    elif len(files) > 1:
        _print_comparison(files, found, model, window)
    else:
        _print_stats(task, files[0], *found[0], model, window)


def _stats_record(
    task: Task[Any], name: str, dataset: Dataset[Any], found: Inspection, pieces: PieceCounts | None
) -> dict[str, Any]:
    from xlqa.tasks.qa.stats import QUANTILES, lengths

    measured = {**found.lengths, **(pieces.lengths if pieces else {})}
    record: dict[str, Any] = {
        "file": name, "task": task.name, "format": dataset.format, "refused": dataset.refused, "repeated": found.repeated,
        **{key.replace(" ", "_"): count for key, count in found.counts.items()},
        "label_counts": dict(found.labels), "quantiles": QUANTILES,
        "lengths": {key: dataclasses.asdict(lengths(values)) for key, values in measured.items()},
    }  # fmt: skip
    if pieces is not None:
        record["pieces"] = {"per_word": pieces.per_word, "unknown": pieces.unknown, "beyond_window": pieces.beyond}
    return record


def _print_stats(
    task: Task[Any], name: str, dataset: Dataset[Any], found: Inspection, pieces: PieceCounts | None, model: str, window: int
) -> None:  # fmt: skip
    from xlqa.tasks.qa.stats import QUANTILES, lengths

    print(f"{plain(name)} ({task.name}, {dataset.format})\n")
    for label, count in found.counts.items():
        print(f"{label:16}{count:,}")
    for note in (*found.notes, *((f"{found.repeated:,} repeat an earlier one",) if found.repeated else ())):
        print(plain(note))
    total = max(1, sum(found.labels.values()))
    print()
    rows = [(plain(label, 60), f"{count:,}", f"{count / total:.1%}") for label, count in found.labels.items()]
    _print(table_lines((found.label_kind.upper(), "COUNT", "SHARE"), rows))
    heads = ("LENGTH", "MEAN", *("MIN" if q == 0 else "MAX" if q == 1 else f"{q:.0%}" for q in QUANTILES))
    measured = {**found.lengths, **(pieces.lengths if pieces else {})}
    values = {label: lengths(numbers) for label, numbers in measured.items()}
    print()
    _print(table_lines(
        heads, [(label, f"{v.mean:,.1f}", *(f"{q:,.0f}" for q in v.quantiles)) for label, v in values.items()]
    ))  # fmt: skip
    if pieces is not None:
        print(f"\npieces of {plain(model)}: {pieces.per_word:.2f} a word, {pieces.unknown:.2%} unknown")
        print(f"beyond one window of {window:,} pieces: {pieces.beyond:.2%} of the {task.unit}s")
        _print(pieces.notes)


def _print_comparison(
    files: Sequence[str], found: Sequence[tuple[Dataset[Any], Inspection, PieceCounts | None]], model: str, window: int
) -> None:
    kinds = list(dict.fromkeys(label for _, inspection, _ in found for label in inspection.labels))[:8]
    counts = list(found[0][1].counts)
    rows = []
    for name, (_, inspection, pieces) in zip(files, found, strict=True):
        row = [plain(name), *(f"{inspection.counts[key]:,}" for key in counts), f"{inspection.repeated:,}"]
        row += [f"{inspection.labels.get(label, 0):,}" for label in kinds]
        if pieces is not None:
            row += [f"{pieces.per_word:.2f}", f"{pieces.unknown:.2%}", f"{pieces.beyond:.1%}"]
        rows.append(tuple(row))
    more = ("A WORD", "UNKNOWN", "BEYOND") if model else ()
    heads = ("DATA", *map(str.upper, counts), "REPEATED", *(plain(label, 20) for label in kinds), *more)
    _print(table_lines(heads, rows))
    if model:
        print(
            f"\nA WORD: pieces of {plain(model)} for a word; UNKNOWN: share of the pieces; BEYOND: share that does not fit one"
        )
        print(f"window of {window:,} pieces")


def _print(lines: Any) -> None:
    for line in lines:
        print(printable(line))


# --- convert ------------------------------------------------------------------------------------------------------


def convert(
    task: Task[Any], source: str, target: Path, language: str, columns: ColumnNames, skip_bad: bool,
    data_dir: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Write a data set in the format of the target's ending, and read it back before it takes its name."""
    from xlqa.util.files import file_sha256, write_output

    ending, packing = _endings(task, target)
    dataset = read_set(task, source, language, data_dir, columns, skip_bad)
    columns.refuse_unseen()
    if dataset.refused:
        print(f"xlqa: {counted(dataset.refused, task.unit)} left out (--skip-bad)", file=sys.stderr)
    try:
        content = task.write(dataset, ending)
    except XlqaError as error:
        raise XlqaError(f"{target}: {error}") from error
    _check_written(task, dataset, content, target, ending)
    write_output(target, PACKERS[packing](content) if packing else content, "convert:")
    if as_json:
        return print_json(
            {"path": str(target), "task": task.name, "sha256": file_sha256(target), f"{task.unit}s": len(dataset.examples),
             "repairs": dict(dataset.repairs), "refused": dataset.refused}
        )  # fmt: skip
    for kind, count in dataset.repairs.items():
        print(f"xlqa: {count:,} × {kind}{_places(dataset.repaired_at.get(kind, ()))}", file=sys.stderr)
    print(printable(f"{target}: {counted(len(dataset.examples), task.unit)}"))


def _endings(task: Task[Any], target: Path) -> tuple[str, str]:
    """The ending that names the format, and that of the compression or ""."""
    suffixes = [suffix.lower() for suffix in target.suffixes]
    packing = suffixes.pop() if suffixes and suffixes[-1] in PACKERS else ""
    if not suffixes or suffixes[-1] not in task.written:
        raise XlqaError(
            f"{target}: names no format of {task.name}: end the name in {', '.join(task.written)} (or .gz, .xz)."
        )
    return suffixes[-1], packing


def _check_written(task: Task[Any], dataset: Dataset[Any], content: bytes, target: Path, ending: str) -> None:
    """Read the content back: a table cannot hold every text, for example not a word with a tab in columns.

    Raises:
        XlqaError: some example came back otherwise.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"written{ending}"
        path.write_bytes(content)
        try:
            written = task.read(path).examples
        except XlqaError:
            written = ()
    for before, after in zip(dataset.examples, (*written, *[None] * len(dataset.examples)), strict=False):
        if after is None or _parts(task, before) != _parts(task, after):
            raise XlqaError(
                f"{target}: this format cannot hold {task.unit} {plain(before.id, 40)}: end the name in .jsonl."
            )


def _parts(task: Task[Any], example: Any) -> tuple[Any, ...]:
    """What a written example must keep; subsets are drawn by ids and groups."""
    return task.input_of(example), task.labels_of(example), example.id, example.group
