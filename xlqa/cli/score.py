"""`xlqa score predictions.json squad.dev`: EM and F1 of any system's answers, without a model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from xlqa.cli import print_json
from xlqa.cli.options import Json
from xlqa.util.text import printable

Predictions = Annotated[
    Path, typer.Argument(help="Answers by question id: JSON, JSON lines or CSV, plain or compressed.")
]
Dataset = Annotated[str, typer.Argument(help="File with gold answers, or a registered set such as xquad.ru.")]
ScorerName = Annotated[
    str,
    typer.Option(
        "--scorer", help="squad, squad2, mlqa, cmrc, drcd, drcd-makers, korquad, jaquad or characters. Default: the data set's."
    ),
]  # fmt: skip
Language = Annotated[
    str, typer.Option("--lang", help="ISO 639 code of the language of the paragraphs in a local file.")
]
PerQuestion = Annotated[
    Path | None, typer.Option("--per-question", help="CSV file to write: one row per question with its EM and F1.")
]
AllowMissing = Annotated[
    bool,
    typer.Option("--allow-missing", help="Score a question without a prediction as 0 instead of refusing the file."),
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out questions of DATASET that have no gold text to score by.")
]


def score(
    predictions: Predictions, dataset: Dataset, scorer: ScorerName = "", lang: Language = "", as_json: Json = False,
    per_question: PerQuestion = None, allow_missing: AllowMissing = False, skip_bad: SkipBad = False,
) -> None:  # fmt: skip
    """Score any system's answers: EM and F1 in percent, each with its scorer's name.

    PREDICTIONS is one JSON object from question id to answer, as for SQuAD's script, or rows with id and prediction_text.
    DATASET is a file or a name of xlqa data list. A registered set, or a copy of its file, is scored as in published
    figures; any other file by the rules of its language (--lang). The SQuAD v1.1 score is always printed too. All gold
    texts count, as in the official scripts.

    Examples:

      xlqa score predictions.json squad.dev

      xlqa score predictions.json test.json --lang zh --scorer cmrc --json
    """
    from xlqa.api.scoring import score as score_predictions

    found = score_predictions(
        predictions, dataset, scorer=scorer, lang=lang, per_question=per_question, allow_missing=allow_missing, skip_bad=skip_bad
    )  # fmt: skip
    print_json(found.as_record()) if as_json else print(found)
    for note in found.notes:
        print(printable(f"note: {note}"), file=sys.stderr)
