"""Tables of tasks other than question answering: read, compared, drawn and reported by their own metrics and words."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic import Study, write_study
from synthetic_tasks import task_study, write_task_study

from xlqa.curves.comparison import Options, compare_all
from xlqa.curves.example_scores import ExampleStore, pack_questions
from xlqa.curves.grouping import choose_columns, select_rows, split_panels
from xlqa.curves.plots import curves, summary
from xlqa.curves.report import export, render, tex
from xlqa.curves.report.contents import build_report
from xlqa.curves.table import load_results
from xlqa.curves.wording import METRIC_NAMES, WORDING
from xlqa.errors import XlqaError
from xlqa.records import TASK_METRICS
from xlqa.tasks.base import TASKS, get_task

SMALL = task_study(seeds=2, paragraphs=60)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of three made-up sweeps, one a task."""
    root = tmp_path_factory.mktemp("tasks")
    write_task_study(root / "ner", "ner")
    write_task_study(root / "nli", "nli", task_study(languages=("ru", "sw"), seeds=2, paragraphs=90))
    write_study(root / "qa", Study(sizes=(30, 100, 300), seeds=2, paragraphs=12))
    return {path.name: path for path in root.iterdir()}


def edit(path: Path, old: str, new: str, to: Path) -> Path:
    to.mkdir()
    text = path.read_text(encoding="utf-8")
    assert old in text
    (to / "results.csv").write_text(text.replace(old, new), encoding="utf-8")
    return to


def test_words_are_those_of_the_tasks():
    assert set(WORDING) == set(TASK_METRICS) == set(TASKS)
    for name, wording in WORDING.items():
        assert wording.unit.endswith(get_task(name).unit)
        assert set(METRIC_NAMES.get(name, TASK_METRICS[name])) == set(TASK_METRICS[name])


def test_tables_of_several_tasks_are_read_together_and_never_pooled(folders: dict[str, Path]):
    table = load_results(list(folders.values()))
    assert {task: len(rows) for task, rows in table.groupby("task")} == {"ner": 19, "nli": 26, "qa": 13}
    panels = split_panels(table)
    assert [(p.task, p.lang) for p in panels] == [("qa", "ru"), ("ner", "ru"), ("nli", "ru"), ("nli", "sw")]
    assert not any(p.missing for p in panels)
    assert choose_columns(table, "", None) == {"qa": ("f1",), "ner": ("f1",), "nli": ("accuracy",)}
    with pytest.raises(
        XlqaError, match=r"--metric em: choose from f1, entity_precision.* for the task ner \(--task selects one\)"
    ):
        choose_columns(table, "em", None)
    only = select_rows(table, tasks=("nli",))
    assert choose_columns(only, "all", None) == {"nli": ("accuracy", "macro_f1")}
    with pytest.raises(XlqaError, match=r"no task 'pos': it has ner, nli, qa"):
        select_rows(table, tasks=("pos",))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("\nner,", "\nNER,", "line 2: task is 'NER': did you mean ner? Choose from qa, ner, pos"),
        ("\nner,", "\n,", "line 2: task is '': choose from qa"),
        (",f1,entity_precision", ",em,entity_precision", "the header lacks f1"),
        (",entity_recall", ",f1", "the column f1 occurs twice"),
    ],
)
def test_a_broken_table_is_named(folders: dict[str, Path], tmp_path: Path, old: str, new: str, said: str):
    with pytest.raises(XlqaError) as caught:
        load_results(edit(folders["ner"] / "results.csv", old, new, tmp_path / "x"))
    assert said in str(caught.value)


def test_an_undefined_precision_is_no_missing_run(folders: dict[str, Path], tmp_path: Path):
    table = load_results(folders["ner"])
    table.loc[5, "entity_precision"] = np.nan
    assert not split_panels(table)[0].missing
    table.loc[5, "f1"] = np.nan
    assert len(split_panels(table)[0].missing) == 1


@pytest.mark.parametrize(("task", "column"), [("ner", "f1"), ("nli", "accuracy"), ("nli", "macro_f1")])
def test_the_linearised_variance_is_that_of_a_bootstrap(folders: dict[str, Path], task: str, column: str):
    """Numerators and denominators of the same resampled sentences; for macro F1 those of every label."""
    table = load_results(folders[task])
    rows = table[(table["lang"] == "ru") & (table["size"] == 100) & (table["seed"] == 0)]
    found = ExampleStore().scores(rows, column)
    assert found is not None
    scores, influence, examples = found.influence(slice(0, len(rows)))
    np.testing.assert_allclose(scores, rows[column], atol=1e-6)
    np.testing.assert_allclose(examples.sum(), 0, atol=1e-9)
    picks = np.random.default_rng(0).integers(0, found.count, (2000, found.count))
    above, below = (np.atleast_3d(np.moveaxis(each, -1, 1)) for each in (found.numerators, found.denominators))
    redrawn = (100 * above[:, picks].sum(axis=2) / below[:, picks].sum(axis=2)).mean(axis=-1)
    linear = np.sqrt((influence**2).sum(axis=1))
    np.testing.assert_allclose(redrawn.std(axis=1), linear, rtol=0.08)
    # The gain is a difference of two ratios on the same sentences.
    assert np.std(redrawn[0] - redrawn[1]) == pytest.approx(
        np.sqrt(((influence[0] - influence[1]) ** 2).sum()), rel=0.08
    )


def test_a_label_that_a_file_lacks_counts_as_never_there(folders: dict[str, Path], tmp_path: Path):
    path = write_task_study(tmp_path / "s", "nli", SMALL)
    table = load_results(path)
    file = next(path.parent.glob("runs/*target-only-100-s0/eval/*/examples.csv"))
    frame = pd.read_csv(file)
    dropped = [name for name in frame.columns if name.startswith("f1:neutral")]
    others = [
        frame[f"f1:{label}_numerator"].sum() / frame[f"f1:{label}_denominator"].sum()
        for label in ("contradiction", "entailment")
    ]
    frame.drop(columns=dropped).to_csv(file, index=False)
    run = (table["arm"] == "target-only") & (table["size"] == 100)
    table.loc[run & (table["seed"] == 0), "macro_f1"] = 100 * np.mean(others)
    found = ExampleStore().scores(table[run], "macro_f1")
    assert found is not None
    np.testing.assert_allclose(found.influence(slice(0, 2))[0], table[run]["macro_f1"], atol=1e-6)
    labels = ExampleStore().label_scores(table[run])
    assert np.isnan(labels["neutral"]).tolist() == [True, False]
    # Packed, the label has sums of 0 in that run, and everything is read as before.
    packed = pack_questions(path.parent, path.parent)
    assert packed.name == "examples.csv.xz"
    for loose in path.parent.glob("runs/*/eval/*/examples.csv"):
        loose.unlink()
    again = ExampleStore().scores(table[run], "macro_f1")
    assert again is not None
    np.testing.assert_allclose(again.influence(slice(0, 2))[0], table[run]["macro_f1"], atol=1e-6)
    assert np.isnan(ExampleStore().label_scores(table[run])["neutral"]).tolist() == [True, False]


def test_precision_and_recall_stand_beside_the_f1_of_each_type(folders: dict[str, Path]):
    table = load_results(folders["ner"])
    rows = table[(table["arm"] == "transfer") & (table["size"] == 100)]
    found = ExampleStore().label_scores(rows)
    assert list(found) == [f"{kind}{part}" for kind in ("LOC", "PER") for part in ("", ", precision", ", recall")]
    for kind in ("LOC", "PER"):
        precision, recall = found[f"{kind}, precision"], found[f"{kind}, recall"]
        np.testing.assert_allclose(found[kind], 2 * precision * recall / (precision + recall))
    report = build_report(split_panels(table), [], {"ner": ("f1",)}, Options(), store=ExampleStore())
    assert "PER, recall" in render.as_text(report)


def test_the_report_has_each_tasks_words(folders: dict[str, Path]):
    table, store = load_results(list(folders.values())), ExampleStore()
    panels, columns = split_panels(table), choose_columns(table, "", None)
    found = compare_all(panels, columns, store)
    report = build_report(panels, found, columns, Options(), store=store)
    text = " ".join(render.as_text(report).split())
    for words in (
        "Examples are questions (question answering), sentences (named entities) and sentence pairs (natural language inference)",
        "Named entities: Russian, panx.ru: transfer against target-only, entity F1",
        "On panx.ru (200 sentences, scorer conll)",
        "before N Russian sentences changed entity F1 by",
        "Without any Russian sentence it scored",
        "before N Swahili sentence pairs changed accuracy by",
        "Break-even at ± 1 point of accuracy:",
        "Break-even at ± 1 point of F1:",
        "Entity precision in percent: mean ± s.d. over seeds (number of runs); scorer conll",
        "F1, precision and recall of each entity type in percent",
        "F1 of each label in percent",
        "test examples by their paragraphs, premises and sentences",
    ):
        assert words in text, words
    own = next(s for s in report.sections if s.title == "Natural language inference: Swahili, panx.sw")
    assert not any("question" in cell for t in own.tables for row in t.rows for cell in row)
    assert report.sections[0].title == "Summary"
    assert len(report.sections[0].tables[0].rows) == len(found) == 4
    rows = list(export.tidy_rows(found))
    assert {row["task"] for row in rows} == {"qa", "ner", "nli"}
    for made in (render.as_markdown(report), tex.as_tex(report)):
        assert "entity F1" in made


def test_the_summary_sets_the_tasks_side_by_side(folders: dict[str, Path]):
    table = load_results(list(folders.values()))
    found = compare_all(split_panels(table), choose_columns(table, "", None), ExampleStore())
    figure = summary.summary_figure(found, 100, curves.STYLES["paper"])
    axes = figure.axes
    assert [len(ax.get_yticks()) for ax in axes] == [1, 1, 2]
    assert [ax.get_title(loc="left").partition(" (")[0] for ax in axes] == [
        "Question answering", "Named entities", "Natural language inference",
    ]  # fmt: skip
    assert len({ax.get_xlim() for ax in axes}) == 1
    for ax, own in zip(axes, (found[:1], found[1:2], found[2:]), strict=True):
        dots = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]
        known = [c.zero_shot_worth.value for c in own if c.zero_shot_worth.is_determined]
        assert dots == pytest.approx([value for value in known if np.isfinite(value)])
    with pytest.raises(XlqaError, match="no worth to draw"):
        summary.summary_figure([], 100, curves.STYLES["paper"])


def test_open_ends_are_arrows_and_what_is_not_determined_is_written():
    from matplotlib.figure import Figure

    from xlqa.curves.variance import Interval

    def draw(found: Interval):
        ax = Figure().subplots()
        ax.set_xscale("log")
        ax.set_xlim(5, 2000)
        mark = summary._Mark(found, 10, 1000, ("#000000", "o", True))
        summary._draw_mark(ax, 0.0, mark, (10, 1000), curves.STYLES["paper"])
        return (
            [line.get_marker() for line in ax.lines if line.get_marker() != "None"],
            [t.get_text() for t in ax.texts],
            mark.words,
        )

    inf = np.inf
    # At the largest size measured nothing is left to the right of the axis' start: no mark, where 0 has no place.
    ax = Figure().subplots()
    ax.set_xscale("log")
    ax.set_xlim(5, 2000)
    at_the_end = summary._Mark(Interval(inf, inf, inf), -990, 0, ("#000000", "o", True))
    summary._draw_mark(ax, 0.0, at_the_end, (10, 1000), curves.STYLES["paper"])
    assert (len(ax.lines), at_the_end.words) == (0, "> 0")
    assert draw(Interval(100, 50, 200)) == (["o"], [], "100 [50, 200]")
    assert draw(Interval(100, 50, inf)) == ([">", "o"], [], "100 [50, > 1,000]")
    assert draw(Interval(inf, 400, inf)) == ([">"], [], "> 1,000 [400, > 1,000]")
    assert draw(Interval(-inf, -inf, -inf)) == (["<"], [], "< 10")
    assert draw(Interval(100, -inf, inf)) == ([], ["not determined"], "not determined")
    assert draw(Interval(np.nan, np.nan, np.nan)) == ([], [], "–")


def test_curves_of_several_tasks_begin_a_row_each(folders: dict[str, Path]):
    table = load_results(list(folders.values()))
    panels = split_panels(table)
    figure = curves.curve_figure(panels, choose_columns(table, "default", None), curves.STYLES["paper"])
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_subplotspec().rowspan.start for ax in shown] == [0, 1, 2, 2]
    assert [ax.get_ylabel().partition(",")[0] for ax in shown] == ["F1", "entity F1", "accuracy", ""]
    assert [ax.get_xlabel() for ax in shown[:3]] == [
        "target-language training questions, N", "labelled target sentences, N", "labelled target sentence pairs, N",
    ]  # fmt: skip


def test_the_command_line_takes_several_tables(
    folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    from xlqa.cli import main

    tables = [str(path) for path in folders.values()]
    assert main(["plot", *tables, "--what", "summary", "--out", str(tmp_path / "a.svg")]) == 0
    assert main(["report", *tables, "--out", str(tmp_path / "a.csv")]) == 0
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        assert {(row["task"], row["metric"]) for row in csv.DictReader(file)} == {
            ("qa", "F1"), ("ner", "entity F1"), ("nli", "accuracy"),
        }  # fmt: skip
    assert main(["report", tables[0], "--task", "nli,ner", "--metric", "bleu"]) == 2
    capsys.readouterr()
    assert main(["plot", str(folders["nli"]), "--metric", "f1"]) == 2
    assert capsys.readouterr().err.strip().endswith("--metric f1: choose from accuracy, macro_f1, all.")
