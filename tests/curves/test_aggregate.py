"""Means over languages: Student's interval over them, and which comparisons may be averaged."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic import Study, write_study

from xlqa.curves.aggregate import group_comparisons, mean_over_languages, set_family
from xlqa.curves.comparison import Comparison, Options, compare_all
from xlqa.curves.example_scores import ExampleStore
from xlqa.curves.grouping import split_panels
from xlqa.curves.plots.curves import STYLES
from xlqa.curves.plots.scatter import scatter_figure
from xlqa.curves.report.summary import languages_table, summary_section
from xlqa.curves.table import load_results


def compare(folder: Path, **changes: object) -> tuple[Comparison, ...]:
    study = Study(**{"seeds": 2, "sizes": (100, 1000), "per_question": False, **changes})
    return compare_all(split_panels(load_results(write_study(folder, study))), ("f1",), ExampleStore(), Options())


def test_the_interval_is_the_one_worked_out_by_hand():
    # Mean 3; deviations -2, -1, 0, 3: s² = 14 / 3; t with 3 degrees of freedom is 3.182446; s / √4 = 1.080123.
    found = mean_over_languages(np.array([1.0, 2.0, 3.0, 6.0]))
    assert found.value == 3
    assert (found.low, found.high) == pytest.approx((3 - 3.437434, 3 + 3.437434), abs=1e-5)
    assert math.isnan(mean_over_languages(np.array([1.0])).low)
    wide = mean_over_languages(np.array([60.0, 95.0]))
    assert (wide.low, wide.high) == (-100.0, 100.0)
    assert mean_over_languages(np.array([60.0, 95.0]), least=0.0).low == 0.0


def test_each_language_counts_once_and_the_source_language_not_at_all(tmp_path: Path):
    found = compare(tmp_path, languages=("en", "ru", "sw", "zh"))
    (group,) = group_comparisons(found, ("f1",))
    assert (group.label, [c.panel.lang for c in group.comparisons]) == ("xquad, transfer", ["ru", "sw", "zh"])
    zero_shot, first, _ = group.means
    assert (zero_shot.size, zero_shot.languages) == (0, 3)
    gains = [c.results[0].gain for c in group.comparisons]
    expected = mean_over_languages(np.array([gain.value for gain in gains]))
    assert (first.size, first.mean) == (100, expected)
    assert first.above == sum(gain.low > 0 for gain in gains)
    assert first.spread == pytest.approx(np.std([gain.value for gain in gains], ddof=1))
    row = languages_table(group).rows[1]
    assert row[:3] == ("100", "3", f"+{expected.value:.1f}")


def test_test_sets_of_two_kinds_are_not_mixed(tmp_path: Path):
    found = compare(tmp_path, languages=("ru", "sw"), tests=("xquad", "own"))
    assert [group.label for group in group_comparisons(found, ("f1",))] == ["own, transfer", "xquad, transfer"]
    assert set_family("tydiqa-goldp.sw.dev", "sw") == "tydiqa-goldp.*.dev"


def test_one_language_and_runs_that_learned_nothing_have_no_mean(tmp_path: Path):
    found = compare(tmp_path, languages=("ru", "sw"))
    assert group_comparisons([replace(c, learned=False) for c in found], ("f1",)) == ()
    assert group_comparisons(found[:1], ("f1",)) == ()


@pytest.mark.parametrize(
    ("column", "words"), [("model", ("bert-base-multilingual-cased", "other")), ("lr", ("lr 3e-5", "lr 0.5"))]
)
def test_languages_of_unlike_encoders_or_settings_have_no_common_mean(
    tmp_path: Path, column: str, words: tuple[str, str]
):
    table = load_results(
        write_study(tmp_path, Study(languages=("de", "ru", "sw", "zh"), sizes=(100,), seeds=2, per_question=False))
    )
    other = {"model": "other", "lr": 0.5}[column]
    known = table["lang"].isin(["sw", "zh"]) & (table["size"] > 0 if column == "lr" else True)
    table.loc[known, column] = other
    panels = split_panels(table)
    found = compare_all(panels, ("f1",), ExampleStore(), Options())
    groups = group_comparisons(found, ("f1",))
    assert [(group.label, [c.panel.lang for c in group.comparisons]) for group in groups] == [
        (f"xquad, transfer, {words[0]}", ["de", "ru"]), (f"xquad, transfer, {words[1]}", ["sw", "zh"]),
    ]  # fmt: skip
    summary = summary_section(panels, found, groups, ("f1",), Options()).tables[0]
    assert summary.header[2] == "arm"
    assert [row[2] for row in summary.rows] == [f"transfer, {word}" for word in words for _ in range(2)]
    figure = scatter_figure(found, 100, STYLES["paper"])
    assert {text.get_text() for text in figure.legends[0].get_texts()} == set(words)
