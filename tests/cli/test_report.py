"""`xlqa report`: all formats from one command, the same bytes each time, errors that name the fix."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "curves"))

from synthetic import Study, write_study

from xlqa.cli.report import report
from xlqa.errors import XlqaError

app = typer.Typer()
app.command()(report)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study", Study(sizes=(30, 100, 300), seeds=2, paragraphs=12))


def call(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


@pytest.mark.parametrize(
    ("format", "begin"),
    [
        ("text", "study: what is English worth?"), ("md", "# study: what is English worth?"), ("tex", "% study: what is English worth?"),
        ("csv", "lang,test,split,scorer,metric"), ("json", "{"), ("html", "<!DOCTYPE html>"),
    ],
)  # fmt: skip
def test_formats_begin_as_they_should_and_repeat(table: Path, format: str, begin: str):
    first = call(table, "--format", format).stdout
    assert first.startswith(begin)
    assert call(table, "--format", format).stdout == first


def test_out_decides_the_format_and_is_named(table: Path, tmp_path: Path):
    out = tmp_path / "new" / "report.html"
    assert call(table, "--out", out).stdout.strip() == str(out)
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_one_table_alone_in_each_form(table: Path):
    assert call(table, "--table", "gain").stdout.startswith("Paired gain Δ(N) in points of F1; ")
    assert "| language | test |" in call(table, "--table", "summary", "--format", "md").stdout
    text = call(table, "--table", "worth", "--format", "tex").stdout
    assert text.count(r"\begin{table}") == text.count(r"\label{tab:study-worth}") == text.count(r"\bottomrule") == 1
    assert "$D_E(N)$" in text
    assert "D\\_" not in text
    page = call(table, "--table", "gain", "--format", "html").stdout
    assert page.count("<table>") == 1


def test_the_title_is_the_readers(table: Path):
    assert call(table, "--title", "Russian & more").stdout.startswith("Russian & more\n====")


def test_the_report_of_several_languages_has_their_mean_and_one_tex_table_of_a_kind(table: Path, tmp_path: Path):
    other = write_study(tmp_path / "other", Study(languages=("sw",), sizes=(30, 100), seeds=2, paragraphs=12))
    record = json.loads(call(table, other, "--json").stdout)
    assert [(row["size"], row["languages"]) for row in record["languages"]] == [(0, 2), (30, 2), (100, 2)]
    assert all(2 <= len(row["verdict"].split()) <= 3 for row in record["verdicts"])
    text = call(table, other, "--format", "tex").stdout
    labels = [line.partition("label{")[2].rstrip("}") for line in text.splitlines() if "label{" in line]
    assert len(labels) == len(set(labels))
    assert sum(label.startswith("tab:study-and-other-gain") for label in labels) == 1


def test_csv_and_json_hold_the_same_quantities(table: Path):
    rows = list(csv.DictReader(io.StringIO(call(table, "-f", "csv").stdout)))
    record = json.loads(call(table, "--json").stdout)
    assert len(rows) == len(record["quantities"])
    gain = next(row for row in rows if (row["quantity"], row["size"]) == ("gain", "30"))
    assert float(gain["value"]) == next(
        q["value"] for q in record["quantities"] if (q["quantity"], q["size"]) == ("gain", 30)
    )
    assert record["options"]["margin"] == 1.0


def test_both_metrics_and_several_tables(table: Path, tmp_path: Path):
    other = write_study(tmp_path / "other", Study(languages=("sw",), sizes=(30, 100), seeds=2, paragraphs=12))
    text = call(table, other, "--metric", "both").stdout
    for title in (
        "Russian, xquad.ru: transfer against target-only, F1",
        "Swahili, xquad.sw: transfer against target-only, EM",
    ):
        assert title in text


def test_failures_beside_the_table_are_named(table: Path):
    table.with_name("failures.csv").write_text(
        'lang,arm,size,seed,attempts,error,when,run_id,log\nru,transfer,300,2,3,"out of memory\non cuda",now,r,l\n'
    )
    text = call(table).stdout
    assert "failed: ru, transfer, N = 300, seed 2: out of memory on cuda" in text


def test_scores_under_squad_are_said_to_be(table: Path):
    table.write_text(table.read_text().replace(",squad,", ",mlqa,"))
    assert "scorer mlqa" in call(table).stdout
    assert "scorer squad" in call(table, "--scorer", "squad").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "docx"), "--format docx: choose from text, md, tex, csv, json, html"),
        (("--out", "a.docx"), "its suffix names no format"),
        (("--metric", "bleu"), "--metric bleu"),
        (("--margin", "0"), "--margin 0"),
        (("--table", "gains"), "--table gains: this report has summary, scores, gain, worth"),
        (("--table", "gain", "--format", "csv"), "--table gain: its forms are text, md, tex and html"),
        (("--floor", "101"), "--floor 101"),
        (("--lang", "de"), "no lang 'de'"),
        (("--split", "valid"), "no split 'valid'"),
    ],
)
def test_a_wrong_word_names_the_right_ones(table: Path, words: tuple[str, ...], said: str):
    with pytest.raises(XlqaError) as caught:
        call(table, *words)
    assert said in str(caught.value)


def test_a_file_that_cannot_be_written_is_said(table: Path, tmp_path: Path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(XlqaError, match="cannot be written"):
        call(table, "--out", tmp_path / "taken" / "report.md")


def test_needs_no_torch_and_imports_light(table: Path):
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'deeppavlov'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from xlqa.cli.report import report\n"
        "assert not {'pandas', 'matplotlib', 'numpy', 'scipy'} & set(sys.modules)\n"
        f"report([Path({str(table)!r})], format='html')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
