"""The span model: where it starts from, what it refuses, and that its folder is whole and foreign tools read it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from xlqa.components.model import SpanModel, StartWeights, hash_weights, parameter_count, read_network
from xlqa.components.preprocessor import WindowPreprocessor, load_tokenizer
from xlqa.errors import XlqaError
from xlqa.training.context import SHARED

CONTEXTS = ["mara lives in the town of the río " * 9, "in the river", "la people de mara"]
QUESTIONS = ["where mara lives", "what", "who"]


def train_mode(encoder: Path, save: Path, **changes: object) -> SpanModel:
    settings = {"encoder": str(encoder), "save_path": str(save), "device": "cpu", "mode": "train"}
    return SpanModel(**(settings | changes))  # type: ignore[arg-type]  # a test's shorthand


def test_saved_model_answers_as_before(encoder: Path, tmp_path: Path) -> None:
    model = train_mode(encoder, tmp_path / "model", head_seed=3)
    windows = WindowPreprocessor(str(encoder), 64, 16)(CONTEXTS, QUESTIONS)
    before = model(windows, CONTEXTS)
    model.save()
    again = SpanModel(str(encoder), str(tmp_path / "model"), device="cpu")
    assert again(windows, CONTEXTS) == before
    texts, starts, scores = before
    for context, text, start, score in zip(CONTEXTS, texts, starts, scores, strict=True):
        assert context[start : start + len(text)] == text
        assert 0 < score <= 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]
    assert (tmp_path / "model" / "model.safetensors").is_file()


def test_pipeline_of_transformers_gives_the_same_answers(encoder: Path, tmp_path: Path) -> None:
    pipelines = pytest.importorskip("transformers.pipelines.question_answering")
    from transformers import pipeline

    assert pipelines
    train_mode(encoder, tmp_path / "model", head_seed=5).save()
    model = SpanModel(str(encoder), str(tmp_path / "model"), device="cpu", max_answer_length=9)
    texts, starts, scores = model(WindowPreprocessor(str(encoder), 64, 16)(CONTEXTS, QUESTIONS), CONTEXTS)
    ask = pipeline("question-answering", model=str(tmp_path / "model"), tokenizer=str(tmp_path / "model"), device="cpu")
    for context, question, text, start, score in zip(CONTEXTS, QUESTIONS, texts, starts, scores, strict=True):
        theirs = ask(
            question=question, context=context, align_to_words=False, max_answer_len=9, max_seq_len=64, doc_stride=16
        )
        assert theirs["answer"] == text
        # transformers adds up the windows that find one text, and gives the place of the first of them.
        assert context[start : start + len(text)] == text
        assert score <= theirs["score"] * (1 + 1e-3)


def test_untrained_head_is_never_scored(encoder: Path, tmp_path: Path) -> None:
    shutil.copytree(encoder, tmp_path / "model")
    with pytest.raises(XlqaError, match="untrained head"):
        SpanModel(str(encoder), str(tmp_path / "model"), device="cpu")


def test_weights_that_were_not_kept_are_refused(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match="not kept"):
        SpanModel(str(encoder), str(tmp_path / "model"), device="cpu")


def test_other_weights_than_named_are_refused(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match="differ from those the config names"):
        train_mode(encoder, tmp_path / "model", encoder_sha256="0" * 64)


def test_half_an_encoder_is_refused(encoder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "half"
    shutil.copytree(encoder, folder)
    weights = load_file(str(folder / "model.safetensors"))
    save_file(
        {k: v for k, v in weights.items() if "layer.1" not in k}, str(folder / "model.safetensors"), {"format": "pt"}
    )
    with pytest.raises(XlqaError, match="not a complete model"):
        read_network(folder)


def test_broken_weights_are_one_clear_line(encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(encoder, folder)
    (folder / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(XlqaError, match="cannot be read"):
        read_network(folder)


def test_pickled_code_is_not_run(encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "foreign"
    shutil.copytree(encoder, folder)
    (folder / "model.safetensors").unlink()
    torch.save({"weight": Harm(tmp_path / "harmed")}, folder / "pytorch_model.bin")
    with pytest.raises(XlqaError, match="cannot be read"):
        read_network(folder)
    assert not (tmp_path / "harmed").exists()


class Harm:
    """A pickle that would create a file where it is loaded carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def test_runs_of_one_process_start_from_the_same_weights(encoder: Path, tmp_path: Path) -> None:
    """The second run gets the first one's network, with the weights from before it was trained."""
    first = train_mode(encoder, tmp_path / "a", head_seed=1)
    before = {name: weight.clone() for name, weight in first.network.state_dict().items()}
    with torch.no_grad():
        for parameter in first.network.parameters():
            parameter.add_(1.0)
    first.destroy()
    second = train_mode(encoder, tmp_path / "b", head_seed=1)
    assert second.network is first.network
    assert all(torch.equal(weight, before[name]) for name, weight in second.network.state_dict().items())
    assert not SHARED.spill()  # on a CPU nothing is kept anywhere else


def test_a_run_does_not_write_to_the_weights_that_were_read(encoder: Path) -> None:
    """They are mapped from their file: a page that is written to becomes memory of this process."""
    start = StartWeights(*read_network(encoder))
    read = {weight.untyped_storage().data_ptr() for weight in start.state.values()}
    trained = start.take().state_dict()
    assert trained.keys() == start.state.keys()
    assert not read & {weight.untyped_storage().data_ptr() for weight in trained.values()}


def test_head_depends_on_its_seed_alone(encoder: Path, tmp_path: Path) -> None:
    heads = [
        train_mode(encoder, tmp_path / "m", head_seed=s).network.qa_outputs.weight.detach().clone() for s in (1, 2, 1)
    ]
    assert torch.equal(heads[0], heads[2])
    assert not torch.equal(heads[0], heads[1])


def test_counts_and_hashes(encoder: Path) -> None:
    network, missing = read_network(encoder)
    assert missing == ["qa_outputs.bias", "qa_outputs.weight"]
    assert parameter_count(encoder) > sum(p.numel() for p in network.bert.parameters()) - 1
    assert len(hash_weights(encoder)) == 64


def test_evaluation_that_runs_out_of_memory_takes_smaller_batches(encoder: Path, tmp_path: Path) -> None:
    model = train_mode(encoder, tmp_path / "model", head_seed=3)
    windows = WindowPreprocessor(str(encoder), 64, 16)(CONTEXTS, QUESTIONS)
    before, sizes = model(windows, CONTEXTS), []

    most = 2

    def scarce(network: object, given: object, named: dict[str, torch.Tensor]) -> None:
        sizes.append(len(named["input_ids"]))
        if sizes[-1] > most:
            raise torch.OutOfMemoryError("out of memory")

    # The network is shared by all models of this process: the hook must not stay on it.
    with model.network.register_forward_pre_hook(scarce, with_kwargs=True):
        after = model(windows, CONTEXTS)
        assert after[:2] == before[:2]
        assert after[2] == pytest.approx(before[2], rel=1e-4)
        assert max(sizes) > 2
        most = 0
        with pytest.raises(
            XlqaError, match=r"one window of \d+ pieces does not fit into cpu's memory: lower --max-length"
        ):
            model(windows, CONTEXTS)


@pytest.mark.parametrize(("key", "value"), [("num_attention_heads", 5), ("hidden_act", "unheard-of")])
def test_a_configuration_that_cannot_be_computed_is_one_line(
    key: str, value: object, encoder: Path, tmp_path: Path
) -> None:
    shutil.copytree(encoder, tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {key: value}), encoding="utf-8")
    with pytest.raises(XlqaError, match=r"the model cannot be (read|computed) \(") as caught:
        read_network(tmp_path / "model")
    assert "\n" not in str(caught.value)


def test_a_padding_piece_that_the_network_does_not_have_is_one_line(encoder: Path, tmp_path: Path) -> None:
    shutil.copytree(encoder, tmp_path / "other")
    path = tmp_path / "other" / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"pad_token": "[NEW]"}), encoding="utf-8")
    windows = WindowPreprocessor(str(tmp_path / "other"), 64, 16)(CONTEXTS, QUESTIONS)
    with pytest.raises(XlqaError, match="they are not of the same model"):
        train_mode(encoder, tmp_path / "model")(windows, CONTEXTS)


def test_a_tokenizer_of_a_vocabulary_and_merges_is_read(tmp_path: Path) -> None:
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(CONTEXTS, vocab_size=300, special_tokens=special)
    tokenizer.save_model(str(tmp_path))
    RobertaConfig(vocab_size=300, hidden_size=8, num_attention_heads=2, intermediate_size=8).save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "merges.txt", "vocab.json"]
    found = load_tokenizer(tmp_path)
    assert found.is_fast
    assert found.tokenize("mara") == tokenizer.encode("mara").tokens
