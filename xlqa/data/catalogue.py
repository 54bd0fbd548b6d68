"""The records of the registered data sets: addresses, SHA-256, counts, licences. `xlqa.data.registry` looks them up.

Addresses are the makers' own where they still answer. Every record states where its facts come from and which of them
nobody here has checked. A SHA-256 is given only where it was computed from the makers' file; where it is None the first
download is trusted, recorded beside the file, and every later use is checked against that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xlqa.util.languages import LANGUAGE_NAMES

LANGUAGES = {
    code: LANGUAGE_NAMES[code]
    for code in (
        "ar", "bg", "bn", "da", "de", "el", "en", "es", "fa", "fi", "fr", "ha", "he", "hi", "id", "ig", "it", "ja", "kk", "ko",
        "no", "pcm", "pl", "pt", "ro", "ru", "rw", "sn", "sv", "sw", "te", "th", "tr", "ur", "vi", "wo", "xh", "yo", "zh", "zu",
    )
}  # fmt: skip
"""The languages of the registered sets of all tasks, by ISO 639-1 code, ISO 639-3 where there is none. Local files may be in any language."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of questions of a set.

    Attributes:
        name: what the command line calls it: "squad.train", "mlqa.zh.es".
        split: "train", "dev", "test" or "trial", as its makers call it.
        language: of the paragraphs, ISO 639-1; `question_language` where the questions are in another one.
        questions: how many the makers count, unanswerable ones included, or sentences or pairs of other tasks; None if they state none.
        urls: addresses of the same file, tried in turn; with `merge` the pieces of one set, all of them needed.
        sha256: of the file at `urls` (the archive, where it is one); None where unknown.
        file_sha256: of the questions' file, where that is not the file at `urls`; None where unknown.
        size: its bytes; None where unknown.
        file: path of the questions below the set's folder in the cache.
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
    file_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class DataSet:
    """One published set.

    Attributes:
        scorer: the rules of published figures, its makers' where they published a script, by `xlqa.tasks.qa.scorers`'s name;
            "mlqa" means "mlqa.<language of the paragraphs>".
        format: as `Reading.format` calls what the file is read as.
        facts: where addresses, counts and hashes were read.
        unverified: which facts of the record nobody here has checked against the makers' own file or word.
        on_request: how to get the set where its makers give it out on request only; then its parts have no address.
        task: what it is for, as `--task` names it.
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
    task: str = "qa"

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
    "a third part of 23,936 questions has no public answers (judged by its size). Where the short links do not answer, the "
    "hub has a copy in other files: https://huggingface.co/datasets/kuznetsoffandrey/sberquad (folder data); download it "
    "there and name the file",
)  # fmt: skip

_DRCD_URL = "https://raw.githubusercontent.com/DRCKnowledgeTeam/DRCD/master"
_DRCD = DataSet(
    "drcd", "Delta Reading Comprehension Dataset (traditional Chinese)", "CC BY-SA 3.0",
    "Shao et al. 2018, DRCD: a Chinese Machine Reading Comprehension Dataset, arXiv:1806.00920",
    "https://github.com/DRCKnowledgeTeam/DRCD", "squad-1.1", "drcd",
    (
        _part("drcd.train", "zh", 26936, f"{_DRCD_URL}/DRCD_training.json"),
        _part("drcd.dev", "zh", 3524, f"{_DRCD_URL}/DRCD_dev.json",
              "e236df03861ba241bd7b29628cd48b3b8e339c60137e041a4358b5320ed61928", 2184379),
        _part("drcd.test", "zh", 3493, f"{_DRCD_URL}/DRCD_test.json",
              "d9de0b4d247a8391ac8daee6c02c2c8272b75562a1e2377b50ae04ecc09a7438", 2125600),
    ),
    "the makers' README (licence, paper, format); SHA-256 and counts of dev and test computed from the makers' files",
    "the train file's SHA-256 is unknown: the first download is trusted",
    "scored by `drcd`, the rules of CMRC 2018's script, under which figures are published; the makers' own rules, stated in "
    "issue 6 of their repository, are the scorer `drcd-makers`",
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
    f"{_HF}; SHA-256 and counts of all twelve languages were checked on the files themselves",
    "",
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
    f"{_HF}, from CodaLab; SHA-256 and counts of dev and trial were checked on the files at GitHub; the licence from the "
    "makers' licence file",
    "the train file's SHA-256 was not checked on the file",
    "what Hugging Face calls its test part is the trial part: two of its questions are empty (they count in scores) and five "
    "starts count UTF-16 units. The real test part is not public",
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


def _jaquad(split: str, questions: int, pieces: int, file_sha256: str) -> Part:
    urls = tuple(f"{_JAQUAD_URL}/{split}/jaquad_{split}_{piece:04d}.json" for piece in range(pieces))
    name, file = f"jaquad.{split}", f"jaquad_{split}.json"
    return Part(name, "jaquad", split, "ja", questions, urls, file, merge=True, file_sha256=file_sha256)


_JAQUAD = DataSet(
    "jaquad", "JaQuAD", "CC BY-SA 3.0",
    "So et al. 2022, JaQuAD: Japanese Question Answering Dataset for Machine Reading Comprehension, arXiv:2202.01764",
    "https://github.com/SkelterLabsInc/JaQuAD", "squad-1.1", "jaquad",
    (
        _jaquad("train", 31748, 30, "4cac9ee80a518c3b48f2f2c7bcd186a47a24d46e0bd6219c83ee0d04a4c392a2"),
        _jaquad("dev", 3939, 4, "c90bd54c6d3af98dd16aaa7b6426074fb9ef1214ea6c35297b757f3ec1ce0b96"),
    ),
    "the makers' README (licence, counts) and file list at the commit named in the addresses; both parts joined from the "
    "makers' pieces, counted and hashed",
    "",
    "its test part is not public",
)  # fmt: skip

_GERMANQUAD_URL = (
    "https://huggingface.co/datasets/deepset/germanquad/resolve/a2f3a59f0be843fc305d0417d7292ef0b1a66884/plain_text"
)
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
    f"{_HF}; SHA-256 and count of the test file were checked on the file itself",
    "SHA-256 and count of the train file were not checked; the licence is from memory",
    "machine translation of SQuAD 1.1, revised by rules: its train part is English SQuAD again. One test question has empty "
    "answers only: it counts in scores, as in the official script",
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
        Part("pquad.dev", "pquad", "dev", "fa", 7976, (f"{_PQUAD_URL}/Validation.json",), "Validation.json",
             "56bda77e921c233236ce960c12ac6d99aa6a4a6d7706573e885842d37ab67396", 3487669),
        _part("pquad.test", "fa", 8002, f"{_PQUAD_URL}/Test.json",
              "50da77a97ddaf1fc6fb298c6591dbc2ec3e070cb5216419740a511cbd1ccc054", 3450696),
    ),
    "the makers' README (licence, counts) and file list; SHA-256 and counts of dev and test computed from the makers' files",
    "the train file's SHA-256 is unknown: the first download is trusted",
    "a quarter of the questions is unanswerable and kept apart (1,914 of the test part's)",
)  # fmt: skip

_TQUAD_URL = "https://raw.githubusercontent.com/TQuad/turkish-nlp-qa-dataset/master"
_TQUAD = DataSet(
    "tquad", "TQuAD", "none stated", "Teknofest 2018, Turkish NLP Q&A Dataset (history of science)",
    "https://github.com/TQuad/turkish-nlp-qa-dataset", "squad-1.1", "squad",
    (
        _part("tquad.train", "tr", 8308, f"{_TQUAD_URL}/train-v0.1.json",
              "a1033c237665c680cdf1e2071b39c9c1ca3d4287e2de460530abe519c5f70ddc", 3078146),
        _part("tquad.dev", "tr", 892, f"{_TQUAD_URL}/dev-v0.1.json",
              "1a42c8b00222db18331cbaa5b20d3f21c29196c46892e9602cc9a2a9b6b819b2", 458494),
    ),
    "the makers' README and file list; SHA-256 and counts computed from the makers' files",
    "the branch's name",
    "starts are written as text and ids as numbers: both are repaired. The parts overlap: 260 of 892 dev questions have their "
    "paragraph in train, and 643 of 8,308 train questions repeat an earlier one",
)  # fmt: skip

# --- Sets of single languages, from their makers' repositories and hub pages -------------------------------------------


def _raw(repository: str, commit: str, path: str) -> str:
    """The address of a file of a GitHub repository at a commit."""
    return f"https://raw.githubusercontent.com/{repository}/{commit}/{path}"


def dataset_address(repository: str, revision: str, path: str) -> str:
    """The address of a file of a data set on the hub at a revision."""
    return f"https://huggingface.co/datasets/{repository}/resolve/{revision}/{path}"


_PIAF = DataSet(
    "piaf", "PIAF (French)", "MIT",
    "Keraron et al. 2020, Project PIAF: Building a Native French Question-Answering Dataset, LREC 2020",
    "https://huggingface.co/datasets/AgentPublic/piaf", "parquet", "squad",
    (
        Part("piaf.train", "piaf", "train", "fr", 3835,
             (dataset_address("AgentPublic/piaf", "main", "plain_text/train-00000-of-00001.parquet"),), "piaf-train.parquet"),
    ),
    "the hub's card (licence, count)",
    "SHA-256 unknown and the address moves: the first download is trusted; the file's name follows the card's pattern",
    "one part only. Parquet needs pyarrow: pip install 'xlqa[parquet]'",
)  # fmt: skip

_SQAC_COMMIT = "c14d01b5a20336a7466b1b0ccb72fc05ac4849bd"
_SQAC = DataSet(
    "sqac", "Spanish Question Answering Corpus", "CC BY-SA 4.0",
    "Gutiérrez-Fandiño et al. 2022, MarIA: Spanish Language Models, arXiv:2107.07253",
    "https://huggingface.co/datasets/PlanTL-GOB-ES/SQAC", "squad-1.1", "squad",
    tuple(
        Part(f"sqac.{split}", "sqac", split, "es", None, (dataset_address("PlanTL-GOB-ES/SQAC", _SQAC_COMMIT, f"{split}.json"),),
             f"sqac-{split}.json")
        for split in ("train", "dev", "test")
    ),
    "the hub's card (licence) and file list at the commit named in the addresses",
    "SHA-256 and counts unknown: the first download is trusted; the citation is from memory",
    "written in Spanish, not translated",
)  # fmt: skip

_VIQUAD = DataSet(
    "viquad", "UIT-ViQuAD 2.0 (Vietnamese)", "none stated",
    "Nguyen et al. 2022, VLSP 2021 - ViMRC Challenge: Vietnamese Machine Reading Comprehension, arXiv:2203.11400",
    "https://huggingface.co/datasets/taidng/UIT-ViQuAD2.0", "parquet", "squad2",
    tuple(
        Part(f"viquad.{split}", "viquad", split, "vi", None,
             (dataset_address("taidng/UIT-ViQuAD2.0", "main", f"data/{file}-00000-of-00001.parquet"),), f"viquad-{split}.parquet")
        for split, file in (("train", "train"), ("dev", "validation"))
    ),
    "the hub's page (parts: 28.5k, 3.81k and 7.3k questions); a copy that others made",
    "SHA-256 unknown and the address moves: the first download is trusted; file names follow the hub's usual pattern",
    "with unanswerable questions, which are kept apart; the answers of its test part are not public. Parquet needs pyarrow: "
    "pip install 'xlqa[parquet]'",
)  # fmt: skip

_SCANDIQA_COMMIT = "878f599a753a6e547962d3c61ea3392493cb569b"
_SCANDIQA = DataSet(
    "scandiqa", "ScandiQA (Danish, Norwegian, Swedish)", "CC BY-SA 4.0",
    "Nielsen 2023, ScandEval: A Benchmark for Scandinavian Natural Language Processing, arXiv:2304.00906",
    "https://huggingface.co/datasets/alexandrainst/scandi-qa", "parquet", "squad",
    tuple(
        Part(f"scandiqa.{language}.{split}", "scandiqa", split, language, count,
             (dataset_address("alexandrainst/scandi-qa", _SCANDIQA_COMMIT, f"{language}/{folder}/0000.parquet"),),
             f"scandiqa-{language}-{split}.parquet")
        for language in ("da", "no", "sv")
        for split, folder, count in (("train", "train", None), ("dev", "val", 500), ("test", "test", 500))
    ),
    "the hub's pages (licence, counts of dev and test, file list at the commit named in the addresses)",
    "SHA-256 unknown: the first download is trusted",
    "machine translation of questions of MKQA on Wikipedia of each language. Parquet needs pyarrow: pip install "
    "'xlqa[parquet]'",
)  # fmt: skip

_NORQUAD_COMMIT = "701f7db6a51f0264a282ce1ff8e59580251b391e"
_NORQUAD = DataSet(
    "norquad", "NorQuAD (Norwegian)", "CC0 1.0",
    "Ivanova et al. 2023, NorQuAD: Norwegian Question Answering Dataset, NoDaLiDa 2023",
    "https://github.com/ltgoslo/NorQuAD", "squad-2.0", "squad",
    tuple(
        Part(f"norquad.{split}", "norquad", split, "no", count,
             (_raw("ltgoslo/NorQuAD", _NORQUAD_COMMIT, f"data/evaluation/all/{file}_dataset_flattened.json"),),
             f"norquad-{split}.json", sha256, size)
        for split, file, count, sha256, size in (
            ("train", "training", None, None, None),
            ("dev", "validation", 472, "36b968ce4e48661b31acad17a3df8342f2acf9769ace391d253b8e35a6cea471", 1510898),
            ("test", "test", 472, "aa83a0167ca95c9f7da6e06879334183a87f86233598e058de65aceac4553a7b", 1526389),
        )
    ),
    "the makers' licence file and file list; SHA-256 and counts of dev and test computed from the makers' files",
    "SHA-256 and count of the train file are unknown: the first download is trusted",
    "some questions of dev and test share an id",
)  # fmt: skip

_KAZQAD_COMMIT = "ab8684a667109f2a7345f4f89ab3b123e8d78e1f"
_KAZQAD = DataSet(
    "kazqad", "KazQAD, reading comprehension (Kazakh)", "CC BY-SA 4.0",
    "Yeshpanov et al. 2024, KazQAD: Kazakh Open-Domain Question Answering Dataset, arXiv:2404.04487",
    "https://github.com/IS2AI/KazQAD", "jsonl", "squad",
    tuple(
        Part(f"kazqad.{split}", "kazqad", split, "kk", count,
             (_raw("IS2AI/KazQAD", _KAZQAD_COMMIT,
                   f"data/reading-comprehension/kazqad-reading-comprehension-v1.0-kk-{file}.jsonl"),),
             f"kazqad-{split}.jsonl", sha256, size)
        for split, file, count, sha256, size in (
            ("train", "train", None, None, None),
            ("dev", "validation", 764, "2458291a74bdf0ea47e18ca626c71139d63cf7ee1380d660c6246ec3c4b0126b", 3689020),
            ("test", "test", None, None, None),
        )
    ),
    "the makers' README (licence, paper) and file list; SHA-256 and count of dev computed from the makers' file",
    "SHA-256 and counts of train and test are unknown: the first download is trusted",
)  # fmt: skip

_HEQ_COMMIT = "f46d2ff1b796a95e897530f167ae0d5bed123fe1"
_HEQ = DataSet(
    "heq", "HeQ 1.1 (Hebrew)", "CC BY 4.0",
    "Cohen et al. 2023, HeQ: a Large and Diverse Hebrew Reading Comprehension Benchmark, Findings of EMNLP 2023",
    "https://github.com/NNLP-IL/Hebrew-Question-Answering-Dataset", "squad-2.0", "squad2",
    tuple(
        Part(f"heq.{split}", "heq", split, "he", count,
             (_raw("NNLP-IL/Hebrew-Question-Answering-Dataset", _HEQ_COMMIT,
                   f"data/data%20v1.1/{file}%20v1.1.json"),),
             f"heq-{split}.json", sha256, size)
        for split, file, count, sha256, size in (
            ("train", "train", 27142, None, None),
            ("dev", "val", 1501, "18650c947b1a01adf180df7083c096e3bcb4279483cb7fdc67147cba1b7817ba", 836702),
            ("test", "test", 1504, "aa3c8107919bb04a95c8fc572121d07c38b23f35ac33630dea32a384d6aea5db", 827970),
        )
    ),
    "the makers' README (counts), licence file and file list; SHA-256 and counts of dev and test computed from the makers' "
    "files",
    "the train file's SHA-256 is unknown: the first download is trusted; the citation is from memory",
    "28 % of the questions is unanswerable and kept apart",
)  # fmt: skip

_PARASHOOT_COMMIT = "891d394144afe9f665d9109a986d27e894a6a84b"
_PARASHOOT = DataSet(
    "parashoot", "ParaShoot (Hebrew)", "none stated",
    "Keren and Levy 2021, ParaShoot: A Hebrew Question Answering Dataset, arXiv:2109.11314",
    "https://github.com/omrikeren/ParaShoot", "json", "squad",
    tuple(
        Part(f"parashoot.{split}", "parashoot", split, "he", count,
             (_raw("omrikeren/ParaShoot", _PARASHOOT_COMMIT, f"data/{split}.json"),), f"parashoot-{split}.json", sha256, size)
        for split, count, sha256, size in (
            ("train", 1792, None, None),
            ("dev", 221, "d4e65a2eb78a40476a1d8ebb8051c1d87fe272f6ec8226f099a6f5b580ff62dc", 978596),
            ("test", 1025, None, None),
        )
    ),
    "the makers' README (counts, paper) and file list; SHA-256 and count of dev computed from the makers' file",
    "SHA-256 of train and test are unknown: the first download is trusted",
)  # fmt: skip

_POQUAD_COMMIT = "346139ea91b81a84a62f5d49a35ef38eeab95721"
_POQUAD = DataSet(
    "poquad", "PoQuAD (Polish)", "CC BY 4.0",
    "Tuora et al. 2023, PoQuAD - The Polish Question Answering Dataset, K-CAP 2023",
    "https://huggingface.co/datasets/clarin-pl/poquad", "squad-2.0", "squad2",
    tuple(
        Part(f"poquad.{split}", "poquad", split, "pl", None,
             (dataset_address("clarin-pl/poquad", _POQUAD_COMMIT, f"poquad-{split}.json"),), f"poquad-{split}.json")
        for split in ("train", "dev")
    ),
    "the hub's page (licence, 46.2k and 5.76k questions) and file list at the commit named in the addresses",
    "SHA-256 and counts unknown: the first download is trusted; the citation is from memory",
    "with unanswerable questions, which are kept apart",
)  # fmt: skip

_FAQUAD_COMMIT = "6ad978f20672bb41625b3b71fbe4a88b893d0a86"
_FAQUAD = DataSet(
    "faquad", "FaQuAD (Brazilian Portuguese, higher education)", "CC BY 4.0",
    "Sayama et al. 2019, FaQuAD: Reading Comprehension Dataset in the Domain of Brazilian Higher Education, BRACIS 2019",
    "https://github.com/liafacom/faquad", "squad-1.1", "squad",
    (
        Part("faquad.train", "faquad", "train", "pt", 837,
             (_raw("liafacom/faquad", _FAQUAD_COMMIT, "data/train.json"),), "faquad-train.json",
             "33d32022638a4ad252420d44544585279903a83637a974c6fe6c2e53f1c7b294", 539384),
        Part("faquad.dev", "faquad", "dev", "pt", 63, (_raw("liafacom/faquad", _FAQUAD_COMMIT, "data/dev.json"),),
             "faquad-dev.json", "151a53fe71720a7d26024ea577f9edfd2b89d67bb7c05afbc843942cf3e7731e", 97159),
    ),
    "the makers' README and licence file; SHA-256 and counts computed from the makers' files",
    "",
    "small: 63 questions to test on",
)  # fmt: skip

_PERSIANQA_COMMIT = "ba4806eb7894b1e78e214e16e7e717840c129450"
_PERSIANQA = DataSet(
    "persianqa", "PersianQA", "GPL 3.0 (the licence file of its repository)",
    "Ayoubi and Davoodeh 2021, PersianQA: a dataset for Persian Question Answering",
    "https://github.com/sajjjadayobi/PersianQA", "squad-2.0", "squad2",
    (
        Part("persianqa.train", "persianqa", "train", "fa", 9000,
             (_raw("sajjjadayobi/PersianQA", _PERSIANQA_COMMIT, "dataset/pqa_train.json"),), "pqa_train.json"),
        Part("persianqa.test", "persianqa", "test", "fa", 930,
             (_raw("sajjjadayobi/PersianQA", _PERSIANQA_COMMIT, "dataset/pqa_test.json"),), "pqa_test.json",
             "99f5cd13d25bf0696d3a841bd3e764841fcf0684b5919f81cd875db9d74b14a2", 643506),
    ),
    "the makers' README and licence file; SHA-256 and count of the test file computed from the makers' file",
    "SHA-256 and exact count of the train file are unknown: the first download is trusted; the citation is from memory",
    "279 of the 930 test questions are unanswerable and kept apart",
)  # fmt: skip

_MULTI_WIKI_QA = DataSet(
    "multi_wiki_qa", "MultiWikiQA (about 300 languages)", "see its page",
    "Smart 2025, MultiWikiQA: A Reading Comprehension Benchmark in 300+ Languages",
    "https://huggingface.co/datasets/alexandrainst/multi-wiki-qa", "parquet", "squad", (),
    "its name and extent from public reports",
    "everything else: its files were not seen here",
    on_request="one part a language, at https://huggingface.co/datasets/alexandrainst/multi-wiki-qa: download a language's "
    "file there and name it",
)  # fmt: skip

SETS: tuple[DataSet, ...] = (
    _SQUAD, _SBERQUAD, _DRCD, _XQUAD, _MLQA, _TYDIQA, _CMRC, _KORQUAD, _JAQUAD, _GERMANQUAD, _FQUAD, _SQUAD_IT,
    _SQUAD_ES, _ARCD, _IAPP, _PQUAD, _TQUAD, _PIAF, _SQAC, _VIQUAD, _SCANDIQA, _NORQUAD, _KAZQAD, _HEQ, _PARASHOOT,
    _POQUAD, _FAQUAD, _PERSIANQA, _MULTI_WIKI_QA,
)  # fmt: skip

DEFAULTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ar": ("tydiqa.ar.train", ("tydiqa.ar.dev", "xquad.ar")),
    "bn": ("tydiqa.bn.train", ("tydiqa.bn.dev",)),
    "da": ("scandiqa.da.train", ("scandiqa.da.test",)),
    "de": ("germanquad.train", ("germanquad.test", "xquad.de")),
    "el": ("", ("xquad.el",)),
    "en": ("squad.train", ("squad.dev",)),
    "es": ("squad_es.train", ("xquad.es", "mlqa.es.es")),
    "fa": ("pquad.train", ("pquad.test",)),
    "fi": ("tydiqa.fi.train", ("tydiqa.fi.dev",)),
    "fr": ("fquad.train", ("fquad.dev",)),
    "he": ("heq.train", ("heq.test",)),
    "hi": ("", ("xquad.hi", "mlqa.hi.hi")),
    "id": ("tydiqa.id.train", ("tydiqa.id.dev",)),
    "it": ("squad_it.train", ("squad_it.test",)),
    "ja": ("jaquad.train", ("jaquad.dev",)),
    "kk": ("kazqad.train", ("kazqad.test",)),
    "ko": ("korquad.train", ("korquad.dev",)),
    "no": ("norquad.train", ("norquad.test",)),
    "pl": ("poquad.train", ("poquad.dev",)),
    "pt": ("faquad.train", ("faquad.dev",)),
    "ro": ("", ("xquad.ro",)),
    "ru": ("sberquad.train", ("sberquad.dev", "xquad.ru")),
    "sv": ("scandiqa.sv.train", ("scandiqa.sv.test",)),
    "sw": ("tydiqa.sw.train", ("tydiqa.sw.dev",)),
    "te": ("tydiqa.te.train", ("tydiqa.te.dev",)),
    "th": ("iapp_wiki_qa.train", ("iapp_wiki_qa.test", "xquad.th")),
    "tr": ("tquad.train", ("tquad.dev", "xquad.tr")),
    "vi": ("viquad.train", ("xquad.vi", "mlqa.vi.vi")),
    "zh": ("drcd.train", ("drcd.test", "xquad.zh")),
}
"""The target data of a language where the command line names none: train part ("" where none is public), test parts."""
