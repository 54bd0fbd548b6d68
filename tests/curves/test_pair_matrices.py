"""Matrices of question and context languages, and their figure."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from synthetic import Study, write_study

from xlqa.cli import main
from xlqa.curves.pairs import build_matrices, change, load_pairs
from xlqa.curves.plots.curves import STYLES
from xlqa.curves.plots.pairs import pairs_figure
from xlqa.errors import XlqaError
from xlqa.records import PAIR_COLUMNS
from xlqa.util.csvfile import csv_text

SCORES = {("en", "en"): 60.0, ("en", "ru"): 40.0, ("ru", "en"): 50.0, ("ru", "ru"): 30.0}


def write_pairs(
    path: Path, add: float = 0.0, size: int = 0, seed: int = 0, without: tuple = (), **changes: object
) -> Path:
    rows = [
        {"set": "hand", "question_lang": q, "context_lang": c, "f1": f1 + add, "em": f1 / 2, "squad_f1": f1, "squad_em": f1 / 2,
         "n": 12, "scorer": "squad", "lang": "ru", "arm": "transfer", "size": size, "seed": seed, "model": "m",
         "run_id": f"r{size}-{seed}"} | changes
        for (q, c), f1 in SCORES.items() if (q, c) not in without
    ]  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(csv_text(PAIR_COLUMNS, rows), encoding="utf-8")
    return path


def test_rows_are_questions_and_columns_contexts(tmp_path: Path):
    (matrix,) = build_matrices(load_pairs([write_pairs(tmp_path / "a.csv")]))
    assert (matrix.question_langs, matrix.context_langs) == (("en", "ru"), ("en", "ru"))
    assert matrix.values.tolist() == [[60, 40], [50, 30]]
    assert (matrix.mean_of_same(), matrix.mean_of_different()) == (45, 45)
    assert matrix.label == "zero-shot, m"


def test_seeds_are_averaged_and_sizes_are_compared(tmp_path: Path):
    tables = [
        write_pairs(tmp_path / "runs/a/pairs/hand.csv"), write_pairs(tmp_path / "runs/b/pairs/hand.csv", 2, seed=1),
        write_pairs(tmp_path / "runs/c/pairs/hand.csv", 5, size=1000),
    ]  # fmt: skip
    assert len(tables) == 3
    zero_shot, trained = build_matrices(load_pairs([tmp_path]))
    assert (zero_shot.runs, trained.runs) == (2, 1)
    assert zero_shot.values[0, 0] == 61
    assert [zero_shot.label, trained.label] == ["zero-shot", "Russian transfer, N = 1,000"]
    np.testing.assert_allclose(change(zero_shot, trained).values, 4)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n": 11}, r"differ in n \(12 and 11\), so the change cannot be taken: score both on the same questions"),
        ({"test_size": 6}, r"differ in test_size \(empty and 6\)"),
        ({"question_sha256": "f" * 64}, r"differ in question_sha256 \(empty and fffffff\)"),
        ({"context_sha256": "e" * 64}, r"differ in context_sha256 \(empty and eeeeeee\)"),
        ({"scorer": "mlqa.ru"}, r"differ in scorer \(squad and mlqa.ru\), .*: compare them with --scorer squad"),
    ],
)
def test_scores_of_other_questions_or_scorers_have_no_change(tmp_path: Path, changes: dict, said: str):
    tables = [write_pairs(tmp_path / "a.csv"), write_pairs(tmp_path / "b.csv", 9, size=100, **changes)]
    matrices = build_matrices(load_pairs(tables))
    with pytest.raises(XlqaError, match=f"--what pairs: hand, question en, context en: zero-shot.*{said}"):
        pairs_figure(matrices, "f1", STYLES["paper"])
    if "scorer" in changes:
        np.testing.assert_allclose(change(*build_matrices(load_pairs(tables), "squad_f1")).values, 0)


def notes_of(figure) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if "questions a pair" in text.get_text()]


def test_a_note_describes_the_matrix_above_it_or_all(tmp_path: Path):
    tables = [
        write_pairs(tmp_path / "a.csv"), write_pairs(tmp_path / "b.csv", seed=1),
        write_pairs(tmp_path / "c.csv", 5, size=100), write_pairs(tmp_path / "d.csv", set="other", n=7, scorer="mlqa.ru"),
    ]  # fmt: skip
    figure = pairs_figure(build_matrices(load_pairs(tables)), "f1", STYLES["paper"])
    assert [notes_of(ax) for ax in figure.axes] == [
        ["12 questions a pair, mean of 2 runs; scorer squad"], ["12 questions a pair, one run; scorer squad"],
        ["7 questions a pair, one run; scorer mlqa.ru"],
    ]  # fmt: skip
    assert len(notes_of(figure)) == 3
    figure.draw_without_rendering()
    boxes = [
        text.get_window_extent() for ax in figure.axes for text in ax.texts if "questions a pair" in text.get_text()
    ]
    assert all(box.y0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))
    assert all(box.y1 <= ax.xaxis.label.get_window_extent().y0 for box, ax in zip(boxes, figure.axes, strict=True))
    same = pairs_figure(build_matrices(load_pairs([tables[0], tables[2]])), "f1", STYLES["paper"])
    assert notes_of(same) == ["12 questions a pair, one run; scorer squad"]


def test_encoders_and_sources_that_differ_are_all_named(tmp_path: Path):
    tables = [
        write_pairs(tmp_path / "a.csv", model="one", test_size=12, source="squad.train"),
        write_pairs(tmp_path / "b.csv", model="two", test_size=10, source="mine"),
    ]
    assert [matrix.label for matrix in build_matrices(load_pairs(tables))] == [
        "zero-shot, test size 12, one, squad.train", "zero-shot, test size 10, two, mine"
    ]  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_titles_fit_beside_each_other(tmp_path: Path, style: str):
    write_pairs(tmp_path / "runs/a/pairs/hand.csv", model="multilingual-e5-small")
    write_pairs(tmp_path / "runs/c/pairs/hand.csv", 5, size=10000, model="bert-base-multilingual-cased")
    figure = pairs_figure(build_matrices(load_pairs([tmp_path])), "f1", STYLES[style])
    figure.draw_without_rendering()
    left, right = (
        next(t for t in (ax._left_title, ax.title) if t.get_text()).get_window_extent() for ax in figure.axes
    )
    assert left.x1 < right.x0
    assert right.x1 <= figure.bbox.x1


@pytest.mark.parametrize(
    ("setting", "words"),
    [({"lr": 1e-5}, "lr 1e-5"), ({"epochs": 9}, "epochs 9"), ({"min_steps": 50}, "min steps 50"), ({"source_lr": 0.1}, "source lr 0.1"),
     ({"target": "x (frozen up to layer 6)", "target_sha256": "a+frozen up to layer 6"}, "x (frozen up to layer 6)"),
     ({"model": "m (top 2 drawn)", "model_sha256": "b+top 2 drawn"}, "m (top 2 drawn)")],
)  # fmt: skip
def test_runs_of_other_settings_are_another_matrix(tmp_path: Path, setting: dict, words: str):
    tables = [
        write_pairs(tmp_path / "a.csv", size=100),
        write_pairs(tmp_path / "b.csv", 9, size=100, run_id="b", **setting),
    ]
    first, second = build_matrices(load_pairs(tables))
    assert (first.runs, second.runs) == (1, 1)
    assert second.values[0, 0] - first.values[0, 0] == 9
    assert second.label == f"Russian transfer, N = 100, {words}"


def test_runs_that_were_scored_on_other_questions_have_no_mean(tmp_path: Path):
    first = write_pairs(tmp_path / "a.csv")
    for name, changes in (
        ("n", {"n": 11}),
        ("question_sha256", {"question_sha256": "f"}),
        ("scorer", {"scorer": "mlqa.ru"}),
    ):
        other = write_pairs(tmp_path / f"{name}.csv", seed=1, **changes)
        with pytest.raises(XlqaError, match=f"hand, question en, context en: runs r0-0 and r0-1 differ in {name}"):
            build_matrices(load_pairs([first, other]))
    with pytest.raises(XlqaError, match=r"run r0-0 is there twice, with different scores \(60 and 65\)"):
        build_matrices(load_pairs([first, write_pairs(tmp_path / "again.csv", 5)]))


def test_a_source_stage_scored_for_two_languages_is_one_model(tmp_path: Path):
    tables = [
        write_pairs(tmp_path / f"{code}.csv", lang=code, run_id=code, weights_sha256="w") for code in ("de", "ru")
    ]
    (matrix,) = build_matrices(load_pairs(tables))
    assert matrix.runs == 1


def test_a_missing_cell_stays_missing_in_means_and_figure(tmp_path: Path):
    (matrix,) = build_matrices(load_pairs([write_pairs(tmp_path / "a.csv", without=(("en", "ru"),))]))
    assert math.isnan(matrix.values[0, 1])
    assert math.isnan(matrix.mean_of_different())
    figure = pairs_figure([matrix], "f1", STYLES["paper"])
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown == ["60.0", "–", "50.0", "30.0", "–", "40.0", "55.0", "–", "–"]


def test_the_report_has_a_section_where_a_pair_table_is_beside_the_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    write_study(tmp_path, Study(sizes=(100,), seeds=1, per_question=False))
    first = write_pairs(tmp_path / "runs/a/pairs/hand.csv")
    assert main(["report", str(tmp_path), "--format", "md"]) == 0
    text = capsys.readouterr().out
    assert "Question and context language: hand" in text
    assert (
        "zero-shot, m: F1 45.0 with question and context in one language, 45.0 with the two in different languages."
        in text
    )
    assert "| Russian | 50.0 | 30.0 | 40.0 |" in text
    write_pairs(tmp_path / "runs/b/pairs/hand.csv", seed=1, n=11)
    assert main(["report", str(tmp_path), "--format", "md"]) == 0
    assert "runs r0-0 and r0-1 differ in n, so they have no mean" in capsys.readouterr().out
    first.write_text("set\n1\n", encoding="utf-8")
    assert main(["report", str(tmp_path)]) == 2
    assert f"{first}: the column question_lang is missing" in capsys.readouterr().err


def test_a_foreign_table_is_refused(tmp_path: Path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(XlqaError, match="the column set is missing"):
        load_pairs([tmp_path / "x.csv"])
    with pytest.raises(XlqaError, match="has no pair table"):
        load_pairs([tmp_path])
    with pytest.raises(XlqaError, match="cannot be read"):
        load_pairs([tmp_path / "missing.csv"])


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("f1", "oops", "line 3: f1 is 'oops', which is not a number"), ("f1", "101", "line 3: f1 is '101', outside 0 to 100"),
        ("n", "", "line 3: the column n is empty"), ("n", "inf", "line 3: n is 'inf', which is out of range"),
        ("n", "0", "line 3: n is '0', expected 1 or more"), ("n", "nan", "line 3: the column n is empty"),
        ("arm", "both", "line 3: arm is 'both': "), ("question_lang", "", "the column question_lang is empty"),
        ("size", "many", "line 3: size is 'many'"), ("run_id", None, "line 3: 40 cells under a header of 50"),
    ],
)  # fmt: skip
def test_a_broken_cell_is_named_with_its_line(tmp_path: Path, column: str, cell: str | None, said: str):
    table = write_pairs(tmp_path / "a.csv")
    header, *rows = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()]
    if cell is None:
        del rows[1][40:]
    else:
        rows[1][header.index(column)] = cell
    table.write_text("\n".join(",".join(cells) for cells in (header, *rows)) + "\n", encoding="utf-8")
    with pytest.raises(XlqaError) as caught:
        load_pairs([table])
    said = said.replace("a header of 50", f"a header of {len(header)}")
    assert str(caught.value).startswith(f"{table}, line 3: ")
    assert said in str(caught.value)
