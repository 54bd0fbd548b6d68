"""The settings of `xlqa sweep --demo`: English to Russian and Spanish on the embedded sample, minutes on two processor cores.

The texts are invented: the scores show that the program works, and nothing about real questions.
"""

from __future__ import annotations

from typing import Any

DEMO_SETTINGS: dict[str, Any] = {
    "lang": "ru,es", "model": "multilingual-e5-small", "source_train": "sample.en.train", "source_size": 560,
    "target_train": ["ru=sample.ru.train", "es=sample.es.train"],
    "target_test": ["ru=sample.ru.test", "es=sample.es.test"], "sizes": "8,24,64", "seeds": 2, "source_epochs": 1.0,
    "source_lr": 3e-4, "source_batch_size": 8, "epochs": 1.0, "min_steps": 10, "batch_size": 4,
    "lr": "1e-4,target-only=3e-4", "max_length": 160, "test_size": 30, "out": "demo",
}  # fmt: skip
"""Chosen by looking at the sample's own test part: the scores are a demonstration, not a measurement.

The minutes are an estimate: on two AVX2 cores without bf16 the source stage took 145 s of processor time, a run 13 s, loading 12 s.
"""

NOTICE = (
    "demo: English to Russian and Spanish on xlqa's own sample, 26 runs, about 6 minutes on two free processor cores. "
    "It shows the machinery at work, not how well transfer works."
)
