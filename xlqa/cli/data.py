"""`xlqa data`: list, fetch, check, measure and convert data sets."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xlqa.cli import data_tasks, print_error, print_json
from xlqa.errors import ManyErrors, XlqaError
from xlqa.settings import column_names, default_stride

if TYPE_CHECKING:
    from xlqa.data.registry import DataSet, Part
    from xlqa.records import DataRef, Question
    from xlqa.tasks.base import Task
    from xlqa.tasks.qa.oracle import Oracle
    from xlqa.tasks.qa.reading import Reading
    from xlqa.tasks.qa.stats import Lengths, Pieces, Stats
    from xlqa.tasks.renaming import ColumnNames

app = typer.Typer(
    help="Data sets: list, fetch, check, measure, convert.",
    no_args_is_help=True,
    epilog="Examples:\n\n  xlqa data list --lang ru\n\n  xlqa data check train.json dev.json",
)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of fetched data sets.  [default: XLQA_DATA, else the user's cache folder]"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document for programs.")]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out questions that would be refused; they are counted.")
]
ListedTask = Annotated[
    str, typer.Option("--task", help="qa, ner, pos, nli, paraphrase, topic or sentiment.  [default: qa]")
]
TaskName = Annotated[
    str,
    typer.Option(
        "--task", help="qa, ner, pos, nli, paraphrase, topic or sentiment.  [default: what the file shows, else qa]"
    ),
]
Language = Annotated[
    str, typer.Option("--lang", help="Language code; picks one language of a file of several (TyDi QA).")
]
OwnNames = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="FIELD=NAME,…",
        help="Names of the columns (or keys) of a table or of rows, where they are not the usual ones: question=q,context=passage. "
        "Fields of qa: id, question, context, answers, answer_start, title, is_impossible; other tasks with --task.",
    ),
]


# --- list ---------------------------------------------------------------------------------------------------------


@app.command(
    "list",
    epilog="Examples:\n\n  xlqa data list --lang ru,zh\n\n  xlqa data list squad",
)
def list_sets(
    name: Annotated[str, typer.Argument(help="Data set to show in full. Default: list all data sets.")] = "",
    task: ListedTask = "",
    lang: Annotated[list[str] | None, typer.Option("--lang", help="Only these languages (repeatable, or a,b).")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the registered data sets by language: splits, questions, licence, and whether they are downloaded."""
    from xlqa.data.cache import data_folder
    from xlqa.data.registry import SETS, find_set

    folder = data_folder(data_dir)
    languages = _split(lang)
    task = _known_task(task)
    _known_languages(languages, task)
    sets = (find_set(name),) if name else tuple(data_set for data_set in SETS if data_set.task == task)
    if as_json:
        chosen = [s for s in sets if name or not languages or set(languages) & set(s.languages)]
        return print_json([_set_record(data_set, folder, languages) for data_set in chosen])
    if name:
        return _print_set(sets[0], folder)
    rows = _language_rows(sets, folder, languages)
    _print_table(
        (
            "LANG",
            "SET",
            "PARTS (QUESTIONS)" if task == "qa" else "PARTS (EXAMPLES)",
            "TRAIN",
            "SWEEP",
            "LICENCE",
            "HERE",
        ),
        rows,
    )
    samples = ", ".join(_sample_names(languages, task))
    if samples:
        print(f"\nEmbedded, always here: {samples}")
    elsewhere = ", ".join(f"{data_set.name} ({data_set.title})" for data_set in sets if not data_set.parts)
    if elsewhere and not languages:
        print(f"\nNot fetched by xlqa, see `xlqa data list SET`: {elsewhere}")
    print("\nTRAIN: whether a train part is public. SWEEP: what `xlqa sweep --lang` trains and tests on by default.")
    print(f"Fetched sets are in {folder}. All of a record: xlqa data list SET. Other tasks: --task ner, pos, nli, …")


def _language_rows(sets: tuple[DataSet, ...], folder: Path, languages: list[str]) -> Sequence[tuple[str, ...]]:
    from xlqa.data.cache import is_cached
    from xlqa.data.registry import default_role

    rows = []
    for language in languages or sorted({code for data_set in sets for code in data_set.languages}):
        for data_set in sets:
            parts = [part for part in data_set.parts if part.language == language]
            if not parts:
                continue
            here = [is_cached(part, folder) for part in parts]
            shown = "yes" if all(here) else "some" if any(here) else "on request" if data_set.on_request else "no"
            train = "yes" if any(part.split == "train" for part in parts) else "none"
            roles = ", ".join(sorted({default_role(part.name) for part in parts} - {""}, reverse=True))
            rows.append((language, data_set.name, _parts_text(parts), train, roles, data_set.licence, shown))
    return rows


def _parts_text(parts: list[Part]) -> str:
    own = [part for part in parts if part.question_language in ("", part.language)]
    text = ", ".join(f"{part.split} {_count(part.questions)}" for part in own)
    others = len(parts) - len(own)
    return f"{text} and {others} with questions in other languages" if others else text


def _count(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _set_record(data_set: DataSet, folder: Path, languages: list[str]) -> dict[str, Any]:
    from xlqa.data.cache import is_cached, part_path
    from xlqa.data.registry import default_role, part_scorer

    record = dataclasses.asdict(data_set)
    record["has_train"] = data_set.has_train
    record["parts"] = [
        dataclasses.asdict(part)
        | {"scorer": part_scorer(part), "sweep": default_role(part.name)}
        | {"here": is_cached(part, folder), "path": str(part_path(part, folder))}
        for part in data_set.parts
        if not languages or part.language in languages
    ]
    return record


def _print_set(data_set: DataSet, folder: Path) -> None:
    from xlqa.data.cache import is_cached

    fields = (
        ("licence", data_set.licence), ("citation", data_set.citation), ("home page", data_set.homepage),
        ("scorer", data_set.scorer), ("train part", "yes" if data_set.has_train else "none is public"),
        ("note", data_set.note), ("on request", data_set.on_request), ("facts from", data_set.facts),
        ("unverified", data_set.unverified or "nothing"),
    )  # fmt: skip
    print(f"{data_set.name}: {data_set.title}\n")
    for label, text in fields:
        if text:
            print(f"{label:12}{text}")
    print()
    rows = [
        (part.name, part.split, part.language, part.question_language or part.language, _count(part.questions),
         (part.sha256 or "unknown")[:12], "yes" if is_cached(part, folder) else "no",
         part.urls[0] + (f" and {len(part.urls) - 1} more" if len(part.urls) > 1 else "") if part.urls else "none")
        for part in data_set.parts
    ]  # fmt: skip
    _print_table(("PART", "SPLIT", "LANG", "ASKED IN", "QUESTIONS", "SHA-256", "HERE", "ADDRESS"), rows)


def _sample_names(languages: list[str], task: str) -> list[str]:
    from xlqa.tasks.detect import find_task
    from xlqa.tasks.sources import sample_files

    names = [name for name in sample_files() if not languages or set(name.split(".")[1:]) & set(languages)]
    return [name for name in names if find_task(name) == task]


# --- fetch --------------------------------------------------------------------------------------------------------


@app.command(
    epilog="Examples:\n\n  xlqa data fetch squad xquad.ru"
    "\n\n  xlqa data fetch --lang ru --model bert-base-multilingual-cased"
    "\n\n  xlqa data fetch hf:google/xquad/xquad.ru/validation"
)
def fetch(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME…", help="Data sets or parts, such as squad or xquad.ru; from the hub: hf:OWNER/NAME/SPLIT."
        ),
    ] = None,
    lang: Annotated[
        list[str] | None,
        typer.Option(
            "--lang", help="Everything a sweep of these languages needs: the English set and their default sets."
        ),
    ] = None,
    task: ListedTask = "",
    model: Annotated[list[str] | None, typer.Option("--model", help="An encoder of the hub, too (repeatable).")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Fetch data sets and encoders, for sweeps on machines without network. Files in the cache are only verified.

    A damaged file of an encoder is removed and fetched again. The SHA-256 of an encoder is that of its weights.
    """
    from xlqa.data.cache import data_folder
    from xlqa.tasks.hub_sets import PREFIX
    from xlqa.tasks.sources import ensure_local

    of_hub = [name for name in _split(names) if name.startswith(PREFIX)]
    others = [name for name in _split(names) if name not in of_hub]
    parts = _wanted_parts(others, _split(lang), _known_task(task))
    if not parts and not of_hub and not model:
        raise XlqaError("Nothing to fetch: name sets (`xlqa data list`), or give --lang or --model.")
    folder = data_folder(data_dir)
    fetched: list[dict[str, Any]] = []
    complaints: list[str] = []
    with _Progress() as progress:
        for part in parts:
            try:
                path, sha256 = ensure_local(part, folder, progress=progress.file)
            except XlqaError as error:
                complaints.extend(str(error).splitlines())
                continue
            fetched.append({"name": part.name, "path": str(path), "sha256": sha256})
    for name in of_hub:
        _fetch_hub_set(name, folder, fetched, complaints)
    for name in model or []:
        _fetch_model(name, fetched, complaints)
    if as_json:
        print_json({"fetched": fetched, "failed": complaints})
    else:
        _print_table(("NAME", "SHA-256", "PATH"), [(row["name"], row["sha256"][:12], row["path"]) for row in fetched])
    if complaints:
        raise ManyErrors(complaints)


def _wanted_parts(names: list[str], languages: list[str], task: str) -> list[Part]:
    """The parts named, and those that a sweep of the languages uses; each once."""
    from xlqa.data.registry import SETS, default_tests, default_train, find_part, find_set
    from xlqa.records import TASK_SOURCES

    wanted: dict[str, Part] = {}
    complaints: list[str] = []
    by_set = {data_set.name: data_set.parts for data_set in SETS}
    for name in _split(names):
        if by_set.get(name) == ():
            complaints.append(f"{name}: {find_set(name).on_request}.")
            continue
        try:
            for part in by_set.get(name) or (find_part(name),):
                wanted[part.name] = part
        except XlqaError as error:
            complaints.append(str(error))
    for language in languages:
        try:
            # A language without a public train part is still fetched to test on.
            chosen = [TASK_SOURCES[task], *default_tests(language, task)] if task in TASK_SOURCES else []
            if not chosen:
                raise XlqaError(f"--task {task} has no registered sets: name files in the sweep.")
        except XlqaError as error:
            complaints.append(str(error))
            continue
        try:
            chosen.insert(1, default_train(language, task))
        except XlqaError as error:
            print_error(str(error))
        wanted.update((name, find_part(name)) for name in chosen)
    if complaints:
        raise ManyErrors(complaints)
    return list(wanted.values())


def _fetch_hub_set(name: str, folder: Path, fetched: list[dict[str, Any]], complaints: list[str]) -> None:
    from xlqa.tasks.hub_sets import ensure_hub_set
    from xlqa.util.files import file_sha256

    try:
        path = ensure_hub_set(name, folder)
        fetched.append({"name": name, "path": str(path), "sha256": file_sha256(path)})
    except XlqaError as error:
        complaints.extend(str(error).splitlines())


def _fetch_model(name: str, fetched: list[dict[str, Any]], complaints: list[str]) -> None:
    from xlqa.data.hub import fetch_model
    from xlqa.training.model_folder import hash_weights

    try:
        folder = fetch_model(name)
        fetched.append({"name": name, "path": str(folder), "sha256": hash_weights(folder)})
    except XlqaError as error:
        complaints.extend(str(error).splitlines())


class _Progress:
    """A bar a file on stderr where that is a terminal, else a line a file."""

    def __init__(self) -> None:
        self._bars: Any = None

    def __enter__(self) -> _Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

            self._bars = Progress(
                TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
                console=Console(stderr=True),
            )  # fmt: skip
            self._bars.start()
        return self

    def __exit__(self, *details: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def file(self, name: str) -> Any:
        """The progress callback of one file."""
        if self._bars is None:
            print(f"fetching {name}", file=sys.stderr)
            return lambda done, total: None
        task = self._bars.add_task(name, total=None)
        return lambda done, total: self._bars.update(task, completed=done, total=total)


# --- check --------------------------------------------------------------------------------------------------------


@app.command(
    epilog="Examples:\n\n  xlqa data check train.json dev.json.gz"
    "\n\n  xlqa data check --columns question=q,context=passage questions.csv"
)
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Files, or downloaded registered parts.")],
    task: TaskName = "",
    lang: Language = "",
    columns: OwnNames = None,
    show: Annotated[int, typer.Option("--show", min=0, help="How many refusals of a file to show.")] = 20,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Read data sets: what was repaired, what would be refused, what repeats, and how much of one file another contains.

    Several files are compared: for each two, how many questions of the second are in the first. Exit status 1 if anything
    would be refused.
    """
    names = _column_names(columns, task)
    found = _task(files, task, names, data_dir)
    if found is not None:
        return data_tasks.check(found, files, lang, _own_names(found, names), show, data_dir, as_json)
    reports: list[dict[str, Any]] = []
    seen: list[tuple[str, Sequence[Question]]] = []
    for name in files:
        report, questions = _check_file(name, lang, data_dir, names)
        report["found_in"] = _found_in(seen, questions)
        reports.append(report)
        if len(files) > 1:
            seen.append((name, questions))
    if as_json:
        print_json(reports)
    else:
        _print_reports(reports, show)
    if any(report["refused"] or report["error"] for report in reports):
        raise typer.Exit(1)


def _check_file(
    name: str, language: str, data_dir: Path | None, columns: dict[str, str]
) -> tuple[dict[str, Any], Sequence[Question]]:
    report: dict[str, Any] = {"file": name, "error": None, "refused": 0}
    try:
        _, reading = _open(name, language, data_dir, skip_bad=True, columns=columns)
    except XlqaError as error:
        return report | {"error": str(error)}, ()
    return report | _reading_record(reading), reading.scored


def _open(
    name: str,
    language: str,
    data_dir: Path | None,
    *,
    skip_bad: bool = False,
    to_score: bool = False,
    columns: dict[str, str] | None = None,
    first_place: bool = False,
) -> tuple[DataRef, Reading]:
    """A data set by name or file, and what it is."""
    from xlqa.tasks.sources import read_ref, resolve, settle_language

    ref = resolve(name, language=language, data_dir=data_dir, download=False)
    path = Path(name).expanduser()
    shown = dataclasses.replace(ref, path=path) if path.is_file() else ref  # messages name the file as the user does
    reading = read_ref(shown, skip_bad=skip_bad, to_score=to_score, columns=columns, first_place=first_place)
    return settle_language(ref, reading.everything), reading


def _column_names(values: list[str] | None, task: str) -> dict[str, str]:
    """`question=q,context=passage` as a mapping; of question answering where no task is given."""
    return column_names(values or [], _known_task(task))


def _own_names(task: Task[Any], names: dict[str, str]) -> ColumnNames:
    from xlqa.tasks.renaming import ColumnNames

    return ColumnNames(task.name, names)


def _reading_record(reading: Reading) -> dict[str, Any]:
    from xlqa.tasks.qa.overlap import count_repeated

    return {
        "format": reading.format,
        "compression": reading.compression,
        "sha256": reading.sha256,
        "questions": len(reading.questions),
        "scored": len(reading.scored),
        "unanswerable": len(reading.unanswerable),
        "paragraphs": len({question.context_hash for question in reading.everything if question.context}),
        "repeated": count_repeated(reading.everything),
        "other_languages": reading.other_languages,
        "repairs": reading.repairs,
        "refused": len(reading.refused),
        "refusals": [dataclasses.asdict(refusal) for refusal in reading.refused],
        "complaints": [str(refusal) for refusal in reading.refused],
    }


def _found_in(seen: Sequence[tuple[str, Sequence[Question]]], questions: Sequence[Question]) -> list[dict[str, Any]]:
    """How much of a file is in each of those before it."""
    from xlqa.tasks.qa.overlap import find_overlap

    found = []
    for name, others in seen:
        overlap = find_overlap(others, questions)
        if overlap:
            counts = {"paragraph": len(overlap.by_paragraph), "question": len(overlap.asked), "any": len(overlap.ids)}
            found.append({"file": name, **counts, "of": overlap.tested})
    return found


def _print_reports(reports: list[dict[str, Any]], show: int) -> None:
    from xlqa.tasks.qa.reading import REPAIRS
    from xlqa.util.text import plain

    names = ("questions", "unanswerable", "paragraphs", "refused")
    rows = []
    for report in reports:
        if report["error"]:
            rows.append((plain(report["file"]), "unusable", "", "", "", "", ""))
            continue
        kind = report["format"] + (f" ({report['compression']})" if report["compression"] else "")
        repaired = sum(report["repairs"].values())
        counts = [f"{report[name]:,}" for name in names]
        rows.append((plain(report["file"]), kind, *counts[:3], f"{repaired:,}", counts[3]))
    _print_table(("FILE", "FORMAT", "QUESTIONS", "UNANSWERABLE", "PARAGRAPHS", "REPAIRED", "REFUSED"), rows)
    for report in reports:
        lines = _report_lines(report, show, REPAIRS)
        if lines:
            print(f"\n{plain(report['file'])}")
            print("\n".join(f"  {plain(line)}" for line in lines))


def _report_lines(report: dict[str, Any], show: int, meanings: dict[str, str]) -> list[str]:
    from xlqa.util.text import counted

    if report["error"]:
        return [line.removeprefix(f"{report['file']}: ") for line in str(report["error"]).splitlines()]
    lines = [f"repaired {count:,} × {kind}: {meanings[kind]}" for kind, count in report["repairs"].items()]
    if report["repeated"]:
        total = report["scored"] + report["unanswerable"]
        lines.append(
            f"{report['repeated']:,} of {total:,} questions repeat an earlier one (the same words on the same paragraph)"
        )
    if report["unanswerable"]:
        lines.append(
            f"{counted(report['unanswerable'], 'unanswerable question')}: sweeps use them with --unanswerable, `xlqa score` with --scorer squad2"
        )
    lines += [_overlap_line(found) for found in report["found_in"]]
    untrainable = report["scored"] - report["questions"]
    if untrainable:
        lines.append(f"{untrainable:,} of the refused questions have gold texts: they count in scores, not in training")
    if report["other_languages"]:
        lines.append(f"left out {counted(report['other_languages'], 'question')} in other languages")
    lines += [f"refused: {complaint}" for complaint in report["complaints"][:show]]
    rest = report["refused"] - show
    if rest > 0:
        lines.append(f"refused: {rest:,} more (--show {report['refused']} shows all)")
    return lines


def _overlap_line(found: dict[str, Any]) -> str:
    kinds = f"{found['paragraph']:,} by their paragraph, {found['question']:,} word for word"
    if others := found["any"] - found["paragraph"]:
        kinds += f", {others:,} by id, or by question and answer on a similar paragraph"
    return f"{found['any']:,} of {found['of']:,} questions are in {found['file']} ({kinds})"


# --- stats --------------------------------------------------------------------------------------------------------


TokenizerName = Annotated[
    str, typer.Option("--model", help="Hub name or folder of a tokenizer: adds lengths in pieces.")
]
SourceName = Annotated[
    str,
    typer.Option("--source", help="Source data, a file or part: adds the overlap of its pieces (with --model)."),
]
MaxLength = Annotated[
    int | None, typer.Option("--max-length", min=8, help="Pieces in a window.  [default: 384; other tasks 128]")
]
Stride = Annotated[
    int | None,
    typer.Option("--stride", min=0, help="Pieces that neighbouring windows share.  [default: a third of --max-length]"),
]
MaxAnswerLength = Annotated[
    int, typer.Option("--max-answer-length", min=1, help="Maximum length of an answer in word pieces, as in a sweep.")
]


@app.command(
    epilog="Examples:\n\n  xlqa data stats dev.json\n\n  xlqa data stats xquad.en xquad.ru --model bert-base-multilingual-cased --source squad.train"
)
def stats(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help="Files, or downloaded registered parts; several are compared."),
    ],
    model: TokenizerName = "", source: SourceName = "", max_length: MaxLength = None, stride: Stride = None,
    max_answer_length: MaxAnswerLength = 30, task: TaskName = "", lang: Language = "", columns: OwnNames = None,
    skip_bad: SkipBad = False, data_dir: DataDir = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Count and measure data sets: questions, lengths, and with --model pieces, windows and the best scores that any model can reach.

    Several files are compared, a line each. With --source: how many of their pieces the source data has.
    """
    from xlqa.tasks.qa.stats import QUANTILES, count_reading, describe, load_tokenizer

    names = _column_names(columns, task)
    other = _task(files, task, names, data_dir)
    if other is not None:
        if source:
            raise XlqaError("--source compares the pieces of question answering data only.")
        return data_tasks.stats(
            other, files, model, max_length, lang, _own_names(other, names), skip_bad, data_dir, as_json
        )
    if source and not model:
        raise XlqaError("--source needs a tokenizer: add --model.")
    tokenizer = load_tokenizer(model) if model else None
    known = count_reading(_open(source, "", data_dir, skip_bad=True)[1], tokenizer) if source and tokenizer else None
    length = max_length or 384
    shared = default_stride(length) if stride is None else stride
    found: list[Stats] = []
    documents = []
    for file in files:
        ref, reading = _open(file, lang, data_dir, skip_bad=skip_bad, to_score=True, columns=names)
        _say_left_out(reading)
        found.append(
            describe(
                reading, max_length=length, stride=shared, max_answer_length=max_answer_length, tokenizer=tokenizer,
                scorer=ref.scorer, source=known,
            )
        )  # fmt: skip
        document = {"file": file, "quantiles": QUANTILES, "refused": len(reading.refused)}
        documents.append(document | dataclasses.asdict(found[-1]))
    if as_json:
        print_json(documents if len(files) > 1 else documents[0])
    elif len(files) > 1:
        _print_comparison(files, found)
    else:
        _print_stats(files[0], reading, found[0])


def _say_left_out(reading: Reading) -> None:
    from xlqa.util.text import counted

    refused = sum(not refusal.is_scored for refusal in reading.refused)
    if refused:
        print(f"xlqa: {counted(refused, 'question')} left out (--skip-bad)", file=sys.stderr)
    if rest := len(reading.refused) - refused:
        print(
            f"xlqa: {counted(rest, 'question')} only for scores, not for training (`xlqa data check`)", file=sys.stderr
        )


def _print_stats(name: str, reading: Reading, found: Stats) -> None:
    from xlqa.tasks.qa.stats import QUANTILES
    from xlqa.util.text import plain

    print(f"{plain(name)} ({reading.format})\n")
    print(f"questions     {found.questions:,} answerable, {found.unanswerable:,} unanswerable")
    print(f"paragraphs    {found.paragraphs:,}, {found.questions_per_paragraph:.2f} questions each")
    print(f"answers       {found.answers_per_question:.2f} a question")
    heads = ("LENGTH", "MEAN", *("MIN" if q == 0 else "MAX" if q == 1 else f"{q:.0%}" for q in QUANTILES))
    rows = [
        _length_row("paragraph, characters", found.paragraph),
        _length_row("question, characters", found.question),
        _length_row("answer, characters", found.answer),
        _length_row("answer's place, 0 to 1", found.answer_position, ".2f"),
    ]
    pieces = found.pieces
    if pieces is not None:
        rows += [
            _length_row("paragraph, pieces", pieces.paragraph),
            _length_row("question, pieces", pieces.question),
            _length_row("answer, pieces", pieces.answer),
        ]
    print()
    _print_table(heads, rows)
    if pieces is not None:
        per_piece = f"{pieces.per_word:.2f} a word, {pieces.per_character:.2f} a character"
        print(f"\npieces of {plain(pieces.model)}: {per_piece}, {pieces.unknown:.2%} unknown")
        beyond = f"{pieces.beyond_window:.2%} of the questions"
        windows = f"{pieces.windows:.2f} windows a question (stride {pieces.stride:,})"
        print(f"beyond one window of {pieces.max_length:,}: {beyond}; {windows}")
        limit = f"{pieces.max_answer_length:,} pieces, which no prediction reaches (--max-answer-length)"
        print(f"answers longer than {limit}: {pieces.too_long:.2%} of the questions")
        for line in (*_overlap_lines(pieces), *_oracle_lines(pieces.oracle)):
            print(line)
        if pieces.questions_cut:
            print(f"questions too long for such a window: {pieces.questions_cut:,}; they are cut")


def _overlap_lines(pieces: Pieces) -> list[str]:
    """What the pieces have in common with the source's."""
    if pieces.overlap is None:
        return []
    overlap, whole = pieces.overlap, _share(pieces.whole_words)
    return [
        f"words in one piece: {whole}",
        f"pieces shared with the source: {_share(overlap.types)} of both sets' distinct pieces, {_share(overlap.tokens)} of "
        f"this set's pieces; {_share(overlap.untouched)} of its distinct pieces are not in the source",
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _oracle_lines(oracle: Oracle | None) -> list[str]:
    """The best scores that a model can reach, and why it is not 100."""
    from xlqa.tasks.qa.oracle import describe_wrong
    from xlqa.util.text import counted

    if oracle is None:
        return []
    over = counted(oracle.questions, "question")
    best = f"the best that any model can reach (gold answers mapped to tokens and back): EM {oracle.em:.2f}, F1 {oracle.f1:.2f}"
    lines = [f"{best} ({oracle.scorer}, {over}; {oracle.unreachable:,} unreachable)"]
    return lines + ([f"  {describe_wrong(oracle)}"] if oracle.wrong else [])


def _print_comparison(files: Sequence[str], found: Sequence[Stats]) -> None:
    from xlqa.util.text import plain

    names = [Path(file).name for file in files]
    names = [plain(name) for name in (names if len(set(names)) == len(names) else files)]
    pieces = found[0].pieces
    heads = ("DATA", "QUESTIONS", "PARAGRAPHS", "PARAGRAPH", "QUESTION", "ANSWER")
    more: tuple[str, ...] = ("A WORD", "UNKNOWN", "BEYOND", "WINDOWS", "TOO LONG") if pieces is not None else ()
    has_source = any(stats.pieces is not None and stats.pieces.overlap is not None for stats in found)
    more += ("WHOLE", "OVERLAP", "SHARED", "UNTOUCHED") if has_source else ()
    has_best = any(stats.pieces is not None and stats.pieces.oracle is not None for stats in found)
    more += ("BEST EM", "BEST F1") if has_best else ()
    _print_table(
        (*heads, *more), [_comparison_row(name, stats, has_best) for name, stats in zip(names, found, strict=True)]
    )
    if pieces is None:
        print("\nPARAGRAPH, QUESTION, ANSWER: characters on average")
        return
    print(
        f"\nPARAGRAPH, QUESTION, ANSWER: pieces of {plain(pieces.model)} on average; A WORD: pieces of a paragraph's word"
    )
    window = f"one window of {pieces.max_length:,} pieces; WINDOWS: of a question on average, stride {pieces.stride:,}"
    print(f"UNKNOWN: share of the paragraphs' pieces; BEYOND: share of the questions that don't fit {window}")
    print(
        f"TOO LONG: share of the questions whose answers are longer than {pieces.max_answer_length:,} pieces, which no prediction reaches"
    )
    if has_source:
        print(
            "WHOLE: share of the words in one piece; OVERLAP: of the distinct pieces of both sets, those in both; SHARED: of the "
            "set's pieces, those that the source has; UNTOUCHED: of its distinct pieces, those that the source lacks"
        )
    if has_best:
        print(
            "BEST EM, BEST F1: the best that any model can reach (gold answers mapped to tokens and back), with each set's own scorer"
        )


def _comparison_row(name: str, stats: Stats, has_best: bool) -> tuple[str, ...]:
    pieces = stats.pieces
    measured = stats if pieces is None else pieces
    means = (f"{part.mean:,.1f}" for part in (measured.paragraph, measured.question, measured.answer))
    row = (name, f"{stats.questions:,}", f"{stats.paragraphs:,}", *means)
    if pieces is None:
        return row
    shares = (f"{pieces.unknown:.2%}", f"{pieces.beyond_window:.1%}")
    overlap = pieces.overlap
    shared = (pieces.whole_words, overlap.types, overlap.tokens, overlap.untouched) if overlap else ()
    oracle = pieces.oracle
    best = () if not has_best else ("", "") if oracle is None else (f"{oracle.em:.2f}", f"{oracle.f1:.2f}")
    return (
        *row,
        f"{pieces.per_word:.2f}",
        *shares,
        f"{pieces.windows:.2f}",
        f"{pieces.too_long:.1%}",
        *map(_share, shared),
        *best,
    )


def _length_row(name: str, values: Lengths, form: str = ",.0f") -> tuple[str, ...]:
    return (name, format(values.mean, ",.1f" if form == ",.0f" else form), *(format(v, form) for v in values.quantiles))


# --- convert ------------------------------------------------------------------------------------------------------


@app.command(
    epilog="Examples:\n\n  xlqa data convert train.parquet train.json"
    "\n\n  xlqa data convert --skip-bad cmrc2018_train.json train.jsonl.gz"
    "\n\n  xlqa data convert --columns question=q,context=passage --first-place questions.tsv train.json"
)
def convert(
    source: Annotated[
        str, typer.Argument(metavar="IN", help="A file or folder of any known format, or a set that is here.")
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="Where to: .json (SQuAD), .jsonl, .csv, .parquet; ner and pos .conll, .conllu, .tsv, .jsonl; others .tsv, "
            ".csv, .jsonl; with .gz or .xz.",
        ),
    ],
    task: TaskName = "",
    lang: Language = "",
    columns: OwnNames = None,
    first_place: Annotated[
        bool,
        typer.Option(
            "--first-place",
            help="Use the first occurrence of an answer that has no start and occurs several times (qa only).",
        ),
    ] = False,
    skip_bad: SkipBad = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write a data set in another format, in the same order. Repairable errors are fixed."""
    from xlqa.tasks.qa.writing import write_dataset
    from xlqa.util.files import file_sha256
    from xlqa.util.text import counted, printable

    if target.exists() and not force:
        raise XlqaError(f"{target}: exists: choose another name, or overwrite it with --force.")
    names = _column_names(columns, task)
    found = _task([source], task, names, data_dir)
    if found is not None:
        return data_tasks.convert(found, source, target, lang, _own_names(found, names), skip_bad, data_dir, as_json)
    _, reading = _open(source, lang, data_dir, skip_bad=skip_bad, columns=names, first_place=first_place)
    if reading.refused:
        print(f"xlqa: {counted(len(reading.refused), 'question')} left out (--skip-bad)", file=sys.stderr)
    write_dataset(reading, target)
    written = len(reading.questions) + len(reading.unanswerable)
    if as_json:
        return print_json(
            {"path": str(target), "sha256": file_sha256(target), "questions": len(reading.questions),
             "unanswerable": len(reading.unanswerable), "repairs": reading.repairs, "refused": len(reading.refused)}
        )  # fmt: skip
    for kind, count in reading.repairs.items():
        print(f"xlqa: repaired {count:,} × {kind}", file=sys.stderr)
    print(printable(f"{target}: {counted(written, 'question')}"))


def _task(files: Sequence[str], given: str, columns: dict[str, str], data_dir: Path | None) -> Task[Any] | None:
    """The task of some files; None for question answering, whose commands are in this module."""
    from xlqa.tasks.base import DEFAULT_TASK, get_task

    name = DEFAULT_TASK if columns and not given else data_tasks.task_of(files, given, data_dir)
    return None if name == DEFAULT_TASK else get_task(name)


# --- shared -------------------------------------------------------------------------------------------------------


def _split(values: list[str] | None) -> list[str]:
    """Repeatable options and comma lists alike, each value once."""
    found = (item.strip() for value in values or [] for item in value.split(","))
    return list(dict.fromkeys(item for item in found if item))


def _known_task(name: str) -> str:
    """A task's name; question answering where none is given."""
    from xlqa.tasks.base import DEFAULT_TASK, get_task

    return get_task(name or DEFAULT_TASK).name


def _known_languages(languages: list[str], task: str) -> None:
    from xlqa.data.registry import default_tests

    for language in languages:
        default_tests(language, task)


def _print_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from xlqa.util.tables import table_lines

    for line in table_lines(heads, rows) if rows else ():
        print(line)
