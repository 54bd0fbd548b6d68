"""A packed sweep gives back its table, and can be scored again."""

from __future__ import annotations

import csv
import platform
import shutil
from pathlib import Path

import pytest

from xlqa.cli import main
from xlqa.data.archives import unpack
from xlqa.records import RESULT_COLUMNS
from xlqa.runs.store.run_config import is_sealed
from xlqa.util.csvfile import csv_text
from xlqa.util.files import is_signed, read_json


def without_hosts(table: Path) -> bytes:
    """A results.csv as it would be from a machine without a name."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["host"] for row in rows} == {platform.node()}
    return csv_text(RESULT_COLUMNS, [{**row, "host": None} for row in rows]).encode("utf-8")


def test_a_packed_sweep_gives_its_table_back(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = tmp_path / "sweep", tmp_path / "published"
    shutil.copytree(finished, root, symlinks=True)
    published = without_hosts(finished / "results.csv")
    for place in (out, tmp_path / "twice"):
        assert main(["pack", str(root), str(place)]) == 0
        assert (place / "results.csv").read_bytes() == published
    names = [path.name for path in sorted(out.iterdir())]
    assert names == ["questions.csv.xz", "results.csv", "runs.tar.xz"]
    assert all((out / name).read_bytes() == (tmp_path / "twice" / name).read_bytes() for name in names)
    assert "runs.tar.xz: " in capsys.readouterr().out

    again = tmp_path / "again"
    unpack(out / "runs.tar.xz", again)
    assert main(["collect", str(again)]) == 0
    assert (again / "results.csv").read_bytes() == published
    assert not list(again.rglob("*.safetensors"))
    files = [path for path in again.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert not [path for path in files if str(root).encode() in path.read_bytes()]
    records = [read_json(path) for pattern in ("train.json", "result.json") for path in again.rglob(pattern)]
    assert len(records) > 10
    assert all(
        is_signed(record) and not {record.get("host"), record.get("row", {}).get("host")} - {None} for record in records
    )
    assert all(is_sealed(read_json(path)) for path in again.glob("runs/*/config.json"))

    assert main(["rescore", str(again)]) == 2
    assert "put that one there (SHA-256 " in capsys.readouterr().err
    shutil.copytree(finished / "data", again / "data")
    assert main(["rescore", str(again)]) == 0
    assert (again / "results.csv").read_bytes() == published


def test_what_is_not_whole_is_not_packed(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "sweep"
    shutil.copytree(finished, root, symlinks=True)
    harmed = sorted(root.glob("runs/*/eval/*/predictions.json"))[0]
    harmed.write_text("{}", encoding="utf-8")
    assert main(["pack", str(root), str(tmp_path / "out")]) == 2
    assert f"{harmed} is missing or not the file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert (root / "results.csv").read_bytes() == (finished / "results.csv").read_bytes()


def test_a_sweep_is_not_packed_into_itself(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "sweep"
    shutil.copytree(finished, root, symlinks=True)
    assert main(["pack", str(root), f"{root}/../sweep"]) == 2
    assert "is the sweep's own folder: name another one" in capsys.readouterr().err
    assert (root / "results.csv").read_bytes() == (finished / "results.csv").read_bytes()


def test_an_empty_folder_has_nothing_to_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", str(tmp_path), str(tmp_path / "out")]) == 2
    assert "has no finished evaluation" in capsys.readouterr().err
