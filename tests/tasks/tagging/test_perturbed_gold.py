"""Scores of perturbed gold tags against what seqeval 1.2.2 gave, to 1e-9: entities and parts of speech, five languages each.

XTREME's evaluate.py calls the same functions of seqeval and gave the same numbers. To compute the table again, with seqeval
installed and DATA the unpacked data sets: `python tests/tasks/tagging/test_perturbed_gold.py DATA`.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from xlqa.records import TASK_METRICS
from xlqa.tasks.base import get_task
from xlqa.tasks.sources import sample_files

SENTENCES, CHANGED = 1000, 0.15

FILES = {
    **{f"ner {language}": f"panx/{language}/dev.tsv" for language in ("en", "ru", "zh", "sw", "es")},
    "pos en": "ud-en_ewt-upos/dev.txt", "pos es": "udpos/es/dev.tsv", "pos zh": "udpos/zh/dev.tsv",
    "pos ru": "ud-pud/ru_pud-ud-test.conllu", "pos sw": "masakhapos-swa/dev.txt",
}  # fmt: skip
SAMPLES = {f"ner {language} sample": f"sample.ner.{language}.test" for language in ("en", "es", "ru")}

RECORDED: dict[str, tuple[float, ...]] = {
    "ner en": (53.05912596401027, 42.32977850697293, 71.07438016528926, 63.08221319162238),
    "ner ru": (57.065052950075646, 46.27085377821393, 74.4277821625888, 65.4714951595554),
    "ner zh": (27.342325920524974, 17.78515532368983, 59.10165484633569, 38.497652582159624),
    "ner sw": (56.89993459777632, 47.052460789616006, 71.96029776674938, 65.4434250764526),
    "ner es": (51.98511166253101, 41.77467597208375, 68.80131362889983, 61.57894736842104),
    "pos en": (85.7020974049058, 83.18190530956488),
    "pos es": (85.80455547391624, 83.96859253763641),
    "pos zh": (86.25128326620865, 82.31897034135423),
    "pos ru": (86.18961508654095, 83.5873585117113),
    "pos sw": (86.37673565627456, 82.63157894736842),
    "ner en sample": (50.40650406504065, 37.74733637747336, 75.84097859327217, 62.967741935483865),
    "ner es sample": (54.79166666666666, 41.287284144427, 81.42414860681114, 65.29562982005142),
    "ner ru sample": (56.086956521739125, 43.21608040201005, 79.87616099071208, 67.8237650200267),
}  # fmt: skip
"""F1, precision, recall and strict F1 of entities; accuracy and XTREME's F1 of parts of speech: seqeval 1.2.2, in percent."""


def perturbed(task: str, path: Path) -> tuple[list[tuple[str, ...]], list[list[str]], dict[str, float | None]]:
    """Gold tags, predictions with some tags drawn at random, and xlqa's scores of them."""
    examples = get_task(task).read(path).examples[:SENTENCES]
    tags, rng = get_task(task).label_set(examples), random.Random(0)
    predicted = [
        [tags[int(rng.random() * len(tags))] if rng.random() < CHANGED else tag for tag in example.tags]
        for example in examples
    ]
    scores = get_task(task).score(examples, predicted, "")
    return [example.tags for example in examples], predicted, {m: scores.percent(m) for m in TASK_METRICS[task]}


def check(name: str, path: Path) -> None:
    found = perturbed(name.split()[0], path)[2]
    assert list(found.values()) == pytest.approx(RECORDED[name], abs=1e-9, rel=0)


@pytest.mark.parametrize("name", SAMPLES)
def test_scores_of_the_sample_equal_seqevals(name: str) -> None:
    check(name, sample_files()[SAMPLES[name]])


@pytest.mark.shared
@pytest.mark.parametrize("name", FILES)
def test_scores_of_real_sets_equal_seqevals(name: str, shared_data: Path) -> None:
    check(name, shared_data / FILES[name])


def seqeval_scores(task: str, golds: list[tuple[str, ...]], predicted: list[list[str]]) -> tuple[float, ...]:
    """The same metrics from seqeval; the accuracy of words is its own too."""
    from seqeval import metrics
    from seqeval.scheme import IOB2

    pairs = [list(gold) for gold in golds], predicted
    if task == "pos":
        return tuple(100 * f(*pairs) for f in (metrics.accuracy_score, metrics.f1_score))
    lenient = (f(*pairs) for f in (metrics.f1_score, metrics.precision_score, metrics.recall_score))
    return tuple(100 * float(v) for v in (*lenient, metrics.f1_score(*pairs, mode="strict", scheme=IOB2)))


if __name__ == "__main__":
    places = {name: Path(sys.argv[1]) / file for name, file in FILES.items()}
    places |= {name: sample_files()[file] for name, file in SAMPLES.items()}
    for name, path in places.items():
        golds, predicted, _ = perturbed(name.split()[0], path)
        print(f'    "{name}": {seqeval_scores(name.split()[0], golds, predicted)},')
