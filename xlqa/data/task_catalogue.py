"""The registered sets of the tasks other than question answering: tagging and the classification of sentences.

`task_files.tsv` lists the files in the makers' repositories on GitHub, each at one commit: part, language, split, examples, SHA-256
and size computed from the file, address. An empty cell is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from xlqa.data.catalogue import DataSet, Part, dataset_address

WIKIANN_LANGUAGES = (
    "ar", "bn", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "id", "it", "ja", "kk", "ko", "no", "pl", "pt",
    "ro", "ru", "sv", "sw", "te", "th", "tr", "vi", "zh",
)  # fmt: skip
_WIKIANN_COUNTS = {
    language: {"train": 20_000, "dev": 10_000, "test": 10_000} for language in ("en", "es", "ru", "zh")
} | {"sw": {"train": 1000, "dev": 1000, "test": 1000}}
XNLI_LANGUAGES = ("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh")
PAWSX_LANGUAGES = ("de", "en", "es", "fr", "ja", "ko", "zh")
_PAWSX_URL = "https://storage.googleapis.com/paws/pawsx/x-final.tar.gz"
_PAWSX_SHA256, _PAWSX_BYTES = "4146db499101d66e68ae4c8ed3cf9dadecd625f44b7d8cf3d4a0fe93afc4fd9f", 30282057
_HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}
_PARQUET = "Parquet needs pyarrow: pip install 'xlqa[parquet]'"
_FROM_FILES = (
    "the makers' README and files at the commit named in the addresses; SHA-256 and counts computed from the files"
)


@cache
def _listed() -> dict[str, tuple[Part, ...]]:
    """The parts of task_files.tsv by the name of their set."""
    text = Path(__file__).with_name("task_files.tsv").read_text(encoding="utf-8")
    found: dict[str, tuple[Part, ...]] = {}
    for line in text.splitlines()[1:]:
        name, language, split, count, sha256, size, url = line.split("\t")
        set_name, file = name.split(".")[0], f"{name}.{url.rsplit('.', 1)[-1]}"
        part = Part(
            name, set_name, split, language, int(count) if count else None, (url,), file, sha256 or None,
            int(size) if size else None,
        )  # fmt: skip
        found[set_name] = (*found.get(set_name, ()), part)
    return found


def _hub_parts(
    name: str, repository: str, languages: tuple[str, ...], counts: Mapping[str, Mapping[str, int]]
) -> tuple[Part, ...]:
    """Parts of a set on the hub with one Parquet file for each language and split."""
    return tuple(
        Part(
            f"{name}.{language}.{split}", name, split, language, counts.get(language, {}).get(split),
            (dataset_address(repository, "main", f"{language}/{file}-00000-of-00001.parquet"),), f"{name}-{language}-{split}.parquet",
        )
        for language in languages
        for split, file in _HUB_SPLITS.items()
    )  # fmt: skip


_WIKIANN = DataSet(
    "wikiann", "WikiAnn (PAN-X), named entities", "none stated",
    "Pan et al. 2017, Cross-lingual Name Tagging and Linking for 282 Languages, P17-1178; splits by Rahimi et al. 2019, arXiv:1902.00193",
    "https://huggingface.co/datasets/unimelb-nlp/wikiann", "Parquet", "conll",
    _hub_parts("wikiann", "unimelb-nlp/wikiann", WIKIANN_LANGUAGES, _WIKIANN_COUNTS),
    "the hub's pages (repository, languages); tags from dataset_infos.json of Hugging Face datasets; counts of en, es, ru, sw and zh "
    "from XTREME's copies of train and dev",
    "SHA-256 unknown and the address moves: the first download is trusted; file names follow the hub's usual pattern and were not seen; "
    "other counts are unknown",
    f"PER, LOC and ORG in IOB2, found automatically; many sentences are titles. XTREME calls it PAN-X and publishes its test parts "
    f"without labels: these have them. {_PARQUET}",
    task="ner",
)  # fmt: skip

_MASAKHANER = DataSet(
    "masakhaner", "MasakhaNER 2.0, named entities in African languages", "CC BY-NC 4.0",
    "Adelani et al. 2022, MasakhaNER 2.0: Africa-centric Transfer Learning for Named Entity Recognition, EMNLP 2022",
    "https://github.com/masakhane-io/masakhane-ner", "columns", "conll", _listed()["masakhaner"], _FROM_FILES, "",
    "PER, LOC, ORG and DATE; WikiAnn has no DATE: --map-tags DATE=O leaves it out. Ten of its twenty languages are registered",
    task="ner",
)  # fmt: skip

_MASAKHAPOS = DataSet(
    "masakhapos", "MasakhaPOS, parts of speech in African languages", "CC BY-NC 4.0",
    "Dione et al. 2023, MasakhaPOS: Part-of-Speech Tagging for Typologically Diverse African Languages, ACL 2023",
    "https://github.com/masakhane-io/masakhane-pos", "columns", "accuracy", _listed()["masakhapos"], _FROM_FILES, "",
    "the parts of speech of Universal Dependencies. Ten of its twenty languages are registered",
    task="pos",
)  # fmt: skip

_TREEBANKS = {
    "ud_ar_padt": ("Arabic-PADT", "CC BY-NC-SA 3.0"), "ud_de_gsd": ("German-GSD", "CC BY-SA 4.0"),
    "ud_en_ewt": ("English-EWT", "CC BY-SA 4.0"), "ud_es_gsd": ("Spanish-GSD", "CC BY-SA 4.0"),
    "ud_fi_tdt": ("Finnish-TDT", "see its LICENSE.txt"), "ud_fr_gsd": ("French-GSD", "CC BY-SA 4.0"),
    "ud_hi_hdtb": ("Hindi-HDTB", "CC BY-NC-SA 4.0"), "ud_id_gsd": ("Indonesian-GSD", "CC BY-SA 4.0"),
    "ud_it_isdt": ("Italian-ISDT", "CC BY-NC-SA 3.0"), "ud_ja_gsd": ("Japanese-GSD", "CC BY-SA 4.0"),
    "ud_ko_gsd": ("Korean-GSD", "CC BY-SA 4.0"), "ud_ru_gsd": ("Russian-GSD", "CC BY-SA 4.0"),
    "ud_tr_boun": ("Turkish-BOUN", "CC BY-SA 4.0"), "ud_zh_gsd": ("Chinese-GSD", "CC BY-SA 4.0"),
    "ud_de_pud": ("German-PUD", "CC BY-SA 3.0"), "ud_en_pud": ("English-PUD", "CC BY-SA 3.0"),
    "ud_es_pud": ("Spanish-PUD", "CC BY-SA 3.0"), "ud_ru_pud": ("Russian-PUD", "CC BY-SA 3.0"),
    "ud_zh_pud": ("Chinese-PUD", "CC BY-SA 3.0"),
}  # fmt: skip
"""Set -> the treebank's name and licence, as its README states it."""


def _treebank(name: str, title: str, licence: str) -> DataSet:
    parts = _listed()[name]
    unknown = ", ".join(part.split for part in parts if part.sha256 is None)
    return DataSet(
        name, f"Universal Dependencies {title}, parts of speech", licence,
        "de Marneffe et al. 2021, Universal Dependencies, Computational Linguistics 47(2); the makers are in the treebank's README",
        f"https://github.com/UniversalDependencies/UD_{title}", "CoNLL-U", "accuracy", parts,
        "the treebank's README and stats.xml at the commit named in the addresses; SHA-256 computed from the files",
        f"SHA-256 of {unknown} unknown: the first download is trusted" if unknown else "",
        "the same 1,000 sentences in every PUD treebank, to test on" if title.endswith("PUD") else "",
        task="pos",
    )  # fmt: skip


_XNLI_COUNTS = {"train": 392_702, "dev": 2490, "test": 5010}
_XNLI = DataSet(
    "xnli", "XNLI", "CC BY-NC 4.0",
    "Conneau et al. 2018, XNLI: Evaluating Cross-lingual Sentence Representations, D18-1269",
    "https://github.com/facebookresearch/XNLI", "Parquet", "accuracy",
    _hub_parts("xnli", "facebook/xnli", XNLI_LANGUAGES, dict.fromkeys(XNLI_LANGUAGES, _XNLI_COUNTS)),
    "the hub's pages (file names of ar, ru, tr and vi); counts from dataset_infos.json of Hugging Face datasets",
    "SHA-256 unknown and the address moves: the first download is trusted; the licence is from memory",
    f"dev and test were translated by people and premises repeat three times; train is MultiNLI, and its machine translations. A sweep "
    f"trains on dev where no target train part is named. {_PARQUET}",
    task="nli",
)  # fmt: skip

_PAWSX_FILES = {"train": "translated_train.tsv", "dev": "dev_2k.tsv", "test": "test_2k.tsv"}
_PAWSX_COUNTS = {"train": 49_401, "dev": 2000, "test": 2000}
_PAWSX = DataSet(
    "pawsx", "PAWS-X", "free for any purpose, acknowledgement of Google appreciated",
    "Yang et al. 2019, PAWS-X: A Cross-lingual Adversarial Dataset for Paraphrase Identification, arXiv:1908.11828",
    "https://github.com/google-research-datasets/paws/tree/master/pawsx", "TSV", "accuracy",
    tuple(
        Part(f"pawsx.{language}.{split}", "pawsx", split, language, _PAWSX_COUNTS[split], (_PAWSX_URL,), f"x-final/{member}",
             _PAWSX_SHA256, _PAWSX_BYTES, member)
        for language in PAWSX_LANGUAGES
        for split in _PAWSX_FILES
        for member in (f"x-final/{language}/{_PAWSX_FILES[split] if (language, split) != ('en', 'train') else 'train.tsv'}",)
    ),
    "dataset_infos.json of Hugging Face datasets (address, SHA-256, size, counts, licence)",
    "the archive's SHA-256 was not checked on the file; file names inside the archive from memory",
    "dev and test were translated by people, train by machine. A sweep trains on dev where no target train part is named. Some sentences "
    "were not translated (NS): they are counted; some rows lack a text or a label: --skip-bad leaves them out",
    task="paraphrase",
)  # fmt: skip

_SIB200 = DataSet(
    "sib200", "SIB-200, topics", "CC BY-SA 4.0 (texts of FLORES-200), code Apache-2.0",
    "Adelani et al. 2024, SIB-200: A Simple, Inclusive, and Big Evaluation Dataset for Topic Classification, arXiv:2309.07445",
    "https://github.com/dadelani/sib-200", "TSV", "accuracy", _listed()["sib200"], _FROM_FILES,
    "the licence of the texts is from memory",
    "the same 701, 99 and 204 sentences in every language, seven topics: source and target train part hold the same sentences. "
    f"{len(_listed()['sib200']) // 3} of its 205 languages are registered",
    task="topic",
)  # fmt: skip

TASK_SETS: tuple[DataSet, ...] = (
    _WIKIANN, _MASAKHANER, *(_treebank(name, *facts) for name, facts in _TREEBANKS.items()), _MASAKHAPOS, _XNLI, _PAWSX, _SIB200,
)  # fmt: skip

Defaults = dict[str, tuple[str, tuple[str, ...]]]


def _split_defaults(data_set: DataSet, train: str = "train") -> Defaults:
    """A set's own train (or other) part and test part for each of its languages."""
    return {code: (f"{data_set.name}.{code}.{train}", (f"{data_set.name}.{code}.test",)) for code in data_set.languages}


def _treebank_defaults() -> Defaults:
    """A language's treebank, and its PUD treebank as a second test set."""
    names = [name for name in _TREEBANKS if not name.endswith("_pud")]
    found: Defaults = {name.split("_")[1]: (f"{name}.train", (f"{name}.test",)) for name in names}
    for name in _TREEBANKS.keys() - set(names):
        train, tests = found[name.split("_")[1]]
        found[name.split("_")[1]] = (train, (*tests, f"{name}.test"))
    return found


TASK_DEFAULTS: dict[str, Defaults] = {
    "ner": _split_defaults(_MASAKHANER) | _split_defaults(_WIKIANN),
    "pos": _split_defaults(_MASAKHAPOS) | _treebank_defaults(),
    "nli": _split_defaults(_XNLI, "dev"),
    "paraphrase": _split_defaults(_PAWSX, "dev"),
    "topic": _split_defaults(_SIB200),
    "sentiment": {},
}
"""The target data of a language for each task where the command line names none: train part, test parts."""
