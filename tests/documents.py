"""Reading the project's pages and doing what they say: every command in them, on small settings."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from executors import in_process

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "xlqa" / "data" / "sample"

SMALL: dict[str, Any] = {
    "source_train": "sample.en.train", "source_size": 16, "seeds": 2, "source_seeds": 1, "epochs": 1.0, "source_epochs": 1.0, "min_steps": 2,
    "batch_size": 8, "lr": 1e-3, "max_length": 160, "precision": "fp32", "device": "cpu",
}  # fmt: skip
"""What a page's sweep is cut down to; its sizes become as many small ones, two at most."""

NOT_OURS = ("git", "cd", "source", "sbatch", "pip", "ray")
"""Programs of others that the pages call; they are not run."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page: what it is said to be, its text, the line it begins at."""

    kind: str
    text: str
    line: int

    def commands(self) -> Iterator[str]:
        """The lines of a console block that begin with a dollar sign."""
        for line in self.text.splitlines():
            if line.startswith("$ "):
                yield line.removeprefix("$ ")


def read_blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(match[1], match[2], text[: match.start()].count("\n") + 1) for match in found]


def sample_part(name: str, first: int, articles: int, paragraphs: int) -> dict[str, Any]:
    """A part of a file of the embedded sample: articles from `first` on, around its end."""
    whole = json.loads((SAMPLE / f"{name}.json").read_bytes())["data"]
    chosen = [whole[(first + i) % len(whole)] for i in range(articles)]
    return {"version": "1.1", "data": [a | {"paragraphs": a["paragraphs"][:paragraphs]} for a in chosen]}


@dataclass
class Newcomer:
    """Follows a page word by word in a folder of their own.

    Registered sets and hub models, which are far away, are stood in for: by parts of the sample under the same names, and
    by a tiny encoder. Everything else is what the page says.
    """

    home: Path
    encoder: Path
    patch: pytest.MonkeyPatch
    environment: dict[str, str] = field(default_factory=dict)
    stood_in: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home.mkdir(exist_ok=True)
        self.patch.chdir(self.home)
        for place, name in enumerate(("train.json", "dev.json", "more.json")):
            self._write(self.home / name, place)
        self.patch.setattr("xlqa.runs.sweep.choose_executor", lambda *_: in_process())
        self.patch.setattr(
            "xlqa.tasks.sources.ensure_local", lambda part, folder, **_: (self.stand_in(part.name), "0" * 64)
        )
        self.patch.setattr("xlqa.data.hub.fetch_model", lambda name: self.encoder)
        self.patch.setattr("xlqa.doctor.ask_addresses", lambda urls: dict.fromkeys(urls, _answers()))
        self.patch.setattr("xlqa.doctor.encoder_need", lambda name, hub: _here(name))

    def stand_in(self, name: str) -> Path:
        """A small file under a registered part's name."""
        if name not in self.stood_in:
            path = self.home / "far-away" / f"{name}.json"
            path.parent.mkdir(exist_ok=True)
            self._write(path, len(self.stood_in) + 3)
            self.stood_in[name] = path
        return self.stood_in[name]

    def _write(self, path: Path, place: int) -> None:
        train = "train" in path.name
        part = sample_part("es.train", place, 2, 4) if train else sample_part("es.test", 2 * place, 3, 1)
        # Titles count for nothing but make each stand-in a file of its own.
        part["data"] = [article | {"title": path.stem} for article in part["data"]]
        path.write_text(json.dumps(part, ensure_ascii=False), encoding="utf-8")

    # ---- doing

    def follow(self, page: Path) -> int:
        """Do all that a page says; returns how many commands of xlqa and Python blocks that were."""
        done = 0
        for block in read_blocks(page):
            if block.kind == "toml":
                (self.home / "experiment.toml").write_text(block.text, encoding="utf-8")
            elif block.kind == "bash":
                done += self.run_job_script(block.text, f"{page.name}, line {block.line}")
            elif block.kind == "python":
                self.run_python(block.text)
                done += 1
            elif block.kind == "console":
                done += sum(self.do(line, f"{page.name}, line {block.line}") for line in block.commands())
        return done

    def do(self, line: str, where: str) -> bool:
        """Do one command; whether it was one of xlqa's."""
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            self.patch.setenv(name, value)
            return False
        if re.match(r"\w+=\$\(", line) or line.split()[0] in NOT_OURS:
            return False
        if line.startswith("scripts/"):
            assert os.access(ROOT / line.split()[0], os.X_OK), f"{where}: {line} is not there"
            return False
        if line.startswith("python -m deeppavlov"):
            assert (ROOT / line.split()[-1]).is_file(), f"{where}: {line}"
            return False
        assert line.startswith("xlqa "), f"{where}: this test does not know how to do: {line}"
        words = self.expand(line)[1:]
        if words == ["--install-completion"]:
            return False  # it would write into this person's shell
        status = run_words(self.shrink(words))
        # The tiny encoder learns nothing, so that there is no worth to draw.
        assert status == 0 or (status == 2 and "worth" in words), f"{where}: exit status {status} from: {line}"
        return True

    def expand(self, line: str) -> list[str]:
        """A command's words as a shell makes them; a run's size is that of the small sweep that stands in."""
        line = re.sub(r"target-only-\d+-s0-\*", "target-only-8-s0-*", line)
        line = re.sub(r"(\S+/runs/\w+)-transfer-[1-9]\d*-s0-\*", self._kept_run, line)
        done = subprocess.run(
            ["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True, cwd=self.home,
            env=os.environ | self.environment,
        )  # fmt: skip
        return done.stdout.decode().split("\0")[:-1]

    def _kept_run(self, match: re.Match[str]) -> str:
        """The transfer run of a sweep whose weights were kept: of the largest size, where the sweep was widened."""
        found = self.home.glob(f"{match[1]}-transfer-[1-9]*-s0-*/model")
        weights = max(found, key=lambda path: int(path.parent.name.split("-")[2]))
        return str(weights.parent.relative_to(self.home))

    def shrink(self, words: list[str]) -> list[str]:
        """The same command on small settings; what the page says is checked first, as far as it goes without data."""
        if words[0] == "sweep":
            return self._shrink_sweep(words)
        if words[0] == "evaluate":
            place = words.index("--test") + 1
            _check_registered([words[place]])
            return [*words[:place], "sample.en.test", *words[place + 1 :], "--test-size", "8", "--device", "cpu"]
        return [*words, "--device", "cpu"] if words[0] in ("ask", "run") else words

    def _shrink_sweep(self, words: list[str]) -> list[str]:
        said = check_request(words)
        kept = ("lang", "arms", "source_seeds", "out", "keep", "shard", "dry_run", "config", "as_json", "valid_size")
        settings = {name: value for name, value in said["given"].items() if name in kept}
        request = said["request"]
        small = self.small_settings(request.languages, len(request.sizes), request.target_train, request.target_test)
        small |= {"target_model": [f"{k}={self.encoder}" for k in request.target_model]} if request.target_model else {}
        return ["sweep", *as_flags(small | settings | {"out": str(request.out)})]

    def small_settings(
        self, languages: Iterable[str], sizes: int, train: Mapping[str, str], tests: Mapping[str, Iterable[str]]
    ) -> dict[str, Any]:
        """The settings that stand in for those of a page."""
        from xlqa.data.registry import default_tests, default_train

        trains = {k: train.get(k) or self.stand_in(default_train(k)) for k in languages}
        scored = {k: tests.get(k) or [self.stand_in(name) for name in default_tests(k)] for k in languages}
        return SMALL | {
            "model": str(self.encoder), "sizes": "8,16" if sizes > 1 else "8",
            "target_train": [f"{k}={file}" for k, file in trains.items()],
            "target_test": [f"{k}={file}" for k, files in scored.items() for file in files],
        }  # fmt: skip

    def run_job_script(self, text: str, where: str) -> int:
        """Do what a batch script does with xlqa: the source stage first, then as many shards as it names."""
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)
        source, sweep = (line.strip() for line in text.splitlines() if line.strip().startswith("xlqa "))
        tasks = int(re.findall(r"/(\d+)", sweep)[0])
        for line, count in ((source, 1), (sweep, tasks)):
            for task in range(1, count + 1):
                self.environment["SLURM_ARRAY_TASK_ID"] = str(task)
                self.do(line, where)
        return 1 + tasks

    def run_python(self, text: str) -> dict[str, Any]:
        """Run a Python block of a page, its sweeps on small settings."""
        import xlqa.api

        whole = xlqa.api.sweep

        def small(lang: str, **settings: Any) -> Any:
            from xlqa.runs.plan.request import build_request

            build_request({"lang": lang, **settings})
            changed = self.small_settings([lang], len(settings.get("sizes", ())), {}, {})
            return whole(lang, **(settings | changed))

        self.patch.setattr(xlqa.api, "sweep", small)
        self.patch.setenv("MPLBACKEND", "Agg")
        names: dict[str, Any] = {}
        exec(compile(text, "<page>", "exec"), names)
        self.patch.setattr(xlqa.api, "sweep", whole)
        return names


def _answers() -> Any:
    from xlqa.doctor import Reply

    return Reply(1_000, "")


def _here(name: str) -> Any:
    from xlqa.doctor import Need

    return Need("encoder", name, True, 0)


def run_words(words: list[str]) -> int:
    """One command of xlqa, in this process."""
    from xlqa.cli import main

    return main(words)


def check_request(words: list[str]) -> dict[str, Any]:
    """What a sweep's flags say, through the command line's own parser and checks: settings given, and the request."""
    import typer

    from xlqa.cli.app import app
    from xlqa.runs.plan.request import build_request, gather_settings
    from xlqa.settings import SETTINGS

    command = typer.main.get_command(app).commands["sweep"]  # type: ignore[attr-defined]  # it is a group
    params = command.make_context("sweep", words[1:]).params
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in params.items()}
    given = {name: value for name, value in plain.items() if value not in (None, False, [])}
    flags = {name: value for name, value in given.items() if name in SETTINGS}
    config = Path(given["config"]) if "config" in given else None
    return {"given": given, "request": build_request(gather_settings(flags, config, False))}


def as_flags(settings: Mapping[str, Any]) -> list[str]:
    """Settings as words of a command line."""
    words: list[str] = []
    for name, value in settings.items():
        flag = "--json" if name == "as_json" else "--" + name.replace("_", "-")
        for item in value if isinstance(value, list) else [value]:
            words += [flag] if item is True else [flag, str(item)]
    return words


def _check_registered(names: Iterable[str]) -> None:
    from xlqa.data.registry import part_names

    for name in names:
        assert name in part_names() or name.endswith(".json"), f"{name} is no registered set"


def running_text(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def quoted_commands(page: Path) -> list[list[str]]:
    """The words of the commands that a page's running text names between backquotes."""
    return [shlex.split(found) for found in re.findall(r"`xlqa ([^`]+)`", running_text(page))]
