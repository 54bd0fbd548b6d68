"""`xlqa plot`: the figure where it was asked for, the same bytes each time, and no need of torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "curves"))

from synthetic import Study, write_study

from xlqa.cli.plot import parse_size, plot
from xlqa.errors import XlqaError

app = typer.Typer()
app.command()(plot)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study", Study(sizes=(30, 100, 300), seeds=2, paragraphs=12))


def call(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


@pytest.mark.parametrize(("suffix", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_suffix_decides_and_the_bytes_repeat(table: Path, tmp_path: Path, suffix: str, begin: bytes):
    files = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for file in files:
        assert call(table, "--out", file).stdout.strip() == str(file)
    first, second = (file.read_bytes() for file in files)
    assert first.startswith(begin)
    assert first == second
    assert b"matplotlib.org" not in first


def test_without_out_it_writes_a_png_here(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert call(table).stdout.strip() == "curve.png"
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_size_and_style_decide_the_pixels(table: Path, tmp_path: Path):
    from matplotlib.image import imread

    call(table, "--out", tmp_path / "a.png", "--size", "5x4", "--style", "web")
    assert np.shape(imread(tmp_path / "a.png"))[:2] == (4 * 144, 5 * 144)


def test_palette_and_font_scale_change_the_drawing(table: Path, tmp_path: Path):
    call(table, "--out", tmp_path / "a.svg", "--palette", "grey", "--font-scale", "1.5", "--metric", "f1")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "#111111" in text
    assert "12.96px" in text  # the title: 8 points times 1.5, and 1.08 of that


def test_a_file_that_cannot_be_written_is_said(table: Path, tmp_path: Path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(XlqaError, match="cannot be written"):
        call(table, "--out", tmp_path / "taken" / "a.png")


@pytest.mark.parametrize("what", ["gain", "worth", "cost", "scatter"])
def test_the_other_figures_are_drawn(table: Path, tmp_path: Path, what: str):
    out = tmp_path / f"{what}.svg"
    assert call(table, "--what", what, "--out", out).stdout.strip() == str(out)
    assert b"</svg>" in out.read_bytes()


def test_without_anything_to_compare_gain_says_what_it_takes(tmp_path: Path):
    table = write_study(tmp_path, Study(arms=("transfer",), sizes=(30,), seeds=1))
    with pytest.raises(XlqaError, match="no gain or worth to draw"):
        call(table, "--what", "gain")


def test_what_is_missing_is_named_on_stderr(table: Path, tmp_path: Path):
    lines = table.read_text().splitlines()
    table.write_text("\n".join(line for line in lines if "transfer-100-s1" not in line) + "\n")
    result = call(table, "--out", tmp_path / "a.png", "--json")
    assert "missing: ru on xquad.ru, transfer, N = 100: seed 1" in result.stderr
    said = json.loads(result.stdout)
    assert said["missing"] == ["ru on xquad.ru, transfer, N = 100: seed 1"]
    assert said["panels"][0]["curves"] == ["transfer", "target-only"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "a.jpg"), "the suffix decides the format"),
        (("--what", "pie"), "--what pie: choose from curve"),
        (("--metric", "bleu"), "--metric bleu: choose from f1, em, both"),
        (("--style", "poster"), "--style poster"),
        (("--size", "7"), "as 7x4"),
        (("--palette", "neon"), "--palette neon: choose from okabe-ito, tol, grey"),
        (("--lang", "de"), "no lang 'de': it has ru"),
        (("--scorer", "mlqa"), "the table has squad"),
        (("--seeds", "a"), "write seeds as"),
    ],
)
def test_a_wrong_word_names_the_right_ones(table: Path, words: tuple[str, ...], said: str):
    with pytest.raises(XlqaError) as caught:
        call(table, *words)
    assert said in str(caught.value)


def test_sizes_are_read():
    assert parse_size("7×4") == (7, 4)
    assert parse_size("7.5x4") == (7.5, 4)
    assert parse_size("") is None
    with pytest.raises(XlqaError):
        parse_size("700x4")


def test_needs_no_torch(table: Path, tmp_path: Path):
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'deeppavlov'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from xlqa.cli.plot import plot\n"
        f"plot([Path({str(table)!r})], out=Path({str(tmp_path / 'a.png')!r}))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert (tmp_path / "a.png").is_file()


def test_importing_the_command_loads_nothing_heavy():
    code = "import sys, xlqa.cli.plot; assert not {'pandas', 'matplotlib', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("what", ["pairs", "features"])
@pytest.mark.parametrize(
    "flag", [("--lang", "ru"), ("--task", "qa"), ("--test", "x"), ("--split", "valid"), ("--seeds", "0")]
)
def test_filters_that_a_figure_does_not_have_are_refused(table: Path, what: str, flag: tuple[str, str]):
    with pytest.raises(XlqaError, match=f"--what {what}: does not take {flag[0]}: drop it"):
        call(table, "--what", what, *flag)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--what", "features", "--scorer", "squad"), "--what features: does not take --scorer"),
        (("--what", "features", "--metric", "both"), "--metric both: one score is explained at a time"),
        (("--what", "layers", "--at", "3"), "--what layers: does not take --at"),
        (("--what", "pairs", "--metric", "all"), "--what pairs: give --metric f1 or em"),
        (("--what", "pairs", "--metric", "accuracy"), "--what pairs: give --metric f1 or em"),
    ],
)
def test_a_flag_that_a_figure_cannot_follow_is_refused(table: Path, words: tuple[str, ...], said: str):
    with pytest.raises(XlqaError, match=said):
        call(table, *words)


def test_the_validation_split_chooses_what_is_compared_as_in_a_report(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import pandas as pd

    import xlqa
    from xlqa.curves import comparison

    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    valid = rows.assign(split="valid", eval_id="v" + rows["eval_id"])
    pd.concat([rows, valid]).to_csv(table, index=False)
    given: list[int] = []
    compare = comparison.compare

    def seen(panel, column, store, options, valid=()):
        given.append(len(valid))
        return compare(panel, column, store, options, valid)

    monkeypatch.setattr(comparison, "compare", seen)
    assert call(table, "--what", "gain", "--out", tmp_path / "gain.png").exit_code == 0
    xlqa.plot(table, what="worth")
    assert given == [1, 1]
