"""The model card of an exported run: what it was trained on, its scores with intervals, how to use it."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xlqa.data.hub import KNOWN
from xlqa.data.registry import find_set, part_names, parts_of_file
from xlqa.records import NO_ANSWER_METRICS, TASK_METRICS
from xlqa.runs.paths import RunFolder
from xlqa.runs.store.results import example_file, load_result
from xlqa.runs.store.run_config import RunConfig
from xlqa.tasks.sources import sample_files
from xlqa.tasks.tagging.words import find_words
from xlqa.util.files import load_json
from xlqa.util.languages import LANGUAGE_NAMES
from xlqa.util.text import plain

PIPELINES = {"qa": "question-answering", "ner": "token-classification", "pos": "token-classification"}
ON_HUB = {"multilingual-e5-small": "intfloat/multilingual-e5-small", "minilm": "sentence-transformers/all-MiniLM-L6-v2"}
"""Names on the hub of the encoders that Python packages bring."""

METRIC_NAMES = {"em": "exact_match", "squad_em": "exact_match", "squad_f1": "f1", "macro_f1": "f1"}
"""The hub's names of metrics that xlqa calls otherwise."""

PAIRS = ("nli", "paraphrase")
UNKNOWN_LICENCE = "not known to xlqa"


@dataclass(frozen=True, slots=True)
class Used:
    """A data set that the weights come from."""

    role: str
    name: str
    size: int | None
    licence: str


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one evaluation.

    Attributes:
        value: in percent.
        half: half the width of the 95 % interval over groups of test examples, in points; None with fewer than two groups.
    """

    test: str
    split: str
    examples: int
    metric: str
    scorer: str
    value: float
    half: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card states; `inputs` are the texts of its example, `threshold` that of a model that may leave questions unanswered."""

    name: str
    run: str
    task: str
    language: str
    encoder: str
    trained: str
    used: Sequence[Used]
    scores: Sequence[Score]
    settings: Mapping[str, Any]
    lengths: tuple[int, int, int]
    inputs: tuple[str, ...]
    threshold: float | None = None

    @property
    def pipeline(self) -> str:
        """The name of transformers' pipeline for the task."""
        return PIPELINES.get(self.task, "text-classification")


# --- what a run was -------------------------------------------------------------------------------------------------


def describe_run(folder: RunFolder, config: RunConfig, name: str) -> Facts:
    """The facts of a run's card.

    Raises:
        XlqaError: the record of an evaluation is broken.
    """
    row = config.first_row
    language = str(row.get("lang") or config.language or "")
    encoder = re.sub(r" \(.*\)$", "", str(row.get("model") or config.model or ""))
    settings = {key: row[key] for key in _SETTINGS if row.get(key) not in (None, "")}
    settings |= {"lora": f"rank {config.hyper.lora}, merged"} if config.hyper and config.hyper.lora else {}
    results = [load_result(path) for path in folder.evaluations()]
    measured = results[0].row if results else {}
    settings |= {key: measured[key] for key in ("xlqa", "torch", "transformers") if measured.get(key)}
    return Facts(
        name=name, run=config.id, task=config.task, language=language, encoder=encoder, trained=str(row.get("arm") or "source"),
        used=_used(config, row), settings=settings, inputs=example_texts(config.task, language),
        scores=[score for path, result in zip(folder.evaluations(), results, strict=True) for score in _scores(path, result.row)],
        lengths=(config.max_length, config.stride, config.max_answer_length), threshold=_threshold(folder, config),
    )  # fmt: skip


_SETTINGS = ("arm", "size", "seed", "source_seed", "lr", "epochs", "batch_size", "warmup", "steps", "source_lr", "source_epochs",
             "source_steps", "precision", "max_length", "stride")  # fmt: skip


def _threshold(folder: RunFolder, config: RunConfig) -> float | None:
    """The no-answer threshold that a model is kept with; None where it answers every question."""
    known = load_json(folder.root / config.weights / "config.json") if config.unanswerable else {}
    value = known.get("null_threshold") if isinstance(known, dict) else None
    return float(value) if isinstance(value, int | float) else None


def _used(config: RunConfig, row: Mapping[str, Any]) -> list[Used]:
    if config.is_source:
        entry = config.train
        return [Used("source", entry.name, config.train_size, licence_of(entry.name, entry.sha256))] if entry else []
    used = []
    for role, size in (("source", row.get("source_size")), ("target", row.get("size"))):
        name = re.sub(r" \(.*\)$", "", str(row.get(role) or ""))
        if name:
            licence = licence_of(name, str(row.get(f"{role}_sha256") or "").partition("+")[0])
            used.append(Used(role, name, size, licence))
    return used


def licence_of(name: str, sha256: str) -> str:
    """The licence of a data set as the registry states it."""
    if name in sample_files():
        return "Apache-2.0 (the invented sample of xlqa)"
    parts = parts_of_file(sha256)
    known = parts[0].name if parts else name if name in part_names() else ""
    return find_set(known).licence if known else UNKNOWN_LICENCE


def _scores(folder: Path, row: Mapping[str, Any]) -> list[Score]:
    task = row.get("task") or "qa"
    examples = read_examples(folder / example_file(task), TASK_METRICS[task])
    found = []
    for metric in (*TASK_METRICS[task], *NO_ANSWER_METRICS):
        value = row.get(metric)
        if value is not None:
            scorer = "squad" if metric.startswith("squad_") else str(row["scorer"])
            half = interval(*examples[metric]) if metric in examples else None
            found.append(Score(row["test"], row["split"], row["questions"], metric, scorer, float(value), half))
    return found


Floats = npt.NDArray[np.float64]


def read_examples(path: Path, metrics: Sequence[str]) -> dict[str, tuple[Floats, Floats, list[str]]]:
    """Numerators, denominators and groups of each metric's test examples; no key for a metric that the file lacks."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    groups = [row.get("context") or row.get("group") or row["id"] for row in rows]
    found = {}
    for metric in metrics:
        if rows and metric in rows[0]:
            found[metric] = (np.array([float(row[metric]) for row in rows]) / 100, np.ones(len(rows)), groups)
        elif rows and f"{metric}_numerator" in rows[0]:
            over, under = (
                np.array([float(row[f"{metric}_{part}"]) for row in rows]) for part in ("numerator", "denominator")
            )
            found[metric] = (over, under, groups)
    return found


def interval(numerators: Floats, denominators: Floats, groups: Sequence[str]) -> float | None:
    """Half the width of the 95 % interval of a score, in points; None with fewer than two groups or nothing counted.

    The score is a ratio of sums, linearised over G groups of examples that may be alike, with Student's t of G - 1 degrees of
    freedom (Cochran 1977, section 6.4; Cameron and Miller 2015).
    """
    from scipy import stats

    names, number = np.unique(np.array(groups), return_inverse=True)
    total, count = float(denominators.sum()), len(names)
    if count < 2 or total == 0:
        return None
    residuals = np.bincount(number, numerators - numerators.sum() / total * denominators)
    error = float(np.sqrt(count / (count - 1) * (residuals**2).sum()) / total)
    return float(100 * error * stats.t.ppf(0.975, count - 1))


def example_texts(task: str, language: str) -> tuple[str, ...]:
    """Texts to try a model with, from the invented sample: in its language where the sample has it, else in English."""
    files = sample_files()
    path = files.get(f"sample.{language}.test", files["sample.en.test"])
    paragraph = load_json(path)["data"][0]["paragraphs"][0]
    if task == "qa":
        return paragraph["context"], paragraph["qas"][0]["question"]
    sentences = re.findall(r"[^.]+\.", paragraph["context"])
    return tuple(sentence.strip() for sentence in sentences[: 2 if task in PAIRS else 1])


# --- the card -------------------------------------------------------------------------------------------------------


def write_card(facts: Facts) -> str:
    """The text of README.md: metadata in YAML for the hub, then the card."""
    return f"---\n{_metadata(facts)}\n---\n\n" + "\n\n".join(
        [f"# {plain(facts.name)}", _summary(facts), _usage(facts), _data(facts), _results(facts), _training(facts)]
    ) + "\n"  # fmt: skip


def _metadata(facts: Facts) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type=facts.pipeline, dataset_type=score.test, dataset_name=score.test, dataset_split=score.split,
            metric_type=METRIC_NAMES.get(score.metric, score.metric), metric_value=round(score.value, 2),
            metric_name=f"{score.metric} ({score.scorer})",
        )
        for score in facts.scores
    ]  # fmt: skip
    base = hub_name(facts.encoder)
    more: dict[str, Any] = {"widget": [_widget(facts)]}
    if base:
        more["base_model"] = base
    if results:
        more |= {"model_name": facts.name, "eval_results": results}
    data = ModelCardData(
        language=[facts.language] if facts.language else None, library_name="transformers", pipeline_tag=facts.pipeline,
        tags=["xlqa", "cross-lingual"], **more,
    )  # fmt: skip
    return str(data.to_yaml())


def hub_name(encoder: str) -> str:
    """An encoder's name on the hub; "" where it is not known to be there."""
    return ON_HUB.get(encoder, encoder if encoder in KNOWN or re.fullmatch(r"[\w.-]+/[\w.-]+", encoder) else "")


def _widget(facts: Facts) -> dict[str, str]:
    if facts.task == "qa":
        return {"context": facts.inputs[0], "text": facts.inputs[1]}
    return {"text": facts.inputs[0]} | ({"text_pair": facts.inputs[1]} if len(facts.inputs) > 1 else {})


def _summary(facts: Facts) -> str:
    language = LANGUAGE_NAMES.get(facts.language, facts.language) or "an unknown language"
    ways = {
        "transfer": "first on English data, then on data of this language", "target-only": "on data of this language only",
        "joint": "on English data and data of this language together", "monolingual": "on data of this language only",
        "source": "on the source data only",
    }  # fmt: skip
    return (
        f"A model for {facts.pipeline.replace('-', ' ')} (`{facts.task}`) in {language}: the encoder {plain(facts.encoder)}, "
        f"trained {ways.get(facts.trained, facts.trained)} by xlqa "
        f"(run `{facts.run}`). It was trained to measure transfer between languages." + _no_answer(facts.threshold)
    )


def _no_answer(threshold: float | None) -> str:
    """How a model leaves questions unanswered, in words; "" for one that does not."""
    if threshold is None:
        return ""
    return (
        " It was trained on unanswerable questions, too. A question has no answer where log p(start) + log p(end) at [CLS] exceeds the best "
        f"span's by more than {threshold:.4g} (`null_threshold` in config.json). `xlqa ask` and the lines below do "
        "this."
    )


def usage(facts: Facts) -> str:
    """Python that loads the model and predicts the example."""
    if facts.task == "qa":
        return answer_usage(facts)
    load = f'model = pipeline("{facts.pipeline}", model={facts.name!r}'
    if facts.pipeline == "token-classification":
        call = f'{load}, aggregation_strategy="first")\nmodel({facts.inputs[0]!r})'
    else:
        pair = {"text": facts.inputs[0], "text_pair": facts.inputs[1]} if len(facts.inputs) > 1 else facts.inputs[0]
        call = f"{load}, truncation=True, max_length={facts.lengths[0]})\nmodel({pair!r})"
    return f"from transformers import pipeline\n\n{call}"


def answer_usage(facts: Facts) -> str:
    """Python that finds the answer of `xlqa ask` in a paragraph of one window. transformers has no pipeline for it since 5.3."""
    length, _, most = facts.lengths
    context, question = facts.inputs
    leave = (
        f"""
if output.start_logits[0, 0] + output.end_logits[0, 0] - scores[start, end] > {facts.threshold!r}:
    answer = \"\""""
        if facts.threshold is not None
        else ""
    )
    return f"""import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({facts.name!r})
network = AutoModelForQuestionAnswering.from_pretrained({facts.name!r})
question = {question!r}
context = {context!r}
encoded = tokenizer(
    question, context, truncation="only_second", max_length={length}, return_offsets_mapping=True, return_tensors="pt"
)
offsets = encoded.pop("offset_mapping")[0].tolist()
inside = torch.tensor([part == 1 for part in encoded.sequence_ids()])
with torch.no_grad():
    output = network(**encoded)
scores = output.start_logits[0, :, None] + output.end_logits[0, None, :]
allowed = (inside[:, None] & inside).triu().tril({most - 1})
start, end = divmod(int(scores.masked_fill(~allowed, float("-inf")).argmax()), len(offsets))
answer = context[offsets[start][0] : offsets[end][1]].strip(){leave}"""


def words_usage(facts: Facts) -> str:
    """Python that gives each word of a text the tag of its first piece, as `xlqa ask` does, in texts of one window."""
    words = [found.group() for found in find_words(facts.inputs[0], "ner" if facts.task == "ner" else "pos")]
    return f"""import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({facts.name!r})
network = AutoModelForTokenClassification.from_pretrained({facts.name!r})
words = {words!r}
encoded = tokenizer([f" {{word}}" for word in words], add_special_tokens=False)
pieces = [tokenizer.cls_token_id, *sum(encoded["input_ids"], []), tokenizer.sep_token_id]
best = network(torch.tensor([pieces])).logits[0].argmax(dim=-1).tolist()
tagged, place = [], 1
for number, word in enumerate(words):
    tokens = encoded[number].tokens
    first = next((i for i, token in enumerate(tokens) if token.strip("▁Ġ")), 0)
    tagged.append((word, network.config.id2label[best[place + first]]))
    place += len(tokens)"""


def _usage(facts: Facts) -> str:
    remark = {
        "question-answering": "This gives the answer of `xlqa ask` for texts of one window. `xlqa ask` reads longer ones in several windows.",
        "token-classification": "With SentencePiece tokenizers the pipeline's words include punctuation. For the tags of `xlqa ask`, "
        f"split the words as xlqa does:\n\n```python\n{words_usage(facts)}\n```",
        "text-classification": f"`transformers.AutoModelForSequenceClassification.from_pretrained({facts.name!r})` loads the network alone.",
    }[facts.pipeline]  # fmt: skip
    return f"## Use\n\n```python\n{usage(facts)}\n```\n\n{remark}"


def _data(facts: Facts) -> str:
    lines = ["## Training data", "", "| Role | Data set | Examples | Licence |", "|---|---|---|---|"]
    lines += [
        f"| {used.role} | {_cell(used.name)} | {used.size or 0:,} | {_cell(used.licence)} |" for used in facts.used
    ]
    lines += ["", "The licences are those of the data sets. Check them before you publish the model."]
    return "\n".join(lines)


def _results(facts: Facts) -> str:
    if not facts.scores:
        return "## Scores\n\nThis model was not scored."
    lines = [
        "## Scores",
        "",
        "| Test set | Split | Examples | Metric | Scorer | Score | 95 % interval |",
        "|---|---|---|---|---|---|---|",
    ]
    for score in facts.scores:
        bounds = (
            ""
            if score.half is None
            else f"{max(0.0, score.value - score.half):.1f} to {min(100.0, score.value + score.half):.1f}"
        )
        lines.append(
            f"| {_cell(score.test)} | {score.split} | {score.examples:,} | {score.metric} | {score.scorer} | {score.value:.1f} | {bounds} |"
        )  # fmt: skip
    lines += ["", "Scores are percentages. The intervals hold for these weights, over other test texts of the same kind. Another "
              "seed gives other weights."]  # fmt: skip
    return "\n".join(lines)


def _training(facts: Facts) -> str:
    settings = ", ".join(f"{key.replace('_', ' ')} {_cell(value)}" for key, value in facts.settings.items())
    return f"## Training\n\n{settings}." if settings else "## Training\n\nSource stage of a sweep."


def _cell(value: Any) -> str:
    return plain(str(value), 200).replace("|", "/")
