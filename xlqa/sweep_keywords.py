"""The keywords of `xlqa.sweep`, for editors and type checkers.

Generated from xlqa/settings.py by `python -m xlqa.cli.reference xlqa/sweep_keywords.py`; a test keeps it current.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypedDict

Words = str | Sequence[str]
PathLike = str | Path


class SweepKeywords(TypedDict, total=False):
    """The settings of a sweep beside its languages: the flags of `xlqa sweep`, with underscores."""

    task: Literal["qa", "ner", "pos", "nli", "paraphrase", "topic", "sentiment"]
    """What the encoder learns: qa (question answering), ner, pos, nli, paraphrase, topic or sentiment. [default: qa]"""
    sizes: Sequence[int | str] | str | int
    """Numbers of labelled target examples; `full` is all. Transfer always includes zero-shot; 0 alone is zero-shot
    only, which needs no target training set. [default: 100,1000,10000; other tasks 10,100,1000]"""
    arms: Words
    """Arms to compare: transfer, target-only, joint, monolingual. [default: transfer,target-only]"""
    seeds: int | Sequence[int] | str
    """A count (3 is the seeds 0 to 2) or a list (0,3,7 or 3-5). [default: 3]"""
    train_seeds: int | Sequence[int] | str
    """Seeds of training (head, batches, dropout, source stage) to cross with --seeds, which then draw subsets only.
    [default: each seed is both]"""
    source_seeds: int
    """Number of source stages. Seed s starts from source stage s modulo this number. [default: 3, or fewer where
    --seeds has fewer]"""
    model: PathLike
    """Encoder: name on the model hub, folder, `multilingual-e5-small` (extra encoder), or `minilm` (English). [default:
    bert-base-multilingual-cased]"""
    target_model: Words | Mapping[str, PathLike]
    """Encoder of the monolingual arm: MODEL, or ru=MODEL for one language."""
    source_train: PathLike
    """Source training set: name or file. [default: the task's English set: squad.train, wikiann.en.train, …]"""
    target_train: PathLike | Mapping[str, PathLike]
    """Target training set: name or file, or ru=FILE for one language. [default: the language's registered set]"""
    target_test: PathLike | Sequence[PathLike] | Mapping[str, PathLike | Sequence[PathLike]]
    """Target test set: name or file, or ru=FILE for one language. Repeat the flag for several. [default: the language's
    registered sets]"""
    source_size: int
    """Number of source examples to use, drawn at random. [default: all]"""
    source_labels: Literal["gold", "shuffled"]
    """gold, or shuffled (qa only): a control in which each source question has the answer of another question on its
    paragraph. [default: gold]"""
    test_size: int
    """Number of examples to score in each test set, drawn at random. [default: all]"""
    valid_size: int
    """Number of examples to hold out from the target's train part and to score as split `valid`. [default: 0]"""
    subset_by: Literal["question", "paragraph", "label"]
    """How target subsets are drawn: question (any example), paragraph (whole groups, such as premises), or label
    (sentences and pairs, stratified by label). [default: question]"""
    data_dir: PathLike
    """Folder for downloaded data sets. [default: the user's cache, or XLQA_DATA]"""
    allow_overlap: bool
    """Continue although the source data contains test examples; the table counts them."""
    map_tags: Mapping[str, str] | str
    """Read tags of all data sets as other ones: entity types as a type or O (MISC=O,DATE=O), parts of speech as
    others."""
    columns: Mapping[str, str] | str
    """Names of the columns (or keys) of your files and of data sets of the hub, where they are not the usual ones:
    question=q,context=passage."""
    unanswerable: bool
    """Train on and score unanswerable questions (SQuAD 2.0) instead of leaving them out (qa only). The no-answer
    threshold is chosen on the validation part (--valid-size), and is 0 without one."""
    skip_bad: bool
    """Leave out examples that cannot be read, and print how many."""
    epochs: float | str | Mapping[str, float]
    """Epochs on target examples. ARM=X sets it for one arm; a comma list takes several. [default: 3]"""
    source_epochs: float
    """Epochs of the source stage. [default: 2]"""
    min_steps: int | str | Mapping[str, int]
    """Minimum number of steps, so that trainings on few examples do not collapse. ARM=N sets it for one arm; a comma
    list takes several. [default: 200]"""
    batch_size: int
    """Windows per step. [default: 16; other tasks 32]"""
    source_batch_size: int
    """Windows per step in the source stage. [default: as --batch-size]"""
    lora: int
    """Rank of LoRA in training on target examples: of the encoder only low-rank changes are trained (extra `lora`); 0
    is none. [default: 0]"""
    source_lora: int
    """Rank of LoRA in the source stage; 0 is none. [default: as --lora]"""
    lr: float | str | Mapping[str, float]
    """Peak learning rate. ARM=X sets it for one arm; a comma list takes several. [default: 3e-5; with --lora 3e-4]"""
    source_lr: float
    """Peak learning rate of the source stage. [default: as --lr for all arms; 3e-5 or 3e-4 where one stage alone has
    LoRA]"""
    tune: str | Mapping[str, Sequence[float]]
    """Try these values of lr, epochs and min_steps in each arm, and train with the values that score best on the
    validation part."""
    tune_size: int
    """Number of target examples to tune on."""
    tune_seeds: int
    """Number of seeds to tune with: the first of --seeds. [default: 3]"""
    freeze: int | str
    """What to freeze in training on target examples: none, embeddings, or N for the embeddings and the lowest N layers.
    [default: none]"""
    source_freeze: int | str
    """What to freeze in the source stage. [default: as --freeze]"""
    reinit_top: int
    """Number of highest encoder layers that start from fresh weights instead of pre-trained ones. [default: 0]"""
    warmup: float
    """Share of the steps in which the learning rate rises. [default: 0.1]"""
    joint_sampling: Literal["proportional", "balanced"]
    """How the joint arm mixes its data: proportional (all examples alike) or balanced (half of each). [default:
    proportional]"""
    max_length: int
    """Word pieces per window. [default: 384; other tasks 128]"""
    stride: int
    """Word pieces that neighbouring windows share. [default: a third of --max-length]"""
    max_answer_length: int
    """Maximum length of a predicted answer in word pieces (qa only). [default: 30]"""
    precision: Literal["auto", "fp32", "bf16", "fp16"]
    """Floating-point format: auto, fp32, bf16 or fp16. auto is bf16 on devices with bf16 arithmetic, fp16 on a T4 or
    V100. [default: auto]"""
    device: str
    """Device: auto, cpu, cuda or cuda:1. auto is every GPU, or the CPU if there is none. [default: auto]"""
    workers_per_device: int
    """Worker processes per device. [default: 1; on a GPU of this machine up to 3, as memory allows]"""
    launcher: Literal["local", "ray"]
    """Where runs are executed: local (this machine) or ray (a Ray cluster, with the extra `ray`). [default: local]"""
    ray_address: str
    """Address of the Ray cluster: HOST:PORT, or auto for the one that this machine belongs to. [default: auto]"""
    keep: Literal["one", "all", "none"]
    """Weights to keep: one (the source stages and one transfer model per language), all, or none. [default: one]"""
    checkpoint_every: float
    """Minutes between two checkpoints of a training, which resumes from them; 0 for none. [default: 10]"""
    timeout: float
    """Minutes after which a run counts as failed. [default: no limit]"""
    gradient_checkpointing: bool
    """Recompute activations instead of storing them: less memory, about a third more time."""
    out: PathLike
    """Folder of the sweep. [default: the current folder]"""
