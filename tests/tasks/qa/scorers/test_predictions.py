"""Reading prediction files, and what is said of those that are none."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path

import pytest

from xlqa.errors import XlqaError
from xlqa.tasks.qa.predictions import read_predictions

ANSWERS = {"q1": "Denver", "q2": "", "q3": "東京"}


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "predictions.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gzip", "xz"])
def test_plain_gzip_and_xz(tmp_path: Path, pack) -> None:
    assert read_predictions(write(tmp_path, pack(json.dumps(ANSWERS).encode()))) == ANSWERS


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    assert read_predictions(write(tmp_path, b"\xef\xbb\xbf" + json.dumps(ANSWERS).encode())) == ANSWERS


def test_the_list_of_hugging_face_metrics(tmp_path: Path) -> None:
    rows = [{"id": "q1", "prediction_text": "Denver", "no_answer_probability": 0.0}, {"id": 2, "prediction_text": ""}]
    assert read_predictions(write(tmp_path, json.dumps(rows))) == {"q1": "Denver", "2": ""}


def test_white_space_around_an_id_is_dropped_as_in_a_data_set(tmp_path: Path) -> None:
    assert read_predictions(write(tmp_path, '{" q1 ": "x"}')) == {"q1": "x"}


def test_only_line_ends_end_a_line_of_csv(tmp_path: Path) -> None:
    content = "id,prediction_text\nq1,Bo\u2028nn\nq2,\x85x\n"
    assert read_predictions(write(tmp_path, content)) == {"q1": "Bo\u2028nn", "q2": "\x85x"}


def test_an_id_that_comes_twice_with_one_answer_is_fine(tmp_path: Path) -> None:
    assert read_predictions(write(tmp_path, '{"q1": "x", "q1": "x"}')) == {"q1": "x"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"q1": "x", "q1": "y"}', 'q1 is answered twice, "x" and "y": keep one'),
        ('{"q1": null}', "the answer to q1 is null, not text"),
        ('{"q1": 7}', "the answer to q1 is 7, not text"),
        ('{"q1": {"text": "x"}}', "the answer to q1 is an object, not text"),
        ('{"q1": ["x"]}', "the answer to q1 is a list, not text"),
        ('{"q1": "x"', r"not JSON or cut short \(line 1, column 11"),
        ("q1,x\n", 'begins with "q1,x": expected one JSON object'),
        ('"q1"', "expected one JSON object"),
        ("", 'begins with "": expected one JSON object'),
        ('{"q1": ' + "1" * 5000 + "}", "a number of more than 4,300 digits"),
        ('[["q1", "x"]]', "entry 1 has no id and prediction_text"),
        ('{"version": "1.1", "data": []}', "is a data set, not a prediction file: give the predictions first"),
        (b'{"q1": "\xff"}', r"not UTF-8 text \(byte 8\)"),
        (lzma.compress(b'{"q1": "x"}')[:-20], "cut short or damaged"),
        ("[" * 100_000, "nested too deeply"),
        ('{"q\\u001b[31m": 7}', r"the answer to q \[31m is 7"),
    ],
)
def test_what_is_no_prediction_file_is_refused_in_one_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(XlqaError, match=message) as caught:
        read_predictions(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match="there is no such file"):
        read_predictions(tmp_path / "none.json")
    with pytest.raises(XlqaError, match="cannot be read"):
        read_predictions(tmp_path)
