"""Codes of languages, two letters where there are two (ISO 639), and their English names."""

from __future__ import annotations

import re

from xlqa.errors import XlqaError

LANGUAGE_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "ha": "Hausa", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "ig": "Igbo", "it": "Italian", "ja": "Japanese",
    "kk": "Kazakh", "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pcm": "Nigerian Pidgin", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "rw": "Kinyarwanda", "sn": "Shona", "sv": "Swedish", "sw": "Swahili", "te": "Telugu", "th": "Thai", "tr": "Turkish",
    "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "wo": "Wolof", "xh": "Xhosa", "yo": "Yoruba", "zh": "Chinese",
    "zu": "Zulu",
}  # fmt: skip


def language_name(code: str) -> str:
    """A language's English name, or its code where none is known."""
    return LANGUAGE_NAMES.get(code, code)


def named_language(name: str) -> str:
    """The language code in a data set's name, such as xquad.ru; "" where there is none, or more than one."""
    codes = [word for word in re.split(r"[._-]", name) if word in LANGUAGE_NAMES]
    return codes[0] if len(codes) == 1 else ""


_CODES = (
    "aa=aar ab=abk ae=ave af=afr ak=aka am=amh an=arg ar=ara,arb as=asm av=ava ay=aym,ayr az=aze,azj ba=bak "
    "be=bel bg=bul bh=bih bi=bis bm=bam bn=ben bo=bod,tib br=bre bs=bos ca=cat ce=che ch=cha co=cos cr=cre "
    "cs=ces,cze cu=chu cv=chv cy=cym,wel da=dan de=deu,ger dv=div dz=dzo ee=ewe el=ell,gre en=eng eo=epo es=spa "
    "et=est,ekk eu=eus,baq fa=fas,per,pes ff=ful fi=fin fj=fij fo=fao fr=fra,fre fy=fry ga=gle gd=gla gl=glg "
    "gn=grn,gug gu=guj gv=glv ha=hau he=heb hi=hin ho=hmo hr=hrv ht=hat hu=hun hy=hye,arm hz=her ia=ina id=ind "
    "ie=ile ig=ibo ii=iii ik=ipk io=ido is=isl,ice it=ita iu=iku ja=jpn jv=jav ka=kat,geo kg=kon ki=kik kj=kua "
    "kk=kaz kl=kal km=khm kn=kan ko=kor kr=kau ks=kas ku=kur,kmr kv=kom kw=cor ky=kir la=lat lb=ltz lg=lug li=lim "
    "ln=lin lo=lao lt=lit lu=lub lv=lav,lvs mg=mlg,plt mh=mah mi=mri,mao mk=mkd,mac ml=mal mn=mon,khk mr=mar "
    "ms=msa,may,zsm mt=mlt my=mya,bur na=nau nb=nob nd=nde ne=nep,npi ng=ndo nl=nld,dut nn=nno no=nor nr=nbl nv=nav "
    "ny=nya oc=oci oj=oji om=orm,gaz or=ori,ory os=oss pa=pan pi=pli pl=pol ps=pus,pbt pt=por qu=que rm=roh rn=run "
    "ro=ron,rum ru=rus rw=kin sa=san sc=srd sd=snd se=sme sg=sag sh=hbs si=sin sk=slk,slo sl=slv sm=smo sn=sna "
    "so=som sq=sqi,alb,als sr=srp ss=ssw st=sot su=sun sv=swe sw=swa,swh ta=tam te=tel tg=tgk th=tha ti=tir tk=tuk "
    "tl=tgl tn=tsn to=ton tr=tur ts=tso tt=tat tw=twi ty=tah ug=uig uk=ukr ur=urd uz=uzb,uzn ve=ven vi=vie vo=vol "
    "wa=wln wo=wol xh=xho yi=yid,ydd yo=yor za=zha zh=zho,chi,cmn zu=zul "
)
"""ISO 639-1 codes with their codes in ISO 639-3 and 639-2/B, and with those of the standard form of the language (arb, cmn)."""

_THREE_LETTERS = {entry[:2]: entry[3:].split(",") for entry in _CODES.split()}
_SAME = {three: two for two, others in _THREE_LETTERS.items() for three in others}

_COUNTRIES = {"cn": "zh", "jp": "ja", "gr": "el", "cz": "cs", "ua": "uk", "dk": "da", "us": "en"}
"""Countries' codes that are taken for languages', and what is meant."""


def base_language(code: str) -> str:
    """`zh-Hant`, `zh_TW`, `ZH`, `zho` and `cmn` are `zh`; empty stays empty.

    Raises:
        XlqaError: no ISO 639 code. A country's code (jp, cn) would otherwise silently get rules for another script.
    """
    base = re.split(r"[-_]", code.strip().lower())[0]
    base = _SAME.get(base, base)
    if not base or base in _THREE_LETTERS or re.fullmatch("[a-z]{3}", base):
        return base
    meant = f" (did you mean {_COUNTRIES[base]}?)" if base in _COUNTRIES else ""
    raise XlqaError(f'"{code}" is not a language code of ISO 639{meant}: give one such as ru, zh or ja.')


def two_letters(code: str) -> str:
    """The ISO 639-1 code of a language that is given by another code (rus, cmn); the code itself where there is none."""
    return _SAME.get(code, code)


def is_language(named: str, code: str) -> bool:
    """Whether a data set's word for a language means a code: another code of it (rus, rus_Cyrl), or its English name."""
    word = named.strip().lower()
    if word == language_name(base_language(code)).lower():
        return True
    try:
        return bool(word) and base_language(word) == base_language(code)
    except XlqaError:
        return False
