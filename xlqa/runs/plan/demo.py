"""The settings of `xlqa sweep --demo`: English to Russian and Spanish on the embedded sample, minutes on two processor cores.

The texts are invented: the scores show that the program works, and nothing about real questions.
"""

from __future__ import annotations

from typing import Any

from xlqa.errors import XlqaError

DEMO_SETTINGS: dict[str, Any] = {
    "lang": "ru,es", "model": "multilingual-e5-small", "source_train": "sample.en.train", "source_size": 560,
    "target_train": {"ru": "sample.ru.train", "es": "sample.es.train"},
    "target_test": {"ru": "sample.ru.test", "es": "sample.es.test"}, "sizes": "8,24,64", "seeds": 2, "source_seeds": 1,
    "source_epochs": 1.0, "source_lr": 3e-4, "source_batch_size": 8, "epochs": 1.0, "min_steps": 10, "batch_size": 4,
    "lr": "1e-4,target-only=3e-4", "max_length": 160, "test_size": 30, "out": "demo",
}  # fmt: skip
"""Chosen by looking at the sample's own test part: the scores are a demonstration, not a measurement.

The minutes are an estimate: on two AVX2 cores without bf16 the source stage took 145 s of processor time, a run 13 s, loading 12 s.
"""

TASK_DEMO_SETTINGS: dict[str, Any] = {
    "lang": "ru,es", "model": "multilingual-e5-small", "sizes": "8,32,128", "seeds": 2, "source_seeds": 1, "source_epochs": 1.0, "source_lr": 3e-4,
    "source_batch_size": 16, "epochs": 1.0, "min_steps": 10, "batch_size": 8, "lr": "1e-4,target-only=3e-4", "max_length": 96,
    "out": "demo",
}  # fmt: skip
"""The same for the other tasks that the sample has files for."""

DEMO_TASKS = ("qa", "ner", "nli")

NOTICES = {
    "qa": "26 runs, about 8 minutes on two processor cores",
    "ner": "26 runs, a few minutes on two processor cores",
    "nli": "26 runs, a few minutes on two processor cores",
}


def demo_settings(task: str = "qa") -> dict[str, Any]:
    """The demo's settings for a task.

    Raises:
        XlqaError: the sample has no files for it.
    """
    if task not in DEMO_TASKS:
        raise XlqaError(f"--demo: the embedded sample has nothing for --task {task}: choose {', '.join(DEMO_TASKS)}.")
    if task == "qa":
        return dict(DEMO_SETTINGS)
    names = f"sample.{task}"
    return TASK_DEMO_SETTINGS | {
        "task": task, "source_train": f"{names}.en.train", "out": f"demo-{task}",
        "target_train": {language: f"{names}.{language}.train" for language in ("ru", "es")},
        "target_test": {language: f"{names}.{language}.test" for language in ("ru", "es")},
    }  # fmt: skip


def describe_demo(task: str) -> str:
    """What a demo is, for the start of a sweep."""
    return (
        f"demo: English to Russian and Spanish on xlqa's own sample, {NOTICES[task]}. It shows how xlqa works, not how well "
        "transfer works."
    )
