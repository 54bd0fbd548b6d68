"""Which room may import which, and where heavy libraries may be imported: read off the source, nothing is run."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "xlqa"

BELOW = {
    "errors": set(),
    "records": {"errors"},
    # Reading a file names its default scorer; scoring takes two small tools of reading, named in EXCEPTIONS.
    "data": {"scoring", "records", "errors"},
    "scoring": {"records", "errors"},
    "components": {"scoring", "data", "records", "errors"},
    "runs": {"components", "scoring", "data", "records", "errors"},
    # A table of results needs nothing of what made it.
    "curves": {"records", "errors"},
    "ask": {"runs", "components", "scoring", "data", "records", "errors"},
    "api": {"ask", "curves", "runs", "components", "scoring", "data", "records", "errors"},
    "cli": {"ask", "curves", "runs", "components", "scoring", "data", "records", "errors"},
    "__init__": {"api", "errors"},
}
EXCEPTIONS = {
    ("scoring", "xlqa.data.formats", "decompress"),
    ("scoring", "xlqa.data.terminal", "plain"),
}
HEAVY = ("torch", "transformers", "deeppavlov")
HEAVY_ROOMS = ("components/", "runs/worker.py", "runs/execute.py", "ask.py")
SEAMS = {
    ("data/stats.py", "transformers"),  # lengths in pieces, where --model names a tokenizer
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


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def target_room(module: str, name: str) -> str | None:
    """The room that an import reaches into; None for what is not ours, or for the package's own version."""
    parts = module.split(".")
    if parts[0] != "xlqa":
        return None
    if len(parts) > 1:
        return parts[1]
    return name if name in BELOW else None


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    room = room_of(path)
    assert room in BELOW, f"{path.name}: a new room must be given its place in BELOW"
    wrong = [
        f"line {node.lineno}: {module} {name}"
        for node, module, name in imports(ast.parse(path.read_text(encoding="utf-8")))
        if (target := target_room(module, name)) is not None
        and target != room
        and target not in BELOW[room]
        and (room, module, name) not in EXCEPTIONS
    ]
    assert not wrong, f"{path.relative_to(PACKAGE)} imports against the order of the rooms: {wrong}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_stay_in_their_rooms(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    if place.startswith(HEAVY_ROOMS):
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
        if not place.startswith("components/"):
            wrong += [f"{place}: {name}" for name in sorted(top & set(SLOW_TO_IMPORT))]
    assert not wrong


def test_the_checks_see_what_they_forbid() -> None:
    code = "import torch\nif TYPE_CHECKING:\n    import pandas\ndef f():\n    from xlqa.cli import main\n"
    assert [(module, name) for _, module, name in imports(ast.parse(code))] == [("torch", ""), ("xlqa.cli", "main")]
    assert target_room("xlqa.cli", "main") not in BELOW["runs"]
    assert target_room("xlqa", "__version__") is None
    assert target_room("xlqa", "api") == "api"


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import xlqa", (*SLOW_TO_IMPORT, "numpy", "typer")),
        ("import xlqa.cli.app", (*SLOW_TO_IMPORT, "numpy")),
        ("from xlqa.runs import status, checkup", HEAVY),
        ("from xlqa.curves import analysis, answers, figures, report, table", (*HEAVY, "pandas", "matplotlib")),
    ],
)
def test_importing_is_light(statement: str, absent: tuple[str, ...]) -> None:
    code = f"{statement}\nimport sys\nprint(*(name for name in {absent!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
