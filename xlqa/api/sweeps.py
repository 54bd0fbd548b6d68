"""Running a sweep: `xlqa.sweep`."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from xlqa.api.notebook import without_widget_warnings
from xlqa.api.results import frame_of, load_results
from xlqa.settings import SETTINGS
from xlqa.sweep_keywords import SweepKeywords, Words
from xlqa.util import html
from xlqa.util.signatures import show_signature
from xlqa.util.tables import table_lines
from xlqa.util.text import counted, printable

if TYPE_CHECKING:
    import pandas as pd

    from xlqa.runs.execute.executor import Executor


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that failed: its name as the display has it, and why."""

    run: str
    error: str


@dataclass(frozen=True, slots=True, repr=False)
class Sweep:
    """A sweep that ended.

    Attributes:
        folder: the sweep's folder.
        results: one row an evaluation, as `load_results` returns it; without rows where no run succeeded.
        done_before, done_now: runs; failures: runs that can be tried again by the same call.
    """

    folder: Path
    results: pd.DataFrame
    done_before: int
    done_now: int
    failures: tuple[Failure, ...]

    @property
    def means(self) -> pd.DataFrame:
        """The mean of the leading score over the runs of each arm, size and test set, and how many runs have one."""
        return frame_of(_means(self.results), MEANS)

    def __repr__(self) -> str:
        lines = [f"{self.folder}: {self._counts()}", *(f"failed: {f.run}: {f.error}" for f in self.failures)]
        return "\n".join([*map(printable, lines), *table_lines([name.upper() for name in MEANS], self._cells())])

    def _repr_html_(self) -> str:
        failed = [f"failed: {failure.run}: {failure.error}" for failure in self.failures]
        return html.paragraph(self.folder, self._counts(), *failed) + html.table(MEANS, self._cells())

    def _cells(self) -> list[list[str]]:
        return [
            [f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row.values()]
            for row in _means(self.results)
        ]

    def _counts(self) -> str:
        before = f", {self.done_before:,} before" if self.done_before else ""
        failed = f", {len(self.failures):,} failed" if self.failures else ""
        return f"{counted(self.done_now, 'run')} done now{before}{failed}"


MEANS = ("test", "arm", "N", "runs", "score", "mean")


def _means(results: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each curve's zero-shot score and sizes; runs of different settings have curves of their own."""
    if results.empty:
        return []
    from xlqa.curves.grouping import split_panels
    from xlqa.curves.wording import leading_metric, metric_name

    rows: list[dict[str, Any]] = []
    for panel in split_panels(results):
        metric = leading_metric(panel.task)
        for curve in panel.curves:
            for size, runs in ((0, curve.zero_shot), *((point.size, point.rows) for point in curve.points)):
                if len(known := runs[metric].dropna()):
                    cells = (
                        panel.label,
                        curve.label,
                        size,
                        len(known),
                        metric_name(metric, panel.task),
                        float(known.mean()),
                    )
                    rows.append(dict(zip(MEANS, cells, strict=True)))
    return rows


def sweep(lang: Words, *, executor: Executor | None = None, **settings: Unpack[SweepKeywords]) -> Sweep:
    """Train and score every run of a grid, as `xlqa sweep` does. Finished runs are not repeated.

    Runs are executed in worker processes. Progress goes to stderr; what could spoil the scores is a warning.
    An interrupted sweep keeps its finished runs.

    Args:
        lang: target languages (ISO 639-1): one, several, or a comma list.
        executor: an `xlqa.runs.execute.executor.Executor` of your own, in place of `launcher`.
        settings: the flags of `xlqa sweep`, with underscores; a mapping gives a value per language.

    Raises:
        XlqaError: bad input, everything that is wrong at once. Runs that fail do not raise: see `Sweep.failures`.
    """
    from xlqa.curves.table import no_results
    from xlqa.runs.execute.progress import print_line
    from xlqa.runs.plan.checks import find_warnings
    from xlqa.runs.plan.planner import make_plan
    from xlqa.runs.plan.request import build_request
    from xlqa.runs.sweep import choose_executor, run_sweep

    request = build_request({"lang": lang, **settings})
    if executor is None:
        executor = choose_executor(request.launcher, request.ray_address, request.device, request.workers_per_device)
    print_line("reading data and model …")
    with without_widget_warnings():
        plan = make_plan(request)
    for line in find_warnings(plan):
        warnings.warn(line, stacklevel=2)
    outcome = run_sweep(plan, None, executor)
    results = load_results(plan.layout.results) if outcome.rows else no_results()
    failures = tuple(Failure(run, error) for run, error in outcome.failures)
    return Sweep(request.out, results, outcome.done_before, outcome.done_now, failures)


def _document_settings() -> None:
    """Let `help(xlqa.sweep)` and notebooks show every setting with its default."""
    shown = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=setting.default, annotation=setting.python)
        for name, setting in SETTINGS.items()
        if name != "lang"
    ]
    lang = Parameter("lang", Parameter.POSITIONAL_OR_KEYWORD, annotation="Words")
    executor = Parameter("executor", Parameter.KEYWORD_ONLY, default=None, annotation="Executor | None")
    show_signature(sweep, Signature([lang, executor, *shown], return_annotation="Sweep"))
    lines = [f"    {name}: {setting.full_help}" for name, setting in SETTINGS.items() if name != "lang"]
    sweep.__doc__ = f"{sweep.__doc__}\n    The settings:\n\n" + "\n".join(f"    {line}" for line in lines)


_document_settings()
