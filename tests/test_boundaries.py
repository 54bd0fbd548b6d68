"""Which folder may import which, and where heavy libraries may be imported: read off the source, nothing is run."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "xlqa"

UTIL = {"util", "errors"}
DATA = {"data", "records", *UTIL}
TASKS = {"tasks", *DATA}
EXECUTION = {"components", "training", *TASKS}
BELOW = {
    "errors": set(),
    "util": {"errors"},
    "records": {"errors"},
    "columns": {"records", "errors"},
    "data": {"records", *UTIL},
    "tasks": DATA,
    "training": TASKS,
    "components": {"training", *TASKS},
    "settings": {"records", *UTIL},
    "sweep_keywords": set(),
    "runs": {"settings", *EXECUTION},
    # A table of results needs nothing of what made it.
    "curves": {"records", *UTIL},
    "doctor": {"runs", *EXECUTION},
    "predict": {"runs", *EXECUTION},
    "track": {"runs", *EXECUTION},
    "export": {"predict", "runs", *EXECUTION},
    "api": {"doctor", "predict", "curves", "runs", "settings", "sweep_keywords", *EXECUTION},
    "cli": {"api", "columns", "doctor", "export", "track", "predict", "curves", "runs", "settings", *EXECUTION},
    "__init__": {"api", "errors"},
}
"""Which top-level folder or module may import which."""

INSIDE_RUNS = {
    "paths": set(),
    "specs": {"paths"},
    "plan": {"paths", "specs"},
    "store": {"plan", "paths", "specs"},
    "execute": {"store", "plan", "paths", "specs"},
    "ray": {"execute", "store", "plan", "paths", "specs"},
    "tuning": {"store", "plan", "paths", "specs"},
    "sweep": {"tuning", "ray", "execute", "store", "plan", "paths", "specs"},
}
"""The same inside runs/."""

EXCEPTIONS: set[tuple[str, str, str]] = set()
HEAVY = ("torch", "transformers", "deeppavlov")
HEAVY_FOLDERS = (
    "components/",
    "training/",
    "tasks/heads.py",
    "tasks/qa/decoding.py",
    "tasks/qa/network.py",
    "tasks/sentences/network.py",
    "tasks/tagging/network.py",
    "runs/execute/run.py",
    "runs/execute/worker.py",
    "predict.py",
)
TORCH_AT_TOP = (
    "components/",
    "training/",
    "tasks/heads.py",
    "tasks/qa/decoding.py",
    "tasks/qa/network.py",
    "tasks/sentences/network.py",
    "tasks/tagging/network.py",
)
"""Modules that are themselves imported only where a run is executed."""

SEAMS = {
    ("tasks/qa/stats.py", "transformers"),  # lengths in pieces, where --model names a tokenizer
}
SLOW_TO_IMPORT = (
    *HEAVY,
    "pandas",
    "matplotlib",
    "scipy",
    "huggingface_hub",
    "tokenizers",
    "safetensors",
    "rich",
    "ray",
)


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


RUNS = sorted(path for path in (PACKAGE / "runs").rglob("*.py") if path != PACKAGE / "runs" / "__init__.py")


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str, str]]:
    """Every import below a node that runs (not those for type checkers): statement, module, name."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            yield from ((node, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield from ((node, str(node.module), alias.name) for alias in node.names)
        else:
            yield from imports(node)


def folder_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def target_folder(module: str, name: str) -> str | None:
    """The folder that an import reaches into; None for what is not ours, or for the package's own version."""
    parts = module.split(".")
    if parts[0] != "xlqa":
        return None
    if len(parts) > 1:
        return parts[1]
    return name if name in BELOW else None


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    folder = folder_of(path)
    assert folder in BELOW, f"{path.name}: a new folder must be given its place in BELOW"
    wrong = [
        f"line {node.lineno}: {module} {name}"
        for node, module, name in imports(ast.parse(path.read_text(encoding="utf-8")))
        if (target := target_folder(module, name)) is not None
        and target != folder
        and target not in BELOW[folder]
        and (folder, module, name) not in EXCEPTIONS
    ]
    assert not wrong, f"{path.relative_to(PACKAGE)} imports against the order of the folders: {wrong}"


@pytest.mark.parametrize("path", RUNS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_inside_runs_point_one_way(path: Path) -> None:
    part = path.relative_to(PACKAGE / "runs").parts[0].removesuffix(".py")
    assert part in INSIDE_RUNS, f"{path.name}: a new module of runs/ must be given its place in INSIDE_RUNS"
    wrong = [
        f"line {node.lineno}: {module}"
        for node, module, _ in imports(ast.parse(path.read_text(encoding="utf-8")))
        if module.startswith("xlqa.runs.")
        and (target := module.split(".")[2]) != part
        and target not in INSIDE_RUNS[part]
    ]
    assert not wrong, f"{path.relative_to(PACKAGE)} imports against the order inside runs/: {wrong}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_stay_in_their_folders(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    if place.startswith(HEAVY_FOLDERS):
        return
    found = {module.split(".")[0] for _, module, _ in imports(ast.parse(path.read_text(encoding="utf-8")))}
    wrong = [name for name in sorted(found & set(HEAVY)) if (place, name) not in SEAMS]
    assert not wrong, f"{place} imports {wrong}: ask components, or make the exception in SEAMS with its reason"


def test_no_file_outside_components_imports_a_slow_library_at_its_top() -> None:
    wrong = []
    for path in sources():
        place = path.relative_to(PACKAGE).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
        top = {module.split(".")[0] for node, module, _ in imports(tree) if id(node) not in inside}
        if not place.startswith(TORCH_AT_TOP):
            wrong += [f"{place}: {name}" for name in sorted(top & set(SLOW_TO_IMPORT))]
    assert not wrong


def test_the_checks_see_what_they_forbid() -> None:
    code = "import torch\nif TYPE_CHECKING:\n    import pandas\ndef f():\n    from xlqa.cli import main\n"
    assert [(module, name) for _, module, name in imports(ast.parse(code))] == [("torch", ""), ("xlqa.cli", "main")]
    assert target_folder("xlqa.cli", "main") not in BELOW["runs"]
    assert target_folder("xlqa", "__version__") is None
    assert target_folder("xlqa", "api") == "api"


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import xlqa", (*SLOW_TO_IMPORT, "numpy", "typer")),
        ("import xlqa.cli.app", (*SLOW_TO_IMPORT, "numpy")),
        ("from xlqa import doctor\nfrom xlqa.runs.store import status", HEAVY),
        (
            "from xlqa.curves import comparison, table\n"
            "from xlqa.curves.plots import curves, effects\n"
            "from xlqa.curves.report import contents",
            (*HEAVY, "pandas", "matplotlib"),
        ),
    ],
)
def test_importing_is_light(statement: str, absent: tuple[str, ...]) -> None:
    code = f"{statement}\nimport sys\nprint(*(name for name in {absent!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
