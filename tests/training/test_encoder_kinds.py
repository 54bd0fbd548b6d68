"""Encoders of every architecture: each trains a step, answers, is saved, and transformers alone reads the folder alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_encoders
import torch
from tiny_encoders import KINDS, NOT_ENCODERS

from xlqa.components.model import SpanModel, TaskModel, read_network
from xlqa.components.preprocessor import TaskPreprocessor, WindowPreprocessor
from xlqa.errors import XlqaError
from xlqa.records import Answer, Question
from xlqa.runs.plan.encoders import resolve_encoder
from xlqa.tasks.base import get_task
from xlqa.tasks.heads import network_inputs
from xlqa.tasks.tagging.reading import Sentence
from xlqa.training.batching import PLAIN, BatchLayout, collate, find_mask_dims
from xlqa.training.context import RunContext
from xlqa.training.loop import Trainer, TrainingPlan

TRAINED = tuple(kind for kind in KINDS if kind not in NOT_ENCODERS)

CONTEXTS = [
    "Mara lives in Brenne near the river and works there.", "Мара живёт в Бренне у реки.", "El río cruza Brenne, in 1846.",
    "Mara lives in Brenne near the river. " * 12,
]  # fmt: skip
QUESTIONS = ["Where does Mara live?", "Где живёт Мара?", "¿Dónde vive Mara?", "Where does Mara live?"]
ANSWERS = ["Brenne", "в Бренне", "Brenne", "the river"]
SENTENCES = [
    ["Mara", "lives", "in", "Brenne", "."],
    ["Мара", "живёт", "в", "Бренне"],
    ["马拉", "住在", "布伦讷河边"] * 30,
]
TAGS = ("O", "B-PER", "B-LOC")
LENGTH = 64


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of each kind that was asked for."""
    return {}


@pytest.fixture
def encoder(kind: str, folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    if kind not in folders:
        folders[kind] = tiny_encoders.make(kind, tmp_path_factory.mktemp("kind") / "encoder")
    return folders[kind]


def train(model: TaskModel, features: Any, labels: Any) -> None:
    """Three updates; all weights that the loss reaches change, and every loss is a number."""
    before = {name: weight.detach().clone() for name, weight in model.network.named_parameters()}
    plan = TrainingPlan(steps=3, batch_size=4, lr=1e-2, warmup=0.1, seed=0, precision="fp32", device="cpu")
    outcome = Trainer(model.network, model.head, features, labels, plan, context=RunContext()).run()
    assert np.isfinite(outcome.final_loss)
    changed = {name for name, weight in model.network.named_parameters() if not torch.equal(weight, before[name])}
    prefix = model.network.base_model_prefix
    assert any(not name.startswith(prefix) for name in changed), "no weight of the head changed"
    assert any("embed" in name for name in changed), "no embedding changed"


def check_inputs(network: Any, preprocessor: WindowPreprocessor) -> None:
    """The network gets what its own tokenizer makes of a question and a paragraph, and then padding."""
    ours = network_inputs(collate(preprocessor(CONTEXTS[:1], QUESTIONS[:1]), np.array([0])), network)
    theirs = preprocessor.tokenizer(QUESTIONS[0], CONTEXTS[0], return_tensors="pt")
    length = theirs["input_ids"].shape[1]
    for name, tensor in network_inputs(theirs, network).items():
        assert torch.equal(ours[name][:, :length], tensor), name
    assert not ours["attention_mask"][:, length:].any()


def check_gpu_layout(network: Any, windows: Any) -> None:
    """Batches as a GPU gets them give the same logits: lengths in buckets, the mask in the shape that this network takes."""
    short = np.argsort(windows.lengths)[:2]
    layout = BatchLayout(32, int(windows.lengths.max()), find_mask_dims(network, "cpu"))
    batches = [collate(windows, short, layout) for layout in (PLAIN, layout)]
    with torch.inference_mode():
        wanted, found = (network(**network_inputs(batch, network)).start_logits for batch in batches)
    assert found.shape[1] > wanted.shape[1]
    present = batches[0]["attention_mask"].bool()
    torch.testing.assert_close(found[:, : wanted.shape[1]][present], wanted[present], rtol=0, atol=1e-5)


def reference_answer(network: Any, tokenizer: Any, question: str, context: str) -> tuple[str, float]:
    """The most probable span of at most 30 pieces, by transformers alone and for one window."""
    batch = tokenizer(question, context, return_tensors="pt", return_offsets_mapping=True)
    places, owners = batch.pop("offset_mapping")[0].tolist(), batch.sequence_ids(0)
    taken = {name: batch[name] for name in network_inputs(batch, network)}
    with torch.inference_mode():
        output = network(**taken)
    scored = torch.tensor([owner == 1 for owner in owners])
    scored[0] = True
    start, end = (
        torch.softmax(logits[0].masked_fill(~scored, float("-inf")), dim=-1) for logits in (output.start_logits, output.end_logits)
    )  # fmt: skip
    pieces = [i for i, owner in enumerate(owners) if owner == 1]
    spans = [(float(start[i] * end[j]), i, j) for i in pieces for j in pieces if i <= j < i + 30]
    spans = [s for s in spans if context[places[s[1]][0] : places[s[2]][1]].strip()]
    score, first, last = max(spans)
    return context[places[first][0] : places[last][1]].strip(), score


@pytest.mark.parametrize("kind", TRAINED)
def test_questions_are_trained_answered_and_exported(kind: str, encoder: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    task = get_task("qa")
    resolve_encoder(str(encoder), task, LENGTH)
    model = SpanModel(str(encoder), str(tmp_path / "model"), device="cpu", mode="train", head_seed=3)
    windows = WindowPreprocessor(str(encoder), LENGTH, 16)(CONTEXTS, QUESTIONS)
    assert len(windows.question) > len(CONTEXTS)
    golds = [
        Question(str(i), question, context, (Answer(answer, context.index(answer)),), str(i))
        for i, (context, question, answer) in enumerate(zip(CONTEXTS, QUESTIONS, ANSWERS, strict=True))
    ]
    assert task.count_unreachable(windows, golds) == 0
    check_inputs(model.network, WindowPreprocessor(str(encoder), LENGTH, 16))
    train(model, windows, task.label(windows, golds, ()))
    answers = model(windows, CONTEXTS)
    model.save()
    assert SpanModel(str(encoder), str(tmp_path / "model"), device="cpu")(windows, CONTEXTS) == answers
    network = AutoModelForQuestionAnswering.from_pretrained(tmp_path / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    check_gpu_layout(network, windows)
    for i in range(3):
        text, score = reference_answer(network, tokenizer, QUESTIONS[i], CONTEXTS[i])
        assert answers[0][i] == text
        assert answers[2][i] == pytest.approx(score, rel=1e-3)


@pytest.mark.parametrize("kind", TRAINED)
def test_tags_are_trained_predicted_and_exported(kind: str, encoder: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForTokenClassification

    task = get_task("ner")
    settings: dict[str, Any] = {"task": "ner", "labels": TAGS, "device": "cpu"}
    model = TaskModel(str(encoder), str(tmp_path / "model"), mode="train", head_seed=3, **settings)
    features = TaskPreprocessor(str(encoder), LENGTH, 16, task="ner")(SENTENCES)
    golds = [
        Sentence(str(i), tuple(words), tuple(TAGS[place % 3] for place in range(len(words))), str(i))
        for i, words in enumerate(SENTENCES)
    ]
    train(model, features, task.label(features, golds, TAGS))
    tags = model(features)
    assert [len(found) for found in tags] == [len(words) for words in SENTENCES]
    model.save()
    assert TaskModel(str(encoder), str(tmp_path / "model"), **settings)(features) == tags
    network = AutoModelForTokenClassification.from_pretrained(tmp_path / "model").eval()
    tensors = collate(features, np.arange(len(features.lengths)))
    with torch.inference_mode():
        best = network(**network_inputs(tensors, network)).logits.argmax(dim=-1)
    word = torch.from_numpy(features.words_of(np.arange(len(features.lengths)), best.shape[1]))
    flat = [network.config.id2label[int(number)] for number in best[word >= 0][word[word >= 0].argsort()]]
    assert flat == [tag for found in tags for tag in found]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("GPT-2", r"the model is a decoder \(gpt2\)"),
        ("LLaMA", r"the model is a decoder \(llama\)"),
        ("BART", r"the model is an encoder with a decoder \(bart\)"),
        ("XLNet", r"XLNet puts its \[CLS\] at the end"),
    ],
)
def test_what_is_no_encoder_is_refused_before_a_run(kind: str, reason: str, encoder: Path) -> None:
    with pytest.raises(XlqaError, match=reason):
        resolve_encoder(str(encoder), get_task("qa"), LENGTH)
    with pytest.raises(XlqaError, match=reason):
        read_network(encoder)


@pytest.mark.parametrize("kind", ["BERT", "XLM-R", "MPNet", "ModernBERT"])
def test_windows_longer_than_the_positions_are_refused(kind: str, encoder: Path) -> None:
    most = {"BERT": 130, "ModernBERT": 130}.get(kind, 128)
    resolve_encoder(str(encoder), get_task("qa"), most)
    with pytest.raises(XlqaError, match=rf"--max-length {most + 1}: the model has {most} positions"):
        resolve_encoder(str(encoder), get_task("qa"), most + 1)


@pytest.mark.parametrize("kind", ["DeBERTa-v3, mDeBERTa"])
def test_relative_positions_limit_no_window(kind: str, encoder: Path) -> None:
    assert resolve_encoder(str(encoder), get_task("qa"), 1000).folder == encoder.resolve()


@pytest.mark.parametrize("kind", ["BERT"])
def test_a_tokenizer_of_another_model_is_refused(kind: str, encoder: Path, tmp_path: Path) -> None:
    described = KINDS["RoBERTa"]
    tiny_encoders.write_tokenizer(tmp_path / "other", *described.make(), described)
    (tmp_path / "other" / "config.json").write_bytes((encoder / "config.json").read_bytes())
    windows = WindowPreprocessor(str(tmp_path / "other"), LENGTH, 16)(CONTEXTS, QUESTIONS)
    model = SpanModel(str(encoder), str(tmp_path / "model"), device="cpu", mode="train")
    with pytest.raises(XlqaError, match=r"tokenizer gives piece \d+, its network has \d+: they are not"):
        model(windows, CONTEXTS)


@pytest.mark.parametrize("kind", ["BERT"])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_decoder": True}, "the model is a decoder"),
        ({"model_type": "unheard-of"}, "does not know the architecture 'unheard-of'"),
        ({"model_type": "clip_text_model"}, "has no question-answering head"),
        ({"model_type": None}, "has no model_type"),
    ],
)
def test_a_config_of_no_encoder_is_refused(
    kind: str, changes: dict[str, Any], reason: str, encoder: Path, tmp_path: Path
) -> None:
    for path in encoder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((encoder / "config.json").read_bytes()) | changes
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(XlqaError, match=reason):
        resolve_encoder(str(tmp_path), get_task("qa"), LENGTH)


@pytest.mark.parametrize("kind", ["BERT"])
@pytest.mark.parametrize("composite", ["encoder-decoder", "vision-encoder-decoder", "rag", "musicgen"])
def test_a_model_made_of_several_is_refused_in_one_line(
    kind: str, composite: str, encoder: Path, tmp_path: Path
) -> None:
    for path in encoder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((encoder / "config.json").read_bytes()) | {"model_type": composite}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(XlqaError) as refused:
        read_network(tmp_path)
    assert str(refused.value).startswith(str(tmp_path))
    assert "\n" not in str(refused.value)


def test_the_documentation_lists_what_is_tested() -> None:
    text = (Path(__file__).parents[2] / "docs" / "encoders.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    listed = [row[0].removeprefix("| ") for row in rows if row[2:3] in (["fused"], ["plain"])]
    assert sorted(listed) == sorted(TRAINED)
    for name in NOT_ENCODERS:
        assert name in text
