"""Gains of the published studies that version 0.1 gave intervals narrower than paragraphs alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlqa.curves.comparison import PairedCells, pairs
from xlqa.curves.example_scores import ExampleStore
from xlqa.curves.grouping import split_panels
from xlqa.curves.table import load_results
from xlqa.curves.variance import SOURCE, TARGET, Study
from xlqa.records import Arm

ENGLISH = Path(__file__).resolve().parents[2] / "experiments" / "english-encoder"


@pytest.mark.parametrize(
    ("study", "test", "column", "sizes"),
    [
        ("swahili", "tydiqa-goldp.sw.dev", "f1", (30,)),
        ("russian", "tydiqa-goldp.ru.dev", "em", (100, 300)),
        ("russian", "xquad.ru", "em", (1000,)),
    ],
)
def test_no_published_gain_is_narrower_than_paragraphs_alone(study, test, column, sizes):
    panels = split_panels(load_results(ENGLISH / study / "results.csv"))
    (panel,) = (panel for panel in panels if panel.measurement["test"] == test)
    first, second = next(pair[:2] for pair in pairs(panel) if pair[0].arm is Arm.TRANSFER)
    found = Study(PairedCells(first, second, column, ExampleStore()).cells())
    assert found.by_group
    for size in sizes:
        contrast = found.contrast({(SOURCE, size): 1.0, (TARGET, size): -1.0})[None, :]
        assert found.half_widths(contrast)[0] >= found.groups_alone(contrast)[0] * (1 - 1e-4)
