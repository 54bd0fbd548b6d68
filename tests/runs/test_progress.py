"""What a person sees while a sweep works."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from xlqa.runs.execute import progress as display
from xlqa.runs.execute.events import Failed, Finished, Retry, Scored, Started
from xlqa.runs.execute.progress import LiveProgress, PlainProgress, Progress
from xlqa.runs.execute.scheduler import Job
from xlqa.runs.paths import RunFolder
from xlqa.training.events import Step
from xlqa.util.text import format_duration

STEP = Step(30, 60, 1.25, 12.0)


def jobs() -> list[Job]:
    return [Job(RunFolder(Path(f"runs/{name}")), name, False, 100.0, lambda: None) for name in ("first", "second")]


@pytest.mark.parametrize(("seconds", "said"), [(12, "12 s"), (300, "5 min"), (9000, "2 h 30 min")])
def test_durations(seconds: float, said: str) -> None:
    assert format_duration(seconds) == said


def test_live_display_has_a_line_for_each_thing() -> None:
    first, second = jobs()
    progress = LiveProgress([first, second], already_done=3)
    progress.live.stop()
    progress.on_event(first, Started())
    first.progress = 0.5
    progress.on_event(first, STEP)
    console = Console(file=io.StringIO(), width=100)
    console.print(progress._render())
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # a StringIO
    assert lines[0].startswith("3 of 5 done")
    assert set(lines[1].strip()) <= set("━╸╺")
    assert lines[2].strip() == "first: step 30/60, loss 1.250, 12.0 examples/s"


def test_plain_lines_say_ends_failures_and_retries(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "PLAIN_SECONDS", -1.0)
    first, second = jobs()
    progress = PlainProgress([first, second], already_done=0)
    progress.on_event(first, Started())
    progress.on_event(first, STEP)
    progress.on_event(first, Scored("xquad.es", "squad", {"f1": 41.26, "em": 30.0}))
    progress.on_event(first, Scored("mlqa.es.es", "mlqa.es", {"f1": 50.0, "em": 40.0}))
    first.state = "done"
    progress.on_event(first, Finished())
    progress.on_event(second, Started())
    progress.on_event(second, Retry("the worker was killed by SIGKILL."))
    second.state = "failed"
    progress.on_event(second, Failed("the loss is not a number"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("first: step 30/60")
    assert "first: xquad.es F1 41.3, EM 30.0 (squad); mlqa.es.es F1 50.0, EM 40.0 (mlqa.es) (1 of 2 done)" in lines
    assert "second: the worker was killed by SIGKILL. The run is retried." in lines
    assert lines[-1] == "second FAILED: the loss is not a number"
    assert progress.headline() == "1 of 2 done, 1 failed"


def test_an_undefined_score_is_shown_as_missing(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = jobs()
    progress = PlainProgress([first, second], already_done=0)
    progress.on_event(first, Scored("few", "entities", {"f1": None, "precision": 0.0}))
    first.state = "done"
    progress.on_event(first, Finished())
    assert "first: F1 –, PRECISION 0.0 (entities) (1 of 2 done)" in capsys.readouterr().err


class Deaf(io.StringIO):
    """A stderr whose reader went away, or that was closed."""

    def write(self, text: str) -> int:
        super().write(text)  # refused when it is closed
        raise BrokenPipeError(32, "Broken pipe")

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("kind", [PlainProgress, LiveProgress])
@pytest.mark.parametrize("closed", [False, True])
def test_no_run_fails_because_nobody_hears_of_it(
    kind: type[Progress], closed: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stderr = Deaf()
    if closed:
        stderr.close()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        patch.setattr(display, "PLAIN_SECONDS", -1.0)
        first, second = jobs()
        progress = kind([first, second], already_done=0)
        progress.note("a line")
        progress.on_event(first, Started())
        progress.on_event(first, STEP)
        progress.on_event(first, Retry("no"))
        progress.on_event(first, Finished())
        progress.on_event(second, Failed("no"))
        progress.close()
    os.write(1, b"still here")
    assert progress.failures == [("second", "no")]
    assert "still here" in capfd.readouterr().out


def test_time_left_follows_the_work_done(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = jobs()
    progress = PlainProgress([first, second], already_done=0)
    assert progress.seconds_left() is None
    first.state, first.progress, second.state, second.progress = "done", 1.0, "running", 0.5
    monkeypatch.setattr(display.time, "monotonic", lambda: progress.began + 60.0)
    assert progress.seconds_left() == pytest.approx(20.0)


def test_a_long_log_stays_short(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr(display.time, "monotonic", lambda: clock)
    (first,) = jobs()[:1]
    progress = PlainProgress([first], already_done=0)
    progress.on_event(first, Started())
    for _ in range(10 * 3600):  # a night, with an event every second
        clock += 1.0
        progress.on_event(first, STEP)
    lines = capsys.readouterr().err.splitlines()
    assert 100 < len(lines) < 250


def test_of_very_many_runs_only_some_have_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1000.0
    monkeypatch.setattr(display.time, "monotonic", lambda: clock)
    many = [Job(RunFolder(Path(f"runs/{i}")), str(i), False, 1.0, lambda: None) for i in range(1000)]
    progress = PlainProgress(many, already_done=0)
    for job in many:
        clock += 1.0
        progress.on_event(job, Started())
        failed = job.label == "500"
        job.state = "failed" if failed else "done"
        progress.on_event(job, Failed("no") if failed else Finished())
    progress.close()
    lines = capsys.readouterr().err.splitlines()
    assert 30 < len(lines) < 60
    assert "500 FAILED: no" in lines
    assert lines[-1] == "999 of 1000 done, 1 failed"


def test_a_notebook_has_one_output_that_changes(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pages: list[str] = []

    class Kernel:
        kernel = object()

    class Handle:
        def update(self, shown: Any) -> None:
            pages.append(shown._repr_html_())

    def show(shown: Any, display_id: bool) -> Handle:
        pages.append(shown._repr_html_())
        return Handle()

    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=Kernel))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=show))
    monkeypatch.setattr(display, "NOTEBOOK_SECONDS", -1.0)
    first, second = jobs()
    first.label = "<first>"
    progress = display.make_progress([first, second], already_done=2)
    progress.on_event(first, Started())
    progress.on_event(first, STEP)
    assert "<p>2 of 4 done</p><progress" in pages[-1]
    assert "&lt;first&gt;: step 30/60, loss 1.250, 12.0 examples/s" in pages[-1]
    progress.on_event(first, Scored("xquad.es", "squad", {"f1": 41.26}))
    first.state, second.state = "done", "failed"
    progress.on_event(first, Finished())
    progress.on_event(second, Failed("out of memory"))
    progress.note("a line")
    progress.close()
    assert "3 of 4 done, 1 failed" in pages[-1]
    assert "&lt;first&gt;: F1 41.3 (squad)<br>second FAILED: out of memory<br>a line" in pages[-1]
    assert capfd.readouterr() == ("", "")
