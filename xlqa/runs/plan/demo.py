"""The settings of `xlqa sweep --demo`: English to Spanish on the embedded sample, minutes on two processor cores.

It shows that the machinery works, on invented texts, with an English encoder; it says nothing about real questions.
"""

from __future__ import annotations

from typing import Any

DEMO_SETTINGS: dict[str, Any] = {
    "lang": "es", "model": "minilm", "source_train": "sample.en.train", "target_train": "sample.es.train",
    "target_test": "sample.es.test", "sizes": "16,64,256", "seeds": 2, "source_epochs": 2.0, "source_lr": 3e-4,
    "source_batch_size": 16, "epochs": 2.0, "min_steps": 32, "batch_size": 8, "lr": 1e-4, "max_length": 160, "out": "demo",
}  # fmt: skip
"""Chosen with one seed by looking at the sample's own test part: its scores are a demonstration, not a measurement."""

NOTICE = (
    "demo: English to Spanish on xlqa's own sample, 13 runs, about 5 minutes on two processor cores. "
    "It shows the machinery at work, not how well transfer works."
)
