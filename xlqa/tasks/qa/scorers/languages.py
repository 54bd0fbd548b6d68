"""Language codes as scorers take them: two letters where there are two, without region and script."""

from __future__ import annotations

import re

from xlqa.errors import XlqaError

WITHOUT_BLANKS = frozenset(("bo", "dz", "ja", "km", "lo", "my", "th", "wuu", "yue"))
"""Languages written without blanks between words, for which a local file's F1 counts characters; Chinese is apart."""

_TWO_LETTERS = (
    " aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el "
    " en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu "
    " ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na "
    " nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn "
    " so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu "
)
"""ISO 639-1, each code between blanks."""

_SAME = {
    "ara": "ar", "bod": "bo", "tib": "bo", "deu": "de", "ger": "de", "dzo": "dz", "eng": "en", "spa": "es", "hin": "hi",
    "jpn": "ja", "khm": "km", "kor": "ko", "lao": "lo", "mya": "my", "bur": "my", "rus": "ru", "tha": "th", "vie": "vi",
    "zho": "zh", "chi": "zh", "cmn": "zh",
}  # fmt: skip
"""Three-letter codes of languages that have rules of their own, whose rules would be missed under another code."""

_COUNTRIES = {"cn": "zh", "jp": "ja", "gr": "el", "cz": "cs", "ua": "uk", "dk": "da", "us": "en"}
"""Countries' codes that are taken for languages', and what is meant."""


def base_language(code: str) -> str:
    """`zh-Hant`, `zh_TW`, `ZH` and `zho` are `zh`; empty stays empty.

    Raises:
        XlqaError: no ISO 639 code. A country's code (jp, cn) would otherwise silently get rules for another script.
    """
    base = re.split(r"[-_]", code.strip().lower())[0]
    base = _SAME.get(base, base)
    known = len(base) == 2 and f" {base} " in _TWO_LETTERS
    if not base or known or re.fullmatch("[a-z]{3}", base):
        return base
    meant = f" (did you mean {_COUNTRIES[base]}?)" if base in _COUNTRIES else ""
    raise XlqaError(f'"{code}" is not a language code of ISO 639{meant}: give one such as ru, zh or ja.')
