"""The benchmark's own arithmetic: what it counts, compares and gives to every side. Running it is `scripts/bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

SCRIPTS = Path(__file__).parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

from benchmark.fixtures import choose_questions, write_questions  # noqa: E402  # found through the line above
from benchmark.measure import Passed  # noqa: E402
from benchmark.table import render, render_sweep, summarise  # noqa: E402
from transformers import BertConfig, BertForQuestionAnswering  # noqa: E402

from xlqa.data.sample import sample_path  # noqa: E402
from xlqa.errors import XlqaError  # noqa: E402
from xlqa.runs.plan.encoders import resolve_encoder  # noqa: E402
from xlqa.tasks.qa.reading import read_dataset  # noqa: E402


def sample(speed: float, cpu: float = 1.0) -> dict[str, Any]:
    return {
        "examples_per_second": speed, "examples_per_cpu_second": cpu, "pieces_per_second": 10 * speed, "padding": 0.25,
        "utilisation": 0.5, "peak_bytes": int(speed * 1e6),
    }  # fmt: skip


def test_ratios_are_taken_within_rounds() -> None:
    rows = summarise({"ours": [sample(10), sample(40), sample(20)], "trainer": [sample(5), sample(10), sample(20)]})
    assert rows[1]["ratio"] == (2.0, 1.0, 4.0)
    assert rows[1]["examples_per_second"] == 10
    assert rows[1]["peak_bytes"] == 20_000_000
    text = render("training", rows)
    assert "2.00x (1.00-4.00)" in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_without_xlqa_there_is_no_ratio() -> None:
    assert summarise({"trainer": [sample(5)]})[0]["ratio"] is None


def test_the_sweeps_line_names_what_was_estimated() -> None:
    ours = {"cold": {"seconds": 20.0, "training_and_evaluation": 16.0}}
    result = {
        "runs": 4,
        "steps": 3,
        "ours": ours,
        "stock": {"seconds": 200.0, "runs_measured": [1.0]},
        "ratio": {"cold": 10.0},
    }
    assert "20.0 s (1.00 s a run beyond training and evaluation); 10.0x faster" in render_sweep(result)
    assert "estimated from 1 of its runs" in render_sweep(result)


def test_pieces_and_operations_are_counted_without_padding() -> None:
    config = BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16)
    network = BertForQuestionAnswering(config).eval()
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    with Passed(network) as passed:
        network(input_ids=torch.ones_like(mask), attention_mask=mask)
    network(input_ids=torch.ones_like(mask), attention_mask=mask)
    linear = 2 * (4 * 8 * 8 + 2 * 8 * 16) + 2 * 8
    assert passed.count() == (6, 8, 2 * linear * 6 + 4 * 8 * 2 * (4 * 4 + 2 * 2))


class Anything(torch.nn.Module):
    """A network that takes what it is given."""

    config = BertConfig(hidden_size=8, num_hidden_layers=2, num_attention_heads=2)

    def forward(self, **given: torch.Tensor) -> None:
        """Nothing."""


def test_masks_in_the_layouts_of_a_gpu_are_counted_too() -> None:
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    for shaped in (mask, mask[:, None], mask[:, None, None].bool()):
        network = Anything()
        with Passed(network) as passed:
            network(input_ids=torch.ones_like(mask), attention_mask=shaped)
            network(input_ids=torch.ones_like(mask))
        assert passed.count()[:2] == (6 + 8, 16)


def test_all_questions_fit_one_window_and_are_the_same_each_time(tmp_path: Path) -> None:
    encoder, file = resolve_encoder("minilm").folder, sample_path("en.train")
    chosen = choose_questions(file, encoder, 20, 384, seed=1)
    assert chosen == choose_questions(file, encoder, 20, 384, seed=1)
    write_questions(chosen, tmp_path / "train.json")
    assert list(read_dataset(tmp_path / "train.json").questions) == chosen
    with pytest.raises(XlqaError, match="lower --train and --test"):
        choose_questions(file, encoder, 10, 32, seed=1)


def test_the_best_span_is_found_as_run_qa_does() -> None:
    import numpy as np
    from benchmark.hf import _best_answer

    offsets = [None, (0, 3), (4, 7), None]
    start, end = np.array([9.0, 1.0, 2.0, 0.0]), np.array([9.0, 5.0, 1.0, 0.0])
    assert _best_answer("one two", [(start, end, offsets)]) == "one"  # two..one would be backwards, [CLS] is outside
    later = (np.array([0.0, 0.0, 9.0, 0.0]), np.array([0.0, 0.0, 9.0, 0.0]), offsets)
    assert _best_answer("one two", [(start, end, offsets), later]) == "two"


@pytest.mark.parametrize(
    ("flag", "value", "line"),
    [
        (
            "--sides",
            "theirs",
            "bench: --sides theirs: choose from ours, deeppavlov, trainer, trainer-best, trainer-compiled.\n",
        ),
        (
            "--device",
            "cuda:1",
            "bench: --device cuda:1: choose auto, cpu or cuda; CUDA_VISIBLE_DEVICES=N chooses the GPU.\n",
        ),
        ("--sweep-sizes", "a,2", "bench: --sweep-sizes a,2: give numbers with commas, as in 16,24,32.\n"),
    ],
)
def test_bad_flags_end_with_a_clear_line(flag: str, value: str, line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmark", flag, value], capture_output=True, text=True, check=False, cwd=SCRIPTS
    )
    assert (done.returncode, done.stderr) == (2, line)
