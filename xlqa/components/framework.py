"""What the components and the runner take from DeepPavlov: its own classes, or `thin`'s where it is not installed.

DeepPavlov 1.7 pins libraries that have no builds for Python 3.12 and later. A config means the same under both: the tests run
one with each of them.
"""

from __future__ import annotations

try:
    from deeppavlov.core.commands.train import get_iterator_from_config as build_iterator
    from deeppavlov.core.commands.train import read_data_by_config as read_data
    from deeppavlov.core.commands.utils import parse_config
    from deeppavlov.core.common.params import from_params as build_component
    from deeppavlov.core.common.registry import get_model as find_class
    from deeppavlov.core.data.data_learning_iterator import DataLearningIterator
    from deeppavlov.core.data.dataset_reader import DatasetReader
    from deeppavlov.core.models.component import Component
    from deeppavlov.core.trainers.fit_trainer import FitTrainer

    HAS_DEEPPAVLOV = True
except ImportError:  # it is not installed, or without the packages that it imports (pip install --no-deps)
    from xlqa.components.thin import (
        Component,
        DataLearningIterator,
        DatasetReader,
        FitTrainer,
        build_component,
        build_iterator,
        find_class,
        parse_config,
        read_data,
    )  # fmt: skip

    HAS_DEEPPAVLOV = False

__all__ = [
    "HAS_DEEPPAVLOV", "Component", "DataLearningIterator", "DatasetReader", "FitTrainer", "build_component", "build_iterator",
    "find_class", "parse_config", "read_data",
]  # fmt: skip
