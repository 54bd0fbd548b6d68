"""`xlqa run`, `evaluate`, `rescore`, `collect`, `pack`: single runs, more test sets, and the results table."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from xlqa.cli import print_error, print_json
from xlqa.cli.options import Device, Json
from xlqa.errors import EXIT_RUNS_FAILED, XlqaError
from xlqa.settings import SETTINGS, split_words


def run(
    folder: Annotated[Path, typer.Argument(help="Folder of the run, with its config.json: runs/RUN_ID or source/ID.")],
    keep: Annotated[bool, typer.Option("--keep", help="Keep the weights.")] = False,
    device: Device = "auto",
    as_json: Json = False,
) -> int:
    """Execute one run of a plan: train, score and store it, for job arrays.

    A transfer run needs its finished source stage (xlqa run source/ID). xlqa collect then writes the results table.

    Examples:

      xlqa run ru/runs/ru-transfer-100-s0-*

      ls -d ru/runs/ru-* | xargs -n 1 xlqa run
    """
    from xlqa.runs.execute.progress import listener_of
    from xlqa.runs.execute.run import execute, prepared, record_failure

    run_folder = prepared(folder)
    try:
        # DeepPavlov reports on stdout, which belongs to the result.
        with redirect_stdout(sys.stderr):
            done = execute(run_folder, keep=keep, listen=listener_of(run_folder.path), device=device)
    except (XlqaError, OSError) as error:
        record_failure(run_folder, str(error).splitlines()[0])
        if isinstance(error, OSError):
            raise XlqaError(
                f"{run_folder.path}: {error.strerror or error}: free space or fix its permissions."
            ) from error
        raise
    if as_json:
        print_json({"run_id": run_folder.id, "evaluations": done.evaluations, "trained": done.trained})
    else:
        nothing = "nothing to do" if not (done.trained or done.evaluations) else "done"
        print(f"{run_folder.id}: {nothing}, {done.evaluations} evaluations")
    return 0


def evaluate(
    folder: Annotated[
        Path,
        typer.Argument(help="Run whose weights were kept: its folder, or its id in the current sweep.", metavar="RUN"),
    ],
    test: Annotated[str, typer.Option(help="Test set: a registered name (xlqa data list) or a file.")] = "",
    pairs: Annotated[
        str,
        typer.Option(
            help="Every question language x context language pair of a set instead: mlqa, mlqa.dev, xquad, or a folder of "
            "files that have the same ids or name both languages."
        ),
    ] = "",
    lang: Annotated[
        str,
        typer.Option(
            help="Language of a local file, which decides its scorer. With --pairs: only these languages, as en,ru."
        ),
    ] = "",
    test_size: Annotated[
        int | None, typer.Option(help="Number of questions to score, drawn at random with a fixed seed.", min=1)
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option(metavar=SETTINGS["columns"].metavar, help=SETTINGS["columns"].help)
    ] = None,
    device: Device = "auto",
    data_dir: Annotated[Path | None, typer.Option(help="Folder of downloaded data sets.")] = None,
    as_json: Json = False,
) -> int:
    """Score a kept model on another test set and add the row to results.csv, or on all language pairs of a set.

    --pairs writes RUN/pairs/SET.csv, a row for each pair. It can be interrupted: the same command continues. xlqa plot --what
    pairs draws it.

    Examples:

      xlqa evaluate ru/runs/ru-transfer-10000-s0-* --test squad.dev

      xlqa evaluate ru/runs/ru-transfer-0-s0-* --pairs xquad --test-size 200
    """
    from xlqa.api.evaluating import Evaluation, evaluate_any

    done = evaluate_any(folder, test, pairs, split_words([lang]), test_size, columns or (), device, data_dir, ".")
    if as_json:
        print_json(dict(done.row) if isinstance(done, Evaluation) else done.as_record())
    else:
        print(done)
    return 0


def rescore(
    folder: Annotated[Path, typer.Argument(help="Folder of a sweep.", metavar="DIR")] = Path("."),
    as_json: Json = False,
) -> int:
    """Recompute all scores of a sweep from its predictions, without a model, and write results.csv.

    Examples:

      xlqa rescore .

      xlqa rescore /shared/sweeps/ru --json
    """
    from xlqa.runs.store.rescore import rescore as rescore_all

    found = rescore_all(folder.expanduser().resolve())
    if as_json:
        print_json({"results": str(folder / "results.csv"), "rows": len(found.rows), "dropped": [*found.dropped]})
    else:
        print(f"{folder / 'results.csv'}: {len(found.rows)} rows")
    for line in found.dropped:
        print_error(f"left out: {line}")
    return EXIT_RUNS_FAILED if found.dropped else 0


def collect(
    folder: Annotated[
        Path, typer.Argument(help="Folder of a sweep, from one or several machines.", metavar="DIR")
    ] = Path("."),
    as_json: Json = False,
) -> int:
    """Write results.csv and failures.csv from the finished runs below a folder.

    Examples:

      xlqa collect .

      xlqa collect /shared/sweeps/ru --json
    """
    from xlqa.runs.paths import Layout
    from xlqa.runs.store.failures import write_failures
    from xlqa.runs.store.table import check_tables, write_results

    layout = Layout(folder.expanduser().resolve())
    if not layout.runs.is_dir():
        raise XlqaError(f"{folder} is not a sweep's folder: it has no runs/.")
    check_tables(layout)
    found, failures = write_results(layout, keep_rows=True), write_failures(layout)
    if as_json:
        counts = {"rows": len(found.rows), "failures": len(failures), "dropped": [*found.dropped]}
        print_json({"results": str(layout.results), **counts})
    else:
        print(f"{layout.results}: {len(found.rows)} rows")
    for line in found.dropped:
        print_error(f"left out: {line}")
    for failure in failures:
        print_error(f"{failure.run_id} failed: {failure.error}")
    return EXIT_RUNS_FAILED if failures or found.dropped else 0


def pack(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished sweep.", metavar="DIR")],
    out: Annotated[Path, typer.Argument(help="Folder for the packed files. Created if missing.", metavar="OUT")],
    as_json: Json = False,
) -> int:
    """Pack a finished sweep for publication: table, per-question scores, and every run's predictions and records.

    The archive has no weights, data sets or machine names. Unpacked (tar xf runs.tar.xz), it is a sweep's folder again:
    xlqa collect writes the same table, and xlqa rescore recomputes the scores if data/ has the test sets.

    Examples:

      xlqa pack results/ru experiments/ru

      xlqa pack . /shared/published/ru --json
    """
    from xlqa.curves.example_scores import pack_questions
    from xlqa.runs.store.archive import pack as pack_sweep

    root, target = folder.expanduser().resolve(), out.expanduser()
    written = [*pack_sweep(root, target), pack_questions(root, target)]
    if as_json:
        print_json({"files": {str(path): path.stat().st_size for path in written}})
    else:
        for path in written:
            print(f"{path}: {path.stat().st_size:,} bytes")
    return 0
