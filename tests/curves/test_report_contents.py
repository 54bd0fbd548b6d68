"""The report's words: made from the figures, hedged, escaped, and naming what is missing."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from synthetic import Study, write_study

from xlqa.curves.comparison import Comparison, Options, compare_all
from xlqa.curves.example_scores import ExampleStore
from xlqa.curves.grouping import Panel, split_panels
from xlqa.curves.plots.curves import STYLES
from xlqa.curves.plots.summary import summary_figure
from xlqa.curves.report import export, page, render, tex
from xlqa.curves.report import formatting as w
from xlqa.curves.report.contents import build_report
from xlqa.curves.report.document import Report, Section, Table, join_tables
from xlqa.curves.report.facts import facts
from xlqa.curves.report.html import pictures, runs_tables
from xlqa.curves.report.origin import find_origin
from xlqa.curves.report.sentences import sentences
from xlqa.curves.report.summary import summary_section, verdict
from xlqa.curves.statistics import Plan
from xlqa.curves.table import load_results
from xlqa.curves.variance import Interval

QUICK = Options()
NASTY = Report(
    "a & b <script>",
    "50 % of_it #1",
    ("failed: x | y",),
    (
        Section(
            "s_1 | *2*",
            ("Δ is −1 ± 2 < 3.",),
            (Table("cap $x$", ("N", "a|b"), (("1", "<b>&"),)),),
            ("x^2 ~ {y}",),
            ("m",),
        ),
    ),
    ("“said” \\ done",),
)


def build(folder: Path, drop=None, **changes: object) -> tuple[Report, tuple[Comparison, ...], tuple[Panel, ...]]:
    table = load_results(write_study(folder, Study(**{"seeds": 3, "sizes": (100, 1000, 10000), **changes})))
    if drop is not None:
        table = table[~drop(table)].reset_index(drop=True)
    panels = split_panels(table)
    found = compare_all(panels, ("f1",), ExampleStore(), QUICK)
    return build_report(panels, found, ("f1",), QUICK), found, panels


def say(c: Comparison, **changes: object) -> str:
    return " ".join(sentences(replace(c, **changes), QUICK))


# -------------------------------------------------------------------------------------------------------- wording


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (w.signed(12.34), "+12.3"), (w.signed(-0.42), "−0.4"), (w.signed(-0.01), "0.0"), (w.signed(math.nan), "–"),
        (w.rounded(437.2), "440"), (w.rounded(12_897), "13,000"), (w.rounded(-161), "−160"), (w.rounded(-0.2), "0"),
        (w.rounded(7.4), "7"), (w.censored(math.inf, 100, 10_000), "> 10,000"), (w.censored(-math.inf, 100, 9), "< 100"),
        (w.censored(2.44, 1, 9, "times"), "2.4"), (w.share(0.974), "97 %"), (w.listed(["a", "b", "c"]), "a, b and c"), (w.listed([]), ""),
        (w.counted(1, "seed"), "1 seed"), (w.interval(Interval(0, -1.2, 3.4)), "[−1.2, 3.4]"),
        (w.interval(Interval(0, math.nan, math.nan)), "–"), (w.size(45328), "45,328"),
        (w.censored_interval(Interval(5, 4, math.inf), 1, 300), "[4, > 300]"), (w.percent(-0.02), "0.0"),
        (w.censored_interval(Interval(math.inf, math.inf, math.inf), 1, 300), "> 300"),
        (w.censored_interval(Interval(5, -math.inf, math.inf), 1, 300), "not determined"),
        (w.censored_interval(Interval(5, -math.inf, 80), 1, 300), "[< 1, 80]"),
        (w.censored(math.inf, 10, 256), "> 256"), (w.censored(math.inf, 10, 2755), "> 2,755"),
        (w.share_interval(Interval(0.5, 0.32, 0.71)), "[32, 71] %"),
        (w.share_interval(Interval(0.5, math.nan, math.nan)), "not determined"),
    ],
)  # fmt: skip
def test_numbers_as_words(made: str, expected: str):
    assert made == expected


# ------------------------------------------------------------------------------------------------------- sentences


def test_sentences_with_the_figures_and_their_condition(tmp_path: Path):
    _, (found,), _ = build(tmp_path)
    made = " ".join(sentences(found, QUICK))
    assert f"{w.signed(found.results[0].gain.value)} points at N = 100" in made
    assert "the intervals hold for this source stage alone" in made
    assert "240 questions in 60 paragraphs, scorer squad" in made
    assert f"about {w.rounded(found.zero_shot_worth.value)}" in made
    assert "before N Russian questions" in made


def test_at_every_n_is_only_said_of_the_simultaneous_band(tmp_path: Path):
    _, (found,), _ = build(tmp_path)
    above = tuple(replace(r, gain=Interval(3, 1, 5), band=Interval(3, 0.1, 5.9)) for r in found.results)
    assert "above 0 at every N measured (simultaneous" in say(found, results=above)
    some = (replace(above[0], band=Interval(3, -0.1, 6.1)), *above[1:])
    assert "every N measured" not in say(found, results=some)
    assert "above 0 at N = 1,000 and N = 10,000 (simultaneous" in say(found, results=some)


def test_the_estimand_is_named(tmp_path: Path):
    _, (own,), _ = build(tmp_path / "own", source_seeds=3)
    assert "the intervals include the variation between source stages" in say(own)
    assert "alone" not in say(own).partition("; the intervals")[2].partition(")")[0]
    _, (two,), _ = build(tmp_path / "two", source_seeds=2, seeds=4)
    assert "hold for these 2 source stages alone; with the variation between source stages " in say(two)


def test_n0_has_the_interval_that_its_condition_states_everywhere(tmp_path: Path):
    report, (found,), _ = build(tmp_path, source_seeds=3)
    assert found.confounded
    n0 = found.other.zero_shot_worth
    ends = w.censored_interval(n0, found.n_min, found.n_max)
    assert ends != w.censored_interval(found.zero_shot_worth, found.n_min, found.n_max)
    tables = {table.name: table for section in report.sections for table in section.tables}
    assert tables["worth"].rows[0][:3] == ("0", w.censored(n0.value, found.n_min, found.n_max), ends)
    assert tables["stages"].rows[0][2] == ends
    assert ends in tables["summary"].rows[0][-2]
    assert f"(95 % interval {w.censored_interval(n0, found.n_min, found.n_max, joint=' to ')})" in say(found)
    drawn = summary_figure([found], 0, STYLES["paper"])
    assert any(ends in text.get_text() for ax in drawn.axes for text in ax.texts)


def test_the_source_is_named_as_what_it_is(tmp_path: Path):
    _, (found,), _ = build(tmp_path)
    spanish = replace(found.first, setting={**found.first.setting, "source": "sample.es.train"})
    made = say(found, first=spanish)
    assert "on sample.es.train (Spanish) before" in made
    assert "Spanish was worth" in made
    assert "English" not in made
    frozen = replace(found.first, setting={**found.first.setting, "source": "panx.en.train (frozen up to layer 6)"})
    assert "on panx.en.train (English, frozen up to layer 6) before" in say(found, first=frozen)


def test_collapsed_runs_come_first(tmp_path: Path):
    _, (found,), _ = build(tmp_path)
    first, *others = found.results
    for arm in ("collapsed_with", "collapsed_without"):
        some = replace(found, results=(replace(first, **{arm: 1 / 3}), *others))
        label = some.first.label if arm == "collapsed_with" else some.second.label
        words = f"Some runs scored below 10 F1 (collapsed): {label} at N = 100"
        assert sentences(some, QUICK)[0].startswith(f"{words}.")
        (fact,) = summary_section([some.panel], [some], [], ("f1",), QUICK).facts
        assert fact.endswith(f": {label} at N = 100.")
    every = tuple(replace(r, collapsed_with=1.0, collapsed_without=1.0) for r in found.results)
    (made,) = sentences(replace(found, results=every, learned=False), QUICK)
    assert "nothing was learned" in made
    assert "worth is concluded" in made


def test_no_difference_is_not_called_one(tmp_path: Path):
    _, (found,), _ = build(tmp_path)
    none = [replace(r, gain=Interval(0.1, -2.0, 2.2)) for r in found.results]
    said = say(found, results=tuple(none), break_even=math.nan)
    assert "includes 0 at N = 100 and N = 10,000, where no difference is shown" in said
    assert "not determined" in said


def test_break_even_is_said_as_strongly_as_it_was_measured(tmp_path: Path):
    _, (found,), _ = build(tmp_path)
    assert "From N = 1,000 on" in say(found, break_even=1000.0)
    up = replace(found.results[-1], gain=Interval(3, 2, 4))
    assert "still gained more than 1 point of F1" in say(found, break_even=math.inf, results=(*found.results[:-1], up))
    down = replace(found.results[-1], gain=Interval(-3, -4, -2))
    assert "lowered the score" in say(found, break_even=math.inf, results=(*found.results[:-1], down))


def test_planning_advice_is_the_same_in_the_facts_and_in_the_sentences(tmp_path: Path):
    _, (found,), _ = build(tmp_path)
    first = found.results[0]
    flat = tuple(replace(r, gain=Interval(0.5, -2, 3)) for r in found.results)
    found = replace(found, break_even=math.nan, results=flat)
    for seeds, words in (
        (130.0, "130 seeds can detect a difference of 1 point of F1"),
        (math.inf, "more seeds alone cannot detect"),
    ):
        wide, narrow = Plan(seeds, math.inf, 14.1), Plan(5.0, 400.0, 2.0)
        some = replace(found, results=tuple(replace(r, plan=narrow if r.size > first.size else wide) for r in flat))
        (fact,) = [fact for fact in facts(some, QUICK) if fact.startswith("Planning")]
        for text in (fact, say(some)):
            assert words in text
            assert f"at N = {w.size(first.size)}, where the variance is largest" in text
    assert fact.endswith(
        "With this variance, more seeds alone cannot detect a difference of 1 point of F1 on this test set, and neither can "
        "more test questions with 3 seeds."
    )
    assert "this study detects a difference of 14.1 points of F1" in fact


def test_worth_is_bounded_or_a_side_or_not_determined(tmp_path: Path):
    _, (found,), _ = build(tmp_path)
    beyond = Interval(math.inf, math.inf, math.inf)
    assert "more than Russian questions alone reached with 10,000" in say(found, zero_shot_worth=beyond)
    few = Interval(-math.inf, -math.inf, 120)
    assert "reach with fewer than 100 (95 % interval < 100 to 120)" in say(found, zero_shot_worth=few)
    above = Interval(math.inf, 200, math.inf)
    assert "reach with more than 10,000 (95 % interval 200 to > 10,000)" in say(found, zero_shot_worth=above)
    below = Interval(-math.inf, -math.inf, -math.inf)
    assert "fewer than 100 Russian questions alone reach" in say(found, zero_shot_worth=below)
    unknown = Interval(40, -math.inf, math.inf)
    assert "is not determined between 100 and 10,000" in say(found, zero_shot_worth=unknown)
    only = tuple(replace(r, worth=beyond) for r in found.results)
    assert "English was worth more than 9,900 further examples" in say(found, results=only)
    cost = tuple(replace(r, worth=Interval(-50, -80, -20)) for r in found.results)
    assert "it cost some" in say(found, results=cost)
    nothing = tuple(replace(r, worth=Interval(40, -math.inf, math.inf)) for r in found.results)
    assert "was worth" not in say(found, results=nothing)


def test_one_seed_says_so(tmp_path: Path):
    _, (found,), _ = build(tmp_path, seeds=1)
    assert "one seed in an arm, whose spread no interval here contains" in say(found)


# ---------------------------------------------------------------------------------------------------------- report


def test_runs_are_counted_once_on_however_many_test_sets(tmp_path: Path):
    report, _, _ = build(tmp_path, tests=("xquad", "own"))
    assert report.lead == "18 training runs scored on 2 test sets."


def test_the_title_names_the_source(tmp_path: Path):
    report, _, _ = build(tmp_path)
    assert report.title == "What is English worth?"


def test_both_estimands_stand_in_the_gain_table(tmp_path: Path):
    report, (found,), _ = build(tmp_path, source_seeds=2, seeds=4)
    (table, *_) = report.sections[2].tables
    assert "for these 2 source stages alone" in table.title
    assert table.rows[0][table.header.index("over other stages")] == w.interval(found.other.results[0].gain, 2)
    captions = [table.caption for table in report.sections[2].tables]
    assert "95 % intervals that include the variation between source stages" in captions
    assert any(caption.startswith("Variance components") for caption in captions)


def test_a_fit_that_misses_what_it_was_not_shown_predicts_nothing(tmp_path: Path):
    _, (found,), panels = build(tmp_path, sizes=(30, 100, 300, 1000, 3000, 10000))
    fit = replace(found.fits[0], held_out=1.9, at_bound=False, points=2.0, needed=Interval(500, 400, 600))

    def words(**changes: object) -> str:
        changed = replace(found, fits=(replace(fit, **changes),))
        return render.as_text(build_report(panels, (changed,), ("f1",), QUICK)).replace("\n", " ")

    assert re.search(r"2\s+more\s+points\s+of\s+F1\s+need\s+about\s+500\s+more", words())
    assert "predicts nothing" in re.sub(r"\s+", " ", words(at_bound=True))
    missed = words(held_out=-2.1)
    assert "500 more" not in re.sub(r"\s+", " ", missed)
    assert "so what 2 more points of F1 would need is not predicted" in re.sub(r"\s+", " ", missed)


def test_what_is_missing_is_named_and_not_averaged(tmp_path: Path):
    gone = lambda t: (t["arm"] == "transfer") & (t["size"] == 1000) & (t["seed"] == 1)  # noqa: E731  (a predicate)
    report, _, _ = build(tmp_path, drop=gone)
    text = render.as_text(report)
    assert "missing, and left out of every mean: ru on xquad.ru, transfer, N = 1,000: seed 1" in text
    line = next(line for line in text.splitlines() if line.startswith("1,000"))
    assert "– (2 of 3)" in line


@pytest.mark.parametrize(
    ("arms", "said"),
    [(("transfer",), "no target-only runs"), (("target-only", "monolingual"), "no run saw the source data")],
)
def test_where_nothing_can_be_compared_the_report_says_why(tmp_path: Path, arms: tuple[str, ...], said: str):
    report, found, _ = build(tmp_path, arms=arms)
    assert found == ()
    assert said in " ".join(render.as_text(report).split())


def test_text_fits_a_terminal_but_for_tables_and_aligns(tmp_path: Path):
    report, _, _ = build(tmp_path)
    lines = render.as_text(report).splitlines()
    prose = [line for line in lines if "  " not in line]
    assert max(map(len, prose)) <= 100
    assert render.text_width("中文 é") == 6


# --------------------------------------------------------------------------------------------------------- summary


def test_the_summary_opens_every_form_with_a_row_for_each_result(tmp_path: Path):
    report, (found,), _ = build(tmp_path)
    (table,) = report.sections[0].tables
    assert table.header == (
        "language", "test", "zero-shot", "Δ at N = 100", "Δ at N = 1,000", "Δ at N = 10,000", "N₀", "verdict",
    )  # fmt: skip
    first = found.results[0].gain
    n0 = found.zero_shot_worth
    assert table.rows[0] == (
        "Russian", "xquad.ru", w.percent(found.zero_shot.value), f"{w.signed(first.value)} {w.interval(first)}",
        *(f"{w.signed(r.gain.value)} {w.interval(r.gain)}" for r in found.results[1:]),
        f"{w.rounded(n0.value)} {w.censored_interval(n0, 100, 10_000)}", verdict(found),
    )  # fmt: skip
    words = ("verdict", "over seeds (number of runs)", "Paired gain", "this was computed", "batch")
    for form in (render.as_text, render.as_markdown, tex.as_tex, lambda made: page.as_html(made, {}, ())):
        order = [form(report).index(word) for word in words]
        assert order == sorted(order)


def test_a_panel_without_a_comparison_keeps_its_zero_shot_score(tmp_path: Path):
    report, _, panels = build(tmp_path, arms=("transfer",))
    zero_shot = float(panels[0].curves[0].zero_shot["f1"].mean())
    assert report.sections[0].tables[0].rows == (
        ("Russian", "xquad.ru", w.percent(zero_shot), "–", "nothing to compare"),
    )


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        (((1, 3), (1, 3), (1, 3)), "helps everywhere measured"), (((1, 3), (-1, 3), (-1, 3)), "helps at first"),
        (((-1, 3), (1, 3), (1, 3)), "helps in part"), (((-3, -1), (-3, -1), (-3, -1)), "hurts everywhere measured"),
        (((1, 3), (1, 3), (-3, -1)), "depends on N"), (((-9, 3), (-9, 3), (-9, 3)), "no difference shown"),
        (((math.nan, math.nan),) * 3, "no interval known"),
    ],
)  # fmt: skip
def test_the_verdict_follows_the_intervals_at_all_sizes_together(tmp_path: Path, bands, expected: str):
    _, (found,), _ = build(tmp_path, per_question=False)
    results = tuple(
        replace(r, band=Interval(0, *ends), gain=Interval(0, *ends))
        for r, ends in zip(found.results, bands, strict=True)
    )
    assert verdict(replace(found, results=results, break_even=math.inf)) == expected
    assert verdict(replace(found, results=results, learned=False)) == "nothing was learned"


def test_no_difference_is_found_where_every_interval_is_within_the_margin(tmp_path: Path):
    _, (found,), _ = build(tmp_path)
    none = tuple(replace(r, band=Interval(0, -0.5, 0.5), gain=Interval(0, -0.4, 0.4)) for r in found.results)
    assert verdict(replace(found, results=none, break_even=100.0)) == "makes no difference"


def test_the_origin_names_study_dates_versions_and_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    table = load_results(write_study(tmp_path / "study one", Study(seeds=1, sizes=(100,), per_question=False)))
    table["finished"] = ["2026-11-22T17:04:56+00:00"] * (len(table) - 1) + ["2026-11-24T01:00:00+00:00"]
    path = tmp_path / "study one" / "results.csv"
    found = find_origin(table, [path], "", ("--title", "My title", "--lang", "ru"), ("--lang", "ru"))
    assert (found.name, found.dates) == ("study one", "2026-11-22 to 2026-11-24")
    assert found.commands == (
        "xlqa report 'study one/results.csv' --title 'My title' --lang ru",
        "xlqa report 'study one/results.csv' --lang ru --table gain --format tex",
        "xlqa plot 'study one/results.csv' --lang ru --what curve --out curve.pdf",
    )
    assert ("xlqa", "0.1.0") in found.versions.rows
    assert str(tmp_path) not in str(found)
    panels = split_panels(table)
    made = build_report(panels, compare_all(panels, ("f1",), ExampleStore(), QUICK), ("f1",), QUICK, origin=found)
    assert (made.title, made.lead) == (
        "study one: what is English worth?", "2 training runs scored on 1 test set, 2026-11-22 to 2026-11-24.",
    )  # fmt: skip
    assert find_origin(table, [tmp_path], "My title", (), ()).title == "My title"


def test_the_commands_name_paths_that_exist_where_the_report_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = write_study(tmp_path / "studies" / "ner", Study(seeds=1, sizes=(100,), per_question=False))
    path.with_name("experiment.toml").touch()
    monkeypatch.chdir(tmp_path)
    for given in ("studies/ner/results.csv", "studies/ner"):
        commands = find_origin(load_results(path), [Path(given)], "", (), ()).commands
        assert commands[:2] == ("xlqa sweep --config studies/ner/experiment.toml", f"xlqa report {given}")
        assert f"xlqa plot {given} --what curve --out curve.pdf" in commands


def test_tables_of_one_kind_are_joined_under_the_names_of_their_results():
    one = Table("gain", ("N", "Δ", "x", "x"), (("30", "+1", "a", "b"),), name="gain", note="n1", group="ru")
    two = Table("gain", ("N", "Δ", "y"), (("30", "+2", "c"),), name="gain", note="n2", group="sw")
    other = Table("worth", ("N",), (("30",),), name="worth")
    joined, alone = join_tables([one, other, two])
    assert alone == other
    assert joined.header == ("N", "Δ", "x", "x", "y")
    assert joined.rows == (
        ("ru (n1)",), ("30", "+1", "a", "b", "–"), ("sw (n2)",), ("30", "+2", "–", "–", "c"),
    )  # fmt: skip
    assert joined.note == ""


# ----------------------------------------------------------------------------------------------------------- forms


def test_markdown_escapes_and_keeps_its_columns():
    text = render.as_markdown(NASTY)
    assert "# a & b \\<script\\>" in text
    assert "| N | a\\|b |" in text
    assert "| 1 | \\<b\\>& |" in text
    assert "\\*2\\*" in text


def test_tex_escapes_every_special_letter():
    text = tex.as_tex(NASTY)
    assert r"50 \% of\_it \#1" in text
    assert r"s\_1 \textbar{} *2*" in text
    assert r"$\Delta$ is $-$1 $\pm$ 2 $<$ 3." in text
    assert r"x\textasciicircum{}2 \textasciitilde{} \{y\}" in text
    assert r"cap \$x\$." in text
    assert r"``said'' \textbackslash{} done" in text
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == text.count(r"\label{tab:xlqa-table}") == 1


def test_tex_sets_the_symbols_of_the_statistics_as_mathematics():
    made = tex.escape("D_E(N) and D_T = k · N^α from N = 30 on, 1.2 · N^−0.220, D_E / N at N₀; run_N-1 of A^B")
    assert made == (
        r"$D_E(N)$ and $D_T$ = k $\cdot$ $N^{\alpha}$ from $N$ = 30 on, 1.2 $\cdot$ $N^{-0.220}$, $D_E$ / $N$ at $N_0$; "
        r"run\_N-1 of A\textasciicircum{}B"
    )


class _Parser(HTMLParser):
    VOID = ("meta", "img", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parse(page: str) -> _Parser:
    parser = _Parser()
    parser.feed(page)
    assert parser.open == []
    return parser


def test_html_is_whole_escaped_and_needs_nothing_else(tmp_path: Path):
    assert page.as_html(NASTY, {}, ()).count("<script") == 1
    assert "a & b <script>" in parse(page.as_html(NASTY, {}, ())).words
    report, found, panels = build(tmp_path)
    rows = load_results(tmp_path)
    shown = parse(page.as_html(report, pictures(panels, found, ("f1",), QUICK), runs_tables(rows, panels)))
    assert len(shown.links) == 3
    assert all(link.startswith("data:image/svg+xml;base64,") for link in shown.links)
    assert any(word.startswith("All 19 evaluations") for word in shown.words)
    assert "viewport" in page.as_html(report, {}, ())
    assert not {"link", "iframe"} & set(re.findall(r"<(\w+)", page.as_html(report, {}, ())))


def test_every_column_of_the_table_is_in_the_runs_tables(tmp_path: Path):
    _, _, panels = build(tmp_path)
    rows = load_results(tmp_path)
    varying, common = runs_tables(rows, panels)
    named = {*varying.header, *(name for name, _ in common.rows)}
    filled = {
        name
        for name in rows.columns
        if name not in ("folder", "task") and any(str(cell) not in ("", "nan") for cell in rows[name])
    }
    assert filled <= named
    assert len(varying.rows) == len(rows)


def test_tidy_rows_hold_each_quantity_and_say_where_it_was_cut(tmp_path: Path):
    _, (found,), _ = build(tmp_path, sizes=(30, 100, 300))
    rows = list(export.tidy_rows([found]))
    assert all(set(row) == set(export.TIDY_COLUMNS) for row in rows)
    by = {(row["quantity"], row["size"]): row for row in rows}
    assert by["gain", 30]["value"] == found.results[0].gain.value
    assert (by["effective_data", 300]["value"], by["effective_data", 300]["censored"]) == (300, "value>, low>, high>")
    assert (by["worth", 300]["value"], by["worth", 300]["censored"]) == (0, "value>, low>, high>")
    row = by["break_even", None]
    assert (row["value"], row["censored"]) == (300, "value>")
    (row,) = [r for r in export.tidy_rows([replace(found, break_even=math.nan)]) if r["quantity"] == "break_even"]
    assert row["value"] is None
    assert by["gap_closed", 30]["value"] is None
    assert by["zero_shot_worth", 0]["value"] == 300
    assert all(
        row[name] is None or isinstance(row[name], float | int) for row in rows for name in ("value", "low", "high")
    )
    unknown = replace(found, zero_shot_worth=Interval(40.0, -math.inf, math.inf))
    (row,) = [row for row in export.tidy_rows([unknown]) if row["quantity"] == "zero_shot_worth"]
    assert (row["value"], row["low"], row["high"], row["censored"]) == (40, None, None, "not determined")


def test_the_record_is_json_without_nan(tmp_path: Path):
    report, found, panels = build(tmp_path)
    record = export.as_record(report, panels, found, QUICK, ("f1",))
    assert json.loads(json.dumps(record, allow_nan=False))["sentences"][0]["sentences"][0].startswith("On xquad.ru")


def test_failures_are_listed_in_every_form():
    for form in (render.as_text, render.as_markdown, tex.as_tex):
        assert "failed: x" in form(NASTY)


def test_two_encoders_without_comparisons_have_a_row_each(tmp_path: Path):
    table = load_results(
        write_study(tmp_path, Study(arms=("transfer",), sizes=(), source_seeds=3, seeds=3, per_question=False))
    )
    other = table.assign(model="other", f1=table["f1"] + 25, run_id="o" + table["run_id"].astype(str))
    panels = split_panels(pd.concat([table, other], ignore_index=True))
    made = build_report(panels, (), ("f1",), QUICK)
    summary = next(t for section in made.sections for t in section.tables if t.name == "summary")
    means = [f"{table['f1'].mean() + more:.1f}" for more in (0, 25)]
    assert sorted(row[2:4] for row in summary.rows) == sorted(
        [("transfer, bert-base-multilingual-cased", means[0]), ("transfer, other", means[1])]
    )
    assert made.lead == "6 source stages scored on 1 test set."


def test_the_gap_needs_the_zero_shot_score(tmp_path: Path):
    _, (found,), _ = build(tmp_path, drop=lambda table: table["size"] == 0)
    assert "Share of the gap closed: needs the zero-shot score (--sizes 0,…)." in facts(found, QUICK)
