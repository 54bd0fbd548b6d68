"""The Python face: frames, axes and plain records, and the same errors as on the command line."""

from __future__ import annotations

import inspect
import pydoc
from pathlib import Path
from typing import Any

import pytest
from documents import run_words, sample_part
from executors import FixedExecutor, ScriptedSlot, in_process

import xlqa
from xlqa.api import Failure
from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import RESULT_COLUMNS
from xlqa.runs.execute.events import Failed
from xlqa.runs.plan.request import build_request
from xlqa.settings import SETTINGS
from xlqa.tasks.qa.reading import read_dataset

SMALL: dict[str, Any] = {
    "sizes": [8, 16], "seeds": 2, "source_seeds": 1, "source_train": "sample.en.train", "source_size": 16, "epochs": 1.0, "source_epochs": 1.0,
    "min_steps": 2, "batch_size": 8, "lr": 1e-3, "max_length": 160, "precision": "fp32", "device": "cpu",
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import json

    folder = tmp_path_factory.mktemp("files")
    for name, part in (
        ("train", sample_part("es.train", 0, 2, 4)), ("one", sample_part("es.test", 0, 3, 1)),
        ("two", sample_part("es.test", 3, 3, 1)),
    ):  # fmt: skip
        (folder / f"{name}.json").write_text(json.dumps(part, ensure_ascii=False), encoding="utf-8")
    qas = [{"id": "a", "question": "Who?", "answers": [{"text": "Anna", "answer_start": 0}]}]
    (folder / "set.json").write_text(json.dumps({"data": [{"paragraphs": [{"context": "Anna.", "qas": qas}]}]}))
    return folder


@pytest.fixture(scope="module")
def done(encoder: Path, files: Path, tmp_path_factory: pytest.TempPathFactory) -> xlqa.Sweep:
    return xlqa.sweep(
        "es", model=encoder, target_train={"es": files / "train.json"}, executor=in_process(),
        target_test={"es": [files / "one.json", files / "two.json"]}, out=tmp_path_factory.mktemp("api") / "es", **SMALL,
    )  # fmt: skip


def test_a_sweep_gives_a_frame(done: xlqa.Sweep) -> None:
    assert list(done.results.columns) == [*RESULT_COLUMNS, "folder"]
    assert len(done.results) == 2 * (1 + 2 * 2 * 2)
    assert set(done.results["test"]) == {"one", "two"}
    assert (done.done_before, done.done_now, done.failures) == (0, 9, ())
    assert (done.folder / "results.csv").is_file()


def test_finished_runs_are_skipped(done: xlqa.Sweep, encoder: Path, files: Path) -> None:
    again = xlqa.sweep(
        ["es"], model=str(encoder), target_train=str(files / "train.json"),
        target_test=[files / "one.json", files / "two.json"], out=done.folder, executor=in_process(), **SMALL,
    )  # fmt: skip
    assert (again.done_before, again.done_now) == (9, 0)
    assert again.results.equals(done.results)


def test_help_shows_every_setting_with_its_default() -> None:
    shown = inspect.signature(xlqa.sweep).parameters
    assert next(iter(shown)) == "lang"
    assert set(shown) == {*SETTINGS, "executor"}
    assert shown["lr"].default == 3e-5
    assert "warmup: Share of the steps in which the learning rate rises. [default: 0.1]" in " ".join(
        pydoc.render_doc(xlqa.sweep).split()
    )


def test_values_per_language_reach_the_request() -> None:
    tests: dict[str, Any] = {"ru": ["a.json", Path("b.json")], "zh": Path("c.json")}
    request = build_request({"lang": "ru,zh", "target_test": tests, "sizes": (100, "full"), "seeds": range(2)})
    assert request.target_test == {"ru": ("a.json", "b.json"), "zh": ("c.json",)}
    assert request.sizes == (100, "full")
    assert request.seeds == (0, 1)


def test_bad_input_raises_all_its_complaints() -> None:
    with pytest.raises(xlqa.XlqaError) as caught:
        xlqa.sweep("ru", sizes=["many"], seeds=0)
    assert isinstance(caught.value, ManyErrors)
    assert len(caught.value.complaints) == 2
    with pytest.raises(xlqa.XlqaError, match="unknown setting 'epoch': did you mean 'epochs'"):
        xlqa.sweep("ru", epoch=3)  # type: ignore[call-arg]  # a slip that a type checker sees too


def test_runs_that_fail_are_reported_and_do_not_raise(encoder: Path, files: Path, tmp_path: Path) -> None:
    failing = FixedExecutor(ScriptedSlot(lambda folder: Failed("out of memory.")))
    lost = xlqa.sweep(
        "es", model=encoder, target_train=files / "train.json", target_test=files / "one.json", out=tmp_path / "out",
        executor=failing, **SMALL | {"sizes": 8, "seeds": 1},
    )  # fmt: skip
    assert Failure("es target-only 8 seed 0", "out of memory.") in lost.failures
    assert len(lost.results) == 0
    assert list(lost.results.columns) == [*RESULT_COLUMNS, "folder"]


def test_results_are_loaded_from_files_and_folders(done: xlqa.Sweep) -> None:
    assert xlqa.load_results(done.folder).equals(done.results)
    assert xlqa.load_results([done.folder / "results.csv"]).equals(done.results)
    with pytest.raises(xlqa.XlqaError, match="there is no such file"):
        xlqa.load_results(done.folder / "nothing.csv")


@pytest.mark.parametrize("what", ["curve", "gain", "worth"])
def test_a_plot_is_drawn_on_the_axes_given(done: xlqa.Sweep, what: Any) -> None:
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    learned = done.results.assign(f1=done.results.f1 + 30)  # the tiny encoder learns nothing, and a worth needs that
    assert xlqa.plot(learned, what=what, metric="em", test="one", ax=ax) is ax
    assert "EM" in ax.get_ylabel()
    assert "scorer: mlqa.es" in ax.get_ylabel()
    assert ax.get_title(loc="left") == "Spanish · one"
    legend = ax.get_legend()
    assert legend is not None
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == (["transfer", "target-only"] if what == "curve" else ["transfer"])


def test_a_worth_of_runs_that_learned_nothing_is_refused_with_the_reason(done: xlqa.Sweep) -> None:
    with pytest.raises(XlqaError, match="no run scored above 10 F1"):  # it scores about 8
        xlqa.plot(done.results, what="worth", metric="em", test="one")


def test_without_axes_there_is_a_new_figure(done: xlqa.Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    from matplotlib import pyplot

    before = len(pyplot.get_fignums())
    ax = xlqa.plot(done.folder, lang="es", test="two", seeds=[0, 1], scorer="squad")
    assert len(pyplot.get_fignums()) == before + 1
    assert "scorer: squad" in ax.get_ylabel()
    pyplot.close(ax.figure)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, r"there are 2 panels to draw \(es on one; es on two\)"),
        ({"what": "pie", "test": "one"}, "what='pie': choose from curve, gain, worth"),
        ({"metric": "f2", "test": "one"}, "metric='f2'"),
        ({"style": "big", "test": "one"}, "style='big'"),
        ({"test": "three"}, "the table has no test 'three'"),
    ],
)
def test_what_cannot_be_drawn_says_why(done: xlqa.Sweep, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(xlqa.XlqaError, match=message):
        xlqa.plot(done.results, **changes)


def test_a_gain_takes_two_arms(done: xlqa.Sweep) -> None:
    transfer = done.results[done.results["arm"] == "transfer"]
    with pytest.raises(xlqa.XlqaError, match="it takes transfer"):
        xlqa.plot(transfer, what="gain", test="one")


def test_asking_gives_pieces_of_the_text(done: xlqa.Sweep) -> None:
    context = "Mara vive en la ciudad de Brenna, junto al río."
    spans = xlqa.ask(context, "Where does Mara live?", home=done.folder, top_k=3, device="cpu")
    assert 1 <= len(spans) <= 3
    assert all(context[span.start : span.end] == span.text for span in spans)
    assert spans[0].text in repr(spans)
    assert "Where does Mara live?" in spans._repr_html_()
    with pytest.raises(xlqa.XlqaError, match="the question is empty"):
        xlqa.ask(context, " ", home=done.folder)
    with pytest.raises(xlqa.XlqaError, match="top_k is 0: use 1 or more"):
        xlqa.ask(context, "Where?", home=done.folder, top_k=0)


def test_the_package_shows_what_it_has() -> None:
    assert {"ask", "load_results", "plot", "sweep"} <= set(dir(xlqa))
    with pytest.raises(AttributeError, match="module 'xlqa' has no attribute 'train'"):
        _ = xlqa.train  # type: ignore[attr-defined]  # that is what is tested


def test_every_object_shows_itself_in_a_terminal_and_in_a_notebook(done: xlqa.Sweep, files: Path) -> None:
    for shown, words in (
        (done, ("9 runs done now", "target-only", "one")),
        (xlqa.status(done.folder), ("9 runs: 9 done", "TARGET-ONLY")),
        (xlqa.report(done), ("what is English worth?",)),
        (xlqa.compare(done, done), ("transfer", "difference")),
        (xlqa.score({"a": "Anna"}, files / "set.json"), ("set: 1 question", "squad")),
    ):
        text, page = repr(shown), shown._repr_html_()
        for word in words:
            assert word.lower() in text.lower()
            assert word.lower() in page.lower()
        # Colours of their own would be wrong on a light or on a dark page.
        assert "<table>" in page
        assert "color" not in page


def test_what_comes_from_data_is_escaped_in_a_notebook() -> None:
    from xlqa.api import Answers, Tagged
    from xlqa.predict import Entity
    from xlqa.tasks.qa.decoding import Span

    text = "Mara & <i>Bo</i>"
    page = Answers([Span("<i>Bo", 7, 12, 0.5)], text, "<script>?")._repr_html_()
    assert "<script>" not in page
    assert "Mara &amp; <b><u>&lt;i&gt;Bo</u></b> <sub>0.50</sub>&lt;/i&gt;" in page
    assert "<b><u>Mara</u></b> <sub>PER</sub> &amp; &lt;i" in Tagged([Entity("PER", 0, 4)], text)._repr_html_()


def test_a_question_that_is_left_unanswered_is_shown_as_such() -> None:
    from xlqa.api import Answers
    from xlqa.tasks.qa.decoding import Span

    none, second = Span("", -1, -1, 0.9), Span("Bo", 7, 9, 0.05)
    found = Answers([none, second], "Mara & Bo", "Who?")
    assert repr(found) == "no answer  (0.90)\nBo  (0.05)"
    assert "Who? (no answer)" in found._repr_html_()
    assert "<u>" not in found._repr_html_()
    assert "no answer (0.90)" in Answers([second, none], "Mara & Bo", "Who?")._repr_html_()


def test_a_report_is_that_of_the_command(done: xlqa.Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run_words(["report", str(done.folder), "--test", "one", "--margin", "2"]) == 0
    made = xlqa.report(done, test="one", margin=2, out=tmp_path / "one.md")
    assert capsys.readouterr().out == str(made)
    assert (tmp_path / "one.md").read_text(encoding="utf-8") == made.render("md")
    assert set(made.quantities["test"]) == {"one"}
    assert (
        xlqa.report(done.results[done.results["test"] == "one"], margin=2).document.tables[0] == made.document.tables[0]
    )
    assert made.save(tmp_path / "gain.tex", table="gain").read_text(encoding="utf-8").startswith("%")
    with pytest.raises(xlqa.XlqaError, match="--format pdf"):
        made.render("pdf")
    with pytest.raises(xlqa.XlqaError, match="--margin 0: give points above 0"):
        xlqa.report(done, margin=0)


def test_a_status_is_that_of_the_command(done: xlqa.Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    found = xlqa.status(done.folder)
    assert found.counts["done"] == len(found.runs) == 9
    assert list(found.table["done"]) == list(found.table["runs"])
    capsys.readouterr()
    assert run_words(["status", str(done.folder)]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == str(found).splitlines()[2:]  # the first has an age
    with pytest.raises(xlqa.XlqaError):
        xlqa.status(done.folder / "runs")


def test_a_kept_model_is_scored_on_a_table_with_names_of_its_own(done: xlqa.Sweep, files: Path, tmp_path: Path) -> None:
    import json
    import shutil

    folder = tmp_path / "es"
    shutil.copytree(done.folder, folder, symlinks=True)
    reading = read_dataset(files / "one.json")
    rows = [{"nr": q.id, "q": q.question, "text": q.context, "a": [q.answers[0].text]} for q in reading.questions[:3]]
    (tmp_path / "own.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    run = next((folder / "runs").glob("es-transfer-*/model")).parent.name
    names = {"id": "nr", "question": "q", "context": "text", "answers": "a"}
    found = xlqa.evaluate(run, tmp_path / "own.jsonl", columns=names, lang="es", device="cpu", home=folder)
    assert (found.row["test"], found.row["questions"], found.row["scorer"]) == ("own", 3, "mlqa.es")
    assert found.scores == {name: found.row[name] for name in ("f1", "em", "squad_f1", "squad_em")}
    assert f"{run} on own: F1" in repr(found)
    assert "<td" in found._repr_html_()
    assert "own" in set(xlqa.load_results(folder)["test"])
    # What was scored is in the folder, under the usual names.
    (copy,) = (folder / "data").rglob("*own*")
    assert read_dataset(copy).questions == reading.questions[:3]
    for test, columns, message in (
        ("", {}, "give a test set"), ("sample.es.test", {"question": "q"}, "no data set has such a column"),
        (tmp_path / "own.jsonl", "nr=id", "--columns nr: write FIELD=NAME"),
    ):  # fmt: skip
        with pytest.raises(xlqa.XlqaError, match=message):
            xlqa.evaluate(run, test, columns=columns, device="cpu", home=folder)


def test_answers_are_scored_from_a_mapping_as_from_a_file(files: Path, tmp_path: Path) -> None:
    import json

    gold = files / "set.json"
    (tmp_path / "answers.json").write_text(json.dumps({"a": "Anna B.", "b": "x"}))
    found = xlqa.score({"a": "Anna B.", "b": "x"}, gold, per_question=tmp_path / "each.csv")
    assert found.as_record() == xlqa.score(tmp_path / "answers.json", gold).as_record()
    assert (found.em, round(found.f1, 2), found.extra) == (0.0, 66.67, 1)
    assert list(found.table["scorer"]) == ["squad"]
    assert found.per_question.to_dict("records") == [{"id": "a", "em": 0.0, "f1": pytest.approx(200 / 3)}]
    assert (tmp_path / "each.csv").is_file()
    assert "1 prediction belongs to no question" in found.notes[0]
    with pytest.raises(xlqa.XlqaError, match="the prediction of a is not a text"):
        xlqa.score({"a": 1}, gold)  # type: ignore[dict-item]  # a slip that a type checker sees too


def test_the_frame_has_the_dtypes_of_the_data_dictionary(done: xlqa.Sweep) -> None:
    from xlqa.columns import describe_columns
    from xlqa.curves.table import no_results

    kinds = {column.name: column.dtype for column in describe_columns(RESULT_COLUMNS)} | {"folder": "str"}
    for frame in (done.results, no_results()):
        assert list(frame.columns) == list(kinds)
        for name, kind in kinds.items():
            # pandas before version 3 calls a column of texts object.
            assert str(frame[name].dtype) == kind or (kind == "str" and str(frame[name].dtype) == "object")
    assert all(isinstance(cell, str) for name, kind in kinds.items() if kind == "str" for cell in done.results[name])


def test_words_seeds_and_home_are_read_as_in_a_sweep(
    done: xlqa.Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xlqa.api.results import as_words, chosen_seeds

    assert as_words("ru, es") == as_words(["ru", "es"]) == ("ru", "es")
    assert as_words("") == ()
    assert chosen_seeds(3) == (3,)
    assert chosen_seeds("0-2,7") == (0, 1, 2, 7)
    assert chosen_seeds([1, 2]) == (1, 2)
    monkeypatch.setenv("HOME", str(done.folder.parent))
    assert len(xlqa.load_results(f"~/{done.folder.name}")) == len(done.results)
