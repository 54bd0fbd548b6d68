"""From settings to a request: defaults, forms, and all complaints at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import Arm
from xlqa.runs.plan.request import DEFAULTS, SETTINGS, build_request, read_experiment


def test_defaults_are_the_documented_ones() -> None:
    request = build_request({"lang": "ru"})
    assert request.sizes == (100, 1000, 10000)
    assert request.arms == (Arm.TRANSFER, Arm.TARGET_ONLY)
    assert request.seeds == (0, 1, 2, 3, 4)
    assert (request.hyper.lr, request.hyper.epochs, request.hyper.batch_size, request.hyper.min_steps) == (
        3e-5,
        3.0,
        16,
        200,
    )
    assert (request.source_hyper.epochs, request.source_hyper.lr, request.source_hyper.batch_size) == (2.0, 3e-5, 16)
    assert (request.max_length, request.stride, request.max_answer_length) == (384, 128, 30)
    assert set(DEFAULTS) <= set(SETTINGS)


def test_forms_of_lists() -> None:
    request = build_request(
        {"lang": ["ru,zh", "es"], "sizes": "full,100,1_000,0,100", "seeds": "3,7", "arms": "joint,transfer"}
    )
    assert request.languages == ("ru", "zh", "es")
    assert request.sizes == (100, 1000, "full")
    assert request.seeds == (3, 7)
    assert request.arms == (Arm.TRANSFER, Arm.JOINT)
    assert build_request({"lang": "ru", "seeds": "3,"}).seeds == (3,)
    assert build_request({"lang": "ru", "seeds": "9,3-5,4"}).seeds == (9, 3, 4, 5)


def test_source_settings_follow_the_targets() -> None:
    request = build_request({"lang": "ru", "batch_size": 4, "lr": 1e-4, "max_length": 192})
    assert (request.source_hyper.batch_size, request.source_hyper.lr) == (4, 1e-4)
    assert request.stride == 64
    assert build_request({"lang": "ru", "source_lr": 2e-5}).source_hyper.lr == 2e-5


def test_files_per_language() -> None:
    request = build_request(
        {"lang": "ru,zh", "target_train": ["ru=a.json", "zh=b.json"], "target_test": ["ru=c.json", "ru=d.json"]}
    )
    assert request.target_train == {"ru": "a.json", "zh": "b.json"}
    assert request.target_test == {"ru": ("c.json", "d.json")}
    with pytest.raises(XlqaError, match="with several languages say which"):
        build_request({"lang": "ru,zh", "target_train": "a.json"})


def test_target_model_brings_the_monolingual_arm() -> None:
    request = build_request({"lang": "ru", "target_model": "rubert"})
    assert Arm.MONOLINGUAL in request.arms
    with pytest.raises(XlqaError, match="--target-model"):
        build_request({"lang": "ru", "arms": "monolingual"})
    with pytest.raises(XlqaError, match="none for 'zh'"):
        build_request({"lang": "ru,zh", "target_model": "ru=rubert"})


def test_all_complaints_come_at_once() -> None:
    with pytest.raises(ManyErrors) as caught:
        build_request(
            {
                "lang": "russian",
                "sizes": "ten",
                "seeds": "0",
                "lr": 7,
                "precision": "fp8",
                "arms": "both",
                "max_length": 8,
            }
        )
    text = str(caught.value)
    for flag in (
        "--lang russian",
        "--sizes ten",
        "--seeds 0",
        "--lr 7",
        "--precision fp8",
        "--arms both",
        "--max-length 8",
    ):
        assert flag in text
    assert all(line.endswith(".") for line in caught.value.complaints)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lang": ""}, "--lang is missing"),
        ({"sizes": ""}, "--sizes is empty"),
        ({"sizes": "-5"}, "from 0 up"),
        ({"stride": 380}, "--stride 380 does not fit"),
        ({"batch_size": 1.5}, "whole number"),
        ({"out": "a{b}"}, "braces"),
        ({"nonsense": 1}, "unknown setting"),
    ],
)
def test_bad_settings_name_the_mend(changes: dict[str, object], message: str) -> None:
    with pytest.raises(XlqaError, match=message):
        build_request({"lang": "ru"} | changes)


def test_experiment_file(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text("{}", encoding="utf-8")
    path = tmp_path / "experiment.toml"
    path.write_text(
        'lang = ["sw"]\nsizes = [30, "full"]\n"min-steps" = 60\ntarget_train = "train.json"\n', encoding="utf-8"
    )
    settings = read_experiment(path)
    request = build_request(settings | {"seeds": 2})
    assert request.sizes == (30, "full")
    assert request.hyper.min_steps == 60
    assert request.target_train == {"sw": str(tmp_path / "train.json")}
    path.write_text("languages = 1\n", encoding="utf-8")
    with pytest.raises(XlqaError, match="unknown setting 'languages'"):
        read_experiment(path)
    path.write_text("not toml", encoding="utf-8")
    with pytest.raises(XlqaError, match="not TOML"):
        read_experiment(path)


@pytest.mark.parametrize("seeds", ["5-3", "1-x", "2-", "0-10000000"])
def test_a_range_of_seeds_that_is_none_is_refused(seeds: str) -> None:
    with pytest.raises(XlqaError, match=f"--seeds {seeds}: write seeds as 0,1,4 or as 0-4"):
        build_request({"lang": "ru", "seeds": seeds})
