"""`xlqa track`: every finished run reaches the tracker once, and a tracker that fails changes nothing else."""

from __future__ import annotations

import csv
import importlib.util
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from xlqa.cli import main
from xlqa.errors import XlqaError
from xlqa.runs.paths import Layout
from xlqa.runs.store.results import load_result
from xlqa.track.send import PACKAGES, Tracked, track


class Recorder:
    """A tracker that keeps what it gets; `broken` names a run that it refuses."""

    def __init__(self, broken: str = "") -> None:
        self.runs: dict[str, Tracked] = {}
        self.tables: list[str] = []
        self.broken = broken

    def send(self, run: Tracked, handle: str) -> str:
        if run.id == self.broken:
            raise OSError("the server hung up")
        self.runs[run.id] = run
        return f"handle of {run.id}"

    def send_table(self, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], text: str) -> None:
        self.tables.append(text)


@pytest.fixture
def sweep(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "sweep")


def needs(name: str) -> None:
    if importlib.util.find_spec(PACKAGES[name]) is None:
        pytest.skip(f"{name} is not installed: pip install 'xlqa[{name}]'")


def test_each_finished_run_is_sent_once(sweep: Path) -> None:
    layout, tracker = Layout(sweep), Recorder()
    runs = [*layout.source_folders(), *layout.run_folders()]
    (runs[-1].evaluations()[0] / "result.json").unlink()
    assert track(sweep, "mine", tracker=tracker) == len(runs) - 1
    assert runs[-1].id not in tracker.runs
    trained = next(folder for folder in layout.run_folders() if "transfer-16" in folder.id)
    row, sent = load_result(trained.evaluations()[0]).row, tracker.runs[trained.id]
    assert sent.scores == {f"sample.es.test/{name}": row[name] for name in ("f1", "em", "squad_f1", "squad_em")}
    assert (sent.group, sent.config["lr"], sent.length) == ("es-transfer-16", row["lr"], row["steps"])
    logged = list(csv.DictReader(trained.train_log.open(encoding="utf-8")))
    assert [(step, values["loss"]) for step, values in sent.steps] == [
        (int(r["step"]), float(r["loss"])) for r in logged
    ]
    assert len(list(csv.DictReader(tracker.tables[0].splitlines()))) == len(layout.run_folders()) - 1
    assert track(sweep, "mine", tracker=tracker) == 0
    assert len(tracker.tables) == 1


def test_a_tracker_that_fails_goes_on_where_it_stopped(sweep: Path) -> None:
    ids = [folder.id for folder in (*Layout(sweep).source_folders(), *Layout(sweep).run_folders())]
    before = (sweep / "results.csv").read_bytes()
    with pytest.raises(
        XlqaError, match=rf"mine: {ids[3]} was not sent \(the server hung up\): the sweep is not affected"
    ):
        track(sweep, "mine", tracker=Recorder(broken=ids[3]))
    again = Recorder()
    assert track(sweep, "mine", tracker=again) == len(ids) - 3
    assert list(again.runs) == ids[3:]
    assert (sweep / "results.csv").read_bytes() == before


def test_what_cannot_be_tracked_is_one_line(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = [name for name in PACKAGES if importlib.util.find_spec(PACKAGES[name]) is None]
    cases = [([str(sweep), "comet"], "comet: is not a tracker: choose from tensorboard, wandb, mlflow"),
             ([str(tmp_path), "mlflow"], "has no runs: name a sweep's folder"),
             *(([str(sweep), name], f"{name}: is not installed: pip install 'xlqa[{name}]'") for name in absent)]  # fmt: skip
    for words, message in cases:
        assert main(["track", *words]) == 2
        shown = capsys.readouterr().err
        assert message in shown
        assert len(shown.splitlines()) == 1


def expected(sweep: Path) -> tuple[str, float, float]:
    """A trained run, its F1 and its last logged loss."""
    folder = next(folder for folder in Layout(sweep).run_folders() if "transfer-16" in folder.id)
    logged = list(csv.DictReader(folder.train_log.open(encoding="utf-8")))
    return folder.id, float(load_result(folder.evaluations()[0]).row["f1"]), float(logged[-1]["loss"])


def test_tensorboard_reads_back_what_was_sent(sweep: Path) -> None:
    needs("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert main(["track", str(sweep), "tensorboard"]) == 0
    run, f1, loss = expected(sweep)
    events = EventAccumulator(str(sweep / "tracking" / "tensorboard" / run)).Reload()
    assert events.Scalars("sample.es.test/f1")[0].value == pytest.approx(f1, rel=1e-5)
    assert events.Scalars("train/loss")[-1].value == pytest.approx(loss, rel=1e-5)
    (text,) = (
        events.Tensors("config/text_summary")
        if "config/text_summary" in events.Tags()["tensors"]
        else events.Tensors("config")
    )
    assert run in text.tensor_proto.string_val[0].decode()


def test_mlflow_reads_back_what_was_sent(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("mlflow")
    import mlflow

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert main(["track", str(sweep), "mlflow", "--project", "es"]) == 0
    run, f1, loss = expected(sweep)
    client = mlflow.MlflowClient(tracking_uri=(sweep / "tracking" / "mlflow").as_uri())
    experiment = client.get_experiment_by_name("es").experiment_id
    found = {one.info.run_name: one for one in client.search_runs([experiment])}
    assert found[run].data.metrics["sample.es.test/f1"] == pytest.approx(f1)
    assert client.get_metric_history(found[run].info.run_id, "train/loss")[-1].value == pytest.approx(loss)
    assert found[run].data.params["arm"] == "transfer"
    assert [file.path for file in client.list_artifacts(found["results"].info.run_id)] == ["results.csv"]


def test_wandb_writes_a_file_for_each_run_offline(sweep: Path) -> None:
    needs("wandb")
    assert main(["track", str(sweep), "wandb", "--offline"]) == 0
    runs = len(Layout(sweep).run_folders()) + len(Layout(sweep).source_folders())
    assert len(list((sweep / "tracking" / "wandb").rglob("*.wandb"))) == runs + 1
    assert len(json.loads((sweep / "tracking" / "wandb.json").read_text())) == runs
