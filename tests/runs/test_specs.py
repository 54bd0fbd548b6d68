"""Identities, pinned: a change here makes every finished run of every user a stranger to its sweep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from xlqa.records import QUESTION_COLUMNS, RESULT_COLUMNS, Arm, DataRef
from xlqa.runs.specs import Common, EncoderRef, EvalSpec, Hyper, RunSpec, SourceStage

ENCODER = EncoderRef("mbert", Path("/models/mbert"), "e" * 64, "w" * 64)
SOURCE = DataRef("squad.train", Path("/data/squad.json"), "5" * 64, "en", "squad", "squad")
TARGET = DataRef("sberquad.train", Path("/data/sberquad.json"), "7" * 64, "ru", "squad", "sberquad")
TEST = DataRef("xquad.ru", Path("/data/xquad.json"), "8" * 64, "ru", "squad", "xquad")
COMMON = Common(384, 128, "fp32")
HYPER = Hyper(3e-5, 3.0, 16, 0.1, 200)
STAGE = SourceStage(ENCODER, SOURCE, 87599, 87599, 0, replace(HYPER, epochs=2.0), COMMON)


def run(arm: Arm = Arm.TRANSFER, **changes: object) -> RunSpec:
    stage = STAGE if arm.uses_source else None
    spec = RunSpec("ru", arm, 100, 0, ENCODER, COMMON, stage, TARGET, 45328, HYPER)
    return replace(spec, **changes)  # type: ignore[arg-type]  # a test's shorthand


ZERO = run(size=0, target=None, target_questions=None, hyper=None)
EVAL = EvalSpec("test", TEST, None, 30)


def test_golden_ids() -> None:
    assert STAGE.source_id == "en-87599-s0-29349f1aa8"
    assert run().run_id == "ru-transfer-100-s0-643220c28e"
    assert ZERO.run_id == "ru-transfer-0-s0-b58021cf77"
    assert run(Arm.TARGET_ONLY).run_id == "ru-target-only-100-s0-46cf83e1af"
    assert run(Arm.JOINT).run_id == "ru-joint-100-s0-8154a19e34"
    assert run(Arm.MONOLINGUAL).run_id == "ru-monolingual-100-s0-87bb28ad32"
    assert EVAL.eval_id(COMMON) == "xquad.ru-de5f9e18ff"


def test_golden_ids_of_later_settings() -> None:
    shuffled = replace(STAGE, labels="shuffled")
    assert shuffled.source_id == "en-87599-s0-88a1601855"
    assert run(stage=shuffled).run_id == "ru-transfer-100-s0-ede4e8090b"
    assert run(Arm.JOINT, stage=shuffled).run_id == "ru-joint-100-s0-73080f4da2"
    assert run(Arm.JOINT, joint_sampling="balanced").run_id == "ru-joint-100-s0-8db6c9ab16"
    assert run(seed=2, train_seed=1).run_id == "ru-transfer-100-s20002-ad64b46938"
    assert run(hyper=replace(HYPER, freeze=0)).run_id == "ru-transfer-100-s0-a6f40959d5"
    assert run(hyper=replace(HYPER, reinit_top=2)).run_id == "ru-transfer-100-s0-f79dd6f5e5"
    assert run(hyper=replace(HYPER, lora=8)).run_id == "ru-transfer-100-s0-99e359dbff"
    common = replace(COMMON, unanswerable=True)
    assert replace(STAGE, common=common).source_id == "en-87599-s0-e98a6a9e60"
    assert run(Arm.TARGET_ONLY, common=common).run_id == "ru-target-only-100-s0-4925399f10"
    assert EVAL.eval_id(common) == "xquad.ru-5a8bbbefbb"
    assert run(train_seed=0).run_id == run().run_id
    assert run(joint_sampling="balanced").run_id == run().run_id


OTHER = replace(ENCODER, name="other name", folder=Path("/elsewhere"))


@pytest.mark.parametrize(
    "same",
    [
        run(encoder=OTHER, stage=replace(STAGE, encoder=OTHER)),
        run(target=replace(TARGET, name="renamed", path=Path("/moved"), scorer="mlqa.ru")),
        run(stage=replace(STAGE, data=replace(SOURCE, name="mine", path=Path("/moved")))),
        run(target_questions=1),
    ],
)
def test_paths_and_names_change_no_identity(same: RunSpec) -> None:
    assert same.run_id == run().run_id


@pytest.mark.parametrize(
    "other",
    [
        run(encoder=replace(ENCODER, sha256="f" * 64)),
        run(target=replace(TARGET, sha256="f" * 64)),
        run(stage=replace(STAGE, seed=1)),
        run(stage=replace(STAGE, size=1000)),
        run(stage=replace(STAGE, hyper=replace(STAGE.hyper, lr=1e-5))),
        run(hyper=replace(HYPER, lr=1e-5)),
        run(hyper=replace(HYPER, epochs=4.0)),
        run(hyper=replace(HYPER, batch_size=8)),
        run(hyper=replace(HYPER, warmup=0.0)),
        run(hyper=replace(HYPER, min_steps=100)),
        run(common=replace(COMMON, max_length=256)),
        run(common=replace(COMMON, stride=64)),
        run(common=replace(COMMON, precision="bf16")),
        run(common=replace(COMMON, skip_bad=True)),
        run(size=101),
        run(seed=1),
        run(subset_by="paragraph"),
        run(valid_size=50),
    ],
)
def test_whatever_changes_the_weights_changes_the_id(other: RunSpec) -> None:
    assert other.run_id.rsplit("-", 1)[1] != run().run_id.rsplit("-", 1)[1]


def test_evaluations_tell_their_decoding_apart() -> None:
    ids = {
        spec.eval_id(common)
        for spec, common in (
            (EVAL, COMMON),
            (replace(EVAL, size=100), COMMON),
            (replace(EVAL, max_answer_length=20), COMMON),
            (replace(EVAL, data=replace(TEST, sha256="9" * 64)), COMMON),
            (replace(EVAL, split="valid"), COMMON),
            (EVAL, replace(COMMON, stride=64)),
        )
    }
    assert len(ids) == 6
    assert replace(EVAL, source_overlap=3).eval_id(COMMON) == EVAL.eval_id(COMMON)


LOCAL = replace(EVAL, data=replace(TEST, name="mine", set_name="", scorer="mlqa.ru"), home="ru")


def test_what_decides_a_score_belongs_to_an_evaluations_identity() -> None:
    digest = EVAL.eval_id(COMMON).rsplit("-", 1)[1]
    # As in version 0.1: the registered set's scorer, and the run's language's for a file.
    assert replace(EVAL, home="ru").eval_id(COMMON) == EVAL.eval_id(COMMON)
    assert LOCAL.eval_id(COMMON) == f"mine-{digest}"
    others = [
        replace(LOCAL, data=replace(LOCAL.data, scorer=scorer)).eval_id(COMMON)
        for scorer in ("squad", "mlqa.de", "mlqa.zh")
    ]
    assert len({*others, LOCAL.eval_id(COMMON), replace(LOCAL, by_file=True).eval_id(COMMON)}) == 5


def test_steps() -> None:
    assert ZERO.steps == 0
    assert run().steps == 200
    assert run(size=10_000).steps == 1875
    assert STAGE.steps == 10950
    assert run(Arm.JOINT).steps == 10950 + 200
    assert run(Arm.TARGET_ONLY).steps == run().steps


GOLDEN_COLUMNS = (
    "lang,arm,size,seed,source_seed,subset_seed,train_seed,model,source,target,test,split,f1,"
    "em,scorer,squad_f1,squad_em,questions,paragraphs,unreachable,missing,source_overlap,"
    "train_overlap,f1_without_overlap,em_without_overlap,steps,lr,epochs,batch_size,warmup,"
    "min_steps,subset_by,valid_size,target_questions,source_size,source_steps,source_lr,"
    "source_epochs,source_batch_size,max_length,stride,max_answer_length,test_size,final_loss,"
    "learned,train_seconds,eval_seconds,examples_per_second,micro_batch,device,host,finished,"
    "xlqa,deeppavlov,torch,transformers,precision,schema,model_sha256,source_sha256,"
    "target_sha256,test_sha256,source_id,eval_id,run_id"
)


def test_golden_columns() -> None:
    assert ",".join(RESULT_COLUMNS) == GOLDEN_COLUMNS
    asked = (
        "lang,arm,size,seed,source_seed,subset_seed,train_seed,model,source,target,test,f1,em,scorer,squad_f1,squad_em,"
        "questions,paragraphs,unreachable,steps,lr,epochs,batch_size,train_seconds,eval_seconds,device,precision,run_id"
    )
    assert set(asked.split(",")) <= set(RESULT_COLUMNS)
    assert QUESTION_COLUMNS == ("id", "context", "f1", "em", "squad_f1", "squad_em")
