"""The extractive question answering sets that a cross-lingual study uses: `xlqa data list`.

Addresses are the makers' own where they still answer; every record says where its facts come from and which of them
nobody here has checked. A SHA-256 is given only where it was recorded from the makers' file; where it is None the first
download is trusted, recorded beside the file, and every later use is held against that.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from xlqa.errors import XlqaError
from xlqa.util.languages import LANGUAGE_NAMES

LANGUAGES = {
    code: LANGUAGE_NAMES[code]
    for code in (
        "ar", "bn", "de", "el", "en", "es", "fa", "fi", "fr", "hi", "id", "it", "ja", "ko", "ro", "ru", "sw", "te", "th",
        "tr", "vi", "zh",
    )
}  # fmt: skip
"""The languages of the registered sets, by ISO 639-1 code. Local files may be in any language."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of questions of a set.

    Attributes:
        name: what the command line calls it: "squad.train", "mlqa.zh.es".
        split: "train", "dev", "test" or "trial", as its makers call it.
        language: of the paragraphs, ISO 639-1; `question_language` where the questions are in another one.
        questions: how many the makers count, unanswerable ones included; None where nobody has said.
        urls: addresses of the same file, tried in turn; with `merge` the pieces of one set, all of them needed.
        sha256: of the file at `urls` (the archive, where it is one); None where unknown.
        size: its bytes; None where unknown.
        file: where the questions lie below the set's folder in the cache.
        member: the file's path inside the archive at `urls`, "" where that is no archive.
        pick: the language to pick out of a file that holds several.
        merge: whether `urls` are pieces to be joined.
    """

    name: str
    set_name: str
    split: str
    language: str
    questions: int | None
    urls: tuple[str, ...]
    file: str
    sha256: str | None = None
    size: int | None = None
    member: str = ""
    pick: str = ""
    merge: bool = False
    question_language: str = ""


@dataclass(frozen=True, slots=True)
class DataSet:
    """One published set.

    Attributes:
        scorer: its makers' scorer by `xlqa.tasks.qa.scorers`'s name; "mlqa" stands for "mlqa.<language of the paragraphs>".
        format: as `Reading.format` calls what the file is read as.
        facts: where addresses, counts and hashes were read.
        unverified: which facts of the record nobody here has checked against the makers' own file or word.
        on_request: how to get the set where its makers give it out on request only; then its parts have no address.
    """

    name: str
    title: str
    licence: str
    citation: str
    homepage: str
    format: str
    scorer: str
    parts: tuple[Part, ...]
    facts: str
    unverified: str = ""
    note: str = ""
    on_request: str = ""

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the paragraphs, sorted."""
        return tuple(sorted({part.language for part in self.parts}))

    @property
    def has_train(self) -> bool:
        """Whether there is a public train part."""
        return any(part.split == "train" for part in self.parts)


_HF = "dataset_infos.json of Hugging Face datasets (addresses, SHA-256, sizes, counts)"


def _part(name: str, language: str, questions: int | None, url: str, sha256: str | None = None, size: int | None = None,
          member: str = "") -> Part:  # fmt: skip
    """A part that is one file, or one member of an archive."""
    set_name, split = name.split(".")[0], name.split(".")[-1]
    file = _stem(url) + "/" + member if member else url.rstrip("/").rsplit("/", 1)[-1]
    return Part(name, set_name, split, language, questions, (url,), file, sha256, size, member)


def _stem(url: str) -> str:
    name = url.rsplit("/", 1)[-1]
    for suffix in (".tar.gz", ".tgz", ".tar", ".zip"):
        name = name.removesuffix(suffix)
    return name


_SQUAD = DataSet(
    "squad", "Stanford Question Answering Dataset 1.1", "CC BY-SA 4.0",
    "Rajpurkar et al. 2016, SQuAD: 100,000+ Questions for Machine Comprehension of Text, arXiv:1606.05250",
    "https://rajpurkar.github.io/SQuAD-explorer/", "squad-1.1", "squad",
    (
        _part("squad.train", "en", 87599, "https://rajpurkar.github.io/SQuAD-explorer/dataset/train-v1.1.json",
              "3527663986b8295af4f7fcdff1ba1ff3f72d07d61a20f487cb238a6ef92fd955", 30288272),
        _part("squad.dev", "en", 10570, "https://rajpurkar.github.io/SQuAD-explorer/dataset/dev-v1.1.json",
              "95aa6a52d5d6a735563366753ca50492a658031da74f301ac5238b03966972c9", 4854279),
    ),
    f"{_HF}; the dev file's SHA-256 and count were checked on the file itself",
    "the train file's SHA-256 was not checked on the file itself",
    "its test part was never published",
)  # fmt: skip

_SBERQUAD = DataSet(
    "sberquad", "SberQuAD", "none stated (Apache-2.0 according to some mirrors)",
    "Efimov et al. 2020, SberQuAD – Russian Reading Comprehension Dataset, arXiv:1912.09723",
    "https://github.com/sberbank-ai/data-science-journey-2017", "squad-1.1", "squad",
    (
        Part("sberquad.train", "sberquad", "train", "ru", 45328, ("https://sc.link/PNWl",), "sberquad-train.json",
             "861b55219f1549139e64b2eed325b54ce9c9c63b792a2c2b3cfbec997aa3d88e", 38616884),
        Part("sberquad.dev", "sberquad", "dev", "ru", 5036, ("https://sc.link/W6oX",), "sberquad-dev.json",
             "247bede36a27f076f607117632f39eedb9bb1d80c34d93bbfaeda71fd30fd382", 8807953),
    ),
    _HF,
    "whether the short links still answer; the licence; SHA-256 and counts were not checked on the files",
    "a third part of 23,936 questions has no public answers (judged by its size)",
)  # fmt: skip

_DRCD_URL = "https://raw.githubusercontent.com/DRCKnowledgeTeam/DRCD/master"
_DRCD = DataSet(
    "drcd", "Delta Reading Comprehension Dataset (traditional Chinese)", "CC BY-SA 3.0",
    "Shao et al. 2018, DRCD: a Chinese Machine Reading Comprehension Dataset, arXiv:1806.00920",
    "https://github.com/DRCKnowledgeTeam/DRCD", "squad-1.1", "drcd",
    (
        _part("drcd.train", "zh", 26936, f"{_DRCD_URL}/DRCD_training.json"),
        _part("drcd.dev", "zh", 3524, f"{_DRCD_URL}/DRCD_dev.json"),
        _part("drcd.test", "zh", 3493, f"{_DRCD_URL}/DRCD_test.json"),
    ),
    "the makers' README (licence, paper, format); file names from public code that uses them; dev and test counted",
    "SHA-256 unknown: the first download is trusted",
    "the makers published no script; the field reports character-level F1",
)  # fmt: skip

_XQUAD_FILES = {
    "ar": ("abdabd7afed5c635d99cca0f3f0d0c9d9ed0bc77451e963c2e4e0638c29e486d", 1582988),
    "de": ("990b5d746746ed65ed4702ea5f35f99ffa4e2f1c390c07d003642acd937916f9", 669810),
    "el": ("821cf0f88e73fa258fd2f548b19b6ec39f7025059e16f6f9fc8cd797c9c3663e", 1918889),
    "en": ("e4c57d1c9143aaa1c5d265ba5987a65f4e69528d2a98f29d6e75019b10344f29", 609383),
    "es": ("dcbae93ec3a9f4b9e78fd834a171d6f96c1a875e10e15b7530b7e4ef4971e37e", 684322),
    "hi": ("df2cce3532b37e9beb8979704b5c9a4bf874358f105395a298b89427b43b9d24", 1680538),
    "ro": ("94f8d54e93ad2b7dd2e76dd921a666b5b8eff2d4379df9f179c42b445f09643f", 661158),
    "ru": ("208d5b1aa154c52b1b5c5eda16281e455e8fd198cdb9af3f469f0d6037d973bf", 1896368),
    "th": ("5cdda11d0e1e075f7872abf4e6ae830388ce7f617964d542308e9ae4257e0f43", 1809143),
    "tr": ("92179a564774b7696100d144c1e10870d0a966b6fccbdd254a65b9d2ab1971cc", 729506),
    "vi": ("f619a1eb11fb42d3ab0834259e488a65f585447ef6154437bfb7199d85161a04", 911401),
    "zh": ("691d0b3359bc6b8faa8de931dfdfe21d50a65861ae348e32a0d1a0190b0c8835", 808652),
}
_XQUAD = DataSet(
    "xquad", "XQuAD", "CC BY-SA 4.0",
    "Artetxe et al. 2020, On the Cross-lingual Transferability of Monolingual Representations, arXiv:1910.11856",
    "https://github.com/google-deepmind/xquad", "squad-1.1", "squad",
    tuple(
        Part(f"xquad.{language}", "xquad", "test", language, 1190,
             (f"https://github.com/google-deepmind/xquad/raw/master/xquad.{language}.json",),
             f"xquad.{language}.json", sha256, size)
        for language, (sha256, size) in _XQUAD_FILES.items()
    ),
    f"{_HF}; SHA-256 and counts of en, es, ru and zh were checked on the files themselves",
    "SHA-256 of the other eight languages were not checked on the files",
    "no train part: 240 paragraphs of SQuAD's dev part, translated. Never train on SQuAD dev, nor on one of its "
    "languages, and test on another",
)  # fmt: skip

_MLQA_URL = "https://dl.fbaipublicfiles.com/MLQA/MLQA_V1.zip"
_MLQA_LANGUAGES = ("ar", "de", "en", "es", "hi", "vi", "zh")
_MLQA_COUNTS = {
    "ar ar": (5335, 517), "ar de": (1649, 207), "ar es": (1978, 161), "ar hi": (1831, 186), "ar vi": (2047, 163),
    "ar zh": (1912, 188), "de de": (4517, 512), "de es": (1776, 196), "de hi": (1430, 163), "de vi": (1675, 182),
    "de zh": (1621, 190), "en en": (11590, 1148), "es es": (5253, 500), "es hi": (1723, 187), "es vi": (2018, 189),
    "es zh": (1947, 161), "hi hi": (4918, 507), "hi vi": (1947, 177), "hi zh": (1767, 189), "vi vi": (5495, 511),
    "vi zh": (1943, 184), "zh zh": (5137, 504),
}  # fmt: skip
"""Questions of (test, dev) of each pair of languages; English pairs hold all questions of the other language."""


def _mlqa_count(context: str, question: str) -> tuple[int, int]:
    if "en" in (context, question) and context != question:
        other = question if context == "en" else context
        return _MLQA_COUNTS[f"{other} {other}"]
    first, second = sorted((context, question))
    return _MLQA_COUNTS[f"{first} {second}"]


def _mlqa_parts() -> Iterable[Part]:
    for context in _MLQA_LANGUAGES:
        for question in _MLQA_LANGUAGES:
            counts = dict(zip(("test", "dev"), _mlqa_count(context, question), strict=True))
            for split, count in counts.items():
                member = f"MLQA_V1/{split}/{split}-context-{context}-question-{question}.json"
                name = f"mlqa.{context}.{question}" + ("" if split == "test" else ".dev")
                yield Part(
                    name, "mlqa", split, context, count, (_MLQA_URL,), f"MLQA_V1/{member}",
                    "246e8089933d13007fe80684d5c5c0713d6834cf8b3b4a0ec7c66f0a0d2baac8", 75719050, member,
                    question_language=question,
                )  # fmt: skip


_MLQA = DataSet(
    "mlqa", "MLQA", "CC BY-SA 3.0",
    "Lewis et al. 2020, MLQA: Evaluating Cross-lingual Extractive Question Answering, arXiv:1910.07475",
    "https://github.com/facebookresearch/MLQA", "squad-1.1", "mlqa", tuple(_mlqa_parts()),
    f"{_HF}; file names inside the archive from their loading script; licence and en.en from the makers' README",
    "the archive's SHA-256 was not checked on the file (the makers' README counts 5,254 questions in es.es, one more)",
    "no train part: made for zero-shot. mlqa.zh.es has Chinese paragraphs and Spanish questions",
)  # fmt: skip

TYDIQA_LANGUAGES = {
    "ar": "arabic", "bn": "bengali", "en": "english", "fi": "finnish", "id": "indonesian", "ja": "japanese",
    "ko": "korean", "ru": "russian", "sw": "swahili", "te": "telugu", "th": "thai",
}  # fmt: skip
_TYDIQA_URL = "https://storage.googleapis.com/tydiqa/v1.1/tydiqa-goldp-v1.1-{split}.json"
_TYDIQA_FILES = {
    "train": ("cefc8e09ff2548d9b10a678d3a6bbbe5bc036be543f92418819ea676c97be23b", 58004076),
    "dev": ("b286e0f34bc7f52259359989716f369b160565bd12ad8f3a3e311f9b0dbad1c0", 5617409),
}
_TYDIQA_COUNTS = {
    "ar": (14805, 921), "bn": (2390, 113), "en": (3696, 440), "fi": (6855, 782), "id": (5702, 565),
    "ko": (1625, 276), "ru": (6490, 812), "sw": (2755, 499), "te": (5563, 669),
}  # fmt: skip
_TYDIQA = DataSet(
    "tydiqa", "TyDi QA, gold passage task", "Apache-2.0",
    "Clark et al. 2020, TyDi QA: A Benchmark for Information-Seeking Question Answering in Typologically Diverse "
    "Languages, arXiv:2003.05002",
    "https://github.com/google-research-datasets/tydiqa", "tydiqa-goldp", "squad",
    tuple(
        Part(f"tydiqa.{language}.{split}", "tydiqa", split, language, count, (_TYDIQA_URL.format(split=split),),
             f"tydiqa.{language}.{split}.json", *_TYDIQA_FILES[split], pick=language)
        for language, counts in _TYDIQA_COUNTS.items()
        for split, count in zip(("train", "dev"), counts, strict=True)
    ),
    f"{_HF}; the counts per language sum to theirs (49,881 and 5,077); sw train and dev and ru dev were counted",
    "SHA-256 not checked on the files",
    "one file holds all languages; each is picked out of it. Official splits share paragraphs: in Swahili 94 of 499 "
    "dev questions have theirs in train",
)  # fmt: skip

_CMRC_URL = "https://raw.githubusercontent.com/ymcui/cmrc2018/master/squad-style-data"
_CODALAB_URL = "https://worksheets.codalab.org/rest/bundles/{bundle}/contents/blob/"


def _cmrc(split: str, questions: int, bundle: str, sha256: str, size: int) -> Part:
    file = f"cmrc2018_{split}.json"
    urls = (f"{_CMRC_URL}/{file}", _CODALAB_URL.format(bundle=bundle))
    return Part(f"cmrc2018.{split}", "cmrc2018", split, "zh", questions, urls, file, sha256, size)


_CMRC = DataSet(
    "cmrc2018", "CMRC 2018 (simplified Chinese)", "CC BY-SA 4.0",
    "Cui et al. 2019, A Span-Extraction Dataset for Chinese Machine Reading Comprehension, D19-1600",
    "https://github.com/ymcui/cmrc2018", "squad-1.1", "cmrc",
    (
        _cmrc("train", 10142, "0x15022f0c4d3944a599ab27256686b9ac",
              "5497aa2f81908e31d6b0e27d99b1f90ab63a8f58fa92fffe5d17cf62eba0c212", 7408757),
        _cmrc("dev", 3219, "0x72252619f67b4346a85e122049c3eabd",
              "e9ff74231f05c230c6fa88b84441ee334d97234cbb610991cd94b82db00c7f1f", 3299139),
        _cmrc("trial", 1002, "0x182c2e71fac94fc2a45cc1a3376879f7",
              "f3fae95b57da8e03afb2b57467dd221417060ef4d82db13bf22fc88589f3a6f3", 800221),
    ),
    f"{_HF}, from CodaLab; the trial file's SHA-256 and count were checked on the file itself",
    "that the files at GitHub are the same bytes (a file that differs is refused); the licence is from memory",
    "what Hugging Face calls its test part is the trial part: two of its questions are empty and five starts count "
    "UTF-16 units (--skip-bad). The real test part is not public",
)  # fmt: skip

_KORQUAD = DataSet(
    "korquad", "KorQuAD 1.0", "CC BY-ND 2.0 KR",
    "Lim et al. 2019, KorQuAD1.0: Korean QA Dataset for Machine Reading Comprehension, arXiv:1909.07005",
    "https://korquad.github.io/KorQuad%201.0/", "squad-1.1", "korquad",
    (
        _part("korquad.train", "ko", 60407, "https://korquad.github.io/dataset/KorQuAD_v1.0_train.json",
              "40d5115879a701751781df721d901abfa736d8db5f89000f2619433f39bf2dd2", 38527475),
        _part("korquad.dev", "ko", 5774, "https://korquad.github.io/dataset/KorQuAD_v1.0_dev.json",
              "25ffeb51e6c51ec02c071b60a10188e10005c144110f0d876b26079d80a35bdf", 3881058),
    ),
    _HF, "SHA-256 and counts were not checked on the files", "its test part was never published",
)  # fmt: skip

_JAQUAD_URL = "https://raw.githubusercontent.com/SkelterLabsInc/JaQuAD/23f5d72cc273c49b35e2d9efe0f51757aa1770bd/data"


def _jaquad(split: str, questions: int, pieces: int) -> Part:
    urls = tuple(f"{_JAQUAD_URL}/{split}/jaquad_{split}_{piece:04d}.json" for piece in range(pieces))
    return Part(f"jaquad.{split}", "jaquad", split, "ja", questions, urls, f"jaquad_{split}.json", merge=True)


_JAQUAD = DataSet(
    "jaquad", "JaQuAD", "CC BY-SA 3.0",
    "So et al. 2022, JaQuAD: Japanese Question Answering Dataset for Machine Reading Comprehension, arXiv:2202.01764",
    "https://github.com/SkelterLabsInc/JaQuAD", "squad-1.1", "jaquad",
    (_jaquad("train", 31748, 30), _jaquad("dev", 3939, 4)),
    "the makers' README (licence, counts) and file list at the commit named in the addresses; both parts counted",
    "SHA-256 unknown (30 and 4 pieces, joined in order): the first download is trusted",
    "its test part is not public",
)  # fmt: skip

_GERMANQUAD_URL = "https://huggingface.co/datasets/deepset/germanquad/resolve/refs%2Fconvert%2Fparquet/plain_text"
_GERMANQUAD = DataSet(
    "germanquad", "GermanQuAD", "CC BY 4.0",
    "Möller et al. 2021, GermanQuAD and GermanDPR, arXiv:2104.12741",
    "https://www.deepset.ai/germanquad", "parquet", "squad",
    (
        Part("germanquad.train", "germanquad", "train", "de", 11518, (f"{_GERMANQUAD_URL}/train/0000.parquet",),
             "germanquad-train.parquet", "319334092605ed9ade8a1e6535584debb2e99def474697417a06ad4a455bf0ec"),
        Part("germanquad.test", "germanquad", "test", "de", 2204, (f"{_GERMANQUAD_URL}/test/0000.parquet",),
             "germanquad-test.parquet"),
    ),
    "counts from the model cards of its makers; the train file's SHA-256 as others recorded it in 2026",
    "SHA-256 of the test file unknown; neither file was read here",
    "the makers' archive (germanquad.s3.amazonaws.com) no longer answers: these are the hub's Parquet copies, which "
    "need pyarrow: pip install 'xlqa[parquet]'",
)  # fmt: skip

_FQUAD = DataSet(
    "fquad", "FQuAD", "CC BY-NC-SA 3.0",
    "d'Hoffschmidt et al. 2020, FQuAD: French Question Answering Dataset, arXiv:2002.06071",
    "https://fquad.illuin.tech/", "squad-1.1", "squad",
    (
        Part("fquad.train", "fquad", "train", "fr", 20731, (), "train.json"),
        Part("fquad.dev", "fquad", "dev", "fr", 3188, (), "valid.json"),
    ),
    "licence and counts from data set cards of others",
    "nothing was checked on the files; the makers' script also drops French articles, which `squad` does not",
    on_request="its makers give it out on request: fill in the form at https://fquad.illuin.tech, then name the file",
)  # fmt: skip

_SQUAD_IT = DataSet(
    "squad_it", "SQuAD-it", "CC BY-SA 4.0",
    "Croce et al. 2018, Neural Learning for Question Answering in Italian, AI*IA 2018",
    "https://github.com/crux82/squad-it", "squad-1.1", "squad",
    (
        _part("squad_it.train", "it", 54159, "https://github.com/crux82/squad-it/raw/master/SQuAD_it-train.json.gz",
              "75d4d2832961f7a0f76a43d7e919e56a880ccc55de434ec90ae82cd67bec5d25", 7725286),
        _part("squad_it.test", "it", 7609, "https://github.com/crux82/squad-it/raw/master/SQuAD_it-test.json.gz",
              "25986c617cc7d58e82e916755b8a5684e5efae69835332858a6534a304cd293c", 1051245),
    ),
    _HF, "SHA-256 and counts were not checked on the files; the licence is from memory",
    "machine translation of SQuAD 1.1, revised by rules: its train part is English SQuAD again",
)  # fmt: skip

_SQUAD_ES_URL = "https://raw.githubusercontent.com/ccasimiro88/TranslateAlignRetrieve/master/SQuAD-es-v1.1"
_SQUAD_ES = DataSet(
    "squad_es", "SQuAD-es 1.1", "CC BY 4.0",
    "Carrino et al. 2020, Automatic Spanish Translation of the SQuAD Dataset for Multilingual Question Answering, "
    "arXiv:1912.05200",
    "https://github.com/ccasimiro88/TranslateAlignRetrieve", "squad-1.1", "squad",
    (
        _part("squad_es.train", "es", 87595, f"{_SQUAD_ES_URL}/train-v1.1-es.json",
              "196cfa14b6ba7d903f02e6edc20485bb959b72c965b6a2d6883b8ffd74dc2c3b", 33946311),
        _part("squad_es.dev", "es", 10570, f"{_SQUAD_ES_URL}/dev-v1.1-es.json",
              "969c846df740ee2725ac23b4d2882a58ef19a4c696767b306227c243ed99f461", 5345051),
    ),
    _HF, "SHA-256 and counts were not checked on the files; the licence is from memory",
    "machine translation of SQuAD 1.1: its train part is English SQuAD again",
)  # fmt: skip

_ARCD_URL = "https://raw.githubusercontent.com/husseinmozannar/SOQAL/master/data"
_ARCD = DataSet(
    "arcd", "Arabic Reading Comprehension Dataset", "MIT",
    "Mozannar et al. 2019, Neural Arabic Question Answering, W19-4612",
    "https://github.com/husseinmozannar/SOQAL", "squad-1.1", "squad",
    (
        _part("arcd.train", "ar", 693, f"{_ARCD_URL}/arcd-train.json",
              "6a973fda9f0b066e0547a85a3396e7294fa917e24b6efd7ce430769033a6ce15", 939840),
        _part("arcd.test", "ar", 702, f"{_ARCD_URL}/arcd-test.json",
              "b4ba4fb4227841bbce71e01b3eaecb33e9f17a08cde1ec91e5bc335da2c75135", 1002559),
    ),
    _HF, "SHA-256 and counts were not checked on the files; the licence is from memory",
    "Hugging Face calls its test part validation",
)  # fmt: skip

_IAPP_URL = "https://github.com/iapp-technology/iapp-wiki-qa-dataset/raw/main/squad_format/data.zip"
_IAPP_SHA256, _IAPP_SIZE = "a3530ceafd3b39757fc9720ee0e04f1454e6775bec0c8641964427567fafb214", 2876630
_IAPP = DataSet(
    "iapp_wiki_qa", "iapp-wiki-qa (Thai)", "MIT",
    "Viriyayudhakorn and Polpanumas 2021, iapp_wiki_qa_squad, doi:10.5281/zenodo.4539916",
    "https://github.com/iapp-technology/iapp-wiki-qa-dataset", "jsonl", "characters",
    (
        _part("iapp_wiki_qa.train", "th", 5761, _IAPP_URL, _IAPP_SHA256, _IAPP_SIZE, "data/train.jsonl"),
        _part("iapp_wiki_qa.dev", "th", 742, _IAPP_URL, _IAPP_SHA256, _IAPP_SIZE, "data/valid.jsonl"),
        _part("iapp_wiki_qa.test", "th", 739, _IAPP_URL, _IAPP_SHA256, _IAPP_SIZE, "data/test.jsonl"),
    ),
    f"{_HF}; file names inside the archive from their loading script; the makers' licence file",
    "SHA-256 and counts were not checked on the file",
    "its makers count words cut by a Thai word cutter; here characters are counted",
)  # fmt: skip

_PQUAD_URL = "https://raw.githubusercontent.com/AUT-NLP/PQuAD/main/Dataset"
_PQUAD = DataSet(
    "pquad", "PQuAD", "CC BY-SA 4.0",
    "Darvishi et al. 2023, PQuAD: A Persian Question Answering Dataset, arXiv:2202.06219",
    "https://github.com/AUT-NLP/PQuAD", "squad-2.0", "squad2",
    (
        _part("pquad.train", "fa", 63994, f"{_PQUAD_URL}/Train.json"),
        Part("pquad.dev", "pquad", "dev", "fa", 7976, (f"{_PQUAD_URL}/Validation.json",), "Validation.json"),
        _part("pquad.test", "fa", 8002, f"{_PQUAD_URL}/Test.json"),
    ),
    "the makers' README (licence, counts); file names from a loading script that uses them; the beginning of the dev file "
    "was read",
    "SHA-256 unknown: the first download is trusted",
    "a quarter of the questions is unanswerable and kept apart",
)  # fmt: skip

_TQUAD_URL = "https://raw.githubusercontent.com/TQuad/turkish-nlp-qa-dataset/master"
_TQUAD = DataSet(
    "tquad", "TQuAD", "none stated", "Teknofest 2018, Turkish NLP Q&A Dataset (history of science)",
    "https://github.com/TQuad/turkish-nlp-qa-dataset", "squad-1.1", "squad",
    (
        _part("tquad.train", "tr", 8308, f"{_TQUAD_URL}/train-v0.1.json"),
        _part("tquad.dev", "tr", 892, f"{_TQUAD_URL}/dev-v0.1.json"),
    ),
    "the makers' README (counts) and file list; the beginning of the dev file was read",
    "SHA-256 unknown: the first download is trusted; the branch's name",
    "starts are written as text and ids as numbers: both are repaired",
)  # fmt: skip

SETS: tuple[DataSet, ...] = (
    _SQUAD, _SBERQUAD, _DRCD, _XQUAD, _MLQA, _TYDIQA, _CMRC, _KORQUAD, _JAQUAD, _GERMANQUAD, _FQUAD, _SQUAD_IT,
    _SQUAD_ES, _ARCD, _IAPP, _PQUAD, _TQUAD,
)  # fmt: skip

_DEFAULTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ar": ("tydiqa.ar.train", ("tydiqa.ar.dev", "xquad.ar")),
    "bn": ("tydiqa.bn.train", ("tydiqa.bn.dev",)),
    "de": ("germanquad.train", ("germanquad.test", "xquad.de")),
    "el": ("", ("xquad.el",)),
    "en": ("squad.train", ("squad.dev",)),
    "es": ("squad_es.train", ("xquad.es", "mlqa.es.es")),
    "fa": ("pquad.train", ("pquad.test",)),
    "fi": ("tydiqa.fi.train", ("tydiqa.fi.dev",)),
    "fr": ("fquad.train", ("fquad.dev",)),
    "hi": ("", ("xquad.hi", "mlqa.hi.hi")),
    "id": ("tydiqa.id.train", ("tydiqa.id.dev",)),
    "it": ("squad_it.train", ("squad_it.test",)),
    "ja": ("jaquad.train", ("jaquad.dev",)),
    "ko": ("korquad.train", ("korquad.dev",)),
    "ro": ("", ("xquad.ro",)),
    "ru": ("sberquad.train", ("sberquad.dev", "xquad.ru")),
    "sw": ("tydiqa.sw.train", ("tydiqa.sw.dev",)),
    "te": ("tydiqa.te.train", ("tydiqa.te.dev",)),
    "th": ("iapp_wiki_qa.train", ("iapp_wiki_qa.test", "xquad.th")),
    "tr": ("tquad.train", ("tquad.dev", "xquad.tr")),
    "vi": ("", ("xquad.vi", "mlqa.vi.vi")),
    "zh": ("drcd.train", ("drcd.test", "xquad.zh")),
}
"""The target data of a language where the command line names none: train part ("" where none is public), test parts."""


@cache
def _parts() -> dict[str, Part]:
    return {part.name: part for data_set in SETS for part in data_set.parts}


@cache
def _sets() -> dict[str, DataSet]:
    return {data_set.name: data_set for data_set in SETS}


def part_names() -> tuple[str, ...]:
    """Every registered part's name, in the registry's order."""
    return tuple(_parts())


def find_set(name: str) -> DataSet:
    """The set of that name, or the set that a part of that name belongs to.

    Raises:
        XlqaError: unknown; near matches are named.
    """
    found = _sets().get(name) or _sets().get(name.split(".")[0] if name in _parts() else "")
    if found is None:
        raise XlqaError(f'"{name}" is no registered set{_did_you_mean(name, _sets())}: see `xlqa data list`.')
    return found


def find_part(name: str) -> Part:
    """The part of that name.

    Raises:
        XlqaError: unknown; near matches are named, or the parts of the set of that name.
    """
    part = _parts().get(name)
    if part is None:
        raise XlqaError(unknown_part(name))
    return part


def unknown_part(name: str, others: Iterable[str] = ()) -> str:
    """What to say where a name is no registered part; `others` are names that would also have done."""
    if name in _sets():
        names = [part.name for part in _sets()[name].parts]
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        return f'"{name}" is a set of several parts: name one of {shown}.'
    hint = _did_you_mean(name, [*_parts(), *others])
    return f'"{name}" is neither a file here nor a registered set{hint}: give a file, or see `xlqa data list`.'


def part_scorer(part: Part) -> str:
    """Name of the makers' scorer for a part."""
    scorer = find_set(part.set_name).scorer
    return f"mlqa.{part.language}" if scorer == "mlqa" else scorer


def default_role(name: str) -> str:
    """What a sweep does with a part where no data set is named: "train", "test" or ""."""
    language = find_part(name).language
    train, tests = _defaults(language)
    return "train" if name == train else "test" if name in tests else ""


def known_languages() -> tuple[str, ...]:
    """ISO 639-1 codes of the languages that have registered sets."""
    return tuple(sorted(_DEFAULTS))


def default_train(language: str) -> str:
    """Name of the part that a sweep trains on where none is named.

    Raises:
        XlqaError: unknown language, or no public train part: the message says so and how to go on.
    """
    train = _defaults(language)[0]
    if not train:
        raise XlqaError(
            f"{LANGUAGES[language]} ({language}) has no registered set with a public train part "
            f"(to test on: {', '.join(default_tests(language))}): give --target-train FILE."
        )
    return train


def default_tests(language: str) -> tuple[str, ...]:
    """Names of the parts that a sweep tests on where none is named.

    Raises:
        XlqaError: unknown language.
    """
    return _defaults(language)[1]


def _defaults(language: str) -> tuple[str, tuple[str, ...]]:
    found = _DEFAULTS.get(language)
    if found is None:
        hint = _did_you_mean(language, _DEFAULTS, LANGUAGES)
        raise XlqaError(
            f'"{language}" is no language with registered sets{hint} (there are {", ".join(known_languages())}): '
            "give --target-train and --target-test files."
        )
    return found


def _did_you_mean(name: str, names: Iterable[str], spoken: dict[str, str] | None = None) -> str:
    by_name = {full.lower(): code for code, full in (spoken or {}).items()}
    if name.lower() in by_name:
        return f' (did you mean "{by_name[name.lower()]}"?)'
    near = difflib.get_close_matches(name.lower(), list(names), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(near)}?)" if near else ""
