"""`xlqa sweep`: from English data and N target questions to results.csv."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from xlqa.cli import ignore_interrupts, print_json
from xlqa.cli.options import Json
from xlqa.errors import EXIT_RUNS_FAILED, XlqaError

GRID, DATA, TRAINING, MACHINE = "The grid", "Data", "Training", "Machine and output"

Text = str | None
Number = float | None
Whole = int | None
Words = list[str] | None


def _option(help_text: str, panel: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel=panel, show_default=False, **settings)


def sweep(
    lang: Annotated[Words, _option("Target languages (ISO 639-1): repeatable, or a comma list.", GRID)] = None,
    sizes: Annotated[
        Text,
        _option(
            "Labelled target questions: numbers and `full`. Default 100,1000,10000; zero-shot is always there.", GRID
        ),
    ] = None,
    arms: Annotated[
        Text, _option("transfer, target-only, joint, monolingual. Default transfer,target-only.", GRID)
    ] = None,
    seeds: Annotated[Text, _option("A count (5: 0 to 4) or a list (0,3,7 or 3-5). Default 5.", GRID)] = None,
    source_seeds: Annotated[Whole, _option("Source stages; seed s starts from stage s mod K. Default 1.", GRID)] = None,
    model: Annotated[
        Text, _option("Encoder: hub name, folder, or `minilm`. Default bert-base-multilingual-cased.", GRID)
    ] = None,
    target_model: Annotated[Words, _option("Encoder of the monolingual arm: MODEL, or ru=MODEL.", GRID)] = None,
    source_train: Annotated[Text, _option("Source training set: name or file. Default squad.train.", DATA)] = None,
    target_train: Annotated[
        Words, _option("Target training set: name or file, or ru=FILE. Default: the language's.", DATA)
    ] = None,
    target_test: Annotated[
        Words, _option("Target test set: name or file, or ru=FILE; repeatable. Default: the language's.", DATA)
    ] = None,
    source_size: Annotated[Whole, _option("Source questions to use: a seeded random part. Default all.", DATA)] = None,
    test_size: Annotated[
        Whole, _option("Questions of each test set to score: a seeded random part. Default all.", DATA)
    ] = None,
    valid_size: Annotated[
        Whole, _option("Questions cut from the target's train part and scored as split `valid`. Default 0.", DATA)
    ] = None,
    subset_by: Annotated[Text, _option("Draw subsets by question or by paragraph. Default question.", DATA)] = None,
    data_dir: Annotated[
        Text, _option("Where downloaded data sets lie. Default: the user's cache (XLQA_DATA).", DATA)
    ] = None,
    allow_overlap: Annotated[
        bool,
        _option("Go on although the source data contains test questions; marks the rows.", DATA, "--allow-overlap"),
    ] = False,
    skip_bad: Annotated[
        bool, _option("Leave out questions that reading refuses, and say how many.", DATA, "--skip-bad")
    ] = False,
    epochs: Annotated[Number, _option("Epochs on target questions. Default 3.", TRAINING)] = None,
    source_epochs: Annotated[Number, _option("Epochs of the source stage. Default 2.", TRAINING)] = None,
    min_steps: Annotated[
        Whole, _option("Updates at least, so that small sizes do not collapse. Default 200.", TRAINING)
    ] = None,
    batch_size: Annotated[Whole, _option("Windows per update. Default 16.", TRAINING)] = None,
    source_batch_size: Annotated[
        Whole, _option("The same in the source stage. Default: --batch-size.", TRAINING)
    ] = None,
    lr: Annotated[Number, _option("Peak learning rate. Default 3e-5.", TRAINING)] = None,
    source_lr: Annotated[Number, _option("The same in the source stage. Default: --lr.", TRAINING)] = None,
    warmup: Annotated[Number, _option("Share of updates in which the rate rises. Default 0.1.", TRAINING)] = None,
    max_length: Annotated[Whole, _option("Word pieces per window. Default 384.", TRAINING)] = None,
    stride: Annotated[
        Whole, _option("Pieces that neighbouring windows share. Default a third of --max-length.", TRAINING)
    ] = None,
    max_answer_length: Annotated[Whole, _option("Longest answer, in pieces. Default 30.", TRAINING)] = None,
    precision: Annotated[
        Text, _option("auto, fp32 or bf16. Default auto: bf16 where the device computes in it.", MACHINE)
    ] = None,
    device: Annotated[
        Text, _option("auto, cpu, cuda or cuda:1. Default auto: every GPU, else the CPU.", MACHINE)
    ] = None,
    workers_per_device: Annotated[
        int, _option("Worker processes per device, for small models. Default 1.", MACHINE, min=1)
    ] = 1,
    launcher: Annotated[
        str,
        _option("Who does the runs: local (this machine) or ray (a Ray cluster: extra `ray`). Default local.", MACHINE),
    ] = "local",
    ray_address: Annotated[
        Text, _option("The Ray cluster: HOST:PORT, or auto for the one this machine is part of. Default auto.", MACHINE)
    ] = None,
    keep: Annotated[
        Text, _option("Weights that stay: one (source and, per language, one transfer model), all, none.", MACHINE)
    ] = None,
    checkpoint_every: Annotated[
        Number,
        _option(
            "Minutes between two checkpoints of a training, from which it goes on after a break; 0 for none. Default 10.",
            MACHINE,
        ),
    ] = None,
    timeout: Annotated[
        Number, _option("Minutes a run may take; then it counts as failed. Default no limit.", MACHINE)
    ] = None,
    gradient_checkpointing: Annotated[
        bool,
        _option(
            "Compute activations again instead of keeping them: less memory, a third more time.",
            MACHINE,
            "--gradient-checkpointing",
        ),
    ] = False,
    out: Annotated[Text, _option("Folder of the sweep. Default: the current folder.", MACHINE)] = None,
    config: Annotated[Path | None, _option("experiment.toml with any of these settings; flags win.", MACHINE)] = None,
    demo: Annotated[
        bool, _option("The embedded sample, English to Spanish, with the encoder of xlqa[demo].", MACHINE, "--demo")
    ] = False,
    shard: Annotated[Text, _option("i/n: only the i-th of n disjoint parts of the runs (job arrays).", MACHINE)] = None,
    dry_run: Annotated[
        bool, _option("Write the configs, say runs, steps, time and disk, and stop.", MACHINE, "--dry-run")
    ] = False,
    as_json: Json = False,
) -> int:
    """Train and score every run of a grid; what is done is never done again.

    Trains mBERT on English SQuAD once, then on N target questions for each size and seed (transfer), and from scratch on
    the same N questions (target-only). Writes results.csv, one row per run and test set, into --out.

    Examples:

      xlqa sweep --lang ru --sizes 100,1000,10000

      xlqa sweep --lang sw --target-train train.json --target-test dev.json --sizes 30,100,full --seeds 10 --dry-run
    """
    options = {key: value for key, value in locals().items() if key not in LOCAL_ONLY}
    options |= {name: options[name] or None for name in ("allow_overlap", "skip_bad", "gradient_checkpointing")}
    from xlqa.runs.plan.request import build_request, read_experiment

    base: dict[str, Any] = {}
    if demo:
        from xlqa.runs.plan.demo import DEMO_SETTINGS, NOTICE

        base |= DEMO_SETTINGS
    if config is not None:
        base |= read_experiment(config)
    request = build_request(base | {key: value for key, value in options.items() if value is not None})
    part = parse_shard(shard)
    from xlqa.runs.sweep import choose_executor

    executor = None if dry_run else choose_executor(launcher, ray_address, request.device, workers_per_device)
    if demo and not (request.out / "results.csv").exists():
        print(NOTICE, file=sys.stderr, flush=True)
    from xlqa.runs.plan.checks import long_answers
    from xlqa.runs.plan.planner import make_plan

    print("reading data and model …", file=sys.stderr, flush=True)
    plan = make_plan(request)
    for line in long_answers(plan):
        print(f"xlqa: {line}", file=sys.stderr, flush=True)
    if dry_run:
        return _dry_run(plan, as_json)
    return _run(plan, part, executor, as_json)


LOCAL_ONLY = frozenset(
    {"workers_per_device", "launcher", "ray_address", "config", "demo", "shard", "dry_run", "as_json"}
)


def parse_shard(text: str | None) -> tuple[int, int] | None:
    """`2/8` as (2, 8).

    Raises:
        XlqaError: not i/n with 1 <= i <= n.
    """
    if text is None:
        return None
    first, slash, second = text.partition("/")
    if not slash or not first.isdigit() or not second.isdigit() or not 1 <= int(first) <= int(second):
        raise XlqaError(f"--shard {text}: give i/n with i from 1 to n, such as --shard 2/8.")
    return int(first), int(second)


def _dry_run(plan: Any, as_json: bool) -> int:
    from xlqa.runs.execute.jobs import find_pending
    from xlqa.runs.plan.cost import describe_estimate, estimate
    from xlqa.runs.plan.planner import plan_summary
    from xlqa.runs.store.setup import lay_out

    lay_out(plan)
    figures = estimate(plan, find_pending(plan))
    if as_json:
        print_json(plan_summary(plan) | {"estimate": figures})
    else:
        print(describe_estimate(plan, figures))
    return 0


def _run(plan: Any, shard: tuple[int, int] | None, executor: Any, as_json: bool) -> int:
    from xlqa.runs.sweep import run_sweep

    try:
        outcome = run_sweep(plan, shard, executor)
    except KeyboardInterrupt:
        ignore_interrupts()
        print("xlqa: stopped; finished runs stay. The same command goes on from here.", file=sys.stderr)
        return 130
    if as_json:
        print_json(
            {
                "results": str(plan.layout.results), "rows": outcome.rows, "done_before": outcome.done_before,
                "done_now": outcome.done_now, "failures": [{"run": run, "error": error} for run, error in outcome.failures],
            }
        )  # fmt: skip
    else:
        print(f"{plan.layout.results}: {outcome.rows} rows")
    for run, error in outcome.failures:
        print(f"xlqa: {run} failed: {error}", file=sys.stderr)
    if outcome.failures:
        print(
            f"xlqa: {len(outcome.failures)} failed, see {plan.layout.failures}; the same command tries them again.",
            file=sys.stderr,
        )
    return EXIT_RUNS_FAILED if outcome.failures else 0
