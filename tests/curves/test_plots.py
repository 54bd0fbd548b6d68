"""Figures against reference pictures, and the things that a picture alone does not show.

After a wanted change: `python tests/curves/test_plots.py` redraws the references; look at them before committing.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from synthetic import Study, write_study

from xlqa.curves.comparison import Options, compare_all
from xlqa.curves.example_scores import ExampleStore
from xlqa.curves.grouping import Panel, split_panels
from xlqa.curves.plots import curves, effects
from xlqa.curves.table import load_results

REFERENCE = Path(__file__).parent / "reference"
TOLERANCE = 12.0
"""Root mean square of the difference in grey levels: another version of the font passes, a missing line does not."""
STYLE = curves.Style("test", font=8, panel=(2.75, 2.05), line=1.3, marker=4.5, dpi=80)
STUDY = Study(languages=("ru", "zh"), arms=("transfer", "target-only", "joint", "monolingual"), seeds=3, paragraphs=30)
KINDS = ("curve", "gain", "worth", "cost")


def panels(folder: Path, study: Study = STUDY) -> tuple[Panel, ...]:
    return split_panels(load_results(write_study(folder, study)))


def draw(kind: str, shown: tuple[Panel, ...], style: curves.Style = STYLE):
    if kind == "curve":
        return curves.curve_figure(shown, ("f1", "em"), style)
    if kind == "cost":
        return effects.cost_figure(shown, ("f1",), style)
    found = compare_all(shown, ("f1",), ExampleStore())
    return (
        effects.gain_figure(found, ("f1",), 1.0, style)
        if kind == "gain"
        else effects.worth_figure(found, ("f1",), style)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_figures_look_like_their_references(tmp_path: Path, kind: str):
    compare = pytest.importorskip("matplotlib.testing.compare")
    path = curves.save_figure(draw(kind, panels(tmp_path / "study")), tmp_path / f"{kind}.png", STYLE)
    assert compare.compare_images(str(REFERENCE / f"{kind}.png"), str(path), TOLERANCE) is None


def test_no_interval_runs_through_the_words_on_break_even(tmp_path: Path):
    shown = panels(
        tmp_path / "study", Study(arms=("transfer", "target-only"), seeds=5, sizes=(30, 100, 300), paragraphs=200)
    )
    figure = draw("gain", shown)
    figure.canvas.draw()
    (ax,) = figure.axes
    (words,) = [text for text in ax.texts if "break-even" in text.get_text()]
    bottom = ax.transData.inverted().transform(words.get_window_extent())[0, 1]
    assert max(float(np.max(line.get_ydata())) for line in ax.lines) < bottom


def test_zero_shot_shows_its_spread_where_it_has_one(tmp_path: Path):
    from matplotlib.patches import Polygon, Rectangle

    def bands(source_seeds: int) -> int:
        study = Study(arms=("transfer",), seeds=3, source_seeds=source_seeds)
        (ax,) = curves.curve_figure(panels(tmp_path / str(source_seeds), study), ("f1",), STYLE).axes
        return sum(isinstance(patch, (Polygon, Rectangle)) for patch in ax.patches)

    assert bands(2) == bands(1) + 1


def test_the_tolerance_notices_a_missing_line(tmp_path: Path):
    compare = pytest.importorskip("matplotlib.testing.compare")
    shown = panels(tmp_path / "study", Study(**{**STUDY.__dict__, "arms": ("transfer", "joint", "monolingual")}))
    path = curves.save_figure(draw("curve", shown), tmp_path / "less.png", STYLE)
    reference = tmp_path / "reference.png"
    reference.write_bytes((REFERENCE / "curve.png").read_bytes())
    assert compare.compare_images(str(reference), str(path), TOLERANCE) is not None


def test_there_is_no_pyplot_and_no_global_state(tmp_path: Path):
    import sys

    import matplotlib

    def open_figures() -> list[int]:
        # Other tests of this process may have pyplot's figures open.
        return sys.modules["matplotlib.pyplot"].get_fignums() if "matplotlib.pyplot" in sys.modules else []

    before, figures_before = dict(matplotlib.rcParams), open_figures()
    curves.save_figure(draw("curve", panels(tmp_path)), tmp_path / "a.png", STYLE)
    assert dict(matplotlib.rcParams) == before
    assert open_figures() == figures_before


def one_axes():
    from matplotlib.figure import Figure

    return Figure().subplots()


def test_a_line_an_arm_a_point_a_run_and_zero_shot_as_a_level(tmp_path: Path):
    (panel, _) = panels(tmp_path)
    ax = one_axes()
    curve_styles = curves.assign_styles([panel])
    assert curves.draw_curve(ax, panel, "f1", curve_styles, STYLE) is ax
    means = [line for line in ax.lines if line.get_marker() in "os^D"]
    assert len(means) == 4
    for line, curve in zip(means, panel.curves, strict=True):
        np.testing.assert_allclose(line.get_ydata(), curve.means("f1"))
        np.testing.assert_array_equal(line.get_xdata(), curve.sizes)
    dots = [line for line in ax.lines if line.get_marker() == "."]
    assert sum(len(line.get_ydata()) for line in dots) == 4 * 5 * 3
    (level,) = [line for line in ax.lines if list(line.get_xdata()) == [0, 1]]
    assert level.get_ydata()[0] == pytest.approx(float(panel.curves[0].zero_shot["f1"].mean()))
    assert ax.get_xscale() == "log"
    assert any("N₀" in text.get_text() for text in ax.texts)


def test_a_line_is_broken_at_a_missing_run(tmp_path: Path):
    table = load_results(write_study(tmp_path, Study(seeds=3)))
    table = table[~((table["arm"] == "transfer") & (table["size"] == 1000) & (table["seed"] == 1))]
    (panel,) = split_panels(table.reset_index(drop=True))
    ax = one_axes()
    curves.draw_curve(ax, panel, "f1", curves.assign_styles([panel]), STYLE)
    line = next(line for line in ax.lines if line.get_marker() == "o")
    assert np.isnan(np.asarray(line.get_ydata())).tolist() == [False, False, True, False, False]


def test_looks_are_told_apart_without_colour(tmp_path: Path):
    (panel,) = panels(tmp_path, Study(arms=STUDY.arms, seeds=1, per_question=False))
    curve_styles = list(curves.assign_styles([panel]).values())
    assert len({(curve_style.marker, curve_style.filled) for curve_style in curve_styles}) == 4
    assert {
        curve_style.filled for curve_style, c in zip(curve_styles, panel.curves, strict=True) if c.arm.uses_source
    } == {True}


def test_settings_of_one_arm_differ_in_dashes(tmp_path: Path):
    import pandas as pd

    tables = [
        load_results(write_study(tmp_path / str(lr), Study(lr=lr, seeds=1, per_question=False))) for lr in (3e-5, 1e-4)
    ]
    both = pd.concat([tables[0], tables[1][tables[1]["size"] > 0]], ignore_index=True)
    (panel,) = split_panels(both)
    curve_styles = curves.assign_styles([panel])
    assert curve_styles["transfer, lr 3e-5"].dashes != curve_styles["transfer, lr 0.0001"].dashes
    assert curve_styles["transfer, lr 3e-5"].marker == curve_styles["transfer, lr 0.0001"].marker


def test_crowded_sizes_are_not_all_labelled(tmp_path: Path):
    sizes = (100, 110, 120, 1000, 9000, 10000)
    (panel,) = panels(tmp_path, Study(sizes=sizes, seeds=1, per_question=False))
    ax = curves.set_size_axis(one_axes(), panel.curves)
    labels = [text.get_text() for text in ax.get_xticklabels()]
    assert labels == ["100", "", "", "1k", "", "10k\nfull"]


def test_many_panels_wrap(tmp_path: Path):
    languages = ("ar", "de", "el", "es", "hi", "ru", "th")
    shown = panels(tmp_path, Study(languages=languages, seeds=1, sizes=(100, 1000), per_question=False))
    figure = curves.curve_figure(shown, ("f1",), STYLE)
    assert len([ax for ax in figure.axes if ax.get_visible()]) == 7
    assert {ax.get_subplotspec().get_gridspec().ncols for ax in figure.axes} == {4}


def test_one_size_one_seed_and_zero_shot_alone_can_be_drawn(tmp_path: Path):
    for name, study in {"one": Study(sizes=(100,), seeds=1), "none": Study(sizes=(), arms=("transfer",))}.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            shown = panels(tmp_path / name, study)
            curves.save_figure(draw("curve", shown), tmp_path / f"{name}.png", STYLE)
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_zero_shot_is_labelled_once_for_curves_that_share_it_and_apart_otherwise(tmp_path: Path):
    table = load_results(write_study(tmp_path, Study(seeds=1, per_question=False)))
    other = table[table["arm"] == "transfer"].copy()
    other["source_lr"] = 1e-5
    other["f1"] += 0.5
    other["run_id"] += "b"
    import pandas as pd

    (panel,) = split_panels(pd.concat([table, other], ignore_index=True))
    figure = curves.curve_figure([panel], ("f1",), STYLE)
    words = [text for text in figure.axes[0].texts if text.get_text().startswith("zero-shot")]
    assert len({text.get_text() for text in words}) == 2
    assert len({(text.xy, text.get_va()) for text in words}) == 2


def test_labels_in_other_scripts_bring_a_font_where_one_is_installed():
    assert curves.font_families("русский") == ("DejaVu Sans",)
    with_cjk = curves.font_families("中文")
    assert with_cjk[0] == "DejaVu Sans"
    assert set(with_cjk[1:]) <= set(curves._CJK_FONTS) & curves._installed_fonts()


def test_a_file_name_with_dollars_and_foreign_letters_is_drawn_as_it_stands(tmp_path: Path):
    table = load_results(write_study(tmp_path / "s", Study(seeds=1, sizes=(100, 300), per_question=False)))
    shown = split_panels(table.assign(test="a$_{x$ 测试"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = curves.curve_figure(shown, ("f1",), STYLE)
        curves.save_figure(figure, tmp_path / "a.svg", STYLE)
    title = figure.axes[0].get_title(loc="left")
    assert title == r"Russian · a\$_{x\$ 测试"
    installed = len(curves.font_families("测试")) > 1
    assert bool(curves.missing_font(title)) is not installed
    assert curves.missing_font("русский") == ""


def test_what_lies_beyond_the_sizes_is_an_arrow_not_a_point(tmp_path: Path):
    (panel,) = panels(tmp_path, Study(sizes=(30, 100, 300), seeds=5, paragraphs=200))
    found = compare_all([panel], ("f1",), ExampleStore(), Options())
    assert found[0].results[-1].effective.value == np.inf
    ax = effects.draw_worth(one_axes(), found, curves.assign_styles([panel]), STYLE)
    assert any(line.get_marker() == "^" for line in ax.lines)
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in ax.lines if line.get_marker() == "o"])
    assert (drawn <= 300).all()
    ax = effects.draw_gain(one_axes(), found, curves.assign_styles([panel]), 1.0, STYLE)
    assert any(re.search(r"break-even > 300", text.get_text()) for text in ax.texts)


def test_break_even_stands_where_it_falls(tmp_path: Path):
    (panel,) = panels(tmp_path, Study(seeds=3, paragraphs=40))
    found = compare_all([panel], ("f1",), ExampleStore(), Options(margin=50))
    assert found[0].break_even == 100
    ax = effects.draw_gain(one_axes(), found, curves.assign_styles([panel]), 50, STYLE)
    assert any(list(line.get_xdata()) == [100, 100] for line in ax.lines)


def test_the_source_stage_is_counted_where_its_time_is_known(tmp_path: Path):
    (panel,) = panels(tmp_path, Study(seeds=2, per_question=False))
    assert effects.source_seconds(panel.curves[0]) is None
    record = tmp_path / "source" / "train.json"
    record.parent.mkdir()
    record.write_text('{"train_seconds": 5000}')
    assert effects.source_seconds(panel.curves[0]) == 5000
    ax = effects.draw_cost(one_axes(), panel, "f1", curves.assign_styles([panel]), STYLE, with_source=True)
    transfer = next(line for line in ax.lines if line.get_marker() == "o")
    assert min(transfer.get_xdata()) > 5000
    assert any(line.get_marker() == "X" for line in ax.lines)


if __name__ == "__main__":
    import tempfile

    REFERENCE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        for kind in KINDS:
            curves.save_figure(draw(kind, panels(Path(place))), REFERENCE / f"{kind}.png", STYLE)
