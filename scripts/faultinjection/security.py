"""Hostile files of every kind through xlqa's commands: exit status 0, 1 or 2, one line, and nothing else happens.

scripts/faults --security --mutants 1000
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import random
import resource
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from faultinjection.fixtures import make_encoder
from faultinjection.mutate import Mutator
from faultinjection.records import HYPER, TEST, make_row, make_run_config, make_scored, make_source_config
from faultinjection.sandbox import Answer, Command, Sandbox, Watched, case_folder, make_victim
from xlqa.util.files import file_sha256, sign, write_json

CLI_EVERY = 100
"""Every so many-th mutant goes through the real command line too."""
CLI_SECONDS = 600
CLI_CPU_SECONDS = 40
"""Of a process of its own: most of it are imports."""
MAIN = "import sys; from xlqa.cli import main; sys.exit(main())"

CONTEXT, QUESTION = "mara lives in the town of the river", "where mara lives"


@dataclass(frozen=True)
class Kind:
    """One kind of hostile files.

    Attributes:
        prepare: writes the good files into a folder.
        mutate: changes a copy of that folder, and names the commands that meet it.
        control: what the commands must give on the good files.
    """

    name: str
    about: str
    prepare: Callable[[Path], None]
    mutate: Callable[[Mutator, Path], list[Command]]
    control: Callable[[Path], list[tuple[Command, int]]]


# --------------------------------------------------------------------------------------------------------------- configs


def write_data(path: Path, name: str = "q") -> str:
    """A small SQuAD file; returns its SHA-256."""
    questions = [
        {"id": f"{name}{i}", "question": QUESTION, "answers": [{"text": "town", "answer_start": CONTEXT.index("town")}]}
        for i in range(4)
    ]
    paragraphs = [{"context": CONTEXT, "qas": questions}]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"version": "1.1", "data": [{"title": "a", "paragraphs": paragraphs}]}), encoding="utf-8"
    )
    return file_sha256(path)


def prepare_sweep(root: Path) -> None:
    """A sweep's folder: a run that can be executed, finished evaluations, a source stage."""
    from xlqa.runs.paths import Layout
    from xlqa.runs.plan.encoders import resolve_encoder
    from xlqa.runs.store.config import place_encoder
    from xlqa.runs.store.requests import record_request
    from xlqa.runs.store.results import write_evaluation
    from xlqa.runs.store.run_config import DataEntry, TestEntry, write_config
    from xlqa.runs.store.table import write_results

    make_encoder(root / "encoder")
    encoder = resolve_encoder(str(root / "encoder"))
    sha256 = write_data(root / "data" / "mine.json")
    entry = DataEntry("mine", f"data/mine-{sha256[:8]}.json", sha256, "en", "squad")
    (root / "data" / "mine.json").rename(entry.file(root))
    (root / "encoders").mkdir()
    shutil.move(root / "encoder", root / place_encoder(encoder))
    layout = Layout(root)
    for seed in range(3):
        row = make_row(seed=seed, size=4, run_id=f"ru-target-only-4-s{seed}-0123456789", steps=2)
        config = replace(
            make_run_config([row]), train=entry, tests=(TestEntry("test", entry, None),), encoder=place_encoder(encoder),
            encoder_sha256=encoder.sha256, hyper=replace(HYPER, epochs=0.0, min_steps=2), max_length=48,
        )  # fmt: skip
        write_config(layout.run(row["run_id"]), config)
        if seed:
            predictions = {f"q{i}": "town" for i in range(4)}
            write_evaluation(
                layout.run(row["run_id"]).evaluation(row["eval_id"]),
                predictions,
                make_scored([50.0] * 4),
                row,
                replace(TEST, data=entry),
            )
    write_config(layout.source("en-4-s0-0123456789"), make_source_config("en-4-s0-0123456789", 4, HYPER))
    write_json(layout.source("en-4-s0-0123456789").outcome, sign({"steps": 2}))
    write_json(layout.run("ru-target-only-4-s0-0123456789").failure, {"error": "no luck", "attempts": 1})
    record_request(layout, ["ru-target-only-4-s0-0123456789"], dry_run=False, unanswerable={"mine": (1, 5)})
    write_results(layout)


FRESH, DONE = "runs/ru-target-only-4-s0-0123456789", "runs/ru-target-only-4-s1-0123456789"


def mutate_config(mutator: Mutator, folder: Path) -> list[Command]:
    """A run's config, or a link in its folder."""
    from xlqa.errors import XlqaError
    from xlqa.runs.paths import RunFolder
    from xlqa.runs.store.run_config import read_config, seal

    run = folder / mutator.random.choice((FRESH, FRESH, FRESH, "source/en-4-s0-0123456789"))
    path = run / "config.json"
    if mutator.random.random() < 0.12:
        names = (
            "config.json",
            "log.txt",
            "train.csv",
            "model",
            "eval",
            "checkpoint.safetensors",
            "train.json",
            ".lock",
            ".",
        )
        mutator.special(run / mutator.random.choice(names))
    else:
        changes = mutator.random.choice((1, 1, 1, 2, 3))
        path.write_bytes(mutator.json_text(json.loads(path.read_bytes()), changes, seal))
    commands: list[Command] = [
        ["status", str(folder)], ["collect", str(folder)], ["ask", CONTEXT, QUESTION, "--model", str(run)],
        ["evaluate", str(run), "--test", str(next((folder / "data").iterdir())), "--device", "cpu"],
    ]  # fmt: skip
    try:
        config = read_config(RunFolder(run))
        costly = max(config.hyper.min_steps if config.hyper else 0, config.more_steps, config.max_length) > 2000
        costly = costly or bool(config.hyper and config.hyper.epochs * config.train_size > 2000)
    except XlqaError:
        costly = False
    # A config of a million steps is a right one.
    return commands if costly else [*commands, ["run", str(run), "--keep", "--device", "cpu"], ["status", str(folder)]]


def control_config(folder: Path) -> list[tuple[Command, int]]:
    run = str(folder / FRESH)
    return [
        (["status", str(folder)], 0), (["ask", CONTEXT, QUESTION, "--model", run], 2),
        (["run", run, "--keep", "--device", "cpu"], 0), (["ask", CONTEXT, QUESTION, "--model", run], 0),
        (["collect", str(folder)], 0),
    ]  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- records


def mutate_record(mutator: Mutator, folder: Path) -> list[Command]:
    """A record of a finished run, or a file beside it."""
    places = [
        *(f"{DONE}/eval/mine-0123456789/{name}" for name in ("result.json", "result.json", "predictions.json", "questions.csv")),
        f"{FRESH}/failure.json", "source/en-4-s0-0123456789/train.json", "requested.json", "results.csv", DONE + "/train.csv",
        f"{DONE}/eval/mine-0123456789", f"{DONE}/eval", "runs", "data",
    ]  # fmt: skip
    path = folder / mutator.random.choice(places)
    if path.is_dir() or not path.exists() or mutator.random.random() < 0.15:
        mutator.special(path)
    elif path.suffix == ".json":
        path.write_bytes(mutator.json_text(json.loads(path.read_bytes()), mutator.random.choice((1, 1, 2)), sign))
    else:
        path.write_bytes(mutator.random.choice((mutator.cells, mutator.bytes))(path.read_bytes()))
    return [
        ["status", str(folder)], ["status", str(folder), "--json"], ["collect", str(folder)], ["rescore", str(folder)],
        ["pack", str(folder), str(folder / "packed")],
    ]  # fmt: skip


def control_record(folder: Path) -> list[tuple[Command, int]]:
    return [
        (["status", str(folder)], 0), (["collect", str(folder)], 1), (["rescore", str(folder)], 0),
        (["pack", str(folder), str(folder / "packed")], 0),
    ]  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------- models


def prepare_model(folder: Path) -> None:
    """A tiny model with a trained head, and a data set."""
    import torch
    from transformers import AutoModelForQuestionAnswering

    make_encoder(folder / "model")
    torch.manual_seed(1)
    AutoModelForQuestionAnswering.from_pretrained(folder / "model").save_pretrained(folder / "model")
    write_data(folder / "mine.json")


def mutate_model(mutator: Mutator, folder: Path) -> list[Command]:
    """A file of a model's folder."""
    model = folder / "model"
    names = ("config.json",) * 4 + ("tokenizer.json",) * 2 + ("tokenizer_config.json", "special_tokens_map.json")
    path = model / mutator.random.choice((*names, "vocab.txt", "model.safetensors", "index"))
    if path.name == "index":
        index = {"metadata": {}, "weight_map": {"a": "model-1-of-1.safetensors", "b": "model-1-of-1.safetensors"}}
        (model / "model.safetensors").rename(model / "model-1-of-1.safetensors")
        (model / "model.safetensors.index.json").write_bytes(mutator.json_text(index))
    elif mutator.random.random() < 0.08:
        mutator.special(path)
    elif path.suffix == ".json":
        path.write_bytes(mutator.json_text(json.loads(path.read_bytes()), mutator.random.choice((1, 1, 2))))
    else:
        path.write_bytes(mutator.bytes(path.read_bytes()))
    return [
        ["ask", CONTEXT, QUESTION, "--model", str(model), "--device", "cpu"],
        ["data", "stats", str(folder / "mine.json"), "--model", str(model)],
    ]  # fmt: skip


def control_model(folder: Path) -> list[tuple[Command, int]]:
    return [
        (["ask", CONTEXT, QUESTION, "--model", str(folder / "model"), "--device", "cpu"], 0),
        (["data", "stats", str(folder / "mine.json"), "--model", str(folder / "model")], 0),
    ]


# -------------------------------------------------------------------------------------------------------------- archives


def prepare_archive(folder: Path) -> None:
    write_data(folder / "set" / "mine.json")
    write_data(folder / "set" / "inner" / "other.json")


def mutate_archive(mutator: Mutator, folder: Path) -> list[Command]:
    """A tar or zip archive, or a compressed data file."""
    kind = mutator.random.choice(("tar", "tar", "tar.gz", "tar.xz", "zip", "zip", "json.gz", "json.xz"))
    path = folder / f"set.{kind}"
    plain = (folder / "set" / "mine.json").read_bytes()
    if kind.startswith("json"):
        path.write_bytes(mutator.bytes((gzip if kind == "json.gz" else lzma).compress(plain)))
        return [["data", "check", str(path)], ["data", "convert", str(path), str(folder / "out.json")]]
    entries = [("set/mine.json", plain), ("set/inner/other.json", plain), ("./set/third.json", plain)]
    (write_zip if kind == "zip" else write_tar)(mutator, path, entries)
    if mutator.random.random() < 0.4:
        path.write_bytes(mutator.bytes(path.read_bytes()))
    return [partial(unpack_into, path, folder / "unpacked")]


def unpack_into(path: Path, folder: Path) -> None:
    """Unpack an archive as a download is."""
    from xlqa.data.archives import unpack
    from xlqa.errors import XlqaError

    try:
        unpack(path, folder)
    except OSError as error:  # what the command line makes of it
        raise XlqaError(f"{error.filename}: {error.strerror}") from error
    for found in folder.rglob("*"):
        assert found.is_file() or found.is_dir()
        assert not found.is_symlink()


def write_tar(mutator: Mutator, path: Path, entries: Sequence[tuple[str, bytes]]) -> None:
    """A tar with one hostile entry."""
    mode = {".gz": "w:gz", ".xz": "w:xz"}.get(path.suffix, "w")
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]  # a mode by name
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for _ in range(mutator.random.randint(0, 2)):
            info = tarfile.TarInfo(hostile_name(mutator)[:4000])
            kinds = (
                tarfile.REGTYPE,
                tarfile.REGTYPE,
                tarfile.DIRTYPE,
                tarfile.SYMTYPE,
                tarfile.LNKTYPE,
                tarfile.FIFOTYPE,
                tarfile.CHRTYPE,
            )
            info.type, info.mode = mutator.random.choice(kinds), mutator.random.choice((0o644, 0o7777, 0))
            info.linkname = str(mutator.victim) if info.type in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            tar.addfile(info, io.BytesIO(b""))


def write_zip(mutator: Mutator, path: Path, entries: Sequence[tuple[str, bytes]]) -> None:
    """A zip with a hostile entry."""
    with zipfile.ZipFile(path, "w") as bundle:
        for name, content in entries:
            bundle.writestr(name, content)
        for _ in range(mutator.random.randint(0, 2)):
            info = zipfile.ZipInfo(hostile_name(mutator)[:4000].replace("\0", "_") or "x")
            info.external_attr = mutator.random.choice((stat.S_IFREG, stat.S_IFLNK, stat.S_IFIFO, 0)) << 16
            bundle.writestr(info, str(mutator.victim))


def hostile_name(mutator: Mutator) -> str:
    """A name of an entry that leads out, is too long or too deep, or is there already."""
    names = (
        "../victim/file.json", "/etc/passwd", "a/../../b", "set/mine.json", "set", "set/mine.json/x", "./", "a" * 300, "d/" * 2000 + "x",
        "C:/x", "..\\x", "\x1b[31m", "\u202e", "a\nb", "set/../mine.json", str(mutator.victim / "file.json"),
    )  # fmt: skip
    name = mutator.random.choice(names)
    changed = mutator.text(name) if mutator.random.random() < 0.2 else name
    return changed.encode("utf-8", "replace").decode()  # what writes archives takes no lone surrogates


def control_archive(folder: Path) -> list[tuple[Command, int]]:
    with tarfile.open(folder / "good.tar", "w") as tar:
        tar.add(folder / "set", "./")
    return [(partial(unpack_into, folder / "good.tar", folder / "unpacked"), 0)]


# ---------------------------------------------------------------------------------------------------------------- tables


def prepare_table(folder: Path) -> None:
    """A results.csv of two arms, with per-question scores and a failure."""
    from xlqa.records import QUESTION_COLUMNS, RESULT_COLUMNS
    from xlqa.runs.store.failures import FAILURE_COLUMNS
    from xlqa.util.csvfile import csv_text
    from xlqa.util.files import write_text

    draw, rows = random.Random(0), []
    for arm, size, seed in ((a, n, s) for a in ("transfer", "target-only") for n in (0, 10, 100) for s in range(2)):
        if size == 0 and arm == "target-only":
            continue
        scores = [100.0 * (draw.random() < 0.4 + size / 400) for _ in range(6)]
        f1 = sum(scores) / 6
        common = (
            {"source": "squad", "source_sha256": "5" * 64, "source_size": 50, "source_seed": 0}
            if arm == "transfer"
            else {}
        )
        row = make_row(
            arm=arm, size=size, seed=seed, run_id=f"ru-{arm}-{size}-s{seed}-0123456789", f1=f1, em=f1, squad_f1=f1, squad_em=f1,
            questions=6, paragraphs=3, subset_seed=seed, train_seed=seed, schema=1, model_sha256="e" * 64, test_sha256="8" * 64,
            target="mine", target_sha256="7" * 64, lr=3e-5, epochs=3.0, batch_size=16, warmup=0.1, min_steps=20, **common,
        )  # fmt: skip
        rows.append(row)
        cells = [
            {"id": f"q{i}", "context": f"{i // 2:016x}", **dict.fromkeys(QUESTION_COLUMNS[2:], s)}
            for i, s in enumerate(scores)
        ]
        write_text(
            folder / "runs" / row["run_id"] / "eval" / row["eval_id"] / "questions.csv",
            csv_text(QUESTION_COLUMNS, cells),
        )
    write_text(folder / "results.csv", csv_text(RESULT_COLUMNS, rows))
    write_text(folder / "failures.csv", csv_text(FAILURE_COLUMNS, [{"lang": "ru", "error": "no luck", "run_id": "x"}]))


def mutate_table(mutator: Mutator, folder: Path) -> list[Command]:
    """results.csv, failures.csv, or per-question scores."""
    names = ["results.csv"] * 6 + [
        "failures.csv",
        *(str(p.relative_to(folder)) for p in sorted(folder.rglob("questions.csv"))[:2]),
    ]
    path = folder / mutator.random.choice(names)
    if mutator.random.random() < 0.06:
        mutator.special(path)
    else:
        change = mutator.bytes if mutator.random.random() < 0.15 else mutator.cells
        path.write_bytes(change(path.read_bytes()))
    kind = mutator.random.choice(("text", "md", "tex", "csv", "json", "html"))
    what = mutator.random.choice(("curve", "curve", "gain", "worth", "cost"))
    commands: list[Command] = [["report", str(folder), "--format", kind]]
    if mutator.random.random() < 0.25:
        commands.append(["plot", str(folder), "--what", what, "--out", str(folder / "figure.svg")])
    return commands


def control_table(folder: Path) -> list[tuple[Command, int]]:
    return [
        (["report", str(folder)], 0), (["report", str(folder), "--format", "html"], 0),
        (["plot", str(folder), "--out", str(folder / "figure.svg")], 0),
    ]  # fmt: skip


# -------------------------------------------------------------------------------------------------------------- analyses


def prepare_analyses(folder: Path) -> None:
    """A results.csv and a features.csv of eight languages, and a pair table of two models."""
    from xlqa.records import FEATURE_COLUMNS, PAIR_COLUMNS, RESULT_COLUMNS
    from xlqa.util.csvfile import csv_text
    from xlqa.util.files import write_text

    draw, rows, features, pairs = random.Random(0), [], [], []
    source = {"source": "squad", "source_sha256": "5" * 64, "source_size": 50, "source_seed": 0}
    for place, code in enumerate(("ar", "de", "el", "es", "hi", "ru", "th", "tr")):
        test = {"lang": code, "test": f"mine.{code}", "test_sha256": f"{place}" * 64, "model_sha256": "e" * 64}
        for arm, size in (("transfer", 0), ("transfer", 10), ("target-only", 10)):
            training = {
                "target": f"train.{code}",
                "target_sha256": f"{place}7" * 32,
                "lr": 3e-5,
                "epochs": 3.0,
                "batch_size": 16,
            }
            rows.append(
                make_row(arm=arm, size=size, run_id=f"{code}-{arm}-{size}-s0-0123456789", f1=100 * draw.random(), questions=6,
                         paragraphs=3, schema=1, **test, **(source if arm == "transfer" else {}), **(training if size else {}))
            )  # fmt: skip
        features.append(
            dict.fromkeys(FEATURE_COLUMNS) | test | source
            | {"task": "qa", "test_lang": code, "model": "tiny", "source_lang": "en", "pieces_per_word": 1 + draw.random(),
               "overlap_types": draw.random(), "syntactic": draw.random()}
        )  # fmt: skip
    for number, size in enumerate((0, 100)):
        for asked, context in ((q, c) for q in ("en", "ru") for c in ("en", "ru")):
            row = make_row(
                arm="transfer", size=size, run_id=f"ru-transfer-{size}-s0-0123456789", f1=100 * draw.random(), **source
            )
            more = {
                "set": "mine",
                "question_lang": asked,
                "context_lang": context,
                "n": 12,
                "weights_sha256": f"{number}" * 64,
            }
            pairs.append(row | more)
    for name, columns, table in (
        ("results.csv", RESULT_COLUMNS, rows), ("features.csv", FEATURE_COLUMNS, features), ("pairs.csv", PAIR_COLUMNS, pairs)
    ):  # fmt: skip
        write_text(folder / name, csv_text(columns, table))


def mutate_analyses(mutator: Mutator, folder: Path) -> list[Command]:
    """features.csv, a pair table, or the results.csv beside them."""
    path = folder / mutator.random.choice(("features.csv", "features.csv", "pairs.csv", "pairs.csv", "results.csv"))
    if mutator.random.random() < 0.06:
        mutator.special(path)
    else:
        change = mutator.bytes if mutator.random.random() < 0.15 else mutator.cells
        path.write_bytes(change(path.read_bytes()))
    figure = ["--out", str(folder / "figure.svg")]
    if path.name == "pairs.csv":
        metric = mutator.random.choice(("f1", "em"))
        commands: list[Command] = [["plot", str(path), "--what", "pairs", "--metric", metric, *figure]]
    else:
        kind = mutator.random.choice(("text", "md", "tex", "csv"))
        commands = [["explain", str(folder), "--format", kind, *mutator.random.choice(([], ["--pool"]))]]
        if mutator.random.random() < 0.1:
            commands.append(["plot", str(folder), "--what", "features", *figure])
    return [*commands, ["report", str(folder)]]


def control_analyses(folder: Path) -> list[tuple[Command, int]]:
    figure = ["--out", str(folder / "figure.svg")]
    return [
        (["explain", str(folder)], 0), (["plot", str(folder), "--what", "features", *figure], 0),
        (["plot", str(folder / "pairs.csv"), "--what", "pairs", *figure], 0), (["report", str(folder)], 0),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------------------------ data


def prepare_data(folder: Path) -> None:
    """One small data set in four formats, and predictions."""
    from xlqa.tasks.qa.reading import read_dataset
    from xlqa.tasks.qa.writing import write_dataset

    write_data(folder / "mine.json")
    for name in ("mine.jsonl", "mine.csv", "mine.parquet"):
        write_dataset(read_dataset(folder / "mine.json"), folder / name)
    write_json(folder / "predictions.json", {f"q{i}": "town" for i in range(4)})


def mutate_data(mutator: Mutator, folder: Path) -> list[Command]:
    """A data set, or predictions."""
    names = ("mine.json", "mine.json", "mine.jsonl", "mine.csv", "mine.parquet", "predictions.json")
    path = folder / mutator.random.choice(names)
    content = path.read_bytes()
    if mutator.random.random() < 0.06:
        mutator.special(path)
    elif path.suffix == ".json":
        path.write_bytes(mutator.json_text(json.loads(content), mutator.random.choice((1, 1, 2))))
    elif path.suffix == ".jsonl":
        lines = content.splitlines()
        at = mutator.random.randrange(len(lines))
        lines[at] = mutator.json_text(json.loads(lines[at]))
        path.write_bytes(b"\n".join(lines))
    else:
        change = mutator.cells if path.suffix == ".csv" and mutator.random.random() < 0.8 else mutator.bytes
        path.write_bytes(change(content))
    if path.name == "predictions.json":
        return [["score", str(path), str(folder / "mine.json")]]
    return [
        ["data", "check", str(path)], ["data", "stats", str(path)], ["score", str(folder / "predictions.json"), str(path)],
        ["data", "convert", str(path), str(folder / "out.csv"), "--skip-bad"],
    ]  # fmt: skip


def control_data(folder: Path) -> list[tuple[Command, int]]:
    checks: list[tuple[Command, int]] = [
        (["data", "check", str(folder / name)], 0) for name in ("mine.json", "mine.jsonl", "mine.csv", "mine.parquet")
    ]
    return [*checks, (["score", str(folder / "predictions.json"), str(folder / "mine.json")], 0)]


KINDS = (
    Kind("configs", "run configs, and links in a run's folder", prepare_sweep, mutate_config, control_config),
    Kind("records", "results, scores and records of runs", prepare_sweep, mutate_record, control_record),
    Kind("models", "configuration, tokenizer and weights of a model", prepare_model, mutate_model, control_model),
    Kind("archives", "tar, zip and compressed files", prepare_archive, mutate_archive, control_archive),
    Kind("tables", "results.csv, failures.csv, per-question scores", prepare_table, mutate_table, control_table),
    Kind("analyses", "features.csv, pair tables", prepare_analyses, mutate_analyses, control_analyses),
    Kind("data", "data sets in four formats, predictions", prepare_data, mutate_data, control_data),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}


# -------------------------------------------------------------------------------------------------------------- running


@dataclass(frozen=True, slots=True)
class Finding:
    """A mutant that xlqa did not take as it must."""

    kind: str
    number: int
    wrong: str


def fuzz(kind: Kind, seed: int, numbers: Sequence[int], work: Path) -> Iterator[tuple[int, Answer]]:
    """The answers to mutants of a kind, each by its number; a number gives the same mutant again.

    Raises:
        AssertionError: the commands do not do what they should on the good files, so that nothing is tested.
    """
    good, victim = work / kind.name / "good", make_victim(work / kind.name / "victim")
    watched = Watched(partial(_make_server, kind, seed, work / kind.name, good, victim))
    try:
        for number in numbers:
            yield number, watched.answer(number, may_wait=number % CLI_EVERY == 0)
    finally:
        watched.close()


def _make_server(kind: Kind, seed: int, work: Path, good: Path, victim: Path) -> Callable[[int], Answer]:
    """In the watched process: check the good files, then answer numbers."""
    _isolate(work)
    if not good.exists():
        kind.prepare(good)
    # The hook watches from here on; what the control loads is loaded by then.
    with case_folder(work, "control") as folder:
        copy = shutil.copytree(good, folder / "case", symlinks=True)
        sandbox = Sandbox(work, victim)
        for command, expected in kind.control(copy):
            answer = sandbox.run([command], folder)
            assert answer.statuses == (expected,), f"{kind.name}: {command} gave {answer}"
            assert not answer.wrong or "it did" in answer.wrong, answer

    def serve(number: int) -> Answer:
        with case_folder(work, f"case-{number}") as folder:
            copy = shutil.copytree(good, folder / "case", symlinks=True)
            commands = kind.mutate(Mutator(f"{seed}-{kind.name}-{number}", victim), copy)
            answer = sandbox.run(commands, folder)
            if not answer.wrong and number % CLI_EVERY == 0:
                answer = _through_command_line(commands, copy, answer)
        return answer

    return serve


def _isolate(work: Path) -> None:
    """Let every cache be below the folder of the mutants, and nothing ask the network."""
    scratch = work / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    names = ("XLQA_CACHE", "HF_HOME", "MPLCONFIGDIR", "TMPDIR", "HOME", "XDG_CACHE_HOME")
    os.environ.update(dict.fromkeys(names, str(scratch)))
    os.environ.update(
        {
            "HF_HUB_OFFLINE": "1",
            "DP_SKIP_NLTK_DOWNLOAD": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
    )
    import tempfile

    tempfile.tempdir = None


def _limit_time() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CLI_CPU_SECONDS, CLI_CPU_SECONDS))


def _through_command_line(commands: Sequence[Command], folder: Path, answer: Answer) -> Answer:
    """The first command again as a process of its own; its exit status and lines are held to the same."""
    command = commands[0]
    if callable(command):
        return answer
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", MAIN, *command], cwd=folder, capture_output=True, text=True, errors="replace",
            check=False, preexec_fn=_limit_time, timeout=CLI_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return replace(answer, wrong=f"xlqa {' '.join(command)}: it hangs")
    if done.returncode not in (0, 1, 2) or "Traceback" in done.stderr or "\x1b" in done.stdout + done.stderr:
        return replace(answer, wrong=f"xlqa {' '.join(command)}: exit status {done.returncode}: {done.stderr[-1500:]}")
    return answer
