"""The parts of DeepPavlov 1.7 that a run's config needs, for where DeepPavlov cannot be installed.

A config names a reader, an iterator, a pipe of components and a trainer by `module:Class`; `{NAME}` stands for a variable.
Only what xlqa's own configs use is here: no registry of short names, no references between components, no downloads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

Pairs = list[tuple[Any, Any]]


class Component(ABC):
    """A part of a pipe: called with columns, it returns columns."""

    @abstractmethod
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """One column for each of its outputs; the column itself where there is one."""

    def destroy(self) -> None:
        """Let go of what it holds."""
        self.__dict__.clear()


class DatasetReader(ABC):
    """Reads the files that a config names."""

    @abstractmethod
    def read(self, *args: Any, **kwargs: Any) -> Any:
        """The data, for the iterator."""


class DataLearningIterator:
    """Serves (x, y) pairs by the name of their part.

    Args:
        data: part -> pairs.
    """

    def __init__(self, data: Mapping[str, Pairs], seed: int | None = None, shuffle: bool = True) -> None:
        self.data = {name: list(data.get(name, ())) for name in ("train", "valid", "test")}

    def get_instances(self, data_type: str = "train") -> tuple[Any, ...]:
        """All x of a part, and all y."""
        return tuple(zip(*self.data[data_type], strict=True))


@dataclass(frozen=True, slots=True)
class Metric:
    """A function of columns of a pipe."""

    name: str
    fn: Any
    inputs: Sequence[str]
    alias: str


class Chainer:
    """Components one after another, whose inputs and outputs are columns with names.

    Args:
        in_x, in_y: names of the columns of x and of y; out_params: of those that are returned.
    """

    def __init__(self, in_x: Sequence[str], out_params: Sequence[str], in_y: Sequence[str]) -> None:
        self.in_x, self.out_params, self.in_y = list(in_x), list(out_params), list(in_y)
        self.train_pipe: list[tuple[Sequence[str], Sequence[str], Component]] = []

    def append(self, component: Component, in_x: Sequence[str], out_params: Sequence[str]) -> None:
        """Put a component at the end of the pipe."""
        self.train_pipe.append((in_x, out_params, component))

    def compute(self, x: Sequence[Any], y: Sequence[Any] = (), targets: Sequence[str] | None = None) -> Any:
        """The columns with the names in `targets`; the column itself where there is one.

        Args:
            x, y: of the examples: tuples where they have several columns.
        """
        columns = dict(zip(self.in_x, _columns(x, len(self.in_x)), strict=True))
        if y:
            columns |= dict(zip(self.in_y, _columns(y, len(self.in_y)), strict=True))
        for inputs, outputs, component in self.train_pipe:
            result = component(*(columns[name] for name in inputs))
            columns |= {outputs[0]: result} if len(outputs) == 1 else dict(zip(outputs, result, strict=True))
        wanted = [columns[name] for name in targets or self.out_params]
        return wanted[0] if len(wanted) == 1 else wanted

    def destroy(self) -> None:
        """Let go of the components."""
        for *_, component in self.train_pipe:
            component.destroy()
        self.train_pipe.clear()


def _columns(rows: Sequence[Any], count: int) -> list[Any]:
    return [rows] if count == 1 else list(zip(*rows, strict=True))


class FitTrainer:
    """Holds a pipe and its metrics.

    Args:
        chainer_config: the config's `chainer`; metrics: entries with `name`, `inputs` and perhaps `alias`.
        evaluation_targets: names of the parts that are evaluated.
    """

    def __init__(
        self, chainer_config: dict[str, Any], *, batch_size: int = -1, metrics: Iterable[Mapping[str, Any]] = (),
        evaluation_targets: Iterable[str] = ("valid", "test"),
    ) -> None:  # fmt: skip
        self.chainer_config = chainer_config
        self._chainer = _empty_pipe(chainer_config)
        self.metrics = [_metric(entry, self._chainer) for entry in metrics]
        self.evaluation_targets = tuple(evaluation_targets)
        self._built = self._loaded = False

    def _load(self) -> None:
        """Build the pipe for scoring, unless training has built it."""
        if self._loaded:
            return
        self._chainer.destroy()
        self._chainer = _empty_pipe(self.chainer_config)
        for entry in self.chainer_config["pipe"]:
            self._chainer.append(build_component(entry), entry["in"], entry["out"])
        self._loaded = True


def _empty_pipe(config: Mapping[str, Any]) -> Chainer:
    return Chainer(config["in"], config["out"], config.get("in_y", ["y"]))


def _metric(entry: Mapping[str, Any], chainer: Chainer) -> Metric:
    name = entry["name"]
    further = {key: value for key, value in entry.items() if key not in ("name", "alias", "inputs")}
    inputs = entry.get("inputs", [*chainer.in_y, *chainer.out_params])
    return Metric(name, partial(find_class(name), **further), inputs, entry.get("alias", name))


def find_class(name: str) -> Any:
    """What `module:Name` names."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def build_component(params: Mapping[str, Any], mode: str = "infer") -> Any:
    """The component of an entry of a pipe."""
    settings = {key: value for key, value in params.items() if key != "class_name"}
    return find_class(params["class_name"])(**settings, mode=mode)


def read_data(config: Mapping[str, Any]) -> Any:
    """What a config's reader reads."""
    settings = dict(config["dataset_reader"])
    return find_class(settings.pop("class_name"))().read(**settings)


def build_iterator(config: Mapping[str, Any], data: Any) -> Any:
    """A config's iterator over what its reader has read."""
    settings = dict(config["dataset_iterator"])
    return find_class(settings.pop("class_name"))(**settings, data=data)


def parse_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config whose variables are put in the place of their names."""
    variables = config["metadata"]["variables"]
    return {name: _substitute(value, variables) for name, value in config.items()}


def _substitute(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        exact = {f"{{{name}}}": content for name, content in variables.items()}
        return exact[value] if value in exact else value.format(**variables)
    if isinstance(value, list):
        return [_substitute(item, variables) for item in value]
    if isinstance(value, dict):
        return {name: _substitute(item, variables) for name, item in value.items()}
    return value
