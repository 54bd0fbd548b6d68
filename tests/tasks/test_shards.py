"""Data sets of several files: saved folders of the library `datasets`, Parquet files by split, sets of the hub."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

import fake_hub

from xlqa.cli.app import app
from xlqa.errors import XlqaError
from xlqa.tasks.base import get_task
from xlqa.tasks.detect import find_task
from xlqa.tasks.hub_sets import CONVERTED, ensure_hub_set
from xlqa.tasks.shards import group_splits
from xlqa.tasks.sources import read_ref, resolve

pyarrow = pytest.importorskip("pyarrow", reason="Arrow and Parquet files need pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

QUESTIONS: list[dict[str, Any]] = [
    {"id": f"q{n}", "context": f"Мара живёт в Бренне {n}.", "question": "Где?",
     "answers": {"text": ["Бренне"], "answer_start": [13]}}
    for n in range(3)
]  # fmt: skip
TAGGED = [{"tokens": ["Мара", "живёт"], "ner_tags": [1, 0]}]
LABELS = {"ner_tags": {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}, "_type": "Sequence"}}


def save(folder: Path, *parts: list[dict[str, Any]], features: Any = None) -> Path:
    """A folder as `datasets.save_to_disk` writes it: Arrow streams, state.json and dataset_info.json."""
    folder.mkdir(parents=True)
    names = [f"data-{n:05}-of-{len(parts):05}.arrow" for n in range(len(parts))]
    for name, rows in zip(names, parts, strict=True):
        table = pyarrow.Table.from_pylist(rows)
        with pyarrow.OSFile(str(folder / name), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table)
    state = {"_data_files": [{"filename": name} for name in names], "_split": "train"}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features or {}}))
    return folder


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def ids(name: Path | str) -> list[str]:
    return [question.id for question in read_ref(resolve(str(name))).questions]


def test_a_saved_data_set_is_read_in_the_order_of_its_files(tmp_path: Path) -> None:
    folder = save(tmp_path / "mine", QUESTIONS[:2], QUESTIONS[2:])
    ref = resolve(str(folder), language="ru")
    assert (ref.name, ref.language, ref.path.suffix) == ("mine", "ru", ".jsonl")
    assert ids(folder) == ["q0", "q1", "q2"]
    assert resolve(str(folder)).sha256 == ref.sha256
    assert resolve(f"ru={folder}").language == "ru"


def test_a_saved_data_set_of_several_splits_needs_the_name_of_one(tmp_path: Path) -> None:
    both = tmp_path / "mine"
    save(both / "train", QUESTIONS)
    (both / "dataset_dict.json").write_text('{"splits": ["train"]}')
    assert resolve(str(both)).name == "mine-train"
    save(both / "test", QUESTIONS[:1])
    with pytest.raises(XlqaError, match=r"mine: has several splits: name one of .*mine/test, .*mine/train\.$"):
        resolve(str(both))
    assert ids(both / "test") == ["q0"]
    with pytest.raises(XlqaError, match=r'mine: has no split "dev": name one of .*mine/test, .*mine/train\.$'):
        resolve(str(both / "dev"))


def test_numbered_labels_have_the_names_that_the_folder_gives(tmp_path: Path) -> None:
    folder = save(tmp_path / "tagged", TAGGED, features=LABELS)
    assert find_task(str(folder)) == "ner"
    (sentence,) = get_task("ner").read(resolve(str(folder)).path).examples
    assert sentence.tags == ("B-PER", "O")


def test_parquet_files_are_grouped_by_split(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_parquet(folder / "data" / "train-00000-of-00002.parquet", QUESTIONS[:2])
    write_parquet(folder / "data" / "train-00001-of-00002.parquet", QUESTIONS[2:])
    assert ids(folder) == ["q0", "q1", "q2"]
    write_parquet(folder / "data" / "test-00000-of-00001.parquet", QUESTIONS[1:2])
    assert (ids(folder / "test"), resolve(f"{folder}/train").name) == (["q1"], "set-train")
    assert find_task(f"{folder}/train") == "qa"
    with pytest.raises(XlqaError, match=r'set: has no split "dev": name one of .*set/test, .*set/train\.'):
        resolve(f"{folder}/dev")
    (folder / "data" / "train-00001-of-00002.parquet").unlink()
    with pytest.raises(XlqaError, match=r"has 1 of 2 files of this split"):
        resolve(f"{folder}/train")


def test_names_of_parquet_files() -> None:
    names = [
        "ru/test/0000.parquet",
        "part-00000-3f-c000.snappy.parquet",
        "part-00001-3f-c000.snappy.parquet",
        "wiki2024.parquet",
    ]
    assert group_splits(names) == {"ru/test": names[:1], "": names[1:3], "wiki2024": names[3:]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "data-00000-of-00001.arrow").write_bytes(b"no"), "is damaged or cut short"),
        (lambda folder: (folder / "data-00000-of-00001.arrow").unlink(), "is missing, which its state.json names"),
        (lambda folder: (folder / "state.json").write_text("{"), "is not JSON"),
        (lambda folder: (folder / "state.json").write_text("[]"), "names no data files"),
        (lambda folder: (folder / "state.json").write_text('{"_data_files": [{"filename": "../x"}]}'), "names no data files"),
    ],
)  # fmt: skip
def test_a_damaged_folder_gives_one_line(tmp_path: Path, change: Any, message: str) -> None:
    folder = save(tmp_path / "mine", QUESTIONS)
    change(folder)
    with pytest.raises(XlqaError, match=message) as raised:
        resolve(str(folder))
    assert "\n" not in str(raised.value)
    assert not list((tmp_path / "xlqa-cache").rglob("*.jsonl"))


def test_a_folder_without_data(tmp_path: Path) -> None:
    with pytest.raises(XlqaError, match="is a folder without Parquet files or a saved data set"):
        resolve(str(tmp_path))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[fake_hub.Hub]:
    with fake_hub.serving() as found:
        fake_hub.connect(monkeypatch, found, tmp_path / "hub")
        yield found


def test_a_data_set_of_the_hub_is_fetched_once(hub: fake_hub.Hub, tmp_path: Path) -> None:
    content = write_parquet(tmp_path / "a.parquet", QUESTIONS).read_bytes()
    files = {f"xquad.{code}/validation-00000-of-00001.parquet": content for code in ("ru", "de")}
    hub.repositories["google/xquad"] = fake_hub.Repository(files)
    name = "hf:google/xquad/xquad.ru/validation"
    with pytest.raises(XlqaError, match=rf"is not in .*: fetch it with `xlqa data fetch {name}`"):
        resolve(name, download=False)
    fetched = CliRunner().invoke(app, ["data", "fetch", name, "--json"], catch_exceptions=False)
    ref = resolve(f"ru={name}", download=False)
    assert json.loads(fetched.stdout)["fetched"] == [{"name": name, "path": str(ref.path), "sha256": ref.sha256}]
    assert (ref.name, ref.language, ids(name)) == ("xquad-xquad.ru-validation", "ru", ["q0", "q1", "q2"])
    hub.repositories.clear()
    assert resolve(name).sha256 == ref.sha256
    assert find_task(name) == "qa"


def test_the_hubs_own_parquet_files_are_used_where_a_set_has_none(hub: fake_hub.Hub, tmp_path: Path) -> None:
    content = write_parquet(tmp_path / "a.parquet", QUESTIONS).read_bytes()
    hub.repositories["me/set"] = fake_hub.Repository({"load.py": b"", "train.json": json.dumps(QUESTIONS).encode()})
    hub.repositories[f"me/set@{CONVERTED}"] = fake_hub.Repository(
        {"default/train/0000.parquet": content}, commit="b" * 40
    )
    assert ids("hf:me/set/train") == ["q0", "q1", "q2"]
    assert ids("hf:me/set/train.json") == ["q0", "q1", "q2"]


def test_a_gated_data_set_is_named_whole(hub: fake_hub.Hub, tmp_path: Path) -> None:
    file = {"train-00000-of-00001.parquet": b"x"}
    hub.repositories["me/model-evals"] = fake_hub.Repository(file, gated=True)
    message = r"^hf:me/model-evals/train: is a gated data set.*/datasets/me/model-evals, then set HF_TOKEN"
    with pytest.raises(XlqaError, match=message):
        ensure_hub_set("hf:me/model-evals/train", tmp_path / "data")


def test_names_of_the_hub_share_no_file(hub: fake_hub.Hub, tmp_path: Path) -> None:
    splits = {name: [{**QUESTIONS[0], "id": name}] for name in ("ru-test", "ru/test", "a/b-c", "a-b/c", "train")}
    files = {
        f"{name}/0000.parquet": write_parquet(tmp_path / "a.parquet", rows).read_bytes()
        for name, rows in splits.items()
    }
    files["train.jsonl"] = json.dumps({**QUESTIONS[0], "id": "train.jsonl"}).encode()
    hub.repositories["me/set"] = fake_hub.Repository(files)
    names = [*splits, "train.jsonl"]
    assert [ids(f"hf:me/set/{name}") for name in names] == [[name] for name in names]
    assert len({ensure_hub_set(f"hf:me/set/{name}", tmp_path, download=True) for name in names}) == len(names)


def test_a_copy_that_an_earlier_version_kept_is_used_for_its_name_only(hub: fake_hub.Hub, tmp_path: Path) -> None:
    kept = tmp_path / "hub" / "me" / "set" / "set-ru-test.jsonl"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps(QUESTIONS[0]))
    kept.with_name(f"{kept.name}.source.json").write_text('{"name": "hf:me/set/ru/test"}')
    assert ensure_hub_set("hf:me/set/ru/test", tmp_path, download=False) == kept
    with pytest.raises(XlqaError, match="is not in"):
        ensure_hub_set("hf:me/set/ru-test", tmp_path, download=False)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf:me", "is no name of a data set: write hf:OWNER/NAME"),
        ("hf:me/../../etc", "is no name of a data set"),
        ("hf:me/none/train", r"the hub has no public data set of this name"),
        ("hf:me/set/dev", r'has no split "dev": name one of hf:me/set/test, hf:me/set/train\.$'),
        ("hf:me/text", "has no Parquet files and no file of this name"),
    ],
)
def test_a_wrong_name_gives_one_line(hub: fake_hub.Hub, tmp_path: Path, name: str, message: str) -> None:
    hub.repositories["me/set"] = fake_hub.Repository(
        {"train-00000-of-00001.parquet": b"", "test-00000-of-00001.parquet": b""}
    )
    hub.repositories["me/text"] = fake_hub.Repository({"README.md": b""})
    with pytest.raises(XlqaError, match=message) as raised:
        ensure_hub_set(name, tmp_path / "data")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "data").exists()
