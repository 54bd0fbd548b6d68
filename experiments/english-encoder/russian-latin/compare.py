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

from xlqa.curves import statistics as st
from xlqa.curves.example_scores import QuestionStore
from xlqa.curves.table import load_results
from xlqa.errors import XlqaError

HERE = Path(__file__).resolve().parent
COLUMNS = ("test", "arm", "size", "metric", "runs", "questions", "cyrillic", "latin", "difference", "low", "high")
DRAWS = 10_000


def question_scores(
    store: QuestionStore, folder: Path, rows: pd.DataFrame, metric: str
) -> tuple[st.Floats, pd.DataFrame]:
    """(n, Q) scores of n runs by question id, and the questions (id, context)."""
    frames = [store.read(folder, row.run_id, row.eval_id) for row in rows.itertuples()]
    if any(frame is None for frame in frames):
        raise XlqaError(f"{folder}: per-question scores are missing: `xlqa pack` writes questions.csv.xz.")
    ordered = [frame.sort_values("id") for frame in frames if frame is not None]
    return np.array([frame[metric].to_numpy(dtype=float) for frame in ordered]), ordered[0][["id", "context"]]


def interval(cyrillic: st.Floats, latin: st.Floats, paragraphs: np.ndarray, seeds: bool) -> st.Interval:
    """Mean difference with its 95 % interval over paragraphs, and over seeds where they are to vary.

    Args:
        cyrillic, latin: (n, Q) percent, run by run of the same seed.
        paragraphs: (Q,) paragraph of each question, 0 to P − 1.
    """
    rng = np.random.default_rng(0)
    sums, counts = zip(*(st.paragraph_sums(scores, paragraphs) for scores in (cyrillic, latin)), strict=True)
    if seeds:
        units = tuple(range(len(cyrillic)))
        found = st.draw_means([st.Cell(units, part) for part in sums], counts[0], DRAWS, rng)
        return st.central_interval(float(found.means[1] - found.means[0]), found.values[:, 1] - found.values[:, 0])
    means = np.array([part.mean(axis=0) for part in sums])
    drawn = st.resample_paragraphs(means, counts[0], DRAWS, rng)
    return st.central_interval(float((latin - cyrillic).mean()), drawn[:, 1] - drawn[:, 0])


def compare() -> list[dict[str, object]]:
    """A row for each test set, arm, size and metric that both studies have."""
    folders = HERE.parent / "russian", HERE
    tables = [load_results(folder) for folder in folders]
    tables[1]["test"] = tables[1]["test"].str.removesuffix(".latin")
    store, found = QuestionStore(), []
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


def way_to_english() -> st.Interval:
    """What share of the way from Russian to English, on the same XQuAD questions and zero-shot, the letters bring back, in percent."""
    russian, here = HERE.parent / "russian", HERE
    store, parts, asked = QuestionStore(), [], None
    for folder, test in ((russian, "xquad.ru"), (here, "xquad.ru.latin"), (here, "xquad.en")):
        table = load_results(folder)
        scores, questions = question_scores(store, folder, table[(table["test"] == test) & (table["size"] == 0)], "f1")
        asked = questions if asked is None else asked
        if list(questions["id"]) != list(asked["id"]):
            raise XlqaError(f"{test}: has other questions than xquad.ru.")
        parts.append(scores)
    assert asked is not None
    _, paragraphs = np.unique(asked["context"].to_numpy(dtype=str), return_inverse=True)
    sums, counts = zip(*(st.paragraph_sums(scores.mean(axis=0)[None, :], paragraphs) for scores in parts), strict=True)
    drawn = st.resample_paragraphs(np.concatenate(sums), counts[0], DRAWS, np.random.default_rng(0))
    cyrillic, latin, english = (float(scores.mean()) for scores in parts)
    shares = 100 * (drawn[:, 1] - drawn[:, 0]) / (drawn[:, 2] - drawn[:, 0])
    return st.central_interval(100 * (latin - cyrillic) / (english - cyrillic), shares)


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
