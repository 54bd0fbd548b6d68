"""How far a language is from English: URIEL's features (Littell et al. 2017), language families.

The distances need the package lang2vec (extra `xlqa[typology]`), whose data are inside it; nothing is downloaded. Its files are read
directly: the package itself imports pkg_resources, which new versions of setuptools lack.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xlqa.errors import XlqaError

Vector = npt.NDArray[np.float64]

DISTANCES = ("syntactic", "phonological", "inventory", "genetic", "geographic")
"""Each from 0 to 1. The first three: cosine distance of URIEL's vectors with gaps predicted from similar languages (`knn`).
Genetic: cosine distance of memberships in families and their branches. Geographic: along the Earth's surface, 1 for antipodes."""

_PREFIXES = {"syntactic": "S_", "phonological": "P_", "inventory": "INV_"}
_INSTALL = "pip install 'xlqa[typology]' (package lang2vec)"

FAMILIES = {
    "Afro-Asiatic": "am ar ha he mt so ti",
    "Austroasiatic": "km vi",
    "Austronesian": "id jv mg ms tl",
    "Dravidian": "kn ml ta te",
    "Indo-European": (
        "af as be bg bn ca cs cy da de el en es fa fr ga gl gu hi hr hy is it lt lv mk mr nb ne nl nn no or pa pcm pl ps pt ro ru "
        "sd si sk sl sq sr sv uk ur yi"
    ),
    "Japonic": "ja",
    "Kartvelian": "ka",
    "Koreanic": "ko",
    "Language isolate": "eu",
    "Mongolic": "mn",
    "Niger-Congo": "ig lg rw sn sw wo xh yo zu",
    "Quechuan": "qu",
    "Sino-Tibetan": "bo my yue zh",
    "Tai-Kadai": "lo th",
    "Turkic": "az ba kk ky tr tt ug uz",
    "Uralic": "et fi hu",
}
_FAMILY_OF = {code: family for family, codes in FAMILIES.items() for code in codes.split()}


def language_family(code: str) -> str:
    """The top-level family of a language by ISO 639-1 code; "" where it is not known."""
    return _FAMILY_OF.get(code, "")


def has_distances() -> bool:
    """Whether lang2vec is installed."""
    return _folder() is not None


def distances(code: str, other: str = "en") -> dict[str, float | None]:
    """The `DISTANCES` of two languages by ISO 639 code; None for a language that URIEL does not have.

    Raises:
        XlqaError: lang2vec is not installed.
    """
    if _folder() is None:
        raise XlqaError(f"URIEL distances need the package lang2vec: {_INSTALL}.")
    first, second = _code(code), _code(other)
    if first is None or second is None:
        return dict.fromkeys(DISTANCES)
    found: dict[str, float | None] = {}
    for name, prefix in _PREFIXES.items():
        features = _table("feature_predictions")
        columns = np.array([str(feature).startswith(prefix) for feature in features["feats"]])
        found[name] = _cosine_distance(features["rows"][first][columns], features["rows"][second][columns])
    families = _table("family_features")["rows"]
    found["genetic"] = _cosine_distance(families[first], families[second])
    found["geographic"] = _geographic(first, second)
    return found


@functools.cache
def _folder() -> Path | None:
    """The data folder of lang2vec, found without importing it."""
    try:
        files = importlib.metadata.files("lang2vec") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = next((file for file in files if file.name == "feature_predictions.npz"), None)
    return Path(str(found.locate())).parent if found else None


@functools.cache
def _table(name: str) -> Mapping[str, Any]:
    """A file of lang2vec: `feats`, and `rows`, (features,) float64 by ISO 639-3 code."""
    folder = _folder()
    assert folder is not None
    try:
        with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
            data = file["data"][:, :, 0].astype(np.float64)
            rows = {str(code): row for code, row in zip(file["langs"], data, strict=True)}
            return {"feats": [str(feature) for feature in file["feats"]], "rows": rows}
    except (OSError, ValueError, KeyError) as error:
        raise XlqaError(f"{folder / name}.npz cannot be read ({error}): install lang2vec again.") from error


def _code(code: str) -> str | None:
    """A language's ISO 639-3 code as URIEL has it; None where it does not."""
    folder = _folder()
    assert folder is not None
    letters = json.loads((folder / "letter_codes.json").read_text(encoding="utf-8"))
    base = code.lower().split("-")[0]
    three = base if len(base) == 3 else letters.get(base)
    return three if three in _table("feature_predictions")["rows"] else None


def _cosine_distance(first: Vector, second: Vector) -> float | None:
    scale = float(np.linalg.norm(first) * np.linalg.norm(second))
    return max(0.0, 1.0 - float(first @ second) / scale) if scale else None


def _geographic(first: str, second: str) -> float | None:
    """The angle between two places, as a share of half a turn; URIEL gives each place's angles to points of known coordinates."""
    table = _table("geocoord_features")
    points = np.array([_point(str(name)) for name in table["feats"]])
    places = []
    for code in (first, second):
        angles = table["rows"][code]
        if not np.isfinite(angles).all() or (angles < 0).any():
            return None
        place = np.linalg.lstsq(points, np.cos(np.pi * angles), rcond=None)[0]
        places.append(place / np.linalg.norm(place))
    return math.acos(min(1.0, max(-1.0, float(places[0] @ places[1])))) / math.pi


def _point(name: str) -> tuple[float, float, float]:
    """The unit vector of a point that is named GC_latitude_longitude, in degrees."""
    latitude, longitude = (math.radians(float(part)) for part in name.split("_")[1:])
    return (
        math.cos(latitude) * math.cos(longitude), math.cos(latitude) * math.sin(longitude), math.sin(latitude),
    )  # fmt: skip
