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
from xlqa.curves.plots import curves, effects, facets, fonts, scatter, zero_shot
from xlqa.curves.table import load_results
from xlqa.errors import XlqaError

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


def worth_marks(ax, color: str) -> tuple[list, list]:
    """Bars and arrows of the interval of N₀, on the size axis."""
    on_axis = [line for line in ax.lines if line.get_color() == color and not line.get_clip_on()]
    return [line for line in on_axis if len(line.get_xdata()) == 2], [
        line for line in on_axis if len(line.get_xdata()) == 1
    ]


def words_below(figure) -> str:
    return " ".join(figure.legends[0].get_title().get_text().split()).replace("\u00a0", " ")


def test_n0_and_its_interval_are_those_of_the_comparison(tmp_path: Path):
    (panel,) = panels(tmp_path, Study(seeds=3, paragraphs=30))
    (c,) = compare_all([panel], ("f1",), ExampleStore())
    figure = curves.curve_figure([panel], ("f1",), STYLE)
    (ax,) = figure.axes
    color = curves.assign_styles([panel])["transfer"].color
    n0 = c.stated.zero_shot_worth
    assert n0.is_determined
    assert any(list(line.get_xdata()) == [n0.value, n0.value] for line in ax.lines)
    ((bar,), arrows) = worth_marks(ax, color)
    assert list(bar.get_xdata()) == [n0.low, n0.high]
    assert not arrows
    low, high = ax.get_ylim()
    curves.curve_figure([panel], ("f1",), STYLE, comparisons=[c])
    assert low > 0  # the marks at the axis do not stretch it
    assert high < 100


def test_n0_is_not_marked_where_its_interval_is_not_determined(tmp_path: Path):
    from dataclasses import replace

    from xlqa.curves.variance import Interval

    (panel,) = panels(tmp_path, Study(seeds=3, paragraphs=30))
    (c,) = compare_all([panel], ("f1",), ExampleStore())

    def drawn(low: float, high: float, **changes: bool):
        changed = replace(c, zero_shot_worth=Interval(420.0, low, high), other=None, **changes)
        figure = curves.curve_figure([panel], ("f1",), STYLE, comparisons=[changed])
        marked = any("N₀" in text.get_text() for text in figure.axes[0].texts)
        color = curves.assign_styles([panel])["transfer"].color
        return marked, worth_marks(figure.axes[0], color), words_below(figure)

    marked, marks, words = drawn(-np.inf, np.inf)
    assert (marked, marks) == (False, ([], []))
    assert "N₀" not in words
    assert drawn(200, 900, learned=False)[0] is False
    marked, ((bar,), (arrow,)), words = drawn(-np.inf, 900)
    assert list(bar.get_xdata()) == [c.n_min, 900]
    assert (arrow.get_marker(), list(arrow.get_xdata())) == ("<", [c.n_min])
    assert "(bar: 95 % interval, arrow: beyond the sizes measured)" in words
    marked, marks, words = drawn(
        np.nan, np.nan
    )  # one run without scores of single examples: the report has the value alone
    assert (marked, marks) == (True, ([], []))
    assert "N₀: target-only N that scores as zero-shot" in words
    assert "bar" not in words


def test_n0_comes_from_the_runs_that_are_paired(tmp_path: Path):
    table = load_results(write_study(tmp_path, Study(seeds=3, paragraphs=30)))
    # Runs of a seed that transfer lacks belong to no pair.
    more = table[(table["arm"] == "target-only") & (table["seed"] == 0)]
    more = more.assign(subset_seed=7, train_seed=7, seed=7, run_id=more["run_id"] + "b", f1=more["f1"] - 25)
    import pandas as pd

    (panel,) = split_panels(pd.concat([table, more], ignore_index=True))
    (c,) = compare_all([panel], ("f1",), ExampleStore())
    ax = curves.draw_curve(one_axes(), panel, "f1", curves.assign_styles([panel]), STYLE)
    n0 = c.stated.zero_shot_worth.value
    assert any(list(line.get_xdata()) == [n0, n0] for line in ax.lines)


def test_n0_is_marked_in_each_facet(tmp_path: Path):
    (panel,) = encoders(tmp_path)
    figure = curves.curve_figure([panel], ("f1",), STYLE)
    marked = [ax for ax in figure.axes if any("N₀" in text.get_text() for text in ax.texts)]
    assert len(marked) == 3
    found = compare_all([panel], ("f1",), ExampleStore())
    again = curves.curve_figure([panel], ("f1",), STYLE, comparisons=found)
    for ax, other in zip(figure.axes, again.axes, strict=True):
        assert [list(line.get_xdata()) for line in ax.lines] == [list(line.get_xdata()) for line in other.lines]


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
    assert labels == ["100", "", "", "1,000", "", "10,000\nfull"]


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


def test_runs_of_one_size_are_drawn_beside_their_mean(tmp_path: Path):
    (panel,) = panels(tmp_path, Study(sizes=(100,)))
    ax = one_axes()
    curves.draw_curve(ax, panel, "f1", curves.assign_styles([panel]), STYLE)
    curves.set_size_axis(ax, panel.curves)
    places = [ax.transLimits.transform((np.log10(line.get_xdata()[0]), 0))[0] for line in ax.lines
              if line.get_marker() == "."]  # fmt: skip
    assert len(places) == len(panel.curves) > 1
    assert all(abs(place - 0.5) < 0.1 for place in places)


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
    assert fonts.font_families("русский") == ("DejaVu Sans",)
    with_cjk = fonts.font_families("中文")
    assert with_cjk[0] == "DejaVu Sans"
    assert set(with_cjk[1:]) <= set(fonts._CJK) & fonts.installed_fonts()


def test_a_file_name_with_dollars_and_foreign_letters_is_drawn_as_it_stands(tmp_path: Path):
    table = load_results(write_study(tmp_path / "s", Study(seeds=1, sizes=(100, 300), per_question=False)))
    shown = split_panels(table.assign(test="a$_{x$ 测试"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = curves.curve_figure(shown, ("f1",), STYLE)
        curves.save_figure(figure, tmp_path / "a.svg", STYLE)
    title = figure.axes[0].get_title(loc="left")
    assert title == r"Russian · a\$_{x\$ 测试"
    installed = len(fonts.font_families("测试")) > 1
    assert bool(fonts.missing_font(title)) is not installed
    assert fonts.missing_font("русский") == ""


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


def of_different_sizes(folder: Path) -> tuple[Panel, ...]:
    import pandas as pd

    sizes = {"ru": (20, 100, 500), "zh": (300, 3000, 20000)}
    tables = [
        load_results(
            write_study(folder / lang, Study(languages=(lang,), sizes=own, seeds=3, paragraphs=30, full=own[-1]))
        )
        for lang, own in sizes.items()
    ]
    return split_panels(pd.concat(tables, ignore_index=True))


def test_panels_of_different_sizes_keep_the_scale_of_their_worth_and_name_it(tmp_path: Path):
    shown = of_different_sizes(tmp_path)
    found = compare_all(shown, ("f1",), ExampleStore())
    figure = effects.worth_figure(found, ("f1",), STYLE)
    figure.canvas.draw()
    for ax, panel in zip(figure.axes, shown, strict=True):
        alone = effects.draw_worth(
            one_axes(), [c for c in found if c.panel is panel], curves.assign_styles(shown), STYLE
        )
        assert ax.get_ylim() == pytest.approx(alone.get_ylim())
        shown_labels = [label.get_text() for label in ax.get_yticklabels() if label.get_visible()]
        assert shown_labels == [f"{size:,}" for size in panel.curves[0].sizes]
        arrows = [line.get_ydata()[0] for line in ax.lines if line.get_marker() == "^"]
        assert all(max(panel.curves[0].sizes) < place <= ax.get_ylim()[1] for place in arrows)
    assert [bool(ax.get_ylabel()) for ax in figure.axes] == [True, False]


def test_panels_of_the_same_sizes_share_the_scale_of_their_worth(tmp_path: Path):
    shown = panels(tmp_path, Study(languages=("ru", "zh"), seeds=3, paragraphs=30))
    figure = effects.worth_figure(compare_all(shown, ("f1",), ExampleStore()), ("f1",), STYLE)
    figure.canvas.draw()
    left, right = figure.axes
    assert left.get_ylim() == right.get_ylim()
    assert not any(label.get_visible() and label.get_text() for label in right.get_yticklabels())


def test_labels_of_the_worth_do_not_overlap_where_sizes_are_close(tmp_path: Path):
    (panel,) = panels(tmp_path, Study(sizes=(100, 1000, 10000, 11000), seeds=2, per_question=False))
    ax = effects.draw_worth(
        one_axes(), compare_all([panel], ("f1",), ExampleStore()), curves.assign_styles([panel]), STYLE
    )
    assert [label.get_text() for label in ax.get_yticklabels()] == ["100", "1,000", "", "11,000"]


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


# ------------------------------------------------------------------------------------- several settings, small sizes


def encoders(folder: Path, names: tuple[str, ...] = ("mbert", "xlm-r", "distil")) -> tuple[Panel, ...]:
    """One panel with both arms of several encoders."""
    import pandas as pd

    tables = []
    for place, name in enumerate(names):
        table = load_results(write_study(folder / name, Study(seeds=2, sizes=(100, 1000), per_question=False), place))
        tables.append(table.assign(model=name, model_sha256=str(place) * 64, run_id=table["run_id"] + name))
    return split_panels(pd.concat(tables, ignore_index=True))


def test_each_encoder_has_a_facet_and_all_share_one_legend(tmp_path: Path):
    (panel,) = encoders(tmp_path)
    shown = facets.split_settings([panel])
    assert [facet.label.split("\n")[1] for facet in shown] == ["distil", "mbert", "xlm-r"]
    assert all([curve.label for curve in facet.curves] == ["transfer", "target-only"] for facet in shown)
    found = compare_all([panel], ("f1",), ExampleStore())
    for figure in (
        curves.curve_figure([panel], ("f1",), STYLE),
        effects.gain_figure(found, ("f1",), 1.0, STYLE),
        effects.worth_figure(found, ("f1",), STYLE),
    ):
        assert len([ax for ax in figure.axes if ax.get_visible()]) == 3
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
        assert labels in (["transfer", "target-only"], ["transfer"])
        for ax in figure.axes:
            assert len([line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) > 1]) <= 1


def test_titles_name_the_encoder_and_the_scorer_that_is_shown_once_and_are_not_cut(tmp_path: Path):
    import pandas as pd

    tables = []
    for name, scorer in (("multilingual-e5-small", "squad"), ("mini", "mlqa.ru")):
        table = load_results(write_study(tmp_path / name, Study(seeds=2, sizes=(100, 1000), per_question=False)))
        tables.append(
            table.assign(model=f"hub/{name}", model_sha256=name, scorer=scorer, run_id=table["run_id"] + name)
        )
    shown = split_panels(pd.concat(tables, ignore_index=True))

    def titles(column: str) -> list[str]:
        figure = curves.curve_figure(shown, (column,), curves.STYLES["paper"])
        figure.canvas.draw()
        assert all(ax.get_tightbbox().x1 <= figure.bbox.width + 1 for ax in figure.axes)
        assert (
            not figure.axes[0]._left_title.get_window_extent().overlaps(figure.axes[1]._left_title.get_window_extent())
        )
        return [ax.get_title(loc="left") for ax in figure.axes]

    test = shown[0].measurement["test"]
    assert sorted(titles("f1")) == [
        f"Russian · {test} · scorer mlqa.ru\nmini", f"Russian · {test} · scorer squad\nmultilingual-e5-small"
    ]  # fmt: skip
    assert sorted(titles("squad_f1")) == [f"Russian · {test}\nmini", f"Russian · {test}\nmultilingual-e5-small"]


def test_a_long_title_breaks_between_its_parts_and_keeps_every_word(tmp_path: Path):
    table = load_results(write_study(tmp_path, Study(languages=("ru", "zh"), seeds=1, per_question=False)))
    long = "a-test-set-with-a-name-that-does-not-fit-above-one-panel"
    figure = curves.curve_figure(split_panels(table.assign(test=long)), ("f1",), curves.STYLES["paper"])
    figure.canvas.draw()
    for ax in figure.axes:
        assert long in "".join(ax.get_title(loc="left").split())
        assert ax.get_tightbbox().x1 <= figure.bbox.width + 1


def test_the_only_curve_of_an_arm_is_drawn_beside_each_setting_of_another(tmp_path: Path):
    import pandas as pd

    one, other = (
        load_results(write_study(tmp_path / str(lr), Study(lr=lr, seeds=1, per_question=False))) for lr in (3e-5, 1e-4)
    )
    both = pd.concat([one, other[other["arm"] == "target-only"]], ignore_index=True)
    shown = facets.split_settings(split_panels(both))
    assert [facet.label.split("\n")[1] for facet in shown] == ["lr 3e-5", "lr 0.0001"]
    assert all([curve.label for curve in facet.curves] == ["transfer", "target-only"] for facet in shown)
    (whole,) = panels(tmp_path / "whole", Study(seeds=1, per_question=False))
    assert facets.split_settings([whole]) == (whole,)


def texts_of(figure) -> list:
    from matplotlib.text import Text

    figure.canvas.draw()
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


@pytest.mark.parametrize("kind", ["curve", "gain", "worth"])
def test_a_small_figure_neither_cuts_nor_overlaps_its_words(tmp_path: Path, kind: str):
    shown = panels(tmp_path, Study(seeds=2, per_question=False))
    if kind == "curve":
        figure = curves.curve_figure(shown, ("f1", "em"), curves.STYLES["paper"], (3.3, 2.4))
    else:
        found = compare_all(shown, ("f1",), ExampleStore())
        made = effects.gain_figure if kind == "gain" else effects.worth_figure
        more = (1.0,) if kind == "gain" else ()
        figure = made(found, ("f1",), *more, curves.STYLES["paper"], (3.3, 2.4))
    figure.canvas.draw()
    width, height = figure.get_size_inches() * figure.dpi
    for drawn in (*figure.axes, *figure.legends):
        box = drawn.get_tightbbox()
        assert box.x0 >= -1, drawn
        assert box.y0 >= -1, drawn
        assert box.x1 <= width + 1, drawn
        assert box.y1 <= height + 1, drawn
    names = [ax.yaxis.label.get_window_extent() for ax in figure.axes]
    assert not any(one.overlaps(other) for i, one in enumerate(names) for other in names[i + 1 :])
    assert all(text.get_fontsize() >= curves.LEAST_FONT * 0.8 for ax in figure.axes for text in ax.texts)


def test_an_axis_without_signal_says_so(tmp_path: Path):
    table = load_results(write_study(tmp_path, Study(seeds=2, per_question=False)))
    for name in ("f1", "em", "squad_f1", "squad_em"):
        table[name] = 0.0
    (ax,) = curves.curve_figure(split_panels(table), ("f1",), STYLE).axes
    assert [text.get_text() for text in ax.texts] == ["every score is 0"]
    assert list(ax.get_yticks()) == [0]


def test_an_axis_without_signal_is_labelled_for_those_beside_it(tmp_path: Path):
    table = load_results(write_study(tmp_path, Study(languages=("ru", "zh"), seeds=2, per_question=False)))
    table.loc[table["lang"] == "ru", "f1"] = 0.0
    table.loc[table["lang"] == "ru", "train_seconds"] = np.nan
    for made in (curves.curve_figure, effects.cost_figure):
        figure = made(split_panels(table), ("f1",), STYLE)
        figure.canvas.draw()
        empty, full = figure.axes
        assert len(empty.texts) == 1
        assert empty.get_ylim() == full.get_ylim()
        assert len([label for label in empty.get_yticklabels() if label.get_visible() and label.get_text()]) > 2


def test_the_words_name_the_seeds_behind_a_band_and_the_scorer(tmp_path: Path):
    table = load_results(
        write_study(tmp_path, Study(seeds=3, arms=("transfer", "target-only", "joint"), per_question=False))
    )
    one = table[(table["arm"] != "joint") | (table["seed"] == 0)]
    figure = curves.curve_figure(split_panels(one.reset_index(drop=True)), ("f1",), STYLE)
    words = figure.legends[0].get_title().get_text().replace("\n", " ").replace("\u00a0", " ")
    assert (
        words
        == "band: ± 1 s.d. over 3 seeds; N₀: target-only N that scores as zero-shot (bar: 95 % interval); scorer: squad"
    )
    assert all(handle.get_marker() != "None" for handle in figure.legends[0].get_lines())


def test_the_legend_of_the_worth_names_the_diagonal(tmp_path: Path):
    shown = panels(tmp_path, Study(seeds=2, per_question=False))
    figure = effects.worth_figure(compare_all(shown, ("f1",), ExampleStore()), ("f1",), STYLE)
    words = " ".join(figure.legends[0].get_title().get_text().split())
    assert "diagonal: English is worth nothing" in words


def test_zero_shot_labels_of_the_worth_do_not_overlap(tmp_path: Path):
    import pandas as pd

    table = load_results(write_study(tmp_path, Study(seeds=3, paragraphs=30)))
    other = table[table["arm"] == "transfer"].assign(source_lr=1e-5)
    other = other.assign(run_id=other["run_id"] + "b", f1=other["f1"] + 0.5)
    (panel,) = split_panels(pd.concat([table, other], ignore_index=True))
    figure = effects.worth_figure(compare_all([panel], ("f1",), ExampleStore()), ("f1",), STYLE)
    boxes = [text.get_window_extent() for text in texts_of(figure) if text.get_text().startswith("zero-shot")]
    assert len(boxes) == 2
    assert min(box.y1 for box in boxes) <= max(box.y0 for box in boxes) + 1


def test_the_cost_line_does_not_go_back_in_time(tmp_path: Path):
    table = load_results(write_study(tmp_path, Study(seeds=1, per_question=False)))
    table.loc[(table["arm"] == "target-only") & (table["size"] == 100), "train_seconds"] = 90.0
    (panel,) = split_panels(table)
    ax = effects.draw_cost(one_axes(), panel, "f1", curves.assign_styles([panel]), STYLE)
    line = next(line for line in ax.lines if line.get_marker() == "s")
    assert (np.diff(np.asarray(line.get_xdata())) >= 0).all()


def test_the_device_is_named_below_the_cost_and_its_axes_have_room(tmp_path: Path):
    languages = ("ru", "zh")
    table = load_results(write_study(tmp_path, Study(languages=languages, seeds=2, per_question=False)))
    shown = split_panels(table.assign(device="AMD EPYC (2 threads)"))
    figure = effects.cost_figure(shown, ("f1",), curves.STYLES["paper"])
    figure.canvas.draw()
    assert words_below(figure).startswith("device: AMD EPYC (2 threads); ")
    one, other = (ax.xaxis.label.get_window_extent() for ax in figure.axes)
    assert not one.overlaps(other)
    both = table.assign(device=np.where(table["seed"] == 0, "a", "b"))
    assert "devices: a, b" in words_below(effects.cost_figure(split_panels(both), ("f1",), STYLE))


@pytest.mark.parametrize("seconds", [(380, 760), (61, 61.5), (600, 600), (0.2, 0.3), (1, 90000), (4000, 7000)])
def test_the_time_axis_has_at_least_two_labels(tmp_path: Path, seconds: tuple[float, float]):
    table = load_results(write_study(tmp_path, Study(seeds=2, per_question=False)))
    trained = table["train_seconds"].notna()
    table.loc[trained, "train_seconds"] = np.where(table.loc[trained, "size"] == 10000, seconds[1], seconds[0])
    (panel,) = split_panels(table)
    ax = effects.draw_cost(one_axes(), panel, "f1", curves.assign_styles([panel]), STYLE)
    low, high = ax.get_xlim()
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert len(set(labels)) == len(labels) >= 2
    assert all(low <= tick <= high for tick in ax.get_xticks())
    assert low <= seconds[0]
    assert seconds[1] <= high


def test_a_table_without_training_times_has_no_cost(tmp_path: Path):
    table = load_results(write_study(tmp_path, Study(languages=("ru", "zh"), seeds=2, per_question=False)))
    without = split_panels(table.assign(train_seconds=np.nan))
    with pytest.raises(
        XlqaError, match="--what cost: no run has a training time: it takes tables with the column train_seconds"
    ):
        effects.cost_figure(without, ("f1",), STYLE)
    table.loc[table["lang"] == "zh", "train_seconds"] = np.nan
    russian, chinese = effects.cost_figure(split_panels(table), ("f1",), STYLE).axes
    assert [text.get_text() for text in chinese.texts] == ["no training time"]
    assert russian.get_ylim()[0] > 10


def test_all_legends_name_a_curve_with_the_same_letters(tmp_path: Path):
    from matplotlib.figure import Figure

    import xlqa

    table = load_results(write_study(tmp_path, Study(arms=("monolingual",), seeds=1, per_question=False)))
    table = table.assign(model="a$_{x$")
    ax = xlqa.plot(table, ax=Figure().subplots())
    (panel,) = split_panels(table)
    legends = ax.get_legend(), curves.curve_figure([panel], ("f1",), STYLE).legends[0]
    assert [legend.get_texts()[0].get_text() for legend in legends] == [r"monolingual (a\$_{x\$)"] * 2


def test_the_scatter_has_a_point_for_each_language(tmp_path: Path):
    shown = panels(tmp_path, Study(languages=("ru", "sw", "zh"), seeds=2, sizes=(100, 1000), per_question=False))
    found = compare_all(shown, ("f1",), ExampleStore())
    (ax,) = scatter.scatter_figure(found, 100, STYLE).axes
    (points,) = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(points.get_xdata(), [c.zero_shot.value for c in found])
    np.testing.assert_allclose(points.get_ydata(), [c.results[0].gain.value for c in found])
    assert sorted(text.get_text() for text in ax.texts) == ["ru", "sw", "zh"]
    assert "N = 100," in scatter.scatter_figure(found, 77, STYLE).axes[0].get_ylabel()
    with pytest.raises(XlqaError, match="--what scatter: no language"):
        scatter.scatter_figure([], 100, STYLE)


def test_zero_shot_rows_are_languages_best_first_with_each_source_stage(tmp_path: Path):
    study = Study(
        languages=("ru", "sw", "zh"), seeds=3, source_seeds=3, sizes=(100,), stage_spread=2.0, per_question=False
    )
    table = load_results(write_study(tmp_path, study))
    zero = table[table["size"] == 0]
    means = zero.groupby("lang")["f1"].mean().sort_values(ascending=False)
    names = {"ru": "Russian", "sw": "Swahili", "zh": "Chinese"}
    for rows in (table, zero):
        (ax,) = zero_shot.zero_shot_figure(split_panels(rows), ("f1",), STYLE).axes
        assert [label.get_text() for label in ax.get_yticklabels()] == [names[lang] for lang in means.index]
        stages = [line for line in ax.lines if line.get_marker() == "|"]
        assert sorted(np.concatenate([line.get_xdata() for line in stages])) == pytest.approx(sorted(zero["f1"]))
        assert sorted(text.get_text() for text in ax.texts) == sorted(f"{mean:.1f}" for mean in means)
    with pytest.raises(XlqaError, match="--what zero-shot: no zero-shot score"):
        zero_shot.zero_shot_figure(split_panels(table[table["arm"] == "target-only"]), ("f1",), STYLE)


def test_zero_shot_of_two_encoders_shares_rows_and_has_a_legend(tmp_path: Path):
    import pandas as pd

    table = load_results(
        write_study(tmp_path, Study(languages=("ru", "sw"), seeds=2, sizes=(100,), per_question=False))
    )
    other = table.assign(model="another/encoder", model_sha256="f" * 64, f1=table["f1"] + 3)
    figure = zero_shot.zero_shot_figure(split_panels(pd.concat([table, other], ignore_index=True)), ("f1",), STYLE)
    (ax,) = figure.axes
    assert len(ax.get_yticklabels()) == 2
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(labels) == 2
    assert any("encoder" in label for label in labels)
    assert not ax.texts


def test_palette_and_font_scale_change_colours_and_letters(tmp_path: Path):
    (panel,) = panels(tmp_path, Study(seeds=1, per_question=False))
    assert curves.assign_styles([panel], "grey")["transfer"].color == "#111111"
    assert STYLE.scaled(2).font == 16


def test_letters_stay_text_in_svg_and_pdf(tmp_path: Path):
    (panel,) = panels(tmp_path / "s", Study(seeds=1, sizes=(100, 1000), per_question=False))
    figure = curves.curve_figure([panel], ("f1",), STYLE)
    svg = curves.save_figure(figure, tmp_path / "a.svg", STYLE).read_text(encoding="utf-8")
    assert ">Russian · xquad.ru</text>" in svg
    pdf = curves.save_figure(figure, tmp_path / "a.pdf", STYLE).read_bytes()
    assert b"/FontFile2" in pdf


def test_arabic_is_joined_and_turned_around_where_matplotlib_does_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fonts, "SHAPES_SINCE", (99, 0))
    # salam: initial seen, final lam-alef, isolated meem; digits keep their order, Latin its place.
    assert fonts.set_right_to_left("a سلام 12 b") == "a \ufee1\ufefc\ufeb3 12 b"
    assert fonts.set_right_to_left("אב 12 גד") == "דג 12 בא"
    assert fonts.set_right_to_left("русский 中文") == "русский 中文"
    monkeypatch.setattr(fonts, "SHAPES_SINCE", (3, 0))
    assert fonts.set_right_to_left("سلام") == "سلام"


if __name__ == "__main__":
    import tempfile

    REFERENCE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        for kind in KINDS:
            curves.save_figure(draw(kind, panels(Path(place))), REFERENCE / f"{kind}.png", STYLE)
