"""Every setting of a sweep, stated once: name, type, default, help, check.

The flags of `xlqa sweep`, the names of an experiment file, the keywords of `xlqa.sweep` and docs/commands.md derive from
the fields of `Settings`. To add a setting, add a field, use it, and run `python -m xlqa.cli.reference docs/commands.md`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar, get_type_hints

from xlqa.errors import XlqaError, check_choice, nearest, refuse_choice
from xlqa.records import (
    TASK_FIELDS,
    TASK_METRICS,
    TASK_SOURCES,
    Arm,
    JointSampling,
    SourceLabels,
    SubsetBy,
    TagMap,
    seed_range,
)
from xlqa.util.languages import two_letters

GRID, DATA, TRAINING, MACHINE = "The grid", "Data", "Training", "Machine and output"

T = TypeVar("T")

FULL = "full"
Size = int | Literal["full"]

Parse = Callable[[str, Any, Mapping[str, Any]], Any]
"""From a setting's name, the value that was given, and the fields checked before, to a checked value.

Raises XlqaError."""


@dataclass(frozen=True, slots=True)
class PerArm(Generic[T]):
    """A value for all arms, and those of the arms that have their own."""

    default: T
    own: Mapping[Arm, T]

    def of(self, arm: Arm) -> T:
        return self.own.get(arm, self.default)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        help: one or two sentences, without the default.
        panel: heading under which the help shows the flag.
        parse: checks a value.
        metavar: the placeholder of the value in the help; "" for a switch.
        python: the type of the keyword of `xlqa.sweep`.
        default: as an experiment file states it; None where `follows` or nothing takes its place.
        follows: computes the default from the fields checked before.
        shown: the default in words, where `default` does not show it.
        columns: the columns of results.csv that record it.
        also: other names of the same thing, for suggestions.
        repeatable: whether the flag may be given several times.
        names_files: whether the value can name a file, which is looked for beside the experiment file first.
    """

    help: str
    panel: str
    parse: Parse
    metavar: str
    python: str
    default: Any = None
    follows: Callable[[Mapping[str, Any]], Any] | None = None
    shown: str = ""
    columns: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    repeatable: bool = False
    names_files: bool = False

    @property
    def full_help(self) -> str:
        """The help with the default."""
        absent = self.default is None or self.default is False or self.default == ()
        shown = self.shown or ("" if absent else show(self.default))
        return f"{self.help} [default: {shown}]" if shown else self.help


def show(value: Any) -> str:
    """A default as a user writes it: 3e-5, not 3e-05."""
    return f"{value:g}".replace("e-0", "e-") if isinstance(value, float) else str(value)


def flag(name: str) -> str:
    """A setting's name as a flag."""
    return "--" + name.replace("_", "-")


# ---- parts of checks


def split_words(value: Any) -> list[str]:
    """The words of a comma list, a list, or a list of comma lists."""
    if value is None:
        return []
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return [word.strip() for item in items for word in str(item).split(",") if word.strip()]


def split_files(value: Any, folder: Path = Path()) -> list[str]:
    """As `split_words`, but the name of an existing file that contains a comma stays whole."""
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    words: list[str] = []
    for item in items:
        name = str(item).rpartition("=")[2]
        words += [str(item)] if "," in name and is_file(folder / Path(name).expanduser()) else split_words(item)
    return words


def is_file(path: Path) -> bool:
    """Whether a path is a file; False where it is too long to be one."""
    try:
        return path.is_file()
    except OSError:
        return False


def parse_whole(name: str, value: Any, least: int) -> int:
    """A whole number from `least` on, below 2**31.

    Raises:
        XlqaError: it is not.
    """
    try:
        number = int(value)
        if number != float(value):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise XlqaError(f"{flag(name)} {value}: give a whole number.") from None
    if not least <= number < 2**31:
        raise XlqaError(f"{flag(name)} {value}: give a number from {least} up to 2,147,483,647.")
    return number


def parse_number(name: str, value: Any, low: float, high: float) -> float:
    """A number between two bounds, both included.

    Raises:
        XlqaError: it is not.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise XlqaError(f"{flag(name)} {value}: give a number.") from None
    if not low <= number <= high:
        raise XlqaError(f"{flag(name)} {value}: give a number between {low:g} and {high:g}.")
    return number


def _languages(name: str, value: Any, _: Mapping[str, Any]) -> tuple[str, ...]:
    words = list(dict.fromkeys(word.lower() for word in split_words(value)))
    if not words:
        raise XlqaError("--lang is missing: name the target languages, such as --lang ru or --lang ru,zh.")
    if bad := [word for word in words if not (2 <= len(word) <= 3 and word.isalpha())]:
        raise XlqaError(f"--lang {bad[0]}: give ISO 639-1 codes, such as ru, zh, es, sw.")
    if long := [word for word in words if two_letters(word) != word]:
        raise XlqaError(
            f"--lang {long[0]}: did you mean {two_letters(long[0])}? Give ISO 639-1 codes where there are any."
        )
    return tuple(words)


def _sizes(name: str, value: Any, _: Mapping[str, Any]) -> tuple[Size, ...]:
    words = split_words(value)
    if not words:
        raise XlqaError("--sizes is empty: give numbers of target questions, such as --sizes 100,1000,full.")
    sizes = {_size(name, word) for word in words if word != FULL}
    ascending: list[Size] = sorted(sizes - {0})
    return (*ascending, "full") if FULL in words else tuple(ascending)


def _size(name: str, word: str) -> int:
    try:
        return parse_whole(name, word.replace("_", ""), 0)
    except XlqaError as error:
        raise XlqaError(str(error).replace("a whole number.", "a whole number or full.")) from None


def _arms(name: str, value: Any, _: Mapping[str, Any]) -> tuple[Arm, ...]:
    words = split_words(value)
    if not words:
        raise XlqaError("--arms is empty: the usual ones are --arms transfer,target-only.")
    return tuple(sorted({_arm(name, word) for word in words}, key=list(Arm).index))


def _arm(name: str, word: str) -> Arm:
    try:
        return Arm(word)
    except ValueError:
        raise XlqaError(f"{flag(name)} {word}: {refuse_choice(word, (arm.value for arm in Arm))}.") from None


def _seeds(name: str, value: Any, _: Mapping[str, Any]) -> tuple[int, ...]:
    """`5` is a count (0 to 4); `3,7`, `3,` and `3-5,9` are lists."""
    if isinstance(value, Integral) or (isinstance(value, str) and value.strip().isdigit()):
        return tuple(range(parse_whole(name, value, 1)))
    named = (
        seed_range(word, flag(name)) if "-" in word[1:] else (parse_whole(name, word, 0),)
        for word in split_words(value)
    )
    seeds = tuple(dict.fromkeys(seed for seeds in named for seed in seeds))
    if not seeds:
        raise XlqaError(f"{flag(name)} is empty: give a count ({flag(name)} 5) or a list ({flag(name)} 0,1,7 or 3-5).")
    return seeds


_NAMES_NOTHING = "names no file, data set or model: is a variable of the shell empty?"


def _by_language(name: str, value: Any, earlier: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """A value per language: `ru=FILE`, a table, or one value where there is one language."""
    languages: Sequence[str] = earlier["languages"]
    given: dict[str, list[str]] = {}
    if isinstance(value, Mapping):
        if foreign := [key for key in value if key not in languages]:
            raise XlqaError(f"{flag(name)}: {', '.join(foreign)} is not among --lang {','.join(languages)}.")
        given = {language: split_files(items) for language, items in value.items()}
        if empty := [language for language, words in given.items() if not words]:
            raise XlqaError(f"{flag(name)} {empty[0]}: {_NAMES_NOTHING}")
        return {language: tuple(words) for language, words in given.items()}
    words = split_files(value)
    if not words and (value == "" or value):
        raise XlqaError(f"{flag(name)} '': {_NAMES_NOTHING}")
    for word in words:
        language, equals, rest = word.partition("=")
        if equals and language in languages and not rest:
            raise XlqaError(f"{flag(name)} {word}: {_NAMES_NOTHING}")
        if equals and language in languages:
            given.setdefault(language, []).append(rest)
        elif len(languages) == 1:
            given.setdefault(languages[0], []).append(word)
        else:
            raise XlqaError(
                f"{flag(name)} {word}: with several languages name one, such as {flag(name)} {languages[0]}={word}."
            )
    return {language: tuple(items) for language, items in given.items()}


def _last_by_language(name: str, value: Any, earlier: Mapping[str, Any]) -> dict[str, str]:
    return {language: words[-1] for language, words in _by_language(name, value, earlier).items()}


def _layers(name: str, value: Any, _: Mapping[str, Any]) -> int | None:
    """`none`, `embeddings` (0) or a number of layers."""
    if value in ("none", "embeddings"):
        return None if value == "none" else 0
    try:
        return parse_whole(name, value, 0)
    except XlqaError:
        raise XlqaError(f"{flag(name)} {value}: give none, embeddings, or a number of layers.") from None


TUNABLE = ("lr", "epochs", "min_steps")


def _grid(name: str, value: Any, earlier: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """`lr=3e-5,1e-4 min_steps=60,200`, in one word or several, or a table."""
    if not isinstance(value, Mapping):
        items = [value] if isinstance(value, str) else value
        pairs = [word.partition("=")[::2] for item in items for word in str(item).split()]
        if twice := [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]:
            raise XlqaError(f"{flag(name)} {twice[0]}: is given twice: list all its values once, as lr=3e-5,1e-4.")
        value = dict(pairs)
    grid = {}
    for key, given in value.items():
        setting = key.replace("-", "_")
        if setting not in TUNABLE or not (tried := split_words(given)):
            raise XlqaError(
                f"{flag(name)} {key}: give values of {', '.join(TUNABLE)}, such as {flag(name)} 'lr=3e-5,1e-4 min_steps=60,200'."
            )
        parsed = [SETTINGS[setting].parse(setting, one, earlier) for one in tried]
        if any(one.own for one in parsed):
            raise XlqaError(f"{flag(name)} {key}: all arms try the same values: leave out the arms' names.")
        grid[setting] = tuple(dict.fromkeys(one.default for one in parsed))
    return grid


def _tag_map(name: str, value: Any, earlier: Mapping[str, Any]) -> TagMap:
    """`MISC=O,DATE=O` or a table."""
    items = value.items() if isinstance(value, Mapping) else [word.partition("=")[::2] for word in split_words(value)]
    found: dict[str, str] = {}
    for tag, other in items:
        if not isinstance(other, str) or not tag or not other or tag == "O":
            raise XlqaError(f"{flag(name)} {tag}: write TAG=OTHER, such as {flag(name)} MISC=O.")
        if found.setdefault(tag, other) != other:
            raise XlqaError(f"{flag(name)} {tag}: is given twice, as {found[tag]} and {other}: keep one.")
    if found and earlier["task"] not in ("ner", "pos"):
        raise XlqaError(f"{flag(name)}: is for --task ner and pos: leave it out of a sweep of {earlier['task']}.")
    return tuple(sorted(found.items()))


def column_names(value: Any, task: str) -> dict[str, str]:
    """`question=q,context=passage` or a table, as a file's own names by field.

    Raises:
        XlqaError: a word is not FIELD=NAME with a field of the task, or a field or name is given twice.
    """
    items = value.items() if isinstance(value, Mapping) else [word.partition("=")[::2] for word in split_words(value)]
    known, found = TASK_FIELDS[task], dict[str, str]()
    for field, name in items:
        if field not in known or not isinstance(name, str) or not name:
            raise XlqaError(f"--columns {field}: write FIELD=NAME; the fields of {task} are {', '.join(known)}.")
        if found.get(field, name) != name or name in (other for key, other in found.items() if key != field):
            raise XlqaError(f"--columns {field}={name}: gives a field or a column twice: keep one.")
        found[field] = name
    return found


def _true_or_false(name: str, value: Any, _: Mapping[str, Any]) -> bool:
    if isinstance(value, bool):
        return value
    raise XlqaError(f"{flag(name)} {value}: give true or false.")


# ---- kinds of settings


def whole(default: int | None, panel: str, help_text: str, least: int = 1, **more: Any) -> Setting:
    """A whole number from `least` on."""
    return Setting(
        help_text, panel, lambda name, value, _: parse_whole(name, value, least), "N", "int", default, **more
    )


def number(
    default: float | None, panel: str, help_text: str, low: float, high: float, metavar: str = "X", **more: Any
) -> Setting:
    """A number between two bounds."""

    def parse(name: str, value: Any, _: Mapping[str, Any]) -> float:
        return parse_number(name, value, low, high)

    return Setting(help_text, panel, parse, metavar, "float", default, **more)


def words(
    default: Any, panel: str, help_text: str, parse: Parse, python: str, metavar: str = "TEXT", **more: Any
) -> Setting:
    """A list with a form of its own."""
    return Setting(help_text, panel, parse, metavar, python, default, **more)


def text(
    default: str | None, panel: str, help_text: str, metavar: str = "TEXT", python: str = "str", **more: Any
) -> Setting:
    """A name that later stages check."""
    return Setting(help_text, panel, lambda _, value, __: str(value), metavar, python, default, **more)


def choice(default: str, panel: str, help_text: str, *choices: str, **more: Any) -> Setting:
    """One of several words."""

    def parse(name: str, value: Any, _: Mapping[str, Any]) -> str:
        check_choice(str(value), choices, f"{flag(name)} {value}")
        return str(value)

    literal = ", ".join(f'"{word}"' for word in choices)
    return Setting(help_text, panel, parse, "TEXT", f"Literal[{literal}]", default, **more)


def per_arm(setting: Setting) -> Setting:
    """A setting that each arm may have a value of its own for: `3e-5`, `transfer=1e-4,target-only=3e-4`, or a table."""

    def parse(name: str, value: Any, earlier: Mapping[str, Any]) -> PerArm[Any]:
        items = value.items() if isinstance(value, Mapping) else [_split_arm(word) for word in split_words(value)]
        found: dict[Arm | None, Any] = {}
        for key, one in items:
            arm = None if key == "default" else _arm(name, key.replace("_", "-"))
            if arm in found:
                raise XlqaError(f"{flag(name)} {value}: gives {arm or 'all arms'} two values: keep one.")
            found[arm] = setting.parse(name, one, earlier)
        usual = setting.follows(earlier) if setting.follows else setting.default
        default = found.pop(None, usual)
        return PerArm(default, {arm: one for arm, one in found.items() if arm})

    python = f"{setting.python} | str | Mapping[str, {setting.python}]"
    help_text = f"{setting.help} ARM={setting.metavar} sets it for one arm; a comma list takes several."
    return replace(setting, help=help_text, parse=parse, python=python)


def _split_arm(word: str) -> tuple[str, str]:
    arm, equals, value = word.rpartition("=")
    return arm if equals else "default", value


def switch(panel: str, help_text: str, **more: Any) -> Setting:
    """On or off; off by default."""
    return Setting(help_text, panel, _true_or_false, "", "bool", False, **more)


def folder(default: str | None, panel: str, help_text: str, **more: Any) -> Setting:
    """A folder, which need not exist."""

    def parse(name: str, value: Any, _: Mapping[str, Any]) -> Path:
        return Path(str(value)).expanduser().resolve()

    return Setting(help_text, panel, parse, "DIR", "PathLike", default, **more)


def _by_task(qa: Any, others: Any) -> Callable[[Mapping[str, Any]], Any]:
    """A default that follows the task."""
    return lambda fields: qa if fields["task"] == "qa" else others


def default_stride(max_length: int) -> int:
    """Word pieces that neighbouring windows share if `--stride` is not given: a third of a window."""
    return max_length // 3


def _stages_of_seeds(fields: Mapping[str, Any]) -> int:
    """The default number of source stages: three, of which a sweep with the seeds 0 or 0 and 1 uses one or two.

    More seeds leave each seed its stage. See docs/method.md for what one stage costs an interval.
    """
    seeds: tuple[int, ...] = fields["train_seeds"] or fields["seeds"]
    return min(3, max(seeds) + 1)


def _usual_lr(lora: int) -> float:
    """The default learning rate: that of LoRA is ten times as high, because a product that starts at zero moves slowly."""
    return 3e-4 if lora else 3e-5


def _source_lr(fields: Mapping[str, Any]) -> float:
    """The default learning rate of the source stage: that of the target, if both train alike."""
    alike = bool(fields["lora"]) == bool(fields["source_lora"])
    return float(fields["lr"].default) if alike else _usual_lr(fields["source_lora"])


MOST_MINUTES = 1e6
RATE = (1e-9, 1.0)
EPOCHS = (0.0, 10_000.0)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a sweep, each checked alone; the order of the fields is the order of the help.

    `target_train`, `target_test` and `target_model` map a language to names or files; a language that is missing gets its
    registered sets. `sizes` are ascending and without 0: zero-shot is always included.
    """

    # fmt: off
    languages: Annotated[tuple[str, ...], words(
        (), GRID, "Target languages as ISO 639-1 codes. Repeat the flag or use a comma list.", _languages, "Words",
        repeatable=True, columns=("lang",), also=("language", "target_language"),
    )]
    task: Annotated[str, choice(
        "qa", GRID, "What the encoder learns: qa (question answering), ner, pos, nli, paraphrase, topic or sentiment.",
        *TASK_METRICS, columns=("task",),
    )]
    sizes: Annotated[tuple[Size, ...], words(
        None, GRID,
        "Numbers of labelled target examples; `full` is all. Transfer always includes zero-shot; 0 alone is zero-shot only, which needs no "
        "target training set.", _sizes,
        "Sequence[int | str] | str | int", columns=("size",), also=("train_size", "shots", "n"),
        follows=_by_task("100,1000,10000", "10,100,1000"), shown="100,1000,10000; other tasks 10,100,1000",
    )]
    arms: Annotated[tuple[Arm, ...], words(
        "transfer,target-only", GRID, "Arms to compare: transfer, target-only, joint, monolingual.", _arms, "Words",
        columns=("arm",),
    )]
    seeds: Annotated[tuple[int, ...], words(
        "3", GRID, "A count (3 is the seeds 0 to 2) or a list (0,3,7 or 3-5).", _seeds, "int | Sequence[int] | str",
        columns=("seed", "subset_seed", "train_seed"), also=("random_seed",),
    )]
    train_seeds: Annotated[tuple[int, ...] | None, words(
        None, GRID, "Seeds of training (head, batches, dropout, source stage) to cross with --seeds, which then draw subsets only.",
        _seeds, "int | Sequence[int] | str", shown="each seed is both", columns=("seed", "train_seed"),
    )]
    source_seeds: Annotated[int, whole(
        None, GRID, "Number of source stages. Seed s starts from source stage s modulo this number.",
        columns=("source_seed",), follows=_stages_of_seeds, shown="3, or fewer where --seeds has fewer",
    )]
    model: Annotated[str, text(
        "bert-base-multilingual-cased", GRID,
        "Encoder: name on the model hub, folder, `multilingual-e5-small` (extra encoder), or `minilm` (English).",
        "MODEL", "PathLike", names_files=True, columns=("model", "model_sha256"),
        also=("encoder", "model_name_or_path", "pretrained"),
    )]
    target_model: Annotated[Mapping[str, str], words(
        (), GRID, "Encoder of the monolingual arm: MODEL, or ru=MODEL for one language.", _last_by_language,
        "Words | Mapping[str, PathLike]", "MODEL", repeatable=True, names_files=True, columns=("model", "model_sha256"),
    )]
    source_train: Annotated[str, text(
        None, DATA, "Source training set: name or file.", "SET", "PathLike", names_files=True,
        follows=lambda fields: TASK_SOURCES.get(fields["task"], ""), shown="the task's English set: squad.train, wikiann.en.train, …",
        columns=("source", "source_sha256"),
    )]
    target_train: Annotated[Mapping[str, str], words(
        (), DATA, "Target training set: name or file, or ru=FILE for one language.", _last_by_language,
        "PathLike | Mapping[str, PathLike]", "SET", shown="the language's registered set", repeatable=True,
        names_files=True, columns=("target", "target_sha256"), also=("train_file", "train"),
    )]
    target_test: Annotated[Mapping[str, tuple[str, ...]], words(
        (), DATA, "Target test set: name or file, or ru=FILE for one language. Repeat the flag for several.", _by_language,
        "PathLike | Sequence[PathLike] | Mapping[str, PathLike | Sequence[PathLike]]", "SET",
        shown="the language's registered sets", repeatable=True, names_files=True,
        columns=("test", "test_sha256", "scorer"), also=("test_file", "test", "dev", "validation_file"),
    )]
    source_size: Annotated[int | None, whole(
        None, DATA, "Number of source examples to use, drawn at random.", shown="all", columns=("source_size",),
    )]
    source_labels: Annotated[SourceLabels, choice(
        "gold", DATA, "gold, or shuffled (qa only): a control in which each source question has the answer of another question on its paragraph.",
        "gold", "shuffled", columns=("source", "source_sha256"),
    )]
    test_size: Annotated[int | None, whole(
        None, DATA, "Number of examples to score in each test set, drawn at random.", shown="all", columns=("test_size",),
    )]
    valid_size: Annotated[int, whole(
        0, DATA, "Number of examples to hold out from the target's train part and to score as split `valid`.", 0,
        columns=("valid_size",),
    )]
    subset_by: Annotated[SubsetBy, choice(
        "question", DATA,
        "How target subsets are drawn: question (any example), paragraph (whole groups, such as premises), or label (sentences and pairs, "
        "stratified by label).", "question", "paragraph", "label",
        columns=("subset_by",),
    )]
    data_dir: Annotated[Path | None, folder(
        None, DATA, "Folder for downloaded data sets.", shown="the user's cache, or XLQA_DATA", also=("cache_dir",),
    )]
    allow_overlap: Annotated[bool, switch(
        DATA, "Continue although the source data contains test examples; the table counts them.",
        columns=("source_overlap",),
    )]
    map_tags: Annotated[TagMap, words(
        (), DATA, "Read tags of all data sets as other ones: entity types as a type or O (MISC=O,DATE=O), parts of speech as others.",
        _tag_map, "Mapping[str, str] | str", "TAG=OTHER", repeatable=True, columns=("source", "source_sha256", "target", "target_sha256"),
        also=("tag_map",),
    )]
    columns: Annotated[Mapping[str, str], words(
        (), DATA, "Names of the columns (or keys) of your files and of data sets of the hub, where they are not the usual ones: "
        "question=q,context=passage.", lambda _, value, earlier: column_names(value, earlier["task"]), "Mapping[str, str] | str",
        "FIELD=NAME,…", repeatable=True, columns=("source_sha256", "target_sha256", "test_sha256"),
        also=("column_mapping", "rename_columns", "field_names"),
    )]
    unanswerable: Annotated[bool, switch(
        DATA, "Train on and score unanswerable questions (SQuAD 2.0) instead of leaving them out (qa only). The no-answer threshold is "
        "chosen on the validation part (--valid-size), and is 0 without one.",
        columns=("source", "source_sha256", "target", "target_sha256", "test_sha256", "scorer"), also=("squad2", "version_2_with_negative"),
    )]
    skip_bad: Annotated[bool, switch(DATA, "Leave out examples that cannot be read, and print how many.")]
    epochs: Annotated[PerArm[float], per_arm(number(
        3.0, TRAINING, "Epochs on target examples.", *EPOCHS, columns=("epochs",), also=("num_train_epochs",),
    ))]
    source_epochs: Annotated[float, number(
        2.0, TRAINING, "Epochs of the source stage.", *EPOCHS, columns=("source_epochs",),
    )]
    min_steps: Annotated[PerArm[int], per_arm(whole(
        200, TRAINING, "Minimum number of steps, so that trainings on few examples do not collapse.",
        columns=("min_steps",), also=("max_steps", "steps"),
    ))]
    batch_size: Annotated[int, whole(
        None, TRAINING, "Windows per step.", columns=("batch_size",), follows=_by_task(16, 32),
        shown="16; other tasks 32",
        also=("train_batch_size", "per_device_train_batch_size"),
    )]
    source_batch_size: Annotated[int, whole(
        None, TRAINING, "Windows per step in the source stage.", follows=lambda fields: fields["batch_size"],
        shown="as --batch-size", columns=("source_batch_size",),
    )]
    lora: Annotated[int, whole(
        0, TRAINING, "Rank of LoRA in training on target examples: of the encoder only low-rank changes are trained (extra `lora`); 0 is none.",
        0, columns=("target", "target_sha256"), also=("lora_rank", "rank", "peft", "adapter"),
    )]
    source_lora: Annotated[int, whole(
        None, TRAINING, "Rank of LoRA in the source stage; 0 is none.", 0, follows=lambda fields: fields["lora"],
        shown="as --lora", columns=("source", "source_sha256"), also=("source_lora_rank",),
    )]
    lr: Annotated[PerArm[float], per_arm(number(
        3e-5, TRAINING, "Peak learning rate.", *RATE, columns=("lr",), also=("learning_rate",),
        follows=lambda fields: _usual_lr(fields["lora"]), shown="3e-5; with --lora 3e-4",
    ))]
    source_lr: Annotated[float, number(
        None, TRAINING, "Peak learning rate of the source stage.", *RATE, follows=lambda fields: _source_lr(fields),
        shown="as --lr for all arms; 3e-5 or 3e-4 where one stage alone has LoRA", columns=("source_lr",),
        also=("source_learning_rate",),
    )]
    tune: Annotated[Mapping[str, tuple[Any, ...]], words(
        (), TRAINING,
        "Try these values of lr, epochs and min_steps in each arm, and train with the values that score best on the validation part.",
        _grid, "str | Mapping[str, Sequence[float]]", "GRID", repeatable=True,
        columns=("lr", "epochs", "min_steps"), also=("grid", "search"),
    )]
    tune_size: Annotated[int | None, whole(None, TRAINING, "Number of target examples to tune on.")]
    tune_seeds: Annotated[int, whole(3, TRAINING, "Number of seeds to tune with: the first of --seeds.")]
    freeze: Annotated[int | None, words(
        "none", TRAINING, "What to freeze in training on target examples: none, embeddings, or N for the embeddings and the lowest N layers.",
        _layers, "int | str", "N", columns=("target", "target_sha256"), also=("frozen_layers",),
    )]
    source_freeze: Annotated[int | None, words(
        None, TRAINING, "What to freeze in the source stage.", _layers, "int | str", "N",
        follows=lambda fields: fields["freeze"], shown="as --freeze", columns=("source", "source_sha256"),
    )]
    reinit_top: Annotated[int, whole(
        0, TRAINING, "Number of highest encoder layers that start from fresh weights instead of pre-trained ones.", 0,
        columns=("model", "model_sha256"),
    )]
    warmup: Annotated[float, number(
        0.1, TRAINING, "Share of the steps in which the learning rate rises.", 0.0, 1.0, columns=("warmup",),
        also=("warmup_ratio", "warmup_proportion", "warmup_steps"),
    )]
    joint_sampling: Annotated[JointSampling, choice(
        "proportional", TRAINING, "How the joint arm mixes its data: proportional (all examples alike) or balanced (half of each).",
        "proportional", "balanced", columns=("source", "source_sha256"),
    )]
    max_length: Annotated[int, whole(
        None, TRAINING, "Word pieces per window.", 32, columns=("max_length",), also=("max_seq_length", "max_seq_len"),
        follows=_by_task(384, 128), shown="384; other tasks 128",
    )]
    stride: Annotated[int, whole(
        None, TRAINING, "Word pieces that neighbouring windows share.", 0, columns=("stride",), also=("doc_stride",),
        follows=lambda fields: default_stride(fields["max_length"]), shown="a third of --max-length",
    )]
    max_answer_length: Annotated[int, whole(
        30, TRAINING, "Maximum length of a predicted answer in word pieces (qa only).", columns=("max_answer_length",),
        also=("max_ans_length",),
    )]
    precision: Annotated[str, choice(
        "auto", MACHINE,
        "Floating-point format: auto, fp32, bf16 or fp16. auto is bf16 on devices with bf16 arithmetic, fp16 on a T4 or V100.",
        "auto", "fp32", "bf16", "fp16", columns=("precision",), also=("bf16", "fp16", "dtype"),
    )]
    device: Annotated[str, text(
        "auto", MACHINE, "Device: auto, cpu, cuda or cuda:1. auto is every GPU, or the CPU if there is none.",
        columns=("device",),
    )]
    workers_per_device: Annotated[int | None, whole(
        None, MACHINE, "Worker processes per device.", also=("workers",), shown="1; on a GPU of this machine up to 3, as memory allows",
    )]
    launcher: Annotated[Literal["local", "ray"], choice(
        "local", MACHINE, "Where runs are executed: local (this machine) or ray (a Ray cluster, with the extra `ray`).",
        "local", "ray",
    )]
    ray_address: Annotated[str | None, text(
        None, MACHINE, "Address of the Ray cluster: HOST:PORT, or auto for the one that this machine belongs to.",
        shown="auto",
    )]
    keep: Annotated[Literal["one", "all", "none"], choice(
        "one", MACHINE, "Weights to keep: one (the source stages and one transfer model per language), all, or none.",
        "one", "all", "none",
    )]
    checkpoint_every: Annotated[float, number(
        10.0, MACHINE, "Minutes between two checkpoints of a training, which resumes from them; 0 for none.",
        0.0, MOST_MINUTES, "MINUTES", also=("save_steps", "checkpoint"),
    )]
    timeout: Annotated[float | None, number(
        None, MACHINE, "Minutes after which a run counts as failed.", 1e-3, MOST_MINUTES, "MINUTES", shown="no limit",
    )]
    gradient_checkpointing: Annotated[bool, switch(
        MACHINE, "Recompute activations instead of storing them: less memory, about a third more time.",
    )]
    out: Annotated[Path, folder(
        ".", MACHINE, "Folder of the sweep.", shown="the current folder", also=("output_dir", "output", "folder"),
    )]
    # fmt: on


FIELDS = {spec.name: "lang" if spec.name == "languages" else spec.name for spec in fields(Settings)}
"""The name of the setting behind each field of `Settings`."""

SETTINGS: Mapping[str, Setting] = {
    FIELDS[name]: hint.__metadata__[0] for name, hint in get_type_hints(Settings, include_extras=True).items()
}
"""Every setting by the name that an experiment file and `xlqa.sweep` use; with dashes for underscores, the flag's."""


def describe_unknown(names: Iterable[str]) -> list[str]:
    """A line for each name that is not a setting, with the nearest names that are."""
    return [_describe_unknown(name) for name in sorted(set(names) - set(SETTINGS))]


def _describe_unknown(name: str) -> str:
    known = {word: setting for setting, facts in SETTINGS.items() for word in (setting, *facts.also)}
    words = [name] if name in known else nearest(name, known, cutoff=0.75)
    near = dict.fromkeys(known[word] for word in words)
    if near:
        return f"unknown setting {name!r}: did you mean {' or '.join(map(repr, near))}?"
    return f"unknown setting {name!r}: the names are the flags of `xlqa sweep --help`."
