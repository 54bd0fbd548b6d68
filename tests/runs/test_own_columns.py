"""A sweep on files with column names of their own: the same runs as on files with the usual ones, read without the mapping."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from documents import SAMPLE

from xlqa.errors import XlqaError
from xlqa.runs.plan.planner import Plan
from xlqa.runs.plan.request import build_request, gather_settings
from xlqa.runs.store.setup import lay_out
from xlqa.tasks.qa.reading import read_dataset

COLUMNS = {"question": "q", "context": "passage", "answers": "a", "answer_start": "at"}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The sample's Spanish training part as a table with foreign names."""
    path = tmp_path / "own.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "q", "passage", "a", "at"])
        for article in json.loads((SAMPLE / "es.train.json").read_bytes())["data"]:
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    answer = qa["answers"][0]
                    rows.writerow(
                        [qa["id"], qa["question"], paragraph["context"], answer["text"], answer["answer_start"]]
                    )
    return path


def test_a_sweep_reads_them_and_its_folder_needs_no_mapping(
    own: Path, plan: Callable[..., Plan], tmp_path: Path
) -> None:
    made = plan(tmp_path / "out", target_train=str(own), columns="question=q,context=passage,answers=a,answer_start=at")
    (ref,) = {spec.target for spec, _ in made.runs if spec.target}
    assert ref.name == "own"
    assert made.sets[ref.sha256].questions == plan(tmp_path / "out").sets[_sha256("es.train")].questions
    lay_out(made)
    (copy,) = [path for path in (tmp_path / "out" / "data").rglob("*") if ref.sha256[:8] in path.name]
    assert read_dataset(copy).questions == made.sets[ref.sha256].questions
    assert made.ids() == plan(tmp_path / "out", target_train=str(own), columns=COLUMNS).ids()


def _sha256(name: str) -> str:
    import hashlib

    return hashlib.sha256((SAMPLE / f"{name}.json").read_bytes()).hexdigest()


def test_names_that_no_data_set_has_are_refused(own: Path, plan: Callable[..., Plan], tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match="--columns id=key: no data set has such a column"):
        plan(tmp_path / "out", target_train=str(own), columns=COLUMNS | {"id": "key"})
    with pytest.raises(
        XlqaError, match=r"--columns question=q: no data set has such a column .none has columns of its own"
    ):
        plan(tmp_path / "out", columns="question=q")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("frage=q", "--columns frage: write FIELD=NAME; the fields of qa are id, question"),
        ("question", "--columns question: write FIELD=NAME"),
        ("question=q,context=q", "--columns context=q: gives a field or a column twice"),
    ],
)
def test_what_is_no_mapping_is_refused(given: Any, message: str) -> None:
    with pytest.raises(XlqaError, match=message):
        build_request({"lang": "es", "columns": given})


def test_a_language_that_is_left_out_is_no_column(tmp_path: Path) -> None:
    experiment = tmp_path / "experiment.toml"
    experiment.write_text(
        'lang = ["id", "ru"]\ntarget-train = {id = "a.json", ru = "b.json"}\ncolumns = {id = "key"}\n'
    )
    settings = gather_settings({"lang": ["ru"]}, experiment, demo=False)
    assert (settings["target_train"], settings["columns"]) == ({"ru": "b.json"}, {"id": "key"})
