"""From settings to a request: defaults, forms, and all complaints at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xlqa.errors import ManyErrors, XlqaError
from xlqa.records import Arm
from xlqa.runs.plan.request import build_request, gather_settings, read_experiment
from xlqa.runs.specs import Hyper


def test_defaults_are_the_documented_ones() -> None:
    request = build_request({"lang": "ru"})
    assert request.sizes == (100, 1000, 10000)
    assert request.arms == (Arm.TRANSFER, Arm.TARGET_ONLY)
    assert (request.seeds, request.source_seeds) == ((0, 1, 2), 3)
    assert all(request.hyper_of(arm) == Hyper(3e-5, 3.0, 16, 0.1, 200) for arm in Arm)
    assert (request.source_hyper.epochs, request.source_hyper.lr, request.source_hyper.batch_size) == (2.0, 3e-5, 16)
    assert (request.max_length, request.stride, request.max_answer_length) == (384, 128, 30)


@pytest.mark.parametrize(("seeds", "stages"), [("1", 1), ("2", 2), ("3", 3), ("10", 3), ("0,1,7", 3)])
def test_each_of_three_seeds_has_a_source_stage_that_more_seeds_leave_it(seeds: str, stages: int) -> None:
    request = build_request({"lang": "ru", "seeds": seeds})
    assert request.source_seeds == stages
    assert [seed % stages for seed in request.seeds[:2]] == [0, 1][: len(request.seeds)]
    assert build_request({"lang": "ru", "seeds": seeds, "source_seeds": 1}).source_seeds == 1


def test_forms_of_lists() -> None:
    assert build_request({"lang": "ru", "seeds": np.int64(5)}).seeds == (0, 1, 2, 3, 4)
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
    with pytest.raises(XlqaError, match="with several languages name one"):
        build_request({"lang": "ru,zh", "target_train": "a.json"})
    with pytest.raises(XlqaError, match="--target-test: uk is not among --lang ru"):
        build_request({"lang": "ru", "target_test": {"uk": "a.json"}})


@pytest.mark.parametrize(
    ("langs", "value", "named"),
    [
        ("ru,es", ["ru="], "ru="), ("ru", "", "''"), ("ru", [""], "''"), ("ru", {"ru": ""}, "ru"), ("ru", {"ru": []}, "ru"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["target_train", "target_test"])
def test_a_name_that_a_shell_left_empty_is_refused(name: str, langs: str, value: object, named: str) -> None:
    with pytest.raises(
        XlqaError, match=re.escape(f"--{name.replace('_', '-')} {named}: names no file, data set or model")
    ):
        build_request({"lang": langs, name: value})
    assert build_request({"lang": langs, name: []}) == build_request({"lang": langs})


def test_a_long_list_of_test_sets_is_a_list() -> None:
    names = [f"some-quite-long-name-of-a-test-set-{i}.json" for i in range(20)]
    assert build_request({"lang": "ru", "target_test": ",".join(names)}).target_test == {"ru": tuple(names)}


def test_a_long_list_in_an_experiment_file_names_files_beside_it(tmp_path: Path) -> None:
    names = [f"some-quite-long-name-of-a-test-set-{i}.json" for i in range(20)]
    (tmp_path / names[3]).write_text("{}", encoding="utf-8")
    path = tmp_path / "experiment.toml"
    path.write_text(f'lang = "ru"\ntarget_test = "{",".join(names)}"\n', encoding="utf-8")
    tests = build_request(read_experiment(path)).target_test["ru"]
    assert tests == (*names[:3], str(tmp_path / names[3]), *names[4:])


def test_target_model_brings_the_monolingual_arm() -> None:
    request = build_request({"lang": "ru", "target_model": "rubert"})
    assert Arm.MONOLINGUAL in request.arms
    with pytest.raises(XlqaError, match="--target-model"):
        build_request({"lang": "ru", "arms": "monolingual"})
    with pytest.raises(XlqaError, match="an encoder for 'zh': add --target-model zh=MODEL"):
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
def test_bad_settings_name_the_fix(changes: dict[str, object], message: str) -> None:
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
    assert request.hyper_of(Arm.TRANSFER).min_steps == 60
    assert request.target_train == {"sw": str(tmp_path / "train.json")}
    path.write_text("not toml", encoding="utf-8")
    with pytest.raises(XlqaError, match="not TOML"):
        read_experiment(path)


def test_unknown_names_come_at_once_with_suggestions(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    path.write_text(
        "learning_rate = 3e-5\nbatchsize = 8\nlanguages = 1\nfoo = 1\nmin-steps = 5\nmin_steps = 6\n", encoding="utf-8"
    )
    with pytest.raises(ManyErrors) as caught:
        read_experiment(path)
    lines = caught.value.complaints
    assert len(lines) == 5
    assert all(line.startswith(f"--config {path}: ") for line in lines)
    text = str(caught.value)
    for said in (
        "'learning_rate': did you mean 'lr'", "'batchsize': did you mean 'batch_size'", "'languages': did you mean 'lang'",
        "unknown setting 'foo': the names are the flags", "'min_steps' is given twice",
    ):  # fmt: skip
        assert said in text
    with pytest.raises(XlqaError, match=re.escape("'doc_stride': did you mean 'stride'")):
        build_request({"lang": "ru", "doc_stride": 128})


def test_an_experiment_file_takes_every_setting_of_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    path.write_text(
        'lang = "ru"\nworkers_per_device = 3\nlauncher = "ray"\nray_address = "head:6379"\n', encoding="utf-8"
    )
    request = build_request(read_experiment(path))
    assert (request.workers_per_device, request.launcher, request.ray_address) == (3, "ray", "head:6379")
    with pytest.raises(XlqaError, match="--ray-address head:6379: this needs --launcher ray"):
        build_request({"lang": "ru", "ray_address": "head:6379"})
    with pytest.raises(XlqaError, match="--launcher slurm: choose from local, ray"):
        build_request({"lang": "ru", "launcher": "slurm"})


@pytest.mark.parametrize(
    "value",
    [
        "1e-4,target-only=3e-4", ["target-only=3e-4", "1e-4"], {"default": 1e-4, "target-only": 3e-4},
        {"default": "1e-4", "target_only": 3e-4},
    ],
)  # fmt: skip
def test_an_arm_may_have_a_learning_rate_of_its_own(value: object) -> None:
    request = build_request({"lang": "ru", "lr": value, "min_steps": {"joint": 7}, "epochs": "transfer=1"})
    assert request.hyper_of(Arm.TARGET_ONLY) == Hyper(3e-4, 3.0, 16, 0.1, 200)
    assert request.hyper_of(Arm.TRANSFER) == Hyper(1e-4, 1.0, 16, 0.1, 200)
    assert request.hyper_of(Arm.JOINT) == Hyper(1e-4, 3.0, 16, 0.1, 7)
    # The source stage serves all arms: an arm's own value does not change it.
    assert request.source_hyper == Hyper(1e-4, 2.0, 16, 0.1, 200)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": "both=1e-4"}, "--lr both: choose from transfer, target-only"),
        ({"lr": "transfer=x"}, "--lr x: give a number"),
        ({"lr": "transfer=1e-4,transfer=2e-4"}, "gives transfer two values"),
        ({"lr": "1e-4,2e-4"}, "gives all arms two values"),
        ({"min_steps": {"transfer": 0}}, "--min-steps 0: give a number from 1"),
    ],
)
def test_bad_values_of_an_arm_are_one_clear_line(changes: dict[str, object], message: str) -> None:
    with pytest.raises(XlqaError, match=message):
        build_request({"lang": "ru"} | changes)


def test_flags_can_take_one_language_of_an_experiment_file(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    path.write_text('lang = "ru,zh"\nlr = 1e-4\n[target_train]\nru = "a.json"\nzh = "b.json"\n', encoding="utf-8")
    request = build_request(gather_settings({"lang": ["zh"], "seeds": None}, path, False))
    assert request.languages == ("zh",)
    assert request.target_train == {"zh": "b.json"}
    assert request.lr.default == 1e-4
    path.write_text('[target_train]\nru = "a.json"\n', encoding="utf-8")
    with pytest.raises(XlqaError, match="ru is not among --lang sw"):
        build_request(gather_settings({"lang": ["sw"]}, path, False))


@pytest.mark.parametrize("seeds", ["5-3", "1-x", "2-", "0-10000000"])
def test_a_range_of_seeds_that_is_none_is_refused(seeds: str) -> None:
    with pytest.raises(XlqaError, match=f"--seeds {seeds}: write seeds as 0,1,4 or as 0-4"):
        build_request({"lang": "ru", "seeds": seeds})


def test_the_default_learning_rate_of_lora_is_ten_times_as_high() -> None:
    def rates(**given: Any) -> tuple[float, float]:
        request = build_request({"lang": "es", **given})
        return request.hyper_of(Arm.TRANSFER).lr, request.source_hyper.lr

    assert rates() == (3e-5, 3e-5)
    assert rates(lora=8) == (3e-4, 3e-4)
    assert rates(lora=8, source_lora=0) == (3e-4, 3e-5)
    assert rates(source_lora=8) == (3e-5, 3e-4)
    assert rates(lora=8, lr=1e-4) == (1e-4, 1e-4)
    assert rates(lora=8, lr={"joint": 1e-4}) == (3e-4, 3e-4)
