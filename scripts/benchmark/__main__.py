"""The command: `scripts/bench`."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import shlex
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmark.fixtures import Material, choose_questions, find_encoder, find_text, write_questions
from benchmark.sweep import Grid, time_sweep
from benchmark.table import render, render_profile, render_sweep, summarise
from benchmark.worker import SIDES, Worker
from xlqa.errors import XlqaError

WORKS = {"training": "train", "evaluation": "evaluate", "sweep": ""}
WARM_STEPS = 2
STOCK, COMPILED = "deeppavlov", "trainer-compiled"
HELP = """Time xlqa beside the stock DeepPavlov pipeline and transformers' Trainer on this machine.

    Every side gets the same questions, all of which fit one window, and takes its turn in every round. Training is timed
    without reading and tokenising where a side does that once (DeepPavlov does it in every batch); evaluation goes from
    the file with questions to the file with answers, without loading the model. Pieces are counted without padding;
    utilisation is the model's arithmetic on them against a plain matrix product in the same process. The sweep is `xlqa sweep` beside
    the same trainings one by one through `python -m deeppavlov train`, twice: with empty caches and with full ones.

    Examples:

    scripts/bench

    scripts/bench --encoder mbert --work training --sides ours,trainer-best --train 512 --rounds 5 --out bench.json
    """


def bench(
    work: Annotated[
        str, typer.Option(help="What to time: training, evaluation, sweep: a comma list.")
    ] = "training,evaluation",
    sides: Annotated[
        str | None,
        typer.Option(
            help="ours, deeppavlov, trainer, trainer-best, trainer-compiled: a comma list. Default: all installed ones but the last."
        ),
    ] = None,
    encoder: Annotated[
        str, typer.Option(help="A model folder, a hub name, minilm, or mbert (its shape, random weights).")
    ] = "minilm",
    text: Annotated[
        Path | None, typer.Option(help="SQuAD file to draw from. Default: ../shared/data, else the sample.")
    ] = None,
    train: Annotated[int, typer.Option(min=1, help="Questions trained on in a round; whole batches are used.")] = 64,
    test: Annotated[int, typer.Option(min=1, help="Questions answered in a round.")] = 64,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that count, after one to warm up.")] = 3,
    batch_size: Annotated[int, typer.Option(min=1, help="Questions an update.")] = 16,
    max_length: Annotated[int, typer.Option(min=32, help="Word pieces a window.")] = 384,
    device: Annotated[
        str, typer.Option(help="auto, cpu or cuda: the first of CUDA_VISIBLE_DEVICES, for every side.")
    ] = "auto",
    threads: Annotated[
        int, typer.Option(help="Threads of a process on a CPU. Default: as many as there are cores.")
    ] = 0,
    sweep_sizes: Annotated[str, typer.Option(help="Sizes of the sweep: a comma list.")] = "16,24,32",
    sweep_seeds: Annotated[int, typer.Option(min=1, help="Seeds of the sweep.")] = 3,
    sweep_steps: Annotated[int, typer.Option(min=1, help="Updates a run of the sweep.")] = 10,
    stock_runs: Annotated[
        int, typer.Option(min=1, help="Runs that DeepPavlov does of the sweep; the rest is estimated.")
    ] = 3,
    seed: Annotated[int, typer.Option(help="Of the choice of questions and of the trainings.")] = 0,
    profile: Annotated[
        bool, typer.Option("--profile", help="Also print which operations take the time of each side.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the JSON to this file too.")] = None,
) -> None:
    """Replaced by HELP."""
    chosen, works = (
        _choose(sides or ",".join(side for side in _installed() if side != COMPILED), SIDES, "--sides"),
        _choose(work, WORKS, "--work"),
    )
    _check(chosen, works, device)
    grid = Grid(_sizes(sweep_sizes), sweep_seeds, sweep_steps, stock_runs)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        material = _prepare(Path(folder), encoder, text, train, test, batch_size, max_length, device, threads, seed)
        results = {
            name: time_sweep(material, grid, Path(folder), _say)
            if name == "sweep"
            else _time(name, chosen, material, rounds, seed, profile)
            for name in works
        }
    document = _describe(material, encoder, rounds) | {"results": results}
    if out:
        out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document, indent=1) if as_json else _render(document))


bench.__doc__ = HELP


def _choose(given: str, known: Any, flag: str) -> list[str]:
    names = [name.strip() for name in given.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise XlqaError(f"{flag} {unknown[0]}: choose from {', '.join(known)}.")
    return names


def _installed() -> list[str]:
    return [side for side in SIDES if side != STOCK or find_spec(STOCK)]


def _check(sides: list[str], works: list[str], device: str) -> None:
    if device not in ("auto", "cpu", "cuda"):
        raise XlqaError(f"--device {device}: choose auto, cpu or cuda; CUDA_VISIBLE_DEVICES=N chooses the GPU.")
    if STOCK not in _installed() and (STOCK in sides or "sweep" in works):
        raise XlqaError(
            f"DeepPavlov is not installed here (it needs Python 3.11): leave out --sides {STOCK} and --work sweep."
        )


def _sizes(given: str) -> tuple[int, ...]:
    parts = given.split(",")
    if not all(part.strip().isdigit() and int(part) for part in parts):
        raise XlqaError(f"--sweep-sizes {given}: give numbers with commas, as in 16,24,32.")
    return tuple(map(int, parts))


def _prepare(
    folder: Path, encoder: str, text: Path | None, train: int, test: int, batch_size: int, max_length: int, device: str,
    threads: int, seed: int,
) -> Material:  # fmt: skip
    from xlqa.training.devices import resolve_device

    _say(f"choosing {train + test:,} questions …")
    model = find_encoder(encoder, folder)
    train = max(1, train // batch_size) * batch_size
    questions = choose_questions(find_text(text, folder), model, train + test, max_length, seed)
    texts = folder / "texts"
    texts.mkdir()
    material = Material(
        model, texts, train, test, batch_size, max_length, resolve_device(device), threads or os.cpu_count() or 1
    )
    write_questions(questions[:train], material.train_file)
    write_questions(questions[train:], material.test_file)
    return material


def _time(work: str, sides: list[str], material: Material, rounds: int, seed: int, profile: bool) -> dict[str, Any]:
    """Start the sides, let each have its turn in every round, and stop them."""
    workers: list[Worker] = []
    samples: dict[str, list[Any]] = {side: [] for side in sides}
    settings = {"steps": material.train // material.batch_size, "seed": seed} if work == "training" else {}
    try:
        context = multiprocessing.get_context("spawn")
        workers += [Worker(context, side, material) for side in sides]
        for worker in workers:
            worker.receive()
            _warm(worker, work, material)
        for turn in range(rounds):
            for worker in workers:
                sample = worker.ask(WORKS[work], **settings).to_json()
                samples[worker.name].append(sample)
                _say(
                    f"{work}, round {turn + 1} of {rounds}: {SIDES[worker.name][2]} {sample['examples_per_second']:.2f} examples/s"
                )
        shares = {w.name: w.ask(f"profile {WORKS[work]}", **settings) for w in workers} if profile else {}
    finally:
        for worker in workers:
            worker.stop()
    return {"rows": summarise(samples), "rounds": samples, "profile": shares}


def _warm(worker: Worker, work: str, material: Material) -> None:
    """Everything once, so that neither the first kernels nor tokenising count."""
    if work == "training":
        worker.ask("prepare")
        worker.ask("train", steps=min(WARM_STEPS, material.train // material.batch_size), seed=0)
    else:
        worker.ask("evaluate")


def _describe(material: Material, encoder: str, rounds: int) -> dict[str, Any]:
    from xlqa.training.devices import describe_device, resolve_precision

    return {
        "command": "scripts/bench " + shlex.join(sys.argv[1:]),
        "hardware": describe_device(material.device),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "versions": {
            name: version(name)
            for name in ("xlqa", "torch", "transformers", "deeppavlov", "tokenizers", "numpy")
            if find_spec(name)
        },
        "encoder": encoder,
        "precision": resolve_precision("auto", material.device),
        "train_questions": material.train,
        "test_questions": material.test,
        "batch_size": material.batch_size,
        "max_length": material.max_length,
        "threads": material.threads,
        "rounds": rounds,
    }


def _render(document: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in document["versions"].items())
    parts = [f"{document['hardware']}; {document['precision']}; {document['encoder']}; {versions}"]
    for work, result in document["results"].items():
        if work == "sweep":
            parts.append(render_sweep(result))
            continue
        parts.append(render(f"{work}, {document['rounds']} rounds", result["rows"]))
        if result["profile"]:
            parts.append(render_profile(result["profile"]))
    return "\n\n".join(parts)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    # The Trainer and DeepPavlov split batches over all the GPUs that they see.
    os.environ["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
    os.environ.setdefault("DP_SKIP_NLTK_DOWNLOAD", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    # As xlqa sets it for its own workers; every side gets it, and on a quiet machine it changes nothing.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(bench)
    try:
        app()
    except XlqaError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)
