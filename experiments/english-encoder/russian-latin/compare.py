"""What the script alone changes: `python experiments/english-encoder/russian-latin/compare.py`, seconds.

Sets each run of this study beside the run of ../russian with the same arm, size and seed, question by question, and writes
script.csv beside this file: mean F1 and EM in either script, and the difference with its 95 % interval. For N > 0 that is
over paragraphs and seeds, as in `xlqa report`; for zero-shot over paragraphs alone, given the two source stages.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from xlqa.curves.example_scores import ExampleStore
from xlqa.curves.table import load_results
from xlqa.curves.variance import SOURCE, TARGET, ZERO, Cell, Floats, Interval, Key, Study, influence_of
from xlqa.curves.worth import ratio_interval
from xlqa.errors import XlqaError

HERE = Path(__file__).resolve().parent
COLUMNS = ("test", "arm", "size", "metric", "runs", "questions", "cyrillic", "latin", "difference", "low", "high")


def question_scores(store: ExampleStore, folder: Path, rows: pd.DataFrame, metric: str) -> tuple[Floats, pd.DataFrame]:
    """(n, Q) scores of n runs by question id, and the questions (id, context)."""
    frames = [store.read(folder, row.run_id, row.eval_id) for row in rows.itertuples()]
    if any(frame is None for frame in frames):
        raise XlqaError(f"{folder}: per-question scores are missing: `xlqa pack` writes questions.csv.xz.")
    ordered = [frame.sort_values("id") for frame in frames if frame is not None]
    return np.array([frame[metric].to_numpy(dtype=float) for frame in ordered]), ordered[0][["id", "context"]]


def cell(scores: Floats, paragraphs: np.ndarray) -> Cell:
    """The runs of one script as a cell of a study; run r of one script is paired with run r of the other."""
    found, influence, examples = influence_of(scores / 100, np.ones_like(scores), paragraphs)
    units = tuple(range(len(scores)))
    return Cell(found, influence, units, units, units, examples=examples)


def interval(cyrillic: Floats, latin: Floats, paragraphs: np.ndarray, seeds: bool) -> Interval:
    """Mean difference with its 95 % interval over paragraphs, and over seeds where they are to vary.

    Args:
        cyrillic, latin: (n, Q) percent, run by run of the same seed.
        paragraphs: (Q,) paragraph of each question, 0 to P − 1.
    """
    parts = (cyrillic, latin) if seeds else tuple(scores.mean(axis=0)[None, :] for scores in (cyrillic, latin))
    first, second = (cell(scores, paragraphs) for scores in parts)
    return Study({(TARGET, 1): first, (SOURCE, 1): second}).interval({(SOURCE, 1): 1.0, (TARGET, 1): -1.0})


def compare() -> list[dict[str, object]]:
    """A row for each test set, arm, size and metric that both studies have."""
    folders = HERE.parent / "russian", HERE
    tables = [load_results(folder) for folder in folders]
    tables[1]["test"] = tables[1]["test"].str.removesuffix(".latin")
    store, found = ExampleStore(), []
    keys = ["test", "arm", "size", "seed"]
    both = tables[0].merge(tables[1], on=keys, suffixes=("_c", "_l"))
    for (test, arm, size), rows in both.groupby(keys[:3], sort=True):
        for metric in ("f1", "em"):
            scores, asked = zip(
                *(
                    question_scores(
                        store, folder, rows.rename(columns={f"{n}{end}": n for n in ("run_id", "eval_id")}), metric
                    )
                    for folder, end in zip(folders, ("_c", "_l"), strict=True)
                ),
                strict=True,
            )
            if list(asked[0]["id"]) != list(asked[1]["id"]):
                raise XlqaError(f"{test}: the two studies were scored on different questions.")
            _, paragraphs = np.unique(asked[0]["context"].to_numpy(dtype=str), return_inverse=True)
            change = interval(*scores, paragraphs, seeds=int(size) > 0)
            found.append(
                dict(zip(COLUMNS, (test, arm, int(size), metric, len(rows), len(paragraphs), *(
                    f"{value:.2f}" for value in (scores[0].mean(), scores[1].mean(), change.value, change.low, change.high)
                )), strict=True))
            )  # fmt: skip
    return found


def way_to_english() -> Interval:
    """What share of the way from Russian to English, on the same XQuAD questions and zero-shot, the letters bring back, in percent."""
    russian, here = HERE.parent / "russian", HERE
    store, parts, asked = ExampleStore(), [], None
    for folder, test in ((russian, "xquad.ru"), (here, "xquad.ru.latin"), (here, "xquad.en")):
        table = load_results(folder)
        scores, questions = question_scores(store, folder, table[(table["test"] == test) & (table["size"] == 0)], "f1")
        asked = questions if asked is None else asked
        if list(questions["id"]) != list(asked["id"]):
            raise XlqaError(f"{test}: has other questions than xquad.ru.")
        parts.append(scores)
    assert asked is not None
    _, paragraphs = np.unique(asked["context"].to_numpy(dtype=str), return_inverse=True)
    keys: list[Key] = [(TARGET, 1), (SOURCE, 1), (ZERO, 0)]
    means = [cell(scores.mean(axis=0)[None, :], paragraphs) for scores in parts]
    study = Study(dict(zip(keys, means, strict=True)))
    way = ratio_interval(study, {(SOURCE, 1): 1.0, (TARGET, 1): -1.0}, {(ZERO, 0): 1.0, (TARGET, 1): -1.0})
    return Interval(100 * way.value, 100 * way.low, 100 * way.high)


def main() -> int:
    """Write script.csv and print it; 2 where a study is not there."""
    try:
        rows, way = compare(), way_to_english()
    except XlqaError as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2
    with (HERE / "script.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(pd.DataFrame(rows).to_string(index=False))
    print(f"of the way from Russian to English on XQuAD, zero-shot: {way.value:.1f} % [{way.low:.1f}, {way.high:.1f}]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
