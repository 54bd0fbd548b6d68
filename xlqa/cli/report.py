"""`xlqa report results.csv`: what the source data is worth in target examples, with intervals."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from xlqa.cli.options import Json, Languages, ScorerName, Seeds, Tables, Tasks, Tests
from xlqa.curves.report.formats import choose_format
from xlqa.settings import split_words
from xlqa.util.files import write_output
from xlqa.util.text import printable

Format = Annotated[
    str,
    typer.Option(
        "--format", "-f", help="text, md, tex, csv, json or html. Default: by the suffix of --out, else text."
    ),
]
Out = Annotated[Path | None, typer.Option("--out", help="File to write. Default: standard output.")]
Metric = Annotated[
    str,
    typer.Option(
        "--metric", help="Score to report: a metric of the task (f1, em, accuracy, macro_f1, …), both (f1 and em) or all. "
        "Default: the task's first metric.",
    ),
]  # fmt: skip
Split = Annotated[str, typer.Option("--split", help="Evaluations to report: test or valid.")]
Margin = Annotated[
    float, typer.Option("--margin", help="Break-even margin: a gain within ± this many points counts as none.")
]
Floor = Annotated[float, typer.Option("--floor", help="Score in percent below which a run counts as collapsed.")]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        "--data", help="File of a test set of question answering. Breaks the gain down by answer length, question word and "
        "overlap. Repeatable.",
    ),
]  # fmt: skip
Title = Annotated[str, typer.Option("--title", help="The report's title. Default: made of the table's folder.")]
OneTable = Annotated[
    str,
    typer.Option(
        "--table", help="Only this table, of all results: summary, languages, scores, labels, gain, worth, stages, components, "
        "breakdown, layers, pairs, features, correlations, settings or versions.",
    ),
]  # fmt: skip


def report(
    tables: Tables, format: Format = "", out: Out = None, title: Title = "", table: OneTable = "", metric: Metric = "", scorer: ScorerName = "",
    task: Tasks = None, lang: Languages = None, test: Tests = None, split: Split = "test", seeds: Seeds = "",
    margin: Margin = 1.0, floor: Floor = 10.0, data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Report gains with intervals, and how many target-language examples the source data is worth.

    The first table has a row for each language and test set: zero-shot, gain at three sizes, N₀ and a verdict; of several
    languages there is a mean with its interval. Then come the curves and each result: paired gains with intervals over test
    examples and seeds, worth in examples, break-even, variance components, fits, planning, and sentences for a paper; at
    the end methods, settings, versions and commands. Reads the scores of single examples from the table's folder. Tables
    of several tasks are reported side by side and never averaged.

    Examples:

      xlqa report results.csv --metric both --data dev.json --out report.html

      xlqa report results.csv --table gain --out gain.tex

      xlqa report ner-ru pos-ru nli-ru --out tasks.md
    """
    kind = choose_format(format, out, as_json)
    from xlqa.api.reporting import report as make_report

    made = make_report(
        tables, format=format, title=title, metric=metric, scorer=scorer, task=split_words(task), lang=split_words(lang),
        test=split_words(test), split=split, seeds=seeds, margin=margin, floor=floor, data=data or (),
    )  # fmt: skip
    deliver(made.render(kind, table), out)


def deliver(written: str, out: Path | None) -> None:
    """Write a report to a file and print its name; without a file print the report."""
    if out is None:
        # Names in a table from somebody else could otherwise recolour the screen; a pipe gets the same text.
        sys.stdout.write("\n".join(map(printable, written.split("\n"))))
        return
    write_output(out, written.encode("utf-8", "surrogatepass"))
    print(out)
