"""docs/colab.ipynb works: its cells are executed in order, with small settings and a tiny encoder."""

from __future__ import annotations

import ast
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from documents import run_words
from executors import in_process

NOTEBOOK = Path(__file__).parents[1] / "docs" / "colab.ipynb"

SMALL: dict[str, Any] = {
    "sizes": [8], "seeds": 1, "source_size": 24, "test_size": 8, "min_steps": 2, "epochs": 1.0, "source_epochs": 1.0, "device": "cpu",
    "precision": "fp32",
}  # fmt: skip


def cells() -> list[dict[str, Any]]:
    return list(json.loads(NOTEBOOK.read_bytes())["cells"])


def run_cell(source: str, names: dict[str, Any]) -> None:
    """Execute a cell as a notebook does: it shows its last value, and lines with an exclamation mark are commands."""
    lines = source.splitlines()
    parsed = ast.parse("\n".join(line for line in lines if not line.startswith("!")))
    last = parsed.body.pop() if parsed.body and isinstance(parsed.body[-1], ast.Expr) else None
    exec(compile(parsed, "<cell>", "exec"), names)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
        print(value._repr_html_() if hasattr(value, "_repr_html_") else repr(value))
    for line in lines:
        if line.startswith("!"):
            words = shlex.split(eval(f"f{line[1:]!r}", names))
            assert words[0] == "xlqa"
            assert run_words(words[1:]) == 0, line


def test_every_cell_works(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setattr("xlqa.runs.sweep.choose_executor", lambda *_: in_process())
    names: dict[str, Any] = {}
    for cell in cells():
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or "%pip install" in source:
            continue
        run_cell(source, names)
        if "settings = {" in source:
            names["settings"] |= SMALL | {"model": str(encoder)}
    assert len(names["done"].results) == 2 * 3
    assert len(names["axes"][0].lines) >= 2
    shown = capsys.readouterr().out
    for expected in ("GPU: none", "Where do capybaras live?", "sample.es.test", "sample.ru.test"):
        assert expected in shown
    assert names["done"].results.test.nunique() == 2


def test_it_holds_ten_cells_without_outputs_that_name_what_exists() -> None:
    found = cells()
    assert len(found) == 10
    assert all(not cell.get("outputs") for cell in found)
    assert any('%pip install -q "xlqa[encoder]"' in "".join(cell["source"]) for cell in found)
