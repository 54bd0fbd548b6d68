"""Scores over frozen layers: which runs belong together."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean, stdev

import pandas as pd
import pytest
from synthetic import Study, write_study

from xlqa.curves.grouping import split_panels
from xlqa.curves.layers import NOTHING, frozen_layers, layer_series
from xlqa.curves.plots.curves import STYLES
from xlqa.curves.plots.layers import layers_figure
from xlqa.curves.report.analyses import layer_sections
from xlqa.curves.table import load_results
from xlqa.errors import XlqaError

NOTES = ("", "embeddings frozen", "frozen up to layer 3", "frozen up to layer 11")


@pytest.fixture(params=["", "MISC=O"], ids=["plain", "mapped tags"])
def table(tmp_path: Path, request: pytest.FixtureRequest) -> pd.DataFrame:
    """Runs with parts of the encoder frozen on the target, and zero-shot runs with parts frozen in the source stage."""
    rows = load_results(write_study(tmp_path / "s", Study(sizes=(100,), seeds=2, per_question=False)))
    frames = []
    for number, note in enumerate(NOTES):
        copy = rows.copy()
        zero_shot = copy["size"] == 0
        for stage, stage_is_frozen in (("source", zero_shot), ("target", ~zero_shot)):
            for chosen, first in ((stage_is_frozen, note), (~stage_is_frozen & (copy[stage] != ""), "")):
                changes = [change for change in (first, request.param) if change]
                if changes:
                    copy.loc[chosen, stage] += f" ({'; '.join(changes)})"
                    copy.loc[chosen, f"{stage}_sha256"] += "".join(f"+{change}" for change in changes)
        copy["run_id"] += f"-{number}"
        copy["f1"] -= number
        frames.append(copy)
    return pd.concat(frames, ignore_index=True)


def test_the_hash_tells_how_many_layers_were_frozen():
    assert [frozen_layers(f"abc+{note}" if note else "abc") for note in NOTES] == [NOTHING, 0, 3, 11]
    assert frozen_layers("abc+labels shuffled+frozen up to layer 6") == 6


def test_series_are_runs_that_differ_in_frozen_layers_alone(table: pd.DataFrame):
    (panel,) = split_panels(table)
    found = {(str(series.arm), series.size): series for series in layer_series(panel, "f1")}
    assert {key: series.stage for key, series in found.items()} == {
        ("transfer", 0): "source stage", ("transfer", 100): "target stage", ("target-only", 100): "target stage",
    }  # fmt: skip
    for series in found.values():
        assert series.layers == (NOTHING, 0, 3, 11)
        assert [series.scores[0][0] - scores[0] for scores in series.scores] == pytest.approx([0, 1, 2, 3])
    assert found["transfer", 100].label == "transfer, N = 100, target stage frozen"


def test_the_figure_has_a_line_for_each_series(table: pd.DataFrame):
    figure = layers_figure(split_panels(table), ("f1", "em"), STYLES["paper"])
    ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert ticks == ["none", "emb.", "3", "11"]
    assert len(figure.legends[0].get_texts()) == 3


def test_panels_share_one_legend(table: pd.DataFrame):
    other = table.assign(test="another", test_sha256="d" * 64, eval_id=table["eval_id"] + "b")
    figure = layers_figure(split_panels(pd.concat([table, other], ignore_index=True)), ("f1",), STYLES["paper"])
    assert len([ax for ax in figure.axes if ax.lines]) == 2
    assert len(figure.legends[0].get_texts()) == 3


def test_the_report_has_the_means_of_each_series(table: pd.DataFrame):
    (panel,) = split_panels(table)
    (section,) = layer_sections([panel], ("f1",))
    (shown,) = section.tables
    assert shown.header == ("", "none", "embeddings", "3", "11")
    series = next(s for s in layer_series(panel, "f1") if s.size == 0)
    scores = series.scores[0]
    spread = f" ± {stdev(scores):.1f}" if len(scores) > 1 else ""
    best = f"{fmean(scores):.1f}{spread} ({len(scores)})"
    assert next(row for row in shown.rows if row[0] == "zero-shot, source stage frozen")[1] == best
    assert f"zero-shot, source stage frozen: F1 {best} with nothing frozen, the highest mean." in section.lead


def test_a_table_without_frozen_runs_is_refused(tmp_path: Path):
    rows = load_results(write_study(tmp_path / "s", Study(sizes=(100,), seeds=2, per_question=False)))
    with pytest.raises(XlqaError, match="no two runs differ in frozen layers alone"):
        layers_figure(split_panels(rows), ("f1",), STYLES["paper"])
