"""URIEL's distances, read from the files of lang2vec without importing it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from xlqa.data import typology
from xlqa.errors import XlqaError


@pytest.fixture
def _fresh():
    for function in (typology._folder, typology._table):
        function.cache_clear()
    yield
    for function in (typology._folder, typology._table):
        function.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _fresh) -> Path:
    """A lang2vec with three languages: aaa and bbb are antipodes and alike in syntax, ccc is at the pole."""
    data = tmp_path / "lang2vec" / "data"
    data.mkdir(parents=True)
    (data / "letter_codes.json").write_text(json.dumps({"en": "aaa", "xx": "bbb", "yy": "ccc"}))
    langs = np.array(["aaa", "bbb", "ccc"])
    rows = [[1, 0, 1, 1, 0], [1, 0, 1, 0, 1], [0, 1, 1, 1, 0]]
    save(data / "feature_predictions.npz", langs, ["S_a", "S_b", "P_a", "INV_a", "INV_b"], rows)
    save(data / "family_features.npz", langs, ["F_one", "F_two"], [[1, 1], [1, 0], [0, 0]])
    points = [(0, 0), (0, 90), (90, 0), (-45, 180)]
    places = np.array([[1, 0, 0], [-1, 0, 0], [0, 0, 1]], dtype=float)
    angles = np.arccos(np.clip(places @ np.array([unit(*point) for point in points]).T, -1, 1)) / np.pi
    save(data / "geocoord_features.npz", langs, [f"GC_{a}_{b}" for a, b in points], angles)
    info = tmp_path / "lang2vec-1.1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lang2vec\nVersion: 1.1.2\n")
    (info / "RECORD").write_text("".join(f"lang2vec/data/{file.name},,\n" for file in sorted(data.iterdir())))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return data


def unit(latitude: float, longitude: float) -> tuple[float, float, float]:
    a, b = np.radians(latitude), np.radians(longitude)
    return np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)


def save(path: Path, langs, feats, rows) -> None:
    np.savez(
        path, langs=langs, feats=np.array(feats), data=np.array(rows, dtype="f4")[:, :, None], sources=np.array(["x"])
    )


def test_distances_are_read_without_the_package_s_code(package: Path):
    assert typology.has_distances()
    found = typology.distances("xx")
    assert found["syntactic"] == pytest.approx(0)
    assert found["phonological"] == pytest.approx(0)
    assert found["inventory"] == pytest.approx(1)
    assert found["genetic"] == pytest.approx(1 - 1 / 2**0.5)
    assert found["geographic"] == pytest.approx(1, abs=1e-3), "antipodes"
    assert typology.distances("yy")["geographic"] == pytest.approx(0.5, abs=1e-3)
    assert typology.distances("yy")["genetic"] is None, "a language without a family"
    assert set(typology.distances("zz").values()) == {None}


@pytest.mark.usefixtures("_fresh")
def test_without_the_package_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert not typology.has_distances()
    with pytest.raises(XlqaError, match=r"pip install 'xlqa\[typology\]'"):
        typology.distances("ru")


def test_families_are_those_of_the_registered_languages():
    from xlqa.util.languages import LANGUAGE_NAMES

    assert [code for code in LANGUAGE_NAMES if not typology.language_family(code)] == []
    assert typology.language_family("ru") == typology.language_family("hi") != typology.language_family("fi")
