"""The published studies: tables are rebuilt from the packed runs, figures from the tables, and the READMEs agree with both."""

from __future__ import annotations

import csv
import json
import re
import statistics
import subprocess
import sys
import tarfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from documents import ROOT

from xlqa.cli import main
from xlqa.records import Arm
from xlqa.runs.plan.request import build_request, read_experiment

EXPERIMENTS = ROOT / "experiments"
DEFINED = sorted(path.parent for path in EXPERIMENTS.rglob("experiment.toml"))
PUBLISHED = [folder for folder in DEFINED if (folder / "results.csv").is_file()]
ROW = re.compile(r"^\| (?P<n>[\d,]+)\b[^|]*\|(?P<cells>.*)\|$")

CURVES = [folder for folder in PUBLISHED if (folder / "gain.png").is_file()]
FIGURES = sorted(figure for folder in PUBLISHED for figure in folder.glob("*.png"))
ENGLISH = EXPERIMENTS / "english-encoder"
LATIN = ENGLISH / "russian-latin"
METRICS = {"F1": "f1", "accuracy": "accuracy"}
TOPIC_COLUMNS = (("transfer", 0), ("transfer", 100), ("target-only", 100))


def name_folder(folder: Path) -> str:
    """A study's folder below experiments/."""
    return folder.relative_to(EXPERIMENTS).as_posix()


published = pytest.mark.parametrize("folder", PUBLISHED, ids=name_folder)
with_curves = pytest.mark.parametrize("folder", CURVES, ids=name_folder)


def test_studies_are_there() -> None:
    control = {f"english-encoder/{name}" for name in ("swahili", "russian", "russian-latin")}
    assert {name_folder(folder) for folder in PUBLISHED} >= control
    assert {name_folder(folder) for folder in CURVES} >= control - {"english-encoder/russian-latin"}
    assert "konovalov2020" in {name_folder(folder) for folder in DEFINED}


@pytest.mark.parametrize("folder", DEFINED, ids=name_folder)
def test_the_definition_is_one_that_sweep_takes(folder: Path) -> None:
    settings = read_experiment(folder / "experiment.toml")
    request = build_request(settings)
    assert request.sizes or request.arms == (Arm.TRANSFER,)


@published
def test_packed_runs_give_back_the_table(folder: Path, tmp_path: Path) -> None:
    with tarfile.open(folder / "runs.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    assert main(["collect", str(tmp_path)]) == 0
    assert (tmp_path / "results.csv").read_bytes() == (folder / "results.csv").read_bytes()


def test_the_zero_shot_readme_states_the_table_and_the_correlations(capsys: pytest.CaptureFixture[str]) -> None:
    from scipy.stats import spearmanr

    from xlqa.util.languages import language_name

    folder = EXPERIMENTS / "zero-shot"
    text = " ".join((folder / "README.md").read_text(encoding="utf-8").replace("−", "-").split())
    ours, published = [], []
    for (code, test), own in pd.read_csv(folder / "results.csv").groupby(["lang", "test"]):
        cells = [f"{own[c].mean():.1f} ± {own[c].std():.1f}" for c in ("f1", "em")]
        row = re.search(rf"\| {language_name(str(code))} \| {re.escape(' | '.join(cells))} \| ([\d.]+|–)", text)
        assert row, (code, test, cells)
        if row[1] != "–":
            ours.append(own.f1.mean())
            published.append(float(row[1]))
    assert len(ours) == 12
    assert f"ρ = {spearmanr(ours, published).statistic:.2f}" in text
    assert main(["explain", str(folder / "results.csv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["correlations"]
    for row in found:
        if row["low"] > 0 or row["high"] < 0:
            assert "{rho:.2f}".format(**row) in text, row
            assert "{low:.2f} to {high:.2f}".format(**row) in text, row


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: f"{name_folder(figure.parent)}-{figure.stem}")
def test_figures_are_redrawn_from_the_table(figure: Path, tmp_path: Path) -> None:
    from matplotlib.image import imread

    drawn = tmp_path / figure.name
    assert main(["plot", str(figure.parent / "results.csv"), "--what", figure.stem, "--out", str(drawn)]) == 0
    ours, theirs = imread(drawn), imread(figure)
    assert ours.shape == theirs.shape
    # Letters may differ by a shade where fonts are drawn by another version; lines elsewhere may not.
    assert np.mean(np.abs(ours - theirs) > 0.2) < 0.001


QA_STUDIES = ("russian/results.csv", "chinese/results.csv")
FROZEN = {layers: f"layers/frozen-{layers}" for layers in (0, 3, 6, 9)}


@pytest.mark.parametrize(
    ("figure", "tables", "flags"),
    [
        (
            "summary",
            (*QA_STUDIES, "ner/results.csv", "pos/results.csv", "topic/sizes/results.csv"),
            ("--what", "summary"),
        ),
        ("curves", QA_STUDIES, ("--metric", "f1")),
        (
            "layers/layers",
            tuple(f"{name}/results.csv" for name in FROZEN.values()),
            ("--what", "layers", "--lang", "ru"),
        ),
        ("pairs/xquad", ("pairs/xquad.csv",), ("--what", "pairs")),
        ("pairs/mlqa", ("pairs/mlqa.csv",), ("--what", "pairs")),
    ],
)
def test_figures_of_several_tables_are_redrawn(
    figure: str, tables: tuple[str, ...], flags: tuple[str, ...], tmp_path: Path
) -> None:
    from matplotlib.image import imread

    drawn = tmp_path / "drawn.png"
    assert main(["plot", *(str(EXPERIMENTS / table) for table in tables), *flags, "--out", str(drawn)]) == 0
    ours, theirs = imread(drawn), imread(EXPERIMENTS / f"{figure}.png")
    assert ours.shape == theirs.shape
    assert np.mean(np.abs(ours - theirs) > 0.2) < 0.001


@pytest.mark.parametrize(("name", "heading", "pairs"), [("xquad", "XQuAD", 144), ("mlqa", "MLQA dev", 49)])
def test_the_pairs_readme_states_the_means_of_its_tables(name: str, heading: str, pairs: int) -> None:
    from xlqa.curves.pairs import build_matrices, load_pairs

    rows = load_pairs([EXPERIMENTS / "pairs" / f"{name}.csv"])
    (matrix,) = build_matrices(rows)
    stages = sorted({row["source_seed"] for row in rows})
    assert len(rows) == pairs * len(stages)
    assert not np.isnan(matrix.values).any()
    each = [build_matrices([row for row in rows if row["source_seed"] == stage])[0] for stage in stages]
    costs = [one.mean_of_same() - one.mean_of_different() for one in each]
    text = " ".join((EXPERIMENTS / "pairs" / "README.md").read_text(encoding="utf-8").split())
    spread = f" ± {statistics.stdev(costs):.1f}" if len(costs) > 1 else ""
    cells = [f"{heading}, {pairs} pairs", f"{matrix.mean_of_same():.1f}", f"{matrix.mean_of_different():.1f}",
             f"{statistics.mean(costs):.1f}{spread}", str(len(stages))]  # fmt: skip
    assert f"| {' | '.join(cells)} |" in text
    english = int(sum(matrix.values.argmax(axis=1) == matrix.context_langs.index("en")))
    assert f"for {english} of {len(matrix.question_langs)} " in text
    if name == "xquad":
        for langs, means in (
            (matrix.context_langs, matrix.values.mean(0)),
            (matrix.question_langs, matrix.values.mean(1)),
        ):
            assert f"from {min(means):.1f} (" in text, langs
            assert f" to {max(means):.1f} (" in text, langs


@pytest.mark.parametrize("name", ["xquad", "mlqa"])
def test_the_packed_answers_have_the_rows_of_the_pairs(name: str) -> None:
    with (EXPERIMENTS / "pairs" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        table = {(row["source_seed"], row["question_lang"], row["context_lang"]): row for row in csv.DictReader(file)}
    found = 0
    with tarfile.open(EXPERIMENTS / "pairs" / f"{name}.tar.xz") as archive:
        for member in archive:
            packed = archive.extractfile(member)
            assert packed is not None
            record = json.load(packed)
            own = record["row"]
            row = table[str(own["source_seed"]), own["question_lang"], own["context_lang"]]
            assert float(row["f1"]) == pytest.approx(own["f1"], abs=1e-6)
            assert int(row["n"]) == len(record["predictions"])
            found += 1
    assert found == len(table)


def test_the_layers_readme_states_the_means_of_its_tables(tmp_path: Path) -> None:
    text = (EXPERIMENTS / "layers" / "README.md").read_text(encoding="utf-8")
    for layers, name in FROZEN.items():
        (tmp_path / str(layers)).mkdir()
        test_packed_runs_give_back_the_table(EXPERIMENTS / name, tmp_path / str(layers))
        by_size = pd.read_csv(EXPERIMENTS / name / "results.csv").groupby("size").f1
        cells = [f"{mean:.1f} ± {spread:.1f}" for mean, spread in zip(by_size.mean(), by_size.std(), strict=True)]
        assert f"| {layers or 'embeddings'} | {' | '.join(cells)} |" in text


def test_entities_state_the_means_over_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(EXPERIMENTS / "ner" / "results.csv"), "--json"]) == 0
    means = json.loads(capsys.readouterr().out)["languages"]
    text = " ".join((EXPERIMENTS / "ner" / "README.md").read_text(encoding="utf-8").replace("−", "-").split())
    first, *others = [mean for mean in means if mean["size"]]
    assert len(others) == 2
    words = "{mean:.1f} points of F1 at N = {size} (95 % interval over languages {low:.1f} to {high:.1f})"
    assert words.format(**first) in text
    for mean in others:
        assert "{mean:.1f} at N = {size} ({low:.1f} to {high:.1f})".format(**mean) in text


def test_topics_state_the_table_the_mean_and_the_correlations(capsys: pytest.CaptureFixture[str]) -> None:
    from xlqa.util.languages import language_name

    folder = EXPERIMENTS / "topic"
    text = " ".join((folder / "README.md").read_text(encoding="utf-8").replace("−", "-").split())
    table = pd.read_csv(folder / "results.csv")
    assert main(["report", str(folder / "results.csv"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    for code, own in table.groupby("lang"):
        chosen = [own[(own.arm == arm) & (own["size"] == size)].accuracy for arm, size in TOPIC_COLUMNS]
        (gain,) = [row for row in report["quantities"] if row["quantity"] == "gain" and row["stages"] == "given"
                   and row["test"] == f"sib200.{code}.test"]  # fmt: skip
        cells = [language_name(str(code)), *(f"{scores.mean():.1f} ± {scores.std():.1f}" for scores in chosen)]
        assert f"| {' | '.join(cells)} | {gain['value']:+.1f} | {gain['low']:.1f} to {gain['high']:.1f} |" in text
    (mean,) = [row for row in report["languages"] if row["size"] == 100]
    words = "{mean:.1f} points of accuracy on average over the {languages} languages (95 % interval over languages {low:.1f} to {high:.1f})"
    assert words.format(**mean) in text
    assert main(["explain", str(folder / "results.csv"), "--json"]) == 0
    clear = [row for row in json.loads(capsys.readouterr().out)["correlations"] if row["low"] > 0 or row["high"] < 0]
    stated = [row for row in clear if row["feature"] != "untouched"]  # it is the counterpart of overlap_types
    assert len(stated) == 5
    for row in stated:
        assert "{rho:.2f}, ".format(**row) in text
        assert "{low:.2f} to {high:.2f}".format(**row) in text


def test_topics_state_the_table_of_more_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    from xlqa.util.languages import language_name

    folder = EXPERIMENTS / "topic"
    text = " ".join((folder / "README.md").read_text(encoding="utf-8").replace("−", "-").split())
    table = pd.read_csv(folder / "sizes" / "results.csv")
    assert main(["report", str(folder / "sizes" / "results.csv"), "--json"]) == 0
    rows = [row for row in json.loads(capsys.readouterr().out)["quantities"] if row["stages"] == "other"]
    for code, own in table.groupby("lang"):
        chosen = [own[(own.arm == arm) & (own["size"] == 500)].accuracy for arm in ("transfer", "target-only")]
        (gain,) = [row for row in rows if row["quantity"] == "gain" and row["size"] == 500
                   and row["test"] == f"sib200.{code}.test"]  # fmt: skip
        cells = [language_name(str(code)), *(f"{scores.mean():.1f} ± {scores.std():.1f}" for scores in chosen)]
        assert f"| {' | '.join(cells)} | {gain['value']:+.1f} | {gain['low']:.1f} to {gain['high']:.1f} |" in text
    both = pd.read_csv(folder / "results.csv").merge(table, on=["run_id", "test"])
    assert len(both) == 36  # zero-shot and N = 100 are the same runs in both tables
    assert (both.accuracy_x == both.accuracy_y).all()


@with_curves
def test_the_report_is_the_same_in_any_process(folder: Path) -> None:
    """Words and numbers are those of the published page; figures within it don't depend on the seed of hashes."""
    command = [
        sys.executable,
        "-c",
        "import sys; from xlqa.cli import main; sys.exit(main())",
        "report",
        str(folder / "results.csv"),
        "--format",
        "html",
    ]
    pages = [
        subprocess.run(
            command, env={"PYTHONHASHSEED": seed, "PATH": ""}, capture_output=True, check=True, text=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert pages[0] == pages[1]
    without_pictures = [
        re.sub(r'src="data:[^"]*"', "", page)
        for page in (pages[0], (folder / "report.html").read_text(encoding="utf-8"))
    ]
    assert without_pictures[0] == without_pictures[1]


def readme_tables(folder: Path) -> dict[str, dict[int, dict[str, str]]]:
    """The tables of scores in a study's README: cells by test set ("" where it isn't said), N and heading."""
    found: dict[str, dict[int, dict[str, str]]] = defaultdict(dict)
    test, headings = "", []
    for line in (folder / "README.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| N"):
            first, *headings = (cell.strip() for cell in line.strip("|").split("|"))
            test = first.partition(",")[2].strip()
        elif (match := ROW.match(line)) and headings:
            cells = [cell.strip() for cell in match["cells"].split("|")]
            found[test][int(match["n"].replace(",", ""))] = dict(zip(headings, cells, strict=True))
        elif not line.startswith("|"):
            headings = []
    return found


@with_curves
def test_readme_states_the_means_of_the_table(folder: Path) -> None:
    table = pd.read_csv(folder / "results.csv")
    stated = 0
    for test, rows in readme_tables(folder).items():
        for size, cells in rows.items():
            for heading, cell in cells.items():
                arm, _, column = heading.partition(" ")
                if column not in METRICS or cell == "–":
                    continue
                chosen = table[(table.arm == arm) & (table["size"].astype(str) == str(size))]
                scores = list((chosen[chosen.test == test] if test else chosen)[METRICS[column]])
                mean, *spread = (float(part) for part in re.findall(r"[\d.]+", cell))
                assert mean == pytest.approx(statistics.mean(scores), abs=0.0501), (test, size, heading)
                if spread:
                    assert spread[0] == pytest.approx(statistics.stdev(scores), abs=0.0501), (test, size, heading)
                else:
                    assert len(scores) == 1
                stated += 1
    assert stated >= 9


@with_curves
def test_readme_states_the_gains_of_the_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(folder / "results.csv"), "--json"]) == 0
    rows = [row for row in json.loads(capsys.readouterr().out)["quantities"]
            if row["quantity"] == "gain" and row["stages"] == "given"]  # fmt: skip
    stated = 0
    for test, sizes in readme_tables(folder).items():
        for size, cells in sizes.items():
            if cells.get("gain Δ", "–") == "–":
                continue
            (row,) = [r for r in rows if (r["arm"], r["size"]) == ("transfer", size) and test in ("", r["test"])]
            values = [cells["gain Δ"], *cells["95 % interval"].split(" to ")]
            numbers = [float(value.replace("−", "-")) for value in values]
            assert numbers == pytest.approx([row["value"], row["low"], row["high"]], abs=0.0501), (test, size)
            stated += 1
    assert stated >= 4


def test_the_two_scripts_compare_as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(LATIN))
    import compare

    with (LATIN / "script.csv").open(newline="", encoding="utf-8") as file:
        told = list(csv.DictReader(file))
    found = [{key: str(value) for key, value in row.items()} for row in compare.compare()]
    assert found == told
    way, text = compare.way_to_english(), (LATIN / "README.md").read_text(encoding="utf-8")
    assert f"{way.value:.0f} % of these come back" in text
    assert f"(95 % interval {way.low:.0f} to {way.high:.0f} %" in text
    zero_shot = {row["test"]: row for row in told if row["size"] == "0" and row["metric"] == "f1"}
    tables = pd.read_csv(ENGLISH / "russian" / "results.csv"), pd.read_csv(LATIN / "results.csv")
    for test, row in zero_shot.items():
        means = [
            float(table[(table["size"] == 0) & (table["test"] == f"{test}{end}")]["f1"].mean())
            for table, end in zip(tables, ("", ".latin"), strict=True)
        ]
        assert [float(row["cyrillic"]), float(row["latin"])] == pytest.approx(means, abs=0.0051)
        assert float(row["low"]) < means[1] - means[0] < float(row["high"])


def test_the_latin_readme_states_that_table() -> None:
    text = (LATIN / "README.md").read_text(encoding="utf-8").replace("−", "-")
    with (LATIN / "script.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == "f1"]
    assert len(rows) >= 2
    for row in rows:
        change, low, high = (float(row[name]) for name in ("difference", "low", "high"))
        cells = f"| {float(row['cyrillic']):.1f} | {float(row['latin']):.1f} | {change:+.1f} [{low:.1f}, {high:.1f}] |"
        assert cells in text


def test_parts_of_speech_state_what_zero_shot_is_worth(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(EXPERIMENTS / "pos" / "results.csv"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["quantities"]
    text = " ".join((EXPERIMENTS / "pos" / "README.md").read_text(encoding="utf-8").split())
    worth = {row["test"]: row for row in rows if row["quantity"] == "zero_shot_worth" and row["stages"] == "given"}
    ends = [round(worth["ru_pud-ud-test"][name], -1) for name in ("value", "low", "high")]
    assert "about {:.0f} sentences in Russian (95 % interval {:.0f} to {:.0f})".format(*ends) in text
    assert all(worth[test]["high"] == 20 for test in ("masakhapos.sw.test", "zh_pud-ud-test"))
