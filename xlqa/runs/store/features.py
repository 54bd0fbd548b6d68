"""features.csv: what may explain how well a language transfers, measured on the files of a sweep.

xlqa features DIR
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from xlqa.data.subsets import permute_questions
from xlqa.data.typology import DISTANCES, distances, has_distances, language_family
from xlqa.errors import XlqaError
from xlqa.records import FEATURE_COLUMNS, FEATURE_KEY
from xlqa.runs.paths import Layout
from xlqa.runs.store.links import refuse_links
from xlqa.runs.store.results import read_result, task_of
from xlqa.runs.store.run_config import DataEntry, RunConfig, read_config
from xlqa.tasks.base import get_task
from xlqa.tasks.pieces import (
    WITHOUT_BLANKS,
    PieceCounts,
    count_pieces,
    entity_texts,
    main_script,
    measure_overlap,
    texts_of,
)
from xlqa.tasks.qa.languages import language_of_ids
from xlqa.tasks.qa.stats import load_tokenizer
from xlqa.util.csvfile import csv_text
from xlqa.util.files import sha256_of, write_text
from xlqa.util.languages import named_language


@dataclass(frozen=True, slots=True)
class _Measured:
    """Pieces of all texts and of the named entities, and the script of a data file."""

    pieces: PieceCounts
    entities: PieceCounts | None
    script: str
    language: str


def write_features(root: Path, *, model: str = "") -> tuple[Path, list[dict[str, Any]]]:
    """Measure the features of every finished evaluation with source data below a sweep's folder, and write features.csv.

    Args:
        model: tokenizer to use where the sweep's encoder is not on this machine.

    Returns:
        the file and its rows.

    Raises:
        XlqaError: no evaluation with source data is finished, or a data file or the tokenizer is missing or differs.
    """
    rows = list(_Measurements(root, model).rows())
    if not rows:
        raise XlqaError(f"{root} has no finished evaluation of a run with source data: name a sweep's folder (--out).")
    path = root / "features.csv"
    rows.sort(key=lambda row: [str(row[name]) for name in ("test", *FEATURE_KEY)])
    write_text(path, csv_text(FEATURE_COLUMNS, rows))
    return path, rows


class _Measurements:
    """Reads and counts each file of a sweep once."""

    def __init__(self, root: Path, model: str) -> None:
        self.root, self.model, self.layout = root, model, Layout(root)
        self.measure = cache(self._measure)
        self.tokenizer = cache(self._tokenizer)

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row for each finished evaluation of a run with source data."""
        seen: set[tuple[Any, ...]] = set()
        for run in self.layout.run_folders():
            done = [record for path in run.evaluations() if (record := read_result(path)) is not None]
            for record in done:
                row = record.row
                key = tuple(row.get(name) for name in FEATURE_KEY)
                if record.test.valid or not row.get("source_sha256") or key in seen:
                    continue
                seen.add(key)
                refuse_links(self.root, [run])
                yield self._row(row, record.test.data, read_config(run))

    def _row(self, row: Mapping[str, Any], test: DataEntry, config: RunConfig) -> dict[str, Any]:
        task = task_of(row)
        entry, size, seed = self._source(config)
        source = self.measure(task, entry, size, seed, config.encoder)
        target = self.measure(task, test, None, 0, config.encoder)
        same = "" not in (source.script, target.script) and source.script == target.script
        families = language_family(target.language), language_family(source.language)
        known = {name: row.get(name) for name in ("lang", "test", "model", "source", *FEATURE_KEY)}
        return dict.fromkeys(FEATURE_COLUMNS) | known | _piece_columns(source, target) | {
            "task": task, "test_lang": target.language, "source_lang": source.language,
            "script": target.script, "family": families[0], "same_script": int(same),
            "same_family": int(families[0] == families[1]) if all(families) else None,
        } | _distance_columns(target.language, source.language)  # fmt: skip

    def _source(self, config: RunConfig) -> tuple[DataEntry, int, int]:
        """The source data of a run, how many examples of it were trained on, and the seed that drew them."""
        if config.source is not None and config.source_size is not None:
            return config.source, config.source_size, 0
        stage = read_config(self.layout.source(str(config.source_id)))
        if stage.train is None:
            raise XlqaError(f"{self.layout.source(stage.id).config} names no source data: run the sweep again.")
        return stage.train, stage.train_size, stage.subset_seed

    def _measure(self, task_name: str, entry: DataEntry, size: int | None, seed: int, encoder: str) -> _Measured:
        task, path = get_task(task_name), entry.file(self.root)
        refuse_links(self.root, [], [path])
        if sha256_of(path) != entry.sha256:
            raise XlqaError(
                f"{path} is missing or differs from the file that was used (SHA-256 {entry.sha256[:12]}…): put that one there."
            )
        examples = task.load(
            path, language=entry.language, skip_bad=entry.skip_bad, to_score=size is None, map_tags=entry.map_tags,
            unanswerable=entry.unanswerable,
        ).examples  # fmt: skip
        if size is not None and size < len(examples):
            examples = tuple(permute_questions(examples, seed)[:size])
        tokenizer, texts = self.tokenizer(encoder), texts_of(task, examples)
        entities = count_pieces(tokenizer, entity_texts(examples)) if task_name == "ner" else None
        language = (
            entry.language or (language_of_ids(examples) if task_name == "qa" else "") or named_language(entry.name)
        )
        return _Measured(count_pieces(tokenizer, texts), entities, main_script(texts), language)

    def _tokenizer(self, encoder: str) -> Any:
        folder = self.root / encoder
        if not self.model and not folder.is_dir():
            raise XlqaError(f"{folder} is not here: name the encoder's tokenizer with --model.")
        return load_tokenizer(self.model or str(folder)).backend


def _piece_columns(source: _Measured, target: _Measured) -> dict[str, Any]:
    pieces = target.pieces
    apart = target.language not in WITHOUT_BLANKS
    overlap = measure_overlap(source.pieces, pieces)
    columns = {
        "pieces_per_word": pieces.per_word if apart else None,
        "pieces_per_character": _ratio(pieces.total, pieces.characters),
        "whole_words": _ratio(pieces.whole_words, pieces.words) if apart else None,
        "unknown": _ratio(pieces.unknown, pieces.total),
        "overlap_types": overlap.types, "overlap_tokens": overlap.tokens, "untouched": overlap.untouched,
    }  # fmt: skip
    if source.entities and target.entities:
        named = measure_overlap(source.entities, target.entities)
        columns |= {"entity_overlap_types": named.types, "entity_overlap_tokens": named.tokens}
    return {name: None if value is None else round(value, 6) for name, value in columns.items()}


def _distance_columns(language: str, source: str) -> dict[str, Any]:
    """URIEL's distances, where lang2vec is installed and both languages are known."""
    if not has_distances() or not language or not source:
        return dict.fromkeys(DISTANCES)
    return {name: None if v is None else round(v, 6) for name, v in distances(language, source).items()}


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
