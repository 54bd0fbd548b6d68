"""Starts a worker process. Run as a file (`python -P …/start_worker.py`), it loads the xlqa that it is part of.

So a worker runs the same code as the process that started it. Neither the current folder nor another xlqa on PYTHONPATH or
among the installed packages can take its place.
"""

import importlib.util
import sys
from pathlib import Path


def load_own_package() -> None:
    """Import `xlqa` from the folder above this file."""
    folder = Path(__file__).resolve().parents[2]
    spec = importlib.util.spec_from_file_location(
        "xlqa", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["xlqa"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    load_own_package()
    from xlqa.runs.execute.worker import main

    main()
