"""Scoring one model on every question language × context language pair of a set.

xlqa evaluate RUN --pairs mlqa

The record of each pair is written when it is scored: RUN/pairs/SET/QUESTION-CONTEXT.json. A pair whose record is there and fits
the model, the files and the settings is not scored again. RUN/pairs/SET.csv is the table, derived from the records that are valid.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from xlqa.errors import XlqaError
from xlqa.records import PAIR_COLUMNS, SEED_COLUMNS, SETTING_COLUMNS
from xlqa.runs.execute.events import Waiting
from xlqa.runs.execute.progress import listener_of
from xlqa.runs.execute.run import machine
from xlqa.runs.paths import RunFolder
from xlqa.runs.specs import DECODING_VERSION
from xlqa.runs.store.results import refuse_without_weights
from xlqa.runs.store.run_config import RunConfig, read_config
from xlqa.runs.store.scores import ScoredSet
from xlqa.tasks.base import DEFAULT_TASK, get_task
from xlqa.tasks.qa.pairs import Pair, PairReader, PairSet
from xlqa.util.csvfile import csv_text
from xlqa.util.files import is_signed, load_json, read_json, sign, write_json, write_text
from xlqa.util.locks import waiting_lock

MEASURED_COLUMNS = ("f1", "em", "squad_f1", "squad_em", "n", "paragraphs", "eval_seconds", "device", "finished", "xlqa")
"""Columns that scoring fills in; all others are known before, and decide whether a record is still valid."""

FIRST_DECODING = {"version": 1, "null_threshold": None}
"""How answers were decoded where a record does not state it."""


@dataclass(frozen=True, slots=True)
class ScoredPairs:
    """The table of a set and its rows, as many as pairs; `computed` counts those that had to be scored."""

    table: Path
    rows: tuple[Mapping[str, Any], ...]
    computed: int


def evaluate_pairs(
    folder: RunFolder,
    pairs: PairSet,
    *,
    languages: Sequence[str] = (),
    test_size: int | None = None,
    device: str = "auto",
) -> ScoredPairs:
    """Score a run's kept weights on all pairs of a set; the model and its tokenizer are loaded once.

    Args:
        folder: of a run whose weights were kept; a zero-shot run uses those of its source stage.
        languages: only the pairs of these; the table keeps the rows of the others that were scored before.
        test_size: questions of a pair, drawn by their ids: the same ones in every pair that has them.

    Raises:
        XlqaError: there are no weights, the run is not of question answering, or a file cannot be read.
    """
    config = read_config(folder)
    config.refuse_links(folder)
    if folder.is_source:
        raise XlqaError(f"{folder.path} is a source stage: evaluate its zero-shot run (size 0) below runs/ instead.")
    if config.task != DEFAULT_TASK:
        raise XlqaError(
            f"--pairs: {folder.path} was trained for the task {config.task}; pairs need question answering."
        )
    refuse_without_weights(folder, config)
    with waiting_lock(folder.path, lambda: listener_of(folder.path)(Waiting())):
        return _Matrix(folder, config, pairs, test_size, device).score(languages)


class _Matrix:
    """All pairs of one set for one model."""

    def __init__(
        self, folder: RunFolder, config: RunConfig, pairs: PairSet, test_size: int | None, device: str
    ) -> None:
        from xlqa.training.model_folder import hash_weights

        self.config, self.pairs, self.test_size, self.device = config, pairs, test_size, device
        self.name = pairs.name if test_size is None else f"{pairs.name}-{test_size}"
        self.records = folder.path / "pairs" / self.name
        self.table = folder.path / "pairs" / f"{self.name}.csv"
        self.root, self.weights = folder.root, folder.root / config.weights
        self.weights_sha256 = hash_weights(self.weights)
        threshold = load_json(self.weights / "config.json").get("null_threshold")
        self.decoding = {"version": DECODING_VERSION, "null_threshold": threshold}
        self.reader = PairReader(skip_bad=config.skip_bad)
        self._model: tuple[Any, Any] | None = None
        self.computed = 0

    def score(self, languages: Sequence[str]) -> ScoredPairs:
        """Score the pairs of some languages that have no valid record, and write the table."""
        chosen = self.pairs.select(languages).pairs
        self.records.mkdir(parents=True, exist_ok=True)
        rows: list[Mapping[str, Any]] = []
        for number, pair in enumerate(chosen, 1):
            planned = self._plan(pair)
            row = self._known(pair, planned)
            if row is None:
                row = self._score_pair(pair, planned)
                self.computed += 1
                print(_progress(row, number, len(chosen)), file=sys.stderr, flush=True)
            rows.append(row)
        known = (self._known(pair, self._plan(pair)) for pair in self.pairs.pairs)
        write_text(self.table, csv_text(PAIR_COLUMNS, [row for row in known if row]))
        return ScoredPairs(self.table, tuple(rows), self.computed)

    def _plan(self, pair: Pair) -> dict[str, Any]:
        """What is known of a row before it is scored."""
        config, first = self.config, self.config.first_row
        copied = ("lang", "arm", "size", *SEED_COLUMNS, *SETTING_COLUMNS)
        return dict.fromkeys(PAIR_COLUMNS) | {name: first.get(name) for name in copied} | {
            "set": self.pairs.name, "question_lang": pair.question_lang, "context_lang": pair.context_lang,
            "scorer": pair.scorer, "test_size": self.test_size, "weights_sha256": self.weights_sha256,
            "question_sha256": pair.questions.sha256, "context_sha256": pair.contexts.sha256, "run_id": config.id,
            "max_length": config.max_length, "stride": config.stride, "max_answer_length": config.max_answer_length,
            "precision": config.precision,
        }  # fmt: skip

    def _record(self, pair: Pair) -> Path:
        return self.records / f"{pair.question_lang}-{pair.context_lang}.json"

    def _known(self, pair: Pair, planned: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The row of a valid record; None where there is none."""
        record = read_json(self._record(pair))
        if not is_signed(record) or not isinstance(record, dict) or not isinstance(record.get("row"), dict):
            return None
        if record.get("decoding", FIRST_DECODING) != self.decoding:
            return None
        row: dict[str, Any] = record["row"]
        same = all(row.get(name) == planned[name] for name in PAIR_COLUMNS if name not in MEASURED_COLUMNS)
        return row if same and set(row) == set(PAIR_COLUMNS) else None

    def _load(self) -> tuple[Any, Any]:
        """The tokenizer and the network, loaded on first use: a finished matrix needs neither."""
        if self._model is None:
            from xlqa.components.model import SpanModel
            from xlqa.components.preprocessor import load_tokenizer

            options = self.config.model_options(self.root)
            if self.config.is_zero_shot:
                options |= {"source": str(self.weights), "source_sha256": self.config.source_sha256}
            self._model = (
                load_tokenizer(Path(options["encoder"])),
                SpanModel(**options, device=self.device, mode="infer"),
            )
        return self._model

    def _score_pair(self, pair: Pair, planned: Mapping[str, Any]) -> Mapping[str, Any]:
        from xlqa.training.devices import describe_device

        task = get_task(DEFAULT_TASK)
        examples = self.reader.questions(pair, self.test_size)
        tokenizer, network = self._load()
        started = time.perf_counter()
        columns = [[q.context for q in examples], [q.question for q in examples]]
        features = task.encode(tokenizer, columns, self.config.max_length, self.config.stride)
        answers = task.outputs_of(network.find(features, *columns))[0]
        seconds = round(time.perf_counter() - started, 3)
        scored = ScoredSet.of(examples, task.score(examples, answers, pair.scorer))
        measured = scored.columns(DEFAULT_TASK)
        row = {**planned, **measured, "n": measured["questions"], "eval_seconds": seconds, "xlqa": machine()["xlqa"],
               "device": describe_device(network.device), "finished": datetime.now(UTC).isoformat(timespec="seconds")}  # fmt: skip
        row = {name: row[name] for name in PAIR_COLUMNS}
        predictions = dict(zip(scored.ids, answers, strict=True))
        write_json(self._record(pair), sign({"row": row, "decoding": self.decoding, "predictions": predictions}))
        return row


def _progress(row: Mapping[str, Any], number: int, count: int) -> str:
    return (
        f"{number}/{count}: question {row['question_lang']}, context {row['context_lang']}: F1 {row['f1']:.2f}, EM "
        f"{row['em']:.2f} ({row['n']:,} questions)"
    )


def describe_means(rows: Sequence[Mapping[str, Any]], column: str = "f1") -> str:
    """The means over pairs of one language (XLT) and of two (G-XLT), as Lewis et al. 2020 call them."""
    same = [row[column] for row in rows if row["question_lang"] == row["context_lang"]]
    other = [row[column] for row in rows if row["question_lang"] != row["context_lang"]]
    parts = [("question and context in one language", same), ("in two languages", other)]
    return ", ".join(f"{what}: {sum(values) / len(values):.2f}" for what, values in parts if values)
