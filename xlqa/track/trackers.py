"""The trackers, each by its own package, which is imported when it is used."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlqa.track.send import Tracked
from xlqa.util.files import write_text

MOST_METRICS, MOST_PARAMS = 1000, 100
"""What MLflow takes in one call."""


class TensorBoard:
    """Event files below the sweep's folder, a folder for each run: `tensorboard --logdir DIR/tracking/tensorboard`."""

    def __init__(self, folder: Path, project: str, offline: bool) -> None:
        import tensorboard.summary.writer.event_file_writer  # noqa: F401  # a broken installation shows here

        self.folder = folder

    def send(self, run: Tracked, handle: str) -> str:
        """Scalars by step, and the config as a text."""
        events = [
            self._scalar(f"train/{name}", value, step) for step, values in run.steps for name, value in values.items()
        ]
        events += [self._scalar(name, value, run.length) for name, value in run.scores.items()]
        config = json.dumps(dict(run.config), ensure_ascii=False, indent=1, default=str)
        if not handle:
            events.append(self._text("config", "    " + config.replace("\n", "\n    ")))
        self._write(self.folder / run.id, events)
        return run.id

    def send_table(self, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], text: str) -> None:
        """A text with the main columns, and results.csv beside the event files."""
        shown = [c for c in ("lang", "arm", "size", "seed", "test", "f1", "em", "accuracy", "scorer") if c in columns]
        lines = ["| " + " | ".join(shown) + " |", "|" + "---|" * len(shown)]
        lines += [
            "| " + " | ".join(str(row.get(column, "")).replace("|", "/") for column in shown) + " |" for row in rows
        ]
        self._write(self.folder / "results", [self._text("results", "\n".join(lines))])
        write_text(self.folder / "results.csv", text)

    def _write(self, folder: Path, summaries: Sequence[tuple[Any, int]]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        writer = EventFileWriter(str(folder))
        try:
            for value, step in summaries:
                event = Event(wall_time=time.time(), step=step)
                event.summary.value.append(value)
                writer.add_event(event)
        finally:
            writer.close()

    @staticmethod
    def _scalar(tag: str, value: float, step: int) -> tuple[Any, int]:
        from tensorboard.compat.proto.summary_pb2 import Summary

        return Summary.Value(tag=tag, simple_value=value), step

    @staticmethod
    def _text(tag: str, text: str) -> tuple[Any, int]:
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.types_pb2 import DT_STRING

        metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
        return Summary.Value(
            tag=tag, metadata=metadata, tensor=TensorProto(dtype=DT_STRING, string_val=[text.encode()])
        ), 0


class WeightsAndBiases:
    """Runs of a project, under their own ids, so that a run that is sent again goes on."""

    def __init__(self, folder: Path, project: str, offline: bool) -> None:
        import wandb

        folder.mkdir(parents=True, exist_ok=True)
        self.wandb, self.folder, self.project = wandb, folder, project
        self.mode = "offline" if offline else os.environ.get("WANDB_MODE", "online")

    def _start(self, id: str, group: str, config: Mapping[str, Any]) -> Any:
        return self.wandb.init(
            project=self.project, id=re.sub(r"[^\w.-]", "-", id)[-128:], name=id, group=group, config=dict(config), dir=str(self.folder),
            mode=self.mode, resume="allow" if self.mode == "online" else None, settings=self.wandb.Settings(silent=True, console="off"),
        )  # fmt: skip

    def send(self, run: Tracked, handle: str) -> str:
        """Losses by step, scores as the run's summary."""
        with self._start(run.id, run.group, run.config) as started:
            for step, values in run.steps:
                started.log({f"train/{name}": value for name, value in values.items()}, step=step)
            started.summary.update(dict(run.scores))
            return str(started.id)

    def send_table(self, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], text: str) -> None:
        """A table of a run of its own."""
        with self._start(f"{self.project}-results", "results", {}) as started:
            data = [[row.get(column) for column in columns] for row in rows]
            started.log({"results": self.wandb.Table(columns=list(columns), data=data)})


class MLflow:
    """Runs of an experiment: of the server in MLFLOW_TRACKING_URI, else in files below the sweep's folder."""

    def __init__(self, folder: Path, project: str, offline: bool) -> None:
        import mlflow

        address = "" if offline else os.environ.get("MLFLOW_TRACKING_URI", "")
        if not address:
            folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.client = mlflow.MlflowClient(tracking_uri=address or folder.as_uri())
        known = self.client.get_experiment_by_name(project)
        self.experiment = known.experiment_id if known else self.client.create_experiment(project)

    def send(self, run: Tracked, handle: str) -> str:
        """Losses by step and scores as metrics, the config as parameters."""
        from mlflow.entities import Metric, Param

        tags = {"mlflow.runName": run.id, "xlqa.group": run.group}
        name = handle or self.client.create_run(self.experiment, tags=tags).info.run_id
        now = int(time.time() * 1000)
        metrics = [
            Metric(f"train/{key}", value, now, step) for step, values in run.steps for key, value in values.items()
        ]
        metrics += [Metric(key, value, now, run.length) for key, value in run.scores.items()]
        params = [] if handle else [Param(key, str(value)) for key, value in run.config.items()]
        for start in range(0, len(metrics), MOST_METRICS):
            self.client.log_batch(name, metrics=metrics[start : start + MOST_METRICS])
        for start in range(0, len(params), MOST_PARAMS):
            self.client.log_batch(name, params=params[start : start + MOST_PARAMS])
        self.client.set_terminated(name)
        return str(name)

    def send_table(self, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], text: str) -> None:
        """results.csv as an artifact of a run of its own."""
        made = self.client.create_run(self.experiment, tags={"mlflow.runName": "results"})
        self.client.log_text(made.info.run_id, text, "results.csv")
        self.client.set_terminated(made.info.run_id)
