"""Hostile variants of good files, by a seeded mutator: keys dropped, types swapped, huge, nested, escaped and climbing values."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

Place = tuple[Any, ...]
"""Keys and indices that lead to a value in nested objects and lists."""

KEYS = (
    "auto_map", "_attn_implementation_internal", "kernel_config", "quantization_config", "config_path", "ref", "id", "imports",
    "class_name", "__class__", "metadata", "variables", "in", "", "x" * 300, "\x1b[31m", "../victim", "a.b",
)  # fmt: skip


class Mutator:
    """Draws mutations; the same seed gives the same.

    Args:
        seed: of everything that chance decides.
        victim: a folder outside the case that nothing may touch.
    """

    def __init__(self, seed: str, victim: Path) -> None:
        self.random = random.Random(seed)
        self.victim = victim

    # ------------------------------------------------------------------------------------------------------- values

    def values(self) -> list[Any]:
        """Values that a field may be set to."""
        run = f"__import__('os').system('touch {self.victim}/run')"
        climbing = "../" * 12 + os.path.relpath(self.victim / "file.json", "/")
        return [
            None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, -(10**400), 1e308, -1e-308, float("nan"), float("inf"), 0.5,
            "", " ", "a", "0", "-1", "nan", "true", "x" * 100_000, "\x1b[31mred", "\u202eright", "\ud800", "\x00", "a\nb", "=1+1",
            "{E}", "{ROOT}", "{ROOT}/../x", "{DEVICE}", "{0.__class__}", "#", f"#{run}", f"{{E}}#pre.folder or {run}", run,
            str(self.victim), str(self.victim / "file.json"), climbing, "/dev/zero", "/etc/passwd", "~/x", "pty:spawn", "os:system",
            "xlqa.components.metrics:__builtins__", "owner/kernel", "file:///etc/passwd", [], {}, [[]], {"a": {}}, [None] * 10_000,
            {"class_name": "os:system"}, {"ref": "x"}, {"auto_map": {"AutoConfig": "owner/repo--x.Y"}}, nested(200), nested(50_000),
        ]  # fmt: skip

    def json_text(self, value: Any, changes: int = 1, seal: Callable[[Any], Any] | None = None) -> bytes:
        """A JSON text of a value with so many changes, sealed again or not."""
        for _ in range(changes):
            value = self._change(value)
        if seal is not None and self.random.random() < 0.7:
            # Some have no place for a checksum any more.
            with suppress(TypeError, KeyError, ValueError, AttributeError, RecursionError):
                value = seal(value)
        try:
            text = json.dumps(value, ensure_ascii=False)
        except (RecursionError, ValueError):
            text = "[" * 100_000
        content = text.replace('"NESTED"', "[" * 50_000 + "]" * 50_000).encode("utf-8", "surrogatepass")
        return self.bytes(content) if self.random.random() < 0.1 else content

    def _change(self, value: Any) -> Any:
        places = list(_places(value))
        if not places or self.random.random() < 0.02:
            return self.random.choice(self.values())
        place = self.random.choice(places)
        inner: Any = value
        for step in place[:-1]:
            inner = inner[step]
        last = place[-1]
        kind = self.random.choice(("set", "set", "set", "drop", "rename", "add", "swap", "repeat", "text"))
        if kind == "drop":
            del inner[last]
        elif kind == "rename" and isinstance(inner, dict):
            inner[self.random.choice(KEYS)] = inner.pop(last)
        elif kind == "add" and isinstance(inner, dict):
            inner[self.random.choice(KEYS)] = self.random.choice(self.values())
        elif kind == "swap":
            inner[last] = self._at(value, self.random.choice(places))
        elif kind == "repeat" and isinstance(inner, list):
            inner.insert(0, inner[last])
        elif kind == "text" and isinstance(inner[last], str):
            inner[last] = self.text(inner[last])
        else:
            inner[last] = self.random.choice(self.values())
        return value

    @staticmethod
    def _at(value: Any, place: Place) -> Any:
        for step in place:
            value = value[step]
        return json.loads(json.dumps(value)) if not isinstance(value, str) else value

    def text(self, text: str) -> str:
        """A text with something put into it."""
        insert = str(self.random.choice([v for v in self.values() if isinstance(v, str)]))
        at = self.random.randint(0, len(text))
        return text[:at] + insert + text[at + self.random.randint(0, 3) :]

    # -------------------------------------------------------------------------------------------------------- bytes

    def bytes(self, content: bytes) -> bytes:
        """A file's bytes with one change."""
        at = self.random.randint(0, len(content))
        return self.random.choice(
            (
                lambda: content[:at],
                lambda: b"",
                lambda: content[:at] + self.random.randbytes(8) + content[at:],
                lambda: (
                    content[:at]
                    + self.random.choice((b"\0", b"\xff\xfe", b"\r", b'"', b"\n\n", b",", b"\x1b[2J"))
                    + content[at:]
                ),
                lambda: content + content,
                lambda: b"\xef\xbb\xbf" + content,
                lambda: content.decode("utf-8", "replace").encode("utf-16"),
                lambda: content.replace(b"\n", b"\r\n"),
                lambda: self.random.randbytes(2000),
                lambda: content[:at] + b"[" * 100_000 + content[at:],
                lambda: content[:at] + b"9" * 10_000 + content[at:],
            )
        )()

    def cells(self, content: bytes) -> bytes:
        """A CSV file with one or a few cells, rows or columns changed."""
        rows = [line.split(",") for line in content.decode("utf-8").splitlines()]
        for _ in range(self.random.randint(1, 3)):
            row = self.random.randrange(len(rows))
            if not rows[row]:
                continue
            column = self.random.randrange(len(rows[row]))
            kind = self.random.choice(("set", "set", "set", "set", "drop", "row", "column", "repeat", "swap"))
            if kind == "drop":
                del rows[row][column]
            elif kind == "row" and len(rows) > 1:
                del rows[row]
            elif kind == "column":
                for cells in rows:
                    del cells[column : column + 1]
            elif kind == "repeat":
                rows.append(list(rows[row]))
            elif kind == "swap":
                other = self.random.randrange(len(rows[row]))
                rows[row][column], rows[row][other] = rows[row][other], rows[row][column]
            else:
                value = self.random.choice(self.values())
                cell = value if isinstance(value, str) else json.dumps(value)[:200_000]
                rows[row][column] = '"' + cell.replace('"', '""') + '"'
        return "\n".join(",".join(row) for row in rows).encode("utf-8", "surrogatepass") + b"\n"

    # -------------------------------------------------------------------------------------------------------- files

    def special(self, path: Path) -> None:
        """Put something else than a regular file, or a file of elsewhere, in a file's place."""
        if path.is_dir() and not path.is_symlink():
            path.rename(path.with_name(path.name + ".before"))
        else:
            path.unlink(missing_ok=True)
        kind = self.random.choice(("fifo", "zero", "victim", "loop", "folder", "victim folder", "nothing", "long"))
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        elif kind != "nothing":
            target = {"zero": "/dev/zero", "victim": self.victim / "file.json", "loop": path.name, "long": "x/" * 2000}
            path.symlink_to(target.get(kind, self.victim))


def nested(depth: int) -> Any:
    """A list in a list in a list …; deep ones are a mark that `Mutator.json_text` fills in."""
    if depth > 500:
        return "NESTED"
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def _places(value: Any, above: Place = ()) -> Any:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(entries)[:200]:
        yield (*above, key)
        if len(above) < 12:
            yield from _places(item, (*above, key))
